"""Newest: the last generated transactions up to a day, for the links of a page."""

from bisect import bisect_right

from beancount.core.data import Transaction

from usance.engine.drafts import TransactionKind
from usance.explain.explanation import identity
from usance.language.provenance import ClosedMonths
from usance.ledger.load import Ledger
from usance.model.hours import Day, date_of


class Newest:
    """Ids of the last transactions up to a day, looked for from that day backwards.

    It goes back only as far as it is asked: what a page shows was mostly generated on that day.
    """

    def __init__(self, ledger: Ledger, day: Day) -> None:
        end = bisect_right(ledger.entries, date_of(day), key=lambda entry: entry.date)
        self._rest = ledger.entries[:end]
        self._months = ClosedMonths(ledger.folder)
        self._of_kind: dict[tuple[str, str, str], str] = {}
        self._on_account: dict[tuple[str, str], str] = {}

    def of_kind(self, kind: TransactionKind, name: str, coin: str = "") -> str:
        """Return the last id of a kind and name, "" without one.

        coin  if given, one that it must move
        """
        key = (str(kind), name, coin)
        while key not in self._of_kind and self._rest:
            self._step()
        return self._of_kind.get(key, "")

    def on_account(self, account: str, coin: str) -> str:
        """Return the last id that moved a coin of an account, "" without one."""
        while (account, coin) not in self._on_account and self._rest:
            self._step()
        return self._on_account.get((account, coin), "")

    def _step(self) -> None:
        entry = self._rest.pop()
        if not (isinstance(entry, Transaction) and (found := identity(entry, self._months))):
            return
        kind, _, name = found.split("/")[:3]  # an Identity, which takes longer to parse
        self._of_kind.setdefault((kind, name, ""), found)
        for leg in entry.postings:
            # An amount of zero is false in Beancount: such a leg moves no coin.
            if leg.units:
                self._of_kind.setdefault((kind, name, leg.units.currency), found)
                self._on_account.setdefault((leg.account, leg.units.currency), found)
