"""`usance explain balance/...`: what moved a balance, against sums of Beancount's own."""

import csv
import io
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data
from click.testing import CliRunner
from folders import SIX_DAYS, Folder

from usance.cli import main

DEMO = Path(__file__).parents[2] / "ledgers" / "demo" / "main.beancount"
WALLET = "Assets:Backpack:Main:Wallet"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Six days with one that is closed and then corrected: 1000 becomes 1100."""
    folder = Folder.made(tmp_path / "books", SIX_DAYS)
    folder.accrue("--through", "2025-05-01")
    folder.edit("Main:Wallet   1000", "Main:Wallet   1100")
    folder.edit("Assets:Bank                  -1000", "Assets:Bank                  -1100")
    folder.accrue("--through", "2025-05-02", "--correct")
    return folder


def answer(folder: Folder, name: str, *options: str) -> Any:  # noqa: ANN401
    done = folder.usance("explain", name, "--format", "json", *options)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def place(moved: Any) -> str:  # noqa: ANN401
    return f"{moved['file']}:{moved['line']}"


def moves(account: Any) -> list[tuple[str, str, str, str]]:  # noqa: ANN401
    return [
        (moved["date"], moved["id"] or place(moved), moved["amount"], moved["balance"])
        for moved in account["movements"]
    ]


def test_a_balance_by_hand(folder: Folder) -> None:
    """An hour grows by 0.00001, a day by 0.000240027602024106.

    1000 earned 0.240027 as posted; 1100 earn 0.264030, and the correction brings the 0.024003
    between. On 2 May 1100.264030 earn 0.264093 and 0.7367e-6, which the carry of 0.3622e-6 fills
    up to 0.264094.
    """
    found = answer(folder, "balance/2025-05-02/Main/USDC", "--from", "2025-05-01")
    assert (found["commodity"], found["basis"], found["name"]) == ("USDC", "posted", "Main")
    assert (found["from"], found["to"]) == ("2025-05-01", "2025-05-02")
    [wallet] = found["accounts"]
    assert (wallet["account"], wallet["opening"]) == (WALLET, "0")
    deposit = f"main.beancount:{folder.line('Main:Wallet   1100') - 1}"
    assert moves(wallet) == [
        ("2025-05-01", deposit, "1100", "1100"),
        ("2025-05-01", "lending/2025-05-01/Main", "0.240027", "1100.240027"),
        ("2025-05-02", "correction/2025-05-02/Main", "0.024003", "1100.26403"),
        ("2025-05-02", "lending/2025-05-02/Main", "0.264094", "1100.528124"),
    ]
    assert wallet["movements"][1]["file"] == "posted/2025-05.beancount"
    assert wallet["closing"] == found["closing"] == "1100.528124"


def test_a_balance_as_corrected(folder: Folder) -> None:
    found = answer(folder, "balance/2025-05-02/Main/USDC", "--from", "2025-05-01", "--as-corrected")
    [wallet] = found["accounts"]
    assert found["basis"] == "corrected"
    assert moves(wallet)[1:] == [
        ("2025-05-01", "lending/2025-05-01/Main", "0.26403", "1100.26403"),
        ("2025-05-02", "lending/2025-05-02/Main", "0.264094", "1100.528124"),
    ]


def test_of_one_day(folder: Folder) -> None:
    """An open day too, whose transactions a plugin line makes."""
    found = answer(folder, "balance/2025-05-03/Main/USDC")
    [wallet] = found["accounts"]
    assert wallet["opening"] == "1100.528124"
    [moved] = wallet["movements"]
    assert moved["id"] == "lending/2025-05-03/Main"
    assert moved["line"] == folder.line('plugin "usance.plugins"')
    assert moved["narration"] == "Lending"
    assert Decimal(wallet["opening"]) + Decimal(moved["amount"]) == Decimal(wallet["closing"])


def test_a_table(folder: Folder) -> None:
    shown = folder.usance("explain", "balance/2025-05-02/Main/USDC").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    assert lines[:2] == ["USDC of Main, 2025-05-02, as posted", WALLET]
    assert lines[4:] == [
        "Opening 1100.240027",
        "2025-05-02 correction/2025-05-02/Main Correction 0.024003 1100.26403",
        "2025-05-02 lending/2025-05-02/Main Lending 0.264094 1100.528124",
        "Closing 1100.528124",
    ]


def sums() -> dict[tuple[str, str, str], Decimal]:
    """Return the balances of the demo at the end of January 2025, by owner."""
    entries, errors, _ = loader.load_file(str(DEMO))
    assert errors == []
    found: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, data.Transaction) and str(entry.date) <= "2025-01-31":
            for leg in entry.postings:
                root, _, rest = leg.account.partition(":")
                if root in ("Assets", "Liabilities") and rest.startswith("Backpack:"):
                    owner = rest.split(":")[1]
                    assert leg.units is not None and leg.units.number is not None
                    found[owner, leg.account, leg.units.currency] += leg.units.number
    return found


def test_every_balance_of_the_demo() -> None:
    """Each account closes at Beancount's sum, from a day in the middle through each movement."""
    expected = sums()
    products = {"Treasury": "TBill"}
    for owner, commodity in sorted({(owner, currency) for owner, _, currency in expected}):
        identity = f"balance/2025-01-31/{products.get(owner, owner)}/{commodity}"
        words = ["explain", str(DEMO), identity, "--from", "2025-01-15", "--format", "csv"]
        done = CliRunner().invoke(main, words, prog_name="usance")
        assert done.exit_code == 0, done.output
        closing: dict[str, Decimal] = {}
        for row in csv.DictReader(io.StringIO(done.stdout)):
            if row["movement"] == "opening":
                closing[row["account"]] = Decimal(row["balance"])
            elif row["movement"] == "transaction":
                closing[row["account"]] += Decimal(row["amount"])
                assert row["id"] or row["file"].endswith("beancount")
            assert closing[row["account"]] == Decimal(row["balance"])
        assert closing == {
            account: number
            for (of, account, currency), number in expected.items()
            if (of, currency) == (owner, commodity)
        }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("balance/2025-05-02/Man/USDC",), "'Man' is no sub-account, and no product"),
        (("balance/2025-05-02/Main/SOL",), "Main never held SOL until 2025-05-02. Write one of: U"),
        (("balance/2025-05-02/Main",), "is no id of a balance. Write balance/2025-05-31/Main/U"),
        (("balance/May/Main/USDC",), "'May' is not a date."),
        (("balance/2025-05-02/Main/USDC", "--from", "2025-05-03"), "is after 2025-05-02. Write"),
        (("balance/2025-05-02/Main/USDC", "--hours"), "--hours does not go with balance/"),
        (("lending/2025-05-02/Main", "--from", "2025-05"), "--from does not go with lending/"),
        (("lending/2025-05-02/Main", "--as-corrected"), "--as-corrected does not go with lend"),
    ],
)
def test_what_is_no_balance(words: tuple[str, ...], says: str, folder: Folder) -> None:
    done = folder.usance("explain", *words)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
