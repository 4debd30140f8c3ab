"""Settlement: the result of perpetual contracts, paid at the end of a day (docs/formulas.md)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from usance.amounts import EXACT, PRECISE, ZERO, Coin


def value(contracts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Return what contracts are worth, from (quantity, mark) of each, in the settle coin."""
    return sum((EXACT.multiply(quantity, mark) for quantity, mark in contracts), ZERO)


def due(contracts: Sequence[tuple[Decimal, Decimal]], balance: int, coin: Coin) -> int:
    """Return what is paid into the wallet (negative: out of it), in grains of the settle coin.

    balance  of the coin in Perp, grains: what is owed there is negative

    Rounded half-even to the quantum; where no contract is open the balance itself, whole.
    """
    if not contracts:
        return balance
    worth = EXACT.add(value(contracts), coin.decimal(balance))
    return rounded(worth, coin) * coin.quanta


def rounded(amount: Decimal, coin: Coin) -> int:
    """Return an amount of coins in quanta, rounded half-even."""
    quanta = PRECISE.divide(amount, coin.quantum)
    return int(quanta.to_integral_value(ROUND_HALF_EVEN))
