"""Errors: the problems of a ledger, in the form in which Beancount and Fava list them."""

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
