"""Greenlight's data: its database and its uploaded files, wherever Compose has them.

The database is asked through the container that runs it, by the name that DATABASE_URL has for it, so nothing here
depends on where its files are.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import whole_files
from keyed_text import FORMATS

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
HOME = f"{ROOT}/root/greenlight-v3"
ENVIRONMENT = f"{HOME}/.env"
COMPOSE_FILE = f"{HOME}/docker-compose.yml"
STORAGE = f"{HOME}/data/greenlight-v3/storage"
CONTAINER = "greenlight-v3"
# Tables that an operator knows; a restore is complete when they have as many rows as were saved.
TABLES = ("users", "rooms", "recordings")
DUMP_LIMIT = 3600
# Keys of .env that are the server's own.
OWN_KEYS = ("BIGBLUEBUTTON_ENDPOINT", "BIGBLUEBUTTON_SECRET", "DATABASE_URL", "REDIS_URL")
ADVICE = "see docker ps --all and docker compose logs in /root/greenlight-v3; mostly docker compose up -d there helps"


class Failure(Exception):
    """Sentence about Greenlight's data: what is wrong, and what to do."""


def is_installed():
    return os.path.exists(COMPOSE_FILE) and os.path.exists(ENVIRONMENT)


def environment(path=None):
    """Returns the text of Greenlight's .env."""
    return whole_files.read(path or ENVIRONMENT)


class Database:
    """Database of Greenlight, as its .env names it."""

    def __init__(self):
        url = FORMATS["env"].value(environment(), "DATABASE_URL") or ""
        parts = urllib.parse.urlsplit(url)
        self.service, self.user = parts.hostname or "", urllib.parse.unquote(parts.username or "postgres")
        self.name = parts.path.lstrip("/").partition("?")[0]
        if not self.service or not self.name:
            raise Failure("DATABASE_URL in /root/greenlight-v3/.env does not name Greenlight's database; put it right, then docker compose up -d there")

    @property
    def elsewhere(self):
        """True for a database that no container of Greenlight's runs."""
        return re.search(rf"^  ['\"]?{re.escape(self.service)}['\"]?:[ \t]*(#.*)?$", whole_files.read(COMPOSE_FILE), re.MULTILINE) is None

    def command(self, *words):
        return [*compose_words(), "exec", "-T", self.service, *words]

    def run(self, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, limit=DUMP_LIMIT):
        """Returns (exit code, what it printed where that was not sent elsewhere, its errors)."""
        try:
            done = subprocess.run(self.command(*words), cwd=HOME, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return None, "", f"no end within {limit} s"
        except OSError as error:
            return None, "", f"docker could not be run: {error.strerror}"
        return done.returncode, (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace")

    def dump(self, path):
        """Writes the database into a file, and reads all of that back. @raise Failure"""
        need_room(os.path.dirname(path), self.size())
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            code, _, said = self.run("pg_dump", "-U", self.user, "--format=c", self.name, stdout=file)
        if code != 0:
            os.unlink(path)
            raise Failure(f"Greenlight's database could not be read: {last_of(said)}. To do: {ADVICE}")
        try:
            self.prove(path)
        except Failure:
            os.unlink(path)
            raise

    def prove(self, path):
        """Reads a whole dump, without doing anything with it. @raise Failure where it is cut off or empty"""
        with open(path, "rb") as file:
            code, listed, said = self.run("pg_restore", "--list", stdin=file)
        if code == 0 and not re.search(r"TABLE DATA \S+ users ", listed):
            raise Failure("the dump of Greenlight's database has no table users: it is not whole. Run scripts/backup run STACK again; if it stays, " + ADVICE)
        if code == 0:
            # The list is at the dump's beginning: only the whole of it tells that its end is there.
            with open(path, "rb") as file:
                code, _, said = self.run("pg_restore", "--file=/dev/null", stdin=file)
        if code != 0:
            raise Failure(f"the dump of Greenlight's database is not whole: {last_of(said)}. Run scripts/backup run STACK again; if it stays, {ADVICE}")

    def size(self):
        code, printed, _ = self.run("psql", "-U", self.user, "-d", self.name, "-At", "-c", f"SELECT pg_database_size('{self.name}')", limit=60)
        return int(printed) if code == 0 and printed.strip().isdigit() else 0

    def counts(self):
        """Returns the number of rows of each known table. @raise Failure"""
        found = {}
        for table in TABLES:
            code, printed, said = self.run("psql", "-U", self.user, "-d", self.name, "-At", "-c", f"SELECT count(*) FROM {table}", limit=120)
            if code != 0 or not printed.strip().isdigit():
                raise Failure(f"Greenlight's table {table} could not be counted: {last_of(said)}. To do: {ADVICE}")
            found[table] = int(printed)
        return found

    def load(self, path):
        """Puts a dump in place of the database. @raise Failure"""
        with open(path, "rb") as file:
            words = ["pg_restore", "-U", self.user, "--clean", "--if-exists", "--no-owner", "--single-transaction", "-d", self.name]
            code, _, said = self.run(*words, stdin=file)
        if code != 0:
            raise Failure(f"the dump did not go into Greenlight's database: {last_of(said)}. It was put in as one transaction, so the database is as it was before. To do: {ADVICE}; then run this again")


def need_room(folder, bytes_needed):
    free = shutil.disk_usage(folder).free
    # As much again stays free: a full disk would stop BigBlueButton.
    if free < 2 * bytes_needed + 200e6:
        raise Failure(f"the disk has {free / 1e9:.1f} GB free, too little for a dump of Greenlight's database of up to {bytes_needed / 1e9:.1f} GB beside what must stay free. Make room on the server: df -h, du -xh / | sort -h | tail")


def last_of(said):
    return next((line.strip()[:300] for line in reversed(said.splitlines()) if line.strip()), "it said nothing")


def compose_words():
    """Returns the command of Compose that this server has: a part of docker, or before BigBlueButton 4.0 perhaps a program."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run(["docker", "compose", "version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"]


def compose(*words):
    try:
        done = subprocess.run([*compose_words(), *words], cwd=HOME, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise Failure(f"Greenlight's containers do not obey: {ADVICE}") from None
    if done.returncode != 0:
        raise Failure(f"docker compose {' '.join(words)} failed: {last_of(done.stdout.decode(errors='replace'))}. To do: {ADVICE}")


def storage():
    """Returns the folder of Greenlight's uploaded files, as the container has it."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError):
        done = subprocess.run(["docker", "inspect", "--format", "{{json .Mounts}}", CONTAINER], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False)
        if done.returncode == 0:
            for mount in json.loads(done.stdout.decode()) or []:
                if str(mount.get("Destination", "")).endswith("/storage") and mount.get("Source"):
                    return mount["Source"]
    return os.path.realpath(STORAGE)


def files_below(folder):
    return sum(len(names) for _, _, names in os.walk(folder))
