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

from usance.close import days as closed_days
from usance.close import inputs as closed
from usance.close import restore, seals
from usance.close.correction import correct as correct_closed
from usance.close.folder import chain
from usance.close.inputs import ChangedDay
from usance.engine import loop as engine
from usance.engine.lived_day import LivedDay
from usance.language.directive import source_of
from usance.language.provenance import is_generated
from usance.language.reading import ROOTS, Reading
from usance.ledger import journal as journals
from usance.ledger.disk import Disk
from usance.ledger.journal import Journal
from usance.ledger.load import Ledger
from usance.ledger.plugin_lines import enabled
from usance.model import problems
from usance.model.hours import iso
from usance.model.problems import Kind, Problem

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
    corrections: int = 0
    text: str = ""
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: str | None = None


Watch = Callable[[Iterator[LivedDay], int], Iterator[LivedDay]]
"""Passes days on, so many of them, and may show how far they are."""


def plan(
    ledger: Ledger,
    through: int | None,
    folder: Path,
    *,
    correct: bool,
    stale_ok: bool,
    disk: Disk,
    watch: Watch,
) -> Posting:
    """Compute the days to close, and the files that hold them; write nothing.

    through   last day to close, None for the horizon
    correct   post on the first of them what closed days that have changed would be by now
    stale_ok  close also days on which a row of a rates file, or a price, is old
    """
    made = Posting()
    made.problems = chain(ledger, folder, disk)
    reading = ledger.read()
    last = closed_days.last_day(reading)
    made.last = None if last is None else iso(last)
    first = reading.book.first if last is None else last + 1
    if made.problems or first is None:
        return made
    state, made.problems = restore.state(reading)
    until = reading.horizon if through is None else through
    altered = closed.changed_days(reading, ledger.folder) if correct else []
    if altered and until < first:
        date = iso(first)
        made.problems.append(problems.correction_unreached(altered[0].source, date))
        return made
    correction = None
    if altered:
        correction = correct_closed(reading, (day.day for day in altered), state)
        state = correction.evening
    days: list[LivedDay] = []
    for day in watch(engine.run(reading.book, state, first, until), until - first + 1):
        if correction is not None and day.day == first:
            day.drafts[:0] = correction.drafts
            day.problems[:0] = correction.problems
            made.corrections = len(correction.drafts)
        made.problems += (problem for problem in day.problems if not problem.finding)
        old = [problem for problem in day.problems if problem.kind is Kind.OLD_FIGURE]
        if old and not stale_ok and not made.problems:
            made.problems = old
            break
        days.append(day)
    if any(not problem.finding for problem in made.problems):
        made.problems = list(problems.once(made.problems))
        return made
    _post(made, ledger, reading, days, altered, folder, disk)
    return made


def _post(
    made: Posting,
    ledger: Ledger,
    reading: Reading,
    days: list[LivedDay],
    altered: list[ChangedDay],
    folder: Path,
    disk: Disk,
) -> None:
    """Write days as text, close each, and put them behind what the month files hold.

    altered  closed days that the first of these days corrects
    """
    if not days:
        return
    lines = closed.lines(reading, days[0].day, days[-1].day)
    stages = " ".join(sorted(stage.value for stage in enabled(ledger.options)))
    written = (entry for entry in ledger.entries if not is_generated(entry))
    journal = Journal(reading.chart, *journals.opened(written, reading))
    previous = str(reading.seals[-1].values[0].value) if reading.seals else ""
    months: dict[str, tuple[bytearray, bytearray]] = {}
    for day in days:
        date = iso(day.day)
        month = date[:7]
        if month not in months:
            before = disk.read(folder / f"{month}.beancount")
            kept = seals.lines_of(disk.read(folder / f"{month}.inputs"), made.last or "")
            months[month] = (bytearray(before), bytearray(b"".join(kept)))
        posted, inputs = months[month]
        entries = list(journal.day(day.day, day.drafts))
        of_day = [line.data for line in lines[day.day]]
        text = f"{'' if posted else header(ledger)}\n{journals.text(entries)}"
        if altered and day is days[0]:
            text += _corrected(altered, date, of_day)
        below = next(_below(ledger, entries, text, posted.count(b"\n")), None)
        if below is not None:
            made.problems.append(below)
            break
        findings = "; ".join(dict.fromkeys(problem.message for problem in day.problems))
        digest = seals.inputs_digest(of_day)
        seal = seals.close(date, previous, digest, stages, findings, text.encode())
        previous = seal.digest
        posted += f"{text}{seal.text()}".encode()
        inputs += b"".join(sorted(of_day))
        made.text += f"{text}{seal.text()}"
        made.days.append(date)
        made.transactions += len(day.drafts)
    if not made.days:
        return
    found = (problem for day in days[: len(made.days)] for problem in day.problems)
    made.findings = [problem.message for problem in problems.once(found)]
    made.last = made.days[-1]
    for month, (posted, inputs) in sorted(months.items()):
        if month > made.last[:7]:
            break
        # Inputs first: no day is ever closed unless its inputs are on the disk. A crash may leave
        # lines of days that are not closed; they are ignored, and written again.
        made.files.append((folder / f"{month}.inputs", bytes(inputs)))
        made.files.append((folder / f"{month}.beancount", bytes(posted)))


def _corrected(altered: list[ChangedDay], date: str, lines: list[bytes]) -> str:
    """Return the directives by which a day corrects others; their lines join its own."""
    text = ""
    for day in altered:
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
    """Return the head of a month file: Beancount reads each file by that file's own options."""
    names = (f"name_{root.lower()}" for root in ROOTS)
    given = ((name, ledger.options[name]) for name in names)
    options = (
        f'option "{name}" "{value}"\n' for name, value in given if value != OPTIONS_DEFAULTS[name]
    )
    return COMMENT + "".join(options)
