"""Endpoints of Backpack that feeding reads: which folder holds what which path says."""

from typing import NamedTuple

from usance.venues.backpack.kinds import DEPOSIT_STATUSES, WITHDRAWAL_STATUSES
from usance.venues.rows import Standing

VENUE = "backpack"
"""As in `custom "feed" "Main" "backpack"`, and the folder of downloads."""

URL = "https://api.backpack.exchange"

LIMIT = 1000
"""Rows of a full page, the most that the venue gives."""


class Endpoint(NamedTuple):
    """A path, and the parameters that say which of its rows are meant."""

    path: str
    params: tuple[tuple[str, str], ...] = ()


FILLS = "/wapi/v1/history/fills"
SETTLEMENT = "/wapi/v1/history/settlement"

PAGED = {
    "fills": Endpoint(FILLS),
    "funding": Endpoint("/wapi/v1/history/funding"),
    "interest": Endpoint("/wapi/v1/history/interest"),
    "borrowLend": Endpoint("/wapi/v1/history/borrowLend"),
    "dust": Endpoint("/wapi/v1/history/dust"),
}
"""Feeds whose rows have a number, oldest first, by the name of their folder."""

SETTLEMENTS = {
    "settlement-borrow-interest": Endpoint(SETTLEMENT, (("source", "CulledBorrowInterest"),)),
    "settlement-backstop": Endpoint(SETTLEMENT, (("source", "BackstopLiquidation"),)),
}
"""The settlements that no other feed says and that a filter gives."""

ALL_SETTLEMENTS = {"settlement": Endpoint(SETTLEMENT)}
"""All of them: one each ten seconds of an open contract."""

MONTHLY = {
    "deposits": Endpoint("/wapi/v1/capital/deposits"),
    "withdrawals": Endpoint("/wapi/v1/capital/withdrawals"),
}
"""Feeds that know no order; `from` and `to` say which rows are meant, in milliseconds."""

FINAL = {
    name: frozenset(
        status for status, known in statuses.items() if known.standing is not Standing.OPEN
    )
    for name, statuses in (("deposits", DEPOSIT_STATUSES), ("withdrawals", WITHDRAWAL_STATUSES))
}
"""The statuses that no longer change."""

COLLATERAL = "/api/v1/capital/collateral"

SNAPSHOT = {
    "collateral": COLLATERAL,
    "capital": "/api/v1/capital",
    "account": "/api/v1/account",
    "position": "/api/v1/position",
    "borrow_lend_positions": "/api/v1/borrowLend/positions",
}
"""The answers that are a snapshot of an account, by the name of their file, in this order."""

QUANTITIES = ("symbol", "totalQuantity", "availableQuantity", "openOrderQuantity", "lendQuantity")
"""The fields of a coin in the collateral that no price moves."""

POOL_HISTORY = "/api/v1/borrowLend/markets/history"
KLINES = "/api/v1/klines"
MARKETS = "/api/v1/markets"

PUBLIC = {
    "markets": MARKETS,
    "collateral": "/api/v1/collateral",
    "borrowLendMarkets": "/api/v1/borrowLend/markets",
}
"""What the venue says to everybody in one answer, by the name of its folder."""

PRIVATE = frozenset(
    [endpoint.path for endpoint in (*PAGED.values(), *SETTLEMENTS.values(), *MONTHLY.values())]
    + list(SNAPSHOT.values())
)
"""The paths that need a key."""
