"""Secrets of BigBlueButton that a copy of a server would share with it, in the files that hold them.

An image has a mark in the place of each: a copy replaces the marks by secrets of its own, before anything of
BigBlueButton starts there. Constants of the packages are no secrets, and stay.
"""

import os
import re
import secrets
import stat

from whole_files import read, replace

ESL_FACTORY = "ClueCon"
"""Password of FreeSWITCH's event socket for which bbb-conf --setip makes another one, everywhere."""

AKKA = "etc/bigbluebutton/bbb-apps-akka.conf"
FSESL = "etc/bigbluebutton/bbb-fsesl-akka.conf"
WEB = "etc/bigbluebutton/bbb-web.properties"
WEB_DEFAULT = "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
SOCKET = "opt/freeswitch/etc/freeswitch/autoload_configs/event_socket.conf.xml"
SFU = "etc/bigbluebutton/bbb-webrtc-sfu/production.yml"
SFU_DEFAULT = "usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml"
LIVEKIT = "etc/bigbluebutton/livekit.yaml"
HASURA = "usr/share/bbb-graphql-server/admin-secret"
HASURA_BEFORE = "etc/default/bbb-graphql-server"
ETHERPAD = "usr/share/etherpad-lite"
FREESWITCH_KEYS = "opt/freeswitch/etc/freeswitch/tls"

SALT = r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S+)"
HASURA_LINE = r"^HASURA_GRAPHQL_ADMIN_SECRET=(\S+)"
WHOLE = r"\A\s*(\S+)\s*\Z"

# Secret → where it is read: (file, expression whose first group is its value).
SOURCES = {
    "shared": [(WEB, SALT)],
    "packaged": [(WEB_DEFAULT, SALT)],
    "esl": [
        (FSESL, r'^[ \t]*(?:freeswitch\.)?(?:esl\.)?password[ \t]*[=:][ \t]*"?([^"\s]+)'),
        (SOCKET, r'<param\s+name="password"\s+value="([^"]+)"'),
        (SFU, r"^[ \t]*esl_password:[ \t]*\"?([^\"\s]+)"),
        (SFU_DEFAULT, r"^[ \t]*esl_password:[ \t]*\"?([^\"\s]+)"),
    ],
    "livekit-key": [(LIVEKIT, r"^keys:\s*\n[ \t]+\"?([^\s:\"]+)\"?:")],
    "livekit-secret": [(LIVEKIT, r"^keys:\s*\n[ \t]+[^\s:]+:[ \t]*\"?([^\s\"]+)")],
    "hasura": [(HASURA, HASURA_LINE), (HASURA_BEFORE, HASURA_LINE)],
    "etherpad": [(f"{ETHERPAD}/APIKEY.txt", WHOLE)],
    "etherpad-session": [(f"{ETHERPAD}/SESSIONKEY.txt", WHOLE)],
}

# Files that may have a copy of one.
HOLDERS = [
    *dict.fromkeys(name for places in SOURCES.values() for name, _ in places),
    AKKA,
    "etc/bigbluebutton/bbb-webhooks/production.yml",
    "usr/local/bigbluebutton/bbb-webhooks/config/default.yml",
    "etc/bigbluebutton/livekit-sip.yaml",
    "etc/bigbluebutton/bbb-webrtc-recorder.yml",
    "usr/share/bbb-graphql-server/config.yaml",
    "usr/local/bigbluebutton/bbb-pads/config/settings.json",
    "etc/bigbluebutton/bbb-pads.json",
]

# A shorter one is a constant, or a word that other lines have, too.
SHORTEST = 12


def mark(name):
    """Returns what an image has in the place of a secret."""
    return f"sealed-{name}"


def texts(root, names=HOLDERS):
    """Yields (name, text) of the files that there are."""
    for name in names:
        path = os.path.join(root, name)
        if os.path.isfile(path):
            yield name, read(path)


def present(root):
    """Returns {name: [values]} of the secrets in the files, without marks, and without the event socket's factory password."""
    # Two secrets with one value have one mark.
    none = [ESL_FACTORY, *(mark(name) for name in SOURCES)]
    found: dict = {}
    for name, places in SOURCES.items():
        for file, text in texts(root, [file for file, _ in places]):
            for value in re.findall(dict(places)[file], text, re.MULTILINE):
                if value not in none and value not in found.setdefault(name, []):
                    found[name].append(value)
    return {name: values for name, values in found.items() if values}


def seal(root):
    """Puts marks in the place of the secrets, in each file that has them."""
    known = present(root)
    rows = [(value, ESL_FACTORY if name == "esl" else mark(name)) for name, values in known.items() for value in values]
    # A value that is the beginning of another one comes after it.
    exchange(root, sorted(((value, new) for value, new in rows if len(value) >= SHORTEST), key=lambda row: -len(row[0])))


def exchange(root, rows):
    """Puts each row's second text in the place of its first, in all files that may have one."""
    for name, text in texts(root):
        new = text
        for old, value in rows:
            new = new.replace(old, value)
        rewrite(os.path.join(root, name), text, new)


def rewrite(path, before, text):
    """Writes a file's new text, if it is another one, with the file's own owner and mode."""
    if text != before:
        status = os.stat(path)
        replace(path, text, (status.st_uid, status.st_gid), stat.S_IMODE(status.st_mode))


def new_values():
    """Returns {secret: value} for a copy. The event socket's password is not among them: bbb-conf makes that."""
    values = {name: secrets.token_hex(24) for name in SOURCES if name != "esl"}
    values["livekit-key"] = f"API{secrets.token_hex(6)}"
    values["etherpad"] = secrets.token_hex(32)
    values["etherpad-session"] = secrets.token_hex(32)
    return values


def personalise(root, values):
    """Puts the values in the place of the marks. Longer names come first: one may be the beginning of another."""
    exchange(root, [(mark(name), values[name]) for name in sorted(values, key=len, reverse=True)])


def marked(root):
    """Returns the files that still have a mark."""
    marks = [mark(name) for name in SOURCES]
    return [name for name, text in texts(root) if any(one in text for one in marks)]


def key_files(root):
    """Returns FreeSWITCH's own keys for TLS and DTLS."""
    directory = os.path.join(root, FREESWITCH_KEYS)
    if not os.path.isdir(directory):
        return []
    paths = (os.path.join(directory, name) for name in sorted(os.listdir(directory)) if name.endswith(".pem"))
    return [path for path in paths if stat.S_ISREG(os.lstat(path).st_mode)]
