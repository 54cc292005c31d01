"""Attribution of real runs of the simulated learner, whose true shares are in its tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worlds import conduct, world_in

from netgain.evidence.attribution import recombination
from netgain.evidence.student import mean_interval
from netgain.ledger.events import Event
from netgain.recombine import mix
from netgain.seal import facts_of, open_seal, score_sealed, served
from netgain.testing.ladder import Ladder
from netgain.wire import unpack

LADDER = Ladder(target=7, own=60)
LENGTHS = range(LADDER.known + 1, LADDER.target + 3)  # of the axis `ladder`
ORDER = ("00", "10", "01", "11")  # bit 0: near, bit 1: far


def study(folder: Path, seed: int, starts: int) -> tuple[np.ndarray, np.ndarray]:
    """(starts, 2) measured shares of near and far, and the true ones, which follow from the tables of both ends."""
    world = replace(world_in(folder, ["self", "frozen"], rounds=2), keep_at=(1,), root=f"{seed:064x}")
    record = {"claim": {"arm": "self", "metric": "ladder"}, "claim_digest": f"{seed:064x}", "study": {"rounds": 2}}
    world.log.append([Event("claim_registered", None, record)])
    conduct(world, folder, replicas=starts)
    facts = facts_of(world.log)
    mixed = mix(world, dict(served(facts, one, "self") for one in range(starts)))
    open_seal(world.log, facts, starts, range(starts), ["self", "frozen"], mixed)
    score_sealed(world, facts_of(world.log), facts_of(world.log).seals[-1], 1)
    facts = facts_of(world.log)
    scores = [[facts.mixed[one, "ladder", bits].score for bits in ORDER] for one in range(starts)]
    truth = []
    for one in range(starts):
        first, last = (
            np.array(unpack(world.store.get(facts.runs[f"r{one}/self"].row[end]))["right"])
            for end in ("anchor", "released")
        )
        moved = (last - first)[[length - 1 for length in LENGTHS]] / len(LENGTHS)
        near = LADDER.known + 1 - LENGTHS[0] + 1  # so many of the measured lengths are near
        truth.append([moved[:near].sum(), moved[near:].sum()])
    return recombination(scores).shares, np.array(truth)


def test_measured_shares_are_the_true_ones_to_the_noise_of_the_items(tmp_path: Path) -> None:
    shares, truth = study(tmp_path, seed=1, starts=3)
    assert truth[:, 1].min() > 0.1, "the loop learns further strings"
    assert shares == pytest.approx(truth, abs=0.12)  # 160 items a mixture: sd of a share about .04
    assert np.abs(shares.mean(axis=0) - truth.mean(axis=0)).max() < 0.07


@pytest.mark.nightly
def test_intervals_of_measured_shares_cover_the_true_ones(tmp_path: Path) -> None:
    studies = [study(tmp_path / str(seed), seed=seed, starts=6) for seed in range(2, 42)]
    aim = np.concatenate([truth for _, truth in studies]).mean(axis=0)  # of 240 starts: what the mean over starts is of
    found = [mean_interval(column) for shares, _ in studies for column in shares.T]
    covered = [(one.low or 0.0) <= aim[place % 2] <= (one.high or 0.0) for place, one in enumerate(found)]
    assert np.mean(covered) >= 0.88  # 80 intervals at .95: below this with a chance of about 1 in 100
