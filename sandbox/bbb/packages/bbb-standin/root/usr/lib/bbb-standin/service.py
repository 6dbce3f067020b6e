#!/usr/bin/python3
"""Stand-in for one of BigBlueButton's services: holds its ports and does none of its work.

    service.py NAME [--echo FIRST-LAST] [--freeswitch DIRECTORY] [TCP-PORT…]

TCP ports are on 127.0.0.1, those given as *:PORT on all addresses, IPv6 included. --freeswitch adds the ports of the
configuration in DIRECTORY, at its addresses, but for the event socket, which freeswitch.py serves. A client is told that this is a stand-in, then hung up on. An address
that the host doesn't have is reported, and the others are served, as FreeSWITCH does.

--echo is for the media servers: a UDP echo on every port of the range, IPv4 and IPv6, each answer from the address
and port that were asked. A datagram from a media port is not answered, or two stand-ins could make each other echo
for ever.
"""

import argparse
import errno
import os
import re
import resource
import select
import socket
import time

MEDIA = range(16384, 32768)
PACKET_INFO = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO)


def open_udp(port):
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    udp.setblocking(False)
    udp.bind(("::", port))
    return udp


def open_tcp(address, port):
    tcp = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.setblocking(False)
    tcp.bind((address, port))
    tcp.listen()
    return tcp


def echo(udp):
    for _ in range(64):
        try:
            data, ancillary, _, sender = udp.recvmsg(65535, 128)
            if sender[1] not in MEDIA:
                udp.sendmsg([data], [item for item in ancillary if item[:2] == PACKET_INFO], 0, sender)
        except OSError:
            return


def endpoint(text):
    """Returns the (address, port) of an argument."""
    address, _, port = text.rpartition(":")
    return {"": "127.0.0.1", "*": "::"}.get(address, address), int(port)


def freeswitch_endpoints(directory):
    """Listening addresses in FreeSWITCH's configuration: SIP, and SIP over WebSocket."""

    def text(name):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return re.sub(r"<!--.*?-->", "", file.read(), flags=re.DOTALL)

    def parameter(name, of):
        found = re.search(rf'<param name="{name}" +value="([^"]*)"', of)
        return found and found[1]

    own = re.findall(r'data="local_ip_v4=([^"]*)"', text("vars.xml"))[0]
    profile = text("sip_profiles/external.xml")
    yield own, 5060
    for binding in filter(None, (parameter(name, profile) for name in ("ws-binding", "wss-binding"))):
        address, _, port = binding.replace("$${local_ip_v4}", own).rpartition(":")
        yield address or own, int(port)


def refuse(name, tcp):
    try:
        connection, _ = tcp.accept()
        with connection:
            connection.sendall(f"{name}: this is a stand-in, not BigBlueButton\r\n".encode())
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser(description="Stand-in for one of BigBlueButton's services")
    parser.add_argument("name")
    parser.add_argument("--echo", metavar="FIRST-LAST")
    parser.add_argument("--freeswitch", metavar="DIRECTORY")
    parser.add_argument("ports", nargs="*", type=endpoint)
    options = parser.parse_intermixed_args()
    first, last = map(int, options.echo.split("-")) if options.echo else (0, -1)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = max(hard, last - first + 64)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    poll = select.epoll()
    sockets = {}

    def listen(opened):
        sockets[opened.fileno()] = opened
        poll.register(opened, select.EPOLLIN)

    def listen_where_free(ports):
        taken = []
        for port in ports:
            try:
                listen(open_udp(port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                taken.append(port)
        return taken

    started = time.monotonic()
    endpoints = [*options.ports, *(freeswitch_endpoints(options.freeswitch) if options.freeswitch else [])]
    for address, port in endpoints:
        try:
            listen(open_tcp(address, port))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            print(f"{options.name} (stand-in): this host has no address {address}: nobody listens at port {port}", flush=True)
    taken = listen_where_free(range(first, last + 1))
    print(f"{options.name} (stand-in): {len(sockets)} ports open in {time.monotonic() - started:.1f} s", flush=True)
    if taken:
        print(f"{options.name} (stand-in): in use, tried again every 5 s: {taken}", flush=True)
    while True:
        for descriptor, _ in poll.poll(5 if taken else -1):
            ready = sockets[descriptor]
            if ready.type == socket.SOCK_DGRAM:
                echo(ready)
            else:
                refuse(options.name, ready)
        taken = listen_where_free(taken)


if __name__ == "__main__":
    main()
