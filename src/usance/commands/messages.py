"""Messages: our problems and Beancount's errors, as `file:line: message`."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NoReturn

import click
from beancount.core.data import BeancountError

from usance.language.provenance import POSTED
from usance.ledger.errors import Message, told, told_of
from usance.ledger.load import Ledger, load
from usance.ledger.plugin_lines import enabled
from usance.model.problems import Problem

Place = dict[str, Any]
"""A file, a line and a message, as `usance check --format json` shows them."""


def loaded(path: str) -> Ledger:
    """Load a ledger for a report; exit 1 if no plugin line puts its terms to use."""
    ledger = load(path)
    if not enabled(ledger.options) and ledger.errors:
        # Each figure would be a zero that nobody computed.
        report(ledger)
    return ledger


def report(ledger: Ledger, missing: Iterable[Problem] = ()) -> None:
    """Print the errors and findings behind a report; exit 1 if there is an error.

    missing   problems that the report itself met, such as a missing price
    """
    errors = [*map(located, ledger.errors)]
    errors += [place for place in map(placed, missing) if place not in errors]
    show([*errors, *map(located, ledger.findings)], sys.stderr)
    if errors:
        sys.exit(1)


class RefusedRun(click.ClickException):
    """A run that writes nothing: it prints why, and exits 1."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = [*places]
        super().__init__("Nothing was written.")

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reasons, one on each line."""
        show(self.places, file or sys.stderr)
        click.echo(self.message, file=file, err=True)


def refuse(places: Iterable[Place]) -> NoReturn:
    """Print why nothing was written, and exit 1."""
    raise RefusedRun(places)


def located(error: BeancountError) -> Place:
    """Return the place and text of one of Beancount's errors."""
    return _place(told(error))


def placed(problem: Problem) -> Place:
    """Return the place and text of a problem."""
    return _place(told_of(problem))


def near(file: str) -> str:
    """Return the path of a file, relative to the current folder if it is below it."""
    return file.removeprefix(f"{Path.cwd()}{os.sep}")


def _place(message: Message) -> Place:
    return {"file": near(message.file), "line": message.line, "message": message.message}


def show(places: Iterable[Place], stream: IO[Any]) -> None:
    """Print places, one on each line."""
    for place in places:
        click.echo(line_of(place), file=stream)


def line_of(place: Place) -> str:
    """Return a place as one line."""
    return f"{place['file']}:{place['line']}: {place['message']}"


def beside(path: str, name: str) -> str:
    """Return the path of a file of closed days, relative to the same folder as the ledger's."""
    return str(Path(path).parent / POSTED / name)
