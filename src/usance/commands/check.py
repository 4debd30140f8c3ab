"""Check: every error and finding of a ledger."""

import sys
from pathlib import Path

import click

from usance.close import folder as posted
from usance.commands.messages import located, placed, show
from usance.commands.options import with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.language.provenance import POSTED
from usance.ledger import load as ledger
from usance.ledger.disk import Disk
from usance.reports import balance_sheets as reports


@click.command()
@with_ledger
@with_lines
def check(path: str, form: str) -> None:
    """Print every error and finding of LEDGER, as file:line: message.

    Errors are Beancount's and ours; a finding is a fact about an account. The chain of closed
    days is followed too. Exits 1 where there is an error or a finding; a note, about lots that
    could repay what is owed, is none.

    \b
    Example:
      usance check books/main.beancount
    """
    book = ledger.load(path)
    folder = Path(book.path).parent / POSTED
    broken = posted.chain(book, folder, Disk()) if posted.has_months(folder) else []
    errors = [*map(located, book.errors), *map(placed, broken)]
    findings = [*map(located, book.findings)]
    notes = [*map(placed, reports.lots_that_could_repay(book, book.read()))]
    if form == "json":
        found = {"errors": errors, "findings": findings, "notes": notes}
        click.echo(as_json({"ok": not (errors or findings), **found}), nl=False)
    else:
        show([*errors, *findings], sys.stdout)
        show(({**note, "message": f"note: {note['message']}"} for note in notes), sys.stdout)
        if not errors and not findings:
            click.echo(f"{path}: nothing wrong in {counted(len(book.entries), 'directive')}")
    sys.exit(1 if errors or findings else 0)
