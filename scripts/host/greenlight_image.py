"""Pins the image of Greenlight in its docker-compose.yml.

An image is taken at the first run, and later where the setting `upgrade` has a new text or a version is asked for by its
number; never one that is older than what runs, whose tables it would not know. A tag that somebody wrote by hand since
stays.
"""

import json
import os
import re
import subprocess

PULL_LIMIT = 900


def numbers(version):
    """Returns a version as it is compared; empty for a text that is none."""
    return [int(part) for part in version.split(".")] if re.fullmatch(r"\d+(\.\d+)+", version) else []


def line_of(name):
    return re.compile(rf"^([ \t]*image:[ \t]*{re.escape(name)}:)([\w.-]+)[ \t]*$", re.MULTILINE)


def decide(tag, now, wanted, record):
    """Returns (version to have, or None for the tag as it is; a note for the operator or None).

    tag: of docker-compose.yml. now: version of that image, or None. record: of the last run, or None.
    """
    target = wanted["version"]
    if record and record["upgrade"] == wanted["upgrade"] and not (wanted.get("chosen") and record["version"] != target):
        by_hand = tag != f"v{record['version']}"
        return None, f"Greenlight's image has the tag {tag} by hand, and keeps it" if by_hand else None
    if now is None:
        return None, f"Greenlight's image {tag} does not tell its version, and stays: {target} may be an older one"
    if numbers(now) > numbers(target):
        return now, f"Greenlight {now} is newer than {target}, and stays"
    return target, None


def pin(text, wanted, record):
    """Returns (new text, version or None, note or None) of docker-compose.yml."""
    pattern = line_of(wanted["name"])
    found = pattern.search(text)
    if not found:
        return text, None, f"docker-compose.yml names another image than {wanted['name']}, which stays"
    version, note = decide(found[2], version_of(f"{wanted['name']}:{found[2]}"), wanted, record)
    return (pattern.sub(rf"\g<1>v{version}", text) if version else text), version, note


def version_of(image):
    """Returns the version that an image on this host says it has; None where it says none."""
    command = ["docker", "image", "inspect", "--format", "{{json .Config.Env}}", image]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
        variables = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    found = [re.fullmatch(r"VERSION_TAG=(?:release-|v)?(\d+(?:\.\d+)+)", one) for one in variables or []]
    return next((one[1] for one in found if one), None)


def pull(image):
    """Fetches an image. @return None, or why it could not be"""
    try:
        done = subprocess.run(["docker", "pull", image], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PULL_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return None if done.returncode == 0 else (said[-1] if said else f"exit code {done.returncode}")


def read_record(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)
