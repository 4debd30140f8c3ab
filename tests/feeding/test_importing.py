"""usance import: downloads become the same bytes, however their files are cut; nothing is lost."""

import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from beancount import loader
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imported_books import ARB, MAIN, books, filled, store

from usance.cli import main
from usance.feeding.downloads import RefusedError
from usance.feeding.imported_text import refuse_unreadable
from usance.feeding.importing import Request, import_

GOLDEN = Path(__file__).parent / "golden" / "imported"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, words)])


def answer(*words: str | Path) -> dict[str, Any]:
    found = run(*words, "--format", "json")
    assert found.exit_code == 0, found.output
    parsed: dict[str, Any] = json.loads(found.stdout)
    return parsed


def imported(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "imported").iterdir())}


def quiet(ledger: Path, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
    return import_(ledger, Request(**asked), lambda: None)


def test_the_files_are_those_that_were_read_once_with_care(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    assert imported(tmp_path) == {path.name: path.read_bytes() for path in GOLDEN.iterdir()}


def test_the_answer_counts_each_row_once(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    found = answer(ledger)
    folder = str(tmp_path / "imported")
    assert found == {
        "rows": {
            "borrowLend": 24,
            "deposits": 4,
            "dust": 1,
            "fills": 6,
            "funding": 24,
            "interest": 24,
            "settlement": 1,
            "withdrawals": 2,
        },
        "booked": {
            "deposits": 3,
            "dust": 1,
            "fills": 6,
            "funding": 24,
            "interest": 24,
            "settlement": 1,
            "withdrawals": 2,
        },
        "checked": {"borrowLend": 24},
        "ignored": {"deposit pending": 1},
        "files": [f"{folder}/{name}.beancount" for name in ("2025-11", "2025-12", "accounts")],
        "late": [],
        "findings": [],
    }
    assert answer(ledger)["files"] == []


def test_the_ledger_has_no_error_and_the_balances_of_the_rows(tmp_path: Path) -> None:
    """2000 in, 100.5 and 250 out, 5.5 paid in, and so on: summed here from the rows alone."""
    ledger = filled(tmp_path)
    quiet(ledger)
    checked = CliRunner().invoke(main, ["check", str(ledger)])
    assert checked.exit_code == 0, checked.output
    assert "nothing wrong" in checked.output
    entries, errors, _ = loader.load_file(str(ledger))
    assert not errors
    units: dict[tuple[str, str], Any] = {}
    for entry in entries:
        for posting in getattr(entry, "postings", ()):
            if "usance" in getattr(entry, "tags", ()):
                continue
            key = (posting.account, posting.units.currency)
            units[key] = units.get(key, 0) + posting.units.number
    lent = sum(888_00 + at for at in range(24))
    wallet = (
        2000 * 10**7 - 1005 * 10**6 - 250 * 10**7 + 55 * 10**6 + lent
        - (1500 + 755 - 500) * 1000 - 745 * 10**6 + 125 * 10**5 + 7 * 10**5
    )  # fmt: skip
    fundings = sum(
        (1 if at % 3 == 0 else -1) * int(f"{at + 1}".ljust(5, "0")[:5]) for at in range(24)
    )
    assert units["Assets:Backpack:Main:Wallet", "USDC"] * 10**7 == wallet + fundings
    assert units["Assets:Backpack:Arb:Wallet", "USDC"] == 250
    assert units["Assets:Backpack:Main:Perp", "SOL-PERP"] == 0
    # 2 at 150.01 and 1 at 151 sold at 155.5; 2 short at 155.5 bought at 154.
    assert units["Income:Backpack:Main:PnL", "USDC"] * 100 == -(1098 + 450 + 300 + 125)


cuts = st.lists(st.integers(0, 24), min_size=1, max_size=4)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts, st.randoms(use_true_random=False), st.booleans())
def test_the_bytes_do_not_depend_on_how_rows_lie_in_files(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], random: Random, overlap: bool
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    ledger = books(folder)
    for name, feeds in (("Main", MAIN), ("Arb", ARB)):
        for feed, rows in feeds.items():
            # Rows that are alike and have no id count as often as one file has them.
            alike = [row for row in rows if rows.count(row) > 1]
            others = [row for row in rows if row not in alike]
            random.shuffle(others)
            parts, at = [alike] if alike else [], 0
            for place in [*sorted(places), len(others)]:
                parts.append(others[max(0, at - 3 * overlap) : place])
                at = place
            for number, part in enumerate(parts):
                file = f"files/{random.getrandbits(8)}-{feed}-{number}.json"
                store(folder, name, file, part)
    quiet(ledger)
    found = imported(folder)
    shutil.rmtree(folder)
    assert found == {path.name: path.read_bytes() for path in GOLDEN.iterdir()}


def test_a_file_on_the_command_line_is_stored_and_counts_from_then_on(tmp_path: Path) -> None:
    ledger, file = books(tmp_path), tmp_path / "my fills.json"
    file.write_text(json.dumps(MAIN["fills"]))
    assert answer(ledger, file, "--as", "Main")["rows"] == {"fills": 6}
    (stored,) = (tmp_path / "downloads/backpack/Main/files").iterdir()
    assert stored.read_bytes() == file.read_bytes()
    assert len(stored.stem) == 16
    file.unlink()
    assert answer(ledger)["rows"] == {"fills": 6}


def test_a_file_twice_changes_nothing(tmp_path: Path) -> None:
    ledger, file = filled(tmp_path), tmp_path / "again.json"
    quiet(ledger)
    file.write_text(json.dumps(list(reversed(MAIN["fills"]))))
    found = answer(ledger, file, file, "--as", "Main")
    assert (found["rows"]["fills"], found["files"]) == (6, [])


def test_several_feeds_ask_for_the_sub_account(tmp_path: Path) -> None:
    ledger, file = books(tmp_path), tmp_path / "a.json"
    file.write_text("[]")
    assert run(ledger, file).exit_code == 2
    assert "Say which one with --as: Arb, Main." in run(ledger, file).stderr
    assert "--as 'Other' is no sub-account with a feed" in run(ledger, file, "--as", "Other").stderr


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    ledger, file = books(tmp_path), tmp_path / "a.json"
    file.write_text(json.dumps(MAIN["fills"]))
    found = answer(ledger, file, "--as", "Main", "--dry-run")
    assert [Path(path).name for path in found["files"]] == ["2025-11.beancount",
                                                            "2025-12.beancount",
                                                            "accounts.beancount"]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.json", "imported", "main.beancount",
    ]  # fmt: skip
    assert "Would write" in run(ledger, file, "--as", "Main", "--dry-run").output


BAD = [
    ("a.json", '[{"side": "Bid", "price": "1"}]', "row 1 has no fee"),
    ("a.txt", "x", "is neither .json nor .csv"),
    ("a.csv", "Date,Coin\n", "the header is Date,Coin"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_nothing_is_written_unless_everything_can_be_read(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    ledger, good, bad = books(tmp_path), tmp_path / "good.json", tmp_path / name
    good.write_text(json.dumps(MAIN["fills"]))
    bad.write_text(text)
    found = run(ledger, good, bad, "--as", "Main")
    assert found.exit_code == 1
    assert message in found.stderr
    assert "Nothing was written." in found.stderr
    assert not list((tmp_path / "downloads").rglob("*.json"))
    assert list(imported(tmp_path)) == ["first.beancount"]


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    ledger = books(tmp_path)
    found = run(ledger, tmp_path / "gone.json", "--as", "Main")
    assert found.exit_code == 1
    assert "gone.json: No such file or directory. Write the path of a file." in found.stderr


def test_rows_that_do_not_agree_are_an_error_with_both_files(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    store(tmp_path, "Main", "files/b.json", [MAIN["fills"][0] | {"price": "150.02"}])
    with pytest.raises(RefusedError) as caught:
        quiet(ledger)
    assert str(caught.value) == (
        "downloads/backpack/Main/files/b.json: row 1: fill/SOL_USDC_PERP/10/910/Bid has price "
        "150.02, but in downloads/backpack/Main/fills/000000000.json: row 1 it is 150.01. Keep the "
        "file that is right, and move the other one away."
    )


def test_an_edited_file_is_refused_until_it_may_be_overwritten(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    month = tmp_path / "imported" / "2025-11.beancount"
    before = month.read_bytes()
    month.write_bytes(before.replace(b"150.01", b"150.02"))
    found = run(ledger)
    assert found.exit_code == 1
    assert "imported/2025-11.beancount was edited, and would be written anew." in found.stderr
    assert answer(ledger, "--overwrite")["files"] == [str(month)]
    assert month.read_bytes() == before


def test_a_lost_file_is_made_again(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    before = imported(tmp_path)
    shutil.rmtree(tmp_path / "imported")
    quiet(ledger)
    assert imported(tmp_path) | {"first.beancount": b""} == before


def test_a_month_without_rows_is_removed_unless_it_was_edited(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    december = tmp_path / "imported" / "2025-12.beancount"
    before = december.read_bytes()
    for feed in ("deposits", "fills"):
        rows = [row for row in MAIN[feed] if "2025-12" not in str(row)]
        store(tmp_path, "Main", f"{feed}/000000000.json", rows)
    december.write_bytes(before + b"; mine\n")
    assert "2025-12.beancount was edited" in run(ledger).stderr
    december.write_bytes(before)
    assert str(december) in answer(ledger)["files"]
    assert not december.exists()


def test_files_of_a_person_beside_the_months_stay(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    own = tmp_path / "imported" / "mine.beancount"
    own.write_text("; mine\n")
    quiet(ledger)
    assert own.read_text() == "; mine\n"


def test_what_closed_days_open_is_not_opened_again(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    accounts = tmp_path / "imported" / "accounts.beancount"
    opened = " open Expenses:Backpack:Main:Fees\n"
    assert opened in accounts.read_text()
    (tmp_path / "posted").mkdir()
    (tmp_path / "posted" / "2025-11.beancount").write_text(f"2025-11-01{opened}")
    quiet(ledger)
    assert opened not in accounts.read_text()
    assert " open " in accounts.read_text()


def test_closed_days_that_change_are_late(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    quiet(ledger)
    posted = tmp_path / "posted"
    posted.mkdir()
    digest = "0" * 64
    (posted / "2025-11.beancount").write_text(
        "".join(f'2025-11-0{day} custom "day-close" "{digest}"\n' for day in range(1, 5))
    )
    more = [
        MAIN["deposits"][0] | {"id": 70, "createdAt": "2025-11-03T10:00:00"},
        MAIN["deposits"][0] | {"id": 71, "createdAt": "2025-11-05T10:00:00"},
    ]
    store(tmp_path, "Main", "files/late.json", more)
    found = answer(ledger)
    assert found["late"] == ["2025-11-03"]
    assert answer(ledger)["late"] == []
    store(tmp_path, "Main", "files/late.json", [])
    assert "Rows of closed days: 2025-11-03. Post the difference" in run(ledger).output


def test_a_link_below_the_downloads_is_refused(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    outside = tmp_path / "elsewhere.json"
    outside.write_text("[]")
    (tmp_path / "downloads/backpack/Main/files").mkdir()
    (tmp_path / "downloads/backpack/Main/files/a.json").symlink_to(outside)
    found = run(ledger)
    assert found.exit_code == 1
    assert "downloads/backpack/Main/files/a.json is a link." in found.stderr


def test_a_ledger_without_a_feed_is_told_what_to_write(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text("2025-11-01 open Assets:Bank\n")
    assert "main.beancount has no feed. Write one, such as" in run(ledger).stderr


def test_a_contract_that_a_person_trades_too_is_refused(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    ledger.write_text(
        ledger.read_text()
        + '2025-11-05 * "Mine"\n  Assets:Backpack:Main:Perp  1 SOL-PERP {150 USDC}\n'
        "  Assets:Backpack:Main:Perp  -150 USDC\n"
    )
    found = run(ledger)
    assert found.exit_code == 1
    assert "SOL-PERP of Main is traded by the feed too. Remove the trade" in found.stderr


def test_a_perp_that_does_not_close_the_oldest_is_refused(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    ledger.write_text(ledger.read_text() + "2025-11-01 open Assets:Backpack:Main:Perp\n")
    assert 'Write open Assets:Backpack:Main:Perp "FIFO".' in run(ledger).stderr
    text = ledger.read_text().replace("Main:Perp\n", 'Main:Perp "FIFO"\n')
    ledger.write_text(text)
    found = answer(ledger)
    assert found["booked"]["fills"] == 6
    assert b"Main:Perp" not in imported(tmp_path)["accounts.beancount"]


def test_a_new_field_is_a_finding_once_for_each_history(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    rows = [row | {"newThing": 1} for row in MAIN["funding"]]
    store(tmp_path, "Main", "funding/000000000.json", rows)
    (finding,) = answer(ledger)["findings"]
    assert finding == (
        "downloads/backpack/Main/funding/000000000.json: funding of Main have a new field "
        "newThing, which is not read. Look whether it matters for the books"
    )


def test_a_table_of_rates_is_filed_in_the_unit_that_is_said(tmp_path: Path) -> None:
    ledger, file = books(tmp_path), tmp_path / "rates.csv"
    ledger.write_text(
        ledger.read_text() + '2025-11-01 custom "lending-pool" "USDC"\n  rates: "observed"\n'
    )
    file.write_text("borrow,when,lend\n6.3,2025-11-01T00:00:00Z,4.12\n")
    words = (ledger, file, "--rates", "USDC", "--column", "time=when", "--column", "supply=lend")
    assert "Say with --unit" in run(*words).stderr
    found = answer(*words, "--unit", "percent")
    (path,) = [one for one in found["files"] if "/rates/" in one]
    assert Path(path).read_text().splitlines()[1].startswith("2025-11-01T00:00:00Z,0.0412,0.063")
    assert answer(ledger)["files"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--unit", "percent"], "--unit and --column are of a table"),
        (["--rates", "USDC", "--prices", "SOL/USDC"], "Use one of --rates and --prices"),
        (["--rates", "USDC", "--unit", "percent"], "Name one FILE, the table"),
        (["a.csv", "--prices", "SOL"], "'SOL' is no pair. Write it as SOL/USDC"),
        (["a.csv", "--prices", "SOL/USDC", "--unit", "percent"], "Prices have no --unit"),
        (["a.csv", "--prices", "SOL/USDC", "--column", "x"], "Write it as supply=NAME"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    ledger = books(tmp_path)
    (tmp_path / "a.csv").write_text("time,price\n")
    monkeypatch.chdir(tmp_path)
    found = run(ledger, *words)
    assert found.exit_code == 2
    assert message in " ".join(found.stderr.split())


BEFORE = """
2025-10-01 open Assets:Backpack:Main:Wallet
2025-10-01 open Assets:Backpack:Main:Perp "FIFO"
2025-10-01 open Equity:Before
2025-10-31 * "What stood before the feed"
  Assets:Backpack:Main:Wallet     500 USDC
  Assets:Backpack:Main:Perp         2 SOL-PERP {140 USDC}
  Assets:Backpack:Main:Perp         1 SOL-PERP {145 USDC, 2025-10-20}
  Assets:Backpack:Main:Perp      -425 USDC
  Equity:Before                  -500 USDC
"""


def test_contracts_that_stood_before_the_feed_are_closed_by_it(tmp_path: Path) -> None:
    """The lot of 2025-10-20 is the oldest: 1 at 145 and 1 at 140, sold at 150, are 15."""
    ledger = books(tmp_path)
    text = ledger.read_text().replace(
        '2025-11-01 custom "sub-account" "Main"', '2025-10-01 custom "sub-account" "Main"'
    )
    text = text.replace('2025-11-01 custom "perpetual"', '2025-10-01 custom "perpetual"')
    ledger.write_text(f"{text}{BEFORE}2025-10-31 price SOL-PERP 140 USDC\n")
    store(tmp_path, "Main", "fills/0.json", [
        MAIN["fills"][0] | {"side": "Ask", "price": "150", "fee": "0"}
    ])  # fmt: skip
    quiet(ledger)
    month = (tmp_path / "imported" / "2025-11.beancount").read_text()
    assert "  Income:Backpack:Main:PnL  -15 USDC\n" in month
    checked = CliRunner().invoke(main, ["check", str(ledger)])
    assert checked.exit_code == 0, checked.output


def test_a_payment_of_the_platform_pays_out_a_yield_product(tmp_path: Path) -> None:
    ledger = books(tmp_path)
    terms = """\
2025-11-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-11-01 custom "lending-rate" "USDC" 0.04 0.06
2025-11-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-11-01 custom "treasury-rate" "USD" 0.04
2025-12-05 price SOL 150 USDC
"""
    text = ledger.read_text().replace(
        "  transit: Equity:Transit\n", '  transit: Equity:Transit\n  pays: "USD"\n'
    )
    ledger.write_text(text + terms)
    store(tmp_path, "Main", "deposits/0.json", MAIN["deposits"])
    quiet(ledger)
    month = (tmp_path / "imported" / "2025-12.beancount").read_text()
    assert '  pays: "USD 2025-11"\n' in month
    assert "  Assets:Backpack:Main:AccruedYield  -5.5 USDC\n" in month
    checked = CliRunner().invoke(main, ["check", str(ledger)])
    assert checked.exit_code == 0, checked.output
    _, errors, _ = loader.load_file(str(ledger))
    assert not errors


def test_a_text_that_beancount_would_not_take_is_refused_at_its_line() -> None:
    refuse_unreadable("imported/2025-11.beancount", '\n2025-11-01 * "a \\"b\\""\n  time: "10:00"\n')
    with pytest.raises(RefusedError) as caught:
        refuse_unreadable("imported/2025-11.beancount", '\n2025-11-01 * "a\n  Assets:A  1 usdc\n')
    assert str(caught.value).startswith("imported/2025-11.beancount would not be read back at line")
