"""Performance: what days did to the value of each sub-account and product, line by line.

Everything is valued in the operating currency, each day at that day's prices. Each line is computed
by itself, none is the rest, so opening and lines come to closing or the books have a fault.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core import convert
from beancount.core.data import Posting, Transaction

from usance.language.reading import Reading
from usance.language.transactions import lot_of, units_of
from usance.ledger.load import Ledger
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, ZERO, tally, total
from usance.model.hours import Day, date_of, day_of, days
from usance.model.problems import Problem
from usance.reports.balance_sheets import Prices
from usance.reports.flows import Leg, Unit, brought

LINES = (
    "deposits",
    "withdrawals",
    "transfers_in",
    "transfers_out",
    "lending_interest",
    "treasury",
    "bonus",
    "borrow_interest",
    "contracts",
    "funding",
    "fees",
    "coins",
    "liquidation",
    "other",
)
"""The lines of a statement, in their order."""

OF_SIDE = {
    Side.INTEREST_EARNED: "lending_interest",
    Side.INTEREST_PAID: "borrow_interest",
    Side.TREASURY: "treasury",
    Side.BONUS: "bonus",
    Side.FEES: "fees",
    Side.PNL: "",
    Side.BAD_DEBT: "liquidation",
}
RESULT = ("", "")
"""A trading result: the line of the contract or coin that it is about."""

ATTRIBUTED = {RESULT, ("fees", ""), ("funding", "")}
"""Lines that are told apart by the contract or coin that they are about."""

NOT_ASSIGNED = "not assigned"
"""The name of a contract that no transaction tells."""

MEMORANDA = (Side.LENT, Side.MARGIN, Side.YIELD, Side.CAPITAL)

Span = tuple[Day, Day]
"""First and last day of an interval."""

Line = tuple[str, str]
"""A line and what it is about: an account, a sub-account, a contract, a coin, or nothing."""

Missing = dict[tuple[str, str], Problem]
"""Problems with prices, by commodity and quote."""


class Part(NamedTuple):
    """What a statement is of."""

    name: str
    venue: str
    kind: str


def parts_of(reading: Reading) -> dict[str, Part]:
    """Return the sub-accounts of a ledger, then its products backed by bills, by name."""
    parts = {
        name: Part(name, reading.book.venue(name), "sub-account")
        for name in sorted(reading.book.sub_accounts)
    }
    for (venue, name), timeline in sorted(reading.book.yields.products.items()):
        if timeline.values[0].bills is not None:
            parts[name] = Part(name, venue, "product")
    return parts


@dataclass(slots=True)
class Interval:
    """What some days did to the value of a part, in the operating currency.

    lines     what each added (negative: took)
    realised  of it, of a contract or coin: what was realised by closing or selling
    opening   value of the evening before, `closing` of the last evening; None without a price
    unpriced  something was held or moved on a day on which it had no price yet
    missing   prices that it lacks, by commodity and quote, the first of each
    """

    first: Day
    last: Day
    opening: Decimal | None = None
    closing: Decimal | None = None
    lines: dict[Line, Decimal] = field(default_factory=dict)
    realised: dict[Line, Decimal] = field(default_factory=dict)
    unpriced: bool = False
    missing: Missing = field(default_factory=dict)

    @property
    def difference(self) -> Decimal | None:
        """Closing less opening and all lines: zero, or the books have a fault; or None."""
        if self.unpriced or self.opening is None or self.closing is None:
            return None
        lines = total(self.lines.values())
        return EXACT.subtract(self.closing, EXACT.add(self.opening, lines))


@dataclass(slots=True)
class Performance:
    """The intervals of each part, the whole last, in the operating currency."""

    currency: str
    parts: list[tuple[Part, list[Interval]]]
    problems: list[Problem]


class Effect(NamedTuple):
    """What a transaction adds to a line of a part, by a posting, a flow or a trade.

    units     that it adds at the day's price; None of a trade, which is worth more than it cost
    realised  it is a trading result
    """

    party: str
    line: Line
    amount: Decimal
    units: Decimal | None
    unit: Unit
    realised: bool = False


class _UnpricedError(Exception):
    """A commodity has no price."""


class Role(NamedTuple):
    """What an account is to the parts of a ledger.

    party  the part that owns it, else the account itself
    side   of a sub-account
    held   its legs move assets or liabilities of a part
    bills  it holds the bills of a product
    line   of a part's income, expenses or equity: the line of its legs
    """

    party: str
    side: Side | None
    held: bool
    bills: bool
    line: Line | None


class Walk:
    """The parts of a ledger, walked from its first day on.

    held   units of assets and liabilities by part and unit; bills as their cost
    owed   of them, what stands in Perp beside the contracts, mostly a debt
    costs  of them, what open contracts cost, by part and contract

    prices, roles and evenings  are worked out once
    """

    def __init__(self, ledger: Ledger, reading: Reading) -> None:
        self.chart: ChartOfAccounts = reading.chart
        self.prices = Prices(ledger, date_of(Day(1)))
        self.parts = parts_of(reading)
        self.settle = {
            key: terms.values[-1].settle for key, terms in reading.book.perpetuals.items()
        }
        roots = self.chart.roots
        self.sheet = roots["Assets"], roots["Liabilities"]
        self.held: dict[str, dict[Unit, Decimal]] = {name: {} for name in self.parts}
        self.owed: dict[str, dict[Unit, Decimal]] = {name: {} for name in self.parts}
        self.costs: dict[str, dict[Unit, Decimal]] = {name: {} for name in self.parts}
        self.known: dict[tuple[Unit, Day], Decimal] = {}
        self.roles: dict[str, Role | None] = {}
        self.units: dict[str, Unit] = {}
        self.evenings: dict[tuple[str, Day], Decimal | None] = {}

    def price(self, unit: Unit, day: Day) -> Decimal | None:
        """Return the price of a unit at the end of a day, or None; each interval notes that."""
        price = self.known.get((unit, day))
        if price is None:
            self.prices.at = date_of(day)
            price = self.prices.value(Decimal(1), *unit)
            if price is not None:
                self.known[unit, day] = price
        return price

    def mark(self, unit: Unit, day: Day) -> Decimal | None:
        """Return the price of a contract in its settle coin, of a coin as all else, or None."""
        return self.price(unit, day) if not unit[1] else self.prices.quoted(*unit, date_of(day))

    def value(self, part: str, day: Day) -> Decimal | None:
        """Return the value of a part in an evening, or None without a price."""
        worth, known = [], True
        for unit, number in self.held[part].items():
            price = self.price(unit, day) if number else ZERO
            if price is None:
                known = False  # each missing price is noted, whatever the order of the units
            else:
                worth.append(EXACT.multiply(number, price))
        return total(worth) if known else None

    def live(self, span: Span, by_day: dict[Day, list[Transaction]]) -> dict[str, Interval]:
        """Return what the days of an interval did to each part."""
        missing: Missing = {}
        self.prices.missing = missing
        into = {name: Interval(*span, missing=missing) for name in self.parts}
        evening = Day(span[0] - 1)
        for name, interval in into.items():
            known = self.evenings.get((name, evening))
            interval.opening = self.value(name, evening) if known is None else known
        for day in days(*span):
            self.revalue(day, into)
            for entry in by_day.get(day, ()):
                self.book(entry, into)
        self.evenings = {(name, span[1]): self.value(name, span[1]) for name in into}
        for name, interval in into.items():
            interval.closing = self.evenings[name, span[1]]
        return into

    def revalue(self, day: Day, into: dict[str, Interval]) -> None:
        """Add what a day's new prices did to what was held the evening before."""
        moves: dict[Unit, Decimal | None] = {}
        for part, interval in into.items():
            for unit, number in self.held[part].items():
                if not number:
                    continue
                if unit not in moves:
                    moves[unit] = self._moved(unit, day)
                moved = moves[unit]
                if moved is None:
                    interval.unpriced = True
                elif moved:
                    self.reprice(part, interval, (self.kind(unit), unit[0]), unit, number, moved)
            for unit, cost in self.costs[part].items():
                # What a contract cost is owed in its settle coin: that coin's own move is none of
                # the contract's result.
                settle = (unit[1], "")
                moved = self._moved(settle, day) if cost else ZERO
                if moved:
                    owed = EXACT.minus(cost)
                    self.reprice(part, interval, ("contracts", unit[0]), settle, owed, moved)
                    self.reprice(part, interval, ("coins", settle[0]), settle, cost, moved)

    def reprice(
        self,
        part: str,
        interval: Interval,
        line: Line,
        unit: Unit,
        units: Decimal,
        moved: Decimal,
    ) -> None:
        """Add what the move of a price did to units that a part held the evening before."""
        del part, unit
        tally(interval.lines, line, EXACT.multiply(units, moved))

    def _moved(self, unit: Unit, day: Day) -> Decimal | None:
        now, then = self.price(unit, day), self.price(unit, Day(day - 1))
        if now is None or then is None:
            return None
        return ZERO if now is then else EXACT.subtract(now, then)

    @staticmethod
    def kind(unit: Unit) -> str:
        """Return the line of a unit."""
        return "contracts" if unit[1] else "coins"

    def book(self, entry: Transaction, into: dict[str, Interval]) -> None:
        """Take a transaction in; add what it brings to the intervals of its parts."""
        legs = self.legs(entry)
        if into and legs:
            self.bring(entry, legs, into)
        for leg in legs:
            if leg.held:
                party, unit = leg.party, leg.unit
                tally(self.held[party], unit, leg.units)
                if unit[1]:
                    tally(self.costs[party], unit, leg.weight)
                elif self.side(leg) is Side.PERP:
                    tally(self.owed[party], unit, leg.units)

    def legs(self, entry: Transaction) -> list[Leg]:
        """Return the legs of a transaction without memoranda."""
        return [leg for posting in entry.postings if (leg := self._leg(posting)) is not None]

    def role(self, account: str) -> Role | None:
        """Return what an account is, or None of a memorandum."""
        try:
            return self.roles[account]
        except KeyError:
            self.roles[account] = role = self._role(account)
            return role

    def _role(self, account: str) -> Role | None:
        chart = self.chart
        party = chart.party(account) or account
        of = chart.side(account)
        side = None if of is None else of[1]
        if side in MEMORANDA:
            return None
        reserve = chart.reserve(account)
        bills = reserve is not None and reserve[1] is ProductAccount.BILLS
        ours, sheet = party in self.parts, account.startswith(self.sheet)
        line = self._line(party, account) if ours and not sheet else None
        return Role(party, side, ours and sheet, ours and bills, line)

    def side(self, leg: Leg) -> Side | None:
        """Return the side of a sub-account that a leg is on, or None."""
        role = self.role(leg.account)
        return None if role is None else role.side

    def _leg(self, posting: Posting) -> Leg | None:
        """Return a leg, or None of one that is a memorandum."""
        account = posting.account
        role = self.role(account)
        if role is None:
            return None
        number, commodity = units_of(posting)
        unit = self.units.get(commodity) or self.units.setdefault(commodity, (commodity, ""))
        if posting.cost is None and posting.price is None:
            return Leg(role.party, account, number, unit, number, unit, None, role.held)
        weight: Any = convert.get_weight(posting)
        currency: Unit = (weight.currency, "")
        lot = lot_of(posting)
        if role.bills:
            # Bills count at cost, whatever a price says: their accretion stands beside them.
            number, unit, lot = weight.number, currency, None
        elif lot is not None and role.party in self.parts:
            unit = (commodity, self.settle.get((self.parts[role.party].venue, commodity), ""))
        weighed = (weight.number, currency)
        return Leg(role.party, account, number, unit, *weighed, lot, role.held)

    def bring(self, entry: Transaction, legs: list[Leg], into: dict[str, Interval]) -> None:
        """Add what a transaction brings to the intervals of its parts."""
        ours = {leg.party for leg in legs} & into.keys()
        try:
            effects = [*self._effects(entry, legs, ours)]
        except _UnpricedError:
            for party in ours:
                into[party].unpriced = True
            return
        sums: dict[tuple[str, Line], Decimal] = {}
        for effect in effects:
            tally(sums, (effect.party, effect.line), effect.amount)
            if effect.realised:
                tally(into[effect.party].realised, effect.line, effect.amount)
        self.take(entry, legs, effects, sums)
        for (party, line), amount in sums.items():
            if amount:
                tally(into[party].lines, directed(line, amount), amount)

    def take(
        self,
        entry: Transaction,
        legs: list[Leg],
        effects: list[Effect],
        sums: Mapping[tuple[str, Line], Decimal],
    ) -> None:
        """Learn what a transaction adds to the lines of its parts; a statement needs no more."""

    def _effects(self, entry: Transaction, legs: list[Leg], ours: set[str]) -> Iterator[Effect]:
        """Yield what a transaction adds to each line of its parts."""
        day = day_of(entry.date)

        def value(number: Decimal, unit: Unit) -> Decimal:
            price = self.price(unit, day) if number else ZERO
            if price is None:
                raise _UnpricedError
            return EXACT.multiply(number, price)

        flows, traded = brought(legs, ours, value)
        for party, other, amount, units, unit in flows:
            kind = "transfers" if other in self.parts else "outside"
            yield Effect(party, (kind, other), amount, units, unit)
        for (party, unit), amount in traded.items():
            yield Effect(party, (self.kind(unit), unit[0]), amount, None, unit)
        for leg in legs:
            role = None if leg.held else self.role(leg.account)
            line = None if role is None else role.line
            if line is not None:
                amount = EXACT.minus(value(leg.units, leg.unit))
                realised = False
                if line in ATTRIBUTED:
                    kind, name = self._attributed(entry, legs, leg.party)
                    realised = line == RESULT
                    line = (kind if realised else line[0], name)
                yield Effect(leg.party, line, amount, EXACT.minus(leg.units), leg.unit, realised)

    def is_result(self, leg: Leg) -> bool:
        """Tell whether a leg is a trading result."""
        return self.side(leg) is Side.PNL

    def _attributed(self, entry: Transaction, legs: Iterable[Leg], part: str) -> Line:
        """Return the contract or coin that a transaction of a part is about, or no name."""
        traded = {
            leg.unit for leg in legs if leg.party == part and leg.unit != leg.currency and leg.held
        }
        if len(traded) == 1:
            unit = traded.pop()
            return self.kind(unit), unit[0]
        return "contracts", str(entry.meta.get("contract", NOT_ASSIGNED))

    def _line(self, part: str, account: str) -> Line:
        """Return the line of an account of income, expenses or equity of a part."""
        chart = self.chart
        side = chart.side(account)
        if side is not None:
            return OF_SIDE[side[1]], ""
        if chart.reserve(account) is not None:
            return "treasury", ""
        if self.parts[part].kind == "sub-account":
            transfers = chart.transfers(part, "")
            if account.startswith(transfers):
                return "transfers", account.removeprefix(transfers)
            if account in chart.funding(part):
                return "funding", ""
        if account.startswith(f"{chart.roots['Equity']}:"):
            return "outside", account
        return "other", account


WAYS = {"transfers": ("transfers_in", "transfers_out"), "outside": ("deposits", "withdrawals")}
"""The lines of what comes in and of what goes out."""


def directed(line: Line, amount: Decimal) -> Line:
    """Return the line of an amount: of a flow, what came in or what went out."""
    kind, name = line
    return (WAYS[kind][amount < 0], name) if kind in WAYS else line


def performance(
    ledger: Ledger, reading: Reading, entries: Iterable[Any], spans: Sequence[Span]
) -> Performance:
    """Return what days did, in intervals that follow each other without a gap.

    entries  of the ledger, generated transactions included, in order of date
    """
    return walked(Walk(ledger, reading), entries, spans)


def walked(walk: Walk, entries: Iterable[Any], spans: Sequence[Span]) -> Performance:
    """Return what days did, as a walk tells it."""
    by_day = _by_day(entries)
    for day in sorted(by_day):
        for entry in by_day[day] if day < spans[0][0] else ():
            walk.book(entry, {})
    return _lived(walk, by_day, spans)


def recent(
    walk: Walk, entries: Iterable[Any], span: Span, since: Day
) -> tuple[dict[str, list[Decimal | None]], Performance]:
    """Return values of parts in all evenings of a period, and what each of its last days did.

    since  the first of these last days: the days before it are walked for their values alone
    """
    by_day = _by_day(entries)
    for day in sorted(by_day):
        for entry in by_day[day] if day < span[0] else ():
            walk.book(entry, {})
    values: dict[str, list[Decimal | None]] = {name: [] for name in walk.parts}
    for day in days(span[0], Day(since - 1)):
        for entry in by_day.get(day, ()):
            walk.book(entry, {})
        for name, line in values.items():
            line.append(walk.value(name, day))
    found = _lived(walk, by_day, [(day, day) for day in days(since, span[1])])
    for part, intervals in found.parts[:-1]:
        values[part.name] += [interval.closing for interval in intervals]
    return values, found


def _by_day(entries: Iterable[Any]) -> dict[Day, list[Transaction]]:
    by_day: dict[Day, list[Transaction]] = {}
    for entry in entries:
        if isinstance(entry, Transaction):
            by_day.setdefault(day_of(entry.date), []).append(entry)
    return by_day


def _lived(walk: Walk, by_day: dict[Day, list[Transaction]], spans: Sequence[Span]) -> Performance:
    """Return what days did from where a walk stands."""
    parts: dict[str, list[Interval]] = {name: [] for name in walk.parts}
    for span in spans:
        for name, interval in walk.live(span, by_day).items():
            parts[name].append(interval)
    made = [(walk.parts[name], intervals) for name, intervals in parts.items()]
    return _together(walk.prices.currency, spans, made)


def joined(daily: Performance, spans: Sequence[Span]) -> Performance:
    """Return what days did in other intervals, from what each of them did by itself.

    daily  an interval for each day; the spans lie within them
    """
    made = []
    for part, intervals in daily.parts[:-1]:
        begin = intervals[0].first
        of_spans = [intervals[first - begin : last + 1 - begin] for first, last in spans]
        made.append((part, [_sum(of_span) for of_span in of_spans]))
    return _together(daily.currency, spans, made)


def _sum(intervals: Sequence[Interval]) -> Interval:
    """Return intervals that follow each other as one."""
    first, last = intervals[0], intervals[-1]
    made = Interval(first.first, last.last, first.opening, last.closing)
    for interval in intervals:
        made.unpriced |= interval.unpriced
        for line, amount in interval.lines.items():
            tally(made.lines, line, amount)
        for line, amount in interval.realised.items():
            tally(made.realised, line, amount)
        for key, problem in interval.missing.items():
            made.missing.setdefault(key, problem)
    return made


def _together(
    currency: str, spans: Sequence[Span], parts: list[tuple[Part, list[Interval]]]
) -> Performance:
    """Return the performance of parts, with the whole and all problems."""
    missing: Missing = {}
    for _, intervals in parts[:1]:  # each part has noted the same
        for interval in intervals:
            for key, problem in interval.missing.items():
                missing.setdefault(key, problem)
    whole = _whole(spans, [intervals for _, intervals in parts])
    return Performance(currency, [*parts, (Part("", "", "whole"), whole)], [*missing.values()])


def _whole(spans: Sequence[Span], parts: Sequence[Sequence[Interval]]) -> list[Interval]:
    """Return the sums of all parts; what they gave each other is no line of the whole."""
    sums = [Interval(*span, ZERO, ZERO) for span in spans]
    for intervals in parts:
        for whole, part in zip(sums, intervals, strict=True):
            whole.opening = _plus(whole.opening, part.opening)
            whole.closing = _plus(whole.closing, part.closing)
            whole.unpriced |= part.unpriced
            for line, amount in part.lines.items():
                if line[0] not in WAYS["transfers"]:
                    tally(whole.lines, line, amount)
            for line, amount in part.realised.items():
                tally(whole.realised, line, amount)
    return sums


def _plus(number: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if number is None or other is None else EXACT.add(number, other)
