"""Doubtful events: dates, transactions and balances that are legal and improbable."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby, takewhile

from beancount.core.data import Directive, Price, Transaction

from usance.language.canonical import transaction_text
from usance.language.directive import SURE, source_of
from usance.language.doubtful import Doubtful, Rule
from usance.language.horizon import FAR, asking, speaking
from usance.language.prices import quotes
from usance.language.provenance import has_id
from usance.language.transactions import units_of
from usance.model import problems
from usance.model.accounts import Side
from usance.model.amounts import EXACT, ZERO, decimal_text, tally
from usance.model.hours import NO_DAY, Day, day_at, day_of, iso, moment, seconds_of
from usance.model.problems import Problem
from usance.model.terms import Stage, SubAccount


def leaps(books: Doubtful) -> Iterator[Problem]:
    """Doubt a date long after the one before it."""
    if not books.reading.leaps:
        return
    kinds: dict[type, list[Directive]] = defaultdict(list)
    for entry in books.written:
        kinds[type(entry)].append(entry)
    dated = [(day_of(entry.date), entry) for entry in speaking(kinds)]
    dated += asking(kinds)
    stopped = False
    for leap in books.reading.leaps:
        before = [entry for day, entry in dated if day == leap.before]
        late = [entry for day, entry in dated if day == leap.after]
        stopped = stopped or leap.days > FAR
        for entry in late[:1]:
            source = source_of(entry.meta)
            place = source_of(before[0].meta).seen_from(source) if before else "the rates"
            until = iso(books.reading.horizon) if stopped else ""
            yield problems.late_date(
                source, iso(leap.after), leap.days, iso(leap.before), place, until
            )


def alike(books: Doubtful) -> Iterator[Problem]:
    """Doubt a transaction with the date, time and postings of another one."""
    chart = books.reading.chart
    places: defaultdict[object, list[Transaction]] = defaultdict(list)
    for entry in books.transactions:
        if any(chart.owner(posting.account) is not None for posting in entry.postings):
            legs = tuple(sorted((leg.account, *units_of(leg)) for leg in entry.postings))
            seconds = seconds_of(str(entry.meta.get("time", "00:00")))
            places[entry.date, seconds, legs].append(entry)
    for entries in places.values():
        first, *rest = entries
        for entry in rest:
            if _text(first) == _text(entry) and not _told_apart(first, entry):
                source = source_of(entry.meta)
                yield problems.alike(source, source_of(first.meta).seen_from(source))


def _text(entry: Transaction) -> str:
    return transaction_text(entry, entry.postings, 0)


def _told_apart(one: Transaction, other: Transaction) -> bool:
    """Tell whether both say which they are, in a link or a key such as an id of the venue."""
    if one.links and other.links and not one.links & other.links:
        return True
    shared = one.meta.keys() & other.meta.keys() - {"filename", "lineno", "time", SURE}
    return any(one.meta[key] != other.meta[key] for key in shared if not key.startswith("__"))


WORD = re.compile(r"interest|\blend|\blent\b|zins|int[eé]r[eê]t|interes", re.IGNORECASE)
"""What names interest in an account, a payee or a narration."""

NEAR = Decimal("0.05")
"""The part of a day's interest by which the figure of a venue may be off."""

WINDOW = 31
"""The days for which a venue may credit interest at once."""

INTEREST = {Side.INTEREST_EARNED: "Income", Side.INTEREST_PAID: "Expenses"}
NO_INTEREST = (Side.PNL, Side.BAD_DEBT, Side.FEES, Side.TREASURY, Side.BONUS)

Kind = tuple[str, str, str]
"""Interest of a sub-account, in a coin, earned ("Income") or paid ("Expenses")."""


def interest_by_hand(books: Doubtful) -> Iterator[Problem]:
    """Doubt interest that a person books beside that which is generated, once for each account."""
    # An account of interest says so in its name, or its amounts are those that are generated.
    days = _interest(books)
    rows: defaultdict[tuple[Kind, str], list[tuple[Transaction, Decimal]]] = defaultdict(list)
    for entry in books.transactions:
        for kind, account, number in _incomes(books, entry):
            today = day_of(entry.date)
            if not _is_imported(books, kind[0], today) and any(
                today - WINDOW <= day <= today for day in days.get(kind, ())
            ):
                rows[kind, account].append((entry, number))
    for ((name, coin, root), account), of_account in rows.items():
        of_days = days[name, coin, root]
        named = [
            entry
            for entry, _ in of_account
            if WORD.search(f"{account} {entry.payee} {entry.narration}")
        ]
        equal = [entry for entry, number in of_account if _is_near(of_days, entry, number)]
        if len(equal) < 2 or 2 * len(equal) <= len(of_account):
            equal = []
        for entry in (named or equal)[:1]:
            side = next(side for side, of in INTEREST.items() if of == root)
            place = books.reading.chart.account(name, side)
            yield problems.interest_by_hand(source_of(entry.meta), name, coin, account, place)


def _is_imported(books: Doubtful, sub_account: str, day: Day) -> bool:
    """Tell whether a person's interest is the one that counts on a day."""
    line = books.book.sub_accounts.get(sub_account)
    terms = line.at(moment(day)) if line is not None else None
    return terms is not None and terms.imported


def interest_by_nobody(books: Doubtful) -> Iterator[Problem]:
    """Doubt that interest is imported of a sub-account that lends, if there is none."""
    lent: dict[tuple[str, str], Decimal] = {}
    for entry in books.every:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            name, side = books.reading.chart.side(posting.account) or ("", None)
            if side is Side.LENT:
                number, coin = units_of(posting)
                tally(lent, (name, coin), number)
    rows: dict[str, list[Day]] = {}
    for (name, _), days in books.book.interest.items():
        rows.setdefault(name, []).extend(days)
    for name in sorted({name for (name, _), number in lent.items() if number > 0}):
        if name in books.reading.feeds or not _is_imported(books, name, books.reading.last):
            continue
        since, terms = _imported_since(books, name)
        if max(rows.get(name, ()), default=NO_DAY) < since:
            place = books.reading.chart.account(name, Side.INTEREST_EARNED)
            yield problems.interest_by_nobody(terms.source, name, iso(since), place)


def _imported_since(books: Doubtful, sub_account: str) -> tuple[Day, SubAccount]:
    """Return the day from which interest is imported today, and the terms that said so."""
    line = books.book.sub_accounts[sub_account]
    terms = [*zip(map(day_at, line.moments), line.values, strict=True)]
    until_now = [change for change in terms if change[0] <= books.reading.last]
    return list(takewhile(lambda change: change[1].imported, reversed(until_now)))[-1]


def _interest(books: Doubtful) -> dict[Kind, dict[Day, Decimal]]:
    """Return the interest that is generated, by day."""
    days: defaultdict[Kind, dict[Day, Decimal]] = defaultdict(dict)
    for entry in books.every:
        if isinstance(entry, Transaction) and has_id(entry):
            for posting in entry.postings:
                name, side = books.reading.chart.side(posting.account) or ("", None)
                if side in INTEREST:
                    number, coin = units_of(posting)
                    tally(days[name, coin, INTEREST[side]], day_of(entry.date), number.copy_abs())
    return days


def _incomes(books: Doubtful, entry: Transaction) -> Iterator[tuple[Kind, str, Decimal]]:
    """Yield the income and expenses of a transaction that moves one wallet or debt besides.

    kind, account, coins
    """
    chart = books.reading.chart
    roots = {chart.roots[root]: root for root in ("Income", "Expenses")}
    if len({leg.units.currency for leg in entry.postings if leg.units}) > 1:
        return
    flows = [leg for leg in entry.postings if leg.account.partition(":")[0] in roots]
    places = {chart.side(leg.account) for leg in entry.postings if leg not in flows}
    match [*places]:
        case [(str(name), Side.WALLET | Side.BORROWED)]:
            pass
        case _:
            return
    for leg in flows:
        place = chart.side(leg.account)
        if place is None or place[1] not in NO_INTEREST:
            number, coin = units_of(leg)
            kind = (name, coin, roots[leg.account.partition(":")[0]])
            yield kind, leg.account, number


def _is_near(days: Mapping[Day, Decimal], entry: Transaction, number: Decimal) -> bool:
    """Tell whether an amount is about the interest of its day, or of the day before."""
    today = day_of(entry.date)
    of_days = (days.get(Day(today - back), ZERO) for back in (0, 1))
    return any(
        EXACT.subtract(number.copy_abs(), interest).copy_abs() <= EXACT.multiply(interest, NEAR)
        for interest in of_days
        if interest
    )


def yield_by_hand(books: Doubtful) -> Iterator[Problem]:
    """Doubt a payment of yield that takes nothing out of the yield that has accrued."""
    if Stage.YIELD_SPLIT not in books.stages:
        return
    chart, told = books.reading.chart, set[tuple[str, str]]()
    for entry in books.transactions:
        places = {posting.account: chart.side(posting.account) for posting in entry.postings}
        sides = {place[1] for place in places.values() if place is not None}
        if "pays" in entry.meta or Side.WALLET not in sides or Side.ACCRUED_YIELD in sides:
            continue
        for posting in entry.postings:
            name, side = places[posting.account] or ("", None)
            number, coin = units_of(posting)
            if side not in (Side.TREASURY, Side.BONUS) or number >= 0 or (name, coin) in told:
                continue
            product = _product(books, name, coin, day_of(entry.date))
            if product is not None:
                told.add((name, coin))
                yield problems.yield_by_hand(
                    source_of(entry.meta), name, product, coin, posting.account
                )


def _product(books: Doubtful, sub_account: str, coin: str, day: Day) -> str | None:
    """Return the product in which a sub-account's coin is, or None."""
    if sub_account not in books.book.sub_accounts:
        return None
    venue = books.book.venue(sub_account)
    for (at, name), line in sorted(books.book.yields.products.items()):
        if at == venue and line.at(moment(day)) and line.values[0].asset == coin:
            return name
    return None


def accrued_yield(books: Doubtful) -> Iterator[Problem]:
    """Doubt a transaction that leaves less than nothing of accrued yield, once for each coin."""
    balances: dict[tuple[str, str], Decimal] = {}
    told = set[tuple[str, str]]()
    theirs = set(map(id, books.transactions))
    every = (entry for entry in books.every if isinstance(entry, Transaction))
    for date, of_date in groupby(every, key=lambda entry: entry.date):
        if day_of(date) > books.reading.last + 1:
            break  # what has accrued by then is not computed
        takes: dict[tuple[str, str], Transaction] = {}
        for entry in of_date:
            for posting in entry.postings:
                name, side = books.reading.chart.side(posting.account) or ("", None)
                if side is Side.ACCRUED_YIELD:
                    number, coin = units_of(posting)
                    tally(balances, (name, coin), number)
                    if id(entry) in theirs and number < 0:
                        takes[name, coin] = entry
        for key, entry in takes.items():
            if balances.get(key, ZERO) < 0 and key not in told:
                told.add(key)
                source, balance = source_of(entry.meta), decimal_text(balances[key])
                yield problems.accrued_below_zero(source, key[0], str(date), balance, key[1])


def unpriced(books: Doubtful) -> Iterator[Problem]:
    """Doubt a coin in a wallet that has no price, at the first transaction that brought it."""
    # With the margin pool a coin with collateral terms and without a price is an error already.
    book = books.book
    if Stage.MARGIN_POOL not in books.stages or not book.operating:
        return
    held: dict[tuple[str, str], Decimal] = {}
    first: dict[tuple[str, str], Transaction] = {}
    theirs = set(map(id, books.transactions))
    for entry in books.every:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            name, side = books.reading.chart.side(posting.account) or ("", None)
            if side is Side.WALLET:
                number, coin = units_of(posting)
                tally(held, (name, coin), number)
                if id(entry) in theirs and isinstance(entry, Transaction):
                    first.setdefault((name, coin), entry)
    prices = [quotes(entry for entry in books.every if isinstance(entry, Price)), book.quotes]
    told = {book.operating}
    for (name, coin), number in sorted(held.items()):
        place = (book.venue(name), coin) if name in book.sub_accounts else None
        if not number or coin in told or place is None or (name, coin) not in first:
            continue
        if place in book.collaterals or place in book.perpetuals or coin in book.worthless:
            continue
        if not any(table.at(coin, book.operating, END) for table in prices):
            told.add(coin)
            source = source_of(first[name, coin].meta)
            yield problems.held_without_price(source, name, coin, book.operating)


END = day_of(datetime.date.max)

RULES: tuple[Rule, ...] = (leaps, alike, yield_by_hand)

COMPUTED: tuple[Rule, ...] = (interest_by_hand, interest_by_nobody, accrued_yield, unpriced)
"""Rules about what was computed: with an error in the ledger it may be missing."""
