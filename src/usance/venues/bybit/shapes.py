"""Shapes of Bybit's transaction log: the files that a person downloads, as lines of one form.

Three shapes are public. The fields of the answer of `/v5/account/transaction-log`, with an example,
are in the venue's own API documentation. The header of the log page's CSV export, with `OrderId`
and `TradeId`, and that of the CSV of "Data Export", without them and with a line "UID: ..." above,
are in the tests of public clients, the latter with rows of a real account (everytrade), which the
tests here take figures from. In each shape the change of the wallet is the cash flow, plus funding,
less the fee; only the CSV files write a fee that is paid below zero.

The export of the funding account is another wallet's and is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from usance.venues import files
from usance.venues.files import Fields
from usance.venues.numbers import (
    Instant,
    Misread,
    decoded,
    instant,
    instant_of_milliseconds,
    number,
    shown,
)

Cells = tuple[object, ...]
"""The values of a row."""

ZERO = Decimal(0)
NOTHING = ("", "--")
"""What stands where a row has no value."""

SIDES = {"Buy": 1, "BUY": 1, "Sell": -1, "SELL": -1, "None": 0, "--": 0, "": 0}
OF_CONTRACTS = frozenset(("OPEN", "CLOSE", "linear", "inverse", "option"))
"""What a row of a contract has as its action or category; a trade of coins has `--` or `spot`."""


class Line(NamedTuple):
    """A line of the log: one change of one coin in the wallet.

    row       in its file, from 1
    type      the venue's word for what it is, "" if it has none
    side      1 bought, -1 sold, 0 neither
    contract  of a trade: whether a contract was traded; False: a coin
    quantity  as the venue writes it: of a contract without a sign
    fee       paid above 0, a rebate below
    change    of the wallet, of which `balance` is left
    position  in the contract after the row
    order, trade  the venue's numbers, "" where the shape has none
    """

    row: int
    at: Instant
    coin: str
    symbol: str
    type: str
    side: int
    contract: bool
    quantity: Decimal
    price: Decimal
    funding: Decimal
    fee: Decimal
    cash: Decimal
    change: Decimal
    balance: Decimal
    position: Decimal
    order: str
    trade: str


class Log(NamedTuple):
    """A file.

    lines     each once: of a file that was put together, one may stand there twice
    size      rows in the file
    numbered  whether trades have numbers
    new       fields that are not known
    """

    lines: Sequence[Line]
    size: int
    numbered: bool
    new: tuple[str, ...]


FIELDS = (
    "time",
    "coin",
    "symbol",
    "type",
    "side",
    "action",
    "quantity",
    "price",
    "funding",
    "fee",
    "cash",
    "change",
    "balance",
    "position",
    "order",
    "trade",
)
"""What a row tells, by the names that messages use."""

CSV_NAMES = (
    "Currency",
    "Contract",
    "Type",
    "Direction",
    "Action",
    "Quantity",
    "Filled Price",
    "Funding",
    "Fee Paid",
    "Cash Flow",
    "Change",
    "Wallet Balance",
    "Position",
)
CSV_NUMBERS = ("OrderId", "TradeId")
CSV_TIMES = ("Time(UTC)", "Time")
CSV_UNREAD = frozenset(("Uid",))

JSON_NAMES = (
    "transactionTime",
    "currency",
    "symbol",
    "type",
    "side",
    "category",
    "qty",
    "tradePrice",
    "funding",
    "fee",
    "cashFlow",
    "change",
    "cashBalance",
    "size",
    "orderId",
    "tradeId",
)
JSON_UNREAD = frozenset(
    ("id", "transSubType", "feeRate", "bonusChange", "orderLinkId", "extraFees")
)

OTHER_WALLET = frozenset(("Coin", "QTY", "Account Balance"))
"""Columns of the funding account's export."""

AGAIN = "Export the transaction log of the unified account again"


def log(name: str, data: bytes) -> Log:
    """Return the lines of a file of one of the three shapes; `Misread` if it is none."""
    return _of_csv(data) if name.lower().endswith(".csv") else _of_json(data)


def _of_json(data: bytes) -> Log:
    rows = list(_rows(decoded(data)))
    new = set[str]()
    known = JSON_UNREAD.union(JSON_NAMES)
    for at, row in enumerate(rows, 1):
        missing = set(JSON_NAMES) - row.keys()
        if missing:
            raise Misread(
                f"row {at} has no {', '.join(sorted(missing))}. Save answers of "
                "/v5/account/transaction-log"
            )
        new.update(row.keys() - known)
    lines, size = _lines(map(itemgetter(*JSON_NAMES), rows), instant_of_milliseconds, 1)
    return Log(lines, size, numbered=True, new=tuple(sorted(new)))


def _rows(found: object) -> Iterator[Fields]:
    """Yield the rows of an answer, of a list of answers, or of a bare list of rows."""
    for answer in found if isinstance(found, list) else [found]:
        if not isinstance(answer, dict):
            raise Misread(f"{shown(answer)} is no row. Save answers of /v5/account/transaction-log")
        if "retCode" not in answer:
            yield answer
            continue
        result = answer.get("result")
        listed = result.get("list") if isinstance(result, dict) else None
        if answer["retCode"] != "0" or not isinstance(listed, list):
            raise Misread(
                f"an answer has the code {shown(answer['retCode'])} and no list of rows. Ask for "
                "it again"
            )
        yield from _rows(listed)


def _of_csv(data: bytes) -> Log:
    mark = b"\xef\xbb\xbf"
    if data.removeprefix(mark).startswith(b"UID:"):
        data = data.partition(b"\n")[2]
    header, rows = files.csv_rows(data)
    places, new = _places(header)
    numbered = len(places) == len(FIELDS)
    cells: Iterator[Cells] = map(itemgetter(*places), rows)
    if not numbered:
        cells = ((*row, "", "") for row in cells)
    lines, size = _lines(cells, instant, -1)
    return Log(lines, size, numbered, new)


def _places(header: list[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return the columns of the fields, the last two only if there are any, and those not known."""
    if set(header) >= OTHER_WALLET:
        raise Misread(
            "it is the log of the funding account, another wallet than the unified account's. "
            "Import the file that has _uta_ in its name"
        )
    times = [column for column in CSV_TIMES if column in header]
    missing = [column for column in CSV_NAMES if column not in header]
    if missing or len(times) != 1:
        lacks = ", ".join(missing) or "one column Time or Time(UTC)"
        raise Misread(f"the header is {shown(','.join(header))} and lacks {lacks}. {AGAIN}")
    names = [*times, *CSV_NAMES]
    if set(header) >= set(CSV_NUMBERS):
        names += CSV_NUMBERS
    new = set(header) - set(names) - CSV_UNREAD
    return [header.index(name) for name in names], tuple(sorted(new))


def _lines(
    rows: Iterable[Cells], time: Callable[[object], Instant], paid: int
) -> tuple[list[Line], int]:
    """Return lines of cells in the order of `FIELDS`, each once, and how many rows there are.

    Two rows that are the same have left the same balance: they are one. An error gets the number of
    its row.

    paid  the sign that the shape gives to a fee that was paid
    """
    found: dict[Cells, Line] = {}
    at = 0
    try:
        for at, row in enumerate(rows, 1):
            line = _line(row, at, time, paid)
            found.setdefault(row, line)
    except Misread as error:
        raise Misread(f"row {at}: {error}") from error
    return list(found.values()), at


def _line(row: Cells, at: int, time: Callable[[object], Instant], paid: int) -> Line:
    when, _, symbol, kind, side, action = row[:6]
    coin = _word(row[1], "coin")
    quantity, price, funding, fee, cash, change, balance, position = map(
        _figure, row[6:14], FIELDS[6:14]
    )
    if not coin:
        raise Misread(f"the row has no coin. {AGAIN}")
    if not isinstance(side, str) or side not in SIDES:
        raise Misread(f"side: {shown(side)} is no direction. {AGAIN}")
    return Line(
        at,
        time(when),
        coin,
        _word(symbol, "symbol"),
        _word(kind, "type"),
        SIDES[side],
        action in OF_CONTRACTS,
        quantity,
        price,
        funding,
        paid * fee,
        cash,
        change,
        balance,
        position,
        _word(row[14], "order"),
        _word(row[15], "trade"),
    )


def _word(value: object, name: str) -> str:
    """Return a text without blanks or signs, as ids and types are; "" if nothing stands there."""
    if not isinstance(value, str) or (value and not files.ID.match(value)):
        raise Misread(f"{name}: {shown(value)} is no {name}. {AGAIN}")
    return "" if value in NOTHING else value


def _figure(value: object, name: str) -> Decimal:
    try:
        return _read(value) if isinstance(value, str) else number(value)
    except Misread as error:
        raise Misread(f"{name}: {error}") from error


@lru_cache(maxsize=4096)
def _read(text: str) -> Decimal:
    """Return a number, 0 where nothing stands; most of them are 0, or stand in many rows."""
    return ZERO if text in NOTHING else number(text)
