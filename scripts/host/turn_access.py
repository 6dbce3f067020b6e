#!/usr/bin/python3
"""Tells coturn whom it relays to and whose credentials it takes, in its own database.

    turn_access.py apply [--root DIRECTORY] <REQUEST     writes peers and secret, and tells what is new, a line each
    turn_access.py retire [--root DIRECTORY]             takes away a former secret whose time is over; prints until when
                                                         (seconds since 1970) the one that is left is taken, if there is one
    turn_access.py rules <REQUEST                        prints rules of nftables that hold the relays to the same peers
    turn_access.py restore [--root DIRECTORY]            does the last "apply" again, in a new database where there is none: before
                                                         coturn starts, as after its reinstallation

REQUEST: JSON, {"realm", "secret", "peers": [ADDRESS], "relayPorts": {"from", "to"}}. To its peers come those of a pool's servers
that turn-peer.sh holds: one that is to go may still have meetings.

coturn 4.6.1 reads its peers every 5 s and its secrets for each log-in (measured). It waits for no lock: while SQLite's own
journal has one, it takes nobody's credentials, and no peer for the next 5 s. With a write-ahead log there is none for readers.

Python 3.8 or newer, standard library only.
"""

import argparse
import contextlib
import ipaddress
import json
import os
import shutil
import sqlite3
import sys
import time

DATABASE = "var/lib/turn/turndb"
HELD = "turn-peers"
OWNER = os.environ.get("BBB_DEPLOY_TURN_USER", "turnserver")
# Seconds for which a former secret is taken: a day for all that use this server to get the new one, and the day for which
# BigBlueButton's last credentials by the old one are good.
GRACE = 2 * 86400
# Those that coturn reads, in the package's form, and ours, from which the secrets are made: the current one has no end.
TABLES = (
    "CREATE TABLE IF NOT EXISTS allowed_peer_ip (realm varchar(127) default '', ip_range varchar(256), primary key (realm, ip_range))",
    "CREATE TABLE IF NOT EXISTS turn_secret (realm varchar(127) default '', value varchar(256), primary key (realm, value))",
    "CREATE TABLE IF NOT EXISTS bbb_deploy_secret (value TEXT PRIMARY KEY, until INTEGER)",
)


def connected(path):
    """Connects to a database that is there, without transactions of Python's own."""
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30, isolation_level=None))


@contextlib.contextmanager
def changing(path):
    """Opens a database for changes, in one transaction. @raise sqlite3.Error"""
    with connected(path) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            database.execute(table)
        yield database
        database.execute("COMMIT")


def peers_of(database):
    """Returns {(realm, address or range)}."""
    return set(database.execute("SELECT realm, ip_range FROM allowed_peer_ip"))


def secrets_of(database):
    """Returns {(realm, secret)}."""
    return set(database.execute("SELECT realm, value FROM turn_secret"))


def former_of(database):
    """Returns {secret: seconds since 1970 until which it is taken}."""
    return dict(database.execute("SELECT value, until FROM bbb_deploy_secret WHERE until IS NOT NULL"))


def put_peers(database, realm, addresses):
    """Makes these the only peers; returns what is new about them."""
    wanted, before = {(realm, address) for address in addresses}, peers_of(database)
    database.execute("DELETE FROM allowed_peer_ip")
    database.executemany("INSERT INTO allowed_peer_ip VALUES (?, ?)", sorted(wanted))
    names = [", ".join(sorted(address for _, address in rows)) for rows in (wanted - before, before - wanted)]
    return [text + name for text, name in zip(("relays to ", "relays no more to "), names) if name]


def put_secret(database, realm, secret, now):
    """Makes this the secret. The one before is taken for a while, an older one no more; returns what is new."""
    current = [value for (value,) in database.execute("SELECT value FROM bbb_deploy_secret WHERE until IS NULL")]
    before = secrets_of(database)
    if current != [secret]:
        database.execute("DELETE FROM bbb_deploy_secret WHERE until IS NOT NULL OR value = ?", (secret,))
        database.execute("UPDATE bbb_deploy_secret SET until = ?", (now + GRACE,))
        database.execute("INSERT INTO bbb_deploy_secret VALUES (?, NULL)", (secret,))
    database.execute("DELETE FROM bbb_deploy_secret WHERE until <= ?", (now,))
    database.execute("DELETE FROM turn_secret")
    database.execute("INSERT INTO turn_secret SELECT ?, value FROM bbb_deploy_secret", (realm,))
    return [] if secrets_of(database) == before else ["takes a new secret"]


def apply(path, request):
    with changing(path) as database:
        peers = put_peers(database, request["realm"], request["peers"])
        return peers + put_secret(database, request["realm"], request["secret"], int(time.time()))


def retire(path, now):
    """Takes away a former secret whose time is over; returns the end of the one that is left, or None."""
    with changing(path) as database:
        database.execute("DELETE FROM turn_secret WHERE value IN (SELECT value FROM bbb_deploy_secret WHERE until <= ?)", (now,))
        database.execute("DELETE FROM bbb_deploy_secret WHERE until <= ?", (now,))
        return max(former_of(database).values(), default=None)


def rules(request):
    """Returns rules by which nothing but the peers gets anything from a relay, whatever coturn allows: it goes on for up to
    ten minutes with a channel to one that is no more, and behind a translation allows its own addresses.
    """
    addresses = [ipaddress.ip_address(peer) for peer in request["peers"]]
    relayed = "meta skuid turnserver udp sport {from}-{to}".format(**request["relayPorts"])
    lines = []
    for version, family in ((4, "ip"), (6, "ip6")):
        known = ", ".join(str(address) for address in addresses if address.version == version)
        others = f"{family} daddr != {{ {known} }}" if known else f"meta nfproto ipv{version}"
        lines.append(f"    {relayed} {others} counter drop")
    return "\n".join(
        [
            "# Written by the deployment: what is relayed goes to the BigBlueButton servers, and nowhere else.",
            "table inet bbb_relay_peers",
            "delete table inet bbb_relay_peers",
            "table inet bbb_relay_peers {",
            "  chain output {",
            "    type filter hook output priority -10; policy accept;",
            *lines,
            "  }",
            "}",
        ]
    )


def restore(path, root):
    """Writes what was asked for last, if anything was."""
    try:
        with open(os.path.join(state_of(root), "turn-access/request"), encoding="utf-8") as file:
            request = json.load(file)
    except FileNotFoundError:
        return []
    if not os.path.exists(path):
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            os.makedirs(folder)
            shutil.chown(folder, OWNER, OWNER)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o660), "w", encoding="utf-8"):
            os.chmod(path, 0o660)
        shutil.chown(path, OWNER, OWNER)
    return apply(path, with_held(request, root))


def state_of(root):
    return os.environ.get("BBB_DEPLOY_STATE") or os.path.join(root, "var/lib/bbb-deploy")


def with_held(request, root):
    return {**request, "peers": list(dict.fromkeys([*request["peers"], *held(root)]))}


def held(root):
    """Returns the addresses that are held, one a line in a file for each server."""
    folder = os.path.join(state_of(root), HELD)
    found: list = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found += file.read().split()
    return found


def read_request():
    """Returns the request. @raise ValueError"""
    request = json.load(sys.stdin)
    if not (request.get("realm") and request.get("secret") and request.get("peers")):
        raise ValueError("not whole")
    for peer in request["peers"]:
        ipaddress.ip_address(peer)
    return request


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("do", choices=["apply", "retire", "rules", "restore"])
    parser.add_argument("--root", default="/")
    parser.add_argument("--nobody", action="store_true", help="instead of the peers")
    given = parser.parse_args()
    path = os.path.join(given.root, DATABASE)
    if given.do == "retire":
        until = retire(path, int(time.time()))
        if until is not None:
            print(until)
        return
    if given.do == "restore":
        print("\n".join(restore(path, given.root)))
        return
    try:
        request = read_request()
        request = {**request, "peers": []} if given.nobody else with_held(request, given.root)
    except (ValueError, AttributeError):
        sys.exit("the peers and the secret of coturn on standard input are not whole: run pulumi up again")
    print("\n".join(apply(path, request)) if given.do == "apply" else rules(request))


if __name__ == "__main__":
    main()
