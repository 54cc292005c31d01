"""The fork server inside a sandbox: run as text in its own interpreter, never imported by ours.

    serve.py CONTROL RULES LAST ACCOUNT PRELOAD SITE…

It takes the refused system calls of RULES upon itself, which every child inherits, and forks a child into a process and
a mount namespace of its own. That mounts its folder, says hello (its number on the host comes with that) and waits for
a job on CONTROL. Then it writes the job's files, sets its limits, gives up root and every capability, loads the rest of
the refused calls, LAST, says that it is prepared, and only then compiles the job's program. What can be done before the
job comes is done before. The server waits for it, tells its status, and forks the next. When CONTROL closes, child and
server end.
"""

import _socket  # of `socket`, which would make every child larger, only this is needed
import builtins
import ctypes
import gc
import json
import os
import resource
import select
import signal
import struct
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_SECCOMP, FILTER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, CLEAR_ALL = 22, 2, 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
LONGEST = 1 << 16  # bytes of a message, content included where it is short
ROOM = "size=%d,nr_inodes=%d"
USUAL = {"disk": 64 << 20, "inodes": 16384}  # room of a folder that is made before its job is known
libc = ctypes.CDLL(None, use_errno=True)


def done(answer: int, what: str) -> None:
    """Raise what the C library said went wrong."""
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount, or change a mount."""
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    done(libc.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def filtered(end: int) -> tuple[ctypes.Array[ctypes.c_char], bytes]:
    """A list of refused calls as the kernel takes it: the instructions, and what points at them."""
    rules = os.pread(end, 1 << 16, 0)
    steps = ctypes.create_string_buffer(rules, len(rules))
    return steps, struct.pack("@HP", len(rules) // 8, ctypes.addressof(steps))


def refuse(listed: bytes) -> None:
    """Give up the listed system calls, for good and for every child."""
    done(libc.prctl(PR_SET_SECCOMP, FILTER, listed, 0, 0), "seccomp")


def shut(name: str) -> None:
    """Let nobody write to a file of this folder, nor replace it."""
    mount(name, name, None, MS_BIND)
    mount("none", name, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def furnish() -> int:
    """Make the private folder with an empty program, read-only; return a descriptor that still writes there."""
    folder = os.getcwd()
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, f"{ROOM % (*USUAL.values(),)},mode=1777")
    os.chdir(folder)
    program = os.open("main.py", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    shut("main.py")
    return program


def put(end: int, content: bytes) -> None:
    """Write all of it and close."""
    left = memoryview(content)
    while left:
        left = left[os.write(end, left) :]
    os.close(end)


def fill(asked: dict[str, Any], content: bytes, end: int) -> bytes:
    """Write the job's files, read-only, into as much room as it may have; return the program."""
    if (asked["disk"], asked["inodes"]) != (*USUAL.values(),):
        mount("tmpfs", ".", None, MS_REMOUNT | MS_NOSUID | MS_NODEV, ROOM % (asked["disk"], asked["inodes"]))
    at = asked["program"]
    program = content[:at]
    put(end, program)
    for name, size in asked["files"]:
        if "/" in name:
            os.makedirs(os.path.dirname(name), mode=0o755, exist_ok=True)
        put(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), content[at : at + size])
        shut(name)
        at += size
    return program


def limit(limits: dict[str, int]) -> None:
    """Set limits of this process, each as low as asked or as it is already."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def give_up(account: int | None, last: bytes) -> None:
    """Give up root, all capabilities, and the last of the refused system calls, for good."""
    if account is not None:
        os.setresgid(account, account, account)
        os.setresuid(account, account, account)
    head = struct.pack("=II", CAPABILITY_VERSION_3, 0)
    done(libc.capset(head, struct.pack("=6I", 0, 0, 0, 0, 0, 0)), "capset")
    refuse(last)
    # both only ask, and need no right but that of a filter: the first of the server's, the second of this child's
    if libc.personality(0xFFFFFFFF) != -1 or libc.unshare(0) != -1:
        raise OSError("a refused system call was allowed")


def rehearse() -> None:
    """Start a job that does nothing: the memory that a start writes to is the server's until then, page for page."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    asked = {**USUAL, "program": 4, "files": [], "limits": {"RLIMIT_CORE": 0}}
    ends = [os.memfd_create("rehearsal") for _ in range(4)]
    rights = _socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("4i", *ends)
    theirs.sendmsg([json.dumps(asked).encode() + b"\n", b"pass"], [rights])
    program, handed = taken(ours, os.memfd_create("program"))
    run(program)
    for end in (*ends, *handed):
        os.close(end)


def taken(control: _socket.socket, end: int) -> tuple[bytes, tuple[int, ...]]:
    """Wait for a job and take it: its files are written, its limits set; return its program and its descriptors."""
    message, extra, _, _ = control.recvmsg(LONGEST, _socket.CMSG_SPACE(20))
    if not message:
        os._exit(0)
    handed = struct.unpack(f"{len(extra[0][2]) // 4}i", extra[0][2])
    head, _, content = message.partition(b"\n")
    asked = json.loads(head)
    program = fill(asked, content if len(handed) == 4 else os.pread(handed[4], os.fstat(handed[4]).st_size, 0), end)
    limit(asked["limits"])
    return program, handed


def prepared(control: _socket.socket, account: int | None, last: bytes) -> bytes:
    """Be the child of the next evaluation, up to the job's program; return that. Most of it is done before it comes."""
    done(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    end = furnish()
    rehearse()
    control.send(b"hello")
    program, handed = taken(control, end)
    give_up(account, last)
    control.send(b"prepared")
    control.close()
    for place in range(4):
        os.dup2(handed[place], place)
    os.closerange(4, 4096)
    return program


def run(program: bytes) -> int:
    """Run the job's program as a Python of its own would; return its exit code."""
    sys.argv[:] = sys.orig_argv[:] = ["main.py"]
    module = type(sys)("__main__")
    module.__dict__.update(__file__="main.py", __builtins__=builtins)
    sys.modules["__main__"] = module
    try:
        exec(compile(program, "main.py", "exec"), module.__dict__)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 255
        sys.stderr.write(f"{error.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - the boundary: what the job raises ends its process as in any Python
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def flushed(status: int) -> int:
    """Write out what the job has printed; where that fails, the exit code is 120 as in any Python."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            status = status or 120
    return status


def forked(control: _socket.socket, own: int, account: int | None, last: bytes) -> int:
    """Start the next child in its namespaces; return its number here."""
    libc.setns(own, CLONE_NEWPID)  # a new process namespace can only be asked for from our own
    done(libc.unshare(CLONE_NEWPID), "unshare")
    pid = os.fork()
    if pid:
        return pid
    try:
        program = prepared(control, account, last)
    except BaseException as error:  # noqa: BLE001 - the boundary: the job has not run, and the other side hears that
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(flushed(run(program)))


def waited(control: _socket.socket, pid: int) -> bytes:
    """Wait for the child, or end it with us when nobody listens any more."""
    end = os.pidfd_open(pid)
    asking = select.poll()
    asking.register(end, select.POLLIN)
    asking.register(control, 0)  # only that it was closed
    if end not in dict(asking.poll()):
        os.kill(pid, signal.SIGKILL)
        os._exit(0)
    os.close(end)
    _, status, used = os.wait4(pid, 0)
    return struct.pack("=id", status, used.ru_utime + used.ru_stime)


def serve(number: str, rules: str, last: str, account: str, preload: str, *site: str) -> None:
    """Answer one message after the other until the other side closes."""
    control = _socket.socket(fileno=int(number))
    own = os.pidfd_open(os.getpid())
    drop = None if account == "-" else int(account)
    os.environ.clear()
    sys.path.extend(site)
    for name in filter(None, preload.split(",")):
        __import__(name)
    # the first call makes the types of the syntax tree: 2 ms that no child should pay
    compile("pass", "main.py", "exec")
    libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    done(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if drop is not None:
        os.setgroups([])
    first, rest = filtered(int(rules)), filtered(int(last))
    refuse(first[1])
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of the server
    control.send(b"ready")
    while True:
        control.send(waited(control, forked(control, own, drop, rest[1])))


if __name__ == "__main__":
    serve(*sys.argv[1:])
