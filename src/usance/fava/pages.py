"""Pages: capital, lending, sub-accounts and yield. They ask reports and compute nothing."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fava.ext import FavaExtensionBase

from usance.engine.drafts import TransactionKind
from usance.fava.books import PageBooks
from usance.fava.page import Page, listed, scaled
from usance.fava.view import View
from usance.model.amounts import ZERO, decimal_text, total
from usance.model.hours import Day, date_of, end_of, iso
from usance.model.timeline import in_force
from usance.reports import balance_sheets
from usance.reports.figures import plain
from usance.reports.lending import SIDES
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
            "charts": view.drawn(
                [
                    view.lines("Efficiency (%)", of("efficiency", 100)),
                    view.lines(f"Capital ({view.currency})", of("capital")),
                    view.lines(f"Idle ({view.currency})", of("idle")),
                    view.lines(f"Saved ({view.currency})", of("saved")),
                ]
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
        venues = {pool.venue for pool in books.rates(view.last)}

        def of(key: str) -> Callable[[Day], Mapping[str, Decimal | None]]:
            def points(day: Day) -> Mapping[str, Decimal | None]:
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
                    TransactionKind.LENDING if row.side == "lent" else TransactionKind.BORROWING,
                    row.sub_account,
                    view.last,
                    row.coin,
                )
                for row in rows
            ],
            "differences": books.differences(view.first, view.last),
            "pools": books.conserved(view.first, view.last),
            "charts": view.drawn(
                [
                    view.bars("Interest", books.interests),
                    view.lines("Supply rate (% a year)", of("supply")),
                    view.lines("Borrow rate (% a year)", of("borrow")),
                    view.lines("Utilization (%)", of("utilization")),
                ]
            ),
            "hues": view.hues(SIDES),
        }


class UsanceSubAccounts(Page, FavaExtensionBase):
    """Balance sheets side by side, and the transfers between them."""

    report_title = "Sub-accounts"

    def fill(self, books: PageBooks, view: View) -> Mapping[str, Any]:
        """Show balance sheets at the end of the period, and the transfers in it."""
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
        for part, [period] in books.performance(((view.first, view.last),)).parts:
            results[part.name if part.kind != "whole" else ""] = [*_results(period)]
        return {
            "whole": plain(answer.net_asset_value),
            "results": results,
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
        rows = books.split(view.first, view.last)["rows"]
        coins = sorted({row["coin"] for row in rows})

        def of(coin: str) -> Callable[[Day, Day], Mapping[str, Mapping[str, Decimal]]]:
            def parts(first: Day, last: Day) -> Mapping[str, Mapping[str, Decimal]]:
                return {
                    source: {coin: earned.get(coin, ZERO)}
                    for source, earned in books.incomes(first, last).items()
                }

            return parts

        return {
            "rows": rows,
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
            "products": books.backing(view.last)["products"],
            "accretion": lambda name: books.latest(TransactionKind.TREASURY, name, view.last),
            "declared": bool(books.reading.book.yields.products),
            "charts": view.drawn([view.bars(f"Yield in {coin}", of(coin)) for coin in coins]),
            "hues": view.hues(SOURCES),
        }
