"""Rows: what a venue says of an account, by kind, each with its identity."""

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from usance.venues.numbers import Instant

FEEDS = (
    "fills",
    "funding",
    "interest",
    "borrowLend",
    "settlement",
    "deposits",
    "withdrawals",
    "dust",
)
"""The feeds of an account, by the names under which they are counted."""


class Place(NamedTuple):
    """Where a row stands: file (below the folder of downloads), row from 1."""

    file: str
    row: int


class Charge(Enum):
    """What interest is."""

    LEND = "Lend"
    BORROW = "Borrow"
    ENTRY_FEE = "EntryFee"
    UNREALIZED_GAIN = "UnrealizedPositivePnl"
    UNREALIZED_LOSS = "UnrealizedNegativePnl"


class Fill(NamedTuple):
    """A trade; quantity above 0, sold if `side` is -1, bought if it is 1.

    fee     in `fee_symbol`, negative: a rebate
    system  which order of the venue it fills, or None for one of the user
    """

    id: str
    at: Instant
    place: Place
    symbol: str
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_symbol: str
    order: str
    system: str | None


class Funding(NamedTuple):
    """A payment of funding; received above 0."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    rate: Decimal | None


class Interest(NamedTuple):
    """A payment of interest; quantity as the venue signs it, rate a year."""

    id: str
    at: Instant
    place: Place
    charge: Charge
    symbol: str
    quantity: Decimal
    rate: Decimal
    position: str
    market: str


class Movement(NamedTuple):
    """A borrow, a repayment, a loan or its redemption; quantity above 0."""

    id: str
    at: Instant
    place: Place
    event: str
    source: str
    symbol: str
    quantity: Decimal
    position: str


class Settlement(NamedTuple):
    """A settlement in the settle coin; received above 0."""

    id: str
    at: Instant
    place: Place
    source: str
    quantity: Decimal
    position: str


class Deposit(NamedTuple):
    """A deposit; `final` if its status no longer changes, `confirmed` if it counts."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    source: str
    status: str
    memo: str


class Withdrawal(NamedTuple):
    """A withdrawal."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    fee: Decimal
    status: str
    internal: bool


class Dust(NamedTuple):
    """A small balance that the venue turned into its settle coin; `received` of that coin."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    received: Decimal


Row = Fill | Funding | Interest | Movement | Settlement | Deposit | Withdrawal | Dust
