"""Verification: closed days, read alone. No ledger is loaded, no plugin runs, nothing is included.

The bytes of every day are compared with their seal, and each seal with the one before. Beancount's
parser then reads the months, which executes nothing: it finds text that `usance accrue` never
writes, even if somebody sealed it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from usance.close import foreign_text, month_proof, seals
from usance.close.folder import Months, month_files, month_names, read_months, walked
from usance.close.foreign_text import Text, day_at
from usance.close.month_text import is_ours
from usance.close.seals import Broken, Seal
from usance.ledger.disk import Disk
from usance.model import problems
from usance.model.problems import Problem, Source

_PLACE = re.compile(rb"^[ \t]+(?:filename|lineno):", re.MULTILINE)
"""Metadata by which a directive hides where it stands."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a verification.

    seals   that hold, oldest first
    broken  the first one that does not hold, or None
    beyond  the last day in the .inputs if it is not closed and all seals hold; else ""
    compacted  months whose sums are those of their days, if all seals hold
    """

    seals: Sequence[Seal]
    broken: Broken | None
    beyond: str
    compacted: Sequence[str]


def verify(folder: Path, disk: Disk, head: str | None) -> Verification:
    """Follow the chain of closed days of a folder.

    head  digest that a day must have, kept elsewhere: a recomputed chain does not have it
    """
    months = read_months(folder, disk)
    chain, broken = walked(months)
    if broken is None:
        broken = _foreign(months.texts) or _unproved(months)
        if broken is not None:
            chain = [seal for seal in chain if seal.date < broken.date]
    if broken is None and head is not None and head not in {seal.digest for seal in chain}:
        date = chain[-1].date if chain else ""
        file = f"{date[:7]}.beancount" if chain else ""
        why = f"no day has the digest {head}: someone removed days or rewrote the chain"
        broken = Broken(date, file, 1, why)
    last = chain[-1].date if chain else ""
    beyond = went_on(months.inputs.values(), last) if broken is None else ""
    compacted = sorted(map(seals.month_of, months.compacted)) if broken is None else []
    return Verification(chain, broken, beyond, compacted)


def _foreign(months: Mapping[str, bytes]) -> Broken | None:
    """Return the first text of months that `usance accrue` does not write, or None."""
    # Any text may stand behind a seal that somebody made. The pattern knows nearly every day that
    # `usance accrue` writes, and matches nothing that Beancount reads otherwise, as a law over
    # forged days tests. Beancount's parser decides the rest: to parse everything took seven times
    # as long.
    doubtful: list[Text] = []
    for name, data in months.items():
        days = list(seals.days(data))
        if all(is_ours(text, date) for _, date, text in days):
            continue
        closes = [(line, date) for line, date, _ in days]
        if hidden := _PLACE.search(data):
            line = data.count(b"\n", 0, hidden.start()) + 1
            why = "usance accrue never writes this metadata"
            return foreign_text.first_fault(doubtful) or Broken(
                day_at(closes, line), name, line, why
            )
        doubtful.append((name, data, closes))
    return foreign_text.first_fault(doubtful) if doubtful else None


def _unproved(months: Months) -> Broken | None:
    """Return the first compacted month whose sums are not those of its days, or None."""
    for name, data in sorted(months.compacted.items()):
        fault = month_proof.fault(months.texts[name], data)
        if fault is not None:
            month = seals.month_of(name)
            return Broken(f"{month}-01", f"{month}.beancount", *fault)
    return None


def removed(folder: Path, disk: Disk) -> list[Problem]:
    """Return the error of a last month of which only the .inputs are there, or none."""
    months = month_names(folder)
    last = months[-1] if months else ""
    alone = [path for path in month_files(folder) if path.name[:7] > last[:7]]
    if not alone:
        return []
    texts = read_months(folder, disk).texts
    closed = [seal.date for data in texts.values() for seal in seals.closes(data)]
    at = Source(str(alone[-1]), 1)
    return [problems.month_removed(at, alone[-1].name[:7], max(closed, default=""))]


def went_on(inputs: Iterable[bytes], last: str) -> str:
    """Return the last day in the .inputs, or "" if it is closed."""
    dates = [line[:10].decode("ascii", "replace") for data in inputs for line in data.splitlines()]
    return max([date for date in dates if date > last], default="")
