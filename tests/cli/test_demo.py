"""`netgain demo` at the size that it is shipped with; the tests of the recipe run it at a smaller one."""

import pytest

CONTROLS = {"frozen", "ordinary", "placebo", "unguarded:better.filter", "random_proposer", "stacked"}


@pytest.mark.nightly
def test_the_demo_as_it_is_shipped(cli) -> None:
    said = cli("demo", "--json")
    assert said.code == 0 and set(said.record["scores"]) == CONTROLS | {"self"}
    assert said.record["scores"]["self"] > said.record["scores"]["frozen"] + 0.2
    assert said.record["verdict"] in ("REFUTED", "INCONCLUSIVE"), "numbers drawn at random do as well"
    assert cli("verify", "studies/demo", "--json").record["verdict"] == said.record["verdict"]
