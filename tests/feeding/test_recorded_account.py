"""A recorded account, of about 21 dollars, reconciled to zero on two days of June 2025.

The figures are those of ../shared/data/backpack_api (answers that github.com/plataplomo/hummingbot
recorded, files account_, capital_collateral_ and position_empty_2025-06-16, and the same account
some days earlier, abridged). The contract is that of backpack_shapes/position_eth_perp.json (from
the comments of ccxt's backpack.ts).
"""

import json
from pathlib import Path

import pytest
from reconciled_books import held_against, seen, snapshot, unmatched, written

SHARED = Path(__file__).parents[3] / "shared" / "data"

ACCOUNT = """
2025-06-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  auto-repay: TRUE
  leverage-limit: 10
2025-06-16 custom "feed" "Main" "backpack"
  outside: Assets:Bank
2025-06-11 price SOL 144.9578481 USDC
2025-06-11 * "What was there on the first of the two days"
  Assets:Backpack:Main:Wallet   10.6524044577 USDC
  Assets:Backpack:Main:Wallet    0.0699302874 SOL
  Assets:Bank
2025-06-14 * "What came and went until the second"
  Assets:Backpack:Main:Wallet   -0.0661153234 USDC
  Assets:Backpack:Main:Wallet    0.0000004369 SOL
  Assets:Bank
2025-06-18 custom "accrue-through" 2025-06-16
"""

COLLATERAL = {
    "assetsValue": "21.0074817330196056399",
    "borrowLiability": "0",
    "collateral": [
        {
            "assetMarkPrice": "156.86490494",
            "availableQuantity": "0",
            "balanceNotional": "10.969676419704848042",
            "collateralValue": "10.4211925987196056399",
            "collateralWeight": "0.95",
            "lendQuantity": "0.0699307243",
            "openOrderQuantity": "0",
            "symbol": "SOL",
            "totalQuantity": "0.0699307243",
        },
        {
            "assetMarkPrice": "1",
            "availableQuantity": "0",
            "balanceNotional": "10.5862891343",
            "collateralValue": "10.5862891343",
            "collateralWeight": "1",
            "lendQuantity": "9.1751891343",
            "openOrderQuantity": "1.4111",
            "symbol": "USDC",
            "totalQuantity": "10.5862891343",
        },
    ],
    "marginFraction": None,
    "netEquity": "21.0074817330196056399",
    "netEquityAvailable": "21.0074817330196056399",
    "netEquityLocked": "0",
    "pnlUnrealized": "0",
    "unsettledEquity": "0",
}
SETTINGS = {
    "autoBorrowSettlements": True,
    "autoLend": True,
    "autoRepayBorrows": True,
    "leverageLimit": "10",
}
EARLIER = {
    "collateral": [
        {
            "symbol": "USDC",
            "totalQuantity": "10.6524044577",
            "lendQuantity": "10.6524044577",
            "availableQuantity": "0",
            "openOrderQuantity": "0",
            "collateralValue": "10.6524044577",
            "collateralWeight": "1",
        },
        {
            "symbol": "SOL",
            "totalQuantity": "0.0699302874",
            "lendQuantity": "0.0699302874",
            "availableQuantity": "0",
            "openOrderQuantity": "0",
            "collateralValue": "9.630096779592616743",
            "collateralWeight": "0.95",
        },
    ],
    "netEquity": "20.282501237292616743",
    "assetsValue": "20.282501237292616743",
}


def test_the_account_reconciles_to_zero(tmp_path: Path) -> None:
    answers = {"collateral": COLLATERAL, "account": SETTINGS, "position": []}
    found = held_against(written(tmp_path, ACCOUNT), snapshot(tmp_path / "said", answers))
    assert found.is_ok and not found.notes
    assert seen(found) == {
        ("quantity", "SOL"): ("0.0699307243", "0.0699307243", "matched", None),
        ("lent", "SOL"): ("0.0699307243", "0.0699307243", "matched", None),
        ("weight", "SOL"): ("0.95", "0.95", "matched", None),
        ("quantity", "USDC"): ("10.5862891343", "10.5862891343", "matched", None),
        ("lent", "USDC"): ("10.5862891343", "9.1751891343", "explained", "open orders"),
        ("weight", "USDC"): ("1", "1", "matched", None),
        ("leverage_limit", ""): ("10", "10", "matched", None),
        ("auto_lend", ""): ("TRUE", "TRUE", "matched", None),
        ("auto_borrow", ""): ("TRUE", "TRUE", "matched", None),
        ("auto_repay", ""): ("TRUE", "TRUE", "matched", None),
        ("net_equity", ""): (*["21.0074817330196056399"] * 2, "matched", None),
        ("available_equity", ""): (*["21.0074817330196056399"] * 2, "matched", None),
        ("initial_margin", ""): ("0", "0", "matched", None),
        ("borrow_liability", ""): ("0", "0", "matched", None),
    }
    [gap] = [line.difference for line in found.lines if line.rule]
    assert str(gap) == "1.4111000000"


def test_the_account_some_days_earlier_reconciles_to_zero(tmp_path: Path) -> None:
    """No price was recorded, so the ledger's counts: 20.282501237292616743 all the same."""
    answers = snapshot(tmp_path / "said", {"collateral": EARLIER})
    found = held_against(written(tmp_path, ACCOUNT), answers, "2025-06-13")
    assert found.is_ok and not unmatched(found)
    assert seen(found)["net_equity", ""][0] == "20.282501237292616743"
    assert " ".join(found.notes) == (
        "The snapshot has no answer on positions, borrow-lend positions, account settings: their "
        "lines are left out. The collateral answer has no netEquityAvailable, netEquityLocked, "
        "borrowLiability, marginFraction: their lines are left out."
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")
def test_the_extracts_are_what_was_recorded() -> None:
    folder = SHARED / "backpack_api"
    recorded = json.loads((folder / "capital_collateral_2025-06-16.json").read_text())
    assert COLLATERAL.items() <= recorded.items()
    recorded = json.loads((folder / "account_2025-06-16.json").read_text())
    assert SETTINGS.items() <= recorded.items()
    recorded = json.loads((folder / "capital_collateral_abridged_2025-06.json").read_text())
    assert EARLIER.items() <= recorded.items()


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")
def test_the_files_as_they_were_recorded_reconcile_to_zero(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.mkdir()
    for name in ("account", "capital_collateral", "market_SOL_USDC_PERP", "position_empty"):
        file = f"{name}_2025-06-16.json"
        (said / file).write_bytes((SHARED / "backpack_api" / file).read_bytes())
    found = held_against(written(tmp_path, ACCOUNT), said)
    assert found.is_ok and len(found.lines) == 14
    assert found.notes == [
        "No answer of a snapshot, and not read: market_SOL_USDC_PERP_2025-06-16.json."
    ]


ETH = """
2025-06-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-borrow: TRUE
  leverage-limit: 50
2025-06-01 custom "perpetual" "ETH-PERP"
  settle: USDC
  initial-margin: 0.02
  initial-margin-factor: 0.0000935
  maintenance-margin: 0.0125
  maintenance-margin-factor: 0.0000561
2025-06-17 custom "feed" "Main" "backpack"
  outside: Assets:Bank
2025-06-16 * "Deposit"
  Assets:Backpack:Main:Wallet   100 USDC
  Assets:Bank
2025-06-16 price ETH-PERP 3820.5 USDC
2025-06-16 * "Two fills, 13.7768 USDC together"
  Assets:Backpack:Main:Perp     0.0020 ETH-PERP {3826.8 USDC}
  Assets:Backpack:Main:Perp    -7.6536 USDC
  Assets:Backpack:Main:Perp     0.0016 ETH-PERP {3827 USDC}
  Assets:Backpack:Main:Perp    -6.1232 USDC
2025-06-18 custom "accrue-through" 2025-06-16
"""


def test_a_recorded_result_is_cut_after_six_decimals(tmp_path: Path) -> None:
    """The recorded -0.141914 is -0.141914721056, of 13.634885278944 at the mark less 13.7768.

    The books settled at 3820.5, so what is left of it stands in Perp; the sum is the same.
    """
    mark = "3787.46813304"
    equity = "99.858086"  # 100 - 0.141914
    answers = {
        "collateral": {
            "collateral": [
                {
                    "symbol": "USDC",
                    "totalQuantity": "100",
                    "assetMarkPrice": "1",
                    "collateralWeight": "1",
                }
            ],
            "borrowLiability": "0",
            "netEquity": equity,
            "netEquityLocked": "0.27269770557888",  # 2 % of 13.634885278944
            "netEquityAvailable": "99.58538829442112",
            "marginFraction": "7.323720292257115978362196713",
            "pnlUnrealized": "-0.141914",
            "unsettledEquity": "0",
        },
        "position": [
            {
                "breakEvenPrice": "3831.3630555555555555555555556",
                "entryPrice": "3826.8888888888888888888888889",
                "markPrice": mark,
                "netCost": "13.7768",
                "netExposureQuantity": "0.0036",
                "netQuantity": "0.0036",
                "pnlUnrealized": "-0.141914",
                "symbol": "ETH_USDC_PERP",
            }
        ],
    }
    found = held_against(written(tmp_path, ETH), snapshot(tmp_path / "said", answers))
    assert found.is_ok
    assert unmatched(found) == {
        ("equity", "USDC"): ("99.858085278944", "99.858086", "explained", "truncated"),
        ("net_equity", ""): ("99.858085", "99.858086", "rounding", None),
        ("available_equity", ""): (
            "99.58538757336512",
            "99.58538829442112",
            "explained",
            "truncated",
        ),
        ("margin_fraction", ""): (
            "7.323720239373942761385586337",
            "7.323720292257115978362196713",
            "explained",
            "truncated",
        ),
    }
    assert seen(found)["entry_price", "ETH-PERP"][:3] == (
        *["3826.8888888888888888888888889"] * 2,
        "matched",
    )
