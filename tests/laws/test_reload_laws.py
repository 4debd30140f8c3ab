"""A reload in Fava says of closed days what a first load says, after any edit."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import fava.core  # noqa: F401 -- where it is loaded, closed days are remembered
import pytest
from folders import Folder
from hypothesis import given
from hypothesis import strategies as st

from usance.close import inputs
from usance.ledger.load import load

Edit = Callable[[Path], None]


def replaced(name: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / name
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")

    return edit


def added(text: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / "main.beancount"
        path.write_text(f"{path.read_text('utf-8')}\n{text}\n", "utf-8")

    return edit


RATES = "rates/usdc.csv"
EDITS: dict[str, Edit] = {
    "a rate of a closed hour": replaced(RATES, ",0.0365", ",0.1365"),
    "a rate back": replaced(RATES, ",0.1365", ",0.0365"),
    "a line above the rows": replaced(RATES, "Z,", "Z,0"),
    "a price of a closed day": added("2025-01-02 price SOL 99 USDC"),
    "a price of an open day": added("2025-12-01 price SOL 99 USDC"),
    "a comment": added("; nothing"),
    "a deposit in a closed day": added(
        '2025-01-15 * "Late"\n  Assets:Backpack:Main:Wallet  1 USDC\n  Assets:Bank  -1 USDC'
    ),
    "a term of a closed day": replaced("main.beancount", "auto-lend: TRUE", "auto-lend: FALSE"),
    "a term back": replaced("main.beancount", "auto-lend: FALSE", "auto-lend: TRUE"),
    "a seal": replaced("posted/2025-01.beancount", 'inputs: "', 'inputs: "0'),
    "an option": replaced("main.beancount", '_currency" "USDC"', '_currency" "USD"'),
}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Folder.made(tmp_path_factory.mktemp("reload") / "books")
    assert folder.accrue().exit_code == 0
    return folder.path


def told(folder: Path) -> list[tuple[str, int, str]]:
    errors = load(str(folder / "main.beancount")).errors
    return [(type(each).__name__, each.source["lineno"], each.message) for each in errors]


@given(edits=st.lists(st.sampled_from(sorted(EDITS)), max_size=5))
def test_what_is_remembered_changes_no_answer(closed: Path, edits: list[str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = shutil.copytree(closed, Path(made) / "books")
        for name in ["a comment", *edits, "a comment"]:
            EDITS[name](folder)
            remembered = told(folder)
            inputs.Unchanged.rests = None
            assert told(folder) == remembered, name


def test_the_edits_of_the_law_change_closed_days(closed: Path, tmp_path: Path) -> None:
    """Else nothing would be told in any case; and unchanged days are remembered."""
    folder = shutil.copytree(closed, tmp_path / "books")
    assert told(folder) == []
    assert inputs.Unchanged.rests is not None
    for name in ("a rate of a closed hour", "a rate back", "a deposit in a closed day"):
        EDITS[name](folder)
        assert bool(told(folder)) == (name != "a rate back")
        assert (inputs.Unchanged.rests is None) == (name != "a rate back")
