"""Repeats calls, each twice a second and by itself, and tells how their answers changed.

Reads one line of JSON: {"name": "URL"}; prints "watching" once each was answered or not, and when its input ends one JSON object:

    {"name": [[seconds since 1970, seconds that it took, answer], …]}      an answer for each change

An answer is the host that a redirect leads to, the messageKey or the returncode of an XML, "HTTP status", or "none".
"""

import http.client
import json
import re
import ssl
import sys
import threading
import time
import urllib.parse

LIMIT = 30


def answer(url):
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(at.hostname or "", timeout=LIMIT, context=ssl.create_default_context())
    try:
        connection.request("GET", f"{at.path}?{at.query}")
        got = connection.getresponse()
        text = got.read().decode()
    except OSError:
        return "none"
    finally:
        connection.close()
    if got.status in (302, 303, 307):
        return urllib.parse.urlsplit(got.getheader("Location") or "").hostname or "nowhere"
    if got.status != 200:
        return f"HTTP {got.status}"
    found = re.search("<messageKey>([^<]+)<", text) or re.search("<returncode>([^<]+)<", text)
    return found[1] if found else "another page"


class Watch(threading.Thread):
    def __init__(self, url):
        super().__init__(daemon=True)
        self.url = url
        self.seen = []
        self.begun = threading.Event()

    def run(self):
        while True:
            began, at = time.monotonic(), time.time()
            one = answer(self.url)
            took = time.monotonic() - began
            if not self.seen or self.seen[-1][2] != one:
                self.seen.append([round(at, 1), round(took, 1), one])
            self.begun.set()
            time.sleep(max(0.1, 0.5 - took))


def main():
    watches = {name: Watch(url) for name, url in json.loads(sys.stdin.readline()).items()}
    for watch in watches.values():
        watch.start()
    for watch in watches.values():
        watch.begun.wait(LIMIT)
    print("watching", flush=True)
    sys.stdin.read()
    print(json.dumps({name: list(watch.seen) for name, watch in watches.items()}))


if __name__ == "__main__":
    main()
