"""Checks of a pool's balancer, for host_check.py: what it is made of, and each server of the pool as it has it."""

import socket
import urllib.request

import pool
import pool_state
from alert_messages import lasted
from checks import Doubtful, Wrong, run, worst
from system_check import states

UNITS = ["bbb-deploy-scalelite-api", "bbb-deploy-scalelite-poller", "bbb-deploy-scalelite-recording-importer", "redis-server", "postgresql", "nginx", "docker", "bbb-deploy-pool.timer", "bbb-deploy-collect.timer", "bbb-deploy-lease"]
GIVE_AGAIN = "on the balancer: systemctl start bbb-deploy-pool gives Scalelite the pool again; journalctl -u bbb-deploy-pool says why it did not"


def check_services():
    """Checks that what the balancer is made of runs."""
    off = [f"{unit} is {state}" for unit, state in states("is-active", UNITS).items() if state != "active"]
    if off:
        raise Wrong("; ".join(off), "systemctl status and journalctl -u of each say why; systemctl restart starts it")
    return f"{len(UNITS)} active"


def check_answers():
    """Checks that Redis, PostgreSQL and Scalelite answer: one that hangs is active all the same."""
    asked = {"redis-server": redis_answers, "postgresql": postgresql_answers, "bbb-deploy-scalelite-api": scalelite_answers}
    silent = [unit for unit, answers in asked.items() if not answers()]
    if silent:
        raise Wrong(f"no answer of {', '.join(silent)}", f"systemctl restart {' '.join(silent)}; meetings go on, and nobody joins meanwhile")
    return "Redis, PostgreSQL, Scalelite"


def redis_answers():
    try:
        with socket.create_connection(("127.0.0.1", 6379), 5) as connection:
            connection.settimeout(5)
            connection.sendall(b"PING\r\n")
            # One that is loading its data, or asks for a password, answers.
            return connection.recv(64) != b""
    except OSError:
        return False


def postgresql_answers():
    try:
        return run("pg_isready", "--quiet", "--host", "127.0.0.1", "--timeout", "5")[0] == 0
    except FileNotFoundError:
        return False


def scalelite_answers():
    try:
        with urllib.request.urlopen("http://127.0.0.1:3000/health_check", timeout=10):
            return True
    except OSError:
        return False


class Servers:
    """Servers of a pool, which are looked at once for all checks of them."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.found: dict = {}

    def check_all(self):
        """Checks that the balancer has servers that take meetings, and none that this deployment does not know."""
        try:
            self.found = pool_state.look(self.nodes)
        except pool.Failure as failure:
            raise Wrong(str(failure), "on the balancer: systemctl restart bbb-deploy-scalelite-api; journalctl -u bbb-deploy-scalelite-api says why. Meetings go on, and nobody joins meanwhile") from None
        usable = [name for name in self.nodes if self.found[name]["state"] == "online"]
        others = [other_finding(name, one) for name, one in self.found.items() if name not in self.nodes]
        if not usable:
            remedy = "see the lines of the servers; journalctl -u bbb-deploy-scalelite-poller on the balancer says what it gets from each"
            return worst([Wrong("no server takes new meetings", remedy), *others])
        return worst([f"{len(usable)} of {len(self.nodes)} take new meetings", *others])

    def check_one(self, name):
        return server_finding(name, self.found[name])


def running(one):
    if one["meetings"] is None:
        return "it does not tell what runs there"
    rooms = f", {pool.plural(one['breakouts'], 'breakout room')}" if one["breakouts"] else ""
    return f"{pool.plural(one['meetings'], 'meeting')}{rooms}, {one['people']} {'person' if one['people'] == 1 else 'people'}"


def leaving_finding(one):
    told = f"no new meetings, as an update tried {lasted(one['leavingFor'])} ago to have it go: {running(one)}"
    if one["leavingFor"] <= pool_state.drain_seconds():
        return told
    return Doubtful(f"{told}. No update has tried since", "run pulumi up again: a server that is empty goes then; with the setting servers as before, it gets new meetings again")


def member_of(name):
    return f"bbb-{name.split('.')[0].rpartition('-')[2]}-member"


def missing_finding(name, one):
    remedy = GIVE_AGAIN if one["member"] else f"somebody took it out of the pool by hand: pulumi up --replace with the URN of {member_of(name)} (pulumi stack --show-urns) takes it in again"
    return Wrong("the balancer does not know it: no new meetings, and nobody joins those that it has", remedy)


def silent_finding(one):
    if one["state"] == "offline" and one["secret"] is not None:
        return Doubtful("the balancer calls it offline, though its API answers", "if that stays for more than two minutes: journalctl -u bbb-deploy-scalelite-poller on the balancer")
    found = "offline" if one["state"] == "offline" else "not found offline yet by the balancer's polls"
    return Doubtful(f"its API does not answer the balancer, {found}: no new meetings, and nobody joins those that it has", "look in the cloud's console whether it runs, and start it; on it: systemctl status nginx bbb-web")


def lease_finding(name, one):
    told = f"{one['lease']}: {running(one)}"
    if not one["late"]:
        return told
    raise Doubtful(told, f"pulumi up takes that up; where the server works and nothing is to be taken up, on the balancer: sudo /usr/bin/python3 -B /usr/local/lib/bbb-deploy/pool.py back {name}")


def server_finding(name, one):
    """Judges a server of the pool."""
    if not one["known"]:
        raise missing_finding(name, one)
    if one.get("lease"):
        return lease_finding(name, one)
    if one["secret"] is False:
        remedy = f"where the line shared secret of {name} is ok: pulumi up --replace with the URN of {member_of(name)} (pulumi stack --show-urns) gives the balancer the right one; else mend that first"
        raise Wrong("it refuses the secret that the balancer has: its meetings are out of reach", remedy)
    if one["state"] == "offline" or one["secret"] is None:
        raise silent_finding(one)
    if one["state"] == "cordoned":
        raise Doubtful(f"cordoned at the balancer by hand: no new meetings; {running(one)}", GIVE_AGAIN)
    if one["meetings"] is None:
        raise Doubtful("it does not tell what runs there, and an update could not remove it", f"on {name}: systemctl restart bbb-deploy-node-state; journalctl -u bbb-deploy-node-state says why")
    if one["state"] == "leaving":
        return worst([leaving_finding(one)])
    return f"takes new meetings, load {one['load']}: {running(one)}"


def other_finding(name, one):
    """Judges a server that this deployment does not count any more, or never did."""
    if one["leavingFor"] is not None:
        finding = leaving_finding(one)
        text = f"{name}: {finding}"
        return Doubtful(text, finding.remedy) if isinstance(finding, Doubtful) else text
    if one["member"]:
        return Doubtful(f"{name} is in the pool, which the last update that ended well did not have", "run pulumi up again")
    return f"{name} is there by another hand than this deployment's"
