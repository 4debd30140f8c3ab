"""The log of Bybit as books: a month worked by hand, however its files are cut.

The month is written here in the shape of "Data Export" (`bybit/month/log.csv`), and each of its
rows has the balance that it left, so the last one tells what the books must come to.
"""

import json
import random
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction
from click.testing import CliRunner, Result

from usance.cli import main

MONTH = Path(__file__).parent / "bybit" / "month"
LOG = MONTH / "log.csv"
PREAMBLE, HEADER, *ROWS = LOG.read_text().splitlines()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return Path(shutil.copy(MONTH / "main.beancount", tmp_path))


def usance(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def imported(ledger: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (ledger.parent / "imported").iterdir()}


def log(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / f"{name}.csv"
    path.write_text("\n".join((PREAMBLE, HEADER, *rows, "")))
    return path


def in_the_account(ledger: Path, coin: str) -> Decimal:
    """Return what the account has of a coin, less what it owes, of wallet, contracts and debt."""
    entries, errors, _ = loader.load_file(str(ledger))
    assert not errors
    return sum(
        (
            posting.units.number
            for entry in entries
            if isinstance(entry, Transaction)
            for posting in entry.postings
            if posting.units is not None
            and posting.units.number is not None
            and posting.units.currency == coin
            and posting.account.startswith(("Assets:Bybit:", "Liabilities:Bybit:"))
        ),
        Decimal(0),
    )


def test_a_month_of_the_log_is_books_without_an_error(ledger: Path) -> None:
    """Fifteen rows: 1 in, 1 out, 4 fills of a contract, 2 of coins, funding, interest, a bonus.

    The contract gains 20 and then 5; fees are 1.1 + 1.111 + 0.5555 + 0.62 + 0.55275; funding is
    0.15, interest 0.02; 1500 buy ETH and 620 come of it. 1000 - 100 + 25 - 3.93925 - 0.17 - 880 is
    40.89075, the balance of the last row but for the bonus of 5, which is not booked.
    """
    done = usance("import", ledger, LOG, "--as", "Main", "--format", "json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    booked = {"deposits": 1, "fills": 6, "funding": 2, "interest": 2, "withdrawals": 1}
    assert answer["rows"] == {**booked, "settlement": 1}
    assert answer["booked"] == booked
    assert answer["checked"] == {}
    assert answer["ignored"] == {"settlement BONUS": 1}
    (finding,) = answer["findings"]
    assert finding == (
        "2026-06-05T08:00:00: settlement BONUS of Main, 5 USDT, is not booked. Find out what it "
        "moved, as with usance reconcile, and write that"
    )
    written = imported(ledger)["2026-06.beancount"]
    assert written == (MONTH / "imported-2026-06.beancount").read_bytes()
    checked = usance("check", ledger)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert in_the_account(ledger, "USDT") == Decimal("40.89075")
    assert in_the_account(ledger, "ETH") == Decimal("0.2995")
    assert in_the_account(ledger, "BTC-USDT-PERP") == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_books_do_not_depend_on_how_the_log_is_cut(ledger: Path, seed: int) -> None:
    """Days in any order, in files that overlap, one by one; rows of a file in any order."""
    assert usance("import", ledger, LOG).exit_code == 0
    whole = imported(ledger)
    chance = random.Random(seed)  # noqa: S311
    days = sorted({row[-19:-9] for row in ROWS})
    parts = [chance.sample(days, 2) for _ in range(2)] + [days[at : at + 2] for at in range(4)]
    chance.shuffle(parts)
    shutil.rmtree(ledger.parent / "downloads")
    shutil.rmtree(ledger.parent / "imported")
    for at, part in enumerate(parts):
        rows = [row for row in ROWS if row[-19:-9] in part]
        chance.shuffle(rows)
        done = usance("import", ledger, log(ledger.parent, f"part{at}", rows))
        assert done.exit_code == 0, done.output
    assert imported(ledger) == whole


def test_a_second_import_of_the_same_file_changes_nothing(ledger: Path) -> None:
    assert usance("import", ledger, LOG).exit_code == 0
    again = usance("import", ledger, LOG, "--format", "json")
    assert json.loads(again.stdout)["files"] == []


def test_files_with_and_without_numbers_stand_beside_each_other_on_other_days(
    ledger: Path,
) -> None:
    """An answer of the API goes on where the export ends: 10 more, of the sale of 0.0032 ETH."""
    assert usance("import", ledger, LOG).exit_code == 0
    half = {
        "symbol": "ETHUSDT", "category": "spot", "side": "Sell", "transactionTime": "1780740000123",
        "type": "TRADE", "tradePrice": "3125", "funding": "", "orderId": "77", "tradeId": "9000",
        "transSubType": "", "id": "1", "size": "0", "feeRate": "0.001", "bonusChange": "",
        "orderLinkId": "", "extraFees": "",
    }  # fmt: skip
    rows = [
        half | {"currency": "ETH", "qty": "-0.0032", "cashFlow": "-0.0032", "change": "-0.0032",
                "fee": "0", "cashBalance": "0.2963"},
        half | {"currency": "USDT", "qty": "10", "cashFlow": "10", "change": "9.99",
                "fee": "0.01", "cashBalance": "55.88075"},
    ]  # fmt: skip
    file = ledger.parent / "answer.json"
    file.write_text(json.dumps({"retCode": 0, "result": {"list": rows}}))
    done = usance("import", ledger, file, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["booked"]["fills"] == 7
    assert b"""2026-06-06 * "Sell 0.0032 ETH at 3125"
  time: "10:00:00"
  bybit: "fill/ETH/USDT/9000/77/Sell"
  order: "77"
""" in imported(ledger)["2026-06.beancount"].replace(b'"10:00:01"', b'"10:00:00"')
    assert in_the_account(ledger, "USDT") == Decimal("50.88075")


def test_the_same_day_with_and_without_numbers_is_refused_and_nothing_is_written(
    ledger: Path,
) -> None:
    assert usance("import", ledger, LOG).exit_code == 0
    before = imported(ledger)
    file = ledger.parent / "page.csv"
    file.write_text(
        "Currency,Contract,Type,Direction,Quantity,Position,Filled Price,Funding,Fee Paid,"
        "Cash Flow,Change,Wallet Balance,Action,OrderId,TradeId,Time\n"
        "USDT,,TRANSFER_OUT,--,0,0,0,0,0,-100,-100,40.89075,--,o,t,2026-06-04 15:00:00.250\n"
    )
    done = usance("import", ledger, file)
    assert done.exit_code == 1
    assert "both have rows of 2026-06-04, the latter without numbers of trades" in done.stderr
    assert imported(ledger) == before
    assert len(list((ledger.parent / "downloads" / "bybit" / "Main" / "files").iterdir())) == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            "1,ETH,ETHUSD,TRADE,SELL,1500,0,3000,0,-0.0002,-0.09,-0.0902,0.3,CLOSE,",
            "row 1: 'ETHUSD' is a market of a kind that is not booked. Only perpetual contracts in",
        ),
        (
            "1,USDT,SOLUSDT,TRADE,SELL,6,0,3,0,0,6,6,6,--,",
            "row 1: of a trade of coins only the half in USDT is there. Export all coins, and keep",
        ),
        (
            '1,USDT,,TRANSFER_IN,--,0,0,0,0,0,"1,000.00",1000,1000,--,',
            "row 1: cash: '1,000.00' is no number. Write it as 1234.56, without separators",
        ),
    ],
)
def test_a_row_that_cannot_be_booked_is_told_with_its_file(
    ledger: Path, row: str, says: str
) -> None:
    file = log(ledger.parent, "wrong", [f"{row}2026-06-04 15:00:00"])
    done = usance("import", ledger, file)
    assert done.exit_code == 1
    assert says in done.stderr
    assert not (ledger.parent / "imported").exists() or imported(ledger) == {}


def test_where_interest_is_generated_its_rows_are_checked(ledger: Path) -> None:
    ledger.write_text(ledger.read_text().replace('  interest: "imported"\n', ""))
    done = usance("import", ledger, LOG, "--format", "json")
    answer = json.loads(done.stdout)
    assert answer["checked"] == {"interest": 2}
    assert "interest" not in answer["booked"]


def test_a_transfer_between_two_accounts_is_one_transaction(ledger: Path) -> None:
    """Main gives 100 USDT at 15:00:00, and Arb gets them in the same second."""
    ledger.write_text(
        ledger.read_text()
        + """
2026-06-01 custom "sub-account" "Arb" Assets:Bybit:Arb
2026-06-01 custom "feed" "Arb" "bybit"
  outside: Assets:Bank
"""
    )
    into = "1,USDT,,TRANSFER_IN,--,0,0,0,0,0,100,100,100,--,2026-06-04 15:00:00"
    assert usance("import", ledger, LOG).exit_code == 2
    assert usance("import", ledger, LOG, "--as", "Main").exit_code == 0
    assert usance("import", ledger, log(ledger.parent, "arb", [into]), "--as", "Arb").exit_code == 0
    assert b"""2026-06-04 * "Transfer from Main to Arb"
  time: "15:00:00"
  bybit: "withdrawal/USDT/2026-06-04T15:00:00/100/1 deposit/USDT/2026-06-04T15:00:00/100/1"
  Assets:Bybit:Main:Wallet  -100 USDT
  Assets:Bybit:Arb:Wallet  100 USDT
""" in imported(ledger)["2026-06.beancount"]


def test_fetch_says_that_the_venue_is_not_asked_and_goes_on(ledger: Path) -> None:
    done = usance("fetch", ledger, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "fetched": [],
        "snapshots": [],
        "stable": True,
        "notes": ["Main: fetch does not know bybit; import the files that it exports"],
    }


def test_reconcile_says_that_there_is_no_snapshot(ledger: Path) -> None:
    assert usance("import", ledger, LOG).exit_code == 0
    done = usance("reconcile", ledger)
    assert done.exit_code == 1
    assert "Snapshots of bybit are not read. Compare Main with a statement" in done.stderr


def test_daily_runs_without_a_snapshot(ledger: Path) -> None:
    """Two days are closed on the way, and a second run changes nothing."""
    (ledger.parent / "posted").mkdir()
    (ledger.parent / "posted" / "first.beancount").write_text("; Closed days.\n")
    ledger.write_text(ledger.read_text() + 'include "posted/*.beancount"\n')
    assert usance("import", ledger, LOG).exit_code == 0
    done = usance("daily", ledger, "--through", "2026-06-02", "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["steps"][-1] == {
        "step": "reconcile",
        "ok": True,
        "answer": {"ok": True, "reconciled": []},
    }
    again = usance("daily", ledger, "--through", "2026-06-02")
    assert again.exit_code == 0
    assert "accrue     Nothing to post: closed through 2026-06-02." in again.stdout
    assert "reconcile  Snapshots of bybit are not read." in again.stdout
    assert in_the_account(ledger, "USDT") == Decimal("40.89075")
