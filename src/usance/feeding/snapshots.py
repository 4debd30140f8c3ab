"""Snapshots: what a venue says that an account has at a moment, as figures.

A snapshot is a folder of answers, or the collateral answer alone. An answer is known by its fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from usance.feeding import downloads
from usance.model.amounts import EXACT, ZERO
from usance.venues.numbers import Instant, Misread, decoded, instant, number

Row = Mapping[str, object]


class Part(Enum):
    """An answer of a snapshot, with what it says."""

    COLLATERAL = "collateral"
    CAPITAL = "balances"
    POSITIONS = "positions"
    LOANS = "borrow-lend positions"
    SETTINGS = "account settings"
    TAKEN = "when it was taken"


class Balance(NamedTuple):
    """A coin that an account holds there; None: the answers do not say.

    quantity  all of it: lent, in orders, idle
    weight    share of its value that counts
    price     in the venue's unit of account
    """

    quantity: Decimal
    lent: Decimal | None = None
    ordered: Decimal | None = None
    idle: Decimal | None = None
    weight: Decimal | None = None
    price: Decimal | None = None


class Standing(NamedTuple):
    """A contract that is open there, or that open orders may open; None: it does not say.

    quantity  negative is short
    exposure  with the open orders that add to it, without sign
    result    unrealised, in the settle coin
    """

    quantity: Decimal
    entry: Decimal | None
    mark: Decimal | None
    exposure: Decimal | None
    result: Decimal | None


class Loan(NamedTuple):
    """A coin that is lent there (above 0) or owed (below 0), and its price."""

    quantity: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a venue says of an account, by its symbols.

    taken      when, or None
    parts      answers that are there
    totals     of the collateral answer, by its field; None where the venue says null
    positions, loans, settings  empty if their answer is not there
    unknown    names of files that are no answer of a snapshot
    """

    taken: Instant | None
    parts: frozenset[Part]
    balances: Mapping[str, Balance]
    totals: Mapping[str, Decimal | None]
    positions: Mapping[str, Standing]
    loans: Mapping[str, Loan]
    settings: Mapping[str, bool | Decimal]
    unknown: tuple[str, ...]


TOTALS = (
    "netEquity",
    "netEquityAvailable",
    "netEquityLocked",
    "borrowLiability",
    "marginFraction",
    "pnlUnrealized",
    "unsettledEquity",
)
"""The totals of the collateral answer that something here is held against."""

SWITCHES = ("autoLend", "autoBorrowSettlements", "autoRepayBorrows")


def newest(root: Path, venue: str, sub_account: str) -> Path | None:
    """Return the folder of the newest snapshot of a sub-account that says when it was taken.

    root  the ledger's folder of downloads; RefusedError of a link in it
    """
    found = downloads.files(root, venue, sub_account, downloads.SNAPSHOT)
    return max((path.parent for path in found if path.name == downloads.TAKEN), default=None)


def load(path: Path, root: Path | None = None) -> Snapshot:
    """Return a snapshot: a folder of answers, or a file with one answer.

    root  of the folder of downloads it lies in, or None if a person named it
    RefusedError for what is no snapshot; its text names the file.
    """
    if root is None:
        path = path.resolve()  # a person may name a link; below the folder of downloads none counts
    if path.is_dir():
        root = root or path
        within = path.relative_to(root).parts
        found = [file for file in downloads.files(root, *within) if file.parent == path]
        files = {file.name: downloads.read(root, file) for file in found if _is_json(file)}
    else:
        files = {path.name: downloads.read(root or path.parent, path)}
    try:
        return read(files)
    except Misread as error:
        raise downloads.RefusedError(f"{path}: {error}.") from error


def _is_json(file: Path) -> bool:
    return file.suffix.lower() == ".json"


def read(files: Mapping[str, bytes]) -> Snapshot:
    """Return the snapshot that answers make, by the names of their files; Misread for others."""
    answers: dict[Part, tuple[str, Any]] = {}
    empty: list[str] = []
    unknown: list[str] = []
    for name, data in sorted(files.items()):
        answer = _told(name, decoded, data)
        if answer == []:
            empty.append(name)
        elif (part := _part(answer)) is None:
            unknown.append(name)
        else:
            _add(answers, part, name, answer)
    for name in empty:
        _add(answers, _part_of_nothing(name, {*answers}, len(empty)), name, [])
    if not {Part.COLLATERAL, Part.CAPITAL} & answers.keys():
        raise Misread(
            "no answer with balances is here. Name a folder with the collateral answer of the "
            "venue, or that answer"
        )
    return _snapshot(answers, tuple(unknown))


def _add(answers: dict[Part, tuple[str, Any]], part: Part, name: str, answer: object) -> None:
    if part in answers:
        raise Misread(
            f"{answers[part][0]} and {name} are both an answer on {part.value}. Keep one of the two"
        )
    answers[part] = name, answer


def _part(answer: object) -> Part | None:
    """Return which answer it is by its fields, or None if it is none of a snapshot."""
    found = None
    match answer:
        case [{"symbol": _, "netQuantity": _, "entryPrice": _}, *_]:
            found = Part.POSITIONS
        case [{"symbol": _, "netQuantity": _, "id": _}, *_]:
            found = Part.LOANS
        case {"collateral": [*_]}:
            found = Part.COLLATERAL
        case {"autoLend": _} | {"leverageLimit": _}:
            found = Part.SETTINGS
        case {"taken": _}:
            found = Part.TAKEN
        case dict() if all(isinstance(one, dict) and "available" in one for one in answer.values()):
            found = Part.CAPITAL
    return found


def _part_of_nothing(name: str, known: set[Part], count: int) -> Part:
    """Return which answer an empty list is: it has no fields."""
    lists = {Part.POSITIONS, Part.LOANS}
    left = lists - known
    if count == 1 and len(left) == 1:
        return left.pop()
    return Part.LOANS if "borrow" in name.lower() else Part.POSITIONS


def _snapshot(answers: Mapping[Part, tuple[str, Any]], unknown: tuple[str, ...]) -> Snapshot:
    def of(part: Part, reads: Any, nothing: Any) -> Any:  # noqa: ANN401
        if part not in answers:
            return nothing
        name, answer = answers[part]
        return _told(name, reads, answer)

    collateral = of(Part.COLLATERAL, _collateral, {})
    capital = of(Part.CAPITAL, _capital, {})
    return Snapshot(
        taken=of(Part.TAKEN, lambda answer: instant(answer["taken"]), None),
        parts=frozenset(answers),
        balances=_together(collateral, capital),
        totals=of(Part.COLLATERAL, _totals, {}),
        positions=of(Part.POSITIONS, lambda rows: _by_symbol(rows, _standing), {}),
        loans=of(Part.LOANS, lambda rows: _by_symbol(rows, _loan), {}),
        settings=of(Part.SETTINGS, _settings, {}),
        unknown=unknown,
    )


def _told(name: str, reads: Any, answer: Any) -> Any:  # noqa: ANN401
    """Return what a function reads of an answer; a fault names the file."""
    try:
        return reads(answer)
    except Misread as error:
        raise Misread(f"{name}: {error}") from error


# Fields


def _figure(row: Row, key: str) -> Decimal | None:
    """Return a number, or None where there is none."""
    value = row.get(key)
    if value is None:
        return None
    try:
        return number(value)
    except Misread as error:
        raise Misread(f"{key} {error}") from error


def _needed(row: Row, key: str) -> Decimal:
    found = _figure(row, key)
    if found is None:
        raise Misread(f"{key} is missing in {row.get('symbol', 'a row')}. Fetch the answer again")
    return found


def _by_symbol(rows: Iterable[object], reads: Any) -> dict[str, Any]:  # noqa: ANN401
    found: dict[str, Any] = {}
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
            raise Misread(f"row {place} has no symbol. Fetch the answer again")
        if row["symbol"] in found:
            raise Misread(f"{row['symbol']} stands there twice. Fetch the answer again")
        try:
            found[row["symbol"]] = reads(row)
        except Misread as error:
            raise Misread(f"row {place}: {error}") from error
    return found


def _collateral(answer: Row) -> dict[str, Balance]:
    rows = answer["collateral"]
    assert isinstance(rows, list)
    return _by_symbol(
        rows,
        lambda row: Balance(
            _needed(row, "totalQuantity"),
            _figure(row, "lendQuantity"),
            _figure(row, "openOrderQuantity"),
            _figure(row, "availableQuantity"),
            _figure(row, "collateralWeight"),
            _figure(row, "assetMarkPrice"),
        ),
    )


def _totals(answer: Row) -> dict[str, Decimal | None]:
    return {key: _figure(answer, key) for key in TOTALS if key in answer}


def _capital(answer: Mapping[str, Row]) -> dict[str, Decimal]:
    found = {}
    for symbol, row in answer.items():
        parts = [_needed({"symbol": symbol, **row}, "available")]
        parts += [_figure(row, key) or ZERO for key in ("locked", "staked")]
        found[symbol] = EXACT.add(EXACT.add(parts[0], parts[1]), parts[2])
    return found


def _together(
    collateral: Mapping[str, Balance], capital: Mapping[str, Decimal]
) -> dict[str, Balance]:
    """Return the larger quantity of the two answers of each coin.

    A coin that is pledged stands in both with the same quantity, one that is lent in the first, one
    that is no collateral in the second alone. So a sum would count coins twice.
    """
    found = dict(collateral)
    for symbol, quantity in capital.items():
        balance = found.get(symbol, Balance(ZERO))
        found[symbol] = balance._replace(quantity=max(balance.quantity, quantity))
    return found


def _standing(row: Row) -> Standing:
    exposure = _figure(row, "netExposureQuantity")
    return Standing(
        _needed(row, "netQuantity"),
        _figure(row, "entryPrice"),
        _figure(row, "markPrice"),
        None if exposure is None else abs(exposure),
        _figure(row, "pnlUnrealized"),
    )


def _loan(row: Row) -> Loan:
    return Loan(_needed(row, "netQuantity"), _figure(row, "markPrice"))


def _settings(answer: Row) -> dict[str, bool | Decimal]:
    found: dict[str, bool | Decimal] = {}
    for key in SWITCHES:
        value = answer.get(key)
        if value is None:
            continue
        if not isinstance(value, bool):
            raise Misread(f"{key} {value!r} is neither true nor false. Fetch the answer again")
        found[key] = value
    limit = _figure(answer, "leverageLimit")
    return found if limit is None else {**found, "leverageLimit": limit}
