"""The simulated venue behind the fake one, and a ledger whose feeds are its sub-accounts."""

import json
from collections.abc import Mapping
from functools import partial
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
from simulated_months import ARB, MAIN
from venue_simulator import CONTRACTS, DAY, FEEDS, SECOND, Row, Settings, Venue, feeds, stamp

TEMPLATE = """\
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
@SUB-ACCOUNTS@2025-11-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
  pays: "USD"
2025-11-01 custom "feed" "Arb" "backpack"
  outside: Assets:Bank
2025-11-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-11-01 custom "lending-rate" "USDC" "rates/backpack-usdc.csv"
2025-11-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-11-01 custom "lending-rate" "SOL" "rates/backpack-sol.csv"
2025-11-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-11-01 custom "treasury-rate" "USD" 0.04
2025-11-01 open Assets:Bank
"""
"""Two sub-accounts, all of whose rows come from feeds; no event is written by hand."""

SUB_ACCOUNT = """\
2025-11-01 custom "sub-account" "{name}" Assets:Backpack:{name}
  auto-lend: {lend}
  auto-borrow: {borrow}
  auto-repay: {repay}
  leverage-limit: {limit}
  interest: "imported"
"""


def ledger_of(accounts: Mapping[str, Settings]) -> str:
    """Return the ledger, with sub-accounts that are set as those of the venue."""
    texts = [
        SUB_ACCOUNT.format(
            name=name,
            lend=str(its.auto_lend).upper(),
            borrow=str(its.auto_borrow).upper(),
            repay=str(its.auto_repay).upper(),
            limit=its.leverage_limit,
        )
        for name, its in accounts.items()
    ]
    return TEMPLATE.replace("@SUB-ACCOUNTS@", "".join(texts))


LEDGER = ledger_of({"Main": MAIN, "Arb": ARB})

SETTLEMENTS = {
    "settlement-borrow-interest": {"CulledBorrowInterest"},
    "settlement-backstop": {"BackstopLiquidityFundProceeds"},
}
"""The folders of settlements, with the sources of those that occur here."""

PAGE = 1000

INTERVALS = {"1d": DAY, "1w": 7 * DAY, "1month": 31 * DAY, "1year": 365 * DAY}


def served(venue: Venue) -> FakeVenue:
    """Return the fake venue that answers as the simulated one would at its `now`."""
    accounts = {
        pair.key: Account(_history(venue, name), _snapshot(venue, name))
        for name, pair in pairs(venue).items()
    }
    return FakeVenue(accounts, partial(_public, venue))


def _public(venue: Venue, path: str, params: dict[str, str], at: int) -> Any:  # noqa: ANN401
    """Return what the venue says to everybody."""
    match path.rpartition("/")[2]:
        case "history":
            return pool_history(venue, params["symbol"], at, INTERVALS[params["interval"]])
        case "klines":
            begin, end = int(params["startTime"]) * SECOND, int(params["endTime"]) * SECOND
            return klines(venue, params["symbol"], params["priceType"], begin, end, at)
        case "collateral":
            return collateral_parameters()
    return lending_markets(venue, at) if "borrowLend" in path else markets()


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


def downloaded(venue: Venue, folder: Path, at: int) -> None:
    """Write the downloads of a moment as fetch would, without asking anybody."""
    root = folder / "downloads" / "backpack"
    for name in venue.scenario.accounts:
        for feed in FEEDS:
            rows = venue.rows(name, feed, at)
            parts = {feed: rows}
            if feed == "settlement":
                parts = {
                    part: [row for row in rows if row["source"] in sources]
                    for part, sources in SETTLEMENTS.items()
                }
            for part, its in parts.items():
                for first in range(0, len(its), PAGE):
                    page = root / name / part / f"{first:09}.json"
                    _put(page, its[first : first + PAGE])
    public, file = root / "public", f"{stamp(at)}Z.json".replace(":", "")
    _put(public / "markets" / file, markets())
    _put(public / "collateral" / file, collateral_parameters())
    _put(public / "borrowLendMarkets" / file, lending_markets(venue, at))
    for coin in ("USDC", "SOL"):
        rates = pool_history(venue, coin, at, 366 * DAY)
        _put(public / "borrowLendHistory" / coin / file, rates)
    for market in (*CONTRACTS, "SOL_USDC", "WIF_USDC"):
        kind = "Mark" if market in CONTRACTS else "Index"
        bars = klines(venue, market, kind, venue.first - DAY, at - at % DAY - 1, at)
        _put(public / "klines" / market / file, bars)


def pictured(venue: Venue, folder: Path, name: str, at: int) -> Path:
    """Write the snapshot of a sub-account at a moment; return its folder."""
    taken = f"{stamp(at)}Z"
    place = folder / "downloads" / "backpack" / name / "snapshot" / taken.replace(":", "")
    for part, answer in snapshot(venue, name, at).items():
        _put(place / f"{part}.json", answer)
    _put(place / "taken.json", {"taken": taken})
    return place


def _put(path: Path, answer: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(answer))


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
