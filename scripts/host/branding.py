#!/usr/bin/python3
"""Files of the setting branding, in a folder of this host from which nginx serves them.

    branding.py place --staging DIRECTORY [--root DIRECTORY] <DOCUMENT    puts them there, and notes which they are
    branding.py nginx <DOCUMENT                                         prints nginx's part
    branding.py tidy [--root DIRECTORY]                                 removes those of before, which no key names any more
    branding.py remove [--root DIRECTORY]                               removes all of them

DOCUMENT is bigbluebutton/brandingSite.ts's: each file's name and digest, or the URL from which this host fetches it and
what it must be. Those of the machine that deploys come into the directory --staging first. A file of a URL stays as it
was where the URL does not answer. A name changes with its content or URL, so that nothing is overwritten which a page
still shows. Python 3.8 or newer, standard library only.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import whole_files

SITE = "var/www/bigbluebutton-branding"
FILES = f"{SITE}/branding"
RECORD = "var/lib/bbb-deploy/branding.json"
FETCH_SECONDS = 60
ANSWER_SECONDS = 20
HEAD_BYTES = 65536


class Mistake(Exception):
    """Message to the operator."""


def tree_digest(folder):
    """Returns the digest of a folder, as bigbluebutton/brandingFiles.ts makes it."""
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    lines = sorted(f"{whole_files.digest(path)}  {os.path.relpath(path, folder)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def digest_of(path):
    """Returns the digest of a file or folder; None where there is none."""
    if os.path.isdir(path):
        return tree_digest(path)
    return whole_files.digest(path) if os.path.exists(path) else None


# --- files of the machine that deploys ---------------------------------------------------------------------------


def staged(staging, name, digest):
    """Returns the place of a file that has come; a copy that was cut off and made again is in a folder of the first."""
    path = os.path.join(staging, name)
    inner = [os.path.join(path, one) for one in os.listdir(path)] if os.path.isdir(path) else []
    return next((one for one in [path, *inner] if digest_of(one) == digest), None)


def put(source, target):
    """Copies a file or folder, whole or not at all, readable for nginx."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    new = tempfile.mkdtemp(prefix=".new.", dir=os.path.dirname(target))
    try:
        made = os.path.join(new, "made")
        if os.path.isdir(source):
            shutil.copytree(source, made)
        else:
            shutil.copyfile(source, made)
        opened(made)
        discard(target)
        os.rename(made, target)
    finally:
        shutil.rmtree(new)


def opened(path):
    """Gives a tree to root, to read for everybody."""
    os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    if os.geteuid() == 0:
        os.chown(path, 0, 0)
    if os.path.isdir(path):
        for name in os.listdir(path):
            opened(os.path.join(path, name))


def discard(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def place_local(file, folder, staging):
    target = os.path.join(folder, file["name"])
    if digest_of(target) != file["sha256"]:
        source = staged(staging, file["name"], file["sha256"])
        if source is None:
            raise Mistake(f"the file of {file['setting']} has not come to this host whole: give the setting upgrade a new value, which sends it again, then pulumi up")
        put(source, target)
    return {**file, "file": file["name"]}


# --- files of URLs -------------------------------------------------------------------------------------------------


class OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urllib.parse.urlsplit(newurl).scheme != "https":
            raise Mistake(f"it leads to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetched(url, most):
    """Returns the content of a URL. @raise Mistake with the reason"""
    opener = urllib.request.build_opener(OnlyHttps())
    end, content = time.monotonic() + FETCH_SECONDS, b""
    try:
        with opener.open(urllib.request.Request(url, headers={"User-Agent": "bbb-deploy"}), timeout=ANSWER_SECONDS) as answer:
            for block in iter(lambda: answer.read(1 << 16), b""):
                content += block
                if len(content) > most:
                    raise Mistake(f"it has more than {most} bytes")
                if time.monotonic() > end:
                    raise Mistake(f"it takes more than {FETCH_SECONDS} s")
    except urllib.error.HTTPError as error:
        raise Mistake(f"HTTP status {error.code}") from None
    except urllib.error.URLError as error:
        raise Mistake(str(error.reason)) from None
    except OSError as error:
        raise Mistake(str(error) or type(error).__name__) from None
    return content


def type_of(content, types):
    head = content[:HEAD_BYTES].decode("latin-1")
    found = next((one for one in types if re.search(one["pattern"], head, re.IGNORECASE)), None)
    if not content or found is None:
        raise Mistake(f"there is no {' or '.join(one['name'] for one in types)} in it")
    return found


def place_url(file, folder, before):
    known = before.get(file["name"])
    try:
        content = fetched(file["url"], file["mostBytes"])
        extension = type_of(content, file["types"])["extension"]
    except Mistake as mistake:
        if known and os.path.exists(os.path.join(folder, known["file"])):
            print(f"{file['url']} ({file['setting']}): {mistake}; it stays as it was fetched before")
            return known
        raise Mistake(f"{file['url']}, of {file['setting']}, can't be had: {mistake}. Give it another URL, or the path of a file") from None
    name = file["name"] if file["name"].endswith(f".{extension}") else f"{file['name']}.{extension}"
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "fetched")
        with open(source, "wb") as new:
            new.write(content)
        if whole_files.digest(source) != digest_of(os.path.join(folder, name)):
            put(source, os.path.join(folder, name))
        return {"name": file["name"], "file": name, "kind": "url", "setting": file["setting"], "sha256": whole_files.digest(source)}


# --- all of them ---------------------------------------------------------------------------------------------------


def read_record(root):
    """Returns the files that are wanted, by their names."""
    try:
        with open(os.path.join(root, RECORD), encoding="utf-8") as file:
            return {one["name"]: one for one in json.load(file)["files"]}
    except FileNotFoundError:
        return {}


def place(root, staging, document):
    folder, before = os.path.join(root, FILES), read_record(root)
    for directory in (os.path.join(root, SITE), folder):
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
    placed, mistakes = [], []
    for file in document["files"]:
        try:
            placed.append(place_url(file, folder, before) if file["kind"] == "url" else place_local(file, folder, staging))
        except Mistake as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise Mistake("\n".join(mistakes))
    path = os.path.join(root, RECORD)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    whole_files.replace(path, json.dumps({"files": placed}, indent=1), mode=0o644)
    shutil.rmtree(staging, ignore_errors=True)
    for one in placed:
        print(f"{one['setting']}: {one['file']}")


def tidy(root):
    folder = os.path.join(root, FILES)
    wanted = {one["file"] for one in read_record(root).values()}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name not in wanted:
            discard(os.path.join(folder, name))
            print(f"{name} removed")


def remove(root):
    discard(os.path.join(root, SITE))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(root, RECORD))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["place", "nginx", "tidy", "remove"])
    parser.add_argument("--root", default="/")
    parser.add_argument("--staging", default="/nonexistent")
    options = parser.parse_args()
    if options.action == "place":
        place(options.root, options.staging, json.load(sys.stdin))
    elif options.action == "nginx":
        sys.stdout.write(json.load(sys.stdin)["nginx"])
    elif options.action == "tidy":
        tidy(options.root)
    else:
        remove(options.root)


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
