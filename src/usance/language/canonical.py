"""Inputs: the directives and rates on which the books of a day rest, as canonical text.

A line says all of a directive that counts, and nothing else: not its file, line, narration,
comments or the way its numbers are written.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core import account
from beancount.core.amount import Amount
from beancount.core.data import Commodity, Custom, Posting, Price, Transaction
from beancount.core.position import Cost

from usance.model.amounts import decimal_text
from usance.model.hours import Day, clock, date_of
from usance.model.problems import Source
from usance.model.terms import Rates, TreasuryRate


class Input(NamedTuple):
    """One directive or rate that counts.

    day     from which it counts
    text    writes its canonical text
    source  its place
    """

    day: Day
    text: Callable[[], str]
    source: Source


def options_text(options: Mapping[str, Any], roots: Mapping[str, str]) -> str:
    """Return the text of the options on which the figures of days rest.

    roots  names of the root accounts that a ledger names otherwise than Beancount does, by option
    """
    currency = next(iter(options["operating_currency"]), "")
    named = {"operating_currency": currency, **roots}
    return " ".join(["options", *(f"{key}: {json.dumps(named[key])}" for key in sorted(named))])


def custom_text(entry: Custom, keys: Iterable[str]) -> str:
    """Return the text of one of our directives, with those of its keys that we read."""
    values = " ".join(
        str(value) if kind == account.TYPE or _is_root(entry, value) else _text(value)
        for value, kind in entry.values or ()
    )
    return " ".join(
        [f"{entry.date} custom {json.dumps(entry.type)} {values}", *_keys(entry.meta, keys)]
    )


def commodity_text(entry: Commodity, keys: Iterable[str]) -> str:
    """Return the text of a commodity, with those of its keys that we read."""
    return " ".join([f"commodity {entry.currency}", *_keys(entry.meta, keys)])


def transaction_text(
    entry: Transaction, postings: Iterable[Posting], seconds: int, keys: Iterable[str] = ()
) -> str:
    """Return the text of those postings of a transaction that count, and of keys that do."""
    parts = " | ".join(sorted(map(_posting, postings)))
    head = f"{entry.date} {clock(seconds)} transaction {parts}"
    return " ".join([head, *_keys(entry.meta, keys)])


def price_text(entry: Price) -> str:
    """Return the text of a price."""
    return f"{entry.date} price {entry.currency} {_amount(entry.amount)}"


def row_texts(coin: str, path: str, rows: Iterable[tuple[Day, int, Rates]]) -> Iterator[str]:
    """Yield the text of each row of a rates file."""
    of_file = f"Z lending-rate {coin} {json.dumps(path)}"
    dates: dict[Day, str] = {}
    clocks: dict[int, str] = {}
    for day, seconds, (supply, borrow, used, *_) in rows:
        date = dates.get(day) or dates.setdefault(day, f"{date_of(day)}T")
        time = clocks.get(seconds) or clocks.setdefault(seconds, f"{clock(seconds)}{of_file}")
        text = f"{date}{time} {decimal_text(supply)} {decimal_text(borrow)}"
        yield text if used is None else f"{text} {decimal_text(used)}"


def treasury_row_texts(
    product: str, path: str, rows: Iterable[tuple[Day, int, TreasuryRate]]
) -> Iterator[str]:
    """Yield the text of each row of a file of treasury rates."""
    of_file = f"treasury-rate {json.dumps(product)} {json.dumps(path)}"
    for day, _, rate in rows:
        yield f"{date_of(day)} {of_file} {decimal_text(rate.rate)}"


def _keys(meta: Mapping[str, object], keys: Iterable[str]) -> list[str]:
    return [f"{key}: {_text(meta[key])}" for key in sorted(keys) if key in meta]


def _text(value: object) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case Decimal():
            return decimal_text(value)
        case Amount():
            return _amount(value)
        case str():
            return json.dumps(value)
        case _:
            return str(value)


def _is_root(entry: Custom, value: object) -> bool:
    """Tell whether a text is the account of a sub-account, which may stand in quotes or not."""
    return entry.type == "sub-account" and isinstance(value, str) and account.is_valid(value)


def _amount(amount: Amount) -> str:
    assert isinstance(amount.number, Decimal)
    return f"{decimal_text(amount.number)} {amount.currency}"


def _posting(posting: Posting) -> str:
    assert posting.units is not None
    text = f"{posting.account} {_amount(posting.units)}"
    if posting.cost is not None:
        cost = posting.cost
        assert isinstance(cost, Cost)
        label = f", {json.dumps(cost.label)}" if cost.label else ""
        text += f" {{{decimal_text(cost.number)} {cost.currency}, {cost.date}{label}}}"
    if posting.price is not None:
        text += f" @ {_amount(posting.price)}"
    return text
