"""The set of rows of a feed: however its files overlap, each row is in it once.

Rows of one id must agree in what is booked. Rows without an id are known by all their fields: n
alike in one file are n rows, and over several files the most that one file has. So the set does
not depend on the order, the names or the cut of the files.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from usance.model.amounts import ZERO, decimal_text
from usance.venues.numbers import Misread, time_text
from usance.venues.rows import (
    FEED_OF,
    Deposit,
    Dust,
    Fill,
    Funding,
    Interest,
    Movement,
    Row,
    Settlement,
    Standing,
    Withdrawal,
)

R = TypeVar("R", bound=Row)

AGREE: dict[type, tuple[str, ...]] = {
    Fill: ("at", "symbol", "side", "price", "quantity", "fee", "fee_symbol"),
    Funding: ("quantity",),
    Interest: ("quantity", "rate"),
    Movement: (),
    Settlement: ("quantity",),
    Deposit: ("at", "symbol", "quantity", "source"),
    Withdrawal: ("at", "symbol", "quantity", "fee", "origin"),
    Dust: ("at", "symbol", "quantity", "received"),
}
"""What two rows of one id must agree in; numbers are compared as numbers."""


class Rows(NamedTuple):
    """The set of rows of an account, by kind, each in order of time."""

    fills: Sequence[Fill]
    funding: Sequence[Funding]
    interest: Sequence[Interest]
    movements: Sequence[Movement]
    settlements: Sequence[Settlement]
    deposits: Sequence[Deposit]
    withdrawals: Sequence[Withdrawal]
    dust: Sequence[Dust]


def union(pages: Iterable[Sequence[Row]]) -> Rows:
    """Return the set of the rows of all files of an account; `Misread` where two do not agree.

    pages  the rows of each file
    """
    by_kind: dict[type, list[Sequence[Any]]] = {kind: [] for kind in FEED_OF}
    for rows in pages:
        for kind in set(map(type, rows)):
            by_kind[kind].append([row for row in rows if type(row) is kind])
    return Rows(
        _numbered(_set(by_kind[Fill])),
        _set(by_kind[Funding]),
        _set(by_kind[Interest]),
        _set(by_kind[Movement]),
        _set(by_kind[Settlement]),
        _set(by_kind[Deposit]),
        _set(by_kind[Withdrawal]),
        _set(by_kind[Dust]),
    )


def _set(pages: Iterable[Sequence[R]]) -> list[R]:
    """Return the set of rows of one kind, in order of time."""
    known: dict[str, R] = {}
    alike: Counter[tuple[object, ...]] = Counter()
    samples: dict[tuple[object, ...], R] = {}
    for rows in pages:
        here: Counter[tuple[object, ...]] = Counter()
        for row in rows:
            if not row.id:
                key = _fields(row)
                here[key] += 1
                samples.setdefault(key, row)
                continue
            other = known.setdefault(row.id, row)
            if other is not row:
                known[row.id] = _merged(other, row)
        for key, count in here.items():
            alike[key] = max(alike[key], count)
    found = [*known.values(), *(samples[key] for key in alike.elements())]
    return sorted(found, key=ORDER.get(type(found[0]), _by_id)) if found else []


def _fields(row: Row) -> tuple[object, ...]:
    """Return all fields of a row but its place."""
    return row[:2] + row[3:]


def _fill_order(row: Fill) -> tuple[Any, ...]:
    if row.id:
        return row.at, row.trade, row.id
    system = row.system or ""
    return row.at, row.trade, "", *row[3:10], system


def _interest_order(row: Interest) -> tuple[Any, ...]:
    if row.id:
        return row.at, row.id
    return row.at, "", row.symbol, row.position, row.market, row.quantity, row.rate or ZERO


def _movement_order(row: Movement) -> tuple[Any, ...]:
    left = ZERO if row.left is None else row.left
    return row.at, row.id, *row[3:8], left, row.order


def _settlement_order(row: Settlement) -> tuple[Any, ...]:
    return row.at, row.id, *row[3:7]


ORDER: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    Fill: _fill_order,
    Interest: _interest_order,
    Movement: _movement_order,
    Settlement: _settlement_order,
}
"""The keys that sort rows of kinds that may lack an id: time, number, id, then all else."""


def _by_id(row: Row) -> tuple[Any, ...]:
    return row.at, row.id


def _plain(field: object) -> object:
    """Return a value as text that does not depend on how it was written."""
    return decimal_text(field) if isinstance(field, Decimal) else field


def _merged(one: R, other: R) -> R:
    """Return the later of two rows of one id, which must agree."""
    for name in AGREE[type(one)]:
        if getattr(one, name) != getattr(other, name):
            raise _disagreement(one, other, name)
    if isinstance(one, Deposit | Withdrawal) and isinstance(other, Deposit | Withdrawal):
        return _later(one, other)  # type: ignore[type-var]
    # What is not booked may be missing in one of the files, as in an export.
    return max(one, other, key=_fullness)


def _fullness(row: Row) -> tuple[str, ...]:
    return tuple("" if field is None else str(_plain(field)) for field in row[3:])


C = TypeVar("C", Deposit, Withdrawal)


def _later(one: C, other: C) -> C:
    """Return the row with the later status; a final one stays."""
    mine, theirs = one.status, other.status
    final = Standing.OPEN not in (mine.standing, theirs.standing)
    if final and mine.name != theirs.name:
        raise _disagreement(one, other, "status")
    return max(one, other, key=lambda row: (row.status.rank, _fullness(row)))


def _disagreement(one: Row, other: Row, name: str) -> Misread:
    """Return the error of two rows of one id."""
    one, other = sorted((one, other), key=lambda row: row.place)
    label = one.id
    if isinstance(one, Funding | Interest):
        label = f"{one.symbol} of {time_text(one.at)}"
    word = name.replace("_", " ")
    return Misread(
        f"{one.place.file}: row {one.place.row}: {label} has {word} {_shown(getattr(one, name))}, "
        f"but in {other.place.file}: row {other.place.row} it is {_shown(getattr(other, name))}. "
        "Keep the file that is right, and move the other one away"
    )


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    name = getattr(value, "name", None)
    return str(name if name is not None else value)


def _numbered(fills: list[Fill]) -> list[Fill]:
    """Give fills without a trade number an id: their order's, and how many there were before."""
    counts: Counter[tuple[str, str, int]] = Counter()
    found: list[Fill] = []
    for fill in fills:
        row = fill
        if not fill.id:
            key = (fill.symbol, fill.order, fill.side)
            counts[key] += 1
            side = "Bid" if fill.side > 0 else "Ask"
            row = fill._replace(id=f"fill/{fill.symbol}/order/{fill.order}/{side}/{counts[key]}")
        found.append(row)
    return found
