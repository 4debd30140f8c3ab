"""Compacted months: five posted years with twelve months as days, against all of them as days."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import books
from loading import described, virtual
from timing import BIN, Row, interleave, output, ratios, seconds

AIM = 0.25


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """One row for each size of book, and one for the next day."""
    if quick:
        yield from _rows(folder, books.Book(2, 5, 70, posted=True), "1", 2)
        return
    yield from _rows(folder, books.Book(2, 5, 5 * books.YEAR, posted=True), "12", 5)
    yield from _rows(folder, books.Book(10, 5, 5 * books.YEAR, posted=True), "12", 3)


def _rows(folder: Path, book: books.Book, keep: str, rounds: int) -> Iterator[Row]:
    whole = books.write(book, folder / f"compact-{described(book).replace(' ', '-')}")
    last, usance = book.days - 1, BIN / "usance"
    output([usance, "accrue", whole, "--through", str(book.day(last))])
    short = Path(shutil.copytree(whole.parent, f"{whole.parent}-compacted")) / whole.name
    output([usance, "compact", short, "--keep", keep])
    months = "month" if keep == "1" else f"{keep} months"
    what = f"{described(book)} posted, all but the last {months} compacted / every day posted"
    times = interleave(
        rounds,
        {"short": lambda: virtual(short)["seconds"], "whole": lambda: virtual(whole)["seconds"]},
    )
    yield Row(f"load: {what}", ratios(times, "short", "whole"), AIM)

    def one_more(ledger: Path) -> float:
        through = str(book.day(last + 1))
        return seconds(usance, "accrue", ledger, "--through", through, "--dry-run")

    times = interleave(rounds, {"short": lambda: one_more(short), "whole": lambda: one_more(whole)})
    yield Row(f"accrue one more day: {what}", ratios(times, "short", "whole"))
