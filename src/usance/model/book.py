"""Events: what a person wrote that moves a sub-account, and the book that holds it all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import Coin
from usance.model.hours import Day, Moment
from usance.model.lots import Lot
from usance.model.periods import Period
from usance.model.problems import Problem, Source
from usance.model.quotes import Quotes
from usance.model.terms import (
    STALE_AFTER,
    Bonus,
    Collateral,
    Perpetual,
    Pool,
    Rates,
    Stage,
    SubAccount,
    TreasuryRate,
    YieldProduct,
)
from usance.model.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting that changes what a sub-account holds or owes.

    moment    from when it counts
    seconds   after 00:00 UTC of its day
    side      WALLET, BORROWED or PERP
    quantity  coins or contracts; positive adds to the account
    lot       where the units are held at cost: but for a liquidation no generated leg touches them
    closes    the units left for another price than they had cost
    """

    moment: Moment
    seconds: int
    sub_account: str
    side: Side
    coin: str
    quantity: Decimal
    lot: Lot | None
    source: Source
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one sub-account gave another in one transaction.

    first, second  the two sub-accounts, by name
    given          weight that `first` gave (positive) or got (negative), by currency
    text           canonical text: the order of transfers of one moment
    source         of the transaction
    """

    day: Day
    seconds: int
    first: str
    second: str
    given: Mapping[str, Decimal]
    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class ProductPosting:
    """A person's posting to an account of a product; it counts by date.

    quantity  coins, or face of a bill; positive adds to the account
    lot       where the units are held at cost
    """

    day: Day
    reserve: ProductAccount
    commodity: str
    quantity: Decimal
    lot: Lot | None
    source: Source


@dataclass(frozen=True, slots=True)
class Payment:
    """What a person says that a venue paid, or wrote out of what has accrued.

    period  that it pays, with the product's name; or None
    paid    into the wallet, coins
    taken   out of what has accrued, coins
    """

    day: Day
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
    maturities: Mapping[str, Day] = field(default_factory=dict)
    reserved: Mapping[str, Mapping[Day, Sequence[ProductPosting]]] = field(default_factory=dict)
    payments: Sequence[Payment] = ()
    settled: frozenset[tuple[str, str, Period]] = frozenset()


@dataclass(frozen=True, slots=True)
class Book:
    """All that the engine sees: terms and events, without Beancount.

    sub_accounts  switches in force, by sub-account
    pools, rates  in force, by venue and coin; no rate where a file has none yet
    movements     of coins, by (sub-account, coin), then by day, in order of time
    trades        of contracts, by (sub-account, contract), likewise
    outflows      by day: sub-accounts that something was moved out of, and by which directive
    collaterals, perpetuals, liquidations
                  in force, by venue and name (a liquidation has none); True: simulate it
    faulty        sub-accounts with contracts, or coins that those settle in, that have a fault
    worthless     commodities with a price that is not above zero, which has been told
    quotes        prices of what figures may rest on
    findings      facts about a person's trades, by day
    yields        yield products, and what a person posted on account of them
    operating     the operating currency
    stages        enabled stages in force
    stale_after   days after which a row of a rates file is old, by coin
    first         the day of the first movement, or None
    """

    coins: Mapping[str, Coin]
    sub_accounts: Mapping[str, Timeline[SubAccount]]
    pools: Mapping[tuple[str, str], Timeline[Pool]]
    rates: Mapping[tuple[str, str], Timeline[Rates | None]]
    movements: Mapping[tuple[str, str], Mapping[Day, Sequence[Movement]]]
    trades: Mapping[tuple[str, str], Mapping[Day, Sequence[Movement]]]
    transfers: tuple[Transfer, ...]
    outflows: Mapping[Day, Sequence[tuple[str, Source]]]
    collaterals: Mapping[tuple[str, str], Timeline[Collateral]]
    perpetuals: Mapping[tuple[str, str], Timeline[Perpetual]]
    faulty: frozenset[str]
    worthless: frozenset[str]
    liquidations: Mapping[tuple[str, str], Timeline[bool]]
    quotes: Quotes
    findings: Mapping[Day, Sequence[Problem]]
    yields: Yields
    operating: str
    stages: Timeline[frozenset[Stage]]
    stale_after: Mapping[str, int]
    first: Day | None

    def last_moved(self, sub_account: str, commodity: str) -> Source:
        """Return the last movement of a commodity in a sub-account, or its directive."""
        key = (sub_account, commodity)
        by_day = self.movements.get(key) or self.trades.get(key)
        if by_day:
            return by_day[max(by_day)][-1].source
        return self.sub_accounts[sub_account].values[0].source

    def price_of(self, coin: str, day: Day) -> Decimal | None:
        """Return a coin's price of that very day in the operating currency, if it needs one."""
        # It stands beside income in kind, as a proof. An older price would look like the day's.
        if coin == self.operating:
            return None
        quote = self.quotes.at(coin, self.operating, day)
        return quote.price if quote is not None and quote.day == day else None

    def stale_limit(self, commodity: str) -> int:
        """Return the days after which a rate or price of a commodity is old."""
        return self.stale_after.get(commodity, STALE_AFTER)

    def venue(self, sub_account: str) -> str:
        """Return the venue of a sub-account."""
        return self.sub_accounts[sub_account].values[0].venue
