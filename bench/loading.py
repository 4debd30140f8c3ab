"""Loading generated days, against loading the same transactions as text."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

import books
from timing import Row, interleave, output, ratios

PLUGIN = "usance.plugins"
LOAD = Path(__file__).with_name("load.py")
AIMS = {10: 0.35, 50: 0.27}
"""By the number of pairs."""

HOURLY = 0.80


class Load(TypedDict):
    """What load.py prints."""

    seconds: float
    own: float
    after: float | None
    process: float
    entries: int
    generated: int
    postings: int


def load(ledger: Path, *options: str | Path) -> Load:
    """Load a ledger in a process of its own."""
    return cast("Load", json.loads(output([sys.executable, LOAD, ledger, *options])))


def virtual(ledger: Path, *options: str | Path) -> Load:
    """Load a ledger whose days the plugin generates."""
    return load(ledger, "--plugin", PLUGIN, *options)


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """One row for each size of book."""
    if quick:
        yield _row(folder, books.Book(2, 5, 60), 3)
        yield _row(folder, books.Book(2, 5, 60, hourly=True), 3)
        return
    yield _row(folder, books.Book(2, 5, books.YEAR), 7)
    yield _row(folder, books.Book(2, 5, 5 * books.YEAR), 3)
    yield _row(folder, books.Book(10, 5, books.YEAR), 5)
    yield _row(folder, books.Book(10, 5, 5 * books.YEAR), 3)
    yield _row(folder, books.Book(2, 5, books.YEAR, hourly=True), 5)
    yield _row(folder, books.Book(10, 5, books.YEAR, hourly=True), 5)


def described(book: books.Book) -> str:
    """Return the size of a book in words."""
    pairs = book.sub_accounts * book.coins
    return f"{pairs} pairs, {length(book.days)}{', hourly rates files' if book.hourly else ''}"


def length(days: int) -> str:
    """Return a number of days in words."""
    years, rest = divmod(days, books.YEAR)
    return f"{days} days" if rest else "1 year" if years == 1 else f"{years} years"


def _row(folder: Path, book: books.Book, rounds: int) -> Row:
    ledger = books.write(book, folder / f"load-{described(book).replace(' ', '-')}")
    text = ledger.with_name("text.beancount")
    first = virtual(ledger, "--text", text)

    def measured(*, ours: bool) -> float:
        run = virtual(ledger) if ours else load(text)
        counted = (run["entries"], run["generated"], run["postings"])
        if counted != (first["entries"], first["generated"], first["postings"]):
            sys.exit(f"{ledger.parent}: {counted} entries, generated, postings: {first}")
        return run["seconds"]

    times = interleave(
        rounds, {"virtual": lambda: measured(ours=True), "text": lambda: measured(ours=False)}
    )
    aim = HOURLY if book.hourly else AIMS[book.sub_accounts * book.coins]
    what = f"load, days generated / as text: {described(book)}"
    return Row(what, ratios(times, "virtual", "text"), aim)
