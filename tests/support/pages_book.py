"""A book that fills every page: sub-accounts and a desk, contracts, yield, bills, a transfer."""

import datetime
from collections.abc import Iterator
from pathlib import Path

from folders import Folder

FIRST = datetime.date(2025, 4, 1)
DAYS = 61
HEAD = """\
option "title" "Pages"
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"

2025-04-01 custom "fava-extension" "usance.fava"
2025-04-01 commodity USDC
  quantum: 0.000001
2025-04-01 commodity USDT
  quantum: 0.000001
2025-04-01 commodity BILL
  maturity: 2025-07-01
2025-04-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  leverage-limit: 10
2025-04-01 custom "sub-account" "Desk" Assets:Backpack:Desk
  auto-lend: TRUE
  auto-borrow: TRUE
2025-04-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2025-04-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-04-01 custom "lending-rate" "USDC" 0.0412 0.0630
  utilization: 0.72
2025-04-20 custom "lending-rate" "USDC" 0.0480 0.0710
  utilization: 0.81
2025-05-10 custom "lending-rate" "USDC" 0.0395 0.0600
  utilization: 0.69
2025-04-01 custom "lending-pool" "USDT"
  rates: "observed"
2025-04-01 custom "lending-rate" "USDT" 0.0350 0.0550
2025-04-01 custom "lending-pool" "SOL"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
  fee: 0.10
  external-lent: 100000 SOL
  external-borrowed: 61000 SOL
2025-04-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-04-01 custom "treasury-rate" "USD" 0.0431
2025-04-01 custom "yield-bonus" "USD" "Arb" 0.0200
  cap: 20000 USDC
2025-04-01 custom "yield-product" "TBill"
  asset: "USDT"
  source: "bills"
  bills: Assets:Backpack:Treasury:Bills
  fee: 0.15
  payout: "monthly"
2025-04-01 custom "collateral" "SOL"
  weight-function: "inverse-sqrt"
  weight: 0.95
  base: 1.1
  penalty: 0.0004
  initial-margin: 0.20
  maintenance-margin: 0.10
2025-04-01 custom "collateral" "USDT"
  weight: 0.98
2025-04-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.05
  initial-margin-factor: 0.000075
  maintenance-margin: 0.025
  maintenance-margin-factor: 0.0000375

2025-04-01 open Assets:Bank
2025-04-01 open Assets:Backpack:Main:Wallet
2025-04-01 open Assets:Backpack:Main:Perp
2025-04-01 open Assets:Backpack:Desk:Wallet
2025-04-01 open Assets:Backpack:Desk:Perp
2025-04-01 open Assets:Backpack:Arb:Wallet
2025-04-01 open Assets:Backpack:Treasury:Bills
2025-04-01 open Assets:Backpack:Treasury:Cash
2025-04-01 open Equity:Issuer

2025-04-01 * "Deposit"
  Assets:Backpack:Main:Wallet     100000 USDC
  Assets:Bank                    -100000 USDC
2025-04-01 * "Deposit of another coin"
  Assets:Backpack:Desk:Wallet        400 SOL {128 USDC}
  Assets:Bank                     -51200 USDC
2025-04-01 * "The issuer's capital"
  Assets:Backpack:Treasury:Cash    60000 USDT
  Equity:Issuer                   -60000 USDT
2025-04-02 * "Bill at 99.01"
  Assets:Backpack:Treasury:Bills   50000 BILL {0.9901 USDT}
  Assets:Backpack:Treasury:Cash   -49505 USDT
2025-04-02 * "Fund Arb"
  time: "10:15"
  Assets:Backpack:Main:Wallet     -20000 USDC
  Assets:Backpack:Arb:Wallet       20000 USDC
2025-04-03 * "Dollars of another kind"
  Assets:Backpack:Arb:Wallet       30000 USDT
  Assets:Bank                     -30000 USDT
2025-04-05 * "Go long"
  time: "09:30"
  Assets:Backpack:Main:Perp         2000 SOL-PERP {127.5 USDC}
  Assets:Backpack:Main:Perp      -255000 USDC
2025-04-09 * "Sell short against what is held"
  time: "14:00"
  Assets:Backpack:Desk:Perp         -390 SOL-PERP {125 USDC}
  Assets:Backpack:Desk:Perp        48750 USDC
2025-04-16 * "Withdraw on credit"
  time: "11:20"
  Assets:Backpack:Desk:Wallet      -9000 USDC
  Assets:Bank                       9000 USDC
2025-05-06 * "Half of it back"
  time: "16:45"
  Assets:Backpack:Arb:Wallet       -5000 USDC
  Assets:Backpack:Main:Wallet       5000 USDC
"""


def prices() -> Iterator[str]:
    """Yield a quote of each coin and contract a day; SOL goes up and down by the day."""
    for number in range(DAYS):
        day = FIRST + datetime.timedelta(days=number)
        sol = 128 + (number * 7) % 19 - (number * 5) % 13 + number // 6
        yield f"{day} price SOL {sol} USDC\n"
        yield f"{day} price SOL-PERP {sol}.15 USDC\n"
        yield f"{day} price USDT 0.9995 USDC\n"


def ledger() -> str:
    """Return the text of the book."""
    end = FIRST + datetime.timedelta(days=DAYS - 1)
    return f'{HEAD}\n{"".join(prices())}{end} custom "accrue-through" {end}\n'


def made(path: Path) -> Folder:
    """Write the book, of which the first month is posted, into a folder."""
    folder = Folder.made(path / "books", ledger())
    folder.accrue("--through", "2025-04-30")
    return folder
