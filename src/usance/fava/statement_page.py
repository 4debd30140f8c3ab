"""Statement page: what a period did to the value of everything, and the trades that were closed."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from fava.ext import FavaExtensionBase, extension_endpoint
from flask import Response, request

from usance.fava.books import PageBooks
from usance.fava.page import LISTED, Page
from usance.fava.view import View
from usance.ledger.questions import QuestionError
from usance.model.hours import Day, date_of, iso, month_end, month_start
from usance.reports import statement
from usance.reports.contributions import COLUMNS, WHOLE
from usance.reports.figures import as_dicts, plain
from usance.reports.statement import Statement


class UsanceStatement(Page, FavaExtensionBase):
    """The statement of a period."""

    report_title = "Statement"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show the period of the time filter, or else the last month that is over."""
        view.keep("a statement is in the operating currency.")
        first, last = _period(books, view)
        answer = books.statement(date_of(first), date_of(last))
        part, line = request.args.get("part"), request.args.get("line")
        trades = plain(books.trades(first, last))
        return {
            "answer": answer,
            "problems": answer.problems,
            "parts": [*_parts(answer)],
            "trades": trades[-LISTED:],
            "count": len(trades),
            "period": f"{iso(first)} to {iso(last)}",
            "behind": _behind(books, answer, part, line) if part and line else None,
        }

    @extension_endpoint("csv", ["GET"])  # type: ignore[untyped-decorator, arg-type]
    def csv(self) -> Response:
        """Answer the statement as CSV, as `usance statement --format csv` does."""
        books = self.host.books
        view = View(books, self.ledger)
        if view.incognito or view.is_empty:
            return Response("Nothing is shown here.\n", 400, mimetype="text/plain")
        answer = books.statement(*map(date_of, _period(books, view)))
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(statement.COLUMNS)
        writer.writerows(plain([*row.values()]) for row in answer.rows_as_dicts())
        return Response(
            written.getvalue(), mimetype="text/csv", headers={"Cache-Control": "no-store"}
        )


def _period(books: PageBooks, view: View) -> tuple[Day, Day]:
    return _last_month(books) if view.whole else (view.first, view.last)


def _last_month(books: PageBooks) -> tuple[Day, Day]:
    """Return the last month that the books are through with, or all days if there is none."""
    begin, end = books.first_day or Day(1), books.last_day
    last = end if month_end(end) == end else Day(end - date_of(end).day)
    if last < begin:
        return begin, end
    return max(begin, month_start(last)), last


def _parts(answer: Statement) -> Iterator[Mapping[str, Any]]:
    """Yield each part: what it is, and its lines; the whole first."""
    for part in [answer.parts[-1], *answer.parts[:-1]]:
        _, rows = statement.rows(part)
        [period] = part.periods
        lines = {statement.label(line): (line.line, line.name) for line in period.lines or ()}
        yield {
            "part": part.name or WHOLE,
            "name": part.name or "the whole",
            "title": statement.heading(part),
            "rows": plain(rows),
            "lines": {"Opening": ("opening", ""), **lines, "Closing": ("closing", "")},
        }


def _behind(books: PageBooks, answer: Statement, part: str, line: str) -> Mapping[str, Any]:
    """Return what adds to a line of a part, or why nothing does."""
    about = request.args.get("about") or None
    try:
        found = books.contributions(part, line, answer.from_, answer.to, about=about)
    except QuestionError as error:
        return {"why": str(error)}
    rows = found.contributions or ()
    return {
        "why": "" if found.contributions is not None else "A price is missing.",
        "part": "The whole" if part == WHOLE else part,
        "is_whole": found.kind == WHOLE,
        "line": statement.WORDS.get(line, line.capitalize()) + (f", {about}" if about else ""),
        "amount": plain(found.amount),
        "rows": plain(as_dicts(rows[-BEHIND:], COLUMNS)),
        "count": len(rows),
    }


BEHIND = 500
"""Rows behind a line that are listed, at most."""
