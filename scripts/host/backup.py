#!/usr/bin/python3
"""Backups of a BigBlueButton server, in a repository of restic.

    backup.py prepare <SETTINGS            keeps the settings, and makes the repository where there is none
    backup.py run                          makes tonight's snapshots: the state, and the recordings
    backup.py now                          has the unit do that, and follows it
    backup.py state                        saves the state alone, before an upgrade or another change
    backup.py list [--json]                shows the snapshots
    backup.py verify [--read PERCENT]      looks whether the repository is whole
    backup.py prune [<KEYS]                removes what is older than the settings keep
    backup.py key list|add|remove [ID] [<PASSWORD]

SETTINGS is bigbluebutton/backup.ts's: one line of JSON, with secrets, which no output shows. Nothing is stopped for a
backup: published recordings do not change, and Greenlight's dump is consistent by itself. Exit code 1 with a last line
that says what is wrong, and what to do.

Each night makes two snapshots with the same tag run-TIME, one of them tagged `state`, the other `recordings`. One before a
change has the tag `before` in place of `state`: pruning then takes no night's state for it.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

import backup_state as state
import carry
import greenlight_data
import recording_files
import restic
import storage_box
import unit_follow
import whole_files
from restic import Failure, Repository, read_settings

RUN_LIMIT = float(os.environ.get("BBB_BACKUP_RUN_SECONDS", 5 * restic.HOUR))
VERIFY_DAYS = 7
# Tag of a snapshot of the state without Greenlight's database, which should be in it.
PARTIAL = "partial"
# Tag of a snapshot of the state before a change.
BEFORE = "before"


def say(text):
    state.log(f"> {text}")
    print(text, flush=True)


@contextlib.contextmanager
def alone():
    """Holds the lock of this server's backups. @raise Failure while another one is at work"""
    os.makedirs(restic.HERE, mode=0o700, exist_ok=True)
    with open(state.LOCK, "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure("a backup or restore is at work on this server already: wait for its end (tail -f /var/log/bbb-deploy/backup.log there), then run this again") from None
        yield


def opened():
    repository = Repository(read_settings(), state.log)
    repository.prepare()
    repository.reach()
    return repository


# --- set-up -----------------------------------------------------------------------------------------------------------


def prepare(_):
    """Keeps settings that the repository takes, and makes it where there is none."""
    settings = json.loads(sys.stdin.readline())
    # The key of its account is used for this once, and not kept.
    box = settings.pop("box", None)
    with alone():
        before = whole_files.read_json(restic.SETTINGS)
        repository = Repository(settings, state.log)
        try:
            repository.prepare()
            if box:
                storage_box.let_in(repository, box, is_new=(before or {}).get("to") != settings["to"])
            repository.reach()
            if repository.exists():
                say(f"the repository is there: {restic.shown(settings['to'])}")
            else:
                repository.make()
                say(f"made the repository {restic.shown(settings['to'])}")
        except Failure:
            # The nightly run goes on with the settings that were good.
            if before is not None:
                Repository(before, state.log).prepare()
            raise
        state.write(restic.SETTINGS, settings)
        carry.keep_baseline(state.BASELINE)


# --- a run ------------------------------------------------------------------------------------------------------------


def dump_greenlight(folder):
    """Dumps Greenlight's database into a folder. Returns (counts, paths to save beside it, note or None)."""
    if not greenlight_data.is_installed():
        return None, [], None
    paths = [greenlight_data.ENVIRONMENT, greenlight_data.COMPOSE_FILE]
    storage = greenlight_data.storage()
    if os.path.isdir(storage):
        paths.append(storage)
    database = greenlight_data.Database()
    if database.elsewhere:
        return None, paths, f"Greenlight's database is on {database.service}, outside of this server, and is not in the backup: save it there"
    counts = database.counts()
    database.dump(f"{folder}/greenlight.dump")
    return {**counts, "files": greenlight_data.files_below(storage)}, paths, None


def save_state(repository, tag, kind="state"):
    """Makes the snapshot of the state, tagged with its kind also. Returns (its part of last.json, problems)."""
    problems, note, counts, paths = [], None, None, []
    shutil.rmtree(state.MADE, ignore_errors=True)
    os.makedirs(state.MADE, mode=0o700)
    try:
        counts, paths, note = dump_greenlight(state.MADE)
    except (greenlight_data.Failure, OSError) as error:
        problems.append(f"Greenlight is not in this backup, all else is: {error}. Earlier backups of it are untouched")
        if greenlight_data.is_installed():
            paths = [greenlight_data.ENVIRONMENT, greenlight_data.COMPOSE_FILE]
    places = carry.places()
    carried = carry.manifest(places, repository.settings["host"], state.BASELINE)
    storage = next((path for path in paths if os.path.isdir(path)), None)
    document = {**carried, "at": time.time(), "run": tag, "greenlight": counts, "greenlightStorage": storage}
    whole_files.replace(f"{state.MADE}/manifest.json", json.dumps(document, indent=1) + "\n")
    changed = [path for path in map(carry.below, carried["changedPackageFiles"]) if os.path.isfile(path)]
    everything = [state.MADE, *paths, *changed, *map(carry.below, places)]
    summary = repository.save(everything, [kind, tag, *([PARTIAL] if problems else [])], RUN_LIMIT)
    shutil.rmtree(state.MADE, ignore_errors=True)
    part = {"id": summary["snapshot_id"][:8], "bytes": summary["total_bytes_processed"], "added": summary["data_added"], "files": summary["total_files_processed"]}
    return {**part, "greenlight": counts, "note": note}, problems


def save_recordings(repository, tag):
    """Makes the snapshot of the recordings. Returns (its part of last.json, problems)."""
    folders = recording_files.folders(repository.settings["raw"])
    if not folders:
        return None, [f"there is no folder of recordings on this server ({recording_files.BASE}/published): is BigBlueButton installed, and its volume mounted? See scripts/check"]
    counts, sizes = recording_files.counts(), recording_files.sizes()
    summary = repository.save([recording_files.below(folder) for folder in folders], ["recordings", tag], RUN_LIMIT)
    problems = ["some recordings' files could not be read and are missing from this backup: /var/log/bbb-deploy/backup.log on the server names them"] if summary["incomplete"] else []
    part = {"id": summary["snapshot_id"][:8], "bytes": summary["total_bytes_processed"], "added": summary["data_added"], "files": summary["total_files_processed"]}
    return {**part, "formats": counts, "formatBytes": sizes}, problems


def tag_of(began):
    """Returns the tag of the run that began then."""
    return time.strftime("run-%Y%m%dT%H%M%SZ", time.gmtime(began))


def run(_):
    with alone():
        began, before = time.time(), whole_files.read_json(state.LAST) or {}
        tag = tag_of(began)
        parts: dict = {}
        problems: list = []
        try:
            repository = opened()
            if not repository.exists():
                raise Failure(restic.meaning(repository.settings, "config file does not exist"))
            for name, save in (("state", save_state), ("recordings", save_recordings)):
                say(f"saving the {name}")
                try:
                    parts[name], found = save(repository, tag)
                    problems += found
                    if parts[name]:
                        say(f"saved the {name}: {told(parts[name])}")
                except Failure as failure:
                    problems.append(f"saving the {name} failed: {failure}")
        except Failure as failure:
            problems.append(f"nothing was saved: {failure}")
        # The last whole one counts for the age; with the one before it sizes are compared.
        whole = [{"at": began, **parts}, before.get("whole")] if not problems else [before.get("whole"), before.get("earlier")]
        last = {"at": began, "seconds": round(time.time() - began), "run": tag, "problems": problems, "whole": whole[0], "earlier": whole[1]}
        state.write(state.LAST, last)
        if not problems:
            verify_now_and_then(repository, problems)
    for problem in problems:
        say(f"FAILED: {problem}")
    if problems:
        return 1
    say(f"done in {last['seconds']} s: backup {tag}")
    return 0


def save_before(_):
    with alone():
        repository = opened()
        if not repository.exists():
            raise Failure(restic.meaning(repository.settings, "config file does not exist"))
        part, problems = save_state(repository, tag_of(time.time()), BEFORE)
    say(f"saved the state before a change: {told(part)}")
    if problems:
        raise Failure(problems[0])


def now(_):
    read_settings()
    ended_well = unit_follow.follow("bbb-backup.service", lambda: unit_follow.systemctl("start", "--no-block", "bbb-backup.service"))
    return 0 if ended_well else 1


def told(part):
    """Returns a snapshot in words."""
    more = []
    if part.get("greenlight"):
        more.append("Greenlight with " + ", ".join(f"{part['greenlight'][table]} {table}" for table in greenlight_data.TABLES))
    if "formats" in part:
        more.append(f"recordings {recording_files.told(part['formats'])}")
    if part.get("note"):
        more.append(f"note: {part['note']}")
    return "; ".join([f"snapshot {part['id']}, {part['files']} files, {state.size(part['bytes'])}, {state.size(part['added'])} of it new", *more])


def verify_now_and_then(repository, problems):
    """Looks at the repository once a week, after a good run."""
    verified = whole_files.read_json(state.VERIFIED)
    if verified and verified["ok"] and time.time() - verified["at"] < VERIFY_DAYS * 86400:
        return
    try:
        check(repository, 0)
    except Failure as failure:
        problems.append(str(failure))


# --- looking, checking, pruning ---------------------------------------------------------------------------------------


def nights(snapshots):
    """Returns the runs with their snapshots, newest first."""
    found: dict = {}
    for one in snapshots:
        tags = one.get("tags") or []
        tag = next((tag for tag in tags if tag.startswith("run-")), one["short_id"])
        night = found.setdefault((one["hostname"], tag), {"host": one["hostname"], "run": tag, "time": one["time"][:19] + "Z"})
        for name in ("state", "recordings"):
            if name in tags:
                night[name] = one["short_id"]
        if BEFORE in tags:
            night["state"] = one["short_id"]
            night[BEFORE] = True
        if PARTIAL in tags:
            night[PARTIAL] = True
    return sorted(found.values(), key=lambda night: night["time"], reverse=True)


def show_list(options):
    found = nights(opened().snapshots())
    if options.json:
        print(json.dumps({"backups": found}), flush=True)
        return 0
    if not found:
        say("there is no backup yet: scripts/backup run STACK makes one")
        return 0
    print(f"{'made (UTC)':<22}{'state':<10}{'recordings':<12}server")
    for night in found:
        lacking = ", before a change" if BEFORE in night else ""
        lacking += ", without Greenlight's database" if PARTIAL in night else ""
        print(f"{night['time'].replace('T', ' ')[:19]:<22}{night.get('state', '-'):<10}{night.get('recordings', '-'):<12}{night['host']}{lacking}")
    return 0


def check(repository, percent):
    """Looks whether the repository is whole, and notes the result. @raise Failure"""
    read = [f"--read-data-subset={percent}%"] if 0 < percent < 100 else ["--read-data"] if percent >= 100 else []
    try:
        repository.run("check", *read, limit=RUN_LIMIT)
    except Failure as failure:
        state.write(state.VERIFIED, {"at": time.time(), "ok": False, "percent": percent, "words": str(failure)})
        raise
    state.write(state.VERIFIED, {"at": time.time(), "ok": True, "percent": percent})


def verify(options):
    with alone():
        repository = opened()
        how = f"and {options.read:g} % of the data" if options.read else "without reading the data"
        say(f"looking whether every part is there, {how}")
        check(repository, options.read)
    say("the repository is whole")
    return 0


@contextlib.contextmanager
def opened_for(options):
    """Opens the repository, for this once with the keys of standard input, where there are any."""
    other = json.loads(sys.stdin.readline() or "{}") if options.keys else {}
    with alone():
        repository = Repository({**read_settings(), **other}, state.log)
        try:
            repository.prepare()
            repository.reach()
            yield repository
        finally:
            Repository(read_settings(), state.log).prepare()


def prune(options):
    """Removes what is older than the settings keep."""
    with opened_for(options) as repository:
        settings = repository.settings
        keep = settings["keep"]
        removed = left = 0
        words = [word for unit in ("daily", "weekly", "monthly") for word in (f"--keep-{unit}", str(keep[unit])) if keep[unit] > 0]
        try:
            # Not grouped by paths, since the files of the state differ from night to night.
            for tag in ("state", "recordings", BEFORE):
                told = repository.run("forget", "--json", "--host", settings["host"], "--tag", tag, "--group-by", "host", *words)
                for group in json.loads(told or "[]") or []:
                    removed += len(group["remove"] or [])
                    left += len(group["keep"] or [])
            say("removing data that no backup needs any more")
            repository.run("prune", limit=RUN_LIMIT)
        except Failure as failure:
            raise Failure(f"{failure} Keys that may only add are meant to be refused here: give others for this once, docs/backup.md#pruning") from None
    say(f"{removed} of {removed + left} snapshots removed, {left} kept: " + ", ".join(f"{number} {unit}" for unit, number in keep.items()))
    return 0


def key(options):
    with opened_for(options) as repository:
        if options.action == "list":
            print(repository.run("key", "list", limit=restic.ASK_SECONDS), end="")
        elif options.action == "add":
            password = sys.stdin.readline().rstrip("\n")
            if len(password) < 12:
                raise Failure("a password of less than 12 letters would be guessed: choose a longer one")
            repository.write("new-password", password + "\n")
            try:
                repository.run("key", "add", "--new-password-file", f"{repository.private}/new-password", limit=restic.ASK_SECONDS)
            finally:
                os.unlink(f"{repository.private}/new-password")
            say("the repository opens with your password too, from any machine with restic")
        else:
            repository.run("key", "remove", options.id, limit=restic.ASK_SECONDS)
            say(f"key {options.id} no longer opens the repository")
    return 0


def ended(act, advice=""):
    """Does something, and returns the exit code of the command: 1 after a line that says what is wrong, and the advice."""
    then = f". {advice}" if advice else ""
    try:
        return act() or 0
    except (Failure, greenlight_data.Failure) as failure:
        say(f"FAILED: {failure}")
    except OSError as error:
        say(f"FAILED: {error.filename or 'the system'}: {error.strerror}. Mostly the disk is full: df -h shows it{then}")
    except subprocess.CalledProcessError as error:
        say(f"FAILED: {error.cmd[0]} ended with {error.returncode}{then}")
    return 1


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("prepare").set_defaults(act=prepare)
    verbs.add_parser("run").set_defaults(act=run)
    verbs.add_parser("now").set_defaults(act=now)
    verbs.add_parser("state").set_defaults(act=save_before)
    one = verbs.add_parser("list")
    one.add_argument("--json", action="store_true")
    one.set_defaults(act=show_list)
    one = verbs.add_parser("verify")
    one.add_argument("--read", type=float, default=0)
    one.set_defaults(act=verify)
    one = verbs.add_parser("prune")
    one.add_argument("--keys", action="store_true")
    one.set_defaults(act=prune)
    one = verbs.add_parser("key")
    one.add_argument("action", choices=["list", "add", "remove"])
    one.add_argument("id", nargs="?")
    one.add_argument("--keys", action="store_true")
    one.set_defaults(act=key)
    options = parser.parse_args()
    os.umask(0o077)
    return ended(lambda: options.act(options), restic.KEPT)


if __name__ == "__main__":
    sys.exit(main())
