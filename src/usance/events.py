"""Events: what a person wrote that moves a sub-account, and the book that holds it all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from usance.amounts import Coin
from usance.problems import Source
from usance.terms import Pool, Rates, Stage, SubAccount
from usance.timeline import Timeline


class Side(Enum):
    """An account of a sub-account: the root it hangs from and what stands below its name."""

    WALLET = ("Assets", "Wallet")
    PERP = ("Assets", "Perp")
    ACCRUED_YIELD = ("Assets", "AccruedYield")
    BORROWED = ("Liabilities", "Borrowed")
    INTEREST_EARNED = ("Income", "Interest")
    INTEREST_PAID = ("Expenses", "Interest")
    LENT = ("Equity", "Uses:Lent")
    CAPITAL = ("Equity", "Uses:Capital")

    # Enum's own is a Python function, and sides are looked up for each posting.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting that changes what a sub-account holds or owes.

    moment    from when it counts
    seconds   after 00:00 UTC of its day
    side      WALLET or BORROWED
    quantity  coins; positive adds to the account
    at_cost   the units are held at cost, so that no generated leg may touch them
    """

    moment: int
    seconds: int
    sub_account: str
    side: Side
    coin: str
    quantity: Decimal
    at_cost: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one sub-account gave another in one transaction.

    first, second  the two sub-accounts, by name
    given          weight that `first` gave (positive) or got (negative), by currency
    text           canonical text: the order of transfers of one moment
    """

    day: int
    seconds: int
    first: str
    second: str
    given: Mapping[str, Decimal]
    text: str


@dataclass(frozen=True, slots=True)
class Book:
    """All that the engine sees: terms and events, without Beancount.

    sub_accounts  switches in force, by sub-account
    pools, rates  in force, by venue and coin; no rate where a file has none yet
    movements     by (sub-account, coin), then by day, in order of time
    prices        of a coin in the operating currency, by (coin, day), of that very day
    stages        enabled stages in force
    stale_after   days after which a row of a rates file is old, by coin
    first         the day of the first movement, None where there is none
    """

    coins: Mapping[str, Coin]
    sub_accounts: Mapping[str, Timeline[SubAccount]]
    pools: Mapping[tuple[str, str], Timeline[Pool]]
    rates: Mapping[tuple[str, str], Timeline[Rates | None]]
    movements: Mapping[tuple[str, str], Mapping[int, Sequence[Movement]]]
    transfers: tuple[Transfer, ...]
    prices: Mapping[tuple[str, int], Decimal]
    stages: Timeline[frozenset[Stage]]
    stale_after: Mapping[str, int]
    first: int | None

    def last_moved(self, sub_account: str, coin: str) -> Source:
        """Return the last movement of a coin in a sub-account, or the sub-account's directive."""
        by_day = self.movements.get((sub_account, coin))
        if by_day:
            return by_day[max(by_day)][-1].source
        return self.sub_accounts[sub_account].values[0].source
