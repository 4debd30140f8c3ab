"""`usance accounts`: a balance sheet for each sub-account, or their values over time."""

import datetime
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal

import click

from usance.commands.messages import loaded, placed, report, show
from usance.commands.options import last_day, with_at, with_format, with_ledger, with_list
from usance.commands.periods import basis_of, places_of, with_corrected
from usance.commands.tables import as_json, blocks, comma_separated, table
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.hours import Day, date_of
from usance.model.problems import Problem, Source
from usance.reports import balance_sheets as reports
from usance.reports import statement as statement_reports
from usance.reports.balance_sheets import Sheet
from usance.reports.figures import Figures, as_summed, for_the_eye

EVERY = ("day", "week", "month")

COLUMNS = {
    "accounts": ("account", "commodity", "number"),
    "net_asset_values": ("net_asset_value",),
    "residuals": ("commodity", "number"),
}
"""The lists of balance sheets, and what each says of a sub-account."""


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
@with_list(*COLUMNS)
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
    ledger = loaded(path)
    reading = ledger.read()
    last = last_day(ledger, reading, at, "--at")
    if not ledger.options["operating_currency"]:
        report(ledger)
        show([placed(problems.no_operating_currency(Source(ledger.path, 1)))], sys.stderr)
        sys.exit(1)
    on = basis_of(corrected=corrected)
    if every is not None:
        missing = _series(ledger, reading, last, every, on, form)
    else:
        missing = _sheets(ledger, reading, date_of(last), on, form, listed, at_cost=at_cost)
    report(ledger, missing)


def _sheets(
    ledger: Ledger,
    reading: Reading,
    day: datetime.date,
    on: str,
    form: str,
    listed: str,
    *,
    at_cost: bool,
) -> Iterable[Problem]:
    """Show the balance sheets of a day; return a problem for each missing price."""
    sheets, missing = reports.sheets(ledger, reading, day, on, at_cost=at_cost)
    match form:
        case "json":
            click.echo(as_json(reports.accounts(day, on, sheets)), nl=False)
        case "csv":
            columns, rows = _listed(sheets, day, listed)
            click.echo(comma_separated(columns, rows), nl=False)
        case _:
            _show_sheets(ledger, reading, day, on, sheets, at_cost=at_cost)
    return missing


def _listed(
    sheets: Iterable[Sheet], day: datetime.date, listed: str
) -> tuple[list[str], list[list[str | None]]]:
    """Return a list of the balance sheets as a flat table: columns, and the cells of each row."""
    rows: list[list[str | None]] = []
    for sheet in sheets:
        of_sheet = [sheet.name, sheet.venue]
        match listed:
            case "net_asset_values":
                rows.append([*of_sheet, as_summed(sheet.value)])
            case "residuals":
                left = sheet.residual.items()
                rows += [[*of_sheet, coin, format(number, "f")] for coin, number in left]
            case _:
                rows += [
                    [*of_sheet, account, coin, format(number, "f")]
                    for account, units in sheet.accounts.items()
                    for coin, number in units.items()
                ]
    columns = ["sub_account", "venue", *COLUMNS[listed], "at"]
    return columns, [[*row, day.isoformat()] for row in rows]


def _show_sheets(
    ledger: Ledger,
    reading: Reading,
    day: datetime.date,
    on: str,
    sheets: list[Sheet],
    *,
    at_cost: bool,
) -> None:
    currency = ledger.options["operating_currency"][0]
    valued = f"at cost, as {on}" if at_cost else f"at fair value, as {on}"
    for sheet in sheets:
        title = f"{sheet.name} at {sheet.venue}, end of {day}, {valued}"
        rows = reports.sheet_rows(sheet, reading.chart)
        click.echo(table(title, ["Account", "Units ", "", f"{currency} "], rows))
    whole = reports.net_asset_value(sheets)
    rows = reports.total_rows(sheets, reading.chart, whole)
    click.echo(table("All sub-accounts", ["", f"{currency} "], rows), nl=False)


def _series(
    ledger: Ledger, reading: Reading, last: Day, every: str, on: str, form: str
) -> Iterable[Problem]:
    """Show net asset values over time; return a problem for each missing price."""
    span = reading.book.first or last, last
    answer, missing = statement_reports.values(ledger, reading, span, every, on)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = ("date", "sub_account", "venue", "net_asset_value")
            cells = [[row[column] for column in columns] for row in answer["rows"]]
            click.echo(comma_separated(columns, cells), nl=False)
        case _:
            _show_series(answer, places_of(ledger))
    return missing


def _show_series(answer: Figures, places: int) -> None:
    """Show a column of values for each sub-account, with a line of blocks above it."""
    columns: dict[str, list[str | None]] = {}
    for row in answer["rows"]:
        columns.setdefault(row["sub_account"], []).append(row["net_asset_value"])
    dates = list(dict.fromkeys(row["date"] for row in answer["rows"]))
    names = {name: name or "All" for name in columns}
    title = f"Net asset value, every {answer['every']}, {answer['currency']}, as {answer['basis']}"
    if len(dates) > 1:
        drawn = [(names[name], blocks(_numbers(values))) for name, values in columns.items()]
        click.echo(table(title, ["", f"{dates[0]} to {dates[-1]}"], drawn))
        title = ""
    rows = [
        [date, *(for_the_eye(values[index], places) for values in columns.values())]
        for index, date in enumerate(dates)
    ]
    click.echo(table(title, ["Date", *(f"{name} " for name in names.values())], rows), nl=False)


def _numbers(values: Sequence[str | None]) -> list[Decimal | None]:
    return [None if value is None else Decimal(value) for value in values]
