"""Commands that close days, and verify what is closed."""

import datetime
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from usance.close import folder as posted
from usance.close import posting, verification
from usance.close.verification import Verification
from usance.commands.messages import located, placed, refuse, show
from usance.commands.options import date_or_yesterday, digest, with_format, with_ledger, with_lines
from usance.commands.tables import as_json, comma_separated, counted
from usance.engine.loop import Day
from usance.language.provenance import POSTED
from usance.ledger import load as ledger
from usance.ledger.disk import Disk, locked, write
from usance.ledger.errors import UsanceChange
from usance.model import problems
from usance.model.problems import Source

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
        book = ledger.load(path)
        errors = [
            error for error in book.errors if not (correct and isinstance(error, UsanceChange))
        ]
        if errors:
            refuse(map(located, errors))
        made = posting.plan(
            book,
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
            "Old figures stop the posting of their day: --stale-ok posts it all the same.", err=True
        )
        sys.exit(1)


@click.command()
@with_ledger
@click.option(
    "--head",
    type=digest,
    metavar="DIGEST",
    help="Digest that a closed day must have: the head that an earlier run printed.",
)
@with_lines
def verify(path: str, head: str | None, form: str) -> None:
    """Follow the seals of the days closed beside LEDGER, and name the first that is broken.

    Reads the posted files alone: the ledger is not opened, no plugin runs, nothing is included.
    Prints the head, the digest of the last closed day. Keep it elsewhere, as in a git tag: a chain
    that somebody made anew holds in itself, and does not have it. Exits 1 where a seal is broken.

    \b
    Examples:
      usance verify books/main.beancount
      usance verify books/main.beancount --head 1c6c...
    """
    folder, missing = posted.folder_of(Path(path).absolute())
    if missing:
        show(map(placed, missing), sys.stderr)
        sys.exit(1)
    found = verification.verify(folder, Disk(), head)
    if form == "json":
        click.echo(as_json(_verified(path, found)), nl=False)
    else:
        _show_verified(path, found)
    if found.beyond:
        click.echo(
            f"note: the .inputs beside the months go on to {found.beyond}, which is not closed: a "
            "run was interrupted, or closed days were removed. --head tells which.",
            err=True,
        )
    sys.exit(1 if found.broken else 0)


def _verified(path: str, found: Verification) -> dict[str, object]:
    broken, closes = found.broken, found.seals
    return {
        "ok": broken is None,
        "days": len(closes),
        "first": closes[0].date if closes else None,
        "last": closes[-1].date if closes else None,
        "head": closes[-1].digest if closes else None,
        "broken": None
        if broken is None
        else {
            "date": broken.date or None,
            "file": _beside(path, broken.file) if broken.file else None,
            "line": broken.line if broken.file else None,
            "why": broken.why,
        },
        "beyond": found.beyond or None,
    }


def _show_verified(path: str, found: Verification) -> None:
    closes = found.seals
    if found.broken is not None:
        broken = found.broken
        file = _beside(path, broken.file) if broken.file else path
        at = Source(str(Path(file).absolute()), broken.line)
        show([placed(problems.broken_chain(at, broken.date, broken.why))], sys.stdout)
    if not closes:
        click.echo("No day is closed." if found.broken is None else "No seal holds.")
        return
    days = f"{counted(len(closes), 'day')}, {closes[0].date} to {closes[-1].date}"
    click.echo(f"{'Sound' if found.broken is None else 'Sound before it'}: {days}.")
    click.echo(f"Head: {closes[-1].digest}")


def _beside(path: str, name: str) -> str:
    """Name a file of closed days as the ledger was named."""
    return str(Path(path).parent / POSTED / name)


def _watched(days: Iterator[Day], count: int) -> Iterator[Day]:
    """Pass days on, with a bar on a terminal where they are many."""
    if count < MANY_DAYS or not sys.stderr.isatty():
        yield from days
        return
    with click.progressbar(days, length=count, label="Days", file=sys.stderr) as bar:
        yield from bar


def _show_posting(path: str, made: posting.Posting, form: str) -> None:
    files = [_beside(path, name.name) for name, _ in made.files]
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
