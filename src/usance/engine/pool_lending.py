"""Pool lending: the UTC days of one coin at one venue.

At each moment at which something may change: apply what a person wrote, repay or borrow, lend
what is idle. Between two such moments the pool's rates run; a *segment* of interest ends where its
own balance changes, and at the end of the day. A moment after 23:00 comes after the interest.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from usance.engine.accruing import Accruing, HourlyRates
from usance.engine.curve_pool import Curve
from usance.engine.records import Borrow, Imported, LendingDay, PoolDay
from usance.engine.state import Carried, Holding
from usance.model import problems
from usance.model.amounts import (
    NO_GRAINS,
    NO_QUANTA,
    Coin,
    Grains,
    Quanta,
    total_quanta,
)
from usance.model.book import Book, Movement
from usance.model.hours import HOURS, Day, at_slot, day_at, end_of, iso, moment, slot_of
from usance.model.problems import Problem
from usance.model.terms import CurvePool, ObservedPool, Pool, Rates, SubAccount
from usance.model.timeline import Timeline
from usance.rules import interest

NO_POOL: Timeline[Pool] = Timeline(())
NO_RATE = HourlyRates()
QUIET: dict[int, list[Movement]] = {}
MIDNIGHT = [0]
NO_RATES: Timeline[Rates | None] = Timeline(())


@dataclass(slots=True)
class Account:
    """A sub-account in a pool.

    movements   that a person wrote
    lent, owed  its loan and its debt, as they accrue now
    flows       today's movements, by slot
    terms       its switches at the last slot
    day         what today did to it
    """

    name: str
    holding: Holding
    movements: Mapping[Day, Sequence[Movement]]
    switches: Timeline[SubAccount]
    lent: Accruing
    owed: Accruing
    flows: dict[int, list[Movement]] = field(default_factory=dict)
    terms: SubAccount | None = None
    day: LendingDay = field(init=False)


class PoolLending:
    """One coin at one venue, day after day.

    events    days on which something may change after 00:00, or a person moves something
    imported  what is booked today of accounts whose interest a person books, and their debts
    settling  sub-accounts whose wallet may be below zero until the day's settlement
    short     the problem of each that was, unless the settlement covers it
    settled   accounts into which a settlement was paid today
    even      rates that were in force all day, and those of its hours
    """

    def __init__(
        self, book: Book, venue: str, coin: Coin, holdings: Sequence[tuple[str, Holding]]
    ) -> None:
        self.book = book
        self.venue = venue
        self.coin = coin
        self.stale_after = book.stale_limit(coin.name)
        self.pools = book.pools.get((venue, coin.name), NO_POOL)
        self.observed = book.rates.get((venue, coin.name), NO_RATES)
        self.pool: Pool | None = None
        self.accounts = [
            Account(
                name,
                holding,
                book.movements[name, coin.name],
                book.sub_accounts[name],
                Accruing(interest.lender),
                Accruing(interest.borrower),
            )
            for name, holding in holdings
        ]
        self.named = {account.name: account for account in self.accounts}
        self.events = {day_at(change) for change in self.pools.moments}
        for account in self.accounts:
            self.events.update(account.movements, map(day_at, account.switches.moments))
        self.even: tuple[Rates | None, HourlyRates, HourlyRates] = (None, NO_RATE, NO_RATE)

    def _begin(self, day: Day, settling: Collection[str]) -> None:
        self.day = day
        self.start = moment(day)
        self.curve: Curve | None = None
        self.imported: list[tuple[Imported, Accruing]] = []
        self.settling = settling
        self.short: dict[str, Problem] = {}
        self.settled: list[Account] = []
        self.supply, self.borrow = HourlyRates(), HourlyRates()
        self.totals: list[tuple[Decimal, Decimal] | None] = [None] * HOURS
        self.problems: list[Problem] = []
        for account in self.accounts:
            before = account.holding.carried
            lent = account.lent.begin(before.carry_lent)
            owed = account.owed.begin(before.carry_owed)
            account.day = LendingDay(
                account.name, self.venue, self.coin, before, before, lent, owed
            )
            account.flows = QUIET
            if of_day := account.movements.get(day):
                account.flows = {}
                for movement in of_day:
                    account.flows.setdefault(slot_of(movement.moment), []).append(movement)

    def live(self, day: Day, settling: Collection[str] = ()) -> None:
        """Run a day but for its settlement.

        settling  sub-accounts with a settlement of this coin at the end of the day
        """
        self._begin(day, settling)
        slots = self._slots() if day in self.events else MIDNIGHT
        for slot, until in pairwise([*slots, HOURS] if slots[-1] < HOURS else slots):
            self._change(slot)
            self._run(slot, until)
            for account in self.accounts:
                account.day.hours += [account.lent.principal] * (until - slot)
            for imported, debt in self.imported:
                owed = debt.principal * (until - slot)
                imported.owed_hours = Quanta(imported.owed_hours + owed)
        for account in self.accounts:
            if account.lent.principal:
                self._credit(account, HOURS)
            if account.owed.principal:
                self._charge(account, HOURS)
        if slots[-1] == HOURS:
            self._change(HOURS)

    def settle(self, name: str, grains: Grains) -> None:
        """Pay a settlement into a wallet after the day's interest: repay or borrow at once."""
        account = self.named.get(name)
        if account is not None:
            account.holding.free = Grains(account.holding.free + grains)
            self._move(account, HOURS, ())
            self._covered(account)
            self.settled.append(account)

    def close(self) -> list[LendingDay]:
        """End the day: the Lent memorandum takes what is lent now."""
        # A gap through the wallet may be liquidated in between: then nothing is below zero now.
        self.settling = ()
        for account in self.accounts if self.short else ():
            self._covered(account)
        for account in self.settled:
            self._check(account, ())
        return [self._closed(account) for account in self.accounts]

    def _import(self, account: Account) -> None:
        """Let a person's interest count today, and reckon the engine's own beside it."""
        day = account.day
        booked = self.book.interest.get((day.sub_account, self.coin.name), {}).get(self.day, ())
        day.imported = Imported(*booked)
        account.lent.joins = account.owed.joins = False
        self.imported.append((day.imported, account.owed))

    def _closed(self, account: Account) -> LendingDay:
        holding, day = account.holding, account.day
        lent = self._lendable(account, holding.held)
        if day.imported is None:
            day.after = Carried(lent, account.lent.carry, account.owed.carry)
        else:
            day.after = day.before._replace(lent=lent)
        holding.carried = day.after
        if holding.owed > 0:
            day.debt = self._debt(account)
        return day

    def _slots(self) -> list[int]:
        """Return the slots at which something may change: 0, and those of flows and terms."""
        slots = {0}
        end = end_of(self.day)
        for change in self.pools.changes(self.start, end):
            slots.add(slot_of(change))
        for account in self.accounts:
            if account.flows:
                slots.update(account.flows)
            for change in account.switches.changes(self.start, end):
                slots.add(slot_of(change))
        return sorted(slots)

    def _change(self, slot: int) -> None:
        """Apply what a person wrote for a slot, repay or borrow, lend what is idle."""
        at = at_slot(self.day, slot)
        before, self.pool = self.pool, self.pools.at(at)
        # At the end of a day a pool's own change lets nobody repay: that is for 00:00.
        same = slot == HOURS or (slot > 0 and before == self.pool)
        lent = owed = 0
        for account in self.accounts:
            terms = account.switches.at(at)
            moved = account.flows.get(slot, ())
            if same and not moved and _switches(terms) == _switches(account.terms):
                continue
            account.terms = terms
            if not slot and terms is not None and terms.imported:
                self._import(account)
            if moved or account.holding.owed or account.holding.held < 0:
                self._move(account, slot, moved)
                self._check(account, moved)
            lent += self._lend(account, slot)
            if account.owed.principal or account.holding.owed:
                owed += self._owe(account, slot)
        if isinstance(self.pool, CurvePool):
            self._refuse_imported()
            self._flow(self.pool, Quanta(lent), Quanta(owed))
        else:
            self.curve = None

    def _flow(self, pool: CurvePool, lent: Quanta, owed: Quanta) -> None:
        """Let the totals of a curve pool move by what sub-accounts lend and owe more, or less."""
        if self.curve is not None:
            self.curve.flow(pool, self.coin.from_quanta(lent), self.coin.from_quanta(owed))
        else:
            lent = total_quanta(account.lent.principal for account in self.accounts)
            owed = total_quanta(account.owed.principal for account in self.accounts)
            self.curve = Curve(pool, self.coin.from_quanta(lent), self.coin.from_quanta(owed))

    def _move(self, account: Account, slot: int, moved: Sequence[Movement]) -> None:
        """Apply what a person wrote, and repay or borrow.

        A segment ends only where its own balance comes out changed. Its interest then joins the
        balance before the change, so the change is worked out again.
        """
        holding = account.holding
        # A step is tried on a copy: only the repayment or borrow that it causes shows whether a
        # balance changes. A deposit that only repays leaves the loan as it is.
        after, borrow = self._tried(account, slot, moved)
        while self._ends(account, after, slot):
            after, borrow = self._tried(account, slot, moved)
        holding.free, holding.lots, holding.kept = after.free, after.lots, after.kept
        holding.owed, holding.perp = after.owed, after.perp
        if borrow is not None:
            account.day.borrows.append(borrow)

    def _check(self, account: Account, moved: Sequence[Movement]) -> None:
        """Tell if a wallet is below zero and may not borrow, or if no pool lends what is owed."""
        holding = account.holding
        if holding.held < 0 and not (account.terms and account.terms.auto_borrow):
            problem, name = self._negative(account, moved), account.day.sub_account
            if name in self.settling:
                # The venue realises results all day, and lets them be spent before they are booked.
                self.short.setdefault(name, problem)
            else:
                self.problems.append(problem)
        elif self.pool is None and (holding.owed > 0 or holding.held < 0):
            self._poolless(account)

    def _covered(self, account: Account) -> None:
        """Tell of a wallet that was below zero within the day, if it is so after its settlement."""
        problem = self.short.pop(account.day.sub_account, None)
        if problem is not None and account.holding.held < 0:
            self.problems.append(problem)

    def _ends(self, account: Account, after: Holding, slot: int) -> bool:
        """End the segment of a balance that a step changes; tell whether interest joined it."""
        holding = account.holding
        lent = after.held if self._lendable(account, after.held) else NO_GRAINS
        if lent != (holding.held if account.lent.principal else 0) and self._credit(account, slot):
            return True
        return after.owed != holding.owed and self._charge(account, slot) != 0

    def _tried(
        self, account: Account, slot: int, moved: Sequence[Movement]
    ) -> tuple[Holding, Borrow | None]:
        """Return the holding after a step, and the borrow or repayment that the step causes."""
        holding = account.holding.copy()
        coin, terms = self.coin, account.terms
        for movement in moved:
            holding.take(movement.side, coin.to_grains(movement.quantity), movement.lot)
        if terms is None:
            return holding, None
        before = holding.free, holding.held, holding.owed
        if holding.held < 0 and terms.auto_borrow and self.pool is not None:
            amount = coin.ceil_quanta(Grains(-holding.held))
            fee = self._entry_fee(account, amount, slot, moved)
            holding.free = Grains(holding.free + coin.in_grains(amount))
            charged = Quanta(amount + fee) if account.day.imported is None else amount
            holding.owed = Grains(holding.owed + coin.in_grains(charged))
            return holding, Borrow(slot, amount, fee, *before)
        amount = coin.floor_quanta(holding.repayable)
        if amount and terms.auto_repay:
            repaid = coin.in_grains(amount)
            holding.free = Grains(holding.free - repaid)
            holding.owed = Grains(holding.owed - repaid)
            return holding, Borrow(slot, Quanta(-amount), NO_QUANTA, *before)
        return holding, None

    def _entry_fee(
        self, account: Account, amount: Quanta, slot: int, moved: Sequence[Movement]
    ) -> Quanta:
        """Return the fee, in quanta, for the rest of the hour in which the borrow was made."""
        # Exactly on the hour it is nothing: the borrow pays the whole hour that begins. If several
        # transactions of an hour caused the borrow, the time of the last counts, even a full hour.
        seconds = slot * 3600 - moved[-1].seconds if moved else 0
        if not (isinstance(self.pool, ObservedPool) and self.pool.entry_fee and seconds):
            return NO_QUANTA
        rates = self.observed.at(at_slot(self.day, slot - 1))
        if rates is None:
            self._missing(slot - 1, [account])
            return NO_QUANTA
        return interest.entry_fee(amount, rates.borrow, seconds)

    def _lend(self, account: Account, slot: int) -> Quanta:
        """Lend idle coins from a slot on; return by how much the loan grows, quanta."""
        lent = self._lendable(account, account.holding.held)
        loan = account.lent
        if loan.principal and lent != loan.principal and self._credit(account, slot):
            lent = self._lendable(account, account.holding.held)
        return loan.change(lent, slot)

    def _owe(self, account: Account, slot: int) -> Quanta:
        """Let the debt accrue from a slot on; return by how much it grows, quanta."""
        owed = self._debt(account)
        debt = account.owed
        if debt.principal and owed != debt.principal and self._charge(account, slot):
            owed = self._debt(account)
        return debt.change(owed, slot)

    def _lendable(self, account: Account, held: Grains) -> Quanta:
        """Return the quanta that are lent of a balance in grains."""
        if held <= 0 or self.pool is None or account.terms is None or not account.terms.auto_lend:
            return NO_QUANTA
        return self.coin.floor_quanta(held)

    def _debt(self, account: Account) -> Quanta:
        owed = account.holding.owed
        return self.coin.ceil_quanta(owed) if owed > 0 else NO_QUANTA

    def _credit(self, account: Account, slot: int) -> Quanta:
        """End a loan's segment; pay its interest into the wallet, and return it, quanta."""
        credit = account.lent.end(slot, self.supply)
        holding = account.holding
        holding.free = Grains(holding.free + self.coin.in_grains(credit))
        return credit

    def _charge(self, account: Account, slot: int) -> Quanta:
        """End a debt's segment; capitalise its interest, and return it, quanta."""
        charge = account.owed.end(slot, self.borrow)
        holding = account.holding
        holding.owed = Grains(holding.owed + self.coin.in_grains(charge))
        return charge

    def _run(self, slot: int, until: int) -> None:
        """Let the pool's rates run from a slot to the next."""
        if self.curve is not None:
            for hour in range(slot, until):
                self.totals[hour] = self.curve.lent, self.curve.borrowed
                self.supply.hours[hour], self.borrow.hours[hour] = self.curve.hour()
        elif self.pool is not None:
            spans = self.observed.spans(at_slot(self.day, slot), at_slot(self.day, until))
            for begin, end, rates in spans:
                hours = slice(begin - self.start, end - self.start)
                if rates is None:
                    self._missing(hours.start, self._live())
                    continue
                if end - begin == HOURS:
                    self._run_even(rates)
                else:
                    self.supply.hours[hours] = [rates.supply] * (end - begin)
                    self.borrow.hours[hours] = [rates.borrow] * (end - begin)
                if rates.row_day is not None and rates.row_day < self.day - self.stale_after:
                    self._aged(rates.row_day)

    def _run_even(self, rates: Rates) -> None:
        """Let rates run that are in force all day: as long as they are, growth stays the same."""
        before, supply, borrow = self.even
        if rates is not before:
            supply, borrow = HourlyRates(rates.supply), HourlyRates(rates.borrow)
            self.even = rates, supply, borrow
        self.supply, self.borrow = supply, borrow

    def pool_day(self) -> list[PoolDay]:
        """Return the pool's side of the day, nothing where there was no pool."""
        if self.pool is None:
            return []
        fee, external = (
            (None, None) if self.curve is None else (self.curve.fee, self.curve.external)
        )
        rates = (self.supply.hours, self.borrow.hours, self.totals)
        return [PoolDay(self.venue, self.coin, fee, external, *rates)]

    # What is wrong today

    def _missing(self, hour: int, accounts: Iterable[Account]) -> None:
        assert isinstance(self.pool, ObservedPool)
        for account in accounts:
            if account.day.imported is not None:
                # No figure of the books rests on the rate.
                account.day.imported.rated = False
                continue
            self.problems.append(
                problems.missing_rate(
                    self.pool.source,
                    self.coin.name,
                    self.venue,
                    account.day.sub_account,
                    self._date(),
                    hour,
                )
            )

    def _aged(self, row_day: Day) -> None:
        limit = self.stale_after
        row = iso(row_day)
        for account in self._live():
            if account.day.imported is not None:
                continue
            at = self.book.moved(account.day.sub_account, self.coin.name, self.day)
            problem = problems.old_rate(
                at, account.day.sub_account, self.coin.name, row, self._date(), limit
            )
            if problem not in self.problems:
                self.problems.append(problem)

    def _live(self) -> list[Account]:
        return [
            account for account in self.accounts if account.lent.principal or account.owed.principal
        ]

    def _negative(self, account: Account, moved: Sequence[Movement]) -> Problem:
        source = moved[-1].source if moved else account.switches.values[0].source
        short = self.coin.quanta_text(self.coin.ceil_quanta(Grains(-account.holding.held)))
        return problems.negative_wallet(
            source, account.day.sub_account, self.coin.name, self._date(), short
        )

    def _refuse_imported(self) -> None:
        """Tell which sub-accounts have a part in a curve pool, and import what it pays."""
        for account in self._live():
            if account.terms is not None and account.day.imported is not None:
                name = account.day.sub_account
                self.problems.append(
                    problems.imported_from_curve(
                        account.terms.source, name, self.coin.name, self._date()
                    )
                )

    def _poolless(self, account: Account) -> None:
        at = self.book.moved(account.day.sub_account, self.coin.name, self.day)
        self.problems.append(
            problems.borrow_without_pool(
                at, account.day.sub_account, self.coin.name, self.venue, self._date()
            )
        )

    def _date(self) -> str:
        return iso(self.day)


def _switches(terms: SubAccount | None) -> tuple[bool, bool, bool] | None:
    return None if terms is None else terms.switches
