"""A book written in a test: loaded from its text, and what tests ask of it."""

import os

os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"  # read when beancount.loader is imported

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from beancount import loader
from beancount.core import data

OPTIONS = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
"""
PLUGIN = 'plugin "usance.plugins.auto_lending"\nplugin "usance.plugins.sub_accounts"\n'
POSTED_TO = re.compile(r"^\s+((?:Assets|Liabilities|Equity|Income|Expenses):\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Book:
    """A loaded ledger, and what tests ask of it."""

    entries: data.Directives
    errors: list[data.BeancountError]
    options: loader.OptionsMap

    def generated(self) -> list[data.Transaction]:
        """Return the transactions that no person wrote."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, data.Transaction) and "usance" in entry.tags
        ]

    def ids(self) -> list[str]:
        """Return the ids of the generated transactions, in the order of the books."""
        return [entry.meta["usance"] for entry in self.generated()]

    def transaction(self, name: str) -> data.Transaction:
        """Return the one generated transaction with this id."""
        [found] = [entry for entry in self.generated() if entry.meta["usance"] == name]
        return found

    def legs(self, kind: str, day: str, sub: str = "Main") -> list[str]:
        """Return the postings of a generated transaction, "account amount", or nothing."""
        name = f"{kind}/{day}/{sub}"
        if name not in self.ids():
            return []
        return [f"{leg.account} {leg.units}" for leg in self.transaction(name).postings]

    def proof(self, kind: str, day: str, coin: str = "USDC", sub: str = "Main") -> dict[str, str]:
        """Return the metadata of the one proven posting in a coin."""
        [found] = [
            leg.meta
            for leg in self.transaction(f"{kind}/{day}/{sub}").postings
            if leg.units is not None and leg.units.currency == coin and "growth" in (leg.meta or {})
        ]
        assert found is not None
        return {key: value for key, value in found.items() if key not in ("filename", "lineno")}

    def balance(self, account: str, coin: str = "USDC", until: str = "9999-12-31") -> Decimal:
        """Return what an account holds at the end of a day, lots and all."""
        day = date.fromisoformat(until)
        return sum(
            (
                leg.units.number or Decimal(0)
                for entry in self.entries
                if isinstance(entry, data.Transaction) and entry.date <= day
                for leg in entry.postings
                if leg.account == account and leg.units is not None and leg.units.currency == coin
            ),
            Decimal(0),
        )

    def messages(self) -> list[str]:
        """Return the texts of the errors."""
        return [error.message for error in self.errors]


def read(text: str, folder: Path) -> Book:
    """Load a ledger, with what every one of them needs where it does not say so itself.

    The figures are in USDC, the tolerance is 0, all stages are enabled, and the accounts that the
    text posts to are open.
    """
    opened = [f"1970-01-01 open {account}" for account in sorted(set(POSTED_TO.findall(text)))]
    enabled = "" if "plugin" in text else PLUGIN
    ledger = folder / "main.beancount"
    ledger.write_text(OPTIONS + enabled + "\n".join(opened) + "\n" + text)
    return Book(*loader.load_file(str(ledger)))
