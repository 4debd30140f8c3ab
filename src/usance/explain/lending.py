"""Explain lending: the steps behind the interest of a loan and the Lent memorandum."""

from collections.abc import Iterator
from decimal import Decimal

from usance.engine.records import LendingDay, PoolDay, Segment
from usance.engine.state import Holding
from usance.explain.interest import Balance, Flow, coins_of
from usance.explain.working import Lived, Quoted, Working
from usance.model.accounts import Side
from usance.model.amounts import EXACT, ZERO, Coin, Quanta, total
from usance.model.hours import slot_of
from usance.model.terms import CurvePool


def lending(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of the interest that a sub-account earned in a day."""
    for coin in coins_of(lived, name):
        if coin.lent or coin.before.lent != coin.after.lent:
            Loan(work, lived, coin).explain()


class Loan(Balance):
    """The loan of a sub-account in a coin, and its interest."""

    account = Side.WALLET
    moves = (Side.WALLET,)
    name = "lent"
    interest = "credit"
    rounding = "floor"

    def __init__(self, work: Working, lived: Lived, day: LendingDay) -> None:
        super().__init__(work, lived, day)
        self.segments = day.lent
        self.hourly = self.pool.supply if self.pool is not None else ()

    def explain(self) -> None:
        """Note the steps, and the directives that they rest on."""
        self.cite()
        if self.day.imported is None:
            self.each_segment()
            self.total(self.day.earned, {})
        self.work.cite(Quoted(self.coin.name, self.lived.book.operating))
        self._memorandum()

    def balance(self, holding: Holding) -> Decimal:
        """Return the balance of the wallet, coins."""
        return self.coin.from_grains(holding.held)

    def earned(self, segment: Segment, clock: str) -> None:
        """Note the arithmetic of a segment's credit and of its carry."""
        base = ("principal", segment.principal)
        carry, credit = segment.carry, segment.interest
        self.work.credit(self.say(clock), self.coin, base, segment.growth, carry, credit)

    def own_flows(self) -> Iterator[Flow]:
        """Yield movements, borrows, repayments and payouts."""
        for movement in self.moved():
            yield slot_of(movement.moment), "moved", movement.quantity
        for borrow in self.day.borrows:
            yield borrow.slot, "borrowed", self.coin.from_quanta(borrow.quanta)
        for paid in self._paid():
            if paid:
                yield 0, "payout", self.coin.from_quanta(paid)

    def _paid(self) -> list[Quanta]:
        name, coin = self.day.sub_account, self.coin.name
        yields = self.lived.day.yields
        return [
            product.paid
            for product in yields
            if (product.sub_account, product.coin.name) == (name, coin)
        ]

    def curve(self, pool: CurvePool, of_day: PoolDay, hour: int) -> Decimal:
        """Note the arithmetic from a curve pool's use to an hour's supply APR; return the use."""
        used = super().curve(pool, of_day, hour)
        supply, borrow = of_day.supply[hour], of_day.borrow[hour]
        assert supply is not None and borrow is not None
        self.work.step(
            self.say(f"supply APR at {hour:02}:00"),
            "supply APR = borrow APR x utilization x (1 - fee)",
            {"borrow APR": borrow, "utilization": used, "fee": pool.fee},
            supply,
            "",
        )
        return used

    def _memorandum(self) -> None:
        coin, before, after = self.coin, self.day.before.lent, self.day.after.lent
        if before == after:
            return
        parts = {"balance at 00:00": self.balance(self.holding_before())}
        moved = [movement.quantity for movement in self.moved()]
        if moved:
            parts["moved"] = total(moved)
        parts |= _posted(self.lived, self.day.sub_account, coin)
        held = self.work.total(
            self.say("balance at the end of the day"),
            "balance",
            parts,
            coin.name,
            total(parts.values()),
        )
        if after:
            self.work.step(
                self.say("lent at the end of the day"),
                "lent = floor(balance / quantum) x quantum",
                {"balance": held, "quantum": coin.quantum},
                coin.from_quanta(after),
                coin.name,
            )
        self.work.step(
            self.say("change of the Lent memorandum"),
            "change = lent - lent before",
            {"lent": coin.from_quanta(after), "lent before": coin.from_quanta(before)},
            coin.from_quanta(Quanta(after - before)),
            coin.name,
        )


def _posted(lived: Lived, name: str, coin: Coin) -> dict[str, Decimal]:
    """Return the coins that each kind of a day's transactions put into a wallet (out: negative)."""
    by_kind: dict[str, Decimal] = {}
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
            by_kind[draft.kind] = total([by_kind.get(draft.kind, ZERO), *numbers])
    return by_kind
