"""Restore: what sub-accounts and products had at the end of the last closed day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from beancount.core.data import Posting, Transaction

from usance.close.days import first_day, last_day
from usance.engine import bills
from usance.engine.state import State
from usance.language.directive import source_of
from usance.language.reading import Reading
from usance.language.transactions import lot_of, units_of
from usance.model import periods, problems
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import EXACT, NO_QUANTA, Carry, Coin, Quanta, tally
from usance.model.book import Book, Movement
from usance.model.hours import NO_DAY, Day, at_slot, day_of
from usance.model.lots import Lot
from usance.model.periods import Period
from usance.model.problems import Problem
from usance.model.terms import Stage
from usance.model.timeline import in_force

CARRY = "carry-after"
LEFT_OVER = "left-over-after"

BALANCES = frozenset((Side.WALLET, Side.PERP, Side.BORROWED, Side.LENT, Side.INTEREST_PAID))
"""Sides whose postings give the holding of a coin: its balances, and its carries."""


def state(reading: Reading) -> tuple[State, list[Problem]]:
    """Return the state at the end of the last closed day, and the proofs that cannot be read."""
    last = last_day(reading) or NO_DAY
    restoring = Restoring(reading)
    restoring.take_written(NO_DAY, last)
    restoring.take(reading.posted)
    restoring.forget_open_lots()
    restoring.forget_paid(first_day(reading) or NO_DAY, last)
    return restoring.state, restoring.unread


class UnreadProofError(Exception):
    """The proof of a posted figure cannot be read.

    key  of the posting's metadata
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Restoring:
    """The state of closed days, restored posting by posting.

    state    what the postings so far come to
    reduced  contracts that liquidations took out of a lot, corrections included
    unread   proofs that cannot be read
    """

    def __init__(self, reading: Reading) -> None:
        self.chart = reading.chart
        self.book = reading.book
        self.state = State()
        self.reduced: dict[tuple[str, str, Lot], Decimal] = {}
        self.unread: list[Problem] = []

    def take_written(self, first: Day, last: Day) -> None:
        """Take in what a person posted on some days."""
        for name, coin, movement in _during(first, last, self.book.movements):
            grains = self.book.coins[coin].to_grains(movement.quantity)
            self.state.holding(name, coin).take(movement.side, grains, movement.lot)
        for name, contract, movement in _during(first, last, self.book.trades):
            assert movement.lot is not None
            self.state.trade(name, contract, movement.lot, movement.quantity)
        for product, days in self.book.yields.reserved.items():
            for day, postings in days.items():
                for posting in postings if first <= day <= last else ():
                    bills.take(self.state.portfolio(product), posting)

    def take(self, entries: Iterable[Transaction]) -> None:
        """Take in transactions of closed days."""
        for entry in entries:
            for posting in entry.postings:
                try:
                    self.take_posted(entry, posting)
                except UnreadProofError as proof:
                    at = source_of(posting.meta or entry.meta)
                    self.unread.append(problems.bad_proof(at, str(entry.meta["usance"]), proof.key))

    def take_posted(self, entry: Transaction, posting: Posting) -> None:
        """Take in a posting of a closed day; UnreadProofError if its proof cannot be read."""
        of_product = self.chart.reserve(posting.account)
        if of_product is not None:
            self._product(*of_product, posting)
            return
        name, side = self.chart.side(posting.account) or ("", None)
        if side in BALANCES and (side is not Side.PERP or posting.cost is None):
            self._holding(name, side, posting)
        elif side is Side.PERP:
            self._reduced(name, entry, posting)
        elif side is Side.MARGIN:
            tally(self.state.margin, name, units_of(posting)[0])
        elif side is Side.YIELD:
            self._enrolled(name, posting)
        elif side is Side.ACCRUED_YIELD:
            self._accrual(name, entry, posting)

    def _holding(self, name: str, side: Side, posting: Posting) -> None:
        """Take in a posting to a coin's balance, and the carry that it proves, if it does."""
        number, commodity = units_of(posting)
        coin = self.book.coins.get(commodity)
        if coin is None:
            return
        holding = self.state.holding(name, commodity)
        if side is Side.LENT:
            lent = Quanta(holding.carried.lent + quanta(coin, number))
            holding.carried = holding.carried._replace(lent=lent)
        elif side is not Side.INTEREST_PAID:
            holding.take(side, coin.to_grains(number), lot_of(posting))
        if posting.meta and CARRY in posting.meta:
            carry = carry_of(coin, posting.meta, CARRY)
            if side is Side.WALLET:
                holding.carried = holding.carried._replace(carry_lent=carry)
            else:
                holding.carried = holding.carried._replace(carry_owed=carry)

    def _reduced(self, name: str, entry: Transaction, posting: Posting) -> None:
        """Take in contracts that a liquidation took out of a lot, or a correction put back."""
        number, contract = units_of(posting)
        lot = lot_of(posting)
        assert lot is not None
        self.state.trade(name, contract, lot, number)
        self.state.closed[name, contract, lot] = str(entry.meta["usance"])
        tally(self.reduced, (name, contract, lot), number)

    def _enrolled(self, name: str, posting: Posting) -> None:
        """Take in a posting to the Yield memorandum."""
        number, commodity = units_of(posting)
        coin = self.book.coins.get(commodity)
        if coin is not None:
            accrual = self.state.accrual(name, commodity)
            accrual.enrolled = Quanta(accrual.enrolled + quanta(coin, number))

    def _accrual(self, name: str, entry: Transaction, posting: Posting) -> None:
        """Take in a credit of yield, and the carry that proves it."""
        number, commodity = units_of(posting)
        coin, meta = self.book.coins.get(commodity), posting.meta or {}
        if coin is None:
            return
        accrual = self.state.accrual(name, commodity)
        if CARRY not in meta:
            return
        carry, credited = carry_of(coin, meta, CARRY), quanta(coin, number)
        of_bonus = meta.get("source") == "bonus"
        if of_bonus:
            accrual.carry_bonus = carry
        else:
            accrual.carry_treasury = carry
        if "period" in meta:
            period = periods.named(str(meta["period"]))
        else:
            product = str(meta.get("product"))
            period = period_of_credit(self.book, name, product, day_of(entry.date))
        if period is not None and credited:
            parts = (NO_QUANTA, credited) if of_bonus else (credited, NO_QUANTA)
            accrual.accrue(period, *parts)

    def _product(self, product: str, account: ProductAccount, posting: Posting) -> None:
        """Take in a posting to a product's account, and the left-over sum that it proves."""
        match account:
            case ProductAccount.ACCRETION | ProductAccount.CASH | ProductAccount.PAYABLE:
                number, _ = units_of(posting)
                bills.add(self.state.portfolio(product), account, number)
            case ProductAccount.DISTRIBUTED:
                self.state.portfolio(product).left_over = _left_over(posting)
            case _:
                pass

    def forget_open_lots(self) -> None:
        """Forget the lots of which corrections took back all that liquidations had reduced."""
        for key in [key for key, number in self.reduced.items() if not number]:
            del self.state.closed[key], self.reduced[key]

    def forget_paid(self, first: Day, last: Day) -> None:
        """Forget periods that were over on the last closed day on which payouts are made.

        first, last  closed days
        """
        for day in map(Day, range(last, first - 1, -1)):
            if Stage.YIELD_SPLIT in (self.book.stages.at(at_slot(day, 0)) or ()):
                for accrual in self.state.accruals.values():
                    accrual.unpaid = {
                        period: due for period, due in accrual.unpaid.items() if period.end >= day
                    }
                return


def period_of_credit(book: Book, name: str, product: str, day: Day) -> Period | None:
    """Return the period of a product to which what a holder earns on a day belongs, or None."""
    key = (book.venue(name), product)
    terms = in_force(book.yields.products, key, at_slot(day, 0))
    return None if terms is None else periods.period_of(terms.payout, day)


def _during(
    first: Day, last: Day, movements: Mapping[tuple[str, str], Mapping[Day, Sequence[Movement]]]
) -> Iterator[tuple[str, str, Movement]]:
    """Yield movements of some days, with sub-account and commodity."""
    for (name, commodity), days in movements.items():
        found = [last] if first == last else [day for day in days if first <= day <= last]
        for day in found:
            for movement in days.get(day, ()):
                yield name, commodity, movement


def quanta(coin: Coin, number: Decimal) -> Quanta:
    """Return the whole quanta in a number of coins."""
    return coin.floor_quanta(coin.to_grains(number))


def carry_of(coin: Coin, meta: Mapping[str, object], key: str) -> Carry:
    """Return the carry that a proof names, 1e-18 quanta."""
    try:
        return coin.to_carry(str(meta[key]))
    except ValueError:
        raise UnreadProofError(key) from None


def _left_over(posting: Posting) -> Decimal:
    """Return the sum that a distribution left over, coins."""
    try:
        return EXACT.create_decimal(str((posting.meta or {})[LEFT_OVER]))
    except (KeyError, InvalidOperation):
        raise UnreadProofError(LEFT_OVER) from None
