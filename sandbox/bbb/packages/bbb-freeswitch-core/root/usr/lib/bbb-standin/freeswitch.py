#!/usr/bin/python3
"""Stand-in for FreeSWITCH: the ports of service.py, its event socket, and the telephones of its profile `external`.

    freeswitch.py [--echo FIRST-LAST] --freeswitch DIRECTORY [--voice DIRECTORY]

It reads gateways and dialplan of DIRECTORY at its start, and anew with `reloadxml`; a gateway that it has stays as it
is until `killgw`. It registers at a gateway by SIP over UDP, with a digest, and takes calls as the files of
dialplan/public say. A caller's digits come as INFO. A meeting has a conference where --voice has a file of its number
that says so (bbb_web.py). No sound is passed on. Keys for TLS and DTLS that are not in DIRECTORY/tls it makes at its start.
"""

import argparse
import errno
import ipaddress
import os
import queue
import re
import secrets
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dialplan
import service
import sip

PORT = 5060
# Seconds: of an answer, between two registrations that fail, and between two questions whether a trunk is there.
ANSWER, RETRY, PING = 2, 5, 30
# Port that a call's description of sound names; the echo of service.py is there.
SOUND_PORT = 20000


class Gateway:
    """Connection with a provider: it registers, or is asked whether it is there."""

    def __init__(self, name, parameters, phone):
        self.name, self.parameters, self.phone = name, parameters, phone
        self.registers = parameters.get("register", "true") == "true"
        self.state = "TRYING" if self.registers else "NOREG"
        self.status = "UP"
        self.answers: queue.Queue = queue.Queue()
        self.gone = threading.Event()
        self.call_id = f"{secrets.token_hex(8)}@{name}"
        self.sequence = 0
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while not self.gone.is_set():
            try:
                pause = self.register() if self.registers else self.ping()
            except OSError as error:
                self.phone.log(f"gateway {self.name}: {error}")
                self.state, pause = ("FAIL_WAIT" if self.registers else "NOREG"), RETRY
                self.status = "DOWN"
            self.gone.wait(pause)
        if self.state == "REGED":
            self.ask("REGISTER", expires=0)

    @property
    def peer(self):
        host, _, port = self.parameters["proxy"].partition(":")
        return socket.gethostbyname(host), int(port or PORT)

    def register(self):
        """Returns the seconds until the next registration."""
        answer = self.ask("REGISTER", expires=3600)
        challenge = answer and (answer.header("www-authenticate") or answer.header("proxy-authenticate"))
        if challenge and answer.status in (401, 407):
            uri = f"sip:{self.parameters.get('realm') or self.parameters['proxy']}"
            value = sip.authorization(challenge, "REGISTER", uri, self.parameters["username"], self.parameters["password"])
            name = "authorization" if answer.status == 401 else "proxy-authorization"
            answer = self.ask("REGISTER", expires=3600, extra=[(name, value)])
        self.status = "UP" if answer else "DOWN"
        if answer and answer.status == 200:
            self.state = "REGED"
            return 1800
        self.phone.log(f"gateway {self.name}: {answer.start if answer else 'no answer'}")
        self.state = "FAIL_WAIT" if answer else "TIMEOUT"
        return RETRY

    def ping(self):
        self.status = "UP" if self.ask("OPTIONS") else "DOWN"
        return PING

    def ask(self, method, expires=None, extra=()):
        """Sends a request, thrice at most; returns the answer, None without one."""
        self.sequence += 1
        own, realm = self.phone.own, self.parameters.get("realm") or self.parameters["proxy"]
        who = f"<sip:{self.parameters['username']}@{realm}>"
        headers = [
            ("via", f"SIP/2.0/UDP {own}:{PORT};branch={sip.branch()};rport"),
            ("max-forwards", "70"),
            ("from", f"{who};tag={secrets.token_hex(4)}"),
            ("to", who),
            ("call-id", self.call_id),
            ("cseq", f"{self.sequence} {method}"),
            ("contact", f"<sip:gw+{self.name}@{own}:{PORT}>"),
            *([("expires", str(expires))] if expires is not None else []),
            ("user-agent", "FreeSWITCH stand-in"),
            *extra,
        ]
        request = sip.Message(f"{method} sip:{realm} SIP/2.0", headers)
        for _ in range(3):
            self.phone.send(request, self.peer)
            end = time.monotonic() + ANSWER
            while time.monotonic() < end:
                try:
                    answer = self.answers.get(timeout=max(0.01, end - time.monotonic()))
                except queue.Empty:
                    break
                if answer.status >= 200 and answer.header("cseq") == f"{self.sequence} {method}":
                    return answer
        return None


class Call:
    """Call from outside, which runs through the dialplan."""

    def __init__(self, invite, sender, phone):
        self.invite, self.sender, self.phone = invite, sender, phone
        self.tag = secrets.token_hex(4)
        self.events: queue.Queue = queue.Queue()
        self.answered: sip.Message | None = None
        self.ended = False
        self.bridge: socket.socket | None = None
        self.variables = {"destination_number": invite.user, "network_addr": sender[0]}
        self.conference = ""
        threading.Thread(target=self.run, daemon=True).start()

    def log(self, text):
        self.phone.log(f"call from {self.sender[0]}: {text}")

    def run(self):
        name, actions = self.phone.actions(self.variables)
        if name is None:
            self.log(f"nobody answers {self.variables['destination_number']}")
            self.reply(404, "Not Found")
            self.phone.forget(self)
            return
        while actions and not self.ended:
            application, data = actions.pop(0)
            data = dialplan.expanded(data, self.variables, self.phone.api_of)
            moved = getattr(self, f"do_{application}", self.do_nothing)(data)
            if moved is not None:
                actions = moved
        self.hang_up()

    def do_nothing(self, _):
        """Does what the stand-in has no sound for: start_dtmf, sleep, playback."""

    def do_answer(self, _):
        contact = ("contact", f"<sip:{self.phone.own}:{PORT}>")
        kind = ("content-type", "application/sdp")
        body = sip.sdp(self.phone.own, SOUND_PORT)
        self.answered = sip.response(self.invite, 200, "OK", self.tag, [contact, kind], body)
        self.phone.send(self.answered, self.sender)
        self.log("answered")

    def do_set(self, data):
        name, _, value = data.partition("=")
        self.variables[name] = value

    def do_play_and_get_digits(self, data):
        least, most, tries, timeout, ends, sound, _, name, pattern, pause = data.split(" ")
        for _ in range(int(tries)):
            self.log(f"hears {sound}")
            digits = self.digits(int(most), int(timeout) / 1000, int(pause) / 1000, ends)
            if self.ended:
                return
            if len(digits) >= int(least) and re.fullmatch(pattern, digits):
                self.variables[name] = digits
                return

    def digits(self, most, timeout, pause, ends):
        found = ""
        while len(found) < most and not self.ended:
            try:
                digit = self.events.get(timeout=pause if found else timeout)
            except queue.Empty:
                break
            if digit in ("", *ends):
                break
            found += digit
        return found

    def do_transfer(self, data):
        number, _, context = data.split(" ")
        self.variables["destination_number"] = number
        name, actions = self.phone.actions(self.variables, context)
        if name is None:
            self.log(f"nobody answers {number} in {context}")
            return [("hangup", "")]
        return actions

    def do_conference(self, data):
        self.conference = data.split("@")[0]
        self.log(f"is in the conference {self.conference}")
        while not self.ended:
            self.events.get()

    def do_bridge(self, data):
        number, _, peer = data.removeprefix("sofia/external/").partition("@")
        host, _, port = peer.partition(":")
        answer = self.call_out(number, (host, int(port)))
        self.log(f"is handed on to {data}: {answer.start if answer else 'no answer'}")
        if not answer or answer.status != 200:
            return None
        while not self.ended:
            self.events.get()
        if self.bridge:
            self.bridge.close()
        return []

    def call_out(self, number, peer):
        """Calls another server; returns its last answer, None without one."""
        outgoing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outgoing.bind((self.phone.own, 0))
        outgoing.settimeout(ANSWER)
        own = f"{self.phone.own}:{outgoing.getsockname()[1]}"
        headers = [
            ("via", f"SIP/2.0/UDP {own};branch={sip.branch()}"),
            ("max-forwards", "69"),
            ("from", f"<sip:caller@{own}>;tag={secrets.token_hex(4)}"),
            ("to", f"<sip:{number}@{peer[0]}>"),
            ("call-id", f"{secrets.token_hex(8)}@{self.phone.own}"),
            ("cseq", "1 INVITE"),
            ("contact", f"<sip:{own}>"),
            ("content-type", "application/sdp"),
        ]
        invite = sip.Message(f"INVITE sip:{number}@{peer[0]}:{peer[1]} SIP/2.0", headers, sip.sdp(self.phone.own, SOUND_PORT))
        self.bridge = outgoing
        try:
            outgoing.sendto(invite.text().encode(), peer)
            while True:
                answer = sip.parse(outgoing.recv(65535))
                if answer and answer.status >= 200:
                    return answer
        except OSError:
            return None

    def do_hangup(self, _):
        return []

    def reply(self, status, reason):
        self.phone.send(sip.response(self.invite, status, reason, self.tag), self.sender)

    def hang_up(self):
        if not self.ended and self.answered:
            headers = [
                ("via", f"SIP/2.0/UDP {self.phone.own}:{PORT};branch={sip.branch()};rport"),
                ("max-forwards", "70"),
                ("from", self.answered.header("to")),
                ("to", self.invite.header("from")),
                ("call-id", self.invite.header("call-id")),
                ("cseq", "1 BYE"),
            ]
            target = re.search(r"sips?:[^>;\s]+", self.invite.header("contact"))
            self.phone.send(sip.Message(f"BYE {target[0] if target else 'sip:caller'} SIP/2.0", headers), self.sender)
        elif not self.ended:
            self.reply(480, "Temporarily Unavailable")
        self.log("ended")
        self.ended = True
        self.phone.forget(self)

    def take(self, request):
        """Takes a request within the call."""
        if request.method == "INVITE":
            if self.answered:
                self.phone.send(self.answered, self.sender)
            return
        if request.method != "ACK":
            self.phone.send(sip.response(request, 200, "OK", self.tag), self.sender)
        if request.method == "INFO":
            signal = re.search(r"Signal=\s*(\S)", request.body) or re.search(r"^(\S)", request.body)
            self.events.put(signal[1] if signal else "")
        if request.method in ("BYE", "CANCEL"):
            self.ended = True
            self.events.put("")


class Phone:
    """The profile `external`: gateways, calls, and the dialplan."""

    def __init__(self, directory, voice):
        self.directory, self.voice = directory, voice
        with open(os.path.join(directory, "vars.xml"), encoding="utf-8") as file:
            self.own = re.findall(r'data="local_ip_v4=([^"]*)"', file.read())[0]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((self.own, PORT))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            self.log(f"this host has no address {self.own}: nobody calls")
            self.socket.bind(("127.0.0.1", 0))
        self.lock = threading.RLock()
        self.gateways: dict = {}
        self.calls: dict = {}
        self.reload()
        self.rescan()

    def log(self, text):
        print(f"freeswitch (stand-in): {text}", flush=True)

    def send(self, message, peer):
        self.socket.sendto(message.text().encode(), peer)

    def reload(self):
        self.known = dialplan.gateways(self.directory, self.log)
        self.extensions = dialplan.read_all(self.directory, "dialplan/public/*.xml", "extension", self.log)

    def rescan(self):
        with self.lock:
            for name, parameters in self.known.items():
                if name in self.gateways:
                    self.log(f"gateway {name} is there already: its file is ignored")
                else:
                    self.gateways[name] = Gateway(name, parameters, self)

    def kill(self, name):
        with self.lock:
            gateway = self.gateways.pop(name, None)
        if gateway:
            gateway.gone.set()

    def actions(self, variables, context="public"):
        if context == "public":
            return dialplan.actions_of(self.extensions, variables, self.api_of)
        number = variables["destination_number"]
        # BigBlueButton's own context, by the only rule of it that callers meet.
        if re.fullmatch(r"\d{5,11}", number) and variables.get("bbb_authorized") == "true":
            return "bbb_conferences", [("conference", f"{number}@cdquality")]
        return None, []

    def api_of(self, command, arguments):
        """Returns the answer to a command, as conditions of the dialplan and the event socket ask it."""
        if command == "acl":
            address, network = arguments.split(" ")
            return "true" if ipaddress.ip_address(address) in ipaddress.ip_network(network) else "false"
        if command == "conference":
            number = arguments.split(" ")[0]
            return "\n".join(self.members(number)) or f"-ERR Conference {number} not found"
        if command == "sofia":
            return self.sofia(arguments)
        if command == "reloadxml":
            self.reload()
            return "+OK [Success]"
        if command == "status":
            return "UP (stand-in)"
        return f"-ERR {command} Command not found!"

    def members(self, number):
        """Returns those in a conference: one for the meeting's browsers, and each caller."""
        path = os.path.join(self.voice, number)
        if not re.fullmatch(r"\d+", number) or not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            if file.read().strip() == "livekit":
                return []
        callers = [call for call in self.calls.values() if call.conference == number]
        return ["1;sofia/external/browser@127.0.0.1", *(f"{i + 2};sofia/external/{call.sender[0]}" for i, call in enumerate(callers))]

    def sofia(self, arguments):
        words = arguments.split()
        if words[:2] == ["status", "gateway"] and len(words) == 3:
            gateway = self.gateways.get(words[2])
            if gateway is None:
                return "Invalid Gateway!"
            rows = {"Name": gateway.name, "Profile": "external", "Proxy": gateway.parameters["proxy"], "State": gateway.state, "Status": gateway.status}
            return "\n".join(f"{name:8}\t{value}" for name, value in rows.items())
        if words[:3] == ["profile", "external", "rescan"]:
            self.rescan()
            return "+OK scan complete"
        if words[:3] == ["profile", "external", "killgw"] and len(words) == 4:
            self.kill(words[3])
            return "+OK gateway marked for deletion."
        return "-USAGE: sofia"

    def forget(self, call):
        self.calls.pop(call.invite.header("call-id"), None)

    def serve(self):
        while True:
            data, sender = self.socket.recvfrom(65535)
            message = sip.parse(data)
            if message:
                self.take(message, sender)

    def take(self, message, sender):
        call_id = message.header("call-id")
        if not message.method:
            for gateway in list(self.gateways.values()):
                if gateway.call_id == call_id:
                    gateway.answers.put(message)
            return
        if call_id in self.calls:
            self.calls[call_id].take(message)
        elif message.method == "INVITE":
            self.log(f"INVITE from {sender[0]} to {message.user}")
            self.calls[call_id] = Call(message, sender, self)
        elif message.method == "OPTIONS":
            self.send(sip.response(message, 200, "OK", secrets.token_hex(4)), sender)
        elif message.method != "ACK":
            self.send(sip.response(message, 481, "Call Does Not Exist", secrets.token_hex(4)), sender)


def serve_events(phone, directory):
    """Serves the event socket: a password, then commands."""
    path = os.path.join(directory, "autoload_configs/event_socket.conf.xml")
    parameters = {one.get("name"): one.get("value") for one in dialplan.preprocessed(directory, path).iter("param")}
    listening = service.open_tcp(parameters["listen-ip"], int(parameters["listen-port"]))
    listening.setblocking(True)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=converse, args=(connection, parameters["password"], phone), daemon=True).start()


def converse(connection, password, phone):
    authorized = False
    with connection, connection.makefile("rwb") as stream:

        def say(text):
            stream.write(text.encode())
            stream.flush()

        try:
            say("Content-Type: auth/request\n\n")
            for line in stream:
                command = line.decode(errors="replace").strip()
                if command.startswith("auth "):
                    authorized = command == f"auth {password}"
                    say(f"Content-Type: command/reply\nReply-Text: {'+OK accepted' if authorized else '-ERR invalid'}\n\n")
                elif command.startswith("api ") and authorized:
                    name, _, arguments = command[4:].partition(" ")
                    answer = f"{phone.api_of(name, arguments)}\n"
                    say(f"Content-Type: api/response\nContent-Length: {len(answer.encode())}\n\n{answer}")
                elif command:
                    say("Content-Type: command/reply\nReply-Text: -ERR command not found\n\n")
        except OSError:
            return


def make_keys(directory):
    """Makes a self-signed certificate with its key for each use that has none yet."""
    for name in ("dtls-srtp.pem", "wss.pem"):
        path = os.path.join(directory, "tls", name)
        if os.path.exists(path) or not os.path.isdir(os.path.dirname(path)):
            continue
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=FreeSWITCH"]
        made = subprocess.run(["openssl", "req", "-x509", *kind, "-keyout", "-"], capture_output=True, check=False)
        with open(path, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(made.stdout)


def guarded(function, *arguments):
    """Runs a thread of the service, without which the whole of it ends, as systemd can see."""
    try:
        function(*arguments)
    except BaseException as error:
        print(f"freeswitch (stand-in) ends: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)


def main():
    parser = argparse.ArgumentParser(description="Stand-in for FreeSWITCH")
    parser.add_argument("--echo", metavar="FIRST-LAST")
    parser.add_argument("--freeswitch", metavar="DIRECTORY", required=True)
    parser.add_argument("--voice", metavar="DIRECTORY", default="/run/bbb-web")
    options = parser.parse_args()
    make_keys(options.freeswitch)
    phone = Phone(options.freeswitch, options.voice)
    for function, arguments in ((phone.serve, ()), (serve_events, (phone, options.freeswitch))):
        threading.Thread(target=guarded, args=(function, *arguments), daemon=True).start()
    echo = ["--echo", options.echo] if options.echo else []
    sys.argv = ["service.py", "freeswitch", *echo, "--freeswitch", options.freeswitch]
    guarded(service.main)


if __name__ == "__main__":
    main()
