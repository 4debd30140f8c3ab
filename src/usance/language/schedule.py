"""Schedule: the terms of a ledger, each in force from its moment to the next of its kind."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TypeVar

from beancount.core.data import Commodity, Custom

from usance.language import (
    feed_terms,
    lending_terms,
    margin_terms,
    rate_files,
    yield_checks,
    yield_terms,
)
from usance.language.canonical import Input, commodity_text, custom_text
from usance.language.directive import Read, Term, source_of
from usance.language.lending_terms import QuotedRates, RatesTerm
from usance.language.rate_series import Files, Series
from usance.language.yield_terms import RateTerm
from usance.model import problems
from usance.model.hours import NO_DAY, day_of, moment
from usance.model.problems import Problem, Source
from usance.model.terms import (
    Bonus,
    Collateral,
    ObservedPool,
    Perpetual,
    Pool,
    Rates,
    SubAccount,
    TreasuryRate,
    YieldProduct,
)
from usance.model.timeline import Timeline

V = TypeVar("V")
COMMODITY_KEYS = ("quantum", "stale-after")
KEYS = {**lending_terms.KEYS, **margin_terms.KEYS, **yield_terms.KEYS, **feed_terms.KEYS}
"""Every key of every kind of our directives."""

NO_INPUTS = ("accrue-through", "feed")
"""Kinds on which the books of no day rest."""

BLOCKS = {
    "sub-account": "sub-account",
    "yield-product": "product",
    "treasury-rate": "product",
    "yield-bonus": "product",
}
"""What a fault in a kind of directive blocks; all others block a coin or contract."""


@dataclass(slots=True)
class Schedule:
    """Terms in force, and their problems.

    roots          every declared sub-account's account of assets, malformed ones included
    quanta         by commodity that states one
    stale_after    days, by commodity that states them
    maturing       commodities that state a maturity; it is ours if a product holds them
    bills          account of bills, by product, malformed ones included
    lost           a product's account of bills cannot be read
    blocked        ("coin", "sub-account" or "product", name) with a fault: nothing is generated
    unplaced       a sub-account's directive could not be read: its accounts belong to nobody yet
    strangers      venue without a sub-account, and file that names it: reported once for the file
    named          paths of rates files, unreadable ones included
    files          rows of lending rates in force
    yield_files    rows of treasury rates in force
    """

    sub_accounts: dict[str, Timeline[SubAccount]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    pools: dict[tuple[str, str], Timeline[Pool]] = field(default_factory=dict)
    rates: dict[tuple[str, str], Timeline[Rates | None]] = field(default_factory=dict)
    collaterals: dict[tuple[str, str], Timeline[Collateral]] = field(default_factory=dict)
    perpetuals: dict[tuple[str, str], Timeline[Perpetual]] = field(default_factory=dict)
    liquidations: dict[tuple[str, str], Timeline[bool]] = field(default_factory=dict)
    products: dict[tuple[str, str], Timeline[YieldProduct]] = field(default_factory=dict)
    treasury_rates: dict[tuple[str, str], Timeline[TreasuryRate | None]] = field(
        default_factory=dict
    )
    bonuses: dict[tuple[str, str], Timeline[Bonus]] = field(default_factory=dict)
    quanta: dict[str, Decimal] = field(default_factory=dict)
    stale_after: dict[str, int] = field(default_factory=dict)
    maturing: dict[str, Commodity] = field(default_factory=dict)
    bills: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    blocked: set[tuple[str, str]] = field(default_factory=set)
    unplaced: bool = False
    strangers: set[tuple[str, str]] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    files: Files[Rates] = field(default_factory=list)
    yield_files: Files[TreasuryRate] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def venue(self, sub_account: str) -> str:
        """Return the venue of a sub-account."""
        return self.sub_accounts[sub_account].values[0].venue


def read(
    customs: Iterable[Custom], commodities: Iterable[Commodity], assets: str, folder: str
) -> Schedule:
    """Return the terms of a ledger.

    assets  the ledger's name of that root
    folder  of the ledger: rates files lie below it
    """
    schedule = Schedule()
    kinds: dict[str, list[Custom]] = defaultdict(list)
    for entry in customs:
        if entry.type in KEYS:
            kinds[entry.type].append(entry)
            if entry.type not in NO_INPUTS:
                text = partial(custom_text, entry, KEYS[entry.type])
                schedule.inputs.append(Input(day_of(entry.date), text, source_of(entry.meta)))
    _sub_accounts(schedule, kinds["sub-account"], assets)
    venues = {lending_terms.venue_of(root) for root in schedule.roots.values()}
    pools = _terms(schedule, kinds["lending-pool"], lending_terms.lending_pool, venues)
    schedule.pools = _timelines(pools, venues)
    _rates(schedule, kinds["lending-rate"], pools, venues, folder)
    terms = _terms(schedule, kinds["collateral"], margin_terms.collateral, venues)
    schedule.collaterals = _timelines(terms, venues)
    contracts = _terms(schedule, kinds["perpetual"], margin_terms.perpetual, venues)
    schedule.perpetuals = _timelines(contracts, venues)
    modes = _terms(schedule, kinds["liquidation"], margin_terms.liquidation, venues)
    schedule.liquidations = _timelines(modes, venues)
    _yields(schedule, kinds, venues, assets, folder)
    for entry in kinds["accrue-through"]:
        schedule.problems += lending_terms.accrue_through(entry)[1]
    _commodities(schedule, commodities)
    return schedule


def _sub_accounts(schedule: Schedule, entries: list[Custom], assets: str) -> None:
    terms: list[Term[SubAccount]] = []
    faulty: list[tuple[str, str]] = []
    for entry in entries:
        name, term, faults = lending_terms.sub_account(entry, assets)
        schedule.problems += faults
        if term is not None:
            terms.append(term)
        elif name is not None:
            faulty.append((name, lending_terms.root_of(entry)))
        else:
            schedule.unplaced = True
    ordered = _ordered(schedule, "sub-account", terms)
    imported: dict[str, bool] = {}
    for number, term in enumerate(ordered):
        name, root = term.name, term.value.root
        if term.seconds:
            # A directive of an hour cannot say whose interest counts: that is so by the day.
            value = replace(term.value, imported=imported.get(name, False))
            ordered[number] = replace(term, value=value)
        else:
            imported[name] = term.value.imported
        first = schedule.roots.setdefault(name, root)
        if root != first:
            schedule.problems.append(problems.root_changed(term.source, name, root, first))
            schedule.blocked.add(("sub-account", name))
    for name, root in faulty:
        schedule.roots.setdefault(name, root)
        schedule.blocked.add(("sub-account", name))
    _apart(schedule, {term.name: term.source for term in reversed(ordered)})
    for (_, name), timeline in sorted(_timelines(ordered, {""}).items()):
        if name in schedule.roots:
            schedule.sub_accounts[name] = timeline


def _apart(schedule: Schedule, sources: Mapping[str, Source]) -> None:
    """Refuse a sub-account that lies in another, or at the same place as an earlier one."""
    # An account below both would belong to two sub-accounts.
    first: dict[str, str] = {}
    for name, root in schedule.roots.items():
        first.setdefault(root, name)
    for name, root in list(schedule.roots.items()):
        others = [first[root]] if first[root] != name else []
        above = root.rpartition(":")[0]
        while above and not others:
            others = [first[above]] if above in first else []
            above = above.rpartition(":")[0]
        if others and ("sub-account", name) not in schedule.blocked:
            schedule.problems.append(problems.root_taken(sources[name], name, root, others[0]))
            schedule.blocked.add(("sub-account", name))
            schedule.unplaced = True
            if schedule.roots[others[0]] == root:
                del schedule.roots[name]


def _terms(
    schedule: Schedule, entries: list[Custom], reader: Callable[[Custom], Read[V]], venues: set[str]
) -> list[Term[V]]:
    """Return the terms of one kind, in order of time."""
    terms: list[Term[V]] = []
    for entry in entries:
        name, term, faults = reader(entry)
        _collect(schedule, entry.type, name, faults)
        if term is not None and _at_venue(schedule, entry.type, term, venues):
            terms.append(term)
    return _ordered(schedule, entries[0].type if entries else "", terms)


def _timelines(terms: list[Term[V]], venues: set[str]) -> dict[tuple[str, str], Timeline[V]]:
    """Return the terms in force, by venue and name."""
    by_place: dict[tuple[str, str], list[Term[V]]] = {}
    for term in terms:
        for venue in venues if term.venue is None else (term.venue,):
            by_place.setdefault((venue, term.name), []).append(term)
    return {
        key: Timeline((moment(term.day, term.seconds), term.value) for term in changes)
        for key, changes in by_place.items()
    }


def _rates(
    schedule: Schedule,
    entries: list[Custom],
    pools: list[Term[Pool]],
    venues: set[str],
    folder: str,
) -> None:
    series: Series[QuotedRates, Rates] = Series(rate_files.read, _pool_rates)
    terms: list[Term[RatesTerm]] = []
    for entry in entries:
        coin, term, faults = lending_terms.lending_rate(entry)
        _collect(schedule, "lending-rate", coin, faults)
        if term is not None and _at_venue(schedule, "lending-rate", term, venues):
            if not _is_observed(term, pools) and ("coin", term.name) not in schedule.blocked:
                faults = [problems.rate_without_pool(term.source, term.name)]
            else:
                faults = series.file(term, folder)
            _collect(schedule, "lending-rate", coin, faults)
            if not faults:
                if series.is_lost(term):
                    _block(schedule, "lending-rate", term.name)
                terms.append(term)
    schedule.named |= series.files.keys()
    schedule.rates, schedule.files = series.in_force(
        _ordered(schedule, "lending-rate", terms), venues
    )


def _pool_rates(quoted: QuotedRates, source: Source) -> Rates:
    return Rates(quoted.supply, quoted.borrow, quoted.utilization, None, source)


def _is_observed(term: Term[RatesTerm], pools: list[Term[Pool]]) -> bool:
    """Tell whether a pool takes its rates from a directive."""
    return any(
        pool.name == term.name
        and isinstance(pool.value, ObservedPool)
        and (pool.venue == term.venue or None in (pool.venue, term.venue))
        for pool in pools
    )


def _commodities(schedule: Schedule, commodities: Iterable[Commodity]) -> None:
    for entry in commodities:
        if "maturity" in entry.meta:
            schedule.maturing[entry.currency] = entry
        if not any(key in entry.meta for key in COMMODITY_KEYS):
            continue
        quantum, days, faults = lending_terms.commodity(entry)
        _collect(schedule, "commodity", entry.currency, faults)
        if quantum is not None:
            schedule.quanta[entry.currency] = quantum
        if days is not None:
            schedule.stale_after[entry.currency] = days
        text = partial(commodity_text, entry, COMMODITY_KEYS)
        # Its date says nothing: a quantum counts on every day, so from the first.
        schedule.inputs.append(Input(NO_DAY, text, source_of(entry.meta)))


def _yields(
    schedule: Schedule, kinds: dict[str, list[Custom]], venues: set[str], assets: str, folder: str
) -> None:
    """Read yield products, their rates and bonuses; a product with a fault is not in force."""
    reader = partial(yield_terms.yield_product, assets=assets)
    products = _terms(schedule, kinds["yield-product"], reader, venues)
    for faulty, problem in yield_checks.faults(products, schedule.roots, venues):
        _collect(schedule, "yield-product", faulty, [problem])
    first = {term.name: term.value for term in reversed(products)}
    names = {name for kind, name in schedule.blocked if kind == "product"} | first.keys()
    _treasury_rates(schedule, kinds["treasury-rate"], first, names, venues, folder)
    bonuses: dict[tuple[str, str], list[Term[Bonus]]] = {}
    for entry in kinds["yield-bonus"]:
        name, term, faults = yield_checks.bonus(entry, first, names, schedule.roots)
        _collect(schedule, "yield-bonus", name, faults)
        if name is not None and term is not None:
            bonuses.setdefault((term.name, name), []).append(term)
    for (sub_account, name), terms in bonuses.items():
        count = len(schedule.problems)
        ordered = _ordered(schedule, "yield-bonus", terms)
        schedule.bonuses[sub_account, name] = _timelines(ordered, {""})["", sub_account]
        if len(schedule.problems) > count:
            schedule.blocked.add(("product", name))
    # The accounts of a malformed product are still its own, so that one mistake is one error. If
    # the account of bills itself cannot be read, no account under a venue is called a stray one.
    schedule.bills, schedule.lost = yield_terms.places(kinds["yield-product"], assets)
    schedule.products = {
        key: timeline
        for key, timeline in _timelines(products, venues).items()
        if ("product", key[1]) not in schedule.blocked
    }


def _treasury_rates(
    schedule: Schedule,
    entries: list[Custom],
    products: dict[str, YieldProduct],
    names: set[str],
    venues: set[str],
    folder: str,
) -> None:
    series: Series[Decimal, TreasuryRate] = Series(rate_files.read_daily, _treasury_rate)
    terms: list[Term[RateTerm]] = []
    for entry in entries:
        name, term, faults = yield_checks.treasury_rate(entry, products, names)
        if term is not None:
            faults = series.file(term, folder)
        _collect(schedule, "treasury-rate", name, faults)
        if term is not None and not faults and _at_venue(schedule, "treasury-rate", term, venues):
            if series.is_lost(term):
                _block(schedule, "treasury-rate", term.name)
            terms.append(term)
    ordered = _ordered(schedule, "treasury-rate", terms)
    schedule.named |= series.files.keys()
    schedule.treasury_rates, schedule.yield_files = series.in_force(ordered, venues)


def _treasury_rate(quoted: Decimal, source: Source) -> TreasuryRate:
    return TreasuryRate(quoted, None, source)


def _collect(schedule: Schedule, kind: str, name: str | None, faults: list[Problem]) -> None:
    schedule.problems += faults
    if faults and name is not None:
        _block(schedule, kind, name)


def _block(schedule: Schedule, kind: str, name: str) -> None:
    schedule.blocked.add((BLOCKS.get(kind, "coin"), name))


def _at_venue(schedule: Schedule, kind: str, term: Term[V], venues: set[str]) -> bool:
    if term.venue is None or term.venue in venues or schedule.unplaced:
        return True
    # Like a rate without a pool, this is almost always a slip of the pen. Silence would look like a
    # pool that pays nothing.
    what, stranger = _what(kind, term.name), (term.venue, term.source.file)
    if stranger not in schedule.strangers:
        schedule.problems.append(problems.unknown_venue(term.source, what, term.venue, venues))
        schedule.strangers.add(stranger)
    _block(schedule, kind, term.name)
    return False


def _ordered(schedule: Schedule, kind: str, terms: list[Term[V]]) -> list[Term[V]]:
    """Sort terms by time, one that names its venue last; report two of one moment."""
    seen: dict[tuple[str, str | None, int, int], Term[V]] = {}
    for term in terms:
        key = (term.name, term.venue, term.day, term.seconds)
        if key in seen:
            what, other = _what(kind, term.name), seen[key].source.seen_from(term.source)
            schedule.problems.append(problems.two_alike(term.source, what, other))
            _block(schedule, kind, term.name)
        seen[key] = term
    return sorted(terms, key=lambda term: (term.day, term.seconds, term.venue is not None))


def _what(kind: str, name: str) -> str:
    return f'{kind} "{name}"' if name else kind
