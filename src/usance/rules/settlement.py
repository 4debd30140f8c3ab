"""Settlement: the result of perpetual contracts, paid at the end of a day (docs/formulas.md)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, Coin, Grains, total


class Settled(NamedTuple):
    """What was due to a sub-account in one settle coin, and what on.

    contracts  (contract, quantity, mark) of each that settles in it
    balance    in Perp before, grains
    due        grains
    """

    sub_account: str
    coin: Coin
    contracts: Sequence[tuple[str, Decimal, Decimal]]
    balance: Grains
    due: Grains


def value(contracts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Return what contracts are worth, from (quantity, mark) of each, in the settle coin."""
    return total(EXACT.multiply(quantity, mark) for quantity, mark in contracts)


def due(contracts: Sequence[tuple[Decimal, Decimal]], balance: Grains, coin: Coin) -> Grains:
    """Return what is paid into the wallet (negative: out of it), in grains of the settle coin.

    balance  of the coin in Perp, grains: what is owed there is negative

    Rounded half-even to the quantum; where no contract is open the balance itself, whole.
    """
    if not contracts:
        return balance
    worth = EXACT.add(value(contracts), coin.from_grains(balance))
    return coin.in_grains(coin.to_quanta(worth))
