"""`usance accounts --every`: net asset values over time."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from usance.cli import main

LEDGER = """\
option "operating_currency" "USDC"
plugin "usance.plugins"

2025-01-01 open Assets:Bank
2025-01-01 custom "sub-account" "Main" Assets:Backpack:Main
2025-01-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-01-01 open Assets:Backpack:Main:Wallet
2025-01-01 open Assets:Backpack:Arb:Wallet

2025-01-30 * "Deposit"
  Assets:Bank                  -100 USDC
  Assets:Backpack:Main:Wallet   100 USDC
2025-01-31 * "Deposit of a coin"
  Assets:Bank                  -50 USDC
  Assets:Backpack:Arb:Wallet     2 SOL @ 25 USDC
2025-01-31 price SOL 25 USDC
2025-02-01 price SOL 30 USDC
2025-02-03 price SOL 10 USDC
2025-02-04 * "Withdrawal"
  Assets:Bank                   40 USDC
  Assets:Backpack:Main:Wallet  -40 USDC
"""


def accounts(folder: Path, *words: str) -> Any:  # noqa: ANN401
    path = folder / "main.beancount"
    path.write_text(LEDGER)
    return CliRunner().invoke(main, ["accounts", str(path), *words])


def values(folder: Path, *words: str) -> dict[str, list[str]]:
    """Return Arb, Main and the whole by date, as JSON has them."""
    done = accounts(folder, *words, "--format", "json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["currency"], answer["basis"]) == ("USDC", "posted")
    found: dict[str, list[str]] = {}
    for row in answer["rows"]:
        assert row["venue"] == ("Backpack" if row["sub_account"] else "")
        found.setdefault(row["date"], []).append(row["net_asset_value"])
    return found


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (
            "day",
            {
                "2025-01-30": ["0", "100", "100"],
                "2025-01-31": ["50", "100", "150"],  # 2 SOL at 25
                "2025-02-01": ["60", "100", "160"],
                "2025-02-02": ["60", "100", "160"],  # the last price stands
                "2025-02-03": ["20", "100", "120"],
                "2025-02-04": ["20", "60", "80"],
            },
        ),
        ("week", {"2025-02-02": ["60", "100", "160"], "2025-02-04": ["20", "60", "80"]}),
        ("month", {"2025-01-31": ["50", "100", "150"], "2025-02-04": ["20", "60", "80"]}),
    ],
)
def test_values_by_hand(tmp_path: Path, every: str, expected: dict[str, list[str]]) -> None:
    assert values(tmp_path, "--every", every, "--at", "2025-02-04") == expected


def test_the_series_ends_where_the_sheets_are(tmp_path: Path) -> None:
    for at in ("2025-01", "2025-02-01", "2025-02-28"):
        last = [*values(tmp_path, "--every", "week", "--at", at).values()][-1]
        sheets = json.loads(accounts(tmp_path, "--at", at, "--format", "json").stdout)
        assert last[-1] == sheets["net_asset_value"]


def test_a_table_with_a_line_of_blocks(tmp_path: Path) -> None:
    lines = accounts(tmp_path, "--every", "day", "--at", "2025-02-04").stdout.splitlines()
    shown = [line.split() for line in lines if line.strip() and "─" not in line]
    assert shown[0][:4] == ["Net", "asset", "value,", "every"]
    # From zero to the highest value, in eight steps: 50 of 60 is 7 * 5 / 6 = 5.8, the sixth.
    assert shown[2:5] == [["Arb", "▁▆██▃▃"], ["Main", "█████▅"], ["All", "▅▇██▆▄"]]
    assert shown[5] == ["Date", "Arb", "Main", "All"]
    assert shown[-1] == ["2025-02-04", "20.00", "60.00", "80.00"]


def test_a_missing_price_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER.replace("2025-01-31 price SOL 25 USDC\n", ""))
    done = CliRunner().invoke(main, ["accounts", str(path), "--every", "day", "--format", "csv"])
    assert done.exit_code == 1
    assert "2025-01-31,Arb,Backpack,\n" in done.stdout
    assert "2025-01-31,,,\n" in done.stdout
    assert "2025-02-01,Arb,Backpack,60\n" in done.stdout
    assert "SOL" in done.stderr
