"""Statement: the answer of `usance statement`, what a period did to the value of everything."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, ZERO, total
from usance.model.hours import Day, date_of, day_of, month_end
from usance.model.problems import Problem
from usance.reports import basis
from usance.reports.figures import BESIDE, IF_ANY, FlatRow, as_dicts, figure, rounded
from usance.reports.performance import LINES, Interval, Performance, Span, performance

INTERVALS = ("day", "week", "month", "quarter", "year")
UNNAMED = ("funding", "fees")
"""Lines that a statement shows as one, whatever contract they are about."""

RESULTS = ("contracts", "coins")
"""The lines of which a part is realised."""

WORDS = {
    "deposits": "Deposits",
    "withdrawals": "Withdrawals",
    "transfers_in": "Transfers in",
    "transfers_out": "Transfers out",
    "lending_interest": "Lending interest",
    "treasury": "Treasury yield",
    "bonus": "Bonus",
    "borrow_interest": "Borrow interest",
    "contracts": "Contracts",
    "funding": "Funding",
    "fees": "Fees",
    "coins": "Coins",
    "liquidation": "Debts relieved",
    "other": "Other",
}
"""The name of each line for people."""

COLUMNS = (
    "name",
    "venue",
    "kind",
    "from",
    "to",
    "line",
    "about",
    "amount",
    "realised",
    "unrealised",
)
"""The columns of the CSV; `line` is also opening, closing and difference."""


BASES = {basis.POSTED: "as posted", basis.CORRECTED: "as corrected"}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one line added to the value of a part; below zero if it took.

    line        one of LINES
    name        account, other sub-account, contract or coin; "" if the line has but one
    realised    of contracts and coins: what closing or selling realised; None of other lines
    unrealised  of contracts and coins: the rest of the amount
    """

    line: str
    name: str
    amount: Decimal
    realised: Decimal | None = field(default=None, metadata=IF_ANY)
    unrealised: Decimal | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True, slots=True)
class StatementPeriod:
    """What some days did to the value of a part.

    opening     value of the evening before the first day; None without a price
    lines       in the order of LINES; None if a price is missing
    closing     value of the evening of the last day; None without a price
    difference  closing less opening and all lines: zero, or the books have a fault
    """

    from_: datetime.date
    to: datetime.date
    opening: Decimal | None
    lines: tuple[StatementLine, ...] | None
    closing: Decimal | None
    difference: Decimal | None


@dataclass(frozen=True, slots=True)
class StatementPart:
    """A sub-account, a product backed by bills, or the whole, of which name and venue are "".

    kind     sub-account, product or whole
    periods  one, or one for each interval
    """

    name: str
    venue: str
    kind: str
    periods: tuple[StatementPeriod, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a period did to the value of each part; amounts in the operating currency.

    basis     posted or corrected
    parts     sub-accounts and products by name, then the whole
    problems  a problem for each missing price
    """

    from_: datetime.date
    to: datetime.date
    currency: str
    basis: str
    parts: tuple[StatementPart, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return a flat row for each line, opening, closing and difference: COLUMNS, as CSV has."""
        return [
            dict(zip(COLUMNS, [*head, *cells], strict=True))
            for part in self.parts
            for period in part.periods
            for head in [(part.name, part.venue, part.kind, period.from_, period.to)]
            for cells in _flat(period)
        ]


def _flat(period: StatementPeriod) -> Iterator[tuple[object, ...]]:
    yield "opening", "", period.opening, None, None
    for line in period.lines or ():
        yield line.line, line.name, line.amount, line.realised, line.unrealised
    yield "closing", "", period.closing, None, None
    yield "difference", "", period.difference, None, None


def statement(
    ledger: Ledger, reading: Reading, span: Span, by: str | None = None, on: str = basis.POSTED
) -> Statement:
    """Return the answer of `usance statement`.

    by  one of INTERVALS, or None for one interval
    on  the basis
    """
    spans = list(intervals(span, by))
    entries = basis.entries(ledger, reading, span[1], on)
    return answered(performance(ledger, reading, entries, spans), span, on)


def answered(found: Performance, span: Span, on: str) -> Statement:
    """Return what the intervals of a span did."""
    return Statement(
        date_of(span[0]),
        date_of(span[1]),
        found.currency,
        on,
        tuple(StatementPart(*part, tuple(map(_period, periods))) for part, periods in found.parts),
        tuple(found.problems),
    )


@dataclass(frozen=True, slots=True)
class Value:
    """Net asset value of a sub-account, a product, or the whole ("") in an evening.

    It is in the operating currency, or None without a price.
    """

    date: datetime.date
    sub_account: str
    venue: str
    net_asset_value: Decimal | None


@dataclass(frozen=True, slots=True)
class Values:
    """Net asset values over time: for each evening a row of each part, and of the whole.

    every     day, week, month, quarter or year: rows are of the last evening of each
    basis     posted or corrected
    problems  a problem for each missing price
    """

    every: str
    currency: str
    basis: str
    rows: tuple[Value, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return the rows as flat dicts."""
        return as_dicts(self.rows, VALUE)


VALUE = ("date", "sub_account", "venue", "net_asset_value")
"""The columns of the CSV of values."""


def values(ledger: Ledger, reading: Reading, span: Span, every: str, on: str) -> Values:
    """Return the answer of `usance accounts --every`.

    every  one of INTERVALS: each row is of the last evening of one
    """
    entries = basis.entries(ledger, reading, span[1], on)
    found = performance(ledger, reading, entries, list(intervals(span, every)))
    rows = tuple(
        Value(date_of(period.last), part.name, part.venue, figure(period.closing))
        for periods in zip(*(periods for _, periods in found.parts), strict=True)
        for (part, _), period in zip(found.parts, periods, strict=True)
    )
    return Values(every, found.currency, on, rows, tuple(found.problems))


def intervals(span: Span, by: str | None) -> Iterator[Span]:
    """Yield a period by day, week (from Monday), month, quarter or year; the ends may be parts."""
    first, last = span
    while first <= last:
        end = last if by is None else min(last, _end(first, by))
        yield first, end
        first = Day(end + 1)


def _end(day: Day, by: str) -> Day:
    """Return the last day of the interval of a day."""
    date = date_of(day)
    match by:
        case "day":
            return day
        case "week":
            return Day(day + 6 - date.weekday())
        case "month" | "quarter":
            months = date.month if by == "month" else date.month + -date.month % 3
            return month_end(day_of(date.replace(day=1, month=months)))
    return day_of(date.replace(month=12, day=31))


def _period(interval: Interval) -> StatementPeriod:
    known = interval.difference is not None
    return StatementPeriod(
        date_of(interval.first),
        date_of(interval.last),
        figure(interval.opening),
        tuple(_lines(interval)) if known else None,
        figure(interval.closing),
        figure(interval.difference),
    )


def _lines(interval: Interval) -> Iterator[StatementLine]:
    """Yield the lines of an interval, in their order, each by name; an empty one without a name."""
    found = dict(interval.lines)
    for line in UNNAMED:
        of_line = [found.pop(key) for key in [*found] if key[0] == line]
        found[line, ""] = total(of_line)
    for line in LINES:
        names = sorted(name for of, name in found if of == line) or [""]
        for name in names:
            amount = found.get((line, name), ZERO)
            realised = unrealised = None
            if line in RESULTS:
                realised = interval.realised.get((line, name), ZERO)
                unrealised = EXACT.subtract(amount, realised)
            yield StatementLine(line, name, rounded(amount), figure(realised), figure(unrealised))


Row = tuple[str, list[Decimal | None]]
"""A label, and a figure for each interval."""


def title(part: StatementPart, answer: Statement) -> str:
    """Return what a part's statement is of."""
    product = f", a product at {part.venue}" if part.kind == "product" else ""
    period = f"{answer.from_} to {answer.to}"
    return f"{heading(part)}{product}, {period}, {answer.currency}, {BASES[answer.basis]}"


def heading(part: StatementPart) -> str:
    """Return the name of a part, of a sub-account with its venue."""
    names = {"whole": "The whole", "sub-account": f"{part.name} at {part.venue}"}
    return names.get(part.kind, part.name)


def rows(part: StatementPart) -> tuple[list[str], list[Row] | None]:
    """Return a part's statement as a head for each interval and a row for each line that has one.

    Several intervals have a total. The rows are None if a price is missing.
    """
    periods = part.periods
    heads = [head(period.from_, period.to) for period in periods]
    found: dict[tuple[int, str, int], list[Decimal]] = {}
    for index, period in enumerate(periods):
        if period.lines is None:
            return heads, None
        for line in period.lines:
            for place, amount in enumerate((line.amount, line.realised, line.unrealised)):
                if amount:
                    row = (LINES.index(line.line), line.name, place)
                    found.setdefault(row, [ZERO] * len(periods))[index] = amount
    openings = [period.opening for period in periods]
    made: list[Row] = [("Opening", _with_total(openings, 0))]
    for (line_, name, place), amounts in sorted(found.items()):
        words = _label(LINES[line_], name)
        if place:
            words = ("  realised", "  change of unrealised")[place - 1]
        made.append((words, _summed(amounts)))
    closings = [period.closing for period in periods]
    made.append(("Closing", _with_total(closings, -1)))
    made.append(("Difference", _summed([period.difference or ZERO for period in periods])))
    return [*heads, "Total"] if len(periods) > 1 else ["Amount"], made


def label(line: StatementLine) -> str:
    """Return the name of a line for people."""
    return _label(line.line, line.name)


def _label(line: str, name: str) -> str:
    return WORDS[line] + (f", {name}" if name else "")


def _summed(amounts: list[Decimal]) -> list[Decimal | None]:
    """Return amounts of each interval, and of all together."""
    sums = [*amounts, total(amounts)] if len(amounts) > 1 else amounts
    return [rounded(amount) for amount in sums]


def _with_total(values: Sequence[Decimal | None], of_total: int) -> list[Decimal | None]:
    """Return opening or closing of each interval, and of all together."""
    return [*values, values[of_total]] if len(values) > 1 else [*values]


def head(first: datetime.date, last: datetime.date) -> str:
    """Return the name of an interval: its year, month, day, or its first day to its last."""
    if first == last:
        return f"{first}"
    whole = date_of(month_end(day_of(last))) == last
    if whole and first.day == 1:
        if (first.year, first.month) == (last.year, last.month):
            return first.isoformat()[:7]
        if (first.month, last.month) == (1, 12) and first.year == last.year:
            return first.isoformat()[:4]
    return f"{first} to {last}"
