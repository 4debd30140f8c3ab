"""Shapes of Backpack: its answers and exports as rows.

The kind of rows is known by their fields, never by a file's name. An error names the row.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter

from usance.venues import files
from usance.venues.backpack import kinds
from usance.venues.backpack.kinds import KINDS, POSITION_CSV, POSITION_TEXTS, SETTLE
from usance.venues.files import Fields
from usance.venues.numbers import Misread, number
from usance.venues.rows import (
    Charge,
    Deposit,
    Dust,
    Fill,
    Funding,
    Interest,
    Movement,
    Origin,
    Place,
    Row,
    Settlement,
    Use,
    Withdrawal,
)
from usance.venues.venue import Page

CHARGES = {charge.value: charge for charge in Charge if charge is not Charge.TAKEN}
EVENTS = {event: event for event in kinds.EVENTS}


def read(name: str, data: bytes) -> Page:
    """Return the rows of a file: JSON of the API, or CSV with the API's names.

    name  of the file, as messages name it: its ending tells CSV from JSON
    """
    if name.lower().endswith(".csv"):
        return _csv(name, data)
    return _page(name, files.json_rows(data))


def _csv(name: str, data: bytes) -> Page:
    header, lines = files.csv_rows(data)
    if header == POSITION_CSV:
        return _positions(lines)
    fields = [files.camel(column.strip()) for column in header]
    if not header or _kind(fields) is None:
        raise Misread(
            f"the header is {','.join(header) or 'missing'}. Export the file again with the names "
            "of the API, or import its JSON"
        )
    rows: list[Fields] = [
        {field: cell for field, cell in zip(fields, cells, strict=True) if cell} for cells in lines
    ]
    return _page(name, rows)


def _positions(lines: Iterable[list[str]]) -> Page:
    """Check the venue's export of positions; it is never booked."""
    count = 0
    for count, cells in enumerate(lines, 1):
        for column, cell in zip(POSITION_CSV, cells, strict=True):
            if cell and column not in POSITION_TEXTS:
                try:
                    number(cell)
                except Misread as error:
                    raise Misread(f"row {count}: {column}: {error}") from error
    return Page("position history", [], count)


def _kind(fields: Iterable[str]) -> str | None:
    """Return the kind of a row with such fields, or None."""
    found = frozenset(fields)
    return next((kind for kind, shape in KINDS.items() if shape.signs <= found), None)


def _page(name: str, rows: list[Fields]) -> Page:
    if not rows:
        return Page("", [], 0)
    kind = _kind(rows[0])
    if kind is None:
        raise Misread(
            f"row 1 has the fields {', '.join(sorted(rows[0])) or '(none)'}, which are those of no "
            "history of Backpack. Import a history of the API"
        )
    new = _checked(kind, rows)
    if kind not in READERS:
        return Page(kind, [], len(rows))
    make = READERS[kind]
    made = files.read_each(rows, lambda row, at: make(row, Place(name, at)))
    return Page(kind, made, len(rows), tuple(sorted(new)))


def _checked(kind: str, rows: list[Fields]) -> set[str]:
    """Return the fields that are not known; a row of another kind, or without a field, is refused.

    Rows of one file have few sets of fields: each is looked at once.
    """
    _, required, optional = KINDS[kind]
    seen: set[tuple[str, ...]] = set()
    new: set[str] = set()
    given = itemgetter(*sorted(required)) if required else None
    for at, row in enumerate(rows, 1):
        fields = tuple(row)
        if fields not in seen:
            seen.add(fields)
            other = _kind(fields)
            if other not in (kind, None):
                raise Misread(
                    f"row {at} is of {other}, row 1 of {kind}. Put rows of one kind into a file"
                )
            new.update(row.keys() - required - optional)
            _refuse_lack(at, sorted(required - row.keys()))
        if given is not None and None in given(row):
            _refuse_lack(at, [field for field in sorted(required) if row[field] is None])
    return new if required else set()


def _refuse_lack(at: int, lacking: list[str]) -> None:
    if lacking:
        raise Misread(f"row {at} has no {lacking[0]}. Download the file again")


def _fill(row: Fields, place: Place) -> Fill:
    symbol, order = files.symbol(row, "symbol"), files.identity(row, "orderId")
    side, trade = files.one_of(row, "side", kinds.SIDES), files.identity(row, "tradeId")
    system = row.get("systemOrderType")
    if system is not None and system not in kinds.SYSTEM_ORDERS:
        files.one_of(row, "systemOrderType", dict.fromkeys(kinds.SYSTEM_ORDERS))
    if trade and not trade.lstrip("-").isdigit():
        raise Misread(f"tradeId: {trade!r} is no whole number. Download the file again")
    # Fills against the backstop had no number, or 0, until November 2025.
    number_ = int(trade or 0)
    return Fill(
        id=f"fill/{symbol}/{number_}/{order}/{row['side']}" if number_ else "",
        at=files.moment(row, "timestamp"),
        place=place,
        symbol=symbol,
        side=side,
        price=files.above_zero(row, "price"),
        quantity=files.above_zero(row, "quantity"),
        fee=files.figure(row, "fee"),
        fee_symbol=files.symbol(row, "feeSymbol"),
        order=order,
        system=None if system is None else str(system),
        trade=number_,
    )


def _funding(row: Fields, place: Place) -> Funding:
    symbol, at = files.symbol(row, "symbol"), files.moment(row, "intervalEndTimestamp")
    account = files.identity(row, "subaccountId")
    rate = row.get("fundingRate")
    return Funding(
        id=f"funding/{symbol}/{at}/{account}",
        at=at,
        place=place,
        symbol=symbol,
        quantity=files.figure(row, "quantity"),
        rate=None if rate is None else files.figure(row, "fundingRate"),
    )


def _interest(row: Fields, place: Place) -> Interest:
    charge, symbol = files.one_of(row, "paymentType", CHARGES), files.symbol(row, "symbol")
    at, quantity = files.moment(row, "timestamp"), files.figure(row, "quantity")
    position, market = files.identity(row, "positionId"), files.words(row, "marketSymbol")
    if charge.earned and quantity < 0:
        raise Misread(
            f"quantity {row['quantity']} of a lender's interest is below 0. Download the file again"
        )
    fee = charge is Charge.ENTRY_FEE
    return Interest(
        id="" if fee else f"interest/{charge.value}/{symbol}/{position}/{market}/{at}",
        at=at,
        place=place,
        charge=charge,
        symbol=symbol,
        # A payer's interest is a cost with either sign.
        quantity=abs(quantity),
        rate=files.figure(row, "interestRate"),
        position=position,
        market=market,
    )


def _movement(row: Fields, place: Place) -> Movement:
    event = files.one_of(row, "eventType", EVENTS)
    use = files.one_of(row, "source", kinds.MOVEMENT_SOURCES)
    lends = event in ("Lend", "LendRedeem")
    if lends and use in (Use.BY_HAND, Use.PAID):
        use = Use.DERIVED if use is Use.BY_HAND else Use.EARNED
    left = row.get("positionQuantity")
    return Movement(
        id="",
        at=files.moment(row, "timestamp"),
        place=place,
        event=event,
        source=str(row["source"]),
        symbol=files.symbol(row, "symbol"),
        quantity=abs(files.figure(row, "quantity")),
        position=files.identity(row, "positionId"),
        left=None if left is None else files.figure(row, "positionQuantity"),
        order=files.identity(row, "spotMarginOrderId"),
        use=use,
        more=event in ("Borrow", "Lend"),
    )


def _settlement(row: Fields, place: Place) -> Settlement:
    use, sequence = files.one_of(row, "source", kinds.SETTLEMENT_SOURCES), row.get("engineSequence")
    source = str(row["source"])
    return Settlement(
        id=""
        if sequence is None
        else f"settlement/{source}/{files.identity(row, 'engineSequence')}",
        at=files.moment(row, "timestamp"),
        place=place,
        source=source,
        symbol=SETTLE,
        quantity=files.figure(row, "quantity"),
        position=files.identity(row, "positionId"),
        use=use,
    )


def _deposit(row: Fields, place: Place) -> Deposit:
    return Deposit(
        id=f"deposit/{files.identity(row, 'id')}",
        at=files.moment(row, "createdAt"),
        place=place,
        symbol=files.symbol(row, "symbol"),
        quantity=files.not_below_zero(row, "quantity"),
        source=str(row["source"]),
        origin=files.one_of(row, "source", kinds.DEPOSIT_SOURCES),
        status=files.one_of(row, "status", kinds.DEPOSIT_STATUSES),
        memo=files.words(row, "platformMemo"),
    )


def _withdrawal(row: Fields, place: Place) -> Withdrawal:
    return Withdrawal(
        id=f"withdrawal/{files.identity(row, 'id')}",
        at=files.moment(row, "createdAt"),
        place=place,
        symbol=files.symbol(row, "symbol"),
        quantity=files.not_below_zero(row, "quantity"),
        fee=files.not_below_zero(row, "fee"),
        origin=Origin.ACCOUNT if files.switch(row, "isInternal") else Origin.OUTSIDE,
        status=files.one_of(row, "status", kinds.WITHDRAWAL_STATUSES),
    )


def _dust(row: Fields, place: Place) -> Dust:
    return Dust(
        id=f"dust/{files.identity(row, 'id')}",
        at=files.moment(row, "timestamp"),
        place=place,
        symbol=files.symbol(row, "symbol"),
        quantity=files.not_below_zero(row, "quantity"),
        received=files.not_below_zero(row, "usdcReceived"),
        settle=SETTLE,
    )


READERS: Mapping[str, Callable[[Fields, Place], Row]] = {
    "fills": _fill,
    "funding": _funding,
    "interest": _interest,
    "borrowLend": _movement,
    "dust": _dust,
    "withdrawals": _withdrawal,
    "deposits": _deposit,
    "settlement": _settlement,
}
