"""Spelling: doubts about names that are a letter or two from one of ours."""

import datetime
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from beancount.core.data import Commodity, Open, Transaction

from usance.language.directive import COIN, source_of
from usance.language.doubtful import Doubtful, Rule
from usance.language.schedule import KEYS
from usance.model import periods, problems
from usance.model.accounts import PERSONAL
from usance.model.feeds import VENUES
from usance.model.problems import Problem

CLOCK = re.compile(r"\d\d?:\d\d(:\d\d)?", re.ASCII)


def edits(one: str, other: str) -> int:
    """Return the letters to write, leave out, replace or swap with the next to get the other."""
    above: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, last, row = row, above, [i]
        for j, wanted in enumerate(other, 1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]


def nearest(name: str, names: Iterable[str], most: int) -> str:
    """Return another name that is at most some letters away, the nearest one, or an empty text."""
    near = [(edits(name, other), other) for other in names if abs(len(name) - len(other)) <= most]
    letters, other = min(near, default=(0, ""))
    return other if 0 < letters <= most else ""


def kinds(books: Doubtful) -> Iterator[Problem]:
    """Doubt custom directives with a kind like one of ours."""
    for entry in books.customs:
        if entry.type not in KEYS:
            kind = entry.type.lower().replace("_", "-").replace(" ", "-")
            # A long name may have three: "accrue-thru" is a usual way to write "accrue-through".
            near = kind if kind in KEYS else nearest(kind, KEYS, min(3, len(kind) // 3))
            if near:
                yield problems.near_kind(source_of(entry.meta), entry.type, near)


def keys(books: Doubtful) -> Iterator[Problem]:
    """Doubt keys like one of ours, if their value is one that ours may have."""
    for entry in books.written:
        match entry:
            case Transaction() if _is_ours(books, entry):
                yield from _keys(entry, "transaction", OURS, of_others=OF_FEEDS)
                yield from _of_postings(entry)
            case Commodity():
                what = f"commodity {entry.currency}"
                yield from _keys(entry, what, ("quantum", "stale-after", "maturity", *VENUES))


OURS = ("time", "pays", "contract")
"""The keys that a person writes on a transaction, and that we read."""

OF_FEEDS = (*VENUES, "order", "rows", "system")
"""The keys that `usance import` writes on a transaction beside those."""


def _keys(
    entry: Transaction | Commodity,
    what: str,
    ours: tuple[str, ...],
    of_others: tuple[str, ...] = (),
) -> Iterator[Problem]:
    for key, value in entry.meta.items():
        if key not in BEANCOUNTS and key not in ours and key not in of_others:
            near = nearest(key, ours, 2)
            if near and near not in entry.meta and _fits(near, value):
                yield problems.near_key(source_of(entry.meta), what, key, near)


BEANCOUNTS = ("filename", "lineno", "__tolerances__")


def _of_postings(entry: Transaction) -> Iterator[Problem]:
    """Doubt keys of a transaction that stand below a posting: Beancount gives them to that."""
    for posting in entry.postings:
        for key in OURS:
            value = posting.meta and posting.meta.get(key)
            if value and key not in entry.meta and _fits(key, value):
                yield problems.key_of_posting(source_of(entry.meta), key, posting.account)


def _fits(key: str, value: object) -> bool:
    """Tell whether a value may be that of one of our keys."""
    match key, value:
        case "time", str():
            return CLOCK.fullmatch(value) is not None
        case "pays", str():
            return periods.named(value.rpartition(" ")[2]) is not None
        case "contract", str():
            return COIN.match(value) is not None
    return isinstance(value, TYPES.get(key, ()))


TYPES: dict[str, type] = {"quantum": Decimal, "stale-after": Decimal, "maturity": datetime.date}
TYPES |= dict.fromkeys(VENUES, str)
"""The type of each key of a commodity."""


def _is_ours(books: Doubtful, entry: Transaction) -> bool:
    chart = books.reading.chart
    return any(chart.owner(posting.account) is not None for posting in entry.postings)


def accounts(books: Doubtful) -> Iterator[Problem]:
    """Doubt accounts like those of a sub-account, and a sub-account that only these are like."""
    chart = books.reading.chart
    used, strays = set[str](), dict[str, Open | Transaction]()
    for entry in books.written:
        match entry:
            case Transaction():
                names = [posting.account for posting in entry.postings]
                used |= {chart.owner(name) or "" for name in names}
            case Open():
                names = [entry.account]
            case _:
                continue
        for name in names:
            if name.rpartition(":")[2] in LAST_PARTS and chart.owner(name) is None:
                strays.setdefault(name, entry)
    # One sub-account, one doubt: at its directive if nothing else is posted to it.
    told = set[str]()
    roots = {line.values[0].root: name for name, line in books.book.sub_accounts.items()}
    for account, entry in strays.items():
        root = account.rpartition(":")[0]
        near = nearest(root, roots, 2)
        if near and roots[near] in used:
            yield problems.near_account(source_of(entry.meta), account, near)
        elif near and near not in told:
            told.add(near)
            source = books.book.sub_accounts[roots[near]].values[0].source
            yield problems.unused_sub_account(source, roots[near], near, root)


LAST_PARTS = {below for belows in PERSONAL.values() for below in belows}

RULES: tuple[Rule, ...] = (kinds, keys, accounts)
