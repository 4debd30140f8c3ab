"""Imported text: the files of `imported/`, each under a header with the digest of what follows."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from beancount.parser import parser

from usance.feeding.downloads import IMPORTED, RefusedError
from usance.feeding.own_text import Own
from usance.language.provenance import DAILY, MONTH_FILE, POSTED
from usance.model.accounts import Side
from usance.model.hours import Day, day_at, iso
from usance.venues.drafts import Draft, written

HEADER = (
    '; Written by "usance import" from the folder downloads, and anew each time: what you add '
    "belongs elsewhere.\n"
)

ACCOUNTS = f"{IMPORTED}/accounts.beancount"
PRICES = f"{IMPORTED}/prices.beancount"
TERMS = f"{IMPORTED}/terms.beancount"

ENGINE = (Side.BORROWED, Side.INTEREST_EARNED, Side.INTEREST_PAID, Side.PNL, Side.FEES)
"""Accounts to which the engine posts too, perhaps before a row does."""

_NUMBER = r"-?\d+(\.\d+)?"
_COMMODITY = r"[A-Z][A-Z0-9-]*"
_PLAIN = re.compile(
    rf"""
      |;.*
      |\d{{4}}-\d\d-\d\d[ ]\*[ ]"[^"\\]*"
      |[ ][ ][a-z]+:[ ]("[^"\\]*"|\d+)
      |[ ][ ][A-Z][A-Za-z]*(:[A-Z][A-Za-z0-9-]*)+[ ][ ]{_NUMBER}[ ]{_COMMODITY}
       ([ ]\{{({_NUMBER}[ ]{_COMMODITY})?\}})?([ ]@@?[ ]{_NUMBER}[ ]{_COMMODITY})?""",
    re.ASCII | re.VERBOSE,
)
"""A line of a transaction that Beancount is known to take."""

_DIGEST = re.compile(rb"; digest: ([0-9a-f]{64})\n")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPENED = re.compile(r"\d{4}-\d\d-\d\d open (\S+)", re.ASCII)
_CLOSED = re.compile(r'(\d{4}-\d\d-\d\d) custom "day-close" ', re.ASCII)


def with_header(text: str) -> bytes:
    """Return the bytes of a file of `imported/`."""
    data = text.encode()
    return f"{HEADER}; digest: {hashlib.sha256(data).hexdigest()}\n".encode() + data


def is_as_written(data: bytes) -> bool:
    """Tell whether the digest of a file holds."""
    _, _, rest = data.partition(b"\n")
    match = _DIGEST.match(rest)
    if match is None or not data.startswith(HEADER.encode()):
        return False
    return hashlib.sha256(rest[match.end() :]).hexdigest().encode() == match[1]


def months(drafts: Iterable[Draft]) -> dict[str, str]:
    """Return the text of each month by its path; drafts are in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for month, part in groupby(drafts, key=lambda draft: iso(draft.day)[:7]):
        found[month] += map(written, part)
    return {
        f"{IMPORTED}/{month}.beancount": "\n" + "".join(texts).removesuffix("\n")
        for month, texts in found.items()
    }


def opens(own: Own, first: Mapping[tuple[str, str], Day]) -> str:
    """Return the text that opens the accounts that are posted to and that nobody opened.

    first  first day of each account and commodity
    """
    days: dict[str, Day] = {}
    for (account, _), day in first.items():
        days[account] = min(day, days.get(account, day))
    for name in {owner for account in days if (owner := own.chart.owner(account)) is not None}:
        # The engine posts to them too, perhaps before a row does, or before one that comes late:
        # an open that it wrote into a closed day could not be moved.
        start = day_at(own.sub_accounts[name].moments[0])
        for side in ENGINE:
            account = own.chart.account(name, side)
            days[account] = min(start, days.get(account, start))
    lines, closed = [], _found(own.folder, _OPENED)
    for account, day in days.items():
        owned = own.chart.side(account)
        side_ = None if owned is None else owned[1]
        if account in own.opens or account in closed or side_ is Side.ACCRUED_YIELD:
            continue  # the engine opens what it accrues to, whoever else posts there
        lines.append(f"{iso(day)} open {account}" + (' "FIFO"' if side_ is Side.PERP else ""))
    return "".join(f"{line}\n" for line in ("", *sorted(lines))) if lines else ""


def refuse_unreadable(path: str, text: str) -> None:
    """Refuse a text that Beancount does not read back: it would stop the whole ledger."""
    # Beancount takes ten times as long as all else. So only lines of other forms are shown to it.
    if all(map(_PLAIN.fullmatch, text.split("\n"))):
        return
    _, errors, _ = parser.parse_string(text, report_filename=path)
    if errors:
        at = errors[0].source["lineno"]
        line = "".join(text.splitlines()[at - 1 : at])
        raise RefusedError(
            f"{path} would not be read back at line {at}: {errors[0].message}. Report the row of "
            f"{line[:80]!r}."
        )


# What changes


def closed_days(folder: Path) -> set[str]:
    """Return the days that are closed, as dates, by the months of closed days of a ledger."""
    return _found(folder, _CLOSED)


def _found(folder: Path, pattern: re.Pattern[str]) -> set[str]:
    """Return what a pattern finds in the lines of the months of closed days of a ledger."""
    posted = folder / POSTED
    if not posted.is_dir():
        return set()
    # A compacted month says of each day in the file of its days alone that it is closed.
    paths = [*posted.iterdir(), *posted.glob(f"{DAILY}/*")]
    months_ = [path for path in paths if MONTH_FILE.fullmatch(path.name)]
    return {
        match[1]
        for path in months_
        for line in path.read_text("utf-8", errors="replace").splitlines()
        if (match := pattern.match(line))
    }


def changed_days(old: bytes, new: bytes) -> set[str]:
    """Return the dates whose directives or rows are not alike in two texts."""
    before, after = _by_day(old), _by_day(new)
    return {day for day in before.keys() | after.keys() if before.get(day) != after.get(day)}


def _by_day(data: bytes) -> dict[str, list[str]]:
    """Return the lines of each date; a line that begins with none belongs to the one above it."""
    found: dict[str, list[str]] = defaultdict(list)
    day = ""
    for line in data.decode(errors="replace").splitlines():
        match = _DATE.match(line)
        day = match[0] if match else day
        if day and line:
            found[day].append(line)
    return found
