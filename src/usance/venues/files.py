"""Files of a venue: JSON or CSV as rows of named values, each value a text, a boolean or None.

Every venue's files are read by these functions; what the fields mean, the venue's shapes tell.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from usance.venues.numbers import Instant, Misread, decoded, instant, number, shown

T = TypeVar("T")

Fields = Mapping[str, object]
"""A row: values by name. A number of JSON is a `JsonNumber`, a cell of CSV a text."""

ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}\Z", re.ASCII)
"""Ids of rows, orders and positions."""


def json_rows(data: bytes) -> list[Fields]:
    """Return the rows of a JSON answer: a list, an object around one list, or one row."""
    found = decoded(data)
    if isinstance(found, dict):
        inner = found.get("data")
        lists = [value for value in found.values() if isinstance(value, list)]
        if isinstance(inner, list | dict):
            found = inner
        elif len(lists) == 1:
            found = lists[0]
    rows: list[Fields] = []
    for at, row in enumerate(found if isinstance(found, list) else [found], 1):
        if not isinstance(row, dict):
            raise Misread(f"row {at}: {shown(row)} is no row. Download the file again")
        rows.append(row)
    return rows


def csv_rows(data: bytes) -> tuple[list[str], Iterator[list[str]]]:
    """Return the header of a CSV file, and its rows: each has a cell for each name."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misread(
            f"byte {error.start} is not UTF-8. Save the file as the venue gave it"
        ) from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(_lines(lines), [])
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise Misread(f"the header has {twice!r} twice. Save the file as the venue gave it")
    return header, _whole(header, _lines(lines))


def _lines(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the lines that are not blank."""
    try:
        yield from filter(None, lines)
    except csv.Error as error:
        raise Misread(f"it is no CSV ({error}). Save the file as the venue gave it") from error


def _whole(header: Sequence[str], lines: Iterator[list[str]]) -> Iterator[list[str]]:
    for at, cells in enumerate(lines, 1):
        if len(cells) != len(header):
            raise Misread(
                f"row {at} has {len(cells)} cells under a header of {len(header)}. Save the file "
                "as the venue gave it, with commas between cells"
            )
        yield cells


def camel(name: str) -> str:
    """Return a name of snake_case in camelCase; one of camelCase stays."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


# Values of a row. Each raises `Misread` with the name of the field.


def figure(row: Fields, name: str) -> Decimal:
    """Return a number."""
    try:
        return number(row[name])
    except Misread as error:
        raise Misread(f"{name}: {error}") from error


def above_zero(row: Fields, name: str) -> Decimal:
    """Return a number above 0."""
    found = figure(row, name)
    if found <= 0:
        raise Misread(f"{name} {row[name]} is not above 0. Download the file again")
    return found


def not_below_zero(row: Fields, name: str) -> Decimal:
    """Return a number that is 0 or more."""
    found = figure(row, name)
    if found < 0:
        raise Misread(f"{name} {row[name]} is below 0. Download the file again")
    return found


def moment(row: Fields, name: str) -> Instant:
    """Return a time in UTC."""
    try:
        return instant(row[name])
    except Misread as error:
        raise Misread(f"{name}: {error}") from error


def identity(row: Fields, name: str) -> str:
    """Return an id: letters, digits and `_ . : -`; "" if the row has none."""
    found = row.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or not ID.match(found):
        raise Misread(f"{name}: {shown(found)} is no id. Download the file again")
    return str(found)


def words(row: Fields, name: str) -> str:
    """Return a text; "" if the row has none."""
    found = row.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Misread(f"{name}: {shown(found)} is no text. Download the file again")
    return str(found)


def symbol(row: Fields, name: str) -> str:
    """Return a symbol: a text that is not empty."""
    found = row[name]
    if type(found) is not str or not found:
        raise Misread(f"{name}: {shown(found)} is no symbol. Download the file again")
    return found


def one_of(row: Fields, name: str, known: Mapping[str, T]) -> T:
    """Return what a value of an enum means."""
    value = row[name]
    try:
        return known[value]  # type: ignore[index]
    except (KeyError, TypeError):
        raise Misread(
            f"{name} {shown(value)} is not known, and would be booked. Known are "
            f"{', '.join(sorted(known))}. Take the file away, or use a newer version of Usance"
        ) from None


def switch(row: Fields, name: str) -> bool:
    """Return a boolean: of JSON, or `true` or `false` in a cell of CSV."""
    found = row[name]
    if isinstance(found, bool):
        return found
    if type(found) is str and found.lower() in ("true", "false"):
        return found.lower() == "true"
    raise Misread(f"{name}: {shown(found)} is neither true nor false. Download the file again")


def read_each(rows: Iterable[Fields], read: Callable[[Fields, int], T]) -> list[T]:
    """Return what `read` makes of each row, by its number; an error gets the number of its row."""
    found: list[T] = []
    at = 0
    try:
        for at, row in enumerate(rows, 1):
            found.append(read(row, at))
    except Misread as error:
        raise Misread(f"row {at}: {error}") from error
    return found
