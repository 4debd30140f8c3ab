"""Ledgers for the measurements, written as text into a folder."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

COINS = ("USDC", "USDT", "SOL", "ETH", "BTC")
FIRST = date(2020, 1, 1)
YEAR = 365
HEADER = 'option "operating_currency" "USDC"\noption "tolerance_multiplier" "0"\n'
"""What both books begin with, the one with our plugin and the one that has its days as text."""


@dataclass(frozen=True, slots=True)
class Book:
    """A ledger whose days the plugin generates.

    sub_accounts, coins  each sub-account holds each of the coins and lends them all
    days                 to generate, from `first` on
    hourly               the rates of each coin come from a file with a row for each hour
    posted               the ledger includes the folder of posted days, and no day is virtual
    deposits             coins put into each wallet on each day behind the first; "" is none
    """

    sub_accounts: int
    coins: int
    days: int
    first: date = FIRST
    hourly: bool = False
    posted: bool = False
    deposits: str = ""

    @property
    def names(self) -> list[str]:
        """Of its sub-accounts."""
        return [f"S{number:02}" for number in range(self.sub_accounts)]

    def day(self, number: int) -> date:
        """Return a day by its number, 0 is the first."""
        return self.first + timedelta(days=number)


def write(book: Book, folder: Path) -> Path:
    """Write the ledger and its rates files; return the ledger's path."""
    folder.mkdir(parents=True)
    coins = COINS[: book.coins]
    lines = [HEADER, 'plugin "usance.plugins"\n']
    if book.posted:
        lines.append('include "posted/*.beancount"\n')
        (folder / "posted").mkdir()
        (folder / "posted" / "first.beancount").write_text("; Posted days.\n")
    for coin in coins:
        lines += _terms(book, coin)
        if book.hourly:
            _write_rates(book, coin, folder / "rates")
    lines.append(f"{book.first} open Assets:Bank\n")
    for name in book.names:
        lines += [
            f'{book.first} custom "sub-account" "{name}" Assets:Backpack:{name}\n',
            "  auto-lend: TRUE\n",
            f"{book.first} open Assets:Backpack:{name}:Wallet\n",
        ]
    for name in book.names:
        lines += [_deposit(book.first, name, _opening(name, coin), coin) for coin in coins]
        if book.deposits:
            for number in range(1, book.days):
                lines += [_deposit(book.day(number), name, book.deposits, coin) for coin in coins]
    if not book.posted:
        lines.append(f'{book.first} custom "accrue-through" {book.day(book.days - 1)}\n')
    ledger = folder / "main.beancount"
    ledger.write_text("".join(lines))
    return ledger


def _terms(book: Book, coin: str) -> list[str]:
    supply = 40_000 - 5_000 * COINS.index(coin)
    rate = f'"rates/{coin.lower()}.csv"' if book.hourly else f"0.{supply:06} 0.06"
    return [
        f"{book.first} commodity {coin}\n",
        f"  quantum: {'0.000001' if coin.startswith('USD') else '0.00000001'}\n",
        f'{book.first} custom "lending-pool" "{coin}"\n',
        '  rates: "observed"\n',
        f'{book.first} custom "lending-rate" "{coin}" {rate}\n',
    ]


def _opening(name: str, coin: str) -> str:
    draw = random.Random(name + coin)  # noqa: S311, no secret
    if coin.startswith("USD"):
        return f"{draw.randrange(1_000, 100_000)}.{draw.randrange(10**6):06}"
    return f"{draw.randrange(1, 100)}.{draw.randrange(10**8):08}"


def _deposit(day: date, name: str, number: str, coin: str) -> str:
    return (
        f'{day} * "Deposit"\n'
        f"  Assets:Backpack:{name}:Wallet  {number} {coin}\n"
        f"  Assets:Bank  -{number} {coin}\n"
    )


def _write_rates(book: Book, coin: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    draw = random.Random(coin)  # noqa: S311, no secret
    rows = ["time_utc,supply_apr,borrow_apr\n"]
    for number in range(book.days):
        for hour in range(24):
            supply = draw.randrange(100_000, 600_000)
            rows.append(
                f"{book.day(number)}T{hour:02}:00:00Z,0.{supply:08},0.{supply * 3 // 2:08}\n"
            )
    (folder / f"{coin.lower()}.csv").write_text("".join(rows))


def hledger(accounts: int, days: int) -> dict[str, str]:
    """Return a journal for each account, by account, for a run of hledger-interest each.

    It posts interest only where the account moves, hence a deposit of 0.01 a day.
    """
    journals: dict[str, str] = {}
    for number in range(accounts):
        account = f"Assets:S{number:02}"
        entries = [_entry(FIRST, account, "10000.000000")]
        entries += [
            _entry(FIRST + timedelta(days=day), account, "0.010000") for day in range(1, days + 1)
        ]
        journals[account] = "\n".join(entries)
    return journals


def _entry(day: date, account: str, number: str) -> str:
    return f"{day} Deposit\n    {account}  {number} USDC\n    Assets:Bank\n"


PRICES = {"USDT": 1, "SOL": 100, "ETH": 2000, "BTC": 40000}
TRADED = ("SOL", "ETH", "BTC")


def traded(book: Book) -> Iterator[str]:
    """Yield what makes the sub-accounts of a book trade, and what they lend earn twice."""
    first = book.first
    for coin in ("USDC", "USDT"):
        yield (
            f'{first} custom "yield-product" "{coin}-T"\n  asset: "{coin}"\n'
            '  source: "observed"\n  payout: "monthly"\n'
            f'{first} custom "treasury-rate" "{coin}-T" 0.04\n'
        )
    for coin in PRICES:
        yield f'{first} custom "collateral" "{coin}"\n  weight: 0.9\n'
    for coin in TRADED:
        yield (
            f'{first} custom "perpetual" "{coin}-PERP"\n  settle: USDC\n  underlying: "{coin}"\n'
            "  initial-margin: 0.02\n  maintenance-margin: 0.01\n"
        )
    draw = random.Random("prices")  # noqa: S311, no secret
    for number in range(book.days):
        for coin, price in PRICES.items():
            now = f"{price * (200 + draw.randrange(-9, 10)) / 200:.4f}"
            yield f"{book.day(number)} price {coin} {now} USDC\n"
            if coin in TRADED:
                yield f"{book.day(number)} price {coin}-PERP {now} USDC\n"
    day = first + timedelta(days=1)
    for name in book.names:
        yield f"{first} open Assets:Backpack:{name}:Perp\n"
        for coin in TRADED:
            price = PRICES[coin]
            units = 1000 // price or 1
            yield (
                f'{day} * "Open"\n'
                f"  Assets:Backpack:{name}:Perp  {units} {coin}-PERP {{{price} USDC}}\n"
                f"  Assets:Backpack:{name}:Perp  -{units * price} USDC\n"
            )
