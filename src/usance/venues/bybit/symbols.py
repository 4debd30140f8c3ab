"""Symbols of Bybit: the commodities that its coins and markets are in the ledger.

A contract and a pair of coins have one name at Bybit, BTCUSDT. In rows the pair is `BTC/USDT`, made
of the coins of its two halves; `BTCUSDT` is the contract.
"""

from usance.venues.numbers import Misread, shown
from usance.venues.symbols import VenueSymbols
from usance.venues.venue import Market

SETTLE = {"USDT": "USDT", "PERP": "USDC"}
"""The coin in which a perpetual contract pays, by the end of its symbol."""

BOOKED = "perpetual contracts in USDT (BTCUSDT) or USDC (BTCPERP), and coins,"


def settle_coin(symbol: str) -> str:
    """Return the coin in which a perpetual contract pays; "" for any other contract."""
    base = symbol[:-4]
    return SETTLE.get(symbol[-4:], "") if base.isascii() and base.isalnum() else ""


class BybitSymbols(VenueSymbols):
    """The commodities of symbols: `BTCPERP` is `BTC-PERP`, `BTCUSDT` is `BTC-USDT-PERP`."""

    venue = "bybit"

    def _market(self, symbol: str) -> Market:
        base, pair, quote = symbol.partition("/")
        if pair:
            return Market(self.coin(base), self.coin(quote), contract=False)
        settle = settle_coin(symbol)
        if not settle:
            raise Misread(
                f"{shown(symbol)} is a market of a kind that is not booked. Only {BOOKED} are"
            )
        return self._contract(symbol, symbol[:-4], settle, "USDC")
