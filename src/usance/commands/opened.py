"""The books that a report opens, and the days of its options."""

import datetime

import click
from beancount.core.data import Transaction

from usance.books import Books
from usance.commands.messages import loaded
from usance.commands.tables import counted
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.hours import Day, date_of, day_of


def days_of(
    begin: datetime.date | None, end: datetime.date | None, ledger: Ledger
) -> tuple[Day | None, Day | None]:
    """Return the first and last day of a period, or None for a day that was not asked for."""
    first, last = (None if day is None else day_of(day) for day in (begin, end))
    if begin is not None and end is not None and begin > end:
        raise click.UsageError(f"--from {begin} is after --to {end}. Swap the two dates.")
    Books(ledger).must_be_near(begin, "from")
    asked = last_day(ledger, end, "--to")
    if first is not None and first > asked:
        raise click.UsageError(
            f"--from {begin} is after {date_of(asked)}, the last day of the books. Add --to."
        )
    return first, last


def loaded_until(path: str, at: datetime.date | None) -> tuple[Ledger, Reading, Day]:
    """Load and read a ledger; return them with the day of --at, or the last day of the books."""
    ledger = loaded(path)
    reading = ledger.read()
    return ledger, reading, last_day(ledger, at, "--at")


def last_day(ledger: Ledger, at: datetime.date | None, option: str) -> Day:
    """Return the day of an option, or the last day of the books.

    Say on standard error if the days until then are beyond the books, or what it leaves out.
    """
    books = Books(ledger)
    day = books.evening_asked(at, option.removeprefix("--"))
    tell_of_horizon(books, at, option)
    return day


def opened(path: str) -> Books:
    """Load a ledger for a report; exit 1 if no plugin line puts its terms to use."""
    return Books(loaded(path))


def tell_of_horizon(books: Books, at: datetime.date | None, option: str) -> None:
    """Say on standard error if a day is beyond the books, or what they leave out."""
    ledger, reading = books.ledger, books.reading
    if at is None:
        later = [
            entry.date
            for entry in ledger.entries
            if isinstance(entry, Transaction) and day_of(entry.date) > reading.last
        ]
        if reading.last and later:
            until = f"{'until' if later[0] < later[-1] else 'of'} {later[-1]}"
            click.echo(
                f"The books run to {date_of(reading.last)}; {counted(len(later), 'transaction')} "
                f"{until} {'are' if len(later) > 1 else 'is'} not counted: add {option} "
                f"{later[-1]}.",
                err=True,
            )
    elif day_of(at) > reading.last:
        click.echo(
            f"The books run to {date_of(reading.last)}. The days after it are computed with the "
            "terms and prices that are in force then.",
            err=True,
        )
