"""Checks another host's TCP ports from one that its firewall gives no privilege."""

import concurrent.futures
import socket

from checks import Doubtful, Wrong, worst

SILENCE = 4


def state(host, port):
    """State of a port: open, refused by the host itself, or silent, as firewalls are."""
    try:
        with socket.create_connection((host, port), SILENCE):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent"


def check_ports(ports):
    """ports: the `host`, those that must be `open`, those of them that are `quiet` most of the
    time, and `closed` ones.
    """
    host, wanted, closed = ports["host"], ports["open"], ports["closed"]
    # The name's addresses are another check's; an IPv6 address that does not answer would double the time.
    address = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = dict(zip(wanted + closed, pool.map(lambda port: state(address, port), wanted + closed)))

    def which(among, answer):
        return ", ".join(str(port) for port in among if found[port] == answer)

    attach = "attach the firewall again: pulumi refresh, then pulumi up"
    silent, reachable, unfiltered = which(wanted, "silent"), which(closed, "open"), which(closed, "refused")
    idle = which([port for port in wanted if port not in ports["quiet"]], "refused")
    findings = []
    if silent:
        told = f"the firewall must let {silent}/tcp in: pulumi refresh, then pulumi up; and a firewall on {host} itself, if its check finds one"
        findings.append(Wrong(f"no answer at {silent}", told))
    if idle:
        findings.append(Wrong(f"nobody listens at {idle}", f"systemctl --failed on {host}; then systemctl restart what should listen (nginx or coturn)"))
    if reachable:
        findings.append(Wrong(f"open to everybody: {reachable}", attach))
    if unfiltered:
        told = f"{unfiltered} get to the host, which refuses them itself: is the firewall gone?"
        findings.append(Doubtful(told, attach))
    told = f"{', '.join(map(str, wanted))} let in, {', '.join(map(str, closed))} not"
    return worst(findings or [told])
