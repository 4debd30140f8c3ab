"""Tables of rates and prices from elsewhere: any order of columns, and the unit that is said."""

import json
from pathlib import Path

import pytest
from beancount import loader
from click.testing import CliRunner, Result

from usance.cli import main
from usance.feeding.tables import Unit, prices_table, rates_table
from usance.venues.numbers import Misread

ROOT = Path(__file__).parents[2]
RECORDED = ROOT.parent / "shared" / "data"

HEADER = "time_utc,supply_apr,borrow_apr,utilization\n"


def rates(text: str, unit: Unit = Unit.FRACTION, **columns: str) -> str:
    return rates_table(text.encode(), "USDC", unit, columns).data.decode()


def prices(text: str, **columns: str) -> str:
    return prices_table(text.encode(), "SOL", "USDC", columns).data.decode()


def test_columns_stand_in_any_order_and_rows_too() -> None:
    text = "borrow;note;Time;supply\n0.063;x;2025-05-01T01:00:00Z;0.0412\n0.06;;2025-05-01;0.04\n"
    rows = "2025-05-01T00:00:00Z,0.04,0.06,\n2025-05-01T01:00:00Z,0.0412,0.063,\n"
    assert rates(text) == HEADER + rows


def test_percents_are_divided_exactly() -> None:
    text = "time\tsupply\tborrow\tutilization\n2025-05-01 00:00:00\t8.564416197648175\t10.5\t72\n"
    row = "2025-05-01T00:00:00Z,0.08564416197648175,0.105,0.72\n"
    assert rates(text, Unit.PERCENT) == HEADER + row


def test_a_column_is_named() -> None:
    text = "hour,lend,supply,borrow\n2025-05-01,0.01,7,0.02\n"
    named = rates(text, time="hour", supply="lend")
    assert named == f"{HEADER}2025-05-01T00:00:00Z,0.01,0.02,\n"


def test_a_price_is_of_its_date() -> None:
    text = "date,open,close\n2025-05-02,1,150.50\n2025-05-01T23:59:59,1,149\n"
    assert prices(text) == "date,price\n2025-05-01,149\n2025-05-02,150.5\n"


def test_what_is_stored_reads_as_itself() -> None:
    text = rates("time,supply,borrow\n2025-05-01,0.01,0.02\n")
    assert rates(text) == text
    text = prices("time,price\n2025-05-01,150\n")
    assert prices(text) == text


def no_column(header: str, what: str) -> str:
    return (
        f"the header is '{header}', in which no one column is the {what}. Say which one is: "
        f"--column {what}=NAME"
    )


TWO_TIMES = "time,date,supply,borrow"
SEPARATED = "is no number. Write it as 1234.56, without separators"
OUTSIDE = "supply -0.1 is -0.1 as a fraction, but must be from 0 to 100. Correct it, or the unit"
ROW = "time,supply,borrow\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", no_column("", "time")),
        ("time,supply\n", no_column("time,supply", "borrow")),
        (f"{TWO_TIMES}\n", no_column(TWO_TIMES, "time")),
        (ROW, "it has no rows. Name another file"),
        (f"{ROW}2025-05-01,1\n", "row 1 has 2 cells under a header of 3. Correct the row"),
        (f"{ROW}1 May,1,2\n", "row 1: '1 May' is no time in UTC. Write it as 2025-11-03T16:28:17"),
        (f"{ROW}2025-05-01,1%,2\n", f"row 1: supply: '1%' {SEPARATED}"),
        (f"{ROW}2025-05-01,-0.1,2\n", f"row 1: {OUTSIDE}"),
        (
            f"{ROW}2025-05-01,1,2\n2025-05-01,1,3\n",
            "row 2 is of the same time as row 1. Remove one of the two",
        ),
        (f'{ROW}2025-05-01,"1,2\n', "it is no CSV (unexpected end of data). Save the table as CSV"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(Misread) as misread:
        rates(text)
    assert str(misread.value) == why


def test_a_price_is_above_zero() -> None:
    with pytest.raises(Misread, match=r"row 1: price 0 is not above 0\. Correct the row"):
        prices("time,price\n2025-05-01,0\n")


def test_a_table_is_in_utf_8() -> None:
    with pytest.raises(Misread, match=r"byte 0 is not UTF-8\. Save the table as CSV in UTF-8"):
        rates_table(b"\xff", "USDC", Unit.FRACTION, {})


# The command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], prog_name="usance")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return a ledger as init writes it."""
    made = run("init", tmp_path / "books", "--feed", "backpack", "--from", "2025-06-01")
    assert made.exit_code == 0
    return tmp_path / "books" / "main.beancount"


def test_a_table_joins_the_rates_of_the_pool(ledger: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("time,supply,borrow\n2025-06-01,4,6\n")
    options = ("--rates", "USDC", "--unit", "percent", "--format", "json")
    imported = run("import", ledger, table, *options)
    names = [Path(name).name for name in json.loads(imported.stdout)["files"]]
    assert names == ["terms.beancount", "backpack-usdc.csv"]
    path = ledger.parent / "rates" / "backpack-usdc.csv"
    assert path.read_text() == f"{HEADER}2025-06-01T00:00:00Z,0.04,0.06,\n"
    assert run("check", ledger).exit_code == 0
    # The rates are a function of the downloads: what is lost comes again.
    path.unlink()
    run("import", ledger)
    assert path.read_text() == f"{HEADER}2025-06-01T00:00:00Z,0.04,0.06,\n"


def test_a_row_of_a_person_is_not_lost(ledger: Path, tmp_path: Path) -> None:
    table, path = tmp_path / "table.csv", ledger.parent / "rates" / "backpack-usdc.csv"
    table.write_text("time,supply,borrow\n2025-06-01,4,6\n")
    path.parent.mkdir()
    path.write_text(f"{HEADER}2025-06-01T00:00:00Z,0.05,0.06,\n")
    arguments = ["import", ledger, table, "--rates", "USDC", "--unit", "percent"]
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "rates/backpack-usdc.csv:2: this row is not in downloads" in refused.stderr
    assert not (ledger.parent / "downloads" / "tables").exists()
    assert run(*arguments, "--overwrite").exit_code == 0
    assert "0.04,0.06" in path.read_text()


def test_the_unit_is_never_guessed(ledger: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("time,supply,borrow\n2025-06-01,4,6\n")
    assert run("import", ledger, table, "--rates", "USDC").exit_code == 2


def test_a_ledger_without_a_feed_takes_tables(tmp_path: Path) -> None:
    ledger, table = tmp_path / "main.beancount", tmp_path / "table.csv"
    ledger.write_text('option "operating_currency" "USDC"\n')
    table.write_text("time,price\n2025-06-01,150\n")
    assert run("import", ledger, table, "--prices", "SOL/USDC").exit_code == 0
    text = (tmp_path / "imported" / "prices.beancount").read_text()
    assert text.splitlines()[2:] == ["2025-06-01 price SOL 150 USDC"]
    table.write_text("time,supply,borrow\n2025-06-01,0.04,0.06\n")
    assert run("import", ledger, table, "--rates", "USDC", "--unit", "fraction").exit_code == 0
    assert (tmp_path / "rates" / "usdc.csv").is_file()


def test_recorded_rates_and_prices_of_a_year(ledger: Path) -> None:
    rates_file = RECORDED / "lending_rates_hourly" / "usdc_2024.csv"
    prices_file = RECORDED / "prices_daily" / "BTC_USD_2022_2025H1.csv"
    if not rates_file.is_file():
        pytest.skip("the shared folder with recorded figures is not beside the project")
    columns = ("time=hour_utc", "supply=supply_apr_pct", "borrow=borrow_apr_pct")
    options = [word for column in columns for word in ("--column", column)]
    filed = run("import", ledger, rates_file, "--rates", "USDC", "--unit", "percent", *options)
    assert filed.exit_code == 0, filed.output
    assert run("import", ledger, prices_file, "--prices", "BTC/USDC").exit_code == 0
    lines = (ledger.parent / "rates" / "backpack-usdc.csv").read_text().splitlines()
    assert len(lines) == 1 + 8784
    assert lines[1] == "2024-01-01T00:00:00Z,0.08564416197648175,0.10467373622215089,"
    _, errors, _ = loader.load_file(str(ledger))
    assert errors == []


def test_init_with_a_feed_loads_before_and_after_an_import(ledger: Path) -> None:
    assert run("check", ledger).exit_code == 0
    assert run("import", ledger).exit_code == 0
    assert run("check", ledger).exit_code == 0
    again = run("init", ledger.parent, "--feed", "backpack")
    assert again.exit_code == 1
    assert "already exists" in again.output
