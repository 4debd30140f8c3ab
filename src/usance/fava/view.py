"""View: the period and the currency of one request, and how it shows figures."""

import contextlib
import copy
import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property
from typing import Any

from babel import Locale
from fava.context import g
from fava.core import FavaLedger
from fava.core.conversion import AT_COST, AT_VALUE, UNITS
from fava.core.inventory import CounterInventory
from fava.util.date import InvalidDateRangeError, dateranges, parse_date
from flask import current_app, request

from usance.fava.books import PageBooks
from usance.model.amounts import FIGURE, PRECISE, total
from usance.model.hours import Day, date_of, day_of, iso
from usance.reports.figures import for_the_eye, short

POINTS = 120
"""Days that a line goes through, at most."""

POINTS_LEAST = 3
"""Points of a line, at least: fewer are better read in the table."""

BARS = 100
"""Intervals with a bar, at most: as many as in Fava's own charts."""

NONE = "\N{EN DASH}"
"""Stands for a figure that does not exist."""

EYE = 2
"""Decimals of a figure for the eye; its element has all of them."""

HIGH = Decimal("0.8")
"""A gauge is high from this ratio on."""

DECIMALS_FROM = ((Decimal(1000), 2), (Decimal(1), 4), (Decimal(0), 8))
"""Decimals of a quantity or a price for the eye, at most, by what it is at least."""

PRICE_FROM = 10
"""A price has two decimals from here on."""

DECIMALS = 8
"""Decimals shown of a figure without a currency; its element has all of them."""


DATE_OR_DIGIT = re.compile(r"\b\d{4}-\d\d(?:-\d\d)?\b|\d", re.ASCII)


def masked(message: str) -> str:
    """Return a message with an X for each digit; its dates stay."""
    return DATE_OR_DIGIT.sub(lambda part: part[0] if len(part[0]) > 1 else "X", message)


@dataclass(frozen=True)
class Chart:
    """A chart in the form of Fava's own."""

    label: str
    type: str
    data: Sequence[Mapping[str, Any]]


class View:
    """A period of the books, and how its figures are shown.

    first, last  days of the period, both included; first > last if the period has no days
    notes        sentences about filters and settings that do not apply
    """

    def __init__(self, books: PageBooks, ledger: FavaLedger) -> None:
        self.books = books
        self.ledger = ledger
        self.incognito: bool = current_app.config["INCOGNITO"]
        self.notes: list[str] = []
        self.whole = not request.args.get("time")
        self.first, self.last = self._period()
        self.operating = books.operating
        self.currency = self.operating
        if request.args.get("account") or request.args.get("filter"):
            self.notes.append(
                "The account filter and the text filter do not apply here: the figures are for "
                "whole sub-accounts."
            )
        if books.is_corrected:
            self.notes.append(
                "Closed days were corrected. They are shown as posted, with each correction on the "
                "day that posted it; the commands show them otherwise with --as-corrected."
            )

    def _period(self) -> tuple[Day, Day]:
        begin, end = self.books.first_day or Day(1), self.books.last_day
        time = request.args.get("time", "")
        if time:
            first = last = None
            with contextlib.suppress(ValueError, OverflowError):
                first, last = parse_date(time, self.ledger.fava_options.fiscal_year_end)
            if first is None or last is None:
                self.notes.append(f"The time filter {time!r} is not a period: all days are shown.")
            else:
                return max(begin, day_of(first)), min(end, Day(day_of(last) - 1))
        return begin, end

    @property
    def is_empty(self) -> bool:
        """Tell whether the books have no days in the period."""
        return self.books.first_day is None or self.first > self.last

    @property
    def period(self) -> str:
        """The period in words."""
        first, last = iso(self.first), iso(self.last)
        return first if first == last else f"{first} to {last}"

    @staticmethod
    def date(day: Day) -> str:
        """Return a day as a date."""
        return iso(day)

    @property
    def evening(self) -> str:
        """The last day of the period, as a date: balances are those at its end."""
        return iso(self.last)

    # Conversion

    def convert(self) -> None:
        """Show money in the currency of Fava's conversion, if it has a price by the last day."""
        wanted = self._wanted()
        if not wanted:
            return
        if self._rate(wanted, self.last) is None:
            self.notes.append(
                f"There is no price of {self.operating} in {wanted} on {self.evening}: "
                f"the figures stay in {self.operating}."
            )
        else:
            self.currency = wanted

    def keep(self, why: str) -> None:
        """Add a note that Fava's conversion does not apply."""
        if self._wanted():
            self.notes.append(f"The conversion does not apply here: {why}")

    def _wanted(self) -> str:
        if g.conv in (AT_COST, AT_VALUE, UNITS) or self.operating in g.conversion.split(","):
            return ""
        return g.conversion.split(",")[-1]

    def _rate(self, currency: str, day: Day) -> Decimal | None:
        return self.ledger.prices.get_price((self.operating, currency), date_of(day))

    def worth(self, text: str | Decimal | None, day: Day | None = None) -> Decimal | None:
        """Return a figure, converted from the operating currency to the view's at a day's price."""
        if text is None or self.currency == self.operating:
            return None if text is None else Decimal(text)
        rate = self._rate(self.currency, self.last if day is None else day)
        return None if rate is None else FIGURE.multiply(Decimal(text), rate)

    def converted(self, coins: Mapping[str, Decimal], day: Day) -> dict[str, Decimal]:
        """Return amounts of coins, converted as Fava converts them on a day."""
        held = CounterInventory()
        for coin, number in coins.items():
            held.add((coin, None), number)
        return dict(g.conv.apply(held, self.ledger.prices, date_of(day)))

    # Figures

    def hidden(self, text: object) -> str:
        """Return a text; in incognito mode an X stands for each digit."""
        return re.sub(r"[0-9]", "X", str(text)) if self.incognito else str(text)

    def message(self, text: str) -> str:
        """Return a message; in incognito mode an X stands for each digit but those of dates."""
        return masked(text) if self.incognito else text

    def money(self, text: str | Decimal | None) -> str:
        """Return a figure of the operating currency as the page shows it."""
        return self.eye(text)

    def percent(self, text: str | None) -> str:
        """Return a ratio in percent."""
        return NONE if text is None else self.written(f"{Decimal(text) * 100:.2f}") + " %"

    @staticmethod
    def hundredth(number: Decimal) -> str:
        """Return a percentage as a fraction."""
        return format(number / 100, "f")

    def times(self, text: str) -> str:
        """Return a ratio as a number of times."""
        return self.written(f"{Decimal(text):.2f}")

    def signed(self, text: str | None) -> str:
        """Return a change in percent."""
        if text is None:
            return NONE
        return ("" if Decimal(text) < 0 else "+") + self.percent(text)

    def number(self, text: str | None) -> str:
        """Return a quantity or a price with eight decimals at most."""
        return NONE if text is None else self.written(short(text, DECIMALS))

    def coins(self, text: str | None) -> str:
        """Return a quantity or a price for the eye: two decimals from 1000 on, else up to eight.

        A dash stands for zero.
        """
        if text is None or not Decimal(text):
            return NONE
        places = next(places for least, places in DECIMALS_FROM if abs(Decimal(text)) >= least)
        shown = for_the_eye(text, places) or ""
        if "." in shown:
            whole, _, decimals = shown.partition(".")
            decimals = decimals.rstrip("0").ljust(min(EYE, len(text.partition(".")[2])), "0")
            shown = f"{whole}.{decimals}" if decimals else whole
        if not shown.strip("-0.,"):
            return self.tiny(text)
        return self.grouped(shown)

    def price(self, text: str | None) -> str:
        """Return a price for the eye: two decimals from 10 on, else up to eight."""
        if text is None or Decimal(text) < PRICE_FROM:
            return self.coins(text)
        return self.grouped(for_the_eye(text, EYE) or "")

    def grouped(self, shown: str) -> str:
        """Return a figure that has commas, with the separators of Fava's locale if it has one."""
        if self.ledger.fava_options.locale:
            return self.written(shown.replace(",", ""))
        return self.hidden(shown)

    def written(self, text: str) -> str:
        """Return all digits of a figure, with the separators of Fava's locale."""
        locale = self.ledger.fava_options.locale
        if not locale:
            return self.hidden(text)
        pattern = copy.copy(Locale.parse(locale).decimal_formats[None])
        decimals = len(text.partition(".")[2])
        pattern.frac_prec = (decimals, decimals)
        with localcontext(PRECISE):
            return self.hidden(pattern.apply(Decimal(text), locale))

    def part(self, text: str | Decimal | None, whole: str | None = "1") -> str:
        """Return a figure in percent of a whole, 0 to 100; always 0 in incognito mode."""
        if text is None or whole is None or self.incognito or Decimal(whole) <= 0:
            return "0"
        part = min(Decimal(1), max(Decimal(0), Decimal(text) / Decimal(whole)))
        return f"{part * 100:.3f}"

    def share(self, text: str | Decimal | None, whole: str | None) -> str:
        """Return a figure in percent of a whole, or a dash."""
        if text is None or whole is None or Decimal(whole) <= 0:
            return NONE
        return self.percent(format(FIGURE.divide(Decimal(text), Decimal(whole)), "f"))

    def tiny(self, text: str) -> str:
        """Return a figure that may be far below one with three significant digits."""
        if not Decimal(text):
            return self.hidden("0")
        places = 2 - Decimal(f"{Decimal(text):.2e}").adjusted()
        return self.written(f"{Decimal(text):.{max(0, places)}f}")

    @staticmethod
    def larger(*texts: str) -> str:
        """Return the largest of some figures."""
        return max(texts, key=Decimal)

    @staticmethod
    def together(texts: Iterable[str]) -> str:
        """Return the sum of some figures."""
        return format(total(map(Decimal, texts)), "f")

    @staticmethod
    def together_largest(parts: Iterable[Mapping[str, str]]) -> str:
        """Return the largest amount of some parts, whatever its sign."""
        return format(max(abs(Decimal(part["amount"])) for part in parts), "f")

    def eye(self, text: str | Decimal | None, *, sign: bool = False) -> str:
        """Return a figure of the operating currency with separators and two decimals.

        A dash stands for zero. With `sign` a gain has a plus.
        """
        if text is None or not Decimal(text):
            return NONE
        worth = self.worth(text)
        if worth is None:
            return NONE
        shown = for_the_eye(format(worth, "f"), EYE) or ""
        if not shown.strip("-0.,"):
            return self.tiny(format(worth, "f"))
        plus = "+" if sign and worth > 0 else ""
        return plus + self.grouped(shown)

    @staticmethod
    def level(text: str | None) -> str:
        """Return how full a gauge is, in one word; a gauge without a figure is low."""
        part = Decimal(text or 0)
        return "full" if part >= 1 else "high" if part >= HIGH else "low"

    # Charts

    @property
    def sample(self) -> list[Day]:
        """The days that a line goes through: all, or evenly spaced ones up to the last."""
        count = self.last - self.first + 1
        step = -(-count // POINTS)
        return [*map(Day, range(self.last, self.first - 1, -step))][::-1]

    @cached_property
    def intervals(self) -> list[tuple[Day, Day]]:
        """The first and the last day of each interval of the period."""
        try:
            begin, end = date_of(self.first), date_of(self.last) + datetime.timedelta(days=1)
            ranges = dateranges(begin, end, g.interval, complete=self.whole)
        except (InvalidDateRangeError, OverflowError):
            return []
        return [(day_of(it.begin), day_of(it.end_inclusive)) for it in ranges]

    def lines(self, label: str, points: Callable[[Day], Mapping[str, Decimal | None]]) -> Chart:
        """Return lines through the days of the sample.

        points  figures of a day by the name of their line; None if there is no figure
        """
        data = []
        for day in self.sample:
            balance = {name: value for name, value in points(day).items() if value is not None}
            data.append({"date": date_of(day), "balance": balance})
        return Chart(label, "balances", data)

    def bars(
        self, label: str, parts: Callable[[Day, Day], Mapping[str, Mapping[str, Decimal]]]
    ) -> Chart:
        """Return stacked bars of the last intervals.

        parts  sums of the days from one to another in coins, by part and coin
        """
        data = []
        for first, last in self.intervals[-BARS:]:
            stacked = {
                part: self.converted(coins, last) for part, coins in parts(first, last).items()
            }
            balance: dict[str, Decimal] = {}
            for coins in stacked.values():
                for coin, number in coins.items():
                    balance[coin] = balance.get(coin, Decimal(0)) + number
            data.append(
                {
                    "date": date_of(last),
                    "balance": balance,
                    "account_balances": stacked,
                    "budgets": {},
                }
            )
        return Chart(label, "bar", data)

    @staticmethod
    def hues(parts: Sequence[str]) -> list[tuple[str, str]]:
        """Return the parts of stacked bars with Fava's colours for them: even hues by name."""
        turn = FIGURE.divide(360, len(parts))
        return [(part, f"lch(70% 45 {270 + turn * sorted(parts).index(part)})") for part in parts]

    def drawn(self, charts: Sequence[Chart]) -> list[Chart]:
        """Return the charts that have figures; none in incognito mode."""
        if self.incognito:
            return []
        full = [chart for chart in charts if _says_something(chart)]
        if len(self.intervals) > BARS and any(chart.type == "bar" for chart in full):
            self.notes.append(
                f"Bars show only the last {BARS} intervals. "
                "Choose a longer interval to see all days."
            )
        return full


def _says_something(chart: Chart) -> bool:
    """Tell whether a chart is not of zeros alone, and a line has at least three points."""
    points = [point["balance"] for point in chart.data if point["balance"]]
    least = 1 if chart.type == "bar" else POINTS_LEAST
    return len(points) >= least and any(any(point.values()) for point in points)
