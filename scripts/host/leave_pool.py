#!/usr/bin/python3
"""Has this server leave its pool, before what would end its meetings: waits until the balancer lets it go, and it is empty.

    leave_pool.py --balancer FQDN --node FQDN --what TEXT --how TEXT [--allowed-by TEXT]…

what says what is to come, and how what allows it during meetings: that duringMeetings has one of the texts of --allowed-by. Exit
code 0 once it may. The server comes back as a member of the pool, when it is proven to work.

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
import time
import urllib.error
import urllib.request
import uuid

from ssh_session import Session

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
STATE = os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy")
SCHEME = os.environ.get("BBB_DEPLOY_SCHEME", "https")
PAUSE = float(os.environ.get("BBB_DEPLOY_PAUSE", "10"))
# As long as the balancer's own steps may take in the same update.
PATIENCE = float(os.environ.get("BBB_DEPLOY_PATIENCE", "900"))
LIMIT = 240
WORD_EVERY = 60


class Failure(Exception):
    """End of the run, with what is wrong and what to do."""


def say(text):
    print(text, flush=True)


def allowed(texts):
    try:
        with open(f"{STATE}/during-meetings", encoding="utf-8") as file:
            return file.read() in texts
    except OSError:
        return False


def api_secret():
    with open(f"{ROOT}/etc/bigbluebutton/bbb-web.properties", encoding="iso-8859-1") as file:
        found = re.findall(r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S+)", file.read(), re.MULTILINE)
    return found[-1] if found else ""


def ask(options, question):
    """Returns the balancer's answer. @raises OSError or ValueError without one"""
    token = hmac.new(api_secret().encode(), b"bbb-deploy lease", hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{SCHEME}://{options.balancer}/bbb-deploy/lease",
        data=json.dumps(question).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return json.loads(answer.read())


def reason_of(error):
    if isinstance(error, urllib.error.HTTPError):
        return "it knows another secret of this server" if error.code == 403 else f"HTTP status {error.code}"
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def leave(options):
    question = {"node": options.node, "run": uuid.uuid4().hex, "what": options.what}
    session, began, silent_since, next_word, said = Session(), time.monotonic(), None, 0.0, ""
    while True:
        now, anyway = time.monotonic(), allowed(options.allowed_by)
        try:
            answer = ask(options, {**question, "waited": round(now - began), "anyway": anyway})
            silent_since = None
        except (OSError, ValueError) as error:
            silent_since = silent_since or now
            words = f"{options.balancer} does not say whether other servers serve meanwhile: {reason_of(error)}"
            if anyway:
                say(f"WARNING: {words}; going on, as the setting duringMeetings allows")
                return
            if now - silent_since >= PATIENCE:
                raise Failure(f"{words}; nothing was touched. Bring the balancer back (systemctl status nginx bbb-deploy-lease there), then run pulumi up again; or go on without it: {options.how}") from None
            answer = {"wait": words}
        if "go" in answer:
            if answer.get("despite"):
                say(f"WARNING: {options.what} begins although {answer['despite']}")
            return
        if "refused" in answer:
            raise Failure(f"{options.node} was not touched: {options.what} would end its meetings, and {answer['refused']}. Run pulumi up again when they have ended; to wait longer: pulumi config set drainMinutes MINUTES; or allow it: {options.how}")
        if "stuck" in answer:
            raise Failure(f"{options.node} was not touched, since too few others would serve: {answer['stuck']}")
        if session.is_over():
            end(options, question)
            raise Failure(f"the connection of the update is gone: {options.node} was not touched")
        if answer["wait"] != said or now >= next_word:
            say(f"{options.node}: {answer['wait']}")
            said, next_word = answer["wait"], now + WORD_EVERY
        time.sleep(PAUSE)


def end(options, question):
    # Without an answer the wait lapses by itself.
    with contextlib.suppress(OSError, ValueError):
        ask(options, {**question, "end": True})


def main():
    parser = argparse.ArgumentParser()
    for name in ("--balancer", "--node", "--what", "--how"):
        parser.add_argument(name, required=True)
    parser.add_argument("--allowed-by", action="append", default=[])
    options = parser.parse_args()
    try:
        leave(options)
    except Failure as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
