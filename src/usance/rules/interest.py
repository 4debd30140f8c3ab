"""Interest of a segment, in integers (docs/formulas.md, section 2).

Principal, credit and charge are integers of the coin's quantum, growth and carry of 1e-18.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import lru_cache

from usance.model.amounts import PRECISE, UNIT, Carry, Quanta, ceil_div
from usance.model.hours import HOURS_A_YEAR

_SMALLEST = Decimal("1e-18")


def growth(rates: Sequence[Decimal]) -> int:
    """Return the growth over hours with these annual rates, rounded half-even to 1e-18."""
    return _even_growth(rates[0], len(rates)) if _are_even(rates) else _growth(rates)


@lru_cache
def _even_growth(rate: Decimal, hours: int) -> int:
    return _growth([rate] * hours)


def _are_even(rates: Sequence[Decimal]) -> bool:
    return rates.count(rates[0]) == len(rates)


def _growth(rates: Sequence[Decimal]) -> int:
    # docs/formulas.md asks for at least 50 digits. If the growth of an hour is a decimal that ends,
    # 80 digits hold it exactly, so that a tie is rounded half-even and not by noise.
    with localcontext(PRECISE):
        product = Decimal(1)
        for rate in rates:
            product *= HOURS_A_YEAR + rate
        product /= HOURS_A_YEAR ** len(rates)
        return int((product - 1).quantize(_SMALLEST).scaleb(18))


def mean_rate(rates: Sequence[Decimal]) -> Decimal:
    """Return the mean annual rate of some hours, rounded half-even to 1e-18."""
    # Only growth counts. The mean of the hourly rates is there for a person to recognise.
    if _are_even(rates):
        return rates[0].quantize(_SMALLEST, context=PRECISE)
    with localcontext(PRECISE):
        return (sum(rates, Decimal(0)) / len(rates)).quantize(_SMALLEST)


def lender(principal: Quanta, growth: int, carry: Carry) -> tuple[Quanta, Carry]:
    """Return what a lender is credited, rounded down, and the carry that is left."""
    credit, left = divmod(principal * growth + carry, UNIT)
    return Quanta(credit), Carry(left)


def borrower(principal: Quanta, growth: int, carry: Carry) -> tuple[Quanta, Carry]:
    """Return what a borrower is charged, rounded up, and the excess kept as a prepayment."""
    raw = principal * growth - carry
    charge = ceil_div(raw, UNIT)
    return Quanta(charge), Carry(charge * UNIT - raw)


def entry_fee(amount: Quanta, rate: Decimal, seconds: int) -> Quanta:
    """Return the fee of a fresh borrow for the seconds to the next full hour, rounded up.

    `amount` and the fee are integers of the quantum, `rate` is the borrow APR.
    """
    numerator, denominator = rate.as_integer_ratio()
    return Quanta(ceil_div(amount * numerator * seconds, denominator * HOURS_A_YEAR * 3600))
