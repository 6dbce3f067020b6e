"""Records all arguments and the whole environment of every program started on this machine, containers included.

A BPF program runs at the kernel's tracepoint sched_process_exec. There the new program's arguments and environment
are in memory and nothing of it has run yet. It copies both into a ring buffer, whole, in pieces, so it misses no
process, however short-lived.

Prints one JSON line per program, {"pid", "argv", "env"}, on standard output: first {"watching": true}, last {"lost":
N}, the programs that were missed or could not be read. Ends when standard input does. On a kernel without this for
the process it prints {"unsupported": REASON} and ends with exit code 77.
"""

import ctypes
import json
import os
import select
import signal
import struct
import sys

import bpf
from bpf import Assembler, Helper

#: Bytes of one piece. The kernel takes arguments and environment of up to 6 MB (fs/exec.c, bprm_stack_limits).
PIECE = 4096
PIECES = (6 << 20) // PIECE + 1
RING_BYTES = 64 << 20
#: pid, time of the exec, start and end of the arguments, start and end of the environment, address of the piece, error
HEADER = struct.Struct("=8q")
PR_SET_PDEATHSIG = 1


def program(ring, lost):
    """void sched_process_exec(struct task_struct *task, pid_t, struct linux_binprm *)"""
    bounds = bpf.member_offset("mm_struct", "arg_start")
    if [bpf.member_offset("mm_struct", name) - bounds for name in ("arg_end", "env_start", "env_end")] != [8, 16, 24]:
        raise bpf.Unsupported("the kernel has another mm_struct than this knows")
    at, count, now, pid, context = 7, 8, 9, 6, 1
    mm, arg_start, env_end, record = -8, -40, -16, -48  # on the stack; the four bounds one after the other
    a = Assembler()

    a.load(3, context, 0)
    a.add(3, bpf.member_offset("task_struct", "mm"))
    a.stack(1, mm)
    a.set(2, 8)
    a.call(Helper.PROBE_READ_KERNEL)
    a.load(3, 10, mm)
    a.add(3, bounds)
    a.stack(1, arg_start)
    a.set(2, 32)
    a.call(Helper.PROBE_READ_KERNEL)
    a.jump_unless_equal(0, 0, "lost")
    a.call(Helper.GET_CURRENT_PID_TGID)
    a.copy(pid, 0)
    a.shift_right(pid, 32)
    a.call(Helper.KTIME_GET_NS)
    a.copy(now, 0)
    a.load(at, 10, arg_start)
    a.set(count, 0)

    a.label("piece")
    a.map(1, ring)
    a.set(2, HEADER.size + PIECE)
    a.set(3, 0)
    a.call(Helper.RINGBUF_RESERVE)
    a.jump_if_equal(0, 0, "lost")
    a.store(10, record, 0)
    a.store(0, 0, pid)
    a.store(0, 8, now)
    for index in range(4):
        a.load(1, 10, arg_start + 8 * index)
        a.store(0, 16 + 8 * index, 1)
    a.store(0, 48, at)
    a.load(2, 10, env_end)
    a.subtract(2, at)
    a.jump_if_at_most(2, PIECE, "short")
    a.set(2, PIECE)
    a.label("short")
    a.copy(3, at)
    a.copy(1, 0)
    a.add(1, HEADER.size)
    a.call(Helper.PROBE_READ_USER)
    a.load(1, 10, record)
    a.store(1, 56, 0)
    a.set(2, 0)
    a.call(Helper.RINGBUF_SUBMIT)
    a.add(at, PIECE)
    a.add(count, 1)
    a.jump_if_above(count, PIECES, "lost")
    a.load(1, 10, env_end)
    a.jump_if_register_above(1, at, "piece")
    a.set(0, 0)
    a.exit()

    a.label("lost")
    a.map_value(1, lost)
    a.set(2, 1)
    a.atomic_add(1, 0, 2)
    a.set(0, 0)
    a.exit()
    return a.assemble()


class Programs:
    """Joins the pieces of a program's start, which share its process and time."""

    def __init__(self):
        self.open = {}
        self.unreadable = 0

    def piece(self, record):
        """Returns a finished start as {"pid", "argv", "env"}, or None."""
        pid, time, arg_start, arg_end, env_start, env_end, at, error = HEADER.unpack_from(record)
        length = min(PIECE, env_end - at)
        pieces = self.open.setdefault((pid, time), [])
        pieces.append(record[HEADER.size : HEADER.size + length] if error == 0 else None)
        if at + length < env_end:
            return None
        del self.open[(pid, time)]
        if None in pieces:
            self.unreadable += 1
            return None
        memory = b"".join(pieces)
        return {
            "pid": pid,
            "argv": texts(memory[: arg_end - arg_start]),
            "env": texts(memory[env_start - arg_start :]),
        }


def texts(memory):
    return [text.decode("utf-8", "replace") for text in memory.split(b"\0")[:-1]]


def emit(line):
    sys.stdout.write(json.dumps(line) + "\n")


def watch():
    ring = bpf.RingBuffer(RING_BYTES)
    lost = bpf.Counter()
    attached = bpf.attach("sched_process_exec", program(ring.map, lost.map))
    programs = Programs()
    emit({"watching": True})
    sys.stdout.flush()
    while True:
        ready = select.select([ring.map, sys.stdin], [], [], 0.2)[0]
        ending = sys.stdin in ready and not os.read(0, 65536)
        if ending:
            os.close(attached)
        for record in ring.records():
            started = programs.piece(record)
            if started:
                emit(started)
        if ending:
            break
    # What still lacks a piece is counted by the kernel: it had no room for that piece.
    emit({"lost": lost.value() + programs.unreadable})


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        watch()
    except bpf.Unsupported as reason:
        emit({"unsupported": str(reason)})
        sys.exit(77)


if __name__ == "__main__":
    main()
