"""Lines: one figure of the books beside the venue's, and what their difference is.

There is no tolerance. A venue cuts trailing zeros, so 100 has as many digits as 100.0000000001:
its last digit is that of its finest quantities, or totals, unless it shows more.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from usance.model.amounts import EXACT, decimal_text, decimals, rounded_to
from usance.reports.figures import Figures

Value = Decimal | bool
"""A figure, or a setting."""

QUANTITY_PLACES = 10
"""Decimals of the venue's quantities, weights and prices."""

LAST = Decimal("1e-10")
"""One unit of the last digit of the venue's quantities."""

TOTAL_PLACES = 6
"""Decimals that each total has at least."""


class Class(Enum):
    """What a difference is, in the order in which a person reads: what is wrong first."""

    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"
    EXPLAINED = "explained"
    ROUNDING = "rounding"
    MATCHED = "matched"

    @property
    def is_ok(self) -> bool:
        """Tell whether both sides say the same."""
        return self in (Class.EXPLAINED, Class.ROUNDING, Class.MATCHED)


class Line(NamedTuple):
    """A figure of the books, and the venue's; None where there is none.

    line  what it is; name: of which coin or contract, "" for totals and settings
    rule  that explains the difference, or ""
    """

    line: str
    name: str
    books: Value | None
    venue: Value | None
    kind: Class
    rule: str = ""

    @property
    def difference(self) -> Decimal | None:
        """The books less the venue; None where one is not there, and of settings."""
        if isinstance(self.books, Decimal) and isinstance(self.venue, Decimal):
            return EXACT.subtract(self.books, self.venue)
        return None

    def explained(self, rule: str) -> "Line":
        """Return the line as a rule explains it; one that agrees, or has no rule, as it is."""
        if not rule or self.kind.is_ok:
            return self
        return self._replace(kind=Class.EXPLAINED, rule=rule)


def unit(venue: Decimal, places: int) -> Decimal:
    """Return one unit of the last digit of a venue's figure, which has some places at least."""
    return Decimal(1).scaleb(-max(decimals(venue), places))


def exact(line: str, name: str, books: Decimal | None, venue: Decimal | None) -> Line:
    """Compare two quantities digit by digit."""
    return _compared(line, name, books, venue, QUANTITY_PLACES)


def rounded(
    line: str, name: str, books: Decimal | None, venue: Decimal | None, places: int
) -> Line:
    """Compare a figure after rounding it half-even to the venue's digits, some places at least."""
    if books is not None and venue is not None:
        books = rounded_to(unit(venue, places), books)
    return _compared(line, name, books, venue, places)


def _compared(
    line: str, name: str, books: Decimal | None, venue: Decimal | None, places: int
) -> Line:
    if books is None or venue is None:
        return Line(line, name, books, venue, Class.MISSING if books is None else Class.EXTRA)
    gap = abs(EXACT.subtract(books, venue))
    kind = Class.DIFFERS
    if not gap:
        kind = Class.MATCHED
    elif gap <= unit(venue, places):
        kind = Class.ROUNDING
    return Line(line, name, books, venue, kind)


def same(line: str, books: Value, venue: Value) -> Line:
    """Compare two settings."""
    return Line(line, "", books, venue, Class.MATCHED if books == venue else Class.DIFFERS)


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Return lines with what does not match first."""
    order = list(Class)
    return sorted(lines, key=lambda line: order.index(line.kind))


def figures(line: Line) -> Figures:
    """Return a line as reports have it."""
    return {
        "line": line.line,
        "name": line.name,
        "books": _text(line.books),
        "venue": _text(line.venue),
        "difference": _text(line.difference),
        "class": line.kind.value,
        "rule": line.rule or None,
    }


def _text(value: Value | None) -> str | None:
    return None if value is None else text(value)


def text(value: Value) -> str:
    """Return a figure, or a setting, as text."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return decimal_text(value)
