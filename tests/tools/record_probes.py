"""Records, on a host, the ports at which packets of the probing clients arrive, on its interface, before its own packet
filter.

    python3 record_probes.py SECONDS SOURCE…   (addresses of the probing clients)

Prints "recording", then, SECONDS later or when standard input ends, one JSON object: {"arrived": [[source, protocol,
port], …], "dropped": N}. Python's standard library only.
"""

import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, PACKET_OUTGOING = 3, 263, 6, 4
SOURCE_PORT = 40000
PROTOCOLS = {6: "tcp", 17: "udp"}


def parse(packet):
    """(source, protocol, source port, target port, is an answer) of an IP packet without options, or None."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 24:
        start, protocol, source = (packet[0] & 15) * 4, packet[9], packet[12:16]
    elif version == 6 and len(packet) >= 44:
        start, protocol, source = 40, packet[6], packet[8:24]
    else:
        return None
    if protocol not in PROTOCOLS or len(packet) < start + 14 - 6:
        return None
    source_port, port = struct.unpack_from("!HH", packet, start)
    answer = protocol == 6 and (len(packet) < start + 14 or packet[start + 13] & 0x12 != 0x02)
    return str(ipaddress.ip_address(source)), PROTOCOLS[protocol], source_port, port, answer


def main():
    seconds, sources = float(sys.argv[1]), {str(ipaddress.ip_address(a)) for a in sys.argv[2:]}
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE, where permitted
    print("recording", flush=True)
    arrived = set()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        ready = select.select([wire, sys.stdin], [], [], left)[0]
        if wire in ready:
            packet, address = wire.recvfrom(65536)
            found = address[2] != PACKET_OUTGOING and parse(packet)
            if found and found[0] in sources and found[2] == SOURCE_PORT and not found[4]:
                arrived.add((found[0], found[1], found[3]))
        elif ready and not os.read(sys.stdin.fileno(), 4096):
            break
    _, dropped = struct.unpack("=II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    print(json.dumps({"arrived": sorted(arrived), "dropped": dropped}), flush=True)


if __name__ == "__main__":
    main()
