"""Prices: those of a ledger's prices on which figures may rest, as quotes."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain

from beancount.core import prices
from beancount.core.data import Directive, Price

from usance.language.canonical import Input, price_text
from usance.language.directive import source_of
from usance.language.provenance import Text
from usance.language.schedule import Schedule
from usance.model import problems
from usance.model.book import Book
from usance.model.hours import Day, day_at, day_of
from usance.model.problems import Problem
from usance.model.quotes import Quotes


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices of a ledger that count.

    worthless  commodities with a price that is not above zero
    """

    quotes: Quotes
    worthless: frozenset[str]
    inputs: list[Input]
    problems: list[Problem]


def read(terms: Schedule, entries: list[Price], operating: str | None) -> Pricing:
    """Return the prices on which figures may rest, and the problems of the others."""
    counting, useless = _counting(terms, entries, operating)
    return Pricing(
        quotes(counting),
        frozenset(entry.currency for entry in useless),
        list(_price_inputs(counting, _since(terms, operating))),
        [
            problems.price_not_positive(source_of(entry.meta), entry.currency, str(entry.amount))
            for entry in useless
        ],
    )


def _counting(
    terms: Schedule, entries: list[Price], operating: str | None
) -> tuple[list[Price], list[Price]]:
    """Return the prices on which figures may rest, and those that are not above zero.

    They price our commodities, directly or through another one.
    """
    # A price of a coin with a pool counts, because it is written into the proof.
    ours = _with_terms(terms) - {operating}
    # One link is enough: SOL may have a price in USDT, and USDT one in USD.
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


def _with_terms(terms: Schedule | Book) -> set[str]:
    """Return the commodities that are lent, collateral or traded, and the settle coins."""
    names = {name for _, name in chain(terms.pools, terms.collaterals, terms.perpetuals)}
    settle = {perpetual.settle for line in terms.perpetuals.values() for perpetual in line.values}
    return names | settle


def _since(terms: Schedule, operating: str | None) -> dict[str, Day]:
    """Return the day from which prices of our commodities count: that of their first terms."""
    # So terms of June do not make the prices of a closed May inputs of May.
    since: dict[str, Day] = {}
    for timelines in (terms.pools, terms.collaterals, terms.perpetuals):
        for (_, name), timeline in timelines.items():
            day = day_at(timeline.moments[0])
            since[name] = min(day, since.get(name, day))
    for timeline in terms.perpetuals.values():
        for moment, perpetual in zip(timeline.moments, timeline.values, strict=True):
            day = day_at(moment)
            since[perpetual.settle] = min(day, since.get(perpetual.settle, day))
    since.pop(operating or "", None)
    return since


def _price_inputs(entries: list[Price], since: Mapping[str, Day]) -> Iterator[Input]:
    """Yield prices as inputs: of those before the first terms, only the last one counts."""
    early: dict[tuple[str, str], tuple[Day, list[Price]]] = {}
    for entry in entries:
        day = day_of(entry.date)
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


def _price_input(entry: Price, day: Day) -> Input:
    return Input(day, partial(price_text, entry), source_of(entry.meta))


def standing(entries: Iterable[Directive]) -> list[Price]:
    """Return the prices among directives on which figures may rest, whichever plugins ran.

    A plugin's price of a commodity stands until a person writes one.
    """
    # implicit_prices makes a price of today out of the cost of an old lot. If that counted beside
    # a person's prices, marks would depend on the order of two plugin lines.
    text = Text()
    prices_of_all = [
        (entry, text.has_price(entry)) for entry in entries if isinstance(entry, Price)
    ]
    since: dict[tuple[str, str | None], datetime.date] = {}
    for entry, is_written in prices_of_all:
        if is_written:
            quote = entry.amount.currency
            for key in ((entry.currency, None), (quote, entry.currency)):
                since[key] = min(entry.date, since.get(key, entry.date))
    return [entry for entry, is_written in prices_of_all if is_written or _is_first(entry, since)]


def _is_first(entry: Price, since: Mapping[tuple[str, str | None], datetime.date]) -> bool:
    """Tell whether a price comes before those that a person wrote, also of its inverse."""
    keys = ((entry.currency, None), (entry.currency, entry.amount.currency))
    return not any(key in since and since[key] <= entry.date for key in keys)


def quotes(entries: Iterable[Directive]) -> Quotes:
    """Return the prices among directives, with their inverses."""
    table = prices.build_price_map(list(entries))
    return Quotes(
        {
            pair: ([day_of(date) for date, _ in quoted], [price for _, price in quoted])
            for pair, quoted in table.items()
        }
    )


def others(book: Book, entries: Iterable[Directive]) -> Quotes:
    """Return the prices of commodities without terms: no day rests on them, but a report may."""
    # So they are no inputs, and may change after a day is closed.
    ours = _with_terms(book)
    table = quotes(standing(entries)).prices.items()
    return Quotes({pair: quoted for pair, quoted in table if pair[0] not in ours})
