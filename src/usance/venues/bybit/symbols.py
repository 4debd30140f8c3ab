"""Symbols of Bybit: the commodities that its coins and markets are in the ledger.

A contract and a pair of coins have one name at Bybit, BTCUSDT. In rows the pair is `BTC/USDT`, made
of the coins of its two halves; `BTCUSDT` is the contract.
"""

import re
from collections.abc import Mapping

from usance.venues.numbers import Misread, shown
from usance.venues.venue import Market

_CONTRACT = re.compile(r"([A-Z0-9]{1,20}?)(USDT|PERP)\Z", re.ASCII)
_COIN = re.compile(r"[A-Za-z0-9]{1,24}\Z", re.ASCII)
_WORDS = frozenset(("TRUE", "FALSE", "NULL"))
"""What Beancount does not take for a commodity."""

BOOKED = "perpetual contracts in USDT (BTCUSDT) or USDC (BTCPERP), and coins,"


def settle_coin(symbol: str) -> str:
    """Return the coin in which a perpetual contract pays; "" for any other contract."""
    found = _CONTRACT.match(symbol)
    if found is None:
        return ""
    return "USDC" if found[2] == "PERP" else "USDT"


class BybitSymbols:
    """The commodities of symbols: `BTCPERP` is `BTC-PERP`, `BTCUSDT` is `BTC-USDT-PERP`.

    named  commodities by symbol, where the ledger says `bybit:`
    """

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named
        self._symbols: dict[str, str] = {}
        self._markets: dict[str, Market] = {}

    def coin(self, symbol: str) -> str:
        """Return the commodity of a coin."""
        return self._taken(symbol, self._name(symbol))

    def market(self, symbol: str) -> Market:
        """Return what is traded under a symbol."""
        found = self._markets.get(symbol)
        if found is None:
            found = self._markets[symbol] = self._market(symbol)
        return found

    def _market(self, symbol: str) -> Market:
        base, pair, quote = symbol.partition("/")
        if pair:
            return Market(self.coin(base), self.coin(quote), contract=False)
        settle = settle_coin(symbol)
        if not settle:
            raise Misread(
                f"{shown(symbol)} is a market of a kind that is not booked. Only {BOOKED} are"
            )
        name = self._named.get(symbol)
        if name is None:
            start = self._name(symbol[:-4])
            name = f"{start}-PERP" if settle == "USDC" else f"{start}-USDT-PERP"
        return Market(self._taken(symbol, name), self.coin(settle), contract=True)

    def _name(self, symbol: str) -> str:
        named = self._named.get(symbol)
        if named is not None:
            return named
        name = symbol.upper()
        if not _COIN.match(symbol) or name in _WORDS:
            raise Misread(
                f"{shown(symbol)} is no name of a commodity. Say in the ledger which one it is, "
                "with bybit: and that symbol on a commodity"
            )
        return f"X{name}" if name[0].isdigit() else name

    def _taken(self, symbol: str, commodity: str) -> str:
        other = self._symbols.setdefault(commodity, symbol)
        if other != symbol:
            raise Misread(
                f"{shown(other)} and {shown(symbol)} are both {commodity}. Say in the ledger which "
                "commodity one of them is, with bybit: and its symbol on that commodity"
            )
        return commodity
