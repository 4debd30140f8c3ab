"""Citations: the directives and rows that a figure rests on, with file, line and text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from beancount.core.data import Commodity, Custom, Directive, Price, Transaction

from usance.explain.working import Opening, Quoted, Reference, TermsInForce, Working
from usance.language.directive import source_of
from usance.language.prices import standing
from usance.language.provenance import ClosedMonths, is_generated
from usance.language.reading import Reading
from usance.ledger import plugin_lines
from usance.ledger.load import Ledger
from usance.model.accounts import Side
from usance.model.hours import Day, day_of, moment, seconds_of
from usance.model.problems import Source


@dataclass(frozen=True, slots=True)
class Used:
    """A directive or row that a figure rests on, as a person wrote it."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """The last transaction that changed a balance before the day.

    A generated transaction has an id. For a person's, the id is empty; file and line are its place.
    """

    account: str
    commodity: str
    id: str
    file: str
    line: int


class Citations:
    """Finder of the directives and rows of a ledger on which steps rest."""

    def __init__(self, ledger: Ledger, reading: Reading, day: Day) -> None:
        self.book = ledger
        self.reading = reading
        self.day = day
        self.files: dict[str, list[str]] = {}
        self.written = [entry for entry in ledger.entries if not is_generated(entry)]

    def used(self, work: Working) -> Iterator[Used]:
        """Yield the directives and rows, each once, in the order in which the steps need them."""
        seen: set[Source] = set()
        for reference in work.references:
            for source in self._sources(reference):
                if source not in seen:
                    seen.add(source)
                    yield Used(source.file, source.line, self._text(source))

    def _sources(self, reference: Reference) -> list[Source]:
        match reference:
            case Source():
                return [reference]
            case TermsInForce():
                return [source_of(entry.meta) for entry in self._terms(reference)]
            case Quoted(commodity, quote):
                return [source_of(entry.meta) for entry in self._prices(commodity, quote)]
            case Opening():
                return []

    def _terms(self, term: TermsInForce) -> Sequence[Directive]:
        """Return the directive in force at the start of the day, and the directives of the day."""
        if term.kind == "commodity":
            return [e for e in self.written if isinstance(e, Commodity) and e.currency == term.name]
        found = [
            (
                moment(day_of(entry.date), seconds_of(str(entry.meta.get("time", ""))) or 0),
                entry,
            )
            for entry in self.written
            if isinstance(entry, Custom) and entry.type == term.kind and self._is_of(entry, term)
        ]
        found.sort(key=lambda pair: (pair[0], "venue" in pair[1].meta))
        start, end = moment(self.day), moment(Day(self.day + 1))
        before = [entry for at, entry in found if at <= start][-1:]
        return before + [entry for at, entry in found if start < at < end]

    @staticmethod
    def _is_of(entry: Custom, term: TermsInForce) -> bool:
        texts = [value for value, _ in entry.values or ()]
        if term.kind == "yield-bonus":
            return texts[:2] == [term.name, term.venue]
        named = texts[:1] == [term.name] or not term.name
        return named and entry.meta.get("venue", term.venue) == term.venue

    def _prices(self, commodity: str, quote: str) -> Iterator[Price]:
        """Yield the parts of a commodity's price: the price itself, or two over a third one."""
        quotes = self.reading.book.quotes
        for pair, found in quotes.legs(commodity, quote, self.day):
            of_day = [
                entry
                for entry in standing(self.written)
                if {entry.currency, entry.amount.currency} == set(pair)
                and day_of(entry.date) == found.day
            ]
            yield from of_day[-1:]

    def _text(self, source: Source) -> str:
        """Return the text of a directive or row: its line, and the indented lines below it."""
        if source.file not in self.files:
            try:
                self.files[source.file] = Path(source.file).read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                self.files[source.file] = []
        lines = self.files[source.file]
        text = [line.rstrip() for line in lines[source.line - 1 : source.line]]
        for line in lines[source.line :]:
            if not line[:1].isspace() or not line.strip():
                break
            text.append(line.rstrip())
        return "\n".join(text)

    def openings(self, work: Working) -> Iterator[OpeningBalance]:
        """Yield the last transaction that changed each opening balance of the day."""
        sought = {self._account(o): None for o in work.references if isinstance(o, Opening)}
        last: dict[tuple[str, str], Transaction] = {}
        for entry in self.book.entries:
            if isinstance(entry, Transaction) and day_of(entry.date) < self.day:
                for leg in entry.postings:
                    if leg.units is not None and (leg.account, leg.units.currency) in sought:
                        last[leg.account, leg.units.currency] = entry
        months = ClosedMonths(self.book.folder)
        for account, commodity in sought:
            if (account, commodity) in last:
                entry = last[account, commodity]
                ours = is_generated(entry) or months.wrote(entry)
                identity = str(entry.meta["usance"]) if ours else ""
                source = source_of(entry.meta)
                if is_generated(entry):
                    source = plugin_lines.plugin_line(self.book.options)
                yield OpeningBalance(account, commodity, identity, *source)

    def _account(self, opening: Opening) -> tuple[str, str]:
        name, side, commodity = opening
        chart = self.reading.chart
        if isinstance(side, Side):
            return chart.account(name, side), commodity
        return chart.reserved(name, side), commodity
