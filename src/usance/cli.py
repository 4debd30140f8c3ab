"""The command line. No arithmetic: loading, posting and reports are asked, and shown."""

import datetime
import sys
from collections.abc import Callable
from dataclasses import astuple, fields
from decimal import Decimal
from functools import wraps
from importlib import resources
from pathlib import Path
from typing import Any

import click

from usance import __version__, ledger, posting, reports
from usance.closed import POSTED
from usance.hours import date_of
from usance.messages import located, placed, refuse, report, show
from usance.posting import Disk
from usance.tables import as_json, comma_separated, table

YESTERDAY = "yesterday"


def date(text: str) -> datetime.date:
    """Return the date `YYYY-MM-DD` of an option."""
    try:
        if len(text) == len("2025-05-31"):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} is no date. Write it as 2025-05-31.")


def date_or_yesterday(text: str) -> datetime.date:
    """Return a date, or the day before today in UTC: the one place where a clock is read."""
    if text == YESTERDAY:
        return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    return date(text)


FILE = click.Path(exists=True, dir_okay=False, readable=True)

Command = Callable[..., None]


def with_ledger(command: Command) -> Command:
    """Give a command its ledger, loaded, and turn a full disk into one clear message."""

    @wraps(command)
    def guarded(**values: Any) -> None:
        try:
            command(**values)
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{name}{error.strerror or error}") from error

    argument = click.argument(
        "path", metavar="LEDGER", type=FILE, envvar=["USANCE_FILE", "BEANCOUNT_FILE"]
    )
    return argument(guarded)


with_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="A table for people, an object or rows for programs.",
)


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
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    for path in files:
        click.echo(f"Wrote {path}")
    click.echo(f"Now try: usance lending {top / 'main.beancount'} --to 2025-05-07")


@main.command()
@with_ledger
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Lines for people, or an object for programs.",
)
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
    broken = posting.chain(book, folder, Disk()) if posting.has_months(folder) else []
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
@click.option("--stale-ok", is_flag=True, help="Close also days whose rates come from an old row.")
@with_format
def accrue(
    path: str, through: datetime.date | None, dry_run: bool, stale_ok: bool, form: str
) -> None:
    """Close days: post their transactions to posted/YYYY-MM.beancount.

    Each day is sealed; running it again changes nothing, and missed days are caught up. A ledger
    with any error is left as it is.

    \b
    Examples:
      usance accrue books/main.beancount
      usance accrue books/main.beancount --through yesterday
      usance accrue books/main.beancount --through 2025-05-31 --dry-run
    """
    folder, missing = posting.folder_of(Path(path).absolute())
    if missing:
        refuse(map(placed, missing))
    disk = Disk()
    with posting.locked(folder, lambda: click.echo("Another run is at work; waiting.", err=True)):
        book = ledger.load(path)
        if book.errors:
            refuse(map(located, book.errors))
        last = None if through is None else through.toordinal()
        made = posting.plan(book, last, stale_ok=stale_ok, disk=disk, folder=folder)
        if any(not problem.finding for problem in made.problems):
            refuse(map(placed, made.problems))
        if not dry_run:
            posting.write(made.files, disk)
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


def _show_posting(path: str, made: posting.Posting, form: str) -> None:
    files = [str(Path(path).parent / POSTED / name.name) for name, _ in made.files]
    match form:
        case "json":
            answer = {
                "posted": made.days,
                "transactions": made.transactions,
                "files": files,
                "corrections": 0,
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


@main.command()
@with_ledger
@click.option(
    "--from",
    "begin",
    type=date,
    metavar="DATE",
    help="First day; by default the first of the books.",
)
@click.option(
    "--to", "end", type=date, metavar="DATE", help="Last day; by default the last of the books."
)
@with_format
def lending(path: str, begin: datetime.date | None, end: datetime.date | None, form: str) -> None:
    """Show interest by day, sub-account, coin and side, and each pool's conservation.

    \b
    Examples:
      usance lending books/main.beancount --from 2025-05-01 --to 2025-05-07
      usance lending books/main.beancount --format csv > interest.csv
    """
    book = ledger.load(path)
    reading = book.read()
    _within_books(end, reports.last_day(reading), "--to")
    first, last = (None if day is None else day.toordinal() for day in (begin, end))
    answer = reports.lending(reading, first, last)
    rows = [astuple(row) for row in answer["rows"]]
    names = [field.name for field in fields(reports.Interest)]
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(comma_separated(names, rows), nl=False)
        case _:
            heads = [
                "Date",
                "Sub-account",
                "Venue",
                "Coin",
                "Side",
                "Principal ",
                "Average principal ",
                "Interest ",
            ]
            short = [(*row[:6], _short(row[6]), row[7]) for row in rows]
            click.echo(table("Interest", heads, short), nl=False)
            heads = [
                "Date",
                "Venue",
                "Coin",
                "Paid by borrowers ",
                "Earned by lenders ",
                "Fee ",
                "External ",
                "Rounding ",
            ]
            pools = [astuple(row) for row in answer["pools"]]
            short = [
                (*row[:5], *(None if cell is None else _short(cell) for cell in row[5:]))
                for row in pools
            ]
            click.echo(
                table("\nPools: paid = earned + fee + external + rounding", heads, short), nl=False
            )
    report(book)


@main.command()
@with_ledger
@click.option(
    "--at", type=date, metavar="DATE", help="End of this day; by default the last day of the books."
)
@click.option("--at-cost", is_flag=True, help="Value lots at their cost, as booked.")
@with_format
def accounts(path: str, at: datetime.date | None, at_cost: bool, form: str) -> None:
    """Show a balance sheet for each sub-account, and net asset value.

    \b
    Examples:
      usance accounts books/main.beancount
      usance accounts books/main.beancount --at 2025-05-31 --format json
    """
    book = ledger.load(path)
    reading = book.read()
    _within_books(at, reports.last_day(reading), "--at")
    day = at or date_of(max(1, reports.last_day(reading)))
    if not book.options["operating_currency"]:
        report(book)
        return
    sheets, missing = reports.sheets(book, reading, day, at_cost=at_cost)
    total = reports.total(sheets)
    match form:
        case "json":
            click.echo(as_json(reports.accounts(day, sheets)), nl=False)
        case "csv":
            rows = [
                (sheet.name, sheet.venue, account, coin, format(number, "f"))
                for sheet in sheets
                for account, units in sheet.accounts.items()
                for coin, number in units.items()
            ]
            click.echo(
                comma_separated(["sub_account", "venue", "account", "commodity", "number"], rows),
                nl=False,
            )
        case _:
            currency = book.options["operating_currency"][0]
            basis = "at cost" if at_cost else "at fair value"
            for sheet in sheets:
                title = f"{sheet.name} at {sheet.venue}, end of {day}, {basis}"
                click.echo(
                    table(
                        title,
                        ["Account", "Units ", "", f"{currency} "],
                        reports.sheet_rows(sheet, reading.chart),
                    )
                )
            click.echo(
                table(
                    "All sub-accounts",
                    ["", f"{currency} "],
                    reports.total_rows(sheets, reading.chart, total),
                ),
                nl=False,
            )
    show(map(placed, missing), sys.stderr)
    report(book)
    if missing:
        sys.exit(1)


def _within_books(asked: datetime.date | None, last: int, option: str) -> None:
    if asked is not None and asked.toordinal() > last:
        until = f"end on {date_of(last)}" if last else "have no day yet"
        raise click.UsageError(f"{option} {asked} is beyond the books, which {until}.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _short(number: str) -> str:
    """Return a number with at most twelve decimals, for the eye; JSON and CSV have them all."""
    places = Decimal(number).as_tuple().exponent
    return f"{Decimal(number):.12f}" if isinstance(places, int) and places < -12 else number
