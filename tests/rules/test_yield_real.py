"""A year of lending and treasury yield at rates of the record, against the oracle in fractions.

Lending: USDC on Aave v3, every hour of 2024 (a leap year). Treasury: the one-month par yield of
each business day. Both from the shared records; skipped where they are not there.
"""

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from yield_books import Books, answer, days, load_file, whole
from yield_oracle import Files, Moment, Walk

SHARED = Path(__file__).parents[3] / "shared" / "data"
LENDING = SHARED / "lending_rates_hourly" / "usdc_2024.csv"
PAR = SHARED / "treasury_par_yield" / "par_yield_daily_2021_2025.csv"
MONTHS = [f"2024-{month:02}" for month in range(1, 13)]

LEDGER = """
2024-01-01 commodity USDC
  quantum: 0.000001
2024-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2024-01-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2024-08-12 custom "sub-account" "Arb" Assets:Backpack:Arb
  time: "10:00"
  auto-lend: TRUE
  earn: FALSE
2024-01-01 custom "lending-pool" "USDC"
  rates: "observed"
2024-01-01 custom "lending-rate" "USDC" "rates/lending.csv"
2024-01-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2024-01-01 custom "treasury-rate" "USD" "rates/treasury.csv"
2024-02-01 custom "yield-bonus" "USD" "Main" 0.03
  cap: 1000000 USDC

2024-01-01 * "Deposit"
  Assets:Backpack:Main:Wallet  1234567.890123 USDC
  Assets:Bank
2024-02-29 * "Deposit"
  time: "08:15"
  Assets:Backpack:Arb:Wallet   50000 USDC
  Assets:Bank
2024-06-03 * "Withdraw"
  time: "17:40"
  Assets:Backpack:Main:Wallet  -600000 USDC
  Assets:Bank
2024-01-01 custom "accrue-through" 2024-12-31
"""


def lending_rows() -> Iterator[tuple[str, Moment, Decimal]]:
    """Yield an hour, its moment, and its supply APR as a fraction."""
    with LENDING.open(newline="") as file:
        for row in csv.DictReader(file):
            hour = row["hour_utc"]
            moment = date.fromisoformat(hour[:10]), int(hour[11:13]) * 3600
            yield hour, moment, Decimal(row["supply_apr_pct"]).scaleb(-2)


def treasury_rows() -> Iterator[tuple[str, Moment, Decimal]]:
    with PAR.open(newline="") as file:
        for row in csv.DictReader(file):
            if "2023-12-29" <= row["Date"] <= "2024-12-31":
                moment = date.fromisoformat(row["Date"]), 0
                yield row["Date"], moment, Decimal(row["1 Mo"]).scaleb(-2)


@dataclass(frozen=True)
class Year:
    """The books, and what the oracle says of them."""

    path: Path
    books: Books
    oracle: Walk


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    for record in (LENDING, PAR):
        if not record.is_file():
            pytest.skip(f"no {record}")
    folder = tmp_path_factory.mktemp("year")
    (folder / "rates").mkdir()
    lending, treasury = list(lending_rows()), list(treasury_rows())
    (folder / "rates" / "lending.csv").write_text(
        "time_utc,supply_apr,borrow_apr\n"
        + "".join(f"{hour},{rate:f},{rate:f}\n" for hour, _, rate in lending)
    )
    (folder / "rates" / "treasury.csv").write_text(
        "date,rate\n" + "".join(f"{day},{rate:f}\n" for day, _, rate in treasury)
    )
    ledger = folder / "main.beancount"
    ledger.write_text(whole(LEDGER))
    files: Files = {
        name: [(moment, Fraction(rate)) for _, moment, rate in rows]
        for name, rows in (("rates/lending.csv", lending), ("rates/treasury.csv", treasury))
    }
    books = load_file(ledger).clean()
    yield Year(ledger, books, Walk(books.entries, files))
    shutil.rmtree(folder)


def by_month(year: Year, sub: str, source: str) -> dict[str, Fraction]:
    """Return the income that the books show, by month."""
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for day, amount in year.books.moved(f"Income:Backpack:{sub}:{source}").items():
        sums[day[:7]] -= Fraction(amount)
    return {month: sums[month] for month in MONTHS}


@pytest.mark.parametrize("sub", ["Main", "Arb"])
@pytest.mark.parametrize(
    ("source", "field"), [("Interest", "lending"), ("Treasury", "treasury"), ("Bonus", "bonus")]
)
def test_each_month_is_that_of_the_oracle(year: Year, sub: str, source: str, field: str) -> None:
    expected = dict.fromkeys(MONTHS, Fraction(0))
    for (day, name, _), earned in year.oracle.holders.items():
        if name == sub:
            expected[day.isoformat()[:7]] += getattr(earned, field)
    assert by_month(year, sub, source) == expected
    assert any(expected.values()) == (source != "Bonus" or sub == "Main")


@pytest.mark.parametrize("sub", ["Main", "Arb"])
def test_each_payout_and_what_is_lent_each_day(year: Year, sub: str) -> None:
    paid = year.books.moved(f"Assets:Backpack:{sub}:Wallet", "USDC", "payout")
    lent = year.books.moved(f"Equity:Backpack:{sub}:Uses:Lent")
    enrolled = year.books.moved(f"Equity:Backpack:{sub}:Uses:Yield")
    total = use = Fraction(0)
    for day in days("2024-01-01", "2024-12-31"):
        earned = year.oracle.holders[date.fromisoformat(day), sub, "USDC"]
        total += Fraction(lent.get(day, "0"))
        use += Fraction(enrolled.get(day, "0"))
        assert (total, use) == (earned.lent, earned.enrolled), day
        assert Fraction(paid.get(day, "0")) == earned.paid, day
    assert [day for day in paid if not day.endswith("-01")] == []
    assert len(paid) == {"Main": 11, "Arb": 7}[sub]  # Arb: March to September


def test_a_year_at_a_glance(year: Year) -> None:
    """2024's one-month bill yielded 5.5 % in January and 4.4 % in December."""
    treasury = [
        Fraction(entry["rate"])
        for month in ("2024-01", "2024-12")
        for row in answer("yield", year.path, "--from", f"{month}-01", "--to", f"{month}-31")[
            "rows"
        ]
        if row["sub_account"] == "Main"
        for entry in row["sources"]
        if entry["source"] == "treasury"
    ]
    assert [round(rate, 3) for rate in treasury] == [Fraction("0.055"), Fraction("0.045")]


def test_the_report_of_a_month_is_the_oracle_s(year: Year) -> None:
    """August: Arb leaves the product on the 12th, and holds it no more when July is paid."""
    rows = answer("yield", year.path, "--from", "2024-08-01", "--to", "2024-08-31")["rows"]
    for sub, row in zip(("Arb", "Main"), rows, strict=True):
        assert (row["sub_account"], row["product"], row["days"]) == (sub, "USD", 31)
        shown = {entry["source"]: Fraction(entry["income"]) for entry in row["sources"]}
        for source in ("lending", "treasury", "bonus"):
            expected = sum(
                getattr(year.oracle.holders[date.fromisoformat(day), sub, "USDC"], source)
                for day in days("2024-08-01", "2024-08-31")
            )
            assert shown.get(source, 0) == expected
