"""Keys of BigBlueButton's own override files, and whole files, that the deployment owns.

What is wanted is one JSON document (bigbluebutton/ownedKeys.ts):

    {"files": [{"path": "/etc/bigbluebutton/bbb-web.properties", "format": "properties", "restart": ["bbb-web"],
                "endsMeetings": true, "keys": [{"key": "muteOnStart", "value": "true", "setting": "meetings.muteOnStart"}]}]}

`format`: one of keyed_text.py's, or "file" for a whole file, which then has "base64", "mode" and "setting" in place of
keys. A file of the operator's own has "owner" and "replace" beside (extra_files.py). A key of YAML is a list of names. A key with "choose" in place of "value" gets a list as the package has it at
"from", in which "mark" is true in the entry whose id is "choose", and in no other.

The record, for root only, says of each key what was written and what was there before: what is no longer wanted is put
back to that. It is written before the files are, and trimmed after, so that a run that is cut off at any place is gone
on with by the next one.
"""

import base64
import json
import os
import stat

import extra_files
from keyed_text import FORMATS, Unreadable, same


class Owned:
    """Wanted document, the record, and the files as they are."""

    def __init__(self, root, wanted, recorded):
        self.root = root
        self.wanted = {file["path"]: file for file in (wanted or {}).get("files", [])}
        self.recorded = {path: dict(file) for path, file in (recorded or {}).get("files", {}).items()}
        self.next: dict = {}
        self.changed: list = []

    @property
    def paths(self):
        return list(dict.fromkeys([*self.wanted, *self.recorded]))

    def text_of(self, path):
        full = os.path.join(self.root, path.lstrip("/"))
        if not os.path.isfile(full):
            return None
        with open(full, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()

    def refusals(self):
        """Returns a text for each file of the operator's own that can't be put where it is wanted."""
        found = []
        for path, file in self.wanted.items():
            if extra_files.is_extra(file) and path not in self.recorded:
                (one,) = wanted_keys(file)
                found.append(extra_files.refusal(self.root, file, self.text_of(path), one["value"]))
        return [reason for reason in found if reason]

    def applied(self, path, text):
        """Returns the text of a file with its wanted keys; None if the file is to go. Notes what changes.

        text: as it is, or as others want it; None if it is not there.
        @raise Unreadable
        """
        try:
            return self.with_keys(path, text)
        except Unreadable as error:
            raise Unreadable(f"{path}: {error}. Mend that by hand, then run pulumi up again") from None

    def with_keys(self, path, text):
        file, recorded = self.wanted.get(path), self.recorded.get(path, {})
        form = (file or recorded).get("format")
        before = {key_id(one["key"]): one for one in recorded.get("keys", [])}
        created = recorded.get("created", text is None)
        entries, made = [], "" if text is None else text
        for one in wanted_keys(file):
            known = before.pop(key_id(one["key"]), None)
            value = self.value_of(one)
            entry = {"key": one["key"], "setting": one["setting"], "before": known["before"] if known else raw_of(form, text, one["key"])}
            entries.append(entry)
            if text is None or not same(value_in(form, made, one["key"]), value):
                made = put(form, made, one["key"], value)
                self.note(path, one)
        gone = list(before.values())
        for one in gone:
            returned = put_raw(form, made, one["key"], one["before"])
            if returned != made:
                self.note(path, one)
            made = returned
        if entries or gone:
            attributes = self.attributes_of(path) if form == "file" and not recorded else recorded.get("attributes")
            self.next[path] = {**facts_of(file or recorded), "created": created, "keys": entries, "gone": gone, **({"attributes": attributes} if attributes else {})}
        if created and not entries and gone and (form == "file" or not made.strip()):
            return None
        return made if text is not None or entries else None

    def value_of(self, one):
        if "choose" not in one:
            return one["value"]
        text = self.text_of(one["from"])
        entries = FORMATS["yaml"].value(text, one["key"]) if text is not None else None
        if not isinstance(entries, list) or not any(entry.get("id") == one["choose"] for entry in entries):
            raise Unreadable(f"{one['from']} has no {one['choose']} in {name_of(one['key'])}: {one['setting']} can't be set with this version")
        plain = [{name: value for name, value in entry.items() if name != one["mark"]} for entry in entries]
        return [{**entry, one["mark"]: True} if entry["id"] == one["choose"] else entry for entry in plain]

    def note(self, path, one):
        ends = (self.wanted.get(path) or self.recorded.get(path, {})).get("endsMeetings", True)
        self.changed.append((one["setting"], ends))

    def attributes_of(self, path):
        """Returns what a file has beside its text, to put it back; None for one that is not there."""
        full = os.path.join(self.root, path.lstrip("/"))
        if not os.path.exists(full):
            return None
        found = os.stat(full)
        return {"mode": stat.S_IMODE(found.st_mode), "owner": [found.st_uid, found.st_gid]}

    def mode_of(self, path):
        mode = (self.wanted.get(path) or {}).get("mode")
        if path not in self.wanted:
            return (self.recorded[path].get("attributes") or {}).get("mode")
        return int(mode, 8) if mode else None

    def owner_of(self, path):
        """Returns (uid, gid); None to leave it. @raise Mistake for a name that the host does not know"""
        if path in self.wanted:
            return extra_files.owner_of(self.root, self.wanted[path]) if extra_files.is_extra(self.wanted[path]) else None
        owner = (self.recorded[path].get("attributes") or {}).get("owner")
        return tuple(owner) if owner else None

    def setting_of(self, path):
        """Returns the setting that a whole file is, or was, of."""
        return self.wanted[path]["setting"] if path in self.wanted else self.recorded[path]["keys"][0]["setting"]

    def first_of(self, path):
        """Returns (text, owner, mode) of a whole file before it was ever the deployment's; None if it was not there."""
        file = self.next.get(path) or self.recorded[path]
        if file["created"]:
            return None
        mode, owner = file["attributes"]["mode"], tuple(file["attributes"]["owner"])
        return [*file["keys"], *file.get("gone", [])][0]["before"], owner, mode

    def restart_of(self, path):
        return (self.wanted.get(path) or self.recorded.get(path, {})).get("restart", [])

    def begun(self):
        """Returns the record for before the files are written: what is owned now, and what is still to be put back."""
        files = {path: {**file, "keys": file["keys"] + file["gone"]} for path, file in self.next.items()}
        return {"files": {path: without(file, "gone") for path, file in files.items()}}

    def done(self):
        """Returns the record for after that."""
        return {"files": {path: without(file, "gone") for path, file in self.next.items() if file["keys"]}}


def wanted_keys(file):
    if file is None:
        return []
    if file["format"] == "file":
        return [{"key": "", "value": base64.b64decode(file["base64"]).decode("utf-8", "surrogateescape"), "setting": file["setting"]}]
    return file["keys"]


def key_id(key):
    return json.dumps(key)


def facts_of(file):
    return {name: file[name] for name in ("format", "restart", "endsMeetings") if name in file}


def without(file, name):
    return {key: value for key, value in file.items() if key != name}


def value_in(form, text, key):
    return text if form == "file" else FORMATS[form].value(text, key)


def raw_of(form, text, key):
    if text is None or form == "file":
        return text
    return FORMATS[form].raw(text, key)


def put(form, text, key, value):
    return value if form == "file" else FORMATS[form].put(text, key, value)


def put_raw(form, text, key, raw):
    return raw or "" if form == "file" else FORMATS[form].put_raw(text, key, raw)


def name_of(key):
    return ".".join(key) if isinstance(key, list) else key


def drifted(root, wanted):
    """Returns a text for each wanted key whose value in its file is another one, never with a value."""
    owned, found = Owned(root, wanted, None), []
    for path, file in owned.wanted.items():
        text = owned.text_of(path)
        for one in wanted_keys(file):
            what = f"{name_of(one['key'])} in {os.path.basename(path)}" if file["format"] != "file" else path
            try:
                value = None if text is None else value_in(file["format"], text, one["key"])
                if value is None:
                    found.append(f"{what} is missing ({one['setting']})")
                elif not same(value, owned.value_of(one)):
                    found.append(f"{what} is another than deployed ({one['setting']})")
                elif file["format"] == "file" and owned.attributes_of(path)["mode"] != owned.mode_of(path):
                    found.append(f"{what} has another mode than deployed ({one['setting']})")
            except Unreadable as error:
                return [*found, f"{path} can't be read: {error}"]
    return found


def read_record(path):
    """Returns the record; None if nothing was ever owned."""
    if not path or not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def count(wanted):
    return sum(len(wanted_keys(file)) for file in wanted["files"])
