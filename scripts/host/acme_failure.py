#!/usr/bin/python3
"""Reason why certbot got no certificate, from its log of its last run; and whether another try may help.

    acme_failure.py [--log FILE] [--since SECONDS]

Prints one line: the certificate authority's message, its meaning and the advice. --since: seconds since 1970; an
older run is ignored. Exit code:

    0    the last run, if there was any, has no failure in it; nothing is printed
    10   a moment may help
    11   another try won't help: a limit of the authority's, or something that somebody has to mend

Limits: https://letsencrypt.org/docs/rate-limits/ (2025). Types: RFC 8555, section 6.7. Python 3.8, standard library
only.
"""

import argparse
import json
import os
import re
import sys
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LOG = os.environ.get("BBB_DEPLOY_ROOT", "") + "/var/log/letsencrypt/letsencrypt.log"
A_MOMENT, NEVER = 10, 11

# What a run of certbot's begins with, and each of its records.
RUN = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+:\w+:[\w.]+:certbot version: ", re.MULTILINE)
RECORD = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+:(\w+):", re.MULTILINE)
PROBLEM = re.compile(r'"type":\s*"urn:(?:ietf:params:)?acme:error:(\w+)"(?:,\s*"detail":\s*("(?:[^"\\]|\\.)*"))?')
STATUS = re.compile(r"^HTTP (\d{3})$", re.MULTILINE)
RETRY_AFTER = re.compile(r"^Retry-After: *(\S.*?) *$", re.MULTILINE | re.IGNORECASE)
# Boulder's own words for it.
UNTIL = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d)?")
NO_ANSWER = re.compile(r"(?:ConnectionError|ConnectTimeout|ReadTimeout|SSLError|NewConnectionError|Max retries exceeded)[^\n]*")

LIMITS = [
    (r"exact set", "5 certificates for the same names in 7 days"),
    (r"too many certificates", "50 certificates for one registered domain in 7 days"),
    (r"too many failed authorizations", "5 failed validations of a name in an hour; mend first why they failed"),
    (r"too many new orders", "300 orders of one account in 3 hours"),
    (r"too many (new )?registrations", "10 new accounts from one address in 3 hours"),
    (r"paused|temporarily prevented", "too many failures in a row; the page that it names ends the pause"),
    (r"busy", "too many requests at once"),
]
REMEDIES = "; try deployments out with the setting acmeServer: staging, or use a certificate of your own (certificateFile, certificateKeyFile)"

# Name servers that fail, in Boulder's words: what they hold is not known.
SERVERS_FAIL = re.compile(r"SERVFAIL|timed? ?out|query timeout|network error|REFUSED|look(?:ing)? ?up.*(?:fail|error)", re.IGNORECASE)
DNSSEC = re.compile(r"DNSSEC|DNSKEY|RRSIG|\bbogus\b", re.IGNORECASE)

# What may be over in a moment.
MOMENTS = {
    "connection": "it can't reach this host from outside: 80/tcp must be open to everybody, at the cloud's firewall, too",
    "dns": "its look-up of the name failed: all name servers of the zone must know it, and no AAAA record may lead elsewhere",
    "tls": "it was led to an HTTPS that it can't use: nothing may stand between it and this host",
    "serverInternal": "the authority has a bad moment",
    "badNonce": "the authority has a bad moment",
    "orderNotReady": "the authority has a bad moment",
}
FINAL = {
    "unauthorized": "what answers it at port 80 of that name is not this host: look for a proxy, another server or an AAAA record",
    "incorrectResponse": "what answers it at port 80 of that name is not this host: look for a proxy, another server or an AAAA record",
    "caa": "a CAA record of the zone forbids this authority to issue: change it, or take another acmeServer",
    "rejectedIdentifier": "the authority does not issue for this name: take another name, another acmeServer, or a certificate of your own (certificateFile)",
    "unsupportedIdentifier": "the authority does not issue for this name: take another name, another acmeServer, or a certificate of your own (certificateFile)",
    "invalidContact": "the authority does not take this address: change the setting email",
    "unsupportedContact": "the authority does not take this address: change the setting email",
    "externalAccountRequired": "the authority wants an account made elsewhere first, which is not supported: take another acmeServer",
    "userActionRequired": "the authority wants something of the account's owner, at the page that it names",
}


class Failure:
    """kind: type by RFC 8555, without its prefix; "unreachable" for an authority that was not reached."""

    def __init__(self, kind, detail="", until=None):
        self.kind, self.detail, self.until = kind, detail, until

    def status(self):
        if self.kind == "caa" and SERVERS_FAIL.search(self.detail):
            return A_MOMENT
        return A_MOMENT if self.kind in MOMENTS or self.kind in ("unreachable", "unknown") else NEVER

    def text(self):
        said = f' ("{self.detail}")' if self.detail else ""
        if self.kind == "unreachable":
            return f"the certificate authority can't be reached{said}: look at this host's way to the internet and at the setting acmeServer"
        if self.kind == "unknown":
            return f"certbot failed{said}: see {LOG}"
        if self.kind == "rateLimited":
            return f"a limit of the certificate authority is reached: {self.limit()}{said}. To do: wait{self.when()}{REMEDIES}"
        if self.kind == "noDirectory":
            return f"there is no ACME directory at the address that the setting acmeServer leads to{said}: correct acmeServer"
        if self.kind in ("caa", "dns") and DNSSEC.search(self.detail):
            return (
                f"the certificate authority says {self.kind}{said}: the zone's signatures (DNSSEC) do not fit. After a move of name servers, the old "
                "DS record is left over: at the registrar of the zone remove it, or give the DS record of the new DNS provider"
            )
        if self.kind == "caa" and SERVERS_FAIL.search(self.detail):
            return (
                f"the certificate authority says {self.kind}{said}: its question for CAA records got no answer, which forbids nothing but lets it "
                "issue nothing. The zone's name servers must answer such questions, with an empty answer, too; a DS record left over "
                "after a move of name servers (at the registrar) has the same effect"
            )
        meaning = MOMENTS.get(self.kind) or FINAL.get(self.kind) or "the authority takes no such request"
        return f"the certificate authority says {self.kind}{said}: {meaning}"

    def limit(self):
        return next((told for pattern, told in LIMITS if re.search(pattern, self.detail, re.IGNORECASE)), "one of its own")

    def when(self):
        return f" until {self.until} and run pulumi up again" if self.until else " some hours before the next pulumi up"


def utc(moment):
    return moment.astimezone(timezone.utc).strftime("%F %H:%M UTC")


def until(detail, headers, asked):
    """End of a limit: by the authority's text, else by its header."""
    told = UNTIL.search(detail)
    if told:
        return f"{told[1]} {told[2]} UTC"
    header = RETRY_AFTER.findall(headers)
    if not header:
        return None
    if header[-1].isdigit():
        return utc(datetime.fromtimestamp(asked + int(header[-1]), timezone.utc))
    try:
        return utc(parsedate_to_datetime(header[-1]))
    except (TypeError, ValueError):
        return None


def seconds(stamp):
    """Seconds of a time in the log, which is local."""
    return time.mktime(time.strptime(stamp, "%Y-%m-%d %H:%M:%S"))


def last_run(log, since):
    runs = list(RUN.finditer(log))
    if not runs or seconds(runs[-1][1]) < int(since):
        return ""
    return log[runs[-1].start() :]


def records(run):
    """Yields (level, time, text) of each record."""
    marks = list(RECORD.finditer(run))
    ends = [mark.start() for mark in marks[1:]] + [len(run)]
    return [(mark[2], seconds(mark[1]), run[mark.start() : end]) for mark, end in zip(marks, ends)]


def classify(run):
    """Failure of a run of certbot; None for a success. The last problem counts: certbot got over earlier ones."""
    told = records(run)
    if not any(level in ("ERROR", "CRITICAL") for level, _, _ in told):
        return None
    for level, asked, text in reversed(told):
        problems = PROBLEM.findall(text)
        if problems and level == "DEBUG":
            kind, detail = problems[-1]
            detail = json.loads(detail, strict=False) if detail else ""
            return Failure(kind, " ".join(detail.split()), until(detail, text, asked) if kind == "rateLimited" else None)
        status = STATUS.search(text)
        if level == "DEBUG" and status and status[1] == "429":
            return Failure("rateLimited", "HTTP status 429", until("", text, asked))
        if level == "DEBUG" and status and status[1] in ("404", "410") and not problems:
            return Failure("noDirectory", f"HTTP status {status[1]}")
        if level == "DEBUG" and status and int(status[1]) >= 500:
            return Failure("serverInternal", f"HTTP status {status[1]}")
        lost = NO_ANSWER.search(text)
        if lost:
            return Failure("unreachable", lost[0][:200])
    errors = [text for level, _, text in told if level in ("ERROR", "CRITICAL")]
    return Failure("unknown", " ".join(RECORD.sub("", errors[-1]).split(":", 1)[-1].split())[:200])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", default=LOG)
    parser.add_argument("--since", type=float, default=0)
    options = parser.parse_args()
    try:
        with open(options.log, encoding="utf-8", errors="replace") as file:
            failure = classify(last_run(file.read(), options.since))
    except FileNotFoundError:
        return 0
    if failure is None:
        return 0
    print(failure.text())
    return failure.status()


if __name__ == "__main__":
    sys.exit(main())
