"""Corrections: what is changed in a closed day is posted as a difference, on the first open day."""

import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import second_reader
from beancount import loader
from beancount.core import data
from beancount.parser import printer
from folders import SIX_DAYS, Folder, rates
from operations import Killed, Operations, counted

from usance.model import problems

TWICE = '2025-05-02 * "More"\n  Assets:Backpack:Main:Wallet  1 USDC\n  Assets:Bank  -1 USDC\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three days are closed, of six."""
    made = Folder.made(tmp_path / "books", SIX_DAYS)
    made.accrue("--through", "2025-05-03")
    return made


def posted(folder: Folder) -> str:
    return (folder.path / "posted" / "2025-05.beancount").read_text()


def of_kind(folder: Folder, kind: str) -> list[data.Transaction]:
    return [
        entry
        for entry in folder.load()[0]
        if isinstance(entry, data.Transaction) and kind in entry.tags
    ]


def balances(folder: Folder) -> dict[tuple[str, str], Decimal]:
    """Return what every account holds at the end; the ledger must be free of errors."""
    entries, errors = folder.load()
    assert errors == []
    return held(entries)


def held(entries: data.Directives) -> dict[tuple[str, str], Decimal]:
    """Return what every account holds, by commodity; what holds nothing is left out."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        for leg in entry.postings if isinstance(entry, data.Transaction) else ():
            assert leg.units is not None and leg.units.number is not None
            key = (leg.account, leg.units.currency)
            sums[key] = sums.get(key, Decimal(0)) + leg.units.number
    return {key: number for key, number in sums.items() if number}


def fresh(folder: Folder) -> dict[tuple[str, str], Decimal]:
    """Return the balances of the same ledger with nothing posted."""
    never = folder.path.parent / "never"
    shutil.copytree(folder.path, never)
    for path in (never / "posted").glob("2*"):
        path.unlink()
    return balances(Folder(never))


def test_the_difference_is_posted_on_the_first_open_day(tmp_path: Path) -> None:
    """
    An hour grows by 0.00001, a day by 0.000240027602024106. On 1 May 1000 earn 0.240027 and carry
    0.000000602024106; 1100 earn 0.264030 and carry 0.0000003622265166. The differences are
    0.024003, and 100.024003 more that is lent. On 2 May 1100.264030 are lent.
    """
    folder = Folder.made(tmp_path / "books", SIX_DAYS)
    folder.accrue("--through", "2025-05-01")
    before = posted(folder)
    folder.edit("Main:Wallet   1000", "Main:Wallet   1100")
    folder.edit("Assets:Bank                  -1000", "Assets:Bank                  -1100")
    done = folder.accrue("--through", "2025-05-02", "--correct")
    assert done.stdout.startswith("Posted 2025-05-02: 3 transactions, including 1 correction.\n")
    assert posted(folder).startswith(before)
    added = posted(folder).removeprefix(before)
    assert added.startswith(
        """
2025-05-02 * "Correction" #correction #usance ^usance-2025-05-01 ^usance-2025-05-02
  usance: "correction/2025-05-02/Main"
  Assets:Backpack:Main:Wallet           0.024003 USDC
    carry-after: "0.0000003622265166"
  Equity:Backpack:Main:Uses:Capital  -100.024003 USDC
  Equity:Backpack:Main:Uses:Lent      100.024003 USDC
  Income:Backpack:Main:Interest        -0.024003 USDC

"""
    )
    assert '    principal: "1100.264030"\n' in added
    assert '    carry: "0.0000003622265166"\n' in added
    assert added.count("day-correct") == 1
    assert balances(folder) == fresh(folder)


def test_nothing_is_corrected_without_being_asked(folder: Folder) -> None:
    folder.edit("Main:Wallet   1000", "Main:Wallet   1001")
    folder.edit("Bank                  -1000", "Bank                  -1001")
    files = folder.files()
    done = folder.usance("accrue")
    assert done.exit_code == 1
    assert "2025-05-01 is closed, but this has since been added" in done.stderr
    assert "usance accrue --correct" in done.stderr
    assert folder.files() == files


def more(folder: Folder) -> None:
    folder.edit("Main:Wallet   1000", "Main:Wallet   1000.5")
    folder.edit("Bank                  -1000", "Bank                  -1000.5")


def rate_file(folder: Folder) -> None:
    folder.edit("0.0876 0.1752", '"rates/usdc.csv"')


EDITS: dict[str, Callable[[Folder], None]] = {
    "another amount": more,
    "another day": lambda folder: folder.edit('2025-05-02 * "Dep', '2025-05-03 * "Dep'),
    "another time": lambda folder: folder.edit('"Deposit"\n', '"Deposit"\n  time: "07:30"\n'),
    "another sub-account": lambda folder: folder.edit("Arb:Wallet   50", "Main:Wallet   50"),
    "one that is added": lambda folder: folder.edit(
        '2025-05-01 custom "accrue', f'{TWICE}2025-05-01 custom "accrue'
    ),
    "one before the first day": lambda folder: folder.edit(
        '2025-05-01 custom "accrue',
        f'{TWICE.replace("2025-05-02", "2025-05-01")}2025-05-01 custom "accrue',
    ),
    "one that is gone": lambda folder: folder.edit(
        '2025-05-02 * "Deposit for Arb"\n  Assets:Backpack:Arb:Wallet   50 USDC\n'
        "  Assets:Bank                 -50 USDC\n",
        "",
    ),
    "another rate": lambda folder: folder.edit("0.0876", "0.1"),
    "another source of rates": rate_file,
    "another switch": lambda folder: folder.edit(
        "  auto-lend: TRUE\n  auto-borrow", "  auto-lend: FALSE\n  auto-borrow"
    ),
    "another quantum": lambda folder: folder.edit("0.000001", "0.01"),
    "what changes no figure": lambda folder: folder.edit("auto-borrow: TRUE", "auto-borrow: FALSE"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_after_a_correction_the_books_are_those_that_were_never_posted(
    edit: Callable[[Folder], None], folder: Folder
) -> None:
    (folder.path / "rates" / "usdc.csv").write_text(
        "time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0.05,0.06\n"
        "2025-05-03T09:00:00Z,0.06,0.07\n"
    )
    before = posted(folder)
    edit(folder)
    assert folder.usance("check").exit_code == 1
    assert folder.usance("accrue").exit_code == 1
    folder.accrue("--correct", "--through", "2025-05-04")
    assert posted(folder).startswith(before)
    for command in ("check", "verify"):
        assert folder.usance(command).exit_code == 0, folder.usance(command).output
    assert second_reader.head(folder.path / "posted")
    assert balances(folder) == fresh(folder)
    files = folder.files()
    folder.accrue("--correct", "--through", "2025-05-04")
    assert folder.files() == files


def test_a_correction_is_virtual_until_it_is_posted(folder: Folder) -> None:
    """So an assertion on an open day, of what the venue shows, holds before it is posted."""
    EDITS["another rate"](folder)
    corrected = Folder(folder.path.parent / "corrected")
    shutil.copytree(folder.path, corrected.path)
    corrected.accrue("--correct")
    wallet = "Assets:Backpack:Main:Wallet"
    assertion = f"2025-05-07 balance {wallet}  {balances(corrected)[wallet, 'USDC']} USDC\n"
    with folder.ledger.open("a") as file:
        file.write(assertion)
    entries, errors = folder.load()
    assert [type(error).__name__ for error in errors] == ["UsanceChange"] * 2
    virtual = [entry for entry in entries if entry.meta["filename"] == "(usance)"]
    folder.accrue("--correct")
    assert folder.usance("check").exit_code == 0
    written = [
        entry
        for entry in folder.load()[0]
        if isinstance(entry, data.Transaction) and entry.date >= virtual[0].date
    ]
    assert list(map(printer.format_entry, written)) == [
        printer.format_entry(entry) for entry in virtual if isinstance(entry, data.Transaction)
    ]


def test_a_virtual_correction_can_be_explained(folder: Folder) -> None:
    EDITS["another rate"](folder)
    before = folder.usance("explain", "correction/2025-05-04/Main", "--format", "json")
    assert (before.exit_code, json.loads(before.stdout)["differs"]) == (1, False)
    folder.accrue("--correct")
    after = folder.usance("explain", "correction/2025-05-04/Main", "--format", "json")
    assert after.exit_code == 0
    assert json.loads(after.stdout)["steps"] == json.loads(before.stdout)["steps"]


def test_what_changes_no_figure_is_noted_and_nothing_is_posted_for_it(folder: Folder) -> None:
    EDITS["what changes no figure"](folder)
    folder.accrue("--correct")
    assert of_kind(folder, "correction") == []
    assert posted(folder).count('custom "day-correct" 2025-05-01') == 1


def test_only_days_that_changed_are_linked(folder: Folder) -> None:
    EDITS["another sub-account"](folder)
    folder.accrue("--correct")
    corrections = of_kind(folder, "correction")
    assert [entry.meta["usance"] for entry in corrections] == [
        "correction/2025-05-04/Arb",
        "correction/2025-05-04/Main",
    ]
    for entry in corrections:
        assert entry.links == {"usance-2025-05-02", "usance-2025-05-04"}


def test_corrections_are_corrected_and_a_correcting_day_too(folder: Folder) -> None:
    EDITS["another amount"](folder)
    folder.accrue("--correct", "--through", "2025-05-04")
    # An edit of the correcting day, another of the corrected one, and both undone.
    late = TWICE.replace("2025-05-02", "2025-05-04")
    folder.edit('2025-05-01 custom "accrue', f'{late}2025-05-01 custom "accrue')
    EDITS["another rate"](folder)
    folder.accrue("--correct", "--through", "2025-05-05")
    assert balances(folder) == fresh(folder)
    shutil.rmtree(folder.path.parent / "never")
    folder.edit(late, "")
    folder.edit("0.1 0.1752", "0.0876 0.1752")
    checked = folder.usance("check").stdout
    assert "2025-05-01 is closed, but this has since been added" in checked
    assert re.search(
        r"posted/2025-05.inputs:\d+: 2025-05-04 is closed, but this has since been rem", checked
    )
    folder.accrue("--correct", "--through", "2025-05-06")
    assert balances(folder) == fresh(folder)
    assert folder.usance("verify").exit_code == 0
    assert second_reader.head(folder.path / "posted")
    corrected = re.findall(r'(\S+) custom "day-correct" (\S+)', posted(folder))
    assert corrected == [
        ("2025-05-04", "2025-05-01"),
        ("2025-05-05", "2025-05-01"),
        ("2025-05-05", "2025-05-04"),
        ("2025-05-06", "2025-05-01"),
        ("2025-05-06", "2025-05-04"),
    ]


def test_the_answer_counts_corrections(folder: Folder) -> None:
    EDITS["another rate"](folder)
    answer = json.loads(
        folder.accrue("--correct", "--through", "2025-05-06", "--format", "json").stdout
    )
    assert (answer["corrections"], answer["transactions"]) == (2, 8)
    assert answer["posted"] == ["2025-05-04", "2025-05-05", "2025-05-06"]


def test_a_dry_run_shows_the_correction_and_writes_nothing(folder: Folder) -> None:
    EDITS["another rate"](folder)
    files, before = folder.files(), posted(folder)
    shown = folder.accrue("--correct", "--dry-run").stdout
    assert folder.files() == files
    folder.accrue("--correct")
    assert posted(folder) == before + shown


def test_another_error_still_refuses(folder: Folder) -> None:
    EDITS["another rate"](folder)
    folder.edit("auto-borrow", "auto-borow")
    files = folder.files()
    done = folder.usance("accrue", "--correct")
    assert (done.exit_code, folder.files()) == (1, files)
    assert "auto-borow" in done.stderr


def test_an_error_in_a_closed_day_as_it_is_now_refuses(folder: Folder) -> None:
    folder.edit("Main:Wallet   1000", "Main:Wallet   -10")
    folder.edit("Bank                  -1000", "Bank                  10")
    folder.edit("  auto-borrow: TRUE\n", "")
    files = folder.files()
    done = folder.usance("accrue", "--correct")
    assert (done.exit_code, folder.files()) == (1, files)
    assert "auto-borrow" in done.stderr


def test_rates_that_are_only_now_old_stop_the_correction(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.accrue("--through", "2025-01-20")
    (folder.path / "rates" / "usdc.csv").write_text(
        "".join(line for line in rates().splitlines(keepends=True) if "2025-01-1" not in line)
    )
    files = folder.files()
    done = folder.usance("accrue", "--correct")
    assert (done.exit_code, folder.files()) == (1, files)
    assert "more than 3 days old" in done.stderr
    folder.accrue("--correct", "--stale-ok")
    seal = posted_of(folder, "2025-01").partition('2025-01-21 custom "day-close"')[2]
    assert "2025-01-14" in seal.partition("findings:")[2].splitlines()[0]
    assert folder.usance("check").exit_code == 0
    # It was told, and stops no further correction.
    folder.edit("Main:Wallet   1000", "Main:Wallet   1001")
    folder.edit("Bank                  -1000", "Bank                  -1001")
    folder.accrue("--correct", "--through", "2025-02-03")
    assert folder.usance("check").exit_code == 0


def posted_of(folder: Folder, month: str) -> str:
    return (folder.path / "posted" / f"{month}.beancount").read_text()


def test_corrected_books_load_without_usance(folder: Folder, tmp_path: Path) -> None:
    EDITS["another amount"](folder)
    folder.accrue("--correct", "--through", "2025-05-06")
    expected = balances(folder)
    plain = tmp_path / "plain"
    shutil.copytree(folder.path, plain)
    text = (plain / "main.beancount").read_text()
    (plain / "main.beancount").write_text(text.replace('plugin "usance.plugins"', ""))
    entries, errors, _ = loader.load_file(str(plain / "main.beancount"))
    assert errors == []
    assert held(entries) == expected


# What is altered in a correction is found


def test_a_lost_line_of_a_corrected_day_is_found(folder: Folder) -> None:
    EDITS["another rate"](folder)
    folder.accrue("--correct")
    path = folder.path / "posted" / "2025-05.inputs"
    lines = path.read_text().splitlines(keepends=True)
    assert [line for line in lines if line.startswith("2025-05-04 for 2025-05-01 ")]
    path.write_text("".join(line for line in lines if " for " not in line))
    assert folder.usance("check").exit_code == 1
    verified = folder.usance("verify")
    assert verified.exit_code == 1
    assert "broken at 2025-05-04" in verified.stdout
    with pytest.raises(second_reader.Tampered):
        second_reader.head(folder.path / "posted")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'(day-correct" )2025-05-01', r"\g<1>2025-05-02"),
        (r'(day-correct" 2025-05-01 ").', r"\g<1>x"),
        (r'2025-05-04 (custom "day-correct")', r"2025-05-03 \1"),
        (r'2025-05-04 custom "day-correct".*\n\n', ""),
        (r'(Correction".*\n(?:.*\n)*?.*Wallet +)0\.', r"\g<1>9."),
    ],
)
def test_an_altered_correction_is_found(old: str, new: str, folder: Folder) -> None:
    EDITS["another rate"](folder)
    folder.accrue("--correct")
    path = folder.path / "posted" / "2025-05.beancount"
    text, count = re.subn(old, new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    assert folder.usance("check").exit_code == 1
    verified = folder.usance("verify")
    assert verified.exit_code == 1
    assert "broken at 2025-05-04" in verified.stdout


@pytest.mark.parametrize(
    "text",
    [
        '2025-05-04 custom "day-correct" 2025-05-01 "00"',
        '2025-05-04 custom "day-correct" 2025-05-05 "00"',
        '2025-05-03 custom "day-correct" 2025-05-01 "00"',
        '2025-05-03 custom "day-correct" 2025-05-03 "00"',
        '2025-05-03 custom "day-correct" "2025-05-01"',
        '2025-05-03 custom "day-correct"',
    ],
)
def test_a_correction_that_nobody_sealed_is_found(text: str, folder: Folder) -> None:
    EDITS["another rate"](folder)
    with folder.ledger.open("a") as file:
        file.write(f"{text}\n")
    files = folder.files()
    for words in (("check",), ("accrue",), ("accrue", "--correct")):
        done = folder.usance(*words)
        assert done.exit_code == 1
        assert f"main.beancount:{folder.line(text)}: " in done.output
    assert folder.files() == files


def test_a_correction_that_hides_an_edit_is_found(folder: Folder) -> None:
    """Somebody gives a closed day new inputs in the ledger itself, digest and all."""
    EDITS["another rate"](folder)
    good = Folder(folder.path.parent / "good")
    shutil.copytree(folder.path, good.path)
    good.accrue("--correct")
    [line] = [line for line in posted(good).splitlines() if "day-correct" in line]
    forged = line.replace("2025-05-04", "2025-05-03", 1)
    with folder.ledger.open("a") as file:
        file.write(f"{forged}\n")
    done = folder.usance("check")
    assert done.exit_code == 1
    assert f"main.beancount:{folder.line(forged)}: " in done.output
    assert folder.usance("accrue").exit_code == 1


# Crashes


def test_a_correction_killed_at_any_operation_loses_nothing(folder: Folder) -> None:
    EDITS["another rate"](folder)
    done = Folder(shutil.copytree(folder.path, folder.path.with_name("done")))
    balanced = fresh(folder)
    with counted(Operations()) as whole:
        done.accrue("--correct", "--through", "2025-05-06")
    before, after = posted(folder), posted(done)
    for at in range(1, len(whole.seen) + 1):
        struck = Folder(shutil.copytree(folder.path, folder.path.with_name(str(at))))
        with counted(Operations(at)), pytest.raises(Killed):
            struck.usance("accrue", "--correct", "--through", "2025-05-06")
        assert posted(struck) in (before, after)
        struck.accrue("--correct", "--through", "2025-05-06")
        assert struck.posted() == done.posted()
        assert balances(struck) == balanced


@pytest.mark.parametrize("broken", ["lending", "lending/2025-05-02", "x/2025-05-02/Main", "/a/b"])
def test_an_id_that_was_broken_by_hand_is_one_error_in_its_place(
    broken: str, folder: Folder
) -> None:
    """Goal: neither a load nor a correction ends in a traceback, and nothing is posted."""
    month = "posted/2025-05.beancount"
    folder.edit('"lending/2025-05-02/Main"', f'"{broken}"', month)
    line = folder.line(f'usance: "{broken}"', month) - 1
    with folder.ledger.open("a") as file:
        file.write(TWICE)
    _, errors = folder.load()
    said = [error.message for error in errors if error.source["lineno"] == line]
    told = f"{broken}: its usance cannot be read. Restore the posted files from a backup."
    assert said == [told]
    before = posted(folder)
    done = folder.usance("accrue", "--correct")
    assert (done.exit_code, told in done.stderr) == (1, True)
    assert posted(folder) == before


def test_a_finding_that_an_earlier_release_sealed_in_other_words_is_not_told_again(
    tmp_path: Path,
) -> None:
    """Goal: books of an earlier release are corrected without findings that they hold already."""
    ledger = Path(__file__).parents[1] / "errors" / "cash-below-zero.beancount"
    folder = Folder.made(tmp_path / "books", ledger.read_text())
    folder.accrue("--through", "2025-05-02")
    month = "posted/2025-05.beancount"
    now = "Add the missing cash from bills, or write the actual payment with pays:."
    then = "Write the cash that bills brought in, or what was really paid, with pays:."
    folder.edit(now, then, month)
    folder.edit("0.0156 0.0310", "0.0312 0.0310")

    def names() -> list[str]:
        return [type(error).__name__ for error in folder.load()[1]]

    assert set(names()) == {"UsanceChange"}
    folder.edit("Cash is -0.215226", "Cash is -0.21522", month)
    assert names().count("UsanceFinding") == 1


def test_only_a_finding_is_known_by_its_facts() -> None:
    """Goal: an error stays, though a sealed finding names the same things; figures are whole."""
    at = problems.Source("main.beancount", 1)
    sealed = 'sub-account "Main" is in breach on 2025-05-02: SOL 150.5 USDC, 12 USDC'
    assert problems.breach(at, "Main", "2025-05-02", "150.5", "12", "USDC").is_told(sealed)
    assert not problems.breach(at, "Main", "2025-05-02", "150", "12", "USDC").is_told(sealed)
    assert not problems.breach(at, "Main", "2025-05-02", "150.5", "2", "USDC").is_told(sealed)
    missing = problems.missing_price_of(at, "Main", "SOL", "USDC", "2025-05-02")
    assert not missing.is_told(sealed)
    assert not problems.unsealed(at).is_told(sealed)
