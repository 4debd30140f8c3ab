"""A month of everything: fetched, imported, closed, and held against the venue's own snapshots.

The venue is `venue_simulator`, which shares no code with what is tested: the books get its rows,
and its snapshots are its own arithmetic. So a rule of the books that is not the venue's, a row that
is booked twice or not at all, is a line that differs.
"""

import datetime
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from beancount import loader
from beancount.core import realization
from beancount.core.inventory import Inventory
from click.testing import CliRunner
from hypothesis import given, settings
from simulated_books import (
    downloaded,
    environment,
    ledger_of,
    pictured,
    served,
    written,
)
from simulated_months import ARB, MAIN, on_time, q, scenarios
from venue_simulator import (
    DAY,
    FEEDS,
    HOUR,
    SECOND,
    Deposit,
    Row,
    Scenario,
    Trade,
    Venue,
    Withdraw,
    moment,
    stamp,
)

from usance.cli import main
from usance.commands import fetch as fetching
from usance.feeding import importing, reconciling
from usance.feeding.fetching import Request, World, fetch
from usance.feeding.lines import Line
from usance.feeding.own_text import own
from usance.feeding.pacing import Clock
from usance.feeding.reconciling import Asked
from usance.importers import Backpack
from usance.ledger.load import Ledger, load

AFTER_MIDNIGHT = 603 * SECOND
MIDDAY = 14 * HOUR + 20 * 60 * SECOND
LAST = moment("2025-12-04 00:10:03")


@dataclass(frozen=True)
class Month:
    """The simulated month, and the ledger into which it was fetched, closed through December 3."""

    venue: Venue
    ledger: Path

    @property
    def folder(self) -> Path:
        return self.ledger.parent


def imported(ledger: Path) -> dict[str, Any]:
    return importing.import_(ledger, importing.Request(), lambda: None)


def accrued(ledger: Path, through: str) -> None:
    done = CliRunner().invoke(main, ["accrue", str(ledger), "--through", through])
    assert done.exit_code == 0, done.output


def sound(ledger: Path) -> Ledger:
    found = load(str(ledger))
    assert [error.message for error in found.errors] == []
    return found


def lines(ledger: Ledger, snapshot: Path, name: str) -> list[Line]:
    [found] = reconciling.reconcile(ledger, Asked(snapshot, name))
    assert found.notes == []
    return found.lines


def left(found: list[Line]) -> list[Line]:
    """Return the lines that do not tie out."""
    return [line for line in found if not line.kind.is_ok]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    venue = Venue(on_time())
    ledger = written(tmp_path_factory.mktemp("month") / "books")
    with served(venue) as fake:
        for text in ("2025-11-01 12:00:00", "2025-11-16 09:30:00", "2025-12-04 00:10:03"):
            now = moment(text)
            fake.now = lambda now=now: now  # type: ignore[misc]
            clock = Clock(lambda now=now: now, lambda _: None)  # type: ignore[misc]
            world = World(environment(venue, fake.url), print, clock)
            assert fetch(own(ledger), Request(), world)["stable"] is True
        assert fake.wrong == []
    answer = imported(ledger)
    assert answer["findings"] == [] and answer["ignored"] == {}
    accrued(ledger, "2025-12-03")
    return Month(venue, ledger)


# The whole month


def test_every_kind_of_row_is_in_the_month(month: Month) -> None:
    answer = imported(month.ledger)
    assert answer["rows"].keys() == FEEDS.keys()
    assert answer["files"] == [] and answer["late"] == []  # a second run changes nothing
    rows = dict.fromkeys(FEEDS, 0)
    for name in month.venue.scenario.accounts:
        for feed in FEEDS:
            found = month.venue.rows(name, feed, LAST)
            rows[feed] += len(found) if feed != "settlement" else 0
    rows["settlement"] = 1  # the one that no other feed tells
    assert answer["rows"] == rows
    assert answer["booked"] == rows | {"borrowLend": 2}


def test_nothing_is_left_at_any_snapshot_of_the_month(month: Month) -> None:
    ledger = sound(month.ledger)
    compared = 0
    for at in range(month.venue.first + DAY, LAST + 1, DAY):
        for name in month.venue.scenario.accounts:
            for when in (at - DAY + MIDDAY, at + AFTER_MIDNIGHT):
                found = lines(ledger, pictured(month.venue, month.folder, name, when), name)
                assert left(found) == [], (name, when)
                compared += len(found)
    assert compared > 1000


def test_what_the_rules_explain_is_what_happened(month: Month) -> None:
    """In the night to the 9th: an order rests, coins are owed, a part of the contract was sold."""
    at = moment("2025-11-09 00:10:03")
    found = lines(sound(month.ledger), pictured(month.venue, month.folder, "Main", at), "Main")
    rules = {(line.line, line.name): line.rule for line in found if line.rule}
    assert rules["entry_price", "SOL-PERP"] == "average entry"
    assert rules["borrowed", "USDC"] == "both, unsettled"
    assert "open orders" in rules["available_equity", ""]


def test_every_settlement_repeats_what_another_feed_tells(month: Month, copy: Path) -> None:
    """As with --all-settlements; one row of funding less is named with its day and both sums."""
    folder = copy.parent / "downloads" / "backpack" / "Main"
    (folder / "settlement").mkdir()
    rows = month.venue.rows("Main", "settlement", LAST)
    (folder / "settlement" / "000000000.json").write_text(json.dumps(rows))
    answer = imported(copy)
    assert answer["findings"] == [] and answer["files"] == []
    assert answer["checked"]["settlement"] == len(rows) - 1
    gone = taken_out(copy.parent, LOST["funding"])
    [finding] = imported(copy)["findings"]
    assert finding.startswith("2025-11-12: funding of Main: ")
    said, booked = (Decimal(part.split()[-1]) for part in finding.split(" USDC")[:2])
    assert said - booked == Decimal(gone["quantity"])


# One row less


@dataclass(frozen=True)
class Lost:
    """A row that is left out of the downloads, and the line on which reconcile finds it.

    pick  tells which row of the feed
    by    the difference that it makes: books less venue
    """

    account: str
    folder: str
    pick: Callable[[Row], bool]
    line: tuple[str, str]
    by: Callable[[Row], Fraction]


def less(row: Row) -> Fraction:
    return -Fraction(row["quantity"])


LOST = {
    "fills": Lost(
        "Main", "fills", lambda row: row["timestamp"] == "2025-11-28T02:00:30",
        ("position", "SOL-PERP"), less,
    ),
    "spot fills": Lost(
        "Main", "fills", lambda row: row["timestamp"] == "2025-11-24T17:00:00",
        ("quantity", "SOL"), lambda row: Fraction(row["quantity"]),
    ),
    "funding": Lost(
        "Main", "funding", lambda row: row["intervalEndTimestamp"] == "2025-11-12T07:00:00",
        ("quantity", "USDC"), less,
    ),
    "interest on lent": Lost(
        "Main", "interest", lambda row: row["timestamp"] == "2025-11-27T05:00:00"
        and row["paymentType"] == "Lend" and row["symbol"] == "USDC",
        ("quantity", "USDC"), less,
    ),
    "interest on borrowed": Lost(
        "Main", "interest", lambda row: row["timestamp"] == "2025-11-27T05:00:00"
        and row["paymentType"] == "Borrow" and row["symbol"] == "SOL",
        ("borrowed", "SOL"), less,
    ),
    "entry fee": Lost(
        "Arb", "interest", lambda row: row["paymentType"] == "EntryFee",
        ("borrowed", "USDC"), less,
    ),
    "borrowLend": Lost(
        "Arb", "borrowLend", lambda row: row["source"] == "Manual" and row["quantity"] == "2000",
        ("borrowed", "USDC"), less,
    ),
    "settlement": Lost(
        "Main", "settlement-backstop", bool, ("quantity", "USDC"), less,
    ),
    "deposits": Lost(
        "Main", "deposits", lambda row: row["quantity"] == "333.25", ("quantity", "USDC"), less,
    ),
    "distributions": Lost(
        "Arb", "deposits", lambda row: row["source"] == "administrator",
        ("equity", "USDC"), less,
    ),
    "withdrawals": Lost(
        "Main", "withdrawals", lambda row: row["symbol"] == "SOL", ("quantity", "SOL"),
        lambda row: Fraction(row["quantity"]) + Fraction(row["fee"]),
    ),
    "transfers": Lost(
        "Arb", "withdrawals", lambda row: row["quantity"] == "250.5", ("equity", "USDC"),
        lambda row: Fraction(row["quantity"]),
    ),
    "dust": Lost(
        "Main", "dust", bool, ("quantity", "WIF"),
        lambda row: Fraction(row["quantity"]),
    ),
}  # fmt: skip


@pytest.fixture
def copy(month: Month, tmp_path: Path) -> Path:
    """The ledger before any day was closed, in a folder of its own."""
    folder = tmp_path / "books"
    shutil.copytree(month.folder, folder)
    for path in (folder / "posted").glob("2025-*"):
        path.unlink()
    return folder / "main.beancount"


def taken_out(folder: Path, lost: Lost) -> Row:
    """Take the row out of the downloads; return it."""
    places = folder / "downloads" / "backpack" / lost.account / lost.folder
    gone = list[Row]()
    for path in sorted(places.glob("*.json")):
        rows = json.loads(path.read_text())
        gone += filter(lost.pick, rows)
        path.write_text(json.dumps([row for row in rows if not lost.pick(row)]))
    [row] = gone
    return row


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_a_row_that_is_missing_is_found_to_the_last_digit(
    lost: Lost, copy: Path, month: Month
) -> None:
    at = moment("2025-12-04 00:10:03")
    place = pictured(month.venue, copy.parent, lost.account, at)
    row = taken_out(copy.parent, lost)
    imported(copy)
    accrued(copy, "2025-12-03")
    found = lines(sound(copy), place, lost.account)
    [line] = [one for one in found if (one.line, one.name) == lost.line]
    assert line in left(found)
    books, theirs = line.books or Decimal(0), line.venue or Decimal(0)
    assert isinstance(books, Decimal) and isinstance(theirs, Decimal)
    gap = books - theirs
    cut = Fraction(1, 10**6) if lost.account == "Arb" and line.line == "equity" else 0
    assert abs(Fraction(gap) - lost.by(row)) <= cut


def test_the_parameters_cover_every_feed(month: Month) -> None:
    folders = {lost.folder.partition("-")[0] for lost in LOST.values()}
    assert folders == FEEDS.keys()
    assert month.venue.skipped == []


# Drawn months


def moments(venue: Venue) -> Iterator[int]:
    """Yield moments at which an account is looked at: at midnight, just after, and by day.

    What happens in the second of midnight is of the day that begins, a snapshot of the day before.
    """
    busy = {action.at for action in venue.scenario.actions}
    for day in range(venue.first + DAY, venue.end + 1, DAY):
        yield day - DAY + MIDDAY
        if day not in busy:
            yield day
        if day < venue.end:
            yield day + AFTER_MIDNIGHT


def ties_out(scenario: Scenario) -> None:
    """Import what a scenario leaves, and hold it against the snapshots of all its days."""
    venue = Venue(scenario)
    last = f"2025-11-{scenario.days:02}"
    with TemporaryDirectory() as name:
        text = f'{ledger_of(scenario.accounts)}2025-11-01 custom "accrue-through" {last}\n'
        path = written(Path(name) / "books", text)
        downloaded(venue, path.parent, venue.end + AFTER_MIDNIGHT)
        assert imported(path)["findings"] == []
        ledger = sound(path)
        for at in moments(venue):
            for account in scenario.accounts:
                found = lines(ledger, pictured(venue, path.parent, account, at), account)
                assert left(found) == [], (account, at, left(found))


@settings(max_examples=12, deadline=None)
@given(scenarios())
def test_drawn_months_tie_out(scenario: Scenario) -> None:
    ties_out(scenario)


@pytest.mark.soak
@settings(max_examples=400, deadline=None)
@given(scenarios())
def test_many_drawn_months_tie_out(scenario: Scenario) -> None:
    ties_out(scenario)


def test_a_debt_of_the_day_is_not_repaid_by_what_comes_in_later_without_auto_repay() -> None:
    """4.96 SOL are borrowed at 03:46; 0.02 bought at 08:43 stay in the wallet."""
    begin = moment("2025-11-01")
    main_ = MAIN._replace(auto_lend=False, auto_repay=False)
    ties_out(
        Scenario(
            "2025-11-01",
            2,
            {"Main": main_, "Arb": ARB},
            [
                Deposit(begin + 8 * HOUR, "Main", "USDC", q("6000")),
                Withdraw(begin + 27 * HOUR + 2799 * SECOND, "Main", "SOL", q("4.95"), q("0.01")),
                Trade(begin + 33 * HOUR, "Main", "SOL_USDC", 1, q("0.02"), q("148.03"), q("0")),
            ],
        )
    )


# Day by day


def closes_day_by_day(scenario: Scenario) -> None:
    """Run `usance daily` after each day, with answers of the venue in place of fetch.

    The last books are those of a ledger into which all of it is imported at once.
    """
    venue = Venue(scenario)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = written(Path(name) / "books", ledger_of(scenario.accounts))
        for day in range(venue.first + DAY, venue.end + 1, DAY):
            now = day + AFTER_MIDNIGHT

            def answered(_: str, __: object, now: int = now) -> dict[str, Any]:
                downloaded(venue, path.parent, now)
                for account in scenario.accounts:
                    pictured(venue, path.parent, account, now)
                return {"fetched": [], "snapshots": [], "stable": True, "notes": []}

            patch.setattr(fetching, "answered", answered)
            through = stamp(day - DAY)[:10]
            done = CliRunner().invoke(main, ["daily", str(path), "--through", through])
            assert done.exit_code == 0, done.output
        whole = written(Path(name) / "whole", ledger_of(scenario.accounts))
        downloaded(venue, whole.parent, venue.end + AFTER_MIDNIGHT)
        imported(whole)
        accrued(whole, stamp(venue.end - DAY)[:10])
        assert balances(path) == balances(whole)


def balances(ledger: Path) -> dict[str, Inventory]:
    """Return what is on each account at the end."""
    sums = realization.realize(sound(ledger).entries)
    found = {real.account: real.balance for real in realization.iter_children(sums)}
    return {account: balance for account, balance in found.items() if not balance.is_empty()}


@settings(max_examples=5, deadline=None)
@given(scenarios(late=True))
def test_drawn_days_are_closed_one_by_one_with_rows_that_come_late(scenario: Scenario) -> None:
    closes_day_by_day(scenario)


@pytest.mark.soak
@settings(max_examples=200, deadline=None)
@given(scenarios(late=True))
def test_many_drawn_days_are_closed_one_by_one(scenario: Scenario) -> None:
    closes_day_by_day(scenario)


def test_a_ledger_of_a_month_has_no_finding_and_no_doubt(month: Month) -> None:
    done = CliRunner().invoke(main, ["check", str(month.ledger), "--format", "json"])
    answer = json.loads(done.stdout)
    assert answer["errors"] == [] and answer["doubts"] == []


def test_the_importer_for_beangulp_makes_the_same_of_each_feed(month: Month, copy: Path) -> None:
    """All but transfers between two feeds, and the ends of the file, whose days may go on."""
    reader = Backpack("Main", "Assets:Backpack:Main", "Assets:Bank", interest="imported",
                      pays="USD", since=datetime.date(2025, 11, 1))  # fmt: skip
    parsed, errors, _ = loader.load_file(str(copy))
    assert errors == []
    ours: dict[str, Any] = {
        entry.meta["backpack"]: entry for entry in parsed if "backpack" in entry.meta
    }
    alike = 0
    for feed in FEEDS:
        page = copy.parent / f"{feed}.json"
        page.write_text(json.dumps(month.venue.rows("Main", feed, LAST)))
        assert reader.identify(str(page))
        entries: list[Any] = reader.extract(str(page), [])
        for entry in entries:
            of_import = ours.get(entry.meta["backpack"])
            if of_import is None:
                assert feed in ("withdrawals", "deposits")  # half of a transfer
                continue
            assert (entry.date, entry.narration) == (of_import.date, of_import.narration)
            assert legs(entry) == legs(of_import)
            alike += 1
    assert alike > 100


def legs(entry: Any) -> dict[tuple[str, str], Decimal]:  # noqa: ANN401
    """Return what a transaction adds to each account, lots aside, which Beancount may split."""
    found: dict[tuple[str, str], Decimal] = {}
    for posting in entry.postings:
        key = posting.account, posting.units.currency
        found[key] = found.get(key, Decimal(0)) + posting.units.number
    return found
