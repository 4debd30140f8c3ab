"""Months: deposits and withdrawals, which have no order, and whose status changes for weeks."""

import calendar
import datetime
from collections.abc import Iterator
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
from usance.feeding.pacing import SECOND
from usance.model.hours import date_of
from usance.venues.backpack.endpoints import FINAL, LIMIT, Endpoint

SETTLES = datetime.timedelta(days=60)
"""After the end of a month, its rows may still change so long."""


def fetch_months(
    run: Run, account: Account, name: str, endpoint: Endpoint, seen: datetime.datetime | None
) -> Fetched:
    """Store the months of a feed that may have changed; return what there is of it.

    seen  when the account was last read to the end, or None
    """
    today = date_at(run.pacing.clock.now())
    rows = new = pages = 0
    for first, end in _months(date_of(account.feed.since), today):
        month = _Month(run, account, name, endpoint, first, end)
        old = month.stored()
        fetched = old if month.is_settled(old, seen) else month.asked()
        rows += sum(len(part.rows) for part in fetched)
        new += month.new(old, fetched)
        pages += len(fetched)
    return Fetched(rows, new, pages)


def date_at(moment: int) -> datetime.date:
    """Return the date of a moment, in milliseconds since 1970."""
    return datetime.datetime.fromtimestamp(moment // SECOND, datetime.UTC).date()


def _months(
    since: datetime.date, until: datetime.date
) -> Iterator[tuple[datetime.date, datetime.date]]:
    """Yield the first day of each month, and that of the next one."""
    first = since.replace(day=1)
    while first <= until:
        end = (first + datetime.timedelta(days=31)).replace(day=1)
        yield first, end
        first = end


class _Month:
    """A month of a feed."""

    def __init__(
        self,
        run: Run,
        account: Account,
        name: str,
        endpoint: Endpoint,
        first: datetime.date,
        end: datetime.date,
    ) -> None:
        self._run, self._account, self._name, self._endpoint = run, account, name, endpoint
        self._first, self._end = first, end
        self._folder = account.folder / name

    def stored(self) -> list[Rows]:
        """Return the parts that are stored: one, unless the month has more than a full page."""
        found = list[Rows]()
        while (path := self._path(len(found))).is_file():
            found.append(Rows(self._run.stored(path), "", None))
        return found

    def is_settled(self, parts: list[Rows], seen: datetime.datetime | None) -> bool:
        """Tell whether a month was read when it was over for long, and nothing can change."""
        over = datetime.datetime.combine(self._end, datetime.time(), datetime.UTC) + SETTLES
        final = FINAL[self._name]
        return (
            bool(parts)
            and seen is not None
            and seen >= over
            and all(_status(row) in final for part in parts for row in part.rows)
        )

    def asked(self) -> list[Rows]:
        """Return the parts as the venue says them, stored."""
        old, found = self.stored(), list[Rows]()
        while True:
            part = self._part(len(found) * LIMIT)
            if part.rows or not found:
                found.append(part)
            if len(part.rows) < LIMIT:
                break
        ids = _ids(old)
        if ids and not ids & _ids(found):
            raise refuse_other_account(self._run, self._folder)
        for number, part in enumerate(found):
            if number >= len(old) or part.rows != old[number].rows:
                self._run.keep(self._path(number), part.text)
        for number in range(len(found), len(old)):
            downloads.remove(self._run.root, self._path(number), self._run.disk)
        return found

    def new(self, old: list[Rows], found: list[Rows]) -> int:
        """Return how many rows were not there before."""
        come, _, _ = compared(
            [_identity(row) for part in old for row in part.rows],
            [_identity(row) for part in found for row in part.rows],
        )
        return come

    def _part(self, offset: int) -> Rows:
        begin, end = (calendar.timegm(day.timetuple()) for day in (self._first, self._end))
        params = {
            **dict(self._endpoint.params),
            "from": str(begin * SECOND),
            "to": str(end * SECOND),
            "limit": str(LIMIT),
        }
        if offset:
            params["offset"] = str(offset)
        return self._run.pacing.get(
            self._account.reader,
            self._endpoint.path,
            params,
            lambda found, answer: page_of(found, answer, offset, LIMIT),
        )

    def _path(self, number: int) -> Path:
        """Return the file of a part: 2025-06.json, then 2025-06-000001000.json."""
        month = self._first.isoformat()[:7]
        name = f"{month}-{downloads.page_name(number * LIMIT)}" if number else f"{month}.json"
        return self._folder / name


def _status(row: Row) -> object:
    return row.get("status") if isinstance(row, dict) else None


def _identity(row: Row) -> Row:
    """Return what stays of a row when its status changes."""
    return row["id"] if isinstance(row, dict) and "id" in row else row


def _ids(parts: list[Rows]) -> set[str]:
    return {str(_identity(row)) for part in parts for row in part.rows}
