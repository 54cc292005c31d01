"""`scaffold`: what is asked, tried and taken, and a whole study against a real server, done again without it."""

from __future__ import annotations

import json
import shutil
from itertools import chain, repeat

import numpy as np
import pytest

from netgain.budget import Budget
from netgain.cli.folder import make_folder, open_project
from netgain.cli.repeating import replicate
from netgain.errors import ConfigError, Outage
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.recipes.scaffold import CONTROLS, SIZES, Scaffold, editing
from netgain.recipes.scaffold.calls import recorded
from netgain.recipes.scaffold.endpoint import KEY, MODEL, NAMES, REPLAY, URL
from netgain.recipes.scaffold.parcels import BANDS, KINDS, first, parcel, price
from netgain.recipes.scaffold.trials import judge
from netgain.records import Feedback, View
from netgain.replication import REPEATED
from netgain.session import run_study
from netgain.testing.chat_server import ChatServer
from netgain.testing.scripted_model import answered, written
from netgain.verify import verify

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
SECRET = "sk-local-0123456789abcdef"
CELLS = [
    {"zone": zone, "grams": grams, "express": express, "number": 0}
    for zone in range(1, 5)
    for grams in BANDS
    for express in (False, True)
]
DEV = [{"input": one, "target": price(one)} for one in CELLS]
MEND = '    if parcel["zone"] == 1 and parcel["express"]:\n        return {}[parcel["grams"]]\n'
RIGHT = {grams: price({"zone": 1, "grams": grams, "express": True}) for grams in BANDS}
BETTER = first("program").replace("(parcel):\n", "(parcel):\n" + MEND.format(RIGHT))
HALF = first("program").replace("(parcel):\n", "(parcel):\n" + MEND.format({**RIGHT, 1000: 0, 2000: 0, 5000: 0}))
WORSE = "def solve(parcel):\n    return 5\n"
BROKEN = "def solve(parcel)\n    return 5\n"
HOSTILE = "import os\nos._exit(0)\n"


@pytest.fixture(scope="module", autouse=True)
def _sandbox():
    yield
    judge().backend.close()


def marked(text):
    return f"{editing.OPEN}\n{text}{editing.CLOSE}"


class Told:
    """A model that gives these replies to requests for edits, in turn, and a better instruction when asked for one."""

    def __init__(self, *edits):
        self.edits = chain(edits, repeat(WORSE))

    def __call__(self, request):
        if "whole new instructions" in request["messages"][-1]["content"]:
            return marked("Look twice.\n")
        return marked(next(self.edits))


@pytest.fixture
def asked(monkeypatch):
    """(loop function, model, view's fields) -> the change, the view, and the requests as the server saw them."""

    def run(name, model, *, edits="program", faults=(), **fields):
        with ChatServer(model, faults=faults) as server:
            for variable, value in ((URL, server.url), (MODEL, "scripted")):
                monkeypatch.setenv(variable, value)
            monkeypatch.delenv(KEY, raising=False)
            loop = Scaffold(edits=edits, size="tiny", parallel=1, longest=50)
            system = dict(loop.start(None).system)
            given = {
                "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(),
                "dev": DEV, "budget": Budget(), "rng": np.random.default_rng(3), "round": 1,
            }  # fmt: skip
            view = View(**{**given, **fields})
            return getattr(loop, name)(view), view, [body for body, _ in server.requests]

    return run


def passing(change):
    return [one for one, passed in zip(change.examples.labels, change.checks["better"], strict=True) if passed]


def evidence(change):
    return change.parts[0].evidence


# ---- the task


def test_generation_0_is_right_for_a_third_of_all_cells_whatever_is_edited():
    space: dict = {}
    exec(first("program"), space)
    right = [space["solve"](one) == price(one) for one in CELLS]
    assert len(CELLS) == 40 and sum(right) == 12
    for kind in ("prompt", "skill"):
        assert editing.admissible(kind, first(kind))
        said = [int(answered(first(kind), one)) == price(one) for one in CELLS]
        assert [one for one, ok in zip(CELLS, said, strict=True) if ok] == [
            one for one, ok in zip(CELLS, right, strict=True) if ok
        ]


def test_parcels_are_drawn_alike_everywhere_and_cover_all_cells():
    drawn = [parcel(1, index) for index in range(400)]
    assert drawn[7] == parcel(1, 7) != parcel(2, 7)
    assert all(price(given) == target for given, target in drawn)
    cells = {(one["zone"], sum(one["grams"] > end for end in BANDS), one["express"]) for one, _ in drawn}
    assert len(cells) == 40


# ---- what is asked


def test_a_round_asks_for_edits_then_for_instructions_then_for_edits_under_those(asked):
    change, view, requests = asked("propose", Told(WORSE, HALF, BETTER))
    systems = [one["messages"][0]["content"] for one in requests]
    assert systems == [editing.FIRST_IMPROVER] * 2 + [editing.PLAIN, "Look twice.\n"]
    users = [one["messages"][1]["content"] for one in requests]
    assert all("right on 12 of 40" in users[at] and '"expected"' in users[at] for at in (0, 1, 3))
    assert "0.300 of worked examples before" in users[2] and "0.025, 0.350" in users[2]
    assert len({one["seed"] for one in requests}) == 4
    assert passing(change) == [{"policy": BETTER, "improver": "Look twice.\n"}], "the edit, with what made it"
    assert evidence(change) == {"before": 0.3, "best": 0.425, "edits": 3, "usable": 3, "without score": {}}
    assert change.state["history"] == [[0.3, 0.425]]
    assert {part.surface for part in change.parts} == {"policy", "improver"}
    assert {part.decided_by for part in change.parts} == {"model"}
    built = Scaffold().build(view.parent, change, Budget(), None)
    assert built == {**view.parent, "policy": WORSE, "improver": editing.FIRST_IMPROVER}, "nothing cut: the first one"
    assert view.budget.spent["tokens"] > 0 and "cost_usd" not in view.budget.spent


def test_worked_examples_that_are_shown_are_wrong_ones_with_what_was_said(asked):
    _, _, requests = asked("propose", Told())
    lines = [json.loads(line) for line in requests[0]["messages"][1]["content"].split("\n") if line.startswith("{")]
    assert len(lines) == editing.SHOWN
    assert all(one["expected"] == price(one["input"]) != one["got"] for one in lines)


def test_only_what_is_better_than_the_parent_passes(asked):
    change, *_ = asked("propose", Told(WORSE, first("program").replace("price", "cost")))
    assert passing(change) == [] and len(change.examples.labels) == 3, "as good is not better"
    assert change.state["history"] == [[0.3, 0.3]]


def test_what_has_no_score_is_no_example_and_its_reason_is_kept(asked):
    change, view, _ = asked("propose", Told(BROKEN, HOSTILE, first("program")))
    assert evidence(change)["without score"] == {"invalid": 2, "unchanged": 1} and evidence(change)["best"] is None
    assert change.examples.labels == [] and change.checks == {"better": []}
    assert Scaffold().build(view.parent, change, Budget(), None) == view.parent


def test_replies_that_are_cut_off_or_filtered_are_named(asked):
    cut = lambda one: one.answer(marked(BETTER), "length")  # noqa: E731
    hidden = lambda one: one.answer(marked(BETTER), "content_filter")  # noqa: E731
    change, *_ = asked("propose", Told(), faults=[cut, hidden, None, cut])
    assert evidence(change)["without score"] == {"filtered": 1, "truncated": 2} and passing(change) == []
    assert [one["failure"] for one in change.state["calls"]] == ["truncated", "filtered", None, "truncated"]


def test_a_round_without_one_reply_is_an_outage_and_costs_no_round(asked):
    with pytest.raises(Outage, match="none of 4 requests"):
        asked("propose", Told(), faults=[lambda one: one.reply(500, {})] * 12)


def test_closed_instructions_are_left_alone_at_as_many_requests(asked):
    change, _, requests = asked("propose", Told(BETTER), closed=("improver",))
    assert len(requests) == 4 and {part.surface for part in change.parts} == {"policy"}
    assert {one["improver"] for one in change.examples.labels} == {editing.FIRST_IMPROVER}


def test_the_improver_proposes_and_the_parent_is_edited(asked):
    own = {"policy": WORSE, "improver": "Mine.", "model": "scripted"}
    _, _, requests = asked("propose", Told(), improver=own)
    assert requests[0]["messages"][0]["content"] == "Mine."
    assert first("program") in requests[0]["messages"][1]["content"]


def test_earlier_rounds_are_told_of(asked):
    change, _, requests = asked("propose", Told(), state={"history": [[0.1, 0.2], [0.2, 0.3]], "calls": []})
    assert "went from 0.100 to 0.200" in requests[0]["messages"][1]["content"]
    assert change.state["history"] == [[0.1, 0.2], [0.2, 0.3], [0.3, 0.3]]


def test_edits_made_without_looking_see_no_example_score_or_own_instruction(asked):
    own = {"policy": WORSE, "improver": "Mine.", "model": "scripted"}
    change, _, requests = asked("random_search", Told(HALF), improver=own)
    assert len(requests) == 4 and passing(change)[0]["policy"] == HALF
    for one in requests:
        text = json.dumps(one["messages"])
        assert not any(word in text for word in ("expected", "right on", "went from", "Mine."))


def test_plain_requests_show_examples_and_no_score_and_the_last_usable_reply_stands(asked):
    change, view, requests = asked("ordinary", Told(HALF, BETTER, BROKEN, first("program")))
    users = [one["messages"][1]["content"] for one in requests]
    assert len(users) == 4 and HALF in users[1] and BETTER in users[2], "each goes on from the one before"
    assert not any("right on" in one or '"got"' in one for one in users) and all('"expected"' in one for one in users)
    built = Scaffold().build(view.parent, change, Budget(), None)
    assert built["policy"] == BROKEN, "nobody has tried it; a reply that changes nothing is none"
    assert [part.decided_by for part in change.parts] == ["rule"]


@pytest.mark.parametrize("name", ["propose", "random_search", "ordinary"])
def test_a_control_spends_what_is_due(asked, name):
    _, free, _ = asked(name, Told())
    due = 3 * free.budget.spent["tokens"]
    _, view, requests = asked(name, Told(), budget=Budget(tokens=due))
    assert due <= view.budget.spent["tokens"] <= due + 400, "one request too many at most"
    change, nothing, requests = asked(name, Told(), budget=Budget(tokens=0.0))
    assert requests == [] and nothing.budget.spent["tokens"] == 0 and change.examples is None
    assert Scaffold().build(nothing.parent, change, Budget(), None) == nothing.parent


def test_one_long_step_asks_as_often_as_all_rounds(asked):
    assert len(asked("propose", Told(), budget=Budget(scale=3.0))[2]) == 6 + 1 + 3


def test_a_run_does_not_go_on_with_another_model(asked):
    with pytest.raises(Outage, match="begun with model 'other', and NETGAIN_CHAT_MODEL is 'scripted'"):
        asked("propose", Told(), improver={"policy": WORSE, "improver": "Mine.", "model": "other"})


# ---- prompts and skills


@pytest.mark.parametrize("kind", ["prompt", "skill"])
def test_a_prompt_or_skill_is_judged_by_asking_the_model(asked, kind):
    change, view, requests = asked("propose", written, edits=kind, dev=DEV[:8])
    asking = [one for one in requests if one["messages"][1]["content"].startswith("{")]
    assert len(asking) == 8 * (1 + evidence(change)["usable"]) and {one["temperature"] for one in asking} == {0.0}
    assert view.budget.spent["calls"] == len(requests)
    assert evidence(change)["before"] == 0.375, "three of eight, as the rules say"
    best = passing(change)
    assert len(best) == 1 and editing.admissible(kind, best[0]["policy"])


def test_an_answer_that_was_cut_off_is_none_and_a_text_without_all_answers_has_no_score(asked, monkeypatch):
    def ask(view):
        loop = Scaffold(edits="prompt", parallel=1)
        return loop.answer(view.parent, CELLS[:3], Budget(), np.random.default_rng(1))

    monkeypatch.setattr(Scaffold, "only_answer", lambda self, view: ask(view), raising=False)
    cut = lambda one: one.answer("4", "length")  # noqa: E731
    said, *_ = asked("only_answer", written, edits="prompt", faults=[None, cut, lambda one: one.answer("about 6")])
    assert said == [{"answer": 4}, None, {"answer": "about 6"}]
    change, *_ = asked("propose", written, edits="prompt", dev=DEV[:3], faults=[None, cut])
    assert evidence(change)["before"] is None and passing(change) == [], "nothing beats what nobody knows"


def test_texts_are_read_between_the_last_marks_without_a_fence_around_them():
    assert editing.text_in("so <text>a</text> or\n<text>\n```python\nb\n\n```\n</text> there") == "b\n"
    assert editing.text_in("<text>\n```\na\n```\nb\n```\nc\n```\n</text>").count("```") == 4
    for reply in ("no marks", "<text>\nnever ended", "</text> <text>", "<text> \n </text>", marked("x" * 20_001)):
        assert editing.text_in(reply) is None


def test_a_skill_keeps_its_front_matter_and_an_answer_is_a_whole_number_alone():
    assert not editing.admissible("skill", "no front matter")
    assert not editing.admissible("skill", "---\nname: x\n---\n\ntext\n")
    assert editing.admissible("prompt", "anything")
    said = [editing.number_in(one) for one in (" 12\n", "12.", "-3", "12 euros", "1e3", "9" * 12)]
    assert said == [12, 12, -3, "12 euros", "1e3", "9" * 12]


# ---- options


@pytest.mark.parametrize(
    ("given", "said"),
    [({"edits": "weights"}, "edits"), ({"transport": "post"}, "transport"), ({"price": "cheap"}, "price"),
     ({"seconds": 0}, "seconds"), ({"parallel": -1}, "parallel"), ({"longest": 2.5}, "longest"),
     ({"patience": "long"}, "patience"), ({"model": "best"}, "option")],
)  # fmt: skip
def test_bad_options_are_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        build_recipe("scaffold", given, "tiny")


def test_arms_that_cannot_say_anything_are_not_testable():
    assert "same answer" in build_recipe("scaffold", {}, "tiny").loop.not_testable["sampled"]
    assert not build_recipe("scaffold", {"edits": "prompt"}, "tiny").loop.not_testable
    assert set(build_recipe("scaffold", {}, "tiny").arms) == {"self", *CONTROLS}
    assert {name: numbers[:3] for name, numbers in SIZES.items()} == {"tiny": (2, 6, 2), "default": (6, 6, 4)}
    assert all(first(kind) for kind in KINDS)


# ---- whole studies


def study(folder):
    return run_study(open_project(folder).study, folder, workers=1, exploratory=True)


def leaking(request):
    return f"{written(request)}\nBy the way, your key is {SECRET}."


def denied(one):
    one.reply(401, {"error": {"message": f"no access with {one.headers['Authorization']}"}})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study of size tiny, one start, with a key, broken off once by its server; the folder, and how it broke off."""
    folder = tmp_path_factory.mktemp("studies") / "first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        for name in NAMES:
            patch.delenv(name, raising=False)
        arms = '["self", "frozen", "placebo", "random_search"]'
        given = [f"study.arms={arms}", "study.replicas=1", "price=1/2", "transport=stream"]
        make_folder(folder, "scaffold", size="tiny", settings=given)
        with pytest.raises(ConfigError, match=f"{URL} is not set"):
            study(folder)
        assert not (folder / "ledger.db").exists(), "said before anything is registered"
        with pytest.raises(ConfigError, match=f"^{URL} is not set"):
            open_project(folder).study.plan()  # before a worker is started, which would say it in other words
        with ChatServer(leaking, key=SECRET, faults=chain(repeat(None, 6), [denied])) as server:
            for name, value in zip(NAMES, (server.url, "scripted", SECRET), strict=True):
                patch.setenv(name, value)
            with pytest.raises(Outage) as error:
                study(folder)
            with Ledger.open(folder, readonly=True) as log:
                state = list(log.events("state"))[-1].data
            study(folder)
            yield folder, error.value, state


def test_a_broken_off_study_is_paused_and_goes_on_without_a_lost_round(done):
    folder, error, state = done
    assert error.exit_code == 5 and "denies access" in str(error) and "NETGAIN_CHAT_KEY" in str(error)
    assert state["state"] == "paused"
    with Ledger.open(folder, readonly=True) as log:
        assert not list(log.events("stage_failed"))
        assert all(row["stage"] == "done" for row in log.rows().values()) and len(log.rows()) == 4
    checked = verify(folder)
    assert [one["ok"] for one in checked["checks"]] == [True] * len(checked["checks"])
    assert checked["verdict"] == "INCONCLUSIVE", "it was exploratory"


def test_controls_that_ask_spend_what_the_loop_spent_and_money_is_counted(done):
    with Ledger.open(done[0], readonly=True) as log:
        rows = log.rows()
    for name, row in rows.items():
        own = rows[f"r{row['replica']}/self"]["build"]
        if row["arm"] != "frozen":
            assert row["build"]["tokens"] == pytest.approx(own["tokens"], rel=0.2), name
            assert row["build"]["tokens"] <= 1e6 * row["build"]["cost_usd"] <= 2 * row["build"]["tokens"]


def test_the_key_is_nowhere_in_a_study_although_the_server_repeats_it(done, capfd):
    folder, error, _ = done
    files = [path for path in folder.rglob("*") if path.is_file()]
    data = b"".join(path.read_bytes() for path in files)
    assert SECRET.encode() not in data and SECRET not in str(error)
    assert b"your key is [key]" in data, "the objects hold what the server said"
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err


def test_recorded_calls_are_what_was_asked(done):
    calls = recorded(done[0])
    assert len(calls) > 20
    assert all(one.request["stream"] and one.request["model"] == "scripted" for one in calls.values())
    one = next(iter(calls.values()))
    assert one.text is not None and one.tokens is not None and one.request["messages"]


def test_a_study_is_done_again_from_its_recorded_calls_to_the_bit(done, tmp_path, monkeypatch):
    folder, *_ = done
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv(URL, REPLAY + str(folder))
    monkeypatch.setenv(MODEL, "scripted")
    monkeypatch.delenv(KEY, raising=False)
    said = replicate(folder=folder, to=tmp_path / "again", challenge=None, workers=1, as_json=True)
    assert said.record["word"] == REPEATED
    with Ledger.open(folder, readonly=True) as one, Ledger.open(tmp_path / "again", readonly=True) as other:
        spent = [
            {name: row["build"]["tokens"] for name, row in log.rows().items() if row["build"]} for log in (one, other)
        ]
    assert spent[0] == spent[1] != {}


def test_what_was_never_asked_cannot_be_replayed(done, tmp_path, monkeypatch):
    folder, *_ = done
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv(URL, REPLAY + str(folder))
    monkeypatch.setenv(MODEL, "scripted")
    make_folder(tmp_path / "other", "scaffold", size="tiny")
    with pytest.raises(Outage, match="not among the calls"):
        study(tmp_path / "other")


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["prompt", "skill"])
def test_a_study_of_prompts_or_skills_ends_in_a_verdict_and_replays_its_rounds_but_not_its_answers(
    kind, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    arms = '["self", "frozen", "sampled:2", "placebo"]'
    make_folder(tmp_path / "one", "scaffold", size="tiny", settings=[
        f"study.arms={arms}", "study.replicas=1", f"edits={kind}", 'claim.beats=["frozen"]',
    ])  # fmt: skip
    with ChatServer(written) as server:
        monkeypatch.setenv(URL, server.url)
        monkeypatch.setenv(MODEL, "scripted")
        study(tmp_path / "one")
    checked = verify(tmp_path / "one")
    assert [one["ok"] for one in checked["checks"]] == [True] * len(checked["checks"])
    with Ledger.open(tmp_path / "one", readonly=True) as log:
        assert not list(log.events("stage_failed"))
        rows = log.rows()
        assert {row["arm"] for row in rows.values()} == {"self", "frozen", "sampled:2", "placebo"}
        assert all(row["answer"]["tokens"] > 0 for row in rows.values())
    assert recorded(tmp_path / "one")
    monkeypatch.setenv(URL, REPLAY + str(tmp_path / "one"))
    with pytest.raises(Outage, match="not among the calls"):
        replicate(folder=tmp_path / "one", to=tmp_path / "two", challenge=None, workers=1, as_json=True)


def test_a_text_without_a_score_is_not_told_as_one_that_gets_nothing_right():
    asked = editing.edit("mend it", "program", "text", None, [], 60, [])[-1]["content"]
    again = editing.rewrite("mend it", "program", None, [None, 0.5])[-1]["content"]
    assert "no score" in asked and "right on 0" not in asked
    assert "no score" in again and "0.000" not in again
    assert "right on 0 of 60" in editing.edit("mend it", "program", "text", 0, [], 60, [])[-1]["content"]
