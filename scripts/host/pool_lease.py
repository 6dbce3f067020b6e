"""Leases of a pool's balancer: which servers are out of the pool for work, so that enough others serve meanwhile.

A lease is a file, {"phase", "what", "run", "since", "seen", "until"}, times in seconds since 1970:

    draining    the server gets no new meetings, and waits for the end of those it has; nothing was done to it yet
    working     it is being changed, until its verification; an update that ends before leaves it so
    returning   it gets new meetings again, and was not found online yet
    replaced    it has gone, and a new server of its name comes

Whoever changes them holds the pool's lock (pool.locked). Python 3.8 or newer, standard library only.
"""

import contextlib
import json
import os

import whole_files

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
STATE = os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy")
LEASES = f"{STATE}/balancer/leases"
# A wait that nobody asks about any more ends after so long: its server was not touched.
WAIT_LAPSES = float(os.environ.get("BBB_DEPLOY_WAIT_LAPSES", "300"))
# Longest installation, with a restart of the host and the verification after it.
WORK_LASTS = float(os.environ.get("BBB_DEPLOY_WORK_LASTS", "7200"))


def path_of(fqdn):
    return os.path.join(LEASES, f"{fqdn}.json")


def held():
    """Returns all leases by the names of their servers."""
    found = {}
    for name in sorted(os.listdir(LEASES)) if os.path.isdir(LEASES) else []:
        if name.endswith(".json"):
            with open(os.path.join(LEASES, name), encoding="utf-8") as file:
                found[name[: -len(".json")]] = json.load(file)
    return found


def write(fqdn, lease):
    os.makedirs(LEASES, mode=0o700, exist_ok=True)
    whole_files.replace(path_of(fqdn), json.dumps(lease))


def end(fqdn):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path_of(fqdn))


def give_back(fqdn):
    lease = held().get(fqdn)
    if lease is not None:
        write(fqdn, {**lease, "phase": "returning"})


def out():
    """Returns the names of the servers that get no new meetings because of a lease."""
    return {name for name, lease in held().items() if lease["phase"] in ("draining", "working")}


def lapse(now):
    """Ends the waits that nobody asks about any more. @returns their servers"""
    found = [name for name, lease in held().items() if lease["phase"] == "draining" and lease["seen"] + WAIT_LAPSES < now]
    for name in found:
        end(name)
    return found


def is_overdue(lease, now):
    """True when a server should be back: the update that took it out did not come to its end."""
    return lease["phase"] in ("working", "replaced") and lease["until"] < now


class InTheWay:
    """Servers because of which no other can leave the pool now."""

    def __init__(self, leases, absent, now):
        self.overdue = sorted(name for name, lease in leases.items() if is_overdue(lease, now))
        self.words = "; ".join([*(told(name, lease, now) for name, lease in sorted(leases.items())), *(f"{name} does not serve" for name in sorted(absent))])


def told(name, lease, now):
    since = f"for {round((now - lease['since']) / 60)} min"
    what = {"draining": "waits for the end of its meetings", "working": "is out of the pool", "replaced": "is made anew", "returning": "comes back"}[lease["phase"]]
    if is_overdue(lease, now):
        return f"{name} {what} {since}, and should be back: the update that took it out ({lease['what']}) did not come to its end"
    return f"{name} {what} {since} ({lease['what']})"


def in_the_way(fqdn, others, serving, most, now):
    """Returns what keeps a server from leaving now; None where nothing does.

    others: names of the pool's other servers. serving: returns those of them that get new meetings and are online; asked only
    where it matters, since that takes seconds. most: how many may be out at once.
    """
    leases = {name: lease for name, lease in held().items() if name != fqdn and lease["phase"] != "returning"}
    if len(leases) >= most:
        return InTheWay(leases, [], now)
    absent = set(others) - set(serving()) - set(leases)
    return InTheWay(leases, absent, now) if len(leases) + len(absent) >= most else None
