"""Yield checks: yield products, their rates and bonuses must agree with the rest of the terms."""

from collections.abc import Collection, Iterator, Mapping

from beancount.core.data import Custom

from usance.language import yield_terms
from usance.language.directive import Read, Term
from usance.language.yield_terms import RateTerm, venue_of
from usance.model import problems
from usance.model.problems import Problem
from usance.model.terms import Bonus, YieldProduct


def faults(
    terms: list[Term[YieldProduct]], roots: Mapping[str, str], venues: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    """Yield products that contradict themselves, another one or a sub-account.

    terms  in order of time
    roots  account of assets of each sub-account
    """
    first: dict[str, YieldProduct] = {}
    owners = {root: f'sub-account "{owner}"' for owner, root in sorted(roots.items())}
    coins: dict[tuple[str, str], str] = {}
    for term in terms:
        begun = first.setdefault(term.name, term.value)
        refused = [
            *_changes(term, begun),
            *_placed(term, owners, venues),
            *_alone(term, coins, venues),
        ]
        if term.name in roots:
            refused.append(problems.product_name_taken(term.source, term.name))
        for problem in refused:
            yield term.name, problem


def _changes(term: Term[YieldProduct], begun: YieldProduct) -> Iterator[Problem]:
    """Refuse another asset, source or account than a product began with."""
    for what, now, before in zip(FIXED, _fixed(term.value), _fixed(begun), strict=True):
        if now != before:
            yield problems.product_changed(term.source, term.name, what, now, before)


FIXED = ("asset", "source", "account of bills")


def _fixed(product: YieldProduct) -> tuple[str, str, str]:
    if product.bills is None:
        return product.asset, "observed", ""
    return product.asset, "bills", product.bills.account


def _alone(
    term: Term[YieldProduct], coins: dict[tuple[str, str], str], venues: Collection[str]
) -> Iterator[Problem]:
    """Refuse a second product for a coin at a venue."""
    coin = term.value.asset
    for venue in sorted(venues if term.venue is None else {term.venue}):
        other = coins.setdefault((venue, coin), term.name)
        if other != term.name:
            yield problems.two_products(term.source, term.name, coin, venue, other)


def _placed(
    term: Term[YieldProduct], owners: dict[str, str], venues: Collection[str]
) -> Iterator[Problem]:
    """Refuse bills at no venue, or among the accounts of a sub-account or another product."""
    bills, ours = term.value.bills, f'product "{term.name}"'
    if bills is None:
        return
    entity, venue = bills.account.rpartition(":")[0], venue_of(bills)
    why = [] if venue in venues else [f"no sub-account is at {venue}"]
    why += [
        f"it overlaps with the accounts of {owner}"
        for account, owner in owners.items()
        if owner != ours and _overlap(entity, account)
    ]
    for text in why[:1]:
        yield problems.product_account(term.source, term.name, bills.account, text)
    owners.setdefault(entity, ours)


def _overlap(one: str, other: str) -> bool:
    return f"{one}:".startswith(f"{other}:") or f"{other}:".startswith(f"{one}:")


def treasury_rate(
    entry: Custom, products: Mapping[str, YieldProduct], names: Collection[str]
) -> Read[RateTerm]:
    """Read a rate of a product that is declared and observed.

    products  those without a fault, as first declared
    names     of all that are declared
    """
    read = yield_terms.treasury_rate(entry)
    name, term, _ = read
    if term is None or name is None:
        return read
    if name not in names:
        what = f'treasury-rate "{name}"'
        unknown = problems.unknown_product(term.source, what, name, names)
        return Read(name, None, [unknown])
    if name in products and products[name].bills is not None:
        return Read(name, None, [problems.rate_of_bills(term.source, name)])
    return read


def bonus(
    entry: Custom,
    products: Mapping[str, YieldProduct],
    names: Collection[str],
    sub_accounts: Collection[str],
) -> Read[Bonus]:
    """Read a bonus; the term has the name of its sub-account."""
    name, term, faults = yield_terms.yield_bonus(entry)
    if term is None or name is None:
        return Read(name, None, faults)
    sub_account, currency = term.value.sub_account, term.value.currency
    what = f'yield-bonus "{name}" "{sub_account}"'
    refused: list[Problem] = []
    if name not in names:
        refused.append(problems.unknown_product(term.source, what, name, names))
    if sub_account not in sub_accounts:
        refused.append(problems.unknown_sub_account(term.source, what, sub_account, sub_accounts))
    if name in products and currency not in ("", products[name].asset):
        coin = products[name].asset
        refused.append(problems.wrong_currency(term.source, what, "cap", currency, coin))
    if refused:
        return Read(name, None, refused)
    value = term.value.bonus
    return Read(name, Term(sub_account, None, term.day, term.seconds, value, term.source), [])
