"""Halves: a trade of coins stands twice in the log, once for each coin that it moved."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from usance.venues.bybit.shapes import Line
from usance.venues.numbers import Misread


class Trade(NamedTuple):
    """Two halves of a trade of coins: of the coin that was traded, and of what paid for it."""

    base: Line
    quote: Line


def _trade(one: Line, other: Line) -> Trade:
    """Return two halves in order: what is bought comes in, what is sold goes out."""
    base, quote = (one, other) if one.side * one.cash > 0 else (other, one)
    agree = base.side * base.cash > 0 > quote.side * quote.cash and base.coin != quote.coin
    if not agree or (base.side, base.price) != (quote.side, quote.price):
        raise Misread(
            f"row {other.row} is not the other half of the trade in row {one.row}. Download the "
            "file again"
        )
    if base.fee and quote.fee:
        raise Misread(
            f"row {base.row} and row {quote.row}, halves of a trade, both have a fee. Write that "
            "trade by hand and take its rows out"
        )
    return Trade(base, quote)


def _lone(line: Line) -> Misread:
    return Misread(
        f"row {line.row}: of a trade of coins only the half in {line.coin or 'no coin'} is there. "
        "Export all coins, and keep the rows of a day in one file"
    )


def trades(lines: Iterable[Line]) -> list[Trade]:
    """Return the trades of halves; those that have the venue's numbers go by them."""
    numbered: list[Line] = []
    numberless: list[Line] = []
    for line in lines:
        (numbered if line.trade else numberless).append(line)
    return [*_by_number(numbered), *_by_moment(numberless)]


def _by_number(lines: Iterable[Line]) -> list[Trade]:
    """Return trades whose halves have one number."""
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.symbol, line.order, line.trade), []).append(line)
    trades: list[Trade] = []
    for same in found.values():
        if len(same) == 1:
            raise _lone(same[0])
        if len(same) > 2:
            raise Misread(
                f"row {same[2].row} is a third half of the trade in row {same[0].row}, as of a fee "
                "in another coin. Write that trade by hand and take its rows out"
            )
        trades.append(_trade(*same))
    return trades


def _by_moment(lines: Iterable[Line]) -> list[Trade]:
    """Return trades of rows without numbers: halves of one second, market, side and price."""
    found: defaultdict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in lines:
        found[line.at, line.symbol, line.side, line.price].append(line)
    trades: list[Trade] = []
    for same in found.values():
        bases = sorted((line for line in same if line.side * line.cash > 0), key=_size)
        quotes = sorted((line for line in same if line.side * line.cash <= 0), key=_size)
        if len(bases) != len(quotes):
            raise _lone((bases if len(bases) > len(quotes) else quotes)[-1])
        # At one price, the larger the one half, the larger the other.
        trades += (_trade(*halves) for halves in zip(bases, quotes, strict=True))
    return trades


def _size(line: Line) -> tuple[Decimal, Decimal]:
    return abs(line.cash), line.fee
