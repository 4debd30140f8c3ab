"""Side by side: every round runs each candidate once, one after the other."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "BEANCOUNT_DISABLE_LOAD_CACHE": "1"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    ratios  one for each round; empty where the measurement was skipped
    aim     the ratio to reach or to stay below, None where the row is for comparison only
    note    why it was skipped
    """

    what: str
    ratios: tuple[float, ...]
    aim: float | None = None
    note: str = ""

    def cells(self) -> list[str]:
        """Return it as the cells of a table."""
        aim = f"{self.aim:.2f}" if self.aim is not None else ""
        if not self.ratios:
            return [self.what, f"skipped: {self.note}", "", "", aim]
        return [
            self.what,
            f"{median(self.ratios):.3f}",
            f"{min(self.ratios):.3f} to {max(self.ratios):.3f}",
            str(len(self.ratios)),
            aim,
        ]


Times = Mapping[str, Sequence[float]]


def interleave(rounds: int, candidates: Mapping[str, Callable[[], float]]) -> Times:
    """Run the candidates in turn; return what each call returned, by candidate."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            times[name].append(candidate())
    return times


def ratios(times: Times, ours: str, theirs: str) -> tuple[float, ...]:
    """Return the ratio of each round."""
    return tuple(a / b for a, b in zip(times[ours], times[theirs], strict=True))


def output(arguments: Sequence[str | Path]) -> str:
    """Run a command to its end; return what it printed, and fail where it fails."""
    done = subprocess.run(  # noqa: S603, our own commands
        arguments, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    if done.returncode:
        command = " ".join(map(str, arguments))
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(*arguments: str | Path, keep: list[str] | None = None) -> float:
    """Return how long a command ran, from start to end of its process.

    What it printed is added to `keep`.
    """
    began = time.perf_counter()
    printed = output(arguments)
    ended = time.perf_counter()
    if keep is not None:
        keep.append(printed)
    return ended - began
