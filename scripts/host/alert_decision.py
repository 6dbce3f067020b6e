"""Decides what is told of a host's rounds of checks: each fault once, and once more when it is well again.

A round is a list of records (checks.py). What is known of the checks between two rounds is a plain dictionary, by the
check's name:

    verdict, asked, answer, remedy   of the last bad record
    since                            seconds since 1970, of the first bad round
    bad, good                        bad and good rounds in a row
    well                             of the first good round, if it is good
    form, same                       of the last bad record, and rounds in a row with it
    told                             forms that were told; none until then

An event is a record with a kind: wrong, changed (a further fault of a check that is wrong), or well.
"""

import re

# Rounds in a row that count. What comes and goes between two of them is told to nobody.
ROUNDS = 2
SLOW_SECONDS = 3600
# Numbers, times and addresses differ in each round of the same fault.
VARYING = re.compile(r"[0-9][0-9a-fA-F.:]*Z?")


def form_of(record):
    """Text by which a fault is known again."""
    return f"{record['verdict']} {VARYING.sub('#', record['answer'])}"


def told_of(kind, known, now, answer=None):
    """Event of a check. answer: of the good record, when it is well."""
    event = {key: known[key] for key in ("name", "asked", "verdict", "answer", "since")}
    event.update(kind=kind, at=now)
    if kind == "well":
        event.update(answer=answer, at=known["well"])
    elif known.get("remedy"):
        event["remedy"] = known["remedy"]
    return event


def after_bad(known, record, now):
    """Returns (what is known, event or None) after a bad record. known: None at the first."""
    form = form_of(record)
    before = known or {"since": now, "bad": 0, "form": None, "same": 0, "told": []}
    known = {
        **before,
        "name": record["name"],
        "asked": record["asked"],
        "verdict": record["verdict"],
        "answer": record["answer"],
        "remedy": record.get("remedy"),
        "bad": before["bad"] + 1,
        "good": 0,
        "form": form,
        "same": before["same"] + 1 if before["form"] == form else 1,
        "told": list(before["told"]),
    }
    new = known["bad"] >= ROUNDS if not known["told"] else known["same"] >= ROUNDS and form not in known["told"]
    if not new:
        return known, None
    kind = "changed" if known["told"] else "wrong"
    known["told"].append(form)
    return known, told_of(kind, known, now)


def after_good(known, record, now):
    """Returns (what is known, event or None) after a good record of a check that was bad."""
    if not known["told"]:
        return None, None
    known = {**known, "good": known["good"] + 1, "bad": 0, "well": now if known["good"] == 0 else known["well"]}
    if known["good"] < ROUNDS:
        return known, None
    return None, told_of("well", known, now, record["answer"])


def decide(checks, records, now):
    """Returns (checks, events) after a round. A check that was not made or not asked stays as it was."""
    checks, events = dict(checks), []
    for record in records:
        name = record["name"]
        if record["verdict"] == "skip":
            continue
        known = checks.get(name)
        if record["verdict"] == "ok":
            if known is None:
                continue
            after, event = after_good(known, record, now)
        else:
            after, event = after_bad(known, record, now)
        checks.pop(name, None)
        if after is not None:
            checks[name] = after
        if event is not None:
            events.append(event)
    return checks, events


def wrong_now(checks):
    """What was told to be wrong and is not yet well, the oldest first."""
    told = [known for known in checks.values() if known["told"]]
    return sorted(told, key=lambda known: known["since"])


def failed(checks):
    """True while anything is wrong that does not only warn."""
    return any(known["verdict"] == "FAIL" for known in wrong_now(checks))


def is_due(name, checks, asked, now):
    """True when a check that costs much is to be made: once an hour, and in the next round where one has to follow.

    asked: {name: when it was made last}.
    """
    known = checks.get(name)
    follows = known is not None and (not known["told"] or known["good"] > 0)
    return follows or not 0 <= now - asked.get(name, -SLOW_SECONDS) < SLOW_SECONDS
