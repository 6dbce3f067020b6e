#!/usr/bin/python3
"""Stand-in for Greenlight v3: pages to sign in, its API as far as a deployment asks it, and its health check.

Reads the settings once, at start, and waits for its database before it answers. All that it keeps is greenlight_store.py's.
"""

import hashlib
import json
import os
import re
import secrets
import smtplib
import sys
import time
import urllib.parse
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import greenlight_pages as pages
import greenlight_store as store

COOKIE = "_greenlight-3_0_session"


class Refusal(Exception):
    """Answer of the API that is no success."""

    def __init__(self, status, errors=None):
        super().__init__(status)
        self.status, self.errors = status, errors


def ask_bigbluebutton(settings, call, parameters):
    """Returns the text of an answer of BigBlueButton's API."""
    with urllib.request.urlopen(signed(settings, call, parameters), timeout=5) as answer:
        return answer.read().decode()


def signed(settings, call, parameters):
    endpoint = settings.get("BIGBLUEBUTTON_ENDPOINT", "").rstrip("/")
    endpoint += "" if endpoint.endswith("/api") else "/api"
    query = urllib.parse.urlencode(parameters)
    checksum = hashlib.sha1(f"{call}{query}{settings.get('BIGBLUEBUTTON_SECRET', '')}".encode()).hexdigest()
    return f"{endpoint}/{call}?{query}&checksum={checksum}"


def health(settings):
    """Returns None, or the first problem as a text."""
    checks = {"DATABASE": check_database, "REDIS": lambda _: None, "SMTP": check_mail, "BBB": check_bigbluebutton}
    for name, check in checks.items():
        problem = None if settings.get(f"{name}_HEALTH_CHECK_DISABLED") == "true" else check(settings)
        if problem:
            return problem
    return None


def check_database(settings):
    try:
        with store.Database(settings) as database:
            database.execute("SELECT count(*) FROM users")
    except store.Unavailable as error:
        return f"Unable to connect to Database - {' '.join(str(error).split())}"
    return None


def check_mail(settings):
    """Without a mail server in the settings it asks its own host, as the mailer's defaults have it."""
    try:
        server = smtplib.SMTP(settings.get("SMTP_SERVER") or "localhost", int(settings.get("SMTP_PORT") or 25), timeout=5)
        if server.ehlo()[0] == 250 and server.has_extn("starttls") and settings.get("SMTP_STARTTLS_AUTO") != "false":
            server.starttls()
        if settings.get("SMTP_USERNAME"):
            server.login(settings["SMTP_USERNAME"], settings.get("SMTP_PASSWORD", ""))
        server.quit()
    except (OSError, smtplib.SMTPException) as error:
        return f"Unable to connect to SMTP Server - {error}"
    return None


def check_bigbluebutton(settings):
    try:
        if "<returncode>SUCCESS</returncode>" in ask_bigbluebutton(settings, "isMeetingRunning", {"meetingID": "0"}):
            return None
    except (OSError, ValueError) as error:
        return f"Unable to connect to BigBlueButton - {error}"
    return "Unable to connect to BigBlueButton - the shared secret was refused"


class Server(ThreadingHTTPServer):
    def __init__(self, address, settings):
        super().__init__(address, Handler)
        self.settings = settings


class Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "greenlight-standin"
    sys_version = ""

    # --- HTTP ---

    def do_GET(self):
        self.answer()

    do_POST = do_PATCH = do_DELETE = do_GET

    def answer(self):
        self.path = urllib.parse.urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/health_check":
            problem = health(self.server.settings)
            return self.send(500 if problem else 200, "text/plain", (problem or "success").encode())
        if self.headers.get("X-Forwarded-Proto") != "https":
            return self.send(301, "text/html", b"", {"Location": f"https://{self.headers.get('Host')}{self.path}"})
        try:
            with store.Database(self.server.settings) as self.database:
                self.recognize()
                if self.path.startswith("/api/") and self.path.endswith(".json") and "application/json" in self.headers.get("Accept", ""):
                    return self.answer_call(body)
                return self.send_page()
        except store.Unavailable as error:
            return self.send(500, "text/plain", str(error).encode())

    def recognize(self):
        """Finds the browser by its cookie, and the account that it has signed in to."""
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        known = cookie[COOKIE].value if COOKIE in cookie else ""
        self.browser = self.database.execute("SELECT * FROM browsers WHERE cookie = %s", (known,)).fetchone()
        if not self.browser:
            row = (secrets.token_hex(32), secrets.token_hex(32))
            self.database.execute("INSERT INTO browsers (cookie, token) VALUES (%s, %s)", row)
            self.browser = self.database.execute("SELECT * FROM browsers WHERE cookie = %s", row[:1]).fetchone()
        self.user: Any = None
        if self.browser["session"]:
            wanted = (self.browser["session"], time.time())
            self.user = self.database.execute("SELECT * FROM users WHERE session = %s AND expires > %s", wanted).fetchone()

    def send(self, status, kind, body, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_own(self, status, kind, body):
        self.send(status, kind, body, {"Set-Cookie": f"{COOKIE}={self.browser['cookie']}; path=/; secure; HttpOnly; SameSite=Lax"})

    def send_page(self):
        token, issuer = self.browser["token"], self.server.settings.get("OPENID_CONNECT_ISSUER")
        if self.user:
            rooms = self.database.execute("SELECT * FROM rooms WHERE user_id = %s", (self.user["id"],)).fetchall()
            return self.send_own(200, "text/html; charset=utf-8", pages.signed_in(token, self.user, rooms))
        registration = store.setting(self.database, "RegistrationMethod")
        return self.send_own(200, "text/html; charset=utf-8", pages.signed_out(token, registration, issuer))

    def log_message(self, *_):
        pass

    # --- the API ---

    def answer_call(self, body):
        try:
            if self.command != "GET" and not secrets.compare_digest(self.headers.get("X-CSRF-Token", ""), self.browser["token"]):
                return self.send(422, "text/html", b"Can't verify CSRF token authenticity (stand-in)")
            status, data = self.call(f"{self.command} {self.path[len('/api/v1/') : -len('.json')]}", json.loads(body or b"{}"))
            return self.send_own(status, "application/json", json.dumps({"data": data}).encode())
        except Refusal as refusal:
            return self.send_own(refusal.status, "application/json", json.dumps({"errors": refusal.errors or []}).encode())
        except (KeyError, TypeError, ValueError):
            return self.send_own(400, "application/json", b'{"errors": ["InvalidParams"]}')

    def call(self, what, given):
        if what == "GET env":
            settings = self.server.settings
            flags = {"EXTERNAL_AUTH": self.external(), "SMTP_ENABLED": bool(settings.get("SMTP_SERVER"))}
            return 200, {**flags, "HCAPTCHA_KEY": settings.get("HCAPTCHA_SITE_KEY"), "VERSION_TAG": settings.get("VERSION_TAG", "")}
        if what == "GET sessions":
            return 200, self.account() if self.user else {"signed_in": False}
        if what == "POST sessions":
            return self.sign_in(given["session"])
        if what == "POST users":
            return self.register(given["user"])
        if not self.user:
            raise Refusal(401)
        if what == "DELETE sessions/signout":
            store.renew_session(self.database, self.user)
            return 200, {}
        if what == "GET rooms":
            rows = self.database.execute("SELECT friendly_id, name FROM rooms WHERE user_id = %s", (self.user["id"],))
            return 200, [dict(row) for row in rows]
        if what == "POST rooms":
            return self.make_room(given["room"])
        found = re.fullmatch(r"(DELETE rooms|POST meetings)/([a-z0-9-]{15})(/start)?", what)
        if not found:
            raise Refusal(404, ["RecordNotFound"])
        room = self.database.execute("SELECT * FROM rooms WHERE friendly_id = %s AND user_id = %s", (found[2], self.user["id"])).fetchone()
        if not room:
            raise Refusal(404, ["RecordNotFound"])
        if found[1] == "POST meetings":
            return self.start(room)
        self.database.execute("DELETE FROM rooms WHERE friendly_id = %s", (found[2],))
        return 200, {}

    def account(self):
        return {"id": self.user["id"], "name": self.user["name"], "email": self.user["email"], "role": {"name": self.user["role"]}, "signed_in": True}

    def external(self):
        return bool(self.server.settings.get("OPENID_CONNECT_ISSUER"))

    def sign_in(self, given):
        if self.user:
            raise Refusal(401)
        user = self.database.execute("SELECT * FROM users WHERE email = %s", (given["email"].lower(),)).fetchone()
        if not user:
            raise Refusal(400)
        if self.external():
            raise Refusal(403)
        if not store.is_password(user, given["password"]):
            raise Refusal(400)
        if user["status"] == "pending":
            raise Refusal(400, "PendingUser")
        session = store.renew_session(self.database, user)
        self.database.execute("UPDATE browsers SET session = %s WHERE cookie = %s", (session, self.browser["cookie"]))
        self.user = user
        return 200, self.account()

    def register(self, given):
        method = store.setting(self.database, "RegistrationMethod")
        if self.external() or self.user:
            raise Refusal(403)
        if method == "invite":
            raise Refusal(400, "InviteInvalid")
        role, status = store.setting(self.database, "DefaultRole"), "pending" if method == "approval" else "active"
        try:
            self.user = store.create_user(self.database, given["name"], given["email"].lower(), given["password"], role, status)
        except store.Invalid as invalid:
            raise Refusal(400, "EmailAlreadyExists" if invalid.args[0] == ["Email has already been taken"] else "RecordInvalid") from None
        return 201, {**self.account(), "status": status}

    def make_room(self, given):
        limit = self.database.execute("SELECT value FROM room_limits WHERE role = %s", (self.user["role"],)).fetchone()
        count = self.database.execute("SELECT count(*) FROM rooms WHERE user_id = %s", (self.user["id"],)).fetchone()[0]
        if limit and count >= int(limit["value"]):
            raise Refusal(400, "RoomLimitError")
        return 201, f"/rooms/{store.create_room(self.database, given['name'], self.user['id'])}"

    def start(self, room):
        settings = self.server.settings
        try:
            made = ask_bigbluebutton(settings, "create", {"name": room["name"], "meetingID": room["meeting_id"]})
        except (OSError, ValueError):
            raise Refusal(500, ["SomethingWentWrong"]) from None
        if "<returncode>SUCCESS</returncode>" not in made:
            raise Refusal(400, (re.findall(r"<messageKey>(\w+)", made) or ["unknown"])[0])
        return 201, signed(settings, "join", {"meetingID": room["meeting_id"], "fullName": self.user["name"], "role": "Moderator"})


def wait_for_database(settings):
    """Waits for the database to answer; one that refuses is told by the health check."""
    said = ""
    while settings.get("DATABASE_URL") and "authentication failed" not in said:
        try:
            store.migrate(settings)
            break
        except store.Unavailable as error:
            said = str(error)
            print(said, flush=True)
        time.sleep(0.5)


def main():
    settings = store.read_settings()
    wait_for_database(settings)
    server = Server(("127.0.0.1", int(os.environ.get("BBB_STANDIN_GREENLIGHT_PORT", "5050"))), settings)
    print("Greenlight (stand-in) listens on 127.0.0.1:5050", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
