"""Bills: the worth of the bills that back a product, and the division of their income."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from usance.engine.state import Portfolio
from usance.model.accounts import ProductAccount
from usance.model.amounts import (
    EXACT,
    NO_QUANTA,
    UNIT,
    ZERO,
    Coin,
    Quanta,
    decimals,
    normalized,
    total,
)
from usance.model.book import ProductPosting
from usance.model.hours import Day, date_of
from usance.model.lots import Lot, age
from usance.model.terms import Bills
from usance.rules import yields


@dataclass(frozen=True, slots=True)
class Held:
    """One lot of a bill at the end of a day, in coins of its cost.

    face    paid back at maturity
    booked  at cost
    before  worth at the end of the day before
    worth   at the end of this one
    """

    bill: str
    lot: Lot
    maturity: Day
    face: Decimal
    booked: Decimal
    before: Decimal
    worth: Decimal


@dataclass(frozen=True, slots=True)
class Division:
    """A day's income of a portfolio, divided.

    fee            quanta
    distributable  income - fee + the sum left over before, coins
    growth         share of an hour's principal in it, 1e-18
    """

    fee: Quanta
    distributable: Decimal
    growth: int


def take(portfolio: Portfolio, posting: ProductPosting) -> None:
    """Take in a person's posting to an account of a product."""
    if posting.reserve is not ProductAccount.BILLS:
        add(portfolio, posting.reserve, posting.quantity)
        return
    assert posting.lot is not None
    key = (posting.commodity, posting.lot)
    face = EXACT.add(portfolio.lots.get(key, ZERO), posting.quantity)
    portfolio.lots[key] = face
    if not face:
        del portfolio.lots[key]


def add(portfolio: Portfolio, account: ProductAccount, number: Decimal) -> None:
    """Add coins to an account of a product, with the sign of a posting."""
    match account:
        case ProductAccount.ACCRETION:
            portfolio.accretion = EXACT.add(portfolio.accretion, number)
        case ProductAccount.CASH:
            portfolio.cash = EXACT.add(portfolio.cash, number)
        case _:
            portfolio.payable = EXACT.subtract(portfolio.payable, number)


def held(
    portfolio: Portfolio, bills: Bills, maturities: Mapping[str, Day], coin: Coin, day: Day
) -> Iterator[Held]:
    """Yield the lots of a portfolio at the end of a day; day 1 of a lot is its cost date."""
    for (bill, lot), face in sorted(portfolio.lots.items(), key=_order):
        maturity = maturities[bill]
        days, age = maturity - lot.day, day - lot.day + 1

        def worth(age: int, lot: Lot = lot, face: Decimal = face, days: int = days) -> Decimal:
            return yields.accreted(lot.cost, face, age, days, coin.quantum, straight=bills.straight)

        yield Held(bill, lot, maturity, face, worth(0), worth(age - 1), worth(age))


def _order(item: tuple[tuple[str, Lot], Decimal]) -> tuple[str, tuple[int, Decimal, str]]:
    (bill, lot), _ = item
    return bill, age(lot)


def income(lots: Iterable[Held]) -> Decimal:
    """Return the accretion of bills in a day, coins; it may be finer than a quantum."""
    return total(EXACT.subtract(lot.worth, lot.before) for lot in lots)


def accretion(lots: Iterable[Held]) -> Decimal:
    """Return the accretion of bills since they were bought, coins."""
    return total(EXACT.subtract(lot.worth, lot.booked) for lot in lots)


def worth(lots: Iterable[Held]) -> Decimal:
    """Return the worth of bills, coins."""
    return total(lot.worth for lot in lots)


def divide(
    earned: Decimal, left_over: Decimal, fee: Decimal, hours: Quanta, coin: Coin
) -> Division:
    """Divide a day's income among all enrolled principal.

    earned, left_over  coins
    fee                share of the income; rounded up, and none of a loss
    hours              sum over all holders and hours of the principal, quanta

    The sum left over may be below zero: by less than a quantum for each holder, since their carries
    are part of it too, or after a loss. Then nothing is distributed until it is earned again; no
    credit is ever taken back.
    """
    charge = NO_QUANTA
    if earned > 0:
        charge = Quanta(-(-Fraction(EXACT.multiply(earned, fee)) // Fraction(coin.quantum)))
    rest = EXACT.subtract(EXACT.add(earned, left_over), coin.from_quanta(charge))
    # Growth is never below zero: for the sake of a quantum it would take back credits that may be
    # paid and spent. A fraction distributed early comes off the next days instead; so does a loss.
    growth = 0
    if rest > 0:
        growth = yields.share(int(Fraction(rest) * UNIT // Fraction(coin.quantum)), hours)
    return Division(charge, rest, growth)


def days_to(maturity: Day, day: Day) -> int:
    """Return the days from a date to a bill's maturity, 0 if it is over."""
    return max(0, (date_of(maturity) - date_of(day)).days)


def written(amount: Decimal, coin: Coin) -> Decimal:
    """Return an amount to the quantum, with more decimals if it is finer."""
    places = Decimal((0, (1,), -coin.places))
    tidy = normalized(amount)
    return tidy if decimals(tidy) > coin.places else EXACT.quantize(tidy, places)
