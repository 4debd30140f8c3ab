"""Changes of closed days: by a person, or by rows of a feed that came late."""

from pathlib import Path

import pytest
from folders import SIX_DAYS, Folder

from usance.close.changes import changes
from usance.ledger.load import load

IMPORTED = """\
2025-05-02 * "Funding of a day"
  time: "23:59:59"
  rows: 24
  Assets:Backpack:Main:Wallet   1.25 USDC
  Assets:Bank                  -1.25 USDC
2025-05-03 * "Deposit"
  time: "09:00"
  Assets:Backpack:Main:Wallet   10 USDC
  Assets:Bank                  -10 USDC
"""
LATE = """\
2025-05-03 * "Deposit that came late"
  time: "11:00"
  Assets:Backpack:Main:Wallet   7 USDC
  Assets:Bank                  -7 USDC
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A ledger with a month of a feed, all of whose days are closed."""
    ledger = SIX_DAYS.replace('include "posted', 'include "imported/*.beancount"\ninclude "posted')
    made = Folder.made(tmp_path, ledger)
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported" / "2025-05.beancount").write_text(IMPORTED)
    made.accrue()
    return made


def found(folder: Folder) -> tuple[list[str], list[str]]:
    """Return the days that changed, and what no feed explains: the place and the kind of change."""
    imported = folder.path / "imported"
    seen = changes(load(str(folder.ledger)), lambda file: Path(file).parent == imported)
    places = (Path(p.source.file).name for p in seen.by_hand)
    return seen.days, [
        f"{place} {p.facts[1]}" for place, p in zip(places, seen.by_hand, strict=True)
    ]


def test_nothing_has_changed(folder: Folder) -> None:
    assert found(folder) == ([], [])


def test_a_row_that_came_late_is_of_its_feed(folder: Folder) -> None:
    path = folder.path / "imported" / "2025-05.beancount"
    path.write_text(IMPORTED + LATE)
    assert found(folder) == (["2025-05-03"], [])


def test_a_sum_with_a_row_more_replaces_the_one_before(folder: Folder) -> None:
    folder.edit("1.25 USDC\n  Assets:Bank                  -1.25", "1.5 USDC\n  Assets:Bank -1.5",
                "imported/2025-05.beancount")  # fmt: skip
    assert found(folder) == (["2025-05-02"], [])


def test_a_row_never_vanishes_so_a_person_took_it_out(folder: Folder) -> None:
    path = folder.path / "imported" / "2025-05.beancount"
    path.write_text(IMPORTED[: IMPORTED.index("2025-05-03")])
    assert found(folder) == (["2025-05-03"], ["2025-05.inputs removed or changed"])


def test_a_person_changed_an_amount_and_a_row_came_late_on_the_same_day(folder: Folder) -> None:
    deposit = "  Assets:Backpack:Arb:Wallet   {0} USDC\n  Assets:Bank                 -{0}"
    folder.edit(deposit.format(50), deposit.format(51))
    path = folder.path / "imported" / "2025-05.beancount"
    path.write_text(IMPORTED + LATE.replace("05-03", "05-02"))
    days, by_hand = found(folder)
    assert days == ["2025-05-02"]
    assert by_hand == ["main.beancount added", "2025-05.inputs removed or changed"]


def test_inputs_that_are_lost_are_not_explained(folder: Folder) -> None:
    path = folder.path / "imported" / "2025-05.beancount"
    path.write_text(IMPORTED + LATE)
    (folder.path / "posted" / "2025-05.inputs").unlink()
    days, by_hand = found(folder)
    assert days == ["2025-05-03"]
    assert len(by_hand) == 1
