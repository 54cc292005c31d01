"""K1 to K33: the accept rules of other tools, from their one-line formulas, on the same proposals as our studies.

m(x) is the mean measured score of x, c a candidate, i the incumbent with its *stored* scores, p a parent, 0 generation
0, d = c - i per task, se(d) = sd(d)/sqrt(n). A rule "claims" when the gain that it reports, its output's stored score
minus generation 0's stored score, is at least the claimed effect. One chain or one population per run, no cascade, no
model that makes proposals better than they are: rules are compared here, not products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from netgain.gauntlet.field import Field, lay_out
from netgain.gauntlet.found import Found, seed_of
from netgain.gauntlet.found import spread as shares
from netgain.gauntlet.rates import Rate

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

TASKS = 100  # of the selection set, in use; the second set is as large
MOST_TASKS = 2000  # when a rule is given the items that our study asked
SMALLEST_EFFECT = 0.01
MARGIN = 0.02


@dataclass(frozen=True)
class Report:
    """What a rule says: `gain` (runs,) reported, `evaluations` task answers that one run took, `output` the systems."""

    gain: Floats
    evaluations: float
    output: Floats


@dataclass
class Step:
    """One comparison of a chain; `memory` is the rule's own."""

    c: Floats
    i: Floats
    first: Floats
    place: int
    of: int
    second: tuple[Floats, Floats] | None
    memory: dict[str, Floats] = field(default_factory=dict)

    @property
    def d(self) -> Floats:
        """(runs, tasks) paired differences."""
        return self.c - self.i


Accept = Callable[[Step], Bools]


@dataclass(frozen=True)
class Rule:
    """One accept rule."""

    id: str
    name: str
    formula: str
    run: Callable[[Field], Report]


# --- Chains: a candidate replaces the incumbent, or not --------------------------------------------------------------
def chain(ground: Field, accept: Accept, *, second: bool = False, judged_on_second: bool = False) -> Report:
    """Run a chain.

    Args:
        accept: the rule.
        second: the rule also measures the second set.
        judged_on_second: the second set is what the rule compares and reports.
    """
    system, memory = ground.start, dict[str, Floats]()
    stored = ground.measure(system, 0, second=judged_on_second)
    other = ground.measure(system, 0, second=True) if second else None
    first = mean(stored)
    for j in range(1, ground.proposals + 1):
        candidate = system + ground.steps[j - 1]
        scores = ground.measure(candidate, j, second=judged_on_second)
        beside = ground.measure(candidate, j, second=True) if other is not None else None
        pair = (beside, other) if beside is not None and other is not None else None
        taken = accept(Step(scores, stored, first, j, ground.proposals, pair, memory))
        system = np.where(taken[:, None], candidate, system)
        stored = np.where(taken[:, None], scores, stored)
        other = np.where(taken[:, None], beside, other) if beside is not None and other is not None else None
    sets = 2 if second else 1
    return Report(mean(stored) - first, sets * ground.tasks * (ground.proposals + 1), system)


def mean(scores: Floats) -> Floats:
    """(runs,) mean of the scores that are there, 0 where none is."""
    there = ~np.isnan(scores)
    return np.asarray(np.where(there, scores, 0.0).sum(axis=1) / np.maximum(1, there.sum(axis=1)))


def spread(scores: Floats) -> Floats:
    """(runs,) standard error of the mean, from the sample's standard deviation."""
    there = ~np.isnan(scores)
    n = np.maximum(2, there.sum(axis=1))
    away = np.where(there, scores - mean(scores)[:, None], 0.0)
    return np.asarray(np.sqrt((away**2).sum(axis=1) / (n - 1) / n))


def strictly_better(step: Step) -> Bools:
    return mean(step.c) > mean(step.i)


def no_worse(step: Step) -> Bools:
    return mean(step.c) >= mean(step.i)


def paired_one_error(step: Step) -> Bools:
    """K11, k = 1: mean(d) > k se(d); without spread the sign decides; coverage under .6 is undecided."""
    d = step.d
    covered = (~np.isnan(d)).mean(axis=1) >= 0.6
    return np.asarray(covered & np.where(spread(d) == 0, mean(d) > 0, mean(d) > spread(d)))


def beta_better(step: Step) -> Bools:
    """K12: P(Beta_c > Beta_i) > 1 - max(.01, .5 * 2^(-v/64)), v the version, and m(c) >= m(i); normal form."""
    version = step.memory.setdefault("version", np.zeros(len(step.c)))
    ahead = beta_ahead(step.c, step.i)
    taken = (ahead > 1.0 - np.maximum(0.01, 0.5 * 2.0 ** (-version / 64.0))) & no_worse(step)
    step.memory["version"] = version + taken
    return np.asarray(taken)


def beta_ahead(c: Floats, i: Floats) -> Floats:
    """(runs,) P(Beta_c > Beta_i), from the means and variances of both, as a normal difference."""
    middles, variances = [], []
    for scores in (c, i):
        won, n = np.nansum(scores, axis=1) + 1.0, (~np.isnan(scores)).sum(axis=1) + 2.0
        middles.append(won / n)
        variances.append(won / n * (1.0 - won / n) / (n + 1.0))
    return phi((middles[0] - middles[1]) / np.sqrt(variances[0] + variances[1]))


def phi(z: Floats) -> Floats:
    """Normal distribution function."""
    cdf = NormalDist().cdf
    return np.array([cdf(float(one)) for one in z])


def beyond_both_errors(step: Step) -> Bools:
    """K13: m(c) - m(i) > max(sqrt(s_i^2 + s_c^2), .005)."""
    noise = np.sqrt(spread(step.c) ** 2 + spread(step.i) ** 2)
    return np.asarray(mean(step.c) - mean(step.i) > np.maximum(noise, 0.005))


def lower_bounds(step: Step) -> Bools:
    """K14: mean(d) >= a, lower95(d) >= 0, hidden mean and lower95 >= -b, not (|mean(d)| < w and 0 inside)."""
    assert step.second is not None
    low, hidden = mean(step.d) - 1.96 * spread(step.d), step.second[0] - step.second[1]
    kept = (mean(hidden) >= -MARGIN) & (mean(hidden) - 1.96 * spread(hidden) >= -MARGIN)
    flat = (np.abs(mean(step.d)) < SMALLEST_EFFECT) & (low <= 0) & (mean(step.d) + 1.96 * spread(step.d) >= 0)
    return np.asarray((mean(step.d) >= SMALLEST_EFFECT) & (low >= 0) & kept & ~flat)


def corrected_lower_bound(step: Step) -> Bools:
    """K15: n >= 20, lower bound of mean(d) above 0 after Holm, mean at least the smallest effect (normal, not BCa)."""
    z = NormalDist().inv_cdf(1.0 - 0.05 / (step.of - step.place + 1))
    enough = (~np.isnan(step.d)).sum(axis=1) >= 20
    return np.asarray(enough & (mean(step.d) - z * spread(step.d) > 0) & (mean(step.d) >= SMALLEST_EFFECT))


def unbroken(step: Step) -> Bools:
    """K25: gain above the noise band (two standard errors of two measurements of i), and no passing task broken."""
    p = mean(step.i)
    band = 2.0 * np.sqrt(2.0 * p * (1.0 - p) / step.i.shape[1])
    return np.asarray((mean(step.c) - p > band) & ~(step.d < 0).any(axis=1))


def three_misses(step: Step) -> Bools:
    """K26: m(c) > m(i); after three misses in a row a person is asked, and the run stands."""
    misses = step.memory.setdefault("misses", np.zeros(len(step.c)))
    taken = strictly_better(step) & (misses < 3)
    step.memory["misses"] = np.where(misses >= 3, misses, np.where(taken, 0, misses + 1))
    return np.asarray(taken)


def both_sets(step: Step) -> Bools:
    """K27: gain inside >= 0, outside >= 0, the larger > 0."""
    assert step.second is not None
    inside, outside = mean(step.c) - mean(step.i), mean(step.second[0]) - mean(step.second[1])
    return np.asarray((inside >= 0) & (outside >= 0) & (np.maximum(inside, outside) > 0))


def ladder_step(step: Step) -> Bools:
    """K29: m(c) > best + se(d), else the old best is reported."""
    return np.asarray(mean(step.c) > mean(step.i) + spread(step.d))


def wins_and_losses(step: Step) -> tuple[Bools, Bools]:
    """(runs, tasks) where the candidate won, and lost."""
    return step.d > 0, step.d < 0


def pace(step: Step) -> Bools:
    """K30: E is multiplied by 1.5 for a win and .5 for a loss, in task order; accept once E >= 1/.05."""
    won, lost = wins_and_losses(step)
    path = np.cumsum(np.log(1.5) * won + np.log(0.5) * lost, axis=1)
    return np.asarray(path.max(axis=1) >= np.log(1.0 / 0.05))


def mcnemar(step: Step) -> Bools:
    """K31: exact two-sided p below .05 and more wins than losses."""
    won, lost = (one.sum(axis=1) for one in wins_and_losses(step))
    return np.asarray((2.0 * half_binomial(np.minimum(won, lost), won + lost) < 0.05) & (won > lost))


def half_binomial(k: Ints, n: Ints) -> Floats:
    """P(Bin(n, 1/2) <= k) for each pair."""
    size = int(n.max(initial=0)) + 1
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
    at = np.arange(size)[None]
    inside = at <= k[:, None]
    terms = log[n][:, None] - log[at] - log[np.maximum(0, n[:, None] - at)] - n[:, None] * np.log(2.0)
    return np.asarray(np.where(inside, np.exp(terms), 0.0).sum(axis=1))


def two_errors(step: Step) -> Bools:
    """K32: mean(d) > 2 se(d)."""
    return np.asarray(mean(step.d) > 2.0 * spread(step.d))


def two_level(ground: Field) -> Report:
    """K28: the working state moves on a gain outside >= 0, the frozen best only on one > 0; the best is reported."""
    system = best = ground.start
    stored = ground.measure(system, 0, second=True)
    first = top = mean(stored)
    now = first
    for j in range(1, ground.proposals + 1):
        candidate = system + ground.steps[j - 1]
        score = mean(ground.measure(candidate, j, second=True))
        moved, better = score >= now, score > top
        system, now = np.where(moved[:, None], candidate, system), np.where(moved, score, now)
        best, top = np.where(better[:, None], candidate, best), np.where(better, score, top)
    return Report(top - first, ground.tasks * (ground.proposals + 1), best)


# --- Populations: everything kept may become a parent; the output is chosen at the end -------------------------------
@dataclass
class Pool:
    """All systems of a run so far; place 0 is generation 0.

    Attributes:
        systems: (places, runs, 5).
        scores: (places, runs, tasks); `m` their means, -inf where a system was not kept.
        kids: (places, runs) children so far; `parents` where each came from.
        size: places in use.
    """

    systems: Floats
    scores: Floats
    m: Floats
    kids: Floats
    parents: Ints
    size: int = 1


Choose = Callable[[Pool, np.random.Generator], Ints]
Keep = Callable[[Pool, Floats, Ints], Bools]


def keep_all(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    return np.ones(len(scores), dtype=bool)


def grow(
    ground: Field, name: str, parent: Choose, keep: Keep = keep_all, *, newest: bool = False, second: bool = False,
    repeats: int = 1,
) -> Report:  # fmt: skip
    """Run a population.

    Args:
        parent: which system a proposal is applied to.
        keep: whether what it makes is kept.
        newest: the output is the last one kept, not the one with the highest stored score.
        second: scores are of the second set.
        repeats: measurements of each system, averaged.
    """
    rng = ground.rng(name)
    scores = _repeated(ground, ground.start, 0, rng, second=second, repeats=repeats)
    shape = (ground.proposals + 1, ground.runs)
    pool = Pool(
        np.zeros((*shape, ground.start.shape[1])), np.zeros((*shape, ground.tasks)), np.full(shape, -np.inf),
        np.zeros(shape), np.zeros(shape, dtype=np.int64),
    )  # fmt: skip
    pool.systems[0], pool.scores[0], pool.m[0] = ground.start, scores, mean(scores)
    rows = np.arange(ground.runs)
    for j in range(1, ground.proposals + 1):
        chosen = parent(pool, rng)
        made = pool.systems[chosen, rows] + ground.steps[j - 1]
        scores = _repeated(ground, made, j, rng, second=second, repeats=repeats)
        pool.m[j] = np.where(keep(pool, scores, chosen), mean(scores), -np.inf)
        pool.kids[chosen, rows] += 1
        pool.systems[j], pool.scores[j], pool.parents[j] = made, scores, chosen
        pool.size = j + 1
    place = _last(pool.m) if newest else pool.m.argmax(axis=0)
    gain = pool.m[place, rows] - pool.m[0]
    return Report(gain, repeats * ground.tasks * (ground.proposals + 1), pool.systems[place, rows])


def _repeated(ground: Field, system: Floats, j: int, rng: np.random.Generator, *, second: bool, repeats: int) -> Floats:
    scores = [ground.measure(system, j, second=second)]
    scores += [ground.measure(system, j, second=second, noise=ground.again(rng)) for _ in range(repeats - 1)]
    return np.asarray(_over_repeats(np.stack(scores)))


def _over_repeats(scores: Floats) -> Floats:
    """Mean over the measurements that are there; NaN where none is."""
    there = ~np.isnan(scores)
    total, n = np.where(there, scores, 0.0).sum(axis=0), there.sum(axis=0)
    return np.asarray(np.where(n > 0, total / np.maximum(1, n), np.nan))


def _last(m: Floats) -> Ints:
    return np.asarray(len(m) - 1 - np.isfinite(m)[::-1].argmax(axis=0))


def drawn(weights: Floats, rng: np.random.Generator) -> Ints:
    """(runs,) one place each, with probability proportional to (places, runs) weights."""
    reach = np.cumsum(weights, axis=0)
    return np.asarray((rng.random(weights.shape[1]) * reach[-1] >= reach).sum(axis=0).clip(0, len(weights) - 1))


def uniform(pool: Pool, rng: np.random.Generator) -> Ints:
    return drawn(np.isfinite(pool.m[: pool.size]).astype(float), rng)


def best(pool: Pool, rng: np.random.Generator) -> Ints:
    return np.asarray(pool.m[: pool.size].argmax(axis=0))


def newest(pool: Pool, rng: np.random.Generator) -> Ints:
    return np.full(pool.m.shape[1], pool.size - 1)


def seed_only(pool: Pool, rng: np.random.Generator) -> Ints:
    return np.zeros(pool.m.shape[1], dtype=np.int64)


def _sigmoid_over_kids(pool: Pool, middle: Floats | float, scale: Floats | float) -> Floats:
    m = pool.m[: pool.size]
    there = np.isfinite(m)
    away = np.clip(10.0 * (np.where(there, m, 0.0) - middle) / scale, -50.0, 50.0)
    squashed = 1.0 / (1.0 + np.exp(-away))
    return np.asarray(np.where(there, squashed / (1.0 + pool.kids[: pool.size]), 0.0))


def dgm_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """Proportional to sigma(10 (m - .5)) / (1 + kids)."""
    return drawn(_sigmoid_over_kids(pool, 0.5, 1.0), rng)


def shinka_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """Proportional to sigma(10 (m - median) / MAD) / (1 + kids)."""
    m = np.where(np.isfinite(pool.m[: pool.size]), pool.m[: pool.size], np.nan)
    middle = np.nanmedian(m, axis=0)
    away = np.nanmedian(np.abs(m - middle), axis=0)
    return drawn(_sigmoid_over_kids(pool, middle, np.maximum(away, 1e-9) * 10.0), rng)


def openevolve_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """A random one (.2), one of the cells' best (.7), else in proportion to score."""
    there = np.isfinite(pool.m[: pool.size])
    weight = np.where(there, np.maximum(pool.m[: pool.size], 1e-9), 0.0)
    way = rng.random(pool.m.shape[1])
    ways = drawn(there.astype(float), rng), _archived(pool, rng), drawn(weight, rng)
    return np.asarray(np.where(way < 0.2, ways[0], np.where(way < 0.9, ways[1], ways[2])))


CELLS = 5


def _archived(pool: Pool, rng: np.random.Generator) -> Ints:
    """One of the systems that hold a cell: the best of every fifth place."""
    m = pool.m[: pool.size]
    held = np.zeros_like(m)
    for cell in range(min(CELLS, pool.size)):
        top = m[cell::CELLS].argmax(axis=0) * CELLS + cell
        held[top, np.arange(m.shape[1])] = 1.0
    return drawn(np.where(np.isfinite(m), held, 0.0), rng)


def cell_better(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    """K2: the cell is empty, or m(c) > m(cell)."""
    held = pool.m[: pool.size][pool.size % CELLS :: CELLS]
    return np.asarray(mean(scores) > held.max(axis=0)) if len(held) else keep_all(pool, scores, parent)


def archive_better(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    """K3: correct, and the archive of ten is not full or m(c) > its lowest."""
    m = np.sort(pool.m[: pool.size], axis=0)[::-1]
    full = np.isfinite(m).sum(axis=0) >= 10
    return np.asarray(~full | (mean(scores) > m[min(9, len(m) - 1)]))


def near_the_first(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    """K5: m(c) >= m(0) - .1."""
    return np.asarray(mean(scores) >= pool.m[0] - 0.1)


def above_nothing(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    """K16: m(c) >= .01."""
    return np.asarray(mean(scores) >= 0.01)


def minibatch_better(pool: Pool, scores: Floats, parent: Ints) -> Bools:
    """K8: the sum over three tasks is above the parent's."""
    rows, tasks = np.arange(len(scores)), (3 * pool.size + np.arange(3)) % scores.shape[1]
    before = pool.scores[parent, rows]
    return np.asarray(np.nansum(scores[:, tasks], axis=1) > np.nansum(before[:, tasks], axis=1))


def pareto_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """In proportion to the number of tasks on which a system is among the best."""
    there = np.isfinite(pool.m[: pool.size])
    scores = np.where(there[:, :, None], np.nan_to_num(pool.scores[: pool.size]), -1.0)
    leads = (scores == scores.max(axis=0)).sum(axis=2)
    return drawn(np.where(there, leads, 0).astype(float), rng)


def clade_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """K6: argmax of draws Beta(1 + successes, 1 + failures) over a system and all its descendants."""
    scores = pool.scores[: pool.size]
    won = np.nansum(scores, axis=2)
    lost = (~np.isnan(scores)).sum(axis=2) - won
    rows = np.arange(won.shape[1])
    for place in range(pool.size - 1, 0, -1):
        won[pool.parents[place], rows] += won[place]
        lost[pool.parents[place], rows] += lost[place]
    return np.asarray(rng.beta(1.0 + won, 1.0 + lost).argmax(axis=0))


def elite_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """K22: a random one of the four best."""
    m = pool.m[: pool.size]
    rank = (-m).argsort(axis=0).argsort(axis=0)
    return drawn((rank < 4).astype(float), rng)


def mixed_parent(pool: Pool, rng: np.random.Generator) -> Ints:
    """K21: .3 uniform, .7 softmax of the scores in points (temperature 5 points)."""
    m = pool.m[: pool.size]
    soft = np.exp((m - m.max(axis=0)) / 0.05)
    return drawn(0.3 / len(m) + 0.7 * soft / soft.sum(axis=0), rng)


def population_based(ground: Field) -> Report:
    """K23: four members train in turn; one in the lowest quarter becomes a copy of the best, changed further."""
    members = np.repeat(ground.start[None], 4, axis=0)
    first = mean(ground.measure(ground.start, 0))
    m, rows = np.repeat(first[None], 4, axis=0), np.arange(ground.runs)
    for j in range(1, ground.proposals + 1):
        turn = (j - 1) % 4
        lowest = (m[turn] <= m.min(axis=0)) & (j > 4)
        parent = np.where(lowest[:, None], members[m.argmax(axis=0), rows], members[turn])
        members[turn] = parent + ground.steps[j - 1]
        m[turn] = mean(ground.measure(members[turn], j))
    place = m.argmax(axis=0)
    return Report(m[place, rows] - first, ground.tasks * (ground.proposals + 1), members[place, rows])


def _grown(name: str, parent: Choose, keep: Keep = keep_all, **more: bool | int) -> Callable[[Field], Report]:
    return lambda ground: grow(ground, name, parent, keep, **more)  # type: ignore[arg-type]


def _chained(accept: Accept, **more: bool) -> Callable[[Field], Report]:
    return lambda ground: chain(ground, accept, **more)


RULES: Sequence[Rule] = (
    Rule("K1", "autoresearch", "m(c) > m(i)", _chained(strictly_better)),
    Rule("K2", "OpenEvolve", "cell empty or m(c) > m(cell)", _grown("K2", openevolve_parent, cell_better)),
    Rule("K3", "ShinkaEvolve", "archive not full or m(c) > min archive", _grown("K3", shinka_parent, archive_better)),
    Rule("K4", "DGM keep-all", "keep all; argmax", _grown("K4", dgm_parent)),
    Rule("K5", "DGM keep-better", "m(c) >= m(0) - 0.1; argmax", _grown("K5", dgm_parent, near_the_first)),
    Rule("K6", "HGM", "keep all; clade Thompson parents", _grown("K6", clade_parent)),
    Rule("K7", "HyperAgents", "keep all; uniform parents; argmax", _grown("K7", uniform)),
    Rule("K8", "GEPA", "sum over 3 tasks above the parent's; argmax", _grown("K8", pareto_parent, minibatch_better)),
    Rule("K9", "SkillOpt", "m_val(c) > m_val(i)", _chained(strictly_better)),
    Rule("K10", "RSIHub hill climb", "m(c) >= m(p)", _chained(no_worse)),
    Rule("K11", "cap-evolve paired", "mean(d) > se(d)", _chained(paired_one_error)),
    Rule("K12", "agentdescent", "P(Beta_c > Beta_i) > 1 - max(.01, .5 2^(-v/64))", _chained(beta_better)),
    Rule("K13", "GEODE", "m(c) - m(i) > max(sqrt(s_i^2 + s_c^2), .005)", _chained(beyond_both_errors)),
    Rule(
        "K14", "recursive_slm_lab", "mean(d) >= a, lower95(d) >= 0, hidden >= -b", _chained(lower_bounds, second=True)
    ),
    Rule("K15", "samsara default", "lower bound after Holm > 0, mean >= smallest", _chained(corrected_lower_bound)),
    Rule("K16", "ADAS", "m(c) >= .01; argmax on test", _grown("K16", uniform, above_nothing, second=True)),
    Rule("K17", "Gödel Agent", "m_test(c) > m_test(best)", _chained(strictly_better, judged_on_second=True)),
    Rule("K18", "TextGrad", "m_val(c) >= m_val(previous)", _chained(no_worse)),
    Rule("K19", "STOP", "no exception and utility not 0; inner argmax", _grown("K19", newest, above_nothing)),
    Rule("K20", "AIDE", "not buggy; best node; argmax", _grown("K20", best)),
    Rule("K21", "AFlow", "keep all; mean of 5 validations", _grown("K21", mixed_parent, repeats=5)),
    Rule("K22", "LLaMEA", "top 4 by m", _grown("K22", elite_parent)),
    Rule("K23", "PBT", "lowest 25 % copy a top member", population_based),
    Rule("K24", "AZR / R-Zero / SEAL / Lee", "always accepted; last", _grown("K24", newest, newest=True)),
    Rule("K25", "harness-evolve", "gain > noise band, no passing task broken", _chained(unbroken)),
    Rule("K26", "fak", "m(c) > m(i); 3 misses -> human", _chained(three_misses)),
    Rule("K27", "self-harness", "gains inside and outside >= 0, max > 0", _chained(both_sets, second=True)),
    Rule("K28", "RSEA", "work: gain outside >= 0; best: > 0", two_level),
    Rule("K29", "Ladder", "m(c) > best + se", _chained(ladder_step)),
    Rule("K30", "PACE", "E *= 1.5 / 0.5; E >= 1/alpha", _chained(pace)),
    Rule("K31", "McNemar", "exact p < .05 and wins > losses", _chained(mcnemar)),
    Rule("K32", "autoscientists", "mean(d) > 2 se(d)", _chained(two_errors)),
    Rule("K33", "best-of-N", "N edits of the seed; argmax", _grown("K33", seed_only)),
)


@dataclass(frozen=True)
class Compared:
    """One rule on one mechanism: false claims, missed gains, task answers per run; and the same with the items that our
    study asked spent on a larger set of tasks."""

    id: str
    false: Rate
    missed: Rate
    evaluations: float
    false_at_budget: Rate
    missed_at_budget: Rate
    evaluations_at_budget: float


def compare(found: Sequence[Found], studies: int, seed: int) -> tuple[Compared, ...]:
    """All rules on the worlds of one mechanism: `studies` runs, spread over its strengths."""
    usual, large = [], []
    for one, runs in zip(found, shares(studies, len(found)), strict=True):
        if runs:
            items = sum(outcome.evaluations for outcome in one.outcomes) / max(1, len(one.outcomes))
            tasks = int(min(MOST_TASKS, max(TASKS, items / (one.world.asked.rounds * one.world.gain.tries + 1))))
            own = seed_of(seed, one.world, "rules")
            usual.append((one, _reports(one, lay_out(one.world, runs, TASKS, own))))
            large.append((one, _reports(one, lay_out(one.world, max(1, runs // 4), tasks, own))))
    return tuple(Compared(rule.id, *_rates(usual, place), *_rates(large, place)) for place, rule in enumerate(RULES))


def _reports(one: Found, ground: Field) -> list[tuple[int, int, float]]:
    """Per rule: claims, runs, task answers per run."""
    reports = [rule.run(ground) for rule in RULES]
    return [(int((report.gain >= one.world.asked.by).sum()), ground.runs, report.evaluations) for report in reports]


def _rates(told: Sequence[tuple[Found, list[tuple[int, int, float]]]], place: int) -> tuple[Rate, Rate, float]:
    false, missed, spent = Rate(0, 0), Rate(0, 0), 0.0
    for one, reports in told:
        claims, runs, evaluations = reports[place]
        spent += evaluations / len(told)
        if one.true:
            missed += Rate(runs - claims, runs)
        else:
            false += Rate(claims, runs)
    return false, missed, spent
