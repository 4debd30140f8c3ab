"""Basis: the transactions on which a report of past days rests.

After a correction a closed day has two truths: as it was posted, with the correction on the day
that posted it, and as the days are lived again, with each change on its own day.
"""

from collections import deque
from collections.abc import Iterator

from beancount.core.data import Directive, Directives, Open

from usance.close import daily_text, posted_days
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.engine.sub_accounts import drafts_after
from usance.language.provenance import ClosedMonths, is_generated
from usance.language.reading import Reading
from usance.ledger import replay
from usance.ledger.journal import Journal
from usance.ledger.load import Ledger
from usance.model.hours import Day

POSTED, CORRECTED = "posted", "corrected"


def entries(ledger: Ledger, reading: Reading, last: Day, basis: str) -> Directives:
    """Return the directives of a ledger with the transactions of all days up to one.

    basis  POSTED, or CORRECTED: closed days are lived again too
    """
    if basis == POSTED and last <= reading.last:
        return ledger.entries
    months = ClosedMonths(ledger.folder)
    begin = Day(0) if basis == CORRECTED else reading.last
    kept: list[Directive] = [
        entry
        for entry in ledger.entries
        if begin or not (is_generated(entry) or months.wrote(entry))
    ]
    opened = [entry.account for entry in kept if isinstance(entry, Open)]
    journal = Journal(reading.chart, opened)
    if begin:
        kept += posted_days.unwritten(ledger, reading)
    for day in replay.live(reading, last):
        if day.day > begin:
            kept += journal.day(day.day, day.drafts)
    if not begin:
        kept += journal.beyond(drafts_after(reading.book, last))
    return sorted(kept, key=lambda entry: entry.date)


def evenings(
    ledger: Ledger, reading: Reading, last: Day, basis: str
) -> Iterator[tuple[LivedDay, State]]:
    """Yield the days up to one, each with the state at its end, which a later day may change.

    basis  POSTED, or CORRECTED: closed days are lived again too
    """
    # As long as nothing is corrected, closed days are those that are lived again: their seals hold
    # what they rest on.
    if basis == POSTED and posted_days.is_corrected(ledger, reading):
        whole = daily_text.by_day(ledger)
        return posted_days.evenings(whole, whole.read(), last)
    return replay.evenings(reading, last)


def evening(ledger: Ledger, reading: Reading, last: Day, basis: str) -> State:
    """Return the state of all sub-accounts and products at the end of a day."""
    lived = deque(evenings(ledger, reading, last, basis), maxlen=1)
    return lived[0][1] if lived else State()


def lived(ledger: Ledger, reading: Reading, last: Day, basis: str) -> Iterator[LivedDay]:
    """Yield the days up to one."""
    return (day for day, _ in evenings(ledger, reading, last, basis))
