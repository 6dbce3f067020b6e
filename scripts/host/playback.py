#!/usr/bin/python3
"""Address in the links of recordings: `playback_host` and `playback_protocol` of bigbluebutton.yml.

    playback.py --hostname NAME [--root DIRECTORY] [--pending FILE]

Sets both. An upgrade of bbb-record-core without the installer writes the server's address there, and http. Before a
change it adds the services to be restarted to FILE. Standard output: the file, if it was written.
"""

import argparse
import os
import re

from checks import Doubtful
from whole_files import Writer, read

FILE = "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml"
SERVICE = "bbb-rap-resque-worker"
UNITS = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"]


def wanted(hostname):
    return {"playback_host": hostname, "playback_protocol": "https"}


def value(text, key):
    found = re.search(rf"^{key}:[ \t]*[\"']?([^\"'\s#]*)", text, re.MULTILINE)
    return found[1] if found else None


def with_value(text, key, new):
    line = re.compile(rf"^{key}:.*$", re.MULTILINE)
    if line.search(text):
        return line.sub(f"{key}: {new}", text)
    return text + ("" if text.endswith("\n") or not text else "\n") + f"{key}: {new}\n"


def check_playback(root, hostname):
    """Checks the links of new recordings. @raise Doubtful for other ones"""
    path = os.path.join(root, FILE)
    if not os.path.exists(path):
        return "this release records nothing by itself"
    text = read(path)
    wrong = {key: value(text, key) for key, right in wanted(hostname).items() if value(text, key) != right}
    if not wrong:
        return f"https://{hostname}"
    told = ", ".join(f"{key} is {found or 'not set'}" for key, found in wrong.items())
    values = " ".join(f"-e 's/^{key}:.*/{key}: {right}/'" for key, right in wanted(hostname).items())
    raise Doubtful(
        f"{told}: links of new recordings lead nowhere; an upgrade of packages set it back",
        f"sed -i {values} /{FILE}; systemctl restart {SERVICE}",
    )


def has_service(root):
    """True when there is a service to restart: releases before 2.3 start their workers anew for each recording."""
    return any(os.path.exists(os.path.join(root, folder, f"{SERVICE}.service")) for folder in UNITS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--root", default="/")
    parser.add_argument("--pending")
    options = parser.parse_args()
    path = os.path.join(options.root, FILE)
    if not os.path.exists(path):
        return
    text = before = read(path)
    for key, right in wanted(options.hostname).items():
        if value(before, key) != right:
            text = with_value(text, key, right)
    Writer(options.root, options.pending if has_service(options.root) else None).put(FILE, text, SERVICE)


if __name__ == "__main__":
    main()
