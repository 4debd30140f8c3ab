"""Liquidation price: the mark at which net equity equals maintenance margin.

When the mark p of one position moves alone, its value, and collateral and borrows of its
underlying, move in proportion to it; everything else stays. So net equity is a line in p, and each
maintenance margin is `max(base * n, factor * n ** 1.5)` of an exposure n in proportion to p:

    excess(p) = constant + slope * p - sum of maintenance(n_i * p)

which is concave in p: at most one root on either side of a mark with excess. Newton's steps from
the side in breach never pass it.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from usance.model.amounts import PRECISE, ZERO
from usance.model.terms import Slope
from usance.rules.margin import Margin, Valuation, counted

DIGITS = 40
STEPS = 400


@dataclass(frozen=True, slots=True)
class Excess:
    """Net equity less maintenance margin as a function of one mark.

    moving  exposures in proportion to the mark, per unit of it, each with its maintenance slope
    """

    constant: Decimal
    slope: Decimal
    moving: tuple[tuple[Decimal, Slope], ...]

    def at(self, mark: Decimal) -> Decimal:
        """Return the excess at a mark."""
        held = ZERO
        for unit, slope in self.moving:
            exposure = unit * mark
            held += exposure * max(slope.base, slope.factor * exposure.sqrt())
        return self.constant + self.slope * mark - held

    def steepness(self, mark: Decimal) -> Decimal:
        """Return the derivative of the excess at a mark."""
        held = ZERO
        for unit, slope in self.moving:
            grown = slope.factor * (unit * mark).sqrt()
            held += unit * (grown * 3 / 2 if grown > slope.base else slope.base)
        return self.slope - held

    @property
    def is_line(self) -> bool:
        """Return whether no exposure has a factor: then the excess is a line."""
        return not any(slope.factor and unit for unit, slope in self.moving)


def excess(valuation: Valuation, margin: Margin, index: int) -> Excess:
    """Return the excess of a sub-account as a function of the mark of one of its positions."""
    position = valuation.positions[index]
    mark, underlying = position.mark, position.terms.underlying
    size = position.quantity * position.settle
    slope = size
    moving = [(abs(size), position.terms.maintenance)]
    still = margin.maintenance_margin - margin.positions[index].maintenance_margin
    if underlying is not None:
        for asset in valuation.assets:
            if asset.coin == underlying:
                slope += counted(asset) / mark
        for debt, required in zip(valuation.debts, margin.debts, strict=True):
            if debt.coin == underlying and debt.terms is not None:
                unit = required.exposure / mark
                slope -= unit
                moving.append((unit, debt.terms.maintenance))
                still -= required.maintenance_margin
    return Excess(margin.net_equity - slope * mark - still, slope, tuple(moving))


def liquidation_price(valuation: Valuation, margin: Margin, index: int) -> Decimal | None:
    """Return the mark at which a position's sub-account is in breach, when that mark moves alone.

    The nearest one on the losing side (below the mark for a long, above it for a short); the mark
    itself where the sub-account is in breach already, None where there is none.
    """
    position = valuation.positions[index]
    if margin.in_breach:
        return position.mark
    # A linear estimate would be wrong exactly when it matters: for large positions, and for
    # collateral in the underlying. So the root of the true equation is searched.
    with localcontext(PRECISE):
        function = excess(valuation, margin, index)
        if position.quantity > 0:
            return _root(function, ZERO) if function.constant < 0 else None
        start = position.mark
        if function.is_line:
            return _root(function, start) if function.steepness(start) < 0 else None
        while function.at(start) > 0:
            start *= 2
        return _root(function, start)


def _root(function: Excess, mark: Decimal) -> Decimal:
    """Return the root that Newton's steps reach from a mark on the side in breach."""
    for _ in range(STEPS):
        step = function.at(mark) / function.steepness(mark)
        mark -= step
        if abs(step) <= abs(mark).scaleb(-DIGITS):
            break
    return mark
