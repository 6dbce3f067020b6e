#!/usr/bin/python3
"""Pool of a balancer: which servers it has, as files of this host, and Scalelite, which is given them.

    pool.py join FQDN <MEMBER           takes a server into the pool, and waits until Scalelite has found it online
    pool.py leave FQDN --minutes M      waits until nothing runs on it, then takes it out; 1 where something goes on
    pool.py keep FQDN …                 these are to stay, and get new meetings; others that are here do not
    pool.py apply                       gives Scalelite the pool again, as after a loss of its Redis, or a wait that nobody goes on with
    pool.py back FQDN                   it works again: gives it new meetings, and its turn to the next; for an update that did not end
    pool.py show                        prints the pool as JSON, without secrets

MEMBER is one line of JSON, {"fqdn", "secret"}. --anyway: takes it out whatever runs there.

Whether something runs on a server, only that server itself is asked: Scalelite forgets meetings that go on. Secrets go by
standard input and files of root's; Scalelite prints them, so what it prints is not told.

Python 3.8 or newer.
"""

import argparse
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time

import node_state
import pool_lease
import whole_files
from ssh_session import Session

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
STATE = os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy")
MEMBERS = f"{STATE}/balancer/members"
RAKE = os.environ.get("BBB_DEPLOY_RAKE", "docker exec -i scalelite-api bin/rake").split()
SCHEME = os.environ.get("BBB_DEPLOY_SCHEME", "https")
PAUSE = float(os.environ.get("BBB_DEPLOY_PAUSE", "10"))
# Without an answer for so long a server that Scalelite does not poll any more counts as dead: as long as Scalelite's own polls take.
DEAD_AFTER = float(os.environ.get("BBB_DEPLOY_DEAD_AFTER", "90"))
# For so long a server that is silent is waited for, however short the wait for meetings is: Scalelite forgets its meetings one by one.
DEAD_WITHIN = 4 * DEAD_AFTER
# For so long after an attempt to take a server away it gets no new meetings, so that another one finds it emptier.
ATTEMPT_LASTS = float(os.environ.get("BBB_DEPLOY_ATTEMPT_LASTS", "600"))
# For so long at least a server that is to be replaced waits for others to come back: in a destroy they go, which takes less.
TURN_WITHIN = float(os.environ.get("BBB_DEPLOY_TURN_WITHIN", "120"))
ONLINE_WITHIN = float(os.environ.get("BBB_DEPLOY_PATIENCE", "180"))


class Failure(Exception):
    """End of the run, with what is wrong and what to do."""


def say(text):
    print(text, flush=True)


# --- files ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked():
    """Keeps others from changing the pool: Scalelite refuses two changes at once."""
    os.makedirs(MEMBERS, mode=0o700, exist_ok=True)
    with open(f"{STATE}/balancer/pool.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def path_of(fqdn):
    return os.path.join(MEMBERS, f"{fqdn}.json")


def members():
    """Returns {name: {"secret", "leaving", "until"}}: leaving where the settings have it no more, until (seconds since 1970) where
    it was to be taken away all the same, as by a replacement.
    """
    found = {}
    for name in sorted(os.listdir(MEMBERS)) if os.path.isdir(MEMBERS) else []:
        if name.endswith(".json"):
            with open(os.path.join(MEMBERS, name), encoding="utf-8") as file:
                found[name[: -len(".json")]] = json.load(file)
    return found


def write(fqdn, member):
    whole_files.replace(path_of(fqdn), json.dumps(member))


def is_leaving(member):
    """True when a server is to go, and gets no new meetings."""
    return member["leaving"] or member.get("until", 0) > time.time()


def number(name, otherwise):
    """Returns a number of the settings, which configure-balancer.sh leaves here."""
    try:
        with open(f"{STATE}/balancer/{name}", encoding="utf-8") as file:
            return int(file.read())
    except (OSError, ValueError):
        return otherwise


def wanted():
    """Returns the names of the servers that the settings have."""
    try:
        with open(f"{STATE}/balancer/nodes", encoding="utf-8") as file:
            return file.read().split()
    except OSError:
        return []


# --- Scalelite -----------------------------------------------------------------------------------------------------


def rake(task, text=""):
    try:
        done = subprocess.run([*RAKE, task], input=text, capture_output=True, text=True, check=False, timeout=180)
    except subprocess.TimeoutExpired:
        raise Failure(f"Scalelite did not answer {task} within 3 minutes: see journalctl -u bbb-deploy-scalelite-api on the balancer") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Failure(f"Scalelite could not do {task}: {' '.join(last) or 'no reason given'}. See journalctl -u bbb-deploy-scalelite-api on the balancer, then run pulumi up again")
    return done.stdout


def plain(value):
    """Keys without the colon that some versions print before them."""
    if isinstance(value, dict):
        return {str(key).lstrip(":"): plain(one) for key, one in value.items()}
    return value


def known():
    """Returns what Scalelite has: {name: {"secret", "url", "state", "load", "online"}}."""
    import yaml

    return plain(yaml.safe_load(rake("servers:yaml[true]")) or {}).get("servers") or {}


def is_online(server):
    return server.get("online") in (True, "true", "online")


def takes_meetings(server):
    """True when Scalelite opens meetings on a server that it finds online."""
    return server.get("state", "enabled") == "enabled"


def apply(removed=None):
    """Gives Scalelite the pool. It removes no server but that one; what somebody else added stays as it is."""
    here = members()
    others = {name: {key: server[key] for key in ("secret", "url", "enabled") if key in server} for name, server in known().items() if name not in here}
    out = pool_lease.out()
    own = {name: {"secret": member["secret"], "enabled": not is_leaving(member) and name not in out} for name, member in here.items() if name != removed}
    text = json.dumps({"servers": {**others, **own}})
    for line in rake(f"servers:sync[-,{'force' if removed else 'keep'}]", text).splitlines():
        print(line, file=sys.stderr, flush=True)


def join(fqdn, member):
    with locked():
        write(fqdn, {"secret": member["secret"], "leaving": False})
        pool_lease.give_back(fqdn)
        apply()
    end = time.monotonic() + ONLINE_WITHIN
    while True:
        with locked():
            rake("poll:all")
            server = known().get(fqdn, {})
        if is_online(server) and not takes_meetings(server):
            # A poll that saw it cordoned and empty takes it for disabled, beside the change that let it in.
            with locked():
                apply()
        elif is_online(server):
            with locked():
                pool_lease.end(fqdn)
            say(f"{fqdn} is in the pool")
            return
        if time.monotonic() > end:
            raise Failure(f"the balancer does not find {fqdn} online: its API must be reachable from the balancer, at https://{fqdn}/bigbluebutton/api. Look at the nginx and bbb-web of {fqdn}, and at journalctl -u bbb-deploy-scalelite-poller on the balancer")
        time.sleep(min(PAUSE, 5))


def keep(names):
    with locked():
        for fqdn, member in members().items():
            leaving = fqdn not in names
            if is_leaving(member) != leaving:
                say(f"{fqdn} gets {'no ' if leaving else ''}new meetings{'' if leaving else ' again'}")
            if member != (kept := {"secret": member["secret"], "leaving": leaving}):
                write(fqdn, kept)
        apply()


# --- a server that leaves ------------------------------------------------------------------------------------------


class Unknown(Exception):
    """No answer of a server about what runs on it."""


def plural(number, one):
    return f"{number} {one}{'' if number == 1 else 's'}"


def told(state):
    """Returns what runs on a server, in words; "" where nothing does."""
    breakouts = [one for one in state["meetings"] if one["breakout"]]
    others = [one for one in state["meetings"] if not one["breakout"]]
    people = sum(one["people"] for one in state["meetings"])
    uncollected = state.get("recordings", {})
    parts = [
        *([f"{plural(len(others), 'meeting')} ({'1 person' if people == 1 else f'{people} people'})"] if others else []),
        *([plural(len(breakouts), "breakout room")] if breakouts else []),
        *([f"{plural(len(state['unprocessed']), 'recording')} that {'is' if len(state['unprocessed']) == 1 else 'are'} not processed yet"] if state["unprocessed"] else []),
        *([f"{plural(len(uncollected), 'recording')} that {'is' if len(uncollected) == 1 else 'are'} not on the balancer yet"] if uncollected else []),
    ]
    return " and ".join(parts)


def there(found):
    return f"there {'is' if found.startswith('1 ') else 'are'} {found}"


def running_on(fqdn, secret, stays=False):
    """Returns what runs on a server, by its own account. @raises Unknown where it does not tell

    stays: it comes back with all that it has, so that recordings of it may come here later.
    """
    try:
        state = node_state.ask(f"{SCHEME}://{fqdn}/bbb-deploy/state", secret)
    except (OSError, ValueError) as error:
        raise Unknown(f"{fqdn} does not tell what runs there ({reason_of(error)})") from None
    if state["meetings"] is None:
        raise Unknown(f"the API of {fqdn} does not answer")
    if stays or not state.get("recordings"):
        return told({**state, "recordings": {}})
    collect()
    problem = collecting_problem(fqdn)
    return told(state) + (f" ({problem})" if problem else "")


def collecting_problem(fqdn):
    """Returns why a server's recordings do not come here, as pool_recordings.py last noted it; None where they do."""
    try:
        with open(f"{STATE}/balancer/recordings.json", encoding="utf-8") as file:
            return json.load(file)["servers"].get(fqdn, {}).get("problem")
    except (OSError, ValueError, KeyError):
        return None


def collect():
    """Has recordings fetched at once, which are else within a minute."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(["systemctl", "start", "--no-block", "bbb-deploy-collect.service"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)


def reason_of(error):
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def api_answers(fqdn, secret):
    """True when the server's API tells its meetings, even where the rest of it is silent."""
    root = node_state.told_meetings(f"{SCHEME}://{fqdn}/bigbluebutton/api", secret)
    return root is not None and root.findtext("returncode") == "SUCCESS"


class Gate:
    """Wait for a server to be empty."""

    def __init__(self, fqdn, secret, stays=False):
        self.fqdn, self.secret, self.stays = fqdn, secret, stays
        self.silent_since = None
        # True while the server itself says what runs on it.
        self.told = False

    def look(self):
        """Returns what keeps the server from going, in words; "" once nothing does."""
        try:
            found = running_on(self.fqdn, self.secret, self.stays)
        except Unknown as unknown:
            self.told = False
            return self.silence(str(unknown))
        self.silent_since, self.told = None, True
        return found

    def reason(self, found):
        """Returns what look() found as a clause: what runs there, or why nobody knows."""
        return there(found) if self.told else found

    def silence(self, reason):
        if api_answers(self.fqdn, self.secret):
            self.silent_since = None
            return reason
        now = time.monotonic()
        self.silent_since = self.silent_since or now
        server = known().get(self.fqdn)
        polled = server is not None and server.get("state", "enabled") != "disabled"
        if (polled and is_online(server)) or now - self.silent_since < DEAD_AFTER:
            return f"{reason}, and it does not count as dead yet"
        say(f"WARNING: {self.fqdn} is dead: {reason}, and the balancer calls it offline. It counts as empty; meetings that went on there, if any did, end with it, and recordings that were not here yet are lost")
        return ""


def await_turn(fqdn, session, seconds):
    """Waits until no more others are out for work than may be: this one is to come back as a new server."""
    most, end, said = number("max-unavailable", 1), time.monotonic() + seconds, False
    while True:
        now = time.time()
        at_work = {name: lease for name, lease in pool_lease.held().items() if name != fqdn and name in pool_lease.out()}
        if len(at_work) < most:
            return
        words = pool_lease.InTheWay(at_work, [], now).words
        if session.is_over() or time.monotonic() >= end:
            raise Failure(f"{fqdn} stays for now: {words}. Run the same command again")
        if not said:
            say(f"{fqdn} waits for its turn: {words}")
            said = True
        time.sleep(PAUSE)


def back(fqdn):
    with locked():
        if fqdn not in pool_lease.held():
            raise Failure(f"{fqdn} is not out of the pool for work")
        pool_lease.end(fqdn)
        apply()
    say(f"{fqdn} gets new meetings again")


def leave(fqdn, minutes, anyway):
    member = members().get(fqdn)
    if member is None:
        say(f"{fqdn} is not in the pool any more")
        return
    session = Session()
    if fqdn in wanted():
        await_turn(fqdn, session, max(minutes * 60, TURN_WITHIN))
    gate, end = Gate(fqdn, member["secret"]), time.monotonic() + minutes * 60
    # A server that does not answer is left to Scalelite's polls, by which it is found to be offline.
    cordoned, next_word, found = False, 0.0, ""
    while True:
        found = gate.look()
        if not cordoned and gate.silent_since is None:
            cordon(fqdn, minutes * 60 + ATTEMPT_LASTS)
            cordoned = True
            # What was made just before it got none.
            found = gate.look()
        still_wanted(fqdn, session, cordoned)
        if found == "" or anyway:
            break
        if time.monotonic() >= (end if gate.silent_since is None else max(end, gate.silent_since + DEAD_WITHIN)):
            if cordoned:
                cordon(fqdn, ATTEMPT_LASTS)
            raise Failure(refusal(fqdn, f"it still has {found}" if gate.told else found, minutes))
        if time.monotonic() >= next_word:
            say(f"{fqdn} gets no new meetings; waiting for the end of what runs there: {found}" if gate.told else f"waiting, since {found}")
            next_word = time.monotonic() + 60
        time.sleep(PAUSE)
    if found:
        say(f"WARNING: {fqdn} goes although {gate.reason(found)}, as the setting duringMeetings allows")
    remove(fqdn)


def still_wanted(fqdn, session, cordoned):
    """Ends the wait where nobody waits for it, or an update since has kept the server: what it removes would be missed."""
    member = members().get(fqdn)
    if session.is_over():
        raise Failure(f"{fqdn} stays: the connection of the update that was to take it away is gone")
    if cordoned and member is not None and not is_leaving(member):
        raise Failure(f"{fqdn} stays: another update since has given it new meetings again")


def cordon(fqdn, seconds):
    with locked():
        member = members().get(fqdn)
        if member is not None:
            write(fqdn, {**member, "until": int(time.time() + seconds)})
            apply()


def remove(fqdn):
    with locked():
        apply(removed=fqdn)
        if fqdn in known():
            raise Failure(f"Scalelite keeps {fqdn} although nothing runs there: see journalctl -u bbb-deploy-scalelite-api on the balancer, then run the same command again")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path_of(fqdn))
        now = time.time()
        if fqdn in wanted():
            pool_lease.write(fqdn, {"phase": "replaced", "what": "its replacement", "run": "", "since": now, "seen": now, "until": now + pool_lease.WORK_LASTS})
        else:
            pool_lease.end(fqdn)
    say(f"{fqdn} is not in the pool any more")


def refusal(fqdn, found, minutes):
    waited = f" after {plural(minutes, 'minute')}" if minutes else ""
    rest = members()
    left = len([name for name, member in rest.items() if not member["leaving"]])
    stays = (
        f"{fqdn} stays: {found}{waited}. Its meetings go on, people can join them, and it gets no new ones; nothing of it was "
        "deleted. When they have ended, run the same command again"
    )
    if not rest.get(fqdn, {}).get("leaving"):
        return f"{stays}. To keep the server, leave it: within a quarter of an hour after the last attempt it gets new meetings again"
    return (
        f"{stays}; to wait longer: pulumi config set drainMinutes MINUTES; to keep the server: "
        f"pulumi config set servers {len(rest)}; to end its meetings: pulumi config set duringMeetings {left}, the new number of servers, beside servers"
    )


def show():
    found, here = known(), members()
    print(json.dumps({"servers": {name: {"state": server.get("state"), "load": server.get("load"), "online": server.get("online"), "leaving": is_leaving(here[name]) if name in here else None} for name, server in found.items()}}))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("join")
    one.add_argument("fqdn")
    one = commands.add_parser("leave")
    one.add_argument("fqdn")
    one.add_argument("--minutes", type=int, required=True)
    one.add_argument("--anyway", action="store_true")
    one = commands.add_parser("keep")
    one.add_argument("fqdns", nargs="*")
    one = commands.add_parser("back")
    one.add_argument("fqdn")
    commands.add_parser("apply")
    commands.add_parser("show")
    options = parser.parse_args()
    try:
        if options.command == "join":
            join(options.fqdn, json.loads(sys.stdin.readline()))
        elif options.command == "leave":
            leave(options.fqdn, options.minutes, options.anyway)
        elif options.command == "keep":
            keep(options.fqdns)
        elif options.command == "back":
            back(options.fqdn)
        elif options.command == "apply":
            with locked():
                pool_lease.lapse(time.time())
                apply()
        else:
            show()
    except Failure as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
