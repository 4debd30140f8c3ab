"""Hours: UTC days, and the moment from which something counts.

A day is a proleptic ordinal. Its slots 0 to 23 are its hours; slot 24 is the end of the day,
after the last hour's interest. An event on the hour counts from that hour, an event within an
hour from the next one; an event after 23:00 falls into slot 24 of its own day. A *moment* is
`day * 25 + slot`, so that moments sort.
"""

import calendar
import datetime
import re
from collections.abc import Iterator
from typing import NewType

HOURS = 24
SLOTS = 25
DAYS_A_YEAR = 365
HOURS_A_YEAR = 8760
"""The days of every year, also of a leap year: actual/365 fixed."""

Day = NewType("Day", int)
"""A day, as a proleptic ordinal, UTC."""

Moment = NewType("Moment", int)
"""A slot of a day: day * 25 + slot."""

NO_DAY = Day(0)
"""Before every day."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\Z", re.ASCII)


def moment(day: Day, seconds: int = 0) -> Moment:
    """Return the moment from which an event at `seconds` after 00:00 UTC counts."""
    return Moment(day * SLOTS - (-seconds // 3600))


def at_slot(day: Day, slot: int) -> Moment:
    """Return the moment of a slot, 0 to 24, of a day."""
    return Moment(day * SLOTS + slot)


def end_of(day: Day) -> Moment:
    """Return the end of a day, after its last hour's interest."""
    return Moment(day * SLOTS + HOURS)


def day_at(at: Moment) -> Day:
    """Return the day of a moment."""
    return Day(at // SLOTS)


def slot_of(at: Moment) -> int:
    """Return the slot, 0 to 24, of a moment."""
    return at % SLOTS


def seconds_of(text: str) -> int | None:
    """Return the seconds after 00:00 of "HH:MM" or "HH:MM:SS", or None for any other text."""
    match = _TIME.match(text)
    if match is None:
        return None
    hour, minute, second = match.groups(default="0")
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def clock(seconds: int) -> str:
    """Return seconds after 00:00 as "HH:MM:SS"."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def date_of(day: Day) -> datetime.date:
    """Return the date of a day."""
    return datetime.date.fromordinal(day)


def iso(day: Day) -> str:
    """Return the date of a day as text, such as 2025-05-01."""
    return date_of(day).isoformat()


def day_of(date: datetime.date) -> Day:
    """Return the day of a date."""
    return Day(date.toordinal())


def month_start(day: Day) -> Day:
    """Return the first day of the month of a day."""
    return Day(day - date_of(day).day + 1)


def month_end(day: Day) -> Day:
    """Return the last day of the month of a day."""
    date = date_of(day)
    return Day(day - date.day + calendar.monthrange(date.year, date.month)[1])


def days(first: Day, last: Day) -> Iterator[Day]:
    """Yield the days from `first` to `last`, both included."""
    return map(Day, range(first, last + 1))
