"""Reopening: closed days move away, and nothing is lost."""

import datetime
from pathlib import Path

import pytest
from folders import Folder

from usance.close import reopening, verification
from usance.close.reopening import Reopening
from usance.ledger.disk import Disk


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three months, 2024-12-30 to 2025-02-02."""
    made = Folder.made(tmp_path / "books")
    made.accrue()
    return made


def moved(folder: Folder) -> dict[str, bytes]:
    """Return the files that were moved away, by name."""
    [away] = folder.path.glob("posted/reopened-*")
    return {path.name: path.read_bytes() for path in away.iterdir()}


def posted(folder: Folder) -> dict[str, bytes]:
    files = folder.path.glob("posted/????-??.*")
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("since", "days", "gone"),
    [
        ("2025-02-02", "1 day, 2025-02-02", {"2025-02"}),
        ("2025-02-01", "2 days, 2025-02-01 to 2025-02-02", {"2025-02"}),
        ("2025-01-31", "3 days, 2025-01-31 to 2025-02-02", {"2025-01", "2025-02"}),
        ("2024-12-31", "34 days, 2024-12-31 to 2025-02-02", {"2024-12", "2025-01", "2025-02"}),
        ("2024-01-01", "35 days, 2024-12-30 to 2025-02-02", {"2024-12", "2025-01", "2025-02"}),
    ],
)
def test_days_are_open_again_and_close_to_the_same_bytes(
    folder: Folder, since: str, days: str, gone: set[str]
) -> None:
    before = posted(folder)
    done = folder.usance("reopen", "--from", since)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"Reopened {days}.\n")
    assert moved(folder) == {name: data for name, data in before.items() if name[:7] in gone}
    left = folder.usance("verify")
    assert left.exit_code == 0
    assert left.stderr == "", "the .inputs speak of no day that is open"
    assert ("No day is closed" in left.stdout) == (since == "2024-01-01")
    assert folder.usance("check").exit_code == 0
    folder.accrue()
    assert posted(folder) == before


def test_the_way_back_is_to_move_the_files_back(folder: Folder) -> None:
    before, head = posted(folder), folder.usance("verify").stdout
    folder.usance("reopen", "--from", "2025-01-10")
    [away] = folder.path.glob("posted/reopened-*")
    assert away.name.removeprefix("reopened-") in head
    for path in away.iterdir():
        path.replace(away.parent / path.name)
    assert (posted(folder), folder.usance("verify").stdout) == (before, head)


def test_a_dry_run_moves_nothing_and_a_day_that_is_open_is_said(folder: Folder) -> None:
    before = folder.files()
    assert (
        "Would reopen 2 days" in folder.usance("reopen", "--from", "2025-02-01", "--dry-run").stdout
    )
    assert "No day from 2025-02-03 on" in folder.usance("reopen", "--from", "2025-02-03").stdout
    assert folder.files() == before


def test_a_broken_day_can_be_moved_away_but_not_kept(folder: Folder) -> None:
    month = folder.path / "posted" / "2025-01.beancount"
    month.write_text(month.read_text().replace("Lending", "lending", 1))
    assert folder.usance("verify").exit_code == 1
    refused = folder.usance("reopen", "--from", "2025-01-02")
    assert refused.exit_code == 1
    assert "2025-01-01" in refused.stderr
    assert "Nothing was written." in refused.stderr
    assert folder.usance("reopen", "--from", "2025-01-01").exit_code == 0
    assert folder.usance("verify").stdout.startswith("Sound: 2 days")


def test_other_bytes_that_lie_there_stay(folder: Folder) -> None:
    folder.usance("reopen", "--from", "2025-02-01")
    [away] = folder.path.glob("posted/reopened-*")
    (away / "2025-02.beancount").write_text("; mine\n")
    folder.accrue()
    assert folder.usance("reopen", "--from", "2025-02-01").exit_code == 0
    assert (away / "2025-02.beancount").read_text() == "; mine\n"
    assert len(list(folder.path.glob("posted/reopened-*"))) == 2


class Failing(Disk):
    """A disk of which the run dies before one of its operations."""

    def __init__(self, left: int) -> None:
        self.left = left

    def replace(self, path: Path, data: bytes) -> None:
        self._count()
        super().replace(path, data)

    def rename(self, old: Path, new: Path) -> None:
        self._count()
        super().rename(old, new)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("operations", range(10))
def test_wherever_a_run_ends_the_days_that_are_left_hold(folder: Folder, operations: int) -> None:
    before = posted(folder)
    planned = reopening.plan(folder.path / "posted", Disk(), datetime.date(2025, 1, 10))
    assert isinstance(planned, Reopening)
    try:
        reopening.reopen(planned, Failing(operations))
    except KeyboardInterrupt:
        pass
    else:
        assert operations > 5
    verified = verification.verify(folder.path / "posted", Disk(), None)
    assert verified.broken is None
    assert verified.seals[-1].date >= "2025-01-09"
    assert folder.usance("reopen", "--from", "2025-01-10").exit_code == 0
    assert folder.usance("verify").stdout.startswith("Sound: 11 days")
    folder.accrue()
    assert posted(folder) == before
