"""Sides: what a coin of a sub-account lent and owed on a day, and what interest is in the books.

The engine reckons its own figure where a person books the interest, too: the two are compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from usance.engine.bills import written
from usance.engine.lived_day import LivedDay
from usance.engine.records import LendingDay, Segment
from usance.model.amounts import EXACT, ZERO, Coin, Quanta, total, total_quanta


@dataclass(frozen=True, slots=True)
class Side:
    """What a coin of a sub-account lent or owed on a day.

    owed       the borrowed side
    principal  at the end of the day, quanta
    hours      principal x hours, quanta
    interest   in the books, coins
    expected   by the engine, coins; None if an hour has no rate
    """

    day: LendingDay
    owed: bool
    principal: Quanta
    hours: Quanta
    interest: Decimal
    expected: Decimal | None


def sides(day: LendingDay) -> Iterator[Side]:
    """Yield the sides on which anything was, or on which interest was booked."""
    unit, imported = day.coin, day.imported
    earned, paid = day.interest
    rated = imported is None or imported.rated
    # Without a rate there is no segment, so what a person's interest is for is counted by itself.
    hours = _hours(day.lent) if imported is None else total_quanta(day.hours)
    if day.lent or day.after.lent or (imported is not None and (hours or earned)):
        expected = unit.from_quanta(day.earned) if rated else None
        yield Side(day, False, day.after.lent, hours, earned, expected)
    hours = _hours(day.owed) if imported is None else imported.owed_hours
    if day.owed or day.debt or day.entry_fee or (imported is not None and (hours or paid)):
        expected = unit.from_quanta(day.paid) if rated else None
        yield Side(day, True, day.debt, hours, paid, expected)


def _hours(segments: Iterable[Segment]) -> Quanta:
    return Quanta(sum(segment.principal * segment.hours for segment in segments))


def in_books(days: Sequence[LendingDay], unit: Coin) -> tuple[Decimal, Decimal]:
    """Return the interest of one coin that is in the books, coins: paid, and earned."""
    generated = [day for day in days if day.imported is None]
    booked = [day.imported for day in days if day.imported is not None]
    paid = unit.from_quanta(total_quanta(day.paid for day in generated))
    earned = unit.from_quanta(total_quanta(day.earned for day in generated))
    paid = total([paid, *(one.paid for one in booked)])
    return paid, total([earned, *(one.earned for one in booked)])


@dataclass(frozen=True, slots=True)
class Difference:
    """The sum of what interest in the books and the engine's own figure differ by, in coins.

    days  on which there is an expected figure
    """

    sub_account: str
    venue: str
    coin: str
    side: str
    days: int
    interest: Decimal
    expected: Decimal
    difference: Decimal


def differences(days: Iterable[LivedDay]) -> list[Difference]:
    """Return by how much imported interest and the engine's own figure differ over some days."""
    found: dict[tuple[str, str, bool], list[Side]] = {}
    for day in days:
        for coin in day.coins:
            for side in sides(coin):
                if coin.imported is not None and side.expected is not None:
                    found.setdefault((coin.sub_account, coin.coin.name, side.owed), []).append(side)
    return [_difference(found[key]) for key in sorted(found)]


def _difference(of_days: list[Side]) -> Difference:
    day, owed = of_days[0].day, of_days[0].owed
    booked = total(side.interest for side in of_days)
    expected = total(side.expected or ZERO for side in of_days)
    sums = (booked, expected, EXACT.subtract(booked, expected))
    side = "borrowed" if owed else "lent"
    figures = (written(number, day.coin) for number in sums)
    return Difference(day.sub_account, day.venue, day.coin.name, side, len(of_days), *figures)
