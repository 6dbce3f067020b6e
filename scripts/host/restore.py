#!/usr/bin/python3
"""Brings a backup back to this server.

    restore.py now WHAT [--from ID] [--host NAME]    has a unit do it, which outlives the connection, and follows that
    restore.py run WHAT [--from ID] [--host NAME]    does it
    restore.py first [--from ID]                     does it on a new server, with all that the backup has and the server can take

WHAT: some of state, greenlight and recordings, with commas. ID: a snapshot, or a run, of scripts/backup list; the latest
where it is not given. NAME: server whose backup it is, where that was another name than this one's.

Everything is looked at before anything is changed. It may be run any number of times, and goes on after a kill: a recording
that is here stays as it is, Greenlight's database is put in as one transaction, and a setting that is already right is
left alone. Exit code 1 with a last line that says what is wrong, and what is safe.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

import backup_state as state
import carry
import greenlight_data
import recording_files
import restic
import unit_follow
import whole_files
from backup import PARTIAL, alone, ended, nights, opened, say
from keyed_text import FORMATS
from owned_keys import read_record
from restic import Failure

PARTS = ("state", "greenlight", "recordings")
UNIT = "bbb-restore.service"
WORK = os.path.join(os.path.dirname(restic.HERE), "restore")
KEPT = f"{WORK}/kept"
LIMIT = 12 * restic.HOUR
BATCH = 100
API = os.environ.get("BBB_DEPLOY_API", "http://127.0.0.1:8090")
AGAIN = "Run the same command again: it goes on from here"
SAFE = "The backup itself is untouched."


# --- which backup -----------------------------------------------------------------------------------------------------


def choose(repository, wanted, host, parts):
    """Returns the run to restore: {"run", "time", "state", "recordings"}. @raise Failure"""
    snapshots = repository.snapshots()
    all_nights = nights(snapshots)
    if not all_nights:
        raise Failure(f"there is no backup in {restic.shown(repository.settings['to'])}: is that the place of the old server's? {SAFE}")
    of_host = [night for night in all_nights if night["host"] == host]
    if not of_host and wanted == "latest":
        others = ", ".join(sorted({night["host"] for night in all_nights}))
        raise Failure(f"there is no backup of {host}; there are those of {others}. Name one with --host, as scripts/restore STACK --what … --host NAME. Nothing was changed")
    if wanted == "latest":
        return latest(of_host, host, {"recordings" if part == "recordings" else "state" for part in parts})
    # Another server may have begun in the same second.
    found = next((night for night in (*of_host, *all_nights) if wanted in (night["run"], night.get("state"), night.get("recordings"))), None)
    if found is None:
        raise Failure(f"there is no backup {wanted}: scripts/backup list STACK shows which there are. Nothing was changed")
    for part in parts:
        kind = "recordings" if part == "recordings" else "state"
        if kind not in found:
            raise Failure(f"the backup {wanted} has no {kind}: choose another one, or leave out --what {part}. Nothing was changed")
    return found


def latest(of_host, host, needed):
    """Returns the newest run that has what is needed; one that lacks Greenlight's database, only where there is no other."""
    fitting = [night for night in of_host if needed <= set(night)]
    if not fitting:
        raise Failure(f"no backup of {host} has {' and '.join(sorted(needed))}: scripts/backup list STACK shows what each has. Nothing was changed")
    found = next((night for night in fitting if PARTIAL not in night), fitting[0])
    for night in of_host[: of_host.index(found)]:
        lacking = "Greenlight's database" if PARTIAL in night else " and ".join(sorted(needed - set(night)))
        say(f"note: the backup {night['run']} is newer, but has no {lacking}; --from {night['run']} takes it anyway")
    return found


# --- looking first ----------------------------------------------------------------------------------------------------


def meetings():
    """Returns the number of running meetings; 0 where BigBlueButton does not tell."""
    properties = carry.below("/etc/bigbluebutton/bbb-web.properties")
    here = os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(properties):
        return 0
    done = subprocess.run(
        ["/usr/bin/python3", "-B", f"{here}/api_check.py", "meetings", "--properties", properties, "--base", f"{API}/bigbluebutton/api"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    text = done.stdout.decode().strip()
    return int(text) if done.returncode == 0 and text.isdigit() else 0


def obstacles(parts, chosen, manifest, sizes):
    """Returns what is in the way, each with what to do."""
    found = []
    if not os.path.exists(carry.below("/etc/bigbluebutton/bigbluebutton-release")):
        found.append("BigBlueButton is not installed here: run pulumi up first")
    if "greenlight" in parts:
        if manifest and manifest.get("greenlight") is None:
            found.append(f"the backup {chosen['run']} has no database of Greenlight: choose another one by --from, or leave greenlight out of --what")
        if not greenlight_data.is_installed():
            found.append("Greenlight is not installed here: pulumi config set greenlight true and pulumi up first, or leave greenlight out of --what")
    running = meetings() if set(parts) & {"state", "greenlight"} else 0
    if running:
        found.append(f"{running} meeting(s) run, which a restore of {' and '.join(part for part in parts if part != 'recordings')} would end: wait for their end; or restore the recordings alone, which disturbs nobody: --what recordings")
    if "recordings" in parts and sizes:
        folder = recording_files.below(recording_files.BASE)
        free = shutil.disk_usage(folder if os.path.isdir(folder) else "/").free
        if sizes > free - 1e9:
            found.append(f"the missing recordings need {state.size(sizes)}, and the disk of {recording_files.BASE} has {state.size(free)} free: enlarge it (recordingsGb), then pulumi up")
    return found


# --- state ------------------------------------------------------------------------------------------------------------


def fetch_state(repository, chosen):
    """Restores the snapshot of the state into a folder of this server's, and returns (folder, manifest)."""
    tree = f"{WORK}/{chosen['state']}"
    made = f"{tree}{state.MADE}/manifest.json"
    if not os.path.exists(f"{tree}.done"):
        shutil.rmtree(tree, ignore_errors=True)
        repository.run("restore", chosen["state"], "--target", tree, limit=LIMIT)
        whole_files.replace(f"{tree}.done", "")
    # The folder of the old server may have had another place.
    if not os.path.exists(made):
        for directory, _, names in os.walk(tree):
            if "manifest.json" in names and directory.endswith("/backup/made"):
                made = f"{directory}/manifest.json"
    try:
        with open(made, encoding="utf-8") as file:
            manifest = json.load(file)
    except OSError:
        raise Failure(f"the backup {chosen['state']} has no manifest.json: it is no backup of a BigBlueButton server's state. Nothing was changed") from None
    return f"{tree}{carry.ROOT}", {**manifest, "made": os.path.dirname(made), "tree": tree}


def restore_state(tree, manifest, host):
    outcome = carry.merge(tree, {**manifest, "newHost": host})
    for line in outcome.lines:
        say(line)
    certificate = f"{tree}/etc/letsencrypt/live/{manifest['host']}"
    if manifest["host"] == host and os.path.lexists(certificate):
        say(f"note: the server has a certificate of its own, which stays; the old one is in {tree}/etc/letsencrypt")
    say(f"state: {outcome.keys} keys of BigBlueButton's files set, {len(outcome.put)} files put back; what was right already stayed, and what was changed is kept in {KEPT} as it was")
    return outcome.changed


# --- greenlight -------------------------------------------------------------------------------------------------------


def restore_greenlight(manifest):
    """Puts Greenlight's database and files in place, and counts. @raise Failure"""
    database = greenlight_data.Database()
    dump = f"{manifest['made']}/greenlight.dump"
    wanted = {table: manifest["greenlight"][table] for table in greenlight_data.TABLES}
    database.prove(dump)
    os.makedirs(KEPT, mode=0o700, exist_ok=True)
    kept = f"{KEPT}/greenlight-before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.dump"
    database.dump(kept)
    say(f"Greenlight's database as it was is kept in {kept}")
    stop_greenlight()
    try:
        database.load(dump)
        found = database.counts()
        merge_environment(manifest)
        copied = copy_storage(manifest)
    finally:
        greenlight_data.compose("up", "-d")
    say("Greenlight: " + ", ".join(f"{found[table]} of {wanted[table]} {table}" for table in wanted) + f", {copied} files put back")
    short = [table for table in wanted if found[table] != wanted[table]]
    if short:
        raise Failure(f"Greenlight's database has other numbers of {' and '.join(short)} than the backup: it is not complete. The one of before is in {kept}. {AGAIN}")


def stop_greenlight():
    greenlight_data.compose("stop", greenlight_data.CONTAINER)


def merge_environment(manifest):
    """Sets the keys of .env that the backup has otherwise, but for the server's own and those of the settings."""
    old = f"{manifest['tree']}{greenlight_data.ENVIRONMENT}"
    if not os.path.exists(old):
        return
    form, text = FORMATS["env"], greenlight_data.environment()
    record = read_record(f"{carry.STATE}/greenlight/env.json") or {"files": {}}
    decided = {one["key"] for file in record["files"].values() for one in file.get("keys", [])}
    made = text
    for name in dict.fromkeys(name for name, _ in form.entries(whole_files.read(old)) if name):
        raw = form.raw(whole_files.read(old), name)
        if name not in greenlight_data.OWN_KEYS and name not in decided and form.raw(made, name) != raw:
            made = form.put_raw(made, name, raw)
    if made != text:
        whole_files.replace(greenlight_data.ENVIRONMENT, made)


def copy_storage(manifest):
    """Copies uploaded files that are not here; returns how many."""
    there = f"{manifest['tree']}{manifest['greenlightStorage']}" if manifest.get("greenlightStorage") else None
    here, copied = greenlight_data.storage(), 0
    for directory, _, names in os.walk(there) if there and os.path.isdir(there) else ():
        for name in names:
            source = os.path.join(directory, name)
            target = os.path.join(here, os.path.relpath(source, there))
            if os.path.lexists(target):
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, f"{target}.bbb-restore")
            found = os.stat(source)
            if os.geteuid() == 0:
                os.chown(f"{target}.bbb-restore", found.st_uid, found.st_gid)
            os.replace(f"{target}.bbb-restore", target)
            copied += 1
    return copied


# --- recordings -------------------------------------------------------------------------------------------------------


def items_in(repository, snapshot):
    """Returns {item: bytes} of a snapshot of recordings."""
    found: dict = {}

    def read(line):
        try:
            node = json.loads(line)
        except ValueError:
            return
        path = node.get("path", "")
        if carry.ROOT and path.startswith(f"{carry.ROOT}/"):
            path = path[len(carry.ROOT) :]
        item = recording_files.item_of(path)
        if item:
            found[item] = found.get(item, 0) + (node.get("size", 0) if node.get("type") == "file" else 0)

    repository.run("ls", "--json", snapshot, limit=LIMIT, on_line=read)
    return found


def restore_recordings(repository, chosen, items, names):
    """Puts the recordings in place that are not here, each whole or not at all. Returns those."""
    missing = sorted(item for item in items if not recording_files.is_here(item))
    kept = len(items) - len(missing)
    staging = f"{recording_files.below(recording_files.BASE)}/.bbb-restore"
    shutil.rmtree(staging, ignore_errors=True)
    if kept:
        say(f"{recording_files.told(recording_files.counts_of(set(items) - set(missing)))} are here already, and stay as they are")
    for at in range(0, len(missing), BATCH):
        batch = missing[at : at + BATCH]
        words = [word for item in batch for word in ("--include", escaped(recording_files.below(item)))]
        repository.run("restore", chosen["recordings"], "--target", staging, *words, limit=LIMIT)
        for item in batch:
            place(f"{staging}{recording_files.below(item)}", item, names)
        shutil.rmtree(staging, ignore_errors=True)
        say(f"recordings: {min(at + BATCH, len(missing))} of {len(missing)} items put back")
    return missing


def escaped(path):
    """Returns a path as a pattern of restic's that stands for itself."""
    return re.sub(r"([\[\]*?\\])", r"\\\1", path)


def place(source, item, names):
    """Moves an item where it belongs, with its owner and the links of this server."""
    target = recording_files.below(item)
    if not os.path.lexists(source):
        raise Failure(f"{item} did not come back from the backup. {AGAIN}; scripts/backup verify STACK tells whether the repository is whole. {SAFE}")
    if names[0] != names[1]:
        rename_links(source, names)
    make_folders(os.path.dirname(target))
    give(source, owner_of(item))
    if os.path.dirname(os.path.realpath(source)).startswith(os.path.realpath(recording_files.below(recording_files.BASE))) and item.startswith(recording_files.BASE):
        os.rename(source, target)
    else:
        # On another file system: whole or not at all there also.
        new = f"{os.path.dirname(target)}/.bbb-restore-{os.path.basename(target)}"
        subprocess.run(["cp", "-a", source, new], check=True)
        os.rename(new, target)


def rename_links(source, names):
    for directory, _, files in os.walk(source):
        if "metadata.xml" in files:
            path = os.path.join(directory, "metadata.xml")
            text = whole_files.read(path)
            changed = recording_files.with_name(text, *names)
            if changed != text:
                mode = os.stat(path).st_mode & 0o7777
                whole_files.replace(path, changed, mode=mode)


def owner_of(item):
    user = "freeswitch" if item.startswith("/var/freeswitch/") else "bigbluebutton"
    return carry.ids_of([user, "daemon" if user == "freeswitch" else user])


def make_folders(folder):
    """Makes a folder, and those around it, for BigBlueButton's user."""
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for one in reversed(missing):
        os.mkdir(one, 0o755)
        give(one, carry.ids_of(["bigbluebutton", "bigbluebutton"]))


def give(path, owner):
    if os.geteuid() != 0 or carry.ROOT:
        return
    os.chown(path, *owner, follow_symlinks=False)
    for directory, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(directory, name), *owner, follow_symlinks=False)


def without_metadata():
    """Returns the recordings that BigBlueButton will not list."""
    found = []
    for folder in recording_files.FORMATS:
        base = recording_files.below(folder)
        for form in sorted(os.listdir(base)) if os.path.isdir(base) else []:
            inner = f"{base}/{form}"
            names = os.listdir(inner) if os.path.isdir(inner) else []
            found += [f"{form}/{name}" for name in names if os.path.isdir(f"{inner}/{name}") and not os.path.exists(f"{inner}/{name}/metadata.xml")]
    return found


# --- all of it --------------------------------------------------------------------------------------------------------


def restore(options):
    parts = [part for part in PARTS if part in options.what]
    with alone():
        repository = opened()
        host = repository.settings["host"]
        restore_parts(repository, choose(repository, options.snapshot, options.host or host, parts), parts)
    say("done: what was asked for is back. scripts/check STACK looks whether all of the server is well")
    return 0


def restore_first(options):
    with alone():
        repository = opened()
        if options.snapshot == "latest" and not repository.snapshots():
            say("note: there is no backup yet to restore: the server begins empty")
            return 0
        chosen = choose(repository, options.snapshot, repository.settings["host"], ["state", "recordings"] if options.snapshot == "latest" else [])
        parts = [part for part in ("state", "recordings") if part in chosen]
        if "state" in chosen and fetch_state(repository, chosen)[1].get("greenlight") is not None:
            if not greenlight_data.is_installed():
                say("note: the backup has Greenlight, which is not installed here: set greenlight, pulumi up, then scripts/restore STACK --what greenlight")
            elif is_in_use(greenlight_data.Database().counts()):
                say("note: Greenlight has users or rooms here already, as on a volume that outlived the server, and is left as it is: scripts/restore STACK --what greenlight would replace them")
            else:
                parts.insert(1, "greenlight")
        restore_parts(repository, chosen, parts)
    say("done: the server has what the backup had")
    return 0


def is_in_use(counts):
    """True for more than the administrator whom the deployment makes."""
    return counts["users"] > 1 or counts["rooms"] > 0


def restore_parts(repository, chosen, parts):
    host = repository.settings["host"]
    say(f"restoring {', '.join(parts)} from the backup of {chosen['host']}, {chosen['time'].replace('T', ' ')[:16]} UTC ({chosen['run']})")
    os.makedirs(WORK, mode=0o700, exist_ok=True)
    tree, manifest = fetch_state(repository, chosen) if "state" in chosen else (None, None)
    items = items_in(repository, chosen["recordings"]) if "recordings" in parts else {}
    needed = sum(size for item, size in items.items() if not recording_files.is_here(item))
    found = obstacles(parts, chosen, manifest, needed)
    if found:
        for one in found:
            say(f"in the way: {one}")
        raise Failure(f"nothing was changed: {len(found)} thing(s) are in the way, each with what to do above. {SAFE}")
    changed = restore_state(tree, manifest, host) if "state" in parts else False
    if "recordings" in parts:
        put = restore_recordings(repository, chosen, items, (chosen["host"], host))
        report_recordings(items, put)
    if "greenlight" in parts:
        restore_greenlight(manifest)
    if changed:
        say("restarting BigBlueButton, which takes up the settings: a minute or two")
        restart()


def report_recordings(items, put):
    """Tells what came back. @raise Failure where something is missing after all"""
    missing = [item for item in items if not recording_files.is_here(item)]
    if missing:
        raise Failure(f"{len(missing)} items of recordings are still missing, {missing[0]} for one. {AGAIN}. {SAFE}")
    say(f"recordings: {recording_files.told(recording_files.counts_of(put))} put back; now there are {recording_files.told(recording_files.counts())}")
    without = without_metadata()
    if without:
        say(f"note: {len(without)} recordings have no metadata.xml, so BigBlueButton does not list them; they were saved so: {', '.join(without[:3])}")


def restart():
    done = subprocess.run(["bbb-conf", "--restart"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=900)
    state.log(done.stdout.decode(errors="replace")[-2000:])


def now(_):
    restic.read_settings()
    here = os.path.abspath(__file__)
    words = ["run", *sys.argv[2:]]
    start = ["systemd-run", f"--unit={UNIT}", "--property=Nice=10", "--property=IOSchedulingClass=idle", "/usr/bin/python3", "-B", here, *words]

    def begin():
        done = subprocess.run(start, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace").strip()

    return 0 if unit_follow.follow(UNIT, begin) else 1


def parts_of(text):
    parts = text.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(PARTS)}")
    return parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["now", "run", "first"])
    parser.add_argument("what", type=parts_of, nargs="?", default=[])
    parser.add_argument("--from", dest="snapshot", default="latest")
    parser.add_argument("--host")
    options = parser.parse_args()
    os.umask(0o022)
    act = {"now": now, "run": restore, "first": restore_first}[options.verb]
    return ended(lambda: act(options), f"{AGAIN}. {SAFE}")


if __name__ == "__main__":
    sys.exit(main())
