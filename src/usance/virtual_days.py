"""Virtual days: what every plugin line calls, and where a ledger gets its generated transactions.

A plugin line enables its stage. The days run once, at the last Usance line of the ledger, with all
stages that are enabled.
"""

import sys
from pathlib import Path
from typing import Any

from beancount.core.data import Custom, Directives, Open, Transaction

from usance.close import correction, restore
from usance.close import days as closed_days
from usance.close import inputs as closed
from usance.close.inputs import ChangedDay
from usance.engine import loop as engine
from usance.engine import sub_accounts
from usance.engine.drafts import Draft
from usance.language import rate_files
from usance.language.provenance import is_generated
from usance.language.reading import Reading, read
from usance.ledger.errors import UsanceChange, UsanceError, UsanceFinding, reported
from usance.ledger.journal import Journal, opened
from usance.ledger.load import HANDED, PluginResult, places
from usance.ledger.plugin_lines import LINES, enabled, line_of
from usance.ledger.replay import evenings, kept, no_collection_of_cycles
from usance.model import problems
from usance.model.problems import Kind, Problem, Source, once


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
        at = Source(options["filename"], line_of(options["filename"], line))
        found.append(problems.plugin_config(at, line))
    if (ours and line != ours[-1]) or any(is_generated(entry) for entry in entries):
        return entries, [reported(problem) for problem in found]
    for name in sorted({name for name in ours if ours.count(name) > 1}):
        at = Source(options["filename"], line_of(options["filename"], name))
        found.append(problems.plugin_twice(at, name))
    folder = str(Path(options["filename"]).parent)
    with no_collection_of_cycles():
        reading = read(entries, options, folder, enabled(options))
        handed = options[HANDED] = PluginResult(reading)
        found += reading.problems
        wrong = closed_days.check(reading)
        altered = [] if wrong else closed.altered(reading, folder)
        wrong += (problem for day in altered for problem in closed.differences(day, folder))
        # Where closed days have only changed, what they would come to by now is known.
        known = all(problem.kind is Kind.CHANGE for problem in wrong)
        made, told = _days(handed, reading, options, entries, altered if known else [])
    found += [*wrong, *told] if known else wrong
    watch_files(options, folder, reading)
    # At None Beancount's own pad stops too. Anybody who saves a half-written line would meet it.
    # Our reader reports the missing values, with file and line.
    whole = [
        entry._replace(values=[]) if isinstance(entry, Custom) and entry.values is None else entry
        for entry in entries
    ]
    return [*whole, *made], [reported(problem) for problem in once(found)]


def _days(
    handed: PluginResult,
    reading: Reading,
    options: dict[str, Any],
    entries: Directives,
    altered: list[ChangedDay],
) -> tuple[list[Open | Transaction], list[Problem]]:
    """Generate the days that are not closed, and transfers beyond the horizon.

    altered  closed days that have changed: their correction comes before all else
    """
    state, found = restore.state(reading)
    corrections: list[Draft] = []
    if altered:
        made_anew = correction.correct(reading, (day.day for day in altered), state)
        state, corrections = made_anew.evening, made_anew.drafts
        found += made_anew.problems
    last = closed_days.last_day(reading)
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
    made += journal.beyond(sub_accounts.drafts_after(reading.book, max(reading.horizon, last or 0)))
    journal.teach(options["dcontext"])
    return made, found


def watch_files(options: dict[str, Any], folder: str, reading: Reading) -> None:
    """Let a load cache and Fava notice an edited rates file, and a new posted month."""
    # Both watch the files of this option. It gets a new list, with the rates files and the folder
    # of closed days. Our own commands never use the cache.
    files = {str(place) for place in places(reading, folder) if rate_files.is_there(place)}
    known = options["include"]
    options["include"] = [*known, *sorted(files - set(known))]
