"""The claim analysis "typical start": in more than a share q of starts the net gain exceeds the claimed effect.

Unit: replicas (independent starts of the whole loop). Per start one number, the net gain g = min over the required
controls of (score of self - score of control), and one success x = [g > delta]. Registered looks with thresholds; exact
level by enumeration of binomial paths (``math.comb``). Sources: ``method.md`` 3.1 and 3.3, ``design.md`` 6.

A failure of the loop is scored before it comes here (the system it serves). Two cases remain without a number:
a control that failed (x = 0 for both words: it may not help the claim; its net gain is -inf here), and an
infrastructure failure that could not be resumed (x = 0 towards SUPPORTED, x = 1 towards REFUTED; more than one such
start: no look).

The test bounds the share of successful starts, not their mean: no analysis of R clean starts can exclude a failure mode
rarer than ``hidden_failure_share(R)``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from netgain.claim import OPEN, OPEN_STARTS, USUAL_LOOKS

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LookWord = Literal["SUPPORTED", "REFUTED"]


@dataclass(frozen=True)
class Looks:
    """Registered looks: at ``sizes[j]`` starts SUPPORTED at >= ``support[j]`` successes, REFUTED at <= ``refute[j]``.

    A threshold above the size (or below 0) means that the word cannot fall at that look. ``share`` is q of the claim.
    """

    sizes: tuple[int, ...]
    support: tuple[int, ...]
    refute: tuple[int, ...]
    share: float = 0.5

    def __post_init__(self) -> None:
        if not self.sizes or not len(self.sizes) == len(self.support) == len(self.refute):
            raise ValueError(f"each look needs a size and two thresholds, got {self!r}")
        if self.sizes[0] < 1 or any(b <= a for a, b in zip(self.sizes, self.sizes[1:], strict=False)):
            raise ValueError(f"look sizes {self.sizes!r} must be increasing numbers of starts")
        if not 0.0 < self.share < 1.0:
            raise ValueError(f"share {self.share!r} is outside (0, 1)")
        if any(low >= high for low, high in zip(self.refute, self.support, strict=True)):
            raise ValueError(f"refute {self.refute!r} must stay below support {self.support!r} at every look")

    @property
    def levels(self) -> tuple[float, float]:
        """Exact one-sided levels: P(SUPPORTED) and P(REFUTED) when exactly a share q of starts succeeds."""
        odds = chances(self, self.share)
        return odds.supported, odds.refuted

    @property
    def confidence(self) -> float:
        """Two-sided confidence of the interval for the typical net gain, valid over all looks: 1 - both levels."""
        return 1.0 - sum(self.levels)


@dataclass(frozen=True)
class LookChances:
    """Probabilities of the words, and the expected number of starts, when a share of starts succeeds."""

    supported: float
    refuted: float
    inconclusive: float
    expected_starts: float


@dataclass(frozen=True)
class TypicalStart:
    """The analysis at the last usable look; effects in score points, None where it cannot be said.

    ``look`` is the number of starts used, None before the first usable look. ``successes`` counts towards SUPPORTED.
    ``low`` and ``high`` are None for an unbounded end. ``next_look`` is the next registered size while no word fell.
    """

    word: LookWord | None
    look: int | None
    starts: int
    successes: int
    lost: int
    failed_controls: int
    estimate: float | None
    low: float | None
    high: float | None
    confidence: float
    level: float
    share_low: float
    hidden_failure: float
    next_look: int | None
    reason: str
    share: float = 0.5


def default_looks() -> Looks:
    """Return the default: looks at 6, 9, 12 starts, SUPPORTED at 6, 8, 10, REFUTED at 0, 1, 2; .0354 on each side."""
    return planned_looks((6, 9, 12), (6, 8, 10))


def planned_looks(sizes: Sequence[int], support: Sequence[int]) -> Looks:
    """Return looks for "more than half of starts": the lower thresholds mirror the upper ones, R - u."""
    return Looks(tuple(sizes), tuple(support), tuple(r - u for r, u in zip(sizes, support, strict=True)))


def derived_looks(sizes: Sequence[int], *, share: float = 0.5, level: float = 0.05) -> Looks:
    """Return looks whose two levels are at most ``level``: at look j of J at most j/J of it is spent.

    Both tables are enumerated in the same way, at the same share. Deviation from ``method.md``: it fixes no rule for
    shares other than one half; for 6, 9, 12 this one gives the default design.
    """
    support: list[int] = []
    refute: list[int] = []
    for j, size in enumerate(sizes, start=1):
        allowed = level * j / len(sizes)
        support.append(_next_threshold(sizes[:j], support, share, allowed))
        # Few successes are many failures, so the lower table is the upper table of failures at 1 - q.
        failures = [n - low for n, low in zip(sizes, refute, strict=False)]
        refute.append(size - _next_threshold(sizes[:j], failures, 1.0 - share, allowed))
    return Looks(tuple(sizes), tuple(support), tuple(refute), share)


def looks_of(looks: Sequence[int] | str, *, share: float = 0.5, level: float = 0.05) -> Looks:
    """Return the registered design: the default for 6, 9, 12 and one half, else the one derived for sizes and share.

    Args:
        looks: Numbers of starts, or "open": every number up to 24, by the e-process at ``level``.
        share: q of "in more than a share q of starts".
        level: One-sided level of the open design; fixed looks keep to .05.
    """
    sizes = None if looks == OPEN else tuple(int(size) for size in looks)
    return default_looks() if (sizes, share) == (USUAL_LOOKS, 0.5) else _enumerated(sizes, share, level)


@cache
def _enumerated(sizes: tuple[int, ...] | None, share: float, level: float) -> Looks:
    """Return the design of these looks, or the open one; kept, because a verdict asks for it many times."""
    if sizes is None:
        return open_looks(OPEN_STARTS, level=level, share=share)
    return derived_looks(sizes, share=share)


def open_looks(most: int, *, level: float = 0.05, share: float = 0.5) -> Looks:
    """Return the open-ended design ``looks = "open"`` as a look at every number of starts up to ``most``.

    SUPPORTED at n when E_n >= 1/level, REFUTED when the mirror image does (``log_e_share``).
    """
    sizes = tuple(range(1, most + 1))
    support = tuple(_open_threshold(n, share, level) for n in sizes)
    refute = tuple(n - _open_threshold(n, 1.0 - share, level) for n in sizes)
    return Looks(sizes, support, refute, share)


def log_e_share(successes: int, starts: int, *, share: float = 0.5) -> float:
    """Return log E_n against "at most a share q of starts succeeds" after k of n (``method.md`` 3.1).

    E_n = 1/2 q^-n [k = n] + 1/2 * integral_q^1 p^k (1-p)^(n-k) dp / ((1-q) q^k (1-q)^(n-k)). The integral is
    P(Bin(n+1, q) <= k) / ((n+1) C(n, k)). For REFUTED call it with the failures and 1 - q.
    """
    k, n, q = successes, starts, share
    if not 0 <= k <= n or not 0.0 < q < 1.0:
        raise ValueError(f"{k!r} successes of {n!r} starts at share {q!r}: need 0 <= k <= n and a share in (0, 1)")
    integral = binomial_at_most(k, n + 1, q) / ((n + 1) * math.comb(n, k))
    mixed = integral / ((1.0 - q) * q**k * (1.0 - q) ** (n - k))
    return math.log(0.5 * mixed + (0.5 * q**-n if k == n else 0.0))


@lru_cache(maxsize=4096)
def chances(looks: Looks, success: float) -> LookChances:
    """Return what the design says when each start succeeds independently with probability ``success``.

    Exact: the distribution of the count is carried from look to look, decided paths leave it.
    """
    alive, supported, refuted, expected, size = {0: 1.0}, 0.0, 0.0, 0.0, 0
    for n, up, down in zip(looks.sizes, looks.support, looks.refute, strict=True):
        expected += (n - size) * math.fsum(alive.values())
        alive = _advance(alive, n - size, success)
        supported += math.fsum(weight for k, weight in alive.items() if k >= up)
        refuted += math.fsum(weight for k, weight in alive.items() if k <= down)
        alive = {k: weight for k, weight in alive.items() if down < k < up}
        size = n
    return LookChances(supported, refuted, math.fsum(alive.values()), expected)


def words(up: npt.ArrayLike, down: npt.ArrayLike, looks: Looks) -> npt.NDArray[np.int64]:
    """Return the word of many studies at once: 1 SUPPORTED, -1 REFUTED, 0 neither, at the first look that decides.

    Args:
        up: (studies, starts) successes towards SUPPORTED, in id order.
        down: (studies, starts) successes towards REFUTED (differs from ``up`` for a start lost to infrastructure).
        looks: The registered looks; those beyond the number of starts are not taken.
    """
    toward, against = (np.cumsum(np.atleast_2d(np.asarray(x, dtype=np.int64)), axis=1) for x in (up, down))
    lost = against - toward
    word = np.zeros(toward.shape[0], dtype=np.int64)
    for n, high, low in zip(looks.sizes, looks.support, looks.refute, strict=True):
        if n <= toward.shape[1]:
            held = (word == 0) & (lost[:, n - 1] <= 1)
            word = np.where(held & (toward[:, n - 1] >= high), 1, np.where(held & (against[:, n - 1] <= low), -1, word))
    return word


def typical_start(
    net_gains: npt.ArrayLike, *, delta: float, looks: Looks | None = None, lost: npt.ArrayLike | None = None
) -> TypicalStart:
    """Return word, estimate and exact interval of "in more than a share q of starts the net gain exceeds delta".

    Args:
        net_gains: (R,) net gain of each enrolled start in id order, in score points; -inf where a control failed.
        delta: The claimed effect.
        looks: Registered looks; default 6, 9, 12.
        lost: (R,) True where infrastructure failed for good; the gain of such a start is ignored and may be NaN.

    Raises:
        ValueError: A gain of a start that is not lost is NaN or +inf, or shapes differ.
    """
    looks = looks or default_looks()
    gains = np.asarray(net_gains, dtype=np.float64)
    gone = np.zeros(gains.shape, dtype=np.bool_) if lost is None else np.asarray(lost, dtype=np.bool_)
    if gains.ndim != 1 or gone.shape != gains.shape:
        raise ValueError(f"net_gains {gains.shape} and lost {gone.shape} must be two arrays of one shape (R,)")
    bad = ~gone & ~(gains < np.inf)
    if bad.any():
        value, start = float(gains[bad][0]), int(bad.argmax())
        raise ValueError(f"net gain {value!r} of start {start} is no number: mark the start lost or score it")
    word, look, reason = _first_word(gains, gone, delta, looks)
    return _summary(gains, gone, delta, looks, word=word, look=look, reason=reason)


def _first_word(
    gains: FloatArray, gone: BoolArray, delta: float, looks: Looks
) -> tuple[LookWord | None, int | None, str]:
    """Return the word of the first look that decides, that look (or the last usable one), and the reason."""
    above = gains > delta
    used, reason = None, f"{gains.size} starts are too few: the first look is at {looks.sizes[0]}"
    for n, high, low in zip(looks.sizes, looks.support, looks.refute, strict=True):
        if n > gains.size:
            break
        if int(gone[:n].sum()) > 1:
            reason = f"no look at {n} starts: {int(gone[:n].sum())} were lost to infrastructure, at most 1 is allowed"
            continue
        up, down = int((above[:n] & ~gone[:n]).sum()), int((above[:n] | gone[:n]).sum())
        if up >= high:
            return "SUPPORTED", n, f"{up} of {n} starts exceed the claimed effect, {high} are needed"
        if down <= low:
            return "REFUTED", n, f"at most {down} of {n} starts exceed the claimed effect, {low} or fewer refute it"
        used, reason = n, f"{up} of {n} starts exceed the claimed effect: neither {high} or more nor {low} or fewer"
    return None, used, reason


def _summary(
    gains: FloatArray,
    gone: BoolArray,
    delta: float,
    looks: Looks,
    *,
    word: LookWord | None,
    look: int | None,
    reason: str,
) -> TypicalStart:
    """Return the numbers printed beside the word, on the starts of the look (or all starts before a usable one)."""
    n = look if look is not None else gains.size
    seen, away = gains[:n], gone[:n]
    successes = int(((seen > delta) & ~away).sum())
    low, high = _interval(seen, away, looks, look)
    present = seen[~away]
    later = [size for size in looks.sizes if size > gains.size]
    return TypicalStart(
        word=word,
        look=look,
        starts=n,
        successes=successes,
        lost=int(away.sum()),
        failed_controls=int(np.isneginf(present).sum()),
        estimate=_finite(_typical(present, looks.share)) if present.size else None,
        low=low,
        high=high,
        confidence=looks.confidence,
        level=looks.levels[0],
        share_low=share_lower_bound(successes, n),
        hidden_failure=hidden_failure_share(n),
        next_look=later[0] if word is None and later else None,
        reason=reason,
        share=looks.share,
    )


def _interval(seen: FloatArray, away: BoolArray, looks: Looks, look: int | None) -> tuple[float | None, float | None]:
    """Return the claimed effects that the look neither supports nor refutes: [g_(R-u+1), g_(R-l)] in increasing order.

    A lost start counts as -inf for the lower end and +inf for the upper one. None is an unbounded end.
    """
    if look is None:
        return None, None
    j = looks.sizes.index(look)
    lower, upper = np.sort(np.where(away, -np.inf, seen)), np.sort(np.where(away, np.inf, seen))
    low = lower[look - looks.support[j]] if looks.support[j] <= look else -np.inf
    high = upper[look - looks.refute[j] - 1] if looks.refute[j] >= 0 else np.inf
    return _finite(float(low)), _finite(float(high))


def _typical(values: FloatArray, share: float) -> float:
    """Return the value that a share of the starts reaches: the median for one half (-inf, not NaN, beside -inf)."""
    ordered = np.sort(values)
    if share != 0.5:
        return float(ordered[min(ordered.size - 1, int((1.0 - share) * ordered.size + 1e-9))])
    middle = ordered[(ordered.size - 1) // 2 : ordered.size // 2 + 1]
    return float(middle.mean())


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def hidden_failure_share(starts: int, *, level: float = 0.05) -> float:
    """Return h = 1 - level^(1/R): R clean starts cannot exclude a failure mode in up to this share of starts."""
    return 1.0 - level ** (1.0 / starts) if starts > 0 else 1.0


@lru_cache(maxsize=4096)
def share_lower_bound(successes: int, starts: int, *, level: float = 0.05) -> float:
    """Return the exact one-sided lower bound (Clopper-Pearson 1934) of the share of successful starts, at one look.

    The largest p at which P(Bin(R, p) >= k) is still at most ``level``, by bisection to 1e-12.
    """
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2.0
        if binomial_at_least(successes, starts, middle) <= level:
            low = middle
        else:
            high = middle
    return low


def binomial_at_least(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) >= k)."""
    return math.fsum(math.comb(n, i) * p**i * (1.0 - p) ** (n - i) for i in range(max(k, 0), n + 1))


def binomial_at_most(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) <= k)."""
    return math.fsum(math.comb(n, i) * p**i * (1.0 - p) ** (n - i) for i in range(min(k, n) + 1))


def _advance(alive: dict[int, float], starts: int, success: float) -> dict[int, float]:
    """Return the distribution of the count after ``starts`` more starts."""
    moved: dict[int, float] = {}
    for k, weight in alive.items():
        for more in range(starts + 1):
            chance = math.comb(starts, more) * success**more * (1.0 - success) ** (starts - more)
            moved[k + more] = moved.get(k + more, 0.0) + weight * chance
    return moved


def _reach(sizes: Sequence[int], support: Sequence[int], share: float) -> float:
    """Return P(the upper thresholds are reached at some look)."""
    return chances(Looks(tuple(sizes), tuple(support), (-1,) * len(support), share), share).supported


def _next_threshold(sizes: Sequence[int], earlier: Sequence[int], share: float, allowed: float) -> int:
    """Return the smallest threshold of the last look that keeps the level so far within ``allowed``."""
    size = sizes[-1]
    return next((u for u in range(size + 1) if _reach(sizes, [*earlier, u], share) <= allowed), size + 1)


def _open_threshold(starts: int, share: float, level: float) -> int:
    """Return the smallest count with E_n >= 1/level; starts + 1 when even all successes do not reach it."""
    enough = (k for k in range(starts + 1) if log_e_share(k, starts, share=share) >= math.log(1.0 / level))
    return next(enough, starts + 1)
