"""Ledgers with figures worked by hand: each test is a rule, its docstring the ledger.

The figures in the comments follow from docs/formulas.md with a pocket calculator that has enough
digits; none of them was computed with the code under test.
"""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from invariants import Books, check_books
from oracle import units
from written_books import Book, read

# The terms that most of these books share: 1,000 USDC lent at 3.65 %, borrowed at 7.30 %.
LENDER = """\
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
"""
DEPOSIT = """\
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet  1000 USDC
  Assets:Bank
"""
WALLET = "Assets:Backpack:Main:Wallet"
LENT = "Equity:Backpack:Main:Uses:Lent"
CAPITAL = "Equity:Backpack:Main:Uses:Capital"
EARNED = "Income:Backpack:Main:Interest"
PAID = "Expenses:Backpack:Main:Interest"
OWED = "Liabilities:Backpack:Main:Borrowed"


def load(text: str, folder: Path) -> Book:
    """Load a ledger that has no errors and keeps the laws."""
    book = read(text, folder)
    assert book.messages() == []
    check_books(Books(book.entries, book.errors, book.options))
    return book


def test_the_first_hour(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Deposit"
      time: "22:30"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-01
    """
    # One hour, 23:00 to 24:00: g = 0.0365 / 8760 = 0.000004166666666667 (18 digits).
    # 1,000,000,000 quanta * g = 4166.666666667: 4166 are credited, 0.666666667 are carried.
    assert book.legs("lending", "2025-05-01") == [
        f"{WALLET} 0.004166 USDC",
        f"{EARNED} -0.004166 USDC",
        f"{LENT} 1000.004166 USDC",
        f"{CAPITAL} -1000.004166 USDC",
    ]
    assert book.proof("lending", "2025-05-01") == {
        "principal": "1000.000000",
        "hours": "1",
        "rate": "0.0365",
        "growth": "0.000004166666666667",
        "carry": "0",
        "carry-after": "0.000000666666667",
    }


@pytest.mark.parametrize(
    ("time", "hours", "credit"),
    [
        # 1000 * ((1 + 0.0365/8760)^n - 1), n = 24: 0.100004791..., 15: 0.062501822...,
        # 14: 0.058334913..., 1: 0.004166666...
        ("00:00", "24", "0.100004"),
        ("09:00", "15", "0.062501"),
        ("09:00:00", "15", "0.062501"),
        ("09:00:01", "14", "0.058334"),
        ("09:01", "14", "0.058334"),
        ("09:59:59", "14", "0.058334"),
        ("10:00", "14", "0.058334"),
        ("22:00:01", "1", "0.004166"),
        ("23:00", "1", "0.004166"),
    ],
)
def test_a_change_counts_from_the_next_full_hour(
    time: str, hours: str, credit: str, tmp_path: Path
) -> None:
    """Rule 2: one exactly on the hour counts from that hour."""
    deposit = DEPOSIT.replace('"Deposit"\n', f'"Deposit"\n  time: "{time}"\n')
    book = load(f'{LENDER}{deposit}2025-05-01 custom "accrue-through" 2025-05-01', tmp_path)
    assert book.proof("lending", "2025-05-01")["hours"] == hours
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} {credit} USDC"


def test_a_deposit_after_23_00_counts_for_interest_from_the_next_day(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Deposit"
      time: "23:30"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # The memorandum is of its own day. The next has 24 hours: 1000 * 0.000100004791813082.
    assert book.legs("lending", "2025-05-01") == [
        f"{LENT} 1000.000000 USDC",
        f"{CAPITAL} -1000.000000 USDC",
    ]
    assert book.legs("lending", "2025-05-02") == [
        f"{WALLET} 0.100004 USDC",
        f"{EARNED} -0.100004 USDC",
        f"{LENT} 0.100004 USDC",
        f"{CAPITAL} -0.100004 USDC",
    ]


def test_a_borrow_after_23_00_is_of_its_own_day_and_pays_from_the_next(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Withdraw"
      time: "23:00:01"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # 100,000,000 quanta * ((1 + 0.0730/8760)^24 - 1 = 0.000200019167838014) = 20001.9167838014,
    # rounded up 20002, the excess 0.0832161986 is a prepayment.
    assert book.legs("borrowing", "2025-05-01") == [
        f"{WALLET} 100.000000 USDC",
        f"{OWED} -100.000000 USDC",
    ]
    assert book.legs("borrowing", "2025-05-02") == [
        f"{PAID} 0.020002 USDC",
        f"{OWED} -0.020002 USDC",
    ]
    assert book.proof("borrowing", "2025-05-02")["carry-after"] == "0.0000000832161986"


def test_what_is_taken_and_brought_within_one_hour_is_no_borrow(book: Book) -> None:
    """
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
      entry-fee: TRUE
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Withdraw"
      time: "09:10"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "09:50"
      Assets:Backpack:Main:Wallet  100 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # Both count from 10:00: what a person wrote is applied before anything is borrowed.
    assert book.ids() == []


def test_a_borrow_of_one_hour_pays_one_hour(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0876
    2025-05-01 * "Withdraw"
      time: "09:00"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "10:00"
      Assets:Backpack:Main:Wallet  200 USDC
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-02
    """
    # 0.0876 / 8760 = 0.00001: the charge is 0.001000 exactly. It joins what is owed before the
    # repayment, so 100.001 are repaid, and the day's net is 100 - 100.001.
    assert book.legs("borrowing", "2025-05-01") == [
        f"{WALLET} -0.001000 USDC",
        f"{OWED} 0.001000 USDC",
        f"{PAID} 0.001000 USDC",
        f"{OWED} -0.001000 USDC",
    ]
    assert book.balance(OWED) == 0
    assert book.balance(WALLET) == Decimal("99.999")


def test_a_borrow_repaid_in_part_compounds_its_charge(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0876
    2025-05-01 * "Withdraw"
      time: "09:00"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "10:00"
      Assets:Backpack:Main:Wallet  100 USDC
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # 100 are repaid of 100.001; 0.001 is owed for 14 hours: 1000 quanta * (1.00001^14 - 1 =
    # 0.00014000910036401) = 0.14..., so one quantum is charged, and 0.85999089963599 prepaid.
    # Borrowed and repaid cancel: the day has no pair for them.
    assert book.legs("borrowing", "2025-05-01") == [
        f"{PAID} 0.001001 USDC",
        f"{OWED} -0.001001 USDC",
    ]
    assert book.proof("borrowing", "2025-05-01") == {
        "principal": "100.000000 0.001000",
        "hours": "1 14",
        "rate": "0.0876 0.0876",
        "growth": "0.00001 0.00014000910036401",
        "carry": "0 0",
        "carry-after": "0.00000085999089963599",
    }


def test_a_leap_day_is_a_day_like_others(book: Book) -> None:
    """
    2024-02-28 commodity USDC
      quantum: 0.000001
    2024-02-28 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2024-02-28 custom "lending-pool" "USDC"
      rates: "observed"
    2024-02-28 custom "lending-rate" "USDC" 0.0365 0.0730
    2024-02-28 * "Deposit"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank
    2024-03-01 custom "accrue-through" 2024-03-01
    """
    # The hour is a 8760th of a year in leap years too: g = 0.000100004791813082 each day.
    # 28th: 1,000,000,000 g = 100004.791813082. 29th: 1,000,100,004 g + 0.791813082 =
    # 100015.584505364475452328. 1st: 1,000,200,019 g + 0.584505... = 100025.379176900136300886.
    earned = [book.legs("lending", f"2024-{day}")[0] for day in ("02-28", "02-29", "03-01")]
    assert earned == [f"{WALLET} 0.{credit} USDC" for credit in ("100004", "100015", "100025")]
    carry = book.proof("lending", "2024-03-01")["carry-after"]
    assert carry == "0.000000379176900136300886"
    assert book.ids() == [f"lending/2024-{day}/Main" for day in ("02-28", "02-29", "03-01")]


def test_the_year_ends_without_a_stub(book: Book) -> None:
    """
    2024-12-31 commodity USDC
      quantum: 0.000001
    2024-12-31 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2024-12-31 custom "lending-pool" "USDC"
      rates: "observed"
    2024-12-31 custom "lending-rate" "USDC" 0.0365 0.0730
    2024-12-31 * "Deposit"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank
    2025-01-01 custom "accrue-through" 2025-01-01
    """
    # As on any two days: 100004.791813082, then 100015.584505364475452328 with the carry.
    assert book.ids() == ["lending/2024-12-31/Main", "lending/2025-01-01/Main"]
    assert book.legs("lending", "2024-12-31")[0] == f"{WALLET} 0.100004 USDC"
    assert book.legs("lending", "2025-01-01")[0] == f"{WALLET} 0.100015 USDC"
    assert book.proof("lending", "2025-01-01")["carry"] == "0.000000791813082"


def test_coins_with_a_quantum_of_1_and_of_18_digits(book: Book) -> None:
    """
    2025-05-01 commodity YEN
      quantum: 1
    2025-05-01 commodity WEI
      quantum: 0.000000000000000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "YEN"
      rates: "observed"
    2025-05-01 custom "lending-rate" "YEN" 0.0365 0.0730
    2025-05-01 custom "lending-pool" "WEI"
      rates: "observed"
    2025-05-01 custom "lending-rate" "WEI" 0.0365 0.0730
    2025-05-01 * "Deposit"
      Assets:Backpack:Main:Wallet  1000000 YEN
      Assets:Bank                 -1000000 YEN
      Assets:Backpack:Main:Wallet  1 WEI
      Assets:Bank                 -1 WEI
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # g = 0.000100004791813082: a million yen earn 100 and carry 0.004791813082; one WEI of 10^18
    # quanta earns g to the last digit and carries nothing.
    assert book.legs("lending", "2025-05-01") == [
        f"{WALLET} 0.000100004791813082 WEI",
        f"{EARNED} -0.000100004791813082 WEI",
        f"{LENT} 1.000100004791813082 WEI",
        f"{CAPITAL} -1.000100004791813082 WEI",
        f"{WALLET} 100 YEN",
        f"{EARNED} -100 YEN",
        f"{LENT} 1000100 YEN",
        f"{CAPITAL} -1000100 YEN",
    ]
    assert book.proof("lending", "2025-05-01", "YEN")["carry-after"] == "0.004791813082"
    assert book.proof("lending", "2025-05-01", "WEI")["carry-after"] == "0"


def test_a_fresh_borrow_pays_the_minutes_to_the_next_hour(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
      entry-fee: TRUE
    2025-05-01 custom "lending-rate" "USDC" 0.05 0.10
    2025-05-01 * "Withdraw"
      time: "00:50"
      Assets:Backpack:Main:Wallet  -2000 USDC
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # The venue's example (W07): 2000 * 0.10 / 8760 * 10/60 = 0.003805175..., up 0.003806.
    # 2000.003806 for 23 hours: 2,000,003,806 quanta * 0.000262590049756319 = 525181.0989...,
    # up 525182, prepaid 0.901069632627449886. Together 0.003806 + 0.525182.
    assert book.legs("borrowing", "2025-05-01") == [
        f"{WALLET} 2000.000000 USDC",
        f"{OWED} -2000.000000 USDC",
        f"{PAID} 0.528988 USDC",
        f"{OWED} -0.528988 USDC",
    ]
    assert book.proof("borrowing", "2025-05-01") == {
        "principal": "2000.003806",
        "hours": "23",
        "rate": "0.1",
        "growth": "0.000262590049756319",
        "carry": "0",
        "carry-after": "0.000000901069632627449886",
        "entry-fee": "0.003806",
    }


def test_of_several_in_an_hour_the_last_ones_time_counts_for_the_entry_fee(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
      entry-fee: TRUE
    2025-05-01 custom "lending-rate" "USDC" 0.05 0.10
    2025-05-01 custom "lending-rate" "USDC" 0.10 0.20
      time: "23:30"
    2025-05-01 * "Withdraw"
      time: "23:20"
      Assets:Backpack:Main:Wallet  -1500 USDC
      Assets:Bank
    2025-05-01 * "Withdraw"
      time: "23:50"
      Assets:Backpack:Main:Wallet  -500 USDC
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # Ten minutes for all 2,000, at the rate of the hour in which they lie, 23:00's: as above.
    assert book.legs("borrowing", "2025-05-01") == [
        f"{WALLET} 2000.000000 USDC",
        f"{OWED} -2000.000000 USDC",
        f"{PAID} 0.003806 USDC",
        f"{OWED} -0.003806 USDC",
    ]


@pytest.mark.parametrize(
    ("time", "rate", "growth", "credit"),
    [
        # 9 hours at 0.0365 and 15 at 0.0730: mean (9 * 0.0365 + 15 * 0.0730) / 24.
        ("09:00", "0.0593125", "0.000162512604787638", "0.162512"),
        # From 10:00 on: 10 and 14 hours.
        ("09:01", "0.057791666666666667", "0.000158345295712693", "0.158345"),
    ],
)
def test_rates_that_change_within_the_day_make_one_segment(
    time: str, rate: str, growth: str, credit: str, tmp_path: Path
) -> None:
    """Formulas 2: a directive that changes no balance does not end a segment."""
    book = load(
        f"""{LENDER}{DEPOSIT}
2025-05-01 custom "lending-rate" "USDC" 0.0730 0.1460
  time: "{time}"
2025-05-01 custom "accrue-through" 2025-05-01
""",
        tmp_path,
    )
    proof = book.proof("lending", "2025-05-01")
    assert (proof["hours"], proof["rate"], proof["growth"]) == ("24", rate, growth)
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} {credit} USDC"


def test_changes_of_one_hour_that_cancel_do_not_end_a_segment(tmp_path: Path) -> None:
    """Formulas 2: the balance of the side, hour by hour, makes the segments."""
    book = load(
        f"""{LENDER}{DEPOSIT}
2025-05-01 * "In"
  time: "09:10"
  Assets:Backpack:Main:Wallet  70 USDC
  Assets:Bank
2025-05-01 * "Out"
  time: "09:50"
  Assets:Backpack:Main:Wallet  -70 USDC
  Assets:Bank
2025-05-01 custom "accrue-through" 2025-05-01
""",
        tmp_path,
    )
    # As without the two: 24 hours, 0.100004791...
    assert book.proof("lending", "2025-05-01")["hours"] == "24"
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} 0.100004 USDC"


LOTS = """\
2025-05-01 commodity SOL
  quantum: 0.00000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-borrow: TRUE
2025-05-03 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.0365 0.0876
2025-05-01 * "Buy"
  Assets:Backpack:Main:Wallet  2 SOL {150 USDC}
  Assets:Bank                 -300 USDC
2025-05-02 * "Take three"
  Assets:Backpack:Main:Wallet  -3 SOL
  Assets:Bank                   3 SOL
2025-05-03 * "Bring two"
  Assets:Backpack:Main:Wallet  2 SOL
  Assets:Bank                 -2 SOL
"""


def test_lots_at_cost_do_not_repay(tmp_path: Path) -> None:
    """Rule 6: a borrow is repaid from units without cost only, and lots are lent beside it."""
    book = load(f'{LOTS}2025-05-03 custom "accrue-through" 2025-05-03', tmp_path)
    # 2nd: 2 in lots and -3 without cost are -1: one is borrowed. 24 hours at 0.00001 an hour:
    # 1.00001^24 - 1 = 0.000240027602024106: 24002.7602..., up 24003 of 100,000,000 quanta.
    assert book.legs("borrowing", "2025-05-02") == [
        f"{WALLET} 1.00000000 SOL",
        f"{OWED} -1.00000000 SOL",
        f"{PAID} 0.00024003 SOL",
        f"{OWED} -0.00024003 SOL",
    ]
    # 3rd: two come in and make up for the lots that were taken; without cost there is nothing
    # left to repay with. The wallet's 2 are lent: 200,000,000 * 0.000100004791813082 = 20000.958.
    assert book.legs("lending", "2025-05-03") == [
        f"{WALLET} 0.00020000 SOL",
        f"{EARNED} -0.00020000 SOL",
        f"{LENT} 2.00020000 SOL",
        f"{CAPITAL} -2.00020000 SOL",
    ]
    # 100,024,003 * 0.000240027602024106 - 0.2397975894 = 24008.281...
    assert book.legs("borrowing", "2025-05-03") == [
        f"{PAID} 0.00024009 SOL",
        f"{OWED} -0.00024009 SOL",
    ]


def test_a_deposit_that_only_repays_does_not_end_the_lent_segment(tmp_path: Path) -> None:
    """Formulas 2: a deposit and its repayment cancel in the hour; what is lent did not change."""
    book = load(
        f"""{LOTS}
2025-05-03 * "Bring half"
  time: "12:00"
  Assets:Backpack:Main:Wallet  0.5 SOL
  Assets:Bank                 -0.5 SOL
2025-05-03 custom "accrue-through" 2025-05-03
""",
        tmp_path,
    )
    assert book.proof("borrowing", "2025-05-03", "SOL")["hours"] == "12 12"
    assert book.proof("lending", "2025-05-03", "SOL")["hours"] == "24"
    assert book.legs("borrowing", "2025-05-03")[0] == f"{WALLET} -0.50000000 SOL"


def test_without_auto_repay_a_sub_account_lends_and_owes_one_coin(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
      auto-repay: FALSE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Withdraw"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "12:00"
      Assets:Backpack:Main:Wallet  30 USDC
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # 30 lent for 12 hours: 30,000,000 * 0.000050001145849248 = 1500.034...; 100 owed for 24,
    # the deposit does not end their segment: 100,000,000 * 0.000200019167838014 = 20001.9...
    assert book.legs("lending", "2025-05-01") == [
        f"{WALLET} 0.001500 USDC",
        f"{EARNED} -0.001500 USDC",
        f"{LENT} 30.001500 USDC",
        f"{CAPITAL} -30.001500 USDC",
    ]
    assert book.legs("borrowing", "2025-05-01") == [
        f"{WALLET} 100.000000 USDC",
        f"{OWED} -100.000000 USDC",
        f"{PAID} 0.020002 USDC",
        f"{OWED} -0.020002 USDC",
    ]
    assert book.proof("borrowing", "2025-05-01")["hours"] == "24"


SOL = """\
2025-05-01 commodity SOL
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.0365 0.0730
2025-05-01 * "Buy ten, owe one"
  Assets:Backpack:Main:Wallet          10 SOL {150 USDC}
  Liabilities:Backpack:Main:Borrowed   -1 SOL
  Assets:Bank                           1 SOL
  Assets:Bank                       -1500 USDC
2025-05-02 custom "accrue-through" 2025-05-02
"""
SWITCHES = (
    'custom "sub-account" "Main" Assets:Backpack:Main\n  auto-lend: TRUE\n  auto-borrow: TRUE'
)
LATE = {
    "nothing": "",
    "pool": 'custom "lending-pool" "SOL"\n  rates: "observed"\n  entry-fee: TRUE',
    "curve": 'custom "lending-pool" "SOL"\n  rates: "curve"\n  slope-1: 0.06\n  slope-2: 0.75\n'
    "  optimal-utilization: 0.80",
    "rate": 'custom "lending-rate" "SOL" 0.0730 0.1460',
    "leverage": f"{SWITCHES}\n  leverage-limit: 10",
    "earn": f"{SWITCHES}\n  earn: FALSE",
}


@pytest.mark.parametrize("time", ["23:00:01", "23:59:59"])
@pytest.mark.parametrize("change", LATE)
def test_terms_that_change_after_23_00_let_nobody_repay_on_that_day(
    change: str, time: str, tmp_path: Path
) -> None:
    """Goal: the interest of the ten is in the wallet at the end of the day; it repays at 00:00."""
    directive = f'2025-05-01 {LATE[change]}\n  time: "{time}"\n' if LATE[change] else ""
    book = load(SOL + directive, tmp_path)
    # 10 * 0.000100004791813082 = 0.001000 and 1 * 0.000200019167838014 = 0.000201, rounded up.
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} 0.001000 SOL"
    assert book.legs("borrowing", "2025-05-01") == [
        f"{PAID} 0.000201 SOL",
        f"{OWED} -0.000201 SOL",
    ]
    assert book.legs("borrowing", "2025-05-02")[:2] == [
        f"{WALLET} -0.001000 SOL",
        f"{OWED} 0.001000 SOL",
    ]


def test_auto_repay_switched_on_after_23_00_repays_on_that_day(tmp_path: Path) -> None:
    off = SOL.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  auto-repay: FALSE")
    book = load(f'{off}2025-05-01 {SWITCHES}\n  time: "23:30"\n', tmp_path)
    assert book.legs("borrowing", "2025-05-01")[:2] == [
        f"{WALLET} -0.001000 SOL",
        f"{OWED} 0.001000 SOL",
    ]


def test_auto_repay_switched_on_within_the_day_repays_from_the_next_hour(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
      auto-repay: FALSE
    2025-05-02 custom "sub-account" "Main" Assets:Backpack:Main
      time: "11:20"
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0 0.0876
    2025-05-01 * "Withdraw"
      time: "23:30"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "23:45"
      Assets:Backpack:Main:Wallet  40 USDC
      Assets:Bank
    2025-05-02 * "Deposit"
      Assets:Backpack:Main:Wallet  10 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # Late on the 1st, -100 and 40 are one moment: 60 are borrowed. On the 2nd 60 are owed for
    # 12 hours: 60,000,000 * (1.00001^12 - 1 = 0.000120006600220005) = 7200.396..., up 7201.
    # Then 10 are repaid: 50,007,201 * 0.000120006600220005 - 0.603986... = 6000.590..., up 6001.
    assert book.legs("borrowing", "2025-05-01")[0] == f"{WALLET} 60.000000 USDC"
    assert book.legs("borrowing", "2025-05-02") == [
        f"{WALLET} -10.000000 USDC",
        f"{OWED} 10.000000 USDC",
        f"{PAID} 0.013202 USDC",
        f"{OWED} -0.013202 USDC",
    ]


def test_a_pool_of_a_curve_in_its_first_two_hours(book: Book) -> None:
    """
    2025-05-01 commodity SOL
      quantum: 0.00000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "sub-account" "Desk" Assets:Backpack:Desk
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "SOL"
      time: "22:00"
      rates: "curve"
      slope-1: 0.06
      slope-2: 0.75
      optimal-utilization: 0.80
      fee: 0.10
      external-lent: 999000 SOL
      external-borrowed: 599400 SOL
    2025-05-01 * "Deposit"
      time: "22:00"
      Assets:Backpack:Main:Wallet  1000 SOL
      Assets:Bank
    2025-05-01 * "Withdraw"
      time: "22:00"
      Assets:Backpack:Desk:Wallet  -600 SOL
      Assets:Bank
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # 22:00: 600,000 of 1,000,000 are borrowed: 0.06 * 0.6 / 0.8 = 0.045, supply 0.045 * 0.6 * 0.9
    # = 0.0243. Both totals grow by it, so at 23:00 the utilization is 0.600001417804286227...,
    # borrow 0.045000106335321467..., supply 0.024300114842282870... The means of the two hours
    # and the growths follow. Main: 100,000,000,000 quanta * 0.00000554796601... = 554796.601...;
    # Desk: 60,000,000,000 * 0.000010274011130166 = 616440.66..., up 616441.
    lent = book.proof("lending", "2025-05-01", "SOL")
    assert (lent["rate"], lent["growth"]) == ("0.024300057421141435", "0.000005547966010289")
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} 0.00554796 SOL"
    owed = book.proof("borrowing", "2025-05-01", "SOL", "Desk")
    assert (owed["rate"], owed["growth"]) == ("0.045000053167660734", "0.000010274011130166")
    assert book.legs("borrowing", "2025-05-01", "Desk") == [
        "Assets:Backpack:Desk:Wallet 600.00000000 SOL",
        "Liabilities:Backpack:Desk:Borrowed -600.00000000 SOL",
        "Expenses:Backpack:Desk:Interest 0.00616441 SOL",
        "Liabilities:Backpack:Desk:Borrowed -0.00616441 SOL",
    ]


def test_a_month_at_1_56_percent(tmp_path: Path) -> None:
    """Formulas 5: 1,000 USDC for 30 days bring 1.283012 of lending, compounded by the hour."""
    text = (LENDER + DEPOSIT).replace("0.0365", "0.0156")
    book = load(f'{text}2025-05-01 custom "accrue-through" 2025-05-30', tmp_path)
    assert book.balance(EARNED) == Decimal("-1.283012")
    assert len(book.ids()) == 30


def test_one_lender_for_a_hundred_years(tmp_path: Path) -> None:
    """Formulas 2: the credits differ from the sum of P * g by less than a quantum, ever."""
    text = (LENDER + DEPOSIT).replace("0.0365", "0.04").replace("2025-05-01", "2001-01-01")
    book = read(f'{text}2001-01-01 custom "accrue-through" 2100-12-31', tmp_path)
    assert book.messages() == []
    # 36,524 days, 24 of them leap. g = (1 + 0.04/8760)^24 - 1 is the same every day.
    proofs = [entry.postings[0].meta or {} for entry in book.generated()]
    assert len(proofs) == 36524
    assert {proof["growth"] for proof in proofs} == {"0.000109594795964267"}
    exact = sum(int(Decimal(proof["principal"]) * 10**6) for proof in proofs) * 109594795964267
    credited = int(-book.balance(EARNED) * 10**6)
    assert 0 <= exact - credited * 10**18 < 10**18
    # Compounded without any rounding 1,000 become 54,741.439405944483...; the carry earns nothing
    # until it is credited, which costs 27 quanta in all that time.
    assert book.balance(WALLET) == Decimal("54741.439379")


@pytest.mark.parametrize(
    ("directive", "last"),
    [
        ('2025-05-04 custom "accrue-through" 2025-05-03', "2025-05-03"),
        ('2025-05-09 custom "accrue-through" 2025-05-03', "2025-05-03"),
        ("2025-05-04 price USDC 0.9 EUR", "2025-05-03"),
        ("2025-05-04 balance Assets:Bank  -1000 USDC", "2025-05-03"),
        ('2025-05-04 * "Elsewhere"', "2025-05-03"),
        ('2025-05-04 custom "lending-rate" "USDC" 0.01 0.02', "2025-05-03"),
        ('2025-05-04 custom "sub-account" "Main" Assets:Backpack:Main', "2025-05-03"),
        ('2025-05-04 custom "lending-pool" "USDC"\n  rates: "observed"', "2025-05-03"),
        # The accrue-through date counts where it is later, and is inclusive.
        (
            '2025-05-04 price USDC 0.9 EUR\n2025-05-01 custom "accrue-through" 2025-05-05',
            "2025-05-05",
        ),
        (
            '2025-05-04 price USDC 0.9 EUR\n2025-05-01 custom "accrue-through" 2025-05-02',
            "2025-05-03",
        ),
        # What does not count: another tool's, and what is no movement, balance, price or term.
        ('2025-05-02 price USDC 0.9 EUR\n2025-05-04 custom "budget" "food" 3', "2025-05-01"),
        ('2025-05-02 price USDC 0.9 EUR\n2025-05-04 note Assets:Bank "called"', "2025-05-01"),
        ('2025-05-02 price USDC 0.9 EUR\n2025-05-04 event "place" "here"', "2025-05-01"),
        ("2025-05-02 price USDC 0.9 EUR\n2025-05-04 open Assets:Other", "2025-05-01"),
    ],
)
def test_the_horizon(directive: str, last: str, tmp_path: Path) -> None:
    """Rule 1: the day before the latest directive that counts, or the accrue-through date."""
    book = load(f"{LENDER}{DEPOSIT}{directive}\n", tmp_path)
    assert book.ids()[-1] == f"lending/{last}/Main"
    assert len(book.ids()) == int(last[-2:])


def test_terms_dated_before_the_first_movement_count_on_its_day(tmp_path: Path) -> None:
    """Rule 1: a book begins with the first transaction that touches a wallet or a borrow."""
    text = LENDER.replace("2025-05-01", "2020-01-01") + DEPOSIT
    book = load(f'{text}2025-05-01 custom "accrue-through" 2025-05-01', tmp_path)
    assert book.ids() == ["lending/2025-05-01/Main"]
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} 0.100004 USDC"


def test_a_balance_on_the_next_day_sees_the_interest(tmp_path: Path) -> None:
    """Rule 3: Beancount checks an assertion at the start of its date."""
    text = LENDER + DEPOSIT + "2025-05-02 balance Assets:Backpack:Main:Wallet  {} USDC\n"
    assert load(text.format("1000.100004"), tmp_path).ids() == ["lending/2025-05-01/Main"]
    [message] = read(text.format("1000.100005"), tmp_path).messages()
    assert message.startswith("Balance failed for 'Assets:Backpack:Main:Wallet'")


def test_a_balance_below_one_quantum_is_not_lent(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Dust"
      Assets:Backpack:Main:Wallet  0.0000009 USDC
      Assets:Bank
    2025-05-02 * "More dust"
      Assets:Backpack:Main:Wallet  0.0000009 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # Together they are one quantum and 0.8 that stay where they are. One quantum earns
    # 0.000100004791813082 quanta, so nothing; the pair is there because the carry changed.
    assert book.legs("lending", "2025-05-01") == []
    assert book.legs("lending", "2025-05-02") == [
        f"{WALLET} 0.000000 USDC",
        f"{EARNED} 0.000000 USDC",
        f"{LENT} 0.000001 USDC",
        f"{CAPITAL} -0.000001 USDC",
    ]
    proof = book.proof("lending", "2025-05-02")
    assert (proof["principal"], proof["carry-after"]) == ("0.000001", "0.000000000100004791813082")


def test_a_borrow_is_rounded_up_to_the_quantum(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.01
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0 0
    2025-05-01 * "Withdraw"
      Assets:Backpack:Main:Wallet  -10.001 USDC
      Assets:Bank
    2025-05-02 * "Deposit"
      Assets:Backpack:Main:Wallet  5.0079 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # 10.001 are missing, 10.01 borrowed, 0.009 stay. With 5.0079 they are 5.0169: 5.01 repay.
    assert book.legs("borrowing", "2025-05-01")[0] == f"{WALLET} 10.01 USDC"
    assert book.legs("borrowing", "2025-05-02")[0] == f"{WALLET} -5.01 USDC"
    assert book.balance(WALLET) == Decimal("0.0069")


def test_incoming_coins_repay_first_and_the_rest_is_lent(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0876
    2025-05-01 * "Withdraw"
      time: "23:00:01"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-02 * "Deposit"
      Assets:Backpack:Main:Wallet  1100 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # At 00:00 of the 2nd 100 are repaid, before an hour of interest, and 1,000 lent.
    assert book.legs("borrowing", "2025-05-02") == [
        f"{WALLET} -100.000000 USDC",
        f"{OWED} 100.000000 USDC",
    ]
    assert book.legs("lending", "2025-05-02")[0] == f"{WALLET} 0.100004 USDC"
    assert book.balance(LENT) == Decimal("1000.100004")


def test_interest_of_a_day_repays_from_the_next(tmp_path: Path) -> None:
    """Rule 4: what is credited at the end of a day repays from 00:00 of the next."""
    book = load(f'{LOTS}2025-05-04 custom "accrue-through" 2025-05-04', tmp_path)
    # The lots earned 0.00020000 without cost on the 3rd, see above: repaid on the 4th.
    assert book.balance(WALLET, "SOL", until="2025-05-03") == Decimal("2.00020000")
    assert book.legs("borrowing", "2025-05-04")[:2] == [
        f"{WALLET} -0.00020000 SOL",
        f"{OWED} 0.00020000 SOL",
    ]


def test_a_switch_off_ends_the_memorandum_on_its_day(tmp_path: Path) -> None:
    """Rule 4: the memoranda are dated the day, where they changed."""
    book = load(
        f"""{LENDER}{DEPOSIT}
2025-05-02 custom "sub-account" "Main" Assets:Backpack:Main
  time: "09:00"
2025-05-03 custom "accrue-through" 2025-05-03
""",
        tmp_path,
    )
    # 2nd: nine hours on 1000.100004, carry 0.791813082: 1,000,100,004 * 0.000037500625006076 +
    # 0.791813082 = 37505.1674...; then nothing is lent.
    assert book.legs("lending", "2025-05-02") == [
        f"{WALLET} 0.037505 USDC",
        f"{EARNED} -0.037505 USDC",
        f"{LENT} -1000.100004 USDC",
        f"{CAPITAL} 1000.100004 USDC",
    ]
    assert book.ids() == ["lending/2025-05-01/Main", "lending/2025-05-02/Main"]


def test_one_transaction_for_each_day_sub_account_and_kind(book: Book) -> None:
    """
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
    2025-05-01 custom "sub-account" "BybitMain" Assets:Bybit:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 custom "lending-rate" "USDC" 0.1 0.2
      venue: "Bybit"
    2025-05-01 custom "lending-pool" "SOL"
      rates: "observed"
    2025-05-01 custom "lending-rate" "SOL" 0.0365 0.0730
    2025-05-01 price SOL 149 USDC
    2025-05-01 * "Deposit"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank                 -1000 USDC
      Assets:Backpack:Main:Wallet  2 SOL
      Assets:Bank                 -2 SOL
      Assets:Backpack:Main:Wallet  -1 BTC
      Assets:Bank                  1 BTC
    2025-05-01 custom "lending-pool" "BTC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "BTC" 0 0
    2025-05-01 * "Deposit"
      Assets:Bybit:Main:Wallet  1000 USDC
      Assets:Bank              -1000 USDC
    2025-05-01 * "Transfer"
      Assets:Bybit:Main:Wallet     -500 USDC
      Assets:Backpack:Main:Wallet   500 USDC
    2025-05-01 * "Transfer"
      time: "12:00"
      Assets:Backpack:Main:Wallet  -500 USDC
      Assets:Bybit:Main:Wallet      500 USDC
    2025-05-01 custom "accrue-through" 2025-05-01
    """
    # Rule 5: sub-accounts by name, then transfer, lending, borrowing; a number where the day has
    # several. A transfer is named after the first of its two by name.
    assert book.ids() == [
        "transfer/2025-05-01/BybitMain",
        "transfer/2025-05-01/BybitMain/2",
        "lending/2025-05-01/BybitMain",
        "lending/2025-05-01/Main",
        "borrowing/2025-05-01/Main",
    ]
    # Coins by name; the price of that day beside income in another coin.
    legs = [leg.split()[0::2] for leg in book.legs("lending", "2025-05-01")]
    assert [coin for _, coin in legs] == ["SOL"] * 4 + ["USDC"] * 4
    assert book.proof("lending", "2025-05-01", "SOL")["price"] == "149"
    assert "price" not in book.proof("lending", "2025-05-01", "USDC")


def test_a_transfer_is_completed_whatever_the_horizon(book: Book) -> None:
    """
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
    2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
    2025-05-01 * "Deposit"
      Assets:Backpack:Main:Wallet   1000 USDC
      Assets:Backpack:Main:Wallet      2 SOL {150 USDC}
      Assets:Bank                  -1300 USDC
    2025-05-03 * "Allocate"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Backpack:Arb:Wallet    100 USDC
    2025-05-04 * "A lot, at its cost"
      Assets:Backpack:Main:Wallet  -0.5 SOL {150 USDC, 2025-05-01}
      Assets:Backpack:Arb:Wallet    0.5 SOL {150 USDC, 2025-05-01}
    """
    # The horizon is the 3rd, the second transfer is on the 4th. 0.5 at 150 weigh 75 USDC.
    assert book.ids() == ["transfer/2025-05-03/Arb", "transfer/2025-05-04/Arb"]
    first, second = (book.transaction(name) for name in book.ids())
    assert {str(leg.units) for leg in first.postings} == {"100 USDC", "-100 USDC"}
    assert {leg.account for leg in first.postings} == {
        "Equity:Backpack:Main:Transfers:Arb",
        "Equity:Backpack:Arb:Transfers:Main",
    }
    given = {leg.account: units(leg) for leg in second.postings}
    assert given == {
        "Equity:Backpack:Main:Transfers:Arb": (Fraction(75), "USDC"),
        "Equity:Backpack:Arb:Transfers:Main": (Fraction(-75), "USDC"),
    }


def test_without_auto_lending_a_negative_wallet_stays_negative(book: Book) -> None:
    """
    plugin "usance.plugins.sub_accounts"
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    2025-05-01 * "Withdraw"
      Assets:Backpack:Main:Wallet  -100 USDC
      Assets:Bank
    2025-05-04 custom "accrue-through" 2025-05-04
    """
    # Rule 7: with its stage off a rule is skipped, and nothing else.
    assert book.ids() == []
    assert book.balance(WALLET) == -100


def test_of_two_terms_of_one_moment_the_one_that_names_the_venue_counts(book: Book) -> None:
    """
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
      auto-lend: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
      venue: "Backpack"
    2025-05-01 custom "lending-rate" "USDC" 0.9 0.9
    2025-05-02 custom "lending-rate" "USDC" 0 0
    2025-05-01 * "Deposit"
      Assets:Backpack:Main:Wallet  1000 USDC
      Assets:Bank
    2025-05-02 custom "accrue-through" 2025-05-02
    """
    # On the 2nd the later one without a venue holds for every venue again: no interest, and
    # neither the carry nor the memorandum changes.
    assert book.legs("lending", "2025-05-01")[0] == f"{WALLET} 0.100004 USDC"
    assert book.ids() == ["lending/2025-05-01/Main"]


def test_the_roots_follow_the_name_options(book: Book) -> None:
    """
    option "name_assets" "Vermoegen"
    option "name_equity" "Kapital"
    option "name_income" "Ertrag"
    option "name_expenses" "Aufwand"
    option "name_liabilities" "Schulden"
    2025-05-01 commodity USDC
      quantum: 0.000001
    2025-05-01 custom "sub-account" "Main" Vermoegen:Backpack:Main
      auto-lend: TRUE
      auto-borrow: TRUE
    2025-05-01 custom "lending-pool" "USDC"
      rates: "observed"
    2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
    1970-01-01 open Vermoegen:Bank
    1970-01-01 open Vermoegen:Backpack:Main:Wallet
    2025-05-01 * "Deposit"
      Vermoegen:Backpack:Main:Wallet  1000 USDC
      Vermoegen:Bank
    2025-05-02 * "Withdraw"
      time: "23:30"
      Vermoegen:Backpack:Main:Wallet  -2000 USDC
      Vermoegen:Bank
    2025-05-02 custom "accrue-through" 2025-05-03
    """
    assert [leg.split()[0] for leg in book.legs("lending", "2025-05-01")] == [
        "Vermoegen:Backpack:Main:Wallet",
        "Ertrag:Backpack:Main:Interest",
        "Kapital:Backpack:Main:Uses:Lent",
        "Kapital:Backpack:Main:Uses:Capital",
    ]
    assert [leg.split()[0] for leg in book.legs("borrowing", "2025-05-03")] == [
        "Aufwand:Backpack:Main:Interest",
        "Schulden:Backpack:Main:Borrowed",
    ]
