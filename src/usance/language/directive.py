"""Directive: the tools that the readers of all custom directives share."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from beancount.core.amount import CURRENCY_RE, Amount
from beancount.core.data import Commodity, Custom, Directive

from usance.model import problems
from usance.model.amounts import ZERO
from usance.model.hours import Day, day_of, seconds_of
from usance.model.problems import Problem, Source

V = TypeVar("V")


SURE = "sure"
"""The key with which a person says that a doubtful directive is right, as in `sure: TRUE`.

Every directive may have it. It says nothing about the books, so it is no input of a day.
"""

COIN = re.compile(rf"(?:{CURRENCY_RE})\Z")


@dataclass(frozen=True, slots=True)
class Term(Generic[V]):
    """A directive without a fault: its value, in force from a time on.

    venue    None: all venues
    day      its date
    seconds  after 00:00 UTC of its day
    """

    name: str
    venue: str | None
    day: Day
    seconds: int
    value: V
    source: Source


class Read(NamedTuple, Generic[V]):
    """A directive that was read.

    name      the sub-account, product, coin or contract that it is about, even if it has a fault;
              None if no name can be read
    term      None if it has a fault
    problems  its faults
    """

    name: str | None
    term: Term[V] | None
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class RatesFile:
    """Rates in a file, path relative to the ledger's folder."""

    path: str


def source_of(meta: Mapping[str, object]) -> Source:
    """Return the place of a directive: file and line."""
    return Source(str(meta.get("filename", "<usance>")), int(str(meta.get("lineno", 0))))


def is_sure(entry: Directive) -> bool:
    """Tell whether a person says that a directive is right, however doubtful it is."""
    return entry.meta.get(SURE) is True


class Reader:
    """Reads the keys of one directive, and collects its problems."""

    def __init__(self, entry: Custom | Commodity, what: str) -> None:
        self.meta = {
            key: value
            for key, value in entry.meta.items()
            if key not in ("filename", "lineno", SURE) and not key.startswith("__")
        }
        self.source = source_of(entry.meta)
        self.what = what
        self.problems: list[Problem] = []

    def allow(self, keys: Collection[str]) -> None:
        """Report every key that is not one of these."""
        for key in self.meta:
            if key not in keys:
                self.problems.append(problems.unknown_key(self.source, self.what, key, keys))

    def switch(self, key: str, default: bool) -> bool:
        """Return TRUE or FALSE, or the default if the key is absent."""
        value = self.meta.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong_type(key, "TRUE or FALSE")
        return default

    def text(self, key: str, example: str) -> str | None:
        """Return a text, or None if the key is absent."""
        if key not in self.meta:
            return None
        value = self.meta[key]
        if isinstance(value, str) and value:
            return value
        self.wrong_type(key, example)
        return None

    def needed(self, key: str, example: str) -> str:
        """Return a text, empty if it is missing or not a text."""
        if key not in self.meta:
            self.missing(key, example)
            return ""
        return self.text(key, example) or ""

    def seconds(self) -> int:
        """Return the seconds after 00:00 of the key time, or 0 if it is absent."""
        if "time" not in self.meta:
            return 0
        value = self.meta["time"]
        seconds = seconds_of(value) if isinstance(value, str) else None
        if seconds is None:
            self.problems.append(problems.bad_time(self.source, self.what, value))
        return seconds or 0

    def number(
        self, key: str, example: str, bounds: str, default: Decimal | None = None
    ) -> Decimal:
        """Return a number within bounds such as "from 0 to 1", "above 0", "between 0 and 1"."""
        value = self.meta.get(key, default)
        if value is None:
            self.missing(key, example)
        elif not isinstance(value, Decimal):
            self.wrong_type(key, example)
        elif not within(value, bounds):
            self.problems.append(problems.out_of_range(self.source, self.what, key, value, bounds))
        else:
            return value
        return ZERO

    def coins(self, key: str, coin: str) -> Decimal:
        """Return an amount of a coin, or 0 if it is absent."""
        if key not in self.meta:
            return ZERO
        value = self.meta[key]
        if not isinstance(value, Amount) or not isinstance(value.number, Decimal):
            self.wrong_type(key, f"1000000 {coin}")
        elif value.currency != coin:
            self.problems.append(
                problems.wrong_currency(self.source, self.what, key, value.currency, coin)
            )
        elif value.number < 0:
            self.problems.append(
                problems.out_of_range(self.source, self.what, key, value.number, "at least 0")
            )
        else:
            return value.number
        return ZERO

    def wrong_commodity(self, key: str, example: str) -> None:
        """Report that the value of a key is no name of a commodity."""
        value = self.meta[key]
        name = capitals(value)
        if name is None:
            self.wrong_type(key, example)
        else:
            what = f"{self.what}: {key}"
            self.problems.append(problems.lower_case(self.source, what, str(value), name))

    def missing(self, key: str, example: str) -> None:
        """Report that a key is absent."""
        self.problems.append(problems.missing_key(self.source, self.what, key, example))

    def wrong_type(self, key: str, example: str) -> None:
        """Report that the value of a key is of the wrong type, or is not one of those allowed."""
        self.problems.append(
            problems.wrong_type(self.source, self.what, key, self.meta[key], example)
        )


def within(value: Decimal, bounds: str) -> bool:
    """Tell whether a number lies within bounds that are written in words."""
    match bounds.split():
        case ["at", "least", low]:
            return value >= Decimal(low)
        case ["above", low]:
            return value > Decimal(low)
        case ["from", low, "to", high]:
            return Decimal(low) <= value <= Decimal(high)
        case ["between", low, "and", high]:
            return Decimal(low) < value < Decimal(high)
    raise AssertionError(bounds)


def values_of(entry: Custom) -> Iterator[tuple[type | str, object]]:
    """Yield the values of a directive, each with its type."""
    for value, kind in entry.values or ():  # None if it has no values
        yield kind, value


def coin_of(entry: Custom) -> str | None:
    """Return the coin that a directive means, in capitals, even if the directive cannot be read."""
    texts = (value for _, value in values_of(entry) if isinstance(value, str))
    match = re.match(CURRENCY_RE, next(texts, "").strip().upper())
    return match and match.group()


def capitals(value: object) -> str | None:
    """Return a text in upper case if it names a commodity only so, or None."""
    if isinstance(value, str) and not COIN.match(value) and COIN.match(value.upper()):
        return value.upper()
    return None


def misread(entry: Custom, example: str) -> Problem:
    """Return the error of a directive whose values cannot be read."""
    at, first = source_of(entry.meta), next((value for _, value in values_of(entry)), None)
    name = capitals(first)
    if name is not None:
        return problems.lower_case(at, f'custom "{entry.type}"', str(first), name)
    return problems.bad_values(at, entry.type, example)


def dated(reader: Reader, entry: Custom, name: str, value: V | None) -> Term[V] | None:
    """Return a value as a term in force from its directive on, or None if that has a fault."""
    venue = reader.text("venue", '"Backpack"')
    seconds = reader.seconds()
    if reader.problems or value is None:
        return None
    return Term(name, venue, day_of(entry.date), seconds, value, reader.source)
