"""Books: what posting needs to know of the ledger, and what it gives back."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from usance.model.feeds import Feed
from usance.model.hours import Day
from usance.venues.drafts import Draft
from usance.venues.lot_queue import Held
from usance.venues.row_set import Rows
from usance.venues.rows import FEED_OF, Row
from usance.venues.venue import Symbols


class Accounts(NamedTuple):
    """The accounts of a sub-account to which its rows are posted."""

    wallet: str
    perp: str
    accrued_yield: str
    borrowed: str
    pnl: str
    fees: str
    interest_earned: str
    interest_paid: str
    funding_received: str
    funding_paid: str


@dataclass(frozen=True)
class Account:
    """One account of a venue and its place in the books.

    held      lots of each contract before the feed, as Beancount keeps them
    imported  day -> whether its interest rows are booked, not only checked
    repays    day, second -> whether the books repay debts on their own then
    """

    feed: Feed
    rows: Rows
    symbols: Symbols
    accounts: Accounts
    held: Mapping[str, Sequence[Held]]
    imported: Callable[[Day], bool]
    repays: Callable[[Day, int], bool]


@dataclass
class Posted:
    """What becomes of rows; counts are of rows by feed, or by reason for those that are ignored."""

    drafts: list[Draft] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    booked: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def book(self, row: Row) -> None:
        """Count a row that is part of a transaction."""
        self.booked[FEED_OF[type(row)]] += 1

    def check(self, row: Row) -> None:
        """Count a row that repeats what is booked."""
        self.checked[FEED_OF[type(row)]] += 1
