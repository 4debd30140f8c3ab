"""Coin-day: what a day did to one coin of one sub-account, and to its pool."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from usance.engine.state import Carried
from usance.model.amounts import NO_QUANTA, ZERO, Carry, Coin, Grains, Quanta


class Segment(NamedTuple):
    """Hours over which one balance earned or paid.

    principal  quanta
    hours      how many
    rate       mean annual rate
    growth     1e-18
    carry      before, 1e-18 quanta
    interest   credit or charge, quanta
    since      the hour in which it begins, 0 to 23
    """

    principal: Quanta
    hours: int
    rate: Decimal
    growth: int
    carry: Carry
    interest: Quanta
    since: int


class Borrow(NamedTuple):
    """A borrow, or a repayment (negative), and what it was decided on.

    slot              0 to 24
    quanta            without the fee
    fee               quanta
    free, held, owed  before it, grains: units without cost, the whole wallet, what was owed
    """

    slot: int
    quanta: Quanta
    fee: Quanta
    free: Grains
    held: Grains
    owed: Grains


@dataclass(slots=True)
class Imported:
    """The interest of a day that a person booked, and what it is compared with.

    earned, paid  coins; below zero if more was taken back
    owed_hours    sum over the hours of the principal owed, quanta
    rated         the pool had a rate in each hour
    """

    earned: Decimal = ZERO
    paid: Decimal = ZERO
    owed_hours: Quanta = NO_QUANTA
    rated: bool = True


@dataclass(slots=True)
class LendingDay:
    """What a day did to one coin of one sub-account.

    lent, owed    segments of what was lent, and of what was owed
    borrows       what was borrowed and repaid, in order of time
    before        carried into the day
    after         carried out of it
    debt          owed at the end of the day, rounded up, quanta
    hours         principal lent in each of the 24 hours, quanta
    imported      what a person booked, if no interest is generated, or None
    """

    sub_account: str
    venue: str
    coin: Coin
    before: Carried
    after: Carried
    lent: list[Segment] = field(default_factory=list)
    owed: list[Segment] = field(default_factory=list)
    borrows: list[Borrow] = field(default_factory=list)
    debt: Quanta = NO_QUANTA
    hours: list[Quanta] = field(default_factory=list)
    imported: Imported | None = None

    @property
    def borrowed(self) -> Quanta:
        """Net borrow (+) or repayment (-) of the day, quanta."""
        return sum([borrow.quanta for borrow in self.borrows], NO_QUANTA)

    @property
    def entry_fee(self) -> Quanta:
        """Entry fees of the day, quanta, whether or not they are charged."""
        return sum([borrow.fee for borrow in self.borrows], NO_QUANTA)

    @property
    def earned(self) -> Quanta:
        """Interest of the segments, quanta, whether or not it is credited."""
        if len(self.lent) == 1:
            return self.lent[0].interest
        return sum([segment.interest for segment in self.lent], NO_QUANTA)

    @property
    def paid(self) -> Quanta:
        """Interest of the segments and entry fees, quanta, whether or not they are charged."""
        return sum([segment.interest for segment in self.owed], self.entry_fee)

    @property
    def interest(self) -> tuple[Decimal, Decimal]:
        """The interest in the books, coins earned and paid: generated, or booked by a person."""
        if self.imported is not None:
            return self.imported.earned, self.imported.paid
        return self.coin.from_quanta(self.earned), self.coin.from_quanta(self.paid)


class PoolDay(NamedTuple):
    """A pool's side of a day, coins; fee and external None of an observed pool.

    fee             what the venue keeps
    external        what the rest of the market earned, less what it paid
    supply, borrow  annual rates of each hour, None where it has none
    totals          lent and borrowed at the start of each hour, None of an observed pool
    """

    venue: str
    coin: Coin
    fee: Decimal | None
    external: Decimal | None
    supply: Sequence[Decimal | None]
    borrow: Sequence[Decimal | None]
    totals: Sequence[tuple[Decimal, Decimal] | None]


@dataclass(slots=True)
class YieldDay:
    """What a day did to one holder of a product.

    hours            sum over the hours of the principal that was enrolled, quanta
    enrolled         that principal in each hour, quanta
    treasury, bonus  credited, quanta
    paid             by a payout, quanta
    """

    sub_account: str
    venue: str
    product: str
    coin: Coin
    hours: Quanta = NO_QUANTA
    treasury: Quanta = NO_QUANTA
    bonus: Quanta = NO_QUANTA
    paid: Quanta = NO_QUANTA
    enrolled: Sequence[Quanta] = ()


@dataclass(frozen=True, slots=True)
class ProductDay:
    """What a day did to a product backed by bills: income + before = fee + distributed + left over.

    income             accreted, coins
    fee, distributed   quanta
    before, left_over  earned and not distributed, in the morning and in the evening, coins
    """

    product: str
    venue: str
    coin: Coin
    income: Decimal
    fee: Quanta
    distributed: Quanta
    before: Decimal
    left_over: Decimal


class Corrected(NamedTuple):
    """What a correction posted to the interest or the yield of closed days.

    identity  of the correction
    source    lent, borrowed, treasury or bonus; accrued: to the accrued yield
    amount    coins: earned, or of borrowed paid; below zero if it takes back
    """

    identity: str
    sub_account: str
    venue: str
    coin: Coin
    source: str
    amount: Decimal
