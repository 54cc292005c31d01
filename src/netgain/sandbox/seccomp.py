"""The list of refused system calls, as the program that Linux runs before each call (classic BPF).

Numbers are from the kernel's own tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h);
calls from 424 on have one number everywhere. A process of another architecture than the filter's ends, so that a call
made in 32-bit mode is not read by the wrong table. It is no list of what is allowed: see docs/sandbox.md.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from netgain.errors import SandboxError

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*, linux/audit.h
LAST_KNOWN = 467  # open_tree_attr; what came later does not exist here
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME lies in the signal bits of `clone`
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; AF_VSOCK reaches the host of a virtual machine from any namespace
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal

# name -> number on x86_64, on aarch64 (None: the call does not exist there)
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # tracing and other processes' memory
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    # keyrings, programs in the kernel, performance counters, page faults by hand, rings
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "statmount": (457, 457), "listmount": (458, 458),
    "open_tree_attr": (467, 467), "unshare": (272, 97), "setns": (308, 268), "fanotify_init": (300, 262),
    # files by handle
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # the machine: modules, restart, clocks, names, accounting, swap, ports
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "vhangup": (153, 58), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "personality": (135, 92), "uselib": (134, None), "_sysctl": (156, None),
    # memory of other nodes and processes, memory that nobody can look at
    "move_pages": (279, 239), "migrate_pages": (256, 238), "memfd_secret": (447, 447),
    # what outlives a process: System V and POSIX queues, shared memory, semaphores
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    # what a program in here has no use for: a filter or rules of its own
    "lsm_set_self_attr": (460, 460),
}  # fmt: skip
# name -> numbers of calls that are looked at by their arguments
CLONE = {"x86_64": 56, "aarch64": 220}
SOCKET = {"x86_64": 41, "aarch64": 198}
IOCTL = {"x86_64": 16, "aarch64": 29}
CLONE3 = 435
# what reaches another process by its number alone, where processes outside can be named: refused, or for itself only
OTHERS: dict[str, tuple[int, int]] = {
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}  # fmt: skip
ITSELF: dict[str, tuple[int, int]] = {"prlimit64": (302, 261), "sched_setaffinity": (203, 122)}  # number 0 first

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCH, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; ARGUMENT + 8 n is the low half of argument n


class Step(NamedTuple):
    """One instruction: what it does, its operand, and how many to skip when the test holds or does not."""

    code: int
    operand: int
    then: int = 0
    otherwise: int = 0


def assembled(
    families: Sequence[int] = FAMILIES, arch: str | None = None, spared: Sequence[str] = (), *, alone: bool = True
) -> bytes:
    """The filter as the kernel takes it: eight bytes an instruction, in the byte order of this machine.

    Args:
        families: Kinds of sockets that exist inside.
        arch: "x86_64" or "aarch64"; that of this machine when not given.
        spared: Names of calls that are not refused yet; `refusing` gives the filter that goes on top.
        alone: Whether a namespace hides all other processes; without one, calls that change them are refused.

    Raises:
        SandboxError: a machine whose numbers of system calls are not listed here.
    """
    return _assembled(tuple(families), arch, tuple(spared), alone)


def refusing(names: Sequence[str], arch: str | None = None) -> bytes:
    """The filter that refuses these calls alone: small, and quickly loaded on top of one that spared them."""
    return _packed(few_steps(names, arch))


@lru_cache(maxsize=8)
def _assembled(families: tuple[int, ...], arch: str | None, spared: tuple[str, ...], alone: bool) -> bytes:
    return _packed(steps(families, arch, spared, alone=alone))


def _packed(listed: Sequence[Step]) -> bytes:
    return b"".join(struct.pack("=HBBI", one.code, one.then, one.otherwise, one.operand) for one in listed)


def steps(
    families: Sequence[int] = FAMILIES, arch: str | None = None, spared: Sequence[str] = (), *, alone: bool = True
) -> list[Step]:
    """The instructions: a process of another architecture ends, then what each number is answered with."""
    name = _known(arch)
    return [*_only(name), *_calls(name, families, spared, alone)]


def few_steps(names: Sequence[str], arch: str | None = None) -> list[Step]:
    """The instructions of `refusing`."""
    name = _known(arch)
    return [*_only(name), Step(LOAD, NUMBER), *_tree(sorted(_refused(name, names).items()))]


def _known(arch: str | None) -> str:
    name = arch or platform.machine()
    if name not in ARCHES:
        what = f"machine {name!r}, expected one of {', '.join(ARCHES)}: their system calls are listed"
        raise SandboxError(what, fix="use the backend 'sandlock' or 'wasm'")
    return name


def _only(arch: str) -> list[Step]:
    return [Step(LOAD, ARCH), Step(JUMP_EQUAL, ARCHES[arch], 1, 0), Step(RETURN, KILL)]


def _refused(arch: str, names: Iterable[str]) -> dict[int, list[Step]]:
    number = list(ARCHES).index(arch)
    found = [REFUSED[name][number] for name in names]
    return {one: [Step(RETURN, ERRNO | errno.EPERM)] for one in found if one is not None}


def _alone(arch: str) -> dict[int, list[Step]]:
    """Rules for calls that reach other processes by their numbers."""
    number, no = list(ARCHES).index(arch), Step(RETURN, ERRNO | errno.EPERM)
    itself = [Step(LOAD, ARGUMENT), Step(JUMP_EQUAL, 0, 0, 1), Step(RETURN, ALLOW), no]
    return {both[number]: [no] for both in OTHERS.values()} | {both[number]: itself for both in ITSELF.values()}


def _calls(arch: str, families: Sequence[int], spared: Sequence[str], alone: bool) -> list[Step]:
    """What one architecture's list answers, number by number."""
    rules = _refused(arch, (name for name in REFUSED if name not in spared))
    rules |= {} if alone else _alone(arch)
    rules[CLONE3] = [Step(RETURN, ERRNO | errno.ENOSYS)]  # its flags lie in memory: the C library goes back to clone
    rules[CLONE[arch]] = [
        Step(LOAD, ARGUMENT),
        *_refuse(JUMP_ANY_BIT, NEW_NAMESPACES, errno.EPERM),
        Step(RETURN, ALLOW),
    ]
    typing = [step for request in TERMINAL_INPUT for step in _refuse(JUMP_EQUAL, request, errno.EPERM)]
    rules[IOCTL[arch]] = [Step(LOAD, ARGUMENT + 8), *typing, Step(RETURN, ALLOW)]
    known = [Step(JUMP_EQUAL, one, len(families) - place, 0) for place, one in enumerate(families)]
    family = [Step(LOAD, ARGUMENT), *known, Step(RETURN, ERRNO | errno.EAFNOSUPPORT), Step(RETURN, ALLOW)]
    rules[SOCKET[arch]] = family
    later = _refuse(JUMP_AT_LEAST, LAST_KNOWN + 1, errno.ENOSYS)  # x32 numbers are far above as well
    return [Step(LOAD, NUMBER), *later, *_tree(sorted(rules.items()))]


def _tree(rules: Sequence[tuple[int, list[Step]]]) -> list[Step]:
    """Search by halves. The kernel runs the filter for every number there is when it is loaded: a list costs 0.5 ms."""
    if len(rules) <= 2:
        listed = [step for number, answer in rules for step in (Step(JUMP_EQUAL, number, 0, len(answer)), *answer)]
        return [*listed, Step(RETURN, ALLOW)]
    middle = len(rules) // 2
    low, high = _tree(rules[:middle]), _tree(rules[middle:])
    return [Step(JUMP_AT_LEAST, rules[middle][0], len(low), 0), *low, *high]


def _refuse(test: int, operand: int, number: int) -> list[Step]:
    return [Step(test, operand, 0, 1), Step(RETURN, ERRNO | number)]
