"""`usance daily`: its five steps against a venue, day by day."""

import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fake_venue import FakeVenue, refused
from simulated_books import LEDGER, environment, served, written
from simulated_months import ARB, MAIN, late_fill, q
from venue_simulator import HOUR, SECOND, Deposit, Scenario, Trade, Transfer, Venue, moment

from usance.cli import main
from usance.commands import accrue, daily, fetch, options
from usance.feeding.fetching import World
from usance.feeding.pacing import Clock

FIRST = moment("2025-11-01")
SOL = "SOL_USDC_PERP"
LATE = 49 * HOUR
"""When the deposit of the second day can be read: at 01:00 of the third."""

SCENARIO = Scenario(
    "2025-11-01",
    5,
    {"Main": MAIN, "Arb": ARB},
    [
        Deposit(FIRST + 8 * HOUR, "Main", "USDC", q("5000")),
        Transfer(FIRST + 9 * HOUR, "Main", "Arb", "USDC", q("1000")),
        Trade(FIRST + 10 * HOUR + SECOND, "Main", SOL, 1, q("20"), q("151")),
        Deposit(FIRST + LATE, "Main", "USDC", q("77.5"), created=FIRST + 33 * HOUR),
        Trade(FIRST + 60 * HOUR + SECOND, "Main", SOL, -1, q("12"), q("149")),
    ],
)
STEPS = ["fetch", "import", "accrue", "verify", "reconcile"]


@dataclass
class Books:
    """A ledger, the venue that feeds it, and the moment at which it is."""

    ledger: Path
    fake: FakeVenue
    patch: pytest.MonkeyPatch

    @property
    def folder(self) -> Path:
        return self.ledger.parent

    def at(self, text: str) -> None:
        """Make it a moment of November 2025."""
        now = moment(f"2025-11-{text}")
        self.fake.now = lambda: now
        clock = Clock(lambda: now, lambda _: None)
        self.patch.setattr(fetch, "World", partial(World, clock=clock))
        yesterday = datetime.date(2025, 11, int(text[:2]) - 1)
        for module in (accrue, daily, options):
            self.patch.setattr(module, "yesterday", lambda: yesterday)

    def run(self, *words: str, command: str = "daily") -> Any:  # noqa: ANN401
        return CliRunner().invoke(main, [command, str(self.ledger), *words], catch_exceptions=False)

    def steps(self) -> tuple[Any, dict[str, Any]]:
        """Run it; return the answer, and the answers of the steps."""
        answer = json.loads(self.run("--format", "json").stdout)
        return answer, {step["step"]: step["answer"] for step in answer["steps"]}

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    venue = Venue(SCENARIO)
    with served(venue) as fake:
        for name, value in environment(venue, fake.url).items():
            monkeypatch.setenv(name, value)
        found = Books(written(tmp_path / "books"), fake, monkeypatch)
        found.at("02 00:10:03")
        yield found
        assert fake.wrong == []


def test_each_step_prints_one_line_and_the_books_tie_out(books: Books) -> None:
    done = books.run()
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()] == STEPS
    assert re.search(r"^accrue +Posted 2025-11-01: \d+ transactions\.$", done.stdout, re.MULTILINE)
    assert re.search(r"^verify +Sound: 1 day, .* Head: [0-9a-f]{64}$", done.stdout, re.MULTILINE)
    assert re.search(r"^reconcile +\d+ lines agree, 0 do not\.$", done.stdout, re.MULTILINE)


def test_the_answer_is_that_of_each_command(books: Books) -> None:
    answer, steps = books.steps()
    assert answer["ok"] is True
    assert [(step["step"], step["ok"]) for step in answer["steps"]] == [(n, True) for n in STEPS]
    assert {"fetched", "snapshots", "stable", "notes"} == steps["fetch"].keys()
    assert steps["import"]["booked"]["fills"] == 1
    assert steps["accrue"]["posted"] == ["2025-11-01"]
    assert steps["verify"]["days"] == 1 and steps["verify"]["broken"] is None
    [arb, main_] = steps["reconcile"]["reconciled"]
    assert (arb["sub_account"], main_["sub_account"]) == ("Arb", "Main")
    for name in ("verify", "reconcile"):
        alone = json.loads(books.run("--format", "json", command=name).stdout)
        assert alone == steps[name]


def test_a_second_run_changes_nothing_but_the_newest_snapshot(books: Books) -> None:
    assert books.run().exit_code == 0
    before = books.files()
    books.at("02 00:10:04")
    answer, steps = books.steps()
    assert answer["ok"] is True
    after = books.files()
    assert {name: after[name] for name in before} == before
    assert all("/snapshot/2025-11-02T001004Z/" in name for name in after.keys() - before.keys())
    assert steps["import"]["files"] == [] and steps["accrue"]["posted"] == []


def test_a_run_that_was_missed_is_caught_up_with_the_same_bytes(books: Books) -> None:
    for day in ("02", "03", "04"):
        books.at(f"{day} 00:10:03")
        assert books.run().exit_code == 0
    daily_runs = books.files()
    for name in ("posted", "imported", "rates"):
        for path in (books.folder / name).glob("*"):
            if path.name != "first.beancount":
                path.unlink()
    assert books.run().exit_code == 0
    # The late row is in its place from the start, so the days are other ones, and all are closed.
    posted = (books.folder / "posted" / "2025-11.beancount").read_text()
    assert posted.count('custom "day-close"') == 3
    assert "day-correct" not in posted
    assert "day-correct" in daily_runs["posted/2025-11.beancount"].decode()
    for name, data in daily_runs.items():
        if name.startswith(("imported/", "rates/")):
            assert (books.folder / name).read_bytes() == data


def test_rows_that_come_late_are_corrected_on_the_first_open_day(books: Books) -> None:
    for day in ("02", "03"):
        books.at(f"{day} 00:10:03")
        assert books.run().exit_code == 0
    books.at("04 00:10:03")
    before = (books.folder / "posted" / "2025-11.beancount").read_bytes()
    done = books.run()
    assert done.exit_code == 0, done.output
    assert "Rows came late for 2025-11-02. Posted 2025-11-03:" in done.stdout
    assert "including 1 correction" in done.stdout
    assert "2025-11-02: added: 2025-11-02 09:00:00 transaction" in done.stderr
    after = (books.folder / "posted" / "2025-11.beancount").read_bytes()
    assert after.startswith(before)


def test_a_late_row_waits_where_the_first_open_day_is_today(books: Books) -> None:
    for moment_ in ("02 00:10:03", "03 00:10:03"):
        books.at(moment_)
        assert books.run().exit_code == 0
    books.at("03 14:00:00")
    posted = (books.folder / "posted" / "2025-11.beancount").read_bytes()
    for _ in range(2):
        done = books.run()
        assert done.exit_code == 0, done.output
        assert "Rows came late for 2025-11-02. Waiting until 2025-11-03 is over" in done.stdout
        assert (books.folder / "posted" / "2025-11.beancount").read_bytes() == posted
    books.at("04 00:10:03")
    answer, steps = books.steps()
    assert answer["ok"] is True
    assert steps["accrue"]["posted"] == ["2025-11-03"] and steps["accrue"]["corrections"] == 1


def test_a_closed_day_that_a_person_edits_stops_it_before_it_fetches(books: Books) -> None:
    assert books.run().exit_code == 0
    books.at("03 00:10:03")
    asked = len(books.fake.log)
    text = books.ledger.read_text()
    by_hand = (
        '2025-11-01 * "By hand"\n  Assets:Backpack:Main:Wallet  1 USDC\n  Assets:Bank  -1 USDC\n'
    )
    books.ledger.write_text(text + by_hand)
    before = books.files()
    done = books.run("--format", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"ok": False, "steps": []}
    assert "2025-11-01 is closed, but this has since been added" in done.stderr
    assert len(books.fake.log) == asked
    assert books.files() == before
    books.ledger.write_text(text)
    assert books.run().exit_code == 0


def test_imported_text_that_a_person_edits_stops_it_before_it_fetches(books: Books) -> None:
    assert books.run().exit_code == 0
    asked = len(books.fake.log)
    path = books.folder / "imported" / "2025-11.beancount"
    text = path.read_text()
    assert text.count("5000 USDC") == 2
    path.write_text(text.replace("5000 USDC", "5001 USDC"))
    done = books.run()
    assert done.exit_code == 1 and done.stdout == ""
    assert "imported/2025-11.beancount:" in done.stderr
    assert len(books.fake.log) == asked


def test_a_seal_that_is_broken_stops_it_before_it_fetches(books: Books) -> None:
    assert books.run().exit_code == 0
    asked = len(books.fake.log)
    path = books.folder / "posted" / "2025-11.beancount"
    path.write_bytes(path.read_bytes().replace(b"Lending", b"Landing", 1) + b"; more\n")
    done = books.run()
    assert done.exit_code == 1 and done.stdout == ""
    assert len(books.fake.log) == asked


def test_a_fill_that_comes_late_is_a_difference_until_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position of 3 is at the venue a day before its fill can be read."""
    venue = Venue(late_fill())
    with served(venue) as fake:
        for name, value in environment(venue, fake.url).items():
            monkeypatch.setenv(name, value)
        ledger = re.sub(r'.*"Arb".*\n(  .*\n)*', "", LEDGER)
        books = Books(written(tmp_path / "books", ledger), fake, monkeypatch)
        books.at("02 00:10:03")
        answer, said = failed(books, "reconcile")
        [line] = [one for one in answer["reconciled"][0]["lines"] if one["line"] == "position"]
        assert (line["name"], line["books"], line["venue"]) == ("SOL-PERP", None, "3")
        assert line["class"] == "missing" and "SOL-PERP" in said
        books.at("03 00:10:03")
        done = books.run()
        assert done.exit_code == 0, done.output
        assert "Rows came late for 2025-11-01. Posted 2025-11-02:" in done.stdout


def failed(books: Books, step: str) -> tuple[Any, str]:
    """Run it, which must fail at a step; return the answer of that step, and standard error."""
    done = books.run("--format", "json")
    assert done.exit_code == 1, done.output
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    names = STEPS[: STEPS.index(step) + 1]
    assert [one["step"] for one in answer["steps"]] == names
    assert [one["ok"] for one in answer["steps"]] == [True] * (len(names) - 1) + [False]
    return answer["steps"][-1]["answer"], done.stderr


def test_a_key_that_is_refused_ends_it(books: Books) -> None:
    books.fake.always = refused(401)
    answer, said = failed(books, "fetch")
    assert answer is None and "refuses the key of sub-account" in said
    assert not (books.folder / "imported" / "2025-11.beancount").exists()


def test_a_key_that_is_missing_ends_it(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USANCE_BACKPACK_ARB_KEY")
    monkeypatch.setenv("USANCE_KEYS", str(books.folder.parent / "none.toml"))
    answer, said = failed(books, "fetch")
    assert answer is None and "USANCE_BACKPACK_ARB_KEY is not set" in said
    assert books.fake.log == []


def test_a_row_that_cannot_be_read_ends_it(books: Books) -> None:
    folder = books.folder / "downloads" / "backpack" / "Main" / "files"
    folder.mkdir(parents=True)
    (folder / "bad.json").write_text('[{"id": 1}]')
    answer, said = failed(books, "import")
    assert answer is None and "bad.json: row 1" in said and "Nothing was written." in said


def test_an_error_of_the_ledger_ends_it(books: Books) -> None:
    with books.ledger.open("a") as file:
        file.write('2025-11-01 * "No such account"\n  Assets:Nowhere  1 USDC\n  Assets:Bank\n')
    answer, said = failed(books, "accrue")
    assert answer is None and "Assets:Nowhere" in said


def test_a_difference_ends_it_and_is_shown(books: Books) -> None:
    with books.ledger.open("a") as file:
        file.write(
            '2025-11-01 * "More than there is"\n  time: "12:00"\n'
            "  Assets:Backpack:Arb:Wallet  5 USDC\n  Assets:Bank\n"
        )
    answer, said = failed(books, "reconcile")
    assert answer["ok"] is False
    lines = answer["reconciled"][0]["lines"]
    [line] = [one for one in lines if one["line"] == "quantity"]
    assert (line["books"], line["venue"], line["difference"]) == ("1005", "1000", "5")
    assert re.search(r"quantity +.*USDC +.*1005 +.*1000 +.*differs", said)


def test_a_day_too_far_away_is_wrong_usage(books: Books) -> None:
    done = books.run("--through", "2205-11-01")
    assert done.exit_code == 2
    assert "is more than 400 days after" in done.stderr
