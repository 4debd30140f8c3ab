"""Lived day: everything that the engine computed for one day."""

from dataclasses import dataclass, field

from usance.engine.drafts import Draft, Identity
from usance.engine.liquidation import LiquidationStep
from usance.engine.records import Corrected, LendingDay, PoolDay, ProductDay, YieldDay
from usance.model.hours import Day
from usance.model.problems import Problem
from usance.rules.margin import Margin, Valuation
from usance.rules.settlement import Settled


@dataclass(slots=True)
class LivedDay:
    """A day that the engine lived; each stage writes its part into it.

    drafts    transactions to generate
    coins     of sub-accounts, and `pools` of lending pools
    yields    of holders of yield products, and `products` of the products with bills
    margins   of exposed sub-accounts at the end of the day, with the valuations behind them
    settled   results of contracts
    liquidation_steps  by id
    problems  errors and findings
    corrections  that are posted on it, of a day that is shown as it was posted
    """

    day: Day
    drafts: list[Draft] = field(default_factory=list)
    coins: list[LendingDay] = field(default_factory=list)
    pools: list[PoolDay] = field(default_factory=list)
    yields: list[YieldDay] = field(default_factory=list)
    products: list[ProductDay] = field(default_factory=list)
    margins: dict[str, tuple[Valuation, Margin]] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    liquidation_steps: dict[Identity, LiquidationStep] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    corrections: list[Corrected] = field(default_factory=list)
