#!/usr/bin/python3
"""Judges from the end of a log whether a failure may pass in a moment, and gives the reason in words.

    failures.py <LOG

Standard output: "momentary", "final" or "unknown" in the first line; in the second the reason and the advice, if
there are any. An unknown one may be either, and is worth one more try. The first match in the table counts: causes
come before their consequences. Certificates are not its subject. Python 3.8 or newer, standard library only.
"""

import re
import sys
from collections import namedtuple

Failure = namedtuple("Failure", "kind reason remedy")

MOMENTARY = "momentary"
FINAL = "final"
UNKNOWN = "unknown"

# How many characters of a log's end are looked at: what a run of the installer prints after its packages.
TAIL = 200_000

# (patterns, kind, reason, remedy); patterns are regular expressions, without regard to case.
TABLE = (
    # What no repetition mends, whatever else failed with it.
    (
        (r"no space left on device", r"you don't have enough free space in ", r"disk quota exceeded"),
        FINAL,
        "the disk is full",
        "look for what fills it (df -h; du -xh --max-depth=2 / | sort -h | tail), or choose a larger server type",
    ),
    (
        (r"read-only file system",),
        FINAL,
        "the root file system has become read-only, as after errors of its disk",
        "look at dmesg, and have the server replaced if its disk is broken",
    ),
    (
        (r"cannot allocate memory", r"out of memory: killed process", r"fork: retry: resource temporarily unavailable"),
        FINAL,
        "the memory is used up",
        "choose a larger server type, or stop what else runs there",
    ),
    (
        (
            r"this script can only install bigbluebutton",
            r"you must run this command on ubuntu",
            r"your server (should have|needs to have|does not support)",
            r"you must run this command on a 64-bit server",
            r"you must uninstall the apache2 server first",
        ),
        FINAL,
        "the installer refuses this host",
        "its reason is in the log; the settings release, image and serverType decide what host it gets",
    ),
    (
        # The installer's words for whatever keeps it from that server.
        (r"unable to locate packages for \S+ at ",),
        UNKNOWN,
        "the installer finds no packages of this release at its package server",
        "look whether the host reaches the server that the log names; else at the settings release and installerUrl: the release may have been withdrawn",
    ),
    (
        (r"does not have a release file", r"no longer has a release file"),
        FINAL,
        "a package source has no packages for this Ubuntu release",
        "look in /etc/apt/sources.list.d for the source that the log names, and remove it or the whole host",
    ),
    (
        (r"hash sum mismatch(?![\s\S]{0,2000}mirror sync in progress)",),
        UNKNOWN,
        "what was fetched is not what it should be: its hash is another one",
        "apt-get clean on the host; if that does not help, something between it and the server changes what is fetched",
    ),
    (
        (r"certificate verify failed: (?!.*not yet valid)", r"ssl certificate problem: (?!.*not yet valid)"),
        FINAL,
        "a server that something is fetched from has a certificate that this host does not trust",
        "look which one the log names; a proxy in between may be the reason",
    ),
    (
        # Before "failed to fetch", which apt says of these, too.
        (r"^[EW]: an error occurred during the signature verification", r"^E: .*the following signatures (were invalid|couldn't be verified)"),
        FINAL,
        "the signature of a package source is not good",
        "look which source the log names: its key has changed or run out. A newer installer may know the new one (installerUrl)",
    ),
    (
        # A package list that is older than its mirror says so, too, until it is fetched anew.
        (r"failed to fetch \S+\s+(404\s+not found|410\s+gone)", r"\berror 404: not found", r"returned error: 404", r"^ +404 +not found"),
        UNKNOWN,
        "what is to be fetched is not there (404)",
        "look in the log for its address: that source has moved or ended, or is none for this Ubuntu release; else the settings installerUrl and release",
    ),
    # What passes by itself.
    (
        (r"toomanyrequests", r"\b429 too many requests\b", r"you have reached your (unauthenticated )?pull rate limit"),
        MOMENTARY,
        "too much was fetched from a registry of container images, which refuses more for a while",
        "wait for some hours, or log in there on the host: docker login",
    ),
    (
        (
            r"could not get lock ",
            r"unable to acquire the dpkg frontend lock",
            r"unable to lock (the administration|directory)",
            r"is another process using it",
        ),
        MOMENTARY,
        "another program installs packages on this host",
        "see what it is: ps -ef | grep -E 'apt|dpkg'",
    ),
    (
        (
            r"keyserver (receive|search) failed",
            r"gpg: keyserver timed out",
            r"no keyserver available",
            r"unable to retrieve (the )?key",
        ),
        MOMENTARY,
        "a key server does not answer",
        "try again later: pulumi up",
    ),
    (
        (
            r"failed to fetch ",
            r"mirror sync in progress",
            r"temporary failure (in name resolution|resolving)",
            r"temporary failure, please try again",
            r"could not resolve(?: host)?\b",
            r"unable to resolve host address",
            r"connection timed out",
            r"could not connect to ",
            r"cannot initiate the connection to ",
            r"connection (refused|reset by peer)",
            r"unable to connect to ",
            r"network is unreachable",
            r"operation (timed out|too slow)",
            r"\b(500|502|503|504) (internal server error|bad gateway|service (temporarily )?unavailable|gateway time-?out)",
            r"tls handshake timeout",
            r"unexpected eof",
            r"i/o timeout",
            r"error pulling image",
        ),
        MOMENTARY,
        "a package server, or the way to it, failed for a moment",
        "if it goes on: look whether the host reaches the server that the log names",
    ),
    # What may be nothing but the consequence of the above.
    (
        # As a warning it is said of sources that are trusted all the same.
        (r"^E: .* is not signed\.",),
        FINAL,
        "a package source is not signed with a key that this host has",
        "look which source the log names: its key has changed. A newer installer may know the new one (installerUrl)",
    ),
    (
        (
            r"unable to locate package ",
            r"has no installation candidate",
            r"couldn't find any package by ",
        ),
        FINAL,
        "a package that is asked for does not exist",
        "look in the log for its name; a package source may be missing (universe, or the installer's own)",
    ),
    (
        (r"unmet dependencies", r"held broken packages"),
        FINAL,
        "packages contradict each other",
        "look in the log for their names, and on the host: apt-get check; apt-mark showhold",
    ),
)


def classify(text):
    """Returns the Failure at the end of a log; None for an unknown one."""
    tail = text[-TAIL:]
    for patterns, kind, reason, remedy in TABLE:
        if any(re.search(pattern, tail, re.IGNORECASE | re.MULTILINE) for pattern in patterns):
            return Failure(kind, reason, remedy)
    return None


def main():
    failure = classify(sys.stdin.buffer.read().decode("utf-8", "replace"))
    if failure is None:
        print(UNKNOWN)
    else:
        print(f"{failure.kind}\n{failure.reason}: {failure.remedy}")


if __name__ == "__main__":
    main()
