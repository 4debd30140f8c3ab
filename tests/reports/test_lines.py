"""`usance explain statement/...`: rows behind a line, worked by hand in July of a statement."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from test_statement import BODY, HEAD

from usance.cli import main


@pytest.fixture(name="ledger")
def written(tmp_path: Path) -> Path:
    path = tmp_path / "main.beancount"
    path.write_text(HEAD + BODY, "utf-8")
    return path


def usance(path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["explain", str(path), *words], prog_name="usance")


def answer(path: Path, *words: str) -> Any:  # noqa: ANN401
    done = usance(path, *words, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def rows(path: Path, identity: str) -> list[tuple[Any, ...]]:
    keys = ("date", "cause", "units", "commodity", "price_before", "price", "amount")
    found = answer(path, identity)
    return [tuple(row[key] for key in keys) for row in found["contributions"]]


def test_a_contract_by_hand(ledger: Path) -> None:
    # 10 of them go from 148 at 1.00 to 160 at 0.99, which is 158.40; the 1500 USDC that they cost
    # are worth 15 less. 4 are sold for 600 at cost, 594, and are worth 633.60; their result is
    # 32 USDC, 31.68. The last 6 fall by 5 at 0.99.
    assert rows(ledger, "statement/2025-07/Main/contracts/SOL-PERP") == [
        ("2025-07-10", "price", "10", "SOL-PERP", "148", "158.4", "104"),
        ("2025-07-10", "price", "-1500", "USDC", "1", "0.99", "15"),
        ("2025-07-10", "trade", None, "SOL-PERP", None, None, "-39.6"),
        ("2025-07-10", "realised", "32", "USDC", None, "0.99", "31.68"),
        ("2025-07-31", "price", "6", "SOL-PERP", "158.4", "153.45", "-29.7"),
    ]
    found = answer(ledger, "statement/2025-07/Main/contracts/SOL-PERP")
    assert found["amount"] == "81.38"
    assert (found["line"], found["about"], found["kind"]) == (
        "contracts",
        "SOL-PERP",
        "sub-account",
    )


def test_postings_by_hand(ledger: Path) -> None:
    """A period may be a month, a year, a day, or two days."""
    funding = [
        ("2025-07-11", "posting", "-0.3", "USDC", None, "0.99", "-0.297"),
    ]
    for period in ("2025-07", "2025-07-11", "2025-07-01..2025-07-31", "2025-06..2025-07", "2025"):
        for name in ("Main", "whole"):
            assert rows(ledger, f"statement/{period}/{name}/funding") == funding
    [row] = answer(ledger, "statement/2025-07/Main/withdrawals/Assets:Bank")["contributions"]
    lines = (HEAD + BODY).splitlines()
    assert row["line"] == lines.index('2025-07-20 * "One coin sold at 115"') + 1
    assert (row["units"], row["amount"], row["id"]) == ("-115", "-115", "")
    assert row["narration"] == "One coin sold at 115"


def test_what_is_held(ledger: Path) -> None:
    # Arb has the 100 that Main gave, at 0.99.
    [row] = answer(ledger, "statement/2025-07/Arb/closing")["contributions"]
    assert (row["cause"], row["units"], row["price"], row["amount"]) == (
        "holding",
        "100",
        "0.99",
        "99",
    )
    assert answer(ledger, "statement/2025-07/Main/opening")["amount"] == "1180"


def test_a_generated_transaction_has_its_id(ledger: Path) -> None:
    # 10 contracts go from 150 to 148: the settlement moves 20 USDC within Main, which is no line.
    assert not answer(ledger, "statement/2025-06-30/Main/coins")["contributions"]
    identity = "balance/2025-06-30/Main/USDC"
    found = answer(ledger, identity)
    ids = [moved["id"] for account in found["accounts"] for moved in account["movements"]]
    assert ids == ["settlement/2025-06-30/Main"] * 2


def test_a_table_and_csv(ledger: Path) -> None:
    identity = "statement/2025-07/whole/fees"
    shown = usance(ledger, identity).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    assert lines[0] == "Fees. The whole, 2025-07-01 to 2025-07-31, USD, as posted"
    assert lines[-2].startswith("2025-07-10 Main SOL-PERP posting ")
    assert lines[-2].endswith(" -0.5 USDC 0.99 -0.495")
    assert lines[-1] == "Total -0.495"
    done = usance(ledger, identity, "--format", "csv")
    [row] = csv.DictReader(io.StringIO(done.stdout))
    assert (row["sub_account"], row["about"], row["amount"]) == ("Main", "SOL-PERP", "-0.495")
    assert row["line"].isdecimal()


def test_what_cannot_be_priced(ledger: Path) -> None:
    text = ledger.read_text("utf-8").replace("2025-06-01 price SOL-PERP 150 USDC\n", "")
    ledger.write_text(text, "utf-8")
    done = usance(ledger, "statement/2025-06/Main/contracts")
    assert done.exit_code == 1
    assert "cannot be priced" in done.stdout
    assert "SOL-PERP" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("statement/2025-07/Man/fees",), "Write one of: Arb, Main, whole."),
        (("statement/2025-07/Main/fee",), "'fee' is no line of Main. Write one of: opening, dep"),
        (("statement/2025-07/whole/transfers_in",), "'transfers_in' is no line of whole."),
        (
            ("statement/2025-07/Main/coins/BTC",),
            "not about 'BTC' in this period. Write one of: SOL",
        ),
        (("statement/2025-07/Main/bonus/X",), "Write one of: no name."),
        (("statement/2025-07/Main",), "is no id of a line. Write statement/2025-05/Main/funding."),
        (("statement/July/Main/fees",), "'July' is not a date."),
        (("statement/2025-07-09..2025-07-01/Main/fees",), "Write a first day that is not after"),
        (("statement/2025-07/Main/fees", "--from", "2025-07"), "--from does not go with"),
        (("statement/2025-07/Main/fees", "--hours"), "--hours does not go with"),
    ],
)
def test_what_is_no_line(words: tuple[str, ...], says: str, ledger: Path) -> None:
    done = usance(ledger, *words)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
