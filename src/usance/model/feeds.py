"""Feeds: whose rows of a venue are booked into a sub-account, and against which accounts."""

from dataclasses import dataclass, field

from usance.model.hours import Day
from usance.model.problems import Source

VENUES = ("backpack", "bybit")
"""The venues whose rows can be booked, as a feed names them."""

IGNORED = frozenset({"POINTS"})
"""What a venue lists and is no coin, unless a feed says otherwise."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One account of a venue, whose rows become transactions of one sub-account.

    venue          which venue's rows they are, such as `backpack`
    since          first day whose rows are booked
    outside        the other side of deposits and withdrawals
    transit        that of internal transfers whose other end is in no feed
    distributions  that of what the platform pays in
    pays           yield product whose payout such a payment is, or None
    fee_on_top     the fee of a withdrawal is beside its quantity, not part of it
    ignore         symbols that the venue lists and that are no coins
    """

    sub_account: str
    venue: str
    since: Day
    outside: str
    transit: str
    distributions: str
    pays: str | None
    fee_on_top: bool
    ignore: frozenset[str]
    source: Source = field(compare=False)
