"""Yield reading: what a person posted on account of yield products, checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from beancount.core.data import Commodity, Transaction

from usance.language import yield_terms as yield_directives
from usance.language.canonical import Input, commodity_text
from usance.language.directive import source_of
from usance.language.schedule import Schedule
from usance.language.transactions import Receipt
from usance.model import periods, problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, ZERO, tally
from usance.model.book import Payment, ProductPosting
from usance.model.hours import SLOTS, iso
from usance.model.periods import Period
from usance.model.problems import Problem, Source
from usance.model.terms import YieldProduct
from usance.model.timeline import Timeline

UNREAD = 0
"""Of a bill whose commodity states a maturity that is none."""

Products = dict[tuple[str, str], Timeline[YieldProduct]]


@dataclass(slots=True)
class Backing:
    """Products in force, and what a person posted to what backs them, by product and day.

    maturities  day, by bill that is held
    inputs      what such bills state, from the day on which they are first held
    """

    products: Products
    reserved: dict[str, dict[int, list[ProductPosting]]] = field(default_factory=dict)
    maturities: dict[str, int] = field(default_factory=dict)
    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def backing(terms: Schedule, reserved: Mapping[str, Sequence[ProductPosting]]) -> Backing:
    """Return the products whose bills can accrete; nothing is generated for the others."""
    made = Backing(dict(terms.products))
    every = sorted((kept for of in reserved.values() for kept in of), key=lambda kept: kept.day)
    for kept in every:
        if kept.reserve is ProductAccount.BILLS and kept.commodity in terms.maturing:
            _mature(made, terms.maturing[kept.commodity], kept.day)
    for (venue, name), timeline in terms.products.items():
        if timeline.values[0].bills is None:
            continue
        asset = timeline.values[0].asset
        wrong = list(_faults(reserved.get(name, ()), asset, made.maturities))
        unread = any(
            made.maturities.get(kept.commodity) == UNREAD for kept in reserved.get(name, ())
        )
        if wrong or unread:
            made.problems += wrong
            del made.products[venue, name]
            continue
        days: dict[int, list[ProductPosting]] = {}
        for kept in sorted(reserved.get(name, ()), key=lambda kept: kept.day):
            if kept.reserve is ProductAccount.BILLS or kept.commodity == asset:
                days.setdefault(kept.day, []).append(kept)
        made.reserved[name] = days
    return made


def _mature(made: Backing, entry: Commodity, day: int) -> None:
    """Take over the maturity of a bill on the first day on which it is held."""
    # A quantum counts on every day, so a new one changes closed days. A new bill must not, so its
    # maturity is an input of that first day. `maturity:` on other commodities is left alone.
    if entry.currency not in made.maturities:
        made.maturities[entry.currency], wrong = yield_directives.maturity(entry)
        made.problems += wrong
        text = partial(commodity_text, entry, ("maturity",))
        made.inputs.append(Input(day, text, source_of(entry.meta)))


def _faults(
    reserved: Iterable[ProductPosting], asset: str, maturities: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield what is wrong with bills, once for each."""
    told: set[str] = set()
    for kept in reserved:
        if kept.reserve is not ProductAccount.BILLS or kept.commodity in told:
            continue
        problem = _fault(kept, asset, maturities)
        if problem is not None:
            told.add(kept.commodity)
            yield problem


def _fault(kept: ProductPosting, asset: str, maturities: Mapping[str, int]) -> Problem | None:
    bill, lot = kept.commodity, kept.lot
    if lot is None:
        return problems.bill_without_cost(kept.source, bill, asset)
    if lot.currency != asset or lot.cost <= 0:
        return problems.bill_cost(kept.source, bill, f"{lot.cost:f} {lot.currency}", asset)
    matures = maturities.get(bill)
    if matures == UNREAD:
        return None
    if matures is None:
        return problems.bill_without_maturity(kept.source, bill)
    if matures <= lot.day:
        day, bought = iso(matures), iso(lot.day)
        return problems.bill_matured(kept.source, bill, day, bought)
    return None


def payments(
    terms: Schedule, chart: ChartOfAccounts, receipts: Iterable[Receipt]
) -> tuple[list[Payment], list[Input], list[Problem]]:
    """Return what was paid, and inputs of the days on which a payout steps aside for it."""
    # A venue may pay a period in parts: each payment takes out of AccruedYield the amount it
    # states.
    made: list[Payment] = []
    inputs: list[Input] = []
    wrong: list[Problem] = []
    for entry, names, text in receipts:
        source, day = source_of(entry.meta), entry.date.toordinal()
        for name in names:
            if name not in terms.sub_accounts:
                continue
            period = None
            if "pays" in entry.meta:
                period, problem = _period(terms, name, entry.meta["pays"], source)
                if problem is not None:
                    wrong.append(problem)
                if period is None:
                    continue
                pays_on = period[1].end + 1
                if pays_on != day:
                    inputs.append(Input(pays_on, text, source))
            made += _payments(terms, chart, entry, name, period)
    return sorted(made, key=lambda payment: payment.day), inputs, wrong


def _period(
    terms: Schedule, name: str, pays: object, source: Source
) -> tuple[tuple[str, Period] | None, Problem | None]:
    """Read "USD 2025-05": product and period."""
    if not isinstance(pays, str):
        return None, problems.bad_pays(source, pays)
    product, _, text = pays.rpartition(" ")
    period = periods.named(text)
    if not product or period is None:
        return None, problems.bad_pays(source, pays)
    venue = terms.sub_accounts[name].values[0].venue
    timeline = terms.products.get((venue, product))
    if timeline is None:
        if ("product", product) in terms.blocked:
            return None, None
        known = {other for at, other in terms.products if at == venue}
        return None, problems.unknown_product(source, f'pays: "{pays}"', product, known)
    if not any(periods.pays_for(terms.payout, period) for terms in timeline.values):
        payout = (timeline.at(period.end * SLOTS) or timeline.values[0]).payout
        return None, problems.no_such_period(source, product, text, payout.value)
    return (product, period), None


def _payments(
    terms: Schedule,
    chart: ChartOfAccounts,
    entry: Transaction,
    name: str,
    period: tuple[str, Period] | None,
) -> Iterator[Payment]:
    """Yield what one transaction pays to one sub-account, by coin."""
    venue = terms.sub_accounts[name].values[0].venue
    sums: dict[tuple[str, Side], Decimal] = {}
    for posting in entry.postings:
        place = chart.side(posting.account)
        if place is not None and place[0] == name and posting.units is not None:
            number = posting.units.number
            assert isinstance(number, Decimal)
            key = (posting.units.currency, place[1])
            tally(sums, key, number)
    coins = {coin for coin, side in sums if side is Side.ACCRUED_YIELD}
    if period is not None:
        coins = {terms.products[venue, period[0]].values[0].asset}
    for coin in sorted(coins):
        paid = sums.get((coin, Side.WALLET), ZERO)
        taken = EXACT.minus(sums.get((coin, Side.ACCRUED_YIELD), ZERO))
        day, source = entry.date.toordinal(), source_of(entry.meta)
        yield Payment(day, name, coin, period, paid, taken, source)
