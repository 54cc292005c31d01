"""The attack suite: nothing gets through bubblewrap, and without isolation nearly everything does."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from accounts import under
from bare import Bare

from netgain.errors import SandboxError
from netgain.sandbox import Level
from netgain.testing.attack_scene import planted
from netgain.testing.attacks import ATTACKS, LIMITS, Attack, attempts, came_out, check_backend, honest, summary
from netgain.testing.trials import record

pytestmark = pytest.mark.counted
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
# what would press the machine that the tests run on, or takes seconds, is left out of the run without isolation
HARMLESS = [one for one in ATTACKS if one.threat not in (9, 10, 11, 12)]
ORDINARY = """
import json
from netgain.sandbox.bubblewrap import Bubblewrap
from netgain.sandbox.server import ForkServer
from netgain.testing.attacks import attempts, honest, summary, told, ATTACKS
backend = {backend}()
assert honest(backend) == [], honest(backend)
print(told(list(attempts(backend, ATTACKS))))
"""


def counted(where, found):
    """Keep how many attacks were tried and got through."""
    record("G7", f"attacks {where}", trials=len(found["succeeded"]) + len(found["stopped"]),
           failures=len(found["succeeded"]), seed=None, command="pytest tests/sandbox/test_attacks.py",
           not_tried=len(found["not tried"]))  # fmt: skip


def test_the_suite_is_as_large_and_as_wide_as_it_says():
    assert len(ATTACKS) >= 40 and len({one.name for one in ATTACKS}) == len(ATTACKS)
    assert {1, 2, 4, 7, 8, 9, 10, 11, 12, 16, 17, 20, 23, 24, 25} <= {one.threat for one in ATTACKS}


@needs_bwrap
def test_nothing_gets_through_bubblewrap():
    from netgain.sandbox.bubblewrap import Bubblewrap

    found = summary(check_backend(Bubblewrap()))
    counted("on bubblewrap, as the user of the tests", found)
    print(json.dumps({name: len(names) for name, names in found.items()}))  # noqa: T201 - how many, with -rA
    assert found["succeeded"] == [] and len(found["stopped"]) >= 40


@needs_bwrap
def test_nothing_gets_through_the_fork_server():
    from netgain.sandbox.server import ForkServer

    with ForkServer() as backend:
        found = summary(check_backend(backend))
    counted("on the fork server", found)
    assert found["succeeded"] == [] and len(found["stopped"]) >= 40


@needs_bwrap
@pytest.mark.parametrize(
    ("backend", "where"),
    [("Bubblewrap", "bubblewrap"), pytest.param("ForkServer", "the fork server", marks=pytest.mark.nightly)],
)
def test_nothing_gets_through_bubblewrap_as_an_ordinary_user(backend, where):
    found = json.loads(under(ORDINARY.format(backend=backend)))
    counted(f"on {where}, as an ordinary user", found)
    print(json.dumps({name: len(names) for name, names in found.items()}), found["not tried"])  # noqa: T201 - how many, with -rA
    assert found["succeeded"] == [] and len(found["stopped"]) >= 40


def test_without_isolation_attacks_succeed():
    assert honest(Bare()) == []
    outcomes = list(attempts(Bare(), HARMLESS))
    through = Counter(one.attack.threat for one in outcomes if one.succeeded)
    print(json.dumps({name: len(names) for name, names in summary(outcomes).items()}), dict(through))  # noqa: T201 - how many, with -rA
    assert sum(through.values()) >= 25 and {1, 2, 7, 8, 16, 24, 25} <= set(through)


class Named(Bare):
    """The same claiming to keep things apart."""

    name, level = "named", Level.S2


class Kills(Bare):
    """Lets nothing run: what it stops is no merit."""

    def run(self, job):
        return replace(super().run(replace(job, source=b"raise SystemExit(9)")), level=self.level)


class Refuses(Bare):
    """Runs honest programs and starts no other."""

    def run(self, job):
        if b"scene" in job.source:
            raise SandboxError("not today")
        return super().run(job)


class Never(Bare):
    """Starts nothing at all."""

    def run(self, job):
        raise SandboxError("not today")


def test_a_backend_that_lets_something_through_does_not_pass():
    few = [one for one in ATTACKS if one.name in ("read the answers", "own environment")]
    with pytest.raises(AssertionError, match="2 succeeded: read the answers \\(threat 2\\), own environment"):
        check_backend(Named(), few)
    assert [one.succeeded for one in check_backend(Bare(), few)] == [True, True]  # it does not claim to


def test_a_backend_that_runs_nothing_stops_nothing():
    with pytest.raises(AssertionError, match="honest programs fail"):
        check_backend(Kills(), [])
    with pytest.raises(AssertionError, match="could not be started"):
        check_backend(Refuses(), [ATTACKS[0]])
    with pytest.raises(AssertionError, match="honest programs fail.*not today"):
        check_backend(Never(), [])


def test_whatever_outlives_its_job_counts_and_is_ended():
    daemon = next(one for one in ATTACKS if one.name == "a daemon by two forks")
    with planted() as scene:
        outcome = next(iter(attempts(Bare(), [daemon])))
        assert outcome.succeeded and "lives on" in outcome.said
        assert scene.survivors() == []


def test_an_attack_that_has_no_target_here_is_not_tried():
    nowhere = Attack("nowhere", 8, "out(b'BREACH')", came_out, needs=("no such thing",))
    outcome = check_backend(Bare(), [nowhere])[0]
    assert outcome.succeeded is None and "not what it aims at" in outcome.said


@pytest.mark.parametrize("change", ["scorer", "twin", "link", "reward", "victim", "file", "socket"])
def test_a_scene_sees_what_was_done_to_it(change):
    import os
    import signal
    import socket

    with planted() as scene:
        assert not (scene.scorer_changed() or scene.forged() or scene.victim_hurt() or scene.left_files())
        assert not scene.reached()
        seen = {"scorer": scene.scorer_changed, "twin": scene.scorer_changed, "link": scene.scorer_changed,
                "reward": scene.forged, "victim": scene.victim_hurt, "file": scene.left_files,
                "socket": scene.reached}[change]  # fmt: skip
        if change == "scorer":
            (scene.folder / "scorer.py").write_text("other")
        elif change == "twin":
            (scene.folder / "__pycache__").mkdir()
        elif change == "link":
            os.link(scene.folder / "scorer.py", scene.folder / "link")
        elif change == "reward":
            (scene.folder / "results" / "x").touch()
        elif change == "victim":
            os.kill(scene.where["victim"], signal.SIGKILL)
            scene.victim.wait()
        elif change == "file":
            (scene.folder / scene.mark).touch()
        else:
            with socket.create_connection(("127.0.0.1", scene.where["tcp"])):
                pass
        assert seen()
        if change == "link":
            (scene.folder / "link").unlink()
        scene.clean()
        assert not seen()


def test_limits_are_such_that_this_machine_can_hold_a_control_run():
    assert LIMITS.memory <= 256 << 20 and LIMITS.processes <= 32
