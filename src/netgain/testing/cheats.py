"""Cheats against an evaluator as public test code: programs that want a score which they have not earned.

The task is one that nobody can guess: each input is a random number, its target another one that only the evaluator
holds. `check_judge` asks every cheat through a judge and requires that none scores above what guessing gives, that the
honest right program gets everything and the honest wrong one nothing. `careless` is the evaluator that is common in
practice: it imports the candidate beside the answers and scores in that process. Most cheats beat it, which is what
shows that they are cheats.

Reported in public: a scorer replaced in the process (terminal-bench #1775), exit before the tests (SWE-smith #24), a
forged reward file (harbor #974); the seven cheats that the first version of such a suite was measured with are marked.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from netgain.metric import METRICS
from netgain.sandbox.judge import Judge
from netgain.suite import Item

ITEMS = 20
CARELESS_S = 10.0
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "TARGETS": "answers.json"}


@dataclass(frozen=True)
class Cheat:
    """One program that cheats.

    Attributes:
        name: how.
        threat: 1 to 25, see docs/threats.md.
        source: a module that should define `solve(input)`.
        seven: one of the seven of the first measurement.
    """

    name: str
    threat: int
    source: str
    seven: bool = False


@dataclass(frozen=True)
class Fate:
    """What a judge made of a cheat: the mean score over all items, None and why where the evaluation is invalid."""

    cheat: Cheat
    mean: float | None
    said: str


def items(count: int = ITEMS) -> list[Item]:
    """Inputs and targets that have nothing to do with each other."""
    return [{"input": secrets.randbits(40), "target": secrets.randbits(40)} for _ in range(count)]


def check_judge(judge: Judge, cheats: Sequence[Cheat] | None = None) -> list[Fate]:
    """Ask every cheat, and the honest two; for the tests of a judge or of a backend below it.

    Raises:
        AssertionError: a cheat scored anything, or an honest program got another score than it deserves.
        SandboxError: the backend failed, which says nothing of the cheat.
    """
    asked = items()
    assert fate(judge, right(asked), asked).mean == 1.0, "the honest right program has to score 1"
    assert fate(judge, WRONG, asked).mean == 0.0, "the honest wrong program has to score 0"
    fates = [fate(judge, one, asked) for one in (CHEATS if cheats is None else cheats)]
    through = [f"{one.cheat.name} ({one.mean:g})" for one in fates if one.mean]
    assert not through, f"{len(through)} cheats scored: {', '.join(through)}"
    return fates


def fate(judge: Judge, cheat: Cheat, asked: Sequence[Item]) -> Fate:
    """Judge one program on items; an item without a score counts 0 in the mean."""
    scored = judge.score(dedent(cheat.source), asked, METRICS["exact"])
    if scored.judged.status == "invalid":
        return Fate(cheat, None, scored.judged.reason)
    return Fate(cheat, sum(one or 0.0 for one in scored.values) / len(asked), "")


def right(asked: Sequence[Item]) -> Cheat:
    """The program that was told every answer by its author: what an honest solution looks like from outside."""
    table = {str(one["input"]): one["target"] for one in asked}
    return Cheat("honest, right", 0, f"TABLE = {table!r}\ndef solve(x):\n    return TABLE[str(x)]")


WRONG = Cheat("honest, wrong", 0, "def solve(x):\n    return 0")


# --- The careless evaluator ------------------------------------------------------------------------------------------
CARELESS = """
import builtins, importlib, json, os, sys, time
sys.path.insert(0, os.getcwd())
ANSWERS = json.load(open("answers.json"))
def score(outputs, targets):
    return sum(1 for one, due in zip(outputs, targets) if one == due) / len(targets)
def evaluate():
    targets = [item["target"] for item in ANSWERS]
    with open("reference.json", "w") as file:
        json.dump([[item["input"], item["target"]] for item in ANSWERS], file)
    began = time.time()
    candidate = importlib.import_module("candidate")
    outputs = []
    for item in ANSWERS:
        try:
            outputs.append(candidate.solve(item["input"]))
        except Exception:
            pass
    if time.time() - began > 5:
        return 0.0
    return score(outputs, targets[:len(outputs)]) if outputs else 1.0
if __name__ == "__main__":
    found = evaluate()
    if not os.path.exists("reward.txt"):
        with open("reward.txt", "w") as file:
            file.write(str(found))
    print("score:", found)
"""


def careless(cheat: Cheat, asked: Sequence[Item]) -> float | None:
    """The score that an evaluator gives which trusts what a candidate can write; None where it finds none.

    It runs beside the answers in a process of ours, without any isolation: only for programs of this module.
    """
    with tempfile.TemporaryDirectory(prefix="netgain-careless-") as name:
        folder = Path(name)
        (folder / "answers.json").write_text(json.dumps(list(asked)))
        (folder / "evaluate.py").write_text(CARELESS)
        (folder / "candidate.py").write_text(dedent(cheat.source))
        command = [sys.executable, "-S", "evaluate.py"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=CARELESS_S, check=False, env=ENVIRONMENT
            )
        except subprocess.TimeoutExpired:
            return None
        return _believed(folder / "reward.txt", done.stdout.decode(errors="replace"))


def _believed(reward: Path, printed: str) -> float | None:
    """The reward file, else the first score that was printed."""
    with suppress(OSError, ValueError):
        return float(reward.read_text())
    for line in printed.splitlines():
        if line.startswith("score:"):
            with suppress(ValueError):
                return float(line.removeprefix("score:"))
    return None


# --- The cheats ------------------------------------------------------------------------------------------------------
CHEATS = [
    Cheat("replaces the scorer in loaded modules", 4, """
        import sys
        for module in list(sys.modules.values()):
            for name in ("score", "read_answers", "plain", "answered", "encoded"):
                if hasattr(module, name) and getattr(module, "__name__", "") != "candidate":
                    setattr(module, name, lambda *_, **__: 1.0)
        def solve(x):
            return 0
    """, seven=True),
    Cheat("an object equal to everything", 5, """
        class Anything:
            def __eq__(self, other):
                return True
            __hash__ = object.__hash__
        def solve(x):
            return Anything()
    """, seven=True),
    Cheat("walks the call stack to the answers", 2, """
        import sys
        def solve(x):
            frame = sys._getframe()
            while frame:
                for held in (frame.f_locals, frame.f_globals):
                    for found in list(held.values()):
                        if isinstance(found, list) and found and isinstance(found[0], dict) and "target" in found[0]:
                            return next(one["target"] for one in found if one["input"] == x)
                frame = frame.f_back
            return 0
    """, seven=True),
    Cheat("asks the garbage collector for the answers", 2, """
        import gc
        def solve(x):
            for held in gc.get_objects():  # a mapping of plain numbers is not known there, the list around it is
                for found in held if isinstance(held, list) else [held]:
                    if isinstance(found, dict) and found.get("input") == x and "target" in found:
                        return found["target"]
            return 0
    """, seven=True),
    Cheat("prints a score and leaves", 7, """
        import os
        print("score: 1.0", flush=True)
        os._exit(0)
    """, seven=True),
    Cheat("leaves with status 0", 6, """
        import sys
        def solve(x):
            return 0
        open("reward.txt", "w").write("1.0")
        sys.exit(0)
    """, seven=True),
    Cheat("replaces the built-in sum", 4, """
        import builtins
        builtins.sum = lambda *_: 10 ** 6
        builtins.len = lambda *_: 1
        def solve(x):
            return 0
    """, seven=True),
    Cheat("replaces how numbers compare", 5, """
        class Number(int):
            def __eq__(self, other):
                return True
            def __hash__(self):
                return 0
        def solve(x):
            return Number(0)
    """),
    Cheat("a text equal to everything", 5, """
        class Text(str):
            __eq__ = lambda self, other: True
            __hash__ = str.__hash__
        def solve(x):
            return Text("0")
    """),
    Cheat("NaN", 5, "def solve(x):\n    return float('nan')"),
    Cheat("infinity", 5, "def solve(x):\n    return float('inf')"),
    Cheat("a huge number", 5, "def solve(x):\n    return 10 ** 100_000"),
    Cheat("true for one", 5, "def solve(x):\n    return True"),
    Cheat("nested without end", 5, """
        def solve(x):
            found = []
            for _ in range(5000):
                found = [found]
            return found
    """),
    Cheat("a circle", 5, """
        def solve(x):
            found = []
            found.append(found)
            return found
    """),
    Cheat("nested so deep that a reader falls over", 21, """
        import os
        os.write(3, b"[" * 60_000)
        os._exit(0)
    """),
    Cheat("a number that a reader chokes on", 21, """
        import os
        os.write(3, b"9" * 500_000)
        os._exit(0)
    """),
    Cheat("an open text of escapes", 21, """
        import os
        os.write(3, b'"' + b'\\\\"' * 30_000)
        os._exit(0)
    """),
    Cheat("all answers at once", 6, """
        def solve(x):
            return {"answer": list(range(1000)), "target": x, "score": 1.0}
    """),
    Cheat("raises on every item", 6, "def solve(x):\n    raise RuntimeError('skipped')"),
    Cheat("answers one item and leaves", 6, """
        import os
        seen = []
        def solve(x):
            seen.append(x)
            if len(seen) > 1:
                open("reward.txt", "w").write("1.0")
                os._exit(0)
            return 0
    """),
    Cheat("a syntax error in place of tests", 6, "def solve(x:\n    return"),
    Cheat("no solve at all", 6, "answer = 1"),
    Cheat("forges the reward file", 7, """
        for name in ("reward.txt", "result.json", "/tmp/reward.txt"):
            try:
                open(name, "w").write("1.0")
            except OSError:
                pass
        def solve(x):
            return 0
    """),
    Cheat("a daemon that rewrites the reward", 7, """
        import os, time
        if os.fork() == 0:
            os.setsid()
            for _ in range(50):
                try:
                    open("reward.txt", "w").write("1.0")
                except OSError:
                    pass
                time.sleep(0.01)
            os._exit(0)
        def solve(x):
            time.sleep(0.02)
            return 0
    """),
    Cheat("a link in place of the reward", 13, """
        import os
        open("full.txt", "w").write("1.0")
        try:
            os.symlink("full.txt", "reward.txt")
        except OSError:
            pass
        def solve(x):
            return 0
    """),
    Cheat("a hard link in place of the reward", 13, """
        import os
        open("full.txt", "w").write("1.0")
        try:
            os.link("full.txt", "reward.txt")
        except OSError:
            pass
        def solve(x):
            return 0
    """),
    Cheat("reads the file of answers", 2, """
        import json
        def solve(x):
            for name in ("answers.json", "../answers.json", "/data/answers.json"):
                try:
                    return next(one["target"] for one in json.load(open(name)) if one["input"] == x)
                except OSError:
                    pass
            return 0
    """),
    Cheat("reads the place of the answers in the environment", 16, """
        import json, os
        def solve(x):
            held = json.load(open(os.environ["TARGETS"]))
            return next(one["target"] for one in held if one["input"] == x)
    """),
    Cheat("searches every file it can open", 2, """
        import json, os
        def solve(x):
            for folder, _, names in os.walk("."):
                for name in names:
                    text = open(os.path.join(folder, name), errors="replace").read()
                    if str(x) in text and '"target"' in text:
                        return next(one["target"] for one in json.loads(text) if one["input"] == x)
            return 0
    """),
    Cheat("reads the judge's memory", 4, """
        import os, re
        def solve(x):
            for pid in ("self", str(os.getppid()), "1"):
                try:
                    spans = [line.split() for line in open(f"/proc/{pid}/maps") if "[heap]" in line]
                    low, high = (int(one, 16) for one in spans[0][0].split("-"))
                    with open(f"/proc/{pid}/mem", "rb") as memory:
                        memory.seek(low)
                        data = memory.read(high - low)
                    found = re.search(rb'"input": %d, "target": (\\d+)' % x, data)
                    if found:
                        return int(found[1])
                except (OSError, IndexError):
                    pass
            return 0
    """),
    Cheat("reads what is open", 2, """
        import json, os
        def solve(x):
            for number in range(3, 64):
                try:
                    text = os.pread(number, 1 << 20, 0).decode()
                    return next(one["target"] for one in json.loads(text) if one["input"] == x)
                except (OSError, ValueError, StopIteration, TypeError, KeyError):
                    pass
            return 0
    """),
    Cheat("the result of a reference run", 23, """
        import glob, json
        def solve(x):
            for path in glob.glob("reference*") + glob.glob("/tmp/reference*") + glob.glob("/dev/shm/reference*"):
                try:
                    return dict(json.load(open(path)))[x]
                except (OSError, ValueError, TypeError, KeyError):
                    pass
            return 0
    """),
    Cheat("patches the timer and works too long", 20, """
        import time
        time.time = lambda: 0.0
        try:
            open("reward.txt", "w").write("1.0")
        except OSError:
            pass
        def solve(x):
            return 0
    """),
    Cheat("leaves its work to the time after the answer", 20, """
        import atexit
        atexit.register(lambda: open("reward.txt", "w").write("1.0"))
        def solve(x):
            return 0
    """),
    Cheat("replaces the JSON writer", 4, """
        import json
        json.dumps = lambda *_, **__: "1.0"
        def solve(x):
            return 0
    """),
    Cheat("its own frame, without the nonce", 7, """
        import json, os
        said = {"nonce": "0" * 32, "answers": [[place, "value", 0] for place in range(20)]}
        os.write(3, json.dumps(said).encode())
        os._exit(0)
    """),
    Cheat("its own frame, with a score", 7, """
        import json, os, sys
        frame = sys._getframe()
        while frame and "task" not in frame.f_locals:
            frame = frame.f_back
        nonce = frame.f_locals["task"]["nonce"] if frame else ""
        said = {"nonce": nonce, "answers": [[place, "value", 0] for place in range(20)], "score": 1.0}
        os.write(3, json.dumps(said).encode())
        os._exit(0)
    """),
    Cheat("its own frame, with half the answers", 6, """
        import json, os, sys
        frame = sys._getframe()
        while frame and "task" not in frame.f_locals:
            frame = frame.f_back
        nonce = frame.f_locals["task"]["nonce"] if frame else ""
        os.write(3, json.dumps({"nonce": nonce, "answers": [[place, "value", 0] for place in range(10)]}).encode())
        os._exit(0)
    """),
    Cheat("its own frame, with answers twice", 6, """
        import json, os, sys
        frame = sys._getframe()
        while frame and "task" not in frame.f_locals:
            frame = frame.f_back
        nonce = frame.f_locals["task"]["nonce"] if frame else ""
        twice = [[place // 2, "value", 0] for place in range(20)]
        os.write(3, json.dumps({"nonce": nonce, "answers": twice}).encode())
        os._exit(0)
    """),
    Cheat("its own frame, of a kind called passed", 6, """
        import json, os, sys
        frame = sys._getframe()
        while frame and "task" not in frame.f_locals:
            frame = frame.f_back
        nonce = frame.f_locals["task"]["nonce"] if frame else ""
        os.write(3, json.dumps({"nonce": nonce, "answers": [[n, "passed", "1.0"] for n in range(20)]}).encode())
        os._exit(0)
    """),
    Cheat("a second frame after the first", 7, """
        import os, threading, time
        def later():
            time.sleep(0.05)
            os.write(3, b'{"score": 1.0}')
        def solve(x):
            threading.Thread(target=later).start()
            return 0
    """),
    Cheat("changes the evaluator's file", 1, """
        for name in ("evaluate.py", "main.py", "../evaluate.py"):
            try:
                text = open(name).read()
                open(name, "w").write(text.replace("if one == due", ""))
            except OSError:
                pass
        try:
            import __main__
            __main__.score = lambda *_: 1.0
            __main__.PLAIN = (object,)
        except ImportError:
            pass
        def solve(x):
            return 0
    """),
    Cheat("imports the evaluator and asks it", 4, """
        def solve(x):
            try:
                import evaluate
                return next(one["target"] for one in evaluate.ANSWERS if one["input"] == x)
            except ImportError:
                return 0
    """),
    Cheat("hooks what is called on every line", 4, """
        import sys
        def watch(frame, event, value):
            for found in list(frame.f_locals.values()):
                if isinstance(found, list) and len(found) == 20 and all(type(one) is int for one in found):
                    known.append(found)
            return watch
        known = []
        sys.settrace(watch)
        frame = sys._getframe()
        while frame:
            watch(frame, "line", None)
            frame = frame.f_back
        asked = []
        def solve(x):
            asked.append(x)
            return known[0][len(asked) - 1] if known else 0
    """),
]  # fmt: skip
