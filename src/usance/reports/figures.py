"""Figures: the numbers of an answer, and the one place where they become text.

An answer is a frozen dataclass. Its fields have the names of the keys in JSON; `from_` and `yield_`
have an underscore more, because those words are Python's.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from keyword import iskeyword
from typing import Any

from usance.model.amounts import FIGURE, decimal_text, normalized, rounded_to

Figures = dict[str, Any]
"""Names and figures as in JSON: exact decimals as text, None (null in JSON) for a missing one."""

FlatRow = dict[str, Any]
"""A row of a flat table: texts, numbers (`Decimal`), dates, and None."""


BESIDE = {"beside": True}
"""The metadata of a field that stands beside an answer: JSON does not have it."""

IF_ANY = {"if any": True}
"""The metadata of a field that JSON leaves out if it is None."""


def plain(answer: object) -> Any:  # noqa: ANN401 -- what JSON has
    """Return an answer, or a part of one, as in JSON: numbers and dates as text."""
    match answer:
        case Decimal():
            return format(answer, "f")
        case datetime.date():
            return answer.isoformat()
        case Mapping():
            return {str(key): plain(value) for key, value in answer.items()}
        case list() | tuple():
            return [plain(value) for value in answer]
    return _object(answer) if is_dataclass(answer) else answer


def _object(answer: Any) -> Figures:  # noqa: ANN401
    found: Figures = {}
    for each in fields(answer):
        value = getattr(answer, each.name)
        if "beside" not in each.metadata and not ("if any" in each.metadata and value is None):
            found[each.name.removesuffix("_")] = plain(value)
    return found


def as_dicts(rows: Iterable[Any], columns: Sequence[str]) -> list[FlatRow]:
    """Return rows as flat dicts: the columns that CSV has."""
    return [{column: value(row, column) for column in columns} for row in rows]


def value(row: Any, column: str) -> Any:  # noqa: ANN401
    """Return the figure of a row that has a name in JSON."""
    return getattr(row, f"{column}_" if iskeyword(column) else column)


def figure(number: Decimal | None) -> Decimal | None:
    """Return a figure with at most 28 significant digits; None for None."""
    return None if number is None else rounded(number)


def rounded(number: Decimal) -> Decimal:
    """Return a figure with at most 28 significant digits, and no trailing zeros."""
    return normalized(FIGURE.plus(number))


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


def for_the_eye(number: Decimal | str | None, places: int | None) -> str | None:
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
