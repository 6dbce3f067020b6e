#!/usr/bin/python3
"""Whether a TURN server relays to the BigBlueButton server, and to nobody else.

    turn_check.py --turn-host NAME --peer ADDRESS [--peer-ports A,B] <SECRET

Over UDP 3478, by IPv6 too where there is any, and over TLS 443: an allocation with credentials made from the secret, a channel to the peer, one to an
address that must be denied, and an allocation with a wrong secret. A line for each, as api_check.py prints them.
Needs aioice (Debian's and Ubuntu's python3-aioice, 0.6 or newer) and Python 3.8.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import socket
import ssl
import struct
import sys
import time

from aioice import stun, turn

TIMEOUT = 20
ECHO_WAIT = 2
# The cloud's metadata service: the address that an open relay is asked for first.
FORBIDDEN = "169.254.169.254"


class Wrong(Exception):
    def __init__(self, came_back, remedy):
        super().__init__(came_back)
        self.remedy = remedy


class Relayed(asyncio.DatagramProtocol):
    """The relay's end: takes what comes back from a peer."""

    def __init__(self):
        self.received = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        pass

    def connection_lost(self, exc):
        pass

    def datagram_received(self, data, addr):
        if not self.received.done():
            self.received.set_result((data, addr))


def credentials(secret, lifetime=600):
    """As bbb-web makes them for a client: the name is when they end, the password its HMAC-SHA1."""
    username = f"{int(time.time()) + lifetime}:bbb-deploy"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def client_of(transport):
    """aioice's own end of a transport, which it keeps to itself."""
    return next(value for value in vars(transport).values() if isinstance(value, turn.TurnClientMixin))


class Way:
    """One way to the TURN server; TLS checks the certificate against its name."""

    def __init__(self, name, host, port, transport, tls, family=socket.AF_INET):
        self.name, self.host, self.port, self.transport, self.tls = name, host, port, transport, tls
        self.family = family

    def address(self):
        if self.tls:
            return self.host
        return socket.getaddrinfo(self.host, self.port, self.family, socket.SOCK_DGRAM)[0][4][0]

    def reachable(self):
        """Whether the name has such an address, and this host a route there."""
        try:
            with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
                probe.connect((self.address(), self.port))
            return True
        except OSError:
            return False

    async def allocate(self, secret):
        username, password = credentials(secret)
        return await asyncio.wait_for(
            turn.create_turn_endpoint(
                Relayed,
                server_addr=(self.address(), self.port),
                username=username,
                password=password,
                ssl=ssl.create_default_context() if self.tls else False,
                transport=self.transport,
            ),
            TIMEOUT,
        )


def code(error):
    return error.response.attributes.get("ERROR-CODE", (0, ""))


async def check_relay(way, secret, peer, ports):
    turn_log = f"on {way.host}: systemctl status coturn, /var/log/turnserver/turnserver.log"
    try:
        transport, protocol = await way.allocate(secret)
    except stun.TransactionFailed as error:
        remedy = "coturn's secret is another one: run pulumi up again with a new value of the setting rotateTurnSecret"
        raise Wrong(f"no allocation: {code(error)}", remedy if code(error)[0] == 401 else turn_log) from None
    except ssl.SSLError as error:
        raise Wrong(f"no TLS: {error}", f"on {way.host}: certbot certificates, and /etc/turnserver/fullchain.pem") from None
    except (OSError, asyncio.TimeoutError, stun.TransactionError) as error:
        open_port = f"that its firewall lets {way.port}/{way.transport} in"
        raise Wrong(f"no answer: {error or type(error).__name__}", f"{turn_log}; and {open_port}") from None
    try:
        relay = transport.get_extra_info("sockname")
        client = client_of(transport)
        remedy = f"allowed-peer-ip in /etc/turnserver.conf of {way.host} must have {peer}"
        echoed = await try_peers(transport, protocol, peer, ports, remedy)
        try:
            await asyncio.wait_for(client.channel_bind(0x4FFF, (FORBIDDEN, 80)), TIMEOUT)
            raise Wrong(f"it relays to {FORBIDDEN} too", f"denied-peer-ip in /etc/turnserver.conf of {way.host} is missing")
        except stun.TransactionFailed as error:
            if code(error)[0] != 403:
                raise Wrong(f"a relay to {FORBIDDEN} is answered by {code(error)}, not by 403", turn_log) from None
        return f"relay {relay[0]}, channel to {peer}{echoed}, others denied"
    finally:
        await asyncio.wait_for(client_of(transport).delete(), TIMEOUT)


async def try_peers(transport, protocol, peer, ports, remedy):
    """Channels to the peer's ports. An echo is told, not asked for: BigBlueButton's media servers give none."""
    client = client_of(transport)
    token = secrets.token_bytes(20)
    for number, port in enumerate(ports):
        try:
            await asyncio.wait_for(client.channel_bind(0x4F00 + number, (peer, port)), TIMEOUT)
        except stun.TransactionFailed as error:
            raise Wrong(f"no channel to {peer}: {code(error)}", remedy) from None
        except (asyncio.TimeoutError, stun.TransactionError) as error:
            raise Wrong(f"no channel to {peer}: {error or 'no answer'}", remedy) from None
        client.channel_to_peer[0x4F00 + number] = (peer, port)
        client._send(struct.pack("!HH", 0x4F00 + number, len(token)) + token)
    try:
        data, _ = await asyncio.wait_for(asyncio.shield(protocol.received), ECHO_WAIT)
    except asyncio.TimeoutError:
        return ""
    return " and back" if data == token else ""


async def check_refusal(way):
    remedy = f"anybody could relay: use-auth-secret in /etc/turnserver.conf of {way.host} is missing"
    try:
        transport, _ = await way.allocate(secrets.token_hex(20))
    except stun.TransactionFailed as error:
        if code(error)[0] == 401:
            return "refused, 401"
        raise Wrong(f"refused by {code(error)}, not by 401", remedy) from None
    except (OSError, asyncio.TimeoutError, stun.TransactionError) as error:
        raise Wrong(f"no answer: {error or type(error).__name__}", f"the line before says more, about {way.host}") from None
    await asyncio.wait_for(client_of(transport).delete(), TIMEOUT)
    raise Wrong("taken", remedy)


async def report(results, what, check):
    began = time.monotonic()
    remedy = None
    try:
        kind, came_back = "ok", await check
    except Wrong as wrong:
        kind, came_back, remedy = "FAIL", str(wrong), wrong.remedy
    print(f"{kind:<4}  {what} — {came_back} — {time.monotonic() - began:.1f} s", flush=True)
    if remedy:
        print(f"      to do: {remedy}", flush=True)
    results.append(kind)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--turn-host", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--peer-ports", default="16384,24577")
    options = parser.parse_args()
    secret = sys.stdin.readline().strip()
    ports = [int(port) for port in options.peer_ports.split(",")]

    ways = [
        Way("TURN over UDP 3478", options.turn_host, 3478, "udp", False),
        Way("TURN over TLS 443", options.turn_host, 443, "tcp", True),
    ]
    ipv6 = Way("TURN over UDP 3478 by IPv6", options.turn_host, 3478, "udp", False, socket.AF_INET6)
    results = []
    for way in ways + ([ipv6] if ipv6.reachable() else []):
        await report(results, way.name, check_relay(way, secret, options.peer, ports))
        await report(results, f"{way.name} with a wrong secret", check_refusal(way))
    return 1 if "FAIL" in results else 0


if __name__ == "__main__":
    status = asyncio.run(main())
    sys.stdout.flush()
    # Transports that the other side has closed already would be complained about at the interpreter's end.
    os._exit(status)
