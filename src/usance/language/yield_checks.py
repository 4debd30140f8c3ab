"""Yield rules: what yield products, their rates and bonuses must agree on with the rest."""

from collections.abc import Collection, Iterator, Mapping

from beancount.core.data import Custom

from usance.language import yield_terms as yield_directives
from usance.language.directive import Term
from usance.language.yield_terms import ReadRate, venue_of
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
        found = [
            *_changes(term, begun),
            *_placed(term, owners, venues),
            *_alone(term, coins, venues),
        ]
        if term.name in roots:
            found.append(problems.product_name_taken(term.source, term.name))
        for problem in found:
            yield term.name, problem


def _changes(term: Term[YieldProduct], begun: YieldProduct) -> Iterator[Problem]:
    """Refuse another asset, source or account than a product began with."""
    for what, now, before in zip(KEPT, _kept(term.value), _kept(begun), strict=True):
        if now != before:
            yield problems.product_changed(term.source, term.name, what, now, before)


KEPT = ("asset", "source", "account of bills")


def _kept(product: YieldProduct) -> tuple[str, str, str]:
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
    """Refuse bills at no venue, or in what belongs to a sub-account or another product."""
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
    entry: Custom, known: Mapping[str, YieldProduct], names: Collection[str]
) -> ReadRate:
    """Read a rate of a product that is declared and observed.

    known  products that were understood
    names  of all that were declared
    """
    name, term, wrong = yield_directives.treasury_rate(entry)
    if term is None or name is None:
        return name, term, wrong
    if name not in names:
        unknown = problems.unknown_product(term.source, f'treasury-rate "{name}"', name, names)
        return name, None, [*wrong, unknown]
    if name in known and known[name].bills is not None:
        return name, None, [*wrong, problems.rate_of_bills(term.source, name)]
    return name, term, wrong


def bonus(
    entry: Custom,
    known: Mapping[str, YieldProduct],
    names: Collection[str],
    sub_accounts: Collection[str],
) -> tuple[str | None, Term[Bonus] | None, list[Problem]]:
    """Read a bonus; the term has the name of its sub-account."""
    name, term, wrong = yield_directives.yield_bonus(entry)
    if term is None or name is None:
        return name, None, wrong
    sub_account, value, currency = term.value
    what = f'yield-bonus "{name}" "{sub_account}"'
    if name not in names:
        wrong.append(problems.unknown_product(term.source, what, name, names))
    if sub_account not in sub_accounts:
        wrong.append(problems.unknown_sub_account(term.source, what, sub_account, sub_accounts))
    if name in known and currency not in ("", known[name].asset):
        coin = known[name].asset
        wrong.append(problems.wrong_currency(term.source, what, "cap", currency, coin))
    if wrong:
        return name, None, wrong
    return name, Term(sub_account, None, term.day, term.seconds, value, term.source), []
