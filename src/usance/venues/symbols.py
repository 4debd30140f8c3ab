"""Symbols: which commodity a venue's coin or market is, by one rule for all venues."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from usance.venues.numbers import Misread, shown
from usance.venues.venue import Market

_COIN = re.compile(r"[A-Za-z0-9]{1,32}\Z", re.ASCII)
_WORDS = frozenset(("TRUE", "FALSE", "NULL"))
"""What Beancount does not take for a commodity."""


class VenueSymbols(ABC):
    """The commodities of a venue's symbols; no two symbols are one commodity.

    named  commodities by symbol, where the ledger has the venue's name as a key of a commodity
    """

    venue: str
    """The venue's name, in messages."""

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named
        self._symbols: dict[str, str] = {}
        self._coins: dict[str, str] = {}
        self._markets: dict[str, Market] = {}

    def coin(self, symbol: str) -> str:
        """Return the commodity of a coin."""
        found = self._coins.get(symbol)
        if found is None:
            found = self._coins[symbol] = self._taken(symbol, self._name(symbol))
        return found

    def market(self, symbol: str) -> Market:
        """Return what is traded under a symbol."""
        found = self._markets.get(symbol)
        if found is None:
            found = self._markets[symbol] = self._market(symbol)
        return found

    @abstractmethod
    def _market(self, symbol: str) -> Market:
        """Return what is traded under a symbol; `Misread` if it is no market that is booked."""

    def _contract(self, symbol: str, base: str, settle: str, usual: str) -> Market:
        """Return a contract: `BASE-PERP` in the usual settle coin, `BASE-SETTLE-PERP` in others."""
        name = self._named.get(symbol)
        if name is None:
            between = "" if settle == usual else f"-{self._name(settle)}"
            name = f"{self._name(base)}{between}-PERP"
        return Market(self._taken(symbol, name), self.coin(settle), contract=True)

    def _name(self, symbol: str) -> str:
        """Return the commodity that the ledger says, or the symbol in capitals."""
        named = self._named.get(symbol)
        if named is not None:
            return named
        name = symbol.upper()
        if not _COIN.match(symbol) or name in _WORDS:
            raise Misread(
                f"{shown(symbol)} is no name of a commodity. Say in the ledger which one it is, "
                f"with {self.venue}: and that symbol on a commodity"
            )
        return f"X{name}" if name[0].isdigit() else name

    def _taken(self, symbol: str, commodity: str) -> str:
        other = self._symbols.setdefault(commodity, symbol)
        if other != symbol:
            raise Misread(
                f"{shown(other)} and {shown(symbol)} are both {commodity}. Say in the ledger which "
                f"commodity one of them is, with {self.venue}: and its symbol on that commodity"
            )
        return commodity
