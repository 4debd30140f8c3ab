"""Extreme but legal figures: a report shows all that it can, and null where it cannot."""

import json
import re
from pathlib import Path

import pytest
from fava.application import create_app
from folders import Folder

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 custom "fava-extension" "usance.fava"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Venue:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "sub-account" "Arb" Assets:Venue:Arb
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
  entry-fee: TRUE
2025-05-01 custom "lending-rate" "USDC" {supply} {borrow}
2025-05-01 custom "lending-pool" "SOL"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
  external-lent: {lent} SOL
  external-borrowed: {borrowed} SOL
2025-05-01 custom "collateral" "SOL"
  weight: 0.95
  weight-function: "inverse-sqrt"
  base: 1.1
  penalty: {penalty}
  initial-margin: 0.1
  initial-margin-factor: {factor}
  maintenance-margin: 0.05
  maintenance-margin-factor: {factor}
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: {factor}
  maintenance-margin: 0.0135
  maintenance-margin-factor: {factor}
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "daily"
2025-05-01 custom "treasury-rate" "USD" {treasury}
2025-05-01 custom "yield-bonus" "USD" "Main" {bonus}
  cap: {cap} USDC
2025-05-01 custom "lending-pool" "USDT"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDT" 0 0
2025-05-01 commodity BILL
  maturity: {maturity}
2025-05-01 custom "yield-product" "TBill"
  asset: "USDT"
  source: "bills"
  bills: Assets:Venue:Treasury:Bills
  payout: "daily"
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Venue:Main:Wallet
2025-05-01 open Assets:Venue:Main:Perp
2025-05-01 open Assets:Venue:Arb:Wallet
2025-05-01 open Assets:Venue:Treasury:Bills
2025-05-01 open Assets:Venue:Treasury:Cash
2025-05-01 * "Deposit"
  Assets:Venue:Main:Wallet   {usdc} USDC
  Assets:Venue:Main:Wallet   {sol} SOL
  Assets:Venue:Arb:Wallet   {usdt} USDT
  Assets:Bank
2025-05-01 * "Bill"
  Assets:Venue:Treasury:Bills   {face} BILL {{{cost} USDT}}
  Assets:Venue:Treasury:Cash
2025-05-01 * "Perp"
  Assets:Venue:Main:Perp   {contracts} SOL-PERP {{{entry} USDC}}
  Assets:Venue:Main:Perp
2025-05-01 * "Withdraw"
  time: "09:30"
  Assets:Venue:Arb:Wallet   -{withdrawn} SOL
  Assets:Bank
2025-05-01 price SOL {price} USDC
2025-05-01 price USDT {tether} USDC
2025-05-01 price SOL-PERP {mark} USDC
2025-05-03 price SOL {price} USDC
2025-05-03 price SOL-PERP {mark} USDC
2025-05-03 price USDT {tether} USDC
2025-05-03 custom "accrue-through" 2025-05-03
"""
USUAL = {
    "supply": "0.03",
    "borrow": "0.06",
    "lent": "1000",
    "borrowed": "600",
    "penalty": "0.0004",
    "factor": "0.00001",
    "treasury": "0.04",
    "bonus": "0.01",
    "cap": "1000",
    "maturity": "2025-06-01",
    "usdc": "1000",
    "sol": "10",
    "usdt": "500",
    "face": "100",
    "cost": "0.99",
    "contracts": "1",
    "entry": "150",
    "withdrawn": "1",
    "price": "150",
    "tether": "1",
    "mark": "150",
}
BIG = "1" + "0" * 60
HUGE = "1" + "0" * 200
TINY = "0." + "0" * 50 + "1"
NANO = "0." + "0" * 150 + "1"
EXTREMES: dict[str, dict[str, str]] = {
    "usual": {},
    "all is big": dict.fromkeys(("usdc", "sol", "usdt", "contracts", "withdrawn"), BIG),
    "a holder of dust": {"usdt": "0.00000001", "face": "1000000000"},
    "dust": {"usdc": "0.000001", "sol": "0.00000001", "contracts": "0.00000001"},
    "a bill of one day": {"maturity": "2025-05-02", "cost": TINY, "face": "1000000"},
    "the highest rates": dict.fromkeys(("supply", "borrow", "treasury", "bonus"), "100"),
    "no rates": dict.fromkeys(("supply", "borrow", "treasury", "bonus"), "0"),
    "big prices": dict.fromkeys(("price", "tether", "mark"), BIG),
    "tiny prices": dict.fromkeys(("price", "tether", "mark"), TINY),
    **{
        f"{key} {number[:4]} of {len(number)}": {key: number}
        for key, numbers in {
            "lent": (HUGE, NANO),
            "penalty": (HUGE, NANO),
            "factor": (BIG, HUGE, NANO),
            "cap": (BIG, HUGE, NANO),
            "usdc": (HUGE, NANO),
            "sol": (HUGE, NANO),
            "face": (BIG, HUGE, NANO),
            "cost": (NANO,),
            "contracts": (BIG, HUGE, NANO),
            "entry": (HUGE, NANO),
            "withdrawn": (BIG, HUGE, NANO),
            "price": (BIG, HUGE, NANO),
            "tether": (HUGE, NANO),
            "mark": (BIG, HUGE, NANO),
        }.items()
        for number in numbers
    },
}
REPORTS = [
    ["lending"],
    ["margin"],
    ["margin", "--price", "SOL=1" + "0" * 29],
    ["stress", "--shock", "SOL=-100"],
    ["stress", "--shock", "SOL=900,SOL-PERP=-99"],
    ["yield"],
    ["yield", "--to", "2025-05-01"],
    ["yield", "--reserves"],
    ["efficiency"],
    ["accounts"],
    ["accounts", "--at-cost"],
]
PAGES = ("Capital", "Lending", "Margin", "Split", "SubAccounts", "Verify")


def books(path: Path, **figures: str) -> Folder:
    return Folder.made(path / "books", LEDGER.format(**{**USUAL, **figures}))


@pytest.mark.parametrize("name", EXTREMES)
def test_no_report_ends_in_a_traceback(name: str, tmp_path: Path) -> None:
    folder = books(tmp_path, **EXTREMES[name])
    checked = folder.usance("check")
    assert "Error applying plugin" not in checked.stdout
    for words in REPORTS:
        for form in ("table", "json", "csv"):
            done = folder.usance(*words, "--format", form)
            if form == "json" and done.stdout:
                json.loads(done.stdout)
    text = folder.usance("accrue", "--dry-run").stdout
    for identity in re.findall('usance: "([^"]*)"', text):
        assert folder.usance("explain", identity, "--hours").exit_code == 0
    fava = create_app([str(folder.ledger)], load=True, read_only=True).test_client()
    for page in PAGES:
        for time in ("", "2025-05-01"):
            got = fava.get(f"/beancount/extension/Usance{page}/?time={time}")
            assert got.status_code == 200
            assert "Usance could not make this page" not in got.text


def test_an_apy_that_cannot_be_written_is_null(tmp_path: Path) -> None:
    """A bill of 50,000 matures for the holder of 0.01 USDT: the day returns 56 times the sum.

    1 + 0.5635588 / 0.01 is 57.4, and 57.4 ** 365 has 642 digits.
    """
    folder = books(tmp_path, usdt="0.01", face="5000", cost="0.9965")
    done = folder.usance("yield", "--to", "2025-05-01", "--format", "json")
    [row] = [row for row in json.loads(done.stdout)["rows"] if row["product"] == "TBill"]
    assert (row["apy"], row["compounding"], row["average_principal"]) == (None, None, "0.01")
    treasury = row["sources"][1]
    assert row["rate"] == treasury["rate"]
    assert float(treasury["rate"]) > 20000
    table = folder.usance("yield", "--to", "2025-05-01").stdout
    assert re.search(r"^ *APY +-$", table, re.MULTILINE)
    assert re.search(r"^ *compounding +-$", table, re.MULTILINE)
