"""Growth of interest: the digits that decide the last one of it (docs/formulas.md, section 2)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest

from usance.rules.interest import growth, mean_rate

HOUR = Decimal(8760)
HALF = HOUR * Decimal("5e-19")
"""The annual rate at which an hour grows by half of 1e-18: a tie."""


def exact(rates: Sequence[Decimal]) -> int:
    """Return the growth in fractions, rounded half-even to 1e-18."""
    product = Fraction(1)
    for rate in rates:
        product *= 1 + Fraction(rate) / 8760
    return round((product - 1) * 10**18)


@pytest.mark.parametrize(
    ("rates", "grown"),
    [
        # A tie goes to the even one; a digit far behind it decides otherwise.
        ([HALF], 0),
        ([HALF + Decimal("1e-40")], 1),
        ([HALF * 3 - Decimal("1e-40")], 1),
        ([HALF * 3], 2),
        # (1 + 1e-9)(1 + 1.5e-9) = 1 + 2.5e-9 + 1.5e-18.
        ([HOUR * Decimal("1e-9"), HOUR * Decimal("1.5e-9")], 2500000002),
        ([HOUR * Decimal("1e-9"), HOUR * Decimal("1.5e-9") - Decimal("1e-30")], 2500000001),
        ([HOUR * Decimal("1e-9"), HOUR * Decimal("1.5e-9") + Decimal("1e-30")], 2500000002),
        # An hour that grows by 1e15 has 34 digits down to 1e-18: 10^15 + 7 * 10^-18.
        ([Decimal("8760000000000000000.00000000000006132")], 10**33 + 7),
    ],
)
def test_no_digit_of_growth_is_lost_before_it_is_rounded(rates: list[Decimal], grown: int) -> None:
    assert growth(rates) == grown == exact(rates)


def test_the_growth_of_a_day_at_a_high_rate_is_right_to_the_last_digit() -> None:
    """Goal: at 876000 a year an hour grows by 100, so 24 hours have 49 digits and 18 decimals."""
    rates = [Decimal("876000.000000000000004321")] * 24
    assert growth(rates) == exact(rates)
    assert growth([*rates[1:], Decimal("876000.000000000000001234")]) == exact(
        [*rates[1:], Decimal("876000.000000000000001234")]
    )


def test_the_mean_of_long_rates_is_rounded_once() -> None:
    """Goal: what lies 1e-25 above a tie is rounded up; the digit is the 35th."""
    tie = Decimal("1234567890.1234567890123456785")
    assert mean_rate([tie]) == Decimal("1234567890.123456789012345678")
    assert mean_rate([tie + Decimal("1e-25")]) == Decimal("1234567890.123456789012345679")
    assert mean_rate([tie, tie + Decimal("2e-25")]) == Decimal("1234567890.123456789012345679")
