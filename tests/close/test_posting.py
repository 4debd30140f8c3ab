"""Posting: what `usance accrue` writes, and what it leaves alone."""

import datetime
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from beancount import loader
from beancount.parser import printer
from click.testing import CliRunner
from folders import FIRST, LAST, LEDGER, MONTHS, Folder, days, generated, rates, stamps
from invariants import Books, check_books

from usance import cli

HEADER = '; Closed days, sealed by "usance accrue": an edit is found. Do not format this file.\n'
FILES = [f"posted/{month}.{kind}" for month in MONTHS for kind in ("beancount", "inputs")]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.made(tmp_path / "books")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """All three months, closed in one go."""
    folder = Folder.made(tmp_path_factory.mktemp("whole") / "books")
    folder.accrue()
    return folder


def blocks(text: str) -> Iterator[str]:
    """Yield the directives of a month file, without its header and the closes."""
    for block in text.removeprefix(HEADER).strip("\n").split("\n\n"):
        if "custom" not in block:
            yield f"{block}\n"


def months(folder: Folder) -> str:
    """Return the text of all month files, oldest first."""
    return "".join((folder.path / f"posted/{month}.beancount").read_text() for month in MONTHS)


# Bytes


def test_what_is_posted_is_what_the_plugin_prints(folder: Folder, whole: Folder) -> None:
    entries, errors = folder.load()
    assert errors == []
    virtual = sorted(generated(entries), key=lambda entry: (entry.date, entry.meta["lineno"]))
    assert len(virtual) == 10 + 61  # accounts opened, and transactions
    for month in MONTHS:
        posted = (whole.path / f"posted/{month}.beancount").read_text()
        assert list(blocks(posted)) == [
            printer.format_entry(entry) for entry in virtual if str(entry.date).startswith(month)
        ]


def test_the_first_day_in_full(folder: Folder) -> None:
    # 1000 * ((1 + 0.0365/8760)**24 - 1) = 0.100004791813...
    folder.accrue("--through", "2024-12-30")
    text = (folder.path / "posted/2024-12.beancount").read_text()
    seal = re.compile(r'(2024-12-30 custom "day-close" |  inputs: )"[0-9a-f]{64}"')
    assert seal.sub(r'\1"…"', text) == HEADER + dedent("""
        2024-12-30 open Income:Backpack:Main:Interest

        2024-12-30 open Equity:Backpack:Main:Uses:Lent

        2024-12-30 open Equity:Backpack:Main:Uses:Capital

        2024-12-30 * "Lending" #lending #usance ^usance-2024-12-30
          usance: "lending/2024-12-30/Main"
          Assets:Backpack:Main:Wallet            0.100004 USDC
            principal: "1000.000000"
            hours: "24"
            rate: "0.0365"
            growth: "0.000100004791813082"
            carry: "0"
            carry-after: "0.000000791813082"
          Income:Backpack:Main:Interest         -0.100004 USDC
          Equity:Backpack:Main:Uses:Lent      1000.100004 USDC
          Equity:Backpack:Main:Uses:Capital  -1000.100004 USDC

        2024-12-30 custom "day-close" "…"
          previous: ""
          inputs: "…"
          rules: "1"
          stages: "auto_lending sub_accounts"
        """)


@pytest.mark.parametrize("step", [1, 2, 5, 30])
def test_days_closed_in_steps_give_the_same_bytes(step: int, folder: Folder, whole: Folder) -> None:
    for day in [*days()[step - 1 :: step], str(LAST)]:
        folder.accrue("--through", day)
    assert folder.files() == whole.files()


def test_a_second_run_touches_nothing(folder: Folder) -> None:
    folder.accrue()
    paths = [folder.path / "posted", *(folder.path / "posted").iterdir()]
    before = stamps(paths)
    assert folder.accrue().stdout == "Nothing to post: closed through 2025-02-02.\n"
    assert stamps(paths) == before


@pytest.mark.parametrize("closed", ["", "2024-12-31", "2025-01-20"])
def test_a_dry_run_prints_what_would_be_appended(
    closed: str, folder: Folder, whole: Folder
) -> None:
    if closed:
        folder.accrue("--through", closed)
    before = folder.files()
    done = folder.accrue("--dry-run")
    assert done.stderr == ""
    assert folder.files() == before
    appended = b""
    for name, data in sorted(whole.posted().items()):
        if name.endswith(".beancount"):
            held = before.get(name, b"")
            assert data.startswith(held)
            appended += data[len(held) :]
    assert done.stdout_bytes == appended


def test_a_dry_run_of_closed_books_prints_nothing(folder: Folder) -> None:
    folder.accrue()
    assert folder.accrue("--dry-run").output == ""


def test_a_month_ends_with_its_last_day(whole: Folder) -> None:
    assert sorted(whole.posted()) == sorted(FILES)
    for name, data in whole.posted().items():
        month = Path(name).stem
        dated = re.findall(rb"^(\d{4}-\d{2})-\d{2}\b", data, re.MULTILINE)
        assert set(dated) == {month.encode()}
    closed = re.findall(r'^(\S+) custom "day-close"', months(whole), re.MULTILINE)
    assert closed == days()


def test_the_answer_names_days_and_files(folder: Folder) -> None:
    answer = json.loads(folder.accrue("--through", "2024-12-31", "--format", "json").stdout)
    assert answer == {
        "posted": ["2024-12-30", "2024-12-31"],
        "transactions": 2,
        "files": ["posted/2024-12.inputs", "posted/2024-12.beancount"],
        "corrections": 0,
        "findings": [],
        "through": "2024-12-31",
    }


# Loading what is posted


def test_books_with_posted_days_are_those_without(folder: Folder, whole: Folder) -> None:
    virtual = folder.books()
    for day in [days()[0], days()[1], "2025-01-10", "2025-01-31", "2025-02-01", str(LAST)]:
        folder.accrue("--through", day)
        entries, errors = folder.load()
        assert errors == []
        assert sorted(folder.books()) == sorted(virtual)
        assert [str(entry.date) for entry in generated(entries) if str(entry.date) <= day] == []
    assert folder.files() == whole.files()


def test_a_balance_too_small_to_earn_a_quantum_a_day_keeps_its_carry(tmp_path: Path) -> None:
    # 0.001 * 0.000100004791813082 = 0.000000100004791813082 a day: ten days make the first quantum.
    folder = Folder.made(tmp_path / "books")
    folder.accrue("--through", "2025-01-09")
    virtual = folder.books()
    for day in days(datetime.date(2025, 1, 10), datetime.date(2025, 1, 19)):
        text = folder.accrue("--through", day, "--dry-run").stdout
        [amount] = re.findall(r"^  Assets:Backpack:Arb:Wallet +(\S+) USDC", text, re.MULTILINE)
        carry = re.findall(r'carry-after: "(\S+)"', text)[0]
        number = int(day[-2:]) - 9
        assert amount == ("0.000000" if number < 10 else "0.000001")
        kept = number * 100004791813082 - (10**15 if number == 10 else 0)
        assert carry == f"0.{kept:021}".rstrip("0")
        folder.accrue("--through", day)
        assert folder.books() == virtual


LEDGERS = Path(__file__).parents[2] / "ledgers"
EXAMPLES = sorted(LEDGERS.glob("*.beancount"))

AWKWARD = """
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins.auto_lending"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "sub-account" "Desk" Assets:Backpack:Desk
  auto-borrow: TRUE
  auto-repay: FALSE
2025-05-03 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: FALSE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
  entry-fee: TRUE
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 custom "lending-pool" "SOL"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
  fee: 0.10
  external-lent: 1000 SOL
  external-borrowed: 600 SOL
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Desk:Wallet
2025-05-01 * "Finer than a quantum"
  Assets:Backpack:Main:Wallet     10.0000005 USDC
  Assets:Bank                    -10.0000005 USDC
2025-05-01 * "Lots, and units without cost"
  time: "23:30"
  Assets:Backpack:Main:Wallet      2 SOL {150 USDC}
  Assets:Backpack:Main:Wallet      0.000000005 SOL
  Assets:Bank                     -300 USDC
  Assets:Bank                     -0.000000005 SOL
2025-05-02 * "Borrow in the last hour, a fee for half of it"
  time: "23:30"
  Assets:Backpack:Desk:Wallet     -5.0000003 USDC
  Assets:Bank                      5.0000003 USDC
2025-05-03 * "Borrow a coin of the curve"
  time: "11:11:11"
  Assets:Backpack:Desk:Wallet     -7 SOL
  Assets:Bank                      7 SOL
2025-05-04 * "It does not repay"
  Assets:Backpack:Desk:Wallet      6 USDC
  Assets:Bank                     -6 USDC
2025-05-05 * "A transfer"
  time: "09:00"
  Assets:Backpack:Main:Wallet     -3 USDC
  Assets:Backpack:Desk:Wallet      3 USDC
2025-05-06 custom "sub-account" "Desk" Assets:Backpack:Desk
  auto-borrow: TRUE
2025-05-07 custom "accrue-through" 2025-05-07
"""


@pytest.mark.parametrize(
    "example", [*EXAMPLES, None], ids=lambda path: path.stem if path else "awkward"
)
def test_each_example_gives_the_same_day_by_day(example: Path | None, tmp_path: Path) -> None:
    text = AWKWARD if example is None else example.read_text()
    text = f'include "posted/*.beancount"\n{text}'
    once, daily = (Folder.made(tmp_path / name, text) for name in ("once", "daily"))
    for made in (once, daily):
        shutil.copytree(LEDGERS / "venues", made.path / "venues")
    virtual = daily.books()
    closed = json.loads(once.accrue("--format", "json").stdout)["posted"]
    assert closed
    for day in closed:
        daily.accrue("--through", day)
        assert sorted(daily.books()) == sorted(virtual)
    assert daily.files() == once.files()


def test_posted_days_load_without_usance(whole: Folder, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "plain")
    plain = Folder(tmp_path / "plain")
    plain.edit('plugin "usance.plugins.auto_lending"\n', "")
    plain.edit('plugin "usance.plugins.sub_accounts"\n', "")
    # Neither installed in editable mode, nor through PYTHONPATH: -S and -I leave both out.
    script = f"""
import json, sys
sys.path.append({sysconfig.get_path("purelib")!r})
import beancount.loader, beancount.core.inventory, beancount.parser.printer, importlib.util
assert importlib.util.find_spec("usance") is None
entries, errors, options = beancount.loader.load_file({str(plain.ledger)!r})
texts = [beancount.parser.printer.format_entry(e) for e in entries if hasattr(e, "postings")]
print(json.dumps([[error.message for error in errors], texts]))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    errors, texts = json.loads(done.stdout)
    assert errors == []
    assert texts == whole.books()


def test_the_books_keep_their_laws_when_posted(whole: Folder) -> None:
    check_books(Books(*loader.load_file(str(whole.ledger))))


# A closed day that was changed


@dataclass(frozen=True)
class Edit:
    """An edit of closed days.

    told  day, file with the text whose line is named (None: the line that held it in .inputs),
          and the canonical text
    """

    name: str
    files: dict[str, tuple[str, str]]
    told: list[tuple[str, str, str, str]]


def at_main(day: str, line: str, text: str) -> tuple[str, str, str, str]:
    return day, "main.beancount", line, text


def at_inputs(day: str, text: str) -> tuple[str, str, str, str]:
    return day, f"posted/{day[:7]}.inputs", text, text


MAIN = "main.beancount"
DEPOSIT = "2024-12-30 00:00:00 transaction Assets:Backpack:Main:Wallet {} USDC"
TRANSFER = (
    "2025-01-31 {} transaction Assets:Backpack:Arb:Wallet 100 USDC | "
    "Assets:Backpack:Main:Wallet -100 USDC"
)
LATE = """
2025-01-15 * "Late"
  Assets:Backpack:Main:Wallet      7 USDC
  Assets:Bank                     -7 USDC
"""
SMALL = """2025-01-10 * "Too little to earn a quantum a day"
  Assets:Backpack:Arb:Wallet   0.001 USDC
  Assets:Bank                 -0.001 USDC
"""
ROW = '{} lending-rate USDC "rates/usdc.csv" {} 0.073'

CHANGED = [
    Edit(
        "an amount",
        {
            MAIN: (
                "Wallet   1000 USDC\n  Assets:Bank                  -1000",
                "Wallet   1001 USDC\n  Assets:Bank  -1001",
            )
        },
        [
            at_main("2024-12-30", '* "Deposit"', DEPOSIT.format("1001")),
            at_inputs("2024-12-30", DEPOSIT.format("1000")),
        ],
    ),
    Edit(
        "an account",
        {MAIN: ("Arb:Wallet       2 SOL", "Main:Wallet      2 SOL")},
        [
            at_main(
                "2025-02-01",
                "Deposit of another",
                "2025-02-01 00:00:00 transaction Assets:Backpack:Main:Wallet 2 SOL",
            ),
            at_inputs(
                "2025-02-01", "2025-02-01 00:00:00 transaction Assets:Backpack:Arb:Wallet 2 SOL"
            ),
        ],
    ),
    Edit(
        "a time",
        {MAIN: ("09:30", "09:31")},
        [
            at_main("2025-01-31", "Allocate", TRANSFER.format("09:31:00")),
            at_inputs("2025-01-31", TRANSFER.format("09:30:00")),
        ],
    ),
    Edit(
        "a transaction added",
        {MAIN: ("\n2025-02-03", f"{LATE}\n2025-02-03")},
        [
            at_main(
                "2025-01-15",
                '"Late"',
                "2025-01-15 00:00:00 transaction Assets:Backpack:Main:Wallet 7 USDC",
            )
        ],
    ),
    Edit(
        "a transaction added before the first day",
        {MAIN: ("\n2025-02-03", f"{LATE.replace('2025-01-15', '2024-12-29')}\n2025-02-03")},
        [
            at_main(
                "2024-12-30",
                '"Late"',
                "2024-12-29 00:00:00 transaction Assets:Backpack:Main:Wallet 7 USDC",
            )
        ],
    ),
    Edit(
        "a transaction removed",
        {MAIN: (SMALL, "")},
        [
            at_inputs(
                "2025-01-10",
                "2025-01-10 00:00:00 transaction Assets:Backpack:Arb:Wallet 0.001 USDC",
            )
        ],
    ),
    Edit(
        "a transaction moved to another day",
        {MAIN: ("2025-01-10 *", "2025-01-11 *")},
        [
            at_inputs(
                "2025-01-10",
                "2025-01-10 00:00:00 transaction Assets:Backpack:Arb:Wallet 0.001 USDC",
            ),
            at_main(
                "2025-01-11",
                "Too little",
                "2025-01-11 00:00:00 transaction Assets:Backpack:Arb:Wallet 0.001 USDC",
            ),
        ],
    ),
    Edit(
        "a rate",
        {MAIN: ('"SOL" 0.05 0.08', '"SOL" 0.06 0.08')},
        [
            at_main("2024-12-30", '"SOL" 0.06', '2024-12-30 custom "lending-rate" "SOL" 0.06 0.08'),
            at_inputs("2024-12-30", '2024-12-30 custom "lending-rate" "SOL" 0.05 0.08'),
        ],
    ),
    Edit(
        "a term added",
        {
            MAIN: (
                "2025-02-03",
                '2025-01-02 custom "lending-rate" "SOL" 0.01 0.02\n  time: "09:00"\n2025-02-03',
            )
        },
        [
            at_main(
                "2025-01-02",
                "2025-01-02 custom",
                '2025-01-02 custom "lending-rate" "SOL" 0.01 0.02 time: "09:00"',
            )
        ],
    ),
    Edit(
        "a switch",
        {MAIN: ("  auto-borrow: TRUE\n", "  auto-borrow: TRUE\n  auto-repay: FALSE\n")},
        [
            at_main(
                "2024-12-30",
                '"sub-account" "Main"',
                '2024-12-30 custom "sub-account" "Main" Assets:Backpack:Main '
                "auto-borrow: TRUE auto-lend: TRUE auto-repay: FALSE",
            ),
            at_inputs(
                "2024-12-30",
                '2024-12-30 custom "sub-account" "Main" Assets:Backpack:Main '
                "auto-borrow: TRUE auto-lend: TRUE",
            ),
        ],
    ),
    Edit(
        "a quantum",
        {MAIN: ("quantum: 0.000001", "quantum: 0.00001")},
        [
            at_main("2024-12-30", "commodity USDC", "commodity USDC quantum: 0.00001"),
            at_inputs("2024-12-30", "commodity USDC quantum: 0.000001"),
        ],
    ),
    Edit(
        "a quantum of another coin, dated on an open day",
        {MAIN: ("2025-02-03", "2025-02-03 commodity SOL\n  quantum: 0.01\n2025-02-03")},
        [at_main("2024-12-30", "commodity SOL", "commodity SOL quantum: 0.01")],
    ),
    Edit(
        "a price",
        {MAIN: ("price SOL 150", "price SOL 151")},
        [
            at_main("2025-02-02", "price SOL", "2025-02-02 price SOL 151 USDC"),
            at_inputs("2025-02-02", "2025-02-02 price SOL 150 USDC"),
        ],
    ),
    Edit(
        "a row",
        {"rates/usdc.csv": ("2025-01-05T00:00:00Z,0.0365", "2025-01-05T00:00:00Z,0.0366")},
        [
            (
                "2025-01-05",
                "rates/usdc.csv",
                "2025-01-05T",
                ROW.format("2025-01-05T00:00:00Z", "0.0366"),
            ),
            at_inputs("2025-01-05", ROW.format("2025-01-05T00:00:00Z", "0.0365")),
        ],
    ),
    Edit(
        "a row added",
        {
            "rates/usdc.csv": (
                "2025-01-06T00",
                "2025-01-05T09:00:00Z,0.04,0.0730\n2025-01-06T00",
            )
        },
        [
            (
                "2025-01-05",
                "rates/usdc.csv",
                "2025-01-05T09",
                ROW.format("2025-01-05T09:00:00Z", "0.04"),
            )
        ],
    ),
    Edit(
        "a row removed",
        {"rates/usdc.csv": ("2025-01-05T00:00:00Z,0.0365,0.0730\n", "")},
        [at_inputs("2025-01-05", ROW.format("2025-01-05T00:00:00Z", "0.0365"))],
    ),
]


@pytest.mark.parametrize("edit", CHANGED, ids=lambda edit: edit.name)
def test_a_changed_closed_day_is_named_with_its_directive(
    edit: Edit, whole: Folder, tmp_path: Path
) -> None:
    shutil.copytree(whole.path, tmp_path / "books")
    folder = Folder(tmp_path / "books")
    for file, (old, new) in edit.files.items():
        folder.edit(old, new, file)
    _, errors = folder.load()
    told = {
        (
            f"{error.source['filename']}:{error.source['lineno']}".removeprefix(f"{folder.path}/"),
            error.message,
        )
        for error in errors
    }
    expected = {
        (f"{file}:{folder.line(line, file)}", day, text) for day, file, line, text in edit.told
    }
    assert len(told) == len(expected), told
    for place, day, text in expected:
        [message] = [message for found, message in told if found == place and text in message]
        assert message.startswith(f"{day} is closed, but this has since been ")

    files = folder.files()
    done = folder.usance("accrue", "--through", "2025-02-05", "--stale-ok")
    assert done.exit_code == 1
    assert done.stdout == ""
    for place, day, text in expected:
        assert re.search(rf"^{place}: {day} .*{re.escape(text)}", done.stderr, re.MULTILINE)
    assert folder.files() == files


UNCHANGED = {
    "a narration": ('"Deposit"', '"Deposit of the year" "from the bank"'),
    "tags, links and other metadata": ('"Deposit"\n', '"Deposit" #mine ^link\n  note: "hello"\n'),
    "a comment": ('2024-12-30 * "Deposit"\n', '; a comment\n2024-12-30 * "Deposit" ; here\n'),
    "a number written in another way": ("Wallet   1000 USDC", "Wallet 1,000.00 USDC"),
    "a rate written in another way": ('"SOL" 0.05 0.08', '"SOL" 0.0500 0.08000'),
    "a time written in another way": ("09:30", "09:30:00"),
    "a row written in another way": (
        "2025-01-05T00:00:00Z,0.0365,0.0730\n",
        "2025-01-05T00:00:00Z,3.65e-2,0.073\n\n",
    ),
    "the order of postings": (
        "  Assets:Backpack:Main:Wallet   1000 USDC\n  Assets:Bank                  -1000 USDC\n",
        "  Assets:Bank                  -1000 USDC\n  Assets:Backpack:Main:Wallet   1000 USDC\n",
    ),
    "the order of directives": (
        SMALL,
        "",
    ),
    "a transaction that touches no sub-account": (
        "\n2025-02-03",
        '\n2025-01-15 * "Salary"\n  Assets:Bank  7 USDC\n  Assets:Bank  -7 USDC\n\n2025-02-03',
    ),
    "a directive of another tool": (
        "\n2025-02-03",
        '\n2025-01-15 custom "budget" Assets:Bank "monthly" 7 USDC\n\n2025-02-03',
    ),
    "a price of the operating currency": (
        "\n2025-02-03",
        "\n2025-01-15 price USDC 0.9 EUR\n\n2025-02-03",
    ),
    "where a directive stands": ("", ""),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_an_edit_that_does_not_count_is_none(name: str, whole: Folder, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "books")
    folder = Folder(tmp_path / "books")
    old, new = UNCHANGED[name]
    if name == "where a directive stands":
        (folder.path / "venues").mkdir()
        moved = LEDGER.partition("include")[2].partition("\n")[2]
        (folder.path / "venues" / "all.beancount").write_text(moved)
        folder.edit(moved, 'include "venues/*.beancount"\n')
    else:
        folder.edit(old, new, "rates/usdc.csv" if "a row" in name else MAIN)
    if name == "the order of directives":
        folder.edit("include ", f"{SMALL}include ")
    posted = folder.posted()
    assert folder.load()[1] == []
    assert folder.accrue().stdout.startswith("Nothing to post")
    folder.accrue("--through", "2025-02-03")
    assert all(folder.posted()[name].startswith(data) for name, data in posted.items())


def test_an_open_day_may_change(folder: Folder, whole: Folder) -> None:
    folder.accrue("--through", "2025-01-14")
    before = folder.books()
    folder.edit("\n2025-02-03", f"{LATE}\n2025-02-03")
    assert folder.books() != before
    folder.accrue()
    folder.edit(LATE, "")
    assert folder.load()[1] != []
    assert folder.posted() != whole.posted()


def test_a_plugin_line_added_later_counts_from_the_first_open_day(tmp_path: Path) -> None:
    lending = 'plugin "usance.plugins.auto_lending"\n'
    alone = LEDGER.replace(lending, "")
    folder = Folder.made(tmp_path / "books", alone)
    folder.accrue("--through", "2024-12-31")
    folder.edit("include ", f"{lending}include ")
    folder.accrue("--through", "2025-01-01")
    ids = re.findall(r'usance: "(.*)"', months_of(folder))
    assert ids == ["lending/2025-01-01/Main"]
    stages = re.findall(r'stages: "(.*)"', months_of(folder))
    assert stages == ["sub_accounts", "sub_accounts", "auto_lending sub_accounts"]


def months_of(folder: Folder) -> str:
    return "".join(data.decode() for _, data in sorted(folder.posted().items()))


# Old figures


def old(folder: Folder, last: str = "2025-01-29") -> None:
    """Let the rates file end with the row of a day."""
    path = folder.path / "rates" / "usdc.csv"
    path.write_text(rates(FIRST, datetime.date.fromisoformat(last)))


def test_old_rows_stop_the_posting_of_their_day(folder: Folder) -> None:
    old(folder)  # more than 3 days after 29 January: from 2 February on
    done = folder.usance("accrue", "--format", "json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert answer["posted"] == days(FIRST, datetime.date(2025, 2, 1))
    assert answer["through"] == "2025-02-01"
    assert "finding: " in done.stderr
    assert "2025-02-02" in done.stderr
    assert "--stale-ok" in done.stderr
    assert "findings:" not in months(folder)


def test_old_rows_stop_even_the_first_day(folder: Folder) -> None:
    old(folder, "2024-12-30")
    folder.accrue("--through", "2025-01-02")
    posted = folder.posted()
    for arguments in ([], ["--dry-run"], ["--format", "json"]):
        done = folder.usance("accrue", *arguments)
        assert done.exit_code == 1
        assert folder.posted() == posted
    assert json.loads(done.stdout)["through"] == "2025-01-02"


def test_stale_ok_posts_them_and_lists_them_in_the_seal(folder: Folder, tmp_path: Path) -> None:
    once = Folder.made(tmp_path / "once")
    old(once)
    old(folder)
    folder.usance("accrue")
    for books in (folder, once):
        answer = json.loads(books.accrue("--stale-ok", "--format", "json").stdout)
        assert answer["through"] == "2025-02-02"
        assert [text[:49] for text in answer["findings"]] == [
            'sub-account "Arb" lends or owes USDC on 2025-02-0',
            'sub-account "Main" lends or owes USDC on 2025-02-',
        ]
    assert folder.posted() == once.posted()
    [finding] = re.findall(r'^  findings: "(.*)"$', months(folder), re.MULTILINE)
    assert finding == "; ".join(answer["findings"]).replace('"', '\\"')


def test_a_closed_day_reports_no_finding_again(folder: Folder) -> None:
    old(folder)
    virtual = folder.usance("check")
    assert virtual.exit_code == 1
    assert len(re.findall("^.*: finding: ", virtual.stdout, re.MULTILINE)) == 2
    folder.accrue("--stale-ok")
    posted = folder.usance("check")
    assert posted.exit_code == 0, posted.output


def test_a_commodity_may_say_when_its_rows_are_old(folder: Folder) -> None:
    old(folder)
    folder.edit("quantum: 0.000001", "quantum: 0.000001\n  stale-after: 4")
    folder.accrue()
    assert "findings:" not in months(folder)


def test_a_rate_that_is_a_directive_is_never_old(folder: Folder) -> None:
    folder.edit('"rates/usdc.csv"', "0.0365 0.0730")
    answer = json.loads(folder.accrue("--through", "2025-06-30", "--format", "json").stdout)
    assert answer["through"] == "2025-06-30"
    assert answer["findings"] == []


# Beyond the horizon


def test_days_beyond_the_horizon_are_closed_as_if_they_lay_within(
    folder: Folder, tmp_path: Path
) -> None:
    folder.accrue("--through", "2025-02-05")
    later = Folder.made(
        tmp_path / "later", LEDGER.replace('through" 2025-02-02', 'through" 2025-02-05')
    )
    later.accrue()
    assert folder.posted() == later.posted()
    assert folder.books() == later.books()


def test_a_day_closed_beyond_the_horizon_is_closed(folder: Folder) -> None:
    folder.accrue("--through", "2025-02-04")
    late = LATE.replace("2025-01-15", "2025-02-04")
    folder.edit("\n2025-02-03", f"{late}\n2025-02-03")
    files = folder.files()
    done = folder.usance("accrue", "--through", "2025-02-05")
    assert done.exit_code == 1
    assert f"main.beancount:{folder.line('Late')}: 2025-02-04 is closed" in done.stderr
    assert folder.files() == files
    folder.edit("2025-02-04", "2025-02-05")
    folder.accrue("--through", "2025-02-05")


def test_a_day_that_is_closed_already_changes_nothing(folder: Folder) -> None:
    folder.accrue("--through", "2025-01-10")
    posted = folder.posted()
    for day in ("2025-01-10", "2025-01-09", "2024-01-01"):
        done = folder.accrue("--through", day)
        assert done.stdout == "Nothing to post: closed through 2025-01-10.\n"
    assert folder.posted() == posted


def test_before_the_first_day_there_is_nothing_to_post(folder: Folder) -> None:
    files = folder.files()
    answer = json.loads(folder.accrue("--through", "2024-12-29", "--format", "json").stdout)
    assert answer["posted"] == []
    assert answer["through"] is None
    assert folder.files() == files


# Refusals

REFUSED = {
    "a parse error": ("\n2025-02-03", "\nhello\n\n2025-02-03"),
    "a transaction that does not balance": ("-1000 USDC", "-1000.01 USDC"),
    "a balance that fails": (
        "\n2025-02-03",
        "\n2025-02-02 balance Assets:Bank  7 USDC\n\n2025-02-03",
    ),
    "a term that is wrong": ('"SOL" 0.05 0.08', '"SOL" 101 0.08'),
    "a rate that is missing": (
        '2024-12-30 custom "lending-rate" "SOL"',
        '2025-02-02 custom "lending-rate" "SOL"',
    ),
    "a negative wallet": ("  auto-borrow: TRUE\n", ""),
    "a plugin listed twice": (
        'plugin "usance.plugins.auto_lending"\n',
        'plugin "usance.plugins.auto_lending"\n' * 2,
    ),
    "a plugin that is not there": (
        'plugin "usance.plugins.auto_lending"\n',
        'plugin "usance.plugins.auto_lending"\nplugin "usance.nowhere"\n',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("closed", ["", "2024-12-31"], ids=["open", "closed"])
def test_an_error_leaves_every_file_alone(name: str, closed: str, folder: Folder) -> None:
    """An error of any day stops all: also one behind the days that are to be closed."""
    if closed:
        folder.accrue("--through", closed)
    folder.edit(*REFUSED[name])
    files = folder.files()
    for arguments in (["--through", "2025-01-01"], ["--dry-run"], ["--format", "json"]):
        done = folder.usance("accrue", *arguments)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert re.match(r"\S+:\d+: .+", done.stderr)
        assert done.stderr.endswith("Nothing was written.\n")
        assert folder.files() == files


def test_an_error_beyond_the_horizon_refuses_too(folder: Folder) -> None:
    """A wallet without auto-borrow is emptied by what is written on a day after the horizon."""
    folder.edit(
        "\n2025-02-03",
        '\n2025-02-03 * "Too much"\n  Assets:Backpack:Arb:Wallet  -200 USDC\n'
        "  Assets:Bank  200 USDC\n\n2025-02-03",
    )
    folder.accrue("--through", "2025-02-01")
    posted = folder.posted()
    done = folder.usance("accrue", "--through", "2025-02-05")
    assert done.exit_code == 1
    assert f"main.beancount:{folder.line('Too much')}: " in done.stderr
    assert folder.posted() == posted


TOO_MUCH = """
2025-02-03 * "Too much"
  Assets:Backpack:Arb:Wallet  -200 USDC
  Assets:Bank                  200 USDC
"""


@pytest.mark.parametrize("correct", [[], ["--correct"]], ids=["plain", "correct"])
@pytest.mark.parametrize("through", ["2025-02-03", "2025-02-05"])
def test_stale_ok_lets_no_other_error_of_the_day_pass(
    correct: list[str], through: str, folder: Folder
) -> None:
    """The rates of 3 February are old and a wallet is below zero; --stale-ok is for the rates."""
    old(folder)
    folder.accrue("--through", "2025-02-01")
    folder.edit("\n2025-02-03", f"{TOO_MUCH}\n2025-02-03")
    if correct:
        folder.edit("Main:Wallet   1000", "Main:Wallet   1001")
        folder.edit("Bank                  -1000", "Bank                  -1001")
    files = folder.files()
    done = folder.usance("accrue", "--stale-ok", "--through", through, *correct)
    assert (done.exit_code, done.stdout, folder.files()) == (1, "", files)
    assert f"main.beancount:{folder.line('Too much')}: " in done.stderr
    assert done.stderr.endswith("Nothing was written.\n")


# The folder


def test_a_folder_that_is_missing_is_named(folder: Folder) -> None:
    shutil.rmtree(folder.path / "posted")
    files = folder.files()
    done = folder.usance("accrue")
    assert done.exit_code == 1
    assert re.match(r"main\.beancount:\d+: .*posted.* missing", done.stderr)
    assert 'include "posted/*.beancount"' in done.stderr
    assert folder.files() == files


@pytest.mark.parametrize(
    "instead", ["", 'include "posted/first.beancount"', '; include "posted/*.beancount"']
)
def test_a_ledger_that_does_not_include_the_folder_is_told_to(instead: str, folder: Folder) -> None:
    folder.edit('include "posted/*.beancount"', instead)
    files = folder.files()
    done = folder.usance("accrue")
    assert done.exit_code == 1
    assert re.match(r"main\.beancount:\d+: ", done.stderr)
    assert 'include "posted/*.beancount"' in done.stderr
    assert folder.files() == files


@pytest.mark.parametrize(
    ("include", "file"),
    [
        ('include "posted/*.beancount"', "main.beancount"),
        ('include "./posted/20*.beancount"', "main.beancount"),
        ('include "../posted/*.beancount"', "venues/all.beancount"),
    ],
)
def test_a_ledger_may_include_the_folder_in_its_own_way(
    include: str, file: str, folder: Folder, whole: Folder
) -> None:
    folder.edit('include "posted/*.beancount"', 'include "venues/all.beancount"')
    (folder.path / "venues").mkdir()
    (folder.path / "venues" / "all.beancount").write_text("; terms of a venue\n")
    if "20*" in include:
        (folder.path / "posted" / "2000.beancount").write_text("; a first file\n")
    with (folder.path / file).open("a") as opened:
        opened.write(f"{include}\n")
    folder.accrue()
    assert folder.posted() == whole.posted()


@pytest.mark.parametrize(
    ("here", "path"),
    [
        (".", "main.beancount"),
        (".", "rates/../main.beancount"),
        ("rates", "../main.beancount"),
        ("..", "books/main.beancount"),
    ],
)
def test_a_ledger_may_be_named_from_anywhere(
    here: str, path: str, folder: Folder, whole: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path / here)
    for command in ("check", "accrue", "accrue", "lending", "accounts"):
        done = CliRunner().invoke(cli.main, [command, path], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert folder.posted() == whole.posted()


def test_a_month_that_is_a_link_out_is_not_written_through(folder: Folder, tmp_path: Path) -> None:
    folder.accrue("--through", "2024-12-30")
    month = folder.path / "posted" / "2024-12.beancount"
    month.rename(tmp_path / "elsewhere")
    month.symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()
    folder.usance("accrue")
    assert (tmp_path / "elsewhere").read_bytes() == before


def test_a_new_month_has_the_mode_of_any_new_file(folder: Folder) -> None:
    month = folder.path / "posted" / "2024-12.beancount"
    for mask, mode in ((0o027, 0o640), (0, 0o666)):
        before = os.umask(mask)
        try:
            folder.accrue("--through", "2024-12-30")
        finally:
            os.umask(before)
        assert month.stat().st_mode & 0o7777 == mode
        month.unlink()


def test_a_run_waits_for_another(folder: Folder) -> None:
    descriptor = os.open(folder.path / "posted", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    usance = Path(sys.executable).with_name("usance")
    with subprocess.Popen(
        [usance, "accrue", folder.ledger], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "Another run is writing. Waiting for it.\n"
        assert folder.posted() == {}
        os.close(descriptor)
        assert run.wait(timeout=60) == 0
    assert len(folder.posted()) == 6
