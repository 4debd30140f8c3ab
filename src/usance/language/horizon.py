"""Horizon: the last day of which a ledger speaks, and the leaps over days of which nobody does."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, pairwise
from typing import Any, NamedTuple

from beancount.core.data import Balance, Custom, Directive, Price, Transaction

from usance.language import lending_terms
from usance.language.directive import is_sure
from usance.language.schedule import KEYS, NO_INPUTS, Schedule
from usance.model.hours import NO_DAY, Day, day_of

LEAP = 400
"""The days after which the next date of a ledger may be a mistyped year: a doubt."""

FAR = 3660
"""The days after which it surely is one, and the horizon does not follow: ten years, and some."""


CENTURY = 36525
"""The same, if a person asks for the days until then with `accrue-through`."""


class Leap(NamedTuple):
    """Two days between which a ledger says nothing for more than `LEAP` days."""

    before: Day
    after: Day

    @property
    def days(self) -> int:
        """The days from one to the other."""
        return self.after - self.before


def speaking(kinds: Mapping[type, list[Any]]) -> Iterator[Directive]:
    """Yield the directives whose date says that days go on until then."""
    ours = KEYS.keys() - set(NO_INPUTS)
    terms = (entry for entry in kinds[Custom] if entry.type in ours)
    return chain(kinds[Transaction], kinds[Balance], kinds[Price], terms)


def asking(kinds: Mapping[type, list[Any]]) -> Iterator[tuple[Day, Custom]]:
    """Yield the directives that ask for days, each with the last day that it asks for."""
    for entry in filter(_asks, kinds[Custom]):
        yield lending_terms.accrue_through(entry)[0], entry


def _asks(entry: Custom) -> bool:
    return bool(entry.type == "accrue-through")


def horizon(
    kinds: Mapping[type, list[Any]], terms: Schedule, seals: Iterable[Custom], first: Day | None
) -> tuple[Day, list[Leap]]:
    """Return the last day of which a ledger speaks, and its leaps, in order of time.

    That day is the one before the last directive, or the one that a person asked to accrue. If a
    leap takes more than `FAR` days, or `CENTURY` if a person asks for them, it is the last one
    before it: a mistyped year costs no time.

    first  day of the book, or None; what is dated before it says nothing about days
    """
    # Fewer dates than directives: a set of dates is faster than their days one by one.
    spoken = set(map(day_of, {entry.date for entry in speaking(kinds)}))
    asked = {day for day, _ in asking(kinds)}
    # A closed day was meant, and so was one for which a file has a rate.
    others = {day_of(seal.date) for seal in seals}
    for _, _, _, rows in chain(terms.files, terms.yield_files):
        others.update(row[0] for row in rows)
    days = sorted(day for day in spoken | asked | others if first is not None and day >= first)
    leaps = [
        Leap(before, after)
        for before, after in pairwise(days)
        if after - before > LEAP and not any(map(is_sure, _at(kinds, after)))
    ]
    through = max(asked, default=NO_DAY)
    far = [leap for leap in leaps if leap.days > (CENTURY if leap.after in asked else FAR)]
    if far:
        return max(day for day in spoken | asked if day <= far[0].before), leaps
    latest = max(spoken, default=NO_DAY)
    return max(Day(latest - 1), through, NO_DAY), leaps


def _at(kinds: Mapping[type, list[Any]], day: Day) -> Iterator[Directive]:
    """Yield the directives that speak of a day, or ask for it."""
    yield from (entry for entry in speaking(kinds) if day_of(entry.date) == day)
    yield from (entry for asked, entry in asking(kinds) if asked == day)
