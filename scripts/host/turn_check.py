"""Checks that a TURN server relays to the BigBlueButton server, and to nobody else; for host_check.py.

Over UDP and TCP 3478, also by IPv6 if there is any, and over TLS 443, it makes an allocation with credentials made
from the secret, a channel to the peer, one to an address that must be denied, and an allocation with a wrong secret.

Needs aioice (Debian's and Ubuntu's python3-aioice, 0.6 or newer) and Python 3.8.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import random
import secrets
import socket
import ssl
import struct
import time

import network_check
from aioice import stun, turn
from checks import Doubtful, Wrong

TIMEOUT = 10
ECHO_TRIES, ECHO_PAUSE = 10, 0.3
# The cloud's metadata service: the address that an open relay is asked for first.
FORBIDDEN = "169.254.169.254"


class Relayed(asyncio.DatagramProtocol):
    """End of the relay: times at which tokens came back from a peer."""

    def __init__(self):
        self.echoes = {}
        self.received = asyncio.Event()

    def connection_made(self, transport):
        pass

    def connection_lost(self, exc):
        pass

    def datagram_received(self, data, _addr):
        self.echoes.setdefault(bytes(data), time.monotonic())
        self.received.set()


class Echo(asyncio.DatagramProtocol):
    """Peer of our own at one of the media ports; counts what arrives."""

    def __init__(self, media):
        self.media = media
        self.heard = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.heard += 1
        self.transport.sendto(data, addr)


def credentials(secret, lifetime=600):
    """Credentials like bbb-web's for a client: the name is their end, the password its HMAC-SHA1."""
    username = f"{int(time.time()) + lifetime}:bbb-deploy"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def client_of(transport):
    """Returns aioice's own end of a transport, which aioice does not offer."""
    return next(value for value in vars(transport).values() if isinstance(value, turn.TurnClientMixin))


class Way:
    """Way to the TURN server; TLS checks the certificate against its name."""

    def __init__(self, name, host, port, transport, tls, family=socket.AF_INET):
        self.name, self.host, self.port, self.transport, self.tls = name, host, port, transport, tls
        self.family = family

    def address(self):
        if self.tls:
            return self.host
        return socket.getaddrinfo(self.host, self.port, self.family, socket.SOCK_DGRAM)[0][4][0]

    def reachable(self):
        """True when the name has such an address, and this host a route there."""
        try:
            with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
                probe.connect((self.address(), self.port))
            return True
        except OSError:
            return False

    async def allocate(self, secret, ports=3):
        """Allocates, with another port after answer 437: the server remembers another user's request from the first one
        (RFC 8656, section 7.4).
        """
        try:
            return await self.allocate_from_a_port(secret)
        except stun.TransactionFailed as error:
            if code(error)[0] != 437 or ports == 1:
                raise
        return await self.allocate(secret, ports - 1)

    async def allocate_from_a_port(self, secret):
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


def no_answer(error):
    """Returns the text of an error; time-outs have none of their own."""
    return f"no answer: {error}" if str(error) else f"no answer within {TIMEOUT} s"


def code(error):
    return error.response.attributes.get("ERROR-CODE", (0, ""))


async def check_relay(way, secret, peer, own, media, stack=None):
    """
    media: ports of BigBlueButton's media, {"from", "to"}, which its firewall allows.
    own: this host is the peer, and answers the relay itself: BigBlueButton's media servers echo nothing.
    stack: that of the TURN server, if it is another one's.
    """
    turn_log = f"on {way.host}: systemctl status coturn, and where it is active all the same, systemctl restart coturn; /var/log/turnserver/turnserver.log"
    try:
        transport, protocol = await way.allocate(secret)
    except stun.TransactionFailed as error:
        remedy = "coturn's secret is another one: give the setting rotateTurnSecret a new value, then pulumi up"
        if stack:
            remedy = f"coturn's secret is another one: run pulumi up in stack {stack}, then here"
        raise Wrong(f"no allocation: {code(error)}", remedy if code(error)[0] == 401 else turn_log) from None
    except ssl.SSLError as error:
        raise Wrong(f"no TLS: {error}", f"on {way.host}: certbot certificates, and /etc/turnserver/fullchain.pem") from None
    except (OSError, asyncio.TimeoutError, stun.TransactionError) as error:
        open_port = f"that its firewall lets {way.port}/{way.transport} in"
        raise Wrong(no_answer(error), f"{turn_log}; and {open_port}") from None
    try:
        relay = transport.get_extra_info("sockname")
        both_ways = await try_peer(way, transport, protocol, peer, own, media, stack)
        try:
            await asyncio.wait_for(client_of(transport).channel_bind(0x4FFF, (FORBIDDEN, 80)), TIMEOUT)
            raise Wrong(f"it relays to {FORBIDDEN} too", f"denied-peer-ip in /etc/turnserver.conf of {way.host} is missing")
        except stun.TransactionFailed as error:
            if code(error)[0] != 403:
                raise Wrong(f"a relay to {FORBIDDEN} is answered by {code(error)}, not by 403", turn_log) from None
        return f"relay {relay[0]}, {both_ways}, others denied"
    finally:
        with contextlib.suppress(OSError, asyncio.TimeoutError, stun.TransactionError):
            await asyncio.wait_for(client_of(transport).delete(), TIMEOUT)


def ports_in_use():
    """Returns the UDP ports in use on this host, IPv6's included: they also hear IPv4."""
    used: set = set()
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as file:
            used.update(int(line.split()[1].rsplit(":", 1)[1], 16) for line in file.readlines()[1:])
    return used


async def echo_peer(media):
    """Returns (transport, protocol) of a socket of ours in the media range. @raise Doubtful when every port of it is in
    use
    """
    loop = asyncio.get_running_loop()
    free = sorted(set(range(media["from"], media["to"] + 1)) - ports_in_use())
    for port in random.sample(free, min(len(free), 20)):
        with contextlib.suppress(OSError):
            return await loop.create_datagram_endpoint(lambda: Echo(media), local_addr=("0.0.0.0", port))
    told = f"whether media gets through could not be tried: no port of {network_check.opens(rule_of(media))} is free"
    raise Doubtful(told, "ss -ulnp shows who has them; try again when fewer meetings are running")


def rule_of(media):
    """Media ports in the form of a firewall's rule."""
    return {"protocol": "udp", **media}


async def try_peer(way, transport, protocol, peer, own, media, stack):
    if not own:
        return await send(way, transport, protocol, (peer, random.randint(media["from"], media["to"])), None, stack)
    end, echo = await echo_peer(media)
    try:
        return await send(way, transport, protocol, (peer, end.get_extra_info("sockname")[1]), echo, stack)
    finally:
        end.close()


def nothing_back(way, peer, echo):
    """Returns the problem when nothing that is relayed to this host comes back."""
    if echo.heard:
        told = f"media arrives here from {way.host}, but what this host answers does not get back there"
        relay = "the firewall of the TURN server must let 32769-65535/udp in: pulumi refresh, then pulumi up"
        return Wrong(told, f"{relay}; on both hosts nft list ruleset shows what else may stop it")
    told = f"media does not get through: nothing relayed to {peer[0]}:{peer[1]}/udp arrives"
    found = network_check.firewalls()
    if not found:
        return Wrong(told, f"the cloud's firewall must let {network_check.opens(rule_of(echo.media))} in: pulumi refresh, then pulumi up")
    remedies = [network_check.let_in(rule_of(echo.media), firewall) for firewall in found]
    return Wrong(f"{told}, and on this host there is a firewall: {', '.join(found)}", "; ".join(remedies))


async def send(way, transport, protocol, peer, echo, stack):
    """echo: the answerer at the peer, if it is ours."""
    client = client_of(transport)
    remedy = f"it is none of the peers in coturn's database on {way.host}: give the setting rotateTurnSecret a new value, then pulumi up"
    if stack:
        remedy = f"add {peer[0]} to the setting turnPeers of stack {stack}, run pulumi up there, then here"
    try:
        await asyncio.wait_for(client.channel_bind(0x4F00, peer), TIMEOUT)
    except stun.TransactionFailed as error:
        raise Wrong(f"no channel to {peer[0]}: {code(error)}", remedy) from None
    except (asyncio.TimeoutError, stun.TransactionError) as error:
        raise Wrong(f"no channel to {peer[0]}: {no_answer(error)}", remedy) from None
    client.channel_to_peer[0x4F00] = peer
    sent = {}
    for _ in range(ECHO_TRIES if echo else 3):
        token = secrets.token_bytes(20)
        sent[token] = time.monotonic()
        client._send(struct.pack("!HH", 0x4F00, len(token)) + token)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(protocol.received.wait(), ECHO_PAUSE)
            break
    times = [at - sent[token] for token, at in protocol.echoes.items() if token in sent]
    if times:
        return f"both ways to {peer[0]} in {min(times) * 1000:.0f} ms"
    if echo:
        raise nothing_back(way, peer, echo)
    return f"{peer[0]} allowed"


async def check_refusal(ways):
    """Checks that a wrong secret is refused, by each way."""
    for way in ways:
        remedy = f"anybody could relay: use-auth-secret in /etc/turnserver.conf of {way.host} is missing"
        try:
            transport, _ = await way.allocate(secrets.token_hex(20))
        except stun.TransactionFailed as error:
            if code(error)[0] != 401:
                raise Wrong(f"{way.name}: refused by {code(error)}, not by 401", remedy) from None
            continue
        except (OSError, asyncio.TimeoutError, stun.TransactionError) as error:
            raise Wrong(f"{way.name}: {no_answer(error)}", f"the lines before say more about {way.host}") from None
        await asyncio.wait_for(client_of(transport).delete(), TIMEOUT)
        raise Wrong(f"{way.name}: taken", remedy)
    return "refused, 401"


def ways_to(host):
    ways = [
        Way("TURN over UDP", host, 3478, "udp", False),
        Way("TURN over TCP", host, 3478, "tcp", False),
        Way("TURN over TLS", host, 443, "tcp", True),
    ]
    ipv6 = Way("TURN by IPv6", host, 3478, "udp", False, socket.AF_INET6)
    return ways + ([ipv6] if ipv6.reachable() else [])


def check_turn(page, host, peer, secret, own, media, stack=None):
    """Checks a TURN server, a line of the page each."""
    answering = []
    for way in ways_to(host):
        asked = f"{way.transport if not way.tls else 'tls'} {way.host}:{way.port}"
        if page.check(way.name, asked, run, check_relay, way, secret, peer, own, media, stack) != "FAIL":
            answering.append(way)
    if answering:
        page.check("wrong TURN secret", f"{host}, {len(answering)} ways", run, check_refusal, answering)
    else:
        page.add("wrong TURN secret", host, "skip", "not asked, since no way in works", 0)


def run(function, *arguments):
    return asyncio.run(quietly(function, *arguments))


async def quietly(function, *arguments):
    """Suppresses complaints on standard error about transports that the other side has closed already."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    return await function(*arguments)
