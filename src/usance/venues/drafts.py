"""Drafts: transactions of a venue's rows, and the text that they become.

Text of the venue stands in strings only. Amounts are written exactly, without an exponent.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import decimal_text
from usance.model.hours import Day, iso
from usance.venues.numbers import Instant

_PLAIN = re.compile(r"[ !#-\[\]-~]{0,120}\Z", re.ASCII)
"""Text that is written as it is: nearly all text of a venue."""

LONGEST = 120
"""Characters of the longest text of a venue that is written."""


class Leg(NamedTuple):
    """A posting; `tail` is its cost and price, such as `{150 USDC}` or `@ 150 USDC`."""

    account: str
    number: Decimal
    commodity: str
    tail: str = ""


class Draft(NamedTuple):
    """A transaction.

    at      the moment by which it is sorted; then by kind, number and id
    kind    its feed's place in `FEEDS`
    number  of a trade, or 0
    meta    text, or a number of rows, by key, in order
    """

    day: Day
    at: Instant
    kind: int
    number: int
    id: str
    narration: str
    meta: tuple[tuple[str, str | int], ...]
    legs: Sequence[Leg]


def written(draft: Draft) -> str:
    """Return the text of a transaction, with an empty line behind it."""
    lines = [f"{iso(draft.day)} * {quoted(draft.narration)}\n"]
    for key, value in draft.meta:
        shown = quoted(value) if isinstance(value, str) else value
        lines.append(f"  {key}: {shown}\n")
    for account, number, commodity, tail in draft.legs:
        behind = f" {tail}" if tail else ""
        lines.append(f"  {account}  {decimal_text(number)} {commodity}{behind}\n")
    lines.append("\n")
    return "".join(lines)


def quoted(text: str) -> str:
    """Return a text of others as a string of Beancount."""
    if _PLAIN.match(text):
        return f'"{text}"'
    escaped = cleaned(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def cleaned(text: str) -> str:
    """Return a text as it can be read back: what no one sees is a blank, and it is cut."""
    return "".join(c if c.isprintable() else " " for c in text[:LONGEST])


def at_price(price: Decimal, commodity: str) -> str:
    """Return the price of a unit as it stands behind an amount."""
    return f"@ {decimal_text(price)} {commodity}"
