#!/usr/bin/python3
"""Secrets of a pool's front ends: that of the deployment, and for a while the one before it.

    balancer_secrets.py take <SETTINGS    prints Scalelite's settings, with a former secret that is taken still
    balancer_secrets.py end               prints until when a former secret is taken, in seconds since 1970; nothing without one
    balancer_secrets.py retire            ends a former secret whose time is over, and restarts Scalelite's API for it

SETTINGS are lines NAME=VALUE, as docker reads them; LOADBALANCER_SECRET is the deployment's secret. Scalelite takes those of
LOADBALANCER_SECRETS beside it, separated by colons.

Python 3.8 or newer.
"""

import json
import os
import subprocess
import sys
import time

from whole_files import replace

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
KEPT = os.path.join(os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy"), "balancer/front-end-secrets.json")
ENVIRONMENT = f"{ROOT}/etc/bbb-deploy/scalelite.env"
# Time for all front ends to get the new one: that of a former secret of the TURN server.
GRACE = 2 * 86400
OURS, OTHERS = "LOADBALANCER_SECRET=", "LOADBALANCER_SECRETS="


def kept():
    """Returns {"current", "former", "until"}, without the latter two where there is no former secret."""
    try:
        with open(KEPT, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def with_secret(secrets, current, now):
    """Returns the secrets with this one. The one before is taken for a while, an older one no more."""
    if secrets.get("current") not in (None, current):
        secrets = {"former": secrets["current"], "until": now + GRACE}
    if secrets.get("until", 0) <= now:
        secrets = {}
    return {**secrets, "current": current}


def without_former(text):
    return [line for line in text.splitlines() if not line.startswith(OTHERS)]


def take(text, now):
    lines = without_former(text)
    current = next((line[len(OURS) :] for line in lines if line.startswith(OURS)), "")
    if not current:
        sys.exit("the settings of Scalelite on standard input are not whole: run pulumi up again")
    secrets = with_secret(kept(), current, now)
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    replace(KEPT, json.dumps(secrets))
    former = [OTHERS + secrets["former"]] if "former" in secrets else []
    print("\n".join([*lines, *former]))


def retire(now):
    secrets = kept()
    if "former" not in secrets or secrets["until"] > now:
        return
    with open(ENVIRONMENT, encoding="utf-8") as file:
        lines = without_former(file.read())
    replace(ENVIRONMENT, "".join(f"{line}\n" for line in lines))
    # One that fails is tried again.
    subprocess.run(["systemctl", "try-restart", "bbb-deploy-scalelite-api.service"], check=True)
    replace(KEPT, json.dumps({"current": secrets["current"]}))


def main():
    now = int(time.time())
    if sys.argv[1:] == ["take"]:
        take(sys.stdin.read(), now)
    elif sys.argv[1:] == ["end"]:
        print(kept().get("until", ""))
    elif sys.argv[1:] == ["retire"]:
        retire(now)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
