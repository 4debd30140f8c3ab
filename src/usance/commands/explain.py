"""`usance explain`: the arithmetic behind a transaction, or the rows behind a figure."""

import datetime
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

import click

from usance.commands.balances import explain_balance
from usance.commands.lines import explain_line
from usance.commands.messages import near, report
from usance.commands.opened import opened
from usance.commands.options import DAYS, AfterLedger, first_of, with_format, with_ledger
from usance.commands.periods import with_corrected
from usance.commands.tables import as_json, flat_table, table
from usance.explain.explanation import LISTS, Explanation
from usance.explain.working import Step, substituted
from usance.model.amounts import decimal_text, rounded_text

WIDTH = 97
"""Characters of an equation, without its indent."""

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@click.command(cls=AfterLedger, short_help="Show where a figure comes from")
@with_ledger
@click.argument("identity", metavar="ID")
@click.option("--hours", "hourly", is_flag=True, help="Show each hour's principal and rate.")
@click.option(
    "--from",
    "begin",
    type=first_of,
    metavar="DATE",
    show_default="the day of the balance",
    help=f"Of a balance: first day of its movements: {DAYS}",
)
@with_corrected
@with_format
def explain(
    path: str,
    identity: str,
    hourly: bool,
    begin: datetime.date | None,
    corrected: bool,
    form: str,
) -> None:
    """Show where a figure comes from: the arithmetic behind one generated transaction.

    ID is the transaction's usance: metadata, kind/date/sub-account (or product), for example
    lending/2025-05-01/Main. The command computes the transaction again, also on a closed day. If
    the posted transaction differs, the command shows both and exits 1.

    Of balance/date/sub-account/commodity it shows the opening, each transaction that moved it, and
    the closing of that day, of each account of assets and liabilities. Of
    statement/period/sub-account/line it shows the transactions and the moves of prices that add to
    a line of usance statement.

    \b
    Examples:
      usance explain books/main.beancount lending/2025-05-01/Main
      usance explain books/main.beancount margin/2025-05-02/Main --format json
      usance explain books/main.beancount balance/2025-05-31/Main/USDC --from 2025-05
      usance explain books/main.beancount statement/2025-05/Main/funding
      usance explain books/main.beancount statement/2025/whole/coins/SOL --format csv > sol.csv
    """
    kind = identity.partition("/")[0]
    of_books = kind in ("balance", "statement")
    for option, is_misplaced in (
        ("--hours", hourly and of_books),
        ("--from", begin is not None and kind != "balance"),
        ("--as-corrected", corrected and not of_books),
    ):
        if is_misplaced:
            raise click.UsageError(f"{option} does not go with {identity}. Leave it out.")
    match kind:
        case "balance":
            explain_balance(path, identity, begin, corrected=corrected, form=form)
        case "statement":
            explain_line(path, identity, corrected=corrected, form=form)
        case _:
            _explain_transaction(path, identity, hourly=hourly, form=form)


def _explain_transaction(path: str, identity: str, *, hourly: bool, form: str) -> None:
    """Show the arithmetic behind a generated transaction; exit 1 if it differs."""
    books = opened(path)
    explanation = books.explain(identity, hours=hourly)
    match form:
        case "json":
            click.echo(as_json(_seen_from_here(explanation)), nl=False)
        case "csv":
            listed = "hours" if hourly else "steps"
            click.echo(flat_table(LISTS[listed], explanation.rows_as_dicts(listed)), nl=False)
        case _:
            _show(explanation)
    if explanation.differs:
        _show_difference(explanation)
    report(books.ledger)
    sys.exit(1 if explanation.differs else 0)


def _seen_from_here(explanation: Explanation) -> Explanation:
    """Return an explanation whose files are named as seen from the current folder."""
    return replace(
        explanation,
        file=near(explanation.file),
        directives=tuple(replace(one, file=near(one.file)) for one in explanation.directives),
        openings=tuple(replace(one, file=near(one.file)) for one in explanation.openings),
    )


def _show(explanation: Explanation) -> None:
    """Print the steps for a person with a calculator, then the balances and directives used."""
    click.echo(f"{explanation.id}, {near(explanation.file)}:{explanation.line}")
    if explanation.reason:
        click.echo(f"Reason: {explanation.reason}")
    for number, step in enumerate(explanation.steps, 1):
        click.echo(f"\n{number}. {step.what}")
        for line in _lines(step):
            click.echo(f"   {line}")
    if explanation.hours:
        heads = ["What", "Hour", "Principal ", "Rate ", "Growth ", "Principal x growth "]
        rows = [
            (
                hour.what,
                f"{hour.hour:02}:00",
                decimal_text(hour.principal),
                None if hour.rate is None else rounded_text(hour.rate),
                rounded_text(hour.growth),
                rounded_text(hour.earned),
            )
            for hour in explanation.hours
        ]
        click.echo(table("\nHours", heads, rows), nl=False)
    if explanation.openings:
        click.echo("\nBalances at 00:00 come from:")
    for opening in explanation.openings:
        behind = f"  {opening.id}" if opening.id else ""
        place = f"{near(opening.file)}:{opening.line}"
        click.echo(f"  {place}  {opening.account} {opening.commodity}{behind}")
    click.echo("\nDirectives:")
    for used in explanation.directives:
        first, *rest = used.text.split("\n")
        click.echo(f"  {near(used.file)}:{used.line}  {first}".rstrip())
        for line in rest:
            click.echo(f"      {line}")


def _lines(step: Step) -> Iterator[str]:
    """Yield a formula, the formula with its numbers, and the result."""
    name, _, expression = step.formula.partition(" = ")
    result = f"{rounded_text(step.result)} {step.unit}".rstrip()
    numbers, margin = substituted(step), " " * len(name)
    yield from _wrapped(name, _unbreakable(expression, step.values))
    if numbers not in (expression, result, rounded_text(step.result)):
        yield from _wrapped(margin, numbers)
    yield f"{margin} = {result}"


def _unbreakable(expression: str, names: Iterable[str]) -> str:
    """Return an expression that breaks between its names only: `rate 14` stays on one line."""
    for name in sorted(names, key=len, reverse=True):
        expression = expression.replace(name, name.replace(" ", NO_BREAK_SPACE))
    return expression


def _wrapped(name: str, expression: str) -> Iterator[str]:
    """Yield the lines of an equation; later lines are indented to its right side."""
    lines = textwrap.wrap(
        expression, WIDTH - len(name) - 3, break_long_words=False, break_on_hyphens=False
    )
    lines = [line.replace(NO_BREAK_SPACE, " ") for line in lines]
    yield f"{name} = {lines[0]}"
    for line in lines[1:]:
        yield f"{' ' * len(name)}   {line}"


def _show_difference(explanation: Explanation) -> None:
    """Report that the posted transaction differs from the computed one, and show both."""
    click.echo(f"{explanation.id}: the posted transaction differs from the computed one.", err=True)
    click.echo(f"Posted:\n{explanation.posted}", err=True)
    again = explanation.recomputed or "nothing: the ledger no longer produces this transaction\n"
    click.echo(f"Computed again:\n{again}", err=True)
    if explanation.corrections:
        click.echo(f"Corrected since: {', '.join(explanation.corrections)}.", err=True)
