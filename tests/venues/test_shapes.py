"""Backpack's files as rows: what is read, and what is refused with its row."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import backpack_rows as api
import pytest

from usance.venues.backpack.shapes import read
from usance.venues.numbers import Misread
from usance.venues.rows import Charge, Deposit, Fill, Funding, Interest, Origin, Standing, Use
from usance.venues.venue import Page

SHAPES = Path(__file__).parents[2].parent / "shared" / "data" / "backpack_shapes"
AT = "2025-11-03T16:28:17"
FILL = api.fill(1, "Bid", "0.5", "150.01", AT)


def page(rows: object, name: str = "a.json") -> Page:
    return read(name, json.dumps(rows).encode())


def test_a_fill_has_all_that_is_booked() -> None:
    (row,) = page([FILL | {"fee": "-0.01", "systemOrderType": "OrderBookClosed"}]).rows
    assert isinstance(row, Fill)
    assert row.id == "fill/SOL_USDC_PERP/1/91/Bid"
    assert (row.side, row.price, row.quantity) == (1, Decimal("150.01"), Decimal("0.5"))
    assert (row.fee, row.fee_symbol, row.system) == (Decimal("-0.01"), "USDC", "OrderBookClosed")
    assert row.place == ("a.json", 1)


@pytest.mark.parametrize(
    "wrapped",
    [[FILL], {"data": [FILL]}, {"_source": "x", "data": FILL}, {"rows": [FILL], "total": 1}, FILL],
)
def test_rows_stand_in_a_list_or_in_an_object_around_one(wrapped: object) -> None:
    assert page(wrapped).rows == page([FILL]).rows


def test_numbers_of_json_are_taken_as_written() -> None:
    text = json.dumps([FILL]).replace('"150.01"', "1.5001e2")
    (row,) = read("a.json", text.encode()).rows
    assert isinstance(row, Fill)
    assert row.price == Decimal("150.01")


def test_csv_has_the_names_of_the_api_in_camel_or_snake_case() -> None:
    camel = "symbol,side,price,quantity,fee,feeSymbol,orderId,tradeId,timestamp\n"
    snake = "symbol,side,price,quantity,fee,fee_symbol,order_id,trade_id,timestamp\n"
    line = f"SOL_USDC_PERP,Bid,150.01,0.5,0,USDC,91,1,{AT.replace('T', ' ')}Z\n"
    (wanted,) = page([FILL]).rows
    for header in (camel, snake):
        (row,) = read("a.csv", f"\ufeff{header}\n{line}".encode()).rows
        assert row._replace(place=wanted.place) == wanted


def test_an_answer_without_rows_is_of_no_kind() -> None:
    assert page([]) == page({"data": []}) == Page("", [], 0)


def test_kinds_that_are_only_checked_are_counted() -> None:
    if not SHAPES.is_dir():
        pytest.skip("the recorded answers are not on this machine")
    assert read("o.json", (SHAPES / "orders.json").read_bytes()) == Page("orders", [], 2)


def test_recorded_rows_are_read() -> None:
    if not SHAPES.is_dir():
        pytest.skip("the recorded answers are not on this machine")
    (into,) = read("d.json", (SHAPES / "deposit.json").read_bytes()).rows
    assert isinstance(into, Deposit)
    assert (into.id, into.quantity) == ("deposit/6695353", Decimal(120))
    assert (into.origin, into.status.standing) == (Origin.OUTSIDE, Standing.CONFIRMED)
    (paid,) = read("f.json", (SHAPES / "funding_payment.json").read_bytes()).rows
    assert isinstance(paid, Funding)
    assert paid.quantity == Decimal("0.027806")


HEADER = (
    "position_id,market_symbol,net_quantity,net_exposure_quantity,net_exposure_notional,net_cost,"
    "mark_price,entry_price,cumulative_pnl_realized,total_unrealized_pnl,total_funding_quantity,"
    "total_interest,total_liquidated,total_trading_fees,last_event_type,max_net_quantity,"
    "max_net_quantity_direction,closing_price,account_leverage,opened_at,closed_at\n"
)
POSITION = (
    "7,SOL_USDC_PERP,0,0,0,0,150,149,{},0,0,0,0,0.1,Close,2,Long,150,5,2025-11-03,2025-11-04\n"
)


def test_the_export_of_positions_is_checked_and_never_booked() -> None:
    found = read("p.csv", (HEADER + POSITION.format("1.5")).encode())
    assert found == Page("position history", [], 1)
    with pytest.raises(Misread, match=r"row 1: cumulative_pnl_realized: '1,234.5' is no number"):
        read("p.csv", (HEADER + POSITION.format('"1,234.5"')).encode())


def test_a_new_field_is_told_once() -> None:
    rows = [FILL | {"newThing": 1}, FILL | {"newThing": 2, "another": None}]
    assert page(rows).new == ("another", "newThing")


def test_a_payer_s_interest_is_a_cost_with_either_sign() -> None:
    for quantity in ("0.5", "-0.5"):
        (row,) = page([api.interest("Borrow", quantity, AT)]).rows
        assert isinstance(row, Interest)
        assert (row.charge, row.quantity) == (Charge.BORROW, Decimal("0.5"))


@pytest.mark.parametrize(
    ("event", "source", "use"),
    [
        ("Borrow", "Manual", Use.BY_HAND),
        ("BorrowRepay", "Manual", Use.BY_HAND),
        ("Lend", "Manual", Use.DERIVED),
        ("Lend", "Interest", Use.EARNED),
        ("Borrow", "Interest", Use.PAID),
        ("Borrow", "SpotMargin", Use.DERIVED),
        ("BorrowRepay", "LiquidationAdl", Use.NAMED),
    ],
)
def test_what_becomes_of_a_movement(event: str, source: str, use: Use) -> None:
    (row,) = page([api.movement(event, source, "1", AT)]).rows
    assert getattr(row, "use", None) is use


DEPOSIT = api.deposit(1, "1", AT)
LEND = api.interest("Lend", "1", AT)

REFUSED: list[tuple[Any, str]] = [
    ([FILL, DEPOSIT], "row 2 is of deposits, row 1 of fills. Put rows of one kind into a file"),
    ([FILL | {"price": None}], "row 1 has no price"),
    ([{k: v for k, v in FILL.items() if k != "orderId"}], "row 1 has no orderId"),
    ([FILL, FILL | {"side": "Buy"}], "row 2: side 'Buy' is not known"),
    ([FILL | {"systemOrderType": "New"}], "row 1: systemOrderType 'New' is not known"),
    ([FILL | {"side": ["Bid"]}], "row 1: side ['Bid'] is not known"),
    ([FILL | {"price": "0"}], "row 1: price 0 is not above 0"),
    ([FILL | {"quantity": "-1"}], "row 1: quantity -1 is not above 0"),
    ([FILL | {"quantity": "1,234.56"}], "row 1: quantity: '1,234.56' is no number"),
    ([FILL | {"quantity": "=1+1"}], "row 1: quantity: '=1+1' is no number"),
    ([FILL | {"quantity": "NaN"}], "row 1: quantity: 'NaN' is no number"),
    ([FILL | {"quantity": "Infinity"}], "row 1: quantity: 'Infinity' is no number"),
    ([FILL | {"quantity": True}], "row 1: quantity: True is no number"),
    ([FILL | {"quantity": "\u0661"}], "is no number"),
    ([FILL | {"quantity": "1" * 41}], "has more than 40 digits"),
    ([FILL | {"quantity": "1e999"}], "has more than 40 digits"),
    ([FILL | {"timestamp": "2025-11-03T16:28:17+02:00"}], "is no time in UTC"),
    ([FILL | {"timestamp": "2025-02-30T16:28:17"}], "is no day of the calendar"),
    ([FILL | {"timestamp": 1672128000000}], "is no time in UTC"),
    ([FILL | {"tradeId": "x"}], "row 1: tradeId: 'x' is no whole number"),
    ([FILL | {"orderId": "a/b"}], "row 1: orderId: 'a/b' is no id"),
    ([FILL | {"symbol": 5}], "row 1: symbol: '5' is no symbol"),
    ([LEND | {"quantity": "-1"}], "row 1: quantity -1 of a lender's interest is below 0"),
    ([LEND | {"paymentType": "Gift"}], "row 1: paymentType 'Gift' is not known"),
    ([DEPOSIT | {"quantity": "-1"}], "row 1: quantity -1 is below 0"),
    ([DEPOSIT | {"status": "odd"}], "row 1: status 'odd' is not known"),
    ([DEPOSIT | {"source": "moon"}], "row 1: source 'moon' is not known"),
    ([api.withdrawal(1, "1", "0", AT, isInternal="no")], "row 1: isInternal: 'no' is neither true"),
    ([api.settlement("Odd", "1", AT)], "row 1: source 'Odd' is not known"),
    ([api.movement("Borrow", "Odd", "1", AT)], "row 1: source 'Odd' is not known"),
    ([{"a": 1}], "row 1 has the fields a, which are those of no history of Backpack"),
    (["x"], "row 1: 'x' is no row"),
    ("x", "row 1: 'x' is no row"),
]


@pytest.mark.parametrize(("rows", "message"), REFUSED)
def test_a_hostile_row_is_refused_with_its_place(rows: object, message: str) -> None:
    with pytest.raises(Misread) as caught:
        page(rows)
    assert message in str(caught.value)
    assert not str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b'[{"id": 1, "id": 2}]', "'id' stands twice in one row"),
        ("a.json", b"[NaN]", "NaN is no number"),
        ("a.json", b"[{", "is no JSON"),
        ("a.json", b"\xff", "is not UTF-8"),
        ("a.json", b"[" * 100_000, "have no end"),
        ("a.csv", b"\xff", "is not UTF-8"),
        ("a.csv", b"", "the header is missing"),
        ("a.csv", b"Date;Coin\n", "the header is Date;Coin. Export the file again"),
        ("a.csv", b"side,side,price\n", "the header has 'side' twice"),
        ("a.csv", b"side,price\nBid\n", "row 1 has 1 cells under a header of 2"),
        ("a.csv", b'side,price\n"Bid,1\n', "it is no CSV"),
    ],
)
def test_a_hostile_file_is_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(Misread) as caught:
        read(name, data)
    assert message in str(caught.value)
