"""A ledger's folder on disk, and the commands that are run in it."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from beancount import loader
from beancount.core import data
from beancount.parser import printer
from click.testing import CliRunner, Result

from usance.cli import main

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins.auto_lending"
include "posted/*.beancount"

2024-12-30 commodity USDC
  quantum: 0.000001
2024-12-30 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2024-12-30 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2024-12-30 custom "lending-pool" "USDC"
  rates: "observed"
2024-12-30 custom "lending-rate" "USDC" "rates/usdc.csv"
2024-12-30 custom "lending-pool" "SOL"
  rates: "observed"
2024-12-30 custom "lending-rate" "SOL" 0.05 0.08
2024-12-01 open Assets:Bank
2024-12-01 open Assets:Backpack:Main:Wallet
2024-12-01 open Assets:Backpack:Arb:Wallet

2024-12-30 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-01-10 * "Too little to earn a quantum a day"
  Assets:Backpack:Arb:Wallet   0.001 USDC
  Assets:Bank                 -0.001 USDC
2025-01-31 * "Allocate margin to Arb"
  time: "09:30"
  Assets:Backpack:Main:Wallet   -100 USDC
  Assets:Backpack:Arb:Wallet     100 USDC
2025-02-01 * "Withdraw more than there is"
  time: "12:15"
  Assets:Backpack:Main:Wallet   -950 USDC
  Assets:Bank                    950 USDC
2025-02-01 * "Deposit of another coin"
  Assets:Backpack:Arb:Wallet       2 SOL
  Assets:Bank                     -2 SOL
2025-02-02 price SOL 150 USDC
2025-02-03 custom "accrue-through" 2025-02-02
plugin "usance.plugins.sub_accounts"
"""
"""Three months, of which the first and the last have two days: a year and a month end in it."""

SIX_DAYS = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"

2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0876 0.1752
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Arb:Wallet

2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-05-02 * "Deposit for Arb"
  Assets:Backpack:Arb:Wallet   50 USDC
  Assets:Bank                 -50 USDC
2025-05-01 custom "accrue-through" 2025-05-06
"""
"""Six days of two sub-accounts that lend, at a rate of 0.00001 an hour."""

FIRST, LAST = datetime.date(2024, 12, 30), datetime.date(2025, 2, 2)
MONTHS = ("2024-12", "2025-01", "2025-02")


def rates(first: datetime.date = FIRST, last: datetime.date = LAST) -> str:
    """Return a rates file with a row at the start of each day."""
    days = (first + datetime.timedelta(days=n) for n in range((last - first).days + 1))
    rows = "".join(f"{day}T00:00:00Z,0.0365,0.0730\n" for day in days)
    return f"time_utc,supply_apr,borrow_apr\n{rows}"


@dataclass(frozen=True)
class Folder:
    """A folder with main.beancount, and what is posted beside it."""

    path: Path

    @classmethod
    def made(cls, path: Path, ledger: str = LEDGER, rows: str | None = None) -> "Folder":
        """Write a ledger, its rates, and the first file of its posted folder."""
        for name in ("posted", "rates"):
            (path / name).mkdir(parents=True)
        (path / "posted" / "first.beancount").write_text("; Closed days come here.\n")
        (path / "rates" / "usdc.csv").write_text(rates() if rows is None else rows)
        (path / "main.beancount").write_text(ledger)
        return cls(path)

    @property
    def ledger(self) -> Path:
        return self.path / "main.beancount"

    def edit(self, old: str, new: str, file: str = "main.beancount") -> None:
        """Replace the one place of a file where a text stands."""
        path = self.path / file
        before = path.read_bytes()
        assert before.count(old.encode()) == 1, old
        path.write_bytes(before.replace(old.encode(), new.encode()))

    def line(self, text: str, file: str = "main.beancount") -> int:
        """Return the number of the one line of a file that holds a text."""
        lines = (self.path / file).read_text().splitlines()
        [number] = [number for number, line in enumerate(lines, 1) if text in line]
        return number

    def files(self) -> dict[str, bytes]:
        """Return every file below the folder, hidden ones too."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def posted(self) -> dict[str, bytes]:
        """Return the files of closed days."""
        return {
            name: data
            for name, data in self.files().items()
            if re.fullmatch(r"posted/.*\d{4}-\d{2}\..*", name)
        }

    def usance(self, command: str, *arguments: str) -> Result:
        """Run a command over the ledger; paths in what it prints are those below the folder."""
        words = [command, str(self.ledger), *arguments]
        done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
        done.stdout_bytes = done.stdout_bytes.replace(f"{self.path}/".encode(), b"")
        done.stderr_bytes = (done.stderr_bytes or b"").replace(f"{self.path}/".encode(), b"")
        return done

    def accrue(self, *arguments: str) -> Result:
        """Close days, which must succeed."""
        done = self.usance("accrue", *arguments)
        assert done.exit_code == 0, done.output
        return done

    def load(self) -> tuple[data.Directives, list[data.BeancountError]]:
        """Return the directives and errors that any Beancount tool sees."""
        entries, errors, _ = loader.load_file(str(self.ledger))
        return entries, errors

    def books(self) -> list[str]:
        """Return all transactions as text, which must be free of errors."""
        entries, errors = self.load()
        assert errors == []
        return [
            printer.format_entry(entry) for entry in entries if isinstance(entry, data.Transaction)
        ]


def generated(entries: data.Directives) -> data.Directives:
    """Return what no person wrote: transactions of ours, and accounts opened for them."""
    return [entry for entry in entries if entry.meta["filename"] == "(usance)"]


def stamps(paths: Iterable[Path]) -> dict[Path, tuple[int, ...]]:
    """Return what tells whether a file was written or replaced; reading it changes none."""
    stats = {path: path.lstat() for path in paths}
    return {
        path: (stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for path, stat in stats.items()
    }


def days(first: datetime.date = FIRST, last: datetime.date = LAST) -> list[str]:
    """Return the dates from the first to the last."""
    count = (last - first).days + 1
    return [str(first + datetime.timedelta(days=number)) for number in range(count)]
