#!/usr/bin/python3
"""Recordings of a BigBlueButton server of a pool: which its balancer does not have yet, and how it gets them.

    node_recordings.py prune      deletes those that the balancer has, after the days that the settings keep them here

Whether a recording has arrived, the balancer says: only then may anything here go. node_state.py answers its questions.

Python 3.8 or newer, standard library only.
"""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
BASE = f"{ROOT}/var/bigbluebutton"
PUBLISHED, STATUS = f"{BASE}/published", f"{BASE}/recording/status"
# Written by who answers the balancer, which may write nowhere else.
ARRIVED = f"{ROOT}/var/lib/bbb-deploy-node/arrived"
# {"formats", "rawDays", "publishedDays"} of the settings; its time is that of their last change.
SETTINGS = f"{ROOT}/etc/bbb-deploy/node-recordings.json"
ID = re.compile(r"[0-9a-f]{40}-\d{13}")
FORMAT = re.compile(r"[a-z0-9_]+")
# Steps of a recording between the end of its meeting and its last format.
UNDER_WAY = ("ended", "recorded", "archived", "sanity", "captions", "processed")
# Name by which the balancer tries the way, without a recording.
PROBE = "probe"
BLOCK = 1 << 20


def settings():
    try:
        with open(SETTINGS, encoding="utf-8") as file:
            return {**json.load(file), "since": os.fstat(file.fileno()).st_mtime}
    except FileNotFoundError:
        return {"formats": [], "since": 0.0}


# --- what is here --------------------------------------------------------------------------------------------------


def markers(folder, ending):
    """Returns {(recording, format): time} of markers such as ID.done, without a format, or ID-presentation.done."""
    path, found = os.path.join(STATUS, folder), {}
    for name in os.listdir(path) if os.path.isdir(path) else []:
        if not name.endswith(ending):
            continue
        match = re.match(r"([0-9a-f]{40}-\d+)(?:-([a-z0-9_]+))?\.", name)
        try:
            found[(match[1], match[2] or "") if match else (name.split(".")[0], "")] = os.stat(os.path.join(path, name)).st_mtime_ns
        except FileNotFoundError:
            continue
    return found


def unprocessed():
    """Returns the recordings of which a format is to come yet, and whose processing did not fail for good.

    One that was archived before the settings had its formats is done with the first.
    """
    wanted = settings()
    published = set(markers("published", ".done"))
    failed = {key for folder in ("archived", "sanity", "processed", "published") for key in markers(folder, ".fail")}
    unwanted = {recording for recording, _ in markers("archived", ".norecord")}
    under_way: dict = {}
    for folder in UNDER_WAY:
        for (recording, _), at in markers(folder, ".done").items():
            under_way[recording] = max(at, under_way.get(recording, 0))

    def is_done(recording, at):
        ended = {form for one, form in set(published) | failed if one == recording}
        expected = set(wanted["formats"]) if at / 1e9 >= wanted["since"] else set()
        return "" in ended or (bool(ended) and expected <= ended)

    return sorted(one for one, at in under_way.items() if one not in unwanted and not is_done(one, at))


def published():
    """Returns {recording: {format: version}} of what is published here. A format that is made anew has another version."""
    found: dict = {}
    for (recording, form), at in markers("published", ".done").items():
        if form and ID.fullmatch(recording) and os.path.exists(os.path.join(PUBLISHED, form, recording, "metadata.xml")):
            found.setdefault(recording, {})[form] = str(at)
    return found


def arrived(recording):
    try:
        with open(os.path.join(ARRIVED, recording), encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        return {}


def waiting():
    """Returns {recording: {format: version}} of what the balancer does not have."""
    found = {}
    for recording, formats in published().items():
        known = arrived(recording)
        new = {form: version for form, version in formats.items() if known.get(form) != version}
        if new:
            found[recording] = new
    return found


def oldest(found):
    """Returns the time of the first of the versions."""
    return min((int(version) / 1e9 for formats in found.values() for version in formats.values()), default=None)


# --- on its way ----------------------------------------------------------------------------------------------------


class Frames:
    """Stream in pieces, each with its length before it; a last one without length, and the sum. What is cut off lacks these."""

    def __init__(self, out):
        self.out, self.sum = out, hashlib.sha256()

    def write(self, piece):
        self.sum.update(piece)
        self.out.write(len(piece).to_bytes(4, "big") + piece)
        return len(piece)

    def end(self):
        self.out.write(bytes(4) + self.sum.digest())


def unframed(stream):
    """Yields the pieces of a stream. @raises ValueError for one that is cut off or damaged"""
    total = hashlib.sha256()

    def exactly(size):
        found = b""
        while len(found) < size:
            more = stream.read(size - len(found))
            if not more:
                raise ValueError("it was cut off")
            found += more
        return found

    while True:
        size = int.from_bytes(exactly(4), "big")
        if size == 0:
            break
        if size > BLOCK:
            raise ValueError("it is no recording")
        piece = exactly(size)
        total.update(piece)
        yield piece
    if exactly(32) != total.digest():
        raise ValueError("its sum is another")


def size_of(recording, formats, base=None):
    paths = (os.path.join(base or PUBLISHED, form, recording) for form in formats)
    return sum(os.lstat(os.path.join(folder, name)).st_size for path in paths for folder, _, names in os.walk(path) for name in names)


def as_hidden(text):
    """Returns the metadata of a recording as one that is not published."""
    return text.replace(b"<published>true</published>", b"<published>false</published>").replace(b"<state>published</state>", b"<state>unpublished</state>")


def send(recording, formats, out, hidden=False):
    """Writes formats of a recording as a tar in frames."""
    frames = Frames(out)
    tar(recording, formats, frames, hidden)
    frames.end()


def tar(recording, formats, out, hidden=False, base=None):
    """Writes formats of a recording as a tar, as Scalelite's importer wants it. `base`: the folder that has them."""
    with tarfile.open(fileobj=out, mode="w|", bufsize=BLOCK, format=tarfile.PAX_FORMAT) as archive:
        for form in formats:
            add(archive, os.path.join(base or PUBLISHED, form, recording), f"{form}/{recording}", hidden)


def add(archive, folder, name, hidden):
    def open_to_all(member):
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return None if hidden and member.name == metadata else member

    metadata = f"{name}/metadata.xml"
    archive.add(folder, name, filter=open_to_all)
    if hidden:
        with open(os.path.join(folder, "metadata.xml"), "rb") as file:
            text = as_hidden(file.read())
        member = tarfile.TarInfo(metadata)
        member.size, member.mtime = len(text), int(time.time())
        archive.addfile(member, io.BytesIO(text))


def mark(recording, formats):
    """Notes that the balancer has these versions."""
    os.makedirs(ARRIVED, exist_ok=True)
    new = os.path.join(ARRIVED, f".{recording}")
    with open(new, "w", encoding="utf-8") as file:
        json.dump({**arrived(recording), **formats}, file)
    os.replace(new, os.path.join(ARRIVED, recording))


# --- afterwards ----------------------------------------------------------------------------------------------------


def prune():
    """Deletes what has arrived, with its raw files, once its days are over. Returns 1 where something could not be."""
    wanted, failed, now = settings(), 0, time.time()
    kept = {*unprocessed(), *waiting()}
    for recording in sorted(os.listdir(ARRIVED)) if os.path.isdir(ARRIVED) else []:
        if not ID.fullmatch(recording) or recording in kept:
            continue
        began, came = int(recording.split("-")[1]) / 1000, os.stat(os.path.join(ARRIVED, recording)).st_mtime
        over = wanted.get("publishedDays") and now - began > wanted["publishedDays"] * 86400
        if not over and now - came < (wanted.get("rawDays") or 14) * 86400:
            continue
        done = subprocess.run(["bbb-record", "--delete", recording], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 0:
            os.unlink(os.path.join(ARRIVED, recording))
            print(f"{recording} deleted: the balancer has it")
        else:
            print(f"{recording} could not be deleted: {done.stdout.strip()} {done.stderr.strip()}")
            failed = 1
    return failed


if __name__ == "__main__":
    if sys.argv[1:] != ["prune"]:
        sys.exit(__doc__)
    sys.exit(prune())
