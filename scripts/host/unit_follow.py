"""Starts a unit, or joins one that runs, and prints what it tells until its end: it outlives the connection of who asked."""

import subprocess
import time

import backup_state as state

POLL_SECONDS = 1


def systemctl(*words):
    done = subprocess.run(["systemctl", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace").strip()


def is_running(unit):
    return systemctl("is-active", unit)[1] in ("active", "activating", "deactivating", "reloading")


def told_since(offset):
    """Returns (lines for the operator in the log since then, the offset after them)."""
    try:
        with open(state.LOG, "rb") as file:
            file.seek(offset)
            text = file.read()
    except OSError:
        return [], 0
    whole = text[: text.rfind(b"\n") + 1]
    lines = [line[21:] for line in whole.decode(errors="replace").splitlines()]
    return [line[2:] for line in lines if line.startswith("> ")], offset + len(whole)


def log_end():
    try:
        with open(state.LOG, "rb") as file:
            return file.seek(0, 2)
    except OSError:
        return 0


def follow(unit, start):
    """Runs `start` where the unit does not run yet, and follows it. Returns True if it ended well."""
    offset = log_end()
    if is_running(unit):
        print("it runs already: this follows it", flush=True)
    else:
        systemctl("reset-failed", unit)
        code, said = start()
        if code != 0:
            print(f"FAILED: {unit} could not be started: {said.splitlines()[-1] if said else 'systemd says nothing'}. systemctl status {unit} on the server says more", flush=True)
            return False
    while True:
        running = is_running(unit)
        lines, offset = told_since(offset)
        for line in lines:
            print(line, flush=True)
        if not running:
            break
        time.sleep(POLL_SECONDS)
    return systemctl("show", "--property=Result", "--value", unit)[1] in ("success", "")
