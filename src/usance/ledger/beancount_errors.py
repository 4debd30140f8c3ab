"""Beancount's errors: those that a person meets first, with what to write instead."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from beancount.core.data import Directives, Open
from beancount.loader import LoadError
from beancount.ops.validation import ValidationError
from beancount.parser.grammar import ParserSyntaxError

from usance.language.directive import source_of
from usance.language.provenance import is_generated
from usance.language.spelling import nearest
from usance.ledger.errors import reported
from usance.model import problems
from usance.model.problems import Problem, Source

SYNTAX = "syntax error, "
NO_FILE = re.compile(r'File glob "(.*)" does not match any files', re.DOTALL)
NOT_OPEN = re.compile(r"Invalid reference to (unknown|inactive) account '(.*)'")
NOT_ZERO = re.compile(r"Transaction does not balance: \((.*)\)")


def explained(errors: Iterable[Any], entries: Directives, files: Iterable[str]) -> list[Any]:
    """Return errors, with ours in place of Beancount's that do not say what to write.

    files  of the ledger, the top one first
    """
    explaining = _Explaining(entries, [*files])
    return [
        error if (problem := explaining.problem(error)) is None else reported(problem)
        for error in errors
    ]


class _Explaining:
    """What Beancount's errors leave out: the accounts that are open, and the text of the files."""

    def __init__(self, entries: Directives, files: list[str]) -> None:
        self.files = files
        opened = [entry.account for entry in entries if isinstance(entry, Open)]
        # A ledger may name one account a thousand times.
        self.like = lru_cache(lambda account: nearest(account, opened, 2))

    def problem(self, error: Any) -> Problem | None:  # noqa: ANN401
        """Return our problem in place of one of Beancount's errors, or None."""
        match error:
            case ParserSyntaxError(source, message) if message.startswith(SYNTAX):
                return problems.unreadable_line(source_of(source), message.removeprefix(SYNTAX))
            case LoadError(_, message) if found := NO_FILE.fullmatch(message):
                return problems.nothing_included(self._place(found[1]), found[1])
            case ValidationError(source, message, entry) if not is_generated(entry):
                if found := NOT_OPEN.fullmatch(message):
                    at, date = source_of(source), entry.date.isoformat()
                    if found[1] == "inactive":
                        return problems.not_open_then(at, found[2], date)
                    return problems.never_opened(at, found[2], date, self.like(found[2]))
                if found := NOT_ZERO.fullmatch(message):
                    return problems.unbalanced(source_of(source), found[1])
        return None

    def _place(self, pattern: str) -> Source:
        """Return the line that includes a pattern; Beancount does not keep it."""
        line = re.compile(rf'include\s+"{re.escape(pattern)}"')
        for file in self.files:
            text = Path(file).read_text("utf-8", errors="replace")
            for number, written in enumerate(text.splitlines(), 1):
                if line.match(written):
                    return Source(file, number)
        return Source(self.files[0], 1)
