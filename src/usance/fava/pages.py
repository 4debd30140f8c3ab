"""Pages: what each asks the reports for. No arithmetic: they are asked, and templates show it."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fava.core import FavaLedger
from fava.ext import FavaExtensionBase, extension_endpoint
from flask import Response, jsonify, request

from usance import explain, explanation, margin_reports, reports
from usance.amounts import figure, plain
from usance.explain import Explanation
from usance.fava.books import Books
from usance.fava.host import UsanceBooks
from usance.fava.view import View
from usance.hours import date_of
from usance.margin_reports import Figures

log = logging.getLogger(__name__)

LISTED = 40
"""Transactions that are listed, at most."""


class Page:
    """What all pages share; no extension by itself, or Fava would show it as one."""

    report_title: str
    ledger: FavaLedger
    currency_follows = False

    def __init__(self, of: FavaLedger, config: str | None = None) -> None:  # noqa: ARG002
        super().__init__(of)  # type: ignore[call-arg] # Fava's base stands behind this one

    @property
    def host(self) -> UsanceBooks:
        """What keeps the books of the load."""
        host = self.ledger.extensions.get_extension(UsanceBooks.__qualname__)
        assert isinstance(host, UsanceBooks)
        return host

    def page(self) -> Mapping[str, Any]:
        """Return what the template shows: never an exception, which would stop more than a page."""
        try:
            return self._page()
        except Exception as error:
            log.exception("%s", self.report_title)
            self.host.tell(f"usance, {self.report_title}: {type(error).__name__}: {error}")
            return {"state": "failed"}

    def _page(self) -> Mapping[str, Any]:
        books = self.host.books
        if not any(books.book.stages.values):
            return {"state": "no plugin"}
        view = View(books, self.ledger)
        found: dict[str, Any] = {"view": view, "books": books}
        if books.first is None:
            return {**found, "state": "nothing"}
        if not books.book.operating:
            return {**found, "state": "no currency"}
        if view.is_empty and not request.args.get("id"):
            return {**found, "state": "no days"}
        return {**found, "state": "full", **self.fill(books, view)}

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Return what the page shows of a period."""
        raise NotImplementedError


class UsanceCapital(Page, FavaExtensionBase):
    """One capital, its uses at once."""

    report_title = "Capital efficiency"

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show capital and its uses at the end of the period, and how they came about."""
        view.convert()
        answer, problems = books.uses(view.last)
        names = [row["name"] for row in answer["sub_accounts"]]

        def of(key: str, factor: int = 1) -> Callable[[int], Mapping[str, Decimal | None]]:
            def points(day: int) -> Mapping[str, Decimal | None]:
                rows = books.uses(day)[0]["sub_accounts"]
                if key == "efficiency":
                    return {row["name"]: scaled(row[key], factor) for row in rows}
                return {row["name"]: view.worth(row[key], day) for row in rows}

            return points

        return {
            "rows": answer["sub_accounts"],
            "problems": problems,
            "proofs": {
                name: {
                    use: books.latest(kind, name, view.last)
                    for use, kind in (
                        ("lent", "lending"),
                        ("margin", "margin"),
                        ("yield", "treasury"),
                    )
                }
                for name in names
            },
            "charts": view.drawn(
                [
                    view.lines("Efficiency (%)", of("efficiency", 100)),
                    view.lines(f"Capital ({view.currency})", of("capital")),
                    view.lines(f"Idle ({view.currency})", of("idle")),
                    view.lines(f"Saved ({view.currency})", of("saved")),
                ]
            ),
        }


class UsanceLending(Page, FavaExtensionBase):
    """Interest, rates, and each pool's conservation."""

    report_title = "Lending"

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show what the period earned and cost."""
        venues = {pool.venue for pool in books.rates(view.last)}

        def of(key: str) -> Callable[[int], Mapping[str, Decimal | None]]:
            def points(day: int) -> Mapping[str, Decimal | None]:
                return {
                    pool.coin if len(venues) < 2 else f"{pool.coin} {pool.venue}": scaled(
                        getattr(pool, key), 100
                    )
                    for pool in books.rates(day)
                }

            return points

        rows = books.earned(view.first, view.last)
        return {
            "rows": rows,
            "proofs": [
                books.latest(
                    "lending" if row.side == "lent" else "borrowing", row.sub_account, view.last
                )
                for row in rows
            ],
            "pools": books.conserved(view.first, view.last),
            "charts": view.drawn(
                [
                    view.bars("Interest", books.interests),
                    view.lines("Supply rate (% a year)", of("supply")),
                    view.lines("Borrow rate (% a year)", of("borrow")),
                    view.lines("Utilization (%)", of("utilization")),
                ]
            ),
        }


PRICE = re.compile(r"([^=,\s]+)=(\d{1,30}(?:\.\d{1,30})?)", re.ASCII)
PERCENT = frozenset(("imr", "mmr", "margin_fraction", "imf", "mmf"))
PLAIN = frozenset(
    ("quantity", "lent", "price", "weight", "mark", "entry_price", "liquidation_price")
)


class UsanceMargin(Page, FavaExtensionBase):
    """Gauges, collateral, positions, and what if."""

    report_title = "Margin"
    has_js_module = True

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show margin at the end of the period."""
        view.keep("margin is counted in the operating currency.")
        answer, seen = books.margin(view.last), books.evening(view.last)

        def of(name: str) -> Callable[[int], Mapping[str, Decimal | None]]:
            def points(day: int) -> Mapping[str, Decimal | None]:
                [row] = [row for row in books.margin(day)["sub_accounts"] if row["name"] == name]
                keys = ("net_equity", "initial_margin", "maintenance_margin")
                return {key.replace("_", " "): scaled(row[key], 1) for key in keys}

            return points

        def ratios(day: int) -> Mapping[str, Decimal | None]:
            rows = books.margin(day)["sub_accounts"]
            return {row["name"]: scaled(row["mmr"], 100) for row in rows}

        rows = answer["sub_accounts"]
        return {
            "rows": rows,
            "problems": seen.problems,
            "prices": list(_prices(answer, books)),
            "proofs": {row["name"]: books.latest("margin", row["name"], view.last) for row in rows},
            "show": lambda key, text: looks(view, key, text),
            "distance": margin_reports.distance,
            "standing": standing,
            "charts": view.drawn(
                [
                    view.lines("MMR (%)", ratios),
                    *(view.lines(row["name"], of(row["name"])) for row in rows),
                ]
            ),
        }

    @extension_endpoint("whatif", ["GET"])  # type: ignore[untyped-decorator, arg-type]
    def whatif(self) -> Response:
        """Answer what figures would be at other prices: `usance margin --price`."""
        try:
            answer = self._whatif(request.args.get("prices", ""))
        except (ArithmeticError, ValueError) as error:
            response = jsonify({"error": str(error)})
            response.status_code = 400
            return response
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _whatif(self, text: str) -> Response:
        books = self.host.books
        view = View(books, self.ledger)
        if view.is_empty:
            raise ValueError("no day of the books lies in the period")
        seen = books.evening(view.last)
        prices: dict[str, Decimal] = {}
        known = margin_reports.commodities(seen)
        for word in text.split(",") if text else ():
            match = PRICE.fullmatch(word)
            if match is None or match[1] not in known or not Decimal(match[2]):
                raise ValueError(f"{word!r} is no price of what is held or owed, such as SOL=120")
            prices[match[1]] = Decimal(match[2])
        answer = margin_reports.margin(books.reading, seen, prices)
        return jsonify({"figures": dict(_figures(view, answer))})


def _figures(view: View, answer: Figures) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each figure of an answer by its place on the page: all of it, its look, its width."""
    for row in answer["sub_accounts"]:
        name = row["name"]
        yield f"{name}/state", {"shown": standing(row)}
        for key in margin_reports.SUMS:
            yield f"{name}/{key}", _figure(view, key, row[key])
        for parts, of in (
            ("collateral_assets", "coin"),
            ("positions", "market"),
            ("borrows", "coin"),
        ):
            for part in row[parts] or ():
                figures = dict(part)
                if parts == "positions":
                    figures["distance"] = margin_reports.distance(part)
                for key, text in figures.items():
                    if key != of:
                        yield f"{name}/{parts}/{part[of]}/{key}", _figure(view, key, text)


def _figure(view: View, key: str, text: str | None) -> dict[str, str]:
    exact = view.hidden(text or "")
    shown, level = looks(view, key, text), view.level(text)
    return {"exact": exact, "shown": shown, "part": view.part(text), "level": level}


def looks(view: View, key: str, text: str | None) -> str:
    """Return a figure of `usance margin` for the eye."""
    if key == "distance":
        return view.signed(text)
    if key in PERCENT:
        return view.percent(text)
    return view.number(text) if key in PLAIN else view.money(text)


def standing(row: Figures) -> str:
    """Return in words how a sub-account stands."""
    if row["net_equity"] is None:
        return "cannot be priced"
    if row["mmr"] is None:
        return "bankrupt"
    if not Decimal(row["exposure"]):
        return "no exposure"
    if Decimal(row["mmr"]) >= 1:
        return "in breach"
    return "fully used" if row["imr"] is None or Decimal(row["imr"]) >= 1 else "within limits"


def _prices(answer: Figures, books: Books) -> Iterator[dict[str, Any]]:
    """Yield what may be priced otherwise, each once: name, price, and what moves with it."""
    found: dict[str, dict[str, Any]] = {}
    for row in answer["sub_accounts"]:
        for asset in (row["collateral_assets"] or []) + (row["borrows"] or []):
            found.setdefault(asset["coin"], {"price": asset["price"], "unit": answer["currency"]})
        for position in row["positions"] or ():
            terms = books.book.perpetuals[row["venue"], position["market"]].values[-1]
            found.setdefault(
                position["market"],
                {"price": position["mark"], "unit": terms.settle, "over": terms.underlying},
            )
    for name, price in sorted(found.items()):
        if name != answer["currency"] and price["price"] is not None:
            yield {"name": name, **price}


class UsanceSubAccounts(Page, FavaExtensionBase):
    """Balance sheets side by side, and what they gave each other."""

    report_title = "Sub-accounts"

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show balance sheets at the end of the period, and the transfers in it."""
        view.convert()
        sheets, problems = books.sheets(view.last)
        chart = books.reading.chart
        whole = reports.total(sheets)
        return {
            "sheets": [(sheet, list(reports.sheet_rows(sheet, chart))) for sheet in sheets],
            "total": list(reports.total_rows(sheets, chart, whole)),
            "problems": problems,
            "transfers": [
                {
                    "id": draft.identity,
                    "date": date_of(draft.day).isoformat(),
                    "giver": draft.sub_account if pair.amount > 0 else pair.debit[1],
                    "taker": pair.debit[1] if pair.amount > 0 else draft.sub_account,
                    "amount": plain(abs(pair.amount)),
                    "coin": pair.currency,
                }
                for draft in books.handovers(view.first, view.last)[:LISTED]
                for pair in draft.pairs
            ],
        }


class UsanceSplit(Page, FavaExtensionBase):
    """What each source earned."""

    report_title = "Yield split"

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show the yield of the period by source, and what backs it."""
        rows = books.split(view.first, view.last)["rows"]
        coins = sorted({row["coin"] for row in rows})

        def of(coin: str) -> Callable[[int, int], Mapping[str, Mapping[str, Decimal]]]:
            def parts(first: int, last: int) -> Mapping[str, Mapping[str, Decimal]]:
                return {
                    source: {coin: earned[coin]}
                    for source, earned in books.incomes(first, last).items()
                    if earned.get(coin)
                }

            return parts

        return {
            "rows": rows,
            "proofs": [
                books.latest("treasury", row["sub_account"], view.last)
                or books.latest("lending", row["sub_account"], view.last)
                for row in rows
            ],
            "products": books.backing(view.last)["products"],
            "declared": bool(books.book.yields.products),
            "charts": view.drawn([view.bars(f"Yield in {coin}", of(coin)) for coin in coins]),
        }


@dataclass(frozen=True)
class Month:
    """A month of the books: its days, each closed, corrected or open."""

    name: str
    days: list[tuple[str, str]]


class UsanceVerify(Page, FavaExtensionBase):
    """Closed days, their seals, and the arithmetic behind a transaction."""

    report_title = "Close and proof"
    has_js_module = True

    def fill(self, books: Books, view: View) -> Mapping[str, Any]:
        """Show which days are closed, and explain what is asked for."""
        view.keep("a proof is in the coins of the ledger.")
        identity = request.args.get("id", "").strip()
        if identity:
            return {"id": identity, **self._explained(books, view, identity)}
        listed = [
            {"id": identity, "entry": entry}
            for identity, entry in books.ids.items()
            if view.first <= entry.date.toordinal() <= view.last
        ]
        seals = books.reading.seals
        return {
            "id": "",
            "verification": books.verification(),
            "seals": seals,
            "months": list(_months(books, view)),
            "corrections": [
                (entry.date.isoformat(), [value.value for value in entry.values])
                for entry in books.reading.corrections
            ],
            "count": len(listed),
            "listed": listed[::-1][:LISTED],
        }

    def _explained(self, books: Books, view: View, identity: str) -> Mapping[str, Any]:
        entry = books.ids.get(identity)
        if entry is None:
            return {"found": None, "near": explain.nearest(identity, books.ids)}
        found = books.explanation(identity)
        return {
            "found": found,
            "entry": entry,
            "steps": list(_steps(view, found)),
            "closed": entry.date.toordinal()
            <= (books.reading.seals[-1].date.toordinal() if books.reading.seals else 0),
            "hours": [
                (
                    hour.what,
                    f"{hour.hour:02}:00",
                    *(view.hidden("" if cell is None else figure(cell)) for cell in hour[2:]),
                )
                for hour in found.hours
            ],
        }


def _steps(view: View, found: Explanation) -> Iterator[dict[str, str]]:
    """Yield each step for a person with a calculator."""
    for step in found.steps:
        name, _, expression = step.formula.partition(" = ")
        result = figure(step.result)
        numbers = explanation.substituted(step)
        yield {
            "what": step.what,
            "name": name,
            "formula": expression,
            "numbers": "" if numbers in (expression, result) else view.hidden(numbers),
            "exact": view.hidden(plain(step.result)),
            "result": view.hidden(result),
            "unit": step.unit,
        }


def _months(books: Books, view: View) -> Iterator[Month]:
    """Yield the months of the period."""
    closed = {seal.date for seal in books.reading.seals}
    corrected = {entry.values[0].value for entry in books.reading.corrections}
    months: dict[str, list[tuple[str, str]]] = {}
    for day in range(view.first, view.last + 1):
        date = date_of(day)
        state = "corrected" if date in corrected else "closed" if date in closed else "open"
        months.setdefault(date.isoformat()[:7], []).append((date.isoformat(), state))
    for name, days in months.items():
        yield Month(name, days)


def scaled(text: str | None, factor: int) -> Decimal | None:
    """Return a figure for a chart, times a factor."""
    return None if text is None else Decimal(text) * factor
