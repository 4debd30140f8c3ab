"""Own text: what a person wrote in a ledger, as import, fetch and reconcile need it.

It is the top file and what it includes, without the months that are imported and the days that are
closed: those may be missing or wrong, and importing is what mends them. No plugin runs.
"""

import datetime
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import (
    Booking,
    Commodity,
    Custom,
    Open,
    Posting,
    Price,
    Transaction,
    entry_sortkey,
)
from beancount.core.inventory import Inventory
from beancount.core.position import Cost
from beancount.parser import booking_full

from usance.feeding.downloads import RefusedError
from usance.feeding.own_files import parsed, told
from usance.language import feed_terms, schedule
from usance.language.directive import Reader, source_of, values_of
from usance.language.feed_terms import Declared
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
    coins        first day on which a person posts a commodity, by sub-account and commodity
    prices       dates of prices, with commodity and quote
    stated       terms for one venue alone from 00:00 of a date: kind, venue, name, day
    rates_files  that a `lending-rate` names: venue (None: all of them), coin, path
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
    coins: Mapping[str, Mapping[str, Day]]
    prices: frozenset[tuple[datetime.date, str, str]]
    stated: frozenset[tuple[str, str, str, Day]]
    rates_files: frozenset[tuple[str | None, str, str]]
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
    entries, options = parsed(path)
    kinds: dict[type, list[Any]] = defaultdict(list)
    for entry in entries:
        kinds[type(entry)].append(entry)
    roots = {root: options[f"name_{root.lower()}"] for root in ROOTS}
    terms = schedule.read(kinds[Custom], kinds[Commodity], roots["Assets"], str(path.parent))
    chart = ChartOfAccounts(roots, terms.roots, terms.bills)
    declared = Declared(chart, terms.sub_accounts, terms.products, terms.blocked)
    feeds, faults = feed_terms.read(kinds[Custom], declared)
    _refuse_faults([*terms.problems, *faults], kinds[Custom])
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
        prices=frozenset((one.date, one.currency, one.amount.currency) for one in kinds[Price]),
        stated=frozenset(_stated(kinds[Custom])),
        rates_files=frozenset(_rates_files(kinds[Custom])),
        quanta=terms.quanta,
        lots=_lots(kinds[Transaction], perps, opens, options),
        by_hand=tuple(_by_hand(kinds[Transaction], perps)),
    )


def _refuse_faults(problems: Iterable[Problem], customs: Iterable[Custom]) -> None:
    """Refuse a sub-account or feed with a fault: without it, its rows would be left out."""
    places = {source_of(one.meta) for one in customs if one.type in ("sub-account", "feed")}
    for problem in problems:
        if problem.source in places:
            raise RefusedError(told(problem.source, problem.message))


# What is in it


def _symbols(commodities: Iterable[Commodity], venues: set[str]) -> dict[str, dict[str, str]]:
    """Return the commodities of a venue's symbols, where a person says which."""
    found: dict[str, dict[str, str]] = {venue: {} for venue in venues}
    for entry in commodities:
        for venue in venues & entry.meta.keys():
            symbol, at = entry.meta[venue], source_of(entry.meta)
            if not isinstance(symbol, str) or not symbol:
                why = f"{venue}: of commodity {entry.currency} is no text"
                raise RefusedError(told(at, f'{why}. Write it as "SOL_USDC_PERP"'))
            other = found[venue].setdefault(symbol, entry.currency)
            if other != entry.currency:
                why = f'"{symbol}" is {entry.currency} here, and {other} elsewhere'
                raise RefusedError(told(at, f"{why}. Remove one of the two"))
    return found


def _coins(
    transactions: Iterable[Transaction], chart: ChartOfAccounts
) -> dict[str, dict[str, Day]]:
    found: defaultdict[str, dict[str, Day]] = defaultdict(dict)
    for entry in transactions:
        for posting in entry.postings:
            owner, currency = chart.owner(posting.account), _currency(posting)
            if owner is not None and currency is not None:
                day = day_of(entry.date)
                found[owner][currency] = min(day, found[owner].get(currency, day))
    return dict(found)


def _stated(customs: Iterable[Custom]) -> Iterator[tuple[str, str, str, Day]]:
    for entry in customs:
        if entry.type in ("perpetual", "collateral") and isinstance(entry.meta.get("venue"), str):
            name = next((value for _, value in values_of(entry)), None)
            if isinstance(name, str) and not Reader(entry, entry.type).seconds():
                yield entry.type, entry.meta["venue"], name, day_of(entry.date)


def _rates_files(customs: Iterable[Custom]) -> Iterator[tuple[str | None, str, str]]:
    for entry in customs:
        match [entry.type, *(value for _, value in values_of(entry))]:
            case ["lending-rate", str(coin), str(path)]:
                yield entry.meta.get("venue"), coin, os.path.normpath(path)


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
