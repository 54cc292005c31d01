"""`netgain init --wrap`: what is read in scripts of several shapes, what is proposed, and that nothing is written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from netgain.cli import main
from netgain.errors import ConfigError
from netgain.integrations.script import read_script
from netgain.integrations.wrapping import wrap

EXAMPLES = Path(__file__).parents[2] / "examples"
BEFORE = EXAMPLES / "self_training.py"

FLAT = """
import torch
from torch import nn
torch.manual_seed(1)
rate = 0.1
net = nn.Linear(2, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=rate)

def batch():
    return torch.rand(8, 2), torch.zeros(8, dtype=torch.long)

def pseudo(net, level):
    x, _ = batch()
    return x, net(x).argmax(1)

def step(net, x, y, scale):
    loss = nn.functional.cross_entropy(net(x), y) * scale
    loss.backward()
    optimizer.step()

for epoch in range(10):
    x, y = pseudo(net, epoch)
    step(net, x, y, 2.0)
"""

WHOLE = """
def grow(tree, depth):
    return tree + [depth]

def main():
    tree = list()
    for k in range(3, 9):
        tree = grow(tree, k)
        print(k, len(tree))

main()
"""


def proposed(text: str, name: str = "train.py") -> tuple[str, tuple[str, ...]]:
    made = wrap(read_script(name, text))
    compile(made.text, name, "exec")
    return made.text, made.fill_in


def test_the_example_is_read_by_shape() -> None:
    found = read_script("self_training.py", BEFORE.read_text())
    assert (found.model, found.rounds, found.start, found.train) == ("model", "ROUNDS", "start", "train")
    assert found.label is not None and (found.label.name, found.label.fits) == ("label", True)
    assert found.plain == "train(model, *clouds(400, 0.0))"
    assert (found.evaluate, list(found.seeds.values())) == ("evaluate", ["torch.manual_seed(0)"])
    assert (found.loose, found.runs) == ((), None)


def test_the_proposal_for_the_example_lacks_nothing_but_the_item() -> None:
    made = wrap(read_script("self_training.py", BEFORE.read_text()))
    assert made.added <= 20
    assert [one.partition(":")[0] for one in made.fill_in] == ["item"]
    after = (EXAMPLES / "self_training_recorded.py").read_text()
    for line in ("import netgain as ng", "script = ng.Script(start, label=label, train=train, plain=plain)"):
        assert line in made.text.splitlines() and line in after.splitlines()


def test_the_proposed_lines_make_the_study_that_the_claim_file_says() -> None:
    made = wrap(read_script("self_training.py", BEFORE.read_text()))
    namespace: dict[str, object] = {"__name__": "proposed"}
    exec(compile(made.text, "proposed", "exec"), namespace)
    study = namespace["study"]
    assert (tuple(study.arms), study.claim.rung, study.rounds) == (made.arms, made.rung, 6)
    with pytest.raises(NotImplementedError, match="one question and its answer"):
        study.suite.gate_axis.source.make(1, 0)


def test_a_script_without_a_guard_gets_one_around_its_loop() -> None:
    lines = proposed(FLAT)[0].splitlines()
    guard = lines.index('if __name__ == "__main__":')
    assert "    for epoch in range(10):" in lines[guard:], "workers import the file: nothing may train then"
    assert "        step(net, x, y, 2.0)" in lines[guard:] and "def batch():" in lines[:guard]
    assert lines[-1] == '    print(study.run("studies/train"))'


def test_what_belongs_to_the_one_model_of_the_script_is_named() -> None:
    assert any(one.startswith("optimizer: read by a round") for one in proposed(FLAT)[1])
    inside = FLAT.replace("    loss = ", "    optimizer = torch.optim.SGD(net.parameters(), lr=rate)\n    loss = ")
    assert not any(one.startswith("optimizer") for one in proposed(inside)[1])


def test_training_before_the_loop_belongs_to_generation_0() -> None:
    text, _ = proposed(FLAT.replace("for epoch", "step(net, *batch(), 1.0)\nprint(net)\nfor epoch"))
    assert "def begin():  # generation 0\n    model = nn.Linear(2, 2)\n    step(model, *batch(), 1.0)\n" in text
    assert "ng.Script(begin, label=labelled" in text


def test_a_label_of_two_values_and_arguments_of_other_names_get_a_function_around_them() -> None:
    text, missing = proposed(FLAT)
    assert "    inputs, labels = pseudo(model, round)\n    return inputs, labels, [True] * len(labels)" in text
    assert "train=lambda model, inputs, labels: step(model, inputs, labels, 2.0)" in text
    assert "start" not in [one.partition(":")[0] for one in missing]
    assert any(one.startswith("plain:") for one in missing)


def test_a_round_in_one_piece_is_taken_whole_and_an_unread_number_is_said() -> None:
    text, missing = proposed(WHOLE)
    assert "def improve(model, round):  # one round\n    model = grow(model, round)\n    return model" in text
    assert "ng.Script(list, improve=improve)" in text
    assert text.endswith('if __name__ == "__main__":\n    main()\n    print(study.run("studies/train"))\n')
    assert any(one.startswith("rounds:") for one in missing)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "not Python"),
        ("print(1)", "no loop of rounds"),
        ("for i in range(3):\n    print(i)", "no loop of rounds"),
    ],
)
def test_what_is_no_loop_is_refused_with_the_next_step(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_script("train.py", text)
    assert caught.value.exit_code == 2 and caught.value.fix


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(words), standalone_mode=False)
    return done.return_value, done.stdout


def test_the_command_prints_a_diff_and_a_claim_and_writes_nothing(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(BEFORE.read_text())
    code, text = call("init", "--wrap", str(script))
    assert code == 0
    diff, _, rest = text.partition("# claim.toml\n")
    assert "\n--- a/train.py\n+++ b/train.py\n@@" in diff
    assert tomllib.loads(rest)["claim"]["rung"] == "R2"
    assert [one.name for one in tmp_path.iterdir()] == ["train.py"]
    assert script.read_text() == BEFORE.read_text()


def test_the_same_as_json(tmp_path: Path) -> None:
    code, text = call("init", "--wrap", str(BEFORE), "--json")
    told = json.loads(text)
    assert (code, told["schema"], told["found"]["label"]) == (0, "netgain.wrap/1", "label")
    assert told["diff"].startswith("--- a/self_training.py") and told["added"] <= 20
    assert set(told) == {"schema", "file", "found", "diff", "added", "claim", "arms", "fill_in", "next"}


@pytest.mark.parametrize(
    "words",
    [["init"], ["init", "somewhere"], ["init", "somewhere", "--wrap", "x.py"], ["init", "--wrap", "no-such-file.py"]],
)
def test_half_a_command_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json"], standalone_mode=False) == 2
    assert json.loads(capsys.readouterr().out)["schema"] == "netgain.error/1"
    assert not Path("somewhere").exists()
