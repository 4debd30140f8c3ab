"""Shapes of Bybit's transaction log: the files that a person downloads, as lines of one form.

Three shapes are public. The fields of the answer of `/v5/account/transaction-log`, with an example,
are in the venue's own API documentation. The header of the log page's CSV export, with `OrderId`
and `TradeId`, and that of the CSV of "Data Export", without them and with a line "UID: ..." above,
are in the tests of public clients, the latter with rows of a real account (everytrade), which the
tests here take figures from. In each shape the change of the wallet is the cash flow, plus funding,
less the fee; only the CSV files write a fee that is paid below zero.

The export of the funding account is another wallet's and is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
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
    order: str
    trade: str


class Log(NamedTuple):
    """A file: its lines, whether they have numbers of trades, and fields that are not known."""

    lines: Sequence[Line]
    numbered: bool
    new: tuple[str, ...]


CSV_FIELDS = {
    "Currency": "coin",
    "Contract": "symbol",
    "Type": "type",
    "Direction": "side",
    "Quantity": "quantity",
    "Filled Price": "price",
    "Funding": "funding",
    "Fee Paid": "fee",
    "Cash Flow": "cash",
    "Change": "change",
    "Wallet Balance": "balance",
    "Action": "action",
}
CSV_NUMBERS = {"OrderId": "order", "TradeId": "trade"}
CSV_TIMES = ("Time(UTC)", "Time")
CSV_UNREAD = frozenset(("Uid", "Position"))

JSON_FIELDS = {
    "currency": "coin",
    "symbol": "symbol",
    "type": "type",
    "side": "side",
    "qty": "quantity",
    "tradePrice": "price",
    "funding": "funding",
    "fee": "fee",
    "cashFlow": "cash",
    "change": "change",
    "cashBalance": "balance",
    "category": "action",
    "orderId": "order",
    "tradeId": "trade",
    "transactionTime": "time",
}
JSON_UNREAD = frozenset(
    ("id", "transSubType", "size", "feeRate", "bonusChange", "orderLinkId", "extraFees")
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
    for at, row in enumerate(rows, 1):
        missing = JSON_FIELDS.keys() - row.keys()
        if missing:
            raise Misread(
                f"row {at} has no {', '.join(sorted(missing))}. Save answers of "
                "/v5/account/transaction-log"
            )
        new.update(row.keys() - JSON_FIELDS.keys() - JSON_UNREAD)
    cells = [{name: row[field] for field, name in JSON_FIELDS.items()} for row in rows]
    lines = files.read_each(cells, lambda row, at: _line(row, at, instant_of_milliseconds, 1))
    return Log(lines, numbered=True, new=tuple(sorted(new)))


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
    header, lines = files.csv_rows(data)
    names, new = _names(header)
    cells = ({name: cell for name, cell in zip(names, line, strict=True) if name} for line in lines)
    found = files.read_each(cells, lambda row, at: _line(row, at, instant, -1))
    return Log(found, numbered="trade" in names, new=new)


def _names(header: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the name of each column, "" for one that is not read, and those not known."""
    if set(header) >= OTHER_WALLET:
        raise Misread(
            "it is the log of the funding account, another wallet than the unified account's. "
            "Import the file that has _uta_ in its name"
        )
    times = [column for column in CSV_TIMES if column in header]
    missing = [column for column in CSV_FIELDS if column not in header]
    if missing or len(times) != 1:
        lacks = ", ".join(missing) or "one column Time or Time(UTC)"
        raise Misread(f"the header is {shown(','.join(header))} and lacks {lacks}. {AGAIN}")
    names = {**CSV_FIELDS, **CSV_NUMBERS, times[0]: "time"}
    new = set(header) - names.keys() - CSV_UNREAD
    return [names.get(column, "") for column in header], tuple(sorted(new))


def _line(row: Fields, at: int, time: Callable[[object], Instant], paid: int) -> Line:
    """Return a line; `paid` is the sign that its shape gives to a fee that was paid."""
    kind = files.identity(row, "type")
    return Line(
        row=at,
        at=time(row["time"]),
        coin=files.symbol(row, "coin"),
        symbol=_text(row, "symbol"),
        type="" if kind in NOTHING else kind,
        side=files.one_of(row, "side", SIDES),
        contract=row["action"] in OF_CONTRACTS,
        quantity=_figure(row, "quantity"),
        price=_figure(row, "price"),
        funding=_figure(row, "funding"),
        fee=paid * _figure(row, "fee"),
        cash=_figure(row, "cash"),
        change=_figure(row, "change"),
        balance=_figure(row, "balance"),
        order=_number(row, "order"),
        trade=_number(row, "trade"),
    )


def _text(row: Fields, name: str) -> str:
    found = files.words(row, name)
    return "" if found in NOTHING else found


def _number(row: Fields, name: str) -> str:
    found = files.identity(row, name)
    return "" if found in NOTHING else found


def _figure(row: Fields, name: str) -> Decimal:
    value = row[name]
    if value in NOTHING:
        return ZERO
    try:
        return number(value)
    except Misread as error:
        raise Misread(f"{name}: {error}") from error
