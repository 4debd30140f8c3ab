"""Fetched: a run of fetching, the account that it reads, and rows as they came and are stored."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from usance.feeding import downloads
from usance.feeding.pacing import FetchError, Pacing
from usance.feeding.reader import Answer, Reader, UnreadableError
from usance.ledger.disk import Disk
from usance.model.feeds import Feed
from usance.venues.numbers import JsonNumber

Row = object
"""A row as JSON has it, each number as it was written."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of fetching.

    root   folder of downloads
    say    tells a person how far it is
    notes  what the person should know at the end
    """

    root: Path
    disk: Disk
    pacing: Pacing
    say: Callable[[str], None]
    notes: list[str]

    def keep(self, path: Path, text: str) -> None:
        """Store an answer as it came."""
        data = text.encode()
        if len(data) > downloads.SIZE_MAX:
            where = downloads.place(self.root, path)
            raise FetchError(f"The answer for {where} is larger than 64 MiB. Report it.")
        downloads.write(self.root, path, data, self.disk)

    def stored(self, path: Path) -> list[Row]:
        """Return the rows of a stored answer; none if there is no such file, or it is no list."""
        try:
            found = json.loads(
                downloads.read(self.root, path), parse_int=JsonNumber, parse_float=JsonNumber
            )
        except (FileNotFoundError, ValueError, RecursionError):
            return []
        return found if isinstance(found, list) else []


class Account(NamedTuple):
    """An account that is read into a folder of its own."""

    feed: Feed
    reader: Reader
    folder: Path


class Fetched(NamedTuple):
    """What there is of a feed: rows, those that were not there before, files that hold them."""

    rows: int
    new: int
    pages: int


class Rows(NamedTuple):
    """Rows as they came, and the text in which they did; `total` as announced, or None."""

    rows: list[Row]
    text: str
    total: int | None


def rows_of(found: object, answer: Answer) -> Rows:
    """Return the rows of an answer; UnreadableError if it holds none."""
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnreadableError("it is no list of rows")
    total = answer.headers.get("x-total", "").strip()
    return Rows(found, answer.text, int(total) if total.isdecimal() and total.isascii() else None)


def page_of(found: object, answer: Answer, offset: int, limit: int) -> Rows:
    """Return the rows of a page that begins at an offset; UnreadableError if some are missing."""
    page = rows_of(found, answer)
    if len(page.rows) > limit:
        raise UnreadableError(f"it has {len(page.rows)} rows, and {limit} were asked for")
    there = offset + len(page.rows)
    behind = not page.rows and page.total is not None and page.total < offset
    if len(page.rows) < limit and page.total not in {None, there} and not behind:
        raise UnreadableError(f"it ends with row {there}, and X-TOTAL is {page.total}")
    return page


def compared(old: Iterable[Row], new: Iterable[Row]) -> tuple[int, int, int]:
    """Return how many rows are new, gone and common.

    A field that the stored rows do not have makes no difference: the venue adds fields.
    """
    olds, news = list(old), list(new)
    known = {name for row in olds if isinstance(row, Mapping) for name in row}
    before = Counter(json.dumps(row, sort_keys=True) for row in olds)
    after = Counter(
        json.dumps(
            {name: row[name] for name in row if name in known} if isinstance(row, Mapping) else row,
            sort_keys=True,
        )
        for row in news
    )
    come, gone = after - before, before - after
    return come.total(), gone.total(), (before & after).total()


def refuse_other_account(run: Run, folder: Path) -> FetchError:
    """Return the error of an account that says nothing of what is stored."""
    where = downloads.place(run.root, folder)
    return FetchError(
        f"The venue gives none of the rows that {where} holds: the key seems to be of another "
        "account. Correct the key, or move the folder away to fetch it anew."
    )
