"""Proof: what a log says of itself, since each of its lines has the balance that it left.

Each function yields findings: sentences on the file.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from usance.model.amounts import EXACT
from usance.venues.bybit.halves import Trade
from usance.venues.bybit.shapes import Line


def odd_changes(lines: Iterable[Line]) -> Iterator[str]:
    """Yield that a wallet changed by more than cash flow, funding and fee."""
    odd = [
        line.row
        for line in lines
        if line.change != EXACT.subtract(EXACT.add(line.cash, line.funding), line.fee)
    ]
    if odd:
        yield (
            f"{len(odd)} rows change the wallet by something else than cash flow and funding less "
            f"the fee; the first is row {odd[0]}. Write the differences by hand"
        )


def odd_trades(trades: Iterable[Trade]) -> Iterator[str]:
    """Yield that a trade of coins moved something else than quantity times price."""
    odd = [
        base.row
        for base, quote in trades
        if EXACT.multiply(base.cash, base.price) != EXACT.minus(quote.cash)
    ]
    if odd:
        yield (
            f"{len(odd)} trades moved something else than quantity times price, which is what is "
            f"booked; the first is row {odd[0]}. Write the differences by hand"
        )


def gaps(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the coins of which rows are missing: a balance begins where no row has left it.

    Rows of one second stand in any order, so balances are compared as a whole: of a log without a
    gap, all but one begin where another one ends.
    """
    begins: defaultdict[str, Counter[Decimal]] = defaultdict(Counter)
    ends: defaultdict[str, Counter[Decimal]] = defaultdict(Counter)
    for line in lines:
        begins[line.coin][EXACT.subtract(line.balance, line.change)] += 1
        ends[line.coin][line.balance] += 1
    for coin in sorted(begins):
        jumps = (begins[coin] - ends[coin]).total() - 1
        if jumps > 0:
            yield (
                f"rows of {coin} are missing: its balance jumps {jumps} times between rows. Export "
                "all types of rows, and each period"
            )
