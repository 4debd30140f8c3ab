"""Liquidation price: the mark at which net equity equals maintenance margin.

When the mark p of one position moves alone, its value, and collateral and borrows of its
underlying, move in proportion to it; everything else stays. So net equity is a line in p, and each
maintenance margin is `max(base * n, factor * n ** 1.5)` of an exposure n in proportion to p:

    excess(p) = constant + slope * p - sum of maintenance(n_i * p)

Between the kinks at which a factor begins to count, `excess` is a cubic in the square root of p
whose turning point is known, so each piece is cut where it turns and every part holds at most one
root. They are searched from the mark outwards on the losing side.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

from usance.amounts import PRECISE, ZERO
from usance.margin import Margin, Standing, counted
from usance.terms import Slope

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

    def cuts(self) -> Iterator[Decimal]:
        """Yield the marks at which a factor begins to count, and those at which a piece turns."""
        kinks = sorted(
            (slope.base / slope.factor) ** 2 / unit
            for unit, slope in self.moving
            if slope.factor and unit
        )
        yield from kinks
        for low in [ZERO, *kinks]:
            # On the piece above `low`: excess' = slope - sum(bases) - 3/2 * sum(roots) * sqrt(p)
            fixed, roots = ZERO, ZERO
            for unit, slope in self.moving:
                if slope.factor and unit and (slope.base / slope.factor) ** 2 / unit <= low:
                    roots += slope.factor * unit * unit.sqrt()
                else:
                    fixed += unit * slope.base
            if roots and self.slope > fixed:
                yield ((self.slope - fixed) * 2 / (3 * roots)) ** 2


def excess(standing: Standing, margin: Margin, index: int) -> Excess:
    """Return the excess of a sub-account as a function of the mark of one of its positions."""
    position = standing.positions[index]
    mark, underlying = position.mark, position.terms.underlying
    size = position.quantity * position.settle
    slope = size
    moving = [(abs(size), position.terms.maintenance)]
    still = margin.maintenance_margin - margin.positions[index].maintenance_margin
    if underlying is not None:
        for asset in standing.assets:
            if asset.coin == underlying:
                slope += counted(asset) / mark
        for debt, required in zip(standing.debts, margin.debts, strict=True):
            if debt.coin == underlying and debt.terms is not None:
                unit = required.exposure / mark
                slope -= unit
                moving.append((unit, debt.terms.maintenance))
                still -= required.maintenance_margin
    return Excess(margin.net_equity - slope * mark - still, slope, tuple(moving))


def liquidation_price(standing: Standing, margin: Margin, index: int) -> Decimal | None:
    """Return the mark at which a position's sub-account is in breach, when that mark moves alone.

    The nearest one on the losing side (below the mark for a long, above it for a short); the mark
    itself where the sub-account is in breach already, None where there is none.
    """
    position = standing.positions[index]
    if margin.in_breach:
        return position.mark
    with localcontext(PRECISE):
        function = excess(standing, margin, index)
        cuts = sorted(set(function.cuts()))
        if position.quantity > 0:
            marks = [position.mark, *(cut for cut in reversed(cuts) if cut < position.mark), ZERO]
        else:
            marks = [position.mark, *(cut for cut in cuts if cut > position.mark)]
            top = marks[-1] * 2
            while function.at(top) > 0 and function.steepness(top) >= 0 and len(marks) < STEPS:
                marks.append(top)
                top *= 2
            marks.append(_beyond(function, top))
        near = marks[0]
        for far in marks[1:]:
            if function.at(far) <= 0:
                return _root(function, near, far)
            near = far
        return None


def _beyond(function: Excess, mark: Decimal) -> Decimal:
    """Return a mark above which the excess is not positive, or a far one where it stays so."""
    for _ in range(STEPS):
        if function.at(mark) <= 0:
            break
        mark *= 2
    return mark


def _root(function: Excess, near: Decimal, far: Decimal) -> Decimal:
    """Return the one root between a mark with excess and one without: Newton, kept between."""
    high, low = near, far
    mark = (high + low) / 2
    for _ in range(STEPS):
        value = function.at(mark)
        if value > 0:
            high = mark
        else:
            low = mark
        steepness = function.steepness(mark)
        step = mark - value / steepness if steepness else high
        inside = min(high, low) <= step <= max(high, low)
        following = step if inside else (high + low) / 2
        if abs(following - mark) <= abs(mark).scaleb(-DIGITS):
            return following
        mark = following
    return mark
