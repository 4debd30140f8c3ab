"""`usance lending`: interest of each day, and the balance of each pool."""

import datetime
from collections.abc import Sequence
from dataclasses import astuple, fields

import click

from usance.commands.messages import loaded, report
from usance.commands.options import (
    days_of,
    with_format,
    with_ledger,
    with_period,
)
from usance.commands.tables import as_json, comma_separated, table
from usance.reports import lending as lending_reports
from usance.reports.figures import short
from usance.reports.lending_sides import Difference


@click.command(short_help="Show interest by day, sub-account, coin and side")
@with_ledger
@with_period
@with_format
def lending(path: str, begin: datetime.date | None, end: datetime.date | None, form: str) -> None:
    """Show interest by day, sub-account, coin and side, and the parts that balance each pool.

    Where interest is imported, what the engine expects stands beside it, and the difference.

    \b
    Examples:
      usance lending books/main.beancount --from 2025-05-01 --to 2025-05-07
      usance lending books/main.beancount --format csv > interest.csv
    """
    ledger = loaded(path)
    reading = ledger.read()
    answer = lending_reports.lending(reading, *days_of(begin, end, ledger, reading))
    rows = [astuple(row) for row in answer["rows"]]
    imports = "differences" in answer
    kind = lending_reports.Compared if imports else lending_reports.Interest
    names = [field.name for field in fields(kind)]
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(comma_separated(names, rows), nl=False)
        case _:
            heads = [
                "Date",
                "Sub-account",
                "Venue",
                "Coin",
                "Side",
                "Principal ",
                "Average principal ",
                "Interest ",
            ]
            heads += ["Expected ", "Difference "] if imports else []
            lines = [(*row[:6], short(row[6]), *row[7:]) for row in rows]
            click.echo(table("Interest", heads, lines), nl=False)
            if imports:
                _show_differences(answer["differences"])
            heads = [
                "Date",
                "Venue",
                "Coin",
                "Paid by borrowers ",
                "Earned by lenders ",
                "Fee ",
                "External ",
                "Rounding ",
            ]
            pools = [astuple(row) for row in answer["pools"]]
            cells = [
                (*row[:5], *(None if cell is None else short(cell) for cell in row[5:]))
                for row in pools
            ]
            click.echo(
                table("\nPools: paid = earned + fee + external + rounding", heads, cells), nl=False
            )
    report(ledger)


def _show_differences(rows: Sequence[Difference]) -> None:
    heads = ["Sub-account", "Venue", "Coin", "Side", "Days "]
    heads += ["Interest ", "Expected ", "Difference "]
    cells = [tuple(map(str, astuple(row))) for row in rows]
    title = "\nImported interest, and what the engine expects"
    click.echo(table(title, heads, cells), nl=False)
