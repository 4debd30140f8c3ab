"""Balance sheets: rows of `usance accounts`, and the sheets of Fava's pages."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from beancount.core import convert
from beancount.core.data import Transaction

from usance.language.prices import quotes, standing
from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import EXACT, FIGURE, ZERO, K, decimal_text, tally, total
from usance.model.hours import day_of
from usance.model.problems import Problem, Source
from usance.reports import basis
from usance.reports.figures import BESIDE, FlatRow, as_summed


@dataclass(frozen=True, slots=True)
class Sheet:
    """The balance sheet of a sub-account, or of a product backed by bills.

    accounts         units as booked, by account and commodity: what is owed is below zero
    residual         weight that its own transactions and its owner's legs leave, by currency; empty
                     if they balance exactly
    net_asset_value  in the operating currency, or None if a price is missing
    values           of assets and liabilities by account and commodity, in the operating currency
    """

    name: str
    venue: str
    accounts: Mapping[str, Mapping[str, Decimal]]
    residual: Mapping[str, Decimal]
    net_asset_value: Decimal | None
    values: Mapping[str, Mapping[str, Decimal | None]] = field(metadata=BESIDE)


LISTS = {
    "accounts": ("sub_account", "venue", "account", "commodity", "number", "at"),
    "net_asset_values": ("sub_account", "venue", "net_asset_value", "at"),
    "residuals": ("sub_account", "venue", "commodity", "number", "at"),
}
"""The lists of balance sheets, with the columns of each."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The balance sheets at the end of a day, and the net asset value of all.

    basis            posted or corrected
    sub_accounts     and products backed by bills; those follow the sub-accounts
    net_asset_value  in the operating currency, or None if a price is missing
    problems         a problem for each missing price
    """

    at: datetime.date
    basis: str
    sub_accounts: tuple[Sheet, ...]
    net_asset_value: Decimal | None
    problems: tuple[Problem, ...] = field(default=(), metadata=BESIDE)

    def rows_as_dicts(self, listed: str = "accounts") -> list[FlatRow]:
        """Return one of LISTS as flat rows: units by account, values, or residuals."""
        return [
            dict(zip(LISTS[listed], (sheet.name, sheet.venue, *cells, self.at), strict=True))
            for sheet in self.sub_accounts
            for cells in _cells(sheet, listed)
        ]


def _cells(sheet: Sheet, listed: str) -> Iterator[tuple[object, ...]]:
    match listed:
        case "net_asset_values":
            yield (sheet.net_asset_value,)
        case "residuals":
            yield from sheet.residual.items()
        case _:
            for account, units in sheet.accounts.items():
                yield from ((account, coin, number) for coin, number in units.items())


class Prices:
    """Prices of a ledger in its operating currency, at a date."""

    def __init__(self, ledger: Ledger, at: datetime.date) -> None:
        self.quotes = quotes(standing(ledger.entries))
        self.currency: str = ledger.options["operating_currency"][0]
        self.at = at
        self.missing: dict[tuple[str, str], Problem] = {}
        self.source = Source(ledger.path, 1)

    def value(self, number: Decimal, commodity: str, settle: str = "") -> Decimal | None:
        """Return the value of units in the operating currency, or None if a price is missing.

        settle  of a contract: the coin in which its mark is quoted
        """
        price = self._price(commodity, settle or self.currency)
        if settle and price is not None:
            coin = self._price(settle, self.currency)
            price = None if coin is None else FIGURE.multiply(price, coin)
        return None if price is None else FIGURE.multiply(number, price)

    def quoted(self, commodity: str, quote: str, at: datetime.date) -> Decimal | None:
        """Return a price in another coin on a date, or None."""
        found = self.quotes.at(commodity, quote, day_of(at))
        return None if found is None else FIGURE.plus(found.price)

    def _price(self, commodity: str, quote: str) -> Decimal | None:
        """Return a price, rounded as figures are; if it is missing, note that and return None."""
        found = self.quotes.at(commodity, quote, day_of(self.at))
        if found is None:
            date = self.at.isoformat()
            problem = problems.missing_price(self.source, commodity, quote, date)
            self.missing.setdefault((commodity, quote), problem)  # of the first day, which helps
            return None
        return FIGURE.plus(found.price)


def accounts(
    ledger: Ledger, reading: Reading, at: datetime.date, on: str, *, at_cost: bool
) -> Accounts:
    """Return the answer of `usance accounts`.

    on  the basis
    """
    table = Prices(ledger, at)
    chart = reading.chart
    venues = {name: reading.book.venue(name) for name in sorted(reading.book.sub_accounts)}
    for (venue, name), timeline in sorted(reading.book.yields.products.items()):
        if timeline.values[0].bills is not None:
            venues[name] = venue
    legs = {name: _Legs() for name in venues}
    # The value of bills is their cost and the balance of Accretion, whatever a price says: the
    # product distributed that accretion, and a market price would count the discount twice.
    bills = {
        chart.reserved(name, ProductAccount.BILLS) for name in venues if chart.is_product(name)
    }
    for entry in basis.entries(ledger, reading, day_of(at), on):
        if isinstance(entry, Transaction) and entry.date <= at:
            _book(entry, chart, legs, bills, at_cost=at_cost)
    marked: dict[str, dict[str, str]] = defaultdict(dict)
    for (venue, contract), terms in reading.book.perpetuals.items():
        marked[venue][contract] = terms.values[-1].settle
    made = tuple(
        _sheet(name, venue, legs[name], chart, table, marked[venue])
        for name, venue in venues.items()
    )
    whole = _sum(sheet.net_asset_value for sheet in made)
    return Accounts(at, on, made, whole, tuple(table.missing.values()))


class _Legs:
    """The numbers that count on a sheet, in lists; `_sheet` sums them.

    units    by account and commodity
    costs    Amounts, of the holdings that are valued at cost, by account and commodity
    weights  of all legs of its transactions, by currency
    """

    def __init__(self) -> None:
        self.units: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        self.costs: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.weights: dict[str, list[Decimal]] = defaultdict(list)


def _book(
    entry: Transaction,
    chart: ChartOfAccounts,
    legs: dict[str, _Legs],
    bills: set[str],
    *,
    at_cost: bool,
) -> None:
    """Book a transaction on the sheets of the sub-accounts and products that it touches."""
    owners = [chart.party(posting.account) for posting in entry.postings]
    touched = {owner for owner in owners if owner in legs}
    if not touched:
        return
    counting = {
        owner: [legs[name].weights for name in _parties(owner, touched, chart)]
        for owner in dict.fromkeys(owners)
    }
    for owner, posting in zip(owners, entry.postings, strict=True):
        units: Any = posting.units
        plain = posting.cost is None and posting.price is None
        weight: Any = units if plain else convert.get_weight(posting)
        for weights in counting[owner]:
            weights[weight.currency].append(weight.number)
        if owner in legs:
            key = posting.account, units.currency
            legs[owner].units[key].append(units.number)
            if at_cost or posting.account in bills:
                legs[owner].costs[key].append(convert.get_cost(posting))


def _sheet(
    name: str,
    venue: str,
    legs: _Legs,
    chart: ChartOfAccounts,
    table: Prices,
    marked: Mapping[str, str],
) -> Sheet:
    """Return the sheet that sums up the legs.

    marked  coins in which the marks of contracts are quoted, by contract
    """
    accounts: dict[str, dict[str, Decimal]] = {}
    values: dict[str, dict[str, Decimal | None]] = {}
    assets_and_liabilities = (chart.roots["Assets"], chart.roots["Liabilities"])
    for key, numbers in sorted(legs.units.items()):
        account, coin = key
        number = total(numbers)
        if number:
            accounts.setdefault(account, {})[coin] = number
        if not account.startswith(assets_and_liabilities):
            continue
        if key in legs.costs:
            costs = (table.value(cost.number, cost.currency) for cost in legs.costs[key])
            values.setdefault(account, {})[coin] = _sum(costs)
        elif number:
            values.setdefault(account, {})[coin] = table.value(number, coin, marked.get(coin, ""))
    worth = _sum(value for of_coins in values.values() for value in of_coins.values())
    return Sheet(name, venue, accounts, _totals(legs.weights), worth, values)


def _totals(numbers: dict[K, list[Decimal]]) -> dict[K, Decimal]:
    """Return the sums that are not zero, by key."""
    sums = {name: total(found) for name, found in sorted(numbers.items())}
    return {name: number for name, number in sums.items() if number}


def _parties(owner: str | None, touched: set[str], chart: ChartOfAccounts) -> set[str]:
    """Return the names whose sheets a leg counts on: its owner, and all that the owner is outside.

    Transfers complete sub-accounts against each other; a product and a sub-account are outside of
    each other. A leg without an owner counts on the sheets of all that a transaction touches.
    """
    if owner is None or touched == {owner}:
        return touched
    products = {name for name in touched if chart.is_product(name)}
    others = touched - products if owner in products else products
    return ({owner} | others) & touched


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Return a sum, or None if a part of it is missing."""
    known = list(values)
    found = [value for value in known if value is not None]
    return sum(found, ZERO) if len(found) == len(known) else None


def lots_that_could_repay(ledger: Ledger, reading: Reading) -> Iterator[Problem]:
    """Yield a problem for each debt in a coin whose lots lie in the same sub-account's wallet.

    Both are balances after the last directive.
    """
    lots: dict[tuple[str, str], Decimal] = {}
    owed: dict[tuple[str, str], Decimal] = {}
    for entry in ledger.entries:
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
            at = reading.book.moved(name, coin, reading.last)
            yield problems.lots_could_repay(at, name, coin, decimal_text(held), decimal_text(-debt))


Row = tuple[str | None, ...]


def sheet_rows(sheet: Sheet, chart: ChartOfAccounts) -> Iterator[Row]:
    """Yield the lines of a balance sheet: account, units, commodity, value."""
    perp = None if chart.is_product(sheet.name) else chart.account(sheet.name, Side.PERP)
    for account, values in sorted(sheet.values.items()):
        if account == perp and values:
            # Contracts and the notional owed for them are one line, at value.
            yield account, None, None, as_summed(_sum(values.values()))
            continue
        for coin, number in sheet.accounts.get(account, {}).items():
            yield account, format(number, "f"), coin, as_summed(values[coin])
    yield "Net asset value", None, None, as_summed(sheet.net_asset_value)
    for account, name in handed(sheet, chart):
        for coin, number in sheet.accounts[account].items():
            words = f"Due from {name}" if number > 0 else f"Due to {name}"
            yield words, format(abs(number), "f"), coin, None


def handed(sheet: Sheet, chart: ChartOfAccounts) -> Iterator[tuple[str, str]]:
    """Yield each account of a sub-account's transfers, with the other sub-account's name."""
    if chart.is_product(sheet.name):
        return
    prefix = chart.transfers(sheet.name, "")
    for account in sheet.accounts:
        if account.startswith(prefix):
            yield account, account.removeprefix(prefix)


def distributed(sheets: Iterable[Sheet], chart: ChartOfAccounts) -> dict[str, Decimal]:
    """Return the coins that products gave to holders less those that holders got, by coin."""
    coins: dict[str, Decimal] = {}
    for sheet in sheets:
        if chart.is_product(sheet.name):
            account = chart.reserved(sheet.name, ProductAccount.DISTRIBUTED)
            for coin in sheet.accounts.get(account, {}):
                coins[coin] = ZERO
    for sheet in sheets:
        if chart.is_product(sheet.name):
            account = chart.reserved(sheet.name, ProductAccount.DISTRIBUTED)
        else:
            account = chart.account(sheet.name, Side.TREASURY)
        for coin, number in sheet.accounts.get(account, {}).items():
            if coin in coins:
                coins[coin] = EXACT.add(coins[coin], number)
    return coins


def total_rows(answer: Accounts, chart: ChartOfAccounts) -> Iterator[Row]:
    """Yield the value of each sheet, the eliminations between them, and the net asset value."""
    sheets = answer.sub_accounts
    for sheet in sheets:
        yield sheet.name, as_summed(sheet.net_asset_value)
    given: dict[str, Decimal] = {}
    for sheet in sheets:
        for account, _ in handed(sheet, chart):
            for coin, number in sheet.accounts[account].items():
                tally(given, coin, number)
    for coin, number in sorted(given.items()):
        yield f"Transfers between them, eliminated ({coin})", format(number, "f")
    for coin, number in sorted(distributed(sheets, chart).items()):
        yield f"Distributions between them, eliminated ({coin})", format(number, "f")
    yield "Net asset value", as_summed(answer.net_asset_value)
