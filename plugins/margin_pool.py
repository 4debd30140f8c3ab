"""Margin: results of contracts are settled daily, and collateral is held for contracts and borrows.

    plugin "usance.plugins.margin_pool"

Reads     "collateral", "perpetual", "liquidation", and the price directives of marks and coins.
Adds      a day's settlement, and the change of the margin held, for each sub-account:

    2025-05-02 * "Settlement" #settlement #usance ^usance-2025-05-02
      usance: "settlement/2025-05-02/Main"
      Assets:Backpack:Main:Wallet  -100.000000 USDC
      Assets:Backpack:Main:Perp     100.000000 USDC

    2025-05-02 * "Margin held" #margin #usance ^usance-2025-05-02
      usance: "margin/2025-05-02/Main"
      Equity:Backpack:Main:Uses:Margin    740.00 USDC
      Equity:Backpack:Main:Uses:Capital  -740.00 USDC

          and, if liquidation is simulated, each of its steps, tagged #liquidation.
Refuses   a missing mark or price, a contract without terms or cost.
Finds     a breach, and old prices. See docs/errors.md.
Code      src/usance/engine/margin_pool.py ends the day, rules/margin.py has the arithmetic.
"""

from typing import Any

from beancount.core.data import Directives

from usance.reports.margin_table import register
from usance.virtual_days import extend

__plugins__ = ("margin_pool",)


def margin_pool(
    entries: Directives, options_map: dict[str, Any], config: str | None = None
) -> tuple[Directives, list[Any]]:
    """Enable the margin stage; the last Usance line of the ledger runs the days."""
    register()
    return extend(entries, options_map, "usance.plugins.margin_pool", config)
