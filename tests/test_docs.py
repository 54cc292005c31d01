"""Reference pages are generated and current, and nothing public is undocumented."""

import importlib
import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import click
import pytest

import netgain
from netgain import config
from netgain.budget import UNITS

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("make_reference", HERE / "tools" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def main():
    return importlib.import_module("netgain.cli").main


@pytest.mark.parametrize("page", ["cli_page", "api_page"])
def test_a_reference_page_is_what_the_code_says(reference, page):
    path = HERE / "docs" / "reference" / page.replace("_page", ".md")
    assert path.read_text(encoding="utf-8") == getattr(reference, page)(), "run `make docs`"


def test_every_command_says_what_it_does_and_ends_with_an_example(reference, main):
    for command, context in reference.commands(main, "netgain"):
        assert command.help, f"{context.command_path} has no help text"
        if not isinstance(command, click.Group):
            shown = (command.epilog or command.help).strip().splitlines()[-1]
            assert "netgain " in shown, f"the help of {context.command_path} does not end with an example"


def test_every_option_says_what_it_does(reference, main):
    for command, context in reference.commands(main, "netgain"):
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{context.command_path} {option.opts[0]} has no help text"


def test_every_public_name_and_method_has_a_docstring():
    for name in netgain.__all__:
        thing = getattr(netgain, name)
        assert inspect.getdoc(thing), f"{name} has no docstring"
        for method_name, method in inspect.getmembers(thing, inspect.isfunction) if inspect.isclass(thing) else ():
            own = method.__module__.startswith("netgain") and not method_name.startswith("_")
            assert not own or inspect.getdoc(method), f"{name}.{method_name} has no docstring"


def test_every_key_of_the_two_files_is_in_the_quickstart_or_the_concepts():
    text = "".join((HERE / "docs" / name).read_text(encoding="utf-8") for name in ("quickstart.md", "concepts.md"))
    for schema in (config.StudyFile, config.ClaimFile, config.GateFile):
        for name in config._keys(schema):
            assert f"`{name}`" in text, f"{name} is not documented"
    for unit in UNITS:
        assert f"`{unit}`" in text, f"{unit} is not documented"


def test_every_key_of_the_policy_is_in_the_page_about_approvals():
    text = (HERE / "docs" / "approvals.md").read_text(encoding="utf-8")
    for schema in (config.LimitsFile, config.SurfacesFile):
        assert [name for name in config._keys(schema) if name not in text] == []


def test_every_link_between_our_pages_leads_to_a_file():
    for page in [*HERE.glob("*.md"), *HERE.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def test_every_dependency_is_pinned():
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [need for extra in project["project"]["optional-dependencies"].values() for need in extra]
    names = {re.split(r"[\[<>=~! ]", need)[0] for need in wanted} - {"netgain"}
    rows = (HERE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [row for row in rows if row and not row.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert names <= {pin.split("==")[0].lower() for pin in pins}


def test_the_runner_calls_exactly_the_test_command():
    commands = [line for line in (HERE / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands == ['cd "$(dirname "$0")/.." && exec make test']
