"""`usance accrue --correct --reason`, and the table of what a correction posts."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core import data
from folders import SIX_DAYS, Folder

REASON = 'The "rate" of 2 May, at C:\\rates, was wrong'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three days are closed, and the rate of the second is another one now."""
    made = Folder.made(tmp_path / "books", SIX_DAYS)
    made.accrue("--through", "2025-05-03")
    with made.ledger.open("a") as text:
        text.write('2025-05-02 custom "lending-rate" "USDC" 0.5 0.9\n')
    return made


def test_a_reason_stays_in_the_correction(folder: Folder) -> None:
    folder.accrue("--correct", "--reason", f" {REASON} ")
    entries, errors = folder.load()
    assert errors == []
    reasons = {
        entry.meta["usance"]: entry.meta.get("reason")
        for entry in entries
        if isinstance(entry, data.Transaction) and entry.date.isoformat() == "2025-05-04"
    }
    assert {id_ for id_, reason in reasons.items() if reason} == {
        "correction/2025-05-04/Arb",
        "correction/2025-05-04/Main",
    }
    assert reasons["correction/2025-05-04/Main"] == REASON
    assert folder.usance("verify").exit_code == 0
    assert folder.usance("check").exit_code == 0
    shown = folder.usance("explain", "correction/2025-05-04/Main")
    assert shown.exit_code == 0
    assert f"\nReason: {REASON}\n" in shown.stdout
    answer = json.loads(
        folder.usance("explain", "correction/2025-05-04/Main", "--format", "json").stdout
    )
    assert answer["reason"] == REASON


def test_an_edited_reason_breaks_the_seal(folder: Folder) -> None:
    folder.accrue("--correct", "--reason", "Once")
    month = folder.path / "posted" / "2025-05.beancount"
    month.write_text(month.read_text().replace('reason: "Once"', 'reason: "Ones"'))
    assert folder.usance("verify").exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reason", "why"], "--reason says why closed days are corrected. Add --correct."),
        (["--correct", "--reason", " "], "write one line of text"),
        (["--correct", "--reason", "one\ntwo"], "write one line of text"),
        (["--correct", "--reason", "a\x1bb"], "write one line of text"),
    ],
)
def test_what_is_no_reason(folder: Folder, words: list[str], told: str) -> None:
    before = folder.files()
    done = folder.usance("accrue", *words)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
    assert folder.files() == before


def test_the_table_says_what_is_posted_and_what_it_comes_to_now(folder: Folder) -> None:
    dry = folder.usance("accrue", "--correct", "--dry-run")
    assert "Correction: now less posted, of all closed days" in dry.stderr
    answer = json.loads(folder.accrue("--correct", "--format", "json").stdout)
    rows = {(row["account"], row["commodity"]): row for row in answer["differences"]}
    posted = {
        (leg.account, "USDC"): Decimal(0)
        for entry in folder.load()[0]
        if isinstance(entry, data.Transaction)
        for leg in entry.postings
    }
    for entry in folder.load()[0]:
        if isinstance(entry, data.Transaction) and "usance" in entry.meta:
            for leg in entry.postings:
                if leg.units is not None and leg.units.number is not None:
                    correction = entry.meta["usance"].startswith("correction")
                    if correction or entry.date.isoformat() <= "2025-05-03":
                        posted[leg.account, leg.units.currency] += leg.units.number
    assert ("Income:Backpack:Main:Interest", "USDC") in rows
    for key, row in rows.items():
        # What closed days posted, with the correction, is what they come to now.
        assert Decimal(row["now"]) == posted[key]
        assert Decimal(row["posted"]) + Decimal(row["difference"]) == Decimal(row["now"])
        assert row["sub_account"] in key[0]
    table = folder.usance("accrue", "--correct").stdout
    assert "Correction" not in table  # nothing is left to correct
