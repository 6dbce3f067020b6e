"""TURN sessions that last, by turn_client.py's client.

Reads one JSON object from standard input: the server, port, transport, secret and family of turn_client.py, and "do":
    "hold"    count relays of "user", all at a time; prints the answer to each allocation
    "rush"    count relays at once, "each" a user; prints {"answers": {answer: count}, "again": datagrams that had to be
              sent again, "seconds": from the first request to the last answer}
    "rate"    send "bytes" a second for "seconds" to "peer", an echo, over one relay; prints {"sent", "echoed": bytes a
              second, "lost": the part that did not come back}
    "steady"  an echo of "peer" every 50 ms over one relay; prints "relaying" after the first, then, when standard input
              ends, {"sent", "lost", "longest": seconds without any, "certificate": SHA-256 of the one that TLS began with}
    "class"   as "steady", over a relay of its own for each of "peers", which is renewed as a browser does; prints a list
"""

import hashlib
import json
import resource
import select
import struct
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from turn_client import FAMILIES, allocated, opened

PAYLOAD = 1000
# Seconds after which a relay and its channel are renewed.
RENEWAL = 240


def hold(wish):
    held = [allocated(wish, wish["user"]) for _ in range(wish["count"])]
    answers = [answer for _, answer, _ in held]
    for client, answer, _ in held:
        if answer == "ok":
            client.release()
    return answers


def rush(wish):
    count = wish["count"]
    # A socket each, above the 1024 that a shell is given.
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 1024,) * 2)
    threading.stack_size(256 << 10)

    def user(number):
        return f"pupil{number // wish['each']}"

    def one(number, client):
        for _ in range(3):
            answer, _ = client.allocate(FAMILIES["ipv4"][1])
            if answer != 437:  # as in allocated
                break
            client = opened(wish, user(number))
        return client, answer, client.again, time.monotonic()

    with ThreadPoolExecutor(count) as pool:
        clients = list(pool.map(lambda number: opened(wish, user(number)), range(count)))
        began = time.monotonic()
        done = list(pool.map(one, range(count), clients))
        list(pool.map(lambda one: one[1] == "ok" and one[0].release(), done))
    return {
        "answers": Counter(answer for _, answer, _, _ in done),
        "again": sum(again for _, _, again, _ in done),
        "seconds": round(max(at for _, _, _, at in done) - began, 2),
    }


def relay(wish):
    client, answer, _ = allocated(wish)
    peer = tuple(wish["peer"])
    if answer != "ok" or (answer := client.bind(peer)) != "ok":
        sys.exit(f"no relay: {answer}")
    return client


def channel_data(client, payload):
    return struct.pack("!HH", client.channel, len(payload)) + payload


def rate(wish):
    client = relay(wish)
    pause = PAYLOAD / wish["bytes"]
    payload = bytes(PAYLOAD)
    sent = echoed = 0
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < wish["seconds"]:
        while sent * pause < elapsed:
            client.connection.send(channel_data(client, payload))
            sent += 1
        while client.connection.receive(time.monotonic() + 0.001):
            echoed += 1
    while client.connection.receive(time.monotonic() + 0.5):
        echoed += 1
    per_second = PAYLOAD / wish["seconds"]
    return {"sent": sent * per_second, "echoed": echoed * per_second, "lost": 1 - echoed / sent}


def echoing(wish, is_over, begun):
    """Has a peer answer over a relay until that is over; begun is called after the first answer."""
    client = relay(wish)
    peer = tuple(wish["peer"])
    socket = client.connection.socket
    certificate = hashlib.sha256(socket.getpeercert(True)).hexdigest() if wish["transport"] == "tls" else None
    sent = lost = 0
    longest = 0.0
    last = renewed = time.monotonic()
    while not is_over():
        if time.monotonic() - renewed > RENEWAL:
            if (answers := client.renew(peer)) != ["ok", "ok"]:
                sys.exit(f"the relay was not renewed: {answers}")
            renewed = time.monotonic()
        payload = struct.pack("!I", sent)
        client.connection.send(channel_data(client, payload))
        sent += 1
        deadline = time.monotonic() + 2
        while (data := client.connection.receive(deadline)) and data[4:8] != payload:
            pass
        lost += data is None
        if data:
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if sent == 1:
            begun()
    return {"sent": sent, "lost": lost, "longest": max(longest, time.monotonic() - last), "certificate": certificate}


def is_ended(seconds):
    """True when standard input ends within that time."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def steady(wish):
    return echoing(wish, lambda: is_ended(0.05), lambda: print("relaying", flush=True))


def school_class(wish):
    over = threading.Event()
    begun = threading.Barrier(len(wish["peers"]) + 1)
    with ThreadPoolExecutor(len(wish["peers"])) as pool:
        ones = [pool.submit(echoing, {**wish, "peer": peer}, lambda: over.wait(0.25), begun.wait) for peer in wish["peers"]]
        begun.wait(20)
        print("relaying", flush=True)
        while not is_ended(1):
            # One that ends before its time has failed.
            if early := [one for one in ones if one.done()]:
                over.set()
                return early[0].result()
        over.set()
        return [one.result() for one in ones]


def main():
    wish = json.loads(sys.stdin.readline())
    print(json.dumps({"hold": hold, "rush": rush, "rate": rate, "steady": steady, "class": school_class}[wish["do"]](wish)), flush=True)


if __name__ == "__main__":
    main()
