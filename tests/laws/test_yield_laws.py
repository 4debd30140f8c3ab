"""The laws of yield, on drawn ledgers.

Goal: whatever a person writes, each cent has a source and none is made. Method: Hypothesis draws
ledgers as text, with an observed product and one backed by bills; the engine is compared with the
oracle to the last digit, and laws that need no oracle are checked on the postings alone.
HYPOTHESIS_PROFILE=soak draws many more.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from beancount.core import data
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from yield_books import Books, accrue, closed_folder, header, load, load_file, posted_bytes
from yield_oracle import UNIT, Walk, accreted, period_end

SOAK = 40 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1
NAMES = ("Arb", "Cid", "Main")
STARTS = [date(2024, 2, 27), date(2024, 12, 29), date(2025, 4, 30), date(2025, 5, 28)]
TIMES = ["", "", "00:00:01", "07:30", "12:00", "12:59:59", "22:10", "23:00", "23:00:01", "23:59"]
COINS = ("USDC", "USDT")
PAYOUTS = ["daily", "daily", "weekly", "monthly", "manual"]
PAYOUTS_OF = ("daily", "weekly", "monthly", "manual")
DAYS_OF_PERIOD = st.integers(-1, 9)
TREASURY = "Backpack:Treasury"
BILLS_MOST = 3


def draws(count: int) -> settings:
    return settings(
        max_examples=count * SOAK,
        deadline=None,
        derandomize=SOAK == 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass
class Draft:
    """A ledger that is drawn: blocks of text, and what is surely in each wallet."""

    draw: st.DrawFn
    start: date
    days: int
    subs: list[str]
    quanta: dict[str, str]
    blocks: list[str] = field(default_factory=list)
    sure: defaultdict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )

    def pick(self, *values: str) -> str:
        return self.draw(st.sampled_from(values))

    def day(self, number: int) -> str:
        return str(self.start + timedelta(number))

    def some_day(self, first: int = 0) -> str:
        return self.day(self.draw(st.integers(first, self.days - 1)))

    def write(self, day: str, head: str, *lines: str, time: str = "") -> None:
        stated = [f'time: "{time}"'] if time else []
        body = "".join(f"  {line}\n" for line in [*stated, *lines])
        self.blocks.append(f"{day} {head}\n{body}")


def draw_terms(draft: Draft) -> None:
    first = draft.day(-5)
    for coin, quantum in draft.quanta.items():
        draft.write(first, f"commodity {coin}", f"quantum: {quantum}")
        draft.write(first, f'custom "lending-pool" "{coin}"', 'rates: "observed"')
        draft.write(first, f'custom "lending-rate" "{coin}" {draft.pick("0", "0.0365", "0.9")} 1')
        if draft.draw(st.booleans()):
            rate = f'custom "lending-rate" "{coin}" {draft.pick("0", "0.0412", "0.25")} 1'
            draft.write(draft.some_day(1), rate, time=draft.pick(*TIMES))
    for sub in draft.subs:
        head = f'custom "sub-account" "{sub}" Assets:Backpack:{sub}'
        draft.write(first, head, "auto-lend: TRUE", f"earn: {draft.pick('TRUE', 'TRUE', 'FALSE')}")
        for _ in range(draft.draw(st.integers(0, 2))):
            keys = [f"auto-lend: {draft.pick('TRUE', 'TRUE', 'FALSE')}"]
            keys += draft.draw(st.sampled_from([[], ["earn: FALSE"], ["earn: TRUE"]]))
            day, time = draft.some_day(), draft.pick("06:00", "11:20", "23:30", "00:00:01")
            if not any(f"{day} {head}" in block and time in block for block in draft.blocks):
                draft.write(day, head, *keys, time=time)


def draw_observed(draft: Draft) -> None:
    first = draft.day(-5)
    keys = ['asset: "USDC"', 'source: "observed"', f'payout: "{draft.pick(*PAYOUTS)}"']
    draft.write(first, 'custom "yield-product" "USD"', *keys)
    draft.write(first, f'custom "treasury-rate" "USD" {draft.pick("0.04", "0.0001", "3")}')
    if draft.draw(st.booleans()):
        rate = f'custom "treasury-rate" "USD" {draft.pick("0.0389", "0")}'
        draft.write(draft.some_day(1), rate, time=draft.pick(*TIMES))
    for sub in draft.subs:
        for day in draft.draw(st.sampled_from([[], [first], [first, draft.some_day(1)]])):
            cap = draft.draw(st.sampled_from([[], ["cap: 100 USDC"], ["cap: 0.0000029 USDC"]]))
            draft.write(
                day, f'custom "yield-bonus" "USD" "{sub}" {draft.pick("0.03", "0.5", "0")}', *cap
            )


def draw_bills(draft: Draft) -> None:
    straight = draft.draw(st.booleans())
    keys = [
        'asset: "USDT"',
        'source: "bills"',
        f"bills: Assets:{TREASURY}:Bills",
        f"fee: {draft.pick('0', '0.15', '0.001', '1')}",
        f'payout: "{draft.pick(*PAYOUTS)}"',
        *(['accretion: "straight-line"'] if straight else []),
    ]
    draft.write(draft.day(-5), 'custom "yield-product" "TBill"', *keys)
    capital = [f"Assets:{TREASURY}:Cash  100000000 USDT", "Assets:Bank"]
    draft.write(draft.day(-5), '* "Capital"', *capital)
    for number in range(draft.draw(st.integers(1, BILLS_MOST))):
        draw_bill(draft, f"BILL{number}", straight=straight)


def draw_bill(draft: Draft, name: str, *, straight: bool) -> None:
    """Draw a bill's life: bought, perhaps sold in part, redeemed where it matures in the book."""
    bought = draft.draw(st.integers(0, draft.days - 1))
    length = draft.draw(st.integers(1, 40))
    face = draft.draw(st.sampled_from([1, 777, 50_000, 3_000_001]))
    cost = draft.pick("0.98692", "0.9999", "0.95123456", "1")
    bills, cash = f"Assets:{TREASURY}:Bills", f"Assets:{TREASURY}:Cash"
    draft.write(draft.day(-5), f"commodity {name}", f"maturity: {draft.day(bought + length)}")
    draft.write(draft.day(bought), '* "Buy"', f"{bills}  {face} {name} {{{cost} USDT}}", cash)

    def accretion(part: int, day: int) -> Fraction:
        unit, quantum = Fraction(cost), Fraction(draft.quanta["USDT"])
        values = [
            accreted(unit, Fraction(part), count, length, quantum, straight=straight)
            for count in (0, day)
        ]
        return values[1] - values[0]

    def give(day: int, sold: int, left: int) -> None:
        taken = accretion(sold + left, day - bought) - accretion(left, day - bought)
        exact = Decimal(taken.numerator) / Decimal(taken.denominator)
        draft.write(
            draft.day(day),
            '* "Give up"',
            f"{bills}  -{sold} {name} {{{cost} USDT}}",
            f"Assets:{TREASURY}:Accretion  {-exact:f} USDT",
            f"{cash}  {sold} USDT",
            f"Income:{TREASURY}:PnL",
        )

    last = draft.days - 1
    if face > 1 and bought < last and draft.draw(st.booleans()):
        sale = draft.draw(st.integers(bought + 1, last))
        sold = draft.draw(st.sampled_from([1, face // 3, face - 1]))
        give(sale, sold, face - sold)
        face, bought_after = face - sold, sale
    else:
        bought_after = bought
    redeemed = max(bought + length, bought_after) + draft.draw(st.integers(0, 3))
    if redeemed <= last and draft.draw(st.booleans()):
        give(redeemed, face, 0)


def openings(draft: Draft) -> list[tuple[str, str]]:
    return [(sub, coin) for sub in draft.subs for coin in COINS]


def draw_movements(draft: Draft) -> None:
    moments = draft.draw(
        st.lists(
            st.tuples(st.integers(0, draft.days - 1), st.sampled_from(TIMES)),
            max_size=9,
        )
    )
    for sub, coin in sorted(draft.draw(st.sets(st.sampled_from(openings(draft)), min_size=1))):
        amount = Decimal(draft.pick("100", "250000", "0.07"))
        draft.sure[sub, coin] += amount
        lines = [f"Assets:Backpack:{sub}:Wallet  {amount} {coin}", "Assets:Bank"]
        draft.write(draft.day(0), '* "Begin"', *lines)
    for day, time in sorted(moments):
        sub, coin = draft.pick(*draft.subs), draft.pick(*COINS)
        amount = Decimal(draft.pick("0.01", "33.3333333", "1000", "250000", "0.0000049"))
        sign = 1
        if draft.sure[sub, coin] and draft.draw(st.booleans()):
            sign, amount = -1, min(amount, draft.sure[sub, coin])
        draft.sure[sub, coin] += sign * amount
        lines = [f"Assets:Backpack:{sub}:Wallet  {sign * amount:f} {coin}", "Assets:Bank"]
        draft.write(draft.day(day), '* "Move"', *lines, time=time)


@dataclass(frozen=True)
class Ledger:
    """A drawn ledger."""

    blocks: tuple[str, ...]
    first: date
    last: date
    quanta: dict[str, str]

    def quantum(self, coin: str) -> Fraction:
        return Fraction(self.quanta[coin])

    def __str__(self) -> str:
        return "\n".join(self.blocks)

    def named(self, names: dict[str, str]) -> "Ledger":
        """Return it with other names of sub-accounts, all at once."""
        text = "\0".join(self.blocks)
        for old in names:
            for before, after in ((f'"{old}"', '"<{}>"'), (f"Backpack:{old}", "Backpack:<{}>")):
                text = text.replace(before, after.format(old))
        for old, new in names.items():
            text = text.replace(f"<{old}>", new)
        return replace(self, blocks=tuple(text.split("\0")))


def draw_true_ups(draft: Draft) -> None:
    """Draw payouts that a person writes, of any period and on any day, too much or too little."""
    paid = set()
    for name, coin in (("USD", "USDC"), ("TBill", "USDT")):
        [block] = [block for block in draft.blocks if f'"yield-product" "{name}"' in block]
        [payout] = [word for word in PAYOUTS_OF if f'payout: "{word}"' in block]
        for _ in range(draft.draw(st.integers(0, 2))):
            sub, day = draft.pick(*draft.subs), draft.start + timedelta(draft.draw(DAYS_OF_PERIOD))
            period = period_end(day, payout).isoformat()[: 7 if payout == "monthly" else 10]
            if (name, sub, period) not in paid:
                paid.add((name, sub, period))
                draft.write(
                    draft.some_day(),
                    '* "Paid"',
                    f'pays: "{name} {period}"',
                    f"Assets:Backpack:{sub}:Wallet  {draft.pick('0.01', '12.5')} {coin}",
                    f"Assets:Backpack:{sub}:AccruedYield  -{draft.pick('0.01', '7')} {coin}",
                    f"Income:Backpack:{sub}:Treasury",
                    time=draft.pick(*TIMES),
                )


@st.composite
def ledgers(draw: st.DrawFn, *, true_ups: bool = False) -> Ledger:
    start, count = draw(st.sampled_from(STARTS)), draw(st.integers(2, 10))
    quanta = {"USDC": "0.000001", "USDT": draw(st.sampled_from(["0.01", "0.05", "0.000001"]))}
    draft = Draft(draw, start, count, list(NAMES[: draw(st.integers(1, 3))]), quanta)
    draw_terms(draft)
    draw_observed(draft)
    draw_bills(draft)
    draw_movements(draft)
    if true_ups:
        draw_true_ups(draft)
    last = start + timedelta(count - 1)
    draft.write(draft.day(-5), f'custom "accrue-through" {last}')
    return Ledger(tuple(draft.blocks), start, last, quanta)


def clean(text: str) -> Books:
    return load(text).clean()


# Sums of postings


def posted(books: Books, *kinds: str) -> defaultdict[tuple[date, str, str], Fraction]:
    """Return what the engine moved, by day, account and coin."""
    sums: defaultdict[tuple[date, str, str], Fraction] = defaultdict(Fraction)
    for entry in books.generated(*kinds):
        for leg in entry.postings:
            assert leg.units is not None
            sums[entry.date, leg.account, leg.units.currency] += Fraction(leg.units.number or 0)
    return sums


def running(
    sums: dict[tuple[date, str, str], Fraction], account: str, coin: str, day: date
) -> Fraction:
    return sum(
        (amount for (when, *key), amount in sums.items() if key == [account, coin] and when <= day),
        Fraction(0),
    )


def every_day(ledger: Ledger) -> list[date]:
    return [ledger.first + timedelta(n) for n in range((ledger.last - ledger.first).days + 1)]


def test_the_engine_and_the_oracle_agree_to_the_last_digit() -> None:
    """Goal: every figure of every day. Method: two programs, and a count of what was reached."""
    drawn: Counter[str] = Counter()

    @draws(60)
    @given(ledgers(true_ups=True))
    def agree(ledger: Ledger) -> None:
        note(str(ledger))
        books = clean(str(ledger))
        oracle = Walk(books.entries)
        drawn.update(compare_holders(books, oracle) | compare_products(books, oracle))
        drawn["true-up"] += "pays:" in str(ledger)

    agree()
    seldom = {name: drawn[name] for name in REACHED if drawn[name] < REACHED[name]}
    assert seldom == {}


REACHED = {
    "treasury": 30,
    "bonus": 10,
    "paid": 25,
    "distributed": 15,
    "fee": 15,
    "left over": 15,
    "true-up": 20,
}
"""In how many of the 60 ledgers each must have happened, at least."""


def compare_holders(books: Books, oracle: Walk) -> set[str]:
    sums, paid = posted(books), posted(books, "payout")
    reached = set()
    for (day, sub, coin), earned in oracle.holders.items():
        income, uses = f"Income:Backpack:{sub}", f"Equity:Backpack:{sub}:Uses"
        assert -sums[day, f"{income}:Interest", coin] == earned.lending
        assert -sums[day, f"{income}:Treasury", coin] == earned.treasury
        assert -sums[day, f"{income}:Bonus", coin] == earned.bonus
        assert paid[day, f"Assets:Backpack:{sub}:Wallet", coin] == earned.paid
        assert running(sums, f"{uses}:Lent", coin, day) == earned.lent
        assert running(sums, f"{uses}:Yield", coin, day) == earned.enrolled
        reached |= {
            name
            for name, amount in (
                ("treasury", earned.treasury),
                ("bonus", earned.bonus),
                ("paid", earned.paid),
            )
            if amount
        }
    shown = {day for day, account, _ in sums if account.endswith(":AccruedYield")}
    assert shown <= {day for day, *_ in oracle.holders}
    return reached


def compare_products(books: Books, oracle: Walk) -> set[str]:
    sums = posted(books)
    reached = set()
    for (day, _), kept in oracle.products.items():
        assert sums[day, f"Assets:{TREASURY}:Accretion", "USDT"] == kept.income
        assert sums[day, f"Income:{TREASURY}:Discount", "USDT"] == -kept.income
        assert sums[day, f"Expenses:{TREASURY}:Distributed", "USDT"] == kept.distributed
        assert sums[day, f"Assets:{TREASURY}:Cash", "USDT"] == -kept.paid
        assert sums[day, f"Liabilities:{TREASURY}:Payable", "USDT"] == kept.paid - kept.distributed
        reached |= {
            name
            for name, amount in (
                ("distributed", kept.distributed),
                ("fee", kept.fee),
                ("left over", kept.left_over),
            )
            if amount
        }
    return reached


@draws(25)
@given(ledgers())
def test_each_day_is_conserved(ledger: Ledger) -> None:
    """Goal: income = fee + distributed + left over; accrued = paid + unpaid; nothing unearned.

    Method: postings alone; the fee is worked out from the term, what is left over from the days
    before. It may lie below zero by what the holders' carries hold, a quantum for each at most, and
    by a fee that was rounded up above an income finer than a quantum, on the first day of a bill.
    """
    note(str(ledger))
    books = clean(str(ledger))
    sums = posted(books, "treasury", "payout")
    accrued, paid = posted(books, "treasury"), posted(books, "payout")
    [rate] = [
        Fraction(entry.meta["fee"])
        for entry in books.entries
        if isinstance(entry, data.Custom) and "fee" in entry.meta
    ]
    quantum, left = ledger.quantum("USDT"), Fraction(0)
    subs = sorted(
        {
            entry.values[0].value
            for entry in books.entries
            if isinstance(entry, data.Custom) and entry.type == "sub-account"
        }
    )
    for day in every_day(ledger):
        income = sums[day, f"Assets:{TREASURY}:Accretion", "USDT"]
        distributed = sums[day, f"Expenses:{TREASURY}:Distributed", "USDT"]
        left += income - ceil(income * rate / quantum) * quantum - distributed
        assert left > -(len(subs) + BILLS_MOST) * quantum
        credited = sum(
            (-accrued[day, f"Income:Backpack:{sub}:Treasury", "USDT"] for sub in subs), Fraction(0)
        )
        assert credited == distributed
        given_out = sum(
            (paid[day, f"Assets:Backpack:{sub}:Wallet", "USDT"] for sub in subs), Fraction(0)
        )
        assert given_out == -sums[day, f"Assets:{TREASURY}:Cash", "USDT"]
        owed = Fraction(0)
        for sub in subs:
            for coin in COINS:
                unpaid = running(sums, f"Assets:Backpack:{sub}:AccruedYield", coin, day)
                sources = sum(
                    -running(accrued, f"Income:Backpack:{sub}:{source}", coin, day)
                    for source in ("Treasury", "Bonus")
                )
                out = running(paid, f"Assets:Backpack:{sub}:Wallet", coin, day)
                assert sources == out + unpaid
                assert unpaid >= 0
                owed += unpaid * (coin == "USDT")
        assert running(sums, f"Liabilities:{TREASURY}:Payable", "USDT", day) == -owed


@draws(20)
@given(ledgers())
def test_credits_differ_from_the_booked_weights_by_less_than_a_quantum(ledger: Ledger) -> None:
    """Goal: in any horizon. Method: hours and growth of the proofs, summed and compared daily."""
    note(str(ledger))
    books = clean(str(ledger))
    exact: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    credited: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    last: dict[tuple[str, ...], str] = {}
    for entry in books.generated("treasury"):
        for leg in entry.postings:
            meta = leg.meta or {}
            if "growth" not in meta or not leg.account.endswith(":AccruedYield"):
                continue
            assert leg.units is not None
            key = (leg.account, leg.units.currency, meta["source"])
            quantum = ledger.quantum(leg.units.currency)
            assert meta["carry"] == last.get(key, "0")
            last[key] = meta["carry-after"]
            exact[key] += Fraction(meta["principal-hours"]) * Fraction(meta["growth"])
            credited[key] += Fraction(leg.units.number or 0)
            assert Fraction(0) <= exact[key] - credited[key] < quantum
            assert exact[key] - credited[key] == Fraction(meta["carry-after"])
            assert (exact[key] / quantum * UNIT).denominator == 1


@draws(12)
@given(ledgers(), st.permutations(NAMES))
def test_the_order_of_holders_changes_nothing(ledger: Ledger, others: list[str]) -> None:
    """Goal: no holder comes first. Method: the same book with the names exchanged."""
    names = dict(zip(NAMES, others, strict=True))
    note(str(ledger))

    def figures(books: Books, name: Callable[[str], str]) -> dict[tuple[str, ...], Fraction]:
        return {
            (str(day), *(name(part) for part in account.split(":")), coin): amount
            for (day, account, coin), amount in posted(books).items()
            if amount
        }

    before = figures(clean(str(ledger)), lambda part: names.get(part, part))
    after = figures(clean(str(ledger.named(names))), lambda part: part)
    assert after == before


@draws(12)
@given(ledgers(), st.data())
def test_the_order_of_directives_and_files_changes_nothing(
    ledger: Ledger, chosen: st.DataObject
) -> None:
    note(str(ledger))
    expected = clean(str(ledger)).generated()
    blocks = chosen.draw(st.permutations(ledger.blocks))
    cut = chosen.draw(st.integers(0, len(blocks)))
    shuffled = clean("\n".join(blocks)).generated()
    assert [plain(entry) for entry in shuffled] == [plain(entry) for entry in expected]
    with TemporaryDirectory() as folder:
        main = Path(folder) / "main.beancount"
        for name, part in (("a", blocks[:cut]), ("b", blocks[cut:])):
            (Path(folder) / f"{name}.beancount").write_text("\n".join(part))
        for names in ("ab", "ba"):
            includes = "".join(f'include "{name}.beancount"\n' for name in names)
            main.write_text(header(str(ledger)) + includes)
            books = load_file(main).clean()
            assert [plain(entry) for entry in books.generated()] == [
                plain(entry) for entry in expected
            ]


def plain(entry: data.Transaction) -> tuple[object, ...]:
    """Return a transaction without the places where it stands."""

    def kept(meta: data.Meta | None) -> dict[str, object]:
        return {
            key: text for key, text in (meta or {}).items() if key not in ("filename", "lineno")
        }

    legs = [(leg.account, leg.units, kept(leg.meta)) for leg in entry.postings]
    return entry.date, entry.narration, kept(entry.meta), legs


@draws(10)
@given(ledgers(true_ups=True), st.data())
def test_closed_days_are_the_virtual_ones(ledger: Ledger, chosen: st.DataObject) -> None:
    """Goal: posting changes nothing. Method: through a drawn day at once, and day by day."""
    note(str(ledger))
    virtual = clean(str(ledger)).text()
    every = every_day(ledger)
    through = chosen.draw(st.sampled_from(every))
    with TemporaryDirectory() as folder:
        once, daily = (
            closed_folder(Path(folder) / name, str(ledger)) for name in ("once", "daily")
        )
        accrue(once, str(through))
        for day in every:
            if day <= through:
                accrue(daily, str(day))
        assert posted_bytes(once) == posted_bytes(daily)
        assert load_file(once).clean().text() == virtual
        accrue(once, str(ledger.last))
        accrue(daily, str(ledger.last))
        assert posted_bytes(once) == posted_bytes(daily)
        assert load_file(daily).clean().text() == virtual
