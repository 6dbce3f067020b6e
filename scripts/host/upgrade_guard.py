#!/usr/bin/python3
"""Keeps automatic upgrades from restarting services under meetings and calls.

    upgrade_guard.py        writes the files, and tells systemd

needrestart, which runs after each upgrade, must not restart the services in SERVICES because a library of theirs is
new. Unattended upgrades, in which a package restarts its own service, run at night and only while no meeting runs
and no relay is in use. scripts/check says how long ago they ran, in case there is no such moment.
"""

import os
import subprocess

from checks import Doubtful
from whole_files import replace

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
HERE = "/usr/local/lib/bbb-deploy"

# Beginnings of the names of units.
SERVICES = """bbb- bigbluebutton containerd coturn docker etherpad freeswitch haproxy kurento livekit mongod nginx postgresql
  redis""".split()

NEEDRESTART = "/etc/needrestart/conf.d/bbb-deploy-services.conf"
FILES = {
    NEEDRESTART: f"""# Written by the deployment: restarts of these end meetings and calls, and are the operator's to time.
$nrconf{{override_rc}}{{qr(^({'|'.join(SERVICES)}))}} = 0;
""",
    "/etc/systemd/system/apt-daily-upgrade.timer.d/50-bbb-deploy.conf": """# Written by the deployment: at night, again each hour until it was done that day.
[Timer]
OnCalendar=
OnCalendar=*-*-* 00,01,02,03,04,05:00
RandomizedDelaySec=20m
Persistent=false
""",
    "/etc/systemd/system/apt-daily-upgrade.service.d/50-bbb-deploy.conf": f"""# Written by the deployment: not while meetings run.
[Service]
ExecCondition=/bin/sh -c 'test ! -e {HERE}/idle.sh || exec bash {HERE}/idle.sh'
""",
}


def text_of(path):
    try:
        with open(ROOT + path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def guard_finding():
    """Finding of scripts/check about it."""
    changed = [path for path, text in FILES.items() if text_of(path) != text]
    if not changed:
        return "no service is restarted under meetings"
    return Doubtful(
        f"upgrades may restart coturn, FreeSWITCH, nginx and redis under meetings: {', '.join(changed)} is not as deployed",
        f"sudo {HERE}/upgrade_guard.py writes it anew",
    )


def main():
    changed = [path for path, text in FILES.items() if text_of(path) != text]
    for path in changed:
        os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
        replace(ROOT + path, FILES[path], mode=0o644)
    if any(path.startswith("/etc/systemd/") for path in changed):
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        # A timer of a system without one is none to restart.
        subprocess.run(["systemctl", "try-restart", "apt-daily-upgrade.timer"], check=False)


if __name__ == "__main__":
    main()
