"""`usance pnl`: profit and loss by sub-account and contract or coin, and closed trades."""

import datetime

import click

from usance.commands.messages import report
from usance.commands.options import with_format, with_ledger
from usance.commands.periods import Asked, question, with_basis, with_span
from usance.commands.tables import as_json, flat_table, table
from usance.reports import pnl as pnl_reports
from usance.reports.figures import for_the_eye, plain
from usance.reports.pnl import Pnl

ROWS = {
    "sub_account": "Sub-account",
    "instrument": "Instrument",
    "quantity_start": "Start ",
    "quantity_end": "End ",
    "entry_price": "Entry ",
    "mark": "Mark ",
    "realised": "Realised ",
    "unrealised_change": "Unrealised ",
    "funding": "Funding ",
    "fees": "Fees ",
    "result": "Result ",
}
"""The columns for people; CSV and JSON have more."""

TRADES = {
    "sub_account": "Sub-account",
    "instrument": "Instrument",
    "opened": "Opened",
    "closed": "Closed",
    "quantity": "Quantity ",
    "entry_price": "Entry ",
    "exit_price": "Exit ",
    "fees": "Fees ",
    "funding": "Funding ",
    "result": "Result ",
}
MONEY = ("realised", "unrealised_change", "funding", "fees", "result")


@click.command(short_help="Show profit and loss by contract and coin")
@with_ledger
@with_span
@click.option(
    "--sub-account", "name", metavar="NAME", show_default="all", help="Show only this sub-account."
)
@click.option("--trades", is_flag=True, help="Show each lot that was closed.")
@with_basis
@with_format
def pnl(
    path: str,
    begin: datetime.date | None,
    end: datetime.date | None,
    months: Asked | None,
    years: Asked | None,
    name: str | None,
    trades: bool,
    corrected: bool,
    exact: bool,
    form: str,
) -> None:
    """Show what each contract and coin brought: realised, unrealised, funding, fees.

    Results are in the operating currency, each day at that day's prices; prices are those of a
    contract in its settle coin. Fees and funding are those of a transaction that moves the
    contract, or says it: contract: "SOL-PERP".

    \b
    Examples:
      usance pnl books/main.beancount --month 2025-05
      usance pnl books/main.beancount --trades --format csv > trades.csv
    """
    asked = question(path, [(begin, end), months, years], corrected=corrected, exact=exact)
    if asked is None:
        return
    books, begin, end, basis, places = asked
    answer = books.pnl(begin, end, basis=basis, sub_account=name)
    listed = "trades" if trades else "rows"
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            rows = answer.rows_as_dicts(listed)
            click.echo(flat_table(pnl_reports.LISTS[listed], rows), nl=False)
        case _:
            _show(answer, listed, places)
    report(books.ledger, answer.problems)


def _show(answer: Pnl, listed: str, places: int | None) -> None:
    what = "Closed trades" if listed == "trades" else "Profit and loss"
    rows = answer.rows_as_dicts(listed)
    columns = TRADES if listed == "trades" else ROWS
    period = f"{answer.from_} to {answer.to}, {answer.currency}, as {answer.basis}"
    if not rows:
        click.echo(f"{what}, {period}: none.")
        return
    cells = [
        [for_the_eye(row[key], places) if key in MONEY else plain(row[key]) for key in columns]
        for row in rows
    ]
    click.echo(table(f"{what}, {period}", list(columns.values()), cells), nl=False)
