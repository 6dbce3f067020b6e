#!/usr/bin/python3
"""Has the workers that process recordings begin anew with other settings, and what they are at finished first.

    recording_workers.py

A worker that is stopped at work loses its place in the queue: its recording would be processed by `bbb-record --rebuild`
only. So each is asked by SIGQUIT to end when it has finished; systemd starts the unit again then. Standard output: what
was done.
"""

import os
import re
import signal
import subprocess
import sys

UNIT = "bbb-rap-resque-worker"


def shown(unit, *properties):
    """Returns the values of a unit's properties."""
    command = ["systemctl", "show", unit, *(f"--property={name}" for name in properties)]
    text = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [found.get(name, "") for name in properties]


def processes(proc):
    """Returns {pid: (its parent, its command line)}."""
    found = {}
    for name in filter(str.isdigit, os.listdir(proc)):
        try:
            with open(f"{proc}/{name}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            with open(f"{proc}/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                found[int(name)] = parent, file.read().replace("\0", " ").strip()
        except (OSError, ValueError, IndexError):
            continue
    return found


def below(pid, found):
    """Returns the process ids of a process and of all that it began."""
    children = [one for one, (parent, _) in found.items() if parent == pid]
    return [pid, *(one for child in children for one in below(child, found))]


def workers(pid, found):
    """Returns (process ids of the workers, how many are at work). Resque writes what each does in its command line."""
    lines = [(one, found[one][1]) for one in below(pid, found) if one in found]
    resque = [(one, line) for one, line in lines if re.match(r"resque-\S+:? ", line)]
    # The child in which a worker does its work.
    busy = [one for one, line in resque if " Processing " in line]
    return sorted(one for one, _ in resque if one not in busy), len(busy)


def drain(proc="/proc"):
    """Returns what was done, in words."""
    state, pid, restart = shown(UNIT, "ActiveState", "MainPID", "Restart")
    found, busy = workers(int(pid or 0), processes(proc)) if state == "active" else ([], 0)
    if not found or restart != "always":
        if busy:
            return f"{busy} at work, and systemd would not start {UNIT} again: left as it is. Outside of their work: systemctl restart {UNIT}"
        subprocess.run(["systemctl", "restart", UNIT], check=True, stdin=subprocess.DEVNULL)
        return f"{UNIT} restarted"
    for one in found:
        os.kill(one, signal.SIGQUIT)
    return f"{UNIT} begins anew{f' when it has finished {busy} at work' if busy else ''}"


if __name__ == "__main__":
    try:
        print(drain())
    except subprocess.CalledProcessError:
        sys.exit(f"{UNIT} did not start: see journalctl -u {UNIT}")
