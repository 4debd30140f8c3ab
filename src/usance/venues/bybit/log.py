"""What a line of Bybit's log is: the rows of the books.

TRADE is a fill. One of coins stands twice, once for each coin that moved: two halves are one fill.
SETTLEMENT is funding; its cash flow, like that of a contract that is closed, is a result by the
venue's average entry, which the books reckon from their lots. INTEREST is charged five minutes
after each hour and taken from the wallet, which may be below zero: that is the debt. TRANSFER_IN
and TRANSFER_OUT are deposits and withdrawals of another account of the same user, from which coins
come in and go out of the venue. All other types are named, with their sums, and not booked.

LIQUIDATION and ADL are types of the venue's documentation of which no row is public: they are
booked as trades if they have all that a trade of a contract has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from usance.model.amounts import ZERO, decimal_text
from usance.model.hours import Day, iso
from usance.venues.bybit.halves import Trade, trades
from usance.venues.bybit.proof import gaps, odd_changes, odd_trades
from usance.venues.bybit.shapes import Line, log
from usance.venues.bybit.symbols import settle_coin
from usance.venues.numbers import Misread, day_of, time_text
from usance.venues.rows import (
    Charge,
    Deposit,
    Fill,
    Funding,
    Interest,
    Origin,
    Place,
    Row,
    Settlement,
    Standing,
    Status,
    Use,
    Withdrawal,
)
from usance.venues.venue import Page

NUMBERED = "transaction log"
"""Kind of a file whose trades have the venue's numbers."""
NUMBERLESS = "transaction log without numbers"

FIRST = "1"
"""How the id of a row ends that has no number of the venue, and is the first of its kind."""

SYSTEM = ("LIQUIDATION", "ADL")
DONE = Status("done", Standing.CONFIRMED, 0)


def read(name: str, data: bytes) -> Page:
    """Return the rows of a file.

    name  of the file, as messages name it: its ending tells CSV from JSON
    """
    found = log(name, data)
    halves: list[Line] = []
    rows: list[Row] = []
    for line in found.lines:
        if line.type == "TRADE" and not line.contract:
            halves.append(line)
            continue
        try:
            rows.append(READERS.get(line.type, _named)(line, Place(name, line.row)))
        except Misread as error:
            raise Misread(f"row {line.row}: {error}") from error
    spot = trades(halves)
    rows += (_spot(trade, name) for trade in spot)
    return Page(
        NUMBERED if found.numbered else NUMBERLESS,
        _told_apart(rows),
        found.size,
        found.new,
        (*odd_changes(found.lines), *odd_trades(spot), *gaps(found.lines)),
    )


def refuse(pages: Iterable[Page]) -> None:
    """Refuse files of both kinds with rows of one day: which are the same, nothing tells."""
    days: dict[str, dict[Day, str]] = {NUMBERED: {}, NUMBERLESS: {}}
    for page in pages:
        found = days.get(page.kind, {})
        for row in page.rows:
            day = day_of(row.at)
            found[day] = min(found.get(day, row.place.file), row.place.file)
    both = days[NUMBERED].keys() & days[NUMBERLESS].keys()
    if both:
        day = min(both)
        raise Misread(
            f"{days[NUMBERED][day]} and {days[NUMBERLESS][day]} both have rows of {iso(day)}, the "
            "latter without numbers of trades, so that nobody knows which rows are the same. Keep "
            "one of the two kinds of files for each day, and move the other one away"
        )


def _contract(line: Line, place: Place) -> Row:
    """Return a fill of a contract."""
    if line.type in SYSTEM and not (line.side and line.price and line.quantity):
        return _named(line, place)
    settle = settle_coin(line.symbol)
    if settle and line.coin != settle:
        raise Misread(
            f"{line.symbol} is paid in {line.coin}, not in {settle}. Download the file again"
        )
    return _fill(line, place, line.symbol, abs(line.quantity), line.fee, line.coin)


def _fill(
    line: Line, place: Place, symbol: str, quantity: Decimal, fee: Decimal, fee_coin: str
) -> Fill:
    if not line.side:
        raise Misread("a trade has no direction. Download the file again")
    if line.price <= 0 or quantity <= 0:
        raise Misread("price and quantity of a trade are above 0. Download the file again")
    side = "Buy" if line.side > 0 else "Sell"
    what = f"{line.trade}/{line.order}/{side}"
    if not line.trade:
        what = _alike(f"{time_text(line.at)}/{side}", quantity, line.price)
    return Fill(
        id=f"fill/{symbol}/{what}",
        at=line.at,
        place=place,
        symbol=symbol,
        side=line.side,
        price=line.price,
        quantity=quantity,
        fee=fee,
        fee_symbol=fee_coin,
        order=line.order,
        system=line.type if line.type in SYSTEM else None,
        trade=0,
    )


def _funding(line: Line, place: Place) -> Funding:
    if line.fee:
        raise Misread("a settlement has a fee. Write the fee by hand and take the row out")
    side = {1: "Buy", -1: "Sell", 0: ""}[line.side]
    return Funding(
        # In hedge mode a contract is held on both sides at once.
        id=f"funding/{line.symbol}/{line.at}/{side}",
        at=line.at,
        place=place,
        symbol=line.symbol,
        quantity=line.funding,
        rate=None,
    )


def _interest(line: Line, place: Place) -> Row:
    if line.change > 0:
        return _named(line, place)
    return Interest(
        id="",
        at=line.at,
        place=place,
        charge=Charge.TAKEN,
        symbol=line.coin,
        quantity=-line.change,
        rate=None,
        position="",
        market="",
    )


def _transfer(line: Line, place: Place) -> Row:
    comes = line.type == "TRANSFER_IN"
    quantity = line.change if comes else -line.change
    if quantity <= 0:
        raise Misread(
            f"{line.type} changes the wallet by {decimal_text(line.change)}. Download the file "
            "again"
        )
    what = _alike(f"{line.coin}/{time_text(line.at)}", quantity)
    if comes:
        return Deposit(
            id=f"deposit/{what}",
            at=line.at,
            place=place,
            symbol=line.coin,
            quantity=quantity,
            source="another account",
            origin=Origin.ACCOUNT,
            status=DONE,
            memo="",
        )
    return Withdrawal(
        id=f"withdrawal/{what}",
        at=line.at,
        place=place,
        symbol=line.coin,
        quantity=quantity,
        fee=ZERO,
        origin=Origin.ACCOUNT,
        status=DONE,
    )


def _named(line: Line, place: Place) -> Settlement:
    return Settlement(
        id="",
        at=line.at,
        place=place,
        source=line.type or "no type",
        symbol=line.coin,
        quantity=line.change,
        position="",
        use=Use.NAMED,
    )


READERS: Mapping[str, Callable[[Line, Place], Row]] = {
    "TRADE": _contract,
    "LIQUIDATION": _contract,
    "ADL": _contract,
    "SETTLEMENT": _funding,
    "INTEREST": _interest,
    "TRANSFER_IN": _transfer,
    "TRANSFER_OUT": _transfer,
}


def _spot(trade: Trade, name: str) -> Fill:
    """Return the fill of a trade of coins."""
    base, quote = trade
    try:
        payer = quote if quote.fee else base
        symbol = f"{base.coin}/{quote.coin}"
        place = Place(name, base.row)
        return _fill(base, place, symbol, abs(base.cash), payer.fee, payer.coin)
    except Misread as error:
        raise Misread(f"row {base.row}: {error}") from error


def _alike(what: str, *numbers: Decimal) -> str:
    """Return the id of a row without a number: all that it is, and that it is the first such."""
    return "/".join((what, *map(decimal_text, numbers), FIRST))


def _told_apart(rows: list[Row]) -> list[Row]:
    """Give rows that are alike ids that count them, in an order that is not the file's."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if row.id.endswith(f"/{FIRST}"):
            places[row.id].append(at)
    for first, alike in places.items():
        if len(alike) > 1:
            alike.sort(key=lambda at: _fee(rows[at]))
            for count, at in enumerate(alike, 1):
                rows[at] = rows[at]._replace(id=f"{first.removesuffix(FIRST)}{count}")
    return rows


def _fee(row: Row) -> Decimal:
    return row.fee if isinstance(row, Fill | Withdrawal) else ZERO
