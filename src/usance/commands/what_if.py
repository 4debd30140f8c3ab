"""What `margin` and `stress` share: numbers by name, and labels of figures."""

import re
from collections.abc import Iterable
from decimal import Decimal

import click

LINES = (
    ("Collateral", "collateral"),
    ("Unsettled PnL", "unsettled_pnl"),
    ("Borrow liability", "borrow_liability"),
    ("Net equity", "net_equity"),
    ("Exposure", "exposure"),
    ("Initial margin", "initial_margin"),
    ("Maintenance margin", "maintenance_margin"),
    ("Available equity", "available_equity"),
    ("Margin fraction", "margin_fraction"),
    ("IMR", "imr"),
    ("MMR", "mmr"),
)
"""The figures of a sub-account with their labels, in the order of their rows."""


def numbers_by_name(
    option: str, texts: Iterable[str], reads: re.Pattern[str], example: str
) -> dict[str, Decimal]:
    """Return the numbers of NAME=NUMBER by name; a name may occur once."""
    numbers: dict[str, Decimal] = {}
    for text in texts:
        match = reads.fullmatch(text.strip())
        if match is None:
            raise click.UsageError(f"{option} {text!r} has the wrong form. Write it as {example}.")
        if match[1] in numbers:
            raise click.UsageError(f"{option} {match[1]} is given twice. Keep one of the two.")
        numbers[match[1]] = Decimal(match[2])
    return numbers
