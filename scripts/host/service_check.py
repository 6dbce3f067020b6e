"""Checks that active services do their work: they answer, and accounts can read the files that their services need."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from checks import Unanswered, Wrong, output, run, worst
from system_check import BBB_ALWAYS, BBB_SWITCHED_ON, states

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")


def stun_answers(address, port=3478, tries=3):
    """True when something answers a STUN binding request (RFC 8489) over UDP."""
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
    """listening: the addresses in its configuration. It finds a process that hangs, which stays active."""
    state = states("is-active", ["coturn"])["coturn"]
    if state != "active":
        raise Wrong(f"coturn is {state}", "journalctl -u coturn says why; then systemctl restart coturn")
    silent = [address for address in listening if not stun_answers(address)]
    if silent:
        told = f"coturn is active, but {'hangs: it ' if len(silent) == len(listening) else ''}does not answer at {', '.join(silent)}, 3478/udp"
        raise Wrong(told, "systemctl restart coturn; journalctl -u coturn and /var/log/turnserver/turnserver.log may say why")
    since = output("systemctl", "show", "-p", "ActiveEnterTimestamp", "--value", "coturn").strip()
    return f"answers, active since {since}" if since else "answers"


# What each kind of server answers with something, whatever it thinks of it. FreeSWITCH speaks first.
QUESTIONS = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bbb-deploy\r\nConnection: close\r\n\r\n",
    "redis": b"PING\r\n",
    "postgres": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    "freeswitch": b"",
}


def is_silent(port, question, patience):
    """True when a port of this host accepts a connection, but says nothing within `patience` seconds; to be hung up on
    is an answer.

    The kernel accepts connections for a process that hangs, until too many of them wait.
    """
    for _ in range(2):
        try:
            with socket.create_connection(("127.0.0.1", port), patience / 2) as asking:
                asking.settimeout(patience / 2)
                asking.sendall(question)
                asking.recv(1)
                return False
        except socket.timeout:
            continue
        except OSError:  # nobody listens there, which is no matter of this check, or it was hung up on
            return False
    return True


def stopped(unit):
    """True when the main process of a unit stands still, by SIGSTOP for example."""
    pid = output("systemctl", "show", "-p", "MainPID", "--value", unit).strip()
    try:
        with open(f"{ROOT}/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


def check_answers(services, patience=20):
    """services: {unit, port, speaks} of those that can be asked. It finds a process that hangs, which stays active."""
    units = list(dict.fromkeys([service["unit"] for service in services] + BBB_ALWAYS + BBB_SWITCHED_ON))
    active = [unit for unit, state in states("is-active", units).items() if state == "active"]
    asked = [service for service in services if service["unit"] in active]
    with ThreadPoolExecutor(max_workers=len(asked) or 1) as pool:
        silent = list(pool.map(lambda one: is_silent(one["port"], QUESTIONS[one["speaks"]], patience), asked))
    hanging = {one["unit"]: f"it does not answer at port {one['port']}" for one, hangs in zip(asked, silent) if hangs}
    hanging.update({unit: "its process is stopped" for unit in active if stopped(unit)})
    if hanging:
        told = ", ".join(f"{unit} is active, but hangs: {how}" for unit, how in hanging.items())
        names = " ".join(hanging)
        raise Wrong(told, f"systemctl restart {names}; journalctl -u {names.replace(' ', ' -u ')} may say why")
    return f"{len(asked)} answer" if asked else "none can be asked"


def denied(user, path):
    """Returns the first directory on the way to a file, or the file itself, that an account may not enter or read; else
    None.
    """
    directories: list = []
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
    """Returns None when an account can read a file; `restart` makes it read again."""
    if not os.path.exists(ROOT + path):
        return Wrong(f"there is no {path}", "run pulumi up with a new value of the setting upgrade")
    one = denied(user, path)
    if one is None:
        return None
    if one != path:
        return Wrong(f"{user} can't read {path}, since it may not enter {one}", f"chgrp {user} {one} && chmod g+rx {one}, then {restart}")
    return Wrong(f"{user} can't read {path}", f"chown root:{user} {path} && chmod 640 {path}, then {restart}")


def check_readable(user, paths, restart):
    """Checks files that a service's account must be able to read. Until its next start it may run with what it read
    before.
    """
    return worst([finding for finding in (readable_finding(user, path, restart) for path in paths) if finding] or [f"{len(paths)} files"])
