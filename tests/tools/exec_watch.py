"""Records the whole argument list of every program started on this machine, containers included.

Source: the kernel's audit records of execve and execveat (SYSCALL and EXECVE), read by netlink. Nothing is cut:
a long list arrives in several records, a long argument in several chunks. While this runs it is the audit daemon
where there is none, so the kernel holds back processes rather than lose a record; where there is one, it listens
along with it.

Prints one JSON line per program, {"pid", "argv"}, on standard output: first {"watching": true}, last {"lost": N},
the records the kernel or this reader dropped. Ends when standard input does. Where the kernel offers no audit to
this process it prints {"unsupported": REASON} and ends with exit code 77.

Only programs started by processes younger than the kernel's first use of audit are seen, which is every
process that is started after this one.
"""

import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys

NETLINK_AUDIT = 9
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR = 2
AUDIT_GET, AUDIT_SET, AUDIT_ADD_RULE, AUDIT_DEL_RULE = 1000, 1001, 1011, 1012
AUDIT_SYSCALL, AUDIT_EXECVE, AUDIT_EOE = 1300, 1309, 1320
SET_ENABLED, SET_PID, SET_BACKLOG = 1, 4, 16
EEXIST = 17
FILTER_EXIT, ALWAYS = 4, 2
FIELD_ARCH, EQUAL = 11, 0x40000000
#: architecture → (execve, execveat)
EXECS = {0xC000003E: (59, 322), 0x40000003: (11, 358)}
SO_RCVBUFFORCE, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, READLOG = 33, 270, 1, 1
PR_SET_PDEATHSIG = 1


class Unsupported(Exception):
    pass


class Audit:
    """One netlink conversation with the kernel's audit."""

    def __init__(self):
        try:
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
        except OSError as error:
            raise Unsupported(f"the kernel has no audit ({error.strerror})") from error
        self.socket.bind((0, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sequence = 0

    def request(self, kind, payload=b"", answer=None):
        """Sends one request and waits for its acknowledgement, or for the answer of the kind that is asked for."""
        self.sequence += 1
        header = struct.pack("=IHHII", 16 + len(payload), kind, NLM_F_REQUEST | NLM_F_ACK, self.sequence, 0)
        try:
            self.socket.send(header + payload)
        except OSError as error:
            raise Unsupported(f"audit refuses this process ({error.strerror})") from error
        while True:
            if not select.select([self.socket], [], [], 5)[0]:
                raise Unsupported("audit does not answer")
            message = self.socket.recv(65536)
            _, got, _, sequence, _ = struct.unpack_from("=IHHII", message)
            if sequence != self.sequence:
                continue
            if got == NLMSG_ERROR:
                (code,) = struct.unpack_from("=i", message, 16)
                if code:
                    return code, b""
                if answer is None:
                    return 0, b""
            elif got == answer:
                return 0, message[16:]

    def status(self):
        """(enabled, pid of the living audit daemon or 0, records lost since boot)"""
        code, payload = self.request(AUDIT_GET, answer=AUDIT_GET)
        if code:
            raise Unsupported(f"audit refuses this process ({os.strerror(-code)})")
        _, enabled, _, pid, _, _, lost = struct.unpack_from("=7I", payload)
        return enabled, pid if os.path.exists(f"/proc/{pid}") else 0, lost

    def set(self, mask, enabled=0, pid=0, backlog=0):
        payload = struct.pack("=10I", mask, enabled, 0, pid, 0, backlog, 0, 0, 0, 0)
        code, _ = self.request(AUDIT_SET, payload)
        if code:
            raise Unsupported(f"audit cannot be changed by this process ({os.strerror(-code)})")

    def rules(self, kind):
        for arch, calls in EXECS.items():
            mask = [0] * 64
            for call in calls:
                mask[call // 32] |= 1 << (call % 32)
            fields, values, flags = [0] * 64, [0] * 64, [0] * 64
            fields[0], values[0], flags[0] = FIELD_ARCH, arch, EQUAL
            rule = struct.pack("=3I", FILTER_EXIT, ALWAYS, 1)
            for words in (mask, fields, values, flags):
                rule += struct.pack("=64I", *words)
            code, _ = self.request(kind, rule + struct.pack("=I", 0))
            if code and kind == AUDIT_ADD_RULE and code != -EEXIST:
                raise Unsupported(f"audit takes no rule ({os.strerror(-code)})")


def decode(value):
    if value.startswith('"'):
        return value[1:-1].encode()
    return bytes.fromhex(value)


class Events:
    """Puts the records of an event, which share its serial number, together again."""

    def __init__(self):
        self.open = {}

    def record(self, kind, text):
        """A finished event as {"pid", "argv"}, or None."""
        stamp, _, body = text.partition("): ")
        serial = stamp.rpartition(":")[2]
        if kind == AUDIT_EOE:
            event = self.open.pop(serial, None)
            return event and self.finish(event)
        if kind not in (AUDIT_SYSCALL, AUDIT_EXECVE):
            return None
        event = self.open.setdefault(serial, {"pid": None, "argv": {}})
        for token in body.split(" "):
            name, _, value = token.partition("=")
            if kind == AUDIT_SYSCALL and name == "pid":
                event["pid"] = int(value)
            elif kind == AUDIT_EXECVE and name[0:1] == "a" and name != "argc" and not name.endswith("_len"):
                number = int(name[1:].partition("[")[0])
                event["argv"][number] = event["argv"].get(number, b"") + decode(value)
        return None

    @staticmethod
    def finish(event):
        if not event["argv"]:
            return None  # an execve that failed
        argv = [event["argv"][n].decode("utf-8", "replace") for n in sorted(event["argv"])]
        return {"pid": event["pid"], "argv": argv}


def emit(line):
    print(json.dumps(line), flush=True)


def watch():
    audit = Audit()
    enabled, daemon, lost_before = audit.status()
    if enabled == 2:
        raise Unsupported("the audit rules of this machine are locked until it restarts")
    audit.rules(AUDIT_ADD_RULE)
    lost_here = 0
    events = Events()
    listener = audit.socket
    try:
        if daemon:
            listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
            listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            listener.bind((0, 0))
            listener.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, READLOG)
            audit.set(SET_ENABLED, enabled=1)
        else:
            audit.set(SET_ENABLED | SET_PID | SET_BACKLOG, enabled=1, pid=os.getpid(), backlog=16384)
        emit({"watching": True})
        ending = False
        while True:
            ready = select.select([listener] + ([] if ending else [sys.stdin]), [], [], 0.5 if ending else None)[0]
            if not ready:
                break
            if listener in ready:
                try:
                    message = listener.recv(1 << 20)
                except OSError:
                    lost_here += 1
                    continue
                (kind,) = struct.unpack_from("=H", message, 4)
                event = events.record(kind, message[16:].rstrip(b"\0\n").decode("utf-8", "replace"))
                if event:
                    emit(event)
            elif not os.read(0, 65536):
                ending = True
                Audit().rules(AUDIT_DEL_RULE)  # the first socket is busy with records
    finally:
        last = Audit()
        last.rules(AUDIT_DEL_RULE)
        _, _, lost_after = last.status()
        last.set(SET_ENABLED, enabled=enabled)
        audit.socket.close()
    emit({"lost": lost_here + lost_after - lost_before})


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        watch()
    except Unsupported as reason:
        emit({"unsupported": str(reason)})
        sys.exit(77)


if __name__ == "__main__":
    main()
