"""Reserves: the accounts of a yield product, what a person posts to them, and what was paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from usance.model.lots import Lot
from usance.model.periods import Period
from usance.model.problems import Source
from usance.model.terms import Bonus, TreasuryRate, YieldProduct
from usance.model.timeline import Timeline


class Reserve(Enum):
    """An account of a product backed by bills: the root it hangs from and its last part.

    The account of the bills themselves is named by the product's terms.
    """

    BILLS = ("Assets", "")
    ACCRETION = ("Assets", "Accretion")
    CASH = ("Assets", "Cash")
    PAYABLE = ("Liabilities", "Payable")
    DISCOUNT = ("Income", "Discount")
    DISTRIBUTED = ("Expenses", "Distributed")

    # Enum's own is a Python function, and accounts are looked up for each posting.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Reserved:
    """A person's posting to an account of a product; it counts by date.

    quantity  coins, or face of a bill; positive adds to the account
    lot       where the units are held at cost
    """

    day: int
    reserve: Reserve
    commodity: str
    quantity: Decimal
    lot: Lot | None
    source: Source


@dataclass(frozen=True, slots=True)
class Payment:
    """What a person says that a venue paid, or wrote out of what has accrued.

    period  that it pays, with the product's name; None where it says none
    paid    into the wallet, coins
    taken   out of what has accrued, coins
    """

    day: int
    sub_account: str
    coin: str
    period: tuple[str, Period] | None
    paid: Decimal
    taken: Decimal
    source: Source


@dataclass(frozen=True, slots=True)
class Yields:
    """Yield products in force, and what a person posted on account of them.

    products, rates  by (venue, product); no rate where a file has none yet
    bonuses          by (sub-account, product)
    maturities       day on which a bill is paid back, by commodity
    reserved         by product, then by day
    payments         in order of time
    settled          (sub-account, product, period) of periods whose payout a person wrote
    """

    products: Mapping[tuple[str, str], Timeline[YieldProduct]] = field(default_factory=dict)
    rates: Mapping[tuple[str, str], Timeline[TreasuryRate | None]] = field(default_factory=dict)
    bonuses: Mapping[tuple[str, str], Timeline[Bonus]] = field(default_factory=dict)
    maturities: Mapping[str, int] = field(default_factory=dict)
    reserved: Mapping[str, Mapping[int, Sequence[Reserved]]] = field(default_factory=dict)
    payments: Sequence[Payment] = ()
    settled: frozenset[tuple[str, str, Period]] = frozenset()
