"""The daily run: one more day behind a history of posted ones, against bean-check of the book."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import books
from timing import BIN, Row, interleave, output, ratios, seconds

AIM = 1.20
FIRST = date(2020, 1, 16)
"""So that the new day falls into a month that is half posted."""


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Whole processes; the posted folder is put back before each run."""
    if quick:
        yield _row(folder, 1, 3)
        return
    yield _row(folder, 1, 7)
    yield _row(folder, 12, 5)
    yield _row(folder, 60, 3)
    yield _row(folder, 12, 3, hourly=True)


def _row(folder: Path, months: int, rounds: int, *, hourly: bool = False) -> Row:
    years, month = divmod(FIRST.month - 1 + months, 12)
    new_day = FIRST.replace(year=FIRST.year + years, month=month + 1)
    days = (new_day - FIRST).days
    book = books.Book(2, 5, days + 1, FIRST, hourly=hourly, posted=True)
    ledger = books.write(book, folder / f"accrue-{months}{'-hourly' if hourly else ''}")
    posted = ledger.with_name("posted")
    kept = ledger.with_name("kept")
    usance = BIN / "usance"
    output([usance, "accrue", ledger, "--through", str(new_day - timedelta(days=1))])
    shutil.copytree(posted, kept)

    def run(*arguments: str | Path) -> float:
        shutil.rmtree(posted)
        shutil.copytree(kept, posted)
        return seconds(*arguments)

    times = interleave(
        rounds,
        {
            "accrue": lambda: run(usance, "accrue", ledger, "--through", str(new_day)),
            "check": lambda: run(BIN / "bean-check", ledger),
        },
    )
    behind = "1 month" if months == 1 else f"{months} months"
    rates = ", hourly rates files" if hourly else ""
    what = f"accrue one more day / bean-check: {behind} posted{rates}"
    return Row(what, ratios(times, "accrue", "check"), AIM)
