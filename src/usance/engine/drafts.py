"""Drafts: transactions to generate, without Beancount."""

import datetime
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Self

from usance.engine.records import Segment
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import NO_QUANTA, Carry, Coin, Quanta
from usance.model.hours import Day, day_of, iso, month_end
from usance.model.lots import Lot

Place = tuple[str, Side | ProductAccount | str] | str
"""A side of a sub-account, what it gave to another (by name), or an account of a product.

Or any account, as it is named.
"""


class TransactionKind(StrEnum):
    """What a generated transaction is about, as ids and tags say it; in the order of a day.

    narration  of the transactions of this kind
    """

    narration: str

    def __new__(cls, text: str, narration: str = "") -> Self:
        """Return a kind that is its text; the text alone finds it again."""
        kind = str.__new__(cls, text)
        kind._value_ = text
        kind.narration = narration
        return kind

    PAYOUT = "payout", "Payout"
    TRANSFER = "transfer", "Transfer between {} and {}"
    LENDING = "lending", "Lending"
    BORROWING = "borrowing", "Borrowing"
    TREASURY = "treasury", "Treasury yield"
    SETTLEMENT = "settlement", "Settlement"
    MARGIN = "margin", "Margin held"
    LIQUIDATION = "liquidation", "Liquidation"
    CORRECTION = "correction", "Correction"


ORDER = {kind: place for place, kind in enumerate(TransactionKind)}
"""The place of each kind in a day."""


_IDENTITY = re.compile(r"([a-z]+)/(\d{4}-\d\d(?:-\d\d)?)/([^/]+)(?:/([1-9]\d*))?", re.ASCII)


class Identity(NamedTuple):
    """The id of a generated transaction, such as `lending/2025-05-01/Main`.

    day       of a compacted month, `lending/2025-05/Main`: its last one
    name      of the sub-account or product
    number    0, or from 2 on if the day has several transactions of this kind and name
    of_month  it is that of a compacted month
    """

    kind: TransactionKind
    day: Day
    name: str
    number: int
    of_month: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the id that a text writes, or raise ValueError."""
        match = _IDENTITY.fullmatch(text)
        if match is None:
            raise ValueError(text)
        kind, date, name, number = match.groups(default="0")
        of_month = len(date) == len("2025-05")
        day = day_of(datetime.date.fromisoformat(f"{date}-01" if of_month else date))
        day = month_end(day) if of_month else day
        return cls(TransactionKind(kind), day, name, int(number), of_month)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the id that a text writes, or None."""
        try:
            return cls.parse(text)
        except ValueError:
            return None

    def __str__(self) -> str:
        """Return the text of the id."""
        behind = f"/{self.number}" if self.number else ""
        date = iso(self.day)[:7] if self.of_month else iso(self.day)
        return f"{self.kind}/{date}/{self.name}{behind}"


class Proof(NamedTuple):
    """What an interest was computed from.

    carry  after the last segment, 1e-18 quanta
    price  of the coin in the operating currency, where it is income and has one that day
    """

    coin: Coin
    segments: Sequence[Segment]
    carry: Carry
    entry_fee: Quanta = NO_QUANTA
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
    number       0, or from 2 on if the day has several of this kind and sub-account
    corrects     days that it corrects
    reason       why, in a person's words
    """

    kind: TransactionKind
    day: Day
    sub_account: str
    number: int
    pairs: tuple[Pair, ...]
    legs: tuple[Leg, ...] = ()
    corrects: tuple[Day, ...] = ()
    reason: str = ""

    @property
    def identity(self) -> Identity:
        """The id of the transaction."""
        return Identity(self.kind, self.day, self.sub_account, self.number)
