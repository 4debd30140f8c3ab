"""Month sums: the transactions of a closed month as one for each kind and sub-account.

They stand on the month's last day, and prove its last carries. What moves lots stays on its day and
on its line: Beancount books the transactions of a day by their lines, and a person's next trade
against the lots that are left.
"""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Open, Posting, Transaction, new_metadata

from usance.close.restore import CARRY, LEFT_OVER, period_of_credit
from usance.engine.drafts import ORDER, Identity, TransactionKind
from usance.language.provenance import GENERATED
from usance.language.transactions import units_of
from usance.ledger import journal
from usance.ledger.journal import FIRST_LINE
from usance.model.amounts import ZERO, tally
from usance.model.book import Book
from usance.model.hours import Day, date_of, day_of, month_end


class _Place(NamedTuple):
    """What is summed apart: an account and commodity, and of accrued yield whose and when."""

    account: str
    commodity: str
    source: str = ""
    product: str = ""
    period: str = ""


Last = tuple[str, str, str, str]
"""Account, commodity and source of a carry, and its key."""


def moves_lots(entry: Transaction) -> bool:
    """Tell whether a transaction has a posting at a cost or at a price."""
    return any(leg.cost is not None or leg.price is not None for leg in entry.postings)


def summed(entries: Sequence[Open | Transaction], book: Book) -> list[Open | Transaction]:
    """Return a month's directives with its sums in the place of all that move no lots.

    entries  of its days, in order of date
    book     has the payouts of yield products
    """
    last = _last(entry for entry in entries if isinstance(entry, Transaction))
    found: dict[tuple[TransactionKind, str], list[Transaction]] = {}
    kept: list[Open | Transaction] = []
    for entry in entries:
        if isinstance(entry, Open) or moves_lots(entry):
            kept.append(entry)
        else:
            identity = Identity.parse(str(entry.meta["usance"]))
            found.setdefault((identity.kind, identity.name), []).append(entry)
    kept.sort(key=_line)
    sums = [
        _sum(Identity(kind, _month_end(of_days), name, 0, of_month=True), of_days, book, last)
        for (kind, name), of_days in sorted(found.items(), key=lambda item: _order(*item[0]))
    ]
    return [*kept, *(entry for entry in sums if entry.postings)]


def text(entries: Iterable[Open | Transaction], head: str) -> str:
    """Return the text of a month behind its head, with what moves lots on its line."""
    written = head
    for entry in entries:
        if isinstance(entry, Transaction) and moves_lots(entry):
            written += "\n" * (_line(entry) - 1 - written.count("\n"))
        written += journal.text([entry])
    return written


def _line(entry: Open | Transaction) -> int:
    return int(entry.meta["lineno"])


def _order(kind: TransactionKind, name: str) -> tuple[int, str]:
    return ORDER[kind], name


def _month_end(entries: Sequence[Transaction]) -> Day:
    return month_end(day_of(entries[0].date))


def _last(entries: Iterable[Transaction]) -> dict[Last, str]:
    """Return the last carry and left-over sum of each place."""
    return {
        (leg.account, units_of(leg)[1], str(meta.get("source", "")), key): str(meta[key])
        for entry in entries
        for leg in entry.postings
        for meta in (leg.meta or {},)
        for key in (CARRY, LEFT_OVER)
        if key in meta
    }


def _sum(
    identity: Identity, entries: Iterable[Transaction], book: Book, last: dict[Last, str]
) -> Transaction:
    """Return the sum of transactions of one kind and name, without postings if nothing is left."""
    sums: dict[_Place, Decimal] = {}
    proofs: dict[_Place, set[str]] = {}
    for entry in entries:
        for leg in entry.postings:
            place = _place(leg, identity.name, day_of(entry.date), book)
            tally(sums, place, units_of(leg)[0])
            proofs.setdefault(place, set()).update({CARRY, LEFT_OVER} & (leg.meta or {}).keys())
    date = date_of(identity.day)
    postings = [
        _posting(place, number, proofs[place], last)
        for place, number in sums.items()
        if number or proofs[place]
    ]
    return _transaction(identity, date, postings)


def _place(leg: Posting, name: str, day: Day, book: Book) -> _Place:
    account, (_, commodity), meta = leg.account, units_of(leg), leg.meta or {}
    if CARRY not in meta or "source" not in meta:
        return _Place(account, commodity)
    product = str(meta.get("product", ""))
    period = str(meta.get("period", ""))
    if not period:
        of_day = period_of_credit(book, name, product, day)
        period = "" if of_day is None else of_day.name
    return _Place(account, commodity, str(meta["source"]), product, period)


def _posting(place: _Place, number: Decimal, keys: set[str], last: dict[Last, str]) -> Posting:
    account, commodity, source, product, period = place
    meta = {"product": product, "source": source, "period": period}
    meta |= {key: last[account, commodity, source, key] for key in sorted(keys)}
    said = {key: value for key, value in meta.items() if value}
    return Posting(account, Amount(number or ZERO, commodity), None, None, None, said)


def _transaction(identity: Identity, date: datetime.date, postings: list[Posting]) -> Transaction:
    kind, month = identity.kind, date.isoformat()[:7]
    meta = new_metadata(GENERATED, FIRST_LINE, {"usance": str(identity)})
    what = kind.narration.partition(" between ")[0]
    tags, links = frozenset((str(kind), "usance")), frozenset((f"usance-{month}",))
    return Transaction(meta, date, "*", None, f"{what}, {month}", tags, links, postings)
