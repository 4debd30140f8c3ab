"""Drafts: transactions of a venue's rows, and the text that they become.

Text of the venue stands in strings only. Amounts are written exactly, without an exponent.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import decimal_text
from usance.model.hours import Day, iso
from usance.venues.numbers import Instant

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
    lines = [f"{iso(draft.day)} * {quoted(draft.narration)}"]
    for key, value in draft.meta:
        lines.append(f"  {key}: {value if isinstance(value, int) else quoted(value)}")
    for account, number, commodity, tail in draft.legs:
        behind = f" {tail}" if tail else ""
        lines.append(f"  {account}  {decimal_text(number)} {commodity}{behind}")
    return "\n".join((*lines, "", ""))


def quoted(text: str) -> str:
    """Return a text of others as a string of Beancount."""
    if not (text.isascii() and text.isprintable()):
        text = cleaned(text)
    if '"' in text or "\\" in text or len(text) > LONGEST:
        text = text[:LONGEST].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def cleaned(text: str) -> str:
    """Return a text as it can be read back: what no one sees is a blank, and it is cut."""
    return "".join(c if c.isprintable() else " " for c in text[:LONGEST])


def at_price(price: Decimal, commodity: str) -> str:
    """Return the price of a unit as it stands behind an amount."""
    return f"@ {decimal_text(price)} {commodity}"
