"""Margin reading: what a person traded in contracts, checked against their terms."""

from collections.abc import Iterator, Sequence

from usance.language.schedule import Schedule
from usance.language.transactions import Notional
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, Side
from usance.model.amounts import EXACT, QUANTUM_DEFAULT, decimal_text
from usance.model.book import Movement
from usance.model.problems import Problem
from usance.model.terms import Perpetual


def settling(trades: list[Movement], terms: Schedule) -> Iterator[tuple[str, Sequence[Perpetual]]]:
    """Yield sub-accounts that trade, each with the terms that a contract of it ever had."""
    for name, contract in sorted({(trade.sub_account, trade.coin) for trade in trades}):
        venue = terms.sub_accounts[name].values[0].venue
        timeline = terms.perpetuals.get((venue, contract))
        if timeline is not None:
            yield name, timeline.values


def faulty(trades: list[Movement], terms: Schedule) -> frozenset[str]:
    """Return the sub-accounts that trade a contract with a fault, or one in such a coin."""
    found: set[str] = set()
    for trade in trades:
        blocked = ("coin", trade.coin) in terms.blocked
        if not blocked and trade.sub_account in terms.sub_accounts:
            venue = terms.sub_accounts[trade.sub_account].values[0].venue
            timeline = terms.perpetuals.get((venue, trade.coin))
            coins = {perpetual.settle for perpetual in timeline.values} if timeline else set()
            blocked = any(("coin", coin) in terms.blocked for coin in coins)
        if blocked:
            found.add(trade.sub_account)
    return frozenset(found)


def misplaced(
    movements: dict[tuple[str, str], dict[int, list[Movement]]],
    terms: Schedule,
    chart: ChartOfAccounts,
) -> tuple[frozenset[str], list[Problem]]:
    """Take contracts out of what moves coins: they belong in Perp, at cost."""
    wrong: list[Problem] = []
    names: set[str] = set()
    for name, contract in sorted(movements):
        perpetual = terms.perpetuals.get((terms.sub_accounts[name].values[0].venue, contract))
        if perpetual is None:
            continue
        names.add(name)
        for of_day in movements.pop((name, contract)).values():
            for movement in of_day:
                if movement.side is Side.PERP:
                    settle = perpetual.values[0].settle
                    wrong.append(problems.contract_without_cost(movement.source, contract, settle))
                else:
                    perp = chart.account(name, Side.PERP)
                    wrong.append(problems.contract_in_wallet(movement.source, contract, perp))
    return frozenset(names), wrong


def mismatches(notionals: list[Notional], terms: Schedule) -> dict[int, list[Problem]]:
    """Return the trades whose notional is off by a quantum or more, by day."""
    found: dict[int, list[Problem]] = {}
    for trade in notionals:
        off = abs(EXACT.subtract(trade.written, trade.expected))
        if off >= terms.quanta.get(trade.coin, QUANTUM_DEFAULT):
            written, expected = decimal_text(trade.written), decimal_text(trade.expected)
            problem = problems.notional_mismatch(
                trade.source, trade.contract, written, expected, trade.coin
            )
            found.setdefault(trade.day, []).append(problem)
    return found
