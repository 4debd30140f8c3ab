"""Wallet: the state of sub-accounts between two moments."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from usance.model.accounts import Side
from usance.model.amounts import (
    EXACT,
    NO_CARRY,
    NO_GRAINS,
    NO_QUANTA,
    PRECISE,
    ZERO,
    Carry,
    Grains,
    Quanta,
    total,
)
from usance.model.lots import Lot
from usance.model.periods import Period


class Carried(NamedTuple):
    """What one coin of one sub-account carries from a day into the next.

    lent        the Lent memorandum as last posted, quanta
    carry_lent  interest earned and not credited, 1e-18 quanta
    carry_owed  interest charged in advance, 1e-18 quanta
    """

    lent: Quanta = NO_QUANTA
    carry_lent: Carry = NO_CARRY
    carry_owed: Carry = NO_CARRY


NOTHING_CARRIED = Carried()


@dataclass(slots=True)
class Holding:
    """The state of one coin in one sub-account.

    free          units without cost in the wallet, grains; below zero where more went out
    kept          units held at cost, grains by lot
    lots          their sum
    owed          borrowed, with the interest capitalised, grains
    perp          balance in the Perp account, grains; what is owed there is negative
    carried       from one day's lending into the next
    """

    free: Grains = NO_GRAINS
    lots: Grains = NO_GRAINS
    owed: Grains = NO_GRAINS
    perp: Grains = NO_GRAINS
    carried: Carried = NOTHING_CARRIED
    kept: dict[Lot, Grains] = field(default_factory=dict)

    @property
    def held(self) -> Grains:
        """The whole balance of the coin in the wallet, grains."""
        return Grains(self.free + self.lots)

    @property
    def repayable(self) -> Grains:
        """What can be repaid, grains: lots at cost keep their basis, so only units without."""
        return max(NO_GRAINS, min(self.free, self.held, self.owed))

    def is_empty(self) -> bool:
        """Tell whether nothing can come of it until somebody moves something."""
        return not (self.free or self.lots or self.owed or self.perp or self.carried.lent)

    def copy(self) -> "Holding":
        """Return a holding of its own that is the same."""
        return replace(self, kept=dict(self.kept))

    def take(self, side: Side, grains: Grains, lot: Lot | None) -> None:
        """Take in a posting to the wallet, to what is borrowed, or to Perp."""
        if side is Side.BORROWED:
            self.owed = Grains(self.owed - grains)
        elif side is Side.PERP:
            self.perp = Grains(self.perp + grains)
        elif lot is None:
            self.free = Grains(self.free + grains)
        else:
            self.lots = Grains(self.lots + grains)
            self.kept[lot] = Grains(self.kept.get(lot, 0) + grains)
            if not self.kept[lot]:
                del self.kept[lot]


@dataclass(slots=True)
class Accrual:
    """What one coin of one sub-account earns in the yield product of that coin.

    enrolled         the Yield memorandum as last posted, quanta
    carry_treasury   what was earned and not credited, 1e-18 quanta
    carry_bonus      the same of the bonus
    unpaid           treasury and bonus not paid yet, quanta, by period
    """

    enrolled: Quanta = NO_QUANTA
    carry_treasury: Carry = NO_CARRY
    carry_bonus: Carry = NO_CARRY
    unpaid: dict[Period, tuple[Quanta, Quanta]] = field(default_factory=dict)

    def accrue(self, period: Period, treasury: Quanta, bonus: Quanta) -> None:
        """Let a day's credits wait for the payout of a period."""
        before = self.unpaid.get(period, (0, 0))
        self.unpaid[period] = (Quanta(before[0] + treasury), Quanta(before[1] + bonus))


@dataclass(slots=True)
class Portfolio:
    """What a product backed by bills has, in coins of its asset.

    lots       face by bill and lot
    accretion  booked in Accretion
    cash       booked in Cash
    payable    owed to holders
    left_over  earned and not distributed yet
    """

    lots: dict[tuple[str, Lot], Decimal] = field(default_factory=dict)
    accretion: Decimal = ZERO
    cash: Decimal = ZERO
    payable: Decimal = ZERO
    left_over: Decimal = ZERO


Lots = dict[Lot, Decimal]
"""Contracts by lot; a lot that is gone is not there."""


class Net(NamedTuple):
    """An open contract: net quantity, and average price at which it was opened."""

    contract: str
    quantity: Decimal
    entry: Decimal


@dataclass(slots=True)
class State:
    """What all sub-accounts have at the end of a day.

    holdings   by sub-account and coin
    positions  contracts, by sub-account and contract
    nets       what is open of them, by sub-account, where nothing was traded since it was asked
    margin     the Margin memorandum as last posted, operating currency, by sub-account
    breached   sub-accounts that ended the day in breach
    closed     lots of contracts that a liquidation reduced, by (sub-account, contract, lot): its id
    accruals   by sub-account and coin
    portfolios by product
    differing  by product: by how much its Accretion was off when that was last told
    """

    holdings: dict[str, dict[str, Holding]] = field(default_factory=dict)
    positions: dict[str, dict[str, Lots]] = field(default_factory=dict)
    nets: dict[str, list[Net]] = field(default_factory=dict, compare=False)
    margin: dict[str, Decimal] = field(default_factory=dict)
    breached: set[str] = field(default_factory=set)
    closed: dict[tuple[str, str, Lot], str] = field(default_factory=dict)
    accruals: dict[tuple[str, str], Accrual] = field(default_factory=dict)
    portfolios: dict[str, Portfolio] = field(default_factory=dict)
    differing: dict[str, Decimal] = field(default_factory=dict)

    def holding(self, sub_account: str, coin: str) -> Holding:
        """Return what a sub-account has of a coin, nothing to begin with."""
        return self.holdings.setdefault(sub_account, {}).setdefault(coin, Holding())

    def accrual(self, sub_account: str, coin: str) -> Accrual:
        """Return what a coin of a sub-account earns in its product, nothing to begin with."""
        return self.accruals.setdefault((sub_account, coin), Accrual())

    def portfolio(self, product: str) -> Portfolio:
        """Return what a product has, nothing to begin with."""
        return self.portfolios.setdefault(product, Portfolio())

    def copy(self) -> "State":
        """Return a state of its own that is the same."""
        return State(
            holdings={
                name: {coin: holding.copy() for coin, holding in held.items()}
                for name, held in self.holdings.items()
            },
            positions={
                name: {contract: dict(lots) for contract, lots in contracts.items()}
                for name, contracts in self.positions.items()
            },
            margin=dict(self.margin),
            breached=set(self.breached),
            closed=dict(self.closed),
            accruals={
                key: replace(accrual, unpaid=dict(accrual.unpaid))
                for key, accrual in self.accruals.items()
            },
            portfolios={
                name: replace(held, lots=dict(held.lots)) for name, held in self.portfolios.items()
            },
            differing=dict(self.differing),
        )

    def trade(self, sub_account: str, contract: str, lot: Lot, quantity: Decimal) -> Decimal:
        """Take in contracts, positive bought or negative sold; return what the lot holds now."""
        lots = self.positions.setdefault(sub_account, {}).setdefault(contract, {})
        left = lots[lot] = EXACT.add(lots.get(lot, ZERO), quantity)
        if not left:
            del lots[lot]
        self.nets.pop(sub_account, None)
        return left

    def contracts(self, sub_account: str) -> list[Net]:
        """Return the contracts that a sub-account has open, by name."""
        if sub_account not in self.nets:
            nets = self.nets[sub_account] = []
            for contract, lots in sorted(self.positions.get(sub_account, {}).items()):
                quantity = total(lots.values())
                if quantity:
                    cost = total(EXACT.multiply(lot.cost, held) for lot, held in lots.items())
                    nets.append(Net(contract, quantity, PRECISE.divide(cost, quantity)))
        return self.nets[sub_account]
