"""Figures of a pool's server by its own account, for the table of scripts/check.

Python 3.8 or newer, standard library only.
"""

import contextlib
import os
import re
import time
from datetime import datetime

import node_state

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
# BigBlueButton's own site writes the first; the second is what logrotate made of it last.
LOGS = [f"{ROOT}/var/log/nginx/bigbluebutton.access.log", f"{ROOT}/var/log/nginx/bigbluebutton.access.log.1"]
MOST_BYTES = 8_000_000


def figures(balancer, now=None):
    """Returns {"meetings", "breakouts", "people", "polled"}: None for what is not known.

    polled: seconds since the balancer asked for the meetings last, of which Scalelite itself keeps no note. balancer: its address.
    """
    found = node_state.meetings()
    counted = {"meetings": None, "breakouts": None, "people": None} if found is None else node_state.count(found)
    return {**counted, "polled": since_poll(balancer, time.time() if now is None else now)}


def since_poll(balancer, now):
    line = re.compile(rf'^{re.escape(balancer)} \S+ \S+ \[([^\]]+)\] "GET /bigbluebutton/api/getMeetings\?')
    for path in LOGS:
        for text in reversed(end_of(path).splitlines()):
            found = line.match(text)
            if found:
                with contextlib.suppress(ValueError):
                    return max(0.0, now - datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z").timestamp())
    return None


def end_of(path):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.stat(path).st_size - MOST_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
