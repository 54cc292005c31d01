"""errors.py: the tree is the one that is drawn, and each error says what, where and what next."""

import inspect
import json
import pickle
import re

import pytest

from netgain import errors
from netgain.errors import BudgetExhausted, ConfigError, GateError, NetgainError, StageError

DRAWN = re.compile(r"^( {4,})(\w+) *(\d*)", re.MULTILINE)


def drawn_tree() -> dict[str, tuple[str | None, int | None]]:
    """Read name -> (parent, exit code or None) from the drawing at the top of errors.py."""
    tree: dict[str, tuple[str | None, int | None]] = {}
    above: dict[int, str] = {}
    for indent, name, code in DRAWN.findall(inspect.getdoc(errors) or ""):
        depth = len(indent) // 2 - 2
        tree[name] = (above.get(depth - 1), int(code) if code else None)
        above[depth] = name
    return tree


def raised() -> dict[str, type[Exception]]:
    own = inspect.getmembers(errors, inspect.isclass)
    return {name: kind for name, kind in own if issubclass(kind, Exception)}


def test_the_drawing_shows_every_error_under_its_parent_with_its_exit_code():
    tree = drawn_tree()
    assert set(tree) == set(raised())
    for name, kind in raised().items():
        parent, code = tree[name]
        if name == "BudgetExhausted":  # drawn beside the tree's root, because a normal end is no failure
            assert kind.__base__ is Exception
        else:
            assert kind.__base__ is (raised()[parent] if parent else Exception)
        assert code is None or kind.exit_code == code
        assert code is not None or issubclass(kind, StageError)


def test_no_exit_code_means_two_different_things_to_a_script():
    codes = {kind.exit_code for kind in raised().values()}
    assert codes == {1, 2, 5, 6, 7, 8, 75}


def test_a_message_says_where_what_and_what_next():
    error = ConfigError("replicas is 0", where="netgain.toml:4", fix="write 6")
    assert str(error) == "netgain.toml:4: replicas is 0; write 6"
    assert str(NetgainError("it broke")) == "it broke"


@pytest.mark.parametrize("kind", [kind for kind in raised().values() if issubclass(kind, NetgainError)])
def test_every_error_has_the_same_facts_as_json(kind):
    record = json.loads(json.dumps(kind("it broke", where="here", fix="mend it").as_json()))
    assert record["error"] == kind.__name__
    assert (record["what"], record["where"], record["fix"]) == ("it broke", "here", "mend it")
    assert record["exit_code"] == kind.exit_code


def test_an_unknown_fact_is_null_in_json():
    assert ConfigError("it broke").as_json()["where"] is None


def test_a_stage_error_names_stage_round_and_candidate():
    record = GateError("no receipt", round=3, candidate="c81f").as_json()
    assert (record["stage"], record["round"], record["candidate"]) == ("judge", 3, "c81f")


def test_every_stage_error_knows_its_stage():
    family = StageError.__subclasses__()
    assert len(family) == 5
    assert {kind.stage for kind in family} == {"propose", "build", "judge", "apply"}


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    error = ConfigError.unknown("key", "surfces", ["arm", "surfaces"], where="claim.toml:9")
    assert (
        str(error) == "claim.toml:9: unknown key 'surfces', expected one of 'arm', 'surfaces'; did you mean 'surfaces'?"
    )


def test_an_unknown_name_near_nothing_does_not_guess():
    error = ConfigError.unknown("recipe", "zzz", ["length"])
    assert "did you mean" not in str(error)
    assert "'length'" in str(error)


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(GateError("no receipt", where="e-7", fix="stop", round=2)))
    assert (str(error), error.round) == ("e-7: no receipt; stop", 2)
    assert (
        str(pickle.loads(pickle.dumps(BudgetExhausted("tokens", 12, 10)))) == "budget of 10 tokens used up (12 spent)"
    )


def test_the_normal_end_is_not_caught_as_a_failure():
    assert not issubclass(BudgetExhausted, NetgainError)
