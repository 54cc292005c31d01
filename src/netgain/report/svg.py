"""Drawing primitives: text in, one SVG string out. Everything is escaped here; colours live in the style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]


class Html(str):
    """Markup made by this package: templates insert it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def element(tag: str, *inside: str, **attributes: object) -> Html:
    """One element. Plain strings inside are escaped; `class_` and `stroke_width` become `class` and `stroke-width`."""
    named = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items() if value is not None)
    body = "".join(part if isinstance(part, Html) else escape(part) for part in inside)
    return Html(f"<{tag}{named}>{body}</{tag}>" if inside else f"<{tag}{named}/>")


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-") if name != "viewBox" else name


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else escape(str(value))


def number(value: float) -> str:
    """A coordinate with at most two decimals: the same text on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def group(parts: Iterable[Html], **attributes: object) -> Html:
    """Several parts together."""
    return element("g", *parts, Html(""), **attributes)


def text(x: float, y: float, words: str, *, anchor: str = "start", class_: str | None = None) -> Html:
    """Words at a place; `anchor` is start, middle or end."""
    return element(
        "text", words, x=float(x), y=float(y), text_anchor=anchor if anchor != "start" else None, class_=class_
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def path(points: Points, class_: str, *, dash: str | None = None) -> Html:
    """A line through points; a single point becomes a dot."""
    if len(points) == 1:
        return dot(*points[0], 2.5, class_ + " point")
    steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return element("path", d=f"M{steps}", class_=class_, stroke_dasharray=dash) if points else Html("")


def dot(x: float, y: float, radius: float, class_: str, title: str | None = None) -> Html:
    """A circle."""
    inside = (element("title", title),) if title else ()
    return element("circle", *inside, cx=float(x), cy=float(y), r=float(radius), class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str) -> Html:
    """A rectangle."""
    return element("rect", x=float(x), y=float(y), width=float(width), height=float(max(height, 0.0)), class_=class_)


@dataclass(frozen=True)
class Scale:
    """Data from `low` to `high` onto pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers inside, at most so many."""
        step = next(step for step in STEPS if (self.high - self.low) / step <= most)
        first, last = int(-(-(self.low - 1e-9) // step)), int((self.high + 1e-9) // step)
        return [round(index * step, 6) for index in range(first, last + 1)]


STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e9)


def drawing(ident: str, width: float, height: float, title: str, description: str, parts: Iterable[Html]) -> Html:
    """A picture with a name and a description that can be read aloud."""
    heads = [element("title", title, id=f"{ident}-t"), element("desc", description, id=f"{ident}-d")]
    return element(
        "svg", *heads, *parts, xmlns="http://www.w3.org/2000/svg", role="img",
        viewBox=f"0 0 {number(width)} {number(height)}",
        aria_labelledby=f"{ident}-t {ident}-d", class_="plot", width=float(width), height=float(height),
    )  # fmt: skip


def spread(places: Mapping[str, float], gap: float, low: float, high: float) -> dict[str, float]:
    """Move labels apart until none is nearer than `gap` to the next, keeping their order and staying in range."""
    order = sorted(places, key=lambda name: (places[name], name))
    moved: dict[str, float] = {}
    floor = low
    for name in order:
        moved[name] = floor = max(places[name], floor)
        floor += gap
    ceiling = high
    for name in reversed(order):
        moved[name] = min(moved[name], ceiling)
        ceiling = moved[name] - gap
    return moved
