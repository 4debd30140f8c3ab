"""Answers of a snapshot are known by their fields, and read strictly."""

import json
from pathlib import Path
from typing import Any

import pytest
from reconciled_books import coin, owed, position, snapshot

from usance.feeding import snapshots
from usance.feeding.downloads import DOWNLOADS, RefusedError
from usance.feeding.snapshots import Part, Snapshot
from usance.venues.numbers import instant

COLLATERAL = {"collateral": [coin("USDC", "10.5862891343")], "netEquity": "10.5862891343"}
CAPITAL = {"USDC": {"available": "1", "locked": "2", "staked": "0.5"}}
SETTINGS = {"autoLend": True, "leverageLimit": "10"}
POSITIONS = [position("SOL_USDC_PERP", "-0.5", "150", "149")]
LOANS = [owed("SOL", "-0.25", "150")]
TAKEN = {"taken": "2025-06-17T00:10:03Z"}


def read(**answers: Any) -> Snapshot:  # noqa: ANN401
    return snapshots.read(
        {f"{name}.json": json.dumps(answer).encode() for name, answer in answers.items()}
    )


def test_answers_are_known_by_their_fields() -> None:
    found = read(a=COLLATERAL, b=CAPITAL, c=SETTINGS, d=POSITIONS, e=LOANS, f=TAKEN)
    assert found.parts == set(Part)
    assert found.taken == instant("2025-06-17T00:10:03")
    assert str(found.balances["USDC"].quantity) == "10.5862891343"
    assert found.settings["autoLend"] is True and str(found.settings["leverageLimit"]) == "10"
    assert str(found.positions["SOL_USDC_PERP"].quantity) == "-0.5"
    assert str(found.positions["SOL_USDC_PERP"].exposure) == "0.5"
    assert str(found.loans["SOL"].quantity) == "-0.25"
    assert found.unknown == ()


def test_what_is_in_the_wallet_locked_and_staked_is_one_quantity() -> None:
    assert str(read(a=CAPITAL).balances["USDC"].quantity) == "3.5"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"position": [], "loans": LOANS}, {Part.POSITIONS, Part.LOANS}),
        ({"x": [], "loans": LOANS}, {Part.POSITIONS, Part.LOANS}),
        ({"x": [], "y": POSITIONS}, {Part.POSITIONS, Part.LOANS}),
        ({"position": [], "borrow_lend_positions": []}, {Part.POSITIONS, Part.LOANS}),
        ({"position_empty_2025-06-16": []}, {Part.POSITIONS}),
        ({"borrowLend": []}, {Part.LOANS}),
    ],
)
def test_an_empty_list_is_what_is_left_or_what_its_file_says(
    answers: dict[str, Any], expected: set[Part]
) -> None:
    assert read(collateral=COLLATERAL, **answers).parts - {Part.COLLATERAL} == expected


def test_what_is_no_answer_of_a_snapshot_is_named() -> None:
    found = read(a=COLLATERAL, market={"symbol": "SOL_USDC"}, prices=[{"symbol": "SOL"}], n=7)
    assert found.unknown == ("market.json", "n.json", "prices.json")


def test_an_account_with_nothing_is_a_snapshot() -> None:
    found = read(capital={}, collateral={"collateral": []})
    assert found.balances == {} and {Part.CAPITAL, Part.COLLATERAL} <= found.parts


AGAIN = "Fetch the answer again"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"a": SETTINGS}, "no answer with balances is here. Name a folder with the collateral"),
        ({}, "no answer with balances is here"),
        ({"a": COLLATERAL, "b": COLLATERAL}, "a.json and b.json are both an answer on collateral."),
        (
            {"a": {"collateral": [coin("USDC", "1,000.5")]}},
            "a.json: row 1: totalQuantity '1,000.5' is no number. Write it as 1234.56, without",
        ),
        ({"a": {"collateral": [coin("USDC", "NaN")]}}, "totalQuantity 'NaN' is no number"),
        ({"a": {"collateral": [coin("USDC", "=1")]}}, "totalQuantity '=1' is no number"),
        ({"a": {"collateral": [{"symbol": "USDC"}]}}, f"totalQuantity is missing in USDC. {AGAIN}"),
        ({"a": {"collateral": [{"totalQuantity": "1"}]}}, f"row 1 has no symbol. {AGAIN}"),
        (
            {"a": {"collateral": [coin("USDC", "1"), coin("USDC", "1")]}},
            f"USDC stands there twice. {AGAIN}",
        ),
        ({"a": COLLATERAL | {"netEquity": True}}, "a.json: netEquity True is no number"),
        ({"a": COLLATERAL, "b": {"autoLend": "yes"}}, f"'yes' is neither true nor false. {AGAIN}"),
        ({"a": COLLATERAL, "b": {"taken": "12:00"}}, "b.json: '12:00' is no time in UTC"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(answers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        read(**answers)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"collateral": [', "collateral.json: line 1 is no JSON"),
        (b'{"collateral": [], "collateral": []}', "stands twice"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b'{"collateral": [], "netEquity": NaN}', "NaN is no number"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "collateral.json"
    file.write_bytes(data)
    with pytest.raises(RefusedError) as told:
        snapshots.load(file)
    assert message in str(told.value) and str(file) in str(told.value)
    assert str(told.value).endswith(".")


def test_a_number_is_read_from_a_number_of_json_without_a_float(tmp_path: Path) -> None:
    file = tmp_path / "collateral.json"
    file.write_text(
        '{"collateral": [{"symbol": "USDC", "totalQuantity": 0.1000000000000000055511}]}'
    )
    found = snapshots.load(file)
    assert str(found.balances["USDC"].quantity) == "0.1000000000000000055511"


# Where snapshots lie


def test_the_newest_is_the_last_by_its_moment(tmp_path: Path) -> None:
    root = tmp_path / DOWNLOADS
    folder = root / "backpack" / "Main" / "snapshot"
    assert snapshots.newest(root, "backpack", "Main") is None
    for moment in ("2025-06-17T001003Z", "2025-06-16T235959Z"):
        snapshot(folder / moment, {"collateral": COLLATERAL, "taken": TAKEN})
    (folder / "2025-06-18T000000Z").mkdir()  # a run died before it wrote into it
    assert snapshots.newest(root, "backpack", "Main") == folder / "2025-06-17T001003Z"
    assert snapshots.load(folder / "2025-06-17T001003Z", root).taken is not None


def test_links_below_downloads_are_refused(tmp_path: Path) -> None:
    root = tmp_path / DOWNLOADS
    folder = root / "backpack" / "Main" / "snapshot" / "2025-06-17T001003Z"
    snapshot(folder, {"taken": TAKEN})
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps(COLLATERAL))
    (folder / "collateral.json").symlink_to(elsewhere)
    with pytest.raises(RefusedError, match="is a link"):
        snapshots.newest(root, "backpack", "Main")


def test_only_answers_right_in_the_folder_are_read(tmp_path: Path) -> None:
    said = snapshot(tmp_path, {"collateral": COLLATERAL})
    snapshot(tmp_path / "older", {"collateral": COLLATERAL})
    (tmp_path / "README.md").write_text("What these are.")
    assert snapshots.load(said).parts == {Part.COLLATERAL}


def test_a_person_may_name_a_snapshot_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot(tmp_path / "said", {"collateral": COLLATERAL})
    (tmp_path / "link").symlink_to(tmp_path / "said")
    for folder, words in ((tmp_path, "said"), (tmp_path, "link"), (tmp_path / "said", ".")):
        monkeypatch.chdir(folder)
        assert snapshots.load(Path(words)).parts == {Part.COLLATERAL}
        assert snapshots.load(Path(words) / "collateral.json").parts == {Part.COLLATERAL}
