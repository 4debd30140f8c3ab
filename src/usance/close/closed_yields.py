"""Closed yields: what yield products had accrued and held at the end of the last closed day."""

from decimal import Decimal, InvalidOperation

from beancount.core.data import Posting, Transaction

from usance.engine import bills as portfolios
from usance.engine.state import Accrual, State
from usance.language.reading import Reading
from usance.model import periods
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import EXACT
from usance.model.book import Book, ProductPosting
from usance.model.hours import SLOTS
from usance.model.periods import Period
from usance.model.problems import Source
from usance.model.terms import Stage

NOWHERE = Source("", 0)


def take_written(made: State, book: Book, last: int) -> None:
    """Take in what a person posted to what backs products, up to a day."""
    for name, days in book.yields.reserved.items():
        for day, of_day in days.items():
            for kept in of_day if day <= last else ():
                portfolios.take(made.portfolio(name), kept)


def take(
    made: State, reading: Reading, entry: Transaction, posting: Posting, name: str, side: Side
) -> bool:
    """Take in a posting of a closed day to what a sub-account earns or has enrolled.

    False comes back where its proof cannot be read.
    """
    assert posting.units is not None and isinstance(posting.units.number, Decimal)
    unit = reading.book.coins.get(posting.units.currency)
    if unit is None:
        return True
    accrual = made.accrual(name, unit.name)
    quanta = unit.to_grains(posting.units.number) // unit.grains_per_quantum
    meta = posting.meta or {}
    if side is Side.YIELD:
        accrual.enrolled += quanta
    elif "carry-after" in meta:
        try:
            carry = unit.carry(str(meta["carry-after"]))
        except ValueError:
            return False
        if "period" in meta:
            period = periods.named(str(meta["period"]))
        else:
            day, product = entry.date.toordinal(), str(meta.get("product"))
            period = _period(reading.book, name, product, day)
        _accrue(accrual, period, quanta, carry, of_bonus=meta.get("source") == "bonus")
    return True


def _accrue(
    accrual: Accrual, period: Period | None, quanta: int, carry: int, *, of_bonus: bool
) -> None:
    """Take over a credit and its carry."""
    if of_bonus:
        accrual.carry_bonus = carry
    else:
        accrual.carry_treasury = carry
    if period is not None and quanta:
        accrual.accrue(period, 0 if of_bonus else quanta, quanta if of_bonus else 0)


def _period(book: Book, name: str, product: str, day: int) -> Period | None:
    """Return the period in which a day of a product lies."""
    timeline = book.yields.products.get((book.venue(name), product))
    terms = None if timeline is None else timeline.at(day * SLOTS)
    return None if terms is None else periods.period_of(terms.payout, day)


def take_reserve(
    made: State, entry: Transaction, posting: Posting, product: str, reserve: ProductAccount
) -> bool:
    """Take in a posting of a closed day to what a product has; False where it cannot be read."""
    assert posting.units is not None and isinstance(posting.units.number, Decimal)
    if reserve in (ProductAccount.ACCRETION, ProductAccount.CASH, ProductAccount.PAYABLE):
        day, units = entry.date.toordinal(), posting.units
        at = ProductPosting(day, reserve, units.currency, posting.units.number, None, NOWHERE)
        portfolios.take(made.portfolio(product), at)
    if reserve is ProductAccount.DISTRIBUTED:
        try:
            left_over = EXACT.create_decimal(str((posting.meta or {})["left-over-after"]))
        except (KeyError, InvalidOperation):
            return False
        made.portfolio(product).left_over = left_over
    return True


def drop_paid(made: State, book: Book, first: int, last: int) -> None:
    """Forget periods that were over on a closed day on which payouts are made.

    first, last  closed days
    """
    for day in range(last, first - 1, -1):
        if Stage.YIELD_SPLIT in (book.stages.at(day * SLOTS) or ()):
            for accrual in made.accruals.values():
                accrual.unpaid = {
                    period: due for period, due in accrual.unpaid.items() if period.end >= day
                }
            return
