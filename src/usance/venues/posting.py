"""Posting: the rows of accounts as transactions, each event once.

The map is that of docs/feeding.md. What only repeats an event is compared with what is booked.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Inexact
from typing import TypeVar

from usance.model.amounts import decimal_text
from usance.venues import movements, payments
from usance.venues.books import Account, Posted
from usance.venues.checking import differences
from usance.venues.drafts import Draft
from usance.venues.numbers import (
    BOOKABLE,
    Misread,
    day_ended,
    day_of,
    seconds_of,
    time_text,
)
from usance.venues.row_set import Rows
from usance.venues.rows import (
    FEED_OF,
    Deposit,
    Funding,
    Interest,
    Movement,
    Origin,
    Row,
    Settlement,
    Standing,
    Use,
    Withdrawal,
)
from usance.venues.trades import Trades
from usance.venues.transfers import paired

R = TypeVar("R", bound=Row)
C = TypeVar("C", Deposit, Withdrawal)
M = TypeVar("M", Movement, Settlement)

BEFORE = "before the feed"
IGNORED = "ignored symbol"


def post(accounts: Sequence[Account]) -> Posted:
    """Return the transactions of all accounts, in order, with what became of each row.

    `Misread`, with file and row, for a row that the books cannot hold.
    """
    posted = Posted()
    ours = {account.feed.sub_account: account for account in accounts}
    rows = {name: _counting(account, posted) for name, account in ours.items()}
    pairs = paired(
        (name, row)
        for name, theirs in rows.items()
        for some in (theirs.withdrawals, theirs.deposits)
        for row in some
        if row.origin is Origin.ACCOUNT
    )
    arrived = {(receiver, into.id) for receiver, into in pairs.values()}
    for name, account in ours.items():
        theirs = rows[name]
        into = [row for row in theirs.deposits if (name, row.id) not in arrived]
        out = [row for row in theirs.withdrawals if (name, row.id) not in pairs]
        for row in theirs.withdrawals:
            if (name, row.id) in pairs:
                receiver, deposit = pairs[name, row.id]
                draft = movements.transfer(account, row, ours[receiver], deposit)
                _refuse_long(draft)
                _keep(posted, draft, row, deposit)
        _post(account, theirs._replace(deposits=into, withdrawals=out), posted)
        posted.findings += differences(account, theirs)
    posted.drafts.sort(key=lambda draft: draft[1:5])
    return posted


def _post(account: Account, rows: Rows, posted: Posted) -> None:
    """Post the rows of one account that are no transfers between two."""
    _each(account, rows.fills, Trades(account.held).draft, posted)
    _each(account, rows.deposits, movements.deposit, posted)
    _each(account, rows.withdrawals, movements.withdrawal, posted)
    _each(account, rows.dust, movements.dust, posted)
    _of_days(payments.funding, account, rows.funding, posted)
    booked = [row for row in rows.interest if account.imported(day_ended(row.at))]
    posted.checked["interest"] += len(rows.interest) - len(booked)
    _of_days(payments.interest, account, booked, posted)
    _each(account, _booked(account, rows.movements, posted), movements.borrow, posted)
    _each(account, _booked(account, rows.settlements, posted), movements.settlement, posted)


def _each(
    account: Account,
    rows: Iterable[R],
    make: Callable[[Account, R], Draft],
    posted: Posted,
) -> None:
    """Post each row as a transaction of its own."""
    for row in rows:
        try:
            draft = make(account, row)
            _refuse_long(draft)
        except Misread as error:
            raise Misread(f"{row.place.file}: row {row.place.row}: {error}") from error
        _keep(posted, draft, row)


def _of_days(
    make: Callable[[Account, Iterable[R]], Iterator[Draft]],
    account: Account,
    rows: Sequence[R],
    posted: Posted,
) -> None:
    """Post the rows of each day together."""
    try:
        for draft in make(account, rows):
            _refuse_long(draft)
            if draft.legs:
                posted.drafts.append(draft)
    except Misread as error:
        at = rows[0].place
        raise Misread(f"{at.file}: {FEED_OF[type(rows[0])]}: {error}") from error
    for row in rows:
        posted.book(row)


def _keep(posted: Posted, draft: Draft, *rows: Row) -> None:
    """Keep the transaction of rows, if it moves anything."""
    if draft.legs:
        posted.drafts.append(draft)
    for row in rows:
        posted.book(row)


def _refuse_long(draft: Draft) -> None:
    """Refuse amounts that Beancount would round when it adds them up."""
    for leg in draft.legs:
        try:
            BOOKABLE.plus(leg.number)
        except Inexact:
            raise Misread(
                f"{decimal_text(leg.number)} {leg.commodity} has more than 28 digits, which the "
                "books cannot hold. Write that transaction by hand, and move the file away"
            ) from None


# Which rows count.


def _counting(account: Account, posted: Posted) -> Rows:
    """Return the rows that count: not before the feed, of coins, of a status that is final."""
    for some in account.rows:
        for row in some[:1]:
            posted.rows[FEED_OF[type(row)]] += len(some)

    def since(rows: Sequence[R]) -> list[R]:
        return _since(account, rows, posted)

    (fills, funding, interest, moved, settled, deposits, withdrawals, dust) = account.rows
    return Rows(
        since(fills),
        since(funding),
        since(interest),
        since(moved),
        since(settled),
        _confirmed(since(deposits), "deposit", posted),
        _confirmed(since(withdrawals), "withdrawal", posted),
        since(dust),
    )


def _since(account: Account, rows: Sequence[R], posted: Posted) -> list[R]:
    if not rows:
        return []
    # What is paid at midnight is for the hours before it.
    day = day_ended if isinstance(rows[0], Funding | Interest) else day_of
    ignore, since = account.feed.ignore, account.feed.since
    late = rows[bisect_left(rows, since, key=lambda row: day(row.at)) :]
    kept = [row for row in late if row.symbol not in ignore]
    _count(posted, BEFORE, len(rows) - len(late))
    _count(posted, IGNORED, len(late) - len(kept))
    return kept


def _confirmed(rows: Sequence[C], what: str, posted: Posted) -> list[C]:
    kept: list[C] = []
    for row in rows:
        if row.status.standing is Standing.CONFIRMED:
            kept.append(row)
        else:
            _count(posted, f"{what} {row.status.name}", 1)
    return kept


def _booked(account: Account, rows: Iterable[M], posted: Posted) -> Iterator[M]:
    """Yield the movements or settlements that are booked; the others are checked, or named."""
    for row in rows:
        use = row.use
        if use is Use.BOOKED or (
            use is Use.BY_HAND and not account.repays(day_of(row.at), seconds_of(row.at))
        ):
            yield row
        elif use is Use.NAMED:
            feed = FEED_OF[type(row)]
            posted.findings.append(
                f"{time_text(row.at)}: {feed} {row.source} of {account.feed.sub_account}, "
                f"{decimal_text(row.quantity)} {row.symbol}, is not booked. Find out what "
                "it moved, as with usance reconcile, and write that"
            )
            _count(posted, f"{feed} {row.source}", 1)
        else:
            posted.check(row)


def _count(posted: Posted, reason: str, rows: int) -> None:
    if rows:
        posted.ignored[reason] += rows
