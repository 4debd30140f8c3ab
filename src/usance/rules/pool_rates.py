"""Rates of a curve pool: utilization, borrow and supply rate (docs/formulas.md, section 1).

Annual fractions in and out, to the precision of the caller's Decimal context.
"""

from decimal import Decimal

from usance.model.amounts import ZERO
from usance.model.terms import CurvePool

ONE = Decimal(1)


def utilization(lent: Decimal, borrowed: Decimal) -> Decimal:
    """Return borrowed / lent, at most 1; 1 where something is borrowed and nothing lent."""
    if borrowed <= 0:
        return ZERO
    return min(ONE, borrowed / lent) if lent > 0 else ONE


def borrow_rate(pool: CurvePool, used: Decimal) -> Decimal:
    """Return the borrow APR at a utilization: two slopes that meet at the optimal one."""
    optimal = pool.optimal_utilization
    if used <= optimal:
        return pool.base_rate + pool.slope_1 * used / optimal
    return pool.base_rate + pool.slope_1 + pool.slope_2 * (used - optimal) / (1 - optimal)


def supply_rate(borrow: Decimal, used: Decimal, fee: Decimal) -> Decimal:
    """Return the supply APR: what borrowers pay on the utilized part, less the venue's fee."""
    return borrow * used * (1 - fee)
