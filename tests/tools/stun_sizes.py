"""Measures a TURN server's answers to requests over UDP that anybody could send in another's name.

Reads {"server", "port", "family"} from standard input; prints {name: {"request": bytes, "answer": bytes or null,
"attributes": [type, …]}} for each kind of request. With "flood" it sends so many requests of the "kind" a second for
"seconds", and prints {"sent", "answered", "seconds": until the last answer}.
"""

import json
import os
import socket
import struct
import sys
import time

COOKIE = 0x2112A442
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def message(kind, attributes=b"", cookie=COOKIE):
    return struct.pack("!HHI", kind, len(attributes), cookie) + os.urandom(12) + attributes


def attribute(kind, value=b""):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


REQUESTS = {
    "Binding": message(0x001),
    "Binding of RFC 3489": message(0x001, cookie=1),
    "Binding with CHANGE-REQUEST": message(0x001, attribute(0x0003, struct.pack("!I", 6))),
    "Binding with 100 unknown attributes": message(0x001, b"".join(attribute(0x7F00 + n) for n in range(100))),
    "Allocate": message(0x003, attribute(0x0019, struct.pack("!I", 17 << 24))),
    "Allocate without attributes": message(0x003),
    "Allocate with the least of credentials": message(
        0x003,
        attribute(0x0019, struct.pack("!I", 17 << 24))
        + attribute(0x0006, b"1:a")
        + attribute(0x0014, b"turn.example.test")
        + attribute(0x0015, b"0123456789abcdef")
        + attribute(0x0008, bytes(20)),
    ),
    "Refresh": message(0x004),
    "CreatePermission": message(0x008),
    "ChannelBind": message(0x009),
    "Connect": message(0x00A),
    "unknown method": message(0x00C),
    "Send indication": message(0x016, attribute(0x0013, bytes(100))),
}


def types(answer):
    found, at = [], 20
    while at + 4 <= len(answer):
        kind, length = struct.unpack_from("!HH", answer, at)
        found.append(kind)
        at += 4 + length + -length % 4
    return found


def ask(target, family, request):
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.sendto(request, target)
        try:
            answer = client.recv(65536)
        except TimeoutError:
            return {"request": len(request), "answer": None, "attributes": []}
        return {"request": len(request), "answer": len(answer), "attributes": types(answer)}


def flood(target, family, request, rate, seconds):
    sent = answered = 0
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        client.setblocking(False)

        def drain():
            count = 0
            try:
                while client.recv(65536):
                    count += 1
            except BlockingIOError:
                return count

        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            while sent < rate * elapsed:
                client.sendto(request, target)
                sent += 1
            answered += drain()
            time.sleep(0.001)
        time.sleep(0.5)
        answered += drain()
    return {"sent": sent, "answered": answered, "seconds": time.monotonic() - began}


def main():
    wish = json.load(sys.stdin)
    family = FAMILIES[wish["family"]]
    target = socket.getaddrinfo(wish["server"], wish["port"], family, socket.SOCK_DGRAM)[0][4]
    if "flood" in wish:
        print(json.dumps(flood(target, family, REQUESTS[wish["kind"]], wish["flood"], wish["seconds"])))
    else:
        print(json.dumps({name: ask(target, family, request) for name, request in REQUESTS.items()}))


if __name__ == "__main__":
    main()
