"""WebAssembly: the process around a program on a module made by hand, and CPython for WASI where one is named.

`NETGAIN_PYTHON_WASM` names the interpreter; the first run compiles it, which takes 10 to 45 s of CPU.
"""

import os
from importlib.util import find_spec

import pytest

from netgain.errors import SandboxError
from netgain.sandbox import Job, Limits
from netgain.sandbox.probe import probed
from netgain.sandbox.wasm import VARIABLE, Wasm
from netgain.testing.attacks import ATTACKS, check_backend, summary
from netgain.testing.sandboxes import CHECKS, checks_of
from netgain.testing.trials import record

pytestmark = pytest.mark.counted

wasmtime = pytest.mark.skipif(find_spec("wasmtime") is None, reason="wasmtime is not installed: netgain[wasm]")
python = pytest.mark.skipif(
    find_spec("wasmtime") is None or not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no CPython for WASI"
)
HEAD = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00answer")
"""
ITS_OWN = "open the standard library for writing"  # it may open it and not write it: see the last test
WRITE = "(drop (call $write (i32.const {end}) (i32.const 8) (i32.const 1) (i32.const 100)))"


@pytest.fixture
def module(tmp_path):
    """A module whose program is these instructions."""

    def make(*body):
        path = tmp_path / "module.wat"
        path.write_text(HEAD + '(func (export "_start") ' + " ".join(body) + "))")
        return Wasm(module=str(path), cache=False)

    return make


def ran(backend, **limits):
    return backend.run(Job(source=b"", limits=Limits(**limits)))


@wasmtime
def test_what_is_written_to_descriptor_3_is_the_result_and_to_1_a_log(module):
    said = ran(module(WRITE.format(end=3), WRITE.format(end=1)))
    assert (said.ending, said.code, said.result, said.out) == ("ended", 0, b"answer", b"answer")


@wasmtime
def test_no_other_descriptor_can_be_written(module):
    body = "(call $exit (call $write (i32.const 4) (i32.const 8) (i32.const 1) (i32.const 100)))"
    assert ran(module(body)).code == 8  # EBADF of WASI


@wasmtime
def test_an_exit_code_a_trap_and_a_loop_are_told(module):
    assert ran(module("(call $exit (i32.const 5))")).code == 5
    said = ran(module("unreachable"))
    assert (said.ending, said.code) == ("killed", None) and b"unreachable" in said.err
    assert ran(module("(loop $again (br $again))"), wall_s=0.3).ending == "deadline"


@wasmtime
def test_memory_does_not_grow_past_its_limit(module):
    grow = "(call $exit (i32.add (i32.const 2) (memory.grow (i32.const {pages}))))"  # -1: refused
    assert ran(module(grow.format(pages=100)), memory=4 << 20).code == 1
    assert ran(module(grow.format(pages=30)), memory=4 << 20).code == 3


@wasmtime
def test_a_long_result_ends_the_job(module):
    assert ran(module(f"(loop $again {WRITE.format(end=3)} (br $again))"), result=100).ending == "output"


@wasmtime
def test_a_file_that_is_no_module_is_an_error_and_no_result(tmp_path):
    (tmp_path / "bad").write_bytes(b"no module")
    with pytest.raises(SandboxError, match="could not be started"):
        ran(Wasm(module=str(tmp_path / "bad"), cache=False))


@wasmtime
def test_packages_cannot_be_asked_for(module):
    with pytest.raises(SandboxError, match="pure Python"):
        module("").run(Job(source=b"", site=("/x",)))


def test_without_an_interpreter_the_message_has_the_next_step(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SandboxError, match=f"set {VARIABLE}"):
        Wasm()
    with pytest.raises(SandboxError, match="no file '/no/such'"):
        Wasm(module="/no/such")


def test_without_wasmtime_the_message_has_the_next_step(monkeypatch, tmp_path):
    monkeypatch.setattr("netgain.sandbox.wasm.find_spec", lambda name: None)
    (tmp_path / "some").touch()
    with pytest.raises(SandboxError, match=r"pip install 'netgain\[wasm\]'"):
        Wasm(module=str(tmp_path / "some"))


@python
@pytest.mark.parametrize("name", list(CHECKS))
def test_python_does_what_every_backend_has_to(name):
    backend = Wasm()
    if name not in checks_of(backend):
        pytest.skip("there are no processes, clocks of CPU time or folders to write in")
    CHECKS[name](backend)


@python
def test_every_attack_of_the_probe_is_stopped():
    assert [one for one in probed(Wasm()) if not one.stopped] == []


@python
def test_nothing_gets_through_webassembly():
    attacks = [one for one in ATTACKS if one.name != ITS_OWN]
    found = summary(check_backend(Wasm(), attacks, pure=True, start_s=60.0))
    record("G7", "attacks on WebAssembly", trials=len(found["succeeded"]) + len(found["stopped"]),
           failures=len(found["succeeded"]), seed=None, command="pytest tests/sandbox/test_wasm.py",
           not_tried=len(found["not tried"]))  # fmt: skip
    assert found["succeeded"] == [] and len(found["stopped"]) >= 40


@python
def test_the_library_can_be_opened_for_writing_and_not_written():
    writes = b"""
import os
place = os.open(os.__file__, os.O_RDWR)
try:
    os.write(place, b"#mark")
    os.write(3, b"written")
except OSError:
    os.write(3, b"refused")
os.write(3, open(os.__file__, "rb").read(5))
"""
    said = Wasm().run(Job(source=writes)).result
    assert said.startswith(b"refused") and not said.endswith(b"#mark")
