"""Load: a ledger as commands and pages use it, with the reading that the plugins handed on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core.data import Custom, Directives

from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language import provenance, rate_files
from usance.language.directive import source_of
from usance.language.provenance import is_generated
from usance.language.reading import Reading, read
from usance.language.schedule import KEYS
from usance.ledger import beancount_errors, booking, plugin_lines
from usance.ledger.disk import plain
from usance.ledger.errors import UsanceFinding, reported
from usance.ledger.plugin_lines import enabled
from usance.ledger.replay import evenings, no_collection_of_cycles, with_own_states
from usance.model import problems
from usance.model.problems import Problem

HANDED = "usance"
"""The option in which the plugins hand on their reading, beside the directives."""


class PluginResult:
    """The reading and the days of the plugins; they stay out of Beancount's load cache.

    lived  under Fava: all days from the first one on, each with its evening's state
    """

    def __init__(self, reading: Reading | None = None) -> None:
        self.reading = reading
        self.lived: list[tuple[LivedDay, State]] = []

    def __reduce__(self) -> tuple[type["PluginResult"], tuple[()]]:
        """Leave all of it behind."""
        return PluginResult, ()

    def __repr__(self) -> str:
        """Return a short name: Fava shows it in a list of options."""
        return "what the plugins read"


def plugin_result(options: Mapping[str, Any]) -> PluginResult:
    """Return what the plugins handed on, empty if they did not run or the load was cached."""
    result: PluginResult = options.get(HANDED, PluginResult())
    return result


def places(reading: Reading, folder: str) -> list[Path]:
    """Return the rates files that a ledger names, and its folder of closed days, there or not."""
    rates = (rate_files.place_of(folder, path) for path in reading.named)
    return sorted(
        [Path(folder) / provenance.POSTED, *(place for place in rates if place is not None)]
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """A loaded ledger.

    entries  all directives, generated ones included
    reading  of the plugins, or None if none of them ran
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
    lived: list[tuple[LivedDay, State]]

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

    def evenings(self) -> list[tuple[LivedDay, State]]:
        """Return all days from the first one on, each with its evening's state."""
        reading = self.read()
        return self.lived or with_own_states(evenings(reading, reading.last))


class BrokenPluginError(Exception):
    """Code that a ledger loads has raised an exception, which Beancount lets through."""


def load(path: str) -> Ledger:
    """Load a ledger, never from Beancount's cache.

    OSError if a month is no plain file, BrokenPluginError if a plugin cannot be loaded.
    """
    loader.initialize(use_cache=False)
    plain_months(path)
    with no_collection_of_cycles():
        try:
            entries, errors, options = loader.load_file(path)
        except OSError:
            raise
        except (Exception, SystemExit) as error:
            raise BrokenPluginError(broken_plugin(path, error)) from error
    return loaded(path, entries, errors, options)


def broken_plugin(path: str, error: BaseException) -> str:
    """Return what to tell of an exception in code that a ledger loads."""
    names = plugin_lines.others(path)
    remedy = f"Correct the plugin, or remove its line: {', '.join(names)}"
    if not names:
        remedy = "Report it, with the ledger"
    why = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{path}: code that the ledger loads ended with {' '.join(why.split())}. {remedy}."


def _stageless(entries: Directives, options: Mapping[str, Any]) -> Problem | None:
    """Return the error of terms that no plugin line puts to use, or None."""
    # Beancount drops plugin lines of included files without a word. Then nothing is computed, and
    # every figure would be zero.
    if enabled(options):
        return None
    for entry in entries:
        if isinstance(entry, Custom) and entry.type in KEYS:
            return problems.no_plugin(source_of(entry.meta))
    return None


def plain_months(path: str) -> None:
    """Raise OSError if a month beside a ledger is no plain file."""
    for month in Path(path).parent.glob(f"{provenance.POSTED}/????-??.*"):
        plain(month)


def loaded(
    path: str, entries: Directives, errors: Iterable[Any], options: dict[str, Any]
) -> Ledger:
    """Return a ledger that Beancount loaded, here or under Fava."""
    every = list(errors)
    findings = [error for error in every if isinstance(error, UsanceFinding)]
    faults = [error for error in every if not isinstance(error, UsanceFinding)]
    result = plugin_result(options)
    top = str(Path(path).absolute())
    faults = beancount_errors.explained(faults, entries, [top, *options["include"]])
    if fault := _stageless(entries, options):
        faults.append(reported(fault))
    if result.reading is not None:
        faults = booking.explained(faults, entries, result.reading)
    return Ledger(
        top,
        entries,
        faults,
        findings,
        options,
        result.reading,
        result.lived,
    )
