"""Checks that the files that wire BigBlueButton and its TURN server together are still those of the deployment.

Packages and installers overwrite both. Compares them with the text that was deployed, and names the kind of a
difference, without a value of a secret. The same for the peers and secrets in coturn's database.
"""

import os
import sqlite3
import stat
import time
from xml.etree import ElementTree

import turn_access
from checks import Doubtful, Wrong, worst

REMEDY = "put it back: give the setting rotateTurnSecret a new value, then pulumi up"
BEANS = "{http://www.springframework.org/schema/beans}"


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def turn_servers(text):
    """Returns the (url, secret) of each TURN server in turn-stun-servers.xml. @raise ParseError"""
    servers = []
    for bean in ElementTree.fromstring(text).iter():
        if bean.tag.replace(BEANS, "") != "bean" or not bean.get("class", "").endswith(".TurnServer"):
            continue
        values = {}
        for argument in bean:
            nested = next((child.text for child in argument if child.tag.replace(BEANS, "") == "value"), None)
            values[argument.get("index")] = argument.get("value", nested)
        servers.append((values.get("1") or "", values.get("0") or ""))
    return servers


def check_xml(path, expected):
    """Checks turn-stun-servers.xml, from which bbb-web tells clients of their TURN server."""
    found = read(path)
    if found is None:
        raise Wrong("it is missing: people behind strict firewalls get no TURN server", REMEDY)
    urls = [url for url, _ in turn_servers(expected)]
    if found == expected:
        check_mode(path)
        return f"as deployed: {', '.join(urls)}"
    try:
        servers = turn_servers(found)
    except ElementTree.ParseError as error:
        raise Wrong(f"not well-formed XML, in line {error.position[0]}: bbb-web may not start", REMEDY) from None
    others = [url for url, _ in servers]
    if not servers:
        raise Wrong("overwritten, as by a package or the installer: it names no TURN server", REMEDY)
    if others != urls:
        raise Wrong(f"other servers: {', '.join(others)}", REMEDY)
    if servers != turn_servers(expected):
        raise Wrong("the right servers with another secret: they refuse all clients", REMEDY)
    raise Doubtful("the same servers and secret, but another text: somebody has edited it", REMEDY)


def settings(text):
    """Returns {key: [value, …]} of a turnserver.conf; a switch has the value ""."""
    found: dict = {}
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def check_conf(path, expected):
    """Checks coturn's configuration."""
    found = read(path)
    if found is None:
        raise Wrong("it is missing", REMEDY)
    if found == expected:
        return f"as deployed, {len(settings(expected))} settings"
    ours, theirs = settings(expected), settings(found)
    if not theirs:
        raise Wrong("overwritten, as by a package: it has no settings", REMEDY)
    differ = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
    if differ:
        raise Wrong(f"not as deployed in {', '.join(differ)}", REMEDY)
    raise Doubtful("the same settings, but another text: somebody has edited it", REMEDY)


def check_access(path, realm, peers, secret):
    """Checks the peers and the secrets in coturn's database."""
    if not os.path.exists(path):
        raise Wrong("its database is missing: it relays to nobody, and takes nobody's credentials", REMEDY)
    try:
        with turn_access.connected(path) as database:
            found, secrets, former = (of(database) for of in (turn_access.peers_of, turn_access.secrets_of, turn_access.former_of))
    except sqlite3.Error as error:
        raise Wrong(f"its database is not the deployment's, as after a reinstallation: {error}", REMEDY) from None
    findings = [*peer_findings(found, {(realm, peer) for peer in peers}, {(realm, peer) for peer in turn_access.held(path[: -len(turn_access.DATABASE)])}), *secret_findings(secrets, realm, secret, former)]
    if os.stat(path).st_mode & stat.S_IRWXO:
        findings.append(Doubtful("every user of this host can read the secret in it", f"chmod o-rwx {path}"))
    taken = [until for value, until in former.items() if (realm, value) in secrets]
    until = f"; the former secret until {time.strftime('%F %R UTC', time.gmtime(max(taken)))}" if taken else ""
    return worst(findings) if findings else f"as deployed: {', '.join(peers)}{until}"


def peer_findings(found, wanted, held):
    missing, more = ([address for _, address in sorted(rows)] for rows in (wanted - found, found - wanted - held))
    if missing:
        yield Wrong(f"it does not relay to {', '.join(missing)}", REMEDY)
    if more:
        yield Wrong(f"it relays to {', '.join(more)}, too", REMEDY)


def secret_findings(found, realm, secret, former):
    if (realm, secret) not in found:
        yield Wrong("another secret than the deployment's: it refuses BigBlueButton's clients", REMEDY)
    if found - {(realm, value) for value in (secret, *former)}:
        yield Wrong("a secret that is not the deployment's, beside it: somebody else can make credentials", REMEDY)
    if any(until < time.time() - 3600 for until in former.values()):
        yield Doubtful("a former secret is still taken, though its time is over", "systemctl start bbb-deploy-turn-secret; journalctl -u bbb-deploy-turn-secret")


def check_mode(path):
    if os.stat(path).st_mode & stat.S_IRWXO:
        raise Doubtful("as deployed, but every user of this host can read the secret in it", f"chmod o-rwx {path}")
