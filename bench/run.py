"""Measure Usance side by side with other programs, and print one table of ratios.

    python bench/run.py [--quick] [--write] [--only loading,own_time,peer,...]

Each ratio is of two times taken one after the other in the same round; below 1 is faster. The
table has the median and the range of all rounds, and no time in seconds: those belong to a
machine. docs/benchmarks.md says what each row does.
"""

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import closing
import compacting
import daily_accrue
import importing
import loading
import margining
import own_time
import pages
import peer
import reloading
import stating
from timing import Row, output


class Measurement(Protocol):
    """The `rows` of a module."""

    def __call__(self, folder: Path, *, quick: bool) -> Iterator[Row]:
        """Measure with ledgers in a folder; yield each row as it is known."""
        ...


MEASUREMENTS: dict[str, Measurement] = {
    "loading": loading.rows,
    "own_time": own_time.rows,
    "peer": peer.rows,
    "daily_accrue": daily_accrue.rows,
    "closing": closing.rows,
    "compacting": compacting.rows,
    "importing": importing.rows,
    "margining": margining.rows,
    "reloading": reloading.rows,
    "pages": pages.rows,
    "stating": stating.rows,
}
HEAD = ["measurement", "ratio", "min to max", "rounds", "aim"]
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "<!-- table, written by bench/run.py --write -->\n"
END = "<!-- end of the table -->\n"


def versions() -> str:
    """Return the versions that the ratios belong to."""
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {version(name)}" for name in ("beancount", "usance")]
    for tool in ("hledger", peer.PEER):
        found.append(
            f"{tool} {_version_of(tool)}" if shutil.which(tool) else f"{tool} not installed"
        )
    return ", ".join(found)


def _version_of(tool: str) -> str:
    """Return a version from `1.6.3` or from `hledger 1.25, linux-x86_64`."""
    return output([tool, "--version"]).split(",")[0].split()[-1]


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table in Markdown, its columns aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(
        "| " + " | ".join(map(str.ljust, line, widths)).rstrip() + " |\n" for line in lines
    )


def write(text: str) -> None:
    """Put the table into the page, between its two marks."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small books, few rounds")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), metavar="NAMES")
    wanted = parser.parse_args()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted.only.split(","):
            for row in MEASUREMENTS[name](Path(folder), quick=wanted.quick):
                print(row.what, file=sys.stderr)
                found.append(row)
    text = f"{table(found)}\n{versions()}\n"
    print(text, end="")
    if wanted.write:
        write(text)


if __name__ == "__main__":
    main()
