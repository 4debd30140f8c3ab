"""Liquidation: that of a sub-account in breach, step by step, ending within it.

Positions are reduced by tenths, the one with the largest maintenance margin first; then borrows are
repaid from the wallet and from coins sold; what is still owed is relieved, and nobody else pays.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple

from usance.engine.drafts import Draft, Identity, Leg, TransactionKind
from usance.engine.state import Holding
from usance.engine.valuation import Valuer
from usance.model.accounts import Side
from usance.model.amounts import (
    EXACT,
    NO_GRAINS,
    PRECISE,
    ZERO,
    Coin,
    Grains,
    Quanta,
    normalized,
    rounded_text,
    tally,
)
from usance.model.lots import Lot, age
from usance.rules import margin as rules
from usance.rules.margin import Asset, Debt, Margin, Position, Valuation

STEPS = 10
"""Steps in which a position goes, each of a tenth of its size when the liquidation began."""

FEE = Decimal("0.01")
"""Of the notional of each step."""

PRICE_PLACES = Decimal("1e-12")
"""To which a written price of a sale is rounded."""


class LiquidationStep(NamedTuple):
    """One step of a liquidation: what it was decided on.

    size      of each contract when the liquidation began
    steps     that each contract took before
    before    the valuation, and `holdings` and `positions` the state behind it
    after     the valuation that it led to, None where a part of it cannot be priced
    """

    sizes: Mapping[str, Decimal]
    steps: Mapping[str, int]
    before: Valuation
    holdings: Mapping[str, Holding]
    positions: Mapping[str, Mapping[Lot, Decimal]]
    after: Valuation | None = None


class Liquidation:
    """One liquidation.

    liquidation_steps  its steps, by id
    """

    def __init__(self, valuer: Valuer, name: str) -> None:
        self.valuer = valuer
        self.book = valuer.book
        self.state = valuer.state
        self.name = name
        self.steps: Counter[str] = Counter()
        self.sizes = {net.contract: net.quantity.copy_abs() for net in self.state.contracts(name)}
        self.drafts: list[Draft] = []
        self.liquidation_steps: dict[Identity, LiquidationStep] = {}

    def run(self) -> list[Draft]:
        """Liquidate until the breach ends or nothing is left; return a draft a step."""
        valuation = self.valuer.valuation(self.name)
        while valuation is not None:
            margin = rules.evaluate(valuation)
            if not margin.in_breach:
                break
            identity, step = self._identity(), self._step_from(valuation)
            if valuation.positions:
                legs = self._reduce(self._largest(valuation, margin))
            else:
                legs = self._repay(valuation.debts[0], valuation)
            valuation = self._step(legs, margin)
            self.liquidation_steps[identity] = step._replace(after=valuation)
        return self.drafts

    def _step_from(self, valuation: Valuation) -> LiquidationStep:
        """Note what the next step is decided on."""
        held = self.state.holdings.get(self.name, {})
        lots = self.state.positions.get(self.name, {})
        return LiquidationStep(
            self.sizes,
            dict(self.steps),
            valuation,
            {coin: holding.copy() for coin, holding in held.items()},
            {contract: dict(parts) for contract, parts in lots.items()},
        )

    def _step(self, legs: list[Leg], before: Margin) -> Valuation | None:
        """Note a step, with the margin figures before and after it."""
        valuation = self.valuer.valuation(self.name)
        after = None if valuation is None else rules.evaluate(valuation)
        proof = {f"{name}-before": value for name, value in _figures(before).items()}
        if after is not None:
            proof |= {f"{name}-after": value for name, value in _figures(after).items()}
        noted = (legs[0]._replace(proof=proof), *legs[1:])
        day, number = self.valuer.day, self._number()
        self.drafts.append(Draft(TransactionKind.LIQUIDATION, day, self.name, number, (), noted))
        return valuation

    def _identity(self) -> Identity:
        kind = TransactionKind.LIQUIDATION
        return Identity(kind, self.valuer.day, self.name, self._number())

    def _number(self) -> int:
        return len(self.drafts) + 1 if self.drafts else 0

    @staticmethod
    def _largest(valuation: Valuation, margin: Margin) -> Position:
        """Return the position with the largest maintenance margin, the first of equals by name."""
        sized = zip(valuation.positions, margin.positions, strict=True)
        return min(sized, key=lambda pair: (-pair[1].maintenance_margin, pair[0].market))[0]

    def _reduce(self, position: Position) -> list[Leg]:
        """Close a tenth of a position at its mark, oldest lot first, and pay the fee."""
        market, settle = position.market, position.terms.settle
        unit, coin = self.book.coins[market], self.book.coins[settle]
        self.steps[market] += 1
        tenth = EXACT.multiply(self.sizes[market], Decimal("0.1"))
        # To the quantum, so that the text of a liquidation is the same after a restart.
        size = EXACT.multiply(Decimal(max(1, unit.to_quanta(tenth))), unit.quantum)
        whole = position.quantity.copy_abs()
        size = whole if self.steps[market] >= STEPS else min(size, whole)
        sign = 1 if position.quantity > 0 else -1
        legs, cost = [], ZERO
        for lot, part in self._oldest(self.state.positions[self.name][market], size, sign):
            price = (position.mark, settle)
            legs.append(Leg((self.name, Side.PERP), EXACT.minus(part), market, lot, price))
            cost = EXACT.add(cost, EXACT.multiply(part, lot.cost))
            self.state.trade(self.name, market, lot, EXACT.minus(part))
            self.state.closed[self.name, market, lot] = str(self._identity())
        worth = EXACT.multiply(size, position.mark)
        notional = Quanta(sign * coin.to_quanta(worth))
        proceeds = coin.from_quanta(notional)
        fee = coin.to_quanta(EXACT.multiply(worth, FEE), ROUND_CEILING)
        holding = self.state.holding(self.name, settle)
        holding.perp = Grains(holding.perp + coin.in_grains(notional))
        holding.free = Grains(holding.free - coin.in_grains(fee))
        legs += [
            Leg((self.name, Side.PERP), proceeds, settle),
            *self._result(settle, EXACT.subtract(cost, proceeds)),
            Leg((self.name, Side.FEES), coin.from_quanta(fee), settle),
            Leg((self.name, Side.WALLET), coin.from_quanta(Quanta(-fee)), settle),
        ]
        if not any(
            self._settles_in(contract, settle) for contract, *_ in self.state.contracts(self.name)
        ):
            rest, holding.perp = holding.perp, NO_GRAINS
            holding.free = Grains(holding.free + rest)
            if rest:
                amount = coin.written(coin.from_grains(rest))
                legs.append(Leg((self.name, Side.WALLET), amount, settle))
                legs.append(Leg((self.name, Side.PERP), EXACT.minus(amount), settle))
        return [*legs, *self._borrow(settle)]

    def _settles_in(self, contract: str, coin: str) -> bool:
        terms = self.valuer.terms(self.name, contract)
        return terms is not None and terms.settle == coin

    def _borrow(self, name: str) -> list[Leg]:
        """Borrow what the wallet is short of, also where it may not borrow by itself."""
        holding, coin = self.state.holding(self.name, name), self.book.coins[name]
        if holding.held >= 0:
            return []
        short = coin.ceil_quanta(Grains(-holding.held))
        holding.free = Grains(holding.free + coin.in_grains(short))
        holding.owed = Grains(holding.owed + coin.in_grains(short))
        return [
            Leg((self.name, Side.WALLET), coin.from_quanta(short), name),
            Leg((self.name, Side.BORROWED), coin.from_quanta(Quanta(-short)), name),
        ]

    def _result(self, currency: str, amount: Decimal) -> list[Leg]:
        return [Leg((self.name, Side.PNL), normalized(amount), currency)] if amount else []

    @staticmethod
    def _oldest(lots: dict[Lot, Decimal], size: Decimal, sign: int) -> list[tuple[Lot, Decimal]]:
        """Return which part of which lot makes up a size, oldest first, signed as the lots are."""
        parts, left = [], size
        for lot in sorted(lots, key=age):
            if lots[lot] * sign > 0 and left > 0:
                # The lot's own number where both are the same: so Beancount will book it.
                part = min(lots[lot].copy_abs(), left)
                parts.append((lot, EXACT.multiply(part, Decimal(sign))))
                left = EXACT.subtract(left, part)
        return parts

    def _repay(self, debt: Debt, valuation: Valuation) -> list[Leg]:
        """Repay one borrow from the wallet, then from coins sold; what is left is relieved."""
        coin, holding = self.book.coins[debt.coin], self.state.holding(self.name, debt.coin)
        legs = self._from_wallet(coin)
        for asset in sorted(valuation.assets, key=lambda asset: (_effective(asset), asset.coin)):
            if holding.owed <= 0:
                break
            if asset.quantity > 0:
                legs += self._sell(asset, debt)
        if holding.owed > 0:
            relief = normalized(coin.from_grains(holding.owed))
            holding.owed = NO_GRAINS
            legs.append(Leg((self.name, Side.BORROWED), relief, coin.name))
            legs.append(Leg((self.name, Side.BAD_DEBT), EXACT.minus(relief), coin.name))
        return legs

    def _from_wallet(self, coin: Coin) -> list[Leg]:
        holding = self.state.holding(self.name, coin.name)
        paid = holding.repayable
        if not paid:
            return []
        holding.free = Grains(holding.free - paid)
        holding.owed = Grains(holding.owed - paid)
        amount = normalized(coin.from_grains(paid))
        return [
            Leg((self.name, Side.WALLET), EXACT.minus(amount), coin.name),
            Leg((self.name, Side.BORROWED), amount, coin.name),
        ]

    def _sell(self, asset: Asset, debt: Debt) -> list[Leg]:
        """Sell a coin for one that is owed: units without cost first, then the oldest lots."""
        sold, owed = self.book.coins[asset.coin], self.book.coins[debt.coin]
        holding, owing = (
            self.state.holding(self.name, sold.name),
            self.state.holding(self.name, owed.name),
        )
        if asset.price is None or holding.held <= 0:
            return []
        with localcontext(PRECISE):
            rate = asset.price / debt.price
            # Divided once, so that a quantity that is exact is not rounded up.
            worth, each = owed.from_grains(owing.owed) * debt.price, asset.price * sold.quantum
            wanted = (worth / each).to_integral_value(ROUND_CEILING)
            grains = min(sold.in_grains(Quanta(int(wanted))), holding.held)
            quantity = sold.from_grains(grains)
            written = normalized((rate).quantize(PRICE_PLACES, ROUND_HALF_EVEN))
            proceeds = min(owed.in_grains(owed.to_quanta(quantity * rate)), owing.owed)
        legs: list[Leg] = []
        sums: dict[str, Decimal] = {owed.name: owed.from_grains(proceeds)}
        for lot, part in self._units(sold, grains):
            amount = normalized(sold.from_grains(part))
            # Beancount reads no price in another currency than that of the cost.
            price = (written, owed.name) if lot is None or lot.currency == owed.name else None
            legs.append(Leg((self.name, Side.WALLET), EXACT.minus(amount), sold.name, lot, price))
            currency, cost = (owed.name, written) if lot is None else (lot.currency, lot.cost)
            weight = EXACT.multiply(amount, cost)
            tally(sums, currency, EXACT.minus(weight))
            holding.take(Side.WALLET, Grains(-part), lot)
        owing.owed = Grains(owing.owed - proceeds)
        legs.append(
            Leg((self.name, Side.BORROWED), normalized(owed.from_grains(proceeds)), owed.name)
        )
        for currency, amount in sorted(sums.items()):
            legs += self._result(currency, EXACT.minus(amount))
        return legs

    def _units(self, coin: Coin, grains: Grains) -> Iterable[tuple[Lot | None, Grains]]:
        """Return which units make up a number of grains: without cost first, then oldest lots."""
        holding = self.state.holding(self.name, coin.name)
        parts: list[tuple[Lot | None, Grains]] = []
        free = max(NO_GRAINS, min(holding.free, grains))
        if free:
            parts.append((None, free))
        left = Grains(grains - free)
        for lot in sorted(holding.kept, key=age):
            part = max(NO_GRAINS, min(left, holding.kept[lot]))
            if part:
                parts.append((lot, part))
                left = Grains(left - part)
        return parts


def _effective(asset: Asset) -> Decimal:
    """Return the share of a coin's value that counts."""
    if asset.haircut is None:
        return ZERO
    return PRECISE.plus(rules.weight(asset.haircut, asset.quantity))


def _figures(margin: Margin) -> dict[str, str]:
    return {
        "net-equity": rounded_text(margin.net_equity),
        "maintenance-margin": rounded_text(margin.maintenance_margin),
    }
