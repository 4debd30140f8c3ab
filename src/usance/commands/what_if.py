"""What if: the evening that `margin` and `stress` ask about, and the prices that they are given."""

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal

import click

from usance.commands.options import (
    last_day,
    loaded_until,
)
from usance.language import prices
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.reports import margin as margin_reports
from usance.reports.margin import Evening


def evening_of(
    path: str, at: datetime.date | None, name: str | None
) -> tuple[Ledger, Reading, Evening]:
    """Return a ledger, its reading, and the evening of a day for one sub-account or all."""
    ledger, reading = loaded_until(path, at)
    others = prices.others(reading.book, ledger.entries)
    seen = margin_reports.evening(reading, last_day(reading, at), others, name)
    if name is not None and name not in seen.valuations:
        known = ", ".join(sorted(reading.book.sub_accounts)) or "none"
        raise click.UsageError(
            f"--sub-account {name} is not declared. Declared sub-accounts: {known}."
        )
    return ledger, reading, seen


def numbers_by_name(
    option: str, texts: Iterable[str], reads: re.Pattern[str], example: str
) -> dict[str, Decimal]:
    """Return the numbers of NAME=NUMBER by name; each name stands once."""
    found: dict[str, Decimal] = {}
    for text in texts:
        match = reads.fullmatch(text.strip())
        if match is None:
            raise click.UsageError(f"{option} {text!r} has the wrong form. Write it as {example}.")
        if match[1] in found:
            raise click.UsageError(f"{option} {match[1]} is given twice. Keep one of the two.")
        found[match[1]] = Decimal(match[2])
    return found


def must_be_held(seen: Evening, reading: Reading, option: str, commodity: str) -> None:
    """Refuse a commodity that no figure depends on."""
    known = margin_reports.commodities(seen)
    if commodity == reading.book.operating:
        raise click.UsageError(
            f"{option} {commodity}: figures are in {commodity}, so its price is 1. "
            "Name another commodity."
        )
    if commodity not in known and not seen.problems:
        names = ", ".join(sorted(known - {reading.book.operating})) or "nothing"
        raise click.UsageError(
            f"{option} {commodity}: no sub-account holds or owes it. Held or owed: {names}."
        )
