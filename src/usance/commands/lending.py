"""`usance lending`: interest by day, month or year, and the balance of each pool."""

import datetime
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import click

from usance.commands.messages import loaded, report
from usance.commands.opened import days_of
from usance.commands.options import with_format, with_ledger, with_list, with_period
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, comma_separated, table
from usance.language.reading import Reading
from usance.model.terms import CurvePool
from usance.reports import lending as lending_reports
from usance.reports.figures import short
from usance.reports.lending_sides import Difference

LISTS = {"rows": lending_reports.Interest, "pools": lending_reports.Conservation}
LISTS |= {"differences": Difference}


@click.command(short_help="Show interest by day, sub-account, coin and side")
@with_ledger
@with_period
@click.option(
    "--by",
    type=click.Choice(lending_reports.INTERVALS),
    show_default="day, or month for more than 45 days",
    help="The interval of a row.",
)
@click.option("--pools", is_flag=True, help="Also show pools with observed rates.")
@with_corrected
@with_list(*LISTS)
@with_format
def lending(
    path: str,
    begin: datetime.date | None,
    end: datetime.date | None,
    by: str | None,
    pools: bool,
    corrected: bool,
    listed: str,
    form: str,
) -> None:
    """Show interest by sub-account, coin and side, and the parts that balance each pool.

    Where interest is imported, what the engine expects stands beside it, and the difference.

    \b
    Examples:
      usance lending books/main.beancount --from 2025-05-01 --to 2025-05-07
      usance lending books/main.beancount --from 2025-01 --to 2025-12 --by month
      usance lending books/main.beancount --format csv > interest.csv
    """
    ledger = loaded(path)
    reading = ledger.read()
    first, last = days_of(begin, end, ledger)
    on = basis_of(corrected=corrected)
    answer = lending_reports.lending(ledger, reading, first, last, on, by)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            _show_list(answer, listed)
        case _:
            _show(answer, reading, pools=pools)
    report(ledger)


def _show_list(answer: dict[str, Any], listed: str) -> None:
    """Print a list as CSV."""
    kind: Any = LISTS[listed]
    if listed == "rows" and "differences" in answer:
        kind = lending_reports.Compared
    rows = [astuple(row) for row in answer.get(listed, ())]
    click.echo(comma_separated([field.name for field in fields(kind)], rows), nl=False)


def _show(answer: dict[str, Any], reading: Reading, *, pools: bool) -> None:
    title = "Interest"
    if answer["from"] is not None:
        title += f" by {answer['by']}, {answer['from']} to {answer['to']}, as {answer['basis']}"
    heads = ["Date", "Sub-account", "Venue", "Coin", "Side"]
    heads += ["Principal ", "Average principal ", "Interest "]
    imports = "differences" in answer
    heads += ["Expected ", "Difference "] if imports else []
    lines = []
    for row in answer["rows"]:
        side = f"{row.side}, correction" if row.correction else row.side
        average = None if row.average_principal is None else short(row.average_principal)
        cells = [row.date, row.sub_account, row.venue, row.coin, side, row.principal, average]
        compared = [row.expected, row.difference] if imports else []
        lines.append([*cells, row.interest, *compared])
    click.echo(table(title, heads, lines), nl=False)
    if imports:
        _show_differences(answer["differences"])
    curves = {
        key
        for key, line in reading.book.pools.items()
        if any(isinstance(terms, CurvePool) for terms in line.values)
    }
    shown = [row for row in answer["pools"] if pools or (row.venue, row.coin) in curves]
    if not shown:
        return
    heads = ["Date", "Venue", "Coin", "Paid by borrowers ", "Earned by lenders "]
    heads += ["Fee ", "External ", "Rounding "]
    cells = []
    for row in shown:
        head, figures = astuple(row)[:5], astuple(row)[5:]
        cells.append([*head, *(None if one is None else short(one) for one in figures)])
    title = "\nPools: paid = earned + fee + external + rounding"
    click.echo(table(title, heads, cells), nl=False)


def _show_differences(rows: Sequence[Difference]) -> None:
    heads = ["Sub-account", "Venue", "Coin", "Side", "Days "]
    heads += ["Interest ", "Expected ", "Difference "]
    cells = [tuple(map(str, astuple(row))) for row in rows]
    title = "\nImported interest, and what the engine expects"
    click.echo(table(title, heads, cells), nl=False)
