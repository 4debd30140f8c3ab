"""Correction: the transactions that closed days generate now, less those posted for them.

Closed days are lived again on what a person says today. For each sub-account and product, every
account gets the difference between the sum that those days generate and the sum that is posted;
carries and left-over sums become those of the new run. So the evening of the last closed day is
that of books in which nothing was ever posted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Open, Posting, Transaction

from usance.close.days import last_day
from usance.engine import loop
from usance.engine.drafts import Draft, Identity, Leg, TransactionKind
from usance.engine.state import Accrual, Holding, Portfolio, State
from usance.language.reading import Reading
from usance.language.transactions import lot_of, units_of
from usance.ledger.journal import Journal
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import EXACT, NO_QUANTA, Coin, Quanta, decimal_text, tally, total
from usance.model.hours import Day
from usance.model.lots import Lot, age
from usance.model.problems import Problem

Key = tuple[str, str, Lot | None, tuple[Decimal, str] | None]
"""Account, commodity, lot and price of a posting.

With all four in the key, the difference of transactions that balance balances too.
"""

Sums = dict[Key, Decimal]
"""The sums of postings, by account, commodity, lot and price."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The differences to post on the first open day.

    drafts    one for each sub-account and product that has a difference
    evening   the state that the last closed day has now at its end
    now       sums that closed days generate now, by sub-account or product
    then      sums that are posted for them, likewise
    problems  of closed days as they are now, except those that a seal names
    """

    drafts: list[Draft]
    evening: State
    now: dict[str, Sums]
    then: dict[str, Sums]
    problems: list[Problem]


def correct(reading: Reading, days: Iterable[Day], posted: State) -> Correction:
    """Return the correction of closed days.

    days    that have changed
    posted  the state at the end of the last closed day, as it is posted
    """
    last = last_day(reading)
    assert last is not None
    fresh = State()
    problems: list[Problem] = []
    now: dict[str, Sums] = {}
    then: dict[str, Sums] = {}
    journal = Journal(reading.chart, ())
    for day in loop.run(reading.book, fresh, reading.book.first or Day(last + 1), last):
        _add(now, journal.day(day.day, day.drafts))
        problems += day.problems
    _add(then, reading.posted)
    corrects = tuple(days)
    drafts = []
    for name in sorted({*now, *then, *fresh.holdings, *posted.holdings}):
        now[name], then[name] = _together(now.get(name, {}), then.get(name, {}))
        sums = _less(now[name], then[name])
        legs = _Legs(reading, name, sums, fresh, posted).legs()
        if legs:
            drafts.append(
                Draft(TransactionKind.CORRECTION, Day(last + 1), name, 0, (), tuple(legs), corrects)
            )
    # The correction comes before its day, which begins from the evening as it should have been. So
    # its legs prove carries, and sums that have accrued, as the legs of any day do.
    sealed = [str(seal.meta["findings"]) for seal in reading.seals if "findings" in seal.meta]
    joined = "\n".join(sealed)
    unsealed = [
        problem
        for problem in problems
        if problem.message not in joined and not any(map(problem.is_told, sealed))
    ]
    return Correction(drafts, fresh, now, then, unsealed)


def _less(now: Sums, then: Sums) -> Sums:
    """Return what comes to the sums that are posted."""
    sums = dict(now)
    for key, number in then.items():
        tally(sums, key, EXACT.minus(number))
    return sums


def _together(now: Sums, then: Sums) -> tuple[Sums, Sums]:
    """Return sums in which a lot that is given back at one price and sold at another has no price.

    Beancount books what a transaction sells against the lots before it, without those that the same
    transaction gives back. The weight of a lot is its cost, whatever its price.
    """
    signs: dict[tuple[str, str, Lot], set[bool]] = {}
    for (account, commodity, lot, _), number in _less(now, then).items():
        if lot is not None and number:
            signs.setdefault((account, commodity, lot), set()).add(number > 0)

    def merged(sums: Sums) -> Sums:
        found: Sums = {}
        for key, number in sums.items():
            account, commodity, lot, price = key
            if lot is not None and len(signs.get((account, commodity, lot), ())) > 1:
                price = None
            tally(found, (account, commodity, lot, price), number)
        return found

    return merged(now), merged(then)


class Difference(NamedTuple):
    """What a correction posts to an account, in units of a commodity: now less posted.

    name    of the sub-account or product
    posted  sum of what closed days posted to the account
    now     what they come to now
    """

    name: str
    account: str
    commodity: str
    posted: Decimal
    now: Decimal
    difference: Decimal


def differences(corrected: Correction) -> Iterator[Difference]:
    """Yield what a correction posts, by sub-account or product, account and commodity.

    Lots of one commodity are summed. An account whose carry alone differs has a difference of zero.
    """
    for draft in corrected.drafts:
        name = draft.sub_account
        for account, commodity in sorted({(str(leg.place), leg.currency) for leg in draft.legs}):
            now, posted = (
                total(
                    number
                    for (of, unit, _, _), number in sums.get(name, {}).items()
                    if (of, unit) == (account, commodity)
                )
                for sums in (corrected.now, corrected.then)
            )
            yield Difference(name, account, commodity, posted, now, EXACT.subtract(now, posted))


def _add(sums: dict[str, Sums], entries: Iterable[Open | Transaction]) -> None:
    """Add what transactions post to the sums of the sub-account or product in their ids."""
    for entry in entries:
        if isinstance(entry, Transaction):
            name = Identity.parse(str(entry.meta["usance"])).name
            of_name = sums.setdefault(name, {})
            for posting in entry.postings:
                number, _ = units_of(posting)
                tally(of_name, _key(posting), number)


def _key(posting: Posting) -> Key:
    price = None
    if posting.price is not None:
        assert isinstance(posting.price.number, Decimal)
        price = (posting.price.number, posting.price.currency)
    return posting.account, units_of(posting)[1], lot_of(posting), price


class _Legs:
    """The legs of one correction: differences of sums, and of carries and left-over sums.

    sums    that no leg posts yet
    posted  the state at the end of the last closed day, as it is posted; `fresh` as it is now
    """

    def __init__(
        self, reading: Reading, name: str, sums: dict[Key, Decimal], fresh: State, posted: State
    ) -> None:
        self.reading = reading
        self.chart = reading.chart
        self.name = name
        self.sums = sums
        self.fresh = fresh
        self.posted = posted
        self._legs: list[Leg] = []

    def legs(self) -> list[Leg]:
        """Return the legs, by commodity and account."""
        for coin in self.reading.book.coins.values():
            self._holding(coin)
            self._accrual(coin)
            self._portfolio(coin)
        for (account, commodity, lot, price), number in self.sums.items():
            if number:
                self._legs.append(Leg(account, number, commodity, lot, price))
        return sorted(self._legs, key=_order)

    def _prove(
        self, account: str, coin: Coin, proof: Mapping[str, str], part: Decimal | None = None
    ) -> None:
        """Let units without cost prove a state: all that differ, or a part of them."""
        key = (account, coin.name, None, None)
        number = self.sums.pop(key, coin.from_quanta(NO_QUANTA)) if part is None else part
        if part is not None:
            tally(self.sums, key, EXACT.minus(part))
        self._legs.append(Leg(account, number, coin.name, proof=proof))

    def _holding(self, coin: Coin) -> None:
        now = self.fresh.holdings.get(self.name, {}).get(coin.name, Holding())
        then = self.posted.holdings.get(self.name, {}).get(coin.name, Holding())
        for side, carry, before in (
            (Side.WALLET, now.carried.carry_lent, then.carried.carry_lent),
            (Side.INTEREST_PAID, now.carried.carry_owed, then.carried.carry_owed),
        ):
            if carry != before:
                proof = {"carry-after": coin.carry_text(carry)}
                self._prove(self.chart.account(self.name, side), coin, proof)

    def _accrual(self, coin: Coin) -> None:
        key = (self.name, coin.name)
        now = self.fresh.accruals.get(key, Accrual())
        then = self.posted.accruals.get(key, Accrual())
        for index, source, carry, before in (
            (0, "treasury", now.carry_treasury, then.carry_treasury),
            (1, "bonus", now.carry_bonus, then.carry_bonus),
        ):
            proof = {"source": source, "carry-after": coin.carry_text(carry)}
            changed = carry != before
            for period in sorted({*now.unpaid, *then.unpaid}):
                due, posted = (held.unpaid.get(period, (0, 0))[index] for held in (now, then))
                quanta = Quanta(due - posted)
                if quanta:
                    account = self.chart.account(self.name, Side.ACCRUED_YIELD)
                    of_period = {"source": source, "period": period.name, **proof}
                    self._prove(account, coin, of_period, coin.from_quanta(quanta))
                    changed = False
            if changed:
                account = self.chart.account(self.name, Side.ACCRUED_YIELD)
                self._prove(account, coin, proof, coin.from_quanta(NO_QUANTA))

    def _portfolio(self, coin: Coin) -> None:
        if not self.chart.is_product(self.name):
            return
        account = self.chart.reserved(self.name, ProductAccount.DISTRIBUTED)
        now = self.fresh.portfolios.get(self.name, Portfolio()).left_over
        then = self.posted.portfolios.get(self.name, Portfolio()).left_over
        if self.sums.get((account, coin.name, None, None)) or now != then:
            self._prove(account, coin, {"left-over-after": decimal_text(now)})


def _order(leg: Leg) -> tuple[object, ...]:
    lot = ("", 0) if leg.lot is None else (leg.lot.currency, *age(leg.lot))
    return leg.currency, str(leg.place), lot, str(leg.price)
