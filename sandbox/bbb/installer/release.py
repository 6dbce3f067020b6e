"""Differences between the lines of BigBlueButton, for their installers. The build fills in release.json."""

import json
import pkgutil
from collections import namedtuple

Release = namedtuple("Release", "line install match ubuntu codename yq")


def _read():
    return Release(**json.loads(pkgutil.get_data("release", "release.json") or ""))


RELEASE = _read()

# 4.0 has no SIP.js, so neither http2 nor sip.nginx nor FreeSWITCH's own TLS; it takes everything from its own package source,
# switches ufw on unasked, and can harden sshd.
IS_4 = RELEASE.line.startswith("4.")
