"""Reports: balance sheets, and the day that reports speak of."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from beancount.core import convert, prices
from beancount.core.data import Transaction

from usance import problems
from usance.amounts import EXACT, FIGURE, ZERO, plain, tally
from usance.chart import Chart
from usance.events import Side
from usance.ledger import Ledger
from usance.problems import Problem, Source
from usance.reading import Reading
from usance.reserves import Reserve


@dataclass(slots=True)
class Sheet:
    """The balance sheet of a sub-account, or of a product backed by bills.

    accounts  units as booked, by account and commodity
    values    of assets and liabilities by account and commodity, in the operating currency
    residual  what its own transactions and its owner's legs leave, by currency; empty where exact
    value     net asset value, None where a price is missing
    """

    name: str
    venue: str
    accounts: dict[str, dict[str, Decimal]]
    values: dict[str, dict[str, Decimal | None]]
    residual: dict[str, Decimal]
    value: Decimal | None


class Prices:
    """Prices of a ledger in its operating currency, at a date."""

    def __init__(self, book: Ledger, at: datetime.date) -> None:
        self.table = prices.build_price_map(book.entries)
        self.currency: str = book.options["operating_currency"][0]
        self.at = at
        self.missing: dict[str, Problem] = {}
        self.source = Source(book.path, 1)

    def value(self, number: Decimal, commodity: str) -> Decimal | None:
        """Return what units are worth, directly or over one common quote currency."""
        price = self._price(commodity)
        if price is None:
            date = self.at.isoformat()
            self.missing[commodity] = problems.missing_price(
                self.source, commodity, self.currency, date
            )
            return None
        return FIGURE.multiply(number, price)

    def _price(self, commodity: str) -> Decimal | None:
        if commodity == self.currency:
            return Decimal(1)
        direct = self._quote(commodity, self.currency)
        if direct is not None:
            return direct
        for base, over in sorted(self.table):
            if base == commodity:
                first, second = self._quote(commodity, over), self._quote(over, self.currency)
                if first is not None and second is not None:
                    return FIGURE.multiply(first, second)
        return None

    def _quote(self, base: str, quote: str) -> Decimal | None:
        if (base, quote) not in self.table:
            return None
        price: Decimal | None = prices.get_price(self.table, (base, quote), self.at)[1]
        return price


def sheets(
    book: Ledger, reading: Reading, at: datetime.date, *, at_cost: bool
) -> tuple[list[Sheet], list[Problem]]:
    """Return the balance sheets at the end of a day, and the prices that are missing for them."""
    table = Prices(book, at)
    chart = reading.chart
    venues = {name: reading.book.venue(name) for name in sorted(reading.book.sub_accounts)}
    for (venue, name), timeline in sorted(reading.book.yields.products.items()):
        if timeline.values[0].bills is not None:
            venues[name] = venue
    made = {name: Sheet(name, venue, {}, {}, {}, ZERO) for name, venue in venues.items()}
    for entry in book.entries:
        if isinstance(entry, Transaction) and entry.date <= at:
            _book(entry, chart, made, table, at_cost=at_cost)
    for sheet in made.values():
        sheet.accounts = {
            account: _kept(sheet.accounts[account]) for account in sorted(sheet.accounts)
        }
        sheet.accounts = {account: units for account, units in sheet.accounts.items() if units}
        sheet.residual = _kept(sheet.residual)
        if not at_cost:
            sheet.values = {
                account: {coin: table.value(number, coin) for coin, number in units.items()}
                if chart.reserve(account) != (sheet.name, Reserve.BILLS)
                else sheet.values[account]
                for account, units in sheet.accounts.items()
                if account in sheet.values
            }
        sheet.value = _sum(value for units in sheet.values.values() for value in units.values())
    return list(made.values()), list(table.missing.values())


def _book(
    entry: Transaction, chart: Chart, made: dict[str, Sheet], table: Prices, *, at_cost: bool
) -> None:
    """Book a transaction on the sheets of the sub-accounts and products that it touches."""
    owners = [
        chart.owner(posting.account) or chart.product(posting.account) for posting in entry.postings
    ]
    touched = {owner for owner in owners if owner in made}
    for owner, posting in zip(owners, entry.postings, strict=True):
        assert posting.units is not None and isinstance(posting.units.number, Decimal)
        weight = convert.get_weight(posting)
        for name in touched if owner is None else _parties(owner, touched, chart):
            residual = made[name].residual
            tally(residual, weight.currency, weight.number)
        if owner not in made:
            continue
        sheet = made[owner]
        units = sheet.accounts.setdefault(posting.account, {})
        coin = posting.units.currency
        tally(units, coin, posting.units.number)
        root = posting.account.partition(":")[0]
        if root in (chart.roots["Assets"], chart.roots["Liabilities"]):
            values = sheet.values.setdefault(posting.account, {})
            # Bills are worth their cost and what Accretion holds, whatever a price says.
            if at_cost or chart.reserve(posting.account) == (owner, Reserve.BILLS):
                cost = convert.get_cost(posting)
                worth = table.value(cost.number, cost.currency)
                values[coin] = _sum((values.get(coin, ZERO), worth))


def _parties(owner: str, touched: set[str], chart: Chart) -> set[str]:
    """Return whose sheet a leg counts on: its owner's, and theirs to whom the owner is outside.

    Sub-accounts are completed against each other by transfers; a product and a sub-account are
    strangers.
    """
    products = {name for name in touched if chart.is_product(name)}
    others = touched - products if owner in products else products
    return ({owner} | others) & touched


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Return a sum, None where a part of it does not exist."""
    known = list(values)
    found = [value for value in known if value is not None]
    return sum(found, ZERO) if len(found) == len(known) else None


def _kept(units: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: number for name, number in sorted(units.items()) if number}


def lots_that_could_repay(book: Ledger, reading: Reading) -> Iterator[Problem]:
    """Yield where a coin is owed while lots of it lie in the wallet, at the last directive."""
    lots: dict[tuple[str, str], Decimal] = {}
    owed: dict[tuple[str, str], Decimal] = {}
    for entry in book.entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            place = reading.chart.side(posting.account)
            if place is None or posting.units is None or posting.units.number is None:
                continue
            name, side = place
            kept = {Side.WALLET: lots if posting.cost else None, Side.BORROWED: owed}.get(side)
            if kept is not None:
                key = (name, posting.units.currency)
                tally(kept, key, posting.units.number)
    for (name, coin), debt in sorted(owed.items()):
        held = lots.get((name, coin), ZERO)
        if debt < 0 < held:
            at = reading.book.last_moved(name, coin)
            yield problems.lots_could_repay(at, name, coin, plain(held), plain(-debt))


def last_day(reading: Reading) -> int:
    """Return the day that reports speak of by default: the horizon, or the last closed day."""
    closes = [seal.date.toordinal() for seal in reading.seals]
    return max([reading.horizon, *closes])


def total(sheets: Iterable[Sheet]) -> Decimal | None:
    """Return the net asset value of all sub-accounts, None where one has none."""
    return _sum(sheet.value for sheet in sheets)


def accounts(at: datetime.date, sheets: list[Sheet]) -> dict[str, Any]:
    """Return the answer of `usance accounts`."""
    whole = total(sheets)
    return {
        "at": at.isoformat(),
        "sub_accounts": [
            {
                "name": sheet.name,
                "venue": sheet.venue,
                "accounts": {
                    account: {coin: format(number, "f") for coin, number in units.items()}
                    for account, units in sheet.accounts.items()
                },
                "residual": {coin: format(number, "f") for coin, number in sheet.residual.items()},
                "net_asset_value": _text(sheet.value),
            }
            for sheet in sheets
        ],
        "net_asset_value": _text(whole),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")


Row = tuple[str | None, ...]


def sheet_rows(sheet: Sheet, chart: Chart) -> Iterator[Row]:
    """Yield the lines of a balance sheet: account, units, commodity, value."""
    perp = None if chart.is_product(sheet.name) else chart.account(sheet.name, Side.PERP)
    for account, values in sorted(sheet.values.items()):
        if account == perp and values:
            # Contracts and the notional owed for them are one thing, at value.
            yield account, None, None, _text(_sum(values.values()))
            continue
        for coin, number in sheet.accounts.get(account, {}).items():
            yield account, format(number, "f"), coin, _text(values[coin])
    yield "Net asset value", None, None, _text(sheet.value)
    for account, name in handed(sheet, chart):
        for coin, number in sheet.accounts[account].items():
            words = f"Due from {name}, given" if number > 0 else f"Due to {name}, got"
            yield words, format(abs(number), "f"), coin, None


def handed(sheet: Sheet, chart: Chart) -> Iterator[tuple[str, str]]:
    """Yield the accounts of what a sub-account gave to others, with their names."""
    if chart.is_product(sheet.name):
        return
    prefix = chart.transfers(sheet.name, "")
    for account in sheet.accounts:
        if account.startswith(prefix):
            yield account, account.removeprefix(prefix)


def distributed(sheets: list[Sheet], chart: Chart) -> dict[str, Decimal]:
    """Return what products gave to holders less what holders got of products, by coin."""
    coins: dict[str, Decimal] = {}
    for sheet in sheets:
        if chart.is_product(sheet.name):
            account = chart.reserved(sheet.name, Reserve.DISTRIBUTED)
            for coin in sheet.accounts.get(account, {}):
                coins[coin] = ZERO
    for sheet in sheets:
        if chart.is_product(sheet.name):
            account = chart.reserved(sheet.name, Reserve.DISTRIBUTED)
        else:
            account = chart.account(sheet.name, Side.TREASURY)
        for coin, number in sheet.accounts.get(account, {}).items():
            if coin in coins:
                coins[coin] = EXACT.add(coins[coin], number)
    return coins


def total_rows(sheets: list[Sheet], chart: Chart, whole: Decimal | None) -> Iterator[Row]:
    """Yield the sum of the parts, and the elimination of what they gave each other."""
    for sheet in sheets:
        yield sheet.name, _text(sheet.value)
    given: dict[str, Decimal] = {}
    for sheet in sheets:
        for account, _ in handed(sheet, chart):
            for coin, number in sheet.accounts[account].items():
                tally(given, coin, number)
    for coin, number in sorted(given.items()):
        yield f"Transfers between them, eliminated ({coin})", format(number, "f")
    for coin, number in sorted(distributed(sheets, chart).items()):
        yield f"Distributions between them, eliminated ({coin})", format(number, "f")
    yield "Net asset value", _text(whole)
