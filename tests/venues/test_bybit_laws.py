"""LAWS of Bybit's log: what any account leaves in its log comes to the balances that it had.

A small venue of its own keeps a wallet and one contract, with results by its average entry, and
writes what happened in all three shapes. It shares no code with the program.
"""

import csv
import datetime
import io
import json
import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from usance.model.feeds import IGNORED, Feed
from usance.model.hours import day_of
from usance.model.problems import Source
from usance.venues.books import Account, Accounts, Posted
from usance.venues.bybit.log import read
from usance.venues.bybit.symbols import BybitSymbols
from usance.venues.posting import post
from usance.venues.row_set import union

START = datetime.datetime(2025, 11, 3, 9, tzinfo=datetime.UTC)
FINE = Decimal("0.00000001")

FEED = Feed(
    "Main", "bybit", day_of(START.date()), "Assets:Bank", "Assets:Bank", "", None, True, IGNORED,
    Source("main.beancount", 1),
)  # fmt: skip
OURS = ("wallet", "perp", "accrued_yield", "borrowed")
ACCOUNTS = Accounts(
    *(f"Assets:Bybit:Main:{name}" if name in OURS else name for name in Accounts._fields)
)

Row = dict[str, Any]


class SmallVenue:
    """An account with USDT, SOL and the contract SOLUSDT; each method adds rows to its log."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.balances = {"USDT": Decimal(0), "SOL": Decimal(0)}
        self.position = self.paid_in = self.told = Decimal(0)
        self.clock = 0

    def wait(self, seconds: int) -> None:
        self.clock += seconds

    def line(self, coin: str, kind: str, **fields: Any) -> None:  # noqa: ANN401
        figures = {"cash": 0, "funding": 0, "fee": 0, "qty": 0, "price": 0, **fields}
        change = Decimal(figures["cash"]) + Decimal(figures["funding"]) - Decimal(figures["fee"])
        self.balances[coin] += change
        self.rows.append(
            {"symbol": "", "side": 0, "action": "--", "number": 0}
            | figures
            | {"coin": coin, "kind": kind, "change": change, "at": self.clock}
            | {"balance": self.balances[coin], "position": self.position}
        )

    def transfer(self, quantity: Decimal) -> None:
        self.line("USDT", "TRANSFER_IN" if quantity > 0 else "TRANSFER_OUT", cash=quantity)

    def interest(self, quantity: Decimal) -> None:
        self.line("USDT", "INTEREST", cash=-quantity)

    def pay_funding(self, quantity: Decimal) -> None:
        self.line("USDT", "SETTLEMENT", funding=quantity, symbol="SOLUSDT", side=1)

    def trade(self, quantity: Decimal, price: Decimal) -> None:
        """Trade contracts: what closes is one row, what opens another."""
        held = self.position
        closing = Decimal(0)
        if held * quantity < 0:
            closing = max(quantity, -held) if quantity < 0 else min(quantity, -held)
        for part, action in ((closing, "CLOSE"), (quantity - closing, "OPEN")):
            if part:
                self._part(part, price, action)

    def _part(self, part: Decimal, price: Decimal, action: str) -> None:
        cash = Decimal(0)
        if action == "CLOSE":
            share = (self.paid_in * -part / self.position).quantize(FINE)
            cost = self.paid_in if self.position + part == 0 else share
            cash = -part * price - cost
            self.paid_in -= cost
        else:
            self.paid_in += part * price
        self.position += part
        side, self.told = (1 if part > 0 else -1), self.told + 1
        self.line(
            "USDT", "TRADE", symbol="SOLUSDT", side=side, qty=abs(part), price=price,
            fee=abs(part) * price / 2000, action=action, cash=cash, number=int(self.told),
        )  # fmt: skip

    def swap(self, quantity: Decimal, price: Decimal) -> None:
        """Trade SOL for USDT: the fee is part of what comes in."""
        side, self.told = (1 if quantity > 0 else -1), self.told + 1
        comes = abs(quantity) if side > 0 else abs(quantity) * price
        fees = (comes / 1000, Decimal(0)) if side > 0 else (Decimal(0), comes / 1000)
        for coin, cash, fee in zip(
            ("SOL", "USDT"), (quantity, -quantity * price), fees, strict=True
        ):
            self.line(
                coin, "TRADE", symbol="SOLUSDT", side=side, qty=cash, price=price, fee=fee,
                cash=cash, number=int(self.told),
            )  # fmt: skip


def moment(row: Row) -> datetime.datetime:
    return START + datetime.timedelta(seconds=row["at"])


def as_csv(rows: list[Row], *, numbered: bool) -> bytes:
    head = "Currency,Contract,Type,Direction,Quantity,Position,Filled Price,Funding,Fee Paid"
    names = [*head.split(","), "Cash Flow", "Change", "Wallet Balance", "Action"]
    names += ["OrderId", "TradeId", "Time"] if numbered else ["Time(UTC)"]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(names)
    for row in rows:
        cells = [
            row["coin"], row["symbol"], row["kind"], {1: "BUY", -1: "SELL", 0: "--"}[row["side"]],
            row["qty"], row["position"], row["price"], row["funding"], -row["fee"], row["cash"],
            row["change"], row["balance"], row["action"],
        ]  # fmt: skip
        number = row["number"] or "--"
        more = [number, number] if numbered else []
        table.writerow([*cells, *more, f"{moment(row):%Y-%m-%d %H:%M:%S}"])
    return out.getvalue().encode()


def as_json(rows: list[Row]) -> bytes:
    categories = {"OPEN": "linear", "CLOSE": "linear", "--": "spot"}
    found = [
        {
            "currency": row["coin"],
            "symbol": row["symbol"],
            "type": row["kind"],
            "side": {1: "Buy", -1: "Sell", 0: "None"}[row["side"]],
            "category": categories[row["action"]],
            "qty": str(row["qty"]),
            "tradePrice": str(row["price"]),
            "funding": str(row["funding"]),
            "fee": str(row["fee"]),
            "cashFlow": str(row["cash"]),
            "change": str(row["change"]),
            "cashBalance": str(row["balance"]),
            "size": str(row["position"]),
            "orderId": str(row["number"] or ""),
            "tradeId": str(row["number"] or ""),
            "transactionTime": str(int(moment(row).timestamp()) * 1000),
        }
        for row in rows
    ]
    return json.dumps({"retCode": 0, "result": {"list": found}}).encode()


def booked(*files: tuple[str, bytes]) -> tuple[Posted, list[str]]:
    pages = [read(name, data) for name, data in files]
    account = Account(
        FEED,
        union(page.rows for page in pages),
        BybitSymbols({}),
        ACCOUNTS,
        {},
        lambda _: True,
        lambda _day, _second: True,
    )
    return post([account]), [text for page in pages for text in page.findings]


def held(posted: Posted) -> dict[str, Decimal]:
    """Return what the account has: its wallet, its contracts, less its debts."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for draft in posted.drafts:
        for leg in draft.legs:
            if leg.account.startswith("Assets:Bybit:"):
                sums[leg.commodity] += leg.number
    return {coin: number for coin, number in sums.items() if number}


QUANTITIES = st.integers(1, 40).map(lambda n: Decimal(n) / 4)
SIGNED = st.tuples(QUANTITIES, st.sampled_from([1, -1])).map(lambda two: two[0] * two[1])
PRICES = st.integers(50, 70).map(Decimal)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("transfer"), SIGNED),
        st.tuples(st.just("interest"), QUANTITIES),
        st.tuples(st.just("pay_funding"), SIGNED),
        st.tuples(st.just("trade"), SIGNED, PRICES),
        st.tuples(st.just("swap"), SIGNED, PRICES),
        st.tuples(st.just("wait"), st.integers(1, 40_000)),
    ),
    min_size=1,
    max_size=25,
)


def lived(events: list[tuple[Any, ...]]) -> SmallVenue:
    """Return the venue after events, each in a second of its own, with no contract left open."""
    venue = SmallVenue()
    for name, *values in events:
        getattr(venue, name)(*values)
        venue.wait(1)
    if venue.position:
        venue.trade(-venue.position, Decimal(60))
    return venue


@given(EVENTS)
def test_the_books_come_to_the_balances_of_the_log(events: list[tuple[Any, ...]]) -> None:
    """LAW: in each shape, what is booked of a whole log is what the venue says is left."""
    venue = lived(events)
    left = {coin: number for coin, number in venue.balances.items() if number}
    for name, data in (
        ("a.csv", as_csv(venue.rows, numbered=False)),
        ("a.csv", as_csv(venue.rows, numbered=True)),
        ("a.json", as_json(venue.rows)),
    ):
        posted, findings = booked((name, data))
        assert findings == []
        assert held(posted) == left


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_books_do_not_depend_on_the_order_and_cut_of_rows(
    events: list[tuple[Any, ...]], chance: random.Random
) -> None:
    """LAW: files that overlap at will, their rows in any order, are the whole log."""
    rows = lived(events).rows
    whole, _ = booked(("whole.csv", as_csv(rows, numbered=False)))
    files = []
    seconds = sorted({row["at"] for row in rows})
    cut = chance.choice(seconds) if seconds else 0
    overlap = chance.choice(seconds) if seconds else 0
    for low, high in ((0, max(cut, overlap)), (min(cut, overlap), 10**9)):
        part = [row for row in rows if low <= row["at"] <= high]
        chance.shuffle(part)
        files.append((f"{low}.csv", as_csv(part, numbered=False)))
    chance.shuffle(files)
    parts, _ = booked(*files)
    assert parts.drafts == whole.drafts


@given(st.lists(QUANTITIES, min_size=3, max_size=20), st.data())
def test_a_row_that_is_missing_is_noticed(quantities: list[Decimal], data: st.DataObject) -> None:
    """LAW: without a row between two others of its coin, its balance jumps once."""
    rows = lived([("transfer", quantity) for quantity in quantities]).rows
    left_out = data.draw(st.integers(1, len(rows) - 2))
    kept = rows[:left_out] + rows[left_out + 1 :]
    _, findings = booked(("a.csv", as_csv(kept, numbered=False)))
    (finding,) = findings
    assert finding.startswith("rows of USDT are missing: its balance jumps 1 times between rows.")
