"""Public answers: what a venue says to everybody of the symbols that a ledger uses."""

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from usance.feeding import downloads
from usance.feeding.account_months import date_at
from usance.feeding.downloads import PUBLIC
from usance.feeding.fetched import Row, Run, rows_of
from usance.feeding.pacing import SECOND, RefusedRequestError
from usance.feeding.reader import Reader
from usance.feeding.symbols_in_use import SETTLE, Symbols
from usance.venues import numbers
from usance.venues.backpack import endpoints
from usance.venues.backpack.endpoints import KLINES, MARKETS, POOL_HISTORY
from usance.venues.numbers import Misread

ONE_DAY = datetime.timedelta(days=1)

INTERVALS = ((6, "1w"), (27, "1month"), (364, "1year"))
"""The longest gap in whole days that the rates of an interval close."""

BARS_MAX = 500
"""Days of bars that are asked for at once."""


def fetch_public(
    run: Run, reader: Reader, venue: str, symbols: Symbols, since: datetime.date
) -> None:
    """Store what a venue says of markets, pools and prices since a date, where it says more."""
    _Public(run, reader, run.root / venue / PUBLIC, since).fetch(symbols)


class _Public:
    """The public answers of a venue."""

    def __init__(self, run: Run, reader: Reader, folder: Path, since: datetime.date) -> None:
        self._run, self._reader, self._folder, self._since = run, reader, folder, since
        self._today = date_at(run.pacing.clock.now())

    def fetch(self, symbols: Symbols) -> None:
        markets = set[object]()
        for name, path in endpoints.PUBLIC.items():
            rows = self._kept(self._folder / name, path, {})
            if path == MARKETS:
                markets = {row.get("symbol") for row in rows if isinstance(row, dict)}
        for coin in symbols.pools:
            self._pool(coin)
        for contract in symbols.contracts:
            if self._is_known(contract, contract, markets):
                self._bars(contract, "Mark")
        for coin in symbols.coins:
            market = f"{coin}_{SETTLE}"
            if coin != SETTLE and self._is_known(coin, market, markets):
                self._bars(market, "Index")

    def _is_known(self, what: str, market: str, markets: Iterable[object]) -> bool:
        if market in markets:
            return True
        self._run.notes.append(f"{what}: the venue has no market {market}; write its price")
        return False

    def _pool(self, coin: str) -> None:
        """Store the rates of a pool since the newest that are there."""
        folder = self._folder / "borrowLendHistory" / coin
        newest = self._newest(folder, "timestamp")
        gap = (self._today - (newest or self._since)).days
        fits = (interval for days, interval in INTERVALS if gap <= days)
        longest = INTERVALS[-1][1]
        interval = next(fits, longest)
        if gap > INTERVALS[-1][0]:
            self._run.notes.append(
                f"{coin}: the venue gives the rates of one year; import those before as a table"
            )
        self._kept_or_noted(folder, POOL_HISTORY, {"interval": interval, "symbol": coin})

    def _bars(self, market: str, price: str) -> None:
        """Store the daily bars of a market from the last day that is there to yesterday."""
        folder = self._folder / "klines" / market
        newest, yesterday = self._newest(folder, "start"), self._today - ONE_DAY
        # The close of the day before is the price of the first day's morning.
        begin = newest or min(self._since - ONE_DAY, yesterday)
        while begin <= yesterday and newest != yesterday:
            end = min(begin + BARS_MAX * ONE_DAY, yesterday)
            params = {
                "symbol": market,
                "interval": "1d",
                "startTime": str(_seconds(begin)),
                "endTime": str(_seconds(end + ONE_DAY) - 1),  # the bar of that day, and no later
            }
            found = self._kept_or_noted(folder, KLINES, {**params, "priceType": price})
            if found == []:
                self._kept_or_noted(folder, KLINES, {**params, "priceType": "Last"})
            begin = end + ONE_DAY

    def _kept_or_noted(
        self, folder: Path, path: str, params: Mapping[str, str]
    ) -> list[Row] | None:
        """Return the rows of an answer; None, and a note, if the venue refuses the request."""
        try:
            return self._kept(folder, path, params)
        except RefusedRequestError as error:
            self._run.notes.append(f"{folder.name}: {error}")
            return None

    def _kept(self, folder: Path, path: str, params: Mapping[str, str]) -> list[Row]:
        """Return the rows of an answer, which is stored if the newest one there says other things.

        An answer without rows says nothing.
        """
        came = self._run.pacing.get(self._reader, path, params, rows_of)
        stored = self._stored(folder)
        if came.rows and not (stored and self._run.stored(stored[-1]) == came.rows):
            now = datetime.datetime.fromtimestamp(
                self._run.pacing.clock.now() // SECOND, datetime.UTC
            )
            self._run.keep(_free(folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"), came.text)
        return came.rows

    def _stored(self, folder: Path) -> list[Path]:
        return downloads.files(self._run.root, *folder.relative_to(self._run.root).parts)

    def _newest(self, folder: Path, field: str) -> datetime.date | None:
        """Return the last date that stored rows have in a field, or None if there is none."""
        found = [
            _date(row.get(field))
            for path in self._stored(folder)
            for row in self._run.stored(path)
            if isinstance(row, Mapping)
        ]
        return max((date for date in found if date is not None), default=None)


def _date(value: object) -> datetime.date | None:
    try:
        return datetime.date.fromordinal(numbers.day_of(numbers.instant(value)))
    except Misread:
        return None


def _seconds(date: datetime.date) -> int:
    return (date.toordinal() - numbers.EPOCH) * 86_400


def _free(path: Path) -> Path:
    """Return a path that no file has: of one second there may be several answers."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return found
