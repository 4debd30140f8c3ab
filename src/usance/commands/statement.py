"""`usance statement`: what a period did to the value of each sub-account, and of the whole."""

import datetime
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import click

from usance.commands.messages import loaded, placed, report, show
from usance.commands.options import Asked, span_of, with_ledger, with_span
from usance.commands.tables import as_json, comma_separated, table
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.amounts import decimals
from usance.model.hours import iso
from usance.model.problems import Source
from usance.reports import basis, statement_page
from usance.reports import statement as statement_reports
from usance.reports.figures import Figures, for_the_eye

COLUMNS = (
    "name",
    "venue",
    "kind",
    "from",
    "to",
    "line",
    "about",
    "amount",
    "realised",
    "unrealised",
)
"""The columns of the CSV; `line` is also opening, closing and difference."""


@click.command(short_help="Show what a period did to the value of everything")
@with_ledger
@with_span
@click.option(
    "--sub-account",
    "name",
    metavar="NAME",
    show_default="all, and the whole",
    help="Show only this sub-account, or product of bills.",
)
@click.option(
    "--by",
    type=click.Choice(statement_reports.INTERVALS),
    help="Show a column for each interval, and their total.",
)
@click.option(
    "--as-corrected",
    "corrected",
    is_flag=True,
    help="Show closed days as they are lived again, not as they were posted.",
)
@click.option("--exact", is_flag=True, help="Show all digits.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "html"]),
    default="table",
    show_default=True,
    help="A table, or a page to print; CSV or JSON for programs.",
)
def statement(
    path: str,
    begin: datetime.date | None,
    end: datetime.date | None,
    months: Asked | None,
    years: Asked | None,
    name: str | None,
    by: str | None,
    corrected: bool,
    exact: bool,
    form: str,
) -> None:
    """Show what a period did to the value of each sub-account, each product, and the whole.

    Everything is valued in the operating currency, each day at that day's prices. Each line is
    computed by itself, so the difference of opening, lines and closing is zero.

    \b
    Examples:
      usance statement books/main.beancount --month 2025-05
      usance statement books/main.beancount --year 2025 --by quarter
      usance statement books/main.beancount --month 2025-05 --format html > may.html
    """
    ledger = loaded(path)
    reading = ledger.read()
    if not ledger.options["operating_currency"]:
        report(ledger)
        show([placed(problems.no_operating_currency(Source(ledger.path, 1)))], sys.stderr)
        sys.exit(1)
    span = span_of([(begin, end), months, years], reading)
    if span is None:
        report(ledger)
        click.echo("No transaction stands in these books yet: there is nothing to state.")
        return
    on = basis.CORRECTED if corrected else basis.POSTED
    answer, missing = statement_reports.statement(ledger, reading, span, by, on)
    if name is not None:
        answer["parts"] = _only(answer["parts"], name)
    if span[1] > reading.last:
        click.echo(
            f"The books run to {iso(reading.last)}. The days after it are computed with the terms "
            "and prices that are in force then.",
            err=True,
        )
    places = None if exact else _places(ledger, answer["currency"])
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(comma_separated(COLUMNS, _flat(answer["parts"])), nl=False)
        case "html":
            values = statement_reports.series(ledger, reading, span, on, name)
            click.echo(statement_page.page(answer, values, places), nl=False)
        case _:
            for part in answer["parts"]:
                _show(part, answer, places)
    report(ledger, missing)


def _only(parts: Sequence[Figures], name: str) -> list[Figures]:
    found = [part for part in parts if part["name"] == name and part["kind"] != "whole"]
    if not found:
        names = ", ".join(part["name"] for part in parts if part["kind"] != "whole")
        raise click.UsageError(
            f"--sub-account {name}: there is none of this name. Write one of: {names}."
        )
    return found


def _places(ledger: Ledger, currency: str) -> int:
    """Return the decimals of a currency for people: those of `display_precision`, or two."""
    stated: Mapping[str, Decimal] = ledger.options["display_precision"]
    return decimals(stated[currency]) if currency in stated else 2


def _flat(parts: Sequence[Figures]) -> Iterator[list[str | None]]:
    for part in parts:
        for period in part["periods"]:
            head = [part["name"], part["venue"], part["kind"], period["from"], period["to"]]
            yield [*head, "opening", "", period["opening"], None, None]
            for row in period["lines"] or ():
                results = [row.get("realised"), row.get("unrealised")]
                yield [*head, row["line"], row["name"], row["amount"], *results]
            yield [*head, "closing", "", period["closing"], None, None]
            yield [*head, "difference", "", period["difference"], None, None]


def _show(part: Figures, answer: Figures, places: int | None) -> None:
    """Show the statement of a part: a row for each line, a column for each interval."""
    title = statement_reports.title(part, answer)
    heads, rows = statement_reports.rows(part)
    if rows is None:
        click.echo(f"{title}\n\n  cannot be priced\n")
        return
    cells = [(label, *(for_the_eye(cell, places) for cell in row)) for label, row in rows]
    click.echo(table(title, ["", *(f"{head} " for head in heads)], cells))
