"""Doubtful terms: rates, margins, quanta and names of coins that are legal and improbable."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from beancount.core.data import Commodity

from usance.language import lending_terms, margin_terms, yield_terms
from usance.language.directive import RatesFile, source_of
from usance.language.doubtful import Doubtful, Rule
from usance.language.rate_files import Row
from usance.language.spelling import nearest
from usance.language.transactions import units_of
from usance.model import problems
from usance.model.hours import Day, day_at, iso
from usance.model.problems import Problem, Source
from usance.model.terms import Collateral, CurvePool, Perpetual, Rates, Stage, TreasuryRate
from usance.model.timeline import Timeline

V = TypeVar("V")

STEEP = Decimal(10)
"""A second slope may be above 1, and rises to this at venues that ask so much of a full pool."""


def rates(books: Doubtful) -> Iterator[Problem]:
    """Doubt rates above 1: they are probably percents."""
    for pool in books.terms("lending-pool", lending_terms.lending_pool):
        if isinstance(pool.value, CurvePool):
            what, curve = f'lending-pool "{pool.name}"', pool.value
            yield from _above(pool.source, what, "base-rate", curve.base_rate)
            yield from _above(pool.source, what, "slope-1", curve.slope_1)
            yield from _above(pool.source, what, "slope-2", curve.slope_2, STEEP)
    for lent in books.terms("lending-rate", lending_terms.lending_rate):
        what = f'lending-rate "{lent.name}"'
        if isinstance(lent.value, RatesFile):
            rows = _rows(books.reading.files, lent.value.path)
            yield from _of_file(lent.source, what, "supply rate", rows, lambda row: row.supply)
            yield from _of_file(lent.source, what, "borrow rate", rows, lambda row: row.borrow)
        else:
            yield from _above(lent.source, what, "supply rate", lent.value.supply)
            yield from _above(lent.source, what, "borrow rate", lent.value.borrow)
    for paid in books.terms("treasury-rate", yield_terms.treasury_rate):
        what = f'treasury-rate "{paid.name}"'
        if isinstance(paid.value, RatesFile):
            daily = _rows(books.reading.yield_files, paid.value.path)
            yield from _of_file(paid.source, what, "rate", daily, lambda row: row.rate)
        else:
            yield from _above(paid.source, what, "rate", paid.value)
    for bonus in books.terms("yield-bonus", yield_terms.yield_bonus):
        what = f'yield-bonus "{bonus.name}" "{bonus.value.sub_account}"'
        yield from _above(bonus.source, what, "rate", bonus.value.bonus.rate)


def _above(
    source: Source, what: str, which: str, rate: Decimal, most: Decimal = Decimal(1)
) -> Iterator[Problem]:
    if rate > most:
        yield problems.rate_above_one(source, what, which, rate)


def _of_file(
    source: Source,
    what: str,
    which: str,
    rows: Sequence[Rates] | Sequence[TreasuryRate],
    rate: Callable[..., Decimal],
) -> Iterator[Problem]:
    """Doubt a column of a file if most of its rates are above 1: an hour of it may well be."""
    high = [row for row in rows if rate(row) > 1]
    if 2 * len(high) > len(rows):
        place = high[0].source.seen_from(source)
        yield problems.rate_above_one(source, what, f"{which} in {place},", rate(high[0]))


def _rows(files: list[tuple[str, str, Day, Sequence[Row[V]]]], wanted: str) -> list[V]:
    return [rates for _, path, _, rows in files if path == wanted for _, _, rates in rows]


def crossed_rates(books: Doubtful) -> Iterator[Problem]:
    """Doubt a supply rate above the borrow rate of its pool."""
    for term in books.terms("lending-rate", lending_terms.lending_rate):
        what, value = f'lending-rate "{term.name}"', term.value
        if not isinstance(value, RatesFile):
            if value.supply > value.borrow:
                yield problems.supply_above_borrow(
                    term.source, what, value.supply, value.borrow, ""
                )
            continue
        rows = _rows(books.reading.files, value.path)
        crossed = [row for row in rows if row.supply > row.borrow]
        if 2 * len(crossed) > len(rows):
            where = f" in {crossed[0].source.seen_from(term.source)}"
            supply, borrow = crossed[0].supply, crossed[0].borrow
            yield problems.supply_above_borrow(term.source, what, supply, borrow, where)


def margins(books: Doubtful) -> Iterator[Problem]:
    """Doubt a maintenance margin above the initial margin."""
    for held in books.terms("collateral", margin_terms.collateral):
        yield from _margins(held.source, f'collateral "{held.name}"', held.value)
    for traded in books.terms("perpetual", margin_terms.perpetual):
        yield from _margins(traded.source, f'perpetual "{traded.name}"', traded.value)


def _margins(source: Source, what: str, terms: Collateral | Perpetual) -> Iterator[Problem]:
    for key, maintenance, initial in (
        ("margin", terms.maintenance.base, terms.initial.base),
        ("margin-factor", terms.maintenance.factor, terms.initial.factor),
    ):
        # Terms of a coin that nobody borrows for trades often state the maintenance margin alone.
        if maintenance > initial > 0:
            yield problems.maintenance_above_initial(source, what, key, maintenance, initial)


def quanta(books: Doubtful) -> Iterator[Problem]:
    """Doubt a quantum that is no power of ten, or coarser than the coin is moved."""
    parts = _parts(books)
    for entry in books.written:
        quantum = lending_terms.commodity(entry)[0] if isinstance(entry, Commodity) else None
        if not isinstance(entry, Commodity) or quantum is None:
            continue
        source, coin = source_of(entry.meta), entry.currency
        power = Decimal((0, (1,), quantum.adjusted()))
        if quantum != power:
            yield problems.odd_quantum(source, coin, quantum, power)
        elif quantum >= 1 and coin in parts:
            moved, at = parts[coin]
            yield problems.coarse_quantum(
                source, coin, quantum, moved.copy_abs(), at.seen_from(source)
            )


def _parts(books: Doubtful) -> dict[str, tuple[Decimal, Source]]:
    """Return the first amount of each coin that is no whole number, with its place."""
    parts: dict[str, tuple[Decimal, Source]] = {}
    for entry in books.transactions:
        for posting in filter(books.is_held, entry.postings):
            number, coin = units_of(posting)
            if number != number.to_integral_value():
                parts.setdefault(coin, (number, source_of(entry.meta)))
    return parts


def unused(books: Doubtful) -> Iterator[Problem]:
    """Doubt pools, collateral and products of a coin that no sub-account ever has."""
    if not books.moved:
        return
    used = books.moved | {(venue, books.book.operating) for venue in books.reading.chart.venues}
    for (at, contract), line in books.book.perpetuals.items():
        if (at, contract) in used:
            for terms in line.values:
                used |= {(at, terms.settle), (at, terms.underlying or terms.settle)}
    told = set[str]()
    for what, coin, venue, source in _of_coins(books):
        # Terms of a venue come as a file that serves many ledgers.
        travels = venue is not None and source.file != books.top
        here = {name for place, name in used if venue in (None, place)}
        if coin not in here and not travels and what not in told:
            told.add(what)
            yield problems.unused_terms(source, what, coin, nearest(coin, here, 2))


def _of_coins(books: Doubtful) -> Iterator[tuple[str, str, str | None, Source]]:
    """Yield terms that hold for a coin: what they are, coin, venue, place."""
    for pool in books.terms("lending-pool", lending_terms.lending_pool):
        yield f'lending-pool "{pool.name}"', pool.name, pool.venue, pool.source
    for held in books.terms("collateral", margin_terms.collateral):
        yield f'collateral "{held.name}"', held.name, held.venue, held.source
    reader = partial(yield_terms.yield_product, assets=books.reading.chart.roots["Assets"])
    for product in books.terms("yield-product", reader):
        what = f'yield-product "{product.name}"'
        yield what, product.value.asset, product.venue, product.source


STAGES = {
    Stage.AUTO_LENDING: ("lending-pool", "lending-rate"),
    Stage.MARGIN_POOL: ("collateral", "perpetual", "liquidation"),
    Stage.YIELD_SPLIT: ("yield-product", "treasury-rate", "yield-bonus"),
}
"""The directives that only one stage reads."""


def stages(books: Doubtful) -> Iterator[Problem]:
    """Doubt terms of a stage that no plugin line enables, at the first of them."""
    for stage, kinds in STAGES.items():
        if not books.stages or stage in books.stages:
            continue
        for custom in books.customs:
            source = source_of(custom.meta)
            if custom.type in kinds and not ("venue" in custom.meta and source.file != books.top):
                line = f"usance.plugins.{stage.value}"
                yield problems.stage_off(source, custom.type, line)
                break
    if books.stages and Stage.SUB_ACCOUNTS not in books.stages:
        for entry in books.transactions:
            owners = map(books.reading.chart.owner, (leg.account for leg in entry.postings))
            names = {owner for owner in owners if owner is not None}
            if len(names) > 1:
                yield problems.transfer_not_completed(source_of(entry.meta), names)
                break


STANDING = 90
"""Days for which a rate may stand without a doubt."""


def standing_rates(books: Doubtful) -> Iterator[Problem]:
    """Doubt a rate of a directive that has been in force for long, while it counted."""
    first = books.book.first
    if first is None:
        return
    lines: list[tuple[str, Timeline[Rates | None] | Timeline[TreasuryRate | None]]] = []
    if Stage.AUTO_LENDING in books.stages:
        lines += [
            (f'lending-rate "{coin}"', line)
            for (venue, coin), line in sorted(books.book.rates.items())
            if (venue, coin) in books.moved
        ]
    if Stage.YIELD_SPLIT in books.stages:
        lines += [
            (f'treasury-rate "{name}"', line)
            for (_, name), line in sorted(books.book.yields.rates.items())
        ]
    told = set[Source]()
    for what, line in lines:
        ends = [*map(day_at, line.moments[1:]), books.reading.last]
        for at, end, rate in zip(line.moments, ends, line.values, strict=True):
            since = max(day_at(at), first)
            if rate is None or rate.row_day is not None or end - since <= STANDING:
                continue
            # Of a mistyped year, the date itself is the doubt.
            if any(since <= leap.before < end for leap in books.reading.leaps):
                continue
            if rate.source not in told:
                told.add(rate.source)
                yield problems.standing_rate(rate.source, what, iso(since), iso(end), end - since)


RULES: tuple[Rule, ...] = (
    rates,
    crossed_rates,
    margins,
    quanta,
    unused,
    stages,
    standing_rates,
)
