#!/usr/bin/python3
"""Writes BigBlueButton's shared secret, TURN servers and own settings into the files that hold them.

    wire_files.py [--root DIRECTORY] --xml-path PATH [--record FILE] --pending FILE|--dry-run <INPUT

Standard input: the shared secret in the first line, then, if the deployment has such, its owned keys as JSON in a line
(owned_keys.py), and turn-stun-servers.xml in the rest. Only files whose text changes are written, whole or not at all.
Those that bbb-web and bbb-apps-akka read under /etc/bigbluebutton become root:bigbluebutton 0640, since packages and
bbb-conf leave the secret in them readable by every user of the host; others keep owner and mode. Before a change, the
things to do for it are added to FILE, one a line, so that an interruption loses none: a systemd unit to restart,
`reload:UNIT`, `daemon-reload`, or `compose:DIRECTORY` for containers. --record: of the owned keys. Standard output: the
files written, or with --dry-run what would end meetings: `wiring`, or the name of a setting; never a secret.
"""

import argparse
import contextlib
import json
import os
import re
import sys
from xml.etree import ElementTree

from extra_files import NGINX, nginx_refuses
from keyed_text import Unreadable
from owned_keys import Owned, read_record
from whole_files import Mistake, Writer, read, replace

WEB_OVERRIDE = "etc/bigbluebutton/bbb-web.properties"
# Where releases without an override file keep it.
WEB_DEFAULT = "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
AKKA = "etc/bigbluebutton/bbb-apps-akka.conf"
AKKA_DEFAULT = "usr/share/bbb-apps-akka/conf/application.conf"
WEBHOOKS = ["usr/local/bigbluebutton/bbb-webhooks/config/default.yml", "etc/bigbluebutton/bbb-webhooks/production.yml"]
# Of BigBlueButton's services, which run as a user of the same name.
GROUP = "bigbluebutton"
GREENLIGHT = ["root/greenlight-v3/.env", "root/greenlight/.env"]


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


def wiring(writer, xml_path, secret, xml):
    """Yields the name, the text, the thing to restart, and the owner and mode, if they are the deployment's, of each file."""
    group = writer.owner(GROUP)
    private = {"owner": group, "mode": 0o640}

    yield xml_path.lstrip("/"), xml, "bbb-web", private

    web = WEB_OVERRIDE if writer.exists(WEB_OVERRIDE) else WEB_DEFAULT
    if not writer.exists(web):
        raise Mistake(f"/{WEB_OVERRIDE} is missing: BigBlueButton is not installed. Run pulumi up again")
    # Who reads the packaged file of an old release is not known.
    yield web, with_property(read(writer.path(web)), "securitySalt", secret), "bbb-web", private if web == WEB_OVERRIDE else {}

    if writer.exists(AKKA):
        yield AKKA, with_akka_secret(read(writer.path(AKKA)), secret), "bbb-apps-akka", private
    elif writer.exists(AKKA_DEFAULT):
        yield AKKA, with_akka_secret(f'include "/{AKKA_DEFAULT}"\n', secret), "bbb-apps-akka", private

    for name in WEBHOOKS:
        if writer.exists(name):
            yield name, with_yaml_secret(read(writer.path(name)), secret), "bbb-webhooks", {}

    for name in GREENLIGHT:
        if writer.exists(name):
            text = with_env(read(writer.path(name)), "BIGBLUEBUTTON_SECRET", secret)
            yield name, text, f"compose:/{os.path.dirname(name)}", {}


def close_copies(writer):
    """Closes bbb-install's copies of before its last run, which hold the secret of that time, to other users."""
    for name in GREENLIGHT:
        if writer.exists(f"{name}.old") and not writer.dry_run:
            os.chmod(writer.path(f"{name}.old"), 0o600)


def write_all(writer, files, owned, record):
    """Writes the wiring and the owned keys, each file once. Returns what would end meetings."""
    refused = owned.refusals()
    if refused:
        raise Mistake("\n".join(refused))
    puts, ending = [], []
    for name, wired, unit, attributes in files:
        if not writer.exists(name) or read(writer.path(name)) != wired:
            ending.append("wiring")
        path = f"/{name}"
        text = owned.applied(path, wired) if path in owned.paths else wired
        puts.append((name, text, [unit, *owned.restart_of(path)], attributes))
    wired_names = [name for name, *_ in puts]
    for path in owned.paths:
        name = path.lstrip("/")
        if name not in wired_names:
            owner = owned.owner_of(path) or (None if writer.exists(name) else writer.owner(GROUP))
            puts.append((name, owned.applied(path, owned.text_of(path)), owned.restart_of(path), {"owner": owner, "mode": owned.mode_of(path)}))
    ending += [setting for setting, ends in owned.changed if ends]
    if writer.dry_run:
        return ending
    keep(record, owned.begun(), owned.recorded)
    ours = [name for name, _, restart, _ in puts if NGINX in restart]
    before = {name: writer.snapshot(name) for name in ours}
    for name, text, restart, attributes in puts:
        if text is None:
            writer.remove(name, restart)
        else:
            writer.put(name, text, restart, **attributes)
    ask_nginx(writer, owned, before)
    keep(record, owned.done(), owned.recorded)
    return ending


def ask_nginx(writer, owned, before):
    """Takes the files of nginx back to what they were, if it does not take them. @raise Mistake"""
    if not before or not writer.promised(NGINX):
        return
    said = nginx_refuses()
    if said is None:
        return
    changed = {name: found for name, found in before.items() if found != writer.snapshot(name)}
    # A run that was cut off here left what nginx refuses: right is what was there before all of them.
    back = changed or {name: owned.first_of(f"/{name}") for name in before}
    for name, found in back.items():
        writer.put_back(name, found)
    writer.forget(NGINX)
    raise Mistake(f"nginx takes no such configuration, so its files are as they were before ({', '.join(owned.setting_of(f'/{name}') for name in back)}): {said}")


def keep(path, record, recorded):
    """Writes the record, for root only; removes it where nothing is owned any more."""
    if path is None or record["files"] == recorded:
        return
    if record["files"]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace(path, json.dumps(record, indent=1) + "\n")
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    parser.add_argument("--xml-path", required=True)
    parser.add_argument("--pending")
    parser.add_argument("--record")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()

    secret, _, xml = sys.stdin.read().partition("\n")
    wanted = None
    if xml.startswith("{"):
        line, _, xml = xml.partition("\n")
        wanted = json.loads(line)
    if not re.fullmatch(r"[A-Za-z0-9]{16,}", secret):
        raise Mistake("the shared secret in the first line must be 16 or more letters and digits: what else there is breaks bbb-conf")
    try:
        ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise Mistake(f"turn-stun-servers.xml is not well-formed (line {error.position[0]})") from None
    writer = Writer(options.root, options.pending, options.dry_run)
    owned = Owned(options.root, wanted, read_record(options.record))
    try:
        ending = write_all(writer, wiring(writer, options.xml_path, secret, xml), owned, options.record)
    except Unreadable as error:
        raise Mistake(str(error)) from None
    close_copies(writer)
    if options.dry_run:
        print("\n".join(dict.fromkeys(ending)))


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
