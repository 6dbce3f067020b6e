"""The little of SIP (RFC 3261) over UDP that the stand-ins of FreeSWITCH and livekit-sip need: messages, and digests."""

import hashlib
import re
import secrets

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}


class Message:
    """Request or response, with its headers in order; their names are in small letters."""

    def __init__(self, start, headers, body=""):
        self.start, self.headers, self.body = start, headers, body

    @property
    def method(self):
        """Returns the method of a request; "" for a response."""
        first = self.start.split(" ", 1)[0]
        return "" if first.startswith("SIP/") else first

    @property
    def status(self):
        found = re.match(r"SIP/2\.0 (\d{3})", self.start)
        return int(found[1]) if found else 0

    @property
    def user(self):
        """Returns the user in a request's URI: the number that was called."""
        found = re.match(r"\S+ sips?:([^@;>\s]*)@", self.start)
        return found[1] if found else ""

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def header(self, name):
        return next(iter(self.all(name)), "")

    def text(self):
        lines = [self.start, *(f"{name.title()}: {value}" for name, value in self.headers), f"Content-Length: {len(self.body.encode())}"]
        return "\r\n".join([*lines, "", self.body])


def parse(data):
    """Returns a Message; None for something else."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if not re.match(r"SIP/2\.0 \d{3}|[A-Z]+ \S+ SIP/2\.0$", start):
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        if name != "content-length":
            headers.append((COMPACT.get(name, name), value.strip()))
    return Message(start, headers, body)


def response(request, status, reason, to_tag="", extra=(), body=""):
    copied = [(name, value) for name, value in request.headers if name in ("via", "from", "call-id", "cseq")]
    to = request.header("to")
    if to_tag and "tag=" not in to:
        to += f";tag={to_tag}"
    return Message(f"SIP/2.0 {status} {reason}", [*copied, ("to", to), *extra], body)


def branch():
    return f"z9hG4bK{secrets.token_hex(8)}"


def sdp(address, port):
    """Returns a description of sound in G.711, with digits as events."""
    lines = ["v=0", f"o=standin 1 1 IN IP4 {address}", "s=stand-in", f"c=IN IP4 {address}", "t=0 0", f"m=audio {port} RTP/AVP 0 101"]
    return "\r\n".join([*lines, "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", ""])


def authorization(challenge, method, uri, user, password):
    """Returns the value of an Authorization header (RFC 2617, MD5), for the challenge of a registrar."""
    given = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', challenge)}

    def digest(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    ha1, ha2 = digest(user, given.get("realm", ""), password), digest(method, uri)
    values = {"username": user, "realm": given.get("realm", ""), "nonce": given.get("nonce", ""), "uri": uri, "algorithm": "MD5"}
    if "auth" in given.get("qop", "").split(","):
        nonce = secrets.token_hex(8)
        values |= {"cnonce": nonce, "nc": "00000001", "qop": "auth"}
        values["response"] = digest(ha1, values["nonce"], "00000001", nonce, "auth", ha2)
    else:
        values["response"] = digest(ha1, values["nonce"], ha2)
    if "opaque" in given:
        values["opaque"] = given["opaque"]
    plain = ("algorithm", "nc", "qop")
    return "Digest " + ", ".join(f"{name}={value}" if name in plain else f'{name}="{value}"' for name, value in values.items())
