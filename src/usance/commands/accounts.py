"""`usance accounts`: a balance sheet for each sub-account, or their values over time."""

import datetime
from collections.abc import Iterable
from decimal import Decimal

import click

from usance.books import Books
from usance.commands.messages import report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import with_at, with_format, with_ledger, with_list
from usance.commands.periods import basis_of, places_of, with_corrected
from usance.commands.tables import as_json, blocks, flat_table, table
from usance.ledger.questions import NoCurrencyError
from usance.model.problems import Problem
from usance.reports import balance_sheets, statement
from usance.reports.balance_sheets import Accounts
from usance.reports.figures import for_the_eye
from usance.reports.statement import Values

EVERY = ("day", "week", "month")


@click.command(short_help="Show a balance sheet for each sub-account, and the total")
@with_ledger
@with_at
@click.option("--at-cost", is_flag=True, help="Value lots at their booked cost.")
@click.option(
    "--every",
    type=click.Choice(EVERY),
    help="Show net asset values over time instead, from the first day on.",
)
@with_corrected
@with_list(*balance_sheets.LISTS)
@with_format
def accounts(
    path: str,
    at: datetime.date | None,
    at_cost: bool,
    every: str | None,
    corrected: bool,
    listed: str,
    form: str,
) -> None:
    """Show a balance sheet for each sub-account, and the net asset value of all.

    \b
    Examples:
      usance accounts books/main.beancount
      usance accounts books/main.beancount --at 2025-05-31 --format json
      usance accounts books/main.beancount --every month
    """
    if every is not None and at_cost:
        raise click.UsageError("--every shows fair values. Leave out --at-cost.")
    books = opened(path)
    on = basis_of(corrected=corrected)
    try:
        if every is not None:
            missing = _series(books, at, every, on, form)
        else:
            missing = _sheets(books, at, on, form, listed, at_cost=at_cost)
    except NoCurrencyError as error:
        report(books.ledger, [] if books.errors else [error.problem])
        raise
    tell_of_horizon(books, at, "--at")
    report(books.ledger, missing)


def _sheets(
    books: Books, at: datetime.date | None, on: str, form: str, listed: str, *, at_cost: bool
) -> Iterable[Problem]:
    """Show the balance sheets of a day; return a problem for each missing price."""
    answer = books.accounts(at, basis=on, at_cost=at_cost)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = balance_sheets.LISTS[listed]
            click.echo(flat_table(columns, answer.rows_as_dicts(listed)), nl=False)
        case _:
            _show_sheets(books, answer, "at cost" if at_cost else "at fair value")
    return answer.problems


def _show_sheets(books: Books, answer: Accounts, valued: str) -> None:
    chart = books.reading.chart
    for sheet in answer.sub_accounts:
        title = f"{sheet.name} at {sheet.venue}, end of {answer.at}, {valued}, as {answer.basis}"
        rows = balance_sheets.sheet_rows(sheet, chart)
        click.echo(table(title, ["Account", "Units ", "", f"{books.operating} "], rows))
    rows = balance_sheets.total_rows(answer, chart)
    click.echo(table("All sub-accounts", ["", f"{books.operating} "], rows), nl=False)


def _series(
    books: Books, at: datetime.date | None, every: str, on: str, form: str
) -> Iterable[Problem]:
    """Show net asset values over time; return a problem for each missing price."""
    answer = books.values(every, at, basis=on)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(statement.VALUE, answer.rows_as_dicts()), nl=False)
        case _:
            _show_series(answer, places_of(books.ledger))
    return answer.problems


def _show_series(answer: Values, places: int) -> None:
    """Show a column of values for each sub-account, with a line of blocks above it."""
    columns: dict[str, list[Decimal | None]] = {}
    for row in answer.rows:
        columns.setdefault(row.sub_account, []).append(row.net_asset_value)
    dates = list(dict.fromkeys(f"{row.date}" for row in answer.rows))
    names = {name: name or "All" for name in columns}
    title = f"Net asset value, every {answer.every}, {answer.currency}, as {answer.basis}"
    if len(dates) > 1:
        drawn = [(names[name], blocks(values)) for name, values in columns.items()]
        click.echo(table(title, ["", f"{dates[0]} to {dates[-1]}"], drawn))
        title = ""
    rows = [
        [date, *(for_the_eye(values[index], places) for values in columns.values())]
        for index, date in enumerate(dates)
    ]
    click.echo(table(title, ["Date", *(f"{name} " for name in names.values())], rows), nl=False)
