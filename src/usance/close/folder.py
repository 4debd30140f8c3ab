"""Folder: the files of closed days beside a ledger, and whether their chain holds."""

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from usance.close import seals
from usance.close.seals import Broken
from usance.language import provenance
from usance.language.provenance import INPUTS_FILE, MONTH_FILE
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


def read_months(folder: Path, disk: Disk) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the months of a folder, and their .inputs, by file name."""
    paths = month_files(folder)
    months, inputs = (
        {path.name: disk.read(path) for path in paths if kind.fullmatch(path.name)}
        for kind in (MONTH_FILE, INPUTS_FILE)
    )
    return months, inputs


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
    months, inputs = read_months(folder, disk)
    closed, broken = seals.walk(months, inputs)
    broken = broken or seals.stray(inputs, closed)
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


def finds_reopened(path: Path, folder: Path) -> list[Problem]:
    """Return the error of an include line of a top file that would find reopened days, or none.

    The ledger is not loaded.
    """
    file = folder / "reopened" / "2025-05.beancount"
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        for pattern in _INCLUDE.findall(line):
            if "**" in pattern and _matches(file, os.path.normpath(path.parent / pattern)):
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
