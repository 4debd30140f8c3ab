"""The simulated venue behind the fake one, and a ledger whose feeds are its sub-accounts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fake_venue import Account, FakeVenue, Pair
from simulated_answers import (
    collateral_parameters,
    klines,
    lending_markets,
    markets,
    pool_history,
    snapshot,
)
from venue_simulator import DAY, SECOND, Row, Venue, feeds

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
include "imported/*.beancount"

2025-11-01 commodity USDC
  quantum: 0.0000000001
2025-11-01 commodity SOL
  quantum: 0.0000000001
2025-11-01 commodity WIF
  quantum: 0.0000000001
2025-11-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  leverage-limit: 10
  interest: "imported"
2025-11-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: FALSE
  auto-borrow: FALSE
  leverage-limit: 5
  interest: "imported"
2025-11-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
2025-11-01 custom "feed" "Arb" "backpack"
  outside: Assets:Bank
2025-11-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-11-01 custom "lending-rate" "USDC" "rates/backpack-usdc.csv"
2025-11-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-11-01 custom "lending-rate" "SOL" "rates/backpack-sol.csv"
2025-11-01 open Assets:Bank
"""
"""Two sub-accounts, all of whose rows come from feeds; no event is written by hand."""

INTERVALS = {"1d": DAY, "1w": 7 * DAY, "1month": 31 * DAY, "1year": 365 * DAY}


def served(venue: Venue) -> FakeVenue:
    """Return the fake venue that answers as the simulated one would at its `now`."""
    accounts = {
        pair.key: Account(_history(venue, name), _snapshot(venue, name))
        for name, pair in pairs(venue).items()
    }

    def public(path: str, params: dict[str, str], at: int) -> Any:  # noqa: ANN401
        match path.rpartition("/")[2]:
            case "history":
                return pool_history(venue, params["symbol"], at, INTERVALS[params["interval"]])
            case "klines":
                begin, end = int(params["startTime"]) * SECOND, int(params["endTime"]) * SECOND
                return klines(venue, params["symbol"], params["priceType"], begin, end, at)
            case "collateral":
                return collateral_parameters()
        return lending_markets(venue, at) if "borrowLend" in path else markets()

    return FakeVenue(accounts, public)


def pairs(venue: Venue) -> dict[str, Pair]:
    """Return the key and secret of each sub-account."""
    return {name: Pair.of(number) for number, name in enumerate(venue.scenario.accounts, 1)}


def _history(venue: Venue, name: str) -> Any:  # noqa: ANN401
    def at(moment: int) -> Mapping[str, list[Row]]:
        return feeds(venue, name, moment)

    return at


def _snapshot(venue: Venue, name: str) -> Any:  # noqa: ANN401
    def at(moment: int) -> Mapping[str, Any]:
        return snapshot(venue, name, moment)

    return at


def environment(venue: Venue, url: str) -> dict[str, str]:
    """Return the variables that give fetch the keys and the address."""
    found = {"USANCE_BACKPACK_URL": url}
    for name, pair in pairs(venue).items():
        found[f"USANCE_BACKPACK_{name.upper()}_KEY"] = pair.key
        found[f"USANCE_BACKPACK_{name.upper()}_SECRET"] = pair.secret
    return found


def written(folder: Path, ledger: str = LEDGER) -> Path:
    """Write the ledger with the first files of its folders; return its path."""
    for name in ("posted", "imported"):
        (folder / name).mkdir(parents=True)
        (folder / name / "first.beancount").write_text("; Files come here.\n")
    path = folder / "main.beancount"
    path.write_text(ledger)
    return path
