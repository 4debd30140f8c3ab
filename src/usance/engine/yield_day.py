"""Yield day: what a day did to one holder of a yield product, and to what backs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from usance.model.amounts import Coin


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
    hours: int = 0
    treasury: int = 0
    bonus: int = 0
    paid: int = 0
    enrolled: Sequence[int] = ()


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
    fee: int
    distributed: int
    before: Decimal
    left_over: Decimal
