"""`usance reopen`: move closed days away, so that they are open again."""

import datetime
import sys
from pathlib import Path

import click

from usance.close import reopening
from usance.close.folder import broken_at, finds_below, folder_of
from usance.close.reopening import Reopening
from usance.close.seals import Broken
from usance.commands.messages import beside, placed, refuse
from usance.commands.options import DAYS, first_of, with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.ledger.disk import Disk, locked
from usance.model import problems
from usance.model.problems import Source


@click.command(short_help="Move closed days away, from a date on")
@with_ledger
@click.option(
    "--from",
    "since",
    type=first_of,
    metavar="DATE",
    required=True,
    help=f"First day that is open again: {DAYS}",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and move nothing.")
@with_lines
def reopen(path: str, since: datetime.date, dry_run: bool, form: str) -> None:
    """Open closed days again, from a date on.

    The command moves their files to posted/reopened-HEAD, where HEAD is the digest of the last
    closed day so far. Nothing is deleted: to go back, move the files from there into posted. The
    ledger is not loaded, so this is a way out if closed days cannot be loaded any more.

    The days of a compacted month come back first: usance compact --undo.

    A head that you keep elsewhere, for example in a git tag, is no longer that of the books. The
    usual way to change closed days is usance accrue --correct, which keeps it.

    \b
    Examples:
      usance reopen books/main.beancount --from 2025-06-01 --dry-run
      usance reopen books/main.beancount --from 2025-06-01
    """
    folder, missing = folder_of(Path(path).absolute())
    if missing:
        refuse(map(placed, missing))
    disk = Disk()
    with locked(folder, lambda: click.echo("Another run is writing. Waiting for it.", err=True)):
        if month := reopening.compacted(folder, disk, since):
            at = Source(str(folder / f"{month}.beancount"), 1)
            refuse([placed(problems.month_compacted(at, month))])
        planned = reopening.plan(folder, disk, since)
        if planned is not None and (wide := finds_below(Path(path).absolute(), folder)):
            refuse(map(placed, wide))
        if isinstance(planned, Broken):
            refuse([placed(broken_at(folder, planned))])
        if planned is not None and not dry_run:
            reopening.reopen(planned, disk)
    if form == "json":
        click.echo(as_json(_answer(path, planned)), nl=False)
    elif planned is None:
        click.echo(f"No day from {since} on is closed, so nothing was moved.", file=sys.stdout)
    else:
        _show(path, planned, dry_run=dry_run)


def _answer(path: str, planned: Reopening | None) -> dict[str, object]:
    if planned is None:
        return {"reopened": [], "folder": None, "head": None, "former_head": None}
    return {
        "reopened": list(planned.days),
        "folder": beside(path, planned.folder.name),
        "head": planned.left or None,
        "former_head": planned.head or None,
    }


def _show(path: str, planned: Reopening, *, dry_run: bool) -> None:
    first, last = planned.days[0], planned.days[-1]
    span = first if first == last else f"{first} to {last}"
    verb = "Would reopen" if dry_run else "Reopened"
    click.echo(f"{verb} {counted(len(planned.days), 'day')}, {span}.")
    click.echo(f"  their files: {beside(path, planned.folder.name)}")
    click.echo(f"Former head: {planned.head or 'none'}")
    click.echo(f"Head: {planned.left or 'none, no day is closed'}")
