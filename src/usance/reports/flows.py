"""Flows: what one transaction brings to each sub-account and product, and from whom.

A *party* is a sub-account or a product with all of its accounts, or an account of nobody's. What
one party gives and another one gets is matched coin by coin, at the day's price; what is bought or
sold is matched at weight, as Beancount balances it. What is then left of a party is its trading
difference: the value of its legs at the day's prices, less what they cost.
"""

from collections.abc import Callable, Collection, Container, Iterator
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, PRECISE, ZERO, tally, total
from usance.model.lots import Lot

Unit = tuple[str, str]
"""A commodity; of a contract, with the coin in which it settles, else with an empty text."""

NO_UNIT: Unit = ("", "")

Value = Callable[[Decimal, Unit], Decimal]
"""The value of units on a day, in the operating currency."""


Exchange = tuple[str, str, Decimal]
"""A party, the one that gives to it, and how much (negative: it gives)."""


class Leg(NamedTuple):
    """A leg of a transaction: units of a commodity, and what Beancount balances them at.

    party   sub-account or product that owns the account, or the account itself
    weight  in `currency`; the units themselves where they have neither a cost nor a price
    lot     of units at cost, or None
    held    it moves assets or liabilities of a party that is ours
    """

    party: str
    account: str
    units: Decimal
    unit: Unit
    weight: Decimal
    currency: Unit
    lot: Lot | None = None
    held: bool = False


class Flow(NamedTuple):
    """What a party gets from another one (negative: gives), in the operating currency.

    units  of `unit`, which are worth the amount
    """

    party: str
    other: str
    amount: Decimal
    units: Decimal
    unit: Unit


class Brought(NamedTuple):
    """What a transaction brings to its parties.

    traded  trading difference by party and unit
    """

    flows: list[Flow]
    traded: dict[tuple[str, Unit], Decimal]


def brought(legs: Collection[Leg], ours: Container[str], value: Value) -> Brought:
    """Return the flows and trading differences of those parties of a transaction that are ours.

    For each of them, the value of its legs is the sum of what flows to it and of its differences.
    """
    if _is_inside(legs):
        return Brought([], {})
    units: dict[Unit, dict[str, Decimal]] = {}
    weights: dict[tuple[str, Unit, Unit], Decimal] = {}
    worth: dict[str, Decimal] = {}
    for party, _, number, unit, weight, currency, *_ in legs:
        tally(units.setdefault(unit, {}), party, number)
        tally(weights, (party, unit, currency), weight)
        if party in ours:
            tally(worth, party, value(number, unit))
    found = [
        (*exchange, unit)
        for unit, of_parties in sorted(units.items())
        for exchange in _matched(of_parties, unit, weights)
    ]
    left: dict[Unit, dict[str, Decimal]] = {}
    traded: dict[tuple[str, Unit], Decimal] = {}
    for (party, unit, currency), weight in weights.items():
        tally(left.setdefault(currency, {}), party, weight)
        if unit != currency and party in ours:
            tally(traded, (party, unit), EXACT.minus(value(weight, currency)))
    for unit, of_parties in units.items():
        for party, number in of_parties.items():
            if (party, unit) in traded:
                tally(traded, (party, unit), value(number, unit))
    for currency, of_parties in sorted(left.items()):
        found += [(*exchange, currency) for exchange in _between(of_parties)]
    flows = [
        Flow(party, other, value(number, unit), number, unit)
        for party, other, number, unit in found
        if party in ours
    ]
    _square(flows, traded, worth)
    return Brought(flows, traded)


def _is_inside(legs: Collection[Leg]) -> bool:
    """Tell whether each party only moves coins from one of its accounts to another."""
    if len(legs) == 2:
        one, other = legs
        if one.party == other.party and one.unit == other.unit:
            plain = one.weight is one.units and other.weight is other.units
            if plain and one.unit == one.currency == other.currency:
                return not EXACT.add(one.units, other.units)
    sums: dict[tuple[str, Unit], Decimal] = {}
    for leg in legs:
        if leg.unit != leg.currency or leg.weight != leg.units:
            return False
        tally(sums, (leg.party, leg.unit), leg.units)
    return not any(sums.values())


def _matched(
    of_parties: dict[str, Decimal], unit: Unit, weights: dict[tuple[str, Unit, Unit], Decimal]
) -> Iterator[Exchange]:
    """Yield what parties give each other of one unit, and take its weight out."""
    before = dict(of_parties)
    yield from _between(of_parties)
    for key in [key for key in weights if key[1] == unit]:
        was, now = before[key[0]], of_parties[key[0]]
        if was != now:
            weights[key] = PRECISE.divide(PRECISE.multiply(weights[key], now), was)


def _between(of_parties: dict[str, Decimal]) -> Iterator[Exchange]:
    """Yield what each party gets from each other, and take it out of what is left of both.

    Of several that give, or get, each has its part in proportion.
    """
    gets = {party: number for party, number in of_parties.items() if number > 0}
    gives = {party: EXACT.minus(number) for party, number in of_parties.items() if number < 0}
    most = max(total(gets.values()), total(gives.values()))
    for taker, wanted in gets.items():
        for giver, offered in gives.items():
            part = PRECISE.divide(PRECISE.multiply(wanted, offered), most)
            tally(of_parties, taker, EXACT.minus(part))
            tally(of_parties, giver, part)
            yield taker, giver, part
            yield giver, taker, EXACT.minus(part)


def _square(
    flows: list[Flow], traded: dict[tuple[str, Unit], Decimal], worth: dict[str, Decimal]
) -> None:
    """Let each party's flows and differences come to the value of its legs.

    They already do, unless lots of one transaction were given and taken at different costs, or
    Beancount's tolerance let a transaction not balance.
    """
    sums = dict.fromkeys(worth, ZERO)
    for flow in flows:
        tally(sums, flow.party, flow.amount)
    for (party, _), number in traded.items():
        tally(sums, party, number)
    for party, number in worth.items():
        rest = EXACT.subtract(number, sums[party])
        if rest:
            mine = sorted(unit for name, unit in traded if name == party)
            tally(traded, (party, mine[0] if mine else NO_UNIT), rest)
