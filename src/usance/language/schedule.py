"""Schedule: the terms of a ledger, each in force from its moment to the next of its kind."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from beancount.core.data import Commodity, Custom

from usance.language import canonical as inputs
from usance.language import lending_terms as directives
from usance.language import margin_terms as margin_directives
from usance.language import rate_files
from usance.language import yield_checks as yield_rules
from usance.language import yield_terms as yield_directives
from usance.language.canonical import Input
from usance.language.directive import RatesFile, Term, source_of
from usance.language.lending_terms import QuotedRates, RatesTerm
from usance.language.rate_series import Files, Series
from usance.model import problems
from usance.model.hours import moment
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
R = TypeVar("R")
COMMODITY_KEYS = ("quantum", "stale-after")
KEYS = {**directives.KEYS, **margin_directives.KEYS, **yield_directives.KEYS}
"""Every key of every kind of our directives."""

BLOCKS = {
    "sub-account": "sub-account",
    "yield-product": "product",
    "treasury-rate": "product",
    "yield-bonus": "product",
}
"""What a fault in a kind of directive blocks; all others block a coin or contract."""


@dataclass(slots=True)
class Schedule:
    """Terms in force, and what was wrong in them.

    roots          every declared sub-account's account of assets, malformed ones included
    quanta         by commodity, where it states one
    stale_after    days, by commodity, where it states them
    maturing       commodities that state a maturity; it is ours where a product holds them
    bills          account of bills, by product, malformed ones included
    lost           a product's account of bills cannot be read
    blocked        ("coin", "sub-account" or "product", name) with a fault: nothing is generated
    unplaced       a sub-account's directive could not be read: its accounts belong to nobody yet
    through        last day that a person asked to accrue, 0 where none
    latest         last day of which one of our directives is dated, `accrue-through` apart
    named          paths of rates files, also of those that cannot be read
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
    through: int = 0
    latest: int = 0
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
    made = Schedule()
    kinds: dict[str, list[Custom]] = defaultdict(list)
    for entry in customs:
        if entry.type in KEYS:
            kinds[entry.type].append(entry)
            if entry.type != "accrue-through":
                made.latest = max(made.latest, entry.date.toordinal())
                text = partial(inputs.custom_text, entry, KEYS[entry.type])
                made.inputs.append(Input(entry.date.toordinal(), text, source_of(entry.meta)))
    _sub_accounts(made, kinds["sub-account"], assets)
    venues = {directives.venue_of(root) for root in made.roots.values()}
    pools = _terms(made, kinds["lending-pool"], directives.lending_pool, venues)
    made.pools = _timelines(pools, venues)
    _rates(made, kinds["lending-rate"], pools, venues, folder)
    terms = _terms(made, kinds["collateral"], margin_directives.collateral, venues)
    made.collaterals = _timelines(terms, venues)
    contracts = _terms(made, kinds["perpetual"], margin_directives.perpetual, venues)
    made.perpetuals = _timelines(contracts, venues)
    modes = _terms(made, kinds["liquidation"], margin_directives.liquidation, venues)
    made.liquidations = _timelines(modes, venues)
    _yields(made, kinds, venues, assets, folder)
    _through(made, kinds["accrue-through"])
    _commodities(made, commodities)
    return made


def _sub_accounts(made: Schedule, entries: list[Custom], assets: str) -> None:
    terms: list[Term[SubAccount]] = []
    faulty: list[tuple[str, str]] = []
    for entry in entries:
        named, term, wrong = directives.sub_account(entry, assets)
        made.problems += wrong
        if term is not None:
            terms.append(term)
        elif named is not None:
            faulty.append(named)
        else:
            made.unplaced = True
    ordered = _ordered(made, "sub-account", terms)
    for term in ordered:
        name, root = term.name, term.value.root
        first = made.roots.setdefault(name, root)
        if root != first:
            made.problems.append(problems.root_changed(term.source, name, root, first))
            made.blocked.add(("sub-account", name))
    for name, root in faulty:
        made.roots.setdefault(name, root)
        made.blocked.add(("sub-account", name))
    _apart(made, {term.name: term.source for term in reversed(ordered)})
    for (_, name), timeline in sorted(_timelines(ordered, {""}).items()):
        if name in made.roots:
            made.sub_accounts[name] = timeline


def _apart(made: Schedule, sources: Mapping[str, Source]) -> None:
    """Refuse a sub-account that lies in another, or where an earlier one is."""
    first: dict[str, str] = {}
    for name, root in made.roots.items():
        first.setdefault(root, name)
    for name, root in list(made.roots.items()):
        others = [first[root]] if first[root] != name else []
        above = root.rpartition(":")[0]
        while above and not others:
            others = [first[above]] if above in first else []
            above = above.rpartition(":")[0]
        if others and ("sub-account", name) not in made.blocked:
            made.problems.append(problems.root_taken(sources[name], name, root, others[0]))
            made.blocked.add(("sub-account", name))
            made.unplaced = True
            if made.roots[others[0]] == root:
                del made.roots[name]


Read = Callable[[Custom], tuple[str | None, Term[V] | None, list[Problem]]]
"""Reads one directive: the name that it is about, the term, what is wrong with it."""


def _terms(
    made: Schedule, entries: list[Custom], reader: Read[V], venues: set[str]
) -> list[Term[V]]:
    """Return the terms of one kind, in order of time."""
    terms: list[Term[V]] = []
    for entry in entries:
        name, term, wrong = reader(entry)
        _collect(made, entry.type, name, wrong)
        if term is not None and _at_venue(made, entry.type, term, venues):
            terms.append(term)
    return _ordered(made, entries[0].type if entries else "", terms)


def _timelines(terms: list[Term[V]], venues: set[str]) -> dict[tuple[str, str], Timeline[V]]:
    """Return what is in force, by venue and name."""
    found: dict[tuple[str, str], list[Term[V]]] = {}
    for term in terms:
        for venue in venues if term.venue is None else (term.venue,):
            found.setdefault((venue, term.name), []).append(term)
    return {
        key: Timeline((moment(term.day, term.seconds), term.value) for term in changes)
        for key, changes in found.items()
    }


def _rates(
    made: Schedule, entries: list[Custom], pools: list[Term[Pool]], venues: set[str], folder: str
) -> None:
    series: Series[QuotedRates, Rates] = Series(rate_files.read, _pool_rates)
    terms: list[Term[RatesTerm]] = []
    for entry in entries:
        coin, term, wrong = directives.lending_rate(entry)
        _collect(made, "lending-rate", coin, wrong)
        if term is not None and _at_venue(made, "lending-rate", term, venues):
            if not _is_observed(term, pools) and ("coin", term.name) not in made.blocked:
                wrong = [problems.rate_without_pool(term.source, term.name)]
            else:
                wrong = series.file(term, folder)
            _collect(made, "lending-rate", coin, wrong)
            if not wrong:
                if series.is_lost(term):
                    _block(made, "lending-rate", term.name)
                terms.append(term)
    made.named |= series.files.keys()
    made.rates, made.files = series.in_force(_ordered(made, "lending-rate", terms), venues)


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


def _through(made: Schedule, entries: list[Custom]) -> None:
    for entry in entries:
        day, wrong = directives.accrue_through(entry)
        made.through = max(made.through, day)
        made.problems += wrong


def _commodities(made: Schedule, commodities: Iterable[Commodity]) -> None:
    for entry in commodities:
        if "maturity" in entry.meta:
            made.maturing[entry.currency] = entry
        if not any(key in entry.meta for key in COMMODITY_KEYS):
            continue
        quantum, days, wrong = directives.commodity(entry)
        _collect(made, "commodity", entry.currency, wrong)
        if quantum is not None:
            made.quanta[entry.currency] = quantum
        if days is not None:
            made.stale_after[entry.currency] = days
        text = partial(inputs.commodity_text, entry, COMMODITY_KEYS)
        # Its date says nothing: a quantum counts on every day, so from the first.
        made.inputs.append(Input(0, text, source_of(entry.meta)))


def _yields(
    made: Schedule, kinds: dict[str, list[Custom]], venues: set[str], assets: str, folder: str
) -> None:
    """Read yield products, their rates and bonuses; nothing of a product that has a fault."""
    reader = partial(yield_directives.yield_product, assets=assets)
    products = _terms(made, kinds["yield-product"], reader, venues)
    for faulty, problem in yield_rules.faults(products, made.roots, venues):
        _collect(made, "yield-product", faulty, [problem])
    known = {term.name: term.value for term in reversed(products)}
    names = {name for kind, name in made.blocked if kind == "product"} | known.keys()
    _treasury_rates(made, kinds["treasury-rate"], known, names, venues, folder)
    bonuses: dict[tuple[str, str], list[Term[Bonus]]] = {}
    for entry in kinds["yield-bonus"]:
        name, term, wrong = yield_rules.bonus(entry, known, names, made.roots)
        _collect(made, "yield-bonus", name, wrong)
        if name is not None and term is not None:
            bonuses.setdefault((term.name, name), []).append(term)
    for (sub_account, name), terms in bonuses.items():
        told = len(made.problems)
        ordered = _ordered(made, "yield-bonus", terms)
        made.bonuses[sub_account, name] = _timelines(ordered, {""})["", sub_account]
        if len(made.problems) > told:
            made.blocked.add(("product", name))
    # The accounts of a malformed product are still its own, so that one mistake is one error. If
    # the account of bills itself cannot be read, no account under a venue is called a stray one.
    made.bills, made.lost = yield_directives.places(kinds["yield-product"], assets)
    made.products = {
        key: timeline
        for key, timeline in _timelines(products, venues).items()
        if ("product", key[1]) not in made.blocked
    }


def _treasury_rates(
    made: Schedule,
    entries: list[Custom],
    known: dict[str, YieldProduct],
    names: set[str],
    venues: set[str],
    folder: str,
) -> None:
    series: Series[Decimal, TreasuryRate] = Series(rate_files.read_daily, _treasury_rate)
    terms: list[Term[Decimal | RatesFile]] = []
    for entry in entries:
        name, term, wrong = yield_rules.treasury_rate(entry, known, names)
        if term is not None:
            wrong += series.file(term, folder)
        _collect(made, "treasury-rate", name, wrong)
        if term is not None and not wrong and _at_venue(made, "treasury-rate", term, venues):
            if series.is_lost(term):
                _block(made, "treasury-rate", term.name)
            terms.append(term)
    ordered = _ordered(made, "treasury-rate", terms)
    made.named |= series.files.keys()
    made.treasury_rates, made.yield_files = series.in_force(ordered, venues)


def _treasury_rate(quoted: Decimal, source: Source) -> TreasuryRate:
    return TreasuryRate(quoted, None, source)


def _collect(made: Schedule, kind: str, name: str | None, wrong: list[Problem]) -> None:
    made.problems += wrong
    if wrong and name is not None:
        _block(made, kind, name)


def _block(made: Schedule, kind: str, name: str) -> None:
    made.blocked.add((BLOCKS.get(kind, "coin"), name))


def _at_venue(made: Schedule, kind: str, term: Term[V], venues: set[str]) -> bool:
    if term.venue is None or term.venue in venues or made.unplaced:
        return True
    # Like a rate without a pool, this is almost always a slip of the pen. Silence would look like a
    # pool that pays nothing.
    what = _what(kind, term.name)
    made.problems.append(problems.unknown_venue(term.source, what, term.venue, venues))
    _block(made, kind, term.name)
    return False


def _ordered(made: Schedule, kind: str, terms: list[Term[V]]) -> list[Term[V]]:
    """Sort terms by time, one that names its venue last; report two of one moment."""
    seen: dict[tuple[str, str | None, int, int], Term[V]] = {}
    for term in terms:
        key = (term.name, term.venue, term.day, term.seconds)
        if key in seen:
            what, other = _what(kind, term.name), seen[key].source.seen_from(term.source)
            made.problems.append(problems.two_alike(term.source, what, other))
            _block(made, kind, term.name)
        seen[key] = term
    return sorted(terms, key=lambda term: (term.day, term.seconds, term.venue is not None))


def _what(kind: str, name: str) -> str:
    return f'{kind} "{name}"' if name else kind
