"""A ledger with feeds, and the rows of a few days of two sub-accounts of Backpack."""

import json
from pathlib import Path

import backpack_rows as api

LEDGER = """\
option "title" "Fed"
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "imported/*.beancount"

2025-11-01 commodity USDC
  quantum: 0.0000000001
2025-11-01 commodity SOL-PERP
  stale-after: 60
2025-11-01 commodity SOL
  stale-after: 60
2025-11-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  interest: "imported"
2025-11-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-11-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
  transit: Equity:Transit
2025-11-01 custom "feed" "Arb" "backpack"
  outside: Assets:Bank
2025-11-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.01
2025-11-01 custom "collateral" "SOL"
  weight: 0.9
2025-11-01 open Assets:Bank
2025-11-03 price SOL-PERP 150 USDC
2025-11-04 price SOL-PERP 155 USDC
2025-12-02 price SOL-PERP 155 USDC
2025-11-03 price SOL 150 USDC
"""

HOURS = [f"2025-11-0{3 + hour // 24}T{hour % 24:02}:00:00" for hour in range(13, 37)]

MAIN: dict[str, list[api.Row]] = {
    "deposits": [
        api.deposit(1, "2000", "2025-11-02T13:55:54.267", platformMemo='first "one"'),
        api.deposit(2, "50", "2025-11-05T10:00:00", status="pending"),
        api.deposit(3, "5.5", "2025-12-01T10:00:00", source="administrator"),
    ],
    "withdrawals": [
        api.withdrawal(4, "100", "0.5", "2025-11-04T09:00:00"),
        api.withdrawal(5, "250", "0", "2025-11-04T10:00:00.5", isInternal=True),
    ],
    "fills": [
        api.fill(10, "Bid", "2", "150.01", "2025-11-03T12:00:00.5", fee="0.15"),
        api.fill(11, "Bid", "1", "151", "2025-11-03T14:00:00", fee="0.0755"),
        api.fill(12, "Ask", "5", "155.5", "2025-11-04T12:30:00.999", fee="-0.05"),
        api.fill(13, "Bid", "0.5", "149", "2025-11-03T15:00:00", symbol="SOL_USDC", fee="0.0005",
                 feeSymbol="SOL"),
        api.fill(0, "Bid", "1", "154", "2025-12-02T00:00:00.000001",
                 systemOrderType="LiquidatePositionOnBackstop"),
        api.fill(0, "Bid", "1", "154", "2025-12-02T00:00:00.000001",
                 systemOrderType="LiquidatePositionOnBackstop"),
    ],
    "funding": [
        api.funding(f"{'-' if at % 3 else ''}0.00{at + 1}", hour) for at, hour in enumerate(HOURS)
    ],
    "interest": [api.interest("Lend", f"0.00888{at:02}", hour) for at, hour in enumerate(HOURS)],
    "borrowLend": [
        api.movement("Lend", "Interest", f"0.00888{at:02}", hour) for at, hour in enumerate(HOURS)
    ],
    "settlement": [
        api.settlement("BackstopLiquidityFundProceeds", "1.25", "2025-11-04T20:00:00", 77)
    ],
    "dust": [api.dust(9, "0.0005", "0.07", "2025-11-04T21:00:00")],
}  # fmt: skip

ARB: dict[str, list[api.Row]] = {
    "deposits": [api.deposit(6, "250.00", "2025-11-04T10:00:01", source="internal")],
}


def books(folder: Path) -> Path:
    """Write the ledger without any rows; return its path."""
    imported = folder / "imported"
    imported.mkdir(parents=True)
    (imported / "first.beancount").write_text("")
    path = folder / "main.beancount"
    path.write_text(LEDGER)
    return path


def store(folder: Path, name: str, file: str, rows: list[api.Row]) -> None:
    """Store rows in a file below the folder of a sub-account, as fetch and import do."""
    path = folder / "downloads" / "backpack" / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows))


def filled(folder: Path) -> Path:
    """Write the ledger with all rows, a page for each history; return its path."""
    path = books(folder)
    for name, feeds in (("Main", MAIN), ("Arb", ARB)):
        for feed, rows in feeds.items():
            store(folder, name, f"{feed}/000000000.json", rows)
    return path
