"""Books of the yield tests: a ledger's text loaded, and what is asked of it."""

import os

os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"  # read when beancount.loader is imported

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

from beancount import loader
from beancount.core import data
from beancount.parser import printer
from click.testing import CliRunner, Result

from usance.cli import main

OPTIONS = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
"""
PLUGIN = 'plugin "usance.plugins"\n'
POSTED_TO = re.compile(r"^\s+((?:Assets|Liabilities|Equity|Income|Expenses):\S+)", re.MULTILINE)
OF_THE_ENGINE = (":AccruedYield", ":Treasury", ":Accretion")


def day_of(text: str) -> date:
    return date.fromisoformat(text)


@dataclass(frozen=True)
class Books:
    """A loaded ledger."""

    entries: data.Directives
    errors: list[data.BeancountError]
    options: Mapping[str, Any]

    @property
    def messages(self) -> list[str]:
        return [error.message for error in self.errors]

    def clean(self) -> "Books":
        assert self.messages == [], self.messages
        return self

    @property
    def transactions(self) -> list[data.Transaction]:
        return [entry for entry in self.entries if isinstance(entry, data.Transaction)]

    def generated(self, *kinds: str) -> list[data.Transaction]:
        """Return what no person wrote, of some kinds or of all."""
        return [
            entry
            for entry in self.transactions
            if "usance" in entry.tags and (not kinds or entry.tags & set(kinds))
        ]

    def ids(self, *kinds: str) -> list[str]:
        return [entry.meta["usance"] for entry in self.generated(*kinds)]

    def transaction(self, name: str) -> data.Transaction:
        [found] = [entry for entry in self.generated() if entry.meta["usance"] == name]
        return found

    def legs(self, name: str) -> list[str]:
        """Return the postings of the generated transaction with an id, or nothing."""
        if name not in self.ids():
            return []
        return [f"{leg.account} {leg.units}" for leg in self.transaction(name).postings]

    def moved(self, account: str, coin: str = "USDC", *kinds: str) -> dict[str, str]:
        """Return what the engine moved in an account, by day; days that moved nothing left out."""
        days: dict[str, Decimal] = {}
        for entry in self.generated(*kinds):
            for leg in entry.postings:
                if leg.account == account and leg.units and leg.units.currency == coin:
                    day = entry.date.isoformat()
                    days[day] = days.get(day, Decimal(0)) + (leg.units.number or 0)
        return {day: format(amount, "f") for day, amount in days.items() if amount}

    def balance(self, account: str, coin: str = "USDC", until: str = "9999-12-31") -> Decimal:
        """Return the units of a coin in an account at the end of a day, lots and all."""
        return sum(
            (
                leg.units.number or Decimal(0)
                for entry in self.transactions
                if entry.date <= day_of(until)
                for leg in entry.postings
                if leg.account == account and leg.units and leg.units.currency == coin
            ),
            Decimal(0),
        )

    def proofs(self, name: str) -> list[dict[str, str]]:
        """Return the metadata of the proven postings of a generated transaction."""
        return [
            {key: value for key, value in (leg.meta or {}).items() if key[0] not in "_fl"}
            for leg in self.transaction(name).postings
            if "growth" in (leg.meta or {})
        ]

    def text(self) -> str:
        """Return what the engine generated, as Beancount prints it."""
        return "\n".join(map(printer.format_entry, self.generated()))


def header(body: str) -> str:
    """Return what a ledger needs besides: options, plugins, the accounts that it posts to."""
    accounts = {
        account for account in POSTED_TO.findall(body) if not account.endswith(OF_THE_ENGINE)
    }
    opened = "".join(f"1970-01-01 open {account}\n" for account in sorted(accounts))
    return OPTIONS + ("" if "plugin" in body else PLUGIN) + opened


def whole(text: str) -> str:
    """Complete a ledger."""
    body = dedent(text)
    return header(body) + body


def load(text: str, folder: Path | None = None) -> Books:
    """Load a ledger from its text, or written into a folder."""
    if folder is None:
        return Books(*loader.load_string(whole(text)))
    ledger = folder / "main.beancount"
    ledger.write_text(whole(text))
    return load_file(ledger)


def load_file(ledger: Path) -> Books:
    return Books(*loader.load_file(str(ledger)))


def closed_folder(folder: Path, text: str) -> Path:
    """Write a ledger that includes its closed days."""
    (folder / "posted").mkdir(parents=True)
    (folder / "posted" / "first.beancount").write_text("; Closed days come here.\n")
    ledger = folder / "main.beancount"
    ledger.write_text(whole(text) + '\ninclude "posted/*.beancount"\n')
    return ledger


def deposit(amount: str, at: str, sub: str = "Main", *, coin: str = "USDC") -> str:
    """Return a deposit, or a withdrawal, "2025-05-01" or "2025-05-01 08:15"."""
    day, _, time = at.partition(" ")
    moment = f'  time: "{time}"\n' if time else ""
    return (
        f'\n{day} * "Deposit"\n{moment}  Assets:Backpack:{sub}:Wallet  {amount} {coin}\n'
        "  Assets:Bank\n"
    )


def usance(command: str, ledger: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, str(ledger), *arguments], prog_name="usance")


def accrue(ledger: Path, through: str, *arguments: str) -> None:
    """Close days, which must succeed."""
    done = usance("accrue", ledger, "--through", through, *arguments)
    assert (done.exit_code, done.exception) == (0, None), done.output


def answer(command: str, ledger: Path, *arguments: str) -> Any:  # noqa: ANN401
    """Return the JSON object that a command answers."""
    done = usance(command, ledger, *arguments, "--format", "json")
    assert (done.exit_code, done.exception) == (0, None), done.output
    return json.loads(done.stdout)


def posted_bytes(ledger: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((ledger.parent / "posted").iterdir())}


def days(first: str, last: str) -> list[str]:
    """Return the dates from the first to the last."""
    count = (day_of(last) - day_of(first)).days + 1
    return [str(day_of(first) + timedelta(number)) for number in range(count)]
