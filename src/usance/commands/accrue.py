"""Commands that close days, and verify what is closed."""

import datetime
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from usance.close import folder as posted
from usance.close import posting
from usance.commands.messages import beside, located, placed, refuse, show
from usance.commands.options import date_or_yesterday, with_format, with_ledger
from usance.commands.tables import as_json, comma_separated, counted
from usance.engine.lived_day import LivedDay
from usance.ledger.disk import Disk, locked, write
from usance.ledger.errors import UsanceChange
from usance.ledger.load import load

MANY_DAYS = 200
"""From how many days on a run shows a bar."""


@click.command()
@with_ledger
@click.option(
    "--through",
    type=date_or_yesterday,
    metavar="DATE",
    help="Last day to close, or yesterday (UTC); by default the horizon.",
)
@click.option("--dry-run", is_flag=True, help="Print the text that would be posted, write nothing.")
@click.option(
    "--correct",
    is_flag=True,
    help="Post what closed days that have changed would be by now, on the first open day.",
)
@click.option("--stale-ok", is_flag=True, help="Close also days whose rates come from an old row.")
@with_format
def accrue(
    path: str,
    through: datetime.date | None,
    dry_run: bool,
    correct: bool,
    stale_ok: bool,
    form: str,
) -> None:
    """Close days: post their transactions to posted/YYYY-MM.beancount.

    Each day is sealed; running it again changes nothing, and missed days are caught up. A ledger
    with any error is left as it is.

    What a person changes in a closed day is an error, until it is undone, or --correct posts the
    difference: what is posted already is never written again.

    \b
    Examples:
      usance accrue books/main.beancount
      usance accrue books/main.beancount --through yesterday
      usance accrue books/main.beancount --through 2025-05-31 --dry-run
      usance accrue books/main.beancount --correct
    """
    folder, missing = posted.folder_of(Path(path).absolute())
    if missing:
        refuse(map(placed, missing))
    disk = Disk()
    with locked(folder, lambda: click.echo("Another run is at work; waiting.", err=True)):
        ledger = load(path)
        errors = [
            error for error in ledger.errors if not (correct and isinstance(error, UsanceChange))
        ]
        if errors:
            refuse(map(located, errors))
        made = posting.plan(
            ledger,
            None if through is None else through.toordinal(),
            folder,
            correct=correct,
            stale_ok=stale_ok,
            disk=disk,
            watch=_watched,
        )
        if any(not problem.finding for problem in made.problems):
            refuse(map(placed, made.problems))
        if not dry_run:
            write(made.files, disk)
    show(map(placed, made.problems), sys.stderr)
    if dry_run:
        click.echo(made.text, nl=False)
    else:
        _show_posting(path, made, form)
    if made.problems:
        click.echo(
            "A day that rests on an old rate or price is not posted. Use --stale-ok to post it "
            "anyway.",
            err=True,
        )
        sys.exit(1)


def _watched(days: Iterator[LivedDay], count: int) -> Iterator[LivedDay]:
    """Pass days on, with a bar on a terminal where they are many."""
    if count < MANY_DAYS or not sys.stderr.isatty():
        yield from days
        return
    with click.progressbar(days, length=count, label="Days", file=sys.stderr) as bar:
        yield from bar


def _show_posting(path: str, made: posting.Posting, form: str) -> None:
    files = [beside(path, name.name) for name, _ in made.files]
    match form:
        case "json":
            answer = {
                "posted": made.days,
                "transactions": made.transactions,
                "files": files,
                "corrections": made.corrections,
                "findings": made.findings,
                "through": made.last,
            }
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(comma_separated(["date"], [[day] for day in made.days]), nl=False)
        case _:
            for finding in dict.fromkeys(made.findings):
                click.echo(f"finding: {finding}", err=True)
            if not made.days:
                click.echo(f"Nothing to post: closed through {made.last or 'no day yet'}.")
            else:
                days = made.days[0] if len(made.days) == 1 else f"{made.days[0]} to {made.days[-1]}"
                wrote = counted(made.transactions, "transaction")
                if made.corrections:
                    wrote += f", of them {counted(made.corrections, 'correction')}"
                click.echo(f"Posted {days}: {wrote}.")
                for file in files:
                    click.echo(f"  {file}")
