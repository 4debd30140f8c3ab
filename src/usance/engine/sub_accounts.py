"""Sub-accounts: the drafts that complete transfers between isolated sub-accounts."""

from collections.abc import Iterable

from usance.engine.drafts import Draft, Pair, TransactionKind
from usance.model.book import Book, Transfer
from usance.model.hours import Day


def drafts_of_day(transfers: Iterable[Transfer]) -> list[Draft]:
    """Return the pairs that complete a day's transfers between sub-accounts."""
    drafts: list[Draft] = []
    seen: dict[str, int] = {}
    for transfer in sorted(transfers, key=lambda transfer: (transfer.seconds, transfer.text)):
        first, second = transfer.first, transfer.second
        if not transfer.given:
            continue
        seen[first] = seen.get(first, 0) + 1
        pairs = tuple(
            Pair((first, second), (second, first), amount, currency)
            for currency, amount in sorted(transfer.given.items())
        )
        number = seen[first] if seen[first] > 1 else 0
        drafts.append(Draft(TransactionKind.TRANSFER, transfer.day, first, number, pairs))
    return drafts


def drafts_after(book: Book, last: Day) -> list[Draft]:
    """Return the pairs of transfers after a day: they are made whatever the horizon."""
    return drafts_of(transfer for transfer in book.transfers if transfer.day > last)


def drafts_of(transfers: Iterable[Transfer]) -> list[Draft]:
    """Return the pairs that complete the transfers of some days, in order of day."""
    by_day: dict[Day, list[Transfer]] = {}
    for transfer in transfers:
        by_day.setdefault(transfer.day, []).append(transfer)
    return [draft for _, of_day in sorted(by_day.items()) for draft in drafts_of_day(of_day)]
