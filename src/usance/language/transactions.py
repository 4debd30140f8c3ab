"""Transactions: the effects of a person's transactions on sub-accounts, and their problems."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from beancount.core import convert
from beancount.core.data import Open, Pad, Posting, Transaction
from beancount.core.position import Cost

from usance.language.canonical import Input, transaction_text
from usance.language.directive import source_of
from usance.language.provenance import has_id, is_added
from usance.language.schedule import Schedule
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, ZERO, normalized, tally
from usance.model.book import Movement, ProductPosting, Transfer
from usance.model.hours import Day, Moment, day_of, moment, seconds_of
from usance.model.lots import Lot
from usance.model.problems import Problem, Source
from usance.model.terms import Stage
from usance.rules.isolation import may_pass

COUNTING = frozenset(
    (ProductAccount.BILLS, ProductAccount.ACCRETION, ProductAccount.CASH, ProductAccount.PAYABLE)
)
"""Accounts of a product whose balance counts."""


Party = tuple[str | None, Posting]
"""A posting, and the sub-account that it belongs to, or None."""


class Receipt(NamedTuple):
    """A transaction that moves the accrued yield of a product, or says which period it pays.

    text  canonical text
    """

    entry: Transaction
    sub_accounts: tuple[str, ...]
    text: Callable[[], str]


class Notional(NamedTuple):
    """The coins that a trade in a contract moves in its settle coin, and those that it should.

    unpriced  contracts that it closes and states no price for, signed as written, with their cost
    """

    day: Day
    contract: str
    coin: str
    written: Decimal
    expected: Decimal
    unpriced: Mapping[str, tuple[Decimal, Decimal]]
    source: Source


@dataclass(frozen=True, slots=True)
class Written:
    """Effects of a person's transactions on sub-accounts and products; in order of directives.

    movements  of coins
    trades     postings of contracts at cost
    outflows   by day: sub-accounts that something was moved out of, and by which directive
    postings   to accounts of products, by product
    interest   earned and paid, coins: by (sub-account, coin), then by day
    receipts   transactions that move accrued yield, or say which period they pay
    problems   of transactions, of accounts that a sub-account cannot have, and of pads
    """

    movements: list[Movement] = field(default_factory=list)
    trades: list[Movement] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    outflows: dict[Day, list[tuple[str, Source]]] = field(default_factory=dict)
    notionals: list[Notional] = field(default_factory=list)
    postings: dict[str, list[ProductPosting]] = field(default_factory=dict)
    interest: dict[tuple[str, str], dict[Day, tuple[Decimal, Decimal]]] = field(
        default_factory=dict
    )
    receipts: list[Receipt] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(
    kinds: Mapping[type, list[Any]],
    chart: ChartOfAccounts,
    terms: Schedule,
    stages: frozenset[Stage],
) -> Written:
    """Return the effects of a person's transactions, and the problems of accounts and pads."""
    placed = not (terms.unplaced or terms.lost)
    reader = _TransactionReader(chart, isolating=Stage.SUB_ACCOUNTS in stages, placed=placed)
    for entry in kinds[Transaction]:
        reader.transaction(entry)
    for entry in kinds[Open] if reader.isolating else ():
        reader.account(entry.account, entry.meta)
    for entry in kinds[Pad]:
        reader.pad(entry)
    return reader.written


class _TransactionReader:
    """Reads one directive after the other into `written`.

    isolating  crossings and unknown accounts are refused
    placed     every sub-account has its place, so that an account beside them is a stray one
    """

    def __init__(self, chart: ChartOfAccounts, *, isolating: bool, placed: bool) -> None:
        self.chart = chart
        self.isolating = isolating
        self.placed = placed
        self.written = Written()
        self._checked: set[str] = set()
        self._contracts: dict[tuple[str, str, Lot], Decimal] = {}

    def transaction(self, entry: Transaction) -> None:
        """Read one transaction; its problems are those of the sub-accounts that it touches."""
        before = len(self.written.problems)
        self._transaction(entry)
        if has_id(entry):
            # It looks like one of ours, which is one error already.
            del self.written.problems[before:]
        elif len(self.written.problems) > before:
            owners = {self.chart.owner(posting.account) for posting in entry.postings}
            names = sorted(owner for owner in owners if owner is not None)
            of_entry = [problem.of(*names) for problem in self.written.problems[before:]]
            self.written.problems[before:] = of_entry

    def _transaction(self, entry: Transaction) -> None:
        """Read one transaction; nothing counts of one that touches no sub-account or product."""
        owners = [self.chart.owner(posting.account) for posting in entry.postings]
        if self.isolating:
            for posting in entry.postings:
                self.account(posting.account, posting.meta or entry.meta)
        source = source_of(entry.meta)
        of_products = self._of_products(entry, source)
        names = sorted({owner for owner in owners if owner is not None})
        if not names:
            # Products count by date: the time of a transaction that only they see says nothing.
            if of_products:
                self._input(entry, partial(transaction_text, entry, of_products, 0), source)
            return
        seconds = self._seconds(entry, source)
        moving, accrued = self._of_sub_accounts(entry, seconds, source)
        counting = [*moving, *accrued, *of_products]
        text = partial(transaction_text, entry, counting, seconds, ("pays",))
        if counting or "pays" in entry.meta:
            self._input(entry, text, source)
        if accrued or "pays" in entry.meta:
            self.written.receipts.append(Receipt(entry, tuple(names), text))
        if len({*owners}) > 1:
            parties = _parties(entry, owners)
            self._outflows(entry, parties, names, source)
            if self.isolating and len(names) > 1:
                self._crossing(entry, parties, names, seconds, source)

    def account(self, account: str, meta: Mapping[str, Any]) -> None:
        """Refuse an account that a sub-account cannot have, or that lies astray."""
        # One check of each account is enough, and reports it once.
        if account in self._checked:
            return
        self._checked.add(account)
        owner = self.chart.owner(account)
        if owner is not None:
            if not self.chart.is_known(account, owner):
                allowed, source = self.chart.known(owner), source_of(meta)
                problem = problems.unknown_account(source, account, owner, allowed)
                self.written.problems.append(problem)
        elif self.placed and self.chart.product(account) is None:
            venue = self.chart.venue_above(account)
            if venue is not None:
                self.written.problems.append(
                    problems.stray_account(source_of(meta), account, venue)
                )

    def pad(self, entry: Pad) -> None:
        """Refuse a pad that would move a sub-account unseen."""
        for account in (entry.account, entry.source_account):
            owner = self.chart.owner(account)
            if owner is not None:
                problem = problems.pad_on_sub_account(source_of(entry.meta), account)
                self.written.problems.append(problem.of(owner))
                break

    def _input(self, entry: Transaction, text: Callable[[], str], source: Source) -> None:
        self.written.inputs.append(Input(day_of(entry.date), text, source))

    def _seconds(self, entry: Transaction, source: Source) -> int:
        if "time" not in entry.meta:
            return 0
        value = entry.meta["time"]
        seconds = seconds_of(value) if isinstance(value, str) else None
        if seconds is None:
            self.written.problems.append(problems.bad_time(source, "transaction", value))
        return seconds or 0

    def _of_products(self, entry: Transaction, source: Source) -> list[Posting]:
        """Read the postings to accounts of products; return those that count."""
        counting: list[Posting] = []
        for posting in entry.postings:
            place = self.chart.reserve(posting.account)
            if place is None or place[1] not in COUNTING or posting.units is None:
                continue
            product, account = place
            commodity, number = posting.units.currency, posting.units.number
            assert isinstance(number, Decimal)
            day = day_of(entry.date)
            self.written.postings.setdefault(product, []).append(
                ProductPosting(day, account, commodity, number, lot_of(posting), source)
            )
            counting.append(posting)
        return counting

    def _of_sub_accounts(
        self, entry: Transaction, seconds: int, source: Source
    ) -> tuple[list[Posting], list[Posting]]:
        """Read the postings to sub-accounts; return those that move them, and those of yield."""
        written = self.written
        at = moment(day_of(entry.date), seconds)
        moving: list[Posting] = []
        accrued: list[Posting] = []
        perps: list[tuple[Posting, bool]] = []
        for posting in entry.postings:
            place = self.chart.side(posting.account)
            if place is None or posting.units is None:
                continue
            name, side = place
            match side:
                case Side.WALLET | Side.BORROWED:
                    written.movements.append(_movement(posting, name, side, at, seconds, source))
                    moving.append(posting)
                case Side.PERP:
                    # At cost it is a trade in contracts; without, a movement of the settle coin.
                    of_kind = written.movements if posting.cost is None else written.trades
                    of_kind.append(_movement(posting, name, side, at, seconds, source))
                    moving.append(posting)
                    perps.append((posting, self._closes(name, posting)))
                case Side.ACCRUED_YIELD:
                    accrued.append(posting)
                case Side.INTEREST_EARNED | Side.INTEREST_PAID:
                    self._interest(day_of(entry.date), name, side, posting)
        if perps:
            written.notionals.extend(_notionals(day_of(entry.date), perps, source))
        return moving, accrued

    def _interest(self, day: Day, name: str, side: Side, posting: Posting) -> None:
        """Note interest that a person books."""
        number, coin = units_of(posting)
        days = self.written.interest.setdefault((name, coin), {})
        earned, paid = days.get(day, (ZERO, ZERO))
        if side is Side.INTEREST_EARNED:
            days[day] = EXACT.subtract(earned, number), paid
        else:
            days[day] = earned, EXACT.add(paid, number)

    def _closes(self, name: str, posting: Posting) -> bool:
        """Tell whether a posting closes contracts of a lot that is held, and note it."""
        lot = lot_of(posting)
        if lot is None:
            return False
        number, contract = units_of(posting)
        before = self._contracts.get((name, contract, lot), ZERO)
        tally(self._contracts, (name, contract, lot), number)
        return before * number < 0

    def _outflows(
        self, entry: Transaction, parties: Sequence[Party], names: Sequence[str], source: Source
    ) -> None:
        """Note which sub-accounts a transaction takes something from, to somebody else."""
        for name in names:
            others = _weight(posting for owner, posting in parties if owner != name)
            if any(number > 0 for number in others.values()):
                day = day_of(entry.date)
                self.written.outflows.setdefault(day, []).append((name, source))

    def _crossing(
        self,
        entry: Transaction,
        parties: Sequence[Party],
        names: Sequence[str],
        seconds: int,
        source: Source,
    ) -> None:
        """Read a transfer between two sub-accounts; refuse any other crossing."""
        places = [
            (owner, (self.chart.side(posting.account) or (None, None))[1])
            for owner, posting in parties
        ]
        if not may_pass(places):
            self.written.problems.append(problems.crossing(source, names))
            return
        first, second = names
        given = _given(
            *(_weight(posting for owner, posting in parties if owner == name) for name in names)
        )
        text = transaction_text(entry, entry.postings, seconds)
        transfer = Transfer(day_of(entry.date), seconds, first, second, given, text, source)
        self.written.transfers.append(transfer)


def _movement(
    posting: Posting, name: str, side: Side, at: Moment, seconds: int, source: Source
) -> Movement:
    (number, commodity), lot = units_of(posting), lot_of(posting)
    closes = lot is not None and posting.price is not None and posting.price.number != lot.cost
    return Movement(at, seconds, name, side, commodity, number, lot, source, closes)


def _parties(entry: Transaction, owners: Sequence[str | None]) -> list[Party]:
    """Return the postings by owner, without those that a plugin added beside sub-accounts."""
    # currency_accounts turns a trade within one wallet into legs of two trading accounts.
    parties = list(zip(owners, entry.postings, strict=True))
    if not any(map(is_added, entry.postings)) or all(map(is_added, entry.postings)):
        return parties
    return [party for party in parties if party[0] is not None or not is_added(party[1])]


def _weight(postings: Iterable[Posting]) -> dict[str, Decimal]:
    """Return the weight of postings, by currency."""
    weights: dict[str, Decimal] = {}
    for posting in postings:
        weight = convert.get_weight(posting)
        tally(weights, weight.currency, weight.number)
    return weights


def _given(first: Mapping[str, Decimal], second: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the weight that the first gave (positive) or got, by the side that gives."""
    given: dict[str, Decimal] = {}
    for currency in sorted({*first, *second}):
        ours = first.get(currency, ZERO)
        amount = EXACT.minus(ours) if ours < 0 else second.get(currency, ZERO)
        if amount:
            given[currency] = normalized(amount)
    return given


def _notionals(
    day: Day, perps: Sequence[tuple[Posting, bool]], source: Source
) -> Iterator[Notional]:
    """Yield the notional of trades: quantity x price, on the other side of the contracts.

    perps  postings to Perp, each with whether it closes contracts
    """
    expected: dict[str, Decimal] = {}
    written: dict[str, Decimal] = {}
    contracts: dict[str, str] = {}
    unpriced: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
    for posting, closes in perps:
        number, commodity = units_of(posting)
        lot = lot_of(posting)
        if lot is None:
            tally(written, commodity, number)
            continue
        price = posting.price.number if posting.price is not None else lot.cost
        assert isinstance(price, Decimal)
        tally(expected, lot.currency, EXACT.minus(EXACT.multiply(number, price)))
        contracts[lot.currency] = commodity
        if closes and posting.price is None:
            of_coin = unpriced.setdefault(lot.currency, {})
            quantity, cost = of_coin.get(commodity, (ZERO, ZERO))
            cost = EXACT.add(cost, EXACT.multiply(number, price))
            of_coin[commodity] = (EXACT.add(quantity, number), cost)
    for coin, amount in expected.items():
        moved, closed = written.get(coin, ZERO), unpriced.get(coin, {})
        yield Notional(day, contracts[coin], coin, moved, amount, closed, source)


def units_of(posting: Posting) -> tuple[Decimal, str]:
    """Return the number and the commodity of a booked posting's units."""
    units = posting.units
    assert units is not None and isinstance(units.number, Decimal)
    return units.number, units.currency


def lot_of(posting: Posting) -> Lot | None:
    """Return the lot of a posting, or None if its units have no cost."""
    if posting.cost is None:
        return None
    cost = posting.cost
    assert isinstance(cost, Cost)
    return Lot(day_of(cost.date), cost.number, cost.currency, cost.label)
