"""Laws of reconciling: what agrees is matched, and one unit less in any figure is found.

The venue's side is worked out here, in fractions, from drawn amounts.
"""

import copy
import json
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from reconciled_books import MAIN, coin, held_against, owed, position, snapshot, written

from usance.feeding.lines import Class
from usance.feeding.reconciling import Asked, moment_of, reconcile
from usance.ledger.load import load

UNIT = Decimal("1e-10")

quantities = st.integers(10**11, 10**14).map(lambda units: Decimal(2 * units).scaleb(-10))
prices = st.integers(10**4, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))


def text(number: Fraction | Decimal) -> str:
    """Return a number as a venue writes it: 28 digits at most, zeros at the end cut."""
    exact = Fraction(number)
    places = max(0, 28 - len(str(abs(exact.numerator) // exact.denominator)))
    units = round(exact * 10**places)
    shown = f"{Decimal(units).scaleb(-places):f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def described(
    usdc: Decimal, sol: Decimal, short: Decimal, contracts: Decimal, entry: Decimal, mark: Decimal
) -> tuple[str, dict[str, Any]]:
    """Return a ledger's text, and the snapshot of a venue that has the same.

    USDC and SOL are held, WIF is sold short at 0.5, a contract is open at its entry; the ledger
    settled at the mark.
    """
    ledger = f"""
2025-06-01 commodity WIF
  quantum: 0.0000000001
2025-06-01 custom "lending-pool" "WIF"
  rates: "observed"
2025-06-01 custom "lending-rate" "WIF" 0 0
2025-06-01 custom "collateral" "WIF"
  weight: 0.5
  initial-margin: 0.2
2025-06-15 price SOL-PERP {mark} USDC
2025-06-15 price SOL 150.12 USDC
2025-06-15 price WIF 0.5 USDC
2025-06-15 * "Deposit"
  Assets:Backpack:Main:Wallet   {usdc} USDC
  Assets:Backpack:Main:Wallet   {sol} SOL
  Assets:Bank
2025-06-15 * "Short"
  Assets:Backpack:Main:Wallet  {-short} WIF @ 0.5 USDC
  Assets:Backpack:Main:Wallet
2025-06-15 * "Open"
  Assets:Backpack:Main:Perp  {contracts} SOL-PERP {{{entry} USDC}}
  Assets:Backpack:Main:Perp
"""
    result = Fraction(contracts) * (Fraction(mark) - Fraction(entry))
    cash = Fraction(usdc) + Fraction(short) / 2 + result
    debt = max(Fraction(0), -cash)
    liability = Fraction(short) / 2 + debt
    equity = cash + debt + Fraction(sol) * Fraction("150.12") * Fraction("0.95") - liability
    notional = Fraction(contracts) * Fraction(mark)
    # A square root that is no fraction is left out: the factor binds above 71,111 alone, and the
    # leverage limit of 10 up to 1,777,777.
    locked = notional / 10 + Fraction(short) / 2 / 5 + debt / 10
    coins = [coin("SOL", text(sol), weight="0.95", price="150.12")]
    loans = [owed("WIF", text(-short), "0.5")]
    if cash > 0:
        coins.append(coin("USDC", text(cash)))
    elif debt:
        loans.append(owed("USDC", text(-debt), "1"))
    return ledger, {
        "collateral": {
            "collateral": coins,
            "borrowLiability": text(liability),
            "netEquity": text(equity),
            "netEquityLocked": text(locked),
            "netEquityAvailable": text(equity - locked),
            "marginFraction": text(equity / (notional + liability)),
            "pnlUnrealized": "0",
            "unsettledEquity": "0",
        },
        "position": [position("SOL_USDC_PERP", text(contracts), text(entry), text(mark))],
        "borrow_lend_positions": loans,
        "account": {
            "autoLend": True,
            "autoBorrowSettlements": True,
            "autoRepayBorrows": True,
            "leverageLimit": "10",
        },
    }


FIGURES = {
    "totalQuantity",
    "lendQuantity",
    "collateralWeight",
    "netQuantity",
    "entryPrice",
    "leverageLimit",
    "netEquity",
    "netEquityLocked",
    "netEquityAvailable",
    "borrowLiability",
    "marginFraction",
    "pnlUnrealized",
    "unsettledEquity",
}
"""Fields that a line is held against."""


def figures(answers: Any) -> list[list[str | int]]:  # noqa: ANN401
    """Return the way to each figure of a snapshot."""
    found: list[list[str | int]] = []
    pairs = answers.items() if isinstance(answers, dict) else enumerate(answers)
    for key, value in pairs:
        if isinstance(value, dict | list):
            found += [[key, *way] for way in figures(value)]
        elif key in FIGURES or isinstance(value, bool):
            found.append([key])
    return found


def changed(answers: dict[str, Any], way: list[str | int]) -> dict[str, Any]:
    """Return answers in which one figure is one unit of its last digit less, or a switch is off."""
    less = copy.deepcopy(answers)
    at: Any = less
    for key in way[:-1]:
        at = at[key]
    value = at[way[-1]]
    if isinstance(value, bool):
        at[way[-1]] = not value
        return less
    exponent = Decimal(value).as_tuple().exponent
    assert isinstance(exponent, int)
    unit = min(UNIT, Decimal(1).scaleb(exponent))
    if way[-1] in ("netEquity", "netEquityLocked", "netEquityAvailable", "borrowLiability"):
        unit = min(Decimal("1e-6"), Decimal(1).scaleb(exponent))
    if way[-1] == "marginFraction":
        unit = min(Decimal("1e-6"), Decimal(1).scaleb(exponent))
    at[way[-1]] = f"{Decimal(value) - unit:f}"
    return less


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(quantities, quantities, quantities, st.integers(1, 999), prices, prices)
def test_one_unit_less_in_any_figure_is_found(
    usdc: Decimal, sol: Decimal, short: Decimal, contracts: int, entry: Decimal, mark: Decimal
) -> None:
    size = Decimal(contracts).scaleb(-3)
    ledger, answers = described(usdc, sol, short, size, entry, mark)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = written(folder, MAIN + ledger)
        whole = held_against(path, snapshot(folder / "said", answers))
        assert whole.is_ok and not whole.notes
        assert {line.kind for line in whole.lines} == {Class.MATCHED}, whole.lines
        loaded, at = load(str(path)), moment_of("2025-06-16")
        # A result of one position is read where the account states no sum of them.
        ways = [
            way for way in figures(answers) if way[0] != "position" or way[2] != "pnlUnrealized"
        ]
        assert len(ways) >= 18
        for way in ways:
            said = snapshot(folder / "less", changed(answers, way))
            [found] = reconcile(loaded, Asked(said, None, at), rows=lambda _: ())
            assert any(line.kind is not Class.MATCHED for line in found.lines), way


def test_the_way_to_a_figure() -> None:
    answers = {"a": [{"netEquity": "1"}], "b": {"autoLend": True}}
    assert figures(answers) == [["a", 0, "netEquity"], ["b", "autoLend"]]
    assert json.dumps(changed(answers, ["a", 0, "netEquity"])["a"]) == '[{"netEquity": "0.999999"}]'
