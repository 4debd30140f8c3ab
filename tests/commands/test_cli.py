"""The command line: what each command prints, where, and how it exits."""

import csv
import datetime
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from click.testing import CliRunner, Result
from folders import LEDGER, Folder, stamps

from usance import __version__
from usance.cli import COMMANDS as IN_ORDER
from usance.cli import main
from usance.commands.tables import table
from usance.reports import palette

USANCE = Path(sys.executable).with_name("usance")
COMMANDS = sorted(IN_ORDER)
NOT_ENOUGH = {"explain", "fava", "init", "reopen", "stress"} | {"fetch", "import", "reconcile"}
NOT_ENOUGH |= {"daily", "demo"}
NOT_ENOUGH |= {"pnl", "statement"}  # a deposit of SOL has no price on its day
OVER_A_LEDGER = [name for name in COMMANDS if name not in NOT_ENOUGH]
"""Commands that a ledger is enough for."""
FIGURES = ["accounts", "lending"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.made(tmp_path / "books")


def usance(*words: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(
        main, words, prog_name="usance", catch_exceptions=False
    )


def shell(*words: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the console script, with a clean environment."""
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [USANCE, *map(str, words)],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# Wrong usage


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_without_a_ledger_the_usage_is_wrong(command: str) -> None:
    done = usance(command, USANCE_FILE="", BEANCOUNT_FILE="")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "LEDGER" in done.stderr


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_a_ledger_that_is_not_there_or_is_a_folder_is_wrong_usage(
    command: str, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "none.beancount"):
        done = usance(command, str(path))
        assert done.exit_code == 2
        assert str(path) in done.stderr


WRONG = [
    ("accrue", "--through", "2025-02-30"),
    ("accrue", "--through", "tomorrow"),
    ("accrue", "--through", "2025-2-3"),
    ("accrue", "--through", "2025-W05-1"),
    ("accrue", "--through", "20250203"),
    ("accrue", "--format", "xml"),
    ("accrue", "--through"),
    ("lending", "--from", "yesterday"),
    ("lending", "--to", "2025-13"),
    ("lending", "--at", "2025-01-01"),
    ("accounts", "--at", "2025-01-01T00:00:00"),
    ("accounts", "more"),
    ("check", "--loose"),
    ("nothing",),
    # The books end on 2025-02-02
    ("lending", "--from", "2025-02-03"),
    ("lending", "--to", "2035-02-11"),
    ("accounts", "--at", "2035-02-11"),
    ("accounts", "--every", "month", "--at-cost"),
    # The wrong way round
    ("lending", "--from", "2025-02-01", "--to", "2025-01-31"),
    ("yield", "--from", "2025-02-01", "--to", "2025-01-31"),
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_exits_2_and_prints_no_figures(words: tuple[str, ...], folder: Folder) -> None:
    files = folder.files()
    command, *arguments = words
    done = folder.usance(command, *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Error: " in done.stderr
    assert folder.files() == files


BEYOND = [("lending", "--to"), ("yield", "--to"), ("accounts", "--at"), ("margin", "--at")]


@pytest.mark.parametrize(("command", "option"), BEYOND)
def test_days_beyond_the_books_are_lived_and_said(
    command: str, option: str, folder: Folder
) -> None:
    assert folder.usance(command, option, "2025-02-02").stderr == ""
    beyond = folder.usance(command, option, "2025-02-04")
    assert beyond.exit_code == 0
    assert "The books run to 2025-02-02. The days after it" in beyond.stderr
    folder.accrue("--through", "2025-02-04")
    closed = folder.usance(command, option, "2025-02-04")
    assert (closed.stdout, closed.stderr) == (beyond.stdout, "")


@pytest.mark.parametrize("option", ["--from", "--to", "--at"])
def test_books_without_a_day_have_none_to_show(option: str, tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text('option "operating_currency" "USDC"\nplugin "usance.plugins"\n')
    done = usance("accounts" if option == "--at" else "lending", str(ledger), option, "2025-02-04")
    assert done.exit_code == 2
    assert f"{option} 2025-02-04: the books have no day yet." in done.stderr


def test_what_is_left_out_is_said(folder: Folder) -> None:
    with folder.ledger.open("a") as text:
        for amount in ("7", "8"):
            text.write(f'\n2025-02-04 * "Late"\n  Assets:Bank  -{amount} USDC\n')
            text.write(f"  Assets:Backpack:Arb:Wallet  {amount} USDC\n")
    done = folder.usance("accounts")
    assert done.stderr == (
        "The books run to 2025-02-03; 2 transactions of 2025-02-04 are not counted: add --at "
        "2025-02-04.\n"
    )
    assert "are not counted: add --to 2025-02-04." in folder.usance("lending").stderr
    assert folder.usance("accounts", "--at", "2025-02-03").stderr == ""


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_the_ledger_of_the_current_folder_may_be_left_out(
    command: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"USANCE_FILE": "", "BEANCOUNT_FILE": ""}
    folder.ledger.rename(folder.path / "main.beancount")
    monkeypatch.chdir(folder.path)
    done = usance(command, **nothing)
    assert done.exit_code == 0
    assert done.stdout


def test_a_snapshot_or_an_id_may_stand_alone(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    if folder.ledger.name != "main.beancount":
        folder.ledger.rename("main.beancount")
    nothing = {"USANCE_FILE": "", "BEANCOUNT_FILE": ""}
    assert usance("explain", "lending/2025-02-01/Arb", **nothing).exit_code == 0
    (folder.path / "one.json").write_text("{}")
    # Neither is taken for a ledger: the text of JSON is none.
    for command in ("reconcile", "import"):
        done = usance(command, "one.json", **nothing)
        assert done.exit_code
        assert "one.json:1: " not in done.stderr


def test_version_and_help() -> None:
    assert usance("--version").stdout == f"usance, version {__version__}\n"
    shown = usance("--help")
    assert shown.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", shown.stdout, re.MULTILINE)
        alone = usance(command, "--help")
        assert alone.exit_code == 0
        assert f"usance {command}" in alone.stdout


def test_the_help_cuts_no_summary_at_80_columns() -> None:
    _, summaries = usance("--help", COLUMNS="80").stdout.split("Commands:\n")
    lines = summaries.splitlines()
    assert [line.split()[0] for line in lines] == list(IN_ORDER)  # a line each
    assert [line for line in lines if line.endswith("...")] == []


# Where the ledger comes from


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_the_ledger_may_come_from_the_environment(command: str, folder: Folder) -> None:
    wrong = str(folder.path / "nowhere")
    named = folder.usance(command)
    for environment in (
        {"USANCE_FILE": str(folder.ledger)},
        {"BEANCOUNT_FILE": str(folder.ledger)},
        {"USANCE_FILE": str(folder.ledger), "BEANCOUNT_FILE": wrong},
        {"USANCE_FILE": "", "BEANCOUNT_FILE": str(folder.ledger)},
    ):
        done = usance(command, **environment)
        assert done.exit_code == named.exit_code == 0
    given = usance(command, str(folder.ledger), USANCE_FILE=wrong, BEANCOUNT_FILE=wrong)
    assert given.exit_code == 0
    assert usance(command, USANCE_FILE=wrong, BEANCOUNT_FILE=str(folder.ledger)).exit_code == 2


# check


def test_check_says_that_nothing_is_wrong(folder: Folder) -> None:
    done = folder.usance("check")
    assert done.exit_code == 0
    assert done.stdout == f"main.beancount: nothing wrong in {len(folder.load()[0])} directives\n"
    assert done.stderr == ""


def test_check_prints_errors_and_findings_with_their_places(folder: Folder) -> None:
    folder.edit("-1000 USDC", "-1000.01 USDC")
    folder.edit('"SOL" 0.05 0.08', '"SOL" 101 0.08')
    folder.edit("2025-02-02T00:00:00Z,0.0365,0.0730\n", "", "rates/usdc.csv")
    folder.edit("quantum: 0.000001", "quantum: 0.000001\n  stale-after: 0")
    unbalanced = folder.line('* "Deposit"')
    wrong = folder.line('"SOL" 101')
    done = folder.usance("check")
    assert done.exit_code == 1
    assert done.stderr == ""
    places = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert {f"main.beancount:{line}" for line in (unbalanced, wrong)} <= {*places}
    answer = json.loads(folder.usance("check", "--format", "json").stdout)
    assert answer["ok"] is False
    told = [*answer["errors"], *answer["findings"]]
    assert [Path(problem["file"]).name for problem in told] == ["main.beancount"] * len(places)
    assert [f"main.beancount:{problem['line']}" for problem in told] == places
    assert {unbalanced, wrong} <= {error["line"] for error in answer["errors"]}
    assert {*answer["findings"][0]} == {"file", "line", "message"}


def test_a_finding_alone_makes_check_exit_1_and_nothing_else(folder: Folder) -> None:
    folder.edit("2025-02-02T00:00:00Z,0.0365,0.0730\n", "", "rates/usdc.csv")
    folder.edit("quantum: 0.000001", "quantum: 0.000001\n  stale-after: 0")
    checked = folder.usance("check")
    assert checked.exit_code == 1
    assert len(re.findall(r"^main\.beancount:\d+: finding: ", checked.stdout, re.MULTILINE)) == 2
    for command in FIGURES:
        done = folder.usance(command, "--format", "json")
        assert done.exit_code == 0
        assert json.loads(done.stdout)
        assert len(re.findall(": finding: ", done.stderr)) == 2


# lending


def test_lending_in_json(folder: Folder) -> None:
    done = folder.usance(
        "lending", "--from", "2025-01-31", "--to", "2025-02-01", "--format", "json"
    )
    assert done.exit_code == 0
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert list(answer) == ["from", "to", "by", "basis", "rows", "pools"]
    assert (answer["by"], answer["basis"]) == ("day", "posted")
    assert (answer["from"], answer["to"]) == ("2025-01-31", "2025-02-01")
    assert [
        tuple(row[key] for key in ("date", "sub_account", "coin", "side")) for row in answer["rows"]
    ] == [
        ("2025-01-31", "Arb", "USDC", "lent"),
        ("2025-01-31", "Main", "USDC", "lent"),
        ("2025-02-01", "Arb", "SOL", "lent"),
        ("2025-02-01", "Arb", "USDC", "lent"),
        ("2025-02-01", "Main", "USDC", "lent"),
        ("2025-02-01", "Main", "USDC", "borrowed"),
    ]
    # 10 hours of 0.001002 and 14 of 100.001002 (the transfer at 09:30 counts from 10:00), which
    # earn 0.005833: the mean of the hours is (0.01002 + 1400.014028) / 24 = 58.334335333...
    assert answer["rows"][0] == {
        "date": "2025-01-31",
        "sub_account": "Arb",
        "venue": "Backpack",
        "coin": "USDC",
        "side": "lent",
        "principal": "100.006835",
        "average_principal": "58.33433533333333333333333333",
        "interest": "0.005833",
        "days": 1,
        "correction": "",
    }
    # 46.651460 for 11 hours at 0.0730: 46.651460 * 0.000091670486206599 = 0.00427656..., charged up
    assert answer["rows"][5] == {
        "date": "2025-02-01",
        "sub_account": "Main",
        "venue": "Backpack",
        "coin": "USDC",
        "side": "borrowed",
        "principal": "46.655737",
        "average_principal": "21.38191916666666666666666667",
        "interest": "0.004277",
        "days": 1,
        "correction": "",
    }
    usdc = [pool for pool in answer["pools"] if pool["coin"] == "USDC"]
    assert usdc[1] == {
        "date": "2025-02-01",
        "venue": "Backpack",
        "coin": "USDC",
        "paid_by_borrowers": "0.004277",
        "earned_by_lenders": "0.058931",  # 0.010001 of Arb and 0.048930 of Main
        "fee": None,
        "external": "-0.054654",
        "rounding": "0",
    }


def test_lending_in_csv_holds_the_rows_of_json(folder: Folder) -> None:
    for arguments in ([], ["--from", "2025-02-01"], ["--to", "2025-01-03"]):
        answer = json.loads(folder.usance("lending", *arguments, "--format", "json").stdout)
        text = folder.usance("lending", *arguments, "--format", "csv").stdout
        rows = [{**row, "days": str(row["days"])} for row in answer["rows"]]
        assert list(csv.DictReader(io.StringIO(text))) == rows
        assert text.partition("\n")[0] == (
            "date,sub_account,venue,coin,side,principal,average_principal,interest,days,correction"
        )
        words = ["lending", *arguments, "--format", "csv", "--list", "pools"]
        assert list(csv.DictReader(io.StringIO(folder.usance(*words).stdout))) == [
            {key: value or "" for key, value in row.items()} for row in answer["pools"]
        ]


@pytest.mark.parametrize("by", ["month", "year"])
def test_lending_by_interval_sums_its_days(by: str, folder: Folder) -> None:
    def rows(by: str) -> list[dict[str, Any]]:
        words = ("lending", "--by", by, "--format", "json")
        found: list[dict[str, Any]] = json.loads(folder.usance(*words).stdout)["rows"]
        return found

    days = rows("day")
    letters = {"month": 7, "year": 4}[by]
    for row in rows(by):
        of_row = [
            day
            for day in days
            if day["date"][:letters] == row["date"][:letters]
            and all(day[key] == row[key] for key in ("sub_account", "coin", "side"))
        ]
        assert Decimal(row["interest"]) == sum(Decimal(day["interest"]) for day in of_row)
        hours = sum(Decimal(day["average_principal"]) for day in of_row) * 24
        average = Decimal(row["average_principal"]) * 24 * row["days"]
        assert abs(hours - average) < Decimal("1e-20")
        [end] = [day["principal"] for day in of_row if day["date"] == row["date"]] or ["0"]
        assert Decimal(row["principal"]) == Decimal(end)
    assert len({row["date"] for row in rows(by)}) == {"month": 3, "year": 2}[by]


def test_from_and_to_are_inclusive(folder: Folder) -> None:
    def dates(*arguments: str) -> list[str]:
        answer = json.loads(folder.usance("lending", *arguments, "--format", "json").stdout)
        return sorted({row["date"] for row in answer["rows"]})

    whole = dates()
    assert len(whole) == 35
    assert (whole[0], whole[-1]) == ("2024-12-30", "2025-02-02")
    assert dates("--from", "2025-01-31") == ["2025-01-31", "2025-02-01", "2025-02-02"]
    assert dates("--to", "2024-12-31") == ["2024-12-30", "2024-12-31"]
    assert dates("--from", "2025-01-05", "--to", "2025-01-05") == ["2025-01-05"]
    assert dates("--to", "2024-12-29") == []


def test_lending_as_a_table(folder: Folder) -> None:
    done = folder.usance("lending", "--to", "2024-12-31")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    # 1000 * 0.000100004791813082 = 0.100004..., and 1000.100004 of it 0.100015 with the carry
    assert "2024-12-30 Main Backpack USDC lent 1000.100004 1000 0.100004" in lines
    assert "2024-12-31 Main Backpack USDC lent 1000.200019 1000.100004 0.100015" in lines


# accounts


def test_accounts_in_json(folder: Folder) -> None:
    done = folder.usance("accounts", "--format", "json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert list(answer) == ["at", "basis", "sub_accounts", "net_asset_value"]
    assert answer["at"] == "2025-02-02"
    arb, main_ = answer["sub_accounts"]
    for sheet in (arb, main_):
        assert list(sheet) == ["name", "venue", "accounts", "residual", "net_asset_value"]
        assert sheet["venue"] == "Backpack"
        assert sheet["residual"] == {}
    assert main_["name"] == "Main"
    assert main_["accounts"]["Liabilities:Backpack:Main:Borrowed"] == {"USDC": "-46.665069"}
    assert main_["net_asset_value"] == "-46.665069"
    # Arb: 100 got, 0.001 put in, interest 0.000002 + 0.005833 + 0.010001 + 0.010003; 2 SOL with
    # 0.00027399 + 0.00027402, at 150.
    assert arb["accounts"]["Assets:Backpack:Arb:Wallet"] == {
        "SOL": "2.00054801",
        "USDC": "100.026839",
    }
    assert arb["accounts"]["Equity:Backpack:Arb:Transfers:Main"] == {"USDC": "-100"}
    assert arb["net_asset_value"] == "400.10904050"
    assert answer["net_asset_value"] == "353.44397150"


def test_accounts_in_csv_hold_the_units_of_json(folder: Folder) -> None:
    answer = json.loads(folder.usance("accounts", "--format", "json").stdout)
    rows = csv.DictReader(io.StringIO(folder.usance("accounts", "--format", "csv").stdout))
    read: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        assert list(row) == ["sub_account", "venue", "account", "commodity", "number", "at"]
        assert row["at"] == answer["at"]
        sheet = read.setdefault(row["sub_account"], {})
        sheet.setdefault(row["account"], {})[row["commodity"]] = row["number"]
    assert read == {sheet["name"]: sheet["accounts"] for sheet in answer["sub_accounts"]}
    done = folder.usance("accounts", "--format", "csv", "--list", "net_asset_values")
    assert list(csv.DictReader(io.StringIO(done.stdout))) == [
        {
            "sub_account": sheet["name"],
            "venue": sheet["venue"],
            "net_asset_value": sheet["net_asset_value"],
            "at": answer["at"],
        }
        for sheet in answer["sub_accounts"]
    ]
    done = folder.usance("accounts", "--format", "csv", "--list", "residuals")
    assert done.stdout == "sub_account,venue,commodity,number,at\n"


def test_at_is_the_end_of_its_day(folder: Folder) -> None:
    answer = json.loads(folder.usance("accounts", "--at", "2025-01-31", "--format", "json").stdout)
    arb, main_ = answer["sub_accounts"]
    assert arb["net_asset_value"] == "100.006835"
    assert main_["net_asset_value"] == "903.299610"
    early = json.loads(folder.usance("accounts", "--at", "2024-12-29", "--format", "json").stdout)
    assert early["net_asset_value"] == "0"


def test_accounts_as_a_table(folder: Folder) -> None:
    lines = [" ".join(line.split()) for line in folder.usance("accounts").stdout.splitlines()]
    assert "Assets:Backpack:Arb:Wallet 2.00054801 SOL 300.08220150" in lines
    assert "Assets:Backpack:Arb:Wallet 100.026839 USDC 100.026839" in lines
    assert "Due to Main 100 USDC" in lines
    assert "Due from Arb 100 USDC" in lines
    assert "Transfers between them, eliminated (USDC) 0" in lines
    assert lines[-1] == "Net asset value 353.44397150"


def test_a_price_that_is_missing_is_named_and_the_figure_is_null(folder: Folder) -> None:
    folder.edit("2025-02-02 price SOL 150 USDC\n", "")
    done = folder.usance("accounts", "--format", "json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert answer["net_asset_value"] is None
    assert [sheet["net_asset_value"] for sheet in answer["sub_accounts"]] == [None, "-46.665069"]
    assert "SOL has no price in USDC" in done.stderr


@pytest.mark.parametrize("command", FIGURES)
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_report_on_a_ledger_with_errors_prints_what_it_can(
    command: str, form: str, folder: Folder
) -> None:
    whole = folder.usance(command, "--format", form)
    folder.edit("\n2025-02-03", "\n2025-02-02 balance Assets:Bank  7 USDC\n\n2025-02-03")
    done = folder.usance(command, "--format", form)
    assert done.exit_code == 1
    assert done.stdout == whole.stdout
    assert done.stderr.startswith(f"main.beancount:{folder.line('balance')}: ")


@pytest.mark.parametrize("command", FIGURES)
def test_posted_days_show_the_same_figures(command: str, folder: Folder) -> None:
    for form in ("table", "json", "csv"):
        virtual = folder.usance(command, "--format", form).stdout
        folder.accrue("--through", "2025-01-31" if form == "table" else "2025-02-02")
        assert folder.usance(command, "--format", form).stdout == virtual


# accrue


def test_accrue_in_csv_and_as_text(folder: Folder) -> None:
    done = folder.accrue("--through", "2024-12-31", "--format", "csv")
    assert done.stdout == "date\n2024-12-30\n2024-12-31\n"
    done = folder.accrue("--through", "2025-01-01")
    assert done.stdout == (
        "Posted 2025-01-01: 1 transaction.\n  posted/2025-01.inputs\n  posted/2025-01.beancount\n"
    )
    assert done.stderr == ""


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_yesterday_is_that_of_utc(zone: str, tmp_path: Path) -> None:
    """The ledger begins three days before today, and its rates never grow old."""
    today = datetime.datetime.now(datetime.UTC).date()
    start = today - datetime.timedelta(days=3)
    text = re.sub(r"2024-12-30", str(start), LEDGER.partition("2025-01-10")[0])
    folder = Folder.made(tmp_path / "books", text.replace('"rates/usdc.csv"', "0.0365 0.0730"))
    arguments = ("accrue", folder.ledger, "--through", "yesterday", "--format", "json")
    done = shell(*arguments, TZ=zone)
    until = datetime.datetime.now(datetime.UTC).date()
    answer = json.loads(done.stdout)
    possible = {str(day - datetime.timedelta(days=1)) for day in (today, until)}
    assert answer["through"] in possible


# init


TERMS = Path(__file__).parents[2] / "src" / "usance" / "venues" / "backpack" / "terms.beancount"


def test_init_writes_a_ledger_that_loads_and_accrues(tmp_path: Path) -> None:
    top = tmp_path / "new" / "my books"
    done = usance("init", str(top), "--from", "2025-05-05")
    assert done.exit_code == 0
    assert {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()} == {
        "main.beancount",
        "posted/first.beancount",
        "venues/backpack.beancount",
    }
    folder = Folder(top)
    checked = folder.usance("check", "--strict")
    assert checked.exit_code == 0, checked.output
    assert folder.accrue().stdout.startswith("Posted 2025-05-05 to 2025-05-08: ")
    assert folder.usance("check", "--strict").exit_code == 0
    # What it prints to try next works as it is printed, a folder with a blank included.
    tried = re.findall(r"^  usance (.*)$", done.stdout, re.MULTILINE)
    assert [words.split()[0] for words in tried] == ["status", "fava"]
    assert {tuple(shlex.split(words)[1:]) for words in tried} == {(str(folder.ledger),)}
    # 1000 deposited, 1.50 and 0.38 of fees, 5 x (152 - 150) and 15 x (151 - 150) made: 1023.12.
    # Interest of the first day: 1000 in 2 hours, 998.503561 in 5 and 998.132452 in 8 earn
    # 0.003561 + 0.008891 + 0.014220 = 0.026672. Of the others: 1023.146672, which grows by
    # 0.000042740601 a day, earns 0.043730, 0.043732 and 0.043733. Together 0.157867.
    shown = usance(*shlex.split(tried[0]), "--format", "json")
    assert json.loads(shown.stdout)["net_asset_value"] == "1023.277867"


def test_init_asks_nothing_and_begins_today(tmp_path: Path) -> None:
    before = datetime.datetime.now(datetime.UTC).date()
    assert usance("init", str(tmp_path)).exit_code == 0
    folder = Folder(tmp_path)
    after = datetime.datetime.now(datetime.UTC).date()
    [deposit] = re.findall(r'^(\S+) \* "Deposit"$', folder.ledger.read_text(), re.MULTILINE)
    assert before <= datetime.date.fromisoformat(deposit) <= after
    assert folder.usance("check", "--strict").exit_code == 0
    # Today is not over, so no day is closed.
    assert folder.accrue().stdout == "Nothing to post: no day is closed yet.\n"


@pytest.mark.parametrize("since", ["0001-01-01", "2025-05-05", "2025-06-16", "2025-07-01"])
def test_init_on_any_day_has_terms_from_it_on(since: str, tmp_path: Path) -> None:
    """Goal: books that begin before a term was seen have terms, and none makes them run longer."""
    assert usance("init", str(tmp_path), "--from", since).exit_code == 0
    folder = Folder(tmp_path)
    checked = folder.usance("check", "--strict", "--format", "json")
    assert checked.exit_code == 0, checked.output
    first = datetime.date.fromisoformat(since)
    assert json.loads(checked.stdout)["last"] == str(first + datetime.timedelta(days=3))
    terms = tmp_path / "venues" / "backpack.beancount"
    dates = re.findall(r"^\d{4}-\d\d-\d\d", terms.read_text(), re.MULTILINE)
    assert max(dates) <= since
    for name in ('"SOL"', '"SOL-PERP"', '"ETH-PERP"', '"BTC-PERP"'):
        assert re.search(rf"^\d\S+ custom \S+ {name}$", terms.read_text(), re.MULTILINE)
    # Without the comment signs, as the file says, it is what is known, from that day on.
    whole = re.sub(r"^; ", "", terms.read_text(), flags=re.MULTILINE)
    known = TERMS.read_text()
    assert re.sub(r"^\d\S+", "", whole, flags=re.MULTILINE) == re.sub(
        r"^\d\S+", "", known, flags=re.MULTILINE
    )
    terms.write_text(whole)
    assert json.loads(folder.usance("check", "--format", "json").stdout)["errors"] == []


def test_init_with_a_feed_begins_on_its_day(tmp_path: Path) -> None:
    done = usance("init", str(tmp_path), "--feed", "backpack", "--from", "2025-06")
    assert done.exit_code == 0
    assert "booked from 2025-06-01 on" in done.stdout
    assert '2025-06-01 custom "feed" "Main" "backpack"' in Folder(tmp_path).ledger.read_text()
    assert Folder(tmp_path).usance("check", "--strict").exit_code == 0
    assert not (tmp_path / "venues").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "9999-12-31"), "--from 9999-12-31 is still to come. Write a day until "),
        (("--from", "2025-02-30"), "'2025-02-30' is not a date. Write it as 2025-05-31"),
        (("--venue", "backpack", "--feed", "backpack"), "Use one of them."),
        (("--venue", "kraken"), "'kraken' is not 'backpack'"),
    ],
)
def test_init_refuses_what_it_cannot_do(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = usance("init", str(tmp_path / "books"), *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "books").exists()


@pytest.mark.parametrize("command", ["init", "demo"])
def test_a_missing_folder_says_what_to_write(command: str) -> None:
    done = usance(command)
    assert done.exit_code == 2
    assert f"Name a new folder, as in: usance {command} books" in done.stderr


def test_init_in_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "posted").mkdir()
    assert usance("init", str(tmp_path)).exit_code == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def in_place(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")


def as_link(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(path.parent / "nowhere")


def as_folder(path: Path) -> None:
    path.mkdir(parents=True)


@pytest.mark.parametrize(
    "name", ["main.beancount", "posted/first.beancount", "venues/backpack.beancount"]
)
@pytest.mark.parametrize("make", [in_place, as_link, as_folder])
def test_init_never_overwrites(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / name)
    before = stamps(tmp_path.rglob("*"))
    done = usance("init", str(tmp_path))
    assert done.exit_code == 1
    assert name in done.stderr
    assert stamps(tmp_path.rglob("*")) == before


def test_init_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/below"):
        done = usance("init", str(tmp_path / place))
        assert done.exit_code in (1, 2)
        assert "file" in done.stderr
    (tmp_path / "posted").write_text("mine")
    done = usance("init", str(tmp_path))
    assert done.exit_code == 1
    assert "posted" in done.stderr
    assert not (tmp_path / "main.beancount").exists()


def test_an_init_ledger_shows_six_digits_in_reports(tmp_path: Path) -> None:
    """A person typed 1000 USDC."""
    usance("init", str(tmp_path), "--from", "2025-05-05")
    folder = Folder(tmp_path)
    query = "SELECT date, account, position WHERE account ~ 'Wallet' AND date = 2025-05-05"
    bean_query = Path(sys.executable).with_name("bean-query")
    for _ in range(2):
        done = subprocess.run(
            [bean_query, folder.ledger, query], capture_output=True, text=True, check=True
        )
        rows = sorted(line.split()[2:] for line in done.stdout.splitlines()[2:])
        assert rows == [
            ["-0.380000", "USDC"],
            ["-1.500000", "USDC"],
            ["0.026672", "USDC"],
            ["1000.000000", "USDC"],
            ["25.000000", "USDC"],
        ]
        folder.accrue()


# Terminals and shells


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_no_colours_where_there_is_no_terminal(command: str, folder: Folder) -> None:
    colourful = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"}
    done = shell(command, folder.ledger, **colourful)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert shell(command, "--help", **colourful).stdout.count("\x1b") == 0


@pytest.mark.parametrize("language", ["bash", "zsh", "fish"])
def test_a_completion_script_is_produced(language: str) -> None:
    if language == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    done = shell(_USANCE_COMPLETE=f"{language}_source")
    assert done.returncode == 0
    assert "_USANCE_COMPLETE" in done.stdout
    assert "usance" in done.stdout


@pytest.mark.parametrize("command", ["accounts", "lending", "margin", "yield"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_list_without_csv_is_not_silently_left_out(
    command: str, form: str, folder: Folder
) -> None:
    listed = {"accounts": "residuals", "lending": "pools", "margin": "borrows", "yield": "lots"}
    done = folder.usance(command, "--list", listed[command], "--format", form)
    assert done.exit_code == 2
    assert "Add --format csv, or leave --list out." in done.stderr
    assert folder.usance(command, "--list", listed[command], "--format", "csv").exit_code == 0


def test_completion_offers_commands_and_options() -> None:
    def offered(words: str) -> str:
        number = str(len(words.split(" ")) - 1)
        return shell(_USANCE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=number).stdout

    if shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    assert offered("usance ").split() == [f"plain,{name}" for name in IN_ORDER]
    assert "plain,--through" in offered("usance accrue --th").split()


@pytest.mark.parametrize("command", FIGURES)
def test_a_reader_that_goes_away_is_no_error_of_ours(command: str, folder: Folder) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            [USANCE, command, folder.ledger],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr


# Odd ledgers: a clear message, never a traceback

ENABLED = b'option "operating_currency" "USDC"\nplugin "usance.plugins"\n'

ODD: dict[str, bytes] = {
    "empty": b"",
    "a comment": b"; nothing\n",
    "bytes": bytes(range(256)) * 20,
    "zeros": b"\0" * 100,
    "another encoding": ENABLED + b"; caf\xe9\n",
    "another encoding in a string": ENABLED + b'2025-01-01 note Assets:Bank "caf\xe9"\n',
    "a byte order mark": b"\xef\xbb\xbf" + LEDGER.encode(),
    "line ends of another system": LEDGER.replace("\n", "\r\n").encode(),
    "no newline at the end": LEDGER.encode().rstrip(b"\n"),
    "no plugin line": re.sub("plugin .*\n", "", LEDGER).encode(),
    "no operating currency": LEDGER.partition("\n")[2].encode(),
    "no terms": ENABLED,
    "no transactions": LEDGER.partition("2024-12-30 *")[0].encode(),
    "an include that is missing": LEDGER.encode() + b'include "nowhere.beancount"\n',
    "an include of itself": LEDGER.encode() + b'include "main.beancount"\n',
    "an include of a folder": LEDGER.encode() + b'include "rates"\n',
    "an include of a binary file": LEDGER.encode() + b'include "binary.beancount"\n',
    "a plugin that is missing": ENABLED + b'plugin "nowhere.at.all"\n',
    "a plugin line with a configuration": b'plugin "usance.plugins" "{}"\n' + LEDGER.encode(),
    "terms without values": LEDGER.encode() + b'2025-01-01 custom "accrue-through"\n',
    "a rates file that is missing": LEDGER.replace("usdc.csv", "none.csv").encode(),
    "a root of another name": b'option "name_assets" "Vermoegen"\n' + LEDGER.encode(),
    "a message for somebody else": b"-----BEGIN PGP MESSAGE-----\n" + LEDGER.encode(),
    "an unknown option": b'option "operating_curency" "USDC"\n' + LEDGER.encode(),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_ledger_never_prints_a_traceback(name: str, folder: Folder) -> None:
    folder.ledger.write_bytes(ODD[name])
    (folder.path / "binary.beancount").write_bytes(bytes(range(256)))
    for words in (
        ["check"],
        ["check", "--format", "json"],
        ["accrue", "--dry-run"],
        ["lending"],
        ["lending", "--format", "json"],
        ["accounts"],
        ["accounts", "--format", "json"],
        ["accrue", "--through", "2024-12-31"],
    ):
        done = folder.usance(*words)
        assert done.exit_code in (0, 1)
        assert "Traceback" not in done.output
        assert done.exit_code == 0 or done.output
        if "json" in words and words[0] != "check":
            assert done.stdout == "" or json.loads(done.stdout)
            assert done.stdout or done.exit_code == 1


@pytest.mark.parametrize("name", ["no plugin line", "no operating currency", "no terms", "empty"])
def test_what_is_missing_is_said(name: str, folder: Folder) -> None:
    folder.ledger.write_bytes(ODD[name])
    done = folder.usance("accrue")
    if name == "no operating currency":
        assert done.exit_code == 1
        assert 'option "operating_currency" "USDC"' in done.stderr
    else:
        assert done.exit_code == 1
        assert re.match(r"main\.beancount:\d+: ", done.stderr)
    assert folder.posted() == {}


def test_accounts_without_an_operating_currency_ask_for_it(folder: Folder) -> None:
    for ledger in (ODD["no operating currency"], ODD["empty"]):
        folder.ledger.write_bytes(ledger)
        done = folder.usance("accounts", "--format", "json")
        assert done.exit_code == 1
        assert 'option "operating_currency" "USDC"' in done.stderr


@pytest.mark.parametrize("command", OVER_A_LEDGER)
def test_a_file_that_may_not_be_read_is_named(
    command: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where root runs the tests, who may read everything."""
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    done = folder.usance(command)
    assert done.exit_code == 2
    assert "main.beancount" in done.stderr


def test_a_file_that_vanishes_is_one_clear_message(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: str) -> None:
        raise PermissionError(13, "Permission denied", str(folder.ledger))

    monkeypatch.setattr(loader, "load_file", refused)
    for command in sorted(set(OVER_A_LEDGER) - {"verify"}):
        done = folder.usance(command)
        assert done.exit_code == 1
        assert done.stderr == "Error: main.beancount: Permission denied\n"


def test_whoever_stops_reading_is_told_nothing(folder: Folder) -> None:
    """As `head` does, which closes the pipe when it has its lines."""
    words = [str(USANCE), "lending", str(folder.ledger)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""


def test_a_title_stays_on_its_line() -> None:
    title = "A title that is wider than the table below it"
    assert table(title, ["a", "b "], [["x", "1"]]).splitlines()[0] == title


def test_a_bar_has_the_colours_of_the_pages_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", Terminal())
    red, green, blue = bytes.fromhex(palette.MEANINGS["treasury"].dark[1:])
    painted = f"\x1b[38;2;{red};{green};{blue}m▓▓\x1b[0m"
    assert painted in table("", ["share"], [["██▓▓"]], {"▓": palette.MEANINGS["treasury"].dark})
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[38" not in table("", ["share"], [["▓"]], {"▓": "#ff0000"})
