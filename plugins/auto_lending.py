"""Lending: idle coins are lent, a negative wallet borrows, and both accrue interest hour by hour.

    plugin "usance.plugins.auto_lending"

Reads     "sub-account", "lending-pool", "lending-rate", "accrue-through", and the `quantum:` of
          commodities.
Adds      a day's interest and what changed in the Lent memorandum, for each sub-account:

    2025-05-01 * "Lending" #lending #usance ^usance-2025-05-01
      usance: "lending/2025-05-01/Main"
      Assets:Backpack:Main:Wallet            0.042740 USDC
      Income:Backpack:Main:Interest         -0.042740 USDC
      Equity:Backpack:Main:Uses:Lent      1000.042740 USDC
      Equity:Backpack:Main:Uses:Capital  -1000.042740 USDC

          and a day's net borrow or repayment and its interest, tagged #borrowing. The metadata of
          each interest is what it was computed from.
Refuses   a missing rate, a wallet that is negative and may not borrow, a borrow without a pool.
Finds     a row of a rates file that is old. See docs/errors.md.
How       src/usance/engine/pool_lending.py has the day, rules/interest.py the arithmetic.
"""

from typing import Any

from beancount.core.data import Directives

from usance.virtual_days import extend

__plugins__ = ("auto_lending",)


def auto_lending(
    entries: Directives, options_map: dict[str, Any], config: str | None = None
) -> tuple[Directives, list[Any]]:
    """Enable the lending stage; the last Usance line of the ledger runs the days."""
    return extend(entries, options_map, "usance.plugins.auto_lending", config)
