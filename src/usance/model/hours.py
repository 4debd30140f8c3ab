"""Hours: UTC days, and the moment from which something counts.

A day is a proleptic ordinal. Its slots 0 to 23 are its hours; slot 24 is the end of the day,
after the last hour's interest. What happens on the hour counts from that hour, what happens
within an hour from the next; after 23:00 it falls into slot 24 of its own day. A *moment* is
`day * 25 + slot`, so that moments sort.
"""

import datetime
import re

HOURS = 24
SLOTS = 25
DAYS_A_YEAR = 365
HOURS_A_YEAR = 8760
"""Of every year, leap years too: actual/365 fixed."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\Z", re.ASCII)


def moment(day: int, seconds: int = 0) -> int:
    """Return the moment from which something at `seconds` after 00:00 UTC counts."""
    return day * SLOTS - (-seconds // 3600)


def slot_of(at: int) -> int:
    """Return the slot, 0 to 24, of a moment."""
    return at % SLOTS


def seconds_of(text: str) -> int | None:
    """Return the seconds after 00:00 of "HH:MM" or "HH:MM:SS", None where it is neither."""
    match = _TIME.match(text)
    if match is None:
        return None
    hour, minute, second = match.groups(default="0")
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def clock(seconds: int) -> str:
    """Return seconds after 00:00 as "HH:MM:SS"."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def date_of(day: int) -> datetime.date:
    """Return the date of a day."""
    return datetime.date.fromordinal(day)


def iso(day: int) -> str:
    """Return the date of a day as text, such as 2025-05-01."""
    return date_of(day).isoformat()
