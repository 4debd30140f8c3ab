"""Explain interest: the arithmetic of a balance and of its interest, segment by segment."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import groupby

from usance.engine.records import LendingDay, PoolDay, Segment
from usance.engine.state import Holding
from usance.explain.working import Lived, Opening, TermsInForce, Working, exact
from usance.model.accounts import Side
from usance.model.amounts import EXACT, PRECISE, ZERO, Quanta, decimal_text, total
from usance.model.book import Movement
from usance.model.hours import at_slot
from usance.model.terms import CurvePool
from usance.rules.pool_rates import utilization

Flow = tuple[int, str, Decimal]
"""A change of a balance: the slot from which it counts, its name, coins."""


def coins_of(lived: Lived, name: str) -> list[LendingDay]:
    """Return the day of each coin of a sub-account, sorted by the coin's name."""
    coins = [coin for coin in lived.day.coins if coin.sub_account == name]
    return sorted(coins, key=lambda coin: coin.coin.name)


class Balance(ABC):
    """The balance of one coin of one sub-account that earned or paid interest in a day.

    account   that holds it
    moves     accounts whose movements change it, or decide on a borrow or repayment
    name      of the balance in the steps
    interest  name of its interest in the steps
    rounding  of the principal
    segments  of the day
    hourly    the pool's rates for the balance, by hour
    """

    account: Side
    moves: tuple[Side, ...]
    name: str
    interest: str
    rounding: str
    segments: list[Segment]
    hourly: Sequence[Decimal | None]

    def __init__(self, work: Working, lived: Lived, day: LendingDay) -> None:
        self.work = work
        self.lived = lived
        self.day = day
        self.coin = day.coin
        key = (day.venue, self.coin.name)
        self.pool = next(
            (pool for pool in lived.day.pools if (pool.venue, pool.coin.name) == key), None
        )

    @abstractmethod
    def explain(self) -> None:
        """Note the steps, and the directives that they rest on."""

    @abstractmethod
    def balance(self, holding: Holding) -> Decimal:
        """Return the balance, coins."""

    @abstractmethod
    def earned(self, segment: Segment, clock: str) -> None:
        """Note the arithmetic of a segment's interest, and of the carry after it."""

    def cite(self) -> None:
        """Cite the terms, the opening balance and the movements."""
        name, coin = self.day.sub_account, self.coin.name
        self.work.cite(
            TermsInForce("sub-account", name, ""),
            TermsInForce("commodity", coin, ""),
            TermsInForce("lending-pool", coin, self.day.venue),
            Opening(name, self.account, coin),
        )
        self.work.cite(*(movement.source for movement in self.moved()))

    def moved(self) -> list[Movement]:
        """Return the day's movements that count for the balance."""
        key = (self.day.sub_account, self.coin.name)
        of_day = self.lived.book.movements.get(key, {}).get(self.lived.day.day, ())
        return [movement for movement in of_day if movement.side in self.moves]

    def say(self, text: str) -> str:
        """Return the title of a step, with the name of the coin."""
        return f"{self.coin.name}: {text}"

    # Principal

    def each_segment(self) -> None:
        """Note the arithmetic of each segment's principal, rate and interest."""
        for segment, before in zip(self.segments, [None, *self.segments], strict=False):
            self._segment(segment, before)

    def _segment(self, segment: Segment, before: Segment | None) -> None:
        clock = f"{segment.since:02}:00 to {segment.since + segment.hours:02}:00"
        self._principal(segment, before, clock)
        rates = [rate for rate in self.hourly[segment.since :][: segment.hours] if rate is not None]
        self._growth(segment, rates, clock)
        self._rates(segment)
        principal = self.coin.from_quanta(segment.principal)
        self.work.compound(self.say(self.name), segment.since, principal, rates)
        self.earned(segment, clock)

    def _principal(self, segment: Segment, before: Segment | None, clock: str) -> None:
        """Note the arithmetic from a balance to the principal of a segment."""
        since = -1 if before is None else before.since
        parts: dict[str, Decimal] = {}
        if before is None:
            parts["balance at 00:00"] = self.balance(self.holding_before())
        else:
            # The part of a balance below a quantum carries over from one segment to the next.
            until = [flow for flow in self._flows() if flow[0] <= before.since]
            opening = self.balance(self.holding_before())
            parts[f"balance at {before.since:02}:00"] = total([opening, *(n for _, _, n in until)])
        for slot, what, number in self._flows():
            if since < slot <= segment.since:
                parts[what] = EXACT.add(parts.get(what, ZERO), number)
        self.work.step(
            self.say(f"principal from {clock}"),
            f"principal = {self.rounding}(({' + '.join(parts)}) / quantum) x quantum",
            {**parts, "quantum": self.coin.quantum},
            self.coin.from_quanta(segment.principal),
            self.coin.name,
        )

    def holding_before(self) -> Holding:
        """Return the holding at 00:00."""
        of_name = self.lived.before.holdings.get(self.day.sub_account, {})
        return of_name.get(self.coin.name, Holding())

    def _flows(self) -> list[Flow]:
        """Return the changes of the balance up to the last hour, in order of time."""
        flows = [*self.own_flows()]
        for segment in self.segments:
            end = segment.since + segment.hours
            flows.append((end, self.interest, self.coin.from_quanta(segment.interest)))
        return sorted(flows)

    @abstractmethod
    def own_flows(self) -> Iterator[Flow]:
        """Yield the changes of this balance, except its interest."""

    # Growth

    def _growth(self, segment: Segment, rates: list[Decimal], clock: str) -> None:
        runs = [(rate, len(list(run))) for rate, run in groupby(rates)]
        values: dict[str, Decimal] = {}
        factors, products = [], []
        for number, (rate, hours) in enumerate(runs, 1):
            behind = f" {number}" if len(runs) > 1 else ""
            values |= {f"rate{behind}": rate, f"hours{behind}": Decimal(hours)}
            factors.append(f"(1 + rate{behind}/8760)^hours{behind}")
            products.append(f"rate{behind} x hours{behind}")
        if len(runs) > 1:
            self.work.step(
                self.say(f"mean rate, {clock}"),
                f"rate = round(({' + '.join(products)}) / hours, 18)",
                {**values, "hours": Decimal(segment.hours)},
                segment.rate,
                "",
            )
        self.work.step(
            self.say(f"growth, {clock}"),
            f"growth = round({' x '.join(factors)} - 1, 18)",
            values,
            exact(segment.growth, 18),
            "",
        )

    def _rates(self, segment: Segment) -> None:
        """Cite the sources of a segment's observed rates, or note the arithmetic of a curve pool's.

        For a curve pool the steps are those of the first hour; of each hour if `detailed`.
        """
        book = self.lived.book
        key = (self.day.venue, self.coin.name)
        for hour in range(segment.since, segment.since + segment.hours):
            pool = book.pools[key].at(at_slot(self.lived.day.day, hour))
            if isinstance(pool, CurvePool):
                if self.pool is not None and (self.work.detailed or hour == segment.since):
                    self.curve(pool, self.pool, hour)
            elif (rates := book.rates[key].at(at_slot(self.lived.day.day, hour))) is not None:
                self.work.cite(rates.source)

    def curve(self, pool: CurvePool, of_day: PoolDay, hour: int) -> Decimal:
        """Note the arithmetic from a curve pool's use to an hour's borrow APR; return the use."""
        lent, borrowed = of_day.totals[hour] or (ZERO, ZERO)
        borrow = of_day.borrow[hour]
        assert borrow is not None
        clock = f"{hour:02}:00"
        used = self._utilization(lent, borrowed, clock)
        slopes = {"base rate": pool.base_rate, "slope-1": pool.slope_1}
        optimal = pool.optimal_utilization
        if used <= optimal:
            formula = "base rate + slope-1 x utilization / optimal"
        else:
            formula = "base rate + slope-1 + slope-2 x (utilization - optimal) / (1 - optimal)"
            slopes["slope-2"] = pool.slope_2
        self.work.step(
            self.say(f"borrow APR at {clock}"),
            f"borrow APR = {formula}",
            {**slopes, "utilization": used, "optimal": optimal},
            borrow,
            "",
        )
        return used

    def _utilization(self, lent: Decimal, borrowed: Decimal, clock: str) -> Decimal:
        with localcontext(PRECISE):
            used = utilization(lent, borrowed)
        formula, values = f"utilization = {decimal_text(used)}", {}
        if borrowed > 0 and lent > 0:
            values = {"borrowed": borrowed, "lent": lent}
            formula = "utilization = min(1, borrowed / lent)"
        return self.work.step(
            self.say(f"utilization of the pool at {clock}"), formula, values, used, ""
        )

    def total(self, interest: Quanta, others: dict[str, Decimal]) -> None:
        """Note the sum of the day's interest: of the segments, and of the other parts."""
        parts = {
            f"{self.interest} {number}": self.coin.from_quanta(segment.interest)
            for number, segment in enumerate(self.segments, 1)
        }
        parts |= others
        if len(parts) > 1:
            number = self.coin.from_quanta(interest)
            self.work.total(self.say("interest"), "interest", parts, self.coin.name, number)
