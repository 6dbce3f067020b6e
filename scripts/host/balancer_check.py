"""Checks of a pool's balancer, for host_check.py."""

import pool
from checks import Doubtful, Wrong
from system_check import states

UNITS = ["bbb-deploy-scalelite-api", "bbb-deploy-scalelite-poller", "redis-server", "postgresql", "nginx", "docker"]


def check_services():
    """Checks that what the balancer is made of runs."""
    off = [f"{unit} is {state}" for unit, state in states("is-active", UNITS).items() if state != "active"]
    if off:
        raise Wrong("; ".join(off), "systemctl status and journalctl -u of each say why; systemctl restart starts it")
    return f"{len(UNITS)} active"


def check_pool(nodes):
    """Checks that the balancer has the pool's servers, and has found them online."""
    try:
        servers, members = pool.known(), pool.members()
    except pool.Failure as failure:
        raise Wrong(str(failure), "journalctl -u bbb-deploy-scalelite-api") from None
    missing = [name for name in nodes if name not in servers]
    if missing:
        raise Wrong(f"Scalelite does not know {', '.join(missing)}", "systemctl start bbb-deploy-pool gives it the servers again; journalctl -u bbb-deploy-pool says why it did not")
    off = [name for name in nodes if not pool.is_online(servers[name])]
    remedy = "look at each: systemctl status nginx bbb-web; journalctl -u bbb-deploy-scalelite-poller here"
    if len(off) == len(nodes):
        raise Wrong("all servers are offline", remedy)
    if off:
        raise Doubtful(f"{', '.join(off)} offline: no new meetings there", remedy)
    leaving = [name for name, member in members.items() if pool.is_leaving(member)]
    return f"{len(nodes)} online" + (f"; leaving: {', '.join(leaving)}" if leaving else "")
