"""Drawn ledgers, as text, in which something happens.

A drawn ledger has no errors: what a wallet surely holds is followed from below, and more is taken
out only where the sub-account borrows. Its directives are separate blocks, so that a law can
reorder them, spread them over files, or leave those of one sub-account out.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

HEADER = 'option "operating_currency" "USDC"\noption "tolerance_multiplier" "0"\n'
ALL_STAGES = ("usance.plugins.sub_accounts", "usance.plugins.auto_lending")
EACH_STAGE = ("usance.plugins.auto_lending", "usance.plugins.sub_accounts")

QUANTA = {
    "USDC": Decimal("0.000001"),
    "CENT": Decimal("0.01"),
    "YEN": Decimal(1),
    "BTC": Decimal("0.00000001"),  # the default, not declared
    "WEI": Decimal("0.000000000000000001"),
}
STARTS = (date(2025, 5, 1), date(2024, 2, 27), date(2023, 2, 27), date(2024, 12, 30))
NAMES = ("Main", "Arb", "Desk")
TIMES = ("", "00:00", "00:50", "09:00", "09:00:30", "09:01", "09:59:59", "10:00", "16:20")
LATE = ("22:59", "23:00", "23:00:01", "23:30", "23:59:59")
RATES = ("0", "0.000001", "0.0156", "0.0365", "0.041237", "0.1", "0.25", "1.5")
HOUR = 3600

Moment = tuple[int, int]
"""A day, counted from the first, and a second of it."""


@dataclass(frozen=True)
class Block:
    """One directive: its text, the sub-accounts that it moves, and a deposit in two parts."""

    text: str
    subs: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """A drawn ledger; `str` gives its text."""

    blocks: tuple[Block, ...]
    start: date
    end: date
    plugins: tuple[str, ...] = ALL_STAGES

    def header(self) -> str:
        return HEADER + "".join(f'plugin "{name}"\n' for name in self.plugins)

    def __str__(self) -> str:
        return self.header() + "".join(block.text for block in self.blocks)

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        """Show a ledger that broke a law as its text."""
        printer.text(f'"""\n{self}"""')

    def without(self, sub: str) -> "Ledger":
        """Leave out every transaction of a sub-account."""
        return replace(self, blocks=tuple(b for b in self.blocks if sub not in b.subs))


def second_of(time: str) -> int:
    """Return the second of the day that a time: names; "" is none, the start of the day."""
    parts = [int(part) for part in time.split(":") if part]
    return sum(part * unit for part, unit in zip(parts, (HOUR, 60, 1), strict=False))


@dataclass
class Draft:
    """What is drawn so far, and what each wallet surely holds."""

    draw: st.DrawFn
    start: date
    days: int
    coins: list[str]
    venues: dict[str, str]
    apart: bool
    blocks: list[Block] = field(default_factory=list)
    pools: dict[str, str] = field(default_factory=dict)
    borrows: dict[str, dict[Moment, bool]] = field(default_factory=dict)
    sure: defaultdict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    owing: set[tuple[str, str]] = field(default_factory=set)
    lots: dict[tuple[str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)

    def write(self, moment: Moment, head: str, lines: list[str], *subs: str, time: str) -> str:
        """Add a directive, and return its text."""
        stamp = [f'time: "{time}"'] if time else []
        body = "".join(f"  {line}\n" for line in [*stamp, *lines])
        text = f"{self.start + timedelta(moment[0])} {head}\n{body}"
        self.blocks.append(Block(text, frozenset(subs)))
        return text

    def times(self, most: int, first_day: int = 0) -> list[tuple[Moment, str]]:
        """Draw some moments in order, no two alike."""
        drawn = self.draw(
            st.lists(
                st.tuples(st.integers(first_day, self.days - 1), st.sampled_from(TIMES + LATE)),
                max_size=most,
                unique_by=lambda pair: (pair[0], second_of(pair[1])),
            )
        )
        return sorted(((day, second_of(time)), time) for day, time in drawn)

    def borrows_at(self, sub: str, moment: Moment) -> bool:
        """Whether auto-borrow is on, at the moment and at the full hour from which it counts."""
        counts = (moment[0], -(-moment[1] // HOUR) * HOUR)
        states = self.borrows[sub]
        return all(states[max(at for at in states if at <= by)] for by in (moment, counts))

    def amount(self, coin: str) -> Decimal:
        """Draw an amount, from a few quanta to millions of coins; seldom with dust below it."""
        quantum = QUANTA[coin]
        large = 10**20 if quantum < Decimal("1e-9") else 10**11
        quanta = self.draw(
            st.one_of(st.integers(1, 60), st.integers(10**3, 10**7), st.integers(large, 99 * large))
        )
        dust = self.draw(st.sampled_from((0, 0, 0, 0, 4, 7))) if quantum != Decimal("1e-18") else 0
        return quanta * quantum + dust * quantum / 10


def wallet(draft: Draft, sub: str) -> str:
    return f"Assets:{draft.venues[sub]}:{sub}:Wallet"


def draw_switches(draft: Draft) -> None:
    """Draw the switches of each sub-account, and later changes of them."""
    for sub, venue in draft.venues.items():
        draft.borrows[sub] = {}
        first: list[tuple[Moment, str]] = [((0, 0), "")]
        later = [pair for pair in draft.times(2) if pair[0] > (0, 0)]
        for moment, time in first + later:
            lend = draft.draw(st.sampled_from((True, True, True, True, False, None)))
            borrow = draft.draw(st.sampled_from((True, True, True, True, False, None)))
            repay = draft.draw(st.sampled_from((None, None, True, False)))
            switches = {"auto-lend": lend, "auto-borrow": borrow, "auto-repay": repay}
            lines = [f"{k}: {str(v).upper()}" for k, v in switches.items() if v is not None]
            head = f'custom "sub-account" "{sub}" Assets:{venue}:{sub}'
            draft.write(moment, head, lines, time=time)
            draft.borrows[sub][moment] = bool(borrow)


def draw_pools(draft: Draft) -> None:
    """Draw a pool, or none, for each coin, and its rates or its curve over time."""
    shared = len(set(draft.venues.values())) < len(draft.venues)
    for coin in draft.coins:
        kinds = ["observed", "entry-fee", "curve", "observed", "curve", "entry-fee", "none"]
        if draft.apart and shared:
            kinds = [kind for kind in kinds if kind != "curve"]
        draft.pools[coin] = kind = draft.draw(st.sampled_from(kinds))
        if kind == "curve":
            draw_curve(draft, coin)
        elif kind != "none":
            fee = ["entry-fee: TRUE"] if kind == "entry-fee" else []
            lines = ['rates: "observed"', *fee]
            draft.write((0, 0), f'custom "lending-pool" "{coin}"', lines, time="")
            draw_rates(draft, coin)


def draw_rates(draft: Draft, coin: str) -> None:
    """Draw observed rates: for every venue from the first day, and changes, some for one venue."""
    venues = [None, *sorted(set(draft.venues.values()))]
    first: list[tuple[Moment, str]] = [((0, 0), "")]
    for moment, time in first + [pair for pair in draft.times(4) if pair[0] > (0, 0)]:
        supply, borrow = sorted((draft.draw(st.sampled_from(RATES)) for _ in range(2)), key=Decimal)
        venue = draft.draw(st.sampled_from(venues)) if moment > (0, 0) else None
        lines = [f'venue: "{venue}"'] if venue else []
        draft.write(moment, f'custom "lending-rate" "{coin}" {supply} {borrow}', lines, time=time)


def draw_curve(draft: Draft, coin: str) -> None:
    """Draw a curve, and changes of it and of the rest of the market, some for one venue."""
    venues = [None, *sorted(set(draft.venues.values()))]
    first: list[tuple[Moment, str]] = [((0, 0), "")]
    for moment, time in first + [pair for pair in draft.times(2) if pair[0] > (0, 0)]:
        lent = draft.draw(st.sampled_from((0, 10, 1000, 1_000_000)))
        borrowed = draft.draw(st.sampled_from((0, 6, 600, 850_000)))
        pick = {
            "base-rate": ("0.00", "0.01", "0.02"),
            "slope-1": ("0.04", "0.06"),
            "slope-2": ("0.75", "2.5"),
            "optimal-utilization": ("0.80", "0.65"),
            "fee": ("0.10", "0", "0.1525"),
            "external-lent": (f"{lent} {coin}",),
            "external-borrowed": (f"{borrowed} {coin}",),
        }
        lines = [f"{key}: {draft.draw(st.sampled_from(values))}" for key, values in pick.items()]
        venue = draft.draw(st.sampled_from(venues)) if moment > (0, 0) else None
        lines += [f'venue: "{venue}"'] if venue else []
        head = f'custom "lending-pool" "{coin}"'
        draft.write(moment, head, ['rates: "curve"', *lines], time=time)


def take(draft: Draft, sub: str, coin: str, moment: Moment, amount: Decimal) -> Decimal:
    """Take an amount out of a wallet: all of it where the sub-account borrows, else what it has."""
    key = (sub, coin)
    may_borrow = draft.borrows_at(sub, moment) and draft.pools[coin] != "none"
    taken = amount if may_borrow else min(amount, draft.sure[key])
    if taken > draft.sure[key]:
        draft.owing.add(key)
    draft.sure[key] = max(Decimal(0), draft.sure[key] - taken)
    return taken


def put(draft: Draft, sub: str, coin: str, amount: Decimal) -> None:
    """Put an amount into a wallet; where something is owed, a repayment may take all of it."""
    if (sub, coin) not in draft.owing:
        draft.sure[sub, coin] += amount


def draw_movement(draft: Draft, moment: Moment, time: str) -> None:
    """Draw one transaction of a person."""
    sub = draft.draw(st.sampled_from(sorted(draft.venues)))
    coin = draft.draw(st.sampled_from(draft.coins))
    kinds = ["deposit", "withdraw"] * 4 + ["everything", "trade", "transfer", "sale", "loan"]
    kind = draft.draw(st.sampled_from(kinds))
    here, amount = wallet(draft, sub), draft.amount(coin)
    others = [name for name in sorted(draft.venues) if name != sub]
    if kind == "sale" and (sub, coin) in draft.lots and moment[0] > 0:
        sell_lot(draft, sub, coin, moment, time)
    elif kind == "trade" and len(draft.coins) > 1:
        bought = draft.draw(st.sampled_from([name for name in draft.coins if name != coin]))
        price = draft.draw(st.sampled_from((2, 3)))
        # Beancount adds with 28 digits: no millions of a coin that has 18 decimals.
        most = min(amount, Decimal(10**6)) if bought == "WEI" else amount
        if sold := take(draft, sub, coin, moment, most):
            put(draft, sub, bought, sold * price)
            lines = [f"{here} -{sold:f} {coin} @ {price} {bought}"]
            lines.append(f"{here} {sold * price:f} {bought}")
            draft.write(moment, '* "Trade"', lines, sub, time=time)
    elif kind == "transfer" and others and not draft.apart:
        other = draft.draw(st.sampled_from(others))
        if given := take(draft, sub, coin, moment, amount):
            put(draft, other, coin, given)
            lines = [f"{here} -{given:f} {coin}", f"{wallet(draft, other)} {given:f} {coin}"]
            draft.write(moment, '* "Transfer"', lines, sub, other, time=time)
    elif kind == "loan" and draft.pools[coin] in ("observed", "curve"):
        draft.owing.add((sub, coin))
        owed = here.replace("Assets", "Liabilities").replace("Wallet", "Borrowed")
        amount = amount.quantize(QUANTA[coin]) + QUANTA[coin]
        lines = [f"{here} {amount:f} {coin}", f"{owed} -{amount:f} {coin}"]
        draft.write(moment, '* "Borrow by hand"', lines, sub, time=time)
    elif kind in ("withdraw", "everything"):
        most = draft.sure[sub, coin] if kind == "everything" else amount
        if taken := take(draft, sub, coin, moment, most):
            lines = [f"{here} -{taken:f} {coin}", f"Assets:Bank {taken:f} {coin}"]
            draft.write(moment, '* "Withdraw"', lines, sub, time=time)
    else:
        deposit(draft, sub, coin, moment, time)


def deposit(draft: Draft, sub: str, coin: str, moment: Moment, time: str) -> None:
    """Draw a deposit, which can also be read as two at the same moment."""
    amount, part = draft.amount(coin), draft.amount(coin)

    def text(number: Decimal) -> list[str]:
        return [f"{wallet(draft, sub)} {number:f} {coin}", f"Assets:Bank -{number:f} {coin}"]

    parts = [
        draft.write(moment, '* "Deposit"', text(number), sub, time=time)
        for number in (amount, part)
    ]
    del draft.blocks[-2:]
    whole = draft.write(moment, '* "Deposit"', text(amount + part), sub, time=time)
    draft.blocks[-1] = Block(whole, frozenset({sub}), tuple(parts))
    put(draft, sub, coin, amount + part)


def buy_lots(draft: Draft) -> None:
    """Draw lots bought at cost on the first day, before anything else moves the coin."""
    for sub in sorted(draft.venues):
        for coin in draft.coins:
            if coin != "USDC" and draft.draw(st.integers(0, 3)) == 0:
                units, cost = draft.amount(coin), Decimal(draft.draw(st.integers(1, 9)))
                lines = [f"{wallet(draft, sub)} {units:f} {coin} {{{cost} USDC}}"]
                lines.append(f"Assets:Bank -{units * cost:f} USDC")
                draft.write((0, 0), '* "Buy at cost"', lines, sub, time="")
                draft.lots[sub, coin] = units, cost
                put(draft, sub, coin, units)


def sell_lot(draft: Draft, sub: str, coin: str, moment: Moment, time: str) -> None:
    """Sell a whole lot where the wallet surely can do without it."""
    units, cost = draft.lots[sub, coin]
    if draft.sure[sub, coin] >= units or (
        draft.borrows_at(sub, moment) and draft.pools[coin] != "none"
    ):
        take(draft, sub, coin, moment, units)
        del draft.lots[sub, coin]
        lines = [f"{wallet(draft, sub)} -{units:f} {coin} {{{cost} USDC, {draft.start}}}"]
        lines.append(f"Assets:Bank {units * cost:f} USDC")
        draft.write(moment, '* "Sell the lot"', lines, sub, time=time)


def draw_movements(draft: Draft) -> None:
    """Draw lots, then transactions in order of time; a changed switch may repay what was sure."""
    buy_lots(draft)
    moments = draft.draw(
        st.lists(
            st.tuples(st.integers(0, draft.days - 1), st.sampled_from(TIMES + LATE)),
            min_size=6,
            max_size=16,
        )
    )
    changes = [(at, sub) for sub, states in draft.borrows.items() for at in states]
    first_day = int(bool(draft.lots))
    shifted = [(max(day, first_day), second_of(time), time) for day, time in moments]
    for day, second, time in sorted(shifted):
        for at, sub in changes:
            if (0, 0) < at <= (day, second):
                for key in draft.owing:
                    draft.sure[key] = Decimal(0) if key[0] == sub else draft.sure[key]
        draw_movement(draft, (day, second), time)


def draw_frame(draft: Draft) -> None:
    """Declare coins, open accounts, write some prices, and say where the book ends."""
    before = (-1, 0)
    for coin in draft.coins:
        if coin != "BTC":
            draft.write(before, f"commodity {coin}", [f"quantum: {QUANTA[coin]:f}"], time="")
        for day in draft.draw(st.sets(st.integers(0, draft.days - 1), max_size=2)):
            if coin != "USDC":
                draft.write((day, 0), f"price {coin} 1.50 USDC", [], time="")
    draft.write(before, "open Assets:Bank", [], time="")
    loans = {sub for b in draft.blocks if "Liabilities:" in b.text for sub in b.subs}
    for sub in draft.venues:
        draft.write(before, f"open {wallet(draft, sub)}", [], time="")
        if sub in loans:
            owed = wallet(draft, sub).replace("Assets", "Liabilities").replace("Wallet", "Borrowed")
            draft.write(before, f"open {owed}", [], time="")
    if draft.draw(st.booleans()):
        end = draft.start + timedelta(draft.days - 1)
        draft.write((0, 0), f'custom "accrue-through" {end}', [], time="")
    else:
        draft.write((draft.days, 0), "price USDC 0.9 EUR", [], time="")


@st.composite
def ledgers(draw: st.DrawFn, *, apart: bool = False) -> Ledger:
    """Draw a ledger; `apart` without transfers and without a curve pool that two share."""
    names = NAMES[: draw(st.integers(2 if apart else 1, 3))]
    draft = Draft(
        draw,
        start=draw(st.sampled_from(STARTS)),
        days=draw(st.integers(2, 6)),
        coins=draw(st.lists(st.sampled_from(sorted(QUANTA)), min_size=1, max_size=3, unique=True)),
        venues={name: draw(st.sampled_from(("Backpack", "Bybit"))) for name in names},
        apart=apart,
    )
    draw_switches(draft)
    draw_pools(draft)
    draw_movements(draft)
    draw_frame(draft)
    return Ledger(tuple(draft.blocks), draft.start, draft.start + timedelta(draft.days - 1))
