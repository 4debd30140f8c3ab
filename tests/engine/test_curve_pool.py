"""The totals of a curve pool: no digit of them is lost (docs/formulas.md, section 2)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from usance.engine.curve_pool import Curve
from usance.model.terms import CurvePool

MOTE = Decimal("1e-18")
HUGE = Decimal(10) ** 15
"""With a mote beside it a total has 34 digits."""


def pool(lent: Decimal, borrowed: Decimal) -> CurvePool:
    base, slope_1, slope_2, optimal, fee = map(Decimal, ("0.01", "0.06", "0.75", "0.8", "0.1"))
    return CurvePool(base, slope_1, slope_2, optimal, fee, lent, borrowed)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mote_in_a_huge_pool_counts(sign: int) -> None:
    curve = Curve(pool(HUGE, HUGE / 2), sign * MOTE, sign * MOTE)
    assert (curve.lent, curve.borrowed) == (
        Decimal(f"{10**33 + sign}e-18"),
        Decimal(f"{5 * 10**32 + sign}e-18"),
    )
    curve.flow(pool(Decimal(f"{10**33 + 1}e-18"), HUGE / 2), sign * MOTE, sign * MOTE)
    assert curve.external_lent == Decimal(f"{10**33 + 1}e-18")
    assert (curve.lent, curve.borrowed) == (
        Decimal(f"{10**33 + 1 + 2 * sign}e-18"),
        Decimal(f"{5 * 10**32 + 2 * sign}e-18"),
    )


def test_hours_of_a_curve_are_right_to_60_digits() -> None:
    """Goal: each hour from its own start as fractions, by the formulas as they are written."""
    terms = pool(HUGE, HUGE / 3)
    curve = Curve(terms, Decimal("12.345678901234567891"), Decimal("0.987654321098765432"))
    for _ in range(24):
        lent, borrowed = Fraction(curve.lent), Fraction(curve.borrowed)
        used = borrowed / lent
        borrow = Fraction("0.01") + Fraction("0.06") * used / Fraction("0.8")
        supply = borrow * used * Fraction("0.9")
        rates = curve.hour()
        lent *= 1 + supply / 8760
        borrowed *= 1 + borrow / 8760
        for figure, exact in zip(
            (*rates, curve.lent, curve.borrowed), (supply, borrow, lent, borrowed), strict=True
        ):
            assert abs(Fraction(figure) - exact) <= abs(exact) * Fraction(1, 10**60)
