"""The books that a report opens, and the days of its options."""

import datetime

import click
from beancount.core.data import Transaction

from usance.books import Books
from usance.commands.messages import loaded
from usance.commands.tables import counted
from usance.model.hours import date_of, day_of


def period_of(
    books: Books, begin: datetime.date | None, end: datetime.date | None
) -> tuple[datetime.date | None, datetime.date | None]:
    """Return the days of --from and --to as they are asked; say if they are beyond the books.

    Wrong usage if the period would have no day.
    """
    if begin is not None and end is not None and begin > end:
        raise click.UsageError(f"--from {begin} is after --to {end}. Swap the two dates.")
    books.must_be_near(begin, "from")
    asked = books.evening_asked(end, "to")
    tell_of_horizon(books, end, "--to")
    if begin is not None and day_of(begin) > asked:
        raise click.UsageError(
            f"--from {begin} is after {date_of(asked)}, the last day of the books. Add --to."
        )
    return begin, end


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
