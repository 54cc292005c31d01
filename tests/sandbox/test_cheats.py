"""The cheat suite: no cheat scores before our judge, and most of them beat the evaluator that is common in practice."""

import json
import shutil
from contextlib import ExitStack

import pytest
from accounts import under
from bare import Bare

from netgain.sandbox import Level, Limits
from netgain.sandbox.bubblewrap import Bubblewrap
from netgain.sandbox.judge import Judge
from netgain.sandbox.server import ForkServer
from netgain.testing.cheats import CHEATS, WRONG, Cheat, careless, check_judge, items, right
from netgain.testing.trials import record

pytestmark = pytest.mark.counted
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
LIMITS = Limits(wall_s=5.0)
ORDINARY = """
import json
from netgain.sandbox import Limits
from netgain.sandbox.bubblewrap import Bubblewrap
from netgain.sandbox.judge import Judge
from netgain.sandbox.server import ForkServer
from netgain.testing.cheats import check_judge
fates = check_judge(Judge(backend={backend}(), limits=Limits(wall_s=5.0)))
print(json.dumps([one.mean for one in fates]))
"""


def counted(where, means):
    """Keep how many cheats were tried, and how many had a score above 0."""
    record("G8", f"cheats before the judge, {where}", trials=len(means), failures=sum(map(bool, means)), seed=None,
           command="pytest tests/sandbox/test_cheats.py", invalid=sum(one is None for one in means))  # fmt: skip


def test_the_suite_is_as_large_as_it_says():
    assert len(CHEATS) >= 25 and len({one.name for one in CHEATS}) == len(CHEATS)
    assert sum(one.seven for one in CHEATS) == 7


@needs_bwrap
@pytest.mark.parametrize(("backend", "where"), [(Bubblewrap, ""), (ForkServer, "in the fork server, ")])
def test_no_cheat_scores_through_bubblewrap(backend, where):
    with ExitStack() as stack:
        asked = backend()
        stack.callback(getattr(asked, "close", lambda: None))
        fates = check_judge(Judge(backend=asked, limits=LIMITS))
    invalid = sum(one.mean is None for one in fates)
    counted(f"{where}as the user of the tests", [one.mean for one in fates])
    print(f"{len(fates)} cheats: {invalid} invalid, {len(fates) - invalid} with a score of 0")  # noqa: T201 - how many, with -rA
    assert all(not one.mean for one in fates) and invalid >= 10


@needs_bwrap
@pytest.mark.parametrize(
    ("backend", "where"),
    [("Bubblewrap", ""), pytest.param("ForkServer", "in the fork server, ", marks=pytest.mark.nightly)],
)
def test_no_cheat_scores_through_bubblewrap_as_an_ordinary_user(backend, where):
    means = json.loads(under(ORDINARY.format(backend=backend)))
    counted(f"{where}as an ordinary user", means)
    assert len(means) == len(CHEATS) and not any(means)


def test_what_is_read_strictly_holds_without_a_sandbox_too():
    typed = [one for one in CHEATS if one.threat in (4, 5, 6, 21) and "memory" not in one.name]
    fates = check_judge(Judge(backend=Bare(), least=Level.S0, limits=LIMITS), typed)
    assert len(fates) >= 15


def test_a_careless_evaluator_is_beaten():
    asked = items()
    assert careless(right(asked), asked) == 1.0 and careless(WRONG, asked) == 0.0
    beaten = [one.name for one in CHEATS if (careless(one, asked) or 0.0) >= 0.5]
    print(f"{len(beaten)} of {len(CHEATS)} cheats beat the careless evaluator")  # noqa: T201 - how many, with -rA
    assert len(beaten) >= 20 and {one.name for one in CHEATS if one.seven} <= set(beaten)


class Told(Judge):
    """A judge that hands the targets in."""

    def score(self, source, asked, metric, *, rng=None):
        table = {str(one["input"]): one["target"] for one in asked}
        return super().score(f"ANSWERS = {table!r}\n{source}", asked, metric, rng=rng)


def test_a_judge_that_lets_a_cheat_score_does_not_pass():
    reads = Cheat("reads its module", 2, "def solve(x): return globals().get('ANSWERS', {}).get(str(x), 0)")
    sound, told = (kind(backend=Bare(), least=Level.S0, limits=LIMITS) for kind in (Judge, Told))
    assert check_judge(sound, [reads])[0].mean == 0.0
    with pytest.raises(AssertionError, match="1 cheats scored: reads its module \\(1\\)"):
        check_judge(told, [reads])
