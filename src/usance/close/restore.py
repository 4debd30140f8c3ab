"""Restore: what sub-accounts and products had at the end of the last closed day."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from beancount.core.data import Posting, Transaction

from usance.close import closed_yields
from usance.close.days import first_day, last_day
from usance.engine.state import State
from usance.language.directive import source_of
from usance.language.reading import Reading
from usance.language.transactions import lot_of
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import Coin, tally
from usance.model.book import Movement
from usance.model.lots import Lot
from usance.model.problems import Problem

CARRY = "carry-after"


YIELDS = frozenset((Side.ACCRUED_YIELD, Side.YIELD))


KEPT = frozenset(
    (Side.WALLET, Side.PERP, Side.BORROWED, Side.LENT, Side.MARGIN, Side.INTEREST_PAID)
)
"""Sides of which closed days tell what a sub-account has; the others follow from them."""


def state(reading: Reading) -> tuple[State, list[Problem]]:
    """Return what sub-accounts have at the end of the last closed day."""
    last = last_day(reading) or 0
    book = reading.book
    made = State()
    for name, coin, movement in _before(book.movements, last):
        grains = book.coins[coin].to_grains(movement.quantity)
        made.holding(name, coin).take(movement.side, grains, movement.lot)
    for name, contract, movement in _before(book.trades, last):
        assert movement.lot is not None
        made.trade(name, contract, movement.lot, movement.quantity)
    closed_yields.take_written(made, book, last)
    reduced: dict[tuple[str, str, Lot], Decimal] = {}
    found: list[Problem] = []
    for entry in reading.posted:
        for posting in entry.postings:
            unread = _posting(made, reduced, reading, entry, posting)
            if unread:
                at = source_of(posting.meta or entry.meta)
                found.append(problems.bad_proof(at, str(entry.meta["usance"]), unread))
    for key, number in reduced.items():
        if not number:
            del made.closed[key]
    closed_yields.drop_paid(made, book, first_day(reading) or 0, last)
    return made, found


def _before(
    movements: Mapping[tuple[str, str], Mapping[int, Sequence[Movement]]], last: int
) -> Iterator[tuple[str, str, Movement]]:
    """Yield movements of closed days, with sub-account and commodity."""
    for (name, commodity), days in movements.items():
        for day, of_day in days.items():
            if day <= last:
                for movement in of_day:
                    yield name, commodity, movement


def _posting(
    made: State,
    reduced: dict[tuple[str, str, Lot], Decimal],
    reading: Reading,
    entry: Transaction,
    posting: Posting,
) -> str:
    """Take in a posting of a closed day; return the key of the proof that cannot be read, or ""."""
    reserve = reading.chart.reserve(posting.account)
    if reserve is not None:
        is_read = closed_yields.take_reserve(made, entry, posting, *reserve)
        return "" if is_read else "left-over-after"
    name, side = reading.chart.side(posting.account) or ("", None)
    if side in YIELDS:
        is_read = closed_yields.take(made, reading, entry, posting, name, side)
    elif side in KEPT:
        is_read = _take(made, reduced, reading, entry, posting, name, side)
    else:
        return ""
    return "" if is_read else CARRY


def _take(
    made: State,
    reduced: dict[tuple[str, str, Lot], Decimal],
    reading: Reading,
    entry: Transaction,
    posting: Posting,
    name: str,
    side: Side,
) -> bool:
    """Take in a posting to what a sub-account has; False where its proof cannot be read.

    reduced  contracts that liquidations took out of a lot, corrections included
    """
    assert posting.units is not None and isinstance(posting.units.number, Decimal)
    number, commodity = posting.units.number, posting.units.currency
    lot = lot_of(posting)
    if side is Side.MARGIN:
        tally(made.margin, name, number)
    if side is Side.PERP and lot is not None:
        made.trade(name, commodity, lot, number)
        made.closed[name, commodity, lot] = str(entry.meta["usance"])
        tally(reduced, (name, commodity, lot), number)
    unit = reading.book.coins.get(commodity)
    if unit is None or side is Side.MARGIN:
        return True
    if side is Side.INTEREST_PAID:
        return _carry(made, unit, posting, name, side)
    holding = made.holding(name, commodity)
    grains = unit.to_grains(number)
    if side is Side.LENT:
        holding.lent += grains // unit.grains_per_quantum
    elif side is not Side.PERP or lot is None:
        holding.take(side, grains, lot)
    return _carry(made, unit, posting, name, side)


def _carry(made: State, unit: Coin, posting: Posting, name: str, side: Side) -> bool:
    """Take over the carry that a posting proves, if it does; False where it cannot be read."""
    if not posting.meta or CARRY not in posting.meta:
        return True
    try:
        carry = unit.carry(str(posting.meta[CARRY]))
    except ValueError:
        return False
    holding = made.holding(name, unit.name)
    if side is Side.WALLET:
        holding.carry_lent = carry
    else:
        holding.carry_owed = carry
    return True
