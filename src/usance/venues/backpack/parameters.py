"""Parameters: what Backpack says to everybody, as figures: bars, margin terms, pool rates.

Each function takes a decoded answer (`numbers.decoded`), and raises `Misread` with the number of
the row, from 1.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from usance.model.terms import RATE_MAX, Collateral, Haircut, Identity, InverseSqrt, Slope
from usance.venues.numbers import Instant, Misread, instant, number, shown

V = TypeVar("V")

ONE = Decimal(1)

Wanted = Callable[[str], bool]
"""Tells whether the books need a symbol: what the venue says of others is not looked at."""

Fields = Mapping[str, object]


class Bar(NamedTuple):
    """A bar of a market: `close` is its price at `end`."""

    row: int
    end: Instant
    close: Decimal


class Contract(NamedTuple):
    """The margin terms of a perpetual contract; exposure is in the quote coin."""

    symbol: str
    base: str
    quote: str
    initial: Slope
    maintenance: Slope


class PoolRate(NamedTuple):
    """The rates of a pool at a moment: annual fractions, utilization from 0 to 1."""

    row: int
    at: Instant
    supply: Decimal
    borrow: Decimal
    utilization: Decimal | None


class Terms(NamedTuple, Generic[V]):
    """Terms by symbol, and what is said of functions that are not known."""

    found: dict[str, V]
    unknown: list[str]


class UnknownKind(Misread):
    """A function of a kind that no terms of ours have."""


def bars(answer: object) -> list[Bar]:
    """Return the bars of an answer of klines; one in which nothing was traded has no price."""
    found = []
    for row, fields in _rows(answer, "bars"):
        with _Row(row):
            if fields.get("close") is not None:
                found.append(Bar(row, instant(fields.get("end")), _positive(fields, "close")))
    return found


def contracts(answer: object, wanted: Wanted) -> Terms[Contract]:
    """Return the perpetual contracts of an answer of markets, those that have margin terms."""
    found: dict[str, Contract] = {}
    unknown: list[str] = []
    for row, fields in _rows(answer, "markets"):
        with _Row(row):
            symbol = _text(fields, "symbol")
            functions = fields.get("imfFunction"), fields.get("mmfFunction")
            if _text(fields, "marketType") != "PERP" or None in functions or not wanted(symbol):
                continue
            _once(symbol, found)
            base, quote = _text(fields, "baseSymbol"), _text(fields, "quoteSymbol")
            try:
                found[symbol] = Contract(symbol, base, quote, *_slopes(fields))
            except UnknownKind as error:
                unknown.append(f"{symbol}: {error}")
    return Terms(found, unknown)


def collaterals(answer: object, wanted: Wanted) -> Terms[Collateral]:
    """Return the terms of coins as collateral of an answer of collateral."""
    found: dict[str, Collateral] = {}
    unknown: list[str] = []
    for row, fields in _rows(answer, "coins"):
        with _Row(row):
            symbol = _text(fields, "symbol")
            if not wanted(symbol):
                continue
            _once(symbol, found)
            try:
                found[symbol] = Collateral(_haircut(fields), *_slopes(fields))
            except UnknownKind as error:
                unknown.append(f"{symbol}: {error}")
    return Terms(found, unknown)


def pools(answer: object, wanted: Wanted) -> dict[str, PoolRate]:
    """Return the rates of pools, by symbol, of an answer of borrow-lend markets."""
    found: dict[str, PoolRate] = {}
    for row, fields in _rows(answer, "pools"):
        with _Row(row):
            symbol = _text(fields, "symbol")
            if wanted(symbol):
                _once(symbol, found)
                found[symbol] = _pool_rate(row, fields)
    return found


def history(answer: object) -> list[PoolRate]:
    """Return the rates of one pool over time, of an answer of its history."""
    found = []
    for row, fields in _rows(answer, "rates"):
        with _Row(row):
            found.append(_pool_rate(row, fields))
    return found


# Parts of a row


def _pool_rate(row: int, fields: Fields) -> PoolRate:
    used: Decimal | None = None
    if fields.get("utilization") is not None:
        used = _figure(fields, "utilization")
        # Reports alone show it, and a pool may be lent out a little beyond its deposits.
        used = used if 0 <= used <= 1 else None
    supply, borrow = (
        _within(fields, key, RATE_MAX) for key in ("lendInterestRate", "borrowInterestRate")
    )
    return PoolRate(row, instant(fields.get("timestamp")), supply, borrow, used)


def _slopes(fields: Fields) -> tuple[Slope, Slope]:
    """Return initial and maintenance margin; where the venue has no function, 0."""
    initial, maintenance = (_slope(fields, key) for key in ("imfFunction", "mmfFunction"))
    return initial, maintenance


def _slope(fields: Fields, key: str) -> Slope:
    if fields.get(key) is None:
        return Slope(Decimal(0), Decimal(0))
    function = _fields(fields, key)
    _known(function, key, ("sqrt",))
    return Slope(_within(function, "base", ONE), _at_least_zero(function, "factor"))


def _haircut(fields: Fields) -> Haircut:
    function = _fields(fields, "haircutFunction")
    kind = _fields(function, "kind")
    weight = _within(function, "weight", ONE)
    if _known(kind, "haircutFunction", ("identity", "inverseSqrt")) == "identity":
        return Identity(weight)
    penalty = _at_least_zero(kind, "positiveCurvePenalty")
    return InverseSqrt(weight, _positive(kind, "base"), penalty)


def _known(function: Fields, what: str, kinds: tuple[str, ...]) -> str:
    kind = _text(function, "type")
    if kind not in kinds:
        known = " and ".join(kinds)
        raise UnknownKind(f"{what} is of the type {shown(kind)}, but known are {known}")
    return kind


# Fields


def _rows(answer: object, what: str) -> Iterator[tuple[int, Fields]]:
    if not isinstance(answer, list):
        raise Misread(f"This is no list of {what}. Download the file again")
    for row, fields in enumerate(answer, 1):
        if not isinstance(fields, dict):
            raise Misread(f"row {row}: {shown(fields)} is no row. Download the file again")
        yield row, fields


class _Row:
    """Says the number of a row in front of what is wrong in it."""

    def __init__(self, row: int) -> None:
        self.row = row

    def __enter__(self) -> None:
        """Begin the row."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """End it."""
        if isinstance(error, Misread):
            raise Misread(f"row {self.row}: {error}") from error


def _once(symbol: str, found: Mapping[str, object]) -> None:
    if symbol in found:
        raise Misread(f"{shown(symbol)} stands twice. Download the file again")


def _fields(fields: Fields, key: str) -> Fields:
    value = fields.get(key)
    if not isinstance(value, dict):
        raise Misread(f"{key} is missing. Download the file again")
    return value


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise Misread(f"{key} is missing. Download the file again")
    return value


def _figure(fields: Fields, key: str) -> Decimal:
    if fields.get(key) is None:
        raise Misread(f"{key} is missing. Download the file again")
    try:
        return number(fields[key])
    except Misread as error:
        raise Misread(f"{key}: {error}") from error


def _within(fields: Fields, key: str, most: Decimal) -> Decimal:
    value = _figure(fields, key)
    if not 0 <= value <= most:
        raise Misread(f"{key} is {value}, but must be from 0 to {most}. Download the file again")
    return value


def _at_least_zero(fields: Fields, key: str) -> Decimal:
    value = _figure(fields, key)
    if value < 0:
        raise Misread(f"{key} is {value}, but must be at least 0. Download the file again")
    return value


def _positive(fields: Fields, key: str) -> Decimal:
    value = _figure(fields, key)
    if value <= 0:
        raise Misread(f"{key} is {value}, but must be above 0. Download the file again")
    return value
