#!/usr/bin/python3
"""Dial-in by telephone on this host: FreeSWITCH's gateway and dialplan, and the way through ufw.

    dial_in.py set [--root DIRECTORY] <REQUEST
    dial_in.py remove [--root DIRECTORY]

REQUEST is bigbluebutton/dialIn.ts's: one line of JSON with the provider's password. Its files are written whole, for
FreeSWITCH alone to read. Then FreeSWITCH reads them, without a restart: no call ends. Files that another hand put
beside them stay. Where ufw filters, it lets in the provider's networks, and no longer those of before. Standard output:
what was done. Python 3.8 or newer, standard library only.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import event_socket
import whole_files
from event_socket import NoAnswer
from whole_files import Mistake

USER, GROUP = "freeswitch", "daemon"
MODE = 0o640
STATE = "var/lib/bbb-deploy/dial-in"
SIP_PORT = 5060
# Seconds that FreeSWITCH has to forget a gateway, and to know a new one.
PATIENCE = float(os.environ.get("BBB_DEPLOY_PATIENCE", "60"))
# Seconds that a registration may take before the check at the end of the update looks at it.
REGISTRATION = float(os.environ.get("BBB_DEPLOY_PATIENCE", "20"))


def owner(root):
    """Returns (uid, gid) of FreeSWITCH's files; None where only a test runs."""
    if os.geteuid() != 0 or root != "/":
        return None
    import grp
    import pwd

    try:
        return pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid
    except KeyError:
        raise Mistake(f"there is no account {USER}: BigBlueButton is not installed. Run pulumi up again") from None


class DialIn:
    """Files, the record of them, and what FreeSWITCH has still to be told."""

    def __init__(self, root):
        self.root = root
        self.state = os.path.join(root, STATE)
        self.record = os.path.join(self.state, "record.json")
        self.pending = os.path.join(self.state, "pending")
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        self.writer = whole_files.Writer(root, self.pending)

    def recorded(self):
        if not os.path.exists(self.record):
            return {"gateway": None, "files": [], "networks": []}
        return json.loads(whole_files.read(self.record))

    def keep(self, gateway, files, networks):
        whole_files.replace(self.record, json.dumps({"gateway": gateway, "files": files, "networks": networks}) + "\n")

    def set_up(self, request):
        before = self.recorded()
        names = [file["path"].lstrip("/") for file in request["files"]]
        networks = request["networks"]
        # What is to go is on the record until it is gone.
        self.keep(request["gateway"], sorted({*before["files"], *names}), sorted({*before["networks"], *networks}))
        for file, name in zip(request["files"], names):
            self.writer.put(name, file["text"], "freeswitch", owner(self.root), MODE)
        self.remove_files(set(before["files"]) - set(names))
        let_in(networks, sorted(set(before["networks"]) - set(networks)))
        if os.path.exists(self.pending) or self.gateway(request["gateway"]) is None:
            self.reload(request["gateway"], wanted=True)
        self.keep(request["gateway"], names, networks)
        self.tell(request)

    def remove(self):
        before = self.recorded()
        self.remove_files(before["files"])
        let_in([], before["networks"])
        if before["gateway"] and os.path.exists(self.pending):
            try:
                self.reload(before["gateway"], wanted=False)
            except NoAnswer as error:
                print(f"{error}: with its next start it forgets the gateway")
        shutil.rmtree(self.state)
        print("dial-in is off")

    def remove_files(self, names):
        for name in sorted(names):
            self.writer.remove(name, "freeswitch")

    def gateway(self, name):
        return event_socket.gateway_status(self.root, name)

    def reload(self, gateway, wanted):
        """Has FreeSWITCH read dialplan and gateway anew. A gateway that it has must go first, or the new one is ignored."""
        event_socket.api(self.root, "reloadxml")
        if self.gateway(gateway) is not None:
            event_socket.api(self.root, f"sofia profile external killgw {gateway}")
            self.wait(lambda: self.gateway(gateway) is None, "FreeSWITCH does not let go of its gateway")
        if wanted:
            event_socket.api(self.root, "sofia profile external rescan")
            self.wait(lambda: self.gateway(gateway) is not None, "FreeSWITCH does not take the gateway")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.pending)
        print("FreeSWITCH has read its gateway and dialplan; no call ended")

    def wait(self, there, told):
        end = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() >= end:
                raise Mistake(f"{told}: see /opt/freeswitch/var/log/freeswitch/freeswitch.log, then run pulumi up again; systemctl restart freeswitch helps also, and ends calls")
            time.sleep(0.5)

    def tell(self, request):
        """Prints how the registration goes; the check at the end of the update decides about it."""
        end = time.monotonic() + REGISTRATION
        good = "REGED" if request["register"] else "NOREG"
        found = self.gateway(request["gateway"])
        while time.monotonic() < end and found and found["state"] != good:
            time.sleep(0.5)
            found = self.gateway(request["gateway"])
        state = found["state"] if found else "unknown"
        print(f"the gateway is {'registered' if state == 'REGED' else 'there, without registration' if state == 'NOREG' else f'not registered yet ({state})'}")


def ufw(*arguments):
    """Returns what ufw says; "" where there is none. @raise Mistake"""
    try:
        done = subprocess.run(["ufw", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    except FileNotFoundError:
        return ""
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Mistake(f"ufw {' '.join(arguments)} failed: {' '.join(said.split())[:300]}")
    return said


def let_in(networks, gone):
    """Lets networks in through ufw, where it filters, and those of before no longer."""
    if not ufw("status").startswith("Status: active"):
        return
    for network in gone:
        # One that somebody deleted by hand is no mistake of ufw's.
        ufw("delete", "allow", "proto", "udp", "from", network, "to", "any", "port", str(SIP_PORT))
    for network in networks:
        ufw("allow", "proto", "udp", "from", network, "to", "any", "port", str(SIP_PORT), "comment", "bbb-deploy: dial-in")
    if networks or gone:
        print(f"ufw lets calls in from {', '.join(networks) or 'nobody'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["set", "remove"])
    parser.add_argument("--root", default="/")
    options = parser.parse_args()
    dial_in = DialIn(options.root)
    try:
        if options.task == "set":
            dial_in.set_up(json.loads(sys.stdin.readline()))
        else:
            dial_in.remove()
    except NoAnswer as error:
        raise Mistake(f"{error}. systemctl status freeswitch and journalctl -u freeswitch say why; then run pulumi up again") from None


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(str(mistake))
