"""`usance accounts`: a balance sheet for each sub-account."""

import datetime
import sys

import click

from usance.commands.messages import loaded, placed, report, show
from usance.commands.options import (
    with_at,
    with_format,
    with_ledger,
    within_books,
)
from usance.commands.tables import as_json, comma_separated, table
from usance.model import problems
from usance.model.hours import Day, date_of
from usance.model.problems import Source
from usance.reports import balance_sheets as reports


@click.command(short_help="Show a balance sheet for each sub-account, and the total")
@with_ledger
@with_at
@click.option("--at-cost", is_flag=True, help="Value lots at their booked cost.")
@with_format
def accounts(path: str, at: datetime.date | None, at_cost: bool, form: str) -> None:
    """Show a balance sheet for each sub-account, and the net asset value of all.

    \b
    Examples:
      usance accounts books/main.beancount
      usance accounts books/main.beancount --at 2025-05-31 --format json
    """
    ledger = loaded(path)
    reading = ledger.read()
    within_books(at, reading.last, "--at")
    day = at or date_of(max(Day(1), reading.last))
    if not ledger.options["operating_currency"]:
        report(ledger)
        show([placed(problems.no_operating_currency(Source(ledger.path, 1)))], sys.stderr)
        sys.exit(1)
    sheets, missing = reports.sheets(ledger, reading, day, at_cost=at_cost)
    total = reports.net_asset_value(sheets)
    match form:
        case "json":
            click.echo(as_json(reports.accounts(day, sheets)), nl=False)
        case "csv":
            rows = [
                (sheet.name, sheet.venue, account, coin, format(number, "f"))
                for sheet in sheets
                for account, units in sheet.accounts.items()
                for coin, number in units.items()
            ]
            click.echo(
                comma_separated(["sub_account", "venue", "account", "commodity", "number"], rows),
                nl=False,
            )
        case _:
            currency = ledger.options["operating_currency"][0]
            basis = "at cost" if at_cost else "at fair value"
            for sheet in sheets:
                title = f"{sheet.name} at {sheet.venue}, end of {day}, {basis}"
                click.echo(
                    table(
                        title,
                        ["Account", "Units ", "", f"{currency} "],
                        reports.sheet_rows(sheet, reading.chart),
                    )
                )
            click.echo(
                table(
                    "All sub-accounts",
                    ["", f"{currency} "],
                    reports.total_rows(sheets, reading.chart, total),
                ),
                nl=False,
            )
    report(ledger, missing)
