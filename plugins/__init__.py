"""All stages of a day: isolation, lending, yield and margin.

    plugin "usance.plugins"

It reads and adds everything that the single stages read and add: see
`usance.plugins.sub_accounts`, `usance.plugins.auto_lending`, `usance.plugins.yield_split` and
`usance.plugins.margin_pool`. Each of these can also be enabled alone.
"""

from typing import Any

from beancount.core.data import Directives

from usance.reports.margin_table import register
from usance.virtual_days import extend

__plugins__ = ("every_stage",)


def every_stage(
    entries: Directives, options_map: dict[str, Any], config: str | None = None
) -> tuple[Directives, list[Any]]:
    """Enable all stages; the last Usance line of the ledger runs the days."""
    register()
    return extend(entries, options_map, "usance.plugins", config)
