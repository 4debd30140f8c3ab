"""Posters: who posted a transaction, a person at a place or Usance under an id."""

from typing import NamedTuple

from beancount.core.data import Transaction

from usance.language.directive import source_of
from usance.language.provenance import ClosedMonths, is_generated
from usance.ledger import plugin_lines
from usance.ledger.load import Ledger


class Poster(NamedTuple):
    """Who posted a transaction, and its words.

    id          of a generated transaction, else ""
    file, line  its place; of a virtual one, that of the plugin line that makes it
    narration   payee and narration
    """

    id: str
    file: str
    line: int
    narration: str


class Posters:
    """Finder of who posted the transactions of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.months = ClosedMonths(ledger.folder)
        self.plugin = plugin_lines.plugin_line(ledger.options)

    def is_ours(self, entry: Transaction) -> bool:
        """Tell whether Usance posted a transaction, virtual or in the file of a closed day."""
        return is_generated(entry) or self.months.wrote(entry)

    def of(self, entry: Transaction) -> Poster:
        """Return who posted a transaction."""
        source = self.plugin if is_generated(entry) else source_of(entry.meta)
        identity = str(entry.meta["usance"]) if self.is_ours(entry) else ""
        words = " | ".join(filter(None, (entry.payee, entry.narration)))
        return Poster(identity, *source, words)
