"""Reconciling: the books held against a venue's own snapshot, line by line."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple

from beancount.core.data import Commodity, Transaction

from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.feeding import lines, snapshots
from usance.feeding.comparing import Comparison
from usance.feeding.day_rows import add_interest, effects, imports, interest_left, is_of, payments
from usance.feeding.downloads import DOWNLOADS, SNAPSHOT, RefusedError
from usance.feeding.lines import Line
from usance.feeding.moments import books_then, end_instant, whole_day
from usance.feeding.snapshots import Snapshot
from usance.feeding.venue_side import there
from usance.language import prices
from usance.language.directive import source_of
from usance.language.reading import Reading
from usance.ledger import replay
from usance.ledger.load import Ledger
from usance.model.amounts import decimal_text
from usance.model.feeds import Feed
from usance.model.hours import Day, clock, date_of, iso
from usance.model.problems import Source
from usance.model.quotes import Quotes
from usance.reports.figures import Figures
from usance.venues.catalog import VENUES
from usance.venues.numbers import DAY_NANOS, SECOND, Instant, Misread, instant
from usance.venues.numbers import day_of as day_of_instant
from usance.venues.rows import Row

Rows = Callable[[Feed], Iterable[Row]]
"""The rows in the folder of downloads of a feed, each once."""

Lived = Iterable[tuple[LivedDay, State]]

SUMS = ("funding/", "interest/")
"""How the ids of transactions begin that are the sum of a day's rows."""


class WrongUsageError(Exception):
    """Something that was asked for and cannot be; its text says what to write."""


class Asked(NamedTuple):
    """What to reconcile.

    snapshot  a folder of answers or a file, or None: the newest of each feed
    name      of a sub-account, or None: all that have a feed
    at        the moment of the books, or None: when the snapshot was taken
    """

    snapshot: Path | None = None
    name: str | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One sub-account held against one snapshot.

    place     of the snapshot, as messages name it
    interest  by coin: the venue's rows less what the engine generated since the feed's date, where
              it does
    notes     what is left out
    """

    feed: Feed
    at: Instant
    place: str
    lines: list[Line]
    interest: Mapping[str, Decimal]
    notes: list[str]

    @property
    def is_ok(self) -> bool:
        """Tell whether nothing is left."""
        return all(line.kind.is_ok for line in self.lines)


def moment_of(text: str) -> Instant:
    """Return the moment of --at, a time in UTC or the end of a date, or raise WrongUsageError."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return Instant(instant(f"{text}T00:00:00") + DAY_NANOS)
        return instant(text)
    except Misread as error:
        raise WrongUsageError(
            f"{text!r} is no moment. Write it as 2025-06-17T00:10:03Z, or a date for its end."
        ) from error


def moment_text(at: Instant) -> str:
    """Return a moment as text, such as 2025-06-17T00:10:03Z."""
    seconds, fraction = divmod(at % DAY_NANOS, SECOND)
    part = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{iso(day_of_instant(at))}T{clock(seconds)}{part}Z"


class _Task(NamedTuple):
    """A feed, a snapshot of it, and the moment for which the books are asked."""

    feed: Feed
    snapshot: Snapshot
    place: str
    at: Instant


def reconcile(
    ledger: Ledger,
    asked: Asked,
    lived: Callable[[Day], Lived] | None = None,
    rows: Rows | None = None,
) -> list[Reconciled]:
    """Hold the books of each feed against a snapshot.

    lived  the days up to one, each with its evening's state; they are lived again if absent
    rows   funding and interest of a feed; those in the folder of downloads if absent
    RefusedError if there is no snapshot, or one that cannot be read; WrongUsageError if what is
    asked for does not fit the ledger.
    """
    reading = ledger.read()
    rows = rows or partial(payments, Path(ledger.folder))
    tasks = [_task(ledger, reading, feed, asked) for feed in _feeds(reading, asked)]
    days = {whole_day(task.at) for task in tasks}
    last = max(days)
    since = {task.feed.sub_account: task.feed.since for task in tasks}
    evenings = {day: State() for day in days}
    sums: dict[tuple[str, str], Decimal] = {}
    until: dict[Day, dict[tuple[str, str], Decimal]] = {}
    for day, state in lived(last) if lived is not None else replay.evenings(reading, last):
        add_interest(sums, day, reading.book, since)
        if day.day in days:
            evenings[day.day] = state.copy()
            until[day.day] = dict(sums)
    others = prices.others(reading.book, ledger.entries)
    found = []
    for task in tasks:
        whole, name = whole_day(task.at), task.feed.sub_account
        of_task = until.get(whole, {})
        generated = {coin: amount for (owner, coin), amount in of_task.items() if owner == name}
        found.append(_reconciled(ledger, reading, task, rows, evenings[whole], generated, others))
    if asked.name is None:
        found[0].notes.extend(
            f"{name} is not reconciled: snapshots of {feed.venue} are not read."
            for name, feed in sorted(reading.feeds.items())
            if not VENUES[feed.venue].fetches
        )
    return found


def have_snapshots(feeds: Iterable[Feed]) -> bool:
    """Tell whether the venue of any feed gives snapshots that are read."""
    return any(VENUES[feed.venue].fetches for feed in feeds)


def _feeds(reading: Reading, asked: Asked) -> list[Feed]:
    feeds = reading.feeds
    declared = ", ".join(sorted(feeds))
    if not feeds:
        raise RefusedError(
            'The ledger has no feed. Write one, such as 2025-06-01 custom "feed" "Main" "backpack" '
            "with outside: Assets:Bank below it."
        )
    if asked.name is not None and asked.name not in feeds:
        raise WrongUsageError(
            f"--sub-account {asked.name} has no feed. Sub-accounts with a feed: {declared}."
        )
    if asked.name is None and asked.snapshot is not None and len(feeds) > 1:
        raise WrongUsageError(
            f"SNAPSHOT is of one sub-account. Add --sub-account with one of: {declared}."
        )
    found = [feed for name, feed in sorted(feeds.items()) if asked.name in (None, name)]
    read = [feed for feed in found if VENUES[feed.venue].fetches]
    if not read:
        raise RefusedError(
            f"Snapshots of {found[0].venue} are not read. Compare {found[0].sub_account} with a "
            "statement by balance directives."
        )
    return read


def _task(ledger: Ledger, reading: Reading, feed: Feed, asked: Asked) -> _Task:
    """Return the snapshot of a feed, and its moment."""
    root = Path(ledger.folder) / DOWNLOADS
    if asked.snapshot is not None:
        snapshot, place = snapshots.load(asked.snapshot), str(asked.snapshot)
    else:
        found = snapshots.newest(root, feed.venue, feed.sub_account)
        if found is None:
            where = f"{DOWNLOADS}/{feed.venue}/{feed.sub_account}/{SNAPSHOT}"
            raise RefusedError(
                f"There is no snapshot of {feed.sub_account} in {where}. Take one with usance "
                "fetch, or name a folder of answers."
            )
        snapshot, place = snapshots.load(found, root), found.relative_to(root.parent).as_posix()
    at = snapshot.taken if asked.at is None else asked.at
    if at is None:
        raise WrongUsageError(
            f"{place} does not say when it was taken. Add --at with the moment, such as --at "
            "2025-06-17T00:10:03Z."
        )
    whole = whole_day(at)
    if whole > reading.last:
        until = "have no day yet. Write a transaction first"
        if reading.last:
            until = f"end on {iso(reading.last)}. Close its day with usance accrue"
        raise WrongUsageError(f"{moment_text(at)} is beyond the books, which {until}.")
    return _Task(feed, snapshot, place, at)


def _reconciled(
    ledger: Ledger,
    reading: Reading,
    task: _Task,
    rows: Rows,
    evening: State,
    generated: Mapping[str, Decimal],
    others: Quotes,
) -> Reconciled:
    """Hold one sub-account against its snapshot."""
    feed, book, whole = task.feed, reading.book, whole_day(task.at)
    symbols = VENUES[feed.venue].symbols(_named(ledger, feed.venue))
    day, name = Day(whole + 1), feed.sub_account
    known = [*rows(feed)]
    today = [
        effect
        for row in known
        if end_instant(whole) < row.at <= task.at and is_of(row, feed)
        for effect in effects(row, symbols, interest=imports(book, name, day))
    ]
    sums = _sums(ledger, reading, feed, day)
    then = books_then(book, name, task.at, evening, sums, today)
    comparison = Comparison(then, there(task.snapshot, symbols, feed), others)
    comparison.run()
    interest = interest_left(book, feed, known, task.at, symbols, generated)
    notes = comparison.notes
    if any(line.name in interest and not line.kind.is_ok for line in comparison.lines):
        notes.append(
            f"The engine generates the interest of {name}, which is never quite the venue's. "
            'Write interest: "imported" on its sub-account directive to book the venue\'s.'
        )
    if task.snapshot.unknown:
        notes.append(f"No answer of a snapshot, and not read: {', '.join(task.snapshot.unknown)}.")
    return Reconciled(feed, task.at, task.place, comparison.lines, interest, notes)


def _named(ledger: Ledger, venue: str) -> dict[str, str]:
    """Return the commodities of symbols, where the ledger says them."""
    return {
        str(entry.meta[venue]): entry.currency
        for entry in ledger.entries
        if isinstance(entry, Commodity) and venue in entry.meta
    }


def _sums(ledger: Ledger, reading: Reading, feed: Feed, day: Day) -> frozenset[Source]:
    """Return the transactions of a day that are the sum of rows: those count by their rows."""
    date = date_of(day)
    return frozenset(
        source_of(entry.meta)
        for entry in ledger.entries
        if isinstance(entry, Transaction)
        and entry.date == date
        and str(entry.meta.get(feed.venue, "")).startswith(SUMS)
        and any(reading.chart.owner(leg.account) == feed.sub_account for leg in entry.postings)
    )


def answer(found: Iterable[Reconciled]) -> Figures:
    """Return the answer of `usance reconcile`."""
    all_of = [*found]
    return {
        "ok": all(one.is_ok for one in all_of),
        "reconciled": [
            {
                "sub_account": one.feed.sub_account,
                "venue": one.feed.venue,
                "at": moment_text(one.at),
                "snapshot": one.place,
                "lines": [lines.figures(line) for line in one.lines],
                "interest": {coin: decimal_text(gap) for coin, gap in sorted(one.interest.items())},
                "notes": one.notes,
            }
            for one in all_of
        ],
    }
