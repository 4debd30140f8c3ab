"""Yield: lent coins earn treasury yield on top, accrued daily and paid when it is due.

    plugin "usance.plugins.yield_split"

Reads     "yield-product", "treasury-rate", "yield-bonus", the `earn:` of sub-accounts, the
          `maturity:` of commodities, and `pays:` on transactions.
Adds      a day's yield of each sub-account, and the change of the Yield memorandum:

    2025-05-01 * "Treasury yield" #treasury #usance ^usance-2025-05-01
      usance: "treasury/2025-05-01/Main"
      Assets:Backpack:Main:AccruedYield      0.109589 USDC
      Income:Backpack:Main:Treasury         -0.109589 USDC
      Equity:Backpack:Main:Uses:Yield     1000.042740 USDC
      Equity:Backpack:Main:Uses:Capital  -1000.042740 USDC

          a payout on the day after its period, tagged #payout, and, if bills in these books back a
          product, their accretion and its distribution to the holders.
Refuses   a product without a rate, a bill without maturity, cost or place of its own.
Finds     an Accretion that differs from that of the held bills, cash below zero at a payout, an
          old row of a rates file. See docs/errors.md.
Code      src/usance/engine/yield_split.py runs the day, rules/yields.py has the arithmetic.
"""

from typing import Any

from beancount.core.data import Directives

from usance.virtual_days import extend

__plugins__ = ("yield_split",)


def yield_split(
    entries: Directives, options_map: dict[str, Any], config: str | None = None
) -> tuple[Directives, list[Any]]:
    """Enable the yield stage; the last Usance line of the ledger runs the days."""
    return extend(entries, options_map, "usance.plugins.yield_split", config)
