"""Records the destinations of a host's UDP datagrams with a token, on every interface, loopback included, behind its
packet filter.

    python3 watch_relayed.py TOKEN

Prints "recording", then, when standard input ends, one JSON object: {"seen": [[destination, text], …], "dropped":
N}, of datagrams that begin with the token. Python's standard library only.
"""

import ipaddress
import json
import os
import select
import socket
import struct
import sys

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, PACKET_OUTGOING = 3, 263, 6, 4
UDP = 17


def datagram(packet):
    """Returns (destination, payload) of a UDP packet, or None."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 28 and packet[9] == UDP:
        return packet[16:20], packet[(packet[0] & 15) * 4 + 8 :]
    if version == 6 and len(packet) >= 48 and packet[6] == UDP:
        return packet[24:40], packet[48:]
    return None


def main():
    token = sys.argv[1].encode()
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE, where permitted
    print("recording", flush=True)
    seen = set()
    while True:
        ready = select.select([wire, sys.stdin], [], [])[0]
        if wire in ready:
            packet, address = wire.recvfrom(65536)
            found = address[2] == PACKET_OUTGOING and datagram(packet)
            if found and found[1].startswith(token):
                seen.add((str(ipaddress.ip_address(found[0])), found[1].decode()))
        elif not os.read(sys.stdin.fileno(), 4096):
            break
    _, dropped = struct.unpack("=II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    print(json.dumps({"seen": sorted(seen), "dropped": dropped}), flush=True)


if __name__ == "__main__":
    main()
