"""Terms: the checked content of a person's dated directives.

Rates and fees are annual fractions (0.0412 is 4.12 %), never percents.
"""

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from usance.model.amounts import PRECISE
from usance.model.hours import Day
from usance.model.problems import Source

RATE_MAX = Decimal(100)
"""The largest rate that Usance takes, as an annual fraction; a larger one is an error."""

STALE_AFTER = 3
"""Days after which a price or a row of a file is old, unless its commodity sets other days."""


class Stage(Enum):
    """A part of the day that a plugin line enables."""

    AUTO_LENDING = "auto_lending"
    MARGIN_POOL = "margin_pool"
    SUB_ACCOUNTS = "sub_accounts"
    YIELD_SPLIT = "yield_split"


@dataclass(frozen=True, slots=True)
class SubAccount:
    """One cross-margin wallet at a venue, with its switches.

    root   its account of assets, such as `Assets:Backpack:Main`; it never changes
    venue  the part of `root` between the root of all assets and its last part, `Backpack`

    leverage_limit  times; caps leverage below the market's own limit, or None
    earn            lent coins are enrolled in the yield product of the coin
    imported        a person books the interest, as the venue credits it; none is generated
    """

    name: str
    root: str
    venue: str
    auto_lend: bool
    auto_borrow: bool
    auto_repay: bool
    source: Source = field(compare=False)
    leverage_limit: Decimal | None = None
    earn: bool = True
    imported: bool = False

    @property
    def switches(self) -> tuple[bool, bool, bool]:
        """The terms that can change what a wallet lends, borrows and repays."""
        return self.auto_lend, self.auto_borrow, self.auto_repay


@dataclass(frozen=True, slots=True)
class ObservedPool:
    """A lending pool with observed rates, which a directive or a rates file gives.

    entry_fee  a new borrow pays for the minutes up to the next full hour
    """

    entry_fee: bool
    source: Source = field(compare=False)


@dataclass(frozen=True, slots=True)
class CurvePool:
    """A lending pool whose rates follow from its utilization.

    base_rate, slope_1, slope_2  annual fractions
    optimal_utilization          above 0 and below 1
    fee                          the venue's share of borrower interest, 0 to 1
    external_lent, _borrowed     the rest of the market, in coins
    """

    base_rate: Decimal
    slope_1: Decimal
    slope_2: Decimal
    optimal_utilization: Decimal
    fee: Decimal
    external_lent: Decimal
    external_borrowed: Decimal


Pool = ObservedPool | CurvePool


class Rates(NamedTuple):
    """The rates of an observed pool from a moment on.

    supply, borrow  annual fractions
    utilization     0 to 1, or None if not stated
    row_day         the day of the row if a rates file gave them, or None if a directive did
    source          the directive, or the row of the file
    """

    supply: Decimal
    borrow: Decimal
    utilization: Decimal | None
    row_day: Day | None
    source: Source


def _square(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the square of a quotient, rounded down; to compare squares is faster than a root."""
    if not divisor:
        return Decimal("Infinity")
    with localcontext(PRECISE) as context:
        context.rounding = ROUND_DOWN
        quotient = dividend / divisor
        return quotient * quotient


@dataclass(frozen=True)
class Slope:
    """A margin fraction that grows with size: max(base, factor * sqrt(exposure)).

    base    fraction of the exposure, 0 to 1
    factor  per square root of the exposure in the operating currency, 0 or more
    """

    base: Decimal
    factor: Decimal

    @cached_property
    def reach(self) -> Decimal:
        """The exposure up to which the base counts, without regard to the floor."""
        return _square(self.base, self.factor)


@dataclass(frozen=True, slots=True)
class Identity:
    """A weight that is the same for every quantity."""

    weight: Decimal


@dataclass(frozen=True)
class InverseSqrt:
    """A weight that falls with size: min(weight, base / (1 + penalty * sqrt(quantity)))."""

    weight: Decimal
    base: Decimal
    penalty: Decimal

    @cached_property
    def reach(self) -> Decimal:
        """The quantity up to which the weight counts."""
        if self.base < self.weight:
            return Decimal(0)
        return _square(self.base - self.weight, self.weight * self.penalty)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Marginal weights: each band of the quantity counts at its own weight.

    bands  (weight, upper bound in units), in order; the last has no bound
    """

    bands: tuple[tuple[Decimal, Decimal | None], ...]


Haircut = Identity | InverseSqrt | Tiers


@dataclass(frozen=True, slots=True)
class Collateral:
    """The terms of a coin as collateral: its weight, and the margin that a borrow of it takes."""

    haircut: Haircut
    initial: Slope
    maintenance: Slope


@dataclass(frozen=True, slots=True)
class Perpetual:
    """The terms of a perpetual contract.

    settle      the coin in which its result is paid, and in which its mark is quoted
    underlying  the coin whose collateral and borrows move with its mark, or None
    """

    settle: str
    underlying: str | None
    initial: Slope
    maintenance: Slope


class Payout(Enum):
    """The schedule on which a yield product pays accrued yield."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Bills:
    """The backing of a yield product: bills that these books hold at cost.

    account   of the bills; its parent is the product's own entity
    straight  a bill accretes in equal parts, not by constant yield
    fee       share of the income that the product does not distribute, 0 to 1
    """

    account: str
    straight: bool
    fee: Decimal


@dataclass(frozen=True, slots=True)
class YieldProduct:
    """A product that pays treasury yield on lent coins, on top of the interest.

    asset  the coin that is enrolled, and in which the product pays
    bills  its backing, or None if its rate is observed
    """

    asset: str
    payout: Payout
    bills: Bills | None
    source: Source = field(compare=False)


class TreasuryRate(NamedTuple):
    """The rate of an observed product from a day on.

    rate     annual fraction
    row_day  the day of the row if a file gave it, or None if a directive did
    source   the directive, or the row of the file
    """

    rate: Decimal
    row_day: Day | None
    source: Source


@dataclass(frozen=True, slots=True)
class Bonus:
    """A rate that a product pays one sub-account on top of its own.

    rate  annual fraction
    cap   coins of the principal for which it counts, or None for all
    """

    rate: Decimal
    cap: Decimal | None
