"""Bars over time, as a template draws them in SVG; pure."""

from collections.abc import Sequence
from typing import NamedTuple

from falgate.console.words import count, usd

HEIGHT, STEP = 100, 10
"""Height of a chart and width of each bucket, in units of its own."""

_GAP = 2.0
_NICE = (1, 2, 3, 4, 5, 6, 8, 10)


class Bar(NamedTuple):
    """A part of a bucket's bar.

    Attributes:
        kind: Its class in the style sheet.
        x: Its left edge, like the others in units of the chart.
        y: Its upper edge.
        width: Its width.
        height: Its height.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float


class Bucket(NamedTuple):
    """A span of time.

    Attributes:
        label: What it is called.
        says: What is in it, in words.
        bars: The parts of its bar.
        x: Its left edge.
    """

    label: str
    says: str
    bars: Sequence[Bar]
    x: float


class Chart(NamedTuple):
    """A chart.

    Attributes:
        title: What it shows.
        names: Of the series, each with its class in the style sheet.
        buckets: From the oldest to the newest.
        width: In units of its own.
        most: What its upper edge stands for, in words.
        rows: A row for each bucket that is not empty: its label and the values, in words.
    """

    title: str
    names: Sequence[tuple[str, str]]
    buckets: Sequence[Bucket]
    width: int
    most: str
    rows: Sequence[tuple[str, Sequence[str]]]


class Series(NamedTuple):
    """Values over time.

    Attributes:
        name: What they are.
        kind: Their class in the style sheet.
        values: One for each bucket, not negative.
    """

    name: str
    kind: str
    values: Sequence[float]


def chart(title: str, labels: Sequence[str], series: Sequence[Series], *, money: bool) -> Chart:
    """Return stacked bars.

    Args:
        title: What the chart shows.
        labels: Of the buckets.
        series: What is stacked, the lowest first.
        money: Whether values are dollars; else they are counts.
    """
    sums = [sum(max(0.0, each.values[at]) for each in series) for at in range(len(labels))]
    top = rounded_up(max(sums, default=0))

    def worded(value: float) -> str:
        return usd(f"{value:.4f}") if money else count(round(value))

    buckets, rows = [], []
    for at, label in enumerate(labels):
        values = [worded(each.values[at]) for each in series]
        said = ", ".join(
            f"{each.name.lower()} {value}" for each, value in zip(series, values, strict=True)
        )
        buckets.append(Bucket(label, f"{label}: {said}", _bars(series, at, top), at * STEP))
        if sums[at]:
            rows.append((label, values))
    names = [(each.name, each.kind) for each in series]
    return Chart(title, names, buckets, len(labels) * STEP, worded(top), rows)


def _bars(series: Sequence[Series], at: int, top: float) -> list[Bar]:
    bars, y = [], float(HEIGHT)
    for each in series:
        height = HEIGHT * max(0.0, each.values[at]) / top if top else 0.0
        if height:
            y -= height
            place = (at * STEP + _GAP / 2, round(y, 2), STEP - _GAP, round(height, 2))
            bars.append(Bar(each.kind, *place))
    return bars


def rounded_up(value: float) -> float:
    """Return the next number with one figure that is easy to halve: 1 to 6, 8, 10, 20 and so on."""
    if value <= 0:
        return 0
    size = 1.0
    while size > value:
        size /= 10
    while size * 10 <= value:
        size *= 10
    return next(size * nice for nice in _NICE if size * nice >= value)
