"""One million item scores to a verdict: the ledger on disk is read, reduced and decided, in a process of its own.

`python -m netgain.bench.scores STUDY` prints the word, how many scores it rests on, and the most memory that it took.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from netgain.bench.measurement import Measurement, Scale, peak_bytes, process
from netgain.bench.study import wide_events, write_study
from netgain.ledger import Ledger

SCORES = 1_000_000
MEGABYTE = 1e6


def measure(scale: Scale) -> list[Measurement]:
    """Seconds and memory, both of the whole process: start-up of the interpreter included."""
    count = scale.of(SCORES, 1000)
    with tempfile.TemporaryDirectory(prefix="netgain-bench-") as name:
        folder = Path(name) / "study"
        events = wide_events(write_study(1), count)
        with Ledger.create(folder) as log:
            log.append(events)
        taken = [process("-m", "netgain.bench.scores", str(folder)) for _ in range(scale.repeats)]
    told = json.loads(taken[0].out)
    peaks = [json.loads(one.out)["peak"] / MEGABYTE for one in taken]
    what, judged = f"{told['scores']} sealed scores to a verdict", scale.share == 1.0
    return [
        Measurement(name="scores.seconds", what=what, unit="s of CPU", values=[one.cpu for one in taken], at_most=2.0,
                    judged=judged, notes={"word": told["word"]}),
        Measurement(name="scores.memory", what=what, unit="MB at most", values=peaks,
                    at_most=500.0, judged=judged),
    ]  # fmt: skip


def decide(folder: Path) -> dict[str, object]:
    """The verdict of a ledger, and how many sealed scores it rests on."""
    from netgain.case import case_of
    from netgain.evidence.verdict import decide_verdict
    from netgain.seal import facts_of

    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
    verdict = decide_verdict(case_of(facts))
    count = sum(len(sheet["values"]) for sheets in facts.blocks.values() for sheet in sheets.values())
    return {"word": verdict.word, "scores": count, "peak": peak_bytes()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(decide(Path(sys.argv[1]))) + "\n")
