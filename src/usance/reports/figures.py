"""Figures: how reports hold the answers of commands and pages."""

from decimal import Decimal
from typing import Any

from usance.model.amounts import decimal_text, rounded_text

Figures = dict[str, Any]
"""Names and figures as JSON has them: exact decimals as text, null for a missing one."""


def shown(number: Decimal | None) -> str | None:
    """Return a figure as text, with 28 significant digits at most."""
    return None if number is None else rounded_text(number)


def in_full(number: Decimal | None) -> str | None:
    """Return a figure as text, with all its digits and no zeros behind them."""
    return None if number is None else decimal_text(number)


def as_summed(number: Decimal | None) -> str | None:
    """Return a sum as text, with the decimals of the finest number in it."""
    return None if number is None else format(number, "f")


def short(number: str, places: int = 12) -> str:
    """Return a number with so many decimals at most, for the eye; JSON and CSV have them all."""
    _, point, decimals = number.partition(".")
    if not point or len(decimals) <= places:
        return number
    return f"{Decimal(number):.{places}f}"
