"""Movements: a balance of a sub-account or product, from an opening through each transaction."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from beancount.core.data import Transaction

from usance.language.reading import Reading
from usance.language.transactions import units_of
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, ZERO, normalized, tally, total
from usance.model.hours import Day, date_of, seconds_of
from usance.reports import basis
from usance.reports.figures import FlatRow
from usance.reports.posters import Posters

COLUMNS = (
    "account",
    "date",
    "movement",
    "id",
    "file",
    "line",
    "narration",
    "amount",
    "balance",
)
"""The columns of the CSV; `movement` is opening, transaction or closing."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What a transaction moved on an account.

    id          of a generated transaction; "" of a person's
    file, line  its place; of a virtual one, that of the plugin line that makes it
    amount      units that came, below zero if they went
    balance     units after it
    """

    date: datetime.date
    id: str
    file: str
    line: int
    narration: str
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The units of a commodity on an account: the evening before, what moved them, at the end."""

    account: str
    opening: Decimal
    movements: tuple[Movement, ...]
    closing: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """What moved a commodity of a sub-account or product, on each account that held it.

    Units are as booked, lots of all costs together. `opening` and `closing` are sums of all
    accounts of assets and liabilities.
    """

    from_: datetime.date
    to: datetime.date
    basis: str
    name: str
    commodity: str
    opening: Decimal
    accounts: tuple[AccountBalance, ...]
    closing: Decimal

    def rows_as_dicts(self) -> list[FlatRow]:
        """Return the movements of each account between its opening and closing: COLUMNS."""
        rows: list[FlatRow] = []
        for of in self.accounts:
            ends = dict.fromkeys(COLUMNS) | {"account": of.account}
            rows.append(ends | {"date": self.from_, "movement": "opening", "balance": of.opening})
            rows += [
                {
                    "account": of.account,
                    "date": moved.date,
                    "movement": "transaction",
                    "id": moved.id,
                    "file": moved.file,
                    "line": moved.line,
                    "narration": moved.narration,
                    "amount": moved.amount,
                    "balance": moved.balance,
                }
                for moved in of.movements
            ]
            rows.append(ends | {"date": self.to, "movement": "closing", "balance": of.closing})
        return rows


class NeverHeldError(LookupError):
    """A sub-account or product never held a commodity; `held` are those that it did."""

    def __init__(self, held: list[str]) -> None:
        super().__init__(held)
        self.held = held


@dataclass(slots=True)
class _Account:
    opening: Decimal = ZERO
    closing: Decimal = ZERO
    movements: list[Movement] = field(default_factory=list)


def balance(
    ledger: Ledger,
    reading: Reading,
    name: str,
    commodity: str,
    span: tuple[Day, Day],
    on: str = basis.POSTED,
) -> Balance:
    """Return what moved a commodity of a sub-account, or of a product backed by bills.

    on  the basis

    Raise NeverHeldError if none of its accounts of assets and liabilities held any.
    """
    chart, posters = reading.chart, Posters(ledger)
    sheet = (f"{chart.roots['Assets']}:", f"{chart.roots['Liabilities']}:")
    first, last = map(date_of, span)
    entries = [
        entry
        for entry in basis.entries(ledger, reading, span[1], on)
        if isinstance(entry, Transaction) and entry.date <= last
    ]
    # Beancount orders a day by line numbers, of whatever files. What Usance posts comes of the day.
    entries.sort(key=lambda entry: (entry.date, posters.is_ours(entry), _seconds(entry)))
    accounts: dict[str, _Account] = {}
    held: set[str] = set()
    for entry in entries:
        moved: dict[str, Decimal] = {}
        for posting in entry.postings:
            account = posting.account
            if chart.party(account) == name and account.startswith(sheet):
                number, currency = units_of(posting)
                held.add(currency)
                if currency == commodity:
                    tally(moved, account, number)
        for account, number in moved.items():
            of = accounts.setdefault(account, _Account())
            of.closing = EXACT.add(of.closing, number)
            if entry.date < first:
                of.opening = of.closing
                continue
            amounts = normalized(number), normalized(of.closing)
            of.movements.append(Movement(entry.date, *posters.of(entry), *amounts))
    if not accounts:
        raise NeverHeldError(sorted(held))
    return Balance(
        first,
        last,
        on,
        name,
        commodity,
        normalized(total(of.opening for of in accounts.values())),
        tuple(
            AccountBalance(
                account, normalized(of.opening), tuple(of.movements), normalized(of.closing)
            )
            for account, of in sorted(accounts.items())
        ),
        normalized(total(of.closing for of in accounts.values())),
    )


def _seconds(entry: Transaction) -> int:
    """Return the time of a transaction, seconds from 00:00."""
    return seconds_of(str(entry.meta.get("time", ""))) or 0
