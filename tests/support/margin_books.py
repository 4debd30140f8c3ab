"""Ledgers of margin: `books` loads one from text, `Books` has its directives and errors."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from textwrap import dedent
from typing import Any

from beancount import loader
from beancount.core import convert, data
from beancount.parser import parser, printer
from click.testing import CliRunner, Result
from folders import Folder

from usance.cli import main

HEAD = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
"""
TERMS = """\
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 commodity SOL-PERP
  quantum: 0.01
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0 0
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
"""
"""A sub-account with 1,000 USDC, that may borrow, and the terms of one contract."""

LONG = """\
2025-05-01 * "Open 50 at 150"
  Assets:Backpack:Main:Perp       50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp    -7500 USDC
"""
POOR = TERMS.replace("1000 USDC", "100 USDC").replace('"USDC" 0 0', '"USDC" 0 0.0365')
"""The same with 100 USDC alone, and a borrow rate of 0.0365 a year."""

TETHER = """\
2025-05-01 commodity USDT
  quantum: 0.000001
2025-05-01 custom "lending-pool" "USDT"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDT" 0 0
2025-05-01 custom "collateral" "USDT"
  weight: 1
2025-05-01 custom "perpetual" "ETH-PERP"
  settle: USDT
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 price USDT 1 USDC
"""
"""A second coin, and a contract that settles in it."""


def through(day: str) -> str:
    """Let the books go on to the end of a day."""
    return f'{day} custom "accrue-through" {day}\n'


MAIN_AND_DESK = (
    """\
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
      leverage-limit: 10
    2025-05-01 custom "sub-account" "Desk" Assets:Backpack:Desk
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0 0
    2025-05-01 custom "collateral" "SOL"
      weight: 0.5
    2025-05-01 custom "perpetual" "SOL-PERP"
      settle: USDC
      underlying: "SOL"
      initial-margin: 0.02
      initial-margin-factor: 0.000075
      maintenance-margin: 0.0135
      maintenance-margin-factor: 0.0000375
    """,
    # Main: 1,000 USDC lent, 50 contracts bought at 150: at 148 the wallet has 900.
    """\
    2025-05-01 * "Deposit"
      Assets:Backpack:Main:Wallet   1000 USDC
      Assets:Bank                  -1000 USDC
    """,
    LONG,
    """\
    2025-05-01 price SOL-PERP 150 USDC
    2025-05-02 price SOL-PERP 148 USDC
    """,
    # Desk: 2,000 USDT at 0.98, 2 contracts settled in them, 3 SOL at 148 that count by half, and
    # 400 USDC owed.
    TETHER.replace("USDT 1 USDC", "USDT 0.98 USDC").replace(
        "weight: 1", "weight: 1\n  initial-margin: 0.2\n  maintenance-margin: 0.1"
    ),
    """\
    2025-05-01 * "Withdraw"
      Assets:Backpack:Desk:Wallet   -400 USDC
      Assets:Bank                    400 USDC
    2025-05-01 * "Deposit"
      Assets:Backpack:Desk:Wallet   2000 USDT
      Assets:Backpack:Desk:Wallet      3 SOL
      Assets:Bank
    2025-05-01 * "Open 2 at 2500"
      Assets:Backpack:Desk:Perp        2 ETH-PERP {2500 USDT}
      Assets:Backpack:Desk:Perp    -5000 USDT
    2025-05-01 price ETH-PERP 2500 USDT
    2025-05-01 price SOL 148 USDC
    """,
    through("2025-05-02"),
)
"""Two sub-accounts; the comments say what comes to what."""

SUMS = [
    "name",
    "venue",
    "collateral",
    "unsettled_pnl",
    "borrow_liability",
    "net_equity",
    "exposure",
    "initial_margin",
    "maintenance_margin",
    "available_equity",
    "margin_fraction",
    "imr",
    "mmr",
]
"""The fields of a sub-account in `usance margin` that are no lists."""

POSTED_TO = re.compile(r"^\s+((?:Assets|Liabilities|Equity|Income|Expenses):\S+)", re.MULTILINE)
OPENED = re.compile(r"^\d\S+ open (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Books:
    """A ledger in a folder of its own, loaded."""

    path: Path
    entries: data.Directives
    errors: list[data.BeancountError]

    def generated(self, *kinds: str) -> list[data.Transaction]:
        """Return the transactions that no person wrote, of some kinds or of all."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, data.Transaction)
            and "usance" in entry.tags
            and (not kinds or entry.tags & set(kinds))
        ]

    def ids(self, *kinds: str) -> list[str]:
        """Return their ids."""
        return [entry.meta["usance"] for entry in self.generated(*kinds)]

    def transaction(self, name: str) -> data.Transaction:
        """Return the one with an id."""
        [found] = [entry for entry in self.generated() if entry.meta["usance"] == name]
        return found

    def legs(self, name: str) -> list[str]:
        """Return the postings of one, each as printed, without the venue; nothing if not there."""
        if name not in self.ids():
            return []
        text = printer.format_entry(self.transaction(name))
        lines = (line for line in text.splitlines() if re.match(r"  [A-Z]", line))
        return [" ".join(line.split()).replace(":Backpack:", ":") for line in lines]

    def proof(self, name: str) -> dict[str, str]:
        """Return the metadata of the first posting of one."""
        meta = self.transaction(name).postings[0].meta or {}
        return {key: value for key, value in meta.items() if key not in ("filename", "lineno")}

    def held(self, account: str, until: str = "9999-12-31") -> dict[str, Decimal]:
        """Return what an account holds at the end of a day, by commodity, without zeros."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for entry in self.entries:
            if isinstance(entry, data.Transaction) and entry.date <= date.fromisoformat(until):
                for leg in entry.postings:
                    if leg.account == account.replace(":", ":Backpack:", 1):
                        assert leg.units is not None
                        assert leg.units.number is not None
                        found[leg.units.currency] += leg.units.number
        return {name: number for name, number in found.items() if number}

    def told(self) -> list[str]:
        """Return errors and findings as a person reads them, file:line: message."""
        places = [
            f"{error.source['filename']}:{error.source['lineno']}: {error.message}"
            for error in self.errors
        ]
        return [place.removeprefix(f"{self.path.parent}/") for place in places]

    def line(self, part: str) -> int:
        """Return the number of the one line of the ledger that holds a text."""
        lines = self.path.read_text().splitlines()
        [number] = [number for number, line in enumerate(lines, 1) if part in line]
        return number

    def posted(self) -> str:
        """Return all text of closed days."""
        months = sorted((self.path.parent / "posted").glob("2???-??.beancount"))
        return "".join(month.read_text() for month in months)

    def usance(self, command: str, *words: str) -> Result:
        """Run a command on the ledger; paths in its answer are those below the folder."""
        line = [command, str(self.path), *words]
        done = CliRunner().invoke(main, line, prog_name="usance", catch_exceptions=False)
        done.stdout_bytes = done.stdout_bytes.replace(f"{self.path.parent}/".encode(), b"")
        done.stderr_bytes = (done.stderr_bytes or b"").replace(f"{self.path.parent}/".encode(), b"")
        return done

    def again(self) -> "Books":
        """Return the ledger loaded anew."""
        entries, errors, _ = loader.load_file(str(self.path))
        names = re.findall(r'^option "name_.*\n', self.path.read_text(), re.MULTILINE)
        check(entries, "".join(names))
        return Books(self.path, entries, errors)

    def edited(self, old: str, new: str) -> "Books":
        """Return the ledger with another text in the one place where a text stands."""
        before = self.path.read_text()
        assert before.count(old) == 1, old
        self.path.write_text(before.replace(old, new))
        return self.again()


def books(folder: Path, *parts: str, head: str = HEAD) -> Books:
    """Write a ledger, open the accounts that it posts to, and load it."""
    text = head + "".join(map(dedent, parts))
    for account in sorted(set(POSTED_TO.findall(text)) - set(OPENED.findall(text))):
        booking = ' "FIFO"' if account.endswith((":Perp", ":Wallet")) else ""
        text += f"1970-01-01 open {account}{booking}\n"
    (folder / "posted").mkdir(parents=True)
    (folder / "posted" / "first.beancount").write_text("; Closed days\n")
    path = folder / "main.beancount"
    path.write_text(text)
    return Books(path, [], []).again()


def check(entries: data.Directives, options: str) -> None:
    """Check that each generated transaction balances, exactly, and is the text that it prints.

    options  lines that name the roots of accounts
    """
    generated = [
        entry for entry in entries if isinstance(entry, data.Transaction) and "usance" in entry.tags
    ]
    assert len({entry.meta["usance"] for entry in generated}) == len(generated)
    for entry in generated:
        kind, day, *_ = entry.meta["usance"].split("/")
        assert entry.tags == frozenset(("usance", kind))
        assert entry.links == frozenset((f"usance-{day}",))
        assert (str(entry.date), entry.flag) == (day, "*")
        assert residual(entry) == {}
        text = printer.format_entry(entry)
        [parsed], errors, _ = parser.parse_string(options + text)
        assert (errors, printer.format_entry(parsed)) == ([], text)


def residual(entry: data.Transaction) -> dict[str, Fraction]:
    """Return what the postings of a transaction weigh together, by currency, without zeros."""
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for posting in entry.postings:
        weight = convert.get_weight(posting)
        assert weight.number is not None
        totals[weight.currency] += Fraction(weight.number)
    return {currency: total for currency, total in totals.items() if total}


def plain(made: Books, folder: Path) -> Iterator[str]:
    """Yield what is wrong with the posted text of books where nothing of Usance is enabled."""
    text = re.sub(r'^plugin ".*\n', "", made.path.read_text(), flags=re.MULTILINE)
    bare = books(folder, text.replace('include "posted/*.beancount"\n', ""), made.posted(), head="")
    yield from bare.told()
    accounts = {
        posting.account.replace(":Backpack:", ":")
        for entry in made.entries
        if isinstance(entry, data.Transaction)
        for posting in entry.postings
    }
    for account in sorted(accounts):
        if bare.held(account) != made.held(account):
            yield f"{account}: {bare.held(account)}"


def asked(made: Books | Folder, command: str, *words: str) -> Any:  # noqa: ANN401 -- any JSON
    """Return the JSON answer of a command that finds nothing wrong."""
    done = made.usance(command, *words, "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    return json.loads(done.stdout)


def of(answer: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Return the part of an answer that is about one sub-account."""
    [found] = [row for row in answer["sub_accounts"] if row["name"] == name]
    assert isinstance(found, dict)
    return found
