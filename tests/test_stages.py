"""What a user puts a loop together from, checked when it is put together."""

import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.records import Change, Examples, Part
from netgain.stages import GATE_MODES, USES, Filter, Loop, build_single_part
from netgain.surfaces import SURFACES
from netgain.testing.ladder import Ladder, answer


def loop(**more):
    return Loop(Ladder().start, Ladder().propose, answer, **more)


def test_a_loop_of_three_functions_is_a_loop():
    found = loop()
    assert (found.gate, found.surfaces, found.menu, found.filters) == ("strict", ("policy",), {}, ())
    assert found.build is build_single_part


@pytest.mark.parametrize("surfaces", [["weight"], []])
def test_an_unknown_surface_is_an_error_that_lists_the_known_ones(surfaces):
    with pytest.raises(ConfigError) as error:
        loop(surfaces=surfaces)
    assert all(known in str(error.value) for known in SURFACES)


def test_an_unknown_gate_mode_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        loop(gate="lenient")
    assert all(known in str(error.value) for known in ("'lenient'", *GATE_MODES))


@pytest.mark.parametrize("check", [Filter("own", ("filter", "stop")), Filter("Own"), Filter("a.b"), Filter("")])
def test_a_filter_with_an_odd_name_or_an_unknown_use_is_refused(check):
    with pytest.raises(ConfigError) as error:
        loop(filters=(check,))
    assert all(use in str(error.value) for use in USES)


def test_one_function_of_plain_training_is_a_menu_of_one():
    ladder = Ladder()
    assert loop(ordinary=ladder.ordinary).menu == {"plain": ladder.ordinary}
    assert list(loop(ordinary={"short": ladder.ordinary, "long": ladder.ordinary}).menu) == ["short", "long"]


def test_the_single_part_of_a_change_is_the_new_system():
    budget = Budget()
    assert build_single_part("old", Change([Part("policy", "new")]), budget, None) == "new"
    assert budget.spent["tokens"] == 0.0  # known to be nothing, so that the round's spend is what the proposal booked


@pytest.mark.parametrize("parts", [[], [Part("data", Examples()), Part("curriculum", 3)]])
def test_several_parts_need_a_build_function(parts):
    with pytest.raises(ValueError, match=f"{len(parts)} parts"):
        build_single_part("old", Change(parts), Budget(), None)
