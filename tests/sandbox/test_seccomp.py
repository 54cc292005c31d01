"""The list of refused system calls, asked number by number by a dumb twin of the kernel's interpreter."""

import errno
import platform
import struct

import pytest

from netgain.errors import SandboxError
from netgain.sandbox.seccomp import (
    ARCHES,
    CLONE,
    CLONE3,
    FAMILIES,
    IOCTL,
    ITSELF,
    LAST_KNOWN,
    NEW_NAMESPACES,
    OTHERS,
    REFUSED,
    SOCKET,
    assembled,
    few_steps,
    steps,
)

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# read, write, mmap, execve, wait4, openat, futex, getrandom, statx: what Python cannot do without
ORDINARY = {"x86_64": (0, 1, 9, 59, 61, 257, 202, 318, 332), "aarch64": (63, 64, 222, 221, 260, 56, 98, 278, 291)}


def answer(program, number, arguments=(0, 0), audit=ARCHES["x86_64"]):
    """What the kernel would return (Documentation/networking/filter: classic BPF, one instruction after the other)."""
    data = struct.pack("=IIQ", number, audit, 0) + b"".join(struct.pack("=Q", one) for one in (*arguments, 0, 0, 0, 0))
    at, held = 0, 0
    tests = {EQUAL: lambda k: held == k, AT_LEAST: lambda k: held >= k, ANY_BIT: lambda k: bool(held & k)}
    while True:
        code, operand, then, otherwise = program[at]
        if code == RETURN:
            return operand
        if code == LOAD:
            held = struct.unpack_from("=I", data, operand)[0]
            at += 1
        else:
            at += 1 + (then if tests[code](operand) else otherwise)


def refused(number):
    return REFUSE | number


@pytest.fixture(params=list(ARCHES))
def arch(request):
    return request.param


def test_every_listed_call_is_refused_and_its_neighbours_are_not(arch):
    program, place = steps(arch=arch), list(ARCHES).index(arch)
    listed = {both[place] for both in REFUSED.values() if both[place] is not None}
    looked_at = {CLONE3, CLONE[arch], SOCKET[arch], IOCTL[arch]}
    for number in range(LAST_KNOWN + 1):
        said = answer(program, number, (2, 0), ARCHES[arch])
        if number in listed:
            assert said == refused(errno.EPERM), number
        elif number not in looked_at:
            assert said == ALLOW, number


def test_what_a_filter_spares_the_second_one_refuses_and_nothing_else(arch):
    names, place = ("mount", "unshare", "setns"), list(ARCHES).index(arch)
    first, second, both = steps((1,), arch, names), few_steps(names, arch), steps((1,), arch)
    late = {REFUSED[name][place] for name in names}
    for number in [*range(LAST_KNOWN + 3), 0x40000000 | 101]:
        for arguments in ((1, 0), (2, 0), (NEW_NAMESPACES, 0x5412)):
            said = [answer(program, number, arguments, ARCHES[arch]) for program in (first, second, both)]
            assert said[2] == (said[1] if said[0] == ALLOW else said[0]), number
            assert (said[0], said[1]) == (ALLOW, refused(errno.EPERM)) if number in late else said[1] == ALLOW, number
    assert answer(second, 0, audit=0x40000003) == KILL


def test_where_other_processes_are_in_sight_calls_that_change_them_are_refused(arch):
    place, alone, among = list(ARCHES).index(arch), steps(arch=arch), steps(arch=arch, alone=False)
    always, others = {both[place] for both in OTHERS.values()}, {both[place] for both in ITSELF.values()}
    for number in range(LAST_KNOWN + 1):
        for first in (0, 1234):
            said = [answer(program, number, (first, 0), ARCHES[arch]) for program in (alone, among)]
            no = number in always or (number in others and first)
            assert said == ([ALLOW, refused(errno.EPERM)] if no else [said[0], said[0]]), number


def test_what_python_needs_is_allowed(arch):
    assert {answer(steps(arch=arch), number, audit=ARCHES[arch]) for number in ORDINARY[arch]} == {ALLOW}


def test_another_architecture_ends_the_process(arch):
    other = next(audit for name, audit in ARCHES.items() if name != arch)
    assert answer(steps(arch=arch), ORDINARY[arch][0], audit=other) == KILL
    assert answer(steps(arch=arch), ORDINARY[arch][0], audit=0x40000003) == KILL  # 32-bit x86


@pytest.mark.parametrize("number", [LAST_KNOWN + 1, 1000, 0x40000000 | 101, 0xFFFFFFFF])
def test_calls_that_are_newer_than_the_list_or_of_the_x32_table_do_not_exist(arch, number):
    assert answer(steps(arch=arch), number, audit=ARCHES[arch]) == refused(errno.ENOSYS)


def test_new_processes_and_threads_are_allowed_and_new_namespaces_are_not(arch):
    program = steps(arch=arch)
    thread = 0x003D0F00  # what the C library asks for when it starts a thread
    assert answer(program, CLONE[arch], (thread, 0), ARCHES[arch]) == ALLOW
    assert answer(program, CLONE[arch], (17, 0), ARCHES[arch]) == ALLOW
    flags = [1 << bit for bit in range(32) if NEW_NAMESPACES >> bit & 1]
    assert len(flags) == 7
    for flag in flags:
        assert answer(program, CLONE[arch], (17 | flag, 0), ARCHES[arch]) == refused(errno.EPERM)
    assert answer(program, CLONE3, (0, 0), ARCHES[arch]) == refused(errno.ENOSYS)


def test_only_three_families_of_sockets_exist(arch):
    program = steps(arch=arch)
    for family in range(50):
        said = answer(program, SOCKET[arch], (family, 0), ARCHES[arch])
        assert said == (ALLOW if family in FAMILIES else refused(errno.EAFNOSUPPORT)), family
    only_local = steps((1,), arch)
    assert [answer(only_local, SOCKET[arch], (one, 0), ARCHES[arch]) == ALLOW for one in (1, 2, 10)] == [
        True,
        False,
        False,
    ]


def test_nobody_types_into_a_terminal(arch):
    for request, said in ((0x5412, refused(errno.EPERM)), (0x541C, refused(errno.EPERM)), (0x5401, ALLOW)):
        assert answer(steps(arch=arch), IOCTL[arch], (0, request), ARCHES[arch]) == said


def test_the_bytes_are_the_instructions_of_this_machine():
    if platform.machine() not in ARCHES:
        with pytest.raises(SandboxError, match=platform.machine()):
            assembled()
        return
    data = assembled()
    read = [struct.unpack_from("=HBBI", data, at) for at in range(0, len(data), 8)]
    assert [(code, operand, then, other) for code, then, other, operand in read] == [tuple(one) for one in steps()]


def test_an_unknown_machine_is_refused():
    with pytest.raises(SandboxError, match="riscv64"):
        assembled(arch="riscv64")
