"""Symbols in use: the markets and coins of a venue that a ledger and its stored rows speak of."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from usance.feeding import downloads
from usance.feeding.downloads import FILES
from usance.feeding.own_text import Own
from usance.model.feeds import Feed
from usance.venues.backpack.endpoints import MONTHLY, PAGED

SETTLE = "USDC"
PERP = "_PERP"

_NAMES = ("symbol", "feeSymbol", "fee_symbol", "marketSymbol", "market_symbol")
_SYMBOL = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", re.ASCII)


class Symbols(NamedTuple):
    """Symbols of a venue: contracts, coins, and coins that a ledger has a pool of; each sorted."""

    contracts: list[str]
    coins: list[str]
    pools: list[str]


def symbols_in_use(own: Own, root: Path, feeds: Iterable[Feed]) -> Symbols:
    """Return the symbols that the ledger and the rows of some feeds of one venue speak of."""
    feeds = list(feeds)
    places = {own.venue(feed.sub_account) for feed in feeds}
    written = {
        name
        for terms in (own.contracts, own.collaterals, own.pools)
        for place, name in terms
        if place in places
    }.union(*(own.coins.get(feed.sub_account, frozenset()) for feed in feeds))
    said = {symbol for feed in feeds for symbol in _of_rows(root, feed)}
    said |= {_symbol(own, feeds[0].venue, name) for name in written}
    ignored = {symbol for feed in feeds for symbol in feed.ignore}
    coins = {part for symbol in said - ignored for part in _coins(symbol)} - ignored
    pools = {_symbol(own, feeds[0].venue, name) for place, name in own.pools if place in places}
    return Symbols(
        sorted(symbol for symbol in said if symbol.endswith(PERP)), sorted(coins), sorted(pools)
    )


def _coins(symbol: str) -> list[str]:
    """Return the coins of a symbol: both of a spot market, none of a contract."""
    if symbol.endswith(PERP):
        return [SETTLE]
    return symbol.split("_")[:2]


def _symbol(own: Own, venue: str, commodity: str) -> str:
    """Return the symbol of a commodity: as a person says, or by the rule of names."""
    for symbol, name in sorted(own.symbols.get(venue, {}).items()):
        if name == commodity:
            return symbol
    parts = commodity.split("-")
    if len(parts) > 1 and parts[-1] == "PERP":
        base, quote = _coin(parts[0]), parts[1] if len(parts) > 2 else SETTLE
        return f"{base}_{quote}{PERP}"
    return _coin(commodity)


def _coin(commodity: str) -> str:
    """Return the symbol of a coin: without the X that stands before a digit."""
    return commodity[1:] if re.match(r"X\d", commodity, re.ASCII) else commodity


def _of_rows(root: Path, feed: Feed) -> Iterator[str]:
    """Yield the symbols in the stored rows of a feed, settlements aside, which have none."""
    for name in (*PAGED, *MONTHLY, FILES):
        for path in downloads.files(root, feed.venue, feed.sub_account, name):
            for row in _rows(downloads.read(root, path), path.suffix):
                for field in _NAMES:
                    value = row.get(field)
                    if isinstance(value, str) and _SYMBOL.fullmatch(value):
                        yield value


def _rows(data: bytes, suffix: str) -> Iterator[dict[str, object]]:
    """Yield the rows of a file, none of one that cannot be read: import says what is wrong."""
    text = data.decode("utf-8", "replace")
    if suffix.lower() == ".csv":
        yield from csv.DictReader(io.StringIO(text))
        return
    try:
        # Numbers stay text.
        found = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return
    yield from (row for row in (found if isinstance(found, list) else []) if isinstance(row, dict))
