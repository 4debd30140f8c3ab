"""Numbers and times of a venue's answers, read strictly: nothing is guessed, nothing is a float."""

import datetime
import json
import re
from collections import Counter
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import NewType, NoReturn

from usance.model.hours import Day, clock, iso

Instant = NewType("Instant", int)
"""A moment, in nanoseconds since 1970-01-01T00:00:00 UTC."""

SECOND = 10**9
DAY_NANOS = 86_400 * SECOND
EPOCH = datetime.date(1970, 1, 1).toordinal()

DIGITS_MAX = 40
"""How many digits a number may have when it is written out, without an exponent."""

BOOKABLE = Context(prec=28, traps=[Inexact])
"""The precision with which Beancount computes what a posting weighs."""

SHOWN_MAX = 60
"""How much of a wrong value a message shows."""

_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?([eE][+-]?\d{1,3})?\Z", re.ASCII)
_SHORT = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?\Z", re.ASCII)
"""Nearly every number; it needs no count of its digits."""
_MILLISECONDS = re.compile(r"[1-9]\d{12}\Z", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
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
        if _SURROGATE.search(text):
            _refuse_half_characters(found)
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


def _refuse_half_characters(found: object) -> None:
    """Refuse half of a pair of escapes, which no file of text can hold."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.start + 1]
        raise Misread(f"{half!r} is half a character. Download the file again") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise Misread(f"{shown(twice)} stands twice in one row. Download the file again")
    return found


def _no_constant(text: str) -> NoReturn:
    raise Misread(f"{text} is no number. Download the file again")


def shown(value: object) -> str:
    """Return a value for a message: what is not ASCII or too long does not reach a screen."""
    text = ascii(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


def number(value: object) -> Decimal:
    """Return an ASCII decimal, from a text or a number of JSON."""
    if not isinstance(value, str):
        raise Misread(f"{shown(value)} is no number. Write it as 1234.56")
    if _SHORT.match(value):
        return Decimal(value)
    match = _NUMBER.match(value)
    if match is None:
        raise Misread(f"{shown(value)} is no number. Write it as 1234.56, without separators")
    whole, fraction, exponent = match.groups(default="")
    before, after = len(whole.lstrip("0")), len(fraction)
    if exponent:
        shift = int(exponent[1:])
        # Zeros that an exponent asks for are digits too: 1e999 has a thousand.
        before, after = max(before + shift, 0), max(after - shift, 0)
    if before + after > DIGITS_MAX:
        raise Misread(
            f"{shown(value)} has more than {DIGITS_MAX} digits. Round it to what the venue shows"
        )
    return Decimal(value)


def product(one: Decimal, other: Decimal) -> Decimal:
    """Return a product exactly, as Beancount computes it: with 28 digits at most."""
    try:
        return BOOKABLE.multiply(one, other)
    except Inexact as error:
        raise Misread(
            f"{shown(str(one))} times {shown(str(other))} has more than 28 digits, which the "
            "books cannot hold. Write that transaction by hand, and move the file away"
        ) from error


def instant(value: object) -> Instant:
    """Return a time in UTC, such as 2025-11-03T16:28:17.123456."""
    if not isinstance(value, str):
        raise Misread(f"{shown(value)} is no time in UTC. Write it as 2025-11-03T16:28:17")
    return _instant(value)


# Many rows are of one moment: what is paid each hour.
@lru_cache(maxsize=2**16)
def _instant(value: str) -> Instant:
    match = _TIME.match(value)
    if match is None:
        raise Misread(f"{shown(value)} is no time in UTC. Write it as 2025-11-03T16:28:17")
    date, hour, minute, second, fraction = match.groups()
    at = _midnight(date) + (int(hour) * 3600 + int(minute) * 60 + int(second)) * SECOND
    return Instant(at + int(fraction.ljust(9, "0")) if fraction else at)


@lru_cache(maxsize=4096)
def _midnight(date: str) -> int:
    """Return the instant of 00:00 of a date."""
    try:
        return (datetime.date.fromisoformat(date).toordinal() - EPOCH) * DAY_NANOS
    except ValueError as error:
        raise Misread(
            f"{shown(date)} is no day of the calendar. Write it as 2025-11-03T16:28:17"
        ) from error


def time_text(at: Instant) -> str:
    """Return an instant as text, such as 2025-11-03T16:28:17, with its fraction if it has one."""
    seconds, fraction = divmod(at % DAY_NANOS, SECOND)
    tail = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{iso(day_of(at))}T{clock(seconds)}{tail}"


def instant_of_milliseconds(value: object) -> Instant:
    """Return a time that is told in milliseconds since 1970, such as 1672128000000."""
    if not isinstance(value, str) or _MILLISECONDS.match(value) is None:
        raise Misread(
            f"{shown(value)} is no time in milliseconds since 1970. Write it as 1672128000000"
        )
    return Instant(int(value) * 10**6)


def day_of(at: Instant) -> Day:
    """Return the day of an instant."""
    return Day(at // DAY_NANOS + EPOCH)


def day_ended(at: Instant) -> Day:
    """Return the day of an instant; midnight belongs to the day that it ends."""
    return Day((at - 1) // DAY_NANOS + EPOCH)


def seconds_of(at: Instant) -> int:
    """Return the second of the day from which a row counts: its own, its fraction cut off.

    A fraction after a full hour is the next second: on the hour it would count an hour too early.
    """
    nanos = at % DAY_NANOS
    seconds, fraction = divmod(nanos, SECOND)
    return seconds + 1 if fraction and seconds % 3600 == 0 else seconds
