"""Tables: rates or prices that a person has from elsewhere, in any order of columns.

A table is stored in the downloads in one form: times in UTC, rates as annual fractions. So what is
made of it stays a function of the downloads, and the unit that the person said is in the figures.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import NamedTuple, TypeVar

from usance.feeding import downloads
from usance.feeding.agreed import Where, told_of
from usance.feeding.downloads import DOWNLOADS, RefusedError
from usance.feeding.rates_text import HEADER, Moment, Rate, moment_of
from usance.model.amounts import EXACT, decimal_text
from usance.model.hours import Day, iso
from usance.model.terms import RATE_MAX
from usance.venues.numbers import Instant, Misread, day_of, instant, number, shown

K = TypeVar("K")
V = TypeVar("V")

TABLES = "tables"
"""Folder of the downloads: tables, by kind and by what they are about."""

RATES_TABLES = (TABLES, "rates")
PRICES_TABLES = (TABLES, "prices")

RATE_COLUMNS = ("time", "supply", "borrow", "utilization")
PRICE_COLUMNS = ("time", "price")
OPTIONAL = ("utilization",)

KNOWN = {
    "time": ("time", "date", "time_utc"),
    "supply": ("supply", "supply_apr"),
    "borrow": ("borrow", "borrow_apr"),
    "utilization": ("utilization",),
    "price": ("price", "close"),
}
"""The names of columns that need no option, in any case."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

DELIMITERS = (",", ";", "\t")


class Unit(Enum):
    """What a 1 in a table of rates is: a fraction, or a hundredth of it."""

    FRACTION = "fraction"
    PERCENT = "percent"


class Quoted(NamedTuple):
    """A price of a day."""

    day: Day
    price: Decimal


class Table(NamedTuple):
    """A table in the form in which it is stored: its path below the downloads, and its bytes."""

    parts: tuple[str, ...]
    data: bytes


def rates_table(data: bytes, coin: str, unit: Unit, columns: Mapping[str, str]) -> Table:
    """Return a table of the rates of a coin's pool.

    columns  names of columns in the table, by what they are: `time`, `supply`, `borrow`, …
    Misread with the row for what cannot be read.
    """
    rows = [f"{moment},{rate}" for _, moment, rate in _rates(data, unit, columns)]
    return _table((*RATES_TABLES, coin), data, HEADER, rows)


def prices_table(data: bytes, commodity: str, currency: str, columns: Mapping[str, str]) -> Table:
    """Return a table of the prices of a commodity in a currency, as of `rates_table`."""
    rows = [f"{iso(one.day)},{decimal_text(one.price)}" for _, one in _prices(data, columns)]
    return _table((*PRICES_TABLES, commodity, currency), data, "date,price", rows)


def _table(folder: tuple[str, ...], data: bytes, header: str, rows: list[str]) -> Table:
    if not rows:
        raise Misread("it has no rows. Name another file")
    # The same file once more, with another unit or other columns, takes the place of the first.
    name = f"{hashlib.sha256(data).hexdigest()[:16]}.csv"
    return Table((*folder, name), "".join(f"{line}\n" for line in (header, *rows)).encode())


def stored_rates(folder: Path, instead: Table | None) -> Iterator[tuple[str, Moment, Rate, Where]]:
    """Yield the rows of the stored tables of rates, with the coin of each.

    folder   of the ledger
    instead  a table that is about to be stored
    """
    for parts, file, data in _stored(folder, RATES_TABLES, instead):
        with told_of(file):
            for row, moment, rate in _rates(data, Unit.FRACTION, {}):
                yield parts[2], moment, rate, Where(file, row)


def stored_prices(folder: Path, instead: Table | None) -> Iterator[tuple[str, str, Quoted, Where]]:
    """Yield the rows of the stored tables of prices, with commodity and currency of each."""
    for parts, file, data in _stored(folder, PRICES_TABLES, instead):
        with told_of(file):
            for row, quoted in _prices(data, {}):
                yield parts[2], parts[3], quoted, Where(file, row)


def _stored(
    folder: Path, kind: tuple[str, ...], instead: Table | None
) -> Iterator[tuple[tuple[str, ...], str, bytes]]:
    root = folder / DOWNLOADS
    paths = {path.relative_to(root).parts for path in downloads.files(root, *kind)}
    depth = len(kind) + (1 if kind == RATES_TABLES else 2) + 1
    if instead is not None and instead.parts[:2] == kind:
        paths.add(instead.parts)
    for parts in sorted(paths):
        file = "/".join((DOWNLOADS, *parts))
        if len(parts) != depth:
            raise RefusedError(f"{file} is no table that import filed. Move it away.")
        if instead is not None and parts == instead.parts:
            yield parts, file, instead.data
        else:
            yield parts, file, downloads.read(root, root.joinpath(*parts))


# Rows


def _rates(
    data: bytes, unit: Unit, columns: Mapping[str, str]
) -> Iterator[tuple[int, Moment, Rate]]:
    """Yield the rows of a table of rates, in order of time; two of one time are refused."""
    found: dict[Moment, tuple[int, Rate]] = {}
    for row, cells in _rows(data, RATE_COLUMNS, columns):
        moment = moment_of(_time(row, cells["time"]))
        used = cells.get("utilization") or None
        rate = Rate(
            _fraction(row, "supply", cells["supply"], unit, RATE_MAX),
            _fraction(row, "borrow", cells["borrow"], unit, RATE_MAX),
            used and _fraction(row, "utilization", used, unit, Decimal(1)),
        )
        _once(found, moment, (row, rate))
    yield from ((row, moment, rate) for moment, (row, rate) in sorted(found.items()))


def _prices(data: bytes, columns: Mapping[str, str]) -> Iterator[tuple[int, Quoted]]:
    """Yield the rows of a table of prices, in order of day; two of one day are refused."""
    found: dict[Day, tuple[int, Decimal]] = {}
    for row, cells in _rows(data, PRICE_COLUMNS, columns):
        price = _number(row, "price", cells["price"])
        if price <= 0:
            raise Misread(f"row {row}: price {cells['price']} is not above 0. Correct the row")
        _once(found, day_of(_time(row, cells["time"])), (row, price))
    yield from ((row, Quoted(day, price)) for day, (row, price) in sorted(found.items()))


def _once(found: dict[K, tuple[int, V]], key: K, new: tuple[int, V]) -> None:
    """Take in a row; a second one of its time has to say the same."""
    row, value = found.setdefault(key, new)
    if value != new[1]:
        raise Misread(f"row {new[0]} is of the same time as row {row}. Remove one of the two")


def _time(row: int, text: str) -> Instant:
    """Return a time in UTC; a date is its 00:00."""
    try:
        return instant(f"{text}T00:00:00" if _DATE.fullmatch(text) else text)
    except Misread as error:
        raise Misread(f"row {row}: {error}") from error


def _number(row: int, what: str, text: str) -> Decimal:
    try:
        return number(text)
    except Misread as error:
        raise Misread(f"row {row}: {what}: {error}") from error


def _fraction(row: int, what: str, text: str, unit: Unit, most: Decimal) -> Decimal:
    value = _number(row, what, text)
    if unit is Unit.PERCENT:
        value = EXACT.scaleb(value, -2)
    if not 0 <= value <= most:
        said = f"{what} {text} is {decimal_text(value)} as a fraction"
        raise Misread(f"row {row}: {said}, but must be from 0 to {most}. Correct it, or the unit")
    return value


# Cells


def _rows(
    data: bytes, wanted: tuple[str, ...], columns: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the cells of each row, by what they are; rows count from 1 below the header."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misread(f"byte {error.start} is not UTF-8. Save the table as CSV in UTF-8") from error
    delimiter, places = _layout(text, wanted, columns)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        width = len(next(lines))
        for row, cells in enumerate(filter(None, lines), 1):
            if len(cells) != width:
                raise Misread(
                    f"row {row} has {len(cells)} cells under a header of {width}. Correct the row"
                )
            yield row, {what: cells[place].strip() for what, place in places.items()}
    except csv.Error as error:
        raise Misread(f"it is no CSV ({error}). Save the table as CSV") from error


def _layout(
    text: str, wanted: tuple[str, ...], columns: Mapping[str, str]
) -> tuple[str, dict[str, int]]:
    """Return the delimiter and the places of columns: those with which the header has them all."""
    line = text.splitlines()[0] if text.strip() else ""
    lacks = ""
    for delimiter in DELIMITERS:
        header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        if len(header) > 1:
            places = {what: _places(what, header, columns) for what in wanted}
            lacks = lacks or next(
                (what for what, at in places.items() if len(at) != 1 and what not in OPTIONAL), ""
            )
            if all(len(at) == 1 or (not at and what in OPTIONAL) for what, at in places.items()):
                return delimiter, {what: at[0] for what, at in places.items() if at}
    what = lacks or wanted[0]
    raise Misread(
        f"the header is {shown(line)}, in which no one column is the {what}. Say which one is: "
        f"--column {what}=NAME"
    )


def _places(what: str, header: list[str], columns: Mapping[str, str]) -> list[int]:
    """Return the places of the columns that may be meant."""
    if what in columns:
        return [at for at, name in enumerate(header) if name == columns[what]]
    return [at for at, name in enumerate(header) if name.lower() in KNOWN[what]]
