"""Margin reports: rows of `usance margin` and `usance stress`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from usance.engine.state import State
from usance.engine.valuation import Valuer
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import PRECISE, ZERO, decimal_text
from usance.model.hours import Day, iso
from usance.model.problems import Problem
from usance.model.quotes import Quotes
from usance.reports import basis
from usance.reports.figures import Figures, shown
from usance.rules.liquidation_price import liquidation_price
from usance.rules.margin import Margin, Requirement, Valuation, counted, evaluate, repriced, weight


@dataclass(frozen=True, slots=True)
class Evening:
    """The sub-accounts at a day's end, each with its priced holdings, or None without a price."""

    day: Day
    basis: str
    valuations: Mapping[str, Valuation | None]
    problems: list[Problem]


def evening(
    ledger: Ledger, reading: Reading, day: Day, others: Quotes, on: str, only: str | None = None
) -> Evening:
    """Live the days up to the end of one, and price the holdings of all sub-accounts, or of one."""
    state = basis.evening(ledger, reading, day, on)
    return priced(reading, state, day, others, on, only)


def priced(
    reading: Reading, state: State, day: Day, others: Quotes, on: str, only: str | None = None
) -> Evening:
    """Price the holdings of all sub-accounts, or of one, in the state of an evening.

    others  prices of commodities without terms: such a coin counts for zero, but is shown
    """
    valuer = Valuer(reading.book, state, day, others)
    names = [name for name in sorted(reading.book.sub_accounts) if only in (None, name)]
    found = {name: valuer.valuation(name) for name in names}
    missing = [problem for problem in valuer.problems if not problem.finding]
    return Evening(day, on, found, missing)


def margin(reading: Reading, seen: Evening, prices: Mapping[str, Decimal]) -> Figures:
    """Return the answer of `usance margin`; `prices` replace those of the ledger."""
    return {
        "at": iso(seen.day),
        "currency": reading.book.operating,
        "basis": seen.basis,
        "sub_accounts": [
            _margin(reading, name, None if valuation is None else repriced(valuation, prices))
            for name, valuation in seen.valuations.items()
        ],
    }


def stress(reading: Reading, seen: Evening, shocks: Mapping[str, Mapping[str, Decimal]]) -> Figures:
    """Return the answer of `usance stress`: margin under groups of shocks.

    shocks  factors by coin or contract, by the text of their group
    """
    return {
        "at": iso(seen.day),
        "currency": reading.book.operating,
        "basis": seen.basis,
        "shocks": [
            {
                "shock": text,
                "sub_accounts": [
                    _margin(
                        reading, name, None if valuation is None else shocked(valuation, factors)
                    )
                    for name, valuation in seen.valuations.items()
                ],
            }
            for text, factors in shocks.items()
        ],
    }


def shocked(valuation: Valuation, factors: Mapping[str, Decimal]) -> Valuation:
    """Return a valuation with the prices of coins, and the marks over them, times their factors."""
    prices: dict[str, Decimal] = {}
    with localcontext(PRECISE):
        for coin, price in _coins(valuation):
            if coin in factors:
                prices[coin] = price * factors[coin]
        for position in valuation.positions:
            factor = factors.get(position.market)
            if factor is None and position.terms.underlying is not None:
                factor = factors.get(position.terms.underlying)
            if factor is not None:
                prices[position.market] = position.mark * factor
    return repriced(valuation, prices)


def _coins(valuation: Valuation) -> Iterator[tuple[str, Decimal]]:
    """Yield each coin that has a price in a valuation, with the price."""
    for asset in valuation.assets:
        if asset.price is not None:
            yield asset.coin, asset.price
    for debt in valuation.debts:
        yield debt.coin, debt.price
    for coin, (_, price) in valuation.perp.items():
        yield coin, price
    for position in valuation.positions:
        yield position.terms.settle, position.settle


def commodities(seen: Evening) -> set[str]:
    """Return the commodities that another price may be given for.

    They are the coins that are held, owed or settled in, and the contracts with their underlyings.
    """
    found: set[str] = set()
    for valuation in seen.valuations.values():
        if valuation is not None:
            found.update(asset.coin for asset in valuation.assets)
            found.update(coin for coin, _ in _coins(valuation))
            for position in valuation.positions:
                found.add(position.market)
                found.add(position.terms.underlying or position.market)
    return found


def _margin(reading: Reading, name: str, valuation: Valuation | None) -> Figures:
    head: Figures = {"name": name, "venue": reading.book.venue(name)}
    if valuation is None:
        lists = {"collateral_assets": None, "positions": None, "borrows": None}
        return head | dict.fromkeys(SUMS) | lists
    found = evaluate(valuation)
    with localcontext(PRECISE):
        head |= {key: shown(getattr(found, key)) for key in SUMS}
        head["collateral_assets"] = [
            {
                "coin": asset.coin,
                "quantity": decimal_text(asset.quantity),
                "lent": decimal_text(asset.lent),
                "price": shown(asset.price),
                "weight": shown(
                    ZERO if asset.haircut is None else weight(asset.haircut, asset.quantity)
                ),
                "value": shown(counted(asset)),
            }
            for asset in valuation.assets
        ]
        head["positions"] = list(_positions(valuation, found))
        head["borrows"] = [
            {
                "coin": debt.coin,
                "quantity": decimal_text(debt.quantity),
                "price": shown(debt.price),
                "liability": shown(required.exposure),
                **_required(required),
            }
            for debt, required in zip(valuation.debts, found.debts, strict=True)
        ]
    return head


SUMS = (
    "collateral",
    "unsettled_pnl",
    "borrow_liability",
    "net_equity",
    "exposure",
    "initial_margin",
    "maintenance_margin",
    "available_equity",
    "margin_fraction",
    "imr",
    "mmr",
)
"""The figures of `Margin` in a sub-account's row."""


PARTS: dict[str, tuple[str, ...]] = {
    "sub_accounts": SUMS,
    "collateral_assets": ("coin", "quantity", "lent", "price", "weight", "value"),
    "positions": (
        "market",
        "quantity",
        "entry_price",
        "mark",
        "unrealized_pnl",
        "exposure",
        "imf",
        "mmf",
        "initial_margin",
        "maintenance_margin",
        "liquidation_price",
    ),
    "borrows": (
        "coin",
        "quantity",
        "price",
        "liability",
        "imf",
        "mmf",
        "initial_margin",
        "maintenance_margin",
    ),
}
"""The lists of an answer, with the figures of each of their rows."""


def _positions(valuation: Valuation, found: Margin) -> Iterator[Figures]:
    for index, (position, required) in enumerate(
        zip(valuation.positions, found.positions, strict=True)
    ):
        result = position.quantity * (position.mark - position.entry) * position.settle
        yield {
            "market": position.market,
            "quantity": decimal_text(position.quantity),
            "entry_price": shown(position.entry),
            "mark": shown(position.mark),
            "unrealized_pnl": shown(result),
            "exposure": shown(required.exposure),
            **_required(required),
            "liquidation_price": shown(liquidation_price(valuation, found, index)),
        }


def _required(required: Requirement) -> Figures:
    return {
        "imf": shown(required.imf),
        "mmf": shown(required.mmf),
        "initial_margin": shown(required.initial_margin),
        "maintenance_margin": shown(required.maintenance_margin),
    }


def distance(position: Figures) -> str | None:
    """Return the distance from a position's mark to its liquidation price, or None without one.

    It is a fraction of the mark, below zero if the liquidation price is below the mark.
    """
    if position["liquidation_price"] is None:
        return None
    with localcontext(PRECISE):
        mark = Decimal(position["mark"])
        return shown((Decimal(position["liquidation_price"]) - mark) / mark)


def is_bankrupt(row: Figures) -> bool:
    """Tell whether a sub-account has no equity left against its exposure or debts.

    A sub-account that has nothing and owes nothing is not bankrupt, though its ratios are None too.
    """
    if row["net_equity"] is None or row["mmr"] is not None:
        return False
    return any(Decimal(row[key]) for key in ("net_equity", "exposure"))
