"""Choosing a sandbox: the order, no weaker fallback, and the remedy for the machine."""

import json
from dataclasses import dataclass, replace

import pytest

from netgain.cli import main
from netgain.errors import ConfigError, SandboxError
from netgain.sandbox import Level, choice
from netgain.sandbox.bare import Limited
from netgain.sandbox.choice import KINDS, Kind, chosen, table, warm
from netgain.sandbox.remedies import APPARMOR, CONTAINER, ELSEWHERE, NAMESPACES, Machine, for_bubblewrap, machine


def absent(why="not there"):
    def make():
        raise SandboxError(why)

    return make


@dataclass
class Claiming(Limited):
    """A plain process that claims more than it keeps."""

    name: str = "claiming"
    level: Level = Level.S2


@dataclass
class Sound(Limited):
    """Stands for a backend that works, where it is not attacked."""

    name: str = "sound"
    level: Level = Level.S2


@pytest.fixture
def kinds(monkeypatch):
    """Backends of the test's own, in order."""

    def put(**made):
        found = {name: Kind(make, Level.S2, lambda here: f"remedy for {here.system}") for name, make in made.items()}
        monkeypatch.setattr(choice, "KINDS", {**found, "process": KINDS["process"], "none": KINDS["none"]})

    return put


def test_the_order_is_bubblewrap_landlock_wasm_and_below_only_on_request():
    assert list(KINDS) == ["bubblewrap", "sandlock", "wasm", "process", "none"]
    assert [kind.level for kind in KINDS.values()] == [Level.S2, Level.S1, Level.S3, Level.S1, Level.S0]


def test_the_first_that_is_there_is_taken_and_the_others_are_told(kinds):
    kinds(first=absent("no program"), second=Sound)
    found = chosen(probe=False)
    assert (found.backend.name, found.passed_over) == ("sound", (("first", "no program"),))


def test_nothing_weaker_is_taken_where_nothing_works(kinds):
    kinds(first=absent("no program"), second=absent("no package"))
    with pytest.raises(SandboxError, match="level S2 works here.*first: no program; second: no package.*remedy for"):
        chosen(probe=False)


def test_one_that_lets_an_attack_succeed_ends_the_search(kinds):
    kinds(first=Claiming, second=Sound)
    with pytest.raises(SandboxError, match="'claiming' does not keep level S2"):
        chosen()


def test_one_that_runs_nothing_is_as_good_as_missing(kinds):
    @dataclass
    class Blocked(Limited):
        name: str = "blocked"
        level: Level = Level.S2

        def run(self, job):
            raise SandboxError("bwrap: setting up uid map: Permission denied")

    kinds(first=Blocked)
    with pytest.raises(SandboxError, match="first: bwrap: setting up uid map: Permission denied.*remedy for"):
        chosen()


def test_a_bwrap_that_may_make_no_namespaces_is_as_good_as_missing(kinds, monkeypatch, tmp_path):
    """As on a machine whose security module forbids them: the program is there, and runs nothing."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    kinds(bubblewrap=KINDS["bubblewrap"].make, second=Sound)
    assert (warm().name, chosen(probe=False).backend.name) == ("sound", "sound")
    kinds(bubblewrap=KINDS["bubblewrap"].make)
    with pytest.raises(SandboxError, match="Permission denied.*remedy for"):
        warm()


def test_a_lower_level_has_to_be_asked_for_by_name_and_level():
    with pytest.raises(ConfigError, match="keeps level S1, expected S2"):
        chosen("process")
    assert chosen("process", least=Level.S1).backend.level == Level.S1
    assert chosen("none", least=Level.S0).backend.level == Level.S0


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="bublewrap.*bubblewrap"):
        chosen("bublewrap")


def test_the_table_has_a_row_for_each_with_attacks_only_when_asked(kinds):
    kinds(first=absent("no program"), second=Claiming)
    looked, attacked = table(attack=False), table(attack=True)
    assert [(one.name, one.available, one.holds) for one in looked] == [
        ("first", False, None), ("second", True, None), ("process", True, None),
    ]  # fmt: skip
    assert [(one.name, one.holds) for one in attacked] == [("first", None), ("second", False), ("process", True)]
    assert looked[0].remedy and attacked[1].remedy == "do not run foreign code in it"


def test_doctor_prints_the_table_and_fails_where_an_attack_succeeds(kinds, capsys):
    kinds(first=absent("no program"), second=Claiming)
    assert main(["doctor", "--json"], standalone_mode=False) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["sandboxes"]}
    assert rows["first"]["why"] == "no program" and rows["second"]["attacks"] is None
    assert rows["second"]["attacks_reason"] == "not asked for"
    assert main(["doctor", "--sandbox", "--json"], standalone_mode=False) == 2
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["sandboxes"]}
    assert rows["second"]["holds"] is False and rows["process"]["holds"] is True
    assert main(["doctor", "--sandbox"], standalone_mode=False) == 2
    assert "LET A PROGRAM read a file of the host" in capsys.readouterr().out


LINUX = Machine("linux", "debian", has_bwrap=True)


@pytest.mark.parametrize(
    ("here", "told"),
    [
        (replace(LINUX, has_bwrap=False), "apt-get install bubblewrap"),
        (replace(LINUX, has_bwrap=False, distribution="ubuntu debian"), "apt-get install bubblewrap"),
        (replace(LINUX, has_bwrap=False, distribution="fedora"), "dnf install bubblewrap"),
        (replace(LINUX, has_bwrap=False, distribution="unheard-of"), "your system's packages"),
        (replace(LINUX, apparmor=True), APPARMOR),
        (replace(LINUX, userns_off=True), NAMESPACES),
        (replace(LINUX, container=True, apparmor=True), CONTAINER),
        (replace(LINUX, system="darwin"), ELSEWHERE),
        (LINUX, "bwrap --unshare-all"),
    ],
)
def test_the_remedy_fits_the_machine(here, told):
    assert told in for_bubblewrap(here)


def test_what_we_have_not_tried_says_so():
    for text in (APPARMOR, NAMESPACES, CONTAINER, ELSEWHERE, for_bubblewrap(Machine("linux", "fedora"))):
        assert "not tried by us" in text
    assert "not tried" not in for_bubblewrap(Machine("linux", "debian"))


def test_a_machine_is_read_from_its_files(tmp_path):
    for name, text in (
        ("etc/os-release", 'ID=ubuntu\nID_LIKE="debian"\n'),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        ("proc/sys/user/max_user_namespaces", "0\n"),
        (".dockerenv", ""),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    here = machine(tmp_path)
    assert (here.distribution, here.apparmor, here.userns_off, here.container) == ("ubuntu debian", True, True, True)
    nothing = machine(tmp_path / "nothing")
    assert (nothing.distribution, nothing.apparmor, nothing.userns_off, nothing.container) == ("", False, False, False)
