#!/usr/bin/python3
"""Tells what runs on this BigBlueButton server, for the balancer of its pool, which must not trust its own memory.

    node_state.py --serve     answers GET /bbb-deploy/state on 127.0.0.1, to who has the token
    node_state.py --ask       asks that, and prints the answer

The token comes of the secret of this server's API, which this server and its balancer alone have. An answer is one JSON
document:

    {"meetings": [{"id", "people", "breakout"}], "unprocessed": [recordings]}

"meetings" is null where the API does not answer.

Python 3.8 or newer, standard library only.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
PROPERTIES = f"{ROOT}/etc/bigbluebutton/bbb-web.properties"
STATUS = f"{ROOT}/var/bigbluebutton/recording/status"
API = os.environ.get("BBB_DEPLOY_API", "http://127.0.0.1:8090") + "/bigbluebutton/api"
PORT = int(os.environ.get("BBB_DEPLOY_STATE_PORT", "9689"))
# Steps of a recording between the end of its meeting and its last format.
UNDER_WAY = ("ended", "recorded", "archived", "sanity", "captions", "processed")


def token_of(secret):
    return hmac.new(secret.encode(), b"bbb-deploy node state", hashlib.sha256).hexdigest()


def secret():
    with open(PROPERTIES, encoding="iso-8859-1") as file:
        found = re.findall(r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S+)", file.read(), re.MULTILINE)
    return found[-1] if found else ""


def meetings():
    """Returns the meetings and breakout rooms that are not ended; None where the API does not tell."""
    checksum = hashlib.sha256(f"getMeetings{secret()}".encode()).hexdigest()
    try:
        with urllib.request.urlopen(f"{API}/getMeetings?checksum={checksum}", timeout=10) as answer:
            root = ElementTree.fromstring(answer.read())
    except (OSError, ElementTree.ParseError):
        return None
    if root.findtext("returncode") != "SUCCESS":
        return None
    return [
        {
            "id": one.findtext("meetingID") or "",
            "people": int(one.findtext("participantCount") or 0),
            "breakout": one.findtext("isBreakout") == "true",
        }
        for one in root.findall("meetings/meeting")
        if one.findtext("hasBeenForciblyEnded") != "true"
    ]


def count(found):
    """Returns the numbers of meetings, of breakout rooms, and of the people in both."""
    breakouts = sum(1 for one in found if one["breakout"])
    return {"meetings": len(found) - breakouts, "breakouts": breakouts, "people": sum(one["people"] for one in found)}


def recording_of(name):
    """Returns the recording of a marker such as ID.done or ID-presentation.done."""
    found = re.match(r"([0-9a-f]{40}-\d+)", name)
    return found[1] if found else name.split(".")[0]


def markers(folder, ending):
    path = os.path.join(STATUS, folder)
    return {recording_of(name) for name in os.listdir(path) if name.endswith(ending)} if os.path.isdir(path) else set()


def unprocessed():
    """Returns the recordings of which no format is published yet, and whose processing did not fail for good."""
    published = markers("published", ".done")
    given_up = {one for folder in ("archived", "sanity", "processed", "published") for one in markers(folder, ".fail")}
    unwanted = markers("archived", ".norecord")
    under_way = {one for folder in UNDER_WAY for one in markers(folder, ".done")}
    return sorted(under_way - published - given_up - unwanted)


def state():
    return {"meetings": meetings(), "unprocessed": unprocessed()}


class Handler(BaseHTTPRequestHandler):
    timeout = 30

    def do_GET(self):
        given = self.headers.get("Authorization", "").replace("Bearer ", "", 1)
        try:
            wanted = token_of(secret())
        except OSError:
            self.answer(503, "{}")
            return
        if self.path != "/bbb-deploy/state" or not hmac.compare_digest(given.encode(), wanted.encode()):
            self.answer(404, "{}")
            return
        self.answer(200, json.dumps(state()))

    def answer(self, status, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def ask(url, api_secret, limit=20):
    """Returns the state that a server tells. @raises OSError or ValueError without an answer"""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token_of(api_secret)}"})
    with urllib.request.urlopen(request, timeout=limit) as answer:
        return json.loads(answer.read())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--ask", action="store_true")
    options = parser.parse_args()
    if options.serve:
        ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
    print(json.dumps(ask(f"http://127.0.0.1:{PORT}/bbb-deploy/state", secret())))


if __name__ == "__main__":
    sys.exit(main())
