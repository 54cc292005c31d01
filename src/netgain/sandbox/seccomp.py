"""The list of refused system calls, as the program that Linux runs before each call (classic BPF).

Numbers are from the kernel's own tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h);
calls from 424 on have one number everywhere. The filter knows both architectures and ends a process of a third, so that
a call made in 32-bit mode is not read by the wrong table. It is no list of what is allowed: see docs/sandbox.md.
"""

from __future__ import annotations

import errno
import struct
from typing import NamedTuple

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*, linux/audit.h
X32_BIT = 0x40000000  # system calls of the x32 table on an x86_64 kernel
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

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCH, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; ARGUMENT + 8 n is the low half of argument n


class Step(NamedTuple):
    """One instruction: what it does, its operand, and how many to skip when the test holds or does not."""

    code: int
    operand: int
    then: int = 0
    otherwise: int = 0


def assembled() -> bytes:
    """The filter as the kernel takes it: eight bytes an instruction, in the byte order of this machine."""
    return b"".join(struct.pack("=HBBI", one.code, one.then, one.otherwise, one.operand) for one in steps())


def steps() -> list[Step]:
    """The instructions: which architecture, then its own list; every refusal answers at once, so no jump is long."""
    program = [Step(LOAD, ARCH)]
    for arch, audit in ARCHES.items():
        # a conditional jump reaches 255 instructions: the list stands behind an unconditional one
        own = _calls(arch)
        program += [Step(JUMP_EQUAL, audit, 1, 0), Step(0x05, len(own)), *own]
    return [*program, Step(RETURN, KILL)]


def _calls(arch: str) -> list[Step]:
    number = list(ARCHES).index(arch)
    program = [Step(LOAD, NUMBER)]
    if arch == "x86_64":
        program += _refuse(JUMP_AT_LEAST, X32_BIT, errno.ENOSYS)
    program += _refuse(JUMP_AT_LEAST, LAST_KNOWN + 1, errno.ENOSYS)
    program += _refuse(JUMP_EQUAL, CLONE3, errno.ENOSYS)  # its flags lie in memory: the C library goes back to clone
    for numbers in REFUSED.values():
        if numbers[number] is not None:
            program += _refuse(JUMP_EQUAL, int(numbers[number] or 0), errno.EPERM)
    flags = _refuse(JUMP_ANY_BIT, NEW_NAMESPACES, errno.EPERM)
    family = [Step(JUMP_EQUAL, one, len(FAMILIES) - place, 0) for place, one in enumerate(FAMILIES)]
    family += [Step(RETURN, ERRNO | errno.EAFNOSUPPORT)]
    typing = [step for request in TERMINAL_INPUT for step in _refuse(JUMP_EQUAL, request, errno.EPERM)]
    for call, argument, checks in ((CLONE, 0, flags), (SOCKET, 0, family), (IOCTL, 1, typing)):
        looked = [Step(LOAD, ARGUMENT + 8 * argument), *checks, Step(RETURN, ALLOW)]
        program += [Step(JUMP_EQUAL, call[arch], 0, len(looked)), *looked]
    return [*program, Step(RETURN, ALLOW)]


def _refuse(test: int, operand: int, number: int) -> list[Step]:
    return [Step(test, operand, 0, 1), Step(RETURN, ERRNO | number)]
