"""Messages of commands that lead home: what is wrong comes first, with what to write instead."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from folders import SIX_DAYS, Folder

from usance.cli import COMMANDS as ALL
from usance.cli import main

COMMANDS = sorted(set(ALL) - {"demo", "init"})
"""All that take a ledger; those two make one."""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.made(tmp_path / "books", SIX_DAYS)


# LEDGER


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_ledger_names_the_variable(command: str) -> None:
    """Goal: each command that takes a ledger."""
    nothing = {"USANCE_FILE": "", "BEANCOUNT_FILE": ""}
    done = CliRunner(env=nothing).invoke(main, [command])
    assert done.exit_code == 2
    assert "Missing argument 'LEDGER'" in done.stderr
    assert "let the variable USANCE_FILE name it" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_suggests_the_ledger_in_it(command: str, folder: Folder) -> None:
    words = [command, str(folder.path), *(["x"] if command == "explain" else [])]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert f"is a folder. Write {folder.ledger}." in done.stderr


def test_a_folder_without_a_ledger_suggests_none(folder: Folder) -> None:
    done = CliRunner().invoke(main, ["check", str(folder.path / "posted")])
    assert done.exit_code == 2
    assert "is a folder. Write the path of a ledger in it." in done.stderr


@pytest.mark.parametrize("name", ["books/main.beancount", "nowhere.bean"])
def test_a_ledger_in_place_of_a_command_asks_for_one(name: str) -> None:
    done = CliRunner().invoke(main, [name, "status"])
    assert done.exit_code == 2
    assert f"Write a command before it, as in: usance status {name}" in done.stderr


def test_help_names_the_commands_in_the_order_of_their_use() -> None:
    shown = CliRunner().invoke(main, []).output
    assert "\n  init " in shown
    assert shown.index("\n  init ") < shown.index("\n  status ") < shown.index("\n  accrue ")


# Text


def append(folder: Folder, text: str) -> None:
    folder.ledger.write_text(folder.ledger.read_text() + text)


def test_a_ledger_without_a_plugin_line_says_so(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text("")
    done = CliRunner().invoke(main, ["check", str(ledger)])
    assert done.exit_code == 0
    assert 'has no line  plugin "usance.plugins", so Usance adds nothing to it.' in done.stdout


def test_a_line_that_cannot_be_read_is_told_in_words(folder: Folder) -> None:
    count = len(folder.ledger.read_text().splitlines())
    append(folder, "05.06.2025 price SOL 150 USDC\n")
    told = folder.usance("check").stdout.splitlines()
    assert f"main.beancount:{count + 1}: Beancount cannot read this line: " in told[0]
    assert "Write dates as 2025-05-31" in told[0]


@pytest.mark.parametrize("of_included", [True, False])
def test_an_include_of_nothing_is_told_at_its_line(of_included: bool, folder: Folder) -> None:
    top = folder.ledger
    if of_included:
        top = folder.path / "terms.beancount"
        top.write_text("")
        append(folder, 'include "terms.beancount"\n')
    top.write_text(f'{top.read_text()}include "prices/*.beancount"\n')
    line = len(top.read_text().splitlines())
    told = folder.usance("check").stdout.splitlines()
    assert told[0].startswith(f'{top.name}:{line}: No file is at "prices/*.beancount"')


def test_a_contract_without_terms_names_those_that_have(folder: Folder) -> None:
    """Method: SOLPERP is written for SOL-PERP."""
    append(
        folder,
        '2025-05-01 custom "perpetual" "SOL-PERP"\n  settle: USDC\n'
        "  initial-margin: 0.1\n  maintenance-margin: 0.05\n"
        "2025-05-01 open Assets:Backpack:Main:Perp\n"
        '2025-05-02 * "Open"\n  Assets:Backpack:Main:Perp  1 SOLPERP {10 USDC}\n'
        "  Assets:Backpack:Main:Perp  -10 USDC\n",
    )
    assert "or name a contract that has terms: SOL-PERP." in folder.usance("check").stdout


# explain


@pytest.mark.parametrize(
    ("identity", "offered"),
    [
        ("lending/2025-05-03/Mian", ["lending/2025-05-03/Arb", "lending/2025-05-03/Main"]),
        ("lendin/2025-05-03/Main", ["lending/2025-05-03/Main"]),
        ("2025-05-03/Arb", ["lending/2025-05-03/Arb"]),
        ("borrowing/2025-05-01", ["lending/2025-05-01/Main"]),
    ],
)
def test_a_wrong_id_is_offered_those_of_its_day_and_sub_account(
    identity: str, offered: list[str], folder: Folder
) -> None:
    done = folder.usance("explain", identity)
    assert done.exit_code == 2
    assert f"Write one such as {', '.join(offered)}." in done.stderr


# Closed days


@pytest.mark.parametrize("files", [("beancount",), ("inputs",), ("beancount", "inputs")])
def test_line_ends_that_were_changed_are_named(files: tuple[str, ...], folder: Folder) -> None:
    """Goal: an editor, or git, writes CR LF into a month, its inputs or both."""
    folder.accrue()
    for ending in files:
        path = folder.path / "posted" / f"2025-05.{ending}"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for command in ("check", "verify"):
        done = folder.usance(command)
        assert done.exit_code == 1
        assert f"posted/2025-05.{files[0]}:1: " in done.output
        assert "line ends were changed to CR LF: usance accrue writes LF alone" in done.output


def test_one_line_with_another_end_is_no_file_with_other_ends(folder: Folder) -> None:
    folder.accrue()
    path = folder.path / "posted" / "2025-05.beancount"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    assert "line ends were changed" not in folder.usance("verify").output


@pytest.mark.parametrize("command", ["check", "accrue"])
def test_an_edit_of_closed_days_is_told_before_what_follows(command: str, folder: Folder) -> None:
    """The wallet no longer has what a balance of each later day says."""
    folder.accrue("--through", "2025-05-04")
    with folder.ledger.open("a") as ledger:
        for day in range(2, 5):
            ledger.write(f"2025-05-0{day} balance Assets:Backpack:Arb:Wallet 7 USDC\n")
    month = folder.path / "posted" / "2025-05.beancount"
    month.write_text(month.read_text().replace("0.24", "0.34", 1))
    done = folder.usance(command)
    lines = (done.stdout if command == "check" else done.stderr).splitlines()
    assert done.exit_code == 1
    assert len(lines) > 3
    assert "The chain of closed days is broken at 2025-05-01" in lines[0]


# check


def test_check_counts_the_directives_after_the_last_day(folder: Folder) -> None:
    """The books end on the 6th, so three of the 8th do not count yet."""
    assert "nothing wrong in" in (before := folder.usance("check").stdout)
    assert "last day" not in before
    with folder.ledger.open("a") as ledger:
        ledger.write('2025-05-06 custom "lending-rate" "USDC" 0.1 0.2\n')
        ledger.write('2025-05-07 custom "lending-rate" "USDC" 0.2 0.3\n')
        ledger.write("2025-05-07 price SOL 150 USDC\n")  # of no coin that has terms
    shown = folder.usance("check").stdout
    assert shown.endswith(" directives, of which 1 count after 2025-05-06, the last day\n")
    answer = json.loads(folder.usance("check", "--format", "json").stdout)
    assert (answer["last"], answer["after"]) == ("2025-05-06", 1)


# Code that a ledger loads

PLUGIN = '__plugins__ = ("run",)\ndef run(entries, options):\n'
BROKEN = {
    "raises_at_import": 'raise ValueError("no such bank")\n',
    "is_no_python": "def run(:\n",
    "ends_the_program": "import sys\nsys.exit(3)\n",
    "ends_it_when_it_runs": f"{PLUGIN}    raise SystemExit\n",
    "hands_on_nothing": f"{PLUGIN}    return [None], []\n",
    "takes_an_option_away": f"{PLUGIN}    del options['include']\n    return entries, []\n",
    "names_no_function": "__plugins__ = 5\n",
    "hands_on_an_error_that_is_none": f"{PLUGIN}    return entries, [5]\n",
    "hands_on_directives_without_a_date": (
        f"{PLUGIN}    return [entry._replace(date=None) for entry in entries], []\n"
    ),
    "does_not_end": f"{PLUGIN}    return run(entries, options)\n",
    "raises_when_it_runs": f"{PLUGIN}    raise KeyError('bank')\n",
    "needs_what_is_not_there": "import no_such_module_at_all\n",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("command", ["check", "accrue", "lending"])
def test_a_broken_plugin_is_one_message(
    command: str, name: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / f"{name}.py").write_text(BROKEN[name])
    folder.ledger.write_text(f'plugin "{name}"\n{folder.ledger.read_text()}')
    monkeypatch.syspath_prepend(str(folder.path))
    before = folder.files()
    done = folder.usance(command)
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    said = ("code that the ledger loads ended with", "Error applying plugin", "Error importing")
    assert sum(any(text in line for text in said) for line in done.output.splitlines()) == 1
    assert folder.files() == before


def test_an_exception_without_other_plugins_is_not_hidden(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a fault of Usance, of which the traceback is needed."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("usance.commands.check.chain", fails)
    folder.accrue()
    with pytest.raises(ZeroDivisionError):
        folder.usance("check")
