"""Reading: a ledger's directives as a book, with all that is wrong in them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

from beancount.core import convert, prices
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

from usance import inputs, problems
from usance.amounts import EXACT, QUANTUM_DEFAULT, ZERO, Coin, decimals, tidied
from usance.chart import Chart
from usance.directives import source_of
from usance.events import Book, Movement, Side, Transfer
from usance.hours import SLOTS, moment, seconds_of
from usance.inputs import Input
from usance.isolation import may_pass
from usance.problems import Problem, Source
from usance.rate_files import Row
from usance.schedule import Schedule, schedule
from usance.terms import Stage
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
    """

    book: Book
    chart: Chart
    problems: list[Problem]
    horizon: int
    posted: list[Transaction]
    seals: list[Custom]
    inputs: list[Input]
    files: Sequence[tuple[str, str, int, Sequence[Row]]]


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
    chart = Chart(roots, terms.roots)
    posted = [entry for entry in kinds[Transaction] if is_posted(entry)]
    written = [entry for entry in kinds[Transaction] if not is_posted(entry)]
    seals = [entry for entry in kinds[Custom] if entry.type == DAY_CLOSE]
    operating = (options["operating_currency"] or [None])[0]
    scribe = Scribe(chart, Stage.SUB_ACCOUNTS in stages)
    for entry in written:
        scribe.transaction(entry)
    if Stage.SUB_ACCOUNTS in stages:
        scribe.accounts(kinds[Open])
    for entry in kinds[Pad]:
        scribe.pad(entry)
    found = [*terms.problems, *scribe.problems]
    if operating is None and terms.sub_accounts:
        at = next(iter(terms.sub_accounts.values())).values[0].source
        found.insert(0, problems.no_operating_currency(at))
    pooled = {coin for _, coin in terms.pools} - {operating}
    quoted = [entry for entry in kinds[Price] if entry.currency in pooled]
    price_inputs = [
        Input(entry.date.toordinal(), partial(inputs.price_text, entry), source_of(entry.meta))
        for entry in quoted
    ]
    movements = [
        movement
        for movement in scribe.movements
        if ("coin", movement.coin) not in terms.blocked
        and ("sub-account", movement.sub_account) not in terms.blocked
    ]
    book = Book(
        coins=_coins(terms, movements),
        sub_accounts=terms.sub_accounts,
        pools=terms.pools,
        rates=terms.rates,
        movements=_by_day(movements),
        transfers=tuple(scribe.transfers),
        prices=_prices(kinds[Price], pooled, operating),
        stages=Timeline(_stages(seals, stages)),
        stale_after=terms.stale_after,
        first=min((movement.moment for movement in movements), default=0) // SLOTS or None,
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
        [*terms.inputs, *scribe.inputs, *price_inputs],
        terms.files,
    )


class Scribe:
    """Takes down what a person's transactions do to sub-accounts, and what they may not do.

    isolating  crossings and unknown accounts are refused
    """

    def __init__(self, chart: Chart, isolating: bool) -> None:
        self.chart = chart
        self.isolating = isolating
        self.movements: list[Movement] = []
        self.transfers: list[Transfer] = []
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
        if not names:
            return
        source = source_of(entry.meta)
        seconds = self._seconds(entry, source)
        counting = []
        for posting in entry.postings:
            place = chart.side(posting.account)
            if place is None or posting.units is None:
                continue
            name, side = place
            if side not in (Side.WALLET, Side.BORROWED):
                continue
            assert isinstance(posting.units.number, Decimal)
            counting.append(posting)
            self.movements.append(
                Movement(
                    moment(entry.date.toordinal(), seconds),
                    seconds,
                    name,
                    side,
                    posting.units.currency,
                    posting.units.number,
                    posting.cost is not None,
                    source,
                )
            )
        if counting:
            text = partial(inputs.transaction_text, entry, counting, seconds)
            self.inputs.append(Input(entry.date.toordinal(), text, source))
        if self.isolating and len(names) > 1:
            places = [
                (chart.owner(posting.account), (chart.side(posting.account) or (None, None))[1])
                for posting in entry.postings
            ]
            if may_pass(places):
                self._transfer(entry, names[0], names[1], seconds)
            else:
                self.problems.append(problems.crossing(source, names))

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
            side[weight.currency] = EXACT.add(side.get(weight.currency, ZERO), weight.number)
        given: dict[str, Decimal] = {}
        for currency in sorted({*weights[first], *weights[second]}):
            ours = weights[first].get(currency, ZERO)
            theirs = weights[second].get(currency, ZERO)
            amount = EXACT.minus(ours) if ours < 0 else theirs
            if amount:
                given[currency] = tidied(amount)
        text = inputs.transaction_text(entry, entry.postings, seconds)
        day = entry.date.toordinal()
        self.transfers.append(Transfer(day, seconds, first, second, given, text))

    def accounts(self, opens: Iterable[Open]) -> None:
        """Refuse accounts that a sub-account cannot have."""
        for entry in opens:
            self._account(entry.account, source_of(entry.meta))

    def pad(self, entry: Pad) -> None:
        """Refuse a pad that would move a sub-account unseen."""
        for account in (entry.account, entry.source_account):
            if self.chart.owner(account) is not None:
                source = source_of(entry.meta)
                self.problems.append(problems.pad_on_sub_account(source, account))

    def _account(self, account: str, source: Source) -> None:
        if account in self.refused:
            return
        owner = self.chart.owner(account)
        if owner is not None:
            if not self.chart.is_known(account, owner):
                self.refused.add(account)
                known = self.chart.known(owner)
                self.problems.append(problems.unknown_account(source, account, owner, known))
        elif (venue := self.chart.venue_above(account)) is not None:
            self.refused.add(account)
            self.problems.append(problems.stray_account(source, account, venue))


def _coins(terms: Schedule, movements: list[Movement]) -> dict[str, Coin]:
    digits: dict[str, int] = {}
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


def _prices(
    entries: list[Price], coins: set[str], operating: str | None
) -> dict[tuple[str, int], Decimal]:
    """Return coins' prices in the operating currency, each of its very day.

    Directly, else over the first currency by name that has prices of both.
    """
    if not entries or operating is None:
        return {}
    table = prices.build_price_map(entries)
    found: dict[tuple[str, int], Decimal] = {}
    for coin in coins:
        if (coin, operating) in table:
            for date, price in table[coin, operating]:
                found[coin, date.toordinal()] = price
            continue
        over = sorted(q for (base, q) in table if base == coin and (q, operating) in table)
        if over:
            second = dict(table[over[0], operating])
            for date, price in table[coin, over[0]]:
                if date in second:
                    found[coin, date.toordinal()] = price * second[date]
    return found


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
