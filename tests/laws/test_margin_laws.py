"""The laws of margin, on drawn ledgers and on drawn standings.

Profiles: HYPOTHESIS_PROFILE=soak draws many more than the default, where conftest.py defines it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from beancount.core import data
from beancount.parser import printer
from click.testing import CliRunner
from hypothesis import HealthCheck, event, given, reject, settings
from hypothesis import strategies as st
from margin_oracle import Picture, Terms, Text, excess, figures, judge, pictures, shown, standing

from usance.books import Books
from usance.cli import main
from usance.ledger import load as ledger
from usance.model.amounts import FIGURE, PRECISE, Coin
from usance.model.hours import days
from usance.reports.figures import plain
from usance.rules import settlement
from usance.rules.liquidation_price import liquidation_price
from usance.rules.margin import Margin, evaluate

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
POSTED_TO = re.compile(r"^  ((?:Assets|Income|Expenses):\S+)", re.MULTILINE)
OPENED = re.compile(r"\{[0-9]")
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


@dataclass(repr=False)
class Drawn:
    """A ledger that is being drawn, as blocks of text.

    lots    what is open, by sub-account and market, oldest first
    splits  blocks that open a position, with the same position in two lots
    gifts   days on which something leaves a sub-account
    """

    draw: st.DrawFn
    operating: str
    days: int
    subs: tuple[str, ...]
    blocks: list[str] = field(default_factory=list)
    splits: dict[int, str] = field(default_factory=dict)
    gifts: set[tuple[date, str]] = field(default_factory=set)
    open: defaultdict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    marks: dict[tuple[str, int], Decimal] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"a ledger:\n{self.text()}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG002
        printer.text(repr(self))

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
        for account in sorted(set(POSTED_TO.findall("".join(self.blocks)))):
            fifo = ' "FIFO"' if account.endswith((":Perp", ":Wallet")) else ""
            head += f"{START} open {account}{fifo}\n"
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
        if quote != drawn.operating and (day == 0 or drawn.one(True, False)):
            drawn.add(day, f"price {quote} {drawn.one('0.9', '0.912345', '1.2')} EUR")
        for coin, worth in WORTH.items():
            if coin != drawn.operating and (day == 0 or drawn.one(True, False)):
                price = Decimal(worth) * drawn.draw(st.integers(70, 140)) / 100
                drawn.add(day, f"price {coin} {price:f} {quote}")
        for market, (settle, _, mark) in MARKETS.items():
            moved = Decimal(mark) * drawn.draw(st.integers(70, 140)) / 100
            moved += Decimal(drawn.one("0", "0.5", "0.123", "0.0000000005"))
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
    if kind == "withdraw":
        drawn.gifts.add((drawn.date(day), sub))
    drawn.add(day, f'* "{kind}"', f'time: "{time}"' if time else "", *lines)


@st.composite
def ledgers(
    draw: st.DrawFn, *, in_full: bool = False, closing: bool = False, simulated: bool = False
) -> Drawn:
    """Draw a ledger without errors in which contracts are traded.

    in_full    every coin counts with weight 1
    closing    on the last day all positions are closed
    simulated  a breach is liquidated, and nobody closes anything by hand
    """
    operating = draw(st.sampled_from(("USDC", "USD", "EUR")))
    subs = draw(st.sampled_from((("Main",), ("Main",), ("Arb", "Main"))))
    drawn = Drawn(draw, operating, draw(st.integers(2, 5)), subs)
    draw_terms(drawn, in_full=in_full)
    draw_prices(drawn)
    if simulated:
        drawn.add(0, 'custom "liquidation" "simulate"')
    kinds = ("open",) if simulated else ("open", "part", "close", "turn")
    for sub in subs:
        for coin in ("USDC", "SOL"):
            drawn.add(
                0,
                '* "First deposit"',
                f"Assets:B:{sub}:Wallet  {drawn.number(4000)} {coin}",
                "Assets:Bank",
            )
    for day in range(drawn.days):
        for time in sorted(draw(st.lists(st.sampled_from(("", "10:00", "23:30")), max_size=3))):
            sub = draw(st.sampled_from(subs))
            if draw(st.booleans()):
                market = draw(st.sampled_from(sorted(MARKETS)))
                draw_trade(drawn, day, time, sub, market, drawn.one(*kinds))
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
    answers = Books(book)
    for day in days(reading.book.first, reading.horizon):
        rows = plain(answers.margin(date.fromordinal(day)).sub_accounts)
        yield date.fromordinal(day), {row["name"]: row for row in rows}


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


def check_settlements(
    book: ledger.Ledger, text: Text, names: dict[str, str], day: date
) -> Counter[str]:
    """What is paid is what is due, in every settle coin; borrowed or repaid is what it causes."""
    count: Counter[str] = Counter()
    for name, root in names.items():
        before = text.picture(root, name, day, "settlement", "margin", "liquidation")
        after = text.picture(root, name, day, "liquidation")
        paid: defaultdict[str, Fraction] = defaultdict(Fraction)
        for entry in generated(book):
            if entry.meta["usance"] == f"settlement/{day}/{name}":
                for leg in entry.postings:
                    assert leg.units is not None
                    assert leg.units.number is not None
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
                assert leg.units.number is not None
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


class Findings:
    """What must be found: breaches on the first day of each run, givers on their day."""

    def __init__(self, gifts: set[tuple[date, str]]) -> None:
        self.gifts = gifts
        self.found: list[tuple[str, str]] = []
        self.running: set[str] = set()

    def evening(self, day: date, name: str, expected: Mapping[str, Any]) -> None:
        breached = expected["exposure"] > 0 and (
            expected["net_equity"] <= expected["maintenance_margin"]
        )
        if breached and name not in self.running:
            self.found.append((name, f"is in breach at the end of {day}"))
        (self.running.add if breached else self.running.discard)(name)
        if (day, name) in self.gifts and expected["available_equity"] < 0:
            self.found.append((name, f"moved this out and ends {day}"))


FOUND = re.compile(
    r'finding: sub-account "(\w+)" (is in breach at the end of \S+|moved this out and ends \S+)'
)


def found_in(book: ledger.Ledger) -> list[tuple[str, str]]:
    """Return breaches and givers among the findings; prices may be old too."""
    matches = (FOUND.match(finding.message) for finding in book.findings)
    return sorted((match[1], match[2].rstrip(":")) for match in matches if match)


def test_the_engine_and_the_oracle_agree_to_the_last_digit() -> None:
    """Goal: every figure of every evening. Method: two programs, and a count of what happened."""
    total: Counter[str] = Counter()

    @share(4)
    @given(ledgers())
    def agree(drawn: Drawn) -> None:
        book = load(drawn.text())
        text = Text(book.entries, book.options)
        happened: Counter[str] = Counter()
        findings = Findings(drawn.gifts)
        for day, rows in evenings(book):
            happened += check_settlements(book, text, drawn.names(), day)
            for name, row in rows.items():
                picture = text.picture(drawn.names()[name], name, day)
                expected = figures(picture)
                compare(row, expected)
                check_memorandum(book, day, name, row)
                findings.evening(day, name, expected)
                for position in row["positions"]:
                    market, price = position["market"], position["liquidation_price"]
                    happened[judge(picture, market, price)] += 1
                happened["several positions"] += len(row["positions"]) > 1
                coins = {MARKETS[position["market"]][0] for position in row["positions"]}
                happened["several settle coins"] += len(coins) > 1
                happened["owes"] += bool(row["borrows"])
                happened["bankrupt"] += Decimal(row["net_equity"]) <= 0
        assert found_in(book) == sorted(findings.found)
        closing = [block for block in drawn.blocks if "{} @" in block]
        happened["closed by hand"] += bool(closing)
        happened["turned round"] += any(OPENED.search(block) for block in closing)
        happened["found"] += bool(findings.found)
        happened["operating currency apart"] += drawn.operating != "USDC"
        for name in +happened:
            event(name)
        total.update(dict.fromkeys(+happened, 1))

    agree()
    least = {
        "settled": 20,
        "owes": 12,
        "owes after a settlement": 10,
        "in breach": 4,
        "bankrupt": 2,
        "long liquidated": 8,
        "short liquidated": 8,
        "no liquidation price": 3,
        "several positions": 8,
        "several settle coins": 4,
        "found": 4,
        "closed by hand": 8,
        "turned round": 3,
        "operating currency apart": 8,
    }
    assert {name: total[name] for name in least if total[name] < least[name]} == {}


# Laws on drawn ledgers


def balances(book: ledger.Ledger, day: date) -> defaultdict[str, defaultdict[str, Fraction]]:
    """Return what each account holds at the end of a day, by commodity."""
    found: defaultdict[str, defaultdict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for entry in book.entries:
        if isinstance(entry, data.Transaction) and entry.date <= day:
            for leg in entry.postings:
                assert leg.units is not None
                assert leg.units.number is not None
                found[leg.account][leg.units.currency] += Fraction(leg.units.number)
    return found


@share(0.6)
@given(ledgers(in_full=True))
def test_every_coin_counts_once_and_every_use_is_of_the_wallet(drawn: Drawn) -> None:
    """
    Goal: lent coins are not collateral a second time, nor is a result both paid and unsettled.
    Method: where all weights are 1, net equity is what the accounts of assets and liabilities are
    worth, whatever is lent; memoranda are a part of the wallet and sum to zero.
    """
    book = load(drawn.text())
    text = Text(book.entries, book.options)
    for day, rows in evenings(book):
        held = balances(book, day)
        for name, row in rows.items():
            worth = Fraction(0)
            for side in ("Assets", "Liabilities"):
                for account in (key for key in held if key.startswith(f"{side}:B:{name}:")):
                    for commodity, number in held[account].items():
                        settle = MARKETS[commodity][0] if commodity in MARKETS else commodity
                        price = text.price(commodity, settle, day)
                        worth += number * price * text.price(settle, drawn.operating, day)
            assert row["net_equity"] == shown(worth)
            uses = f"Equity:B:{name}:Uses"
            for coin in COINS:
                lent = held[f"{uses}:Lent"][coin]
                assert 0 <= lent <= held[f"Assets:B:{name}:Wallet"][coin]
                assets = {asset["coin"]: asset["lent"] for asset in row["collateral_assets"]}
                assert lent == Fraction(assets.get(coin, 0))
            for currency in {*COINS, drawn.operating}:
                assert (
                    sum(held[f"{uses}:{use}"][currency] for use in ("Lent", "Margin", "Capital"))
                    == 0
                )


def story(book: ledger.Ledger) -> str:
    """Return what is generated, as text, whether it is posted or not."""
    texts = []
    for entry in generated(book):
        opened = data.Transaction(*entry)
        texts.append(printer.format_entry(opened))
    return "\n".join(texts)


@share(0.4)
@given(ledgers())
def test_a_position_in_two_lots_is_the_position(drawn: Drawn) -> None:
    """Goal: margin and settlement see what is open, not how it came. Method: the same bytes."""
    split = load(drawn.text(split=True))
    assert story(split) == story(load(drawn.text()))


@share(0.6)
@given(ledgers(closing=True))
def test_perp_is_empty_to_the_last_digit_after_the_last_close(drawn: Drawn) -> None:
    """Goal: no dust, whatever flips and part closes came before. Method: balances by commodity."""
    book = load(drawn.text())
    last = drawn.date(drawn.days - 1)
    held = balances(book, last)
    for name in drawn.subs:
        assert {key: left for key, left in held[f"Assets:B:{name}:Perp"].items() if left} == {}


def run(*words: str) -> str:
    """Run a command that must succeed; return its standard output."""
    done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
    if "would be posted at line" in done.output:
        reject()
    assert done.exit_code == 0, done.output
    return done.stdout


def posted(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "posted").iterdir())}


def check_closing(drawn: Drawn) -> None:
    """Close days one by one, and at once: the same bytes, and the text of days never closed."""
    with TemporaryDirectory() as daily, TemporaryDirectory() as once:
        path, other = made(daily, drawn.text()), made(once, drawn.text())
        virtual = ledger.load(str(path))
        days = [drawn.date(day) for day in range(drawn.days)]
        then = list(evenings(virtual))
        for closed in days:
            run("accrue", str(path), "--through", str(closed), "--stale-ok")
            book = ledger.load(str(path))
            assert [error.message for error in book.errors] == []
            assert story(book) == story(virtual)
            open_yet = [told for told in found_in(virtual) if told[1][-10:] > str(closed)]
            assert found_in(book) == open_yet
            for day in days:
                assert balances(book, day) == balances(virtual, day)
        assert list(evenings(book)) == then
        run("accrue", str(other), "--through", str(days[-1]), "--stale-ok")
        assert posted(daily) == posted(once)


@share(0.3)
@given(ledgers())
def test_days_closed_one_by_one_or_at_once_or_never_are_the_same(drawn: Drawn) -> None:
    """Goal: what is posted is what is virtual, with positions open over the days in between."""
    check_closing(drawn)


@share(0.2)
@given(ledgers(simulated=True))
def test_so_are_days_with_a_simulated_liquidation(drawn: Drawn) -> None:
    """Goal: the same where the engine itself closes lots, but for those opened that very day."""
    check_closing(drawn)


@share(0.6)
@given(ledgers(simulated=True))
def test_a_simulated_liquidation_ends_the_breach(drawn: Drawn) -> None:
    """
    Goal: no evening ends in breach, and the books still agree with the oracle.
    Method: figures before the first step, between two, and after the last make one chain.
    """
    book = load(drawn.text())
    text = Text(book.entries, book.options)
    steps = 0
    for day, rows in evenings(book):
        check_settlements(book, text, drawn.names(), day)
        for name, row in rows.items():
            after = figures(text.picture(drawn.names()[name], name, day))
            compare(row, after)
            check_memorandum(book, day, name, row)
            assert after["exposure"] == 0 or after["net_equity"] > after["maintenance_margin"]
            before = text.picture(drawn.names()[name], name, day, "liquidation")
            chain = [measured(figures(before))]
            for step in liquidation(book, day, name):
                assert chain[-1][0] <= chain[-1][1], "a step without a breach"
                assert step[0] == chain[-1]
                chain.append(step[1])
                steps += 1
            assert chain[-1] == measured(after)
    event(f"steps: {min(steps, 3)}")


def measured(expected: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Return net equity and maintenance margin, to 28 digits."""
    equity, maintenance = (shown(expected[key]) for key in ("net_equity", "maintenance_margin"))
    return Decimal(equity or 0), Decimal(maintenance or 0)


Measured = tuple[Decimal, Decimal]


def liquidation(book: ledger.Ledger, day: date, name: str) -> Iterator[tuple[Measured, Measured]]:
    """Yield the figures before and after each step of a day."""
    for entry in generated(book):
        if re.fullmatch(f"liquidation/{day}/{name}(/[0-9]+)?", entry.meta["usance"]):
            meta = entry.postings[0].meta or {}
            before, after = (
                (Decimal(meta[f"net-equity-{end}"]), Decimal(meta[f"maintenance-margin-{end}"]))
                for end in ("before", "after")
            )
            yield before, after


# Laws on drawn standings


def prices(picture: Picture) -> list[Decimal | None]:
    """Return the engine's liquidation prices, to 28 digits."""
    held = standing(picture)
    margin = evaluate(held)
    found = [liquidation_price(held, margin, place) for place in range(len(held.positions))]
    return [None if price is None else FIGURE.plus(price) for price in found]


AMOUNTS = (
    "collateral",
    "unsettled_pnl",
    "borrow_liability",
    "net_equity",
    "exposure",
    "initial_margin",
    "maintenance_margin",
    "available_equity",
)


def told(margin: Margin) -> list[Decimal]:
    """Return a margin's figures in the operating currency, with all digits."""
    with localcontext(PRECISE):
        return [getattr(margin, name) for name in AMOUNTS]


def ratios(margin: Margin) -> list[Decimal | None]:
    """Return a margin's ratios, to 28 digits."""
    with localcontext(PRECISE):
        found = [margin.margin_fraction, margin.imr, margin.mmr]
    return [None if ratio is None else FIGURE.plus(ratio) for ratio in found]


def scaled(picture: Picture, size: Fraction, worth: Fraction) -> Picture:
    """
    Return a picture with so many times the coins and contracts, at so many times the price.

    Of the operating currency there are k = size * worth times as many units, for its price is 1;
    what is settled in it moves with that, and a mark in another coin stays. A root of an exposure
    grows by sqrt(k), so a factor must fall by it; a penalty falls by sqrt(size), for the root of a
    weight is of units; bounds of tiers grow by size. So k and size are squares here.
    """
    whole = size * worth

    def in_cash(market: str) -> bool:
        return bool(picture.perpetual(market)["settle"] == picture.operating)

    def grown(held: Mapping[str, Fraction]) -> defaultdict[str, Fraction]:
        times = {coin: whole if coin == picture.operating else size for coin in held}
        return defaultdict(Fraction, {coin: times[coin] * held[coin] for coin in held})

    costs = {
        market: cost * (whole if in_cash(market) else size) for market, cost in picture.cost.items()
    }
    return replace(
        picture,
        wallet=grown(picture.wallet),
        borrowed=grown(picture.borrowed),
        perp=grown(picture.perp),
        contracts=grown(picture.contracts),
        cost=defaultdict(Fraction, costs),
        prices=lambda coin: picture.prices(coin) * (1 if coin == picture.operating else worth),
        marks=lambda market: picture.marks(market) * (worth if in_cash(market) else 1),
        collateral=lambda coin: rescaled(picture.collateral(coin) or {}, whole, size),
        perpetual=lambda market: rescaled(picture.perpetual(market), whole, size),
    )


def rescaled(terms: Terms, whole: Fraction, size: Fraction) -> dict[str, Any]:
    """Return terms for so many times the exposure and so many times the units."""
    grown = dict(terms)
    roots = {"initial-margin-factor": whole, "maintenance-margin-factor": whole, "penalty": size}
    for key in roots.keys() & grown.keys():
        root = Fraction(isqrt(roots[key].numerator), isqrt(roots[key].denominator))
        assert root**2 == roots[key]
        grown[key] = exactly(Fraction(grown[key]) / root)
    if "tiers" in grown:
        tiers = re.split(r"(?<=to )([\d.]+)", grown["tiers"])
        tiers[1::2] = [exactly(Fraction(bound) * size) for bound in tiers[1::2]]
        grown["tiers"] = "".join(tiers)
    return grown


def exactly(number: Fraction) -> str:
    """Return a fraction as decimal text."""
    found = Decimal(number.numerator) / Decimal(number.denominator)
    assert Fraction(found) == number
    return f"{found:f}"


@share(1)
@given(pictures(), st.sampled_from(((4, 1), (100, 1), (1, 4), (4, 25), (16, 4), (400, 100))))
def test_margins_grow_with_quantities_and_prices(picture: Picture, grown: tuple[int, int]) -> None:
    """Goal: nothing depends on the unit, factors and penalties scaled. Method: `scaled`."""
    size, worth = map(Fraction, grown)
    larger = scaled(picture, size, worth)
    before, after = evaluate(standing(picture)), evaluate(standing(larger))
    for small, large in zip(told(before), told(after), strict=True):
        assert FIGURE.plus(large) == FIGURE.plus(PRECISE.multiply(small, int(size * worth)))
    assert after.in_breach == before.in_breach
    assert ratios(after) == ratios(before)
    markets = [position.market for position in standing(picture).positions]
    for market, lower, upper in zip(markets, prices(picture), prices(larger), strict=True):
        moved = worth if picture.perpetual(market)["settle"] == picture.operating else Fraction(1)
        assert (lower is None) == (upper is None)
        if lower is not None and upper is not None:
            assert abs(Fraction(upper) - Fraction(lower) * moved) <= Fraction(upper) / 10**26


@share(0.5)
@given(pictures(), st.integers(1, 400))
def test_a_long_and_a_short_of_one_size_and_mark_have_no_price_risk(
    picture: Picture, percent: int
) -> None:
    """
    Goal: what one market gains the other loses; both are margined, for they are not netted.
    Method: SOL-PERP against SOL-FUT at the same mark, wherever that goes.
    """
    pair = ("SOL-PERP", "SOL-FUT")
    for market in [market for market in picture.contracts if market not in pair]:
        del picture.contracts[market]
    size, mark = Fraction(7), picture.marks("SOL-PERP")
    picture.contracts.update({"SOL-PERP": size, "SOL-FUT": -size})
    picture.cost.update({"SOL-PERP": size * 140, "SOL-FUT": -size * 150})
    level = replace(picture, marks=lambda _: mark)
    moved = replace(picture, marks=lambda _: mark * percent / 100)
    before, after = evaluate(standing(level)), evaluate(standing(moved))
    assert after.net_equity == before.net_equity
    assert len(before.positions) == 2
    alone = figures(replace(level, contracts=defaultdict(Fraction)))["exposure"]
    assert Fraction(before.exposure) == alone + 2 * size * mark


@share(1)
@given(pictures())
def test_settlement_in_a_coin_of_weight_1_changes_neither_equity_nor_price(
    picture: Picture,
) -> None:
    """
    Goal: a settlement moves accounts only, where what it pays counts in full as it did before.
    Method: move what is due in the operating currency from Perp to the wallet, borrow nothing.
    """
    coin = Coin.of("USDC", Decimal("0.000001"), 12)
    before = standing(picture)
    contracts = [(p.quantity, p.mark) for p in before.positions if p.terms.settle == "USDC"]
    balance = coin.to_grains(before.perp.get("USDC", (Decimal(0), Decimal(1)))[0])
    due = Fraction(coin.from_grains(settlement.due(contracts, balance, coin)))
    after = replace(
        picture,
        wallet=defaultdict(Fraction, picture.wallet),
        perp=defaultdict(Fraction, picture.perp),
    )
    after.wallet["USDC"] += due
    after.perp["USDC"] -= due
    then, now = evaluate(before), evaluate(standing(after))
    assert told(then)[2:] == told(now)[2:]
    assert abs(Fraction(now.unsettled_pnl) - sum_in_sol(after)) <= Fraction(1, 10**6)
    assert prices(picture) == prices(after)


def sum_in_sol(picture: Picture) -> Fraction:
    """Return what is unsettled in SOL, in the operating currency."""
    worth = picture.perp["SOL"]
    for market, quantity in picture.contracts.items():
        if picture.perpetual(market)["settle"] == "SOL":
            worth += quantity * picture.marks(market)
    return worth * picture.prices("SOL")


@share(1)
@given(pictures())
def test_standings_and_the_oracle_agree(picture: Picture) -> None:
    """Goal: what drawn ledgers seldom reach. Method: the oracle on drawn standings."""
    margin = evaluate(standing(picture))
    expected = figures(picture)
    found = [FIGURE.plus(amount) for amount in told(margin)]
    assert found == [Decimal(shown(expected[name]) or 0) for name in AMOUNTS]
    assert margin.in_breach == (expected["exposure"] > 0 and excess(picture) <= 0)


@share(0.5)
@given(pictures(), st.integers(0, 10**6))
def test_a_bankrupt_account_is_in_breach(picture: Picture, below: int) -> None:
    """Goal: also where no maintenance margin is asked. Method: take net equity away."""
    picture.wallet["USDC"] -= figures(picture)["net_equity"] + Fraction(below, 100)
    margin = evaluate(standing(picture))
    assert margin.net_equity <= 0
    assert margin.in_breach
    assert (margin.imr, margin.mmr) == (None, None)
    marks = [position.mark for position in standing(picture).positions]
    assert prices(picture) == [FIGURE.plus(mark) for mark in marks]
