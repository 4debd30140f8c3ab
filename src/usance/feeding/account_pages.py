"""Pages: a feed whose rows have numbers, oldest first, so that stored pages only grow at the end.

Rows that come late shift the numbers of those behind them. It shows where stored rows are no
longer the first of their page, or where a page begins with the row that the last one ended with.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from usance.feeding import downloads
from usance.feeding.fetched import (
    Account,
    Fetched,
    Row,
    Rows,
    Run,
    compared,
    page_of,
    refuse_other_account,
)
from usance.venues.backpack.endpoints import LIMIT, Endpoint

ANEW = ".anew"
"""File in a feed's folder while its pages are replaced: if the run dies, the next one knows."""

_PAGE = re.compile(r"\d{9,}\.json", re.ASCII)

PAGES_SAID = 10
"""A person hears of so many pages."""

READINGS_MAX = 3
"""How often rows may come late while a feed is read anew."""


def fetch_pages(run: Run, account: Account, name: str, endpoint: Endpoint) -> Fetched:
    """Store the pages of a feed that are not there yet; return what there is of it."""
    return _Feed(run, account, name, endpoint).fetched()


class _Feed:
    """A feed, its stored pages and the reading of them."""

    def __init__(self, run: Run, account: Account, name: str, endpoint: Endpoint) -> None:
        self._run, self._account, self._endpoint = run, account, endpoint
        self._folder = account.folder / name
        self._title = f"{account.feed.sub_account} {name}"

    def fetched(self) -> Fetched:
        """Store what is new; return what there is of the feed."""
        lengths = self._lengths()
        before = sum(lengths)
        if self._mark().exists():
            return self._read_anew()
        # A page that is not full and not the last was damaged, or lost.
        short = (page for page, length in enumerate(lengths) if length != LIMIT)
        first = next(short, max(0, len(lengths) - 1))
        after = self._read_on(first)
        if after is None:
            return self._read_anew()
        return Fetched(after, max(0, after - before), -(-after // LIMIT))

    def _lengths(self) -> list[int]:
        """Return how many rows each stored page has, up to the last one; 0 of one that is lost."""
        parts = self._folder.relative_to(self._run.root).parts
        stored = downloads.files(self._run.root, *parts)
        names = {path.name for path in stored if _PAGE.fullmatch(path.name)}
        count = max((int(name.split(".")[0]) // LIMIT + 1 for name in names), default=0)
        return [len(self._stored(page)) for page in range(count)]

    def _read_on(self, page: int) -> int | None:
        """Store what a page and those behind it have by now; return how many rows there are.

        None if rows came late.
        """
        last: Row = None
        while True:
            came, old = self._asked(page), self._stored(page)
            if came.rows[: len(old)] != old or last in came.rows:
                return None
            if len(came.rows) > len(old):
                self._run.keep(self._path(page), came.text)
            if len(came.rows) < LIMIT:
                return page * LIMIT + len(came.rows)
            last, page = came.rows[-1], page + 1

    def _read_anew(self) -> Fetched:
        """Read a feed from its first row; return what there is of it."""
        self._run.say(f"{self._title}: rows came late; reading from the first one.")
        for _ in range(READINGS_MAX):
            changed, count, whole = self._read_changed()
            if whole:
                break
        stale = range(count, len(self._lengths()))
        come, gone, common = compared(
            [row for page in (*changed, *stale) for row in self._stored(page)],
            [row for came in changed.values() for row in came.rows],
        )
        if gone and not common and len(changed) >= count:
            raise refuse_other_account(self._run, self._folder)
        if gone:
            self._run.notes.append(
                f"{self._title}: {gone} rows that were stored are no longer what the venue says"
            )
        self._replace(changed, stale)
        lengths = self._lengths()
        return Fetched(sum(lengths), come, len(lengths))

    def _replace(self, changed: Mapping[int, Rows], stale: Iterable[int]) -> None:
        """Replace pages, and remove those behind the last one."""
        if not changed and not stale and not self._mark().exists():
            return
        run = self._run
        downloads.write(run.root, self._mark(), b"", run.disk)
        # From the last page down: rows have moved to later pages, and none is nowhere meanwhile.
        for page in sorted(changed, reverse=True):
            run.keep(self._path(page), changed[page].text)
        for page in stale:
            downloads.remove(run.root, self._path(page), run.disk)
        downloads.remove(run.root, self._mark(), run.disk)

    def _read_changed(self) -> tuple[dict[int, Rows], int, bool]:
        """Return the pages that differ from the stored ones, how many there are, and if all fit."""
        changed, page, whole = dict[int, Rows](), 0, True
        last: Row = None
        while True:
            came = self._asked(page)
            whole = whole and last not in came.rows
            if came.rows and came.rows != self._stored(page):
                changed[page] = came
            if len(came.rows) < LIMIT:
                return changed, page + bool(came.rows), whole
            last, page = came.rows[-1], page + 1

    def _asked(self, page: int) -> Rows:
        offset = page * LIMIT
        params = {
            **dict(self._endpoint.params),
            "limit": str(LIMIT),
            "offset": str(offset),
            "sortDirection": "Asc",
        }
        came = self._run.pacing.get(
            self._account.reader,
            self._endpoint.path,
            params,
            lambda found, answer: page_of(found, answer, offset, LIMIT),
        )
        if page and page % PAGES_SAID == 0:
            self._run.say(f"{self._title}: {offset + len(came.rows):,} rows")
        note = f"{self._title}: the venue does not say how many rows there are (X-TOTAL)"
        if came.total is None and note not in self._run.notes:
            self._run.notes.append(note)
        return came

    def _path(self, page: int) -> Path:
        return self._folder / downloads.page_name(page * LIMIT)

    def _stored(self, page: int) -> list[Row]:
        return self._run.stored(self._path(page))

    def _mark(self) -> Path:
        return self._folder / ANEW
