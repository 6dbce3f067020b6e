"""Store of the Scalelite stand-in: a Redis server, by its own protocol, and a PostgreSQL, which has the recordings."""

import contextlib
import json
import os
import socket
import subprocess
import urllib.parse

from scalelite_recordings import Rows

PREFIX = "scalelite-standin"


class Redis:
    """Connection to a Redis server, a new one for each command: it may have restarted since."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url)

    def ask(self, *words):
        with socket.create_connection((self.at.hostname or "127.0.0.1", self.at.port or 6379), timeout=5) as connection, connection.makefile("rb") as answers:
            texts = [str(word).encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%s\r\n" % (len(text), text) for text in texts))
            return self.read(answers)

    def read(self, answers):
        line = answers.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"-" or kind == b"":
            raise OSError(f"Redis: {rest or 'no answer'}")
        if kind == b"$":
            return None if rest == "-1" else answers.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.read(answers) for _ in range(int(rest))]
        return rest


class Records:
    """Records of a kind in Redis, by their id."""

    def __init__(self, redis, kind):
        self.redis, self.key = redis, f"{PREFIX}:{kind}"

    def all(self):
        flat = self.redis.ask("HGETALL", self.key)
        return {flat[i]: json.loads(flat[i + 1]) for i in range(0, len(flat), 2)}

    def get(self, name):
        found = self.redis.ask("HGET", self.key, name)
        return None if found is None else json.loads(found)

    def put(self, name, value):
        self.redis.ask("HSET", self.key, name, json.dumps(value))

    def change(self, name, **values):
        """Changes a record that is still there."""
        found = self.get(name)
        if found is not None:
            self.put(name, {**found, **values})

    def count(self, name):
        """Adds one to a number, which others may change at the same time. @return the sum"""
        return int(self.redis.ask("HINCRBY", self.key, name, 1))

    def remove(self, name):
        self.redis.ask("HDEL", self.key, name)


class Store:
    """All that a Scalelite keeps: servers, the meetings of which it knows on which server they are, and recordings."""

    def __init__(self, environment):
        redis = Redis(environment["REDIS_URL"])
        self.redis, self.database = redis, environment["DATABASE_URL"]
        self.servers, self.meetings = Records(redis, "servers"), Records(redis, "meetings")
        # People on a server, and its polls that went well and ill; apart, since the API counts while the poller writes.
        self.loads, self.good, self.bad = Records(redis, "loads"), Records(redis, "good"), Records(redis, "bad")

    def meetings_of(self, server):
        return [name for name, meeting in self.meetings.all().items() if meeting["server"] == server]

    def migrate(self):
        self.sql("CREATE TABLE IF NOT EXISTS schema_migrations (version text)")
        Rows(self).migrate()

    def check(self):
        """Raises OSError where Redis or the migrated database does not answer."""
        self.redis.ask("PING")
        self.sql("SELECT count(*) FROM schema_migrations")

    def sql(self, text):
        """Returns what the database answers, a row a line."""
        # The password is no argument of a process.
        url = urllib.parse.urlsplit(self.database)
        environment = {**os.environ, "PGPASSWORD": urllib.parse.unquote(url.password or ""), "PGCONNECT_TIMEOUT": "5"}
        words = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-h", url.hostname or "", "-p", str(url.port or 5432), "-U", url.username or "", "-d", url.path[1:], "-c", text]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=20)
            if done.returncode == 0:
                return done.stdout
            raise OSError(f"PostgreSQL: {done.stderr.strip()}")
        raise OSError("PostgreSQL: no answer")
