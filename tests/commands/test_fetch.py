"""`usance fetch` as a person runs it: over a connection, with a signature, against a fake venue."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fake_venue
import pytest
from click.testing import CliRunner, Result
from fake_venue import Account, FakeVenue
from fetching_books import FEED, FILLS, KEYS, MAIN, fills

from usance.cli import main


@pytest.fixture
def venue() -> Iterator[FakeVenue]:
    with FakeVenue({MAIN.key: Account({FILLS: fills(1500)})}) as server:
        yield server


@pytest.fixture
def ledger(tmp_path: Path, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with a feed, whose keys and venue the variables name."""
    path = tmp_path / "books" / "main.beancount"
    path.parent.mkdir()
    path.write_text(FEED)
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("USANCE_BACKPACK_URL", venue.url)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fetch", "main.beancount", *arguments])


def test_the_answer_for_a_program(ledger: Path, venue: FakeVenue) -> None:
    result = run("--format", "json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert list(answer) == ["fetched", "snapshots", "stable", "notes"]
    assert answer["fetched"][0] == {
        "venue": "backpack",
        "sub_account": "Main",
        "feed": "fills",
        "rows": 1500,
        "new": 1500,
        "pages": 2,
    }
    [snapshot] = answer["snapshots"]
    assert (ledger.parent / snapshot / "taken.json").is_file()
    assert answer["stable"] is True
    assert venue.wrong == []


def test_the_answer_for_a_person(ledger: Path) -> None:
    del ledger
    result = run()
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["Main", "fills", "1,500", "1,500", "2"] in lines
    assert result.stdout.splitlines()[-1].startswith("Snapshot: downloads/backpack/Main/snapshot/")
    assert result.stderr == (
        "note: SOL_USDC_PERP: the venue has no market SOL_USDC_PERP; write its price.\n"
    )


def test_pages_are_those_of_the_venue_byte_for_byte(ledger: Path) -> None:
    run()
    folder = ledger.parent / "downloads" / "backpack" / "Main" / "fills"
    assert sorted(path.name for path in folder.iterdir()) == ["000000000.json", "000001000.json"]
    last = (folder / "000001000.json").read_bytes()
    assert last == json.dumps(fills(1500)[1000:], separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--url", "http://example.com"], "would send what you fetch in the open"),
        (["--format", "csv"], "'csv' is not one of 'table', 'json'"),
    ],
)
def test_wrong_usage_exits_2(ledger: Path, arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not (ledger.parent / "downloads").exists()


def test_an_address_in_a_variable_is_checked_as_well(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USANCE_BACKPACK_URL", "http://example.com")
    result = run()
    assert result.exit_code == 1
    assert "would send what you fetch in the open" in result.stderr
    assert not (ledger.parent / "downloads").exists()


def test_a_missing_key_is_said_before_anything_is_asked(
    ledger: Path, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("USANCE_BACKPACK_MAIN_KEY")
    monkeypatch.delenv("USANCE_BACKPACK_MAIN_SECRET")
    result = run("--keys", str(tmp_path / "none.toml"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no key for sub-account Main of backpack.")
    assert venue.log == []
    assert not (ledger.parent / "downloads").exists()


def test_a_refused_key_exits_1_at_the_first_answer(ledger: Path, venue: FakeVenue) -> None:
    del ledger
    venue.always = fake_venue.refused(401)
    result = run()
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The venue refuses the key of sub-account Main (GET ")
    assert len(venue.log) == 1
    assert result.stdout == ""


def test_giving_up_exits_1_and_says_the_path(
    ledger: Path, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usance.feeding.pacing.NO_ANSWER", (0, 0, 0, 0))
    venue.faults.extend([None, *[fake_venue.cut()] * 5])
    result = run()
    assert result.exit_code == 1
    assert f"GET {FILLS}: given up, no connection, or it was cut" in result.stderr
    folder = ledger.parent / "downloads" / "backpack" / "Main" / "fills"
    assert [path.name for path in folder.iterdir()] == ["000000000.json"]


def test_a_redirect_is_not_followed(ledger: Path, venue: FakeVenue) -> None:
    del ledger
    with FakeVenue({}) as elsewhere:
        venue.always = fake_venue.redirect(elsewhere.url)
        result = run()
    assert result.exit_code == 1
    assert "leads elsewhere and is not followed" in result.stderr
    assert elsewhere.log == []


def test_without_the_library_it_says_what_to_install(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del ledger
    monkeypatch.setitem(sys.modules, "ccxt", None)
    result = run()
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: fetch needs the library ccxt. Install it: pip install "usance[backpack]"\n'
    )


def test_a_feed_of_another_venue_is_a_note(ledger: Path, venue: FakeVenue) -> None:
    ledger.write_text(FEED.replace('"backpack"', '"bybit"'))
    result = run("--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "fetched": [],
        "snapshots": [],
        "stable": True,
        "notes": ["Main: fetch does not know bybit; import the files that it exports"],
    }
    assert venue.log == []


def test_control_c_keeps_what_came(ledger: Path, venue: FakeVenue) -> None:
    """A process of its own: the second page does not come, and a person gives up waiting."""
    venue.faults.extend([None, fake_venue.slow(5)])
    command = [sys.executable, "-c", "from usance.cli import main; main()", "fetch"]
    process = subprocess.Popen(
        [*command, str(ledger)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while len(venue.log) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert err.strip() == "Aborted!"
    folder = ledger.parent / "downloads" / "backpack" / "Main" / "fills"
    assert [path.name for path in folder.iterdir()] == ["000000000.json"]
    assert run().exit_code == 0
    assert len(list(folder.iterdir())) == 2
