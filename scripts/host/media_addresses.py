#!/usr/bin/python3
"""Addresses of BigBlueButton's media servers: they announce the public one, and listen on the interface's.

    media_addresses.py --public ADDRESS [--private ADDRESS] [--root DIRECTORY] [--pending FILE] [--only freeswitch]

Sets them. Without --private the public address is on the interface, and only FreeSWITCH's variables are set.
bbb-install sets the rest, but leaves `local_ip_v4` from the package's installation, which is another server's after
a copy or a move of the host. With --private (EC2) the public address is translated on the way. bbb-install does the
same for FreeSWITCH and mediasoup and nothing for LiveKit. An upgrade of bbb-freeswitch-core restores the private
address: --only freeswitch corrects that, whenever FreeSWITCH starts. Writes only files whose text changes; before
that it adds the services to be restarted to FILE, one a line. Standard output: the files written.

As a module of host_check.py it checks them, on every host. Needs python3-yaml.
"""

import argparse
import ipaddress
import json
import os
import re
import sys

import yaml
from checks import Wrong, output, worst
from whole_files import Mistake, Writer, read

FREESWITCH = ["opt/freeswitch/etc/freeswitch", "opt/freeswitch/conf"]
SFU = "etc/bigbluebutton/bbb-webrtc-sfu/production.yml"
SFU_DEFAULT = "usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml"
# The service merges the first into the second each time it starts.
LIVEKIT = "etc/bigbluebutton/livekit.yaml"
LIVEKIT_DEFAULT = "usr/share/livekit-server/livekit.yaml"

REMEDY = "give the setting upgrade a new value, then pulumi up; or mend them by hand, then bbb-conf --restart"

VARIABLE = r'(<X-PRE-PROCESS\s+cmd="set"\s+data="{}=)([^"]*)(")'
PARAMETER = r'(<param\s+name="{}"\s+value=")([^"]*)(")'


def pieces(text):
    """Yields XML as (text, is a comment); comments hold settings that look like the true ones."""
    return [(piece, piece.startswith("<!--")) for piece in re.split(r"(<!--.*?-->)", text, flags=re.DOTALL)]


def xml_value(text, pattern, name):
    found = (re.search(pattern.format(re.escape(name)), piece) for piece, comment in pieces(text) if not comment)
    return next((match[2] for match in found if match), None)


def with_xml_value(text, pattern, name, value):
    expression = re.compile(pattern.format(re.escape(name)))
    return "".join(
        piece if comment else expression.sub(lambda match: f"{match[1]}{value}{match[3]}", piece)
        for piece, comment in pieces(text)
    )


def expanded(value, variables):
    """Returns a value of FreeSWITCH's with $${name} replaced by the values of vars.xml."""
    return re.sub(r"\$\$\{(\w+)\}", lambda match: xml_value(variables, VARIABLE, match[1]) or match[0], value or "")


def merged(below, above):
    """Merges mappings and replaces lists, like node-config and yq-go."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}


def is_ipv4(text):
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False


class Files:
    """Configuration files below a root."""

    def __init__(self, root):
        self.root = root
        self.freeswitch = next((path for path in FREESWITCH if self.exists(f"{path}/vars.xml")), None)

    def exists(self, name):
        return os.path.exists(os.path.join(self.root, name))

    def text(self, name):
        return read(os.path.join(self.root, name)) if self.exists(name) else ""

    def yaml(self, name):
        try:
            return yaml.safe_load(self.text(name)) or {}
        except yaml.YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
            raise Mistake(f"/{name} is no valid YAML (line {line}): mend it, then run pulumi up again") from None


def dumped(data):
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def variables_wanted(public, private):
    return {"local_ip_v4": private or public, "external_rtp_ip": public, "external_sip_ip": public}


def set_freeswitch(files, writer, public, private):
    if not files.freeswitch:
        return
    path = f"{files.freeswitch}/vars.xml"
    text = files.text(path)
    for name, value in variables_wanted(public, private).items():
        text = with_xml_value(text, VARIABLE, name, value)
    writer.put(path, text, "freeswitch")
    if not private:
        return
    path = f"{files.freeswitch}/sip_profiles/external.xml"
    text = files.text(path)
    wanted = {"ext-rtp-ip": "$${external_rtp_ip}", "ext-sip-ip": "$${external_sip_ip}", "local-network-acl": "none"}
    for name, value in wanted.items():
        text = with_xml_value(text, PARAMETER, name, value)
    writer.put(path, text, "freeswitch")


def set_sfu(files, writer, public):
    if not files.exists(SFU_DEFAULT):
        return
    data = files.yaml(SFU)
    listens = {"ip": "0.0.0.0", "announcedIp": public}
    others = [entry for entry in data.get("mediasoup", {}).get("webrtc", {}).get("listenIps") or [] if not is_ipv4(entry.get("ip"))]
    wanted = {
        "freeswitch": {"ip": public, "sip_ip": public},
        "mediasoup": {"webrtc": {"listenIps": [listens, *others]}, "plainRtp": {"listenIp": dict(listens)}},
    }
    changed = merged(data, wanted)
    if changed != data:
        owner = None if files.exists(SFU) else writer.owner("bigbluebutton")
        writer.put(SFU, dumped(changed), "bbb-webrtc-sfu", owner=owner, mode=None if files.exists(SFU) else 0o644)


def set_livekit(files, writer, public):
    """Sets LiveKit's public address; without it, LiveKit announces the addresses of its interfaces."""
    if not files.exists(LIVEKIT_DEFAULT) or not files.exists(LIVEKIT):
        return
    data = files.yaml(LIVEKIT)
    if data.get("rtc", {}).get("use_external_ip"):
        return
    changed = merged(data, {"rtc": {"node_ip": public, "use_external_ip": False}})
    if changed != data:
        writer.put(LIVEKIT, dumped(changed), "livekit-server")


def wrong_freeswitch(files, public, private):
    """Yields (file, setting, present value, right value) of each wrong value."""
    if not files.freeswitch:
        return
    path = f"{files.freeswitch}/vars.xml"
    variables = files.text(path)
    for name, value in variables_wanted(public, private).items():
        found = xml_value(variables, VARIABLE, name)
        if found != value:
            yield path, name, found, value
    path = f"{files.freeswitch}/sip_profiles/external.xml"
    for name in ("ext-rtp-ip", "ext-sip-ip"):
        found = xml_value(files.text(path), PARAMETER, name)
        means = expanded(found, variables)
        if means != public:
            yield path, name, found if found == means else f"{found}, that is {means}", public


def wrong_sfu(files, public, private):
    if not files.exists(SFU_DEFAULT):
        return
    data = merged(files.yaml(SFU_DEFAULT), files.yaml(SFU))
    listening = ("0.0.0.0", private or public)
    mediasoup = data.get("mediasoup", {})
    entries = [entry for entry in mediasoup.get("webrtc", {}).get("listenIps") or [] if is_ipv4(entry.get("ip"))]
    if not entries:
        yield SFU, "mediasoup.webrtc.listenIps", None, json.dumps([{"ip": "0.0.0.0", "announcedIp": public}])
    for entry in entries:
        if entry["ip"] not in listening:
            yield SFU, "mediasoup.webrtc.listenIps ip", entry["ip"], "0.0.0.0"
        announced = entry.get("announcedIp") or entry["ip"]
        if announced != public:
            yield SFU, "mediasoup.webrtc.listenIps announcedIp", announced, public
    # FreeSWITCH, on this host, is who it is announced to.
    plain = mediasoup.get("plainRtp", {}).get("listenIp") or {}
    if plain.get("announcedIp") not in (public, private):
        yield SFU, "mediasoup.plainRtp.listenIp announcedIp", plain.get("announcedIp"), public


def wrong_meeting_point(files, public, private):
    """Compares bbb-webrtc-sfu's address for FreeSWITCH with FreeSWITCH's own."""
    if not files.freeswitch or not files.exists(SFU_DEFAULT):
        return
    binding = xml_value(files.text(f"{files.freeswitch}/sip_profiles/external.xml"), PARAMETER, "ws-binding")
    listens, _, port = expanded(binding, files.text(f"{files.freeswitch}/vars.xml")).rpartition(":")
    sip_ip = merged(files.yaml(SFU_DEFAULT), files.yaml(SFU)).get("freeswitch", {}).get("sip_ip")
    # Without an address in it, that is the profile's own.
    listens = listens or private or public
    if sip_ip and sip_ip != listens != "0.0.0.0":
        yield SFU, "freeswitch.sip_ip", sip_ip, f"{listens}, where FreeSWITCH listens for it at port {port}"


def wrong_livekit(files, public, private):
    if not private or not files.exists(LIVEKIT_DEFAULT):
        return
    rtc = merged(files.yaml(LIVEKIT_DEFAULT), files.yaml(LIVEKIT)).get("rtc", {})
    if not rtc.get("use_external_ip") and rtc.get("node_ip") != public:
        yield LIVEKIT, "rtc.node_ip", rtc.get("node_ip"), public


def on_an_interface(address):
    return address in output("ip", "-4", "-o", "address", "show", "to", address)


def check_addresses(root, public, private):
    """Checks the addresses that the media servers announce and listen on. @raise Wrong naming each file and value"""
    files = Files(root)
    wrong = []
    for finder in (wrong_freeswitch, wrong_sfu, wrong_meeting_point, wrong_livekit):
        for path, name, found, value in finder(files, public, private):
            wrong.append(Wrong(f"{name} in /{path} is {found or 'not set'}, not {value}", REMEDY))
    # bbb-install's way of letting FreeSWITCH and bbb-webrtc-sfu meet at the address that both know.
    profile = files.text(f"{files.freeswitch}/sip_profiles/external.xml") if files.freeswitch else ""
    binding = xml_value(profile, PARAMETER, "ws-binding") or ""
    if private and binding.startswith(f"{public}:") and not on_an_interface(public):
        wrong.append(Wrong(f"{public} is not on lo, where FreeSWITCH listens for bbb-webrtc-sfu", "systemctl restart dummy-nic"))
    return worst(wrong) or f"{public} announced" + (f", {private} listened on" if private else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--public", required=True)
    parser.add_argument("--private")
    parser.add_argument("--root", default="/")
    parser.add_argument("--pending")
    parser.add_argument("--only", choices=["freeswitch"])
    options = parser.parse_args()
    files = Files(options.root)
    writer = Writer(options.root, options.pending)
    set_freeswitch(files, writer, options.public, options.private)
    if options.private and not options.only:
        set_sfu(files, writer, options.public)
        set_livekit(files, writer, options.public)


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
