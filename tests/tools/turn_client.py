"""A TURN client for tests, independent of coturn: messages by aioice, one request at a time.

Reads one JSON object from standard input, so that the secret is in no command line:
    server, port, transport ("udp", "tcp" or "tls"), secret
    family     "ipv4" (default) or "ipv6": the address family of the connection to the server
    relayed    "ipv4" (default) or "ipv6": the family of the relayed address that is asked for
    echo       [[address, port], …]: send a datagram to each of these peers and wait for its echo
    permissions, channels   [[address, port], …]: only ask to be allowed to talk to each of these
    try, token   [[address, port], …]: with a relay of its own for each, first send it a datagram without leave, then ask
               for a permission and a channel, then send by both whatever the answers; "TOKEN ADDRESS" is in each datagram
    lifetime   seconds until the credentials expire, 600 where not given; negative: they have
Prints one JSON object:
    allocate   "ok" or the server's error code; where it is not ok the rest is missing
    relayed    the relayed address
    try   {"address": [answer to the allocation, to CreatePermission, to ChannelBind]}
    echo, permissions, channels   {"address port": "ok", an error code, or "timeout"}
The TLS chain and name are verified against the machine's trust store (or SSL_CERT_FILE).
"""

import base64
import functools
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

from aioice import stun

stun.ATTRIBUTES_BY_NAME["REQUESTED-ADDRESS-FAMILY"] = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
stun.ATTRIBUTES_BY_NAME["DATA"] = (0x0013, "DATA", stun.pack_bytes, stun.unpack_bytes)
stun.ATTRIBUTES_BY_TYPE[0x0013] = stun.ATTRIBUTES_BY_NAME["DATA"]
FAMILIES = {"ipv4": (socket.AF_INET, 0x01000000), "ipv6": (socket.AF_INET6, 0x02000000)}
UDP_RELAY = 17 << 24
TRIES, WAIT = 3, 3.0


RESOLVING = threading.Lock()


@functools.cache
def resolved(server, port, family, kind):
    """Returns the address of a server; asks once for all clients, of which there are thousands at once."""
    return socket.getaddrinfo(server, port, family, kind)[0][4]


class Connection:
    """Exchanges whole STUN messages or channel data over UDP, TCP or TLS."""

    def __init__(self, server, port, transport, family):
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        with RESOLVING:
            address = resolved(server, port, family, kind)
        self.stream = transport != "udp"
        self.socket = socket.socket(family, kind)
        self.socket.settimeout(10)
        self.socket.connect(address)
        if transport == "tls":
            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=server)
        self.buffer = b""

    def send(self, data):
        self.socket.settimeout(10)
        self.socket.sendall(data + bytes(-len(data) % 4) if self.stream else data)

    def receive(self, deadline):
        """Returns the next whole message, or None at the deadline."""
        while True:
            if len(self.buffer) >= 4:
                first, length = struct.unpack("!HH", self.buffer[:4])
                whole = 4 + length + (-length % 4) if first & 0xC000 == 0x4000 else 20 + length
                if not self.stream:
                    whole = len(self.buffer)
                if len(self.buffer) >= whole:
                    message, self.buffer = self.buffer[:whole], self.buffer[whole:]
                    return message
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self.buffer += data


class Client:
    def __init__(self, connection, secret, lifetime=600, user="test"):
        self.connection = connection
        self.username = f"{int(time.time()) + lifetime}:{user}"
        digest = hmac.new(secret.encode(), self.username.encode(), hashlib.sha1).digest()
        self.password = base64.b64encode(digest).decode()
        self.key = self.realm = self.nonce = None
        self.channel = 0x4000
        self.again = 0

    def request(self, method, attributes):
        """Returns ("ok", attributes) or (error code or "timeout", {})."""
        for _ in range(4):  # unauthorized once, stale nonce perhaps
            message = stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes))
            if self.key:
                message.attributes.update({"USERNAME": self.username, "REALM": self.realm, "NONCE": self.nonce})
                message.add_message_integrity(self.key)
            answer = self.transact(message)
            if answer is None:
                return "timeout", {}
            if answer.message_class == stun.Class.RESPONSE:
                return "ok", answer.attributes
            code = answer.attributes["ERROR-CODE"][0]
            if (code == 401 and self.key) or code not in (401, 438):
                return code, {}
            self.nonce = answer.attributes["NONCE"]
            self.realm = answer.attributes.get("REALM", self.realm)
            self.key = hashlib.md5(f"{self.username}:{self.realm}:{self.password}".encode()).digest()
        return code, {}

    def transact(self, message):
        for attempt in range(1 if self.connection.stream else TRIES):
            self.again += attempt > 0
            self.connection.send(bytes(message))
            deadline = time.monotonic() + (10 if self.connection.stream else WAIT)
            while data := self.connection.receive(deadline):
                if data[0] & 0xC0:
                    continue
                answer = stun.parse_message(data)
                if answer.transaction_id == message.transaction_id:
                    return answer
        return None

    def allocate(self, family_code):
        attributes = {"LIFETIME": 600, "REQUESTED-TRANSPORT": UDP_RELAY}
        if family_code != FAMILIES["ipv4"][1]:
            attributes["REQUESTED-ADDRESS-FAMILY"] = family_code
        return self.request(stun.Method.ALLOCATE, attributes)

    def release(self):
        return self.request(stun.Method.REFRESH, {"LIFETIME": 0})[0]

    def renew(self, peer):
        """Renews the relay and the last channel, whose times are ten minutes."""
        bound = {"CHANNEL-NUMBER": self.channel, "XOR-PEER-ADDRESS": peer}
        return [
            self.request(stun.Method.REFRESH, {"LIFETIME": 600})[0],
            self.request(stun.Method.CHANNEL_BIND, bound)[0],
        ]

    def permit(self, peer):
        return self.request(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": peer})[0]

    def bind(self, peer):
        self.channel += 1
        attributes = {"CHANNEL-NUMBER": self.channel, "XOR-PEER-ADDRESS": peer}
        return self.request(stun.Method.CHANNEL_BIND, attributes)[0]

    def send(self, peer, payload):
        attributes = {"XOR-PEER-ADDRESS": peer, "DATA": payload}
        self.connection.send(bytes(stun.Message(stun.Method.SEND, stun.Class.INDICATION, attributes=attributes)))

    def send_by_channel(self, payload):
        self.connection.send(struct.pack("!HH", self.channel, len(payload)) + payload)

    def attempt(self, peer, payload):
        self.send(peer, payload)
        answers = [self.permit(peer), self.bind(peer)]
        self.send(peer, payload)
        self.send_by_channel(payload)
        # Whatever was relayed has been when this is answered.
        self.release()
        return answers

    def echo(self, peer):
        """Echoes in both ways: once by Send and Data indications, once by a channel."""
        if (answer := self.permit(peer)) != "ok":
            return answer
        payload = os.urandom(24)
        for _ in range(TRIES):
            self.send(peer, payload)
            if self.received(payload, peer):
                break
        else:
            return "timeout"
        if (answer := self.bind(peer)) != "ok":
            return answer
        payload = os.urandom(21)
        for _ in range(TRIES):
            self.send_by_channel(payload)
            if self.received(payload, peer):
                return "ok"
        return "timeout"

    def received(self, payload, peer):
        deadline = time.monotonic() + WAIT
        while data := self.connection.receive(deadline):
            if data[0] & 0xC0 == 0x40:
                channel, length = struct.unpack("!HH", data[:4])
                if channel == self.channel and data[4 : 4 + length] == payload:
                    return True
                continue
            message = stun.parse_message(data)
            if (
                message.message_method == stun.Method.DATA
                and message.attributes.get("DATA") == payload
                and message.attributes.get("XOR-PEER-ADDRESS") == peer
            ):
                return True
        return False


def opened(wish, user="test"):
    """Returns a connected client, over TLS with the handshake done, that has sent no request yet."""
    family = FAMILIES[wish.get("family", "ipv4")][0]
    connection = Connection(wish["server"], wish["port"], wish["transport"], family)
    return Client(connection, wish["secret"], wish.get("lifetime", 600), user)


def allocated(wish, user="test"):
    """Returns a client, the answer to its allocation, and the answer's attributes."""
    for _ in range(3):
        client = opened(wish, user)
        answer, attributes = client.allocate(FAMILIES[wish.get("relayed", "ipv4")][1])
        if answer != 437:  # the port was another client's a moment ago: RFC 8656, section 7.4
            break
    return client, answer, attributes


def main():
    wish = json.load(sys.stdin)
    if "try" in wish:
        tried = {}
        for address, port in wish["try"]:
            client, answer, _ = allocated(wish)
            payload = f"{wish['token']} {address}".encode()
            tried[address] = [answer] + (client.attempt((address, port), payload) if answer == "ok" else [])
        print(json.dumps({"try": tried}))
        return
    client, answer, attributes = allocated(wish)
    result = {"allocate": answer}
    if answer == "ok":
        result["relayed"] = attributes["XOR-RELAYED-ADDRESS"]
        for name, action in (("echo", client.echo), ("permissions", client.permit), ("channels", client.bind)):
            result[name] = {f"{a} {p}": action((a, p)) for a, p in wish.get(name, [])}
        client.release()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
