"""Profit and loss against trades with published results: a venue's own and those of other tools."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from usance.cli import main

HEAD = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
2025-01-01 commodity USDC
  quantum: 0.000001
2025-01-01 custom "sub-account" "Main" Assets:B:Main
2025-01-01 custom "perpetual" "X-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0125
2025-01-01 open Assets:Bank
2025-01-01 open Assets:B:Main:Wallet "{booking}"
2025-01-01 open Assets:B:Main:Perp "{booking}"
2025-01-01 open Income:B:Main:PnL
2025-01-01 open Income:B:Main:Funding
2025-01-01 open Expenses:B:Main:Fees
2025-01-01 * "Deposit"
  Assets:B:Main:Wallet   10000 USDC
  Assets:Bank
"""

Fill = tuple[str, str]
"""Signed quantity and price."""


def traded(fills: Sequence[Fill], *, coin: bool = False) -> str:
    """Write fills, one a day from 2 January on, and a price for each day; what they pay in PnL."""
    text, wallet = "", "Assets:B:Main:Wallet"
    held = Decimal(0)
    for day, (quantity, price) in enumerate(fills, 2):
        number = Decimal(quantity)
        closes = held * number < 0
        held += number
        name, account = ("X", wallet) if coin else ("X-PERP", "Assets:B:Main:Perp")
        lot = f"{{}} @ {price} USDC" if closes else f"{{{price} USDC}}"
        text += f'2025-01-{day:02} * "Fill"\n  {account}  {quantity} {name} {lot}\n'
        text += f"  {account}  {-number * Decimal(price):f} USDC\n"
        text += "  Income:B:Main:PnL\n" if closes else ""
        text += f"2025-01-{day:02} price {name} {price} USDC\n"
    return text


def pnl(folder: Path, text: str, *, booking: str = "FIFO") -> Any:  # noqa: ANN401
    path = folder / "main.beancount"
    ledger = HEAD.format(booking=booking) + text
    path.write_text(f'{ledger}2025-01-31 custom "accrue-through" 2025-01-31\n')
    done = CliRunner().invoke(main, ["pnl", str(path), "--format", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def row_of(answer: Any, name: str) -> Any:  # noqa: ANN401
    [row] = [row for row in answer["rows"] if row["instrument"] == name]
    return row


def by_fill(answer: Any) -> list[Decimal]:  # noqa: ANN401
    """Return what each closing fill realised, in order."""
    sums: dict[str, Decimal] = {}
    for trade in answer["trades"]:
        sums[trade["closed"]] = sums.get(trade["closed"], Decimal(0)) + Decimal(trade["result"])
    return [sums[day] for day in sorted(sums)]


ONETICK = [("20", "5"), ("30", "4"), ("-15", "3"), ("50", "10"), ("-18", "7"), ("-6", "9")]
"""otp.Source.pnl_realized, onetick-py 1.126.0: realised -30, 49 and 30 by its sells."""

FIFOCOUNT = [("12", "120"), ("-3", "150"), ("-5", "180"), ("2", "190"), ("-6", "210")]
"""kippisone/fifocount, README: profits of 90, 300 and 400."""

BACKPACK = [
    *(("0.00037", "106235.4"), ("-0.00037", "106308.8"), ("-0.00037", "103593.2")),
    *(("0.00017", "103776.6"), ("0.0002", "103778.0")),
]
"""Fills of BTC_USDC_PERP on 3 and 4 November 2025 with the results that Backpack showed, +0.03 and
-0.07: merdanaslan/backpack-exchange-reads, ALGORITHM.md."""


@pytest.mark.parametrize("coin", [False, True], ids=["contract", "coin"])
@pytest.mark.parametrize(
    ("fills", "results"),
    [(ONETICK, [-30, 49, 30]), (FIFOCOUNT, [90, 300, 400])],
    ids=["onetick", "fifocount"],
)
def test_fifo(fills: list[Fill], results: list[int], tmp_path: Path, *, coin: bool) -> None:
    answer = pnl(tmp_path, traded(fills, coin=coin))
    assert by_fill(answer) == results
    row = row_of(answer, "X" if coin else "X-PERP")
    assert Decimal(row["realised"]) == sum(results)
    # What is left is worth its last price: result = all that was got, less all that was paid.
    cash = sum(-Decimal(quantity) * Decimal(price) for quantity, price in fills)
    worth = sum(Decimal(quantity) for quantity, _ in fills) * Decimal(fills[-1][1])
    assert Decimal(row["result"]) == cash + worth


def test_a_long_and_a_short_of_a_venue(tmp_path: Path) -> None:
    answer = pnl(tmp_path, traded(BACKPACK))
    long, *short = (Decimal(trade["result"]) for trade in answer["trades"])
    assert long == Decimal("0.027158")
    assert sum(short) == Decimal("-0.068138")
    # As the venue shows them, to two decimals.
    assert [round(number, 2) for number in (long, sum(short))] == [
        Decimal("0.03"),
        Decimal("-0.07"),
    ]


@pytest.mark.parametrize(("booking", "cost"), [("FIFO", 23), ("LIFO", 31)])
def test_cost_of_goods_sold(booking: str, cost: int, tmp_path: Path) -> None:
    """FinCal 0.6.3 (CRAN), cogs: 2 at 2, 3 at 3, 5 at 5, of which 7 are sold."""
    text = traded([("2", "2"), ("3", "3"), ("5", "5"), ("-7", "10")], coin=True)
    row = row_of(pnl(tmp_path, text, booking=booking), "X")
    assert Decimal(row["realised"]) == 7 * 10 - cost
    # Left over: 38 - 23 = 15 by FIFO, 7 by LIFO.
    left = 38 - cost
    assert Decimal(row["entry_price"]) * 3 == pytest.approx(left, abs=Decimal("1e-20"))
    assert Decimal(row["unrealised_change"]) == 3 * 10 - left


def test_average_cost_is_not_booked_by_beancount(tmp_path: Path) -> None:
    path = tmp_path / "main.beancount"
    path.write_text(HEAD.format(booking="AVERAGE") + traded([("2", "2"), ("-1", "3")], coin=True))
    done = CliRunner().invoke(main, ["pnl", str(path)])
    assert done.exit_code == 1
    assert "AVERAGE" in done.stderr


def test_an_open_position_of_a_venue(tmp_path: Path) -> None:
    """Backpack's answer in ccxt's backpack.ts: 0.0036 ETH for 13.7768, marked at 3787.46813304.

    Two lots, at 3828 and 3826, come to that cost.
    """
    fills = traded([("0.0016", "3828"), ("0.0020", "3826")])
    paid = """\
2025-01-04 * "Funding and fees"
  contract: "X-PERP"
  Expenses:B:Main:Fees      0.006889 USDC
  Income:B:Main:Funding     0.009218 USDC
  Assets:B:Main:Wallet     -0.016107 USDC
2025-01-05 price X-PERP 3787.46813304 USDC
"""
    row = row_of(pnl(tmp_path, fills + paid), "X-PERP")
    assert row["entry_price"] == "3826.888888888888888888888889"
    assert row["unrealised_change"] == "-0.141914721056"
    assert (row["funding"], row["fees"]) == ("-0.009218", "-0.006889")
    # At the break-even price of the venue nothing is left.
    paid = paid.replace("3787.46813304", "3831.363055555555555555555556")
    even = row_of(pnl(tmp_path, fills + paid), "X-PERP")
    assert abs(Decimal(even["result"])) < Decimal("1e-24")
