"""Text of a person that looks like ours is one error at its line, and all else is computed."""

import json
from pathlib import Path

import pytest
from folders import SIX_DAYS, Folder

UNSEALED = (
    "Only usance accrue writes transactions with the tag #usance and the key usance:, and only"
)
IDENTITIES = (
    "x",
    "",
    "/",
    "lending",
    "lending/2025-05-01/Main",
    "lending/2025-05-09/Main",
    "lending/2025-05-01/Main/2/3",
    "lending/2025-05-01/",
    "lending/2025-05-01//2",
    "correction/2025-05-01/Nobody",
)
"""Ids that a person may write; those of closed days, of another day, and none at all."""


def deposit(identity: str) -> str:
    """Write a deposit of 1 USDC that looks generated."""
    return (
        '2025-05-03 * "Mine" #lending #usance\n'
        f'  usance: "{identity}"\n'
        "  Assets:Backpack:Main:Wallet   1 USDC\n"
        "  Assets:Bank                  -1 USDC\n"
    )


def told(folder: Folder) -> list[str]:
    return folder.usance("check").stdout.splitlines()


def held(folder: Folder) -> str:
    """Return what Main has in its wallet at the end of the books."""
    answer = json.loads(folder.usance("accounts", "--format", "json").stdout)
    [main] = [one for one in answer["sub_accounts"] if one["name"] == "Main"]
    units: str = main["accounts"]["Assets:Backpack:Main:Wallet"]["USDC"]
    return units


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("identity", IDENTITIES)
def test_an_id_that_a_person_wrote_is_never_trusted(
    identity: str, closed: bool, tmp_path: Path
) -> None:
    """The transaction counts as the person's, as it does for Beancount."""
    plain = deposit(identity).replace(" #lending #usance\n", "\n")
    folder = Folder.made(tmp_path / "mine", SIX_DAYS)
    also = Folder.made(tmp_path / "plain", SIX_DAYS + plain)
    if closed:
        folder.accrue("--through", "2025-05-02")
    with folder.ledger.open("a") as ledger:
        ledger.write(deposit(identity))
    line = folder.line('"Mine"')
    [text] = told(folder)
    assert text.startswith(f"main.beancount:{line}: {UNSEALED}")
    assert held(folder) == held(also)
    before = folder.files()
    assert folder.usance("accrue").exit_code == 1
    assert folder.files() == before


def test_an_id_twice_is_told_at_each_line(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path, SIX_DAYS + deposit("x") + deposit("x"))
    assert len(told(folder)) == 2


@pytest.mark.parametrize(
    "seal",
    [
        'custom "day-close" "0"',
        'custom "day-close"',
        'custom "day-close" 5 TRUE\n  previous: 1',
        'custom "day-close" "0"\n  previous: ""\n  inputs: ""\n  rules: "1"\n  stages: ""',
        'custom "day-correct" 2025-05-01 "0"',
        'custom "day-correct"',
    ],
)
def test_a_seal_by_hand_closes_nothing(seal: str, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "mine", f"{SIX_DAYS}2025-05-02 {seal}\n")
    also = Folder.made(tmp_path / "plain", SIX_DAYS)
    [text] = told(folder)
    line = folder.line("2025-05-02 custom")
    assert text.startswith(f"main.beancount:{line}: Only usance accrue writes custom")
    assert held(folder) == held(also)


def test_a_file_that_is_named_like_a_month_elsewhere_is_no_month(tmp_path: Path) -> None:
    ledger = SIX_DAYS.replace("posted/*", "*/*")
    folder = Folder.made(tmp_path, ledger)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "2025-05.beancount").write_text(deposit("lending/2025-05-03/Main"))
    [text] = told(folder)
    assert text.startswith(f"other/2025-05.beancount:1: {UNSEALED}")


def test_a_directive_that_hides_its_place_stops_nothing(tmp_path: Path) -> None:
    """Beancount lets metadata say where a directive stands."""
    hidden = deposit("x").replace(' #lending #usance\n  usance: "x"', '\n  filename: "(usance)"')
    folder = Folder.made(tmp_path / "mine", SIX_DAYS + hidden)
    also = Folder.made(tmp_path / "plain", SIX_DAYS + hidden.replace("filename", "file"))
    line = folder.line('"Mine"')
    text = 'The key filename: "(usance)" hides where this directive stands. Remove the key.'
    assert told(folder) == [f"main.beancount:{line}: {text}"]
    assert held(folder) == held(also)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lending/2025-05-02/Main", "lending/2025-05-01/Main"),
        ("lending/2025-05-02/Main", "lending/2025-05-02/"),
        ("lending/2025-05-02/Main", "x"),
    ],
)
def test_an_id_that_was_edited_in_closed_days_is_an_error_of_theirs(
    old: str, new: str, tmp_path: Path
) -> None:
    folder = Folder.made(tmp_path, SIX_DAYS)
    folder.accrue("--through", "2025-05-02")
    folder.edit(old, new, "posted/2025-05.beancount")
    texts = told(folder)
    assert any(f"{new}: its usance cannot be read. Restore" in text for text in texts)
    assert all("Traceback" not in text for text in texts)
