"""Daily interest of ten accounts for five years, against hledger-interest."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import books
from loading import LOAD, PLUGIN, Load, length
from timing import Row, interleave, output, ratios, seconds

ACCOUNTS = 10
AIM = 0.10
PEER = "hledger-interest"


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Whole processes: one of ours against ten of the peer, which takes one account a run."""
    days = 60 if quick else 5 * books.YEAR
    job = f"daily interest of {ACCOUNTS} accounts, {length(days)} / {PEER}"
    missing = _install()
    if missing:
        yield Row(job, (), AIM, missing)
        return
    folder = folder / "peer"
    opening = books.write(books.Book(ACCOUNTS, 1, days), folder / "opening")
    daily = books.write(books.Book(ACCOUNTS, 1, days, deposits="0.010000"), folder / "daily")
    journals = _journals(folder, days)
    together = folder / "all.journal"
    together.write_text("\n".join(journal.read_text() for journal in journals.values()))
    _check_daily(journals, days)
    times = interleave(
        3,
        {
            "opening": lambda: _load(opening),
            "apart": lambda: _peer(journals),
            "printed": lambda: _load(opening, "--print"),
            "daily": lambda: _load(daily),
            "together": lambda: _peer(dict.fromkeys(journals, together)),
            "without us": lambda: _beancount(opening),
        },
    )
    together_aside = "all accounts in one journal"
    yield Row(f"{job}, {together_aside}", ratios(times, "opening", "together"), AIM)
    yield Row(f"{job}, a journal for each account", ratios(times, "opening", "apart"), AIM)
    apart = "... a journal for each account"
    yield Row(f"{apart}; of it without our plugin function", ratios(times, "without us", "apart"))
    yield Row(f"{apart}; ours prints its days, as the peer does", ratios(times, "printed", "apart"))
    yield Row(f"{apart}; ours with the same daily deposits", ratios(times, "daily", "apart"))
    yield Row(
        f"... {together_aside}; ours with the same daily deposits",
        ratios(times, "daily", "together"),
    )


def _install() -> str:
    """Install the peer where it is missing; return why that cannot be done, or nothing."""
    if shutil.which(PEER):
        return ""
    if os.geteuid() or shutil.which("apt-get") is None:
        return f"{PEER} is not installed, and only root can install it, with apt-get"
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "hledger", PEER]):
        done = subprocess.run(  # noqa: S603, our own commands
            ["apt-get", "-qq", *command],  # noqa: S607, the system's
            capture_output=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
        if done.returncode:
            return f"apt-get {command[0]} for {PEER} failed"
    return ""


def _load(ledger: Path, *options: str) -> float:
    return seconds(sys.executable, LOAD, ledger, "--plugin", PLUGIN, *options)


def _beancount(ledger: Path) -> float:
    """Return the seconds of a whole process, less the share of our plugin function."""
    printed: list[str] = []
    whole = seconds(sys.executable, LOAD, ledger, "--plugin", PLUGIN, keep=printed)
    spent: Load = json.loads(printed[0])
    return whole * (1 - spent["own"] / spent["process"])


def _journals(folder: Path, days: int) -> dict[str, Path]:
    journals = {}
    for account, text in books.hledger(ACCOUNTS, days).items():
        journals[account] = folder / f"{account.rpartition(':')[2]}.journal"
        journals[account].write_text(text)
    return journals


def _command(account: str, journal: Path) -> list[str | Path]:
    terms = ["--quiet", "--act", "--annual=0.04", "--source=Income:Interest"]
    return [PEER, *terms, f"--target={account}", "-f", journal, account]


def _peer(journals: Mapping[str, Path]) -> float:
    return sum(seconds(*_command(account, journal)) for account, journal in journals.items())


def _check_daily(journals: Mapping[str, Path], days: int) -> None:
    account, journal = next(iter(journals.items()))
    posted = output(_command(account, journal)).count("% interest for")
    if posted != days:
        sys.exit(f"{PEER} posted {posted} times for {days} days")
