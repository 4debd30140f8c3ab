"""Profit and loss: the answer of `usance pnl`, by sub-account and contract or coin."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from beancount.core.data import Transaction

from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, FIGURE, PRECISE, ZERO, total
from usance.model.hours import Day, date_of, day_of
from usance.model.lots import Lot
from usance.model.problems import Problem
from usance.reports import basis
from usance.reports.figures import BESIDE, FlatRow, as_dicts, figure, rounded
from usance.reports.flows import Leg, Unit
from usance.reports.performance import (
    Effect,
    Interval,
    Line,
    Part,
    Span,
    Walk,
    walked,
)
from usance.reports.round_trips import Closed, Lots

ROW = (
    "sub_account",
    "venue",
    "instrument",
    "kind",
    "quantity_start",
    "quantity_end",
    "entry_price",
    "mark",
    "bought",
    "sold",
    "realised",
    "unrealised_change",
    "funding",
    "fees",
    "result",
)
TRADE = (
    "sub_account",
    "instrument",
    "opened",
    "closed",
    "quantity",
    "entry_price",
    "exit_price",
    "fees",
    "funding",
    "result",
)
LISTS = {"rows": ROW, "trades": TRADE}
"""The lists of an answer, with the columns of each."""


@dataclass(frozen=True, slots=True)
class PnlRow:
    """What a contract or a coin brought to a sub-account; results in the operating currency.

    instrument   contract or coin; "not assigned" if no transaction tells the contract
    kind         contract or coin
    quantity_start, quantity_end  units, below zero of a short
    entry_price  mean cost of the open lots, of a contract in its settle coin; None without lots
    mark         price at the end, in the same coin; None if nothing is held, or without a price
    bought, sold  units in the period, both above zero
    realised, unrealised_change, funding, fees  what they added, below zero if they took
    result       their sum; all five are None if a price is missing
    """

    sub_account: str
    venue: str
    instrument: str
    kind: str
    quantity_start: Decimal
    quantity_end: Decimal
    entry_price: Decimal | None
    mark: Decimal | None
    bought: Decimal
    sold: Decimal
    realised: Decimal | None
    unrealised_change: Decimal | None
    funding: Decimal | None
    fees: Decimal | None
    result: Decimal | None


@dataclass(frozen=True, slots=True)
class Trade:
    """A lot, or a part of one, that was closed in the period.

    quantity  units, below zero of a short
    entry_price, exit_price  of a contract in its settle coin
    fees, funding  what they added to the result, in the operating currency
    result    in the operating currency, fees and funding included
    """

    sub_account: str
    instrument: str
    opened: datetime.date
    closed: datetime.date
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees: Decimal
    funding: Decimal
    result: Decimal


@dataclass(frozen=True, slots=True)
class Pnl:
    """Profit and loss of a period, by sub-account and contract or coin.

    basis     posted or corrected
    problems  a problem for each missing price
    """

    from_: datetime.date
    to: datetime.date
    currency: str
    basis: str
    rows: tuple[PnlRow, ...]
    trades: tuple[Trade, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self, listed: str = "rows") -> list[FlatRow]:
        """Return one of LISTS as flat rows: the rows, or the closed trades."""
        rows: Sequence[PnlRow | Trade] = self.trades if listed == "trades" else self.rows
        return as_dicts(rows, LISTS[listed])


Key = tuple[str, Unit]
"""A part, and what it traded."""


@dataclass(slots=True)
class Turnover:
    """Units bought and sold in the period, both above zero."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO

    def add(self, units: Decimal) -> None:
        """Count what was bought, or sold (below zero)."""
        if units > 0:
            self.bought = EXACT.add(self.bought, units)
        else:
            self.sold = EXACT.subtract(self.sold, units)


OF_LOTS = (("fees", ""), ("funding", ""))
"""Lines of accounts that belong to lots."""


class _Trading(Walk):
    """A walk that keeps lots: what is traded, what closes, and what belongs to it."""

    def __init__(self, ledger: Ledger, reading: Reading, span: Span) -> None:
        super().__init__(ledger, reading)
        self.span = span
        self.lots: dict[Key, Lots] = {}
        self.turnover: dict[Key, Turnover] = {}
        self.trades: list[Trade] = []
        self.start: dict[str, dict[Unit, Decimal]] = {}

    def take(
        self,
        entry: Transaction,
        legs: list[Leg],
        effects: list[Effect],
        sums: Mapping[tuple[str, Line], Decimal],
    ) -> None:
        """Open and close lots, and give them their fees and funding."""
        del effects
        day = day_of(entry.date)
        moved: dict[Key, list[tuple[Lot, Decimal]]] = {}
        for leg in legs:
            key = (leg.party, leg.unit)
            if leg.unit != leg.currency and leg.held:
                if self.span[0] <= day:
                    self.turnover.setdefault(key, Turnover()).add(leg.units)
                if leg.lot is not None:
                    moved.setdefault(key, []).append((leg.lot, leg.units))
        for (part, unit), of_unit in moved.items():
            fees = sums.get((part, ("fees", unit[0])), ZERO)
            closed = list(self.lots.setdefault((part, unit), Lots()).take(of_unit, fees))
            if closed:
                result = self._result(legs, part, closed[0].lot.currency)
                self.trades += self._trades(part, unit, day, closed, result)
        for (part, (line, name)), amount in sums.items():
            if line == "funding":
                self._fund(part, name, amount)

    def is_of_lots(self, legs: Iterable[Leg]) -> bool:
        """Tell whether a transaction opens or closes lots, or has their fees or funding."""
        for leg in legs:
            role = self.role(leg.account)
            if leg.unit != leg.currency or (role is not None and role.line in OF_LOTS):
                return True
        return False

    def _fund(self, part: str, contract: str, amount: Decimal) -> None:
        """Give the open lots of a contract their funding."""
        for (owner, unit), lots in self.lots.items():
            if (owner, unit[0]) == (part, contract) and lots.held:
                lots.fund(amount)

    def _trades(
        self, part: str, unit: Unit, day: Day, closed: list[Closed], result: Decimal
    ) -> Iterator[Trade]:
        """Yield the trades that a transaction ends; all of them at one price."""
        quantity = total(each.quantity for each in closed)
        cost = total(EXACT.multiply(each.quantity, each.lot.cost) for each in closed)
        price = PRECISE.divide(EXACT.add(cost, result), quantity)
        for each in closed:
            settle = self.price((each.lot.currency, ""), day) or ZERO
            gained = PRECISE.multiply(each.quantity, PRECISE.subtract(price, each.lot.cost))
            of_trade = PRECISE.multiply(gained, settle)
            yield Trade(
                part,
                unit[0],
                date_of(each.lot.day),
                date_of(day),
                rounded(each.quantity),
                rounded(each.lot.cost),
                rounded(price),
                rounded(each.fees),
                rounded(each.funding),
                rounded(total((of_trade, each.fees, each.funding))),
            )

    def _result(self, legs: Iterable[Leg], part: str, currency: str) -> Decimal:
        """Return the trading result of a transaction of a part, in a currency."""
        units = (
            leg.units
            for leg in legs
            if leg.party == part and leg.unit == (currency, "") and self.is_result(leg)
        )
        return EXACT.minus(total(units))

    def wallets(self) -> dict[str, dict[Unit, Decimal]]:
        """Return what each part has now, but for what it owes beside its contracts."""
        return {
            part: {
                unit: EXACT.subtract(number, self.owed[part].get(unit, ZERO))
                for unit, number in held.items()
            }
            for part, held in self.held.items()
        }

    def live(self, span: Span, by_day: dict[Day, list[Transaction]]) -> dict[str, Interval]:
        """Live an interval; keep what is held the evening before the period."""
        if span[0] == self.span[0]:
            self.start = self.wallets()
        return super().live(span, by_day)


def pnl(ledger: Ledger, reading: Reading, span: Span, on: str = basis.POSTED) -> Pnl:
    """Return the answer of `usance pnl`."""
    # From the first day on: a lot keeps the fees of its opening until it is closed.
    first = span[0] if reading.book.first is None else min(reading.book.first, span[0])
    before = [(first, Day(span[0] - 1))] if first < span[0] else []
    walk = _Trading(ledger, reading, span)
    entries = basis.entries(ledger, reading, span[1], on)
    found = walked(walk, entries, [*before, span])
    return Pnl(
        date_of(span[0]),
        date_of(span[1]),
        found.currency,
        on,
        tuple(
            row
            for part, periods in found.parts
            if part.kind == "sub-account"
            for row in _rows(walk, part, periods[-1])
        ),
        trades_of(walk.trades, span),
        tuple(found.problems),
    )


def trades(ledger: Ledger, reading: Reading, span: Span) -> list[Trade]:
    """Return the trades of a period from the first day of the books on, as posted."""
    walk = _Trading(ledger, reading, span)
    into = {name: Interval(*span) for name in walk.parts}
    for entry in ledger.entries:
        if isinstance(entry, Transaction):
            legs = walk.legs(entry)
            if walk.is_of_lots(legs):
                walk.bring(entry, legs, into)
    return walk.trades


def trades_of(trades: Iterable[Trade], span: Span) -> tuple[Trade, ...]:
    """Return the trades that were closed in a period."""
    return tuple(trade for trade in trades if span[0] <= day_of(trade.closed) <= span[1])


def _rows(walk: _Trading, part: Part, interval: Interval) -> Iterator[PnlRow]:
    """Yield a row for each contract and coin that a part held or traded, contracts first.

    The operating currency has none; what is told of no contract has one without a name.
    """
    name = part.name
    ends = (walk.start[name], walk.wallets()[name])
    units = {unit for held in ends for unit in held if held[unit]}
    units |= {unit for owner, unit in walk.turnover if owner == name}
    found: dict[Line, Unit] = {(walk.kind(unit), unit[0]): unit for unit in units}
    for kind, about in interval.lines:
        if kind in ("contracts", "coins"):
            found.setdefault((kind, about), (about, ""))
        elif kind in ("funding", "fees") and ("coins", about) not in found:
            found.setdefault(("contracts", about), (about, ""))
    found.pop(("coins", walk.prices.currency), None)
    for line, unit in sorted(found.items(), key=lambda item: (item[0][0] == "coins", item)):
        quantities = [held.get(unit, ZERO) for held in ends]
        yield _row(walk, part, interval, line, unit, quantities)


def _row(
    walk: _Trading,
    part: Part,
    interval: Interval,
    line: Line,
    unit: Unit,
    quantities: Sequence[Decimal],
) -> PnlRow:
    name, (kind, instrument) = part.name, line
    traded = walk.turnover.get((name, unit), Turnover())
    lots = walk.lots.get((name, unit), Lots()).held
    quantity = total(each.quantity for each in lots.values())
    cost = total(EXACT.multiply(each.quantity, lot.cost) for lot, each in lots.items())
    mark = walk.mark(unit, interval.last) if quantities[1] else None
    amount = interval.lines.get(line, ZERO)
    realised = interval.realised.get(line, ZERO)
    funding, fees = (interval.lines.get((of, instrument), ZERO) for of in ("funding", "fees"))
    known = interval.difference is not None
    results = (
        realised,
        EXACT.subtract(amount, realised),
        funding,
        fees,
        total((amount, funding, fees)),
    )
    return PnlRow(
        name,
        part.venue,
        instrument,
        kind.removesuffix("s"),
        rounded(quantities[0]),
        rounded(quantities[1]),
        rounded(FIGURE.divide(cost, quantity)) if quantity else None,
        figure(mark),
        rounded(traded.bought),
        rounded(traded.sold),
        *(rounded(number) if known else None for number in results),
    )
