"""View: the period and the currency of one request, and how it shows figures."""

import contextlib
import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from functools import cached_property

from babel import Locale
from fava.context import g
from fava.core import FavaLedger
from fava.core.conversion import AT_COST, AT_VALUE, UNITS
from fava.core.inventory import CounterInventory
from fava.util.date import parse_date
from flask import current_app, request

from usance.fava import drawing
from usance.fava.books import PageBooks
from usance.model.amounts import FIGURE, PRECISE, ZERO, total
from usance.model.hours import Day, date_of, day_of, iso, month_start
from usance.reports import palette
from usance.reports.figures import for_the_eye, short
from usance.reports.statement import intervals

POINTS = 124
"""Points of a picture, at most, as long as weeks are enough; then it has one for each month."""

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
    def recent(self) -> tuple[Day, Day]:
        """The period of the time filter, or else the last month, which may not be over."""
        if not self.whole:
            return self.first, self.last
        return max(self.first, month_start(self.last)), self.last

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
        if text is None:
            return NONE
        return self.grouped(for_the_eye(Decimal(text) * 100, EYE) or "") + " %"

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

    # Pictures

    @cached_property
    def spans(self) -> tuple[tuple[Day, Day], ...]:
        """The first and the last day of each point: days, then weeks, then months."""
        days = self.last - self.first + 1
        by = "day" if days <= POINTS else "week" if days <= 7 * POINTS else "month"
        return tuple(intervals((self.first, self.last), by))

    @cached_property
    def evenings(self) -> list[Day]:
        """The last day of each point."""
        return [last for _, last in self.spans]

    @cached_property
    def dates(self) -> list[str]:
        """The last day of each point, as a date."""
        return [iso(day) for day in self.evenings]

    @cached_property
    def owners(self) -> list[str]:
        """The sub-accounts in the order of their declaration, then the products."""
        book = self.books.reading.book
        declared = [(line.moments[0], name) for name, line in book.sub_accounts.items()]
        return [name for _, name in sorted(declared)] + [name for _, name in book.yields.products]

    def owner(self, name: str) -> str:
        """Return the name of the colour of a sub-account or product."""
        return palette.owner(self.owners.index(name))

    def owned(self, points: Callable[[Day], Mapping[str, Decimal | None]]) -> list[drawing.Series]:
        """Return a series for each sub-account.

        points  figures of an evening by sub-account
        """
        found = [points(day) for day in self.evenings]
        names = dict.fromkeys(name for point in found for name in point)
        return [
            drawing.Series(name, self.owner(name), [point.get(name) for point in found])
            for name in sorted(names, key=self.owners.index)
        ]

    def bars(
        self,
        title: str,
        colours: Mapping[str, str],
        sums: Callable[[Day, Day], Mapping[str, Mapping[str, Decimal]]],
    ) -> Iterator[drawing.Picture]:
        """Yield bars for each coin that the figures are in after Fava's conversion.

        colours  those of the parts of a bar, by name
        sums     of the days from one to another in coins, by part and coin
        """
        found = [
            {part: self.converted(coins, last) for part, coins in sums(first, last).items()}
            for first, last in self.spans
        ]
        coins = sorted({coin for point in found for part in point.values() for coin in part})
        for coin in coins:
            series = [
                drawing.Series(
                    part, colour, [point.get(part, {}).get(coin, ZERO) for point in found]
                )
                for part, colour in colours.items()
            ]
            picture = drawing.bars(title, coin, self.dates, series)
            if picture is not None:
                yield picture

    def shown(self, pictures: Iterable[drawing.Picture | None]) -> list[drawing.Picture]:
        """Return the pictures that say something; none in incognito mode: shapes are figures."""
        return [] if self.incognito else [it for it in pictures if it is not None]

    def tick(self, picture: drawing.Picture, tick: Decimal) -> str:
        """Return the label of an axis."""
        step = picture.ticks[0] - picture.ticks[1]
        places = max(0, -int(step.normalize().as_tuple().exponent))
        return self.grouped(for_the_eye(tick, places) or "")

    @staticmethod
    def exact(strip: drawing.Strip) -> dict[str, str]:
        """Return the exact figures of a point by name."""
        return {name: format(value, "f") for name, value in strip.values.items()}

    def point(self, picture: drawing.Picture, strip: drawing.Strip) -> str:
        """Return the figures of a point, a line each, for a pointer."""
        unit = f" {picture.unit}"
        return "\n".join(
            [strip.date]
            + [f"{name} {self.coins(format(it, 'f'))}{unit}" for name, it in strip.values.items()]
        )
