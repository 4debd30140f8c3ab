"""`usance reconcile`: hold the books against the venue's own snapshot, line by line."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from usance.commands.messages import loaded, report
from usance.commands.options import AfterLedger, with_format, with_ledger
from usance.commands.tables import as_json, comma_separated, counted, table
from usance.feeding import lines, reconciling
from usance.feeding.downloads import RefusedError
from usance.feeding.lines import Class, Line
from usance.feeding.reconciling import Asked, Reconciled, WrongUsageError
from usance.ledger.load import Ledger

COLUMNS = ("sub_account", "line", "name", "books", "venue", "difference", "class", "rule")

FORMULA = ("=", "+", "-", "@")
"""How a text begins that a spreadsheet takes for a formula."""


@click.command(cls=AfterLedger, short_help="Hold the books against the venue's own snapshot")
@with_ledger
@click.argument(
    "snapshot", metavar="[SNAPSHOT]", required=False, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--sub-account",
    "name",
    metavar="NAME",
    show_default="all that have a feed",
    help="Reconcile only this sub-account.",
)
@click.option(
    "--at",
    metavar="MOMENT",
    show_default="when the snapshot was taken",
    help="The moment of the books: 2025-06-17T00:10:03Z, or a date for its end.",
)
@with_format
def reconcile(
    path: str, snapshot: Path | None, name: str | None, at: str | None, form: str
) -> None:
    """Hold the books against the venue's own snapshot, line by line.

    SNAPSHOT is a folder of answers of the venue, or its collateral answer alone. If it is left out,
    the newest snapshot that usance fetch took of each feed is used.

    The books of a moment are those of the end of the last whole day, and all that is written with a
    time up to it. There is no tolerance. The command exits 1 if a line differs, or stands on one
    side alone.

    \b
    Examples:
      usance reconcile books/main.beancount
      usance reconcile books/main.beancount --sub-account Main --format json
      usance reconcile books/main.beancount collateral.json --at 2025-06-16
    """
    ledger = loaded(path)
    if ledger.errors:
        # A figure of books with errors that agrees would say nothing.
        report(ledger)
    found = held_against(ledger, snapshot, name, at)
    match form:
        case "json":
            click.echo(as_json(reconciling.answer(found)), nl=False)
        case "csv":
            click.echo(comma_separated(COLUMNS, _cells(found)), nl=False)
        case _:
            click.echo("\n".join(map(shown, found)), nl=False)
    if form != "json":
        for one in found:
            for note in one.notes:
                click.echo(f"{one.feed.sub_account}: {note}", err=True)
    sys.exit(0 if all(one.is_ok for one in found) else 1)


def held_against(
    ledger: Ledger, snapshot: Path | None = None, name: str | None = None, at: str | None = None
) -> list[Reconciled]:
    """Return the books of a ledger without errors, held against a snapshot of each feed."""
    try:
        moment = None if at is None else reconciling.moment_of(at)
        return reconciling.reconcile(ledger, Asked(snapshot, name, moment))
    except WrongUsageError as error:
        raise click.UsageError(str(error)) from error
    except RefusedError as error:
        raise click.ClickException(str(error)) from error


def summary(found: Iterable[Reconciled]) -> str:
    """Return the outcome of all sub-accounts as one line."""
    every = [line for one in found for line in one.lines]
    left = sum(1 for line in every if not line.kind.is_ok)
    return f"{counted(len(every) - left, 'line')} agree, {left} do not"


def _cells(found: Iterable[Reconciled]) -> Iterator[list[str | None]]:
    for one in found:
        for line in one.lines:
            row = {"sub_account": one.feed.sub_account, **lines.figures(line)}
            texts = ("sub_account", "line", "name", "class", "rule")
            yield [
                f"'{row[key]}" if key in texts and str(row[key]).startswith(FORMULA) else row[key]
                for key in COLUMNS
            ]


def shown(one: Reconciled) -> str:
    """Return what does not match, and a count of what does."""
    matched = [line for line in one.lines if line.kind is Class.MATCHED]
    others = lines.in_order(line for line in one.lines if line.kind is not Class.MATCHED)
    moment = reconciling.moment_text(one.at)
    text = f"{one.feed.sub_account} at {one.feed.venue}, {moment}, {one.place}\n"
    if others:
        heads = ["Line", "Name", "Books ", "Venue ", "Difference ", "Class", "Rule"]
        gaps = {line.name: one.interest[line.name] for line in others if line.name in one.interest}
        cells = [_row(line) for line in others]
        if gaps:
            heads.append("Interest: rows less engine's ")
            for line, row in zip(others, cells, strict=True):
                shown = line.line in ("quantity", "equity", "borrowed") and line.name in gaps
                row.append(lines.text(gaps[line.name]) if shown else None)
        text += table("", heads, cells) + "\n"
    return f"{text}{counted(len(matched), 'line')} {'matches' if len(matched) == 1 else 'match'}.\n"


def _row(line: Line) -> list[str | None]:
    row = lines.figures(line)
    return [row[key] for key in ("line", "name", "books", "venue", "difference", "class", "rule")]
