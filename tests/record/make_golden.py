"""Makes a golden bundle: `python tests/record/make_golden.py NAME` writes tests/golden/NAME.zip and its checkpoints.

A study of the simulated ladder with five starts, signed by a key that is thrown away. What it says has to be copied
into tests/golden/expected.json by hand, and its digest into the README there: a golden bundle is never made again.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from keyed_user import keyed
from netgain.bundle import write_bundle
from study_forgery import ladder_study

GOLDEN = Path(__file__).parents[1] / "golden"


def main(name: str) -> None:
    """Run the study, bundle it, and keep its first checkpoints as somebody else would."""
    with tempfile.TemporaryDirectory() as work, keyed(Path(work) / "home", "golden"):
        folder = ladder_study(Path(work) / "study", rounds=1, arms=("self", "frozen"))
        notes = (folder / "checkpoints.txt").read_text().split("\n\n")
        (GOLDEN / f"{name}.checkpoints.txt").write_text("\n\n".join([*notes[:4], ""]))
        print(write_bundle(folder, GOLDEN / f"{name}.zip"))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
