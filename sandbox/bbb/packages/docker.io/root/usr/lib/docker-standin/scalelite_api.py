"""API of the Scalelite stand-in: one URL and secret in front of several BigBlueButton servers."""

import hashlib
import hmac
import secrets
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import scalelite_nodes as nodes
import scalelite_recordings as recordings

ALGORITHMS = {40: "sha1", 64: "sha256", 128: "sha512"}
ABOUT_RECORDINGS = ("getRecordings", "publishRecordings", "updateRecordings", "deleteRecordings")
TO_NODE = ("getMeetingInfo", "insertDocument", "end", "isMeetingRunning")
# Parameters of create whose value goes to the database, and no further.
READY_URLS = ("meta_bn-recording-ready-url", "meta_bbb-recording-ready-url", "meta_canvas-recording-ready-url")


class Refusal(Exception):
    """Answer without success: messageKey and message."""

    def __init__(self, key, message):
        super().__init__(message)
        self.key, self.message = key, message


class Api:
    """Answers of the calls; each is XML, or the URL of a redirect."""

    def __init__(self, store, environment):
        self.store = store
        more = environment.get("LOADBALANCER_SECRETS", "").split(":")
        self.secrets = [one for one in (environment.get("LOADBALANCER_SECRET", ""), *more) if one]
        self.host = environment.get("URL_HOST", "")
        named = environment.get("LOADBALANCER_CHECKSUM_ALGORITHM", "SHA1:SHA256:SHA512")
        self.algorithms = named.lower().split(":")
        self.timeout = float(environment.get("CONNECT_TIMEOUT") or 5)
        self.recordings = recordings.Calls(store, environment, Refusal)

    def check(self, call, query, given):
        algorithm = ALGORITHMS.get(len(given), "")
        if algorithm in self.algorithms:
            for secret in self.secrets:
                wanted = hashlib.new(algorithm, (call + query + secret).encode()).hexdigest()
                if hmac.compare_digest(wanted, given):
                    return
        raise Refusal("checksumError", "You did not pass the checksum security check")

    def answer(self, call, query, parameters, body, kind):
        if call == "create":
            return self.create(query, parameters, body, kind)
        if call == "join":
            return self.join(query, parameters)
        if call == "getMeetings":
            return self.get_meetings()
        if call in ABOUT_RECORDINGS:
            return f"<response><returncode>SUCCESS</returncode>{self.about_recordings(call, parameters)}</response>"
        if call in TO_NODE:
            return self.pass_on(call, query, parameters, body, kind)
        raise Refusal("unsupportedRequest", "This request is not supported.")

    def about_recordings(self, call, parameters):
        if call == "getRecordings":
            return self.recordings.get(parameters, f"https://{self.host}" if self.host else "")
        return {"publishRecordings": self.recordings.publish, "updateRecordings": self.recordings.update, "deleteRecordings": self.recordings.delete}[call](parameters)

    def id_of(self, parameters):
        meeting = parameters.get("meetingID", "")
        if meeting == "":
            raise Refusal("missingParamMeetingID", "You must specify a meeting ID for the meeting.")
        return meeting

    def ask(self, server, call, query, body=None, kind="application/xml"):
        try:
            return nodes.ask(server, call, query, self.timeout, body, kind)
        except OSError:
            raise Refusal("internalError", f"Unable to {'create' if call == 'create' else 'access'} meeting on server.") from None

    def usable(self):
        loads = self.store.loads.all()
        found = [(loads[name], name) for name, server in self.store.servers.all().items() if server["state"] == "enabled" and server["online"] and name in loads]
        if not found:
            raise Refusal("internalError", "Could not find any available servers.")
        return min(found)[1]

    def create(self, query, parameters, body, kind):
        meeting = self.id_of(parameters)
        known = self.store.meetings.get(meeting)
        password = parameters.get("moderatorPW") or (known or {}).get("moderatorPW") or secrets.token_hex(4)
        pairs = [pair for pair in query.split("&") if urllib.parse.unquote(pair.partition("=")[0]) not in (*READY_URLS, "moderatorPW")]
        query = "&".join([*pairs, f"moderatorPW={urllib.parse.quote(password)}"])
        name = known["server"] if known else None
        server = self.store.servers.get(name) if name else None
        if server and server["state"] == "cordoned" and not self.runs(server, meeting):
            server = None
        if server is None:
            name = self.usable()
            server = self.store.servers.get(name)
            self.store.meetings.put(meeting, {"server": name, "moderatorPW": password})
            self.store.loads.count(name)
        if any(parameters.get(name) for name in READY_URLS):
            self.store.sql("SELECT count(*) FROM schema_migrations")
        return self.ask(server, "create", query, body, kind)

    def runs(self, server, meeting):
        try:
            return any(one.findtext("meetingID") == meeting for one in nodes.meetings_on(server, self.timeout))
        except OSError:
            return True

    def find(self, parameters):
        """Returns (id, server) of a known meeting."""
        meeting = self.id_of(parameters)
        known = self.store.meetings.get(meeting)
        server = self.store.servers.get(known["server"]) if known else None
        if server is None:
            raise Refusal("notFound", "We could not find a meeting with that meeting ID.")
        return meeting, known["server"], server

    def join(self, query, parameters):
        _, name, server = self.find(parameters)
        if server["state"] == "disabled":
            raise Refusal("serverUnavailable", "The server for this meeting is disabled/offline.")
        self.store.loads.count(name)
        return nodes.signed(server, "join", query)

    def pass_on(self, call, query, parameters, body, kind):
        try:
            meeting, _, server = self.find(parameters)
        except Refusal as refusal:
            if call == "isMeetingRunning" and refusal.key == "notFound":
                return "<response><returncode>SUCCESS</returncode><running>false</running></response>"
            raise
        if call == "end":
            self.store.meetings.remove(meeting)
        return self.ask(server, call, query, body, kind)

    def get_meetings(self):
        found = []
        for server in self.store.servers.all().values():
            if server["state"] == "disabled" or not server["online"]:
                continue
            try:
                found += nodes.meetings_on(server, self.timeout)
            except OSError:
                raise Refusal("internalError", "Unable to access server.") from None
        if not found:
            return "<response><returncode>SUCCESS</returncode><meetings/><messageKey>noMeetings</messageKey><message>no meetings were found on this server</message></response>"
        texts = "".join(ElementTree.tostring(one, encoding="unicode") for one in found)
        return f"<response><returncode>SUCCESS</returncode><meetings>{texts}</meetings></response>"


def serve(api, address):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.handle_call(None)

        def do_POST(self):
            self.handle_call(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def handle_call(self, body):
            path, _, query = self.path.partition("?")
            if path == "/health_check":
                self.health()
            elif api.host and self.headers.get("Host", "").split(":")[0] != api.host:
                self.send_text(403, "text/plain", "Blocked host\n")
            elif path.rstrip("/") == "/bigbluebutton/api":
                self.send_text(200, "text/xml", "<response><returncode>SUCCESS</returncode><version>2.0</version></response>")
            elif path.startswith("/bigbluebutton/api/"):
                self.call(path[len("/bigbluebutton/api/") :].rstrip("/"), query, body)
            else:
                self.play(path)

        def play(self, path):
            try:
                status, headers = api.recordings.play(path) or (404, [])
            except OSError as error:
                print(f"{time.strftime('%T')} {path}: {error}", flush=True)
                status, headers = 500, []
            self.send_text(status, "text/plain", "" if status < 400 else "not found\n", headers)

        def health(self):
            try:
                api.store.check()
                self.send_text(200, "text/plain", "success")
            except OSError as error:
                self.send_text(500, "text/plain", f"health_check failed: {error}\n")

        def call(self, call, query, body):
            pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
            kind = self.headers.get("Content-Type") or "application/xml"
            if body and kind.startswith("application/x-www-form-urlencoded"):
                more = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
                given = dict(more).get("checksum") or dict(pairs).get("checksum", "")
                signed_text = query
                pairs += more
                query = urllib.parse.urlencode([pair for pair in pairs if pair[0] != "checksum"])
                body = None
            else:
                given = dict(pairs).get("checksum", "")
                signed_text = query
            plain = "&".join(part for part in signed_text.split("&") if not part.startswith("checksum="))
            try:
                api.check(call, plain, given)
                if "checksum=" in query:
                    query = plain
                answer = api.answer(call, query, {key: value for key, value in pairs if key != "checksum"}, body, kind)
            except Refusal as refusal:
                answer = f"<response><returncode>FAILED</returncode><messageKey>{refusal.key}</messageKey><message>{escape(refusal.message)}</message></response>"
            except OSError as error:
                print(f"{time.strftime('%T')} {call}: {error}", flush=True)
                self.send_text(500, "text/plain", "We're sorry, but something went wrong\n")
                return
            if call == "join" and answer.startswith("http"):
                self.send_text(302, "text/plain", "", [("Location", answer)])
            else:
                self.send_text(200, "text/xml", answer)

        def send_text(self, status, kind, text, headers=()):
            content = text.encode()
            self.send_response(status)
            for name, value in [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(content))), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(address, Handler).serve_forever()
