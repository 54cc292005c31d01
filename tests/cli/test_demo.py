"""`netgain demo`: from nothing to a verdict and a page, and a second call says the same without running again."""

import pytest

from netgain.cli import demonstrating
from netgain.ledger import Ledger

CONTROLS = {"frozen", "ordinary", "placebo", "unguarded:better.filter", "random_proposer", "stacked"}


def test_a_demo_ends_with_scores_a_verdict_and_a_page_that_verifies(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstrating, "SIZE", "tiny")
    said = cli("demo")
    assert said.code == 0
    lines = said.out.splitlines()
    arms = [line.split()[1] for line in lines[1 : lines.index("")]]
    assert CONTROLS | {"self"} <= set(arms)
    scores = [float(line.split()[0]) for line in lines[1 : lines.index("")]]
    assert scores == sorted(scores, reverse=True)
    assert "verdict" in said.out and "studies/demo/report.html" in said.out
    before = cli("verify", "studies/demo", "--json").record
    again = cli("demo", "--json")
    assert again.record["schema"] == "netgain.demo/1" and again.record["verdict"] == before["verdict"]
    assert {arm: round(score, 3) for arm, score in again.record["scores"].items()} == dict(
        zip(arms, scores, strict=True)
    )
    with Ledger.open("studies/demo", readonly=True) as log:
        assert len(list(log.events("verdict"))) == 1


@pytest.mark.nightly
def test_the_demo_as_it_is_shipped(cli) -> None:
    said = cli("demo", "--json")
    assert said.code == 0 and set(said.record["scores"]) == CONTROLS | {"self"}
    assert said.record["scores"]["self"] > said.record["scores"]["frozen"] + 0.2
    assert said.record["verdict"] in ("REFUTED", "INCONCLUSIVE"), "numbers drawn at random do as well"
