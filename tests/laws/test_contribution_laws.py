"""The rows behind each line of a statement sum to what the statement shows, on drawn ledgers."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import strategies
import test_margin_laws as of_margin
import test_yield_laws as of_yield
import yield_books
from hypothesis import given
from test_statement_laws import PRICES, written

from usance.ledger.load import Ledger, load
from usance.model.amounts import EXACT, ZERO, total
from usance.model.hours import Day
from usance.reports import basis
from usance.reports.contributions import WHOLE, Contributions, contributions, lines_of
from usance.reports.figures import rounded
from usance.reports.performance import Span
from usance.reports.statement import UNNAMED, statement

DEMO = Path(__file__).parents[2] / "ledgers" / "demo" / "main.beancount"


def check_period(ledger: Ledger, span: Span, on: str = basis.POSTED) -> None:
    """Check each line of each part, and each row that says its price."""
    reading = ledger.read()
    for part in statement(ledger, reading, span, None, on).parts:
        name = part.name or WHOLE
        [period] = part.periods
        lines: list[tuple[str, str | None, Decimal | None]] = [
            ("opening", None, period.opening),
            ("closing", None, period.closing),
        ]
        for line in period.lines or ():
            # An empty line, about nothing, is one row of the statement too.
            is_whole_line = line.line in UNNAMED or not line.amount
            lines.append((line.line, None if is_whole_line else line.name, line.amount))
        for kind, about, amount in lines:
            if kind not in lines_of(reading, name):
                assert name == WHOLE and not amount
                continue
            found = contributions(ledger, reading, span, name, (kind, about), on)
            if amount or about is not None:
                assert found.amount == amount, (name, kind, about)
            check_rows(found)


def check_rows(found: Contributions) -> None:
    if found.contributions is None or found.amount is None:
        assert found.amount is None is found.contributions
        return
    assert rounded(total(row.amount for row in found.contributions)) == found.amount
    for row in found.contributions:
        is_posted = row.cause in ("posting", "realised", "trade")
        assert (row.file is not None) == is_posted
        if row.price is None or row.units is None:
            assert row.cause == "trade"
            continue
        moved = EXACT.subtract(row.price, row.price_before or ZERO)
        assert EXACT.multiply(row.units, moved) == row.amount


def check(ledger: Ledger, on: str = basis.POSTED) -> None:
    """Check all days at once, and their second half."""
    reading = ledger.read()
    first = reading.book.first
    assert first is not None
    check_period(ledger, (first, reading.last), on)
    check_period(ledger, (Day(first + (reading.last - first + 1) // 2), reading.last), on)


def test_every_line_of_the_demo() -> None:
    ledger = load(str(DEMO))
    last = ledger.read().last
    check_period(ledger, (Day(last - 58), Day(last - 28)))  # January 2025


@of_margin.share(0.3)
@given(of_margin.ledgers(simulated=True))
def test_lines_with_contracts_lots_and_liquidations(drawn: of_margin.Drawn) -> None:
    with TemporaryDirectory() as folder:
        check(written(drawn.text(), Path(folder)))


@of_margin.share(0.3)
@given(strategies.ledgers())
def test_lines_with_debts_and_transfers(drawn: strategies.Ledger) -> None:
    with TemporaryDirectory() as folder:
        text = str(drawn)
        for coin, price in PRICES.items():
            text += f"{drawn.start} price {coin} {price} USDC\n"
        check(written(text, Path(folder)))


@of_yield.draws(10)
@given(of_yield.ledgers(true_ups=True))
def test_lines_of_closed_days(drawn: of_yield.Ledger) -> None:
    """Also with a product of bills, on both bases."""
    with TemporaryDirectory() as folder:
        path = yield_books.closed_folder(Path(folder) / "books", str(drawn))
        yield_books.accrue(path, str(drawn.last))
        ledger = load(str(path))
        check(ledger)
        check(ledger, basis.CORRECTED)
