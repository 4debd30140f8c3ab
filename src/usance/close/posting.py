"""Posting: close days, by writing them as text beside the ledger.

Months are written oldest first, a month's .inputs before the month: whatever happens between two
file operations, the books are those before, or those of a run that ended at a month.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from beancount.core.data import Open, Transaction
from beancount.core.position import Cost
from beancount.parser.options import OPTIONS_DEFAULTS

from usance.close import correction, inputs, restore, seals
from usance.close.correction import Correction, Difference
from usance.close.days import last_day
from usance.close.folder import chain, left_out
from usance.close.inputs import ChangedDay
from usance.close.rehearsal import NewMonth, rehearse
from usance.engine import loop
from usance.engine.lived_day import LivedDay
from usance.language.directive import source_of
from usance.language.provenance import is_generated
from usance.language.reading import ROOTS, Reading
from usance.ledger import journal
from usance.ledger.disk import Disk
from usance.ledger.journal import Journal
from usance.ledger.load import Ledger
from usance.ledger.opens import Opens, permitted
from usance.ledger.plugin_lines import enabled
from usance.model import problems
from usance.model.hours import Day, iso
from usance.model.problems import Kind, Problem, Source

COMMENT = '; Closed days, sealed by "usance accrue": an edit is found. Do not format this file.\n'


MANY_AT_FIRST = 45
"""A first run closes more days only if a person says how far: what is closed stays closed."""


@dataclass(slots=True)
class Posting:
    """The outcome of closing days.

    problems  why no day can be closed, or not all that were asked for
    texts     to append to the month files, one a day
    files     paths of the files to write, with their bytes, in order
    last      the last closed day, or None
    changes   of closed days that the run corrects, one text each
    differences  that it posts
    beyond    the horizon, if it lies behind the last day that is over, and the run ends there
    """

    days: list[str] = field(default_factory=list)
    transactions: int = 0
    corrections: int = 0
    texts: list[str] = field(default_factory=list)
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: str | None = None
    changes: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    beyond: str | None = None

    @property
    def text(self) -> str:
        """What is appended to the month files."""
        return "".join(self.texts)


@dataclass(frozen=True, slots=True)
class Request:
    """The days that a person wants to close.

    through   last day to close, or None for the horizon, but no day that is not over
    over      last day that is over
    correct   post the correction of closed days that have changed on the first of them
    stale_ok  close also days on which a row of a rates file, or a price, is old
    reason    of the correction, in a person's words
    """

    through: Day | None
    over: Day
    correct: bool
    stale_ok: bool
    reason: str = ""


Watch = Callable[[Iterator[LivedDay], int], Iterator[LivedDay]]
"""Passes days on, so many of them, and may show how far they are."""


def plan(ledger: Ledger, folder: Path, request: Request, disk: Disk, watch: Watch) -> Posting:
    """Compute the days to close, and the files that hold them; write nothing."""
    posting = Posting()
    posting.problems = chain(ledger, folder, disk)
    reading = ledger.read()
    last = last_day(reading)
    posting.last = None if last is None else iso(last)
    first = reading.book.first if last is None else Day(last + 1)
    if posting.problems or first is None:
        return posting
    state, posting.problems = restore.state(reading)
    changed = inputs.changed_days(reading, ledger.folder) if request.correct else []
    until = _until(request, reading, first, changed=bool(changed))
    if fault := _bounds(request, reading, first, until, changed):
        posting.problems.append(fault)
        return posting
    posting.beyond = None if reading.horizon <= until or changed else iso(reading.horizon)
    corrected: Correction | None = None
    if changed:
        corrected = correction.correct(reading, (day.day for day in changed), state)
        state = corrected.evening
        posting.changes = list(_changes(changed, ledger.folder))
        posting.differences = list(correction.differences(corrected))
    days: list[LivedDay] = []
    for day in watch(loop.run(reading.book, state, first, until), until - first + 1):
        if corrected is not None and day.day == first:
            day.drafts[:0] = [draft._replace(reason=request.reason) for draft in corrected.drafts]
            day.problems[:0] = corrected.problems
            posting.corrections = len(corrected.drafts)
        posting.problems += (problem for problem in day.problems if not problem.finding)
        old = [problem for problem in day.problems if problem.kind is Kind.OLD_FIGURE]
        if old and not request.stale_ok and not posting.problems:
            posting.problems = old
            break
        days.append(day)
    if any(not problem.finding for problem in posting.problems):
        posting.problems = list(problems.once(posting.problems))
    elif days:
        _post(posting, ledger, days, changed, _Months(folder, disk, posting.last or ""))
    return posting


def _changes(changed: list[ChangedDay], folder: str) -> Iterator[str]:
    """Yield the directives of closed days that have changed, as text."""
    for day in changed:
        for problem in inputs.differences(day, folder):
            yield ": ".join(problem.facts)


def _until(request: Request, reading: Reading, first: Day, *, changed: bool) -> Day:
    """Return the last day to close."""
    if request.through is not None:
        return request.through
    # A correction is for a person to look at, before more days rest on it.
    return first if changed else min(reading.horizon, request.over)


def _bounds(
    request: Request, reading: Reading, first: Day, until: Day, changed: list[ChangedDay]
) -> Problem | None:
    """Return why a run should not close these days, or None.

    first, until  first and last day to close
    """
    if changed and until < first:
        return problems.correction_unreached(changed[0].source, iso(first))
    if request.through is not None:
        return None
    if changed and first > request.over:
        return problems.correction_not_over(changed[0].source, iso(first))
    count = until - first + 1
    if not reading.seals and count > MANY_AT_FIRST:
        return problems.many_days(Source(reading.top, 1), iso(first), iso(until), count)
    return None


class _Months:
    """The files of months, with the days that are added to them.

    closed  date of the last day that they hold already
    """

    def __init__(self, folder: Path, disk: Disk, closed: str) -> None:
        self.folder = folder
        self.disk = disk
        self.closed = closed
        self.texts: dict[str, bytearray] = {}
        self.inputs: dict[str, bytearray] = {}
        self.above: dict[str, int] = {}
        self.days: dict[str, list[Open | Transaction]] = {}

    def text(self, month: str) -> bytearray:
        """Return the text of a month so far."""
        if month not in self.texts:
            self.texts[month] = bytearray(self.disk.read(self.folder / f"{month}.beancount"))
            self.above[month], self.days[month] = self.texts[month].count(b"\n"), []
            lines = seals.lines_of(self.disk.read(self.folder / f"{month}.inputs"), self.closed)
            self.inputs[month] = bytearray(b"".join(lines))
        return self.texts[month]

    def add(
        self, date: str, text: str, lines: list[bytes], entries: list[Open | Transaction]
    ) -> None:
        """Add a closed day: its text, the lines of its inputs, and the directives of its text."""
        month = date[:7]
        self.days[month] += entries
        self.texts[month] += text.encode()
        self.inputs[month] += b"".join(sorted(lines))

    def new(self) -> list[NewMonth]:
        """Return the months with added days, oldest first."""
        return [
            NewMonth(
                self.folder / f"{month}.beancount",
                bytes(text),
                self.above[month],
                self.days[month],
            )
            for month, text in sorted(self.texts.items())
        ]

    def files(self, last: str) -> Iterator[tuple[Path, bytes]]:
        """Yield the files up to a month, with their bytes, in the order in which to write them."""
        for month, text in sorted(self.texts.items()):
            if month <= last:
                # Inputs first: no day is ever closed unless its inputs are on the disk. A crash may
                # leave lines of days that are not closed; they are ignored, and written again.
                yield self.folder / f"{month}.inputs", bytes(self.inputs[month])
                yield self.folder / f"{month}.beancount", bytes(text)


def _post(
    posting: Posting,
    ledger: Ledger,
    days: list[LivedDay],
    changed: list[ChangedDay],
    months: _Months,
) -> None:
    """Write days as text, close each, and add them to the month files.

    changed  closed days that the first of these days corrects
    """
    reading = ledger.read()
    lines = inputs.lines(reading, days[0].day, days[-1].day)
    stages = " ".join(sorted(stage.value for stage in enabled(ledger.options)))
    written = (entry for entry in ledger.entries if not is_generated(entry))
    opens = Opens(written, ledger.options)
    writer = Journal(reading.chart, *opens.of_engine(reading))
    new: list[Open | Transaction] = []
    previous = str(reading.seals[-1].values[0].value) if reading.seals else ""
    for day in days:
        date = iso(day.day)
        above = months.text(date[:7])
        entries = list(writer.day(day.day, day.drafts))
        of_day = [line.data for line in lines[day.day]]
        text = f"{'' if above else header(ledger)}\n{journal.text(entries)}"
        if changed and day is days[0]:
            text += _corrected(changed, date, of_day)
        below = next(_below(ledger, entries, text, above.count(b"\n")), None)
        if below is not None:
            posting.problems.append(below)
            break
        findings = "; ".join(dict.fromkeys(problem.message for problem in day.problems))
        digest = seals.inputs_digest(of_day)
        seal = seals.close(date, previous, digest, stages, findings, text.encode())
        previous = seal.digest
        text += seal.text()
        months.add(date, text, of_day, entries)
        new += entries
        posting.texts.append(text)
        posting.days.append(date)
        posting.transactions += len(day.drafts)
    if not posting.days:
        return
    planned = months.new()
    names = [month.path.name for month in planned]
    # Days beyond the horizon may post to an account that is closed by then.
    _, shut = permitted(opens, reading, [], new)
    if faults := left_out(ledger, months.folder, names) or shut or rehearse(ledger, planned):
        posting.problems = faults
        return
    reports = (problem for day in days[: len(posting.days)] for problem in day.problems)
    posting.findings = [problem.message for problem in problems.once(reports)]
    posting.last = posting.days[-1]
    posting.files += months.files(posting.last[:7])


def _corrected(changed: list[ChangedDay], date: str, lines: list[bytes]) -> str:
    """Return the directives by which a day corrects others; their lines join its own."""
    text = ""
    for day in changed:
        now = [line.data for line in day.now]
        lines += (seals.correcting_line(date, line) for line in now)
        corrected = iso(day.day)
        text += seals.correction(date, corrected, seals.inputs_digest(now))
    return f"{text}\n"


def _below(
    ledger: Ledger, entries: list[Open | Transaction], text: str, above: int
) -> Iterator[Problem]:
    """Yield trades of a day that stand below, in their file, what closes their lots.

    text   of the day, with its entries
    above  lines of the month file before it
    """
    # Beancount books the transactions of a date by line number, whatever their file, before a
    # plugin runs. If a liquidation stood higher up in `posted` than the trade that opens its lot,
    # the closed day could not be loaded. So accrue refuses to write it, and tells where the trade
    # has to stand.
    for entry in entries:
        if not isinstance(entry, Transaction):
            continue
        of_day = {place for place, day in _lots(entry) if day == entry.date}
        if not of_day:
            continue
        identity = str(entry.meta["usance"])
        line = above + text.count("\n", 0, text.index(f'usance: "{identity}"'))
        for trade in ledger.entries:
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


def header(ledger: Ledger) -> str:
    """Return the head of a month file."""
    return COMMENT + names(ledger)


def names(ledger: Ledger) -> str:
    """Return options with a ledger's root accounts: Beancount reads each file by its own."""
    given = {name: ledger.options[name] for name in (f"name_{root.lower()}" for root in ROOTS)}
    return "".join(
        f'option "{name}" "{value}"\n'
        for name, value in given.items()
        if value != OPTIONS_DEFAULTS[name]
    )
