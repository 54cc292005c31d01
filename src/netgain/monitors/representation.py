"""How far the inside of a system has moved, on fixed anchor inputs.

`linear_cka`: similarity of two sets of features up to rotation and scale (Kornblith et al., ICML 2019, equation 4). The
plain form is near 1 for unrelated features when there are fewer inputs than features; the debiased one puts the
unbiased estimate of Song et al. (JMLR 2012, equation 5) in place of each term and is near 0 there, sometimes below.

`effective_rank`: exp of the entropy of the normalised singular values of centred features (Roy & Vetterli 2007).

Record, made by `representation`: `{"cka": …, "effective_rank": …, "norm": …}`. How far such numbers may move without
harm is not known in general, so none of these monitors has an error rate.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from netgain.monitors.signal import Action, Direction, Monitor, Point, Reading
from netgain.monitors.trend import factor

FloatArray = npt.NDArray[np.float64]
Change = Callable[[Mapping[str, float], Mapping[str, float]], float]


def linear_cka(first: npt.ArrayLike, now: npt.ArrayLike, *, debiased: bool = True) -> float:
    """Return linear CKA of (inputs, features) and (inputs, other features): 1 for equal up to rotation and scale.

    Raises:
        ValueError: different inputs, fewer than 4 of them, features that are not finite or do not vary.
    """
    x, y = _features(first), _features(now)
    if len(x) != len(y) or len(x) < 4:
        raise ValueError(f"features of {len(x)} and {len(y)} inputs: expected the same inputs, at least 4")
    product = _unbiased if debiased else _plain
    k, m = x @ x.T, y @ y.T
    scale = product(k, k) * product(m, m)
    if scale <= 0.0:
        raise ValueError("features do not vary over the inputs: their similarity is not defined")
    return product(k, m) / math.sqrt(scale)


def effective_rank(features: npt.ArrayLike) -> float:
    """Return the effective rank of (inputs, features), from 1 to the smaller side; centred."""
    x = _features(features)
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    if not singular.sum() > 0.0:
        raise ValueError("features do not vary over the inputs: they have no rank")
    share = singular[singular > 0.0] / singular.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def representation(first: npt.ArrayLike, now: npt.ArrayLike) -> dict[str, float]:
    """Return what is recorded of features on the anchor inputs: of generation 0 ``first`` and of the system ``now``."""
    norm = float(np.linalg.norm(_features(now), axis=1).mean())
    return {"cka": linear_cka(first, now), "effective_rank": effective_rank(now), "norm": norm}


def cka(*, reads: str = "representation", threshold: float = 0.5, action: Action = "watch") -> Monitor:
    """Alarm when the similarity to generation 0 is below ``threshold``."""
    return _monitor("cka", reads, threshold, action, lambda first, now: now["cka"])


def rank(*, reads: str = "representation", threshold: float = 0.5, action: Action = "watch") -> Monitor:
    """Alarm when the effective rank is below ``threshold`` times its first value."""
    return _monitor("effective_rank", reads, threshold, action, lambda a, b: _ratio(a, b, "effective_rank"))


def norm(*, reads: str = "representation", threshold: float = 2.0, action: Action = "watch") -> Monitor:
    """Alarm when the mean norm is ``threshold`` times its first value, or that much smaller."""
    return _monitor("norm", reads, threshold, action, lambda a, b: _either_way(_ratio(a, b, "norm")))


def _monitor(name: str, reads: str, threshold: float, action: Action, change: Change) -> Monitor:
    def measure(points: Sequence[Point]) -> Reading:
        return Reading(float(change(points[0].value, points[-1].value)))

    direction: Direction = "at_least" if name == "norm" else "below"
    said = "none: how far features may move without harm is not known"
    return Monitor(name, reads, threshold, direction, action, said, measure)


def _ratio(first: Mapping[str, float], now: Mapping[str, float], of: str) -> float:
    return factor(first[of], now[of])


def _either_way(ratio: float) -> float:
    if ratio == 0.0:
        raise ValueError("norm 0: the features are gone")
    return max(ratio, 1.0 / ratio)


def _features(features: npt.ArrayLike) -> FloatArray:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(f"features of shape {x.shape}: expected finite numbers (inputs, features)")
    return x


def _plain(k: FloatArray, m: FloatArray) -> float:
    """Centred inner product of two Gram matrices: the biased estimate, times (n - 1) squared."""
    centred = k - k.mean(axis=0) - k.mean(axis=1)[:, None] + k.mean()
    return float((centred * m).sum())


def _unbiased(k: FloatArray, m: FloatArray) -> float:
    """Unbiased estimate of the same, times n (n - 3): diagonals left out."""
    n = len(k)
    a, b = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    both = float((a * b).sum())
    apart = float(a.sum() * b.sum()) / ((n - 1) * (n - 2))
    return both + apart - 2.0 * float(a.sum(axis=0) @ b.sum(axis=0)) / (n - 2)
