"""Coin-day: what a day did to one coin of one sub-account, and to its pool."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from usance.amounts import Coin
from usance.hours import HOURS


class Segment(NamedTuple):
    """Hours over which one balance earned or paid.

    principal  quanta
    hours      how many
    rate       mean annual rate
    growth     1e-18
    carry      before, 1e-18 quanta
    interest   credit or charge, quanta
    """

    principal: int
    hours: int
    rate: Decimal
    growth: int
    carry: int
    interest: int


@dataclass(slots=True)
class CoinDay:
    """What a day did to one coin of one sub-account.

    lent, owed    segments of what was lent, and of what was owed
    borrowed      net borrow (+) or repayment (-) of the day, quanta
    entry_fee     quanta
    before        the Lent memorandum and the carries, lent and owed, when the day began
    after         the same when it ended
    debt          owed at the end of the day, rounded up, quanta
    hours         principal lent in each of the 24 hours, quanta
    """

    sub_account: str
    venue: str
    coin: Coin
    before: tuple[int, int, int]
    after: tuple[int, int, int] = (0, 0, 0)
    lent: list[Segment] = field(default_factory=list)
    owed: list[Segment] = field(default_factory=list)
    borrowed: int = 0
    entry_fee: int = 0
    debt: int = 0
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)

    @property
    def earned(self) -> int:
        """Interest credited, quanta."""
        if len(self.lent) == 1:
            return self.lent[0].interest
        return sum([segment.interest for segment in self.lent])

    @property
    def paid(self) -> int:
        """Interest charged, an entry fee included, quanta."""
        return self.entry_fee + sum([segment.interest for segment in self.owed])


@dataclass(frozen=True, slots=True)
class PoolDay:
    """A pool's side of a day, coins; both None of an observed pool.

    fee       what the venue keeps
    external  what the rest of the market earned, less what it paid
    """

    venue: str
    coin: Coin
    fee: Decimal | None
    external: Decimal | None
