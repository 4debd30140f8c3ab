"""Accruing: a balance that earns or costs interest, segment by segment, at a pool's rates."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from usance.engine.records import Segment
from usance.model.amounts import NO_QUANTA, Carry, Quanta
from usance.model.hours import HOURS
from usance.rules import interest


class HourlyRates:
    """Annual rates of one side of a pool in the 24 hours of a day; None until they are there."""

    __slots__ = ("hours", "spans")

    def __init__(self) -> None:
        self.hours: list[Decimal | None] = [None] * HOURS
        self.spans: dict[tuple[int, int], tuple[Decimal, int]] = {}

    def over(self, since: int, until: int) -> tuple[Decimal, int] | None:
        """Return mean rate and growth (1e-18) of some hours, or None if one has no rate."""
        # Most balances of a pool stand for the same hours, so these are worked out once.
        mean_and_growth = self.spans.get((since, until))
        if mean_and_growth is None:
            rates = [rate for rate in self.hours[since:until] if rate is not None]
            if len(rates) < until - since:
                return None
            mean_and_growth = self.spans[since, until] = (
                interest.mean_rate(rates),
                interest.growth(rates),
            )
        return mean_and_growth


@dataclass(slots=True)
class Accruing:
    """A balance of one sub-account that accrues interest: its loan, or its debt.

    rates      of the pool, for its side
    rule       `interest.lender` or `interest.borrower`
    carry      1e-18 quanta
    segments   that ended today, in order of time
    principal  quanta; 0 if nothing accrues
    since      the slot from which the principal has been the same
    """

    rates: HourlyRates
    rule: Callable[[Quanta, int, Carry], tuple[Quanta, Carry]]
    carry: Carry
    segments: list[Segment]
    principal: Quanta = NO_QUANTA
    since: int = 0

    def change(self, principal: Quanta, slot: int) -> Quanta:
        """Accrue on another principal from a slot on; return the difference, quanta."""
        added = Quanta(principal - self.principal)
        if added:
            self.principal, self.since = principal, slot
        return added

    def end(self, slot: int) -> Quanta:
        """End the segment before a slot; return its interest, quanta, which joins the principal.

        It is 0 if no hour has passed, or if one of the hours has no rate.
        """
        since, self.since = self.since, slot
        if not self.principal or since == slot:
            return NO_QUANTA
        mean_and_growth = self.rates.over(since, slot)
        if mean_and_growth is None:
            return NO_QUANTA
        mean, growth = mean_and_growth
        principal, carry = self.principal, self.carry
        joins, self.carry = self.rule(principal, growth, carry)
        self.segments.append(Segment(principal, slot - since, mean, growth, carry, joins, since))
        self.principal = Quanta(principal + joins)
        return joins


class Reckoning(Accruing):
    """A balance whose interest somebody else books: it is reckoned, and joins nothing."""

    __slots__ = ()

    def end(self, slot: int) -> Quanta:
        """End the segment before a slot; nothing joins the principal."""
        principal = self.principal
        Accruing.end(self, slot)
        self.principal = principal
        return NO_QUANTA
