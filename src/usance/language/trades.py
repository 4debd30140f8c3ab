"""Trades: movements of coins and trades in contracts, checked against their terms."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from usance.language.schedule import Schedule
from usance.language.transactions import Notional, Written
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, Side
from usance.model.amounts import EXACT, PRECISE, QUANTUM_DEFAULT, decimal_text, normalized
from usance.model.book import Movement
from usance.model.hours import Day, day_at
from usance.model.problems import Problem
from usance.model.terms import Stage

PRICE_PLACES = Decimal("1e-12")
"""To which the price that a notional comes to is rounded."""

ByDay = dict[tuple[str, str], dict[Day, list[Movement]]]
"""Movements by (sub-account, coin or contract), then by day, each day in order of time."""


@dataclass(frozen=True, slots=True)
class Trading:
    """Movements and trades of commodities and sub-accounts whose terms have no fault.

    every      all of them
    movements  of coins; the coin that a traded contract settles in is there even if nothing moves
    trades     of contracts
    faulty     sub-accounts with contracts, or coins that those settle in, that have a fault
    findings   trades whose notional is off, by day
    """

    every: list[Movement]
    movements: ByDay
    trades: ByDay
    faulty: frozenset[str]
    findings: dict[Day, list[Problem]]
    problems: list[Problem]


def read(
    written: Written, terms: Schedule, chart: ChartOfAccounts, stages: frozenset[Stage]
) -> Trading:
    """Return the movements and trades that count."""
    moving, trading = _unblocked(written.movements, terms), _unblocked(written.trades, terms)
    movements, offenders, offences = _by_day(moving), frozenset[str](), list[Problem]()
    if Stage.MARGIN_POOL in stages:
        movements, offenders, offences = misplaced(movements, terms, chart)
    for name, coin in _settling(trading, terms):
        movements.setdefault((name, coin), {})
    return Trading(
        every=[*moving, *trading],
        movements=movements,
        trades=_by_day(trading),
        faulty=_faulty(written.trades, terms) | offenders,
        findings=_mismatches(written.notionals, terms),
        problems=offences,
    )


def _unblocked(movements: list[Movement], terms: Schedule) -> list[Movement]:
    """Return the movements of commodities and sub-accounts whose terms have no fault."""
    return [
        movement
        for movement in movements
        if ("coin", movement.coin) not in terms.blocked
        and ("sub-account", movement.sub_account) not in terms.blocked
        and movement.sub_account in terms.sub_accounts
    ]


def _by_day(movements: list[Movement]) -> ByDay:
    index: ByDay = {}
    for movement in sorted(movements, key=lambda movement: (movement.moment, movement.seconds)):
        days = index.setdefault((movement.sub_account, movement.coin), {})
        days.setdefault(day_at(movement.moment), []).append(movement)
    return index


def _settling(trades: list[Movement], terms: Schedule) -> Iterator[tuple[str, str]]:
    """Yield sub-accounts that trade, each with the coins that a contract of it ever settled in."""
    for name, contract in sorted({(trade.sub_account, trade.coin) for trade in trades}):
        timeline = terms.perpetuals.get((terms.venue(name), contract))
        for perpetual in timeline.values if timeline is not None else ():
            yield name, perpetual.settle


def _faulty(trades: list[Movement], terms: Schedule) -> frozenset[str]:
    """Return the sub-accounts that trade a contract with a fault, or one in such a coin."""
    faulty: set[str] = set()
    for trade in trades:
        blocked = ("coin", trade.coin) in terms.blocked
        if not blocked and trade.sub_account in terms.sub_accounts:
            timeline = terms.perpetuals.get((terms.venue(trade.sub_account), trade.coin))
            coins = {perpetual.settle for perpetual in timeline.values} if timeline else set()
            blocked = any(("coin", coin) in terms.blocked for coin in coins)
        if blocked:
            faulty.add(trade.sub_account)
    return frozenset(faulty)


def misplaced(
    movements: ByDay, terms: Schedule, chart: ChartOfAccounts
) -> tuple[ByDay, frozenset[str], list[Problem]]:
    """Refuse contracts among the movements of coins: they belong in Perp, at cost.

    Returns the movements that are left, and the sub-accounts that misplaced a contract.
    """
    left = dict(movements)
    names: set[str] = set()
    refused: list[Problem] = []
    for name, contract in sorted(movements):
        perpetual = terms.perpetuals.get((terms.venue(name), contract))
        if perpetual is None:
            continue
        names.add(name)
        for of_day in left.pop((name, contract)).values():
            for movement in of_day:
                if movement.side is Side.PERP:
                    settle = perpetual.values[0].settle
                    problem = problems.contract_without_cost(movement.source, contract, settle)
                else:
                    perp = chart.account(name, Side.PERP)
                    problem = problems.contract_in_wallet(movement.source, contract, perp)
                refused.append(problem.of(name))
    return left, frozenset(names), refused


def _mismatches(notionals: list[Notional], terms: Schedule) -> dict[Day, list[Problem]]:
    """Return the trades whose notional is off by a quantum or more, by day."""
    mismatches: dict[Day, list[Problem]] = {}
    for trade in notionals:
        off = abs(EXACT.subtract(trade.written, trade.expected))
        if off >= terms.quanta.get(trade.coin, QUANTUM_DEFAULT):
            mismatches.setdefault(trade.day, []).append(_mismatch(trade))
    return mismatches


def _mismatch(trade: Notional) -> Problem:
    """Return the finding on a trade whose notional is off."""
    written, expected = decimal_text(trade.written), decimal_text(trade.expected)
    if len(trade.unpriced) == 1:
        # A close is told nothing of its cost: who wrote that as the notional would lose the result.
        [(contract, (quantity, cost))] = trade.unpriced.items()
        others = EXACT.add(trade.expected, cost)
        moved = PRECISE.divide(EXACT.subtract(others, trade.written), quantity)
        price = normalized(moved.quantize(PRICE_PLACES, ROUND_HALF_EVEN, PRECISE))
        if price > 0:
            return problems.closed_without_price(
                trade.source,
                contract,
                written,
                trade.coin,
                quantity=decimal_text(quantity),
                price=decimal_text(price),
            )
    return problems.notional_mismatch(trade.source, trade.contract, written, expected, trade.coin)
