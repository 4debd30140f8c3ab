"""Feeds: whose rows of a venue are booked, read from a person's custom directives.

2025-06-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from os.path import normpath
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core import account
from beancount.core.data import Custom

from usance.language.directive import Reader, source_of, values_of
from usance.language.provenance import IMPORTED
from usance.model import problems
from usance.model.accounts import PERSONAL, ChartOfAccounts, Side
from usance.model.book import Movement
from usance.model.feeds import IGNORED, VENUES, Feed
from usance.model.hours import day_at, day_of, iso
from usance.model.problems import Problem, Source
from usance.model.terms import Payout, SubAccount, YieldProduct
from usance.model.timeline import Timeline

KEYS = {"feed": ("outside", "transit", "distributions", "pays", "withdrawal-fee", "ignore")}
"""Every key of the directive."""

EXAMPLE = 'custom "feed" "Main" "backpack"'
ON_TOP = "on-top"
INCLUDED = "included"


class Declared(NamedTuple):
    """What a feed may name.

    sub_accounts  by name
    products      yield products, by venue and name
    blocked       ("sub-account" or "product", name) with a fault of its own
    """

    chart: ChartOfAccounts
    sub_accounts: Mapping[str, Timeline[SubAccount]]
    products: Mapping[tuple[str, str], Timeline[YieldProduct]]
    blocked: Container[tuple[str, str]]


def read(customs: Iterable[Custom], declared: Declared) -> tuple[dict[str, Feed], list[Problem]]:
    """Return the feeds of a ledger, by sub-account, and their faults.

    customs  directives as parsed or as booked; those of other kinds are left out
    """
    feeds: dict[str, Feed] = {}
    places: dict[str, Source] = {}
    faults: list[Problem] = []
    entries = [entry for entry in customs if entry.type == "feed"]
    for entry in sorted(entries, key=lambda entry: (entry.date, source_of(entry.meta))):
        feed, wrong = _feed(entry, declared)
        name, source = _name(entry), source_of(entry.meta)
        if name is not None and name in places:
            wrong.append(problems.two_feeds(source, name, places[name].seen_from(source)))
        elif name is not None:
            places[name] = source
        faults += wrong
        if feed is not None and not wrong:
            feeds[feed.sub_account] = feed
    return feeds, faults


def _name(entry: Custom) -> str | None:
    match list(values_of(entry)):
        case [(kind, str(name)), (other, str())] if kind is str and other is str:
            return name
    return None


def _feed(entry: Custom, declared: Declared) -> tuple[Feed | None, list[Problem]]:
    """Read one directive; returns no feed if its sub-account is unknown."""
    name = _name(entry)
    if name is None:
        return None, [problems.bad_values(source_of(entry.meta), "feed", EXAMPLE)]
    venue = str(entry.values[1].value)
    reader = Reader(entry, f'feed "{name}"')
    reader.allow(KEYS["feed"])
    if venue not in VENUES:
        reader.problems.append(problems.unknown_feed(reader.source, name, venue, VENUES))
    chart, known = declared.chart, declared.sub_accounts
    if name not in known:
        if ("sub-account", name) not in declared.blocked:
            problem = problems.unknown_sub_account(reader.source, reader.what, name, known)
            reader.problems.append(problem)
        return None, reader.problems
    outside = _account(reader, chart, name, "outside")
    income = chart.account(name, Side.PNL).rpartition(":")[0]
    feed = Feed(
        name,
        venue,
        day_of(entry.date),
        outside or "",
        _account(reader, chart, name, "transit") or outside or "",
        _account(reader, chart, name, "distributions") or f"{income}:Distributions",
        _product(reader, declared, name),
        _choice(reader, "withdrawal-fee", ON_TOP, INCLUDED) == ON_TOP,
        _ignored(reader),
        reader.source,
    )
    return feed, reader.problems


def _account(reader: Reader, chart: ChartOfAccounts, name: str, key: str) -> str | None:
    """Return an account to which rows may be booked from a wallet, or None if the key is absent."""
    example = {
        "outside": f"{chart.roots['Assets']}:Bank",
        "transit": f"{chart.roots['Equity']}:Transit",
        "distributions": f"{chart.roots['Income']}:Distributions",
    }[key]
    if key not in reader.meta:
        if key == "outside":
            reader.missing(key, example)
        return None
    text = reader.meta[key]
    if not isinstance(text, str) or not text:
        reader.wrong_type(key, example)
        return None
    why = _why_not(chart, name, text)
    if why:
        reader.problems.append(problems.feed_account(reader.source, name, key, text, why, example))
    return text


def _why_not(chart: ChartOfAccounts, name: str, text: str) -> str:
    """Return why rows of a sub-account cannot be booked against an account, or nothing."""
    root = text.partition(":")[0]
    if root not in chart.roots.values() or not account.is_valid(text):
        return "is no account of this ledger"
    owner, product = chart.owner(text), chart.product(text)
    if owner not in (None, name):
        return f'belongs to sub-account "{owner}"'
    if product is not None:
        return f'belongs to yield product "{product}"'
    balances = {chart.roots[balance] for balance in PERSONAL}
    if root in balances and owner == name:
        return "belongs to the sub-account itself"
    if root in balances and chart.venue_above(text) is not None:
        return "lies under a venue and belongs to no sub-account"
    return ""


def _product(reader: Reader, declared: Declared, name: str) -> str | None:
    """Return the yield product whose payouts come in as distributions, or None."""
    product = reader.text("pays", '"USD"')
    if product is None or ("product", product) in declared.blocked:
        return product
    venue = declared.sub_accounts[name].values[0].venue
    timeline = declared.products.get((venue, product))
    if timeline is None:
        names = {other for at, other in declared.products if at == venue}
        reader.problems.append(problems.unknown_product(reader.source, reader.what, product, names))
        return None
    for value in timeline.values:
        if value.payout not in (Payout.MONTHLY, Payout.MANUAL):
            reader.problems.append(
                problems.feed_payout(reader.source, name, product, value.payout.value)
            )
            return None
    return product


def _choice(reader: Reader, key: str, *choices: str) -> str:
    """Return one of some texts, the first of them if the key is absent."""
    text = reader.text(key, f'"{choices[0]}"')
    if text is not None and text not in choices:
        reader.wrong_type(key, " or ".join(f'"{choice}"' for choice in choices))
    return text or choices[0]


def _ignored(reader: Reader) -> frozenset[str]:
    """Return the symbols that are no coins; an empty text names none."""
    if "ignore" not in reader.meta:
        return IGNORED
    text = reader.meta["ignore"]
    if not isinstance(text, str):
        reader.wrong_type("ignore", '"POINTS"')
        return IGNORED
    return frozenset(text.split())


# What stands beside the ledger, and what is traded by hand


def left_out(feeds: Mapping[str, Feed], options: Mapping[str, Any], folder: str) -> list[Problem]:
    """Return the error of files of the folder imported that a ledger with feeds does not include.

    folder  of the ledger
    """
    top = str(options["filename"])
    if not feeds or top.startswith("<"):
        return []
    source = next(iter(feeds.values())).source
    path = Path(folder) / IMPORTED
    here = normpath(path.absolute())
    files = sorted(file.name for file in path.glob("*.beancount"))
    if not files:
        return [problems.no_imported_folder(source)]
    included = {normpath(Path(file).absolute()) for file in options["include"]}
    return [
        problems.imported_not_included(source, file)
        for file in files
        if f"{here}/{file}" not in included
    ][:1]


def by_hand(
    feeds: Mapping[str, Feed], trades: Iterable[Movement], folder: str
) -> Iterator[Problem]:
    """Yield the error of each contract that a person trades once its feed has begun.

    trades  of contracts, with the places of their transactions
    folder  of the ledger
    """
    if not feeds:
        return
    here = normpath((Path(folder) / IMPORTED).absolute())
    places: dict[str, bool] = {}
    told: set[tuple[Source, str]] = set()
    for trade in trades:
        feed, source = feeds.get(trade.sub_account), trade.source
        if feed is None or day_at(trade.moment) < feed.since or (source, trade.coin) in told:
            continue
        if source.file not in places:
            places[source.file] = normpath(Path(source.file).absolute().parent) == here
        if not places[source.file]:
            told.add((source, trade.coin))
            problem = problems.traded_by_hand(
                source, trade.sub_account, trade.coin, iso(feed.since)
            )
            yield problem.of(trade.sub_account)
