"""`netgain whatif` and `netgain compare`: what a finished study can answer, and what it refuses to."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from program import ONE_START
from test_bad_input import mistake
from test_run import OWN

from netgain.comparison import first_difference
from netgain.ledger import Ledger


@pytest.mark.parametrize(
    ("drop", "identifiable"),
    [("human", True), ("axis:retention", True), ("item-cluster:6", True), ("replica:0", False), ("arm:frozen", False),
     ("guard:own.filter", False), ("guard:gate", False)],
)  # fmt: skip
def test_every_kind_of_assumption_has_one_record(cli, finished, drop, identifiable):
    said = cli("whatif", finished, "--drop", drop, "--json")
    record = said.record
    assert (said.code, record["schema"], record["drop"]) == (0 if identifiable else 4, "netgain.whatif/1", drop)
    assert record["identifiable"] is identifiable and record["registered"]["verdict"] == "INCONCLUSIVE"
    assert record["evidence"] is False and record["evidence_reason"]
    assert (record["under"] is None) is not identifiable
    if not identifiable:
        assert record["under_reason"].startswith("not identifiable from this study: ")
        assert drop.startswith(("replica", "arm")) or "add arm `un" in record["under_reason"]


def test_for_people_both_verdicts_stand_beside_each_other(cli, finished):
    said = cli("whatif", finished, "--drop", "axis:retention")
    heads = [line.split("  ")[0] for line in said.out.splitlines() if not line.startswith(" ")]
    assert heads == ["assumption", "rests on", "registered", "note", "under it", "because", "changes", "standing"]
    assert "is no evidence" in said.out


def test_a_round_cannot_be_dropped(cli, finished):
    said = mistake(cli("whatif", finished, "--drop", "round:1"))
    assert "all later rounds descend from it" in said and "--drop round:1" in said


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        ("rounds:1", "item-cluster"), ("replica:7", "'0'"), ("arm:placebo", "'frozen'"),
        ("arm:self", "the claim is about"), ("guard:own.filtre", "did you mean 'own.filter'"),
        ("human:anna", "takes no name"), ("", "item-cluster"),
    ],
)  # fmt: skip
def test_a_wrong_assumption_is_told_what_there_is(cli, finished, drop, says):
    assert says in mistake(cli("whatif", finished, "--drop", drop))


def test_a_study_without_a_verdict_answers_nothing(cli, finished):
    cli("init", "mine", "--from", "ladder", *ONE_START)
    for words in (("whatif", "mine", "--drop", "human"), ("compare", "mine", "mine"),
                  ("extend", "mine", "--replicas", "1"), ("replicate", "mine", "--to", "other")):  # fmt: skip
        assert "no study here" in mistake(cli(*words))
    assert "no folder" in mistake(cli("whatif", "nowhere", "--drop", "human"))
    assert "no folder" in mistake(cli("compare", finished, "nowhere"))


def test_a_record_that_does_not_give_its_own_verdict_is_asked_nothing(cli, finished):
    shutil.copytree(finished, "mine")
    with sqlite3.connect("mine/ledger.db") as ledger:
        ((seq, body),) = ledger.execute("SELECT seq, body FROM events WHERE kind = 'verdict'").fetchall()
        event = json.loads(body)
        event["data"]["verdict"] = "SUPPORTED"
        ledger.execute("UPDATE events SET body = ? WHERE seq = ?", (json.dumps(event), seq))
    ledger.close()
    said = cli("whatif", "mine", "--drop", "human", "--json")
    assert (said.code, said.record["error"]) == (7, "IntegrityError")


def test_a_real_study_without_its_people_ends_before_their_first_decision(cli):
    by = '"person" if view.round == 2 else "system"'
    Path("own.py").write_text(OWN.replace('reason="mean error', f'decided_by={by}, reason="mean error'))
    Path("own_truth.py").write_text("SHIFT = 7\n")
    cli("init", "mine", "--from", "own.py:study", "--set", "study.workers=1")
    assert cli("run", "mine", "--json").record["verdict"] == "SUPPORTED WITH LIMITS"
    touched = cli("report", "mine", "--json").record["autonomy"]["touches"]
    assert (touched["count"], touched["rounds_between"]) == (6, 2)
    record = cli("whatif", "mine", "--drop", "human", "--json").record
    assert (record["horizon"], record["rests_on"]) == (1, "sealed items")  # half of 2 rounds: a generation was kept
    told = "decisions by a person or an outside model on the path"
    assert any(told in limit for limit in record["registered"]["limits"])
    assert not any(told in limit for limit in record["under"]["limits"])
    assert record["under"]["effect"]["estimate"] > 0.5
    assert "first in round 2" in record["notes"][0] and "add arm `unaided`" in record["notes"][-1]


# --- Compare ---------------------------------------------------------------------------------------------------------
def test_two_studies_of_one_contract_stand_side_by_side(cli, finished):
    cli("init", "other", "--from", "ladder", *ONE_START, "--set", "gain=0")  # another option, the same contract
    assert cli("run", "other", "--exploratory", "--json").code == 0
    said = cli("compare", finished, "other", "--json")
    record = said.record
    assert (said.code, record["schema"], len(record["studies"])) == (0, "netgain.compare/1", 2)
    assert record["studies"][0]["net_gain"]["estimate"] > record["studies"][1]["net_gain"]["estimate"]
    own = next(one for one in record["arms"] if (one["axis"], one["arm"]) == ("ladder", "self"))
    with Ledger.open(finished, readonly=True) as log:
        sheets = {(one.data["split"], one.data["axis"], one.data["role"]): one.data["values"]
                  for one in log.events("scores", "r0/self")}  # fmt: skip
    values = sheets["sealed", "ladder", "served"]
    assert own["left"]["median"] == pytest.approx(sum(values) / len(values))
    assert record["pairs"] == [] and "no sealed block is the same" in record["pairs_reason"]
    assert "no test" in cli("compare", finished, "other").out


def test_items_are_paired_where_the_sealed_blocks_are_the_same(cli, finished):
    shutil.copytree(finished, "copy")
    record = cli("compare", finished, "copy", "--json").record
    assert {(one["axis"], one["arm"]) for one in record["pairs"]} >= {("ladder", "self"), ("retention", "frozen")}
    assert all(one["mean_difference"] == 0.0 and one["paired"] == one["items"] for one in record["pairs"])


def test_another_contract_is_refused_by_its_first_part_that_differs(cli, finished):
    cli("init", "other", "--from", "ladder", *ONE_START, "--set", "study.rounds=3")
    assert cli("run", "other", "--exploratory", "--json").code == 0
    said = mistake(cli("compare", finished, "other"))
    assert "not under one contract: contract.gate.confirmations is 2 and 3" in said


def test_the_first_difference_of_two_records_is_named_with_its_path():
    one = {"b": [{"name": "x", "margin": 1}, {"name": "y", "margin": 1}], "c": 2}
    assert first_difference(one, json.loads(json.dumps(one))) is None
    other = {"b": [{"name": "x", "margin": 1}, {"name": "y", "margin": 2}], "c": 3}
    assert first_difference(one, other) == "contract.b[y].margin is 1 and 2"
    assert first_difference({"a": None}, {}) == "contract.a is there in one only"
    assert first_difference({"a": [1]}, {"a": [1, 2]}) == "contract.a is [1] and [1, 2]"
