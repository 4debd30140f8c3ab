"""Settlement: what contracts earned or lost is paid at the end of the day, in their settle coin.

Each ledger is worked by hand; the arithmetic stands in a comment beside what it comes to. Without
interest (both rates are 0) unless a test is about it.
"""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from beancount.parser import printer
from margin_books import HEAD, LONG, POOR, TERMS, TETHER, books, plain, through

from usance.rules import settlement

# A day's result


def test_a_loss_and_a_gain_are_paid_at_the_day_s_mark(tmp_path: Path) -> None:
    """What is owed in Perp is always the value at the last mark; no result, no transaction."""
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 price SOL-PERP 148 USDC
        2025-05-02 price SOL-PERP 151 USDC
        2025-05-03 price SOL-PERP 151 USDC
        """,
        through("2025-05-03"),
    )
    assert made.told() == []
    # 50 * 148 - 7500 = -100, then 50 * 151 - 7400 = 150, then nothing.
    assert made.ids("settlement") == ["settlement/2025-05-01/Main", "settlement/2025-05-02/Main"]
    assert made.legs("settlement/2025-05-01/Main") == [
        "Assets:Main:Wallet -100.000000 USDC",
        "Assets:Main:Perp 100.000000 USDC",
    ]
    assert made.proof("settlement/2025-05-01/Main") == {
        "quantity": "50 SOL-PERP",
        "mark": "148",
        "value": "7400",
        "balance": "-7500",
    }
    assert made.legs("settlement/2025-05-02/Main") == [
        "Assets:Main:Wallet 150.000000 USDC",
        "Assets:Main:Perp -150.000000 USDC",
    ]
    assert made.proof("settlement/2025-05-02/Main")["balance"] == "-7400"
    assert made.held("Assets:Main:Wallet", "2025-05-01") == {"USDC": 900}
    assert made.held("Assets:Main:Wallet") == {"USDC": 1050}
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": 50, "USDC": -7550}


def test_a_short_gains_where_the_mark_falls(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        """\
        2025-05-01 * "Short 50 at 150"
          Assets:Backpack:Main:Perp      -50 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp     7500 USDC
        2025-05-01 price SOL-PERP 148 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    # -50 * 148 + 7500 = 100
    assert made.legs("settlement/2025-05-01/Main")[0] == "Assets:Main:Wallet 100.000000 USDC"
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": -50, "USDC": 7400}


def test_the_mark_is_the_last_one_on_or_before_the_day(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-04-30 price SOL-PERP 149 USDC
        2025-05-02 price SOL-PERP 148 USDC
        2025-05-04 price SOL-PERP 140 USDC
        """,
        through("2025-05-03"),
    )
    assert made.told() == []
    # 50 * 149 - 7500 = -50, 50 * 148 - 7450 = -50, on the third the mark of the second.
    assert [made.proof(name)["mark"] for name in made.ids("settlement")] == ["149", "148"]
    assert made.held("Assets:Main:Wallet") == {"USDC": 900}


def test_a_mark_may_come_over_another_currency(tmp_path: Path) -> None:
    """SOL-PERP in USD, and USDC in USD: 148.5 / 0.99 = 150."""
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 price SOL-PERP 148.5 USD
        2025-05-01 price USD 2 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    # 148.5 * 2 = 297; 50 * 297 - 7500 = 7350
    assert made.proof("settlement/2025-05-01/Main")["mark"] == "297"
    assert made.held("Assets:Main:Wallet") == {"USDC": 8350}


# A shortfall, and its repayment


def test_a_shortfall_is_borrowed_at_once_and_a_gain_repays_at_once(tmp_path: Path) -> None:
    """On the same day, without its interest: that counts from 00:00 of the next."""
    made = books(
        tmp_path,
        POOR,
        LONG,
        """\
        2025-05-01 price SOL-PERP 145 USDC
        2025-05-02 price SOL-PERP 147 USDC
        2025-05-03 price SOL-PERP 149 USDC
        """,
        through("2025-05-03"),
    )
    # First: 50 * 145 - 7500 = -250, of which the wallet has 100.
    assert made.legs("borrowing/2025-05-01/Main") == [
        "Assets:Main:Wallet 150.000000 USDC",
        "Liabilities:Main:Borrowed -150.000000 USDC",
    ]
    assert made.held("Assets:Main:Wallet", "2025-05-01") == {}
    # Second: 24 hours on 150 at 0.0365: 150 * 0.000100004791813082 = 0.015000718..., rounded up,
    # and 50 * 147 - 7250 = 100 repays 100.
    assert made.legs("borrowing/2025-05-02/Main") == [
        "Assets:Main:Wallet -100.000000 USDC",
        "Liabilities:Main:Borrowed 100.000000 USDC",
        "Expenses:Main:Interest 0.015001 USDC",
        "Liabilities:Main:Borrowed -0.015001 USDC",
    ]
    assert made.held("Liabilities:Main:Borrowed", "2025-05-02") == {"USDC": Decimal("-50.015001")}
    # Third: 50.015001 * 0.000100004791813082 = 0.005001739..., less the 0.000000281... paid too
    # much the day before: 0.005001458..., rounded up 0.005002. The gain of 100 repays 50.020003.
    assert made.legs("borrowing/2025-05-03/Main") == [
        "Assets:Main:Wallet -50.020003 USDC",
        "Liabilities:Main:Borrowed 50.020003 USDC",
        "Expenses:Main:Interest 0.005002 USDC",
        "Liabilities:Main:Borrowed -0.005002 USDC",
    ]
    assert made.held("Liabilities:Main:Borrowed") == {}
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("49.979997")}


def test_a_shortfall_without_auto_borrow_is_an_error(tmp_path: Path) -> None:
    """One error for all days; the wallet stays negative, other coins do not step in for it."""
    made = books(
        tmp_path,
        POOR.replace("auto-borrow: TRUE", "auto-borrow: FALSE"),
        TETHER,
        LONG,
        """\
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet   1000 USDT
          Assets:Bank
        2025-05-01 price SOL-PERP 147.5 USDC
        2025-05-02 price SOL-PERP 147 USDC
        """,
        through("2025-05-02"),
    )
    # 50 * 147.5 - 7500 = -125
    [told] = made.told()
    at = made.line('custom "sub-account"')
    assert told.startswith(
        f'main.beancount:{at}: The wallet of sub-account "Main" lacks 25.000000 USDC on '
        "2025-05-01, and the sub-account may not borrow."
    )
    assert made.ids("borrowing") == []
    assert made.held("Assets:Main:Wallet") == {"USDC": -50, "USDT": 1000}


def test_a_gain_does_not_repay_where_repaying_is_off(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        POOR.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  auto-repay: FALSE"),
        LONG,
        """\
        2025-05-01 price SOL-PERP 145 USDC
        2025-05-02 price SOL-PERP 147 USDC
        """,
        through("2025-05-02"),
    )
    assert made.held("Assets:Main:Wallet") == {"USDC": 100}
    assert made.held("Liabilities:Main:Borrowed") == {"USDC": Decimal("-150.015001")}


def test_a_settlement_repays_and_borrows_its_own_coin_only(tmp_path: Path) -> None:
    """A gain in USDC leaves a borrow of USDT, and USDT in the wallet pay no loss in USDC."""
    made = books(
        tmp_path,
        TERMS,
        TETHER,
        LONG,
        """\
        2025-05-01 * "Withdraw"
          Assets:Backpack:Main:Wallet   -300 USDT
          Assets:Bank                    300 USDT
        2025-05-01 price SOL-PERP 152 USDC
        2025-05-02 * "Withdraw, deposit"
          Assets:Backpack:Main:Wallet  -1100 USDC
          Assets:Backpack:Main:Wallet    500 USDT
          Assets:Bank                   1100 USDC
          Assets:Bank                   -500 USDT
        2025-05-02 price SOL-PERP 151 USDC
        """,
        through("2025-05-02"),
    )
    # First: 300 USDT are borrowed, and 50 * 152 - 7500 = 100 USDC come in.
    assert made.held("Assets:Main:Wallet", "2025-05-01") == {"USDC": 1100}
    assert made.held("Liabilities:Main:Borrowed", "2025-05-01") == {"USDT": -300}
    # Second: the deposit repays the 300 USDT; the loss of 50 USDC is borrowed beside 200 USDT.
    assert made.held("Assets:Main:Wallet") == {"USDT": 200}
    assert made.held("Liabilities:Main:Borrowed") == {"USDC": -50}


# Several contracts and coins


def test_contracts_of_one_coin_settle_together_and_each_coin_by_itself(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        TETHER,
        LONG,
        """\
        2025-05-01 custom "perpetual" "BTC-PERP"
          settle: USDC
          initial-margin: 0.10
          maintenance-margin: 0.05
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  1000 USDT
          Assets:Bank
        2025-05-01 * "Short 0.1 at 60000"
          Assets:Backpack:Main:Perp    -0.1 BTC-PERP {60000 USDC}
          Assets:Backpack:Main:Perp    6000 USDC
        2025-05-01 * "Open 2 at 2500"
          Assets:Backpack:Main:Perp       2 ETH-PERP {2500 USDT}
          Assets:Backpack:Main:Perp   -5000 USDT
        2025-05-01 price SOL-PERP 152 USDC
        2025-05-01 price BTC-PERP 61000 USDC
        2025-05-01 price ETH-PERP 2480.5 USDT
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    # 50 * 152 - 0.1 * 61000 = 1500 USDC, and 6000 - 7500 = -1500 in Perp: nothing is due.
    # And 2 * 2480.5 - 5000 = -39 of USDT.
    assert made.legs("settlement/2025-05-01/Main") == [
        "Assets:Main:Wallet -39.000000 USDT",
        "Assets:Main:Perp 39.000000 USDT",
    ]
    made = made.edited("SOL-PERP 152 USDC", "SOL-PERP 151 USDC")
    # Now 50 * 151 - 6100 - 1500 = -50 of USDC.
    assert made.legs("settlement/2025-05-01/Main") == [
        "Assets:Main:Wallet -50.000000 USDC",
        "Assets:Main:Perp 50.000000 USDC",
        "Assets:Main:Wallet -39.000000 USDT",
        "Assets:Main:Perp 39.000000 USDT",
    ]
    assert made.proof("settlement/2025-05-01/Main") == {
        "quantity": "-0.1 BTC-PERP 50 SOL-PERP",
        "mark": "61000 151",
        "value": "1450",
        "balance": "-1500",
    }
    # 10 % of 7550 + 6100 + 4961 (USDT at 1 USDC) = 1861.10
    assert made.legs("margin/2025-05-01/Main")[0] == "Equity:Main:Uses:Margin 1861.10 USDC"


def test_two_sub_accounts_settle_for_themselves(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
        2025-05-01 * "Deposit"
          Assets:Backpack:Arb:Wallet   1000 USDC
          Assets:Bank                 -1000 USDC
        2025-05-01 * "Short 10 at 150"
          Assets:Backpack:Arb:Perp      -10 SOL-PERP {150 USDC}
          Assets:Backpack:Arb:Perp     1500 USDC
        2025-05-01 price SOL-PERP 148 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    assert made.held("Assets:Main:Wallet") == {"USDC": 900}
    assert made.held("Assets:Arb:Wallet") == {"USDC": 1020}  # -10 * 148 + 1500 = 20


# Trades within a day


def test_a_trade_after_23_00_settles_on_its_own_day(tmp_path: Path) -> None:
    """The loss leaves the wallet that day; what is lent is less from the next day on."""
    made = books(
        tmp_path,
        TERMS.replace("auto-borrow", "auto-lend").replace('"USDC" 0 0', '"USDC" 0.0365 0.0730'),
        LONG.replace('150"\n', '150"\n  time: "23:30"\n'),
        "2025-05-01 price SOL-PERP 148 USDC\n",
        through("2025-05-02"),
    )
    assert made.told() == []
    assert made.held("Assets:Main:Wallet", "2025-05-01") == {"USDC": Decimal("900.100004")}
    # 1000 * 0.000100004791813082 = 0.100004..., and 900.100004 are lent at the end.
    assert made.legs("lending/2025-05-01/Main") == [
        "Assets:Main:Wallet 0.100004 USDC",
        "Income:Main:Interest -0.100004 USDC",
        "Equity:Main:Uses:Lent 900.100004 USDC",
        "Equity:Main:Uses:Capital -900.100004 USDC",
    ]
    # 900.100004 * 0.000100004791813082 = 0.090014313..., with what was carried 0.090015105...
    assert made.legs("lending/2025-05-02/Main")[0] == "Assets:Main:Wallet 0.090015 USDC"


def test_a_part_closed_takes_its_result_to_pnl_and_the_rest_settles(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 price SOL-PERP 148 USDC
        2025-05-02 * "Close 20 at 149"
          Assets:Backpack:Main:Perp     -20 SOL-PERP {} @ 149 USDC
          Assets:Backpack:Main:Perp    2980 USDC
          Income:Backpack:Main:PnL       20 USDC
        2025-05-02 price SOL-PERP 149.5 USDC
        """,
        through("2025-05-02"),
    )
    assert made.told() == []
    # 30 * 149.5 = 4485; -7400 + 2980 = -4420; due 65: 20 * (149 - 148) + 30 * (149.5 - 148).
    assert made.proof("settlement/2025-05-02/Main") == {
        "quantity": "30 SOL-PERP",
        "mark": "149.5",
        "value": "4485",
        "balance": "-4420",
    }
    assert made.held("Assets:Main:Wallet") == {"USDC": 965}
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": 30, "USDC": -4485}


FINE = """\
2025-05-01 * "Open 0.5 at 150.0000007"
  Assets:Backpack:Main:Perp             0.5 SOL-PERP {150.0000007 USDC}
  Assets:Backpack:Main:Perp    -75.00000035 USDC
2025-05-01 price SOL-PERP 148.1234567 USDC
2025-05-02 * "Close 0.5 at 149.0000009"
  Assets:Backpack:Main:Perp            -0.5 SOL-PERP {} @ 149.0000009 USDC
  Assets:Backpack:Main:Perp     74.50000045 USDC
  Income:Backpack:Main:PnL       0.4999999 USDC
"""


def test_a_close_leaves_perp_empty_to_the_last_digit(tmp_path: Path) -> None:
    """Though marks and notionals are finer than the quantum: the last balance is paid whole."""
    made = books(tmp_path, TERMS, FINE, through("2025-05-03"))
    assert made.told() == []
    # 0.5 * 148.1234567 - 75.00000035 = -0.938272 (no more digits)
    assert made.legs("settlement/2025-05-01/Main")[0] == "Assets:Main:Wallet -0.938272 USDC"
    # -75.00000035 + 0.938272 + 74.50000045 = 0.4382721: whole, finer than the quantum.
    assert made.proof("settlement/2025-05-02/Main") == {"balance": "0.4382721"}
    assert made.held("Assets:Main:Perp") == {}
    # 1000 - 0.4999999, what PnL says too
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("999.5000001")}
    assert made.ids("settlement") == ["settlement/2025-05-01/Main", "settlement/2025-05-02/Main"]


def test_the_text_of_a_day_does_not_depend_on_later_digits(tmp_path: Path) -> None:
    """Missed days that are caught up give the bytes of daily runs."""
    later = """\
    2025-05-04 * "Deposit of many digits"
      Assets:Backpack:Main:Wallet   0.123456789012 USDC
      Assets:Bank
    """
    daily = books(tmp_path / "daily", TERMS, FINE, through("2025-05-02"))
    late = books(tmp_path / "late", TERMS, FINE, later, through("2025-05-04"))
    assert daily.legs("settlement/2025-05-02/Main") == [
        "Assets:Main:Wallet 0.4382721 USDC",
        "Assets:Main:Perp -0.4382721 USDC",
    ]
    assert daily.legs("settlement/2025-05-02/Main") == late.legs("settlement/2025-05-02/Main")


def test_opened_and_closed_on_one_day(tmp_path: Path) -> None:
    """No mark is needed: nothing is open at its end."""
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 * "Close 50 at 149"
          time: "10:00"
          Assets:Backpack:Main:Perp     -50 SOL-PERP {} @ 149 USDC
          Assets:Backpack:Main:Perp    7450 USDC
          Income:Backpack:Main:PnL       50 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    assert made.held("Assets:Main:Wallet") == {"USDC": 950}
    assert made.held("Assets:Main:Perp") == {}
    assert made.ids("margin") == []


def test_a_flip_from_long_to_short(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 price SOL-PERP 148 USDC
        2025-05-02 * "Close 50, short 10, at 151"
          Assets:Backpack:Main:Perp     -50 SOL-PERP {} @ 151 USDC
          Assets:Backpack:Main:Perp     -10 SOL-PERP {151 USDC}
          Assets:Backpack:Main:Perp    9060 USDC
          Income:Backpack:Main:PnL      -50 USDC
        2025-05-02 price SOL-PERP 152 USDC
        """,
        through("2025-05-02"),
    )
    assert made.told() == []
    # -10 * 152 = -1520; -7400 + 9060 = 1660; due 140: 50 * (151 - 148) - 10 * (152 - 151).
    assert made.legs("settlement/2025-05-02/Main")[0] == "Assets:Main:Wallet 140.000000 USDC"
    assert made.held("Assets:Main:Wallet") == {"USDC": 1040}  # 50 - 10 from the beginning
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": -10, "USDC": 1520}


# Rounding


@pytest.mark.parametrize(
    ("mark", "due"),
    [
        ("150.000001", None),  # 0.0000005 is as far from 0.000000, which is even
        ("150.0000011", "0.000001"),  # 0.00000055
        ("150.000003", "0.000002"),  # 0.0000015: as far from 0.000001, which is odd
        ("150.000005", "0.000002"),  # 0.0000025
        ("149.999999", None),  # -0.0000005
        ("149.999997", "-0.000002"),  # -0.0000015
    ],
)
def test_what_is_due_is_rounded_half_even_to_the_quantum(
    tmp_path: Path, mark: str, due: str | None
) -> None:
    made = books(
        tmp_path,
        TERMS,
        f"""\
        2025-05-01 * "Open 0.5 at 150"
          Assets:Backpack:Main:Perp    0.5 SOL-PERP {{150 USDC}}
          Assets:Backpack:Main:Perp    -75 USDC
        2025-05-01 price SOL-PERP {mark} USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    legs = [] if due is None else [f"Assets:Main:Wallet {due} USDC"]
    assert made.legs("settlement/2025-05-01/Main")[:1] == legs


def test_the_quantum_may_be_any_number(tmp_path: Path) -> None:
    """Where nobody states it, 0.00000001."""
    late = """\
    2025-05-01 * "Open 0.5 at 150"
      Assets:Backpack:Main:Perp    0.5 SOL-PERP {150 USDC}
      Assets:Backpack:Main:Perp    -75 USDC
    2025-05-01 price SOL-PERP 150.00000003 USDC
    """
    terms = TERMS.replace("commodity USDC\n  quantum: 0.000001", "commodity USDC")
    made = books(tmp_path / "a", terms, late, through("2025-05-01"))
    # 0.000000015 is half-way between 1 and 2 of 0.00000001: the even one.
    assert made.legs("settlement/2025-05-01/Main")[0] == "Assets:Main:Wallet 0.00000002 USDC"
    terms = TERMS.replace("0.000001", "0.05")
    made = books(
        tmp_path / "b", terms, late.replace("150.00000003", "150.35"), through("2025-05-01")
    )
    # 0.175 is half-way between 3 and 4 times 0.05: the even one, 0.20.
    assert made.legs("settlement/2025-05-01/Main")[0] == "Assets:Main:Wallet 0.20 USDC"


# A settle coin that is not the operating currency


def test_a_settle_coin_below_one_settles_in_coins_and_is_margin_at_its_price(
    tmp_path: Path,
) -> None:
    """Of weight 0.9: a result counts in full while it is not paid, and by its weight after."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "0.01 USDC"),
        TETHER.replace("weight: 1", "weight: 0.9").replace("USDT 1 USDC", "USDT 0.95 USDC"),
        """\
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  1000 USDT
          Assets:Bank
        2025-05-01 * "Open 2 at 2500"
          Assets:Backpack:Main:Perp       2 ETH-PERP {2500 USDT}
          Assets:Backpack:Main:Perp   -5000 USDT
        2025-05-01 price ETH-PERP 2550 USDT
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    # 2 * 2550 - 5000 = 100 USDT, whatever USDT is worth.
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("0.01"), "USDT": 1100}
    # Exposure 5100 USDT * 0.95 = 4845, initial margin 484.5, maintenance 242.25; net equity
    # 1100 * 0.95 * 0.9 + 0.01 = 940.51, where 1000 * 0.95 * 0.9 + 95.01 were 950.01 before.
    assert made.proof("margin/2025-05-01/Main") == {
        "net-equity": "940.51",
        "exposure": "4845",
        "initial-margin": "484.5",
        "maintenance-margin": "242.25",
    }
    assert made.legs("margin/2025-05-01/Main") == [
        "Equity:Main:Uses:Margin 484.50 USDC",
        "Equity:Main:Uses:Capital -484.50 USDC",
    ]


# Margin


def test_the_margin_memorandum_takes_the_change_rounded_half_even_to_a_cent(
    tmp_path: Path,
) -> None:
    made = books(
        tmp_path,
        TERMS,
        """\
        2025-05-01 * "Open 1 at 150"
          Assets:Backpack:Main:Perp       1 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp    -150 USDC
        2025-05-01 price SOL-PERP 150.25 USDC
        2025-05-02 price SOL-PERP 150.35 USDC
        2025-05-03 price SOL-PERP 150.36 USDC
        2025-05-04 * "Close at 150"
          Assets:Backpack:Main:Perp      -1 SOL-PERP {} @ 150 USDC
          Assets:Backpack:Main:Perp     150 USDC
        """,
        through("2025-05-05"),
    )
    assert made.told() == []
    # 15.025 is 15.02, 15.035 is 15.04, 15.036 is 15.04 too: no change; then all goes back.
    assert {name: made.legs(name)[0] for name in made.ids("margin")} == {
        "margin/2025-05-01/Main": "Equity:Main:Uses:Margin 15.02 USDC",
        "margin/2025-05-02/Main": "Equity:Main:Uses:Margin 0.02 USDC",
        "margin/2025-05-04/Main": "Equity:Main:Uses:Margin -15.04 USDC",
    }
    assert made.held("Equity:Main:Uses:Margin") == made.held("Equity:Main:Uses:Capital") == {}


def test_a_leverage_limit_caps_below_the_market(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  leverage-limit: 8"),
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-01"),
    )
    # max(0.10, 1/8) * 7500 = 937.5; the maintenance margin does not know the limit: 375.
    assert made.proof("margin/2025-05-01/Main")["initial-margin"] == "937.5"
    assert made.proof("margin/2025-05-01/Main")["maintenance-margin"] == "375"


# What is missing or old


def test_a_missing_mark_is_an_error_and_its_coin_does_not_settle(tmp_path: Path) -> None:
    """Neither does another contract of the coin; one of another coin does, and no margin moves."""
    made = books(
        tmp_path,
        TERMS,
        TETHER,
        LONG,
        """\
        2025-05-01 custom "perpetual" "BTC-PERP"
          settle: USDC
          initial-margin: 0.10
          maintenance-margin: 0.05
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  1000 USDT
          Assets:Bank
        2025-05-01 * "Open 2 at 2500"
          Assets:Backpack:Main:Perp       2 ETH-PERP {2500 USDT}
          Assets:Backpack:Main:Perp   -5000 USDT
        2025-05-01 price SOL-PERP 149 USDC
        2025-05-01 price ETH-PERP 2490 USDT
        2025-05-02 * "Open 0.1 at 60000"
          Assets:Backpack:Main:Perp     0.1 BTC-PERP {60000 USDC}
          Assets:Backpack:Main:Perp   -6000 USDC
        2025-05-02 price SOL-PERP 148 USDC
        2025-05-02 price ETH-PERP 2480 USDT
        2025-05-03 price SOL-PERP 147 USDC
        """,
        through("2025-05-03"),
    )
    at = made.line("Open 0.1")
    missing = (
        'Sub-account "Main" has BTC-PERP on 2025-05-02, but BTC-PERP has no price in USDC on or '
        "before that day. Write 2025-05-02 price BTC-PERP 1.00 USDC, with the actual price in "
        "place of 1.00."
    )
    assert made.told() == [f"main.beancount:{at}: {missing}"]
    assert made.legs("settlement/2025-05-02/Main") == [
        "Assets:Main:Wallet -20.000000 USDT",
        "Assets:Main:Perp 20.000000 USDT",
    ]
    assert made.ids("settlement") == ["settlement/2025-05-01/Main", "settlement/2025-05-02/Main"]
    assert made.ids("margin") == ["margin/2025-05-01/Main"]
    assert made.held("Assets:Main:Wallet") == {"USDC": 950, "USDT": 960}
    # With the mark all that waited is settled on the first day that has it.
    made = made.edited(
        "2025-05-03 price SOL-PERP 147 USDC",
        "2025-05-03 price SOL-PERP 147 USDC\n2025-05-03 price BTC-PERP 60500 USDC",
    )
    assert len(made.told()) == 1
    # 50 * 147 + 0.1 * 60500 - 7450 - 6000 = -50
    assert made.legs("settlement/2025-05-03/Main")[0] == "Assets:Main:Wallet -50.000000 USDC"


def test_a_missing_mark_stops_accrue(tmp_path: Path) -> None:
    made = books(tmp_path, TERMS, LONG, through("2025-05-01"))
    done = made.usance("accrue")
    assert (done.exit_code, made.posted()) == (1, "")
    assert done.stderr == "".join(f"{told}\n" for told in [*made.told(), "Nothing was written."])


OLD = (
    'finding: sub-account "Main" has SOL-PERP on {day} at a price dated 2025-05-01, which is more '
    "than {limit} old. Write a newer price. If SOL-PERP has no newer one, raise stale-after: on "
    "the commodity SOL-PERP."
)


@pytest.mark.parametrize(
    ("stale_after", "last", "told"),
    [
        ("", "2025-05-04", None),
        ("", "2025-05-05", OLD.format(day="2025-05-05", limit="3 days")),
        ("", "2025-05-09", OLD.format(day="2025-05-05", limit="3 days")),
        ("  stale-after: 0\n", "2025-05-02", OLD.format(day="2025-05-02", limit="0 days")),
        ("  stale-after: 1\n", "2025-05-03", OLD.format(day="2025-05-03", limit="1 day")),
        ("  stale-after: 30\n", "2025-05-31", None),
        ("  stale-after: 30\n", "2025-06-01", OLD.format(day="2025-06-01", limit="30 days")),
    ],
)
def test_a_mark_more_than_three_days_before_is_old(
    tmp_path: Path, stale_after: str, last: str, told: str | None
) -> None:
    """Or more than a commodity says itself; told once, at the last trade."""
    made = books(
        tmp_path,
        TERMS.replace("quantum: 0.01\n", f"quantum: 0.01\n{stale_after}"),
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through(last),
    )
    at = made.line("Open 50")
    assert made.told() == ([] if told is None else [f"main.beancount:{at}: {told}"])


def test_an_old_mark_stops_accrue_until_stale_ok(tmp_path: Path) -> None:
    """The days before the first old mark are posted, and no other."""
    made = books(
        tmp_path, TERMS, LONG, "2025-05-01 price SOL-PERP 150 USDC\n", through("2025-05-06")
    )
    [told] = made.told()
    done = made.usance("accrue")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        1,
        "Posted 2025-05-01 to 2025-05-04: 1 transaction.",
    )
    assert done.stderr.startswith(f"{told}\n")
    assert re.findall(r'^(\S+) custom "day-close"', made.posted(), re.MULTILINE)[-1] == "2025-05-04"
    done = made.usance("accrue", "--stale-ok")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        0,
        "Posted 2025-05-05 to 2025-05-06: 0 transactions.",
    )


# Stages


def test_without_the_margin_stage_nothing_settles(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        "2025-05-01 price SOL-PERP 100 USDC\n",
        through("2025-05-02"),
        head=HEAD.replace("usance.plugins", "usance.plugins.auto_lending"),
    )
    assert (made.told(), made.ids()) == ([], [])
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": 50, "USDC": -7500}


def test_without_the_margin_stage_a_contract_needs_neither_terms_nor_mark(tmp_path: Path) -> None:
    terms = TERMS.replace('custom "perpetual" "SOL-PERP"', 'custom "of-others" "SOL-PERP"')
    made = books(
        tmp_path,
        terms,
        LONG,
        through("2025-05-02"),
        head=HEAD.replace("usance.plugins", "usance.plugins.auto_lending"),
    )
    assert (made.told(), made.ids()) == ([], [])


def test_the_margin_stage_alone_settles_and_neither_lends_nor_borrows(tmp_path: Path) -> None:
    """A negative wallet stays negative, and is no error."""
    made = books(
        tmp_path,
        TERMS.replace("auto-borrow: TRUE", "auto-lend: TRUE\n  auto-borrow: TRUE"),
        LONG,
        """\
        2025-05-01 price SOL-PERP 149 USDC
        2025-05-02 price SOL-PERP 129 USDC
        2025-05-03 price SOL-PERP 151 USDC
        """,
        through("2025-05-03"),
        head=HEAD.replace("usance.plugins", "usance.plugins.margin_pool"),
    )
    # -50, then 50 * 129 - 7450 = -1000, then 50 * 151 - 6450 = 1100.
    assert made.ids("settlement") == [f"settlement/2025-05-0{day}/Main" for day in (1, 2, 3)]
    assert made.held("Assets:Main:Wallet", "2025-05-02") == {"USDC": -50}
    assert made.held("Assets:Main:Wallet") == {"USDC": 1050}
    assert {name.split("/")[0] for name in made.ids()} == {"settlement", "margin"}
    [told] = made.told()  # the breach of the second, net equity -50
    assert "finding: " in told
    assert "in breach at the end of 2025-05-02: its net equity of -50 USDC" in told


def test_a_stage_that_is_enabled_later_counts_from_the_first_open_day(tmp_path: Path) -> None:
    """Closed days stay as they were closed; what they did not settle is due on the first other."""
    head = HEAD.replace("usance.plugins", "usance.plugins.auto_lending")
    marks = (
        "2025-05-01 price SOL-PERP 149 USDC\n2025-05-02 price SOL-PERP 148 USDC\n"
        "2025-05-03 price SOL-PERP 151 USDC\n"
    )
    made = books(tmp_path, TERMS, LONG, marks, through("2025-05-03"), head=head)
    assert made.usance("accrue", "--through", "2025-05-02").exit_code == 0
    made = made.edited('"usance.plugins.auto_lending"', '"usance.plugins"')
    assert made.told() == []
    assert made.ids() == ["settlement/2025-05-03/Main", "margin/2025-05-03/Main"]
    # 50 * 151 - 7500
    assert made.legs("settlement/2025-05-03/Main")[0] == "Assets:Main:Wallet 50.000000 USDC"


def test_roots_may_have_other_names(tmp_path: Path) -> None:
    names = {"assets": "Vermoegen", "income": "Ertrag", "equity": "Kapital"}
    head = HEAD + "".join(f'option "name_{root}" "{name}"\n' for root, name in names.items())
    parts = [
        part.replace("Assets:", "Vermoegen:")
        for part in (TERMS, LONG, "2025-05-01 price SOL-PERP 148 USDC\n", through("2025-05-01"))
    ]
    opened = "".join(
        f"1970-01-01 open Vermoegen:{account}\n"
        for account in ("Bank", "Backpack:Main:Wallet", "Backpack:Main:Perp")
    )
    made = books(tmp_path, *parts, opened, head=head)
    assert made.told() == []
    assert [made.legs(name) for name in made.ids()] == [
        ["Vermoegen:Main:Wallet -100.000000 USDC", "Vermoegen:Main:Perp 100.000000 USDC"],
        ["Kapital:Main:Uses:Margin 740.00 USDC", "Kapital:Main:Uses:Capital -740.00 USDC"],
    ]


# The first month of the manual

FIRST_MONTH = """\
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0156 0.0310
2025-05-01 custom "collateral" "USDC"
  weight: 1
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135

2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Main:Perp "FIFO"
2025-05-01 open Income:Backpack:Main:PnL
2025-05-01 open Expenses:Backpack:Main:Fees
2025-05-01 open Income:Backpack:Main:Funding
2025-05-01 open Assets:Backpack:Arb:Wallet

2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Bank                    -1000 USDC
2025-05-02 * "Open 50 at 150"
  time: "09:30"
  Assets:Backpack:Main:Perp         50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp      -7500 USDC
  Expenses:Backpack:Main:Fees     3.75 USDC
  Assets:Backpack:Main:Wallet    -3.75 USDC
2025-05-02 * "Funding"
  time: "16:00"
  Assets:Backpack:Main:Wallet     0.42 USDC
  Income:Backpack:Main:Funding   -0.42 USDC
2025-05-03 * "Allocate margin to Arb"
  Assets:Backpack:Main:Wallet     -100 USDC
  Assets:Backpack:Arb:Wallet       100 USDC
2025-05-04 * "Close 20 at 148: notional at the closing price, result to PnL"
  Assets:Backpack:Main:Perp        -20 SOL-PERP {} @ 148 USDC
  Assets:Backpack:Main:Perp       2960 USDC
  Income:Backpack:Main:PnL          40 USDC
2025-05-05 * "Flip: close 30, short 10, at 151"
  Assets:Backpack:Main:Perp        -30 SOL-PERP {} @ 151 USDC
  Assets:Backpack:Main:Perp        -10 SOL-PERP {151 USDC}
  Assets:Backpack:Main:Perp       6040 USDC
  Income:Backpack:Main:PnL         -30 USDC
2025-05-06 custom "accrue-through" 2025-05-05
2025-05-02 price SOL-PERP 149 USDC
2025-05-03 price SOL-PERP 148.5 USDC
2025-05-04 price SOL-PERP 148 USDC
2025-05-05 price SOL-PERP 151 USDC
"""


def test_the_first_month_of_the_manual(tmp_path: Path) -> None:
    made = books(tmp_path, FIRST_MONTH)
    assert made.told() == []
    # Due: 50 * 149 - 7500, 50 * 148.5 - 7450, 30 * 148 - (7425 - 2960) and
    # -10 * 151 + (6040 - 4440).
    assert [made.legs(name)[0] for name in made.ids("settlement")] == [
        "Assets:Main:Wallet -50.000000 USDC",
        "Assets:Main:Wallet -25.000000 USDC",
        "Assets:Main:Wallet -25.000000 USDC",
        "Assets:Main:Wallet 90.000000 USDC",
    ]
    # 2 % of 7450, 7425, 4440 and 1510: 149.00, 148.50, 88.80, 30.20
    assert [made.legs(name)[0] for name in made.ids("margin")] == [
        "Equity:Main:Uses:Margin 149.00 USDC",
        "Equity:Main:Uses:Margin -0.50 USDC",
        "Equity:Main:Uses:Margin -59.70 USDC",
        "Equity:Main:Uses:Margin -58.60 USDC",
    ]
    # Growth of 24, 10, 6 and 8 hours at 0.0156: 42740601324998, 17808361888462, 10684979076863
    # and 14246664139930 * 1e-18.
    # 1:  1000        * 24 h = 0.042740601...                     1000.042740
    # 2:  1000.042740 * 10 h = 0.017809123... + carry 0.017809724...
    #      996.310549 *  6 h = 0.010645557... + carry 0.010646281...
    #      996.741195 *  8 h = 0.014200237... + carry 0.014200518...; -50:  946.755395
    # 3:   846.755395 * 24 h = 0.036190834... + carry 0.036191353...; -25:  821.791586
    # 4:   821.791586 * 24 h = 0.035123866... + carry 0.035124220...; -25:  796.826710
    # 5:   796.826710 * 24 h = 0.034056852... + carry 0.034057072...; +90:  886.860767
    days = [f"2025-05-0{day}" for day in range(1, 6)]
    assert [made.legs(f"lending/{day}/Main")[0] for day in days] == [
        "Assets:Main:Wallet 0.042740 USDC",
        "Assets:Main:Wallet 0.042655 USDC",
        "Assets:Main:Wallet 0.036191 USDC",
        "Assets:Main:Wallet 0.035124 USDC",
        "Assets:Main:Wallet 0.034057 USDC",
    ]
    assert [made.held("Assets:Main:Wallet", day)["USDC"] for day in days] == [
        Decimal("1000.042740"),
        Decimal("946.755395"),
        Decimal("821.791586"),
        Decimal("796.826710"),
        Decimal("886.860767"),
    ]
    lent = [made.held("Equity:Main:Uses:Lent", day) for day in days]
    assert lent == [made.held("Assets:Main:Wallet", day) for day in days]
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": -10, "USDC": 1510}
    # 10 lost, 3.75 fees, 0.42 funding, 100 given, 0.190767 interest: 1000 - 113.139233
    assert made.held("Income:Main:Interest") == {"USDC": Decimal("-0.190767")}
    assert made.held("Liabilities:Main:Borrowed") == {}
    assert made.ids("transfer") == ["transfer/2025-05-03/Arb"]


def test_kinds_of_a_day_stand_in_order(tmp_path: Path) -> None:
    made = books(tmp_path, FIRST_MONTH)
    kinds = [name.split("/")[0] for name in made.ids() if "2025-05-03" in name]
    assert kinds == ["transfer", "lending", "settlement", "margin"]


def test_posted_days_are_the_virtual_ones(tmp_path: Path) -> None:
    """One by one or at once, the same bytes; restarted at any day, the same books."""
    virtual = books(tmp_path / "virtual", FIRST_MONTH)
    once = books(tmp_path / "once", FIRST_MONTH)
    daily = books(tmp_path / "daily", FIRST_MONTH)
    texts = list(map(printer.format_entry, virtual.generated()))
    assert once.usance("accrue").exit_code == 0
    for day in range(1, 6):
        assert daily.usance("accrue", "--through", f"2025-05-0{day}").exit_code == 0
        now = daily.again()
        assert (now.told(), list(map(printer.format_entry, now.generated()))) == ([], texts)
    assert daily.posted() == once.posted()
    once = once.again()
    assert (once.told(), list(map(printer.format_entry, once.generated()))) == ([], texts)


def test_posted_text_loads_without_usance(tmp_path: Path) -> None:
    made = books(tmp_path / "made", FIRST_MONTH)
    assert made.usance("accrue").exit_code == 0
    assert list(plain(made.again(), tmp_path / "plain")) == []


def test_the_value_of_contracts_has_all_its_digits() -> None:
    """Goal: a value is exact, in whatever Decimal context; Python's own keeps 28 digits."""
    contracts = [
        (Decimal("12345678901234567.12345678"), Decimal("1.234567890123")),
        (Decimal("-0.00000001"), Decimal("0.000000000001")),
    ]
    exact = sum(Fraction(quantity) * Fraction(mark) for quantity, mark in contracts)
    assert Fraction(settlement.value(contracts)) == exact


def test_a_later_plugin_changes_nothing_of_what_is_closed(tmp_path: Path) -> None:
    """
    Goal: a day is closed as the plugin made it, and loads. Method: a plugin behind ours adds the
    price of each trade, which ours has not seen; its mark is 150, the one written is 148.
    """
    later = 'plugin "beancount.plugins.implicit_prices"\n'
    mark = "2025-05-01 price SOL-PERP 148 USDC\n"
    made = books(tmp_path, later, TERMS, mark, LONG, through("2025-05-01"))
    virtual = made.legs("settlement/2025-05-01/Main")
    assert virtual[0] == "Assets:Main:Wallet -100.000000 USDC"
    assert made.usance("accrue").exit_code == 0
    closed = made.again()
    assert closed.told() == []
    assert closed.legs("settlement/2025-05-01/Main") == virtual
    done = made.usance("margin", "--format", "json")
    assert json.loads(done.stdout)["sub_accounts"][0]["positions"][0]["mark"] == "148"
