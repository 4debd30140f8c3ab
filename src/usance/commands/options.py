"""Options that several commands share, and how their values are read."""

import contextlib
import datetime
import re
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from usance.commands.messages import loaded
from usance.language.reading import Reading
from usance.ledger import plugin_lines
from usance.ledger.load import BrokenPluginError, Ledger, broken_plugin
from usance.model.hours import Day, date_of, day_of, month_end

YESTERDAY = "yesterday"


def date(text: str) -> datetime.date:
    """Return the date `YYYY-MM-DD` of an option."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} is not a date. Write it as 2025-05-31.")


def first_of(text: str) -> datetime.date:
    """Return a date, today or yesterday (UTC), or the first day of a month `YYYY-MM`."""
    return _when(text, last=False)


def last_of(text: str) -> datetime.date:
    """Return a date, today or yesterday (UTC), or the last day of a month `YYYY-MM`."""
    return _when(text, last=True)


def _when(text: str, *, last: bool) -> datetime.date:
    if text in ("today", YESTERDAY):
        return yesterday() + datetime.timedelta(days=text == "today")
    if re.fullmatch(r"\d{4}-\d\d", text, re.ASCII):
        first = date(f"{text}-01")
        return date_of(month_end(day_of(first))) if last else first
    return date(text)


def date_or_yesterday(text: str) -> datetime.date:
    """Return a date, or the day before today in UTC."""
    return yesterday() if text == YESTERDAY else date(text)


def yesterday() -> datetime.date:
    """Return the last day that is over in UTC: the one place where a clock is read."""
    return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)


def digest(text: str) -> str:
    """Return the digest of an option."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    raise click.BadParameter(
        f"{text!r} is not a digest. Write the 64 characters of 0-9 and a-f that verify prints."
    )


class LedgerFile(click.Path):
    """The path of a ledger: a file that is there."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True)

    def get_missing_message(
        self, param: click.Parameter, ctx: click.Context | None = None
    ) -> str | None:
        """Say what names a ledger that was left out."""
        del param, ctx
        return "Write the path of a ledger, or let the variable USANCE_FILE name it."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; of a folder, suggest the ledger in it."""
        folder = Path(value)
        if folder.is_dir():
            ledger = folder / "main.beancount"
            hint = f"Write {ledger}" if ledger.is_file() else "Write the path of a ledger in it"
            self.fail(f"{str(value)!r} is a folder. {hint}.", param, ctx)
        return super().convert(value, param, ctx)


Command = Callable[..., None]


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Turn an error of the disk or of a plugin into one of click, which is one line."""
    try:
        yield
    except BrokenPipeError:
        raise  # a reader such as `head` has enough; click ends quietly
    except BrokenPluginError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{name}{error.strerror or error}") from error
    except (click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except Exception as error:
        # A plugin may hand on what is no directive. Without one, it is a fault of ours.
        if not plugin_lines.others(path):
            raise
        raise click.ClickException(broken_plugin(path, error)) from error


def with_ledger(command: Command) -> Command:
    """Give a command its LEDGER, and print an error of the disk or of a plugin as one line."""

    @wraps(command)
    def guarded(**values: Any) -> None:
        with told(values["path"]):
            command(**values)

    argument = click.argument(
        "path", metavar="LEDGER", type=LedgerFile(), envvar=["USANCE_FILE", "BEANCOUNT_FILE"]
    )
    return argument(guarded)


with_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="A table for people; JSON or CSV for programs.",
)


with_lines = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Lines for people, JSON for programs.",
)


with_at = click.option(
    "--at",
    type=date,
    metavar="DATE",
    show_default="the last day of the books",
    help="Show the end of this day.",
)


def with_period(command: Command) -> Command:
    """Give a command its period, --from and --to."""
    first = click.option(
        "--from",
        "begin",
        type=date,
        metavar="DATE",
        show_default="the first day of the books",
        help="First day.",
    )
    last = click.option(
        "--to",
        "end",
        type=date,
        metavar="DATE",
        show_default="the last day of the books",
        help="Last day.",
    )
    return first(last(command))


def days_of(
    begin: datetime.date | None, end: datetime.date | None, horizon: Day
) -> tuple[Day | None, Day | None]:
    """Return the first and last day of a period, or None for a day that was not asked for.

    A day beyond the books is wrong usage.
    """
    within_books(begin, horizon, "--from")
    within_books(end, horizon, "--to")
    if begin is not None and end is not None and begin > end:
        raise click.UsageError(f"--from {begin} is after --to {end}. Swap the two dates.")
    first, last = (None if day is None else day_of(day) for day in (begin, end))
    return first, last


def within_books(asked: datetime.date | None, last: Day, option: str) -> None:
    """Refuse a day that the books do not reach."""
    if asked is not None and day_of(asked) > last:
        until = "have no day yet. Write a transaction first"
        if last:
            until = f"end on {date_of(last)}. Write that day or an earlier one"
        raise click.UsageError(f"{option} {asked} is beyond the books, which {until}.")


with_name = click.option(
    "--sub-account",
    "name",
    metavar="NAME",
    show_default="all",
    help="Show only this sub-account.",
)


def loaded_until(path: str, at: datetime.date | None) -> tuple[Ledger, Reading]:
    """Load and read a ledger; a day beyond its books is wrong usage."""
    ledger = loaded(path)
    reading = ledger.read()
    within_books(at, reading.last, "--at")
    return ledger, reading


def last_day(reading: Reading, at: datetime.date | None) -> Day:
    """Return the day of --at, or the last day of the books."""
    return max(Day(1), reading.last) if at is None else day_of(at)
