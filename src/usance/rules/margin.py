"""Margin: what a sub-account's collateral is worth, what its positions and borrows take of it.

Rules only (docs/formulas.md, section 4). All amounts are in the operating currency unless a field
says otherwise; the caller's Decimal context gives the precision, `PRECISE` in this package.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple

from usance.model.amounts import PRECISE, ZERO
from usance.model.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers

ONE = Decimal(1)


class Asset(NamedTuple):
    """A coin in the wallet.

    quantity  coins, lent or not; below zero only where nothing may borrow
    lent      of these, coins
    price     None if the ledger has none, which only a coin without terms may lack
    haircut   None if the coin counts for nothing: it has no terms
    """

    coin: str
    quantity: Decimal
    lent: Decimal
    price: Decimal | None
    haircut: Haircut | None


class Position(NamedTuple):
    """A perpetual contract that is open.

    quantity  contracts, negative is short, never zero
    entry     average price at which it was opened, in the settle coin
    mark      in the settle coin
    settle    price of the settle coin
    """

    market: str
    quantity: Decimal
    entry: Decimal
    mark: Decimal
    settle: Decimal
    terms: Perpetual


class Debt(NamedTuple):
    """A coin that is owed; `terms` None of the operating currency without any: no margin."""

    coin: str
    quantity: Decimal
    price: Decimal
    terms: Collateral | None


class Valuation(NamedTuple):
    """What a sub-account has at a moment, with the prices of that moment.

    perp   balance of each settle coin in Perp, coins, with the coin's price
    limit  leverage limit, times
    """

    assets: tuple[Asset, ...]
    positions: tuple[Position, ...]
    debts: tuple[Debt, ...]
    perp: Mapping[str, tuple[Decimal, Decimal]]
    limit: Decimal | None


class Requirement(NamedTuple):
    """What one position or borrow takes: exposure, margin fractions, margins."""

    exposure: Decimal
    imf: Decimal
    mmf: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal


class Margin(NamedTuple):
    """The margin of a sub-account; a ratio is None where it does not exist."""

    collateral: Decimal
    unsettled_pnl: Decimal
    borrow_liability: Decimal
    net_equity: Decimal
    exposure: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    positions: tuple[Requirement, ...]
    debts: tuple[Requirement, ...]

    @property
    def available_equity(self) -> Decimal:
        """Net equity that no initial margin holds; below zero where more is held than there is."""
        return self.net_equity - self.initial_margin

    @property
    def margin_fraction(self) -> Decimal | None:
        """Net equity / exposure."""
        return self.net_equity / self.exposure if self.exposure else None

    @property
    def imr(self) -> Decimal | None:
        """Initial margin / net equity; 0 without exposure."""
        return self._ratio(self.initial_margin)

    @property
    def mmr(self) -> Decimal | None:
        """Maintenance margin / net equity; 0 without exposure."""
        return self._ratio(self.maintenance_margin)

    def _ratio(self, margin: Decimal) -> Decimal | None:
        if self.net_equity <= 0:
            return None
        return margin / self.net_equity if self.exposure else ZERO

    @property
    def in_breach(self) -> bool:
        """Whether there is exposure, and net equity does not exceed its maintenance margin."""
        return self.exposure > 0 and self.net_equity <= self.maintenance_margin


def weight(haircut: Haircut, quantity: Decimal) -> Decimal:
    """Return the share of a quantity's value that counts, 0 to 1; in full where it is owed."""
    if quantity <= 0:
        return ONE
    match haircut:
        case Identity(share):
            return share
        case InverseSqrt(share, base, penalty):
            if quantity <= haircut.reach:
                return share
            return min(share, base / (1 + penalty * quantity.sqrt()))
        case Tiers(bands):
            counted, below = ZERO, ZERO
            for share, bound in bands:
                top = quantity if bound is None else min(bound, quantity)
                if top > below:
                    counted += (top - below) * share
                    below = top
            return counted / quantity


def fraction(slope: Slope, exposure: Decimal, floor: Decimal = ZERO) -> Decimal:
    """Return a margin fraction at an exposure in the operating currency."""
    if exposure <= slope.reach:
        return max(slope.base, floor)
    return max(slope.base, floor, slope.factor * exposure.sqrt())


def evaluate(valuation: Valuation) -> Margin:
    """Return the margin of a sub-account."""
    with localcontext(PRECISE):
        floor = ZERO if valuation.limit is None else 1 / valuation.limit
        collateral = sum(map(counted, valuation.assets), ZERO)
        pnl = sum([balance * price for balance, price in valuation.perp.values()], ZERO)
        positions = []
        for position in valuation.positions:
            worth = position.quantity * position.mark * position.settle
            pnl += worth
            terms = position.terms
            positions.append(_required(abs(worth), terms.initial, terms.maintenance, floor))
        debts = []
        for debt in valuation.debts:
            exposure = debt.quantity * debt.price
            if debt.terms is None:
                debts.append(Requirement(exposure, floor, ZERO, floor * exposure, ZERO))
            else:
                slopes = (debt.terms.initial, debt.terms.maintenance)
                debts.append(_required(exposure, *slopes, floor))
        liability = sum([debt.exposure for debt in debts], ZERO)
        required = (*positions, *debts)
        return Margin(
            collateral,
            pnl,
            liability,
            collateral + pnl - liability,
            sum([part.exposure for part in required], ZERO),
            sum([part.initial_margin for part in required], ZERO),
            sum([part.maintenance_margin for part in required], ZERO),
            tuple(positions),
            tuple(debts),
        )


def counted(asset: Asset) -> Decimal:
    """Return what a coin counts for as collateral."""
    if asset.price is None or asset.haircut is None:
        return ZERO
    return asset.quantity * asset.price * weight(asset.haircut, asset.quantity)


def _required(exposure: Decimal, initial: Slope, maintenance: Slope, floor: Decimal) -> Requirement:
    imf, mmf = fraction(initial, exposure, floor), fraction(maintenance, exposure)
    return Requirement(exposure, imf, mmf, imf * exposure, mmf * exposure)


def repriced(valuation: Valuation, prices: Mapping[str, Decimal]) -> Valuation:
    """Return a valuation with other prices; nothing is settled or borrowed again.

    Of coins they are in the operating currency, of contracts they are marks in the settle coin.
    """
    return valuation._replace(
        assets=tuple(
            asset._replace(price=prices.get(asset.coin, asset.price)) for asset in valuation.assets
        ),
        positions=tuple(
            position._replace(
                mark=prices.get(position.market, position.mark),
                settle=prices.get(position.terms.settle, position.settle),
            )
            for position in valuation.positions
        ),
        debts=tuple(
            debt._replace(price=prices.get(debt.coin, debt.price)) for debt in valuation.debts
        ),
        perp={
            coin: (balance, prices.get(coin, price))
            for coin, (balance, price) in valuation.perp.items()
        },
    )
