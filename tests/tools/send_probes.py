"""Sends port probes as fast as the wire takes them, without waiting for answers: the host sees what arrives.

Reads one JSON object from standard input: [{"address", "protocol": "tcp" or "udp", "ports": "1-65535,…"}, …]. TCP
probes are single SYN packets; each comes from source port 40000, by which the recorder knows them. Prints their
number.
"""

import errno
import ipaddress
import json
import socket
import struct
import sys
import time

SOURCE_PORT = 40000
IPV6_CHECKSUM = 7


def expand(ports):
    for part in ports.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def local_address(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))
        return probe.getsockname()[0]


def send_tcp(family, address, ports):
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    source = ipaddress.ip_address(local_address(family, address)).packed
    target = ipaddress.ip_address(address).packed
    pseudo = source + target + struct.pack("!HH", socket.IPPROTO_TCP, 20)
    if family == socket.AF_INET6:
        raw.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, 16)
    for port in ports:
        packet = struct.pack("!HHIIBBHHH", SOURCE_PORT, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
        if family == socket.AF_INET:
            packet = packet[:16] + struct.pack("!H", checksum(pseudo + packet)) + packet[18:]
        yield raw, packet, (address, 0)


def send_udp(family, address, ports):
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind(("", SOURCE_PORT))
        for port in ports:
            yield sender, b"probe", (address, port)


def main():
    sent = 0
    for target in json.load(sys.stdin):
        family = socket.AF_INET6 if ":" in target["address"] else socket.AF_INET
        send = send_tcp if target["protocol"] == "tcp" else send_udp
        for sender, packet, address in send(family, target["address"], expand(target["ports"])):
            while True:
                try:
                    sender.sendto(packet, address)
                    break
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.ECONNREFUSED):
                        raise
                    time.sleep(0.001)
            sent += 1
            if sent % 256 == 0:
                time.sleep(0.001)  # the wire's queue is short
    print(sent)


if __name__ == "__main__":
    main()
