"""Proof page: closed days and their seals, and the arithmetic behind a transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fava.ext import FavaExtensionBase
from flask import request

from usance.close.days import last_day
from usance.explain.explanation import Explanation, nearest
from usance.explain.working import substituted
from usance.fava.books import Books
from usance.fava.page import Page, listed
from usance.fava.view import View
from usance.model.amounts import decimal_text, rounded_text
from usance.model.hours import Day, date_of, day_of


@dataclass(frozen=True)
class Month:
    """A month of the books: each day's date, and whether it is closed, corrected or open."""

    name: str
    days: list[tuple[str, str]]


class UsanceVerify(Page, FavaExtensionBase):
    """Closed days, their seals, and the arithmetic behind a transaction."""

    report_title = "Close and proof"
    has_js_module = True

    @property
    def asked(self) -> str:
        """The id of a transaction."""
        return request.args.get("id", "").strip()

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show which days are closed, or explain the transaction that the request asks for."""
        view.keep("a proof uses the coins of the ledger.")
        if identity := self.asked:
            return {"id": identity, **self._explained(books, view, identity)}
        transactions = [
            {"id": identity, "entry": entry}
            for identity, entry in books.ids.items()
            if view.first <= day_of(entry.date) <= view.last
        ]
        verification, wrong = books.verification()
        for message in wrong:
            self.host.tell(message)
        return {
            "id": "",
            "verification": verification,
            "wrong": wrong,
            "seals": books.reading.seals,
            "months": list(_months(books, view)),
            "corrections": [
                (entry.date.isoformat(), [value.value for value in entry.values])
                for entry in books.reading.corrections
            ],
            "count": len(transactions),
            "listed": listed(view, transactions[::-1]),
        }

    def _explained(self, books: Books, view: View, identity: str) -> Mapping[str, Any]:
        entry = books.ids.get(identity)
        if entry is None:
            return {"explanation": None, "near": nearest(identity, books.ids)}
        explained = books.explanation(identity)
        return {
            "explanation": explained,
            "entry": entry,
            "steps": list(_steps(view, explained)),
            "closed": day_of(entry.date) <= (last_day(books.reading) or 0),
            "hours": [
                (
                    hour.what,
                    f"{hour.hour:02}:00",
                    *(view.hidden("" if cell is None else rounded_text(cell)) for cell in hour[2:]),
                )
                for hour in explained.hours
            ],
        }


def _steps(view: View, explained: Explanation) -> Iterator[dict[str, str]]:
    """Yield each step for a person with a calculator."""
    for step in explained.steps:
        name, _, expression = step.formula.partition(" = ")
        result = rounded_text(step.result)
        numbers = substituted(step)
        yield {
            "what": step.what,
            "name": name,
            "formula": expression,
            "numbers": "" if numbers in (expression, result) else view.hidden(numbers),
            "exact": view.hidden(decimal_text(step.result)),
            "result": view.hidden(result),
            "unit": step.unit,
        }


def _months(books: Books, view: View) -> Iterator[Month]:
    """Yield the months of the period."""
    closed = {seal.date for seal in books.reading.seals}
    corrected = {entry.values[0].value for entry in books.reading.corrections}
    months: dict[str, list[tuple[str, str]]] = {}
    for day in map(Day, range(view.first, view.last + 1)):
        date = date_of(day)
        state = "corrected" if date in corrected else "closed" if date in closed else "open"
        months.setdefault(date.isoformat()[:7], []).append((date.isoformat(), state))
    for name, days in months.items():
        yield Month(name, days)
