"""Opens: which accounts are open for the engine, and the directives that do not let it post.

Beancount refuses a posting to an account that is closed, not open yet, or open for other coins. Of
generated transactions it would say so once for each, at a line that no file has. So each such
directive is one error, at its own line, and the books go on as if it were corrected.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beancount.core.data import Close, Directive, Directives, Open, Transaction, new_metadata

from usance.language.directive import source_of
from usance.language.provenance import GENERATED, POSTED, ClosedMonths
from usance.language.reading import Reading
from usance.language.transactions import units_of
from usance.ledger import plugin_lines
from usance.ledger.journal import FIRST_LINE
from usance.model import problems
from usance.model.accounts import Side
from usance.model.hours import Day, day_of
from usance.model.problems import Problem

PERSONAL = frozenset((Side.WALLET, Side.PERP, Side.BORROWED, Side.PNL, Side.FEES))
"""Sides to which a person posts as a rule; to the others, mostly the engine alone."""


class Opens:
    """The opens and closes of a ledger, without those that the engine generates.

    opens   of a person or of a plugin, by account
    posted  opens in months of closed days
    closes  by account
    first   the first transaction of a person with an account
    used    accounts of transactions of closed days
    by_plugin  a plugin opens all accounts that a person uses
    """

    def __init__(self, entries: Iterable[Directive], options: Mapping[str, Any]) -> None:
        self.options = options
        self.by_plugin = plugin_lines.opens_accounts(options)
        self.months = ClosedMonths(str(Path(options["filename"]).parent))
        self.files = frozenset((options["filename"], *options["include"]))
        self.opens: dict[str, Open] = {}
        self.posted: dict[str, Open] = {}
        self.closes: dict[str, Close] = {}
        self.first: dict[str, Transaction] = {}
        self.used: set[str] = set()
        for entry in entries:
            if isinstance(entry, Transaction):
                self._use(entry)
            elif isinstance(entry, Open):
                (self.posted if self.months.hold(entry.meta) else self.opens).setdefault(
                    entry.account, entry
                )
            elif isinstance(entry, Close):
                self.closes.setdefault(entry.account, entry)

    def _use(self, entry: Transaction) -> None:
        if self.months.wrote(entry):
            self.used.update([posting.account for posting in entry.postings])
            return
        for posting in entry.postings:
            before = self.first.get(posting.account)
            if before is None or entry.date < before.date:
                self.first[posting.account] = entry

    def of_engine(self, reading: Reading) -> tuple[set[str], dict[str, Day]]:
        """Return the accounts that the engine need not open, and those that it opens early.

        Early: on the first day on which a person posts to them.
        """
        theirs = {*self.opens, *self.posted, *self.used}
        ours = {
            account: day_of(entry.date)
            for account, entry in self.first.items()
            if account not in theirs and reading.is_ours(account)
        }
        if plugin_lines.opens_accounts_later(self.options):
            theirs |= self.first.keys() - ours.keys()
        return theirs, ours

    def is_written(self, entry: Directive) -> bool:
        """Tell whether a directive stands in a file of the ledger, and no plugin made it."""
        return str(entry.meta.get("filename")) in self.files


@dataclass(slots=True)
class _Use:
    """What the engine posts to an account.

    date, identity  of its first posting
    refused         coins that the account is not open for, each with the id of its first posting
    behind          id of the first posting after the close, with the date of the last; or None
    """

    date: datetime.date
    identity: str
    refused: dict[str, str] = field(default_factory=dict)
    behind: tuple[str, datetime.date] | None = None


def permitted(
    opens: Opens, reading: Reading, entries: Directives, generated: Sequence[Open | Transaction]
) -> tuple[Directives, list[Problem]]:
    """Return all directives, in which the engine may post wherever it does; and what was wrong.

    entries  without the generated ones
    """
    faults: list[Problem] = []
    instead: dict[int, Directive | None] = {}
    for account, again in opens.opens.items():
        if account in opens.posted and opens.is_written(again):
            at = source_of(again.meta)
            file, line = source_of(opens.posted[account].meta)
            place = f"{POSTED}/{Path(file).name}:{line}"
            if at.file not in reading.copies:
                faults.append(problems.opened_twice(at, account, place))
            instead[id(again)] = None
    fresh = {entry.account: entry for entry in generated if isinstance(entry, Open)}
    for account, use in _uses(opens, reading, generated, fresh).items():
        opening = opens.posted.get(account) or opens.opens.get(account) or fresh.get(account)
        if opening is not None:
            instead[id(opening)], told = _opening(opens, reading, opening, use)
            faults += told
        if use.behind is not None:
            close = opens.closes[account]
            faults.append(_closed(opens, close, *use.behind))
            instead[id(close)] = None
    # If a person moves a posting to a day before the posted open, the account is not open then, and
    # neither may the person open it nor may closed text be changed.
    for account, opening in opens.posted.items():
        first = opens.first.get(account)
        if first is not None and first.date < opening.date:
            needed = instead.get(id(opening)) or opening
            instead[id(opening)] = needed._replace(date=first.date)
    every = [*entries, *generated]
    if instead:
        replaced = (instead.get(id(entry), entry) for entry in every)
        every = [entry for entry in replaced if entry is not None]
    return every, faults


def _uses(
    opens: Opens,
    reading: Reading,
    generated: Sequence[Open | Transaction],
    fresh: Mapping[str, Open],
) -> dict[str, _Use]:
    """Return what the engine posts to each account to which Beancount may not let it post.

    fresh  opens that are generated, by account
    """
    transactions = [*reading.posted, *(one for one in generated if isinstance(one, Transaction))]
    if not transactions:
        return {}
    opened, begin = {**opens.opens, **opens.posted}, transactions[0].date
    doubtful = {account for account, one in opened.items() if one.currencies or one.date > begin}
    doubtful |= opens.closes.keys() | (fresh.keys() & opens.first.keys())
    uses: dict[str, _Use] = {}
    for entry in transactions if doubtful else ():
        for posting in entry.postings:
            account = posting.account
            if account not in doubtful:
                continue
            identity = str(entry.meta["usance"])
            use = uses.setdefault(account, _Use(entry.date, identity))
            coins = opened[account].currencies if account in opened else None
            _, coin = units_of(posting)
            if coins and coin not in coins:
                use.refused.setdefault(coin, identity)
            if account in opens.closes and opens.closes[account].date < entry.date:
                use.behind = (use.behind[0] if use.behind else identity, entry.date)
    return uses


def _opening(
    opens: Opens, reading: Reading, opening: Open, use: _Use
) -> tuple[Open, list[Problem]]:
    """Return an open that lets the engine post, and what is wrong with the one that is there."""
    account, at, needed, faults = opening.account, source_of(opening.meta), opening, []
    if opening.meta["filename"] == GENERATED:
        first = opens.first.get(account)
        if first is not None and not (opens.by_plugin or reading.is_ours(account)):
            needed = opening._replace(date=min(opening.date, first.date))
            faults.append(_unopened(first, needed, use, reading))
    elif use.date < opening.date:
        needed = opening._replace(date=use.date)
        if opens.is_written(opening):
            faults.append(problems.opened_late(at, account, use.identity, str(use.date)))
        else:
            needed = needed._replace(meta=new_metadata(GENERATED, FIRST_LINE))
    if use.refused:
        coins = [*opening.currencies, *sorted(use.refused)]
        needed = needed._replace(currencies=coins)
        coin, identity = next(iter(use.refused.items()))
        faults.append(problems.coin_not_allowed(at, account, identity, coin, ",".join(coins)))
    return needed, faults


def _unopened(first: Transaction, needed: Open, use: _Use, reading: Reading) -> Problem:
    """Return the error of an account that a person posts to and nobody opened."""
    at, day = source_of(first.meta), str(needed.date)
    _, side = reading.chart.side(needed.account) or ("", None)
    if side in PERSONAL:
        return problems.unopened(at, needed.account, use.identity, day)
    return problems.posted_beside_ours(at, needed.account, use.identity, day)


def _closed(opens: Opens, close: Close, identity: str, last: datetime.date) -> Problem:
    # A plugin may have made the close. Then the open is the line that says most.
    written = close if opens.is_written(close) else opens.opens.get(close.account, close)
    at = source_of(written.meta)
    return problems.closed_early(at, close.account, str(close.date), identity, str(last))
