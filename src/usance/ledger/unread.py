"""Unread: what Beancount could not read, with what to write instead."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from beancount.loader import LoadError
from beancount.parser.grammar import ParserSyntaxError

from usance.language.directive import source_of
from usance.ledger.errors import reported
from usance.model import problems
from usance.model.problems import Source

NO_FILE = re.compile(r'File glob "(.*)" does not match any files', re.DOTALL)
SYNTAX = "syntax error, "


def explained(errors: Iterable[Any], files: Iterable[str]) -> list[Any]:
    """Return errors, with ours in place of Beancount's that name a token, or no line.

    files  of the ledger, the top one first
    """
    return [_explained(error, [*files]) or error for error in errors]


def _explained(error: Any, files: list[str]) -> Any:  # noqa: ANN401
    """Return our error, or None."""
    match error:
        case ParserSyntaxError(source, message) if message.startswith(SYNTAX):
            return reported(
                problems.unreadable_line(source_of(source), message.removeprefix(SYNTAX))
            )
        case LoadError(_, message) if found := NO_FILE.fullmatch(message):
            return reported(problems.nothing_included(_place(found[1], files), found[1]))
    return None


def _place(pattern: str, files: list[str]) -> Source:
    """Return the line that includes a pattern; Beancount does not keep it."""
    line = re.compile(rf'include\s+"{re.escape(pattern)}"')
    for file in files:
        text = Path(file).read_text("utf-8", errors="replace")
        for number, written in enumerate(text.splitlines(), 1):
            if line.match(written):
                return Source(file, number)
    return Source(files[0], 1)
