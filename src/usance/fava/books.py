"""Books: what one load of a ledger comes to. Its days are lived once, when a page first asks."""

import datetime
import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from beancount.core.data import Transaction

from usance import (
    engine,
    explain,
    lending_reports,
    margin_reports,
    posted,
    reports,
    yield_reports,
)
from usance.closed import POSTED, first_day
from usance.disk import Disk
from usance.drafts import Draft
from usance.engine import Day
from usance.events import Book
from usance.explain import Explanation
from usance.hours import date_of
from usance.ledger import Ledger
from usance.margin_reports import Evening, Figures
from usance.problems import Problem
from usance.reports import Sheet
from usance.verification import Verification, verify
from usance.wallet import State

A = TypeVar("A")


Dated = list[tuple[datetime.date, str]]
"""Ids of transactions with their dates, in order of date."""


def _last(dates: Dated, day: int, fits: Callable[[str], bool] = bool) -> str:
    until = dates[: bisect_right(dates, (date_of(day), "~"))]
    return next((identity for _, identity in reversed(until) if fits(identity)), "")


class Books:
    """Reports of a ledger that was loaded; what was asked once is kept until the next load."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.reading = ledger.read()
        self._kept: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    @property
    def book(self) -> Book:
        """What the engine sees."""
        return self.reading.book

    @property
    def first(self) -> int | None:
        """The first day that moved or is closed, None where there is none up to the last."""
        days = (self.book.first, first_day(self.reading))
        return min((day for day in days if day is not None and day <= self.last), default=None)

    @property
    def last(self) -> int:
        """The last day: the horizon, or the last closed one."""
        return self.reading.last

    def _once(self, key: Hashable, answer: Callable[[], A]) -> A:
        """Return an answer that is worked out once, by one of those who wait for it."""
        if key not in self._kept:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = answer()
        return cast("A", self._kept[key])

    @property
    def evenings(self) -> list[tuple[Day, State]]:
        """All days from the first one on, each with what sub-accounts have at its end."""
        return self._once("evenings", self._evenings)

    def _evenings(self) -> list[tuple[Day, State]]:
        lived = self.ledger.evenings()
        begin = lived[0][0].day if lived else self.last + 1
        # What closed days were lived for may be gone since.
        return [(Day(day), State()) for day in range(self.first or begin, begin)] + lived

    def days(self, first: int, last: int) -> list[Day]:
        """Return the days of a period, both ends included."""
        begin = self.first or 0
        return [day for day, _ in self.evenings[max(0, first - begin) : max(0, last + 1 - begin)]]

    def state(self, day: int) -> State:
        """Return what sub-accounts have at the end of a day."""
        return self.evenings[day - (self.first or 0)][1]

    def uses(self, day: int) -> tuple[Figures, list[Problem]]:
        """Return the answer of `usance efficiency`, and what could not be priced."""
        return self._once(
            ("uses", day), lambda: margin_reports.uses(self.reading, self.state(day), day)
        )

    def evening(self, day: int) -> Evening:
        """Return what sub-accounts have at the end of a day, priced."""
        return self._once(
            ("evening", day), lambda: margin_reports.priced(self.reading, self.state(day), day)
        )

    def margin(self, day: int) -> Figures:
        """Return the answer of `usance margin`."""
        return self._once(
            ("margin", day), lambda: margin_reports.margin(self.reading, self.evening(day), {})
        )

    def sheets(self, day: int) -> tuple[list[Sheet], list[Problem]]:
        """Return the answer of `usance accounts`."""
        date = date_of(day)
        return self._once(
            ("sheets", day),
            lambda: reports.sheets(self.ledger, self.reading, date, at_cost=False),
        )

    def earned(self, first: int, last: int) -> list[lending_reports.Earned]:
        """Return what a period earned and cost."""
        return self._once(
            ("earned", first, last), lambda: lending_reports.earned(self.days(first, last))
        )

    def conserved(self, first: int, last: int) -> list[lending_reports.Conservation]:
        """Return the conservation of pools over a period."""
        return self._once(
            ("conserved", first, last), lambda: lending_reports.conserved(self.days(first, last))
        )

    def interests(self, first: int, last: int) -> dict[str, dict[str, Any]]:
        """Return interest of a period by side and coin."""
        return self._once(
            ("interests", first, last), lambda: lending_reports.interests(self.days(first, last))
        )

    def rates(self, day: int) -> list[lending_reports.PoolRates]:
        """Return the mean rates of a day."""
        return self._once(
            ("rates", day),
            lambda: list(lending_reports.pool_rates(self.book, self.days(day, day))),
        )

    def split(self, first: int, last: int) -> Figures:
        """Return the answer of `usance yield`."""
        days = (day for day, _ in self.evenings[: last + 1 - (self.first or 0)])
        return self._once(
            ("split", first, last), lambda: yield_reports.split_of(self.book, days, first, last)
        )

    def incomes(self, first: int, last: int) -> dict[str, dict[str, Any]]:
        """Return the yield of a period by source and coin."""
        return self._once(
            ("incomes", first, last),
            lambda: yield_reports.incomes(self.book, self.days(first, last)),
        )

    def backing(self, day: int) -> Figures:
        """Return the answer of `usance yield --reserves`."""
        return self._once(
            ("backing", day), lambda: yield_reports.backing(self.reading, self.state(day), day)
        )

    # Generated transactions

    @property
    def ids(self) -> dict[str, Transaction]:
        """The generated transactions by id, in order of date."""
        return self._once("ids", lambda: explain.ids(self.ledger))

    def latest(self, kind: str, name: str, day: int, coin: str = "") -> str:
        """Return the id of the last transaction of a kind and sub-account until a day, or "".

        coin  of which it has to post something, whatever it is without one
        """
        made = self._once("latest", self._by_kind).get((kind, name), [])
        return _last(made, day, lambda identity: not coin or self._posts(identity, coin))

    def _posts(self, identity: str, coin: str) -> bool:
        legs = self.ids[identity].postings
        # Beancount's amounts are false where they are zero.
        return any(leg.units and leg.units.currency == coin for leg in legs)

    def changed(self, account: str, coin: str, day: int) -> str:
        """Return the id of the last transaction that posted to an account until a day, or ""."""
        return _last(self._once("changed", self._by_account).get((account, coin), []), day)

    def _by_kind(self) -> dict[tuple[str, str], Dated]:
        found: dict[tuple[str, str], Dated] = defaultdict(list)
        for identity, entry in self.ids.items():
            kind, _, name = identity.split("/")[:3]
            found[kind, name].append((entry.date, identity))
        return found

    def _by_account(self) -> dict[tuple[str, str], Dated]:
        found: dict[tuple[str, str], Dated] = defaultdict(list)
        for identity, entry in self.ids.items():
            for account, coin in {
                (leg.account, leg.units.currency) for leg in entry.postings if leg.units
            }:
                found[account, coin].append((entry.date, identity))
        return found

    def explanation(self, identity: str) -> Explanation:
        """Explain a transaction."""
        entry = self.ids[identity]
        return self._once(
            ("explanation", identity),
            lambda: explain.explain(self.ledger, entry, detailed=True, evenings=self.evenings),
        )

    def handovers(self, first: int, last: int) -> Sequence[Draft]:
        """Return the transfers between sub-accounts of a period, newest first."""
        return engine.given(
            transfer for transfer in self.book.transfers if first <= transfer.day <= last
        )[::-1]

    def verification(self) -> tuple[Verification | None, list[str]]:
        """Follow the chain of closed days, again where a file has changed; say what is wrong.

        None where there is nothing to follow, or a file cannot be read.
        """
        folder = Path(self.ledger.folder) / POSTED
        try:
            stats = [(path.name, path.lstat()) for path in posted.files(folder)]
            key = tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
            return self._once(("verification", key), lambda: self._verified(folder))
        except OSError as error:
            return None, [f"{error.filename}: {error.strerror}"]

    def _verified(self, folder: Path) -> tuple[Verification | None, list[str]]:
        if not posted.files(folder):
            return None, []
        found = verify(folder, Disk(), None)
        wrong = []
        if found.broken is not None:
            wrong = [posted.broken_at(folder, found.broken)]
        elif found.seals:
            wrong = posted.astray(self.ledger, folder)
        return found, [problem.message for problem in wrong]
