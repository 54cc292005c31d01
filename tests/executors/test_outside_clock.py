"""Device seconds are counted from outside: loop code shares its process with the worker's own clock."""

import pytest

from netgain.executors import LocalWorkers, Reference
from netgain.executors.local import cpu_seconds

FILE = """
import subprocess, sys, time
from netgain import records, stages

clock, burn = time.process_time, "import time\\nwhile time.process_time() < 0.4: pass"


def answer(system, inputs, budget, rng):
    began = clock()
    if inputs[0] == "stop the clock":
        time.process_time = lambda: 0.0
        while clock() - began < 0.4:
            pass
        return [clock() - began]
    if inputs[0] == "send a child":
        subprocess.run([sys.executable, "-c", burn], check=True)
    return [None]


loop = stages.Loop(lambda rng: {}, lambda view: records.Change([]), answer)
"""


@pytest.mark.skipif(
    cpu_seconds(1) is None, reason="this system has no /proc, and the worker's own clock is all there is"
)
def test_a_stopped_clock_and_a_childs_work_are_counted(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    ask = {"op": "answer", "seed": "1", "budget": {}, "sampled": False, "system": {"digest": "d", "data": b"{}"}}
    with LocalWorkers(Reference(f"{tmp_path / 'mine.py'}:loop"), 1) as worker:
        ask["system"]["data"] = worker.call({"op": "start", "seed": "1", "budget": {}})["value"]["system"]
        spent = {
            what: worker.call({**ask, "inputs": [what]})["device_seconds"]
            for what in ("nothing", "send a child", "stop the clock")
        }
    assert spent["nothing"] < 0.2
    assert spent["send a child"] > 0.35 and spent["stop the clock"] > 0.35


def test_a_process_that_is_gone_has_no_clock():
    assert cpu_seconds(2**22 + 1) is None
