"""Public said: what the stored public answers of a venue say, in the commodities of a ledger."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from usance.feeding import downloads
from usance.feeding.agreed import Where, told_of
from usance.feeding.downloads import DOWNLOADS, PUBLIC
from usance.feeding.own_text import Own
from usance.feeding.rates_text import Moment, Rate, moment_of
from usance.model.hours import Day
from usance.model.terms import Collateral, Perpetual
from usance.venues.backpack import parameters
from usance.venues.backpack.parameters import Contract, PoolRate
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.numbers import Instant, Misread, day_of, decoded, instant

BACKPACK = "backpack"

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z(?:_(\d+))?\.json", re.ASCII)


class Close(NamedTuple):
    """A price at the end of a bar."""

    commodity: str
    quote: str
    end: Instant
    price: Decimal
    where: Where


class _Stored(NamedTuple):
    """An answer: when it came, the place of its file, what it says."""

    came: Instant
    file: str
    answer: object


@dataclass
class PublicSaid:
    """What Backpack said to everybody, by the stored answers.

    findings  what somebody should know of the answers, once they were read
    """

    own: Own
    findings: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read how a person names symbols."""
        self._root = self.own.folder / DOWNLOADS
        self._symbols = BackpackSymbols(self.own.symbols.get(BACKPACK, {}))

    def closes(self) -> Iterator[Close]:
        """Yield the closes of all bars that were over when their answer came."""
        for symbol in self._folders("klines"):
            with told_of(f"{DOWNLOADS}/{BACKPACK}/{PUBLIC}/klines/{symbol}"):
                market = self._symbols.market(symbol)
            for stored in self._stored("klines", symbol):
                with told_of(stored.file):
                    bars = parameters.bars(stored.answer)
                for bar in bars:
                    if bar.end <= stored.came:
                        where = Where(stored.file, bar.row)
                        yield Close(market.base, market.quote, bar.end, bar.close, where)

    def pool_rates(self, coins: Collection[str]) -> Iterator[tuple[str, Moment, Rate, Where]]:
        """Yield the rates of the pools of some coins."""
        for symbol in self._folders("borrowLendHistory"):
            if self._coin(symbol) in coins:
                for stored in self._stored("borrowLendHistory", symbol):
                    with told_of(stored.file):
                        rows = parameters.history(stored.answer)
                    for row in rows:
                        yield _rate(self._symbols.coin(symbol), row, stored.file)
        for stored in self._stored("borrowLendMarkets"):
            with told_of(stored.file):
                pools = parameters.pools(stored.answer, lambda symbol: self._coin(symbol) in coins)
            for symbol, row in pools.items():
                yield _rate(self._symbols.coin(symbol), row, stored.file)

    def contracts(self, names: Collection[str]) -> dict[str, dict[Day, Perpetual]]:
        """Return the terms of contracts, by commodity and the day on which they were seen."""

        def wanted(symbol: str) -> bool:
            return self._contract(symbol) in names

        found: dict[str, dict[Day, Perpetual]] = {}
        for stored in self._stored("markets"):
            with told_of(stored.file):
                terms = parameters.contracts(stored.answer, wanted)
                for symbol, contract in terms.found.items():
                    name = self._symbols.market(symbol).base
                    found.setdefault(name, {})[day_of(stored.came)] = self._perpetual(contract)
            self._note(stored, terms.unknown)
        return found

    def collaterals(self, names: Collection[str]) -> dict[str, dict[Day, Collateral]]:
        """Return the terms of coins as collateral, by coin and the day on which they were seen."""
        found: dict[str, dict[Day, Collateral]] = {}
        for stored in self._stored("collateral"):
            with told_of(stored.file):
                terms = parameters.collaterals(
                    stored.answer, lambda symbol: self._coin(symbol) in names
                )
            for symbol, collateral in terms.found.items():
                coin = self._symbols.coin(symbol)
                found.setdefault(coin, {})[day_of(stored.came)] = collateral
            self._note(stored, terms.unknown)
        return found

    # Symbols

    def _coin(self, symbol: str) -> str | None:
        """Return the commodity of a coin, or None if it can have none."""
        try:
            return self._symbols.coin(symbol)
        except Misread:
            return None

    def _contract(self, symbol: str) -> str | None:
        """Return the commodity of a contract, or None if it can have none."""
        try:
            return self._symbols.market(symbol).base
        except Misread:
            return None

    def _perpetual(self, contract: Contract) -> Perpetual:
        # kBONK is a thousand BONK, and no coin: nothing else moves with its mark.
        underlying = self._coin(contract.base) if contract.base.isupper() else None
        settle = self._symbols.coin(contract.quote)
        return Perpetual(settle, underlying, contract.initial, contract.maintenance)

    # Files

    def _note(self, stored: _Stored, unknown: list[str]) -> None:
        remedy = "Its terms are not written; write them by hand"
        self.findings |= {f"{stored.file}: {text}. {remedy}." for text in unknown}

    def _folders(self, kind: str) -> list[str]:
        """Return the names of the folders of a kind of answer: symbols."""
        paths = downloads.files(self._root, BACKPACK, PUBLIC, kind)
        above = self._root / BACKPACK / PUBLIC / kind
        return sorted({path.relative_to(above).parts[0] for path in paths})

    def _stored(self, *parts: str) -> Iterator[_Stored]:
        """Yield the answers of a folder, oldest first."""
        for path in sorted(downloads.files(self._root, BACKPACK, PUBLIC, *parts), key=_order):
            file = downloads.place(self._root, path)
            with told_of(file):
                answer = decoded(downloads.read(self._root, path))
                stored = _Stored(_came(path), file, answer)
            yield stored


def _rate(coin: str, row: PoolRate, file: str) -> tuple[str, Moment, Rate, Where]:
    rate = Rate(row.supply, row.borrow, row.utilization)
    return coin, moment_of(row.at), rate, Where(file, row.row)


def _order(path: Path) -> tuple[str, int, str]:
    """Return the key that sorts answers: several of one second have numbers, from 2."""
    match = _STAMP.fullmatch(path.name)
    return (path.name[:18], int(match[5] or 1), "") if match else ("", 0, path.name)


def _came(path: Path) -> Instant:
    match = _STAMP.fullmatch(path.name)
    if match is None:
        example = "2025-06-17T001003Z.json"
        raise Misread(
            f"the name is not the second at which the answer came. Rename it, such as {example}"
        )
    date, hour, minute, second = match.groups()[:4]
    return instant(f"{date}T{hour}:{minute}:{second}Z")
