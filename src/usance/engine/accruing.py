"""Accruing: a balance that earns or costs interest, segment by segment, at a pool's rates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from usance.engine.records import Segment
from usance.model.amounts import NO_CARRY, NO_QUANTA, Carry, Quanta
from usance.model.hours import HOURS
from usance.rules import interest


class HourlyRates:
    """Annual rates of one side of a pool in the 24 hours of a day; None until they are there."""

    __slots__ = ("hours", "spans")

    def __init__(self, all_day: Decimal | None = None) -> None:
        self.hours: list[Decimal | None] = [all_day] * HOURS
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

    rule       `interest.lender` or `interest.borrower`
    carry      1e-18 quanta
    segments   that ended today, in order of time
    principal  quanta; 0 if nothing accrues
    since      the slot from which the principal has been the same
    joins      interest joins the principal; False if somebody else books it, and it is reckoned
    """

    rule: Callable[[Quanta, int, Carry], tuple[Quanta, Carry]]
    carry: Carry = NO_CARRY
    segments: list[Segment] = field(default_factory=list)
    principal: Quanta = NO_QUANTA
    since: int = 0
    joins: bool = True

    def begin(self, carry: Carry) -> list[Segment]:
        """Begin a day, on which nothing accrues yet; return the list of its segments."""
        self.carry, self.segments = carry, []
        self.principal, self.since, self.joins = NO_QUANTA, 0, True
        return self.segments

    def change(self, principal: Quanta, slot: int) -> Quanta:
        """Accrue on another principal from a slot on; return the difference, quanta."""
        added = Quanta(principal - self.principal)
        if added:
            self.principal, self.since = principal, slot
        return added

    def end(self, slot: int, rates: HourlyRates) -> Quanta:
        """End the segment before a slot; return its interest, quanta, which joins the principal.

        It is 0 if no hour has passed, or if one of the hours has no rate.
        """
        since, self.since = self.since, slot
        if not self.principal or since == slot:
            return NO_QUANTA
        mean_and_growth = rates.over(since, slot)
        if mean_and_growth is None:
            return NO_QUANTA
        mean, growth = mean_and_growth
        principal, carry = self.principal, self.carry
        interest, self.carry = self.rule(principal, growth, carry)
        self.segments.append(Segment(principal, slot - since, mean, growth, carry, interest, since))
        if not self.joins:
            return NO_QUANTA
        self.principal = Quanta(principal + interest)
        return interest
