"""Events that a person wrote, such as movements and payments, and the book that holds them all."""

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
    """A posting that changes the holdings or the debt of a sub-account.

    moment    from which it counts
    seconds   after 00:00 UTC of its day
    side      WALLET, BORROWED or PERP
    quantity  coins or contracts; positive adds to the account
    lot       of units at cost, or None; of generated legs only a liquidation's touch such units
    closes    the units left at a price other than their cost
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
    """The amounts that one sub-account gave another in one transaction.

    first, second  the two sub-accounts, by name
    given          weight that `first` gave (positive) or got (negative), by currency
    text           canonical text, by which transfers of one moment are sorted
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
    lot       of units at cost, or None
    """

    day: Day
    reserve: ProductAccount
    commodity: str
    quantity: Decimal
    lot: Lot | None
    source: Source


@dataclass(frozen=True, slots=True)
class Payment:
    """A person's posting of yield that a venue paid, or of accrued yield that the person wrote off.

    period  that it pays, with the product's name; or None
    paid    into the wallet, coins
    taken   out of the accrued yield, coins
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
    """The yield products in force, and a person's postings on account of them.

    products, rates  by (venue, product); rate None until the file has its first row
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
    """All input of the engine: terms and events, without Beancount.

    sub_accounts  switches in force, by sub-account
    pools, rates  in force, by venue and coin; rates None until the file has its first row
    movements     of coins, by (sub-account, coin), then by day, in order of time
    trades        of contracts, by (sub-account, contract), likewise
    interest      of sub-accounts, as a person booked it: by (sub-account, coin), then by day, coins
                  earned and coins paid
    outflows      by day: sub-accounts with an outflow, and the directive that has it
    collaterals, perpetuals, liquidations
                  in force, by venue and name (a liquidation has none); True: simulate it
    faulty        sub-accounts with an error in their contracts or in the coins that those settle in
    worthless     commodities with a price that is not above zero; its error is reported already
    quotes        prices of the commodities that figures may rest on
    findings      facts about a person's trades, by day
    yields        yield products, and a person's postings on account of them
    operating     the operating currency
    stages        enabled stages in force
    unmatched     sub-accounts with lots that Beancount does not match: booking method NONE
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
    interest: Mapping[tuple[str, str], Mapping[Day, tuple[Decimal, Decimal]]]
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
    unmatched: frozenset[str]
    stale_after: Mapping[str, int]
    first: Day | None

    def moved(self, sub_account: str, commodity: str, day: Day) -> Source:
        """Return the place of a commodity's last movement in a sub-account up to a day.

        If it did not move until then, return the place of the sub-account's first directive.
        """
        key = (sub_account, commodity)
        by_day = self.movements.get(key) or self.trades.get(key) or {}
        until = max((at for at in by_day if at <= day), default=None)
        if until is not None:
            return by_day[until][-1].source
        return self.sub_accounts[sub_account].values[0].source

    def lot_moved(self, sub_account: str, coin: str, lot: Lot, until: Day) -> Source:
        """Return the place of the last movement of a lot up to a day, if it moved."""
        by_day = self.movements.get((sub_account, coin), {})
        for day in sorted(by_day, reverse=True):
            for movement in reversed(by_day[day]) if day <= until else ():
                if movement.lot == lot:
                    return movement.source
        return self.moved(sub_account, coin, until)

    def price_of(self, coin: str, day: Day) -> Decimal | None:
        """Return a coin's price of the same day in the operating currency, or None.

        The operating currency itself needs no price.
        """
        # The price is a proof beside income in kind. An older one would look like the day's.
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
