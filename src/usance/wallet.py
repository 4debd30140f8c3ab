"""Wallet: what a sub-account holds, lends and owes of one coin."""

from dataclasses import dataclass

from usance.events import Side


@dataclass(slots=True)
class Holding:
    """The state of one coin in one sub-account, between two moments.

    free          units without cost in the wallet, grains; below zero where more went out
    lots          units held at cost, grains
    owed          borrowed, with the interest capitalised, grains
    lent          the Lent memorandum as last posted, quanta
    carry_lent    what a lender earned and was not credited, 1e-18 quanta
    carry_owed    what a borrower paid and did not owe yet, 1e-18 quanta
    """

    free: int = 0
    lots: int = 0
    owed: int = 0
    lent: int = 0
    carry_lent: int = 0
    carry_owed: int = 0

    @property
    def held(self) -> int:
        """The whole balance of the coin in the wallet, grains."""
        return self.free + self.lots

    def is_empty(self) -> bool:
        """Tell whether nothing can come of it until somebody moves something."""
        return not (self.free or self.lots or self.owed or self.lent)

    def take(self, side: Side, grains: int, at_cost: bool) -> None:
        """Take in a posting to the wallet or to what is borrowed."""
        if side is Side.BORROWED:
            self.owed -= grains
        elif at_cost:
            self.lots += grains
        else:
            self.free += grains
