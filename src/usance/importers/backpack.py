"""Backpack: the importer of one sub-account's files, one at a time.

The map is that of `usance import`. What needs more than one file is left to that command: transfers
between two feeds, days that two files share, comparisons of feeds.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from beancount.core.data import Directive, Transaction
from beancount.core.position import Cost
from beancount.parser import parser
from beangulp.importer import Importer

from usance.model.amounts import ZERO, tally
from usance.model.feeds import Feed
from usance.model.hours import Day, date_of, day_of
from usance.model.problems import Source
from usance.venues.backpack import shapes
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.books import Account, Accounts
from usance.venues.drafts import Draft, written
from usance.venues.lot_queue import Held
from usance.venues.numbers import DAY_NANOS, SECOND, Misread, day_ended, seconds_of
from usance.venues.numbers import day_of as day_at
from usance.venues.posting import post
from usance.venues.row_set import Rows, union
from usance.venues.rows import FEEDS, Fill, Funding, Interest
from usance.venues.venue import Page

VENUE = "backpack"
SIZE_MAX = 64 * 2**20
HOUR_NANOS = 3600 * SECOND

_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?\Z", re.ASCII)

R = TypeVar("R", Funding, Interest)


class Backpack(Importer):  # type: ignore[misc]  # beangulp has no types
    """Reads files of Backpack's API, JSON or CSV, as rows of one sub-account.

    sub_account    name, as in `custom "sub-account"`
    root           account of the sub-account, such as Assets:Backpack:Main
    outside        other side of deposits and withdrawals
    folder         name of a folder: only files below such a one are read; None: all files
    transit        other side of internal transfers; `outside` if absent
    distributions  other side of what the platform pays in; Income:…:Distributions if absent
    pays           yield product whose payout such a payment is, or None
    fee_on_top     the fee of a withdrawal is beside its quantity, not part of it
    ignore         symbols that are no coins
    interest       "imported" if rows of interest are the books, else they are left out
    auto_repay     whether the books repay debts on their own: then borrows by hand are left out
    symbols        commodities by symbol, where the rule of names gives none or another
    since          rows before this date are left out
    roots          names of the root accounts of liabilities, income and expenses
    """

    def __init__(
        self,
        sub_account: str,
        root: str,
        outside: str,
        *,
        folder: str | None = None,
        transit: str | None = None,
        distributions: str | None = None,
        pays: str | None = None,
        fee_on_top: bool = True,
        ignore: Iterable[str] = ("POINTS",),
        interest: str = "generated",
        auto_repay: bool = True,
        symbols: Mapping[str, str] | None = None,
        since: datetime.date = datetime.date(1970, 1, 1),
        roots: tuple[str, str, str] = ("Liabilities", "Income", "Expenses"),
    ) -> None:
        if interest not in ("generated", "imported"):
            raise ValueError(f'interest is {interest!r}. Write "generated" or "imported"')
        liabilities, income, expenses = roots
        rest = root.partition(":")[2]
        self._accounts = Accounts(
            wallet=f"{root}:Wallet",
            perp=f"{root}:Perp",
            accrued_yield=f"{root}:AccruedYield",
            borrowed=f"{liabilities}:{rest}:Borrowed",
            pnl=f"{income}:{rest}:PnL",
            fees=f"{expenses}:{rest}:Fees",
            interest_earned=f"{income}:{rest}:Interest",
            interest_paid=f"{expenses}:{rest}:Interest",
            funding_received=f"{income}:{rest}:Funding",
            funding_paid=f"{expenses}:{rest}:Funding",
        )
        self._feed = Feed(
            sub_account=sub_account,
            venue=VENUE,
            since=day_of(since),
            outside=outside,
            transit=transit or outside,
            distributions=distributions or f"{income}:{rest}:Distributions",
            pays=pays,
            fee_on_top=fee_on_top,
            ignore=frozenset(ignore),
            source=Source(sub_account, 1),
        )
        self._folder = folder
        self._imported, self._repays = interest == "imported", auto_repay
        self._symbols = dict(symbols or {})

    @property
    def name(self) -> str:
        """The name of the importer, one for each sub-account."""
        return f"usance.importers.Backpack.{self._feed.sub_account}"

    def identify(self, filepath: str) -> bool:
        """Tell whether a file has rows of a feed, all of which can be read."""
        path = Path(filepath)
        if path.suffix.lower() not in (".json", ".csv"):
            return False
        if self._folder is not None and self._folder not in path.parent.parts:
            return False
        try:
            return _page(filepath).kind in FEEDS
        except Misread:
            return False

    def account(self, filepath: str) -> str:
        """Return the wallet of the sub-account."""
        del filepath
        return self._accounts.wallet

    def date(self, filepath: str) -> datetime.date | None:
        """Return the date of a file's last row."""
        moments = [row.at for row in _page(filepath).rows]
        return date_of(day_at(max(moments))) if moments else None

    def filename(self, filepath: str) -> str | None:
        """Return the name under which a file is filed, behind its date."""
        kind = _page(filepath).kind
        ending = Path(filepath).suffix.lower()
        return f"{VENUE}.{self._feed.sub_account.lower()}.{kind.lower()}{ending}"

    def extract(self, filepath: str, existing: Sequence[Directive]) -> list[Directive]:
        """Return the transactions of a file; a file with a fault is a `Misread` that names it.

        Of funding and interest, a day is given only if all of it is in the file.

        existing  directives of the ledger: the lots of contracts come from them
        """
        try:
            rows = union([_page(filepath).rows])
            rows = rows._replace(
                funding=_whole(rows.funding, self._feed.since),
                interest=_whole(rows.interest, self._feed.since),
            )
            posted = post([self._account(rows, existing)])
        except Misread as error:
            raise Misread(f"{filepath}: {error}") from error
        return [entry for draft in posted.drafts for entry in _parsed(draft, filepath)]

    def deduplicate(self, entries: list[Directive], existing: Sequence[Directive]) -> None:
        """Mark the entries whose id the ledger has."""
        # What looks alike may be two trades; the venue's ids tell.
        known = {entry.meta[VENUE]: entry for entry in existing if _id(entry)}
        for entry in entries:
            if _id(entry) in known:
                entry.meta["__duplicate__"] = known[_id(entry)]

    def _account(self, rows: Rows, existing: Iterable[Directive]) -> Account:
        return Account(
            feed=self._feed,
            rows=rows,
            symbols=BackpackSymbols(self._symbols),
            accounts=self._accounts,
            held=_held(self._accounts.perp, rows.fills, existing),
            imported=lambda _: self._imported,
            repays=lambda _, __: self._repays,
        )


def _page(filepath: str) -> Page:
    """Return the rows of a file."""
    path = Path(filepath)
    if path.stat().st_size > SIZE_MAX:
        raise Misread("the file is larger than 64 MiB. Split it")
    return shapes.read(path.name, path.read_bytes())


def _id(entry: Directive) -> str | None:
    """Return the venue's id of a directive, or None."""
    name = (entry.meta or {}).get(VENUE)
    return name if isinstance(name, str) and isinstance(entry, Transaction) else None


def _whole(rows: Sequence[R], since: Day) -> list[R]:
    """Return the rows of those days that are in a file from the first hour to the last.

    Rows come oldest first, and a file may begin and end anywhere. So a day is whole for a market or
    coin if the file has a row of any day before it, or its first hour, and a row of any day after
    it, or its last hour.
    """
    if not rows:
        return []
    days: defaultdict[tuple[object, ...], list[R]] = defaultdict(list)
    for row in rows:
        days[day_ended(row.at), row.symbol, getattr(row, "charge", None)].append(row)
    first = min(day_ended(row.at) for row in rows)
    last = max(day_ended(row.at) for row in rows)
    found: list[R] = []
    for key, of_day in days.items():
        day = key[0]
        begins = (min(row.at for row in of_day) - 1) % DAY_NANOS < HOUR_NANOS
        ends = max(row.at for row in of_day) % DAY_NANOS == 0
        if (day != first or begins or day == since) and (day != last or ends):
            found += of_day
    return found


def _held(perp: str, fills: Sequence[Fill], existing: Iterable[Directive]) -> dict[str, list[Held]]:
    """Return the lots of each contract before the first fill of a file."""
    if not fills:
        return {}
    ours = {fill.id for fill in fills}
    begin = (date_of(day_at(fills[0].at)), seconds_of(fills[0].at))
    lots: dict[tuple[str, datetime.date, Decimal], Decimal] = {}
    for entry in existing:
        if not isinstance(entry, Transaction) or _id(entry) in ours:
            continue
        if (entry.date, _seconds(entry)) > begin:
            continue
        for posting in entry.postings:
            if posting.account == perp and isinstance(posting.cost, Cost) and posting.units:
                cost, units = posting.cost, posting.units
                tally(lots, (units.currency, cost.date, cost.number), units.number or ZERO)
    held: defaultdict[str, list[Held]] = defaultdict(list)
    for (contract, date, price), quantity in sorted(lots.items(), key=lambda lot: lot[0][:2]):
        if quantity:
            held[contract].append(Held(day_of(date), price, quantity))
    return held


def _seconds(entry: Transaction) -> int:
    """Return the second of the day at which a transaction stands; 0 if it says none."""
    match = _CLOCK.match(str(entry.meta.get("time", "")))
    if match is None:
        return 0
    hour, minute, second = (int(part or 0) for part in match.groups())
    return (hour * 60 + minute) * 60 + second


def _parsed(draft: Draft, filepath: str) -> list[Any]:
    """Return a draft as Beancount reads it."""
    entries, errors, _ = parser.parse_string(written(draft), report_filename=filepath)
    assert not errors, errors
    return entries
