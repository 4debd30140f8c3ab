"""Engine: the day loop. A book and the state of an evening in, days out."""

from collections.abc import Iterator, Sequence

from usance.engine.auto_lending import AutoLending, pools_of
from usance.engine.drafts import ORDER
from usance.engine.lived_day import LivedDay
from usance.engine.margin_pool import MarginPool, Trades, trades_of
from usance.engine.pool_lending import PoolLending
from usance.engine.state import State
from usance.engine.sub_accounts import drafts_of_day
from usance.engine.yield_split import YieldSplit
from usance.model.book import Book, Transfer
from usance.model.hours import Day, days, moment
from usance.model.problems import Problem
from usance.model.terms import Stage


def run(book: Book, state: State, first: Day, last: Day) -> Iterator[LivedDay]:
    """Live the days from `first` to `last`, both included; the state goes along."""
    pools, trades = pools_of(book, state), trades_of(book)
    transfers: dict[Day, list[Transfer]] = {}
    for transfer in book.transfers:
        transfers.setdefault(transfer.day, []).append(transfer)
    # A breach, and a difference in Accretion, are reported on the first day of their run only,
    # which may be a closed day. So the day before is measured again, from its closing state: a run
    # after closed days reports the same as a run from the first day.
    before = LivedDay(Day(first - 1))
    if Stage.MARGIN_POOL in _stages(book, before.day) and book.operating:
        MarginPool(book, state, trades, before).measure()
    if Stage.YIELD_SPLIT in _stages(book, before.day):
        YieldSplit(book, state, before).compare()
    for day in days(first, last):
        yield _live(book, state, pools, trades, transfers.get(day, ()), day)


def _stages(book: Book, day: Day) -> frozenset[Stage]:
    return book.stages.at(moment(day)) or frozenset()


def _live(
    book: Book,
    state: State,
    pools: Sequence[PoolLending],
    trades: Trades,
    transfers: Sequence[Transfer],
    day: Day,
) -> LivedDay:
    """Live one day."""
    today, stages = LivedDay(day), _stages(book, day)
    lending = AutoLending(book, state, pools, today)
    margin = MarginPool(book, state, trades, today)
    yields = YieldSplit(book, state, today)
    findings: Sequence[Problem] = ()
    if Stage.SUB_ACCOUNTS in stages:
        today.drafts += drafts_of_day(transfers)
    settles = Stage.MARGIN_POOL in stages and bool(book.operating)
    yields.take()
    # Yield products are a stage at two moments. A payout is in the wallet before the first hour
    # lends; treasury yield accrues after the last hour, from the principal lent in each of the 24.
    if Stage.YIELD_SPLIT in stages:
        yields.pay()
    margin.trade()
    if Stage.AUTO_LENDING in stages:
        lending.live(margin.settling() if settles else ())
    else:
        lending.hold()
    if Stage.YIELD_SPLIT in stages:
        yields.accrue(lending)
    if settles:
        margin.settle(lending)
        margin.measure()
        margin.liquidate()
        margin.check_outflows(borrowing=Stage.AUTO_LENDING in stages)
        margin.hold()
        findings = book.findings.get(day, ())
    lending.close()
    if Stage.YIELD_SPLIT in stages:
        yields.enroll()
    # A seal holds the findings of its day, so their order is fixed.
    today.problems = [*findings, *lending.problems, *yields.problems, *margin.problems]
    today.drafts.sort(key=lambda draft: (draft.sub_account, ORDER[draft.kind]))
    return today
