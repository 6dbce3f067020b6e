#!/usr/bin/python3
"""Deletes recordings of meetings that began too many days ago, with their raw files.

    remove_recordings.py --days N [--root DIRECTORY] [--dry-run]

A recording's id ends in the time at which its meeting began, in milliseconds since 1970; times of files don't count,
as a copy or a rebuild changes them. Only what is published or unpublished goes: what is still processed stays. Each
one goes to the log of its own, by its whole id, since bbb-record deletes all that begin with what it is given.
"""

import argparse
import os
import re
import subprocess
import sys
import time

PLACES = ["var/bigbluebutton/published", "var/bigbluebutton/unpublished"]
LOG = "var/log/bigbluebutton/bbb-recording-cleanup.log"
ID = re.compile(r"[0-9a-f]{40}-([0-9]{13})")


def recordings(root):
    """Returns {id: milliseconds since 1970} of all recordings, whatever their formats."""
    found = {}
    for place in PLACES:
        base = os.path.join(root, place)
        for kind in sorted(os.listdir(base)) if os.path.isdir(base) else []:
            directory = os.path.join(base, kind)
            for name in os.listdir(directory) if os.path.isdir(directory) else []:
                match = ID.fullmatch(name)
                if match:
                    found[name] = int(match[1])
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--root", default="/")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    if options.days < 1:
        parser.error("--days is 1 or more")
    end = (time.time() - options.days * 86400) * 1000
    old = sorted((began, name) for name, began in recordings(options.root).items() if began < end)
    failed = 0
    for began, name in old:
        day = time.strftime("%Y-%m-%d", time.gmtime(began / 1000))
        if options.dry_run:
            print(f"{name}, of {day}, would be deleted")
            continue
        done = subprocess.run(["bbb-record", "--delete", name], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        told = f"{name}, of {day}, deleted" if done.returncode == 0 else f"{name}, of {day}, could not be deleted: {done.stdout.strip()} {done.stderr.strip()}"
        failed += done.returncode != 0
        path = os.path.join(options.root, LOG)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}  {told}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
