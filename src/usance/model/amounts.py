"""Amounts: a coin's quantum and grain, the exact Decimal context, plain decimal text.

Inside the engine an amount is an integer, in the coin's *quantum* (the smallest unit that Usance
posts) or its *grain* (the finest unit that the ledger has of the coin). Each of them is a type, so
that a type checker refuses one in place of the other. Growth and carry are integers of 1e-18.
Amounts are Decimals only in the code that reads text and the code that makes postings.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import reduce
from typing import NewType, TypeVar

K = TypeVar("K", bound=Hashable)

Quanta = NewType("Quanta", int)
"""A number of quanta of a coin: its quantum is the smallest amount that Usance posts."""

Grains = NewType("Grains", int)
"""A number of grains of a coin: its grain is the finest amount in the ledger."""

Carry = NewType("Carry", int)
"""A number of 1e-18 quanta of a coin: interest that waits for the next day."""

NO_QUANTA = Quanta(0)
NO_GRAINS = Grains(0)
NO_CARRY = Carry(0)

ZERO = Decimal(0)

UNIT = 10**18
"""1 in the unit of growth and carry, which is 1e-18."""

QUANTUM_DEFAULT = Decimal("0.00000001")

PRECISE = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""For results that cannot be exact: rates, products over hours, roots."""

FIGURE = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""For figures in reports: 28 significant digits."""

WIDE = Context(prec=2000, rounding=ROUND_HALF_EVEN)
"""For rounding at a decimal place, which has as many digits as the number."""

EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""For sums, products and shifts that must not lose a digit."""


@dataclass(frozen=True, slots=True)
class Coin:
    """A commodity with the integer units in which the engine counts it.

    quantum  smallest amount posted, in coins, above zero; `step` units of its last decimal place
    places   decimals of the quantum
    digits   decimals of the grain: no amount of the coin in the ledger is finer
    grains_per_quantum  grains in one quantum
    """

    name: str
    quantum: Decimal
    step: int
    places: int
    digits: int
    grains_per_quantum: int

    @classmethod
    def of(cls, name: str, quantum: Decimal, digits: int) -> "Coin":
        """Return the coin whose grain holds both its quantum and `digits` decimals."""
        tidy = normalized(quantum)
        places = decimals(tidy)
        step = int(EXACT.scaleb(tidy, places))
        grain = max(places, digits)
        return cls(name, tidy, step, places, grain, step * 10 ** (grain - places))

    def to_grains(self, amount: Decimal) -> Grains:
        """Return an amount of coins in grains, exactly."""
        return Grains(int(EXACT.scaleb(amount, self.digits)))

    def to_quanta(self, amount: Decimal, rounding: str = ROUND_HALF_EVEN) -> Quanta:
        """Return an amount of coins in quanta, rounded half-even or by `rounding`."""
        return Quanta(int(PRECISE.divide(amount, self.quantum).to_integral_value(rounding)))

    def whole_quanta(self, amount: Decimal) -> Quanta:
        """Return the whole quanta in an amount of coins, rounded down, exactly."""
        return Quanta(int(EXACT.divide_int(amount, self.quantum)))

    def in_grains(self, quanta: Quanta) -> Grains:
        """Return a number of quanta in grains, exactly."""
        return Grains(quanta * self.grains_per_quantum)

    def floor_quanta(self, grains: Grains) -> Quanta:
        """Return the whole quanta in a number of grains, rounded down."""
        return Quanta(grains // self.grains_per_quantum)

    def ceil_quanta(self, grains: Grains) -> Quanta:
        """Return the quanta that cover a number of grains, rounded up."""
        return Quanta(ceil_div(grains, self.grains_per_quantum))

    def from_grains(self, grains: Grains) -> Decimal:
        """Return a number of grains in coins, exactly."""
        return EXACT.scaleb(Decimal(grains), -self.digits)

    def written(self, amount: Decimal) -> Decimal:
        """Return an amount as Usance posts it: to the quantum, or, if finer, without zeros."""
        grains = self.to_grains(amount)
        return (
            normalized(amount)
            if grains % self.grains_per_quantum
            else self.from_quanta(self.floor_quanta(grains))
        )

    def from_quanta(self, quanta: Quanta) -> Decimal:
        """Return a number of quanta in coins, written to the quantum."""
        return EXACT.scaleb(Decimal(quanta * self.step), -self.places)

    def quanta_text(self, quanta: Quanta) -> str:
        """Return a number of quanta in coins as plain decimal text, written to the quantum."""
        return fixed_point_text(quanta * self.step, self.places)

    def carry_text(self, carry: Carry) -> str:
        """Return a carry (1e-18 quanta) in coins as plain decimal text, trailing zeros cut."""
        # It is in coins, so that a reader can type
        # `principal x growth + carry = credit + carry-after` into a calculator as it is.
        return without_trailing_zeros(fixed_point_text(carry * self.step, self.places + 18))

    def to_carry(self, text: str) -> Carry:
        """Return the carry of a text of `carry_text`; ValueError for any other text."""
        try:
            return Carry(int(EXACT.divide(EXACT.scaleb(Decimal(text), 18), self.quantum)))
        except (ArithmeticError, OverflowError) as error:
            raise ValueError(text) from error


def rounded_to(place: Decimal, number: Decimal) -> Decimal:
    """Return a number rounded half-even to a decimal place, whatever its size."""
    return WIDE.quantize(number, place)


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of numbers, in any Decimal context of the caller."""
    return reduce(EXACT.add, numbers, ZERO)


def total_quanta(numbers: Iterable[Quanta]) -> Quanta:
    """Return the sum of quanta of one coin."""
    return sum(numbers, NO_QUANTA)


def tally(sums: dict[K, Decimal], key: K, number: Decimal) -> None:
    """Add a number to the sum of a key, exactly."""
    sums[key] = EXACT.add(sums.get(key, ZERO), number)


def rounded_text(number: Decimal) -> str:
    """Return a figure as plain decimal text, with at most 28 significant digits."""
    return decimal_text(FIGURE.plus(number))


def fixed_point_text(number: int, places: int) -> str:
    """Return an integer of 10^-places as plain decimal text with that many decimals."""
    if not places:
        return str(number)
    if number < 0:
        return f"-{fixed_point_text(-number, places)}"
    digits = str(number).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def without_trailing_zeros(text: str) -> str:
    """Return plain decimal text without trailing zeros after the point."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals(number: Decimal) -> int:
    """Return the number of digits of a finite number after the point."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def normalized(number: Decimal) -> Decimal:
    """Return a finite number without trailing zeros after the point, and without an exponent."""
    exponent = number.as_tuple().exponent
    if exponent == 0:
        return number
    short = EXACT.normalize(number)
    exponent = short.as_tuple().exponent
    return Decimal(int(short)) if isinstance(exponent, int) and exponent > 0 else short


def decimal_text(number: Decimal) -> str:
    """Return a finite number as plain decimal text, trailing zeros cut."""
    text = str(number)  # faster than a format
    return without_trailing_zeros(f"{number:f}" if "E" in text else text)


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide, rounding towards plus infinity."""
    return -(-numerator // denominator)
