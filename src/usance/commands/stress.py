"""`usance stress`: margin under shocks, all sub-accounts side by side."""

import datetime
import re
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import with_at, with_format, with_ledger, with_list, with_name
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, eight_decimals, flat_table, table
from usance.commands.what_if import LINES, numbers_by_name
from usance.reports import margin as margin_reports
from usance.reports.figures import plain
from usance.reports.margin import Margin, Stress, SubAccountMargin


@click.command(short_help="Show margin under shocks, all sub-accounts side by side")
@with_ledger
@with_at
@with_name
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    required=True,
    metavar="NAME=PERCENT,…",
    help="Moves that happen together. Repeat the option for other groups, side by side.",
)
@with_corrected
@with_list(*margin_reports.PARTS)
@with_format
def stress(
    path: str,
    at: datetime.date | None,
    name: str | None,
    shocks: tuple[str, ...],
    corrected: bool,
    listed: str,
    form: str,
) -> None:
    """Show margin under shocks, all sub-accounts side by side.

    A shock on a coin moves the value of amounts held, owed or settled in it, and the marks of
    contracts over it. Settlements and borrows stay as they are. Commas join moves into one group.

    \b
    Example:
      usance stress books/main.beancount --shock SOL=-20% --shock BTC=-30%,USDT=-2%
    """
    books = opened(path)
    groups: dict[str, dict[str, Decimal]] = {}
    for text in shocks:
        moves = numbers_by_name("--shock", text.split(","), SHOCK, "SOL=-20%")
        groups[text] = {commodity: percent / 100 for commodity, percent in moves.items()}
    basis = basis_of(corrected=corrected)
    answer = books.stress(groups, at, basis=basis, sub_account=name)
    tell_of_horizon(books, at, "--at")
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = ["at", "shock", "sub_account", "venue", *margin_reports.PARTS[listed]]
            click.echo(flat_table(columns, answer.rows_as_dicts(listed)), nl=False)
        case _:
            _show_stress(books.margin(at, basis=basis, sub_account=name), answer)
    report(books.ledger, answer.problems)


SHOCK = re.compile(r"([^=\s]+)=([+-]?\d{1,30}(?:\.\d{1,30})?)%?", re.ASCII)


def _show_stress(now: Margin, answer: Stress) -> None:
    """Show sub-accounts in rows, groups of shocks in columns."""
    keys = ("net_equity", "available_equity", "mmr")
    heads = ["Sub-account", "", "Now ", *(f"{group.shock} " for group in answer.shocks)]
    rows: list[list[str | None]] = []
    for index, row in enumerate(now.sub_accounts):
        columns = [row, *(group.sub_accounts[index] for group in answer.shocks)]
        for label, key in LINES:
            if key in keys:
                first = row.name if key == keys[0] else ""
                rows.append([first, label, *(_stressed(column, key) for column in columns)])
    title = f"Stress, end of {answer.at}, {answer.currency}, as {answer.basis}"
    click.echo(table(title, heads, rows), nl=False)


def _stressed(column: SubAccountMargin, key: str) -> str | None:
    value: Decimal | None = getattr(column, key)
    if key == "mmr":
        if column.is_bankrupt:
            return "bankrupt"
        breached = value is not None and Decimal(value) >= 1
        return None if value is None else f"{Decimal(value):.2%}{' breach' if breached else ''}"
    return eight_decimals(plain(value))
