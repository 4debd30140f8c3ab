"""Lending reports: rows of `usance lending`, and sums of days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from usance.engine.lived_day import LivedDay
from usance.engine.records import Imported, LendingDay
from usance.language.reading import Reading
from usance.ledger import replay
from usance.model.amounts import (
    EXACT,
    FIGURE,
    NO_CARRY,
    NO_QUANTA,
    ZERO,
    Coin,
    Quanta,
    decimal_text,
    rounded_text,
    tally,
    total,
)
from usance.model.book import Book
from usance.model.hours import DAYS_A_YEAR, HOURS, Day, at_slot, iso
from usance.model.timeline import in_force
from usance.reports.lending_sides import Side, coins_text, differences, in_books, sides
from usance.rules.pool_rates import utilization

NOTHING = Imported()


@dataclass(frozen=True, slots=True)
class Interest:
    """The interest of one side of a coin of a sub-account on a day, in coins.

    principal          at the end of the day, with the interest
    average_principal  mean of the 24 hours
    """

    date: str
    sub_account: str
    venue: str
    coin: str
    side: str
    principal: str
    average_principal: str
    interest: str


@dataclass(frozen=True, slots=True)
class Compared(Interest):
    """The interest in the books beside the engine's own figure, in coins; None without a rate.

    expected    by the engine; where it generates the interest, that is the interest
    difference  interest less expected
    """

    expected: str | None
    difference: str | None


@dataclass(frozen=True, slots=True)
class Conservation:
    """A pool's payments on a day, coins: paid = earned + fee + external + rounding, exactly."""

    date: str
    venue: str
    coin: str
    paid_by_borrowers: str
    earned_by_lenders: str
    fee: str | None
    external: str
    rounding: str


def lending(reading: Reading, first: Day | None, last: Day | None) -> dict[str, Any]:
    """Return the answer of `usance lending`; days are inclusive, None for the first or the last."""
    begin = reading.book.first if first is None else first
    end = reading.last if last is None else last
    if begin is None:
        return {"from": None, "to": None, "rows": [], "pools": []}
    days = [day for day in replay.live(reading, end) if day.day >= begin]
    imports = compares(reading.book)
    rows = list(compared(days) if imports else interest(days))
    answer = {"from": iso(begin), "to": iso(end), "rows": rows, "pools": list(conservation(days))}
    return {**answer, "differences": differences(days)} if imports else answer


def compares(book: Book) -> bool:
    """Tell whether any sub-account ever imports its interest: then figures are compared."""
    return any(terms.imported for line in book.sub_accounts.values() for terms in line.values)


def interest(days: Iterable[LivedDay]) -> Iterator[Interest]:
    """Yield the interest of each day, of both sides."""
    for date, side in _sides(days):
        yield Interest(*_figures(date, side))


def compared(days: Iterable[LivedDay]) -> Iterator[Compared]:
    """Yield the interest of each day, of both sides, beside what the engine expects."""
    for date, side in _sides(days):
        unit, booked, expected = side.day.coin, side.interest, side.expected
        difference = None if expected is None else EXACT.subtract(booked, expected)
        texts = [None if one is None else coins_text(one, unit) for one in (expected, difference)]
        yield Compared(*_figures(date, side), *texts)


def _figures(date: str, side: Side) -> tuple[str, ...]:
    day, unit = side.day, side.day.coin
    average = FIGURE.divide(unit.from_quanta(side.hours), Decimal(HOURS))
    principal, booked = unit.quanta_text(side.principal), coins_text(side.interest, unit)
    name = "borrowed" if side.owed else "lent"
    of = (date, day.sub_account, day.venue, unit.name, name)
    return (*of, principal, decimal_text(average), booked)


def _sides(days: Iterable[LivedDay]) -> Iterator[tuple[str, Side]]:
    for day in days:
        date = iso(day.day)
        for coin in sorted(day.coins, key=lambda coin: (coin.sub_account, coin.coin.name)):
            yield from ((date, side) for side in sides(coin))


def conservation(days: Iterable[LivedDay]) -> Iterator[Conservation]:
    """Yield the payments of each pool on each day."""
    for day in days:
        date = iso(day.day)
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
                format(paid, "f"),
                format(earned, "f"),
                None if fee is None else decimal_text(fee),
                decimal_text(external) if fee is not None else format(external, "f"),
                decimal_text(rounding),
            )


def conserved(days: Iterable[LivedDay]) -> list[Conservation]:
    """Return the sums of each pool's days; the equation holds exactly for them too."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    dates: list[str] = []
    for row in conservation(days):
        dates.append(row.date)
        of_pool = sums.setdefault((row.venue, row.coin), {})
        for key in ("paid_by_borrowers", "earned_by_lenders", "fee", "external", "rounding"):
            text = getattr(row, key)
            if text is not None:
                tally(of_pool, key, Decimal(text))
    return [
        Conservation(
            f"{dates[0]} to {dates[-1]}",
            venue,
            coin,
            format(of_pool["paid_by_borrowers"], "f"),
            format(of_pool["earned_by_lenders"], "f"),
            format(of_pool["fee"], "f") if "fee" in of_pool else None,
            format(of_pool["external"], "f"),
            decimal_text(of_pool["rounding"]),
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
    principal: str
    average_principal: str
    interest: str
    rate: str | None
    carry: str


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
    last = days[-1].coins if days else []
    ends = {(coin.sub_account, coin.coin.name): coin for coin in last}
    return [
        _earned(coins, ends.get((name, coin)), len(days), owed=owed)
        for (name, coin, owed), coins in sorted(found.items())
    ]


def _earned(coins: list[LendingDay], end: LendingDay | None, days: int, *, owed: bool) -> Earned:
    unit = coins[0].coin
    paid_earned = in_books(coins, unit)
    interest = paid_earned[0] if owed else paid_earned[1]
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
        coins[0].sub_account,
        coins[0].venue,
        unit.name,
        "borrowed" if owed else "lent",
        unit.quanta_text(principal),
        decimal_text(average),
        coins_text(interest, unit),
        None if rate is None else decimal_text(rate),
        unit.carry_text(carry),
    )


SIDES = ("earned", "paid")
"""The two sides of interest."""


def interests(days: Iterable[LivedDay]) -> dict[str, dict[str, Decimal]]:
    """Return the interest of days, coins, by side and coin: earned, and paid (below zero)."""
    by_coin: dict[Coin, list[LendingDay]] = {}
    for day in days:
        for coin in day.coins:
            by_coin.setdefault(coin.coin, []).append(coin)
    found: dict[str, dict[str, Decimal]] = {side: {} for side in SIDES}
    for unit, of_coin in by_coin.items():
        paid, earned = in_books(of_coin, unit)
        for side, number in zip(SIDES, (earned, EXACT.minus(paid)), strict=True):
            if number:
                found[side][unit.name] = number
    return found


@dataclass(frozen=True, slots=True)
class PoolRates:
    """A pool's rates on a day: means of its hours, annual fractions; None if no hour has a rate.

    utilization  0 to 1
    """

    date: str
    venue: str
    coin: str
    supply: str | None
    borrow: str | None
    utilization: str | None


def pool_rates(book: Book, days: Iterable[LivedDay]) -> Iterator[PoolRates]:
    """Yield the rates of each pool on each day."""
    for day in days:
        date = iso(day.day)
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


def _mean(numbers: Iterable[Decimal | None]) -> str | None:
    known = [number for number in numbers if number is not None]
    return rounded_text(FIGURE.divide(total(known), Decimal(len(known)))) if known else None
