"""Provenance: who wrote a directive, a person, the plugins or `usance accrue`."""

import re
from pathlib import Path

from beancount.core.data import (
    Directive,
    Transaction,
)

GENERATED = "(usance)"
"""File name of generated directives. It names no file: Fava's export then prints the directive.

Beancount's custom is a name in angle brackets; Fava's export of the whole ledger then fails.
"""


DAY_CLOSE = "day-close"


DAY_CORRECT = "day-correct"


def has_id(entry: Transaction) -> bool:
    """Tell whether a transaction has an id of ours: `usance accrue` or the plugins wrote it."""
    return "usance" in entry.meta and "usance" in entry.tags


def is_generated(entry: Directive) -> bool:
    """Tell whether the plugins generated a directive on this load."""
    return bool(entry.meta.get("filename") == GENERATED)


MONTH_FILE = re.compile(r"\d{4}-\d{2}\.beancount", re.ASCII)


INPUTS_FILE = re.compile(r"\d{4}-\d{2}\.inputs", re.ASCII)


POSTED = "posted"
"""The folder of closed days, beside the ledger."""


class ClosedMonths:
    """Tells which directives of a ledger stand in the months of closed days beside it.

    Text of a person may have the form of a closed day; only its place tells them apart.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder) / POSTED
        self._files: dict[str, bool] = {}

    def hold(self, entry: Directive) -> bool:
        """Tell whether a directive stands in such a month."""
        file = str(entry.meta.get("filename"))
        if file not in self._files:
            path = Path(file)
            here = path.parent == self.folder
            self._files[file] = here and MONTH_FILE.fullmatch(path.name) is not None
        return self._files[file]

    def wrote(self, entry: Directive) -> bool:
        """Tell whether a directive is a transaction of a closed day."""
        return isinstance(entry, Transaction) and has_id(entry) and self.hold(entry)
