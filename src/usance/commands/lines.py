"""Lines: `usance explain statement/...`, what adds to a line of a statement."""

import re
from dataclasses import replace

import click

from usance.commands.balances import posted_by
from usance.commands.messages import near, report
from usance.commands.options import first_of, last_of
from usance.commands.periods import Asked, question, year
from usance.commands.tables import as_json, flat_table, table
from usance.reports.contributions import COLUMNS, WHOLE, Contributions
from usance.reports.figures import in_full
from usance.reports.statement import WORDS, Statement, StatementPart
from usance.reports.statement import title as titled

FORM = "statement/2025-05/Main/funding"
"""An id of a line."""


def explain_line(path: str, identity: str, *, corrected: bool, form: str) -> None:
    """Show the transactions and the moves of prices that add to a line of a statement."""
    parts = identity.split("/", 4)
    if len(parts) < 4:
        raise click.UsageError(f"{identity!r} is no id of a line. Write {FORM}.")
    _, period, name, kind = parts[:4]
    about = parts[4] if len(parts) > 4 else None
    asked = question(path, [_asked(period)], corrected=corrected, exact=True, option="")
    if asked is None:
        return
    books, first, last, basis, _ = asked
    answer = books.contributions(name, kind, first, last, about=about, basis=basis)
    if answer.contributions is not None:
        rows = [
            row if row.file is None else replace(row, file=near(row.file))
            for row in answer.contributions
        ]
        answer = replace(answer, contributions=tuple(rows))
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(COLUMNS, answer.rows_as_dicts()), nl=False)
        case _:
            _show(answer)
    report(books.ledger, answer.problems)


def _asked(period: str) -> Asked:
    """Return the days of a period: two with .. between them, a year, a month or a day."""
    begin, dots, end = period.partition("..")
    if dots:
        return first_of(begin), last_of(end)
    if re.fullmatch(r"\d{4}", period, re.ASCII):
        return year(period)
    return first_of(period), last_of(period)


def _show(answer: Contributions) -> None:
    """Show a row for each contribution, and their sum."""
    words = {"opening": "Opening", **WORDS, "closing": "Closing"}
    about = "" if answer.about is None else f", {answer.about}"
    part = StatementPart(answer.name, answer.venue, answer.kind, ())
    of = Statement(answer.from_, answer.to, answer.currency, answer.basis, (part,))
    title = f"{words[answer.line]}{about}. {titled(part, of)}"
    if answer.contributions is None:
        click.echo(f"{title}\n\n  cannot be priced")
        return
    is_whole = answer.kind == WHOLE
    is_named = answer.about is None and any(row.about for row in answer.contributions)
    heads = ["Date", *["Sub-account"] * is_whole, *["About"] * is_named]
    heads += ["Cause", "Posted by", "Units ", "Commodity", "Price before ", "Price ", "Amount "]
    rows = [
        [
            str(row.date),
            *[row.sub_account] * is_whole,
            *[row.about] * is_named,
            row.cause,
            posted_by(row.id, row.file, row.line or 0) if row.file else "",
            in_full(row.units),
            "" if row.units is None else row.commodity,
            in_full(row.price_before),
            in_full(row.price),
            in_full(row.amount),
        ]
        for row in answer.contributions
    ]
    blanks = [""] * (len(heads) - 2)
    rows.append(["Total", *blanks, in_full(answer.amount)])
    click.echo(table(title, heads, rows), nl=False)
