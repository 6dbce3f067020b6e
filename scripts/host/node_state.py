#!/usr/bin/python3
"""Tells what runs on this BigBlueButton server, for the balancer of its pool, which must not trust its own memory.

    node_state.py --serve     answers on 127.0.0.1, to who has the token
    node_state.py --ask       asks for the state, and prints the answer

The token comes of the secret of this server's API, which this server and its balancer alone have.

    GET /bbb-deploy/state               {"meetings": [{"id", "people", "breakout"}], "unprocessed": [recordings],
                                        "recordings": {recording: {format: version}}}
    GET /bbb-deploy/recording?id=…&formats=…[&hidden=1]    formats of a recording as a tar, in frames; of "probe", an empty one
    POST /bbb-deploy/arrived            {"id", "formats": {format: version}}: the balancer has these

"meetings" is null where the API does not answer; "recordings" has what the balancer does not have yet.

Python 3.8 or newer, standard library only.
"""

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import re
import sys
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import node_recordings
from json_service import JsonHandler, serve

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
PROPERTIES = f"{ROOT}/etc/bigbluebutton/bbb-web.properties"
API = os.environ.get("BBB_DEPLOY_API", "http://127.0.0.1:8090") + "/bigbluebutton/api"
PORT = int(os.environ.get("BBB_DEPLOY_STATE_PORT", "9689"))


def token_of(secret):
    return hmac.new(secret.encode(), b"bbb-deploy node state", hashlib.sha256).hexdigest()


def secret():
    with open(PROPERTIES, encoding="iso-8859-1") as file:
        found = re.findall(r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S+)", file.read(), re.MULTILINE)
    return found[-1] if found else ""


def told_meetings(api, api_secret):
    """Returns an API's answer to getMeetings; None without one."""
    checksum = hashlib.sha256(f"getMeetings{api_secret}".encode()).hexdigest()
    try:
        with urllib.request.urlopen(f"{api.rstrip('/')}/getMeetings?checksum={checksum}", timeout=10) as answer:
            return ElementTree.fromstring(answer.read())
    except (OSError, ElementTree.ParseError):
        return None


def meetings():
    """Returns the meetings and breakout rooms that are not ended; None where the API does not tell."""
    root = told_meetings(API, secret())
    if root is None or root.findtext("returncode") != "SUCCESS":
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


def state():
    return {"meetings": meetings(), "unprocessed": node_recordings.unprocessed(), "recordings": node_recordings.waiting()}


class Handler(JsonHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if not self.may_ask():
            return
        if path == "/bbb-deploy/state":
            self.answer(200, state())
        elif path == "/bbb-deploy/recording":
            self.send_recording(dict(urllib.parse.parse_qsl(query)))
        else:
            self.answer(404, {})

    def do_POST(self):
        if not self.may_ask():
            return
        length = int(self.headers.get("Content-Length") or 0)
        try:
            given = json.loads(self.rfile.read(length)) if 0 < length < 10_000 else {}
            recording, formats = given["id"], given["formats"]
            good = self.path == "/bbb-deploy/arrived" and node_recordings.ID.fullmatch(recording) and isinstance(formats, dict)
        except (KeyError, TypeError, ValueError):
            good = False
        if not good:
            self.answer(404, {})
            return
        node_recordings.mark(recording, formats)
        self.answer(200, {})

    def may_ask(self):
        """Answers who does not have the token."""
        try:
            wanted = token_of(secret())
        except OSError:
            self.answer(503, {})
            return False
        if not self.has_token(wanted):
            self.answer(404, {})
            return False
        return True

    def send_recording(self, asked):
        recording, formats = asked.get("id", ""), [form for form in asked.get("formats", "").split(",") if node_recordings.FORMAT.fullmatch(form)]
        here = node_recordings.published().get(recording, {})
        if recording == node_recordings.PROBE:
            formats = []
        elif not formats or not set(formats) <= set(here):
            self.answer(404, {})
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("X-Recording-Bytes", str(node_recordings.size_of(recording, formats)))
        self.end_headers()
        # What changes meanwhile ends the stream without its end.
        with contextlib.suppress(OSError):
            node_recordings.send(recording, formats, self.wfile, asked.get("hidden") == "1")


def opened(url, api_secret, limit=20, body=None):
    """Returns the answer of a server to its balancer, to be read and closed. @raises OSError without one"""
    return urllib.request.urlopen(urllib.request.Request(url, data=body, headers={"Authorization": f"Bearer {token_of(api_secret)}"}), timeout=limit)


def ask(url, api_secret, limit=20):
    """Returns the state that a server tells. @raises OSError or ValueError without an answer"""
    with opened(url, api_secret, limit) as answer:
        return json.loads(answer.read())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--ask", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve(Handler, PORT)
    print(json.dumps(ask(f"http://127.0.0.1:{PORT}/bbb-deploy/state", secret())))


if __name__ == "__main__":
    sys.exit(main())
