"""Replay: days of a ledger lived again from the first one, as reports need them."""

import contextlib
import gc
from collections import deque
from collections.abc import Iterable, Iterator

from usance.engine import loop as engine
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language.reading import Reading


@contextlib.contextmanager
def no_collection_of_cycles() -> Iterator[None]:
    """Hold off the collector of cycles: what is made has none, so it would look in vain.

    It would walk the growing list again and again. Thawed, it all counts as old: the
    collector does not walk it as soon as it may run again.
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


def evenings(reading: Reading, last: int) -> Iterator[tuple[LivedDay, State]]:
    """Live all days again from the first one, closed ones included, each with its evening's state.

    It is one state, which goes along: who keeps it takes a copy.
    """
    state = State()
    if reading.book.first is not None:
        with no_collection_of_cycles():
            for day in engine.run(reading.book, state, reading.book.first, last):
                yield day, state


def kept(lived: Iterable[tuple[LivedDay, State]]) -> list[tuple[LivedDay, State]]:
    """Return days, each with an evening's state of its own."""
    return [(day, state.copy()) for day, state in lived]


def live(reading: Reading, last: int) -> Iterator[LivedDay]:
    """Live all days again, as reports need them."""
    return (day for day, _ in evenings(reading, last))


def evening(reading: Reading, day: int) -> State:
    """Return what sub-accounts have at the end of a day."""
    lived = deque(evenings(reading, day), maxlen=1)
    return lived[0][1] if lived else State()
