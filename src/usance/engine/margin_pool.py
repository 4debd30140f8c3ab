"""Pooling: the end of a day on one margin pool: settle, measure, liquidate, hold margin."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from usance.engine.auto_lending import AutoLending
from usance.engine.drafts import Draft, Pair, TransactionKind
from usance.engine.liquidation import Liquidation
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.engine.valuation import Valuer
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import EXACT, ZERO, Grains, decimal_text, rounded_text, rounded_to
from usance.model.book import Book, Movement
from usance.model.hours import Day, end_of, iso
from usance.model.problems import Problem
from usance.model.timeline import in_force
from usance.rules import settlement
from usance.rules.margin import Margin, Valuation, evaluate
from usance.rules.settlement import Settled

CENT = Decimal("0.01")
"""To which the Margin memorandum is rounded."""


class Trades(NamedTuple):
    """A person's trades of contracts, as days ask for them.

    of_day    sub-account, contract and what it moved, by day
    cautious  sub-accounts that trade, and may not borrow at some time
    """

    of_day: Mapping[Day, list[tuple[str, str, Movement]]]
    cautious: frozenset[str]


def trades_of(book: Book) -> Trades:
    """Return the trades of a book."""
    of_day: dict[Day, list[tuple[str, str, Movement]]] = {}
    for (name, contract), days in book.trades.items():
        for day, movements in days.items():
            found = of_day.setdefault(day, [])
            found += [(name, contract, movement) for movement in movements]
    cautious = {
        name
        for name in {name for name, _ in book.trades}
        if not all(terms.auto_borrow for terms in book.sub_accounts[name].values)
    }
    return Trades(of_day, frozenset(cautious))


class MarginPool:
    """The margin pools of a day.

    margins  of exposed sub-accounts, with the valuations behind them
    unknown  sub-accounts of which something cannot be priced
    """

    def __init__(self, book: Book, state: State, trades: Trades, today: LivedDay) -> None:
        self.book = book
        self.state = state
        self.trades = trades.of_day.get(today.day, ())
        self.cautious = trades.cautious
        self.today = today
        self.day = today.day
        self.valuer = Valuer(book, state, today.day)
        self.margins: dict[str, tuple[Valuation, Margin]] = today.margins
        self.unknown: set[str] = set()

    @property
    def problems(self) -> list[Problem]:
        """What was missing, old or alarming."""
        return self.valuer.problems

    def trade(self) -> None:
        """Take in the contracts that a person traded."""
        for name, contract, movement in self.trades:
            assert movement.lot is not None
            lot, quantity = movement.lot, movement.quantity
            left = self.state.trade(name, contract, lot, quantity)
            before = EXACT.subtract(left, quantity)
            identity = self.state.closed.get((name, contract, lot))
            if movement.closes:
                # Nothing was left to close: Beancount opened a lot of its own instead.
                identity = identity or self._liquidated(name, contract)
            if identity is not None and before * quantity <= 0 < left * quantity:
                bought = iso(lot.day)
                self.problems.append(
                    problems.lot_liquidated(movement.source, contract, bought, identity).of(name)
                )

    def _liquidated(self, name: str, contract: str) -> str | None:
        """Return the last liquidation of a contract, None where there was none."""
        found = [
            identity
            for (owner, market, _), identity in self.state.closed.items()
            if (owner, market) == (name, contract)
        ]
        return found[-1] if found else None

    def settling(self) -> set[tuple[str, str]]:
        """Return sub-account and coin of each settlement that the day may end with.

        Only of sub-accounts that may not borrow: to others it makes no difference.
        """
        found: set[tuple[str, str]] = set()
        traded: dict[str, set[str]] = {}
        for name, contract, _ in self.trades:
            traded.setdefault(name, set()).add(contract)
        for name in self.cautious:
            held = self.state.holdings.get(name, {})
            found |= {(name, coin) for coin, holding in held.items() if holding.perp}
            for contract in traded.get(name, set()) | self.state.positions.get(name, {}).keys():
                key = (self.book.venue(name), contract)
                terms = in_force(self.book.perpetuals, key, end_of(self.day))
                if terms is not None:
                    found.add((name, terms.settle))
        return found

    def _concerned(self) -> list[str]:
        """Return the sub-accounts that ever had a contract, or have a balance in Perp or a debt.

        Nothing is settled and no margin is measured of any other.
        """
        found = set(self.state.positions)
        for name, held in self.state.holdings.items():
            for holding in held.values():
                if holding.owed or holding.perp:
                    found.add(name)
                    break
        return sorted(found)

    def settle(self, lending: AutoLending) -> None:
        """Pay the day's results between Perp and the wallet, and repay or borrow at once."""
        for name in self._concerned():
            settled: dict[str, list[tuple[str, Decimal]]] = {
                coin: [] for coin, held in self.state.holdings.get(name, {}).items() if held.perp
            }
            known = name not in self.book.faulty
            for contract, quantity, _ in self.state.contracts(name):
                terms = self.valuer.terms(name, contract)
                if terms is None:
                    known = False
                else:
                    settled.setdefault(terms.settle, []).append((contract, quantity))
            if not known:
                # One contract has a fault, so nobody can tell for what the balance in Perp is owed.
                # A settlement of the others would borrow for a slip of the pen.
                continue
            pairs: list[Pair] = []
            for coin, contracts in sorted(settled.items()):
                pair = self._settled(name, coin, contracts)
                if pair is None:
                    continue
                pairs.append(pair)
                grains = self.book.coins[coin].to_grains(pair.amount)
                holding = self.state.holding(name, coin)
                holding.perp = Grains(holding.perp - grains)
                lending.settle(name, coin, grains)
            if pairs:
                self.today.drafts.append(
                    Draft(TransactionKind.SETTLEMENT, self.day, name, 0, tuple(pairs))
                )

    def _settled(self, name: str, coin: str, open_: list[tuple[str, Decimal]]) -> Pair | None:
        """Return what is due in one settle coin, None where nothing is or a mark is missing."""
        marked: list[tuple[str, Decimal, Decimal]] = []
        for contract, quantity in open_:
            mark = self.valuer.price(name, contract, coin, contract)
            if mark is None:
                return None
            marked.append((contract, quantity, mark))
        unit = self.book.coins[coin]
        # The balance is the debt at the last mark, whoever wrote the postings. So a close, a flip
        # or a funding that a person books in Perp needs no rule of its own.
        balance = self.state.holding(name, coin).perp
        contracts = [(quantity, mark) for _, quantity, mark in marked]
        due = settlement.due(contracts, balance, unit)
        if not due:
            return None
        self.today.settled.append(Settled(name, unit, marked, balance, due))
        proof = {"balance": decimal_text(unit.from_grains(balance))}
        if marked:
            held = " ".join(
                f"{decimal_text(quantity)} {contract}" for contract, quantity, _ in marked
            )
            marks = " ".join(decimal_text(mark) for _, _, mark in marked)
            value = decimal_text(settlement.value(contracts))
            proof = {"quantity": held, "mark": marks, "value": value, **proof}
        amount = unit.written(unit.from_grains(due))
        return Pair((name, Side.WALLET), (name, Side.PERP), amount, coin, proof)

    def measure(self) -> None:
        """Measure the margin of each exposed sub-account, and find breaches."""
        # Without a contract or a borrow no price is needed, so none is reported as missing.
        # Reports price everything, because a person asks them for a figure.
        exposed = [
            name
            for name in self._concerned()
            if name not in self.book.faulty and self.valuer.is_exposed(name)
        ]
        self.state.breached.intersection_update(exposed)
        for name in exposed:
            margin = self.margin(name)
            if margin is None:
                continue
            if margin.in_breach and not self.simulates(name):
                if name not in self.state.breached:
                    self._breach(name, margin)
                self.state.breached.add(name)
            elif not margin.in_breach:
                self.state.breached.discard(name)

    def check_outflows(self, *, borrowing: bool) -> None:
        """Find sub-accounts that gave something away and end the day with too little.

        borrowing  a wallet below zero borrows, or is an error that was told
        """
        for name, source in dict(self.book.outflows.get(self.day, ())).items():
            if name in self.margins:
                available = self.margins[name][1].available_equity
            elif not borrowing and name not in self.book.faulty and self.valuer.is_short(name):
                valuation = self.valuer.valuation(name)
                available = ZERO if valuation is None else evaluate(valuation).available_equity
            else:
                continue
            if available < 0:
                date = iso(self.day)
                self.problems.append(
                    problems.gave_too_much(
                        source, name, date, rounded_text(available), self.book.operating
                    )
                )

    def margin(self, name: str) -> Margin | None:
        """Measure one sub-account again, None where something cannot be priced."""
        valuation = self.valuer.valuation(name)
        if valuation is None:
            self.unknown.add(name)
            return None
        margin = evaluate(valuation)
        self.margins[name] = (valuation, margin)
        return margin

    def simulates(self, name: str) -> bool:
        """Tell whether a breach of a sub-account is liquidated."""
        key = (self.book.venue(name), "")
        return in_force(self.book.liquidations, key, end_of(self.day)) is True

    def _breach(self, name: str, margin: Margin) -> None:
        self.problems.append(
            problems.breach(
                self.book.sub_accounts[name].values[0].source,
                name,
                iso(self.day),
                rounded_text(margin.net_equity),
                rounded_text(margin.maintenance_margin),
                self.book.operating,
            )
        )

    def liquidate(self) -> None:
        """Liquidate what is in breach, where that is simulated."""
        for name, (_, margin) in sorted(self.margins.items()):
            if margin.in_breach and self.simulates(name):
                liquidation = Liquidation(self.valuer, name)
                self.today.drafts += liquidation.run()
                self.today.liquidation_steps |= liquidation.liquidation_steps
                self.state.breached.discard(name)
                self.margin(name)
                if not self.valuer.is_exposed(name):
                    del self.margins[name]

    def hold(self) -> None:
        """Let the Margin memorandum take the initial margin, rounded half-even to a cent."""
        for name in sorted({*self.margins, *self.state.margin} - self.unknown):
            margin = self.margins[name][1] if name in self.margins else None
            held = ZERO if margin is None else margin.initial_margin
            held = rounded_to(CENT, held)
            change = EXACT.subtract(held, self.state.margin.get(name, ZERO))
            if not change:
                continue
            self.state.margin[name] = held
            places = ((name, Side.MARGIN), (name, Side.CAPITAL))
            pair = Pair(
                *places, change, self.book.operating, None if margin is None else figures(margin)
            )
            self.today.drafts.append(Draft(TransactionKind.MARGIN, self.day, name, 0, (pair,)))


def figures(margin: Margin) -> dict[str, str]:
    """Return the figures that prove a margin, by name."""
    return {
        "net-equity": rounded_text(margin.net_equity),
        "exposure": rounded_text(margin.exposure),
        "initial-margin": rounded_text(margin.initial_margin),
        "maintenance-margin": rounded_text(margin.maintenance_margin),
    }
