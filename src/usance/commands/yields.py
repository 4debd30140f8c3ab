"""`usance yield`: the yield of a period by source, and the assets that back a product."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

import click

from usance.commands.messages import loaded, report
from usance.commands.opened import days_of
from usance.commands.options import with_format, with_ledger, with_list, with_period
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, comma_separated, stacked, table
from usance.model.amounts import total
from usance.reports import yields as yield_reports
from usance.reports.figures import Figures, short
from usance.reports.lending import INTERVALS
from usance.reports.statement import head

FILLS = {"lending": "█", "treasury": "▓", "bonus": "░"}
"""The mark of each source in a bar."""


@click.command("yield", short_help="Show the yield of a period by source")
@with_ledger
@with_period
@click.option(
    "--by",
    type=click.Choice(INTERVALS),
    show_default="month for more than 45 days",
    help="Also show each interval.",
)
@click.option(
    "--reserves",
    is_flag=True,
    help="Show the assets that back each product at the end of the last day.",
)
@with_corrected
@with_list("rows", "products", "lots")
@with_format
def yield_(
    path: str,
    begin: datetime.date | None,
    end: datetime.date | None,
    by: str | None,
    reserves: bool,
    corrected: bool,
    listed: str,
    form: str,
) -> None:
    """Show the yield of a period by source: lending, treasury, bonus.

    The rates of the sources add up to the total rate, to the last digit. Compounding has a line of
    its own.

    \b
    Examples:
      usance yield books/main.beancount --from 2025-05-01 --to 2025-05-31
      usance yield books/main.beancount --from 2025-01 --to 2025-12 --by month
      usance yield books/main.beancount --reserves --to 2025-05-31
    """
    ledger = loaded(path)
    reading = ledger.read()
    first, last = days_of(begin, end, ledger)
    on = basis_of(corrected=corrected)
    if reserves or listed != "rows":
        _reserves(yield_reports.reserves(ledger, reading, last, on), listed, form)
    else:
        _split(yield_reports.split(ledger, reading, first, last, on, by), form)
    report(ledger)


def _split(answer: Figures, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = ["from", "to", *HEAD, "source", "income", *TAIL]
            rows = [row for part in answer.get("periods", [answer]) for row in _flat(part)]
            click.echo(comma_separated(columns, rows), nl=False)
        case _:
            _show_split(answer)


def _show_split(answer: Figures) -> None:
    if not answer["rows"]:
        click.echo("Nothing is enrolled in a yield product.")
    for row in answer["rows"]:
        of = f"{row['sub_account']} at {row['venue']}, {row['product']}"
        title = f"{of}, {answer['from']} to {answer['to']}, as {answer['basis']}"
        heads = ["", f"{row['coin']} ", "a year ", "share of the yield"]
        click.echo(table(title, heads, _lines(row)))
        periods = [_of_interval(part, row) for part in answer.get("periods", ())]
        if periods:
            columns = ["", *(f"{source} " for source in FILLS), "total ", "a year ", "APY "]
            click.echo(table(f"{of}, by {answer['by']}, {row['coin']}", columns, periods))


def _of_interval(part: Figures, of: Figures) -> list[str | None]:
    """Return the income of a holder in an interval, by source."""
    name = head(*(datetime.date.fromisoformat(part[end]) for end in ("from", "to")))
    keys = ("sub_account", "product")
    rows = [row for row in part["rows"] if all(row[key] == of[key] for key in keys)]
    if not rows:
        return [name, *[None] * (len(FILLS) + 3)]
    [row] = rows
    incomes = [source["income"] for source in row["sources"]]
    return [name, *incomes, _total(row), _percent(row["rate"]), _percent(row["apy"])]


HEAD = ("sub_account", "venue", "product", "coin", "days", "average_principal")
TAIL = ("rate", "apy", "compounding", "accrued_unpaid", "variance")


def _flat(answer: Figures) -> Iterator[list[str]]:
    """Yield a row for each source, and one for the total."""
    for row in answer["rows"]:
        of_row = [answer["from"], answer["to"], *(str(row[key]) for key in HEAD)]
        for source in row["sources"]:
            yield [
                *of_row,
                source["source"],
                source["income"],
                source["rate"] or "",
                "",
                "",
                "",
                "",
            ]
        yield [*of_row, "total", _total(row), *(row[key] or "" for key in TAIL)]


def _total(row: Figures) -> str:
    return f"{total(Decimal(source['income']) for source in row['sources']):f}"


def _lines(row: Figures) -> Iterator[list[str | None]]:
    """Yield each source with its part of one bar, their total, and the figures behind it."""
    sources = [source for source in row["sources"] if Decimal(source["income"]) or row["rate"]]
    parts = [(FILLS[source["source"]], Decimal(source["income"])) for source in sources]
    for source in sources:
        if source["source"] != "bonus" or Decimal(source["income"]):
            fill = FILLS[source["source"]]
            alone = [(fill if mark == fill else " ", part) for mark, part in parts]
            yield [source["source"], source["income"], _percent(source["rate"]), stacked(alone)]
    yield ["total", _total(row), _percent(row["rate"]), stacked(parts)]
    yield ["compounding", None, _percent(row["compounding"]), None]
    yield ["APY", None, _percent(row["apy"]), None]
    yield ["average principal", short(row["average_principal"], 6), None, None]
    yield ["accrued, unpaid", row["accrued_unpaid"], None, None]
    if Decimal(row["variance"]):
        yield ["paid less accrued", row["variance"], None, None]


def _percent(rate: str | None) -> str:
    return "-" if rate is None else f"{Decimal(rate):.2%}".replace("%", " %")


FIGURES = (
    ("Owed to holders", "owed"),
    ("Bills at accreted value", "bills"),
    ("Cash", "cash"),
    ("Held", "holdings"),
    ("Coverage", "coverage"),
    ("Backing of enrolled and owed", "backing"),
    ("Days to maturity, weighted", "days_to_maturity"),
    ("Portfolio yield", "portfolio_yield"),
    ("Left over", "left_over"),
    ("Enrolled", "enrolled"),
)
LOT = ("bill", "face", "bought", "maturity", "cost", "accretion", "value")


def _reserves(answer: Figures, listed: str, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            of_product = ["product", "venue", "coin"]
            keys = LOT if listed == "lots" else [key for _, key in FIGURES]
            rows = [
                [answer["at"], *(product[key] for key in of_product), *(one[key] for key in keys)]
                for product in answer["products"]
                for one in (product["lots"] if listed == "lots" else [product])
            ]
            click.echo(comma_separated(["at", *of_product, *keys], rows), nl=False)
        case _:
            for product in answer["products"]:
                of = f"{product['product']} at {product['venue']}"
                title = f"{of}, end of {answer['at']}, as {answer['basis']}"
                lines = [[label, _shown(key, product[key])] for label, key in FIGURES]
                click.echo(table(title, ["", f"{product['coin']} "], lines))
                heads = ["Bill", "Face ", "Bought", "Maturity", "Cost ", "Accretion ", "Value "]
                cells = [[lot[key] for key in LOT] for lot in product["lots"]]
                click.echo(table("", heads, cells))
            if not answer["products"]:
                click.echo("No yield product is backed by bills.")


def _shown(key: str, value: str | None) -> str:
    if value is None:
        return "-"
    return str(_percent(value)) if key == "portfolio_yield" else short(value, 8)
