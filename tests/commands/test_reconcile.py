"""`usance reconcile`: what is asked, what is shown, and how it exits."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from reconciled_books import MAIN, coin, position, snapshot, written

from usance.cli import main

DEPOSIT = """
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
"""
SECOND = """
2025-06-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-06-16 custom "feed" "Arb" "backpack"
  outside: Assets:Bank
2025-06-01 open Assets:Backpack:Arb:Wallet
2025-06-10 * "Deposit"
  Assets:Backpack:Arb:Wallet   5 USDC
  Assets:Bank
"""
ORDERED = {"collateral": [coin("USDC", "1000", lent="990", ordered="10")], "borrowLiability": "0"}
SETTINGS = {"autoLend": True, "leverageLimit": "10"}
COLUMNS = "sub_account,line,name,books,venue,difference,class,rule"


def reconcile(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["reconcile", *map(str, words)])


def taken(folder: Path, moment: str, collateral: object, name: str = "Main") -> Path:
    """Put a snapshot into the folder of downloads."""
    place = folder / "downloads" / "backpack" / name / "snapshot" / moment.replace(":", "")
    answers = {"collateral": collateral, "position": [], "account": SETTINGS}
    return snapshot(place, {**answers, "taken": {"taken": moment}})


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return written(tmp_path, MAIN + DEPOSIT)


def test_the_newest_snapshot_is_reconciled_at_its_moment(ledger: Path) -> None:
    taken(ledger.parent, "2025-06-16T23:00:00Z", {"collateral": [coin("USDC", "7")]})
    taken(ledger.parent, "2025-06-17T00:10:03Z", ORDERED)
    done = reconcile(ledger, "--format", "json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    [one] = answer["reconciled"]
    assert list(one) == ["sub_account", "venue", "at", "snapshot", "lines", "interest", "notes"]
    assert one["at"] == "2025-06-17T00:10:03Z"
    assert one["snapshot"] == "downloads/backpack/Main/snapshot/2025-06-17T001003Z"
    assert (one["sub_account"], one["venue"]) == ("Main", "backpack")
    assert one["lines"][:2] == [
        {
            "line": "quantity",
            "name": "USDC",
            "books": "1000",
            "venue": "1000",
            "difference": "0",
            "class": "matched",
            "rule": None,
        },
        {
            "line": "lent",
            "name": "USDC",
            "books": "1000",
            "venue": "990",
            "difference": "10",
            "class": "explained",
            "rule": "open orders",
        },
    ]


def test_a_table_shows_what_does_not_match_first_and_counts_the_rest(ledger: Path) -> None:
    said = snapshot(
        ledger.parent / "said",
        {
            "collateral": {"collateral": [coin("USDC", "1000", lent="990", ordered="10")]},
            "account": {"autoLend": False, "leverageLimit": "10"},
        },
    )
    done = reconcile(ledger, said, "--at", "2025-06-16")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"Main at backpack, 2025-06-17T00:00:00Z, {said}"
    rows = [line.split() for line in lines[4:6]]
    assert rows == [
        ["auto_lend", "TRUE", "FALSE", "differs"],
        ["lent", "USDC", "1000", "990", "10", "explained", "open", "orders"],
    ]
    assert lines[-1] == "3 lines match."
    assert done.stderr == (
        "Main: The snapshot has no answer on positions, borrow-lend positions: their lines are "
        "left out.\n"
    )


def test_csv_has_a_row_for_each_line(ledger: Path) -> None:
    taken(ledger.parent, "2025-06-17T00:10:03Z", ORDERED)
    done = reconcile(ledger, "--format", "csv")
    rows = [*csv.reader(io.StringIO(done.stdout))]
    assert ",".join(rows[0]) == COLUMNS
    assert rows[2] == ["Main", "lent", "USDC", "1000", "990", "10", "explained", "open orders"]


def test_a_text_of_the_venue_is_no_formula_of_a_spreadsheet(ledger: Path) -> None:
    row = {"available": "1", "locked": "0", "staked": "0"}
    names = ('=HYPERLINK("x")', "+1", "-1", "@sum", "BP\x1b[31m")
    capital = dict.fromkeys(names, row)
    said = snapshot(ledger.parent / "said", {"collateral": ORDERED, "capital": capital})
    done = reconcile(ledger, said, "--at", "2025-06-16", "--format", "csv")
    told = {row[2] for row in csv.reader(io.StringIO(done.stdout)) if row[6] == "missing"}
    assert told == {'\'=HYPERLINK("x")', "'+1", "'-1", "'@sum", "BP [31m"}
    assert "\x1b" not in done.stdout + reconcile(ledger, said, "--at", "2025-06-16").stdout


def test_a_negative_figure_stays_a_figure(ledger: Path) -> None:
    said = snapshot(ledger.parent / "said", {"collateral": {"collateral": [coin("USDC", "1001")]}})
    done = reconcile(ledger, said, "--at", "2025-06-16", "--format", "csv")
    assert done.exit_code == 1
    assert "Main,quantity,USDC,1000,1001,-1,differs,\n" in done.stdout


def test_two_feeds_are_reconciled_by_name(tmp_path: Path) -> None:
    ledger = written(tmp_path, MAIN + DEPOSIT + SECOND)
    taken(tmp_path, "2025-06-17T00:10:03Z", ORDERED)
    taken(tmp_path, "2025-06-17T00:10:04Z", {"collateral": [coin("USDC", "4", lent="0")]}, "Arb")
    done = reconcile(ledger, "--format", "json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert [one["sub_account"] for one in answer["reconciled"]] == ["Arb", "Main"]
    assert answer["ok"] is False
    assert reconcile(ledger, "--sub-account", "Main").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "noon"], "'noon' is no moment. Write it as 2025-06-17T00:10:03Z, or a date"),
        (["--at", "2025-06-17"], "2025-06-18T00:00:00Z is beyond the books, which end on 2025-06-"),
        (["--sub-account", "Nobody"], "--sub-account Nobody has no feed. Sub-accounts with a feed"),
        (["nowhere"], "Path 'nowhere' does not exist"),
    ],
)
def test_wrong_usage(words: list[str], message: str, ledger: Path) -> None:
    taken(ledger.parent, "2025-06-17T00:10:03Z", ORDERED)
    done = reconcile(ledger, *words)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_snapshot_without_its_moment_needs_one(ledger: Path) -> None:
    said = snapshot(ledger.parent / "said", {"collateral": ORDERED})
    done = reconcile(ledger, said / "collateral.json")
    assert done.exit_code == 2
    assert "does not say when it was taken. Add --at with the moment" in done.stderr
    assert reconcile(ledger, said / "collateral.json", "--at", "2025-06-16").exit_code == 0


def test_a_snapshot_of_two_feeds_needs_a_name(tmp_path: Path) -> None:
    ledger = written(tmp_path, MAIN + DEPOSIT + SECOND)
    said = snapshot(tmp_path / "said", {"collateral": ORDERED})
    done = reconcile(ledger, said, "--at", "2025-06-16")
    assert done.exit_code == 2
    assert (
        "SNAPSHOT is of one sub-account. Add --sub-account with one of: Arb, Main." in done.stderr
    )
    assert reconcile(ledger, said, "--at", "2025-06-16", "--sub-account", "Main").exit_code == 0


def test_no_snapshot_is_told(ledger: Path) -> None:
    done = reconcile(ledger)
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: There is no snapshot of Main in downloads/backpack/Main/snapshot. Take one with "
        "usance fetch, or name a folder of answers.\n"
    )


def test_a_broken_snapshot_is_one_message(ledger: Path) -> None:
    place = taken(ledger.parent, "2025-06-17T00:10:03Z", ORDERED)
    (place / "account.json").write_text("{")
    done = reconcile(ledger)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "account.json: line 1 is no JSON" in done.stderr


def test_a_ledger_with_errors_is_not_reconciled(tmp_path: Path) -> None:
    ledger = written(tmp_path, MAIN + DEPOSIT + "2025-06-10 balance Assets:Bank  5 USDC\n")
    taken(tmp_path, "2025-06-17T00:10:03Z", ORDERED)
    for form in ("table", "json", "csv"):
        done = reconcile(ledger, "--format", form)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "Balance failed" in done.stderr


def test_the_venues_interest_less_the_engines_is_shown_beside_the_line(tmp_path: Path) -> None:
    """A day of 1000 USDC at 1 % earns 1000 * (1 + 0.01 / 8760)^24 here; there it paid 0.0274.

    The row of midnight is that of the day that it ends, and one before the feed does not count.
    """
    rates = '2025-06-02 custom "lending-rate" "USDC" 0.01 0.02\n'
    since = MAIN.replace("2025-06-16 custom", "2025-06-15 custom")
    ledger = written(tmp_path, since + rates + DEPOSIT.replace("2025-06-10", "2025-06-15"))
    rows = [
        {
            "paymentType": "Lend",
            "interestRate": "0.01",
            "interval": 3600000,
            "marketSymbol": "USDC",
            "positionId": "7",
            "quantity": quantity,
            "symbol": "USDC",
            "timestamp": at,
        }
        for at, quantity in (
            ("2025-06-15T00:00:00", "9"),
            ("2025-06-15T12:00:00", "0.0137"),
            ("2025-06-16T00:00:00", "0.0137"),
            ("2025-06-17T00:30:00", "5"),
        )
    ]
    page = tmp_path / "downloads" / "backpack" / "Main" / "interest" / "000000000.json"
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps(rows))
    said = snapshot(tmp_path / "said", {"collateral": {"collateral": [coin("USDC", "1000.0274")]}})
    done = reconcile(ledger, said, "--at", "2025-06-15", "--format", "json")
    [one] = json.loads(done.stdout)["reconciled"]
    line = one["lines"][0]
    assert (line["line"], line["class"]) == ("quantity", "differs")
    assert line["difference"] == "-" + one["interest"]["USDC"]
    assert line["books"] == "1000.0273976199"
    assert one["notes"][-1].startswith("The engine generates the interest of Main")
    shown = reconcile(ledger, said, "--at", "2025-06-15")
    assert "Interest: rows less engine's" in shown.stdout
    assert shown.stdout.splitlines()[4].endswith(one["interest"]["USDC"])


def test_a_position_is_held_against_marks_of_the_ledger_if_there_is_none(tmp_path: Path) -> None:
    text = (
        DEPOSIT
        + """
2025-06-15 price SOL-PERP 149 USDC
2025-06-15 * "Open"
  Assets:Backpack:Main:Perp   1 SOL-PERP {149 USDC}
  Assets:Backpack:Main:Perp  -149 USDC
"""
    )
    row = position("SOL_USDC_PERP", "1", "149", "149")
    del row["markPrice"]
    collateral = {
        "collateral": [coin("USDC", "1000")],
        "pnlUnrealized": "0",
        "borrowLiability": "0",
    }
    said = snapshot(tmp_path / "said", {"collateral": collateral, "position": [row]})
    done = reconcile(written(tmp_path, MAIN + text), said, "--at", "2025-06-16")
    assert done.exit_code == 0
