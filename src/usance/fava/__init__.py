"""Pages of Usance in Fava, by one line of a ledger.

2025-05-01 custom "fava-extension" "usance.fava"
"""

from usance.fava.host import UsanceBooks
from usance.fava.pages import (
    UsanceCapital,
    UsanceLending,
    UsanceMargin,
    UsanceSplit,
    UsanceSubAccounts,
    UsanceVerify,
)

__all__ = [
    "UsanceBooks",
    "UsanceCapital",
    "UsanceLending",
    "UsanceMargin",
    "UsanceSplit",
    "UsanceSubAccounts",
    "UsanceVerify",
]
