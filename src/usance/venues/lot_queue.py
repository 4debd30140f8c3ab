"""The lot queue of a contract: what a fill closes and opens, oldest lot first.

As Beancount's booking method FIFO has it: lots of one date and price are one, at the first one's
place; a lot that is closed and bought again is the last of its date.
"""

from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, ZERO
from usance.model.hours import Day
from usance.venues.numbers import product


class Held(NamedTuple):
    """Contracts of one date and price; sold if the quantity is below 0."""

    day: Day
    price: Decimal
    quantity: Decimal


class Effect(NamedTuple):
    """What a fill does; quantities have its sign.

    closed  of lots that were there
    opened  as a lot of its own
    result  of what is closed, in the settle coin; a gain above 0
    """

    closed: Decimal
    opened: Decimal
    result: Decimal


Key = tuple[Day, Decimal]


class LotQueue:
    """The lots of one contract in one account.

    held  at the beginning, as Beancount keeps them
    """

    def __init__(self, held: Iterable[Held] = ()) -> None:
        # In order of date. Unlike a dict, its first key is found at once after many are gone.
        self._lots: OrderedDict[Key, Decimal] = OrderedDict()
        for lot in held:
            self._add((lot.day, lot.price), lot.quantity)

    def fill(self, day: Day, price: Decimal, quantity: Decimal) -> Effect:
        """Take a fill; quantity below 0: sold."""
        left, paid, got = quantity, ZERO, ZERO
        while left and self._lots:
            key = next(iter(self._lots))
            there = self._lots[key]
            if (there > 0) == (left > 0):
                break
            part = left if abs(left) < abs(there) else -there
            paid = EXACT.add(paid, product(part, key[1]))
            got = EXACT.add(got, product(part, price))
            left = EXACT.subtract(left, part)
            self._add(key, part)
        if left:
            self._add((day, price), left)
        return Effect(EXACT.subtract(quantity, left), left, EXACT.subtract(paid, got))

    def held(self) -> list[Held]:
        """Return the lots, oldest first."""
        return [Held(*key, quantity) for key, quantity in self._lots.items()]

    def _add(self, key: Key, quantity: Decimal) -> None:
        left = EXACT.add(self._lots.get(key, ZERO), quantity)
        if not left:
            del self._lots[key]
            return
        late = not self._lots or key in self._lots or next(reversed(self._lots))[0] <= key[0]
        self._lots[key] = left
        if not late:
            self._lots = OrderedDict(sorted(self._lots.items(), key=lambda lot: lot[0][0]))
