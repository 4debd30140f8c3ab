"""Month proof: whether the sums of a compacted month are those of its days, read from both texts.

It reads lines, and knows neither Beancount's parser nor what made the sums. A line in another form
than Usance writes proves nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from usance.close import month_seals, seals
from usance.model.amounts import tally

_KEY = r"(?!filename:|lineno:)([a-z][a-z-]*)"
_STRING = r'"((?:[^"\\\x00-\x1f]|\\.)*)"'
_LINES = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "open": r"\d{4}-\d\d-\d\d open [^\s\"]+",
        "option": rf'option "name_[a-z]+" {_STRING}',
        "head": rf"(\d{{4}}-\d\d-\d\d) \* {_STRING}((?: [#^][A-Za-z0-9_/.-]+)*)",
        "leg": r'  ([^\s":;]+(?::[^\s":;]+)+) +(-?\d+(?:\.\d+)?) ([A-Z][^\s"{}@]*)(?: ([{@].*))?',
        "of head": rf"  {_KEY}: {_STRING}",
        "of leg": rf"    {_KEY}: {_STRING}",
        "correction": r'\d{4}-\d\d-\d\d custom "day-correct" .*',
        "nothing": r"(?:;.*)?",
    }.items()
}

CARRIES = ("carry-after", "left-over-after")

Key = tuple[str, str, str]
"""Account, commodity, and source of a yield or ""."""


class _Leg(NamedTuple):
    """A posting: `rest` is its cost and price, `meta` its metadata, as text."""

    account: str
    number: Decimal
    commodity: str
    rest: str
    meta: dict[str, str]

    @property
    def key(self) -> Key:
        """What carries belong to."""
        return self.account, self.commodity, self.meta.get("source", "")


@dataclass(slots=True)
class _Entry:
    """A transaction: its place, date, words, metadata and postings."""

    line: int
    date: str
    words: tuple[str, str]
    meta: dict[str, str] = field(default_factory=dict)
    legs: list[_Leg] = field(default_factory=list)

    @property
    def identity(self) -> list[str]:
        """The parts of its id: kind, date, name, perhaps a number."""
        parts = self.meta.get("usance", "").split("/")
        return parts if len(parts) > len(("kind", "date")) else ["", "", ""]

    @property
    def said(self) -> object:
        """All of it, with its line: Beancount books the transactions of a day by their lines."""
        return self.line, self.date, self.words, self.meta, self.legs


@dataclass(slots=True)
class _Text:
    """What stands in a text: opens and options as lines, transactions, its first other line."""

    heads: list[str]
    entries: list[_Entry]
    other: int


def _read(text: str, *, corrections: bool) -> _Text:
    """Read a text; corrections of days may stand in that of days alone."""
    read = _Text([], [], 0)
    meta: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("    ") and (found := _LINES["of leg"].fullmatch(line)):
            if found[1] in meta:
                break
            meta[found[1]] = found[2]
        elif read.entries and (found := _LINES["leg"].fullmatch(line)):
            meta = {}
            leg = _Leg(found[1], Decimal(found[2]), found[3], found[4] or "", meta)
            read.entries[-1].legs.append(leg)
        elif read.entries and (found := _LINES["of head"].fullmatch(line)):
            if found[1] in read.entries[-1].meta or read.entries[-1].legs:
                break
            read.entries[-1].meta[found[1]] = found[2]
        elif found := _LINES["head"].fullmatch(line):
            read.entries.append(_Entry(number, found[1], (found[2], found[3])))
            meta = {}
        elif _LINES["open"].fullmatch(line) or _LINES["option"].fullmatch(line):
            read.heads.append(line)
        elif not _LINES["nothing"].fullmatch(line) and not (
            corrections and _LINES["correction"].fullmatch(line)
        ):
            break
    else:
        return read
    read.other = number
    return read


def fault(days: bytes, month: bytes) -> tuple[int, str] | None:
    """Return the line of a compacted month that is not what its days come to, and why, or None.

    days   bytes of the file of the days
    month  bytes of the month, sealed
    """
    found = month_seals.read(month)
    assert found is not None
    of_days = _read(_without_closes(days), corrections=True)
    of_month = _read(found[1].decode("utf-8", "replace"), corrections=False)
    if of_days.other:
        return 1, "a line of its days is not in the form that usance accrue writes"
    if of_month.other:
        return of_month.other, "usance compact never writes this line"
    if of_days.heads != of_month.heads:
        return 1, "its options and opened accounts are not those of its days"
    apart = _apart(found[0].date, of_days.entries, of_month.entries)
    if isinstance(apart, tuple):
        return apart
    return _of_sums(apart) or _of_carries(of_days.entries, of_month.entries)


def _without_closes(days: bytes) -> str:
    """Return a text of days with empty lines in the place of their closes."""
    text = b""
    for line, _, posted in seals.days(days):
        text += posted
        text += b"\n" * (line - text.count(b"\n"))
    return text.decode("utf-8", "replace")


@dataclass(slots=True)
class _Sum:
    """Transactions of the days of one kind and name, and the one that is their sum, or None."""

    days: list[_Entry] = field(default_factory=list)
    month: _Entry | None = None


_Sums = dict[tuple[str, ...], _Sum]


def _apart(last: str, days: Sequence[_Entry], months: Sequence[_Entry]) -> _Sums | tuple[int, str]:
    """Return what has to be summed, by kind and name, or the line that is out of place, and why."""
    kept = {entry.meta.get("usance", ""): entry for entry in days}
    if len(kept) < len(days):
        return 1, "two transactions of its days have one id"
    sums: _Sums = {}
    for entry in months:
        kind, date, *name = entry.identity
        if date == entry.date:
            day = kept.pop(entry.meta["usance"], None)
            if day is None or day.said != entry.said:
                return entry.line, "the transaction is not that of its day, or on another line"
            continue
        of = sums.setdefault((kind, *name), _Sum())
        if (date, entry.date) != (last[:7], last) or of.month is not None:
            return entry.line, "the transaction is no sum of the month"
        of.month = entry
    for entry in kept.values():
        of_kind, of_name = entry.identity[0], entry.identity[2]
        sums.setdefault((of_kind, of_name), _Sum()).days.append(entry)
    return sums


def _of_sums(sums: _Sums) -> tuple[int, str] | None:
    """Return the line of a transaction whose sums are not those of its days, and why, or None."""
    for name, of in sums.items():
        legs = of.month.legs if of.month is not None else []
        if any(leg.rest for entry in of.days for leg in entry.legs) or any(
            leg.rest for leg in legs
        ):
            return 1, f"lots of {'/'.join(name)} do not stand on their day"
        ends: dict[Key, list[str]] = {}
        for leg in legs:
            ends.setdefault(leg.key, []).append(leg.meta.get("period", ""))
        expected, found = dict[tuple[Key, str], Decimal](), dict[tuple[Key, str], Decimal]()
        for entry in of.days:
            for leg in entry.legs:
                tally(expected, (leg.key, _period(leg, entry.date, ends)), leg.number)
        for leg in legs:
            tally(found, (leg.key, leg.meta.get("period", "")), leg.number)
        if _nonzero(expected) != _nonzero(found):
            line = of.month.line if of.month is not None else 1
            return line, f"the sums of {'/'.join(name)} are not those of its days"
    return None


def _nonzero(sums: dict[tuple[Key, str], Decimal]) -> dict[tuple[Key, str], Decimal]:
    return {key: number for key, number in sums.items() if number}


def _end(period: str) -> str:
    """Return what sorts periods by their last day; a month ends with the longest of its days."""
    return f"{period}-31" if len(period) == len("2025-05") else period


def _period(leg: _Leg, date: str, ends: dict[Key, list[str]]) -> str:
    """Return the period of a leg of a day: that which it names, or the first that ends later."""
    if "carry-after" not in leg.meta or "source" not in leg.meta:
        return ""
    later = (end for end in sorted(ends.get(leg.key, ()), key=_end) if _end(end) >= date)
    return leg.meta.get("period") or next(later, "")


def _of_carries(days: list[_Entry], months: list[_Entry]) -> tuple[int, str] | None:
    """Return the line of a carry that is not the last one of the days, and why, or None."""
    last, left = _last(days), _last(months)
    for entry in months:
        for leg in entry.legs if len(entry.identity[1]) == len("2025-05") else ():
            for name in CARRIES:
                if name in leg.meta and last.get((leg.key, name)) != leg.meta[name]:
                    return entry.line, f"the {name} of {leg.account} is not that of the last day"
    if last != left:
        return 1, "the last carries are not those of its days"
    return None


def _last(entries: Iterable[_Entry]) -> dict[tuple[Key, str], str]:
    """Return the last carries and left-over sums, in the order of dates."""
    return dict(_carries(sorted(entries, key=lambda entry: entry.date)))


def _carries(entries: Iterable[_Entry]) -> Iterator[tuple[tuple[Key, str], str]]:
    for entry in entries:
        for leg in entry.legs:
            for name in CARRIES:
                if name in leg.meta:
                    yield (leg.key, name), leg.meta[name]
