"""A statement of a year, against a load of the same book."""

from collections.abc import Iterator
from pathlib import Path

import books
from timing import BIN, Row, interleave, output, ratios, seconds

AIM = 1.5


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Whole processes, with 5 sub-accounts that have 5 coins; first no day is closed, then each."""
    days, rounds = (60, 2) if quick else (books.YEAR, 5)
    book = books.Book(5, 5, days, posted=True)
    ledger = books.write(book, folder / "stating")
    ledger.write_text(ledger.read_text() + "".join(books.traded(book)))
    yield _row(ledger, "no day closed", rounds)
    output([BIN / "usance", "accrue", ledger, "--through", str(book.day(days - 1))])
    yield _row(ledger, "every day closed", rounds)


def _row(ledger: Path, which: str, rounds: int) -> Row:
    times = interleave(
        rounds,
        {
            "statement": lambda: seconds(BIN / "usance", "statement", ledger, "--by", "month"),
            "check": lambda: seconds(BIN / "bean-check", ledger),
        },
    )
    what = f"statement of a year by month / bean-check: 5 sub-accounts, {which}"
    return Row(what, ratios(times, "statement", "check"), AIM)
