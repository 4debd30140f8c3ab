"""Numbers and times of a venue's answers, read strictly: nothing is guessed, nothing is a float."""

import datetime
import json
import re
from decimal import Decimal
from typing import NewType, NoReturn

from usance.model.hours import Day

Instant = NewType("Instant", int)
"""A moment, in nanoseconds since 1970-01-01T00:00:00 UTC."""

SECOND = 10**9
DAY_NANOS = 86_400 * SECOND
EPOCH = datetime.date(1970, 1, 1).toordinal()

DIGITS_MAX = 40

_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?\Z",
    re.ASCII,
)


class Misread(ValueError):  # noqa: N818
    """A value, a row or a file that is not what it should be; its text says what to do."""


class JsonNumber(str):
    """A number of JSON as it was written."""

    __slots__ = ()


def decoded(data: bytes) -> object:
    """Return JSON with each number as a `JsonNumber`; a key that stands twice is refused."""
    try:
        text = data.decode("utf-8-sig")
        found: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=JsonNumber,
            parse_int=JsonNumber,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise Misread(
            f"byte {error.start} is not UTF-8. Save the file as the venue gave it"
        ) from error
    except json.JSONDecodeError as error:
        raise Misread(
            f"line {error.lineno} is no JSON ({error.msg}). Download the file again"
        ) from error
    except RecursionError as error:
        raise Misread("lists within lists have no end. Download the file again") from error
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Misread(f"{twice!r} stands twice in one row. Download the file again")
    return found


def _no_constant(text: str) -> NoReturn:
    raise Misread(f"{text} is no number. Download the file again")


def number(value: object) -> Decimal:
    """Return an ASCII decimal, from a text or a number of JSON."""
    if not isinstance(value, str):
        raise Misread(f"{value!r} is no number")
    match = _NUMBER.match(value)
    if match is None:
        raise Misread(f"{value!r} is no number. Write it as 1234.56, without separators")
    whole, fraction = match.groups(default="")
    if len(whole.lstrip("0")) + len(fraction) > DIGITS_MAX:
        raise Misread(f"{value!r} has more than {DIGITS_MAX} digits")
    return Decimal(value)


def instant(value: object) -> Instant:
    """Return a time in UTC, such as 2025-11-03T16:28:17.123456."""
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise Misread(f"{value!r} is no time in UTC. Write it as 2025-11-03T16:28:17")
    date, hour, minute, second, fraction = match.groups(default="")
    try:
        days = datetime.date.fromisoformat(date).toordinal() - EPOCH
    except ValueError as error:
        raise Misread(f"{value!r} is no day of the calendar") from error
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    return Instant(days * DAY_NANOS + seconds * SECOND + int(fraction.ljust(9, "0") or 0))


def day_of(at: Instant) -> Day:
    """Return the day of an instant."""
    return Day(at // DAY_NANOS + EPOCH)


def day_ended(at: Instant) -> Day:
    """Return the day of an instant; midnight belongs to the day that it ends."""
    return day_of(Instant(at - 1))


def seconds_of(at: Instant) -> int:
    """Return the second of the day from which a row counts: its own, its fraction cut off.

    A fraction after a full hour is the next second: on the hour it would count an hour too early.
    """
    nanos = at % DAY_NANOS
    seconds, fraction = divmod(nanos, SECOND)
    return seconds + 1 if fraction and seconds % 3600 == 0 else seconds
