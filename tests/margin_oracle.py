"""The oracle of margin: a sub-account's figures from what stands in its accounts, slow and obvious.

Goal: say what each evening's margin and settlement must be, from the text of the design alone
(formulas, sections 3 and 4), to be compared to the last digit.
Method: balances of all postings up to the evening, in fractions; terms and prices are searched anew
each time; roots have 120 digits; nothing is validated, and no code of the engine is used.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from beancount.core import data

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
    contracts, cost         contracts by market, negative is short; what they cost, in the settle coin
    prices                  of coins in the operating currency
    marks                   in the settle coin
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

    def moved(self, market: str, mark: Fraction) -> "Picture":
        """Return the picture with one mark elsewhere, and the coin under it in proportion."""
        share = mark / self.marks(market)
        under = self.perpetual(market).get("underlying")
        return replace(
            self,
            marks=lambda other: mark if other == market else self.marks(other),
            prices=lambda coin: self.prices(coin) * (share if coin == under else 1),
        )


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
    return min(
        flat, Fraction(terms["base"]) / (1 + Fraction(terms["penalty"]) * root(quantity))
    )


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
        price = None if terms is None else picture.prices(coin)
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
        price = picture.prices(coin)
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
        picture = Picture(
            self.operating,
            prices=lambda coin: self.price(coin, self.operating, day),
            marks=lambda market: self.price(market, contract(market)["settle"], day),
            collateral=lambda coin: self.terms("collateral", coin, venue, day),
            perpetual=lambda market: contract(market),
            limit=None if limit is None else Fraction(limit),
        )

        def contract(market: str) -> Terms:
            return self.terms("perpetual", market, venue, day) or {}

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
    elif below == f"{root_of}:Perp" and leg.cost is not None:
        assert leg.cost.number is not None
        picture.contracts[name] += number
        picture.cost[name] += number * Fraction(leg.cost.number)
