"""Balances: `usance explain balance/...`, what moved a balance and who posted it."""

import datetime
from dataclasses import replace

import click

from usance.commands.messages import near, report
from usance.commands.opened import opened, tell_of_horizon
from usance.commands.options import last_of
from usance.commands.periods import basis_of
from usance.commands.tables import as_json, flat_table, table
from usance.model.amounts import decimal_text
from usance.reports.movements import COLUMNS, Balance
from usance.reports.statement import BASES

FORM = "balance/2025-05-31/Main/USDC"
"""An id of a balance."""


def explain_balance(
    path: str, identity: str, begin: datetime.date | None, *, corrected: bool, form: str
) -> None:
    """Show what moved a balance in a day, or since `begin`."""
    try:
        _, date, name, commodity = identity.split("/", 3)
    except ValueError:
        raise click.UsageError(f"{identity!r} is no id of a balance. Write {FORM}.") from None
    asked = last_of(date)
    books = opened(path)
    answer = books.balance(name, commodity, asked, from_=begin, basis=basis_of(corrected=corrected))
    tell_of_horizon(books, asked, "")
    accounts = [
        replace(
            of, movements=tuple(replace(moved, file=near(moved.file)) for moved in of.movements)
        )
        for of in answer.accounts
    ]
    answer = replace(answer, accounts=tuple(accounts))
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(COLUMNS, answer.rows_as_dicts()), nl=False)
        case _:
            _show(answer)
    report(books.ledger)


def _show(answer: Balance) -> None:
    """Show a table for each account, and their sum."""
    period = str(answer.to)
    if answer.from_ != answer.to:
        period = f"{answer.from_} to {period}"
    click.echo(f"{answer.commodity} of {answer.name}, {period}, {BASES[answer.basis]}\n")
    for of in answer.accounts:
        rows = [("", "Opening", "", "", decimal_text(of.opening))]
        for moved in of.movements:
            by = posted_by(moved.id, moved.file, moved.line)
            numbers = decimal_text(moved.amount), decimal_text(moved.balance)
            rows.append((str(moved.date), by, moved.narration, *numbers))
        rows.append(("", "Closing", "", "", decimal_text(of.closing)))
        heads = ("Date", "Posted by", "Narration", "Amount ", "Balance ")
        click.echo(table(of.account, heads, rows))
    if len(answer.accounts) > 1:
        ends = decimal_text(answer.opening), decimal_text(answer.closing)
        click.echo("Together: {} before, {} after.".format(*ends))


def posted_by(identity: str, file: str, line: int) -> str:
    """Return the id of a generated transaction, or the place of a person's."""
    return identity or f"{file}:{line}"
