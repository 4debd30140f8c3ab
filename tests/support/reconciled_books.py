"""Ledgers with a feed, and snapshots of a venue, written into a folder for tests of reconciling."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from usance.feeding import reconciling
from usance.feeding.reconciling import Asked, Reconciled, Rows
from usance.ledger.load import load

HEAD = """
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "imported/*.beancount"
2025-06-01 commodity USDC
  quantum: 0.0000000001
2025-06-01 commodity SOL
  quantum: 0.0000000001
2025-06-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-06-01 custom "lending-rate" "USDC" 0 0
2025-06-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-06-01 custom "lending-rate" "SOL" 0 0
2025-06-01 custom "collateral" "SOL"
  weight: 0.95
  initial-margin: 0.1
  maintenance-margin: 0.05
2025-06-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
2025-06-01 open Assets:Bank
2025-06-01 open Assets:Backpack:Main:Wallet
2025-06-01 open Assets:Backpack:Main:Perp
2025-06-01 open Income:Backpack:Main:PnL
"""
"""Pools at a rate of 0, so that a figure worked by hand has no interest in it."""

MAIN = """
2025-06-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  leverage-limit: 10
2025-06-16 custom "feed" "Main" "backpack"
  outside: Assets:Bank
2025-06-18 custom "accrue-through" 2025-06-16
"""
"""The books go to the end of 2025-06-16."""

Answers = Mapping[str, Any]


def written(folder: Path, text: str, imported: str = "") -> Path:
    """Write a ledger into a folder, with the text that an import has written; return its path."""
    (folder / "imported").mkdir(parents=True, exist_ok=True)
    (folder / "imported" / "first.beancount").write_text(f"; Nothing yet.\n{imported}")
    path = folder / "main.beancount"
    path.write_text(HEAD + text)
    return path


def snapshot(folder: Path, answers: Answers) -> Path:
    """Write answers into a folder, each into a file of its name, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(json.dumps(answer))
    return folder


def coin(symbol: str, total: str, **others: str) -> dict[str, str]:
    """Return a row of the collateral answer: all of it lent, unless said otherwise."""
    given = {"lent": total, "ordered": "0", "idle": "0", "weight": "1", "price": "1"} | others
    return {
        "symbol": symbol,
        "assetMarkPrice": given["price"],
        "totalQuantity": total,
        "collateralWeight": given["weight"],
        "openOrderQuantity": given["ordered"],
        "lendQuantity": given["lent"],
        "availableQuantity": given["idle"],
    }


def position(symbol: str, quantity: str, entry: str, mark: str, **others: str) -> dict[str, str]:
    """Return a row of the answer on positions."""
    return {
        "symbol": symbol,
        "netQuantity": quantity,
        "entryPrice": entry,
        "markPrice": mark,
        "netExposureQuantity": others.get("exposure", quantity.removeprefix("-")),
        "pnlUnrealized": others.get("result", "0"),
    }


def owed(symbol: str, quantity: str, price: str) -> dict[str, str]:
    """Return a row of the answer on borrow-lend positions."""
    return {"symbol": symbol, "id": "7", "netQuantity": quantity, "markPrice": price}


def held_against(
    ledger: Path, answers: Path, at: str | None = "2025-06-16", rows: Rows | None = None
) -> Reconciled:
    """Return the one sub-account of a ledger, held against a snapshot."""
    loaded = load(str(ledger))
    assert not loaded.errors, loaded.errors
    moment = None if at is None else reconciling.moment_of(at)
    [found] = reconciling.reconcile(loaded, Asked(answers, None, moment), rows=rows)
    return found


Seen = dict[tuple[str, str], Sequence[str | None]]


def seen(found: Reconciled) -> Seen:
    """Return books, venue, class and rule of each line, by line and name."""
    [one] = reconciling.answer([found])["reconciled"]
    return {
        (line["line"], line["name"]): (line["books"], line["venue"], line["class"], line["rule"])
        for line in one["lines"]
    }


def unmatched(found: Reconciled) -> Seen:
    """Return the lines that are not plainly equal."""
    return {key: line for key, line in seen(found).items() if line[2] != "matched"}
