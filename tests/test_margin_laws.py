"""The laws of margin, on drawn ledgers and on drawn standings.

Profiles: HYPOTHESIS_PROFILE=soak draws many more than the default, where conftest.py defines it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from beancount import loader
from beancount.core import data
from beancount.parser import printer
from click.testing import CliRunner
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from margin_oracle import Picture, Text, excess, figures, shown

from usance import ledger, margin_reports, settlement
from usance.amounts import Coin
from usance.cli import main
from usance.liquidation_price import liquidation_price
from usance.margin import Asset, Debt, Position, Standing, evaluate, repriced
from usance.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers

START = date(2025, 5, 1)
COINS = {"USDC": "0.000001", "USDT": "0.01", "SOL": "", "ETH": "0.0001"}
"""Quanta, as declared; none where it is the default. ETH is only ever held at cost."""
WORTH = {"USDC": "1", "USDT": "0.99", "SOL": "150", "ETH": "2500"}
MARKETS = {
    "BTC-PERP": ("USDT", "", "60000"),
    "ETH-SOL": ("SOL", "ETH", "17"),
    "SOL-FUT": ("USDC", "SOL", "151"),
    "SOL-PERP": ("USDC", "SOL", "150"),
}
"""Settle coin, underlying, and a mark to begin with."""
CENT = Fraction(1, 100)
LISTS = ("collateral_assets", "positions", "borrows")
QUIET = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def share(part: float) -> settings:
    """Draw a part of the profile's examples."""
    return settings(QUIET, max_examples=max(5, int(settings().max_examples * part)))


# Drawn ledgers


@dataclass
class Drawn:
    """A ledger that is being drawn, as blocks of text.

    lots    what is open, by sub-account and market, oldest first
    splits  blocks that open a position, with the same position in two lots
    """

    draw: st.DrawFn
    operating: str
    days: int
    subs: tuple[str, ...]
    blocks: list[str] = field(default_factory=list)
    splits: dict[int, str] = field(default_factory=dict)
    open: defaultdict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    marks: dict[tuple[str, int], Decimal] = field(default_factory=dict)

    def date(self, day: int) -> date:
        return START + timedelta(days=day)

    def one(self, *values: Any) -> Any:  # noqa: ANN401
        return self.draw(st.sampled_from(values))

    def add(self, day: int, head: str, *lines: str) -> None:
        body = "".join(f"  {line}\n" for line in lines if line)
        self.blocks.append(f"{self.date(day)} {head}\n{body}")

    def number(self, most: int, places: int = 2) -> Decimal:
        """Draw a number above zero."""
        return Decimal(self.draw(st.integers(1, most * 10**places))).scaleb(-places)

    def text(self, *, split: bool = False) -> str:
        head = f'option "operating_currency" "{self.operating}"\n'
        head += 'option "tolerance_multiplier" "0"\nplugin "usance.plugins"\n'
        head += 'include "posted/*.beancount"\n'
        blocks = [
            self.splits.get(place, block) if split else block
            for place, block in enumerate(self.blocks)
        ]
        return head + "".join(blocks)

    def names(self) -> dict[str, str]:
        return {name: f"B:{name}" for name in self.subs}


def draw_terms(drawn: Drawn, *, in_full: bool) -> None:
    """Draw sub-accounts, pools, collateral and contracts, and some later changes of them."""
    for coin, quantum in COINS.items():
        if quantum:
            drawn.add(0, f"commodity {coin}", f"quantum: {quantum}")
    for name in drawn.subs:
        limit = drawn.one("", "10", "3", "7.5", "50")
        drawn.add(
            0,
            f'custom "sub-account" "{name}" Assets:B:{name}',
            f"auto-lend: {drawn.one('TRUE', 'FALSE')}",
            "auto-borrow: TRUE",
            f"leverage-limit: {limit}" if limit else "",
        )
        for account, booking in (
            (f"Assets:B:{name}:Wallet", ' "FIFO"'),
            (f"Assets:B:{name}:Perp", ' "FIFO"'),
            (f"Income:B:{name}:PnL", ""),
            (f"Expenses:B:{name}:Fees", ""),
        ):
            drawn.add(0, f"open {account}{booking}")
    drawn.add(0, "open Assets:Bank")
    for coin in sorted({*COINS, drawn.operating}):
        drawn.add(0, f'custom "lending-pool" "{coin}"', 'rates: "observed"')
        drawn.add(0, f'custom "lending-rate" "{coin}" {drawn.one("0 0", "0.0156 0.0310", "1 2")}')
        for day in (0, 1) if drawn.one(False, False, True) else (0,):
            if coin != drawn.operating or drawn.one(True, False):
                draw_collateral(drawn, coin, day, in_full=in_full)
    for market in MARKETS:
        for day in (0, 2) if drawn.one(False, False, True) else (0,):
            draw_contract(drawn, market, day)


def draw_margins(drawn: Drawn, *, least: str = "0") -> tuple[str, ...]:
    return (
        f"initial-margin: {drawn.one('0.02', '0.1', '0.5', least)}",
        drawn.one("", "initial-margin-factor: 0.000075", "initial-margin-factor: 0.003"),
        f"maintenance-margin: {drawn.one('0.0135', '0.05', least)}",
        drawn.one("", "maintenance-margin-factor: 0.0000375", "maintenance-margin-factor: 0.002"),
    )


def draw_collateral(drawn: Drawn, coin: str, day: int, *, in_full: bool) -> None:
    lines = drawn.one(
        ("weight: 1",),
        ("weight: 0.95",),
        ("weight: 0",),
        ('weight-function: "inverse-sqrt"', "weight: 0.95", "base: 1.1", "penalty: 0.01"),
        ('weight-function: "inverse-sqrt"', "weight: 0.9", "base: 1.1", "penalty: 0.3"),
        ('weight-function: "tiers"', 'tiers: "1 to 100, 0.9 to 1000.5, 0.33 to 4000, 0 above"'),
    )
    venue = drawn.one("", 'venue: "B"')
    lines = ("weight: 1",) if in_full else lines
    drawn.add(day, f'custom "collateral" "{coin}"', *lines, *draw_margins(drawn), venue)


def draw_contract(drawn: Drawn, market: str, day: int) -> None:
    settle, under, _ = MARKETS[market]
    time = 'time: "13:30"' if day else ""
    drawn.add(
        day,
        f'custom "perpetual" "{market}"',
        f"settle: {settle}",
        f'underlying: "{under}"' if under else "",
        *draw_margins(drawn),
        time,
    )


def draw_prices(drawn: Drawn) -> None:
    """Draw a price and a mark a day; an operating currency in which only dollars are quoted."""
    quote = "USD" if drawn.operating == "EUR" else drawn.operating
    for day in range(drawn.days):
        if day == 0 or drawn.one(True, False):
            if quote != drawn.operating:
                drawn.add(day, f"price {quote} {drawn.one('0.9', '0.912345', '1.2')} EUR")
        for coin, worth in WORTH.items():
            if coin != drawn.operating and (day == 0 or drawn.one(True, False)):
                price = Decimal(worth) * drawn.draw(st.integers(70, 140)) / 100
                drawn.add(day, f"price {coin} {price:f} {quote}")
        for market, (settle, _, mark) in MARKETS.items():
            moved = Decimal(mark) * drawn.draw(st.integers(70, 140)) / 100
            drawn.marks[market, day] = moved
            drawn.add(day, f"price {market} {moved:f} {settle}")


def draw_trade(drawn: Drawn, day: int, time: str, sub: str, market: str, kind: str) -> None:
    """Draw a trade: open more, close a part or all, or turn the position round."""
    settle = MARKETS[market][0]
    held = drawn.open[sub, market]
    price = drawn.marks[market, day] * drawn.draw(st.integers(95, 105)) / 100
    sign = (1 if held > 0 else -1) if held else drawn.one(1, -1)
    opened = closed = Decimal(0)
    if kind == "open" or not held:
        opened = sign * drawn.number(40 if WORTH.get(settle) != "0.99" else 2)
    if held and kind != "open":
        part = drawn.draw(st.integers(1, int(abs(held) * 100)))
        closed = -held if kind in ("close", "turn") else -sign * Decimal(part) / 100
        opened = -sign * drawn.number(10) if kind == "turn" else opened
    perp = f"Assets:B:{sub}:Perp"
    stamp = [f'time: "{time}"'] if time else []
    ends = [f"{perp}  {-(opened + closed) * price:f} {settle}"]
    if closed:
        stamp.append(f"{perp}  {closed} {market} {{}} @ {price:f} {settle}")
        ends.append(f"Income:B:{sub}:PnL")
    if drawn.one(True, False):
        fee = drawn.number(1)
        ends.append(f"Assets:B:{sub}:Wallet  {-fee} {settle}")
        ends.append(f"Expenses:B:{sub}:Fees  {fee} {settle}")
    whole, halves = [], []
    if opened:
        first = Decimal(drawn.draw(st.integers(0, int(abs(opened) * 100)))) / 100
        first = first if opened > 0 else -first
        whole = [f"{perp}  {opened} {market} {{{price:f} {settle}}}"]
        halves = [
            f'{perp}  {part} {market} {{{price:f} {settle}, "{label}"}}'
            for part, label in ((first, "first"), (opened - first, "second"))
            if part
        ]
    drawn.open[sub, market] += opened + closed
    place = len(drawn.blocks)
    drawn.add(day, f'* "{kind}"', *stamp, *halves, *ends)
    drawn.splits[place] = drawn.blocks.pop()
    drawn.add(day, f'* "{kind}"', *stamp, *whole, *ends)


def draw_spot(drawn: Drawn, day: int, time: str, sub: str) -> None:
    """Draw a deposit, a withdrawal, a sale or a purchase of coins."""
    wallet = f"Assets:B:{sub}:Wallet"
    coin = drawn.one("USDC", "USDT", "SOL", drawn.operating)
    amount = drawn.number(20 if coin == "SOL" else 3000, 4)
    kind = drawn.one("deposit", "deposit", "withdraw", "sell", "buy at cost")
    lines = {
        "deposit": (f"{wallet}  {amount} {coin}", "Assets:Bank"),
        "withdraw": (f"{wallet}  {-amount} {coin}", "Assets:Bank"),
        "sell": (f"{wallet}  -2.5 SOL @ 120 USDC", f"{wallet}  300 USDC"),
        "buy at cost": (f"{wallet}  0.3 ETH {{2400 USDC}}", f"{wallet}  -720 USDC"),
    }[kind]
    drawn.add(day, f'* "{kind}"', f'time: "{time}"' if time else "", *lines)


@st.composite
def ledgers(draw: st.DrawFn, *, in_full: bool = False, closing: bool = False) -> Drawn:
    """Draw a ledger without errors in which contracts are traded.

    in_full  every coin counts with weight 1
    closing  on the last day all positions are closed
    """
    operating = draw(st.sampled_from(("USDC", "USD", "EUR")))
    subs = draw(st.sampled_from((("Main",), ("Main",), ("Arb", "Main"))))
    drawn = Drawn(draw, operating, draw(st.integers(2, 5)), subs)
    draw_terms(drawn, in_full=in_full)
    draw_prices(drawn)
    for sub in subs:
        for coin in ("USDC", "SOL"):
            drawn.add(0, '* "First deposit"', f"Assets:B:{sub}:Wallet  {drawn.number(4000)} {coin}", "Assets:Bank")
    for day in range(drawn.days):
        for time in sorted(draw(st.lists(st.sampled_from(("", "10:00", "23:30")), max_size=3))):
            sub = draw(st.sampled_from(subs))
            if draw(st.booleans()):
                market = draw(st.sampled_from(sorted(MARKETS)))
                draw_trade(drawn, day, time, sub, market, drawn.one("open", "part", "close", "turn"))
            else:
                draw_spot(drawn, day, time, sub)
    if closing:
        for (sub, market), held in sorted(drawn.open.items()):
            if held:
                draw_trade(drawn, drawn.days - 1, "23:59", sub, market, "close")
    drawn.add(drawn.days, f'custom "accrue-through" {drawn.date(drawn.days - 1)}')
    return drawn


def made(folder: str, text: str) -> Path:
    """Write a ledger and its folder of closed days."""
    posted = Path(folder, "posted")
    posted.mkdir(parents=True, exist_ok=True)
    (posted / "first.beancount").write_text("; Closed days come here.\n")
    path = Path(folder, "main.beancount")
    path.write_text(text)
    return path


def load(text: str) -> ledger.Ledger:
    """Load a ledger that has no errors; findings are no errors."""
    with TemporaryDirectory() as folder:
        book = ledger.load(str(made(folder, text)))
    assert [error.message for error in book.errors] == []
    return book


def generated(book: ledger.Ledger) -> list[data.Transaction]:
    return [
        entry
        for entry in book.entries
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
    ]


def evenings(book: ledger.Ledger) -> Iterator[tuple[date, dict[str, Any]]]:
    """Yield what `usance margin` answers for each day, by sub-account."""
    reading = book.read()
    assert reading.book.first is not None
    for day in range(reading.book.first, reading.horizon + 1):
        seen = margin_reports.evening(reading, day)
        answer = margin_reports.margin(reading, seen, {})
        yield date.fromordinal(day), {row["name"]: row for row in answer["sub_accounts"]}


# The engine and the oracle


def compare(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare every figure that the oracle has, to the last digit."""
    for key, value in expected.items():
        if key not in LISTS:
            assert row[key] == shown(value), key
            continue
        assert len(row[key]) == len(value)
        for line, figure in zip(row[key], value, strict=True):
            for name, number in figure.items():
                text = number if isinstance(number, str) else shown(number)
                if name == "quantity":
                    assert Fraction(line[name]) == number
                else:
                    assert line[name] == text, (key, name)


def check_price(picture: Picture, market: str, price: str | None) -> str:
    """Look for a nearer root than a liquidation price, and whether it is one."""
    mark = picture.marks(market)
    is_long = picture.contracts[market] > 0
    left = excess(picture)
    if left <= 0:
        assert price == shown(mark)
        return "in breach"
    if price is None:
        far = Fraction(1, 10**9) if is_long else mark * 10**5
        tried = [mark + (far - mark) * step / 24 for step in range(1, 25)]
        tried += [] if is_long else [mark * 2**step for step in range(1, 16)]
        assert all(excess(picture.moved(market, other)) > 0 for other in tried)
        return "no liquidation price"
    found = Fraction(price)
    assert (found < mark) if is_long else (found > mark)
    assert found > 0
    # 28 digits of a price; what moves by it is at most some 10^8.
    assert abs(excess(picture.moved(market, found))) < Fraction(1, 10**9)
    tried = [mark + (found - mark) * step / 32 for step in range(1, 32)]
    assert all(excess(picture.moved(market, other)) > 0 for other in tried)
    return "long liquidated" if is_long else "short liquidated"


def check_settlements(book: ledger.Ledger, text: Text, names: dict[str, str], day: date) -> Counter[str]:
    """What is paid is what is due, in every settle coin; borrowed or repaid is what it causes."""
    count: Counter[str] = Counter()
    for name, root in names.items():
        before = text.picture(root, name, day, "settlement", "margin", "liquidation")
        after = text.picture(root, name, day)
        paid: defaultdict[str, Fraction] = defaultdict(Fraction)
        for entry in generated(book):
            if entry.meta["usance"] == f"settlement/{day}/{name}":
                for leg in entry.postings:
                    assert leg.units is not None
                    if leg.account.endswith(":Wallet"):
                        paid[leg.units.currency] += Fraction(leg.units.number)
        coins = sorted({*before.perp, *(MARKETS[market][0] for market in before.contracts)})
        for coin in coins:
            due = text.due(before, coin)
            assert paid.pop(coin, Fraction(0)) == due
            count["settled"] += due != 0
            if due > 0:
                idle = min(after.wallet[coin], after.borrowed[coin])
                assert coin == "ETH" or idle < text.quantum(coin)
        assert paid == {}
        for coin, held in after.wallet.items():
            assert held >= 0, coin
        count["owes after a settlement"] += any(after.borrowed[coin] > 0 for coin in coins)
    return count


def check_memorandum(book: ledger.Ledger, day: date, name: str, row: dict[str, Any]) -> None:
    """Uses:Margin is the initial margin to a cent, where exposed; its proof says the figures."""
    held = Fraction(0)
    for entry in generated(book):
        for leg in entry.postings if entry.date <= day else ():
            if leg.account == f"Equity:B:{name}:Uses:Margin":
                assert leg.units is not None
                held += Fraction(leg.units.number)
        if entry.meta["usance"] == f"margin/{day}/{name}":
            meta = entry.postings[0].meta or {}
            told = {key: meta[key] for key in meta if key not in ("filename", "lineno")}
            if told:
                keys = ("net_equity", "exposure", "initial_margin", "maintenance_margin")
                assert told == {key.replace("_", "-"): row[key] for key in keys}
            else:
                assert row["exposure"] == "0"
    assert held == round(Fraction(row["initial_margin"]) / CENT) * CENT


def test_the_engine_and_the_oracle_agree_to_the_last_digit() -> None:
    """Goal: every figure of every evening. Method: two programs, and a count of what happened."""
    total: Counter[str] = Counter()

    @share(0.6)
    @given(ledgers())
    def agree(drawn: Drawn) -> None:
        book = load(drawn.text())
        text = Text(book.entries, book.options)
        happened: Counter[str] = Counter()
        for day, rows in evenings(book):
            happened += check_settlements(book, text, drawn.names(), day)
            for name, row in rows.items():
                picture = text.picture(drawn.names()[name], name, day)
                compare(row, figures(picture))
                check_memorandum(book, day, name, row)
                for position in row["positions"]:
                    happened[check_price(picture, position["market"], position["liquidation_price"])] += 1
                    happened["several positions"] += len(row["positions"]) > 1
                happened["owes"] += bool(row["borrows"])
        for name in +happened:
            event(name)
        total.update(dict.fromkeys(+happened, 1))

    agree()
    print(total)


