"""Engine: the day loop. A book and the state of an evening in, days out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from usance.amounts import Coin
from usance.events import Book, Side, Transfer
from usance.hours import SLOTS
from usance.lending import CoinDay, Lending, PoolDay, Segment
from usance.problems import Problem
from usance.terms import CurvePool, Stage
from usance.wallet import Holding

State = dict[tuple[str, str], Holding]
"""Holdings by (sub-account, coin)."""

Place = tuple[str, Side | str]
"""An account of a sub-account: a side, or the name of whom it gave something to."""


class Proof(NamedTuple):
    """What an interest was computed from.

    carry  after the last segment, 1e-18 quanta
    price  of the coin in the operating currency, where it is income and has one that day
    """

    coin: Coin
    segments: Sequence[Segment]
    carry: int
    entry_fee: int = 0
    price: Decimal | None = None


class Pair(NamedTuple):
    """Two postings that cancel: `amount` of a currency to `debit`, from `credit`."""

    debit: Place
    credit: Place
    amount: Decimal
    currency: str
    proof: Proof | None = None


class Draft(NamedTuple):
    """A transaction to generate.

    number  0, or from 2 on where the day has several of this kind and sub-account
    """

    kind: str
    day: int
    sub_account: str
    number: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was lived: what to generate, what to report, what is wrong."""

    day: int
    drafts: list[Draft]
    coins: list[CoinDay]
    pools: list[PoolDay]
    problems: list[Problem]


def run(book: Book, state: State, first: int, last: int) -> Iterator[Day]:
    """Live the days from `first` to `last`, both included; the state goes along."""
    groups: dict[tuple[str, str], list[tuple[str, Holding]]] = {}
    for name, coin in sorted(book.movements):
        venue = book.sub_accounts[name].values[0].venue
        holding = state.setdefault((name, coin), Holding())
        groups.setdefault((venue, coin), []).append((name, holding))
    transfers: dict[int, list[Transfer]] = {}
    for transfer in book.transfers:
        transfers.setdefault(transfer.day, []).append(transfer)
    ordered = sorted(groups.items())
    for day in range(first, last + 1):
        stages = book.stages.at(day * SLOTS) or frozenset()
        drafts = handovers(transfers.get(day, ())) if Stage.SUB_ACCOUNTS in stages else []
        coins: list[CoinDay] = []
        pools: list[PoolDay] = []
        problems: list[Problem] = []
        for (venue, coin), holdings in ordered:
            if Stage.AUTO_LENDING not in stages:
                _hold(book, coin, holdings, day)
            elif _is_live(book, venue, coin, holdings, day):
                lending = Lending(book, venue, book.coins[coin], day)
                coins += lending.live(holdings)
                pools += lending.pool_day()
                problems += lending.problems
        drafts += _lending(book, day, coins)
        drafts.sort(key=lambda draft: draft.sub_account)
        yield Day(day, drafts, coins, pools, problems)


def _is_live(
    book: Book, venue: str, coin: str, holdings: list[tuple[str, Holding]], day: int
) -> bool:
    """Tell whether anything can happen to a coin at a venue on a day."""
    for name, holding in holdings:
        if not holding.is_empty() or day in book.movements[name, coin]:
            return True
    pools = book.pools.get((venue, coin))
    return pools is not None and isinstance(pools.at(day * SLOTS + SLOTS - 1), CurvePool)


def _hold(book: Book, coin: str, holdings: list[tuple[str, Holding]], day: int) -> None:
    """Take in what a person wrote on a day on which nothing is lent."""
    for name, holding in holdings:
        for movement in book.movements[name, coin].get(day, ()):
            holding.take(
                movement.side, book.coins[coin].grains(movement.quantity), movement.at_cost
            )


def handovers(transfers: Sequence[Transfer]) -> list[Draft]:
    """Return the pairs that complete a day's transfers between sub-accounts."""
    drafts: list[Draft] = []
    seen: dict[str, int] = {}
    for transfer in sorted(transfers, key=lambda transfer: (transfer.seconds, transfer.text)):
        first, second = transfer.first, transfer.second
        seen[first] = seen.get(first, 0) + 1
        pairs = tuple(
            Pair((first, second), (second, first), amount, currency)
            for currency, amount in sorted(transfer.given.items())
        )
        number = seen[first] if seen[first] > 1 else 0
        drafts.append(Draft("transfer", transfer.day, first, number, pairs))
    return drafts


def _lending(book: Book, day: int, coins: list[CoinDay]) -> list[Draft]:
    """Return a day's lending and borrowing, one transaction a sub-account and kind."""
    lent: dict[str, list[Pair]] = {}
    owed: dict[str, list[Pair]] = {}
    for coin in sorted(coins, key=lambda coin: coin.coin.name):
        if coin.lent or coin.before[0] != coin.after[0]:
            lent.setdefault(coin.sub_account, []).extend(_lent_pairs(book, day, coin))
        if coin.owed or coin.borrowed or coin.entry_fee:
            owed.setdefault(coin.sub_account, []).extend(_owed_pairs(coin))
    return [
        Draft(kind, day, name, 0, tuple(pairs))
        for kind, drafts in (("lending", lent), ("borrowing", owed))
        for name, pairs in drafts.items()
        if pairs
    ]


def _lent_pairs(book: Book, day: int, coin: CoinDay) -> Iterator[Pair]:
    name, unit = coin.sub_account, coin.coin
    if coin.earned or coin.before[1] != coin.after[1]:
        proof = Proof(unit, coin.lent, coin.after[1], price=book.prices.get((unit.name, day)))
        amount = unit.amount(coin.earned)
        yield Pair((name, Side.WALLET), (name, Side.INTEREST_EARNED), amount, unit.name, proof)
    if coin.before[0] != coin.after[0]:
        amount = unit.amount(coin.after[0] - coin.before[0])
        yield Pair((name, Side.LENT), (name, Side.CAPITAL), amount, unit.name)


def _owed_pairs(coin: CoinDay) -> Iterator[Pair]:
    name, unit = coin.sub_account, coin.coin
    if coin.borrowed:
        amount = unit.amount(coin.borrowed)
        yield Pair((name, Side.WALLET), (name, Side.BORROWED), amount, unit.name)
    if coin.paid or coin.before[2] != coin.after[2]:
        proof = Proof(unit, coin.owed, coin.after[2], entry_fee=coin.entry_fee)
        yield Pair(
            (name, Side.INTEREST_PAID),
            (name, Side.BORROWED),
            unit.amount(coin.paid),
            unit.name,
            proof,
        )


def beyond(book: Book, last: int) -> list[Draft]:
    """Return the pairs of transfers after a day: they are made whatever the horizon."""
    days = sorted({transfer.day for transfer in book.transfers if transfer.day > last})
    return [
        draft
        for day in days
        for draft in handovers([transfer for transfer in book.transfers if transfer.day == day])
    ]
