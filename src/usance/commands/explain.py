"""The command that explains a figure. No arithmetic: explain is asked, and shown."""

import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import click

from usance.commands.messages import near, report
from usance.commands.options import with_format, with_ledger
from usance.commands.tables import as_json, comma_separated, table
from usance.explain import explanation as explaining
from usance.explain.explanation import Explanation
from usance.explain.working import Hour, Step, substituted
from usance.ledger.load import load
from usance.model.amounts import decimal_text, rounded_text

WIDTH = 97
"""Of an equation, behind its margin."""

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


class _AfterLedger(click.Command):
    """A command with an argument behind LEDGER, which may come from the environment."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the only argument for the last one, where the environment names a ledger."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        path, last = (param for param in self.params if isinstance(param, click.Argument))
        named = path.resolve_envvar_value(ctx)
        alone = isinstance(given.get(path.name), str) and not isinstance(given.get(last.name), str)
        return super().parse_args(ctx, [named, *args] if alone and named else args)


@click.command(cls=_AfterLedger)
@with_ledger
@click.argument("identity", metavar="ID")
@click.option("--hours", "hourly", is_flag=True, help="Show each hour's principal and rate.")
@with_format
def explain(path: str, identity: str, hourly: bool, form: str) -> None:
    """Show the arithmetic behind the generated transaction ID, from the directives on.

    ID is what stands behind its usance: as kind/date/sub-account, or product. The figure is
    computed again, on closed days too. Exits 1 where what is posted differs, and shows both.

    \b
    Examples:
      usance explain books/main.beancount lending/2025-05-01/Main
      usance explain books/main.beancount margin/2025-05-02/Main --format json
    """
    ledger = load(path)
    known = explaining.ids(ledger)
    if identity not in known:
        close = explaining.nearest(identity, known)
        hint = "Write an id such as lending/2025-05-01/Main."
        if close:
            hint = f"The nearest: {', '.join(close)}."
        raise click.UsageError(f"no transaction has the id {identity!r}. {hint}")
    found = explaining.explain(ledger, known[identity], detailed=hourly)
    match form:
        case "json":
            click.echo(as_json(_answer(found, hourly)), nl=False)
        case "csv":
            _show_rows(found, hourly)
        case _:
            _show(found, hourly)
    if found.differs:
        _tell(found)
    report(ledger)
    sys.exit(1 if found.differs else 0)


def _answer(found: Explanation, hourly: bool) -> dict[str, Any]:
    """Return an explanation as JSON."""
    answer = {
        "id": found.id,
        "file": near(found.source.file),
        "line": found.source.line,
        "kind": found.kind,
        "steps": [
            {
                "what": step.what,
                "formula": step.formula,
                "values": {name: decimal_text(number) for name, number in step.values.items()},
                "result": decimal_text(step.result),
                "unit": step.unit,
            }
            for step in found.steps
        ],
        "directives": [{**asdict(used), "file": near(used.file)} for used in found.directives],
        "openings": [{**asdict(opening), "file": near(opening.file)} for opening in found.openings],
        "differs": found.differs,
        "posted": found.shown,
        "recomputed": found.recomputed or None,
        "corrections": found.corrections,
    }
    if hourly:
        answer["hours"] = [
            {name: _text(value) for name, value in hour._asdict().items()} for hour in found.hours
        ]
    return answer


def _text(value: object) -> object:
    return decimal_text(value) if isinstance(value, Decimal) else value


def _show_rows(found: Explanation, hourly: bool) -> None:
    """Print steps as CSV, or the hours behind them."""
    if hourly:
        hours = [
            [None if cell is None else str(_text(cell)) for cell in hour] for hour in found.hours
        ]
        click.echo(comma_separated(Hour._fields, hours), nl=False)
        return
    names = ["step", "what", "formula", "values", "result", "unit"]
    rows = [
        (
            str(number),
            step.what,
            step.formula,
            "; ".join(f"{name} = {decimal_text(value)}" for name, value in step.values.items()),
            decimal_text(step.result),
            step.unit,
        )
        for number, step in enumerate(found.steps, 1)
    ]
    click.echo(comma_separated(names, rows), nl=False)


def _show(found: Explanation, hourly: bool) -> None:
    """Print steps for a person with a calculator, then what they rest on."""
    click.echo(f"{found.id}, {near(found.source.file)}:{found.source.line}")
    for number, step in enumerate(found.steps, 1):
        click.echo(f"\n{number}. {step.what}")
        for line in _lines(step):
            click.echo(f"   {line}")
    if hourly and found.hours:
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
            for hour in found.hours
        ]
        click.echo(table("\nHours", heads, rows), nl=False)
    if found.openings:
        click.echo("\nBalances at 00:00 come from:")
    for opening in found.openings:
        behind = f"  {opening.id}" if opening.id else ""
        place = f"{near(opening.file)}:{opening.line}"
        click.echo(f"  {place}  {opening.account} {opening.commodity}{behind}")
    click.echo("\nDirectives:")
    for used in found.directives:
        first, *rest = used.text.split("\n")
        click.echo(f"  {near(used.file)}:{used.line}  {first}".rstrip())
        for line in rest:
            click.echo(f"      {line}")


def _lines(step: Step) -> Iterator[str]:
    """Return a formula, the same with its numbers, and the result."""
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
    """Yield the lines of an equation, those after the first indented to its right side."""
    lines = textwrap.wrap(
        expression, WIDTH - len(name) - 3, break_long_words=False, break_on_hyphens=False
    )
    lines = [line.replace(NO_BREAK_SPACE, " ") for line in lines]
    yield f"{name} = {lines[0]}"
    for line in lines[1:]:
        yield f"{' ' * len(name)}   {line}"


def _tell(found: Explanation) -> None:
    """Say that what is posted is not what comes out, and show both."""
    click.echo(f"{found.id}: the posted transaction differs from the computed one.", err=True)
    click.echo(f"Posted:\n{found.shown}", err=True)
    again = found.recomputed or "nothing: the ledger no longer produces this transaction\n"
    click.echo(f"Computed again:\n{again}", err=True)
    if found.corrections:
        click.echo(f"Corrected since: {', '.join(found.corrections)}.", err=True)
