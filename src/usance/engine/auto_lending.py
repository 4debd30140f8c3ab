"""Auto-lending: the stage that lends idle coins and borrows shortfalls, and its transactions."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from usance.engine.drafts import Draft, Pair, Proof, TransactionKind
from usance.engine.lived_day import LivedDay
from usance.engine.pool_lending import PoolLending
from usance.engine.records import LendingDay
from usance.engine.state import Holding, State
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import NO_QUANTA, Grains, Quanta, decimal_text
from usance.model.book import Book
from usance.model.hours import Day, end_of, iso
from usance.model.lots import lot_text
from usance.model.problems import Problem
from usance.model.terms import CurvePool

# An enumeration's attributes take long, and these are asked for with each coin of each day.
WALLET, EARNED, LENT, CAPITAL = Side.WALLET, Side.INTEREST_EARNED, Side.LENT, Side.CAPITAL


def pools_of(book: Book, state: State) -> list[PoolLending]:
    """Return the lending of each coin at each venue, whether or not there is a pool, in order."""
    groups: dict[tuple[str, str], list[tuple[str, Holding]]] = {}
    for name, coin in sorted(book.movements):
        group = groups.setdefault((book.venue(name), coin), [])
        group.append((name, state.holding(name, coin)))
    return [
        PoolLending(book, venue, book.coins[coin], holdings)
        for (venue, coin), holdings in sorted(groups.items())
    ]


class AutoLending:
    """The lending of a day.

    every  coin at each venue
    pools  of them that are live today, by venue and coin
    """

    def __init__(
        self, book: Book, state: State, every: Sequence[PoolLending], today: LivedDay
    ) -> None:
        self.book = book
        self.state = state
        self.every = every
        self.today = today
        self.pools: dict[tuple[str, str], PoolLending] = {}
        self.short_lots: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        """Problems of the pools, one pool after the other, and of lots."""
        of_pools = [problem for pool in self.pools.values() for problem in pool.problems]
        return of_pools + self.short_lots

    def live(self, settling: Collection[tuple[str, str]] = ()) -> None:
        """Lend, borrow and repay for 24 hours, and at their end.

        settling  sub-account and coin of the settlements at the end of the day
        """
        for pool in self.every:
            if self._is_live(pool):
                coin = pool.coin.name
                self.pools[pool.venue, coin] = pool
                pool.live(self.today.day, {name for name, settles in settling if settles == coin})

    def hold(self) -> None:
        """Take in a person's movements on a day on which nothing is lent."""
        for pool in self.every:
            for account in pool.accounts:
                for movement in account.movements.get(self.today.day, ()):
                    grains = pool.coin.to_grains(movement.quantity)
                    account.holding.take(movement.side, grains, movement.lot)

    def settle(self, name: str, coin: str, grains: Grains) -> None:
        """Pay a settlement into a wallet after the day's interest."""
        pool = self.pools.get((self.book.venue(name), coin))
        if pool is not None:
            pool.settle(name, grains)
        else:
            holding = self.state.holding(name, coin)
            holding.free = Grains(holding.free + grains)

    def close(self) -> None:
        """End the day: note interest, pools and transactions, and lots below zero."""
        for pool in self.every:
            for account in pool.accounts:
                if account.holding.kept and account.name not in self.book.unmatched:
                    self._check_lots(account.name, pool.coin.name, account.holding)
        for pool in self.pools.values():
            self.today.coins += pool.close()
            self.today.pools += pool.pool_day()
        self.today.drafts += _drafts(self.book, self.today.day, self.today.coins)

    def _check_lots(self, name: str, coin: str, holding: Holding) -> None:
        """Refuse a lot of which a sub-account gave more than it held."""
        # Beancount takes a lot that is not there for a new one, below zero. Once the day is posted,
        # it does not book any more.
        for lot, grains in holding.kept.items():
            if grains < 0:
                source = self.book.lot_moved(name, coin, lot, self.today.day)
                short = decimal_text(self.book.coins[coin].from_grains(grains))
                self.short_lots.append(
                    problems.lot_below_zero(
                        source, name, coin, lot_text(lot), iso(self.today.day), short
                    )
                )

    def _is_live(self, pool: PoolLending) -> bool:
        """Tell whether anything can happen to a coin at a venue today."""
        day, positions = self.today.day, self.state.positions
        for account in pool.accounts:
            if (
                not account.holding.is_empty()
                or day in account.movements
                or positions.get(account.name)
            ):
                return True
        return isinstance(pool.pools.at(end_of(day)), CurvePool)


def _drafts(book: Book, day: Day, coins: list[LendingDay]) -> list[Draft]:
    """Return a day's lending and borrowing, one transaction a sub-account and kind."""
    lent: dict[str, list[Pair]] = {}
    owed: dict[str, list[Pair]] = {}
    prices = {name: book.price_of(name, day) for name in {coin.coin.name for coin in coins}}
    for coin in sorted(coins, key=lambda coin: coin.coin.name):
        if coin.lent or coin.before.lent != coin.after.lent:
            price = prices[coin.coin.name]
            lent.setdefault(coin.sub_account, []).extend(_lent_pairs(coin, price))
        if coin.owed or coin.borrows:
            owed.setdefault(coin.sub_account, []).extend(_owed_pairs(coin))
    return [
        Draft(kind, day, name, 0, tuple(pairs))
        for kind, drafts in ((TransactionKind.LENDING, lent), (TransactionKind.BORROWING, owed))
        for name, pairs in drafts.items()
        if pairs
    ]


def _lent_pairs(coin: LendingDay, price: Decimal | None) -> list[Pair]:
    name, unit, before, after = coin.sub_account, coin.coin, coin.before, coin.after
    earned = coin.earned if coin.imported is None else NO_QUANTA
    lent = after.lent - before.lent
    amount = unit.from_quanta(earned)
    pairs = []
    if earned or before.carry_lent != after.carry_lent:
        proof = Proof(unit, coin.lent, after.carry_lent, price=price)
        pairs.append(Pair((name, WALLET), (name, EARNED), amount, unit.name, proof))
    if lent:
        # On a quiet day just the interest, which is lent on.
        amount = amount if lent == earned else unit.from_quanta(Quanta(lent))
        pairs.append(Pair((name, LENT), (name, CAPITAL), amount, unit.name))
    return pairs


def _owed_pairs(coin: LendingDay) -> Iterator[Pair]:
    name, unit = coin.sub_account, coin.coin
    if coin.borrowed:
        amount = unit.from_quanta(coin.borrowed)
        yield Pair((name, Side.WALLET), (name, Side.BORROWED), amount, unit.name)
    if coin.imported is None and (coin.paid or coin.before.carry_owed != coin.after.carry_owed):
        proof = Proof(unit, coin.owed, coin.after.carry_owed, entry_fee=coin.entry_fee)
        paid = unit.from_quanta(coin.paid)
        yield Pair((name, Side.INTEREST_PAID), (name, Side.BORROWED), paid, unit.name, proof)
