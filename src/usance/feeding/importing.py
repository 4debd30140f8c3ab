"""Importing: the downloads of a ledger as its text, written anew each time.

What is written is a function of the downloads and of what a person wrote. Nothing is written
unless everything can be read.
"""

import contextlib
import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from usance.feeding import downloads, imported_text
from usance.feeding.downloads import DOWNLOADS, FILES, IMPORTED, RefusedError
from usance.feeding.fed_accounts import account_of, by_owner, first_days, refuse_other_hands
from usance.feeding.imported_text import ACCOUNTS
from usance.feeding.own_text import Own, own
from usance.feeding.public_text import public_text
from usance.feeding.rates_text import refuse_edited
from usance.feeding.stored import Read, Stored, read_page, stored
from usance.feeding.tables import Table, Unit, prices_table, rates_table
from usance.language.provenance import MONTH_FILE
from usance.ledger.disk import Disk
from usance.model.feeds import Feed
from usance.model.hours import Day
from usance.venues.books import Posted
from usance.venues.numbers import Misread
from usance.venues.posting import post

OURS = ("accounts.beancount", "prices.beancount", "terms.beancount")
"""Files of `imported/` that are written besides the months."""


class FeedNeededError(Exception):
    """Files were named, and which feed they are of is not told; its text says what to write."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    files      files to store first
    name       sub-account of their feed, or None if there is one feed alone
    table      a table of rates or prices to store first
    dry_run    write nothing
    overwrite  also write files of `imported/` that somebody edited
    """

    files: Sequence[Path] = ()
    name: str | None = None
    table: Table | None = None
    dry_run: bool = False
    overwrite: bool = False


@dataclass
class _Plan:
    """What a run writes: bytes by path from the ledger's folder; None: the file is removed."""

    stores: dict[str, bytes] = field(default_factory=dict)
    changes: dict[str, bytes | None] = field(default_factory=dict)


def import_(ledger: str | Path, request: Request, wait: Callable[[], None]) -> dict[str, Any]:
    """Write the text of a ledger's downloads; return the answer of the command.

    wait  called once if another run holds the folders
    RefusedError for what stops the import, FeedNeededError if a file's feed is not told.
    """
    path = Path(ledger).absolute()
    lock = contextlib.nullcontext() if request.dry_run else downloads.held(path.parent, wait)
    with lock, _uncollected():
        owned = own(path)
        if not owned.feeds and request.table is None:
            raise RefusedError(
                f"{path.name} has no feed. Write one, such as\n"
                '  2025-06-01 custom "feed" "Main" "backpack"\n    outside: Assets:Bank'
            )
        plan = _Plan()
        feeds = {name: _stored(owned, name, request, plan) for name in sorted(owned.feeds)}
        posted = _posted(owned, feeds)
        first = first_days(posted.drafts)
        refuse_other_hands(owned, first)
        wanted = _texts(owned, posted, first, request.table, plan)
        if not request.overwrite:
            refuse_edited(owned.folder, wanted)
        late = _compare(owned, wanted, request, plan)
        if not request.dry_run:
            _write(owned, plan)
    return _answer(posted, plan, late)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: the many rows are all alive, and to search them takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# Rows


def _stored(owned: Own, name: str, request: Request, plan: _Plan) -> Stored:
    """Return the rows of a feed, with those of the files that are named for it."""
    feed, more = owned.feeds[name], list[Read]()
    if request.files and name == _target(owned, request.name):
        more = [_named(owned, feed, file, plan) for file in request.files]
    return stored(owned.folder, feed, [one for one in more if one.name in plan.stores])


def _target(owned: Own, name: str | None) -> str:
    """Return the sub-account of the feed that files are of."""
    names = ", ".join(sorted(owned.feeds))
    if name is None:
        if len(owned.feeds) > 1:
            raise FeedNeededError(f"There are several feeds. Say which one with --as: {names}.")
        return next(iter(owned.feeds))
    if name not in owned.feeds:
        raise FeedNeededError(f"--as {name!r} is no sub-account with a feed. Write {names}.")
    return name


def _named(owned: Own, feed: Feed, file: Path, plan: _Plan) -> Read:
    """Check a file that a person named; it is to be stored, unless its bytes already are."""
    data = named(file)
    page = read_page(feed, str(file), data).page
    name = f"{hashlib.sha256(data).hexdigest()[:16]}{file.suffix.lower()}"
    parts = (feed.venue, feed.sub_account, FILES, name)
    place = "/".join((DOWNLOADS, *parts))
    if not owned.folder.joinpath(place).exists():
        plan.stores[place] = data
    return Read(place, page)


def named(file: Path) -> bytes:
    """Return the bytes of a file that a person names; RefusedError if it is none."""
    real = file.resolve()
    try:
        return downloads.read(real.parent, real)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}. Write the path of a file.") from error


def rates_of(file: Path, coin: str, unit: Unit, columns: Mapping[str, str]) -> Table:
    """Return the table of rates in a file, as of `tables.rates_table`; RefusedError if none."""
    with _told_of(file):
        return rates_table(named(file), coin, unit, columns)


def prices_of(file: Path, commodity: str, currency: str, columns: Mapping[str, str]) -> Table:
    """Return the table of prices in a file, as of `tables.prices_table`; RefusedError if none."""
    with _told_of(file):
        return prices_table(named(file), commodity, currency, columns)


@contextlib.contextmanager
def _told_of(file: Path) -> Iterator[None]:
    try:
        yield
    except Misread as error:
        raise RefusedError(f"{file}: {error}.") from error


def _posted(owned: Own, feeds: Mapping[str, Stored]) -> Posted:
    """Return what becomes of all rows."""
    accounts = [account_of(owned, name, found.rows) for name, found in feeds.items()]
    try:
        posted = post(accounts)
    except Misread as error:
        raise RefusedError(f"{error}.") from error
    for found in feeds.values():
        posted.ignored += found.looked_at
        posted.findings[:0] = found.findings
    return posted


# Files


def _texts(
    owned: Own,
    posted: Posted,
    first: Mapping[tuple[str, str], Day],
    table: Table | None,
    plan: _Plan,
) -> dict[str, bytes]:
    """Return the bytes of all files that the downloads make, by path from the ledger's folder."""
    if table is not None:
        plan.stores["/".join((DOWNLOADS, *table.parts))] = table.data
    public = public_text(owned, by_owner(owned, first), table)
    posted.findings += public.findings
    texts = imported_text.months(posted.drafts)
    if accounts := imported_text.opens(owned, first):
        texts[ACCOUNTS] = accounts
    found = {path: text.encode() for path, text in public.files.items()}
    for path, text in (texts | public.files).items():
        if path.startswith(f"{IMPORTED}/"):
            found[path] = imported_text.with_header(text)
    return found


def _compare(owned: Own, wanted: Mapping[str, bytes], request: Request, plan: _Plan) -> list[str]:
    """Add to the plan what changes; return the closed days that it changes."""
    disk, closed, days = Disk(), imported_text.closed_days(owned.folder), set[str]()
    there = _there(owned.folder, disk)
    for path in sorted(there.keys() | wanted.keys()):
        old = there[path] if path in there else disk.read(owned.folder / path)
        new = wanted.get(path)
        if old == (new or b"") and path in wanted:
            continue
        if path in there and not request.overwrite and not imported_text.is_as_written(old):
            raise RefusedError(
                f"{path} was edited, and would be written anew. Move what you added elsewhere, and "
                "use --overwrite."
            )
        if new is not None and path.startswith(f"{IMPORTED}/"):
            imported_text.refuse_unreadable(path, new.decode())
        plan.changes[path] = new
        if closed and path != ACCOUNTS:
            days |= imported_text.changed_days(old, new or b"")
    return sorted(days & closed)


def _there(folder: Path, disk: Disk) -> dict[str, bytes]:
    """Return the files of `imported/` that a run wrote, by path."""
    names = [
        path.name
        for path in downloads.files(folder / IMPORTED)
        if path.parent == folder / IMPORTED
        and (MONTH_FILE.fullmatch(path.name) or path.name in OURS)
    ]
    return {f"{IMPORTED}/{name}": disk.read(folder / IMPORTED / name) for name in names}


def _write(owned: Own, plan: _Plan) -> None:
    """Write: what is stored first, so that what is made of it can be made again."""
    disk = Disk()
    for path, data in [*plan.stores.items(), *plan.changes.items()]:
        root = owned.folder / path.partition("/")[0]
        if data is None:
            downloads.remove(root, owned.folder / path, disk)
        else:
            downloads.write(root, owned.folder / path, data, disk)


def _answer(posted: Posted, plan: _Plan, late: list[str]) -> dict[str, Any]:
    """Return the answer of the command, as docs/feeding.md has it."""
    return {
        "rows": _counts(posted.rows),
        "booked": _counts(posted.booked),
        "checked": _counts(posted.checked),
        "ignored": _counts(posted.ignored),
        "files": sorted(plan.changes),
        "late": late,
        "findings": list(dict.fromkeys(posted.findings)),
    }


def _counts(found: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(found.items()) if count}
