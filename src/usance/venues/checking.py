"""Checking: what only repeats an event, compared with what is booked, day by day."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, ZERO, decimal_text
from usance.model.hours import Day, iso
from usance.venues.books import Account
from usance.venues.numbers import SECOND, Instant, day_ended, day_of
from usance.venues.row_set import Rows
from usance.venues.rows import Charge, Use
from usance.venues.venue import Symbols

LATE = 60 * SECOND
"""Within this time of midnight, a repeated row still belongs to the hour before it."""

Sums = dict[tuple[Day, str], Decimal]
"""Sums by day and symbol."""


Coin = Callable[[str], str]
"""The commodity of a coin's symbol."""


class Comparison(NamedTuple):
    """What is compared.

    what    such as `fees`
    said    the feed that repeats, and its sums
    booked  the feed that counts, and its sums; several, if the venue may count either
    signed  compared with their signs: how a venue signs the rest, its documents leave open
    """

    what: str
    said: tuple[str, Sums]
    booked: tuple[str, tuple[Sums, ...]]
    signed: bool


def differences(account: Account, rows: Rows) -> Iterator[str]:
    """Yield a finding for each day on which a repeated sum is not the one that counts.

    rows  those that count
    """
    name, since = account.feed.sub_account, account.feed.since
    for comparison in _comparisons(rows, account.symbols):
        said_in, said = comparison.said
        counts_in, choices = comparison.booked
        for key in sorted(said):
            day, symbol = key
            theirs, ours = said[key], [sums.get(key, ZERO) for sums in choices]
            if not comparison.signed:
                theirs, ours = abs(theirs), [abs(one) for one in ours]
            if day >= since and theirs not in ours:
                yield (
                    f"{iso(day)}: {comparison.what} of {name}: {decimal_text(theirs)} {symbol} in "
                    f"{said_in}, {decimal_text(ours[0])} {symbol} in {counts_in}, which is what is "
                    "booked. Fetch again; if it stays, ask the venue"
                )


def _comparisons(rows: Rows, symbols: Symbols) -> Iterator[Comparison]:
    settled = {
        use: _sums(
            (when(row.at), symbols.coin(row.symbol), row.quantity)
            for row in rows.settlements
            if row.use is use
        )
        for use, when in (
            (Use.FEES, day_of),
            (Use.FUNDING, _day_before_late),
            (Use.PAID, _day_before_late),
        )
    }
    fees = _sums((day_of(row.at), symbols.coin(row.fee_symbol), row.fee) for row in rows.fills)
    yield Comparison("fees", ("settlement", settled[Use.FEES]), ("fills", (fees,)), signed=False)
    funding = _sums(
        (day_ended(row.at), symbols.market(row.symbol).quote, row.quantity) for row in rows.funding
    )
    yield Comparison(
        "funding", ("settlement", settled[Use.FUNDING]), ("funding", (funding,)), signed=True
    )
    coin = symbols.coin
    earned = _interest(rows, coin, Charge.LEND)
    moved = _moved(rows, coin, Use.EARNED)
    yield Comparison(
        "interest earned", ("borrowLend", moved), ("interest", (earned,)), signed=False
    )
    paid = (
        _interest(rows, coin, Charge.BORROW, Charge.ENTRY_FEE),
        _interest(rows, coin, Charge.BORROW),
    )
    owed = _moved(rows, coin, Use.PAID)
    yield Comparison("interest paid", ("borrowLend", owed), ("interest", paid), signed=False)
    if not owed:
        culled = settled[Use.PAID]
        yield Comparison("interest paid", ("settlement", culled), ("interest", paid), signed=False)


def _day_before_late(at: Instant) -> Day:
    return day_ended(Instant(at - LATE))


def _interest(rows: Rows, coin: Coin, *charges: Charge) -> Sums:
    return _sums(
        (day_ended(row.at), coin(row.symbol), row.quantity)
        for row in rows.interest
        if row.charge in charges
    )


def _moved(rows: Rows, coin: Coin, use: Use) -> Sums:
    return _sums(
        (_day_before_late(row.at), coin(row.symbol), row.quantity)
        for row in rows.movements
        if row.use is use
    )


def _sums(parts: Iterable[tuple[Day, str, Decimal]]) -> Sums:
    sums: Sums = {}
    for day, symbol, quantity in parts:
        before = sums.get((day, symbol))
        sums[day, symbol] = quantity if before is None else EXACT.add(before, quantity)
    return sums
