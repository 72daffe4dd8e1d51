"""What a student's process may not ask of the kernel, as a program for seccomp.

The limits of `prlimit` do not reach memory that belongs to no process (memfd, System V, mappings shared without a
file), and a new user namespace would give rights to mount more. None of it is needed to do an assignment.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html; the numbers are in asm/unistd.h of each machine.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, MACHINE = 0, 4  # where they lie in seccomp_data, on little-endian machines
FIRST_ARGUMENT, THIRD_ARGUMENT, FOURTH_ARGUMENT = 16, 32, 40
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NEW_USER = 0x10000000
OUTLIVE = 1  # PR_SET_PDEATHSIG: whether a process ends with the one that started it
BUFFERS = (7, 8)  # SO_SNDBUF, SO_RCVBUF: a thousand large ones hold gigabytes of the kernel's
NAMELESS = 0x21  # MAP_SHARED and MAP_ANONYMOUS: such pages outlive their mapping
OTHER_CALLS = 0x40000000  # x86-64's second set of numbers for the same calls
FAMILIES = (1, 2, 10)  # Unix, IPv4, IPv6, which end in the sandbox; a virtual machine's own sockets would not

# The same on every machine: io_uring, the newer calls that mount, memory that the kernel itself cannot read.
EVERYWHERE = (425, 426, 427, 428, 429, 430, 431, 432, 442, 447)


@dataclass(frozen=True)
class Machine:
    """A machine's name for seccomp, and its numbers of the calls."""

    audit: int
    clone: int
    socket: int
    prctl: int
    mmap: int
    setsockopt: int
    refused: tuple[int, ...]
    keeping: tuple[int, ...]


# ptrace, mount, umount2, pivot_root, chroot, unshare, setns, memfd_create, userfaultfd, perf_event_open, bpf, add_key,
# request_key, keyctl, process_vm_readv, process_vm_writev; what keeps memory: shmget, semget, msgget, mq_open
MACHINES = {
    "x86_64": Machine(
        0xC000003E,
        clone=56,
        socket=41,
        prctl=157,
        mmap=9,
        setsockopt=54,
        refused=(101, 165, 166, 155, 161, 272, 308, 319, 323, 298, 321, 248, 249, 250, 310, 311),
        keeping=(29, 64, 68, 240),
    ),
    "aarch64": Machine(
        0xC00000B7,
        clone=220,
        socket=198,
        prctl=167,
        mmap=222,
        setsockopt=208,
        refused=(117, 40, 39, 41, 51, 97, 268, 279, 282, 241, 280, 217, 218, 219, 270, 271),
        keeping=(194, 190, 186, 180),
    ),
}
CLONE3 = (
    435  # its flags lie in memory, where no filter sees them; refused as if unknown, the C library uses clone
)


def program() -> bytes | None:
    """Return the filter for this machine, or None where we do not know its numbers."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return None
    lines = [_line(LOAD, MACHINE), *_unless(EQUAL, machine.audit, errno.EPERM), _line(LOAD, NUMBER)]
    lines += _if(AT_LEAST, OTHER_CALLS, errno.EPERM) + _if(EQUAL, CLONE3, errno.ENOSYS)
    for number in (*EVERYWHERE, *machine.refused, *machine.keeping):
        lines += _if(EQUAL, number, errno.EPERM)
    for number, test, value in ((machine.clone, ANY_BIT, NEW_USER), (machine.prctl, EQUAL, OUTLIVE)):
        rule = [_line(LOAD, FIRST_ARGUMENT), *_if(test, value, errno.EPERM), _line(RETURN, ALLOW)]
        lines += [_line(EQUAL, number, 0, len(rule)), *rule]
    lines += _mapping(machine.mmap) + _buffers(machine.setsockopt)
    families = [_line(EQUAL, family, len(FAMILIES) - n, 0) for n, family in enumerate(FAMILIES)]
    socket = [_line(LOAD, FIRST_ARGUMENT), *families, _refused(errno.EAFNOSUPPORT)]
    lines += [_line(EQUAL, machine.socket, 0, len(socket)), *socket, _line(RETURN, ALLOW)]
    return b"".join(lines)


def _mapping(number: int) -> list[bytes]:
    """Refuse memory that is shared without a file; it comes before the calls of other numbers are looked at."""
    rule = [_line(LOAD, FOURTH_ARGUMENT), _line(AND, NAMELESS), *_if(EQUAL, NAMELESS, errno.EPERM)]
    return [_line(EQUAL, number, 0, len(rule) + 1), *rule, _line(RETURN, ALLOW)]


def _buffers(number: int) -> list[bytes]:
    """Refuse larger buffers of sockets; `sendmsg` and the rest work with those that there are."""
    rule = [
        _line(LOAD, THIRD_ARGUMENT),
        *(line for name in BUFFERS for line in _if(EQUAL, name, errno.EPERM)),
    ]
    return [_line(EQUAL, number, 0, len(rule) + 1), *rule, _line(RETURN, ALLOW)]


def _line(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, k)


def _refused(error: int) -> bytes:
    return _line(RETURN, REFUSE | error)


def _if(test: int, k: int, error: int) -> list[bytes]:
    return [_line(test, k, 0, 1), _refused(error)]


def _unless(test: int, k: int, error: int) -> list[bytes]:
    return [_line(test, k, 1, 0), _refused(error)]
