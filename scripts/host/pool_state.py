"""State of a pool's servers, on its balancer: as Scalelite has them, and as they are by their own account.

Scalelite's word counts for what it does with a server: its state, its load, whether it found it online. What runs on a server, and
whether it takes the secret that Scalelite has, is asked of the server itself.

Python 3.8 or newer.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import node_state
import pool
import pool_lease


def look(nodes):
    """Returns {name: state} of these servers, and of others that are here. @raise pool.Failure without Scalelite

    state      online, offline, leaving (an update has it go), cordoned (by hand), missing (Scalelite does not know it)
    member     this host keeps it as a server of the pool
    known      Scalelite has it
    load       by Scalelite's last poll, None without
    secret     the server takes the one that Scalelite has; None where it does not answer
    meetings, people, breakouts   by the server's own account; None where it does not tell
    leavingFor seconds since an update tried last to have it go, None for one that stays
    lease      it is out of the pool for work: in words; there only then, as is late, where the work should be over
    """
    # What an update is about to change in both would be taken for somebody's by hand.
    with pool.locked():
        known, members = pool.known(), pool.members()
        names = [*nodes, *sorted((set(known) | set(members)) - set(nodes))]
        by_name = {name: by_balancer(name, known.get(name), members.get(name)) for name in names}
    with ThreadPoolExecutor(16) as threads:
        own = list(threads.map(lambda name: account(name, known.get(name), members.get(name)), names))
    return {name: {**by_name[name], **told} for name, told in zip(names, own)}


def by_balancer(name, server, member):
    leaving = member is not None and pool.is_leaving(member)
    lease, now = pool_lease.held().get(name), time.time()
    work = {} if lease is None else {"lease": pool_lease.told(name, lease, now), "late": pool_lease.is_overdue(lease, now)}
    return {
        **work,
        "state": state_of(server, leaving or name in pool_lease.out()),
        "known": server is not None,
        "member": member is not None,
        "load": server.get("load") if server else None,
        "leavingFor": max(0.0, time.time() - os.stat(pool.path_of(name)).st_mtime) if leaving else None,
    }


def state_of(server, leaving):
    if server is None:
        return "missing"
    if not pool.is_online(server):
        return "offline"
    if leaving:
        return "leaving"
    return "online" if server.get("state", "enabled") == "enabled" else "cordoned"


def account(name, server, member):
    """Returns what a server says of itself."""
    secret = (server or member or {}).get("secret", "")
    api = (server or {}).get("url") or f"{pool.SCHEME}://{name}/bigbluebutton/api"
    told = {"secret": takes(api, secret), "meetings": None, "people": None, "breakouts": None}
    try:
        meetings = node_state.ask(f"{pool.SCHEME}://{name}/bbb-deploy/state", (member or {}).get("secret", secret), limit=10)["meetings"]
    except (OSError, ValueError):
        return told
    if meetings is None:
        return told
    return {**told, **node_state.count(meetings)}


def takes(api, secret):
    """True when the API takes the secret, False when it refuses it, None without an answer."""
    root = node_state.told_meetings(api, secret)
    if root is None:
        return None
    return {"SUCCESS": True}.get(root.findtext("returncode") or "", False if root.findtext("messageKey") == "checksumError" else None)


def drain_seconds():
    """Seconds since the last attempt of an update for which a server may be without new meetings."""
    try:
        with open(f"{pool.STATE}/balancer/drain-minutes", encoding="utf-8") as file:
            return 60 * int(file.read()) + pool.ATTEMPT_LASTS
    except (OSError, ValueError):
        return 1800 + pool.ATTEMPT_LASTS
