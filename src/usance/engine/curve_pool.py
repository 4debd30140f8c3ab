"""Curve: the totals of a curve pool within a day, and what its day comes to."""

from decimal import Decimal, localcontext

from usance.model.amounts import PRECISE
from usance.model.hours import HOURS_A_YEAR
from usance.model.terms import CurvePool
from usance.rules.pool_rates import borrow_rate, supply_rate, utilization


class Curve:
    """What is lent and borrowed in a curve pool, in coins, growing hour by hour.

    At 00:00 the totals are those of these books and the external ones as declared; within the day
    they move with flows and grow by their own hourly rates.
    """

    def __init__(self, pool: CurvePool, lent: Decimal, borrowed: Decimal) -> None:
        self.pool = pool
        self.external_lent = pool.external_lent
        self.external_borrowed = pool.external_borrowed
        with localcontext(PRECISE):
            self.lent = self.external_lent + lent
            self.borrowed = self.external_borrowed + borrowed
        self.fee = Decimal(0)
        self.external = Decimal(0)

    def flow(self, pool: CurvePool, lent: Decimal, borrowed: Decimal) -> None:
        """Take the terms now in force, and what sub-accounts added (+) or took out (-)."""
        # External totals move by the difference of two declarations, not to the new number. So
        # their growth since 00:00 stays, and a directive that changes only a slope changes no
        # balance.
        with localcontext(PRECISE):
            lent_outside = pool.external_lent - self.pool.external_lent
            borrowed_outside = pool.external_borrowed - self.pool.external_borrowed
            self.external_lent += lent_outside
            self.external_borrowed += borrowed_outside
            self.lent += lent_outside + lent
            self.borrowed += borrowed_outside + borrowed
        self.pool = pool

    def hour(self) -> tuple[Decimal, Decimal]:
        """Return supply and borrow APR of the hour that begins, and let it pass."""
        with localcontext(PRECISE):
            used = utilization(self.lent, self.borrowed)
            borrow = borrow_rate(self.pool, used)
            supply = supply_rate(borrow, used, self.pool.fee)
            self.fee += (self.borrowed * borrow - self.lent * supply) / HOURS_A_YEAR
            self.external += (
                self.external_lent * supply - self.external_borrowed * borrow
            ) / HOURS_A_YEAR
            self.lent *= 1 + supply / HOURS_A_YEAR
            self.borrowed *= 1 + borrow / HOURS_A_YEAR
            self.external_lent *= 1 + supply / HOURS_A_YEAR
            self.external_borrowed *= 1 + borrow / HOURS_A_YEAR
        return supply, borrow
