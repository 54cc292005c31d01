"""The process that runs one WebAssembly program: run as text by an interpreter of its own.

    embed.py PACKAGES SPEC

It imports `wasmtime` from the folder PACKAGES and gives the program one folder, to read: no environment, no sockets.
What the program writes to descriptor 3, which is that folder otherwise, goes to our pipe. Exit code 120: the program
could not be started, the reason is on standard error behind `embed: `.
"""

import json
import os
import struct
import sys
from typing import Any

WASI = "wasi_snapshot_preview1"
RESULT = 3
CHARACTER_DEVICE, REGULAR_FILE, BAD_DESCRIPTOR = 2, 4, 8


def answering(linker: Any, types: Any, pipe: int) -> None:
    """Send writes to descriptor 3 to our pipe, and let it look like one.

    WASI's own functions cannot be called from ours, so both are ours for every descriptor. Only the first three and the
    pipe can be written; what `fstat` tells of an open file is its kind and no size.
    """
    linker.allow_shadowing = True
    outlets = {1: 1, 2: 2, RESULT: pipe}

    def fd_write(caller: Any, end: int, vectors: int, count: int, told: int) -> int:
        if end not in outlets:
            return BAD_DESCRIPTOR
        memory, total = caller["memory"], 0
        for place in range(vectors, vectors + 8 * count, 8):
            at, size = struct.unpack("<II", memory.read(caller, place, place + 8))
            left = memoryview(bytes(memory.read(caller, at, at + size)))
            total += size
            while left:
                left = left[os.write(outlets[end], left) :]
        memory.write(caller, struct.pack("<I", total), told)
        return 0

    def fd_filestat_get(caller: Any, end: int, told: int) -> int:
        kind = CHARACTER_DEVICE if end <= RESULT else REGULAR_FILE
        caller["memory"].write(caller, struct.pack("<16xB47x", kind), told)
        return 0

    number = types.ValType.i32()
    for name, given, function in (("fd_write", 4, fd_write), ("fd_filestat_get", 2, fd_filestat_get)):
        linker.define_func(WASI, name, types.FuncType([number] * given, [number]), function, access_caller=True)


def main(packages: str, text: str) -> int:
    """Run one program; return its exit code, 137 for a trap."""
    spec = json.loads(text)
    sys.path.append(packages)
    import wasmtime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    try:
        config = wasmtime.Config()
        if spec["cache"]:
            config.cache = True
        engine = wasmtime.Engine(config)
        module = wasmtime.Module.from_file(engine, spec["module"])
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        store = wasmtime.Store(engine)
        store.set_limits(memory_size=spec["memory"])
        wasi = wasmtime.WasiConfig()
        wasi.argv, wasi.env = spec["argv"], []
        wasi.preopen_dir(spec["given"], "/", False)
        wasi.inherit_stdin()
        wasi.inherit_stdout()
        wasi.inherit_stderr()
        store.set_wasi(wasi)
        answering(linker, wasmtime, spec["pipe"])
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the program did not start
        sys.stderr.write(f"embed: {type(error).__name__}: {error}\n")
        return 120
    sys.stderr.write("embed: started\n")
    sys.stderr.flush()
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 137
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
