"""Closed days: following their seals, and correcting the first of them, against bean-check."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import books
from timing import BIN, Row, interleave, output, ratios, seconds

FIRST = date(2020, 1, 1)


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
