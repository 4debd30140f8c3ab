"""Usance's pages in Fava, and the launcher that serves them. One line of a ledger adds the pages.

2025-05-01 custom "fava-extension" "usance.fava"

They import all packages but `rules`, `treasury` and `commands`. They never import click.
"""

from usance.fava.host import UsanceBooks
from usance.fava.margin_page import UsanceMargin
from usance.fava.overview_page import UsanceOverview
from usance.fava.pages import UsanceCapital, UsanceLending, UsanceSplit, UsanceSubAccounts
from usance.fava.proof_page import UsanceVerify
from usance.fava.reconcile_page import UsanceReconcile
from usance.fava.statement_page import UsanceStatement

__all__ = [
    "UsanceBooks",
    "UsanceCapital",
    "UsanceLending",
    "UsanceMargin",
    "UsanceOverview",
    "UsanceReconcile",
    "UsanceSplit",
    "UsanceStatement",
    "UsanceSubAccounts",
    "UsanceVerify",
]
