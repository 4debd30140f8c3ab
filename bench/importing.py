"""A year of an active account: imported, against the json module; loaded, against Beancount."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from beancount import loader
from timing import BIN, Row, interleave, output, ratios

from usance.feeding.importing import Request, import_

FIRST = datetime(2025, 1, 1)  # noqa: DTZ001, the venue's times have no zone
PAGE = 1000
FILLS = 34
"""Fills of a day. Beside them are interest of four coins and funding of two contracts."""
LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "imported/*.beancount"
2025-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  interest: "imported"
  auto-lend: TRUE
  auto-borrow: TRUE
2025-01-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
2025-01-01 open Assets:Bank
"""

TERMS = """\
include "posted/*.beancount"
2025-01-01 commodity USDC
  quantum: 0.0000000001
2025-01-01 commodity SOL
  quantum: 0.0000000001
2025-01-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.01
2025-01-01 custom "collateral" "SOL"
  weight: 0.9
2025-01-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-01-01 custom "lending-rate" "SOL" 0.01 0.02
2025-01-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-01-01 custom "lending-rate" "USDC" 0.01 0.02
"""
Feeds = dict[str, list[dict[str, object]]]


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Processor times of one process: rows are read, posted, written as text and read back."""
    days, rounds = (37, 3) if quick else (365, 5)
    books = folder / "importing"
    count, pages = _write(books, _year(days), LEDGER)
    ledger = books / "main.beancount"

    def imports() -> float:
        shutil.rmtree(books / "imported", ignore_errors=True)
        began = time.process_time()
        answer = import_(ledger, Request(), lambda: None)
        spent = time.process_time() - began
        assert sum(answer["rows"].values()) == count
        return spent

    def parses() -> float:
        began = time.process_time()
        for page in pages:
            json.loads(page.read_bytes())
        return time.process_time() - began

    times = interleave(rounds, {"import": imports, "json": parses})
    what = f"import of {count:,} rows / the json module on the same files"
    yield Row(what, ratios(times, "import", "json"), 12)
    yield _loads(folder / "fills", days, rounds)


def _loads(books: Path, days: int, rounds: int) -> Row:
    """Load closed days of nothing but fills with our plugin line, and without it."""
    prices = [
        f"{FIRST + timedelta(day):%Y-%m-%d} price {name} 155 USDC\n"
        for day in range(days + 1)
        for name in ("SOL", "SOL-PERP")
    ]
    feeds = {"deposits": [_deposit()], "fills": [_fill(one, 55) for one in range(55 * days)]}
    count, _ = _write(books, feeds, LEDGER + TERMS + "".join(prices))
    (books / "posted").mkdir()
    (books / "posted" / "first.beancount").write_text("")
    ledger, plain = books / "main.beancount", books / "plain.beancount"
    import_(ledger, Request(), lambda: None)
    last = f"{FIRST + timedelta(days - 1):%Y-%m-%d}"
    output((BIN / "usance", "accrue", ledger, "--through", last))
    plain.write_text(ledger.read_text().replace('plugin "usance.plugins"\n', ""))

    loader.initialize(use_cache=False)

    def load(path: Path) -> float:
        began = time.process_time()
        _, errors, _ = loader.load_file(str(path))
        spent = time.process_time() - began
        assert not errors, errors[0].message
        return spent

    times = interleave(rounds, {"ours": lambda: load(ledger), "plain": lambda: load(plain)})
    what = f"load of {count - 1:,} fills, their days closed / the same text without our plugin line"
    return Row(what, ratios(times, "ours", "plain"), 1.10)


def _year(days: int) -> Feeds:
    """Return the rows of an account that does everything."""
    feeds: Feeds = {
        "deposits": [_deposit()],
        "fills": [_fill(number, FILLS) for number in range(FILLS * days)],
        "funding": [_funding(at, symbol) for at in range(24 * days) for symbol in ("SOL", "BTC")],
        "interest": [
            _interest(at, coin)
            for at in range(24 * days)
            for coin in ("USDC", "SOL", "USDT", "BTC")
        ],
    }
    feeds["borrowLend"] = [_moved(row) for row in feeds["interest"]]
    return feeds


def _write(books: Path, feeds: Feeds, ledger: str) -> tuple[int, list[Path]]:
    """Write a ledger and the pages of its feed; return how many rows they have."""
    (books / "imported").mkdir(parents=True)
    (books / "main.beancount").write_text(ledger)
    pages = []
    for feed, found in feeds.items():
        for begin in range(0, len(found), PAGE):
            path = books / "downloads" / "backpack" / "Main" / feed / f"{begin:09}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found[begin : begin + PAGE]))
            pages.append(path)
    return sum(map(len, feeds.values())), pages


def _at(hours: float) -> str:
    return (FIRST + timedelta(hours=hours)).isoformat(timespec="seconds")


def _deposit() -> dict[str, object]:
    return {
        "id": 1,
        "source": "ethereum",
        "status": "confirmed",
        "symbol": "USDC",
        "quantity": "1000000",
        "createdAt": _at(0),
    }


def _fill(number: int, of_day: int) -> dict[str, object]:
    bid = number % 4 < 2
    return {
        "clientId": None,
        "fee": f"0.{number % 97:06}",
        "feeSymbol": "USDC",
        "isMaker": False,
        "orderId": str(4_000_000_000 + number),
        "price": f"{150 + number % 13}.{number % 89:02}",
        "quantity": f"{1 + number % 7}.5",
        "side": "Bid" if bid else "Ask",
        "symbol": ("SOL_USDC_PERP", "SOL_USDC")[number % 2],
        "systemOrderType": None,
        "timestamp": _at(number * 24 / of_day),
        "tradeId": 1 + number,
    }


def _funding(at: int, symbol: str) -> dict[str, object]:
    return {
        "userId": 1,
        "subaccountId": None,
        "symbol": f"{symbol}_USDC_PERP",
        "quantity": f"{'-' if at % 3 else ''}0.{at % 9973:06}",
        "intervalEndTimestamp": _at(at + 1),
        "fundingRate": "0.0000125",
    }


def _interest(at: int, coin: str) -> dict[str, object]:
    return {
        "paymentType": "Lend",
        "interestRate": f"0.0{at % 7919:06}",
        "interval": 3_600_000,
        "marketSymbol": coin,
        "positionId": "123456",
        "quantity": f"0.{at % 99991:010}",
        "symbol": coin,
        "timestamp": _at(at + 1),
    }


def _moved(row: dict[str, object]) -> dict[str, object]:
    return {
        "eventType": "Lend",
        "positionId": row["positionId"],
        "positionQuantity": "1000.5",
        "quantity": row["quantity"],
        "source": "Interest",
        "symbol": row["symbol"],
        "timestamp": row["timestamp"],
        "spotMarginOrderId": None,
    }
