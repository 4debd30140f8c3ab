"""Rows: what a venue says of an account, by kind.

Each row begins with its id, its moment and its place; what follows is what is booked. An id of ""
means that the venue gives none: such a row is known by all its fields.
"""

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
    """Where a row stands: file (as messages name it), row from 1."""

    file: str
    row: int


class Charge(Enum):
    """What interest is, by the venue-neutral name that its transaction has.

    Interest that is `TAKEN` leaves the wallet; that of a `BORROW` is added to the debt.
    """

    LEND = "Lend"
    BORROW = "Borrow"
    ENTRY_FEE = "EntryFee"
    UNREALIZED_GAIN = "UnrealizedPositivePnl"
    UNREALIZED_LOSS = "UnrealizedNegativePnl"
    TAKEN = "Taken"

    # Faster than Enum's own hash, a Python function: each row is looked up by it.
    __hash__ = object.__hash__

    @property
    def earned(self) -> bool:
        """Tell whether the account gets it."""
        return self in (Charge.LEND, Charge.UNREALIZED_GAIN)


class Origin(Enum):
    """Who is at the other end of a deposit or withdrawal."""

    OUTSIDE = "outside"
    ACCOUNT = "another account of the same user"
    PLATFORM = "the venue itself"


class Standing(Enum):
    """What a status says of a deposit or withdrawal."""

    OPEN = "it may still change"
    CONFIRMED = "it counts"
    VOID = "it will never count"


class Status(NamedTuple):
    """The status of a deposit or withdrawal; of two open ones, that of the higher rank is later."""

    name: str
    standing: Standing
    rank: int


class Use(Enum):
    """What becomes of a movement or settlement.

    BOOKED   it is a transaction
    BY_HAND  a borrow or repayment of the user: booked where the books do not repay on their own
    NAMED    not booked: a finding names it
    FEES, FUNDING, EARNED, PAID  said again of the fees of fills, funding, interest: compared
    DERIVED  said again of what the books derive themselves: counted alone
    """

    BOOKED = "booked"
    BY_HAND = "by hand"
    NAMED = "named"
    FEES = "fees"
    FUNDING = "funding"
    EARNED = "interest earned"
    PAID = "interest paid"
    DERIVED = "derived"

    # Faster than Enum's own hash, a Python function: each row is looked up by it.
    __hash__ = object.__hash__


class Fill(NamedTuple):
    """A trade; quantity above 0, sold if `side` is -1, bought if it is 1.

    fee     in `fee_symbol`, negative: a rebate
    system  which order of the venue it fills, or None for one of the user
    trade   its number, by which trades of one moment are ordered; 0 if it has none
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
    trade: int


class Funding(NamedTuple):
    """A payment of funding; received above 0."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    rate: Decimal | None


class Interest(NamedTuple):
    """A payment of interest; quantity above 0 as the charge means it, rate a year if it is told."""

    id: str
    at: Instant
    place: Place
    charge: Charge
    symbol: str
    quantity: Decimal
    rate: Decimal | None
    position: str
    market: str


class Movement(NamedTuple):
    """A borrow, a repayment, a loan or its redemption, by `event` and `source` of the venue.

    quantity  above 0
    more      of a borrow: what is owed grows, it is no repayment
    """

    id: str
    at: Instant
    place: Place
    event: str
    source: str
    symbol: str
    quantity: Decimal
    position: str
    left: Decimal | None
    order: str
    use: Use
    more: bool


class Settlement(NamedTuple):
    """A settlement in the coin `symbol`; received above 0."""

    id: str
    at: Instant
    place: Place
    source: str
    symbol: str
    quantity: Decimal
    position: str
    use: Use


class Deposit(NamedTuple):
    """A deposit of a coin; `source` is the venue's word for where it came from."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    source: str
    origin: Origin
    status: Status
    memo: str


class Withdrawal(NamedTuple):
    """A withdrawal of a coin; whether the fee is part of the quantity, the feed says."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    fee: Decimal
    origin: Origin
    status: Status


class Dust(NamedTuple):
    """A small balance that the venue turned into the coin `settle`; `received` of that."""

    id: str
    at: Instant
    place: Place
    symbol: str
    quantity: Decimal
    received: Decimal
    settle: str


Row = Fill | Funding | Interest | Movement | Settlement | Deposit | Withdrawal | Dust

FEED_OF: dict[type, str] = {
    Fill: "fills",
    Funding: "funding",
    Interest: "interest",
    Movement: "borrowLend",
    Settlement: "settlement",
    Deposit: "deposits",
    Withdrawal: "withdrawals",
    Dust: "dust",
}
"""The feed of a kind of rows."""
