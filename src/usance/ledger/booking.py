"""Booking: what Beancount cannot book, because it books before any plugin runs."""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Directives, Posting, Transaction, entry_sortkey
from beancount.parser.booking_full import ReductionError
from beancount.parser.booking_method import AmbiguousMatchError

from usance.language.directive import source_of
from usance.language.provenance import has_id, is_generated
from usance.language.reading import Reading
from usance.ledger.errors import reported
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import EXACT, ZERO, decimal_text

DAY = datetime.timedelta(days=1)


def explained(errors: Iterable[Any], entries: Directives, reading: Reading) -> list[Any]:
    """Return errors, with ours in place of Beancount's about purchases, and about closed days."""
    return [
        _explained(error.entry, entries, reading) or error
        if isinstance(error, ReductionError | AmbiguousMatchError)
        else error
        for error in errors
    ]


def _explained(entry: Directive, entries: Directives, reading: Reading) -> Any:  # noqa: ANN401
    """Return our error about a transaction that cannot be booked, or None."""
    assert isinstance(entry, Transaction)
    if has_id(entry):
        return _of_closed_day(entry, entries)
    return _of_purchase(entry, entries, reading)


def _of_closed_day(entry: Transaction, entries: Directives) -> Any:  # noqa: ANN401
    """Return our error about a closed day whose lots a person has changed."""
    moved = {
        (posting.account, posting.units.currency)
        for posting in entry.postings
        if posting.cost is not None and posting.units is not None
    }
    written = [
        other
        for other in entries
        if isinstance(other, Transaction)
        and not (has_id(other) or is_generated(other))
        and other.date <= entry.date
        and any(
            posting.cost is not None
            and posting.units is not None
            and (posting.account, posting.units.currency) in moved
            for posting in other.postings
        )
    ]
    # If the trade is gone, no line of the person is left: then it is the posted one.
    at = source_of((written[-1] if written else entry).meta)
    coins = ", ".join(sorted({currency for _, currency in moved}))
    identity, date = str(entry.meta["usance"]), entry.date.isoformat()
    return reported(problems.closed_unbookable(at, identity, coins, date))


def _of_purchase(entry: Transaction, entries: Directives, reading: Reading) -> Any:  # noqa: ANN401
    """Return our error if a transaction buys at a cost into units below zero, or None."""
    for posting in entry.postings:
        _, side = reading.chart.side(posting.account) or ("", None)
        units: object = posting.units
        if side is not Side.WALLET or posting.cost is None or not isinstance(units, Amount):
            continue
        held = _held(posting.account, units.currency, entry, entries)
        if isinstance(units.number, Decimal) and units.number > 0 > held:
            before = entry.date - DAY
            closed = reading.seals and reading.seals[-1].date >= before
            return reported(
                problems.bought_below_zero(
                    source_of(entry.meta),
                    posting.account,
                    f"{decimal_text(held)} {units.currency}",
                    "" if closed else before.isoformat(),
                )
            )
    return None


def _held(account: str, currency: str, until: Transaction, entries: Directives) -> Decimal:
    """Return the units without cost that Beancount books into an account before a transaction."""
    held = ZERO
    for entry in entries:
        if isinstance(entry, Transaction) and not is_generated(entry):
            for posting in entry.postings if entry_sortkey(entry) < entry_sortkey(until) else ():
                held = EXACT.add(held, _without_cost(posting, account, currency))
    return held


def _without_cost(posting: Posting, account: str, currency: str) -> Decimal:
    if posting.account != account or posting.cost is not None or posting.units is None:
        return ZERO
    number = posting.units.number if posting.units.currency == currency else None
    return number if isinstance(number, Decimal) else ZERO
