"""Margin table: `SELECT * FROM #margin` in bean-query and in Fava's query page.

It has one row for each day and sub-account. If a filter is set, Fava hands over only the directives
that pass it, and the figures come from those alone.
"""

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from beancount.core.data import Directives

from usance.engine.valuation import Valuer
from usance.language.provenance import is_generated
from usance.language.reading import read
from usance.ledger.plugin_lines import enabled
from usance.ledger.replay import evenings
from usance.model.amounts import FIGURE
from usance.model.hours import date_of
from usance.reports.margin import SUMS
from usance.rules.margin import evaluate

NAME = "margin"
COLUMNS: dict[str, type] = {
    "date": date,
    "sub_account": str,
    "venue": str,
    **dict.fromkeys(SUMS, Decimal),
    "in_breach": bool,
}

Row = tuple[object, ...]


def rows(entries: Directives, options: dict[str, Any]) -> Iterator[Row]:
    """Yield the margin of each sub-account at the end of each day that has prices for it."""
    written = [entry for entry in entries if not is_generated(entry)]
    folder = str(Path(options["filename"]).parent)
    reading = read(written, options, folder, enabled(options))
    book = reading.book
    for day, state in evenings(reading, reading.last):
        valuer = Valuer(book, state, day.day)
        for name in sorted(book.sub_accounts):
            valuation = valuer.valuation(name)
            if valuation is None:
                continue
            margin = evaluate(valuation)
            figures = (getattr(margin, name) for name in SUMS)
            shown = [None if figure is None else FIGURE.plus(figure) for figure in figures]
            head = (date_of(day.day), name, book.venue(name))
            yield (*head, *shown, margin.in_breach)


def register() -> None:
    """Add the table to beanquery, if this process imported it and it has a list of tables.

    A load for another tool costs no import of beanquery: this looks for it among the imported
    modules. It then imports only beanquery's source of tables, as Fava does with the first query,
    after the load. The list of tables is private to beanquery, so a version without it gets none.

    A load from Beancount's cache runs no plugin, and so adds no table. For bean-query set
    BEANCOUNT_DISABLE_LOAD_CACHE=1.
    """
    if "beanquery" not in sys.modules:
        return
    try:
        tables = getattr(import_module("beanquery.sources.beancount"), "_TABLES", None)
    except ImportError:
        return
    if not isinstance(tables, list) or any(table.name == NAME for table in tables):
        return
    from beanquery.query_compile import EvalColumn  # noqa: PLC0415
    from beanquery.tables import Table  # noqa: PLC0415

    class Column(EvalColumn):  # type: ignore[misc]
        """A column of the table: the figure of a row at an index."""

        def __init__(self, index: int, dtype: type) -> None:
            super().__init__(dtype)
            self.index = index

        def __call__(self, row: Row) -> object:
            return row[self.index]

    figures = {name: Column(index, COLUMNS[name]) for index, name in enumerate(COLUMNS)}

    class MarginTable(Table):  # type: ignore[misc]
        """The margin by day and sub-account; a query computes it when it reads the table."""

        name = NAME
        columns = figures

        def __init__(self, entries: Directives, options: dict[str, Any]) -> None:
            self.entries = entries
            self.options = options

        def __iter__(self) -> Iterator[Row]:
            return rows(self.entries, self.options)

    tables.append(MarginTable)
