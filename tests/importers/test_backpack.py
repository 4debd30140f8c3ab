"""The importer under beangulp's commands and on Fava's import page."""

import datetime
import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import beangulp
import pytest
from beancount import loader
from beancount.core.data import Directive, Transaction
from beancount.parser import printer
from click.testing import CliRunner
from fava.application import create_app
from simulated_months import november
from venue_simulator import Venue

from usance.importers import Backpack
from usance.venues.numbers import Misread

ROOT = "Assets:Backpack:Main"
OPENS = """\
2025-01-01 open Assets:Bank
2025-01-01 open Assets:Backpack:Main:Wallet
2025-01-01 open Assets:Backpack:Main:Perp "FIFO"
2025-01-01 open Income:Backpack:Main:PnL
2025-01-01 open Income:Backpack:Main:Funding
2025-01-01 open Income:Backpack:Main:Interest
2025-01-01 open Expenses:Backpack:Main:Fees
2025-01-01 open Expenses:Backpack:Main:Funding
2025-01-01 open Expenses:Backpack:Main:Interest
2025-01-01 open Liabilities:Backpack:Main:Borrowed
"""


def importer(**options: Any) -> Backpack:  # noqa: ANN401
    return Backpack("Main", ROOT, "Assets:Bank", **options)


def fill(number: int, side: str, quantity: str, price: str, at: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "tradeId": number,
        "orderId": "77",
        "clientId": None,
        "symbol": "SOL_USDC_PERP",
        "side": side,
        "quantity": quantity,
        "price": price,
        "fee": "0.1",
        "feeSymbol": "USDC",
        "isMaker": False,
        "systemOrderType": None,
        "timestamp": at,
        **more,
    }


def file(folder: Path, rows: object, name: str = "rows.json") -> str:
    path = folder / name
    path.write_text(json.dumps(rows))
    return str(path)


def text(entries: list[Directive]) -> str:
    """Return entries as text, with one blank between the parts of a posting."""
    printed = "\n".join(map(printer.format_entry, entries))
    return re.sub(r"(?<=\S) +", " ", printed)


def test_a_fill_is_what_import_makes_of_it(tmp_path: Path) -> None:
    """50 at 150 are 7,500 USDC."""
    path = file(tmp_path, [fill(8, "Bid", "50", "150", "2025-11-02T09:30:00")])
    [entry] = importer().extract(path, [])
    assert text([entry]) == dedent(
        """\
        2025-11-02 * "Buy 50 SOL-PERP at 150"
          time: "09:30:00"
          backpack: "fill/SOL_USDC_PERP/8/77/Bid"
          order: "77"
          contract: "SOL-PERP"
          Assets:Backpack:Main:Perp 50 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp -7500 USDC
          Expenses:Backpack:Main:Fees 0.1 USDC
          Assets:Backpack:Main:Wallet -0.1 USDC
        """
    )


def test_a_close_takes_the_lots_that_the_ledger_has(tmp_path: Path) -> None:
    """60 sold at 148: 50 of 150 lose 100, 10 of 151 lose 30."""
    first = [
        fill(8, "Bid", "50", "150", "2025-11-02T09:30:00"),
        fill(9, "Bid", "20", "151", "2025-11-02T09:30:00"),
    ]
    opened = text(importer().extract(file(tmp_path, first), []))
    existing, errors, _ = loader.load_string(OPENS + opened)
    assert errors == []
    path = file(tmp_path, [fill(10, "Ask", "60", "148", "2025-11-03T10:00:00")])
    closing = text(importer().extract(path, existing))
    assert "Assets:Backpack:Main:Perp -60 SOL-PERP {} @ 148 USDC" in closing
    assert "Income:Backpack:Main:PnL 130 USDC" in closing
    assert loader.load_string(OPENS + opened + closing)[1] == []


def test_rows_that_the_ledger_has_are_marked_by_their_id_and_lots_are_not_counted_twice(
    tmp_path: Path,
) -> None:
    rows = [
        fill(8, "Bid", "50", "150", "2025-11-02T09:30:00"),
        fill(9, "Bid", "50", "150", "2025-11-02T09:30:00"),  # looks alike, and is another trade
        fill(10, "Ask", "60", "148", "2025-11-03T10:00:00"),
    ]
    once = text(importer().extract(file(tmp_path, rows[:1]), []))
    existing, errors, _ = loader.load_string(OPENS + once)
    assert errors == []
    reader = importer()
    entries = reader.extract(file(tmp_path, rows), existing)
    reader.deduplicate(entries, existing)
    assert ["__duplicate__" in entry.meta for entry in entries] == [True, False, False]
    assert entries[0].meta["__duplicate__"].meta["backpack"] == "fill/SOL_USDC_PERP/8/77/Bid"
    assert "Income:Backpack:Main:PnL 120 USDC" in text(entries)


def hours(first: int, last: int, charge: str = "Lend") -> list[dict[str, Any]]:
    """Return rows of interest for hours since 2025-11-01 00:00, each 0.01 USDC."""
    begin = datetime.datetime(2025, 11, 1)  # noqa: DTZ001 - as the venue writes it
    return [
        {
            "paymentType": charge,
            "interestRate": "0.0412",
            "interval": 3600000,
            "marketSymbol": "USDC",
            "positionId": "5",
            "quantity": "0.01",
            "symbol": "USDC",
            "timestamp": (begin + datetime.timedelta(hours=hour)).isoformat(),
        }
        for hour in range(first, last + 1)
    ]


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (1, 24, [24]),  # one day, from its first row to that of midnight
        (2, 24, []),  # the file begins within the day
        (1, 23, []),  # it ends within the day
        (5, 60, [24]),  # the day between
        (24, 72, [24, 24]),  # the first row is the last one of the day before
        (1, 25, [24]),
    ],
)
def test_interest_of_whole_days_alone(
    first: int, last: int, found: list[int], tmp_path: Path
) -> None:
    path = file(tmp_path, hours(first, last))
    entries = importer(interest="imported").extract(path, [])
    assert [int(entry.meta["rows"]) for entry in entries] == found
    assert importer().extract(path, []) == []  # generated: the engine posts it


def test_the_day_on_which_an_account_begins_is_whole_if_the_reader_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, hours(9, 24))
    since = datetime.date(2025, 11, 1)
    assert importer(interest="imported").extract(path, []) == []
    [entry] = importer(interest="imported", since=since).extract(path, [])
    assert entry.meta["rows"] == 16


def test_identify_names_no_file_that_cannot_be_read(tmp_path: Path) -> None:
    good = fill(8, "Bid", "50", "150", "2025-11-02T09:30:00")
    assert importer().identify(file(tmp_path, [good]))
    for name, rows in (
        ("bad.json", [good | {"price": "0"}]),
        ("none.json", []),
        ("account.json", {"autoLend": True}),
        ("rows.txt", [good]),
    ):
        assert not importer().identify(file(tmp_path, rows, name)), name
    csv = tmp_path / "fills.csv"
    csv.write_text(
        "trade_id,order_id,symbol,side,quantity,price,fee,fee_symbol,is_maker,timestamp\n"
        "8,77,SOL_USDC_PERP,Bid,50,150,0.1,USDC,false,2025-11-02T09:30:00\n"
    )
    assert importer().identify(str(csv))


def test_a_fault_names_its_file(tmp_path: Path) -> None:
    path = file(tmp_path, [fill(8, "Bid", "0", "150", "2025-11-02T09:30:00")])
    with pytest.raises(Misread, match=r"rows\.json: row 1: quantity"):
        importer().extract(path, [])


def test_interest_is_one_of_two_words() -> None:
    with pytest.raises(ValueError, match=r"interest is 'posted'\. Write \"generated\""):
        importer(interest="posted")


def test_what_is_not_said_has_the_defaults_of_a_feed(tmp_path: Path) -> None:
    deposit = {
        "id": 7,
        "symbol": "USDC",
        "quantity": "3.28",
        "source": "administrator",
        "status": "confirmed",
        "createdAt": "2025-06-02T09:00:00",
    }
    path = file(tmp_path, [deposit])
    assert "Income:Backpack:Main:Distributions" in text(importer().extract(path, []))
    paid = text(importer(pays="USD").extract(path, []))
    assert 'pays: "USD 2025-05"' in paid and "Assets:Backpack:Main:AccruedYield" in paid


# beangulp


def test_beangulp_extracts_and_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file(tmp_path / "in", [fill(8, "Bid", "50", "150", "2025-11-02T09:30:00")], "page.json")
    (tmp_path / "in" / "notes.json").write_text("[1]")
    ingest = beangulp.Ingest([importer()])
    done = CliRunner().invoke(ingest.cli, ["extract", str(tmp_path / "in")])
    assert done.exit_code == 0, done.output
    assert '2025-11-02 * "Buy 50 SOL-PERP at 150"' in done.output
    (tmp_path / "out").mkdir()
    filed = CliRunner().invoke(
        ingest.cli, ["archive", "-o", str(tmp_path / "out"), str(tmp_path / "in")]
    )
    assert filed.exit_code == 0, filed.output
    name = "Assets/Backpack/Main/Wallet/2025-11-02.backpack.main.fills.json"
    assert (tmp_path / "out" / name).is_file()


def test_files_of_several_sub_accounts_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("Main", "Arb"):
        (tmp_path / name / "fills").mkdir(parents=True)
    rows = [fill(8, "Bid", "50", "150", "2025-11-02T09:30:00")]
    file(tmp_path / "Main" / "fills", rows)
    file(tmp_path / "Arb" / "fills", rows)
    both = [
        Backpack("Main", ROOT, "Assets:Bank", folder="Main"),
        Backpack("Arb", "Assets:Backpack:Arb", "Assets:Bank", folder="Arb"),
    ]
    done = CliRunner().invoke(beangulp.Ingest(both).cli, ["extract", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert re.search(r"Assets:Backpack:Arb:Perp +50 SOL-PERP", done.output)
    assert re.search(r"Assets:Backpack:Main:Perp +50 SOL-PERP", done.output)


def test_beangulp_leaves_out_what_the_ledger_has(tmp_path: Path) -> None:
    path = file(tmp_path, [fill(8, "Bid", "50", "150", "2025-11-02T09:30:00")])
    ledger = tmp_path / "main.beancount"
    ledger.write_text(OPENS + text(importer().extract(path, [])))
    ingest = beangulp.Ingest([importer()])
    done = CliRunner().invoke(ingest.cli, ["extract", "-e", str(ledger), path])
    assert done.exit_code == 0, done.output
    # A duplicate is printed as a comment.
    assert '; 2025-11-02 * "Buy 50 SOL-PERP at 150"' in done.output
    assert '\n2025-11-02 * "Buy' not in done.output


# Fava


def test_fava_shows_the_file_and_its_transactions(tmp_path: Path) -> None:
    venue = Venue(november())
    folder = tmp_path / "import"
    folder.mkdir()
    rows = venue.rows("Main", "interest", venue.end)
    path = file(folder, rows[:1000], "interest.json")
    (folder / "snapshot.json").write_text('{"collateral": []}')
    (tmp_path / "importers.py").write_text(
        "from usance.importers import Backpack\n"
        "CONFIG = [\n"
        f'    Backpack("Main", "{ROOT}", "Assets:Bank", interest="imported"),\n'
        '    Backpack("Arb", "Assets:Backpack:Arb", "Assets:Bank"),\n'
        "]\n"
    )
    ledger = tmp_path / "main.beancount"
    options = (
        '2025-01-01 custom "fava-option" "import-config" "importers.py"\n'
        '2025-01-01 custom "fava-option" "import-dirs" "import"\n'
    )
    first = importer(interest="imported").extract(path, [])[:1]
    ledger.write_text(OPENS + options + text(first))
    client = create_app([str(ledger)]).test_client()
    found = client.get("/beancount/api/imports").get_json()["data"]
    [shown] = [one for one in found if one["basename"] == "interest.json"]
    assert [one["importer_name"] for one in shown["importers"]] == [
        "usance.importers.Backpack.Main",
        "usance.importers.Backpack.Arb",
    ]
    assert shown["importers"][0]["account"] == f"{ROOT}:Wallet"
    query = {"filename": path, "importer": "usance.importers.Backpack.Main"}
    entries = client.get("/beancount/api/extract", query_string=query).get_json()["data"]
    assert entries
    assert [bool(entry["meta"].get("__duplicate__")) for entry in entries][:2] == [True, False]
    assert all(entry["t"] == "Transaction" for entry in entries)
    assert {entry["meta"]["backpack"].split("/")[0] for entry in entries} == {"interest"}
    ids = [entry["meta"]["backpack"] for entry in entries]
    assert len(ids) == len(set(ids))
    assert isinstance(first[0], Transaction)
