"""A ledger's own text: what a person wrote, whatever is missing or wrong in what is imported."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.data import Booking

from usance.feeding.downloads import RefusedError
from usance.feeding.own_text import ByHand, Opened, OpenLot, Own, own
from usance.model.accounts import Side
from usance.model.hours import day_of, moment
from usance.model.problems import Source

HEAD = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
2025-06-01 custom "sub-account" "Main" Assets:Backpack:Main
2025-06-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
"""


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def read(folder: Path, text: str = "", **files: str) -> Own:
    """Return the own text of a ledger; files by name, with __ for a slash."""
    (folder / "main.beancount").write_text(HEAD + text)
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.beancount"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return own(folder / "main.beancount")


def refused(folder: Path, text: str = "", **files: str) -> str:
    """Return why a ledger's own text cannot be read, with file names alone."""
    with pytest.raises(RefusedError) as error:
        read(folder, text, **files)
    return str(error.value).replace(f"{folder}/", "")


def test_what_a_person_wrote_is_there(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'include "more.beancount"\n',
        more="""\
2025-06-01 commodity USDC
  quantum: 0.0000000001
2025-06-01 commodity KBONK-PERP
  backpack: "kBONK_USDC_PERP"
2025-05-01 open Assets:Backpack:Main:Perp "LIFO"
2025-05-02 open Assets:Bank
2025-06-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-06-01 custom "lending-rate" "USDC" "./rates/usdc.csv"
  venue: "Backpack"
2025-06-02 custom "collateral" "SOL"
  weight: 0.95
  venue: "Backpack"
2025-06-02 price SOL 150 USDC
2025-06-03 * "Deposit"
  Assets:Backpack:Main:Wallet  10 SOL
  Assets:Bank
2025-06-02 * "Deposit"
  Assets:Backpack:Main:Wallet  10 SOL
  Assets:Bank
""",
    )
    assert found.folder == tmp_path
    assert found.operating == "USDC"
    assert found.feeds["Main"].since == day_of(date("2025-06-01"))
    assert found.venue("Main") == "Backpack"
    assert found.chart.account("Main", Side.WALLET) == "Assets:Backpack:Main:Wallet"
    assert found.opens["Assets:Backpack:Main:Perp"] == Opened(date("2025-05-01"), Booking.LIFO)
    assert found.symbols == {"backpack": {"kBONK_USDC_PERP": "KBONK-PERP"}}
    assert found.quanta == {"USDC": Decimal("0.0000000001")}
    assert found.pools.keys() == {("Backpack", "USDC")}
    assert found.rates_files == {("Backpack", "USDC", "rates/usdc.csv")}
    collateral = found.collaterals["Backpack", "SOL"].at(moment(day_of(date("2025-06-02"))))
    assert collateral is not None
    assert found.stated == {("collateral", "Backpack", "SOL", day_of(date("2025-06-02")))}
    assert found.prices == {(date("2025-06-02"), "SOL", "USDC")}
    assert found.coins == {"Main": {"SOL": day_of(date("2025-06-02"))}}


TRADES = """\
2025-05-02 * "Open"
  Assets:Backpack:Main:Perp  5 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp  -750 USDC
2025-05-03 * "Open more"
  Assets:Backpack:Main:Perp  5 SOL-PERP {151 USDC}
  Assets:Backpack:Main:Perp  -755 USDC
2025-05-04 * "Close the oldest"
  Assets:Backpack:Main:Perp  -6 SOL-PERP {} @ 160 USDC
  Assets:Backpack:Main:Perp  960 USDC
  Income:Backpack:Main:PnL
"""


def test_contracts_before_the_feed_are_lots_first_in_first_out(tmp_path: Path) -> None:
    lots = read(tmp_path, TRADES).lots
    left = OpenLot(Decimal(4), Decimal(151), "USDC", date("2025-05-03"))
    assert lots == {("Main", "SOL-PERP"): (left,)}


def test_a_booking_method_of_the_open_holds(tmp_path: Path) -> None:
    lots = read(tmp_path, f'{TRADES}2025-05-01 open Assets:Backpack:Main:Perp "LIFO"\n').lots
    left = OpenLot(Decimal(4), Decimal(150), "USDC", date("2025-05-02"))
    assert lots == {("Main", "SOL-PERP"): (left,)}


def test_trades_from_the_feed_on_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, TRADES.replace("2025-05-04", "2025-06-01"))
    place = Source(str(tmp_path / "main.beancount"), 12)
    assert found.by_hand == (ByHand("Main", "SOL-PERP", day_of(date("2025-06-01")), place),)
    assert [lot.quantity for lot in found.lots["Main", "SOL-PERP"]] == [5, 5]


def test_what_import_and_accrue_write_may_be_missing_or_wrong(tmp_path: Path) -> None:
    lines = 'include "imported/*.beancount"\ninclude "posted/*.beancount"\n'
    assert read(tmp_path, lines).feeds
    wrong = "this is no ledger {\n"
    assert read(tmp_path, lines, imported__terms=wrong, posted__first=wrong).feeds
    everything = read(tmp_path, 'include "**/*.beancount"\n', imported__prices=wrong, extra="")
    assert everything.feeds


def test_missing_rates_and_prices_do_not_matter(tmp_path: Path) -> None:
    line = '2025-06-01 custom "lending-rate" "USDC" "rates/none.csv"\n'
    assert read(tmp_path, line).feeds


def test_a_text_that_cannot_be_parsed_is_one_error(tmp_path: Path) -> None:
    why = "Invalid token: 'nonsense'. Correct the line."
    assert refused(tmp_path, "nonsense\nmore nonsense\n") == f"main.beancount:6: {why}"
    include = 'include "more.beancount"\n'
    assert refused(tmp_path, include, more="nonsense\n") == f"more.beancount:1: {why}"


def test_an_include_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    said = 'main.beancount: include "terms/*.beancount" finds no file.'
    remedy = "Correct the include line, or put the file there."
    assert refused(tmp_path, 'include "terms/*.beancount"\n') == f"{said} {remedy}"


def test_a_feed_or_sub_account_with_a_fault_is_an_error(tmp_path: Path) -> None:
    assert "outside" in refused(tmp_path, '2025-06-02 custom "feed" "Main" "backpack"\n')
    wrong = '2025-06-01 custom "sub-account" "Arb" Assets:Backpack:Arb\n  auto-lend: 3\n'
    assert refused(tmp_path, wrong).startswith("main.beancount:6: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "2025-06-01 commodity BONK\n  backpack: 3\n",
            '6: backpack: of commodity BONK is no text. Write it as "SOL_USDC_PERP".',
        ),
        (
            '2025-06-01 commodity A1\n  backpack: "B"\n2025-06-01 commodity A2\n  backpack: "B"\n',
            '8: "B" is A2 here, and A1 elsewhere. Remove one of the two.',
        ),
    ],
)
def test_a_symbol_with_a_fault_is_an_error(tmp_path: Path, text: str, why: str) -> None:
    assert refused(tmp_path, text) == f"main.beancount:{why}"
