"""`usance pnl`: profit and loss by sub-account and contract or coin, and closed trades."""

import datetime

import click

from usance.commands.messages import report
from usance.commands.options import with_format, with_ledger
from usance.commands.periods import Asked, must_be_one_of, question, with_basis, with_span
from usance.commands.tables import as_json, comma_separated, table
from usance.reports import pnl as pnl_reports
from usance.reports.figures import Figures, for_the_eye

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
    must_be_one_of(sorted(asked.reading.book.sub_accounts), name)
    answer, missing = pnl_reports.pnl(asked.ledger, asked.reading, asked.span, asked.basis)
    if name is not None:
        for key in ("rows", "trades"):
            answer[key] = [row for row in answer[key] if row["sub_account"] == name]
    listed = "trades" if trades else "rows"
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = pnl_reports.TRADE if trades else pnl_reports.ROW
            cells = [[row[column] for column in columns] for row in answer[listed]]
            click.echo(comma_separated(columns, cells), nl=False)
        case _:
            _show(answer, listed, TRADES if trades else ROWS, asked.places)
    report(asked.ledger, missing)


def _show(answer: Figures, listed: str, columns: dict[str, str], places: int | None) -> None:
    what = "Closed trades" if listed == "trades" else "Profit and loss"
    period = f"{answer['from']} to {answer['to']}, {answer['currency']}, as {answer['basis']}"
    if not answer[listed]:
        click.echo(f"{what}, {period}: none.")
        return
    rows = [
        [for_the_eye(row[key], places) if key in MONEY else row[key] for key in columns]
        for row in answer[listed]
    ]
    click.echo(table(f"{what}, {period}", list(columns.values()), rows), nl=False)
