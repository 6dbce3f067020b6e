#!/usr/bin/python3
"""Checks this host, and its deployment as seen from here; changes nothing.

    host_check.py [--wait SECONDS] [--meeting] [--width COLUMNS] <REQUEST     a page of text
    host_check.py --json                                                      a conversation, one JSON document a line

REQUEST is bigbluebutton/verification.ts's: one line of JSON, secrets included, which no output shows. --wait: for
services and API that are starting. --meeting: also makes, joins and ends a meeting. --width: of the page, by default
the terminal's; without one a line for each check, however long, as in logs.

With --json it prints {"ready": true}, and reads the request with "wait", "meeting" and "ports" in it. It answers
{"now": seconds since 1970} at once, for a comparison of the clocks, then prints the records (see checks.py) and at
the end {"end": true}. Standard error: the details of a check, for a log. Exit code 1 if any check failed.

With "figures", a server of a pool prints {"node": its figures}, and the balancer {"servers": {name: state}}, beside the records.

A round of the alerts (alert_round.py) asks with "omit", names of checks that are not made, and "other": whether the
other host is alive.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import sys
import time

import alert_messages
import alerts_check
import alive_check
import api_check
import backup_check
import balancer_check
import bbb_conf_check
import branding_check
import dial_in_check
import dns_check
import greenlight_check
import identity_check
import metrics_check
import network_check
import node_figures
import owned_keys
import playback
import port_check
import recording_formats
import recordings_way_check
import secret_files
import service_check
import storage_check
import system_check
import turn_access
import turn_files
from checks import (
    RESOLVER_REMEDY,
    Doubtful,
    Page,
    TimeIsUp,
    Wrong,
    bounded,
    resolver_bound,
    run,
)
from recordings_mounts import MOUNT_POINT, bound

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
BBB_CONF_LIMIT = 90


def check_bbb_conf(secrets):
    """Runs BigBlueButton's own check, whose exit code tells nothing."""
    try:
        _, text = run("bbb-conf", "--check", limit=BBB_CONF_LIMIT, merged=True)
    except FileNotFoundError:
        raise Wrong("there is no bbb-conf", "BigBlueButton is not installed: run pulumi up") from None
    # Where the secret of bbb-webhooks is another one, it shows both.
    for secret in secrets:
        text = text.replace(secret, "(secret)")
    print(text, file=sys.stderr, flush=True)
    problems = bbb_conf_check.judge(text)
    if not problems:
        return "no problems"
    # The bars of its table of services are of no use in a line.
    told = "; ".join(re.sub("[—►]+ *", "", body) for _, body in problems)
    remedy = "bbb-conf --check says more; where no other line of this page agrees, it may be mistaken"
    if any(kind == "FAIL" for kind, _ in problems):
        raise Wrong(told, remedy)
    if any(kind == "warn" for kind, _ in problems):
        raise Doubtful(told, remedy)
    return told


def check_owned_keys(wanted):
    found = owned_keys.drifted(ROOT or "/", wanted)
    if found:
        raise Doubtful("; ".join(found), "put it back: give the setting upgrade a new value, then pulumi up; or give the setting in brackets the other value")
    return f"{owned_keys.count(wanted)} keys as deployed"


def check_media(public, private):
    import media_addresses  # needs python3-yaml, which a TURN host may lack

    try:
        return media_addresses.check_addresses(ROOT or "/", public, private)
    except media_addresses.Mistake as mistake:
        raise Wrong(str(mistake)) from None


def check_turn(page, request, peer, own):
    host = request["turnHost"]
    try:
        import turn_check
    except ImportError:
        answer = "this Ubuntu release is too old for python3-aioice; the TURN host asks the same"
        page.add("TURN", host, "skip", answer, 0)
        return
    if "mediaPorts" not in request:
        page.add("TURN", host, "skip", "the stack's output check is an earlier version's, without the ports of media: run pulumi up", 0)
        return
    turn_check.check_turn(page, host, peer, request["turnSecret"], own, request["mediaPorts"], request.get("turnStack"))


def is_own(request, role):
    """True when the certificate is the operator's own, and no authority renews it."""
    return role in request.get("ownCertificates", [])


def certificate_days(request):
    """The limits of the request; that of an earlier version of the program has none, and only what has run out is wrong."""
    return request.get("certificateDays", {"fail": 0, "warn": 0})


def certificate_remedy(request, role, hostname):
    if is_own(request, role):
        setting = "certificateFile" if role == "bbb" else "turnCertificateFile, or certificateFile where that is not set"
        return f"put a new certificate into the file of the setting {setting}, then run pulumi up"
    return f"on {hostname}: certbot certificates, systemctl status certbot, /var/log/letsencrypt/letsencrypt.log"


def check_api(page, request, options):
    """Checks BigBlueButton over HTTPS and by its public name; without a signed call if there is no secret."""
    hostname, secret = request["bbbHost"], request.get("sharedSecret")
    base = f"https://{hostname}/bigbluebutton/api"
    remedy = certificate_remedy(request, "bbb", hostname)
    patient = {"limit": options["wait"] + 60, "late": Wrong}
    # What people open comes first.
    if "frontPageUrl" in request:
        page.check("front page", f"GET {hostname}/", api_check.check_redirect, hostname, request["frontPageUrl"])
    else:
        page.check("front page", f"GET {hostname}/", api_check.check_front_page, hostname, request.get("greenlight", False), options["wait"], **patient)
    verdict = page.check("API", f"GET {base.replace('https://', '')}", api_check.check_index, base, options["wait"], **patient)
    page.check("certificate", f"{hostname}:443", api_check.check_certificate, hostname, 443, request["untrustedCa"], certificate_days(request), remedy)
    calls: list = [("wrong signature", "getMeetings, signed wrongly", api_check.check_refused, base)]
    if secret:
        calls.insert(0, ("signed call", "getMeetings", api_check.check_signed, base, secret, options["wait"]))
    if secret and options["meeting"]:
        calls.append(("test meeting", "create, join, end", api_check.check_meeting, base, secret))
    for name, asked, function, *arguments in calls:
        if verdict == "FAIL":
            page.add(name, asked, "skip", "not asked, since the API does not answer", 0)
        else:
            page.check(name, asked, function, *arguments, **(patient if name == "signed call" else {"late": Wrong}))


def check_greenlight(page, request, options):
    """Checks Greenlight, if it is installed; its administrator's sign-in only where a meeting is made also."""
    if not request.get("greenlight"):
        return
    hostname, admin = request["bbbHost"], request.get("greenlightAdmin")
    page.check("Greenlight", "health_check", greenlight_check.check_health, options["wait"], limit=options["wait"] + 60)
    environment = f"{ROOT}/root/greenlight-v3/.env"
    page.check("Greenlight's settings", ".env", greenlight_check.check_environment, environment, f"{ROOT}/var/lib/bbb-deploy/greenlight/{greenlight_check.DEPLOYED}")
    page.check("mail", "SMTP, as in Greenlight's .env", greenlight_check.check_mail, environment)
    if admin and options["meeting"]:
        base = f"https://{hostname}/bigbluebutton/api"
        page.check("administrator", "sign-in, room, meeting", greenlight_check.check_administrator, f"https://{hostname}", admin, base, request["sharedSecret"], late=Wrong)


def check_names_and_ports(page, request, hostname):
    """Checks this host's own name, and the other host's ports from the internet, if the request names them."""
    zone, ipv4, ipv6 = request["zone"], request["ipv4"], request.get("ipv6")
    page.check("name", f"{hostname}, parent and zone", dns_check.check_name, zone, hostname, ipv4, ipv6)
    ports = request.get("ports")
    if ports:
        page.check("ports", f"{ports['host']}, as a stranger", port_check.check_ports, ports)


def check_network(page, request, hostname, resolve):
    """Checks the requirements of this host's own network."""
    page.check("resolver", f"{hostname}, as programs ask it", check_resolver, resolve, hostname)
    ipv6 = request.get("ipv6")
    if request["role"] == "bbb" or ipv6:
        page.check("IPv6", f"lo{f', {ipv6}' if ipv6 else ''}", network_check.check_ipv6, request["role"], ipv6)
    if "openPorts" in request:
        page.check("firewall", "on the host itself", network_check.check_firewall, request["openPorts"])


def check_resolver(resolve, hostname):
    try:
        resolve(hostname, 443)
    except socket.gaierror as error:
        raise Doubtful(f"it knows no {hostname}: {error.strerror}", "the checks of names say whether its records are right; " + RESOLVER_REMEDY) from None
    return "answers"


def check_machine(page, role, clock_of=None, recordings=False):
    page.check("clock", "NTP" + (", the other host" if clock_of else ""), system_check.check_clock, clock_of)
    page.check("disk", "/", storage_check.check_disk, "/")
    page.check("temporary files", "/tmp", storage_check.check_temporary, role)
    if recordings:
        page.check("recordings", f"{MOUNT_POINT}, {len(bound(ROOT or '/'))} places", storage_check.check_recordings)
    page.check("memory", "/proc/meminfo", system_check.check_memory)
    page.check("units", "systemctl --failed", system_check.check_units)
    page.check("updates", "reboot, held packages", system_check.check_updates)


def check_bbb(page, request, options, resolve):
    xml, secrets = request["turnXml"], [request["sharedSecret"], request["turnSecret"]]
    page.check("services", "systemctl is-active", system_check.check_services, options["wait"], limit=options["wait"] + 60)
    page.check("answers", "each service, at its port", service_check.check_answers, request.get("services", []), limit=75)
    page.check("release", "bigbluebutton-release", system_check.check_release, request["version"])
    page.check("bbb-conf", "bbb-conf --check", check_bbb_conf, secrets, limit=BBB_CONF_LIMIT + 10)
    page.check("media addresses", "FreeSWITCH, mediasoup, LiveKit", check_media, request["ipv4"], request.get("privateIpv4"))
    check_network(page, request, request["bbbHost"], resolve)
    check_names_and_ports(page, request, request["bbbHost"])
    check_api(page, request, options)
    check_greenlight(page, request, options)
    page.check("renewal", "certbot.service, certbot.timer", system_check.check_renewal, request["bbbHost"], "bbb", is_own(request, "bbb"))
    page.check("recordings' links", "playback_host, playback_protocol", playback.check_playback, ROOT or "/", request["bbbHost"])
    page.check("shared secret", "bbb-web.properties, bbb-apps-akka", secret_files.check_shared_secret, ROOT or "/", request["sharedSecret"])
    if "ownedKeys" in request:
        wanted = json.loads(request["ownedKeys"])
        page.check("keys of settings", ", ".join(os.path.basename(file["path"]) for file in wanted["files"]), check_owned_keys, wanted)
        if recording_formats.concerns(wanted):
            page.check("recordings' processing", "formats, hours", recording_formats.check_processing, ROOT or "/", wanted)
    if "branding" in request:
        page.check("branding", "its files over HTTPS", branding_check.check_branding, ROOT or "/", request["bbbHost"], json.loads(request["branding"]))
    if "dialIn" in request:
        dial_in = json.loads(request["dialIn"])
        page.check("dial-in", f"{dial_in['host']}, FreeSWITCH's files", dial_in_check.check_dial_in, ROOT or "/", dial_in)
    page.check("TURN wiring", os.path.basename(xml["path"]), turn_files.check_xml, ROOT + xml["path"], xml["text"])
    page.check("files", "what bbb-web must read", service_check.check_readable, "bigbluebutton", [xml["path"]], "bbb-conf --restart")
    if request.get("pool"):
        page.check("recordings' way", "what is published, and not on the balancer", recordings_way_check.check_waiting)
    if "TURN" not in page.omitted:
        check_turn(page, request, request["ipv4"], own=True)
    check_machine(page, "bbb", recordings=request["recordings"])


def check_turn_host(page, request, options, resolve):
    conf, hostname = request["turnServerConf"], request["turnHost"]
    remedy, untrusted = certificate_remedy(request, "turn", hostname), request.get("untrustedTurnCa", request["untrustedCa"])
    settings = turn_files.settings(conf["text"])
    listening = settings.get("listening-ip", ["127.0.0.1"])
    readable = [conf["path"], *(path for key in ("cert", "pkey", "userdb") for path in settings.get(key, []))]
    page.check("coturn", "systemctl, STUN from here", service_check.check_coturn, listening)
    page.check("files", "what coturn must read", service_check.check_readable, "turnserver", readable, "systemctl restart coturn")
    page.check("coturn's settings", conf["path"], turn_files.check_conf, ROOT + conf["path"], conf["text"])
    if "turnPeers" in request:
        path = f"/{turn_access.DATABASE}"
        page.check("coturn's peers", path, turn_files.check_access, ROOT + path, hostname, request["turnPeers"], request["turnSecret"])
    page.check("TURN certificate", f"{hostname}:443", api_check.check_certificate, hostname, 443, untrusted, certificate_days(request), remedy)
    page.check("renewal", "certbot.timer, coturn's copy", system_check.check_renewal, hostname, "turn", is_own(request, "turn"))
    check_network(page, request, hostname, resolve)
    check_names_and_ports(page, request, hostname)
    # One that is several BigBlueButton servers' asks none of them: each of these asks it.
    if "bbbHost" in request:
        check_api(page, request, options)
        check_turn(page, request, request["bbbIpv4"], own=False)
    check_machine(page, "turn", clock_of=f"https://{request['bbbHost']}/" if "bbbHost" in request else None)


def check_servers(page, request):
    servers = balancer_check.Servers(request["nodes"])
    page.check("pool", f"{len(request['nodes'])} servers, as Scalelite has them", servers.check_all, limit=240)
    if request.get("figures") and servers.found:
        print(json.dumps({"servers": servers.found}), flush=True)
    for name in request["nodes"]:
        asked = f"{name}, by the balancer"
        if not servers.found:
            page.add(alert_messages.server_check(name), asked, "skip", "not asked, since Scalelite does not answer", 0)
        else:
            page.check(alert_messages.server_check(name), asked, servers.check_one, name)


def check_balancer(page, request, options, resolve):
    hostname = request["bbbHost"]
    page.check("services", "systemctl is-active", balancer_check.check_services)
    page.check("answers", "Redis, PostgreSQL, Scalelite", balancer_check.check_answers)
    check_servers(page, request)
    page.check("recordings' way", f"from {len(request['nodes'])} servers, without a recording", recordings_way_check.check_way, request["nodes"], limit=200)
    check_network(page, request, hostname, resolve)
    check_names_and_ports(page, request, hostname)
    check_api(page, request, options)
    page.check("renewal", "certbot.service, certbot.timer", system_check.check_renewal, hostname, "bbb", is_own(request, "bbb"))
    check_machine(page, "balancer", recordings=request.get("recordings", False))


def check_identity(page, request):
    """Checks that a copy of an image is a server of its own; of other servers there is nothing to ask."""
    if identity_check.is_copy(ROOT or "/"):
        hostname = own_name(request)
        page.check("identity", "a copy of an image, by digests", identity_check.check_identity, ROOT or "/", hostname)


def own_name(request):
    return request["turnHost" if request["role"] == "turn" else "bbbHost"]


def known_addresses(request):
    """Returns {name: [addresses]} of the deployment's own names, as it made them."""
    if request["role"] == "balancer":
        return {request["bbbHost"]: [request["ipv4"]]}
    own, other = ("bbbHost", "turnHost") if request["role"] == "bbb" else ("turnHost", "bbbHost")
    known = {request[own]: [request["ipv4"]], request.get(other): [request.get("turnIpv4", request.get("bbbIpv4"))]}
    return {name: addresses for name, addresses in known.items() if name and addresses != [None]}


def check_other(page, request):
    """Checks whether the other host is alive, if there is one; that of another stack, by its name. In a pool the balancer too,
    by the host that looks after it.
    """
    host = None if request["role"] == "balancer" else request.get("turnHost" if request["role"] == "bbb" else "bbbHost")
    if host:
        page.check("other host", host, alive_check.check_alive, known_addresses(request).get(host, [host]))
    if "balancer" in request:
        page.check("balancer", request["balancer"]["host"], alive_check.check_alive, [request["balancer"]["ipv4"]])


def print_figures(balancer):
    """Prints what a server of a pool tells of itself; where it can't, its checks say why."""
    with contextlib.suppress(Exception, TimeIsUp), bounded(30):
        print(json.dumps({"node": node_figures.figures(balancer)}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wait", type=float, default=0)
    parser.add_argument("--meeting", action="store_true")
    parser.add_argument("--width", type=int, default=shutil.get_terminal_size().columns if sys.stdout.isatty() else None)
    given = parser.parse_args()
    # One that hangs is not to hold a check for longer than the check's own bound.
    socket.setdefaulttimeout(30)

    if given.json:
        print('{"ready": true}', flush=True)
    request = json.loads(sys.stdin.readline())
    if given.json:
        print(json.dumps({"now": time.time()}), flush=True)
    options = {"wait": request.get("wait", given.wait), "meeting": request.get("meeting", given.meeting)}
    page = Page(given.json, [request.get("sharedSecret"), request.get("turnSecret"), request.get("greenlightAdmin", {}).get("password"), request.get("metrics", {}).get("token")], given.width, request.get("omit", []))
    resolve = resolver_bound(known_addresses(request))
    if request["role"] == "bbb" and request.get("figures"):
        print_figures(request["figures"]["balancer"])
    if request.get("other"):
        check_other(page, request)
    {"bbb": check_bbb, "turn": check_turn_host, "balancer": check_balancer}[request["role"]](page, request, options, resolve)
    check_identity(page, request)
    if request.get("metrics"):
        metrics, hostname = request["metrics"], own_name(request)
        page.check("metrics", "HTTPS, with and without the token", metrics_check.check_metrics, request["role"], hostname, metrics["token"], metrics.get("version"))
    if request.get("backup"):
        page.check("backup", backup_check.TIMER, backup_check.check_backup)
    if request.get("alerts"):
        page.check("alerts", alerts_check.TIMER, alerts_check.check_alerts)
    if given.json:
        print('{"end": true}', flush=True)
    return 1 if page.failed else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # asyncio's leftovers are nobody's business.
    os._exit(status)
