"""The command line in this process, in a folder of its own; and one finished study to look at."""

import pytest
from program import ONE_START, Said, process

from netgain.cli import main


@pytest.fixture
def netgain_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def cli(netgain_home, capsys):
    """Call the program as `cli("run", "mine")`."""

    def call(*words: object) -> Said:
        code = main([str(word) for word in words], standalone_mode=False)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A study of one start and two arms that has its verdict. Only to be looked at."""
    home = tmp_path_factory.mktemp("finished")
    assert process(home, "init", "mine", "--from", "ladder", *ONE_START).code == 0
    said = process(home, "run", "mine", "--exploratory")
    assert said.code == 0, said.err
    return home / "mine"
