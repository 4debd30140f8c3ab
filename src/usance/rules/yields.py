"""Yields: what a bill accretes, how income is shared out, and what a day earns."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from usance.model.amounts import PRECISE, UNIT, Carry, Quanta
from usance.model.hours import HOURS_A_YEAR


def accreted(
    cost: Decimal, face: Decimal, day: int, days: int, quantum: Decimal, *, straight: bool = False
) -> Decimal:
    """Return what a bill is worth at the end of a day of its life, in the coin of its cost.

    cost  per unit of face; day 0 is the booked cost itself
    day   1 is the date of purchase, `days` the day before maturity, when it is worth its face

    Constant yield, or in equal parts where `straight`; rounded half-even to the quantum.
    """
    if day <= 0:
        return PRECISE.multiply(cost, face)
    if day >= days:
        return face
    with localcontext(PRECISE):
        if straight:
            worth = cost * face + face * (1 - cost) * day / days
        else:
            worth = face * (cost.ln() * (days - day) / days).exp()
        quanta = (worth / quantum).to_integral_value(ROUND_HALF_EVEN)
        return quanta * quantum


def daily_growth(rate: Decimal) -> int:
    """Return what an hour's principal earns at an annual rate, in 1e-18, rounded half-even."""
    with localcontext(PRECISE):
        return int((rate / HOURS_A_YEAR * UNIT).to_integral_value(ROUND_HALF_EVEN))


def share(distributed: int, total: int) -> int:
    """Return what an hour's principal gets of an income, in 1e-18, rounded down.

    distributed  quanta, 1e-18 of them
    total        sum over all holders of principal x hours, quanta
    """
    return distributed // total if total else 0


def earned(hours: Quanta, growth: int, carry: Carry) -> tuple[Quanta, Carry]:
    """Return a holder's credit of a day, rounded down, and the carry that is left.

    hours  sum over the hours of the principal that was enrolled, quanta
    """
    credit, left = divmod(hours * growth + carry, UNIT)
    return Quanta(credit), Carry(left)
