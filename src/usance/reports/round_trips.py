"""Round trips: what was bought and sold, and each lot that was closed, with its fees and funding.

A lot is what Beancount keeps: what was opened at one cost on one date. A trade closes a lot or a
part of it. Fees of its opening and closing, and the funding paid while it was open, belong to it by
quantity.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, PRECISE, ZERO, total
from usance.model.lots import Lot


@dataclass(slots=True)
class Held:
    """An open lot, with what its opening cost and what funding it brought, operating currency."""

    quantity: Decimal
    fees: Decimal = ZERO
    funding: Decimal = ZERO


class Closed(NamedTuple):
    """A part of a lot that a transaction takes out."""

    lot: Lot
    quantity: Decimal
    fees: Decimal
    funding: Decimal


@dataclass(slots=True)
class Lots:
    """The open lots of one contract or coin of a part."""

    held: dict[Lot, Held] = field(default_factory=dict)

    def fund(self, amount: Decimal) -> None:
        """Share funding among the open lots."""
        whole = total(abs(held.quantity) for held in self.held.values())
        for held in self.held.values():
            part = PRECISE.divide(PRECISE.multiply(amount, abs(held.quantity)), whole)
            held.funding = EXACT.add(held.funding, part)

    def take(self, legs: Iterable[tuple[Lot, Decimal]], fees: Decimal) -> Iterator[Closed]:
        """Open and close lots; share the fees of the transaction by quantity."""
        moved = list(legs)
        whole = total(abs(quantity) for _, quantity in moved)
        for lot, quantity in moved:
            fee = PRECISE.divide(PRECISE.multiply(fees, abs(quantity)), whole)
            held = self.held.get(lot)
            if held is None or held.quantity * quantity > 0:
                held = held or Held(ZERO)
                self.held[lot] = held
                held.quantity = EXACT.add(held.quantity, quantity)
                held.fees = EXACT.add(held.fees, fee)
                continue
            share = PRECISE.divide(abs(quantity), abs(held.quantity))
            paid, funded = (PRECISE.multiply(part, share) for part in (held.fees, held.funding))
            yield Closed(lot, EXACT.minus(quantity), EXACT.add(paid, fee), funded)
            held.quantity = EXACT.add(held.quantity, quantity)
            held.fees = EXACT.subtract(held.fees, paid)
            held.funding = EXACT.subtract(held.funding, funded)
            if not held.quantity:
                del self.held[lot]
