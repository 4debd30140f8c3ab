"""The command line. No arithmetic: loading, posting and reports are asked, and shown."""

import sys
from importlib import resources
from pathlib import Path

import click

from usance import __version__
from usance.close import folder as posted
from usance.commands.accrue import accrue, verify
from usance.commands.explain import explain
from usance.commands.fava import fava_
from usance.commands.lending import accounts, lending
from usance.commands.margin import efficiency, margin, stress
from usance.commands.messages import located, placed, show
from usance.commands.options import with_ledger, with_lines
from usance.commands.tables import as_json, counted
from usance.commands.yields import yield_
from usance.language.provenance import POSTED
from usance.ledger import load as ledger
from usance.ledger.disk import Disk
from usance.reports import balance_sheets as reports


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="usance")
def main() -> None:
    """Keep the books of a global margin account in Beancount.

    LEDGER is a Beancount file with a line  plugin "usance.plugins". It may also come from
    USANCE_FILE or BEANCOUNT_FILE.

    \b
    Examples:
      usance init books
      usance check books/main.beancount
      usance accrue books/main.beancount --through yesterday
    """


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def init(folder: str) -> None:
    """Write a ledger to start from: DIR/main.beancount and DIR/posted.

    It loads, accrues, and has terms to edit. Nothing is ever overwritten.

    \b
    Example:
      usance init books
    """
    top = Path(folder)
    files = {
        top / "main.beancount": resources.files("usance")
        .joinpath("first_month.beancount")
        .read_text("utf-8"),
        top
        / "posted"
        / "first.beancount": "; Closed days are posted beside this file, a month each.\n",
    }
    taken = [str(path) for path in files if path.exists() or path.is_symlink()]
    if taken:
        raise click.ClickException(f"{taken[0]} is there already. Name another folder.")
    try:
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    for path in files:
        click.echo(f"Wrote {path}")
    click.echo(f"Now try: usance lending {top / 'main.beancount'} --to 2025-05-07")


@main.command()
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


for command in (
    accrue,
    verify,
    explain,
    lending,
    margin,
    stress,
    yield_,
    efficiency,
    accounts,
    fava_,
):
    main.add_command(command)
