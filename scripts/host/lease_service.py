#!/usr/bin/python3
"""Lets the servers of this balancer's pool leave it for work, no more at once than the settings allow, each when it is empty.

    lease_service.py        answers POST /bbb-deploy/lease on 127.0.0.1

A server asks for itself, again and again until it is answered otherwise, with a token that comes of the secret of its API. A
question is one JSON document, {"node", "run", "what", "waited", "anyway", "end"}: run tells the tries of one update from those of
another, waited has its seconds so far, anyway does not wait for meetings, and end takes the wish back. An answer is one of

    {"go": true, "despite": words}     it may: it gets no new meetings, and nothing runs on it, or what despite says
    {"wait": words}                    not yet
    {"refused": words}                 it has waited long enough; it gets new meetings again, unless work on it had begun. Told when no
                                       other is at work: Pulumi ends an update at its first failure, and they would stay half done
    {"stuck": words}                   another one does not come back

Python 3.8 or newer.
"""

import hashlib
import hmac
import json
import os
import sys
import threading
import time

import pool
import pool_lease
from json_service import JsonHandler, serve

PORT = int(os.environ.get("BBB_DEPLOY_LEASE_PORT", "9690"))
LONGEST_QUESTION = 10_000
# Seconds for which an update waits for a server that should be back: that one's own part of the update may bring it back.
OVERDUE_PATIENCE = float(os.environ.get("BBB_DEPLOY_OVERDUE_PATIENCE", "600"))
# Longest work of another server after which a refusal is told, though that one is not back.
REFUSAL_WITHIN = float(os.environ.get("BBB_DEPLOY_REFUSAL_WITHIN", "3600"))
# A server that waits asks again within so long.
ASKING_LASTS = float(os.environ.get("BBB_DEPLOY_ASKING_LASTS", "60"))
# Asking Scalelite takes seconds, and many may wait at once.
KNOWN_LASTS = float(os.environ.get("BBB_DEPLOY_KNOWN_LASTS", "15"))


def token_of(secret):
    return hmac.new(secret.encode(), b"bbb-deploy lease", hashlib.sha256).hexdigest()


class Pool:
    """Servers of the pool, as Scalelite sees them."""

    def __init__(self):
        self.known, self.asked = {}, 0.0

    def serving(self, members):
        if time.monotonic() - self.asked > KNOWN_LASTS:
            self.known, self.asked = pool.known(), time.monotonic()
        online = {name for name, server in self.known.items() if pool.is_online(server) and pool.takes_meetings(server)}
        return [name for name, member in members.items() if name in online and not pool.is_leaving(member)]


class Leases:
    """Answers to servers that want to leave."""

    def __init__(self):
        self.pool, self.gates, self.gates_lock = Pool(), {}, threading.Lock()
        # Servers that wait, with the time of their last question, and those that have waited long enough, with run and words.
        self.asked, self.refusals = {}, {}

    def answer(self, question):
        fqdn, run = question["node"], question["run"]
        if question.get("end"):
            self.asked.pop(fqdn, None)
            self.end(fqdn, run)
            return {}
        refused, words = self.refusals.get(fqdn, ("", ""))
        if refused == run and not question.get("anyway"):
            return self.refusal(fqdn, words)
        self.refusals.pop(fqdn, None)
        self.asked[fqdn] = time.monotonic()
        answer = self.take(fqdn, question) or self.empty(fqdn, question)
        if "wait" not in answer:
            self.asked.pop(fqdn, None)
        if "refused" in answer:
            self.refusals[fqdn] = (run, answer["refused"])
            return self.refusal(fqdn, answer["refused"])
        return answer

    def refusal(self, fqdn, words):
        """Answers a server that has waited long enough."""
        now = time.time()
        with pool.locked():
            at_work = {name for name, lease in pool_lease.held().items() if lease["phase"] != "returning" and lease["seen"] + REFUSAL_WITHIN > now}
        waiting = {name for name, asked in list(self.asked.items()) if time.monotonic() - asked < ASKING_LASTS}
        others = sorted((at_work | waiting) - set(self.refusals) - {fqdn})
        if others:
            return {"wait": f"it stays as it is: {words}. Its part of the update fails once the others are done: {', '.join(others)}"}
        return {"refused": words}

    def take(self, fqdn, question):
        """Takes the lease, or goes on with one that the server has. @returns an answer where that is not possible"""
        now, run = time.time(), question["run"]
        with pool.locked():
            lapsed = pool_lease.lapse(now)
            members = pool.members()
            lease = pool_lease.held().get(fqdn)
            had = lease is not None and lease["phase"] in ("draining", "working")
            if not had:
                settled = {name: member for name, member in members.items() if name != fqdn and not member["leaving"]}
                way = pool_lease.in_the_way(fqdn, settled, lambda: self.pool.serving(settled), pool.number("max-unavailable", 1), now)
                if way is not None:
                    if lapsed:
                        pool.apply()
                    return blocked(way, question)
                lease = {"phase": "draining"}
            same = had and lease["run"] == run
            pool_lease.write(fqdn, {**lease, "what": question["what"], "run": run, "since": lease["since"] if same else now, "seen": now, "until": now + pool_lease.WORK_LASTS})
            if not same or lapsed:
                pool.apply()
        return None

    def empty(self, fqdn, question):
        """Answers a server that has a lease, and gets no new meetings: whether it is empty."""
        gate = self.gate(fqdn, question["run"])
        found = gate.look()
        reason = gate.reason(found)
        despite = reason if found else ""
        if found == "" and gate.silent_since is not None:
            despite = "nobody knows what runs there: it does not answer, and counts as dead"
        with pool.locked():
            lease = pool_lease.held().get(fqdn)
            if lease is None or lease["run"] != question["run"]:
                return {"wait": "another update asks for the same server"}
            if found == "" or question.get("anyway"):
                pool_lease.write(fqdn, {**lease, "phase": "working"})
                return {"go": True, "despite": despite}
            minutes = pool.number("drain-minutes", 30)
            silent = gate.silent_since is not None and time.monotonic() < gate.silent_since + pool.DEAD_WITHIN
            if time.time() < lease["since"] + minutes * 60 or silent:
                words = f"it gets no new meetings; waiting for the end of what runs there: {found}" if gate.told else f"waiting, since {found}"
                return {"wait": words}
            if lease["phase"] == "draining":
                pool_lease.end(fqdn)
                pool.apply()
        return {"refused": reason + (f", after {pool.plural(minutes, 'minute')}" if minutes and gate.told else "")}

    def end(self, fqdn, run):
        with pool.locked():
            lease = pool_lease.held().get(fqdn)
            if lease is not None and lease["run"] == run and lease["phase"] == "draining":
                pool_lease.end(fqdn)
                pool.apply()

    def gate(self, fqdn, run):
        """Returns the gate of a server, which remembers since when it is silent."""
        secret = pool.members()[fqdn]["secret"]
        with self.gates_lock:
            known = self.gates.get(fqdn)
            if known is None or known[0] != run or known[1].secret != secret:
                known = self.gates[fqdn] = (run, pool.Gate(fqdn, secret, stays=True))
            return known[1]


def blocked(way, question):
    if way.overdue and question.get("waited", 0) >= OVERDUE_PATIENCE:
        names = " ".join(way.overdue)
        return {
            "stuck": f"{way.words}. Run pulumi up again, which takes that up; where it works and nothing is to be taken up, on the balancer: sudo /usr/bin/python3 -B /usr/local/lib/bbb-deploy/pool.py back {names}"
        }
    return {"wait": f"waiting for its turn: {way.words}"}


class Handler(JsonHandler):
    leases = Leases()

    def do_POST(self):
        try:
            question = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", "0")), LONGEST_QUESTION)))
            member = pool.members().get(question["node"])
            if member is None:
                # Whatever is done to it, no front end is sent there.
                self.answer(200, {"go": True, "despite": ""})
                return
            if not self.has_token(token_of(member["secret"])):
                self.answer(403, {})
                return
            answer = self.leases.answer(question)
        except (ValueError, KeyError, TypeError):
            self.answer(400, {})
        except pool.Failure as failure:
            self.answer(200, {"wait": str(failure)})
        else:
            self.answer(200, answer)


def main():
    serve(Handler, PORT)


if __name__ == "__main__":
    sys.exit(main())
