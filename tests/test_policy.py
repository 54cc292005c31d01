"""policy.toml: what people allow, read strictly; a typo must not let a change through."""

from dataclasses import fields
from pathlib import Path

import pytest

from netgain.config import POLICY_NAME, LimitsFile, SurfacesFile, _keys, read_policy
from netgain.errors import ConfigError
from netgain.policy import RULES, Policy
from netgain.surfaces import SURFACES

SIZE = {"parts": 1, "bytes": 10, "examples": 0}


def read(folder: Path, text: str) -> Policy:
    (folder / POLICY_NAME).write_text(text)
    return read_policy(folder / POLICY_NAME)


def test_both_tables_are_read_and_either_may_be_left_out(tmp_path: Path) -> None:
    both = read(
        tmp_path, '[policy]\nmax_parts = 2\nexpires_hours = 1\n[surfaces]\ndata = "two"\nweights = "forbidden"\n'
    )
    assert both == Policy({**dict.fromkeys(SURFACES, "unattended"), "data": "two", "weights": "forbidden"}, 2,
                          expires_hours=1.0)  # fmt: skip
    assert read(tmp_path, "") == Policy()
    assert read(tmp_path, '[surfaces]\ntools = "one"\n').people(["tools", "data"]) == 1


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('[surfaces]\n\ntool = "one"\n', "policy.toml:3", "did you mean 'tools'"),
        ('[surfaces]\ndata = "three"\n', "policy.toml:2", "'three', expected one of 'unattended'"),
        ("[policy]\nmax_part = 3\n", "policy.toml:2", "did you mean 'max_parts'"),
        ("[policy]\nmax_parts = 0\n", "policy.toml:2", "0, expected a whole number of at least 1"),
        ("[policy]\nmax_bytes = true\n", "policy.toml:2", "True, expected a whole number"),
        ("[policy]\nexpires_hours = 0\n", "policy.toml:2", "0, expected a number above 0"),
        ("[policy]\nexpires_hours = 1e9\n", "policy.toml:2", "at most 8760"),
        ('[policy]\ndata = "one"\n', "policy.toml:2", "it belongs under [surfaces] of policy.toml"),
        ('[surface]\ndata = "one"\n', "policy.toml:1", "did you mean 'surfaces'"),
        ('data = "one"\n', "policy.toml:1", "unknown table 'data'"),
        ("[surfaces\n", "policy.toml:1", "not TOML"),
    ],
)
def test_a_mistake_is_one_error_with_its_line_and_the_nearest_key(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert str(error.value.where).startswith(where) and what in str(error.value), str(error.value)


def test_the_declared_keys_are_the_surfaces_and_the_fields_of_a_policy() -> None:
    assert tuple(_keys(SurfacesFile)) == SURFACES
    assert {*_keys(LimitsFile)} == {one.name for one in fields(Policy)} - {"surfaces"}


def test_a_policy_goes_through_json_and_back() -> None:
    policy = Policy({"data": "one", "tools": "unattended", "weights": "forbidden"}, 2, 100, 5, 1.5)
    record = policy.to_json()
    assert record["surfaces"] == {"data": "one", "weights": "forbidden"}
    assert Policy.from_json(record).to_json() == record
    assert Policy.from_json(None) == Policy()


@pytest.mark.parametrize(
    "wrong",
    [{"surfaces": {"date": "one"}}, {"surfaces": {"data": "three"}}, {"max_parts": 0}, {"expires_hours": float("nan")}],
)
def test_an_impossible_policy_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Policy(**wrong)  # type: ignore[arg-type]


def test_the_strictest_surface_of_a_change_counts() -> None:
    policy = Policy({"data": "one", "tools": "two", "weights": "forbidden"})
    assert [policy.people(one) for one in ([], ["policy"], ["data"], ["data", "tools"])] == [0, 0, 1, 2]
    assert policy.refusal(["data"], SIZE) == ""
    assert "'weights'" in policy.refusal(["data", "weights"], SIZE)
    assert len(RULES) == 4


@pytest.mark.parametrize("what", ["parts", "bytes", "examples"])
def test_a_size_at_its_limit_is_allowed_and_one_more_is_not(what: str) -> None:
    policy = Policy(**{f"max_{what}": 10})
    assert policy.refusal([], {**SIZE, what: 10}) == ""
    assert policy.refusal([], {**SIZE, what: 11}) == f"the policy allows 10 {what} in a change, and this one has 11"


def test_only_a_policy_that_says_something_binds() -> None:
    assert not Policy({"data": "unattended"}, expires_hours=1.0).binds
    assert all(one.binds for one in (Policy({"data": "one"}), Policy({"data": "forbidden"}), Policy(max_examples=1)))
