"""Explain margin: the steps behind settlement, the margin held, and each step of a liquidation."""

from decimal import Decimal, localcontext

from usance.engine.margin_pool import CENT
from usance.engine.state import Holding
from usance.explain.working import Lived, Opening, Quoted, TermsInForce, Working
from usance.model.accounts import Side
from usance.model.amounts import EXACT, PRECISE, ZERO, rounded_to
from usance.model.terms import Identity, InverseSqrt, Slope, Tiers
from usance.rules import margin as rules
from usance.rules.margin import Asset, Margin, Requirement, Valuation
from usance.rules.settlement import Settled

# Settlement


def settlement(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of the amounts that contracts paid into a wallet, or took out of it."""
    for due in lived.day.settled:
        if due.sub_account == name:
            _settled(work, lived, due)


def _settled(work: Working, lived: Lived, settled: Settled) -> None:
    name, coin, day = settled.sub_account, settled.coin, lived.day.day
    work.cite(TermsInForce("commodity", coin.name, ""), Opening(name, Side.PERP, coin.name))
    before = lived.before.holdings.get(name, {}).get(coin.name, Holding())
    parts = {"balance at 00:00": coin.from_grains(before.perp)}
    for movement in lived.book.movements.get((name, coin.name), {}).get(day, ()):
        if movement.side is Side.PERP:
            parts["moved"] = EXACT.add(parts.get("moved", ZERO), movement.quantity)
            work.cite(movement.source)
    balance = coin.from_grains(settled.balance)
    say = f"{coin.name}: balance in Perp, what is owed at the last mark"
    work.total(say, "balance", parts, coin.name, balance)
    values, worth = {"balance": balance}, []
    for contract, quantity, mark in settled.contracts:
        _contract(work, lived, name, contract)
        work.cite(Quoted(contract, coin.name))
        values |= {f"quantity of {contract}": quantity, f"mark of {contract}": mark}
        worth.append(f"quantity of {contract} x mark of {contract}")
    formula = "due = balance"
    if worth:
        formula = f"due = round(({' + '.join(worth)} + balance) / quantum) x quantum"
        values["quantum"] = coin.quantum
    work.step(
        f"{coin.name}: due to the wallet", formula, values, coin.from_grains(settled.due), coin.name
    )


def _contract(work: Working, lived: Lived, name: str, contract: str) -> None:
    """Cite a contract's terms, the trades of its open lots, and those of the day."""
    work.cite(
        TermsInForce("perpetual", contract, lived.book.venue(name)),
        TermsInForce("commodity", contract, ""),
    )
    lots = {**lived.before.positions.get(name, {}).get(contract, {})}
    for day, movements in sorted(lived.book.trades.get((name, contract), {}).items()):
        for movement in movements:
            if day == lived.day.day or (day < lived.day.day and movement.lot in lots):
                work.cite(movement.source)


# Margin


def margin(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of the margin that a sub-account holds at the end of a day."""
    held = ZERO
    work.cite(
        TermsInForce("sub-account", name, ""), Opening(name, Side.MARGIN, lived.book.operating)
    )
    if name in lived.day.margins:
        valuation, _ = lived.day.margins[name]
        initial = measure(work, lived, name, valuation, "").initial_margin
        held = rounded_to(CENT, initial)
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


def measure(work: Working, lived: Lived, name: str, valuation: Valuation, when: str) -> Margin:
    """Note the steps of a margin, and return it; each step's text begins with `when`."""
    return _Measure(work, lived, name, valuation, when).explain()


class _Measure:
    """The explanation of one margin."""

    def __init__(
        self, work: Working, lived: Lived, name: str, valuation: Valuation, when: str
    ) -> None:
        self.work = work
        self.lived = lived
        self.name = name
        self.valuation = valuation
        self.margin = rules.evaluate(valuation)
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
        assets = self.valuation.assets
        return [a for a in assets if a.price is not None and a.haircut is not None]

    def _asset(self, asset: Asset) -> Decimal:
        assert asset.price is not None
        coin = asset.coin
        self.work.cite(
            TermsInForce("collateral", coin, self.venue),
            Quoted(coin, self.currency),
            Opening(self.name, Side.WALLET, coin),
        )
        self._moved(coin)
        values = {"quantity": asset.quantity, "price": asset.price, "weight": self._weight(asset)}
        formula = "collateral = quantity x price x weight"
        return self._step(f"collateral of {coin}", formula, values, _counted(asset))

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
        for coin, (balance, price) in self.valuation.perp.items():
            self.work.cite(Quoted(coin, self.currency))
            with localcontext(PRECISE):
                worth = balance * price
            what = f"{coin} in Perp"
            values = {"balance": balance, "price": price}
            parts[what] = self._step(what, "value = balance x price", values, worth)
        for position in self.valuation.positions:
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
        for debt, required in zip(self.valuation.debts, self.margin.debts, strict=True):
            coin = debt.coin
            self.work.cite(
                TermsInForce("collateral", coin, self.venue),
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
        positions = zip(self.valuation.positions, self.margin.positions, strict=True)
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
        for debt, required in zip(self.valuation.debts, self.margin.debts, strict=True):
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
        """Note the margin fractions of a position or borrow, and the margins that they require."""
        exposure, limit = required.exposure, self.valuation.limit
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


def _counted(asset: Asset) -> Decimal:
    """Return the value of a coin as collateral, as the margin sums it."""
    with localcontext(PRECISE):
        return rules.counted(asset)
