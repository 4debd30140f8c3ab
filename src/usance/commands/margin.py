"""Commands of margin: what is locked, what is free, and what if."""

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

import click

from usance.commands.messages import report
from usance.commands.options import with_at, with_format, with_ledger, within_books
from usance.commands.tables import as_json, bar, comma_separated, short, table
from usance.language.reading import Reading
from usance.ledger import load as ledger
from usance.ledger.load import Ledger
from usance.reports import margin as margin_reports
from usance.reports.margin import Evening, Figures

with_name = click.option(
    "--sub-account", "name", metavar="NAME", help="Only this one; by default all."
)


@click.command()
@with_ledger
@with_at
@with_name
@click.option(
    "--price",
    "prices",
    multiple=True,
    metavar="NAME=NUMBER",
    help="What it would be: a coin in the operating currency, a contract in its settle coin.",
)
@with_format
def margin(
    path: str, at: datetime.date | None, name: str | None, prices: tuple[str, ...], form: str
) -> None:
    """Show the margin of each sub-account at the end of a day.

    With --price that commodity alone is worth something else; nothing is settled or borrowed
    again.

    \b
    Examples:
      usance margin books/main.beancount
      usance margin books/main.beancount --at 2025-05-04 --sub-account Main
      usance margin books/main.beancount --price SOL-PERP=120 --price SOL=121
    """
    book, reading, seen = _evening(path, at, name)
    wanted = _given("--price", prices, PRICE, "SOL=120")
    for commodity, price in wanted.items():
        _known(seen, reading, "--price", commodity)
        if price <= 0:
            raise click.UsageError(f"--price {commodity}: {price} is not above zero.")
    answer = margin_reports.margin(reading, seen, wanted)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(_flat([{}], [answer["sub_accounts"]]), nl=False)
        case _:
            for row in answer["sub_accounts"]:
                _show_margin(row, answer)
    report(book, seen.problems)


@click.command()
@with_ledger
@with_at
@with_name
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    required=True,
    metavar="NAME=PERCENT,…",
    help="A group of moves at once; several groups stand side by side.",
)
@with_format
def stress(
    path: str, at: datetime.date | None, name: str | None, shocks: tuple[str, ...], form: str
) -> None:
    """Show margin under shocks, all sub-accounts side by side.

    A shock on a coin moves what is held, owed or settled in it, and every mark over it; nothing is
    settled or borrowed again. Commas join moves into one group.

    \b
    Example:
      usance stress books/main.beancount --shock SOL=-20% --shock BTC=-30%,USDT=-2%
    """
    book, reading, seen = _evening(path, at, name)
    groups: dict[str, dict[str, Decimal]] = {}
    for text in shocks:
        moves = _given("--shock", text.split(","), SHOCK, "SOL=-20%")
        for commodity, percent in moves.items():
            _known(seen, reading, "--shock", commodity)
            if percent <= -100:
                raise click.UsageError(f"--shock {commodity}: nothing is worth zero or less.")
        groups[text] = {commodity: 1 + percent / 100 for commodity, percent in moves.items()}
    answer = margin_reports.stress(reading, seen, groups)
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            heads = [{"shock": group["shock"]} for group in answer["shocks"]]
            click.echo(
                _flat(heads, [group["sub_accounts"] for group in answer["shocks"]]), nl=False
            )
        case _:
            _show_stress(margin_reports.margin(reading, seen, {}), answer)
    report(book, seen.problems)


@click.command()
@with_ledger
@with_at
@with_format
def efficiency(path: str, at: datetime.date | None, form: str) -> None:
    """Show one capital and its uses at once: lent, held as margin, in the yield product.

    \b
    Example:
      usance efficiency books/main.beancount --at 2025-05-04
    """
    book, reading = _books(path, at)
    answer, missing = margin_reports.efficiency(reading, _day(reading, at))
    rows = answer["sub_accounts"]
    match form:
        case "json":
            click.echo(as_json(answer), nl=False)
        case "csv":
            click.echo(_flat([{}], [rows]), nl=False)
        case _:
            currency = answer["currency"]
            for row in rows:
                title = f"{row['name']} at {row['venue']}, end of {answer['at']}"
                click.echo(table(title, ["", f"{currency} ", "of capital"], _use_lines(row)))
    report(book, missing)


def _books(path: str, at: datetime.date | None) -> tuple[Ledger, Reading]:
    book = ledger.load(path)
    reading = book.read()
    within_books(at, reading.last, "--at")
    return book, reading


def _day(reading: Reading, at: datetime.date | None) -> int:
    return max(1, reading.last) if at is None else at.toordinal()


def _evening(
    path: str, at: datetime.date | None, name: str | None
) -> tuple[Ledger, Reading, Evening]:
    book, reading = _books(path, at)
    seen = margin_reports.evening(reading, _day(reading, at), name)
    if name is not None and name not in seen.standings:
        known = ", ".join(sorted(reading.book.sub_accounts)) or "none"
        raise click.UsageError(f"--sub-account {name} is not declared. Declared are: {known}.")
    return book, reading, seen


def _given(
    option: str, texts: Iterable[str], reads: re.Pattern[str], example: str
) -> dict[str, Decimal]:
    """Return the numbers of NAME=NUMBER by name; each name stands once."""
    found: dict[str, Decimal] = {}
    for text in texts:
        match = reads.fullmatch(text.strip())
        if match is None:
            raise click.UsageError(f"{option} {text!r} does not read like {example}.")
        if match[1] in found:
            raise click.UsageError(f"{option} {match[1]} is given twice. Keep one of the two.")
        found[match[1]] = Decimal(match[2])
    return found


def _known(seen: Evening, reading: Reading, option: str, commodity: str) -> None:
    known = margin_reports.commodities(seen)
    if commodity == reading.book.operating:
        raise click.UsageError(f"{option} {commodity}: figures are in {commodity}, which is 1.")
    if commodity not in known and not seen.problems:
        names = ", ".join(sorted(known - {reading.book.operating})) or "nothing"
        raise click.UsageError(f"{option} {commodity}: nobody holds or owes it. Held are: {names}.")


def _flat(heads: Iterable[Mapping[str, str]], groups: Iterable[list[Figures]]) -> str:
    """Return the figures of sub-accounts as CSV, without their lists."""
    rows = [
        {**head, **{key: value for key, value in row.items() if not isinstance(value, list)}}
        for head, group in zip(heads, groups, strict=True)
        for row in group
    ]
    columns = list(rows[0]) if rows else []
    columns = [column for column in columns if column not in LISTS]
    return comma_separated(columns, [[row[column] for column in columns] for row in rows])


LISTS = ("collateral_assets", "positions", "borrows")
PRICE = re.compile(r"([^=\s]+)=(-?\d{1,30}(?:\.\d{1,30})?)", re.ASCII)
SHOCK = re.compile(r"([^=\s]+)=([+-]?\d{1,30}(?:\.\d{1,30})?)%?", re.ASCII)
LINES = (
    ("Collateral", "collateral"),
    ("Unsettled PnL", "unsettled_pnl"),
    ("Borrow liability", "borrow_liability"),
    ("Net equity", "net_equity"),
    ("Exposure", "exposure"),
    ("Initial margin", "initial_margin"),
    ("Maintenance margin", "maintenance_margin"),
    ("Available equity", "available_equity"),
    ("Margin fraction", "margin_fraction"),
    ("IMR", "imr"),
    ("MMR", "mmr"),
)


def _show_margin(row: Figures, answer: Figures) -> None:
    """Show one sub-account: its figures with bars, then what they are made of."""
    title = f"{row['name']} at {row['venue']}, end of {answer['at']}"
    if row["net_equity"] is None:
        click.echo(f"{title}\n\n  cannot be priced\n")
        return
    lines = [(label, eye(row[key]), _gauge(key, row[key])) for label, key in LINES]
    click.echo(table(title, ["", f"{answer['currency']} ", ""], lines))
    for name, heads, keys in PARTS:
        if row[name]:
            cells = [[eye(part[key]) for key in keys] for part in row[name]]
            click.echo(table("", heads, cells))


PARTS = (
    (
        "collateral_assets",
        ["Coin", "Quantity ", "Lent ", "Price ", "Weight ", "Counts "],
        ("coin", "quantity", "lent", "price", "weight", "value"),
    ),
    (
        "positions",
        [
            "Market",
            "Quantity ",
            "Entry ",
            "Mark ",
            "PnL ",
            "Initial ",
            "Maintenance ",
            "Liquidation ",
        ],
        (
            "market",
            "quantity",
            "entry_price",
            "mark",
            "unrealized_pnl",
            "initial_margin",
            "maintenance_margin",
            "liquidation_price",
        ),
    ),
    (
        "borrows",
        ["Borrowed", "Quantity ", "Price ", "Liability ", "Initial ", "Maintenance "],
        ("coin", "quantity", "price", "liability", "initial_margin", "maintenance_margin"),
    ),
)


def _gauge(key: str, value: str | None) -> str:
    """Return a bar of how much of its margin ratio is taken."""
    if key not in ("imr", "mmr") or value is None:
        return ""
    taken = Decimal(value)
    return f"{bar(taken, Decimal(1)):40}│ {taken:.2%}"


def _show_stress(now: Figures, answer: Figures) -> None:
    """Show sub-accounts in rows, groups of shocks in columns."""
    keys = ("net_equity", "available_equity", "mmr")
    heads = ["Sub-account", "", "Now ", *(f"{group['shock']} " for group in answer["shocks"])]
    rows: list[list[str | None]] = []
    for index, row in enumerate(now["sub_accounts"]):
        columns = [row, *(group["sub_accounts"][index] for group in answer["shocks"])]
        for label, key in LINES:
            if key in keys:
                first = row["name"] if key == keys[0] else ""
                rows.append([first, label, *(_stressed(column, key) for column in columns)])
    title = f"Stress, end of {answer['at']}, {answer['currency']}"
    click.echo(table(title, heads, rows), nl=False)


def _stressed(column: Figures, key: str) -> str | None:
    value = column[key]
    if key == "mmr":
        if margin_reports.is_bankrupt(column):
            return "bankrupt"
        breached = value is not None and Decimal(value) >= 1
        return None if value is None else f"{Decimal(value):.2%}{' breach' if breached else ''}"
    return eye(value)


def _use_lines(row: Figures) -> Iterable[list[str | None]]:
    """Yield one capital, and each of its uses as a bar beside it."""
    if row["capital"] is None:
        yield ["cannot be priced", None, None]
        return
    capital = Decimal(row["capital"])
    for label, key in USES:
        value = row[key]
        shown = f"{bar(Decimal(value), capital):40}" if key in BARS and value else ""
        number = f"{Decimal(value):.2%}" if key == "efficiency" and value else eye(value)
        yield [label, number, shown.rstrip()]


USES = (
    ("Capital", "capital"),
    ("  lent", "lent"),
    ("  held as margin", "margin"),
    ("  in the yield product", "yield"),
    ("Uses", "uses"),
    ("Efficiency", "efficiency"),
    ("Idle", "idle"),
    ("Separate accounts would need", "siloed"),
    ("Saved", "saved"),
)
BARS = ("capital", "lent", "margin", "yield", "idle")


def eye(value: str | None) -> str | None:
    """Return a figure for the eye: at most eight decimals; JSON and CSV have them all."""
    if value is None:
        return "-"
    return short(value, 8) if value.replace(".", "").removeprefix("-").isdecimal() else value
