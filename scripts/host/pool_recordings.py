#!/usr/bin/python3
"""Recordings of a pool, gathered on its balancer: fetched from the servers into the spool of Scalelite's importer.

    pool_recordings.py collect          fetches what is published on the servers and not here, and tells them what has arrived
    pool_recordings.py adopt            gives Scalelite recordings whose files are here and which it does not know, as on a volume
                                        that was another balancer's or a single server's
    pool_recordings.py expire --days N  deletes recordings of meetings that began too many days ago

The balancer asks each server over HTTPS, with the token by which it asks what runs there: no server can write here, and none
of them needs a key or an open port. A recording counts as arrived once its files are where Scalelite puts them. Until then its
server keeps it.

Python 3.8 or newer.
"""

import argparse
import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import node_recordings
import node_state
import pool
from whole_files import read_json, replace

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
BASE = os.environ.get("BBB_DEPLOY_RECORDINGS", f"{ROOT}/var/bigbluebutton")
SPOOL, PLACES = f"{BASE}/spool", (f"{BASE}/published", f"{BASE}/unpublished")
NOTES, REPORT = f"{pool.STATE}/balancer/recordings", f"{pool.STATE}/balancer/recordings.json"
ENVIRONMENT = f"{ROOT}/etc/bbb-deploy/scalelite.env"
PSQL = os.environ.get("BBB_DEPLOY_PSQL", "runuser -u postgres -- psql -d scalelite").split()
API = os.environ.get("BBB_DEPLOY_API", "http://127.0.0.1:3000") + "/bigbluebutton/api"
# The account in Scalelite's images.
SCALELITE = 1000
# A recording is unpacked beside its tar, and others come meanwhile.
RESERVE = int(os.environ.get("BBB_DEPLOY_RESERVE", "500000000"))
# What the importer took and left out is given to it once more after so long.
AGAIN_AFTER = float(os.environ.get("BBB_DEPLOY_AGAIN_AFTER", "3600"))
JOURNAL = "journalctl -u bbb-deploy-scalelite-recording-importer"


class Failure(Exception):
    """Reason why a recording is not here yet."""


class NoRoom(Failure):
    """Lack of room here, for this recording or at all."""


# --- files ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def alone():
    """Yields whether no other is at work."""
    os.makedirs(NOTES, mode=0o700, exist_ok=True)
    with open(f"{NOTES}/.lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def write(path, value):
    replace(path, json.dumps(value))


def tar_of(recording):
    return f"{SPOOL}/{recording}.tar"


def is_here(recording, form):
    return any(os.path.isdir(os.path.join(place, form, recording)) for place in PLACES)


def is_hidden(recording):
    return bool(glob.glob(os.path.join(PLACES[1], "*", recording)))


@contextlib.contextmanager
def arriving(recording, keep=True):
    """Yields a file that is in the spool as a whole or not at all."""
    part = f"{SPOOL}/.{recording}.part"
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep:
            os.chmod(part, 0o640)
            if os.geteuid() == 0:
                os.chown(part, SCALELITE, SCALELITE)
            os.replace(part, tar_of(recording))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom("the balancer's disk of recordings is full") from None
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def need_room(size):
    free = shutil.disk_usage(SPOOL).free
    if free < 2 * size + RESERVE:
        raise NoRoom(f"the balancer's disk of recordings has {free / 1e9:.1f} GB free, and {(2 * size + RESERVE) / 1e9:.1f} GB are needed to take it")


# --- Scalelite -----------------------------------------------------------------------------------------------------


def rows(condition=""):
    """Returns the names of recordings that Scalelite knows. @raises Failure where its database does not tell"""
    statement = f"SELECT record_id FROM recordings {condition}"
    try:
        done = subprocess.run([*PSQL, "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-c", statement], capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode != 0:
        raise Failure("Scalelite's database does not tell which recordings there are: systemctl status postgresql")
    return set(done.stdout.split())


def was_deleted(recording):
    """True for one that a front end has deleted: further formats of it are not wanted."""
    return recording in rows(f"WHERE record_id = '{recording}' AND state = 'deleted'")


def settings():
    with open(ENVIRONMENT, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)


def delete(recording):
    """Has Scalelite delete a recording. What it does not know is as good as deleted."""
    given = settings()
    query = urllib.parse.urlencode({"recordID": recording})
    checksum = hashlib.sha256(f"deleteRecordings{query}{given['LOADBALANCER_SECRET']}".encode()).hexdigest()
    request = urllib.request.Request(f"{API}/deleteRecordings?{query}&checksum={checksum}", headers={"Host": given["URL_HOST"]})
    with urllib.request.urlopen(request, timeout=60) as answer:
        root = ElementTree.fromstring(answer.read())
    if root.findtext("returncode") != "SUCCESS" and root.findtext("messageKey") != "notFound":
        raise Failure(root.findtext("message") or "Scalelite gives no reason")


# --- from the servers ----------------------------------------------------------------------------------------------


def url(fqdn, path, **query):
    return f"{pool.SCHEME}://{fqdn}/bbb-deploy/{path}{'?' if query else ''}{urllib.parse.urlencode(query)}"


def fetch(fqdn, secret, recording, formats, keep=True, limit=60):
    """Fetches a recording into the spool; one that is not kept shows that the way is open."""
    query = {"id": recording, **({"formats": ",".join(sorted(formats))} if formats else {}), **({"hidden": "1"} if is_hidden(recording) else {})}
    with node_state.opened(url(fqdn, "recording", **query), secret, limit) as answer:
        need_room(int(answer.headers.get("X-Recording-Bytes") or 0))
        with arriving(recording if keep else f"{recording}-{fqdn}", keep) as file:
            for piece in node_recordings.unframed(answer):
                file.write(piece)


def tell_arrived(fqdn, secret, recording, formats):
    with node_state.opened(url(fqdn, "arrived"), secret, body=json.dumps({"id": recording, "formats": formats}).encode()):
        pass


def settle(fqdn, secret, recording, formats):
    """Brings a recording one step further. Returns True once it has arrived. @raises Failure, OSError or ValueError"""
    note = f"{NOTES}/{recording}"
    if os.path.exists(tar_of(recording)):
        return False
    taken = read_json(note) or {}
    given = taken.get("formats") == formats
    missing = [form for form in sorted(formats) if not is_here(recording, form)]
    if (given and not missing) or was_deleted(recording):
        tell_arrived(fqdn, secret, recording, formats)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(note)
        return True
    if given and time.time() - taken["at"] < AGAIN_AFTER:
        raise Failure(f"Scalelite's importer left out {', '.join(missing)} of it: {JOURNAL} on the balancer says why")
    fetch(fqdn, secret, recording, formats)
    write(note, {"formats": formats, "at": time.time()})
    return False


def collect_from(fqdn, secret):
    """Returns {"waiting": recordings that are not here, "problem": the reason of the first}."""
    try:
        found = node_state.ask(url(fqdn, "state"), secret).get("recordings", {})
    except (OSError, ValueError) as error:
        return {"waiting": [], "problem": f"{fqdn} does not tell which recordings it has ({pool.reason_of(error)})"}
    left, problem = [], None
    for recording, formats in sorted(found.items()):
        if not node_recordings.ID.fullmatch(recording) or not all(node_recordings.FORMAT.fullmatch(form) for form in formats):
            continue
        try:
            if settle(fqdn, secret, recording, formats):
                continue
        except (Failure, OSError, ValueError) as error:
            problem = problem or f"{recording}: {pool.reason_of(error)}"
        left.append(recording)
    return {"waiting": left, "problem": problem}


def collect():
    with alone() as is_alone:
        if not is_alone:
            return 0
        found = {fqdn: collect_from(fqdn, member["secret"]) for fqdn, member in pool.members().items()}
        write(REPORT, {"at": time.time(), "servers": found})
    for fqdn, one in found.items():
        if one["problem"]:
            print(f"{fqdn}: {one['problem']}", flush=True)
    return 0


def probe(fqdn, secret):
    """Goes the way of a recording without one, and leaves nothing. @raises Failure, OSError or ValueError"""
    fetch(fqdn, secret, node_recordings.PROBE, {}, keep=False, limit=15)


# --- here ----------------------------------------------------------------------------------------------------------


def on_disk():
    """Returns {recording: [(place, format)]} of the files that are here."""
    found: dict = {}
    for place in PLACES:
        for path in sorted(glob.glob(f"{place}/*/*/metadata.xml")):
            form, recording = path.split("/")[-3:-1]
            if node_recordings.ID.fullmatch(recording):
                found.setdefault(recording, []).append((place, form))
    return found


def adopt():
    """Puts recordings into the spool that Scalelite does not know, for as long as there is room."""
    with alone() as is_alone:
        if not is_alone or glob.glob(f"{SPOOL}/*.tar"):
            return 0
        known, number = rows(), 0
        for recording, places in on_disk().items():
            if recording in known:
                continue
            # Where some formats are hidden, all are: rather too few see it than too many.
            place = max(place for place, _ in places)
            formats = [form for one, form in places if one == place]
            try:
                need_room(sum(node_recordings.size_of(recording, [form], place) for form in formats))
                with arriving(recording) as file:
                    node_recordings.tar(recording, formats, file, hidden=place == PLACES[1], base=place)
            except (Failure, OSError) as error:
                print(f"{recording} is here, and Scalelite does not know it: {pool.reason_of(error)}", flush=True)
                return 1
            number += 1
        if number:
            print(f"{pool.plural(number, 'recording')} that {'was' if number == 1 else 'were'} here already {'is' if number == 1 else 'are'} given to Scalelite", flush=True)
    return 0


def expire(days):
    end, failed = (time.time() - days * 86400) * 1000, 0
    for recording in sorted(on_disk()):
        if int(recording.split("-")[1]) >= end:
            continue
        try:
            delete(recording)
            # Scalelite leaves the files of what is not published.
            for path in (one for place in PLACES for one in glob.glob(os.path.join(place, "*", recording))):
                shutil.rmtree(path)
            print(f"{recording} deleted after {pool.plural(days, 'day')}", flush=True)
        except (Failure, OSError, ElementTree.ParseError) as error:
            print(f"{recording} could not be deleted: {pool.reason_of(error)}", flush=True)
            failed = 1
    return failed


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("collect")
    commands.add_parser("adopt")
    commands.add_parser("expire").add_argument("--days", type=int, required=True)
    options = parser.parse_args()
    if options.command == "expire":
        return expire(options.days)
    return {"collect": collect, "adopt": adopt}[options.command]()


if __name__ == "__main__":
    sys.exit(main())
