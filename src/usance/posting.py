"""Posting: close days, by writing them as text beside the ledger.

Months are written oldest first, a month's .inputs before the month: whatever happens between two
file operations, the books are those before, or those of a run that ended at a month.
"""

import contextlib
import datetime
import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from beancount.core.data import Custom, Directive, Open, Transaction
from beancount.core.position import Cost
from beancount.parser.options import OPTIONS_DEFAULTS

from usance import closed, engine, journal, ledger, problems, seals
from usance.directives import source_of
from usance.engine import Day
from usance.hours import date_of
from usance.journal import Journal
from usance.ledger import Ledger, enabled
from usance.problems import Problem, Source
from usance.reading import DAY_CLOSE, ROOTS, Reading, is_generated, is_posted
from usance.seals import MONTH_FILE, Broken, Seal

OLD = frozenset(("old-rate", "old-price", "old-treasury-rate"))
"""Findings that stop the posting of their day."""

COMMENT = '; Closed days, written by "usance accrue". Each is sealed: an edit is found.\n'


@dataclass(slots=True)
class Posting:
    """What closing days came to.

    problems  why nothing was written, or why not all that was asked for
    text      what is appended to the month files, in order of date
    files     paths of the files to write, with their bytes, in order
    last      the last closed day, None where none is
    """

    days: list[str] = field(default_factory=list)
    transactions: int = 0
    text: str = ""
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: str | None = None


class Disk:
    """The file operations of a run, one by one."""

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file, none where it is missing."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def create(self, path: Path) -> int:
        """Open a file for writing, empty."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of the bytes; return how many."""
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Put a file in the place of another."""
        old.replace(new)

    def replace(self, path: Path, data: bytes) -> None:
        """Give a file new bytes, so that it holds the old ones or the new ones, never less."""
        draft = path.with_name(f".{path.name}.new")
        try:
            descriptor = self.create(draft)
            try:
                _keep_mode(path, descriptor)
                rest = memoryview(data)
                while rest:
                    rest = rest[self.write(descriptor, bytes(rest)) :]
                self.flush(descriptor)
            finally:
                os.close(descriptor)
            self.rename(draft, path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            self.flush(folder)
        finally:
            os.close(folder)


def _keep_mode(path: Path, descriptor: int) -> None:
    """Give a new file the mode and owner of the one that it replaces."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    os.fchmod(descriptor, status.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


@contextlib.contextmanager
def locked(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the folder against other runs; the kernel releases it, however the run ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def folder_of(path: Path) -> tuple[Path, list[Problem]]:
    """Return the folder of closed days of a ledger, and what is wrong with it."""
    folder = path.parent / closed.POSTED
    at = Source(str(path), 1)
    if not folder.is_dir():
        return folder, [problems.no_posted_folder(at, str(folder))]
    if path.parent.resolve() not in folder.resolve().parents:
        return folder, [problems.posted_elsewhere(at, str(folder))]
    return folder, []


def walk(folder: Path, disk: Disk) -> tuple[list[Seal], Broken | None]:
    """Follow the chain of closed days of a folder."""
    months = {
        path.name: disk.read(path) for path in folder.iterdir() if MONTH_FILE.fullmatch(path.name)
    }
    names = (name.replace(".beancount", ".inputs") for name in months)
    return seals.walk(months, {name: disk.read(folder / name) for name in names})


def has_months(folder: Path) -> bool:
    """Tell whether a folder holds closed days."""
    return folder.is_dir() and any(MONTH_FILE.fullmatch(path.name) for path in folder.iterdir())


def chain(book: Ledger, folder: Path, disk: Disk) -> list[Problem]:
    """Return what is wrong with the closed days of a ledger, as files."""
    if not enabled(book.options):
        return [problems.no_plugin(Source(book.path, 1))]
    _, broken = walk(folder, disk)
    if broken is not None:
        at = Source(str(folder / broken.file), broken.line)
        return [problems.broken_chain(at, broken.date, broken.why)]
    if not _includes(book, folder):
        return [problems.posted_not_included(Source(book.path, 1))]
    return [problems.unsealed(source_of(entry.meta)) for entry in _unsealed(book, folder)]


def _unsealed(book: Ledger, folder: Path) -> Iterator[Directive]:
    """Yield what looks posted but stands in no month file, where no seal covers it."""
    for entry in book.entries:
        posted = isinstance(entry, Transaction) and is_posted(entry) and not is_generated(entry)
        if posted or (isinstance(entry, Custom) and entry.type == DAY_CLOSE):
            file = Path(str(entry.meta["filename"]))
            if not (MONTH_FILE.fullmatch(file.name) and file.parent.samefile(folder)):
                yield entry


def _includes(book: Ledger, folder: Path) -> bool:
    """Tell whether the ledger includes each month file, present and future."""
    here = Path(os.path.normpath(folder.absolute()))
    for name in book.options["include"]:
        path = Path(name)
        if path.parent == here or path.suffix == ".csv" or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        for pattern in re.findall(r'^include\s+"([^"\n]*)"', text, re.MULTILINE):
            wanted = os.path.normpath(path.parent / pattern).replace("**/", "")
            if fnmatch(str(here / "2025-05.beancount"), wanted):
                return True
    return False


Watch = Callable[[Iterator[Day], int], Iterator[Day]]
"""Passes days on, so many of them, and may show how far they are."""


def plan(
    book: Ledger, through: int | None, folder: Path, *, stale_ok: bool, disk: Disk, watch: Watch
) -> Posting:
    """Compute the days to close, and the files that hold them; write nothing.

    through   last day to close, None for the horizon
    stale_ok  close also days on which a row of a rates file, or a price, is old
    """
    made = Posting()
    made.problems = chain(book, folder, disk)
    reading = book.read()
    last = closed.last_day(reading)
    made.last = None if last is None else date_of(last).isoformat()
    first = reading.book.first if last is None else last + 1
    if made.problems or first is None:
        return made
    state, made.problems = closed.state(reading)
    until = reading.horizon if through is None else through
    days: list[Day] = []
    for day in watch(engine.run(reading.book, state, first, until), until - first + 1):
        made.problems += (problem for problem in day.problems if not problem.finding)
        old = [problem for problem in day.problems if problem.name in OLD]
        if old and not stale_ok and not made.problems:
            made.problems = old
            break
        days.append(day)
    if any(not problem.finding for problem in made.problems):
        made.problems = list(ledger.once(made.problems))
        return made
    _post(made, book, reading, days, folder, disk)
    return made


def _post(
    made: Posting, book: Ledger, reading: Reading, days: list[Day], folder: Path, disk: Disk
) -> None:
    """Write days as text, close each, and put them behind what the month files hold."""
    if not days:
        return
    lines = closed.lines(reading, days[0].day, days[-1].day)
    stages = " ".join(sorted(stage.value for stage in enabled(book.options)))
    written = (entry for entry in book.entries if not is_generated(entry))
    scribe = Journal(reading.chart, *ledger.opened(written, reading))
    previous = str(reading.seals[-1].values[0].value) if reading.seals else ""
    months: dict[str, tuple[bytearray, bytearray]] = {}
    for day in days:
        date = date_of(day.day).isoformat()
        month = date[:7]
        if month not in months:
            before = disk.read(folder / f"{month}.beancount")
            kept = seals.lines_of(disk.read(folder / f"{month}.inputs"), made.last or "")
            months[month] = (bytearray(before), bytearray(b"".join(kept)))
        posted, inputs = months[month]
        entries = list(scribe.day(day.day, day.drafts))
        text = f"{'' if posted else header(book)}\n{journal.text(entries)}"
        below = next(_below(book, entries, text, posted.count(b"\n")), None)
        if below is not None:
            made.problems.append(below)
            break
        findings = "; ".join(dict.fromkeys(problem.message for problem in day.problems))
        of_day = sorted(line.data for line in lines[day.day])
        digest = seals.inputs_digest(of_day)
        seal = seals.close(date, previous, digest, stages, findings, text.encode())
        previous = seal.digest
        posted += f"{text}{seal.text()}".encode()
        inputs += b"".join(of_day)
        made.text += f"{text}{seal.text()}"
        made.days.append(date)
        made.transactions += len(day.drafts)
    if not made.days:
        return
    found = (problem for day in days[: len(made.days)] for problem in day.problems)
    made.findings = [problem.message for problem in ledger.once(found)]
    made.last = made.days[-1]
    for month, (posted, inputs) in sorted(months.items()):
        if month > made.last[:7]:
            break
        made.files.append((folder / f"{month}.inputs", bytes(inputs)))
        made.files.append((folder / f"{month}.beancount", bytes(posted)))


def _below(
    book: Ledger, entries: list[Open | Transaction], text: str, above: int
) -> Iterator[Problem]:
    """Yield trades of a day that stand below, in their file, what closes their lots.

    text   of the day, with its entries
    above  lines of the month file before it
    """
    for entry in entries:
        if not isinstance(entry, Transaction):
            continue
        of_day = {place for place, day in _lots(entry) if day == entry.date}
        if not of_day:
            continue
        identity = str(entry.meta["usance"])
        line = above + text.count("\n", 0, text.index(f'usance: "{identity}"'))
        for trade in book.entries:
            if not isinstance(trade, Transaction) or trade.date != entry.date:
                continue
            if not is_generated(trade) and trade.meta["lineno"] >= line:
                for _, currency in sorted(of_day & {place for place, _ in _lots(trade)}):
                    yield problems.opened_below(source_of(trade.meta), identity, currency, line)


def _lots(entry: Transaction) -> Iterator[tuple[tuple[str, str], datetime.date]]:
    """Yield account and currency of the lots that a transaction moves, and when they began."""
    for posting in entry.postings:
        if posting.units is not None and isinstance(posting.cost, Cost):
            yield (posting.account, posting.units.currency), posting.cost.date


def header(book: Ledger) -> str:
    """Return the head of a month file: Beancount reads each file by that file's own options."""
    names = (f"name_{root.lower()}" for root in ROOTS)
    given = ((name, book.options[name]) for name in names)
    options = (
        f'option "{name}" "{value}"\n' for name, value in given if value != OPTIONS_DEFAULTS[name]
    )
    return COMMENT + "".join(options)


def write(files: Iterable[tuple[Path, bytes]], disk: Disk) -> None:
    """Replace files one after the other."""
    for path, data in files:
        disk.replace(path, data)
        os.utime(path.parent)  # what Fava watches of a folder: its own attributes
