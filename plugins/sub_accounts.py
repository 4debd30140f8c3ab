"""Isolation: a transfer between sub-accounts is completed, all else between them is refused.

    plugin "usance.plugins.sub_accounts"

Reads     "sub-account", and transactions that touch more than one.
Adds      a transaction beside each transfer, so that each sub-account keeps its own balance sheet.
          Beside one of 100 USDC from Main to Arb:

    2025-05-03 * "Transfer between Arb and Main" #transfer #usance ^usance-2025-05-03
      usance: "transfer/2025-05-03/Arb"
      Equity:Backpack:Arb:Transfers:Main  -100 USDC
      Equity:Backpack:Main:Transfers:Arb   100 USDC

Refuses   a transaction in which one sub-account pays for another, an account of an unknown
          sub-account, an account under a venue that belongs to no sub-account. See docs/errors.md.
Code      src/usance/engine/sub_accounts.py runs the day, rules/isolation.py has the rule.
"""

from typing import Any

from beancount.core.data import Directives

from usance.virtual_days import extend

__plugins__ = ("sub_accounts",)


def sub_accounts(
    entries: Directives, options_map: dict[str, Any], config: str | None = None
) -> tuple[Directives, list[Any]]:
    """Enable isolation; the last Usance line of the ledger runs the days."""
    return extend(entries, options_map, "usance.plugins.sub_accounts", config)
