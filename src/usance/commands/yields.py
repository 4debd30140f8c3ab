"""`usance yield`: the yield of a period by source, and the assets that back a product."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.opened import opened, period_of
from usance.commands.options import with_format, with_ledger, with_list, with_period
from usance.commands.periods import basis_of, with_corrected
from usance.commands.tables import as_json, flat_table, stacked, table
from usance.reports.figures import plain, short
from usance.reports.lending import INTERVALS
from usance.reports.palette import MEANINGS
from usance.reports.statement import head
from usance.reports.yields import COLUMNS, COLUMNS_OF, KEYS, Holding, Reserves, Yields

FILLS = {"lending": "█", "treasury": "▓", "bonus": "░"}
"""The mark of each source in a bar."""

HUES = {fill: MEANINGS[source].dark for source, fill in FILLS.items()}


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
    books = opened(path)
    first, last = period_of(books, begin, end)
    on = basis_of(corrected=corrected)
    if reserves or listed != "rows":
        _reserves(books.reserves(last, basis=on), listed, form)
    else:
        _split(books.yields(first, last, by=by, basis=on), form)
    report(books.ledger)


def _split(answer: Yields, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(flat_table(COLUMNS, answer.rows_as_dicts()), nl=False)
        case _:
            _show_split(answer)


def _show_split(answer: Yields) -> None:
    if not answer.rows:
        click.echo("Nothing is enrolled in a yield product.")
    for row in answer.rows:
        of = f"{row.sub_account} at {row.venue}, {row.product}"
        title = f"{of}, {answer.from_} to {answer.to}, as {answer.basis}"
        heads = ["", f"{row.coin} ", "a year ", "share of the yield"]
        click.echo(table(title, heads, _lines(row), HUES))
        periods = [_of_interval(part, row) for part in answer.periods or ()]
        if periods:
            columns = ["", *(f"{source} " for source in FILLS), "total ", "a year ", "APY "]
            click.echo(table(f"{of}, by {answer.by}, {row.coin}", columns, periods))


def _of_interval(part: Yields, of: Holding) -> list[str | None]:
    """Return the income of a holder in an interval, by source."""
    assert part.from_ is not None
    assert part.to is not None
    name = head(part.from_, part.to)
    key = (of.sub_account, of.product)
    rows = [row for row in part.rows if (row.sub_account, row.product) == key]
    if not rows:
        return [name, *[None] * (len(FILLS) + 3)]
    [row] = rows
    incomes = [plain(source.income) for source in row.sources]
    return [name, *incomes, plain(row.income), _percent(row.rate), _percent(row.apy)]


def _lines(row: Holding) -> Iterator[list[str | None]]:
    """Yield each source with its part of one bar, their total, and the figures behind it."""
    sources = [source for source in row.sources if source.income or row.rate]
    parts = [(FILLS[source.source], source.income) for source in sources]
    for source in sources:
        if source.source != "bonus" or source.income:
            fill = FILLS[source.source]
            alone = [(fill if mark == fill else " ", part) for mark, part in parts]
            figures = [plain(source.income), _percent(source.rate), stacked(alone)]
            yield [source.source, *figures]
    yield ["total", plain(row.income), _percent(row.rate), stacked(parts)]
    yield ["compounding", None, _percent(row.compounding), None]
    yield ["APY", None, _percent(row.apy), None]
    yield ["average principal", short(plain(row.average_principal), 6), None, None]
    yield ["accrued, unpaid", plain(row.accrued_unpaid), None, None]
    if row.variance:
        yield ["paid less accrued", plain(row.variance), None, None]


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate:.2%}".replace("%", " %")


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


def _reserves(answer: Reserves, listed: str, form: str) -> None:
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            of = "lots" if listed == "lots" else "products"
            click.echo(flat_table(COLUMNS_OF[of], answer.rows_as_dicts(of)), nl=False)
        case _:
            for product in answer.products:
                title = f"{product.product} at {product.venue}, end of {answer.at}"
                lines = [[label, _shown(key, getattr(product, key))] for label, key in FIGURES]
                heads = ["", f"{product.coin} "]
                click.echo(table(f"{title}, as {answer.basis}", heads, lines))
                heads = ["Bill", "Face ", "Bought", "Maturity", "Cost ", "Accretion ", "Value "]
                cells = [[plain(getattr(lot, key)) for key in KEYS["lots"]] for lot in product.lots]
                click.echo(table("", heads, cells))
            if not answer.products:
                click.echo("No yield product is backed by bills.")


def _shown(key: str, value: Decimal | None) -> str:
    if value is None:
        return "-"
    return _percent(value) if key == "portfolio_yield" else short(plain(value), 8)
