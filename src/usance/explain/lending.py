"""Explain lending: the steps behind interest, borrows, repayments and the Lent memorandum."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from itertools import groupby

from usance.engine.records import Borrow, LendingDay, PoolDay, Segment
from usance.engine.state import Holding
from usance.explain.working import Lived, Opening, Quoted, TermsInForce, Working, carried, exact
from usance.model.accounts import Side
from usance.model.amounts import EXACT, PRECISE, UNIT, ZERO, Coin, decimal_text, total
from usance.model.book import Movement
from usance.model.hours import SLOTS, slot_of
from usance.model.terms import CurvePool
from usance.rules.pool_rates import utilization

Flow = tuple[int, str, Decimal]
"""From which slot on, what it is, coins: what changes a balance."""


def lending(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of what a sub-account earned in a day."""
    for coin in _coins(lived, name):
        if coin.lent or coin.before.lent != coin.after.lent:
            _Side(work, lived, coin, "lent").explain()


def borrowing(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of what a sub-account borrowed, repaid and was charged in a day."""
    for coin in _coins(lived, name):
        if coin.owed or coin.borrows:
            _Side(work, lived, coin, "owed").explain()


def _coins(lived: Lived, name: str) -> list[LendingDay]:
    found = [coin for coin in lived.day.coins if coin.sub_account == name]
    return sorted(found, key=lambda coin: coin.coin.name)


class _Side:
    """What was lent, or owed, of one coin of one sub-account in a day."""

    def __init__(self, work: Working, lived: Lived, day: LendingDay, side: str) -> None:
        self.work = work
        self.lived = lived
        self.day = day
        self.coin = day.coin
        self.lends = side == "lent"
        self.segments = day.lent if self.lends else day.owed
        self.start = lived.day.day * SLOTS
        key = (day.venue, self.coin.name)
        self.pool = next(
            (pool for pool in lived.day.pools if (pool.venue, pool.coin.name) == key), None
        )

    def explain(self) -> None:
        """Note the steps, and the directives that they rest on."""
        name, coin = self.day.sub_account, self.coin.name
        self.work.cite(
            TermsInForce("sub-account", name, ""),
            TermsInForce("commodity", coin, ""),
            TermsInForce("lending-pool", coin, self.day.venue),
            Opening(name, Side.WALLET if self.lends else Side.BORROWED, coin),
        )
        moved = self._moved()
        self.work.cite(*(movement.source for movement in moved))
        if not self.lends:
            for borrow in self.day.borrows:
                self._borrow(borrow, moved)
            self._net()
        for segment, before in zip(self.segments, [None, *self.segments], strict=False):
            self._segment(segment, before)
        self._interest()
        if self.lends:
            self.work.cite(Quoted(coin, self.lived.book.operating))
            self._memorandum()

    def _moved(self) -> list[Movement]:
        key = (self.day.sub_account, self.coin.name)
        side = Side.WALLET if self.lends else Side.BORROWED
        of_day = self.lived.book.movements.get(key, {}).get(self.lived.day.day, ())
        # A borrow or repayment is decided on what moved the wallet.
        return [m for m in of_day if m.side is side or (not self.lends and m.side is Side.WALLET)]

    def _say(self, text: str) -> str:
        return f"{self.coin.name}: {text}"

    # Principal

    def _segment(self, segment: Segment, before: Segment | None) -> None:
        clock = f"{segment.since:02}:00 to {segment.since + segment.hours:02}:00"
        self._principal(segment, before, clock)
        assert self.pool is not None
        hourly = self.pool.supply if self.lends else self.pool.borrow
        rates = [rate for rate in hourly[segment.since :][: segment.hours] if rate is not None]
        self._growth(segment, rates, clock)
        self._rates(segment)
        principal = self.coin.from_quanta(segment.principal)
        what = self._say("lent" if self.lends else "owed")
        self.work.compound(what, segment.since, principal, rates)
        if self.lends:
            base = ("principal", segment.principal)
            what = self._say(clock)
            carry, credit = segment.carry, segment.interest
            self.work.credit(what, self.coin, base, segment.growth, carry, credit)
        else:
            self._charge(segment, clock)

    def _principal(self, segment: Segment, before: Segment | None, clock: str) -> None:
        """Note how a balance came to be the principal of a segment."""
        since = -1 if before is None else before.since
        parts: dict[str, Decimal] = {}
        if before is None:
            parts["balance at 00:00"] = self._balance(self._holding_before())
        else:
            # From one segment to the next what is finer than a quantum stays where it is.
            until = [flow for flow in self._flows() if flow[0] <= before.since]
            opening = self._balance(self._holding_before())
            parts[f"balance at {before.since:02}:00"] = total([opening, *(n for _, _, n in until)])
        for slot, what, number in self._flows():
            if since < slot <= segment.since:
                parts[what] = EXACT.add(parts.get(what, ZERO), number)
        rounding = "floor" if self.lends else "ceil"
        self.work.step(
            self._say(f"principal from {clock}"),
            f"principal = {rounding}(({' + '.join(parts)}) / quantum) x quantum",
            {**parts, "quantum": self.coin.quantum},
            self.coin.from_quanta(segment.principal),
            self.coin.name,
        )

    def _holding_before(self) -> Holding:
        of_name = self.lived.before.holdings.get(self.day.sub_account, {})
        return of_name.get(self.coin.name, Holding())

    def _balance(self, holding: Holding) -> Decimal:
        return self.coin.from_grains(holding.held if self.lends else holding.owed)

    def _flows(self) -> list[Flow]:
        """Return what changes the balance up to the last hour, in order of time."""
        found: list[Flow] = []
        side = Side.WALLET if self.lends else Side.BORROWED
        sign = Decimal(1) if self.lends else Decimal(-1)
        for movement in self._moved():
            if movement.side is side:
                number = EXACT.multiply(sign, movement.quantity)
                found.append((slot_of(movement.moment), "moved", number))
        for borrow in self.day.borrows:
            quanta = borrow.quanta if self.lends else borrow.quanta + borrow.fee
            found.append((borrow.slot, "borrowed", self.coin.from_quanta(quanta)))
        word = "credit" if self.lends else "charge"
        for segment in self.segments:
            end = segment.since + segment.hours
            found.append((end, word, self.coin.from_quanta(segment.interest)))
        if self.lends:
            found += [(0, "payout", self.coin.from_quanta(paid)) for paid in self._paid() if paid]
        return sorted(found)

    def _paid(self) -> list[int]:
        name, coin = self.day.sub_account, self.coin.name
        yields = self.lived.day.yields
        return [made.paid for made in yields if (made.sub_account, made.coin.name) == (name, coin)]

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
                self._say(f"mean rate, {clock}"),
                f"rate = round(({' + '.join(products)}) / hours, 18)",
                {**values, "hours": Decimal(segment.hours)},
                segment.rate,
                "",
            )
        self.work.step(
            self._say(f"growth, {clock}"),
            f"growth = round({' x '.join(factors)} - 1, 18)",
            values,
            exact(segment.growth, 18),
            "",
        )

    def _rates(self, segment: Segment) -> None:
        """Cite what gave the rates of some hours, or note how a pool's use gave the first."""
        book = self.lived.book
        key = (self.day.venue, self.coin.name)
        for hour in range(segment.since, segment.since + segment.hours):
            pool = book.pools[key].at(self.start + hour)
            if isinstance(pool, CurvePool):
                if self.pool is not None and (self.work.detailed or hour == segment.since):
                    self._curve(pool, self.pool, hour)
            elif (rates := book.rates[key].at(self.start + hour)) is not None:
                self.work.cite(rates.source)

    def _curve(self, pool: CurvePool, of_day: PoolDay, hour: int) -> None:
        """Note how the use of a curve pool gave the rates of an hour."""
        lent, borrowed = of_day.totals[hour] or (ZERO, ZERO)
        supply, borrow = of_day.supply[hour], of_day.borrow[hour]
        assert supply is not None and borrow is not None
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
            self._say(f"borrow APR at {clock}"),
            f"borrow APR = {formula}",
            {**slopes, "utilization": used, "optimal": optimal},
            borrow,
            "",
        )
        if self.lends:
            self.work.step(
                self._say(f"supply APR at {clock}"),
                "supply APR = borrow APR x utilization x (1 - fee)",
                {"borrow APR": borrow, "utilization": used, "fee": pool.fee},
                supply,
                "",
            )

    def _utilization(self, lent: Decimal, borrowed: Decimal, clock: str) -> Decimal:
        with localcontext(PRECISE):
            used = utilization(lent, borrowed)
        formula, values = f"utilization = {decimal_text(used)}", {}
        if borrowed > 0 and lent > 0:
            values = {"borrowed": borrowed, "lent": lent}
            formula = "utilization = min(1, borrowed / lent)"
        return self.work.step(
            self._say(f"utilization of the pool at {clock}"), formula, values, used, ""
        )

    # Borrowers

    def _charge(self, segment: Segment, clock: str) -> None:
        coin = self.coin
        values = {
            "principal": coin.from_quanta(segment.principal),
            "growth": exact(segment.growth, 18),
            "carry": carried(coin, segment.carry),
        }
        charge = coin.from_quanta(segment.interest)
        self.work.step(
            self._say(f"{clock}: charge, rounded up"),
            "charge = ceil((principal x growth - carry) / quantum) x quantum",
            {**values, "quantum": coin.quantum},
            charge,
            coin.name,
        )
        left = segment.interest * UNIT - segment.principal * segment.growth + segment.carry
        self.work.step(
            self._say(f"{clock}: carry, a prepayment"),
            "carry after = charge - (principal x growth - carry)",
            {**values, "charge": charge},
            carried(coin, left),
            coin.name,
        )

    def _borrow(self, borrow: Borrow, moved: Iterable[Movement]) -> None:
        coin = self.coin
        at = f"at {borrow.slot:02}:00"
        if borrow.quanta < 0:
            self.work.step(
                self._say(f"repayment {at}"),
                "repayment = floor(min(units without cost, balance, owed) / quantum) x quantum",
                {
                    "units without cost": coin.from_grains(borrow.free),
                    "balance": coin.from_grains(borrow.held),
                    "owed": coin.from_grains(borrow.owed),
                    "quantum": coin.quantum,
                },
                coin.from_quanta(-borrow.quanta),
                coin.name,
            )
            return
        amount = coin.from_quanta(borrow.quanta)
        self.work.step(
            self._say(f"borrow {at}, what the wallet is short of"),
            "borrow = ceil(-balance / quantum) x quantum",
            {"balance": coin.from_grains(borrow.held), "quantum": coin.quantum},
            amount,
            coin.name,
        )
        if borrow.fee:
            last = [m for m in moved if slot_of(m.moment) == borrow.slot][-1]
            rates = self.lived.book.rates[self.day.venue, coin.name].at(
                self.start + borrow.slot - 1
            )
            assert rates is not None
            self.work.cite(rates.source)
            self.work.step(
                self._say(f"entry fee {at}, for the seconds to the full hour"),
                "entry fee = ceil(borrow x rate x seconds / (8760 x 3600 x quantum)) x quantum",
                {
                    "borrow": amount,
                    "rate": rates.borrow,
                    "seconds": Decimal(borrow.slot * 3600 - last.seconds),
                    "quantum": coin.quantum,
                },
                coin.from_quanta(borrow.fee),
                coin.name,
            )

    def _net(self) -> None:
        if len(self.day.borrows) > 1:
            parts = {
                f"borrowed at {borrow.slot:02}:00 ({number})": self.coin.from_quanta(borrow.quanta)
                for number, borrow in enumerate(self.day.borrows, 1)
            }
            net = self.coin.from_quanta(self.day.borrowed)
            self.work.total(self._say("net borrow"), "borrowed", parts, self.coin.name, net)

    # The day

    def _interest(self) -> None:
        word = "credit" if self.lends else "charge"
        parts = {
            f"{word} {number}": self.coin.from_quanta(segment.interest)
            for number, segment in enumerate(self.segments, 1)
        }
        if not self.lends and self.day.entry_fee:
            parts["entry fees"] = self.coin.from_quanta(self.day.entry_fee)
        if len(parts) > 1:
            made = self.coin.from_quanta(self.day.earned if self.lends else self.day.paid)
            self.work.total(self._say("interest"), "interest", parts, self.coin.name, made)

    def _memorandum(self) -> None:
        coin, before, after = self.coin, self.day.before.lent, self.day.after.lent
        if before == after:
            return
        parts = {"balance at 00:00": self._balance(self._holding_before())}
        moved = [m.quantity for m in self._moved() if m.side is Side.WALLET]
        if moved:
            parts["moved"] = total(moved)
        parts |= _posted(self.lived, self.day.sub_account, coin)
        held = self.work.total(
            self._say("balance at the end of the day"),
            "balance",
            parts,
            coin.name,
            total(parts.values()),
        )
        if after:
            self.work.step(
                self._say("lent at the end of the day"),
                "lent = floor(balance / quantum) x quantum",
                {"balance": held, "quantum": coin.quantum},
                coin.from_quanta(after),
                coin.name,
            )
        self.work.step(
            self._say("change of the Lent memorandum"),
            "change = lent - lent before",
            {"lent": coin.from_quanta(after), "lent before": coin.from_quanta(before)},
            coin.from_quanta(after - before),
            coin.name,
        )


def _posted(lived: Lived, name: str, coin: Coin) -> dict[str, Decimal]:
    """Return what each kind of a day's transactions put into a wallet (out of it: negative)."""
    found: dict[str, Decimal] = {}
    wallet = (name, Side.WALLET)
    for draft in lived.day.drafts:
        numbers = [
            leg.amount for leg in draft.legs if (leg.place, leg.currency) == (wallet, coin.name)
        ]
        for pair in draft.pairs:
            if pair.currency == coin.name and wallet in (pair.debit, pair.credit):
                sign = Decimal(1) if pair.debit == wallet else Decimal(-1)
                numbers.append(EXACT.multiply(sign, pair.amount))
        if numbers:
            found[draft.kind] = total([found.get(draft.kind, ZERO), *numbers])
    return found
