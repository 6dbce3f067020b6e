"""Part of Linux's BPF that exec_watch.py needs, without a compiler or a library: an assembler, the kernel's own types,
a ring buffer and a tracepoint. x86-64 only, like the sandbox.

Sources: include/uapi/linux/bpf.h; Documentation/bpf: standardization/instruction-set.rst, btf.rst, ringbuf.rst.
"""

import ctypes
import enum
import functools
import mmap
import os
import struct

BPF_SYSCALL = 321
MAP_CREATE, MAP_LOOKUP_ELEM, PROG_LOAD, RAW_TRACEPOINT_OPEN = 0, 1, 5, 17
MAP_TYPE_ARRAY, MAP_TYPE_RINGBUF = 2, 27
PROG_TYPE_RAW_TRACEPOINT = 17
BTF_FILE = "/sys/kernel/btf/vmlinux"
ATTRIBUTES_SIZE = 128


class Unsupported(Exception):
    pass


def call(command, attributes, doing):
    buffer = ctypes.create_string_buffer(attributes, ATTRIBUTES_SIZE)
    result = LIBC.syscall(BPF_SYSCALL, command, buffer, ATTRIBUTES_SIZE)
    if result < 0:
        raise Unsupported(f"the kernel does not let this process {doing} ({os.strerror(ctypes.get_errno())})")
    return result


LIBC = ctypes.CDLL(None, use_errno=True)


# --- programs ---------------------------------------------------------------------------------------------------------


class Helper(enum.IntEnum):
    """Functions of the kernel that a program may call: arguments in registers 1 to 5, the result in 0."""

    KTIME_GET_NS = 5
    GET_CURRENT_PID_TGID = 14
    PROBE_READ_USER = 112
    PROBE_READ_KERNEL = 113
    RINGBUF_RESERVE = 131
    RINGBUF_SUBMIT = 132


class Assembler:
    """Instructions, one a method; registers are numbers (10 is the stack's end), all values of 64 bits."""

    def __init__(self):
        self.code = []
        self.labels = {}
        self.jumps = {}

    def _add(self, opcode, destination=0, source=0, offset=0, immediate=0):
        self.code.append(struct.pack("=BBhi", opcode, destination | source << 4, offset, immediate))

    def _jump(self, label, opcode, destination=0, source=0, immediate=0):
        self.jumps[len(self.code)] = label
        self._add(opcode, destination, source, immediate=immediate)

    def label(self, name):
        self.labels[name] = len(self.code)

    def set(self, register, value):
        self._add(0xB7, register, immediate=value)

    def copy(self, register, source):
        self._add(0xBF, register, source)

    def add(self, register, value):
        self._add(0x07, register, immediate=value)

    def subtract(self, register, source):
        self._add(0x1F, register, source)

    def shift_right(self, register, bits):
        self._add(0x77, register, immediate=bits)

    def stack(self, register, offset):
        self.copy(register, 10)
        self.add(register, offset)

    def load(self, register, base, offset):
        self._add(0x79, register, base, offset)

    def store(self, base, offset, register):
        self._add(0x7B, base, register, offset)

    def atomic_add(self, base, offset, register):
        self._add(0xDB, base, register, offset)

    def map(self, register, descriptor):
        self._add(0x18, register, 1, immediate=descriptor)
        self._add(0)

    def map_value(self, register, descriptor):
        """Loads the address of an array's first element."""
        self._add(0x18, register, 2, immediate=descriptor)
        self._add(0)

    def call(self, helper):
        self._add(0x85, immediate=helper)

    def exit(self):
        self._add(0x95)

    def jump_if_equal(self, register, value, label):
        self._jump(label, 0x15, register, immediate=value)

    def jump_unless_equal(self, register, value, label):
        self._jump(label, 0x55, register, immediate=value)

    def jump_if_above(self, register, value, label):
        self._jump(label, 0x25, register, immediate=value)

    def jump_if_at_most(self, register, value, label):
        self._jump(label, 0xB5, register, immediate=value)

    def jump_if_register_above(self, register, other, label):
        self._jump(label, 0x2D, register, other)

    def assemble(self):
        for index, label in self.jumps.items():
            code = bytearray(self.code[index])
            struct.pack_into("=h", code, 2, self.labels[label] - index - 1)
            self.code[index] = bytes(code)
        return b"".join(self.code)


def attach(tracepoint, program):
    """Runs a program at each passing of a tracepoint, until the returned descriptor is closed."""
    code, licence, name = (ctypes.create_string_buffer(text) for text in (program, b"GPL", tracepoint.encode()))
    load = struct.pack(
        "=IIQQ", PROG_TYPE_RAW_TRACEPOINT, len(program) // 8, ctypes.addressof(code), ctypes.addressof(licence)
    )
    loaded = call(PROG_LOAD, load, "load a BPF program")
    try:
        opened = struct.pack("=QI", ctypes.addressof(name), loaded)
        return call(RAW_TRACEPOINT_OPEN, opened, f"watch {tracepoint}")
    finally:
        os.close(loaded)


# --- maps -------------------------------------------------------------------------------------------------------------


def create_map(kind, key_size, value_size, entries):
    return call(MAP_CREATE, struct.pack("=IIII", kind, key_size, value_size, entries), "make a BPF map")


class Counter:
    """Array of one number."""

    def __init__(self):
        self.map = create_map(MAP_TYPE_ARRAY, 4, 8, 1)

    def value(self):
        key, value = ctypes.c_uint32(0), ctypes.c_uint64()
        attributes = struct.pack("=IIQQ", self.map, 0, ctypes.addressof(key), ctypes.addressof(value))
        call(MAP_LOOKUP_ELEM, attributes, "read a BPF map")
        return value.value


class RingBuffer:
    """Records that programs hand over; `map` is readable when there is something new."""

    BUSY, DISCARDED = 1 << 31, 1 << 30

    def __init__(self, size):
        self.size = size
        self.map = create_map(MAP_TYPE_RINGBUF, 0, 0, size)
        page = mmap.PAGESIZE
        self._consumer = mmap.mmap(self.map, page)
        # The data are mapped twice, one after the other: no record is cut in two.
        self._memory = mmap.mmap(self.map, page + 2 * size, prot=mmap.PROT_READ, offset=page)
        self._consumed = ctypes.c_uint64.from_buffer(self._consumer)

    def records(self):
        """Yields all present records, in the order of their reservation."""
        while True:
            position = self._consumed.value
            if position == struct.unpack_from("=Q", self._memory)[0]:
                return
            start = mmap.PAGESIZE + position % self.size
            (header,) = struct.unpack_from("=I", self._memory, start)
            if header & self.BUSY:
                return
            length = header & ~self.DISCARDED
            record = self._memory[start + 8 : start + 8 + length]
            self._consumed.value = position + (length + 8 + 7) // 8 * 8
            if not header & self.DISCARDED:
                yield record


# --- the kernel's types -----------------------------------------------------------------------------------------------

STRUCT, UNION = 4, 5
#: Bytes that follow a type's own 12, by its kind: fixed, or for each of its members.
FIXED = {1: 4, 3: 12, 14: 4, 17: 4}
PER_MEMBER = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}


class KernelTypes:
    """Structures of the running kernel, by its BTF."""

    def __init__(self):
        try:
            with open(BTF_FILE, "rb") as file:
                self.data = file.read()
        except OSError as error:
            raise Unsupported(f"the kernel does not describe its types: {BTF_FILE} ({error.strerror})") from error
        header_size, types, types_size, strings, _ = struct.unpack_from("=5I", self.data, 4)
        self.strings = header_size + strings
        self.types = [(0, 0, 0)]  # kind, number of members, position
        position = header_size + types
        end = position + types_size
        while position < end:
            (info,) = struct.unpack_from("=I", self.data, position + 4)
            kind, members = info >> 24 & 0x1F, info & 0xFFFF
            self.types.append((kind, members, position))
            position += 12 + FIXED.get(kind, 0) + PER_MEMBER.get(kind, 0) * members

    def name(self, offset):
        start = self.strings + offset
        return self.data[start : self.data.index(b"\0", start)].decode()

    def members(self, number):
        """Yields (name, type, offset in bits) of each member; members of anonymous structures count as the structure's
        own.
        """
        _, count, position = self.types[number]
        for index in range(count):
            name, kind, offset = struct.unpack_from("=3I", self.data, position + 12 + 12 * index)
            offset &= 0xFFFFFF
            if name:
                yield self.name(name), offset
            elif self.types[kind][0] in (STRUCT, UNION):
                yield from ((inner, offset + within) for inner, within in self.members(kind))

    def member_offset(self, structure, member):
        for number, (kind, _, position) in enumerate(self.types):
            if kind == STRUCT and self.name(struct.unpack_from("=I", self.data, position)[0]) == structure:
                for name, bits in self.members(number):
                    if name == member:
                        return bits // 8
        raise Unsupported(f"the kernel has no member {member} in {structure}")


kernel_types = functools.lru_cache(maxsize=None)(KernelTypes)


def member_offset(structure, member):
    """Offset in bytes of a structure's member in the running kernel."""
    return kernel_types().member_offset(structure, member)
