"""Periods: the days, the basis and the digits that a report is asked for."""

import datetime
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import click

from usance.commands.messages import loaded, placed, report, show
from usance.commands.options import (
    DAYS,
    Command,
    first_of,
    last_day,
    last_of,
    near_the_books,
)
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.amounts import decimals
from usance.model.hours import Day, date_of, day_of
from usance.model.problems import Source
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


def _span(
    asked: Sequence[Asked | None], ledger: Ledger, reading: Reading, option: str
) -> tuple[Day, Day] | None:
    """Return the period that was asked for in one way, or all days; None if the books have none."""
    ways = [way for way in asked if way is not None and way != (None, None)]
    if len(ways) > 1:
        raise click.UsageError("Write --month, --year, or --from and --to: one of them.")
    begin, end = ways[0] if ways else (None, None)
    if reading.book.first is None or not reading.last:
        return None
    near_the_books(begin, reading.last, "--from")
    first = reading.book.first if begin is None else day_of(begin)
    last = last_day(ledger, reading, end, option)
    if first > last:
        raise click.UsageError(
            f"The period would begin on {date_of(first)} and end on {date_of(last)}. Write a first "
            "day that is not after the last one."
        )
    return first, last


class Question(NamedTuple):
    """What a report of a period is asked.

    basis   which truth of closed days
    places  decimals for people, or None for all digits
    """

    ledger: Ledger
    reading: Reading
    span: tuple[Day, Day]
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
    ledger = loaded(path)
    reading = ledger.read()
    if not ledger.options["operating_currency"]:
        report(ledger)
        show([placed(problems.no_operating_currency(Source(ledger.path, 1)))], sys.stderr)
        sys.exit(1)
    span = _span(asked, ledger, reading, option)
    if span is None:
        report(ledger)
        click.echo("No transaction stands in these books yet: there is nothing to show.")
        return None
    on = basis_of(corrected=corrected)
    return Question(ledger, reading, span, on, None if exact else places_of(ledger))


def places_of(ledger: Ledger) -> int:
    """Return the decimals of the currency for people: those of `display_precision`, or two."""
    stated: Mapping[str, Decimal] = ledger.options["display_precision"]
    currency = ledger.options["operating_currency"][0]
    return decimals(stated[currency]) if currency in stated else 2


def must_be_one_of(names: Collection[str], name: str | None) -> None:
    """Refuse a name of nothing."""
    if name is not None and name not in names:
        raise click.UsageError(
            f"--sub-account {name}: there is none of this name. Write one of: {', '.join(names)}."
        )
