"""Checks that the files of the setting branding are served as they were deployed, by their URLs.

A difference is told with the option's name. Python 3.8 or newer, standard library only.
"""

import hashlib
import os

import branding
from api_check import ask, reason, where_to
from checks import Doubtful

REMEDY = "put it back: give the setting upgrade a new value, then pulumi up"


def difference(url, digest):
    """Returns what is wrong with the content of a URL; None if it is the deployed."""
    try:
        status, _, content = ask(url)
    except OSError as error:
        return reason(error)
    if status != 200:
        return f"HTTP status {status}"
    return None if hashlib.sha256(content).hexdigest() == digest else "another content than deployed"


def landing_difference(base, landing, folder):
    """Returns what is wrong with the first page; None if it is the deployed."""
    try:
        status, leads, _ = ask(f"{base}/")
    except OSError as error:
        return reason(error)
    target = landing["url"] if landing["kind"] == "redirect" else "/welcome/"
    if landing["kind"] == "file":
        return difference(f"{base}/", branding.digest_of(folder))
    if status != 302 or leads not in (target, f"{base}{target}"):
        return f"HTTP status {status}{where_to(leads)}, where one to {target} was deployed"
    if landing["kind"] == "folder":
        return difference(f"{base}/welcome/", branding.digest_of(os.path.join(folder, "index.html")))
    return None


def check_branding(root, hostname, document):
    """Checks each file, the icon and the first page. @raise Doubtful naming the options"""
    base, folder, record = f"https://{hostname}", os.path.join(root, branding.FILES), branding.read_record(root)
    found = []
    for file in document["files"]:
        digest = file.get("sha256") or record.get(file["name"], {}).get("sha256")
        setting, name = file["setting"], file["name"]
        if file["kind"] == "folder":
            wrong = None if branding.digest_of(os.path.join(folder, name)) == digest else "another content than deployed"
        else:
            wrong = difference(f"{base}/branding/{name}", digest)
        if wrong:
            found.append(f"/branding/{name}: {wrong} ({setting})")
        elif setting == "branding.favicon":
            wrong = difference(f"{base}/favicon.ico", digest)
            if wrong:
                found.append(f"/favicon.ico: {wrong} ({setting})")
    landing = document.get("landing")
    if landing:
        wrong = landing_difference(base, landing, os.path.join(folder, landing.get("name", "")))
        if wrong:
            found.append(f"/: {wrong} (branding.landingPage)")
    if found:
        raise Doubtful("; ".join(found), REMEDY)
    count = len(document["files"])
    return f"{count} file{'' if count == 1 else 's'} as deployed{', and the first page' if landing else ''}"
