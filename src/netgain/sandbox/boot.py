"""The first program inside a sandbox: run as text in the job's own interpreter, never imported by ours.

    boot.py RESULT DESCRIPTORS ACCOUNT LIMITS RULES SITE…

The private pipe RESULT (a descriptor, or the path of a named pipe) becomes descriptor 3 and all others below
DESCRIPTORS are closed; root is given up for ACCOUNT, and LIMITS are set (`NAME=VALUE,…` of the module `resource`),
and the refused system calls of the file RULES are loaded, each unless it is "-"; the environment is emptied, SITE is
appended to the path of modules; then `main.py` runs as `__main__`. It prints nothing. A first zero byte on the private
pipe says that all of this was done; without it the job has not run. Only modules that are built in are used: every
other import costs each start a millisecond or more.
"""

import builtins
import posix
import sys


def limit(named: str) -> None:
    """Set limits of this process, as low as asked or as its own limits allow."""
    import resource

    for pair in named.split(","):
        name, _, number = pair.partition("=")
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        value = int(number) if most == resource.RLIM_INFINITY else min(int(number), most)
        # at the soft limit of CPU time a signal that names it, at the hard one a kill like any other
        hard = value + 1 if name == "RLIMIT_CPU" and most != value else value
        resource.setrlimit(kind, (value, hard))


def drop(account: int) -> None:
    """Give up root for good."""
    try:
        posix.setgroups([])
        posix.setresgid(account, account, account)
        posix.setresuid(account, account, account)
        posix.setuid(0)
    except PermissionError:
        if posix.getresuid() == (account,) * 3 and posix.getresgid() == (account,) * 3 and not inheritable():
            return
    posix._exit(120)


def inheritable() -> int:
    """Clear all capabilities, those that a program could inherit too: 0, else it could not be done."""
    import _ctypes  # of `ctypes`, which costs more, only this is needed

    capset = _ctypes.dlsym(_ctypes.dlopen(None, 0), "capset")  # type: ignore[attr-defined,arg-type,unused-ignore]
    head = 0x20080522.to_bytes(4, sys.byteorder) + bytes(4)  # version 3, this process: capset(2)
    return int(_ctypes.call_function(capset, (head, bytes(24))))  # type: ignore[attr-defined,unused-ignore]


def refuse(path: str) -> None:
    """Load a list of refused system calls on top of those that are there, and see that it holds."""
    import ctypes

    with open(path, "rb") as file:
        rules = file.read()
    libc, steps = ctypes.CDLL(None), ctypes.create_string_buffer(rules, len(rules))
    listed = (ctypes.c_void_p * 2)(len(rules) // 8, ctypes.addressof(steps))  # a length and where they are
    # PR_SET_SECCOMP, a filter; then a socket of AF_NETLINK, which nothing but this list refuses
    if libc.prctl(22, 2, listed, 0, 0) or libc.socket(16, 3, 0) != -1:
        posix._exit(120)


def prepare(result: str, descriptors: str, account: str, limits: str, rules: str, *site: str):  # type: ignore[no-untyped-def]
    """Do what the arguments say; return the program."""
    end = int(result) if result.isdigit() else posix.open(result, posix.O_WRONLY)
    if end != 3:
        posix.dup2(end, 3)
    posix.closerange(4, int(descriptors))
    if limits != "-":
        limit(limits)
    if account != "-":
        drop(int(account))
    if rules != "-":
        refuse(rules)
    for name in list(posix.environ):
        posix.unsetenv(name)
    posix.environ.clear()
    sys.argv[:] = sys.orig_argv[:] = ["main.py"]
    sys.path.extend(site)
    posix.write(3, b"\0")  # from here on the job is answerable: without this byte it has not run
    with open("main.py", "rb") as file:
        return compile(file.read(), "main.py", "exec")


if __name__ == "__main__":
    code = prepare(*sys.argv[1:])
    module = type(sys)("__main__")
    module.__dict__.update(__file__="main.py", __builtins__=builtins)
    sys.modules["__main__"] = module
    exec(code, module.__dict__)
