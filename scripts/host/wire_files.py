#!/usr/bin/python3
"""Writes BigBlueButton's shared secret and TURN servers into the files that hold them.

    wire_files.py [--root DIRECTORY] --xml-path PATH --pending FILE|--dry-run <INPUT

Standard input: the shared secret in the first line, turn-stun-servers.xml in the rest. Only files whose text changes
are written, whole or not at all. Those that bbb-web and bbb-apps-akka read under /etc/bigbluebutton become
root:bigbluebutton 0640, since packages and bbb-conf leave the secret in them readable by every user of the host;
others keep owner and mode. Before a change, the things to restart for it are added to FILE, one name a line, so that
an interruption loses none: a systemd unit, or `compose:DIRECTORY` for containers. Standard output: the files
written, or with --dry-run those that would be; never a secret.
"""

import argparse
import os
import re
import sys
import tempfile
from xml.etree import ElementTree

WEB_OVERRIDE = "etc/bigbluebutton/bbb-web.properties"
# Where releases without an override file keep it.
WEB_DEFAULT = "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
AKKA = "etc/bigbluebutton/bbb-apps-akka.conf"
AKKA_DEFAULT = "usr/share/bbb-apps-akka/conf/application.conf"
WEBHOOKS = ["usr/local/bigbluebutton/bbb-webhooks/config/default.yml", "etc/bigbluebutton/bbb-webhooks/production.yml"]
# Of BigBlueButton's services, which run as a user of the same name.
GROUP = "bigbluebutton"
GREENLIGHT = ["root/greenlight-v3/.env", "root/greenlight/.env"]


class Mistake(Exception):
    """Message to the operator, without a secret in it."""


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def with_property(text, key, value):
    """Returns Java properties with one key set, in its first place."""
    line = re.compile(r"^[ \t]*" + re.escape(key) + r"[ \t]*[=:].*$", re.MULTILINE)
    found = line.search(text)
    if not found:
        return text + ("" if text.endswith("\n") or not text else "\n") + f"{key}={value}\n"
    rest = re.sub(line.pattern + r"\n?", "", text[found.end() :], flags=re.MULTILINE)
    return text[: found.start()] + f"{key}={value}" + rest


def with_akka_secret(text, value):
    """Returns HOCON with services.sharedSecret set; a block of the same name is merged with those before it."""
    pattern = re.compile(r'^([ \t]*(?:services\.)?sharedSecret[ \t]*[=:][ \t]*)(?:"[^"\n]*"|[^\s"]+)', re.MULTILINE)
    if pattern.search(text):
        return pattern.sub(lambda found: f'{found[1]}"{value}"', text)
    return text + ("" if text.endswith("\n") else "\n") + f'services {{\n  sharedSecret="{value}"\n}}\n'


def with_yaml_secret(text, value):
    """Returns YAML with the value of every sharedSecret; none is added."""
    return re.sub(r"^([ \t]*sharedSecret:[ \t]*).*$", lambda found: f"{found[1]}{value}", text, flags=re.MULTILINE)


def with_env(text, key, value):
    line = re.compile(r"^" + re.escape(key) + r"=.*$", re.MULTILINE)
    return line.sub(f"{key}={value}", text) if line.search(text) else text


class Writer:
    def __init__(self, root, pending, dry_run=False):
        self.root = root
        self.pending = pending
        self.dry_run = dry_run

    def path(self, name):
        return os.path.join(self.root, name)

    def exists(self, name):
        return os.path.exists(self.path(name))

    def owner(self, group):
        """Returns (uid, gid) of a new file."""
        if os.geteuid() != 0:
            return None
        try:
            import grp

            return 0, grp.getgrnam(group).gr_gid
        except KeyError:
            if self.root == "/":
                raise Mistake(f"there is no group {group}: BigBlueButton is not installed. Run pulumi up again") from None
            return 0, 0

    def put(self, name, text, restart, owner=None, mode=None):
        """Writes text to a file if that changes anything; before that, adds the things to restart to the list, if there
        is one.

        Owner and mode are the file's own unless given.
        """
        path = self.path(name)
        before = read(path) if os.path.exists(path) else None
        if before is not None:
            found = os.stat(path)
            kept = (found.st_uid, found.st_gid), found.st_mode & 0o7777
            owner, mode = owner or kept[0], mode or kept[1]
            if before == text and (owner, mode) == kept:
                return
        if self.dry_run:
            if before != text:
                print(f"/{name} would be written")
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if before != text and self.pending:
            with open(self.pending, "a", encoding="utf-8") as pending:
                pending.write(f"{restart}\n")
                pending.flush()
                os.fsync(pending.fileno())
        descriptor, new = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if owner:
                os.chown(new, *owner)
            os.chmod(new, mode or 0o640)
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
        print(f"/{name} written")


def wire(writer, xml_path, secret, xml):
    group = writer.owner(GROUP)

    writer.put(xml_path.lstrip("/"), xml, "bbb-web", owner=group, mode=0o640)

    web = WEB_OVERRIDE if writer.exists(WEB_OVERRIDE) else WEB_DEFAULT
    if not writer.exists(web):
        raise Mistake(f"/{WEB_OVERRIDE} is missing: BigBlueButton is not installed. Run pulumi up again")
    # Who reads the packaged file of an old release is not known.
    private = {"owner": group, "mode": 0o640} if web == WEB_OVERRIDE else {}
    writer.put(web, with_property(read(writer.path(web)), "securitySalt", secret), "bbb-web", **private)

    if writer.exists(AKKA):
        writer.put(AKKA, with_akka_secret(read(writer.path(AKKA)), secret), "bbb-apps-akka", owner=group, mode=0o640)
    elif writer.exists(AKKA_DEFAULT):
        writer.put(AKKA, with_akka_secret(f'include "/{AKKA_DEFAULT}"\n', secret), "bbb-apps-akka", owner=group, mode=0o640)

    for name in WEBHOOKS:
        if writer.exists(name):
            writer.put(name, with_yaml_secret(read(writer.path(name)), secret), "bbb-webhooks")

    for name in GREENLIGHT:
        if writer.exists(name):
            text = with_env(read(writer.path(name)), "BIGBLUEBUTTON_SECRET", secret)
            writer.put(name, text, f"compose:/{os.path.dirname(name)}")
        # bbb-install's copy of before its last run holds the secret of that time.
        old = f"{name}.old"
        if writer.exists(old) and not writer.dry_run:
            os.chmod(writer.path(old), 0o600)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    parser.add_argument("--xml-path", required=True)
    parser.add_argument("--pending")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()

    secret, _, xml = sys.stdin.read().partition("\n")
    if not re.fullmatch(r"[A-Za-z0-9]{16,}", secret):
        raise Mistake("the shared secret in the first line must be 16 or more letters and digits: what else there is breaks bbb-conf")
    try:
        ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise Mistake(f"turn-stun-servers.xml is not well-formed (line {error.position[0]})") from None
    wire(Writer(options.root, options.pending, options.dry_run), options.xml_path, secret, xml)


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
