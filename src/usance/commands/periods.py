"""Periods: the days, the basis and the digits that a report is asked for."""

import datetime
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import click

from usance.books import Books
from usance.commands.messages import report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import DAYS, Command, first_of, last_of
from usance.ledger.load import Ledger
from usance.ledger.questions import NoCurrencyError, NoDayYetError
from usance.model.amounts import decimals
from usance.reports import basis

Asked = tuple[datetime.date | None, datetime.date | None]
"""First and last day of a period, None where it was not asked for."""


def month(text: str) -> Asked:
    """Return the days of a month `YYYY-MM`."""
    if re.fullmatch(r"\d{4}-\d\d", text, re.ASCII):
        return first_of(text), last_of(text)
    raise click.BadParameter(f"{text!r} is not a month. Write it as 2025-05.")


def year(text: str) -> Asked:
    """Return the days of a year `YYYY`."""
    if re.fullmatch(r"\d{4}", text, re.ASCII) and text != "0000":
        return datetime.date(int(text), 1, 1), datetime.date(int(text), 12, 31)
    raise click.BadParameter(f"{text!r} is not a year. Write it as 2025.")


def with_span(command: Command) -> Command:
    """Give a command its period: two dates, a month or a year."""
    for option in (
        click.option("--year", "years", type=year, metavar="YYYY", help="Show a year."),
        click.option("--month", "months", type=month, metavar="YYYY-MM", help="Show a month."),
        click.option(
            "--to",
            "end",
            type=last_of,
            metavar="DATE",
            show_default="the last day of the books",
            help=f"Last day: {DAYS}",
        ),
        click.option(
            "--from",
            "begin",
            type=first_of,
            metavar="DATE",
            show_default="the first day of the books",
            help=f"First day: {DAYS}",
        ),
    ):
        command = option(command)
    return command


def _asked(ways: Sequence[Asked | None]) -> Asked:
    """Return the period that was asked for in one way, or that of all days."""
    found = [way for way in ways if way is not None and way != (None, None)]
    if len(found) > 1:
        raise click.UsageError("Write --month, --year, or --from and --to: one of them.")
    return found[0] if found else (None, None)


class Question(NamedTuple):
    """What a report of a period is asked.

    basis   which truth of closed days
    places  decimals for people, or None for all digits
    """

    books: Books
    from_: datetime.date | None
    to: datetime.date | None
    basis: str
    places: int | None


with_corrected = click.option(
    "--as-corrected",
    "corrected",
    is_flag=True,
    help="Show closed days as they are lived again, not as they were posted.",
)


def basis_of(*, corrected: bool) -> str:
    """Return the basis that a person asks for."""
    return basis.CORRECTED if corrected else basis.POSTED


def with_basis(command: Command) -> Command:
    """Give a command the choice of the basis, and of all digits."""
    exact = click.option("--exact", is_flag=True, help="Show all digits.")
    return with_corrected(exact(command))


def question(
    path: str, asked: Sequence[Asked | None], *, corrected: bool, exact: bool, option: str = "--to"
) -> Question | None:
    """Return what is asked of a ledger, or None, said to the person, if it has no day yet.

    option  names the last day
    """
    books = opened(path)
    begin, end = _asked(asked)
    try:
        books.period(begin, end, option.removeprefix("--"))
    except NoDayYetError as error:
        report(books.ledger)
        click.echo(str(error))
        return None
    except NoCurrencyError as error:
        report(books.ledger, [] if books.errors else [error.problem])
        raise
    tell_of_horizon(books, end, option)
    on = basis_of(corrected=corrected)
    return Question(books, begin, end, on, None if exact else places_of(books.ledger))


def places_of(ledger: Ledger) -> int:
    """Return the decimals of the currency for people: those of `display_precision`, or two."""
    stated: Mapping[str, Decimal] = ledger.options["display_precision"]
    currency = ledger.options["operating_currency"][0]
    return decimals(stated[currency]) if currency in stated else 2
