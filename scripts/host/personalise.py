#!/usr/bin/python3
"""Gives a copy of an image what is its own, before anything of BigBlueButton or TURN starts there.

    personalise.py --hostname NAME [--root DIRECTORY]

Makes the secrets whose places seal.sh has marked, and switches on again the services that it has switched off. Puts the name
where the installer looks whether BigBlueButton has it: else it would start all of it once for the name, and once more at its
end. It does so once on each copy, known by its machine-id: what tells that it is done is written last. An interrupted run goes on with the
secrets that it had made. Standard output: a line where it was done.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import image_secrets
from whole_files import Mistake, read, read_json, replace

IMAGE = "etc/bbb-deploy/image.json"
STATE = "var/lib/bbb-deploy"
DONE = f"{STATE}/personalised"
VALUES = f"{STATE}/personalising"
SNAKEOIL = "etc/ssl/private/ssl-cert-snakeoil.key"
PLACEHOLDER = "bbb-image.invalid"
RECORDINGS = "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml"


def instance(root):
    """Returns what tells this copy from all others. @raise Mistake where the system has not made it yet"""
    path = os.path.join(root, "etc/machine-id")
    found = read(path).strip() if os.path.exists(path) else ""
    if not found:
        raise Mistake("this host has no machine-id, which systemd makes when it starts: reboot it, then run pulumi up again")
    return found


def is_done(root):
    """Returns True where this copy has its own secrets already."""
    path = os.path.join(root, DONE)
    return os.path.exists(path) and read(path).strip() == instance(root)


def values_of(root):
    """Returns the new secrets; those of an interrupted run, if there was one on this copy."""
    path = os.path.join(root, VALUES)
    known = read_json(path) or {}
    if known.get("instance") != instance(root):
        known = {"instance": instance(root), "values": image_secrets.new_values()}
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace(path, json.dumps(known))
    return known["values"]


def command(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Mistake(f"{' '.join(words)} ended with {done.returncode}: {done.stdout.decode(errors='replace').strip()[-300:]}")


def take_name(root, hostname):
    path = os.path.join(root, RECORDINGS)
    if os.path.exists(path):
        text = read(path)
        image_secrets.rewrite(path, text, text.replace(PLACEHOLDER, hostname))


def personalise(root, image, hostname):
    image_secrets.personalise(root, values_of(root))
    take_name(root, hostname)
    if not os.path.exists(os.path.join(root, SNAKEOIL)) and shutil.which("make-ssl-cert"):
        # PostgreSQL's, which does not start without.
        command("make-ssl-cert", "generate-default-snakeoil", "--force-overwrite")
    if image["services"]:
        command("systemctl", "enable", "--quiet", *image["services"])
    replace(os.path.join(root, DONE), f"{instance(root)}\n", mode=0o644)
    os.unlink(os.path.join(root, VALUES))


def told(image):
    what = f"BigBlueButton {image['bbb']}" if image.get("bbb") else "coturn"
    return f"this host is a copy of an image with {what}, made on {time.strftime('%F', time.gmtime(image['built']))}: it has secrets of its own now"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    parser.add_argument("--hostname", required=True)
    options = parser.parse_args()
    root = options.root
    image = read_json(os.path.join(root, IMAGE))
    if image is None:
        raise Mistake(f"/{IMAGE} can't be read: make the image anew (scripts/image bake), and let another server take this one's place")
    if not is_done(root):
        personalise(root, image, options.hostname)
        print(told(image))


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
