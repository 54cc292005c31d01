"""The axes of a plot over rounds: margins, grid, ticks, and labels that stand beside their lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from netgain.report.figures import points
from netgain.report.svg import Html, Points, Scale, line, path, spread, text

LABEL_GAP = 15.0
WIDE = 940.0  # of a picture over the whole page
LABELS = 226.0  # margin for names beside lines


@dataclass(frozen=True)
class Frame:
    """A plot of scores over rounds.

    Attributes:
        width, height: of the whole picture.
        left, right, top, bottom: margins.
        rounds: last round on the axis.
        low, high: ends of the score axis.
    """

    width: float
    height: float
    rounds: int
    low: float = 0.0
    high: float = 1.0
    left: float = 44.0
    right: float = 16.0
    top: float = 12.0
    bottom: float = 34.0

    @property
    def x(self) -> Scale:
        """Rounds to pixels."""
        return Scale(0, max(1, self.rounds), self.left, self.width - self.right)

    @property
    def y(self) -> Scale:
        """Scores to pixels."""
        return Scale(self.low, self.high, self.height - self.bottom, self.top)

    def points(self, curve: Mapping[int, float]) -> Points:
        """A curve's points in pixels."""
        return [(self.x(at), self.y(value)) for at, value in sorted(curve.items())]

    def curve(
        self, curve: Mapping[int, float], class_: str, *, dash: str | None = None, breaks: Collection[int] = ()
    ) -> Html:
        """A curve as a line; before the rounds of `breaks` it ends, and begins anew there."""
        parts: list[dict[int, float]] = [{}]
        for at, value in sorted(curve.items()):
            if any(max(parts[-1], default=at) < one <= at for one in breaks):
                parts.append({})
            parts[-1][at] = value
        return Html("".join(path(self.points(part), class_, dash=dash) for part in parts))

    def axes(self, xlabel: str = "round", *, most: int = 6) -> list[Html]:
        """Grid, ticks and the name of the horizontal axis."""
        left, right, floor = self.left, self.width - self.right, self.height - self.bottom
        parts = []
        for tick in self.y.ticks(most):
            parts += [line(left, self.y(tick), right, self.y(tick), "grid")]
            parts += [text(left - 7, self.y(tick) + 4, plain(tick), anchor="end", class_="tick")]
        for at in self.x.ticks(10):
            if float(at).is_integer():
                parts.append(text(self.x(at), floor + 16, str(int(at)), anchor="middle", class_="tick"))
        parts.append(line(left, floor, right, floor, "axis"))
        return [*parts, text(right, floor + 30, xlabel, anchor="end", class_="tick")]

    def labels(self, ends: Mapping[str, tuple[float, str]], x: float) -> list[Html]:
        """Names beside the right ends of lines, moved apart, each with a leader to its line: name -> (score, class)."""
        floor = self.height - self.bottom
        places = spread({name: self.y(value) for name, (value, _) in ends.items()}, LABEL_GAP, self.top + 4, floor + 10)
        parts = []
        for name, (value, class_) in ends.items():
            end = self.width - self.right
            parts.append(path([(end + 2, self.y(value)), (x - 12, places[name]), (x - 4, places[name])], "leader"))
            parts.append(text(x, places[name] + 4, name, class_=f"label {class_}"))
        return parts


def plain(value: float) -> str:
    """A tick without needless zeros."""
    return points(value).rstrip("0").rstrip(".") if not float(value).is_integer() else f"{value:.0f}"


def bounds(values: Sequence[float], *, least: float = 0.0, most: float = 0.0) -> tuple[float, float]:
    """Ends of an axis that holds all values and both limits, with some air."""
    low, high = min([least, *values]), max([most, *values])
    air = 0.06 * ((high - low) or 1.0)
    return low - air, high + air
