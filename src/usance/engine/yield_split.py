"""Yield split: a day of yield products: payouts at 00:00, credits and enrollment at its end.

A payout is in the wallet before the first hour lends. A rate, a bonus, its cap and a product's
terms are those at 00:00; `earn` counts by the hour; bills count by date.
"""

from collections.abc import Iterable, Mapping, Sequence

from usance.engine import bills
from usance.engine.auto_lending import AutoLending
from usance.engine.bills import Division, Held
from usance.engine.drafts import Draft, Pair, TransactionKind
from usance.engine.enrollment import Enrollment, Product
from usance.engine.lived_day import LivedDay
from usance.engine.pool_lending import PoolLending
from usance.engine.records import ProductDay, YieldDay
from usance.engine.state import State
from usance.model import periods, problems
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import (
    EXACT,
    NO_QUANTA,
    Carry,
    Coin,
    Grains,
    Quanta,
    decimal_text,
    fixed_point_text,
    total_quanta,
    without_trailing_zeros,
)
from usance.model.book import Book
from usance.model.hours import Day, at_slot, end_of, iso
from usance.model.problems import Problem
from usance.model.terms import Bills
from usance.model.timeline import in_force
from usance.rules import yields


class YieldSplit:
    """The yield products of a day.

    morning  Cash of products backed by bills at the end of the day before, coins
    pairs    of the treasury transactions, by holder and coin
    days     of holders, by holder and product
    """

    def __init__(self, book: Book, state: State, today: LivedDay) -> None:
        self.book = book
        self.state = state
        self.today = today
        self.day = today.day
        self.in_force = [
            Product(venue, name, book.coins[terms.asset], terms)
            for (venue, name), timeline in sorted(book.yields.products.items())
            if (terms := timeline.at(at_slot(today.day, 0))) is not None
        ]
        self.morning = {
            product.name: state.portfolio(product.name).cash
            for product in self.in_force
            if product.terms.bills is not None
        }
        self.pairs: dict[str, dict[str, list[Pair]]] = {}
        self.days: dict[tuple[str, str], YieldDay] = {}
        self.problems: list[Problem] = []

    # 00:00

    def take(self) -> None:
        """Take in a person's postings to products."""
        for name, days in self.book.yields.reserved.items():
            for posting in days.get(self.day, ()):
                bills.take(self.state.portfolio(name), posting)

    def pay(self) -> None:
        """Pay the credits of periods that are over, unless a person wrote the payout."""
        # A period is forgotten on the first day after it, whoever paid it, at whatever date. So a
        # run after a closed day needs no memory of payouts. An amount that a person leaves in
        # AccruedYield stays there, shown as unpaid: if the next payout collected it, that would
        # hide a difference with the venue, in a month to which it does not belong.
        paid: dict[str, list[Pair]] = {}
        for product in self.in_force:
            coin = product.coin
            treasury_paid = NO_QUANTA
            for holder in self._holders(product.venue):
                accrual = self.state.accruals.get((holder, coin.name))
                for period in sorted(accrual.unpaid) if accrual is not None else ():
                    if period.end >= self.day:
                        continue
                    assert accrual is not None
                    of_treasury, of_bonus = accrual.unpaid.pop(period)
                    amount = Quanta(of_treasury + of_bonus)
                    if not amount or (holder, product.name, period) in self.book.yields.settled:
                        continue
                    proof = {"product": product.name, "period": period.name}
                    places = ((holder, Side.WALLET), (holder, Side.ACCRUED_YIELD))
                    pair = Pair(*places, coin.from_quanta(amount), coin.name, proof)
                    paid.setdefault(holder, []).append(pair)
                    holding = self.state.holding(holder, coin.name)
                    holding.free = Grains(holding.free + coin.in_grains(amount))
                    of_holder = self._day_of(product, holder)
                    of_holder.paid = Quanta(of_holder.paid + amount)
                    treasury_paid = Quanta(treasury_paid + of_treasury)
            if product.terms.bills is not None and treasury_paid:
                self._pay_out(product, treasury_paid)
        for holder, pairs in paid.items():
            ordered = sorted(pairs, key=lambda pair: pair.currency)
            self.today.drafts.append(
                Draft(TransactionKind.PAYOUT, self.day, holder, 0, tuple(ordered))
            )

    def _pay_out(self, product: Product, quanta: Quanta) -> None:
        """Let a product pay its holders out of its cash."""
        name, coin = product.name, product.coin
        portfolio, amount = self.state.portfolio(name), coin.from_quanta(quanta)
        portfolio.cash = EXACT.subtract(portfolio.cash, amount)
        portfolio.payable = EXACT.subtract(portfolio.payable, amount)
        pair = Pair((name, ProductAccount.PAYABLE), (name, ProductAccount.CASH), amount, coin.name)
        self.today.drafts.append(Draft(TransactionKind.PAYOUT, self.day, name, 0, (pair,)))

    # The end of the day

    def accrue(self, lending: AutoLending) -> None:
        """Credit what each holder earned that day."""
        for product in self.in_force:
            enrollments = self._enrollments(
                product, lending.pools.get((product.venue, product.coin.name))
            )
            if product.terms.bills is None:
                for enrollment in enrollments:
                    self._observed(enrollment)
            else:
                self._backed(product, product.terms.bills, enrollments)
            period = periods.period_of(product.terms.payout, self.day)
            for enrollment in enrollments:
                holder = enrollment.holder
                self._bonus(enrollment)
                earned = self.days.get((holder, product.name))
                if earned is None:
                    continue
                earned.enrolled = enrollment.hours
                if period is not None and (earned.treasury or earned.bonus):
                    accrual = self.state.accrual(holder, product.coin.name)
                    accrual.accrue(period, earned.treasury, earned.bonus)

    def _enrollments(self, product: Product, pool: PoolLending | None) -> list[Enrollment]:
        """Return what each sub-account that lends has in a product."""
        # Lending notes its principal in each hour, even if it earned nothing, so that this yield
        # never rests on interest.
        enrollments: list[Enrollment] = []
        start = at_slot(self.day, 0)
        for account in pool.accounts if pool is not None else ():
            hours = account.day.hours
            if not any(hours):
                continue
            terms = account.switches.at(start)
            if terms is None or not terms.earn or account.switches.changes(start, end_of(self.day)):
                hours = [
                    lent
                    if (terms := account.switches.at(at_slot(self.day, hour))) and terms.earn
                    else NO_QUANTA
                    for hour, lent in enumerate(hours)
                ]
            if any(hours):
                enrollments.append(Enrollment(product, account.day.sub_account, hours))
        return enrollments

    def _observed(self, enrollment: Enrollment) -> None:
        """Credit treasury yield at the rate that the venue announces."""
        product, holder, _ = enrollment
        key = (product.venue, product.name)
        rate = in_force(self.book.yields.rates, key, at_slot(self.day, 0))
        if rate is None:
            at, date = product.terms.source, iso(self.day)
            self.problems.append(problems.missing_treasury_rate(at, product.name, holder, date))
            return
        if rate.row_day is not None:
            self._aged(holder, product.name, product.coin, rate.row_day)
        growth = yields.daily_growth(rate.rate)
        self._credit(enrollment, growth, {"rate": decimal_text(rate.rate)})

    def _aged(self, holder: str, name: str, coin: Coin, row_day: Day) -> None:
        limit = self.book.stale_limit(coin.name)
        if self.day - row_day > limit:
            at = self.book.moved(holder, coin.name, self.day)
            row, date = iso(row_day), iso(self.day)
            self.problems.append(
                problems.old_treasury_rate(at, holder, name, row, date, limit, coin.name)
            )

    def _credit(self, enrollment: Enrollment, growth: int, proof: Mapping[str, str]) -> None:
        """Credit treasury yield to a holder."""
        product, holder, hours = enrollment
        principal = total_quanta(hours)
        accrual = self.state.accrual(holder, product.coin.name)
        before = accrual.carry_treasury
        credit, accrual.carry_treasury = yields.earned(principal, growth, before)
        earned = self._day_of(product, holder)
        earned.hours = Quanta(earned.hours + principal)
        earned.treasury = Quanta(earned.treasury + credit)
        figures = _figures(product, "treasury", principal, proof, growth)
        carries = (before, accrual.carry_treasury)
        self._pair(holder, Side.TREASURY, product.coin, credit, carries, figures)

    def _bonus(self, enrollment: Enrollment) -> None:
        """Credit a bonus to a holder, for the principal up to its cap."""
        product, holder, hours = enrollment
        bonus = in_force(self.book.yields.bonuses, (holder, product.name), at_slot(self.day, 0))
        if bonus is None:
            return
        proof = {"rate": decimal_text(bonus.rate)}
        principal = total_quanta(hours)
        if bonus.cap is not None:
            cap = product.coin.whole_quanta(bonus.cap)
            principal = total_quanta([min(lent, cap) for lent in hours])
            proof["cap"] = decimal_text(bonus.cap)
        accrual = self.state.accrual(holder, product.coin.name)
        before = accrual.carry_bonus
        growth = yields.daily_growth(bonus.rate)
        credit, accrual.carry_bonus = yields.earned(principal, growth, before)
        of_holder = self._day_of(product, holder)
        of_holder.bonus = Quanta(of_holder.bonus + credit)
        figures = _figures(product, "bonus", principal, proof, growth)
        carries = (before, accrual.carry_bonus)
        self._pair(holder, Side.BONUS, product.coin, credit, carries, figures)

    def _pair(
        self,
        holder: str,
        income: Side,
        coin: Coin,
        credit: Quanta,
        carries: tuple[Carry, Carry],
        figures: dict[str, str],
    ) -> None:
        """Post a credit, if there is one or the carry has changed."""
        if not credit and carries[0] == carries[1]:
            return
        figures["carry"] = coin.carry_text(carries[0])
        figures["carry-after"] = coin.carry_text(carries[1])
        figures |= self._price(coin)
        places = ((holder, Side.ACCRUED_YIELD), (holder, income))
        pair = Pair(*places, coin.from_quanta(credit), coin.name, figures)
        self._post(holder, coin, pair)

    # Bills

    def _backed(self, product: Product, backing: Bills, enrollments: Sequence[Enrollment]) -> None:
        """Divide the income of a product's bills among its holders."""
        name, coin = product.name, product.coin
        portfolio = self.state.portfolio(name)
        lots = self._lots(product, backing)
        income, before = bills.income(lots), portfolio.left_over
        total = total_quanta(total_quanta(enrollment.hours) for enrollment in enrollments)
        division = bills.divide(income, before, backing.fee, total, coin)
        portfolio.accretion = EXACT.add(portfolio.accretion, income)
        proof = {
            "distributable": decimal_text(division.distributable),
            "total-hours": coin.quanta_text(total),
        }
        for enrollment in enrollments:
            self._credit(enrollment, division.growth, proof)
        distributed = total_quanta(
            day.treasury for day in self.days.values() if day.product == name
        )
        given = coin.from_quanta(distributed)
        portfolio.payable = EXACT.add(portfolio.payable, given)
        portfolio.left_over = EXACT.subtract(division.distributable, given)
        left_over, fee = portfolio.left_over, division.fee
        day = ProductDay(name, product.venue, coin, income, fee, distributed, before, left_over)
        self.today.products.append(day)
        self._post_product(day, lots, division, total)
        self._compare(product, lots)
        self._fund(product)

    def _fund(self, product: Product) -> None:
        """Report a Cash below zero at the end of the day, on the first day of a run."""
        cash = self.state.portfolio(product.name).cash
        if cash < 0 <= self.morning[product.name]:
            texts = (product.name, iso(self.day), decimal_text(cash), product.coin.name)
            self.problems.append(problems.cash_below_zero(product.terms.source, *texts))

    def _lots(self, product: Product, backing: Bills) -> list[Held]:
        """Return the lots of a product's bills at the end of the day."""
        portfolio, maturities = self.state.portfolio(product.name), self.book.yields.maturities
        return list(bills.held(portfolio, backing, maturities, product.coin, self.day))

    def _post_product(
        self, day: ProductDay, lots: Sequence[Held], division: Division, total: Quanta
    ) -> None:
        """Post the accretion of a product's bills, and what its holders get of it."""
        name, coin, pairs = day.product, day.coin, []
        if day.income:
            worth = bills.worth(lots)
            proof = {
                "product": name,
                "bills": " ".join(f"{decimal_text(lot.face)} {lot.bill}" for lot in lots),
                "value-before": decimal_text(EXACT.subtract(worth, day.income)),
                "value": decimal_text(worth),
                **self._price(coin),
            }
            places = ((name, ProductAccount.ACCRETION), (name, ProductAccount.DISCOUNT))
            pairs.append(Pair(*places, bills.written(day.income, coin), coin.name, proof))
        if day.distributed or day.left_over != day.before:
            proof = {
                "product": name,
                "income": decimal_text(day.income),
                "fee": coin.quanta_text(day.fee),
                "left-over": decimal_text(day.before),
                "distributable": decimal_text(division.distributable),
                "total-hours": coin.quanta_text(total),
                "growth": _growth(division.growth),
                "left-over-after": decimal_text(day.left_over),
            }
            places = ((name, ProductAccount.DISTRIBUTED), (name, ProductAccount.PAYABLE))
            pairs.append(Pair(*places, coin.from_quanta(day.distributed), coin.name, proof))
        if pairs:
            self.today.drafts.append(
                Draft(TransactionKind.TREASURY, self.day, name, 0, tuple(pairs))
            )

    def compare(self) -> None:
        """Note by how much Accretion differs at the end of a closed day, which reported it."""
        for product in self.in_force:
            if product.terms.bills is not None:
                self._compare(product, self._lots(product, product.terms.bills))

    def _compare(self, product: Product, lots: Sequence[Held]) -> None:
        """Report an Accretion that differs from that of the lots, on the first day of a run."""
        name = product.name
        booked, accreted = self.state.portfolio(name).accretion, bills.accretion(lots)
        off = EXACT.subtract(booked, accreted)
        if off and off != self.state.differing.get(name):
            date = iso(self.day)
            texts = (decimal_text(booked), decimal_text(accreted))
            self.problems.append(
                problems.accretion_differs(
                    product.terms.source, name, date, *texts, product.coin.name
                )
            )
        self.state.differing[name] = off

    # The Yield memorandum

    def enroll(self) -> None:
        """Set the Yield memorandum to the principal that is enrolled at the end of the day."""
        for product in self.in_force:
            coin = product.coin
            for holder in self._holders(product.venue):
                holding = self.state.holdings.get(holder, {}).get(coin.name)
                terms = self.book.sub_accounts[holder].at(end_of(self.day))
                earns = holding is not None and terms is not None and terms.earn
                lent = holding.carried.lent if holding is not None and earns else NO_QUANTA
                accrual = self.state.accruals.get((holder, coin.name))
                if lent == (accrual.enrolled if accrual is not None else 0):
                    continue
                accrual = self.state.accrual(holder, coin.name)
                change, accrual.enrolled = Quanta(lent - accrual.enrolled), lent
                places = ((holder, Side.YIELD), (holder, Side.CAPITAL))
                self._post(holder, coin, Pair(*places, coin.from_quanta(change), coin.name))
        for holder, coins in self.pairs.items():
            pairs = [pair for coin in sorted(coins) for pair in coins[coin]]
            self.today.drafts.append(
                Draft(TransactionKind.TREASURY, self.day, holder, 0, tuple(pairs))
            )

    def _post(self, holder: str, coin: Coin, pair: Pair) -> None:
        self.pairs.setdefault(holder, {}).setdefault(coin.name, []).append(pair)

    def _holders(self, venue: str) -> Iterable[str]:
        """Return the sub-accounts of a venue, by name."""
        names = sorted(self.book.sub_accounts)
        return [name for name in names if self.book.venue(name) == venue]

    def _day_of(self, product: Product, holder: str) -> YieldDay:
        """Return the day of a holder of a product, and note it when it is first asked for."""
        key = (holder, product.name)
        if key not in self.days:
            self.days[key] = YieldDay(holder, product.venue, product.name, product.coin)
            self.today.yields.append(self.days[key])
        return self.days[key]

    def _price(self, coin: Coin) -> dict[str, str]:
        """Return the coin's price of that very day, if it has one."""
        price = self.book.price_of(coin.name, self.day)
        return {} if price is None else {"price": decimal_text(price)}


def _figures(
    product: Product, source: str, principal: Quanta, proof: Mapping[str, str], growth: int
) -> dict[str, str]:
    """Return the figures that a credit rests on, by name.

    principal  sum over the hours, quanta
    """
    hours = product.coin.quanta_text(principal)
    head = {"product": product.name, "source": source, "principal-hours": hours}
    return {**head, **proof, "growth": _growth(growth)}


def _growth(growth: int) -> str:
    return without_trailing_zeros(fixed_point_text(growth, 18))
