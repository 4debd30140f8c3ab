"""Reconciliation page: the books held against the newest snapshot of each feed."""

from collections.abc import Iterator, Mapping
from typing import Any

from fava.ext import FavaExtensionBase
from flask import request

from usance.fava.books import PageBooks
from usance.fava.page import Page
from usance.fava.view import NONE, View
from usance.feeding import lines
from usance.feeding.lines import Class, Line
from usance.feeding.moments import whole_day
from usance.feeding.reconciling import Reconciled, moment_text
from usance.model.accounts import Side
from usance.model.hours import Day

SIDES = {
    "quantity": Side.WALLET,
    "equity": Side.WALLET,
    "lent": Side.LENT,
    "borrowed": Side.BORROWED,
}
"""The account whose balance a line is about."""


class UsanceReconcile(Page, FavaExtensionBase):
    """The books held against a venue's own snapshot, line by line."""

    report_title = "Reconciliation"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show what does not match of each feed, and a count of what does."""
        view.keep("a line has the coins of the venue.")
        if request.args.get("time"):
            view.notes.append(
                "The time filter does not apply here: the newest snapshot of each feed is shown."
            )
        if self.is_faulty:
            # A figure of books with errors that agrees would say nothing.
            return {"feeds": books.reading.feeds, "faulty": True, "why": "", "found": []}
        found, why = books.reconciled()
        return {
            "feeds": books.reading.feeds,
            "faulty": False,
            "why": why,
            "found": [_shown(books, view, one) for one in found],
        }


def _shown(books: PageBooks, view: View, one: Reconciled) -> Mapping[str, Any]:
    """Return one sub-account for the template."""
    day = min(whole_day(one.at), books.last_day)
    ordered = lines.in_order(one.lines)
    left = [line for line in ordered if line.kind is not Class.MATCHED]
    matched = [line for line in one.lines if line.kind is Class.MATCHED]
    return {
        "name": one.feed.sub_account,
        "venue": one.feed.venue,
        "moment": moment_text(one.at),
        "place": one.place,
        "ok": one.is_ok,
        "notes": one.notes,
        "interest": sorted(one.interest.items()),
        "left": [*_rows(books, view, one, left, day)],
        "matched": [*_rows(books, view, one, matched, day)],
    }


def _rows(
    books: PageBooks, view: View, one: Reconciled, shown: list[Line], day: Day
) -> Iterator[Mapping[str, Any]]:
    """Yield lines with their figures, and the transaction that last moved the balance."""
    chart, name = books.reading.chart, one.feed.sub_account
    for line in shown:
        side = SIDES.get(line.line)
        account = "" if side is None else chart.account(name, side)
        yield {
            "line": line.line.replace("_", " "),
            "name": line.name,
            "books": _cell(view, line.books),
            "venue": _cell(view, line.venue),
            "difference": _cell(view, line.difference),
            "class": line.kind.value,
            "ok": line.kind.is_ok,
            "rule": line.rule,
            "proof": books.changed(account, line.name, day) if account else "",
        }


def _cell(view: View, value: lines.Value | None) -> tuple[str, str]:
    """Return a figure with all its digits, and as the page shows it."""
    if value is None:
        return "", NONE
    text = lines.text(value)
    return text, text if isinstance(value, bool) else view.coins(text)
