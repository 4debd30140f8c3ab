"""Rates files: rates of a pool or of a product, as rows of a CSV file beside the ledger.

time_utc,supply_apr,borrow_apr,utilization
2025-05-01T09:00:00Z,0.0412,0.0630,0.72

date,rate
2025-05-01,0.0431
"""

import csv
import datetime
import io
import os
import re
import stat
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from usance.model import problems
from usance.model.hours import Day
from usance.model.problems import Problem, Source
from usance.model.terms import RATE_MAX, Rates, TreasuryRate

V = TypeVar("V")

SIZE_MAX = 64 * 1024 * 1024
HEADERS = (
    ["time_utc", "supply_apr", "borrow_apr"],
    ["time_utc", "supply_apr", "borrow_apr", "utilization"],
)
DAILY_HEADERS = (["date", "rate"],)
_FRACTION = r"(\d{1,20}(?:\.\d{1,40})?)"
_STAMP = r"(\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)"
_PLAIN = {
    3: re.compile(rf"{_STAMP},{_FRACTION},{_FRACTION}()\r?\n", re.ASCII),
    4: re.compile(rf"{_STAMP},{_FRACTION},{_FRACTION},(?:{_FRACTION})?\r?\n", re.ASCII),
}
"""Rows as programs write them, by the number of columns: read twice as fast as by `csv`."""

KEPT = 32
"""Files whose rows are kept, by content, for the next load of the same process."""

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_NUMBER_MAX = 64
_ONE = Decimal(1)

_NAME = "Write the path of a rates file from the ledger's folder, such as rates/usdc.csv"

Row = tuple[Day, int, V]
"""Day, seconds after 00:00 UTC, and the rates in force from then on."""

Parse = Callable[[list[str], int, Source, dict[str, int]], Row[V] | Problem]
"""Reads the cells of a row, given the width of the header, its place and all times read so far."""

Rows = tuple[list[Row[V]], list[Problem]]
"""The rows of a file, or its one fault."""


def read(folder: str, path: str, source: Source) -> Rows[Rates]:
    """Return the rows of a file of a pool's hourly rates.

    folder  of the ledger; `path` is relative to it
    source  the directive that names the file
    """
    return _read(folder, path, source, _hourly_rows)


def read_daily(folder: str, path: str, source: Source) -> Rows[TreasuryRate]:
    """Return the rows of a file of a product's daily rates."""
    return _read(folder, path, source, _daily_rows)


def _read(
    folder: str,
    path: str,
    source: Source,
    read_rows: Callable[[str, str], tuple[list[Row[V]], Problem | None]],
) -> Rows[V]:
    # The one safe opening of files, for both parsers of rows: lending rates and treasury rates.
    real, problem = _locate(folder, path, source)
    if problem is not None:
        return [], [problem]
    text, problem = _text(real, path, source)
    if problem is not None:
        return [], [problem]
    rows, problem = read_rows(text, str(Path(folder) / path))
    if problem is None and not rows:
        remedy = "Add one row for each change of the rate"
        problem = problems.rates_file(source, path, "has no rows", remedy)
    return rows, [] if problem is None else [problem]


def place_of(folder: str, path: str) -> Path | None:
    """Return the place in the folder to which a path leads, or None if it leads out or nowhere."""
    return None if _locate(folder, path, Source("", 0))[1] is not None else Path(folder) / path


def is_there(place: Path) -> bool:
    """Tell whether a place exists; False for a name that no file can have."""
    try:
        return place.exists()
    except OSError:  # such as a name that is too long
        return False


def _locate(folder: str, path: str, source: Source) -> tuple[str, Problem | None]:
    """Return the real path of a file that lies under the folder."""
    inside = "Keep it in the ledger's folder and write its path from there, such as rates/usdc.csv"
    if not path or "\0" in path or "\\" in path or Path(path).is_absolute():
        return "", problems.rates_file(
            source, path or '""', "is not a path in the ledger's folder", inside
        )
    if ".." in Path(path).parts:
        return "", problems.rates_file(source, path, 'has ".." in its path', inside)
    top = os.path.realpath(folder)
    real = os.path.realpath(Path(top) / path)
    if os.path.commonpath([top, real]) != top:
        return "", problems.rates_file(
            source, path, "is a link that leads out of the ledger's folder", inside
        )
    return real, None


def _text(real: str, path: str, source: Source) -> tuple[str, Problem | None]:
    """Return the text of a regular file of bounded size."""
    try:
        # Not blocking, so that a pipe answers at once; the check follows on the open file.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return "", problems.rates_file(source, path, "is not a regular file", _NAME)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(SIZE_MAX + 1) if status.st_size <= SIZE_MAX else b""
            if status.st_size > SIZE_MAX or len(data) > SIZE_MAX:
                return "", problems.rates_file(
                    source,
                    path,
                    "is larger than 64 MiB",
                    "Split it by year, and give each part a directive of its own",
                )
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        remedy = "Make it readable, or write the path of another rates file"
        if isinstance(error, FileNotFoundError):
            why, remedy = "does not exist", _NAME
        return "", problems.rates_file(source, path, why, remedy)
    if b"\0" in data:
        return "", problems.rates_file(
            source, path, "contains NUL bytes, so it is not text", "Save it as CSV in UTF-8"
        )
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return "", problems.rates_file(source, path, "is not in UTF-8", "Save it as CSV in UTF-8")


@lru_cache(KEPT)
def _hourly_rows(text: str, file: str) -> tuple[list[Row[Rates]], Problem | None]:
    hint = f"Write {' or '.join(map(','.join, HEADERS))}"
    return rows_of(text, file, HEADERS, hint, hourly, plain(text, file))


def _daily_rows(text: str, file: str) -> tuple[list[Row[TreasuryRate]], Problem | None]:
    return rows_of(text, file, DAILY_HEADERS, "Write date,rate", _daily)


class Begun(NamedTuple, Generic[V]):
    """The rows with which a file begins.

    rows  in order of time
    time  of the last of them
    end   place in the text behind them, and `line` that begins there
    """

    header: list[str]
    rows: list[Row[V]]
    time: str
    end: int
    line: int


def plain(text: str, file: str) -> Begun[Rates] | None:
    """Return the plain rows with which a file of hourly rates begins, or None without its header.

    It stops before the first row that is written in another way, or wrong: `csv` reads the rest.
    """
    for header in HEADERS:
        head = re.match(rf"{','.join(header)}\r?\n", text)
        if head is None:
            continue
        rows: list[Row[Rates]] = []
        numbers, clocks = _Numbers({"": _ONE}), _Clocks()
        match = _PLAIN[len(header)].match
        before, end, line = "", head.end(), 2
        date, day = "", Day(0)
        while (found := match(text, end)) is not None:
            time, supply_text, borrow_text, used_text = found.groups("")
            if time[:10] != date:
                date = time[:10]
                try:
                    day = Day(datetime.date.fromisoformat(date).toordinal())
                except ValueError:
                    break
            supply, borrow, used = numbers[supply_text], numbers[borrow_text], numbers[used_text]
            if time <= before or supply > RATE_MAX or borrow > RATE_MAX or used > _ONE:
                break
            rates = Rates(supply, borrow, used if used_text else None, day, Source(file, line))
            rows.append((day, clocks[time[11:19]], rates))
            before, end, line = time, found.end(), line + 1
        return Begun(header, rows, before, end, line)
    return None


class _Numbers(dict[str, Decimal]):
    """Numbers by their text: most rows of a file repeat those of another one."""

    def __missing__(self, text: str) -> Decimal:
        number = self[text] = Decimal(text)
        return number


class _Clocks(dict[str, int]):
    """Seconds after midnight by HH:MM:SS."""

    def __missing__(self, text: str) -> int:
        hours, minutes, seconds = map(int, text.split(":"))
        clock = self[text] = hours * 3600 + minutes * 60 + seconds
        return clock


def rows_of(
    text: str,
    file: str,
    headers: tuple[list[str], ...],
    hint: str,
    parse: Parse[V],
    begun: Begun[V] | None = None,
) -> tuple[list[Row[V]], Problem | None]:
    """Return the rows of a file, or its first fault.

    begun  rows with which it begins that are read already
    """
    header, rows, before, end, begin = begun or Begun([], [], "", 0, 1)
    lines = csv.reader(io.StringIO(text[end:], newline=""))
    above = begin - 1
    times: dict[str, int] = {}
    try:
        if begun is None:
            header = next(lines, [])
            begin = above + lines.line_num + 1
        if header not in headers:
            return [], _header(header, hint, Source(file, 1))
        for cells in lines:
            at = Source(file, begin)
            begin = above + lines.line_num + 1
            if not cells:
                continue
            row = _columns(cells, len(header), at) or parse(cells, len(header), at, times)
            if isinstance(row, Problem):
                return [], row
            if cells[0] <= before:
                order = "the same time as" if cells[0] == before else "earlier than"
                why = f"{cells[0]} is {order} in the row above"
                remedy = "Sort the rows by time, with one row for each time"
                return [], problems.rates_row(at, why, remedy)
            before = cells[0]
            rows.append(row)
    except csv.Error as error:
        why = f"This is not a row of CSV: {error}"
        remedy = "Write one value for each column of the header, with commas between them"
        return [], problems.rates_row(Source(file, begin), why, remedy)
    return rows, None


def _header(cells: list[str], hint: str, at: Source) -> Problem:
    header = ",".join(cells)
    why = f'The header is "{_shown(header, 80)}"' if header else "The header is missing"
    return problems.rates_row(at, why, hint)


def _columns(cells: list[str], width: int, at: Source) -> Problem | None:
    if len(cells) == width:
        return None
    columns = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
    why = f"The row has {columns}, but the header has {width}"
    return problems.rates_row(at, why, "Write one value for each column")


def _day(text: str, times: dict[str, int]) -> Day | None:
    """Return the day of a date, or None if the text is not a date."""
    day = times.get(text)
    if day is None:
        try:
            times[text] = day = datetime.date.fromisoformat(text).toordinal()
        except ValueError:
            return None
    return Day(day)


def _daily(
    cells: list[str], _width: int, at: Source, times: dict[str, int]
) -> Row[TreasuryRate] | Problem:
    day = _day(cells[0], times) if _DATE.fullmatch(cells[0]) else None
    if day is None:
        return problems.rates_row(
            at, f'"{_shown(cells[0])}" is not a date', "Write it as 2025-05-01"
        )
    rate = _number(cells[1], "rate", RATE_MAX, at)
    return rate if isinstance(rate, Problem) else (day, 0, TreasuryRate(rate, day, at))


def hourly(cells: list[str], width: int, at: Source, times: dict[str, int]) -> Row[Rates] | Problem:
    """Return a row of hourly rates, or what is wrong with it."""
    date, clock = cells[0][:11], cells[0][11:]
    if date not in times or clock not in times:
        match = _TIME.fullmatch(cells[0])
        day = None if match is None else _day(match[1], times)
        if match is None or day is None:
            return problems.rates_row(
                at, f'"{_shown(cells[0])}" is not a time in UTC', "Write it as 2025-05-01T09:00:00Z"
            )
        times[date] = day
        times[clock] = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])
    supply = _number(cells[1], "supply_apr", RATE_MAX, at)
    borrow = _number(cells[2], "borrow_apr", RATE_MAX, at)
    used = _number(cells[3], "utilization", _ONE, at) if width == 4 and cells[3] else None
    if isinstance(supply, Problem):
        return supply
    if isinstance(borrow, Problem):
        return borrow
    if isinstance(used, Problem):
        return used
    row_day = Day(times[date])
    return row_day, times[clock], Rates(supply, borrow, used, row_day, at)


def _number(text: str, column: str, most: Decimal, at: Source) -> Decimal | Problem:
    if len(text) > _NUMBER_MAX:
        why = f"{column} has {len(text)} characters, but may have at most {_NUMBER_MAX}"
    elif _NUMBER.fullmatch(text) is None:
        why = f'{column} is "{_shown(text)}", which is not a number'
    else:
        value = Decimal(text)
        if 0 <= value <= most:
            return value
        why = f"{column} is {_shown(text)}, but must be from 0 to {most}"
    example = "0.72 for 72 %" if column == "utilization" else "0.0412 for 4.12 %"
    return problems.rates_row(at, why, f"Write a fraction, such as {example}")


def _shown(cell: str, length: int = 40) -> str:
    """Return the beginning of a cell, with the codes of characters that control a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in cell[:length])
