#!/usr/bin/python3
"""Takes away from a server what is its own, so that its disk can become an image, and proves that nothing is left.

    image_seal.py --role bbb|turn --release NAME --scripts HASH --built SECONDS [--root DIRECTORY] <CANARIES

Standard input: JSON, {"secrets": {KIND: VALUE}, "names": {KIND: VALUE}}: what the image must not have, beside what this
finds on the server itself. seal.sh has stopped all services before. Standard output: what is left, one a line, or
nothing; with exit code 1 the disk must not become an image. etc/bbb-deploy/image.json is written last, and only where
nothing is left.
"""

import argparse
import glob
import json
import os
import re
import shutil
import stat
import sys

import image_secrets
from checks import output
from image_audit import Canary, audit, packaged, whole
from personalise import IMAGE, PLACEHOLDER, SNAKEOIL
from whole_files import read, read_json, replace

SWITCHED_OFF = "etc/bbb-deploy/sealing.json"
LOOPBACK = {4: "127.0.0.1", 6: "::1"}

# Files and folders of one server, as patterns.
OWN = [
    # certificates, their keys, accounts and trust
    *(f"etc/letsencrypt/{name}" for name in ("live", "archive", "renewal", "accounts", "keys", "csr", "bbb-deploy-leftovers", "renewal-hooks/*/bbb-deploy*")),
    *("local/certs", "var/lib/letsencrypt"),
    "usr/local/share/ca-certificates/bbb-deploy-*",
    SNAKEOIL,
    "etc/ssl/certs/ssl-cert-snakeoil.pem",
    f"{image_secrets.FREESWITCH_KEYS}/*.pem",
    # TURN, addresses behind a translation, another server's address for the media
    *("etc/turnserver.conf", "etc/turnserver", "var/lib/turn/turndb*", "etc/haproxy/certbundle.pem", "etc/bigbluebutton/turn-stun-servers.xml"),
    *("etc/bbb-deploy/relay-*.nft", "etc/systemd/system/bbb-deploy-relay-*.service", "etc/systemd/system/*/bbb-deploy-relay-*.service"),
    *("etc/systemd/system/bbb-deploy-turn-secret.*", "etc/systemd/system/*/bbb-deploy-turn-secret.*"),
    *("lib/systemd/system/dummy-nic.service", "usr/lib/systemd/system/dummy-nic.service", "etc/systemd/system/*/dummy-nic.service"),
    *("etc/systemd/system/dummy-nic.service.d", "etc/systemd/system/freeswitch.service.d/50-bbb-deploy-addresses.conf"),
    image_secrets.SFU,
    # the machine
    *("etc/ssh/ssh_host_*", "etc/docker/key.json", "var/lib/docker/engine-id", "etc/netplan/50-cloud-init.yaml"),
    *("etc/cloud/cloud.cfg.d/99-bbb-deploy.cfg", "var/lib/cloud", "var/lib/dhcp/*", "var/log/journal/*", "var/lib/systemd/random-seed", "var/lib/systemd/credential.secret"),
    "swapfile",
    *(f"{home}/{name}" for home in ("root", "home/*") for name in (".ssh", ".bash_history", ".cache", ".lesshst", ".viminfo", ".wget-hsts", "greenlight-v3")),
    # the deployment
    *("var/lib/bbb-deploy", "usr/local/lib/bbb-deploy/authorized_keys", "etc/systemd/system/*/bbb-deploy@*", "etc/systemd/system/certbot.service.d/50-bbb-deploy.conf"),
]

# Folders that stay, with what packages brought; all other files in them go.
EMPTIED = """tmp var/tmp var/log var/mail var/spool/mail var/crash var/lib/apt/lists var/cache/apt var/lib/redis
  var/bigbluebutton var/freeswitch/meetings var/mediasoup var/lib/bbb-webrtc-recorder
  opt/freeswitch/var/log opt/freeswitch/var/lib/freeswitch/db""".split()

# Folders whose files have the server's name and addresses, which the installer writes anew.
NAMED = """etc/bigbluebutton etc/nginx etc/default opt/freeswitch/etc/freeswitch usr/share/bbb-* usr/share/bigbluebutton
  usr/local/bigbluebutton/*/config usr/local/bigbluebutton/core/scripts usr/share/meteor/bundle/programs/server/assets/app/config""".split()
LARGEST = 1 << 20

# What nginx serves until a copy is installed, were it started.
SITE = f"# Placeholder of an image.\nserver {{\n  listen 127.0.0.1:80;\n  server_name {PLACEHOLDER};\n  return 503;\n}}\n"

# Services that are off in an image: nobody is to meet a server that is nobody's.
SERVICES = re.compile(
    r"(bigbluebutton\.target|(nginx|haproxy|coturn|freeswitch|etherpad|mongod|redis-server|livekit-\S+|bbb-(?!deploy)\S+)\.service)$"
)


def matches(root, patterns):
    """Returns the paths that there are. Where a folder leads to another, what is there is found under its own name."""
    return [path for pattern in patterns for path in sorted(glob.glob(os.path.join(root, pattern)))]


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def empty(root, folder, known):
    """Removes the files of a folder that no package brought, and the folders of meetings."""
    for directory, names, found in os.walk(os.path.join(root, folder), topdown=False):
        inside = os.path.relpath(directory, root)
        for name in found:
            if os.path.join(inside, name) not in known:
                os.unlink(os.path.join(directory, name))
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                os.unlink(path)
            elif re.search(r"[0-9a-f]{40}-\d{13}", name) and not os.listdir(path):
                os.rmdir(path)


def own_names(root):
    """Returns the canaries that the server has itself: its host name, its addresses, its keys and its secrets."""
    for name, values in image_secrets.present(root).items():
        for value in values:
            if len(value) >= image_secrets.SHORTEST:
                yield Canary(f"the secret {name}", value)
    for path in matches(root, ["etc/ssh/ssh_host_*_key", "root/.ssh/id_*"]):
        # The first line of a key in OpenSSH's form is the same for all.
        for line in read(path).splitlines()[2:]:
            if re.match(r"[A-Za-z0-9+/=]{40,}$", line):
                yield Canary("an SSH key of the builder", line)
    for path in matches(root, ["etc/machine-id"]):
        if read(path).strip():
            yield Canary("the builder's machine-id", read(path).strip())


def addresses():
    """Returns {address: family} of the interfaces."""
    told = re.findall(r"\binet(6?) ([0-9a-f.:]+)/\d+.* scope global", output("ip", "-o", "address", "show"))
    return {address: 6 if six else 4 for six, address in told}


def renamed(text, names, found):
    """Returns a text with the placeholder for each name, and the loopback address for each address."""
    for value in sorted([*names, *found], key=len, reverse=True):
        text = re.sub(whole(value), LOOPBACK[found[value]] if value in found else PLACEHOLDER, text)
    return text


def rename(root, names, found):
    """Puts placeholders in the place of the server's names and addresses, where BigBlueButton keeps them."""
    for top in matches(root, NAMED):
        for directory, _, files in os.walk(top):
            for name in files:
                rename_in(os.path.join(directory, name), names, found)


def rename_in(path, names, found):
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        return
    text = read(path)
    image_secrets.rewrite(path, text, renamed(text, names, found))


def without_lines(root, name, pattern):
    path = os.path.join(root, name)
    if os.path.exists(path):
        text = read(path)
        image_secrets.rewrite(path, text, re.sub(pattern, "", text, flags=re.MULTILINE))


def write(root, name, text):
    path = os.path.join(root, name)
    if os.path.exists(path):
        image_secrets.rewrite(path, read(path), text)


def switch_off(root):
    """Switches the services of BigBlueButton and TURN off, and returns those that started by themselves, before a run that was
    cut off as well.
    """
    path = os.path.join(root, SWITCHED_OFF)
    listed = output("systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--plain")
    units = [line.split()[0] for line in listed.splitlines() if line.strip()]
    services = list(dict.fromkeys([*(read_json(path) or []), *filter(SERVICES.match, units)]))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    replace(path, json.dumps(services))
    for service in services:
        output("systemctl", "disable", "--quiet", service)
    return services


def take_away(root, names, found):
    image_secrets.seal(root)
    rename(root, names, found)
    for path in matches(root, OWN):
        if os.path.lexists(path):
            remove(path)
    known = packaged(root)
    for folder in EMPTIED:
        empty(root, folder, known)
    for name in ("etc/hosts", "etc/cloud/templates/hosts.debian.tmpl"):
        without_lines(root, name, r".*# bbb-deploy\n")
    without_lines(root, "etc/fstab", r"^/swapfile .*\n")
    write(root, "etc/nginx/sites-available/bigbluebutton", SITE)
    write(root, "etc/hostname", "localhost\n")
    for path in matches(root, ["var/lib/dbus/machine-id"]):
        if not os.path.islink(path):
            os.unlink(path)
    # Empty: one that is missing would make systemd take its presets for the services.
    write(root, "etc/machine-id", "")


def left(root, canaries):
    """Yields what must not be in an image and is: known things anywhere, and the files of one server."""
    yield from audit(root, canaries)
    for path in matches(root, OWN):
        yield f"/{os.path.relpath(path, root)} is still there"
    for name, values in image_secrets.present(root).items():
        if any(len(value) >= image_secrets.SHORTEST for value in values):
            yield f"the secret {name} is still in BigBlueButton's files"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    parser.add_argument("--role", required=True, choices=["bbb", "turn"])
    parser.add_argument("--release", required=True)
    parser.add_argument("--scripts", required=True)
    parser.add_argument("--built", required=True, type=int)
    options = parser.parse_args()
    given = json.load(sys.stdin)
    root, found = options.root, addresses()
    names = {kind: value for kind, value in given.get("names", {}).items() if value}
    found.update({value: 6 if ":" in value else 4 for value in names.values() if re.fullmatch(r"[0-9.]+|[0-9a-fA-F]*:[0-9a-fA-F:]+", value)})
    canaries = [
        *(Canary(kind, line) for kind, value in given.get("secrets", {}).items() for line in value.splitlines() if len(line) >= image_secrets.SHORTEST and not line.startswith("-----")),
        *(Canary(kind, value, secret=False) for kind, value in names.items()),
        *(Canary("an address of the builder", address, secret=False) for address in found),
        *own_names(root),
    ]
    services = switch_off(root)
    take_away(root, [value for value in names.values() if value not in found], found)
    # What is known twice is told once, by the operator's word for it.
    once = {canary.value: canary for canary in reversed(canaries)}
    findings = list(dict.fromkeys(left(root, list(once.values()))))
    if findings:
        print("\n".join(findings))
        return 1
    version = re.findall(r"^BIGBLUEBUTTON_RELEASE=(\S+)", read(os.path.join(root, "etc/bigbluebutton/bigbluebutton-release")), re.MULTILINE) if options.role == "bbb" else []
    image = {"role": options.role, "release": options.release, "bbb": version[0] if version else None, "scripts": options.scripts, "built": options.built, "services": services}
    replace(os.path.join(root, IMAGE), json.dumps(image, indent=1) + "\n", mode=0o644)
    os.unlink(os.path.join(root, SWITCHED_OFF))
    return 0


if __name__ == "__main__":
    sys.exit(main())
