"""The venue's side: a snapshot by the commodities of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from usance.feeding.snapshots import Balance, Part, Snapshot, Standing
from usance.model.amounts import ZERO
from usance.model.feeds import Feed
from usance.venues.numbers import Misread
from usance.venues.venue import Symbols

RESULT_CUT = Decimal("0.000001")
"""The venue cuts the result of each position to less than this much below what it is."""


@dataclass(frozen=True, slots=True)
class There:
    """What the venue says, by commodities of the ledger.

    balances  of the coins that it holds
    owed      by coin; None: it does not say
    prices    of coins, and marks of contracts
    """

    snapshot: Snapshot
    balances: Mapping[str, Balance]
    owed: Mapping[str, Decimal] | None
    positions: Mapping[str, Standing]
    prices: Mapping[str, Decimal]

    def held(self, coin: str) -> Decimal:
        """Return what it holds of a coin."""
        balance = self.balances.get(coin)
        return ZERO if balance is None else balance.quantity

    def owes(self, coin: str) -> Decimal:
        """Return what it is owed of a coin; 0 where it does not say."""
        return ZERO if self.owed is None else self.owed.get(coin, ZERO)

    @property
    def shown(self) -> int:
        """The positions whose results are cut after six decimals."""
        return sum(1 for position in self.positions.values() if position.quantity)


def there(snapshot: Snapshot, symbols: Symbols, feed: Feed) -> There:
    """Return a snapshot by commodities of the ledger, without what is ignored."""

    def coin(symbol: str) -> str:
        try:
            return symbols.coin(symbol)
        except Misread:
            return _plain(symbol)  # it has no commodity: then it is missing in the books

    def contract(symbol: str) -> str:
        try:
            return symbols.market(symbol).base
        except Misread:
            return _plain(symbol)

    def kept(symbol: str) -> bool:
        return symbol not in feed.ignore and coin(symbol) not in feed.ignore

    balances = {coin(at): one for at, one in snapshot.balances.items() if kept(at)}
    loans = {coin(at): one for at, one in snapshot.loans.items() if kept(at)}
    positions = {contract(at): one for at, one in snapshot.positions.items()}
    liability = snapshot.totals.get("borrowLiability")
    owed: dict[str, Decimal] | None = None
    if Part.LOANS in snapshot.parts or liability == 0:
        owed = {at: -one.quantity for at, one in loans.items() if one.quantity < 0}
    prices = {at: one.price for at, one in loans.items() if one.price is not None}
    prices |= {at: one.price for at, one in balances.items() if one.price is not None}
    prices |= {at: one.mark for at, one in positions.items() if one.mark is not None}
    return There(snapshot, balances, owed, positions, prices)


def _plain(symbol: str) -> str:
    """Return a venue's word as it may be shown: no character of it moves a cursor."""
    return "".join(char if char.isprintable() else " " for char in symbol)[:80]
