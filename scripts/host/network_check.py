"""Checks of a host's own network: IPv6, and firewalls that run on the host beside the cloud's."""

import os
import re
import socket

from checks import Wrong, output

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
# The deployment's own tables, and chains that others make for what they forward.
OWN_TABLES = re.compile(r"bbb_")


def has_ipv6(address):
    """True for an address of one of the interfaces."""
    try:
        with open(f"{ROOT}/proc/net/if_inet6", encoding="ascii") as file:
            return socket.inet_pton(socket.AF_INET6, address).hex() in (line.split()[0] for line in file)
    except FileNotFoundError:
        return False


def ipv6_remedy():
    """Advice to switch IPv6 on again, by the place where it was switched off."""
    with open(f"{ROOT}/proc/cmdline", encoding="utf-8") as file:
        if "ipv6.disable=1" in file.read().split():
            return "take ipv6.disable=1 out of /etc/default/grub (and /etc/default/grub.d), run update-grub, and reboot when no meeting is running"
    places = [f"{ROOT}/etc/sysctl.conf"]
    for directory in ("/etc/sysctl.d", "/run/sysctl.d", "/usr/lib/sysctl.d"):
        if os.path.isdir(ROOT + directory):
            places += [f"{ROOT}{directory}/{name}" for name in sorted(os.listdir(ROOT + directory))]
    found = []
    for place in places:
        if os.path.isfile(place):
            with open(place, encoding="utf-8", errors="replace") as file:
                if re.search(r"^\s*-?net[./]ipv6[./]conf[./]\S*disable_ipv6\s*=\s*1", file.read(), re.MULTILINE):
                    found.append(place[len(ROOT) :])
    switches = " ".join(f"net.ipv6.conf.{name}.disable_ipv6=0" for name in ("all", "default", "lo"))
    taken_out = f"take disable_ipv6 out of {', '.join(found)}; " if found else ""
    return f"{taken_out}sysctl -w {switches}; systemctl restart systemd-networkd, which puts the addresses back"


def check_ipv6(role, address):
    """Checks IPv6 on lo, where BigBlueButton's services bind, and the address that the name leads to."""
    if not has_ipv6("::1"):
        why = "BigBlueButton's services bind to ::1" if role == "bbb" else f"clients with IPv6 alone are led to {address}"
        told = f"IPv6 is switched off on this host: {why}"
    elif address and not has_ipv6(address):
        told = f"{address}, which the name leads to, is on none of the interfaces"
    else:
        return f"on lo{f' and {address}' if address else ''}"
    services = "nginx freeswitch" if role == "bbb" else "coturn"
    raise Wrong(told, f"{ipv6_remedy()}; then systemctl restart {services}")


def opens(rule):
    """Returns a port rule in the form of ufw and of people."""
    ports = str(rule["from"]) if rule["from"] == rule["to"] else f"{rule['from']}:{rule['to']}"
    return f"{ports}/{rule['protocol']}"


def ufw_allows(status):
    """Returns {protocol: ports} that `ufw status verbose` allows from everywhere; None if ufw stops nothing."""
    if not re.search(r"^Status: active", status, re.MULTILINE) or re.search(r"^Default: allow \(incoming\)", status, re.MULTILINE):
        return None
    found: dict = {"tcp": set(), "udp": set()}
    for line in status.splitlines():
        rule = re.match(r"(\S+?)(?:/(tcp|udp))?(?: \([^)]*\))?\s+(?:ALLOW|LIMIT)(?: IN)?\s+Anywhere\s*(?:#.*)?$", line)
        if not rule:
            continue
        for part in rule[1].split(","):
            ends = part.split(":")
            for protocol in [rule[2]] if rule[2] else found:
                if part == "Anywhere":
                    found[protocol].update(range(1, 65536))
                elif all(end.isdigit() for end in ends):
                    found[protocol].update(range(int(ends[0]), int(ends[-1]) + 1))
    return found


def input_chains(ruleset):
    """Returns the tables of `nft list ruleset` with a chain that drops or refuses some of the incoming packets."""
    found, table, chain = {}, "", None
    for line in map(str.strip, ruleset.splitlines()):
        if line.startswith("table "):
            table = line[len("table ") :].rstrip(" {")
        elif line.startswith("chain "):
            chain = None
        elif "hook input" in line:
            chain = table
            if "policy drop" in line:
                found[chain] = True
        elif chain and re.search(r"\b(drop|reject)\b", line):
            found[chain] = True
    return [table for table in found if not OWN_TABLES.match(table.split()[-1])]


def firewalls():
    """Returns the possible obstacles to packets on this host, in words."""
    found = []
    if ufw_allows(output("ufw", "status", "verbose")) is not None:
        found.append("ufw")
    if output("systemctl", "is-active", "firewalld").strip() == "active":
        found.append("firewalld")
    return found or [f"nftables' table {table}" for table in input_chains(output("nft", "list", "ruleset"))]


def let_in(rule, firewall):
    """Advice to allow something in a firewall of the host."""
    ports = opens(rule)
    if firewall == "ufw":
        return f"ufw allow {ports}"
    if firewall == "firewalld":
        ports = ports.replace(":", "-")
        return f"firewall-cmd --permanent --add-port={ports} && firewall-cmd --reload"
    return f"have {firewall} accept {ports.replace(':', '-')} (nft list ruleset shows it)"


def check_firewall(rules):
    """Checks that a firewall on this host allows what the deployment needs, like the cloud's."""
    allowed = ufw_allows(output("ufw", "status", "verbose"))
    if allowed is not None:
        missing = [rule for rule in rules if not set(range(rule["from"], rule["to"] + 1)) <= allowed[rule["protocol"]]]
        if missing:
            told = f"ufw on this host stops {', '.join(map(opens, missing))}"
            raise Wrong(told, "; ".join(let_in(rule, "ufw") for rule in missing))
        return f"ufw lets in {', '.join(map(opens, rules))}"
    return f"{', '.join(firewalls())}: whether it lets all in, the checks of ports and media show" if firewalls() else "none on this host"
