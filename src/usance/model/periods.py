"""Periods: the days for which a yield product makes one payment, and their names.

"2025-05" names the month of May 2025, "2025-05-29" the day or the week that ends on 29 May.
"""

import calendar
import datetime
from typing import NamedTuple

from usance.model.hours import Day, date_of, day_of, iso
from usance.model.terms import Payout

THURSDAY = 4
"""The ordinals of Thursdays modulo 7: a week ends on Thursday, and its payment is on Friday."""


class Period(NamedTuple):
    """The days for which a yield product makes one payment.

    end    the last of them
    month  they are a month, and have its name
    """

    end: Day
    month: bool

    @property
    def name(self) -> str:
        """The name by which a payment refers to it."""
        date = iso(self.end)
        return date[:7] if self.month else date


def period_of(payout: Payout, day: Day) -> Period | None:
    """Return the period in which a day lies, or None if the payouts have no dates."""
    match payout:
        case Payout.DAILY:
            return Period(day, month=False)
        case Payout.WEEKLY:
            return Period(Day(day + (THURSDAY - day) % 7), month=False)
        case Payout.MONTHLY:
            date = date_of(day)
            length = calendar.monthrange(date.year, date.month)[1]
            return Period(Day(day - date.day + length), month=True)
        case Payout.MANUAL:
            return None


def named(text: str) -> Period | None:
    """Return the period of a name, or None if the text is not a name."""
    try:
        if len(text) == len("2025-05"):
            first = day_of(datetime.date.fromisoformat(f"{text}-01"))
            return period_of(Payout.MONTHLY, first)
        if len(text) == len("2025-05-29"):
            return Period(day_of(datetime.date.fromisoformat(text)), month=False)
    except ValueError:
        pass
    return None


def pays_for(payout: Payout, period: Period) -> bool:
    """Tell whether a product with these payouts pays for a period."""
    return payout is Payout.MANUAL or period_of(payout, period.end) == period
