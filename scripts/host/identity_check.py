#!/usr/bin/python3
"""Checks that a copy of an image is a server of its own.

    identity_check.py [--root DIRECTORY]

Standard output: JSON, {thing: digest} of what no two servers may share; of no value can anything be told by it.
"""

import argparse
import glob
import hashlib
import json
import os
import sys

import image_secrets
import personalise
from checks import Doubtful, Wrong, worst
from whole_files import Mistake, read

NEW_COPY = "let another server take this one's place: pulumi up --replace with the server's URN (pulumi stack --show-urns)"
SHOWN = ["machine-id", "SSH key", "FreeSWITCH's password", "LiveKit's key", "LiveKit's secret", "Hasura's secret", "Etherpad's key", "FreeSWITCH's TLS key", "snakeoil key"]
NAMES = {"esl": SHOWN[2], "livekit-key": SHOWN[3], "livekit-secret": SHOWN[4], "hasura": SHOWN[5], "etherpad": SHOWN[6]}


def digest(text):
    return hashlib.sha256(f"identity of a host: {text}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


def identity(root):
    """Returns {thing: digest} of the things that this host has."""
    found = {}
    files = {"machine-id": ["etc/machine-id"], "SSH key": ["etc/ssh/ssh_host_*_key.pub"], "snakeoil key": [personalise.SNAKEOIL]}
    for thing, patterns in files.items():
        texts = [read(path) for pattern in patterns for path in sorted(glob.glob(os.path.join(root, pattern)))]
        if texts:
            found[thing] = digest("".join(texts).strip())
    for name, values in image_secrets.present(root).items():
        if name in NAMES:
            found[NAMES[name]] = digest("\n".join(values))
    keys = [read(path) for path in image_secrets.key_files(root)]
    if keys:
        found["FreeSWITCH's TLS key"] = digest("".join(keys))
    return {thing: found[thing] for thing in SHOWN if thing in found}


def is_copy(root):
    return os.path.exists(os.path.join(root, personalise.IMAGE))


def factory_password(root):
    """Returns the files with the event socket's factory password."""
    holders = [name for name, _ in image_secrets.SOURCES["esl"] if name != image_secrets.SFU_DEFAULT]
    return [name for name, text in image_secrets.texts(root, holders) if image_secrets.ESL_FACTORY in text]


def foreign_lineages(root, hostname):
    paths = glob.glob(os.path.join(root, "etc/letsencrypt/renewal/*.conf"))
    return sorted(name for name in (os.path.basename(path)[: -len(".conf")] for path in paths) if name != hostname)


def check_identity(root, hostname):
    """Checks a copy. @raise Wrong for what it shares with others"""
    findings: list = []
    try:
        done = personalise.is_done(root)
    except Mistake as mistake:
        raise Wrong(str(mistake)) from None
    if not done:
        findings.append(Wrong("it is a copy of an image, and has not got secrets of its own", "run pulumi up with a new value of the setting upgrade"))
    marked = image_secrets.marked(root)
    if done and marked:
        findings.append(Wrong(f"no secret of its own is in /{', /'.join(marked)}", NEW_COPY))
    factory = factory_password(root)
    if factory:
        findings.append(Wrong(f"FreeSWITCH's password is the factory's in /{', /'.join(factory)}", f"bbb-conf --setip {hostname}, when no meeting is running"))
    findings += foreign_address(root)
    others = foreign_lineages(root, hostname)
    if others:
        findings.append(Doubtful(f"it has a certificate of {', '.join(others)}", f"certbot delete --cert-name {others[0]}, unless that is this host's"))
    told = identity(root)
    return worst([*findings, ", ".join(f"{thing} {value}" for thing, value in told.items())])


def foreign_address(root):
    """Returns what is wrong with the address that FreeSWITCH takes for its own, as a list."""
    if not os.path.isdir(os.path.join(root, "opt/freeswitch")):
        return []
    import media_addresses  # needs python3-yaml, which a TURN host may lack

    files = media_addresses.Files(root)
    address = files.freeswitch and media_addresses.xml_value(files.text(f"{files.freeswitch}/vars.xml"), media_addresses.VARIABLE, "local_ip_v4")
    if not address or media_addresses.on_an_interface(address):
        return []
    return [Wrong(f"FreeSWITCH's local_ip_v4 is {address}, which is on none of this host's interfaces", "give the setting upgrade a new value, then pulumi up")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    print(json.dumps(identity(parser.parse_args().root)))


if __name__ == "__main__":
    sys.exit(main())
