#!/usr/bin/python3
"""Stand-in for one of BigBlueButton's services: holds its ports and does none of its work.

    service.py NAME [--echo FIRST-LAST] [TCP-PORT…]

TCP ports are on 127.0.0.1; whoever connects is told that this is a stand-in and hung up on. --echo is for the
media servers: a UDP echo on every port of the range, IPv4 and IPv6, each answer from the address and port that
were asked. A datagram that comes from a media port is not answered, or two stand-ins could be made to echo each
other for ever.
"""

import argparse
import errno
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


def open_tcp(port):
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.setblocking(False)
    tcp.bind(("127.0.0.1", port))
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
    parser.add_argument("ports", nargs="*", type=int)
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
    for port in options.ports:
        listen(open_tcp(port))
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
