"""Comparing: each line of one sub-account, its books of a moment beside a venue's snapshot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from usance.engine.valuation import FULL
from usance.feeding import lines, totals
from usance.feeding.lines import LAST, QUANTITY_PLACES, Class, Line
from usance.feeding.moments import BooksThen, average_entry
from usance.feeding.snapshots import Balance, Part
from usance.feeding.venue_side import RESULT_CUT, There
from usance.model.amounts import EXACT, ZERO, total
from usance.model.quotes import Quotes
from usance.model.terms import Perpetual
from usance.model.timeline import in_force
from usance.rules.margin import weight

ENTRY_DIGITS = 20
"""Significant digits in which an average that was worked out step by step agrees."""


@dataclass(slots=True)
class Comparison:
    """The lines of one sub-account, as they are worked out.

    notes  what is left out, and why
    """

    then: BooksThen
    there: There
    others: Quotes
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _nets: dict[str, Line] = field(default_factory=dict)
    _rules: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Compare everything that both sides have."""
        settling = self._settling()
        held = {coin for coin, one in self.there.balances.items() if one.quantity}
        for coin in sorted({*self.then.held, *held, *(self.there.owed or ()), *settling}):
            self._coin(coin, settling.get(coin))
        if Part.POSITIONS in self.there.snapshot.parts:
            self._positions()
        self.lines += self._settings()
        self.lines += totals.compared(self.then, self.there, self.others, self._rules, self.notes)
        self._tell_missing()

    # Coins

    def _settling(self) -> dict[str, list[tuple[str, Decimal]]]:
        """Return the contracts that are open on either side, by the coin in which they settle.

        Each has its quantity in the books. A balance in Perp without a contract is one, too.
        """
        found: dict[str, list[tuple[str, Decimal]]] = {}
        quantities = {net.contract: net.quantity for net in self.then.contracts}
        theirs = {name for name, one in self.there.positions.items() if one.quantity}
        for contract in sorted({*quantities, *theirs}):
            terms = self._terms(contract)
            if terms is not None:
                found.setdefault(terms.settle, []).append(
                    (contract, quantities.get(contract, ZERO))
                )
        for coin in self.then.in_perp:
            found.setdefault(coin, [])
        return found

    def _terms(self, contract: str) -> Perpetual | None:
        key = (self.then.venue, contract)
        return in_force(self.then.book.perpetuals, key, self.then.terms)

    def _coin(self, coin: str, contracts: list[tuple[str, Decimal]] | None) -> None:
        """Compare what is held, owed and lent of a coin, and its weight."""
        there = self.there
        owed = ZERO if there.owed is None else self.then.owed(coin)
        here = bool(self.then.wallet(coin) or owed or contracts is not None)
        theirs = bool(there.held(coin) or there.owes(coin) or contracts is not None)
        if not (here or theirs):
            return
        net = self._net(coin, contracts, here=here, theirs=theirs)
        if net is not None:
            self.lines.append(net)
        if there.owed is not None and (owed or there.owes(coin)):
            line = lines.exact(
                "borrowed", coin, owed if here else None, there.owes(coin) if theirs else None
            )
            self._rules[coin] = self._borrowing(coin, net) if line.kind is Class.DIFFERS else ""
            self.lines.append(line.explained(self._rules[coin]))
        balance = there.balances.get(coin)
        if balance is None and not here:
            return
        lent = self.then.lent(coin)
        if balance is None:
            balance = Balance(ZERO, ZERO, ZERO, ZERO)
        if balance.lent is not None and (lent or balance.lent):
            line = lines.exact(
                "lent", coin, lent if here else None, balance.lent if theirs else None
            )
            self.lines.append(line.explained(self._lending(coin, net, balance)))
        if balance.weight is not None and self.then.wallet(coin) > 0 and balance.quantity:
            self.lines.append(self._weight(coin, balance.weight))

    def _net(
        self, coin: str, contracts: list[tuple[str, Decimal]] | None, *, here: bool, theirs: bool
    ) -> Line | None:
        """Compare what is held less what is owed; with results of contracts that settle in it."""
        then, there = self.then, self.there
        owed = ZERO if there.owed is None else then.owed(coin)
        books = EXACT.subtract(then.wallet(coin), owed)
        venue = EXACT.subtract(there.held(coin), there.owes(coin))
        if contracts is None:
            net = lines.exact("quantity", coin, books if here else None, venue if theirs else None)
            return self._noted(coin, net)
        worth, result = self._worth(coin, contracts), self._result()
        if worth is None or result is None:
            return None
        net = lines.exact("equity", coin, EXACT.add(books, worth), EXACT.add(venue, result))
        gap = net.difference
        cut = gap is not None and abs(gap) < RESULT_CUT * there.shown
        return self._noted(coin, net.explained("truncated" if cut else ""))

    def _noted(self, coin: str, net: Line) -> Line:
        self._nets[coin] = net
        return net

    def _worth(self, coin: str, contracts: list[tuple[str, Decimal]]) -> Decimal | None:
        """Return contracts at their marks with the balance in Perp, or None without a mark."""
        parts = [self.then.perp(coin)]
        for contract, quantity in contracts:
            mark = self.there.prices.get(contract)
            if mark is None:
                quote = self.then.book.quotes.at(contract, coin, self.then.whole)
                mark = None if quote is None else quote.price
            if mark is None and quantity:
                self.notes.append(
                    f"Nobody says what {contract} is worth: equity of {coin} is left out."
                )
                return None
            parts.append(EXACT.multiply(quantity, mark or ZERO))
        return total(parts)

    def _result(self) -> Decimal | None:
        """Return the results that the venue has not paid, or None where it does not say."""
        totals_there = self.there.snapshot.totals
        result, unsettled = totals_there.get("pnlUnrealized"), totals_there.get("unsettledEquity")
        if result is None:
            known = [one.result for one in self.there.positions.values() if one.result is not None]
            if Part.POSITIONS not in self.there.snapshot.parts or len(known) < self.there.shown:
                return None
            result = total(known)
        return EXACT.add(result, unsettled or ZERO)

    def _borrowing(self, coin: str, net: Line | None) -> str:
        """Return why another amount is owed there, while what is held less what is owed agrees."""
        then, there = self.then, self.there
        if net is None or not net.kind.is_ok:
            return ""
        books = EXACT.subtract(then.wallet(coin), then.owed(coin))
        venue = EXACT.subtract(there.held(coin), there.owes(coin))
        if min(then.wallet(coin), then.owed(coin)) >= max(then.quantum(coin), LAST):
            return ""  # held and owed at once here: a term of the sub-account is wrong
        switches = then.switches
        derived = switches.auto_repay or (switches.auto_borrow and net.line == "equity")
        if then.owed(coin) < 0 or not derived:
            return ""  # owed as rows and people say: one that is missing leaves the net as it was
        rules = []
        if there.held(coin) > 0 and there.owes(coin) > 0:
            rules.append("both")
        if abs(EXACT.subtract(books, venue)) > LAST:
            rules.append("unsettled")
        if not rules and abs(EXACT.subtract(then.owed(coin), there.owes(coin))) < then.quantum(
            coin
        ):
            rules.append("quantum")
        return ", ".join(rules)

    def _lending(self, coin: str, net: Line | None, balance: Balance) -> str:
        """Return why less is lent there, while all that is held agrees."""
        if net is None or not net.kind.is_ok or balance.lent is None:
            return ""
        idle_here = EXACT.subtract(max(self.then.wallet(coin), ZERO), self.then.lent(coin))
        ordered, idle = balance.ordered or ZERO, balance.idle or ZERO
        over = EXACT.subtract(balance.quantity, total([balance.lent, ordered, idle]))
        # Else a term of the sub-account is wrong, or there something is idle for no order.
        all_lent = idle_here < max(self.then.quantum(coin), LAST) and (ordered or idle <= LAST)
        if not all_lent or abs(over) > LAST:
            return ""
        rules = ["open orders"] if ordered else []
        gap = EXACT.subtract(self.then.wallet(coin), balance.quantity)
        if abs(gap) > LAST:
            rules.append(self._rules.get(coin) or ("unsettled" if net.line == "equity" else ""))
        elif not rules and idle_here:
            rules.append("quantum")
        return ", ".join(rules) if all(rules) else ""

    def _weight(self, coin: str, theirs: Decimal) -> Line:
        terms = in_force(self.then.book.collaterals, (self.then.venue, coin), self.then.terms)
        haircut = terms.haircut if terms is not None else None
        if coin == self.then.book.operating:
            haircut = haircut or FULL
        with_terms = ZERO if haircut is None else weight(haircut, self.then.wallet(coin))
        return lines.rounded("weight", coin, with_terms, theirs, QUANTITY_PLACES)

    # Contracts

    def _positions(self) -> None:
        nets = {net.contract: net for net in self.then.contracts}
        theirs = {name: one for name, one in self.there.positions.items() if one.quantity}
        for contract in sorted({*nets, *theirs}):
            net, standing = nets.get(contract), theirs.get(contract)
            self.lines.append(
                lines.exact(
                    "position",
                    contract,
                    None if net is None else net.quantity,
                    None if standing is None else standing.quantity,
                )
            )
            if net is not None and standing is not None and standing.entry is not None:
                line = lines.rounded(
                    "entry_price", contract, net.entry, standing.entry, QUANTITY_PLACES
                )
                self.lines.append(line.explained(self._entry(contract, standing.entry)))

    def _entry(self, contract: str, theirs: Decimal) -> str:
        """Return why an entry is another: the venue's is an average, which no close changes."""
        found = average_entry(self.then, contract)
        if found is None or not found[1]:
            return ""
        gap = abs(EXACT.subtract(found[0], theirs))
        return "average entry" if gap <= abs(theirs).scaleb(-ENTRY_DIGITS) else ""

    # Settings, and what is left out

    def _settings(self) -> Iterator[Line]:
        terms, said = self.then.switches, self.there.snapshot.settings
        if terms.leverage_limit is not None and "leverageLimit" in said:
            yield lines.same("leverage_limit", terms.leverage_limit, said["leverageLimit"])
        for line, key, switch in (
            ("auto_lend", "autoLend", terms.auto_lend),
            ("auto_borrow", "autoBorrowSettlements", terms.auto_borrow),
            ("auto_repay", "autoRepayBorrows", terms.auto_repay),
        ):
            if key in said:
                yield lines.same(line, switch, said[key])

    def _tell_missing(self) -> None:
        """Say once which answers are not there."""
        parts = {Part.COLLATERAL, Part.POSITIONS, Part.SETTINGS}
        if self.there.owed is None:
            parts.add(Part.LOANS)
        left = [part.value for part in Part if part in parts - self.there.snapshot.parts]
        if left:
            self.notes.insert(
                0, f"The snapshot has no answer on {', '.join(left)}: their lines are left out."
            )
