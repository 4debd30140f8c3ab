"""Reading: a ledger's directives as a book, with all their problems."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from beancount.core.data import (
    Balance,
    Booking,
    Commodity,
    Custom,
    Directive,
    Open,
    Price,
    Transaction,
)

from usance.language import (
    feed_terms,
    payments,
    prices,
    provenance,
    schedule,
    trades,
    transactions,
)
from usance.language.canonical import Input, options_text
from usance.language.directive import source_of
from usance.language.feed_terms import Declared
from usance.language.horizon import Leap, horizon
from usance.language.payments import Products
from usance.language.prices import Pricing
from usance.language.provenance import (
    DAY_CLOSE,
    DAY_CORRECT,
    MONTH_CLOSE,
    ClosedMonths,
    Text,
    has_id,
)
from usance.language.rate_series import Files
from usance.language.schedule import Schedule
from usance.language.trades import Trading
from usance.language.transactions import Written
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import QUANTUM_DEFAULT, Coin, decimals
from usance.model.book import Book, Transfer
from usance.model.feeds import Feed
from usance.model.hours import NO_DAY, Day, Moment, at_slot, day_at, day_of, moment
from usance.model.problems import Problem
from usance.model.terms import Rates, Stage, TreasuryRate
from usance.model.timeline import Timeline

ROOTS = ("Assets", "Liabilities", "Equity", "Income", "Expenses")


@dataclass(frozen=True, slots=True)
class Reading:
    """The book of a ledger, with the directives and rates on which it rests.

    horizon  last day of which the text speaks, or 0
    leaps    over days of which it does not speak, in order of time
    posted   transactions of closed days, in order of date
    seals    closes of days, in order of date; of a day of a compacted month, that of the month
    corrections  of the inputs of closed days, in order of date
    months   closes of compacted months, in order of date
    copies   other files that hold text of closed days
    inputs   directives that count
    former   the same with every price of other plugins, as days were closed up to 0.1.0; or empty
    options  canonical text of the options that count
    top      path of the top file, in which they stand
    named    paths of rates files, unreadable ones included
    files    rows of rates files that count: coin, path, first day, rows
    yield_files  the same of treasury rates, by product
    feeds    by sub-account
    """

    book: Book
    chart: ChartOfAccounts
    problems: list[Problem]
    horizon: Day
    leaps: list[Leap]
    posted: list[Transaction]
    seals: list[Custom]
    corrections: list[Custom]
    months: list[Custom]
    copies: frozenset[str]
    inputs: list[Input]
    former: list[Input]
    options: str
    top: str
    named: frozenset[str]
    files: Files[Rates]
    yield_files: Files[TreasuryRate]
    feeds: Mapping[str, Feed]

    @property
    def last(self) -> Day:
        """The day that reports speak of by default: the horizon, or the last closed day."""
        return max([self.horizon, *(day_of(seal.date) for seal in self.seals)])

    def is_ours(self, account: str) -> bool:
        """Tell whether the engine opens an account even if a person posts to it."""
        reserve = self.chart.reserve(account)
        if reserve is not None:
            return reserve[1] is ProductAccount.ACCRETION
        name, side = self.chart.side(account) or ("", None)
        if side in (Side.INTEREST_EARNED, Side.INTEREST_PAID):
            terms = self.book.sub_accounts.get(name)
            return terms is not None and any(one.imported for one in terms.values)
        if side not in (Side.ACCRUED_YIELD, Side.TREASURY) or name not in self.book.sub_accounts:
            return False
        venue = self.book.venue(name)
        stages = self.book.stages.values[-1]
        return Stage.YIELD_SPLIT in stages and any(
            at == venue for at, _ in self.book.yields.products
        )


class _Parts(NamedTuple):
    """The results of the stages of reading."""

    terms: Schedule
    written: Written
    trading: Trading
    pricing: Pricing
    products: Products


def read(
    entries: Iterable[Directive], options: Mapping[str, Any], folder: str, stages: frozenset[Stage]
) -> Reading:
    """Read booked directives, without generated ones.

    folder  of the top ledger: rates files lie below it
    stages  enabled by plugin lines: they count on every day that is not closed
    """
    kinds, closed, astray = _by_kind(entries, ClosedMonths(folder, daily=False))
    posted, seals, corrections, months, copies = closed
    given = kinds[Price]
    if provenance.follows_others(options):
        text = Text()
        kinds[Price] = prices.standing(given)
        kinds[Balance] = [entry for entry in kinds[Balance] if text.has_balance(entry)]
    roots = {root: options[f"name_{root.lower()}"] for root in ROOTS}
    operating: str | None = next(iter(options["operating_currency"]), None)
    terms = schedule.read(kinds[Custom], kinds[Commodity], roots["Assets"], folder)
    chart = ChartOfAccounts(roots, terms.roots, terms.bills)
    written = transactions.read(kinds, chart, terms, stages)
    trading = trades.read(written, terms, chart, stages)
    pricing = prices.read(terms, kinds[Price], operating)
    products = payments.read(written, terms, chart, stages)
    parts = _Parts(terms, written, trading, pricing, products)
    declared = Declared(chart, terms.sub_accounts, terms.products, terms.blocked)
    feeds, faults = feed_terms.read(kinds[Custom], declared)
    faults += feed_terms.left_out(feeds, options, folder)
    faults += feed_terms.by_hand(feeds, written.trades, folder)
    inputs = [*terms.inputs, *written.inputs, *products.inputs]
    former: list[Input] = []
    if seals and len(given) > len(kinds[Price]):
        former = [*inputs, *prices.read(terms, given, operating).inputs]
    last, leaps = horizon(kinds, terms, seals, _first(parts))
    return Reading(
        book=_book(
            parts,
            operating or "",
            Timeline(_stages(seals, stages)),
            _unmatched(kinds[Open], options, chart),
        ),
        chart=chart,
        problems=[*_problems(parts, operating), *faults, *astray],
        horizon=last,
        leaps=leaps,
        posted=posted,
        seals=seals,
        corrections=corrections,
        months=months,
        copies=frozenset(copies),
        inputs=[*inputs, *pricing.inputs],
        former=former,
        options=options_text(options, _renamed(roots)),
        top=str(options["filename"]),
        named=frozenset(terms.named),
        files=terms.files,
        yield_files=terms.yield_files,
        feeds=feeds,
    )


class _Closed(NamedTuple):
    """What stands in the months of closed days.

    copies  other files that hold seals: nothing in them that looks like closed days counts
    """

    posted: list[Transaction]
    seals: list[Custom]
    corrections: list[Custom]
    months: list[Custom]
    copies: set[str]

    def take(self, entry: Custom) -> None:
        """Take in a close or a correction."""
        if entry.type == DAY_CORRECT:
            self.corrections.append(entry)
        elif entry.type == DAY_CLOSE:
            self.seals.append(entry)
        else:
            self.months.append(entry)
            self.seals.extend(_days_of(entry))


def _days_of(month: Custom) -> Iterator[Custom]:
    """Yield the close of each day of a compacted month, with all that is said of the month."""
    try:
        since = datetime.date.fromisoformat(str(month.meta.get("since")))
    except ValueError:
        since = month.date  # its form is a fault, which is reported
    head = [value._replace(value=month.meta.get("head")) for value in month.values or ()]
    first = min(max(since, month.date.replace(day=1)), month.date)
    for day in range(first.day, month.date.day + 1):
        date = month.date.replace(day=day)
        yield month._replace(date=date, type=DAY_CLOSE, values=head)


def _by_kind(
    entries: Iterable[Directive], months: ClosedMonths
) -> tuple[dict[type, list[Any]], _Closed, list[Problem]]:
    """Return a person's directives by kind, closed days, and the errors of what looks like them."""
    kinds: dict[type, list[Any]] = defaultdict(list)
    for entry in entries:
        kinds[type(entry)].append(entry)
    closed = _Closed([], [], [], [], set())
    astray = [*_seals(kinds[Custom], months, closed)]
    written: list[Transaction] = []
    for entry in kinds[Transaction]:
        if not has_id(entry):
            written.append(entry)
        elif months.hold(entry.meta):
            closed.posted.append(entry)
        elif source_of(entry.meta).file not in closed.copies:
            # Its postings count: Beancount counts them too.
            written.append(entry)
            astray.append(problems.unsealed(source_of(entry.meta)))
    kinds[Transaction] = written
    return kinds, closed, astray


def _seals(entries: Iterable[Custom], months: ClosedMonths, closed: _Closed) -> Iterator[Problem]:
    """Take in the seals and corrections of closed days; yield the error of each other file."""
    for entry in entries:
        if entry.type not in (DAY_CLOSE, DAY_CORRECT, MONTH_CLOSE):
            continue
        at = source_of(entry.meta)
        if months.hold(entry.meta):
            closed.take(entry)
        elif at.file not in closed.copies:
            closed.copies.add(at.file)
            yield problems.seal_astray(at, entry.type)


def _problems(parts: _Parts, operating: str | None) -> list[Problem]:
    terms, written, trading, pricing, products = parts
    faults: list[Problem] = []
    if operating is None and terms.sub_accounts:
        at = next(iter(terms.sub_accounts.values())).values[0].source
        faults.append(problems.no_operating_currency(at))
    for part in (terms, written, pricing, trading, products):
        faults += part.problems
    return faults


def _renamed(roots: Mapping[str, str]) -> dict[str, str]:
    """Return the roots that a ledger names otherwise than Beancount does, by option."""
    return {f"name_{root.lower()}": name for root, name in roots.items() if name != root}


def _unmatched(
    opens: Iterable[Open], options: Mapping[str, Any], chart: ChartOfAccounts
) -> frozenset[str]:
    """Return the sub-accounts with lots that Beancount does not match, by its booking method."""
    methods = {entry.account: entry.booking or options["booking_method"] for entry in opens}
    sides = {account: chart.side(account) for account in methods}
    return frozenset(
        side[0]
        for account, side in sides.items()
        if side is not None and side[1] is Side.WALLET and methods[account] is Booking.NONE
    )


def _book(
    parts: _Parts,
    operating: str,
    stages: Timeline[frozenset[Stage]],
    unmatched: frozenset[str],
) -> Book:
    terms, written, trading, pricing, products = parts
    return Book(
        coins=_coins(parts),
        sub_accounts=terms.sub_accounts,
        pools=terms.pools,
        rates=terms.rates,
        movements=trading.movements,
        trades=trading.trades,
        transfers=_unblocked(written.transfers, terms),
        interest=written.interest,
        outflows=written.outflows,
        collaterals=terms.collaterals,
        perpetuals=terms.perpetuals,
        faulty=trading.faulty,
        worthless=pricing.worthless,
        liquidations=terms.liquidations,
        quotes=pricing.quotes,
        findings=trading.findings,
        yields=products.yields,
        operating=operating,
        stages=stages,
        unmatched=unmatched,
        stale_after=terms.stale_after,
        first=_first(parts),
    )


def _first(parts: _Parts) -> Day | None:
    """Return the day of the first movement, or None."""
    # Days before the first movement hold nothing and are not closed. Anything dated earlier (a
    # commodity, terms, the last row of a rates file) counts on the first day.
    moments = [movement.moment for movement in parts.trading.every]
    moments += [at_slot(day, 0) for days in parts.products.yields.reserved.values() for day in days]
    return day_at(min(moments)) if moments else None


def _unblocked(transfers: list[Transfer], terms: Schedule) -> tuple[Transfer, ...]:
    """Return the transfers between sub-accounts whose terms have no fault."""
    return tuple(
        transfer
        for transfer in transfers
        if not {("sub-account", transfer.first), ("sub-account", transfer.second)} & terms.blocked
    )


def _coins(parts: _Parts) -> dict[str, Coin]:
    """Return every coin that moves or that a product yields, with its quantum and grain."""
    names = {coin for _, coin in parts.trading.movements}
    names |= {line.values[0].asset for line in parts.products.yields.products.values()}
    digits = dict.fromkeys(sorted(names), 0)
    for movement in parts.trading.every:
        digits[movement.coin] = max(digits.get(movement.coin, 0), decimals(movement.quantity))
    quanta = parts.terms.quanta
    return {
        name: Coin.of(name, quanta.get(name, QUANTUM_DEFAULT), finest)
        for name, finest in digits.items()
    }


def _stages(
    seals: list[Custom], stages: frozenset[Stage]
) -> Iterator[tuple[Moment, frozenset[Stage]]]:
    """Yield the stages in force; a closed day keeps those with which it was closed."""
    yield moment(NO_DAY), stages
    for seal in seals:
        closed = str(seal.meta.get("stages", "")).split()
        day = day_of(seal.date)
        yield moment(day), frozenset(stage for stage in Stage if stage.value in closed)
        yield moment(Day(day + 1)), stages
