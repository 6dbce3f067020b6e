"""Looks through a server's whole disk for what an image must not have: known secrets, names, addresses, private keys.

What it finds is told by the file and by the kind of the thing, never by its value.
"""

import hashlib
import itertools
import os
import re
import stat

SKIPPED = ["proc", "sys", "dev", "run", "lost+found"]
"""Folders that no image has the content of."""

DATABASES = ["var/lib/postgresql", "var/lib/redis", "var/lib/mongodb", "var/lib/docker"]
"""Folders where names and addresses may be left in pages that a database does not use any more. No secret may."""

BLOCK = 1 << 20
OVERLAP = 4096
PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\r?\n[A-Za-z0-9+/=\r\n]{40}")


def whole(value):
    """Returns an expression for a name or an address that is no part of another one."""
    return r"(?<![0-9A-Za-z.-])" + re.escape(value) + r"(?![0-9A-Za-z-]|\.[0-9A-Za-z])"


class Canary:
    """Text to look for: a secret anywhere, a name or an address as a whole and outside of databases."""

    def __init__(self, kind, value, secret=True):
        self.kind, self.value, self.secret = kind, value.encode(), secret
        self.whole = re.compile(whole(value).encode())

    def is_in(self, block):
        # A plain search is many times faster than an expression, and a disk has gigabytes.
        return self.value in block and (self.secret or bool(self.whole.search(block)))


class PrivateKey:
    """Private key in PEM form, whosever it is."""

    kind, secret = "a private key", True

    def is_in(self, block):
        return b"PRIVATE KEY-----" in block and bool(PRIVATE_KEY.search(block))


def files(root):
    """Yields (name, path) of the regular files on the root's own file system.

    Folders alone tell which one that is: where it lies over others, as in containers, its files have the numbers of those.
    """
    device = os.lstat(root).st_dev
    for directory, names, found in os.walk(root):
        inside = os.path.relpath(directory, root)
        names[:] = [name for name in names if os.path.normpath(os.path.join(inside, name)) not in SKIPPED and os.lstat(os.path.join(directory, name)).st_dev == device]
        for name in found:
            path = os.path.join(directory, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield os.path.normpath(os.path.join(inside, name)), path


def blocks(path):
    """Yields a file's content in blocks, each with the end of the one before it."""
    with open(path, "rb") as file:
        end = b""
        for block in iter(lambda: file.read(BLOCK), b""):
            yield end + block
            end = block[-OVERLAP:]


def packaged(root):
    """Returns {name: MD5} of the files that packages brought."""
    known: dict = {}
    info = os.path.join(root, "var/lib/dpkg/info")
    for package in os.listdir(info) if os.path.isdir(info) else []:
        if package.endswith(".md5sums"):
            with open(os.path.join(info, package), encoding="utf-8", errors="surrogateescape") as file:
                rows = (line.rstrip("\n").partition("  ") for line in file)
                known.update((name, md5) for md5, _, name in rows if name)
    return known


def is_as_packaged(name, path, known):
    """Returns True for a file that is as its package brought it: certbot has a dozen of keys for its tests."""
    # The database has the paths from before /usr was merged.
    wanted = known.get(name) or (known.get(name[len("usr/") :]) if name.startswith("usr/") else None)
    if wanted is None:
        return False
    found = hashlib.md5()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            found.update(block)
    return found.hexdigest() == wanted


def kinds_in(texts, canaries):
    return {canary.kind for text in texts for canary in canaries if canary.is_in(text)}


def audit(root, canaries):
    """Yields "FILE: what it has", one a file and kind. A file's name counts as well as its content."""
    known = packaged(root)
    everywhere = [PrivateKey(), *canaries]
    secrets = [canary for canary in everywhere if canary.secret]
    for name, path in files(root):
        in_database = any(name.startswith(f"{folder}/") for folder in DATABASES)
        found = kinds_in(itertools.chain([os.fsencode(name)], blocks(path)), secrets if in_database else everywhere)
        if found and not is_as_packaged(name, path, known):
            yield from (f"/{name} has {kind}" for kind in sorted(found))
