"""Engine: the day loop. A book and the state of an evening in, days out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from usance.engine.auto_lending import PoolLending, drafts_of_lending
from usance.engine.drafts import Draft
from usance.engine.liquidation import LiquidationStep
from usance.engine.margin_pool import MarginPool
from usance.engine.records import LendingDay, PoolDay, ProductDay, YieldDay
from usance.engine.state import Holding, State
from usance.engine.sub_accounts import drafts_of_day
from usance.engine.yield_split import YieldSplit
from usance.model.book import Book, Transfer
from usance.model.hours import SLOTS
from usance.model.problems import Problem
from usance.model.terms import CurvePool, Stage
from usance.rules.margin import Margin, Valuation
from usance.rules.settlement import Settled

Groups = list[tuple[tuple[str, str], list[tuple[str, Holding]]]]
"""By venue and coin, in order: sub-accounts by name, with what they have of the coin."""

ORDER = (
    "payout",
    "transfer",
    "lending",
    "borrowing",
    "treasury",
    "settlement",
    "margin",
    "liquidation",
)
"""Kinds of transactions in the order of a day."""


@dataclass(slots=True)
class Day:
    """A day that was lived: what to generate, what to report, what is wrong.

    yields   of holders of yield products, and `products` of what backs them
    margins  of exposed sub-accounts at its end, with the valuations that they rest on
    settled  what was due of contracts, and `liquidation_steps` the steps of liquidations, by id
    """

    day: int
    drafts: list[Draft] = field(default_factory=list)
    coins: list[LendingDay] = field(default_factory=list)
    pools: list[PoolDay] = field(default_factory=list)
    yields: list[YieldDay] = field(default_factory=list)
    products: list[ProductDay] = field(default_factory=list)
    margins: dict[str, tuple[Valuation, Margin]] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    liquidation_steps: dict[str, LiquidationStep] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def run(book: Book, state: State, first: int, last: int) -> Iterator[Day]:
    """Live the days from `first` to `last`, both included; the state goes along."""
    groups = _groups(book, state)
    transfers: dict[int, list[Transfer]] = {}
    for transfer in book.transfers:
        transfers.setdefault(transfer.day, []).append(transfer)
    if Stage.MARGIN_POOL in _stages(book, first - 1) and book.operating:
        # A breach is reported on the first day of its run only, which may be a closed day. So the
        # day before is measured again, from its closing state: a run after closed days reports the
        # same as a run from the first day.
        MarginPool(book, state, first - 1).measure()
    if Stage.YIELD_SPLIT in _stages(book, first - 1):
        YieldSplit(book, state, first - 1).compare()
    for day in range(first, last + 1):
        yield _live(book, state, groups, transfers.get(day, ()), day)


def _stages(book: Book, day: int) -> frozenset[Stage]:
    return book.stages.at(day * SLOTS) or frozenset()


def _groups(book: Book, state: State) -> Groups:
    groups: dict[tuple[str, str], list[tuple[str, Holding]]] = {}
    for name, coin in sorted(book.movements):
        group = groups.setdefault((book.venue(name), coin), [])
        group.append((name, state.holding(name, coin)))
    return sorted(groups.items())


def _live(book: Book, state: State, groups: Groups, transfers: Sequence[Transfer], day: int) -> Day:
    """Live one day."""
    stages = _stages(book, day)
    made = Day(day)
    if Stage.SUB_ACCOUNTS in stages:
        made.drafts += drafts_of_day(transfers)
    lendings: dict[tuple[str, str], PoolLending] = {}
    margin, yields = MarginPool(book, state, day), YieldSplit(book, state, day)
    yields.take()
    # Yield products are a stage at two moments. A payout is in the wallet before the first hour
    # lends; treasury yield accrues after the last hour, from the principal lent in each of the 24.
    if Stage.YIELD_SPLIT in stages:
        yields.pay()
    margin.trade()
    for (venue, coin), holdings in groups:
        if Stage.AUTO_LENDING not in stages:
            _hold(book, coin, holdings, day)
        elif _is_live(book, state, venue, coin, holdings, day):
            lending = lendings[venue, coin] = PoolLending(book, venue, book.coins[coin], day)
            lending.live(holdings)
    if Stage.YIELD_SPLIT in stages:
        yields.accrue(lendings)
    if Stage.MARGIN_POOL in stages and book.operating:
        margin.settle(lendings)
        margin.measure()
        margin.liquidate()
        margin.check_outflows(borrowing=Stage.AUTO_LENDING in stages)
        margin.hold()
        made.margins = margin.margins
        made.settled, made.liquidation_steps = margin.settled, margin.liquidation_steps
        made.problems += book.findings.get(day, ())
    for lending in lendings.values():
        made.coins += lending.close()
        made.pools += lending.pool_day()
        made.problems += lending.problems
    if Stage.YIELD_SPLIT in stages:
        yields.enroll()
    made.yields, made.products = [*yields.days.values()], yields.products
    made.problems += [*yields.problems, *margin.problems]
    made.drafts += [*drafts_of_lending(book, day, made.coins), *yields.drafts, *margin.drafts]
    made.drafts.sort(key=lambda draft: (draft.sub_account, ORDER.index(draft.kind)))
    return made


def _is_live(
    book: Book,
    state: State,
    venue: str,
    coin: str,
    holdings: list[tuple[str, Holding]],
    day: int,
) -> bool:
    """Tell whether anything can happen to a coin at a venue on a day."""
    for name, holding in holdings:
        if not holding.is_empty() or day in book.movements[name, coin] or state.positions.get(name):
            return True
    pools = book.pools.get((venue, coin))
    return pools is not None and isinstance(pools.at(day * SLOTS + SLOTS - 1), CurvePool)


def _hold(book: Book, coin: str, holdings: list[tuple[str, Holding]], day: int) -> None:
    """Take in what a person wrote on a day on which nothing is lent."""
    for name, holding in holdings:
        for movement in book.movements[name, coin].get(day, ()):
            grains = book.coins[coin].to_grains(movement.quantity)
            holding.take(movement.side, grains, movement.lot)
