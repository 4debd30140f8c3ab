"""Commands of margin: what they answer, in each format, and what they refuse.

Figures are worked by hand. `MAIN_AND_DESK` is the ledger of most tests; its comments say what
comes to what.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from folders import Folder
from margin_books import (
    HEAD,
    LONG,
    MAIN_AND_DESK,
    SUMS,
    TERMS,
    Books,
    asked,
    books,
    of,
    through,
)

from usance.cli import main
from usance.reports.margin import SubAccountMargin

MAIN = {
    "name": "Main",
    "venue": "Backpack",
    "collateral": "900",
    "unsettled_pnl": "0",
    "borrow_liability": "0",
    "net_equity": "900",
    "exposure": "7400",
    "initial_margin": "740",  # 1/10 of it: the limit is above max(0.02, 0.000075 * sqrt(7400))
    "maintenance_margin": "99.9",  # 0.0135
    "available_equity": "160",
    "margin_fraction": "0.1216216216216216216216216216",
    "imr": "0.8222222222222222222222222222",
    "mmr": "0.111",
    "collateral_assets": [
        {
            "coin": "USDC",
            "quantity": "900",
            "lent": "900",
            "price": "1",
            "weight": "1",
            "value": "900",
        }
    ],
    "positions": [
        {
            "market": "SOL-PERP",
            "quantity": "50",
            "entry_price": "150",
            "mark": "148",
            "unrealized_pnl": "-100",
            "exposure": "7400",
            "imf": "0.1",
            "mmf": "0.0135",
            "initial_margin": "740",
            "maintenance_margin": "99.9",
            # That is (7400 - 900) / (50 * (1 - 0.0135)).
            "liquidation_price": "131.7790167257982767359351242",
        }
    ],
    "borrows": [],
}
DESK = {
    "name": "Desk",
    "venue": "Backpack",
    "collateral": "2182",  # 2000 * 0.98 + 3 * 148 * 0.5
    "unsettled_pnl": "0",
    "borrow_liability": "400",
    "net_equity": "1782",
    "exposure": "5300",  # 5000 * 0.98 + 400
    "initial_margin": "490",  # 10 % of the contracts, nothing of USDC without terms
    "maintenance_margin": "245",
    "available_equity": "1292",
    "margin_fraction": "0.336226415094339622641509434",
    "imr": "0.2749719416386083052749719416",
    "mmr": "0.1374859708193041526374859708",
    "collateral_assets": [
        {
            "coin": "SOL",
            "quantity": "3",
            "lent": "0",
            "price": "148",
            "weight": "0.5",
            "value": "222",
        },
        {
            "coin": "USDT",
            "quantity": "2000",
            "lent": "0",
            "price": "0.98",
            "weight": "1",
            "value": "1960",
        },
    ],
    "positions": [
        {
            "market": "ETH-PERP",
            "quantity": "2",
            "entry_price": "2500",
            "mark": "2500",
            "unrealized_pnl": "0",
            "exposure": "4900",
            "imf": "0.1",
            "mmf": "0.05",
            "initial_margin": "490",
            "maintenance_margin": "245",
            # That is (4900 - 1782) / (1.96 * 0.95).
            "liquidation_price": "1674.54350161117078410311493",
        }
    ],
    "borrows": [
        {
            "coin": "USDC",
            "quantity": "400",
            "price": "1",
            "liability": "400",
            "imf": "0",
            "mmf": "0",
            "initial_margin": "0",
            "maintenance_margin": "0",
        }
    ],
}
# margin


def test_margin_as_json(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "margin")
    assert list(answer) == ["at", "currency", "basis", "sub_accounts"]
    assert (answer["at"], answer["currency"]) == ("2025-05-02", "USDC")
    assert [row["name"] for row in answer["sub_accounts"]] == ["Desk", "Main"]
    assert of(answer, "Main") == MAIN
    assert of(answer, "Desk") == DESK
    for row, expected in ((of(answer, "Main"), MAIN), (of(answer, "Desk"), DESK)):
        assert list(row) == list(expected)


def test_margin_of_one_sub_account(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "margin", "--sub-account", "Main")
    assert answer["sub_accounts"] == [MAIN]


def test_margin_at_an_earlier_day(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "margin", "--at", "2025-05-01")
    assert answer["at"] == "2025-05-01"
    found = of(answer, "Main")
    # At 150: 1000, 7500, 750 and 101.25.
    assert [found[key] for key in SUMS[2:10]] == [
        "1000",
        "0",
        "0",
        "1000",
        "7500",
        "750",
        "101.25",
        "250",
    ]


def test_margin_before_the_first_day(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    found = of(asked(made, "margin", "--at", "2025-04-01"), "Main")
    assert {found[key] for key in SUMS[2:10]} == {"0"}
    assert (found["margin_fraction"], found["positions"]) == (None, [])


def test_margin_at_the_last_closed_day_where_that_is_later(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    assert made.usance("accrue", "--through", "2025-05-04").exit_code == 0
    answer = asked(made, "margin")
    assert answer["at"] == "2025-05-04"
    assert of(answer, "Main") == MAIN


def test_margin_as_csv(tmp_path: Path) -> None:
    """The figures of a sub-account on a line; null is empty."""
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance("margin", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (done.exit_code, done.stderr) == (0, "")
    assert list(rows[0]) == ["at", "sub_account", *SUMS[1:]]
    assert rows == [
        {
            "at": "2025-05-02",
            "sub_account": expected["name"],
            **{key: expected[key] for key in SUMS[1:]},
        }
        for expected in (DESK, MAIN)
    ]
    done = made.usance("margin", "--at", "2025-04-01", "--format", "csv")
    assert done.stdout.splitlines()[-1] == "2025-04-01,Main,Backpack,0,0,0,0,0,0,0,0,,,"


def test_margin_as_a_table(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance("margin", "--sub-account", "Main")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip(" ─")]
    assert lines == [
        "Main at Backpack, end of 2025-05-02, as posted",
        "USDC",
        "Collateral 900",
        "Unsettled PnL 0",
        "Borrow liability 0",
        "Net equity 900",
        "Exposure 7400",
        "Initial margin 740",
        "Maintenance margin 99.9",
        "Available equity 160",
        "Margin fraction 0.12162162",
        f"IMR 0.82222222 {'█' * 32}▉ │ 82.22%",
        "MMR 0.111 ████▍ │ 11.10%",
        "Coin Quantity Lent Price Weight Counts",
        "USDC 900 900 1 1 900",
        "Market Quantity Entry Mark PnL Initial Maintenance Liquidation",
        "SOL-PERP 50 150 148 -100 740 99.9 131.77901673",
    ]


def test_ratios_where_there_is_nothing_or_less(tmp_path: Path) -> None:
    """Without exposure no fraction and ratios of 0; where equity is not above 0, no ratios."""
    made = books(
        tmp_path,
        *MAIN_AND_DESK,
        '2025-05-01 custom "sub-account" "Rest" Assets:Backpack:Rest\n',
        """\
        2025-05-01 * "Deposit"
          Assets:Backpack:Rest:Wallet      1 USDC
          Assets:Bank
        """,
    )
    found = of(asked(made, "margin"), "Rest")
    assert (found["margin_fraction"], found["imr"], found["mmr"]) == (None, "0", "0")
    # 900 - 50 * (148 - 130) = 0, and -50 at 129 of 6450
    found = of(asked(made, "margin", "--price", "SOL-PERP=130"), "Main")
    assert (found["margin_fraction"], found["imr"], found["mmr"]) == ("0", None, None)
    found = of(asked(made, "margin", "--price", "SOL-PERP=129"), "Main")
    assert found["margin_fraction"] == "-0.007751937984496124031007751938"
    assert (found["imr"], found["mmr"]) == (None, None)


# margin --price


def test_a_price_of_a_contract(tmp_path: Path) -> None:
    """In its settle coin; nothing is settled, and no other price moves."""
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "margin", "--price", "SOL-PERP=140")
    found = of(answer, "Main")
    # 50 * (140 - 148) = -400; 7000, 700 and 94.5; 50 * (140 - 150) since its entry.
    assert [found[key] for key in SUMS[2:10]] == [
        "900",
        "-400",
        "0",
        "500",
        "7000",
        "700",
        "94.5",
        "-200",
    ]
    assert found["positions"][0]["unrealized_pnl"] == "-500"
    assert of(answer, "Desk") == DESK
    # It would be liquidated at the same mark as before.
    assert (
        found["positions"][0]["liquidation_price"]
        == (
            MAIN["positions"][0]["liquidation_price"]  # type: ignore[index]
        )
    )


def test_a_price_of_a_coin(tmp_path: Path) -> None:
    """Of that coin alone: the mark over it stays."""
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "margin", "--price", "SOL=100")
    assert of(answer, "Desk")["collateral"] == "2110"  # 1960 + 3 * 100 * 0.5
    assert of(answer, "Main") == MAIN


def test_a_price_of_a_settle_coin(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    found = of(asked(made, "margin", "--price", "USDT=0.5"), "Desk")
    # 1000 + 222; 5000 contracts of value at 0.5; what Perp owes too.
    assert [found[key] for key in SUMS[2:10]] == [
        "1222",
        "0",
        "400",
        "822",
        "2900",
        "250",
        "125",
        "572",
    ]


def test_several_prices(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    words = ["--price", "USDT=0.5", "--price", "ETH-PERP=2400", "--price", "SOL=0.000001"]
    found = of(asked(made, "margin", *words), "Desk")
    # 1000 + 0.0000015; (4800 - 5000) * 0.5; 2400 + 400 of exposure
    assert found["collateral"] == "1000.0000015"
    assert (found["unsettled_pnl"], found["exposure"]) == ("-100", "2800")


# stress


def test_stress_as_json(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "stress", "--shock", "SOL=-20%", "--shock", "USDT=-2.5%,SOL=+10%")
    assert list(answer) == ["at", "currency", "basis", "shocks"]
    assert [list(group) for group in answer["shocks"]] == [["shock", "sub_accounts"]] * 2
    assert [group["shock"] for group in answer["shocks"]] == ["SOL=-20%", "USDT=-2.5%,SOL=+10%"]
    first, second = answer["shocks"]
    assert list(of(first, "Main")) == list(MAIN)
    # SOL moves the mark over it: 50 * (118.4 - 148) = -1480.
    found = of(first, "Main")
    assert found["positions"][0]["mark"] == "118.4"
    assert (found["net_equity"], found["exposure"]) == ("-580", "5920")
    assert of(first, "Desk")["collateral"] == "2137.6"  # 1960 + 3 * 118.4 * 0.5
    # USDT at 0.9555: 1911 + 3 * 162.8 * 0.5; contracts of 4777.5.
    found = of(second, "Desk")
    assert (found["collateral"], found["unsettled_pnl"]) == ("2155.2", "0")
    assert found["positions"][0]["exposure"] == "4777.5"
    assert of(second, "Main")["unsettled_pnl"] == "740"  # 50 * 14.8


def test_a_shock_on_a_settle_coin_moves_what_is_settled_in_it(tmp_path: Path) -> None:
    """What a position won or lost too, where it is not paid: here by a mark of its own."""
    made = books(tmp_path, *MAIN_AND_DESK)
    shock = "USDT=-50%,ETH-PERP=-10%"
    [group] = asked(made, "stress", "--shock", shock)["shocks"]
    found = of(group, "Desk")
    # 2 * 2250 - 5000 = -500 USDT at 0.49
    assert found["unsettled_pnl"] == "-245"
    assert found["positions"][0]["exposure"] == "2205"


def test_a_shock_on_what_is_owed(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        *MAIN_AND_DESK,
        """\
        2025-05-02 * "Withdraw, deposit"
          Assets:Backpack:Desk:Wallet  -2500 USDT
          Assets:Backpack:Desk:Wallet   2500 USDC
          Assets:Bank
        """,
    )
    [group] = asked(made, "stress", "--shock", "USDT=+100%")["shocks"]
    [borrow] = [row for row in of(group, "Desk")["borrows"] if row["coin"] == "USDT"]
    # 500 USDT at 1.96, 20 % and 10 %
    assert borrow == {
        "coin": "USDT",
        "quantity": "500",
        "price": "1.96",
        "liability": "980",
        "imf": "0.2",
        "mmf": "0.1",
        "initial_margin": "196",
        "maintenance_margin": "98",
    }


def test_a_shock_on_a_contract_moves_no_coin(tmp_path: Path) -> None:
    """And goes before that of its underlying."""
    made = books(tmp_path, *MAIN_AND_DESK)
    [group] = asked(made, "stress", "--shock", "SOL-PERP=-10%")["shocks"]
    assert of(group, "Main")["positions"][0]["mark"] == "133.2"
    assert of(group, "Desk") == DESK
    [group] = asked(made, "stress", "--shock", "SOL=-50%,SOL-PERP=-10%")["shocks"]
    assert of(group, "Main")["positions"][0]["mark"] == "133.2"
    assert of(group, "Desk")["collateral"] == "2071"


def test_stress_as_csv(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    shocks = ["--shock", "SOL=-20%", "--shock", "SOL=-30%,SOL-PERP=-1%"]
    done = made.usance("stress", *shocks, "--sub-account", "Main", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (done.exit_code, done.stderr, list(rows[0])) == (
        0,
        "",
        ["at", "shock", "sub_account", *SUMS[1:]],
    )
    assert [(row["shock"], row["sub_account"], row["net_equity"], row["mmr"]) for row in rows] == [
        ("SOL=-20%", "Main", "-580", ""),
        # 900 - 50 * 1.48; 0.0135 * 7326 / 826
        ("SOL=-30%,SOL-PERP=-1%", "Main", "826", "0.1197348668280871670702179177"),
    ]


@pytest.mark.parametrize(
    ("net_equity", "exposure", "mmr", "bankrupt"),
    [
        ("0", "0", None, False),
        ("0", "5", None, True),
        ("-1", "0", None, True),
        ("-1", "5", None, True),
        ("1", "5", "0.5", False),
        (None, None, None, False),
    ],
)
def test_who_has_nothing_left_is_bankrupt_and_who_never_had_is_not(
    net_equity: str | None, exposure: str | None, mmr: str | None, *, bankrupt: bool
) -> None:
    equity, exposed, ratio = (
        None if text is None else Decimal(text) for text in (net_equity, exposure, mmr)
    )
    row = SubAccountMargin("Main", "B", net_equity=equity, exposure=exposed, mmr=ratio)
    assert row.is_bankrupt is bankrupt


def test_stress_as_a_table_stands_side_by_side(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance("stress", "--shock", "SOL=-10%", "--shock", "SOL-PERP=-20%,SOL=-50%")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip(" ─")]
    # Main at 133.2: 160, 666, 89.91 of 160; at 118.4: -580. Desk: 199.8 or 111 of SOL.
    assert lines == [
        "Stress, end of 2025-05-02, USDC, as posted",
        "Sub-account Now SOL=-10% SOL-PERP=-20%,SOL=-50%",
        "Desk Net equity 1782 1759.8 1671",
        "Available equity 1292 1269.8 1181",
        "MMR 13.75% 13.92% 14.66%",
        "Main Net equity 900 160 -580",
        "Available equity 160 -506 -1172",
        "MMR 11.10% 56.19% bankrupt",
    ]


def test_a_breach_stands_in_the_table_of_stress(tmp_path: Path) -> None:
    """At 131.7: 85 of net equity, and 0.0135 * 6585 = 88.8975 are to be kept."""
    made = books(tmp_path, *MAIN_AND_DESK, "2025-05-01 price SOL-PERP 439 USDC\n")
    made = made.edited("price SOL-PERP 439 USDC", "price EUR 1 USDC")
    done = made.usance("stress", "--shock", "SOL-PERP=-11.01351351351351%")
    assert "104.59% breach" in done.stdout


# efficiency


def test_efficiency_of_one_capital_that_is_lent_and_held_as_margin(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "efficiency")
    assert list(answer) == ["at", "currency", "basis", "sub_accounts"]
    assert of(answer, "Main") == {
        "name": "Main",
        "venue": "Backpack",
        "capital": "900",
        "lent": "900",
        "margin": "740",
        "yield": "0",
        "uses": "1640",
        "efficiency": "1.822222222222222222222222222",
        "idle": "0",
        "siloed": "1640",
        "saved": "740",
    }
    # Unweighted: 1960 + 444 - 400; nothing is lent there, so what margin does not hold is idle.
    found = of(answer, "Desk")
    assert [found[key] for key in ("capital", "lent", "margin", "uses", "idle", "saved")] == [
        "2004",
        "0",
        "490",
        "490",
        "1514",
        "0",
    ]
    # On the first day at 150: 1,000 lent, and 750 of them held as margin.
    found = of(asked(made, "efficiency", "--at", "2025-05-01"), "Main")
    assert (found["capital"], found["lent"], found["margin"]) == ("1000", "1000", "750")
    assert (found["efficiency"], found["saved"]) == ("1.75", "750")


def test_efficiency_as_csv_and_as_a_table(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance("efficiency", "--format", "csv")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "at,sub_account,venue,capital,lent,margin,yield,uses,efficiency,idle,siloed,saved",
        "2025-05-02,Desk,Backpack,2004,0,490,0,490,0.2445109780439121756487025948,1514,490,0",
        "2025-05-02,Main,Backpack,900,900,740,0,1640,1.822222222222222222222222222,0,1640,740",
    ]
    done = made.usance("efficiency")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip(" ─")]
    assert lines[lines.index("Main at Backpack, end of 2025-05-02, as posted") :] == [
        "Main at Backpack, end of 2025-05-02, as posted",
        "USDC of capital",
        f"Capital 900 {'█' * 40}",
        f"lent 900 {'█' * 40}",
        f"held as margin 740 {'█' * 32}▉",
        "in the yield product 0",
        "Uses 1640",
        "Efficiency 182.22%",
        "Idle 0",
        "Separate accounts would need 1640",
        "Saved 740",
    ]


def test_efficiency_without_capital_does_not_exist(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    found = of(asked(made, "efficiency", "--at", "2025-04-01"), "Main")
    assert (found["capital"], found["efficiency"], found["idle"]) == ("0", None, "0")


def test_efficiency_counts_unsettled_results(tmp_path: Path) -> None:
    """Without a mark's day there is none: it counts what Perp holds where nothing settled."""
    made = books(
        tmp_path,
        TERMS,
        LONG,
        "2025-05-01 price SOL-PERP 151 USDC\n",
        through("2025-05-01"),
    )
    found = of(asked(made, "efficiency"), "Main")
    assert (found["capital"], found["margin"], found["idle"]) == ("1050", "755", "295")


# Coins without terms

COINS = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0 0
2025-05-01 custom "collateral" "SOL"
  weight: 0.5
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Main:Perp
2025-05-01 price SOL 150 USDC
2025-05-01 price SOL-PERP 150 USDC
2025-05-01 price DOGE 0.25 USDC
2025-05-01 price PEPE 0.5 EUR
2025-05-01 price EUR 1.2 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet    100 USDC
  Assets:Backpack:Main:Wallet      2 SOL
  Assets:Backpack:Main:Wallet   1000 DOGE
  Assets:Backpack:Main:Wallet     50 PEPE
  Assets:Bank
2025-05-01 * "Open 1 at 150"
  Assets:Backpack:Main:Perp        1 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp     -150 USDC
2025-05-02 custom "accrue-through" 2025-05-01
"""
"""DOGE and PEPE have no terms; PEPE is quoted in EUR, which has none either."""


def test_a_coin_without_terms_is_no_collateral_and_is_capital(tmp_path: Path) -> None:
    """
    Capital is 100 + 2 * 150 + 1000 * 0.25 + 50 * 0.5 * 1.2 = 680; 100 are lent, 15 held as margin.
    Collateral is 100 + 2 * 150 * 0.5 = 250.
    """
    made = Folder.made(tmp_path / "books", COINS)
    assert of(asked(made, "efficiency"), "Main") == {
        "name": "Main",
        "venue": "Backpack",
        "capital": "680",
        "lent": "100",
        "margin": "15",
        "yield": "0",
        "uses": "115",
        "efficiency": "0.1691176470588235294117647059",
        "idle": "580",
        "siloed": "115",
        "saved": "0",
    }
    assert Decimal(of(asked(made, "accounts"), "Main")["net_asset_value"]) == 680
    found = of(asked(made, "margin"), "Main")
    assert (found["collateral"], found["net_equity"]) == ("250", "250")
    assert [
        tuple(asset[key] for key in ("coin", "price", "weight", "value"))
        for asset in found["collateral_assets"]
    ] == [
        ("DOGE", "0.25", "0", "0"),
        ("PEPE", "0.6", "0", "0"),
        ("SOL", "150", "0.5", "150"),
        ("USDC", "1", "1", "100"),
    ]


def test_a_coin_without_terms_may_be_priced_otherwise_and_moves_no_margin(tmp_path: Path) -> None:
    """Somebody holds it; and a price can be asked of one that the ledger has none of."""
    made = Folder.made(tmp_path / "books", COINS.replace("price PEPE", "price XAU"))
    words = ["--price", "DOGE=2", "--price", "PEPE=3"]
    found = of(asked(made, "margin", *words), "Main")
    assert [asset["price"] for asset in found["collateral_assets"]] == ["2", "3", "150", "1"]
    assert found["net_equity"] == "250"
    [group] = asked(made, "stress", "--shock", "DOGE=-20%,PEPE=-50%")["shocks"]
    found = of(group, "Main")
    assert [asset["price"] for asset in found["collateral_assets"]] == ["0.2", None, "150", "1"]
    assert found["net_equity"] == "250"


def test_a_coin_that_truly_has_no_price_is_an_error_of_efficiency_alone(tmp_path: Path) -> None:
    """Each coin is named, and what to write; margin does not need it."""
    text = COINS.replace("price PEPE", "price XAU").replace("01 price DOGE", "02 price DOGE")
    made = Folder.made(tmp_path / "books", text)
    done = made.usance("efficiency", "--format", "json")
    assert done.exit_code == 1
    assert set(of(json.loads(done.stdout), "Main").values()) == {"Main", "Backpack", None}
    at = made.line('"Deposit"')
    assert done.stderr.splitlines() == [
        f'main.beancount:{at}: Sub-account "Main" has {coin} on 2025-05-01, but {coin} has no '
        f"price in USDC on or before that day. Write 2025-05-01 price {coin} 1.00 USDC, with the "
        "actual price in place of 1.00."
        for coin in ("DOGE", "PEPE")
    ]
    found = of(asked(made, "margin"), "Main")
    assert [asset["price"] for asset in found["collateral_assets"]] == [None, None, "150", "1"]
    assert found["net_equity"] == "250"


def test_a_coin_that_is_worth_nothing_adds_nothing_to_capital(tmp_path: Path) -> None:
    """As on the balance sheet: 680 - 250."""
    made = Folder.made(tmp_path / "books", COINS.replace("DOGE 0.25 USDC", "DOGE 0 USDC"))
    assert of(asked(made, "efficiency"), "Main")["capital"] == "430"
    assert Decimal(of(asked(made, "accounts"), "Main")["net_asset_value"]) == 430


def test_a_coin_without_terms_in_perp_has_its_price(tmp_path: Path) -> None:
    """Without the stage of margin it stays there: 680 + 10 * 0.25."""
    funding = """\
2025-05-01 * "Funding in kind"
  Assets:Backpack:Main:Perp  10 DOGE
  Assets:Bank
"""
    text = COINS.replace("usance.plugins", "usance.plugins.auto_lending") + funding
    made = Folder.made(tmp_path / "books", text)
    assert of(asked(made, "efficiency"), "Main")["capital"] == "682.5"
    assert of(asked(made, "margin"), "Main")["unsettled_pnl"] == "2.5"


def test_prices_of_coins_without_terms_are_no_inputs_of_closed_days(tmp_path: Path) -> None:
    """A day closes to the same text with them and without, and they may change later."""
    made = Folder.made(tmp_path / "books", COINS)
    without = Folder.made(tmp_path / "without", re.sub(r".*price (DOGE|PEPE).*\n", "", COINS))
    for folder in (made, without):
        folder.accrue()
    assert made.posted() == without.posted()
    made.edit("DOGE 0.25 USDC", "DOGE 0.5 USDC")
    assert made.usance("check").exit_code == 0
    assert of(asked(made, "efficiency"), "Main")["capital"] == "930"


# accounts


def test_accounts_show_perp_as_one_line_at_value(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance("accounts")
    assert (done.exit_code, done.stderr) == (0, "")
    [perp] = [line for line in done.stdout.splitlines() if "Main:Perp" in line]
    assert Decimal(perp.split()[1]) == 0
    [total] = [line for line in done.stdout.splitlines() if line.strip().startswith("Main ")][1:]
    assert Decimal(total.split()[-1]) == 900


def test_accounts_as_json(tmp_path: Path) -> None:
    """Units as booked; the residual is empty, and value is net equity without weights."""
    made = books(tmp_path, *MAIN_AND_DESK)
    answer = asked(made, "accounts")
    found = of(answer, "Main")
    perp = found["accounts"]["Assets:Backpack:Main:Perp"]
    assert {name: Decimal(number) for name, number in perp.items()} == {
        "SOL-PERP": 50,
        "USDC": -7400,
    }
    assert [of(answer, name)["residual"] for name in ("Main", "Desk")] == [{}, {}]
    assert Decimal(found["net_asset_value"]) == 900
    assert Decimal(of(answer, "Desk")["net_asset_value"]) == 2004
    assert Decimal(answer["net_asset_value"]) == 2904


def test_accounts_before_a_settlement_have_its_result_in_perp(tmp_path: Path) -> None:
    """Where the margin stage is off nothing settles: 50 * (148 - 150)."""
    head = HEAD.replace("usance.plugins", "usance.plugins.auto_lending")
    made = books(tmp_path, *MAIN_AND_DESK, head=head)
    done = made.usance("accounts")
    [perp] = [line for line in done.stdout.splitlines() if "Main:Perp" in line]
    assert Decimal(perp.split()[1]) == -100
    assert Decimal(of(asked(made, "accounts"), "Main")["net_asset_value"]) == 900


TWO_VENUES = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
2025-05-01 custom "sub-account" "A" Assets:Backpack:A
2025-05-01 custom "sub-account" "B" Assets:Bybit:B
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.1
  maintenance-margin: 0.05
2025-05-01 custom "perpetual" "SOL-PERP"
  venue: "Bybit"
  settle: EUR
  initial-margin: 0.1
  maintenance-margin: 0.05
2025-05-01 custom "collateral" "EUR"
  venue: "Bybit"
  weight: 1
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:A:Wallet
2025-05-01 open Assets:Backpack:A:Perp
2025-05-01 open Assets:Bybit:B:Wallet
2025-05-01 open Assets:Bybit:B:Perp
2025-05-01 price EUR 1.1 USDC
2025-05-01 price SOL-PERP 100 USDC
2025-05-01 price SOL-PERP 80 EUR
2025-05-02 price SOL-PERP 105 USDC
2025-05-02 price SOL-PERP 90 EUR
2025-05-01 * "Deposits"
  Assets:Backpack:A:Wallet    100 USDC
  Assets:Bank                -100 USDC
2025-05-01 * "Deposits"
  Assets:Bybit:B:Wallet   100 EUR
  Assets:Bank            -100 EUR
2025-05-01 * "Trades"
  Assets:Backpack:A:Perp      1 SOL-PERP {100 USDC}
  Assets:Backpack:A:Perp   -100 USDC
2025-05-01 * "Trades"
  Assets:Bybit:B:Perp      1 SOL-PERP {80 EUR}
  Assets:Bybit:B:Perp    -80 EUR
2025-05-02 custom "accrue-through" 2025-05-02
"""


def test_accounts_price_a_contract_in_the_coin_that_it_settles_in(tmp_path: Path) -> None:
    """Goal: also where another venue has one of the same name: settled, nothing is left of either.

    A earned 105 - 100 USDC, B 90 - 80 EUR, of which each is 1.1 USDC: 105, and 1.1 * 110 = 121.
    """
    made = Folder.made(tmp_path / "books", TWO_VENUES)
    answer = json.loads(made.usance("accounts", "--format", "json").stdout)
    assert Decimal(of(answer, "A")["net_asset_value"]) == 105
    assert Decimal(of(answer, "B")["net_asset_value"]) == 121
    uses = json.loads(made.usance("efficiency", "--format", "json").stdout)
    assert [row["capital"] for row in uses["sub_accounts"]] == ["105", "121"]


OVER_A_THIRD = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
2025-05-01 custom "sub-account" "A" Assets:Backpack:A
2025-05-01 custom "perpetual" "ETH-PERP"
  settle: USDT
  initial-margin: 0.1
  maintenance-margin: 0.05
2025-05-01 custom "collateral" "USDT"
  weight: 1
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:A:Wallet
2025-05-01 open Assets:Backpack:A:Perp
2025-05-01 price EUR 1.5 USDC
2025-05-01 price USDT 0.9 EUR
2025-05-01 price ETH-PERP 60 USDT
2025-05-01 * "Deposit"
  Assets:Backpack:A:Wallet    100 USDT
  Assets:Bank                -100 USDT
2025-05-01 * "Trade"
  Assets:Backpack:A:Perp      1 ETH-PERP {50 USDT}
  Assets:Backpack:A:Perp    -50 USDT
2025-05-02 custom "accrue-through" 2025-05-01
"""


def test_accounts_price_a_settle_coin_over_a_third_currency_as_margin_does(tmp_path: Path) -> None:
    """10 USDT are settled, and a USDT is 0.9 EUR of 1.5 USDC: 110 * 1.35, nothing in Perp."""
    made = Folder.made(tmp_path / "books", OVER_A_THIRD)
    assert Decimal(of(asked(made, "accounts"), "A")["net_asset_value"]) == Decimal("148.5")
    for command, key in (("margin", "net_equity"), ("efficiency", "capital")):
        assert of(asked(made, command), "A")[key] == "148.5"


@pytest.mark.parametrize(
    ("price", "pair"),
    [("ETH-PERP 60 USDT", ("ETH-PERP", "USDT")), ("USDT 0.9 EUR", ("USDT", "USDC"))],
)
def test_accounts_name_the_price_that_is_missing(
    price: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    """Of a contract it is the mark, in the settle coin, or the price of that coin."""
    made = Folder.made(
        tmp_path / "books", OVER_A_THIRD.replace(f"price {price}", "price XAU 1 USD")
    )
    [told] = [line for line in made.usance("accounts").stderr.splitlines() if "its value" in line]
    name, quote = pair
    assert f"{name} has no price in {quote} on or before 2025-05-01" in told
    assert f"Write 2025-05-01 price {name} 1.00 {quote}" in told


def test_accounts_at_cost_leave_the_result_out(tmp_path: Path) -> None:
    """Of an open position: 7500 at cost, less 7400 owed."""
    made = books(tmp_path, *MAIN_AND_DESK)
    found = of(asked(made, "accounts", "--at-cost"), "Main")
    assert Decimal(found["net_asset_value"]) == 1000


# What cannot be priced

MISSING = (
    'Sub-account "Main" has SOL-PERP on {day}, but SOL-PERP has no price in USDC on or before '
    "that day. Write {day} price SOL-PERP 1.00 USDC, with the actual price in place of 1.00."
)
COMMANDS = [
    ["margin"],
    ["margin", "--price", "SOL=120"],
    ["stress", "--shock", "SOL=-20%,SOL-PERP=-1%"],
    ["efficiency"],
    ["accounts"],
]


def unpriced(folder: Path) -> Books:
    """Give Main a contract without a mark, and Desk what it has."""
    parts = [re.sub(r".*price SOL-PERP.*\n", "", part) for part in MAIN_AND_DESK]
    return books(folder, *parts)


@pytest.mark.parametrize("command", ["margin", "efficiency"])
def test_figures_of_what_cannot_be_priced_are_null(tmp_path: Path, command: str) -> None:
    """The others are shown; the error stands on standard error, and the exit code is 1."""
    made = unpriced(tmp_path)
    done = made.usance(command, "--at", "2025-05-01", "--format", "json")
    assert done.exit_code == 1
    found = of(json.loads(done.stdout), "Main")
    assert set(found.values()) == {"Main", "Backpack", None}
    if command == "margin":
        assert list(found) == list(MAIN)
    assert None not in of(json.loads(done.stdout), "Desk").values()
    at = made.line('"Open 50 at 150"')
    line = f"main.beancount:{at}: {MISSING.format(day='2025-05-01')}"
    assert set(done.stderr.splitlines()) == {line}


@pytest.mark.parametrize("command", ["margin", "efficiency"])
def test_what_is_missing_is_told_once(tmp_path: Path, command: str) -> None:
    made = unpriced(tmp_path)
    assert len(made.usance(command, "--at", "2025-05-01").stderr.splitlines()) == 1


def test_null_figures_are_empty_in_csv_and_named_in_a_table(tmp_path: Path) -> None:
    made = unpriced(tmp_path)
    done = made.usance("margin", "--format", "csv")
    assert (done.exit_code, done.stdout.splitlines()[2]) == (
        1,
        f"2025-05-02,Main,Backpack{',' * 11}",
    )
    done = made.usance("stress", "--shock", "SOL=-1%", "--format", "csv")
    assert (done.exit_code, done.stdout.splitlines()[2]) == (
        1,
        f"2025-05-02,SOL=-1%,Main,Backpack{',' * 11}",
    )
    done = made.usance("efficiency", "--format", "csv")
    assert (done.exit_code, done.stdout.splitlines()[2]) == (
        1,
        f"2025-05-02,Main,Backpack{',' * 9}",
    )
    for command in ("margin", "efficiency"):
        done = made.usance(command)
        assert (done.exit_code, done.stdout.count("cannot be priced")) == (1, 1)
    done = made.usance("stress", "--shock", "SOL=-1%")
    assert done.exit_code == 1
    assert "None" not in done.stdout


# What is refused


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["margin", "--sub-account", "Mian"], "--sub-account Mian: there is none of this name."),
        (["margin", "--price", "ETH=1"], "--price ETH: no sub-account holds or owes it."),
        (["margin", "--price", "USDC=1"], "--price USDC: figures are in USDC, so its price is 1."),
        (["margin", "--price", "SOL"], "--price 'SOL' has the wrong form. Write it as SOL=120."),
        (["margin", "--price", "SOL="], "--price 'SOL=' has the wrong form. Write it as SOL=120."),
        (["margin", "--price", "=120"], "--price '=120' has the wrong form. Write it as SOL=120."),
        (
            ["margin", "--price", "SOL=much"],
            "--price 'SOL=much' has the wrong form. Write it as SOL=120.",
        ),
        (
            ["margin", "--price", "SOL=1e3"],
            "--price 'SOL=1e3' has the wrong form. Write it as SOL=120.",
        ),
        (
            ["margin", "--price", "SOL=NaN"],
            "--price 'SOL=NaN' has the wrong form. Write it as SOL=120.",
        ),
        (
            ["margin", "--price", "SOL=1,5"],
            "--price 'SOL=1,5' has the wrong form. Write it as SOL=120.",
        ),
        (["margin", "--price", "SOL=0"], "--price SOL: 0 is not above zero."),
        (["margin", "--price", "SOL=-1"], "--price SOL: -1 is not above zero."),
        (["margin", "--at", "2035-06-03"], "is more than ten years after 2025-05-02"),
        (["margin", "--at", "tomorrow"], "'tomorrow' is not a date. Write it as 2025-05-31, or"),
        (["margin", "--at", "2025-02-30"], "'2025-02-30' is not a date."),
        (["margin", "--format", "xml"], "'xml' is not one of"),
        (["stress"], "Missing option '--shock'"),
        (["stress", "--shock", ""], "--shock '' has the wrong form. Write it as SOL=-20%."),
        (
            ["stress", "--shock", "SOL=-20%,"],
            "--shock '' has the wrong form. Write it as SOL=-20%.",
        ),
        (["stress", "--shock", "SOL"], "--shock 'SOL' has the wrong form. Write it as SOL=-20%."),
        (
            ["stress", "--shock", "SOL=-20%%"],
            "--shock 'SOL=-20%%' has the wrong form. Write it as SOL=-20%.",
        ),
        (["stress", "--shock", "ETH=-20%"], "--shock ETH: no sub-account holds or owes it."),
        (
            ["stress", "--shock", "USDC=-1%"],
            "--shock USDC: figures are in USDC, so its price is 1.",
        ),
        (["stress", "--shock", "SOL=-100%"], "--shock SOL: no price can fall by 100 % or more."),
        (["stress", "--shock", "SOL=-1%", "--at", "2045-06"], "is more than ten years after"),
        (["stress", "--shock", "SOL=-1%", "--sub-account", "Mian"], "there is none of this name."),
        (["efficiency", "--at", "2036-05-03"], "Correct the year."),
    ],
)
def test_wrong_usage_exits_2(tmp_path: Path, words: list[str], told: str) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = made.usance(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())


def test_names_that_are_known_are_told(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    assert "Write one of: Desk, Main." in made.usance("margin", "--sub-account", "X").stderr
    told = made.usance("margin", "--price", "X=1").stderr
    assert "Held or owed: ETH-PERP, SOL, SOL-PERP, USDT." in " ".join(told.split())


@pytest.mark.parametrize("price", ["SOL=10%", "SOL=1+20"])
def test_a_price_is_a_number(tmp_path: Path, price: str) -> None:
    done = books(tmp_path, *MAIN_AND_DESK).usance("margin", "--price", price)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    "words",
    [
        ["margin", "--price", "SOL=100", "--price", "SOL=120"],
        ["stress", "--shock", "SOL=-10%,SOL=-20%"],
    ],
)
def test_two_moves_of_one_commodity_are_refused(tmp_path: Path, words: list[str]) -> None:
    done = books(tmp_path, *MAIN_AND_DESK).usance(*words)
    assert (done.exit_code, done.stdout) == (2, "")


# Ledgers of every kind


def test_a_ledger_without_positions(tmp_path: Path) -> None:
    made = books(tmp_path, TERMS, through("2025-05-02"))
    found = of(asked(made, "margin"), "Main")
    assert [found[key] for key in ("net_equity", "exposure", "positions", "borrows")] == [
        "1000",
        "0",
        [],
        [],
    ]
    assert (found["margin_fraction"], found["imr"], found["mmr"]) == (None, "0", "0")
    found = of(asked(made, "efficiency"), "Main")
    assert (found["capital"], found["margin"], found["idle"]) == ("1000", "0", "1000")
    assert made.usance("stress", "--shock", "SOL=-1%").exit_code == 2


SUB_ACCOUNT = '2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main\n'
WRONG = {
    "empty": "",
    "no books": SUB_ACCOUNT,
    "no plugin": "\n".join(MAIN_AND_DESK),
    "no operating currency": "\n".join(MAIN_AND_DESK),
    "no parse": "\n".join((*MAIN_AND_DESK, "2025-05-01 * nonsense\n")),
    "no balance": "\n".join(
        (*MAIN_AND_DESK, '2025-05-02 * "x"\n  Assets:Backpack:Main:Wallet 1 USDC\n')
    ),
    "no mark": "\n".join(re.sub(r".*price SOL-PERP.*\n", "", part) for part in MAIN_AND_DESK),
    "no price": "\n".join(re.sub(r".*price USDT .*\n", "", part) for part in MAIN_AND_DESK),
    "no terms": "\n".join(part.replace('"perpetual"', '"perpetuum"') for part in MAIN_AND_DESK),
    "terms of nothing": "\n".join(
        part.replace("settle: US", "settles: US") for part in MAIN_AND_DESK
    ),
    "no collateral terms": "\n".join(
        part.replace('"collateral"', '"pawn"') for part in MAIN_AND_DESK
    ),
    "no pool": "\n".join(part.replace('"lending-pool"', '"puddle"') for part in MAIN_AND_DESK),
    "no cost": "\n".join(part.replace("{150 USDC}", "@ 150 USDC") for part in MAIN_AND_DESK),
    "no borrow": "\n".join(part.replace("auto-borrow", "auto-repay") for part in MAIN_AND_DESK),
    "old": "\n".join((*MAIN_AND_DESK, through("2025-07-01"))),
}
HEADS = {
    "no plugin": HEAD.replace('plugin "usance.plugins"\n', ""),
    "no operating currency": HEAD.replace('option "operating_currency" "USDC"\n', ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_no_command_ends_in_a_traceback(tmp_path: Path, name: str) -> None:
    """In no format, on no ledger: an exception would be raised here."""
    text = re.sub("^ {4}", "", WRONG[name], flags=re.MULTILINE)
    made = books(tmp_path, text, head=HEADS.get(name, HEAD))
    for words in COMMANDS:
        for form in ("table", "json", "csv"):
            done = made.usance(*words, "--format", form)
            assert done.exit_code in (0, 1, 2)
            assert "Traceback" not in done.output
            if form == "json" and done.stdout:
                json.loads(done.stdout)


def figures(value: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    """Yield every figure of an answer."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in ("name", "venue", "at", "currency", "coin", "market", "shock", "basis"):
                yield from figures(part)
    elif isinstance(value, list):
        for part in value:
            yield from figures(part)
    elif value is not None:
        assert isinstance(value, str)
        yield value


def test_figures_are_strings_of_28_digits_at_most(tmp_path: Path) -> None:
    """In plain notation, without zeros at the end; however long what they are made of is."""
    parts = [
        part.replace("price SOL 148", "price SOL 147.123456789123456789123")
        .replace("price USDT 0.98", "price USDT 0.98765432109876543210987")
        .replace("price SOL-PERP 148", "price SOL-PERP 0.0000000000001234567890123456789")
        .replace("50 SOL-PERP {150 ", "0.0000000000000000001234567 SOL-PERP {150 ")
        .replace("-7500 USDC", "-0.000000000000000018518505 USDC")
        for part in MAIN_AND_DESK
    ]
    made = books(tmp_path, *parts)
    answers = [
        asked(made, *words)
        for words in (
            ["margin"],
            ["margin", "--price", "SOL=3.33333333333333333333"],
            ["stress", "--shock", "SOL=-33.3333333333%"],
            ["efficiency"],
        )
    ]
    found = [figure for answer in answers for figure in figures(answer)]
    assert len(found) > 100
    for figure in found:
        assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", figure), figure
        assert len(re.sub(r"\D", "", figure).strip("0")) <= 28, figure
    assert max(len(re.sub(r"\D", "", figure).strip("0")) for figure in found) == 28


def test_the_ledger_may_come_from_the_environment(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    done = CliRunner().invoke(
        main, ["margin", "--format", "json"], env={"USANCE_FILE": str(made.path)}
    )
    assert of(json.loads(done.stdout), "Main") == MAIN


def test_findings_stand_on_standard_error_and_do_not_fail_a_report(tmp_path: Path) -> None:
    made = books(
        tmp_path, TERMS, LONG, "2025-05-01 price SOL-PERP 136 USDC\n", through("2025-05-01")
    )
    [told] = made.told()
    for words in (["margin"], ["stress", "--shock", "SOL-PERP=-1%"], ["efficiency"], ["accounts"]):
        done = made.usance(*words)
        assert (done.exit_code, done.stderr) == (0, f"{told}\n")
