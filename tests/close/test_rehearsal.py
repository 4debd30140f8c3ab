"""Rehearsal: nothing is closed that does not load as it was computed."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usance.cli import main
from usance.ledger.load import load

HEAD = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
"""
POOL = """\
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.01 0.02
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0 0
"""
LIQUIDATED = """\
2025-05-01 custom "collateral" "USDC"
  weight: 1
  maintenance-margin: 0.05
2025-05-01 custom "collateral" "SOL"
  weight: 0.9
2025-05-01 custom "liquidation" "simulate"
2025-05-01 open Income:Backpack:Main:PnL
2025-05-01 price SOL 150 USDC
2025-05-01 * "Withdraw 1000 USDC, which are borrowed"
  Assets:Backpack:Main:Wallet  -1000 USDC
  Assets:Bank
2025-05-02 price SOL 110 USDC
2025-05-04 price SOL 110 USDC
"""


def books(folder: Path, text: str) -> Path:
    """Write a ledger with its folder of closed days."""
    (folder / "posted").mkdir()
    (folder / "posted" / "first.beancount").write_text("; Closed days\n")
    path = folder / "main.beancount"
    path.write_text(HEAD + dedent(text))
    return path


def run(command: str, path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [command, str(path), *words], catch_exceptions=False)


LABELS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None, max_examples=25)
@given(LABELS)
@example('a "quoted" label')
@example("a\\")
@example("two\nlines")
@example("{150 USDC}, ; #tag ^link")
def test_a_lot_with_any_label_is_liquidated_closed_and_loaded(label: str) -> None:
    written = label.replace("\\", "\\\\").replace('"', '\\"')
    lot = f'{{150 USDC, "{written}"}}'
    purchase = f'2025-05-01 * "Buy"\n  Assets:Backpack:Main:Wallet  10 SOL {lot}\n  Assets:Bank\n'
    with TemporaryDirectory() as folder:
        path = books(Path(folder), POOL + purchase + LIQUIDATED)
        before = [entry for entry in load(str(path)).entries if "liquidation" in str(entry)]
        assert len(before) > 1, "nothing was liquidated"
        done = run("accrue", path, "--through", "2025-05-02")
        assert done.exit_code == 0, done.output
        ledger = load(str(path))
        assert [error.message for error in ledger.errors] == []
        lots = {
            posting.cost.label
            for entry in ledger.entries
            for posting in getattr(entry, "postings", ())
            if posting.cost is not None
        }
        assert lots == {label}


def test_a_lot_is_given_back_at_one_price_and_sold_at_another(tmp_path: Path) -> None:
    """Posted, 2 SOL are sold at 150 on 1 May. Of 9, which cover the debt then, all go at 90.

    The correction would give 2 back and sell 9, of the 7 that the wallet has before it: 7 go.
    """
    purchase = (
        '2025-05-01 * "Buy"\n  Assets:Backpack:Main:Wallet  2 SOL {150 USDC}\n  Assets:Bank\n'
    )
    prices = LIQUIDATED.replace("2025-05-02 price SOL 110", "2025-05-03 price SOL 90")
    path = books(tmp_path, POOL + purchase + prices.replace("04 price SOL 110", "04 price SOL 90"))
    done = run("accrue", path, "--through", "2025-05-03")
    assert done.exit_code == 0, done.output
    month = tmp_path / "posted" / "2025-05.beancount"
    assert "-2 SOL {150 USDC, 2025-05-01} @ 150 USDC" in month.read_text()
    path.write_text(path.read_text().replace("  2 SOL {150", "  9 SOL {150"))
    done = run("accrue", path, "--through", "2025-05-04", "--correct")
    assert done.exit_code == 0, done.output
    assert re.search(r":Wallet +-7 SOL \{150 USDC, 2025-05-01\}\n", month.read_text())
    assert [run(command, path).exit_code for command in ("check", "verify")] == [0, 0]
    entries = load(str(path)).entries
    sold = [
        posting.units.number
        for entry in entries
        for posting in getattr(entry, "postings", ())
        if posting.cost is not None
    ]
    assert sold == [9, -2, -7]
    done = run("explain", path, "correction/2025-05-04/Main")
    assert done.exit_code == 0, done.output
    assert "Nothing" in run("accrue", path, "--through", "2025-05-04", "--correct").stdout


@pytest.mark.parametrize(
    ("sold", "short"),
    [("10", "-9.09190541"), ("0.9080946", "-0.00000001")],
)
def test_a_lot_that_a_liquidation_sold_cannot_be_sold_again(
    tmp_path: Path, sold: str, short: str
) -> None:
    """The debt of 1000.10959492 USDC is repaid at 110: 9.09190541 SOL; 0.90809459 are left."""
    sale = f"""\
    2025-05-01 * "Buy"
      Assets:Backpack:Main:Wallet  10 SOL {{150 USDC}}
      Assets:Bank
    2025-05-03 * "Sell"
      Assets:Backpack:Main:Wallet  -{sold} SOL {{150 USDC}} @ 110 USDC
      Assets:Bank
      Income:Backpack:Main:PnL
    """
    text = POOL + dedent(sale).replace(
        "  Assets:Bank\n  Income", "  Assets:Bank  110 USDC\n  Income"
    )
    path = books(tmp_path, text + LIQUIDATED)
    for done in (run("check", path), run("accrue", path, "--through", "2025-05-03")):
        assert done.exit_code == 1
        assert f"with {short} SOL of the lot {{150 USDC, 2025-05-01}}, below zero" in done.output
    assert not list((tmp_path / "posted").glob("2025*"))


def test_the_rest_of_a_liquidated_lot_can_be_sold(tmp_path: Path) -> None:
    sale = """\
    2025-05-01 * "Buy"
      Assets:Backpack:Main:Wallet  10 SOL {150 USDC}
      Assets:Bank
    2025-05-03 * "Sell what is left"
      Assets:Backpack:Main:Wallet  -0.9 SOL {150 USDC} @ 110 USDC
      Assets:Bank  99 USDC
      Income:Backpack:Main:PnL
    """
    path = books(tmp_path, POOL + dedent(sale) + LIQUIDATED)
    assert run("accrue", path, "--through", "2025-05-03").exit_code == 0
    assert run("check", path).exit_code == 0


def test_lots_without_matching_may_go_below_zero(tmp_path: Path) -> None:
    """With the booking method NONE Beancount asks for no lot, so neither does Usance."""
    text = """\
    2025-05-01 * "Buy"
      Assets:Backpack:Main:Wallet  10 SOL {150 USDC}
      Assets:Bank
    2025-05-02 * "Sell"
      Assets:Backpack:Main:Wallet  -4 SOL {160 USDC}
      Assets:Bank
    2025-05-04 price SOL 150 USDC
    """
    path = books(tmp_path, text)
    book = path.read_text()
    path.write_text(book.replace("Main:Wallet\n", 'Main:Wallet "NONE"\n', 1))
    assert run("accrue", path, "--through", "2025-05-03").exit_code == 0
    assert run("check", path).exit_code == 0


PAYMENT = """\
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "manual"
2025-05-01 custom "treasury-rate" "USD" 0.04
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
2025-05-04 * "The payment of the venue"
  pays: "USD 2025-05-03"
  Assets:Backpack:Main:Wallet         1 USDC
  Assets:Backpack:Main:AccruedYield  -1 USDC
2025-05-01 custom "accrue-through" 2025-05-06
"""


@pytest.mark.parametrize("day", ["2025-05-03", "2025-05-02", "2025-05-01"])
def test_a_payment_moved_before_the_posted_open_is_corrected(tmp_path: Path, day: str) -> None:
    path = books(tmp_path, PAYMENT)
    assert run("accrue", path).exit_code == 0
    path.write_text(path.read_text().replace("2025-05-04 *", f"{day} *"))
    changed = run("check", path)
    assert changed.exit_code == 1
    assert {
        line.split(" is closed, but this has since ")[1][:5] for line in changed.output.splitlines()
    } == {"been "}
    assert run("accrue", path, "--correct", "--through", "2025-05-07").exit_code == 0
    assert run("check", path).exit_code == 0


def test_a_purchase_that_would_join_another_lot_is_refused(tmp_path: Path) -> None:
    """A repayment leaves -1 SOL; Beancount would take the purchase for more of an older lot."""
    text = """\
    2025-05-01 custom "lending-pool" "SOL"
      rates: "observed"
    2025-05-01 custom "lending-rate" "SOL" 0 0
    2025-05-01 custom "collateral" "SOL"
      weight: 0.9
    2025-05-01 price SOL 150 USDC
    2025-05-01 * "Withdraw 1, which is borrowed"
      Assets:Backpack:Main:Wallet  -1 SOL
      Assets:Bank
    """
    later = """\
    2025-05-02 * "Buy two at cost"
      time: "10:00"
      Assets:Backpack:Main:Wallet   2 SOL {150 USDC}
      Assets:Bank
    2025-05-02 * "Four come back"
      time: "15:00"
      Assets:Backpack:Main:Wallet   4 SOL
      Assets:Bank
    2025-05-03 price SOL 150 USDC
    """
    early = """\
    2025-05-02 * "A lot of April comes in"
      time: "09:00"
      Assets:Backpack:Main:Wallet   5 SOL {150 USDC, 2025-04-01}
      Assets:Bank
    """
    path = books(tmp_path, text)
    assert run("accrue", path, "--through", "2025-05-01").exit_code == 0
    (tmp_path / "early.beancount").write_text(dedent(early))
    path.write_text(path.read_text() + 'include "early.beancount"\n' + ";\n" * 50 + dedent(later))
    assert run("check", path).exit_code == 0
    before = (tmp_path / "posted" / "2025-05.beancount").read_bytes()
    done = run("accrue", path, "--through", "2025-05-02")
    assert done.exit_code == 1
    assert "-1.00000000 SOL" in done.output
    assert "below zero without a cost" in done.output
    assert (tmp_path / "posted" / "2025-05.beancount").read_bytes() == before


def test_a_year_that_is_mistyped_in_through_is_wrong_usage(tmp_path: Path) -> None:
    path = books(tmp_path, PAYMENT)
    done = run("accrue", path, "--through", "2205-05-06")
    assert done.exit_code == 2
    assert "Correct the year" in done.output
    assert not list((tmp_path / "posted").glob("2*"))
