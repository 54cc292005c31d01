"""What an import costs, counted in modules rather than seconds (`make bench` measures the seconds)."""

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "torch", "pydantic", "rich", "jinja2", "sqlite3")


def loaded_after(code: str) -> set[str]:
    """Run code in a new interpreter and return the names of the top-level packages that it loaded."""
    tail = "import json, sys; print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{tail}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_netgain_loads_none_of_its_dependencies():
    assert not loaded_after("import netgain") & {*HEAVY, "click"}


def test_a_public_name_loads_at_its_first_use():
    assert "difflib" not in loaded_after("import netgain; netgain.ConfigError")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_neither_numbers_nor_parsers(arguments):
    call = f"from netgain.cli import main\nmain({arguments!r}, standalone_mode=False)"
    assert not loaded_after(call) & set(HEAVY) - {"rich"}


def test_public_names_are_one_sorted_list():
    import netgain

    assert list(netgain.__all__) == sorted(netgain.__all__) == sorted(netgain._HOMES)
    assert len(netgain.__all__) <= 25
    for name in netgain.__all__:
        assert getattr(netgain, name).__name__ == name


def test_an_unknown_public_name_lists_the_known_ones():
    import netgain

    with pytest.raises(AttributeError, match="no attribute 'Lop', expected one of"):
        netgain.Lop  # noqa: B018 - the access is the test
