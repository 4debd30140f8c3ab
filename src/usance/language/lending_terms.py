"""Directives: a person's custom directives as checked terms.

2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
"""

import datetime
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from beancount.core import account
from beancount.core.amount import CURRENCY_RE, Amount
from beancount.core.data import Commodity, Custom

from usance.model import problems
from usance.model.amounts import ZERO
from usance.model.hours import seconds_of
from usance.model.problems import Problem, Source
from usance.model.terms import RATE_MAX, CurvePool, ObservedPool, Pool, SubAccount

V = TypeVar("V")


OBSERVED_KEYS = ("rates", "entry-fee")
CURVE_KEYS = (
    "rates",
    "base-rate",
    "slope-1",
    "slope-2",
    "optimal-utilization",
    "fee",
    "external-lent",
    "external-borrowed",
)
KEYS = {
    "sub-account": ("auto-lend", "auto-borrow", "auto-repay", "earn", "leverage-limit", "time"),
    "lending-pool": (*OBSERVED_KEYS, *CURVE_KEYS[1:], "time", "venue"),
    "lending-rate": ("utilization", "time", "venue"),
    "accrue-through": (),
}
"""Every key of every kind of directive."""

RATES_EXAMPLE = '"observed" or "curve"'

COIN = re.compile(rf"(?:{CURRENCY_RE})\Z")


@dataclass(frozen=True, slots=True)
class Term(Generic[V]):
    """A directive that was understood: from when, for which venue (None: all), what it says."""

    name: str
    venue: str | None
    day: int
    seconds: int
    value: V
    source: Source


@dataclass(frozen=True, slots=True)
class QuotedRates:
    """Rates written into the directive, annual fractions."""

    supply: Decimal
    borrow: Decimal
    utilization: Decimal | None


@dataclass(frozen=True, slots=True)
class RatesFile:
    """Rates in a file, path relative to the ledger's folder."""

    path: str


RatesTerm = QuotedRates | RatesFile


def source_of(meta: dict[str, object]) -> Source:
    """Return where a directive stands."""
    return Source(str(meta.get("filename", "<usance>")), int(str(meta.get("lineno", 0))))


class Reader:
    """One directive being read; collects what is wrong with it."""

    def __init__(self, entry: Custom | Commodity, what: str) -> None:
        self.meta = {
            key: value
            for key, value in entry.meta.items()
            if key not in ("filename", "lineno") and not key.startswith("__")
        }
        self.source = source_of(entry.meta)
        self.what = what
        self.problems: list[Problem] = []

    def known(self, keys: Collection[str]) -> None:
        """Refuse every key that is not one of these."""
        for key in self.meta:
            if key not in keys:
                self.problems.append(problems.unknown_key(self.source, self.what, key, keys))

    def switch(self, key: str, default: bool) -> bool:
        """Return TRUE or FALSE, the default where the key is absent."""
        value = self.meta.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong(key, "TRUE")
        return default

    def text(self, key: str, example: str) -> str | None:
        """Return a text, None where the key is absent."""
        if key not in self.meta:
            return None
        value = self.meta[key]
        if isinstance(value, str) and value:
            return value
        self.wrong(key, example)
        return None

    def needed(self, key: str, example: str) -> str:
        """Return a text, empty where it is missing or none."""
        if key not in self.meta:
            self.missing(key, example)
            return ""
        return self.text(key, example) or ""

    def seconds(self) -> int:
        """Return the seconds after 00:00 of the key time, 0 where it is absent."""
        if "time" not in self.meta:
            return 0
        value = self.meta["time"]
        seconds = seconds_of(value) if isinstance(value, str) else None
        if seconds is None:
            self.problems.append(problems.bad_time(self.source, self.what, value))
        return seconds or 0

    def number(
        self, key: str, example: str, bounds: str, default: Decimal | None = None
    ) -> Decimal:
        """Return a number within bounds such as "from 0 to 1", "above 0", "between 0 and 1"."""
        value = self.meta.get(key, default)
        if value is None:
            self.missing(key, example)
        elif not isinstance(value, Decimal):
            self.wrong(key, example)
        elif not within(value, bounds):
            self.problems.append(problems.out_of_range(self.source, self.what, key, value, bounds))
        else:
            return value
        return ZERO

    def coins(self, key: str, coin: str) -> Decimal:
        """Return an amount of a coin, 0 where it is absent."""
        if key not in self.meta:
            return ZERO
        value = self.meta[key]
        if not isinstance(value, Amount) or not isinstance(value.number, Decimal):
            self.wrong(key, f"1000000 {coin}")
        elif value.currency != coin:
            self.problems.append(
                problems.wrong_currency(self.source, self.what, key, value.currency, coin)
            )
        elif value.number < 0:
            self.problems.append(
                problems.out_of_range(self.source, self.what, key, value.number, "at least 0")
            )
        else:
            return value.number
        return ZERO

    def missing(self, key: str, example: str) -> None:
        """Refuse that a key is absent."""
        self.problems.append(problems.missing_key(self.source, self.what, key, example))

    def wrong(self, key: str, example: str) -> None:
        """Refuse what a key says."""
        self.problems.append(
            problems.wrong_type(self.source, self.what, key, self.meta[key], example)
        )


def within(value: Decimal, bounds: str) -> bool:
    """Tell whether a number keeps bounds that are written in words."""
    match bounds.split():
        case ["at", "least", low]:
            return value >= Decimal(low)
        case ["above", low]:
            return value > Decimal(low)
        case ["from", low, "to", high]:
            return Decimal(low) <= value <= Decimal(high)
        case ["between", low, "and", high]:
            return Decimal(low) < value < Decimal(high)
    raise AssertionError(bounds)


def values_of(entry: Custom) -> Iterator[tuple[type | str, object]]:
    """Yield the values of a directive, each with its type."""
    for value, kind in entry.values or ():  # None where it has no values
        yield kind, value


def _coin_of(entry: Custom) -> str | None:
    """Return the coin that a directive means, in capitals, even where it cannot be read."""
    texts = (value for _, value in values_of(entry) if isinstance(value, str))
    match = re.match(CURRENCY_RE, next(texts, "").strip().upper())
    return match and match.group()


def venue_of(root: str) -> str:
    """Return the venue of a sub-account's account: what stands above its last part."""
    return root.partition(":")[2].rpartition(":")[0]


def sub_account(
    entry: Custom, assets: str
) -> tuple[tuple[str, str] | None, Term[SubAccount] | None, list[Problem]]:
    """Read custom "sub-account" "Main" Assets:Backpack:Main.

    Its name and account come back even where the rest is wrong, if they can stand for one.
    """
    match list(values_of(entry)):
        case [(_, str(name)), (kind, str(root))] if kind == account.TYPE:
            pass
        case _:
            example = f'custom "sub-account" "Main" {assets}:Backpack:Main'
            return None, None, [problems.bad_values(source_of(entry.meta), "sub-account", example)]
    reader = Reader(entry, f'sub-account "{name}"')
    reader.known(KEYS["sub-account"])
    parts = root.split(":")
    if parts[0] != assets or len(parts) < 3:
        return None, None, [problems.bad_account(reader.source, name, root, assets)]
    # `Transfers:Arb` is made from the name, so the name must be fit for an account. Names are
    # unique in the ledger; the last parts of accounts need not be.
    if ":" in name or not account.is_valid(f"{assets}:{name}"):
        return None, None, [problems.bad_name(reader.source, name)]
    auto_borrow = reader.switch("auto-borrow", False)
    earn = reader.switch("earn", True)
    limit = None
    if "leverage-limit" in reader.meta:
        limit = reader.number("leverage-limit", "10", "above 0")
    value = SubAccount(
        name,
        root,
        venue_of(root),
        reader.switch("auto-lend", False),
        auto_borrow,
        reader.switch("auto-repay", auto_borrow),
        reader.source,
        limit,
        earn,
    )
    term = Term(name, None, entry.date.toordinal(), reader.seconds(), value, reader.source)
    return (name, root), (None if reader.problems else term), reader.problems


def lending_pool(entry: Custom) -> tuple[str | None, Term[Pool] | None, list[Problem]]:
    """Read custom "lending-pool" "USDC"; the coin comes back even where the rest is wrong."""
    match list(values_of(entry)):
        case [(kind, str(coin))] if kind is str and COIN.match(coin):
            pass
        case _:
            at, example = source_of(entry.meta), 'custom "lending-pool" "USDC"'
            return _coin_of(entry), None, [problems.bad_values(at, "lending-pool", example)]
    reader = Reader(entry, f'lending-pool "{coin}"')
    rates = reader.needed("rates", RATES_EXAMPLE)
    value: Pool | None = None
    if rates == "observed":
        reader.known((*OBSERVED_KEYS, "time", "venue"))
        value = ObservedPool(reader.switch("entry-fee", False))
    elif rates == "curve":
        reader.known((*CURVE_KEYS, "time", "venue"))
        value = CurvePool(
            reader.number("base-rate", "0.00", "from 0 to 100", ZERO),
            reader.number("slope-1", "0.06", "from 0 to 100"),
            reader.number("slope-2", "0.75", "from 0 to 100"),
            reader.number("optimal-utilization", "0.80", "between 0 and 1"),
            reader.number("fee", "0.10", "from 0 to 1", ZERO),
            reader.coins("external-lent", coin),
            reader.coins("external-borrowed", coin),
        )
    elif rates:
        reader.wrong("rates", RATES_EXAMPLE)
    term: Term[Pool] | None = dated(reader, entry, coin, value)
    return coin, term, reader.problems


def lending_rate(entry: Custom) -> tuple[str | None, Term[RatesTerm] | None, list[Problem]]:
    """Read custom "lending-rate" "USDC" with two rates or the name of a file.

    The coin comes back even where the rest is wrong.
    """
    value: RatesTerm
    values = list(values_of(entry))
    match values:
        case [(kind, str(coin)), *_] if kind is str and COIN.match(coin):
            reader = Reader(entry, f'lending-rate "{coin}"')
        case _:
            values = []
    match values[1:]:
        case [(_, Decimal() as supply), (_, Decimal() as borrow)]:
            reader.known(KEYS["lending-rate"])
            for key, rate in (("supply rate", supply), ("borrow rate", borrow)):
                if not ZERO <= rate <= RATE_MAX:
                    reader.problems.append(
                        problems.rate_out_of_range(reader.source, reader.what, key, rate)
                    )
            used = None
            if "utilization" in reader.meta:
                used = reader.number("utilization", "0.72", "from 0 to 1")
            value = QuotedRates(supply, borrow, used)
        case [(kind, str(path))] if kind is str:
            reader.known(("time", "venue"))
            value = RatesFile(path)
        case _:
            example = (
                'custom "lending-rate" "USDC" 0.0412 0.0630 (supply and borrow APR), '
                'or custom "lending-rate" "USDC" "rates/usdc.csv"'
            )
            at = source_of(entry.meta)
            return _coin_of(entry), None, [problems.bad_values(at, "lending-rate", example)]
    return coin, dated(reader, entry, coin, value), reader.problems


def dated(reader: Reader, entry: Custom, name: str, value: V | None) -> Term[V] | None:
    """Return a value as a term in force from its directive on, None where that has a fault."""
    venue = reader.text("venue", '"Backpack"')
    seconds = reader.seconds()
    if reader.problems or value is None:
        return None
    return Term(name, venue, entry.date.toordinal(), seconds, value, reader.source)


def accrue_through(entry: Custom) -> tuple[int, list[Problem]]:
    """Read custom "accrue-through" 2025-06-30: a day, 0 where it is malformed."""
    match list(values_of(entry)):
        case [(_, datetime.date() as date)]:
            reader = Reader(entry, "accrue-through")
            for key in reader.meta:
                reader.problems.append(problems.keyless(reader.source, reader.what, key))
            return date.toordinal(), reader.problems
    example = 'custom "accrue-through" 2025-06-30'
    return 0, [problems.bad_values(source_of(entry.meta), "accrue-through", example)]


def commodity(entry: Commodity) -> tuple[Decimal | None, int | None, list[Problem]]:
    """Read quantum and stale-after of a commodity, None where it does not state them."""
    reader = Reader(entry, f"commodity {entry.currency}")
    quantum = days = None
    if "quantum" in reader.meta:
        quantum = reader.number("quantum", "0.000001", "above 0")
    if "stale-after" in reader.meta:
        days = reader.number("stale-after", "30", "at least 0")
        if days != days.to_integral_value():
            reader.problems.append(
                problems.out_of_range(
                    reader.source, reader.what, "stale-after", days, "a whole number of days"
                )
            )
    if reader.problems:
        return None, None, reader.problems
    return quantum, None if days is None else int(days), []
