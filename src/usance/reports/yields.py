"""Yield reports, rows of `usance yield`: the income of each source, and the backing of products."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation, Overflow, localcontext

from usance import treasury
from usance.engine.bills import days_to, held, worth, written
from usance.engine.lived_day import LivedDay
from usance.engine.records import Corrected, LendingDay, YieldDay
from usance.engine.state import State
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import (
    EXACT,
    FIGURE,
    NO_QUANTA,
    PRECISE,
    ZERO,
    Coin,
    Quanta,
    normalized,
    tally,
    total,
    total_quanta,
)
from usance.model.book import Book, Payment
from usance.model.hours import DAYS_A_YEAR, HOURS, NO_DAY, Day, date_of, moment
from usance.model.terms import Bills, YieldProduct
from usance.reports import basis
from usance.reports.figures import IF_ANY, FlatRow, rounded
from usance.reports.lending import usual_interval
from usance.reports.performance import Span
from usance.reports.statement import intervals

SOURCES = ("lending", "treasury", "bonus")
OF_CORRECTION = {"lent": "lending", "treasury": "treasury", "bonus": "bonus"}
RATE_PLACES = Decimal("1e-18")


@dataclass(slots=True)
class Split:
    """The income of one holder of a product in a period, by source.

    income    by source, quanta
    booked    lending interest that a person booked, coins
    hours     principal x hours that were lent, quanta
    enrolled  principal x hours that were enrolled, quanta
    unpaid    accrued and not paid at its end, coins
    variance  coins paid less those taken out of the accrued yield
    """

    venue: str
    coin: Coin
    income: dict[str, Quanta] = field(default_factory=lambda: dict.fromkeys(SOURCES, NO_QUANTA))
    booked: Decimal = ZERO
    hours: Quanta = NO_QUANTA
    enrolled: Quanta = NO_QUANTA
    unpaid: Decimal = ZERO
    variance: Decimal = ZERO

    def lend(self, day: LendingDay) -> None:
        """Add a day's lending."""
        if day.imported is None:
            self._add("lending", day.earned)
        else:
            self.booked = EXACT.add(self.booked, day.imported.earned)
        self.hours = sum(day.hours, self.hours)

    def correct(self, corrected: Corrected, *, counts: bool) -> None:
        """Add what a correction posted; of a day before the period, only to the unpaid yield."""
        if corrected.source == "accrued":
            self.unpaid = EXACT.add(self.unpaid, corrected.amount)
        elif counts and corrected.source in OF_CORRECTION:
            source = OF_CORRECTION[corrected.source]
            grains = self.coin.to_grains(corrected.amount)
            self._add(source, self.coin.floor_quanta(grains))

    def earn(self, day: YieldDay, *, counts: bool) -> None:
        """Add a day of the product; of a day before the period, only its unpaid yield."""
        accrued = self.coin.from_quanta(Quanta(day.treasury + day.bonus - day.paid))
        self.unpaid = EXACT.add(self.unpaid, accrued)
        if counts:
            self._add("treasury", day.treasury)
            self._add("bonus", day.bonus)
            self.enrolled = Quanta(self.enrolled + day.hours)

    def coins(self, source: str) -> Decimal:
        """Return the income of a source, coins."""
        income = self.coin.from_quanta(self.income[source])
        return EXACT.add(income, self.booked) if source == "lending" else income

    def income_of_all(self) -> Decimal:
        """Return the income of all sources, coins."""
        return total(map(self.coins, SOURCES))

    def _add(self, source: str, quanta: Quanta) -> None:
        self.income[source] = Quanta(self.income[source] + quanta)

    def receive(self, payment: Payment, *, counts: bool) -> None:
        """Add a payment that a person wrote."""
        self.unpaid = EXACT.subtract(self.unpaid, payment.taken)
        if counts:
            self.variance = EXACT.add(self.variance, EXACT.subtract(payment.paid, payment.taken))

    def is_empty(self) -> bool:
        """Tell whether the holder had no part in the product."""
        rest = (self.income["treasury"], self.income["bonus"], self.unpaid, self.variance)
        return not (self.enrolled or any(rest))


@dataclass(frozen=True, slots=True)
class YieldSource:
    """What a source of yield brought: coins, and a simple annual rate or None without principal."""

    source: str
    income: Decimal
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Holding:
    """The yield of one holder of a product in a period; rates are fractions of a year.

    average_principal  lent coins, the mean of all hours
    rate               of all sources together; None without principal
    apy                with what the yield would earn if it were reinvested each period
    compounding        apy less rate
    accrued_unpaid     earned and not paid at the end, coins
    variance           coins paid less those taken out of the accrued yield
    """

    sub_account: str
    venue: str
    product: str
    coin: str
    days: int
    average_principal: Decimal
    sources: tuple[YieldSource, ...]
    rate: Decimal | None
    apy: Decimal | None
    compounding: Decimal | None
    accrued_unpaid: Decimal
    variance: Decimal

    @property
    def income(self) -> Decimal:
        """The income of all sources, coins."""
        return total(source.income for source in self.sources)


@dataclass(frozen=True, slots=True)
class Yields:
    """The yield of a period by source, of each holder of a product.

    from_, to  None of books without a day
    by         the interval of `periods`, or None
    periods    the same of each interval; None if nobody asked and the period is short
    """

    from_: datetime.date | None
    to: datetime.date | None
    basis: str
    rows: tuple[Holding, ...]
    by: str | None = field(default=None, metadata=IF_ANY)
    periods: "tuple[Yields, ...] | None" = field(default=None, metadata=IF_ANY)

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return a flat row for each source of a holder, and one for the total: COLUMNS."""
        return [
            dict.fromkeys(COLUMNS) | {"from": part.from_, "to": part.to} | row
            for part in ((self,) if self.periods is None else self.periods)
            for holding in part.rows
            for row in _flat(holding)
        ]


OF_HOLDING = ("sub_account", "venue", "product", "coin", "days", "average_principal")
OF_TOTAL = ("rate", "apy", "compounding", "accrued_unpaid", "variance")
COLUMNS = ("from", "to", *OF_HOLDING, "source", "income", *OF_TOTAL)
"""The columns of the CSV."""


def _flat(holding: Holding) -> Iterator[FlatRow]:
    head = {key: getattr(holding, key) for key in OF_HOLDING}
    for each in holding.sources:
        yield {**head, "source": each.source, "income": each.income, "rate": each.rate}
    rest = {key: getattr(holding, key) for key in OF_TOTAL}
    yield {**head, "source": "total", "income": holding.income, **rest}


@dataclass(frozen=True, slots=True)
class BillLot:
    """Bills of one purchase: face, and coins that they cost, accreted since, and are worth."""

    bill: str
    face: Decimal
    bought: datetime.date
    maturity: datetime.date
    cost: Decimal
    accretion: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Backing:
    """What backs a product at the end of a day, in coins; ratios are fractions, None without any.

    owed              accrued to holders and not paid
    bills, cash       accreted value, and what is not in bills
    holdings          both together
    coverage          holdings to what is owed
    days_to_maturity  mean of the bills by value
    portfolio_yield   a year, mean of the bills by value
    backing           holdings to all that is enrolled or owed
    left_over         of distributions, for the next day
    enrolled          lent coins in the product
    """

    product: str
    venue: str
    coin: str
    owed: Decimal
    bills: Decimal
    cash: Decimal
    holdings: Decimal
    coverage: Decimal | None
    days_to_maturity: Decimal | None
    portfolio_yield: Decimal | None
    backing: Decimal | None
    left_over: Decimal
    enrolled: Decimal
    lots: tuple[BillLot, ...]


@dataclass(frozen=True, slots=True)
class Reserves:
    """The backing of products at the end of a day, which is None of books without one."""

    at: datetime.date | None
    basis: str
    products: tuple[Backing, ...]

    def rows_as_dicts(self, listed: str = "products") -> list[FlatRow]:
        """Return a flat row for each product, or for each of its lots: COLUMNS_OF."""
        return [
            {"at": self.at}
            | {key: getattr(product, key) for key in OF_PRODUCT}
            | {key: getattr(one, key) for key in KEYS[listed]}
            for product in self.products
            for one in (product.lots if listed == "lots" else (product,))
        ]


OF_PRODUCT = ("product", "venue", "coin")
KEYS = {
    "products": (
        "owed",
        "bills",
        "cash",
        "holdings",
        "coverage",
        "backing",
        "days_to_maturity",
        "portfolio_yield",
        "left_over",
        "enrolled",
    ),
    "lots": ("bill", "face", "bought", "maturity", "cost", "accretion", "value"),
}
COLUMNS_OF = {listed: ("at", *OF_PRODUCT, *keys) for listed, keys in KEYS.items()}
"""The columns of the CSV of products, and of their lots."""


def split(
    ledger: Ledger, reading: Reading, span: Span | None, on: str, by: str | None = None
) -> Yields:
    """Return the answer of `usance yield` on a basis.

    span  None of books without a day
    by    an interval: `periods` has the split of each; None: only if the period is long
    """
    book = reading.book
    if span is None or book.first is None:
        return Yields(None, None, on, ())
    begin, end = span
    days = list(basis.lived(ledger, reading, end, on))
    answer = split_of(book, days, span, on)
    if by is None and usual_interval(begin, end) == "day":
        return answer
    by = by or usual_interval(begin, end)
    periods = (
        split_of(book, [day for day in days if day.day <= part[1]], part, on)
        for part in intervals((max(begin, book.first), end), by)
    )
    return replace(answer, by=by, periods=tuple(periods))


def split_of(book: Book, lived: Iterable[LivedDay], span: Span, on: str) -> Yields:
    """Return the answer of `usance yield` from the lived days, which begin with the first one."""
    begin, end = span
    days = max(0, end - max(begin, book.first or 0) + 1)
    rows = (
        _row(name, product, made, days)
        for (name, product), made in sorted(_splits(book, lived, begin, end).items())
        if not made.is_empty()
    )
    return Yields(date_of(begin), date_of(end), on, tuple(rows))


def incomes(book: Book, lived: Iterable[LivedDay]) -> dict[str, dict[str, Decimal]]:
    """Return the income of some days, in coins, by source and coin."""
    found: dict[str, dict[str, Decimal]] = {source: {} for source in SOURCES}
    for made in _splits(book, lived, NO_DAY, NO_DAY).values():
        if not made.is_empty():
            for source in SOURCES:
                tally(found[source], made.coin.name, made.coins(source))
    return found


def _splits(
    book: Book, days: Iterable[LivedDay], begin: Day, end: Day
) -> dict[tuple[str, str], Split]:
    splits = {
        (name, product): Split(venue, book.coins[timeline.values[0].asset])
        for (venue, product), timeline in book.yields.products.items()
        for name in book.sub_accounts
        if book.venue(name) == venue
    }
    holders = {(name, split.coin.name): split for (name, _), split in splits.items()}
    for day in days:
        counts = day.day >= begin
        for earned in day.yields:
            splits[earned.sub_account, earned.product].earn(earned, counts=counts)
        for lent in day.coins if counts else ():
            if (holder := holders.get((lent.sub_account, lent.coin.name))) is not None:
                holder.lend(lent)
        for one in day.corrections:
            if (holder := holders.get((one.sub_account, one.coin.name))) is not None:
                holder.correct(one, counts=counts)
    for payment in book.yields.payments:
        holder = holders.get((payment.sub_account, payment.coin))
        if holder is not None and payment.day <= end:
            holder.receive(payment, counts=payment.day >= begin)
    return splits


def _row(name: str, product: str, made: Split, days: int) -> Holding:
    coin = made.coin
    with localcontext(PRECISE):
        principal = coin.from_quanta(made.hours) / (HOURS * days) if days else ZERO
        rates = {source: _rate(made, source, principal, days) for source in SOURCES}
        apy = compounding = rate = None
        if principal:
            earned = made.income_of_all() / principal
            with suppress(InvalidOperation, Overflow):
                # A return of one day to the power of 365 may have more digits than anybody reads.
                apy = ((1 + earned) ** (Decimal(DAYS_A_YEAR) / days) - 1).quantize(RATE_PLACES)
            if None not in rates.values():
                rate = sum((one for one in rates.values() if one is not None), ZERO)
            if apy is not None and rate is not None:
                compounding = apy - rate
    sources = (
        YieldSource(source, written(made.coins(source), coin), in_full(rates[source]))
        for source in SOURCES
    )
    return Holding(
        name,
        made.venue,
        product,
        coin.name,
        days,
        rounded(principal),
        tuple(sources),
        in_full(rate),
        in_full(apy),
        in_full(compounding),
        written(made.unpaid, coin),
        written(made.variance, coin),
    )


def in_full(number: Decimal | None) -> Decimal | None:
    """Return a figure with all its digits and no trailing zeros; or None for None."""
    return None if number is None else normalized(number)


def _rate(made: Split, source: str, principal: Decimal, days: int) -> Decimal | None:
    """Return a source's simple annual rate, rounded half-even to 18 decimals.

    It is None without a principal, and if it has more than 80 digits.
    """
    if not principal:
        return None
    rate = made.coins(source) / principal * DAYS_A_YEAR / days
    with suppress(InvalidOperation):
        return rate.quantize(RATE_PLACES)
    return None


def reserves(ledger: Ledger, reading: Reading, day: Day, on: str) -> Reserves:
    """Return the answer of `usance yield --reserves`: the backing of products at a day's end."""
    return backing(reading, basis.evening(ledger, reading, day, on), day, on)


def backing(reading: Reading, state: State, day: Day, on: str) -> Reserves:
    """Return the backing of products in the state of an evening."""
    rows = []
    for (venue, name), timeline in sorted(reading.book.yields.products.items(), key=_product):
        product = timeline.at(moment(day))
        if product is not None and product.bills is not None:
            rows.append(_reserve(reading.book, state, day, venue, name, product, product.bills))
    return Reserves(date_of(day) if day > 0 else None, on, tuple(rows))


def _product(item: tuple[tuple[str, str], object]) -> str:
    return item[0][1]


def _reserve(
    book: Book,
    state: State,
    day: Day,
    venue: str,
    name: str,
    product: YieldProduct,
    bills: Bills,
) -> Backing:
    """Return a product's debt to holders, its holdings at accreted value, and figures of both."""
    coin, portfolio = book.coins[product.asset], state.portfolio(name)
    lots = list(held(portfolio, bills, book.yields.maturities, coin, day))
    of_bills = worth(lots)
    holdings = EXACT.add(of_bills, portfolio.cash)
    enrolled = total_quanta(
        accrual.enrolled
        for (holder, asset), accrual in state.accruals.items()
        if asset == coin.name and book.venue(holder) == venue
    )
    with localcontext(PRECISE):
        to_maturity = rate = ZERO
        for lot in lots:
            to_maturity += lot.worth * days_to(lot.maturity, day)
            bought, matures = date_of(lot.lot.day), date_of(lot.maturity)
            rate += lot.worth * treasury.investment_rate(lot.lot.cost * 100, bought, matures)
        return Backing(
            name,
            venue,
            coin.name,
            written(portfolio.payable, coin),
            written(of_bills, coin),
            written(portfolio.cash, coin),
            written(holdings, coin),
            in_full(_over(holdings, portfolio.payable)),
            in_full(_over(to_maturity, of_bills)),
            in_full(_over(rate, of_bills)),
            in_full(_over(holdings, coin.from_quanta(enrolled) + portfolio.payable)),
            written(portfolio.left_over, coin),
            coin.from_quanta(enrolled),
            tuple(
                BillLot(
                    lot.bill,
                    normalized(lot.face),
                    date_of(lot.lot.day),
                    date_of(lot.maturity),
                    normalized(lot.booked),
                    normalized(EXACT.subtract(lot.worth, lot.booked)),
                    normalized(lot.worth),
                )
                for lot in lots
            ),
        )


def _over(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return a ratio with 28 significant digits, or None if the divisor is not above 0."""
    return FIGURE.plus(part / whole) if whole > 0 else None
