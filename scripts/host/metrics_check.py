#!/usr/bin/python3
"""Checks the metrics that this host offers, from here: they are served over HTTPS with the certificate of its name, to
nobody without the token.

    metrics_check.py ROLE HOSTNAME <TOKEN

Prints the finding. Exit code 1 if it is bad.
"""

import base64
import http.client
import re
import socket
import ssl
import sys

from checks import Wrong

TIMEOUT = 15
PORTS = {"bbb": 443, "turn": 9100, "balancer": 443}
PATHS = {"bbb": ("/metrics/bigbluebutton", "/metrics/host"), "turn": ("/metrics",), "balancer": ("/metrics/host",)}
UNITS = {
    "/metrics/bigbluebutton": "bigbluebutton-exporter",
    "/metrics/host": "prometheus-node-exporter",
    "/metrics": "prometheus-node-exporter",
}


class Here(http.client.HTTPSConnection):
    """Connection to a server of this host, by its public name: the networks that may ask are others."""

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def ask(hostname, port, path, authorization=None):
    """Returns (status, text). @raise OSError"""
    connection = Here(hostname, port)
    try:
        connection.request("GET", path, headers={"Authorization": authorization} if authorization else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP ({type(error).__name__})") from None
    finally:
        connection.close()


def authorization(role, token):
    if role != "turn":
        return f"Bearer {token}"
    return "Basic " + base64.b64encode(f"metrics:{token}".encode()).decode()


def value(text, name):
    """Returns the value of a number without labels; None where there is none."""
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def label(text, name, key):
    found = re.search(rf'^{name}\{{[^}}]*\b{key}="([^"]*)"', text, re.MULTILINE)
    return found[1] if found else None


def judge_bigbluebutton(text, version):
    found = label(text, "bbb_exporter", "version")
    if found is None:
        raise Wrong("what answers is no bigbluebutton-exporter", "look what listens at 127.0.0.1:9688 (ss -ltnp); then run pulumi up")
    if version and found != version:
        raise Wrong(f"bigbluebutton-exporter {found} runs, where {version} was deployed", "run pulumi up with a new value of the setting upgrade")
    if value(text, "bbb_api_up") != 1:
        raise Wrong("the API gives bigbluebutton-exporter no answer", "journalctl -u bigbluebutton-exporter says why; the line of the API on this page says more")
    return f"bigbluebutton-exporter {found}"


def judge_host(text):
    found = label(text, "node_exporter_build_info", "version")
    if found is None:
        raise Wrong("what answers is no node_exporter", "look what listens at port 9100 (ss -ltnp); then run pulumi up")
    return f"node_exporter {found}"


def judge_relays(text):
    up, relays = value(text, "turn_up"), value(text, "turn_relays")
    if up is None or relays is None:
        raise Wrong("nothing about coturn's relays among the numbers", "systemctl status bbb-turn-metrics says why")
    return f"{relays:.0f} relays in use"


def judge_pool(text):
    up, servers = value(text, "bbb_pool_up"), re.findall(r"^bbb_pool_server_state\{.*\} 1$", text, re.MULTILINE)
    if up is None:
        raise Wrong("nothing about the pool among the numbers", "systemctl status bbb-pool-metrics says why")
    if up != 1:
        raise Wrong("the balancer tells nothing of its servers", "journalctl -u bbb-pool-metrics says why; the line of the pool on this page says more")
    return f"a pool of {len(servers)}"


def judge(role, path, text, version):
    if path == "/metrics/bigbluebutton":
        return [judge_bigbluebutton(text, version)]
    more = {"turn": [judge_relays], "balancer": [judge_pool]}.get(role, [])
    return [judge_host(text), *(one(text) for one in more)]


def check_metrics(role, hostname, token, version=None):
    findings, port = [], PORTS[role]
    for path in PATHS[role]:
        remedy = f"systemctl status {UNITS[path]}{' nginx' if role != 'turn' else ''} and journalctl -u {UNITS[path]} say more; run pulumi up with a new value of the setting upgrade, which puts it back"
        try:
            for wrong in (None, authorization(role, f"{token[:-1]}!")):
                status, _ = ask(hostname, port, path, wrong)
                if status != 401:
                    raise Wrong(f"{path} gives HTTP status {status} without the token, not 401", remedy)
            status, text = ask(hostname, port, path, authorization(role, token))
        except OSError as error:
            raise Wrong(f"{path}: {getattr(error, 'verify_message', None) or error.strerror or error}", remedy) from None
        if status != 200:
            raise Wrong(f"{path} gives HTTP status {status} with the token", remedy)
        findings += judge(role, path, text, version)
    return ", ".join([*findings, "401 without the token"])


if __name__ == "__main__":
    try:
        print(check_metrics(sys.argv[1], sys.argv[2], sys.stdin.readline().strip()))
    except Wrong as wrong:
        print(f"{wrong}. To do: {wrong.remedy}")
        sys.exit(1)
