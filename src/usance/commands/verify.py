"""`usance verify`: check the seals of closed days."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from usance.close import verification
from usance.close.folder import folder_of
from usance.close.verification import Verification
from usance.commands.messages import beside, line_of, placed, show
from usance.commands.options import digest, with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.ledger.disk import Disk
from usance.model import problems
from usance.model.problems import Problem, Source


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
    verified, removed = verified_folder(folder, head)
    if form == "json":
        click.echo(as_json(answer(path, verified, whole=not removed)), nl=False)
    else:
        for line in lines(path, verified):
            click.echo(line)
    warn(verified, removed)
    sys.exit(1 if verified.broken or removed else 0)


def verified_folder(folder: Path, head: str | None) -> tuple[Verification, list[Problem]]:
    """Return what holds of the closed days of a folder, and the error of a month removed."""
    verified = verification.verify(folder, Disk(), head)
    return verified, [] if verified.broken else verification.removed(folder, Disk())


def warn(verified: Verification, removed: list[Problem]) -> None:
    """Print on standard error that a month was removed, or that days may have been."""
    show(map(placed, removed), sys.stderr)
    if verified.beyond and not removed:
        click.echo(
            f"note: the .inputs files go on to {verified.beyond}, which is not closed: a run was "
            "interrupted, or closed days were removed. Use --head to find out which.",
            err=True,
        )


def answer(path: str, verified: Verification, *, whole: bool) -> dict[str, Any]:
    """Return the answer of the command, as JSON has it.

    whole  no month was removed
    """
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
        "compacted": list(verified.compacted),
    }


def lines(path: str, verified: Verification) -> Iterator[str]:
    """Yield the answer of the command for a person: what is broken, what holds, the head."""
    closes = verified.seals
    if verified.broken is not None:
        broken = verified.broken
        file = beside(path, broken.file) if broken.file else path
        at = Source(str(Path(file).absolute()), broken.line)
        yield line_of(placed(problems.broken_chain(at, broken.date, broken.why)))
    if not closes:
        yield "No day is closed." if verified.broken is None else "No seal holds."
        return
    days = f"{counted(len(closes), 'day')}, {closes[0].date} to {closes[-1].date}"
    yield f"{'Sound' if verified.broken is None else 'Sound before it'}: {days}."
    if months := verified.compacted:
        span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
        yield f"Compacted: {counted(len(months), 'month')}, {span}, the sums of their days."
    yield f"Head: {closes[-1].digest}"
