"""The command line. No arithmetic: loading, posting and reports are asked, and shown."""

import datetime
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click

from usance import __version__, ledger, posted, posting, problems, reports, verification
from usance.closed import POSTED
from usance.disk import Disk, locked, write
from usance.engine import Day
from usance.ledger import UsanceChange
from usance.margin_commands import efficiency, margin, stress
from usance.messages import located, placed, refuse, show
from usance.options import date_or_yesterday, digest, with_format, with_ledger, with_lines
from usance.problems import Source
from usance.report_commands import accounts, lending
from usance.tables import as_json, comma_separated
from usance.verification import Verification
from usance.yield_commands import yield_

MANY_DAYS = 200
"""From how many days on a run shows a bar."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="usance")
def main() -> None:
    """Keep the books of a global margin account in Beancount.

    LEDGER is a Beancount file with a line  plugin "usance.plugins". It may also come from
    USANCE_FILE or BEANCOUNT_FILE.

    \b
    Examples:
      usance init books
      usance check books/main.beancount
      usance accrue books/main.beancount --through yesterday
    """


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def init(folder: str) -> None:
    """Write a ledger to start from: DIR/main.beancount and DIR/posted.

    It loads, accrues, and has terms to edit. Nothing is ever overwritten.

    \b
    Example:
      usance init books
    """
    top = Path(folder)
    files = {
        top / "main.beancount": resources.files("usance")
        .joinpath("first_month.beancount")
        .read_text("utf-8"),
        top
        / "posted"
        / "first.beancount": "; Closed days are posted beside this file, a month each.\n",
    }
    taken = [str(path) for path in files if path.exists() or path.is_symlink()]
    if taken:
        raise click.ClickException(f"{taken[0]} is there already. Name another folder.")
    try:
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    for path in files:
        click.echo(f"Wrote {path}")
    click.echo(f"Now try: usance lending {top / 'main.beancount'} --to 2025-05-07")


@main.command()
@with_ledger
@with_lines
def check(path: str, form: str) -> None:
    """Print every error and finding of LEDGER, as file:line: message.

    Errors are Beancount's and ours; a finding is a fact about an account. The chain of closed
    days is followed too. Exits 1 where there is an error or a finding; a note, about lots that
    could repay what is owed, is none.

    \b
    Example:
      usance check books/main.beancount
    """
    book = ledger.load(path)
    folder = Path(book.path).parent / POSTED
    broken = posted.chain(book, folder, Disk()) if posted.has_months(folder) else []
    errors = [*map(located, book.errors), *map(placed, broken)]
    findings = [*map(located, book.findings)]
    notes = [*map(placed, reports.lots_that_could_repay(book, book.read()))]
    if form == "json":
        found = {"errors": errors, "findings": findings, "notes": notes}
        click.echo(as_json({"ok": not (errors or findings), **found}), nl=False)
    else:
        show([*errors, *findings], sys.stdout)
        show(({**note, "message": f"note: {note['message']}"} for note in notes), sys.stdout)
        if not errors and not findings:
            click.echo(f"{path}: nothing wrong in {_count(len(book.entries), 'directive')}")
    sys.exit(1 if errors or findings else 0)


@main.command()
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


@main.command()
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
    days = f"{_count(len(closes), 'day')}, {closes[0].date} to {closes[-1].date}"
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
                click.echo(f"Posted {days}: {_count(made.transactions, 'transaction')}.")
                for file in files:
                    click.echo(f"  {file}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


for command in (lending, margin, stress, yield_, efficiency, accounts):
    main.add_command(command)
