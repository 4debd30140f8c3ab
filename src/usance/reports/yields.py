"""Yield reports, rows of `usance yield`: the income of each source, and the backing of products."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
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
    decimal_text,
    rounded_text,
    tally,
    total,
    total_quanta,
)
from usance.model.book import Book, Payment
from usance.model.hours import DAYS_A_YEAR, HOURS, NO_DAY, Day, date_of, iso, moment
from usance.model.terms import Bills, YieldProduct
from usance.reports import basis
from usance.reports.figures import Figures, in_full
from usance.reports.lending import usual_interval
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


def split(
    ledger: Ledger,
    reading: Reading,
    first: Day | None,
    last: Day | None,
    on: str,
    by: str | None = None,
) -> Figures:
    """Return the answer of `usance yield` on a basis.

    first, last  inclusive; None for the first and the last day of the books
    by           an interval: `periods` has the split of each; None: only if the period is long
    """
    book = reading.book
    begin = book.first if first is None else first
    end = reading.last if last is None else last
    if begin is None or book.first is None:
        return {"from": None, "to": None, "basis": on, "rows": []}
    days = list(basis.lived(ledger, reading, end, on))
    answer = split_of(book, days, begin, end, on)
    if by is None and usual_interval(begin, end) == "day":
        return answer
    by = by or usual_interval(begin, end)
    answer["by"] = by
    answer["periods"] = [
        split_of(book, [day for day in days if day.day <= until], since, until, on)
        for since, until in intervals((max(begin, book.first), end), by)
    ]
    return answer


def split_of(book: Book, lived: Iterable[LivedDay], begin: Day, end: Day, on: str) -> Figures:
    """Return the answer of `usance yield` from the lived days, which begin with the first one."""
    splits = _splits(book, lived, begin, end)
    days = max(0, end - max(begin, book.first or 0) + 1)
    return {
        "from": iso(begin),
        "to": iso(end),
        "basis": on,
        "rows": [
            _row(name, product, made, days)
            for (name, product), made in sorted(splits.items())
            if not made.is_empty()
        ],
    }


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


def _row(name: str, product: str, made: Split, days: int) -> Figures:
    coin = made.coin
    head: Figures = {
        "sub_account": name,
        "venue": made.venue,
        "product": product,
        "coin": coin.name,
        "days": days,
    }
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
    return head | {
        "average_principal": rounded_text(principal),
        "sources": [
            {
                "source": source,
                "income": _coins(made.coins(source), coin),
                "rate": in_full(rates[source]),
            }
            for source in SOURCES
        ],
        "rate": in_full(rate),
        "apy": in_full(apy),
        "compounding": in_full(compounding),
        "accrued_unpaid": _coins(made.unpaid, coin),
        "variance": _coins(made.variance, coin),
    }


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


def _coins(amount: Decimal, coin: Coin) -> str:
    """Return an amount of coins as text, written to the quantum at least."""
    return format(written(amount, coin), "f")


def reserves(ledger: Ledger, reading: Reading, last: Day | None, on: str) -> Figures:
    """Return the answer of `usance yield --reserves`: the backing of products at a day's end."""
    day = reading.last if last is None else last
    return backing(reading, basis.evening(ledger, reading, day, on), day, on)


def backing(reading: Reading, state: State, day: Day, on: str) -> Figures:
    """Return the backing of products in the state of an evening."""
    rows = []
    for (venue, name), timeline in sorted(reading.book.yields.products.items(), key=_product):
        product = timeline.at(moment(day))
        if product is not None and product.bills is not None:
            rows.append(_reserve(reading.book, state, day, venue, name, product, product.bills))
    return {"at": iso(day) if day > 0 else None, "basis": on, "products": rows}


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
) -> Figures:
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
        return {
            "product": name,
            "venue": venue,
            "coin": coin.name,
            "owed": _coins(portfolio.payable, coin),
            "bills": _coins(of_bills, coin),
            "cash": _coins(portfolio.cash, coin),
            "holdings": _coins(holdings, coin),
            "coverage": in_full(_over(holdings, portfolio.payable)),
            "days_to_maturity": in_full(_over(to_maturity, of_bills)),
            "portfolio_yield": in_full(_over(rate, of_bills)),
            "backing": in_full(_over(holdings, coin.from_quanta(enrolled) + portfolio.payable)),
            "left_over": _coins(portfolio.left_over, coin),
            "enrolled": coin.quanta_text(enrolled),
            "lots": [
                {
                    "bill": lot.bill,
                    "face": decimal_text(lot.face),
                    "bought": iso(lot.lot.day),
                    "maturity": iso(lot.maturity),
                    "cost": decimal_text(lot.booked),
                    "accretion": decimal_text(EXACT.subtract(lot.worth, lot.booked)),
                    "value": decimal_text(lot.worth),
                }
                for lot in lots
            ],
        }


def _over(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return a ratio with 28 significant digits, or None if the divisor is not above 0."""
    return FIGURE.plus(part / whole) if whole > 0 else None
