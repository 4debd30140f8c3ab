"""Provenance: who wrote a directive, a person, a plugin or `usance accrue`."""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beancount.core.data import (
    Balance,
    Directive,
    Posting,
    Price,
    Transaction,
)
from beancount.utils import encryption

GENERATED = "(usance)"
"""File name of generated directives. It names no file: Fava's export then prints the directive.

Beancount's custom is a name in angle brackets; Fava's export of the whole ledger then fails.
"""


DAY_CLOSE = "day-close"


DAY_CORRECT = "day-correct"


MONTH_CLOSE = "month-close"


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


DAILY = "daily"
"""The folder in it of the days of compacted months, which no ledger includes."""


IMPORTED = "imported"
"""The folder of what is imported, beside the ledger."""


class ClosedMonths:
    """Tells which directives of a ledger stand in the months of closed days beside it.

    Text of a person may have the form of a closed day; only its place tells them apart.
    """

    def __init__(self, folder: str, *, daily: bool = True) -> None:
        """Take the folder of a ledger; `daily`: its compacted months may be there as days too."""
        posted = Path(folder) / POSTED
        self.folders = (posted, posted / DAILY) if daily else (posted,)
        self._files: dict[str, bool] = {}

    def hold(self, meta: Mapping[str, Any]) -> bool:
        """Tell whether a directive, or the source of an error, stands in such a month."""
        file = str(meta.get("filename"))
        if file not in self._files:
            path = Path(file)
            here = path.parent in self.folders
            self._files[file] = here and MONTH_FILE.fullmatch(path.name) is not None
        return self._files[file]

    def wrote(self, entry: Directive) -> bool:
        """Tell whether a directive is a transaction of a closed day."""
        return isinstance(entry, Transaction) and has_id(entry) and self.hold(entry.meta)


_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


def follows_others(options: Mapping[str, Any]) -> bool:
    """Tell whether a plugin of somebody else runs before the last of our plugin lines."""
    ours = [name.partition(".")[0] == "usance" for name, _ in options["plugin"]]
    while ours and not ours[-1]:
        ours.pop()
    return not all(ours)


def is_added(posting: Posting) -> bool:
    """Tell whether a plugin added a posting: only a parser gives it a line."""
    return not posting.meta or "lineno" not in posting.meta


class Text:
    """The lines of a ledger's files: they tell what a person wrote from what a plugin made.

    What a plugin makes says that it stands somewhere too: where the directive stands that it is
    made from, or at a place that is none.
    """

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def has_price(self, entry: Price) -> bool:
        """Tell whether a price stands at its place."""
        words = self._words(entry)
        return (
            len(words) == 4
            and words[1] == "price"
            and words[2] == entry.currency
            and entry.amount.currency in words[3]
            and _is_date(words[0], entry.date)
        )

    def has_balance(self, entry: Balance) -> bool:
        """Tell whether a balance stands at its place; in a text that is no file, it does."""
        words = self._words(entry)
        other = len(words) > 1 and words[1] != "balance" and _DATE.fullmatch(words[0])
        return bool(entry.meta["lineno"]) and not other

    def _words(self, entry: Directive) -> list[str]:
        """Return the first three words of the line at which a directive stands, and the rest."""
        name, number = str(entry.meta.get("filename")), entry.meta["lineno"]
        if name not in self._files:
            try:
                encrypted = encryption.is_encrypted_file(name)
                read = encryption.read_encrypted_file if encrypted else _plain
                self._files[name] = read(name).split("\n")
            except (OSError, ValueError):
                self._files[name] = []
        lines = self._files[name]
        return lines[number - 1].split(None, 3) if 0 < number <= len(lines) else []


def _plain(name: str) -> str:
    # Read as bytes: only a line feed ends a line for Beancount.
    return Path(name).read_bytes().decode("utf-8", "replace")


def _is_date(word: str, date: datetime.date) -> bool:
    """Tell whether a word writes a date, which Beancount reads in several forms."""
    if word == date.isoformat():
        return True
    match = _DATE.fullmatch(word)
    return match is not None and tuple(map(int, match.groups())) == date.timetuple()[:3]
