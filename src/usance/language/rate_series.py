"""Rate series: the rates of pools or products in force, quoted in directives or read from files."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from usance.language.directive import RatesFile, Term
from usance.language.rate_files import Row, Rows
from usance.model.hours import Day, Moment, moment
from usance.model.problems import Problem, Source
from usance.model.timeline import Timeline

V = TypeVar("V")
R = TypeVar("R")

Files = list[tuple[str, str, Day, Sequence[Row[V]]]]
"""Rows in force: coin or product, path, first day that they count, rows."""


@dataclass(slots=True)
class Series(Generic[V, R]):
    """Directives of rates of one kind: each quotes a rate, or names a file of them.

    read   reads a file: folder, path, directive
    given  the rate that a directive quotes itself
    files  rows by path; each file is read once
    """

    read: Callable[[str, str, Source], Rows[R]]
    given: Callable[[V, Source], R]
    files: dict[str, list[Row[R]]] = field(default_factory=dict)

    def file(self, term: Term[V | RatesFile], folder: str) -> list[Problem]:
        """Read the file that a directive names, if it names one; return its problems."""
        faults: list[Problem] = []
        if isinstance(term.value, RatesFile) and term.value.path not in self.files:
            path = term.value.path
            self.files[path], faults = self.read(folder, path, term.source)
        return faults

    def is_lost(self, term: Term[V | RatesFile]) -> bool:
        """Tell whether a directive names a file that could not be read."""
        return isinstance(term.value, RatesFile) and not self.files[term.value.path]

    def in_force(
        self, terms: list[Term[V | RatesFile]], venues: Iterable[str]
    ) -> tuple[dict[tuple[str, str], Timeline[R | None]], Files[R]]:
        """Return the rates in force, by venue and name, and the rows that count.

        terms  in order of time
        """
        rates: dict[tuple[str, str], Timeline[R | None]] = {}
        for name in sorted({term.name for term in terms}):
            for venue in venues:
                here = [term for term in terms if term.name == name and term.venue in (None, venue)]
                if here:
                    rates[venue, name] = Timeline(self._changes(here))
        return rates, list(self._rows(terms))

    def _changes(self, terms: list[Term[V | RatesFile]]) -> Iterator[tuple[Moment, R | None]]:
        """Yield the moments at which a rate changes, with the rate from then on."""
        for term, later in zip(terms, [*terms[1:], None], strict=True):
            start = moment(term.day, term.seconds)
            if not isinstance(term.value, RatesFile):
                yield start, self.given(term.value, term.source)
                continue
            # A file is in force from its directive on, even if its rows begin later.
            yield start, None
            for day, seconds, rate in _span(self.files[term.value.path], term, later):
                yield max(start, moment(day, seconds)), rate

    def _rows(
        self, ordered: list[Term[V | RatesFile]]
    ) -> Iterator[tuple[str, str, Day, Sequence[Row[R]]]]:
        """Yield the rows of files, each from its directive to the next of the same name."""
        for index, term in enumerate(ordered):
            if isinstance(term.value, RatesFile):
                later = (
                    other
                    for other in ordered[index + 1 :]
                    if other.name == term.name and other.venue in (None, term.venue)
                )
                path = term.value.path
                yield term.name, path, term.day, _span(self.files[path], term, next(later, None))


def _span(rows: list[Row[R]], term: Term[V], later: Term[V] | None) -> list[Row[R]]:
    """Return the rows that count from a term to the next: the last one before it, and its own."""
    first = bisect_right(rows, (term.day, term.seconds), key=_time) - 1
    end = len(rows)
    if later is not None:
        end = bisect_left(rows, (later.day, later.seconds), key=_time)
    return rows[max(first, 0) : end]


def _time(row: Row[V]) -> tuple[Day, int]:
    return row[0], row[1]
