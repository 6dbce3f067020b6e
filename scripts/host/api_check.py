#!/usr/bin/python3
"""Asks a BigBlueButton server's API a question of the operator. Secrets come by standard input or a file only.

    api_check.py meetings --properties FILE [--base URL]
        Prints the number of meetings here, without those that were ended; FILE has the secret. Exit code 3: no answer.
    api_check.py signed --base URL <SECRET
        Exit code 0 if a signed getMeetings succeeds there, else 1.

The check_… functions are host_check.py's. Python 3.8 or newer, standard library only.
"""

import argparse
import hashlib
import re
import secrets
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

from checks import Doubtful, Unanswered, Wrong

TIMEOUT = 15
LOCAL = "http://127.0.0.1:8090/bigbluebutton/api"
DAY = 86400
RESTART = "ss -ltnp shows who listens, systemctl restart helps one that hangs (nginx or coturn)"


def signed(base, call, parameters, secret):
    query = urllib.parse.urlencode(parameters)
    checksum = hashlib.sha256((call + query + secret).encode()).hexdigest()
    return f"{base}/{call}?{query}{'&' if query else ''}checksum={checksum}"


def get(url):
    """Returns the XML of an answer. The URL may be signed, so no message contains it."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        return ElementTree.fromstring(answer.read())


def call(base, name, parameters, secret, remedy):
    try:
        answer = get(signed(base, name, parameters, secret))
    except (OSError, ElementTree.ParseError) as error:
        raise Wrong(reason(error), remedy) from None
    return answer


def told(answer):
    fields = [answer.findtext("returncode"), answer.findtext("messageKey"), answer.findtext("message")]
    return ", ".join(field.strip() for field in fields if field and field.strip()) or "an answer without a returncode"


def reason(error):
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def days_finding(begins, ends, now, days, remedy):
    """Finding about a certificate's remaining time. days: limits {"fail", "warn"} for a life of 90 days;
    less for a shorter one.
    """
    left, scale = (ends - now) / DAY, min(1, (ends - begins) / DAY / 90)
    told = f"valid until {time.strftime('%FT%TZ', time.gmtime(ends))}, {left:.0f} days"
    if left < days["fail"] * scale:
        return Wrong(told, remedy)
    return Doubtful(told, remedy) if left < days["warn"] * scale else told


def issuer_of(certificate):
    names = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    organization, name = names.get("organizationName"), names.get("commonName")
    return " ".join(dict.fromkeys(part for part in (organization, name) if part)) or "an authority without a name"


def check_certificate(hostname, port, untrusted, days, remedy):
    """Checks the chain that a client gets, with this host's roots."""
    try:
        context = ssl.create_default_context()
        with socket.create_connection((hostname, port), TIMEOUT) as plain, context.wrap_socket(plain, server_hostname=hostname) as secure:
            certificate, version = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        raise Wrong(f"no valid chain: {error.verify_message}", remedy) from None
    except socket.timeout:
        raise Wrong(f"no answer within {TIMEOUT} s", f"on {hostname}: {RESTART}; its firewalls must let {port}/tcp in") from None
    except OSError as error:
        raise Wrong(reason(error), f"look whether {hostname} listens on {port}: {RESTART}; its firewalls must let {port}/tcp in") from None
    begins, ends = (ssl.cert_time_to_seconds(str(certificate[key])) for key in ("notBefore", "notAfter"))
    finding = days_finding(begins, ends, time.time(), days, remedy)
    # bigbluebutton/verification.ts reads this line: for whom, until when, by whom.
    told = f"{version}, {finding}, by {issuer_of(certificate)}"
    if isinstance(finding, Wrong):
        raise type(finding)(told, finding.remedy)
    return told + ("; not trusted by browsers (acmeServer)" if untrusted else "")


def open_page(url):
    """Returns (status, final URL) of a page, after all redirects, with the cookies that they set."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    asking = urllib.request.Request(url, headers={"Accept": "text/html", "User-Agent": "bbb-deploy"})
    try:
        with opener.open(asking, timeout=TIMEOUT) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


NO_MORE = 64_000_000


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(url):
    """Returns (status, where it leads, content) of a page, without following it."""
    opener = urllib.request.build_opener(Stay())
    try:
        with opener.open(urllib.request.Request(url, headers={"User-Agent": "bbb-deploy"}), timeout=TIMEOUT) as answer:
            return answer.status, None, answer.read(NO_MORE)
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location"), b""


def where_to(location):
    """Returns half a sentence with a redirect's target, without its query, which may have a token."""
    return f", to {location.split('?')[0]}" if location else ""


def front_page_remedy(hostname, greenlight):
    on_host = f"on {hostname}:"
    if greenlight:
        return (
            f"{on_host} docker ps --all shows whether Greenlight (greenlight-v3) and its database run, docker logs greenlight-v3 why not, "
            "journalctl -u docker whether Docker does; then docker compose up -d in /root/greenlight-v3"
        )
    return f"{on_host} systemctl status nginx, nginx -t, /var/log/nginx/error.log, and ls -lR /var/www/bigbluebutton-default for the page itself"


def front_page(url, hostname, greenlight):
    """Finding about the page at the server's name: Greenlight, or BigBlueButton's own page."""
    remedy = front_page_remedy(hostname, greenlight)
    try:
        status, end = open_page(url)
    except OSError as error:
        raise Wrong(reason(error), remedy) from None
    at = urllib.parse.urlsplit(end)
    where = "" if end == url else f" at {end.split('?')[0]}, where {url} leads"
    if 300 <= status < 400:
        raise Wrong(f"redirects without end, the last{where}", remedy)
    if status >= 400 and at.hostname != hostname:
        raise Doubtful(f"HTTP status {status}{where}", f"look at {at.hostname}, or take the redirect to it out of nginx's settings on {hostname}")
    if status >= 400:
        raise Wrong(f"HTTP status {status}{where}: people see an error instead of the page", remedy)
    return f"HTTP status {status}{where}"


def check_front_page(hostname, greenlight, wait):
    """wait: seconds to wait for its start."""
    end = time.monotonic() + wait
    while True:
        try:
            return front_page(f"https://{hostname}/", hostname, greenlight)
        except Wrong:
            if time.monotonic() > end:
                raise
        time.sleep(2)


def check_redirect(hostname, url):
    """Checks that the page at the server's name leads to the operator's own, elsewhere, which is not asked."""
    remedy = front_page_remedy(hostname, False)
    try:
        status, leads, _ = ask(f"https://{hostname}/")
    except OSError as error:
        raise Wrong(reason(error), remedy) from None
    if status != 302 or leads != url:
        raise Doubtful(f"HTTP status {status}{where_to(leads)}, where one to {url} was deployed", "give the setting upgrade a new value, then pulumi up")
    return f"leads to {url}"


def check_index(base, wait):
    end = time.monotonic() + wait
    while True:
        try:
            answer = get(base)
            if answer.findtext("returncode") == "SUCCESS":
                version = answer.findtext("apiVersion") or answer.findtext("version")
                return f"SUCCESS, version {version}" if version else "SUCCESS"
            last = told(answer)
        except (OSError, ElementTree.ParseError) as error:
            last = reason(error)
        except Unanswered:
            if time.monotonic() > end:
                raise
            last = "no answer"
        if time.monotonic() > end:
            raise Wrong(last, "on the BigBlueButton host: systemctl status nginx bbb-web, journalctl -u bbb-web, bbb-conf --status")
        time.sleep(2)


def check_signed(base, secret, wait=0):
    """Checks that a signed call is answered. A pool's balancer refuses it until its polls have found a server that is away offline:
    for so long it may take.
    """
    end = time.monotonic() + wait
    remedy = "the secret that bbb-web has is another one: run pulumi up again with a new value of the setting upgrade"
    while True:
        answer = call(base, "getMeetings", {}, secret, remedy)
        if answer.findtext("returncode") == "SUCCESS":
            return f"SUCCESS, {len(answer.findall('meetings/meeting'))} meetings"
        key = answer.findtext("messageKey")
        if key != "internalError" or time.monotonic() > end:
            break
        time.sleep(2)
    if key != "checksumError":
        remedy = "journalctl -u bbb-web says why; a pool's balancer refuses this call until its polls have found a server that is away offline"
    raise Wrong(told(answer), remedy)


def check_refused(base):
    remedy = "anybody could make meetings: look at securitySalt in /etc/bigbluebutton/bbb-web.properties"
    answer = call(base, "getMeetings", {}, secrets.token_hex(20), remedy)
    if answer.findtext("returncode") != "FAILED" or answer.findtext("messageKey") != "checksumError":
        raise Wrong(told(answer), remedy)
    return "refused, checksumError"


def check_meeting(base, secret):
    meeting = f"bbb-deploy-{secrets.token_hex(8)}"
    moderator, attendee = secrets.token_hex(8), secrets.token_hex(8)
    remedy = "on the BigBlueButton host: journalctl -u bbb-web -u bbb-apps-akka, bbb-conf --check"

    def expect(answer, what):
        if answer.findtext("returncode") != "SUCCESS":
            raise Wrong(f"{what}: {told(answer)}", remedy)
        return answer

    details = {"meetingID": meeting, "name": "Check of the deployment", "moderatorPW": moderator, "attendeePW": attendee}
    details.update({"record": "false", "meetingExpireIfNoUserJoinedInMinutes": "2"})
    expect(call(base, "create", details, secret, remedy), "create")
    try:
        join = {"fullName": "Check of the deployment", "meetingID": meeting, "password": moderator, "redirect": "false"}
        joined = expect(call(base, "join", join, secret, remedy), "join")
        if not joined.findtext("session_token"):
            raise Wrong("join gave no session", remedy)
    finally:
        ended = call(base, "end", {"meetingID": meeting, "password": moderator}, secret, remedy)
    expect(ended, "end")
    return "created, joined, ended"


def meetings(options):
    with open(options.properties, encoding="iso-8859-1") as file:
        found = re.findall(r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S+)", file.read(), re.MULTILINE)
    try:
        answer = get(signed(options.base, "getMeetings", {}, found[-1] if found else ""))
    except (OSError, ElementTree.ParseError):
        return 3
    if answer.findtext("returncode") != "SUCCESS":
        return 3
    # One that nobody has entered yet counts, since somebody is about to; one that was ended goes by itself.
    print(len([one for one in answer.findall("meetings/meeting") if one.findtext("hasBeenForciblyEnded") != "true"]))
    return 0


def is_signed(options):
    try:
        answer = get(signed(options.base, "getMeetings", {}, sys.stdin.readline().strip()))
    except (OSError, ElementTree.ParseError):
        return 1
    return 0 if answer.findtext("returncode") == "SUCCESS" else 1


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("meetings")
    one.add_argument("--properties", required=True)
    one.add_argument("--base", default=LOCAL)
    one.set_defaults(run=meetings)
    one = commands.add_parser("signed")
    one.add_argument("--base", default=LOCAL)
    one.set_defaults(run=is_signed)
    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
