"""Package sources and packages."""

import os
import re
import time

import requirements
from release import IS_4, RELEASE
from shell import Refusal, exists, run

SOURCE = "mirror.sandbox.test/bbb"
KEYRINGS = "/etc/apt/keyrings"
WEB = "/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
# The original prints its dot once a second.
DOT = 0.1

_lists: list = []


def need(*names):
    requirements.need_root()
    while exists("fuser") and run("fuser", "/var/lib/dpkg/lock", quiet=True) == 0:
        print("Sleeping for 1 second because of dpkg lock")
        time.sleep(1)
    if not _lists:
        run("apt-get", "update")
        _lists.append("fetched")
    if run("dpkg", "-s", *names, quiet=True) != 0:
        run("apt-get", "install", "-yq", *names, env={**os.environ, "LC_CTYPE": "C.UTF-8"})


def check_version(wish):
    """Checks the argument only: the Ubuntu release that it names is not compared with the host's."""
    if not re.search(RELEASE.match, wish.version):
        meant = f"{RELEASE.line} and is meant to be run on Ubuntu {RELEASE.ubuntu} ({RELEASE.codename}) server."
        raise Refusal(f"This script can only install BigBlueButton {meant}")
    distribution = f"bigbluebutton-{wish.version.split('-')[0]}"
    address = f"http://{wish.source}/{wish.version}"
    if run("wget", "-qS", "--spider", f"{address}/dists/{distribution}/Release.gpg", quiet=True) != 0:
        raise Refusal(f"Unable to locate packages for {wish.version} at {wish.source}.")
    requirements.need_root()
    with open("/etc/apt/sources.list.d/bigbluebutton.list", "w", encoding="utf-8") as file:
        file.write(f"deb [trusted=yes] {address} {distribution} main\n")


def add_sources(wish):
    """Adds sources of others, whose keys come from a key server: one that doesn't answer ends it. 4.0 needs none."""
    key = f"{KEYRINGS}/stand-in.asc"
    if IS_4 or os.path.exists(key):
        return
    os.makedirs(KEYRINGS, exist_ok=True)
    fetch = ["wget", "-q", "--timeout=5", "--tries=1", "-O", f"{KEYRINGS}/stand-in.new"]
    if run(*fetch, f"http://{wish.source}/keyserver/stand-in.asc") != 0:
        raise Refusal("Unable to setup PPA for stand-in: keyserver receive failed: No data")
    os.replace(f"{KEYRINGS}/stand-in.new", key)


def upgrade():
    answers = [word for answer in ("confdef", "confnew") for word in ("-o", f"Dpkg::Options::=--force-{answer}")]
    run("apt-get", "update")
    run("apt-get", "-y", *answers, "dist-upgrade")


def wait_for_web():
    """Waits for a package that failed to install, without an end."""
    while not os.path.isfile(WEB):
        time.sleep(DOT)
        print(".", end="", flush=True)

