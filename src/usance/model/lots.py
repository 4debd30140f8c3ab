"""Lots: what units held at cost were bought for."""

from decimal import Decimal
from typing import NamedTuple

from usance.model.hours import Day


class Lot(NamedTuple):
    """What units held at cost were bought for.

    cost      per unit, in `currency`
    day       on which they were bought
    label     as a person wrote it, or None
    """

    day: Day
    cost: Decimal
    currency: str
    label: str | None


def age(lot: Lot) -> tuple[int, Decimal, str]:
    """Return the key by which lots are in order, oldest first."""
    return lot.day, lot.cost, lot.label or ""
