"""Standings: what a sub-account has at the end of a day, priced, for its margin."""

from decimal import Decimal, localcontext

from usance.engine.state import Net, State
from usance.model import problems
from usance.model.amounts import PRECISE, ZERO
from usance.model.book import Book
from usance.model.hours import Day, end_of, iso
from usance.model.problems import Problem
from usance.model.quotes import Quote, Quotes
from usance.model.terms import Haircut, Identity, Perpetual
from usance.model.timeline import in_force
from usance.rules.margin import Asset, Debt, Position, Valuation

FULL = Identity(Decimal(1))
NO_PRICES = Quotes({})


class Valuer:
    """Puts together the valuations of a day, and tells what is missing or old in them.

    others  prices of commodities without terms, for a report: no day rests on them
    """

    def __init__(self, book: Book, state: State, day: Day, others: Quotes = NO_PRICES) -> None:
        self.book = book
        self.state = state
        self.day = day
        self.others = others
        self.moment = end_of(day)
        self.quoted: dict[tuple[str, str], Quote | None] = {}
        self.fresh: dict[tuple[str, str], Decimal] = {}
        self.contracts: dict[tuple[str, str], Perpetual | None] = {}
        self.haircuts: dict[tuple[str, str], Haircut | None] = {}
        self.problems: list[Problem] = []

    def is_exposed(self, name: str) -> bool:
        """Tell whether a sub-account has an open contract or owes something."""
        held = self.state.holdings.get(name, {}).values()
        return bool(self.state.contracts(name)) or any(holding.owed > 0 for holding in held)

    def is_short(self, name: str) -> bool:
        """Tell whether a wallet is below zero in some coin."""
        return any(holding.held < 0 for holding in self.state.holdings.get(name, {}).values())

    def terms(self, name: str, contract: str) -> Perpetual | None:
        """Return the terms of a contract in force; tell where it has none, or another coin."""
        key = (self.book.venue(name), contract)
        if key not in self.contracts:
            self.contracts[key] = in_force(self.book.perpetuals, key, self.moment)
        terms = self.contracts[key]
        if terms is None:
            at = self.book.moved(name, contract, self.day)
            known = [other for venue, other in self.book.perpetuals if venue == key[0]]
            known = [other for other in known if other != contract]
            self._tell(problems.no_perpetual(at, contract, iso(self.day), known).of(name))
            return None
        for lot in self.state.positions[name][contract]:
            if lot.currency != terms.settle:
                at = self.book.moved(name, contract, self.day)
                problem = problems.wrong_settle_coin(at, contract, lot.currency, terms.settle)
                self._tell(problem.of(name))
                return None
        return terms

    def price(self, name: str, commodity: str, quote: str, moved: str) -> Decimal | None:
        """Return a price of the day; tell where there is none, or where it is old.

        moved  the commodity on account of which the price is needed
        """
        key = (commodity, quote)
        if key in self.fresh:
            return self.fresh[key]
        found = self._quoted(commodity, quote)
        limit = self.book.stale_limit(commodity)
        if found is not None and self.day - found.day <= limit:
            self.fresh[key] = found.price
            return found.price
        at = self.book.moved(name, moved, self.day)
        date = iso(self.day)
        if found is None:
            if commodity in self.book.worthless:
                return None
            self._tell(problems.missing_price_of(at, name, commodity, quote, date))
            return None
        since = iso(found.day)
        self._tell(problems.old_price(at, name, commodity, since, date, limit))
        return found.price

    def _quoted(self, commodity: str, quote: str) -> Quote | None:
        """Return the last price of a commodity, or None."""
        key = (commodity, quote)
        if key not in self.quoted:
            found = self.book.quotes.at(commodity, quote, self.day)
            self.quoted[key] = found or self.others.at(commodity, quote, self.day)
        return self.quoted[key]

    def valuation(self, name: str) -> Valuation | None:
        """Return what a sub-account has, None where a part of it cannot be priced."""
        limit = self.book.sub_accounts[name].at(self.moment)
        # Treasury yield is no collateral (and no principal) before it is paid.
        assets, debts, perp, complete = [], [], {}, True
        with localcontext(PRECISE):
            for coin, holding in sorted(self.state.holdings.get(name, {}).items()):
                unit = self.book.coins[coin]
                if holding.held:
                    lent = unit.from_quanta(holding.carried.lent)
                    asset = self.asset(name, coin, unit.from_grains(holding.held), lent)
                    complete &= asset is not None
                    assets += [asset] if asset is not None else []
                if holding.owed > 0:
                    debt = self.debt(name, coin, unit.from_grains(holding.owed))
                    complete &= debt is not None
                    debts += [debt] if debt is not None else []
                if holding.perp:
                    price = self.price(name, coin, self.book.operating, coin)
                    complete &= price is not None
                    perp[coin] = (unit.from_grains(holding.perp), price or ZERO)
            positions = []
            for net in self.state.contracts(name):
                position = self._position(name, net)
                complete &= position is not None
                positions += [position] if position is not None else []
        if not complete:
            return None
        floor = limit.leverage_limit if limit is not None else None
        return Valuation(tuple(assets), tuple(positions), tuple(debts), perp, floor)

    def asset(self, name: str, coin: str, quantity: Decimal, lent: Decimal) -> Asset | None:
        """Return a coin in the wallet, None where its price is lacking."""
        haircut = self._haircut(self.book.venue(name), coin)
        if haircut is None:
            found = self._quoted(coin, self.book.operating)
            return Asset(coin, quantity, lent, None if found is None else found.price, None)
        price = self.price(name, coin, self.book.operating, coin)
        return None if price is None else Asset(coin, quantity, lent, price, haircut)

    def _haircut(self, venue: str, coin: str) -> Haircut | None:
        """Return the haircut of a coin in force, None of one that is no collateral."""
        key = (venue, coin)
        if key not in self.haircuts:
            terms = in_force(self.book.collaterals, key, self.moment)
            haircut: Haircut | None = None if terms is None else terms.haircut
            if coin == self.book.operating:
                haircut = haircut or FULL
            self.haircuts[key] = haircut
        return self.haircuts[key]

    def debt(self, name: str, coin: str, quantity: Decimal) -> Debt | None:
        """Return a coin that is owed, None where its price or its terms are lacking."""
        key = (self.book.venue(name), coin)
        terms = in_force(self.book.collaterals, key, self.moment)
        if terms is None and coin != self.book.operating:
            at = self.book.moved(name, coin, self.day)
            date = iso(self.day)
            self._tell(problems.borrow_without_collateral(at, name, coin, date))
            return None
        price = self.price(name, coin, self.book.operating, coin)
        return None if price is None else Debt(coin, quantity, price, terms)

    def _position(self, name: str, net: Net) -> Position | None:
        contract, quantity, entry = net
        terms = self.terms(name, contract)
        if terms is None:
            return None
        mark = self.price(name, contract, terms.settle, contract)
        settle = self.price(name, terms.settle, self.book.operating, contract)
        if mark is None or settle is None:
            return None
        return Position(contract, quantity, entry, mark, settle, terms)

    def _tell(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
