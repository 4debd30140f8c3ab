"""`usance yield`: the yield of a period by source, and the assets that back a product."""

import datetime
from collections.abc import Iterable, Iterator
from decimal import Decimal

import click

from usance.commands.messages import loaded, report
from usance.commands.options import days_of, with_format, with_ledger, with_period
from usance.commands.tables import as_json, comma_separated, stacked, table
from usance.model.amounts import total
from usance.reports import yields as yield_reports
from usance.reports.figures import Figures, short

FILLS = {"lending": "█", "treasury": "▓", "bonus": "░"}
"""The mark of each source in a bar."""


@click.command("yield", short_help="Show the yield of a period by source")
@with_ledger
@with_period
@click.option(
    "--reserves",
    is_flag=True,
    help="Show the assets that back each product at the end of the last day.",
)
@with_format
def yield_(
    path: str,
    begin: datetime.date | None,
    end: datetime.date | None,
    reserves: bool,
    form: str,
) -> None:
    """Show the yield of a period by source: lending, treasury, bonus.

    The rates of the sources add up to the total rate, to the last digit. Compounding has a line of
    its own.

    \b
    Examples:
      usance yield books/main.beancount --from 2025-05-01 --to 2025-05-31
      usance yield books/main.beancount --reserves --to 2025-05-31
    """
    ledger = loaded(path)
    reading = ledger.read()
    first, last = days_of(begin, end, ledger, reading)
    if reserves:
        _reserves(yield_reports.reserves(reading, last), form)
    else:
        _split(yield_reports.split(reading, first, last), form)
    report(ledger)


def _split(answer: Figures, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            columns = [*HEAD, "source", "income", *TAIL]
            click.echo(comma_separated(columns, _flat(answer["rows"])), nl=False)
        case _:
            period = f"{answer['from']} to {answer['to']}"
            for row in answer["rows"]:
                title = f"{row['sub_account']} at {row['venue']}, {row['product']}, {period}"
                heads = ["", f"{row['coin']} ", "a year ", "share of the yield"]
                click.echo(table(title, heads, _lines(row)))
            if not answer["rows"]:
                click.echo("Nothing is enrolled in a yield product.")


HEAD = ("sub_account", "venue", "product", "coin", "days", "average_principal")
TAIL = ("rate", "apy", "compounding", "accrued_unpaid", "variance")


def _flat(rows: Iterable[Figures]) -> Iterator[list[str]]:
    """Yield a row for each source, and one for the total."""
    for row in rows:
        head = [str(row[key]) for key in HEAD]
        for source in row["sources"]:
            yield [*head, source["source"], source["income"], source["rate"] or "", "", "", "", ""]
        yield [*head, "total", _total(row), *(row[key] or "" for key in TAIL)]


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


def _reserves(answer: Figures, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            keys = ["product", "venue", "coin", *(key for _, key in FIGURES)]
            rows = [[product[key] for key in keys] for product in answer["products"]]
            click.echo(comma_separated(keys, rows), nl=False)
        case _:
            for product in answer["products"]:
                title = f"{product['product']} at {product['venue']}, end of {answer['at']}"
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
