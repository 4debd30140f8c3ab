"""Books: the answers of one load of a ledger, for Python, the commands and Fava's pages.

    books = usance.load("main.beancount")
    books.statement(date(2025, 5, 1), date(2025, 5, 31))

Days are dates, the last one included; without them an answer is of all days of the books, or of the
last one. A day may lie beyond the last one: the days until then are lived with the terms and prices
that are in force then. Amounts are Decimals with all their digits, in the operating currency if
nothing else is said; None stands for what cannot be computed, and `problems` of an answer says why.
"""

import datetime
import errno
import os
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from beancount.core.data import Transaction

from usance.close import daily_text
from usance.close.days import first_day
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.explain import explanation
from usance.explain.explanation import Explanation
from usance.language import prices as prices_of
from usance.language.directive import source_of
from usance.language.doubts import doubts
from usance.language.horizon import FAR
from usance.language.reading import Reading
from usance.ledger.errors import Message, told, told_of
from usance.ledger.load import Ledger
from usance.ledger.load import load as load_ledger
from usance.ledger.plugin_lines import enabled
from usance.ledger.questions import NoCurrencyError, NoDayYetError, QuestionError
from usance.model import problems
from usance.model.hours import Day, date_of, day_of
from usance.model.problems import Source, once
from usance.model.quotes import Quotes
from usance.reports import balance_sheets, movements
from usance.reports import basis as bases
from usance.reports import efficiency as efficiency_reports
from usance.reports import lending as lending_reports
from usance.reports import margin as margin_reports
from usance.reports import pnl as pnl_reports
from usance.reports import statement as statement_reports
from usance.reports import status as status_reports
from usance.reports import yields as yield_reports
from usance.reports.balance_sheets import Accounts
from usance.reports.contributions import (
    WHOLE,
    Contributions,
    NoSuchLineError,
    contributions,
    lines_of,
)
from usance.reports.efficiency import Efficiency
from usance.reports.lending import Lending
from usance.reports.margin import Evening, Margin, Stress
from usance.reports.movements import Balance
from usance.reports.performance import Span, parts_of
from usance.reports.pnl import Pnl
from usance.reports.statement import Statement, Values
from usance.reports.status import Status
from usance.reports.yields import Reserves, Yields

Date = datetime.date | None
"""A day of a question, or None for the first or the last one."""

BASES = (bases.POSTED, bases.CORRECTED)


def load(path: str | os.PathLike[str]) -> "Books":
    """Load a ledger; a ledger with errors loads too, and `errors` has them.

    FileNotFoundError or another OSError if the ledger or a file of closed days cannot be read,
    BrokenPluginError if code that the ledger loads raises an exception.
    """
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return Books(load_ledger(str(path)))


Asker = TypeVar("Asker", bound="Books")
Answer = TypeVar("Answer")
P = ParamSpec("P")


def kept(
    report: Callable[Concatenate[Asker, P], Answer],
) -> Callable[Concatenate[Asker, P], Answer]:
    """Keep the answers of a method of `Books`: each question is worked out once.

    Threads that ask at the same time wait for the first one. An exception is not kept.
    """

    @wraps(report)
    def answer(self: Asker, /, *asked: P.args, **named: P.kwargs) -> Answer:
        key = (report.__name__, asked, tuple(named.items()))
        if key not in self.answers:
            with self.lock:
                if key not in self.answers:
                    self.answers[key] = report(self, *asked, **named)
        known: Answer = self.answers[key]
        return known

    return answer


class Books:
    """The answers of a ledger that was loaded; a load has its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.reading: Reading = ledger.read()
        self.answers: dict[Hashable, Any] = {}
        # An answer may ask for another one.
        self.lock = threading.RLock()

    # The ledger

    @property
    def errors(self) -> tuple[Message, ...]:
        """The errors of the ledger: while there is one, a figure may be wrong."""
        return tuple(map(told, self.ledger.errors))

    @property
    def findings(self) -> tuple[Message, ...]:
        """The facts about accounts that somebody should know."""
        return tuple(map(told, self.ledger.findings))

    @property
    @kept
    def doubts(self) -> tuple[Message, ...]:
        """What is legal in the ledger, and probably not meant."""
        ledger = self.ledger
        sources = [source_of(error.source or {}) for error in ledger.errors]
        stages = enabled(ledger.options)
        found = doubts(ledger.entries, self.reading, stages, ledger.path, sources)
        return tuple(map(told_of, found))

    @property
    def operating(self) -> str:
        """The operating currency, or ""."""
        return self.reading.book.operating

    @property
    def first(self) -> datetime.date | None:
        """The first day of the books, or None if they have no day yet."""
        return None if self.first_day is None else date_of(self.first_day)

    @property
    def last(self) -> datetime.date | None:
        """The last day of the books, or None if they have no day yet."""
        return date_of(self.last_day) if self.last_day > 0 else None

    @property
    def first_day(self) -> Day | None:
        """The first day with a movement or a seal, or None if the last day is before it."""
        days = (self.reading.book.first, first_day(self.reading))
        return min((day for day in days if day is not None and day <= self.last_day), default=None)

    @property
    def last_day(self) -> Day:
        """The last day: the horizon, or the last closed one."""
        return self.reading.last

    @property
    @kept
    def by_day(self) -> Ledger:
        """The ledger in which compacted months stand as their days; the same without any."""
        return daily_text.by_day(self.ledger)

    def since(self, day: Day) -> Ledger:
        """Return the ledger of which a question about a day and later ones is asked."""
        months = self.reading.months
        return self.by_day if months and day <= day_of(months[-1].date) else self.ledger

    # Periods

    def statement(
        self,
        from_: Date = None,
        to: Date = None,
        *,
        by: str | None = None,
        basis: str = bases.POSTED,
        sub_account: str | None = None,
    ) -> Statement:
        """Return what a period did to the value of each sub-account, product, and of the whole.

        by           day, week, month, quarter or year: an interval for each; None: one for all
        basis        posted or corrected: which truth of closed days
        sub_account  the name of a sub-account or product, if no other part is wanted
        """
        span = self.period(from_, to)
        _one_of("by", by, statement_reports.INTERVALS)
        _one_of("basis", basis, BASES)
        answer = self._statement(span, by, basis)
        _one_of("sub-account", sub_account, [part.name for part in answer.parts[:-1]])
        if sub_account is None:
            return answer
        return replace(
            answer, parts=tuple(part for part in answer.parts if part.name == sub_account)
        )

    @kept
    def _statement(self, span: Span, by: str | None, basis: str) -> Statement:
        ledger = self.since(span[0])
        return statement_reports.statement(ledger, ledger.read(), span, by, basis)

    def pnl(
        self,
        from_: Date = None,
        to: Date = None,
        *,
        basis: str = bases.POSTED,
        sub_account: str | None = None,
    ) -> Pnl:
        """Return profit and loss by sub-account and contract or coin, and the trades closed.

        basis        posted or corrected: which truth of closed days
        sub_account  the name of a sub-account, if no other one is wanted
        """
        span = self.period(from_, to)
        _one_of("basis", basis, BASES)
        self._known(sub_account)
        answer = self._pnl(span, basis)
        if sub_account is None:
            return answer
        return replace(
            answer,
            rows=tuple(row for row in answer.rows if row.sub_account == sub_account),
            trades=tuple(trade for trade in answer.trades if trade.sub_account == sub_account),
        )

    @kept
    def _pnl(self, span: Span, basis: str) -> Pnl:
        ledger = self.since(span[0])
        return pnl_reports.pnl(ledger, ledger.read(), span, basis)

    @kept
    def values(self, every: str = "day", to: Date = None, *, basis: str = bases.POSTED) -> Values:
        """Return net asset values over time, from the first day on.

        every  day, week, month, quarter or year: the last evening of each
        basis  posted or corrected: which truth of closed days
        """
        self._must_have_currency()
        _one_of("every", every, statement_reports.INTERVALS)
        _one_of("basis", basis, BASES)
        last = self.evening_asked(to, "to")
        span = self.first_day or last, last
        ledger = self.since(span[0])
        return statement_reports.values(ledger, ledger.read(), span, every, basis)

    @kept
    def lending(
        self,
        from_: Date = None,
        to: Date = None,
        *,
        by: str | None = None,
        basis: str = bases.POSTED,
    ) -> Lending:
        """Return interest by sub-account, coin and side, and the balance of each pool.

        by     day, month or year; None: day, or month of a period of more than 45 days
        basis  posted or corrected: which truth of closed days
        """
        span = self._span(from_, to)
        _one_of("by", by, lending_reports.INTERVALS)
        _one_of("basis", basis, BASES)
        return lending_reports.lending(self.ledger, self.reading, span, basis, by)

    @kept
    def yields(
        self,
        from_: Date = None,
        to: Date = None,
        *,
        by: str | None = None,
        basis: str = bases.POSTED,
    ) -> Yields:
        """Return the yield of each holder of a product by source: lending, treasury, bonus.

        by     day, month or year: the same of each interval; None: by month of more than 45 days
        basis  posted or corrected: which truth of closed days
        """
        span = self._span(from_, to)
        _one_of("by", by, lending_reports.INTERVALS)
        _one_of("basis", basis, BASES)
        return yield_reports.split(self.ledger, self.reading, span, basis, by)

    def _span(self, from_: Date, to: Date) -> Span | None:
        """Return the days that are asked for; None of books without a movement."""
        end = self.evening_asked(to, "to")
        self.must_be_near(from_, "from")
        begin = self.reading.book.first if from_ is None else day_of(from_)
        return None if begin is None else (begin, end)

    # Evenings

    @kept
    def reserves(self, at: Date = None, *, basis: str = bases.POSTED) -> Reserves:
        """Return what backs each product that holds bills, at the end of a day.

        basis  posted or corrected: which truth of closed days
        """
        _one_of("basis", basis, BASES)
        day = self.last_day if at is None else self.evening_asked(at)
        return yield_reports.reserves(self.ledger, self.reading, day, basis)

    def status(self, at: Date = None) -> Status:
        """Return what a person asks first, of one evening: value, margin in use, what comes next.

        Its problems are missing prices, and prices and rates that are older than their limits.
        """
        answer = self.standing(at)
        findings = list(self.findings)
        # Findings of days up to the horizon are the ledger's own already.
        beyond = day_of(answer.at) > self.last_day
        if beyond or any(not problem.finding for problem in answer.problems):
            seen = map(told_of, once(answer.problems))
            findings += [message for message in seen if message not in findings]
        return replace(
            answer, findings=tuple(map(str, findings)), doubts=tuple(map(str, self.doubts))
        )

    @kept
    def standing(self, at: Date = None) -> Status:
        """Return the status of an evening without findings and doubts."""
        _, day = self.period(None, at, "at")
        ledger = self.since(status_reports.first_of(day))
        return status_reports.status(ledger, ledger.read(), day)

    @kept
    def accounts(
        self, at: Date = None, *, basis: str = bases.POSTED, at_cost: bool = False
    ) -> Accounts:
        """Return a balance sheet for each sub-account and each product backed by bills.

        basis    posted or corrected: which truth of closed days
        at_cost  lots count at their booked cost, all else at its price
        """
        self._must_have_currency()
        _one_of("basis", basis, BASES)
        day = self.evening_asked(at)
        ledger = self.since(day)
        return balance_sheets.accounts(ledger, ledger.read(), date_of(day), basis, at_cost=at_cost)

    def margin(
        self,
        at: Date = None,
        *,
        prices: Mapping[str, Decimal] | None = None,
        basis: str = bases.POSTED,
        sub_account: str | None = None,
    ) -> Margin:
        """Return the margin of each sub-account at the end of a day.

        prices       other prices: of a coin in the operating currency, of a contract in its settle
                     coin; settlements and borrows stay as they are
        basis        posted or corrected: which truth of closed days
        sub_account  the name of a sub-account, if no other one is wanted
        """
        seen = self._asked(at, basis, sub_account)
        for commodity, price in (prices or {}).items():
            self._must_be_held(seen, "price", commodity)
            if price <= 0:
                raise QuestionError(
                    "price", f"{commodity}: {price} is not above zero. Write a price above zero."
                )
        if prices:
            return margin_reports.margin(self.reading, seen, prices)
        return self._margin(seen.day, basis, sub_account)

    @kept
    def _margin(self, day: Day, basis: str, sub_account: str | None) -> Margin:
        return margin_reports.margin(self.reading, self.evening(day, basis, sub_account), {})

    def stress(
        self,
        shocks: Mapping[str, Mapping[str, Decimal]],
        at: Date = None,
        *,
        basis: str = bases.POSTED,
        sub_account: str | None = None,
    ) -> Stress:
        """Return the margin of each sub-account at the end of a day under groups of shocks.

        shocks       by the name of a group, the moves that happen together: by coin or contract,
                     a fraction of its price, such as Decimal("-0.2"); that of a coin moves the
                     marks of contracts over it too
        basis        posted or corrected: which truth of closed days
        sub_account  the name of a sub-account, if no other one is wanted
        """
        seen = self._asked(at, basis, sub_account)
        for moves in shocks.values():
            for commodity, move in moves.items():
                self._must_be_held(seen, "shock", commodity)
                if move <= -1:
                    raise QuestionError(
                        "shock",
                        f"{commodity}: no price can fall by 100 % or more. Write a smaller fall.",
                    )
        factors = {
            name: {commodity: 1 + move for commodity, move in moves.items()}
            for name, moves in shocks.items()
        }
        return margin_reports.stress(self.reading, seen, factors)

    @kept
    def efficiency(self, at: Date = None, *, basis: str = bases.POSTED) -> Efficiency:
        """Return one capital and its simultaneous uses, of each sub-account at the end of a day.

        basis  posted or corrected: which truth of closed days
        """
        _one_of("basis", basis, BASES)
        day = self.evening_asked(at)
        state = self._state(day, basis)
        return efficiency_reports.efficiency(self.reading, state, day, self.others, basis)

    @kept
    def evening(self, day: Day, basis: str, sub_account: str | None = None) -> Evening:
        """Return the state of sub-accounts at the end of a day, priced."""
        state = self._state(day, basis)
        return margin_reports.priced(self.reading, state, day, self.others, basis, sub_account)

    @kept
    def _state(self, day: Day, basis: str) -> State:
        """Return the state of all sub-accounts and products at the end of a day."""
        return bases.evening(self.ledger, self.reading, day, basis)

    @property
    @kept
    def others(self) -> Quotes:
        """Prices of commodities without terms."""
        return prices_of.others(self.reading.book, self.ledger.entries)

    # What is behind a figure

    @kept
    def balance(
        self,
        name: str,
        commodity: str,
        at: Date = None,
        *,
        from_: Date = None,
        basis: str = bases.POSTED,
    ) -> Balance:
        """Return what moved a commodity of a sub-account or product, and who posted it.

        at     the last day
        from_  the first day, or None for the last one alone
        basis  posted or corrected: which truth of closed days
        """
        _one_of("basis", basis, BASES)
        self.must_be_near(from_, "from")
        last = self.evening_asked(at, "")
        first = last if from_ is None else day_of(from_)
        if first > last:
            raise QuestionError(
                "from", f"{from_} is after {date_of(last)}. Write a day that is not."
            )
        self._part(name, [*parts_of(self.reading)])
        ledger = self.since(first)
        try:
            return movements.balance(ledger, ledger.read(), name, commodity, (first, last), basis)
        except movements.NeverHeldError as error:
            held = f"Write one of: {', '.join(error.held)}." if error.held else "It held nothing."
            raise QuestionError(
                "", f"{name} never held {commodity} until {date_of(last)}. {held}"
            ) from None

    @kept
    def contributions(
        self,
        name: str,
        line: str,
        from_: Date = None,
        to: Date = None,
        *,
        about: str | None = None,
        basis: str = bases.POSTED,
    ) -> Contributions:
        """Return the transactions and moves of prices that add to a line of a statement.

        name   a sub-account, a product, or "whole"
        line   a line of a statement, opening or closing
        about  the name of the line in the statement: a contract, a coin, an account; None: all
        basis  posted or corrected: which truth of closed days
        """
        _one_of("basis", basis, BASES)
        span = self.period(from_, to, "")
        self._part(name, [*parts_of(self.reading), WHOLE])
        lines = lines_of(self.reading, name)
        if line not in lines:
            raise QuestionError(
                "", f"{line!r} is no line of {name}. Write one of: {', '.join(lines)}."
            )
        ledger = self.since(span[0])
        try:
            return contributions(ledger, ledger.read(), span, name, (line, about), basis)
        except NoSuchLineError as error:
            names = ", ".join(error.names) or "no name"
            raise QuestionError(
                "", f"{line} is not about {about!r} in this period. Write one of: {names}."
            ) from None

    @staticmethod
    def _part(name: str, names: Collection[str]) -> None:
        if name not in names:
            raise QuestionError(
                "",
                f"{name!r} is no sub-account, and no product backed by bills. Write one of: "
                f"{', '.join(names)}.",
            )

    @property
    @kept
    def ids(self) -> dict[str, Transaction]:
        """The generated transactions by id, in order of date, those of compacted months too."""
        return explanation.ids(self.by_day)

    @kept
    def explain(self, identity: str, *, hours: bool = False) -> Explanation:
        """Return the arithmetic behind a generated transaction, starting from the directives.

        identity  its id, such as lending/2025-05-01/Main: see `ids`
        hours     tell each hour's principal and rate too
        """
        if identity not in self.ids:
            close = explanation.nearest(identity, self.ids)
            hint = "Write an id such as lending/2025-05-01/Main."
            if close:
                hint = f"Write one such as {', '.join(close)}."
            raise QuestionError("", f"no transaction has the id {identity!r}. {hint}")
        entry = self.ids[identity]
        days = self._kept_evenings()
        return explanation.explain(self.by_day, entry, detailed=hours, evenings=days)

    def _kept_evenings(self) -> Iterable[tuple[LivedDay, State]] | None:
        """Return all days, each with the state at its end, if this load has kept them, or None."""
        return None

    # Questions

    def period(self, from_: Date, to: Date, last: str = "to") -> Span:
        """Return the days that are asked for, all of them if none is.

        last  the argument that names the last day
        """
        self._must_have_plugins()
        self._must_have_currency()
        if self.first_day is None:
            raise NoDayYetError
        self.must_be_near(from_, "from")
        begin = self.first_day if from_ is None else day_of(from_)
        end = self.evening_asked(to, last)
        if begin > end:
            raise QuestionError(
                "",
                f"The period would begin on {date_of(begin)} and end on {date_of(end)}. Write a "
                "first day that is not after the last one.",
            )
        return begin, end

    def evening_asked(self, at: Date, argument: str = "at") -> Day:
        """Return the day that is asked for, or the last one of the books."""
        self._must_have_plugins()
        self.must_be_near(at, argument)
        return max(Day(1), self.last_day) if at is None else day_of(at)

    def must_be_near(self, asked: Date, argument: str) -> None:
        """Refuse a day of books without days, and one so far ahead that its year is mistyped."""
        if asked is None:
            return
        if not self.last_day:
            raise QuestionError(
                argument, f"{asked}: the books have no day yet. Write a transaction first."
            )
        if day_of(asked) - self.last_day > FAR:
            raise QuestionError(
                argument,
                f"{asked} is more than ten years after {date_of(self.last_day)}, the last day of "
                "the books. Correct the year.",
            )

    def _must_have_plugins(self) -> None:
        """Refuse a ledger whose terms no plugin line puts to use, and that says so.

        Each figure would be a zero that nobody computed.
        """
        if not enabled(self.ledger.options) and self.ledger.errors:
            raise QuestionError("", str(self.errors[0]))

    def _must_have_currency(self) -> None:
        if not self.ledger.options["operating_currency"]:
            at = Source(self.ledger.path, 1)
            raise NoCurrencyError(problems.no_operating_currency(at))

    def _asked(self, at: Date, basis: str, sub_account: str | None) -> Evening:
        _one_of("basis", basis, BASES)
        day = self.evening_asked(at)
        self._known(sub_account)
        return self.evening(day, basis, sub_account)

    def _must_be_held(self, seen: Evening, about: str, commodity: str) -> None:
        """Refuse a commodity if no figure depends on it."""
        held = margin_reports.commodities(seen)
        if commodity == self.operating:
            raise QuestionError(
                about,
                f"{commodity}: figures are in {commodity}, so its price is 1. Name another "
                "commodity.",
            )
        if commodity not in held and not seen.problems:
            names = ", ".join(sorted(held - {self.operating})) or "nothing"
            raise QuestionError(
                about, f"{commodity}: no sub-account holds or owes it. Held or owed: {names}."
            )

    def _known(self, sub_account: str | None) -> None:
        _one_of("sub-account", sub_account, sorted(self.reading.book.sub_accounts))


def _one_of(about: str, name: str | None, names: Collection[str]) -> None:
    """Refuse a name of nothing."""
    if name is not None and name not in names:
        hint = f" Write one of: {', '.join(names)}." if names else ""
        raise QuestionError(about, f"{name}: there is none of this name.{hint}")
