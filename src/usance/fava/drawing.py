"""Drawing: pictures of figures as SVG, made here, so that a page needs no script for them.

A picture is as wide as its place, with zero on its axis. Over each point lies a strip that holds
its figures: exact ones for programs, and rounded ones that a pointer shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from usance.model.amounts import FIGURE, ZERO, total

WIDE, HIGH = 640, 180
"""The units of a picture."""

LEAST = 3
"""Points of a picture, at least: fewer are better read in a table."""

STEPS = (1, 2, Decimal("2.5"), 5, 10, 20)
"""Steps of an axis, in powers of ten; it has at most LABELS of them."""

LABELS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """The figures of one name over time: one for each date, None for none there."""

    name: str
    colour: str
    values: Sequence[Decimal | None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A line or an area of a series: its outline as points of SVG."""

    name: str
    colour: str
    points: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar: its edges in units of the picture, from the left and from the top."""

    colour: str
    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Strip:
    """The place of a point, from edge to edge: x and width in units of the picture."""

    date: str
    x: Decimal
    width: Decimal
    values: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Picture:
    """Figures over time, from zero up or down.

    title, unit   what is drawn, and in what: a currency or "%"
    series        the figures
    ticks         labels of the axis, from the top, evenly spaced over the whole height
    zero, limit   heights of zero and of a line at a limit, from the top
    """

    title: str
    unit: str
    series: Sequence[Series]
    ticks: Sequence[Decimal]
    strips: Sequence[Strip]
    zero: Decimal
    areas: Sequence[Shape] = ()
    lines: Sequence[Shape] = ()
    bars: Sequence[Bar] = ()
    limit: Decimal | None = None

    @property
    def dates(self) -> Sequence[str]:
        """The dates of the first, the middle and the last point."""
        dates = [strip.date for strip in self.strips]
        return dates[0], dates[len(dates) // 2], dates[-1]


def lines(
    title: str,
    unit: str,
    dates: Sequence[str],
    series: Sequence[Series],
    limit: Decimal | None = None,
) -> Picture | None:
    """Return lines over time, which a missing figure breaks; None if they would say nothing.

    limit  where a dashed line lies, if one does
    """
    series = [line for line in series if any(line.values)]
    if not _says_something(dates, series):
        return None
    known = [value for line in series for value in line.values if value is not None]
    axis = _Axis.of([*known, *([] if limit is None else [limit])])
    drawn = [
        Shape(line.name, line.colour, run)
        for line in series
        for run in _runs(line.values, axis, len(dates))
    ]
    height = None if limit is None else axis.height(limit)
    strips = _strips(dates, series, middle=True)
    return Picture(title, unit, series, axis.ticks, strips, axis.zero, lines=drawn, limit=height)


def areas(title: str, unit: str, dates: Sequence[str], series: Sequence[Series]) -> Picture | None:
    """Return areas on each other, with a line at their sum; None if they would say nothing.

    Where a figure is below zero the line alone is drawn.
    """
    if not _says_something(dates, series):
        return None
    columns = list(zip(*(line.values for line in series), strict=True))
    sums = [total(value or ZERO for value in column) for column in columns]
    axis = _Axis.of(sums)
    above = all((value or ZERO) >= 0 for column in columns for value in column)
    layers: list[Shape] = []
    under = [ZERO] * len(dates)
    for line in series if above else ():
        over = [low + (value or ZERO) for low, value in zip(under, line.values, strict=True)]
        edge = [*_points(over, axis), *[*_points(under, axis)][::-1]]
        layers.append(Shape(line.name, line.colour, " ".join(edge)))
        under = over
    outline = Shape("", "capital", " ".join(_points(sums, axis)))
    strips = _strips(dates, series, middle=True)
    return Picture(title, unit, series, axis.ticks, strips, axis.zero, layers, [outline])


def bars(title: str, unit: str, dates: Sequence[str], series: Sequence[Series]) -> Picture | None:
    """Return a bar for each date, gains above zero; None if they would say nothing."""
    series = [line for line in series if any(line.values)]
    if not _says_something(dates, series):
        return None
    columns = list(zip(*(line.values for line in series), strict=True))
    ends = [total(max(value or ZERO, ZERO) for value in column) for column in columns]
    ends += [total(min(value or ZERO, ZERO) for value in column) for column in columns]
    axis = _Axis.of(ends)
    strips = _strips(dates, series, middle=False)
    drawn: list[Bar] = []
    for strip, column in zip(strips, columns, strict=True):
        tops = {True: ZERO, False: ZERO}
        for line, value in zip(series, column, strict=True):
            if value:
                begin = tops[value > 0]
                end = tops[value > 0] = begin + value
                top, foot = axis.height(max(begin, end)), axis.height(min(begin, end))
                x, width = strip.x + strip.width / 8, strip.width * 3 / 4
                drawn.append(Bar(line.colour, _unit(x), top, _unit(width), foot - top))
    return Picture(title, unit, series, axis.ticks, strips, axis.zero, bars=drawn)


def _says_something(dates: Sequence[str], series: Sequence[Series]) -> bool:
    """Tell whether a picture has at least LEAST points, not all of them zero."""
    known = max((sum(value is not None for value in line.values) for line in series), default=0)
    return len(dates) >= LEAST <= known and any(any(line.values) for line in series)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The axis of figures: evenly spaced labels, from the top."""

    ticks: Sequence[Decimal]

    @classmethod
    def of(cls, values: Sequence[Decimal]) -> "_Axis":
        """Return the axis from zero, or from the lowest figure, to the highest."""
        low, high = min(ZERO, *values), max(ZERO, *values)
        rough = FIGURE.divide(high - low, LABELS)
        for factor in STEPS:
            step = Decimal(1).scaleb(rough.adjusted()) * factor
            first = FIGURE.divide(low, step).to_integral_value(ROUND_FLOOR)
            last = FIGURE.divide(high, step).to_integral_value(ROUND_CEILING)
            if last - first <= LABELS:
                break
        return cls([step * count for count in range(int(last), int(first) - 1, -1)])

    def height(self, value: Decimal) -> Decimal:
        """Return how far from the top a figure lies, in units of the picture."""
        high, low = self.ticks[0], self.ticks[-1]
        return _unit(FIGURE.divide(HIGH * (high - value), high - low))

    @property
    def zero(self) -> Decimal:
        return self.height(ZERO)


def _unit(number: Decimal) -> Decimal:
    """Return a place in a picture, to a tenth of its unit."""
    return number.quantize(Decimal("0.1"))


def _at(index: int, count: int) -> Decimal:
    return _unit(FIGURE.divide(WIDE * index, count - 1))


def _points(values: Sequence[Decimal], axis: _Axis) -> Iterator[str]:
    for index, value in enumerate(values):
        yield f"{_at(index, len(values))},{axis.height(value)}"


def _runs(values: Sequence[Decimal | None], axis: _Axis, count: int) -> Iterator[str]:
    """Yield the points of each part of a line that no missing figure breaks."""
    run: list[str] = []
    for index, value in enumerate([*values, None]):
        if value is not None:
            run.append(f"{_at(index, count)},{axis.height(value)}")
        elif run:
            yield " ".join(run)
            run = []


def _strips(dates: Sequence[str], series: Sequence[Series], *, middle: bool) -> list[Strip]:
    """Return a strip for each date.

    middle  the first and the last point lie at the edges, so their strips are half as wide
    """
    count = len(dates)
    whole = Decimal(WIDE) / (2 * count - 2 if middle else count)
    found: list[Strip] = []
    for index, date in enumerate(dates):
        left, right = (2 * index - 1, 2 * index + 1) if middle else (index, index + 1)
        x = _unit(max(whole * left, ZERO))
        width = _unit(min(whole * right, Decimal(WIDE))) - x
        values = {line.name: value for line in series if (value := line.values[index]) is not None}
        found.append(Strip(date, x, width, values))
    return found
