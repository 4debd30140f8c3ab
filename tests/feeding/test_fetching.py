"""Fetching: pages, months, public answers and snapshots; resumed, and late rows."""

import json
from pathlib import Path
from typing import Any

import fake_venue
import pytest
from fake_venue import Account, Asked, FakeVenue, Reply
from fetching_books import (
    ARB,
    DEPOSITS,
    FEED,
    FILLS,
    MAIN,
    SECOND,
    Fed,
    at,
    deposit,
    fill,
    fills,
)

from usance.feeding import account_pages
from usance.feeding.downloads import RefusedError
from usance.feeding.pacing import FetchError


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a full page have three rows instead of 1,000."""
    monkeypatch.setattr(account_pages, "LIMIT", 3)


def fed(folder: Path, rows: list[dict[str, Any]]) -> Fed:
    return Fed.made(folder / "books", {MAIN.key: Account({FILLS: rows})})


def pages(books: Fed) -> dict[str, list[int]]:
    """Return the trades of each stored page of fills."""
    return {
        name.removeprefix("backpack/Main/fills/"): [row["tradeId"] for row in json.loads(data)]
        for name, data in books.files().items()
        if "/fills/" in name
    }


NO_MARKET = "SOL_USDC_PERP: the venue has no market SOL_USDC_PERP; write its price"
"""Where nothing is public."""


def asked(books: Fed, path: str) -> list[dict[str, str]]:
    return [one.params for one in books.venue.log if one.path == path]


# Pages


def test_pages_are_stored_as_they_came_by_the_number_of_their_first_row(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(7))
    answer = books.fetch()
    assert pages(books) == {
        "000000000.json": [0, 1, 2],
        "000000003.json": [3, 4, 5],
        "000000006.json": [6],
    }
    first = (books.downloads / "backpack/Main/fills/000000000.json").read_bytes()
    assert first == json.dumps(fills(3), separators=(",", ":")).encode()
    assert answer["fetched"][0] == {
        "venue": "backpack",
        "sub_account": "Main",
        "feed": "fills",
        "rows": 7,
        "new": 7,
        "pages": 3,
    }
    assert [entry["feed"] for entry in answer["fetched"]] == [
        "fills",
        "funding",
        "interest",
        "borrowLend",
        "dust",
        "settlement-borrow-interest",
        "settlement-backstop",
        "deposits",
        "withdrawals",
    ]
    assert answer["notes"] == [NO_MARKET]
    assert books.venue.wrong == []


def test_a_second_run_begins_at_the_last_page_and_changes_nothing(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(7))
    books.fetch()
    before = books.files()
    books.venue.log.clear()
    assert books.rows("fills") == {"rows": 7, "new": 0, "pages": 3}
    assert [params["offset"] for params in asked(books, FILLS)] == ["6"]
    assert books.files() == before


def test_a_last_page_that_was_full_is_looked_at_again(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(6))
    books.fetch()
    assert list(pages(books)) == ["000000000.json", "000000003.json"]
    books.venue.log.clear()
    assert books.rows("fills") == {"rows": 6, "new": 0, "pages": 2}
    assert [params["offset"] for params in asked(books, FILLS)] == ["3", "6"]


def test_new_rows_are_appended(tmp_path: Path) -> None:
    rows = fills(4)
    books = fed(tmp_path, rows)
    books.fetch()
    rows += [fill(4), fill(5), fill(6)]
    books.venue.log.clear()
    assert books.rows("fills") == {"rows": 7, "new": 3, "pages": 3}
    assert [params["offset"] for params in asked(books, FILLS)] == ["3", "6"]
    assert pages(books)["000000003.json"] == [3, 4, 5]


@pytest.mark.parametrize("place", [0, 1, 3, 5])
def test_a_row_that_came_late_has_the_feed_read_anew(place: int, tmp_path: Path) -> None:
    rows = fills(7)
    books = fed(tmp_path, rows)
    books.fetch()
    rows.insert(place, fill(50))
    assert books.rows("fills") == {"rows": 8, "new": 1, "pages": 3}
    whole = Fed.made(tmp_path / "other", {MAIN.key: Account({FILLS: rows})})
    whole.fetch()
    assert books.files() == whole.files()
    assert books.said == ["Main fills: rows came late; reading from the first one."]


def test_a_row_that_comes_late_within_a_run_is_seen_where_pages_meet(tmp_path: Path) -> None:
    rows = fills(7)
    books = fed(tmp_path, rows)
    books.venue.faults.append(fake_venue.then(lambda: rows.insert(1, fill(50))))
    books.fetch()
    assert pages(books) == {
        "000000000.json": [0, 50, 1],
        "000000003.json": [2, 3, 4],
        "000000006.json": [5, 6],
    }


def test_a_row_that_comes_late_while_a_feed_is_read_anew_is_seen_as_well(tmp_path: Path) -> None:
    rows = fills(7)
    books = fed(tmp_path, rows)
    books.fetch()
    rows.insert(0, fill(50))
    # The last page, which shows it; then the first one, after which another comes.
    books.venue.faults.extend([None, fake_venue.then(lambda: rows.insert(0, fill(51)))])
    books.fetch()
    assert pages(books) == {
        "000000000.json": [51, 50, 0],
        "000000003.json": [1, 2, 3],
        "000000006.json": [4, 5, 6],
    }


def test_a_page_that_was_lost_or_damaged_is_fetched_again(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(7))
    books.fetch()
    before, folder = books.files(), books.downloads / "backpack/Main/fills"
    (folder / "000000000.json").unlink()
    (folder / "000000003.json").write_bytes(b'[{"tradeId":')
    assert books.rows("fills") == {"rows": 7, "new": 6, "pages": 3}
    assert books.files() == before


def test_a_field_that_the_venue_adds_is_no_other_row(tmp_path: Path) -> None:
    rows = fills(4)
    books = fed(tmp_path, rows)
    books.fetch()
    rows[:] = [{**row, "strategyId": None} for row in rows]
    answer = books.fetch()
    assert answer["fetched"][0]["new"] == 0
    assert answer["notes"] == [NO_MARKET]
    assert b"strategyId" in books.files()["backpack/Main/fills/000000000.json"]


def test_rows_that_the_venue_takes_back_are_noted(tmp_path: Path) -> None:
    rows = fills(7)
    books = fed(tmp_path, rows)
    books.fetch()
    del rows[1:5]
    answer = books.fetch()
    assert pages(books) == {"000000000.json": [0, 5, 6]}
    assert answer["notes"] == [
        "Main fills: 4 rows that were stored are no longer what the venue says",
        NO_MARKET,
    ]


@pytest.mark.parametrize("rows", [[fill(70), fill(71)], []])
def test_a_key_of_another_account_replaces_nothing(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    books = fed(tmp_path, fills(4))
    books.fetch()
    before = books.files()
    books.main.history = {FILLS: rows}
    with pytest.raises(FetchError, match="the key seems to be of another account") as raised:
        books.fetch()
    assert "downloads/backpack/Main/fills" in str(raised.value)
    assert books.files() == before


def test_settlements_are_those_that_no_other_feed_says(tmp_path: Path) -> None:
    sources = ["TradingFees", "CulledBorrowInterest", "BackstopProviderLiquidation", "RealizePnl"]
    rows = [
        {"quantity": "-1", "source": source, "timestamp": "2025-06-01T10:00:00", "userId": 1}
        for source in [*sources, "SystemLiabilityTransfer"]
    ]
    settlement = "/wapi/v1/history/settlement"
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({settlement: rows})})
    books.fetch()
    assert [name for name in books.files() if "settlement" in name] == [
        "backpack/Main/settlement-backstop/000000000.json",
        "backpack/Main/settlement-borrow-interest/000000000.json",
    ]
    answer = books.fetch(all_settlements=True)
    [entry] = [entry for entry in answer["fetched"] if "settlement" in entry["feed"]]
    assert entry["feed"] == "settlement"
    assert entry["rows"] == 5
    assert "backpack/Main/settlement/000000003.json" in books.files()


# The number of rows that the venue says


def test_a_page_that_is_too_short_is_asked_for_again(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(2))
    books.venue.faults.extend([fake_venue.total(1), fake_venue.total(-1)])
    books.fetch()
    assert books.time.long() == [1, 2]
    assert pages(books) == {"000000000.json": [0, 1]}


def test_a_page_that_stays_too_short_is_given_up_and_what_came_is_kept(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(5))
    books.venue.faults.extend([None, *[fake_venue.total(1)] * 3])
    says = f"GET {FILLS}: given up, the answer cannot be used: it ends with row 5, and X-TOTAL is 6"
    with pytest.raises(FetchError, match=says):
        books.fetch()
    assert pages(books) == {"000000000.json": [0, 1, 2]}


def test_a_venue_that_says_no_number_is_noted_once(tmp_path: Path) -> None:
    books = fed(tmp_path, fills(4))
    books.venue.faults.extend([fake_venue.without_total, fake_venue.without_total])
    assert books.fetch()["notes"] == [
        "Main fills: the venue does not say how many rows there are (X-TOTAL)",
        NO_MARKET,
    ]


def test_more_rows_than_asked_for_are_no_page(tmp_path: Path) -> None:
    books = fed(tmp_path, [])
    books.venue.faults.extend([fake_venue.body(json.dumps(fills(4)).encode())] * 3)
    with pytest.raises(FetchError, match="it has 4 rows, and 3 were asked for"):
        books.fetch()


# Months


def months(books: Fed) -> list[tuple[str, str]]:
    return [(params["from"], params["to"]) for params in asked(books, DEPOSITS)]


def test_months_since_the_feed_each_have_a_file(tmp_path: Path) -> None:
    rows = [deposit(1, "2025-05-31T23:59:59.999"), deposit(2, "2025-06-01T00:00:00.000")]
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({DEPOSITS: rows})})
    answer = books.fetch()
    stored = {name: json.loads(data) for name, data in books.files().items() if "deposits" in name}
    assert stored == {
        "backpack/Main/deposits/2025-05.json": rows[:1],
        "backpack/Main/deposits/2025-06.json": rows[1:],
    }
    # 2025-05-01, 2025-06-01 and 2025-07-01 at 00:00 UTC.
    assert months(books) == [
        ("1746057600000", "1748736000000"),
        ("1748736000000", "1751328000000"),
    ]
    [entry] = [entry for entry in answer["fetched"] if entry["feed"] == "deposits"]
    assert (entry["rows"], entry["new"], entry["pages"]) == (2, 2, 2)


def test_a_month_is_read_until_it_is_over_for_60_days(tmp_path: Path) -> None:
    rows = [deposit(1, "2025-05-03T10:00:00.000")]
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({DEPOSITS: rows})})
    may = "1746057600000"

    def is_read(now: int) -> bool:
        books.time.now = now
        books.venue.log.clear()
        books.fetch()
        return may in [begin for begin, _ in months(books)]

    assert is_read(at(2025, 5, 31))
    assert is_read(at(2025, 7, 30, 86_390))  # one day before 60 days are over
    assert is_read(at(2025, 7, 31))  # it was not read since
    assert not is_read(at(2025, 8, 1))


def test_a_month_in_which_a_status_may_change_is_read_again(tmp_path: Path) -> None:
    rows = [deposit(1, "2025-05-03T10:00:00.000", "pending")]
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({DEPOSITS: rows})})
    books.time.now = at(2025, 9, 1)
    books.fetch()
    books.time.now = at(2025, 9, 2)
    rows[0]["status"] = "confirmed"
    assert books.rows("deposits") == {"rows": 1, "new": 0, "pages": 5}
    assert b"confirmed" in books.files()["backpack/Main/deposits/2025-05.json"]
    books.venue.log.clear()
    books.fetch()
    assert "1746057600000" not in [begin for begin, _ in months(books)]


def test_a_month_of_another_account_replaces_nothing(tmp_path: Path) -> None:
    rows = [deposit(1, "2025-05-03T10:00:00.000")]
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({DEPOSITS: rows})})
    books.fetch()
    before = books.files()
    rows[0]["id"] = 2
    with pytest.raises(FetchError, match="downloads/backpack/Main/deposits holds"):
        books.fetch()
    assert books.files() == before


def test_a_month_of_more_than_a_full_page_has_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usance.feeding.account_months.LIMIT", 2)
    rows = [deposit(number, f"2025-05-0{number}T10:00:00.000") for number in (1, 2, 3, 4, 5)]
    books = Fed.made(tmp_path / "books", {MAIN.key: Account({DEPOSITS: rows})})
    books.fetch()
    assert {
        name: [row["id"] for row in json.loads(data)]
        for name, data in books.files().items()
        if "deposits/2025-05" in name
    } == {
        "backpack/Main/deposits/2025-05.json": [5, 4],
        "backpack/Main/deposits/2025-05-000000002.json": [3, 2],
        "backpack/Main/deposits/2025-05-000000004.json": [1],
    }
    assert books.rows("deposits") == {"rows": 5, "new": 0, "pages": 4}


# Several accounts


def test_private_feeds_come_first_and_snapshots_last(tmp_path: Path) -> None:
    accounts = {MAIN.key: Account(), ARB.key: Account()}
    books = Fed.made(tmp_path / "books", accounts, FEED + SECOND)
    answer = books.fetch()
    paths = books.venue.paths()
    first_public, first_snapshot = (
        paths.index("/api/v1/markets"),
        paths.index("/api/v1/capital/collateral"),
    )
    assert all(path.startswith("/wapi/") for path in paths[:first_public])
    assert not any(path.startswith("/wapi/") for path in paths[first_public:])
    assert paths[first_snapshot:] == 2 * [
        "/api/v1/capital/collateral",
        "/api/v1/capital",
        "/api/v1/account",
        "/api/v1/position",
        "/api/v1/borrowLend/positions",
        "/api/v1/capital/collateral",
    ]
    assert [entry["sub_account"] for entry in answer["fetched"][::9]] == ["Arb", "Main"]
    assert [path.rpartition("/")[0] for path in answer["snapshots"]] == [
        "downloads/backpack/Arb/snapshot",
        "downloads/backpack/Main/snapshot",
    ]


def test_one_sub_account_may_be_fetched_alone(tmp_path: Path) -> None:
    accounts = {MAIN.key: Account(), ARB.key: Account()}
    books = Fed.made(tmp_path / "books", accounts, FEED + SECOND)
    answer = books.fetch(sub_accounts=["Arb"])
    assert {entry["sub_account"] for entry in answer["fetched"]} == {"Arb"}
    with pytest.raises(RefusedError, match='No feed is of sub-account "Arbitrage"'):
        books.fetch(sub_accounts=["Arbitrage"])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run_at_its_first_answer(status: int, tmp_path: Path) -> None:
    books = fed(tmp_path, fills(2))
    books.venue.always = fake_venue.refused(status)
    with pytest.raises(FetchError) as raised:
        books.fetch()
    assert str(raised.value) == (
        f"The venue refuses the key of sub-account Main (GET {FILLS}: status {status}). Check that "
        "the key is of this sub-account, may read, and may be used from this address."
    )
    assert books.venue.paths() == [FILLS]
    assert books.time.long() == []


def test_a_ledger_without_a_feed_is_refused(tmp_path: Path) -> None:
    books = Fed.made(tmp_path / "books", ledger="2025-05-01 open Assets:Bank\n")
    with pytest.raises(RefusedError, match="The ledger has no feed"):
        books.fetch()
    assert not books.downloads.exists()


# Public answers


def market(path: str, params: dict[str, str], now: int) -> Any:  # noqa: ANN401
    """Say what everybody is told, of one contract and its coin."""
    del now
    match path:
        case "/api/v1/markets":
            return [{"symbol": "SOL_USDC_PERP"}, {"symbol": "SOL_USDC"}]
        case "/api/v1/borrowLend/markets/history":
            return [{"timestamp": "2025-06-17T00:00:00.000Z", "utilization": "0.7"}]
        case "/api/v1/klines":
            first, last = (int(params[name]) // 86_400 for name in ("startTime", "endTime"))
            start = [day(number) for number in range(first, last + 1)]
            return [{"start": f"{begin} 00:00:00", "close": "150"} for begin in start]
    return [{"symbol": "SOL"}]


def day(number: int) -> str:
    import datetime  # noqa: PLC0415

    return str(datetime.date(1970, 1, 1) + datetime.timedelta(number))


POOL = '2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n'


def public(folder: Path, ledger: str = FEED) -> Fed:
    books = Fed.made(folder / "books", {MAIN.key: Account({FILLS: fills(1)})}, ledger)
    books.venue.public = market
    return books


def klines(books: Fed) -> list[tuple[str, str, str, str]]:
    found = list[tuple[str, str, str, str]]()
    for params in asked(books, "/api/v1/klines"):
        first, last = (day(int(params[name]) // 86_400) for name in ("startTime", "endTime"))
        found.append((params["symbol"], params["priceType"], first, last))
    return found


def test_bars_are_asked_for_from_the_last_day_that_is_there_to_yesterday(tmp_path: Path) -> None:
    books = public(tmp_path)
    books.fetch()
    # The contract was traded, so the ledger need not speak of it.
    assert klines(books) == [("SOL_USDC_PERP", "Mark", "2025-04-30", "2025-06-16")]
    books.venue.log.clear()
    books.fetch()
    assert klines(books) == []
    books.time.now = at(2025, 6, 19)
    books.fetch()
    assert klines(books) == [("SOL_USDC_PERP", "Mark", "2025-06-16", "2025-06-18")]
    folder = "backpack/public/klines/SOL_USDC_PERP"
    assert [name for name in books.files() if "klines" in name] == [
        f"{folder}/2025-06-17T001003Z.json",
        f"{folder}/2025-06-19T000000Z.json",
    ]


def test_coins_of_the_ledger_have_bars_of_their_index(tmp_path: Path) -> None:
    ledger = f"""{FEED}
2025-05-01 custom "collateral" "SOL" 0.95
2025-05-02 * "By hand"
  Assets:Backpack:Main:Wallet   1 SOL
  Assets:Backpack:Main:Wallet   1 FOO
  Assets:Bank  -1 FOO
  Assets:Bank  -1 SOL
"""
    books = public(tmp_path, ledger)
    answer = books.fetch()
    assert ("SOL_USDC", "Index", "2025-04-30", "2025-06-16") in klines(books)
    assert answer["notes"] == ["FOO: the venue has no market FOO_USDC; write its price"]


def test_where_there_is_no_mark_or_index_the_last_price_is_taken(tmp_path: Path) -> None:
    books = public(tmp_path)

    def without_mark(one: Asked, reply: Reply) -> Reply:
        return reply._replace(body=b"[]") if one.params.get("priceType") == "Mark" else reply

    books.venue.always = without_mark
    books.fetch()
    assert [price for _, price, _, _ in klines(books)] == ["Mark", "Last"]
    assert len([name for name in books.files() if "klines" in name]) == 1


@pytest.mark.parametrize(
    ("later", "interval"), [(0, "1w"), (6, "1w"), (7, "1month"), (27, "1month"), (28, "1year")]
)
def test_rates_are_asked_for_over_the_gap(later: int, interval: str, tmp_path: Path) -> None:
    books = public(tmp_path, FEED + POOL)
    books.fetch()
    history = "/api/v1/borrowLend/markets/history"
    assert asked(books, history) == [{"interval": "1year", "symbol": "USDC"}]
    books.venue.log.clear()
    books.time.now = at(2025, 6, 17) + later * 86_400_000
    books.fetch()
    assert asked(books, history) == [{"interval": interval, "symbol": "USDC"}]


def test_a_gap_of_more_than_a_year_is_noted(tmp_path: Path) -> None:
    books = public(tmp_path, FEED + POOL)
    books.time.now = at(2026, 6, 17)
    assert books.fetch()["notes"] == [
        "USDC: the venue gives the rates of one year; import those before as a table"
    ]


def test_an_answer_that_is_equal_to_the_newest_is_not_kept_again(tmp_path: Path) -> None:
    books = public(tmp_path, FEED + POOL)
    books.fetch()
    before = books.files()
    books.time.now += 3_600_000
    books.fetch()
    assert books.files() == before
    books.venue.public = lambda path, params, now: [
        *market(path, params, now),
        {"symbol": "JUP"},
    ]
    books.time.now += 3_600_000
    books.fetch()
    new = books.files().keys() - before.keys()
    assert {name.split("/")[2] for name in new} == {
        "borrowLendHistory",
        "borrowLendMarkets",
        "collateral",
        "markets",
    }


def test_a_request_of_a_market_that_is_refused_is_noted(tmp_path: Path) -> None:
    books = public(tmp_path)
    books.venue.public = lambda path, params, now: (
        None if path == "/api/v1/klines" else market(path, params, now)
    )
    [note] = books.fetch()["notes"]
    assert note.startswith("SOL_USDC_PERP: GET /api/v1/klines: status 404")


# Snapshots


def quantities(books: Fed, *total: str) -> None:
    """Let the collateral have one total after the other, the last one for ever."""
    left = list(total)

    def snapshot(now: int) -> dict[str, Any]:
        del now
        held = left[0]
        return {
            **fake_venue.EMPTY,
            "collateral": {"collateral": [{"symbol": "USDC", "totalQuantity": held}]},
        }

    def spend(one: Asked, reply: Reply) -> Reply:
        if one.path == "/api/v1/capital/collateral" and len(left) > 1:
            left.pop(0)
        return reply

    books.main.snapshot = snapshot
    books.venue.always = spend


def collateral(books: Fed, place: str) -> str:
    found = json.loads((books.folder / place / "collateral.json").read_bytes())
    total = found["collateral"][0]["totalQuantity"]
    assert isinstance(total, str)
    return total


def test_a_snapshot_has_five_answers_and_its_moment(tmp_path: Path) -> None:
    books = fed(tmp_path, [])
    answer = books.fetch()
    [place] = answer["snapshots"]
    assert place == "downloads/backpack/Main/snapshot/2025-06-17T001003Z"
    assert answer["stable"] is True
    folder = books.folder / place
    assert sorted(path.name for path in folder.iterdir()) == [
        "account.json",
        "borrow_lend_positions.json",
        "capital.json",
        "collateral.json",
        "position.json",
        "taken.json",
    ]
    assert json.loads((folder / "taken.json").read_bytes()) == {"taken": "2025-06-17T00:10:03Z"}
    assert (folder / "capital.json").read_bytes() == b"{}"


@pytest.mark.parametrize(
    ("totals", "stable", "kept", "reads"),
    [
        (("10", "10"), True, "10", 2),
        (("10", "11", "11", "11"), True, "11", 4),
        (("10", "11", "12", "13", "13", "13"), True, "13", 6),
        (("10", "11", "12", "13", "14", "15"), False, "15", 6),
    ],
)
def test_a_snapshot_is_read_until_nothing_moves_three_times_at_most(
    totals: tuple[str, ...], stable: bool, kept: str, reads: int, tmp_path: Path
) -> None:
    books = fed(tmp_path, [])
    quantities(books, *totals)
    answer = books.fetch()
    assert answer["stable"] is stable
    assert collateral(books, answer["snapshots"][0]) == kept
    assert books.venue.paths().count("/api/v1/capital/collateral") == reads
    assert len(answer["notes"]) == (0 if stable else 1)


def test_a_price_that_moves_is_no_quantity(tmp_path: Path) -> None:
    books = fed(tmp_path, [])
    books.main.snapshot = lambda now: {
        **fake_venue.EMPTY,
        "collateral": {"collateral": [{"symbol": "SOL", "assetMarkPrice": str(now)}]},
    }
    assert books.fetch()["stable"] is True


def test_a_snapshot_of_the_same_second_takes_the_place_of_the_other(tmp_path: Path) -> None:
    books = fed(tmp_path, [])
    quantities(books, "10")
    start = books.time.now
    first = books.fetch()["snapshots"]
    quantities(books, "20")
    books.time.now = start
    assert books.fetch()["snapshots"] == first
    assert collateral(books, first[0]) == "20"
    folders = list((books.downloads / "backpack/Main/snapshot").iterdir())
    assert [folder.name for folder in folders] == ["2025-06-17T001003Z"]


def test_the_venue_was_asked_rightly_throughout() -> None:
    """A request that the fake venue finds wrong is in `wrong`: the list is not always empty."""
    with FakeVenue({}) as venue:
        venue.reply(Asked("POST", "/api/v1/order", {}, {}))
    assert venue.wrong == ["not GET but POST"]
