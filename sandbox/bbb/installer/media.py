"""The addresses that FreeSWITCH and bbb-webrtc-sfu announce and listen at."""

import os
import re

from release import IS_4, RELEASE
from shell import edit, read, run, write

CONF = "/opt/freeswitch/conf"
SIP_NGINX = "/usr/share/bigbluebutton/nginx/sip.nginx"
UNIT = "/lib/systemd/system/dummy-nic.service"
OVERRIDES = "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml"

VARIABLE = '//X-PRE-PROCESS[@cmd="set" and starts-with(@data, "{0}=")]/@data'
PARAMETER = '//param[@name="{0}"]/@value'


def set_xml(file, path, value):
    run("xmlstarlet", "edit", "--inplace", "--update", path, "--value", value, f"{CONF}/{file}")


def announce(host):
    for name in ("external_rtp_ip", "external_sip_ip"):
        set_xml("vars.xml", VARIABLE.format(name), f"{name}={host.public}")
    if not host.private:
        return
    for kind in ("rtp", "sip"):
        set_xml("sip_profiles/external.xml", PARAMETER.format(f"ext-{kind}-ip"), f"$${{external_{kind}_ip}}")
    if not IS_4:
        edit(SIP_NGINX, lambda text: text.replace(f"{host.private}:", f"{host.public}:"))
    run("ip", "addr", "add", host.public, "dev", "lo")
    keep_on_lo(host.public)


def keep_on_lo(address):
    """Writes a unit that adds the address at each boot. Started now, it fails: the address exists already."""
    known = os.path.exists(UNIT)
    if known and address in read(UNIT):
        return
    sections = {
        "Unit": {"Description": "Public address on lo (stand-in)", "Before": "freeswitch.service", "After": "network.target"},
        "Service": {"ExecStart": f"/sbin/ip addr add {address} dev lo"},
        "Install": {"WantedBy": "multi-user.target"},
    }
    texts = ("".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in rows.items())]) for name, rows in sections.items())
    write(UNIT, "\n".join(texts))
    for verb in (["daemon-reload"], ["restart", "dummy-nic"]) if known else (["enable", "dummy-nic"], ["start", "dummy-nic"]):
        run("systemctl", *verb)


def bind(host):
    """Binds FreeSWITCH's WebSockets to the public address, where nginx (up to 3.0) and bbb-webrtc-sfu look for it."""
    ports = {"ws-binding": 5066} if IS_4 else {"wss-binding": 7443, "ws-binding": 5066}
    for name, port in ports.items():
        set_xml("sip_profiles/external.xml", PARAMETER.format(name), f"{host.public}:{port}")
    if not IS_4:
        run("touch", "/etc/bigbluebutton/bbb-html5.yml")
        yq("/etc/bigbluebutton/bbb-html5.yml", ".public.media.sipjsHackViaWs = true")
        edit(SIP_NGINX, lambda text: re.sub(r"proxy_pass .*", f"proxy_pass http://{host.public}:5066;", text))


def set_sfu(host):
    os.makedirs(os.path.dirname(OVERRIDES), exist_ok=True)
    run("touch", OVERRIDES)
    listens = {"mediasoup.webrtc.listenIps[0]": {"ip": "0.0.0.0", "announcedIp": host.public}}
    listens["mediasoup.plainRtp.listenIp"] = listens["mediasoup.webrtc.listenIps[0]"]
    for path, values in {"freeswitch": {"ip": host.public, "sip_ip": host.public}, **listens}.items():
        for key, value in values.items():
            yq(OVERRIDES, f'.{path}.{key} = "{value}"')
    run("chown", "bigbluebutton:bigbluebutton", OVERRIDES)
    run("chmod", "644", OVERRIDES)


def yq(path, assignment):
    run(RELEASE.yq, "e", "-i", assignment, path)
