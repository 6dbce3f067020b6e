#!/usr/bin/python3
"""One round of a host's alerts: checks the host, and tells by e-mail or webhook what has changed.

    alert_round.py                  a round; bbb-alerts.timer runs it
    alert_round.py --announce FILE  a test message by each way of these settings, unless the present ones have the same

No round checks anything while an update is at work here, or shortly after a start of the host. It prints what it told, and
no secret.
"""

import argparse
import contextlib
import fcntl
import json
import os
import resource
import subprocess
import sys
import time

import alert_channels
import alert_decision
import alert_state
from alert_messages import title
from whole_files import read_json

LIB = os.path.dirname(os.path.abspath(__file__))
# Services that are still starting are nobody's business.
BOOT_SECONDS = float(os.environ.get("BBB_ALERTS_BOOT_SECONDS", "600"))
UPDATE_SECONDS = 5400
ROUND_SECONDS = 240
MOST_EVENTS = 60

# bbb-conf --check takes seconds of processor time, a mail server counts those who sign in, and the branding's files may be large.
SLOW = ["bbb-conf", "branding", "mail"]
# A reboot that is pending, and packages on hold, are no faults; the page of scripts/check has them. apt takes long to tell.
UNTOLD = ["updates"]
# The BigBlueButton server asks its own API, and it alone knows when an update is at work there.
OF_OTHER = {"turn": ["front page", "API", "certificate", "signed call", "wrong signature"], "bbb": [], "balancer": []}


def at_work():
    """True while a step of an update holds the lock of scripts/host/step."""
    try:
        with open(f"{alert_state.STATE}/lock", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def modified(path):
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def booted_for():
    """Seconds since the first process of this host was started, in a container also."""
    with open("/proc/1/stat", encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def quiet(now):
    """Reason why nothing is checked now, or None."""
    if at_work():
        return "an update is at work on this host"
    # The program leaves the steps' numbers here before the first of them; the step of the alerts is the last.
    begun = modified(f"{alert_state.STATE}/numbers")
    if begun > modified(alert_state.SETTINGS) and 0 <= now - begun < UPDATE_SECONDS:
        return "an update has begun and not ended"
    if booted_for() < BOOT_SECONDS:
        return "the host has just started"
    return None


def ask(request, omitted):
    """Records of the host's own check, and one of whether it came to its end."""
    asked = {**request, "wait": 0, "meeting": False, "omit": omitted, "other": True}
    command = ["/usr/bin/python3", "-B", f"{LIB}/host_check.py", "--json"]
    try:
        process = subprocess.run(command, input=json.dumps(asked) + "\n", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=ROUND_SECONDS, encoding="utf-8", errors="replace", check=False)
        printed, ended = process.stdout, False
    except subprocess.TimeoutExpired as late:
        output = late.stdout or ""
        printed, ended = output.decode(errors="replace") if isinstance(output, bytes) else output, False
    records = []
    for line in printed.splitlines():
        with contextlib.suppress(ValueError):
            one = json.loads(line)
            ended = ended or "end" in one
            if "verdict" in one:
                records.append(one)
    return [*records, whole(ended)]


def whole(ended):
    record = {"name": "the check itself", "asked": "host_check.py"}
    if ended:
        return {**record, "verdict": "ok", "answer": "came to its end"}
    answer = "did not come to its end: what it would have told is unknown"
    return {**record, "verdict": "warn", "answer": answer, "remedy": "uptime and top show whether the host is overloaded; if not, run pulumi up once, which installs the checks anew"}


def without_gone(checks, records, later):
    """Forgets the checks that a whole round has not made, as of a setting that is taken away or a server that has left its pool.

    Nothing would ever tell that these are well again. later: names of those that are not due yet.
    """
    if records[-1] != whole(True):
        return checks
    made = {*later, *(record["name"] for record in records)}
    return {name: known for name, known in checks.items() if name in made}


def queue(state, alerts, events):
    """Adds events to those that each way has yet to send; ways that the settings no longer have are forgotten."""
    ways = [way for way in alert_channels.SENDERS if alerts.get(way)]
    state["pending"] = {way: [*state["pending"].get(way, []), *events][-MOST_EVENTS:] for way in ways}
    known = [*ways, "healthcheckUrl"]
    state["failing"] = {way: why for way, why in state["failing"].items() if way in known}


def attempt(state, way, now, secrets, send):
    """Sends, and keeps the reason of a failure for the page of scripts/check. Returns True when it arrived with anybody."""
    try:
        send()
    except alert_channels.Undelivered as error:
        words = str(error)
        for secret in secrets:
            words = words.replace(secret, "(secret)")
        since = state["failing"].get(way, {}).get("since", now)
        state["failing"][way] = {"since": since, "words": " ".join(words.split()), "remedy": error.remedy}
        print(f"{way}: not sent: {words}", flush=True)
        return error.arrived
    state["failing"].pop(way, None)
    return True


def message_of(settings, state, events, now):
    told = {event["name"] for event in events}
    wrong = [{"name": one["name"], "since": one["since"]} for one in alert_decision.wrong_now(state["checks"]) if one["name"] not in told]
    return {"host": settings["host"], "role": settings["role"], "at": now, "events": events, "wrong": wrong}


def deliver(settings, state, now):
    for way, events in state["pending"].items():
        if not events:
            continue
        message = message_of(settings, state, events, now)
        arrived = attempt(state, way, now, secrets_of(settings["alerts"]), lambda way=way, message=message: alert_channels.SENDERS[way](settings["alerts"][way], message))
        if arrived:
            state["pending"][way] = []
            state["sent"] = {"at": now, "title": title(message)}
            print(f"{way}: {title(message)}", flush=True)


def signal_of_life(settings, state, now):
    url = settings["alerts"].get("healthcheckUrl")
    if url:
        failed = alert_decision.failed(state["checks"])
        attempt(state, "healthcheckUrl", now, secrets_of(settings["alerts"]), lambda: alert_channels.ping(url, "alerts.healthcheckUrl", failed))


def secrets_of(alerts):
    found = [alerts.get("email", {}).get("password"), alerts.get("webhook", {}).get("url"), alerts.get("healthcheckUrl")]
    return [secret for secret in found if secret]


def processor_seconds():
    """What this round has cost so far, with all that it ran."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def make_round():
    settings = read_json(alert_state.SETTINGS)
    if settings is None:
        print("there are no settings: run pulumi up")
        return 1
    now = time.time()
    state = alert_state.read()
    state["rounds"] += 1
    why = quiet(now)
    events: list = []
    if why is None:
        slow = [name for name in SLOW if not alert_decision.is_due(name, state["checks"], state["asked"], now)]
        # In a pool, one of its hosts tells what concerns them all: bigbluebutton/alerts.ts.
        records = ask(settings["request"], [*UNTOLD, *slow, *OF_OTHER[settings["role"]], *settings.get("omit", [])])
        state["checks"] = without_gone(state["checks"], records, slow)
        state["asked"].update({one["name"]: now for one in records if one["name"] in SLOW})
        state["checks"], events = alert_decision.decide(state["checks"], records, now)
    queue(state, settings["alerts"], events)
    state["round"] = {"at": now, "quiet": why}
    # Before anything is sent: a round that is cut off may tell twice, but not for ever.
    alert_state.write(state)
    deliver(settings, state, now)
    signal_of_life(settings, state, now)
    state["round"]["processor"] = round(processor_seconds(), 3)
    alert_state.write(state)
    return 0


def announce(path):
    """Tries settings out before they are in use. Returns 1 where a way refuses, with its words printed."""
    settings = read_json(path)
    present = read_json(alert_state.SETTINGS) or {}
    if present.get("alerts") == settings["alerts"]:
        return 0
    now, tried = time.time(), {**alert_state.NEW, "failing": {}}
    message = message_of(settings, tried, [], now)
    alerts = settings["alerts"]
    for way in [way for way in alert_channels.SENDERS if alerts.get(way)]:
        if attempt(tried, way, now, secrets_of(alerts), lambda way=way: alert_channels.SENDERS[way](alerts[way], message)):
            print(f"{way}: a test message was sent", flush=True)
    signal_of_life(settings, tried, now)
    for way, why in tried["failing"].items():
        print(f"to do for {way}: {why['remedy']}", flush=True)
    return 1 if tried["failing"] else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--announce", metavar="FILE")
    given = parser.parse_args()
    return announce(given.announce) if given.announce else make_round()


if __name__ == "__main__":
    sys.exit(main())
