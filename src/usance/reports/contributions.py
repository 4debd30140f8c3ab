"""Contributions: what each transaction and each move of a price adds to a line of a statement."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from beancount.core.data import Transaction

from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, ZERO, normalized, tally, total
from usance.model.hours import Day, date_of, day_of
from usance.model.problems import Problem
from usance.reports import basis
from usance.reports.figures import BESIDE, FlatRow, as_dicts, rounded
from usance.reports.flows import Leg, Unit
from usance.reports.performance import (
    LINES,
    WAYS,
    Effect,
    Interval,
    Line,
    Span,
    Walk,
    directed,
    parts_of,
    walked,
)
from usance.reports.posters import Posters

ENDS = ("opening", "closing")
"""Lines that are the value of what is held."""

WHOLE = "whole"
"""The name of all parts together."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a transaction, the move of a price, or what is held adds to a line.

    about       contract, coin, account or other sub-account, as the statement names its lines
    cause       price: units of the evening before at a price that moved; posting: units at the
                day's price; trade: what is bought or sold, at the day's price less its cost;
                realised: a result, units at the day's price; holding: units in an evening
    id          of a generated transaction; "" of a person's, and of no transaction
    file, line  the place of a transaction; None of a price and of a holding
    units       of the commodity; None of a trade
    price       of the commodity that day, in the operating currency; None of a trade
    amount      units x price, or of a price, units x (price - price_before)
    """

    date: datetime.date
    sub_account: str
    about: str
    cause: str
    id: str
    file: str | None
    line: int | None
    narration: str
    units: Decimal | None
    commodity: str
    price_before: Decimal | None
    price: Decimal | None
    amount: Decimal


COLUMNS = tuple(Contribution.__dataclass_fields__)
"""The columns of the CSV."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """All that adds to a line of a statement, in the operating currency, in order of days.

    about          what the line is about; None for all of it
    amount         of the line, as a statement has it; None if a price is missing
    contributions  their exact sum is the amount; None if a price is missing
    problems       a problem for each missing price
    """

    from_: datetime.date
    to: datetime.date
    currency: str
    basis: str
    name: str
    venue: str
    kind: str
    line: str
    about: str | None
    amount: Decimal | None
    contributions: tuple[Contribution, ...] | None
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return the contributions as flat dicts: COLUMNS."""
        return as_dicts(self.contributions or (), COLUMNS)


NO_POSTER = ("", None, None, "")
"""The poster of what no transaction adds."""


class NoSuchLineError(LookupError):
    """A statement's line is about nothing of a name; `names` are those that it is about."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


class _Tracing(Walk):
    """A walk that keeps what adds to one line.

    part   name of a part, or None for all
    about  what the line is about, or None for all of it
    """

    def __init__(
        self, ledger: Ledger, reading: Reading, part: str | None, line: str, about: str | None
    ) -> None:
        super().__init__(ledger, reading)
        self.posters = Posters(ledger)
        self.part, self.line, self.about = part, line, about
        self.rows: list[Contribution] = []
        self.day = Day(0)

    def live(self, span: Span, by_day: dict[Day, list[Transaction]]) -> dict[str, Interval]:
        """Live an interval, with what is held before it and after it."""
        if self.line == ENDS[0]:
            self.rows += self._holdings(Day(span[0] - 1))
        intervals = super().live(span, by_day)
        if self.line == ENDS[1]:
            self.rows += self._holdings(span[1])
        return intervals

    def _holdings(self, day: Day) -> Iterator[Contribution]:
        """Yield the value of each commodity that is held in an evening."""
        for part, held in self.held.items():
            for unit, units in sorted(held.items()):
                price = self.price(unit, day)
                if units and price is not None and self._wants(part, ("", unit[0])):
                    amount = EXACT.multiply(units, price)
                    yield Contribution(
                        date_of(day),
                        part,
                        unit[0],
                        "holding",
                        *NO_POSTER,
                        units,
                        unit[0],
                        None,
                        price,
                        amount,
                    )

    def _wants(self, part: str, line: Line) -> bool:
        kind, about = line
        return self.part in (None, part) and kind in ("", self.line) and self.about in (None, about)

    def revalue(self, day: Day, into: dict[str, Interval]) -> None:
        """Learn the day of what follows."""
        self.day = day
        super().revalue(day, into)

    def reprice(
        self,
        part: str,
        interval: Interval,
        line: Line,
        unit: Unit,
        units: Decimal,
        moved: Decimal,
    ) -> None:
        """Keep what the move of a price adds."""
        super().reprice(part, interval, line, unit, units, moved)
        if self._wants(part, line):
            prices = self.price(unit, Day(self.day - 1)), self.price(unit, self.day)
            amount = EXACT.multiply(units, moved)
            self.rows.append(
                Contribution(
                    date_of(self.day),
                    part,
                    line[1],
                    "price",
                    *NO_POSTER,
                    units,
                    unit[0],
                    *prices,
                    amount,
                )
            )

    def take(
        self,
        entry: Transaction,
        legs: list[Leg],
        effects: list[Effect],
        sums: Mapping[tuple[str, Line], Decimal],
    ) -> None:
        """Keep what a transaction adds."""
        super().take(entry, legs, effects, sums)
        units: dict[tuple[str, Line, str, Unit], Decimal] = {}
        amounts: dict[tuple[str, Line, str, Unit], Decimal] = {}
        for effect in effects:
            of_line = sums[effect.party, effect.line]
            if of_line and self._wants(effect.party, directed(effect.line, of_line)):
                cause = "realised" if effect.realised else "posting"
                cause = "trade" if effect.units is None else cause
                key = (effect.party, effect.line, cause, effect.unit)
                tally(units, key, effect.units or ZERO)
                tally(amounts, key, effect.amount)
        for key, amount in amounts.items():
            party, line, cause, unit = key
            is_trade = cause == "trade"
            if amount:
                self.rows.append(
                    Contribution(
                        entry.date,
                        party,
                        line[1],
                        cause,
                        *self.posters.of(entry),
                        None if is_trade else units[key],
                        unit[0],
                        None,
                        None if is_trade else self.price(unit, day_of(entry.date)),
                        amount,
                    )
                )


def contributions(
    ledger: Ledger,
    reading: Reading,
    span: Span,
    name: str,
    line: tuple[str, str | None],
    on: str = basis.POSTED,
) -> Contributions:
    """Return what adds to a line of a statement.

    name  a part, or WHOLE
    line  one of LINES or ENDS, and what it is about, or None for all of it
    on    the basis

    The exact sum of the amounts is the line's. Raise NoSuchLineError if it is about something else.
    """
    kind, about = line
    part = None if is_whole(reading, name) else name
    walk = _Tracing(ledger, reading, part, kind, about)
    found = walked(walk, basis.entries(ledger, reading, span[1], on), [span])
    [(of, interval)] = [
        (of, periods[0])
        for of, periods in found.parts
        if (of.kind == WHOLE if part is None else of.name == part)
    ]
    names = {name for at, name in interval.lines if at == kind}
    if about is not None and not walk.rows and about not in names:
        raise NoSuchLineError(sorted(names - {""}))
    is_priced = _is_priced(kind, interval)
    return Contributions(
        date_of(span[0]),
        date_of(span[1]),
        found.currency,
        on,
        *of,
        line=kind,
        about=about,
        amount=rounded(total(row.amount for row in walk.rows)) if is_priced else None,
        contributions=tuple(map(_tidy, walk.rows)) if is_priced else None,
        problems=tuple(found.problems),
    )


def _tidy(row: Contribution) -> Contribution:
    """Return a contribution whose figures have no trailing zeros."""
    return replace(
        row,
        units=_plain(row.units),
        price_before=_plain(row.price_before),
        price=_plain(row.price),
        amount=normalized(row.amount),
    )


def _plain(number: Decimal | None) -> Decimal | None:
    return None if number is None else normalized(number)


def _is_priced(kind: str, interval: Interval) -> bool:
    """Tell whether a statement shows a figure on a line."""
    if kind in ENDS:
        return (interval.opening if kind == ENDS[0] else interval.closing) is not None
    return interval.difference is not None


def is_whole(reading: Reading, name: str) -> bool:
    """Tell whether a name is that of all parts together, and of no part."""
    return name == WHOLE and name not in parts_of(reading)


def lines_of(reading: Reading, name: str) -> list[str]:
    """Return the lines that a part may have; what parts give each other is none of the whole."""
    lines = [ENDS[0], *LINES, ENDS[1]]
    transfers = WAYS["transfers"] if is_whole(reading, name) else ()
    return [line for line in lines if line not in transfers]
