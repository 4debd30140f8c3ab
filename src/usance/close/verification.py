"""Verification: closed days, read alone. No ledger is loaded, no plugin runs, nothing is included.

The bytes of every day are compared with their seal, and each seal with the one before. Beancount's
parser then reads the months, which executes nothing: it finds text that `usance accrue` never
writes, even if somebody sealed it.
"""

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from beancount.core.data import Custom, Open, Transaction
from beancount.parser import parser

from usance.close import seals
from usance.close.folder import read_months
from usance.close.month_text import is_ours
from usance.close.seals import Broken, Seal
from usance.language.provenance import DAY_CLOSE, DAY_CORRECT
from usance.ledger.disk import Disk

_PLACE = re.compile(rb"^[ \t]+(?:filename|lineno):", re.MULTILINE)
"""Metadata by which a directive hides where it stands."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a verification.

    seals   that hold, oldest first
    broken  the first one that does not hold, or None
    beyond  the last day in the .inputs if it is not closed and all seals hold; else ""
    """

    seals: Sequence[Seal]
    broken: Broken | None
    beyond: str


def verify(folder: Path, disk: Disk, head: str | None) -> Verification:
    """Follow the chain of closed days of a folder.

    head  digest that a day must have, kept elsewhere: a recomputed chain does not have it
    """
    months, inputs = read_months(folder, disk)
    chain, broken = seals.walk(months, inputs)
    if broken is None:
        broken = next(filter(None, map(_foreign, months, months.values())), None)
    if broken is None and head is not None and head not in {seal.digest for seal in chain}:
        date = chain[-1].date if chain else ""
        file = f"{date[:7]}.beancount" if chain else ""
        why = f"no day has the digest {head}: someone removed days or rewrote the chain"
        broken = Broken(date, file, 1, why)
    last = chain[-1].date if chain else ""
    beyond = _beyond(inputs.values(), last) if broken is None else ""
    return Verification(chain, broken, beyond)


def _foreign(name: str, data: bytes) -> Broken | None:
    """Return the first text of a month that `usance accrue` does not write, or None."""
    # Any text may stand behind a seal that somebody made. The pattern knows nearly every day that
    # `usance accrue` writes, and matches nothing that Beancount reads otherwise, as a law over
    # forged days tests. Beancount's parser decides the rest: to parse everything took seven times
    # as long.
    days = list(seals.days(data))
    if all(is_ours(text, date) for _, date, text in days):
        return None
    closes = [(line, date) for line, date, _ in days]
    if hidden := _PLACE.search(data):
        line = data.count(b"\n", 0, hidden.start()) + 1
        return Broken(_day_at(closes, line), name, line, "usance accrue never writes this metadata")
    return _unlike_ours(name, data, closes)


def _unlike_ours(name: str, data: bytes, closes: Sequence[tuple[int, str]]) -> Broken | None:
    """Return the first directive that is not ours, or not of its day."""
    entries, errors, options = parser.parse_string(data, report_filename=name)
    if errors:
        line = errors[0].source.get("lineno", 1)
        return Broken(_day_at(closes, line), name, line, "Beancount cannot read it")
    if options["plugin"] or options["include"]:
        why = "the file names a plugin or an included file, which usance accrue never does"
        return Broken(closes[0][1], name, 1, why)
    for entry in entries:
        line = entry.meta["lineno"]
        day = _day_at(closes, line)
        if entry.date.isoformat() != day:
            return Broken(day, name, line, "it contains a directive of another day")
        if isinstance(entry, Custom):
            ours = entry.type in (DAY_CLOSE, DAY_CORRECT)
        else:
            ours = isinstance(entry, Open | Transaction)
        if not ours:
            return Broken(day, name, line, "usance accrue never writes this directive")
    return None


def _day_at(closes: Sequence[tuple[int, str]], line: int) -> str:
    """Return the day whose sealed text has a line of a month file.

    closes  last line and day of each seal, in order
    """
    return closes[min(bisect.bisect_left(closes, (line, "")), len(closes) - 1)][1]


def _beyond(inputs: Iterable[bytes], last: str) -> str:
    """Return the last day in the .inputs, or "" if it is closed."""
    dates = [line[:10].decode("ascii", "replace") for data in inputs for line in data.splitlines()]
    return max([date for date in dates if date > last], default="")
