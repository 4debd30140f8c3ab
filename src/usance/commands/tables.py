"""Tables: rows for a terminal, for a spreadsheet, or for a program."""

import codecs
import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from usance.model.amounts import ZERO
from usance.reports.figures import FlatRow, plain, short


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    hues: Mapping[str, str] | None = None,
) -> str:
    """Return rows as a table; a column with a name that ends in a space holds numbers.

    hues  on a terminal, the colour of a mark, such as that of a part of a bar
    """
    # Imported here: the import takes longer than closing a day, and that draws no table.
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    def painted(cell: str | None) -> Text:
        text = Text(cell or "")
        for mark, hue in (hues or {}).items():
            text.highlight_regex(f"{mark}+", hue)
        return text

    terminal = sys.stdout.isatty()
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(
            column.strip(), justify="right" if column.endswith(" ") else "left", no_wrap=True
        )
    for row in rows:
        drawn.add_row(*map(painted, row))
    console = Console(
        file=sys.stdout,  # its encoding decides of what characters the lines are
        force_terminal=terminal,
        no_color=None if terminal else True,  # None: as the variable NO_COLOR says
        highlight=False,
        markup=False,
        emoji=False,  # an account Assets:B:Main has none in it
        width=1000,
    )
    with console.capture() as captured:
        if title:  # a table wraps a title of its own to its width
            console.print(title, style="table.title")
        console.print(drawn)
    lines = captured.get().splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def comma_separated(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    """Return rows as CSV with a header."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([column.strip() for column in columns])
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return written.getvalue()


def flat_table(columns: Sequence[str], rows: Iterable[FlatRow]) -> str:
    """Return the flat rows of an answer as CSV with a header."""
    return comma_separated(columns, [[plain(row[column]) for column in columns] for row in rows])


def as_json(answer: object) -> str:
    """Return an answer as one JSON object; standard output can write each of its characters."""
    encoding = codecs.lookup(sys.stdout.encoding or "utf-8").name
    ascii_only = encoding != "utf-8"
    return json.dumps(plain(answer), default=str, indent=2, ensure_ascii=ascii_only) + "\n"


def bar(part: Decimal, whole: Decimal, width: int = 40) -> str:
    """Return a bar, filled in the proportion of a part to the whole."""
    if whole <= 0 or part <= 0:
        return ""
    eighths = int(min(Decimal(1), part / whole) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest]


def blocks(values: Sequence[Decimal | None], width: int = 60) -> str:
    """Return values as a line of blocks, from zero or the lowest to the highest; a gap for None.

    More values than the width are thinned evenly; the last one stays.
    """
    step = -(-len(values) // width)
    shown = values[::-1][::step][::-1]
    known = [value for value in shown if value is not None]
    low, high = min([ZERO, *known]), max([ZERO, *known])
    heights = "▁▂▃▄▅▆▇█"
    return "".join(
        " " if value is None else heights[int((value - low) / ((high - low) or 1) * 7)]
        for value in shown
    ).rstrip()


def stacked(parts: Sequence[tuple[str, Decimal]], width: int = 40) -> str:
    """Return one bar of several parts, each with its own mark and a width in proportion."""
    whole = sum((part for _, part in parts if part > 0), Decimal(0))
    if whole <= 0:
        return ""
    drawn, before, until = "", 0, Decimal(0)
    for mark, part in parts:
        until += max(part, Decimal(0))
        end = int(until / whole * width)
        drawn += mark * (end - before)
        before = end
    return drawn.rstrip()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 day" or "1,200 days"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def eight_decimals(value: str | None) -> str | None:
    """Return a figure for people, with at most eight decimals; JSON and CSV have them all."""
    if value is None:
        return "-"
    return short(value, 8) if value.replace(".", "").removeprefix("-").isdecimal() else value
