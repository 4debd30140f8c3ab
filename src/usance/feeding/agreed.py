"""Agreed: values that several files say, each under its key, and that must be one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from usance.feeding.downloads import RefusedError
from usance.venues.numbers import Misread

K = TypeVar("K")
V = TypeVar("V")


class Where(NamedTuple):
    """A file as messages name it, and a row in it, from 1."""

    file: str
    row: int

    def __str__(self) -> str:
        """Name the place."""
        return f"{self.file}, row {self.row}"


class Agreed(Generic[K, V]):
    """Values by key. If two files disagree, neither is taken: it is an error that shows both.

    told  says a key and a value for the error
    """

    def __init__(self, told: Callable[[K, V], str]) -> None:
        self._told = told
        self._found: dict[K, tuple[V, Where]] = {}

    def add(self, key: K, value: V, where: Where) -> None:
        """Take in a value; RefusedError if another file says another one."""
        known, place = self._found.setdefault(key, (value, where))
        if known != value:
            raise RefusedError(
                f"{where}: {self._told(key, value)}, but in {place} it is "
                f"{self._told(key, known)}. Move the wrong file away."
            )

    def values(self) -> dict[K, V]:
        """Return all values."""
        return {key: value for key, (value, _) in self._found.items()}


@contextmanager
def told_of(file: str) -> Iterator[None]:
    """Say the file in front of what is wrong in it."""
    try:
        yield
    except Misread as error:
        raise RefusedError(f"{file}: {error}.") from error
