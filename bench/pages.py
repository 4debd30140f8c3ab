"""Usance's pages in Fava, against Fava's own income statement on the same book."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import books
from fava.application import create_app
from flask.testing import FlaskClient
from timing import BIN, Row, output

import usance.fava  # noqa: F401 -- which defines the pages
from usance.fava.page import Page

AIM = 2.0
WHATIF = "extension/UsanceMargin/whatif?prices=SOL=80,SOL-PERP=80"
FIRST = "UsanceCapital"
PAGES = {page.__name__: page.report_title for page in Page.__subclasses__()}


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """5 sub-accounts with 5 coins over 3 years; each page is asked for after each load.

    First no day is closed, then each is.
    """
    days, rounds = (60, 2) if quick else (3 * books.YEAR, 3)
    book = books.Book(5, 5, days, posted=True)
    ledger = books.write(book, folder / "pages")
    added = f'{book.first} custom "fava-extension" "usance.fava"\n{"".join(books.traded(book))}'
    ledger.write_text(f'option "title" "Pages"\n{ledger.read_text()}{added}')
    yield from _measured(ledger, "no day closed", rounds)
    output([BIN / "usance", "accrue", ledger, "--through", str(book.day(days - 1))])
    yield from _measured(ledger, "every day closed", rounds)


def _measured(ledger: Path, which: str, rounds: int) -> Iterator[Row]:
    first: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in PAGES if name != FIRST}
    whatifs: list[float] = []
    for _ in range(rounds):
        gc.collect()  # the round before, which no page of this one has to clear away
        fava = create_app([str(ledger)], load=True, read_only=True, poll_watcher=True).test_client()
        _seconds(fava, "income_statement/")
        statement = _seconds(fava, "api/income_statement")
        first.append(_seconds(fava, f"extension/{FIRST}/?partial=true") / statement)
        for name, ratios in others.items():
            ratios.append(_seconds(fava, f"extension/{name}/?partial=true") / statement)
        whatifs.append(_seconds(fava, WHATIF) / statement)
    yield Row(f"first page after a load / income statement: {which}", tuple(first), AIM)
    for name, ratios in others.items():
        yield Row(f"page {PAGES[name]} / income statement: {which}", tuple(ratios), AIM)
    yield Row(f"a what-if answer / income statement: {which}", tuple(whatifs), AIM)


def _seconds(fava: FlaskClient, path: str) -> float:
    """Return how long an answer took."""
    began = time.perf_counter()
    answer = fava.get(f"/pages/{path}")
    ended = time.perf_counter()
    assert answer.status_code == 200, (path, answer.status_code)
    return ended - began
