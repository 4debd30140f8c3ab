"""Books for pages: the answers of one load, whose days run once, when a page first asks."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from usance.books import Books, Date, kept
from usance.close import posted_days
from usance.close.folder import broken_at, left_out, month_files, month_names
from usance.close.verification import Verification, verify
from usance.engine import sub_accounts
from usance.engine.drafts import Draft, TransactionKind
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.fava.newest import Newest
from usance.feeding import downloads, reconciling
from usance.feeding.downloads import DOWNLOADS, RefusedError
from usance.feeding.reconciling import Asked, Reconciled, WrongUsageError
from usance.language.provenance import DAILY, POSTED
from usance.ledger.disk import Disk
from usance.ledger.replay import with_own_states
from usance.model.hours import Day, days, month_start
from usance.reports import basis as bases
from usance.reports import lending as lending_reports
from usance.reports import pnl as pnl_reports
from usance.reports import statement as statement_reports
from usance.reports import status as status_reports
from usance.reports import yields as yield_reports
from usance.reports.lending_sides import Difference, differences
from usance.reports.performance import Performance, Span, Walk, joined, performance, recent
from usance.reports.pnl import Trade
from usance.reports.statement import Statement
from usance.reports.status import Status
from usance.reports.yields import Reserves, Yields


class PageBooks(Books):
    """The answers of a load, and what pages alone ask."""

    @property
    @kept
    def evenings(self) -> list[tuple[LivedDay, State]]:
        """All days from the first one on, closed ones as posted, each with the state at its end."""
        lived = self.again
        if self.is_corrected:
            posted = posted_days.evenings(self.by_day, self.by_day.read(), self.last_day)
            lived = with_own_states(posted)
        begin = lived[0][0].day if lived else Day(self.last_day + 1)
        # Closed days stay, though the movements that they were computed from may be gone.
        return [
            (LivedDay(day), State()) for day in map(Day, range(self.first_day or begin, begin))
        ] + lived

    @property
    @kept
    def is_corrected(self) -> bool:
        """Closed days were corrected, or have changed and wait for a correction."""
        return posted_days.is_corrected(self.ledger, self.reading)

    @property
    @kept
    def again(self) -> list[tuple[LivedDay, State]]:
        """All days lived again from the first one on, each with the state at its end."""
        return self.ledger.evenings()

    def days(self, first: Day, last: Day) -> list[LivedDay]:
        """Return the days of a period, both ends included."""
        begin = self.first_day or 0
        return [day for day, _ in self.evenings[max(0, first - begin) : max(0, last + 1 - begin)]]

    def state(self, day: Day) -> State:
        """Return the state of all sub-accounts at the end of a day."""
        return self.evenings[day - (self.first_day or 0)][1]

    def _state(self, day: Day, basis: str) -> State:
        if basis != bases.POSTED or day > self.last_day:
            return super()._state(day, basis)
        return self.state(day)

    @kept
    def standing(self, at: Date = None) -> Status:
        """Return the status of an evening without findings and doubts."""
        _, day = self.period(None, at, "at")
        evening = self.evenings[day - (self.first_day or 0)]
        return status_reports.status(self.ledger, self.reading, day, evening, self.performance)

    @property
    @kept
    def daily(self) -> Performance:
        """What each day did: walked once for all pages and periods."""
        first, last = self.first_day or self.last_day, self.last_day
        spans = [(day, day) for day in days(first, last)]
        return performance(self.ledger, self.reading, self.by_day.entries, spans)

    @property
    @kept
    def _trades(self) -> Sequence[Trade]:
        span = (self.first_day or self.last_day, self.last_day)
        return pnl_reports.trades(self.by_day, self.by_day.read(), span)

    @property
    @kept
    def recent(self) -> tuple[Mapping[str, Sequence[Decimal | None]], Performance]:
        """Values in all evenings, and what each day of the last two months did.

        It costs half of `daily`, and is all that the first page needs.
        """
        first, last = self.first_day or self.last_day, self.last_day
        month = month_start(Day(month_start(last) - 1))
        since = max(first, min(month, Day(last + 1 - max(status_reports.AGO))))
        walk = Walk(self.ledger, self.reading)
        return recent(walk, self.by_day.entries, (first, last), since)

    def performance(self, spans: Sequence[Span]) -> Performance:
        """Return what days did, in intervals that follow each other without a gap."""
        since = self.recent[1].parts[-1][1][0].first
        return joined(self.recent[1] if spans[0][0] >= since else self.daily, spans)

    def closings(self, evenings: Sequence[Day]) -> dict[str, list[Decimal | None]]:
        """Return the value of each sub-account and product in evenings, or None without a price."""
        begin = self.first_day or self.last_day
        return {
            name: [values[evening - begin] for evening in evenings]
            for name, values in self.recent[0].items()
        }

    def _statement(self, span: Span, by: str | None, basis: str) -> Statement:
        if basis != bases.POSTED or span[1] > self.last_day:
            return super()._statement(span, by, basis)
        spans = list(statement_reports.intervals(span, by))
        return statement_reports.answered(self.performance(spans), span, basis)

    def trades(self, first: Day, last: Day) -> Sequence[Trade]:
        """Return the trades of `usance pnl --trades`."""
        return pnl_reports.trades_of(self._trades, (first, last))

    @kept
    def earned(self, first: Day, last: Day) -> list[lending_reports.Earned]:
        """Return the interest of a period that each sub-account earned and paid."""
        return lending_reports.earned(self.days(first, last))

    @kept
    def differences(self, first: Day, last: Day) -> list[Difference]:
        """Return by how much imported interest and the engine's own figure differ in a period."""
        return differences(self.days(first, last))

    @kept
    def conserved(self, first: Day, last: Day) -> list[lending_reports.Conservation]:
        """Return the conservation of pools over a period."""
        return lending_reports.conserved(self.days(first, last))

    @kept
    def interests(self, first: Day, last: Day) -> dict[str, dict[str, Any]]:
        """Return the interest of a period by side and coin."""
        return lending_reports.interests(self.days(first, last))

    @kept
    def rates(self, day: Day) -> list[lending_reports.PoolRates]:
        """Return the mean rates of a day."""
        return list(lending_reports.pool_rates(self.reading.book, self.days(day, day)))

    @kept
    def split(self, first: Day, last: Day) -> Yields:
        """Return the answer of `usance yield` without intervals."""
        days = (day for day, _ in self.evenings[: last + 1 - (self.first_day or 0)])
        return yield_reports.split_of(self.reading.book, days, (first, last), bases.POSTED)

    @kept
    def incomes(self, first: Day, last: Day) -> dict[str, dict[str, Any]]:
        """Return the yield of a period by source and coin."""
        return yield_reports.incomes(self.reading.book, self.days(first, last))

    @kept
    def backing(self, day: Day) -> Reserves:
        """Return the answer of `usance yield --reserves`."""
        return yield_reports.backing(self.reading, self.state(day), day, bases.POSTED)

    # Generated transactions

    def latest(self, kind: TransactionKind, name: str, day: Day, coin: str = "") -> str:
        """Return the id of the last transaction of a kind and sub-account up to a day, or "".

        coin  if given, a coin that the transaction must post
        """
        with self.lock:
            return self._newest(day).of_kind(kind, name, coin)

    def changed(self, account: str, coin: str, day: Day) -> str:
        """Return the id of the last transaction that posted to an account up to a day, or ""."""
        with self.lock:
            return self._newest(day).on_account(account, coin)

    @kept
    def _newest(self, day: Day) -> Newest:
        return Newest(self.by_day, day)

    def _kept_evenings(self) -> Sequence[tuple[LivedDay, State]]:
        return self.again

    def handovers(self, first: Day, last: Day) -> Sequence[Draft]:
        """Return the transfers between sub-accounts of a period, newest first."""
        return sub_accounts.drafts_of(
            transfer for transfer in self.reading.book.transfers if first <= transfer.day <= last
        )[::-1]

    def reconciled(self) -> tuple[list[Reconciled], str]:
        """Hold the newest snapshots against the books, again if a file has changed.

        With them stands why that cannot be, or "".
        """
        try:
            root = Path(self.ledger.folder) / DOWNLOADS
            stats = [(path, path.lstat()) for path in downloads.files(root)]
            return self._reconciled(
                tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)
            ), ""
        except (RefusedError, WrongUsageError) as error:
            return [], str(error)
        except OSError as error:
            return [], f"{error.filename}: {error.strerror}"

    @kept
    def _reconciled(self, files: tuple[tuple[str, int, int], ...]) -> list[Reconciled]:
        """Reconcile with files of these names, sizes and times of the last change."""
        del files
        return reconciling.reconcile(self.ledger, Asked(), self._until)

    def _until(self, day: Day) -> list[tuple[LivedDay, State]]:
        """Return the days up to one, each with its evening's state."""
        return self.again[: max(0, day + 1 - (self.reading.book.first or 0))]

    def verification(self) -> tuple[Verification | None, list[str]]:
        """Follow the chain of closed days, again if a file has changed; return its faults too.

        The verification is None if no file is there to follow, or if one cannot be read.
        """
        try:
            folders = self._posted_folder, self._posted_folder / DAILY
            files = [path for folder in folders for path in month_files(folder)]
            stats = [(str(path), path.lstat()) for path in files]
            return self._verified(
                tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
            )
        except OSError as error:
            return None, [f"{error.filename}: {error.strerror}"]

    @kept
    def _verified(
        self, files: tuple[tuple[str, int, int], ...]
    ) -> tuple[Verification | None, list[str]]:
        """Follow the chain of files with these names, sizes and times of the last change."""
        if not files:
            return None, []
        verification = verify(self._posted_folder, Disk(), None)
        wrong = []
        if verification.broken is not None:
            wrong = [broken_at(self._posted_folder, verification.broken)]
        elif verification.seals:
            folder = self._posted_folder
            wrong = left_out(self.ledger, folder, month_names(folder))
        return verification, [problem.message for problem in wrong]

    @property
    def _posted_folder(self) -> Path:
        return Path(self.ledger.folder) / POSTED
