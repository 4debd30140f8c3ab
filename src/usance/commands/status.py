"""`usance status`: one screen, what a person asks first."""

import datetime
import sys
from dataclasses import replace
from decimal import Decimal

import click

from usance.commands.messages import located, near, show
from usance.commands.options import with_at, with_ledger, with_lines
from usance.commands.periods import question
from usance.commands.tables import as_json, counted, table
from usance.reports.figures import for_the_eye, plain
from usance.reports.status import NearestLiquidation, Status


@click.command(short_help="Show what you are worth, how near danger is, what comes next")
@with_ledger
@with_at
@with_lines
def status(path: str, at: datetime.date | None, form: str) -> None:
    """Show net asset value and its change, and for each sub-account how near a liquidation is.

    It also shows interest and yield of the month, what is accrued and when it is paid, through
    which day the books are closed, and how old the newest price and rate are. The command exits 1
    if there is an error or a finding, or a price or rate that is older than its limit.

    \b
    Examples:
      usance status books/main.beancount
      usance status books/main.beancount --at yesterday --format json
    """
    asked = question(path, [(None, at)], corrected=False, exact=False, option="--at")
    if asked is None:
        return
    found = asked.books.status(asked.to)
    answer = replace(
        found,
        findings=tuple(map(near, found.findings)),
        doubts=tuple(map(near, found.doubts)),
    )
    if form == "json":
        click.echo(as_json(answer), nl=False)
    else:
        _show(answer, asked.places)
    errors = [*map(located, asked.books.ledger.errors)]
    show(errors, sys.stderr)
    if errors or answer.findings:
        sys.exit(1)


def _show(answer: Status, places: int | None) -> None:
    value = for_the_eye(answer.net_asset_value, places)
    shown = f"{value} {answer.currency}" if value else "unknown, because a price is missing"
    click.echo(f"Net asset value, end of {answer.at}: {shown}")
    changes = [
        f"{_signed(change, places)} in {counted(days, 'day')}"
        for days, change in answer.change.items()
        if change is not None
    ]
    click.echo(f"  {', '.join(changes)}\n" if changes else "")
    rows = [
        (
            row.name,
            for_the_eye(row.net_asset_value, places),
            None if row.mmr is None else f"{row.mmr:.1%}",
            _danger(row.nearest_liquidation),
            for_the_eye(row.interest_month, places),
            for_the_eye(row.yield_month, places),
            for_the_eye(row.accrued, places),
            plain(row.next_payout),
        )
        for row in answer.sub_accounts
    ]
    click.echo(table("", HEADS, rows))
    closed = answer.closed_through
    click.echo(
        f"{f'Closed through {closed}' if closed else 'No day is closed'}; "
        f"{answer.open_days:,} open. "
        f"Newest price: {answer.newest_price or 'none'}. "
        f"Newest rate: {answer.newest_rate or 'none'}."
    )
    for line in (*answer.findings, *answer.doubts):
        click.echo(line)


HEADS = (
    "Sub-account",
    "Value ",
    "Margin in use ",
    "Nearest liquidation",
    "Interest, month ",
    "Yield, month ",
    "Accrued ",
    "Next payout",
)


def _signed(number: Decimal, places: int | None) -> str:
    text = for_the_eye(number, places) or ""
    return text if text.startswith("-") else f"+{text}"


def _danger(nearest: NearestLiquidation | None) -> str | None:
    """Return the nearest liquidation in words."""
    if nearest is None:
        return None
    where = "below" if nearest.distance < 0 else "above"
    price = for_the_eye(nearest.price, 2)
    return f"{nearest.market} at {price}, {abs(nearest.distance):.1%} {where} its mark"
