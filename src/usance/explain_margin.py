"""Explain margin: the steps behind settlement, the margin held, and each step of a liquidation."""

from decimal import Decimal, localcontext

from usance import margin as rules
from usance.amounts import EXACT, PRECISE, ZERO, Coin, total
from usance.drafts import Draft, Leg
from usance.events import Side
from usance.explanation import Lived, Opening, Quoted, Term, Working
from usance.margin import Asset, Margin, Requirement, Standing
from usance.settlement import Settled
from usance.terms import Identity, InverseSqrt, Slope, Tiers
from usance.wallet import Holding
from usance.waterfall import FEE, PRICE_PLACES, STEPS, Fall

# Settlement


def settlement(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of what contracts paid into a wallet, or took out of it."""
    for made in lived.day.settled:
        if made.sub_account == name:
            _settled(work, lived, made)


def _settled(work: Working, lived: Lived, made: Settled) -> None:
    name, coin, day = made.sub_account, made.coin, lived.day.day
    work.cite(Term("commodity", coin.name, ""), Opening(name, Side.PERP, coin.name))
    before = lived.before.holdings.get(name, {}).get(coin.name, Holding())
    parts = {"balance at 00:00": coin.decimal(before.perp)}
    for movement in lived.book.movements.get((name, coin.name), {}).get(day, ()):
        if movement.side is Side.PERP:
            parts["moved"] = EXACT.add(parts.get("moved", ZERO), movement.quantity)
            work.cite(movement.source)
    balance = coin.decimal(made.balance)
    say = f"{coin.name}: balance in Perp, what is owed at the last mark"
    work.total(say, "balance", parts, coin.name, balance)
    values, worth = {"balance": balance}, []
    for contract, quantity, mark in made.contracts:
        _contract(work, lived, name, contract)
        work.cite(Quoted(contract, coin.name))
        values |= {f"quantity of {contract}": quantity, f"mark of {contract}": mark}
        worth.append(f"quantity of {contract} x mark of {contract}")
    formula = "due = balance"
    if worth:
        formula = f"due = round(({' + '.join(worth)} + balance) / quantum) x quantum"
        values["quantum"] = coin.quantum
    work.step(f"{coin.name}: due to the wallet", formula, values, coin.decimal(made.due), coin.name)


def _contract(work: Working, lived: Lived, name: str, contract: str) -> None:
    """Cite a contract's terms, and the trades of its lots that are open or of the day."""
    work.cite(Term("perpetual", contract, lived.book.venue(name)))
    lots = {**lived.before.positions.get(name, {}).get(contract, {})}
    for day, movements in sorted(lived.book.trades.get((name, contract), {}).items()):
        for movement in movements:
            if day == lived.day.day or (day < lived.day.day and movement.lot in lots):
                work.cite(movement.source)


# Margin


def margin(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of the margin that a sub-account holds at the end of a day."""
    held = ZERO
    work.cite(Term("sub-account", name, ""), Opening(name, Side.MARGIN, lived.book.operating))
    if name in lived.day.margins:
        standing, made = lived.day.margins[name]
        initial = measure(work, lived, name, standing, "").initial_margin
        assert initial == made.initial_margin
        held = PRECISE.quantize(initial, Decimal("0.01"))
        values = {"initial margin": initial}
        currency = lived.book.operating
        work.step("margin held", "held = round(initial margin, 2)", values, held, currency)
    else:
        work.step("margin held, nothing is exposed", "held = 0", {}, held, lived.book.operating)
    before = lived.before.margin.get(name, ZERO)
    work.step(
        "change of the Margin memorandum",
        "change = held - held before",
        {"held": held, "held before": before},
        EXACT.subtract(held, before),
        lived.book.operating,
    )


def measure(work: Working, lived: Lived, name: str, standing: Standing, when: str) -> Margin:
    """Note the steps of a margin, and return it; `when` begins what each step says."""
    return _Measure(work, lived, name, standing, when).explain()


class _Measure:
    """One margin that is being explained."""

    def __init__(
        self, work: Working, lived: Lived, name: str, standing: Standing, when: str
    ) -> None:
        self.work = work
        self.lived = lived
        self.name = name
        self.standing = standing
        self.margin = rules.evaluate(standing)
        self.when = when
        self.currency = lived.book.operating
        self.venue = lived.book.venue(name)

    def explain(self) -> Margin:
        collateral = self._sum(
            "collateral",
            {f"collateral of {asset.coin}": self._asset(asset) for asset in self._counting()},
            self.margin.collateral,
        )
        pnl = self._pnl()
        liability = self._sum("borrow liability", self._debts(), self.margin.borrow_liability)
        self._step(
            "net equity",
            "net equity = collateral + unsettled result - borrow liability",
            {"collateral": collateral, "unsettled result": pnl, "borrow liability": liability},
            self.margin.net_equity,
        )
        self._requirements()
        return self.margin

    def _step(
        self, what: str, formula: str, values: dict[str, Decimal], result: Decimal, unit: str = ""
    ) -> Decimal:
        unit = unit or self.currency
        return self.work.step(f"{self.when}{what}", formula, values, result, unit)

    def _ratio(
        self, what: str, formula: str, values: dict[str, Decimal], result: Decimal
    ) -> Decimal:
        return self.work.step(f"{self.when}{what}", formula, values, result, "")

    def _sum(self, what: str, parts: dict[str, Decimal], result: Decimal) -> Decimal:
        return self.work.total(f"{self.when}{what}", what, parts, self.currency, result)

    def _counting(self) -> list[Asset]:
        """Return the coins that count as collateral."""
        assets = self.standing.assets
        return [a for a in assets if a.price is not None and a.haircut is not None]

    def _asset(self, asset: Asset) -> Decimal:
        assert asset.price is not None
        coin = asset.coin
        self.work.cite(
            Term("collateral", coin, self.venue),
            Quoted(coin, self.currency),
            Opening(self.name, Side.WALLET, coin),
        )
        self._moved(coin)
        values = {"quantity": asset.quantity, "price": asset.price, "weight": self._weight(asset)}
        formula = "collateral = quantity x price x weight"
        return self._step(f"collateral of {coin}", formula, values, rules_counted(asset))

    def _moved(self, coin: str) -> None:
        of_day = self.lived.book.movements.get((self.name, coin), {}).get(self.lived.day.day, ())
        self.work.cite(*(movement.source for movement in of_day))

    def _weight(self, asset: Asset) -> Decimal:
        assert asset.haircut is not None
        with localcontext(PRECISE):
            share = rules.weight(asset.haircut, asset.quantity)
        what = f"weight of {asset.coin}"
        if asset.quantity <= 0:
            return self._ratio(f"{what}, in full where it is owed", "weight = 1", {}, share)
        match asset.haircut:
            case Identity():
                return share
            case InverseSqrt(most, base, penalty):
                formula = "weight = min(most, base / (1 + penalty x sqrt(quantity)))"
                values = {"most": most, "base": base, "penalty": penalty}
                return self._ratio(what, formula, {**values, "quantity": asset.quantity}, share)
            case Tiers(bands):
                values, terms, below = {"quantity": asset.quantity}, [], ZERO
                for number, (weight, bound) in enumerate(bands, 1):
                    top = asset.quantity if bound is None else min(bound, asset.quantity)
                    if top > below:
                        band = EXACT.subtract(top, below)
                        values |= {f"band {number}": band, f"weight {number}": weight}
                        terms.append(f"band {number} x weight {number}")
                        below = top
                formula = f"weight = ({' + '.join(terms)}) / quantity"
                return self._ratio(what, formula, values, share)

    def _pnl(self) -> Decimal:
        parts: dict[str, Decimal] = {}
        for coin, (balance, price) in self.standing.perp.items():
            self.work.cite(Quoted(coin, self.currency))
            with localcontext(PRECISE):
                worth = balance * price
            what = f"{coin} in Perp"
            values = {"balance": balance, "price": price}
            parts[what] = self._step(what, "value = balance x price", values, worth)
        for position in self.standing.positions:
            market, settle = position.market, position.terms.settle
            _contract(self.work, self.lived, self.name, market)
            self.work.cite(Quoted(market, settle), Quoted(settle, self.currency))
            with localcontext(PRECISE):
                worth = position.quantity * position.mark * position.settle
            what = f"value of {market}"
            values = {"quantity": position.quantity, "mark": position.mark}
            values[f"price of {settle}"] = position.settle
            formula = f"value = quantity x mark x price of {settle}"
            parts[what] = self._step(what, formula, values, worth)
        return self._sum("unsettled result", parts, self.margin.unsettled_pnl)

    def _debts(self) -> dict[str, Decimal]:
        parts: dict[str, Decimal] = {}
        for debt, required in zip(self.standing.debts, self.margin.debts, strict=True):
            coin = debt.coin
            self.work.cite(
                Term("collateral", coin, self.venue),
                Quoted(coin, self.currency),
                Opening(self.name, Side.BORROWED, coin),
            )
            values = {"owed": debt.quantity, "price": debt.price}
            what = f"liability of {coin}"
            parts[what] = self._step(what, "liability = owed x price", values, required.exposure)
        return parts

    def _requirements(self) -> None:
        exposures: dict[str, Decimal] = {}
        initials: dict[str, Decimal] = {}
        maintenances: dict[str, Decimal] = {}
        positions = zip(self.standing.positions, self.margin.positions, strict=True)
        for position, required in positions:
            market = position.market
            with localcontext(PRECISE):
                worth = position.quantity * position.mark * position.settle
            formula = "exposure = abs(value)"
            self._step(f"exposure of {market}", formula, {"value": worth}, required.exposure)
            self._required(market, required, position.terms.initial, position.terms.maintenance)
            exposures[f"exposure of {market}"] = required.exposure
            initials[f"initial margin of {market}"] = required.initial_margin
            maintenances[f"maintenance margin of {market}"] = required.maintenance_margin
        none = Slope(ZERO, ZERO)
        for debt, required in zip(self.standing.debts, self.margin.debts, strict=True):
            slopes = (none, none)
            if debt.terms is not None:
                slopes = (debt.terms.initial, debt.terms.maintenance)
            self._required(debt.coin, required, *slopes)
            exposures[f"liability of {debt.coin}"] = required.exposure
            initials[f"initial margin of {debt.coin}"] = required.initial_margin
            maintenances[f"maintenance margin of {debt.coin}"] = required.maintenance_margin
        self._sum("exposure", exposures, self.margin.exposure)
        self._sum("initial margin", initials, self.margin.initial_margin)
        self._sum("maintenance margin", maintenances, self.margin.maintenance_margin)

    def _required(self, what: str, required: Requirement, initial: Slope, least: Slope) -> None:
        """Note the margin fractions of a position or borrow, and what they take."""
        exposure, limit = required.exposure, self.standing.limit
        for name, slope, fraction, taken, capped in (
            ("initial", initial, required.imf, required.initial_margin, limit),
            ("maintenance", least, required.mmf, required.maintenance_margin, None),
        ):
            short = "IMF" if name == "initial" else "MMF"
            values, terms = {"base": slope.base}, ["base"]
            if capped is not None:
                values["leverage limit"] = capped
                terms.append("1 / leverage limit")
            if slope.factor:
                values |= {"factor": slope.factor, "exposure": exposure}
                terms.append("factor x sqrt(exposure)")
            chosen = terms[0] if len(terms) == 1 else f"max({', '.join(terms)})"
            self._ratio(f"{short} of {what}", f"{short} = {chosen}", values, fraction)
            self._step(
                f"{name} margin of {what}",
                f"{name} margin = {short} x exposure",
                {short: fraction, "exposure": exposure},
                taken,
            )


def rules_counted(asset: Asset) -> Decimal:
    """Return what a coin counts for as collateral, as the margin sums it."""
    with localcontext(PRECISE):
        return rules.counted(asset)


# Liquidation


def liquidation(work: Working, lived: Lived, name: str, draft: Draft) -> None:
    """Note the steps of one step of a liquidation, with the margin before and after it."""
    _Liquidation(work, lived, name, draft).explain()


class _Liquidation:
    """One step of a liquidation that is being explained."""

    def __init__(self, work: Working, lived: Lived, name: str, draft: Draft) -> None:
        self.work = work
        self.lived = lived
        self.name = name
        self.legs = draft.legs
        self.fall: Fall = lived.day.falls[draft.identity]
        self.coins = lived.book.coins
        self.day = lived.day.day

    def explain(self) -> None:
        venue = self.lived.book.venue(self.name)
        self.work.cite(Term("liquidation", "", venue), Term("sub-account", self.name, ""))
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
        """Note how a tenth of the position with the largest maintenance margin was closed."""
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
        """Note the result: what the lots cost, less what they brought."""
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
        """Note what goes from Perp to the wallet after the last contract, and what is borrowed."""
        before = self.fall.holdings.get(coin.name, Holding())
        moved = self._amounts(Side.PERP, coin.name)[1:]
        rest = ZERO
        if moved:
            rest = self.work.step(
                "nothing is open any more: the rest of Perp goes to the wallet",
                "rest = balance + notional",
                {"balance": coin.decimal(before.perp), "notional": notional},
                EXACT.minus(total(leg.amount for leg in moved)),
                coin.name,
            )
        borrowed = EXACT.minus(total(leg.amount for leg in self._amounts(Side.BORROWED, coin.name)))
        if borrowed:
            values = {"wallet": coin.decimal(before.held), "fee": fee, "quantum": coin.quantum}
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
        """Note how one borrow was repaid: from the wallet, from coins sold, by relief."""
        debt = self.fall.before.debts[0]
        coin = self.coins[debt.coin]
        before = self.fall.holdings[debt.coin]
        owed = coin.decimal(before.owed)
        paid = max(0, min(before.free, before.held, before.owed))
        if paid:
            amount = self.work.step(
                "repaid from the wallet",
                "repaid = min(units without cost, balance, owed)",
                {
                    "units without cost": coin.decimal(before.free),
                    "balance": coin.decimal(before.held),
                    "owed": owed,
                },
                coin.decimal(paid),
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
        """Return the legs of each sale: units sold, what that repaid, results."""
        wallet, borrowed = (self.name, Side.WALLET), (self.name, Side.BORROWED)
        relief = any(leg.place == (self.name, Side.BAD_DEBT) for leg in self.legs)
        legs = list(self.legs[:-2] if relief else self.legs)
        before = self.fall.holdings[owed.name]
        if max(0, min(before.free, before.held, before.owed)):
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
        """Note a sale, and return what is still owed."""
        units = [leg for leg in legs if leg.place == (self.name, Side.WALLET)]
        sold = self.coins[units[0].currency]
        [price] = [a.price for a in self.fall.before.assets if a.coin == sold.name]
        if price is None:  # a coin without terms counts for nothing, and is sold all the same
            found = self.lived.book.quotes.at(sold.name, self.lived.book.operating, self.day)
            assert found is not None
            price = found.price
            self.work.cite(Quoted(sold.name, self.lived.book.operating))
        prices = {"owed price": owed_price, "price": price}
        quantity = EXACT.minus(total(leg.amount for leg in units))
        balance = sold.decimal(self.fall.holdings[sold.name].held)
        if sold.name == coin.name:
            balance = EXACT.subtract(balance, self._from_wallet(coin))
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

    def _from_wallet(self, coin: Coin) -> Decimal:
        before = self.fall.holdings[coin.name]
        return coin.decimal(max(0, min(before.free, before.held, before.owed)))

    def _gain(self, leg: Leg, units: list[Leg], brought: tuple[str, Decimal, Decimal]) -> None:
        """Note the result of a sale in one currency: what units cost, less what they brought."""
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
