"""Inputs: the lines of directives and rates that days rest on, and those that a seal has no more.

The inputs of a closed day are sealed with it: a day whose inputs differ now has changed.
"""

import datetime
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from beancount.core.data import Custom

from usance.close import daily_text, seals
from usance.close.days import first_day, last_day
from usance.language.canonical import row_texts, treasury_row_texts
from usance.language.directive import source_of
from usance.language.provenance import POSTED
from usance.language.rate_files import Row
from usance.language.rate_series import Files
from usance.language.reading import Reading
from usance.model import problems
from usance.model.hours import NO_DAY, Day, day_of, days, iso
from usance.model.problems import Problem, Source
from usance.model.terms import Rates, TreasuryRate

OPTIONS = "options "
"""How the line of the options begins; no other line begins so."""

R = TypeVar("R", Rates, TreasuryRate)


class Line(NamedTuple):
    """A line of a month's .inputs, and where its directive or row stands."""

    data: bytes
    text: str
    source: Source


def lines(reading: Reading, first: Day, last: Day) -> dict[Day, list[Line]]:
    """Return the inputs of the days from `first` to `last`, both included.

    An input of a date before the first day of the books counts on that day.
    """
    begin = first_day(reading)
    by_day: dict[Day, list[Line]] = {day: [] for day in days(first, last)}
    if begin in by_day:
        by_day[begin].append(_options(reading, begin))
    for day, text, source in reading.inputs:
        counts = max(day, begin or day)
        if first <= counts <= last:
            by_day[counts].append(_line(iso(counts), text(), source))
    dates = {day: iso(day) for day in by_day}
    period = (begin or NO_DAY, first, last)
    for counts, written, source in chain(
        _rows(reading.files, row_texts, *period),
        _rows(reading.yield_files, treasury_row_texts, *period),
    ):
        by_day[counts].append(_line(dates[counts], written, source))
    return by_day


def _line(date: str, text: str, source: Source) -> Line:
    return Line(seals.input_line(date, text), text, source)


def _options(reading: Reading, day: Day) -> Line:
    """Return the line of the options, which have no date and count on the first day."""
    data = seals.input_line(iso(day), reading.options)
    return Line(data, reading.options, Source(reading.top, 1))


def _without_options(lines: list[Line]) -> list[Line]:
    """Return the lines of a day as Usance 0.1.0 sealed them."""
    return [line for line in lines if not line.text.startswith(OPTIONS)]


def _rows(
    files: Files[R],
    texts_of: Callable[[str, str, Sequence[Row[R]]], Iterator[str]],
    begin: Day,
    first: Day,
    last: Day,
) -> Iterator[tuple[Day, str, Source]]:
    """Yield the day on which each row counts, its text and its place, for some days.

    begin  the first day of the books: what is earlier counts on it
    """
    for name, path, since, rows in files:
        least = max(since, begin)
        if last < least:
            continue
        start = bisect_left(rows, first, key=_day) if first > least else 0
        counting = rows[start : bisect_right(rows, last, key=_day)]
        for row, text in zip(counting, texts_of(name, path, counting), strict=True):
            yield max(row[0], least), text, row[2].source


def _day(row: Row[R]) -> Day:
    return row[0]


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A closed day whose inputs are not those that were sealed.

    sealed  digest of the inputs with which it was closed, or last corrected
    by      the day that holds this digest: itself, or the one that corrected it last
    now     its inputs now
    source  of the directive with the digest
    """

    day: Day
    sealed: str
    by: Day
    now: list[Line]
    source: Source


class _Rests(NamedTuple):
    """All that the inputs of closed days and their seals rest on; equal ones have one answer."""

    first: Day
    last: Day
    options: str
    inputs: list[tuple[Day, str]]
    former: list[tuple[Day, str]]
    files: Files[Rates]
    yield_files: Files[TreasuryRate]
    seals: list[tuple[datetime.date, str]]
    corrections: list[tuple[datetime.date, datetime.date, str]]
    added: dict[datetime.date, list[bytes]]


class Unchanged:
    """Under Fava: what closed days rested on when they were last found unchanged.

    A save loads all again, mostly with the same closed days: to compare is a tenth of the time to
    hash. Rows of a rates file that was not edited are the same objects.
    """

    rests: ClassVar[_Rests | None] = None


def changed_days(reading: Reading, folder: str) -> list[ChangedDay]:
    """Return the closed days whose inputs have changed, oldest first."""
    if not reading.seals:
        return []
    if "fava.core" not in sys.modules:
        return _changed(reading, folder)
    rests = _rests(reading, folder)
    if rests == Unchanged.rests:
        return []
    changed = _changed(reading, folder)
    Unchanged.rests = None if changed else rests
    return changed


def _period(reading: Reading) -> tuple[Day, Day]:
    """Return the first and the last closed day."""
    first, last = first_day(reading), last_day(reading)
    assert first is not None and last is not None
    return first, last


def _rests(reading: Reading, folder: str) -> _Rests:
    first, last = _period(reading)
    return _Rests(
        first,
        last,
        reading.options,
        [(day, text()) for day, text, _ in reading.inputs if day <= last],
        [(day, text()) for day, text, _ in reading.former if day <= last],
        reading.files,
        reading.yield_files,
        [(seal.date, seal.meta["inputs"]) for seal in reading.seals],
        [(one.date, one.values[0].value, one.values[1].value) for one in reading.corrections],
        {entry.date: _added(folder, entry.date) for entry in reading.corrections},
    )


def _added(folder: str, date: datetime.date) -> list[bytes]:
    """Return the lines of corrected days among the sealed inputs of the day that corrects them."""
    return [line for _, line in _sealed(folder, day_of(date)) if seals.is_correcting(line)]


def _changed(reading: Reading, folder: str) -> list[ChangedDay]:
    period = _period(reading)
    present = lines(reading, *period)
    former = lines(replace(reading, inputs=reading.former), *period) if reading.former else {}
    closes, corrected = _doubtful(reading, present)
    corrections = {entry.values[0].value: entry for entry in corrected}
    correcting = {entry.date for entry in corrected}
    changed: list[ChangedDay] = []
    for seal in closes:
        day = day_of(seal.date)
        now = present[day]
        added: list[bytes] = []
        by, sealed = corrections.get(seal.date, seal), seal.meta["inputs"]
        if by is not seal:
            sealed = by.values[1].value
        elif seal.date in correcting:
            added = _added(folder, seal.date)
        rests = [by_day[day] for by_day in (present, former) if by_day]
        older = map(_without_options, rests)
        if all(sealed != _digest(of_day, added) for of_day in chain(rests, older)):
            at = source_of(by.meta)
            changed.append(ChangedDay(day, sealed, day_of(by.date), now, at))
    return changed


def _doubtful(
    reading: Reading, present: Mapping[Day, list[Line]]
) -> tuple[list[Custom], list[Custom]]:
    """Return the closes of days that may have changed, and all corrections, in order of date.

    A compacted month whose lines are together those that it rests on has not changed.
    """
    closes = [seal for seal in reading.seals if "since" not in seal.meta]
    months = [month for month in reading.months if not _holds(reading, month, present)]
    if not months:
        return closes, reading.corrections
    of_months, _ = daily_text.closes(reading, months)
    _, corrections = daily_text.closes(reading, reading.months)
    of_date = attrgetter("date")
    return (
        sorted([*of_months, *closes], key=of_date),
        sorted([*corrections, *reading.corrections], key=of_date),
    )


def _holds(reading: Reading, month: Custom, present: Mapping[Day, list[Line]]) -> bool:
    of_month = (day_of(seal.date) for seal in reading.seals if seal.meta is month.meta)
    lines = (line.data for day in of_month for line in present[day])
    return bool(month.meta["inputs"] == seals.inputs_digest(lines))


def changed_options(reading: Reading, changed: list[ChangedDay], folder: str) -> list[Problem]:
    """Return the error of options that were others when days were closed, or none."""
    for day in changed:
        for _, data in _sealed(folder, day.by):
            text = data.decode("utf-8", "replace").split(" ", 2)[-1].strip()
            if text.startswith(OPTIONS) and text != reading.options:
                at = Source(reading.top, 1)
                return [
                    problems.options_changed(
                        at, iso(day.day), *map(_shown, (text, reading.options))
                    )
                ]
    return []


def _shown(options: str) -> str:
    return options.removeprefix(OPTIONS)


def _digest(lines: list[Line], added: list[bytes]) -> str:
    return seals.inputs_digest([line.data for line in lines] + added)


def _sealed(folder: str, day: Day) -> list[tuple[int, bytes]]:
    """Return a day's lines in its month's .inputs, numbered; none if the file cannot be read."""
    try:
        data = (Path(folder) / _inputs(day)).read_bytes()
    except OSError:
        return []
    date = iso(day).encode()
    numbered = enumerate(data.splitlines(keepends=True), 1)
    return [(number, line) for number, line in numbered if line.startswith(date)]


def _inputs(day: Day) -> str:
    return f"{POSTED}/{iso(day)[:7]}.inputs"


def differences(day: ChangedDay, folder: str) -> Iterator[Problem]:
    """Name each directive that was added, changed or removed in a closed day."""
    date = iso(day.day)
    sealed = _sealed(folder, day.by)
    if day.by != day.day:
        sealed = [
            (number, seals.corrected(line))
            for number, line in sealed
            if seals.is_correcting(line, date)
        ]
    if seals.inputs_digest(line for _, line in sealed) != day.sealed:
        yield problems.inputs_lost(day.source, date, _inputs(day.by))
        return
    before = [line for _, line in sealed]
    for line in day.now:
        if line.data in before:
            before.remove(line.data)
        elif not line.text.startswith(OPTIONS):  # Usance 0.1.0 sealed none
            yield problems.closed_day_changed(line.source, date, "added", line.text)
    after = [line.data for line in day.now]
    for number, data in sealed:
        if data in after:
            after.remove(data)
        elif not seals.is_correcting(data):
            text = data.decode("utf-8", "replace").split(" ", 2)[-1].strip()
            at = Source(str(Path(folder) / _inputs(day.by)), number)
            yield problems.closed_day_changed(at, date, "removed or changed", text)
