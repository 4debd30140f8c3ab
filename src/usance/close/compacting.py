"""Compacting: months of closed days as their sums, and back.

The days of a month go, unchanged, to `posted/daily`, which no ledger includes; then the month's
file is replaced. Whatever happens between two file operations, each month is one or the other.
"""

import contextlib
import datetime
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from beancount.core.data import (
    Balance,
    Close,
    Custom,
    Directive,
    Pad,
    Transaction,
    entry_sortkey,
)

from usance.close import daily_text, month_proof, month_seals, month_sums, seals
from usance.close.folder import Months, chain, month_files, read_months
from usance.close.posting import names
from usance.close.rehearsal import books_otherwise, form
from usance.close.restore import Restoring
from usance.close.seals import Seal
from usance.engine.state import Accrual, Holding, Portfolio, State
from usance.language.directive import source_of
from usance.language.provenance import DAILY, POSTED
from usance.language.reading import Reading
from usance.language.transactions import units_of
from usance.ledger.disk import Disk, write
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.hours import NO_DAY, Day, day_of, month_end
from usance.model.problems import Problem, Source

COMMENT = (
    f'; A month by "usance compact": its days are in {POSTED}/{DAILY}. Do not format this file.\n'
)


@dataclass(slots=True)
class Compaction:
    """What becomes of closed months.

    months    that are compacted now, oldest first
    before    that were already
    daily     why older months stay as their days, oldest first
    files     paths of the files to write, with their bytes, in order
    days      transactions of the days of `months`, and `sums` those in their place
    problems  why nothing can be compacted
    """

    months: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    daily: list[Problem] = field(default_factory=list)
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    days: int = 0
    sums: int = 0
    problems: list[Problem] = field(default_factory=list)


def plan(ledger: Ledger, folder: Path, keep: int, disk: Disk) -> Compaction:
    """Compute the sums of all closed months but the last `keep`; write nothing."""
    compaction = Compaction(problems=chain(ledger, folder, disk))
    months = read_months(folder, disk)
    compaction.before = sorted(map(seals.month_of, months.compacted))
    old = sorted(months.texts, key=seals.month_of)[:-keep]
    if compaction.problems or not set(old) - set(months.compacted):
        return compaction
    reading = ledger.read()
    states = _States(reading)
    for name in old:
        if name in months.compacted:
            of = seals.month_of(name)
            sums = [entry for entry in reading.posted if f"{entry.date:%Y-%m}" == of]
            states.take(of, sums, sums)
            continue
        month = _Month(ledger, folder, months, name)
        fault = month.fault()
        if not states.take(month.month, month.days, month.days if fault else month.sums):
            fault = month.stays("its sums do not lead to the state of its last day")
        if fault is not None:
            compaction.daily.append(fault)
        else:
            compaction.months.append(month.month)
            compaction.files += month.files()
            compaction.days += len(month.days)
            compaction.sums += len(month.sums)
    return compaction


class _Month:
    """A closed month: its days, and what is to stand in their place.

    days      transactions of its days
    computed  directives in the place of theirs; `text` of the month's file has them
    read      the same as Beancount reads them there; `sums` the transactions of them
    """

    def __init__(self, ledger: Ledger, folder: Path, months: Months, name: str) -> None:
        self.ledger = ledger
        self.path = folder / name
        self.month = seals.month_of(name)
        self.daily = months.texts[name]
        self.inputs = months.inputs[f"{self.month}.inputs"].splitlines(keepends=True)
        self.closes: list[Seal] = list(seals.closes(self.daily))
        parsed = daily_text.parsed(str(self.path), self.daily)
        entries = [entry for entry in parsed if not isinstance(entry, Custom)]
        self.days = [entry for entry in entries if isinstance(entry, Transaction)]
        self.computed = month_sums.summed(entries, ledger.read().book)
        text = month_sums.text(self.computed, f"{COMMENT}{names(ledger)}\n").encode()
        seal = month_seals.close(self.closes, self.daily, self.inputs, text)
        self.text = text + seal.text().encode()
        parsed = daily_text.parsed(str(self.path), self.text)
        self.read = [entry for entry in parsed if not isinstance(entry, Custom)]
        self.sums = [entry for entry in self.read if isinstance(entry, Transaction)]

    def files(self) -> Iterator[tuple[Path, bytes]]:
        """Yield its files in the order in which to write them: the days are never without one."""
        yield self.path.parent / DAILY / self.path.name, self.daily
        yield self.path, self.text

    def fault(self) -> Problem | None:
        """Return why the month has to stay as its days, or None."""
        dependent = next(self._dependent(), None)
        if dependent is not None:
            entry, why = dependent
            return self.stays(why, source_of(entry.meta))
        otherwise = self._otherwise()
        return None if otherwise is None else self.stays(otherwise)

    def stays(self, why: str, at: Source | None = None) -> Problem:
        """Return the note that the month stays as its days."""
        return problems.month_stays_daily(at or Source(str(self.path), 1), self.month, why)

    def _dependent(self) -> Iterator[tuple[Directive, str]]:
        """Yield a person's directives that depend on the days of the month, and why."""
        moved = {(leg.account, units_of(leg)[1]) for entry in self.days for leg in entry.postings}
        since, last = self.closes[0].date, self.closes[-1].date
        for entry in self.ledger.entries:
            date = entry.date.isoformat()
            if not since <= date <= last:
                continue
            match entry:
                case Balance(account=account) if date > since:
                    if _moves(moved, account, entry.amount.currency):
                        yield entry, f"a balance of {account} is asserted on {date}"
                case Pad(account=account) if date > since and _moves(moved, account):
                    yield entry, f"{account} is padded on {date}"
                case Close(account=account) if date < last and _moves(moved, account):
                    yield entry, f"{account} is closed on {date}"
                case _:
                    pass
        trade = books_otherwise(self.ledger, self.days, self.sums) if self.days else None
        if trade is not None:
            yield trade, f"a trade of {trade.date} would be booked against other lots"

    def _otherwise(self) -> str | None:
        """Return what is otherwise in the sums than in the days, or None."""
        if len({(close.rules, close.stages) for close in self.closes}) > 1:
            return "its days were closed with different stages"
        computed = sorted(self.computed, key=entry_sortkey)
        if [*map(form, self.read)] != [*map(form, computed)]:
            return "Beancount would read other numbers than its sums"
        if (found := month_proof.fault(self.daily, self.text)) is not None:
            return found[1]
        return None


def _moves(moved: set[tuple[str, str]], account: str, currency: str = "") -> bool:
    """Tell whether an account, or one below it, is among those that are moved."""
    return any(f"{of}:".startswith(f"{account}:") and currency in ("", coin) for of, coin in moved)


class _States:
    """The states of two runs over closed months: one takes days, the other one their sums."""

    def __init__(self, reading: Reading) -> None:
        self.runs = Restoring(reading), Restoring(reading)
        self.since = NO_DAY

    def take(self, month: str, days: Sequence[Transaction], sums: Sequence[Transaction]) -> bool:
        """Take in a month; tell whether its sums come to the state of its days.

        If they do not, both runs go on from that of the days.
        """
        last = month_end(day_of(datetime.date.fromisoformat(f"{month}-01")))
        of_days, of_sums = self.runs
        for run, entries in ((of_days, days), (of_sums, sums)):
            run.take_written(Day(self.since + 1), last)
            run.take(entries)
        self.since = last
        if _said(of_days.state) == _said(of_sums.state):
            return True
        of_sums.state, of_sums.reduced = of_days.state.copy(), dict(of_days.reduced)
        return False


def _said(state: State) -> object:
    """Return all of a state that says something."""
    return (
        {
            (name, coin): holding
            for name, held in state.holdings.items()
            for coin, holding in held.items()
            if holding != Holding()
        },
        {
            (name, at): lots
            for name, of in state.positions.items()
            for at, lots in of.items()
            if lots
        },
        {name: number for name, number in state.margin.items() if number},
        state.closed,
        {
            key: replace(
                accrual, unpaid={of: due for of, due in accrual.unpaid.items() if any(due)}
            )
            for key, accrual in state.accruals.items()
            if accrual != Accrual()
        },
        {name: held for name, held in state.portfolios.items() if held != Portfolio()},
    )


def compact(compaction: Compaction, folder: Path, disk: Disk) -> None:
    """Write the months that are compacted."""
    if compaction.files:
        disk.make_folder(folder / DAILY)
    write(compaction.files, disk)


def undo(folder: Path, disk: Disk) -> list[str] | Problem:
    """Bring the days of all compacted months back; return the months.

    The ledger is not loaded. If the file of some days is not the one that was compacted, nothing is
    written, and the error comes back.
    """
    months = read_months(folder, disk)
    for name, data in sorted(months.compacted.items()):
        found = month_seals.read(data)
        assert found is not None
        if hashlib.sha256(months.texts[name]).hexdigest() != found[0].daily:
            at = Source(str(folder / name), 1)
            why = "it is missing, or not the file that was compacted"
            return problems.broken_chain(at, found[0].since, why)
    for name in sorted(months.compacted):
        write([(folder / Path(name).name, months.texts[name])], disk)
    for path in month_files(folder / DAILY):
        # One may be left of a run that was interrupted: the month has these bytes again.
        if disk.read(folder / path.name) == disk.read(path):
            disk.remove(path)
    with contextlib.suppress(OSError):
        (folder / DAILY).rmdir()
    return sorted(map(seals.month_of, months.compacted))
