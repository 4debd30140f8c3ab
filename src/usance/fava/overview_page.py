"""Overview: what a person asks first, on one page."""

from collections.abc import Iterator, Mapping
from typing import Any

from fava.ext import FavaExtensionBase

from usance.fava import drawing
from usance.fava.books import PageBooks
from usance.fava.page import Page
from usance.fava.view import View
from usance.ledger.errors import UsanceFinding
from usance.model.amounts import total
from usance.model.hours import Day, date_of, iso, month_start
from usance.reports.figures import for_the_eye, plain
from usance.reports.statement import WORDS
from usance.reports.status import Standing

PARTS = {
    "lending_interest": "lending",
    "treasury": "treasury",
    "bonus": "bonus",
    "borrow_interest": "paid",
    "contracts": "contracts",
    "funding": "contracts",
    "fees": "paid",
    "coins": "coins",
    "liquidation": "coins",
    "other": "coins",
}
"""The lines of a statement that are a result, and the colour of each."""


class UsanceOverview(Page, FavaExtensionBase):
    """Net asset value, the result of the month, and how near danger is."""

    report_title = "Overview"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show the last evening of the period."""
        view.convert()
        answer = books.standing(date_of(view.last))
        month = max(books.first_day or Day(1), month_start(view.last))
        return {
            "answer": plain(answer),
            "problems": answer.problems,
            "changes": [
                (days, plain(change))
                for days, change in answer.change.items()
                if change is not None
            ],
            "month": iso(month)[:7],
            "parts": [*_parts(books, month, view.last)],
            "dangers": {row.name: danger(row) for row in answer.sub_accounts},
            "pictures": view.shown([_picture(books, view)]),
            "findings": [
                (error.source, error.message.removeprefix("finding: "))
                for error in self.ledger.errors
                if isinstance(error, UsanceFinding)
            ],
        }


def danger(row: Standing) -> str:
    """Return the nearest liquidation of a sub-account in words, or ""."""
    nearest = row.nearest_liquidation
    if nearest is None:
        return ""
    price = for_the_eye(nearest.price, 2)
    where = "below" if nearest.distance < 0 else "above"
    share = f"{abs(nearest.distance):.1%}"
    return f"{nearest.market} is liquidated at {price}, {share} {where} its mark"


def _parts(books: PageBooks, first: Day, last: Day) -> Iterator[Mapping[str, Any]]:
    """Yield each part of the result of a month: its name, its colour, and its amount."""
    found = books.performance(((first, last),))
    whole = found.parts[-1][1][0]
    if whole.difference is None:
        return
    for line, colour in PARTS.items():
        amount = total(amount for (of, _), amount in whole.lines.items() if of == line)
        if amount:
            yield {"name": WORDS[line], "colour": colour, "amount": format(amount, "f")}


def _picture(books: PageBooks, view: View) -> drawing.Picture | None:
    """Return net asset value over time by sub-account, or None if a price is missing."""
    if view.is_empty:
        return None
    found = books.closings(view.evenings)
    if any(closing is None for closings in found.values() for closing in closings):
        return None
    series = [
        drawing.Series(name, view.owner(name), found[name])
        for name in sorted(found, key=view.owners.index)
    ]
    return drawing.areas("Over time", view.operating, view.dates, series)
