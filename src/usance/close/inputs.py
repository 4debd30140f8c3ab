"""Closed days: the state they left, and whether what they rest on is still what was sealed."""

import datetime
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from beancount.core.data import Custom, Posting, Transaction

from usance.close import closed_yields, seals
from usance.engine.state import State
from usance.language import canonical as inputs
from usance.language.lending_terms import source_of
from usance.language.provenance import POSTED
from usance.language.rate_files import Row
from usance.language.rate_series import Files
from usance.language.reading import Reading
from usance.language.transactions import lot_of
from usance.model import problems
from usance.model.amounts import Coin, tally
from usance.model.book import Movement, Side
from usance.model.hours import date_of
from usance.model.lots import Lot
from usance.model.problems import Problem, Source
from usance.model.terms import Rates, TreasuryRate

R = TypeVar("R", Rates, TreasuryRate)


CARRY = "carry-after"
YIELDS = frozenset((Side.ACCRUED_YIELD, Side.YIELD))
KEPT = frozenset(
    (Side.WALLET, Side.PERP, Side.BORROWED, Side.LENT, Side.MARGIN, Side.INTEREST_PAID)
)
"""Sides of which closed days tell what a sub-account has; the others follow from them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a month's .inputs, and where its directive or row stands."""

    data: bytes
    text: str
    source: Source


def first_day(reading: Reading) -> int | None:
    """Return the first day of the books: the first closed one, else the first that moves."""
    return reading.seals[0].date.toordinal() if reading.seals else reading.book.first


def last_day(reading: Reading) -> int | None:
    """Return the last closed day, None where none is."""
    return reading.seals[-1].date.toordinal() if reading.seals else None


def lines(reading: Reading, first: int, last: int) -> dict[int, list[Line]]:
    """Return what the days from `first` to `last` rest on.

    What is dated before the first day of the books counts on that day.
    """
    begin = first_day(reading)
    found: dict[int, list[Line]] = {day: [] for day in range(first, last + 1)}
    for day, text, source in _all(reading, first, last):
        counts = max(day, begin or day)
        if first <= counts <= last:
            written = text()
            date = date_of(counts).isoformat()
            found[counts].append(Line(seals.input_line(date, written), written, source))
    return found


def _all(reading: Reading, first: int, last: int) -> Iterator[inputs.Input]:
    yield from reading.inputs
    begin = first_day(reading) or 0
    yield from _rows(reading.files, inputs.row_text, begin, first, last)
    yield from _rows(reading.yield_files, inputs.treasury_row_text, begin, first, last)


def _rows(
    files: Files[R], text_of: Callable[[str, str, Row[R]], str], begin: int, first: int, last: int
) -> Iterator[inputs.Input]:
    for name, path, since, rows in files:
        for row in rows:
            counts = max(row[0], since)
            if first <= max(counts, begin) <= last:
                yield inputs.Input(counts, partial(text_of, name, path, row), row[2].source)


def check(reading: Reading) -> list[Problem]:
    """Return what is wrong with the closes of days: gaps, malformed ones, text without one."""
    found: list[Problem] = []
    expected = None
    for seal in reading.seals:
        day = seal.date.toordinal()
        at, date = source_of(seal.meta), seal.date.isoformat()
        if expected is not None and day < expected:
            found.append(problems.closed_twice(at, date))
        elif expected is not None and day > expected:
            missing = date_of(expected).isoformat()
            found.append(problems.open_before_closed(at, missing, date))
        if not _is_well_formed(seal):
            found.append(problems.bad_seal(at, date))
        expected = day + 1
    closes = {seal.date for seal in reading.seals}
    for correction in reading.corrections:
        if not _corrects(correction, closes):
            at, date = source_of(correction.meta), correction.date.isoformat()
            found.append(problems.bad_seal(at, date))
    last = last_day(reading) or 0
    for entry in reading.posted:
        if entry.date.toordinal() > last or entry.date < reading.seals[0].date:
            identity = str(entry.meta["usance"])
            at = source_of(entry.meta)
            found.append(problems.posted_in_open_day(at, identity, entry.date.isoformat()))
    return found


def _is_well_formed(seal: Custom) -> bool:
    texts = [value for value, _ in seal.values or ()] + [
        seal.meta.get(key) for key in ("previous", "inputs", "rules", "stages")
    ]
    return len(texts) == 5 and all(isinstance(text, str) for text in texts)


def _corrects(correction: Custom, closes: Collection[datetime.date]) -> bool:
    """Tell whether a correction stands in a closed day and is of one before it."""
    match [value for value, _ in correction.values or ()]:
        case [datetime.date() as day, str()]:
            return {day, correction.date} <= set(closes) and day < correction.date
    return False


@dataclass(frozen=True, slots=True)
class Altered:
    """A closed day that rests on something else than what it was sealed with.

    sealed  digest of what it was sealed with, or last corrected to
    by      the day whose seal holds that: its own, or the one that corrected it last
    now     what it rests on now
    source  of that seal
    """

    day: int
    sealed: str
    by: int
    now: list[Line]
    source: Source


def altered(reading: Reading, folder: str) -> list[Altered]:
    """Return the closed days whose inputs have changed, oldest first."""
    if not reading.seals:
        return []
    first, last = first_day(reading), last_day(reading)
    assert first is not None and last is not None
    present = lines(reading, first, last)
    corrections = {entry.values[0].value: entry for entry in reading.corrections}
    correcting = {entry.date for entry in reading.corrections}
    found: list[Altered] = []
    for seal in reading.seals:
        day = seal.date.toordinal()
        now = present[day]
        rests = [line.data for line in now]
        by, sealed = corrections.get(seal.date, seal), seal.meta["inputs"]
        if by is not seal:
            sealed = by.values[1].value
        elif seal.date in correcting:
            rests += [line for _, line in _sealed(folder, day) if seals.is_correcting(line)]
        if seals.inputs_digest(rests) != sealed:
            at = source_of(by.meta)
            found.append(Altered(day, sealed, by.date.toordinal(), now, at))
    return found


def _sealed(folder: str, day: int) -> list[tuple[int, bytes]]:
    """Return a day's lines in its month's .inputs, numbered; none where there is no such file."""
    try:
        data = (Path(folder) / _inputs(day)).read_bytes()
    except OSError:
        return []
    date = date_of(day).isoformat().encode()
    numbered = enumerate(data.splitlines(keepends=True), 1)
    return [(number, line) for number, line in numbered if line.startswith(date)]


def _inputs(day: int) -> str:
    return f"{POSTED}/{date_of(day).isoformat()[:7]}.inputs"


def differences(day: Altered, folder: str) -> Iterator[Problem]:
    """Name each directive that was added, changed or removed in a closed day."""
    date = date_of(day.day).isoformat()
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
        else:
            yield problems.closed_day_changed(line.source, date, "added", line.text)
    after = [line.data for line in day.now]
    for number, data in sealed:
        if data in after:
            after.remove(data)
        elif not seals.is_correcting(data):
            text = data.decode("utf-8", "replace").split(" ", 2)[-1].strip()
            at = Source(str(Path(folder) / _inputs(day.by)), number)
            yield problems.closed_day_changed(at, date, "removed or changed", text)


def state(reading: Reading) -> tuple[State, list[Problem]]:
    """Return what sub-accounts have at the end of the last closed day."""
    last = last_day(reading) or 0
    book = reading.book
    made = State()
    for name, coin, movement in _before(book.movements, last):
        grains = book.coins[coin].grains(movement.quantity)
        made.holding(name, coin).take(movement.side, grains, movement.lot)
    for name, contract, movement in _before(book.trades, last):
        assert movement.lot is not None
        made.trade(name, contract, movement.lot, movement.quantity)
    closed_yields.take_written(made, book, last)
    reduced: dict[tuple[str, str, Lot], Decimal] = {}
    found: list[Problem] = []
    for entry in reading.posted:
        for posting in entry.postings:
            unread = _posting(made, reduced, reading, entry, posting)
            if unread:
                at = source_of(posting.meta or entry.meta)
                found.append(problems.bad_proof(at, str(entry.meta["usance"]), unread))
    for key, number in reduced.items():
        if not number:
            del made.closed[key]
    closed_yields.drop_paid(made, book, first_day(reading) or 0, last)
    return made, found


def _before(
    movements: Mapping[tuple[str, str], Mapping[int, Sequence[Movement]]], last: int
) -> Iterator[tuple[str, str, Movement]]:
    """Yield movements of closed days, with sub-account and commodity."""
    for (name, commodity), days in movements.items():
        for day, of_day in days.items():
            if day <= last:
                for movement in of_day:
                    yield name, commodity, movement


def _posting(
    made: State,
    reduced: dict[tuple[str, str, Lot], Decimal],
    reading: Reading,
    entry: Transaction,
    posting: Posting,
) -> str:
    """Take in a posting of a closed day; return the key of the proof that cannot be read, or ""."""
    reserve = reading.chart.reserve(posting.account)
    if reserve is not None:
        is_read = closed_yields.take_reserve(made, entry, posting, *reserve)
        return "" if is_read else "left-over-after"
    name, side = reading.chart.side(posting.account) or ("", None)
    if side in YIELDS:
        is_read = closed_yields.take(made, reading, entry, posting, name, side)
    elif side in KEPT:
        is_read = _take(made, reduced, reading, entry, posting, name, side)
    else:
        return ""
    return "" if is_read else CARRY


def _take(
    made: State,
    reduced: dict[tuple[str, str, Lot], Decimal],
    reading: Reading,
    entry: Transaction,
    posting: Posting,
    name: str,
    side: Side,
) -> bool:
    """Take in a posting to what a sub-account has; False where its proof cannot be read.

    reduced  contracts that liquidations took out of a lot, corrections included
    """
    assert posting.units is not None and isinstance(posting.units.number, Decimal)
    number, commodity = posting.units.number, posting.units.currency
    lot = lot_of(posting)
    if side is Side.MARGIN:
        tally(made.margin, name, number)
    if side is Side.PERP and lot is not None:
        made.trade(name, commodity, lot, number)
        made.closed[name, commodity, lot] = str(entry.meta["usance"])
        tally(reduced, (name, commodity, lot), number)
    unit = reading.book.coins.get(commodity)
    if unit is None or side is Side.MARGIN:
        return True
    if side is Side.INTEREST_PAID:
        return _carry(made, unit, posting, name, side)
    holding = made.holding(name, commodity)
    grains = unit.grains(number)
    if side is Side.LENT:
        holding.lent += grains // unit.quanta
    elif side is not Side.PERP or lot is None:
        holding.take(side, grains, lot)
    return _carry(made, unit, posting, name, side)


def _carry(made: State, unit: Coin, posting: Posting, name: str, side: Side) -> bool:
    """Take over the carry that a posting proves, if it does; False where it cannot be read."""
    if not posting.meta or CARRY not in posting.meta:
        return True
    try:
        carry = unit.carry(str(posting.meta[CARRY]))
    except ValueError:
        return False
    holding = made.holding(name, unit.name)
    if side is Side.WALLET:
        holding.carry_lent = carry
    else:
        holding.carry_owed = carry
    return True
