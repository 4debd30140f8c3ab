"""Daily text: the days of compacted months, read from posted/daily for all that asks about days."""

import datetime
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from beancount.core.data import Custom, Directive, Open, Posting, Transaction, entry_sortkey
from beancount.core.position import Cost, CostSpec
from beancount.parser import parser
from beancount.parser.grammar import ValueType

from usance.close import seals
from usance.language.directive import source_of
from usance.language.provenance import DAILY, DAY_CLOSE, DAY_CORRECT, POSTED
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.ledger.questions import UnreadDaysError
from usance.model import problems


def by_day(ledger: Ledger) -> Ledger:
    """Return a ledger in which compacted months stand as their days; the same without any.

    UnreadDaysError if the file of a month's days is not the one that was compacted, OSError if it
    cannot be read.
    """
    reading = ledger.read()
    if not reading.months:
        return ledger
    days = [entry for month in reading.months for entry in _days(reading, month)]
    files = {str(month.meta["filename"]) for month in reading.months}
    kept = [entry for entry in ledger.entries if entry.meta.get("filename") not in files]
    closes = [entry for entry in days if isinstance(entry, Custom)]
    whole = replace(
        reading,
        posted=_merged(reading.posted, files, _of(Transaction, days)),
        seals=_merged(reading.seals, files, _typed(closes, DAY_CLOSE)),
        corrections=_merged(reading.corrections, files, _typed(closes, DAY_CORRECT)),
        months=[],
    )
    entries = sorted([*kept, *days], key=entry_sortkey)
    return replace(ledger, entries=entries, reading=whole)


def _merged(loaded: Iterable[Any], files: set[str], days: Iterable[Any]) -> list[Any]:
    """Return directives of days in the place of those of months, in order of date."""
    others = [entry for entry in loaded if entry.meta["filename"] not in files]
    return sorted([*days, *others], key=lambda entry: entry.date)


def _of(kind: type[Directive], entries: Iterable[Directive]) -> Iterator[Directive]:
    return (entry for entry in entries if isinstance(entry, kind))


def _typed(entries: Iterable[Custom], kind: str) -> Iterator[Custom]:
    return (entry for entry in entries if entry.type == kind)


def path_of(reading: Reading, month: Custom) -> Path:
    """Return the path of the file of the days of a compacted month."""
    name = Path(str(month.meta["filename"])).name
    return Path(reading.top).with_name(POSTED) / DAILY / name


def _days(reading: Reading, month: Custom) -> tuple[Directive, ...]:
    """Return the directives of the days of a compacted month."""
    path = path_of(reading, month)
    try:
        return _parsed(str(path), str(month.meta.get("daily")))
    except ValueError:
        why = f"{POSTED}/{DAILY}/{path.name} is not the file that was compacted"
        problem = problems.broken_chain(source_of(month.meta), month.date.isoformat(), why)
        raise UnreadDaysError(problem) from None


@cache
def _parsed(path: str, digest: str) -> tuple[Directive, ...]:
    """Return the directives of a file that has a digest, once; ValueError if it has another one."""
    data = Path(path).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(path)
    return tuple(
        entry._replace(postings=_grouped(entry.postings))
        if isinstance(entry, Transaction)
        else entry
        for entry in parsed(path, data)
    )


def parsed(path: str, data: bytes) -> Iterator[Open | Transaction | Custom]:
    """Yield the directives of a text of ours: each lot is written in full, so its cost is known."""
    entries, _, _ = parser.parse_string(data, report_filename=path)
    for entry in entries:
        if isinstance(entry, Transaction):
            yield entry._replace(postings=[*map(_with_cost, entry.postings)])
        elif isinstance(entry, Open | Custom):
            yield entry


def _with_cost(posting: Posting) -> Posting:
    cost = posting.cost
    if not isinstance(cost, CostSpec):
        return posting
    assert cost.date is not None
    assert cost.currency is not None
    number: Any = cost.number_per
    return posting._replace(cost=Cost(number, cost.currency, cost.date, cost.label))


def _grouped(postings: Iterable[Posting]) -> list[Posting]:
    """Return postings by the currency in which they balance, as Beancount books them."""
    groups: dict[str, list[Posting]] = {}
    for posting in postings:
        of: Any = posting.cost or posting.price or posting.units
        groups.setdefault(of.currency, []).append(posting)
    return [posting for group in groups.values() for posting in group]


def closes(reading: Reading, months: Iterable[Custom]) -> tuple[list[Custom], list[Custom]]:
    """Return closes of the days of compacted months, and corrections in these days.

    They are read without Beancount's parser: a load asks for them if a month has changed.
    """
    sealed: list[Custom] = []
    corrections: list[Custom] = []
    for month in months:
        data = path_of(reading, month).read_bytes()
        for seal in seals.closes(data):
            meta = {**month.meta, "inputs": seal.inputs}
            sealed.append(Custom(meta, _date(seal.date), DAY_CLOSE, [_value(seal.digest)]))
        for date, of, digest in seals.corrections(data):
            values = [_value(_date(of)), _value(digest)]
            corrections.append(Custom(month.meta, _date(date), DAY_CORRECT, values))
    return sealed, corrections


def _date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def _value(value: object) -> ValueType:
    return ValueType(value, type(value))
