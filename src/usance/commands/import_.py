"""`usance import`: write the text of what was downloaded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from usance.commands.options import AfterLedger, with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.feeding import importing
from usance.feeding.downloads import RefusedError
from usance.feeding.importing import FeedNeededError, Request
from usance.feeding.tables import Table, Unit

COUNTED = ("booked", "checked")
"""What becomes of rows that count."""

LATE_MAX = 5
"""Closed days that are named one by one."""


@click.command(
    "import", cls=AfterLedger, short_help="Write the text of what was downloaded, and of files"
)
@with_ledger
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--as",
    "name",
    metavar="SUB_ACCOUNT",
    show_default="the feed, if there is one alone",
    help="Sub-account of the feed that each FILE is of.",
)
@click.option(
    "--rates", metavar="COIN", help="FILE is a table of the lending rates of this coin's pool."
)
@click.option(
    "--prices",
    metavar="COMMODITY/CURRENCY",
    help="FILE is a table of prices, such as of SOL/USDC.",
)
@click.option(
    "--unit",
    type=click.Choice([unit.value for unit in Unit]),
    help="What a 1 in a table of rates is. It is never guessed.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="WHAT=NAME",
    help="Name of a column in the table: time, supply, borrow, utilization or price.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--overwrite", is_flag=True, help="Also write files that somebody edited.")
@with_lines
def import_(
    path: str,
    files: tuple[Path, ...],
    name: str | None,
    rates: str | None,
    prices: str | None,
    unit: str | None,
    columns: tuple[str, ...],
    dry_run: bool,
    overwrite: bool,
    form: str,
) -> None:
    """Write imported/ and rates/ beside LEDGER anew, from all that lies in downloads/.

    Each FILE, JSON or CSV of the venue, is put into downloads/ first. The same file twice, or files
    that overlap, change nothing. It exits 1, and writes nothing, if a row cannot be read or two
    rows of one id do not agree.

    \b
    Examples:
      usance import books/main.beancount
      usance import books/main.beancount fills.csv --as Main
      usance import books/main.beancount rates.csv --rates USDC --unit percent \\
        --column supply=lend_rate
      usance import books/main.beancount marks.csv --prices SOL-PERP/USDC
    """
    table = _table(files, rates, prices, unit, columns)
    request = Request(
        files=() if table else files,
        name=name,
        table=table,
        dry_run=dry_run,
        overwrite=overwrite,
    )
    try:
        answer = answered(path, request)
    except FeedNeededError as error:
        raise click.UsageError(str(error)) from None
    except RefusedError as error:
        raise click.ClickException(f"{error}\nNothing was written.") from None
    if form == "json":
        click.echo(as_json(answer), nl=False)
        return
    for line in lines(answer, dry_run=dry_run):
        click.echo(line)
    for finding in answer["findings"]:
        click.echo(f"finding: {finding}.", err=True)


def answered(path: str, request: Request) -> dict[str, Any]:
    """Import, and return the answer of the command as JSON has it.

    RefusedError and FeedNeededError have a person's text.
    """
    answer = importing.import_(path, request, _wait)
    here = Path(path).parent
    return {**answer, "files": [str(here / file) for file in answer["files"]]}


def _wait() -> None:
    click.echo("Another run is writing. Waiting for it.", err=True)


def lines(answer: dict[str, Any], *, dry_run: bool) -> Iterator[str]:
    """Yield the answer for a person."""
    rows = answer["rows"]
    if not rows:
        yield "No rows: run usance fetch, or name a file."
    for feed in rows:
        parts = [counted(rows[feed], "row")]
        parts += [f"{answer[what][feed]} {what}" for what in COUNTED if feed in answer[what]]
        yield f"{feed}: {', '.join(parts)}"
    for reason, count in answer["ignored"].items():
        yield f"{counted(count, 'row')} left out: {reason}"
    word = "Would write" if dry_run else "Wrote"
    for file in answer["files"]:
        yield f"{word} {file}"
    if not answer["files"]:
        yield "Nothing has changed."
    if late := answer["late"]:
        days = ", ".join(late[:LATE_MAX]) + (" and later ones" if len(late) > LATE_MAX else "")
        yield f"Rows of closed days: {days}. Post the difference with usance accrue --correct."


def _table(
    files: tuple[Path, ...],
    rates: str | None,
    prices: str | None,
    unit: str | None,
    columns: tuple[str, ...],
) -> Table | None:
    """Return the table that is asked for; wrong usage if options do not go together."""
    if rates is None and prices is None:
        if unit is not None or columns:
            raise click.UsageError("--unit and --column are of a table. Add --rates or --prices.")
        return None
    if rates is not None and prices is not None:
        raise click.UsageError("A table has rates or prices. Use one of --rates and --prices.")
    if len(files) != 1:
        raise click.UsageError("Name one FILE, the table.")
    names, file = _columns(columns), files[0]
    if rates is not None:
        if unit is None:
            raise click.UsageError("Say with --unit whether rates are a fraction or percent.")
        return _read(lambda: importing.rates_of(file, rates, Unit(unit), names))
    if unit is not None:
        raise click.UsageError("Prices have no --unit. Leave it out.")
    commodity, slash, currency = (prices or "").partition("/")
    if not slash or not commodity or not currency:
        raise click.UsageError(f"--prices {prices!r} is no pair. Write it as SOL/USDC.")
    return _read(lambda: importing.prices_of(file, commodity, currency, names))


def _read(read: Callable[[], Table]) -> Table:
    try:
        return read()
    except RefusedError as error:
        raise click.ClickException(f"{error}\nNothing was written.") from None


def _columns(columns: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in columns:
        what, equals, name = column.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--column {column!r} names none. Write it as supply=NAME.")
        found[what] = name
    return found
