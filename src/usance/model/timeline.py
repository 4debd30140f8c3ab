"""Timeline: the value in force at a moment."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from usance.model.hours import Moment

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Timeline(Generic[T]):
    """A sequence of values, each in force from its moment until the next one.

    It is built from (moment, value) pairs in order of time. Of several pairs at one moment the last
    one counts, and a value equal to the one before it is not a change.
    """

    __slots__ = ("moments", "values")

    def __init__(self, changes: Iterable[tuple[Moment, T]]) -> None:
        self.moments: list[Moment] = []
        self.values: list[T] = []
        for at, value in changes:
            if self.moments and self.moments[-1] == at:
                self.moments.pop()
                self.values.pop()
            if not self.values or self.values[-1] != value:
                self.moments.append(at)
                self.values.append(value)

    def at(self, moment: Moment) -> T | None:
        """Return the value in force at a moment, or None before the first one."""
        if self.moments and self.moments[-1] <= moment:
            return self.values[-1]
        index = bisect_right(self.moments, moment)
        return self.values[index - 1] if index else None

    def spans(self, first: Moment, end: Moment) -> Iterator[tuple[Moment, Moment, T | None]]:
        """Yield the spans from `first` until before `end`: first moment, end, value in force."""
        index = bisect_right(self.moments, first)
        value = self.values[index - 1] if index else None
        while index < len(self.moments) and self.moments[index] < end:
            yield first, self.moments[index], value
            first, value = self.moments[index], self.values[index]
            index += 1
        yield first, end, value

    def changes(self, first: Moment, last: Moment) -> list[Moment]:
        """Return the moments of changes from `first` to `last`, including both."""
        if not self.moments or self.moments[-1] < first:
            return []
        return self.moments[bisect_left(self.moments, first) : bisect_right(self.moments, last)]


def in_force(timelines: Mapping[K, Timeline[T]], key: K, moment: Moment) -> T | None:
    """Return the value of a key in force at a moment, or None."""
    timeline = timelines.get(key)
    return None if timeline is None else timeline.at(moment)
