"""The oracle: every hour of every day, in fractions, slow and obvious.

Goal: say what interest, principal and carry each day must have, from the text of the design
alone (rule 3 of what a day means; formulas, section 2), to be compared to the last digit.
Method: no validation, no code of the engine, and the terms are searched anew for every hour.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from beancount.core import data

Moment = tuple[date, int]
"""A date and a second of it."""
Key = tuple[date, str, str, str]
"""A day, a sub-account, a coin, and "lent" or "borrowed"."""

LENT, BORROWED = SIDES = ("lent", "borrowed")
UNIT = 10**18
HOUR = 3600
DAY_END = 24 * HOUR
TERMS = ("sub-account", "lending-pool", "lending-rate")


class Line(NamedTuple):
    """What one side of a coin shows for a day, in coins.

    interest   posted that day, the entry fee included
    principal  lent or owed at the end of the day, interest included
    carry      after the day's last segment
    """

    interest: Fraction
    principal: Fraction
    carry: Fraction


Table = dict[Key, Line]


def seconds(entry: data.Directive) -> int:
    """Return the second of the day at which a directive takes effect."""
    parts = str(entry.meta.get("time", "00:00")).split(":")
    return sum(int(part) * unit for part, unit in zip(parts, (HOUR, 60, 1), strict=False))


def by_person(entries: data.Directives) -> data.Directives:
    """Return what a person wrote."""
    return [entry for entry in entries if "usance" not in (getattr(entry, "tags", None) or ())]


def sub_accounts(entries: data.Directives) -> dict[str, str]:
    """Return what stands below the root of all assets for each sub-account: Backpack:Main."""
    return {
        entry.values[0].value: entry.values[1].value.partition(":")[2]
        for entry in entries
        if isinstance(entry, data.Custom) and entry.type == "sub-account"
    }


def units(posting: data.Posting) -> tuple[Fraction, str]:
    """Return the amount of a posting, and its coin."""
    assert posting.units is not None
    assert posting.units.number is not None
    return Fraction(posting.units.number), posting.units.currency


def quanta(entries: data.Directives) -> defaultdict[str, Fraction]:
    """Return the quantum of each coin."""
    declared = {
        entry.currency: Fraction(entry.meta["quantum"])
        for entry in entries
        if isinstance(entry, data.Commodity) and "quantum" in entry.meta
    }
    return defaultdict(lambda: Fraction(1, 10**8), declared)


def horizon(entries: data.Directives) -> date:
    """Return the last day that is computed."""
    written, through = [date.min + timedelta(1)], [date.min]
    for entry in by_person(entries):
        if isinstance(entry, data.Custom) and entry.type == "accrue-through":
            through.append(entry.values[0].value)
        elif isinstance(entry, data.Transaction | data.Balance | data.Price) or (
            isinstance(entry, data.Custom) and entry.type in TERMS
        ):
            written.append(entry.date)
    return max(max(written) - timedelta(1), *through)


class Coin:
    """One coin of one sub-account: amounts in coins, `lent`, interest and carry in quanta."""

    def __init__(self, quantum: Fraction) -> None:
        self.quantum = quantum
        self.free = self.lots = self.owed = Fraction(0)
        self.lent = 0
        self.rates: dict[str, list[Fraction]] = {LENT: [], BORROWED: []}
        self.carry = {LENT: 0, BORROWED: 0}
        self.interest = {LENT: 0, BORROWED: 0}

    def copy(self) -> "Coin":
        twin = copy(self)
        twin.rates, twin.carry = dict(self.rates), dict(self.carry)
        twin.interest = dict(self.interest)
        return twin

    def principal(self, side: str) -> int:
        return self.lent if side == LENT else ceil(self.owed / self.quantum)

    def balance(self, side: str) -> Fraction:
        """Return what a side's own balance is, unrounded; the wallet's where it is lent."""
        return self.owed if side == BORROWED else (self.free + self.lots) * bool(self.lent)

    def cut(self, amount: Fraction, rounding: Callable[[Fraction], int]) -> Fraction:
        return rounding(amount / self.quantum) * self.quantum

    def end_segment(self, side: str) -> None:
        product = Fraction(1)
        for rate in self.rates[side]:
            product *= 1 + rate / 8760
        growth = round((product - 1) * UNIT)
        if side == LENT:
            interest, self.carry[side] = divmod(self.lent * growth + self.carry[side], UNIT)
            self.free += interest * self.quantum
            self.lent += interest
        else:
            raw = self.principal(side) * growth - self.carry[side]
            interest = ceil(Fraction(raw, UNIT))
            self.carry[side] = interest * UNIT - raw
            self.owed += interest * self.quantum
        self.interest[side] += interest
        self.rates[side] = []


class Book:
    """The walk, and what it is made from."""

    def __init__(self, entries: data.Directives, options: Mapping[str, Any]) -> None:
        self.customs = [
            ((entry.date, seconds(entry)), entry)
            for entry in entries
            if isinstance(entry, data.Custom) and entry.type in TERMS
        ]
        self.switched_late = {
            (entry.values[0].value, day)
            for (day, second), entry in self.customs
            if entry.type == "sub-account" and second > 23 * HOUR
        }
        self.venue = {sub: root.rpartition(":")[0] for sub, root in sub_accounts(entries).items()}
        wallets = {
            f"{options[name]}:{root}:{last}": sub
            for sub, root in sub_accounts(entries).items()
            for name, last in (("name_assets", "Wallet"), ("name_liabilities", "Borrowed"))
        }
        self.coins: dict[tuple[str, str], Coin] = {}
        self.written: dict[tuple[str, str, date, int], list[tuple[int, data.Posting]]] = {}
        quantum = quanta(entries)
        for entry in by_person(entries):
            for posting in entry.postings if isinstance(entry, data.Transaction) else ():
                if posting.account in wallets:
                    key = wallets[posting.account], units(posting)[1]
                    self.coins.setdefault(key, Coin(quantum[key[1]]))
                    hour = ceil(seconds(entry) / HOUR)
                    self.written.setdefault((*key, entry.date, hour), []).append(
                        (seconds(entry), posting)
                    )
        self.totals: dict[tuple[str, str], dict[str, Fraction]] = {}

    def term(self, kind: str, name: str, at: Moment, venue: str | None = None) -> Any:  # noqa: ANN401
        """Return the directive in force: the last one, at one moment the one that names a venue."""
        found = [
            (moment, "venue" in entry.meta, position)
            for position, (moment, entry) in enumerate(self.customs)
            if moment <= at
            and (entry.type, entry.values[0].value) == (kind, name)
            and entry.meta.get("venue", venue) == venue
        ]
        return self.customs[max(found)[-1]][1] if found else None

    def switch(self, sub: str, name: str, at: Moment) -> bool:
        meta = self.term("sub-account", sub, at).meta
        return bool(meta.get(name, name == "auto-repay" and meta.get("auto-borrow", False)))

    def curve(self, venue: str, coin: str, at: Moment) -> Mapping[str, Any] | None:
        pool = self.term("lending-pool", coin, at, venue)
        return pool.meta if pool and pool.meta["rates"] == "curve" else None

    def external(self, venue: str, coin: str, at: Moment, side: str) -> Fraction:
        declared = (self.curve(venue, coin, at) or {}).get(f"external-{side}")
        return Fraction(declared.number) if declared else Fraction(0)

    def rate(self, venue: str, coin: str, at: Moment, side: str) -> Fraction:
        curve = self.curve(venue, coin, at)
        if curve is None:
            observed = self.term("lending-rate", coin, at, venue).values
            return Fraction(observed[1 if side == LENT else 2].value)
        lent, borrowed = (self.totals[venue, coin][side] for side in SIDES)
        # A charge rounded up and repaid within the day may leave a total a quantum below zero.
        used = min(Fraction(1), borrowed / lent) if lent > 0 else Fraction(1)
        used = used if borrowed > 0 else Fraction(0)
        best = Fraction(curve["optimal-utilization"])
        rate = Fraction(curve.get("base-rate", 0)) + Fraction(curve["slope-1"]) * min(
            Fraction(1), used / best
        )
        if used > best:
            rate += Fraction(curve["slope-2"]) * (used - best) / (1 - best)
        if side == LENT:
            rate *= used * (1 - Fraction(curve.get("fee", 0)))
        return rounded(rate)

    def apply(self, sub: str, name: str, coin: Coin, at: Moment) -> None:
        """Apply what a person wrote; repay or borrow; lend what is left idle."""
        written = self.written.get((sub, name, at[0], at[1] // HOUR), [])
        for _, posting in written:
            amount = units(posting)[0]
            if posting.account.endswith(":Borrowed"):
                coin.owed -= amount
            elif posting.cost is not None:
                coin.lots += amount
            else:
                coin.free += amount
        # After the day's interest, what it brought repays from 00:00 of the next day only.
        if at[1] < DAY_END or written or (sub, at[0]) in self.switched_late:
            if self.switch(sub, "auto-repay", at):
                repaid = coin.cut(max(Fraction(0), min(coin.owed, coin.free)), floor)
                coin.free -= repaid
                coin.owed -= repaid
            missing = coin.cut(-coin.free - coin.lots, ceil)
            if missing > 0 and self.switch(sub, "auto-borrow", at):
                coin.free += missing
                coin.owed += missing
                if written:
                    self.charge_entry(
                        sub, name, coin, missing, (at[0], max(second for second, _ in written))
                    )
        pool = self.term("lending-pool", name, at, self.venue[sub])
        lends = pool is not None and self.switch(sub, "auto-lend", at)
        coin.lent = max(0, floor((coin.free + coin.lots) / coin.quantum)) if lends else 0

    def charge_entry(self, sub: str, name: str, coin: Coin, amount: Fraction, last: Moment) -> None:
        """Charge a fresh borrow for the minutes from its transaction to the next hour."""
        pool = self.term("lending-pool", name, last, self.venue[sub])
        if pool is not None and pool.meta.get("entry-fee"):
            hour = (last[0], last[1] // HOUR * HOUR)
            rate = self.rate(self.venue[sub], name, hour, BORROWED)
            fee = coin.cut(amount * rate / 8760 * Fraction(-last[1] % HOUR, HOUR), ceil)
            coin.owed += fee
            coin.interest[BORROWED] += int(fee / coin.quantum)

    def change(self, sub: str, name: str, at: Moment) -> None:
        """Bring one coin to this hour. A segment ends where that side's own balance changes."""
        before = self.coins[sub, name]
        ending = set(SIDES) if at[1] == DAY_END else set()
        while True:
            after = before.copy()
            for side in ending:
                after.end_segment(side)
            joined = {side: after.principal(side) for side in SIDES}
            balance = {side: after.balance(side) for side in SIDES}
            self.apply(sub, name, after, at)
            changed = {side for side in SIDES if after.balance(side) != balance[side]}
            if changed <= ending:
                break
            ending |= changed
        self.coins[sub, name] = after
        for side in changed:
            flow = (after.principal(side) - joined[side]) * after.quantum
            self.totals[self.venue[sub], name][side] += flow

    def accrue(self, pools: set[tuple[str, str]], at: Moment) -> None:
        """Accrue an hour: note its rates for the segments, and let the totals grow."""
        for (sub, name), coin in self.coins.items():
            for side in SIDES:
                if coin.principal(side):
                    rate = self.rate(self.venue[sub], name, at, side)
                    coin.rates[side] = [*coin.rates[side], rate]
        for pool in pools:
            if self.curve(*pool, at):
                for side, rate in [(side, self.rate(*pool, at, side)) for side in SIDES]:
                    self.totals[pool][side] = rounded(self.totals[pool][side] * (1 + rate / 8760))

    def begin(self, pools: set[tuple[str, str]], day: date, hour: int) -> None:
        """Declare the totals anew at 00:00; within the day a change of the external is a flow."""
        for pool in pools:
            totals = self.totals.setdefault(pool, {}) if hour else dict.fromkeys(SIDES, Fraction(0))
            for side in SIDES:
                before = self.external(*pool, (day, (hour - 1) * HOUR), side) if hour else 0
                totals[side] += self.external(*pool, (day, hour * HOUR), side) - before
                for (sub, name), coin in self.coins.items():
                    if hour == 0 and (self.venue[sub], name) == pool:
                        totals[side] += coin.principal(side) * coin.quantum
            self.totals[pool] = totals

    def day(self, day: date) -> Iterator[tuple[Key, Line]]:
        """Walk the hours of a day, and its end, and yield the day's lines."""
        pools = {(self.venue[sub], coin) for sub, coin in self.coins}
        for hour in range(25):
            self.begin(pools, day, hour)
            for sub, name in sorted(self.coins):
                self.change(sub, name, (day, hour * HOUR))
            if hour < 24:
                self.accrue(pools, (day, hour * HOUR))
        for (sub, name), coin in self.coins.items():
            for side in SIDES:
                principal = coin.lent * coin.quantum if side == LENT else coin.owed
                interest, carry = coin.interest[side] * coin.quantum, coin.carry[side]
                yield (day, sub, name, side), Line(interest, principal, carry * coin.quantum / UNIT)
                coin.interest[side] = 0


def rounded(number: Fraction) -> Fraction:
    """Keep 60 decimals: an exact fraction of a curve would double in length every hour."""
    return Fraction(round(number * 10**60), 10**60)


def walk(entries: data.Directives, options: Mapping[str, Any]) -> Table:
    """Return the lines of every day from the first that moves a wallet or a borrow."""
    book, table = Book(entries, options), Table()
    day = min((day for _, _, day, _ in book.written), default=date.max)
    while day <= horizon(entries):
        table.update(book.day(day))
        day += timedelta(1)
    return table
