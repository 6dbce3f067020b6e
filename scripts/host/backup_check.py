"""Check of a server's backups, for the page of scripts/check."""

import time

import backup_state as state
import recording_files
import restic
from alert_messages import lasted, moment
from checks import Doubtful, Wrong, worst
from system_check import states
from whole_files import read_json

TIMER = "bbb-backup.timer"
HOUR = 3600
WARN_HOURS, FAIL_HOURS = 26, 50
VERIFIED_DAYS = 35
RUN_NOW = "scripts/backup run STACK makes one now"


def age_finding(last, now):
    """Tells the age of the last whole backup; a Wrong for one that is too old."""
    whole = last.get("whole")
    if not whole:
        return Wrong("there is no whole backup yet", RUN_NOW)
    told = f"last whole backup {moment(whole['at'])}, {lasted(now - whole['at'])} ago"
    hours = (now - whole["at"]) / HOUR
    if hours > FAIL_HOURS:
        return Wrong(told, f"journalctl -u bbb-backup and /var/log/bbb-deploy/backup.log say why; {RUN_NOW}")
    if hours > WARN_HOURS:
        return Doubtful(told, f"the next night may do better; {RUN_NOW}")
    return told


def size_findings(last):
    """Compares the last whole backup with the one before it: what has gone, nobody may have meant to delete."""
    whole, earlier = last.get("whole") or {}, last.get("earlier") or {}
    findings: list = [f"{name} {state.size(whole[name]['bytes'])}" for name in ("state", "recordings") if whole.get(name)]
    now, before = (recording_files.total((one.get("recordings") or {}).get("formats", {})) for one in (whole, earlier))
    if before and now < before:
        told, remedy = f"{now} recordings, {before} in the backup before", "was that meant? Earlier backups still have them: scripts/restore STACK --what recordings --from ID, with an ID of scripts/backup list STACK"
        findings.append(Wrong(told, remedy) if now < before / 2 else Doubtful(told, remedy) if now < before * 0.9 else told)
    users, users_before = ((((one.get("state") or {}).get("greenlight")) or {}).get("users", 0) for one in (whole, earlier))
    if users_before and users < users_before / 2:
        findings.append(Wrong(f"{users} users of Greenlight, {users_before} in the backup before", "was that meant? Earlier backups still have them: scripts/restore STACK --what greenlight --from ID"))
    note = (whole.get("state") or {}).get("note")
    return [*findings, *([Doubtful(note)] if note else [])]


def verified_finding(now):
    verified = read_json(state.VERIFIED)
    if verified is None:
        return "not verified yet"
    if not verified["ok"]:
        return Wrong(f"verification failed {moment(verified['at'])}: {verified['words']}")
    told = f"last verification {moment(verified['at'])}, {lasted(now - verified['at'])} ago" + (f", {verified['percent']:g} % of it read" if verified["percent"] else "")
    if now - verified["at"] > VERIFIED_DAYS * 24 * HOUR:
        return Doubtful(told, "scripts/backup verify STACK")
    return told


def drilled_finding(now):
    """Tells the last drill: whether what was saved was whole when it was restored."""
    drilled = read_json(state.DRILLED)
    if drilled is None:
        return "no drill yet"
    when = f"{moment(drilled['at'])}, {lasted(now - drilled['at'])} ago"
    if not drilled["ok"]:
        return Wrong(f"the last drill, {when}, found a difference: {drilled['words']}", "scripts/backup verify STACK --read 100, then scripts/backup drill STACK again")
    return f"last drill {when}"


def check_backup():
    """Tells the age, the size, the verification and the last drill of the backups."""
    if read_json(restic.SETTINGS) is None:
        raise Wrong("not set up here: nothing is saved", "run pulumi up")
    last, now = read_json(state.LAST), time.time()
    timer = states("is-active", [TIMER])[TIMER]
    findings: list = [] if timer == "active" else [Wrong(f"{TIMER} is {timer}: no backup is made", f"systemctl enable --now {TIMER}")]
    if last is None:
        findings.append(Doubtful("no backup yet", f"the first comes by night; {RUN_NOW}"))
        return worst(findings)
    findings += [Wrong(problem) for problem in last["problems"]]
    return worst([*findings, age_finding(last, now), *size_findings(last), verified_finding(now), drilled_finding(now)])
