"""Monitors between build and gate: what they read, what their alarms do in which arm, and what a verifier finds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netgain import session
from netgain.case import case_of
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.ledger import Event, Ledger
from netgain.monitors import MONITORS
from netgain.records import Started
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.stages import Inside, Probe
from netgain.suite import Suite
from netgain.testing.inprocess import InProcess
from netgain.testing.ladder import Ladder
from netgain.verify import verify
from netgain.watching import binds
from study_forgery import shared

ROOT = "5a" * 32
Json = Any


@dataclass(frozen=True)
class Level:
    """The plainest monitor: the last value of one number, against a threshold."""

    name: str
    number: str
    threshold: float
    direction: str = "below"
    action: str = "watch"

    @property
    def reads(self) -> str:
        return self.number

    def look(self, history: list[dict[str, Json]]) -> Any:
        value = history[-1].get(self.number)
        if value is None:
            return SimpleNamespace(value=None, alarm=None, reason=history[-1]["why"].get(self.number), numbers={})
        value = (
            value["moved"] if "moved" in value else value["hits"] / value["asked"] if "hits" in value else value["lost"]
        )
        alarm = value >= self.threshold if self.direction == "at_least" else value < self.threshold
        return SimpleNamespace(value=value, alarm=alarm, reason=None, numbers={})

    def to_json(self) -> dict[str, Json]:
        return {**asdict(self), "reads": self.number}


def skill(inside: Inside) -> dict[str, float]:
    moved = sum(inside.system["right"]) - sum(inside.first["right"])
    return {"moved": moved, "asked": len(inside.inputs), "kept": len(inside.kept.inputs)}


def broken(inside: Inside) -> dict[str, float]:
    return {"moved": float("nan")}


def loop_of(look: Any = skill) -> Any:
    return replace(Ladder().loop(), probes=(Probe("inside", look),))


def study(*monitors: Level, loop: Any = None, arms: tuple[str, ...] = ("self", "frozen"), **more: Any) -> Study:
    suite = Ladder().suite()
    axes = [replace(axis, canary_items=14 if axis.name == "ladder" else 0) for axis in suite.axes]
    suite = Suite(axes, suite.block, suite.max_pairs, suite.design_gain)
    claim = Claim("ladder", by=0.05, beats=["frozen"], rung="R1", expected=0.3)
    return Study(loop or loop_of(), suite, arms, claim, rounds=3, replicas=1, root=ROOT, monitors=monitors,
                 reference=Reference("netgain.testing.ladder:make", {}), **more)  # fmt: skip


def run_here(asked: Study, folder: Path) -> Path:
    """A study that is run in this process."""

    class Here(InProcess):
        def __init__(self, reference: Any, count: int) -> None:
            super().__init__(asked.loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
        patch.setattr(session, "LocalWorkers", Here)
        run_study(asked, folder, workers=1)
    return folder


@pytest.fixture
def run(tmp_path: Path):
    """Runs a study in this process, and gives its facts."""

    def go(asked: Study, name: str = "study") -> Any:
        with Ledger.open(run_here(asked, tmp_path / name), readonly=True) as log:
            return facts_of(log)

    go.folder = tmp_path  # type: ignore[attr-defined]
    return go


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study with one monitor, to be forged."""
    asked = study(Level("kept", "kept", 0.1))
    return shared(tmp_path_factory, "watched", lambda folder: run_here(asked, folder))


@pytest.fixture(scope="session")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a generation 0 that cost tokens."""
    asked = study(Level("kept", "kept", 0.1), loop=booking(tokens=50.0))
    return shared(tmp_path_factory, "metered", lambda folder: run_here(asked, folder))


def held(found: dict[str, Json], name: str) -> bool:
    one = next(one for one in found["checks"] if one["name"] == name)
    print(one["detail"])  # noqa: T201  shown where a test fails
    return bool(one["ok"])


def test_monitors_see_checks_probes_and_canary_items_and_the_verifier_agrees(run):
    facts = run(study(Level("kept", "kept", 0.1), Level("moved", "inside", 99.0, "at_least"),
                      Level("lost", "flips", 0.0)))  # fmt: skip
    own = facts.runs["r0/self"]
    assert sorted(own.watched) == [1, 2, 3]
    for at, told in own.watched.items():
        channel = own.channel[at]
        assert told["vitals"]["kept"] == {"hits": channel["kept"], "asked": channel["of"]}
        assert told["vitals"]["inside"]["asked"] == 14 and told["vitals"]["inside"]["moved"] > 0
        assert told["vitals"]["inside"]["kept"] == channel["kept"]
        assert [one["alarm"] for one in told["signals"]] == [False, False, False]
        assert sum(told["vitals"]["flips"].values()) == len(told["vitals"]["behaviour"]["now"]) == 14
        assert told["vitals"]["sentinel"] == {"differences": [0] * 14, "then_error": 0.0}
        assert ("since_start" in told["vitals"]) == (at > 1)  # gate items of the round before
    assert {role for _, role, _ in own.canary} == {"candidate", "anchor", "again", "middle", "again_middle"}
    found = verify(run.folder / "study")
    assert all(one["ok"] for one in found["checks"]), found["checks"]


def test_the_page_shows_alarms_and_blindness_apart(run):
    run(study(Level("kept", "kept", 2.0, action="reject"), Level("moved", "inside", 9.0), loop=loop_of(broken)))
    page = (run.folder / "study" / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="monitors"') :]
    section = section[: section.index("</section>")]
    assert "<code>kept</code> alarmed 3 times: the candidate was not used" in section
    assert "<code>moved</code> could not look 3 times, which is no pass" in section
    bounds = page[page.index('id="bounds"') : page.index('id="monitors"')]
    assert "monitor <code>kept</code>" in bounds and "kept below 2: reject" in bounds
    assert section.count("not run") == section.count("alarm</") == 3
    quiet = run(study(), "plain")
    assert quiet.concluded and 'id="monitors"' not in (run.folder / "plain" / "report.html").read_text(encoding="utf-8")


def test_generation_0_is_asked_the_same_canary_items_anew_in_every_round(run):
    asked = study(Level("kept", "kept", 0.1))
    facts = run(asked)
    scores = [facts.runs["r0/self"].canary[at, "anchor", "ladder"].mean for at in (1, 2, 3)]
    assert len(set(scores)) == 1
    with Ledger.open(run.folder / "study", readonly=True) as log:
        keys = {(one.data["key"], one.data["items"]) for one in log.events("scores") if one.data["split"] == "canary"}
    assert len(keys) == 1


def test_a_rejecting_alarm_keeps_every_candidate_from_the_gate(run):
    facts = run(study(Level("kept", "kept", 2.0, action="reject")))
    own = facts.runs["r0/self"]
    assert own.decisions == [] and own.row["released"] == own.row["working"] == own.row["anchor"]
    assert own.row["restores"] == 0 and own.row["position"] != own.row["safe_position"]  # the loop's own state goes on
    assert all(held(verify(run.folder / "study"), name) for name in ("watched", "runs", "receipts"))


def test_rolling_back_also_gives_the_loop_its_position_back(run):
    own = run(study(Level("kept", "kept", 2.0, action="roll_back"))).runs["r0/self"]
    assert own.decisions == [] and own.row["working"] == own.row["anchor"] and own.row["restores"] == 3
    assert own.row["position"] == own.row["safe_position"]
    assert all(held(verify(run.folder / "study"), name) for name in ("watched", "runs", "receipts"))


@pytest.mark.parametrize("action", ["reject", "freeze", "roll_back", "halt"])
def test_an_alarm_acts_also_where_the_gate_only_watches_and_the_verifier_agrees(run, action):
    loose = replace(loop_of(), gate="watch")
    facts = run(study(Level("kept", "kept", 2.0, action=action), loop=loose, arms=("self", "frozen", "ungated")))
    own, ungated = facts.runs["r0/self"], facts.runs["r0/ungated"]
    assert own.row["released"] == own.row["anchor"], "nothing passed the gate that only watches"
    assert ungated.row["released"] != ungated.row["anchor"], "the arm without a gate is bound by no monitor"
    found = verify(run.folder / "study")
    assert all(one["ok"] for one in found["checks"]), [one for one in found["checks"] if not one["ok"]]


def test_a_freeze_stands_and_the_working_system_goes_on(run):
    late = Level("moved", "inside", 0.5, "at_least", "freeze")
    facts = run(study(late))
    acted = [facts.runs["r0/self"].watched[at]["acted"] for at in (1, 2, 3)]
    assert acted[acted.index("freeze") :] == ["freeze"] * (3 - acted.index("freeze"))
    assert facts.runs["r0/self"].row["working"] != facts.runs["r0/self"].row["released"]
    assert held(verify(run.folder / "study"), "watched")


def test_a_halt_ends_the_loop_and_its_controls_in_the_same_round(run):
    arms = ("self", "frozen", "stacked", "stop:off")
    facts = run(study(Level("moved", "inside", 0.0, "at_least", "halt"), arms=arms))
    ends = {name: (facts.runs[f"r0/{name}"].row["round"], facts.runs[f"r0/{name}"].row["end"]) for name in arms}
    assert ends["self"] == ends["stacked"] == ends["stop:off"] == (1, "halted by the monitor moved")
    assert facts.runs["r0/stop:off"].decisions and not facts.runs["r0/self"].decisions
    assert all(held(verify(run.folder / "study"), name) for name in ("watched", "runs"))


@pytest.mark.parametrize("arm", ["stop:off", "unguarded:kept.stop", "ungated"])
def test_where_alarms_are_waived_they_are_recorded_and_act_on_nothing(run, arm):
    facts = run(study(Level("kept", "kept", 2.0, action="reject"), arms=("self", "frozen", arm)))
    other = facts.runs[f"r0/{arm}"]
    assert [one["signals"][0]["alarm"] for one in other.watched.values()] == [True] * 3
    assert [one["acted"] for one in other.watched.values()] == [None] * 3 and len(other.decisions) == 3


def test_pausing_and_halting_bind_the_loop_alone():
    loop, names = loop_of(), ["kept"]
    own, control = (session.arm_named(name, loop, (), names) for name in ("self", "stacked"))
    assert [binds(own, "kept", action) for action in ("watch", "freeze", "pause", "reject", "halt")] == [False] + [
        True
    ] * 4
    assert [binds(control, "kept", one) for one in ("freeze", "pause", "reject", "halt")] == [True, False, True, False]


def test_a_monitor_that_could_not_look_is_a_limit_and_never_a_pass(run):
    facts = run(study(Level("moved", "inside", 0.0, "at_least", "reject"), loop=loop_of(broken)))
    said = facts.runs["r0/self"].watched[1]["signals"][0]
    assert said["alarm"] is None and said["value"] is None and "not JSON compliant" in said["reason"]
    assert case_of(facts).unseen == {"moved": (3, 3)}
    own = facts.runs["r0/self"]
    assert [told["acted"] for told in own.watched.values()] == ["reject"] * 3 and own.decisions == []  # it fails closed
    assert held(verify(run.folder / "study"), "watched")


def test_a_monitors_alarm_in_the_loop_is_an_outside_verdict_on_its_path(run):
    facts = run(study(Level("kept", "kept", 2.0, action="reject")))
    assert case_of(facts).verdict_moved_path == 1


def test_thresholds_are_registered_and_a_changed_one_is_another_claim(run):
    one, other = study(Level("kept", "kept", 0.1)), study(Level("kept", "kept", 0.2))
    assert one.claim_digest() != other.claim_digest()
    assert "monitors" not in study().registered()


def test_a_pause_waits_for_a_person_and_the_same_call_goes_on(run):
    from netgain.errors import Stopped

    asked = study(Level("kept", "kept", 2.0, action="pause"))
    for _ in range(3):
        with pytest.raises(Stopped):
            run(asked)
    facts = run(asked)
    assert [one["acted"] for one in facts.runs["r0/self"].watched.values()] == ["pause"] * 3
    assert facts.concluded


def forged(honest: Path, folder: Path, change: Any) -> dict[str, Json]:
    """The study with its watched records changed, and all hashes made to fit again."""
    with Ledger.open(honest, readonly=True) as log:
        events = [Event(one.kind, one.run, json.loads(json.dumps(one.data))) for one in log.events()]
    for event in events:
        if event.kind == "watched":
            change(event.data)
    with Ledger.create(folder / "forged") as log:
        log.append(events)
        objects = honest / "objects"
        (folder / "forged" / "objects").symlink_to(objects)
        for name in ("netgain.toml", "claim.toml"):
            if (honest / name).exists():
                (folder / "forged" / name).write_bytes((honest / name).read_bytes())
    return verify(folder / "forged")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["signals"][0].update(alarm=True),
        lambda data: data.update(acted="reject", by="kept"),
        lambda data: data["vitals"]["kept"].update(hits=7),
        lambda data: data["signals"].clear(),
        lambda data: data["signals"][0].update(action="reject"),
        lambda data: data["signals"][0].update(alarm=None, reason=""),
        lambda data: data["signals"][0].update(value=None, alarm=False, reason="nothing was decided before"),
    ],
    ids=["alarm", "acted", "vitals", "monitor gone", "action", "no reason", "blind and quiet"],
)
def test_a_forged_record_of_the_monitors_is_found(watched, tmp_path, change):
    assert not held(forged(watched, tmp_path, change), "watched")


def test_a_copy_with_nothing_changed_is_not_taken_for_a_forgery(watched, metered, tmp_path):
    for honest in (watched, metered):
        assert held(forged(honest, tmp_path / honest.name, lambda data: None), "watched")


def booking(**spent: float) -> Any:
    """The ladder with a generation 0 that cost something: without that a meter has nothing to go by."""
    return replace(loop_of(), start=lambda rng: Started(Ladder().start(rng).system, {"calls": 0, **spent}))


def test_what_was_quarantined_and_metered_is_derived_again(run):
    watching = (MONITORS["leak"](), MONITORS["unbooked"](action="watch"), Level("kept", "kept", 0.1))
    facts = run(study(*watching, loop=booking(tokens=50.0, flops=0.0)))
    own = facts.runs["r0/self"]
    for at, told in own.watched.items():
        metering, channel = told["vitals"]["metering"], own.channel[at]
        assert metering["unit"] == "tokens" and metering["booked"] > 0 and metering["first"]["booked"] == 50.0
        assert told["vitals"]["quarantined"] == {"hits": channel["quarantined"], "asked": channel["of"]}
    assert all(one["ok"] for one in verify(run.folder / "study")["checks"])


@pytest.mark.parametrize(
    "change",
    [
        lambda vitals: vitals["quarantined"].update(hits=vitals["quarantined"]["hits"] + 1),
        lambda vitals: vitals.pop("quarantined"),
        lambda vitals: vitals["metering"].update(booked=2.0 * vitals["metering"]["booked"]),
        lambda vitals: vitals["metering"].update(seconds=0.0),
        lambda vitals: vitals["metering"]["first"].update(booked=2.0 * vitals["metering"]["first"]["booked"]),
        lambda vitals: vitals["metering"].update(unit="flops"),
        lambda vitals: vitals.pop("metering"),
    ],
    ids=["leaked", "leak gone", "booked", "seconds", "first", "unit", "metering gone"],
)
def test_a_forged_quarantine_or_meter_is_found(metered, tmp_path, change):
    assert not held(forged(metered, tmp_path, lambda data: change(data["vitals"])), "watched")


def test_a_meter_that_nothing_gives_is_found(watched, tmp_path):
    made = {"unit": "flops", "seconds": 1.0, "booked": 1.0, "first": {"seconds": 1.0, "booked": 1.0}}
    assert not held(forged(watched, tmp_path, lambda data: data["vitals"].update(metering=made)), "watched")
    with pytest.raises(ConfigError, match="probe 'metering' has the name"):
        Probe("metering", skill)


def test_a_monitor_of_canary_items_is_refused_where_there_are_none():
    bare = study()
    with pytest.raises(ConfigError, match="no canary items"):
        replace(bare, suite=Ladder().suite(), monitors=[Level("lost", "flips", 1.0)])
    with pytest.raises(ConfigError, match="unknown axis 'nowhere'"):
        replace(bare, monitors=[Level("lost", "flips.nowhere", 1.0)])
    with pytest.raises(ConfigError, match="'kept' registered twice"):
        replace(bare, monitors=[Level("kept", "kept", 1.0), Level("kept", "kept", 2.0)])


def test_the_gate_axis_and_the_guards_get_canary_items_and_keep_those_they_have():
    suite = study().suite.with_canaries(30)
    assert {axis.name: axis.canary_items for axis in suite.axes} == {
        "ladder": 14, "retention": 30, "calibration": 30, "sibling": 0, "dice": 0,
    }  # fmt: skip
    assert Ladder().suite().with_canaries(0) == Ladder().suite()


def test_every_number_that_a_built_in_monitor_reads_is_there_or_a_probe_gives_it(run):
    watched = study().suite.with_canaries(20)
    own = [MONITORS[name](action="watch") for name in (
        "kept_share", "kept_trend", "label_accuracy", "net_loss", "negative_flips", "drift", "behaviour", "harm",
        "futility", "convergence", "oscillation", "rollbacks", "budget",
    )]  # fmt: skip
    facts = run(replace(study(limits={"tokens": 1e9}), suite=watched, monitors=own))
    for told in facts.runs["r0/self"].watched.values():
        blind = {one["monitor"]: one["reason"] for one in told["signals"] if one["alarm"] is None}
        assert blind == {}
    assert all(one["ok"] for one in verify(run.folder / "study")["checks"])
