"""Runs that end early: the next one ends in the same files, and nothing is half there.

And what no run may do: show a secret, or follow a link.
"""

import json
import multiprocessing
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import fake_venue
import operations
import pytest
from click.testing import CliRunner
from fake_venue import Account, Asked, FakeVenue, Reply
from fetching_books import DEPOSITS, FEED, FILLS, KEYS, MAIN, Fed, at, deposit, fill, fills
from operations import Killed, Operations, counted

from usance.cli import main
from usance.feeding import account_pages
from usance.feeding.downloads import RefusedError, held
from usance.feeding.pacing import FetchError

POOL = '2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n'


@pytest.fixture(autouse=True, scope="module")
def small_and_fast() -> Iterator[None]:
    """Let a full page have three rows instead of 1,000, and nobody wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account_pages, "LIMIT", 3)
        patch.setattr(os, "fsync", lambda _: None)
        for name in ("mkdir", "rename", "rmdir"):
            patch.setitem(operations.COUNTED, name, os)
        yield


def market(path: str, params: dict[str, str], now: int) -> Any:  # noqa: ANN401
    """Say what everybody is told."""
    del params, now
    if path == "/api/v1/markets":
        return [{"symbol": "SOL_USDC_PERP"}]
    if path == "/api/v1/klines":
        return [{"start": "2025-06-16 00:00:00", "close": "150"}]
    return [{"symbol": "SOL", "timestamp": "2025-06-16T23:00:00.000Z"}]


def books(folder: Path, late: int | None = None, downloads: Path | None = None) -> Fed:
    """Return books of which some rows are stored, and of a venue that has more since.

    late       where a row has come in late, or None
    downloads  what is stored, if it is not to be fetched
    """
    rows = fills(5)
    history = {FILLS: rows, DEPOSITS: [deposit(1, "2025-05-03T10:00:00.000", "pending")]}
    made = Fed.made(folder, {MAIN.key: Account(history)}, FEED + POOL)
    made.venue.public = market
    if downloads is None:
        made.fetch()
    else:
        shutil.copytree(downloads, made.downloads)
    rows += [fill(number) for number in range(5, 10)]
    if late is not None:
        rows.insert(late, fill(50))
    history[DEPOSITS][0]["status"] = "confirmed"
    made.time.now += 86_400_000
    made.said.clear()
    made.venue.log.clear()
    return made


def drafts(made: Fed) -> list[str]:
    """Return what a run has left that is no whole file."""
    return [path.name for path in made.downloads.rglob("*") if path.name.startswith(".")]


def union(made: Fed) -> set[int]:
    """Return the trades that are there, in whatever page."""
    folder = made.downloads / "backpack/Main/fills"
    return {
        row["tradeId"] for path in folder.glob("0*.json") for row in json.loads(path.read_bytes())
    }


LATE = [None, 0, 4]


class Whole(NamedTuple):
    """Where a row comes late, what is stored before, what an unbroken run asks and ends in."""

    late: int | None
    stored: Path
    paths: list[str]
    kept: dict[str, list[bytes]]

    def books(self, folder: Path) -> Fed:
        return books(folder, self.late, self.stored)


@pytest.fixture(scope="module", params=LATE, ids=["new rows", "a late row", "a late last page"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    before = books(folder / "before", request.param)
    after = books(folder / "after", request.param, before.downloads)
    after.fetch()
    return Whole(request.param, before.downloads, after.venue.paths(), after.kept())


def stop(error: type[BaseException]) -> fake_venue.Fault:
    def stopped(_: Asked, __: Reply) -> Reply:
        raise error

    return stopped


def test_a_run_that_is_interrupted_at_any_request_keeps_what_came_and_the_next_one_goes_on(
    whole: Whole, tmp_path: Path
) -> None:
    for number in range(len(whole.paths)):
        made = whole.books(tmp_path / str(number))
        made.venue.faults.extend([*[None] * number, stop(KeyboardInterrupt)])
        with pytest.raises(KeyboardInterrupt):
            made.fetch()
        assert set(range(5)) <= union(made)
        made.venue.faults.clear()
        made.fetch()
        assert made.kept() == whole.kept
        assert drafts(made) == []


def test_what_came_before_the_end_is_kept(tmp_path: Path) -> None:
    made = books(tmp_path)
    made.venue.faults.extend([None, None, *[fake_venue.cut()] * 5])
    with pytest.raises(FetchError, match=f"GET {FILLS}: given up, no connection, or it was cut"):
        made.fetch()
    assert union(made) == set(range(9))


CHANGES = {"create", "write", "fsync", "fsync of the folder", "replace", "unlink"}
CHANGES |= {"mkdir", "rename", "rmdir"}


def test_a_run_that_is_killed_at_any_file_operation_leaves_nothing_half_done(
    whole: Whole, tmp_path: Path
) -> None:
    unbroken = whole.books(tmp_path / "counted")
    with counted(Operations()) as seen:
        unbroken.fetch()
    numbers = [number for number, name in enumerate(seen.seen, 1) if name in CHANGES]
    assert {seen.seen[number - 1] for number in numbers} >= {"create", "write", "mkdir", "replace"}
    for number in numbers:
        made = whole.books(tmp_path / str(number))
        with counted(Operations(number)), pytest.raises(Killed):
            made.fetch()
        assert set(range(5)) <= union(made)
        for path in made.downloads.rglob("*.json"):
            assert path.parts[-2].startswith(".") or path.name.startswith(".") or _is_whole(path)
        for folder in (made.downloads / "backpack/Main/snapshot").iterdir():
            assert folder.name.startswith(".") or len(list(folder.iterdir())) == 6
        made.fetch()
        assert made.kept() == whole.kept
        assert drafts(made) == []


def _is_whole(path: Path) -> bool:
    return json.loads(path.read_bytes()) is not None


def _first(folder: Path, ready: Event) -> None:
    with held(folder, lambda: None):
        ready.set()
        time.sleep(1)


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    made = books(tmp_path)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    first = context.Process(target=_first, args=(tmp_path, ready))
    first.start()
    assert ready.wait(30)
    made.fetch()
    first.join(30)
    assert made.said[0] == "Another run is writing. Waiting for it."


# Links


@pytest.mark.parametrize(
    "below",
    [
        "backpack",
        "backpack/Main",
        "backpack/Main/fills",
        "backpack/Main/fills/000000003.json",
        "backpack/Main/deposits",
        "backpack/Main/deposits/2025-06.json",
        "backpack/Main/snapshot",
        "backpack/public",
        "backpack/public/markets",
    ],
)
def test_a_link_below_downloads_is_refused(below: str, tmp_path: Path) -> None:
    made = books(tmp_path / "books")
    path = made.downloads / below
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    before = {one: one.read_bytes() for one in tmp_path.rglob("elsewhere/**/*") if one.is_file()}
    with pytest.raises(RefusedError, match=f"downloads/{below} is a link"):
        made.fetch()
    after = {one: one.read_bytes() for one in tmp_path.rglob("elsewhere/**/*") if one.is_file()}
    assert after == before


# Secrets


Say = Callable[[FakeVenue], None]


def _echoes(server: FakeVenue) -> None:
    server.always = fake_venue.echo(400)


def _refuses(server: FakeVenue) -> None:
    server.always = fake_venue.echo(401)


def _echoes_slowly(server: FakeVenue) -> None:
    server.faults.extend([fake_venue.echo(500), fake_venue.echo(429), fake_venue.html])


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("say", [_echoes, _refuses, _echoes_slowly, lambda _: None])
def test_no_file_output_or_error_shows_a_secret(
    say: Say, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Fed.made(tmp_path / "books", {MAIN.key: Account({FILLS: fills(2)})})
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for waits, count in (("TOO_MANY", 6), ("NO_ANSWER", 4), ("UNREADABLE", 2)):
        monkeypatch.setattr(f"usance.feeding.pacing.{waits}", (0,) * count)
    with made.venue as server:
        say(server)
        command = ["fetch", str(made.folder / "main.beancount"), "--url", server.url]
        result = CliRunner().invoke(main, [*command, "--format", form])
        signatures = [asked.headers.get("x-signature", MAIN.key) for asked in server.log]
    shown = result.output.encode()
    if result.exc_info is not None:
        shown += "".join(traceback.format_exception(*result.exc_info)).encode()
    assert shown
    for path in tmp_path.rglob("*"):
        shown += str(path).encode()
        if path.is_file():
            shown += path.read_bytes()
    for secret in (MAIN.key, MAIN.secret, *signatures):
        assert secret.encode() not in shown


def test_a_secret_is_found_where_it_is(tmp_path: Path) -> None:
    """The search above can fail."""
    (tmp_path / "file").write_text(MAIN.secret)
    assert MAIN.secret.encode() in (tmp_path / "file").read_bytes()
    assert at(1970, 1, 1) == 0
