"""The register of kinds: complete, documented, where defaults come from, and nothing that old suites notice."""

from pathlib import Path

import pytest

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.kinds import KINDS
from netgain.metric import METRICS
from netgain.recipes.length import suite_of
from netgain.recipes.length.options import options_of
from netgain.suite import axis
from netgain.testing.ladder import Ladder
from netgain.twins import perturbed

PAGE = Path(__file__).parents[1] / "docs" / "axes.md"
SHORT = Strings("copy", (2,))


def test_the_page_has_the_register_row_by_row():
    text = PAGE.read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        row = (
            f"| `{name}` | {kind.measures} | {f'`{kind.metric}`' if kind.metric else 'to be named'} "
            f"| {kind.margin:.2f} | {kind.step_margin:.2f} | {'yes' if kind.overlap else 'no'} | {kind.group or '–'} "
            f"| {'yes' if kind.idle else 'no'} |"
        )
        assert row in text, f"docs/axes.md lacks the row:\n{row}"
    for metric in METRICS:
        assert f"`{metric}`" in text, f"docs/axes.md says nothing of metric {metric}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_known_metric_and_margins_that_can_be_lost(kind):
    row = KINDS[kind]
    assert row.metric == "" or row.metric in METRICS
    assert 0 < row.margin < 1 and 0 < row.step_margin < 1
    assert row.direction == "higher is better" and row.range == (0.0, 1.0)


def test_an_axis_takes_from_its_kind_what_it_does_not_say():
    cheap = axis("a", SHORT, "cost(10)", kind="cost")
    assert (cheap.margin, cheap.step_margin) == (0.10, 0.10)
    assert axis("a", SHORT, kind="calibration").metric is METRICS["brier"]
    assert axis("a", perturbed(SHORT, "case"), kind="adversarial").group == "worst"
    own = axis("a", SHORT, "exact", kind="cost", margin=0.3, step_margin=0.2, overlap=True)
    assert (own.metric.name, own.margin, own.step_margin, own.overlap) == ("exact", 0.3, 0.2, True)


def test_a_kind_without_a_metric_of_its_own_asks_for_one():
    with pytest.raises(ConfigError, match=r"no budget.*cost\(200\)"):
        axis("a", SHORT, kind="cost")


def test_the_suites_of_the_recipes_are_recorded_as_they_were_before_there_was_a_register():
    # Digests of commit 603afb2: an axis that uses nothing new has nothing new on record.
    assert digest(Ladder().suite().spec()) == "a0638bc69d9bc1767671d2fae5f87408b658a488e2ad28341623b93cf9720b1e"
    length = digest(suite_of(options_of({})).spec())
    assert length == "e3d1f6067ebc65c842dd3202d35717a309665bfb155cd56771fe5aca328b262e"


def test_what_an_axis_uses_beyond_that_is_on_record():
    plain = axis("a", SHORT).spec()
    assert not {"group", "second", "disagree"} & plain.keys()
    two = axis("a", SHORT, second="first", disagree=0.1).spec()
    assert (two["second"], two["disagree"]) == ("first", 0.1)
    assert axis("a", perturbed(SHORT, "case"), group="worst").spec()["group"] == "worst"


def test_a_group_needs_clusters_and_a_known_rule():
    with pytest.raises(ConfigError, match="its items no cluster"):
        axis("a", SHORT, group="worst")
    with pytest.raises(ConfigError, match="its items no cluster"):
        axis("a", [{"input": 1, "target": 1}], group="agree")
    assert axis("a", [{"input": 1, "target": 1, "cluster": "x"}], group="agree").group == "agree"
    with pytest.raises(ConfigError, match="group of axis 'a' 'wurst'"):
        axis("a", perturbed(SHORT, "case"), group="wurst")


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_limit_of_disagreement_is_a_share(share):
    with pytest.raises(ConfigError, match="disagree"):
        axis("a", SHORT, second="first", disagree=share)
