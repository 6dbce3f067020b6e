"""Writes files whole or not at all, and first notes what must be restarted for them."""

import contextlib
import hashlib
import json
import os
import tempfile


class Mistake(Exception):
    """Message to the operator, without a secret in it."""


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def read_json(path):
    """Returns a document; None for a file that is not there, or was cut off."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def digest(path):
    """Returns the SHA-256 of a file's content, in hexadecimal digits; the file may be larger than the memory."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def replace(path, text, owner=None, mode=0o600):
    """Writes a file whole or not at all; by default for root alone. @raise OSError"""
    descriptor, new = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if owner:
            os.chown(new, *owner)
        os.chmod(new, mode)
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


class Writer:
    def __init__(self, root, pending, dry_run=False):
        self.root = root
        self.pending = pending
        self.dry_run = dry_run

    def path(self, name):
        return os.path.join(self.root, name)

    def exists(self, name):
        return os.path.exists(self.path(name))

    def owner(self, group):
        """Returns (uid, gid) of a new file."""
        if os.geteuid() != 0:
            return None
        try:
            import grp

            return 0, grp.getgrnam(group).gr_gid
        except KeyError:
            if self.root == "/":
                raise Mistake(f"there is no group {group}: BigBlueButton is not installed. Run pulumi up again") from None
            return 0, 0

    def put(self, name, text, restart, owner=None, mode=None):
        """Writes text to a file if that changes anything; before that, adds the things to restart to the list, if there
        is one.

        Owner and mode are the file's own unless given.
        """
        path = self.path(name)
        before = read(path) if os.path.exists(path) else None
        if before is not None:
            found = os.stat(path)
            kept = (found.st_uid, found.st_gid), found.st_mode & 0o7777
            owner, mode = owner or kept[0], mode or kept[1]
            if before == text and (owner, mode) == kept:
                return
        if self.dry_run:
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if before != text:
            self.promise(restart)
        replace(path, text, owner, mode or 0o640)
        print(f"/{name} written")

    def snapshot(self, name):
        """Returns (text, owner, mode) of a file; None if it is not there."""
        path = self.path(name)
        if not os.path.exists(path):
            return None
        found = os.stat(path)
        return read(path), (found.st_uid, found.st_gid), found.st_mode & 0o7777

    def put_back(self, name, snapshot):
        """Gives a file back what `snapshot` has returned."""
        if snapshot is not None:
            text, owner, mode = snapshot
            replace(self.path(name), text, owner, mode)
        elif self.exists(name):
            os.unlink(self.path(name))

    def promised(self, restart):
        """True if the list of things to restart has this one."""
        return restart in self.promises()

    def forget(self, restart):
        """Takes a thing to restart off the list."""
        rest = [one for one in self.promises() if one != restart]
        replace(self.pending, "".join(f"{one}\n" for one in rest))

    def promises(self):
        if not self.pending or not os.path.exists(self.pending):
            return []
        with open(self.pending, encoding="utf-8") as pending:
            return pending.read().splitlines()

    def promise(self, restart):
        """Adds the things to restart to the list, if there is one."""
        if self.pending:
            with open(self.pending, "a", encoding="utf-8") as pending:
                pending.writelines(f"{one}\n" for one in ([restart] if isinstance(restart, str) else restart))
                pending.flush()
                os.fsync(pending.fileno())

    def remove(self, name, restart):
        """Removes a file; before that, adds the things to restart to the list."""
        if not self.dry_run and self.exists(name):
            self.promise(restart)
            os.unlink(self.path(name))
            print(f"/{name} removed")
