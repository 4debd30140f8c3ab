"""`usance lending`: interest by day, month or year, and the balance of each pool."""

import datetime
from collections.abc import Sequence
from dataclasses import astuple

import click

from usance.commands.messages import report
from usance.commands.opened import opened, period_of
from usance.commands.options import with_format, with_ledger, with_list, with_period
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, flat_table, table
from usance.language.reading import Reading
from usance.model.terms import CurvePool
from usance.reports.figures import plain, short
from usance.reports.lending import INTERVALS, LISTS, Compared, Lending
from usance.reports.lending_sides import Difference


@click.command(short_help="Show interest by day, sub-account, coin and side")
@with_ledger
@with_period
@click.option(
    "--by",
    type=click.Choice(INTERVALS),
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
    books = opened(path)
    asked = period_of(books, begin, end)
    answer = books.lending(*asked, by=by, basis=basis_of(corrected=corrected))
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(answer.columns(listed), answer.rows_as_dicts(listed)), nl=False)
        case _:
            _show(answer, books.reading, pools=pools)
    report(books.ledger)


def _show(answer: Lending, reading: Reading, *, pools: bool) -> None:
    title = "Interest"
    if answer.from_ is not None:
        title += f" by {answer.by}, {answer.from_} to {answer.to}, as {answer.basis}"
    heads = ["Date", "Sub-account", "Venue", "Coin", "Side"]
    heads += ["Principal ", "Average principal ", "Interest "]
    imports = answer.differences is not None
    heads += ["Expected ", "Difference "] if imports else []
    lines = []
    for row in answer.rows:
        side = f"{row.side}, correction" if row.correction else row.side
        of = [str(row.date), row.sub_account, row.venue, row.coin, side]
        principal, average = plain(row.principal), plain(row.average_principal)
        figures = [principal, None if average is None else short(average), plain(row.interest)]
        if isinstance(row, Compared):
            figures += [plain(row.expected), plain(row.difference)]
        lines.append([*of, *figures])
    click.echo(table(title, heads, lines), nl=False)
    if answer.differences is not None:
        _show_differences(answer.differences)
    curves = {
        key
        for key, line in reading.book.pools.items()
        if any(isinstance(terms, CurvePool) for terms in line.values)
    }
    shown = [row for row in answer.pools if pools or (row.venue, row.coin) in curves]
    if not shown:
        return
    heads = ["Date", "Venue", "Coin", "Paid by borrowers ", "Earned by lenders "]
    heads += ["Fee ", "External ", "Rounding "]
    cells = []
    for pool in shown:
        line = [plain(cell) for cell in astuple(pool)]
        cells.append([*line[:5], *(None if one is None else short(one) for one in line[5:])])
    title = "\nPools: paid = earned + fee + external + rounding"
    click.echo(table(title, heads, cells), nl=False)


def _show_differences(rows: Sequence[Difference]) -> None:
    heads = ["Sub-account", "Venue", "Coin", "Side", "Days "]
    heads += ["Interest ", "Expected ", "Difference "]
    cells = [[str(plain(cell)) for cell in astuple(row)] for row in rows]
    title = "\nImported interest, and what the engine expects"
    click.echo(table(title, heads, cells), nl=False)
