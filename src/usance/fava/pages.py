"""Pages: capital, lending, sub-accounts and yield. They ask reports and compute nothing."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fava.ext import FavaExtensionBase

from usance.engine.drafts import TransactionKind
from usance.fava import drawing
from usance.fava.books import PageBooks
from usance.fava.page import Page, listed, scaled
from usance.fava.view import View
from usance.model.amounts import ZERO, decimal_text, total
from usance.model.hours import Day, date_of, end_of, iso
from usance.model.timeline import in_force
from usance.reports import balance_sheets
from usance.reports.figures import plain
from usance.reports.margin import SubAccountMargin
from usance.reports.performance import LINES, Interval
from usance.reports.statement import WORDS
from usance.reports.yields import SOURCES


class UsanceCapital(Page, FavaExtensionBase):
    """One capital and its simultaneous uses."""

    report_title = "Capital efficiency"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show capital and its uses at the end of the period, and over time."""
        view.convert()
        answer = books.efficiency(date_of(view.last))
        names = [row.name for row in answer.sub_accounts]

        def of(key: str, factor: int = 1) -> Callable[[Day], Mapping[str, Decimal | None]]:
            def points(day: Day) -> Mapping[str, Decimal | None]:
                rows = books.efficiency(date_of(day)).sub_accounts
                if key == "efficiency":
                    return {row.name: scaled(row.efficiency, factor) for row in rows}
                return {row.name: view.worth(getattr(row, key), day) for row in rows}

            return points

        return {
            "rows": plain(answer.sub_accounts),
            "hues": {"lent": "lending", "margin": "contracts", "yield": "treasury"},
            "problems": answer.problems,
            "why": {
                row.name: [*_unlent(books, view.last, row)]
                for row in books.margin(date_of(view.last)).sub_accounts
            },
            "proofs": {
                name: {
                    use: books.latest(kind, name, view.last)
                    for use, kind in (
                        ("lent", TransactionKind.LENDING),
                        ("margin", TransactionKind.MARGIN),
                        ("yield", TransactionKind.TREASURY),
                    )
                }
                for name in names
            },
            "pictures": view.shown(
                drawing.lines(title, unit, view.dates, view.owned(points))
                for title, unit, points in (
                    ("Efficiency", "%", of("efficiency", 100)),
                    ("Capital", view.currency, of("capital")),
                    ("Idle", view.currency, of("idle")),
                    ("Saved", view.currency, of("saved")),
                )
            ),
        }


def _unlent(books: PageBooks, day: Day, row: SubAccountMargin) -> Iterator[str]:
    """Yield why coins of a sub-account are idle, in words."""
    book, name = books.reading.book, row.name
    switches = in_force(book.sub_accounts, name, end_of(day))
    for asset in row.collateral_assets or ():
        if asset.quantity > asset.lent:
            if (row.venue, asset.coin) not in book.pools:
                yield f"{asset.coin} has no pool"
            elif switches is None or not switches.auto_lend:
                yield f"{asset.coin} is not lent: auto-lend is off"


class UsanceLending(Page, FavaExtensionBase):
    """Interest, rates, and the conservation of each pool."""

    report_title = "Lending"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show the interest that the period earned and paid."""
        rows = books.earned(view.first, view.last)
        return {
            "rows": plain(rows),
            "proofs": [
                books.latest(
                    TransactionKind.LENDING if row.side == "lent" else TransactionKind.BORROWING,
                    row.sub_account,
                    view.last,
                    row.coin,
                )
                for row in rows
            ],
            "differences": plain(books.differences(view.first, view.last)),
            "pools": plain(books.conserved(view.first, view.last)),
            "pictures": view.shown(
                [*view.bars("Interest", EARNED_AND_PAID, books.interests), *_rates(books, view)]
            ),
        }


EARNED_AND_PAID = {"earned": "lending", "paid": "paid"}
"""The parts of interest, and their colours."""


def _rates(books: PageBooks, view: View) -> Iterator[drawing.Picture | None]:
    """Yield the rates and the utilization of each pool over time."""
    found = [{(it.venue, it.coin): it for it in books.rates(day)} for day in view.evenings]
    pools = sorted({pool for point in found for pool in point})
    venues = {venue for venue, _ in pools}
    for venue, coin in pools:
        name = coin if len(venues) < 2 else f"{coin} at {venue}"

        def series(key: str, label: str, colour: str, pool: tuple[str, str]) -> drawing.Series:
            values = [
                scaled(getattr(point[pool], key), 100) if pool in point else None for point in found
            ]
            return drawing.Series(label, colour, values)

        lent = series("supply", "lending", "lending", (venue, coin))
        owed = series("borrow", "borrowing", "paid", (venue, coin))
        used = series("utilization", "utilization", "capital", (venue, coin))
        yield drawing.lines(f"Rates of {name}", "% a year", view.dates, [lent, owed])
        yield drawing.lines(f"Utilization of {name}", "%", view.dates, [used])


class UsanceSubAccounts(Page, FavaExtensionBase):
    """Balance sheets side by side, and the transfers between them."""

    report_title = "Sub-accounts"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show balance sheets at the end of the period, its result, and the transfers in it."""
        view.convert()
        answer = books.accounts(date_of(view.last))
        chart = books.reading.chart
        transfers = [
            {
                "id": str(draft.identity),
                "date": iso(draft.day),
                "giver": draft.sub_account if pair.amount > 0 else pair.debit[1],
                "taker": pair.debit[1] if pair.amount > 0 else draft.sub_account,
                "amount": decimal_text(abs(pair.amount)),
                "coin": pair.currency,
            }
            for draft in books.handovers(view.first, view.last)
            for pair in draft.pairs
        ]
        results = {}
        for part, [period] in books.performance((view.recent,)).parts:
            results[part.name if part.kind != "whole" else ""] = [*_results(period)]
        first, last = map(iso, view.recent)
        return {
            "whole": plain(answer.net_asset_value),
            "results": results,
            "period": first if first == last else f"{first} to {last}",
            "sheets": [
                (sheet, list(balance_sheets.sheet_rows(sheet, chart)))
                for sheet in answer.sub_accounts
            ],
            "changed": lambda account, coin: books.changed(account, coin, view.last),
            "total": list(balance_sheets.total_rows(answer, chart)),
            "problems": answer.problems,
            "count": len(transfers),
            "transfers": listed(view, transfers),
        }


FLOWS = ("deposits", "withdrawals", "transfers_in", "transfers_out")
"""The lines of a statement that are no result."""


def _results(period: Interval) -> Iterator[tuple[str, str]]:
    """Yield the parts of a result and their sum, by name; nothing if a price is missing."""
    if period.difference is None:
        return
    amounts: dict[str, Decimal] = {}
    for (line, _), amount in period.lines.items():
        if line not in FLOWS:
            amounts[line] = amounts.get(line, ZERO) + amount
    for line in LINES:
        if amounts.get(line):
            yield WORDS[line], format(amounts[line], "f")
    yield "Result", format(total(amounts.values()), "f")


class UsanceSplit(Page, FavaExtensionBase):
    """The yield of each source."""

    report_title = "Yield split"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show the yield of the period by source, and the backing of products."""
        rows = books.split(view.first, view.last).rows

        return {
            "rows": plain(rows),
            "proof": lambda row, part: (
                books.latest(
                    TransactionKind.LENDING
                    if part["source"] == "lending"
                    else TransactionKind.TREASURY,
                    row["sub_account"],
                    view.last,
                    row["coin"],
                )
                if Decimal(part["income"])
                else ""
            ),
            "products": plain(books.backing(view.last).products),
            "accretion": lambda name: books.latest(TransactionKind.TREASURY, name, view.last),
            "declared": bool(books.reading.book.yields.products),
            "pictures": view.shown(
                view.bars("Yield", {source: source for source in SOURCES}, books.incomes)
            ),
        }
