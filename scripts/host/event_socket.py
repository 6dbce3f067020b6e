"""Commands to this host's FreeSWITCH, by its event socket.

fs_cli would have the socket's password in its arguments. Python 3.8 or newer, standard library only.
"""

import os
import re
import socket
from xml.etree import ElementTree

FREESWITCH = "opt/freeswitch/etc/freeswitch"
SOCKET_SETTINGS = f"{FREESWITCH}/autoload_configs/event_socket.conf.xml"
ANSWER_SECONDS = 10


class NoAnswer(Exception):
    """Reason why FreeSWITCH could not be asked."""


def settings(root):
    """Returns (port, password) of the event socket. @raise NoAnswer"""
    path = os.path.join(root, SOCKET_SETTINGS)
    try:
        parameters = {one.get("name"): one.get("value", "") for one in ElementTree.parse(path).iter("param")}
        return int(parameters["listen-port"]), parameters["password"]
    except FileNotFoundError:
        raise NoAnswer(f"there is no /{SOCKET_SETTINGS}") from None
    except (ElementTree.ParseError, KeyError, ValueError):
        raise NoAnswer(f"/{SOCKET_SETTINGS} has no port and password in it") from None


def headers(stream):
    """Returns the headers of the next message, by their names in small letters."""
    found: dict = {}
    while True:
        line = stream.readline().decode(errors="replace")
        if not line:
            raise NoAnswer("FreeSWITCH's event socket hung up")
        if not line.strip():
            return found
        name, _, value = line.partition(":")
        found[name.strip().lower()] = value.strip()


def api(root, command):
    """Returns FreeSWITCH's answer to a command, e.g. "sofia status". @raise NoAnswer"""
    port, password = settings(root)
    if re.search(r"[\r\n]", command):
        raise ValueError("a command is one line")
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as asking, asking.makefile("rb") as stream:
            headers(stream)
            asking.sendall(f"auth {password}\n\n".encode())
            if not headers(stream).get("reply-text", "").startswith("+OK"):
                raise NoAnswer(f"FreeSWITCH's event socket refuses the password in /{SOCKET_SETTINGS}")
            asking.sendall(f"api {command}\n\n".encode())
            answer = headers(stream)
            return stream.read(int(answer.get("content-length", 0))).decode(errors="replace").strip()
    except OSError as error:
        raise NoAnswer(f"FreeSWITCH's event socket at port {port} does not answer: {error.strerror or 'in time'}") from None


def gateway_status(root, name):
    """Returns {"state": …, "status": …} of a gateway, e.g. REGED and UP; None if FreeSWITCH has none of that name.

    @raise NoAnswer
    """
    said = api(root, f"sofia status gateway {name}")
    found = dict(re.findall(r"^(\w+)[ \t]+(\S+)", said, re.MULTILINE))
    if "State" not in found:
        return None
    return {"state": found["State"], "status": found.get("Status", "")}
