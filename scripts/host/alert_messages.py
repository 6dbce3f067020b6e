"""Texts of the alerts: a message of a round as an e-mail, and in each form that a webhook takes.

A message is a dictionary:

    host, role    name of the host; bbb, turn or balancer
    at            seconds since 1970
    events        of alert_decision.py; none in a test message
    wrong         what stays wrong: {name, since}

Pure functions, all of them.
"""

import html
import json
import time
from datetime import datetime, timezone
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid

ROLES = {"bbb": "BigBlueButton server", "turn": "TURN server", "balancer": "Balancer"}
# No title is folded: some filters take a fold at its beginning for spam.
UNFOLDED = EmailPolicy(max_line_length=900)
# Of ntfy; a longer text becomes a file.
NTFY_BYTES = 3900


def server_check(fqdn):
    """Name of the check of a pool's server, by its balancer."""
    return f"server {fqdn.split('.')[0]}"


def moment(seconds):
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def lasted(seconds):
    """A duration in words."""
    minutes = max(1, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 2880 else f"{round(minutes / 1440)} days"


def is_test(message):
    return not message["events"]


def heads(events):
    """Names by what is said of them: wrong, to look at, well again."""
    said: dict = {}
    for event in events:
        head = "well again" if event["kind"] == "well" else "wrong" if event["verdict"] == "FAIL" else "to look at"
        names = said.setdefault(head, [])
        if event["name"] not in names:
            names.append(event["name"])
    return {head: said[head] for head in ("wrong", "to look at", "well again") if head in said}


def title(message):
    host = message["host"]
    if is_test(message):
        return f"{host}: test of the alerts"
    return f"{host}: " + "; ".join(f"{head}: {', '.join(names)}" for head, names in heads(message["events"]).items())


def event_lines(event):
    asked = f" ({event['asked']})" if event["asked"] else ""
    if event["kind"] == "well":
        after = lasted(event["at"] - event["since"])
        return [f"WELL AGAIN since {moment(event['at'])}, after {after}: {event['name']}{asked}", f"  {event['answer']}"]
    head = "WRONG" if event["verdict"] == "FAIL" else "TO LOOK AT"
    lines = [f"{head} since {moment(event['since'])}: {event['name']}{asked}", f"  {event['answer']}"]
    if event.get("remedy"):
        lines.append(f"  to do: {event['remedy']}")
    return lines


def end_lines(message):
    stays = message["wrong"]
    if stays:
        return ["Still wrong: " + ", ".join(f"{one['name']} (since {moment(one['since'])})" for one in stays)]
    return ["All is well again." if all(event["kind"] == "well" for event in message["events"]) else "Nothing else is wrong."]


def text(message):
    """The whole text, in lines."""
    first = f"{ROLES[message['role']]} {message['host']}, {moment(message['at'])}"
    if is_test(message):
        return f"{first}\n\nAlerts of this server arrive here. It tells when something breaks, and when it is well again.\n"
    blocks = [[first]] + [event_lines(event) for event in message["events"]] + [end_lines(message)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def email(message, sender, recipients):
    """Renders an e-mail. recipients: addresses."""
    mail = EmailMessage(policy=UNFOLDED)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = title(message)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message["at"], timezone.utc))
    mail["Message-ID"] = make_msgid(domain=message["host"])
    # No out-of-office answers to it (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(message))
    return mail


def as_json(body):
    return {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body, ensure_ascii=False).encode()


def slack(message):
    """Slack's incoming webhooks; Mattermost and Rocket.Chat take the same."""
    whole = f"*{title(message)}*\n{text(message)}"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        whole = whole.replace(character, entity)
    return as_json({"text": whole})


def matrix(message):
    """Webhook of matrix-hookshot: a plain text, and the same as HTML."""
    body = html.escape(text(message)).rstrip("\n").replace("\n", "<br>")
    return as_json({"text": f"{title(message)}\n{text(message)}", "html": f"<strong>{html.escape(title(message))}</strong><br>{body}"})


def ntfy(message):
    """Topic of ntfy: the text as the body, all else in headers."""
    bad = not is_test(message) and "wrong" in heads(message["events"])
    tag = "white_check_mark" if not bad else "rotating_light"
    body = text(message).encode()
    if len(body) > NTFY_BYTES:
        body = body[:NTFY_BYTES].decode(errors="ignore").encode() + "…\n".encode()
    headers = {"Content-Type": "text/plain; charset=utf-8", "Title": title(message), "Priority": "high" if bad else "default", "Tags": tag}
    return headers, body


def plain(message):
    """JSON with everything in it, for a program of the operator's own."""
    return as_json({"title": title(message), "text": text(message), "test": is_test(message), **message})


FORMS = {"slack": slack, "matrix": matrix, "ntfy": ntfy, "json": plain}


def webhook(message, form):
    """Returns (headers, body) of a POST."""
    return FORMS[form](message)
