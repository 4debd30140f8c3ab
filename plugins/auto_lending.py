"""Lending: idle coins are lent, a negative wallet borrows, and both accrue interest hour by hour.

    plugin "usance.plugins.auto_lending"

Reads     "sub-account", "lending-pool", "lending-rate", "accrue-through", and the `quantum:` of
          commodities.
Adds      a day's interest and the change of the Lent memorandum, for each sub-account:

    2025-05-01 * "Lending" #lending #usance ^usance-2025-05-01
      usance: "lending/2025-05-01/Main"
      Assets:Backpack:Main:Wallet            0.042740 USDC
      Income:Backpack:Main:Interest         -0.042740 USDC
      Equity:Backpack:Main:Uses:Lent      1000.042740 USDC
      Equity:Backpack:Main:Uses:Capital  -1000.042740 USDC

          and a day's net borrow or repayment and its interest, tagged #borrowing. Metadata of each
          interest posting hold the numbers from which it was computed.
Refuses   a missing rate, a negative wallet that may not borrow, a borrow without a pool.
Finds     an old row of a rates file. See docs/errors.md.
Code      src/usance/engine/pool_lending.py runs the day, rules/interest.py has the arithmetic.
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
