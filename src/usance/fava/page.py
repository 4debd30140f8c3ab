"""Page: the base of all pages. A page asks the reports, and its template shows the answers."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from fava.core import FavaLedger

from usance.fava.books import PageBooks
from usance.fava.host import UsanceBooks
from usance.fava.view import View
from usance.ledger.errors import UsanceFinding
from usance.reports import palette

log = logging.getLogger(__name__)

LISTED = 40
"""Transactions listed of a period longer than a day, at most."""

Row = TypeVar("Row")


class Page:
    """The base of all pages. It is not an extension, or Fava would show it as one."""

    report_title: str
    ledger: FavaLedger

    def __init__(self, ledger: FavaLedger, config: str | None = None) -> None:  # noqa: ARG002
        super().__init__(ledger)  # type: ignore[call-arg] # Fava's base comes after this one

    @property
    def host(self) -> UsanceBooks:
        """The extension that keeps the books of the load."""
        host = self.ledger.extensions.get_extension(UsanceBooks.__qualname__)
        assert isinstance(host, UsanceBooks)
        return host

    palette = palette.COLOURS
    """The colours of the style sheet, by name."""

    @property
    def is_faulty(self) -> bool:
        """Tell whether Fava's errors page has more than findings."""
        return not all(isinstance(error, UsanceFinding) for error in self.ledger.errors)

    def page(self) -> Mapping[str, Any]:
        """Return the values for the template. It never raises: that would stop more than a page."""
        try:
            return self._page()
        except Exception as error:
            log.exception("%s", self.report_title)
            self.host.tell(f"usance, {self.report_title}: {type(error).__name__}: {error}")
            return {"state": "failed"}

    def _page(self) -> Mapping[str, Any]:
        books = self.host.books
        if not any(books.reading.book.stages.values):
            return {"state": "no plugin"}
        view = View(books, self.ledger)
        shown: dict[str, Any] = {"view": view, "books": books}
        if books.first_day is None:
            return {**shown, "state": "nothing", "wrong": books.verification()[1]}
        if not books.operating:
            return {**shown, "state": "no currency"}
        if view.is_empty and not self.asked:
            return {**shown, "state": "no days"}
        return {**shown, "state": "full", **self.fill(books, view)}

    @property
    def asked(self) -> str:
        """The id that the request asks for, of any period; most pages show a period instead."""
        return ""

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Return the page's values for a period."""
        raise NotImplementedError


def listed(view: View, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first rows, or all if the period is a single day."""
    return rows if view.first == view.last else rows[:LISTED]


def scaled(text: Decimal | str | None, factor: int) -> Decimal | None:
    """Return a figure times a factor, for a chart."""
    return None if text is None else Decimal(text) * factor
