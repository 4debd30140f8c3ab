"""Chart of accounts: account names from sides of sub-accounts and products, and back.

Assets:Backpack:Main:Wallet         <->  ("Main", Side.WALLET)
Assets:Backpack:Treasury:Accretion  <->  ("TBill", ProductAccount.ACCRETION)
"""

from collections.abc import Mapping
from enum import Enum

PERSONAL = {
    "Assets": ("Wallet", "Perp", "AccruedYield"),
    "Liabilities": ("Borrowed",),
}
"""The last parts of a sub-account's accounts of assets and debts; any other one is an error."""


class Side(Enum):
    """An account of a sub-account: its root account, and the part of its name after the owner's."""

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

    # Faster than Enum's own hash, a Python function: each posting looks sides up.
    __hash__ = object.__hash__


class ProductAccount(Enum):
    """An account of a product backed by bills: its root account, and the last part of its name.

    The product's terms name the account of the bills themselves.
    """

    BILLS = ("Assets", "")
    ACCRETION = ("Assets", "Accretion")
    CASH = ("Assets", "Cash")
    PAYABLE = ("Liabilities", "Payable")
    DISCOUNT = ("Income", "Discount")
    DISTRIBUTED = ("Expenses", "Distributed")

    # Faster than Enum's own hash, a Python function: each posting looks accounts up.
    __hash__ = object.__hash__


class ChartOfAccounts:
    """The accounts of sub-accounts and products, and the owner of each account.

    roots     the ledger's names of the five root accounts, by Beancount's default name
    products  account of bills of each product that has one; its parent is the product's entity
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
        self._parties: dict[str, str | None] = {}
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
        """Return the sub-account to which an account belongs, or None."""
        try:
            return self._owners[account]
        except KeyError:
            owner = self._tails.get(self._prefix(account, self._tails))
            self._owners[account] = owner
            return owner

    def venue_above(self, account: str) -> str | None:
        """Return the venue under which an account lies, or None."""
        return self._prefix(account, self.venues) or None

    def _prefix(self, account: str, tails: Mapping[str, str] | set[str]) -> str:
        root, _, tail = account.partition(":")
        if root not in self._standard:
            return ""
        while tail and tail not in tails:
            tail = tail.rpartition(":")[0]
        return tail

    def side(self, account: str) -> tuple[str, Side] | None:
        """Return the sub-account and the side of an account, or None."""
        return self._sides.get(account)

    def account(self, sub_account: str, side: Side) -> str:
        """Return the account of a side."""
        return self._names[sub_account, side]

    def product(self, account: str) -> str | None:
        """Return the product to which an account belongs, or None."""
        return self._entities.get(self._prefix(account, self._entities))

    def party(self, account: str) -> str | None:
        """Return the sub-account or product to which an account belongs, or None."""
        try:
            return self._parties[account]
        except KeyError:
            self._parties[account] = party = self.owner(account) or self.product(account)
            return party

    def is_product(self, name: str) -> bool:
        """Tell whether a name is that of a product with accounts of its own."""
        return (name, ProductAccount.BILLS) in self._kept

    def reserve(self, account: str) -> tuple[str, ProductAccount] | None:
        """Return the product and the kind of an account, or None if no product owns it."""
        return self._reserves.get(account)

    def reserved(self, product: str, reserve: ProductAccount) -> str:
        """Return the account of a product."""
        return self._kept[product, reserve]

    def transfers(self, sub_account: str, other: str) -> str:
        """Return the account of a sub-account's transfers to another."""
        return f"{self.roots['Equity']}:{self._tail_of[sub_account]}:Transfers:{other}"

    def funding(self, sub_account: str) -> tuple[str, str]:
        """Return the accounts of funding that a sub-account received and paid."""
        tail = self._tail_of[sub_account]
        income, expenses = self.roots["Income"], self.roots["Expenses"]
        return f"{income}:{tail}:Funding", f"{expenses}:{tail}:Funding"

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
