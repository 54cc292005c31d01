"""From events to tables: what is there is counted, what is not there stays apart from zero."""

from netgain.facts import Facts, RunFacts, reduce
from netgain.ledger.events import Stored


def log(*events):
    """Stored events from (kind, run, data)."""
    times = (f"2026-01-01T00:00:{seq:02}Z" for seq in range(60))
    return [Stored(seq, "", *event[:2], None, next(times), event[2]) for seq, event in enumerate(events)]


def registered(**study):
    claim = {"arm": "self", "metric": "m"}
    suite = {"axes": [{"name": "m"}]}
    return (
        "claim_registered", None,
        {"claim": claim, "study": {"rounds": 3, **study}, "contract": {"suite": suite}},
    )  # fmt: skip


def started(run="r0/self", arm="self", variant="", replica=0):
    return ("run_started", run, {"row": {"replica": replica, "arm": arm, "variant": variant, "stage": "start"}})


def scores(values, run="r0/self", split="report", role="released", round=1, axis="m", **status):
    status = {key[1:]: why for key, why in status.items()}
    place = {"round": round, "split": split, "axis": axis, "role": role}
    return ("scores", run, {**place, "values": values, "status": status})


def done(spend, run="r0/self", round=1, stage="build", **more):
    row = {"replica": 0, "arm": "self", "variant": "", "stage": "judge", "round": round}
    return ("stage_done", run, {"row": row, "round": round, "stage": stage, "spend": spend, "out": {}, **more})


def test_scores_go_into_the_table_of_their_split():
    facts = reduce(log(
        registered(),
        started(),
        scores([1.0], split="report"),
        scores([0.5], split="anchor", role="anchor"),
        scores([0.25], split="gate", role="candidate"),
        scores([0.0], split="sealed", role="served", round=3),
    ))  # fmt: skip
    run = facts.runs["r0/self"]
    assert run.report[1, "released", "m"].mean == 1.0
    assert run.anchor[1, "m"].mean == 0.5
    assert run.gate[1, "candidate", "m"].mean == 0.25
    assert facts.sealed_score(0, "self", "m").mean == 0.0
    assert facts.sealed_score(0, "frozen", "m") is None


def test_spend_adds_up_by_round_and_phase_and_what_is_unknown_stays_unknown():
    facts = reduce(log(
        started(),
        done({"start": None, "build": {"tokens": 5.0, "flops": None}, "answer": None}),
        done({"start": None, "build": {"tokens": 2.0, "flops": 9.0}, "answer": {"tokens": 1.0}}, stage="apply"),
        done({"start": None, "build": {"tokens": 4.0}, "answer": None}, round=2),
    ))  # fmt: skip
    assert facts.runs["r0/self"].spend_by_round == {
        1: {"build": {"tokens": 7.0, "flops": None}, "answer": {"tokens": 1.0}},
        2: {"build": {"tokens": 4.0}},
    }


def test_generation_0_was_paid_for_once_a_start_and_the_sealed_pass_by_every_run():
    made = {"start": {"tokens": 7.0}, "build": None, "answer": None}
    sealed = {"round": 3, "spend": {"sealed": {"tokens": 2.0}}}
    facts = reduce(log(
        started(), started("r0/frozen", "frozen"),
        done(made, round=0, stage="start"), done(made, run="r0/frozen", round=0, stage="start"),
        ("sealed_answered", "r0/self", sealed), ("sealed_answered", "r0/self", sealed),
    ))  # fmt: skip
    assert facts.starts == {0: {"tokens": 7.0}}
    assert facts.runs["r0/self"].phase("sealed") == [{"tokens": 4.0}]
    assert facts.runs["r0/frozen"].phase("sealed") == []


def test_sealed_scores_of_a_start_are_over_the_same_items():
    facts = reduce(log(
        registered(), started(), started("r0/frozen", "frozen"), started("r1/self", replica=1),
        scores([None, 1.0], split="sealed", role="served", _0="quarantined: the run trained on this question"),
        scores([1.0, 0.0], run="r0/frozen", split="sealed", role="served"),
        scores([1.0, 0.0], run="r1/self", split="sealed", role="served"),
    ))  # fmt: skip
    assert facts.sealed_score(0, "frozen", "m").mean == 0.0
    assert facts.sealed_score(1, "self", "m").mean == 0.5  # another start, another block


def of_a_menu(**spends):
    runs = {name: RunFacts(0, "ordinary", name, {"build": spend}) for name, spend in spends.items()}
    return Facts(runs=runs)


def test_a_menu_spent_what_its_thriftiest_entry_spent():
    facts = of_a_menu(short={"tokens": 5.0, "flops": 9.0}, long={"tokens": 7.0, "flops": 8.0})
    assert facts.spent(0, "ordinary", "build") == {"tokens": 5.0, "flops": 8.0}


def test_one_entry_of_unknown_cost_makes_the_cost_of_a_menu_unknown():
    facts = of_a_menu(short={"tokens": None}, long={"tokens": 7.0, "flops": 8.0})
    assert facts.spent(0, "ordinary", "build") == {"tokens": None, "flops": None}


def test_a_run_that_was_not_there_spent_nothing_that_is_known():
    assert Facts().spent(0, "self", "build") == {}


def test_a_verdict_concludes_a_study_until_more_starts_are_enrolled():
    events = [("replica_enrolled", None, {"replica": n, "arms": ["self"], "look": 2}) for n in range(2)]
    assert not reduce(log(*events)).concluded
    told = ("verdict", None, {"look": 2, "verdict": "SUPPORTED"})
    assert reduce(log(*events, told)).concluded
    more = ("replica_enrolled", None, {"replica": 2, "arms": ["self"], "look": 3})
    assert not reduce(log(*events, told, more)).concluded


def test_decisions_requests_failures_and_states_are_kept_in_order_with_their_time():
    facts = reduce(log(
        registered(),
        started(),
        ("gate_decision", "r0/self", {"round": 1, "outcome": "promote"}),
        ("decision", "r0/self", {"round": 1, "decided_by": "rule"}),
        ("stage_failed", "r0/self", {"round": 2, "cause": "system"}),
        ("request", None, {"kind": "stop"}),
        ("state", None, {"state": "stopped"}),
        ("a kind of a later version", None, {}),
    ))  # fmt: skip
    run = facts.runs["r0/self"]
    assert [(one["outcome"], one["seq"]) for one in run.decisions] == [("promote", 2)]
    assert [one["decided_by"] for one in run.choices] == ["rule"]
    assert [one["cause"] for one in run.failures] == ["system"]
    assert facts.requests == [{"kind": "stop", "time": "2026-01-01T00:00:05Z"}]
    assert facts.states == [{"state": "stopped", "since": "2026-01-01T00:00:06Z"}]
    assert (facts.registered_seq, facts.events) == (0, 8)


def test_the_row_of_a_run_is_its_last_one():
    facts = reduce(log(started(), done({}, round=1), done({}, round=2)))
    assert facts.runs["r0/self"].row["round"] == 2


def test_runs_of_an_arm_are_all_entries_of_its_menu():
    facts = reduce(log(started(), started("r0/ordinary.a", "ordinary", "a"), started("r0/ordinary.b", "ordinary", "b")))
    assert [run.variant for run in facts.runs_of(0, "ordinary")] == ["a", "b"]
    assert facts.runs_of(1, "ordinary") == []
