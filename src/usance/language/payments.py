"""Payments: bills and payouts that a person posted on account of yield products, checked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from beancount.core.data import Commodity, Transaction

from usance.language import yield_terms
from usance.language.canonical import Input, commodity_text
from usance.language.directive import source_of
from usance.language.schedule import Schedule
from usance.language.transactions import Receipt, Written, units_of
from usance.model import periods, problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, ZERO, tally
from usance.model.book import Payment, ProductPosting, Yields
from usance.model.hours import Day, day_of, iso, moment
from usance.model.periods import Period
from usance.model.problems import Problem, Source
from usance.model.terms import Stage, YieldProduct
from usance.model.timeline import Timeline

UNREAD = 0
"""The maturity of a bill whose commodity does not state a day."""


@dataclass(frozen=True, slots=True)
class Products:
    """Yield products in force, with what a person posted on account of them.

    inputs  maturities, from the first day of each bill; payments, on the day of the payout
    """

    yields: Yields
    inputs: list[Input]
    problems: list[Problem]


def read(
    written: Written, terms: Schedule, chart: ChartOfAccounts, stages: frozenset[Stage]
) -> Products:
    """Return the products in force; their problems count if the yield split is enabled."""
    bills = _bills(written.postings, terms.maturing)
    backing = _backing(written.postings, terms.products, bills.maturities)
    paid = _paid(written.receipts, terms, chart)
    payments = sorted(paid.payments, key=lambda payment: payment.day)
    yields = Yields(
        products=backing.products,
        rates=terms.treasury_rates,
        bonuses=terms.bonuses,
        maturities=bills.maturities,
        reserved=backing.reserved,
        payments=payments,
        settled=frozenset((paid.sub_account, *paid.period) for paid in payments if paid.period),
    )
    faults = [*bills.problems, *backing.problems, *paid.problems]
    return Products(
        yields, [*bills.inputs, *paid.inputs], faults if Stage.YIELD_SPLIT in stages else []
    )


@dataclass(frozen=True, slots=True)
class _Bills:
    """Bills that are held.

    maturities  day, by bill
    inputs      maturities, each from the day on which its bill is first held
    """

    maturities: dict[str, Day] = field(default_factory=dict)
    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _bills(
    postings: Mapping[str, list[ProductPosting]], maturing: Mapping[str, Commodity]
) -> _Bills:
    """Return the maturities of bills that are held."""
    # A quantum counts on every day, so a new one changes closed days. A new bill must not, so its
    # maturity is an input of its first day. `maturity:` on other commodities is left alone.
    bills = _Bills()
    every = sorted((one for of_one in postings.values() for one in of_one), key=_day)
    for posting in every:
        entry = maturing.get(posting.commodity)
        is_new = posting.commodity not in bills.maturities
        if posting.reserve is ProductAccount.BILLS and entry is not None and is_new:
            bills.maturities[posting.commodity], faults = yield_terms.maturity(entry)
            bills.problems.extend(faults)
            text = partial(commodity_text, entry, ("maturity",))
            bills.inputs.append(Input(posting.day, text, source_of(entry.meta)))
    return bills


def _day(posting: ProductPosting) -> Day:
    return posting.day


@dataclass(frozen=True, slots=True)
class _Backing:
    """Products whose bills can accrete, and the postings to the accounts that back them, by day."""

    products: dict[tuple[str, str], Timeline[YieldProduct]]
    reserved: dict[str, dict[Day, list[ProductPosting]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _backing(
    postings: Mapping[str, list[ProductPosting]],
    products: Mapping[tuple[str, str], Timeline[YieldProduct]],
    maturities: Mapping[str, Day],
) -> _Backing:
    """Return the products whose bills can accrete; nothing is generated for the others."""
    backing = _Backing(dict(products))
    for (venue, name), timeline in products.items():
        asset, of_product = timeline.values[0].asset, postings.get(name, [])
        if timeline.values[0].bills is None:
            continue
        faults = list(_faults(of_product, asset, maturities))
        if faults or any(maturities.get(one.commodity) == UNREAD for one in of_product):
            backing.problems.extend(faults)
            del backing.products[venue, name]
            continue
        days: dict[Day, list[ProductPosting]] = {}
        for posting in sorted(of_product, key=_day):
            if posting.reserve is ProductAccount.BILLS or posting.commodity == asset:
                days.setdefault(posting.day, []).append(posting)
        backing.reserved[name] = days
    return backing


def _faults(
    postings: Iterable[ProductPosting], asset: str, maturities: Mapping[str, Day]
) -> Iterator[Problem]:
    """Yield the faults of bills, one for each bill at most."""
    refused: set[str] = set()
    for posting in postings:
        if posting.reserve is not ProductAccount.BILLS or posting.commodity in refused:
            continue
        problem = _fault(posting, asset, maturities)
        if problem is not None:
            refused.add(posting.commodity)
            yield problem


def _fault(posting: ProductPosting, asset: str, maturities: Mapping[str, Day]) -> Problem | None:
    bill, lot = posting.commodity, posting.lot
    if lot is None:
        return problems.bill_without_cost(posting.source, bill, asset)
    if lot.currency != asset or lot.cost <= 0:
        return problems.bill_cost(posting.source, bill, f"{lot.cost:f} {lot.currency}", asset)
    matures = maturities.get(bill)
    if matures == UNREAD:
        return None
    if matures is None:
        return problems.bill_without_maturity(posting.source, bill)
    if matures <= lot.day:
        day, bought = iso(matures), iso(lot.day)
        return problems.bill_matured(posting.source, bill, day, bought)
    return None


@dataclass(frozen=True, slots=True)
class _Paid:
    """Payments, and inputs of the days on which a payout steps aside for one."""

    payments: list[Payment] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _paid(receipts: Iterable[Receipt], terms: Schedule, chart: ChartOfAccounts) -> _Paid:
    """Return the payments that a person wrote."""
    # A venue may pay a period in parts: each payment takes out of AccruedYield the amount it
    # states.
    paid = _Paid()
    for entry, names, text in receipts:
        source, day = source_of(entry.meta), day_of(entry.date)
        for name in names:
            if name not in terms.sub_accounts:
                continue
            period = None
            if "pays" in entry.meta:
                period, problem = _period(terms, name, entry.meta["pays"], source)
                if problem is not None:
                    paid.problems.append(problem.of(name))
                if period is None:
                    continue
                pays_on = Day(period[1].end + 1)
                if pays_on != day:
                    paid.inputs.append(Input(pays_on, text, source))
            paid.payments.extend(_payments(terms, chart, entry, name, period))
    return paid


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
    venue = terms.venue(name)
    timeline = terms.products.get((venue, product))
    if timeline is None:
        if ("product", product) in terms.blocked:
            return None, None
        names = {other for at, other in terms.products if at == venue}
        return None, problems.unknown_product(source, f'pays: "{pays}"', product, names)
    if not any(periods.pays_for(terms.payout, period) for terms in timeline.values):
        payout = (timeline.at(moment(period.end)) or timeline.values[0]).payout
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
    venue = terms.venue(name)
    sums: dict[tuple[str, Side], Decimal] = {}
    for posting in entry.postings:
        place = chart.side(posting.account)
        if place is not None and place[0] == name and posting.units is not None:
            number, coin = units_of(posting)
            tally(sums, (coin, place[1]), number)
    coins = {coin for coin, side in sums if side is Side.ACCRUED_YIELD}
    if period is not None:
        coins = {terms.products[venue, period[0]].values[0].asset}
    for coin in sorted(coins):
        paid = sums.get((coin, Side.WALLET), ZERO)
        taken = EXACT.minus(sums.get((coin, Side.ACCRUED_YIELD), ZERO))
        day, source = day_of(entry.date), source_of(entry.meta)
        yield Payment(day, name, coin, period, paid, taken, source)
