"""Folder: the files of closed days beside a ledger, and whether their chain holds."""

import os
import re
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


def has_months(folder: Path) -> bool:
    """Tell whether a folder holds closed days."""
    return any(MONTH_FILE.fullmatch(path.name) for path in month_files(folder))


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
    _, broken = seals.walk(*read_months(folder, disk))
    if broken is not None:
        return [broken_at(folder, broken)]
    return astray(ledger, folder)


def broken_at(folder: Path, broken: Broken) -> Problem:
    """Return the error of a chain that is broken in a file of a folder."""
    at = Source(str(folder / broken.file), broken.line)
    return problems.broken_chain(at, broken.date, broken.why)


def astray(ledger: Ledger, folder: Path) -> list[Problem]:
    """Return the faults of closed days that are not included."""
    if not _includes(ledger, folder):
        return [problems.posted_not_included(Source(ledger.path, 1))]
    return []


def _includes(ledger: Ledger, folder: Path) -> bool:
    """Tell whether the ledger includes each month file, present and future."""
    here = Path(os.path.normpath(folder.absolute()))
    for name in ledger.options["include"]:
        path = Path(name)
        if path.parent == here or path.suffix == ".csv" or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        for pattern in re.findall(r'^include\s+"([^"\n]*)"', text, re.MULTILINE):
            wanted = os.path.normpath(path.parent / pattern).replace("**/", "")
            if fnmatch(str(here / "2025-05.beancount"), wanted):
                return True
    return False
