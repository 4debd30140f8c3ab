"""`usance status`: the evening's figures by hand, and its exit code for monitors."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from usance.cli import main

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:B:Main
  auto-lend: TRUE
2025-05-01 custom "sub-account" "Calm" Assets:B:Calm
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.0365
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 open Assets:Bank
2025-05-01 open Assets:B:Main:Wallet
2025-05-01 open Assets:B:Main:Perp "FIFO"
2025-05-01 open Assets:B:Calm:Wallet
2025-05-01 * "Deposit"
  Assets:B:Main:Wallet  1000 USDC
  Assets:Bank
2025-05-01 * "Deposit"
  Assets:B:Calm:Wallet  50 USDC
  Assets:Bank
2025-05-02 * "Open 10 at 150"
  Assets:B:Main:Perp    10 SOL-PERP {150 USDC}
  Assets:B:Main:Perp -1500 USDC
2025-05-02 price SOL-PERP 150 USDC
2025-05-03 price SOL-PERP 149 USDC
2025-05-03 custom "accrue-through" 2025-05-03
"""


def usance(folder: Path, *words: str, text: str = LEDGER) -> Result:
    path = folder / "main.beancount"
    path.write_text(text, "utf-8")
    return CliRunner().invoke(main, ["status", str(path), *words], prog_name="usance")


def answer(done: Result) -> Any:  # noqa: ANN401
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_figures_of_an_evening_by_hand(tmp_path: Path) -> None:
    # At 3.65 % a year, 1000 USDC earn 0.1 a day, hour by hour: 1000 ((1 + 0.0365 / 8760)^24 - 1) is
    # 0.100004...; the treasury is simple: 0.1 a day on what is lent.
    found = answer(usance(tmp_path, "--format", "json"))
    assert (found["at"], found["currency"]) == ("2025-05-03", "USDC")
    calm, main_ = found["sub_accounts"]
    # 1000 x (1.000100004792^3 - 1) = 0.300044 in three days: on May 3 the wallet
    # earns on all that it has until the settlement of -10, at the end of the day.
    assert main_["interest_month"] == "0.300044"
    assert main_["yield_month"] == "0.30003"
    assert main_["accrued"] == "0.30003"
    assert main_["next_payout"] == "2025-06-01"
    assert main_["net_asset_value"] == "990.600074"  # 1000 + 0.300044 + 0.30003 - 10
    assert found["net_asset_value"] == "1040.600074"
    assert found["change"]["7"] is None
    assert found["change"]["30"] is None
    # Margin: 0.05 x 1490 of 990.300044.
    assert main_["mmr"].startswith("0.0752297")
    nearest = main_["nearest_liquidation"]
    assert nearest["market"] == "SOL-PERP"
    # 990.300044 + 10 (p - 149) = 0.5 p, so p = 499.699956 / 9.5.
    assert nearest["price"].startswith("52.5999953")
    assert nearest["distance"].startswith("-0.64697989")
    assert (calm["mmr"], calm["nearest_liquidation"], calm["next_payout"]) == ("0", None, None)
    assert (found["closed_through"], found["open_days"]) == (None, 3)
    assert (found["newest_price"], found["newest_rate"]) == ("2025-05-03", "2025-05-01")
    assert (found["findings"], found["doubts"]) == ([], [])


def test_the_screen_says_it_in_words(tmp_path: Path) -> None:
    shown = usance(tmp_path).stdout
    assert shown.startswith("Net asset value, end of 2025-05-03: 1,040.60 USDC\n  -9.80 in 1 day\n")
    assert "SOL-PERP at 52.60, 64.7% below its mark" in shown
    assert "No day is closed; 3 open. Newest price: 2025-05-03. Newest rate: 2025-05-01." in shown


def test_a_finding_or_an_old_price_is_exit_1(tmp_path: Path) -> None:
    later = usance(tmp_path, "--at", "2025-05-07", "--format", "json")
    assert later.exit_code == 1
    [finding] = json.loads(later.stdout)["findings"]
    assert "SOL-PERP on 2025-05-07 at a price dated 2025-05-03" in finding
    assert later.stderr.startswith("The books run to 2025-05-03.")
    assert usance(tmp_path, "--at", "2025-05-06").exit_code == 0
    unpriced = LEDGER.replace("price SOL-PERP", "price SOL-OTHER")
    done = usance(tmp_path, text=unpriced)
    assert done.exit_code == 1
    assert "unknown, because a price is missing" in done.stdout
