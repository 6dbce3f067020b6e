#!/usr/bin/python3
"""Stand-in for livekit-sip: takes a call to the number of a meeting whose sound LiveKit has, and refuses others.

    livekit_sip.py [--root DIRECTORY] [--voice DIRECTORY] [--port PORT]

--voice: directory with a file for each meeting's number (bbb_web.py). bbb-webrtc-sfu tells livekit-sip the numbers, and
does so only where its settings have livekit.sip.enabled. No sound is passed on.
"""

import argparse
import os
import re
import secrets
import socket
import sys

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sip

SETTINGS = ["usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml", "etc/bigbluebutton/bbb-webrtc-sfu/production.yml"]


def enabled(root):
    value = False
    for name in SETTINGS:
        path = os.path.join(root, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                settings = yaml.safe_load(file) or {}
            value = ((settings.get("livekit") or {}).get("sip") or {}).get("enabled", value)
    return value


def known(root, voice, number):
    path = os.path.join(voice, number)
    if not enabled(root) or not re.fullmatch(r"\d+", number) or not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return file.read().strip() == "livekit"


def answer(request, root, voice, own):
    """Returns the answer to a request; None for one that needs none."""
    tag = secrets.token_hex(4)
    if request.method == "INVITE":
        there = known(root, voice, request.user)
        print(f"livekit-sip (stand-in): call to {request.user}: {'taken' if there else 'no such number'}", flush=True)
        if not there:
            return sip.response(request, 404, "Not Found", tag)
        extra = [("contact", f"<sip:{own}>"), ("content-type", "application/sdp")]
        return sip.response(request, 200, "OK", tag, extra, sip.sdp(own, 20000))
    return None if request.method in ("", "ACK") else sip.response(request, 200, "OK", tag)


def main():
    parser = argparse.ArgumentParser(description="Stand-in for livekit-sip")
    parser.add_argument("--root", default="/")
    parser.add_argument("--voice", default="/run/bbb-web")
    parser.add_argument("--port", type=int, default=5062)
    options = parser.parse_args()
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("", options.port))
    print(f"livekit-sip (stand-in): listens at port {options.port}", flush=True)
    while True:
        data, sender = listening.recvfrom(65535)
        request = sip.parse(data)
        reply = request and answer(request, options.root, options.voice, "127.0.0.1")
        if reply:
            listening.sendto(reply.text().encode(), sender)


if __name__ == "__main__":
    main()
