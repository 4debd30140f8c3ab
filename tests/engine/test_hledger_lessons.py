"""What users of hledger-interest, the program that does this for hledger, ran into.

Goal: none of it happens here. Each test is named after what happened; the number is that of the
report in the tracker of github.com/peti/hledger-interest.
"""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner
from written_books import Book, read

from usance.cli import main

ROOT = Path(__file__).parents[2]
WALLET = "Assets:Backpack:Main:Wallet"
TERMS = """\
2024-01-01 commodity USDC
  quantum: 0.000001
2024-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2024-01-01 custom "lending-pool" "USDC"
  rates: "observed"
2024-01-01 custom "lending-rate" "USDC" 0.0365 0.0730
"""


def lender(first: str, last: str, folder: Path, more: str = "") -> Book:
    """Load a book that lends 1,000 USDC from the first to the last day."""
    book = read(
        f"""{TERMS}
{first} * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
{first} custom "accrue-through" {last}
{more}
""",
        folder,
    )
    assert book.messages() == []
    return book


def proofs(book: Book) -> list[dict[str, str]]:
    """Return what proves each day's interest, in order."""
    return [book.proof("lending", entry.date.isoformat()) for entry in book.generated()]


def test_run_twice_does_not_duplicate(tmp_path: Path) -> None:
    """Report 4: written into the journal, the interest of one year came again with the next."""
    posted = tmp_path / "posted"
    posted.mkdir()
    (posted / "first.beancount").write_text("; posted days\n")
    include = 'include "posted/*.beancount"'
    virtual = lender("2024-05-01", "2024-05-10", tmp_path, include)
    ledger = tmp_path / "main.beancount"
    written = []
    for _ in range(2):
        done = CliRunner().invoke(main, ["accrue", str(ledger)])
        assert done.exit_code == 0, done.output
        written.append({path.name: path.read_bytes() for path in posted.iterdir()})
    assert written[0] == written[1]
    again = lender("2024-05-01", "2024-05-10", tmp_path, include)
    assert again.ids() == virtual.ids()
    assert len(again.ids()) == 10
    assert again.balance(WALLET) == virtual.balance(WALLET)


def test_a_month_of_31_days_has_31_days(tmp_path: Path) -> None:
    """Report 21: before a deposit on 1 February the balance of January earned for 32 days."""
    more = """\
2024-02-01 * "Deposit"
  Assets:Backpack:Main:Wallet   100 USDC
  Assets:Bank                  -100 USDC
"""
    book = lender("2024-01-01", "2024-02-01", tmp_path, more)
    *january, first_of_february = proofs(book)
    assert len(january) == 31
    assert sum(int(proof["hours"]) for proof in january) == 31 * 24
    assert all(Decimal(proof["principal"]) < 1100 for proof in january)
    # 1,000 for 31 days: 1000 * (1 + 0.0365/8760)^744 = 1003.1048..., and 100.
    assert first_of_february["hours"] == "24"
    assert first_of_february["principal"].startswith("1103.104")


def test_the_end_of_a_year_is_no_end_of_a_period(tmp_path: Path) -> None:
    """Reports 16 and 26: a period over 31 December was split, and compounded, there."""
    ends = [("2024-12-30", "2025-01-02"), ("2024-05-30", "2024-06-02")]
    around, within = (lender(first, last, tmp_path) for first, last in ends)
    assert len(around.ids()) == 4
    assert proofs(around) == proofs(within)
    assert around.balance(WALLET) == within.balance(WALLET)


def test_several_rate_changes_in_a_year(tmp_path: Path) -> None:
    """Report 23: a rate was taken to hold until 31 December, so a second one did not count."""
    changes = {"02-01": "0.05", "03-15": "0.01", "03-16": "0.07", "10-01": "0.03"}
    more = "".join(
        f'2025-{day} custom "lending-rate" "USDC" {rate} 0.09\n' for day, rate in changes.items()
    )
    book = lender("2025-01-01", "2025-12-31", tmp_path, more)
    # January; February and 14 days of March; a day; 16 + 30 + 31 + 30 + 31 + 31 + 30; 31 + 30 + 31.
    assert Counter(proof["rate"] for proof in proofs(book)) == {
        "0.0365": 31,
        "0.05": 28 + 14,
        "0.01": 1,
        "0.07": 199,
        "0.03": 92,
    }


def test_several_currencies(tmp_path: Path) -> None:
    """Report 11: of an account with two currencies the output was no journal."""
    more = """\
2024-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2024-05-01 custom "lending-rate" "SOL" 0.0876 0.1752
2024-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   5 SOL
  Assets:Bank                  -5 SOL
"""
    book = lender("2024-05-01", "2024-05-01", tmp_path, more)
    # 5 * (1.00001^24 - 1) = 0.00120013801...; 1000 * ((1 + 0.0365/8760)^24 - 1) = 0.100004791...
    assert book.balance("Income:Backpack:Main:Interest", "SOL") == Decimal("-0.00120013")
    assert book.balance("Income:Backpack:Main:Interest", "USDC") == Decimal("-0.100004")
    assert book.ids() == ["lending/2024-05-01/Main"]


def test_an_end_date(tmp_path: Path) -> None:
    """Report 18: interest could be had up to today, but up to no other date."""
    book = lender("2024-05-01", "2024-05-07", tmp_path)
    assert book.ids()[-1] == "lending/2024-05-07/Main"
    (tmp_path / "posted").mkdir()
    (tmp_path / "posted" / "first.beancount").write_text("; posted days\n")
    lender("2024-05-01", "2024-05-07", tmp_path, 'include "posted/*.beancount"')
    ledger = str(tmp_path / "main.beancount")
    done = CliRunner().invoke(main, ["accrue", ledger, "--through", "2024-05-03"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "posted" / "2024-05.beancount").read_text()
    closed = [line.split()[0] for line in text.splitlines() if 'custom "day-close"' in line]
    assert closed == ["2024-05-01", "2024-05-02", "2024-05-03"]


def test_the_day_count_is_stated_and_shown(tmp_path: Path) -> None:
    """Report 25: which of the methods called actual it was, was not said."""
    leap, common = (lender(f"{year}-02-28", f"{year}-03-01", tmp_path) for year in ("2024", "2025"))
    # (1 + 0.0365/8760)^24 - 1, whatever the year; a leap year has one day more of it.
    shown = [(proof["hours"], proof["rate"], proof["growth"]) for proof in proofs(leap)]
    assert shown == [("24", "0.0365", "0.000100004791813082")] * 3
    assert proofs(common) == proofs(leap)[:2]
    assert "actual/365 fixed" in (ROOT / "docs" / "formulas.md").read_text()
