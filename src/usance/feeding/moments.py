"""Moments: the books of a moment within a day.

They are those of the end of the last whole day, and all that is written with a time up to the
moment. The engine does not end the day: nothing is settled, and no interest joins a balance.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from usance.engine.state import Holding, Net, State
from usance.model.accounts import Side
from usance.model.amounts import EXACT, PRECISE, ZERO, Coin, Grains, decimals
from usance.model.book import Book, Movement
from usance.model.hours import Day, Moment, end_of, moment
from usance.model.problems import Source
from usance.model.terms import Stage, SubAccount
from usance.venues.numbers import DAY_NANOS, Instant, day_of, seconds_of

NOTHING = Holding()


class Effect(NamedTuple):
    """A row of the venue that a day's sum stands for: what it adds to a wallet, or to a debt.

    side      WALLET or BORROWED
    quantity  coins; positive adds to the account, so that a debt grows by a negative one
    """

    side: Side
    coin: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BooksThen:
    """What a sub-account has at a moment.

    whole   last day that is over; prices of the ledger are those of its end
    until   second of the day after it up to which it counts, -1: no part of that day
    state   what is borrowed or repaid at once is in it
    coins   with grains that hold the day's rows too
    """

    book: Book
    name: str
    whole: Day
    until: int
    state: State
    coins: Mapping[str, Coin]

    @property
    def terms(self) -> Moment:
        """The moment at which terms are looked up."""
        return end_of(self.whole) if self.until < 0 else moment(Day(self.whole + 1), self.until)

    @property
    def switches(self) -> SubAccount:
        """The terms of the sub-account."""
        timeline = self.book.sub_accounts[self.name]
        return timeline.at(self.terms) or timeline.values[0]

    @property
    def held(self) -> list[str]:
        """The coins that it holds or owes, by name."""
        holdings = self.state.holdings.get(self.name, {})
        return [coin for coin, holding in sorted(holdings.items()) if holding.held or holding.owed]

    @property
    def in_perp(self) -> list[str]:
        """The settle coins with a balance in Perp, by name."""
        holdings = self.state.holdings.get(self.name, {})
        return [coin for coin, holding in sorted(holdings.items()) if holding.perp]

    @property
    def venue(self) -> str:
        """The venue as terms name it."""
        return self.book.venue(self.name)

    @property
    def contracts(self) -> list[Net]:
        """The contracts that are open, by name."""
        return self.state.contracts(self.name)

    def wallet(self, coin: str) -> Decimal:
        """Return the balance of a coin in the wallet, coins."""
        return self._amount(coin, self._holding(coin).held)

    def owed(self, coin: str) -> Decimal:
        """Return what is borrowed of a coin, coins."""
        return self._amount(coin, self._holding(coin).owed)

    def perp(self, coin: str) -> Decimal:
        """Return the balance of a settle coin in Perp, coins."""
        return self._amount(coin, self._holding(coin).perp)

    def lent(self, coin: str) -> Decimal:
        """Return what is lent of a coin, coins: all of it but for less than a quantum."""
        held, unit = self._holding(coin).held, self.coins.get(coin)
        pool = self.book.pools.get((self.book.venue(self.name), coin))
        lends = pool is not None and pool.at(self.terms) is not None and self.switches.auto_lend
        if unit is None or held <= 0 or not lends or not _lending(self.book, self.terms):
            return ZERO
        return unit.from_quanta(unit.floor_quanta(held))

    def quantum(self, coin: str) -> Decimal:
        """Return the smallest amount of a coin that is lent."""
        unit = self.coins.get(coin)
        return unit.quantum if unit is not None else ZERO

    def _holding(self, coin: str) -> Holding:
        return self.state.holdings.get(self.name, {}).get(coin, NOTHING)

    def _amount(self, coin: str, grains: Grains) -> Decimal:
        return self.coins[coin].from_grains(grains) if grains else ZERO


def whole_day(at: Instant) -> Day:
    """Return the last day that is over at a moment; midnight belongs to the day that it ends."""
    return Day(day_of(at) - 1)


def end_instant(day: Day) -> Instant:
    """Return the end of a day."""
    start = day_of(Instant(0))
    return Instant((day + 1 - start) * DAY_NANOS)


def books_then(
    book: Book,
    name: str,
    at: Instant,
    evening: State,
    sums: frozenset[Source],
    rows: Iterable[Effect],
) -> BooksThen:
    """Return what a sub-account has at a moment.

    evening  of the last whole day; a copy is taken
    sums     transactions that are the sum of a day's rows: they count by their rows alone
    rows     of the day, up to the moment
    """
    state, whole = evening.copy(), whole_day(at)
    if at == end_instant(whole):
        return BooksThen(book, name, whole, -1, state, book.coins)
    day, until = Day(whole + 1), seconds_of(at)
    effects = [*rows]
    coins = _finer(book.coins, effects)
    _regrained(state.holdings.get(name, {}), book.coins, coins)
    then = BooksThen(book, name, whole, until, state, coins)
    written = sorted(_written(book.movements, name, day, until, sums), key=_seconds)
    # What is borrowed in one hour is not repaid in the next one without auto-repay.
    for _, of_hour in groupby(written, key=lambda movement: moment(day, movement.seconds)):
        _move(then, of_hour)
    moved: set[str] = set()
    for effect in effects:
        grains = coins[effect.coin].to_grains(effect.quantity)
        state.holding(name, effect.coin).take(effect.side, grains, None)
        moved.add(effect.coin)
    for trade in _written(book.trades, name, day, until, sums):
        assert trade.lot is not None
        state.trade(name, trade.coin, trade.lot, trade.quantity)
    for coin in sorted(moved):
        _meet(then, coin)
    return then


def _seconds(movement: Movement) -> int:
    return movement.seconds


def _move(then: BooksThen, movements: Iterable[Movement]) -> None:
    """Take movements of one hour, and borrow or repay what they leave."""
    moved: set[str] = set()
    for movement in movements:
        grains = then.coins[movement.coin].to_grains(movement.quantity)
        then.state.holding(then.name, movement.coin).take(movement.side, grains, movement.lot)
        moved.add(movement.coin)
    for coin in sorted(moved):
        _meet(then, coin)


def _written(
    index: Mapping[tuple[str, str], Mapping[Day, Iterable[Movement]]],
    name: str,
    day: Day,
    until: int,
    sums: frozenset[Source],
) -> Iterator[Movement]:
    """Yield what a person, or an import, wrote for a day up to a second of it."""
    for (owner, _), days in sorted(index.items()):
        if owner != name:
            continue
        for movement in days.get(day, ()):
            if movement.seconds <= until and movement.source not in sums:
                yield movement


def _finer(coins: Mapping[str, Coin], effects: Iterable[Effect]) -> dict[str, Coin]:
    """Return the coins with grains that hold the rows of a day, too."""
    found = dict(coins)
    for effect in effects:
        unit = found.get(effect.coin)
        digits = decimals(effect.quantity)
        if unit is None:
            found[effect.coin] = Coin.of(effect.coin, Decimal("1e-10"), digits)
        elif digits > unit.digits:
            found[effect.coin] = Coin.of(effect.coin, unit.quantum, digits)
    return found


def _regrained(
    holdings: dict[str, Holding], before: Mapping[str, Coin], after: Mapping[str, Coin]
) -> None:
    """Count holdings in the grains of other units."""
    for coin, holding in holdings.items():
        factor = 10 ** (after[coin].digits - before[coin].digits)
        if factor == 1:
            continue
        holding.free, holding.lots = Grains(holding.free * factor), Grains(holding.lots * factor)
        holding.owed, holding.perp = Grains(holding.owed * factor), Grains(holding.perp * factor)
        holding.kept = {lot: Grains(grains * factor) for lot, grains in holding.kept.items()}


def _lending(book: Book, at: Moment) -> bool:
    return Stage.AUTO_LENDING in (book.stages.at(at) or frozenset())


def _meet(then: BooksThen, coin: str) -> None:
    """Borrow what a transaction of the day left below zero, or repay, as that happens at once."""
    holding, unit = then.state.holding(then.name, coin), then.coins[coin]
    pool = then.book.pools.get((then.book.venue(then.name), coin))
    if not _lending(then.book, then.terms):
        return
    if holding.held < 0 and then.switches.auto_borrow and pool is not None:
        borrowed = unit.in_grains(unit.ceil_quanta(Grains(-holding.held)))
    elif then.switches.auto_repay:
        borrowed = Grains(-unit.in_grains(unit.floor_quanta(holding.repayable)))
    else:
        return
    holding.free = Grains(holding.free + borrowed)
    holding.owed = Grains(holding.owed + borrowed)


def average_entry(then: BooksThen, contract: str) -> tuple[Decimal, bool] | None:
    """Return the average price of a contract since it was flat, None if nothing is open.

    A close leaves an average as it is, while it takes whole lots away. Beside it stands whether
    there was such a close.
    """
    quantity, average, closed = ZERO, ZERO, False
    days = then.book.trades.get((then.name, contract), {})
    for day in sorted(days):
        for trade in days[day]:
            if day > then.whole + 1 or (day > then.whole and trade.seconds > then.until):
                continue
            assert trade.lot is not None
            after = EXACT.add(quantity, trade.quantity)
            if quantity * trade.quantity < 0:
                closed = True
            else:
                value = PRECISE.multiply(quantity, average)
                value = PRECISE.add(value, PRECISE.multiply(trade.quantity, trade.lot.cost))
                average = PRECISE.divide(value, after)
            quantity = after
            if not quantity:
                average, closed = ZERO, False
    return (average, closed) if quantity else None
