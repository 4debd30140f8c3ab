"""`usance margin`: margin in use, margin available, and margin at other prices."""

import datetime
import re
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.options import (
    with_at,
    with_format,
    with_ledger,
    with_list,
    with_name,
)
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, bar, comma_separated, eight_decimals, table
from usance.commands.what_if import (
    LINES,
    columns_and_rows,
    evening_of,
    must_be_held,
    numbers_by_name,
)
from usance.reports import margin as margin_reports
from usance.reports.figures import Figures


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
    ledger, reading, seen = evening_of(path, at, name, basis_of(corrected=corrected))
    wanted = numbers_by_name("--price", prices, PRICE, "SOL=120")
    for commodity, price in wanted.items():
        must_be_held(seen, reading, "--price", commodity)
        if price <= 0:
            raise click.UsageError(
                f"--price {commodity}: {price} is not above zero. Write a price above zero."
            )
    answer = margin_reports.margin(reading, seen, wanted)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns, rows = columns_and_rows(listed, [({"at": answer["at"]}, answer)])
            click.echo(comma_separated(columns, rows), nl=False)
        case _:
            for row in answer["sub_accounts"]:
                _show_margin(row, answer)
    report(ledger, seen.problems)


PRICE = re.compile(r"([^=\s]+)=(-?\d{1,30}(?:\.\d{1,30})?)", re.ASCII)


def _show_margin(row: Figures, answer: Figures) -> None:
    """Show one sub-account: its figures with bars, then its coins, positions and borrows."""
    title = f"{row['name']} at {row['venue']}, end of {answer['at']}, as {answer['basis']}"
    if row["net_equity"] is None:
        click.echo(f"{title}\n\n  cannot be priced\n")
        return
    lines = [(label, eight_decimals(row[key]), _gauge(key, row[key])) for label, key in LINES]
    click.echo(table(title, ["", f"{answer['currency']} ", ""], lines))
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
