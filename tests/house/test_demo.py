"""The demo tells its story: each sub-account's part, records as they are, a page for everything."""

import csv
import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction
from beancount.parser import printer
from click.testing import CliRunner, Result

from usance.cli import main
from usance.language.provenance import is_generated

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "ledgers" / "demo"
LEDGER = DEMO / "main.beancount"
RECORDS = ROOT.parent / "shared" / "data"
recorded = pytest.mark.skipif(not RECORDS.is_dir(), reason="the recorded figures are not here")


def usance(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def generated(ledger: Path) -> dict[str, str]:
    """Return the text of each generated transaction, by its id."""
    entries, errors, _ = loader.load_file(str(ledger))
    assert errors == []
    return {
        entry.meta["usance"]: printer.format_entry(entry)
        for entry in entries
        if isinstance(entry, Transaction) and is_generated(entry)
    }


@pytest.fixture(scope="module")
def story() -> dict[str, str]:
    return generated(LEDGER)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """Return a demo that `usance demo` wrote."""
    assert usance("demo", tmp_path / "demo").exit_code == 0
    return tmp_path / "demo"


def test_the_command_writes_the_demo_of_the_tree_and_never_overwrites(books: Path) -> None:
    assert contents(books) == contents(DEMO)
    (books / "main.beancount").write_text("mine")
    again = usance("demo", books)
    assert again.exit_code == 1
    assert "already exists. Name another folder." in again.output
    assert (books / "main.beancount").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = usance("demo", tmp_path / "file" / "below")
    assert done.exit_code == 1
    assert re.fullmatch(r"Error: Cannot write .*: .*\. Name another folder\.\n", done.output)


def test_the_demo_is_small() -> None:
    assert sum(map(len, contents(DEMO).values())) < 400_000


def test_nothing_is_wrong_and_nothing_is_doubted() -> None:
    done = usance("check", LEDGER, "--strict", "--format", "json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["errors"], found["findings"], found["doubts"], found["notes"]) == ([], [], [], [])


def test_wild_is_liquidated_on_the_day_of_the_fall_and_nobody_else(story: dict[str, str]) -> None:
    """SOL closes at 141.79 after 167.95: ten tenths of the position, then a debt that nobody pays.

    The first tenth, by hand: 6 x 141.79 = 850.74, bought at 6 x 210 = 1260, a loss of 409.26. The
    fee is a hundredth of the notional, 8.5074.
    """
    steps = [name for name in story if name.startswith("liquidation/")]
    assert steps == ["liquidation/2025-02-24/Wild"] + [
        f"liquidation/2025-02-24/Wild/{step}" for step in range(2, 12)
    ]
    assert re.search(r"Wild:Perp +850\.740000 USDC", story[steps[0]])
    assert re.search(r"Wild:PnL +409\.26 USDC", story[steps[0]])
    assert re.search(r"Wild:Fees +8\.507400 USDC", story[steps[0]])
    assert "Income:Backpack:Wild:BadDebt" in story[steps[-1]]
    margin = usance("margin", LEDGER, "--sub-account", "Wild", "--format", "json")
    [wild] = json.loads(margin.stdout)["sub_accounts"]
    assert (wild["positions"], wild["borrows"]) == ([], [])


def test_not_a_byte_of_the_others_changes_without_wild(books: Path, story: dict[str, str]) -> None:
    for folder in ("sub-accounts", "funding"):
        (books / folder / "wild.beancount").unlink()
    without = generated(books / "main.beancount")
    others = {name: text for name, text in story.items() if "/Wild" not in name}
    assert len(others) < len(story)
    assert without == others


def test_interest_of_a_day_with_one_rate(story: dict[str, str]) -> None:
    """12013.699934 lent at 9.17 % for 24 hours, compounded each hour.

    (1 + 0.0917 / 8760)^24 - 1 = 0.000251263123..., so 12013.699934 of it are 3.01859976, and with
    the carry of 0.00000051 the credit is 3.018600.
    """
    text = story["lending/2025-01-08/Arb"]
    assert re.search(r"Arb:Wallet +3\.018600 USDC", text)
    assert 'principal: "12013.699934"' in text


def test_treasury_yield_of_a_day(story: dict[str, str]) -> None:
    """The par yield of that day is 4.35 %: 12013.699934 x 0.0435 / 365 = 1.43176972, the carry of
    0.00000082 makes it 1.431770.
    """
    assert re.search(r"AccruedYield +1\.431770 USDC", story["treasury/2025-01-08/Arb"])


def test_the_first_day_of_two_bills(story: dict[str, str]) -> None:
    """4984.43 grow to 5000 in 24 days: 4984.43 x ((5000 / 4984.43)^(1/24) - 1) = 0.647781.
    4942.595 grow to 5000 in 94: 0.607210. Together 1.254991; a tenth is the fee, rounded up.
    """
    text = story["treasury/2024-12-02/TBill"]
    assert re.search(r"Accretion +1\.254991 USDT", text)
    assert 'fee: "0.125500"' in text


REPORTS = [
    ("lending", "rows"),
    ("lending", "pools"),
    ("margin", "sub_accounts"),
    ("yield", "rows"),
    ("efficiency", "sub_accounts"),
    ("accounts", "sub_accounts"),
    ("statement", "parts"),
    ("pnl", "rows"),
    ("status", "sub_accounts"),
]


@pytest.mark.parametrize(("command", "rows"), REPORTS)
def test_each_report_has_rows(command: str, rows: str) -> None:
    done = usance(command, LEDGER, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[rows]


def test_each_line_of_a_statement_is_in_the_story() -> None:
    """But for accounts that no sub-account of a tidy person has; every difference is zero."""
    done = usance("statement", LEDGER, "--format", "json")
    parts = json.loads(done.stdout)["parts"]
    periods = [period for part in parts for period in part["periods"]]
    lines = {line["line"] for period in periods for line in period["lines"]}
    assert lines >= {
        *("deposits", "withdrawals", "transfers_in", "transfers_out", "lending_interest"),
        *("treasury", "bonus", "borrow_interest", "contracts", "funding", "fees", "coins"),
        *("liquidation", "other"),
    }
    assert {Decimal(period["difference"]) for period in periods} == {Decimal(0)}


def test_danger_trades_and_reserves_have_something_to_show() -> None:
    status = json.loads(usance("status", LEDGER, "--format", "json").stdout)
    nearest = {found["name"]: found["nearest_liquidation"] for found in status["sub_accounts"]}
    assert nearest["Arb"]["market"] == "SOL-PERP"
    trades = json.loads(usance("pnl", LEDGER, "--trades", "--format", "json").stdout)["trades"]
    sides = {Decimal(trade["quantity"]) > 0 for trade in trades if trade["sub_account"] == "Arb"}
    assert sides == {True, False}
    reserves = json.loads(usance("yield", LEDGER, "--reserves", "--format", "json").stdout)
    assert [product["product"] for product in reserves["products"]] == ["TBill"]
    stress = usance("stress", LEDGER, "--shock", "SOL=-50", "--format", "json")
    assert stress.exit_code == 0


def test_closed_days_are_the_same_each_time_and_a_late_rate_is_main_s_alone(
    books: Path, tmp_path: Path
) -> None:
    """As in `make demo`: one hour of December had another rate, and Main alone had lent then."""
    again = shutil.copytree(books, tmp_path / "again")
    for folder in (books, again):
        closed = usance("accrue", folder / "main.beancount", "--through", "2025-02-28")
        assert closed.exit_code == 0, closed.output
    assert contents(books) == contents(again)
    assert usance("verify", books / "main.beancount").exit_code == 0

    rates = books / "rates" / "usdc.csv"
    edited, changes = re.subn(
        r"^(2024-12-05T12:00:00Z),[^,]*", r"\1,0.05", rates.read_text(), flags=re.MULTILINE
    )
    assert changes == 1
    rates.write_text(edited)
    assert usance("check", books / "main.beancount").exit_code == 1
    late = ("accrue", books / "main.beancount", "--correct", "--through", "2025-03-01")
    assert usance(*late).exit_code == 0
    posted = (books / "posted" / "2025-03.beancount").read_text()
    assert re.findall(r'usance: "correction/(.*)"', posted) == ["2025-03-01/Main"]
    assert usance("check", books / "main.beancount").exit_code == 0
    assert usance("verify", books / "main.beancount").exit_code == 0


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@recorded
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("usdc.csv", "usdc_2024.csv"),
        ("usdt.csv", "usdt_2024h2.csv"),
        ("eth.csv", "weth_2025q1.csv"),
    ],
)
def test_rates_are_those_of_the_record(ours: str, theirs: str) -> None:
    record = {row["hour_utc"]: row for row in rows(RECORDS / "lending_rates_hourly" / theirs)}
    found = rows(DEMO / "rates" / ours)
    assert len(found) % 24 == 0
    for row in found:
        real = record[row["time_utc"]]
        assert Decimal(row["supply_apr"]) == Decimal(real["supply_apr_pct"]).scaleb(-2)
        assert Decimal(row["borrow_apr"]) == Decimal(real["borrow_apr_pct"]).scaleb(-2)


@recorded
def test_yields_are_those_of_the_treasury() -> None:
    path = RECORDS / "treasury_par_yield" / "par_yield_daily_2021_2025.csv"
    record = {row["Date"]: Decimal(row["3 Mo"]).scaleb(-2) for row in rows(path)}
    found = {row["date"]: Decimal(row["rate"]) for row in rows(DEMO / "rates" / "usd.csv")}
    first, last = min(found), max(found)
    assert found == {day: rate for day, rate in record.items() if first <= day <= last}


def sol() -> dict[str, dict[str, str]]:
    path = RECORDS / "prices_daily" / "SOL_USD_2022_2025H1.csv"
    return {row["date"]: row for row in rows(path)}


@recorded
@pytest.mark.parametrize(("name", "coin"), [("sol", "SOL"), ("sol-perp", "SOL"), ("eth", "ETH")])
def test_prices_are_those_of_the_record(name: str, coin: str) -> None:
    path = RECORDS / "prices_daily" / f"{coin}_USD_2022_2025H1.csv"
    record = {row["date"]: Decimal(row["close"]) for row in rows(path)}
    text = (DEMO / "prices" / f"{name}.beancount").read_text()
    found = re.findall(r"^(\S+) price \S+ (\S+) USDC$", text, re.MULTILINE)
    assert len(found) > 50
    assert all(record[day] == Decimal(price) for day, price in found)


PAYMENT = re.compile(
    r'^(\S+) \* "Funding: (\S+) SOL-PERP at (\S+), rate (\S+)"\n  time: "(\S+)"\n'
    r'  contract: "SOL-PERP"\n  Assets:Backpack:\w+:Wallet +(\S+) USDC$',
    re.MULTILINE,
)


@recorded
@pytest.mark.parametrize(("name", "payments"), [("arb", 137), ("wild", 63)])
def test_funding_is_quantity_by_price_by_the_rate_of_the_record(name: str, payments: int) -> None:
    """One by hand: 60 x 184.96 x 0.0005717 = 6.34449792; the rate is negative, so longs get it."""
    [path] = (RECORDS / "backpack_funding").glob("*2025-01-03*")
    record = {row["time_utc"]: Decimal(row["funding_rate"]) for row in rows(path)}
    text = (DEMO / "funding" / f"{name}.beancount").read_text()
    found = PAYMENT.findall(text)
    assert len(found) == payments == text.count("Funding: ")
    opened = sol()
    for day, quantity, price, rate, time, amount in found:
        assert record[f"{day}T{time}:00Z"] == Decimal(rate)
        assert Decimal(opened[day]["open"]) == Decimal(price)
        exact = -Decimal(quantity) * Decimal(price) * Decimal(rate)
        assert exact.quantize(Decimal("0.000001")) == Decimal(amount)


@recorded
def test_nobody_trades_at_a_price_that_was_not_there() -> None:
    """Each trade of SOL or its contract lies within the day's low and high."""
    text = "".join(
        (DEMO / "sub-accounts" / f"{name}.beancount").read_text()
        for name in ("main", "arb", "wild")
    )
    trades = re.findall(
        r'^(2025-\S+) \* "(?:Buy|Sell|Long|Short|Close).*\n.*\n'
        r".*?SOL(?:-PERP)? (?:\{\} @ |\{)(\S+)",
        text,
        re.MULTILINE,
    )
    assert len(trades) == 11
    for day, price in trades:
        assert Decimal(sol()[day]["low"]) <= Decimal(price) <= Decimal(sol()[day]["high"])
