"""Virtual days: what every plugin line calls, and where a ledger gets its generated transactions.

A plugin line enables its stage. The days run once, at the last Usance line of the ledger, with all
stages that are enabled.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from beancount.core.data import Custom, Directives, Open, Transaction

from usance.close import correction, days, inputs, restore
from usance.close.inputs import ChangedDay
from usance.engine import loop, sub_accounts
from usance.engine.drafts import Draft
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language import rate_files
from usance.language.provenance import is_generated
from usance.language.reading import Reading, read
from usance.ledger import plugin_lines
from usance.ledger.errors import UsanceChange, UsanceError, UsanceFinding, reported
from usance.ledger.journal import Journal
from usance.ledger.load import HANDED, PluginResult, places
from usance.ledger.opens import Opens, permitted
from usance.ledger.plugin_lines import enabled
from usance.ledger.replay import evenings, no_collection_of_cycles, with_own_states
from usance.model import problems
from usance.model.hours import NO_DAY, Day
from usance.model.problems import Kind, Problem, Source, once


def extend(
    entries: Directives, options: dict[str, Any], line: str, config: str | None
) -> tuple[Directives, list[UsanceError | UsanceChange | UsanceFinding]]:
    """Add the virtual days to a ledger's directives, if `line` is the last of our plugin lines.

    `entries` and their metadata are left as they are; a new list comes back. In it a custom
    directive without values has an empty list of them: Beancount has None, which stops Fava.
    """
    faults = _faults_of_line(options, line, config)
    # If the last line is listed twice, the days have run already.
    if not _is_last(options, line) or HANDED in options:
        return entries, [reported(problem) for problem in faults]
    faults += _hidden(entries, options)
    folder = str(Path(options["filename"]).parent)
    with no_collection_of_cycles():
        reading = read(entries, options, folder, enabled(options))
        result = options[HANDED] = PluginResult(reading)
        changed, of_closed = _closed_days(reading, folder)
        # If closed days have only changed, it is known what they generate now. Otherwise the
        # problems of later days would mislead.
        correctable = all(problem.kind is Kind.CHANGE for problem in of_closed)
        opens = Opens(entries, options)
        journal = Journal(reading.chart, *opens.of_engine(reading))
        generated, of_days = _virtual_days(journal, reading, result, changed if correctable else [])
        journal.teach(options["dcontext"])
        every, shut = permitted(opens, reading, _with_values(entries), generated)
    watch_files(options, folder, reading)
    faults += [*_repeated_lines(options), *reading.problems, *of_closed]
    if correctable:
        faults += [*shut, *of_days]
    return every, [reported(problem) for problem in once(faults)]


def _hidden(entries: Directives, options: dict[str, Any]) -> Iterator[Problem]:
    """Yield the errors of directives that a person made look generated."""
    for entry in entries:
        if is_generated(entry):
            at = Source(options["filename"], entry.meta["lineno"])
            yield problems.hidden_place(at, entry.meta["filename"])


def _is_last(options: dict[str, Any], line: str) -> bool:
    """Tell whether a plugin line is the last of ours."""
    ours = plugin_lines.lines(options)
    return not ours or line == ours[-1]


def _faults_of_line(options: dict[str, Any], line: str, config: str | None) -> list[Problem]:
    """Return the fault of a plugin line that has a configuration."""
    if config is None:
        return []
    return [problems.plugin_config(plugin_lines.place_of(options, line), line)]


def _repeated_lines(options: dict[str, Any]) -> Iterator[Problem]:
    """Yield the faults of plugin lines that are listed more than once."""
    ours = plugin_lines.lines(options)
    for line in sorted({line for line in ours if ours.count(line) > 1}):
        yield problems.plugin_twice(plugin_lines.place_of(options, line), line)


def _closed_days(reading: Reading, folder: str) -> tuple[list[ChangedDay], list[Problem]]:
    """Return the closed days that have changed, and the problems of all closed days."""
    if faults := days.check(reading):
        return [], faults
    changed = inputs.changed_days(reading, folder)
    if faults := inputs.changed_options(reading, changed, folder):
        return [], faults
    return changed, [problem for day in changed for problem in inputs.differences(day, folder)]


def _virtual_days(
    journal: Journal, reading: Reading, result: PluginResult, changed: list[ChangedDay]
) -> tuple[list[Open | Transaction], list[Problem]]:
    """Generate the days that are not closed, and transfers beyond the horizon.

    result   gets the days that Fava's pages ask for
    changed  closed days: their correction comes before all else
    """
    state, faults = restore.state(reading)
    corrections: list[Draft] = []
    if changed:
        corrected = correction.correct(reading, (day.day for day in changed), state)
        state, corrections = corrected.evening, corrected.drafts
        faults += corrected.problems
    last = days.last_day(reading)
    first = reading.book.first if last is None else Day(last + 1)
    generated: list[Open | Transaction] = []
    if first is not None:
        for day in _open_days(reading, state, first, result):
            before = corrections if day.day == first else []
            generated += journal.day(day.day, [*before, *day.drafts])
            faults += day.problems
    beyond = sub_accounts.drafts_after(reading.book, max(reading.horizon, last or NO_DAY))
    generated += journal.beyond(beyond)
    return generated, faults


def _open_days(
    reading: Reading, state: State, first: Day, result: PluginResult
) -> Iterator[LivedDay]:
    """Live the days that are not closed; under Fava, hand on all days with their evenings."""
    open_days = loop.run(reading.book, state, first, reading.horizon)
    # Fava's pages ask for days again and again: memory for time.
    if "fava.core" not in sys.modules:
        yield from open_days
    elif days.last_day(reading) is not None:
        result.lived = with_own_states(evenings(reading, reading.last))
        yield from open_days
    else:
        for day in open_days:
            result.lived.append((day, state.copy()))
            yield day


def _with_values(entries: Directives) -> Directives:
    """Return directives of which each custom one has a list of values."""
    # At None Beancount's own pad stops too. Anybody who saves a half-written line would meet it.
    # Our reader reports the missing values, with file and line.
    return [
        entry._replace(values=[]) if isinstance(entry, Custom) and entry.values is None else entry
        for entry in entries
    ]


def watch_files(options: dict[str, Any], folder: str, reading: Reading) -> None:
    """Let a load cache and Fava notice an edited rates file, and a new posted month."""
    # Both watch the files of this option. It gets a new list, with the rates files and the folder
    # of closed days. Our own commands never use the cache.
    files = {str(place) for place in places(reading, folder) if rate_files.is_there(place)}
    included = options["include"]
    options["include"] = [*included, *sorted(files - set(included))]
