"""Folder: the files of closed days beside a ledger, and whether their chain holds."""

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from usance.close import month_seals, seals
from usance.close.seals import Broken, Seal
from usance.language import provenance
from usance.language.provenance import DAILY, INPUTS_FILE, MONTH_FILE
from usance.ledger.disk import Disk
from usance.ledger.load import Ledger
from usance.ledger.plugin_lines import enabled
from usance.model import problems
from usance.model.problems import Problem, Source

_INCLUDE = re.compile(r'^include\s+"([^"\n]*)"', re.MULTILINE)


def folder_of(path: Path) -> tuple[Path, list[Problem]]:
    """Return the folder of closed days of a ledger, and its faults."""
    folder = path.parent / provenance.POSTED
    at = Source(str(path), 1)
    if not folder.is_dir():
        return folder, [problems.no_posted_folder(at, str(folder))]
    if path.parent.resolve() not in folder.resolve().parents:
        return folder, [problems.posted_elsewhere(at, str(folder))]
    return folder, []


class Months(NamedTuple):
    """The bytes of files of closed days, by name below their folder.

    texts      of each month, day by day; those of a compacted one lie in a folder of their own
    inputs     of each month
    compacted  of each compacted month: its sums, by the name of its days
    """

    texts: dict[str, bytes]
    inputs: dict[str, bytes]
    compacted: dict[str, bytes]


def read_months(folder: Path, disk: Disk) -> Months:
    """Return the months of a folder."""
    months = Months({}, {}, {})
    for path in month_files(folder):
        name, data = path.name, disk.read(path)
        if INPUTS_FILE.fullmatch(name):
            months.inputs[name] = data
        elif month_seals.read(data) is None:
            months.texts[name] = data
        else:
            days = f"{DAILY}/{name}"
            months.texts[days], months.compacted[days] = disk.read(folder / days), data
    return months


def walked(months: Months) -> tuple[list[Seal], Broken | None]:
    """Return the seals of all days that hold, and the first place that does not."""
    lost = min((name for name in months.compacted if not months.texts[name]), default="")
    if lost:
        earlier = {
            name: text
            for name, text in months.texts.items()
            if seals.month_of(name) < seals.month_of(lost)
        }
        chain, broken = seals.walk(earlier, months.inputs)
        return chain, broken or _of_month(months, lost, month_seals.lost(lost))
    chain, broken = seals.walk(months.texts, months.inputs)
    if broken is not None:
        return chain, broken
    broken = seals.stray(months.inputs, chain)
    if broken is not None:
        return [seal for seal in chain if seal.date < broken.date], broken
    of_month = {month: list(days) for month, days in groupby(chain, key=lambda seal: seal.date[:7])}
    for name, data in months.compacted.items():
        month = seals.month_of(name)
        lines = months.inputs.get(f"{month}.inputs", b"").splitlines(keepends=True)
        fault = month_seals.fault(data, months.texts[name], of_month.get(month, []), lines)
        if fault is not None:
            before = [seal for seal in chain if seal.date[:7] < month]
            return before, _of_month(months, name, fault)
    return chain, None


def _of_month(months: Months, name: str, why: str) -> Broken:
    """Return the fault of the close of a compacted month."""
    found = month_seals.read(months.compacted[name])
    assert found is not None
    seal, sums = found
    return Broken(seal.date, f"{seals.month_of(name)}.beancount", sums.count(b"\n") + 1, why)


def month_names(folder: Path) -> list[str]:
    """Return the names of the months of a folder, without their .inputs, in order."""
    return [path.name for path in month_files(folder) if MONTH_FILE.fullmatch(path.name)]


def month_files(folder: Path) -> list[Path]:
    """Return the months of a folder, and their .inputs, in order of name."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        path
        for path in paths
        if MONTH_FILE.fullmatch(path.name) or INPUTS_FILE.fullmatch(path.name)
    ]


def chain(ledger: Ledger, folder: Path, disk: Disk) -> list[Problem]:
    """Return the faults of a ledger's closed days, as files."""
    if not enabled(ledger.options):
        return [problems.no_plugin(Source(ledger.path, 1))]
    return edited(folder, disk) or left_out(ledger, folder, month_names(folder))


def edited(folder: Path, disk: Disk) -> list[Problem]:
    """Return the error of the first place at which the chain of closed days is broken."""
    _, broken = walked(read_months(folder, disk))
    return [] if broken is None else [broken_at(folder, broken)]


def broken_at(folder: Path, broken: Broken) -> Problem:
    """Return the error of a chain that is broken in a file of a folder."""
    at = Source(str(folder / broken.file), broken.line)
    return problems.broken_chain(at, broken.date, broken.why)


def left_out(ledger: Ledger, folder: Path, months: Iterable[str]) -> list[Problem]:
    """Return the error of a month file that a ledger does not include, or none.

    months  names of files that are there, or will be
    """
    # A month that is not included would be posted a second time.
    patterns, at = list(_patterns(ledger)), Source(ledger.path, 1)
    here = Path(os.path.normpath(folder.absolute()))
    if not any(Path(pattern).parent == here or "**" in pattern for pattern in patterns):
        return [problems.posted_not_included(at)]
    for pattern in patterns:
        if _matches(here / "2025-05.inputs", pattern):
            return [problems.include_too_wide(at, os.path.relpath(pattern, ledger.folder))]
    return [
        problems.month_not_included(at, f"{provenance.POSTED}/{name}")
        for name in sorted(months)
        if not any(_matches(here / name, pattern) for pattern in patterns)
    ][:1]


def finds_below(path: Path, folder: Path) -> list[Problem]:
    """Return the error of an include line of a top file that finds folders of `posted`, or none.

    The ledger is not loaded.
    """
    file = folder / DAILY / "2025-05.beancount"
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        for pattern in _INCLUDE.findall(line):
            if _matches(file, os.path.normpath(path.parent / pattern)):
                return [problems.include_too_deep(Source(str(path), number), pattern)]
    return []


def _patterns(ledger: Ledger) -> Iterator[str]:
    """Yield the patterns of all include lines, as absolute paths."""
    posted = Path(ledger.folder) / provenance.POSTED
    for name in ledger.options["include"]:
        path = Path(name)
        if path.parent == posted or path.suffix == ".csv" or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        for pattern in _INCLUDE.findall(text):
            yield os.path.normpath(path.parent / pattern)


def _matches(file: Path, pattern: str) -> bool:
    """Tell whether a pattern of an include line finds a file."""
    if "**" in pattern:
        return fnmatch(str(file), pattern.replace("**/", ""))
    return file.match(pattern)
