#!/usr/bin/python3
"""Hours of the day in which the workers process recordings; at any time they archive and publish.

    processing_hours.py write --from HH:MM --to HH:MM --zone NAME    before each start of the workers
    processing_hours.py apply --from HH:MM --to HH:MM --zone NAME    by a timer, at both ends of the hours

Outside of the hours the workers' unit gets its own queues without that of the processing, in a file that it reads as
its environment; what waits there is begun in the hours. `apply` has the workers begin anew where the file should be
another, and never ends one at work.
"""

import argparse
import contextlib
import os
import re
import sys
import time

import recording_workers
from whole_files import replace

FILE = "run/bbb-deploy-recordings/queues"
PROCESSING = "rap:process"


def minutes(text):
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def within(now, begin, end):
    """True for a time of day, in minutes, from the beginning on and before the end, which may be on the next day."""
    return begin <= now < end if begin < end else now >= begin or now < end


def time_of_day(zone):
    os.environ["TZ"] = zone
    time.tzset()
    now = time.localtime()
    return now.tm_hour * 60 + now.tm_min


def queues(environment):
    """Returns the value of QUEUE in a unit's environment."""
    found = re.search(r"(?:^|\s)\"?QUEUE=([^\s\"]+)", environment)
    return found[1].split(",") if found else []


def wanted(options):
    """Returns the text of the file; None where the unit's own queues are right."""
    if within(time_of_day(options.zone), minutes(getattr(options, "from")), minutes(options.to)):
        return None
    (environment,) = recording_workers.shown(recording_workers.UNIT, "Environment")
    rest = [queue for queue in queues(environment) if queue != PROCESSING]
    if len(rest) in (0, len(queues(environment))):
        raise SystemExit(f"{recording_workers.UNIT} has no {PROCESSING} among its queues: recordings are processed at any time")
    return f"QUEUE={','.join(rest)}\n"


def read(path):
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        return file.read()
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["write", "apply"])
    for name in ("from", "to", "zone"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--root", default="/")
    options = parser.parse_args()
    path, text = os.path.join(options.root, FILE), wanted(options)
    if options.action == "apply":
        # Workers that somebody has stopped take the file at their next start.
        (active,) = recording_workers.shown(recording_workers.UNIT, "ActiveState")
        if active == "active" and read(path) != text:
            print(recording_workers.drain())
        return
    if text is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace(path, text, mode=0o644)


if __name__ == "__main__":
    sys.exit(main())
