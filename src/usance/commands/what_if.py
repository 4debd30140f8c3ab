"""What `margin` and `stress` share: the end of a day, numbers by name, and labels of figures."""

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

import click

from usance.commands.options import loaded_until
from usance.language import prices
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.reports import margin as margin_reports
from usance.reports.figures import Figures
from usance.reports.margin import Evening

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


def evening_of(
    path: str, at: datetime.date | None, name: str | None, on: str
) -> tuple[Ledger, Reading, Evening]:
    """Return a ledger, its reading, and the evening of a day for one sub-account, or for all."""
    ledger, reading, day = loaded_until(path, at)
    others = prices.others(reading.book, ledger.entries)
    seen = margin_reports.evening(ledger, reading, day, others, on, name)
    if name is not None and name not in seen.valuations:
        declared = ", ".join(sorted(reading.book.sub_accounts)) or "none"
        raise click.UsageError(
            f"--sub-account {name} is not declared. Declared sub-accounts: {declared}."
        )
    return ledger, reading, seen


def columns_and_rows(
    listed: str, groups: Iterable[tuple[Mapping[str, str], Figures]]
) -> tuple[list[str], list[list[str | None]]]:
    """Return a list of margin answers as a flat table: columns, and the cells of each row.

    listed  one of `PARTS`
    groups  answers with sub-accounts, each behind the cells that all its rows begin with
    """
    figures = margin_reports.PARTS[listed]
    columns: list[str] = []
    rows: list[list[str | None]] = []
    for heads, answer in groups:
        columns = [*heads, "sub_account", "venue", *figures]
        for row in answer["sub_accounts"]:
            head = [*heads.values(), row["name"], row["venue"]]
            items = [row] if listed == "sub_accounts" else row[listed] or ()
            rows += [[*head, *(item[figure] for figure in figures)] for item in items]
    return columns, rows


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


def must_be_held(seen: Evening, reading: Reading, option: str, commodity: str) -> None:
    """Refuse a commodity if no figure depends on it."""
    held = margin_reports.commodities(seen)
    if commodity == reading.book.operating:
        raise click.UsageError(
            f"{option} {commodity}: figures are in {commodity}, so its price is 1. "
            "Name another commodity."
        )
    if commodity not in held and not seen.problems:
        names = ", ".join(sorted(held - {reading.book.operating})) or "nothing"
        raise click.UsageError(
            f"{option} {commodity}: no sub-account holds or owes it. Held or owed: {names}."
        )
