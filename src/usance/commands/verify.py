"""Verify: the command that follows the seals of closed days."""

import sys
from pathlib import Path

import click

from usance.close import folder as posted
from usance.close import verification
from usance.close.verification import Verification
from usance.commands.messages import beside, placed, show
from usance.commands.options import digest, with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.ledger.disk import Disk
from usance.model import problems
from usance.model.problems import Source


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
            f"note: the .inputs files go on to {found.beyond}, which is not closed: a run was "
            "interrupted, or closed days were removed. Use --head to find out which.",
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
            "file": beside(path, broken.file) if broken.file else None,
            "line": broken.line if broken.file else None,
            "why": broken.why,
        },
        "beyond": found.beyond or None,
    }


def _show_verified(path: str, found: Verification) -> None:
    closes = found.seals
    if found.broken is not None:
        broken = found.broken
        file = beside(path, broken.file) if broken.file else path
        at = Source(str(Path(file).absolute()), broken.line)
        show([placed(problems.broken_chain(at, broken.date, broken.why))], sys.stdout)
    if not closes:
        click.echo("No day is closed." if found.broken is None else "No seal holds.")
        return
    days = f"{counted(len(closes), 'day')}, {closes[0].date} to {closes[-1].date}"
    click.echo(f"{'Sound' if found.broken is None else 'Sound before it'}: {days}.")
    click.echo(f"Head: {closes[-1].digest}")
