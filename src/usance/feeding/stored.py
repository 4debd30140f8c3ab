"""Stored: the rows of a feed in all files of its folder of downloads, as one set."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from usance.feeding import downloads
from usance.feeding.downloads import DOWNLOADS, SNAPSHOT, RefusedError
from usance.model.feeds import Feed
from usance.venues.catalog import VENUES
from usance.venues.numbers import Misread
from usance.venues.row_set import Rows, union
from usance.venues.venue import Page

ENDINGS = (".json", ".csv")
"""The endings of files with rows."""


class Read(NamedTuple):
    """A file that was read: its name in messages, and what is in it."""

    name: str
    page: Page


class Stored(NamedTuple):
    """The rows of a feed.

    looked_at  rows of kinds that are only checked, such as `position history`
    findings   what a person should know of the files
    """

    rows: Rows
    looked_at: Counter[str]
    findings: list[str]


def stored(folder: Path, feed: Feed, more: Sequence[Read] = ()) -> Stored:
    """Return the rows of all files of a feed, and of files that are about to be stored.

    folder  of the ledger
    RefusedError with file and row for what cannot be read, or does not agree.
    """
    root = folder / DOWNLOADS
    pages = [*_pages(root, feed), *more]
    try:
        VENUES[feed.venue].refuse(page for _, page in pages)
        rows = union(page.rows for _, page in pages)
    except Misread as error:
        raise RefusedError(f"{error}.") from error
    looked_at: Counter[str] = Counter()
    for _, page in pages:
        if page.size and not page.rows:
            looked_at[page.kind] += page.size
    return Stored(rows, looked_at, [*_findings(feed, pages)])


def read_page(feed: Feed, name: str, data: bytes) -> Read:
    """Return the rows of a file.

    name  of the file in messages; RefusedError with it and the row for what cannot be read
    """
    if not name.lower().endswith(ENDINGS):
        raise RefusedError(f"{name} is neither .json nor .csv. Move it away, or name it so.")
    try:
        return Read(name, VENUES[feed.venue].read(name, data))
    except Misread as error:
        raise RefusedError(f"{name}: {error}.") from error


def _pages(root: Path, feed: Feed) -> Iterator[Read]:
    folder = root / feed.venue / feed.sub_account
    for path in downloads.files(root, feed.venue, feed.sub_account):
        if path.relative_to(folder).parts[0] != SNAPSHOT:
            yield read_page(feed, downloads.place(root, path), downloads.read(root, path))


def _findings(feed: Feed, pages: Iterable[Read]) -> Iterator[str]:
    """Yield what a person should know: fields that are new, once for each kind, and the venue's."""
    known: set[tuple[str, str]] = set()
    for name, page in pages:
        yield from (f"{name}: {finding}" for finding in page.findings)
        for field in page.new:
            if (page.kind, field) not in known:
                known.add((page.kind, field))
                yield (
                    f"{name}: {page.kind} of {feed.sub_account} have a new field {_plain(field)}, "
                    "which is not read. Look whether it matters for the books"
                )


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]", "?", name, flags=re.ASCII)[:60]
