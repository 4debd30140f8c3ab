"""Isolation: a transfer between sub-accounts is completed, everything else between them refused.

    plugin "usance.plugins.sub_accounts"

Reads     "sub-account", and transactions that touch more than one.
Adds      beside a transfer of 100 USDC from Main to Arb, so that each keeps its own balance sheet:

    2025-05-03 * "Transfer between Arb and Main" #transfer #usance ^usance-2025-05-03
      usance: "transfer/2025-05-03/Arb"
      Equity:Backpack:Arb:Transfers:Main  -100 USDC
      Equity:Backpack:Main:Transfers:Arb   100 USDC

Refuses   a transaction in which one sub-account pays for another, an account of a sub-account
          that is not known, an account under a venue that belongs to none. See docs/errors.md.
How       src/usance/engine/sub_accounts.py has the day, rules/isolation.py the rule.
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
