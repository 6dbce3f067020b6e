"""Recordings of the Scalelite stand-in: their rows in PostgreSQL, their files, and the importer that makes both of a tar."""

import contextlib
import glob
import json
import os
import shutil
import signal
import tarfile
import tempfile
import time
import urllib.parse
from xml.etree import ElementTree
from xml.sax.saxutils import escape

INTERNAL = ("isBreakout", "meetingId", "meetingName")
STATES = ("published", "unpublished")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Folders:
    """Folders below the directory that all of Scalelite's containers share."""

    def __init__(self, environment):
        def at(name, default):
            return environment.get(f"RECORDING_{name}_DIR") or f"/var/bigbluebutton/{default}"

        self.spool, self.work = at("SPOOL", "spool"), at("WORK", "recording/scalelite")
        self.of = {True: at("PUBLISH", "published"), False: at("UNPUBLISH", "unpublished")}

    def move(self, recording, form, publish):
        here, there = (os.path.join(self.of[one], form, recording) for one in (not publish, publish))
        if os.path.isdir(here):
            os.makedirs(os.path.dirname(there), exist_ok=True)
            shutil.move(here, there)


class Rows:
    """Rows of recordings, each with its state and the whole as JSON."""

    def __init__(self, store):
        self.store = store

    def migrate(self):
        self.store.sql("CREATE TABLE IF NOT EXISTS recordings (record_id text PRIMARY KEY, state text, body text)")

    def all(self):
        return [json.loads(line) for line in self.store.sql("SELECT body FROM recordings ORDER BY record_id").splitlines() if line]

    def find(self, names):
        """Returns the rows of these whole names."""
        return [one for one in self.all() if one["record_id"] in names]

    def put(self, row):
        # Any character beyond ASCII is escaped, so that a row is one line in each locale.
        values = ", ".join(quoted(text) for text in (row["record_id"], row["state"], json.dumps(row)))
        self.store.sql(f"INSERT INTO recordings (record_id, state, body) VALUES ({values}) ON CONFLICT (record_id) DO UPDATE SET state = excluded.state, body = excluded.body")


def row_of(text, former):
    """Returns (row, format) of a metadata.xml; `former` is the row that is there, if any."""
    data = ElementTree.fromstring(text)
    meta, playback = data.find("meta"), data.find("playback")
    if meta is None or playback is None:
        raise ValueError("no meta, or no playback")
    row = dict(former or {"published": None, "publish_updated": False, "metadata": {}, "formats": {}})
    state = data.findtext("state")
    row.update(
        record_id=data.findtext("id"),
        meeting_id=meta.findtext("meetingId"),
        name=meta.findtext("meetingName"),
        published=data.findtext("published") == "true",
        state="published" if state == "available" else state,
        start=int(data.findtext("start_time") or 0),
        end=int(data.findtext("end_time") or 0),
        participants=int(data.findtext("participants") or 0),
    )
    row["metadata"] = {**row["metadata"], **{one.tag: one.text or "" for one in meta if one.tag not in INTERNAL}}
    form, link = playback.findtext("format"), urllib.parse.urlsplit((playback.findtext("link") or "").strip())
    length = round(float(playback.findtext("duration") or 0) / 60_000)
    # Of the address only what follows the server's name.
    row["formats"] = {**row["formats"], form: {"url": link.path + (f"?{link.query}" if link.query else ""), "length": length}}
    return row, form


class Importer:
    """Import of what lies in the spool. A tar that it can't read stays, and is tried again for ever."""

    def __init__(self, rows, environment):
        self.rows, self.folders = rows, Folders(environment)
        self.pause = float(environment.get("RECORDING_IMPORT_POLL_INTERVAL") or 60)

    def watch(self):
        ending: list = []
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: ending.append(True))
        os.makedirs(self.folders.spool, exist_ok=True)
        while not ending:
            self.round()
            end = time.monotonic() + self.pause
            while time.monotonic() < end and not ending:
                time.sleep(0.1)

    def round(self):
        for path in sorted(glob.glob(f"{self.folders.spool}/*.tar")):
            try:
                self.take(path)
            except (OSError, tarfile.TarError) as error:
                print(f"{os.path.basename(path)} could not be imported: {error}", flush=True)

    def take(self, path):
        os.makedirs(self.folders.work, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folders.work) as folder:
            with tarfile.open(path) as tar:
                # Older versions have no such filter.
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(folder)
            for metadata in sorted(glob.glob(f"{folder}/*/*/metadata.xml")):
                # What is wrong with one format is no reason to leave the others.
                try:
                    self.add(metadata)
                except (ElementTree.ParseError, AttributeError, ValueError, shutil.Error) as error:
                    print(f"{os.path.relpath(metadata, folder)} was left out: {error}", flush=True)
        os.unlink(path)

    def add(self, metadata):
        with open(metadata, encoding="utf-8") as file:
            text = file.read()
        former = next(iter(self.rows.find({ElementTree.fromstring(text).findtext("id")})), None)
        # Also of one that was unpublished or deleted since: what the metadata say counts.
        row, form = row_of(text, former)
        self.rows.put(row)
        name = row["record_id"]
        for folder in self.folders.of.values():
            shutil.rmtree(os.path.join(folder, form, name), ignore_errors=True)
        target = os.path.join(self.folders.of[row["published"]], form)
        os.makedirs(target, exist_ok=True)
        shutil.move(os.path.dirname(metadata), target)


def xml_of(row, prefix):
    metadata = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in row["metadata"].items())
    formats = "".join(
        f"<format><type>{form}</type><url>{escape(prefix + one['url'])}</url><length>{one['length']}</length></format>" for form, one in sorted(row["formats"].items())
    )
    plain = {
        "recordID": row["record_id"],
        "meetingID": row["meeting_id"],
        "internalMeetingID": row["record_id"],
        "name": row["name"],
        "published": str(row["published"]).lower(),
        "state": row["state"],
        "startTime": row["start"],
        "endTime": row["end"],
        "participants": row["participants"],
    }
    texts = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in plain.items())
    return f"<recording>{texts}<metadata>{metadata}</metadata><playback>{formats}</playback></recording>"


class Calls:
    """Calls of the API about recordings. Each returns the inside of a response, or raises `refusal`."""

    def __init__(self, store, environment, refusal):
        self.rows, self.folders, self.refusal = Rows(store), Folders(environment), refusal
        self.disabled = environment.get("RECORDING_DISABLED", "").lower() == "true"

    def names_of(self, parameters):
        names = set(filter(None, parameters.get("recordID", "").split(",")))
        if not names:
            raise self.refusal("missingParamRecordID", "You must specify a recordID.")
        return names

    def found(self, parameters, states=None):
        names = self.names_of(parameters)
        rows = [] if self.disabled else [row for row in self.rows.find(names) if states is None or row["state"] in states]
        if not rows:
            raise self.refusal("notFound", "We could not find recordings")
        return rows

    def get(self, parameters, prefix):
        rows = [] if self.disabled else self.rows.all()
        states = parameters.get("state", "").split(",") if parameters.get("state") else list(STATES)
        if "any" not in states:
            rows = [row for row in rows if row["state"] in states]
        for key, value in parameters.items():
            if key.startswith("meta_"):
                rows = [row for row in rows if row["metadata"].get(key[5:]) in value.split(",")]
        if parameters.get("recordID"):
            rows = [row for row in rows if row["record_id"].startswith(tuple(parameters["recordID"].split(",")))]
        if parameters.get("meetingID"):
            rows = [row for row in rows if row["meeting_id"] in parameters["meetingID"].split(",")]
        rows.sort(key=lambda row: row["start"], reverse=True)
        texts = "".join(xml_of(row, prefix) for row in rows)
        empty = "" if rows else "<messageKey>noRecordings</messageKey><message>There are not any recordings</message>"
        return f"<recordings>{texts}</recordings>{empty}"

    def publish(self, parameters):
        self.names_of(parameters)
        if not parameters.get("publish"):
            raise self.refusal("missingParamPublish", "You must specify a publish value true or false.")
        publish = parameters["publish"].lower() == "true"
        for row in self.found(parameters, STATES):
            if row["published"] != publish:
                for form in row["formats"]:
                    self.folders.move(row["record_id"], form, publish)
                self.rows.put({**row, "published": publish, "publish_updated": True, "state": "published" if publish else "unpublished"})
        return f"<published>{str(publish).lower()}</published>"

    def update(self, parameters):
        names = self.names_of(parameters)
        if self.disabled:
            raise self.refusal("notFound", "We could not find recordings")
        rows = self.rows.find(names)
        changes = {key[5:].lower(): value for key, value in parameters.items() if key.startswith("meta_")}
        if len(rows) != len(names) or not changes:
            return "<updated>false</updated>"
        for row in rows:
            metadata = {key: value for key, value in {**row["metadata"], **changes}.items() if value != ""}
            self.rows.put({**row, "metadata": metadata})
        return "<updated>true</updated>"

    def delete(self, parameters):
        for row in self.found(parameters):
            # Only there: what is unpublished keeps its files, by the real one's code.
            for path in glob.glob(os.path.join(self.folders.of[True], "*", row["record_id"])):
                shutil.rmtree(path)
            self.rows.put({**row, "state": "deleted", "metadata": {}, "formats": {}})
        return "<deleted>true</deleted>"

    def play(self, path):
        """Returns (status, headers) for an address of a recording; None for another."""
        names = path.strip("/").split("/")
        if self.disabled or len(names) < 2:
            return None
        wrapped = names[0] == "recording"
        if wrapped and len(names) != 3:
            return None
        name, form = (names[1], names[2]) if wrapped else (names[1], names[0])
        if not wrapped and form not in ("presentation", "video", "screenshare", "podcast", "notes", "capture"):
            return None
        row = next(iter(self.rows.find({name})), None)
        if row is None or form not in row["formats"] or not row["published"]:
            return 404, []
        if wrapped:
            return 307, [("Location", row["formats"][form]["url"])]
        return 200, [("X-Accel-Redirect", f"/static-resource{path}")]


def run_importer(store, environment):
    with contextlib.suppress(KeyboardInterrupt):
        Importer(Rows(store), environment).watch()
