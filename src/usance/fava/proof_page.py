"""Proof page: closed days and their seals, and the arithmetic behind a transaction."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from beancount.core.data import Posting, Transaction
from fava.ext import FavaExtensionBase
from flask import request

from usance.close.days import last_day
from usance.engine.drafts import Identity, TransactionKind
from usance.explain.explanation import Explanation, nearest
from usance.explain.working import substituted
from usance.fava.books import PageBooks
from usance.fava.page import Page, listed
from usance.fava.view import View
from usance.model.amounts import ZERO, decimal_text, rounded_text
from usance.model.hours import Day, date_of, day_of, iso


@dataclass(frozen=True)
class Month:
    """A month of the books: each day's date, and what it is, as `_state` tells."""

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

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show which days are closed, or explain the transaction that the request asks for."""
        view.keep("a proof uses the coins of the ledger.")
        if identity := self.asked:
            return {"id": identity, **self._explained(books, view, identity)}
        changes = _changes(books)
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
                {
                    "date": entry.date.isoformat(),
                    "of": entry.values[0].value,
                    "digest": entry.values[1].value,
                    "changes": changes.get(day_of(entry.date), ()),
                }
                for entry in books.by_day.read().corrections
            ],
            "compacted": [entry.date.isoformat()[:7] for entry in books.reading.months],
            "count": view.last - view.first + 1,
            "days": [*_days(books, view)],
        }

    def _explained(self, books: PageBooks, view: View, identity: str) -> Mapping[str, Any]:
        entry = books.ids.get(identity)
        if entry is None:
            return {"explanation": None, "near": nearest(identity, books.ids)}
        explained = books.explain(identity, hours=True)
        return {
            "explanation": explained,
            "entry": entry,
            "steps": list(_steps(view, explained)),
            "closed": day_of(entry.date) <= (last_day(books.reading) or 0),
            "hours": [
                (
                    hour.what,
                    f"{hour.hour:02}:00",
                    *(
                        view.hidden("" if cell is None else rounded_text(cell))
                        for cell in (hour.principal, hour.rate, hour.growth, hour.earned)
                    ),
                )
                for hour in explained.hours or ()
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


def _state(books: PageBooks) -> Callable[[Day], str]:
    """Return what tells of a day whether it is closed, corrected, open, or in a compacted month."""
    compacted = {entry.date.replace(day=1) for entry in books.reading.months}
    closed = {seal.date for seal in books.reading.seals}
    corrected = {entry.values[0].value for entry in books.by_day.read().corrections}

    def of(day: Day) -> str:
        date = date_of(day)
        if date in corrected:
            return "corrected"
        if date not in closed:
            return "open"
        return "compacted" if date.replace(day=1) in compacted else "closed"

    return of


def _days(books: PageBooks, view: View) -> Iterator[Mapping[str, Any]]:
    """Yield the last days of the period, the newest first; a single day with its transactions."""
    state = _state(books)
    days = listed(view, range(view.last, view.first - 1, -1))
    by_day: dict[int, list[tuple[str, Transaction]]] = {day: [] for day in days}
    for identity, entry in books.ids.items():
        if (at := day_of(entry.date)) in by_day:
            by_day[at].append((identity, entry))
    chart = books.reading.chart
    for day, found in by_day.items():
        yield {
            "date": iso(Day(day)),
            "state": state(Day(day)),
            "count": len(found),
            "interest": _sums(found, INTEREST, (chart.roots["Income"], chart.roots["Expenses"])),
            "settlement": _sums(found, SETTLED, (chart.roots["Assets"],), ":Wallet"),
            "listed": [
                {"id": identity, "entry": entry, "amounts": _amounts(entry)}
                for identity, entry in found
                if view.first == view.last
            ],
        }


INTEREST = (TransactionKind.LENDING, TransactionKind.BORROWING)
SETTLED = (TransactionKind.SETTLEMENT,)


def _sums(
    found: Sequence[tuple[str, Transaction]],
    kinds: Collection[TransactionKind],
    roots: Collection[str],
    tail: str = "",
) -> list[tuple[str, str]]:
    """Return what transactions of some kinds brought, by coin: amounts on accounts of some roots.

    Income and expenses are turned round, so that a gain is above zero.
    """
    sums: dict[str, Decimal] = {}
    for identity, entry in found:
        if Identity.parse(identity).kind in kinds:
            for leg in entry.postings:
                if leg.account.partition(":")[0] in roots and leg.account.endswith(tail):
                    number, coin = _number(leg), leg.units.currency if leg.units else ""
                    sums[coin] = sums.get(coin, ZERO) + (number if tail else -number)
    return [(decimal_text(number), coin) for coin, number in sorted(sums.items()) if number]


def _number(leg: Posting) -> Decimal:
    return ZERO if leg.units is None or leg.units.number is None else leg.units.number


def _amounts(entry: Transaction) -> list[tuple[str, str]]:
    """Return what a transaction moved, by coin: the sum of its amounts above zero."""
    sums: dict[str, Decimal] = {}
    for leg in entry.postings:
        if leg.units is not None and (number := _number(leg)) > 0:
            sums[leg.units.currency] = sums.get(leg.units.currency, ZERO) + number
    if not sums:
        sums = {leg.units.currency: _number(leg) for leg in entry.postings if leg.units}
    return [(decimal_text(number), coin) for coin, number in sorted(sums.items())]


def _changes(books: PageBooks) -> Mapping[Day, Sequence[Mapping[str, str]]]:
    """Return what the corrections of each day changed: account and amount."""
    changes: dict[Day, list[Mapping[str, str]]] = {}
    for identity, entry in books.ids.items() if books.by_day.read().corrections else ():
        known = Identity.parse(identity)
        if known.kind is TransactionKind.CORRECTION:
            for leg in entry.postings:
                if leg.units is not None and _number(leg):
                    change = {
                        "id": identity,
                        "account": leg.account,
                        "amount": decimal_text(_number(leg)),
                        "coin": leg.units.currency,
                        "reason": str(entry.meta.get("reason", "")),
                    }
                    changes.setdefault(known.day, []).append(change)
    return changes


def _months(books: PageBooks, view: View) -> Iterator[Month]:
    """Yield the months of the period."""
    state = _state(books)
    months: dict[str, list[tuple[str, str]]] = {}
    for day in map(Day, range(view.first, view.last + 1)):
        months.setdefault(iso(day)[:7], []).append((iso(day), state(day)))
    for name, days in months.items():
        yield Month(name, days)
