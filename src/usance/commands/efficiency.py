"""`usance efficiency`: one capital and its simultaneous uses."""

import datetime
from collections.abc import Iterable
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import with_at, with_format, with_ledger
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, bar, eight_decimals, flat_table, table
from usance.reports.efficiency import USES as FIGURES
from usance.reports.figures import Figures, plain


@click.command(short_help="Show one capital and its simultaneous uses")
@with_ledger
@with_at
@with_corrected
@with_format
def efficiency(path: str, at: datetime.date | None, corrected: bool, form: str) -> None:
    """Show one capital and its simultaneous uses: lent, held as margin, in the yield product.

    \b
    Example:
      usance efficiency books/main.beancount --at 2025-05-04
    """
    books = opened(path)
    answer = books.efficiency(at, basis=basis_of(corrected=corrected))
    tell_of_horizon(books, at, "--at")
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = ["at", "sub_account", "venue", *FIGURES]
            click.echo(flat_table(columns, answer.rows_as_dicts()), nl=False)
        case _:
            for row in answer.sub_accounts:
                title = f"{row.name} at {row.venue}, end of {answer.at}, as {answer.basis}"
                heads = ["", f"{answer.currency} ", "of capital"]
                click.echo(table(title, heads, _use_lines(plain(row))))
    report(books.ledger, answer.problems)


def _use_lines(row: Figures) -> Iterable[list[str | None]]:
    """Yield the capital and each of its uses, with a bar."""
    if row["capital"] is None:
        yield ["cannot be priced", None, None]
        return
    capital = Decimal(row["capital"])
    for label, key in USES:
        value = row[key]
        shown = f"{bar(Decimal(value), capital):40}" if key in BARS and value else ""
        number = f"{Decimal(value):.2%}" if key == "efficiency" and value else eight_decimals(value)
        yield [label, number, shown.rstrip()]


USES = (
    ("Capital", "capital"),
    ("  lent", "lent"),
    ("  held as margin", "margin"),
    ("  in the yield product", "yield"),
    ("Uses", "uses"),
    ("Efficiency", "efficiency"),
    ("Idle", "idle"),
    ("Separate accounts would need", "siloed"),
    ("Saved", "saved"),
)


BARS = ("capital", "lent", "margin", "yield", "idle")
