"""Own files: the files that a person wrote of a ledger, parsed.

They are the top file and what it includes, without the months that are imported and the days that
are closed. A text that cannot be parsed is refused, since terms in it would be left out.
"""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core.data import Directive
from beancount.parser import parser
from beancount.utils import encryption

from usance.feeding.downloads import IMPORTED, RefusedError
from usance.language.directive import source_of
from usance.language.provenance import POSTED
from usance.model.problems import Source


def parsed(top: Path) -> tuple[list[Directive], dict[str, Any]]:
    """Return the directives of a ledger as parsed, in order of file and line, and its options."""
    entries: list[Directive] = []
    options: list[dict[str, Any]] = []
    waiting, seen = [str(top)], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        found, said = _file(name)
        entries += found
        options.append(said)
        for pattern in said["include"]:
            waiting += _included(top.parent, name, pattern)
    return entries, loader.aggregate_options_map(options[0], options[1:])


def _file(name: str) -> tuple[Sequence[Directive], dict[str, Any]]:
    if encryption.is_encrypted_file(name):
        text = encryption.read_encrypted_file(name)
        entries, errors, options = parser.parse_string(text, report_filename=name)
    else:
        entries, errors, options = parser.parse_file(name)
    if errors:
        text = f"{errors[0].message}. Correct the line"
        raise RefusedError(told(source_of(errors[0].source), text))
    return entries, options


def _included(folder: Path, name: str, pattern: str) -> list[str]:
    """Return the files that an include line finds, without those that commands of ours write."""
    where = os.path.normpath(Path(name).parent / pattern)
    # As Beancount finds them.
    found = sorted(map(os.path.normpath, glob.glob(where, recursive=True)))  # noqa: PTH207
    if not found and not _is_written_by_us(folder, where):
        remedy = "Correct the include line, or put the file there"
        raise RefusedError(f'{name}: include "{pattern}" finds no file. {remedy}.')
    return [path for path in found if not _is_written_by_us(folder, path)]


def _is_written_by_us(folder: Path, path: str) -> bool:
    return any(Path(path).is_relative_to(folder / ours) for ours in (IMPORTED, POSTED))


def told(source: Source, message: str) -> str:
    """Return a fault with its place, as one line."""
    text = " ".join(message.split())
    return f"{source.file}:{source.line}: {text}" + ("" if text.endswith(".") else ".")
