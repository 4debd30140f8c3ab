"""Status: the answer of `usance status`, the figures of one evening that a person asks first."""

import datetime
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language import prices
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, ZERO, Quanta, total
from usance.model.hours import Day, date_of, day_at, day_of, end_of, month_start
from usance.model.periods import period_of
from usance.model.problems import Kind, Problem
from usance.reports import basis
from usance.reports import margin as margin_reports
from usance.reports.figures import BESIDE, FlatRow, as_dicts, figure, rounded
from usance.reports.margin import Position
from usance.reports.performance import Interval, Performance, Span, performance

AGO = (1, 7, 30)
"""Days over which the change of net asset value is told."""

STANDING = (
    "name",
    "venue",
    "net_asset_value",
    "mmr",
    "interest_month",
    "yield_month",
    "accrued",
    "next_payout",
)
"""The columns of a sub-account's row."""


@dataclass(frozen=True, slots=True)
class NearestLiquidation:
    """The contract whose mark has the shortest way to its liquidation price.

    price     of the contract, in its settle coin
    distance  from its mark, as a fraction of the mark; below zero if the price is below the mark
    """

    market: str
    price: Decimal
    distance: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sub-account stands in an evening; amounts in the operating currency.

    net_asset_value  None without a price
    mmr              maintenance margin in use, a fraction; None without a price or without equity
    nearest_liquidation  None if no price of one contract alone liquidates it
    interest_month   interest since the first of the month, paid interest below zero
    yield_month      treasury and bonus since the first of the month
    accrued          yield that is earned and not paid; None without a price
    next_payout      the next day on which a product pays it; None if none does
    """

    name: str
    venue: str
    net_asset_value: Decimal | None
    mmr: Decimal | None
    nearest_liquidation: NearestLiquidation | None
    interest_month: Decimal
    yield_month: Decimal
    accrued: Decimal | None
    next_payout: datetime.date | None


@dataclass(frozen=True, slots=True)
class Status:
    """What a person asks first, of one evening; amounts in the operating currency, as posted.

    net_asset_value  of all; None without a price
    change           of it, by the days of AGO; None if the books begin later, or without a price
    closed_through   the last closed day, or None
    open_days        days up to the evening that are not closed
    newest_price, newest_rate  their days, or None
    findings, doubts of the ledger, each as "file:line: message"
    problems         missing prices, and prices and rates that are older than their limits
    """

    at: datetime.date
    currency: str
    net_asset_value: Decimal | None
    change: Mapping[int, Decimal | None]
    sub_accounts: tuple[Standing, ...]
    closed_through: datetime.date | None
    open_days: int
    newest_price: datetime.date | None
    newest_rate: datetime.date | None
    findings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return a flat row for each sub-account, without its nearest liquidation."""
        return as_dicts(self.sub_accounts, STANDING)


def first_of(at: Day) -> Day:
    """Return the first day of which the status of an evening tells."""
    return min(month_start(at), Day(at + 1 - max(AGO)))


def status(
    ledger: Ledger,
    reading: Reading,
    at: Day,
    evening: tuple[LivedDay | None, State] | None = None,
    perform: Callable[[Sequence[Span]], Performance] | None = None,
) -> Status:
    """Return the answer of `usance status`, without findings and doubts.

    evening  the day with the state at its end; lived again if absent
    perform  tells what the days of intervals did; they are walked if absent
    """
    month = month_start(at)
    spans = _spans(reading, at, {month, *(Day(at + 1 - days) for days in AGO)})
    if perform is None:
        entries = basis.entries(ledger, reading, at, basis.POSTED)
        found = performance(ledger, reading, entries, spans)
    else:
        found = perform(spans)
    lived, state = _evening(ledger, reading, at) if evening is None else evening
    others = prices.others(reading.book, ledger.entries)
    seen = margin_reports.priced(reading, state, at, others, basis.POSTED)
    margins = margin_reports.margin(reading, seen, {}).sub_accounts
    of_name = {part.name: periods for part, periods in found.parts}
    whole = of_name[""]
    closing = whole[-1].closing
    unpriced = found.problems if closing is None else []
    problems = [*unpriced, *seen.problems, *(lived.problems if lived else ())]
    return Status(
        date_of(at),
        found.currency,
        figure(closing),
        {days: figure(_change(whole, Day(at + 1 - days))) for days in AGO},
        tuple(
            Standing(
                row.name,
                row.venue,
                figure(of_name[row.name][-1].closing),
                row.mmr,
                _nearest(row.positions),
                _sum(of_name[row.name], month, INTEREST),
                _sum(of_name[row.name], month, YIELD),
                figure(_accrued(reading, state, row.name, at)),
                _next_payout(reading, state, row.name, at),
            )
            for row in margins
        ),
        reading.seals[-1].date if reading.seals else None,
        _open_days(reading, at),
        _newest((line for line, _ in reading.book.quotes.prices.values()), at),
        _newest(
            ([day_at(moment) for moment in line.moments] for line in reading.book.rates.values()),
            at,
        ),
        problems=tuple(one for one in problems if one.kind in (Kind.ERROR, Kind.OLD_FIGURE)),
    )


INTEREST = ("lending_interest", "borrow_interest")
YIELD = ("treasury", "bonus")


def _spans(reading: Reading, at: Day, begins: Iterable[Day]) -> Sequence[Span]:
    """Return the intervals up to an evening; one begins on each of some days."""
    first = at if reading.book.first is None else min(reading.book.first, at)
    begins = list(begins)
    starts = sorted({max(first, min(begins)), *(day for day in begins if first < day <= at)})
    ends = [*(Day(day - 1) for day in starts[1:]), at]
    return list(zip(starts, ends, strict=True))


def _evening(ledger: Ledger, reading: Reading, at: Day) -> tuple[LivedDay | None, State]:
    lived = deque(basis.evenings(ledger, reading, at, basis.POSTED), maxlen=1)
    return lived[0] if lived else (None, State())


def _change(periods: Sequence[Interval], since: Day) -> Decimal | None:
    """Return how the value has changed from a morning on, or None before the books begin."""
    starts = [interval for interval in periods if interval.first >= since]
    if not starts or starts[0].first != since:
        return None
    then, now = starts[0].opening, periods[-1].closing
    return None if then is None or now is None else EXACT.subtract(now, then)


def _sum(periods: Sequence[Interval], since: Day, lines: Sequence[str]) -> Decimal:
    return rounded(
        total(
            amount
            for interval in periods
            if interval.first >= since
            for (line, _), amount in interval.lines.items()
            if line in lines
        )
    )


def _nearest(positions: Sequence[Position] | None) -> NearestLiquidation | None:
    """Return the position whose mark has the shortest way to its liquidation price."""
    found = [
        NearestLiquidation(position.market, position.liquidation_price, position.distance)
        for position in positions or ()
        if position.liquidation_price is not None and position.distance is not None
    ]
    return min(found, key=lambda one: abs(one.distance), default=None)


def _accrued(reading: Reading, state: State, name: str, at: Day) -> Decimal | None:
    """Return the yield that a sub-account has earned and not got, in the operating currency."""
    values = [ZERO]
    for (holder, coin), accrual in sorted(state.accruals.items()):
        quanta = sum(sum(parts) for parts in accrual.unpaid.values())
        if holder == name and quanta:
            price = reading.book.quotes.at(coin, reading.book.operating, at)
            if price is None:
                return None
            number = reading.book.coins[coin].from_quanta(Quanta(quanta))
            values.append(EXACT.multiply(number, price.price))
    return total(values)


def _next_payout(reading: Reading, state: State, name: str, at: Day) -> datetime.date | None:
    """Return the next day on which a product pays a sub-account what it has earned."""
    dates = []
    for (venue, _), line in reading.book.yields.products.items():
        terms = line.at(end_of(at))
        if terms is None or venue != reading.book.venue(name):
            continue
        accrual = state.accruals.get((name, terms.asset))
        period = period_of(terms.payout, at)
        if accrual is not None and period is not None and (accrual.enrolled or accrual.unpaid):
            dates.append(period.end + 1)
    return date_of(Day(min(dates))) if dates else None


def _open_days(reading: Reading, at: Day) -> int:
    if reading.book.first is None:
        return 0
    first = day_of(reading.seals[-1].date) + 1 if reading.seals else reading.book.first
    return max(0, at - first + 1)


def _newest(lines: Iterable[Sequence[Day]], at: Day) -> datetime.date | None:
    """Return the date of the newest of some days that are not after an evening."""
    days = [day for line in lines for day in line if day <= at]
    return date_of(max(days)) if days else None
