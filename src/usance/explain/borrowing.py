"""Explain borrowing: the steps behind borrows, repayments and the interest of a debt."""

from collections.abc import Iterator
from decimal import Decimal

from usance.engine.records import Borrow, LendingDay, Segment
from usance.engine.state import Holding
from usance.explain.interest import Balance, Flow, coins_of
from usance.explain.working import Lived, Working, carried, exact
from usance.model.accounts import Side
from usance.model.amounts import EXACT, UNIT, Carry, Quanta
from usance.model.hours import at_slot, slot_of


def borrowing(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of a sub-account's borrows, repayments and charges of a day."""
    for coin in coins_of(lived, name):
        if coin.owed or coin.borrows:
            Debt(work, lived, coin).explain()


class Debt(Balance):
    """The debt of a sub-account in a coin, and its interest."""

    account = Side.BORROWED
    # Movements of the wallet decide on a borrow or repayment.
    moves = (Side.BORROWED, Side.WALLET)
    name = "owed"
    interest = "charge"
    rounding = "ceil"

    def __init__(self, work: Working, lived: Lived, day: LendingDay) -> None:
        super().__init__(work, lived, day)
        self.segments = day.owed
        self.hourly = self.pool.borrow if self.pool is not None else ()

    def explain(self) -> None:
        """Note the steps, and the directives that they rest on."""
        self.cite()
        for borrow in self.day.borrows:
            self._borrow(borrow)
        self._net()
        if self.day.imported is not None:
            return
        self.each_segment()
        fees = self.day.entry_fee
        self.total(self.day.paid, {"entry fees": self.coin.from_quanta(fees)} if fees else {})

    def balance(self, holding: Holding) -> Decimal:
        """Return the debt, coins."""
        return self.coin.from_grains(holding.owed)

    def own_flows(self) -> Iterator[Flow]:
        """Yield movements, borrows with their fees, and repayments."""
        for movement in self.moved():
            if movement.side is self.account:
                yield slot_of(movement.moment), "moved", EXACT.minus(movement.quantity)
        for borrow in self.day.borrows:
            yield borrow.slot, "borrowed", self.coin.from_quanta(Quanta(borrow.quanta + borrow.fee))

    def earned(self, segment: Segment, clock: str) -> None:
        """Note the arithmetic of a segment's charge and of its carry, a prepayment."""
        coin = self.coin
        values = {
            "principal": coin.from_quanta(segment.principal),
            "growth": exact(segment.growth, 18),
            "carry": carried(coin, segment.carry),
        }
        charge = coin.from_quanta(segment.interest)
        self.work.step(
            self.say(f"{clock}: charge, rounded up"),
            "charge = ceil((principal x growth - carry) / quantum) x quantum",
            {**values, "quantum": coin.quantum},
            charge,
            coin.name,
        )
        left = Carry(segment.interest * UNIT - segment.principal * segment.growth + segment.carry)
        self.work.step(
            self.say(f"{clock}: carry, a prepayment"),
            "carry after = charge - (principal x growth - carry)",
            {**values, "charge": charge},
            carried(coin, left),
            coin.name,
        )

    def _borrow(self, borrow: Borrow) -> None:
        coin = self.coin
        at = f"at {borrow.slot:02}:00"
        if borrow.quanta < 0:
            self.work.step(
                self.say(f"repayment {at}"),
                "repayment = floor(min(units without cost, balance, owed) / quantum) x quantum",
                {
                    "units without cost": coin.from_grains(borrow.free),
                    "balance": coin.from_grains(borrow.held),
                    "owed": coin.from_grains(borrow.owed),
                    "quantum": coin.quantum,
                },
                coin.from_quanta(Quanta(-borrow.quanta)),
                coin.name,
            )
            return
        amount = coin.from_quanta(borrow.quanta)
        self.work.step(
            self.say(f"borrow {at}, what the wallet is short of"),
            "borrow = ceil(-balance / quantum) x quantum",
            {"balance": coin.from_grains(borrow.held), "quantum": coin.quantum},
            amount,
            coin.name,
        )
        if borrow.fee and self.day.imported is None:
            last = [m for m in self.moved() if slot_of(m.moment) == borrow.slot][-1]
            rates = self.lived.book.rates[self.day.venue, coin.name].at(
                at_slot(self.lived.day.day, borrow.slot - 1)
            )
            assert rates is not None
            self.work.cite(rates.source)
            self.work.step(
                self.say(f"entry fee {at}, for the seconds to the full hour"),
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
            self.work.total(self.say("net borrow"), "borrowed", parts, self.coin.name, net)
