"""The seam: what one venue gives, so that its rows become ledger text.

A venue is a value of `Venue`, listed in `catalog.py`. It reads files of its own shapes into the
rows of `rows.py`, and tells which commodity a symbol is. All else, the set of rows, the posting
map, the text, is the same for each venue.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from usance.venues.rows import Row


class Page(NamedTuple):
    """The rows of one file.

    kind      one of `FEEDS`; or the name of a kind that is only checked, as `position history`; or
              that of a log whose rows are of several feeds, as `FEED_OF` tells of each;
              "" if there is no row, so that nothing tells the kind
    rows      of feeds; none of a kind that is only checked
    size      rows in the file
    new       names of fields that are not known, sorted
    findings  sentences on the file that a person should read; the name of the file is not in them
    """

    kind: str
    rows: Sequence[Row]
    size: int
    new: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class Market(NamedTuple):
    """What is traded under a symbol: a contract or a coin, against a coin; all as commodities."""

    base: str
    quote: str
    contract: bool


class Symbols(Protocol):
    """The commodities of a venue's symbols; two symbols on one commodity are refused."""

    def coin(self, symbol: str) -> str:
        """Return the commodity of a coin; `Misread` if it has none."""

    def market(self, symbol: str) -> Market:
        """Return what is traded under a symbol; `Misread` if it is no market that is booked."""


def _none(_pages: Iterable[Page]) -> None:
    """Refuse no files."""


@dataclass(frozen=True)
class Venue:
    """What one venue gives.

    name     as in `custom "feed" "Main" "backpack"`, a folder of downloads, a key of metadata
    read     name and bytes of a file -> its rows; `Misread` with the row for what is not right
    symbols  symbol -> commodity as a person states it -> the rule for all of them
    fetches  whether it can be asked for its rows, public answers and snapshots; if not, its files
             are those that a person downloads
    refuse   refuses files of one account that cannot stand beside each other: `Misread` names two
    """

    name: str
    read: Callable[[str, bytes], Page]
    symbols: Callable[[Mapping[str, str]], Symbols]
    fetches: bool
    refuse: Callable[[Iterable[Page]], None] = _none
