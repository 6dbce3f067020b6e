"""Recordings of a BigBlueButton server as files: which there are, and how they come back from a backup.

An item is what belongs together: a recording in one of its formats, its captions, a marker of its state, or one of its
raw files. An item comes back whole or not at all.
"""

import contextlib
import os
import re

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
BASE = "/var/bigbluebutton"
# Folders of items, with the number of names below them that make an item.
PUBLISHED = {f"{BASE}/published": 2, f"{BASE}/unpublished": 2, f"{BASE}/captions": 1, f"{BASE}/events": 1, f"{BASE}/recording/status": 2}
RAW = {f"{BASE}/recording/raw": 1, "/var/lib/bbb-webrtc-recorder": 1, "/var/freeswitch/meetings": 1, "/var/mediasoup": 2}
FORMATS = (f"{BASE}/published", f"{BASE}/unpublished")
# A recording may have come to another of these since, or was deleted there by somebody.
STATES = ("published", "unpublished", "deleted")


def below(path):
    return f"{ROOT}{path}"


def folders(raw):
    """Returns the folders of recordings that this server has."""
    return [folder for folder in (*PUBLISHED, *(RAW if raw else ())) if os.path.isdir(below(folder))]


def depth_of(path):
    """Returns (folder, depth) of the folder that a path belongs to, or None."""
    known = {**PUBLISHED, **RAW}
    return next(((folder, depth) for folder, depth in known.items() if path.startswith(f"{folder}/")), None)


def item_of(path):
    """Returns the item to which a path belongs; None for what is none, as a folder around items."""
    found = depth_of(path)
    if found is None:
        return None
    folder, depth = found
    names = path[len(folder) + 1 :].split("/")
    return "/".join([folder, *names[:depth]]) if len(names) >= depth and all(names[:depth]) else None


def is_here(item):
    """True for an item that this server has, in whichever state its recording is now."""
    found = re.match(rf"{BASE}/(published|unpublished)/(.+)$", item)
    if found is None:
        return os.path.lexists(below(item))
    return any(os.path.lexists(below(f"{BASE}/{state}/{found[2]}")) for state in STATES)


def counts():
    """Returns the number of recordings by their format, e.g. {"presentation": 12}."""
    found: dict = {}
    for folder in FORMATS:
        for form in sorted(os.listdir(below(folder))) if os.path.isdir(below(folder)) else []:
            inner = below(f"{folder}/{form}")
            number = len([name for name in os.listdir(inner) if os.path.isdir(os.path.join(inner, name))]) if os.path.isdir(inner) else 0
            if number:
                found[form] = found.get(form, 0) + number
    return found


def files():
    """Returns the files of the recordings, but for their metadata.xml, in which a restore writes another server's name."""
    found = []
    for folder in FORMATS:
        for directory, _, names in os.walk(below(folder)):
            found += [os.path.join(directory, name)[len(ROOT) :] for name in names if name != "metadata.xml"]
    return [path for path in found if path.count("/") > 5]


def sizes():
    """Returns the bytes of `files` by their format, e.g. {"presentation": 120000}."""
    found: dict = {}
    for path in files():
        form = path.split("/")[4]
        with contextlib.suppress(OSError):
            found[form] = found.get(form, 0) + os.lstat(below(path)).st_size
    return found


def counts_of(items):
    """Returns the number of recordings by their format among some items."""
    found: dict = {}
    for item in items:
        match = re.match(rf"{BASE}/(?:published|unpublished)/([^/]+)/[^/]+$", item)
        if match:
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def total(found):
    return sum(found.values())


def told(found):
    """Returns counts in words, e.g. "12 presentation, 3 video"."""
    return ", ".join(f"{number} {form}" for form, number in sorted(found.items())) or "none"


def with_name(text, old, new):
    """Returns the text of a metadata.xml whose links lead to another server."""
    return re.sub(rf"(https?://){re.escape(old)}(?=[/:<\"])", rf"\g<1>{new}", text)
