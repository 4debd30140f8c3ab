"""`usance verify`: check the seals of closed days."""

import sys
from pathlib import Path

import click

from usance.close import verification
from usance.close.folder import folder_of
from usance.close.verification import Verification
from usance.commands.messages import beside, placed, show
from usance.commands.options import digest, with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.ledger.disk import Disk
from usance.model import problems
from usance.model.problems import Source


@click.command(short_help="Check the seals of closed days")
@with_ledger
@click.option(
    "--head",
    type=digest,
    metavar="DIGEST",
    help="A closed day must have this digest: the head that an earlier run printed.",
)
@with_lines
def verify(path: str, head: str | None, form: str) -> None:
    """Check the seals of the days closed beside LEDGER, and name the first broken one.

    The command reads the posted files alone: it opens no ledger, runs no plugin and follows no
    include. It exits 1 if a seal is broken.

    It prints the head, the digest of the last closed day. Someone who rewrites every seal gets a
    chain that checks out, but with another head. So keep the head elsewhere, for example in a git
    tag, and pass it back with --head.

    \b
    Examples:
      usance verify books/main.beancount
      usance verify books/main.beancount --head 1c6c...
    """
    folder, missing = folder_of(Path(path).absolute())
    if missing:
        show(map(placed, missing), sys.stderr)
        sys.exit(1)
    verified = verification.verify(folder, Disk(), head)
    removed = [] if verified.broken else verification.removed(folder, Disk())
    if form == "json":
        click.echo(as_json(_verified(path, verified, whole=not removed)), nl=False)
    else:
        _show_verified(path, verified)
    show(map(placed, removed), sys.stderr)
    if verified.beyond and not removed:
        click.echo(
            f"note: the .inputs files go on to {verified.beyond}, which is not closed: a run was "
            "interrupted, or closed days were removed. Use --head to find out which.",
            err=True,
        )
    sys.exit(1 if verified.broken or removed else 0)


def _verified(path: str, verified: Verification, *, whole: bool) -> dict[str, object]:
    broken, closes = verified.broken, verified.seals
    return {
        "ok": broken is None and whole,
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
        "beyond": verified.beyond or None,
    }


def _show_verified(path: str, verified: Verification) -> None:
    closes = verified.seals
    if verified.broken is not None:
        broken = verified.broken
        file = beside(path, broken.file) if broken.file else path
        at = Source(str(Path(file).absolute()), broken.line)
        show([placed(problems.broken_chain(at, broken.date, broken.why))], sys.stdout)
    if not closes:
        click.echo("No day is closed." if verified.broken is None else "No seal holds.")
        return
    days = f"{counted(len(closes), 'day')}, {closes[0].date} to {closes[-1].date}"
    click.echo(f"{'Sound' if verified.broken is None else 'Sound before it'}: {days}.")
    click.echo(f"Head: {closes[-1].digest}")
