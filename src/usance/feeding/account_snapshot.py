"""Snapshot of an account: five answers, between which no quantity moved, and when they came."""

import datetime
import json
from collections.abc import Mapping

from usance.feeding import downloads
from usance.feeding.downloads import SNAPSHOT, TAKEN
from usance.feeding.fetched import Account, Run
from usance.feeding.pacing import SECOND
from usance.feeding.reader import Answer, UnreadableError
from usance.venues.backpack import endpoints
from usance.venues.backpack.endpoints import COLLATERAL, QUANTITIES

READINGS_MAX = 3

_NAME = "%Y-%m-%dT%H%M%SZ"


def last_taken(run: Run, account: Account) -> datetime.datetime | None:
    """Return when the newest snapshot was taken, or None if there is none."""
    parts = account.folder.relative_to(run.root).parts
    found = [
        _moment(path.parent.name)
        for path in downloads.files(run.root, *parts, SNAPSHOT)
        if path.name == TAKEN
    ]
    return max((moment for moment in found if moment is not None), default=None)


def take(run: Run, account: Account) -> tuple[str, bool]:
    """Store a snapshot; return its place from the ledger's folder, and if nothing moved."""
    for _ in range(READINGS_MAX):
        moment, answers, stable = _read(run, account)
        if stable:
            break
    folder = account.folder / SNAPSHOT / moment.strftime(_NAME)
    draft = downloads.draft_of(folder)
    said = {"taken": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    for name, text in {**answers, TAKEN.removesuffix(".json"): json.dumps(said)}.items():
        run.keep(draft / f"{name}.json", text)
    downloads.put(run.root, draft, folder, run.disk)
    if not stable:
        run.notes.append(
            f"{account.feed.sub_account}: quantities moved while the snapshot was taken; a line "
            "may differ until the next one"
        )
    return downloads.place(run.root, folder), stable


def _read(run: Run, account: Account) -> tuple[datetime.datetime, dict[str, str], bool]:
    """Return the moment and the texts of the five answers, and if nothing moved meanwhile."""
    before, _ = _collateral(run, account)
    answers = {
        name: run.pacing.get(account.reader, path, {}, lambda _, answer: answer.text)
        for name, path in endpoints.SNAPSHOT.items()
        if path != COLLATERAL
    }
    moment = run.pacing.clock.now()
    after, text = _collateral(run, account)
    at = datetime.datetime.fromtimestamp(moment // SECOND, datetime.UTC)
    return at, {"collateral": text, **answers}, before == after


def _collateral(run: Run, account: Account) -> tuple[list[tuple[object, ...]], str]:
    return run.pacing.get(account.reader, COLLATERAL, {}, _quantities)


def _quantities(found: object, answer: Answer) -> tuple[list[tuple[object, ...]], str]:
    """Return the quantities of each coin in an answer, and its text."""
    rows = found.get("collateral") if isinstance(found, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableError('it has no list "collateral"')
    quantities = [tuple(str(row.get(name)) for name in QUANTITIES) for row in rows]
    return sorted(quantities), answer.text


def _moment(name: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(name, _NAME).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
