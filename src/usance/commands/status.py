"""`usance status`: one screen, what a person asks first."""

import datetime
import sys
from decimal import Decimal

import click

from usance.commands.messages import Place, located, placed, show
from usance.commands.options import with_at, with_ledger, with_lines
from usance.commands.periods import question
from usance.commands.tables import as_json, table
from usance.language.directive import source_of
from usance.language.doubts import doubts
from usance.ledger.plugin_lines import enabled
from usance.model.problems import once
from usance.reports import status as status_reports
from usance.reports.figures import Figures, for_the_eye


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
    ledger, reading, span, _, places = asked
    answer, told = status_reports.status(ledger, reading, span[1])
    sources = [source_of(error.source or {}) for error in ledger.errors]
    doubtful = doubts(ledger.entries, reading, enabled(ledger.options), ledger.path, sources)
    findings = [*map(located, ledger.findings)]
    # Findings of days up to the horizon are the ledger's own already.
    if span[1] > reading.last or any(not problem.finding for problem in told):
        findings += [place for place in map(placed, once(told)) if place not in findings]
    answer["findings"] = [line(place) for place in findings]
    answer["doubts"] = [line(placed(doubt)) for doubt in doubtful]
    if form == "json":
        click.echo(as_json(answer), nl=False)
    else:
        _show(answer, places)
    errors = [*map(located, ledger.errors)]
    show(errors, sys.stderr)
    if errors or findings:
        sys.exit(1)


def _show(answer: Figures, places: int | None) -> None:
    currency, at = answer["currency"], answer["at"]
    value = for_the_eye(answer["net_asset_value"], places)
    shown = f"{value} {currency}" if value else "unknown, because a price is missing"
    click.echo(f"Net asset value, end of {at}: {shown}")
    changes = [
        f"{_signed(change, places)} in {days} day{'' if days == '1' else 's'}"
        for days, change in answer["change"].items()
        if change is not None
    ]
    click.echo(f"  {', '.join(changes)}\n" if changes else "")
    rows = [
        (
            row["name"],
            for_the_eye(row["net_asset_value"], places),
            None if row["mmr"] is None else f"{Decimal(row['mmr']):.1%}",
            _danger(row["nearest_liquidation"]),
            for_the_eye(row["interest_month"], places),
            for_the_eye(row["yield_month"], places),
            for_the_eye(row["accrued"], places),
            row["next_payout"],
        )
        for row in answer["sub_accounts"]
    ]
    click.echo(table("", HEADS, rows))
    closed = answer["closed_through"]
    days = answer["open_days"]
    click.echo(
        f"{f'Closed through {closed}' if closed else 'No day is closed'}; {days:,} open. "
        f"Newest price: {answer['newest_price'] or 'none'}. "
        f"Newest rate: {answer['newest_rate'] or 'none'}."
    )
    for line in (*answer["findings"], *answer["doubts"]):
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


def _signed(number: str, places: int | None) -> str:
    text = for_the_eye(number, places) or ""
    return text if text.startswith("-") else f"+{text}"


def _danger(nearest: Figures | None) -> str | None:
    """Return the nearest liquidation in words."""
    if nearest is None:
        return None
    away = Decimal(nearest["distance"])
    where = "below" if away < 0 else "above"
    price = for_the_eye(nearest["price"], 2)
    return f"{nearest['market']} at {price}, {abs(away):.1%} {where} its mark"


def line(place: Place) -> str:
    """Return a message with its place, as `usance check` prints it."""
    return f"{place['file']}:{place['line']}: {place['message']}"
