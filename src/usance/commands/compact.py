"""`usance compact`: closed months as their sums, and back."""

import sys
from pathlib import Path

import click

from usance.close import compacting
from usance.close.compacting import Compaction
from usance.close.folder import edited, finds_below, folder_of
from usance.commands.accrue import stopping
from usance.commands.messages import Place, located, placed, refuse, show
from usance.commands.options import with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.ledger.disk import Disk, locked
from usance.ledger.load import load
from usance.model.problems import Problem

KEEP = 12


@click.command(short_help="Keep old closed months as their sums")
@with_ledger
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    show_default=str(KEEP),
    help="Leave the last N months with closed days as they are.",
)
@click.option("--undo", is_flag=True, help="Bring the days of all compacted months back.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@with_lines
def compact(path: str, keep: int | None, undo: bool, dry_run: bool, form: str) -> None:
    """Keep old closed months as their sums, so that the ledger loads faster.

    Of each month that is older than the last N, one transaction for each kind and sub-account is
    left, on the month's last day, with the last carries. The days move unchanged to posted/daily,
    which no ledger includes. Balances at the end of each month stay the same; reports, explain and
    --correct read the days there, and verify proves the sums from them.

    A month in which something depends on its days, such as a balance that you assert within it,
    stays as it is, and is named.

    \b
    Examples:
      usance compact books/main.beancount --dry-run
      usance compact books/main.beancount --keep 24
      usance compact books/main.beancount --undo
    """
    if undo and (keep is not None or dry_run):
        raise click.UsageError("--undo brings all days back. Leave out --keep and --dry-run.")
    top = Path(path).absolute()
    folder, missing = folder_of(top)
    if missing := missing or finds_below(top, folder):
        refuse(map(placed, missing))
    disk, restored = Disk(), list[str]()
    with locked(folder, lambda: click.echo("Another run is writing. Waiting for it.", err=True)):
        if undo:
            compaction, restored = Compaction(), _undone(folder, disk)
        else:
            compaction = _planned(path, folder, KEEP if keep is None else keep, disk)
            if not dry_run:
                compacting.compact(compaction, folder, disk)
    stay = [placed(problem) for problem in compaction.daily]
    if form == "json":
        click.echo(as_json(_answer(compaction, stay, restored)), nl=False)
        return
    show(stay, sys.stderr)
    if undo:
        click.echo(
            f"Brought back the days of {_span(restored)}." if restored else "No month is compacted."
        )
    else:
        _show(compaction, KEEP if keep is None else keep, dry_run=dry_run)


def _planned(path: str, folder: Path, keep: int, disk: Disk) -> Compaction:
    ledger = load(path)
    errors, _ = stopping(ledger)
    if errors:
        broken = [*map(placed, edited(folder, disk))]
        refuse([*broken, *(at for at in map(located, errors) if at not in broken)])
    compaction = compacting.plan(ledger, folder, keep, disk)
    if compaction.problems:
        refuse(map(placed, compaction.problems))
    return compaction


def _undone(folder: Path, disk: Disk) -> list[str]:
    restored = compacting.undo(folder, disk)
    if isinstance(restored, Problem):
        refuse([placed(restored)])
    return restored


def _answer(compaction: Compaction, stay: list[Place], restored: list[str]) -> dict[str, object]:
    return {
        "compacted": compaction.months,
        "compacted_before": compaction.before,
        "transactions": {"days": compaction.days, "sums": compaction.sums},
        "daily": [
            {"month": problem.facts[0], **place}
            for problem, place in zip(compaction.daily, stay, strict=True)
        ],
        "restored": restored,
    }


def _span(months: list[str]) -> str:
    span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
    return f"{counted(len(months), 'month')}, {span}"


def _show(compaction: Compaction, keep: int, *, dry_run: bool) -> None:
    if not compaction.months:
        last = "the last month" if keep == 1 else f"the last {keep} months"
        click.echo(f"Nothing to compact before {last}.")
        return
    verb = "Would compact" if dry_run else "Compacted"
    click.echo(
        f"{verb} {_span(compaction.months)}: {counted(compaction.days, 'transaction')} of days "
        f"become {counted(compaction.sums, 'transaction')}. "
        "The days are in posted/daily."
    )
