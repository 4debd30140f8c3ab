"""Vectors of other programs and venues, each with its source in the file.

Goal: our functions of rates and interest agree with what others publish. Method: one step of n
hours at a simple rate is one hour at n times that rate, which is how rows that are not hourly map.
The vectors lie beside the repository, in ../shared/vectors.
"""

import json
from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from usance.model.amounts import NO_CARRY, Quanta
from usance.model.terms import CurvePool
from usance.rules.interest import borrower, growth, lender
from usance.rules.pool_rates import borrow_rate, supply_rate, utilization

FOLDER = Path(__file__).parents[3] / "shared" / "vectors"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/vectors is not here")

Row = dict[str, Any]
UNIT = 10**18
HOURS_A_YEAR = 8760

BEYOND = "an optimal utilization of 110 %: terms at or above 100 % are refused"
NOT_MAPPED = {
    "hli-ledger-30-360": "months of 30 days: the only day count here is actual/365 fixed",
    "comp-j0-k110-u0": BEYOND,
    "comp-j0-k110-u10": BEYOND,
    "comp-j0-k110-u100": BEYOND,
}
"""Rows that no function of ours can be asked for, and why."""


def rows(name: str) -> list[Row]:
    """Return the rows of a file, none where it is not here."""
    path = FOLDER / name
    return json.loads(path.read_text())["vectors"] if path.exists() else []


def mapped(name: str) -> list[Any]:
    """Return the rows of a file that map, as parameters."""
    return [pytest.param(row, id=row["id"]) for row in rows(name) if row["id"] not in NOT_MAPPED]


def curve(*numbers: str) -> CurvePool:
    """Return a curve of base rate, two slopes, optimal utilization and fee."""
    base, slope_1, slope_2, optimal, fee = map(Decimal, numbers)
    return CurvePool(base, slope_1, slope_2, optimal, fee, Decimal(0), Decimal(0))


def whole(number: Decimal, quantum: str) -> Quanta:
    """Return an amount in quanta; it has no finer digits."""
    quanta = number / Decimal(quantum)
    assert quanta == quanta.to_integral_value()
    return Quanta(int(quanta))


def lent(principal: str, steps: list[Decimal]) -> Decimal:
    """Return what a principal earns in some steps, each with its simple growth."""
    grown = growth([step * HOURS_A_YEAR for step in steps])
    credit, carry = lender(whole(Decimal(principal), "1e-18"), grown, NO_CARRY)
    assert 0 <= carry < UNIT
    return Decimal(credit).scaleb(-18)


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """Compare with more digits than the vectors have."""
    with localcontext(prec=60):
        yield


@pytest.mark.parametrize("row", mapped("rate_curve.json"))
def test_two_slopes(row: Row) -> None:
    inputs, expected, tolerance = row["inputs"], row["expected"], row["tolerance"]
    names = ("base", "slope1", "slope2", "u_opt", "fee")
    pool = curve(*(inputs[name] or "0" for name in names))
    used = utilization(Decimal(1), Decimal(inputs["u"]))
    borrow = borrow_rate(pool, used)
    assert abs(borrow - Decimal(expected["borrow_apr"])) <= Decimal(tolerance["borrow"])
    if "supply_apr" in expected:
        supply = supply_rate(borrow, used, pool.fee)
        assert abs(supply - Decimal(expected["supply_apr"])) <= Decimal(tolerance["supply"])


def check_simple(row: Row) -> None:
    """Simple interest of some days, actual/365."""
    step = Decimal(row["inputs"]["rate"]) * Decimal(row["inputs"]["days"]) / 365
    interest = lent(row["inputs"]["principal"], [step])
    assert abs(interest - Decimal(row["expected"]["interest"])) <= Decimal(row["tolerance"])


def check_mortgage(row: Row) -> None:
    """Simple interest between payments, on the balance that was printed to 0.01."""
    for period in row["inputs"]["first_rows"]:
        step = Decimal("0.05") * Decimal(period["days"]) / 365
        interest = lent(period["balance_printed"], [step])
        assert abs(interest - Decimal(period["interest_printed"])) <= Decimal("0.005")


def check_fixed_deposit(row: Row) -> None:
    """Some months, compounded every few of them."""
    inputs = row["inputs"]
    steps = inputs["months"] // inputs["compounding_months"]
    step = Decimal(inputs["rate"]) * inputs["compounding_months"] / 12
    maturity = Decimal(inputs["P"]) + lent(inputs["P"], [step] * steps)
    assert abs(maturity - Decimal(row["expected"]["maturity"])) <= Decimal(row["tolerance"])


def check_pool_step(row: Row) -> None:
    """One step of a pool, in its smallest units: what borrowers pay is what is earned and kept."""
    inputs, expected = row["inputs"], row["expected"]
    rate, kept = Decimal(inputs["rate_per_step"]), Decimal(inputs["reserve_factor"])
    borrows = Quanta(int(Decimal(inputs["total_borrows"])))
    paid, carry = borrower(borrows, growth([rate * HOURS_A_YEAR]), NO_CARRY)
    earned, rest = lender(borrows, growth([rate * (1 - kept) * HOURS_A_YEAR]), NO_CARRY)
    assert (carry, rest) == (0, 0)
    assert paid == int(expected["interest"])
    assert borrows + paid == int(expected["total_borrows"])
    reserves = int(Decimal(inputs["total_reserves_before"])) + paid - earned
    assert reserves == int(expected["total_reserves"])
    assert UNIT + growth([rate * HOURS_A_YEAR]) == int(expected["borrow_index"])


def check_index_step(row: Row) -> None:
    """One step of some seconds of a pool with 2,000 % at the optimum and 5,000 % when full."""
    inputs, expected = row["inputs"], row["expected"]
    pool = curve("0", "20", "30", "0.5", "0.001")
    used = Decimal(inputs["u"]).quantize(Decimal("1e-6"), ROUND_DOWN)  # as the program does
    borrow = borrow_rate(pool, used)
    rates = {"borrow_index": borrow, "deposit_index": supply_rate(borrow, used, pool.fee)}
    for name, rate in rates.items():
        before, after = int(inputs[f"{name}_before"]), int(expected[name])
        grown = growth([rate * int(inputs["seconds"]) / 3600])
        found = before + Decimal(before * grown) / UNIT
        allowed = Decimal(row["tolerance"].split()[0])
        if "of the index growth" in row["tolerance"]:
            allowed *= after - before
        assert abs(found - after) <= allowed


def check_recorded_hour(row: Row) -> None:
    """One recorded hour of a lender or borrower, at the hourly rate on record."""
    interest = lent(row["inputs"]["amount"], [Decimal(row["inputs"]["rate_per_hour"])])
    assert abs(interest - Decimal(row["expected"]["interest"])) <= Decimal(row["tolerance"])


def check_recorded_charge(row: Row) -> None:
    """One recorded hour of a borrower, rounded up to 1e-8."""
    rate = Decimal(row["inputs"]["rate_per_day"]) / 24
    owed = whole(Decimal(row["inputs"]["amount"]), "1e-8")
    charge, _ = borrower(owed, growth([rate * HOURS_A_YEAR]), NO_CARRY)
    assert charge == whole(Decimal(row["expected"]["interest"]), "1e-8")


def check_recorded_chain(row: Row) -> None:
    """Four recorded hours of a borrow, compounded."""
    start, rate = Decimal(row["inputs"]["start"]), Decimal(row["inputs"]["rate_per_hour"])
    grown = growth([rate * HOURS_A_YEAR] * row["inputs"]["hours"])
    debt = start * (1 + Decimal(grown).scaleb(-18))
    assert abs(debt - Decimal(row["expected"]["debt"])) <= Decimal(row["tolerance"])


CHECKS: dict[str, Callable[[Row], None]] = {
    "hli-readme-": check_simple,
    "hli-bgb-": check_simple,
    "hli-ledger-act": check_mortgage,
    "fineract-daily": check_simple,
    "fineract-fd-": check_fixed_deposit,
    "comp-accrue": check_pool_step,
    "drift-accr-": check_index_step,
    "row-ftx_": check_recorded_hour,
    "row-okx_": check_recorded_hour,
    "row-binance_": check_recorded_charge,
    "okx-chain": check_recorded_chain,
}
"""What a row of interest.json is asked, by the beginning of its id."""


@pytest.mark.parametrize("row", mapped("interest.json"))
def test_interest(row: Row) -> None:
    [check] = [check for start, check in CHECKS.items() if row["id"].startswith(start)]
    check(row)


def test_every_row_is_mapped_or_has_its_reason() -> None:
    found = [row["id"] for name in ("interest.json", "rate_curve.json") for row in rows(name)]
    assert len(found) == len(set(found)) == 34 + 37 + len(NOT_MAPPED)
    assert NOT_MAPPED.keys() <= set(found)
