"""Efficiency: one capital beside all its uses, for each sub-account."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from usance.engine.state import State
from usance.engine.valuation import Valuer
from usance.language.reading import Reading
from usance.model.amounts import PRECISE, ZERO
from usance.model.hours import Day, date_of
from usance.model.problems import Problem
from usance.model.quotes import Quotes
from usance.reports.figures import BESIDE, FlatRow, as_dicts, rounded
from usance.rules.margin import Valuation, evaluate


@dataclass(frozen=True, slots=True)
class Uses:
    """The capital of a sub-account and its uses, in the operating currency.

    All are None if a price is missing.

    capital     the wallet, unsettled results and debts
    lent, margin, yield_  of it: lent, held as initial margin, in the yield product
    uses        their sum
    efficiency  uses as a fraction of capital; None without capital
    idle        capital less the largest use, or 0
    siloed      what separate accounts would need
    saved       of that, what one account does without
    """

    name: str
    venue: str
    capital: Decimal | None = None
    lent: Decimal | None = None
    margin: Decimal | None = None
    yield_: Decimal | None = None
    uses: Decimal | None = None
    efficiency: Decimal | None = None
    idle: Decimal | None = None
    siloed: Decimal | None = None
    saved: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Capital and its uses at the end of a day.

    basis     posted or corrected
    problems  a problem for each missing price
    """

    at: datetime.date
    currency: str
    basis: str
    sub_accounts: tuple[Uses, ...]
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return a flat row for each sub-account."""
        return [
            {"at": self.at, "sub_account": row.name, "venue": row.venue, **figures}
            for row, figures in zip(
                self.sub_accounts, as_dicts(self.sub_accounts, USES), strict=True
            )
        ]


def efficiency(reading: Reading, state: State, day: Day, others: Quotes, on: str) -> Efficiency:
    """Return the answer of `usance efficiency` from the state of an evening.

    others  prices of commodities without terms: such a coin is not collateral, but it is capital
    on      the basis
    """
    valuer = Valuer(reading.book, state, day, others)
    rows = []
    for name in sorted(reading.book.sub_accounts):
        valuation = valuer.valuation(name)
        worth = None if valuation is None else _worth(valuer, name, valuation)
        venue = reading.book.venue(name)
        if worth is None or valuation is None:
            rows.append(Uses(name, venue))
            continue
        held = evaluate(valuation)
        with localcontext(PRECISE):
            wallet, lent, enrolled = worth
            capital = wallet + held.unsettled_pnl - held.borrow_liability
            rows.append(Uses(name, venue, *_uses(capital, lent, held.initial_margin, enrolled)))
    problems = (problem for problem in valuer.problems if not problem.finding)
    return Efficiency(date_of(day), reading.book.operating, on, tuple(rows), tuple(problems))


USES = (
    "capital",
    "lent",
    "margin",
    "yield",
    "uses",
    "efficiency",
    "idle",
    "siloed",
    "saved",
)


def _worth(
    valuer: Valuer, name: str, valuation: Valuation
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Return the values of the wallet, its lent part and its enrolled part, without weights.

    Return None if a price is missing.
    """
    book, wallet, lent, enrolled = valuer.book, ZERO, ZERO, ZERO
    complete = True
    with localcontext(PRECISE):
        for asset in valuation.assets:
            if asset.price is None:
                valuer.price(name, asset.coin, book.operating, asset.coin)  # notes the problem
                complete = False
                continue
            wallet += asset.quantity * asset.price
            lent += asset.lent * asset.price
            accrual = valuer.state.accruals.get((name, asset.coin))
            if accrual is not None:
                enrolled += book.coins[asset.coin].from_quanta(accrual.enrolled) * asset.price
    return (wallet, lent, enrolled) if complete else None


def _uses(
    capital: Decimal, lent: Decimal, margin: Decimal, enrolled: Decimal
) -> Iterator[Decimal | None]:
    """Yield capital and its uses; idle capital is capital less the largest use, or 0."""
    uses = lent + margin + enrolled
    yield from (rounded(capital), rounded(lent), rounded(margin), rounded(enrolled), rounded(uses))
    yield rounded(uses / capital) if capital > 0 else None
    yield rounded(max(ZERO, capital - max(lent, margin, enrolled)))
    yield rounded(uses)
    yield rounded(max(ZERO, uses - capital))
