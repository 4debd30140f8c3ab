"""Enrollment: a yield product on a day, and the principal of each sub-account in it."""

from collections.abc import Sequence
from typing import NamedTuple

from usance.model.amounts import Coin, Quanta
from usance.model.terms import YieldProduct


class Product(NamedTuple):
    """A yield product on a day, with its terms at 00:00."""

    venue: str
    name: str
    coin: Coin
    terms: YieldProduct


class Enrollment(NamedTuple):
    """What a sub-account has in a product on a day.

    hours  principal enrolled in each hour, quanta
    """

    product: Product
    holder: str
    hours: Sequence[Quanta]
