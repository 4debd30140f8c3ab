"""Treasury: bills' rates and prices, how a bill accretes, what a holder of a product earns.

Rates of bills follow 31 CFR Part 356, Appendix B. Prices are per 100 of face, rates annual
fractions, both Decimal with up to 28 significant digits; days are dates. A bill matures after its
issue, and a price lies above 0: ValueError where not.
"""

import calendar
import datetime
from collections.abc import Callable
from decimal import Decimal, localcontext

from usance.model.amounts import FIGURE, PRECISE

HUNDRED = Decimal(100)
BANK_YEAR = 360


def days_between(issue: datetime.date, maturity: datetime.date) -> int:
    """Return the days from issue to maturity; ValueError where there are none."""
    days = (maturity - issue).days
    if days <= 0:
        message = f"a bill issued {issue} cannot mature {maturity}"
        raise ValueError(message)
    return days


def days_in_year(issue: datetime.date) -> int:
    """Return y: 366 where the year that follows the issue date holds a 29 February, else 365.

    That year begins the day after the issue date and ends on its first anniversary.
    """
    for year in (issue.year, issue.year + 1):
        if calendar.isleap(year):
            leap = datetime.date(year, 2, 29)
            if issue < leap and (leap - issue).days <= 365:
                return 366
    return 365


def discount_rate(price: Decimal, issue: datetime.date, maturity: datetime.date) -> Decimal:
    """Return the bank discount rate of a price: actual/360 on the face."""
    with localcontext(PRECISE):
        rate = (HUNDRED - _positive(price)) / HUNDRED * BANK_YEAR / days_between(issue, maturity)
    return FIGURE.plus(rate)


def price_from_discount_rate(
    rate: Decimal, issue: datetime.date, maturity: datetime.date
) -> Decimal:
    """Return the price at a bank discount rate."""
    with localcontext(PRECISE):
        price = HUNDRED * (1 - rate * days_between(issue, maturity) / BANK_YEAR)
    return FIGURE.plus(price)


def investment_rate(price: Decimal, issue: datetime.date, maturity: datetime.date) -> Decimal:
    """Return the investment rate (bond equivalent) of a price.

    Simple up to half a year; beyond it the positive root of the quadratic that pays the interest
    of the first half year out and in again.
    """
    days, year = days_between(issue, maturity), days_in_year(issue)
    with localcontext(PRECISE):
        discount = (HUNDRED - _positive(price)) / price
        if 2 * days <= year:
            return FIGURE.plus(discount * year / days)
        first = Decimal(days) / year
        square = first / 2 - Decimal("0.25")
        root = (first * first + 4 * square * discount).sqrt()
        return FIGURE.plus((root - first) / (2 * square))


def price_from_investment_rate(
    rate: Decimal, issue: datetime.date, maturity: datetime.date
) -> Decimal:
    """Return the price at an investment rate."""
    days, year = days_between(issue, maturity), days_in_year(issue)
    with localcontext(PRECISE):
        first = Decimal(days) / year
        square = Decimal(0) if 2 * days <= year else first / 2 - Decimal("0.25")
        return FIGURE.plus(HUNDRED / (1 + rate * first + rate * rate * square))


def _positive(price: Decimal) -> Decimal:
    if price <= 0:
        message = f"a price of {price} is not above 0"
        raise ValueError(message)
    return price


def actual_360(start: datetime.date, end: datetime.date) -> Decimal:
    """Return the days between two dates over 360."""
    return FIGURE.divide(Decimal((end - start).days), Decimal(BANK_YEAR))


def actual_365_fixed(start: datetime.date, end: datetime.date) -> Decimal:
    """Return the days between two dates over 365, leap years too."""
    return FIGURE.divide(Decimal((end - start).days), Decimal(365))


def actual_actual(start: datetime.date, end: datetime.date) -> Decimal:
    """Return the days between two dates, each over the days of its calendar year (ISDA)."""
    with localcontext(PRECISE):
        total = Decimal(0)
        for year in range(start.year, end.year + 1):
            first = max(start, datetime.date(year, 1, 1))
            last = end if year == end.year else datetime.date(year + 1, 1, 1)
            total += Decimal((last - first).days) / (366 if calendar.isleap(year) else 365)
    return FIGURE.plus(total)


DAY_COUNTS: dict[str, Callable[[datetime.date, datetime.date], Decimal]] = {
    "actual/360": actual_360,
    "actual/365 fixed": actual_365_fixed,
    "actual/actual": actual_actual,
}
"""Fraction of a year between two dates, by the name of the convention."""
