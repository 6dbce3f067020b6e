"""What a host keeps between two rounds of its alerts, and past a reboot.

    settings.json   the setting `alerts` and the request of the checks (bigbluebutton/alerts.ts); secrets
    state.json      checks, messages that are yet to be sent, and what scripts/check tells

The state is written to memory, too: a full disk, of which the alerts have to tell, would make the host forget in each
round what it knew.
"""

import contextlib
import json
import os

import whole_files

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
STATE = os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy")
DIRECTORY = f"{STATE}/alerts"
SETTINGS = f"{DIRECTORY}/settings.json"
PLACES = (f"{DIRECTORY}/state.json", f"{ROOT}/run/bbb-alerts.json")

NEW: dict = {"rounds": 0, "checks": {}, "asked": {}, "pending": {}, "failing": {}, "sent": None, "round": None}


def write_json(path, content):
    """Writes atomically, for root alone. @raise OSError"""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    whole_files.replace(path, json.dumps(content))


def read():
    """Returns the latest state of both places."""
    found = [state for state in map(whole_files.read_json, PLACES) if isinstance(state, dict) and state.keys() >= NEW.keys()]
    return {**NEW, **max(found, key=lambda state: state["rounds"], default={})}


def write(state):
    """Writes to both places; one that takes nothing is left out."""
    for path in PLACES:
        with contextlib.suppress(OSError):
            write_json(path, state)
