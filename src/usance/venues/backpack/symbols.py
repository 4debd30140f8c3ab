"""Symbols of Backpack: the commodities that its coins and markets are in the ledger."""

import re
from collections.abc import Mapping

from usance.venues.numbers import Misread
from usance.venues.venue import Market

_COIN = re.compile(r"[A-Za-z0-9]{1,32}\Z", re.ASCII)
_WORDS = frozenset(("TRUE", "FALSE", "NULL"))
"""What Beancount does not take for a commodity."""

BOOKED = "BASE_QUOTE, BASE_QUOTE_RFQ or BASE_QUOTE_PERP"


class BackpackSymbols:
    """The commodities of symbols: `SOL_USDC_PERP` is `SOL-PERP`, `kBONK` is `KBONK`.

    named  commodities by symbol, where the ledger says `backpack:`
    """

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named
        self._symbols: dict[str, str] = {}
        self._coins: dict[str, str] = {}
        self._markets: dict[str, Market] = {}

    def coin(self, symbol: str) -> str:
        """Return the commodity of a coin."""
        found = self._coins.get(symbol)
        if found is None:
            found = self._coins[symbol] = self._taken(symbol, self._coin(symbol))
        return found

    def market(self, symbol: str) -> Market:
        """Return what is traded under a symbol."""
        found = self._markets.get(symbol)
        if found is None:
            found = self._markets[symbol] = self._market(symbol)
        return found

    def _coin(self, symbol: str) -> str:
        named = self._named.get(symbol)
        if named is not None:
            return named
        name = symbol.upper()
        if not _COIN.match(symbol) or name in _WORDS:
            raise Misread(
                f"{symbol!r} is no name of a commodity. Say in the ledger which one it is, with "
                f'backpack: "{symbol}" on a commodity'
            )
        return f"X{name}" if name[0].isdigit() else name

    def _market(self, symbol: str) -> Market:
        named = self._named.get(symbol)
        match symbol.split("_"):
            case [base, quote] | [base, quote, "RFQ"]:
                return Market(named or self.coin(base), self.coin(quote), contract=False)
            case [base, quote, "PERP"]:
                name = named
                if name is None:
                    start = self._coin(base)
                    name = (
                        f"{start}-PERP" if quote == "USDC" else f"{start}-{self._coin(quote)}-PERP"
                    )
                return Market(self._taken(symbol, name), self.coin(quote), contract=True)
        raise Misread(f"{symbol!r} is a market of a kind that is not booked. Only {BOOKED} are")

    def _taken(self, symbol: str, commodity: str) -> str:
        other = self._symbols.setdefault(commodity, symbol)
        if other != symbol:
            raise Misread(
                f"{other!r} and {symbol!r} are both {commodity}. Say in the ledger which commodity "
                f'one of them is, with backpack: "{symbol}" on it'
            )
        return commodity
