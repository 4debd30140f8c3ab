"""A product backed by bills, on ledgers worked by hand.

Face 3,000 bought at 0.972 with 28 days to go accretes 84 in all, 3.00 a day on a straight line.
100 USDT lent for a day are 2,400 coin-hours, 240,000 quanta of 0.01: 300 quanta over 240,000 are
1.25e15 of 1e-18 exactly, so that a lone holder of 100 gets all of it.
"""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yield_oracle
from beancount.core import data
from bills_product import (
    ACCRETION,
    ARB,
    BILLS,
    CASH,
    DISCOUNT,
    DISTRIBUTED,
    FRAME,
    HOLDER,
    ONE,
    PAYABLE,
    PLAIN,
    STRAIGHT,
    bill,
    buy,
    deposit,
    mature,
    product,
    sell,
    through,
)
from yield_books import (
    Books,
    accrue,
    closed_folder,
    day_of,
    days,
    load,
    load_file,
    posted_bytes,
)

ACCRUED = "Assets:Backpack:Main:AccruedYield"
WALLET = "Assets:Backpack:Main:Wallet"


def book(*parts: str, folder: Path | None = None) -> Books:
    return load("".join(parts), folder).clean()


def accretion(books: Books) -> dict[str, str]:
    return books.moved(ACCRETION, "USDT")


def distributed(books: Books) -> dict[str, str]:
    return books.moved(DISTRIBUTED, "USDT")


# A day


def test_a_day_of_the_product_and_of_its_holder() -> None:
    books = book(PLAIN, through("2025-05-01"))
    assert books.legs("treasury/2025-05-01/TBill") == [
        f"{ACCRETION} 3.00 USDT",
        f"{DISCOUNT} -3.00 USDT",
        f"{DISTRIBUTED} 3.00 USDT",
        f"{PAYABLE} -3.00 USDT",
    ]
    assert books.legs("treasury/2025-05-01/Main") == [
        f"{ACCRUED} 3.00 USDT",
        "Income:Backpack:Main:Treasury -3.00 USDT",
        "Equity:Backpack:Main:Uses:Yield 100.00 USDT",
        "Equity:Backpack:Main:Uses:Capital -100.00 USDT",
    ]
    [proof] = books.proofs("treasury/2025-05-01/Main")
    assert (proof["growth"], proof["carry"], proof["carry-after"]) == ("0.00125", "0", "0")


def test_a_month_from_the_purchase_to_the_payout() -> None:
    # 28 days, the last of them 05-28: 84.00. The payout moves Cash against Payable.
    books = book(PLAIN, mature("2025-05-29", "3000", "B1", "0.972"), through("2025-06-01"))
    assert accretion(books) == dict.fromkeys(days("2025-05-01", "2025-05-28"), "3.00")
    assert books.balance(ACCRETION, "USDT", "2025-05-28") == 84
    assert books.balance(ACCRETION, "USDT") == 0
    assert books.balance(BILLS, "B1") == 0
    assert books.balance(PAYABLE, "USDT", "2025-05-31") == -84
    assert books.legs("payout/2025-06-01/Main") == [
        f"{WALLET} 84.00 USDT",
        f"{ACCRUED} -84.00 USDT",
    ]
    assert books.legs("payout/2025-06-01/TBill") == [
        f"{PAYABLE} 84.00 USDT",
        f"{CASH} -84.00 USDT",
    ]
    assert books.balance(PAYABLE, "USDT") == 0
    # 100,000 - 2,916 + 3,000 - 84: all of the discount went to the holder.
    assert books.balance(CASH, "USDT") == 100_000
    assert books.balance(DISCOUNT, "USDT") == -84


def test_the_accounts_of_the_product_are_opened_by_the_engine() -> None:
    books = book(PLAIN, through("2025-05-01"))
    opened = {
        entry.account: entry.date.isoformat()
        for entry in books.entries
        if isinstance(entry, data.Open) and ":Treasury:" in entry.account
    }
    assert opened == {
        BILLS: "1970-01-01",
        CASH: "1970-01-01",
        **dict.fromkeys([ACCRETION, DISCOUNT, DISTRIBUTED, PAYABLE], "2025-05-01"),
    }


# Accretion


def test_constant_yield_gives_exactly_the_discount() -> None:
    """Value of each evening compared with whole powers; the sum is the discount to the cent."""
    books = book(
        FRAME,
        product(),
        bill("B1", "2024-04-04"),
        buy("2024-01-04", "50000", "B1", "0.98692"),
        deposit("100", "2024-01-04"),
        through("2024-04-10"),
    )
    income = {day: Fraction(amount) for day, amount in accretion(books).items()}
    assert list(income) == days("2024-01-04", "2024-04-03")
    assert sum(income.values()) == 50_000 - 49_346 == 654
    # 49346 * (1/0.98692)^(1/91) = 49353.1401…; the last day: 49992.7662… to 50000
    assert income["2024-01-04"] == Fraction("7.14")
    assert income["2024-04-03"] == Fraction("7.23")
    value = Fraction(49_346)
    for count, day in enumerate(income, 1):
        value += income[day]
        assert value == yield_oracle.accreted(
            Fraction("0.98692"),
            Fraction(50_000),
            count,
            91,
            Fraction("0.01"),
            straight=False,
        )


def test_the_default_is_constant_yield() -> None:
    with_word = book(
        FRAME, product('accretion: "constant-yield"'), ONE, HOLDER, through("2025-05-05")
    )
    without = book(FRAME, product(), ONE, HOLDER, through("2025-05-05"))
    assert accretion(with_word) == accretion(without)
    # 2916 * ((1/0.972)^(1/28) - 1) = 2.9591…
    assert accretion(without)["2025-05-01"] == "2.96"


def test_a_cost_that_is_finer_than_a_quantum() -> None:
    # 1000 at 0.972345: 27.655 in 28 days. value(1) = 973.33 (973.33267…): the first income is
    # 0.985. All of it together is 27.655; every other day earns whole cents.
    books = book(
        FRAME,
        STRAIGHT,
        bill("B1", "2025-05-29"),
        buy("2025-05-01", "1000", "B1", "0.972345"),
        HOLDER,
        through("2025-05-30"),
    )
    income = [Decimal(amount) for amount in accretion(books).values()]
    assert income[0] == Decimal("0.985")
    assert sum(income) == Decimal("27.655")
    assert {amount % Decimal("0.01") for amount in income[1:]} == {0}
    # 98.5 quanta: 98 credited and half a quantum left over; it is not lost, but it is in the
    # holder's carry too, so that what is given out may run ahead by less than a quantum.
    assert distributed(books)["2025-05-01"] == "0.98"
    total = sum(map(Decimal, distributed(books).values()))
    assert abs(Decimal("27.655") - total) < Decimal("0.01")


def test_a_bill_bought_after_its_issue() -> None:
    # 19 days to go: 1,900 at 0.99 gives 1.00 a day, whatever the bill's own life was.
    books = book(
        FRAME,
        STRAIGHT,
        bill("B1", "2025-05-29"),
        buy("2025-05-10", "1900", "B1", "0.99"),
        HOLDER,
        through("2025-05-31"),
    )
    assert accretion(books) == dict.fromkeys(days("2025-05-10", "2025-05-28"), "1.00")


def test_a_lot_counts_by_date_and_never_by_time() -> None:
    late = ONE.replace('"Buy"\n', '"Buy"\n  time: "23:50"\n')
    books = book(FRAME, STRAIGHT, late, HOLDER, through("2025-05-02"))
    assert list(accretion(books)) == days("2025-05-01", "2025-05-02")


def test_a_bill_that_is_bought_and_sold_within_a_day_earns_nothing() -> None:
    books = book(
        FRAME,
        STRAIGHT,
        bill("B1", "2025-05-29"),
        HOLDER,
        buy("2025-05-01", "3000", "B1", "0.972"),
        sell("2025-05-01", "3000", "B1 0.972", "0", "2917"),
        through("2025-05-03"),
    )
    assert accretion(books) == {}
    assert distributed(books) == {}


def test_several_bills() -> None:
    # B1: 3.00 to 05-28. B2, 10 days from 05-05: 1000 at 0.98, 2.00 a day. B1 again from 05-20, 9
    # days: 900 at 0.99, 1.00 a day.
    books = book(
        PLAIN,
        bill("B2", "2025-05-15"),
        buy("2025-05-05", "1000", "B2", "0.98"),
        buy("2025-05-20", "900", "B1", "0.99"),
        through("2025-05-30"),
    )
    expected = {day: Decimal("3.00") for day in days("2025-05-01", "2025-05-28")}
    for day in days("2025-05-05", "2025-05-14"):
        expected[day] += 2
    for day in days("2025-05-20", "2025-05-28"):
        expected[day] += 1
    assert accretion(books) == {day: f"{amount:.2f}" for day, amount in expected.items()}


def test_a_roll() -> None:
    # The face of B1 buys B2 on the day on which B1 matures: no day without income.
    books = book(
        PLAIN,
        mature("2025-05-29", "3000", "B1", "0.972"),
        bill("B2", "2025-06-26"),
        buy("2025-05-29", "1000", "B2", "0.972"),
        through("2025-06-27"),
    )
    assert accretion(books) == {
        **dict.fromkeys(days("2025-05-01", "2025-05-28"), "3.00"),
        **dict.fromkeys(days("2025-05-29", "2025-06-25"), "1.00"),
    }
    assert books.balance(ACCRETION, "USDT") == 28


def test_a_sale_before_maturity() -> None:
    # 10 days held when 1,000 of 3,000 are sold on 05-11: value(10) - value(0) of 3,000 is 30, of
    # the 2,000 left 20; 10 go out of Accretion. From that day on 2.00 a day.
    books = book(PLAIN, sell("2025-05-11", "1000", "B1 0.972", "10", "983"), through("2025-05-29"))
    assert accretion(books) == {
        **dict.fromkeys(days("2025-05-01", "2025-05-10"), "3.00"),
        **dict.fromkeys(days("2025-05-11", "2025-05-28"), "2.00"),
    }
    assert books.balance(ACCRETION, "USDT", "2025-05-11") == 22
    assert books.balance(ACCRETION, "USDT") == 56  # 2,000 at 0.972 to their face
    assert books.balance("Income:Backpack:Treasury:PnL", "USDT") == -1


def test_a_sale_of_the_whole_lot() -> None:
    books = book(PLAIN, sell("2025-05-11", "3000", "B1 0.972", "30", "2946"), through("2025-05-20"))
    assert list(accretion(books)) == days("2025-05-01", "2025-05-10")
    assert books.balance(ACCRETION, "USDT") == 0


def test_a_sale_of_constant_yield_takes_the_difference_of_rounded_values() -> None:
    # 30 days at 0.985, sold after 7: value(7) of 1,001 and of 500, both rounded to the cent.
    before, after = (
        yield_oracle.accreted(
            Fraction("0.985"), Fraction(face), 7, 30, Fraction("0.01"), straight=False
        )
        - Fraction("0.985") * face
        for face in (1001, 500)
    )
    taken = f"{float(before - after):.3f}"
    assert Fraction(taken) == before - after
    frame = FRAME + product() + bill("B1", "2025-05-31") + buy("2025-05-01", "1001", "B1", "0.985")
    sale = sell("2025-05-08", "501", "B1 0.985", taken, "495")
    books = book(frame, sale, HOLDER, through("2025-06-02"))
    assert books.balance(ACCRETION, "USDT", "2025-05-31") == Decimal("7.500")
    wrong = sell("2025-05-08", "501", "B1 0.985", f"{float(before - after) + 0.01:.3f}", "495")
    assert len(load(frame + wrong + HOLDER + through("2025-05-08")).messages) == 1


def test_a_bill_that_matures_on_a_saturday() -> None:
    # 2025-05-31 is a Saturday: it is worth its face on Friday evening, and earns nothing more. The
    # money comes on Monday; that is no finding.
    books = book(
        FRAME,
        STRAIGHT,
        bill("B1", "2025-05-31"),
        buy("2025-05-01", "1000", "B1", "0.97"),
        HOLDER,
        mature("2025-06-02", "1000", "B1", "0.97"),
        through("2025-06-03"),
    )
    assert accretion(books) == dict.fromkeys(days("2025-05-01", "2025-05-30"), "1.00")
    assert books.balance(ACCRETION, "USDT", "2025-06-01") == 30
    assert books.balance(ACCRETION, "USDT") == 0


@pytest.mark.parametrize(
    ("bought", "due", "length"),
    [
        ("2024-02-01", "2024-02-29", 28),  # matures on a 29 February
        ("2024-02-15", "2024-03-14", 28),  # one lies in its life
        ("2024-02-29", "2024-03-28", 28),  # bought on one
        ("2023-02-15", "2023-03-15", 28),
    ],
)
def test_days_are_counted_through_a_leap_year(bought: str, due: str, length: int) -> None:
    books = book(
        FRAME,
        STRAIGHT,
        bill("B1", due),
        buy(bought, "3000", "B1", "0.972"),
        deposit("100", bought),
        through(due),
    )
    assert list(accretion(books).values()) == ["3.00"] * length
    assert day_of(max(accretion(books))) < day_of(due)


def test_a_bill_at_its_face_earns_nothing() -> None:
    books = book(
        FRAME,
        product(),
        bill("B1", "2025-05-29"),
        buy("2025-05-01", "1000", "B1", "1"),
        HOLDER,
        through("2025-05-30"),
    )
    assert accretion(books) == {}
    assert books.ids("payout") == []


# Fee and distribution


def test_the_fee_is_what_is_not_distributed() -> None:
    # 15 % of 3.00 is 0.45: 255 quanta over 240,000 are 1.0625e15 exactly.
    books = book(
        FRAME,
        product('accretion: "straight-line"', "fee: 0.15"),
        ONE,
        HOLDER,
        through("2025-05-29"),
    )
    assert set(distributed(books).values()) == {"2.55"}
    assert books.balance(DISTRIBUTED, "USDT") == Decimal("71.40")
    assert books.balance(ACCRETION, "USDT") == 84


def test_the_fee_is_rounded_up() -> None:
    # 0.1 % of 3.00 is 0.003, so 0.01. D = 2.99: 299 quanta over 240,000 hours leave, rounded down,
    # 298 and almost a quantum of carry; day 2: D = 299 + 1 = 300, credit 300; day 3: 299 + 0.
    books = book(
        FRAME,
        product('accretion: "straight-line"', "fee: 0.001"),
        ONE,
        HOLDER,
        through("2025-05-04"),
    )
    assert list(distributed(books).values()) == ["2.98", "3.00", "2.99", "2.99"]


def test_a_fee_of_all_leaves_nothing() -> None:
    books = book(
        FRAME, product('accretion: "straight-line"', "fee: 1"), ONE, HOLDER, through("2025-05-02")
    )
    assert distributed(books) == {}
    assert accretion(books) == dict.fromkeys(days("2025-05-01", "2025-05-02"), "3.00")


def test_a_fee_above_the_income_takes_nothing_from_holders() -> None:
    # 1000 at 0.972345: the first income is 0.985, of which a fee of all is 0.99. Half a quantum is
    # left over, below zero.
    books = book(
        FRAME,
        product('accretion: "straight-line"', "fee: 1"),
        bill("B1", "2025-05-29"),
        buy("2025-05-01", "1000", "B1", "0.972345"),
        HOLDER,
        through("2025-06-02"),
    )
    assert accretion(books)["2025-05-01"] == "0.985"
    assert distributed(books) == {}
    assert books.balance(ACCRUED, "USDT") == 0
    assert books.ids("payout") == []


def test_shares_are_weighted_by_time() -> None:
    # Day 1: Main 100 * 24, Arb 300 * 8: half each. Day 2: 2400 and 7200: a quarter and the rest.
    books = book(PLAIN, ARB, deposit("300", "2025-05-01 16:00", "Arb"), through("2025-05-02"))
    assert books.moved(ACCRUED, "USDT") == {"2025-05-01": "1.50", "2025-05-02": "0.75"}
    arb = books.moved("Assets:Backpack:Arb:AccruedYield", "USDT")
    assert arb == {"2025-05-01": "1.50", "2025-05-02": "2.25"}
    assert books.moved(PAYABLE, "USDT") == dict.fromkeys(["2025-05-01", "2025-05-02"], "-3.00")


def test_three_holders_of_the_same_get_the_same() -> None:
    # 3.00 over 3 * 240,000: 1.00 each but for the growth's last digit, rounded down:
    # 416666666666666 * 240,000 = 99.99999999999984 quanta. 3 quanta are left over for day 2, when
    # D = 303 gives 100.99999999999992 and the carry: 101 each, left over 0.
    others = "".join(
        ARB.replace("Arb", name) + deposit("100", "2025-05-01", name) for name in ("Bob", "Cid")
    )
    books = book(PLAIN, others, through("2025-05-03"))
    assert list(distributed(books).values()) == ["2.97", "3.03", "3.00"]
    for name in ("Main", "Bob", "Cid"):
        account = f"Assets:Backpack:{name}:AccruedYield"
        assert list(books.moved(account, "USDT").values()) == ["0.99", "1.01", "1.00"]


def test_income_of_days_without_a_holder_is_left_over() -> None:
    # Bought on 05-01, lent from 05-03 on: D = 3 + 3 + 3 on the first day of a holder.
    books = book(FRAME, STRAIGHT, ONE, deposit("100", "2025-05-03"), through("2025-05-04"))
    assert accretion(books) == dict.fromkeys(days("2025-05-01", "2025-05-04"), "3.00")
    assert distributed(books) == {"2025-05-03": "9.00", "2025-05-04": "3.00"}


def test_days_on_which_all_have_left_are_left_over_too() -> None:
    books = book(
        PLAIN,
        deposit("-100", "2025-05-02"),
        deposit("100", "2025-05-04"),
        through("2025-05-05"),
    )
    assert distributed(books) == {
        "2025-05-01": "3.00",
        "2025-05-04": "9.00",
        "2025-05-05": "3.00",
    }


def test_what_is_left_over_is_shown() -> None:
    books = book(FRAME, STRAIGHT, ONE, deposit("100", "2025-05-03"), through("2025-05-04"))
    shown = [
        {key: value for leg in entry.postings for key, value in (leg.meta or {}).items()}.get(
            "left-over-after"
        )
        for entry in books.generated("treasury")
        if entry.meta["usance"].endswith("/TBill")
    ]
    assert [Decimal(amount) for amount in shown if amount is not None] == [3, 6, 0, 0]


def test_a_holder_that_is_not_enrolled_gets_nothing() -> None:
    out = ARB.replace("TRUE", "TRUE\n  earn: FALSE") + deposit("200", "2025-05-01", "Arb")
    books = book(PLAIN, out, through("2025-05-02"))
    assert set(books.moved(ACCRUED, "USDT").values()) == {"3.00"}


def test_holders_at_another_venue_get_nothing() -> None:
    other = """
2023-01-01 custom "sub-account" "BybitMain" Assets:Bybit:Main
  auto-lend: TRUE
2025-05-01 * "Deposit"
  Assets:Bybit:Main:Wallet  200 USDT
  Assets:Bank
"""
    books = book(PLAIN, other, through("2025-05-01"))
    assert books.ids("treasury") == ["treasury/2025-05-01/Main", "treasury/2025-05-01/TBill"]
    assert books.moved(ACCRUED, "USDT") == {"2025-05-01": "3.00"}


def test_each_venue_has_a_product_of_its_own_for_a_coin() -> None:
    other = (STRAIGHT + buy("2025-05-01", "3000", "B1", "0.972")).replace("Backpack", "Bybit")
    books = book(
        PLAIN,
        other.replace("TBill", "TBybit"),
        """
2023-01-01 custom "sub-account" "BybitMain" Assets:Bybit:Main
  auto-lend: TRUE
2025-05-01 * "Deposit"
  Assets:Bybit:Main:Wallet  200 USDT
  Assets:Bybit:Treasury:Cash  3000 USDT
  Assets:Bank
""",
        through("2025-05-01"),
    )
    assert books.ids("treasury") == [
        "treasury/2025-05-01/BybitMain",
        "treasury/2025-05-01/Main",
        "treasury/2025-05-01/TBill",
        "treasury/2025-05-01/TBybit",
    ]
    assert books.moved(ACCRUED, "USDT") == {"2025-05-01": "3.00"}
    assert books.moved("Assets:Bybit:Main:AccruedYield", "USDT") == {"2025-05-01": "3.00"}


def test_nothing_is_distributed_that_was_not_earned() -> None:
    """At no day more than a quantum for each holder, and never more at the end of the bills."""
    subs = ("Arb", "Bob", "Cid", "Dan")
    others = "".join(
        ARB.replace("Arb", name) + deposit(f"{count}7.13", "2025-05-01", name)
        for count, name in enumerate(subs, 1)
    )
    books = book(
        FRAME,
        product("fee: 0.15"),
        ONE,
        HOLDER,
        others,
        through("2025-06-10"),
    )
    given = fees = Fraction(0)
    earned = Fraction(0)
    for day in days("2025-05-01", "2025-06-10"):
        income = Fraction(accretion(books).get(day, "0"))
        fee = -(-income * 100 * Fraction("0.15") // 1) / Fraction(100)
        earned, fees = earned + income, fees + fee
        given += Fraction(distributed(books).get(day, "0"))
        assert given < earned - fees + 5 * Fraction("0.01")
    assert earned == 84
    assert -Fraction("0.05") < earned - fees - given < Fraction("0.05")


# Payouts and cash


def test_a_weekly_payout_of_two_holders_is_one_of_the_product() -> None:
    # Thursday 05-01 is a period of its own. In the second Main holds 101.50, Arb 201.50.
    books = book(
        FRAME,
        product('accretion: "straight-line"', payout="weekly"),
        ONE,
        HOLDER,
        ARB,
        deposit("200", "2025-05-01 12:00", "Arb"),
        through("2025-05-02"),
    )
    assert books.ids("payout") == [
        "payout/2025-05-02/Arb",
        "payout/2025-05-02/Main",
        "payout/2025-05-02/TBill",
    ]
    assert books.legs("payout/2025-05-02/TBill") == [
        f"{PAYABLE} 3.00 USDT",
        f"{CASH} -3.00 USDT",
    ]
    assert books.balance("Equity:Backpack:Main:Uses:Yield", "USDT") == Decimal("101.50")


def test_payable_is_what_the_holders_have_accrued() -> None:
    books = book(
        FRAME,
        product('accretion: "straight-line"', "fee: 0.1", payout="weekly"),
        ONE,
        HOLDER,
        ARB,
        deposit("33.33", "2025-05-02 11:11", "Arb"),
        through("2025-06-06"),
    )
    for day in days("2025-05-01", "2025-06-06"):
        owed = sum(
            books.balance(f"Assets:Backpack:{name}:AccruedYield", "USDT", day)
            for name in ("Main", "Arb")
        )
        assert books.balance(PAYABLE, "USDT", day) == -owed


def test_cash_below_zero_at_a_payout_is_a_finding() -> None:
    poor = PLAIN.replace("Cash  100000", "Cash  2950")
    book(poor, through("2025-05-31"))
    books = load(poor + through("2025-06-01"))
    [message] = books.messages  # 2950 - 2916 = 34, less 84
    assert message.startswith("finding: ")
    assert "-50 USDT" in message
    assert books.balance(CASH, "USDT") == -50
    # Once, not again on the days that follow.
    assert len(load(poor + through("2025-06-05")).messages) == 1


DAILY = FRAME + product('accretion: "straight-line"', payout="daily") + ONE + HOLDER
"""The bill accretes 3.00 a day, which is paid on the day after."""


def short_on(*parts: str) -> list[str]:
    """Return the days on which a Cash below zero is told."""
    messages = "\n".join(load("".join(parts)).messages)
    return re.findall(r"Cash is -\S+ USDT at the end of (\S+)\.", messages)


def test_a_product_short_of_cash_tells_it_once_for_a_run_of_days() -> None:
    """4 are left on the 1st, and 3 go each day; 50 more last from the 10th to the 19th."""
    poor = DAILY.replace("Cash  100000", "Cash  2920")
    assert short_on(poor, through("2025-05-20")) == ["2025-05-03"]
    more = f'\n2025-05-10 * "More"\n  {CASH}  50 USDT\n  Assets:Bank  -50 USDT\n'
    assert short_on(poor, more, through("2025-05-25")) == ["2025-05-03", "2025-05-20"]


def test_a_product_that_is_short_in_closed_days_tells_it_no_more(tmp_path: Path) -> None:
    """A load after the 4th is closed tells what a load from the first day tells."""
    poor = DAILY.replace("Cash  100000", "Cash  2920") + through("2025-05-20")
    folder = closed_folder(tmp_path, poor)
    accrue(folder, "2025-05-04")
    assert load_file(folder).messages == []


def test_a_product_that_pays_more_than_it_has_for_a_bill_tells_it_that_evening() -> None:
    """The bill costs 2916; the payout of June does not tell it again."""
    poor = PLAIN.replace("Cash  100000", "Cash  2915")
    assert short_on(poor, through("2025-06-05")) == ["2025-05-01"]


def pays(day: str, amount: str, accrued: str, sub: str = "Main") -> str:
    """Write what the venue really paid, the product's side included."""
    variance = Decimal(amount) - Decimal(accrued)
    root = f"Backpack:{sub}"
    lines = [
        f'{day} * "Paid"',
        '  pays: "TBill 2025-05"',
        f"  Assets:{root}:Wallet  {amount} USDT",
        f"  Assets:{root}:AccruedYield  -{accrued} USDT",
        f"  {PAYABLE}  {accrued} USDT",
        f"  {CASH}  -{amount} USDT",
    ]
    if variance:
        lines.append(f"  Income:{root}:Treasury  {-variance} USDT")
        lines.append(f"  {DISTRIBUTED}  {variance} USDT")
    return "\n" + "\n".join(lines) + "\n"


def test_a_payout_by_a_person_moves_cash_and_payable_itself() -> None:
    books = book(PLAIN, pays("2025-06-02", "84", "84"), through("2025-06-03"))
    assert books.ids("payout") == []
    assert books.balance(PAYABLE, "USDT") == 0
    assert books.balance(ACCRUED, "USDT") == 0
    assert books.balance(CASH, "USDT") == 100_000 - 2916 - 84


def test_the_product_pays_the_other_holders() -> None:
    # 28 days, each 0.75 for Main and 2.25 for Arb.
    books = book(
        PLAIN,
        ARB,
        deposit("300", "2025-05-01", "Arb"),
        pays("2025-06-02", "60", "63", "Arb"),
        through("2025-06-03"),
    )
    assert books.ids("payout") == ["payout/2025-06-01/Main", "payout/2025-06-01/TBill"]
    assert books.legs("payout/2025-06-01/TBill") == [
        f"{PAYABLE} 21.00 USDT",
        f"{CASH} -21.00 USDT",
    ]
    assert books.balance(PAYABLE, "USDT") == 0
    assert books.balance("Income:Backpack:Arb:Treasury", "USDT") == -60


# Findings


@pytest.mark.parametrize(
    ("taken", "balance"),
    [("0", "32"), ("9.99", "22.01"), ("10.01", "21.99")],
)
def test_an_accretion_that_differs_is_a_finding_with_its_number(taken: str, balance: str) -> None:
    """2,000 left after 11 days have accreted 22.00."""
    text = PLAIN + sell("2025-05-11", "1000", "B1 0.972", taken, "983")
    books = load(text + through("2025-05-11"))
    [message] = books.messages
    assert message.startswith("finding: ")
    assert " 22 USDT" in message
    assert f" {balance} USDT" in message
    assert len(load(text + through("2025-05-20")).messages) == 1


def test_a_maturity_that_leaves_its_accretion_is_a_finding() -> None:
    left = mature("2025-05-29", "3000", "B1", "0.972").replace(
        ACCRETION, "Income:Backpack:Treasury:PnL"
    )
    [message] = load(PLAIN + left + through("2025-05-30")).messages
    assert message.startswith("finding: ")
    assert " 84 USDT" in message


def test_findings_do_not_stop_the_posting(tmp_path: Path) -> None:
    text = PLAIN + sell("2025-05-11", "1000", "B1 0.972", "0", "983") + through("2025-05-20")
    ledger = closed_folder(tmp_path / "books", text)
    accrue(ledger, "2025-05-20")
    posted = (ledger.parent / "posted" / "2025-05.beancount").read_text()
    assert posted.count("day-close") == 20
    assert posted.count("findings:") == 1
    load_file(ledger).clean()  # a closed day reports none again


# Errors


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (PLAIN.replace("  maturity: 2025-05-29\n", ""), ["B1", "maturity"]),
        (PLAIN.replace("maturity: 2025-05-29", 'maturity: "soon"'), ["maturity", "soon"]),
        (PLAIN.replace("maturity: 2025-05-29", "maturity: 2025-05-01"), ["B1", "2025-05-01"]),
        (PLAIN.replace("{0.972 USDT}", "{0.972 USDC}"), ["USDC", "USDT"]),
        (PLAIN.replace("B1 {0.972 USDT}", "B1 @ 0.972 USDT"), ["B1"]),
        (PLAIN.replace('"straight-line"', '"linear"'), ["linear"]),
        (PLAIN.replace(STRAIGHT, product("fee: 1.5")), ["1.5"]),
        (PLAIN.replace(STRAIGHT, product("fee: -0.1")), ["-0.1"]),
        (PLAIN.replace("  bills: Assets:Backpack:Treasury:Bills\n", ""), ["bills"]),
        (PLAIN.replace('  payout: "monthly"\n', ""), ["payout"]),
    ],
)
def test_a_wrong_text_is_one_error_and_nothing_is_generated(wrong: str, words: list[str]) -> None:
    assert wrong != PLAIN
    books = load(wrong + through("2025-05-02"))
    [message] = [text for text in books.messages if "does not balance" not in text]
    assert [word for word in words if word not in message] == []
    assert books.ids("treasury") == []


def test_an_observed_product_for_the_same_coin_is_an_error() -> None:
    other = (
        '\n2023-01-01 custom "yield-product" "USD"\n  asset: "USDT"\n  source: "observed"\n'
        '  payout: "daily"\n2023-01-01 custom "treasury-rate" "USD" 0.04\n'
    )
    messages = load(PLAIN + other + through("2025-05-02")).messages
    assert len(messages) == 1
    assert "USDT" in messages[0]


def test_accounts_of_a_product_belong_to_no_sub_account_and_are_no_stray_ones() -> None:
    assert load(PLAIN + through("2025-05-02")).messages == []
    stray = FRAME + ONE + HOLDER  # the same accounts without the product
    assert load(stray + through("2025-05-02")).messages != []


# Closed days


RICH = (
    FRAME.replace('"USDT" 0 0', '"USDT" 0.0412 0.0630')
    .replace("quantum: 0.01", "quantum: 0.000001")
    .replace("2023-01-01 *", "2025-04-28 *")
    + ARB
    + bill("B1", "2025-05-12")
    + bill("B2", "2025-07-31")
    + buy("2025-04-28", "3000", "B1", "0.9723451")
    + buy("2025-05-05", "777", "B2", "0.98")
    + mature("2025-05-12", "3000", "B1", "0.9723451")
    + deposit("1000", "2025-04-29 08:15")
    + deposit("333.3333333", "2025-05-01 14:00", "Arb")
    + deposit("-400.0000005", "2025-05-03 10:10")
    + through("2025-05-14")
)


@pytest.mark.parametrize(("payout", "step"), [("daily", 2), ("weekly", 3), ("monthly", 6)])
def test_closed_days_are_the_virtual_ones(payout: str, step: int, tmp_path: Path) -> None:
    text = RICH + product("fee: 0.15", payout=payout)
    virtual = book(text)
    ledger = closed_folder(tmp_path / "closed", text)
    once = closed_folder(tmp_path / "once", text)
    every = days("2025-04-28", "2025-05-14")
    for day in every[step - 1 :: step]:
        accrue(ledger, day)
        assert load_file(ledger).clean().text() == virtual.text()
    accrue(ledger, every[-1])
    accrue(once, every[-1])
    assert posted_bytes(ledger) == posted_bytes(once)
    assert load_file(once).clean().text() == virtual.text()


def test_closed_days_load_in_a_plain_beancount(tmp_path: Path) -> None:
    ledger = closed_folder(tmp_path / "closed", RICH + product("fee: 0.15", payout="weekly"))
    accrue(ledger, "2025-05-14")
    before = load_file(ledger).clean().text()
    text = ledger.read_text()
    assert text.count('plugin "usance.plugins"\n') == 1
    ledger.write_text(text.replace('plugin "usance.plugins"\n', ""))
    assert load_file(ledger).clean().text() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("maturity: 2025-07-31", "maturity: 2025-08-07"),
        ("fee: 0.15", "fee: 0.10"),
        ("777 B2", "778 B2"),
        ("Cash  100000", "Cash  100001"),
        ("Cash  3000", "Cash  3000.5"),
        ('payout: "weekly"', 'payout: "daily"'),
    ],
)
def test_an_input_that_changes_is_found_and_corrected(old: str, new: str, tmp_path: Path) -> None:
    text = RICH + product("fee: 0.15", payout="weekly")
    ledger = closed_folder(tmp_path / "closed", text)
    accrue(ledger, "2025-05-10")
    ledger.write_text(ledger.read_text().replace(old, new))
    messages = load_file(ledger).messages
    assert messages
    assert not [message for message in messages if "Traceback" in message]
    accrue(ledger, "2025-05-14", "--correct")
    books, fresh = load_file(ledger), load(text.replace(old, new))
    # A finding may come of the edit, and is told of the fresh books alone: its day is closed.
    assert books.messages == []
    differing = {
        leg.account
        for entry in fresh.transactions
        for leg in entry.postings
        if books.balance(leg.account, "USDT") != fresh.balance(leg.account, "USDT")
    }
    assert differing == set()
