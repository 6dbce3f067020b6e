"""Files in which a server keeps what its backups have done, for the next one, for the check, and for an operator."""

import json
import os
import time

import whole_files
from restic import HERE

LAST = f"{HERE}/last.json"
VERIFIED = f"{HERE}/verified.json"
DRILLED = f"{HERE}/drilled.json"
BASELINE = f"{HERE}/baseline.json"
LOCK = f"{HERE}/lock"
# Folder that goes into each snapshot of the state.
MADE = f"{HERE}/made"
LOG = os.environ.get("BBB_DEPLOY_LOGS", os.environ.get("BBB_DEPLOY_ROOT", "") + "/var/log/bbb-deploy") + "/backup.log"


def write(path, document):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    whole_files.replace(path, json.dumps(document, indent=1) + "\n")


def log(text):
    """Adds a line to the log of the backups, for root alone."""
    os.makedirs(os.path.dirname(LOG), mode=0o700, exist_ok=True)
    if os.path.exists(LOG) and os.path.getsize(LOG) > 10_000_000:
        os.replace(LOG, f"{LOG}.1")
    with open(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8", errors="replace") as file:
        file.write(f"{time.strftime('%F %T', time.gmtime())}  {text}\n")


def size(number):
    """Returns a number of bytes in words."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number / 1e3:.0f} kB"
