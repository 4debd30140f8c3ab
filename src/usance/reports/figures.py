"""Figures: the form in which reports hold the answers of commands and pages."""

from decimal import Decimal
from typing import Any

from usance.model.amounts import decimal_text, rounded_text, rounded_to

Figures = dict[str, Any]
"""Names and figures as in JSON: exact decimals as text, None (null in JSON) for a missing one."""


def shown(number: Decimal | None) -> str | None:
    """Return a figure as text, with at most 28 significant digits; or None for None."""
    return None if number is None else rounded_text(number)


def in_full(number: Decimal | None) -> str | None:
    """Return a figure as text, with all its digits and no trailing zeros; or None for None."""
    return None if number is None else decimal_text(number)


def as_summed(number: Decimal | None) -> str | None:
    """Return a sum as text, with the decimals of its finest summand; or None for None."""
    return None if number is None else format(number, "f")


def short(number: str, places: int = 12) -> str:
    """Return a number with at most `places` decimals, for display; JSON and CSV have them all."""
    _, point, decimals = number.partition(".")
    if not point or len(decimals) <= places:
        return number
    return f"{Decimal(number):.{places}f}"


def for_the_eye(number: str | None, places: int | None) -> str | None:
    """Return a figure with separators and `places` decimals, rounded half-even; None: all digits.

    A figure that comes to zero has no minus.
    """
    if number is None:
        return None
    exact = Decimal(number)
    if places is None:
        return f"{exact:,f}"
    text = f"{rounded_to(Decimal(1).scaleb(-places), exact):,f}"
    return text.removeprefix("-") if not exact or not text.strip("-0.,") else text
