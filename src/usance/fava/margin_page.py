"""Margin page: margin of each sub-account, now and at other prices."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fava.ext import FavaExtensionBase, extension_endpoint
from flask import Response, jsonify, request

from usance.engine.drafts import Identity, TransactionKind
from usance.fava import drawing
from usance.fava.books import PageBooks
from usance.fava.page import Page, scaled
from usance.fava.view import View
from usance.model.accounts import Side
from usance.model.amounts import decimal_text, total
from usance.model.hours import Day, date_of, iso
from usance.reports import basis
from usance.reports import margin as margin_reports
from usance.reports.figures import Figures, plain
from usance.reports.margin import Margin

PRICE = re.compile(r"([^=,\s]+)=(\d{1,30}(?:\.\d{1,30})?)", re.ASCII)
GAUGES = ("imr", "mmr")
AT_ONCE = ("bankrupt", "in breach")
"""States in which positions are liquidated now."""

PERCENT = frozenset((*GAUGES, "margin_fraction", "imf", "mmf"))
PRICES = frozenset(("price", "mark", "entry_price", "liquidation_price"))
PLAIN = frozenset(("quantity", "lent", "weight"))


class UsanceMargin(Page, FavaExtensionBase):
    """Gauges, collateral, positions, borrows, and sliders of prices."""

    report_title = "Margin"
    has_js_module = True

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show margin at the end of the period."""
        view.keep("margin is measured in the operating currency.")
        answer = books.margin(date_of(view.last))

        rows = sorted(_rows(answer), key=nearness, reverse=True)
        return {
            "exposed": [row for row in rows if standing(row) != "no exposure"],
            "quiet": [row for row in rows if standing(row) == "no exposure"],
            "problems": answer.problems,
            "prices": list(_prices(rows, answer.currency, books)),
            "settled": lambda name: books.latest(TransactionKind.SETTLEMENT, name, view.last),
            "proofs": {row["name"]: _proofs(books, view, row["name"]) for row in rows},
            "changed": lambda name, side, coin: books.changed(
                books.reading.chart.account(name, Side[side]), coin, view.last
            ),
            "show": lambda key, text: looks(view, key, text),
            "far": lambda row, part: far(view, row, part),
            "gauge": lambda row, key: gauge(view, row, key),
            "standing": standing,
            "danger": lambda row: view.message(danger(view, row)),
            "history": view.shown([_history(books, view)]),
            "owner": view.owner,
            "liquidations": [*_liquidations(books, view)][::-1],
            "pictures": view.shown(_equity(books, view, row["name"]) for row in rows),
        }

    @extension_endpoint("whatif", ["GET"])  # type: ignore[untyped-decorator, arg-type]
    def whatif(self) -> Response:
        """Answer the figures at other prices, as `usance margin --price` does."""
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
        if view.incognito:
            # At which price a breach begins tells the liquidation price without a digit.
            raise ValueError("Prices are hidden in incognito mode.")
        if view.is_empty:
            raise ValueError("The books have no days in this period.")
        evening = books.evening(view.last, basis.POSTED)
        prices: dict[str, Decimal] = {}
        commodities = margin_reports.commodities(evening)
        if not books.operating:
            raise ValueError("The figures need an operating currency.")
        for word in text.split(",") if text else ():
            match = PRICE.fullmatch(word)
            free = match is not None and match[1] not in (*prices, books.operating)
            if match is None or not free or match[1] not in commodities or not Decimal(match[2]):
                raise ValueError(
                    f"{word!r} is not a price of a coin or contract that is held or owed. "
                    "Write one such as SOL=120."
                )
            prices[match[1]] = Decimal(match[2])
        answer = margin_reports.margin(books.reading, evening, prices)
        return jsonify({"figures": dict(_figures(view, _rows(answer)))})


def _rows(answer: Margin) -> list[Figures]:
    """Return the rows of sub-accounts as text, with what the page says of them beside."""
    return [
        {
            **plain(row),
            "is_bankrupt": row.is_bankrupt,
            "positions": [
                {**plain(position), "distance": plain(position.distance)}
                for position in row.positions or ()
            ],
        }
        for row in answer.sub_accounts
    ]


PROVED = (
    "collateral",
    "unsettled_pnl",
    "borrow_liability",
    "net_equity",
    "exposure",
    "maintenance_margin",
)
"""Sums that the arithmetic of held margin has steps for, beside the initial margin."""


def _proofs(books: PageBooks, view: View, name: str) -> dict[str, str]:
    """Return the ids of the transactions behind the sums of a sub-account.

    Initial margin stays held until it changes. The other sums have steps only on that day.
    """
    held = books.latest(TransactionKind.MARGIN, name, view.last)
    others = dict.fromkeys(PROVED, held) if held.startswith(f"margin/{view.evening}/") else {}
    return {"initial_margin": held, **others}


def _figures(view: View, rows: Iterable[Figures]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each figure of an answer by its place on the page: exact, as shown, and as a bar."""
    for row in rows:
        name = row["name"]
        yield f"{name}/state", {"shown": standing(row)}
        yield f"{name}/danger", {"shown": danger(view, row)}
        for key in margin_reports.SUMS:
            bar = gauge(view, row, key) if key in GAUGES else {}
            yield f"{name}/{key}", _figure(view, key, row[key]) | bar
        for parts, key_of_name in (
            ("collateral_assets", "coin"),
            ("positions", "market"),
            ("borrows", "coin"),
        ):
            for part in row[parts] or ():
                for key, text in part.items():
                    if key == key_of_name:
                        continue
                    shown = _figure(view, key, text)
                    if key == "distance":
                        shown["shown"] = far(view, row, part)
                    yield f"{name}/{parts}/{part[key_of_name]}/{key}", shown


def _figure(view: View, key: str, text: str | None) -> dict[str, str]:
    return {"exact": view.hidden(text or ""), "shown": looks(view, key, text)}


def gauge(view: View, row: Figures, key: str) -> dict[str, str]:
    """Return the bar of a ratio: its width in percent, and how full it is, in one word.

    A bankrupt sub-account has no ratio; its bar is full.
    """
    text = "1" if row["is_bankrupt"] else row[key]
    return {"part": view.part(text), "level": view.level(text)}


def looks(view: View, key: str, text: str | None) -> str:
    """Return a figure of `usance margin` as the page shows it."""
    if key == "distance":
        return view.signed(text)
    if key in PERCENT:
        return view.percent(text)
    if key in PRICES:
        return view.price(text)
    return view.coins(text) if key in PLAIN else view.eye(text)


def standing(row: Figures) -> str:
    """Return the state of a sub-account in words."""
    if row["net_equity"] is None:
        return "cannot be priced"
    if row["is_bankrupt"]:
        return "bankrupt"
    if not Decimal(row["exposure"]):
        return "no exposure"
    if Decimal(row["mmr"]) >= 1:
        return "in breach"
    return "fully used" if row["imr"] is None or Decimal(row["imr"]) >= 1 else "within limits"


def nearness(row: Figures) -> tuple[int, Decimal]:
    """Return how near a sub-account is to its liquidation, to order by: the nearest is largest."""
    if standing(row) in ("cannot be priced", "bankrupt"):
        return 1, Decimal(0)
    return 0, Decimal(row["mmr"] or 0)


def far(view: View, row: Figures, position: Figures) -> str:
    """Return how far the mark of a position is from its liquidation, in percent, or "now"."""
    if standing(row) in AT_ONCE:
        return "now"
    return view.signed(position["distance"])


def danger(view: View, row: Figures) -> str:
    """Return the nearest liquidation of a sub-account as a sentence, or ""."""
    state = standing(row)
    if state in AT_ONCE:
        return "Positions are liquidated now."
    found = [
        (abs(Decimal(distance)), distance, position)
        for position in row["positions"] or ()
        if (distance := position["distance"]) is not None
    ]
    if not found:
        return "" if state == "no exposure" else "No price of one contract alone liquidates it."
    away, distance, position = min(found, key=lambda one: one[0])
    where = "below" if distance.startswith("-") else "above"
    price = view.price(position["liquidation_price"])
    share = view.percent(format(away, "f"))
    return f"{position['market']} is liquidated at {price}, {share} {where} its mark."


def _history(books: PageBooks, view: View) -> drawing.Picture | None:
    """Return margin in use over time: a line for each sub-account that had an exposure."""

    def ratios(day: Day) -> Mapping[str, Decimal | None]:
        rows = books.margin(date_of(day)).sub_accounts
        return {row.name: scaled(row.mmr, 100) for row in rows}

    return drawing.lines(
        "Margin in use, of net equity", "%", view.dates, view.owned(ratios), limit=Decimal(100)
    )


EQUITY = {
    "net equity": ("net_equity", "capital"),
    "initial margin": ("initial_margin", "contracts"),
    "maintenance margin": ("maintenance_margin", "danger"),
}
"""The lines of a sub-account: the figure and the colour of each."""


def _equity(books: PageBooks, view: View, name: str) -> drawing.Picture | None:
    """Return net equity and margin of a sub-account over time."""
    found = [
        {row.name: row for row in books.margin(date_of(day)).sub_accounts}.get(name)
        for day in view.evenings
    ]
    if not any(row and row.exposure for row in found):
        return None
    series = [
        drawing.Series(label, colour, [getattr(row, key, None) for row in found])
        for label, (key, colour) in EQUITY.items()
    ]
    return drawing.lines(f"Equity and margin of {name}", view.operating, view.dates, series)


def _liquidations(books: PageBooks, view: View) -> Iterator[dict[str, Any]]:
    """Yield what liquidations of the period closed, in order of time; the steps of a day as one."""
    found: dict[tuple[Day, str, str, Decimal], list[tuple[str, Decimal]]] = {}
    for identity, entry in books.ids.items():
        if not identity.startswith(f"{TransactionKind.LIQUIDATION}/"):
            continue
        known = Identity.parse(identity)
        if view.first <= known.day <= view.last:
            for leg in entry.postings:
                if leg.units and leg.units.number and leg.price and leg.price.number:
                    key = (known.day, known.name, leg.units.currency, leg.price.number)
                    found.setdefault(key, []).append((identity, leg.units.number))
    for (day, name, market, price), steps in found.items():
        yield {
            "id": steps[0][0],
            "date": iso(day),
            "name": name,
            "market": market,
            "quantity": decimal_text(total(number for _, number in steps)),
            "price": decimal_text(price),
            "steps": len({identity for identity, _ in steps}),
        }


def _prices(rows: Iterable[Figures], currency: str, books: PageBooks) -> Iterator[dict[str, Any]]:
    """Yield each price that has a slider: name, price, unit, and the coin that it follows."""
    prices: dict[str, dict[str, Any]] = {}
    for row in rows:
        for asset in (row["collateral_assets"] or []) + (row["borrows"] or []):
            prices.setdefault(asset["coin"], {"price": asset["price"], "unit": currency})
        for position in row["positions"] or ():
            terms = books.reading.book.perpetuals[row["venue"], position["market"]].values[-1]
            prices.setdefault(
                position["market"],
                {"price": position["mark"], "unit": terms.settle, "over": terms.underlying},
            )
    for name, price in sorted(prices.items()):
        if price.get("over") not in prices:
            price["over"] = None
        if name != currency and price["price"] is not None:
            yield {"name": name, **price}
