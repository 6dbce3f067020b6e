"""Check of a host's alerts, for the page of scripts/check."""

import time

import alert_state
from alert_messages import lasted, moment
from checks import Doubtful, Wrong, worst
from system_check import states
from whole_files import read_json

TIMER = "bbb-alerts.timer"
LATE_SECONDS = 900
NAMES = {"email": "e-mail", "webhook": "webhook", "healthcheckUrl": "healthcheckUrl"}


def ways_of(alerts):
    return [name + (f" ({alerts['webhook']['form']})" if way == "webhook" else "") for way, name in NAMES.items() if alerts.get(way)]


def round_finding(state, now):
    last = state["round"]
    if last is None:
        return Doubtful("no round yet", "the first comes within a minute: ask again; if it does not, systemctl status bbb-alerts.timer bbb-alerts")
    cost = f", {last['processor']:.1f} s of processor time" if "processor" in last else ""
    told = f"last round {moment(last['at'])}{cost}" + (f", without checks: {last['quiet']}" if last["quiet"] else "")
    if now - last["at"] > LATE_SECONDS:
        return Doubtful(f"{told}, {lasted(now - last['at'])} ago", "systemctl status bbb-alerts.timer bbb-alerts; journalctl -u bbb-alerts")
    return told


def check_alerts():
    """Tells ways, last round, last message, and each way that can't be used."""
    settings = read_json(alert_state.SETTINGS)
    if settings is None:
        raise Wrong("not set up here: nobody is told of anything", "run pulumi up")
    state, now = alert_state.read(), time.time()
    findings: list = [", ".join(ways_of(settings["alerts"])), round_finding(state, now)]
    timer = states("is-active", [TIMER])[TIMER]
    if timer != "active":
        findings.append(Wrong(f"{TIMER} is {timer}: nobody is told of anything", f"systemctl enable --now {TIMER}"))
    sent = state["sent"]
    findings.append(f"last message {moment(sent['at'])}: {sent['title']}" if sent else "nothing had to be told yet")
    for way, why in state["failing"].items():
        waiting = len(state["pending"].get(way, []))
        kept = f", {waiting} kept for the next round" if waiting else ""
        findings.append(Wrong(f"{NAMES[way]} fails since {moment(why['since'])}: {why['words']}{kept}", why["remedy"]))
    return worst(findings)
