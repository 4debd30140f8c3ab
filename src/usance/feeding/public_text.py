"""Public text: prices, terms and rates that a venue says to everybody, as text of the ledger.

It is a function of the downloads and of what a person wrote.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple, TypeVar

from usance.feeding import rates_text, tables, terms_text
from usance.feeding.agreed import Agreed
from usance.feeding.downloads import IMPORTED
from usance.feeding.own_text import Own
from usance.feeding.public_said import BACKPACK, PublicSaid
from usance.feeding.rates_text import Moment, Rate, Rates
from usance.feeding.tables import Table
from usance.model.amounts import decimal_text
from usance.model.hours import Day, clock, date_of, day_at, iso
from usance.model.terms import Collateral, ObservedPool, Perpetual
from usance.model.timeline import Timeline
from usance.venues.numbers import day_ended

PRICES = f"{IMPORTED}/prices.beancount"
TERMS = f"{IMPORTED}/terms.beancount"

V = TypeVar("V", Perpetual, Collateral)

Placed = tuple[tuple[Day, str, str, str], str]
"""A directive behind the key by which directives are sorted: day, kind, venue, name."""


class PublicText(NamedTuple):
    """Texts by path from the ledger's folder, and what somebody should know.

    A text of `imported/` is what follows the header of its file. A file without a text is none.
    """

    files: dict[str, str]
    findings: list[str]


def public_text(
    own: Own, first: Mapping[tuple[str, str], Day], table: Table | None = None
) -> PublicText:
    """Return what the public answers and the tables in the downloads say.

    first  first day of each commodity in what is imported, by sub-account and commodity
    table  a table that is about to be stored
    RefusedError with file and row for what cannot be read, or is said in two ways.
    """
    said, places = PublicSaid(own), _places(own)
    rates = _rates(own, said, table)
    files = {path: rates_text.text(found) for path, found in rates.items()}
    written = [
        *_terms(own, said, {place: _in_use(own, place, first) for place in places}),
        *_rates_lines(own, places, rates),
    ]
    terms = "\n".join(text for _, text in sorted(written))
    imported = {PRICES: _prices(own, said, table), TERMS: terms}
    files |= {path: text for path, text in imported.items() if text}
    return PublicText(files, sorted(said.findings))


def with_rates(own: Own, coin: str, table: Table) -> tuple[str, str]:
    """Return path and text of the rates of a coin's pool once a table is stored."""
    path = rates_text.path_of(_fed_pools(own).get(coin), coin)
    return path, rates_text.text(_rates(own, PublicSaid(own), table)[path])


def with_prices(own: Own, table: Table) -> str:
    """Return the text of all prices once a table is stored."""
    return _prices(own, PublicSaid(own), table)


def _places(own: Own) -> list[str]:
    """Return the names that terms in the ledger have for the venue, such as `Backpack`."""
    return sorted({own.venue(name) for name, feed in own.feeds.items() if feed.venue == BACKPACK})


# Rates


def _fed_pools(own: Own) -> dict[str, str]:
    """Return the coins of pools whose rates are the venue's, each with the name of the venue."""
    places = _places(own)
    return {
        coin: BACKPACK
        for (place, coin), line in own.pools.items()
        if place in places and any(isinstance(pool, ObservedPool) for pool in line.values)
    }


def _rates(own: Own, said: PublicSaid, instead: Table | None) -> dict[str, dict[Moment, Rate]]:
    """Return the rates of each file that has any, by its path."""
    fed, found = _fed_pools(own), dict[str, Rates]()
    rows = [*said.pool_rates(fed), *tables.stored_rates(own.folder, instead)]
    for coin, moment, rate, where in rows:
        path = rates_text.path_of(fed.get(coin), coin)
        found.setdefault(path, rates_text.rates()).add(moment, rate, where)
    return {path: rates.values() for path, rates in sorted(found.items())}


def _rates_lines(
    own: Own, places: Iterable[str], rates: Mapping[str, Mapping[Moment, Rate]]
) -> Iterator[Placed]:
    """Yield the directives of rates files that a person does not name, each with its place."""
    for (place, coin), line in own.pools.items():
        path = rates_text.path_of(BACKPACK, coin)
        named = {(None, coin, path), (place, coin, path)} & own.rates_files
        if place not in places or path not in rates or named:
            continue
        # Only from its first row on, so that a person can write what the rates were before.
        day, first = day_at(line.moments[0]), min(rates[path])
        time = ""
        if first > (day, 0):
            day, time = first.day, f'  time: "{clock(first.seconds)}"\n'
        text = f'{iso(day)} custom "lending-rate" "{coin}" "{path}"\n  venue: "{place}"\n{time}'
        yield (day, "lending-rate", place, coin), text


# Terms


def _in_use(own: Own, place: str, first: Mapping[tuple[str, str], Day]) -> dict[str, Day]:
    """Return the commodities that the books have at a venue, each with its first day."""
    found: dict[str, Day] = {}
    written = {
        (name, coin): day for name, coins in own.coins.items() for coin, day in coins.items()
    }
    for (name, commodity), day in [*written.items(), *first.items()]:
        if own.venue(name) == place:
            found[commodity] = min(day, found.get(commodity, day))
    return found


def _terms(own: Own, said: PublicSaid, in_use: Mapping[str, Mapping[str, Day]]) -> Iterator[Placed]:
    """Yield the terms of what is in use, each with its place."""
    names = {name for first in in_use.values() for name in first}
    perpetuals, collaterals = said.contracts(names), said.collaterals(names)
    for place, first in in_use.items():
        for name, day in first.items():
            yield from _of_kind(own, "perpetual", place, name, day, perpetuals, own.contracts)
            yield from _of_kind(own, "collateral", place, name, day, collaterals, own.collaterals)


def _of_kind(
    own: Own,
    kind: str,
    place: str,
    name: str,
    first: Day,
    said: Mapping[str, Mapping[Day, V]],
    written: Mapping[tuple[str, str], Timeline[V]],
) -> Iterator[Placed]:
    """Yield the terms of one coin or contract at a venue."""
    if name in said:
        stated = {day for *what, day in own.stated if what == [kind, place, name]}
        for terms in terms_text.news(said[name], first, written.get((place, name)), stated):
            yield (terms.day, kind, place, name), terms_text.text(name, place, terms)


# Prices


def _prices(own: Own, said: PublicSaid, instead: Table | None) -> str:
    """Return the price of each day: the close of the last bar that closed on it, or a table's."""
    found: Agreed[tuple[Day, str, str], Decimal] = Agreed(lambda key, price: _price(*key, price))
    closes = [*said.closes()] if _places(own) else []
    last: dict[tuple[Day, str, str], int] = {}
    for close in closes:
        key = day_ended(close.end), close.commodity, close.quote
        last[key] = max(close.end, last.get(key, close.end))
    for close in closes:
        key = day_ended(close.end), close.commodity, close.quote
        if close.end == last[key]:
            found.add(key, close.price, close.where)
    for commodity, quote, (day, price), where in tables.stored_prices(own.folder, instead):
        found.add((day, commodity, quote), price, where)
    return "".join(
        f"{_price(*key, price)}\n"
        for key, price in sorted(found.values().items())
        if (date_of(key[0]), *key[1:]) not in own.prices
    )


def _price(day: Day, commodity: str, quote: str, price: Decimal) -> str:
    return f"{iso(day)} price {commodity} {decimal_text(price)} {quote}"
