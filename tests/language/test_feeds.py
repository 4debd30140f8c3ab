"""Feeds: what a person's directive says, and that the books of no day rest on it."""

from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data
from folders import SIX_DAYS, Folder

from usance.language.reading import Reading, read
from usance.model.feeds import Feed
from usance.model.hours import iso
from usance.model.problems import Source
from usance.model.terms import Stage

INCLUDE = 'include "imported/*.beancount"\n'
FEED = """\
2025-05-03 custom "feed" "Main" "backpack"
  outside: Assets:Bank
"""
PRODUCT = """\
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.04
"""


def made(path: Path, *parts: str, imported: str = "; Imported rows\n") -> Folder:
    folder = Folder.made(path / "books", SIX_DAYS + INCLUDE + "".join(parts))
    (folder.path / "imported").mkdir()
    (folder.path / "imported" / "first.beancount").write_text(imported)
    return folder


def reading(folder: Folder) -> Reading:
    entries, _, options = loader.load_file(str(folder.ledger))
    written = [entry for entry in entries if entry.meta["filename"] != "(usance)"]
    return read(written, options, str(folder.path), frozenset(Stage))


def errors(folder: Folder) -> list[str]:
    return [error.message for error in folder.load()[1]]


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    folder = made(tmp_path, FEED)
    assert errors(folder) == []
    [(name, feed)] = reading(folder).feeds.items()
    assert name == "Main"
    assert iso(feed.since) == "2025-05-03"
    assert feed == Feed(
        "Main",
        "backpack",
        feed.since,
        outside="Assets:Bank",
        transit="Assets:Bank",
        distributions="Income:Backpack:Main:Distributions",
        pays=None,
        fee_on_top=True,
        ignore=frozenset({"POINTS"}),
        source=Source("", 0),
    )


def test_every_key_is_read(tmp_path: Path) -> None:
    keys = """\
  transit: Equity:Transit
  distributions: Income:Gifts
  pays: "USD"
  withdrawal-fee: "included"
  ignore: "POINTS  SEASON2"
"""
    folder = made(tmp_path, PRODUCT, FEED, keys)
    assert errors(folder) == []
    feed = reading(folder).feeds["Main"]
    assert (feed.transit, feed.distributions) == ("Equity:Transit", "Income:Gifts")
    assert (feed.pays, feed.fee_on_top) == ("USD", False)
    assert feed.ignore == {"POINTS", "SEASON2"}
    folder.edit('"POINTS  SEASON2"', '""')
    assert reading(folder).feeds["Main"].ignore == frozenset()


def test_accounts_follow_the_ledger_s_names_of_the_roots(tmp_path: Path) -> None:
    folder = made(tmp_path, FEED, 'option "name_income" "Revenues"\n')
    assert reading(folder).feeds["Main"].distributions == "Revenues:Backpack:Main:Distributions"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('"Main" "backpack"', '"Main"', 'custom "feed" has the wrong values.'),
        ('"Main" "backpack"', '"Main" "backpack" 3', 'custom "feed" has the wrong values.'),
        ('"Main" "backpack"', "Assets:Bank 3", 'custom "feed" has the wrong values.'),
        ('"backpack"', '"Backpack"', 'the rows of "Backpack" cannot be booked. Write "backpack"'),
        (
            '"Main"',
            '"Mian"',
            'feed "Mian": no sub-account "Mian" is declared. Write "Arb" or "Main".',
        ),
        ("  outside: Assets:Bank\n", "", "outside is missing. Write it as outside: Assets:Bank."),
        ("Assets:Bank\n", "TRUE\n", "outside is TRUE. Write it as outside: Assets:Bank."),
        ("Assets:Bank\n", "Assets:Backpack:Arb:Wallet\n", 'which belongs to sub-account "Arb".'),
        ("Assets:Bank\n", "Assets:Backpack:Other\n", "lies under a venue and belongs to no"),
        ("Assets:Bank\n", '"Bank"\n', "outside is Bank, which is no account of this ledger."),
        ("Bank\n", 'Bank\n  time: "09:30"\n', "the key time is unknown here."),
        ("Bank\n", 'Bank\n  venue: "Backpack"\n', "the key venue is unknown here."),
        ("Bank\n", "Bank\n  transit: 3\n", "transit is the number 3. Write it as transit: Equity:"),
        ("Bank\n", 'Bank\n  pays: "EUR"\n', 'no yield product "EUR" is declared. Write "USD".'),
        ("Bank\n", "Bank\n  pays: TRUE\n", 'pays is TRUE. Write it as pays: "USD".'),
        ("Bank\n", 'Bank\n  withdrawal-fee: "on"\n', 'withdrawal-fee: "on-top" or "included".'),
        ("Bank\n", "Bank\n  ignore: 3\n", 'ignore is the number 3. Write it as ignore: "POINTS".'),
    ],
)
def test_a_wrong_feed_is_one_error(old: str, new: str, text: str, tmp_path: Path) -> None:
    """And no feed: nothing that depends on it is told beside."""
    folder = Folder.made(tmp_path / "books", SIX_DAYS + PRODUCT + FEED.replace(old, new))
    [error] = errors(folder)
    assert text in error
    assert reading(folder).feeds == {}
    assert folder.usance("accrue", "--through", "2025-05-06").exit_code == 1


def test_a_feed_is_no_input_of_a_day(tmp_path: Path) -> None:
    """It is no change of a closed day if it comes, moves or goes, and moves no horizon."""
    folder = made(tmp_path)
    assert folder.usance("accrue", "--through", "2025-05-05").exit_code == 0
    inputs = (folder.path / "posted" / "2025-05.inputs").read_bytes()
    text = folder.ledger.read_text()
    folder.ledger.write_text(text + FEED)
    assert errors(folder) == []
    folder.edit('2025-05-03 custom "feed"', '2025-04-01 custom "feed"')
    assert errors(folder) == []
    horizon = reading(folder).horizon
    folder.edit('2025-04-01 custom "feed"', '2026-05-20 custom "feed"')
    assert reading(folder).horizon == horizon
    assert "sealed" not in folder.usance("check").stdout
    folder.ledger.write_text(text)
    assert errors(folder) == []
    assert folder.usance("accrue", "--through", "2025-05-06").exit_code == 0
    assert (folder.path / "posted" / "2025-05.inputs").read_bytes().startswith(inputs)
    assert "feed" not in (folder.path / "posted" / "2025-05.inputs").read_text()


PERP = """\
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135
2025-05-01 price SOL-PERP 150 USDC
2025-05-04 price SOL-PERP 150 USDC
2025-05-01 open Assets:Backpack:Main:Perp
2025-05-01 open Income:Backpack:Main:PnL
"""


def trade(day: str, quantity: int) -> str:
    return (
        f'2025-05-{day} * "Trade"\n  Assets:Backpack:Main:Perp  {quantity} SOL-PERP {{150 USDC}}\n'
        f"  Assets:Backpack:Main:Perp  {-150 * quantity} USDC\n"
    )


def test_only_the_feed_trades_from_its_date_on(tmp_path: Path) -> None:
    """By hand before it, from the folder imported after it; of other sub-accounts at any time."""
    other = trade("05", 3).replace("Main", "Arb") + "2025-05-01 open Assets:Backpack:Arb:Perp\n"
    folder = made(tmp_path, PERP, FEED, trade("02", 1), other, imported=trade("03", 2))
    assert errors(folder) == []
    folder.ledger.write_text(folder.ledger.read_text() + trade("03", 1).replace("Trade", "Hand"))
    entries, found, _ = loader.load_file(str(folder.ledger))
    [error] = found
    assert error.message.startswith('sub-account "Main": SOL-PERP is traded here by hand')
    assert error.source["lineno"] == folder.line("Hand")
    assert any(isinstance(entry, data.Transaction) for entry in entries)


def test_a_folder_of_that_name_elsewhere_is_a_person_s(tmp_path: Path) -> None:
    folder = made(tmp_path, PERP, FEED, 'include "old/imported/*.beancount"\n')
    (folder.path / "old" / "imported").mkdir(parents=True)
    (folder.path / "old" / "imported" / "a.beancount").write_text(trade("03", 1))
    [error] = errors(folder)
    assert "is traded here by hand" in error


def test_every_file_of_the_folder_is_included(tmp_path: Path) -> None:
    folder = made(tmp_path, FEED)
    (folder.path / "imported" / "2025-05.beancount").write_text("; Rows\n")
    assert errors(folder) == []
    folder.edit(INCLUDE, 'include "imported/first.beancount"\n')
    [error] = errors(folder)
    assert error.startswith("The ledger does not include imported/2025-05.beancount")
