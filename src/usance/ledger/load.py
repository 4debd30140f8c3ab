"""Load: a ledger as commands and pages ask it, with what the plugins handed on beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core.data import Directives

from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.language import provenance, rate_files
from usance.language.provenance import is_generated
from usance.language.reading import Reading, read
from usance.ledger.disk import plain
from usance.ledger.errors import UsanceFinding
from usance.ledger.plugin_lines import enabled
from usance.ledger.replay import evenings, kept, no_collection_of_cycles

HANDED = "usance"
"""The option in which the plugins hand on what they read, beside the directives."""


class PluginResult:
    """What the plugins read and lived; it stays out of Beancount's load cache.

    lived  under Fava: all days from the first one on, each with its evening's state
    """

    def __init__(self, reading: Reading | None = None) -> None:
        self.reading = reading
        self.lived: list[tuple[LivedDay, State]] = []

    def __reduce__(self) -> tuple[type["PluginResult"], tuple[()]]:
        """Leave all of it behind."""
        return PluginResult, ()

    def __repr__(self) -> str:
        """Say what it is: Fava shows it in a list of options."""
        return "what the plugins read"


def plugin_result(options: Mapping[str, Any]) -> PluginResult:
    """Return what the plugins handed on; nothing where they did not run, or the load was cached."""
    found: PluginResult = options.get(HANDED, PluginResult())
    return found


def places(reading: Reading, folder: str) -> list[Path]:
    """Return the rates files that a ledger names, and its folder of closed days, there or not."""
    found = (rate_files.place_of(folder, path) for path in reading.named)
    return sorted(
        [Path(folder) / provenance.POSTED, *(place for place in found if place is not None)]
    )


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
        return self.lived or kept(evenings(reading, reading.last))


def load(path: str) -> Ledger:
    """Load a ledger, never from Beancount's cache; OSError where a month is no plain file."""
    loader.initialize(use_cache=False)
    plain_months(path)
    with no_collection_of_cycles():
        entries, errors, options = loader.load_file(path)
    return loaded(path, entries, errors, options)


def plain_months(path: str) -> None:
    """Refuse months beside a ledger that are no plain files: OSError."""
    for month in Path(path).parent.glob(f"{provenance.POSTED}/????-??.*"):
        plain(month)


def loaded(
    path: str, entries: Directives, errors: Iterable[Any], options: dict[str, Any]
) -> Ledger:
    """Return a ledger that Beancount loaded, here or under Fava."""
    told = list(errors)
    findings = [error for error in told if isinstance(error, UsanceFinding)]
    faults = [error for error in told if not isinstance(error, UsanceFinding)]
    handed = plugin_result(options)
    return Ledger(
        str(Path(path).absolute()),
        entries,
        faults,
        findings,
        options,
        handed.reading,
        handed.lived,
    )
