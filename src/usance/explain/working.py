"""Working: the arithmetic behind one generated transaction, as steps and their references.

A formula is `name = expression`. An expression may have + - x / ^ and parentheses, sqrt, min, max,
abs, floor and ceil of one number, and round(number, places) and floor(number, places), which round
half-even and down to that many decimals. Its names are keys of the step's values. Divisions, powers
and roots have 80 significant digits.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import NamedTuple

from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import (
    PRECISE,
    UNIT,
    Carry,
    Coin,
    Quanta,
    fixed_point_text,
    normalized,
    rounded_text,
)
from usance.model.book import Book
from usance.model.hours import HOURS_A_YEAR, Day
from usance.model.problems import Source


@dataclass(frozen=True, slots=True)
class Step:
    """One line of arithmetic.

    what    the figure that it computes
    values  the numbers in the formula, by name
    unit    commodity of the result, or empty
    """

    what: str
    formula: str
    values: Mapping[str, Decimal]
    result: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a principal, with its rate and its interest.

    what       coin or product, and source
    hour       0 to 23
    principal  coins
    rate       annual fraction, or None if the product divides the income of bills
    growth     of a loan since its segment began, of a yield product in the hour alone
    earned     principal x growth, before any rounding
    """

    what: str
    hour: int
    principal: Decimal
    rate: Decimal | None
    growth: Decimal
    earned: Decimal


class TermsInForce(NamedTuple):
    """A reference to the directives of a kind and name that are in force on the day at a venue."""

    kind: str
    name: str
    venue: str


class Quoted(NamedTuple):
    """A reference to the prices of a commodity in another that are in force on the day."""

    commodity: str
    quote: str


class Opening(NamedTuple):
    """A reference to the last transaction that changed a balance before the day."""

    name: str
    side: Side | ProductAccount
    commodity: str


Reference = Source | TermsInForce | Quoted | Opening


@dataclass(frozen=True, slots=True)
class Lived:
    """A lived day, with the states of the evenings before and after it.

    credits  treasury and bonus, quanta, of the days before: by (holder, product), then by day
    """

    book: Book
    before: State
    after: State
    day: LivedDay
    credits: Mapping[tuple[str, str], Mapping[Day, tuple[Quanta, Quanta]]]


@dataclass(slots=True)
class Working:
    """The steps noted so far, the hours behind them, and their references, in order.

    detailed  the steps have each hour's rates of a curve pool
    """

    detailed: bool = False
    steps: list[Step] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    references: dict[Reference, None] = field(default_factory=dict)

    def step(
        self, what: str, formula: str, values: Mapping[str, Decimal], result: Decimal, unit: str
    ) -> Decimal:
        """Note a step; return its result."""
        tidy = {name: normalized(value) for name, value in values.items()}
        self.steps.append(Step(what, formula, tidy, normalized(result), unit))
        return result

    def total(
        self, what: str, name: str, parts: Mapping[str, Decimal], unit: str, result: Decimal | None
    ) -> Decimal:
        """Note a sum and return it; if `result` is None, compute it from the parts."""
        if result is None:
            with localcontext(PRECISE):
                result = sum(parts.values(), Decimal(0))
        return self.step(what, f"{name} = {' + '.join(parts) or '0'}", parts, result, unit)

    def credit(
        self,
        what: str,
        coin: Coin,
        base: tuple[str, Quanta],
        growth: int,
        carry: Carry,
        credit: Quanta,
    ) -> None:
        """Note the credit of a lender or holder, and the carry after it.

        base  name and quanta of the amount that grows
        """
        name, quanta = base
        raw = f"{name} x growth + carry"
        values = {
            name: coin.from_quanta(quanta),
            "growth": exact(growth, 18),
            "carry": carried(coin, carry),
        }
        self.step(
            f"{what}: credit, rounded down",
            f"credit = floor(({raw}) / quantum) x quantum",
            {**values, "quantum": coin.quantum},
            coin.from_quanta(credit),
            coin.name,
        )
        left = Carry(quanta * growth + carry - credit * UNIT)
        self.step(
            f"{what}: carry that is left",
            f"carry after = {raw} - credit",
            {**values, "credit": coin.from_quanta(credit)},
            carried(coin, left),
            coin.name,
        )

    def cite(self, *references: Reference) -> None:
        """Note references on which the steps rest, each once."""
        self.references.update(dict.fromkeys(references))

    def compound(self, what: str, since: int, principal: Decimal, rates: Iterable[Decimal]) -> None:
        """Note the hours of a segment, in which interest compounds."""
        with localcontext(PRECISE):
            product = Decimal(1)
            for hour, rate in enumerate(rates, since):
                product *= 1 + rate / HOURS_A_YEAR
                self._hour(what, hour, principal, rate, product - 1)

    def simple(
        self, what: str, principals: Iterable[Decimal], rate: Decimal | None, growth: Decimal
    ) -> None:
        """Note the hours of a day, all with the same rate and growth."""
        with localcontext(PRECISE):
            for hour, principal in enumerate(principals):
                if principal:
                    self._hour(what, hour, principal, rate, growth)

    def _hour(
        self, what: str, hour: int, principal: Decimal, rate: Decimal | None, growth: Decimal
    ) -> None:
        yearly = None if rate is None else normalized(rate)
        figures = (normalized(growth), normalized(principal * growth))
        self.hours.append(Hour(what, hour, normalized(principal), yearly, *figures))


def exact(number: int, places: int) -> Decimal:
    """Return an integer in units of 10^-places as a number."""
    return Decimal(fixed_point_text(number, places))


def carried(coin: Coin, carry: Carry) -> Decimal:
    """Return a carry (1e-18 quanta) in coins."""
    return Decimal(coin.carry_text(carry))


def substituted(step: Step) -> str:
    """Return the right side of a step's formula with numbers in place of the names."""
    expression = step.formula.partition(" = ")[2]
    if not step.values:
        return expression
    names = "|".join(map(re.escape, sorted(step.values, key=len, reverse=True)))

    def number(match: re.Match[str]) -> str:
        value = rounded_text(step.values[match.group()])
        return f"({value})" if value.startswith("-") else value

    return re.sub(rf"(?<!\w)(?:{names})(?![\w-])", number, expression)
