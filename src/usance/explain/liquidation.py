"""Explain liquidation: the closing, sales, repayment or relief of a step, and its margins."""

from decimal import Decimal, localcontext

from usance.engine.drafts import Draft, Leg
from usance.engine.liquidation import FEE, PRICE_PLACES, STEPS, LiquidationStep
from usance.engine.state import Holding
from usance.explain.margin import measure
from usance.explain.working import Lived, Quoted, TermsInForce, Working
from usance.model.accounts import Side
from usance.model.amounts import EXACT, PRECISE, ZERO, Coin, total
from usance.rules.margin import Margin


def liquidation(work: Working, lived: Lived, name: str, draft: Draft) -> None:
    """Note the steps of one step of a liquidation, with the margin before and after it."""
    _Liquidation(work, lived, name, draft).explain()


class _Liquidation:
    """The explanation of one step of a liquidation."""

    def __init__(self, work: Working, lived: Lived, name: str, draft: Draft) -> None:
        self.work = work
        self.lived = lived
        self.name = name
        self.legs = draft.legs
        self.fall: LiquidationStep = lived.day.liquidation_steps[draft.identity]
        self.coins = lived.book.coins

    def explain(self) -> None:
        venue = self.lived.book.venue(self.name)
        self.work.cite(
            TermsInForce("liquidation", "", venue), TermsInForce("sub-account", self.name, "")
        )
        margin = measure(self.work, self.lived, self.name, self.fall.before, "before: ")
        if self.fall.before.positions:
            self._reduce(margin)
        else:
            self._repay()
        if self.fall.after is not None:
            measure(self.work, self.lived, self.name, self.fall.after, "after: ")

    def _amounts(self, side: Side, currency: str) -> list[Leg]:
        place = (self.name, side)
        return [leg for leg in self.legs if (leg.place, leg.currency) == (place, currency)]

    # A position

    def _reduce(self, margin: Margin) -> None:
        """Note how the step closed a tenth of the position with the largest maintenance margin."""
        reduced = {leg.currency for leg in self.legs if leg.lot is not None}
        [position] = [p for p in self.fall.before.positions if p.market in reduced]
        largest = {
            f"maintenance margin of {p.market}": required.maintenance_margin
            for p, required in zip(self.fall.before.positions, margin.positions, strict=True)
        }
        names = ", ".join(largest)
        self.work.step(
            f"the position with the largest maintenance margin, {position.market}",
            f"largest = max({names})" if len(largest) > 1 else f"largest = {names}",
            largest,
            max(largest.values()),
            self.lived.book.operating,
        )
        market, settle = position.market, position.terms.settle
        unit, coin = self.coins[market], self.coins[settle]
        size = self._size(market, unit)
        sign = 1 if position.quantity > 0 else -1
        values = {"size": size, "mark": position.mark, "quantum": coin.quantum}
        notional = self.work.step(
            "notional, at the mark" if sign > 0 else "notional, at the mark; bought back",
            f"notional = {'' if sign > 0 else '-'}round(size x mark / quantum) x quantum",
            values,
            self._amounts(Side.PERP, settle)[0].amount,
            settle,
        )
        parts = [leg for leg in self._amounts(Side.PERP, market) if leg.lot is not None]
        self._result(parts, notional, market, settle)
        fee = self.work.step(
            "fee of 1 % of the notional, rounded up",
            "fee = ceil(size x mark x fee rate / quantum) x quantum",
            {**values, "fee rate": FEE},
            total(leg.amount for leg in self._amounts(Side.FEES, settle)),
            settle,
        )
        self._rest(coin, notional, fee)

    def _size(self, market: str, unit: Coin) -> Decimal:
        taken = total(leg.amount for leg in self._amounts(Side.PERP, market)).copy_abs()
        left = total(self.fall.positions[market].values()).copy_abs()
        count = self.fall.steps.get(market, 0) + 1
        if count >= STEPS:
            say, formula, values = (
                "the tenth step takes what is left",
                "size = left",
                {"left": left},
            )
        else:
            say = f"size of step {count} of {STEPS}, a tenth of the size when it began"
            formula = "size = min(max(1, round(size at first x 0.1 / quantum)) x quantum, left)"
            values = {
                "size at first": self.fall.sizes[market],
                "quantum": unit.quantum,
                "left": left,
            }
        return self.work.step(say, formula, values, taken, market)

    def _result(self, parts: list[Leg], notional: Decimal, market: str, settle: str) -> None:
        """Note the result: the cost of the lots less their proceeds."""
        values, terms = {"notional": notional}, []
        for number, leg in enumerate(parts, 1):
            assert leg.lot is not None
            values |= {
                f"closed {number}": EXACT.minus(leg.amount),
                f"cost {number}": leg.lot.cost,
            }
            terms.append(f"closed {number} x cost {number}")
        self.work.step(
            f"result of the lots of {market}, oldest first; income is negative",
            f"result = {' + '.join(terms)} - notional",
            values,
            total(leg.amount for leg in self._amounts(Side.PNL, settle)),
            settle,
        )

    def _rest(self, coin: Coin, notional: Decimal, fee: Decimal) -> None:
        """Note the coins that go from Perp to the wallet after the last contract, and a borrow."""
        before = self.fall.holdings.get(coin.name, Holding())
        moved = self._amounts(Side.PERP, coin.name)[1:]
        rest = ZERO
        if moved:
            rest = self.work.step(
                "nothing is open any more: the rest of Perp goes to the wallet",
                "rest = balance + notional",
                {"balance": coin.from_grains(before.perp), "notional": notional},
                EXACT.minus(total(leg.amount for leg in moved)),
                coin.name,
            )
        borrowed = EXACT.minus(total(leg.amount for leg in self._amounts(Side.BORROWED, coin.name)))
        if borrowed:
            values = {"wallet": coin.from_grains(before.held), "fee": fee, "quantum": coin.quantum}
            formula = "-(wallet - fee)"
            if moved:
                values["rest"] = rest
                formula = "-(wallet - fee + rest)"
            self.work.step(
                "borrow, what the wallet is short of",
                f"borrow = ceil({formula} / quantum) x quantum",
                values,
                borrowed,
                coin.name,
            )

    # A borrow

    def _repay(self) -> None:
        """Note how the step repaid one borrow: from the wallet, from coins sold, by relief."""
        debt = self.fall.before.debts[0]
        coin = self.coins[debt.coin]
        before = self.fall.holdings[debt.coin]
        owed = coin.from_grains(before.owed)
        paid = before.repayable
        if paid:
            amount = self.work.step(
                "repaid from the wallet",
                "repaid = min(units without cost, balance, owed)",
                {
                    "units without cost": coin.from_grains(before.free),
                    "balance": coin.from_grains(before.held),
                    "owed": owed,
                },
                coin.from_grains(paid),
                coin.name,
            )
            owed = self._left(owed, amount, coin)
        for legs in self._sales(coin):
            owed = self._sold(legs, owed, coin, debt.price)
        relief = EXACT.minus(total(leg.amount for leg in self._amounts(Side.BAD_DEBT, coin.name)))
        if relief:
            say = "what is still owed is relieved, and ends there"
            self.work.step(say, "relief = owed", {"owed": owed}, relief, coin.name)

    def _left(self, owed: Decimal, paid: Decimal, coin: Coin) -> Decimal:
        return self.work.step(
            "still owed",
            "owed after = owed - repaid",
            {"owed": owed, "repaid": paid},
            EXACT.subtract(owed, paid),
            coin.name,
        )

    def _sales(self, owed: Coin) -> list[list[Leg]]:
        """Return the legs of each sale: units sold, the repayment, results."""
        wallet, borrowed = (self.name, Side.WALLET), (self.name, Side.BORROWED)
        relief = any(leg.place == (self.name, Side.BAD_DEBT) for leg in self.legs)
        legs = list(self.legs[:-2] if relief else self.legs)
        if self.fall.holdings[owed.name].repayable:
            del legs[:2]
        sales: list[list[Leg]] = []
        for number, leg in enumerate(legs):
            begins = leg.place == wallet and (number == 0 or legs[number - 1].place != wallet)
            if begins:
                sales.append([])
            sales[-1].append(leg)
        assert all(any(leg.place == borrowed for leg in sale) for sale in sales)
        return sales

    def _sold(self, legs: list[Leg], owed: Decimal, coin: Coin, owed_price: Decimal) -> Decimal:
        """Note a sale, and return the remaining debt."""
        units = [leg for leg in legs if leg.place == (self.name, Side.WALLET)]
        sold = self.coins[units[0].currency]
        [asset] = [a for a in self.fall.before.assets if a.coin == sold.name]
        price = asset.price
        assert price is not None
        if asset.haircut is None:  # it counts for zero, so the margin does not cite its price
            self.work.cite(Quoted(sold.name, self.lived.book.operating))
        prices = {"owed price": owed_price, "price": price}
        quantity = EXACT.minus(total(leg.amount for leg in units))
        balance = sold.from_grains(self.fall.holdings[sold.name].held)
        if sold.name == coin.name:
            repaid_first = coin.from_grains(self.fall.holdings[coin.name].repayable)
            balance = EXACT.subtract(balance, repaid_first)
        say = f"{sold.name} sold, rounded up"
        self.work.step(
            say,
            "sold = min(ceil((owed x owed price) / (price x quantum)) x quantum, balance)",
            {"owed": owed, **prices, "quantum": sold.quantum, "balance": balance},
            quantity,
            sold.name,
        )
        [repaid] = [leg.amount for leg in legs if leg.place == (self.name, Side.BORROWED)]
        proceeds = self.work.step(
            f"proceeds of {sold.name}, which repay",
            "proceeds = min(round(sold x (price / owed price) / quantum) x quantum, owed)",
            {"sold": quantity, **prices, "quantum": coin.quantum, "owed": owed},
            repaid,
            coin.name,
        )
        with localcontext(PRECISE):
            written = (price / owed_price).quantize(PRICE_PLACES)
        say = f"price of {sold.name} as it is written"
        formula = "written = round(price / owed price, 12)"
        self.work.step(say, formula, prices, written, coin.name)
        for leg in legs:
            if leg.place == (self.name, Side.PNL):
                self._gain(leg, units, (coin.name, proceeds, written))
        return self._left(owed, proceeds, coin)

    def _gain(self, leg: Leg, units: list[Leg], brought: tuple[str, Decimal, Decimal]) -> None:
        """Note the result of a sale in one currency: the cost of the units less their proceeds."""
        coin, proceeds, written = brought
        values: dict[str, Decimal] = {}
        terms = []
        for number, sold in enumerate(units, 1):
            currency = coin if sold.lot is None else sold.lot.currency
            if currency == leg.currency:
                cost = written if sold.lot is None else sold.lot.cost
                values |= {f"units {number}": EXACT.minus(sold.amount), f"cost {number}": cost}
                terms.append(f"units {number} x cost {number}")
        formula = " + ".join(terms) or "0"
        if leg.currency == coin:
            values["proceeds"] = proceeds
            formula += " - proceeds"
        say = "result of the sale; income is negative"
        self.work.step(say, f"result = {formula}", values, leg.amount, leg.currency)
