"""Profiles of Hypothesis, and the book that a test's docstring holds."""

import os

os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"  # read when beancount.loader is imported
os.environ["WATCHFILES_FORCE_POLLING"] = "1"  # a machine watches few folders at once

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from beancount import loader
from beancount.core import data
from hypothesis import HealthCheck, Phase, settings
from invariants import Books, check_books
from playwright.sync_api import Playwright, sync_playwright

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
settings.register_profile(
    "dev", max_examples=40, derandomize=True, deadline=None, suppress_health_check=SLOW
)
# A failing example is shown as it was drawn: a law that fails must not take minutes to say so.
settings.register_profile(
    "ci",
    settings.get_profile("dev"),
    phases=[phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)],
)
settings.register_profile(
    "soak", max_examples=2000, deadline=None, suppress_health_check=SLOW, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell runs what is in the background so, and a server that is tested would not hear Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Start what drives a browser."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    """Load the ledger in the docstring of the test; it has no errors, and the laws hold."""
    loaded = read(dedent(request.function.__doc__), tmp_path)
    assert loaded.messages() == []
    check_books(Books(loaded.entries, loaded.errors, loaded.options))
    return loaded
