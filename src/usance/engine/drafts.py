"""Drafts: transactions to generate, without Beancount."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from usance.engine.records import Segment
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import Coin
from usance.model.hours import date_of
from usance.model.lots import Lot

Place = tuple[str, Side | ProductAccount | str] | str
"""A side of a sub-account, what it gave to another (by name), or an account of a product.

Or any account, as it is named.
"""


class Proof(NamedTuple):
    """What an interest was computed from.

    carry  after the last segment, 1e-18 quanta
    price  of the coin in the operating currency, where it is income and has one that day
    """

    coin: Coin
    segments: Sequence[Segment]
    carry: int
    entry_fee: int = 0
    price: Decimal | None = None


class Pair(NamedTuple):
    """Two postings that cancel: `amount` of a currency to `debit`, from `credit`.

    proof  what it was computed from: of an interest, or figures by name
    """

    debit: Place
    credit: Place
    amount: Decimal
    currency: str
    proof: Proof | Mapping[str, str] | None = None


class Leg(NamedTuple):
    """One posting, where pairs do not do.

    lot    of units held at cost
    price  per unit, with its currency
    """

    place: Place
    amount: Decimal
    currency: str
    lot: Lot | None = None
    price: tuple[Decimal, str] | None = None
    proof: Mapping[str, str] | None = None


class Draft(NamedTuple):
    """A transaction to generate: pairs, then legs, which balance at weight.

    sub_account  or the product, of one of its own
    number       0, or from 2 on where the day has several of this kind and sub-account
    corrects     days that it corrects
    """

    kind: str
    day: int
    sub_account: str
    number: int
    pairs: tuple[Pair, ...]
    legs: tuple[Leg, ...] = ()
    corrects: tuple[int, ...] = ()

    @property
    def identity(self) -> str:
        """The id by which the transaction is known."""
        return identity(self.kind, self.day, self.sub_account, self.number)


def identity(kind: str, day: int, sub_account: str, number: int) -> str:
    """Return the id of a transaction, such as `lending/2025-05-01/Main`."""
    behind = f"/{number}" if number else ""
    return f"{kind}/{date_of(day)}/{sub_account}{behind}"
