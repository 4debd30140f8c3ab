"""The oracle of yield: every hour of every day, in fractions, slow and obvious.

Goal: say what each holder of a product earns, is paid and has lent each day, and what each product
earns, pays out and keeps, from the text of the design alone (formulas, sections 2 and 5).
Method: no validation and no code of the engine; terms are searched anew each time. Wallets in these
ledgers are never negative, and pools are observed, so nothing is ever borrowed.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor
from operator import itemgetter
from typing import NamedTuple

from beancount.core import data, position

UNIT = 10**18
HOUR = 3600
DAY = timedelta(1)
ROOTS = Context(prec=60)
TERMS = (
    "sub-account",
    "lending-pool",
    "lending-rate",
    "yield-product",
    "treasury-rate",
    "yield-bonus",
)

Moment = tuple[date, int]
"""A date and a second of it."""
Files = Mapping[str, Sequence[tuple[Moment, Fraction]]]
"""Rows of the rates files by path, in order."""


class Earned(NamedTuple):
    """A holder's day, amounts in coins.

    hours    sum of the principal that was enrolled, over the day's hours
    lending  interest credited, treasury and bonus accrued
    paid     from AccruedYield into the wallet at 00:00
    lent     at the end of the day, and what of it is enrolled
    """

    hours: Fraction
    lending: Fraction
    treasury: Fraction
    bonus: Fraction
    paid: Fraction
    lent: Fraction
    enrolled: Fraction


class Kept(NamedTuple):
    """A bills product's day, amounts in coins: income = fee + distributed + change of left over."""

    income: Fraction
    fee: Fraction
    distributed: Fraction
    left_over: Fraction
    paid: Fraction


def seconds(entry: data.Directive) -> int:
    """Return the second of the day at which a directive takes effect."""
    parts = str(entry.meta.get("time", "00:00")).split(":")
    return sum(int(part) * unit for part, unit in zip(parts, (HOUR, 60, 1), strict=False))


def number(value: object) -> Fraction:
    """Return a decimal of the ledger exactly."""
    assert isinstance(value, Decimal)
    return Fraction(value)


def half_even(value: Fraction, unit: Fraction) -> Fraction:
    return round(value / unit) * unit


def accreted(
    cost: Fraction, face: Fraction, day: int, length: int, quantum: Fraction, *, straight: bool
) -> Fraction:
    """Return the value of a bill at the end of a day of its life, by comparing whole powers.

    Constant yield: the value v in quanta lies within half a quantum of F * c^((n-k)/n), so that
    (v - 1/2)^n < F^n * c^(n-k) < (v + 1/2)^n.
    """
    if day == 0:
        return cost * face
    if day >= length:
        return face
    if straight:
        return half_even(cost * face + face * (1 - cost) * day / length, quantum)
    part = ROOTS.divide(Decimal(length - day), Decimal(length))
    root = ROOTS.power(ROOTS.divide(Decimal(cost.numerator), Decimal(cost.denominator)), part)
    value = round(Fraction(root) * face / quantum)
    true = (face / quantum) ** length * cost ** (length - day)
    assert (value - Fraction(1, 2)) ** length < true < (value + Fraction(1, 2)) ** length
    return value * quantum


def period_end(day: date, payout: str) -> date:
    """Return the last day of the period that a day lies in."""
    if payout == "weekly":
        return day + timedelta((3 - day.weekday()) % 7)  # Thursday
    if payout == "monthly":
        return (day.replace(day=1) + timedelta(32)).replace(day=1) - DAY
    return day


@dataclass
class Wallet:
    """One coin of a sub-account: wallet in coins, lent in quanta, growth of the open segment."""

    quantum: Fraction
    held: Fraction = Fraction(0)
    lent: int = 0
    product: Fraction = Fraction(1)
    carry: int = 0
    interest: int = 0

    def credited(self) -> tuple[int, int]:
        """Return the interest of the open segment, and the carry after it."""
        growth = round((self.product - 1) * UNIT)
        return divmod(self.lent * growth + self.carry, UNIT)

    def end_segment(self) -> None:
        credit, self.carry = self.credited()
        self.held += credit * self.quantum
        self.lent += credit
        self.interest += credit
        self.product = Fraction(1)

    def change(self, flow: Fraction, *, lends: bool) -> None:
        """Apply a flow and a switch; a segment ends where what is lent changes."""
        after = self.held + flow
        principal = floor(after / self.quantum) if lends else 0
        if (after if principal else 0) != (self.held if self.lent else 0):
            self.end_segment()
        self.held += flow
        self.lent = floor(self.held / self.quantum) if lends else 0


@dataclass
class Holder:
    """What a sub-account has in a product: carries in 1e-18 quanta, quanta owed by period end."""

    carry: int = 0
    carry_bonus: int = 0
    owed: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))


class Walk:
    """The books, walked day by day. `holders` and `products` are what it finds."""

    def __init__(self, entries: data.Directives, files: Files | None = None) -> None:
        self.files = files or {}
        self.customs = [entry for entry in entries if isinstance(entry, data.Custom)]
        self.written = [
            entry
            for entry in entries
            if isinstance(entry, data.Transaction) and "usance" not in entry.tags
        ]
        self.commodities = {
            entry.currency: entry.meta for entry in entries if isinstance(entry, data.Commodity)
        }
        self.roots = {
            entry.values[0].value: entry.values[1].value
            for entry in self.customs
            if entry.type == "sub-account"
        }
        self.names = {
            entry.values[0].value for entry in self.customs if entry.type == "yield-product"
        }
        self.last = self.horizon(entries)
        self.holders: dict[tuple[date, str, str], Earned] = {}
        self.products: dict[tuple[date, str], Kept] = {}
        self.wallets: dict[tuple[str, str], Wallet] = {}
        self.held: dict[tuple[str, str], Holder] = defaultdict(Holder)
        self.left: dict[str, Fraction] = defaultdict(Fraction)
        self.run()

    def horizon(self, entries: data.Directives) -> date:
        counted, through = [date.min + DAY], [date.min]
        for entry in entries:
            if isinstance(entry, data.Custom) and entry.type == "accrue-through":
                through.append(entry.values[0].value)
            elif (
                isinstance(entry, data.Balance | data.Price)
                or entry in self.written
                or (isinstance(entry, data.Custom) and entry.type in TERMS)
            ):
                counted.append(entry.date)
        return max(max(counted) - DAY, *through)

    def term(self, kind: str, names: tuple[str, ...], at: Moment) -> data.Custom | None:
        """Return the directive in force at a moment."""
        found = [
            (entry.date, seconds(entry), place)
            for place, entry in enumerate(self.customs)
            if entry.type == kind
            and tuple(value.value for value in entry.values[: len(names)]) == names
            and (entry.date, seconds(entry)) <= at
        ]
        return self.customs[max(found)[-1]] if found else None

    def rate(self, kind: str, name: str, at: Moment) -> Fraction:
        """Return an annual rate: that of the directive, or of the last row of its file."""
        entry = self.term(kind, (name,), at)
        assert entry is not None
        value = entry.values[1].value
        if isinstance(value, str):
            rows = self.files[value]
            return rows[bisect(rows, at, key=itemgetter(0)) - 1][1]
        return number(value)

    def switch(self, sub: str, name: str, at: Moment) -> bool:
        entry = self.term("sub-account", (sub,), at)
        return entry is not None and bool(entry.meta.get(name, name == "earn"))

    def quantum(self, coin: str) -> Fraction:
        return number(self.commodities.get(coin, {}).get("quantum", Decimal("1e-8")))

    def venue(self, account: str) -> str:
        """Return what stands above a sub-account or above a product's own entity."""
        return account.split(":")[1]

    def flow(self, sub: str, coin: str, at: Moment) -> Fraction:
        """Return what a person moved in a wallet since the full hour before."""
        return sum(
            (
                number(leg.units.number)
                for entry in self.written
                if entry.date == at[0] and ceil(seconds(entry) / HOUR) * HOUR == at[1]
                for leg in entry.postings
                if leg.account == f"{self.roots[sub]}:Wallet"
                and leg.units is not None
                and leg.units.currency == coin
            ),
            Fraction(0),
        )

    def product(self, sub: str, coin: str, day: date) -> data.Custom | None:
        """Return the product of a coin that a sub-account can be enrolled in."""
        for name in sorted(self.names):
            entry = self.term("yield-product", (name,), (day, 0))
            if entry is not None and entry.meta["asset"] == coin:
                bills = entry.meta.get("bills")
                if bills is None or self.venue(bills) == self.venue(self.roots[sub]):
                    return entry
        return None

    def run(self) -> None:
        touched = [
            entry.date
            for entry in self.written
            for leg in entry.postings
            if any(leg.account.startswith(f"{root}:") for root in self.roots.values())
            or ":Treasury:" in leg.account
        ]
        coins = {
            (sub, leg.units.currency)
            for entry in self.written
            for leg in entry.postings
            for sub, root in self.roots.items()
            if leg.account == f"{root}:Wallet" and leg.units is not None
        }
        self.wallets = {key: Wallet(self.quantum(key[1])) for key in sorted(coins)}
        day = min(touched, default=date.max)
        while day <= self.last:
            self.day(day)
            day += DAY

    def day(self, day: date) -> None:
        hours: dict[tuple[str, str], list[int]] = {}
        paid = {key: self.pay(*key, day) for key in self.wallets}
        for (sub, coin), wallet in self.wallets.items():
            enrolled = hours[sub, coin] = []
            for hour in range(25):
                at = (day, hour * HOUR)
                flow = self.flow(sub, coin, at) + (0 if hour else paid[sub, coin])
                if hour == 24:
                    wallet.end_segment()
                lends = self.term("lending-pool", (coin,), at) is not None
                wallet.change(flow, lends=lends and self.switch(sub, "auto-lend", at))
                if hour < 24:
                    enrolled.append(wallet.lent if self.switch(sub, "earn", at) else 0)
                if hour < 24 and wallet.lent:
                    wallet.product *= 1 + self.rate("lending-rate", coin, at) / 8760
        self.accrue(day, hours, paid)

    def pay(self, sub: str, coin: str, day: date) -> Fraction:
        """Pay what is due at 00:00; a person's `pays` is in what the person wrote."""
        product = self.product(sub, coin, day - DAY)
        if product is None:
            return Fraction(0)
        holder, name = self.held[sub, product.values[0].value], product.values[0].value
        due = [end for end in holder.owed if end < day]
        total = sum(
            holder.owed.pop(end) for end in sorted(due) if not self.replaced(sub, name, end)
        )
        return total * self.wallets[sub, coin].quantum

    def replaced(self, sub: str, name: str, end: date) -> bool:
        """Whether a person's transaction is the payout of a period."""
        for entry in self.written:
            product, _, period = str(entry.meta.get("pays", "")).partition(" ")
            mine = any(leg.account == f"{self.roots[sub]}:Wallet" for leg in entry.postings)
            if mine and product == name and end.isoformat().startswith(period):
                return True
        return False

    def accrue(
        self,
        day: date,
        hours: dict[tuple[str, str], list[int]],
        paid: dict[tuple[str, str], Fraction],
    ) -> None:
        """Accrue the treasury yield of a day at its end."""
        credited: dict[tuple[str, str], tuple[int, int]] = dict.fromkeys(self.wallets, (0, 0))
        served = {key: self.product(*key, day) for key in self.wallets}
        for name in sorted(self.names):
            product = self.term("yield-product", (name,), (day, 0))
            mine = [key for key, entry in served.items() if entry is product and product]
            if product is None:
                continue
            total = sum(sum(hours[key]) for key in mine)
            if product.meta["source"] == "bills":
                growth, available, income, fee = self.portfolio(product, day, total)
            else:
                growth = round(self.rate("treasury-rate", name, (day, 0)) / 8760 * UNIT)
            distributed = 0
            for key in mine:
                holder = self.held[key[0], name]
                treasury, holder.carry = divmod(sum(hours[key]) * growth + holder.carry, UNIT)
                bonus = self.bonus(name, key, hours[key], holder, day)
                credited[key] = treasury, bonus
                distributed += treasury
                if product.meta["payout"] != "manual":
                    end = period_end(day, product.meta["payout"])
                    holder.owed[end] += treasury + bonus
            if product.meta["source"] == "bills":
                quantum = self.quantum(product.meta["asset"])
                self.left[name] = available - distributed
                self.products[day, name] = Kept(
                    income,
                    fee,
                    distributed * quantum,
                    self.left[name] * quantum,
                    sum((paid[key] for key in mine), Fraction(0)),
                )
        self.note(day, hours, paid, credited)

    def note(
        self,
        day: date,
        hours: dict[tuple[str, str], list[int]],
        paid: dict[tuple[str, str], Fraction],
        credited: dict[tuple[str, str], tuple[int, int]],
    ) -> None:
        for (sub, coin), wallet in self.wallets.items():
            unit = wallet.quantum
            product = self.product(sub, coin, day)
            enrolled = product is not None and self.switch(sub, "earn", (day, 24 * HOUR))
            treasury, bonus = credited[sub, coin]
            self.holders[day, sub, coin] = Earned(
                sum(hours[sub, coin]) * unit * bool(product),
                wallet.interest * unit,
                treasury * unit,
                bonus * unit,
                paid[sub, coin],
                wallet.lent * unit,
                wallet.lent * unit * enrolled,
            )
            wallet.interest = 0

    def bonus(
        self, name: str, key: tuple[str, str], hours: list[int], holder: Holder, day: date
    ) -> int:
        entry = self.term("yield-bonus", (name, key[0]), (day, 0))
        if entry is None:
            return 0
        cap = entry.meta.get("cap")
        most = floor(number(cap.number) / self.quantum(key[1])) if cap else max(hours)
        growth = round(number(entry.values[2].value) / 8760 * UNIT)
        total = sum(min(principal, most) for principal in hours)
        credit, holder.carry_bonus = divmod(total * growth + holder.carry_bonus, UNIT)
        return credit

    def portfolio(
        self, product: data.Custom, day: date, total: int
    ) -> tuple[int, Fraction, Fraction, Fraction]:
        """Return the growth, what is there to distribute in quanta, the income, and the fee."""
        quantum = self.quantum(product.meta["asset"])
        income = self.income(product, day)
        fee = ceil(income * number(product.meta.get("fee", Decimal(0))) / quantum) * quantum
        available = (income - fee) / quantum + self.left[product.values[0].value]
        # What a carry distributed early is not taken back from holders, but from the next income.
        growth = floor(available * UNIT / total) if total and available > 0 else 0
        return growth, available, income, fee

    def income(self, product: data.Custom, day: date) -> Fraction:
        """Return what the bills held at the end of a day earned in it."""
        faces: dict[tuple[str, Decimal, date], Fraction] = defaultdict(Fraction)
        for entry in self.written:
            for leg in entry.postings if entry.date <= day else ():
                if leg.account == product.meta["bills"]:
                    assert isinstance(leg.cost, position.Cost)
                    assert leg.units is not None
                    key = (leg.units.currency, leg.cost.number, leg.cost.date)
                    faces[key] += number(leg.units.number)
        income = Fraction(0)
        for (bill, cost, bought), face in faces.items():
            length = (self.commodities[bill]["maturity"] - bought).days
            held = (day - bought).days + 1
            if face:
                before, after = (
                    accreted(
                        Fraction(cost),
                        face,
                        count,
                        length,
                        self.quantum(product.meta["asset"]),
                        straight=product.meta.get("accretion") == "straight-line",
                    )
                    for count in (held - 1, held)
                )
                income += after - before
        return income
