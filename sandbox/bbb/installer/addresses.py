"""The host's addresses, as the installer guesses them."""

import os
import re
import subprocess
import time
from collections import namedtuple

import packages
from shell import Refusal, exists, output, read, run

# private: None where the public address is the interface's.
Addresses = namedtuple("Addresses", "public private")

METADATA = "http://169.254.169.254/latest/meta-data/public-ipv4"
# Whoever asks it gets what the world knew of a name a while ago.
OUTSIDE = "@resolver1.opendns.com"
PRIVATE = r"10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\."

_found: list = []


def find(name):
    """Finds the addresses once. A caller that sets IP (and INTERNAL_IP) is believed, without a question to anybody."""
    if not _found:
        given = os.environ.get("IP")
        _found.append(Addresses(given, os.environ.get("INTERNAL_IP") or None) if given else _guess(name))
    return _found[0]


def _guess(name):
    own = _of_interface()
    other = _from_outside(own, name)
    if other and other != own and _leads_back(other):
        print(f"\n  Detected this server has an internal/external IP address.\n\n      INTERNAL_IP: {own}\n    (external) IP: {other}\n")
        return Addresses(other, own)
    if not own:
        raise Refusal("Unable to determine local IP address.")
    return Addresses(own, None)


def _of_interface():
    routes = (line.split() for line in read("/proc/net/route").splitlines())
    device = next((route[0] for route in routes if route[1:2] == ["00000000"]), "")
    shown = output("ip", "-4", "-br", "address", "show", "dev", device).split()[2:]
    candidates = [address.split("/")[0] for address in shown] or output("hostname", "-I").split()
    return candidates[0] if candidates else ""


def _from_outside(own, name):
    """Finds the public address.

    The original knows an EC2 host by something that a container lacks; here it is the private address. The metadata
    service is asked in EC2's first manner: where tokens are required it says nothing.
    """
    if re.match(PRIVATE, own):
        return output("wget", "-qO-", "--timeout=5", "--tries=1", METADATA)
    if not name:
        return ""
    packages.need("bind9-dnsutils")
    return (re.findall(r"^[.0-9]+$", output("dig", "+short", name, OUTSIDE), flags=re.MULTILINE) or [""])[-1]


def _leads_back(address):
    """True when a server answers at the address's port 443: it is taken for this host, even if it is another one."""
    stopped = exists("nginx")
    if stopped:
        run("systemctl", "stop", "nginx")
    packages.need("netcat-openbsd")
    try:
        listener = subprocess.Popen(["nc", "-l", "-p", "443"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        listener = None
    time.sleep(1)
    reached = run("nc", "-zvw3", address, "443", quiet=True) == 0
    if listener:
        listener.kill()
        listener.wait()
    if stopped:
        run("systemctl", "start", "nginx")
    return reached
