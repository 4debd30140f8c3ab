"""A statement as one HTML page that prints well on A4: no script, nothing that is fetched."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape

from usance.reports.figures import for_the_eye, plain
from usance.reports.palette import MEANINGS
from usance.reports.statement import Statement, StatementPart, StatementPeriod, heading, rows

NET = MEANINGS["capital"]

STYLE = f"""
:root {{ color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --line: #d0d7de;
        --net: {NET.light}; --ground: #fff; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
          --net: {NET.dark}; --ground: #0d1117; }} }}
body {{ font: 10pt/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground);
       max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 15pt; margin: 0; }} h2 {{ font-size: 1.1em; margin: 0 0 .2em; }}
p {{ margin: .1rem 0 1rem; color: var(--faint); }}
.scroll {{ overflow-x: auto; }}
.parts {{ columns: 2 15rem; column-gap: 2rem; }} .wide {{ columns: auto; }}
section {{ break-inside: avoid; padding-top: 1.2em; }} h2 {{ break-after: avoid; }}
table {{ width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th {{ font-weight: 600; color: var(--faint); border-bottom: 1px solid var(--line); }}
th, td {{ padding: .14rem .4rem; text-align: right; white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; white-space: normal; overflow-wrap: anywhere; }}
tr.sum td {{ border-top: 1px solid var(--line); font-weight: 600; }}
tr.part td {{ color: var(--faint); }} tr.part td:first-child {{ padding-left: 1.4rem; }}
svg {{ width: 100%; height: auto; display: block; }}
svg text {{ font: 11px system-ui, sans-serif; fill: var(--faint); }}
@page {{ size: A4; margin: 16mm 14mm; }}
@media print {{ :root {{ --ink: #000; --faint: #444; --line: #bbb;
                        --net: {NET.light}; --ground: #fff; }}
  body {{ font-size: 8.5pt; line-height: 1.2; margin: 0 auto; }} th, td {{ padding: .06rem .4rem; }}
  .scroll {{ overflow: visible; }} }}
"""


DAYS_DRAWN = 124
"""Days up to which the chart has a point for each; then it has one for each week."""


def drawn_by(answer: Statement) -> str:
    """Return the interval of the points of the chart."""
    return "day" if (answer.to - answer.from_).days < DAYS_DRAWN else "week"


def page(answer: Statement, drawn: Sequence[StatementPeriod], places: int | None) -> str:
    """Return the page of a statement.

    drawn   the intervals of its last part that end at the points of the chart
    places  decimals that it shows; the exact figures stand behind them
    """
    name = f"Statement, {answer.from_} to {answer.to}"
    whole = "".join(_part(part, places) for part in answer.parts if part.kind == "whole")
    parts = "".join(_part(part, places) for part in answer.parts if part.kind != "whole")
    wide = " wide" if len(answer.parts[0].periods) > 1 else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(name)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(name)}</h1>\n"
        f"<p>In {escape(answer.currency)}, closed days as {escape(answer.basis)}.</p>\n"
        f"{_chart(drawn, answer.currency)}{whole}"
        f'<div class="parts{wide}">\n{parts}</div>\n</body>\n</html>\n'
    )


def _part(part: StatementPart, places: int | None) -> str:
    head = f"<section>\n<h2>{escape(heading(part))}</h2>\n"
    heads, found = rows(part)
    if found is None:
        return f"{head}<p>A price is missing, so it has no value.</p>\n</section>\n"
    columns = "".join(f"<th>{escape(name)}</th>" for name in heads)
    lines = "".join(_line(label, cells, places) for label, cells in found)
    return (
        f'{head}<div class="scroll"><table>\n<thead><tr><th></th>{columns}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody>\n</table></div>\n</section>\n"
    )


ENDS = ("Opening", "Closing")


def _line(label: str, cells: Sequence[Decimal | None], places: int | None) -> str:
    kind = "part" if label.startswith(" ") else "sum" if label in ENDS else ""
    figures = "".join(
        f'<td title="{escape(plain(cell))}">{_eye(cell, label, places)}</td>' for cell in cells
    )
    return f'<tr class="{kind}"><td>{escape(label.strip())}</td>{figures}</tr>\n'


def _eye(cell: Decimal | None, label: str, places: int | None) -> str:
    """Return a figure with separators; a line without any in its interval has a dash."""
    if cell == 0 and label not in (*ENDS, "Difference"):
        return "\N{EN DASH}"
    return escape(for_the_eye(cell, places) or "")


WIDE, HIGH, LEFT, FOOT = 640, 150, 84, 22


def _chart(drawn: Sequence[StatementPeriod], currency: str) -> str:
    """Return net asset value over time as a picture; nothing of fewer than three days."""
    known = [(period.to, period.closing) for period in drawn if period.closing is not None]
    if len(known) < 3 or len(known) < len(drawn):
        return ""
    values = [value for _, value in known]
    low, high = min(Decimal(0), *values), max(Decimal(0), *values)
    if low == high:
        return ""
    line = " ".join(_points(values, low, high))
    zero = _height(Decimal(0), low, high)
    ends = f"{WIDE},{zero} {LEFT},{zero}"
    first, last = known[0][0], known[-1][0]
    label = (
        f"Net asset value from {first} to {last}, {currency}: "
        f"{for_the_eye(values[0], 2)} to {for_the_eye(values[-1], 2)}"
    )
    marks = "".join(
        f'<text x="{LEFT - 6}" y="{_height(value, low, high) + 4}" text-anchor="end">'
        f"{for_the_eye(value, 0)}</text>"
        for value in sorted({low, high})
    )
    return (
        f'<svg viewBox="0 0 {WIDE} {HIGH + FOOT}" role="img" aria-label="{escape(label)}">\n'
        f'<polygon points="{line} {ends}" fill="var(--net)" fill-opacity="0.15"/>\n'
        f'<polyline points="{line}" fill="none" stroke="var(--net)" stroke-width="1.5"/>\n'
        f'<line x1="{LEFT}" x2="{WIDE}" y1="{zero}" y2="{zero}" stroke="var(--line)"/>\n'
        f'{marks}<text x="{LEFT}" y="{HIGH + 16}">{first}</text>'
        f'<text x="{WIDE}" y="{HIGH + 16}" text-anchor="end">{last}</text>\n</svg>\n'
    )


def _points(values: Sequence[Decimal], low: Decimal, high: Decimal) -> Iterator[str]:
    for index, value in enumerate(values):
        x = LEFT + (WIDE - LEFT) * index // (len(values) - 1)
        yield f"{x},{_height(value, low, high)}"


def _height(value: Decimal, low: Decimal, high: Decimal) -> int:
    """Return how far from the top a value lies, in units of the picture."""
    return int(10 + (HIGH - 14) * (high - value) / (high - low))
