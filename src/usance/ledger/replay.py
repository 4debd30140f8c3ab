"""Replay: days of a ledger lived again from the first one, as reports need them."""

import contextlib
import gc
from collections import deque
from collections.abc import Iterable, Iterator

from usance.engine import loop
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language.reading import Reading
from usance.model.hours import Day


@contextlib.contextmanager
def no_collection_of_cycles() -> Iterator[None]:
    """Hold off the collector of cycles: directives and states have none, so it finds nothing.

    It would walk the growing list again and again. After freeze and unfreeze all objects count as
    old: the collector does not walk them as soon as it may run again.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def evenings(reading: Reading, last: Day) -> Iterator[tuple[LivedDay, State]]:
    """Live all days again from the first one, closed ones included, each with its evening's state.

    It is one state, which each day changes: a caller that keeps it takes a copy.
    """
    state = State()
    if reading.book.first is not None:
        with no_collection_of_cycles():
            for day in loop.run(reading.book, state, reading.book.first, last):
                yield day, state


def with_own_states(lived: Iterable[tuple[LivedDay, State]]) -> list[tuple[LivedDay, State]]:
    """Return days, each with its own copy of the evening's state."""
    return [(day, state.copy()) for day, state in lived]


def live(reading: Reading, last: Day) -> Iterator[LivedDay]:
    """Live all days again, as reports need them."""
    return (day for day, _ in evenings(reading, last))


def evening(reading: Reading, day: Day) -> State:
    """Return the state of all sub-accounts and products at the end of a day."""
    lived = deque(evenings(reading, day), maxlen=1)
    return lived[0][1] if lived else State()
