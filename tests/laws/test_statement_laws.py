"""The identity behind a statement, on drawn ledgers with contracts, lots, debts and yield.

Closing is opening and all lines, to the last digit, on every day and of every part, posted or not;
the parts come to the whole, and the intervals to the period. An independent walk over the postings,
in fractions, finds the same values.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import strategies
import test_margin_laws as of_margin
import test_yield_laws as of_yield
import yield_books
from beancount.core import data
from hypothesis import given

from usance.ledger.load import Ledger, load
from usance.model.hours import date_of, iso
from usance.reports import basis
from usance.reports.performance import Interval, Part, Performance, Span, joined, performance
from usance.reports.statement import intervals

ZERO = Fraction(0)
Parts = list[tuple[Part, list[Interval]]]
PRICES = {"SOL": "151.25", "BTC": "60000.5", "ETH": "2500", "USDT": "0.99"}


def written(text: str, folder: Path) -> Ledger:
    path = folder / "main.beancount"
    path.write_text(text, "utf-8")
    return load(str(path))


def parts_of(ledger: Ledger, by: str | None, on: str = basis.POSTED) -> Parts:
    return walked(ledger, by, on)[0].parts


def walked(
    ledger: Ledger, by: str | None, on: str = basis.POSTED
) -> tuple[Performance, list[Span]]:
    reading = ledger.read()
    assert reading.book.first is not None
    spans = list(intervals((reading.book.first, reading.last), by))
    entries = basis.entries(ledger, reading, reading.last, on)
    return performance(ledger, reading, entries, spans), spans


def check_joined(ledger: Ledger) -> None:
    """Days that are joined are what a walk of the whole period says, and missing prices too."""
    days, _ = walked(ledger, "day")
    week, weeks = walked(ledger, "week")
    assert joined(days, weeks) == week
    # Without the first interval, whose days the walk then only books.
    later, reading = weeks[1:], ledger.read()
    if later:
        entries = basis.entries(ledger, reading, reading.last, basis.POSTED)
        assert joined(days, later) == performance(ledger, reading, entries, later)


def check_identity(parts: Parts, *, unpriced: bool) -> None:
    for part, found in parts:
        before: Decimal | None = Decimal(0)
        for interval in found:
            if interval.difference is None:
                assert unpriced, (part, iso(interval.first))
                before = interval.closing
                continue
            assert abs(interval.difference) < Decimal("1e-40"), (part, interval)
            assert interval.opening == before
            assert interval.closing is not None
            before = interval.closing


def check_whole(parts: Parts) -> None:
    """The whole has the lines of all parts together, but for what they gave each other."""
    *each, (whole, sums) = parts
    assert whole.kind == "whole"
    for index, interval in enumerate(sums):
        given_and_taken = ZERO
        lines: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for _, found in each:
            for line, amount in found[index].lines.items():
                if line[0].startswith("transfers"):
                    given_and_taken += Fraction(amount)
                else:
                    lines[line] += Fraction(amount)
        assert abs(given_and_taken) < Fraction(1, 10**40)
        assert lines == {line: Fraction(amount) for line, amount in interval.lines.items()}


def check_sums(days: Parts, at_once: Parts) -> None:
    """What the days added is what the period did, line by line."""
    for (part, found), (same, [period]) in zip(days, at_once, strict=True):
        assert part == same
        sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        realised: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for interval in found:
            for line, amount in interval.lines.items():
                sums[line] += Fraction(amount)
            for line, amount in interval.realised.items():
                realised[line] += Fraction(amount)
        assert sums == {line: Fraction(amount) for line, amount in period.lines.items()}
        assert realised == {line: Fraction(amount) for line, amount in period.realised.items()}


class Walk:
    """The postings of a ledger, valued in fractions without the code under test."""

    def __init__(self, ledger: Ledger) -> None:
        reading = ledger.read()
        self.operating = ledger.options["operating_currency"][0]
        self.chart = reading.chart
        products = reading.book.yields.products.values()
        self.bills = {timeline.values[0].bills for timeline in products}
        self.prices: dict[str, list[tuple[date, Fraction, str]]] = defaultdict(list)
        self.legs: dict[str, list[tuple[date, Fraction, str]]] = defaultdict(list)
        for entry in ledger.entries:
            if isinstance(entry, data.Price):
                number = Fraction(str(entry.amount.number))
                self.prices[entry.currency].append((entry.date, number, entry.amount.currency))
            for posting in entry.postings if isinstance(entry, data.Transaction) else ():
                self.take(entry.date, posting)

    def take(self, day: date, posting: Any) -> None:  # noqa: ANN401
        account = posting.account
        owner = self.chart.owner(account) or self.chart.product(account)
        if owner is not None and account.startswith(("Assets:", "Liabilities:")):
            number, commodity = Fraction(posting.units.number), posting.units.currency
            if account in self.bills:
                number *= Fraction(posting.cost.number)
                commodity = posting.cost.currency
            self.legs[owner].append((day, number, commodity))

    def price(self, commodity: str, day: date) -> Fraction | None:
        if commodity == self.operating:
            return Fraction(1)
        found = [(number, quote) for at, number, quote in self.prices[commodity] if at <= day]
        if not found:
            return None
        other = self.price(found[-1][1], day)
        return None if other is None else found[-1][0] * other

    def worth(self, owner: str, day: date) -> Fraction | None:
        held: dict[str, Fraction] = defaultdict(Fraction)
        for at, number, commodity in self.legs[owner]:
            if at <= day:
                held[commodity] += number
        values = [
            (number, self.price(commodity, day)) for commodity, number in held.items() if number
        ]
        known = [number * price for number, price in values if price is not None]
        return sum(known, ZERO) if len(known) == len(values) else None


def check_values(ledger: Ledger, parts: Parts) -> None:
    """Compare each evening's value with the walk."""
    walk = Walk(ledger)
    for part, found in parts[:-1]:
        for interval in found:
            worth = walk.worth(part.name, date_of(interval.last))
            assert (interval.closing is None) == (worth is None)
            if interval.closing is not None and worth is not None:
                # A price over a third currency is rounded once, to 28 digits.
                close = abs(worth) / 10**20 + Fraction(1, 10**20)
                assert abs(Fraction(interval.closing) - worth) <= close


def check(ledger: Ledger, *, unpriced: bool = False) -> Parts:
    days = parts_of(ledger, "day")
    check_identity(days, unpriced=unpriced)
    if not unpriced:
        check_whole(days)
        check_sums(days, parts_of(ledger, None))
    check_values(ledger, days)
    check_joined(ledger)
    return days


@of_margin.share(0.5)
@given(of_margin.ledgers(simulated=True))
def test_a_statement_comes_out_with_contracts_lots_and_liquidations(drawn: of_margin.Drawn) -> None:
    with TemporaryDirectory() as folder:
        check(written(drawn.text(), Path(folder)))


@of_margin.share(0.5)
@given(strategies.ledgers())
def test_a_statement_comes_out_with_debts_and_transfers(drawn: strategies.Ledger) -> None:
    with TemporaryDirectory() as folder:
        text = str(drawn)
        for coin, price in PRICES.items():
            text += f"{drawn.start} price {coin} {price} USDC\n"
        check(written(text, Path(folder)), unpriced=True)


@of_yield.draws(30)
@given(of_yield.ledgers(true_ups=True))
def test_closed_days_state_what_open_ones_did(drawn: of_yield.Ledger) -> None:
    """Also with a product of bills, whose value is their cost and accretion."""
    with TemporaryDirectory() as folder:
        path = yield_books.closed_folder(Path(folder) / "books", str(drawn))
        before = check(load(str(path)), unpriced=True)
        yield_books.accrue(path, str(drawn.last))
        ledger = load(str(path))
        assert parts_of(ledger, "day") == before
        assert parts_of(ledger, "day", basis.CORRECTED) == before
