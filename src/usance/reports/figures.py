"""Figures: how reports hold the answers of commands and pages."""

from decimal import Decimal

from usance.model.amounts import rounded_text


def shown(number: Decimal | None) -> str | None:
    """Return a figure as text, with 28 significant digits at most."""
    return None if number is None else rounded_text(number)


def short(number: str, places: int = 12) -> str:
    """Return a number with so many decimals at most, for the eye; JSON and CSV have them all."""
    _, point, decimals = number.partition(".")
    if not point or len(decimals) <= places:
        return number
    return f"{Decimal(number):.{places}f}"
