"""Periods: the days for which a yield product pays at once, and how they are named.

A period is its last day. "2025-05" names the one that ends on 31 May, "2025-05-29" the day or week
that ends on the 29th.
"""

import calendar
import datetime

from usance.hours import date_of
from usance.terms import Payout

THURSDAY = 4
"""What the ordinals of Thursdays leave when divided by 7; a week ends then, paid on Friday."""


def end_of(payout: Payout, day: int) -> int | None:
    """Return the last day of the period in which a day lies, None where nothing is paid by date."""
    match payout:
        case Payout.DAILY:
            return day
        case Payout.WEEKLY:
            return day + (THURSDAY - day) % 7
        case Payout.MONTHLY:
            date = date_of(day)
            return day - date.day + calendar.monthrange(date.year, date.month)[1]
        case Payout.MANUAL:
            return None


def name_of(payout: Payout, end: int) -> str:
    """Return the name of the period that ends on a day."""
    date = date_of(end).isoformat()
    return date[:7] if payout is Payout.MONTHLY else date


def named(text: str) -> tuple[int, bool] | None:
    """Return the last day of a named period and whether it is a month, None where it names none."""
    try:
        if len(text) == len("2025-05"):
            first = datetime.date.fromisoformat(f"{text}-01").toordinal()
            end = end_of(Payout.MONTHLY, first)
            assert end is not None
            return end, True
        if len(text) == len("2025-05-29"):
            return datetime.date.fromisoformat(text).toordinal(), False
    except ValueError:
        pass
    return None


def fits(payout: Payout, end: int, *, month: bool) -> bool:
    """Tell whether a named period is one of those for which a product pays."""
    if payout is Payout.MANUAL:
        return True
    return end_of(payout, end) == end and month == (payout is Payout.MONTHLY)
