"""Options: what several commands take, and how they take it."""

import datetime
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from usance.language.reading import Reading
from usance.ledger.load import Ledger, load
from usance.model.hours import date_of

YESTERDAY = "yesterday"


def date(text: str) -> datetime.date:
    """Return the date `YYYY-MM-DD` of an option."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} is not a date. Write it as 2025-05-31.")


def date_or_yesterday(text: str) -> datetime.date:
    """Return a date, or the day before today in UTC: the one place where a clock is read."""
    if text == YESTERDAY:
        return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    return date(text)


def digest(text: str) -> str:
    """Return the digest of an option."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    raise click.BadParameter(
        f"{text!r} is not a digest. Write the 64 characters of 0-9 and a-f that verify prints."
    )


FILE = click.Path(exists=True, dir_okay=False, readable=True)

Command = Callable[..., None]


def with_ledger(command: Command) -> Command:
    """Give a command its ledger, loaded, and turn a full disk into one clear message."""

    @wraps(command)
    def guarded(**values: Any) -> None:
        try:
            command(**values)
        except BrokenPipeError:
            raise  # whoever reads, as `head` does, has enough; click ends quietly
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


with_lines = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Lines for people, or an object for programs.",
)


with_at = click.option(
    "--at", type=date, metavar="DATE", help="End of this day; by default the last day of the books."
)


def with_period(command: Command) -> Command:
    """Give a command the days that it is about, --from and --to."""
    first = click.option(
        "--from",
        "begin",
        type=date,
        metavar="DATE",
        help="First day; by default the first of the books.",
    )
    last = click.option(
        "--to", "end", type=date, metavar="DATE", help="Last day; by default the last of the books."
    )
    return first(last(command))


def days_of(
    begin: datetime.date | None, end: datetime.date | None, horizon: int
) -> tuple[int | None, int | None]:
    """Return the days of a period, None where one was not asked for; both within the books."""
    within_books(begin, horizon, "--from")
    within_books(end, horizon, "--to")
    if begin is not None and end is not None and begin > end:
        raise click.UsageError(f"--from {begin} is after --to {end}. Swap the two dates.")
    first, last = (None if day is None else day.toordinal() for day in (begin, end))
    return first, last


def within_books(asked: datetime.date | None, last: int, option: str) -> None:
    """Refuse a day that the books do not reach."""
    if asked is not None and asked.toordinal() > last:
        until = "have no day yet. Write a transaction first"
        if last:
            until = f"end on {date_of(last)}. Write that day or an earlier one"
        raise click.UsageError(f"{option} {asked} is beyond the books, which {until}.")


with_name = click.option(
    "--sub-account", "name", metavar="NAME", help="Only this one; by default all."
)


def loaded_until(path: str, at: datetime.date | None) -> tuple[Ledger, Reading]:
    """Load a ledger, whose books must reach a day."""
    ledger = load(path)
    reading = ledger.read()
    within_books(at, reading.last, "--at")
    return ledger, reading


def last_day(reading: Reading, at: datetime.date | None) -> int:
    """Return the day of --at, else the last one of the books."""
    return max(1, reading.last) if at is None else at.toordinal()
