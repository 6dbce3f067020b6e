"""Storage Box at Hetzner: tells it what the server's own key may do there.

The account's key comes with the deployment, is used for this, and is not kept on the server.
"""

import os
import subprocess
import tempfile
import time

import restic
import whole_files
from restic import Failure

KEYS = ".ssh/authorized_keys"
TIMEOUT_SECONDS = 60
# A new one has to become known to the name servers, and to switch SSH on.
NEW_SECONDS = float(os.environ.get("BBB_BACKUP_BOX_SECONDS", "300"))
PAUSE_SECONDS = float(os.environ.get("BBB_BACKUP_BOX_PAUSE_SECONDS", "5"))


def let_in(repository, box, is_new):
    """Gives the server's key to the box. is_new: waits for a box that does not answer yet. @raise Failure"""
    end = time.monotonic() + (NEW_SECONDS if is_new else 0)
    while True:
        try:
            repository.reach()
            put_keys(repository, box)
            return
        except Failure:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)


def put_keys(repository, box):
    """Brings the box's list of keys up to date. Keys of somebody else's in it stay."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        key, there, new = (f"{folder}/{name}" for name in ("key", "there", "new"))
        whole_files.replace(key, box["sshKey"].strip() + "\n")
        sftp(repository, key, f"-get {KEYS} {there}", f"-mkdir {box['folder']}")
        before = whole_files.read(there).splitlines() if os.path.exists(there) else []
        ours = [blob(line) for line in box["authorizedKeys"]]
        lines = [*box["authorizedKeys"], *(line for line in before if blob(line) not in ours)]
        if lines != before:
            whole_files.replace(new, "".join(f"{line}\n" for line in lines))
            sftp(repository, key, "-mkdir .ssh", f"put {new} {KEYS}", f"-chmod 600 {KEYS}")


def blob(line):
    """Returns the key itself of a line, which may have options before it and a comment behind."""
    return next((word for word in line.split() if word.startswith("AAAA")), line)


def sftp(repository, key, *commands):
    """Has sftp do something; a failure of what begins with - is none. @raise Failure"""
    command = ["sftp", "-b", "-", *repository.ssh_options(key), restic.server_of(repository.settings["to"])[0]]
    try:
        done = subprocess.run(command, input="".join(f"{line}\n" for line in commands), capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(repository.late("", TIMEOUT_SECONDS)) from None
    for line in done.stderr.splitlines():
        repository.log(f"  sftp: {line}"[:500])
    if done.returncode != 0:
        raise Failure(restic.meaning(repository.settings, done.stderr))
