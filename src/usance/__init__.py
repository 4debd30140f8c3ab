"""The books of a global margin account: one wallet, put to work in many ways at once.

From Python, `usance.load` gives the answers of the commands as dataclasses; docs/python.md tells.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from usance.books import Books, load
    from usance.explain.citations import OpeningBalance, Used
    from usance.explain.explanation import Explanation
    from usance.explain.working import Hour, Step
    from usance.ledger.errors import Message
    from usance.ledger.load import BrokenPluginError
    from usance.ledger.questions import NoCurrencyError, NoDayYetError, QuestionError
    from usance.model.problems import Problem
    from usance.reports.balance_sheets import Accounts, Sheet
    from usance.reports.contributions import Contribution, Contributions
    from usance.reports.efficiency import Efficiency, Uses
    from usance.reports.lending import Compared, Conservation, Interest, Lending
    from usance.reports.lending_sides import Difference
    from usance.reports.margin import (
        Borrow,
        Collateral,
        Margin,
        Position,
        Shocked,
        Stress,
        SubAccountMargin,
    )
    from usance.reports.movements import AccountBalance, Balance, Movement
    from usance.reports.pnl import Pnl, PnlRow, Trade
    from usance.reports.statement import (
        Statement,
        StatementLine,
        StatementPart,
        StatementPeriod,
        Value,
        Values,
    )
    from usance.reports.status import NearestLiquidation, Standing, Status
    from usance.reports.yields import Backing, BillLot, Holding, Reserves, Yields, YieldSource

__version__ = "0.1.0"

__all__ = (
    "AccountBalance",
    "Accounts",
    "Backing",
    "Balance",
    "BillLot",
    "Books",
    "Borrow",
    "BrokenPluginError",
    "Collateral",
    "Compared",
    "Conservation",
    "Contribution",
    "Contributions",
    "Difference",
    "Efficiency",
    "Explanation",
    "Holding",
    "Hour",
    "Interest",
    "Lending",
    "Margin",
    "Message",
    "Movement",
    "NearestLiquidation",
    "NoCurrencyError",
    "NoDayYetError",
    "OpeningBalance",
    "Pnl",
    "PnlRow",
    "Position",
    "Problem",
    "QuestionError",
    "Reserves",
    "Sheet",
    "Shocked",
    "Standing",
    "Statement",
    "StatementLine",
    "StatementPart",
    "StatementPeriod",
    "Status",
    "Step",
    "Stress",
    "SubAccountMargin",
    "Trade",
    "Used",
    "Uses",
    "Value",
    "Values",
    "YieldSource",
    "Yields",
    "__version__",
    "load",
)

HOMES = {
    "books": ("Books", "load"),
    "ledger.questions": ("NoCurrencyError", "NoDayYetError", "QuestionError"),
    "explain.citations": ("OpeningBalance", "Used"),
    "explain.explanation": ("Explanation",),
    "explain.working": ("Hour", "Step"),
    "ledger.errors": ("Message",),
    "ledger.load": ("BrokenPluginError",),
    "model.problems": ("Problem",),
    "reports.balance_sheets": ("Accounts", "Sheet"),
    "reports.contributions": ("Contribution", "Contributions"),
    "reports.movements": ("AccountBalance", "Balance", "Movement"),
    "reports.efficiency": ("Efficiency", "Uses"),
    "reports.lending": ("Compared", "Conservation", "Interest", "Lending"),
    "reports.lending_sides": ("Difference",),
    "reports.margin": (
        "Borrow",
        "Collateral",
        "Margin",
        "Position",
        "Shocked",
        "Stress",
        "SubAccountMargin",
    ),
    "reports.pnl": ("Pnl", "PnlRow", "Trade"),
    "reports.statement": (
        "Statement",
        "StatementLine",
        "StatementPart",
        "StatementPeriod",
        "Value",
        "Values",
    ),
    "reports.status": ("NearestLiquidation", "Standing", "Status"),
    "reports.yields": ("Backing", "BillLot", "Holding", "Reserves", "YieldSource", "Yields"),
}
"""The modules of what is public: each is imported when it is first asked for.

A command that needs none of them, and a plugin line, start without them.
"""


def __getattr__(name: str) -> object:
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"usance.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
