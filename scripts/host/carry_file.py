#!/usr/bin/python3
"""State of this server as one file, for the server that takes its place.

    carry_file.py export NAME          prints it
    carry_file.py import NAME <FILE    brings it to this server, which was installed anew

NAME is the server's. FILE is what export printed after each "=": base64 text of an archive, with what a backup's state has.
All other lines are for the operator. Recordings are not in it: they are on a volume, or in a backup.

An import may be run any number of times, and goes on after a kill. Exit code 1 with a last line that says what is wrong.
"""

import argparse
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import backup_state as state
import carry
import greenlight_data
import restore
import whole_files
from backup import alone, dump_greenlight, ended, say
from checks import run
from restic import Failure

WORK = os.path.join(os.path.dirname(state.HERE), "carried")
LINE = 3 * 1024
# Looks at the database, 2 s apart, until it must take questions.
DATABASE_TRIES = 30
SAFE = "The snapshot of the old server's disk has all of it."


def fresh_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path, mode=0o700)
    return path


def archive(words, **more):
    done = subprocess.run(["tar", *words], stderr=subprocess.PIPE, check=False, **more)
    # 1: a file changed while it was read, as logs do.
    if done.returncode > 1:
        raise Failure(f"tar could not handle the state: {done.stderr.decode(errors='replace').strip()[-300:]}")


def export(options):
    """Prints the state. @raise Failure where a part of it can't be read: nothing may get lost unnoticed"""
    with alone():
        start_greenlight()
        made = fresh_folder(f"{WORK}/made")
        counts, paths, note = dump_greenlight(made)
        if note:
            say(f"note: {note}")
        places = carry.places()
        carried = carry.manifest(places, options.host, state.BASELINE)
        storage = next((path for path in paths if os.path.isdir(path)), None)
        document = {**carried, "greenlight": counts, "greenlightStorage": storage, "baseline": os.path.exists(state.BASELINE)}
        whole_files.replace(f"{made}/manifest.json", json.dumps(document, indent=1) + "\n")
        changed = [path for path in map(carry.below, carried["changedPackageFiles"]) if os.path.isfile(path)]
        everything = [path.lstrip("/") for path in (*paths, *changed, *map(carry.below, places))]
        packed = f"{WORK}/state.tar.gz"
        listed = "".join(f"{path}\0" for path in everything).encode()
        with open(os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            archive(["-cz", "-C", made, ".", "-C", "/", "--null", "--verbatim-files-from", "-T", "-"], input=listed, stdout=file)
        told = f"state: {len(places)} files and folders, {state.size(os.path.getsize(packed))}"
        if counts:
            told += "; Greenlight with " + ", ".join(f"{counts[table]} {table}" for table in greenlight_data.TABLES)
        say(told)
        with open(packed, "rb") as file:
            for piece in iter(lambda: file.read(LINE), b""):
                print(f"={base64.b64encode(piece).decode()}")
        shutil.rmtree(WORK, ignore_errors=True)
    return 0


def start_greenlight():
    """Starts Greenlight's containers, which a replacement stops before it unmounts: one that was cut off then reads again."""
    if not greenlight_data.is_installed() or run("systemctl", "is-active", "docker.service")[0] == 0:
        return
    say("starting Greenlight, which is stopped, so that its database can be read")
    run("systemctl", "start", "docker.service", limit=300)
    for _ in range(DATABASE_TRIES):
        with contextlib.suppress(greenlight_data.Failure):
            greenlight_data.Database().counts()
            return
        time.sleep(2)


def unpack():
    """Unpacks standard input, and returns (tree, manifest). @raise Failure"""
    tree = fresh_folder(f"{WORK}/tree")
    packed = f"{WORK}/state.tar.gz"
    with open(os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for line in sys.stdin:
            file.write(base64.b64decode(line))
    archive(["-xpzf", packed, "-C", tree])
    manifest = whole_files.read_json(f"{tree}/manifest.json")
    if manifest is None:
        raise Failure(f"the file has no manifest.json: it is no state of a server. Nothing was changed. {SAFE}")
    return f"{tree}{carry.ROOT}", {**manifest, "made": tree, "tree": tree}


def without_installers_own(manifest):
    """Leaves out of the changed files of packages those that are changed on this new server, too: installers change them.

    Where the old server had a baseline, it tells that better.
    """
    if manifest["baseline"]:
        return manifest
    own = set(whole_files.read_json(state.BASELINE) or {})
    return {**manifest, "changedPackageFiles": [path for path in manifest["changedPackageFiles"] if path not in own]}


def bring(options):
    with alone():
        tree, manifest = unpack()
        found = restore.obstacles(["state"], {"run": "of the old server"}, None, 0)
        if found:
            raise Failure(f"{found[0]}. Nothing was changed. {SAFE}")
        carry.keep_baseline(state.BASELINE)
        changed = restore.restore_state(tree, without_installers_own(manifest), options.host)
        bring_greenlight(manifest)
        if changed:
            say("restarting BigBlueButton, which takes up the settings: a minute or two")
            restore.restart()
    say("done: this server has what the old one had")
    return 0


def bring_greenlight(manifest):
    wanted = manifest["greenlight"]
    if wanted is None:
        return
    if not greenlight_data.is_installed():
        raise Failure(f"the old server had Greenlight, and this one has none: set greenlight, pulumi up, then run this again. {SAFE}")
    tables = {table: wanted[table] for table in greenlight_data.TABLES}
    here = greenlight_data.Database().counts()
    if all(here[table] == tables[table] for table in tables):
        say("Greenlight is here with " + ", ".join(f"{here[table]} {table}" for table in tables) + ", as on its volume; it is left as it is")
        return
    restore.restore_greenlight(manifest)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["export", "import"])
    parser.add_argument("host")
    options = parser.parse_args()
    os.umask(0o022)
    act = export if options.verb == "export" else bring
    return ended(lambda: act(options), SAFE)


if __name__ == "__main__":
    sys.exit(main())
