"""Margin reports: rows of `usance margin` and `usance stress`."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from usance.engine.state import State
from usance.engine.valuation import Valuer
from usance.language.reading import Reading
from usance.model.amounts import PRECISE, ZERO, normalized
from usance.model.hours import Day, date_of
from usance.model.problems import Problem
from usance.model.quotes import Quotes
from usance.reports.figures import BESIDE, FlatRow, as_dicts, figure, rounded
from usance.rules.liquidation_price import liquidation_price
from usance.rules.margin import Margin as Evaluated
from usance.rules.margin import Requirement, Valuation, counted, evaluate, repriced, weight


@dataclass(frozen=True, slots=True)
class Evening:
    """The sub-accounts at a day's end, each with its priced holdings, or None without a price."""

    day: Day
    basis: str
    valuations: Mapping[str, Valuation | None]
    problems: list[Problem]


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


@dataclass(frozen=True, slots=True)
class Collateral:
    """A coin that a sub-account holds, with what it counts as collateral.

    quantity  coins, lent ones included
    price     in the operating currency; None of a coin that does not count and has no price
    weight    the fraction of its value that counts
    value     what counts, in the operating currency
    """

    coin: str
    quantity: Decimal
    lent: Decimal
    price: Decimal | None
    weight: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """A contract that a sub-account holds; prices in its settle coin, the rest operating.

    quantity           below zero of a short
    imf, mmf           margin as fractions of the exposure
    liquidation_price  at which this contract alone has the sub-account liquidated; None without one
    """

    market: str
    quantity: Decimal
    entry_price: Decimal
    mark: Decimal
    unrealized_pnl: Decimal
    exposure: Decimal
    imf: Decimal
    mmf: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None

    @property
    def distance(self) -> Decimal | None:
        """The distance from the mark to the liquidation price, or None without one.

        It is a fraction of the mark, below zero if the liquidation price is below the mark.
        """
        if self.liquidation_price is None:
            return None
        with localcontext(PRECISE):
            return rounded((self.liquidation_price - self.mark) / self.mark)


@dataclass(frozen=True, slots=True)
class Borrow:
    """A coin that a sub-account owes.

    price     in the operating currency, as are liability and margins
    imf, mmf  margin as fractions of the liability
    """

    coin: str
    quantity: Decimal
    price: Decimal
    liability: Decimal
    imf: Decimal
    mmf: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal


@dataclass(frozen=True, slots=True)
class SubAccountMargin:
    """The margin of a sub-account, in the operating currency; all None if a price is missing.

    margin_fraction  net equity to exposure, None without an exposure
    imr, mmr         initial and maintenance margin in use, as fractions of net equity; None
                     without equity
    """

    name: str
    venue: str
    collateral: Decimal | None = None
    unsettled_pnl: Decimal | None = None
    borrow_liability: Decimal | None = None
    net_equity: Decimal | None = None
    exposure: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    available_equity: Decimal | None = None
    margin_fraction: Decimal | None = None
    imr: Decimal | None = None
    mmr: Decimal | None = None
    collateral_assets: tuple[Collateral, ...] | None = None
    positions: tuple[Position, ...] | None = None
    borrows: tuple[Borrow, ...] | None = None

    @property
    def is_bankrupt(self) -> bool:
        """The sub-account has no equity left against its exposure or debts.

        One that has nothing and owes nothing is not bankrupt, though its ratios are None too.
        """
        if self.net_equity is None or self.mmr is not None:
            return False
        return bool(self.net_equity or self.exposure)


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin of sub-accounts at the end of a day.

    basis     posted or corrected
    problems  a problem for each missing price
    """

    at: datetime.date
    currency: str
    basis: str
    sub_accounts: tuple[SubAccountMargin, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self, listed: str = "sub_accounts") -> list[FlatRow]:
        """Return one of PARTS as flat rows: sub-accounts, collateral, positions or borrows."""
        return [*_flat({"at": self.at}, self.sub_accounts, listed)]


@dataclass(frozen=True, slots=True)
class Shocked:
    """The margin of sub-accounts after moves of prices that happen together.

    shock  the moves, in words
    """

    shock: str
    sub_accounts: tuple[SubAccountMargin, ...]


@dataclass(frozen=True, slots=True)
class Stress:
    """The margin of sub-accounts at the end of a day under groups of shocks.

    basis     posted or corrected
    problems  a problem for each missing price
    """

    at: datetime.date
    currency: str
    basis: str
    shocks: tuple[Shocked, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self, listed: str = "sub_accounts") -> list[FlatRow]:
        """Return one of PARTS as flat rows, those of each shock."""
        return [
            row
            for group in self.shocks
            for row in _flat({"at": self.at, "shock": group.shock}, group.sub_accounts, listed)
        ]


def _flat(
    heads: FlatRow, sub_accounts: Iterable[SubAccountMargin], listed: str
) -> Iterator[FlatRow]:
    """Yield a list of sub-accounts as flat rows, which begin with some cells."""
    for row in sub_accounts:
        items = [row] if listed == "sub_accounts" else getattr(row, listed) or ()
        for figures in as_dicts(items, PARTS[listed]):
            yield {**heads, "sub_account": row.name, "venue": row.venue, **figures}


def margin(reading: Reading, seen: Evening, prices: Mapping[str, Decimal]) -> Margin:
    """Return the answer of `usance margin`; `prices` replace those of the ledger."""
    rows = (
        _margin(reading, name, None if valuation is None else repriced(valuation, prices))
        for name, valuation in seen.valuations.items()
    )
    head = (date_of(seen.day), reading.book.operating, seen.basis)
    return Margin(*head, tuple(rows), tuple(seen.problems))


def stress(reading: Reading, seen: Evening, shocks: Mapping[str, Mapping[str, Decimal]]) -> Stress:
    """Return the answer of `usance stress`: margin under groups of shocks.

    shocks  factors by coin or contract, by the text of their group
    """
    groups = (
        Shocked(
            text,
            tuple(
                _margin(reading, name, None if valuation is None else shocked(valuation, factors))
                for name, valuation in seen.valuations.items()
            ),
        )
        for text, factors in shocks.items()
    )
    head = (date_of(seen.day), reading.book.operating, seen.basis)
    return Stress(*head, tuple(groups), tuple(seen.problems))


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


def _margin(reading: Reading, name: str, valuation: Valuation | None) -> SubAccountMargin:
    venue = reading.book.venue(name)
    if valuation is None:
        return SubAccountMargin(name, venue)
    found = evaluate(valuation)
    with localcontext(PRECISE):
        return SubAccountMargin(
            name,
            venue,
            **{key: figure(getattr(found, key)) for key in SUMS},
            collateral_assets=tuple(
                Collateral(
                    asset.coin,
                    normalized(asset.quantity),
                    normalized(asset.lent),
                    figure(asset.price),
                    rounded(
                        ZERO if asset.haircut is None else weight(asset.haircut, asset.quantity)
                    ),
                    rounded(counted(asset)),
                )
                for asset in valuation.assets
            ),
            positions=tuple(_positions(valuation, found)),
            borrows=tuple(
                Borrow(
                    debt.coin,
                    normalized(debt.quantity),
                    rounded(debt.price),
                    rounded(required.exposure),
                    **_required(required),
                )
                for debt, required in zip(valuation.debts, found.debts, strict=True)
            ),
        )


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
"""The figures of a sub-account's row."""


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


def _positions(valuation: Valuation, found: Evaluated) -> Iterator[Position]:
    for index, (position, required) in enumerate(
        zip(valuation.positions, found.positions, strict=True)
    ):
        result = position.quantity * (position.mark - position.entry) * position.settle
        yield Position(
            position.market,
            normalized(position.quantity),
            rounded(position.entry),
            rounded(position.mark),
            rounded(result),
            rounded(required.exposure),
            **_required(required),
            liquidation_price=figure(liquidation_price(valuation, found, index)),
        )


def _required(required: Requirement) -> dict[str, Decimal]:
    return {
        "imf": rounded(required.imf),
        "mmf": rounded(required.mmf),
        "initial_margin": rounded(required.initial_margin),
        "maintenance_margin": rounded(required.maintenance_margin),
    }
