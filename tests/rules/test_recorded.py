"""Recorded hours of a lending market, from ../shared/data (its README names the source).

Goal: the supply rate that follows from a recorded borrow rate, utilization and reserve factor is
the recorded one. Method: every hour of the record. Its totals and rates are not of one instant, so
they agree to about 0.0001 percentage points in the median, and not better.
"""

import csv
from decimal import Decimal, localcontext
from pathlib import Path
from statistics import median

import pytest

from usance.rules.pool_rates import supply_rate, utilization

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "lending_rates_hourly"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data is not here")


def differences(name: str, fee: str) -> list[Decimal]:
    """Return ours less the recorded supply rate, without sign, in percentage points, by hour."""
    found = []
    with (FOLDER / name).open(newline="") as lines, localcontext(prec=40):
        for row in csv.DictReader(lines):
            used = utilization(Decimal(row["supplied_usd"]), Decimal(row["borrowed_usd"]))
            supply = supply_rate(Decimal(row["borrow_apr_pct"]), used, Decimal(fee))
            found.append(abs(supply - Decimal(row["supply_apr_pct"])))
    return found


@pytest.mark.parametrize(
    ("name", "fee", "hours", "middle", "most"),
    [
        ("usdc_2024.csv", "0.10", 8784, "0.0004", "0.0086"),
        ("usdt_2024h2.csv", "0.10", 4416, "0.00012", "0.003"),
        ("weth_2025q1.csv", "0.15", 2160, "0.00004", "0.0002"),
    ],
)
def test_the_supply_rate_is_the_recorded_one(
    name: str, fee: str, hours: int, middle: str, most: str
) -> None:
    found = differences(name, fee)
    assert len(found) == hours
    assert median(found) < Decimal(middle)
    assert max(found) < Decimal(most)
