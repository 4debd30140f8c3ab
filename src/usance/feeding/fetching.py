"""Fetching: what a venue says of the feeds of a ledger, stored byte for byte.

First the private feeds, so that a key that is refused ends the run at its first answer; then what
the venue says to everybody; the snapshots last. Whatever ends a run, what came is kept, and the
next run goes on and ends in the same files.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from usance.feeding import account_snapshot, ccxt_reader, downloads
from usance.feeding.account_months import fetch_months
from usance.feeding.account_pages import fetch_pages
from usance.feeding.downloads import DOWNLOADS, RefusedError
from usance.feeding.fetched import Account, Fetched, Run
from usance.feeding.keys import Key, keys
from usance.feeding.own_text import Own
from usance.feeding.pacing import SYSTEM, Clock, FetchError, Pacing, RefusedKeyError
from usance.feeding.public_answers import fetch_public
from usance.feeding.reader import Reader
from usance.feeding.symbols_in_use import symbols_in_use
from usance.ledger.disk import Disk
from usance.model.feeds import Feed
from usance.model.hours import date_of
from usance.venues.backpack.endpoints import (
    ALL_SETTLEMENTS,
    MONTHLY,
    PAGED,
    SETTLEMENTS,
    URL,
    VENUE,
)

URL_VARIABLE = "USANCE_BACKPACK_URL"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be fetched.

    sub_accounts     whose feeds; all if there are none
    key_file         file of keys that was asked for, or None
    url              address of the venue that was asked for, or None
    all_settlements  every settlement, and not only those that no other feed says
    """

    sub_accounts: Collection[str] = ()
    key_file: Path | None = None
    url: str | None = None
    all_settlements: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What fetching knows of the world around it.

    environment  variables, which may hold keys
    say          tells a person about long work
    reader       opens a reader for a key, or for what is public, at an address
    """

    environment: Mapping[str, str]
    say: Callable[[str], None]
    clock: Clock = SYSTEM
    reader: Callable[[Key | None, str], Reader] = ccxt_reader.reader
    disk: Disk = Disk()  # noqa: RUF009 - it has no state


def fetch(own: Own, request: Request, world: World) -> dict[str, Any]:
    """Fetch what the feeds of a ledger lack, and a snapshot of each; return the answer as JSON.

    RefusedError if something is wrong before the venue is asked, FetchError if it gives up.
    """
    feeds = _feeds(own, request.sub_accounts)
    known = [feed for feed in feeds if feed.venue == VENUE]
    notes = [
        f"{feed.sub_account}: fetch does not know {feed.venue}; import the files that it exports"
        for feed in feeds
        if feed.venue != VENUE
    ]
    if not known:
        return _answer([], [], notes, stable=True)
    url = request.url or world.environment.get(URL_VARIABLE) or URL
    found = keys(known, own.folder, request.key_file, world.environment)
    root = own.folder / DOWNLOADS
    accounts = [
        Account(feed, world.reader(found[feed.sub_account], url), root / VENUE / feed.sub_account)
        for feed in known
    ]
    everybody = world.reader(None, url)
    with downloads.held(own.folder, lambda: world.say("Another run is writing. Waiting for it.")):
        downloads.sweep(root)
        run = Run(root, world.disk, Pacing(world.clock, world.say), world.say, notes)
        fetched = [
            entry
            for account in accounts
            for entry in _account(run, account, all_settlements=request.all_settlements)
        ]
        since = date_of(min(feed.since for feed in known))
        fetch_public(run, everybody, VENUE, symbols_in_use(own, root, known), since)
        snapshots = [account_snapshot.take(run, account) for account in accounts]
    places = [place for place, _ in snapshots]
    return _answer(fetched, places, notes, stable=all(stable for _, stable in snapshots))


def _feeds(own: Own, names: Collection[str]) -> list[Feed]:
    """Return the feeds to fetch, in order of sub-account."""
    if not own.feeds:
        raise RefusedError(
            'The ledger has no feed. Write one, such as 2025-06-01 custom "feed" "Main" "backpack" '
            "with outside: Assets:Bank below it."
        )
    for name in names:
        if name not in own.feeds:
            known = ", ".join(sorted(own.feeds))
            raise RefusedError(f'No feed is of sub-account "{name}". Write one of: {known}.')
    return [feed for name, feed in sorted(own.feeds.items()) if not names or name in names]


def _account(
    run: Run, account: Account, *, all_settlements: bool
) -> Iterator[dict[str, str | int]]:
    """Fetch the private feeds of an account; yield what there is of each."""
    seen = account_snapshot.last_taken(run, account)
    settlements = ALL_SETTLEMENTS if all_settlements else SETTLEMENTS
    try:
        for name, endpoint in chain(PAGED.items(), settlements.items()):
            yield _entry(account, name, fetch_pages(run, account, name, endpoint))
        for name, endpoint in MONTHLY.items():
            yield _entry(account, name, fetch_months(run, account, name, endpoint, seen))
    except RefusedKeyError as error:
        raise FetchError(
            f"The venue refuses the key of sub-account {account.feed.sub_account} ({error}). Check "
            "that the key is of this sub-account, may read, and may be used from this address."
        ) from None


def _entry(account: Account, name: str, fetched: Fetched) -> dict[str, str | int]:
    return {
        "venue": account.feed.venue,
        "sub_account": account.feed.sub_account,
        "feed": name,
        **fetched._asdict(),
    }


def _answer(
    fetched: list[dict[str, str | int]], snapshots: list[str], notes: list[str], *, stable: bool
) -> dict[str, Any]:
    return {"fetched": fetched, "snapshots": snapshots, "stable": stable, "notes": notes}
