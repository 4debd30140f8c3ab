"""`usance yield`, and products in `usance efficiency` and `usance accounts`."""

import csv
import io
import json
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import bills_product as bills
import pytest
from observed_product import (
    ARB,
    FRAME,
    PLAIN,
    bonus,
    paid,
    product,
    switch,
    through,
)
from yield_books import accrue, answer, closed_folder, deposit, load_file, usance, whole

WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)
FIGURE = Context(prec=28, rounding=ROUND_HALF_EVEN)
EXAMPLE = (
    FRAME.replace('"USDC" 0 0', '"USDC" 0.0156 0.0310').replace("0.0876", "0.0400")
    + product()
    + deposit("1000", "2025-05-01")
    + through("2025-05-30")
)
"""1,000 USDC for 30 days at 1.56 % lending and 4.00 % treasury."""


def ledger_of(folder: Path, *parts: str) -> Path:
    path = folder / "main.beancount"
    path.write_text(whole("".join(parts)))
    return path


def only(found: Any) -> Any:  # noqa: ANN401
    [row] = found["rows"]
    return row


def incomes(row: dict[str, Any]) -> dict[str, str]:
    return {entry["source"]: entry["income"] for entry in row["sources"]}


def places(number: Fraction, count: int = 18) -> Fraction:
    return Fraction(round(number * 10**count), 10**count)


# The split


def test_the_example_of_the_design(tmp_path: Path) -> None:
    # Principal-hours: 24 of 1000 and of each evening's balance but the last; the mean of the 720
    # hours is 1000.6199855666…
    row = only(answer("yield", ledger_of(tmp_path, EXAMPLE)))
    assert {key: row[key] for key in ("sub_account", "venue", "product", "coin", "days")} == {
        "sub_account": "Main",
        "venue": "Backpack",
        "product": "USD",
        "coin": "USDC",
        "days": 30,
    }
    assert incomes(row)["lending"] == "1.283012"
    assert incomes(row)["treasury"] == "3.289709"
    assert row["average_principal"] == "1000.619985566666666666666667"
    assert row["accrued_unpaid"] == "3.289709"
    percents = [f"{Decimal(entry['rate']) * 100:.2f}" for entry in row["sources"]]
    assert percents[:2] == ["1.56", "4.00"]
    assert f"{Decimal(row['rate']) * 100:.2f}" == "5.56"


def test_the_table_says_that_they_add_up(tmp_path: Path) -> None:
    done = usance("yield", ledger_of(tmp_path, EXAMPLE))
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if "%" in line]
    shown = {line.split()[0].lower(): line for line in lines}
    for name, rate in (("lending", "1.56"), ("treasury", "4.00"), ("total", "5.56")):
        assert f" {rate} %" in shown[name]
    assert "compounding" in shown
    # The bar is stacked: the sources beside each other make the total's.
    filled = {name: len([sign for sign in line if sign in "█▓▒░"]) for name, line in shown.items()}
    assert filled["lending"] + filled["treasury"] == filled["total"] > 0


def test_rates_are_rounded_as_the_formulas_say(tmp_path: Path) -> None:
    """Section 6: sources and APY half-even to 18 decimals, the rest exact sums."""
    text = EXAMPLE + bonus("0.0123", cap="700 USDC") + deposit("333", "2025-05-11 07:10")
    row = only(answer("yield", ledger_of(tmp_path, text)))
    mean = Fraction(row["average_principal"])
    assert len(row["average_principal"].replace(".", "").strip("0")) <= 28
    total = Fraction(0)
    for entry in row["sources"]:
        rate = Fraction(entry["income"]) / mean * Fraction(365, row["days"])
        assert Fraction(entry["rate"]) == places(rate)
        total += Fraction(entry["rate"])
    assert Fraction(row["rate"]) == total
    income = sum(Fraction(entry["income"]) for entry in row["sources"])
    whole_return = 1 + income / mean
    base = WIDE.divide(Decimal(whole_return.numerator), Decimal(whole_return.denominator))
    apy = WIDE.power(base, WIDE.divide(Decimal(365), Decimal(row["days"]))) - 1
    assert Decimal(row["apy"]) == apy.quantize(Decimal("1e-18"), ROUND_HALF_EVEN)
    assert Fraction(row["compounding"]) == Fraction(row["apy"]) - total
    assert [entry["source"] for entry in row["sources"]] == ["lending", "treasury", "bonus"]


def test_the_average_principal_is_that_of_all_hours(tmp_path: Path) -> None:
    # 1000 from 12:00 of the first of two days: 36,000 coin-hours over 48 hours
    text = FRAME + product() + deposit("1000", "2025-05-01 12:00") + through("2025-05-02")
    row = only(answer("yield", ledger_of(tmp_path, text)))
    assert (row["days"], row["average_principal"]) == (2, "750")
    # 0.36 / 750 * 365/2 = 0.0876, the rate itself
    assert {entry["source"]: entry["rate"] for entry in row["sources"]}["treasury"] == "0.0876"


def test_a_period_of_some_days(tmp_path: Path) -> None:
    text = PLAIN + through("2025-06-30")
    ledger = ledger_of(tmp_path, text)
    found = answer("yield", ledger, "--from", "2025-05-30", "--to", "2025-06-02")
    assert (found["from"], found["to"]) == ("2025-05-30", "2025-06-02")
    row = only(found)
    # Two days of 1000 and two of 1007.44: 0.48 + 0.4835712; unpaid are those of June
    assert (row["days"], row["average_principal"]) == (4, "1003.72")
    assert incomes(row)["treasury"] == "0.963571"
    assert row["accrued_unpaid"] == "0.483571"


def test_periods_add_up(tmp_path: Path) -> None:
    """Goal: each cent is in one period. Method: days alone, in halves, and at once."""
    text = EXAMPLE.replace("2025-05-30", "2025-06-08") + bonus("0.03", cap="600 USDC")
    ledger = ledger_of(tmp_path, text)
    at_once = incomes(only(answer("yield", ledger)))
    cuts = ["2025-05-01", "2025-05-02", "2025-05-20", "2025-06-01", "2025-06-08"]
    sums = dict.fromkeys(at_once, Fraction(0))
    for first, last in (
        (cuts[0], cuts[0]),
        (cuts[1], cuts[2]),
        ("2025-05-21", "2025-05-31"),
        (cuts[3], cuts[4]),
    ):
        row = only(answer("yield", ledger, "--from", first, "--to", last))
        for source, income in incomes(row).items():
            sums[source] += Fraction(income)
    assert sums == {source: Fraction(income) for source, income in at_once.items()}


def test_accrued_is_paid_and_unpaid(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, PLAIN, bonus("0.0438"), through("2025-06-10"))
    books = load_file(ledger).clean()
    row = only(answer("yield", ledger))
    income = incomes(row)
    accrued = Fraction(income["treasury"]) + Fraction(income["bonus"])
    out = Fraction(books.moved("Assets:Backpack:Main:Wallet")["2025-06-01"])
    assert accrued == out + Fraction(row["accrued_unpaid"])
    assert out == Fraction("11.16")  # 31 days of 0.24 and 0.12


@pytest.mark.parametrize(("amount", "variance"), [("7.50", "0.06"), ("7.40", "-0.04")])
def test_the_variance_between_accrued_and_paid(amount: str, variance: str, tmp_path: Path) -> None:
    text = PLAIN + paid("2025-06-03", "2025-05", amount, "7.44") + through("2025-06-02")
    row = only(answer("yield", ledger_of(tmp_path, text.replace("2025-06-02", "2025-06-03"))))
    assert Decimal(row["variance"]) == Decimal(variance)
    accrued, unpaid = Decimal(incomes(row)["treasury"]), Decimal(row["accrued_unpaid"])
    assert accrued + Decimal(variance) == Decimal(amount) + unpaid


def test_the_variance_is_that_of_the_period_asked_for(tmp_path: Path) -> None:
    text = PLAIN + paid("2025-06-03", "2025-05", "7.50", "7.44") + through("2025-06-10")
    ledger = ledger_of(tmp_path, text)
    late = only(answer("yield", ledger, "--from", "2025-06-04"))
    assert Decimal(late["variance"] or 0) == 0


def test_rows_are_by_sub_account_and_product(tmp_path: Path) -> None:
    text = PLAIN + ARB + deposit("500", "2025-05-02", "Arb") + through("2025-05-03")
    rows = answer("yield", ledger_of(tmp_path, text))["rows"]
    assert [(row["sub_account"], row["product"]) for row in rows] == [
        ("Arb", "USD"),
        ("Main", "USD"),
    ]
    assert [incomes(row)["treasury"] for row in rows] == ["0.240000", "0.720000"]


def test_one_that_is_left_out_still_lends(tmp_path: Path) -> None:
    text = EXAMPLE + switch("2025-05-01", "auto-lend: TRUE", "earn: FALSE")
    rows = answer("yield", ledger_of(tmp_path, text))["rows"]
    assert [incomes(row).get("treasury", "0") for row in rows] in ([], ["0"], ["0.000000"])


def test_a_book_without_a_product_has_no_rows(tmp_path: Path) -> None:
    text = FRAME.replace('2023-01-01 custom "treasury-rate" "USD" 0.0876\n', "")
    ledger = ledger_of(tmp_path, text, deposit("1000", "2025-05-01"), through("2025-05-02"))
    assert answer("yield", ledger)["rows"] == []
    assert answer("yield", ledger, "--reserves") is not None
    assert usance("yield", ledger).exit_code == 0


def test_other_forms(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, EXAMPLE)
    done = usance("yield", ledger, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.exit_code == 0
    by_source = {row["source"]: row for row in rows}
    assert by_source["lending"]["income"] == "1.283012"
    assert by_source["treasury"]["income"] == "3.289709"
    assert by_source["treasury"]["sub_account"] == "Main"


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, EXAMPLE)
    for words in (["--from", "2025-05-31"], ["--to", "May"], ["--format", "xml"]):
        done = usance("yield", ledger, *words)
        assert (done.exit_code, done.stdout) == (2, "")
    assert usance("yield", ledger, "--to", "2025-05-30").exit_code == 0


def test_intervals_come_to_the_period(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, EXAMPLE)
    assert "periods" not in answer("yield", ledger)
    whole = answer("yield", ledger, "--by", "month")
    assert [(part["from"], part["to"]) for part in whole["periods"]] == [
        ("2025-05-01", "2025-05-30")
    ]
    days = answer("yield", ledger, "--by", "day")
    assert len(days["periods"]) == 30
    for found in (whole, days):
        for source, income in incomes(only(found)).items():
            parts = [incomes(row)[source] for part in found["periods"] for row in part["rows"]]
            assert Decimal(income) == sum(map(Decimal, parts))
    assert only(days["periods"][-1]) | {"days": 30} != only(days)
    assert only(days["periods"][-1])["accrued_unpaid"] == only(days)["accrued_unpaid"]
    long = answer("yield", ledger, "--to", "2025-06-30")
    assert (long["by"], len(long["periods"])) == ("month", 2)


def test_a_ledger_with_errors_shows_what_it_can(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, EXAMPLE, '\n2025-05-02 custom "treasury-rate" "USB" 0.04\n')
    done = usance("yield", ledger, "--format", "json")
    assert done.exit_code == 1
    assert "USB" in done.stderr
    assert incomes(only(json.loads(done.stdout)))["treasury"] == "3.289709"


def test_closed_days_report_the_same(tmp_path: Path) -> None:
    text = PLAIN + bonus("0.03", cap="600 USDC") + through("2025-06-10")
    ledger = closed_folder(tmp_path / "closed", text)
    words = ["--from", "2025-05-20", "--to", "2025-06-05"]
    before = answer("yield", ledger, *words)
    whole_period = answer("yield", ledger)
    for day in ("2025-05-25", "2025-06-02", "2025-06-10"):
        accrue(ledger, day)
        assert answer("yield", ledger, *words) == before
        assert answer("yield", ledger) == whole_period


# A product backed by bills


BACKED = (
    bills.FRAME.replace("100000 USDT", "3000 USDT")
    + bills.product("fee: 0.15")
    + bills.bill("B1", "2025-07-31")
    + bills.buy("2025-05-01", "3000", "B1", "0.98692")
    + bills.HOLDER
    + bills.through("2025-05-20")
)
"""91 days from 2025-05-01; after 20 days 71 are left."""


def test_the_split_of_a_bills_product(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, BACKED)
    books = load_file(ledger).clean()
    found = answer("yield", ledger, "--from", "2025-05-01")
    row = only(found)
    assert (row["product"], row["coin"], row["days"]) == ("TBill", "USDT", 20)
    accrued = books.balance("Assets:Backpack:Main:AccruedYield", "USDT")
    assert Decimal(incomes(row)["treasury"]) == Decimal(row["accrued_unpaid"]) == accrued


def test_what_backs_a_product(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, BACKED)
    books = load_file(ledger).clean()
    [reserve] = answer("yield", ledger, "--reserves")["products"]
    assert (reserve["product"], reserve["venue"], reserve["coin"]) == ("TBill", "Backpack", "USDT")
    owed = -books.balance("Liabilities:Backpack:Treasury:Payable", "USDT")
    assert Decimal(reserve["owed"]) == owed
    # 2960.76 * (1/0.98692)^(20/91) = 2969.3392…; Cash 3000 - 2960.76
    assert Decimal(reserve["bills"]) == Decimal("2969.34")
    assert Decimal(reserve["cash"]) == Decimal("39.24")
    assert Decimal(reserve["holdings"]) == Decimal("3008.58")
    assert Decimal(reserve["coverage"]) == FIGURE.divide(Decimal("3008.58"), owed)
    # 2025-05-20 to 2025-07-31
    assert Decimal(reserve["days_to_maturity"]) == 72
    # (1/0.98692 - 1) * 365/91 = 5.32 % simple, 5.42 % compounded daily
    assert Decimal("0.0525") < Decimal(reserve["portfolio_yield"]) < Decimal("0.0545")
    [lot] = reserve["lots"]
    assert (lot["bill"], lot["bought"], lot["maturity"]) == ("B1", "2025-05-01", "2025-07-31")
    assert Decimal(lot["cost"]) == Decimal("2960.76")
    assert Decimal(lot["accretion"]) == Decimal("8.58")


def test_days_to_maturity_are_weighted(tmp_path: Path) -> None:
    # B1 is worth 2,976 and has 9 days left, B2 991.25 and 71: 97,162.75 / 3,967.25.
    ledger = ledger_of(
        tmp_path,
        bills.FRAME,
        bills.STRAIGHT,
        bills.ONE,
        bills.HOLDER,
        bills.bill("B2", "2025-07-30"),
        bills.buy("2025-05-11", "1000", "B2", "0.99"),
        bills.through("2025-05-20"),
    )
    [reserve] = answer("yield", ledger, "--reserves")["products"]
    weighted = FIGURE.divide(Decimal("97162.75"), Decimal("3967.25"))
    assert Decimal(reserve["days_to_maturity"]) == weighted


def test_reserves_at_a_day_and_as_a_table(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, BACKED)
    found = answer("yield", ledger, "--reserves", "--to", "2025-05-01")
    [reserve] = found["products"]
    # One day: 2960.76 * (1/0.98692)^(1/91) = 2961.1884…
    assert Decimal(reserve["bills"]) == Decimal("2961.19")
    done = usance("yield", ledger, "--reserves")
    assert done.exit_code == 0
    assert "2969.34" in done.stdout
    assert "TBill" in done.stdout


def test_a_product_that_owes_nothing_has_no_coverage(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, BACKED.replace(bills.HOLDER, ""))
    [reserve] = answer("yield", ledger, "--reserves")["products"]
    assert Decimal(reserve["owed"]) == 0
    assert reserve["coverage"] is None


# One screen


POOL = """
2026-10-02 custom "collateral" "USDC"
  weight: 1
2026-10-02 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
2026-10-02 * "Open 50 at 150"
  time: "23:20"
  Assets:Backpack:Main:Perp     50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp  -7500 USDC
2026-10-02 price SOL-PERP 148 USDC
"""


def test_lent_and_margin_and_in_the_product(tmp_path: Path) -> None:
    """1,000 USDC lost 100: 900 are lent, 740 held as margin, 900 in the product (W14)."""
    ledger = ledger_of(
        tmp_path,
        FRAME.replace(
            "auto-lend: TRUE", "auto-lend: TRUE\n  auto-borrow: TRUE\n  leverage-limit: 10"
        ),
        product(),
        deposit("1000", "2026-10-02 23:10"),
        POOL,
        through("2026-10-02"),
    )
    found = answer("efficiency", ledger)
    [sub] = found["sub_accounts"]
    figures = {name: Decimal(sub[name]) for name in ("capital", "lent", "margin", "yield", "uses")}
    assert figures == {"capital": 900, "lent": 900, "margin": 740, "yield": 900, "uses": 2540}
    assert Decimal(sub["efficiency"]) == FIGURE.divide(Decimal(2540), Decimal(900))
    assert [Decimal(sub[name]) for name in ("idle", "siloed", "saved")] == [0, 2540, 1640]
    shown = usance("efficiency", ledger).stdout
    assert "740" in shown
    assert "yield" in shown.lower()


def test_what_is_enrolled_is_valued_in_the_operating_currency(tmp_path: Path) -> None:
    text = bills.PLAIN + "\n2025-05-02 price USDT 0.5 USDC\n" + bills.through("2025-05-02")
    [sub] = answer("efficiency", ledger_of(tmp_path, text))["sub_accounts"]
    assert [Decimal(sub[name]) for name in ("lent", "yield")] == [50, 50]


# Balance sheets


def test_accounts_show_products_and_count_their_income_once(tmp_path: Path) -> None:
    ledger = ledger_of(
        tmp_path,
        bills.PLAIN.replace(
            "2023-01-01 commodity", "2023-01-01 price USDT 1 USDC\n2023-01-01 commodity"
        ).replace("quantum: 0.01", "quantum: 0.01\n  stale-after: 1000"),
        bills.through("2025-05-20"),
    )
    found = answer("accounts", ledger)
    values = {sub["name"]: Decimal(sub["net_asset_value"]) for sub in found["sub_accounts"]}
    # 60 were accreted and distributed: the holder has 160, the product its capital.
    assert values == {"Main": 160, "TBill": 100_000}
    assert Decimal(found["net_asset_value"]) == 100_160
    accounts = {sub["name"]: sub["accounts"] for sub in found["sub_accounts"]}
    assert accounts["Main"]["Assets:Backpack:Main:AccruedYield"] == {"USDT": "60.00"}
    shown = {
        account: {coin: Decimal(number) for coin, number in balances.items()}
        for account, balances in accounts["TBill"].items()
    }
    assert shown == {
        bills.ACCRETION: {"USDT": 60},
        bills.BILLS: {"B1": 3000},
        bills.CASH: {"USDT": 97_084},
        bills.DISCOUNT: {"USDT": -60},
        bills.DISTRIBUTED: {"USDT": 60},
        bills.PAYABLE: {"USDT": -60},
    }
    assert [sub["residual"] for sub in found["sub_accounts"]] == [{}, {}]
    done = usance("accounts", ledger)
    assert done.exit_code == 0
    assert "TBill" in done.stdout
    assert usance("accounts", ledger, "--at-cost").exit_code == 0
