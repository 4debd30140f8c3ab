"""The oracle of margin: a sub-account's figures from what stands in its accounts, slow and obvious.

Goal: say what each evening's margin and settlement must be, from the text of the design alone
(formulas, section 4), to be compared to the last digit.
Method: balances of all postings up to the evening, in fractions; terms and prices are searched anew
each time; roots have 120 digits; nothing is validated, and no code of the engine is used. Pictures
are also drawn; `standing` gives them to the engine, of which it takes the types alone.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from beancount.core import data
from beancount.core.position import Cost
from hypothesis import strategies as st

from usance.model.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers
from usance.rules.margin import Asset, Debt, Position, Valuation

ROOTS = Context(prec=120)
FIGURES = Context(prec=28, rounding=ROUND_HALF_EVEN)
ONE = Fraction(1)

Amounts = defaultdict[str, Fraction]
Terms = Mapping[str, Any]
"""The metadata of a directive, by key."""


def amounts() -> Amounts:
    return defaultdict(Fraction)


@dataclass
class Picture:
    """What a sub-account has, and what it is worth.

    wallet, borrowed, perp  coins, by coin; what is owed in Perp is negative
    contracts               by market, negative is short
    cost                    what they cost, in the settle coin
    prices                  of coins in the operating currency
    marks                   in the settle coin
    shares                  how many times its price a coin is worth that is held or owed
    """

    operating: str
    wallet: Amounts = field(default_factory=amounts)
    borrowed: Amounts = field(default_factory=amounts)
    perp: Amounts = field(default_factory=amounts)
    contracts: Amounts = field(default_factory=amounts)
    cost: Amounts = field(default_factory=amounts)
    prices: Callable[[str], Fraction] = lambda _: ONE
    marks: Callable[[str], Fraction] = lambda _: ONE
    collateral: Callable[[str], Terms | None] = lambda _: None
    perpetual: Callable[[str], Terms] = lambda _: {}
    limit: Fraction | None = None
    shares: Mapping[str, Fraction] = field(default_factory=dict)

    def moved(self, market: str, mark: Fraction) -> "Picture":
        """Return the picture with one mark elsewhere.

        What is held or owed of the coin under it is worth as many times as much; other positions,
        those settled in that coin too, stay what they are.
        """
        under = self.perpetual(market).get("underlying")
        return replace(
            self,
            marks=lambda other: mark if other == market else self.marks(other),
            shares={} if under is None else {under: mark / self.marks(market)},
        )

    def price(self, coin: str) -> Fraction:
        """Return the price of a coin that is held or owed."""
        return self.prices(coin) * self.shares.get(coin, ONE)


def root(number: Fraction) -> Fraction:
    """Return a square root, to 120 digits."""
    quotient = ROOTS.divide(Decimal(number.numerator), Decimal(number.denominator))
    return Fraction(ROOTS.sqrt(quotient))


def shown(number: Fraction | None) -> str | None:
    """Return a figure as it stands in JSON: 28 significant digits, plain, no zeros at its end."""
    if number is None:
        return None
    rounded = FIGURES.divide(Decimal(number.numerator), Decimal(number.denominator))
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def weight(terms: Terms, quantity: Fraction) -> Fraction:
    """Return the share of a coin's value that counts; what is below zero counts in full."""
    function = terms.get("weight-function", "identity")
    if quantity <= 0:
        return ONE
    if function == "tiers":
        counted, low = Fraction(0), Fraction(0)
        for band in terms["tiers"].split(","):
            share, _, bound = band.replace("above", "to").strip().partition(" to")
            high = Fraction(bound) if bound.strip() else quantity
            counted += Fraction(share) * max(Fraction(0), min(high, quantity) - low)
            low = high
        return counted / quantity
    flat = Fraction(terms["weight"])
    if function == "identity":
        return flat
    return min(flat, Fraction(terms["base"]) / (1 + Fraction(terms["penalty"]) * root(quantity)))


def fraction(terms: Terms, kind: str, exposure: Fraction, floor: Fraction) -> Fraction:
    """Return a margin fraction: base, floor, or what grows with the root of the exposure."""
    base = Fraction(terms.get(f"{kind}-margin", 0))
    factor = Fraction(terms.get(f"{kind}-margin-factor", 0))
    return max(base, floor, factor * root(exposure))


def required(terms: Terms, exposure: Fraction, limit: Fraction | None) -> dict[str, Fraction]:
    """Return what a position or borrow takes."""
    imf = fraction(terms, "initial", exposure, 1 / limit if limit else Fraction(0))
    mmf = fraction(terms, "maintenance", exposure, Fraction(0))
    return {
        "imf": imf,
        "mmf": mmf,
        "initial_margin": imf * exposure,
        "maintenance_margin": mmf * exposure,
    }


def counts(picture: Picture, coin: str) -> Terms | None:
    """Return the terms by which a coin counts; the operating currency counts in full without."""
    terms = picture.collateral(coin)
    return {"weight": 1} if terms is None and coin == picture.operating else terms


def figures(picture: Picture) -> dict[str, Any]:
    """Return the figures of `usance margin`, in fractions; liquidation prices apart."""
    assets, positions, borrows = [], [], []
    for coin, quantity in sorted(picture.wallet.items()):
        terms = counts(picture, coin)
        if not quantity:
            continue
        price = None if terms is None else picture.price(coin)
        share = Fraction(0) if terms is None else weight(terms, quantity)
        value = quantity * (price or 0) * share
        assets.append(
            {"coin": coin, "quantity": quantity, "price": price, "weight": share, "value": value}
        )
    pnl = sum((held * picture.prices(coin) for coin, held in picture.perp.items() if held), ONE * 0)
    for market, quantity in sorted(picture.contracts.items()):
        if not quantity:
            continue
        terms = picture.perpetual(market)
        mark, settle = picture.marks(market), picture.prices(terms["settle"])
        entry = picture.cost[market] / quantity
        exposure = abs(quantity) * mark * settle
        pnl += quantity * mark * settle
        positions.append(
            {
                "market": market,
                "quantity": quantity,
                "entry_price": entry,
                "mark": mark,
                "unrealized_pnl": quantity * (mark - entry) * settle,
                "exposure": exposure,
                **required(terms, exposure, picture.limit),
            }
        )
    for coin, quantity in sorted(picture.borrowed.items()):
        if quantity <= 0:
            continue
        price = picture.price(coin)
        borrows.append(
            {
                "coin": coin,
                "quantity": quantity,
                "price": price,
                "liability": quantity * price,
                **required(picture.collateral(coin) or {}, quantity * price, picture.limit),
            }
        )
    return {
        **sums(assets, positions, borrows, pnl),
        "collateral_assets": assets,
        "positions": positions,
        "borrows": borrows,
    }


def sums(
    assets: list[Any], positions: list[Any], borrows: list[Any], pnl: Fraction
) -> dict[str, Fraction | None]:
    """Return the figures of the whole sub-account."""
    taken = [*positions, *borrows]
    collateral = sum((asset["value"] for asset in assets), ONE * 0)
    liability = sum((borrow["liability"] for borrow in borrows), ONE * 0)
    exposure = sum((part["exposure"] for part in positions), liability)
    initial = sum((part["initial_margin"] for part in taken), ONE * 0)
    maintenance = sum((part["maintenance_margin"] for part in taken), ONE * 0)
    equity = collateral + pnl - liability
    exists = equity > 0
    return {
        "collateral": collateral,
        "unsettled_pnl": pnl,
        "borrow_liability": liability,
        "net_equity": equity,
        "exposure": exposure,
        "initial_margin": initial,
        "maintenance_margin": maintenance,
        "available_equity": equity - initial,
        "margin_fraction": equity / exposure if exposure else None,
        "imr": (initial / equity if exposure else ONE * 0) if exists else None,
        "mmr": (maintenance / equity if exposure else ONE * 0) if exists else None,
    }


def excess(picture: Picture) -> Fraction:
    """Return net equity less maintenance margin."""
    found = figures(picture)
    left: Fraction = found["net_equity"] - found["maintenance_margin"]
    return left


class Text:
    """A loaded ledger, searched from its first directive to its last for each question."""

    def __init__(self, entries: data.Directives, options: Mapping[str, Any]) -> None:
        self.entries = entries
        self.operating = str(options["operating_currency"][0])
        self.customs = [entry for entry in entries if isinstance(entry, data.Custom)]

    def terms(self, kind: str, name: str, venue: str, day: date) -> Terms | None:
        """Return the terms in force at the end of a day: the last; of equals the one of a venue."""
        found = [
            (entry.date, str(entry.meta.get("time", "00:00")), "venue" in entry.meta, place)
            for place, entry in enumerate(self.customs)
            if entry.type == kind
            and entry.date <= day
            and entry.values[0].value == name
            and entry.meta.get("venue", venue) == venue
        ]
        return self.customs[max(found)[-1]].meta if found else None

    def quantum(self, commodity: str) -> Fraction:
        """Return the smallest unit that is posted."""
        for entry in self.entries:
            if isinstance(entry, data.Commodity) and entry.currency == commodity:
                return Fraction(entry.meta.get("quantum", Decimal("1e-8")))
        return Fraction(1, 10**8)

    def price(self, commodity: str, quote: str, day: date) -> Fraction:
        """Return the last price up to a day, directly, else over one other currency."""
        if commodity == quote:
            return ONE
        direct = self.quoted(commodity, quote, day)
        if direct is not None:
            return direct
        others = {
            entry.amount.currency
            for entry in self.entries
            if isinstance(entry, data.Price) and entry.currency == commodity
        }
        for other in sorted(others):
            first, second = self.quoted(commodity, other, day), self.quoted(other, quote, day)
            if first is not None and second is not None:
                return first * second
        raise LookupError(commodity, quote, day)

    def quoted(self, commodity: str, quote: str, day: date) -> Fraction | None:
        found = [
            (entry.date, Fraction(entry.amount.number))
            for entry in self.entries
            if isinstance(entry, data.Price)
            and entry.date <= day
            and (entry.currency, entry.amount.currency) == (commodity, quote)
            and entry.amount.number is not None
        ]
        return found[-1][1] if found else None

    def picture(self, root_of: str, name: str, day: date, *without: str) -> Picture:
        """Return what a sub-account has at the end of a day, before kinds of that day's own.

        root_of  what stands between the first part of its accounts and their last: Backpack:Main
        """
        venue = root_of.rpartition(":")[0]
        limit = (self.terms("sub-account", name, venue, day) or {}).get("leverage-limit")

        def contract(market: str) -> Terms:
            return self.terms("perpetual", market, venue, day) or {}

        picture = Picture(
            self.operating,
            prices=lambda coin: self.price(coin, self.operating, day),
            marks=lambda market: self.price(market, contract(market)["settle"], day),
            collateral=lambda coin: self.terms("collateral", coin, venue, day),
            perpetual=contract,
            limit=None if limit is None else Fraction(limit),
        )

        for entry in self.entries:
            if not isinstance(entry, data.Transaction) or entry.date > day:
                continue
            if entry.date == day and any(kind in (entry.tags or ()) for kind in without):
                continue
            for leg in entry.postings:
                take(picture, root_of, leg)
        return picture

    def due(self, picture: Picture, coin: str) -> Fraction:
        """Return what a settlement pays into the wallet in a coin."""
        found = {
            market: quantity
            for market, quantity in picture.contracts.items()
            if quantity and picture.perpetual(market)["settle"] == coin
        }
        if not found:
            return picture.perp[coin]
        worth = sum((held * picture.marks(market) for market, held in found.items()), ONE * 0)
        quantum = self.quantum(coin)
        return round((worth + picture.perp[coin]) / quantum) * quantum


def take(picture: Picture, root_of: str, leg: data.Posting) -> None:
    """Take in a posting."""
    _, _, below = leg.account.partition(":")
    assert leg.units is not None
    assert leg.units.number is not None
    number, name = Fraction(leg.units.number), leg.units.currency
    if below == f"{root_of}:Borrowed":
        picture.borrowed[name] -= number
    elif below == f"{root_of}:Wallet":
        picture.wallet[name] += number
    elif below == f"{root_of}:Perp" and leg.cost is None:
        picture.perp[name] += number
    elif below == f"{root_of}:Perp":
        assert isinstance(leg.cost, Cost)
        picture.contracts[name] += number
        picture.cost[name] += number * Fraction(leg.cost.number)


def judge(picture: Picture, market: str, price: str | None) -> str:
    """Refuse a liquidation price that is none, or beyond a nearer one; tell which kind it is.

    Nearer ones are looked for on a grid, so that one that the grid passes by is not seen.
    """
    mark, is_long = picture.marks(market), picture.contracts[market] > 0
    exposed = figures(picture)["exposure"] > 0
    if exposed and excess(picture) <= 0:
        assert price == shown(mark)
        return "in breach"
    if price is None:
        far = mark / 10**12 if is_long else mark * 10**5
        tried = [mark + (far - mark) * step / 24 for step in range(1, 25)]
        tried += [] if is_long else [mark * 2**step for step in range(1, 16)]
        assert all(excess(picture.moved(market, other)) > 0 for other in tried)
        return "no liquidation price"
    found = Fraction(price)
    assert found > 0
    assert (found < mark) if is_long else (found > mark)
    there = picture.moved(market, found)
    held = figures(there)
    digits = (held["collateral"] + held["exposure"]) / 10**26  # the price has 28
    assert abs(excess(there)) < max(Fraction(1, 10**9), digits)
    tried = [mark + (found - mark) * step / 32 for step in range(1, 32)]
    assert all(excess(picture.moved(market, other)) > 0 for other in tried)
    return "long liquidated" if is_long else "short liquidated"


# Drawn pictures


def slope(terms: Terms, kind: str) -> Slope:
    base, factor = (Decimal(terms.get(f"{kind}-margin{end}", 0)) for end in ("", "-factor"))
    return Slope(base, factor)


def haircut(terms: Terms) -> Haircut:
    match terms.get("weight-function", "identity"):
        case "identity":
            return Identity(Decimal(terms["weight"]))
        case "inverse-sqrt":
            return InverseSqrt(*(Decimal(terms[key]) for key in ("weight", "base", "penalty")))
    bands = [band.strip().partition(" to ") for band in terms["tiers"].split(",")]
    return Tiers(
        tuple(
            (Decimal(share.removesuffix(" above")), Decimal(bound) if bound else None)
            for share, _, bound in bands
        )
    )


def exact(number: Fraction) -> Decimal:
    """Return a fraction as a decimal, which it must be."""
    found = ROOTS.divide(Decimal(number.numerator), Decimal(number.denominator))
    assert Fraction(found) == number
    return found


def standing(picture: Picture) -> Valuation:
    """Return a picture as the engine takes it; nothing is lent."""
    assets, positions, debts = [], [], []
    for coin, quantity in sorted(picture.wallet.items()):
        terms = counts(picture, coin)
        price = None if terms is None else exact(picture.price(coin))
        share = None if terms is None else haircut(terms)
        if quantity:
            assets.append(Asset(coin, exact(quantity), Decimal(0), price, share))
    for market, quantity in sorted(picture.contracts.items()):
        terms = picture.perpetual(market)
        settle = terms["settle"]
        contract = Perpetual(
            settle, terms.get("underlying"), slope(terms, "initial"), slope(terms, "maintenance")
        )
        mark, price = exact(picture.marks(market)), exact(picture.prices(settle))
        entry = ROOTS.divide(exact(picture.cost[market]), exact(quantity))
        positions.append(Position(market, exact(quantity), entry, mark, price, contract))
    for coin, quantity in sorted(picture.borrowed.items()):
        terms = picture.collateral(coin)
        taken = (
            None
            if terms is None
            else Collateral(haircut(terms), slope(terms, "initial"), slope(terms, "maintenance"))
        )
        debts.append(Debt(coin, exact(quantity), exact(picture.price(coin)), taken))
    perp = {coin: (exact(held), exact(picture.prices(coin))) for coin, held in picture.perp.items()}
    limit = None if picture.limit is None else exact(picture.limit)
    return Valuation(tuple(assets), tuple(positions), tuple(debts), perp, limit)


WEIGHTS: tuple[Terms, ...] = (
    {"weight": "1"},
    {"weight": "0.95"},
    {"weight-function": "inverse-sqrt", "weight": "0.95", "base": "1.1", "penalty": "0.01"},
    {"weight-function": "tiers", "tiers": "1 to 10, 0.9 to 50.5, 0.33 to 400, 0 above"},
)
MARGINS: tuple[Terms, ...] = (
    {"initial-margin": "0.02", "maintenance-margin": "0.0135"},
    {"initial-margin": "0.1", "maintenance-margin": "0.05"},
    {"initial-margin": "0", "maintenance-margin": "0"},
    {
        "initial-margin": "0.02",
        "initial-margin-factor": "0.000075",
        "maintenance-margin": "0.0135",
        "maintenance-margin-factor": "0.0000375",
    },
    {
        "initial-margin": "0.02",
        "initial-margin-factor": "0.002",
        "maintenance-margin": "0.0135",
        "maintenance-margin-factor": "0.001",
    },
    {
        "initial-margin-factor": "0.01",
        "maintenance-margin-factor": "0.008",
    },
)
CONTRACTS: dict[str, Terms] = {
    "BTC-PERP": {"settle": "USDC"},
    "ETH-SOL": {"settle": "SOL", "underlying": "ETH"},
    "SOL-FUT": {"settle": "USDC", "underlying": "SOL"},
    "SOL-PERP": {"settle": "USDC", "underlying": "SOL"},
}
TYPICAL = {"BTC-PERP": 60000, "ETH-SOL": 17, "SOL-FUT": 151, "SOL-PERP": 150}


def numbers(low: int, high: int, places: int = 2) -> st.SearchStrategy[Fraction]:
    """Draw decimals with so many places."""
    unit = 10**places
    return st.integers(low * unit + 1, high * unit).map(lambda number: Fraction(number, unit))


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Draw what a sub-account may have: cash, coins, positions, borrows, not all of it settled."""
    marks = {market: draw(numbers(worth // 2, worth * 2)) for market, worth in TYPICAL.items()}
    prices = {"USDC": ONE, "SOL": draw(numbers(70, 300)), "ETH": draw(numbers(1000, 5000))}
    taken = st.sampled_from(MARGINS)
    weights = {coin: {**draw(st.sampled_from(WEIGHTS)), **draw(taken)} for coin in prices}
    weights["USDC"] = {"weight": "1", **draw(taken)}
    terms = {market: {**fixed, **draw(taken)} for market, fixed in CONTRACTS.items()}
    made = Picture(
        "USDC",
        prices=prices.__getitem__,
        marks=marks.__getitem__,
        collateral=weights.get,
        perpetual=terms.__getitem__,
        limit=draw(st.sampled_from((None, Fraction(10), Fraction(25, 2), Fraction(4)))),
    )
    opened = draw(st.lists(st.sampled_from(sorted(CONTRACTS)), min_size=1, max_size=3, unique=True))
    for market in opened:
        size = draw(numbers(0, 100)) * 100 / TYPICAL[market]
        quantity = Fraction(round(size * 1000) + 1, 1000) * draw(st.sampled_from((1, -1)))
        made.contracts[market] = quantity
        made.cost[market] = quantity * draw(numbers(TYPICAL[market] // 2, TYPICAL[market] * 2))
        settled = draw(st.booleans())
        paid = quantity * marks[market] if settled else made.cost[market]
        made.perp[terms[market]["settle"]] -= paid
    made.wallet["USDC"] = draw(numbers(0, 20000))
    for coin in draw(st.sets(st.sampled_from(("SOL", "ETH")))):
        made.wallet[coin] = draw(numbers(0, 100 if coin == "SOL" else 5))
    for coin in draw(st.sets(st.sampled_from(("SOL", "USDC")))):
        made.borrowed[coin] = draw(numbers(0, 30 if coin == "SOL" else 3000))
    return made
