"""Doubtful: what the rules of doubts look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from beancount.core.data import Custom, Directive, Posting, Transaction

from usance.language.directive import Read, Term
from usance.language.reading import Reading
from usance.language.transactions import units_of
from usance.model.accounts import Side
from usance.model.book import Book
from usance.model.problems import Problem
from usance.model.terms import Stage

V = TypeVar("V")


@dataclass(frozen=True)
class Doubtful:
    """A ledger, as the rules of doubts look at it.

    stages   that plugin lines enable
    top      the file in which the ledger begins
    written  directives of a person
    every    all directives, generated ones included
    """

    reading: Reading
    stages: frozenset[Stage]
    top: str
    written: list[Directive]
    every: list[Directive]

    @property
    def book(self) -> Book:
        """The book of the ledger."""
        return self.reading.book

    @cached_property
    def customs(self) -> list[Custom]:
        """A person's custom directives."""
        return [entry for entry in self.written if isinstance(entry, Custom)]

    @cached_property
    def transactions(self) -> list[Transaction]:
        """A person's transactions."""
        return [entry for entry in self.written if isinstance(entry, Transaction)]

    @cached_property
    def moved(self) -> set[tuple[str, str]]:
        """Venue and coin of everything that a person ever moved in a sub-account."""
        book, moved = self.book, set[tuple[str, str]]()
        for entry in self.transactions:
            for posting in filter(self.is_held, entry.postings):
                name, _ = self.reading.chart.side(posting.account) or ("", None)
                if name in book.sub_accounts:
                    moved.add((book.venue(name), units_of(posting)[1]))
        return moved

    def is_held(self, posting: Posting) -> bool:
        """Tell whether a posting moves what a sub-account holds or owes."""
        place = self.reading.chart.side(posting.account)
        return place is not None and place[1] in HOLDING

    def terms(self, kind: str, reader: Callable[[Custom], Read[V]]) -> Iterator[Term[V]]:
        """Yield the directives of a kind that have no fault."""
        for entry in self.customs:
            if entry.type == kind:
                term = reader(entry).term
                if term is not None:
                    yield term


HOLDING = (Side.WALLET, Side.PERP, Side.BORROWED)

Rule = Callable[[Doubtful], Iterator[Problem]]
"""Yields the doubts of one sort."""
