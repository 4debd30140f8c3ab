"""Plugins of somebody else, for ledgers of tests: `plugin "foreign_plugins.inverses"`."""

import datetime
import sys
from decimal import Decimal
from types import ModuleType
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Balance, Custom, Directives, Posting, Price, Transaction

Result = tuple[Directives, list[Any]]


def inverses(entries: Directives, _: dict[str, Any]) -> Result:
    """Add to each price a wrong inverse, as if it stood on the same line."""
    prices = [entry for entry in entries if isinstance(entry, Price)]
    return [
        *entries,
        *(
            price._replace(
                currency=price.amount.currency, amount=Amount(Decimal("0.5"), price.currency)
            )
            for price in prices
        ),
    ], []


def tomorrow(entries: Directives, _: dict[str, Any]) -> Result:
    """Repeat each price on the next day, as if it stood on the same line."""
    day = datetime.timedelta(days=1)
    prices = [entry for entry in entries if isinstance(entry, Price)]
    return [*entries, *(price._replace(date=price.date + day) for price in prices)], []


def listed(entries: Directives, _: dict[str, Any]) -> Result:
    """Make prices of 7 USDC out of `custom "listed" "SOL"`, and drop those directives."""
    return [
        Price(entry.meta, entry.date, entry.values[0].value, Amount(Decimal(7), "USDC"))
        if isinstance(entry, Custom) and entry.type == "listed"
        else entry
        for entry in entries
    ], []


def nowhere(entries: Directives, _: dict[str, Any]) -> Result:
    """Add a price of 9 USDC for each commodity that has one, at a place that is no file."""
    prices = [entry for entry in entries if isinstance(entry, Price)]
    meta = {"filename": "<nowhere>", "lineno": 10**7}
    return [
        *entries,
        *(price._replace(meta=meta, amount=Amount(Decimal(9), "USDC")) for price in prices),
    ], []


def next_year(entries: Directives, _: dict[str, Any]) -> Result:
    """Add a balance of nothing in a year for each transaction, at the place of the transaction."""
    year = datetime.timedelta(days=365)
    return [
        *entries,
        *(
            Balance(
                entry.meta,
                entry.date + year,
                entry.postings[0].account,
                Amount(Decimal(0), "NOTHING"),
                None,
                None,
            )
            for entry in entries
            if isinstance(entry, Transaction)
        ),
    ], []


def twice(entries: Directives, _: dict[str, Any]) -> Result:
    """Add to each transaction two postings that cancel: 1 USDC each way, outside."""
    legs = [
        Posting("Equity:Outside", Amount(Decimal(number), "USDC"), None, None, None, None)
        for number in (1, -1)
    ]
    return [
        entry._replace(postings=[*entry.postings, *legs])
        if isinstance(entry, Transaction)
        else entry
        for entry in entries
    ], []


def given(entries: Directives, _: dict[str, Any]) -> Result:
    """Add a transaction on 2 May 2025: 1600 USDC leave Main's wallet."""
    legs = [
        Posting(account, Amount(Decimal(number), "USDC"), None, None, None, None)
        for account, number in (("Assets:Venue:Main:Wallet", -1600), ("Assets:Bank", 1600))
    ]
    meta = {"filename": "<given>", "lineno": 1}
    day = datetime.date(2025, 5, 2)
    none: frozenset[str] = frozenset()
    return [*entries, Transaction(meta, day, "*", None, "Given", none, none, legs)], []


for function in (given, inverses, tomorrow, listed, nowhere, next_year, twice):
    module = ModuleType(f"{__name__}.{function.__name__}")
    module.__dict__.update(__plugins__=["add"], add=function)
    sys.modules[module.__name__] = module
