"""Lending reports: rows of `usance lending`, and sums of days."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from usance.engine.bills import written
from usance.engine.lived_day import LivedDay
from usance.engine.records import Corrected, Imported, LendingDay
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import (
    EXACT,
    FIGURE,
    NO_CARRY,
    NO_QUANTA,
    ZERO,
    Coin,
    Quanta,
    normalized,
    tally,
    total,
)
from usance.model.book import Book
from usance.model.hours import DAYS_A_YEAR, HOURS, Day, at_slot, date_of
from usance.model.timeline import in_force
from usance.reports import basis
from usance.reports.figures import IF_ANY, FlatRow, as_dicts, rounded
from usance.reports.lending_sides import Difference, Side, differences, in_books, sides
from usance.reports.performance import Span
from usance.reports.statement import intervals
from usance.rules.pool_rates import utilization

NOTHING = Imported()


@dataclass(frozen=True, slots=True)
class Interest:
    """The interest of one side of a coin of a sub-account in an interval, in coins.

    date               last day of the interval
    principal          at its end, with the interest; None of a correction
    average_principal  mean of its hours; None of a correction
    days               of the interval
    correction         id of the transaction that posted this interest for closed days, or ""
    """

    date: datetime.date
    sub_account: str
    venue: str
    coin: str
    side: str
    principal: Decimal | None
    average_principal: Decimal | None
    interest: Decimal
    days: int
    correction: str


@dataclass(frozen=True, slots=True)
class Compared(Interest):
    """The interest in the books beside the engine's own figure, in coins; None without a rate.

    expected    by the engine; where it generates the interest, that is the interest
    difference  interest less expected
    """

    expected: Decimal | None
    difference: Decimal | None


@dataclass(frozen=True, slots=True)
class Conservation:
    """A pool's payments in an interval, coins: paid = earned + fee + external + rounding, exactly.

    date  last day of the interval
    fee   None with observed rates, which do not say it
    """

    date: datetime.date
    venue: str
    coin: str
    paid_by_borrowers: Decimal
    earned_by_lenders: Decimal
    fee: Decimal | None
    external: Decimal
    rounding: Decimal


@dataclass(frozen=True, slots=True)
class Lending:
    """The interest of a period, and the balance of each pool.

    from_, to    None of books without a day
    by           one of INTERVALS
    basis        posted or corrected
    rows         `Compared` if any sub-account ever imports its interest
    differences  sums of those that import it; None if none ever does
    """

    from_: datetime.date | None
    to: datetime.date | None
    by: str
    basis: str
    rows: tuple[Interest, ...]
    pools: tuple[Conservation, ...]
    differences: tuple[Difference, ...] | None = field(default=None, metadata=IF_ANY)

    def rows_as_dicts(self, listed: str = "rows") -> list[FlatRow]:
        """Return one of LISTS as flat rows."""
        rows: Sequence[Any] = getattr(self, listed) or ()
        return as_dicts(rows, self.columns(listed))

    def columns(self, listed: str) -> tuple[str, ...]:
        """Return the names of the columns of one of LISTS."""
        compared = listed == "rows" and self.differences is not None
        kind: Any = Compared if compared else LISTS[listed]
        return tuple(each.name for each in fields(kind))


LISTS: Mapping[str, type] = {
    "rows": Interest,
    "pools": Conservation,
    "differences": Difference,
}
"""The lists of `Lending`, and the type of their rows."""


LONG = 45
"""Days; the interest of a longer period is shown by month."""


def lending(
    ledger: Ledger, reading: Reading, span: Span | None, on: str, by: str | None = None
) -> Lending:
    """Return the answer of `usance lending` on a basis.

    span  None of books without a day
    by    one of INTERVALS; None: day, or month of a period longer than `LONG` days
    """
    if span is None:
        return Lending(None, None, by or "day", on, (), ())
    begin, end = span
    by = by or usual_interval(begin, end)
    days = [day for day in basis.lived(ledger, reading, end, on) if day.day >= begin]
    imports = compares(reading.book)
    rows: list[Interest] = []
    pools: list[Conservation] = []
    for part in intervals((max(begin, reading.book.first or begin), end), by):
        of_part = [day for day in days if part[0] <= day.day <= part[1]]
        rows += interest(of_part, part, compared=imports)
        pools += [replace(pool, date=date_of(part[1])) for pool in conserved(of_part)]
    return Lending(
        date_of(begin),
        date_of(end),
        by,
        on,
        tuple(rows),
        tuple(pools),
        tuple(differences(days)) if imports else None,
    )


INTERVALS = ("day", "month", "year")


def usual_interval(begin: Day, end: Day) -> str:
    """Return the interval by which a period is shown if nobody says so."""
    return "month" if end - begin >= LONG else "day"


def compares(book: Book) -> bool:
    """Tell whether any sub-account ever imports its interest: then figures are compared."""
    return any(terms.imported for line in book.sub_accounts.values() for terms in line.values)


def interest(days: Sequence[LivedDay], span: Span, *, compared: bool) -> Iterator[Interest]:
    """Yield the interest of an interval, of both sides; compared, beside what the engine expects.

    days  of the interval that were lived
    """
    found: dict[tuple[str, str, bool], dict[Day, Side]] = {}
    corrections: list[tuple[Day, Corrected]] = []
    for day in days:
        for coin in day.coins:
            for side in sides(coin):
                found.setdefault((coin.sub_account, coin.coin.name, side.owed), {})[day.day] = side
        corrections += [(day.day, one) for one in day.corrections if one.source in OF_INTEREST]
    count = span[1] - span[0] + 1
    for _, of_days in sorted(found.items()):
        figures = _figures(of_days, span, count)
        yield Compared(*figures, *_expected(of_days)) if compared else Interest(*figures)
    for day_, one in corrections:
        of = (date_of(day_), one.sub_account, one.venue, one.coin.name, one.source)
        row = (*of, None, None, written(one.amount, one.coin), count, one.identity)
        yield Compared(*row, None, None) if compared else Interest(*row)


OF_INTEREST = ("lent", "borrowed")
"""What corrections of interest are of."""


def _figures(
    of_days: Mapping[Day, Side], span: Span, count: int
) -> tuple[datetime.date, str, str, str, str, Decimal, Decimal, Decimal, int, str]:
    side = next(iter(of_days.values()))
    of, unit = side.day, side.day.coin
    hours = Quanta(sum(one.hours for one in of_days.values()))
    average = FIGURE.divide(unit.from_quanta(hours), Decimal(HOURS * count))
    booked = total(one.interest for one in of_days.values())
    end = of_days.get(span[1])
    return (
        date_of(span[1]),
        of.sub_account,
        of.venue,
        unit.name,
        "borrowed" if side.owed else "lent",
        unit.from_quanta(NO_QUANTA if end is None else end.principal),
        normalized(average),
        written(booked, unit),
        count,
        "",
    )


def _expected(of_days: Mapping[Day, Side]) -> tuple[Decimal | None, Decimal | None]:
    """Return what the engine expects, and by how much the books differ; None without a rate."""
    unit = next(iter(of_days.values())).day.coin
    numbers = [one.expected for one in of_days.values()]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None, None
    expected = total(known)
    difference = EXACT.subtract(total(one.interest for one in of_days.values()), expected)
    return written(expected, unit), written(difference, unit)


def conservation(days: Iterable[LivedDay]) -> Iterator[Conservation]:
    """Yield the payments of each pool on each day."""
    for day in days:
        date = date_of(day.day)
        for pool in day.pools:
            coins = [
                coin
                for coin in day.coins
                if (coin.venue, coin.coin.name) == (pool.venue, pool.coin.name)
            ]
            paid, earned = in_books(coins, pool.coin)
            net = EXACT.subtract(paid, earned)
            fee = None if pool.fee is None else FIGURE.plus(pool.fee)
            external = net if pool.external is None else FIGURE.plus(pool.external)
            rounding = EXACT.subtract(EXACT.subtract(net, fee or ZERO), external)
            yield Conservation(
                date,
                pool.venue,
                pool.coin.name,
                paid,
                earned,
                None if fee is None else normalized(fee),
                external if fee is None else normalized(external),
                normalized(rounding),
            )


def conserved(days: Iterable[LivedDay]) -> list[Conservation]:
    """Return the sums of each pool's days; the equation holds exactly for them too."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    date = datetime.date.min
    for row in conservation(days):
        date = row.date
        of_pool = sums.setdefault((row.venue, row.coin), {})
        for key in ("paid_by_borrowers", "earned_by_lenders", "fee", "external", "rounding"):
            number = getattr(row, key)
            if number is not None:
                tally(of_pool, key, number)
    return [
        Conservation(
            date,
            venue,
            coin,
            of_pool["paid_by_borrowers"],
            of_pool["earned_by_lenders"],
            of_pool.get("fee"),
            of_pool["external"],
            normalized(of_pool["rounding"]),
        )
        for (venue, coin), of_pool in sorted(sums.items())
    ]


@dataclass(frozen=True, slots=True)
class Earned:
    """The interest that a sub-account earned or paid in a coin on some days, in coins.

    average_principal  mean of all hours of the days
    rate               interest on it as a simple annual rate, or None without principal
    carry              left over by the last of the days: not credited, or not charged yet
    """

    sub_account: str
    venue: str
    coin: str
    side: str
    principal: Decimal
    average_principal: Decimal
    interest: Decimal
    rate: Decimal | None
    carry: Decimal


def earned(days: Sequence[LivedDay]) -> list[Earned]:
    """Return the interest of days, a row for each sub-account, coin and side."""
    found: dict[tuple[str, str, bool], list[LendingDay]] = {}
    for day in days:
        for coin in day.coins:
            booked = coin.imported or NOTHING
            if coin.lent or coin.after.lent or coin.after.carry_lent or booked.earned:
                found.setdefault((coin.sub_account, coin.coin.name, False), []).append(coin)
            if coin.owed or coin.debt or coin.entry_fee or booked.paid:
                found.setdefault((coin.sub_account, coin.coin.name, True), []).append(coin)
    corrections: dict[tuple[str, str, bool], list[Corrected]] = {}
    for one in (one for day in days for one in day.corrections if one.source in OF_INTEREST):
        key = (one.sub_account, one.coin.name, one.source == "borrowed")
        corrections.setdefault(key, []).append(one)
    last = days[-1].coins if days else []
    ends = {(coin.sub_account, coin.coin.name): coin for coin in last}
    return [
        _earned(found.get(key, []), corrections.get(key, []), ends.get(key[:2]), len(days), key[2])
        for key in sorted({*found, *corrections})
    ]


def _earned(
    coins: list[LendingDay],
    corrections: list[Corrected],
    end: LendingDay | None,
    days: int,
    owed: bool,
) -> Earned:
    of: LendingDay | Corrected = coins[0] if coins else corrections[0]
    unit = of.coin
    paid_earned = in_books(coins, unit)
    interest = total([paid_earned[not owed], *(one.amount for one in corrections)])
    segments = [segment for coin in coins for segment in (coin.owed if owed else coin.lent)]
    hours = Quanta(sum(segment.principal * segment.hours for segment in segments))
    average = FIGURE.divide(unit.from_quanta(hours), Decimal(HOURS * days))
    rate = None
    if average:
        rate = FIGURE.multiply(
            FIGURE.divide(interest, average),
            FIGURE.divide(Decimal(DAYS_A_YEAR), days),
        )
    principal = NO_QUANTA if end is None else end.debt if owed else end.after.lent
    carry = NO_CARRY
    if end is not None:
        carry = end.after.carry_owed if owed else end.after.carry_lent
    return Earned(
        of.sub_account,
        of.venue,
        unit.name,
        "borrowed" if owed else "lent",
        unit.from_quanta(principal),
        normalized(average),
        written(interest, unit),
        None if rate is None else normalized(rate),
        Decimal(unit.carry_text(carry)),
    )


SIDES = ("earned", "paid")
"""The two sides of interest."""


def interests(days: Iterable[LivedDay]) -> dict[str, dict[str, Decimal]]:
    """Return the interest of days, coins, by side and coin: earned, and paid (below zero)."""
    by_coin: dict[Coin, list[LendingDay]] = {}
    corrected: list[Corrected] = []
    for day in days:
        for coin in day.coins:
            by_coin.setdefault(coin.coin, []).append(coin)
        corrected += day.corrections
    found: dict[str, dict[str, Decimal]] = {side: {} for side in SIDES}
    for unit, of_coin in by_coin.items():
        paid, earned = in_books(of_coin, unit)
        tally(found["earned"], unit.name, earned)
        tally(found["paid"], unit.name, EXACT.minus(paid))
    for one in corrected:
        if one.source == "lent":
            tally(found["earned"], one.coin.name, one.amount)
        elif one.source == "borrowed":
            tally(found["paid"], one.coin.name, EXACT.minus(one.amount))
    return {side: {name: sum_ for name, sum_ in of.items() if sum_} for side, of in found.items()}


@dataclass(frozen=True, slots=True)
class PoolRates:
    """A pool's rates on a day: means of its hours, annual fractions; None if no hour has a rate.

    utilization  0 to 1
    """

    date: datetime.date
    venue: str
    coin: str
    supply: Decimal | None
    borrow: Decimal | None
    utilization: Decimal | None


def pool_rates(book: Book, days: Iterable[LivedDay]) -> Iterator[PoolRates]:
    """Yield the rates of each pool on each day."""
    for day in days:
        date = date_of(day.day)
        for pool in day.pools:
            used: list[Decimal | None] = []
            for hour, totals in enumerate(pool.totals):
                key = (pool.venue, pool.coin.name)
                quoted = in_force(book.rates, key, at_slot(day.day, hour))
                if totals is not None:
                    used.append(utilization(*totals))
                else:
                    used.append(None if quoted is None else quoted.utilization)
            means = (_mean(pool.supply), _mean(pool.borrow), _mean(used))
            yield PoolRates(date, pool.venue, pool.coin.name, *means)


def _mean(numbers: Iterable[Decimal | None]) -> Decimal | None:
    known = [number for number in numbers if number is not None]
    return rounded(FIGURE.divide(total(known), Decimal(len(known)))) if known else None
