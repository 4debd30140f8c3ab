"""Rows of a day: those that the books have as one sum, and interest beside the engine's.

A row at midnight is for the day that it ends.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from usance.engine.lived_day import LivedDay
from usance.feeding import downloads
from usance.feeding.downloads import DOWNLOADS, FILES, RefusedError
from usance.feeding.moments import Effect
from usance.feeding.stored import read_page
from usance.model.accounts import Side
from usance.model.amounts import EXACT, Quanta, tally
from usance.model.book import Book
from usance.model.feeds import Feed
from usance.model.hours import Day, moment
from usance.venues.numbers import Instant, Misread, day_ended
from usance.venues.row_set import union
from usance.venues.rows import Charge, Funding, Interest, Row
from usance.venues.venue import Symbols

ADDED = (Charge.BORROW, Charge.ENTRY_FEE)
"""Interest that is added to the debt; all other interest moves the wallet."""


def payments(folder: Path, feed: Feed) -> list[Row]:
    """Return the funding and the interest of a feed in its folder of downloads.

    folder  of the ledger; no other rows are read, so that a year of fills costs nothing
    RefusedError with file and row for what cannot be read, or does not agree.
    """
    root = folder / DOWNLOADS
    pages = [
        read_page(feed, downloads.place(root, path), downloads.read(root, path)).page.rows
        for part in ("funding", "interest", FILES)
        for path in downloads.files(root, feed.venue, feed.sub_account, part)
    ]
    try:
        rows = union(pages)
    except Misread as error:
        raise RefusedError(f"{error}.") from error
    return [*rows.funding, *rows.interest]


def is_of(row: Row, feed: Feed) -> bool:
    """Tell whether a row counts for a feed; one at midnight is for the day that it ends."""
    return day_ended(row.at) >= feed.since


def effects(row: Row, symbols: Symbols, *, interest: bool) -> Iterator[Effect]:
    """Yield what a row adds, if a day's sum stands for it in the books.

    interest  that of the day is imported
    """
    if isinstance(row, Funding):
        yield Effect(Side.WALLET, symbols.market(row.symbol).quote, row.quantity)
    elif isinstance(row, Interest) and interest:
        side = Side.BORROWED if row.charge in ADDED else Side.WALLET
        sign = 1 if row.charge.earned else -1
        yield Effect(side, symbols.coin(row.symbol), EXACT.multiply(sign, row.quantity))


def imports(book: Book, name: str, day: Day) -> bool:
    """Tell whether the interest of a day is imported, so that none is generated."""
    terms = book.sub_accounts[name].at(moment(day))
    return terms is not None and terms.imported


def add_interest(
    sums: dict[tuple[str, str], Decimal], day: LivedDay, book: Book, since: Mapping[str, Day]
) -> None:
    """Add what a day generated from a feed's date on: earned less paid, by sub-account and coin."""
    for coin in day.coins:
        name = coin.sub_account
        if name in since and day.day >= since[name] and not imports(book, name, day.day):
            net = coin.coin.from_quanta(Quanta(coin.earned - coin.paid))
            tally(sums, (name, coin.coin.name), net)


def interest_left(
    book: Book,
    feed: Feed,
    rows: Iterable[Row],
    until: Instant,
    symbols: Symbols,
    generated: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """Return by coin the venue's interest less what the engine generated for the same days.

    generated  earned less paid
    """
    found: dict[str, Decimal] = {}
    for row in rows:
        if not isinstance(row, Interest) or row.at > until or not is_of(row, feed):
            continue
        if not imports(book, feed.sub_account, day_ended(row.at)):
            amount = row.quantity if row.charge.earned else EXACT.minus(row.quantity)
            tally(found, symbols.coin(row.symbol), amount)
    if found:
        for coin, amount in generated.items():
            tally(found, coin, EXACT.minus(amount))
    return {coin: gap for coin, gap in sorted(found.items()) if gap}
