"""Liquidation: section 6 of the language, step by step; and breaches that are only told.

Worked by hand, without interest. In most ledgers 50 contracts were bought at 150 with 1,000 USDC;
a step sells 5 of them. The margin that a contract takes to be kept is 5 % unless said otherwise.
"""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.parser import printer
from margin_books import HEAD, LONG, POOR, TERMS, TETHER, Books, books, plain, through

SIMULATE = '2025-05-01 custom "liquidation" "simulate"\n'


def steps(made: Books, name: str = "Main") -> list[str]:
    """Return the ids of a sub-account's steps."""
    return [found for found in made.ids("liquidation") if f"/{name}" in found]


def figures(made: Books, step: str) -> tuple[str, str, str, str]:
    """Return net equity and maintenance margin before a step, then both after it."""
    found = made.proof(step)
    assert len(found) == 4
    return (
        found["net-equity-before"],
        found["maintenance-margin-before"],
        found["net-equity-after"],
        found["maintenance-margin-after"],
    )


# Positions


def test_a_tenth_at_the_mark_until_the_breach_ends(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG,
        "2025-05-01 price SOL-PERP 136 USDC\n",
        through("2025-05-01"),
    )
    assert made.told() == []
    # The settlement takes 700: net equity 300, and 5 % of 50 * 136 = 6800 are 340. A step pays
    # 5 * 136 = 680 and costs 6.80: 293.20 and 306, then 286.40 and 272.
    ids = ["liquidation/2025-05-01/Main", "liquidation/2025-05-01/Main/2"]
    assert steps(made) == ids
    for step in ids:
        assert made.legs(step) == [
            "Assets:Main:Perp -5.00 SOL-PERP {150 USDC, 2025-05-01} @ 136 USDC",
            "Assets:Main:Perp 680.000000 USDC",
            "Income:Main:PnL 70 USDC",
            "Expenses:Main:Fees 6.800000 USDC",
            "Assets:Main:Wallet -6.800000 USDC",
        ]
    assert figures(made, ids[0]) == ("300", "340", "293.2", "306")
    assert figures(made, ids[1]) == ("293.2", "306", "286.4", "272")
    # The memorandum is what is held after it: 10 % of 40 * 136.
    assert made.legs("margin/2025-05-01/Main")[0] == "Equity:Main:Uses:Margin 544.00 USDC"
    assert made.held("Assets:Main:Perp") == {"SOL-PERP": 40, "USDC": -5440}
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("286.4")}
    assert [name.split("/")[0] for name in made.ids()] == [
        "settlement",
        "margin",
        "liquidation",
        "liquidation",
    ]


def test_a_short_is_bought_back(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        """\
        2025-05-01 * "Short 50 at 150"
          Assets:Backpack:Main:Perp      -50 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp     7500 USDC
        2025-05-01 price SOL-PERP 164 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    # 300 and 410; then 8.20 less and 41 less each time: 267.20 and 246 after four steps.
    assert len(steps(made)) == 4
    assert made.legs("liquidation/2025-05-01/Main") == [
        "Assets:Main:Perp 5.00 SOL-PERP {150 USDC, 2025-05-01} @ 164 USDC",
        "Assets:Main:Perp -820.000000 USDC",
        "Income:Main:PnL 70 USDC",
        "Expenses:Main:Fees 8.200000 USDC",
        "Assets:Main:Wallet -8.200000 USDC",
    ]
    assert figures(made, steps(made)[-1]) == ("275.4", "287", "267.2", "246")


@pytest.mark.parametrize(("deposit", "number"), [("1040", 1), ("1040.000001", 0)])
def test_net_equity_that_equals_maintenance_margin_is_a_breach(
    tmp_path: Path, deposit: str, number: int
) -> None:
    """700 are lost, and 340 are to be kept."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", f"{deposit} USDC"),
        SIMULATE,
        LONG,
        "2025-05-01 price SOL-PERP 136 USDC\n",
        through("2025-05-01"),
    )
    assert (made.told(), len(steps(made))) == ([], number)


WHOLE = TERMS.replace("maintenance-margin: 0.05", "maintenance-margin: 0.01").replace(
    "1000 USDC", "2 USDC"
)
"""A step helps by nothing at 1 %, so all of a position goes."""


def position(size: str) -> str:
    """Open contracts at 150 that fall to 143; what is left of 2 USDC is less than 1 % of it."""
    return f"""\
    2025-05-01 * "Open"
      Assets:Backpack:Main:Perp    {size} SOL-PERP {{150 USDC}}
      Assets:Backpack:Main:Perp   -{Decimal(size) * 150} USDC
    2025-05-01 price SOL-PERP 143 USDC
    """


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        # A tenth is 0.025, half-way: the even 0.02; the tenth step takes what is left.
        ("0.25", ["0.02"] * 9 + ["0.07"]),
        # A tenth is 0.035: the even 0.04; the ninth step would exceed what is left.
        ("0.35", ["0.04"] * 8 + ["0.03"]),
        # A tenth is 0.005: the even 0.00, and so one quantum.
        ("0.05", ["0.01"] * 5),
        # Finer than the quantum: its rest goes in the last step.
        ("0.053", ["0.01"] * 5 + ["0.003"]),
        ("0.001", ["0.001"]),
    ],
)
def test_sizes_of_steps(tmp_path: Path, size: str, sizes: list[str]) -> None:
    deposit = Decimal(size) * 7 + Decimal(size)  # what is lost, and less than 1 % of 143 a contract
    made = books(
        tmp_path,
        WHOLE.replace("2 USDC", f"{deposit} USDC"),
        SIMULATE,
        position(size),
        through("2025-05-01"),
    )
    sold = [made.legs(step)[0].split()[1] for step in steps(made)]
    assert sold[: len(sizes)] == [f"-{part}" for part in sizes]
    assert made.held("Assets:Main:Perp") == {}
    assert len(sold) == len(sizes) + 1  # and the debt that the fees left


def test_at_one_percent_the_whole_position_goes_and_a_shortfall_is_borrowed(
    tmp_path: Path,
) -> None:
    """Though the sub-account may not borrow; the debt counts in the next figures."""
    made = books(
        tmp_path,
        WHOLE.replace("auto-borrow: TRUE", "auto-borrow: FALSE"),
        SIMULATE,
        position("0.25"),
        through("2025-05-02"),
    )
    assert made.told() == []
    # 0.25 * 7 = 1.75 are lost: 0.25 left, and 1 % of 35.75 is 0.3575. A step of 0.02 costs 0.0286
    # and frees 0.0286: eight of them leave 0.0212, the ninth is short of 0.0074.
    assert len(steps(made)) == 11
    assert figures(made, "liquidation/2025-05-01/Main") == ("0.25", "0.3575", "0.2214", "0.3289")
    assert made.legs("liquidation/2025-05-01/Main/8")[-1] == "Assets:Main:Wallet -0.028600 USDC"
    assert made.legs("liquidation/2025-05-01/Main/9") == [
        "Assets:Main:Perp -0.02 SOL-PERP {150 USDC, 2025-05-01} @ 143 USDC",
        "Assets:Main:Perp 2.860000 USDC",
        "Income:Main:PnL 0.14 USDC",
        "Expenses:Main:Fees 0.028600 USDC",
        "Assets:Main:Wallet -0.028600 USDC",
        "Assets:Main:Wallet 0.007400 USDC",
        "Liabilities:Main:Borrowed -0.007400 USDC",
    ]
    assert figures(made, "liquidation/2025-05-01/Main/9") == (
        "0.0212",
        "0.1287",
        "-0.0074",
        "0.1001",
    )
    # The tenth takes 0.07: 10.01, 0.49 of result, 0.1001 of fee, all of it borrowed.
    assert made.legs("liquidation/2025-05-01/Main/10") == [
        "Assets:Main:Perp -0.07 SOL-PERP {150 USDC, 2025-05-01} @ 143 USDC",
        "Assets:Main:Perp 10.010000 USDC",
        "Income:Main:PnL 0.49 USDC",
        "Expenses:Main:Fees 0.100100 USDC",
        "Assets:Main:Wallet -0.100100 USDC",
        "Assets:Main:Wallet 0.100100 USDC",
        "Liabilities:Main:Borrowed -0.100100 USDC",
    ]
    # Nothing is there to repay 0.1075.
    assert made.legs("liquidation/2025-05-01/Main/11") == [
        "Liabilities:Main:Borrowed 0.1075 USDC",
        "Income:Main:BadDebt -0.1075 USDC",
    ]
    assert figures(made, "liquidation/2025-05-01/Main/11") == ("-0.1075", "0", "0", "0")
    for account in ("Assets:Main:Perp", "Assets:Main:Wallet", "Liabilities:Main:Borrowed"):
        assert made.held(account) == {}
    # 2 USDC went: 1.75 by the contracts, 0.3575 as fees, less the debt that was let go.
    assert made.held("Income:Main:PnL") == {"USDC": Decimal("1.75")}
    assert made.held("Expenses:Main:Fees") == {"USDC": Decimal("0.3575")}
    assert made.ids("margin") == []


def test_what_is_left_in_perp_moves_with_the_last_contract(tmp_path: Path) -> None:
    """Notionals are rounded to the quantum, so their sum may miss what was owed."""
    made = books(
        tmp_path,
        WHOLE,
        SIMULATE,
        position("0.25").replace("143", "143.00003"),
        through("2025-05-01"),
    )
    # Owed at 0.25 * 143.00003 = 35.7500075: half-way, the even -1.749992 is due, 35.750008 owed.
    assert made.legs("settlement/2025-05-01/Main")[0] == "Assets:Main:Wallet -1.749992 USDC"
    # Nine times 0.02 * 143.00003 = 2.8600006, rounded 2.860001; then 0.07 * 143.00003 =
    # 10.0100021, rounded 10.010002: together 35.750011, and 0.000003 are too much. Fees: 1 % of
    # the notional rounded up, 0.028601 and 0.100101.
    assert made.legs("liquidation/2025-05-01/Main/10") == [
        "Assets:Main:Perp -0.07 SOL-PERP {150 USDC, 2025-05-01} @ 143.00003 USDC",
        "Assets:Main:Perp 10.010002 USDC",
        "Income:Main:PnL 0.489998 USDC",
        "Expenses:Main:Fees 0.100101 USDC",
        "Assets:Main:Wallet -0.100101 USDC",
        "Assets:Main:Wallet 0.000003 USDC",
        "Assets:Main:Perp -0.000003 USDC",
        "Assets:Main:Wallet 0.100098 USDC",
        "Liabilities:Main:Borrowed -0.100098 USDC",
    ]
    assert made.held("Assets:Main:Perp") == {}


@pytest.mark.parametrize(
    ("quantum", "mark", "fee"),
    [
        ("0.000001", "136.00003", "6.800002"),  # 1 % of 680.00015 = 6.8000015
        ("0.01", "136.03", "6.81"),  # 1 % of 680.15 = 6.8015
        ("0.01", "136", "6.80"),
        ("0.05", "136.02", "6.85"),  # 1 % of 680.10 = 6.801
    ],
)
def test_the_fee_is_one_percent_rounded_up(
    tmp_path: Path, quantum: str, mark: str, fee: str
) -> None:
    made = books(
        tmp_path,
        TERMS.replace("0.000001", quantum),
        SIMULATE,
        LONG,
        f"2025-05-01 price SOL-PERP {mark} USDC\n",
        through("2025-05-01"),
    )
    assert made.legs("liquidation/2025-05-01/Main")[-2:] == [
        f"Expenses:Main:Fees {fee} USDC",
        f"Assets:Main:Wallet -{fee} USDC",
    ]


def test_the_oldest_lot_goes_first(tmp_path: Path) -> None:
    """7 of the first of May, then 43 of the second; Beancount's booking does not matter."""
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        """\
        2025-05-01 * "Open 7 at 150"
          Assets:Backpack:Main:Perp        7 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp    -1050 USDC
        2025-05-01 price SOL-PERP 150 USDC
        2025-05-02 * "Open 43 at 149"
          Assets:Backpack:Main:Perp       43 SOL-PERP {149 USDC}
          Assets:Backpack:Main:Perp    -6407 USDC
        2025-05-02 price SOL-PERP 136 USDC
        2025-05-01 open Assets:Backpack:Main:Perp "LIFO"
        """,
        through("2025-05-02"),
    )
    assert made.told() == []
    # 7457 - 6800 = 657 are lost: 343 and 340, not in breach yet; at 135.9 it is: 338 and 339.75.
    assert steps(made) == []
    made = made.edited("SOL-PERP 136 USDC", "SOL-PERP 135 USDC")
    # At 135: 7457 - 6750 = 707 lost: 293 and 337.50; 286.25 and 303.75; 279.50 and 270.
    assert [made.legs(step)[:-3] for step in steps(made)] == [
        [
            "Assets:Main:Perp -5.00 SOL-PERP {150 USDC, 2025-05-01} @ 135 USDC",
            "Assets:Main:Perp 675.000000 USDC",
        ],
        [
            "Assets:Main:Perp -2.00 SOL-PERP {150 USDC, 2025-05-01} @ 135 USDC",
            "Assets:Main:Perp -3.00 SOL-PERP {149 USDC, 2025-05-02} @ 135 USDC",
            "Assets:Main:Perp 675.000000 USDC",
        ],
    ]
    # 5 * 15 = 75, then 2 * 15 + 3 * 14 = 72
    assert [made.legs(step)[-3] for step in steps(made)] == [
        "Income:Main:PnL 75 USDC",
        "Income:Main:PnL 72 USDC",
    ]


def test_lots_with_labels_keep_them(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG.replace("{150 USDC}", '{150 USDC, "first"}'),
        "2025-05-01 price SOL-PERP 136 USDC\n",
        through("2025-05-01"),
    )
    assert made.legs("liquidation/2025-05-01/Main")[0] == (
        'Assets:Main:Perp -5.00 SOL-PERP {150 USDC, 2025-05-01, "first"} @ 136 USDC'
    )
    done = made.usance("accrue")
    assert (done.exit_code, made.again().told()) == (0, [])


TWO = """\
2025-05-01 commodity AAA-PERP
  quantum: 0.01
2025-05-01 commodity BBB-PERP
  quantum: 0.01
2025-05-01 custom "perpetual" "AAA-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.10
2025-05-01 custom "perpetual" "BBB-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.10
"""


def two(largest: str, mark: str) -> str:
    """Open 10 AAA-PERP and some BBB-PERP at 100, and let both fall to 93."""
    return f"""\
    2025-05-01 * "Open"
      Assets:Backpack:Main:Perp       {largest} BBB-PERP {{100 USDC}}
      Assets:Backpack:Main:Perp      -{largest}00 USDC
    2025-05-01 * "Open"
      Assets:Backpack:Main:Perp       10 AAA-PERP {{100 USDC}}
      Assets:Backpack:Main:Perp    -1000 USDC
    2025-05-01 price AAA-PERP 93 USDC
    2025-05-01 price BBB-PERP {mark} USDC
    """


def closed(made: Books) -> str:
    """Return the first letters of the contracts that steps reduced, in order."""
    first = [made.legs(step)[0] for step in steps(made)]
    return "".join(re.findall(r"(\w)\w+-PERP", " ".join(first)))


def test_ties_go_by_the_name_of_the_market(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "300 USDC"),
        TWO,
        SIMULATE,
        two("10", "93"),
        through("2025-05-01"),
    )
    assert made.told() == []
    # 300 - 140 = 160 and 186. A step costs 0.93 and frees 9.30: 159.07 and 176.70, 158.14 and
    # 167.40, 157.21 and 158.10, 156.28 and 148.80.
    assert closed(made) == "ABAB"
    assert figures(made, steps(made)[-1]) == ("157.21", "158.1", "156.28", "148.8")


def test_the_largest_maintenance_margin_goes_first(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "300 USDC"),
        TWO,
        SIMULATE,
        two("10", "93.5"),
        through("2025-05-01"),
    )
    assert closed(made)[:2] == "BA"


def test_the_position_is_chosen_anew_after_each_step(tmp_path: Path) -> None:
    """By what is left of it; steps stay tenths of what each was at the beginning."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "180 USDC"),
        TWO,
        SIMULATE,
        two("15", "93"),
        through("2025-05-01"),
    )
    assert made.told() == []
    # 180 - 25 * 7 = 5: everything goes. Of A 93 are held, 9.30 a step; of B 139.50, 13.95 a step.
    # B 125.55 111.60 97.65 83.70; A 83.70, a tie, A 74.40; B 69.75; A 65.10; B 55.80; A 55.80, a
    # tie, A 46.50; B 41.85; A 37.20; B 27.90; A 27.90, a tie, A 18.60; B 13.95; A 9.30; B 0; A 0.
    assert closed(made) == "BBBBAABABAABABAABABA"
    sizes = {made.legs(step)[0].split()[1] for step in steps(made)[:20]}
    assert sizes == {"-1.00", "-1.50"}
    # Fees are 1 % of 2325; of 23.25 the wallet had 5.
    assert made.legs(steps(made)[20]) == [
        "Liabilities:Main:Borrowed 18.25 USDC",
        "Income:Main:BadDebt -18.25 USDC",
    ]


def test_a_borrow_of_a_step_counts_in_the_next(tmp_path: Path) -> None:
    """Other collateral is not sold while positions are left."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "703 USDC"),
        SIMULATE,
        """\
        2025-05-01 custom "collateral" "AAA"
          weight: 0.99
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  300 AAA
          Assets:Bank
        2025-05-01 price AAA 1 USDC
        2025-05-01 price SOL-PERP 136 USDC
        """,
        LONG,
        through("2025-05-02"),
    )
    assert made.told() == []
    # 3 + 297 = 300 and 340. The first fee takes the 3 and borrows 3.80, the second borrows 6.80.
    assert [made.legs(step)[-2:] for step in steps(made)] == [
        ["Assets:Main:Wallet 3.800000 USDC", "Liabilities:Main:Borrowed -3.800000 USDC"],
        ["Assets:Main:Wallet 6.800000 USDC", "Liabilities:Main:Borrowed -6.800000 USDC"],
    ]
    assert figures(made, steps(made)[-1]) == ("293.2", "306", "286.4", "272")
    assert made.held("Liabilities:Main:Borrowed") == {"USDC": Decimal("-10.6")}
    assert made.held("Assets:Main:Wallet") == {"AAA": 300}


def test_the_next_day_settles_what_is_left(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG,
        "2025-05-01 price SOL-PERP 136 USDC\n2025-05-02 price SOL-PERP 137 USDC\n",
        """\
        2025-05-03 * "Close 40 at 138"
          Assets:Backpack:Main:Perp     -40 SOL-PERP {} @ 138 USDC
          Assets:Backpack:Main:Perp    5520 USDC
          Income:Backpack:Main:PnL      480 USDC
        """,
        through("2025-05-03"),
    )
    assert made.told() == []
    # 40 * 137 - 5440 = 40; then 5520 - 5480 = 40.
    assert made.legs("settlement/2025-05-02/Main")[0] == "Assets:Main:Wallet 40.000000 USDC"
    assert made.legs("settlement/2025-05-03/Main")[0] == "Assets:Main:Wallet 40.000000 USDC"
    assert made.held("Assets:Main:Perp") == {}
    assert len(steps(made)) == 2


# Borrows


def coin(name: str, weight: str, price: str) -> str:
    """Declare a coin of which borrows keep 10 % and that counts by a weight."""
    return f"""\
    2025-05-01 commodity {name}
      quantum: 0.01
    2025-05-01 custom "lending-pool" "{name}"
      rates: "observed"
    2025-05-01 custom "lending-rate" "{name}" 0 0
    2025-05-01 custom "collateral" "{name}"
      weight: {weight}
      maintenance-margin: 0.10
    2025-05-01 price {name} {price} USDC
    """


BORROWS = (
    TERMS.replace("1000 USDC", "0.01 USDC").replace("TRUE", "TRUE\n  auto-repay: FALSE"),
    SIMULATE,
    coin("AAA", "0.5", "1"),
    coin("BBB", "1", "10"),
    coin("CCC", "0.8", "1"),
    coin("DDD", "1", "20"),
    coin("EEE", "0.5", "1"),
    """\
    2025-05-01 * "Withdraw"
      Assets:Backpack:Main:Wallet  -10 BBB
      Assets:Backpack:Main:Wallet   -5 DDD
      Assets:Bank
    2025-05-01 * "Deposit"
      time: "01:00"
      Assets:Backpack:Main:Wallet    2 BBB
      Assets:Backpack:Main:Wallet   10 AAA
      Assets:Backpack:Main:Wallet  100 CCC
      Assets:Backpack:Main:Wallet   40 EEE
      Assets:Bank
    2025-05-01 * "Younger lot"
      Assets:Backpack:Main:Wallet   30 AAA {0.06 BBB, 2025-04-02}
      Assets:Bank
    2025-05-01 * "Older lot"
      Assets:Backpack:Main:Wallet   20 AAA {0.05 BBB, 2025-04-01}
      Assets:Bank
    """,
)
"""10 BBB and 5 DDD are owed, 100 USDC each; 60 AAA, 100 CCC and 40 EEE are worth 1 USDC each."""


def test_borrows_are_repaid_by_coin_from_the_wallet_then_by_coins_sold(tmp_path: Path) -> None:
    """Lowest effective weight first, ties by coin; units without cost, then the oldest lots."""
    made = books(tmp_path, *BORROWS, through("2025-05-01"))
    # Counted: BBB 20, AAA 30, CCC 80, EEE 20, USDC 0.01: 150.01, less 200 owed.
    assert len(steps(made)) == 2
    assert figures(made, steps(made)[0]) == ("-49.99", "20", "-9.99", "10")
    assert made.legs(steps(made)[0]) == [
        "Assets:Main:Wallet -2 BBB",
        "Liabilities:Main:Borrowed 2 BBB",
        # 8 BBB are 80 AAA: all 60 go, for 6 BBB. 10 * 0.1 + 20 * 0.05 + 30 * 0.06 = 3.8.
        "Assets:Main:Wallet -10 AAA @ 0.1 BBB",
        "Assets:Main:Wallet -20 AAA {0.05 BBB, 2025-04-01} @ 0.1 BBB",
        "Assets:Main:Wallet -30 AAA {0.06 BBB, 2025-04-02} @ 0.1 BBB",
        "Liabilities:Main:Borrowed 6 BBB",
        "Income:Main:PnL -2.2 BBB",
        # 2 BBB are 20 EEE.
        "Assets:Main:Wallet -20 EEE @ 0.1 BBB",
        "Liabilities:Main:Borrowed 2 BBB",
    ]
    # 5 DDD are 100: 20 EEE for 1, then 80 CCC for 4. 20 CCC count 16.
    assert made.legs(steps(made)[1]) == [
        "Assets:Main:Wallet -20 EEE @ 0.05 DDD",
        "Liabilities:Main:Borrowed 1 DDD",
        "Assets:Main:Wallet -80 CCC @ 0.05 DDD",
        "Liabilities:Main:Borrowed 4 DDD",
    ]
    assert figures(made, steps(made)[1]) == ("-9.99", "10", "16.01", "0")
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("0.01"), "CCC": 20}
    assert made.held("Liabilities:Main:Borrowed") == {}
    assert made.held("Expenses:Main:Fees") == {}


def test_lots_may_be_sold_for_a_coin_that_is_not_of_their_cost(tmp_path: Path) -> None:
    """Their cost is in USDC, what is owed is BBB: the text is one that Beancount can read."""
    lots = [
        part.replace("0.06 BBB", "0.6 USDC").replace("0.05 BBB", "0.5 USDC") for part in BORROWS
    ]
    made = books(tmp_path, *lots, through("2025-05-01"))
    assert made.held("Assets:Main:Wallet") == {"USDC": Decimal("0.01"), "CCC": 20}
    # 5 BBB came in for lots that cost 20 * 0.5 + 30 * 0.6 = 28 USDC.
    assert made.held("Income:Main:PnL") == {"BBB": -5, "USDC": 28}
    assert made.usance("accrue").exit_code == 0
    assert made.again().told() == []
    assert list(plain(made.again(), tmp_path / "plain")) == []


def test_borrows_are_repaid_while_the_breach_lasts(tmp_path: Path) -> None:
    made = books(tmp_path, *BORROWS, through("2025-05-01"))
    made = made.edited("100 CCC", "150 CCC")
    # -9.99 and 20; after the first borrow 120 + 10 + 0.01 - 100 = 30.01 and 10.
    assert len(steps(made)) == 1
    assert figures(made, steps(made)[0]) == ("-9.99", "20", "30.01", "10")
    assert made.held("Liabilities:Main:Borrowed") == {"DDD": -5}


def test_a_coin_without_terms_counts_for_nothing_and_is_sold_first(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        *BORROWS,
        """\
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet  50 ZZZ
          Assets:Bank
        2025-05-01 price ZZZ 1 BBB
        """,
        through("2025-05-01"),
    )
    # 8 BBB are 8 ZZZ at 10 USDC.
    assert made.legs(steps(made)[0])[2:] == [
        "Assets:Main:Wallet -8 ZZZ @ 1 BBB",
        "Liabilities:Main:Borrowed 8 BBB",
    ]
    # Its arithmetic names that price.
    told = json.loads(made.usance("explain", steps(made)[0], "--format", "json").stdout)
    assert "2025-05-01 price ZZZ 1 BBB" in [used["text"] for used in told["directives"]]


def test_an_effective_weight_is_what_counts_of_the_value(tmp_path: Path) -> None:
    """AAA in two tiers: (5 * 1 + 55 * 0.6) / 60 = 0.6333..., more than EEE."""
    tiers = 'weight-function: "tiers"\n      tiers: "1 to 5, 0.6 above"'
    parts = [re.sub(r" \{.*\}", "", part) for part in BORROWS]
    parts[2] = parts[2].replace("weight: 0.5", tiers)
    made = books(tmp_path, *parts, through("2025-05-01"))
    assert made.legs(steps(made)[0])[2] == "Assets:Main:Wallet -40 EEE @ 0.1 BBB"


def owing(owed: str, held: str, price: str, owed_price: str) -> tuple[str, ...]:
    """Owe BBB, and hold AAA."""
    return (
        TERMS[: TERMS.index('2025-05-01 * "Deposit"')],
        SIMULATE,
        coin("AAA", "0.5", price),
        coin("BBB", "1", owed_price).replace("0.01", "0.00001"),
        f"""\
        2025-05-01 * "Withdraw"
          Assets:Backpack:Main:Wallet  -{owed} BBB
          Assets:Bank
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet   {held} AAA
          Assets:Bank
        """,
        through("2025-05-01"),
    )


def test_the_quantity_sold_is_rounded_up_and_the_difference_is_result(tmp_path: Path) -> None:
    """1 BBB at 7 for AAA at 3: 2.333... of them, 2.34, for no more than what is owed."""
    made = books(tmp_path, *owing("1", "3", "3", "7"))
    # 3 / 7 = 0.428571428571428...; 2.34 * 0.428571428571 = 1.00285714285614.
    assert made.legs(steps(made)[0]) == [
        "Assets:Main:Wallet -2.34 AAA @ 0.428571428571 BBB",
        "Liabilities:Main:Borrowed 1 BBB",
        "Income:Main:PnL 0.00285714285614 BBB",
    ]


def test_proceeds_are_rounded_half_even_and_the_rest_is_bad_debt(tmp_path: Path) -> None:
    made = books(tmp_path, *owing("1", "1.01", "3", "7"))
    # 1.01 * 3 / 7 = 0.432857..., 0.43286; at the written price 0.43285714285671.
    assert made.legs(steps(made)[0]) == [
        "Assets:Main:Wallet -1.01 AAA @ 0.428571428571 BBB",
        "Liabilities:Main:Borrowed 0.43286 BBB",
        "Income:Main:PnL -0.00000285714329 BBB",
        "Liabilities:Main:Borrowed 0.56714 BBB",
        "Income:Main:BadDebt -0.56714 BBB",
    ]
    assert made.held("Liabilities:Main:Borrowed") == {}
    # 0.5 * 10 = 5 is half-way between 0.00005 and 0.00006 of 0.000055: even is 0.00006.
    made = books(tmp_path / "half", *owing("1", "0.01", "0.0055", "1"))
    assert made.legs(steps(made)[0])[1] == "Liabilities:Main:Borrowed 0.00006 BBB"
    made = books(tmp_path / "even", *owing("1", "0.01", "0.0045", "1"))
    assert made.legs(steps(made)[0])[1] == "Liabilities:Main:Borrowed 0.00004 BBB"


@pytest.mark.parametrize(
    ("price", "written"),
    [
        ("1.0000000000005", "1"),
        ("1.0000000000015", "1.000000000002"),
        ("1.00000000000051", "1.000000000001"),
    ],
)
def test_the_price_is_written_half_even_to_twelve_decimals(
    tmp_path: Path, price: str, written: str
) -> None:
    made = books(tmp_path, *owing("1", "0.5", price, "1"))
    assert made.legs(steps(made)[0])[0] == f"Assets:Main:Wallet -0.5 AAA @ {written} BBB"


def test_the_quantity_is_exact_where_it_is_a_whole_number_of_quanta(tmp_path: Path) -> None:
    """1.4 BBB at 7 for AAA at 1 are 9.80 of them, though 1 / 7 has no end."""
    made = books(tmp_path, *owing("1.4", "10", "1", "7"))
    assert made.legs(steps(made)[0])[0] == "Assets:Main:Wallet -9.8 AAA @ 0.142857142857 BBB"


def test_positions_go_before_borrows(tmp_path: Path) -> None:
    """Contracts in one coin, a borrow in another, and collateral in a third."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "100 USDC"),
        SIMULATE,
        coin("AAA", "0.5", "1"),
        coin("BBB", "1", "10"),
        """\
        2025-05-01 * "Withdraw, deposit"
          Assets:Backpack:Main:Wallet  -10 BBB
          Assets:Backpack:Main:Wallet  150 AAA
          Assets:Bank
        2025-05-01 * "Open 1 at 150"
          Assets:Backpack:Main:Perp       1 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp    -150 USDC
        2025-05-01 price SOL-PERP 80 USDC
        """,
        through("2025-05-01"),
    )
    # 30 USDC, 75 counted, 100 owed: 5, and 4 + 10 are to be kept. A step of 0.1 costs 0.08.
    assert len(steps(made)) == 11
    assert figures(made, steps(made)[0]) == ("5", "14", "4.92", "13.6")
    assert figures(made, steps(made)[9]) == ("4.28", "10.4", "4.2", "10")
    # 10 BBB are 100 AAA; the other 50 count 25, and 29.20 USDC are left.
    assert made.legs(steps(made)[10]) == [
        "Assets:Main:Wallet -100 AAA @ 0.1 BBB",
        "Liabilities:Main:Borrowed 10 BBB",
    ]
    assert figures(made, steps(made)[10]) == ("4.2", "10", "54.2", "0")


# Isolation

CALM = """\
2025-05-01 custom "sub-account" "Calm" Assets:Backpack:Calm
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 * "Deposit"
  Assets:Backpack:Calm:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-05-01 * "Open 10 at 150"
  Assets:Backpack:Calm:Perp       10 SOL-PERP {150 USDC}
  Assets:Backpack:Calm:Perp    -1500 USDC
"""


def test_no_other_sub_account_pays(tmp_path: Path) -> None:
    """Its bytes are the same with a liquidation beside it, with none, and alone."""
    terms = TERMS.replace('"USDC" 0 0', '"USDC" 0.0365 0.0730')
    marks = "2025-05-01 price SOL-PERP 150 USDC\n2025-05-02 price SOL-PERP 120 USDC\n"
    parts = (terms, CALM, LONG, marks, through("2025-05-03"))
    texts = []
    for name, mode in (("simulated", SIMULATE), ("told", ""), ("calm", "")):
        mine = [part for part in parts if name != "calm" or part != LONG]
        made = books(tmp_path / name, *mine, mode)
        texts.append(
            [
                printer.format_entry(entry)
                for entry in made.generated()
                if entry.meta["usance"].split("/")[2] == "Calm"
            ]
        )
        assert any("BadDebt" in leg for step in steps(made) for leg in made.legs(step)) == (
            name == "simulated"
        )
    # Settlement and margin of the second day, and lending of three.
    assert len(texts[0]) == 6
    assert texts[0] == texts[1] == texts[2]


# A gap through the wallet

ALONE = TERMS.replace("  auto-borrow: TRUE\n", "")
SIMULATE = '2025-05-01 custom "liquidation" "simulate"\n'
GAP = "2025-05-01 price SOL-PERP 150 USDC\n2025-05-02 price SOL-PERP {mark} USDC\n"
SHORT = LONG.replace("50 SOL", "-50 SOL").replace("-7500", "7500")


@pytest.mark.parametrize(
    ("trade", "mark", "bad_debt"),
    [
        # 50 x 90 lost: 1,000 less 4,500, less ten fees of 1 % of 5 x 60.
        (LONG, 60, "-3530"),
        # 50 x 90 lost by the short, which is bought back at 240: ten fees of 1 % of 5 x 240.
        (SHORT, 240, "-3620"),
    ],
    ids=["long", "short"],
)
@pytest.mark.parametrize(
    "terms",
    [ALONE, ALONE.replace('2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n', "")],
    ids=["no borrow", "no pool"],
)
def test_a_gap_below_the_wallet_that_is_liquidated_is_no_error(
    terms: str, trade: str, mark: int, bad_debt: str, tmp_path: Path
) -> None:
    """The settlement leaves the wallet below zero, and the liquidation empties it the same day."""
    if "lending-pool" not in terms:
        terms = terms.replace('2025-05-01 custom "lending-rate" "USDC" 0 0\n', "")
    made = books(tmp_path, terms, SIMULATE, trade, GAP.format(mark=mark), through("2025-05-03"))
    assert made.told() == []
    for account in ("Assets:Main:Wallet", "Assets:Main:Perp", "Liabilities:Main:Borrowed"):
        assert made.held(account) == {}
    assert made.held("Income:Main:BadDebt") == {"USDC": Decimal(bad_debt)}
    assert made.usance("accrue").exit_code == 0
    assert made.again().told() == []


def test_a_gap_below_the_wallet_that_may_borrow_needs_no_pool_if_it_is_liquidated(
    tmp_path: Path,
) -> None:
    terms = TERMS.replace('2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n', "")
    terms = terms.replace('2025-05-01 custom "lending-rate" "USDC" 0 0\n', "")
    made = books(tmp_path, terms, SIMULATE, LONG, GAP.format(mark=60), through("2025-05-03"))
    assert made.told() == []
    assert made.held("Income:Main:BadDebt") == {"USDC": Decimal(-3530)}


@pytest.mark.parametrize("mode", ["", SIMULATE], ids=["alert", "simulate"])
def test_a_wallet_that_ends_a_day_below_zero_is_an_error(mode: str, tmp_path: Path) -> None:
    """50 x 25 are lost, 250 more than there is; the other coin keeps the account from a breach."""
    other = """\
    2025-05-01 custom "collateral" "SOL"
      weight: 1
    2025-05-01 price SOL 150 USDC
    2025-05-01 * "Deposit of the other coin"
      Assets:Backpack:Main:Wallet   10 SOL
      Assets:Bank                  -10 SOL
    """
    made = books(tmp_path, ALONE, mode, other, LONG, GAP.format(mark=125), through("2025-05-03"))
    [told] = made.told()
    assert "lacks 250.000000 USDC on 2025-05-02, and the sub-account may not borrow." in told


def test_a_wallet_that_a_transaction_leaves_below_zero_is_an_error_at_any_hour(
    tmp_path: Path,
) -> None:
    """The liquidation at the end of the day takes nothing back of it."""
    spent = """\
    2025-05-02 * "Spent"
      Assets:Backpack:Main:Wallet   -1001 USDC
      Assets:Bank                    1001 USDC
    """
    made = books(tmp_path, ALONE, SIMULATE, LONG, spent, GAP.format(mark=60), through("2025-05-03"))
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line('Spent')}: The wallet of sub-account")


# What a person closes that a liquidation has closed

MARKS = "2025-05-01 price SOL-PERP 150 USDC\n2025-05-02 price SOL-PERP {mark} USDC\n"
CLOSE = """\
2025-05-03 price SOL-PERP {mark} USDC
2025-05-03 * "Close"
  Assets:Backpack:Main:Perp    -{size} SOL-PERP {lot} @ {mark} USDC
  Assets:Backpack:Main:Perp     {notional} USDC
  Income:Backpack:Main:PnL
"""
LIQUIDATED = (
    "This transaction closes a lot of SOL-PERP dated 2025-05-01 that {step} has already closed. "
    "Compare with the venue's statement. If the venue liquidated the lot, remove the transaction; "
    "if not, correct the entries before the liquidation."
)


def closing(size: int, lot: str, mark: int) -> str:
    """Write that a person closes contracts at a mark."""
    return CLOSE.format(size=size, lot=lot, mark=mark, notional=size * mark)


@pytest.mark.parametrize(
    ("mark", "size", "lot", "step"),
    [
        (136, 50, "{}", "liquidation/2025-05-02/Main/2"),
        (136, 41, "{}", "liquidation/2025-05-02/Main/2"),
        (136, 50, "{150 USDC, 2025-05-01}", "liquidation/2025-05-02/Main/2"),
        (125, 50, "{}", "liquidation/2025-05-02/Main/10"),
        (125, 1, "{150 USDC}", "liquidation/2025-05-02/Main/10"),
    ],
)
def test_to_close_what_a_liquidation_closed_is_an_error(
    tmp_path: Path, mark: int, size: int, lot: str, step: str
) -> None:
    """It names both: 10 of 50 at 136, all of 50 at 125."""
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG,
        MARKS.format(mark=mark),
        closing(size, lot, mark),
        through("2025-05-03"),
    )
    at = made.line('"Close"')
    assert made.told() == [f"main.beancount:{at}: {LIQUIDATED.format(step=step)}"]
    assert made.usance("accrue").exit_code == 1
    assert made.posted() == ""


def test_to_close_what_is_left_is_none(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG,
        MARKS.format(mark=136),
        closing(40, "{}", 136),
        through("2025-05-03"),
    )
    assert (made.told(), made.held("Assets:Main:Perp")) == ([], {})


def after_posting(tmp_path: Path, mark: int, close: str) -> Books:
    """Post the day of a liquidation, then let a person close something."""
    made = books(tmp_path, TERMS, SIMULATE, LONG, MARKS.format(mark=mark), "; later\n")
    assert made.usance("accrue", "--through", "2025-05-02").exit_code == 0
    account = "1970-01-01 open Income:Backpack:Main:PnL\n" if "PnL" not in made.posted() else ""
    return made.edited("; later\n", f"{close}{account}{through('2025-05-03')}")


def test_to_close_what_a_posted_liquidation_closed_is_an_error(tmp_path: Path) -> None:
    made = after_posting(tmp_path, 125, closing(50, "{150 USDC, 2025-05-01}", 125))
    at = made.line('"Close"')
    step = "liquidation/2025-05-02/Main/10"
    assert made.told() == [f"main.beancount:{at}: {LIQUIDATED.format(step=step)}"]


def test_to_close_more_than_a_posted_liquidation_left_is_beancount_s_error(tmp_path: Path) -> None:
    """The posted text is there when Beancount books, which then finds too few."""
    made = after_posting(tmp_path, 136, closing(50, "{}", 136))
    [told] = made.told()
    at = made.line('"Close"')
    assert told.startswith(f"main.beancount:{at}: Not enough lots to reduce")
    assert "40.00 SOL-PERP {150 USDC, 2025-05-01}" in told


def test_to_close_without_a_lot_what_a_posted_liquidation_closed_is_an_error(
    tmp_path: Path,
) -> None:
    """Beancount finds no lot, and would open a short at the cost that balances."""
    made = after_posting(
        tmp_path,
        125,
        closing(50, "{}", 125).replace("PnL\n", "PnL     1250 USDC\n"),
    )
    [told] = made.told()
    at = made.line('"Close"')
    assert told.startswith(f"main.beancount:{at}: ")
    assert "liquidation/2025-05-02/Main/10" in told


# Breaches that are told

BREACH = (
    'finding: sub-account "Main" is in breach at the end of {day}: its net equity of {equity} '
    "USDC does not exceed its maintenance margin of {kept} USDC. Add collateral, or reduce "
    "positions or borrows."
)
RUNS = """\
2025-05-01 price SOL-PERP 150 USDC
2025-05-02 price SOL-PERP 136 USDC
2025-05-03 price SOL-PERP 135 USDC
2025-05-04 price SOL-PERP 150 USDC
2025-05-05 price SOL-PERP 134 USDC
2025-05-06 price SOL-PERP 135 USDC
"""
FIRST = BREACH.format(day="2025-05-02", equity="300", kept="340")
SECOND = BREACH.format(day="2025-05-05", equity="200", kept="335")


def alert(folder: Path, mode: str = "") -> Books:
    """Two runs of days in breach: the second and third, the fifth and sixth of May."""
    return books(folder, TERMS, mode, LONG, RUNS, through("2025-05-06"))


@pytest.mark.parametrize("mode", ["", '2025-05-01 custom "liquidation" "alert"\n'])
def test_a_breach_is_told_once_for_a_run_on_its_first_day(tmp_path: Path, mode: str) -> None:
    """At the sub-account's directive; nothing is liquidated."""
    made = alert(tmp_path, mode)
    at = made.line('custom "sub-account"')
    assert made.told() == [f"main.beancount:{at}: {text}" for text in (FIRST, SECOND)]
    assert steps(made) == []
    done = made.usance("check")
    assert (done.exit_code, done.stdout) == (1, "".join(f"{told}\n" for told in made.told()))


CLOSED_AND_OPENED = """\
2025-05-03 * "Close all at 135"
  Assets:Backpack:Main:Perp      -50 SOL-PERP {} @ 135 USDC
  Assets:Backpack:Main:Perp     6750 USDC
  Income:Backpack:Main:PnL       750 USDC
2025-05-04 * "Open 50 at 135"
  Assets:Backpack:Main:Perp       50 SOL-PERP {135 USDC}
  Assets:Backpack:Main:Perp    -6750 USDC
2025-05-01 price SOL-PERP 150 USDC
2025-05-02 price SOL-PERP 136 USDC
2025-05-03 price SOL-PERP 135 USDC
"""


@pytest.mark.parametrize("last", ["", "2025-05-01", "2025-05-02", "2025-05-03"])
def test_a_day_without_exposure_ends_a_run(tmp_path: Path, last: str) -> None:
    """1,000 less 50 * 15 are 250 on the third; the same 250 against 5 % of 6,750 on the fourth."""
    made = books(tmp_path, TERMS, LONG, CLOSED_AND_OPENED, through("2025-05-05"))
    told = [FIRST, BREACH.format(day="2025-05-04", equity="250", kept="337.5")]
    if last:
        assert made.usance("accrue", "--through", last).exit_code == 0
        made = made.again()
    at = made.line('custom "sub-account"')
    told = told[1:] if last >= "2025-05-02" else told
    assert made.told() == [f"main.beancount:{at}: {text}" for text in told]


def test_a_day_on_which_a_borrow_is_repaid_ends_a_run(tmp_path: Path) -> None:
    """60 owed with nothing left, repaid the day after, and 70 owed the day after that."""
    made = books(
        tmp_path,
        TERMS,
        """\
        2025-05-01 * "Withdraw"
          Assets:Backpack:Main:Wallet  -1060 USDC
          Assets:Bank
        2025-05-02 * "Deposit"
          Assets:Backpack:Main:Wallet     60 USDC
          Assets:Bank
        2025-05-03 * "Withdraw"
          Assets:Backpack:Main:Wallet    -70 USDC
          Assets:Bank
        """,
        through("2025-05-04"),
    )
    told = [text for text in made.told() if "in breach" in text]
    assert [text.partition("end of ")[2][:10] for text in told] == ["2025-05-01", "2025-05-03"]


def test_a_breach_does_not_stop_accrue_and_is_in_the_seal_of_its_day(tmp_path: Path) -> None:
    made = alert(tmp_path)
    done = made.usance("accrue", "--format", "json")
    assert done.exit_code == 0
    texts = [text.removeprefix("finding: ") for text in (FIRST, SECOND)]
    sealed = re.findall(
        r'^(\S+) custom "day-close".*\n(?:  (?!findings)\S+: .*\n)*(?:  findings: "(.*)"\n)?',
        made.posted().replace('\\"', "'"),
        re.MULTILINE,
    )
    assert [day for day, _ in sealed] == [f"2025-05-0{day}" for day in range(1, 7)]
    shown = [text.replace('"', "'") for text in texts]
    assert [found for _, found in sealed] == ["", shown[0], "", "", shown[1], ""]
    assert made.again().told() == []
    assert made.usance("check").exit_code == 0


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("2025-05-01", [FIRST, SECOND]),
        ("2025-05-02", [SECOND]),
        ("2025-05-03", [SECOND]),
        ("2025-05-04", [SECOND]),
        ("2025-05-05", []),
    ],
)
def test_closed_days_count_as_part_of_a_run(tmp_path: Path, last: str, told: list[str]) -> None:
    """A closed day reports none, and an open day that goes on its run neither."""
    made = alert(tmp_path)
    assert made.usance("accrue", "--through", last).exit_code == 0
    made = made.again()
    at = made.line('custom "sub-account"')
    assert made.told() == [f"main.beancount:{at}: {text}" for text in told]


def test_without_exposure_there_is_no_breach(tmp_path: Path) -> None:
    made = books(
        tmp_path, TERMS.replace("1000 USDC", "0.000001 USDC"), SIMULATE, through("2025-05-02")
    )
    assert (made.told(), made.ids()) == ([], [])


def test_a_borrow_alone_may_be_in_breach(tmp_path: Path) -> None:
    """Of the operating currency: no margin is kept on it, so where equity is 0."""
    made = books(
        tmp_path,
        POOR.replace("0.0365", "0"),
        """\
        2025-05-02 * "Withdraw"
          Assets:Backpack:Main:Wallet   -100.01 USDC
          Assets:Bank                    100.01 USDC
        """,
        through("2025-05-03"),
    )
    at = made.line('custom "sub-account"')
    told = BREACH.format(day="2025-05-02", equity="-0.01", kept="0")
    assert made.told()[0] == f"main.beancount:{at}: {told}"


def test_the_mode_is_dated(tmp_path: Path) -> None:
    """Told on the second of May, simulated from the third on."""
    made = alert(tmp_path, SIMULATE.replace("05-01", "05-03"))
    at = made.line('custom "sub-account"')
    assert made.told() == [f"main.beancount:{at}: {FIRST}"]
    # 50 * 135: 250 and 337.50; a step costs 6.75 and frees 33.75: 243.25 and 303.75, 236.50 and
    # 270, 229.75 and 236.25, 223 and 202.50.
    of_third = [step for step in steps(made) if "2025-05-03" in step]
    assert len(of_third) == 4
    assert figures(made, of_third[-1]) == ("229.75", "236.25", "223", "202.5")


def test_a_run_ends_with_its_liquidation(tmp_path: Path) -> None:
    """A breach that is told, one liquidated the day after, one told again the day after that."""
    made = books(
        tmp_path,
        TERMS,
        SIMULATE.replace("05-01", "05-03"),
        '2025-05-04 custom "liquidation" "alert"\n',
        LONG,
        """\
        2025-05-01 price SOL-PERP 150 USDC
        2025-05-02 price SOL-PERP 136 USDC
        2025-05-03 price SOL-PERP 136 USDC
        2025-05-04 price SOL-PERP 134 USDC
        """,
        through("2025-05-04"),
    )
    # 286.40 after two steps, less 40 * 2 = 206.40; 5 % of 40 * 134 = 268.
    at = made.line('custom "sub-account"')
    again = BREACH.format(day="2025-05-04", equity="206.4", kept="268")
    assert made.told() == [f"main.beancount:{at}: {text}" for text in (FIRST, again)]


def test_the_mode_may_be_that_of_one_venue(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        '2025-05-01 custom "liquidation" "alert"\n  venue: "Backpack"\n',
        """\
        2025-05-01 custom "sub-account" "Wild" Assets:Bybit:Wild
          auto-borrow: TRUE
        2025-05-01 * "Deposit"
          Assets:Bybit:Wild:Wallet   1000 USDC
          Assets:Bank               -1000 USDC
        """,
        LONG,
        LONG.replace("Backpack:Main", "Bybit:Wild"),
        "2025-05-01 price SOL-PERP 136 USDC\n",
        through("2025-05-01"),
    )
    assert (steps(made), len(steps(made, "Wild")), len(made.told())) == ([], 2, 1)


# Posted and virtual

LONG_STORY = (
    TERMS.replace('"USDC" 0 0', '"USDC" 0.0156 0.0310').replace("TRUE", "TRUE\n  auto-lend: TRUE"),
    TETHER.replace('"USDT" 0 0', '"USDT" 0.02 0.04'),
    SIMULATE,
    """\
    2025-05-01 * "Deposit in lots"
      Assets:Backpack:Main:Wallet   70 USDT {0.99 USDC}
      Assets:Bank
    2025-05-01 * "Another lot"
      Assets:Backpack:Main:Wallet   30 USDT {0.98 USDC, 2025-04-30}
      Assets:Bank
    """,
    LONG,
    CALM,
    """\
    2025-05-01 price SOL-PERP 150.01 USDC
    2025-05-02 price SOL-PERP 133.7 USDC
    2025-05-02 price USDT 0.999 USDC
    2025-05-03 * "More"
      time: "13:30"
      Assets:Backpack:Main:Perp        3 SOL-PERP {134 USDC}
      Assets:Backpack:Main:Perp     -402 USDC
    2025-05-03 price SOL-PERP 125.003 USDC
    2025-05-04 price SOL-PERP 100 USDC
    2025-05-05 * "Deposit"
      Assets:Backpack:Main:Wallet    10 USDC
      Assets:Bank                   -10 USDC
    2025-05-06 price SOL-PERP 101 USDC
    """,
    through("2025-05-06"),
)
"""Liquidations in the middle of a week: of contracts of several lots, of coins, bad debt."""


def texts(made: Books) -> list[str]:
    return list(map(printer.format_entry, made.generated()))


QUANTUM = tuple(re.sub(r"(\d+) SOL-PERP \{", r"\1.00 SOL-PERP {", part) for part in LONG_STORY)
"""The same with every quantity of contracts written to its quantum."""


def test_posted_liquidations_are_the_virtual_ones(tmp_path: Path) -> None:
    """
    Day by day or at once, the same bytes; restarted after any closed day, the same books.

    The story is written to the quantum: where a lot of 3 is closed by a posted -3.00, Beancount
    books -3, so that the directive prints otherwise than the file reads.
    """
    story = QUANTUM
    virtual = books(tmp_path / "virtual", *story)
    assert virtual.told() == []
    kinds = {leg.split()[0] for step in steps(virtual) for leg in virtual.legs(step)}
    assert {"Income:Main:BadDebt", "Liabilities:Main:Borrowed", "Expenses:Main:Fees"} <= kinds
    assert {step.split("/")[1] for step in steps(virtual)} == {"2025-05-02", "2025-05-03"}
    assert any("USDT {0.98" in leg for step in steps(virtual) for leg in virtual.legs(step))
    once, daily = books(tmp_path / "once", *story), books(tmp_path / "daily", *story)
    for day in range(1, 7):
        done = daily.usance("accrue", "--through", f"2025-05-0{day}")
        assert done.exit_code == 0, done.output
        now = daily.again()
        assert (now.told(), texts(now)) == ([], texts(virtual)), day
    assert once.usance("accrue").exit_code == 0
    once = once.again()
    assert (once.told(), texts(once), once.posted()) == ([], texts(virtual), daily.posted())
    assert once.usance("accrue").stdout == "Nothing to post: closed through 2025-05-06.\n"


def test_posted_liquidations_load_in_plain_beancount(tmp_path: Path) -> None:
    made = books(tmp_path / "made", *LONG_STORY)
    assert made.usance("accrue").exit_code == 0
    assert list(plain(made.again(), tmp_path / "plain")) == []


def test_a_person_may_have_opened_the_accounts_of_a_liquidation(tmp_path: Path) -> None:
    """A result and a fee are a person's accounts too, whether or not something is there yet."""
    made = books(
        tmp_path,
        TERMS,
        SIMULATE,
        LONG,
        """\
        2025-05-01 open Income:Backpack:Main:PnL
        2025-05-01 open Expenses:Backpack:Main:Fees
        2025-05-01 price SOL-PERP 136 USDC
        """,
        through("2025-05-01"),
    )
    assert made.told() == []
    assert len(steps(made)) == 2


# Givers

GAVE = (
    'finding: sub-account "Main" moved this out and ends {day} with available equity of {left} '
    "USDC, below zero. The venue would have refused. Add collateral before it, or correct the "
    "amounts or prices."
)
ARB = '2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb\n'


@pytest.mark.parametrize(
    ("what", "postings"),
    [
        ("a transfer", "Backpack:Main:Wallet -260 USDC|Backpack:Arb:Wallet 260 USDC"),
        ("a withdrawal", "Backpack:Main:Wallet -260 USDC|Bank 260 USDC"),
        ("a purchase", "Backpack:Main:Wallet -260 USDC|Bank 250 USDC|Bank 10 USDC"),
    ],
)
def test_a_giver_below_zero_is_told_at_its_transaction(
    tmp_path: Path, what: str, postings: str
) -> None:
    """1,000 less 750 of initial margin were free; 260 went."""
    legs = "".join(f"  Assets:{leg}\n" for leg in postings.split("|"))
    made = books(
        tmp_path,
        TERMS,
        ARB,
        LONG,
        MARKS.format(mark=150),
        f'2025-05-02 * "{what}"\n  time: "12:00"\n{legs}',
        through("2025-05-03"),
    )
    at = made.line(f'"{what}"')
    assert made.told() == [f"main.beancount:{at}: {GAVE.format(day='2025-05-02', left='-10')}"]
    done = made.usance("accrue")
    assert done.exit_code == 0
    assert made.posted().count("moved this out") == 1
    assert made.again().told() == []


LATE = """\
2025-05-02 * "Deposit"
  time: "23:30"
  Assets:Backpack:Main:Wallet    10 USDC
  Assets:Bank
"""


@pytest.mark.parametrize(("amount", "after"), [("250", ""), ("260", LATE)])
def test_a_giver_that_ends_the_day_at_zero_or_above_is_not_told(
    tmp_path: Path, amount: str, after: str
) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        MARKS.format(mark=150),
        f"""\
        2025-05-02 * "Withdraw"
          Assets:Backpack:Main:Wallet  -{amount} USDC
          Assets:Bank
        """,
        after,
        through("2025-05-02"),
    )
    assert made.told() == []


def test_who_only_gets_is_no_giver_and_a_trade_gives_nothing_away(tmp_path: Path) -> None:
    """Below zero by a trade, and by a price; a deposit on that day is no gift."""
    made = books(
        tmp_path,
        TERMS,
        LONG,
        "2025-05-01 price SOL-PERP 145 USDC\n",
        """\
        2025-05-01 * "Deposit, fee"
          Assets:Backpack:Main:Wallet   -1 USDC
          Expenses:Backpack:Main:Fees    1 USDC
        2025-05-01 * "Deposit"
          Assets:Backpack:Main:Wallet    1 USDC
          Assets:Bank
        2025-05-02 price SOL-PERP 144 USDC
        """,
        through("2025-05-02"),
    )
    # 750 and 725 of initial margin, then 700 and 720
    assert made.told() == []


def test_a_gift_may_be_lots(tmp_path: Path) -> None:
    """5 SOL that cost 500 USDC, for 200 USDC; Arb gives something too, and has enough left."""
    made = books(
        tmp_path,
        TERMS,
        ARB,
        LONG,
        """\
        2025-05-01 custom "collateral" "SOL"
          weight: 0
        2025-05-01 * "SOL for USDC"
          Assets:Backpack:Main:Wallet     5 SOL {100 USDC}
          Assets:Backpack:Main:Wallet  -500 USDC
        2025-05-01 * "Deposit"
          Assets:Backpack:Arb:Wallet   1000 USDC
          Assets:Bank
        2025-05-01 price SOL 100 USDC
        2025-05-02 * "Swap"
          Assets:Backpack:Main:Wallet    -5 SOL {100 USDC, 2025-05-01}
          Assets:Backpack:Arb:Wallet      5 SOL {100 USDC, 2025-05-01}
          Assets:Backpack:Main:Wallet   200 USDC
          Assets:Backpack:Arb:Wallet   -200 USDC
        """,
        MARKS.format(mark=150),
        through("2025-05-02"),
    )
    at = made.line('"Swap"')
    assert made.told() == [f"main.beancount:{at}: {GAVE.format(day='2025-05-02', left='-50')}"]


def test_a_swap_that_weighs_nothing_is_a_transfer_too(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        ARB,
        """\
        2025-05-01 * "SOL for USDC"
          Assets:Backpack:Main:Wallet     5 SOL {100 USDC}
          Assets:Backpack:Main:Wallet  -500 USDC
        2025-05-01 * "Deposit"
          Assets:Backpack:Arb:Wallet   1000 USDC
          Assets:Bank
        2025-05-02 * "Swap"
          Assets:Backpack:Main:Wallet    -5 SOL {100 USDC, 2025-05-01}
          Assets:Backpack:Arb:Wallet      5 SOL {100 USDC, 2025-05-01}
          Assets:Backpack:Main:Wallet   500 USDC
          Assets:Backpack:Arb:Wallet   -500 USDC
        """,
        through("2025-05-02"),
    )
    assert made.told() == []


def test_a_giver_without_exposure_may_be_below_zero_too(tmp_path: Path) -> None:
    """Where nothing is borrowed the wallet is negative, and so is what is available."""
    made = books(
        tmp_path,
        TERMS,
        """\
        2025-05-02 * "Withdraw"
          Assets:Backpack:Main:Wallet  -1010 USDC
          Assets:Bank
        """,
        through("2025-05-02"),
        head=HEAD.replace("usance.plugins", "usance.plugins.margin_pool"),
    )
    at = made.line('"Withdraw"')
    assert made.told() == [f"main.beancount:{at}: {GAVE.format(day='2025-05-02', left='-10')}"]
