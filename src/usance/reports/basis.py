"""Basis: the transactions on which a report of past days rests.

After a correction a closed day has two truths: as it was posted, with the correction on the day
that posted it, and as the days are lived again, with each change on its own day.
"""

from beancount.core.data import Directive, Directives, Open

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
    for day in replay.live(reading, last):
        if day.day > begin:
            kept += journal.day(day.day, day.drafts)
    if not begin:
        kept += journal.beyond(drafts_after(reading.book, last))
    return sorted(kept, key=lambda entry: entry.date)
