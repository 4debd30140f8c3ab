"""Closed days: seals and a correction, against bean-check; five years at once, against one."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import books
from loading import length
from timing import BIN, Row, interleave, output, ratios, seconds

FIRST = date(2020, 1, 1)
BACKLOG = 5.50
"""Five times as many days take five times as long."""


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Whole processes, on a ledger that is all closed; nothing is written."""
    months, rounds = (1, 3) if quick else (12, 5)
    days = 31 if quick else 366
    ledger = books.write(books.Book(2, 5, days, FIRST, posted=True), folder / "closing")
    usance, last = BIN / "usance", str(FIRST + timedelta(days=days))
    output([usance, "accrue", ledger, "--through", str(FIRST + timedelta(days=days - 1))])
    text = ledger.read_text()
    times = interleave(
        rounds,
        {
            "verify": lambda: seconds(usance, "verify", ledger),
            "check": lambda: seconds(BIN / "bean-check", ledger),
        },
    )
    behind = f"{months} month{'' if months == 1 else 's'} posted"
    yield Row(f"verify / bean-check: {behind}", ratios(times, "verify", "check"))

    def edited(*words: str | Path) -> float:
        ledger.write_text(text.replace(" 0.040000 ", " 0.050000 ", 1))
        spent = seconds(*words)
        ledger.write_text(text)
        return spent

    times = interleave(
        rounds,
        {
            "correct": lambda: edited(
                usance, "accrue", ledger, "--correct", "--dry-run", "--through", last
            ),
            "check": lambda: seconds(BIN / "bean-check", ledger),
        },
    )
    what = f"accrue --correct of the first day / bean-check: {behind}"
    yield Row(what, ratios(times, "correct", "check"))
    yield _backlog(folder / "backlog", 30 if quick else books.YEAR)


def _backlog(folder: Path, days: int) -> Row:
    """Close five times as many days in one run, and those days in one; nothing is closed before."""
    ledger = books.write(books.Book(2, 5, 5 * days, FIRST, posted=True), folder)
    posted = ledger.with_name("posted")
    kept = posted.rename(ledger.with_name("kept"))

    def close(count: int) -> float:
        shutil.rmtree(posted, ignore_errors=True)
        shutil.copytree(kept, posted)
        through = FIRST + timedelta(days=count - 1)
        return seconds(BIN / "usance", "accrue", ledger, "--through", str(through))

    times = interleave(3, {"long": lambda: close(5 * days), "short": lambda: close(days)})
    what = f"accrue of {length(5 * days)} at once / of {length(days)}: none posted"
    return Row(what, ratios(times, "long", "short"), BACKLOG)
