"""Own text: what a person wrote in a ledger, as import, fetch and reconcile need it.

It is the top file and what it includes, without the months that are imported and the days that are
closed: those may be missing or wrong, and importing is what mends them. No plugin runs.
"""

import datetime
import glob
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.amount import Amount
from beancount.core.data import (
    Booking,
    Commodity,
    Custom,
    Directive,
    Open,
    Posting,
    Transaction,
    entry_sortkey,
)
from beancount.core.inventory import Inventory
from beancount.core.position import Cost
from beancount.parser import booking_full, parser
from beancount.utils import encryption

from usance.feeding.downloads import IMPORTED, RefusedError
from usance.language import schedule
from usance.language.directive import source_of
from usance.language.provenance import POSTED
from usance.language.reading import ROOTS
from usance.model.accounts import ChartOfAccounts, Side
from usance.model.feeds import Feed
from usance.model.hours import Day, day_of
from usance.model.problems import Problem, Source
from usance.model.terms import Collateral, Perpetual, Pool, SubAccount
from usance.model.timeline import Timeline


class Opened(NamedTuple):
    """The open of an account; booking None: the method of the ledger."""

    date: datetime.date
    booking: Booking | None


class OpenLot(NamedTuple):
    """Contracts of one cost and date; sold if the quantity is below 0."""

    quantity: Decimal
    cost: Decimal
    currency: str
    date: datetime.date


class ByHand(NamedTuple):
    """A trade of a contract that a person wrote."""

    sub_account: str
    contract: str
    day: Day
    source: Source


@dataclass(frozen=True, slots=True)
class Own:
    """What a person wrote.

    path         of the top file
    options      of the ledger, as Beancount reads them
    operating    operating currency, or ""
    chart        account names of all sub-accounts
    feeds        by sub-account
    sub_accounts their terms, by name
    opens        by account
    symbols      commodities by symbol of the venue, by name of the venue, such as `backpack`
    contracts    terms by venue of the ledger, such as `Backpack`, and commodity; so the next two
    collaterals
    pools
    coins        commodities that a person posts to accounts of a sub-account, by its name
    quanta       smallest amounts, by commodity that states one
    lots         by sub-account and contract: written before its feed's date, oldest first
    by_hand      trades in Perp on or after the date of the sub-account's feed
    """

    path: Path
    options: Mapping[str, Any]
    operating: str
    chart: ChartOfAccounts
    feeds: Mapping[str, Feed]
    sub_accounts: Mapping[str, Timeline[SubAccount]]
    opens: Mapping[str, Opened]
    symbols: Mapping[str, Mapping[str, str]]
    contracts: Mapping[tuple[str, str], Timeline[Perpetual]]
    collaterals: Mapping[tuple[str, str], Timeline[Collateral]]
    pools: Mapping[tuple[str, str], Timeline[Pool]]
    coins: Mapping[str, frozenset[str]]
    quanta: Mapping[str, Decimal]
    lots: Mapping[tuple[str, str], tuple[OpenLot, ...]]
    by_hand: tuple[ByHand, ...]

    @property
    def folder(self) -> Path:
        """The folder of the ledger: downloads, imported and rates lie in it."""
        return self.path.parent

    def venue(self, sub_account: str) -> str:
        """Return the venue of a sub-account as terms name it, such as `Backpack`."""
        return self.sub_accounts[sub_account].values[0].venue


def own(ledger: str | Path) -> Own:
    """Return what a person wrote in a ledger.

    RefusedError if a file cannot be parsed, an include finds nothing, or a sub-account, a feed or
    a symbol has a fault. Any other fault is for `usance check` to tell.
    """
    path = Path(os.path.normpath(Path(ledger).absolute()))
    entries, options = _parsed(path)
    kinds: dict[type, list[Any]] = defaultdict(list)
    for entry in entries:
        kinds[type(entry)].append(entry)
    roots = {root: options[f"name_{root.lower()}"] for root in ROOTS}
    terms = schedule.read(kinds[Custom], kinds[Commodity], roots["Assets"], str(path.parent))
    _refuse_faults(terms.problems, kinds[Custom])
    chart = ChartOfAccounts(roots, terms.roots, terms.bills)
    feeds = _feeds(kinds[Custom], chart)
    opens = {one.account: Opened(one.date, one.booking) for one in reversed(kinds[Open])}
    perps = {chart.account(name, Side.PERP): feed for name, feed in feeds.items()}
    return Own(
        path=path,
        options=options,
        operating=next(iter(options["operating_currency"]), ""),
        chart=chart,
        feeds=feeds,
        sub_accounts=terms.sub_accounts,
        opens=opens,
        symbols=_symbols(kinds[Commodity], {feed.venue for feed in feeds.values()}),
        contracts=terms.perpetuals,
        collaterals=terms.collaterals,
        pools=terms.pools,
        coins=_coins(kinds[Transaction], chart),
        quanta=terms.quanta,
        lots=_lots(kinds[Transaction], perps, opens, options),
        by_hand=tuple(_by_hand(kinds[Transaction], perps)),
    )


# Parsing


def _parsed(top: Path) -> tuple[list[Directive], dict[str, Any]]:
    """Return the directives of a ledger as parsed, in order of file and line, and its options."""
    entries: list[Directive] = []
    options: list[dict[str, Any]] = []
    waiting, seen = [str(top)], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        found, said = _file(name)
        entries += found
        options.append(said)
        for pattern in said["include"]:
            waiting += _included(top.parent, name, pattern)
    return entries, loader.aggregate_options_map(options[0], options[1:])


def _file(name: str) -> tuple[Sequence[Directive], dict[str, Any]]:
    try:
        if encryption.is_encrypted_file(name):
            text = encryption.read_encrypted_file(name)
            entries, errors, options = parser.parse_string(text, report_filename=name)
        else:
            entries, errors, options = parser.parse_file(name)
    except UnicodeDecodeError as fault:
        raise RefusedError(f"{name} is not in UTF-8. Save it in UTF-8.") from fault
    if errors:
        text = f"{errors[0].message}. Correct the line"
        raise RefusedError(_told(source_of(errors[0].source), text))
    return entries, options


def _included(folder: Path, name: str, pattern: str) -> list[str]:
    """Return the files that an include line finds, without those that commands of ours write."""
    where = os.path.normpath(Path(name).parent / pattern)
    # As Beancount finds them.
    found = sorted(map(os.path.normpath, glob.glob(where, recursive=True)))  # noqa: PTH207
    if not found and not _is_written_by_us(folder, where):
        remedy = "Correct the include line, or put the file there"
        raise RefusedError(f'{name}: include "{pattern}" finds no file. {remedy}.')
    return [path for path in found if not _is_written_by_us(folder, path)]


def _is_written_by_us(folder: Path, path: str) -> bool:
    return any(Path(path).is_relative_to(folder / ours) for ours in (IMPORTED, POSTED))


def _refuse_faults(problems: Iterable[Problem], customs: Iterable[Custom]) -> None:
    """Refuse a sub-account or feed with a fault: without it, its rows would be left out."""
    places = {source_of(one.meta) for one in customs if one.type in ("sub-account", "feed")}
    for problem in problems:
        if problem.source in places:
            raise RefusedError(_told(problem.source, problem.message))


def _told(source: Source, message: str) -> str:
    text = " ".join(message.split())
    return f"{source.file}:{source.line}: {text}" + ("" if text.endswith(".") else ".")


# What is in it


def _symbols(commodities: Iterable[Commodity], venues: set[str]) -> dict[str, dict[str, str]]:
    """Return the commodities of a venue's symbols, where a person says which."""
    found: dict[str, dict[str, str]] = {venue: {} for venue in venues}
    for entry in commodities:
        for venue in venues & entry.meta.keys():
            symbol, at = entry.meta[venue], source_of(entry.meta)
            if not isinstance(symbol, str) or not symbol:
                why = f"{venue}: of commodity {entry.currency} is no text"
                raise RefusedError(_told(at, f'{why}. Write it as "SOL_USDC_PERP"'))
            other = found[venue].setdefault(symbol, entry.currency)
            if other != entry.currency:
                why = f'"{symbol}" is {entry.currency} here, and {other} elsewhere'
                raise RefusedError(_told(at, f"{why}. Remove one of the two"))
    return found


def _coins(
    transactions: Iterable[Transaction], chart: ChartOfAccounts
) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entry in transactions:
        for posting in entry.postings:
            owner, currency = chart.owner(posting.account), _currency(posting)
            if owner is not None and currency is not None:
                found[owner].add(currency)
    return {name: frozenset(coins) for name, coins in found.items()}


def _currency(posting: Posting) -> str | None:
    """Return the currency of a posting as parsed, or None if it is left out."""
    units: object = posting.units
    currency: object = units.currency if isinstance(units, Amount) else None
    return currency if isinstance(currency, str) else None


def _lots(
    transactions: Iterable[Transaction],
    perps: Mapping[str, Feed],
    opens: Mapping[str, Opened],
    options: dict[str, Any],
) -> dict[tuple[str, str], tuple[OpenLot, ...]]:
    """Return the contracts that stand in each Perp before the date of its feed."""
    early = [
        entry
        for entry in sorted(transactions, key=entry_sortkey)
        if any(
            posting.account in perps and day_of(entry.date) < perps[posting.account].since
            for posting in entry.postings
        )
    ]
    # Whoever opens a Perp account that the person did not opens it with this method.
    methods: defaultdict[str, Booking] = defaultdict(lambda: options["booking_method"])
    methods.update(dict.fromkeys(perps, Booking.FIFO))
    methods.update({account: one.booking for account, one in opens.items() if one.booking})
    balances: defaultdict[str, Inventory] = defaultdict(Inventory)
    booking_full.book(early, options, methods, balances)
    found: defaultdict[tuple[str, str], list[OpenLot]] = defaultdict(list)
    for account, feed in perps.items():
        for units, cost in balances[account].get_positions():
            if isinstance(cost, Cost):
                lot = OpenLot(units.number, cost.number, cost.currency, cost.date)
                found[feed.sub_account, units.currency].append(lot)
    return {key: tuple(sorted(lots, key=lambda lot: lot.date)) for key, lots in found.items()}


def _by_hand(transactions: Iterable[Transaction], perps: Mapping[str, Feed]) -> Iterator[ByHand]:
    for entry in transactions:
        day = day_of(entry.date)
        for posting in entry.postings:
            feed, currency = perps.get(posting.account), _currency(posting)
            if feed is None or day < feed.since or posting.cost is None or currency is None:
                continue
            yield ByHand(feed.sub_account, currency, day, source_of(entry.meta))


def _feeds(customs: Iterable[Custom], chart: ChartOfAccounts) -> dict[str, Feed]:
    """Return the feeds."""
    found: dict[str, Feed] = {}
    for entry in customs:
        if entry.type != "feed":
            continue
        name, venue = (str(value.value) for value in entry.values)
        income = chart.account(name, Side.PNL).rpartition(":")[0]
        outside = str(entry.meta["outside"])
        found[name] = Feed(
            name,
            venue,
            day_of(entry.date),
            outside,
            str(entry.meta.get("transit", outside)),
            str(entry.meta.get("distributions", f"{income}:Distributions")),
            entry.meta.get("pays"),
            entry.meta.get("withdrawal-fee") != "included",
            frozenset(str(entry.meta.get("ignore", "POINTS")).split()),
            source_of(entry.meta),
        )
    return found
