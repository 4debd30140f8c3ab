"""Chart: a sub-account's sides, and a product's accounts, as account names, and back.

Assets:Backpack:Main:Wallet         <->  ("Main", Side.WALLET)
Assets:Backpack:Treasury:Accretion  <->  ("TBill", Reserve.ACCRETION)
"""

from collections.abc import Mapping
from enum import Enum

PERSONAL = {
    "Assets": ("Wallet", "Perp", "AccruedYield"),
    "Liabilities": ("Borrowed",),
}
"""What a sub-account may hold or owe: everything else below it is a mistake."""


class Side(Enum):
    """An account of a sub-account: the root it hangs from and what stands below its name."""

    WALLET = ("Assets", "Wallet")
    PERP = ("Assets", "Perp")
    ACCRUED_YIELD = ("Assets", "AccruedYield")
    BORROWED = ("Liabilities", "Borrowed")
    INTEREST_EARNED = ("Income", "Interest")
    INTEREST_PAID = ("Expenses", "Interest")
    TREASURY = ("Income", "Treasury")
    BONUS = ("Income", "Bonus")
    PNL = ("Income", "PnL")
    BAD_DEBT = ("Income", "BadDebt")
    FEES = ("Expenses", "Fees")
    LENT = ("Equity", "Uses:Lent")
    MARGIN = ("Equity", "Uses:Margin")
    YIELD = ("Equity", "Uses:Yield")
    CAPITAL = ("Equity", "Uses:Capital")

    # Enum's own is a Python function, and sides are looked up for each posting.
    __hash__ = object.__hash__


class ProductAccount(Enum):
    """An account of a product backed by bills: the root it hangs from and its last part.

    The account of the bills themselves is named by the product's terms.
    """

    BILLS = ("Assets", "")
    ACCRETION = ("Assets", "Accretion")
    CASH = ("Assets", "Cash")
    PAYABLE = ("Liabilities", "Payable")
    DISCOUNT = ("Income", "Discount")
    DISTRIBUTED = ("Expenses", "Distributed")

    # Enum's own is a Python function, and accounts are looked up for each posting.
    __hash__ = object.__hash__


class ChartOfAccounts:
    """Which account belongs to which sub-account or product.

    roots     the ledger's names of the five root accounts, by Beancount's default name
    products  account of bills of each product that has one; its parent is the product's own
    """

    def __init__(
        self,
        roots: Mapping[str, str],
        sub_accounts: Mapping[str, str],
        products: Mapping[str, str] | None = None,
    ) -> None:
        self.roots = roots
        self._standard = {name: standard for standard, name in roots.items()}
        self._tails = {root.partition(":")[2]: name for name, root in sub_accounts.items()}
        self._tail_of = {name: tail for tail, name in self._tails.items()}
        self.venues = {tail.rpartition(":")[0] for tail in self._tails}
        self._owners: dict[str, str | None] = {}
        self._sides = {
            f"{roots[root]}:{tail}:{below}": (name, side)
            for tail, name in self._tails.items()
            for side in Side
            for root, below in (side.value,)
        }
        self._names = {pair: account for account, pair in self._sides.items()}
        self._entities: dict[str, str] = {}
        self._reserves: dict[str, tuple[str, ProductAccount]] = {}
        for name, bills in (products or {}).items():
            entity = bills.partition(":")[2].rpartition(":")[0]
            self._entities[entity] = name
            for reserve in ProductAccount:
                root, below = reserve.value
                account = f"{roots[root]}:{entity}:{below}" if below else bills
                self._reserves[account] = (name, reserve)
        self._kept = {pair: account for account, pair in self._reserves.items()}

    def owner(self, account: str) -> str | None:
        """Return the sub-account to which an account belongs, None for all others."""
        try:
            return self._owners[account]
        except KeyError:
            owner = self._tails.get(self._prefix(account, self._tails))
            self._owners[account] = owner
            return owner

    def venue_above(self, account: str) -> str | None:
        """Return the venue under which an account lies, None for all others."""
        return self._prefix(account, self.venues) or None

    def _prefix(self, account: str, tails: Mapping[str, str] | set[str]) -> str:
        root, _, tail = account.partition(":")
        if root not in self._standard:
            return ""
        while tail and tail not in tails:
            tail = tail.rpartition(":")[0]
        return tail

    def side(self, account: str) -> tuple[str, Side] | None:
        """Return sub-account and side of an account, or None."""
        return self._sides.get(account)

    def account(self, sub_account: str, side: Side) -> str:
        """Return the account of a side."""
        return self._names[sub_account, side]

    def product(self, account: str) -> str | None:
        """Return the product to which an account belongs, None for all others."""
        return self._entities.get(self._prefix(account, self._entities))

    def is_product(self, name: str) -> bool:
        """Tell whether a name is that of a product with accounts of its own."""
        return (name, ProductAccount.BILLS) in self._kept

    def reserve(self, account: str) -> tuple[str, ProductAccount] | None:
        """Return product and kind of an account, or None if it is not a product's."""
        return self._reserves.get(account)

    def reserved(self, product: str, reserve: ProductAccount) -> str:
        """Return the account of a product."""
        return self._kept[product, reserve]

    def transfers(self, sub_account: str, other: str) -> str:
        """Return the account of what a sub-account gave to another."""
        return f"{self.roots['Equity']}:{self._tail_of[sub_account]}:Transfers:{other}"

    def is_known(self, account: str, owner: str) -> bool:
        """Tell whether an account of a sub-account is one that it may have."""
        root = account.partition(":")[0]
        allowed = PERSONAL.get(self._standard[root])
        return allowed is None or account in self.known(owner)

    def known(self, owner: str) -> list[str]:
        """Return the accounts of assets and liabilities that a sub-account may have."""
        tail = self._tail_of[owner]
        return [
            f"{self.roots[root]}:{tail}:{below}"
            for root, belows in PERSONAL.items()
            for below in belows
        ]
