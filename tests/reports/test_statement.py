"""A statement worked by hand: July of a book of three months, and its command."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from usance.cli import main

HEAD = """\
option "operating_currency" "USD"
option "tolerance_multiplier" "0"
plugin "usance.plugins.margin_pool"
plugin "usance.plugins.sub_accounts"
2025-06-01 commodity USDC
  quantum: 0.000001
2025-06-01 custom "sub-account" "Main" Assets:B:Main
2025-06-01 custom "sub-account" "Arb" Assets:B:Arb
2025-06-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-06-01 open Assets:Bank
2025-06-01 open Assets:B:Main:Wallet
2025-06-01 open Assets:B:Main:Perp "FIFO"
2025-06-01 open Assets:B:Arb:Wallet
2025-06-01 open Income:B:Main:PnL
2025-06-01 open Income:B:Main:Funding
2025-06-01 open Income:B:Main:Referral
2025-06-01 open Expenses:B:Main:Fees
2025-06-01 open Expenses:B:Main:Funding
2025-06-01 price USDC 1.00 USD
2025-07-10 price USDC 0.99 USD
2025-06-01 price SOL-PERP 150 USDC
2025-06-30 price SOL-PERP 148 USDC
2025-07-10 price SOL-PERP 160 USDC
2025-07-31 price SOL-PERP 155 USDC
2025-06-01 price SOL 100 USD
2025-07-20 price SOL 120 USD
2025-07-31 price SOL 110 USD
"""

BODY = """
2025-06-01 * "Deposit"
  Assets:B:Main:Wallet  1000 USDC
  Assets:Bank
2025-06-02 * "Open 10 at 150"
  Assets:B:Main:Perp    10 SOL-PERP {150 USDC}
  Assets:B:Main:Perp -1500 USDC
2025-06-03 * "Two coins in a lot"
  Assets:B:Main:Wallet   2 SOL {100 USD}
  Assets:Bank         -200 USD
2025-07-10 * "Close 4 at 158"
  Assets:B:Main:Perp   -4 SOL-PERP {150 USDC}
  Assets:B:Main:Perp   632 USDC
  Income:B:Main:PnL    -32 USDC
  Assets:B:Main:Wallet  -0.5 USDC
  Expenses:B:Main:Fees   0.5 USDC
2025-07-11 * "Funding"
  Assets:B:Main:Wallet    -0.3 USDC
  Expenses:B:Main:Funding  0.5 USDC
  Income:B:Main:Funding   -0.2 USDC
2025-07-12 * "To Arb"
  Assets:B:Main:Wallet  -100 USDC
  Assets:B:Arb:Wallet    100 USDC
2025-07-20 * "One coin sold at 115"
  Assets:B:Main:Wallet   -1 SOL {100 USD}
  Assets:Bank           115 USD
  Income:B:Main:PnL     -15 USD
2025-07-21 * "Referral"
  Assets:B:Main:Wallet     1 USDC
  Income:B:Main:Referral  -1 USDC
2025-08-02 * "Withdrawal"
  Assets:B:Main:Wallet   -50 USDC
  Assets:Bank
"""


def usance(path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["statement", str(path), *words], prog_name="usance")


@pytest.fixture(name="ledger")
def written(tmp_path: Path) -> Path:
    path = tmp_path / "main.beancount"
    path.write_text(HEAD + BODY, "utf-8")
    return path


def answer(path: Path, *words: str) -> Any:  # noqa: ANN401
    done = usance(path, *words, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def lines_of(period: Any) -> dict[tuple[str, str], tuple[Decimal, ...]]:  # noqa: ANN401
    """Return what is not zero: the amount, and what is realised and unrealised of it."""
    return {
        (row["line"], row["name"]): tuple(
            Decimal(row[key]) for key in ("amount", "realised", "unrealised") if key in row
        )
        for row in period["lines"]
        if Decimal(row["amount"])
    }


def test_july_by_hand(ledger: Path) -> None:
    # Main on June 30, at USDC 1, SOL 100, SOL-PERP 148: the wallet has 1000 - 20 settled = 980 and
    # 2 SOL = 200; contract and debt are even. Opening 1180.
    # USDC falls to 0.99 on July 10. Main has 980 of it, owes 1480 in Perp, and has 1500
    #   in the contract at cost, whose result is told in USDC: -0.01 x 1000 = -10 of coins.
    # The contract, in USDC: 4 closed at 158, (158 - 148) x 4 = 40; 6 go on to 155, (155 - 148) x 6
    #   = 42. Realised (158 - 150) x 4 = 32, the rest is the change of what is not. On July 10, at
    #   0.99: realised 31.68. Unrealised on June 30: 10 x (148 - 150) x 1 = -20; on July 31:
    #   6 x (155 - 150) x 0.99 = 29.70. So 49.70, and 81.38 together.
    # Fees 0.5 x 0.99 = 0.495. Funding -0.3 x 0.99 = -0.297. To Arb 99. Referral 0.99.
    # SOL: one sold at 115 on a day that ends at 120, one held from 100 to 110. Sold: 15 realised;
    #   held: 10. Proceeds of 115 USD go to the bank.
    july = answer(ledger, "--month", "2025-07")
    assert (july["from"], july["to"]) == ("2025-07-01", "2025-07-31")
    assert (july["currency"], july["basis"]) == ("USD", "posted")
    arb, main_, whole = july["parts"]
    assert [part["kind"] for part in july["parts"]] == ["sub-account", "sub-account", "whole"]
    [period] = main_["periods"]
    assert period["opening"] == "1180"
    lines = lines_of(period)
    assert lines == {
        ("withdrawals", "Assets:Bank"): (Decimal(-115),),
        ("transfers_out", "Arb"): (Decimal(-99),),
        ("contracts", "SOL-PERP"): (Decimal("81.38"), Decimal("31.68"), Decimal("49.70")),
        ("funding", ""): (Decimal("-0.297"),),
        ("fees", ""): (Decimal("-0.495"),),
        ("coins", "SOL"): (Decimal(25), Decimal(15), Decimal(10)),
        ("coins", "USDC"): (Decimal("-10.00"), Decimal(0), Decimal("-10.00")),
        ("other", "Income:B:Main:Referral"): (Decimal("0.99"),),
    }
    # The wallet on July 31: 980 + 40 + 42 - 0.5 - 0.3 - 100 + 1 = 962.2 USDC = 952.578, and 110.
    assert Decimal(period["closing"]) == Decimal("1062.578")
    assert Decimal(period["difference"]) == 0
    [period] = arb["periods"]
    assert lines_of(period) == {("transfers_in", "Main"): (Decimal(99),)}
    [period] = whole["periods"]
    assert Decimal(period["closing"]) == Decimal("1161.578")
    assert ("transfers_in", "Main") not in lines_of(period)


def test_the_table_the_csv_and_the_intervals(ledger: Path) -> None:
    table = usance(ledger, "--month", "2025-07", "--sub-account", "Main").stdout
    assert [re.split(r" {2,}", line.strip())[0] for line in table.splitlines()[4:] if line] == [
        "Opening",
        "Withdrawals, Assets:Bank",
        "Transfers out, Arb",
        "Contracts, SOL-PERP",
        "realised",
        "change of unrealised",
        "Funding",
        "Fees",
        "Coins, SOL",
        "realised",
        "change of unrealised",
        "Coins, USDC",
        "change of unrealised",
        "Other, Income:B:Main:Referral",
        "Closing",
        "Difference",
    ]
    assert table.splitlines()[4].split() == ["Opening", "1,180.00"]
    assert usance(ledger, "--month", "2025-07", "--exact").stdout.count("1,062.578") == 1
    months = usance(ledger, "--by", "month", "--sub-account", "Main", "--exact").stdout
    head = months.splitlines()[2].split()
    assert head == ["2025-06", "2025-07", "2025-08-01", "Total"]
    [fees] = [line.split() for line in months.splitlines() if line.startswith(" Fees")]
    assert fees == ["Fees", "0", "-0.495", "0", "-0.495"]
    rows = usance(ledger, "--month", "2025-07", "--format", "csv").stdout.splitlines()
    assert rows[0] == "name,venue,kind,from,to,line,about,amount,realised,unrealised"
    assert "Main,B,sub-account,2025-07-01,2025-07-31,contracts,SOL-PERP,81.38,31.68,49.7" in rows
    assert ",,whole,2025-07-01,2025-07-31,closing,,1161.578,," in rows


def test_days_beyond_the_books_are_lived(ledger: Path) -> None:
    done = usance(ledger, "--to", "2025-09-30", "--format", "json")
    assert json.loads(done.stdout)["to"] == "2025-09-30"
    assert done.stderr.startswith("The books run to 2025-08-01.")


def test_a_page_to_print_has_the_same_figures(ledger: Path) -> None:
    page = usance(ledger, "--month", "2025-07", "--format", "html").stdout
    assert "<script" not in page
    assert "http" not in page
    assert '<td title="1062.578">1,062.58</td>' in page
    assert "Net asset value from 2025-07-01 to 2025-07-31, USD: 1,180.00 to 1,161.58" in page


def test_what_cannot_be_asked_says_what_can(ledger: Path, tmp_path: Path) -> None:
    for words, text in (
        (["--month", "2025-7"], "'2025-7' is not a month. Write it as 2025-05."),
        (["--year", "25"], "'25' is not a year. Write it as 2025."),
        (["--month", "2025-07", "--year", "2025"], "Write --month, --year, or --from and --to"),
        (["--from", "2025-08-01", "--to", "2025-07"], "The period would begin on 2025-08-01"),
        (["--sub-account", "Nobody"], "there is none of this name. Write one of: Arb, Main."),
    ):
        done = usance(ledger, *words)
        assert done.exit_code == 2
        assert text in " ".join(done.stderr.split())
    empty = tmp_path / "empty.beancount"
    empty.write_text(HEAD, "utf-8")
    assert "nothing to show" in usance(empty).stdout
    unpriced = tmp_path / "unpriced.beancount"
    unpriced.write_text((HEAD + BODY).replace("price SOL 1", "price OTHER 1"), "utf-8")
    done = usance(unpriced)
    assert done.exit_code == 1
    assert "cannot be priced" in done.stdout
    assert "SOL has no price in USD" in done.stderr


def test_a_day_without_a_price_makes_no_figure_up(ledger: Path) -> None:
    """Opening and closing have a price; what came in between has none on its day."""
    ledger.write_text((HEAD + BODY).replace("2025-06-01 price SOL 1", "2025-07-01 price SOL 1"))
    done = usance(ledger, "--format", "json")
    assert done.exit_code == 1
    main_ = json.loads(done.stdout)["parts"][1]
    [period] = main_["periods"]
    assert (period["opening"], period["lines"], period["difference"]) == ("0", None, None)
    assert period["closing"] is not None
    assert "SOL has no price in USD on or before 2025-06-0" in done.stderr
    rows = pnl_rows(ledger)
    assert [row["result"] for row in rows if row["instrument"] == "SOL"] == [None]


def pnl(path: Path, *words: str) -> Any:  # noqa: ANN401
    words = ("pnl", str(path), *words, "--format", "json")
    done = CliRunner().invoke(main, words, prog_name="usance")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def pnl_rows(path: Path) -> list[Any]:
    words = ["pnl", str(path), "--format", "json"]
    return list(json.loads(CliRunner().invoke(main, words).stdout)["rows"])


def test_profit_and_loss_of_july_by_hand(ledger: Path) -> None:
    rows = pnl(ledger, "--month", "2025-07")["rows"]
    by_name = {(row["sub_account"], row["instrument"]): row for row in rows}
    contract = by_name["Main", "SOL-PERP"]
    assert contract == {
        "sub_account": "Main",
        "venue": "B",
        "instrument": "SOL-PERP",
        "kind": "contract",
        "quantity_start": "10",
        "quantity_end": "6",
        "entry_price": "150",
        "mark": "155",
        "bought": "0",
        "sold": "4",
        "realised": "31.68",
        "unrealised_change": "49.7",
        "funding": "0",
        "fees": "-0.495",
        "result": "80.885",
    }
    assert by_name["Main", "not assigned"]["funding"] == "-0.297"  # it names none
    # The wallet on July 31, without what is owed in Perp.
    assert by_name["Main", "USDC"]["quantity_end"] == "962.2"
    coin = by_name["Main", "SOL"]
    assert (coin["quantity_start"], coin["quantity_end"], coin["sold"]) == ("2", "1", "1")
    assert (coin["realised"], coin["unrealised_change"], coin["result"]) == ("15", "10", "25")
    assert coin["mark"] == "110"


def test_funding_and_fees_belong_to_the_trades_by_quantity(tmp_path: Path) -> None:
    # Bought 3 at 100 and 1 at 104 with fees of 0.3 and 0.1; funding 0.8 while 4 are open; 2 sold at
    # 110 with a fee of 0.2 close two of the first lot, then 2 more at 90 the rest.
    body = """
2025-06-01 open Equity:Own
2025-06-01 * "Deposit"
  Assets:B:Main:Wallet  1000 USDC
  Equity:Own
2025-06-02 * "3"
  Assets:B:Main:Perp    3 SOL-PERP {100 USDC}
  Assets:B:Main:Perp  -300 USDC
  Assets:B:Main:Wallet  -0.3 USDC
  Expenses:B:Main:Fees   0.3 USDC
2025-06-03 * "1"
  Assets:B:Main:Perp    1 SOL-PERP {104 USDC}
  Assets:B:Main:Perp  -104 USDC
  Assets:B:Main:Wallet  -0.1 USDC
  Expenses:B:Main:Fees   0.1 USDC
2025-06-04 * "Funding"
  contract: "SOL-PERP"
  Assets:B:Main:Wallet    -0.8 USDC
  Expenses:B:Main:Funding  0.8 USDC
2025-06-05 * "Sell 2 at 110"
  Assets:B:Main:Perp   -2 SOL-PERP {100 USDC} @ 110 USDC
  Assets:B:Main:Perp   220 USDC
  Income:B:Main:PnL    -20 USDC
  Assets:B:Main:Wallet  -0.2 USDC
  Expenses:B:Main:Fees   0.2 USDC
2025-06-06 * "Sell 2 at 90"
  Assets:B:Main:Perp   -1 SOL-PERP {100 USDC} @ 90 USDC
  Assets:B:Main:Perp   -1 SOL-PERP {104 USDC} @ 90 USDC
  Assets:B:Main:Perp   180 USDC
  Income:B:Main:PnL     24 USDC
2025-06-07 price SOL-PERP 90 USDC
2025-06-07 custom "accrue-through" 2025-06-07
"""
    path = tmp_path / "main.beancount"
    path.write_text(HEAD + body, "utf-8")
    answer = pnl(path)
    figures = [
        tuple(
            row[key]
            for key in (
                *("opened", "closed", "quantity", "entry_price", "exit_price"),
                *("fees", "funding", "result"),
            )
        )
        for row in answer["trades"]
    ]
    # Of the first lot: 2 of 3 have fees 0.2 + 0.2, and funding 2 x 0.2. Of the last two, funding
    # 0.2 each, fees 0.1 each, no fee of closing.
    assert figures == [
        ("2025-06-02", "2025-06-05", "2", "100", "110", "-0.4", "-0.4", "19.2"),
        ("2025-06-02", "2025-06-06", "1", "100", "90", "-0.1", "-0.2", "-10.3"),
        ("2025-06-03", "2025-06-06", "1", "104", "90", "-0.1", "-0.2", "-14.3"),
    ]
    [row] = [row for row in answer["rows"] if row["instrument"] == "SOL-PERP"]
    assert (row["realised"], row["unrealised_change"]) == ("-4", "0")
    assert (row["fees"], row["funding"], row["result"]) == ("-0.6", "-0.8", "-5.4")
    assert sum(Decimal(trade["result"]) for trade in answer["trades"]) == Decimal(row["result"])
