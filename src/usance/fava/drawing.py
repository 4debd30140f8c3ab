"""Drawing: pictures of figures as SVG, made here, so that a page needs no script for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from usance.model.amounts import ZERO

WIDE, HIGH = 640, 180
"""The units of a picture; it is as wide as its place."""


@dataclass(frozen=True, slots=True)
class Area:
    """One layer of a picture: its name, and its outline as points of SVG."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers on each other over time, from the first to the last.

    layers  empty if a value is below zero: then `line` alone is drawn
    line    the sum
    zero    height of zero, from the top
    low, high  values of the lower and the upper edge
    dates   of the first, the middle and the last point
    """

    layers: Sequence[Area]
    line: str
    zero: int
    low: Decimal
    high: Decimal
    dates: Sequence[str]


def stack(dates: Sequence[str], values: Mapping[str, Sequence[Decimal]]) -> Stack | None:
    """Return the picture of values over time; None of fewer than three points, or of zeros.

    values  by name, one for each date
    """
    if len(dates) < 3 or not any(any(line) for line in values.values()):
        return None
    sums = [sum((line[index] for line in values.values()), ZERO) for index in range(len(dates))]
    low, high = min(ZERO, *sums), max(ZERO, *sums)
    if low == high:
        return None
    above = all(value >= 0 for line in values.values() for value in line)
    layers: list[Area] = []
    under = [ZERO] * len(dates)
    for name, line in values.items() if above else ():
        over = [below + value for below, value in zip(under, line, strict=True)]
        edge = [*_points(over, low, high), *[*_points(under, low, high)][::-1]]
        layers.append(Area(name, " ".join(edge)))
        under = over
    middle = dates[len(dates) // 2]
    outline = " ".join(_points(sums, low, high))
    return Stack(
        layers, outline, _height(ZERO, low, high), low, high, (dates[0], middle, dates[-1])
    )


def _points(values: Sequence[Decimal], low: Decimal, high: Decimal) -> Iterator[str]:
    for index, value in enumerate(values):
        yield f"{WIDE * index // (len(values) - 1)},{_height(value, low, high)}"


def _height(value: Decimal, low: Decimal, high: Decimal) -> int:
    """Return how far from the top a value lies."""
    return int(HIGH * (high - value) / (high - low))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over time, from zero up, with a line at a limit.

    lines   by name, each as its unbroken parts in points of SVG
    limit   height of the limit, from the top
    high    value of the upper edge
    dates   of the first, the middle and the last point
    """

    lines: Mapping[str, Sequence[str]]
    limit: int
    high: Decimal
    dates: Sequence[str]


def lines(
    dates: Sequence[str], values: Mapping[str, Sequence[Decimal | None]], limit: Decimal
) -> Lines | None:
    """Return the picture of lines over time; None of fewer than three points, or of zeros.

    values  by name, one for each date, at least zero; None breaks a line
    """
    known = [value for line in values.values() for value in line if value is not None]
    if len(dates) < 3 or not any(known):
        return None
    high = max(*known, limit) * Decimal("1.05")
    drawn = {name: [*_runs(line, high)] for name, line in values.items()}
    middle = dates[len(dates) // 2]
    return Lines(drawn, _height(limit, ZERO, high), high, (dates[0], middle, dates[-1]))


def _runs(values: Sequence[Decimal | None], high: Decimal) -> Iterator[str]:
    """Yield the points of each part of a line that no missing value breaks."""
    run: list[str] = []
    for index, value in enumerate([*values, None]):
        if value is not None:
            run.append(f"{WIDE * index // (len(values) - 1)},{_height(value, ZERO, high)}")
        elif run:
            yield " ".join(run)
            run = []
