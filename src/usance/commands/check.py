"""`usance check`: every error, finding and doubt of a ledger."""

import sys
from pathlib import Path

import click

from usance.close.folder import chain, month_names
from usance.close.verification import removed
from usance.commands.messages import located, placed, show
from usance.commands.options import with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.language.directive import source_of
from usance.language.doubts import doubts
from usance.language.provenance import POSTED
from usance.ledger.disk import Disk
from usance.ledger.load import load
from usance.ledger.plugin_lines import enabled
from usance.model.hours import iso
from usance.reports import balance_sheets as reports


@click.command(short_help="Print every error, finding and doubt of a ledger")
@with_ledger
@with_lines
@click.option("--strict", is_flag=True, help="Exit 1 if there is a doubt.")
def check(path: str, strict: bool, form: str) -> None:
    """Print every error, finding and doubt of LEDGER, as file:line: message.

    Errors come from Beancount and from Usance. A finding is a fact about an account. The seals of
    closed days are checked too. The command exits 1 if there is an error or a finding. If nothing
    is wrong, it says how many directives count only after the last day of the books.

    A doubt is about what is legal and probably not meant. It stops nothing, and with --strict the
    command exits 1. Write sure: TRUE on a directive that is right. Notes, on lots that could repay
    a debt, do not change the exit code.

    \b
    Examples:
      usance check books/main.beancount
      usance check books/main.beancount --strict
    """
    ledger = load(path)
    folder = Path(ledger.path).parent / POSTED
    broken = chain(ledger, folder, Disk()) if month_names(folder) else []
    broken += [] if broken else removed(folder, Disk())
    # An edit of closed days comes before all that follows from it.
    errors = [*map(placed, broken)]
    errors += [place for place in map(located, ledger.errors) if place not in errors]
    findings = [*map(located, ledger.findings)]
    reading = ledger.read()
    sources = [source_of(error.source or {}) for error in ledger.errors]
    doubtful = doubts(ledger.entries, reading, enabled(ledger.options), ledger.path, sources)
    doubted = [*map(placed, doubtful)]
    notes = [*map(placed, reports.lots_that_could_repay(ledger, reading))]
    last = iso(reading.last) if reading.last else None
    after = sum(one.day > reading.last for one in reading.inputs) if last else 0
    ok = not (errors or findings or (strict and doubted))
    if form == "json":
        answer = {
            "ok": ok,
            "errors": errors,
            "findings": findings,
            "doubts": doubted,
            "notes": notes,
            "last": last,
            "after": after,
        }
        click.echo(as_json(answer), nl=False)
    else:
        show([*errors, *findings, *doubted], sys.stdout)
        show(({**note, "message": f"note: {note['message']}"} for note in notes), sys.stdout)
        if not errors and not findings:
            later = f", of which {after} count after {last}, the last day" if after else ""
            count = counted(len(ledger.entries), "directive")
            if doubted:
                number = counted(len(doubted), "doubt")
                click.echo(f"{path}: no error in {count}{later}, but {number}")
            else:
                click.echo(f"{path}: nothing wrong in {count}{later}")
        if not enabled(ledger.options) and not errors:
            click.echo(
                f'{path} has no line  plugin "usance.plugins", so Usance adds nothing to it.'
            )
    sys.exit(0 if ok else 1)
