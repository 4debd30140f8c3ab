"""Lots: the cost, the day and the label of units held at cost."""

from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import decimal_text
from usance.model.hours import Day, iso


class Lot(NamedTuple):
    """The cost, the day and the label of a purchase of units that are held at cost.

    cost      per unit, in `currency`
    day       of the purchase
    label     as a person wrote it, or None
    """

    day: Day
    cost: Decimal
    currency: str
    label: str | None


def lot_text(lot: Lot) -> str:
    """Return a lot as a person writes it: cost, date and label in braces."""
    label = f', "{lot.label}"' if lot.label else ""
    return f"{{{decimal_text(lot.cost)} {lot.currency}, {iso(lot.day)}{label}}}"


def age(lot: Lot) -> tuple[int, Decimal, str]:
    """Return the key that sorts lots, oldest first."""
    return lot.day, lot.cost, lot.label or ""
