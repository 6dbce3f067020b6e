#!/usr/bin/python3
"""Stand-in for bbb-web: the part of BigBlueButton's HTTP API that a front end or a provisioner calls.

No meeting takes place here. The same as in BigBlueButton: the sources of the settings and that they are read once,
at start; the checksum; the answers' fields, their order and the error keys; TURN credentials. Meetings live in
memory, so a restart ends them all.

    bbb_web.py [--root DIR] [--port N] [--start-delay SECONDS]

--root puts every file below another directory, --port 0 picks a free port and prints it.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import random
import re
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlencode
from urllib.request import urlopen
from xml.etree import ElementTree
from xml.sax.saxutils import escape

DEFAULTS = "usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties"
OVERRIDES = "etc/bigbluebutton/bbb-web.properties"
TURN_DEFAULT = "usr/share/bbb-web/WEB-INF/classes/spring/turn-stun-servers.xml"
TURN_OVERRIDE = "etc/bigbluebutton/turn-stun-servers.xml"
RELEASE = "etc/bigbluebutton/bigbluebutton-release"
ALGORITHMS = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
XML_TYPES = ("text/xml", "application/xml")


class Failed(Exception):
    """Answer with returncode FAILED."""

    def __init__(self, key, message):
        super().__init__(message)
        self.key = key
        self.message = message


class Redirect(Exception):
    """Answer with status 302."""

    def __init__(self, location, cookie=None):
        super().__init__(location)
        self.location = location
        self.cookie = cookie


ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


def read_escapes(text):
    """Returns a key or value of Java properties: \\uXXXX is a unit of UTF-16."""
    units = re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else ESCAPED.get(found[2], found[2]),
        text,
    )
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def property_lines(text):
    """Yields each line of Java properties with those that go on from it; no comments."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for first in lines:
        whole = first.lstrip(" \t\f")
        if not whole or whole[0] in "#!":
            continue
        while (len(whole) - len(whole.rstrip("\\"))) % 2:
            whole = whole[:-1] + next(lines, "").lstrip(" \t\f")
        yield whole


def read_properties(paths):
    """Reads Java properties: later files override earlier ones, ${name} is resolved, absent files are skipped."""
    values = {}
    for path in paths:
        if not os.path.exists(path):
            continue
        with open(path, encoding="iso-8859-1", newline="") as file:
            for line in property_lines(file.read()):
                found = re.fullmatch(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)", line)
                if found:
                    values[read_escapes(found[1])] = read_escapes(found[2])
    for _ in range(3):
        for key, value in values.items():
            values[key] = re.sub(r"\$\{([^}]+)\}", lambda match: values.get(match[1], ""), value)
    return values


def read_turn_servers(path):
    """Returns the servers of turn-stun-servers.xml that its StunTurnService refers to.
    Malformed XML raises an error.
    """
    beans = {}
    used: dict = {"stunServers": [], "turnServers": [], "remoteIceCandidates": []}
    for element in ElementTree.parse(path).getroot():
        if element.tag.rsplit("}")[-1] != "bean":
            continue
        kind = element.get("class", "").rsplit(".")[-1]
        arguments = {}
        for child in element:
            tag = child.tag.rsplit("}")[-1]
            if tag == "constructor-arg":
                nested = next((sub.text for sub in child if sub.tag.rsplit("}")[-1] == "value"), None)
                arguments[int(child.get("index", "0"))] = child.get("value", nested)
            elif tag == "property" and kind == "StunTurnService" and child.get("name") in used:
                used[child.get("name")] = [ref.get("bean") for ref in child.iter() if ref.get("bean")]
        beans[element.get("id")] = (kind, arguments)

    def pick(name, kind):
        chosen = [beans.get(bean, (None, None)) for bean in used[name]]
        wrong = [bean for bean, (found, _) in zip(used[name], chosen) if found != kind]
        if wrong:
            raise ValueError(f"{path}: {name} refers to {wrong[0]}, which is no {kind}")
        return [arguments for _, arguments in chosen]

    return {
        "stun": [arguments[0] for arguments in pick("stunServers", "StunServer")],
        "turn": [(a[0], a[1], int(a[2])) for a in pick("turnServers", "TurnServer")],
        "candidates": [arguments[0] for arguments in pick("remoteIceCandidates", "RemoteIceCandidate")],
    }


def turn_credentials(secret, user_id, ttl, now):
    """Username and password by draft-uberti-behave-turn-rest, as bbb-web hands them out."""
    username = f"{int(now) + ttl}:{user_id}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def without_checksum(query):
    return "&".join(part for part in query.split("&") if part and not part.startswith("checksum="))


def checksum_matches(call, query, given, secret, supported):
    """Compares checksums; the digest's length chooses the algorithm. An empty secret switches the check off."""
    if not secret:
        return True
    algorithm = ALGORITHMS.get(len(given))
    if algorithm is None or algorithm not in supported:
        return False
    text = call + without_checksum(query) + secret
    return hmac.compare_digest(hashlib.new(algorithm, text.encode()).hexdigest(), given.lower())


def xml(value):
    """Elements in the order of a dict's keys; lists of (tag, value); None leaves an element empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list):
        return "".join(f"<{tag}>{xml(inner)}</{tag}>" if inner is not None else f"<{tag}/>" for tag, inner in value)
    return escape(str(value))


def java_date(milliseconds):
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(milliseconds / 1000))


def flag(value):
    return str(value).lower() == "true"


# Defaults of a meeting: the property, the parameter of create that goes before it ("" for none), and the value without
# either, whose type is that of the setting.
OF_A_MEETING = [
    *((name, name, False) for name in ("muteOnStart", "allowModsToUnmuteUsers", "requireUserConsentBeforeUnmuting")),
    ("disableRecordingDefault", "", False),
    ("autoStartRecording", "autoStartRecording", False),
    ("allowStartStopRecording", "allowStartStopRecording", True),
    ("recordFullDurationMedia", "recordFullDurationMedia", False),
    ("breakoutRoomsRecord", "breakoutRoomsRecord", False),
    ("breakoutRoomsPrivateChatEnabled", "breakoutRoomsPrivateChatEnabled", True),
    ("defaultMaxUsers", "maxParticipants", 0),
    ("defaultMeetingDuration", "duration", 0),
    ("maxUserConcurrentAccesses", "", 3),
    ("defaultGuestPolicy", "guestPolicy", "ALWAYS_ACCEPT"),
    ("meetingCameraCap", "meetingCameraCap", 0),
    ("userCameraCap", "userCameraCap", 3),
    ("maxPinnedCameras", "maxPinnedCameras", 3),
    *((name, name, False) for name in ("allowModsToEjectCameras", "webcamsOnlyForModerator")),
    *(
        (f"lockSettings{name}", f"lockSettings{name}", name == "LockOnJoin")
        for name in (
            *("DisableCam", "DisableMic", "DisablePrivateChat", "DisablePublicChat", "DisableNotes"),
            *("HideUserList", "HideViewersCursor", "HideViewersAnnotation", "LockOnJoin"),
        )
    ),
    ("lockSettingsPresenterPolicy", "lockSettingsPresenterPolicy", "requireApproval"),
    ("defaultMeetingLayout", "meetingLayout", "CUSTOM_LAYOUT"),
    ("disabledFeatures", "disabledFeatures", ""),
    ("learningDashboardCleanupDelayInMinutes", "learningDashboardCleanupDelayInMinutes", 2),
    ("userInactivityInspectTimerInMinutes", "", 0),
    ("userInactivityThresholdInMinutes", "", 30),
    ("userActivitySignResponseDelayInMinutes", "", 5),
    ("clientLogoutTimerInMinutes", "", 0),
    ("meetingExpireIfNoUserJoinedInMinutes", "meetingExpireIfNoUserJoinedInMinutes", 5),
    ("meetingExpireWhenLastUserLeftInMinutes", "meetingExpireWhenLastUserLeftInMinutes", 1),
    ("endWhenNoModerator", "endWhenNoModerator", False),
    ("endWhenNoModeratorDelayInMinutes", "endWhenNoModeratorDelayInMinutes", 1),
    ("maxFileSizeUpload", "", 30000000),
    ("maxNumPages", "maxNumPages", 200),
    ("pluginManifests", "pluginManifests", ""),
    *((name, name, "livekit") for name in ("audioBridge", "cameraBridge", "screenShareBridge")),
]


def typed(text, like):
    return flag(text) if isinstance(like, bool) else int(text) if isinstance(like, int) else text


def settings_of(parameters, values):
    """Returns a meeting's settings: its creation's parameters, else the properties, else what neither says."""
    return {
        name: typed(parameters.get(parameter) or values.get(name) or str(preset), preset)
        for name, parameter, preset in OF_A_MEETING
    }


def published_in(root):
    """Returns {recording: [(format, its metadata)]}."""
    directory = os.path.join(root, "var/bigbluebutton/published")
    found: dict = {}
    for form in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        for name in os.listdir(os.path.join(directory, form)):
            try:
                data = ElementTree.parse(os.path.join(directory, form, name, "metadata.xml")).getroot()
            except (OSError, ElementTree.ParseError):
                continue
            found.setdefault(name, []).append((form, data))
    return found


def welcome_of(parameters, values, meeting):
    """Returns the welcome text with its footer, the placeholders replaced."""
    text = parameters.get("welcome") or values.get("defaultWelcomeMessage", "")
    footer = values.get("defaultWelcomeMessageFooter", "")
    text += f"<br><br>{footer}" if footer else ""
    for name, value in (("CONFNAME", meeting.name), ("DIALNUM", meeting.dial_number), ("CONFNUM", meeting.voice_bridge)):
        text = text.replace(f"%%{name}%%", value)
    return text


def branding_of(parameters, values):
    """Returns the URLs of a meeting's logos and first slides, each None where there is none."""
    dark = values.get("defaultDarkLogoURL") if flag(values.get("useDefaultDarkLogo")) else None
    logo = values.get("defaultLogoURL") if flag(values.get("useDefaultLogo")) else None
    slides = values.get("beans.presentationService.defaultUploadedPresentation")
    return {
        "logo": parameters.get("logo") or logo,
        "darkLogo": parameters.get("darklogo") or dark,
        "presentation": None if slides in (None, "", "null") else slides,
    }


def numbered(digits):
    """Returns a number of so many digits, by which telephones find a meeting."""
    return str(random.randint(10 ** (int(digits) - 1), 10 ** int(digits) - 1))


class Settings:
    """Settings that bbb-web reads at its start."""

    def __init__(self, root):
        self.root = root
        self.values = read_properties([os.path.join(root, DEFAULTS), os.path.join(root, OVERRIDES)])
        override = os.path.join(root, TURN_OVERRIDE)
        default = os.path.join(root, TURN_DEFAULT)
        self.turn_file = override if os.path.exists(override) else default
        self.servers = read_turn_servers(self.turn_file)
        release = read_properties([os.path.join(root, RELEASE)])
        self.release = release.get("BIGBLUEBUTTON_RELEASE", "").strip('"')
        self.line = tuple(int(part) for part in re.findall(r"\d+", self.release)[:2]) or (3, 0)
        self.secret = self.values.get("securitySalt", "")
        self.server_url = self.values.get("bigbluebutton.web.serverURL", "http://localhost")
        self.client_settings_url = os.environ.get("CLIENT_SETTINGS_URL", "http://127.0.0.1:8901/clientSettings")
        self.supported = self.values.get("supportedChecksumAlgorithms", "sha1,sha256,sha384,sha512").split(",")
        if not self.secret:
            print("WARN securitySalt is empty: the API takes every call", file=sys.stderr)


class Meeting:
    def __init__(self, parameters, now_ms, values):
        def password():
            return "".join(random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8))

        self.id = parameters["meetingID"]
        self.internal_id = f"{hashlib.sha1(self.id.encode()).hexdigest()}-{now_ms}"
        self.name = parameters["name"]
        self.create_time = now_ms
        self.attendee_password = parameters.get("attendeePW") or password()
        self.moderator_password = parameters.get("moderatorPW") or password()
        self.voice_bridge = parameters.get("voiceBridge") or numbered(values.get("defaultNumDigitsForTelVoice", "5"))
        self.dial_number = parameters.get("dialNumber") or values.get("defaultDialAccessNumber", "613-555-1234")
        self.settings = settings_of(parameters, values)
        self.welcome = welcome_of(parameters, values, self)
        self.branding = branding_of(parameters, values)
        self.record = flag(parameters.get("record")) and not self.settings["disableRecordingDefault"]
        self.duration = self.settings["defaultMeetingDuration"]
        self.max_users = self.settings["defaultMaxUsers"]
        self.logout_url = parameters.get("logoutURL")
        self.metadata = {key[5:].lower(): value for key, value in parameters.items() if key.startswith("meta_")}
        self.users = {}
        self.has_user_joined = False
        self.start_time = 0

    @property
    def present(self):
        return [user for user in self.users.values() if user["present"]]

    def info(self):
        present = self.present
        attendees = [
            (
                "attendee",
                {
                    "userID": user["external"],
                    "fullName": user["name"],
                    "role": user["role"],
                    "isPresenter": index == 0 and user["role"] == "MODERATOR",
                    "isListeningOnly": False,
                    "hasJoinedVoice": False,
                    "hasVideo": False,
                    "clientType": "HTML5",
                },
            )
            for index, user in enumerate(present)
        ]
        return {
            "meetingName": self.name,
            "meetingID": self.id,
            "internalMeetingID": self.internal_id,
            "createTime": self.create_time,
            "createDate": java_date(self.create_time),
            "voiceBridge": self.voice_bridge,
            "dialNumber": self.dial_number,
            "attendeePW": self.attendee_password,
            "moderatorPW": self.moderator_password,
            "running": bool(present),
            "duration": self.duration,
            "hasUserJoined": self.has_user_joined,
            "recording": self.record,
            "hasBeenForciblyEnded": False,
            "startTime": self.start_time,
            "endTime": 0,
            "participantCount": len(present),
            "listenerCount": 0,
            "voiceParticipantCount": 0,
            "videoCount": 0,
            "maxUsers": self.max_users,
            "moderatorCount": sum(user["role"] == "MODERATOR" for user in present),
            "attendees": attendees or None,
            "metadata": self.metadata or None,
            "isBreakout": False,
            "breakoutRooms": None,
        }


class Api:
    """The calls, each a method that returns the answer's elements. One lock guards the state."""

    def __init__(self, settings):
        self.settings = settings
        self.meetings = {}
        self.sessions = {}
        self.lock = threading.RLock()

    def tell_voice(self):
        """Writes who has the sound of which meeting: a file by its number, once somebody is in it."""
        directory = os.path.join(self.settings.root, "run/bbb-web")
        if not os.path.isdir(directory):
            return
        having = {meeting.voice_bridge: self.bridge_of(meeting) for meeting in self.meetings.values() if meeting.present}
        for name in os.listdir(directory):
            if name not in having:
                os.unlink(os.path.join(directory, name))
        for number, bridge in having.items():
            with open(os.path.join(directory, number), "w", encoding="utf-8") as file:
                file.write(f"{bridge}\n")

    def bridge_of(self, meeting):
        return meeting.settings["audioBridge"] if self.settings.line >= (4, 0) else "freeswitch"

    def index(self):
        settings = self.settings
        answer = {
            "returncode": "SUCCESS",
            "version": "2.0",
            "apiVersion": "2.0",
            "bbbVersion": settings.release if flag(settings.values.get("allowRevealOfBBBVersion")) else None,
        }
        if settings.line >= (3, 0):
            host = settings.server_url.split("://", 1)[-1]
            answer["graphqlWebsocketUrl"] = f"wss://{host}/graphql"
            answer["graphqlApiUrl"] = f"{settings.server_url}/api/rest"
        return answer

    def meeting_id(self, parameters):
        if not parameters.get("meetingID"):
            raise Failed("missingParamMeetingID", "You must provide a meeting ID")
        return parameters["meetingID"]

    def find(self, parameters):
        meeting = self.meetings.get(self.meeting_id(parameters))
        if meeting is None:
            raise Failed("notFound", "A meeting with that ID does not exist")
        return meeting

    def create(self, parameters):
        meeting_id = self.meeting_id(parameters)
        if not 2 <= len(meeting_id) <= 256:
            raise Failed("sizeError", "Meeting ID must be between 2 and 256 characters")
        if "," in meeting_id:
            raise Failed("validationError", "Meeting ID cannot contain ','")
        if not parameters.get("name"):
            raise Failed("missingParamName", "You must provide a meeting name")
        existing = self.meetings.get(meeting_id)
        key, message = None, None
        if existing is None:
            existing = Meeting(parameters, int(time.time() * 1000), self.settings.values)
            self.meetings[meeting_id] = existing
        else:
            given = (parameters.get("attendeePW"), parameters.get("moderatorPW"))
            own = (existing.attendee_password, existing.moderator_password)
            if any(value and value != kept for value, kept in zip(given, own)):
                raise Failed(
                    "idNotUnique",
                    "A meeting already exists with that meeting ID.  Please use a different meeting ID.",
                )
            key = "duplicateWarning"
            message = "This conference was already in existence and may currently be in progress."
        return {
            "returncode": "SUCCESS",
            "meetingID": existing.id,
            "internalMeetingID": existing.internal_id,
            "parentMeetingID": "bbb-none",
            "attendeePW": existing.attendee_password,
            "moderatorPW": existing.moderator_password,
            "createTime": existing.create_time,
            "voiceBridge": existing.voice_bridge,
            "dialNumber": existing.dial_number,
            "createDate": java_date(existing.create_time),
            "hasUserJoined": existing.has_user_joined,
            "duration": existing.duration,
            "hasBeenForciblyEnded": False,
            "messageKey": key,
            "message": message,
        }

    def join(self, parameters):
        """Returns the answer and the session cookie; raises Redirect unless redirect=false."""
        redirect = parameters.get("redirect", "true").lower() != "false"
        try:
            answer, cookie = self.admit(parameters)
        except Failed as failure:
            if not redirect:
                raise
            errors = json.dumps([{"key": failure.key, "message": failure.message}])
            logout = self.settings.values.get("bigbluebutton.web.logoutURL", "default")
            target = self.settings.server_url if logout == "default" else logout
            raise Redirect(f"{target}?{urlencode({'errors': errors})}") from failure
        if redirect:
            raise Redirect(answer["url"], cookie)
        return answer, cookie

    def admit(self, parameters):
        meeting_id = self.meeting_id(parameters)
        name = parameters.get("fullName", "").strip()
        if not name:
            raise Failed(
                "missingParamFullName",
                "You must specify a name for the attendee who will be joining the meeting.",
            )
        meeting = self.meetings.get(meeting_id)
        if meeting is None:
            raise Failed(
                "invalidMeetingIdentifier",
                "The meeting ID that you supplied did not match any existing meetings",
            )
        if parameters.get("createTime") and parameters["createTime"] != str(meeting.create_time):
            raise Failed(
                "mismatchCreateTimeParam",
                "The createTime parameter submitted mismatches with the current meeting.",
            )
        role = parameters.get("role", "").upper()
        if role not in ("MODERATOR", "VIEWER"):
            by_password = {meeting.attendee_password: "VIEWER", meeting.moderator_password: "MODERATOR"}
            role = by_password.get(parameters.get("password"))
        if role is None:
            raise Failed(
                "invalidPassword",
                "You either did not supply a password or the password supplied is neither the attendee or "
                "moderator password for this conference.",
            )
        if meeting.max_users and len(meeting.users) >= meeting.max_users:
            raise Failed("maxParticipantsReached", "The number of participants allowed for this meeting has been reached.")
        policy = meeting.settings["defaultGuestPolicy"] if flag(parameters.get("guest")) else "ALWAYS_ACCEPT"
        if policy == "ALWAYS_DENY":
            raise Failed("guestDeny", "Guest denied")
        guest_status = "WAIT" if policy == "ASK_MODERATOR" else "ALLOW"
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        user_id = "w_" + "".join(secrets.choice(letters) for _ in range(12))
        token = "".join(secrets.choice(letters) for _ in range(16))
        cookie = secrets.token_hex(16).upper()
        user = {
            "id": user_id,
            "external": parameters.get("userID") or user_id,
            "name": name,
            "role": role,
            "present": False,
        }
        meeting.users[token] = user
        self.sessions[token] = (meeting, user, cookie)
        path = "/html5client/" if self.settings.line >= (3, 0) else "/html5client/join"
        answer = {
            "returncode": "SUCCESS",
            "messageKey": "successfullyJoined",
            "message": "You have joined successfully.",
            "meeting_id": meeting.internal_id,
            "user_id": user_id,
            "auth_token": "".join(secrets.choice(letters) for _ in range(12)),
            "session_token": token,
            "guestStatus": guest_status,
            "url": f"{self.settings.server_url}{path}?sessionToken={quote(token)}",
        }
        return answer, cookie

    def is_meeting_running(self, parameters):
        meeting = self.meetings.get(self.meeting_id(parameters))
        return {"returncode": "SUCCESS", "running": bool(meeting and meeting.present)}

    def get_meetings(self, _):
        if not self.meetings:
            return {
                "returncode": "SUCCESS",
                "meetings": None,
                "messageKey": "noMeetings",
                "message": "no meetings were found on this server",
            }
        listed = [("meeting", meeting.info()) for meeting in self.meetings.values()]
        return {"returncode": "SUCCESS", "meetings": listed}

    def get_meeting_info(self, parameters):
        return {"returncode": "SUCCESS", **self.find(parameters).info()}

    def end(self, parameters):
        meeting = self.find(parameters)
        if parameters.get("password") and parameters["password"] != meeting.moderator_password:
            raise Failed("invalidPassword", "The supplied moderator password is incorrect.")
        del self.meetings[meeting.id]
        for token in meeting.users:
            self.sessions.pop(token, None)
        if meeting.record:
            self.write_recording(meeting)
        return {
            "returncode": "SUCCESS",
            "messageKey": "sentEndMeetingRequest",
            "message": "A request to end the meeting was sent.  Please wait a few seconds, and then use the "
            "getMeetingInfo or isMeetingRunning API calls to verify that it was ended.",
        }

    def write_recording(self, meeting):
        """Writes the raw files of a recording, without any sound or picture, for rap_worker.py to process."""
        base = os.path.join(self.settings.root, "var/bigbluebutton")
        raw = os.path.join(base, "recording/raw", meeting.internal_id)
        os.makedirs(raw, exist_ok=True)
        with open(os.path.join(raw, "events.xml"), "w", encoding="utf-8") as file:
            file.write(
                f'<recording meeting_id="{meeting.internal_id}" bbb_version="{self.settings.release}">\n'
                f"  <!-- Written by the BigBlueButton stand-in: nothing was recorded. -->\n"
                f"  <meeting {' '.join(f'{key}={quoted(value)}' for key, value in self.identity(meeting))}/>\n"
                f"</recording>\n"
            )
        with open(os.path.join(raw, "meeting.json"), "w", encoding="utf-8") as file:
            json.dump(
                {
                    "id": meeting.internal_id,
                    "start": meeting.create_time,
                    "end": int(time.time() * 1000),
                    "participants": len(meeting.users),
                    "meetingId": meeting.id,
                    "meetingName": meeting.name,
                },
                file,
            )
        recorded = os.path.join(base, "recording/status/recorded")
        os.makedirs(recorded, exist_ok=True)
        with open(os.path.join(recorded, f"{meeting.internal_id}.done"), "w", encoding="utf-8"):
            pass

    def identity(self, meeting):
        return (("id", meeting.internal_id), ("externalId", meeting.id), ("name", meeting.name), ("breakout", "false"))

    def get_recordings(self, parameters):
        wide = flag(self.settings.values.get("allowFetchAllRecordings", "true"))
        if not wide and not any(parameters.get(name) for name in ("meetingID", "recordID")):
            raise Failed("missingParameters", "You must provide a meeting ID or a record ID")
        wanted = {name: set(filter(None, parameters.get(name, "").split(","))) for name in ("meetingID", "recordID")}
        found = []
        for record_id, published in sorted(published_in(self.settings.root).items()):
            data = published[0][1]
            meeting_id = data.findtext("meta/meetingId")
            if wanted["meetingID"] and meeting_id not in wanted["meetingID"]:
                continue
            if wanted["recordID"] and not any(record_id.startswith(prefix) for prefix in wanted["recordID"]):
                continue
            playback = [
                ("format", {"type": form, "url": one.findtext("playback/link"), "processingTime": 0, "length": 0, "size": 0})
                for form, one in published
            ]
            found.append(
                (
                    "recording",
                    {
                        "recordID": record_id,
                        "meetingID": meeting_id,
                        "internalMeetingID": record_id,
                        "name": data.findtext("meta/meetingName"),
                        "isBreakout": False,
                        "published": True,
                        "state": "published",
                        "startTime": data.findtext("start_time"),
                        "endTime": data.findtext("end_time"),
                        "participants": data.findtext("participants"),
                        "metadata": None,
                        "playback": playback,
                    },
                )
            )
        if not found:
            return {
                "returncode": "SUCCESS",
                "recordings": None,
                "messageKey": "noRecordings",
                "message": "There are no recordings for the meeting(s).",
            }
        return {"returncode": "SUCCESS", "recordings": found}

    def insert_document(self, parameters):
        self.find(parameters)
        return {"returncode": "SUCCESS", "message": "Presentation is being uploaded"}

    def session(self, parameters, cookie):
        found = self.sessions.get(parameters.get("sessionToken", ""))
        if found is None:
            return None
        if cookie != found[2] and not flag(self.settings.values.get("allowRequestsWithoutSession")):
            return None
        return found

    def stuns(self, parameters, cookie):
        found = self.session(parameters, cookie)
        if found is None:
            return {
                "returncode": "FAILED",
                "message": "Could not find conference.",
                "logoutURL": self.settings.server_url,
            }
        servers = self.settings.servers
        turn = []
        for secret, url, ttl in servers["turn"]:
            username, password = turn_credentials(secret, found[1]["id"], ttl, time.time())
            turn.append({"username": username, "password": password, "url": url, "ttl": ttl})
        return {
            "stunServers": [{"url": url} for url in servers["stun"]],
            "turnServers": turn,
            "remoteIceCandidates": [{"ip": address} for address in servers["candidates"]],
        }

    def client_settings(self):
        """Returns what bbb-apps-akka hands out to clients; None while it does not run."""
        try:
            with urlopen(self.settings.client_settings_url, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def enter(self, parameters, cookie):
        """Marks the user as present: the client's page makes this call."""
        found = self.session(parameters, cookie)
        if found is None:
            return {"response": {"returncode": "FAILED", "message": "Could not find conference."}}
        meeting, user, _ = found
        user["present"] = meeting.has_user_joined = True
        meeting.start_time = meeting.start_time or int(time.time() * 1000)
        return {
            "response": {
                "returncode": "SUCCESS",
                "fullname": user["name"],
                "confname": meeting.name,
                "meetingID": meeting.internal_id,
                "externMeetingID": meeting.id,
                "internalUserID": user["id"],
                "externUserID": user["external"],
                "role": user["role"],
                "record": str(meeting.record).lower(),
                "welcome": meeting.welcome,
                **meeting.branding,
                "settings": meeting.settings,
                "clientSettings": self.client_settings(),
            }
        }


def quoted(value):
    return '"' + escape(value, {'"': "&quot;"}) + '"'


CALLS = {
    "create": Api.create,
    "isMeetingRunning": Api.is_meeting_running,
    "getMeetings": Api.get_meetings,
    "getMeetingInfo": Api.get_meeting_info,
    "end": Api.end,
    "getRecordings": Api.get_recordings,
    "insertDocument": Api.insert_document,
}


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    server_version = "bbb-web-standin"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def log_message(self, *_):
        pass

    def send(self, status, content_type, body, headers=()):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type};charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-BigBlueButton", "stand-in")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_xml(self, elements, headers=()):
        self.send(200, "text/xml", f"<response>{xml(elements)}</response>", headers)

    def answer(self, method):
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, 10_000_000))
        api = self.server.api
        try:
            if not path.startswith("/bigbluebutton"):
                self.send(404, "text/plain", "Not found: this is the bbb-web stand-in\n")
                return
            call = path.removeprefix("/bigbluebutton").strip("/").removeprefix("api").strip("/")
            with api.lock:
                self.dispatch(api, method, call, query, body)
        except Failed as failure:
            self.send_xml({"returncode": "FAILED", "messageKey": failure.key, "message": failure.message})
        except Redirect as redirect:
            self.send(302, "text/html", "", [("Location", redirect.location), *self.cookie_header(redirect.cookie)])

    def cookie_header(self, cookie):
        return [("Set-Cookie", f"JSESSIONID={cookie}; Path=/bigbluebutton; HttpOnly")] if cookie else []

    def dispatch(self, api, method, call, query, body):
        if call == "":
            self.send_xml(api.index())
            return
        if not flag(api.settings.values.get("serviceEnabled", "true")):
            raise Failed("apiNotEnabled", "The API is not enabled on this server")
        if call in ("stuns", "enter"):
            cookie = re.search(r"JSESSIONID=([0-9A-F]+)", self.headers.get("Cookie", ""))
            method_of_call = api.stuns if call == "stuns" else api.enter
            answer = method_of_call(dict(parse_qsl(query)), cookie and cookie[1])
            api.tell_voice()
            self.send(200, "application/json", json.dumps(answer))
            return
        if call == "join" and method != "GET":
            self.send(405, "text/plain", "join takes GET only\n", [("Allow", "GET")])
            return
        form = self.form(call, body) if method == "POST" and body else ""
        parameters = self.checked(api.settings, call, query, form)
        if call == "join":
            answer, cookie = api.join(parameters)
            self.send_xml(answer, self.cookie_header(cookie))
        elif call in CALLS:
            answer = CALLS[call](api, parameters)
            api.tell_voice()
            self.send_xml(answer)
        else:
            raise Failed("unsupportedRequest", "This request is not supported.")

    def form(self, call, body):
        """Returns the form parameters of a POST body; none for a body that is a document."""
        given = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        accepted = {"create": FORM_TYPES + XML_TYPES, "insertDocument": XML_TYPES}.get(call, FORM_TYPES)
        if given not in accepted:
            raise Failed("unsupportedContentType", "POST request Content-Type is missing or unsupported")
        return body.decode("utf-8", "replace") if given == FORM_TYPES[0] else ""

    def checked(self, settings, call, query, form):
        """Returns the parameters of the part of the request that has the right checksum."""
        in_query = dict(parse_qsl(query, keep_blank_values=True))
        in_form = dict(parse_qsl(form, keep_blank_values=True))
        by_form = "checksum" in in_form and "checksum" not in in_query
        parameters = in_form if by_form else in_query
        given = parameters.get("checksum", "")
        if settings.secret and not given:
            raise Failed("checksumError", "You must provide the checksum")
        signed = [form, "&".join(sorted(form.split("&")))] if by_form else [query]
        if not any(checksum_matches(call, text, given, settings.secret, settings.supported) for text in signed):
            raise Failed("checksumError", "Checksums do not match")
        return parameters


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, api):
        super().__init__(address, Handler)
        self.api = api


def main():
    parser = argparse.ArgumentParser(description="Stand-in for bbb-web")
    parser.add_argument("--root", default="/")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--start-delay", type=float, default=0.0)
    options = parser.parse_args()
    try:
        settings = Settings(options.root)
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        sys.exit(f"bbb-web (stand-in) cannot start: {error}")
    time.sleep(options.start_delay)
    server = Server(("127.0.0.1", options.port), Api(settings))
    print(f"bbb-web (stand-in) {settings.release} listens on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
