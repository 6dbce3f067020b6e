"""Checks of dial-in by telephone: FreeSWITCH's files, its gateway, and the ways through ufw and to LiveKit.

Python 3.8 or newer, standard library only.
"""

import os
import re
import stat

import event_socket
import whole_files
from checks import Doubtful, Unanswered, Wrong, output, worst
from system_check import states

AGAIN = "put it back: give the setting upgrade a new value, then pulumi up"
SIP_PORT = 5060

# States of a gateway that registers, with what they mean (FreeSWITCH's mod_sofia).
STATES = {
    "TRYING": "it is registering",
    "REGISTER": "it is registering",
    "UNREGED": "it is not registered",
    "UNREGISTER": "it is leaving",
    "FAILED": "the registration failed",
    "FAIL_WAIT": "the registration failed, and is tried again",
    "EXPIRED": "the registration has run out",
    "TIMEOUT": "the provider's server does not answer",
    "DOWN": "it is down",
    "NOREG": "it has no registration",
}


def file_finding(root, file):
    """Returns what is wrong with a file; None if it is as deployed."""
    path = os.path.join(root, file["path"].lstrip("/"))
    if not os.path.exists(path):
        return Wrong(f"{file['path']} is missing", AGAIN)
    if whole_files.digest(path) != file["sha256"]:
        return Doubtful(f"{file['path']} is another than deployed", AGAIN)
    if os.stat(path).st_mode & stat.S_IRWXO:
        return Doubtful(f"every user of this host can read {file['path']}, which may have a password in it", f"chmod 640 {file['path']}")
    return None


def gateway_finding(root, request):
    """Returns the gateway's state in words, as a finding."""
    host = request["host"]
    try:
        found = event_socket.gateway_status(root, request["gateway"])
    except event_socket.NoAnswer as error:
        return Wrong(f"nobody knows whether calls come: {error}", "journalctl -u freeswitch says why; then systemctl restart freeswitch when no meeting is running")
    if found is None:
        return Wrong(f"FreeSWITCH has no gateway {request['gateway']}", AGAIN)
    if not request["register"]:
        if found["status"].startswith("DOWN"):
            return Doubtful(
                f"{host} does not answer FreeSWITCH's OPTIONS",
                f"see that {host} runs, and lets this server in at dialIn.gateway.port; one that answers no OPTIONS at all may send calls all the same",
            )
        return f"{host} answers, calls come by address"
    if found["state"] == "REGED":
        return f"registered at {host}"
    return Wrong(
        f"not registered at {host}: {STATES.get(found['state'], found['state'])}",
        "see the account at the provider, dialIn.gateway.user and its password; /opt/freeswitch/var/log/freeswitch/freeswitch.log has the provider's answer, "
        "and sofia profile external register all in fs_cli tries again at once",
    )


def ufw_finding(networks):
    """Returns what ufw stops of the provider's calls; None if nothing."""
    status = output("ufw", "status")
    if not status.startswith("Status: active"):
        return None
    allowed = re.findall(rf"^{SIP_PORT}/udp\s+ALLOW(?: IN)?\s+(\S+)", status, re.MULTILINE)
    # ufw shows an address of its own without its prefix.
    missing = [network for network in networks if network not in allowed and network.replace("/32", "") not in allowed]
    if missing:
        rules = "; ".join(f"ufw allow proto udp from {network} to any port {SIP_PORT}" for network in missing)
        return Wrong(f"ufw on this host stops calls from {', '.join(missing)}", rules)
    return None


def livekit_finding():
    state = states("is-active", ["livekit-sip"])["livekit-sip"]
    if state == "active":
        return None
    return Wrong(f"livekit-sip is {state}: callers reach no meeting", "systemctl enable --now livekit-sip; journalctl -u livekit-sip says why it ended")


def asked(finding, *arguments):
    """Returns a finding; one about a command that did not answer hides no other."""
    try:
        return finding(*arguments)
    except Unanswered as error:
        return error


def check_dial_in(root, request):
    """Checks everything of it. @raise Wrong with all that is wrong"""
    findings = [file_finding(root, file) for file in request["files"]]
    findings += [asked(gateway_finding, root, request), asked(ufw_finding, request["networks"])]
    if request["livekit"]:
        findings.append(asked(livekit_finding))
    return worst([finding for finding in findings if finding])
