"""Totals: the margin of a sub-account at the venue's prices, beside what the venue says of it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple

from usance.engine.valuation import Valuer
from usance.feeding.lines import TOTAL_PLACES, Class, Line, rounded
from usance.feeding.moments import BooksThen
from usance.feeding.venue_side import RESULT_CUT, There
from usance.model.amounts import PRECISE, ZERO
from usance.model.quotes import Quotes
from usance.model.timeline import in_force
from usance.rules.margin import Position, Valuation, evaluate, repriced

TOTALS = {
    "net_equity": "netEquity",
    "available_equity": "netEquityAvailable",
    "initial_margin": "netEquityLocked",
    "borrow_liability": "borrowLiability",
    "margin_fraction": "marginFraction",
}
"""Each line, and the field of the collateral answer that it is held against."""


class Sums(NamedTuple):
    """The totals of a sub-account; fraction None without exposure."""

    net_equity: Decimal
    available_equity: Decimal
    initial_margin: Decimal
    borrow_liability: Decimal
    margin_fraction: Decimal | None
    exposure: Decimal


def compared(
    then: BooksThen, there: There, others: Quotes, rules: Mapping[str, str], notes: list[str]
) -> Iterator[Line]:
    """Yield the totals that the venue states.

    others  prices of the ledger for commodities without terms
    rules   that explain why another amount is held and owed there, by coin
    """
    stated = {line: key for line, key in TOTALS.items() if key in there.snapshot.totals}
    if not stated:
        return
    if left := [key for key in TOTALS.values() if key not in stated.values()]:
        notes.append(f"The collateral answer has no {', '.join(left)}: their lines are left out.")
    valuation = _valuation(then, there, others, notes)
    if valuation is None:
        return
    books, *explaining = list(_variants(then, there, valuation, rules))
    for line, key in stated.items():
        venue = there.snapshot.totals[key]
        found = _line(line, books[1], venue)
        if found is not None:
            yield found.explained(_rule(found, venue, [books, *explaining], there))


def _line(line: str, sums: Sums, venue: Decimal | None) -> Line | None:
    books = getattr(sums, line)
    if books is None and venue is None:
        return None
    return rounded(line, "", books, venue, TOTAL_PLACES)


Variant = tuple[str, Sums]
"""A rule, and the totals of the books if the venue is right in what it explains."""


def _rule(found: Line, venue: Decimal | None, variants: list[Variant], there: There) -> str:
    """Return the first rule, or rules, with which a total agrees, or ""."""
    if found.kind.is_ok or venue is None:
        return ""
    for rule, sums in variants:
        other = _line(found.line, sums, venue)
        if other is not None and other.kind in (Class.MATCHED, Class.ROUNDING):
            return rule
        if _is_cut(found.line, sums, venue, there):
            return f"{rule}, truncated" if rule else "truncated"
    return ""


def _is_cut(line: str, sums: Sums, venue: Decimal, there: There) -> bool:
    """Tell whether a total differs by what the venue cuts off the results of positions."""
    if line not in ("net_equity", "available_equity", "margin_fraction"):
        return False
    books = getattr(sums, line)
    if books is None:
        return False
    with localcontext(PRECISE):
        gap = abs(books - venue)
        if line == "margin_fraction":
            gap *= sums.exposure
        return bool(gap < RESULT_CUT * there.shown)


def _valuation(then: BooksThen, there: There, others: Quotes, notes: list[str]) -> Valuation | None:
    """Return what the sub-account has at the venue's prices, the ledger's where it has none."""
    valuer = Valuer(then.book, then.state, then.whole, _fallback(then, there, others))
    valuer.moment = then.terms
    found = valuer.valuation(then.name)
    if found is None:
        notes.append(f"The totals are left out. {valuer.problems[-1].message}")
        return None
    return repriced(found, there.prices)


def _fallback(then: BooksThen, there: There, others: Quotes) -> Quotes:
    """Return prices for what the ledger has none of: those of the venue."""
    found = dict(others.prices)
    for commodity, price in there.prices.items():
        terms = in_force(then.book.perpetuals, (then.venue, commodity), then.terms)
        quote = then.book.operating if terms is None else terms.settle
        found[commodity, quote] = ([then.whole], [price])
    return Quotes(found)


def _variants(
    then: BooksThen, there: There, valuation: Valuation, rules: Mapping[str, str]
) -> Iterator[Variant]:
    """Yield the books as they are, and as the venue has them in what rules explain."""
    ordered = _with_orders(then, there, valuation)
    yield "", _sums(valuation, valuation)
    if ordered is not None:
        yield "open orders", _sums(valuation, ordered)
    holding = {coin: rule for coin, rule in rules.items() if rule}
    if holding:
        rule = ", ".join(sorted({part for one in holding.values() for part in one.split(", ")}))
        swapped = _as_held_there(then, there, valuation, holding)
        yield rule, _sums(swapped, swapped)
        if ordered is not None:
            positions = ordered.positions
            yield f"open orders, {rule}", _sums(swapped, swapped._replace(positions=positions))


def _sums(valuation: Valuation, exposed: Valuation) -> Sums:
    """Return totals: the equity of what is held, the margin of what could come to be held."""
    margin, taken = evaluate(valuation), evaluate(exposed)
    with localcontext(PRECISE):
        return Sums(
            margin.net_equity,
            margin.net_equity - taken.initial_margin,
            taken.initial_margin,
            margin.borrow_liability,
            margin.net_equity / taken.exposure if taken.exposure else None,
            taken.exposure,
        )


def _with_orders(then: BooksThen, there: There, valuation: Valuation) -> Valuation | None:
    """Return positions in the quantities that the venue takes margin for, None if they are ours."""
    positions, changed = [], False
    for position in valuation.positions:
        standing = there.positions.get(position.market)
        exposure = standing.exposure if standing is not None else None
        if exposure is not None and exposure != abs(position.quantity):
            changed = True
            positions.append(position._replace(quantity=exposure))
        else:
            positions.append(position)
    known = {position.market for position in positions}
    for market, standing in sorted(there.positions.items()):
        terms = in_force(then.book.perpetuals, (then.venue, market), then.terms)
        if market in known or not standing.exposure or terms is None or standing.mark is None:
            continue
        settle = there.prices.get(terms.settle, Decimal(1))
        changed = True
        positions.append(Position(market, standing.exposure, ZERO, standing.mark, settle, terms))
    return valuation._replace(positions=tuple(positions)) if changed else None


def _as_held_there(
    then: BooksThen, there: There, valuation: Valuation, rules: Mapping[str, str]
) -> Valuation:
    """Return what is held and owed as the venue has it, of the coins whose debt a rule explains.

    What is held more, or less, than here comes out of results: out of the balance in Perp.
    """
    assets = {asset.coin: asset for asset in valuation.assets}
    debts = {debt.coin: debt for debt in valuation.debts}
    perp = dict(valuation.perp)
    valuer = Valuer(then.book, then.state, then.whole, _fallback(then, there, Quotes({})))
    valuer.moment = then.terms
    for coin in rules:
        held, owed = there.held(coin), there.owes(coin)
        with localcontext(PRECISE):
            more = held - owed - (then.wallet(coin) - then.owed(coin))
        assets.pop(coin, None)
        debts.pop(coin, None)
        if held and (asset := valuer.asset(then.name, coin, held, ZERO)) is not None:
            assets[coin] = asset
        if owed and (debt := valuer.debt(then.name, coin, owed)) is not None:
            debts[coin] = debt
        if coin in perp:
            balance, price = perp[coin]
            perp[coin] = (PRECISE.subtract(balance, more), price)
    swapped = valuation._replace(
        assets=tuple(assets.values()), debts=tuple(debts.values()), perp=perp
    )
    return repriced(swapped, there.prices)
