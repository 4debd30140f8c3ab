"""Ledger: what every plugin line calls, and how the commands load a ledger.

A plugin line enables its stage. The days are run once, at the last Usance line of the ledger,
with all stages that are enabled.
"""

import contextlib
import gc
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import Custom, Directive, Directives, Open, Transaction

from usance.close import correction
from usance.close import inputs as closed
from usance.close.inputs import Altered
from usance.close.seals import MONTH_FILE
from usance.engine import loop as engine
from usance.engine.drafts import Draft
from usance.engine.loop import Day
from usance.engine.state import State
from usance.language import rate_files
from usance.language.reading import Reading, is_generated, is_posted, read
from usance.ledger.disk import plain
from usance.ledger.journal import Journal
from usance.model import problems
from usance.model.book import Side
from usance.model.problems import Kind, Problem, Source
from usance.model.terms import Stage

PERSONAL = frozenset((Side.WALLET, Side.PERP, Side.BORROWED, Side.PNL, Side.FEES))
"""Sides that a person may open, though only the engine has posted there yet.

The engine opens them only if nobody else did. All other accounts of the engine are its own to open.
"""

LINES = {
    "usance.plugins": frozenset(Stage),
    "usance.plugins.auto_lending": frozenset((Stage.AUTO_LENDING,)),
    "usance.plugins.margin_pool": frozenset((Stage.MARGIN_POOL,)),
    "usance.plugins.sub_accounts": frozenset((Stage.SUB_ACCOUNTS,)),
    "usance.plugins.yield_split": frozenset((Stage.YIELD_SPLIT,)),
}
"""What each plugin line enables."""


HANDED = "usance"
"""The option in which the plugins hand on what they read, beside the directives."""


class Handed:
    """What the plugins read and lived; it stays out of Beancount's load cache.

    lived  under Fava: all days from the first one on, each with its evening's state
    """

    def __init__(self, reading: Reading | None = None) -> None:
        self.reading = reading
        self.lived: list[tuple[Day, State]] = []

    def __reduce__(self) -> tuple[type["Handed"], tuple[()]]:
        """Leave all of it behind."""
        return Handed, ()

    def __repr__(self) -> str:
        """Say what it is: Fava shows it in a list of options."""
        return "what the plugins read"


def handed_on(options: Mapping[str, Any]) -> Handed:
    """Return what the plugins handed on; nothing where they did not run, or the load was cached."""
    found: Handed = options.get(HANDED, Handed())
    return found


class UsanceError(NamedTuple):
    """A fault of the text, in Beancount's form of an error."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


class UsanceChange(NamedTuple):
    """A change of a closed day, in Beancount's form of an error: one until it is corrected."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


class UsanceFinding(NamedTuple):
    """A fact about an account, in Beancount's form of an error."""

    source: dict[str, Any]
    message: str
    entry: Directive | None


def extend(
    entries: Directives, options: dict[str, Any], line: str, config: str | None
) -> tuple[Directives, list[UsanceError | UsanceChange | UsanceFinding]]:
    """Add the days to a ledger's directives, if `line` is the last of our plugin lines.

    `entries` and their metadata are left as they are; a new list comes back. In it a custom
    directive without values has an empty list of them: Beancount has None, which stops Fava.
    """
    ours = [name for name, _ in options["plugin"] if name in LINES]
    found: list[Problem] = []
    if config is not None:
        at = Source(options["filename"], _line_number(options["filename"], line))
        found.append(problems.plugin_config(at, line))
    if (ours and line != ours[-1]) or any(is_generated(entry) for entry in entries):
        return entries, [_report(problem) for problem in found]
    for name in sorted({name for name in ours if ours.count(name) > 1}):
        at = Source(options["filename"], _line_number(options["filename"], name))
        found.append(problems.plugin_twice(at, name))
    folder = str(Path(options["filename"]).parent)
    with _uncollected():
        reading = read(entries, options, folder, enabled(options))
        handed = options[HANDED] = Handed(reading)
        found += reading.problems
        wrong = closed.check(reading)
        altered = [] if wrong else closed.altered(reading, folder)
        wrong += (problem for day in altered for problem in closed.differences(day, folder))
        # Where closed days have only changed, what they would come to by now is known.
        known = all(problem.kind is Kind.CHANGE for problem in wrong)
        made, told = _days(handed, reading, options, entries, altered if known else [])
    found += [*wrong, *told] if known else wrong
    _watch(options, folder, reading)
    # At None Beancount's own pad stops too. Anybody who saves a half-written line would meet it.
    # Our reader reports the missing values, with file and line.
    whole = [
        entry._replace(values=[]) if isinstance(entry, Custom) and entry.values is None else entry
        for entry in entries
    ]
    return [*whole, *made], [_report(problem) for problem in once(found)]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
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


def enabled(options: Mapping[str, Any]) -> frozenset[Stage]:
    """Return the stages that a ledger's plugin lines enable."""
    return frozenset(
        stage for name, _ in options["plugin"] for stage in LINES.get(name, frozenset())
    )


def _days(
    handed: Handed,
    reading: Reading,
    options: dict[str, Any],
    entries: Directives,
    altered: list[Altered],
) -> tuple[list[Open | Transaction], list[Problem]]:
    """Generate the days that are not closed, and transfers beyond the horizon.

    altered  closed days that have changed: their correction comes before all else
    """
    state, found = closed.state(reading)
    corrections: list[Draft] = []
    if altered:
        made_anew = correction.correct(reading, (day.day for day in altered), state)
        state, corrections = made_anew.evening, made_anew.drafts
        found += made_anew.problems
    last = closed.last_day(reading)
    first = reading.book.first if last is None else last + 1
    journal = Journal(reading.chart, *opened(entries, reading))
    made: list[Open | Transaction] = []
    # Fava's pages ask for days again and again: memory for time.
    shown = "fava.core" in sys.modules
    if shown and last is not None:
        handed.lived = kept(evenings(reading, reading.last))
    if first is not None:
        for day in engine.run(reading.book, state, first, reading.horizon):
            if shown and last is None:
                handed.lived.append((day, state.copy()))
            before = corrections if day.day == first else []
            made += journal.day(day.day, [*before, *day.drafts])
            found += day.problems
    made += journal.beyond(engine.beyond(reading.book, max(reading.horizon, last or 0)))
    journal.teach(options["dcontext"])
    return made, found


def opened(entries: Iterable[Directive], reading: Reading) -> tuple[set[str], dict[str, int]]:
    """Return the accounts that the engine need not open: those that somebody posts to already.

    And those that it opens even where a person posts to them, with the first day of that.
    """
    found: set[str] = set()
    ours: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, Open):
            place = reading.chart.side(entry.account)
            shared = place is not None and place[1] in PERSONAL
            if shared or _is_posted(entry):
                found.add(entry.account)
        elif isinstance(entry, Transaction):
            posted, day = is_posted(entry), entry.date.toordinal()
            for posting in entry.postings:
                if posted or not reading.is_ours(posting.account):
                    found.add(posting.account)
                else:
                    ours[posting.account] = min(day, ours.get(posting.account, day))
    return found, ours


def _is_posted(entry: Open) -> bool:
    """Tell whether an open stands in a month of closed days."""
    path = Path(str(entry.meta.get("filename", "")))
    return path.parent.name == closed.POSTED and bool(MONTH_FILE.fullmatch(path.name))


def once(found: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems, those of one name and subject only once."""
    told: set[tuple[str, ...]] = set()
    for problem in found:
        key = (problem.name, *problem.subject)
        if not problem.subject or key not in told:
            told.add(key)
            yield problem


def plugin_line(options: Mapping[str, Any]) -> Source:
    """Return the plugin line at which virtual days are made: the last of ours."""
    ours = [name for name, _ in options["plugin"] if name in LINES]
    file = options["filename"]
    return Source(file, _line_number(file, ours[-1]) if ours else 1)


def _line_number(file: str, line: str) -> int:
    """Return where a plugin line stands last in a file, 1 where it cannot be found."""
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return 1
    wanted = re.compile(rf'^plugin\s+"{re.escape(line)}"', re.MULTILINE)
    return max(
        (text.count("\n", 0, match.start()) + 1 for match in wanted.finditer(text)), default=1
    )


def _report(problem: Problem) -> UsanceError | UsanceChange | UsanceFinding:
    source = {"filename": problem.source.file, "lineno": problem.source.line}
    if problem.finding:
        return UsanceFinding(source, f"finding: {problem.message}", None)
    if problem.kind is Kind.CHANGE:
        return UsanceChange(source, problem.message, None)
    return UsanceError(source, problem.message, None)


def _watch(options: dict[str, Any], folder: str, reading: Reading) -> None:
    """Let a load cache and Fava notice an edited rates file, and a new posted month."""
    # Both watch the files of this option. It gets a new list, with the rates files and the folder
    # of closed days. Our own commands never use the cache.
    files = {str(place) for place in places(reading, folder) if rate_files.is_there(place)}
    known = options["include"]
    options["include"] = [*known, *sorted(files - set(known))]


def places(reading: Reading, folder: str) -> list[Path]:
    """Return the rates files that a ledger names, and its folder of closed days, there or not."""
    found = (rate_files.place_of(folder, path) for path in reading.named)
    return sorted([Path(folder) / closed.POSTED, *(place for place in found if place is not None)])


@dataclass(frozen=True, slots=True)
class Ledger:
    """A loaded ledger.

    entries  all directives, generated ones included
    reading  what the plugins read, None where none of them ran
    lived    under Fava: all days from the first one on, each with its evening's state
    errors   Beancount's and ours, findings apart
    findings as Beancount lists them, beside the errors
    """

    path: str
    entries: Directives
    errors: list[Any]
    findings: list[Any]
    options: dict[str, Any]
    reading: Reading | None
    lived: list[tuple[Day, State]]

    @property
    def folder(self) -> str:
        """The folder in which the top file lies."""
        return str(Path(self.path).parent)

    def read(self) -> Reading:
        """Return what a person wrote, and what is posted, as the plugins saw it."""
        if self.reading is not None:
            return self.reading
        written = [entry for entry in self.entries if not is_generated(entry)]
        return read(written, self.options, self.folder, enabled(self.options))

    def evenings(self) -> list[tuple[Day, State]]:
        """Return all days from the first one on, each with its evening's state."""
        reading = self.read()
        return self.lived or kept(evenings(reading, reading.last))


def load(path: str) -> Ledger:
    """Load a ledger, never from Beancount's cache; OSError where a month is no plain file."""
    loader.initialize(use_cache=False)
    plain_months(path)
    with _uncollected():
        entries, errors, options = loader.load_file(path)
    return loaded(path, entries, errors, options)


def plain_months(path: str) -> None:
    """Refuse months beside a ledger that are no plain files: OSError."""
    for month in Path(path).parent.glob(f"{closed.POSTED}/????-??.*"):
        plain(month)


def loaded(
    path: str, entries: Directives, errors: Iterable[Any], options: dict[str, Any]
) -> Ledger:
    """Return a ledger that Beancount loaded, here or under Fava."""
    told = list(errors)
    findings = [error for error in told if isinstance(error, UsanceFinding)]
    faults = [error for error in told if not isinstance(error, UsanceFinding)]
    handed = handed_on(options)
    return Ledger(
        str(Path(path).absolute()),
        entries,
        faults,
        findings,
        options,
        handed.reading,
        handed.lived,
    )


def evenings(reading: Reading, last: int) -> Iterator[tuple[Day, State]]:
    """Live all days again from the first one, closed ones included, each with its evening's state.

    It is one state, which goes along: who keeps it takes a copy.
    """
    state = State()
    if reading.book.first is not None:
        with _uncollected():
            for day in engine.run(reading.book, state, reading.book.first, last):
                yield day, state


def kept(lived: Iterable[tuple[Day, State]]) -> list[tuple[Day, State]]:
    """Return days, each with an evening's state of its own."""
    return [(day, state.copy()) for day, state in lived]


def live(reading: Reading, last: int) -> Iterator[Day]:
    """Live all days again, as reports need them."""
    return (day for day, _ in evenings(reading, last))


def evening(reading: Reading, day: int) -> State:
    """Return what sub-accounts have at the end of a day."""
    lived = deque(evenings(reading, day), maxlen=1)
    return lived[0][1] if lived else State()
