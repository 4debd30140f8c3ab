"""Closed days as posted: what reports show of them, before and after a correction."""

import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.core import data
from folders import SIX_DAYS, Folder

from usance.close import posted_days
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language.reading import Reading
from usance.ledger import replay
from usance.ledger.load import load
from usance.reports import lending, yields

LEDGERS = Path(__file__).parents[2] / "ledgers"
EXAMPLES = [*sorted(LEDGERS.glob("*.beancount")), LEDGERS / "demo" / "main.beancount"]
DOLLARS = Path(__file__).parents[2] / "ledgers" / "dollar_yield.beancount"


def answers(reading: Reading, lived: list[tuple[LivedDay, State]]) -> Iterator[object]:
    """Yield what reports say of days, but of pools that a posting says too little about."""
    days = [day for day, _ in lived]
    imports = lending.compares(reading.book)
    for day in days:
        yield list(lending.interest([day], (day.day, day.day), compared=imports))
        yield lending.earned([day])
    yield lending.earned(days)
    yield lending.interests(days)
    yield [pool for pool in lending.conservation(days) if pool.fee is None]
    yield yields.split_of(reading.book, days, (days[0].day, days[-1].day), "posted")
    yield yields.incomes(reading.book, days)
    for day, state in lived:
        yield yields.backing(reading, state, day.day, "posted")


@pytest.mark.parametrize("from_proofs", [False, True], ids=["lived", "from proofs"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name + path.stem)
def test_what_nobody_corrected_is_what_is_lived_again(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_proofs: bool
) -> None:
    """Also if each day is rebuilt from the proofs of its postings alone."""
    text = example.read_text()
    if 'include "posted' not in text:
        text = f'include "posted/*.beancount"\n{text}'
    if example.parent != LEDGERS:
        shutil.copytree(example.parent, tmp_path / "books")
        folder = Folder(tmp_path / "books")
    else:
        folder = Folder.made(tmp_path / "books", text)
        shutil.copytree(LEDGERS / "venues", folder.path / "venues")
    folder.accrue(
        "--through", json.loads(folder.usance("check", "--format", "json").stdout)["last"]
    )
    ledger = load(str(folder.ledger))
    reading = ledger.read()
    assert reading.seals
    assert not posted_days.is_corrected(ledger, reading)
    again = replay.with_own_states(replay.evenings(reading, reading.last))
    if from_proofs:
        monkeypatch.setattr(posted_days, "_figures", lambda _: object())
    posted = replay.with_own_states(posted_days.evenings(ledger, reading, reading.last))
    assert [*answers(reading, posted)] == [*answers(reading, again)]


# After a correction


def edited(folder: Folder, *, moves: bool = True) -> None:
    """Let the second day have another rate, and perhaps a transfer that was forgotten."""
    with folder.ledger.open("a") as text:
        text.write('2025-05-02 custom "lending-rate" "USDC" 0.5 0.9\n')
        if not moves:
            return
        text.write('2025-05-02 * "Forgotten"\n  Assets:Backpack:Main:Wallet  -1500 USDC\n')
        text.write("  Assets:Backpack:Arb:Wallet  1500 USDC\n")


def asked(folder: Folder, command: str, *words: str) -> Any:  # noqa: ANN401
    done = folder.usance(command, *words, "--format", "json")
    answer = json.loads(done.stdout)
    assert answer["basis"] == ("corrected" if "--as-corrected" in words else "posted")
    return answer


def interest(folder: Folder, *words: str) -> dict[tuple[str, str], Decimal]:
    """Return the interest of all rows, by sub-account and side."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in asked(folder, "lending", *words)["rows"]:
        key = (row["sub_account"], row["side"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["interest"])
    return sums


def in_accounts(folder: Folder) -> dict[tuple[str, str], Decimal]:
    """Return the balances of interest, by sub-account and side."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in folder.load()[0]:
        for leg in entry.postings if isinstance(entry, data.Transaction) else ():
            root = leg.account.split(":")[0]
            *_, name, last = leg.account.split(":")
            if last == "Interest" and leg.units is not None and leg.units.number is not None:
                side, sign = ("lent", -1) if root == "Income" else ("borrowed", 1)
                sums[name, side] = sums.get((name, side), Decimal(0)) + sign * leg.units.number
    return sums


@pytest.fixture
def corrected(tmp_path: Path) -> Folder:
    made = Folder.made(tmp_path / "books", SIX_DAYS)
    made.accrue("--through", "2025-05-03")
    return made


def test_posted_rows_come_to_the_accounts_and_stay_as_they_are(corrected: Folder) -> None:
    before = asked(corrected, "lending", "--to", "2025-05-03")["rows"]
    assert interest(corrected) == in_accounts(corrected)
    edited(corrected)
    # Before it is posted, the correction is a virtual transaction of the first open day.
    waiting = asked(corrected, "lending")
    assert [row for row in waiting["rows"] if row["date"] <= "2025-05-03"] == before
    assert interest(corrected) == in_accounts(corrected)
    corrected.accrue("--correct", "--through", "2025-05-05")
    assert corrected.usance("check").exit_code == 0
    posted = asked(corrected, "lending")
    assert posted == waiting
    assert interest(corrected) == in_accounts(corrected)
    rows = [row for row in posted["rows"] if row["correction"]]
    assert {(row["date"], row["correction"]) for row in rows} == {
        ("2025-05-04", f"correction/2025-05-04/{name}") for name in ("Arb", "Main")
    }
    assert all(row["principal"] is row["average_principal"] is None for row in rows)


def test_as_corrected_is_a_book_in_which_nothing_was_ever_posted(
    corrected: Folder, tmp_path: Path
) -> None:
    fresh = Folder.made(tmp_path / "fresh", SIX_DAYS)
    edited(fresh)
    edited(corrected)
    corrected.accrue("--correct", "--through", "2025-05-05")
    for command, *words in (
        ["lending"],
        ["lending", "--by", "month"],
        ["margin"],
        ["margin", "--at", "2025-05-02"],
        ["efficiency", "--at", "2025-05-03"],
        ["statement", "--by", "day"],
        ["accounts", "--at", "2025-05-02"],
        ["accounts", "--every", "day"],
        ["yield"],
    ):
        there = asked(corrected, command, *words, "--as-corrected")
        assert there == asked(fresh, command, *words, "--as-corrected")
        here = asked(corrected, command, *words)
        assert here == asked(fresh, command, *words) or "2025-05-02" in words or here != there


def test_margin_of_a_closed_day_is_that_of_its_postings(corrected: Folder) -> None:
    words = ["efficiency", "--at", "2025-05-02"]
    before = asked(corrected, *words)
    edited(corrected, moves=False)
    corrected.accrue("--correct", "--through", "2025-05-05")
    assert asked(corrected, *words) == before
    again = asked(corrected, *words, "--as-corrected")
    posted, now = (one["sub_accounts"][0]["capital"] for one in (before, again))
    assert posted != now
    # The same capital as the statement's value of that evening, on both bases.
    for basis, capital in (([], posted), (["--as-corrected"], now)):
        [part, *_] = asked(corrected, "statement", "--to", "2025-05-02", *basis)["parts"]
        assert part["periods"][0]["closing"] == capital


def test_a_correction_that_no_open_day_holds_yet_counts_on_the_first_one(
    corrected: Folder,
) -> None:
    corrected.accrue("--through", "2025-05-06")
    edited(corrected)
    # The books end with the last closed day; the next one is beyond them.
    seen = asked(corrected, "lending", "--to", "2025-05-07")
    statement = asked(corrected, "statement", "--to", "2025-05-07")
    corrected.accrue("--correct", "--through", "2025-05-07")
    assert asked(corrected, "lending", "--to", "2025-05-07") == seen
    assert asked(corrected, "statement", "--to", "2025-05-07") == statement
    assert any(row["correction"] for row in seen["rows"])


def test_yield_as_posted(tmp_path: Path) -> None:
    """A correction of treasury yield is income of the day that posts it, and accrued then."""
    made = Folder.made(tmp_path / "books", f'include "posted/*.beancount"\n{DOLLARS.read_text()}')
    made.accrue("--through", "2025-05-10")
    before = asked(made, "yield", "--to", "2025-05-10")
    made.edit('custom "treasury-rate" "USD" 0.04', 'custom "treasury-rate" "USD" 0.05')
    made.accrue("--correct", "--through", "2025-05-12")
    assert asked(made, "yield", "--to", "2025-05-10") == before
    whole = asked(made, "yield", "--to", "2025-05-12")
    again = asked(made, "yield", "--to", "2025-05-12", "--as-corrected")
    for posted, now in zip(whole["rows"], again["rows"], strict=True):
        assert posted["sources"][1]["income"] == now["sources"][1]["income"]
        assert posted["accrued_unpaid"] == now["accrued_unpaid"]
