"""Usance's pages in Fava, against Fava's own income statement on the same book."""

import time
from collections.abc import Iterator
from pathlib import Path

import books
from fava.application import create_app
from flask.testing import FlaskClient
from timing import Row

import usance.fava  # noqa: F401 -- which defines the pages
from usance.fava.page import Page

AIM = 2.0
EXTENSION = '2020-01-01 custom "fava-extension" "usance.fava"\n'
PAGES = {page.__name__: page.report_title for page in Page.__subclasses__()}


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """5 sub-accounts with 5 coins over 3 years; each page is asked for after each load."""
    days, rounds = (60, 2) if quick else (3 * books.YEAR, 3)
    ledger = books.write(books.Book(5, 5, days), folder / "pages")
    ledger.write_text(f'option "title" "Pages"\n{ledger.read_text()}{EXTENSION}')
    first: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in PAGES}
    whatifs: list[float] = []
    for _ in range(rounds):
        fava = create_app([str(ledger)], load=True, read_only=True, poll_watcher=True).test_client()
        _seconds(fava, "income_statement/")
        statement = _seconds(fava, "api/income_statement")
        first.append(_seconds(fava, "extension/UsanceCapital/?partial=true") / statement)
        for name in PAGES:
            asked = _seconds(fava, f"extension/{name}/?partial=true")
            others[name].append(asked / statement)
        whatif = _seconds(fava, "extension/UsanceMargin/whatif")
        whatifs.append(whatif / statement)
    size = "5 sub-accounts, 5 coins, 3 years" if not quick else "a small book"
    yield Row(f"first page after a load / income statement: {size}", tuple(first))
    for name, title in PAGES.items():
        yield Row(f"page {title} / income statement", tuple(others[name]), AIM)
    yield Row("a what-if answer / income statement", tuple(whatifs), AIM)


def _seconds(fava: FlaskClient, path: str) -> float:
    """Return how long an answer took."""
    began = time.perf_counter()
    answer = fava.get(f"/pages/{path}")
    ended = time.perf_counter()
    assert answer.status_code == 200, (path, answer.status_code)
    return ended - began
