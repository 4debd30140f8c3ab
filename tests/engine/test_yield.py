"""The observed product on ledgers worked by hand.

At 0.0876 a year an hour earns 0.0876/8760 = 0.00001 exactly: 1,000 USDC earn 0.01 an hour and 0.24
a day. Lending earns nothing where the pool's rate is 0, so that what is lent stays what it is.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data
from observed_product import (
    ARB,
    COIN,
    FRAME,
    MAIN,
    PLAIN,
    POOL,
    RATE,
    bonus,
    paid,
    product,
    switch,
    through,
)
from yield_books import (
    Books,
    accrue,
    closed_folder,
    days,
    deposit,
    load,
    load_file,
    posted_bytes,
    usance,
    whole,
)

ACCRUED = "Assets:Backpack:Main:AccruedYield"
TREASURY = "Income:Backpack:Main:Treasury"
BONUS = "Income:Backpack:Main:Bonus"
WALLET = "Assets:Backpack:Main:Wallet"
YIELD = "Equity:Backpack:Main:Uses:Yield"
CAPITAL = "Equity:Backpack:Main:Uses:Capital"


def book(*parts: str, folder: Path | None = None) -> Books:
    """Load a ledger without errors."""
    return load("".join(parts), folder).clean()


# A day


def test_the_first_day_and_the_second() -> None:
    # 1000 * 24 * 0.00001 = 0.24. The memorandum is posted where it changed.
    books = book(PLAIN, through("2025-05-02"))
    assert books.legs("treasury/2025-05-01/Main") == [
        f"{ACCRUED} 0.240000 USDC",
        f"{TREASURY} -0.240000 USDC",
        f"{YIELD} 1000.000000 USDC",
        f"{CAPITAL} -1000.000000 USDC",
    ]
    assert books.legs("treasury/2025-05-02/Main") == [
        f"{ACCRUED} 0.240000 USDC",
        f"{TREASURY} -0.240000 USDC",
    ]
    assert books.ids("treasury", "payout") == [
        "treasury/2025-05-01/Main",
        "treasury/2025-05-02/Main",
    ]


def test_its_labels_and_its_proof() -> None:
    books = book(PLAIN, through("2025-05-01"))
    entry = books.transaction("treasury/2025-05-01/Main")
    assert (entry.flag, entry.date.isoformat()) == ("*", "2025-05-01")
    assert entry.tags == {"usance", "treasury"}
    assert entry.links == {"usance-2025-05-01"}
    [proof] = books.proofs("treasury/2025-05-01/Main")
    assert {key: proof[key] for key in ("rate", "growth", "carry", "carry-after")} == {
        "rate": "0.0876",
        "growth": "0.00001",
        "carry": "0",
        "carry-after": "0",
    }


def test_four_percent_keep_a_carry() -> None:
    # growth 0.04/8760 = 0.000004566210045662; 24,000 of it are 0.109589041095888
    books = book(
        FRAME.replace("0.0876", "0.0400"),
        product(),
        deposit("1000", "2025-05-01"),
        through("2025-05-02"),
    )
    proofs = [books.proofs(f"treasury/{day}/Main")[0] for day in days("2025-05-01", "2025-05-02")]
    assert [proof["growth"] for proof in proofs] == ["0.000004566210045662"] * 2
    assert [proof["carry"] for proof in proofs] == ["0", "0.000000041095888"]
    assert [proof["carry-after"] for proof in proofs] == ["0.000000041095888", "0.000000082191776"]
    assert books.moved(ACCRUED) == {"2025-05-01": "0.109589", "2025-05-02": "0.109589"}


def test_a_carry_that_is_full_is_credited() -> None:
    # 0.073/8760 is rounded down to 0.000008333333333333: 0.199999999999992 a day. The first day
    # credits 0.199999 and keeps almost a quantum; the others have 0.2 and lose 8e-15 of it.
    books = book(
        FRAME.replace("0.0876", "0.073"),
        product(),
        deposit("1000", "2025-05-01"),
        through("2025-05-03"),
    )
    assert list(books.moved(ACCRUED).values()) == ["0.199999", "0.200000", "0.200000"]


def test_a_credit_of_nothing_is_posted_for_its_carry() -> None:
    # 0.003 * 24 * 0.00001 = 0.00000072: 0, then 1 quantum (0.00000144), 0.00000216, 0.00000288
    books = book(FRAME, product(), deposit("0.003", "2025-05-01"), through("2025-05-04"))
    assert books.legs("treasury/2025-05-01/Main")[:2] == [
        f"{ACCRUED} 0.000000 USDC",
        f"{TREASURY} 0.000000 USDC",
    ]
    assert [
        books.proofs(f"treasury/{day}/Main")[0]["carry-after"]
        for day in days("2025-05-01", "2025-05-04")
    ] == [
        "0.00000072",
        "0.00000044",
        "0.00000016",
        "0.00000088",
    ]
    assert books.moved(ACCRUED) == {"2025-05-02": "0.000001", "2025-05-03": "0.000001"}


def test_what_is_finer_than_a_quantum_earns_nothing() -> None:
    books = book(FRAME, product(), deposit("0.0000019", "2025-05-01"), through("2025-05-01"))
    # one quantum is lent: 0.000001 * 24 * 0.00001 = 0.00000000024
    assert books.proofs("treasury/2025-05-01/Main")[0]["carry-after"] == "0.00000000024"
    books = book(FRAME, product(), deposit("0.0000009", "2025-05-01"), through("2025-05-01"))
    assert books.ids("treasury") == []


def test_the_seed_example() -> None:
    # formulas, section 5: 30 days at 1.56 % and 4.00 %: lending 1.283012, treasury 3.289709
    books = book(
        FRAME.replace('"USDC" 0 0', '"USDC" 0.0156 0.0310').replace("0.0876", "0.0400"),
        product(),
        deposit("1000", "2025-05-01"),
        through("2025-05-30"),
    )
    assert books.balance("Income:Backpack:Main:Interest") == Decimal("-1.283012")
    assert books.balance(TREASURY) == Decimal("-3.289709")
    assert books.balance(ACCRUED) == Decimal("3.289709")
    # What is lent grows by the interest alone, and all of it is enrolled.
    assert books.balance(YIELD) == Decimal("1001.283012")
    assert books.balance("Equity:Backpack:Main:Uses:Lent") == Decimal("1001.283012")
    assert books.moved(ACCRUED)["2025-05-01"] == "0.109589"


# Hour by hour


@pytest.mark.parametrize(
    ("time", "earned", "enrolled"),
    [
        ("08:15", "0.150000", "1000.000000"),  # from 09:00: 15 hours
        ("09:00", "0.150000", "1000.000000"),  # on the hour counts from it
        ("09:00:01", "0.140000", "1000.000000"),
        ("22:59:59", "0.010000", "1000.000000"),
        ("23:00", "0.010000", "1000.000000"),
        ("23:00:01", None, "1000.000000"),  # counts from the next day, but for the memorandum
        ("23:59:59", None, "1000.000000"),
    ],
)
def test_a_deposit_counts_from_the_next_full_hour(
    time: str, earned: str | None, enrolled: str
) -> None:
    books = book(FRAME, product(), deposit("1000", f"2025-05-01 {time}"), through("2025-05-02"))
    expected = {"2025-05-01": earned, "2025-05-02": "0.240000"}
    assert books.moved(ACCRUED) == {day: amount for day, amount in expected.items() if amount}
    assert books.moved(YIELD) == {"2025-05-01": enrolled}


def test_principal_is_that_of_each_hour() -> None:
    # 1000 for 6 hours, 400 for 12, 2400 for 6: 25,200 coin-hours * 0.00001
    books = book(
        FRAME,
        product(),
        deposit("1000", "2025-05-01"),
        deposit("-600", "2025-05-02 05:20"),
        deposit("2000", "2025-05-02 17:59"),
        through("2025-05-02"),
    )
    assert books.moved(ACCRUED) == {"2025-05-01": "0.240000", "2025-05-02": "0.252000"}
    assert books.moved(YIELD) == {"2025-05-01": "1000.000000", "2025-05-02": "1400.000000"}


def test_interest_counts_as_principal_from_the_end_of_its_segment() -> None:
    # 0.876 a year: 0.0001 an hour. 12 hours of 1000 make 1000 * (1.0001^12 - 1) = 1.2006602…; so
    # 12 hours of 1000, then 12 of 2001.200660 earn 0.12 + 0.2401440792 = 0.3601440792.
    books = book(
        FRAME.replace('"USDC" 0 0', '"USDC" 0.876 0.876'),
        product(),
        deposit("1000", "2025-05-01"),
        deposit("1000", "2025-05-01 12:00"),
        through("2025-05-01"),
    )
    assert books.moved(ACCRUED) == {"2025-05-01": "0.360144"}
    assert books.proofs("treasury/2025-05-01/Main")[0]["carry-after"] == "0.0000000792"


def test_auto_lend_off_within_the_day_ends_both() -> None:
    books = book(PLAIN, switch("2025-05-02 12:00", "auto-lend: FALSE"), through("2025-05-03"))
    assert books.moved(ACCRUED) == {"2025-05-01": "0.240000", "2025-05-02": "0.120000"}
    assert books.moved(YIELD) == {"2025-05-01": "1000.000000", "2025-05-02": "-1000.000000"}


def test_auto_lend_on_within_the_day() -> None:
    books = book(
        COIN,
        POOL,
        RATE,
        product(),
        switch("2023-01-01"),
        switch("2025-05-01 20:00", "auto-lend: TRUE"),
        deposit("1000", "2025-05-01"),
        through("2025-05-01"),
    )
    assert books.moved(ACCRUED) == {"2025-05-01": "0.040000"}


def test_earn_off_within_the_day_ends_the_yield_alone() -> None:
    # 12 hours count; what is lent stays lent.
    books = book(
        PLAIN,
        switch("2025-05-02 12:00", "auto-lend: TRUE", "earn: FALSE"),
        switch("2025-05-03 18:30", "auto-lend: TRUE", "earn: TRUE"),
        through("2025-05-04"),
    )
    assert books.moved(ACCRUED) == {
        "2025-05-01": "0.240000",
        "2025-05-02": "0.120000",
        "2025-05-03": "0.050000",  # from 19:00
        "2025-05-04": "0.240000",
    }
    assert books.moved(YIELD) == {
        "2025-05-01": "1000.000000",
        "2025-05-02": "-1000.000000",
        "2025-05-03": "1000.000000",
    }
    assert books.moved("Equity:Backpack:Main:Uses:Lent") == {"2025-05-01": "1000.000000"}


def test_earn_off_after_23_counts_for_the_memorandum_of_its_day() -> None:
    books = book(
        PLAIN,
        switch("2025-05-02 23:30", "auto-lend: TRUE", "earn: FALSE"),
        through("2025-05-03"),
    )
    assert books.moved(ACCRUED) == {"2025-05-01": "0.240000", "2025-05-02": "0.240000"}
    assert books.moved(YIELD) == {"2025-05-01": "1000.000000", "2025-05-02": "-1000.000000"}


def test_earn_false_leaves_a_sub_account_out() -> None:
    books = book(
        FRAME,
        ARB.replace("TRUE", "TRUE\n  earn: FALSE"),
        product(),
        deposit("1000", "2025-05-01"),
        deposit("1000", "2025-05-01", "Arb"),
        through("2025-06-02"),
    )
    assert not [name for name in books.ids("treasury", "payout") if name.endswith("/Arb")]
    assert books.balance("Equity:Backpack:Arb:Uses:Lent") == 1000


def test_a_coin_without_a_product_and_one_that_is_not_lent_earn_none() -> None:
    books = book(
        FRAME,
        """
        2023-01-01 custom "lending-pool" "SOL"
          rates: "observed"
        2023-01-01 custom "lending-rate" "SOL" 0 0
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  5 SOL
          Assets:Bank
        """.replace("\n        ", "\n"),
        product(),
        through("2025-06-02"),
    )
    assert books.ids("treasury", "payout") == []


# Rates


def test_a_rate_holds_from_its_date_on() -> None:
    books = book(PLAIN, '\n2025-05-03 custom "treasury-rate" "USD" 0.0438\n', through("2025-05-04"))
    assert list(books.moved(ACCRUED).values()) == ["0.240000"] * 2 + ["0.120000"] * 2


def test_the_rate_of_a_day_is_that_at_its_midnight() -> None:
    change = '\n2025-05-03 custom "treasury-rate" "USD" 0.0438\n  time: "00:00:01"\n'
    books = book(PLAIN, change, through("2025-05-04"))
    assert list(books.moved(ACCRUED).values()) == ["0.240000"] * 3 + ["0.120000"]


def test_a_rate_of_nothing_earns_nothing() -> None:
    books = book(PLAIN, '\n2025-05-02 custom "treasury-rate" "USD" 0\n', through("2025-05-03"))
    assert books.moved(ACCRUED) == {"2025-05-01": "0.240000"}


def rate_file(folder: Path, *rows: str, header: str = "date,rate") -> None:
    (folder / "rates").mkdir(exist_ok=True)
    (folder / "rates" / "usd.csv").write_text("\n".join([header, *rows]) + "\n")


FILED = (
    COIN
    + POOL
    + MAIN
    + product()
    + '\n2025-05-01 custom "treasury-rate" "USD" "rates/usd.csv"\n'
    + deposit("1000", "2025-05-01")
)


def test_a_rate_file(tmp_path: Path) -> None:
    # The last row at or before a day, also one before the directive's date.
    rate_file(tmp_path, "2025-04-30,0.0876", "2025-05-03,0.0438", "2025-05-04,0")
    books = book(FILED, through("2025-05-04"), folder=tmp_path)
    assert books.moved(ACCRUED) == {
        "2025-05-01": "0.240000",
        "2025-05-02": "0.240000",
        "2025-05-03": "0.120000",
    }


def test_a_file_is_in_force_until_the_next_directive(tmp_path: Path) -> None:
    rate_file(tmp_path, "2025-05-01,0.0876", "2025-05-03,0.0438")
    change = '\n2025-05-02 custom "treasury-rate" "USD" 0.0219\n'
    books = book(FILED, change, through("2025-05-04"), folder=tmp_path)
    assert list(books.moved(ACCRUED).values()) == ["0.240000", *["0.060000"] * 3]


def test_a_row_that_is_older_than_three_days_is_a_finding(tmp_path: Path) -> None:
    rate_file(tmp_path, "2025-05-01,0.0876")
    book(FILED, through("2025-05-04"), folder=tmp_path)
    books = load(FILED + through("2025-05-05"), tmp_path)
    [message] = books.messages
    assert message.startswith("finding: ")
    assert "2025-05-01" in message
    assert books.moved(ACCRUED)["2025-05-05"] == "0.240000"
    stale = FILED.replace("quantum: 0.000001", "quantum: 0.000001\n  stale-after: 30")
    book(stale, through("2025-05-31"), folder=tmp_path)


def test_old_rows_stop_the_posting_of_their_day(tmp_path: Path) -> None:
    ledger = closed_folder(tmp_path / "books", FILED + through("2025-05-08"))
    rate_file(ledger.parent, "2025-05-01,0.0876")
    done = usance("accrue", ledger)
    assert done.exit_code == 1
    text = (ledger.parent / "posted" / "2025-05.beancount").read_text()
    assert text.count("day-close") == 4
    assert usance("accrue", ledger, "--stale-ok").exit_code == 0
    text = (ledger.parent / "posted" / "2025-05.beancount").read_text()
    assert text.count("day-close") == 8


@pytest.mark.parametrize(
    ("rows", "word", "line"),
    [
        (["2025-05-01,4 %"], "4 %", 2),
        (["2025-05-01,nan"], "nan", 2),
        (["2025-05-01"], "1 column", 2),
        (["May 1,0.04"], "May 1", 2),
        (["2025-05-01,0.04", "2025-05-01,0.05"], "2025-05-01", 3),
        (["2025-05-02,0.04", "2025-05-01,0.05"], "2025-05-01", 3),
    ],
)
def test_a_row_that_is_none_is_an_error_with_its_line(
    rows: list[str], word: str, line: int, tmp_path: Path
) -> None:
    rate_file(tmp_path, *rows)
    books = load(FILED + through("2025-05-02"), tmp_path)
    [error] = books.errors
    assert word in error.message
    assert Path(error.source["filename"]).name == "usd.csv"
    assert error.source["lineno"] == line
    assert books.ids("treasury") == []


def test_another_header_and_a_file_that_is_outside(tmp_path: Path) -> None:
    rate_file(tmp_path, "2025-05-01T00:00:00Z,0.1,0.1", header="time_utc,supply_apr,borrow_apr")
    [message] = load(FILED + through("2025-05-02"), tmp_path).messages
    assert "date,rate" in message
    for path in ("/etc/hosts", "../usd.csv", "rates/none.csv"):
        text = FILED.replace("rates/usd.csv", path) + through("2025-05-02")
        [message] = load(text, tmp_path).messages
        assert path in message


def test_a_missing_rate_is_an_error_and_never_zero() -> None:
    late = COIN + POOL + MAIN + '\n2025-05-03 custom "treasury-rate" "USD" 0.0876\n'
    books = load(late + product() + deposit("1000", "2025-05-01") + through("2025-05-03"))
    [message] = books.messages
    assert "treasury-rate" in message
    assert "USD" in message
    assert books.moved(ACCRUED) == {"2025-05-03": "0.240000"}


def test_a_rate_file_that_begins_late_is_a_missing_rate(tmp_path: Path) -> None:
    rate_file(tmp_path, "2025-05-02,0.0876")
    [message] = load(FILED + through("2025-05-02"), tmp_path).messages
    assert not message.startswith("finding")


# Bonus


def test_a_bonus_beside_the_treasury_yield() -> None:
    # 0.0438: 0.000005 an hour; 24,000 of it are 0.12
    books = book(PLAIN, bonus("0.0438"), through("2025-05-01"))
    assert books.legs("treasury/2025-05-01/Main") == [
        f"{ACCRUED} 0.240000 USDC",
        f"{TREASURY} -0.240000 USDC",
        f"{ACCRUED} 0.120000 USDC",
        f"{BONUS} -0.120000 USDC",
        f"{YIELD} 1000.000000 USDC",
        f"{CAPITAL} -1000.000000 USDC",
    ]


def test_a_cap_binds_in_each_hour() -> None:
    # Day 1: 600 * 24 * 0.000005. Day 2: 600 for 12 hours, then 300 for 12. Not the mean, 650.
    books = book(
        PLAIN,
        bonus("0.0438", cap="600 USDC"),
        deposit("-700", "2025-05-02 12:00"),
        through("2025-05-02"),
    )
    assert books.moved(BONUS) == {"2025-05-01": "-0.072000", "2025-05-02": "-0.054000"}


def test_rate_and_cap_of_a_day_are_those_at_its_midnight() -> None:
    change = bonus("0.0876", "2025-05-02", "500 USDC") + '  time: "08:00"\n'
    books = book(PLAIN, bonus("0.0438"), change, bonus("0", "2025-05-04"), through("2025-05-04"))
    assert books.moved(BONUS) == {
        "2025-05-01": "-0.120000",
        "2025-05-02": "-0.120000",
        "2025-05-03": "-0.120000",  # 500 * 24 * 0.00001
    }


def test_a_bonus_is_for_one_sub_account() -> None:
    books = book(
        PLAIN, ARB, deposit("1000", "2025-05-01", "Arb"), bonus("0.0438"), through("2025-05-01")
    )
    assert len(books.legs("treasury/2025-05-01/Arb")) == 4
    assert len(books.legs("treasury/2025-05-01/Main")) == 6


def test_a_capped_bonus_of_a_year() -> None:
    # W11: 1,200,000 lent, cap 1,000,000, 2 % and 3 %: 24,000 and 30,000 a year, less what the
    # rounding of the growth loses: 1.2e6 * 8760 * 0.000002283105022831 = 23999.9999999994…
    books = book(
        FRAME.replace("0.0876", "0.02"),
        product("manual"),
        bonus("0.03", cap="1000000 USDC"),
        deposit("1200000", "2025-01-01"),
        through("2025-12-31"),
    )
    assert books.balance(TREASURY) == Decimal("-23999.999999")
    assert books.balance(BONUS) == Decimal("-30000.000000")


def test_the_bonus_keeps_a_carry_of_its_own() -> None:
    # 0.03/8760 = 0.000003424657534247 (rounded up): 24,000 of it are 0.082191780821928
    books = book(PLAIN, bonus("0.03"), through("2025-05-02"))
    treasury, extra = books.proofs("treasury/2025-05-02/Main")
    assert (treasury["carry"], treasury["carry-after"]) == ("0", "0")
    assert (extra["carry"], extra["carry-after"]) == ("0.000000780821928", "0.000000561643856")
    assert books.moved(BONUS) == {"2025-05-01": "-0.082191", "2025-05-02": "-0.082192"}


# Payouts


def test_a_daily_payout_is_lent_from_midnight_on() -> None:
    # Day 2: 1000.24 * 24 * 0.00001 = 0.2400576. Day 3: 1000.480057 … = 0.24011521368 + 0.0000006
    books = book(FRAME, product("daily"), deposit("1000", "2025-05-01"), through("2025-05-03"))
    assert books.legs("payout/2025-05-02/Main") == [
        f"{WALLET} 0.240000 USDC",
        f"{ACCRUED} -0.240000 USDC",
    ]
    assert books.moved(ACCRUED, "USDC", "treasury") == {
        "2025-05-01": "0.240000",
        "2025-05-02": "0.240057",
        "2025-05-03": "0.240115",
    }
    assert books.moved(WALLET, "USDC", "payout") == {
        "2025-05-02": "0.240000",
        "2025-05-03": "0.240057",
    }
    assert books.balance(YIELD, until="2025-05-02") == Decimal("1000.24")
    assert books.balance(YIELD) == Decimal("1000.480057")
    assert books.balance(ACCRUED) == Decimal("0.240115")


def test_a_weekly_payout_is_dated_friday() -> None:
    # 2025-05-01 is a Thursday: the first period is one day. Then 7 * 0.2400576 = 1.6804032.
    books = book(FRAME, product("weekly"), deposit("1000", "2025-05-01"), through("2025-05-16"))
    assert books.moved(WALLET) == {
        "2025-05-02": "0.240000",
        "2025-05-09": "1.680403",
        # 1001.920403 * 7 * 0.00024 = 1.68322627704, and 0.0000002 that was left
        "2025-05-16": "1.683226",
    }


def test_a_monthly_payout_is_dated_the_first() -> None:
    # May: 31 * 0.24. June: 1007.44 * 30 * 0.00024 = 7.253568
    books = book(PLAIN, through("2025-07-01"))
    assert books.moved(WALLET) == {"2025-06-01": "7.440000", "2025-07-01": "7.253568"}
    assert books.legs("payout/2025-06-01/Main") == [
        f"{WALLET} 7.440000 USDC",
        f"{ACCRUED} -7.440000 USDC",
    ]
    assert books.transaction("payout/2025-06-01/Main").tags == {"usance", "payout"}
    assert books.moved(ACCRUED, "USDC", "treasury")["2025-06-01"] == "0.241785"
    assert books.moved(YIELD)["2025-06-01"] == "7.440000"


@pytest.mark.parametrize(
    ("year", "paid"),
    [("2023", "6.720000"), ("2024", "6.960000"), ("2028", "6.960000")],
)
def test_a_february_has_28_or_29_days_of_the_same(year: str, paid: str) -> None:
    books = book(FRAME, product(), deposit("1000", f"{year}-02-01"), through(f"{year}-03-01"))
    assert books.moved(WALLET) == {f"{year}-03-01": paid}
    if paid == "6.960000":
        assert books.moved(ACCRUED)[f"{year}-02-29"] == "0.240000"


def test_december_is_paid_on_new_year() -> None:
    books = book(FRAME, product(), deposit("1000", "2023-12-31"), through("2024-01-01"))
    assert books.moved(WALLET) == {"2024-01-01": "0.240000"}


def test_a_manual_product_pays_nothing_by_itself() -> None:
    books = book(FRAME, product("manual"), deposit("1000", "2025-05-01"), through("2025-07-02"))
    assert books.ids("payout") == []
    assert books.balance(ACCRUED) == Decimal("0.24") * (31 + 30 + 2)


def test_a_payout_beyond_the_horizon_is_none() -> None:
    assert book(PLAIN, through("2025-05-31")).ids("payout") == []
    assert book(PLAIN, through("2025-06-01")).ids("payout") == ["payout/2025-06-01/Main"]


def test_the_bonus_is_paid_with_the_treasury_yield() -> None:
    books = book(PLAIN, bonus("0.0438", cap="600 USDC"), through("2025-06-01"))
    # 31 days of 0.24 and 0.072
    assert books.moved(WALLET) == {"2025-06-01": "9.672000"}
    assert books.balance(ACCRUED, until="2025-05-31") == Decimal("9.672")


def test_a_sub_account_that_opens_and_empties_within_the_period() -> None:
    # From 05-10 12:00 to 05-12 06:00: 12 + 24 + 6 hours. It is paid on 06-01 all the same, and
    # what it is paid is lent.
    books = book(
        FRAME,
        product(),
        deposit("1000", "2025-05-10 12:00"),
        deposit("-1000", "2025-05-12 05:30"),
        through("2025-06-01"),
    )
    assert books.moved(ACCRUED, "USDC", "treasury") == {
        "2025-05-10": "0.120000",
        "2025-05-11": "0.240000",
        "2025-05-12": "0.060000",
        "2025-06-01": "0.000100",  # 0.42 * 24 * 0.00001 = 0.0001008
    }
    assert books.moved(WALLET) == {"2025-06-01": "0.420000"}
    assert books.moved(YIELD) == {
        "2025-05-10": "1000.000000",
        "2025-05-12": "-1000.000000",
        "2025-06-01": "0.420000",
    }


def test_a_payout_to_one_that_lends_no_more_stays_in_the_wallet() -> None:
    books = book(PLAIN, switch("2025-05-20", "auto-lend: FALSE"), through("2025-06-02"))
    assert books.moved(WALLET) == {"2025-06-01": "4.560000"}  # 19 days
    assert books.balance(ACCRUED) == 0
    assert books.balance(WALLET) == Decimal("1004.56")
    assert books.balance(YIELD) == 0


def test_each_sub_account_is_paid_by_a_transaction_of_its_own() -> None:
    books = book(PLAIN, ARB, deposit("500", "2025-05-31", "Arb"), through("2025-06-01"))
    assert books.ids("payout") == ["payout/2025-06-01/Arb", "payout/2025-06-01/Main"]
    assert books.moved("Assets:Backpack:Arb:Wallet") == {"2025-06-01": "0.120000"}


def test_two_products_of_one_sub_account_are_pairs_of_one_transaction() -> None:
    books = book(
        PLAIN,
        """
2023-01-01 commodity USDT
  quantum: 0.000001
2023-01-01 custom "lending-pool" "USDT"
  rates: "observed"
2023-01-01 custom "lending-rate" "USDT" 0 0
2023-01-01 custom "yield-product" "Tether"
  asset: "USDT"
  source: "observed"
  payout: "daily"
2023-01-01 custom "treasury-rate" "Tether" 0.0438
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet  2000 USDT
  Assets:Bank
""",
        through("2025-05-02"),
    )
    assert books.legs("treasury/2025-05-01/Main") == [
        f"{ACCRUED} 0.240000 USDC",
        f"{TREASURY} -0.240000 USDC",
        f"{YIELD} 1000.000000 USDC",
        f"{CAPITAL} -1000.000000 USDC",
        f"{ACCRUED} 0.240000 USDT",
        f"{TREASURY} -0.240000 USDT",
        f"{YIELD} 2000.000000 USDT",
        f"{CAPITAL} -2000.000000 USDT",
    ]
    assert books.legs("payout/2025-05-02/Main") == [
        f"{WALLET} 0.240000 USDT",
        f"{ACCRUED} -0.240000 USDT",
    ]


def test_income_in_another_coin_shows_its_price_of_that_day() -> None:
    text = (
        PLAIN.replace("USDC", "EURC")
        + "\n2025-05-02 price EURC 1.08 USDC\n"
        + through("2025-05-02")
    )
    books = book(text)
    prices = [
        books.proofs(f"treasury/{day}/Main")[0].get("price")
        for day in days("2025-05-01", "2025-05-02")
    ]
    assert prices == [None, "1.08"]


# What the venue really paid


@pytest.mark.parametrize(
    ("day", "unpaid", "june"),
    [
        ("2025-06-01", "0.241800", "7.254000"),  # 30 days of 1007.50
        ("2025-06-03", "0.721800", "7.250400"),  # 2 days of 1000, 28 of 1007.50
    ],
)
def test_a_payout_of_a_person_replaces_the_generated_one(day: str, unpaid: str, june: str) -> None:
    books = book(PLAIN, paid(day, "2025-05", "7.50", "7.44"), through("2025-07-01"))
    assert books.ids("payout") == ["payout/2025-07-01/Main"]
    assert books.balance(ACCRUED, until=day) == Decimal(unpaid)
    assert books.moved(WALLET) == {"2025-07-01": june}


def test_the_variance_is_income() -> None:
    books = book(PLAIN, paid("2025-06-01", "2025-05", "7.40", "7.44"), through("2025-06-01"))
    # 7.44 accrued, 0.04 less was paid, and 1007.40 * 24 * 0.00001 = 0.241776 of the first of June
    assert books.balance(TREASURY) == Decimal("-7.40") - Decimal("0.241776")
    assert books.balance(ACCRUED) == Decimal("0.241776")


def test_a_payout_before_its_period_ends() -> None:
    books = book(PLAIN, paid("2025-05-30", "2025-05", "7.44", "7.44"), through("2025-06-02"))
    assert books.ids("payout") == []


@pytest.mark.parametrize(
    ("payout", "period", "gone"),
    [
        ("daily", "2025-05-02", "payout/2025-05-03/Main"),
        ("weekly", "2025-05-08", "payout/2025-05-09/Main"),
    ],
)
def test_a_daily_or_weekly_period_is_named_by_its_last_day(
    payout: str, period: str, gone: str
) -> None:
    frame = FRAME + product(payout) + deposit("1000", "2025-05-01")
    without = book(frame, through("2025-05-20"))
    assert gone in without.ids("payout")
    due = without.moved(WALLET)[gone[7:17]]
    books = book(frame, paid(gone[7:17], period, due, due), through("2025-05-20"))
    assert books.ids("payout") == [name for name in without.ids("payout") if name != gone]
    assert books.balance(WALLET) == without.balance(WALLET)
    assert books.moved(ACCRUED, "USDC", "treasury") == without.moved(ACCRUED, "USDC", "treasury")


@pytest.mark.parametrize(("first", "second"), [("weekly", "monthly"), ("monthly", "weekly")])
def test_a_period_keeps_its_name_where_the_payout_changes_within_it(
    first: str, second: str
) -> None:
    """What accrued by the week is paid by the week, and a person can name either."""
    text = (
        FRAME
        + product(first)
        + product(second).replace("2023-01-01", "2025-05-20")
        + deposit("1000", "2025-05-01")
        + through("2025-06-05")
    )
    books = book(text)
    for day, period in {"2025-05-23": "2025-05-22", "2025-06-01": "2025-05"}.items():
        gone = f"payout/{day}/Main"
        [leg, _] = books.transaction(gone).postings
        assert leg.meta is not None
        assert leg.meta["period"] == period
        due = books.moved(WALLET)[day]
        replaced = book(text, paid(day, period, due, due))
        assert replaced.ids("payout") == [name for name in books.ids("payout") if name != gone]


def test_it_pays_its_own_sub_account_alone() -> None:
    books = book(
        PLAIN,
        ARB,
        deposit("1000", "2025-05-01", "Arb"),
        paid("2025-06-02", "2025-05", "7.44", "7.44", "Arb"),
        through("2025-06-02"),
    )
    assert books.ids("payout") == ["payout/2025-06-01/Main"]


def test_a_manual_product_is_paid_by_a_person() -> None:
    books = book(
        FRAME,
        product("manual"),
        deposit("1000", "2025-05-01"),
        paid("2025-06-02", "2025-05", "7.44", "7.44"),
        through("2025-06-02"),
    )
    assert books.ids("payout") == []
    # 33 days accrued, the last on 1007.44, less 7.44
    assert books.balance(ACCRUED) == Decimal("0.24") + Decimal("0.241785")


def test_a_late_true_up_of_a_closed_payout_is_a_correction(tmp_path: Path) -> None:
    ledger = closed_folder(tmp_path / "closed", PLAIN + through("2025-06-05"))
    accrue(ledger, "2025-06-03")
    closed = posted_bytes(ledger)
    ledger.write_text(ledger.read_text() + paid("2025-06-05", "2025-05", "7.50", "7.44"))
    messages = load_file(ledger).messages
    assert any("2025-06-01" in message for message in messages)
    assert not any("Traceback" in message for message in messages)
    accrue(ledger, "2025-06-05", "--correct")
    for name, text in closed.items():
        assert posted_bytes(ledger)[name].startswith(text)
    books = load_file(ledger).clean()
    assert len(books.ids("correction")) > 0
    fresh = book(PLAIN, paid("2025-06-05", "2025-05", "7.50", "7.44"), through("2025-06-05"))
    for account in (WALLET, ACCRUED, TREASURY, YIELD, CAPITAL, "Equity:Backpack:Main:Uses:Lent"):
        assert books.balance(account) == fresh.balance(account), account


# Venues and stages


BYBIT = """
2023-01-01 custom "sub-account" "BybitMain" Assets:Bybit:Main
  auto-lend: TRUE
2025-05-01 * "Deposit"
  Assets:Bybit:Main:Wallet  1000 USDC
  Assets:Bank
"""


def test_a_product_serves_every_venue_or_the_one_that_it_names() -> None:
    books = book(PLAIN, BYBIT, through("2025-05-01"))
    assert books.ids("treasury") == ["treasury/2025-05-01/BybitMain", "treasury/2025-05-01/Main"]
    one = FRAME + product("monthly", 'venue: "Bybit"') + deposit("1000", "2025-05-01")
    assert book(one, BYBIT, through("2025-05-01")).ids("treasury") == [
        "treasury/2025-05-01/BybitMain"
    ]


def test_a_product_counts_from_its_date() -> None:
    late = product().replace("2023-01-01", "2025-05-03")
    books = book(FRAME, late, deposit("1000", "2025-05-01"), through("2025-05-04"))
    assert books.moved(ACCRUED) == dict.fromkeys(["2025-05-03", "2025-05-04"], "0.240000")
    assert books.moved(YIELD) == {"2025-05-03": "1000.000000"}


def test_a_transfer_moves_what_earns() -> None:
    # 400 from 12:00 on: 1000 * 12 + 600 * 12, and 400 * 12
    books = book(
        PLAIN,
        ARB,
        """
2025-05-02 * "Transfer"
  time: "12:00"
  Assets:Backpack:Main:Wallet  -400 USDC
  Assets:Backpack:Arb:Wallet    400 USDC
""",
        through("2025-05-02"),
    )
    assert books.moved(ACCRUED)["2025-05-02"] == "0.192000"
    assert books.moved("Assets:Backpack:Arb:AccruedYield") == {"2025-05-02": "0.048000"}


def test_what_is_borrowed_earns_nothing() -> None:
    books = load(
        FRAME.replace("auto-lend: TRUE", "auto-lend: TRUE\n  auto-borrow: TRUE")
        + product()
        + deposit("1000", "2025-05-01")
        + deposit("-1500", "2025-05-02 12:00")
        + through("2025-05-03")
    )
    assert [text for text in books.messages if not text.startswith("finding")] == []
    assert books.moved(ACCRUED) == {"2025-05-01": "0.240000", "2025-05-02": "0.120000"}
    assert books.balance(YIELD) == 0


def test_roots_follow_the_options_of_names() -> None:
    names = {
        "Assets": "Vermoegen",
        "Income": "Ertrag",
        "Equity": "Kapital",
        "Liabilities": "Schulden",
        "Expenses": "Aufwand",
    }
    text = "".join(f'option "name_{old.lower()}" "{new}"\n' for old, new in names.items())
    text += whole(PLAIN + through("2025-06-01")).replace("Assets:", "Vermoegen:")
    books = Books(*loader.load_string(text)).clean()
    assert books.moved("Vermoegen:Backpack:Main:Wallet") == {"2025-06-01": "7.440000"}
    assert books.balance("Ertrag:Backpack:Main:Treasury", until="2025-05-31") == Decimal("-7.44")
    assert books.balance("Kapital:Backpack:Main:Uses:Yield", until="2025-05-31") == 1000


def test_a_stage_that_is_off_adds_nothing() -> None:
    stages = ["auto_lending", "margin_pool", "sub_accounts", "yield_split"]
    for off in stages:
        lines = "".join(f'plugin "usance.plugins.{name}"\n' for name in stages if name != off)
        books = book(lines, PLAIN, through("2025-06-01"))
        kinds = {name.split("/")[0] for name in books.ids()}
        assert kinds == {
            "auto_lending": set(),
            "yield_split": {"lending"},
        }.get(off, {"lending", "treasury", "payout"})


def test_the_order_of_a_day() -> None:
    """Payout, then lending, then treasury."""
    books = book(
        FRAME.replace('"USDC" 0 0', '"USDC" 0.0365 0.0365'),
        product("daily"),
        deposit("1000", "2025-05-01"),
        through("2025-05-02"),
    )
    of_day = [name for name in books.ids() if "2025-05-02" in name]
    assert of_day == [
        "payout/2025-05-02/Main",
        "lending/2025-05-02/Main",
        "treasury/2025-05-02/Main",
    ]


def test_accounts_of_the_engine_are_opened_on_their_first_day() -> None:
    books = book(PLAIN, through("2025-05-02"))
    opened = {
        entry.account: entry.date.isoformat()
        for entry in books.entries
        if isinstance(entry, data.Open) and entry.date.year > 1970
    }
    assert opened == dict.fromkeys(
        [ACCRUED, TREASURY, YIELD, CAPITAL, "Equity:Backpack:Main:Uses:Lent"], "2025-05-01"
    )


# Errors

EUR = 'custom "yield-product" "EUR"'
EXTRA = 'custom "yield-bonus" "USD" "Main"'


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (['custom "treasury-rate" "USB" 0.04'], ["USB"]),
        (['custom "treasury-rate" "USD"'], ["treasury-rate"]),
        (['custom "treasury-rate" "USD" TRUE'], ["treasury-rate"]),
        (['custom "treasury-rate" "USD" 0.04', "rate: 1"], ["rate"]),
        (['custom "yield-bonus" "USB" "Main" 0.01'], ["USB"]),
        (['custom "yield-bonus" "USD" "Mian" 0.01'], ["Mian"]),
        ([f"{EXTRA} 0.01", "cap: 100 SOL"], ["SOL", "USDC"]),
        ([f"{EXTRA} 0.01", "cap: 100"], ["cap"]),
        ([f"{EXTRA} 0.01", "floor: 1 USDC"], ["floor"]),
        ([f"{EXTRA} -0.01"], ["-0.01"]),
        ([EUR, 'asset: "USDC"', 'source: "observed"', 'payout: "daily"'], ["USDC", "USD"]),
        ([EUR, 'source: "observed"', 'payout: "daily"'], ["asset"]),
        ([EUR, 'asset: "EURC"', 'payout: "daily"'], ["source"]),
        ([EUR, 'asset: "EURC"', 'source: "observed"'], ["payout"]),
        ([EUR, 'asset: "EURC"', 'source: "seen"', 'payout: "daily"'], ["seen"]),
        ([EUR, 'asset: "EURC"', 'source: "observed"', 'payout: "yearly"'], ["yearly"]),
        ([EUR, 'asset: "EURC"', 'source: "observed"', 'payout: "daily"', "fee: 0.15"], ["fee"]),
    ],
)
def test_a_wrong_term_is_one_error_at_its_line(
    wrong: list[str], words: list[str], tmp_path: Path
) -> None:
    text = PLAIN + "\n2025-05-02 " + "\n  ".join(wrong) + "\n" + through("2025-05-03")
    books = load(text, tmp_path)
    [error] = books.errors
    assert [word for word in words if word not in error.message] == []
    lines = (tmp_path / "main.beancount").read_text().splitlines()
    assert lines[error.source["lineno"] - 1] == f"2025-05-02 {wrong[0]}"


@pytest.mark.parametrize(
    "period",
    [
        "USB 2025-05",
        "USD 2025-13",
        "USD 2025-05-31",
        "USD",
        "2025-05",
        "USD May",
        "USD 2025-05 2025-06",
    ],
)
def test_a_period_that_is_none_is_one_error_at_its_transaction(period: str, tmp_path: Path) -> None:
    text = PLAIN + paid("2025-06-02", "2025-05", "7.44", "7.44").replace("USD 2025-05", period)
    books = load(text + through("2025-06-03"), tmp_path)
    [error] = books.errors
    assert period in error.message
    lines = (tmp_path / "main.beancount").read_text().splitlines()
    assert lines[error.source["lineno"] - 1] == '2025-06-02 * "Paid"'


def test_a_weekly_period_ends_on_a_thursday() -> None:
    text = FRAME + product("weekly") + deposit("1000", "2025-05-01")
    [message] = load(
        text + paid("2025-05-09", "2025-05-09", "1.92", "1.92") + through("2025-05-10")
    ).messages
    assert "2025-05-09" in message


# Closed days


RICH = (
    FRAME.replace('"USDC" 0 0', '"USDC" 0.0412 0.0630')
    + ARB
    + bonus("0.03", cap="600 USDC")
    + deposit("1000", "2025-04-28 08:15")
    + deposit("0.002", "2025-04-29", "Arb")
    + deposit("-400.0000005", "2025-05-03 10:10")
    + switch("2025-05-04 12:00", "auto-lend: TRUE", "earn: FALSE")
    + switch("2025-05-06 23:10", "auto-lend: TRUE")
    + '\n2025-05-05 custom "treasury-rate" "USD" 0.0438\n  time: "10:00"\n'
    + through("2025-05-12")
)


@pytest.mark.parametrize(("payout", "step"), [("daily", 1), ("weekly", 4), ("manual", 7)])
def test_closed_days_are_the_virtual_ones(payout: str, step: int, tmp_path: Path) -> None:
    text = RICH + product(payout)
    virtual = book(text)
    ledger = closed_folder(tmp_path / "closed", text)
    every = days("2025-04-28", "2025-05-12")
    once = closed_folder(tmp_path / "once", text)
    for day in every[step - 1 :: step]:
        accrue(ledger, day)
        assert load_file(ledger).clean().text() == virtual.text()
    accrue(ledger, every[-1])
    accrue(once, every[-1])
    assert posted_bytes(ledger) == posted_bytes(once)
    assert load_file(once).clean().text() == virtual.text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"treasury-rate" "USD" 0.0876', '"treasury-rate" "USD" 0.0875'),
        ('"Main" 0.03', '"Main" 0.02'),
        ("cap: 600 USDC", "cap: 500 USDC"),
        ('payout: "weekly"', 'payout: "daily"'),
        ("earn: FALSE", "earn: TRUE"),
    ],
)
def test_an_input_that_changes_is_found_and_corrected(old: str, new: str, tmp_path: Path) -> None:
    text = RICH + product("weekly")
    ledger = closed_folder(tmp_path / "closed", text)
    accrue(ledger, "2025-05-10")
    before = ledger.read_text()
    assert before.count(old) == 1
    ledger.write_text(before.replace(old, new))
    messages = load_file(ledger).messages
    assert messages
    assert not [message for message in messages if "Traceback" in message]
    assert any("2025-0" in message for message in messages)
    accrue(ledger, "2025-05-12", "--correct")
    books = load_file(ledger).clean()
    fresh = book(text.replace(old, new))
    accounts = {leg.account for entry in fresh.transactions for leg in entry.postings}
    differing = {
        account for account in accounts if books.balance(account) != fresh.balance(account)
    }
    assert differing == set()


def test_a_changed_row_of_a_closed_day_is_found(tmp_path: Path) -> None:
    ledger = closed_folder(tmp_path / "closed", FILED + through("2025-05-04"))
    rate_file(ledger.parent, "2025-05-01,0.0876", "2025-05-03,0.0438")
    accrue(ledger, "2025-05-04")
    load_file(ledger).clean()
    rate_file(ledger.parent, "2025-05-01,0.0876", "2025-05-03,0.0437")
    messages = load_file(ledger).messages
    assert any("2025-05-03" in message for message in messages)
    # A row that comes later changes no closed day.
    rate_file(ledger.parent, "2025-05-01,0.0876", "2025-05-03,0.0438", "2025-05-05,0.01")
    load_file(ledger).clean()
