"""`usance statement`: what a period did to the value of each sub-account, and of the whole."""

import datetime

import click

from usance.commands.messages import report
from usance.commands.options import with_ledger
from usance.commands.periods import Asked, question, with_basis, with_span
from usance.commands.tables import as_json, flat_table, table
from usance.reports import statement as statement_reports
from usance.reports import statement_page
from usance.reports.figures import for_the_eye
from usance.reports.statement import Statement, StatementPart


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
@with_basis
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
    asked = question(path, [(begin, end), months, years], corrected=corrected, exact=exact)
    if asked is None:
        return
    books, begin, end, basis, places = asked
    answer = books.statement(begin, end, by=by, basis=basis, sub_account=name)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(statement_reports.COLUMNS, answer.rows_as_dicts()), nl=False)
        case "html":
            finer = books.statement(
                begin, end, by=statement_page.drawn_by(answer), basis=basis, sub_account=name
            )
            click.echo(statement_page.page(answer, finer.parts[-1].periods, places), nl=False)
        case _:
            for part in answer.parts:
                _show(part, answer, places)
    report(books.ledger, answer.problems)


def _show(part: StatementPart, answer: Statement, places: int | None) -> None:
    """Show the statement of a part: a row for each line, a column for each interval."""
    title = statement_reports.title(part, answer)
    heads, rows = statement_reports.rows(part)
    if rows is None:
        click.echo(f"{title}\n\n  cannot be priced\n")
        return
    cells = [(label, *(for_the_eye(cell, places) for cell in row)) for label, row in rows]
    click.echo(table(title, ["", *(f"{head} " for head in heads)], cells))
