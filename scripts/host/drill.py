#!/usr/bin/python3
"""Drill: a backup is restored to a test server, and compared with what the saved server had that night.

    drill.py figures               on the saved server: prints what its last whole backup has, and the settings, with secrets
    drill.py restore <REQUEST      on the test server: restores, and prints what came back
    drill.py note <RESULT          on the saved server: keeps the result for its check

Each document is one line of JSON. The repository is only read, without a lock in it. What would act for others is not
put in place on the test server: scheduled jobs, hooks, the telephone's gateways, the mail server's account.
"""

import argparse
import json
import os
import random
import re
import shutil
import sys
import time
import xml.etree.ElementTree as ElementTree

import api_check
import backup_state as state
import greenlight_check
import greenlight_data
import recording_files
import restic
import restore
import whole_files
from backup import alone, ended, say, tag_of
from checks import Wrong
from restic import Failure, Repository, read_settings

SAMPLE = 20
WAIT_SECONDS = float(os.environ.get("BBB_DRILL_WAIT_SECONDS", "180"))
# Files that would do something for others: jobs, units, hooks after a recording, telephone, callbacks.
ACTING = re.compile(r"^/etc/cron|^/etc/systemd/|/scripts/post_\w+/|^/opt/freeswitch/etc/|/bbb-webhooks/")
MAIL = re.compile(r"^[ \t]*(export[ \t]+)?SMTP_")


# --- on the saved server ----------------------------------------------------------------------------------------------


def figures(_):
    # Meetings come first.
    os.nice(10)
    settings = read_settings()
    whole = (whole_files.read_json(state.LAST) or {}).get("whole")
    if not whole:
        raise Failure("there is no whole backup yet, so there is nothing to restore: scripts/backup run STACK makes one")
    recordings = whole["recordings"]
    night = {
        "run": tag_of(whole["at"]),
        "at": whole["at"],
        "host": settings["host"],
        "formats": recordings["formats"],
        # An older version has not counted these.
        "formatBytes": recordings.get("formatBytes"),
        "bytes": recordings["bytes"],
        "greenlight": whole["state"]["greenlight"],
        "files": sample(whole["at"]),
    }
    print(json.dumps({"settings": settings, "night": night}), flush=True)


def sample(before):
    """Returns {path: digest} of some recordings' files that have not changed since then."""
    found = [path for path in recording_files.files() if os.lstat(recording_files.below(path)).st_ctime < before and os.path.isfile(recording_files.below(path))]
    chosen = random.SystemRandom().sample(found, min(SAMPLE, len(found)))
    return {path: whole_files.digest(recording_files.below(path)) for path in sorted(chosen)}


def note(_):
    state.write(state.DRILLED, {"at": time.time(), **json.loads(sys.stdin.readline())})


# --- on the test server -----------------------------------------------------------------------------------------------


def restore_and_look(_):
    request = json.loads(sys.stdin.readline())
    night = request["night"]
    if os.path.exists(restic.SETTINGS):
        raise Failure("this server makes backups of its own, so it is no test server: nothing was restored to it")
    parts = ["state", "recordings", *(["greenlight"] if night["greenlight"] is not None else [])]
    repository = Repository({**request["settings"], "host": request["host"]}, state.log, read_only=True)
    with alone():
        try:
            repository.prepare()
            repository.reach()
            chosen = restore.choose(repository, night["run"], night["host"], parts)
            quieten(*restore.fetch_state(repository, chosen))
            restore.restore_parts(repository, chosen, parts)
        finally:
            shutil.rmtree(repository.private, ignore_errors=True)
    print(json.dumps({"found": found_here(night)}), flush=True)


def quieten(_, manifest):
    """Leaves out of a fetched state what would act for others."""
    path = f"{manifest['made']}/manifest.json"
    document = json.loads(whole_files.read(path))
    acting = [one for one in document["owners"] if ACTING.search(one)]
    document["owners"] = {one: owner for one, owner in document["owners"].items() if one not in acting}
    whole_files.replace(path, json.dumps(document) + "\n")
    environment = f"{manifest['tree']}{greenlight_data.ENVIRONMENT}"
    if os.path.exists(environment):
        lines = whole_files.read(environment).splitlines(keepends=True)
        whole_files.replace(environment, "".join(line for line in lines if not MAIL.match(line)))
    if acting:
        say(f"not put in place here, since it would act for others: {len(acting)} jobs, hooks and the like")


def found_here(night):
    """Returns what this server has after the restore."""
    found: dict = {
        "formats": recording_files.counts(),
        "formatBytes": recording_files.sizes(),
        "files": {path: digest_here(path) for path in night["files"]},
        "page": page(),
        "greenlight": None,
        "health": None,
    }
    if night["greenlight"] is not None:
        files = greenlight_data.files_below(greenlight_data.storage())
        found.update(greenlight={**greenlight_data.Database().counts(), "files": files}, health=health())
    return found


def digest_here(path):
    """Returns the digest of a file of a recording, published or not; None where it is not here."""
    inner = path.split("/", 4)[4]
    for folder in recording_files.FORMATS:
        here = recording_files.below(f"{folder}/{inner}")
        if os.path.isfile(here):
            return whole_files.digest(here)
    return None


def health():
    try:
        return {"ok": True, "told": greenlight_check.check_health(WAIT_SECONDS)}
    except Wrong as wrong:
        return {"ok": False, "told": str(wrong)}


def page():
    """Opens the page of one published recording, as its link says; None where none is published."""
    for form in sorted(recording_files.counts(), key=lambda form: form != "presentation"):
        folder = recording_files.below(f"{recording_files.FORMATS[0]}/{form}")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            link = link_in(f"{folder}/{name}/metadata.xml")
            if link:
                return opened(link)
    return None


def link_in(path):
    try:
        return next((one.text for one in ElementTree.parse(path).iter("link") if one.text), None)
    except (OSError, ElementTree.ParseError):
        return None


def opened(link):
    """Opens a page, until it is there: BigBlueButton may have been restarted a moment ago."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            status, _ = api_check.open_page(link)
            answer = f"HTTP status {status}"
        except OSError as error:
            status, answer = None, api_check.reason(error)
        if status == 200 or time.monotonic() > end:
            return {"ok": status == 200, "told": f"{link}: {answer}"}
        time.sleep(2)


def main():
    verbs = {"figures": figures, "restore": restore_and_look, "note": note}
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=verbs)
    options = parser.parse_args()
    os.umask(0o022)
    return ended(lambda: verbs[options.verb](options))


if __name__ == "__main__":
    sys.exit(main())
