"""Units: a type checker refuses one unit in place of another."""

import re
from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[2]

REFUSED = """
from decimal import Decimal

from usance.engine.state import Carried, Holding
from usance.model.amounts import Coin
from usance.model.hours import Day, Moment, date_of, moment, slot_of
from usance.model.timeline import Timeline
from usance.rules import interest


def slips(coin: Coin, holding: Holding, carried: Carried) -> None:
    coin.from_quanta(holding.free)  # grains
    coin.from_grains(carried.lent)  # quanta
    coin.quanta_text(holding.owed)  # grains
    coin.carry_text(carried.lent)  # quanta
    coin.from_quanta(carried.carry_lent)  # a carry
    coin.from_quanta(7)  # a number
    coin.floor_quanta(carried.lent)  # quanta
    coin.in_grains(holding.held)  # grains
    holding.free += holding.owed  # a sum is a number until it is said of what
    holding.owed = coin.to_quanta(Decimal(1))  # quanta
    interest.lender(holding.held, 0, carried.carry_lent)  # grains
    interest.lender(carried.lent, 0, carried.lent)  # quanta


def days(timeline: Timeline[int], day: Day, at: Moment) -> None:
    timeline.at(day)  # a day
    timeline.at(day * 25)  # a number
    slot_of(day)  # a day
    date_of(at)  # a moment
    date_of(day + 1)  # a number
    moment(at)  # a moment
"""

ACCEPTED = """
from decimal import Decimal

from usance.engine.state import Carried, Holding
from usance.model.amounts import Coin, Grains
from usance.model.hours import Day, at_slot, date_of, day_at, day_of, end_of, moment
from usance.model.timeline import Timeline
from usance.rules import interest


def units(coin: Coin, holding: Holding, carried: Carried) -> None:
    coin.from_quanta(carried.lent)
    coin.from_grains(holding.held)
    coin.carry_text(carried.carry_owed)
    holding.free = Grains(holding.free + coin.in_grains(carried.lent))
    holding.owed = coin.to_grains(Decimal(1))
    interest.lender(carried.lent, 0, carried.carry_lent)
"""


def test_a_unit_in_place_of_another_is_refused(tmp_path: Path) -> None:
    for name, text in (("refused", REFUSED), ("accepted", ACCEPTED)):
        (tmp_path / f"{name}.py").write_text(text)
    files = [str(tmp_path / "refused.py"), str(tmp_path / "accepted.py")]
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary"]
    report, failure, _ = api.run([*settings, "--cache-dir", str(tmp_path / "cache"), *files])
    assert not failure
    found = re.findall(r"(\w+)\.py:(\d+): error:", report)
    lines = REFUSED.splitlines()
    slips = [number for number, line in enumerate(lines, 1) if "#" in line]
    assert sorted({(name, int(line)) for name, line in found}) == [
        ("refused", number) for number in slips
    ], report
