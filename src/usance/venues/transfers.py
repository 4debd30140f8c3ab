"""Transfers: a withdrawal and a deposit that are one movement between two feeds."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from usance.venues.numbers import SECOND
from usance.venues.rows import Deposit, Withdrawal

APART = 60 * SECOND
"""The longest time between the two rows of a transfer."""

Row = tuple[str, Deposit | Withdrawal]
"""The sub-account of a feed, and a row of it: internal, confirmed, not before the feed."""

Pairs = dict[tuple[str, str], tuple[str, Deposit]]
"""The deposit and its sub-account, by the sub-account and the id of the withdrawal."""


def paired(rows: Iterable[Row]) -> Pairs:
    """Return which withdrawals and deposits are one.

    They are of two feeds, of one coin and quantity, at most `APART`, with no third such row within
    that time of either: which belong together would be a guess.
    """
    alike: defaultdict[tuple[str, Decimal], list[Row]] = defaultdict(list)
    for name, row in rows:
        alike[row.symbol, row.quantity].append((name, row))
    found: Pairs = {}
    for group in alike.values():
        group.sort(key=lambda one: one[1].at)
        for at, (one, other) in enumerate(pairwise(group)):
            if not _near(one, other):
                continue
            before, after = group[at - 1 : at] if at else [], group[at + 2 : at + 3]
            if any(_near(third, one) for third in before) or any(
                _near(other, third) for third in after
            ):
                continue
            _take(found, one, other)
    return found


def _near(one: Row, other: Row) -> bool:
    return abs(other[1].at - one[1].at) <= APART


def _take(found: Pairs, one: Row, other: Row) -> None:
    """Take two rows as a pair if one is a withdrawal, the other a deposit of another feed."""
    if isinstance(one[1], Deposit):
        one, other = other, one
    (sender, out), (receiver, into) = one, other
    if isinstance(out, Withdrawal) and isinstance(into, Deposit) and sender != receiver:
        found[sender, out.id] = (receiver, into)
