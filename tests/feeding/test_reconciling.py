"""Each line, class and rule of a reconciliation, with figures worked by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from reconciled_books import (
    MAIN,
    coin,
    held_against,
    owed,
    position,
    seen,
    snapshot,
    unmatched,
    written,
)

from usance.feeding.downloads import RefusedError
from usance.feeding.reconciling import Reconciled

Answer = dict[str, Any]

SETTINGS = {
    "autoLend": True,
    "autoBorrowSettlements": True,
    "autoRepayBorrows": True,
    "leverageLimit": "10",
}


def compared(
    folder: Path,
    text: str,
    coins: list[dict[str, str]],
    *,
    positions: list[dict[str, str]] | None = None,
    loans: list[dict[str, str]] | None = None,
    terms: str = MAIN,
    **others: Answer,
) -> Reconciled:
    """Return the books of the end of 2025-06-16, held against a snapshot of some coins."""
    totals: Answer = {"borrowLiability": "0", "pnlUnrealized": "0", "unsettledEquity": "0"}
    answers: Answer = {
        "collateral": {"collateral": coins, **totals, **others.pop("totals", {})},
        "position": positions or [],
        "borrow_lend_positions": loans or [],
        "account": SETTINGS,
        **others,
    }
    return held_against(written(folder, terms + text), snapshot(folder / "said", answers))


DEPOSIT = """
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
"""


# Quantities


def test_what_is_equal_to_the_last_digit_matches(tmp_path: Path) -> None:
    found = compared(tmp_path, DEPOSIT, [coin("USDC", "1000")])
    assert found.is_ok and not unmatched(found)
    assert [line.line for line in found.lines] == [
        "quantity",
        "lent",
        "weight",
        "leverage_limit",
        "auto_lend",
        "auto_borrow",
        "auto_repay",
        "borrow_liability",
    ]


@pytest.mark.parametrize(
    ("venue", "kind"),
    [
        ("1000.0000000001", "rounding"),
        ("999.9999999999", "rounding"),
        ("1000.0000000002", "differs"),
        ("999", "differs"),  # a venue cuts zeros: its last digit is the tenth decimal
        ("1000.00000000001", "rounding"),
    ],
)
def test_one_unit_of_the_last_digit_is_rounding_and_two_are_not(
    venue: str, kind: str, tmp_path: Path
) -> None:
    found = compared(tmp_path, DEPOSIT, [coin("USDC", venue)])
    assert seen(found)["quantity", "USDC"] == ("1000", venue, kind, None)
    assert found.is_ok is (kind == "rounding")


def test_a_coin_of_one_side_is_missing_or_extra(tmp_path: Path) -> None:
    """BP is missing in the books; SOL is in the books alone; POINTS are no coin."""
    text = DEPOSIT + '2025-06-10 * "SOL"\n  Assets:Backpack:Main:Wallet  2 SOL\n  Assets:Bank\n'
    text += "2025-06-10 price SOL 150 USDC\n"
    capital = {"BP": {"available": "300", "locked": "50", "staked": "0.5"}}
    capital["POINTS"] = {"available": "12345", "locked": "0", "staked": "0"}
    found = compared(tmp_path, text, [coin("USDC", "1000")], capital=capital)
    assert not found.is_ok
    assert unmatched(found) == {
        ("quantity", "BP"): (None, "350.5", "missing", None),
        ("quantity", "SOL"): ("2", None, "extra", None),
        ("lent", "SOL"): ("2", None, "extra", None),
    }


def test_what_is_no_coin_is_up_to_the_feed(tmp_path: Path) -> None:
    terms = MAIN.replace("  outside:", '  ignore: "BP"\n  outside:')
    capital = {name: {"available": "1", "locked": "0", "staked": "0"} for name in ("BP", "POINTS")}
    found = compared(tmp_path, DEPOSIT, [coin("USDC", "1000")], capital=capital, terms=terms)
    assert unmatched(found) == {("quantity", "POINTS"): (None, "1", "missing", None)}


SHARED = Path(__file__).parents[3] / "shared" / "data" / "backpack_shapes"

MERGED = [
    ({"BP": "350.0"}, {"USDC": "1492.4796"}, {"BP": "350", "USDC": "1492.4796"}),
    ({"GOOGL.US": "1.44986"}, {"GOOGL.US": "1.44986"}, {"GOOGL.US": "1.44986"}),
    ({"SOL": "0.01"}, {"SOL": "0.0195"}, {"SOL": "0.0195"}),
]
"""The cases of backpack_shapes/balance_merge_cases.json, from public notes on the API."""


@pytest.mark.parametrize(("capital", "collateral", "expected"), MERGED)
def test_the_larger_of_two_answers_on_one_coin_counts(
    capital: dict[str, str],
    collateral: dict[str, str],
    expected: dict[str, str],
    tmp_path: Path,
) -> None:
    said = {
        name: {"available": quantity, "locked": "0", "staked": "0"}
        for name, quantity in capital.items()
    }
    coins = [coin(name, quantity) for name, quantity in collateral.items()]
    text = '2025-06-10 * "Something"\n  Assets:Backpack:Main:Wallet  0.5 USDC\n  Assets:Bank\n'
    found = compared(tmp_path, text, coins, capital=said)
    told = {name: line[1] for (kind, name), line in seen(found).items() if kind == "quantity"}
    assert {name: amount for name, amount in told.items() if amount is not None} == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")
def test_the_cases_are_those_that_were_published() -> None:
    cases = json.loads((SHARED / "balance_merge_cases.json").read_text())["data"]
    assert [(case["capital"], case["collateral"]) for case in cases] == [
        (capital, collateral) for capital, collateral, _ in MERGED
    ]


# Debts


SHORT = """
2025-06-10 price SOL 150 USDC
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
2025-06-11 * "Sell 2 SOL that are borrowed"
  Assets:Backpack:Main:Wallet     -2 SOL @ 150 USDC
  Assets:Backpack:Main:Wallet    300 USDC
"""


def test_a_debt_is_held_against_the_borrow(tmp_path: Path) -> None:
    """2 SOL at 150 are 300 of liability and exposure, 10 % of that is held as margin."""
    found = compared(
        tmp_path,
        SHORT,
        [coin("USDC", "1300")],
        loans=[owed("SOL", "-2", "150"), owed("USDC", "1300", "1")],
        totals={
            "borrowLiability": "300",
            "netEquity": "1000",
            "netEquityLocked": "30",
            "netEquityAvailable": "970",
            "marginFraction": "3.3333333333333333333333333333",
        },
    )
    assert found.is_ok and not unmatched(found)
    assert seen(found)["quantity", "SOL"][:2] == ("-2", "-2")
    assert seen(found)["borrowed", "SOL"][:2] == ("2", "2")
    assert seen(found)["margin_fraction", ""][0] == "3.3333333333333333333333333333"


def test_held_and_owed_at_once_there_is_net_here(tmp_path: Path) -> None:
    """There 1.5 SOL in an open order, and 3.5 owed: 2 net, as here.

    There the debt is 3.5 * 150 = 525, the order counts 1.5 * 150 * 0.95 = 213.75, so the equity is
    1300 + 213.75 - 525 = 988.75 in place of 1000. All of it follows from what is held there.
    """
    found = compared(
        tmp_path,
        SHORT,
        [
            coin("USDC", "1300"),
            coin("SOL", "1.5", lent="0", ordered="1.5", weight="0.95", price="150"),
        ],
        loans=[owed("SOL", "-3.5", "150")],
        totals={
            "borrowLiability": "525",
            "netEquity": "988.75",
            "netEquityLocked": "52.5",
            "netEquityAvailable": "936.25",
            "marginFraction": "1.8833333333333333333333333333",
        },
    )
    assert found.is_ok
    assert unmatched(found) == {
        ("borrowed", "SOL"): ("2", "3.5", "explained", "both"),
        ("net_equity", ""): ("1000", "988.75", "explained", "both"),
        ("available_equity", ""): ("970", "936.25", "explained", "both"),
        ("initial_margin", ""): ("30", "52.5", "explained", "both"),
        ("borrow_liability", ""): ("300", "525", "explained", "both"),
        ("margin_fraction", ""): (
            "3.3333333333333333333333333333",
            "1.8833333333333333333333333333",
            "explained",
            "both",
        ),
    }


def test_another_debt_with_another_net_differs(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        SHORT,
        [coin("USDC", "1300")],
        loans=[owed("SOL", "-2.1", "150")],
        totals={"borrowLiability": "315"},
    )
    assert unmatched(found) == {
        ("quantity", "SOL"): ("-2", "-2.1", "differs", None),
        ("borrowed", "SOL"): ("2", "2.1", "differs", None),
        ("borrow_liability", ""): ("300", "315", "differs", None),
    }


def test_held_and_owed_at_once_here_is_a_term_that_differs(tmp_path: Path) -> None:
    """Without auto-repay the books keep 1 SOL and owe 2; the venue repaid. So does the setting."""
    text = SHORT + ('2025-06-12 * "Deposit"\n  Assets:Backpack:Main:Wallet  1 SOL\n  Assets:Bank\n')
    terms = MAIN.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  auto-repay: FALSE")
    found = compared(
        tmp_path, text, [coin("USDC", "1300")], loans=[owed("SOL", "-1", "150")], terms=terms
    )
    assert not found.is_ok
    left = unmatched(found)
    assert left["borrowed", "SOL"] == ("2", "1", "differs", None)
    assert left["auto_repay", ""] == ("FALSE", "TRUE", "differs", None)
    assert ("quantity", "SOL") not in left


def test_held_and_owed_on_both_sides_in_other_amounts_differs(tmp_path: Path) -> None:
    text = SHORT + ('2025-06-12 * "Deposit"\n  Assets:Backpack:Main:Wallet  1 SOL\n  Assets:Bank\n')
    terms = MAIN.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  auto-repay: FALSE")
    found = compared(
        tmp_path,
        text,
        [coin("USDC", "1300"), coin("SOL", "0.5", weight="0.95", price="150")],
        loans=[owed("SOL", "-1.5", "150")],
        terms=terms,
    )
    assert unmatched(found)["borrowed", "SOL"] == ("2", "1.5", "differs", None)
    assert seen(found)["quantity", "SOL"][2] == "matched"


def test_without_the_answer_on_loans_what_is_held_is_compared(tmp_path: Path) -> None:
    answers = {"collateral": {"collateral": [coin("USDC", "1300")], "borrowLiability": "300"}}
    said = snapshot(tmp_path / "said", answers)
    found = held_against(written(tmp_path, MAIN + SHORT), said)
    assert [line.line for line in found.lines] == ["quantity", "lent", "weight", "borrow_liability"]
    assert "borrow-lend positions" in found.notes[0]


# Loans


def test_what_is_in_orders_is_not_lent(tmp_path: Path) -> None:
    """Of 1,000, 950 are lent, 40 in orders, 10 idle."""
    row = coin("USDC", "1000", lent="950", ordered="40", idle="10")
    found = compared(tmp_path, DEPOSIT, [row])
    assert unmatched(found) == {("lent", "USDC"): ("1000", "950", "explained", "open orders")}


@pytest.mark.parametrize(
    "row",
    [
        coin("USDC", "1000", lent="950", idle="50"),  # no order: lending is off there
        coin("USDC", "1000", lent="950", ordered="40"),  # 10 are nowhere
        coin("USDC", "1000", lent="949", ordered="40", idle="10"),
    ],
)
def test_what_is_idle_for_no_order_differs(row: dict[str, str], tmp_path: Path) -> None:
    found = compared(tmp_path, DEPOSIT, [row])
    assert [line[2:] for line in unmatched(found).values()] == [("differs", None)]


def test_what_is_not_lent_here_differs(tmp_path: Path) -> None:
    terms = MAIN.replace("auto-lend: TRUE", "auto-lend: FALSE")
    row = coin("USDC", "1000", lent="960", ordered="40")
    found = compared(tmp_path, DEPOSIT, [row], terms=terms)
    assert unmatched(found) == {
        ("lent", "USDC"): ("0", "960", "differs", None),
        ("auto_lend", ""): ("FALSE", "TRUE", "differs", None),
    }


def test_less_than_a_quantum_is_not_lent_and_is_borrowed_too_much(tmp_path: Path) -> None:
    """A coin without a quantum of its own has one of 0.00000001: import writes what is finer."""
    terms = (
        MAIN
        + """
2025-06-01 custom "lending-pool" "WIF"
  rates: "observed"
2025-06-01 custom "lending-rate" "WIF" 0 0
2025-06-01 custom "collateral" "WIF"
  weight: 0
2025-06-10 price WIF 1 USDC
"""
    )
    text = '2025-06-10 * "WIF"\n  Assets:Backpack:Main:Wallet  12.3456789012 WIF\n  Assets:Bank\n'
    row = coin("WIF", "12.3456789012", weight="0")
    found = compared(tmp_path, text, [row], terms=terms)
    assert unmatched(found) == {
        ("lent", "WIF"): ("12.3456789", "12.3456789012", "explained", "quantum")
    }
    text = text.replace("12.3", "-12.3").replace("-12", " -12")
    loans = [owed("WIF", "-12.3456789012", "1")]
    totals = {"borrowLiability": "12.3456789012"}
    found = compared(tmp_path, text, [], loans=loans, totals=totals, terms=terms)
    assert unmatched(found) == {
        ("borrowed", "WIF"): ("12.34567891", "12.3456789012", "explained", "quantum"),
        ("borrow_liability", ""): ("12.34567891", "12.3456789012", "explained", "quantum"),
    }


# Contracts


LONG = (
    DEPOSIT
    + """
2025-06-15 price SOL-PERP 149 USDC
2025-06-15 * "Open 50 at 150"
  Assets:Backpack:Main:Perp          50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp       -7500 USDC
"""
)
"""Settled at 149: 950 in the wallet, and 50 * 149 = 7450 owed in Perp."""

TOTALS = {
    "netEquity": "900",
    "netEquityLocked": "740",
    "netEquityAvailable": "160",
    "marginFraction": "0.1216216216216216216216216216",
}
"""At a mark of 148: exposure 7400, a tenth of it locked, 900 / 7400."""


def test_equity_has_no_hour_of_settlement(tmp_path: Path) -> None:
    """The venue has paid all of the loss at 148, the books that at 149: 900 both.

    900 = 950 + 50 * 148 - 7450. The wallet, and what is lent of it, is that of another hour.
    """
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "900")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148")],
        totals=TOTALS,
    )
    assert found.is_ok
    assert unmatched(found) == {("lent", "USDC"): ("950", "900", "explained", "unsettled")}
    lines = seen(found)
    assert lines["equity", "USDC"][:2] == ("900", "900")
    assert lines["position", "SOL-PERP"][:2] == ("50", "50")
    assert lines["entry_price", "SOL-PERP"][:2] == ("150", "150")
    assert lines["margin_fraction", ""][0] == "0.1216216216216216216216216216"
    assert ("quantity", "USDC") not in lines


def test_what_is_unsettled_and_in_orders_is_explained_by_both(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "920", lent="880", ordered="40")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148", result="-25")],
        totals=TOTALS | {"pnlUnrealized": "-25", "unsettledEquity": "5"},
    )
    assert unmatched(found) == {
        ("lent", "USDC"): ("950", "880", "explained", "open orders, unsettled")
    }


def test_what_is_idle_for_no_order_is_not_unsettled(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "900", lent="850", idle="50")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148")],
    )
    assert unmatched(found) == {("lent", "USDC"): ("950", "850", "differs", None)}


def test_equity_that_differs_explains_nothing(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "899")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148")],
    )
    assert unmatched(found) == {
        ("equity", "USDC"): ("900", "899", "differs", None),
        ("lent", "USDC"): ("950", "899", "differs", None),
    }


def test_a_loss_beyond_the_wallet_is_borrowed_sooner_there(tmp_path: Path) -> None:
    """At 129 the loss is 1050 there: 50 are borrowed. Here 50 are in the wallet, at 149."""
    found = compared(
        tmp_path,
        LONG,
        [],
        positions=[position("SOL_USDC_PERP", "50", "150", "129")],
        loans=[owed("USDC", "-50", "1")],
        totals={
            "borrowLiability": "50",
            "netEquity": "-50",
            "netEquityLocked": "650",  # a tenth of 50 * 129 and of 50
            "netEquityAvailable": "-700",
        },
    )
    assert found.is_ok
    assert unmatched(found) == {
        ("available_equity", ""): ("-695", "-700", "explained", "unsettled"),
        ("initial_margin", ""): ("645", "650", "explained", "unsettled"),
        ("borrowed", "USDC"): ("0", "50", "explained", "unsettled"),
        ("lent", "USDC"): ("950", "0", "explained", "unsettled"),
        ("borrow_liability", ""): ("0", "50", "explained", "unsettled"),
    }


def test_a_result_is_cut_by_less_than_a_millionth_for_each_position(tmp_path: Path) -> None:
    """50 * 148.00000001 - 7500 is -99.9999995, shown as -99.999999."""
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "1000")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148.00000001", result="-99.999999")],
        totals={"pnlUnrealized": "-99.999999", "netEquity": "900.000001"},
    )
    assert unmatched(found) == {
        ("equity", "USDC"): ("900.0000005", "900.000001", "explained", "truncated"),
        ("lent", "USDC"): ("950", "1000", "explained", "unsettled"),
        ("net_equity", ""): ("900", "900.000001", "rounding", None),
    }
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "1000")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148.00000001", result="-99.999998")],
        totals={"pnlUnrealized": "-99.999998"},
    )
    assert seen(found)["equity", "USDC"][2] == "differs"


def test_a_contract_of_one_side_is_missing_or_extra(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "900")],
        positions=[position("BTC_USDC_PERP", "-0.1", "106000", "106000")],
        totals={"pnlUnrealized": "50"},  # 950 at the ledger's mark, which is 149
    )
    lines = seen(found)
    assert lines["position", "SOL-PERP"] == ("50", None, "extra", None)
    assert lines["position", "BTC-PERP"] == (None, "-0.1", "missing", None)
    assert lines["equity", "USDC"][2] == "matched"
    assert ("entry_price", "SOL-PERP") not in lines


def test_a_closed_position_that_the_venue_still_lists_is_no_line(tmp_path: Path) -> None:
    listed = position("SOL_USDC_PERP", "0", "0", "148")
    found = compared(tmp_path, DEPOSIT, [coin("USDC", "1000")], positions=[listed])
    assert found.is_ok and ("position", "SOL-PERP") not in seen(found)


CLOSED_IN_PART = (
    LONG
    + """
2025-06-15 * "Open 50 more at 160"
  time: "10:00"
  Assets:Backpack:Main:Perp          50 SOL-PERP {160 USDC}
  Assets:Backpack:Main:Perp       -8000 USDC
2025-06-15 * "Close 25 at 155: the oldest here"
  time: "11:00"
  Assets:Backpack:Main:Perp         -25 SOL-PERP {150 USDC} @ 155 USDC
  Assets:Backpack:Main:Perp        3875 USDC
  Income:Backpack:Main:PnL         -125 USDC
"""
)
"""Here 25 at 150 and 50 at 160 are left, 156.66… on average; there all are at 155."""


@pytest.mark.parametrize(
    ("entry", "kind", "rule"),
    [
        ("155", "explained", "average entry"),
        ("156.6666666666666666666666666667", "matched", None),
        ("155.0000000001", "differs", None),
        ("150", "differs", None),
    ],
)
def test_an_entry_after_a_close_is_the_average_of_all_that_was_opened(
    entry: str, kind: str, rule: str | None, tmp_path: Path
) -> None:
    found = compared(
        tmp_path,
        CLOSED_IN_PART,
        [],
        positions=[position("SOL_USDC_PERP", "75", entry, "149")],
    )
    assert seen(found)["entry_price", "SOL-PERP"][1:] == (entry, kind, rule)


def test_an_average_begins_anew_when_the_contract_was_flat(tmp_path: Path) -> None:
    """All 50 are closed, and 10 opened at 152: no close in part since then."""
    text = LONG + (
        '2025-06-15 * "Close"\n  time: "10:00"\n'
        "  Assets:Backpack:Main:Perp  -50 SOL-PERP {150 USDC} @ 151 USDC\n"
        "  Assets:Backpack:Main:Perp  7550 USDC\n  Income:Backpack:Main:PnL  -50 USDC\n"
        '2025-06-15 * "Open"\n  time: "11:00"\n'
        "  Assets:Backpack:Main:Perp  10 SOL-PERP {152 USDC}\n"
        "  Assets:Backpack:Main:Perp  -1520 USDC\n"
    )
    for entry, kind in (("152", "matched"), ("151", "differs")):
        found = compared(
            tmp_path, text, [], positions=[position("SOL_USDC_PERP", "10", entry, "149")]
        )
        assert seen(found)["entry_price", "SOL-PERP"][2] == kind


# Weights, settings, totals


CURVED = """
2025-06-02 custom "collateral" "SOL"
  weight: 0.975
  weight-function: "inverse-sqrt"
  base: 1.1
  penalty: 0.002
2025-06-10 price SOL 150 USDC
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   10000 SOL
  Assets:Bank
"""


@pytest.mark.parametrize(
    ("weight", "kind"),
    [
        ("0.9166666666666666666666666667", "matched"),  # 1.1 / (1 + 0.002 * 100)
        ("0.9166666666666666666666666666", "rounding"),
        ("0.9166666667", "matched"),
        ("0.975", "differs"),
    ],
)
def test_a_weight_is_that_of_the_terms_at_the_quantity(
    weight: str, kind: str, tmp_path: Path
) -> None:
    row = coin("SOL", "10000", weight=weight, price="150")
    assert seen(compared(tmp_path, CURVED, [row]))["weight", "SOL"][1:3] == (weight, kind)


def test_a_coin_without_terms_weighs_nothing(tmp_path: Path) -> None:
    text = '2025-06-10 * "BP"\n  Assets:Backpack:Main:Wallet  7 BP\n  Assets:Bank\n'
    row = coin("BP", "7", lent="0", idle="7", weight="0.5", price="2")
    assert unmatched(compared(tmp_path, text, [row])) == {
        ("weight", "BP"): ("0", "0.5", "differs", None)
    }


def test_settings_are_held_against_the_terms(tmp_path: Path) -> None:
    said = {
        "autoLend": False,
        "autoBorrowSettlements": False,
        "autoRepayBorrows": False,
        "leverageLimit": "20",
    }
    found = compared(tmp_path, DEPOSIT, [coin("USDC", "1000")], account=said)
    assert unmatched(found) == {
        ("leverage_limit", ""): ("10", "20", "differs", None),
        ("auto_lend", ""): ("TRUE", "FALSE", "differs", None),
        ("auto_borrow", ""): ("TRUE", "FALSE", "differs", None),
        ("auto_repay", ""): ("TRUE", "FALSE", "differs", None),
    }
    terms = MAIN.replace("  leverage-limit: 10\n", "")
    found = compared(tmp_path, DEPOSIT, [coin("USDC", "1000")], account=said, terms=terms)
    assert ("leverage_limit", "") not in seen(found)


def test_margin_for_open_orders_is_explained(tmp_path: Path) -> None:
    """Orders for 10 more: exposure 60 * 148 = 8880, of it 888 locked, 900 / 8880 left."""
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "900")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148", exposure="60")],
        totals={
            "netEquity": "900",
            "netEquityLocked": "888",
            "netEquityAvailable": "12",
            "marginFraction": "0.1013513513513513513513513514",
        },
    )
    assert found.is_ok
    left = unmatched(found)
    del left["lent", "USDC"]
    assert left == {
        ("available_equity", ""): ("160", "12", "explained", "open orders"),
        ("initial_margin", ""): ("740", "888", "explained", "open orders"),
        ("margin_fraction", ""): (
            "0.1216216216216216216216216216",
            "0.1013513513513513513513513514",
            "explained",
            "open orders",
        ),
    }


def test_orders_for_a_contract_that_is_not_open_take_margin_too(tmp_path: Path) -> None:
    """10 * 148 = 1480, of it 148 locked."""
    found = compared(
        tmp_path,
        DEPOSIT,
        [coin("USDC", "1000")],
        positions=[position("SOL_USDC_PERP", "0", "0", "148", exposure="10")],
        totals={"netEquityLocked": "148", "marginFraction": "0.6756756756756756756756756757"},
    )
    assert unmatched(found) == {
        ("initial_margin", ""): ("0", "148", "explained", "open orders"),
        ("margin_fraction", ""): (
            None,
            "0.6756756756756756756756756757",
            "explained",
            "open orders",
        ),
    }


def test_a_total_that_no_rule_meets_differs(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        LONG,
        [coin("USDC", "900")],
        positions=[position("SOL_USDC_PERP", "50", "150", "148", exposure="60")],
        totals=TOTALS | {"netEquityLocked": "887.9999", "netEquityAvailable": "12.1"},
    )
    left = unmatched(found)
    assert left["initial_margin", ""] == ("740", "887.9999", "differs", None)
    assert left["available_equity", ""] == ("160", "12.1", "differs", None)


def test_a_total_is_rounded_half_even_to_the_digits_that_the_venue_shows(tmp_path: Path) -> None:
    """0.1 SOL at 150.123457 count 14.261728415."""
    text = '2025-06-10 * "SOL"\n  Assets:Backpack:Main:Wallet  0.1 SOL\n  Assets:Bank\n'
    row = coin("SOL", "0.1", weight="0.95", price="150.123457")
    for venue, kind in (
        ("14.261728415", "matched"),
        ("14.26172842", "matched"),  # half to even
        ("14.26172841", "rounding"),
        ("14.261728", "matched"),
        ("14.261727", "rounding"),
        ("14.261726", "differs"),
        ("14.26", "differs"),  # zeros that were cut are digits
        ("14", "differs"),
    ):
        found = compared(tmp_path, text, [row], totals={"netEquity": venue})
        assert seen(found)["net_equity", ""][2] == kind, venue


def test_totals_without_a_price_are_left_out_and_said(tmp_path: Path) -> None:
    text = DEPOSIT + '2025-06-10 * "SOL"\n  Assets:Backpack:Main:Wallet  2 SOL\n  Assets:Bank\n'
    row = coin("SOL", "2", weight="0.95")
    del row["assetMarkPrice"]
    found = compared(tmp_path, text, [coin("USDC", "1000"), row], totals={"netEquity": "1285"})
    assert ("net_equity", "") not in seen(found)
    assert any(note.startswith("The totals are left out. ") for note in found.notes)


# What is not there


def test_a_ledger_without_a_feed_is_told_what_to_write(tmp_path: Path) -> None:
    terms = (
        MAIN.partition("2025-06-16 custom")[0] + '2025-06-18 custom "accrue-through" 2025-06-16\n'
    )
    with pytest.raises(RefusedError, match=r'has no feed\. Write one, such as .* custom "feed"'):
        compared(tmp_path, DEPOSIT, [coin("USDC", "1000")], terms=terms)
