"""Errors: the problems of a ledger, in the form in which Beancount and Fava list them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from beancount.core.data import BeancountError, Directive

from usance.language.provenance import GENERATED, ClosedMonths
from usance.model.problems import Kind, Problem


class UsanceError(NamedTuple):
    """A fault of the text, in Beancount's form of an error."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


class UsanceChange(NamedTuple):
    """A change of a closed day, in Beancount's form of an error: one until it is corrected."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


class UsanceFinding(NamedTuple):
    """A fact about an account, in Beancount's form of an error."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


@dataclass(frozen=True, slots=True)
class Message:
    """What is told of a line of a ledger: an error, a finding, a doubt or a note, on one line.

    file  with its folder; line 0 if it is of none
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the message as `usance check` prints it, with its place."""
        return f"{self.file}:{self.line}: {self.message}"


def told(error: BeancountError) -> Message:
    """Return the message of an error in Beancount's form."""
    source = error.source or {}
    text = str(error.message)
    head, trace, _ = text.partition("Traceback (most recent call last)")
    if trace:
        # Beancount caught an exception in a plugin. Its last line says why.
        text = f"{head} {text.strip().splitlines()[-1].strip()}"
    return _message(str(source.get("filename", "")), source.get("lineno", 0), text)


def told_of(problem: Problem) -> Message:
    """Return the message of a problem."""
    word = "finding: " if problem.finding else "doubt: " if problem.kind is Kind.DOUBT else ""
    return _message(problem.source.file, problem.source.line, f"{word}{problem.message}")


def _message(file: str, line: int, text: str) -> Message:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return Message(file, line, shown)


def reported(problem: Problem) -> UsanceError | UsanceChange | UsanceFinding:
    """Return a problem in Beancount's form of an error."""
    source = {"filename": problem.source.file, "lineno": problem.source.line}
    if problem.finding:
        return UsanceFinding(source, f"finding: {problem.message}", None)
    if problem.kind is Kind.CHANGE:
        return UsanceChange(source, problem.message, None)
    return UsanceError(source, problem.message, None)


BEANCOUNT = ("beancount.loader", "beancount.parser.", "beancount.ops.")
"""Modules of the errors of Beancount itself, and of nobody's plugin."""


def is_of_other_plugin(error: BeancountError, months: ClosedMonths) -> bool:
    """Tell whether somebody else's plugin reports a transaction that Usance generated or posted."""
    # No person can write such a transaction in another way. So it must not stop the closing of
    # days, or it would stop it for good.
    if isinstance(error, UsanceError | UsanceChange | UsanceFinding):
        return False
    source = error.source or {}
    ours = source.get("filename") == GENERATED or months.hold(source)
    return ours and not type(error).__module__.startswith(BEANCOUNT)
