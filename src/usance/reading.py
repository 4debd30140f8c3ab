"""Reading: a ledger's directives as a book, with all that is wrong in them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

from beancount.core import prices
from beancount.core.data import (
    Balance,
    Commodity,
    Custom,
    Directive,
    Open,
    Pad,
    Price,
    Transaction,
)

from usance import inputs, problems, yield_reading
from usance.amounts import EXACT, QUANTUM_DEFAULT, Coin, decimals, plain
from usance.chart import Chart
from usance.directives import source_of
from usance.events import Book, Movement, Side
from usance.hours import SLOTS
from usance.inputs import Input
from usance.problems import Problem
from usance.quotes import Quotes
from usance.rate_series import Files
from usance.reserves import Reserve, Yields
from usance.schedule import Schedule, schedule
from usance.scribe import Notional, Scribe
from usance.terms import Perpetual, Rates, Stage, TreasuryRate
from usance.timeline import Timeline

GENERATED = "(usance)"
"""File name of generated directives. It names no file: Fava's export then prints the directive,
which it cannot do where the name is in angle brackets."""

DAY_CLOSE = "day-close"
ROOTS = ("Assets", "Liabilities", "Equity", "Income", "Expenses")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ledger says.

    horizon  last day that the text speaks of, 0 where it speaks of none
    posted   transactions of closed days, in order of date
    seals    closes of days, in order of date
    inputs   directives that count
    files    rows of rates files that count: coin, path, first day, rows
    yield_files  the same of treasury rates, by product
    """

    book: Book
    chart: Chart
    problems: list[Problem]
    horizon: int
    posted: list[Transaction]
    seals: list[Custom]
    inputs: list[Input]
    files: Files[Rates]
    yield_files: Files[TreasuryRate]

    def is_ours(self, account: str) -> bool:
        """Tell whether the engine opens an account even where a person posts to it."""
        reserve = self.chart.reserve(account)
        if reserve is not None:
            return reserve[1] is Reserve.ACCRETION
        name, side = self.chart.side(account) or ("", None)
        if side not in (Side.ACCRUED_YIELD, Side.TREASURY) or name not in self.book.sub_accounts:
            return False
        venue = self.book.venue(name)
        stages = self.book.stages.values[-1]
        return Stage.YIELD_SPLIT in stages and any(
            at == venue for at, _ in self.book.yields.products
        )


def is_posted(entry: Transaction) -> bool:
    """Tell whether `usance accrue` wrote a transaction."""
    return "usance" in entry.meta and "usance" in entry.tags


def is_generated(entry: Directive) -> bool:
    """Tell whether the plugins made a directive on this load."""
    return bool(entry.meta.get("filename") == GENERATED)


def read(
    entries: Iterable[Directive], options: Mapping[str, Any], folder: str, stages: frozenset[Stage]
) -> Reading:
    """Read booked directives, without generated ones.

    folder  of the top ledger: rates files lie below it
    stages  enabled by plugin lines: they count on every day that is not closed
    """
    roots = {root: options[f"name_{root.lower()}"] for root in ROOTS}
    kinds: dict[type, list[Any]] = defaultdict(list)
    for entry in entries:
        kinds[type(entry)].append(entry)
    terms = schedule(kinds[Custom], kinds[Commodity], roots["Assets"], folder)
    chart = Chart(roots, terms.roots, terms.bills)
    posted = [entry for entry in kinds[Transaction] if is_posted(entry)]
    written = [entry for entry in kinds[Transaction] if not is_posted(entry)]
    seals = [entry for entry in kinds[Custom] if entry.type == DAY_CLOSE]
    operating = (options["operating_currency"] or [None])[0]
    isolating = Stage.SUB_ACCOUNTS in stages
    placed = not (terms.unplaced or terms.lost)
    scribe = Scribe(chart, isolating=isolating, placed=placed)
    for entry in written:
        scribe.transaction(entry)
    if isolating:
        scribe.accounts(kinds[Open])
    for entry in kinds[Pad]:
        scribe.pad(entry)
    found = [*terms.problems, *scribe.problems]
    if operating is None and terms.sub_accounts:
        at = next(iter(terms.sub_accounts.values())).values[0].source
        found.insert(0, problems.no_operating_currency(at))
    counting, useless = _counting(terms, kinds[Price], operating)
    found += [
        problems.price_not_positive(source_of(entry.meta), entry.currency, str(entry.amount))
        for entry in useless
    ]
    price_inputs = list(_price_inputs(counting, _since(terms, operating)))
    movements, trades = _unblocked(scribe.movements, terms), _unblocked(scribe.trades, terms)
    by_day = _by_day(movements)
    faulty = _faulty(scribe.trades, terms)
    if Stage.MARGIN_POOL in stages:
        misplaced, wrong = _misplaced(by_day, terms, chart)
        faulty |= misplaced
        found += wrong
    for contract_of, perpetuals in _settling(trades, terms):
        for perpetual in perpetuals:
            by_day.setdefault((contract_of, perpetual.settle), {})
    backing = yield_reading.backing(terms, scribe.reserved)
    payments, paying, unread = yield_reading.payments(terms, chart, scribe.receipts)
    if Stage.YIELD_SPLIT in stages:
        found += [*backing.problems, *unread]
    moments = [movement.moment for movement in chain(movements, trades)]
    moments += [day * SLOTS for days in backing.reserved.values() for day in days]
    book = Book(
        coins=_coins(
            terms,
            [*movements, *trades],
            {coin for _, coin in by_day}
            | {line.values[0].asset for line in backing.products.values()},
        ),
        sub_accounts=terms.sub_accounts,
        pools=terms.pools,
        rates=terms.rates,
        movements=by_day,
        trades=_by_day(trades),
        transfers=tuple(
            transfer
            for transfer in scribe.transfers
            if not {("sub-account", transfer.first), ("sub-account", transfer.second)}
            & terms.blocked
        ),
        gifts=scribe.gifts,
        collaterals=terms.collaterals,
        perpetuals=terms.perpetuals,
        faulty=faulty,
        worthless=frozenset(entry.currency for entry in useless),
        liquidations=terms.liquidations,
        quotes=quotes(counting),
        findings=_mismatches(scribe.notionals, terms),
        yields=Yields(
            backing.products,
            terms.treasury_rates,
            terms.bonuses,
            backing.maturities,
            backing.reserved,
            payments,
            frozenset((paid.sub_account, *paid.period) for paid in payments if paid.period),
        ),
        operating=operating or "",
        stages=Timeline(_stages(seals, stages)),
        stale_after=terms.stale_after,
        first=min(moments, default=0) // SLOTS or None,
    )
    speaking = (entry for kind in (Balance, Price) for entry in kinds[kind])
    latest = max((entry.date.toordinal() for entry in chain(written, speaking)), default=0)
    horizon = max(max(latest, terms.latest) - 1, terms.through)
    return Reading(
        book,
        chart,
        found,
        max(horizon, 0),
        posted,
        seals,
        [*terms.inputs, *scribe.inputs, *price_inputs, *backing.inputs, *paying],
        terms.files,
        terms.yield_files,
    )


def _unblocked(movements: list[Movement], terms: Schedule) -> list[Movement]:
    """Return the movements of commodities and sub-accounts whose terms have no fault."""
    return [
        movement
        for movement in movements
        if ("coin", movement.coin) not in terms.blocked
        and ("sub-account", movement.sub_account) not in terms.blocked
        and movement.sub_account in terms.sub_accounts
    ]


def _settling(trades: list[Movement], terms: Schedule) -> Iterator[tuple[str, Sequence[Perpetual]]]:
    """Yield sub-accounts that trade, each with the terms that a contract of it ever had."""
    for name, contract in sorted({(trade.sub_account, trade.coin) for trade in trades}):
        venue = terms.sub_accounts[name].values[0].venue
        timeline = terms.perpetuals.get((venue, contract))
        if timeline is not None:
            yield name, timeline.values


def _counting(
    terms: Schedule, entries: list[Price], operating: str | None
) -> tuple[list[Price], list[Price]]:
    """Return the prices on which figures may rest, and those that are not above zero.

    They are of our commodities, directly or over another one.
    """
    ours = {name for _, name in chain(terms.pools, terms.collaterals, terms.perpetuals)}
    ours |= {perpetual.settle for line in terms.perpetuals.values() for perpetual in line.values}
    ours.discard(operating or "")
    linked = set(ours)
    for entry in entries:
        pair = {entry.currency, entry.amount.currency}
        if pair & ours:
            linked |= pair
    linked.discard(operating or "")
    reach = linked | {operating}
    counting: list[Price] = []
    useless: list[Price] = []
    for entry in entries:
        pair = {entry.currency, entry.amount.currency}
        if pair <= reach and pair & linked:
            assert isinstance(entry.amount.number, Decimal)
            (counting if entry.amount.number > 0 else useless).append(entry)
    return counting, useless


def _since(terms: Schedule, operating: str | None) -> dict[str, int]:
    """Return the day from which prices of our commodities count: that of their first terms."""
    found: dict[str, int] = {}
    for timelines in (terms.pools, terms.collaterals, terms.perpetuals):
        for (_, name), timeline in timelines.items():
            day = timeline.moments[0] // SLOTS
            found[name] = min(day, found.get(name, day))
    for timeline in terms.perpetuals.values():
        for moment, perpetual in zip(timeline.moments, timeline.values, strict=True):
            day = moment // SLOTS
            found[perpetual.settle] = min(day, found.get(perpetual.settle, day))
    found.pop(operating or "", None)
    return found


def _price_inputs(entries: list[Price], since: Mapping[str, int]) -> Iterator[Input]:
    """Yield prices as inputs: of what was quoted before there were terms, the last one counts."""
    early: dict[tuple[str, str], tuple[int, list[Price]]] = {}
    for entry in entries:
        day = entry.date.toordinal()
        pair = (entry.currency, entry.amount.currency)
        start = min((since[name] for name in pair if name in since), default=min(since.values()))
        if day >= start:
            yield _price_input(entry, day)
        elif pair in early and early[pair][1][0].date == entry.date:
            early[pair][1].append(entry)
        else:
            early[pair] = (start, [entry])
    for start, last in early.values():
        for entry in last:
            yield _price_input(entry, start)


def _price_input(entry: Price, day: int) -> Input:
    return Input(day, partial(inputs.price_text, entry), source_of(entry.meta))


def _faulty(trades: list[Movement], terms: Schedule) -> frozenset[str]:
    """Return the sub-accounts that trade a contract with a fault, or one in such a coin."""
    found: set[str] = set()
    for trade in trades:
        blocked = ("coin", trade.coin) in terms.blocked
        if not blocked and trade.sub_account in terms.sub_accounts:
            venue = terms.sub_accounts[trade.sub_account].values[0].venue
            timeline = terms.perpetuals.get((venue, trade.coin))
            coins = {perpetual.settle for perpetual in timeline.values} if timeline else set()
            blocked = any(("coin", coin) in terms.blocked for coin in coins)
        if blocked:
            found.add(trade.sub_account)
    return frozenset(found)


def _coins(terms: Schedule, movements: list[Movement], names: set[str]) -> dict[str, Coin]:
    digits = dict.fromkeys(sorted(names), 0)
    for movement in movements:
        digits[movement.coin] = max(digits.get(movement.coin, 0), decimals(movement.quantity))
    return {
        name: Coin.of(name, terms.quanta.get(name, QUANTUM_DEFAULT), finest)
        for name, finest in digits.items()
    }


def _by_day(movements: list[Movement]) -> dict[tuple[str, str], dict[int, list[Movement]]]:
    """Index movements by sub-account and coin, then by day, each day in order of time."""
    index: dict[tuple[str, str], dict[int, list[Movement]]] = {}
    for movement in sorted(movements, key=lambda movement: (movement.moment, movement.seconds)):
        days = index.setdefault((movement.sub_account, movement.coin), {})
        days.setdefault(movement.moment // SLOTS, []).append(movement)
    return index


def quotes(entries: Iterable[Price]) -> Quotes:
    """Return prices, with their inverses."""
    table = prices.build_price_map(list(entries))
    return Quotes(
        {
            pair: ([date.toordinal() for date, _ in quoted], [price for _, price in quoted])
            for pair, quoted in table.items()
        }
    )


def _mismatches(notionals: list[Notional], terms: Schedule) -> dict[int, list[Problem]]:
    """Return the trades whose notional is off by a quantum or more, by day."""
    found: dict[int, list[Problem]] = {}
    for trade in notionals:
        off = abs(EXACT.subtract(trade.written, trade.expected))
        if off >= terms.quanta.get(trade.coin, QUANTUM_DEFAULT):
            written, expected = plain(trade.written), plain(trade.expected)
            problem = problems.notional_mismatch(
                trade.source, trade.contract, written, expected, trade.coin
            )
            found.setdefault(trade.day, []).append(problem)
    return found


def _misplaced(
    movements: dict[tuple[str, str], dict[int, list[Movement]]], terms: Schedule, chart: Chart
) -> tuple[frozenset[str], list[Problem]]:
    """Take contracts out of what moves coins: they belong in Perp, at cost."""
    wrong: list[Problem] = []
    names: set[str] = set()
    for name, contract in sorted(movements):
        perpetual = terms.perpetuals.get((terms.sub_accounts[name].values[0].venue, contract))
        if perpetual is None:
            continue
        names.add(name)
        for of_day in movements.pop((name, contract)).values():
            for movement in of_day:
                if movement.side is Side.PERP:
                    settle = perpetual.values[0].settle
                    wrong.append(problems.contract_without_cost(movement.source, contract, settle))
                else:
                    perp = chart.account(name, Side.PERP)
                    wrong.append(problems.contract_in_wallet(movement.source, contract, perp))
    return frozenset(names), wrong


def _stages(
    seals: list[Custom], stages: frozenset[Stage]
) -> Iterator[tuple[int, frozenset[Stage]]]:
    """Yield the stages in force: those of a closed day are those it was closed with."""
    yield 0, stages
    for seal in seals:
        closed = str(seal.meta.get("stages", "")).split()
        day = seal.date.toordinal()
        yield day * SLOTS, frozenset(stage for stage in Stage if stage.value in closed)
        yield (day + 1) * SLOTS, stages
