"""Ways out of a host for its alerts: SMTP, a webhook, and the URL of a dead man's switch."""

import contextlib
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit

import alert_messages

SECONDS = 20
SUBMISSION_TLS = 465


class Undelivered(Exception):
    """Failure to send: the other side's words, and the advice. arrived: some of the recipients have it."""

    def __init__(self, words, remedy, arrived=False):
        super().__init__(words)
        self.remedy = remedy
        self.arrived = arrived


def said(answer):
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


def connect(server, port, own_name):
    context = ssl.create_default_context()
    if port == SUBMISSION_TLS:
        return smtplib.SMTP_SSL(server, port, local_hostname=own_name, timeout=SECONDS, context=context), True
    client = smtplib.SMTP(server, port, local_hostname=own_name, timeout=SECONDS)
    try:
        client.ehlo()
        if not client.has_extn("starttls"):
            return client, False
        client.starttls(context=context)
        client.ehlo()
    except BaseException:
        client.close()
        raise
    return client, True


def send_email(settings, message):
    """Sends by the operator's mail server. @raise Undelivered"""
    server, port, user = settings["server"], settings["port"], settings.get("user")
    at = f"the mail server {server}:{port}"
    try:
        client, encrypted = connect(server, port, message["host"])
        try:
            if user and not encrypted:
                raise Undelivered(f"{at} offers no STARTTLS, so the password was not sent", "set the port on which it does, mostly 587 or 465")
            if user:
                client.login(user, settings["password"])
            mail = alert_messages.email(message, settings["from"], settings["to"])
            refused = client.send_message(mail, settings["from"], settings["to"])
        finally:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
    except smtplib.SMTPAuthenticationError as error:
        raise Undelivered(f"{at} refused user and password: {error.smtp_code} {said(error.smtp_error)}", "set alerts.email.user and alerts.email.password to those of the mailbox; some providers want a password for applications") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise refused_recipients(at, error.recipients) from None
    except smtplib.SMTPSenderRefused as error:
        raise Undelivered(f"{at} refused the sender {error.sender}: {error.smtp_code} {said(error.smtp_error)}", "set alerts.email.from to an address for which this user may send") from None
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"{at} refused: {error.smtp_code} {said(error.smtp_error)}", "its words say why; its log may say more") from None
    except smtplib.SMTPNotSupportedError:
        raise Undelivered(f"{at} takes no user and password", "leave alerts.email.user and alerts.email.password out, or set the port for submission, mostly 587") from None
    except ssl.SSLCertVerificationError as error:
        raise Undelivered(f"the certificate of {at} is not trusted: {error.verify_message}", "set alerts.email.server to the name that is in its certificate; a private authority's root goes into acmeCa") from None
    except smtplib.SMTPException as error:
        raise Undelivered(f"{at} ended the conversation: {error}", "set the port for submission, mostly 587; 465 is for TLS from the first byte on") from None
    except OSError as error:
        raise Undelivered(f"{at} can't be reached: {reason(error)}", "see that name and port are right; clouds close ports 25 and 465 for new accounts, 587 is open") from None
    if refused:
        raise refused_recipients(at, refused, arrived=True)


def refused_recipients(at, recipients, arrived=False):
    told = "; ".join(f"{address}: {code} {said(words)}" for address, (code, words) in recipients.items())
    return Undelivered(f"{at} refused a recipient: {told}", "set alerts.email.to to addresses that it takes", arrived)


def reason(error):
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        return reason(error.reason)
    if isinstance(error, socket.timeout):
        return f"no answer within {SECONDS} s"
    return error.strerror or str(error) or type(error).__name__


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def request(url, what, headers=None, body=None):
    """Asks a URL, which may be a secret and is told nowhere; only its host is. @raise Undelivered"""
    host = urlsplit(url).hostname
    opener = urllib.request.build_opener(NoRedirects)
    asking = urllib.request.Request(url, data=body, headers={"User-Agent": "bbb-deploy", **(headers or {})})
    try:
        with opener.open(asking, timeout=SECONDS) as answer:
            answer.read(4096)
    except urllib.error.HTTPError as error:
        with contextlib.suppress(OSError):
            error.close()
        raise Undelivered(f"{host} answered {error.code} {error.reason}", f"set {what} to the URL as the service shows it") from None
    except (OSError, ValueError) as error:
        told = reason(error) if isinstance(error, OSError) else type(error).__name__
        raise Undelivered(f"{host} can't be reached: {told}", f"see that the URL of {what} is right, and that this server reaches the internet") from None
    except Exception as error:  # http.client's own
        raise Undelivered(f"{host} gave no answer that is HTTP ({type(error).__name__})", f"see that the URL of {what} is right") from None


def send_webhook(settings, message):
    """Posts in the form of the settings. @raise Undelivered"""
    headers, body = alert_messages.webhook(message, settings["form"])
    request(settings["url"], "alerts.webhook.url", headers, body)


def ping(url, what, failed):
    """Tells a dead man's switch of a round; of a bad one at /fail below its URL. @raise Undelivered"""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/fail" if failed else parts.path
    request(urlunsplit(parts._replace(path=path)), what)


SENDERS = {"email": send_email, "webhook": send_webhook}
