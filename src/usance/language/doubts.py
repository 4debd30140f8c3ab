"""Doubts: what is legal in a ledger, and probably not meant.

Only `usance check` asks for them: no figure rests on a doubt, and a load does not compute one.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

from beancount.core.data import Custom, Directive, Transaction

from usance.language import doubtful_events, doubtful_terms, spelling
from usance.language.directive import is_sure, source_of
from usance.language.doubtful import Doubtful
from usance.language.provenance import DAY_CLOSE, DAY_CORRECT, MONTH_CLOSE, has_id, is_generated
from usance.language.reading import Reading
from usance.model.problems import Problem, Source
from usance.model.terms import Stage

RULES = (*spelling.RULES, *doubtful_terms.RULES, *doubtful_events.RULES)


def doubts(
    entries: Iterable[Directive],
    reading: Reading,
    stages: frozenset[Stage],
    top: str,
    errors: Collection[Source] = (),
) -> list[Problem]:
    """Return the doubts of a ledger of which no directive says that it is right, by file and line.

    entries  of the ledger, generated ones included
    stages   that plugin lines enable
    top      the file in which the ledger begins
    errors   the places of its errors: a doubt that only follows from one is left out
    """
    every = [entry for entry in entries if _is_booked(entry)]
    written = [entry for entry in every if _is_written(entry)]
    books = Doubtful(reading, stages, top, written, every)
    silent = {source_of(entry.meta) for entry in written if is_sure(entry)}.union(errors)
    rules = RULES if errors else (*RULES, *doubtful_events.COMPUTED)
    told = {doubt for rule in rules for doubt in rule(books) if doubt.source not in silent}
    return sorted(told, key=lambda doubt: (doubt.source, doubt.name, doubt.message))


def _is_written(entry: Directive) -> bool:
    """Tell whether a person wrote a directive: no plugin, and not `usance accrue`."""
    if is_generated(entry) or str(entry.meta.get("filename", "<")).startswith("<"):
        return False
    match entry:
        case Transaction():
            return not has_id(entry)
        case Custom():
            return entry.type not in (DAY_CLOSE, DAY_CORRECT, MONTH_CLOSE)
    return True


def _is_booked(entry: Directive) -> bool:
    """Tell whether all amounts of a directive are there: a plugin may leave one out."""
    return not isinstance(entry, Transaction) or all(
        posting.units is not None and isinstance(posting.units.number, Decimal)
        for posting in entry.postings
    )
