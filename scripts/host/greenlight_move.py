#!/usr/bin/python3
"""Copies Greenlight's directory between the server's own disk and the recordings volume, whole or not at all.

    greenlight_move.py has DIRECTORY             exit code 0 if there is anything in it
    greenlight_move.py room FROM TO              fails where a copy would not fit beside TO
    greenlight_move.py copy FROM TO              TO must be missing or empty; with --over what is there is removed

The directory has everything that Greenlight is: docker-compose.yml with the password of its database, .env, the database,
and uploads. Its containers must be stopped. A copy has another name until each of its files was read again and found to
be the same: content, owner, mode, links. Exit code 1 with a line that says what is wrong, and what to do.
"""

import argparse
import os
import shutil
import stat
import subprocess
import sys

import whole_files

# For what grows while it is copied elsewhere.
SPARE = 20_000_000


class Mistake(Exception):
    """Message to the operator."""


def has(directory):
    return os.path.isdir(directory) and any(os.scandir(directory))


def entry_of(path):
    """Returns what a copy of a file or directory must have, too."""
    found = os.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFREG:
        what = whole_files.digest(path)
    elif kind == stat.S_IFLNK:
        what = os.readlink(path)
    else:
        what = ""
    # The modes of links mean nothing.
    return kind, found.st_uid, found.st_gid, 0 if kind == stat.S_IFLNK else stat.S_IMODE(found.st_mode), what


def tree_of(directory):
    """Returns {path below it: its entry}; sockets are nobody's data."""
    found = {".": entry_of(directory)}
    for base, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = os.path.join(base, name)
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                found[os.path.relpath(path, directory)] = entry_of(path)
    return found


def bytes_of(directory):
    return sum(os.lstat(os.path.join(base, name)).st_blocks * 512 for base, _, files in os.walk(directory) for name in files)


def existing(path):
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def check_room(source, target):
    need, free = int(bytes_of(source) * 1.1) + SPARE, shutil.disk_usage(existing(target)).free
    if need > free:
        raise Mistake(f"{source} needs {need / 1e6:.0f} MB at {os.path.dirname(target)}, where {free / 1e6:.0f} MB are free: make room there, then run pulumi up again")


def copy(source, target, over=False):
    if has(target) and not over:
        raise Mistake(f"{target} has data already")
    check_room(source, target)
    parent, new = os.path.dirname(target), f"{target}.bbb-deploy-new"
    if not os.path.isdir(parent):
        # Greenlight's secrets are root's: /root is closed, and so is its like on the volume.
        os.makedirs(parent, mode=0o700)
    for leftover in [new, *([target] if over else [])]:
        if os.path.exists(leftover):
            shutil.rmtree(leftover)
    done = subprocess.run(["cp", "-a", "--", source, new], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Mistake(f"{source} could not be copied, and stays: {(done.stdout.strip().splitlines() or ['cp said nothing'])[-1]}")
    subprocess.run(["sync", "-f", new], check=False, stdin=subprocess.DEVNULL)
    before, after = tree_of(source), tree_of(new)
    if before != after:
        changed = sorted(path for path in {**before, **after} if before.get(path) != after.get(path))
        raise Mistake(f"{source} changed while it was copied, and stays: {len(changed)} of its files, {changed[0]} among them. Is something at work there? docker ps, fuser -v {source}")
    if os.path.isdir(target):
        os.rmdir(target)
    os.rename(new, target)
    subprocess.run(["sync", "-f", parent], check=False, stdin=subprocess.DEVNULL)
    return len(before)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["has", "room", "copy"])
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--over", action="store_true")
    options = parser.parse_args()
    source, target = options.directories[0], options.directories[-1]
    if options.action == "has":
        return 0 if has(source) else 1
    if options.action == "room":
        check_room(source, target)
    else:
        print(f"{copy(source, target, over=options.over)} files and folders copied, and compared")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        sys.exit(str(mistake))
