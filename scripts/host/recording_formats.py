"""Formats of recordings: whether the host has what each is processed by, and whether their hours are kept.

Python 3.8 or newer, standard library only.
"""

import os

from checks import Doubtful, run

SCRIPTS = "usr/local/bigbluebutton/core/scripts"
RECORDING = "/etc/bigbluebutton/recording/recording.yml"
TIMER = "bbb-deploy-processing-hours.timer"


def missing_scripts(root, name):
    """Returns the scripts of a format that are not there."""
    paths = [os.path.join(SCRIPTS, stage, f"{name}.rb") for stage in ("process", "publish")]
    return [f"/{path}" for path in paths if not os.path.exists(os.path.join(root, path))]


def wanted_formats(wanted):
    """Returns the formats of the owned keys; none where no setting names any."""
    for file in wanted["files"]:
        for one in file.get("keys", []) if file["path"] == RECORDING else []:
            if one["key"] == ["steps"]:
                return [step.split(":", 1)[1] for step in one["value"]["captions"]]
    return []


def concerns(wanted):
    """True where a setting is about what this checks."""
    return any(file["path"] == RECORDING or file["path"].endswith(f"/{TIMER}") for file in wanted["files"])


def check_processing(root, wanted):
    """Checks each format's scripts and the timer of the hours. @raise Doubtful naming what is missing"""
    names = wanted_formats(wanted)
    found = [f"{name} has no {path} (recordings.formats)" for name in names for path in missing_scripts(root, name)]
    if any(file["path"].endswith(f"/{TIMER}") for file in wanted["files"]):
        _, state = run("systemctl", "is-active", TIMER)
        if state.strip() != "active":
            found.append(f"{TIMER} is {state.strip() or 'not there'} (recordings.hours)")
    if found:
        raise Doubtful("; ".join(found), "give the setting upgrade a new value, then pulumi up")
    return ", ".join(names) or "in their hours"
