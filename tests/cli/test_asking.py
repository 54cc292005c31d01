"""policy.toml, approve, deny, pause and rollback: what people say from the command line, and what it exits with."""

import json
from pathlib import Path

import pytest
from program import ONE_START, ROOT
from test_run import going_on

from netgain.ledger import Ledger
from netgain.ledger.files import STOP


def made(cli, policy='[surfaces]\ndata = "one"\n', *more):
    assert cli("init", "mine", "--from", "ladder", *ONE_START, "--root", ROOT, *more).code == 0
    Path("mine/policy.toml").write_text(policy)


def events(kind):
    with Ledger.open(Path("mine"), readonly=True) as log:
        return [one.data for one in log.events(kind)]


def waiting(cli, *more):
    """Run until it waits; what it waits with, as status lists it."""
    said = cli("run", "mine", "--exploratory", "--json", *more)
    assert (said.code, said.record["error"], said.record["exit_code"]) == (6, "Waiting", 6)
    record = cli("status", "mine", "--json").record
    assert record["state"] == "waiting_approval" and record["since"] and record["reason"]
    return record["waiting"][0]


def answered(cli, kind, one, *more, reason="I read it"):
    words = (kind, one["id"], "--study", "mine", "--digest", one["digest"][:12], "--reason", reason, "--json", *more)
    return cli(*words)


def test_from_a_change_that_waits_to_the_verdict(cli):
    made(cli)
    first = waiting(cli)
    human = cli("status", "mine").out
    assert all(
        part in human for part in (first["id"], first["digest"][:16], "data", "bytes", "until", "netgain approve")
    )
    said = answered(cli, "approve", first, "--by", "anna")
    assert (said.code, said.record["schema"], said.record["still_needed"]) == (0, "netgain.approve/1", 0)
    assert said.record["next"] == "next: netgain run mine"
    second = waiting(cli)
    assert answered(cli, "deny", second, reason="too large").record["schema"] == "netgain.deny/1"
    assert cli("run", "mine", "--json").code == 0
    assert [(one["answer"], one["reason"]) for one in events("approval")] == [
        ("approve", "I read it"), ("deny", "too large"),
    ]  # fmt: skip
    verified = cli("verify", "mine", "--json").record
    assert {one["name"]: one["ok"] for one in verified["checks"]}["approvals"] is True
    assert all(one["ok"] for one in verified["checks"]), verified["checks"]
    page = Path("mine/report.html").read_text()
    assert "wait for 1 person" in page and "2 changes waited for people: 1 approved and 1 denied" in page


def test_two_people_and_how_many_are_still_needed(cli):
    made(cli, '[surfaces]\ndata = "two"\n')
    one = waiting(cli)
    assert answered(cli, "approve", one, "--by", "anna").record["still_needed"] == 1
    again = answered(cli, "approve", one, "--by", "ANNA")
    assert (again.code, "two people are two names" in again.record["what"]) == (2, True)
    assert answered(cli, "approve", one, "--by", "bob").record["still_needed"] == 0
    assert cli("status", "mine", "--json").record["next"]["cmd"] == "netgain run mine"
    assert waiting(cli)["round"] == 2


@pytest.mark.parametrize(
    ("change", "what"),
    [({"digest": "0" * 64}, "does not name the change"), ({"id": "00000000"}, "does not wait"),
     ({"digest": ""}, "does not name the change")],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_refused_before_it_is_left(cli, change, what):
    made(cli)
    one = waiting(cli)
    said = answered(cli, "approve", {**one, **change})
    assert said.code == 2 and what in said.record["what"] and one["id"] in said.record["fix"]
    assert answered(cli, "approve", one, reason=" ").code == 2
    assert not list(Path("mine/inbox").iterdir())


def test_what_no_longer_waits_cannot_be_approved(cli):
    made(cli, '[surfaces]\ndata = "one"\n[policy]\nexpires_hours = 1e-9\n')
    assert cli("run", "mine", "--exploratory", "--json").code == 0
    (first, _) = events("approval_requested")
    said = answered(cli, "approve", {"id": first["id"], "digest": first["change"]})
    assert said.code == 2 and "finished: nothing waits" in said.record["what"]
    assert cli("rollback", "mine", "--to", "0", "--reason", "x", "--json").code == 2


def test_a_mistake_in_the_policy_is_found_before_anything_runs(cli):
    made(cli, '[surfaces]\ndta = "one"\n')
    for command in (["plan", "mine"], ["run", "mine", "--exploratory"]):
        said = cli(*command, "--json")
        assert (said.code, said.record["where"]) == (2, "policy.toml:2")
    Path("mine/policy.toml").write_text(
        '[surfaces]\ndata = "forbidden"\ncurriculum = "forbidden"\nweights = "forbidden"\n'
    )
    said = cli("plan", "mine", "--json")
    assert (said.code, said.record["where"]) == (2, "policy.toml")


def test_the_policy_is_part_of_the_claim(cli):
    made(cli)
    waiting(cli)
    Path("mine/policy.toml").write_text('[surfaces]\ndata = "unattended"\n')
    said = cli("run", "mine", "--json")
    assert said.code == 2 and "policy" in said.record["what"]
    checks = {one["name"]: one for one in cli("verify", "mine", "--json").record["checks"]}
    assert checks["registration"]["ok"] is False and "policy.toml" in checks["registration"]["detail"]


def test_plan_says_what_runs_unattended(cli):
    made(cli, "")
    assert "policy   every change runs unattended" in cli("plan", "mine").out


def test_rollback_and_what_it_refuses(cli):
    made(cli)
    answered(cli, "approve", waiting(cli))
    waiting(cli)
    said = cli("rollback", "mine", "--to", "2", "--reason", "x", "--json")
    assert said.code == 2 and "expected one of 0, 1" in said.record["what"]
    said = cli("rollback", "mine", "--to", "0", "--reason", "worse in use", "--by", "anna", "--json")
    assert (said.code, said.record["schema"], said.record["run"]) == (0, "netgain.rollback/1", "r0/self")
    assert cli("run", "mine", "--json").code == 0
    (moved,) = events("rollback")
    assert (moved["to"], moved["by"]) == (0, "anna")
    assert all(one["ok"] for one in cli("verify", "mine", "--json").record["checks"])


def test_a_run_that_goes_on_is_paused_and_run_continues(cli, netgain_home):
    with going_on(netgain_home, "ladder", "--size", "tiny") as running:
        said = cli("pause", "studies/ladder", "--reason", "lunch", "--json")
        assert (said.code, said.record["schema"], said.record["asked"]) == (0, "netgain.pause/1", True)
        assert running.wait(60) == 5
    record = cli("status", "studies/ladder", "--json").record
    assert record["state"] == "paused" and "lunch" in record["reason"]
    said = cli("pause", "studies/ladder", "--json")
    assert said.record["asked"] is False and json.dumps(said.record)


def test_the_file_stop_keeps_a_study_from_going_on(cli):
    made(cli, "")
    Path("mine", STOP).touch()
    said = cli("run", "mine", "--exploratory", "--json")
    assert said.code == 5 and "remove mine/STOP" in said.record["what"]
    Path("mine", STOP).unlink()
    assert cli("run", "mine", "--json").code == 0
    Path("mine", STOP).touch()
    assert all(one["ok"] for one in cli("verify", "mine", "--json").record["checks"]), "it is no part of the record"
