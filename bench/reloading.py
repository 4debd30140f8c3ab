"""What a save in Fava costs: the reload of closed books, against the same text without our line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import books
from loading import PLUGIN, described
from timing import BIN, Row, interleave, output, ratios

RELOAD = Path(__file__).with_name("reload.py")


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Processor times of the second load of a process: `usance fava`, and Fava alone."""
    if quick:
        yield _row(folder, books.Book(2, 5, 60, posted=True), 1.3, 2)
        return
    yield _row(folder, books.Book(2, 5, 5 * books.YEAR, posted=True), 1.3, 5)
    yield _row(folder, books.Book(2, 5, 3 * books.YEAR, hourly=True, posted=True), 1.6, 5)


def _row(folder: Path, book: books.Book, aim: float, rounds: int) -> Row:
    ledger = books.write(book, folder / f"reload-{described(book).replace(' ', '-')}")
    output([BIN / "usance", "accrue", ledger, "--through", str(book.day(book.days - 1))])
    plain = ledger.with_name("plain.beancount")
    plain.write_text(ledger.read_text().replace(f'plugin "{PLUGIN}"\n', ""))
    times = interleave(
        rounds,
        {
            "ours": lambda: float(output([sys.executable, RELOAD, ledger])),
            "plain": lambda: float(output([sys.executable, RELOAD, plain, "--plain"])),
        },
    )
    what = (
        f"reload in usance fava / in Fava without our plugin: {described(book)}, every day closed"
    )
    return Row(what, ratios(times, "ours", "plain"), aim)
