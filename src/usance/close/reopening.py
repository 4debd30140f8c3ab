"""Reopening: closed days moved out of the way, from a date on. Nothing is deleted.

No ledger is loaded, so that it is a way out of closed days that cannot be loaded any more. The
files move from the last month to the first: whatever happens in between, the days that are left are
a chain that holds.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from usance.close import seals
from usance.close.folder import month_files, read_months
from usance.close.seals import Broken, Seal
from usance.ledger.disk import Disk

FIRST = "first.beancount"
"""A file without a day, which keeps the ledger's include pattern from finding nothing."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """The days to reopen, and what becomes of their files.

    days    dates, in order
    head    digest of the last closed day before, and `left` of the last one that stays, or ""
    folder  to which the files go
    moved   files that go as a whole, in the order in which they go
    cut     the month of which earlier days stay, then its .inputs, each with its new bytes; or none
    """

    days: Sequence[str]
    head: str
    left: str
    folder: Path
    moved: Sequence[Path]
    cut: Sequence[tuple[Path, bytes]]


def plan(folder: Path, disk: Disk, since: datetime.date) -> Reopening | Broken | None:
    """Return what a reopening would do, None if no such day is closed; write nothing.

    If the chain is broken before the date, return where: no day can be cut off behind it. No month
    from that date on may be compacted.
    """
    months, inputs, _ = read_months(folder, disk)
    chain, broken = seals.walk(months, inputs)
    date = since.isoformat()
    stay = [seal for seal in chain if seal.date < date]
    if broken is not None and broken.date < date:
        return broken
    dates = [day for name in sorted(months) for _, day, _ in seals.days(months[name])]
    days = sorted({day for day in dates if day >= date})
    if not days:
        return None
    head = chain[-1].digest if chain else ""
    month = stay[-1].date[:7] if stay else ""
    later = [path for path in month_files(folder) if path.name[:7] > month]
    # The text of a month goes before its .inputs, so that no closed day is ever without them.
    later.sort(key=lambda path: path.suffix == ".inputs")
    later.sort(key=lambda path: path.name[:7], reverse=True)
    cut = _cut(folder, stay[-1], months, inputs, days) if stay else []
    names = [path.name for path in later] + [path.name for path, _ in cut]
    files = months | inputs
    return Reopening(
        days=days,
        head=head,
        left=stay[-1].digest if stay else "",
        folder=_free(
            folder / f"reopened-{head or date}", {name: files[name] for name in names}, disk
        ),
        moved=later,
        cut=cut,
    )


def compacted(folder: Path, disk: Disk, since: datetime.date) -> str:
    """Return the last compacted month of which a day would be reopened, or ""."""
    months = map(seals.month_of, read_months(folder, disk).compacted)
    return max((month for month in months if month >= since.isoformat()[:7]), default="")


def _free(folder: Path, going: Mapping[str, bytes], disk: Disk) -> Path:
    """Return a folder in which no other bytes stand in the place of files that go there."""
    number, free = 1, folder
    while any((free / name).exists() and disk.read(free / name) != going[name] for name in going):
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def _cut(
    folder: Path,
    last: Seal,
    months: dict[str, bytes],
    inputs: dict[str, bytes],
    days: Sequence[str],
) -> list[tuple[Path, bytes]]:
    """Return the files of the month of the last day that stays, without later days."""
    text, lines = f"{last.date[:7]}.beancount", f"{last.date[:7]}.inputs"
    if not days[0].startswith(last.date[:7]):
        return []
    kept = b"".join(seals.lines_of(inputs.get(lines, b""), last.date))
    return [
        (folder / text, seals.up_to(months[text], last.date)),
        (folder / lines, kept),
    ]


def reopen(reopening: Reopening, disk: Disk) -> None:
    """Move the files of closed days away."""
    reopening.folder.mkdir(exist_ok=True)
    for path, _ in reopening.cut:
        disk.replace(reopening.folder / path.name, disk.read(path))
    posted = reopening.folder.parent
    if not reopening.cut and not (posted / FIRST).exists():
        disk.replace(posted / FIRST, b"; Closed days are posted beside this file, a month each.\n")
    for path in reopening.moved:
        disk.rename(path, reopening.folder / path.name)
    for path, data in reopening.cut:
        disk.replace(path, data)
