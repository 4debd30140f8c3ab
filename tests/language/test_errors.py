"""Every error text has a ledger that causes it, that text alone, and nothing is written then.

The ledgers are in tests/errors; tests/errors_page.py says how they are written.
"""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import errors_page
import pytest
from beancount.core.data import Directives
from errors_page import CASES, Case
from folders import Folder

from usance.cli import COMMANDS
from usance.model import problems

WITH_USANCE = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def load(folder: Folder) -> tuple[list[str], Directives]:
    """Load a ledger; return its errors as file:line: message, and its directives."""
    entries, errors = folder.load()
    places = (f"{error.source['filename']}:{error.source['lineno']}" for error in errors)
    texts = [
        f"{place.removeprefix(f'{folder.path}/')}: {error.message}"
        for place, error in zip(places, errors, strict=True)
    ]
    return texts, entries


def usance(folder: Folder, *words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code, standard output and standard error."""
    done = folder.usance(*words)
    return done.exit_code, done.stdout, done.stderr


def with_posted(folder: Folder) -> dict[str, bytes]:
    """Make the folder of closed days, where it is missing; return all files then."""
    posted = folder.path / "posted"
    if not posted.exists():
        posted.mkdir()
        (posted / "first.beancount").write_text("; Closed days\n")
    return folder.files()


def prepared(case: Case, path: Path) -> Folder:
    """Write a ledger, and run what makes it wrong."""
    folder = Folder(path / "books")
    folder.path.mkdir()
    folder.ledger.write_text(case.path.read_text())
    for command in case.commands:
        words = ["/bin/sh", "-c", command]
        subprocess.run(words, cwd=folder.path, env=WITH_USANCE, check=True, capture_output=True)
    return folder


def lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Note the name of each problem that is found."""
    for command in COMMANDS.values():  # imported when run, and then the class is not the real one
        import_module(f"usance.commands.{command.partition('.')[0]}")
    names: set[str] = set()
    made = problems.Problem

    def noted(source: problems.Source, name: str, *rest: object, **more: object) -> object:
        names.add(name)
        return made(source, name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(problems, "Problem", noted)
    return names


OLD = {"old-rate", "old-price", "old-treasury-rate"}
"""Findings that stop the posting of their day."""


def test_every_error_has_a_ledger_and_every_ledger_an_error() -> None:
    names = {name for of_heading in errors_page.names().values() for name in of_heading}
    assert {case.name for case in CASES} == names


def test_the_page_of_errors_is_up_to_date() -> None:
    assert errors_page.PAGE.read_text() == errors_page.page(), "run python tests/errors_page.py"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_a_ledger_causes_its_error_and_nothing_else(
    case: Case, tmp_path: Path, told: set[str]
) -> None:
    folder = prepared(case, tmp_path)
    before = folder.files()
    if case.told_by == "errors":
        before = check_load(case, folder)
    elif case.told_by == "commands":
        before = with_posted(folder)
        check_command(case, folder, "check")
    elif case.told_by in ("doubts", "notes"):
        check_remark(case, folder)
    else:
        check_command(case, folder, case.told_by.removeprefix("usance "))
    if case.told_by.startswith("usance accrue --correct") or case.name == "closed-unbookable":
        told -= {"closed-day-changed"}
    if case.told_by != "doubts":
        told -= set(errors_page.names()["Doubts"])  # not said beside an error of their line
    assert told == {case.name, *(["broken-chain"] if case.beside else [])}
    assert folder.files() == before


def check_load(case: Case, folder: Folder) -> dict[str, bytes]:
    """Check an error that a load reports; return the files that are to be there in the end."""
    texts = lines(case.texts)
    assert load(folder)[0] == case.texts
    assert usance(folder, "check") == (1, lines([*case.beside, *case.texts]), "")
    before = with_posted(folder)
    exit_code, _, complaint = usance(folder, "accrue")
    if not all("finding: " in text for text in case.texts) or case.name in OLD:
        first = lines([*case.beside, *case.texts])
        assert (exit_code, complaint.startswith(first)) == (1, True)
        return before
    assert (exit_code, complaint) == (0, re.sub(r"(?m)^\S+:\d+: ", "", texts))
    assert folder.files().keys() - before.keys()
    return folder.files()


def check_command(case: Case, folder: Folder, command: str) -> None:
    """Check an error that a command reports."""
    texts = lines(case.texts)
    refused = (1, "", f"{texts}Nothing was written.\n")
    match command:
        case "check":
            assert usance(folder, "check") == (1, texts, "")
            assert usance(folder, "accrue") == refused
        case "accrue":
            exit_code, shown, _ = usance(folder, "check")
            assert (exit_code, "nothing wrong" in shown) == (0, True)
            assert usance(folder, "accrue") == refused
        case words if words.startswith("compact"):
            exit_code, shown, complaint = usance(folder, *words.split())
            assert (exit_code, complaint) == (0, texts)
            assert shown.startswith("Nothing to compact")
        case words if words.startswith(("accrue --correct", "reopen")):
            assert usance(folder, *words.split()) == refused
        case _:
            in_check = (1, texts) if command == "verify" else (0, usance(folder, "check")[1])
            assert usance(folder, "check")[:2] == in_check
            exit_code, _, complaint = usance(folder, command)
            assert (exit_code, complaint) == (1, texts)


def check_remark(case: Case, folder: Folder) -> None:
    """Check a doubt or a note, which leaves the exit code 0."""
    texts = lines(case.texts)
    exit_code, shown, _ = usance(folder, "check")
    assert (exit_code, shown.startswith(texts)) == (0, True)
    if case.told_by == "doubts":
        [count] = shown.removeprefix(texts).splitlines()
        assert re.search(r": no error in [\d,]+ directives.*, but \d doubts?$", count)
        assert usance(folder, "check", "--strict") == (1, shown, "")
        assert load(folder)[0] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("command", ["lending", "accounts"])
def test_a_report_on_a_ledger_with_errors_shows_what_it_can(
    case: Case, command: str, tmp_path: Path
) -> None:
    """It prints the errors behind it, and exits 1 where there are any."""
    folder = prepared(case, tmp_path)
    before = folder.files()
    exit_code, _, complaint = usance(folder, command)
    # How far the books run is said before what is wrong in them.
    complaint = re.sub(r"^The books run to .*\n", "", complaint)
    found = case.told_by == "errors" and not any(": finding: " in text for text in case.texts)
    changed = case.told_by.startswith("usance accrue --correct")
    unpriced = (case.name, command) == ("held-without-price", "accounts")
    told = case.told_by in ("commands", f"usance {command}")
    assert exit_code == (found or changed or unpriced or told)
    if case.told_by == "errors":
        assert complaint.startswith(lines(case.texts))
        assert command == "accounts" or complaint == lines(case.texts)
    assert folder.files() == before


REMEDY = re.compile(
    r"(^|[.:;,] )(Add|Begin|Compare|Correct|Declare|Give|Keep|Make|Move|Open|Post|"
    r"Remove|Replace|Restore|Save|Sort|Split|Undo|Use|"
    r"Write|write)\b"
)


@pytest.mark.parametrize("text", sorted({text for case in CASES for text in case.texts}))
def test_a_text_says_what_to_write(text: str) -> None:
    """It ends with a sentence that tells what to do, and does not begin with blame."""
    message = text.split(": ", 1)[1]
    assert not message.startswith(("Error", "Invalid", "Sorry"))
    assert message.endswith(".")
    assert REMEDY.search(message)
