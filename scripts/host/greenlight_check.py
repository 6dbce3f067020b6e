"""Checks of Greenlight: its own health check, its mail server, and the administrator's sign-in, a room and a meeting.

Greenlight has one session an account: a sign-in here ends the administrator's in a browser. So it is made where a
meeting is made also, and not each time somebody asks how the host is.
"""

import contextlib
import hashlib
import http.cookiejar
import json
import os
import re
import smtplib
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import api_check
from checks import Doubtful, NotAsked, Wrong
from keyed_text import FORMATS

LOCAL = "http://127.0.0.1:5050"
TIMEOUT = 20
ROOM = "Check of the deployment"
CONTAINERS = "on the BigBlueButton host: docker ps --all, docker logs greenlight-v3; then docker compose up -d in /root/greenlight-v3"

# Beginnings of what its health check says, with what helps. It stops at the first.
HEALTH = {
    "Unable to connect to Database": "docker logs postgres says whether the database runs; the password of DATABASE_URL in /root/greenlight-v3/.env "
    "must be POSTGRES_PASSWORD of docker-compose.yml there",
    "Unable to connect to Redis": "docker logs redis says whether it runs; then docker compose up -d in /root/greenlight-v3",
    "Unable to connect to BigBlueButton": "BIGBLUEBUTTON_ENDPOINT and BIGBLUEBUTTON_SECRET in /root/greenlight-v3/.env must be what bbb-conf --secret "
    "shows: give the setting upgrade a new text, then pulumi up",
}
MAIL = "Unable to connect to SMTP Server"
# File with the digest of each key's value, as greenlight.py wrote it into .env.
DEPLOYED = "deployed.json"


def ask_health(base=LOCAL):
    """Returns what Greenlight's health check says. @raise Wrong"""
    try:
        with urllib.request.urlopen(f"{base}/health_check", timeout=TIMEOUT) as answer:
            said = answer.read(2000).decode(errors="replace").strip()
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(2000).decode(errors="replace").split())
        if said.startswith(MAIL):
            # Without a mail server it asks one of its own host, and is not well for that alone.
            return "well but for mail: it reaches no mail server"
        remedy = next((advice for begin, advice in HEALTH.items() if said.startswith(begin)), CONTAINERS)
        raise Wrong(said[:200] or f"HTTP status {error.code}", remedy) from None
    except OSError as error:
        raise Wrong(f"does not answer: {api_check.reason(error)}", CONTAINERS) from None
    if said != "success":
        raise Wrong(f'says "{said[:100]}"', CONTAINERS)
    return "success"


def check_health(wait):
    """wait: seconds to wait for its start."""
    end = time.monotonic() + wait
    while True:
        try:
            return ask_health()
        except Wrong:
            if time.monotonic() > end:
                raise
        time.sleep(2)


def digest(value):
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def check_environment(path, deployed):
    """Checks that each key of .env that the deployment owns has the value that it wrote."""
    if not os.path.exists(deployed):
        raise NotAsked("the deployment has written none of it")
    with open(deployed, encoding="utf-8") as file:
        wanted = json.load(file)
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    values = {key: FORMATS["env"].value(text, key) for key in wanted}
    changed = [key for key, value in values.items() if value is None or digest(value) != wanted[key]]
    if changed:
        raise Doubtful(
            f"{', '.join(changed)} in {os.path.basename(path)} {'is' if len(changed) == 1 else 'are'} another than deployed",
            "change the setting greenlight in place of the file; to put it back, change the setting upgrade and run pulumi up",
        )
    return f"{len(wanted)} keys as deployed"


def check_mail(path):
    """Checks that the mail server of .env takes the account, as Greenlight would send. Without one there is nothing to ask."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()

    def value(key, preset=""):
        return FORMATS["env"].value(text, key) or preset

    server, port, user = value("SMTP_SERVER"), int(value("SMTP_PORT", "25")), value("SMTP_USERNAME")
    if not server:
        raise NotAsked("no mail server is set, so Greenlight sends no mail")
    there = f"{server}:{port}"
    context = ssl.create_default_context()
    if value("SMTP_SSL_VERIFY") == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        secure = value("SMTP_TLS") == "true"
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server, port, timeout=TIMEOUT, context=context) if secure else smtplib.SMTP(server, port, timeout=TIMEOUT)
        with connection:
            connection.ehlo()
            if not secure and (value("SMTP_STARTTLS") == "true" or (value("SMTP_STARTTLS_AUTO", "true") == "true" and connection.has_extn("starttls"))):
                connection.starttls(context=context)
                connection.ehlo()
            if user:
                connection.login(user, value("SMTP_PASSWORD"))
    except smtplib.SMTPAuthenticationError as error:
        raise Doubtful(f"{there} refuses the account {user} (code {error.smtp_code})", "give greenlight.smtp.user and greenlight.smtp.password what the mail server knows") from None
    except ssl.SSLCertVerificationError as error:
        raise Doubtful(f"{there} has no valid certificate: {error.verify_message}", "greenlight.smtp.server must be a name of its certificate") from None
    except (smtplib.SMTPException, OSError) as error:
        remedy = "greenlight.smtp.server and greenlight.smtp.port must be the mail server's, and its firewall let this server in; clouds let no connection out to ports 25 and 465 of others at first: port 587 is open"
        raise Doubtful(f"{there} takes no mail: {api_check.reason(error)}", remedy) from None
    return f"{there} takes {f'the account {user}' if user else 'mail'}"


class Refused(Exception):
    """Greenlight's refusal of a call: its HTTP status and the names of its errors."""

    def __init__(self, status, errors):
        super().__init__(f"HTTP status {status}" + (f", {errors}" if errors else ""))
        self.status = status


class Pages:
    """Greenlight as a browser has it: its page's token, a cookie, and the calls that its page makes."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.renew_token()

    def renew_token(self):
        """Reads the token that belongs to the cookie of now."""
        with self.opener.open(urllib.request.Request(f"{self.url}/", headers={"Accept": "text/html"}), timeout=TIMEOUT) as answer:
            found = re.search(r'<meta name="csrf-token" content="([^"]+)"', answer.read(1_000_000).decode(errors="replace"))
        self.token = found[1] if found else ""

    def call(self, method, path, body=None):
        """Returns the data of an answer. @raise Refused, OSError"""
        headers = {"Accept": "application/json", "Content-Type": "application/json", "X-CSRF-Token": self.token}
        data = json.dumps(body).encode() if body is not None else None
        asking = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers, method=method)
        try:
            with self.opener.open(asking, timeout=TIMEOUT) as answer:
                said = answer.read(1_000_000)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, errors_in(error.read(10_000))) from None
        try:
            return json.loads(said).get("data")
        except (ValueError, AttributeError):
            raise Refused(200, "an answer that is not its API's") from None


def errors_in(text):
    """Returns the names of errors in an answer, which are keys of its translations."""
    try:
        found = json.loads(text).get("errors")
    except (ValueError, AttributeError):
        return ""
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found or "")


def sign_in(url, email, password):
    """Signs in. @return the pages as that account has them, and its id; @raise Wrong, NotAsked"""
    try:
        pages = Pages(url)
        known = pages.call("GET", "env.json") or {}
        if known.get("EXTERNAL_AUTH"):
            raise NotAsked("people sign in at the OpenID Connect provider, and Greenlight takes no password")
        if known.get("HCAPTCHA_KEY"):
            raise NotAsked("the sign-in asks for an hCaptcha, which only people solve")
        account = pages.call("POST", "sessions.json", {"session": {"email": email, "password": password, "extend_session": False}})
        pages.renew_token()
    except Refused as refused:
        raise Wrong(f"{email} can't sign in: {refused}", CONTAINERS) from refused
    except OSError as error:
        raise Wrong(f"the page for signing in does not answer: {api_check.reason(error)}", CONTAINERS) from None
    if not isinstance(account, dict) or not account.get("id"):
        raise Wrong(f"{email} got no account by signing in", CONTAINERS)
    return pages, account["id"]


def check_administrator(url, admin, base, secret):
    """Signs in as the administrator, makes a room, starts its meeting, and removes both."""
    try:
        pages, account = sign_in(url, admin["email"], admin["password"])
    except Wrong as wrong:
        if isinstance(wrong.__cause__, Refused) and wrong.__cause__.status == 400:
            raise NotAsked(f"{admin['email']} has another password than the output greenlightAdminPassword: it was changed since, or the account was there before") from None
        raise
    try:
        remove_rooms(pages)
        return f"signed in, {make_and_start(pages, account, base, secret)}"
    except Refused as refused:
        raise Wrong(f"signed in, but then: {refused}", CONTAINERS) from None
    except OSError as error:
        raise Wrong(f"signed in, but then no answer: {api_check.reason(error)}", CONTAINERS) from None
    finally:
        with contextlib.suppress(Refused, OSError):
            pages.call("DELETE", "sessions/signout.json")


def remove_rooms(pages):
    """Removes rooms that an interrupted check left."""
    for room in pages.call("GET", "rooms.json") or []:
        if room.get("name") == ROOM:
            pages.call("DELETE", f"rooms/{room['friendly_id']}.json")


def make_and_start(pages, account, base, secret):
    try:
        place = pages.call("POST", "rooms.json", {"room": {"name": ROOM, "user_id": account}})
    except Refused as refused:
        raise Doubtful(f"signed in, but no room could be made: {refused}", "in Greenlight, look at the account's role and its limit of rooms") from None
    room = str(place).rpartition("/")[2]
    try:
        link = str(pages.call("POST", f"meetings/{room}/start.json", {}))
        meeting = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query)).get("meetingID")
        if not meeting:
            raise Wrong("the meeting of a room was started without a link to join", CONTAINERS)
        end_meeting(meeting, base, secret)
    finally:
        pages.call("DELETE", f"rooms/{room}.json")
    return "made a room, started its meeting, removed both"


def end_meeting(meeting, base, secret):
    """Ends the meeting, which must run on this server. Earlier releases want its moderators' password for that."""
    remedy = "BIGBLUEBUTTON_ENDPOINT in /root/greenlight-v3/.env must be this server's; what bbb-conf --secret shows is right"
    found = api_check.call(base, "getMeetingInfo", {"meetingID": meeting}, secret, remedy)
    if found.findtext("returncode") != "SUCCESS":
        raise Wrong("the meeting that Greenlight started is not on this server", remedy)
    api_check.call(base, "end", {"meetingID": meeting, "password": found.findtext("moderatorPW") or ""}, secret, remedy)
