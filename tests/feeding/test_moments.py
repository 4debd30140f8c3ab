"""The books of a moment: the last whole day, and what is written with a time up to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from reconciled_books import (
    MAIN,
    coin,
    held_against,
    owed,
    position,
    seen,
    snapshot,
    unmatched,
    written,
)

from usance.feeding.reconciling import Reconciled, WrongUsageError, moment_of, moment_text
from usance.venues.numbers import Instant

DAY = """
2025-06-10 price SOL 150 USDC
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
2025-06-16 * "At noon"
  time: "12:00"
  Assets:Backpack:Main:Wallet   100 USDC
  Assets:Bank
2025-06-17 * "With no time: at the start of its day"
  Assets:Backpack:Main:Wallet   10 USDC
  Assets:Bank
2025-06-17 * "At ten minutes past"
  time: "00:10:03"
  Assets:Backpack:Main:Wallet   1 USDC
  Assets:Bank
"""


def at(moment: str, folder: Path, text: str = DAY, imported: str = "") -> Reconciled:
    answers: dict[str, Any] = {"collateral": {"collateral": [coin("USDC", "1000")]}}
    said = snapshot(folder / "said", answers)
    return held_against(written(folder, MAIN + text, imported), said, moment)


@pytest.mark.parametrize(
    ("moment", "books"),
    [
        ("2025-06-15", "1000"),
        ("2025-06-16T11:59:59Z", "1000"),
        ("2025-06-16T12:00:00Z", "1100"),
        ("2025-06-16T12:00:00.5Z", "1100"),
        ("2025-06-16", "1100"),
        ("2025-06-17T00:00:00Z", "1100"),  # midnight belongs to the day that it ends
        ("2025-06-17T00:00:00.000000001Z", "1110"),
        ("2025-06-17T00:10:02Z", "1110"),
        ("2025-06-17T00:10:03Z", "1111"),
        ("2025-06-17T23:59:59Z", "1111"),
        ("2025-06-10T00:00:00Z", None),
        ("2025-06-10T00:00:01Z", "1000"),
    ],
)
def test_what_is_written_up_to_a_moment_counts(
    moment: str, books: str | None, tmp_path: Path
) -> None:
    assert seen(at(moment, tmp_path))["quantity", "USDC"][0] == books


@pytest.mark.parametrize("moment", ["2025-06-17", "2025-06-18T00:00:00Z", "2026-06-18"])
def test_a_moment_beyond_the_books_is_refused(moment: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match=r"beyond the books, which end on 2025-06-16\. "):
        at(moment, tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2025-06-31", "2025-06-17T00:10:03+02:00", "20250617", "2025-06-17T24:00"],
)
def test_what_is_no_moment_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(WrongUsageError, match="Write it as 2025-06-17T00:10:03Z, or a date"):
        moment_of(text)


def test_a_moment_as_text_is_read_back() -> None:
    for nanos in (0, 1, 1_750_118_400 * 10**9, 1_750_119_003 * 10**9 + 120_000_000):
        assert moment_of(moment_text(Instant(nanos))) == nanos
    assert moment_text(moment_of("2025-06-16")) == "2025-06-17T00:00:00Z"
    assert moment_text(moment_of("2025-06-17T00:10:03.120")) == "2025-06-17T00:10:03.12Z"


# A day's sums


SUMS = """
2025-06-17 * "Funding of SOL-PERP"
  time: "23:59:59"
  backpack: "funding/SOL_USDC_PERP/2025-06-17"
  rows: 3
  Assets:Backpack:Main:Wallet   6 USDC
  Income:Backpack:Main:Funding
2025-06-01 open Income:Backpack:Main:Funding
"""


def funding(hour: str, quantity: str) -> dict[str, Any]:
    return {
        "userId": 7,
        "subaccountId": None,
        "symbol": "SOL_USDC_PERP",
        "quantity": quantity,
        "intervalEndTimestamp": hour,
        "fundingRate": "0.0000125",
    }


def kept(folder: Path, feed: str, rows: list[dict[str, Any]]) -> None:
    """Keep the rows of a feed in the folder of downloads."""
    page = folder / "downloads" / "backpack" / "Main" / feed / "000000000.json"
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps(rows))


@pytest.mark.parametrize(
    ("moment", "books"),
    [
        ("2025-06-17T00:59:59Z", "1110"),
        ("2025-06-17T01:00:00Z", "1111"),
        ("2025-06-17T02:00:00Z", "1113"),
        ("2025-06-17T23:59:59.9Z", "1113"),
    ],
)
def test_a_sum_of_a_day_counts_by_its_rows(moment: str, books: str, tmp_path: Path) -> None:
    """1 at 01:00, 2 at 02:00; 3 at midnight is the day's too, and 50 is that of the day before."""
    kept(
        tmp_path,
        "funding",
        [
            funding("2025-06-17T00:00:00", "50"),
            funding("2025-06-17T01:00:00", "1"),
            funding("2025-06-17T02:00:00", "2"),
            funding("2025-06-18T00:00:00", "3"),
        ],
    )
    text = DAY.partition('2025-06-17 * "At ten')[0]
    assert seen(at(moment, tmp_path, text, SUMS))["quantity", "USDC"][0] == books


def test_a_sum_of_a_day_that_is_over_counts_as_it_is(tmp_path: Path) -> None:
    text = DAY.replace("2025-06-17", "2025-06-16")
    sums = SUMS.replace("-17", "-16")
    assert seen(at("2025-06-16", tmp_path, text, sums))["quantity", "USDC"][0] == "1117"


def test_rows_before_the_feed_do_not_count(tmp_path: Path) -> None:
    """The feed begins on the 16th."""
    kept(tmp_path, "funding", [funding("2025-06-15T01:00:00", "1")])
    assert seen(at("2025-06-15T12:00:00Z", tmp_path))["quantity", "USDC"][0] == "1000"


def interest(at: str, charge: str, symbol: str, quantity: str) -> dict[str, Any]:
    return {
        "paymentType": charge,
        "interestRate": "0.01",
        "interval": 3600000,
        "marketSymbol": symbol,
        "positionId": "7",
        "quantity": quantity,
        "symbol": symbol,
        "timestamp": at,
    }


DEBT = """
2025-06-16 * "Sell 2 SOL"
  Assets:Backpack:Main:Wallet   -2 SOL @ 150 USDC
  Assets:Backpack:Main:Wallet  300 USDC
"""


@pytest.mark.parametrize("imported", [True, False])
def test_imported_interest_of_the_day_counts_by_its_rows(*, imported: bool, tmp_path: Path) -> None:
    """0.5 and 0.25 are earned, 0.1 of a gain, 0.2 of a loss; SOL owes 0.001 and 0.002 more.

    What is generated of the day counts at its end.
    """
    rows = [
        interest("2025-06-17T00:00:00", "Lend", "USDC", "70"),
        interest("2025-06-17T01:00:00", "Lend", "USDC", "0.5"),
        interest("2025-06-17T01:00:00", "UnrealizedPositivePnl", "USDC", "0.1"),
        interest("2025-06-17T01:00:00", "UnrealizedNegativePnl", "USDC", "0.2"),
        interest("2025-06-17T01:00:00", "Borrow", "SOL", "0.001"),
        interest("2025-06-17T01:30:00", "EntryFee", "SOL", "0.002"),
        interest("2025-06-17T02:00:00", "Lend", "USDC", "0.25"),
        interest("2025-06-17T03:00:00", "Lend", "USDC", "8"),
    ]
    kept(tmp_path, "interest", rows)
    terms = MAIN
    if imported:
        terms = MAIN.replace("auto-lend", 'interest: "imported"\n  auto-lend')
    answers = {"collateral": {"collateral": [], "borrowLiability": "300"}}
    answers["borrow_lend_positions"] = [owed("SOL", "-2", "150")]  # type: ignore[assignment]
    said = snapshot(tmp_path / "said", answers)
    ledger = written(tmp_path, terms + DAY + DEBT)
    lines = seen(held_against(ledger, said, "2025-06-17T02:00:00Z"))
    assert lines["quantity", "USDC"][0] == ("1411.65" if imported else "1411")
    assert lines["borrowed", "SOL"][0] == ("2.003" if imported else "2")


# What happens at once


def test_what_is_sold_short_within_the_day_is_borrowed(tmp_path: Path) -> None:
    text = (
        DAY
        + """
2025-06-17 * "Sell 2 SOL"
  time: "00:05"
  Assets:Backpack:Main:Wallet   -2 SOL @ 150 USDC
  Assets:Backpack:Main:Wallet  300 USDC
"""
    )
    answers = {
        "collateral": {"collateral": [coin("USDC", "1411")], "borrowLiability": "300"},
        "borrow_lend_positions": [owed("SOL", "-2", "150")],
    }
    said = snapshot(tmp_path / "said", answers)
    found = held_against(written(tmp_path, MAIN + text), said, "2025-06-17T00:10:03Z")
    assert found.is_ok and not unmatched(found)
    assert seen(found)["borrowed", "SOL"][0] == "2"
    assert seen(found)["lent", "USDC"][0] == "1411"


def test_what_is_deposited_within_the_day_repays(tmp_path: Path) -> None:
    text = (
        DAY
        + """
2025-06-16 * "Sell 2 SOL"
  Assets:Backpack:Main:Wallet   -2 SOL @ 150 USDC
  Assets:Backpack:Main:Wallet  300 USDC
2025-06-17 * "Deposit 3 SOL"
  time: "00:05"
  Assets:Backpack:Main:Wallet    3 SOL
  Assets:Bank
"""
    )
    answers = {
        "collateral": {
            "collateral": [coin("USDC", "1411"), coin("SOL", "1", weight="0.95", price="150")],
            "borrowLiability": "0",
        }
    }
    said = snapshot(tmp_path / "said", answers)
    found = held_against(written(tmp_path, MAIN + text), said, "2025-06-17T00:10:03Z")
    assert found.is_ok and not unmatched(found)


def test_a_trade_within_the_day_is_not_settled(tmp_path: Path) -> None:
    """Opened at 150 on the day, marked at 148: 1111 - 2 * 50; the wallet has all 1111 here."""
    trade = """
2025-06-17 * "Open 50 at 150"
  time: "00:05"
  Assets:Backpack:Main:Perp          50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp       -7500 USDC
"""
    answers = {
        "collateral": {
            "collateral": [coin("USDC", "1011")],
            "borrowLiability": "0",
            "netEquity": "1011",
            "netEquityLocked": "740",
            "pnlUnrealized": "0",
            "unsettledEquity": "0",
        },
        "position": [position("SOL_USDC_PERP", "50", "150", "148")],
    }
    said = snapshot(tmp_path / "said", answers)
    ledger = written(tmp_path, MAIN + DAY, trade)
    found = held_against(ledger, said, "2025-06-17T00:10:03Z")
    assert found.is_ok
    assert unmatched(found) == {("lent", "USDC"): ("1111", "1011", "explained", "unsettled")}
    before = held_against(ledger, said, "2025-06-17T00:04:59Z")
    assert seen(before)["position", "SOL-PERP"] == (None, "50", "missing", None)


def test_funding_beyond_the_wallet_is_borrowed(tmp_path: Path) -> None:
    """1110 are there; 1112 are paid at 01:00."""
    kept(tmp_path, "funding", [funding("2025-06-17T01:00:00", "-1112")])
    text = DAY.partition('2025-06-17 * "At ten')[0]
    answers = {
        "collateral": {"collateral": [], "borrowLiability": "2"},
        "borrow_lend_positions": [owed("USDC", "-2", "1")],
    }
    said = snapshot(tmp_path / "said", answers)
    found = held_against(written(tmp_path, MAIN + text), said, "2025-06-17T01:00:00Z")
    assert found.is_ok and not unmatched(found)
