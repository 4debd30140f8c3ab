"""Yielding: a day of yield products: payouts at 00:00, accrual at its end, what is enrolled.

What is paid is in the wallet before the first hour lends. A rate, a bonus, its cap and a product's
terms are those at 00:00; `earn` counts by the hour; bills count by date.
"""

from collections.abc import Iterable, Mapping, Sequence

from usance.engine import bills as portfolios
from usance.engine.auto_lending import AutoLending
from usance.engine.bills import Division, Held
from usance.engine.drafts import Draft, Pair, TransactionKind
from usance.engine.lived_day import LivedDay
from usance.engine.pool_lending import PoolLending
from usance.engine.records import ProductDay, YieldDay
from usance.engine.state import State
from usance.model import periods, problems
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import EXACT, Coin, decimal_text, fixed_point_text, without_trailing_zeros
from usance.model.book import Book
from usance.model.hours import HOURS, SLOTS, iso
from usance.model.problems import Problem
from usance.model.terms import Bills, YieldProduct
from usance.rules import yields


class YieldSplit:
    """The yield products of a day.

    terms  of the products in force at 00:00, with venue and name
    pairs  of the treasury transactions, by holder and coin
    days   of holders, by holder and product
    """

    def __init__(self, book: Book, state: State, today: LivedDay) -> None:
        self.book = book
        self.state = state
        self.today = today
        self.day = today.day
        self.terms = [
            (venue, name, product)
            for (venue, name), timeline in sorted(book.yields.products.items())
            if (product := timeline.at(today.day * SLOTS)) is not None
        ]
        self.pairs: dict[str, dict[str, list[Pair]]] = {}
        self.days: dict[tuple[str, str], YieldDay] = {}
        self.problems: list[Problem] = []

    # 00:00

    def take(self) -> None:
        """Take in what a person posted to what backs products."""
        for name, days in self.book.yields.reserved.items():
            for posting in days.get(self.day, ()):
                portfolios.take(self.state.portfolio(name), posting)

    def pay(self) -> None:
        """Pay what accrued in periods that are over, but where a person wrote the payout."""
        # A period is forgotten on the first day after it, whoever paid it, at whatever date. So a
        # run after a closed day needs no memory of payouts. An amount that a person leaves in
        # AccruedYield stays there, shown as unpaid: if the next payout collected it, that would
        # hide a difference with the venue, in a month to which it does not belong.
        paid: dict[str, list[Pair]] = {}
        for venue, name, product in self.terms:
            coin = self.book.coins[product.asset]
            treasury_paid = 0
            for holder in self._holders(venue):
                accrual = self.state.accruals.get((holder, coin.name))
                for period in sorted(accrual.unpaid) if accrual is not None else ():
                    if period.end >= self.day:
                        continue
                    assert accrual is not None
                    of_treasury, of_bonus = accrual.unpaid.pop(period)
                    amount = of_treasury + of_bonus
                    if not amount or (holder, name, period) in self.book.yields.settled:
                        continue
                    proof = {"product": name, "period": period.name}
                    places = ((holder, Side.WALLET), (holder, Side.ACCRUED_YIELD))
                    pair = Pair(*places, coin.from_quanta(amount), coin.name, proof)
                    paid.setdefault(holder, []).append(pair)
                    self.state.holding(holder, coin.name).free += amount * coin.grains_per_quantum
                    self._of(venue, name, coin, holder).paid += amount
                    treasury_paid += of_treasury
            if product.bills is not None and treasury_paid:
                self._pay_out(name, product, coin, treasury_paid)
        for holder, pairs in paid.items():
            ordered = sorted(pairs, key=lambda pair: pair.currency)
            self.today.drafts.append(
                Draft(TransactionKind.PAYOUT, self.day, holder, 0, tuple(ordered))
            )

    def _pay_out(self, name: str, product: YieldProduct, coin: Coin, quanta: int) -> None:
        """Let a product pay its holders out of its cash."""
        portfolio, amount = self.state.portfolio(name), coin.from_quanta(quanta)
        portfolio.cash = EXACT.subtract(portfolio.cash, amount)
        portfolio.payable = EXACT.subtract(portfolio.payable, amount)
        pair = Pair((name, ProductAccount.PAYABLE), (name, ProductAccount.CASH), amount, coin.name)
        self.today.drafts.append(Draft(TransactionKind.PAYOUT, self.day, name, 0, (pair,)))
        if portfolio.cash < 0:
            cash, date = decimal_text(portfolio.cash), iso(self.day)
            self.problems.append(
                problems.cash_below_zero(product.source, name, date, cash, coin.name)
            )

    # The end of the day

    def accrue(self, lending: AutoLending) -> None:
        """Credit what each holder earned that day."""
        for venue, name, product in self.terms:
            coin = self.book.coins[product.asset]
            enrolled = self._enrolled(lending.pools.get((venue, coin.name)))
            if product.bills is None:
                self._observed(venue, name, coin, enrolled)
            else:
                self._backed(venue, name, product, coin, enrolled)
            period = periods.period_of(product.payout, self.day)
            for holder, hours in enrolled.items():
                self._bonus(venue, name, coin, holder, hours)
                made = self.days.get((holder, name))
                if made is not None:
                    made.enrolled = hours
                if made is not None and period is not None and (made.treasury or made.bonus):
                    accrual = self.state.accrual(holder, coin.name)
                    accrual.accrue(period, made.treasury, made.bonus)

    def _enrolled(self, pool: PoolLending | None) -> dict[str, list[int]]:
        """Return the principal enrolled in each hour, quanta, of each sub-account that lends."""
        # Lending notes its principal in each hour, even if it earned nothing, so that this yield
        # never rests on interest.
        found: dict[str, list[int]] = {}
        start = self.day * SLOTS
        for account in pool.accounts if pool is not None else ():
            name, hours = account.day.sub_account, account.day.hours
            if not any(hours):
                continue
            terms = account.switches.at(start)
            if terms is None or not terms.earn or account.switches.changes(start, start + HOURS):
                hours = [
                    lent if (terms := account.switches.at(start + hour)) and terms.earn else 0
                    for hour, lent in enumerate(hours)
                ]
            if any(hours):
                found[name] = hours
        return found

    def _observed(
        self,
        venue: str,
        name: str,
        coin: Coin,
        enrolled: Mapping[str, Sequence[int]],
    ) -> None:
        timeline = self.book.yields.rates.get((venue, name))
        rate = None if timeline is None else timeline.at(self.day * SLOTS)
        for holder, hours in enrolled.items():
            if rate is None:
                at = self.book.last_moved(holder, coin.name)
                date = iso(self.day)
                self.problems.append(problems.missing_treasury_rate(at, holder, name, date))
                continue
            if rate.row_day is not None:
                self._aged(holder, name, coin, rate.row_day)
            growth = yields.daily_growth(rate.rate)
            proof = {"rate": decimal_text(rate.rate)}
            self._credit(venue, name, coin, holder, sum(hours), growth, proof)

    def _aged(self, holder: str, name: str, coin: Coin, row_day: int) -> None:
        limit = self.book.stale_limit(coin.name)
        if self.day - row_day > limit:
            at = self.book.last_moved(holder, coin.name)
            row, date = iso(row_day), iso(self.day)
            self.problems.append(
                problems.old_treasury_rate(at, holder, name, row, date, limit, coin.name)
            )

    def _credit(
        self,
        venue: str,
        name: str,
        coin: Coin,
        holder: str,
        hours: int,
        growth: int,
        proof: Mapping[str, str],
    ) -> None:
        """Credit treasury yield to a holder."""
        accrual = self.state.accrual(holder, coin.name)
        before = accrual.carry_treasury
        credit, accrual.carry_treasury = yields.earned(hours, growth, before)
        made = self._of(venue, name, coin, holder)
        made.hours += hours
        made.treasury += credit
        figures = _figures(name, "treasury", coin, hours, proof, growth)
        carries = (before, accrual.carry_treasury)
        self._pair(holder, Side.TREASURY, coin, credit, carries, figures)

    def _bonus(self, venue: str, name: str, coin: Coin, holder: str, hours: Sequence[int]) -> None:
        """Credit a bonus to a holder, for the principal up to its cap."""
        timeline = self.book.yields.bonuses.get((holder, name))
        bonus = None if timeline is None else timeline.at(self.day * SLOTS)
        if bonus is None:
            return
        proof = {"rate": decimal_text(bonus.rate)}
        counted = list(hours)
        if bonus.cap is not None:
            cap = int(bonus.cap // coin.quantum)
            counted = [min(lent, cap) for lent in hours]
            proof["cap"] = decimal_text(bonus.cap)
        accrual = self.state.accrual(holder, coin.name)
        before = accrual.carry_bonus
        growth = yields.daily_growth(bonus.rate)
        credit, accrual.carry_bonus = yields.earned(sum(counted), growth, before)
        self._of(venue, name, coin, holder).bonus += credit
        figures = _figures(name, "bonus", coin, sum(counted), proof, growth)
        self._pair(holder, Side.BONUS, coin, credit, (before, accrual.carry_bonus), figures)

    def _pair(
        self,
        holder: str,
        income: Side,
        coin: Coin,
        credit: int,
        carries: tuple[int, int],
        figures: dict[str, str],
    ) -> None:
        """Post a credit where there is one, or where the carry changed."""
        if not credit and carries[0] == carries[1]:
            return
        figures["carry"] = coin.carry_text(carries[0])
        figures["carry-after"] = coin.carry_text(carries[1])
        figures |= self._price(coin)
        places = ((holder, Side.ACCRUED_YIELD), (holder, income))
        pair = Pair(*places, coin.from_quanta(credit), coin.name, figures)
        self._post(holder, coin, pair)

    # Bills

    def _backed(
        self,
        venue: str,
        name: str,
        product: YieldProduct,
        coin: Coin,
        enrolled: Mapping[str, Sequence[int]],
    ) -> None:
        assert product.bills is not None
        portfolio = self.state.portfolio(name)
        lots = self._held(name, product.bills, coin, self.day)
        earned, before = portfolios.income(lots), portfolio.left_over
        total = sum(map(sum, enrolled.values()))
        parts = portfolios.divide(earned, before, product.bills.fee, total, coin)
        portfolio.accretion = EXACT.add(portfolio.accretion, earned)
        shared = {
            "distributable": decimal_text(parts.distributable),
            "total-hours": coin.text(total),
        }
        for holder, hours in enrolled.items():
            self._credit(venue, name, coin, holder, sum(hours), parts.growth, shared)
        distributed = sum(
            made.treasury for (_, product_of), made in self.days.items() if product_of == name
        )
        given = coin.from_quanta(distributed)
        portfolio.payable = EXACT.add(portfolio.payable, given)
        portfolio.left_over = EXACT.subtract(parts.distributable, given)
        made = ProductDay(
            name, venue, coin, earned, parts.fee, distributed, before, portfolio.left_over
        )
        self.today.products.append(made)
        self._post_product(made, lots, parts, total)
        self._compare(name, product, coin, lots)

    def _held(self, name: str, bills: Bills, coin: Coin, day: int) -> list[Held]:
        maturities = self.book.yields.maturities
        return list(portfolios.held(self.state.portfolio(name), bills, maturities, coin, day))

    def _post_product(
        self, made: ProductDay, lots: Sequence[Held], parts: Division, total: int
    ) -> None:
        name, coin, pairs = made.product, made.coin, []
        if made.income:
            now, then = portfolios.worth(lots), EXACT.subtract(portfolios.worth(lots), made.income)
            proof = {
                "product": name,
                "bills": " ".join(f"{decimal_text(lot.face)} {lot.bill}" for lot in lots),
                "value-before": decimal_text(then),
                "value": decimal_text(now),
                **self._price(coin),
            }
            places = ((name, ProductAccount.ACCRETION), (name, ProductAccount.DISCOUNT))
            pairs.append(Pair(*places, portfolios.written(made.income, coin), coin.name, proof))
        if made.distributed or made.left_over != made.before:
            proof = {
                "product": name,
                "income": decimal_text(made.income),
                "fee": coin.text(made.fee),
                "left-over": decimal_text(made.before),
                "distributable": decimal_text(parts.distributable),
                "total-hours": coin.text(total),
                "growth": _growth(parts.growth),
                "left-over-after": decimal_text(made.left_over),
            }
            places = ((name, ProductAccount.DISTRIBUTED), (name, ProductAccount.PAYABLE))
            pairs.append(Pair(*places, coin.from_quanta(made.distributed), coin.name, proof))
        if pairs:
            self.today.drafts.append(
                Draft(TransactionKind.TREASURY, self.day, name, 0, tuple(pairs))
            )

    def compare(self) -> None:
        """Note where Accretion differs at the end of a closed day: that was told then."""
        for _, name, product in self.terms:
            if product.bills is not None:
                coin = self.book.coins[product.asset]
                lots = self._held(name, product.bills, coin, self.day)
                self._compare(name, product, coin, lots)

    def _compare(self, name: str, product: YieldProduct, coin: Coin, lots: Sequence[Held]) -> None:
        """Find an Accretion that differs from that of the lots, on the first day of a run."""
        booked, held = self.state.portfolio(name).accretion, portfolios.accretion(lots)
        off = EXACT.subtract(booked, held)
        if off and off != self.state.differing.get(name):
            date = iso(self.day)
            texts = (decimal_text(booked), decimal_text(held))
            self.problems.append(
                problems.accretion_differs(product.source, name, date, *texts, coin.name)
            )
        self.state.differing[name] = off

    # What is enrolled now

    def enroll(self) -> None:
        """Let the Yield memorandum take what is lent and enrolled at the end of the day."""
        for venue, _, product in self.terms:
            coin = self.book.coins[product.asset]
            for holder in self._holders(venue):
                holding = self.state.holdings.get(holder, {}).get(coin.name)
                terms = self.book.sub_accounts[holder].at(self.day * SLOTS + HOURS)
                earns = holding is not None and terms is not None and terms.earn
                lent = holding.lent if holding is not None and earns else 0
                accrual = self.state.accruals.get((holder, coin.name))
                if lent == (accrual.enrolled if accrual is not None else 0):
                    continue
                accrual = self.state.accrual(holder, coin.name)
                change, accrual.enrolled = lent - accrual.enrolled, lent
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

    def _of(self, venue: str, name: str, coin: Coin, holder: str) -> YieldDay:
        """Return the day of a holder of a product, and note it when it is first asked for."""
        key = (holder, name)
        if key not in self.days:
            self.days[key] = YieldDay(holder, venue, name, coin)
            self.today.yields.append(self.days[key])
        return self.days[key]

    def _price(self, coin: Coin) -> dict[str, str]:
        """Return the coin's price of that very day, where it has one."""
        price = self.book.price_of(coin.name, self.day)
        return {} if price is None else {"price": decimal_text(price)}


def _figures(
    name: str, source: str, coin: Coin, hours: int, proof: Mapping[str, str], growth: int
) -> dict[str, str]:
    """Return what a credit was computed from, by name."""
    head = {"product": name, "source": source, "principal-hours": coin.text(hours)}
    return {**head, **proof, "growth": _growth(growth)}


def _growth(growth: int) -> str:
    return without_trailing_zeros(fixed_point_text(growth, 18))
