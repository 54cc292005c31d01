"""`netgain bench`: every measurement runs at a tiny size and says what it found, or why it found nothing."""

import json
import sys

import pytest

from netgain import verify
from netgain.bench import GROUPS, Measurement, Scale, measured
from netgain.bench.measurement import peak_bytes, process
from netgain.bench.study import write_study
from netgain.cli import main
from netgain.errors import ConfigError, NetgainError

TINY = Scale(repeats=2, share=0.002, processes=False)
FIELDS = {"name", "what", "unit", "repeats", "value", "low", "high", "ratio", "target", "met"}
QUICK_GROUPS = [name for name in GROUPS if name not in ("flagship", "tiny")]


@pytest.mark.parametrize("group", QUICK_GROUPS)
def test_a_group_measures_at_a_tiny_size_and_judges_no_target_by_it(group):
    found = [one.to_json() for one in measured(group, TINY)]
    assert found
    for record in found:
        assert set(record) >= FIELDS and record["name"].startswith(f"{group}.")
        assert record["met"] is None and record["met_reason"]
        assert all(record[f"{name}_reason"] for name in FIELDS if record[name] is None)
        if record["value"] is not None:
            assert record["repeats"] >= 1 and 0 < record["low"] <= record["value"] <= record["high"]
        json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("group", ["flagship", "tiny"])
def test_what_needs_training_is_skipped_with_its_reason(group):
    for one in measured(group, TINY):
        assert one.skipped and not one.values and one.to_json()["value_reason"] == one.skipped


def test_a_rival_that_is_not_installed_is_said_and_null(monkeypatch):
    monkeypatch.setitem(sys.modules, "ville", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    tests = [one.to_json() for one in measured("gate", TINY) if one.name.startswith("gate.test")]
    assert [one["ratio"] for one in tests] == [None] * 3
    assert {one["ratio_reason"] for one in tests} == {"ville: not installed"}
    assert all(one["value"] for one in tests)


def test_a_scan_without_its_rivals_is_measured_all_the_same(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    scans = [one.to_json() for one in measured("contamination", TINY)]
    assert [one["ratio_reason"] for one in scans] == ["datasketch: not installed", "rensa: not installed"]
    assert all(one["value"] for one in scans)


def test_an_unknown_group_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="gaet"):
        measured("gaet", TINY)


def test_the_command_prints_one_object_with_its_schema(capsys):
    code = main(["bench", "--quick", "--only", "simulation", "--json"], standalone_mode=False)
    record = json.loads(capsys.readouterr().out)
    assert (code, record["schema"], record["missed"]) == (0, "netgain.bench/1", [])
    assert {"version", "machine", "quick", "measurements"} <= set(record)
    assert isinstance(record["machine"]["busy"], bool)
    assert [one["name"] for one in record["measurements"]] == ["simulation.studies", "simulation.rounds"]


@pytest.mark.parametrize(
    ("values", "limits", "met"),
    [
        ([3.0, 1.0, 2.0], {"at_most": 2.0}, True),
        ([3.0, 1.0, 2.0], {"at_most": 1.9}, False),
        ([3.0, 1.0, 2.0], {"at_least": 2.1}, False),
        ([3.0, 1.0, 2.0], {}, None),
        ([], {"at_most": 2.0}, None),
        ([1.0], {"at_most": 2.0, "judged": False}, None),
    ],
)
def test_a_target_is_judged_on_the_median_of_a_full_size(values, limits, met):
    one = Measurement(name="a.b", what="", unit="s", values=values, **limits)
    assert one.met is met
    assert ("met_reason" in one.to_json()) == (met is None)


def test_a_process_that_fails_is_no_measurement():
    with pytest.raises(NetgainError, match="code 3"):
        process("-c", "raise SystemExit(3)")
    spent = process("-c", "print('said')")
    assert spent.out == "said\n" and spent.cpu > 0 and spent.wall > 0
    assert peak_bytes() > 1 << 20


def test_a_written_study_is_a_whole_one(tmp_path):
    written = write_study(1500)
    assert 1000 < len(written.events) < 2500
    found = verify.verify(written.save(tmp_path / "study"))
    assert [check["detail"] for check in found["checks"] if not check["ok"]] == []
    assert [entry.leaf for entry in written.events][-1] == verify.Study(tmp_path / "study").leaves[-1].hex()


@pytest.mark.nightly
def test_the_bare_script_comes_to_the_systems_of_the_runtime():
    pytest.importorskip("torch")
    found = measured("flagship", Scale(repeats=1, share=0.2))  # refuses to compare other systems
    for steps, whole in zip(found[::2], found[1::2], strict=True):
        assert steps.values and whole.values[0] >= steps.values[0] and steps.met is None
