#!/usr/bin/python3
"""Checks that a name leads to this host, for everybody: asks the zone's parent and the zone's own name servers.

    dns_check.py --zone ZONE --hostname NAME --ipv4 ADDRESS [--ipv6 ADDRESS] [--name-servers NAME,…] [--wait SECONDS]

Asks no cache, since a certificate authority asks none: the parent's name servers tell the zone's delegation, and
each of the zone's servers is asked for the name's addresses. Without --ipv6 there must be no AAAA record.
--name-servers: those that have the deployment's records. A zone that is delegated to others, and a DS record without
a key of the zone, is reported at once. Waits until all is right. Standard output: problems, one line each, with the
advice. Standard error: the reason of the wait. Exit code 0 without problems, else 1. Needs dig.

check_name is host_check.py's.
"""

import argparse
import base64
import ipaddress
import struct
import sys
import time

from checks import NotAsked, Unanswered, Wrong, run, worst

PAUSE = 5
REMINDER = 60


class ForSomebody(Wrong):
    """Fault that somebody has to mend at the registrar: it is not waited for."""


def dig(name, kind, server=None):
    """Returns the records (owner, type, value) of the answer and authority sections; None without an answer."""
    command = ["dig", "+noall", "+comments", "+answer", "+authority", "+time=3", "+tries=2"]
    if server:
        command += ["+norecurse", "@" + server]
    try:
        _, printed = run(*command, name, kind)
    except Unanswered:
        return None
    if "status: NOERROR" not in printed and "status: NXDOMAIN" not in printed:
        return None
    records = []
    for line in printed.splitlines():
        fields = line.split(None, 4)
        if len(fields) == 5 and not line.startswith(";"):
            records.append((fields[0].rstrip(".").lower(), fields[3], fields[4].strip()))
    return records


def values(records, owner, kind):
    return [value for name, found, value in records or [] if name == owner and found == kind]


def names(records, owner):
    return sorted({value.rstrip(".").lower() for value in values(records, owner, "NS")})


def addresses(server):
    """Returns a name server's addresses, IPv4 first."""
    found = []
    for kind in ("A", "AAAA"):
        found += [value for _, name, value in dig(server, kind) or [] if name == kind]
    return found


def ask(server, name, kind):
    """Returns the answer of a name server, by the first of its addresses that gives one."""
    for address in addresses(server):
        records = dig(name, kind, address)
        if records is not None:
            return records
    return None


def delegation(zone):
    """Returns (name servers in the parent's delegation, its DS records, the parent), or (None, [], the parent that was
    not reached).
    """
    labels = zone.split(".")
    for depth in range(1, len(labels) + 1):
        parent = ".".join(labels[depth:]) or "."
        servers = names(dig(parent, "NS"), parent.rstrip("."))
        if not servers:
            continue
        for server in servers[:4]:
            records = ask(server, zone, "NS")
            if records is not None:
                return names(records, zone), values(ask(server, zone, "DS"), zone, "DS"), parent
        return None, [], parent
    return None, [], "the root"


def key_tag(dnskey):
    """Returns a DS record's tag of a key: RFC 4034, appendix B."""
    flags, protocol, algorithm, *key = dnskey.split()
    data = struct.pack("!HBB", int(flags), int(protocol), int(algorithm)) + base64.b64decode("".join(key))
    total = sum(byte if place & 1 else byte << 8 for place, byte in enumerate(data))
    return (total + (total >> 16 & 0xFFFF)) & 0xFFFF


def signature_problem(zone, servers, signers, where):
    """Finds a DS record of the parent's without a key of the zone, as after a move to other name servers."""
    if not signers:
        return None
    answers = [records for records in (ask(server, zone, "DNSKEY") for server in servers) if records is not None]
    if not answers:
        return None
    tags = {key_tag(value) for records in answers for value in values(records, zone, "DNSKEY")}
    if tags & {int(value.split()[0]) for value in signers}:
        return None
    keys = "no keys (DNSKEY)" if not tags else "other keys"
    return ForSomebody(
        f"{where} have a DS record of {zone}, but its name servers ({', '.join(servers)}) have {keys}: most resolvers and "
        "certificate authorities get an error (SERVFAIL) for every name in it. It is left over from other name servers",
        f"At the registrar of {zone}, remove the DS record (switch DNSSEC off), or set the one that your DNS provider tells",
    )


def same(found, expected):
    return {ipaddress.ip_address(value) for value in found} == {ipaddress.ip_address(value) for value in expected}


def check_server(server, hostname, kind, expected):
    """Returns the problem, None without one, or False without an answer of the server."""
    records = ask(server, hostname, kind)
    if records is None:
        return False
    alias = values(records, hostname, "CNAME")
    if alias:
        return Wrong(f"{hostname} is an alias (CNAME) of {alias[0]}", "Remove the alias: the deployment makes the records")
    found = values(records, hostname, kind)
    if same(found, expected):
        return None
    if not expected:
        return Wrong(
            f"{server} has an AAAA record of {hostname}, {', '.join(found)}, where there must be none, since this host is "
            "deployed for IPv4 alone: by IPv6 people would get no answer, or a page without sound",
            "Remove the record",
        )
    told = ", ".join(found) if found else f"no {kind} record"
    return Wrong(
        f"{server} says of {hostname}: {told}; it should be {expected[0]}",
        f"Set the {kind} record of {hostname} to {expected[0]}, and remove others",
    )


def findings(zone, hostname, ipv4, ipv6, assigned=()):
    """Returns (all present problems, mere remarks)."""
    servers, signers, parent = delegation(zone)
    where = "the root servers" if parent == "." else f"the name servers of {parent}"
    if servers is None:
        remedy = "Look at the host's resolver (resolvectl status), and that nothing stops its traffic to port 53"
        return [Unanswered(f"{where} could not be asked for the delegation of {zone}", remedy)], []
    if not servers:
        remedy = f"At the registrar of {zone}, set the name servers to those of your DNS provider"
        return [Wrong(f"{where} refer to no name servers for {zone}: the world can't find it", remedy)], []
    if assigned and not set(assigned) & set(servers):
        told = f"{zone} is delegated to {', '.join(servers)}, but this deployment's records are at {', '.join(assigned)}, which nobody asks"
        remedy = (
            f"At the registrar of {zone}, set the name servers to {', '.join(assigned)}, once all other records of the zone are there, too. "
            "Or leave it where it is, and have the records made there: the setting dns, manual for any other provider"
        )
        return [ForSomebody(told, remedy)], []
    unsigned = signature_problem(zone, servers, signers, where)
    if unsigned:
        return [unsigned], []
    wrong, notes = {}, set()
    for kind, value in (("A", ipv4), ("AAAA", ipv6)):
        silent = []
        for server in servers:
            problem = check_server(server, hostname, kind, [value] if value else [])
            if problem is False:
                silent.append(server)
            elif problem:
                wrong[str(problem)] = problem
        if len(silent) == len(servers):
            told = f"none of the name servers of {zone} ({', '.join(servers)}) answers for {hostname}"
            remedy = f"Check at the registrar that these are the servers of your DNS provider, and that {zone} exists there"
            wrong[told] = Wrong(told, remedy)
        elif silent:
            notes.add(f"{', '.join(silent)} did not answer for {hostname}")
    return [wrong[told] for told in sorted(wrong)], sorted(notes)


def check_name(zone, hostname, ipv4, ipv6):
    try:
        wrong, notes = findings(zone, hostname, ipv4, ipv6)
    except FileNotFoundError:
        raise NotAsked("dig is missing on this host", "apt-get install bind9-dnsutils") from None
    return worst([*wrong, *notes] if wrong else [f"{ipv4}, {ipv6 or 'no AAAA'}", *notes])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zone", required=True)
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--ipv4", required=True)
    parser.add_argument("--ipv6")
    parser.add_argument("--name-servers", default="")
    parser.add_argument("--wait", type=float, default=0)
    options = parser.parse_args()
    zone, hostname = options.zone.rstrip(".").lower(), options.hostname.rstrip(".").lower()
    assigned = sorted(name.rstrip(".").lower() for name in options.name_servers.split(",") if name)

    began = reminded = time.monotonic()
    while True:
        wrong, notes = findings(zone, hostname, options.ipv4, options.ipv6, assigned)
        now = time.monotonic()
        if not wrong or now - began + PAUSE > options.wait or any(isinstance(one, ForSomebody) for one in wrong):
            break
        if reminded == began or now - reminded >= REMINDER:
            print(f"waiting for DNS ({now - began:.0f} of {options.wait:.0f} s): {wrong[0]}. {wrong[0].remedy}", file=sys.stderr, flush=True)
            reminded = now
        time.sleep(PAUSE)
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
    waited = f" (waited {now - began:.0f} s)" if now - began >= PAUSE else ""
    for one in wrong:
        print(f"{one}. {one.remedy}{waited}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
