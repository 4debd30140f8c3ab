"""Yield rules: what yield products, their rates and bonuses must agree on with the rest."""

from collections.abc import Collection, Iterator, Mapping

from beancount.core.data import Custom

from usance import problems, yield_directives
from usance.directives import Term
from usance.problems import Problem
from usance.terms import Bonus, YieldProduct
from usance.yield_directives import ReadRate, venue_of


def faults(
    terms: list[Term[YieldProduct]], roots: Mapping[str, str], venues: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    """Yield products that contradict themselves, another one or a sub-account.

    terms  in order of time
    roots  account of assets of each sub-account
    """
    first: dict[str, Term[YieldProduct]] = {}
    owners: dict[str, str] = {}
    coins: dict[tuple[str, str], str] = {}
    for term in terms:
        name, product = term.name, term.value
        begun = first.setdefault(name, term).value
        for what, now, before in (
            ("asset", product.asset, begun.asset),
            ("source", _source(product), _source(begun)),
            ("account", _account(product), _account(begun)),
        ):
            if now != before:
                yield name, problems.product_changed(term.source, name, what, now, before)
                break
        if name in roots:
            yield name, problems.product_name_taken(term.source, name)
        for venue in sorted(venues if term.venue is None else {term.venue}):
            other = coins.setdefault((venue, product.asset), name)
            if other != name:
                yield name, problems.two_products(term.source, name, product.asset, venue, other)
        if product.bills is None:
            continue
        if venue_of(product.bills) not in venues:
            venue = venue_of(product.bills)
            yield (
                name,
                problems.product_account(
                    term.source, name, product.bills.account, f"no sub-account is at {venue}"
                ),
            )
        entity = product.bills.account.rpartition(":")[0]
        taken = owners | {root: f'sub-account "{owner}"' for owner, root in roots.items()}
        for account, owner in sorted(taken.items()):
            if owner != f'product "{name}"' and _overlap(entity, account):
                yield (
                    name,
                    problems.product_account(
                        term.source,
                        name,
                        product.bills.account,
                        f"it lies in what belongs to {owner}",
                    ),
                )
                break
        owners[entity] = f'product "{name}"'


def _overlap(one: str, other: str) -> bool:
    return f"{one}:".startswith(f"{other}:") or f"{other}:".startswith(f"{one}:")


def _source(product: YieldProduct) -> str:
    return "observed" if product.bills is None else "bills"


def _account(product: YieldProduct) -> str:
    return "" if product.bills is None else product.bills.account


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
