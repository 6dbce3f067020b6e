"""Calls of the Scalelite stand-in to BigBlueButton servers, each with its own secret, and their polls."""

import concurrent.futures
import hashlib
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

MINIMUM_USERS, JOIN_BUFFER = 15, 15 * 60


def signed(server, call, query):
    checksum = hashlib.sha256((call + query + server["secret"]).encode()).hexdigest()
    return f"{server['url'].rstrip('/')}/{call}?{query}{'&' if query else ''}checksum={checksum}"


def ask(server, call, query, timeout, body=None, kind="application/xml"):
    """Returns the text of a server's answer. @raises OSError without one"""
    request = urllib.request.Request(signed(server, call, query), data=body, headers={"Content-Type": kind} if body else {})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read().decode()


def meetings_on(server, timeout):
    """Returns the elements of a server's meetings. @raises OSError without an answer, or with a refusal"""
    try:
        root = ElementTree.fromstring(ask(server, "getMeetings", "", timeout))
    except ElementTree.ParseError as error:
        raise OSError(str(error)) from None
    if root.findtext("returncode") != "SUCCESS":
        raise OSError(root.findtext("messageKey") or "refused")
    return root.findall("meetings/meeting")


def load_of(meetings, now):
    load = 0
    for meeting in meetings:
        if meeting.findtext("isBreakout") == "true":
            continue
        people = int(meeting.findtext("participantCount") or 0)
        age = now - int(meeting.findtext("createTime") or 0) / 1000
        load += max(people, MINIMUM_USERS) if age < JOIN_BUFFER else people
    return load


class Poller:
    """Asks all servers for their meetings, and keeps what it learns."""

    def __init__(self, store, environment):
        self.store = store
        self.threads = int(environment.get("POLLER_THREADS") or 5)
        self.healthy = int(environment.get("SERVER_HEALTHY_THRESHOLD") or 1)
        self.unhealthy = int(environment.get("SERVER_UNHEALTHY_THRESHOLD") or 2)
        self.timeout = float(environment.get("CONNECT_TIMEOUT") or 5)
        self.patience = float(environment.get("POLLER_WAIT_TIMEOUT") or 10)

    def poll_all(self):
        servers = {name: server for name, server in self.store.servers.all().items() if server["state"] != "disabled"}
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(self.poll, servers, servers.values()))

    def poll(self, name, server):
        try:
            found = meetings_on(server, self.timeout)
        except OSError as error:
            self.failed(name, server, str(error))
            return
        load = load_of(found, time.time())
        here = {meeting.findtext("meetingID") for meeting in found}
        for meeting in self.store.meetings_of(name):
            if meeting not in here:
                self.store.meetings.remove(meeting)
        self.store.bad.remove(name)
        if not server["online"] and self.store.good.count(name) < self.healthy:
            return
        self.store.loads.put(name, load)
        if not server["online"]:
            self.store.servers.change(name, online=True)
        if server["state"] == "cordoned" and load == 0:
            self.store.servers.change(name, state="disabled")

    def failed(self, name, server, reason):
        """Forgets the meetings of a server that is away for too long; it is offline once all of them are forgotten."""
        print(f"{name} did not answer: {re.sub('checksum=[0-9a-f]+', 'checksum=…', reason)}", flush=True)
        self.store.good.remove(name)
        if not server["online"] or self.store.bad.count(name) < self.unhealthy:
            return
        end = time.monotonic() + self.patience
        for meeting in self.store.meetings_of(name):
            if time.monotonic() > end:
                return
            password = self.store.meetings.get(meeting).get("moderatorPW", "")
            self.store.meetings.remove(meeting)
            try:
                ask(server, "end", urllib.parse.urlencode({"meetingID": meeting, "password": password}), self.timeout)
            except OSError:
                continue
        self.store.bad.remove(name)
        self.store.loads.remove(name)
        self.store.servers.change(name, online=False)
