"""Quotes: prices of commodities in one another, by day."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import PRECISE
from usance.model.hours import Day


class Quote(NamedTuple):
    """A price, and its day."""

    price: Decimal
    day: Day


class Quotes:
    """The prices of a ledger, by (commodity, quote currency): days and prices, in order of time."""

    def __init__(
        self, prices: Mapping[tuple[str, str], tuple[Sequence[Day], Sequence[Decimal]]]
    ) -> None:
        self.prices = dict(sorted(prices.items()))
        self.over: dict[str, list[str]] = {}
        for commodity, quote in self.prices:
            self.over.setdefault(commodity, []).append(quote)

    def at(self, commodity: str, quote: str, day: Day) -> Quote | None:
        """Return the last price on or before a day, or None.

        It is the direct price, else the price over the first common quote currency by name, whose
        day is the older of the two.
        """
        if commodity == quote:
            return Quote(Decimal(1), day)
        match self.legs(commodity, quote, day):
            case [(_, direct)]:
                return direct
            case [(_, first), (_, second)]:
                price = PRECISE.multiply(first.price, second.price)
                return Quote(price, min(first.day, second.day))
        return None

    def legs(self, commodity: str, quote: str, day: Day) -> list[tuple[tuple[str, str], Quote]]:
        """Return the parts of a price: one pair and its quote, or two over a third currency.

        Return an empty list if no price exists, and for a commodity in itself.
        """
        if commodity == quote:
            return []
        direct = self._quoted(commodity, quote, day)
        if direct is not None:
            return [((commodity, quote), direct)]
        for over in self.over.get(commodity, ()):
            first, second = self._quoted(commodity, over, day), self._quoted(over, quote, day)
            if first is not None and second is not None:
                return [((commodity, over), first), ((over, quote), second)]
        return []

    def _quoted(self, commodity: str, quote: str, day: Day) -> Quote | None:
        if (commodity, quote) not in self.prices:
            return None
        days, prices = self.prices[commodity, quote]
        index = bisect_right(days, day)
        return Quote(prices[index - 1], days[index - 1]) if index else None
