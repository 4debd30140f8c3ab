"""Laws of imported interest, on drawn books of one coin.

A book is drawn, and lived with generated interest. What is generated is then written down by hand,
row by row, as `usance import` would write it, into a book with `interest: "imported"`.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from beancount import loader
from beancount.core import data
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from usance.cli import main

WALLET = "Assets:Backpack:Main:Wallet"
OWED = "Liabilities:Backpack:Main:Borrowed"
EARNED = "Income:Backpack:Main:Interest"
PAID = "Expenses:Backpack:Main:Interest"
LENT = "Equity:Backpack:Main:Uses:Lent"
SIDES = (WALLET, OWED, EARNED, PAID, LENT)
FIRST = date(2025, 5, 1)

Balances = dict[tuple[str, date], Decimal]


@dataclass(frozen=True)
class Drawn:
    """A book: its terms, and what goes in (+) and out (-), by day and time."""

    terms: str
    flows: tuple[tuple[date, str, Decimal], ...]
    last: date

    def text(self, *, interest: str = "generated", rows: str = "") -> str:
        moved = "".join(
            f'{day} * "Moved"\n{time}  {WALLET}  {number} USDC\n  Assets:Bank  {-number} USDC\n'
            for day, time, number in self.flows
        )
        opens = "".join(f"2025-01-01 open {name}\n" for name in (WALLET, OWED, "Assets:Bank"))
        end = f'{self.last} custom "accrue-through" {self.last}\n'
        return self.terms.replace("INTEREST", interest) + opens + moved + rows + end


@st.composite
def drawn(draw: st.DrawFn, times: tuple[str, ...] = ("",)) -> Drawn:
    repays = draw(st.sampled_from(["TRUE", "FALSE"])) if times == ("",) else "TRUE"
    supply, borrow = draw(st.lists(st.sampled_from(RATES), min_size=2, max_size=2))
    quantum = draw(st.sampled_from(["0.000001", "0.0000000001", "0.01"]))
    days = draw(st.integers(2, 6))
    flows = draw(
        st.lists(
            st.tuples(
                st.integers(0, days - 1).map(lambda day: FIRST + timedelta(day)),
                st.sampled_from(times),
                # Few amounts, so that debts are often made and paid back.
                st.sampled_from(["1000", "-1000", "-1500.05", "2500.1", "-0.01", "99999.9999"]),
            ),
            min_size=2,
            max_size=6,
        )
    )
    terms = f"""\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins.auto_lending"
2025-01-01 commodity USDC
  quantum: {quantum}
2025-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  auto-repay: {repays}
  interest: "INTEREST"
2025-01-01 custom "lending-pool" "USDC"
  rates: "observed"
  entry-fee: TRUE
2025-01-01 custom "lending-rate" "USDC" {supply} {borrow}
"""
    moved = tuple((day, time, Decimal(number)) for day, time, number in sorted(flows))
    return Drawn(terms, moved, FIRST + timedelta(days - 1))


RATES = ("0", "0.0156", "0.0365", "0.073", "0.9", "12")


def load(text: str) -> data.Directives:
    entries, errors, _ = loader.load_string(text)
    assert [error.message for error in errors] == []
    return entries


def balances(entries: data.Directives, book: Drawn) -> Balances:
    """Return what is in each account at the end of each day."""
    found: Balances = {}
    for account in SIDES:
        for number in range((book.last - FIRST).days + 1):
            day = FIRST + timedelta(number)
            found[account, day] = sum(
                (
                    leg.units.number
                    for entry in entries
                    if isinstance(entry, data.Transaction) and entry.date <= day
                    for leg in entry.postings
                    if leg.account == account and leg.units and leg.units.number is not None
                ),
                Decimal(0),
            )
    return found


def rows(entries: data.Directives) -> str:
    """Return what was generated as rows of a venue: one a day and side, at its last second."""
    sums: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, data.Transaction) and "usance" in entry.tags:
            for leg in entry.postings:
                if leg.account in (EARNED, PAID) and leg.units and leg.units.number:
                    sums[entry.date, leg.account] += leg.units.number
    text = f"2025-01-01 open {EARNED}\n2025-01-01 open {PAID}\n"
    for (day, account), number in sorted(sums.items()):
        other = WALLET if account == EARNED else OWED
        text += f'{day} * "Interest"\n  time: "23:59:59"\n'
        text += f"  {account}  {number:f} USDC\n  {other}  {-number:f} USDC\n"
    return text


@given(drawn())
def test_rows_that_equal_the_generated_figure_make_the_same_books(book: Drawn) -> None:
    """Day by day, to the last digit, and the memorandum too."""
    generated = load(book.text())
    imported = load(book.text(interest="imported", rows=rows(generated)))
    assert balances(imported, book) == balances(generated, book)
    assert not any(
        leg.account in (EARNED, PAID)
        for entry in imported
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
        for leg in entry.postings
    )


@given(drawn(times=("", '  time: "09:30"\n', '  time: "23:30"\n')))
def test_what_a_wallet_is_worth_is_the_same_whenever_coins_move(book: Drawn) -> None:
    """Within a day the venue's interest is not there yet: a borrow is larger, and repaid by it."""
    generated = load(book.text())
    imported = load(book.text(interest="imported", rows=rows(generated)))
    one, other = balances(generated, book), balances(imported, book)
    for account, day in one:
        if account == WALLET:
            assert one[WALLET, day] + one[OWED, day] == other[WALLET, day] + other[OWED, day]
        elif account in (EARNED, PAID):
            assert one[account, day] == other[account, day]


@given(drawn(times=("", '  time: "09:30"\n')))
def test_sums_of_pools_are_conserved_and_differences_add_up(book: Drawn) -> None:
    """With rows of one quantum more than generated, the books and the reports hold them."""
    generated = load(book.text())
    more = rows(generated) + (
        f'{FIRST} * "Interest"\n  time: "23:59:59"\n  {WALLET}  7 USDC\n  {EARNED}  -7 USDC\n'
    )
    with TemporaryDirectory() as folder:
        ledger = Path(folder) / "main.beancount"
        ledger.write_text(book.text(interest="imported", rows=more))
        done = CliRunner().invoke(main, ["lending", str(ledger), "--format", "json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    paid = earned = Decimal(0)
    for pool in answer["pools"]:
        parts = [Decimal(pool[key] or 0) for key in ("earned_by_lenders", "fee", "external")]
        assert Decimal(pool["paid_by_borrowers"]) == sum(parts) + Decimal(pool["rounding"])
        paid += Decimal(pool["paid_by_borrowers"])
        earned += Decimal(pool["earned_by_lenders"])
    end = balances(load(book.text(interest="imported", rows=more)), book)
    assert (paid, -earned) == (end[PAID, book.last], end[EARNED, book.last])
    for row in answer["rows"]:
        assert Decimal(row["interest"]) - Decimal(row["expected"]) == Decimal(row["difference"])
    for side in answer["differences"]:
        of_side = [row for row in answer["rows"] if row["side"] == side["side"]]
        for key in ("interest", "expected", "difference"):
            assert Decimal(side[key]) == sum(Decimal(row[key]) for row in of_side)
