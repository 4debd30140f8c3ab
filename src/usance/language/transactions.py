"""Scribe: what a person's transactions do to sub-accounts, and what they may not do."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from beancount.core import convert
from beancount.core.data import Open, Pad, Posting, Transaction
from beancount.core.position import Cost

from usance.language import canonical as inputs
from usance.language.canonical import Input
from usance.language.directive import source_of
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, ZERO, normalized, tally
from usance.model.book import Movement, ProductPosting, Transfer
from usance.model.hours import moment, seconds_of
from usance.model.lots import Lot
from usance.model.problems import Problem, Source
from usance.rules.isolation import may_pass

MOVING = frozenset((Side.WALLET, Side.BORROWED, Side.PERP))
"""Sides that a person moves."""

KEEPING = frozenset(
    (ProductAccount.BILLS, ProductAccount.ACCRETION, ProductAccount.CASH, ProductAccount.PAYABLE)
)
"""Accounts of a product whose balance counts."""


class Receipt(NamedTuple):
    """A transaction that moves what has accrued of a product, or says what it pays.

    text  canonical text
    """

    entry: Transaction
    sub_accounts: tuple[str, ...]
    text: Callable[[], str]


class Notional(NamedTuple):
    """What a trade in a contract moves in its settle coin, and what it should."""

    day: int
    contract: str
    coin: str
    written: Decimal
    expected: Decimal
    source: Source


class TransactionReader:
    """Takes down what a person's transactions do to sub-accounts, and what they may not do.

    isolating  crossings and unknown accounts are refused
    placed     every sub-account has its place, so that an account beside them is a stray one
    """

    def __init__(self, chart: ChartOfAccounts, *, isolating: bool, placed: bool) -> None:
        self.chart = chart
        self.isolating = isolating
        self.placed = placed
        self.movements: list[Movement] = []
        self.trades: list[Movement] = []
        self.transfers: list[Transfer] = []
        self.notionals: list[Notional] = []
        self.reserved: dict[str, list[ProductPosting]] = {}
        self.receipts: list[Receipt] = []
        self.outflows: dict[int, list[tuple[str, Source]]] = {}
        self.inputs: list[Input] = []
        self.problems: list[Problem] = []
        self.refused: set[str] = set()

    def transaction(self, entry: Transaction) -> None:
        """Take down one transaction; nothing of one that touches no sub-account."""
        chart = self.chart
        owners = {chart.owner(posting.account) for posting in entry.postings}
        if self.isolating:
            for posting in entry.postings:
                self._account(posting.account, source_of(posting.meta or entry.meta))
        names = sorted(owner for owner in owners if owner is not None)
        source = source_of(entry.meta)
        reserved = [posting for posting in entry.postings if self._reserve(entry, posting, source)]
        if not names:
            if reserved:
                text = partial(inputs.transaction_text, entry, reserved, 0)
                self.inputs.append(Input(entry.date.toordinal(), text, source))
            return
        seconds = self._seconds(entry, source)
        at = moment(entry.date.toordinal(), seconds)
        accrued = [posting for posting in entry.postings if self._has_accrued(posting)]
        counting = [
            *(p for p in entry.postings if self._movement(p, at, seconds, source)),
            *accrued,
            *reserved,
        ]
        text = partial(inputs.transaction_text, entry, counting, seconds, ("pays",))
        if counting or "pays" in entry.meta:
            self.inputs.append(Input(entry.date.toordinal(), text, source))
        if accrued or "pays" in entry.meta:
            self.receipts.append(Receipt(entry, tuple(names), text))
        self._outflows(entry, names, source)
        self._notional(entry, source)
        if self.isolating and len(names) > 1:
            places = [
                (chart.owner(posting.account), (chart.side(posting.account) or (None, None))[1])
                for posting in entry.postings
            ]
            if may_pass(places):
                self._transfer(entry, names[0], names[1], seconds)
            else:
                self.problems.append(problems.crossing(source, names))

    def _movement(self, posting: Posting, at: int, seconds: int, source: Source) -> bool:
        """Take down a posting; False where it changes neither what is held nor what is owed."""
        place = self.chart.side(posting.account)
        if place is None or place[1] not in MOVING or posting.units is None:
            return False
        name, side = place
        commodity, number = posting.units.currency, posting.units.number
        assert isinstance(number, Decimal)
        lot = lot_of(posting)
        closes = lot is not None and posting.price is not None and posting.price.number != lot.cost
        movement = Movement(at, seconds, name, side, commodity, number, lot, source, closes)
        if side is Side.PERP and lot is not None:
            self.trades.append(movement)
        else:
            self.movements.append(movement)
        return True

    def _has_accrued(self, posting: Posting) -> bool:
        """Tell whether a posting moves what has accrued of a yield product."""
        place = self.chart.side(posting.account)
        return place is not None and place[1] is Side.ACCRUED_YIELD

    def _reserve(self, entry: Transaction, posting: Posting, source: Source) -> bool:
        """Take down a posting to what backs a product; False where it is none."""
        place = self.chart.reserve(posting.account)
        if place is None or place[1] not in KEEPING or posting.units is None:
            return False
        product, reserve = place
        commodity, number = posting.units.currency, posting.units.number
        assert isinstance(number, Decimal)
        day = entry.date.toordinal()
        kept = ProductPosting(day, reserve, commodity, number, lot_of(posting), source)
        self.reserved.setdefault(product, []).append(kept)
        return True

    def _seconds(self, entry: Transaction, source: Source) -> int:
        if "time" not in entry.meta:
            return 0
        value = entry.meta["time"]
        seconds = seconds_of(value) if isinstance(value, str) else None
        if seconds is None:
            self.problems.append(problems.bad_time(source, "transaction", value))
        return seconds or 0

    def _transfer(self, entry: Transaction, first: str, second: str, seconds: int) -> None:
        """Take down a transfer, by the weight of the side that gives."""
        weights: dict[str, dict[str, Decimal]] = {first: {}, second: {}}
        for posting in entry.postings:
            weight = convert.get_weight(posting)
            owner = self.chart.owner(posting.account)
            assert owner is not None
            side = weights[owner]
            tally(side, weight.currency, weight.number)
        given: dict[str, Decimal] = {}
        for currency in sorted({*weights[first], *weights[second]}):
            ours = weights[first].get(currency, ZERO)
            theirs = weights[second].get(currency, ZERO)
            amount = EXACT.minus(ours) if ours < 0 else theirs
            if amount:
                given[currency] = normalized(amount)
        text = inputs.transaction_text(entry, entry.postings, seconds)
        day = entry.date.toordinal()
        self.transfers.append(
            Transfer(day, seconds, first, second, given, text, source_of(entry.meta))
        )

    def _outflows(self, entry: Transaction, names: list[str], source: Source) -> None:
        """Note which sub-accounts a transaction takes something from, to somebody else."""
        owners = [self.chart.owner(posting.account) for posting in entry.postings]
        if len({*owners}) < 2:
            return
        for name in names:
            weights: dict[str, Decimal] = {}
            for owner, posting in zip(owners, entry.postings, strict=True):
                if owner == name:
                    weight = convert.get_weight(posting)
                    tally(weights, weight.currency, weight.number)
            if any(weight < 0 for weight in weights.values()):
                self.outflows.setdefault(entry.date.toordinal(), []).append((name, source))

    def _notional(self, entry: Transaction, source: Source) -> None:
        """Note the notional of trades: quantity x price, on the other side of the contracts."""
        expected: dict[str, Decimal] = {}
        written: dict[str, Decimal] = {}
        contracts: dict[str, str] = {}
        for posting in entry.postings:
            place = self.chart.side(posting.account)
            if place is None or place[1] is not Side.PERP or posting.units is None:
                continue
            number, commodity = posting.units.number, posting.units.currency
            assert isinstance(number, Decimal)
            lot = lot_of(posting)
            if lot is None:
                tally(written, commodity, number)
                continue
            price = posting.price.number if posting.price is not None else lot.cost
            assert isinstance(price, Decimal)
            tally(expected, lot.currency, EXACT.minus(EXACT.multiply(number, price)))
            contracts[lot.currency] = commodity
        for coin, amount in expected.items():
            day = entry.date.toordinal()
            moved = written.get(coin, ZERO)
            self.notionals.append(Notional(day, contracts[coin], coin, moved, amount, source))

    def accounts(self, opens: Iterable[Open]) -> None:
        """Refuse accounts that a sub-account cannot have."""
        for entry in opens if self.isolating else ():
            self._account(entry.account, source_of(entry.meta))

    def pad(self, entry: Pad) -> None:
        """Refuse a pad that would move a sub-account unseen."""
        for account in (entry.account, entry.source_account):
            if self.chart.owner(account) is not None:
                source = source_of(entry.meta)
                self.problems.append(problems.pad_on_sub_account(source, account))
                break

    def _account(self, account: str, source: Source) -> None:
        if account in self.refused:
            return
        owner = self.chart.owner(account)
        if owner is not None:
            if not self.chart.is_known(account, owner):
                self.refused.add(account)
                known = self.chart.known(owner)
                self.problems.append(problems.unknown_account(source, account, owner, known))
        elif self.chart.product(account) is not None or not self.placed:
            return
        elif (venue := self.chart.venue_above(account)) is not None:
            self.refused.add(account)
            self.problems.append(problems.stray_account(source, account, venue))


def lot_of(posting: Posting) -> Lot | None:
    """Return the lot of a posting, None where its units have no cost."""
    if posting.cost is None:
        return None
    cost = posting.cost
    assert isinstance(cost, Cost)
    return Lot(cost.date.toordinal(), cost.number, cost.currency, cost.label)
