"""Histories of simulated loops of known truth, for the error rates and the lead times of monitors.

Each case has a monitor as registered, a null world in which nothing is wrong, and a planted one with the round in which
the damage is done. `docs/monitors.md` prints them; numbers of real loops that they imitate are from ``loops.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.evidence.rerun import then_error
from netgain.monitors import MONITORS, Monitor
from netgain.monitors.behaviour import length_bands
from netgain.monitors.diversity import diversity, tail_of
from netgain.monitors.flips import flips
from netgain.monitors.losses import health
from netgain.monitors.overoptimisation import strength_of_best_of
from netgain.monitors.representation import representation
from netgain.testing.gate_worlds import paired_differences

Json = Any
History = list[dict[str, Json]]
World = Callable[[np.random.Generator], History]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A monitor in two worlds.

    Attributes:
        monitor: as registered.
        null: a history in which nothing is wrong, or everything is just tolerable.
        planted: a history with damage.
        damage: the round in which the damage is done; None where it is there from the first round on.
        worlds: what the two worlds are, for the table.
        histories: how many of each a test can afford.
    """

    monitor: Monitor
    null: World
    planted: World
    damage: int | None
    worlds: str
    histories: int = 100


@dataclass(frozen=True)
class Found:
    """``false`` and ``found``: shares of null and planted histories with an alarm; ``round``: its mean first round."""

    false: float
    found: float
    round: float | None
    histories: int


def first_alarm(monitor: Monitor, history: Sequence[Mapping[str, Json]]) -> int | None:
    """Return the first round whose look alarms; None if none does.

    Raises:
        RuntimeError: a look that could not run: simulated records are complete.
    """
    for end in range(1, len(history) + 1):
        signal = monitor.look(history[:end])
        if signal.alarm is None:
            raise RuntimeError(f"{monitor.name} could not run: {signal.reason}")
        if signal.alarm:
            return signal.round
    return None


def measured(case: Case, histories: int, seed: int) -> Found:
    """Return the shares over ``histories`` of each world, all drawn from one seed."""
    rng = np.random.default_rng(seed)
    false = [first_alarm(case.monitor, case.null(rng)) is not None for _ in range(histories)]
    rounds = [first_alarm(case.monitor, case.planted(rng)) for _ in range(histories)]
    there = [r for r in rounds if r is not None]
    return Found(float(np.mean(false)), len(there) / histories, float(np.mean(there)) if there else None, histories)


# Shares: what is kept, what two seeds agree on, audited labels.


def shares(reads: str, truth: Sequence[float], asked: int) -> World:
    """Binomial counts of ``asked`` items round by round, of true shares ``truth``."""

    def history(rng: np.random.Generator) -> History:
        return [{"round": r, reads: {"hits": int(rng.binomial(asked, p)), "asked": asked}} for r, p in enumerate(truth)]

    return history


def avalanche(rounds: int, *, error: float = 0.01, growth: float = 1.35) -> list[float]:
    """Label accuracy whose error grows by a factor each round: .99 at first, below .75 from round 11 on."""
    return [max(0.0, 1.0 - error * growth**r) for r in range(rounds)]


def numbers(reads: str, value: Callable[[int, np.random.Generator], Json], rounds: int) -> World:
    """A record of its own for every round."""

    def history(rng: np.random.Generator) -> History:
        return [{"round": r, reads: value(r, rng)} for r in range(rounds)]

    return history


# Model collapse: an order-2 chain over symbols, refitted to its own output or to new outside data.


def refitted(*, own: bool, temperature: float = 1.0, rounds: int = 10, symbols: int = 8) -> World:
    """Loop G3 in small: every round the model is counted anew, on its ``own`` last output or on the source's.

    2400 symbols a round; the model answers at ``temperature``.
    """
    chains, length = 60, 40

    def history(rng: np.random.Generator) -> History:
        source = rng.dirichlet(np.full(symbols, 0.4), size=(symbols, symbols)) * 0.98 + 0.02 / symbols
        weight = _visits(source)
        data = _sampled(source, chains, length, rng)
        tail, records = tail_of(data), []
        for r in range(rounds):
            model = _counted(data, symbols)
            answering = model ** (1.0 / temperature)
            answering /= answering.sum(axis=-1, keepdims=True)
            output = _sampled(answering, chains, length, rng)
            records.append({"round": r, "losses": _losses(source, weight, model), "diversity": diversity(output, tail)})
            data = output if own else _sampled(source, chains, length, rng)
        return records

    return history


def _losses(source: FloatArray, weight: FloatArray, model: FloatArray) -> dict[str, float]:
    """True cross-entropy of the model under the source, and its entropy on its own output, in nats."""
    outside = -float((weight[..., None] * source * np.log(model)).sum())
    own = -float((_visits(model)[..., None] * model * np.log(model)).sum())
    return {"own": own, "outside": outside}


def _visits(chain: FloatArray) -> FloatArray:
    """Share of time in every pair of symbols, by power iteration."""
    share = np.full(chain.shape[:2], 1.0 / chain[..., 0].size)
    for _ in range(60):
        share = np.einsum("ab,abc->bc", share, chain)
    return share


def _sampled(chain: FloatArray, chains: int, length: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """(chains, length) symbols; each chain starts from a uniform pair that is not returned."""
    edges = np.cumsum(chain, axis=-1)[..., :-1]
    pair = rng.integers(chain.shape[0], size=(2, chains))
    rows = np.empty((chains, length), dtype=np.int64)
    for t in range(length):
        rows[:, t] = (rng.random(chains)[:, None] > edges[pair[0], pair[1]]).sum(axis=1)
        pair = np.stack([pair[1], rows[:, t]])
    return rows


def _counted(rows: npt.NDArray[np.int64], symbols: int) -> FloatArray:
    """Next-symbol shares after every pair, with a hundredth of a count for what was not seen."""
    counts = np.full((symbols,) * 3, 0.01)
    np.add.at(counts, (rows[:, :-2].ravel(), rows[:, 1:-1].ravel(), rows[:, 2:].ravel()), 1.0)
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


# Over-optimisation: best of n against a reward model fitted on few labels.

BEST_OF = tuple(4**k for k in range(8))


def goodhart(*, labels: int, turns: bool, pool: int = 8_000) -> World:
    """Loop H: normal candidates in 10 dimensions; gold is linear less a penalty; the proxy is a ridge fit on 30 terms.

    A record per n of best-of-n, n = 1, 4, …, 16384, exact for a pool of candidates by order statistics. With ``turns``
    only histories are returned in which gold ends below its highest value by a tenth of what it had gained.
    """

    def history(rng: np.random.Generator) -> History:
        while True:
            records = drawn(rng)
            gold = [record["proxy"]["gold"] for record in records]
            if not turns or gold[-1] < max(gold) - 0.1 * (max(gold) - gold[0]):
                return records

    def drawn(rng: np.random.Generator) -> History:
        direction = rng.standard_normal(10)
        direction /= np.linalg.norm(direction)
        x = rng.standard_normal((labels, 10))
        target = _gold(x, direction) + 0.5 * rng.standard_normal(labels)
        terms = _terms(x)
        weight = np.linalg.solve(terms.T @ terms + np.eye(terms.shape[1]), terms.T @ (target - target.mean()))
        x = rng.standard_normal((pool, 10))
        proxy = _terms(x) @ weight
        order = np.argsort(proxy)
        proxy, gold = proxy[order], _gold(x, direction)[order]
        return [_best_of(r, n, proxy, gold) for r, n in enumerate(BEST_OF)]

    return history


def _best_of(r: int, n: int, proxy: FloatArray, gold: FloatArray) -> dict[str, Json]:
    rank = np.arange(proxy.size + 1) / proxy.size
    chance = np.diff(rank**n)
    means = {"proxy": float(chance @ proxy), "gold": float(chance @ gold)}
    return {"round": r, "proxy": {"strength": strength_of_best_of(n), **means}}


def _gold(x: FloatArray, direction: FloatArray) -> FloatArray:
    return np.asarray(x @ direction - 0.25 * (np.maximum(np.abs(x) - 1.5, 0.0) ** 2).sum(axis=1))


def _terms(x: FloatArray) -> FloatArray:
    return np.concatenate([x, np.abs(x) - math.sqrt(2.0 / math.pi), x**2 - 1.0], axis=1)


# Behaviour: classes of answers to fixed probes.


def refusals(truth: Sequence[float], *, probes: int = 200) -> World:
    """Probes refuse, answer or ask; ``truth`` is the share that refuses, generation 0's the first of them."""

    def history(rng: np.random.Generator) -> History:
        easy = rng.random(probes)  # a probe's own tendency: the three answers to it are alike

        def answers(refuse: float) -> list[str]:
            draw = 0.7 * easy + 0.3 * rng.random(probes)
            cut = _mixed_quantiles(refuse, 0.9)
            return ["refuse" if one < cut[0] else "ask" if one > cut[1] else "answer" for one in draw]

        first, again = answers(truth[0]), answers(truth[0])
        return [
            {"round": r, "behaviour": {"first": first, "again": again, "now": answers(p)}} for r, p in enumerate(truth)
        ]

    return history


def _mixed_quantiles(*shares: float) -> FloatArray:
    """Quantiles of 0.7 U + 0.3 V for uniform U and V, on a grid."""
    middles = (np.arange(300) + 0.5) / 300
    return np.asarray(np.quantile(0.7 * middles[:, None] + 0.3 * middles[None, :], shares))


def lengths(growth: float, *, rounds: int, probes: int = 200) -> World:
    """Lengths of answers, log-normal, in five bands; their median is multiplied by ``growth`` each round."""

    def history(rng: np.random.Generator) -> History:
        own = rng.normal(4.0, 0.6, probes)

        def bands(factor: float) -> list[int | None]:
            each = np.exp(own + rng.normal(0.0, 0.3, probes)) * factor
            return length_bands([int(n) for n in each], (30, 50, 80, 130))

        first, again = bands(1.0), bands(1.0)
        return [
            {"round": r, "behaviour": {"first": first, "again": again, "now": bands(growth**r)}} for r in range(rounds)
        ]

    return history


# Items that change sides, sentinels, steps.


def changed_items(loss: float, *, rounds: int, items: int = 400, noise: float = 0.05) -> World:
    """0/1 answers; a share ``noise`` changes sides both ways in each round, and ``loss`` more is lost a round."""

    def history(rng: np.random.Generator) -> History:
        first = (rng.random(items) < 0.6).astype(float)
        records: History = []
        for r in range(rounds):
            d = paired_differences(rng, (items,), gain=-min(loss * r, noise + loss * r), discordance=noise + loss * r)
            now = np.where(d < 0, 0.0, np.where(d > 0, 1.0, first))
            old = np.where(d < 0, 1.0, np.where(d > 0, 0.0, first))
            records.append({"round": r, "flips": flips(old, now)})
        return records

    return history


def paired(reads: str, gains: Sequence[float], *, items: int, discordance: float) -> World:
    """Rounds of paired 0/1 differences of mean ``gains``, on new items each."""

    def history(rng: np.random.Generator) -> History:
        return [
            {"round": r, reads: {"differences": _listed(rng, gain, items, discordance)}} for r, gain in enumerate(gains)
        ]

    return history


def _listed(rng: np.random.Generator, gain: float, items: int, discordance: float) -> list[int]:
    return [int(d) for d in paired_differences(rng, (items,), gain=gain, discordance=max(discordance, abs(gain)))]


def by_chance(chances: Sequence[float], *, items: int) -> World:
    """A sentinel that is right by luck alone, with this chance in a round; asked twice in the first, as in runs."""

    def history(rng: np.random.Generator) -> History:
        then, again = ((rng.random(items) < chances[0]).astype(int) for _ in range(2))
        error = then_error([(then.tolist(), again.tolist())], [[0.0] * items])
        records: History = []
        for r, chance in enumerate(chances):
            now = (rng.random(items) < chance).astype(int) if r else again
            records.append({"round": r, "sentinel": {"differences": (now - then).tolist(), "then_error": error}})
        return records

    return history


def cached_reference(rounds: int, *, items: int, fresh: bool) -> World:
    """A sentinel that answers at random; its `then` scores are drawn anew each round (``fresh``) or once for all."""

    def history(rng: np.random.Generator) -> History:
        chance = rng.choice([0.1, 0.9], items)
        once = rng.random(items) < chance
        records: History = []
        for r in range(rounds):
            then = rng.random(items) < chance if fresh else once
            now = rng.random(items) < chance
            records.append({"round": r, "sentinel": {"differences": (now.astype(int) - then.astype(int)).tolist()}})
        return records

    return history


# The inside of a system, and of its training.


def features(keep: Sequence[float], *, inputs: int = 60, width: int = 40) -> World:
    """Features on anchor inputs: a share ``keep`` of the old ones in each round, the rest new, all rotated."""

    def history(rng: np.random.Generator) -> History:
        first = rng.standard_normal((inputs, width))
        records: History = []
        for r, share in enumerate(keep):
            turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
            mixed = math.sqrt(share) * first + math.sqrt(1.0 - share) * rng.standard_normal((inputs, width))
            records.append({"round": r, "representation": representation(first, mixed @ turn)})
        return records

    return history


def flattened(ranks: Sequence[int], *, inputs: int = 60, width: int = 40) -> World:
    """Features whose variance is kept in ``ranks`` directions only, the rest shrunk to a hundredth."""

    def history(rng: np.random.Generator) -> History:
        first = rng.standard_normal((inputs, width))
        scales = [np.where(np.arange(width) < rank, 1.0, 0.01) for rank in ranks]
        return [{"round": r, "representation": representation(first, first * s)} for r, s in enumerate(scales)]

    return history


def trained(spike: Sequence[float], *, steps: int = 300, heavy: bool = False) -> World:
    """Gradient norms with noise of 30 % (or a heavy tail), one step of a round times its ``spike``."""

    def history(rng: np.random.Generator) -> History:
        records: History = []
        for r, factor in enumerate(spike):
            noise = rng.standard_t(3, steps) if heavy else rng.standard_normal(steps)
            norms = np.exp(0.3 * noise)
            norms[steps // 2] *= factor
            losses = np.exp(-np.arange(steps) / steps + 0.02 * rng.standard_normal(steps))
            records.append({"round": r, "health": health(losses, norms)})
        return records

    return history


def asked_again(own: Sequence[float], *, outside: float = 0.6, asked: int = 100) -> World:
    """Shares right on an own set, with chances ``own``, and on four times as many outside questions."""

    def history(rng: np.random.Generator) -> History:
        sets = {"own": asked, "outside": 4 * asked}
        chances = [{"own": p, "outside": outside} for p in own]
        return [
            {"round": r, "yardstick": {k: {"hits": int(rng.binomial(n, p[k])), "asked": n} for k, n in sets.items()}}
            for r, p in enumerate(chances)
        ]

    return history


def judged(own: Sequence[float], *, others: float = 0.1, asked: int = 100) -> World:
    """Bad proposals that a rater lets through: of its ``own``, and of others."""

    def history(rng: np.random.Generator) -> History:
        return [
            {
                "round": r,
                "rater": {
                    "own": {"hits": int(rng.binomial(asked, p)), "asked": asked},
                    "others": {"hits": int(rng.binomial(asked, others)), "asked": asked},
                },
            }
            for r, p in enumerate(own)
        ]

    return history


def votes(
    rng: np.random.Generator, items: int, accuracies: Sequence[float]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return true labels (items,) and votes (items, raters) of two classes, each rater right with its accuracy."""
    truth = rng.integers(2, size=items)
    right = rng.random((items, len(accuracies))) < np.asarray(accuracies)
    return truth, np.where(right, truth[:, None], 1 - truth[:, None])


def cases() -> dict[str, Case]:
    """Every monitor that can err, with defaults unless the row says otherwise."""
    kept = [0.64, 0.27, 0.14, 0.08]
    down = [0.64 - 0.04 * r for r in range(12)]
    made = MONITORS
    rise = [0.10, 0.10, 0.13, 0.16, 0.20, 0.25, 0.30]
    return {
        "kept_share": Case(
            made["kept_share"](), shares("kept", [0.5] * 12, 400), shares("kept", kept, 400), 2,
            "kept share exactly .5 of 400; loop B's .64 .27 .14 .08",
        ),
        "kept_trend": Case(
            made["kept_trend"](threshold=0.3), shares("kept", [0.6] * 12, 400), shares("kept", down, 400), 9,
            "kept share constant; falling 4 points a round from .64, below .3 in round 9",
        ),
        "agreement": Case(
            made["agreement"](), shares("agreement", [0.8] * 12, 400),
            shares("agreement", [p * p for p in avalanche(12)], 400), 9,
            "two seeds agree on exactly .8 of 400; errors grow 1.35-fold a round, agreement below .8 in round 9",
        ),
        "label_accuracy": Case(
            made["label_accuracy"](), shares("audit", [0.9] * 12, 100), shares("audit", avalanche(14), 100), 11,
            "labels right with exactly .9, 100 audited; .99 with errors growing 1.35-fold, below .75 in round 11",
        ),
        "cheats": Case(
            made["cheats"](threshold=0.02), shares("cheats", [0.02] * 20, 100),
            shares("cheats", [0.02 * 1.35**r for r in range(12)], 100), None,
            "exactly 2 % of 100 honeypots passed; growing 1.35-fold a round",
        ),
        "trend, 100 audited": Case(
            made["trend"](reads="audit", threshold=0.75, scale="logit"), shares("audit", [0.95] * 14, 100),
            shares("audit", avalanche(14), 100), 11,
            "the same avalanche, forecast; null: constant .95",
        ),
        "trend, 1000 audited": Case(
            made["trend"](reads="audit", threshold=0.75, scale="logit"), shares("audit", [0.95] * 14, 1000),
            shares("audit", avalanche(14), 1000), 11,
            "the same with 1000 audited labels a round",
        ),
        "own_against_outside": Case(
            made["own_against_outside"](), refitted(own=False), refitted(own=True), None,
            "order-2 chain counted anew on the source's output; on its own", 40,
        ),
        "diversity": Case(
            made["diversity"](), refitted(own=False), refitted(own=True), None,
            "the same: distinct contexts of order 3", 40,
        ),
        "diversity of the tail": Case(
            made["diversity"](of="tail"), refitted(own=False), refitted(own=True, temperature=0.8), None,
            "share of generation 0's rarest tenth; its own output at temperature .8", 40,
        ),
        "behaviour, refusals": Case(
            made["behaviour"](looks=10, permutations=399), refusals([0.1] * 7), refusals(rise), 6,
            "10 % of 200 probes refused; rising to 30 % in round 6", 40,
        ),
        "behaviour, lengths": Case(
            made["behaviour"](looks=10, permutations=399), lengths(1.0, rounds=7), lengths(1.1, rounds=7), 6,
            "lengths of 200 answers in five bands; 10 % longer a round", 40,
        ),
        "net_loss": Case(
            made["net_loss"](), changed_items(0.0, rounds=10), changed_items(0.01, rounds=10), 9,
            "5 % of 400 items change sides either way; one point more is lost a round, 9 points in round 9",
        ),
        "negative_flips": Case(
            made["negative_flips"](), changed_items(0.0, rounds=10, noise=0.11), changed_items(0.02, rounds=10), 9,
            "9 % of what was right is wrong; 2 points more a round",
        ),
        "drift": Case(
            made["drift"](), paired("sentinel", [0.0] * 10, items=200, discordance=0.1),
            paired("sentinel", [0.0, 0.0, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06], items=200, discordance=0.1), None,
            "200 sentinel items a round without drift (2000 in all); 6 points from round 2 on",
        ),
        "drift, answers by chance": Case(
            made["drift"](), by_chance([0.5] * 10, items=200), by_chance([0.5, 0.5] + [0.75] * 8, items=200), None,
            "the same of a system that is right with .5 each time, whatever the item; with .75 from round 2 on",
        ),
        "self_preference": Case(
            made["self_preference"](), judged([0.1] * 10), judged([0.3] * 10), None,
            "a rater passes 10 % of 100 bad proposals, whoever made them; 30 % of its own",
        ),
        "proxy_gold_gap": Case(
            made["proxy_gold_gap"](), goodhart(labels=3000, turns=False), goodhart(labels=30, turns=True), None,
            "best of 1 to 16384 against a reward model of 3000 labels; of 30, where gold turns", 30,
        ),
        "yardstick": Case(
            made["yardstick"](), asked_again([0.6] * 10), asked_again([0.6, 0.67, 0.73, 0.77, 0.8]), None,
            "an own set of 100 and 400 outside questions, both right with .6; the own set asked 60 times more a round",
        ),
        "spikes": Case(
            made["spikes"](), trained([1.0] * 10), trained([1.0] * 4 + [300.0]), 4,
            "gradient norms with 30 % noise, 300 steps a round; one step 300 times as large", 60,
        ),
        "spikes, heavy tails": Case(
            made["spikes"](), trained([1.0] * 10, heavy=True), trained([1.0] * 4 + [300.0], heavy=True), 4,
            "the same with Student noise of 3 degrees", 60,
        ),
        "cka": Case(
            made["cka"](), features([1.0] + [0.9] * 8), features([1.0, 0.8, 0.6, 0.4, 0.2, 0.1]), 5,
            "features of 60 inputs rotated, a tenth new; four fifths new by round 4", 40,
        ),
        "effective_rank": Case(
            made["effective_rank"](), flattened([40] * 8), flattened([40, 32, 24, 16, 8, 4]), 5,
            "40 directions; 4 by round 5", 40,
        ),
        "futility": Case(
            made["futility"](), paired("step", [0.02] * 12, items=800, discordance=0.1),
            paired("step", [0.05] * 3 + [0.0] * 9, items=800, discordance=0.1), None,
            "2 points gained a round, 800 items; 5 points in three rounds, then nothing",
        ),
        "convergence": Case(
            made["convergence"](), paired("step", [-0.02] * 12, items=800, discordance=0.1),
            paired("step", [0.05] * 3 + [0.0] * 9, items=800, discordance=0.1), None,
            "2 points lost a round; as above",
        ),
        "harm": Case(
            made["harm"](), paired("since_start", [-0.01] * 12, items=400, discordance=0.1),
            paired("since_start", [-0.01 * r for r in range(12)], items=400, discordance=0.1), 8,
            "exactly the margin worse than generation 0; one point worse every round, 8 points in round 8",
        ),
        "divergence": Case(
            made["divergence"](), numbers("step_size", lambda r, g: float(np.exp(0.3 * g.standard_normal())), 12),
            numbers("step_size", lambda r, g: float(np.exp(0.25 * r + 0.2 * g.standard_normal())), 12), 11,
            "step size with 30 % noise; growing 1.28-fold a round",
        ),
    }  # fmt: skip
