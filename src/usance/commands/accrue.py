"""`usance accrue`: close days, by posting their transactions."""

import datetime
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from usance.close.folder import edited, folder_of
from usance.close.posting import Posting, Request, plan
from usance.commands.messages import beside, located, placed, refuse, show
from usance.commands.options import DAYS, last_of, with_format, with_ledger, yesterday
from usance.commands.tables import as_json, comma_separated, counted, table
from usance.engine.lived_day import LivedDay
from usance.language.provenance import ClosedMonths
from usance.ledger.disk import Disk, locked, write
from usance.ledger.errors import UsanceChange, is_of_other_plugin
from usance.ledger.load import Ledger, load
from usance.model.amounts import decimal_text
from usance.model.hours import Day, date_of, day_of, iso

FAR = 400
"""Days after the last day that is over, and that the ledger speaks of, which nobody closes."""

MANY_DAYS = 200
"""A run of so many days shows a progress bar."""

OLD_FIGURES = (
    "A day that rests on an old rate or price is not posted. Use --stale-ok to post it anyway."
)


def reason_of(text: str) -> str:
    """Return the reason of a correction: one line, as a string of the ledger holds it."""
    reason = text.strip()
    if not reason or not reason.isprintable():
        raise click.BadParameter("write one line of text.")
    return reason


@click.command(short_help="Close days: post and seal their transactions")
@with_ledger
@click.option(
    "--through",
    type=last_of,
    metavar="DATE",
    show_default="the horizon, at most yesterday (UTC)",
    help=f"Last day to close: {DAYS}",
)
@click.option("--dry-run", is_flag=True, help="Print the text to post, and write nothing.")
@click.option(
    "--correct",
    is_flag=True,
    help="Post, on the first open day, the difference between changed closed days as posted and as "
    "computed now.",
)
@click.option(
    "--reason",
    type=reason_of,
    metavar="TEXT",
    help="With --correct: why, kept in the correction.",
)
@click.option("--stale-ok", is_flag=True, help="Also close days that rest on an old rate or price.")
@with_format
def accrue(
    path: str,
    through: datetime.date | None,
    dry_run: bool,
    correct: bool,
    reason: str | None,
    stale_ok: bool,
    form: str,
) -> None:
    """Close days: post their transactions to posted/YYYY-MM.beancount.

    Each closed day gets a seal. A second run changes nothing, and a late run also closes the days
    that were missed. If the ledger has an error, nothing is written.

    Without --through, no day is closed that is not over yet in UTC, and a first run closes 45 days
    at most.

    If a person changes a closed day, that is an error. Undo the change, or post the difference with
    --correct, which closes the first open day alone unless you use --through. Posted text is never
    rewritten.

    \b
    Examples:
      usance accrue books/main.beancount
      usance accrue books/main.beancount --through yesterday
      usance accrue books/main.beancount --through 2025-05-31 --dry-run
      usance accrue books/main.beancount --correct --reason "Rate of 5 May was wrong"
    """
    if reason is not None and not correct:
        raise click.UsageError("--reason says why closed days are corrected. Add --correct.")
    until, over = None if through is None else day_of(through), day_of(yesterday())
    request = Request(until, over, correct=correct, stale_ok=stale_ok, reason=reason or "")
    posting = closed(path, request, dry_run=dry_run)
    if dry_run:
        click.echo(posting.text, nl=False)
        show_differences(posting, err=True)
    else:
        _show_posting(path, posting, form)
    if posting.problems:
        click.echo(OLD_FIGURES, err=True)
        sys.exit(1)


def closed(path: str, request: Request, *, dry_run: bool = False) -> Posting:
    """Close days; a run that is refused raises an error of click.

    What a person should know besides is printed on standard error. Where the outcome has problems,
    they are findings of a day that rests on an old figure, and days before it are closed.
    """
    folder, missing = folder_of(Path(path).absolute())
    if missing:
        refuse(map(placed, missing))
    disk = Disk()
    with locked(folder, lambda: click.echo("Another run is writing. Waiting for it.", err=True)):
        ledger = load(path)
        errors, others = stopping(ledger, correct=request.correct)
        if errors:
            # An edit of closed days comes before all that follows from it.
            broken = [*map(placed, edited(folder, disk))]
            refuse([*broken, *(at for at in map(located, errors) if at not in broken)])
        if request.through is not None:
            _refuse_far(date_of(request.through), ledger)
        posting = plan(ledger, folder, request, disk, _watched)
        if any(not problem.finding for problem in posting.problems):
            refuse(map(placed, posting.problems))
        if not dry_run:
            write(posting.files, disk)
    _warn(posting, request.through, request.over)
    _show_others(others)
    show(map(placed, posting.problems), sys.stderr)
    return posting


def stopping(ledger: Ledger, *, correct: bool = False) -> tuple[list[Any], list[Any]]:
    """Return the errors that stop a run, and those of other plugins about our transactions."""
    months = ClosedMonths(ledger.folder)
    errors, others = list[Any](), list[Any]()
    for error in ledger.errors:
        if is_of_other_plugin(error, months):
            others.append(error)
        elif not (correct and isinstance(error, UsanceChange)):
            errors.append(error)
    return errors, others


def _show_others(others: list[Any]) -> None:
    """Show the errors of other plugins, and that they stop nothing."""
    show(map(located, others), sys.stderr)
    if others:
        click.echo(
            "Another plugin reports transactions that Usance generates. That stops nothing.",
            err=True,
        )


def _refuse_far(through: datetime.date, ledger: Ledger) -> None:
    """Refuse a year that is mistyped: such a run would take long, and close years to come."""
    last = max(date_of(max(Day(1), ledger.read().last)), yesterday())
    if (through - last).days > FAR:
        raise click.UsageError(
            f"--through {through} is more than {FAR} days after {last}. Correct the year, or close "
            "the days in several runs."
        )


def _warn(posting: Posting, until: Day | None, over: Day) -> None:
    """Say what a person should know about the last day."""
    last = posting.days[-1] if posting.days else None
    if last is not None and until is not None and last > iso(over):
        click.echo(
            f"warning: {last} is not over yet (UTC). What happens until then changes a closed day.",
            err=True,
        )
    if posting.beyond is not None and until is None:
        click.echo(
            f"The ledger speaks of days until {posting.beyond}; days after {iso(over)} are not "
            "over, and stay open. Use --through to close them.",
            err=True,
        )


def _watched(days: Iterator[LivedDay], count: int) -> Iterator[LivedDay]:
    """Pass days on; many days show a progress bar on a terminal."""
    if count < MANY_DAYS or not sys.stderr.isatty():
        yield from days
        return
    with click.progressbar(days, length=count, label="Days", file=sys.stderr) as bar:
        yield from bar


def answer(path: str, posting: Posting) -> dict[str, Any]:
    """Return the answer of the command, as JSON has it."""
    found = {
        "posted": posting.days,
        "transactions": posting.transactions,
        "files": _files(path, posting),
        "corrections": posting.corrections,
        "findings": posting.findings,
        "through": posting.last,
    }
    if posting.changes:
        found["changes"] = posting.changes
        found["differences"] = [
            {
                "sub_account": row.name,
                "account": row.account,
                "commodity": row.commodity,
                "posted": decimal_text(row.posted),
                "now": decimal_text(row.now),
                "difference": decimal_text(row.difference),
            }
            for row in posting.differences
        ]
    return found


def line_of(posting: Posting) -> str:
    """Return the answer of the command in one line."""
    if not posting.days:
        last = posting.last
        return f"Nothing to post: {f'closed through {last}' if last else 'no day is closed yet'}."
    days, last = posting.days[0], posting.days[-1]
    if last != days:
        days += f" to {last}"
    wrote = counted(posting.transactions, "transaction")
    if posting.corrections:
        wrote += f", including {counted(posting.corrections, 'correction')}"
    return f"Posted {days}: {wrote}."


def show_notes(posting: Posting) -> None:
    """Print on standard error what was corrected and found."""
    for change in posting.changes:
        click.echo(f"Corrected: {change}.", err=True)
    for finding in dict.fromkeys(posting.findings):
        click.echo(f"finding: {finding}", err=True)


def show_differences(posting: Posting, *, err: bool) -> None:
    """Print what a correction posts to each account."""
    if not posting.differences:
        return
    heads = ["Sub-account", "Account", "", "Posted ", "Now ", "Difference "]
    rows = [
        [*row[:3], *(decimal_text(number) for number in row[3:])] for row in posting.differences
    ]
    shown = table("\nCorrection: now less posted, of all closed days", heads, rows)
    click.echo(shown, nl=False, err=err)


def _files(path: str, posting: Posting) -> list[str]:
    return [beside(path, name.name) for name, _ in posting.files]


def _show_posting(path: str, posting: Posting, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer(path, posting)), nl=False)
        case "csv":
            click.echo(comma_separated(["date"], [[day] for day in posting.days]), nl=False)
        case _:
            show_notes(posting)
            click.echo(line_of(posting))
            for file in _files(path, posting):
                click.echo(f"  {file}")
            show_differences(posting, err=False)
