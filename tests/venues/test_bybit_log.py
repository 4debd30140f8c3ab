"""The transaction log of Bybit, row by row: what is read of its three shapes, and what is refused.

`coins_eu.csv` has the rows of a real account of Bybit EU, and `contract.csv` two of another one, as
public clients have them in their tests (everytrade, TransactionJournal); `answer.json` is the
example of the venue's API documentation. The rest is written here, in the same shapes.
"""

import json
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest

from usance.model import feeds
from usance.venues.bybit.log import read
from usance.venues.bybit.symbols import BybitSymbols
from usance.venues.catalog import VENUES
from usance.venues.numbers import Misread, instant
from usance.venues.row_set import union
from usance.venues.rows import (
    Charge,
    Deposit,
    Fill,
    Funding,
    Interest,
    Origin,
    Settlement,
    Use,
    Withdrawal,
)
from usance.venues.venue import Market, Page

HERE = Path(__file__).parent / "bybit"

PAGE_HEADER = (
    "Currency,Contract,Type,Direction,Quantity,Position,Filled Price,Funding,Fee Paid,Cash Flow,"
    "Change,Wallet Balance,Action,OrderId,TradeId,Time"
)
EXPORT_HEADER = (
    "Uid,Currency,Contract,Type,Direction,Quantity,Position,Filled Price,Funding,Fee Paid,"
    "Cash Flow,Change,Wallet Balance,Action,Time(UTC)"
)


def page(*rows: str) -> Page:
    """Read rows of the log page's export."""
    return read("log.csv", "\n".join((PAGE_HEADER, *rows, "")).encode())


def export(*rows: str) -> Page:
    """Read rows of "Data Export"."""
    lines = ("UID: 1,Company Name: ,Country: ", EXPORT_HEADER, *(f"1,{row}" for row in rows), "")
    return read("AssetChangeDetails_uta_1_0.csv", "\r\n".join(lines).encode())


def answer(**fields: object) -> bytes:
    """Return an answer of the API with one row: a trade of the documentation, with `fields`."""
    row = json.loads((HERE / "answer.json").read_text())["result"]["list"][1]
    row.update(fields)
    kept = {name: value for name, value in row.items() if value is not ...}
    return json.dumps({"retCode": 0, "result": {"list": [kept]}}).encode()


def test_a_real_log_of_coins_is_six_rows_and_nothing_is_missing() -> None:
    """Each trade has two halves: a fee is in what comes in, and the balances leave no gap."""
    found = read("coins_eu.csv", (HERE / "coins_eu.csv").read_bytes())
    assert (found.size, found.new, found.findings) == (11, (), ())
    transfer, *fills = found.rows
    assert isinstance(transfer, Deposit)
    assert (transfer.symbol, transfer.quantity, transfer.origin) == (
        "EUR",
        Decimal(17),
        Origin.ACCOUNT,
    )
    assert [
        (row.symbol, row.side, row.price, row.quantity, row.fee, row.fee_symbol)
        for row in sorted(fills, key=lambda row: row.at)
        if isinstance(row, Fill)
    ] == [
        (symbol, side, Decimal(price), Decimal(quantity), Decimal(fee), coin)
        for symbol, side, price, quantity, fee, coin in (
            ("BTC/EUR", 1, "53775.3", "0.00009", "0.000000225", "BTC"),
            ("BTC/EUR", -1, "53786.5", "0.00002", "0.002689325", "EUR"),
            ("BTC/EUR", 1, "53873.6", "0.00007", "0.000000175", "BTC"),
            ("BTC/EUR", -1, "53873.1", "0.00002", "0.002693655", "EUR"),
            ("BTC/EUR", -1, "53842.9", "0.00003", "0.0040382175", "EUR"),
        )
    ]


def test_the_answer_of_the_documentation() -> None:
    found = read("answer.json", (HERE / "answer.json").read_bytes())
    assert (found.size, found.new, found.findings) == (3, (), ())
    funding, large, small = found.rows
    assert isinstance(funding, Funding)
    assert isinstance(large, Fill)
    assert isinstance(small, Fill)
    assert (funding.symbol, funding.quantity) == ("XRPUSDT", Decimal("-0.003676"))
    assert funding.at == instant("2022-12-27T08:00:00")
    assert large.at == instant("2022-12-27T06:06:22.224")
    assert (large.symbol, large.side, large.price, large.quantity) == (
        "XRPUSDT",
        1,
        Decimal("0.3615"),
        Decimal(88),
    )
    assert (large.fee, large.fee_symbol, small.fee) == (
        Decimal("0.0190872"),
        "USDT",
        Decimal("0.0026028"),
    )
    assert large.id == (
        "fill/XRPUSDT/5184f079-88ec-54c7-8774-5173cafd2b4e/592b7e41-78fd-42e2-9aa3-91e1835ef3e1/Buy"
    )


def test_real_rows_of_a_contract() -> None:
    found = read("contract.csv", (HERE / "contract.csv").read_bytes())
    funding, close = found.rows
    assert isinstance(funding, Funding)
    assert isinstance(close, Fill)
    assert (funding.quantity, close.side, close.quantity, close.price, close.fee) == (
        Decimal("-0.0043613"),
        -1,
        Decimal("0.02"),
        Decimal(4356),
        Decimal("0.08712"),
    )


def test_answers_may_be_put_together() -> None:
    """Two pages in one file, as a list of answers or of rows, are what one answer is."""
    one = json.loads((HERE / "answer.json").read_text())
    rows = one["result"]["list"]
    whole = read("a.json", json.dumps(one).encode()).rows
    answers = [
        {"retCode": 0, "result": {"list": rows[:2]}},
        {"retCode": 0, "result": {"list": rows[2:]}},
    ]
    for text in (json.dumps(answers), json.dumps(rows)):
        assert read("a.json", text.encode()).rows == whole
    assert read("a.json", json.dumps([]).encode()).rows == []


def test_halves_of_the_api_are_one_trade_by_their_number() -> None:
    """A fee below zero is a rebate there; the documentation says a fee that is paid is above."""
    half = {
        "size": "",
        "category": "spot",
        "tradePrice": "2",
        "funding": "",
        "tradeId": "22",
        "orderId": "5",
    }
    rows = [
        {**half, "currency": "SOL", "symbol": "SOLUSDT", "qty": "-3", "cashFlow": "-3"},
        {**half, "currency": "USDT", "symbol": "SOLUSDT", "qty": "6", "cashFlow": "6"},
    ]
    rows[0] |= {"fee": "0", "change": "-3", "side": "Sell", "cashBalance": "0", "type": "TRADE"}
    rows[1] |= {"fee": "-0.01", "change": "6.01", "side": "Sell", "cashBalance": "9"}
    rows[1] |= {"type": "TRADE", "transactionTime": "1672128000123"}
    rows[0] |= {"transactionTime": "1672128000123"}
    (fill,) = read("a.json", json.dumps(rows).encode()).rows
    assert isinstance(fill, Fill)
    assert fill.id == "fill/SOL/USDT/22/5/Sell"
    assert (fill.symbol, fill.side, fill.quantity, fill.fee, fill.fee_symbol) == (
        "SOL/USDT",
        -1,
        Decimal(3),
        Decimal("-0.01"),
        "USDT",
    )


def test_trades_of_one_second_and_price_are_told_apart_by_their_size() -> None:
    """Two trades of one second at one price: 1 SOL for 100 USDC, and 2 SOL for 200 USDC."""
    rows = [
        "SOL,SOLUSDC,TRADE,BUY,2,0,100,0,-0.002,2,1.998,2.998,--,2026-06-05 09:00:00",
        "USDC,SOLUSDC,TRADE,BUY,-100,0,100,0,0,-100,-100,200,--,2026-06-05 09:00:00",
        "SOL,SOLUSDC,TRADE,BUY,1,0,100,0,0,1,1,1,--,2026-06-05 09:00:00",
        "USDC,SOLUSDC,TRADE,BUY,-200,0,100,0,0,-200,-200,0,--,2026-06-05 09:00:00",
    ]
    expected = {(Decimal(1), Decimal(0)), (Decimal(2), Decimal("0.002"))}
    for seed in range(6):
        found = export(*random.Random(seed).sample(rows, 4))  # noqa: S311
        assert found.findings == ()
        assert {(r.quantity, r.fee) for r in found.rows if isinstance(r, Fill)} == expected


def test_alike_rows_without_numbers_are_as_many_as_they_are() -> None:
    """Two equal fills of one second: their ids are those of the first and the second."""
    row = "USDT,BTCUSDT,TRADE,BUY,0.01,{},50000,0,-0.3,0,-0.3,{},OPEN,2026-06-05 09:00:00"
    ids = [fill.id for fill in export(row.format("0.02", "9.4"), row.format("0.01", "9.7")).rows]
    assert ids == [f"fill/BTCUSDT/2026-06-05T09:00:00/Buy/0.01/50000/{n}" for n in (1, 2)]


def test_a_row_that_stands_twice_in_a_file_is_one() -> None:
    """It has left the same balance: the file was put together from two that overlap."""
    data = (HERE / "coins_eu.csv").read_bytes()
    twice = data + b"".join(data.splitlines(keepends=True)[2:])
    whole, found = read("coins_eu.csv", data), read("coins_eu.csv", twice)
    assert (found.size, found.findings) == (22, ())
    assert found.rows == whole.rows


def test_the_ids_of_rows_without_numbers_do_not_depend_on_their_order() -> None:
    """Alike but for their fee: the lower one is the first."""
    one = "USDT,BTCUSDT,TRADE,BUY,0.01,0.01,50000,0,-0.3,0,-0.3,10,OPEN,2026-06-05 09:00:00"
    two = "USDT,BTCUSDT,TRADE,BUY,0.01,0.01,50000,0,-0.1,0,-0.1,10,OPEN,2026-06-05 09:00:00"
    found = [
        {r.id: r.fee for r in export(*rows).rows if isinstance(r, Fill)}
        for rows in ((one, two), (two, one))
    ]
    assert found[0] == found[1]
    assert [str(fee) for _, fee in sorted(found[0].items())] == ["0.1", "0.3"]


def test_each_type_of_the_log() -> None:
    """Figures by hand; a type that is not booked keeps its sum, so that it can be named."""
    found = page(
        "USDT,,TRANSFER_IN,--,0,0,0,0,0,297,297,297,--,o8,t8,2026-04-15 11:26:47.349",
        "USDT,,TRANSFER_OUT,--,0,0,0,0,0,-7,-7,290,--,o9,t9,2026-04-15 11:27:00.000",
        "USDT,ADAUSDT,TRADE,BUY,389,389,0.78,0,-0.13,0,-0.13,289.87,OPEN,o2,t2,2026-06-01 10:00:00",
        "USDT,ADAUSDT,SETTLEMENT,BUY,--,389,--,0.0006,0,0,0.0006,289.8706,SETTLEMENT,o,t,"
        "2026-06-15 08:00:00.000",
        "USDT,,INTEREST,--,0,0,0,0,0,-0.004,-0.004,289.8666,--,--,--,2026-06-15 08:05:00",
        "USDT,ADAUSDT,TRADE,SELL,389,0,0.80,0,-0.15,7.78,7.63,297.4966,CLOSE,,,2026-07-01 10:00:00",
        "USDT,,BONUS,--,0,0,0,0,0,5,5,302.4966,--,--,--,2026-07-01 11:00:00.000",
        "USDT,,--,--,0,0,0,0,0,-2,-2,300.4966,--,--,--,2026-07-01 12:00:00.000",
    )
    assert found.findings == ()
    came, went, opened, funding, interest, closed, bonus, unnamed = found.rows
    assert isinstance(came, Deposit)
    assert isinstance(went, Withdrawal)
    assert (came.quantity, went.quantity, went.fee) == (Decimal(297), Decimal(7), Decimal(0))
    assert (came.origin, went.origin) == (Origin.ACCOUNT, Origin.ACCOUNT)
    assert came.id == "deposit/USDT/2026-04-15T11:26:47.349/297/1"
    assert isinstance(opened, Fill)
    assert isinstance(closed, Fill)
    assert (opened.side, closed.side, opened.fee) == (1, -1, Decimal("0.13"))
    assert opened.id == "fill/ADAUSDT/t2/o2/Buy"
    assert isinstance(funding, Funding)
    assert funding.quantity == Decimal("0.0006")
    assert isinstance(interest, Interest)
    assert (interest.charge, interest.symbol, interest.quantity) == (
        Charge.TAKEN,
        "USDT",
        Decimal("0.004"),
    )
    assert isinstance(bonus, Settlement)
    assert isinstance(unnamed, Settlement)
    assert (bonus.source, bonus.quantity, bonus.use) == ("BONUS", Decimal(5), Use.NAMED)
    assert (unnamed.source, unnamed.quantity) == ("no type", Decimal(-2))


@pytest.mark.parametrize("kind", ["LIQUIDATION", "ADL"])
def test_a_trade_of_the_system_is_a_fill_if_it_has_all_that_a_fill_has(kind: str) -> None:
    row = "USDT,ADAUSDT,{},SELL,{},0,{},0,-0.15,-7,-7.15,0,{},o,t,2026-07-01 10:00:00.000"
    (fill,) = page(row.format(kind, 389, "0.80", "CLOSE")).rows
    assert isinstance(fill, Fill)
    assert fill.system == kind
    (other,) = page(row.format(kind, "--", "--", "--")).rows
    assert isinstance(other, Settlement)
    assert (other.source, other.quantity) == (kind, Decimal("-7.15"))


def test_interest_that_comes_back_is_named_and_not_booked() -> None:
    (row,) = page("USDT,,INTEREST,--,0,0,0,0,0,0.004,0.004,1,--,--,--,2026-06-15 08:05:00").rows
    assert isinstance(row, Settlement)
    assert (row.source, row.quantity) == ("INTEREST", Decimal("0.004"))


def test_a_contract_may_be_held_on_both_sides_at_once() -> None:
    """In hedge mode there are two rows of funding for one contract and hour."""
    row = "USDT,ADAUSDT,SETTLEMENT,{},--,389,--,{},0,0,{},{},SETTLEMENT,2026-06-15 08:00:00"
    found = export(row.format("BUY", "-0.3", "-0.3", 9), row.format("SELL", "0.2", "0.2", "9.2"))
    again = export(row.format("SELL", "0.2", "0.2", "9.2"))
    assert sorted(row.quantity for row in union([found.rows, again.rows]).funding) == [
        Decimal("-0.3"),
        Decimal("0.2"),
    ]


def test_rows_that_were_left_out_of_an_export_are_noticed() -> None:
    """Without the middle trade BTC jumps once, from 0.000069775 to 0.0001396, and EUR as well."""
    lines = (HERE / "coins_eu.csv").read_text().splitlines()
    kept = [line for line in lines if "08:22:20" not in line]
    found = read("coins_eu.csv", "\n".join(kept).encode())
    says = (
        "rows of {} are missing: its balance jumps 1 times between rows. Export all types of rows, "
        "and each period"
    )
    assert found.findings == (says.format("BTC"), says.format("EUR"))


def test_a_wallet_that_changes_by_more_than_its_parts_is_a_finding() -> None:
    found = page(
        "USDT,ADAUSDT,TRADE,BUY,1,1,0.78,0,-0.13,0,-0.14,10,OPEN,o1,t1,2026-06-01 10:00:00.000",
    )
    (says,) = found.findings
    assert says == (
        "1 rows change the wallet by something else than cash flow and funding less the fee; the "
        "first is row 1. Write the differences by hand"
    )


def test_a_trade_that_moved_something_else_than_its_price_is_a_finding() -> None:
    found = export(
        "SOL,SOLUSDC,TRADE,BUY,2,0,100,0,0,2,2,2,--,2026-06-05 09:00:00",
        "USDC,SOLUSDC,TRADE,BUY,-200.01,0,100,0,0,-200.01,-200.01,0,--,2026-06-05 09:00:00",
    )
    (says,) = found.findings
    assert says == (
        "1 trades moved something else than quantity times price, which is what is booked; the "
        "first is row 1. Write the differences by hand"
    )


def test_a_new_field_is_told() -> None:
    assert read("a.json", answer(displayType="x")).new == ("displayType",)
    header = f"{PAGE_HEADER},Note"
    assert read("a.csv", f"{header}\n".encode()).new == ("Note",)


BOUGHT = "SOL,SOLUSDC,TRADE,BUY,2,0,100,0,0,2,2,2,--,2026-06-05 09:00:00"
PAID = "USDC,SOLUSDC,TRADE,BUY,-200,0,100,0,0,-200,-200,0,--,2026-06-05 09:00:00"
OPENED = "USDT,BTCUSDT,TRADE,BUY,0.01,0.01,50000,0,-0.3,0,-0.3,10,OPEN,2026-06-05 09:00:00"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([BOUGHT], "row 1: of a trade of coins only the half in SOL is there. Export all coins"),
        ([PAID], "row 1: of a trade of coins only the half in USDC is there. Export all coins"),
        ([BOUGHT, PAID, PAID.replace(",0,--", ",9,--")], "row 3: of a trade of coins only"),
        (
            [BOUGHT, BOUGHT.replace("SOL,", "SOL,", 1).replace(",2,2,2,", ",-2,-2,2,")],
            "row 2 is not the other half of the trade in row 1. Download the file again",
        ),
        (
            [BOUGHT.replace(",0,2,2,2", ",-0.1,2,1.9,2"), PAID.replace("0,0,-200", "0,-1,-200")],
            "row 1 and row 2, halves of a trade, both have a fee. Write that trade by hand",
        ),
        ([BOUGHT.replace("BUY", "LONG"), PAID], "row 1: side: 'LONG' is no direction"),
        ([OPENED.replace("50000", "0")], "row 1: price and quantity of a trade are above 0"),
        ([OPENED.replace("BUY", "--")], "row 1: a trade has no direction. Download the file again"),
        ([OPENED.replace("-0.3,0", '"-1,000.3",0')], "row 1: fee: '-1,000.3' is no number"),
        ([OPENED.replace("50000", "=1+1")], "row 1: price: '=1+1' is no number"),
        ([OPENED.replace("USDT,", ",", 1)], "row 1: the row has no coin. Export the"),
        ([OPENED.replace("USDT,", "US/DT,", 1)], "row 1: coin: 'US/DT' is no coin. Export the"),
        ([OPENED.replace("09:00:00", "25:00:00")], "row 1: '2026-06-05 25:00:00' is no time"),
        ([OPENED, OPENED.replace("10,OPEN", "1e99,OPEN")], "row 2: balance: '1e99' has more than"),
        ([OPENED.replace("USDT,", "USDC,", 1)], "row 1: BTCUSDT is paid in USDC, not in USDT."),
        ([f"{OPENED},1"], "row 1 has 16 cells under a header of 15. Save the file as the venue"),
        (
            ["USDT,,TRANSFER_IN,--,0,0,0,0,0,-5,-5,0,--,2026-06-05 09:00:00"],
            "row 1: TRANSFER_IN changes the wallet by -5. Download the file again",
        ),
        (
            ["USDT,,TRANSFER_OUT,--,--,--,--,--,--,--,--,0,--,2026-06-05 09:00:00"],
            "row 1: TRANSFER_OUT changes the wallet by 0. Download the file again",
        ),
        (
            ["USDT,ADAUSDT,SETTLEMENT,BUY,--,1,--,1,-1,0,0,0,SETTLEMENT,2026-06-05 09:00:00"],
            "row 1: a settlement has a fee. Write the fee by hand and take the row out",
        ),
        ([OPENED.replace("TRADE", "TRADE\x1b[31m")], "row 1: type: 'TRADE\\x1b[31m' is no type"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_right_is_refused(rows: list[str], says: str) -> None:
    with pytest.raises(Misread, match=re.escape(says)):
        export(*rows)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (answer(tradePrice=...), "row 1 has no tradePrice. Save answers of"),
        (answer(transactionTime="1672121182"), "'1672121182' is no time in milliseconds"),
        (answer(qty=True), "row 1: quantity: True is no number. Write it as 1234.56"),
        (answer(qty=None), "row 1: quantity: None is no number. Write it as 1234.56"),
        (answer(side=["Buy"]), "row 1: side: ['Buy'] is no direction"),
        (answer(tradeId={}), "row 1: trade: {} is no trade. Export the transaction log"),
        (answer(symbol=[]), "row 1: symbol: [] is no symbol. Export the transaction log"),
        (b'{"retCode": 10003}', "an answer has the code '10003' and no list of rows. Ask for"),
        (b'{"retCode": 0, "result": {}}', "an answer has the code '0' and no list of rows"),
        (b'{"retCode": 0, "result": {"list": [1]}}', "'1' is no row. Save answers of"),
        (b"[[]]", "[] is no row. Save answers of /v5/account/transaction-log"),
        (b'"x"', "'x' is no row"),
        (b'{"a": 1}', "row 1 has no cashBalance, cashFlow, category, change, currency,"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_right_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Misread, match=re.escape(says)):
        read("answer.json", data)


def test_a_third_half_is_refused() -> None:
    row = "{},SOLUSDC,TRADE,BUY,{},0,100,0,{},{},{},2,--,o,t,2026-06-05 09:00:00"
    with pytest.raises(
        Misread, match=r"row 3 is a third half of the trade in row 1, as of a fee in"
    ):
        page(
            row.format("SOL", 2, 0, 2, 2),
            row.format("USDC", -200, 0, -200, -200),
            row.format("MNT", 0, -1, 0, -1),
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the header is '' and lacks Currency, Contract, Type"),
        ("UID: 1,Company Name: ,Country: \n", "the header is '' and lacks Currency"),
        ("a,b\n1,2\n", "the header is 'a,b' and lacks Currency, Contract"),
        (PAGE_HEADER.replace(",Time", ""), "and lacks one column Time or Time(UTC). Export the"),
        (f"{PAGE_HEADER},Time(UTC)", "and lacks one column Time or Time(UTC)"),
        (PAGE_HEADER.replace("Change", "Funding"), "the header has 'Funding' twice"),
        (
            "UID: 1\nUid,Date & Time(UTC),Coin,QTY,Type,Account Balance,Description\n",
            "it is the log of the funding account, another wallet than the unified account's.",
        ),
        (f'{PAGE_HEADER}\n"a', "it is no CSV (unexpected end of data)"),
    ],
)
def test_a_file_that_is_no_log_is_refused(text: str, says: str) -> None:
    with pytest.raises(Misread, match=re.escape(says)):
        read("log.csv", text.encode())


def test_a_file_may_begin_with_a_mark_and_end_its_lines_in_any_way() -> None:
    text = (HERE / "coins_eu.csv").read_text()
    for ends in ("\n", "\r\n"):
        for mark in ("", "\ufeff"):
            data = (mark + text.replace("\n", ends)).encode()
            assert read("coins_eu.csv", data) == read("coins_eu.csv", text.encode())


def test_a_venue_that_a_feed_may_name_is_in_the_catalog() -> None:
    assert tuple(VENUES) == feeds.VENUES
    assert not VENUES["bybit"].fetches


def test_files_with_and_without_numbers_have_no_day_in_common() -> None:
    """The same trade is in both: nothing says that it is one, so it would be booked twice."""
    numbered = "USDT,BTCUSDT,TRADE,BUY,0.01,0.01,50000,0,-0.3,0,-0.3,10,OPEN,o,t,"
    first, second = page(f"{numbered}2026-06-05 09:00:00.123"), export(OPENED)
    with pytest.raises(
        Misread,
        match=re.escape(
            "log.csv and AssetChangeDetails_uta_1_0.csv both have rows of 2026-06-05, the latter "
            "without numbers of trades, so that nobody knows which rows are the same. Keep one of "
            "the two kinds of files for each day, and move the other one away"
        ),
    ):
        VENUES["bybit"].refuse([second, first])
    VENUES["bybit"].refuse([page(f"{numbered}2026-06-06 00:00:00.000"), second, second])


@pytest.mark.parametrize(
    ("symbol", "market"),
    [
        ("BTC/EUR", Market("BTC", "EUR", contract=False)),
        ("BTC/USDT", Market("BTC", "USDT", contract=False)),
        ("BTCUSDT", Market("BTC-USDT-PERP", "USDT", contract=True)),
        ("BTCPERP", Market("BTC-PERP", "USDC", contract=True)),
        ("1000PEPEUSDT", Market("X1000PEPE-USDT-PERP", "USDT", contract=True)),
        ("PERPUSDT", Market("PERP-USDT-PERP", "USDT", contract=True)),
        ("XAUTUSDT", Market("GOLD-PERP", "USDT", contract=True)),
    ],
)
def test_a_symbol_is_a_market(symbol: str, market: Market) -> None:
    symbols = BybitSymbols({"XAUTUSDT": "GOLD-PERP"})
    assert symbols.market(symbol) == market
    assert symbols.market(symbol) == market


@pytest.mark.parametrize(
    "symbol",
    ["BTCUSD", "ETHUSD", "BTC-27SEP24", "BTCUSDT-27SEP24", "BTC-27MAR26-120000-C-USDT", ""],
)
def test_contracts_of_other_kinds_are_not_booked(symbol: str) -> None:
    says = (
        f"{symbol!r} is a market of a kind that is not booked. Only perpetual contracts in USDT "
        "(BTCUSDT) or USDC (BTCPERP), and coins, are"
    )
    with pytest.raises(Misread, match=re.escape(says)):
        BybitSymbols({}).market(symbol)


def test_two_symbols_are_not_one_commodity() -> None:
    symbols = BybitSymbols({"LUNA2": "LUNA"})
    assert symbols.coin("LUNA") == "LUNA"
    with pytest.raises(Misread, match=r"'LUNA' and 'LUNA2' are both LUNA. Say in the ledger which"):
        symbols.coin("LUNA2")


@pytest.mark.parametrize("symbol", ["", "A B", "BTC\n", "é", "TRUE", "A" * 33])
def test_a_symbol_that_is_no_commodity_wants_a_name(symbol: str) -> None:
    with pytest.raises(Misread, match=r"is no name of a commodity\. Say in the ledger which"):
        BybitSymbols({}).coin(symbol)
