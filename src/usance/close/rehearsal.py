"""Rehearsal: the ledger read and booked as it will be with new closed days, before a write.

Beancount's parser and booking do not always make of a text what a plugin computed: a negative
number of more than 28 digits is rounded, and a posted line changes the lots that a person's lines
find. So the new text is read back and compared, and the lines that move lots are booked again.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import (
    Booking,
    Directive,
    Open,
    Posting,
    Transaction,
    entry_sortkey,
)
from beancount.core.inventory import Inventory
from beancount.core.position import Cost, CostSpec
from beancount.parser import booking_full, parser
from beancount.utils import encryption

from usance.engine.drafts import Identity
from usance.language.directive import source_of
from usance.language.provenance import has_id, is_added
from usance.language.transactions import units_of
from usance.ledger.load import Ledger, places
from usance.model import problems
from usance.model.amounts import FIGURE, decimal_text
from usance.model.hours import Day
from usance.model.problems import Problem, Source

Key = tuple[str, str]
"""Account and currency."""

NEITHER = frozenset(("filename", "lineno"))
"""Metadata that says where a directive stands."""


@dataclass(frozen=True, slots=True)
class NewMonth:
    """A month file as it will be.

    above  how many of its lines are there already
    days   directives of the days that come behind them, as computed
    """

    path: Path
    data: bytes
    above: int
    days: Sequence[Open | Transaction]


def rehearse(ledger: Ledger, months: Sequence[NewMonth]) -> list[Problem]:
    """Return why a ledger cannot have these days: what reads, or books, otherwise than computed."""
    fresh: dict[Path, list[Directive]] = {}
    for month in months:
        entries, errors, _ = parser.parse_string(month.data, report_filename=str(month.path))
        fresh[month.path] = entries
        # Beancount sorts the directives of a date: those that open accounts come first.
        behind = [entry for entry in entries if entry.meta["lineno"] > month.above]
        read = [entry for entry in behind if isinstance(entry, Open | Transaction)]
        for computed, entry in zip_longest(sorted(month.days, key=entry_sortkey), read):
            if fault := _difference(ledger, computed, entry):
                return [fault]
        if errors:
            at = Source(ledger.path, 1)
            return [problems.posted_otherwise(at, month.path.name, "it cannot read a line")]
    return list(_booked(ledger, months, fresh))[:1] if _touches_lots(ledger, months) else []


# Reading back


def _difference(
    ledger: Ledger, computed: Directive | None, read: Directive | None
) -> Problem | None:
    """Return how a directive was read otherwise than it was computed, or None."""
    if computed is not None and read is not None and form(computed) == form(read):
        return None
    if not isinstance(computed, Transaction):
        at = Source(ledger.path, 1)
        return problems.posted_otherwise(at, "a new line", "it reads another directive")
    identity = Identity.parse(str(computed.meta["usance"]))
    for posting in computed.postings:
        number = _long(posting)
        if number is not None:
            coin, date = units_of(posting)[1], computed.date.isoformat()
            digits = len(number.as_tuple().digits)
            at = _moved(ledger, identity.name, coin, identity.day)
            return problems.too_many_digits(at, coin, date, decimal_text(number), digits)
    at = _moved(ledger, identity.name, "", identity.day)
    return problems.posted_otherwise(at, str(identity), "it reads other words or numbers")


def _long(posting: Posting) -> Decimal | None:
    """Return a number of a posting that has more digits than Beancount reads exactly, or None."""
    cost = posting.cost.number if isinstance(posting.cost, Cost) else None
    price = posting.price.number if posting.price is not None else None
    units = posting.units.number if posting.units is not None else None
    for number in (units, cost, price):
        if isinstance(number, Decimal) and FIGURE.plus(number) != number:
            return number
    return None


def _moved(ledger: Ledger, name: str, coin: str, day: Day) -> Source:
    """Return the place of a coin's last movement in a sub-account up to a day."""
    book = ledger.read().book
    return book.moved(name, coin, day) if name in book.sub_accounts else Source(ledger.path, 1)


def form(entry: Directive) -> object:
    """Return all of a directive that counts, in the form in which the parser gives it."""
    match entry:
        case Open():
            return entry.date, entry.account, entry.currencies or [], entry.booking
        case Transaction():
            head = (entry.date, entry.flag, entry.payee, entry.narration, entry.tags, entry.links)
            return head, _said(entry.meta), [_posting_form(posting) for posting in entry.postings]
        case _:
            return entry


def _posting_form(posting: Posting) -> object:
    cost = posting.cost
    if isinstance(cost, Cost):
        cost = CostSpec(
            cost.number, None, cost.currency, cost.date, cost.label or None, merge=False
        )
    if isinstance(cost, CostSpec):
        cost = cost._replace(merge=bool(cost.merge))
    return posting.account, posting.units, cost, posting.price, _said(posting.meta)


def _said(meta: Mapping[str, object] | None) -> dict[str, object]:
    return {key: value for key, value in (meta or {}).items() if key not in NEITHER}


# Booking


def _touches_lots(ledger: Ledger, months: Iterable[NewMonth]) -> bool:
    """Tell whether new days move a coin of an account in which the ledger holds it at cost."""
    at_cost = _keys(entry for entry in ledger.entries if isinstance(entry, Transaction))
    new = [entry for month in months for entry in month.days if isinstance(entry, Transaction)]
    at_cost |= _keys(new)
    return any(
        (posting.account, posting.units.currency) in at_cost
        for entry in new
        for posting in entry.postings
        if posting.units is not None
    )


def _keys(entries: Iterable[Transaction]) -> set[Key]:
    """Return the accounts, with the currencies that they hold at cost."""
    return {
        (posting.account, posting.units.currency)
        for entry in entries
        for posting in entry.postings
        if posting.cost is not None and isinstance(posting.units, Amount)
    }


def _booked(
    ledger: Ledger, months: Sequence[NewMonth], fresh: Mapping[Path, list[Directive]]
) -> Iterator[Problem]:
    """Yield the transactions that do not book, or book otherwise, once new days are posted."""
    above = {str(month.path): month.above for month in months}
    added = [entry for of in fresh.values() for entry in of if _is_new(entry, above)]
    entries = [*_parsed(ledger, fresh), *ledger.read().posted, *added]
    methods = _methods(ledger)
    transactions = _moving_lots(entries)
    transactions.sort(key=entry_sortkey)
    new = [entry for entry in transactions if _is_new(entry, above)]
    if not new:
        return
    begin = min(entry.date for entry in new)
    evening = _Booking(ledger.options, methods, {})
    for entry in transactions:
        if entry.date < begin:
            evening.take(entry) if has_id(entry) else evening.book(entry)
    balances = evening.balances
    rest = [entry for entry in transactions if entry.date >= begin]
    before = _Booking(ledger.options, methods, balances)
    for entry in rest:
        if not _is_new(entry, above):
            before.book(entry)
    after, posted = _Booking(ledger.options, methods, balances), list[Transaction]()
    for entry in rest:
        held = _held(after.balances, entry)
        postings, ours = after.book(entry), _is_new(entry, above)
        yield from _compared(ledger, entry, held, postings, None if ours else before, posted)
        if ours:
            posted.append(entry)


def books_otherwise(
    ledger: Ledger, days: Sequence[Transaction], sums: Sequence[Transaction]
) -> Transaction | None:
    """Return a person's first transaction that is booked otherwise with the sums of a month.

    days, sums  the transactions of the month's days, and those in their place
    """
    first = min(entry.date for entry in days).replace(day=1)
    at_cost = _keys(entry for entry in ledger.entries if isinstance(entry, Transaction))
    moved = {(leg.account, _currency(leg)) for entry in days for leg in entry.postings}
    if not moved & at_cost:
        return None
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    persons = [one for one in _moving_lots(_parsed(ledger, {})) if first <= one.date < after]
    evening = _Booking(ledger.options, _methods(ledger), {})
    for entry in ledger.entries:
        if isinstance(entry, Transaction) and entry.date < first:
            evening.take(entry)
    booked: list[_Booking] = []
    for ours in (days, sums):
        booking = _Booking(ledger.options, _methods(ledger), evening.balances)
        for entry in sorted([*persons, *ours], key=entry_sortkey):
            booking.take(entry) if has_id(entry) else booking.book(entry)
        booked.append(booking)
    of_days, of_sums = (booking.booked for booking in booked)
    for entry in persons:
        ways = [_lots(of.get(source_of(entry.meta)) or ()) for of in (of_days, of_sums)]
        if ways[0] != ways[1]:
            return entry
    return None


def _methods(ledger: Ledger) -> defaultdict[str, Booking]:
    """Return the booking method of each account."""
    methods: defaultdict[str, Booking] = defaultdict(lambda: ledger.options["booking_method"])
    for opened in ledger.entries:
        if isinstance(opened, Open) and opened.booking:
            methods[opened.account] = opened.booking
    return methods


def _is_new(entry: Directive, above: Mapping[str, int]) -> bool:
    lines = above.get(str(entry.meta["filename"]))
    return lines is not None and entry.meta["lineno"] > lines


def _parsed(ledger: Ledger, fresh: Mapping[Path, object]) -> Iterator[Directive]:
    """Yield the directives of the ledger's files as parsed, but for months of closed days."""
    # Closed days are booked already, and nothing that comes behind them changes that.
    other = {str(place) for place in places(ledger.read(), ledger.folder)}
    other |= {str(entry.meta["filename"]) for entry in ledger.read().posted}
    for name in ledger.options["include"]:
        if name in other or Path(name) in fresh:
            continue
        if encryption.is_encrypted_file(name):
            text = encryption.read_encrypted_file(name)
            entries, _, _ = parser.parse_string(text, report_filename=name)
        else:
            entries, _, _ = parser.parse_file(name)
        yield from entries


def _moving_lots(entries: Iterable[Directive]) -> list[Transaction]:
    """Return the transactions that move a coin of an account that holds it at cost."""
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    at_cost = _keys(transactions)
    accounts = {account for account, _ in at_cost}
    return [
        entry
        for entry in transactions
        if any(
            posting.account in accounts
            and (_currency(posting) is None or (posting.account, _currency(posting)) in at_cost)
            for posting in entry.postings
        )
    ]


def _currency(posting: Posting) -> str | None:
    """Return the currency of a posting, or None if it is left out."""
    units: object = posting.units
    currency: object = units.currency if isinstance(units, Amount) else None
    return currency if isinstance(currency, str) else None


class _Booking:
    """Books one transaction after the other, from the balances of an evening on.

    booked  postings by file and line of their transaction; None if it could not be booked
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        methods: Mapping[str, Booking],
        balances: Mapping[str, Inventory],
    ) -> None:
        self.options = options
        self.methods = methods
        self.balances: defaultdict[str, Inventory] = defaultdict(Inventory)
        self.balances.update({account: copy(held) for account, held in balances.items()})
        self.booked: dict[Source, list[Posting] | None] = {}

    def take(self, entry: Transaction) -> None:
        """Take in a transaction of a closed day, which is booked already."""
        for posting in entry.postings:
            if not is_added(posting):
                self.balances[posting.account].add_position(posting)

    def book(self, entry: Transaction) -> list[Posting] | None:
        """Book a transaction; return its postings, or None if Beancount cannot book it."""
        entries, errors = booking_full.book([entry], self.options, self.methods, self.balances)
        postings = None if errors or not entries else list(entries[0].postings)
        self.booked[source_of(entry.meta)] = postings
        return postings


def _held(balances: Mapping[str, Inventory], entry: Transaction) -> dict[Key, str]:
    """Return the holdings, as text, of the coins that a transaction moves at cost."""
    return {
        (account, currency): ", ".join(
            str(position)
            for position in sorted(balances.get(account, Inventory()).get_positions())
            if position.units.currency == currency
        )
        or f"no {currency}"
        for account, currency in sorted(_keys([entry]))
    }


def _compared(
    ledger: Ledger,
    entry: Transaction,
    held: Mapping[Key, str],
    postings: list[Posting] | None,
    before: _Booking | None,
    posted: Sequence[Transaction],
) -> Iterator[Problem]:
    """Yield how a transaction is booked otherwise than without the new days, or not at all.

    before  the booking without them; None for a new transaction, which has to stay as it is
    posted  new transactions that are booked before this one
    """
    at = source_of(entry.meta)
    if before is None:
        if postings is None or _lots(postings) != _lots(entry.postings):
            identity = Identity.parse(str(entry.meta["usance"]))
            coin = next((currency for _, currency in held), "")
            at = _moved(ledger, identity.name, coin, identity.day)
            yield problems.posted_otherwise(at, str(identity), _then(held.values()))
        return
    alone = before.booked.get(at)
    if alone is None or (postings is not None and _lots(postings) == _lots(alone)):
        return
    (account, coin), balance = next(iter(held.items()), (("", ""), ""))
    last = next(
        (str(new.meta["usance"]) for new in reversed(posted) if _moves(new, account, coin)), ""
    )
    if all(units_of(posting)[0] > 0 for posting in alone if posting.cost is not None):
        yield problems.bought_into_debt(at, last, coin, account, balance)
    else:
        yield problems.posted_otherwise(at, "this transaction", _then([balance]))


def _moves(entry: Transaction, account: str, coin: str) -> bool:
    return any(
        (posting.account, _currency(posting)) == (account, coin) for posting in entry.postings
    )


def _lots(postings: Iterable[Posting]) -> Counter[object]:
    """Return units and lots of postings; booking sorts postings by currency."""
    return Counter(map(_lot, postings))


def _lot(posting: Posting) -> object:
    cost = posting.cost
    if isinstance(cost, Cost | CostSpec):
        number = cost.number if isinstance(cost, Cost) else cost.number_per
        return posting.account, posting.units, number, cost.currency, cost.date, cost.label or None
    return posting.account, posting.units


def _then(held: Iterable[str]) -> str:
    return f"before it, the account holds {' and '.join(held)}"
