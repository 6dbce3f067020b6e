"""Whether services that are active do their work: coturn answers, and accounts can read the files that their services need."""

import os
import socket
import time

from checks import Unanswered, Wrong, output, run, worst
from system_check import states

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")


def stun_answers(address, port=3478, tries=3):
    """Whether somebody answers a STUN binding request (RFC 8489) over UDP."""
    transaction = os.urandom(12)
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + transaction
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        for _ in range(tries):
            try:
                asking.sendto(request, (address, port))
                if asking.recv(2048)[8:20] == transaction:
                    return True
            except OSError:  # a refusal comes at once
                time.sleep(0.2)
    return False


def check_coturn(listening):
    """listening: the addresses in its configuration. A process that hangs stays active."""
    state = states("is-active", ["coturn"])["coturn"]
    if state != "active":
        raise Wrong(f"coturn is {state}", "journalctl -u coturn says why; then systemctl restart coturn")
    silent = [address for address in listening if not stun_answers(address)]
    if silent:
        told = f"coturn is active, but {'hangs: it ' if len(silent) == len(listening) else ''}does not answer at {', '.join(silent)}, 3478/udp"
        raise Wrong(told, "systemctl restart coturn; journalctl -u coturn and /var/log/turnserver/turnserver.log may say why")
    since = output("systemctl", "show", "-p", "ActiveEnterTimestamp", "--value", "coturn").strip()
    return f"answers, active since {since}" if since else "answers"


def denied(user, path):
    """The first directory on the way to a file, or the file itself, that an account may not enter or read; else None."""
    directories = []
    while os.path.dirname(directories[-1] if directories else path) != "/":
        directories.append(os.path.dirname(directories[-1] if directories else path))
    for flag, one in [("-x", directory) for directory in reversed(directories)] + [("-r", path)]:
        code, told = run("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "test", flag, ROOT + one, merged=True)
        if told.startswith("setpriv:"):
            raise Unanswered(f"nobody can be {user} here: {told.strip()}", f"id {user}")
        if code:
            return one
    return None


def readable_finding(user, path, restart):
    """None where an account can read a file; `restart` is what has it read again."""
    if not os.path.exists(ROOT + path):
        return Wrong(f"there is no {path}", "run pulumi up with a new value of the setting upgrade")
    one = denied(user, path)
    if one is None:
        return None
    if one != path:
        return Wrong(f"{user} can't read {path}, since it may not enter {one}", f"chgrp {user} {one} && chmod g+rx {one}, then {restart}")
    return Wrong(f"{user} can't read {path}", f"chown root:{user} {path} && chmod 640 {path}, then {restart}")


def check_readable(user, paths, restart):
    """Files that a service's account must be able to read; it may run on with what it read before, until it starts anew."""
    return worst([finding for finding in (readable_finding(user, path, restart) for path in paths) if finding] or [f"{len(paths)} files"])
