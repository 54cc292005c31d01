"""config.py: what a study's two files say, and one clear message with its line for each mistake in them."""

import dataclasses
import os
import string
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain import config
from netgain.budget import UNITS
from netgain.config import ClaimFile, StudyFile, check_claimed_arms, read_claim, read_study, render_claim, render_study
from netgain.errors import ConfigError
from netgain.stages import GATE_MODES

STUDY = """\
# a study
[study]
recipe = "length"
replicas = 6
arms = [
    "self",
    "frozen",
]

[options]
check = "cycle"

[budget]
device_seconds = 900
"""

CLAIM = """\
[claim]
metric = "ladder"
by = 0.3
beats = ["frozen"]
rung = "R1"
"""


def study_from(folder, text):
    path = folder / "netgain.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(path)


def claim_from(folder, text):
    path = folder / "claim.toml"
    path.write_text(text, encoding="utf-8")
    return read_claim(path)


def study_mistake(folder, text):
    with pytest.raises(ConfigError) as caught:
        study_from(folder, text)
    return str(caught.value)


def claim_mistake(folder, text):
    with pytest.raises(ConfigError) as caught:
        claim_from(folder, text)
    return str(caught.value)


def test_a_study_is_read_into_a_frozen_record(tmp_path):
    study = study_from(tmp_path, STUDY)
    assert study == StudyFile(
        recipe="length",
        replicas=6,
        arms=("self", "frozen"),
        options={"check": "cycle"},
        budget={"device_seconds": 900.0},
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.replicas = 7


def test_what_a_file_leaves_out_has_its_default(tmp_path):
    study = study_from(tmp_path, '[study]\nloop = "mine.py:loop"\nreplicas = 1\narms = ["self"]\n')
    assert (study.recipe, study.size, study.rounds, study.workers, study.options) == (None, None, None, 2, {})
    claim = claim_from(tmp_path, CLAIM)
    assert (claim.arm, claim.alpha, claim.looks, claim.starve) == ("self", 0.05, (6, 9, 12), 0.05)
    assert (claim.expected, claim.starts, claim.analysis, claim.mode) == (None, "fresh", "typical start", None)


def test_a_whole_number_is_a_number_but_true_is_none(tmp_path):
    by = claim_from(tmp_path, CLAIM.replace("0.3", "0")).by
    assert (by, type(by)) == (0.0, float)
    assert "by is True" in claim_mistake(tmp_path, CLAIM.replace("0.3", "true"))


def test_later_checks_can_say_the_line_of_a_key(tmp_path):
    study = study_from(tmp_path, STUDY)
    assert study.source.where("study", "replicas") == "netgain.toml:4"
    assert study.source.where("options", "check") == "netgain.toml:11"
    assert study.source.where("options", "absent") == "netgain.toml:10"
    assert study.source.where("nowhere") == "netgain.toml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("replicas = 6", "replicas = 0", "netgain.toml:4: replicas is 0, expected a whole number of at least 1"),
        ("replicas = 6", 'replicas = "6"', "netgain.toml:4: replicas is '6', expected a whole number of at least 1"),
        ("replicas = 6", "replicas = 6.0", "netgain.toml:4: replicas is 6.0, expected a whole number of at least 1"),
        ("replicas = 6", "replicas = 6\nrounds = 0", "netgain.toml:5: rounds is 0, expected a whole number of"),
        ("replicas = 6", "replicas = 6\nworkers = 0", "netgain.toml:5: workers is 0, expected a whole number of"),
        ("replicas = 6", "replicsa = 6", "netgain.toml:4: unknown key 'replicsa', expected one of 'recipe', 'loop', "),
        ("replicas = 6\n", "", "netgain.toml:2: [study] has no 'replicas', expected a whole number of at least 1"),
        ("replicas = 6", "replicas = 6\nreplicas = 7", "netgain.toml:5: not TOML: Cannot overwrite a value"),
        ("replicas = 6", "replicas = ", "netgain.toml:4: not TOML: Invalid value in 'replicas ='"),
        ('"self",', "7,", "netgain.toml:5: arms[0] is 7, expected a list with at least one arm"),
        ('"self",', '"frozen",', "netgain.toml:5: arms lists 'frozen' 2 times, expected each once"),
        ('"length"', '""', "netgain.toml:3: recipe is '', expected the name of a recipe"),
        ('recipe = "length"', 'loop = "mine"', "netgain.toml:3: loop is 'mine', expected a file and a name"),
        ('recipe = "length"\n', "", "netgain.toml:2: [study] has neither 'recipe' nor 'loop', expected one"),
        ("[study]", '[study]\nloop = "a.py:b"', "netgain.toml:2: [study] has both 'recipe' and 'loop', expected one"),
        ("[study]", "[stud]", "netgain.toml:2: unknown table 'stud', expected one of 'study', 'gate', 'monitors', 'ca"),
        ("[options]", "[study.options]", "netgain.toml:10: unknown key 'options', expected one of"),
        ('"cycle"', "nan", "netgain.toml:11: check is nan, expected text, a finite number"),
        ('"cycle"', "1979-05-27", "netgain.toml:11: check is datetime.date(1979, 5, 27), expected text"),
        ('"cycle"', "{ a = 1 }", "netgain.toml:11: check is {'a': 1}, expected text"),
        ("device_seconds", "device_second", "netgain.toml:14: unknown key 'device_second', expected one of"),
        ("900", "0", "netgain.toml:14: device_seconds is 0, expected a finite number above 0"),
        ("900", "inf", "netgain.toml:14: device_seconds is inf, expected a finite number above 0"),
        ("900", "true", "netgain.toml:14: device_seconds is True, expected a finite number above 0"),
        ("900", '"much"', "netgain.toml:14: device_seconds is 'much', expected a finite number above 0"),
    ],
)
def test_a_mistake_in_a_study_is_shown_with_its_line(tmp_path, old, new, message):
    assert STUDY.replace(old, new) != STUDY
    assert study_mistake(tmp_path, STUDY.replace(old, new)).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("by = 0.3", "by = -0.1", "claim.toml:3: by is -0.1, expected a number from 0 to below 1"),
        ("by = 0.3", "by = 1.0", "claim.toml:3: by is 1.0, expected a number from 0 to below 1"),
        ("by = 0.3", "by = nan", "claim.toml:3: by is nan, expected a number from 0 to below 1"),
        ("by = 0.3", "by = '0.3'", "claim.toml:3: by is '0.3', expected a number from 0 to below 1"),
        ("by = 0.3", "by = 0.3\nalpha = 0.06", "claim.toml:4: alpha is 0.06, expected a number above 0 and at most"),
        ("by = 0.3", "by = 0.3\nalpha = -0.05", "claim.toml:4: alpha is -0.05, expected a number above 0 and at most"),
        ("by = 0.3", "by = 0.3\nstarve = 1", "claim.toml:4: starve is 1, expected a number from 0 to below 1"),
        ("by = 0.3", "by = 0.3\nexpected = 0", "claim.toml:4: expected is 0, expected a number above 0 and at most 1"),
        ("by = 0.3", "by = 0.3\nlooks = [9, 6]", "claim.toml:4: looks is [9, 6], expected a rising list of whole"),
        ("by = 0.3", "by = 0.3\nlooks = [6, 6]", "claim.toml:4: looks is [6, 6], expected a rising list of whole"),
        ("by = 0.3", "by = 0.3\nlooks = [0]", "claim.toml:4: looks is [0], expected a rising list of whole"),
        ("by = 0.3", "by = 0.3\nlooks = [6, true]", "claim.toml:4: looks[1] is True, expected a rising list"),
        ("by = 0.3", "by = 0.3\nlooks = []", "claim.toml:4: looks is [], expected a rising list"),
        ("by = 0.3", 'by = 0.3\nanalysis = "median"', "claim.toml:4: analysis is 'median', expected 'typical start'"),
        ("by = 0.3", 'by = 0.3\nabout = "all"', "claim.toml:4: about is 'all', expected 'loop' or 'version'"),
        ("by = 0.3", "by = 0.3\nshare = 1.0", "claim.toml:4: share is 1.0, expected a number between 0 and 1"),
        ("by = 0.3", 'by = 0.3\nlooks = "opne"', "claim.toml:4: looks is 'opne', expected a rising list"),
        ("by = 0.3", 'by = 0.3\nstarts = "stale"', "claim.toml:4: starts is 'stale', expected 'fresh' or"),
        ("by = 0.3", 'by = 0.3\nmode = "lax"', "claim.toml:4: mode is 'lax', expected 'strict', 'advance' or 'watch'"),
        ('"R1"', '"R3"', "claim.toml:5: rung is 'R3', expected one of 'R1', 'R2', 'R4', 'R5', 'R6', 'R7' (R3 is"),
        ('["frozen"]', "[]", "claim.toml:4: beats is [], expected a list with at least one control arm"),
        ('["frozen"]', '"frozen"', "claim.toml:4: beats is 'frozen', expected a list with at least one control arm"),
        ('["frozen"]', '["self"]', "claim.toml:4: beats names 'self', the claimed arm itself"),
        ("[claim]", "", "claim.toml:2: unknown table 'metric', expected one of 'claim'; it belongs under [claim]"),
        ("by = 0.3", "by = 0.3\nreplicas = 6", "claim.toml:4: unknown key 'replicas', expected one of 'arm', "),
    ],
)
def test_a_mistake_in_a_claim_is_shown_with_its_line(tmp_path, old, new, message):
    assert CLAIM.replace(old, new) != CLAIM
    assert claim_mistake(tmp_path, CLAIM.replace(old, new)).startswith(message)


def test_a_misspelt_key_names_the_nearest(tmp_path):
    message = study_mistake(tmp_path, STUDY.replace("replicas", "replicsa"))
    assert message.endswith("; did you mean 'replicas'?")


def test_a_key_of_the_other_file_says_where_it_belongs(tmp_path):
    message = study_mistake(tmp_path, STUDY.replace("replicas = 6", "replicas = 6\nalpha = 0.05"))
    assert message.endswith("; it belongs under [claim] of claim.toml")


def test_of_several_mistakes_the_first_line_is_shown(tmp_path):
    text = '[study]\nrecipe = "length"\nrounds = 0\nreplicas = 0\narms = []\nzzz = 1\n'
    assert study_mistake(tmp_path, text).startswith("netgain.toml:3: rounds is 0")


def test_a_long_value_is_cut(tmp_path):
    message = study_mistake(tmp_path, STUDY.replace("replicas = 6", f'replicas = "{"x" * 5000}"'))
    assert len(message) < 300


def test_every_mistake_names_a_next_step(tmp_path):
    with pytest.raises(ConfigError) as caught:
        study_from(tmp_path, STUDY.replace("replicas = 6", "replicas = 0"))
    assert caught.value.fix == "write for example `replicas = 6`"
    assert caught.value.exit_code == 2


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match=r"no such file .*; `netgain init DIR --from RECIPE` makes one"):
        read_study(tmp_path / "netgain.toml")


def test_a_folder_in_place_of_the_file_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        read_claim(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_a_clear_error(tmp_path):
    path = tmp_path / "claim.toml"
    path.write_text(CLAIM)
    path.chmod(0)
    with pytest.raises(ConfigError, match="Permission denied"):
        read_claim(path)


def test_a_file_that_is_not_utf8_names_byte_and_line(tmp_path):
    path = tmp_path / "netgain.toml"
    path.write_bytes(STUDY.encode() + b'name = "\xff"\n')
    with pytest.raises(ConfigError, match=r"netgain.toml:15: byte 0xff is not UTF-8"):
        read_study(path)


def test_an_absurdly_nested_file_is_a_clear_error(tmp_path):
    assert "not TOML" in study_mistake(tmp_path, "x = " + "[" * 100_000)


def test_an_empty_file_has_no_table(tmp_path):
    assert study_mistake(tmp_path, "").startswith("netgain.toml: no [study] table, expected one")


def test_lines_are_right_behind_strings_lists_and_comments_that_look_like_keys(tmp_path):
    text = '''\
[options]
a = """
replicas = 1
[study]
"""
b = ["x", # arms = 3
  "]",
]
"quoted key" = 'it is # no comment'

[ study ]   # replicas = 9
recipe = "len\\"gth"
"replicas" = 0
arms = ["self"]
'''
    assert study_mistake(tmp_path, text).startswith("netgain.toml:13: replicas is 0")


def test_a_claim_about_an_arm_that_the_study_does_not_run_is_refused(tmp_path):
    study = study_from(tmp_path, STUDY)
    check_claimed_arms(study, claim_from(tmp_path, CLAIM))
    other = claim_from(tmp_path, CLAIM.replace('"frozen"', '"ordinary"'))
    with pytest.raises(ConfigError, match=r"claim.toml:4: unknown arm of this study 'ordinary'.* 'self', 'frozen'"):
        check_claimed_arms(study, other)


# --- writing and reading again --------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(words, st.integers(-(2**63), 2**63 - 1), finite, st.booleans())
counts = st.integers(1, 10**6)
arms = st.lists(words, min_size=1, max_size=4, unique=True).map(tuple)

studies = st.builds(
    StudyFile,
    recipe=words,
    size=st.none() | words,
    replicas=counts,
    rounds=st.none() | counts,
    arms=arms,
    workers=counts,
    options=st.dictionaries(words, scalars | st.lists(scalars, max_size=3).map(tuple), max_size=3),
    budget=st.dictionaries(st.sampled_from(UNITS), st.floats(1e-9, 1e18), max_size=3),
)
claims = st.builds(
    ClaimFile,
    arm=st.just("self"),
    metric=words,
    by=st.floats(0, 1, exclude_max=True),
    beats=arms.filter(lambda names: "self" not in names),
    rung=st.sampled_from(["R1", "R2", "R4", "R5"]),
    alpha=st.floats(0, 0.05, exclude_min=True),
    looks=st.lists(counts, min_size=1, max_size=4, unique=True).map(lambda looks: tuple(sorted(looks))),
    expected=st.none() | st.floats(0, 1, exclude_min=True),
    starve=st.floats(0, 1, exclude_max=True),
    starts=st.sampled_from(["fresh", "this generation 0"]),
    mode=st.none() | st.sampled_from(["strict", "advance", "watch"]),
)


@given(studies)
def test_a_written_study_reads_as_the_same_study(tmp_path_factory, study):
    assert study_from(tmp_path_factory.mktemp("study"), render_study(study)) == study


@given(claims)
def test_a_written_claim_reads_as_the_same_claim(tmp_path_factory, claim):
    assert claim_from(tmp_path_factory.mktemp("claim"), render_claim(claim)) == claim


def test_a_study_of_ones_own_loop_is_written_and_read(tmp_path):
    study = StudyFile(loop="mine.py:loop", replicas=2, arms=("self",))
    assert study_from(tmp_path, render_study(study)) == study


def test_a_written_file_explains_every_key_and_option():
    study = StudyFile(recipe="length", replicas=6, arms=("self",), options={"check": "cycle"})
    text = render_study(study, notes={"check": "how an answer is checked"})
    assert '# how an answer is checked\ncheck = "cycle"\n' in text
    for schema, rendered in ((StudyFile, text), (ClaimFile, render_claim(a_claim()))):
        for name, key in config._keys(schema).items():
            assert f"# {key.means}\n" in rendered
            assert f"\n{name} = " in rendered or f"\n# {name} = " in rendered


def a_claim():
    return ClaimFile(metric="ladder", by=0.3, beats=("frozen",), rung="R1")


@pytest.mark.parametrize("schema", [StudyFile, ClaimFile])
def test_every_example_in_a_message_is_itself_accepted(tmp_path, schema):
    given_keys = config._keys(schema)
    examples = {name: key.example for name, key in given_keys.items() if name != "loop"}
    if schema is StudyFile:
        assert study_from(tmp_path, render_study(StudyFile(**examples)))
        assert study_from(tmp_path, render_study(StudyFile(**{**examples, "recipe": None, "loop": "mine.py:loop"})))
    else:
        assert claim_from(tmp_path, render_claim(ClaimFile(**examples)))


def test_the_gate_modes_are_those_of_the_loop():
    assert get_args(config.GateMode) == GATE_MODES


def test_every_field_that_is_not_a_table_of_its_own_is_a_declared_key():
    own_tables = {"gate", "monitors", "canaries", "canary_axes", "probation", "options", "budget", "source"}
    for schema in (StudyFile, ClaimFile, config.GateFile, config.CanariesFile, config.ProbationFile):
        names = [f.name for f in dataclasses.fields(schema) if f.name not in own_tables]
        assert names == list(config._keys(schema))
        assert all(set(key.expects) & set(string.ascii_letters) and key.means for key in config._keys(schema).values())
