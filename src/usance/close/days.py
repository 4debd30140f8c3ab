"""Days: which days are closed, and whether their closes are well formed."""

import datetime
from collections.abc import Collection, Iterator
from pathlib import Path

from beancount.core.data import Custom

from usance.close import month_seals
from usance.engine.drafts import Identity
from usance.language.directive import source_of
from usance.language.provenance import DAILY, POSTED
from usance.language.reading import Reading
from usance.model import problems
from usance.model.hours import Day, day_of, iso
from usance.model.problems import Problem


def first_day(reading: Reading) -> Day | None:
    """Return the first day of the books: the first closed one, or that of the first movement."""
    return day_of(reading.seals[0].date) if reading.seals else reading.book.first


def last_day(reading: Reading) -> Day | None:
    """Return the last closed day, or None."""
    return day_of(reading.seals[-1].date) if reading.seals else None


def check(reading: Reading) -> list[Problem]:
    """Return the faults of closes: gaps, bad forms, days closed twice, posted text without one."""
    faults: list[Problem] = []
    expected: Day | None = None
    for seal in reading.seals:
        day = day_of(seal.date)
        at, date = source_of(seal.meta), seal.date.isoformat()
        if expected is not None and day < expected:
            faults.append(problems.closed_twice(at, date))
        elif expected is not None and day > expected:
            missing = iso(expected)
            faults.append(problems.open_before_closed(at, missing, date))
        if not _is_well_formed(seal):
            faults.append(problems.bad_seal(at, date))
        expected = Day(day + 1)
    faults += _of_months(reading)
    closes = {seal.date for seal in reading.seals}
    for correction in reading.corrections:
        if not _corrects(correction, closes):
            at, date = source_of(correction.meta), correction.date.isoformat()
            faults.append(problems.bad_seal(at, date))
    last = last_day(reading) or 0
    seen: set[str] = set()
    for entry in reading.posted:
        identity, at = str(entry.meta["usance"]), source_of(entry.meta)
        of = Identity.read(identity)
        if of is None or of.day != day_of(entry.date) or identity in seen:
            faults.append(problems.bad_proof(at, identity, "usance"))
        seen.add(identity)
        if day_of(entry.date) > last or entry.date < reading.seals[0].date:
            faults.append(problems.posted_in_open_day(at, identity, entry.date.isoformat()))
    return faults


def _of_months(reading: Reading) -> Iterator[Problem]:
    """Yield the faults of closes of compacted months: bad forms, files of days that are missing."""
    for month in reading.months:
        at, date = source_of(month.meta), month.date.isoformat()
        since = min(seal.date for seal in reading.seals if seal.meta is month.meta)
        if month.meta.get("since") != since.isoformat():
            yield problems.bad_seal(at, date)
        name = f"{DAILY}/{date[:7]}.beancount"
        if not (Path(reading.top).parent / POSTED / name).is_file():
            yield problems.broken_chain(at, date, month_seals.lost(name))


def _is_well_formed(seal: Custom) -> bool:
    """Tell whether a close, of a day or of its month, has all its parts."""
    of = ("since", "head", "daily") if "since" in seal.meta else ("previous",)
    keys = (*of, "inputs", "rules", "stages")
    texts = [value for value, _ in seal.values or ()] + [seal.meta.get(key) for key in keys]
    return len(texts) == len(keys) + 1 and all(isinstance(text, str) for text in texts)


def _corrects(correction: Custom, closes: Collection[datetime.date]) -> bool:
    """Tell whether a correction stands in a closed day and is of one before it."""
    match [value for value, _ in correction.values or ()]:
        case [datetime.date() as day, str()]:
            return {day, correction.date} <= set(closes) and day < correction.date
    return False
