"""Efficiency: one capital beside all its uses, for each sub-account."""

from decimal import Decimal, localcontext

from usance.engine.state import State
from usance.engine.valuation import Valuer
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import PRECISE, ZERO
from usance.model.hours import Day, iso
from usance.model.problems import Problem
from usance.model.quotes import Quotes
from usance.reports import basis
from usance.reports.figures import Figures, shown
from usance.rules.margin import Valuation, evaluate


def efficiency(
    ledger: Ledger, reading: Reading, day: Day, others: Quotes, on: str
) -> tuple[Figures, list[Problem]]:
    """Return the answer of `usance efficiency` on a basis, and the problems with prices for it."""
    return uses(reading, basis.evening(ledger, reading, day, on), day, others, on)


def uses(
    reading: Reading, state: State, day: Day, others: Quotes, on: str
) -> tuple[Figures, list[Problem]]:
    """Return capital and its uses in the state of an evening, and the problems with prices.

    others  prices of commodities without terms: such a coin is not collateral, but it is capital
    """
    valuer = Valuer(reading.book, state, day, others)
    rows = []
    for name in sorted(reading.book.sub_accounts):
        valuation = valuer.valuation(name)
        worth = None if valuation is None else _worth(valuer, name, valuation)
        row: Figures = {"name": name, "venue": reading.book.venue(name)}
        if worth is None or valuation is None:
            rows.append(row | dict.fromkeys(USES))
            continue
        held = evaluate(valuation)
        with localcontext(PRECISE):
            wallet, lent, enrolled = worth
            capital = wallet + held.unsettled_pnl - held.borrow_liability
            rows.append(row | _uses(capital, lent, held.initial_margin, enrolled))
    problems = [problem for problem in valuer.problems if not problem.finding]
    answer = {
        "at": iso(day),
        "currency": reading.book.operating,
        "basis": on,
        "sub_accounts": rows,
    }
    return answer, problems


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


def _uses(capital: Decimal, lent: Decimal, margin: Decimal, enrolled: Decimal) -> Figures:
    """Return capital and its uses; idle capital is capital less the largest use, or 0."""
    uses = lent + margin + enrolled
    return {
        "capital": shown(capital),
        "lent": shown(lent),
        "margin": shown(margin),
        "yield": shown(enrolled),
        "uses": shown(uses),
        "efficiency": shown(uses / capital) if capital > 0 else None,
        "idle": shown(max(ZERO, capital - max(lent, margin, enrolled))),
        "siloed": shown(uses),
        "saved": shown(max(ZERO, uses - capital)),
    }
