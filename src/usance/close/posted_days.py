"""Posted days: closed days as they are posted, whatever they would come to now."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from beancount.core.data import Posting, Transaction

from usance.close import correction, restore
from usance.close.days import first_day, last_day
from usance.close.restore import CARRY, Restoring, UnreadProofError, carry_of, quanta
from usance.engine import loop
from usance.engine.drafts import Identity, TransactionKind
from usance.engine.lived_day import LivedDay
from usance.engine.records import Borrow, Corrected, LendingDay, Segment, YieldDay
from usance.engine.state import State
from usance.language.directive import source_of
from usance.language.provenance import is_generated
from usance.language.reading import Reading
from usance.language.transactions import lot_of, units_of
from usance.ledger import replay
from usance.ledger.errors import UsanceChange
from usance.ledger.journal import Journal
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import EXACT, NO_GRAINS, NO_QUANTA, ZERO, Coin, Quanta
from usance.model.hours import NO_DAY, Day, day_of
from usance.rules.interest import borrower, lender

FEE = "entry-fee"
PROOF = {CARRY, FEE}
"""Keys of a posting of interest."""

SOURCES = {
    Side.INTEREST_EARNED: "lent",
    Side.INTEREST_PAID: "borrowed",
    Side.TREASURY: "treasury",
    Side.BONUS: "bonus",
    Side.ACCRUED_YIELD: "accrued",
}
"""What a correction changed, by the side to which its leg is posted."""


def is_corrected(ledger: Ledger, reading: Reading) -> bool:
    """Tell whether closed days were corrected, or have changed and wait for a correction."""
    return any(map(_corrects, reading.posted)) or _have_changed(ledger)


def _have_changed(ledger: Ledger) -> bool:
    return any(isinstance(error, UsanceChange) for error in ledger.errors)


def unwritten(ledger: Ledger, reading: Reading) -> list[Transaction]:
    """Return the corrections that wait for the first open day, if the books do not reach it yet.

    Later they are among the virtual transactions of the ledger.
    """
    through = last_day(reading)
    if through is None or reading.horizon > through or not _have_changed(ledger):
        return []
    posted, _ = restore.state(reading)
    drafts = correction.correct(reading, (), posted).drafts
    entries = Journal(reading.chart, ()).day(Day(through + 1), drafts)
    return [entry for entry in entries if isinstance(entry, Transaction)]


def evenings(ledger: Ledger, reading: Reading, last: Day) -> Iterator[tuple[LivedDay, State]]:
    """Yield closed days as posted, then open ones, each with the state of its evening.

    A later day may change a state. A correction counts on the day that posted it. A movement of a
    person counts on its day as it is written now.
    """
    through = last_day(reading) or NO_DAY
    posted: dict[Day, list[Transaction]] = {}
    for entry in reading.posted:
        posted.setdefault(day_of(entry.date), []).append(entry)
    restoring = Restoring(reading)
    since = NO_DAY
    for day in map(Day, range(first_day(reading) or Day(1), min(last, through) + 1)):
        corrections = [entry for entry in posted.get(day, ()) if _corrects(entry)]
        others = [entry for entry in posted.get(day, ()) if not _corrects(entry)]
        restoring.take(corrections)
        morning = restoring.state.copy()
        restoring.take_written(Day(since + 1), day)
        restoring.take(others)
        restoring.forget_open_lots()
        restoring.forget_paid(day, day)
        today = _PostedDay(reading, day, morning, restoring.state, others).lived()
        today.corrections = list(_corrected(reading, corrections))
        yield today, restoring.state
        since = day
    if last <= through:
        return
    waiting = unwritten(ledger, reading) + [
        entry
        for entry in ledger.entries
        if is_generated(entry) and isinstance(entry, Transaction) and _corrects(entry)
    ]
    # A correction takes the books to the evening that they have now.
    state = replay.evening(reading, through) if waiting else restoring.state
    for today in loop.run(reading.book, state, Day(through + 1), last):
        if today.day == through + 1:
            today.corrections = list(_corrected(reading, waiting))
        yield today, state


def _corrects(entry: Transaction) -> bool:
    identity = Identity.read(str(entry.meta.get("usance")))
    return identity is not None and identity.kind is TransactionKind.CORRECTION


def _corrected(reading: Reading, entries: Iterable[Transaction]) -> Iterator[Corrected]:
    """Yield what corrections post to interest, yield, and accrued yield."""
    for entry in entries:
        for posting in entry.postings:
            name, side = reading.chart.side(posting.account) or ("", None)
            number, commodity = units_of(posting)
            coin = reading.book.coins.get(commodity)
            if side in SOURCES and coin is not None:
                # Income is below zero where a sub-account earns.
                owed = side in (Side.INTEREST_PAID, Side.ACCRUED_YIELD)
                amount = number if owed else EXACT.minus(number)
                venue = reading.book.venue(name)
                identity = str(entry.meta["usance"])
                yield Corrected(identity, name, venue, coin, SOURCES[side], amount)


class _PostedDay:
    """A closed day, between the states of two evenings as they are posted.

    posted  transactions of the day, without corrections
    """

    def __init__(
        self,
        reading: Reading,
        day: Day,
        morning: State,
        evening: State,
        posted: list[Transaction],
    ) -> None:
        self.reading = reading
        self.book = reading.book
        self.day = day
        self.morning = morning
        self.evening = evening
        self.posted = posted

    def lived(self) -> LivedDay:
        """Return the day: lived again if that comes to what is posted, else from its proofs."""
        [again] = loop.run(self.book, self.morning.copy(), self.day, self.day)
        entries = Journal(self.reading.chart, ()).day(self.day, again.drafts)
        computed = [entry for entry in entries if isinstance(entry, Transaction)]
        if list(map(_figures, computed)) == list(map(_figures, self.posted)):
            return again
        return self._rebuilt(again)

    def _rebuilt(self, again: LivedDay) -> LivedDay:
        """Return the day from its proofs; of the day lived again, what no posting tells.

        That is what the market did, and for how long a principal was lent that earned nothing. What
        a curve pool's other side paid cannot be told from postings: such a pool is left out.
        """
        today = LivedDay(self.day, problems=list(again.problems))
        today.pools = [pool for pool in again.pools if pool.fee is None]
        coins = {(coin.sub_account, coin.coin.name): coin for coin in again.coins}
        days = {key: self._coin_day(*key, coin) for key, coin in coins.items()}
        for entry in self.posted:
            for posting in entry.postings:
                try:
                    self._take(today, days, posting)
                except UnreadProofError as proof:
                    at = source_of(posting.meta or entry.meta)
                    problem = problems.bad_proof(at, str(entry.meta["usance"]), proof.key)
                    today.problems.append(problem)
        for (name, coin), day in days.items():
            of_again = coins.get((name, coin))
            if of_again is not None and day.imported is None:
                # Nothing is posted of a side that earned nothing.
                states = [state.holding(name, coin) for state in (self.morning, self.evening)]
                if not day.lent and (day.before.lent or day.after.lent):
                    day.lent = [_idle(segment) for segment in of_again.lent]
                if not day.owed and any(holding.owed > 0 for holding in states):
                    day.owed = [_idle(segment) for segment in of_again.owed]
                day.hours = [one.principal for one in day.lent for _ in range(one.hours)]
        today.coins = [days[key] for key in sorted(days)]
        return today

    def _coin_day(self, name: str, coin: str, again: LendingDay | None) -> LendingDay:
        """Return a coin's day between its evenings, without interest."""
        before, after = (state.holding(name, coin) for state in (self.morning, self.evening))
        unit = self.book.coins[coin]
        return LendingDay(
            name,
            self.book.venue(name),
            unit,
            before.carried,
            after.carried,
            debt=unit.ceil_quanta(after.owed) if after.owed > 0 else NO_QUANTA,
            hours=[] if again is None else again.hours,
            imported=None if again is None else again.imported,
        )

    def _take(
        self, today: LivedDay, days: dict[tuple[str, str], LendingDay], posting: Posting
    ) -> None:
        """Take in a posting of the day; UnreadProofError if its proof cannot be read."""
        name, side = self.reading.chart.side(posting.account) or ("", None)
        number, commodity = units_of(posting)
        unit, meta = self.book.coins.get(commodity), posting.meta or {}
        if unit is None or side is None:
            return
        if side is Side.ACCRUED_YIELD and "source" in meta:
            of_holder = self._holder(today, name, str(meta.get("product")), unit)
            amount = quanta(unit, number)
            if meta["source"] == "bonus":
                of_holder.bonus = Quanta(of_holder.bonus + amount)
            else:
                of_holder.treasury = Quanta(of_holder.treasury + amount)
                of_holder.hours = quanta(unit, _number(meta, "principal-hours"))
        elif side is Side.WALLET and "period" in meta:
            of_holder = self._holder(today, name, str(meta.get("product")), unit)
            of_holder.paid = Quanta(of_holder.paid + quanta(unit, number))
        elif side in (Side.WALLET, Side.INTEREST_PAID) and not meta.keys().isdisjoint(PROOF):
            if (name, commodity) not in days:
                days[name, commodity] = self._coin_day(name, commodity, None)
            owed = side is Side.INTEREST_PAID
            _take_interest(days[name, commodity], meta, quanta(unit, number), owed=owed)

    def _holder(self, today: LivedDay, name: str, product: str, coin: Coin) -> YieldDay:
        """Return the day of a holder of a product."""
        for of_holder in today.yields:
            if (of_holder.sub_account, of_holder.product) == (name, product):
                return of_holder
        today.yields.append(YieldDay(name, self.book.venue(name), product, coin))
        return today.yields[-1]


def _take_interest(
    day: LendingDay, meta: Mapping[str, object], interest: Quanta, *, owed: bool
) -> None:
    """Take in the interest of a side; UnreadProofError if its proof does not come to it."""
    segments = [*_segments(day.coin, meta, owed=owed)]
    fee = NO_QUANTA
    if FEE in meta:
        fee = quanta(day.coin, _number(meta, FEE))
        day.borrows = [Borrow(0, NO_QUANTA, fee, NO_GRAINS, NO_GRAINS, NO_GRAINS)]
    if sum((segment.interest for segment in segments), fee) != interest:
        raise UnreadProofError("growth")
    if owed:
        day.owed = segments
    else:
        day.lent = segments


def _segments(coin: Coin, meta: Mapping[str, object], *, owed: bool) -> Iterator[Segment]:
    """Yield the segments that the proof of an interest names, one value for each in a key."""
    if CARRY not in meta:
        return
    keys = ("principal", "hours", "rate", "growth", "carry")
    parts = [str(meta.get(key, "")).split(" ") for key in keys]
    if len({len(part) for part in parts}) > 1:
        raise UnreadProofError("hours")
    since = 0
    for texts in zip(*parts, strict=True):
        values = dict(zip(keys, texts, strict=True))
        principal = quanta(coin, _number(values, "principal"))
        growth = int(EXACT.scaleb(_number(values, "growth"), 18))
        hours, carry = int(_number(values, "hours")), carry_of(coin, values, "carry")
        interest, _ = (borrower if owed else lender)(principal, growth, carry)
        rate = _number(values, "rate")
        yield Segment(principal, hours, rate, growth, carry, interest, since)
        since += hours


def _number(meta: Mapping[str, object], key: str) -> Decimal:
    try:
        return EXACT.create_decimal(str(meta[key]))
    except (KeyError, InvalidOperation):
        raise UnreadProofError(key) from None


def _idle(segment: Segment) -> Segment:
    """Return a segment that earned nothing."""
    return segment._replace(rate=ZERO, growth=0, interest=NO_QUANTA)


def _figures(entry: Transaction) -> tuple[object, ...]:
    legs = [
        (leg.account, leg.units, lot_of(leg), leg.price, (leg.meta or {}).get(CARRY))
        for leg in entry.postings
    ]
    return entry.meta["usance"], legs
