"""`usance margin`: margin in use, margin available, and margin at other prices."""

import datetime
import re
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import with_at, with_format, with_ledger, with_list, with_name
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, bar, eight_decimals, flat_table, table
from usance.commands.what_if import LINES, numbers_by_name
from usance.reports import margin as margin_reports
from usance.reports.figures import plain
from usance.reports.margin import Margin, SubAccountMargin


@click.command(short_help="Show the margin of each sub-account at the end of a day")
@with_ledger
@with_at
@with_name
@click.option(
    "--price",
    "prices",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Another price: of a coin in the operating currency, of a contract in its settle coin.",
)
@with_corrected
@with_list(*margin_reports.PARTS)
@with_format
def margin(
    path: str,
    at: datetime.date | None,
    name: str | None,
    prices: tuple[str, ...],
    corrected: bool,
    listed: str,
    form: str,
) -> None:
    """Show the margin of each sub-account at the end of a day.

    With --price, that commodity alone has another price. Settlements and borrows stay as they are.

    \b
    Examples:
      usance margin books/main.beancount
      usance margin books/main.beancount --at 2025-05-04 --sub-account Main
      usance margin books/main.beancount --price SOL-PERP=120 --price SOL=121
    """
    books = opened(path)
    wanted = numbers_by_name("--price", prices, PRICE, "SOL=120")
    basis = basis_of(corrected=corrected)
    answer = books.margin(at, prices=wanted, basis=basis, sub_account=name)
    tell_of_horizon(books, at, "--at")
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = ["at", "sub_account", "venue", *margin_reports.PARTS[listed]]
            click.echo(flat_table(columns, answer.rows_as_dicts(listed)), nl=False)
        case _:
            for row in answer.sub_accounts:
                _show_margin(row, answer)
    report(books.ledger, answer.problems)


PRICE = re.compile(r"([^=\s]+)=(-?\d{1,30}(?:\.\d{1,30})?)", re.ASCII)


def _show_margin(of: SubAccountMargin, answer: Margin) -> None:
    """Show one sub-account: its figures with bars, then its coins, positions and borrows."""
    title = f"{of.name} at {of.venue}, end of {answer.at}, as {answer.basis}"
    if of.net_equity is None:
        click.echo(f"{title}\n\n  cannot be priced\n")
        return
    row = plain(of)
    lines = [(label, eight_decimals(row[key]), _gauge(key, row[key])) for label, key in LINES]
    click.echo(table(title, ["", f"{answer.currency} ", ""], lines))
    for name, heads, keys in PARTS:
        if row[name]:
            cells = [[eight_decimals(part[key]) for key in keys] for part in row[name]]
            click.echo(table("", heads, cells))


PARTS = (
    (
        "collateral_assets",
        ["Coin", "Quantity ", "Lent ", "Price ", "Weight ", "Counts "],
        ("coin", "quantity", "lent", "price", "weight", "value"),
    ),
    (
        "positions",
        [
            "Market",
            "Quantity ",
            "Entry ",
            "Mark ",
            "PnL ",
            "Initial ",
            "Maintenance ",
            "Liquidation ",
        ],
        (
            "market",
            "quantity",
            "entry_price",
            "mark",
            "unrealized_pnl",
            "initial_margin",
            "maintenance_margin",
            "liquidation_price",
        ),
    ),
    (
        "borrows",
        ["Borrowed", "Quantity ", "Price ", "Liability ", "Initial ", "Maintenance "],
        ("coin", "quantity", "price", "liability", "initial_margin", "maintenance_margin"),
    ),
)


def _gauge(key: str, value: str | None) -> str:
    """Return a bar of a margin ratio, full at 100 %, or an empty text."""
    if key not in ("imr", "mmr") or value is None:
        return ""
    taken = Decimal(value)
    return f"{bar(taken, Decimal(1)):40}│ {taken:.2%}"
