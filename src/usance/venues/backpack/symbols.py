"""Symbols of Backpack: the commodities that its coins and markets are in the ledger."""

from usance.venues.numbers import Misread, shown
from usance.venues.symbols import VenueSymbols
from usance.venues.venue import Market

BOOKED = "BASE_QUOTE, BASE_QUOTE_RFQ or BASE_QUOTE_PERP"


class BackpackSymbols(VenueSymbols):
    """The commodities of symbols: `SOL_USDC_PERP` is `SOL-PERP`, `kBONK` is `KBONK`."""

    venue = "backpack"

    def _market(self, symbol: str) -> Market:
        match symbol.split("_"):
            case [base, quote] | [base, quote, "RFQ"]:
                name = self._named.get(symbol)
                return Market(name or self.coin(base), self.coin(quote), contract=False)
            case [base, quote, "PERP"]:
                return self._contract(symbol, base, quote, "USDC")
        raise Misread(
            f"{shown(symbol)} is a market of a kind that is not booked. Only {BOOKED} are"
        )
