"""Our own time, against what Beancount does afterwards with the same entries."""

from collections.abc import Iterator
from pathlib import Path

import books
from loading import PLUGIN, described, load, virtual
from timing import BIN, Row, output

AIM = 0.90
SHARE = 0.35


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """One row for each size of book; both times are of the same load."""
    if quick:
        yield _row(folder, books.Book(2, 5, 60), 3)
        yield _share(folder, books.Book(2, 5, 60, hourly=True, posted=True), 3)
        return
    yield _row(folder, books.Book(2, 5, books.YEAR), 5)
    yield _row(folder, books.Book(10, 5, books.YEAR), 5)
    yield _row(folder, books.Book(10, 5, books.YEAR, hourly=True), 5)
    yield _row(folder, books.Book(10, 1, books.YEAR), 5)
    yield _share(folder, books.Book(2, 5, 3 * books.YEAR, hourly=True, posted=True), 5)


def _row(folder: Path, book: books.Book, rounds: int) -> Row:
    name = f"own-{book.sub_accounts}-{described(book).replace(' ', '-')}"
    ledger = books.write(book, folder / name)
    found: list[float] = []
    for _ in range(rounds):
        run = virtual(ledger)
        assert run["after"] is not None
        found.append(run["own"] / run["after"])
    coins = "1 coin" if book.coins == 1 else f"{book.coins} coins"
    what = f"plugin function / Beancount after it: {described(book)}, {coins} a transaction"
    return Row(what, tuple(found), AIM)


def _share(folder: Path, book: books.Book, rounds: int) -> Row:
    """Return our part of the load of a book whose days are all closed."""
    ledger = books.write(book, folder / f"share-{described(book).replace(' ', '-')}")
    output([BIN / "usance", "accrue", ledger, "--through", str(book.day(book.days - 1))])
    runs = [load(ledger, "--plugin", PLUGIN) for _ in range(rounds)]
    what = f"plugin function / whole load: {described(book)}, every day closed"
    return Row(what, tuple(run["own"] / run["seconds"] for run in runs), SHARE)
