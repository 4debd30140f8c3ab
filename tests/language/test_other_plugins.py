"""Plugins of somebody else, before ours or behind: what a person wrote counts in both cases."""

from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import foreign_plugins  # noqa: F401 -- the ledgers name them
import pytest
from beancount.core import data
from beancount.core.amount import Amount
from beancount.utils import encryption
from folders import Folder, generated

from usance.language import provenance

BEFORE_AND_BEHIND = ("before", "behind")

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
include "marks.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Venue:Main
2025-05-01 custom "sub-account" "Arb" Assets:Venue:Arb
2025-05-01 custom "collateral" "SOL"
  weight: 1
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Venue:Main:Wallet
2025-05-01 open Assets:Venue:Arb:Wallet
2025-05-01 open Assets:Venue:Main:Perp "FIFO"
2025-05-01 * "Deposit, and a lot of 2021"
  Assets:Venue:Main:Wallet     1000 USDC
  Assets:Venue:Main:Wallet       10 SOL {20 USDC, 2021-01-04}
  Assets:Bank                 -1200 USDC
2025-05-02 * "Open at 150, above the mark of the day"
  Assets:Venue:Main:Perp         20 SOL-PERP {150 USDC}
  Assets:Venue:Main:Perp      -3000 USDC
2025-05-03 * "The lot moves"
  Assets:Venue:Main:Wallet      -10 SOL {20 USDC, 2021-01-04}
  Assets:Venue:Arb:Wallet        10 SOL {20 USDC, 2021-01-04}
2025-05-03 custom "accrue-through" 2025-05-03
"""
MARKS = """\
2025-05-01 price SOL 150 USDC
2025/5/2   price SOL 150 USDC
2025-05-03 price SOL (300 + 2) / 2 USDC   ; 151
2025-05-02 price SOL-PERP 148 USDC
2025-05-03 price SOL-PERP 149 USDC
"""


def books(path: Path, plugin: str, side: str, ledger: str = LEDGER, marks: str = MARKS) -> Folder:
    """Write a ledger with a plugin line before ours, or behind it."""
    lines = ['plugin "usance.plugins"', f"plugin {plugin}"]
    ordered = lines if side == "behind" else lines[::-1]
    folder = Folder.made(path / "books", ledger.replace(lines[0], "\n".join(ordered)))
    (folder.path / "marks.beancount").write_text(marks)
    return folder


def settled(folder: Folder) -> dict[str, str]:
    """Return what settlements pay into the wallet, by day."""
    entries, errors = folder.load()
    assert errors == []
    return {
        str(entry.date): str(leg.units)
        for entry in entries
        if isinstance(entry, data.Transaction) and "settlement" in entry.tags
        for leg in entry.postings
        if leg.account == "Assets:Venue:Main:Wallet"
    }


# Prices


PRICE_MAKERS = [
    '"beancount.plugins.implicit_prices"',
    '"beancount.plugins.auto"',
    '"foreign_plugins.inverses"',
    '"foreign_plugins.tomorrow"',
    '"foreign_plugins.nowhere"',
]


@pytest.mark.parametrize(("plugin", "side"), [*product(PRICE_MAKERS, BEFORE_AND_BEHIND)])
def test_a_price_of_a_person_outranks_those_of_a_plugin(
    plugin: str, side: str, tmp_path: Path
) -> None:
    """20 contracts at 150 lose 2 each at 148, and win 1 each at 149; Arb has 10 SOL at 151."""
    folder = books(tmp_path, plugin, side)
    assert settled(folder) == {"2025-05-02": "-40.000000 USDC", "2025-05-03": "20.000000 USDC"}
    margin = folder.usance("margin", "--sub-account", "Arb", "--format", "json")
    assert '"net_equity": "1510"' in margin.output
    assert '"net_asset_value": "1510"' in folder.usance("accounts", "--format", "json").output


def test_a_plugins_price_counts_until_a_person_writes_one(tmp_path: Path) -> None:
    """On 2 May the only price is that of the trade, 150; the mark of 3 May is a person's, 149."""
    marks = "".join(line for line in MARKS.splitlines(keepends=True) if "PERP 148" not in line)
    folder = books(tmp_path, '"beancount.plugins.implicit_prices"', "before", marks=marks)
    assert settled(folder) == {"2025-05-03": "-20.000000 USDC"}


def test_a_price_of_the_inverse_is_one_of_the_pair(tmp_path: Path) -> None:
    """Arb's 10 SOL are worth 1600 at 1/160; the plugin's 20 USDC of 3 May does not count."""
    marks = MARKS.replace("price SOL (300 + 2) / 2 USDC", "price USDC 0.00625 SOL")
    marks = "".join(line for line in marks.splitlines(keepends=True) if "price SOL 1" not in line)
    folder = books(tmp_path, '"beancount.plugins.implicit_prices"', "before", marks=marks)
    margin = folder.usance("margin", "--sub-account", "Arb", "--format", "json")
    assert '"net_equity": "1600"' in margin.output


def test_prices_that_a_plugin_alone_makes_count_if_it_runs_before(tmp_path: Path) -> None:
    """The plugin makes 7 USDC of each directive: 10 SOL are 70."""
    listed = '2025-05-01 custom "listed" "SOL"\n2025-05-02 custom "listed" "SOL-PERP"\n'
    ledger = LEDGER.replace("1000 USDC", "9000 USDC").replace("1200 USDC", "9200 USDC")
    folder = books(tmp_path, '"foreign_plugins.listed"', "before", ledger, listed)
    assert settled(folder) == {"2025-05-02": "-2860.000000 USDC"}
    margin = folder.usance("margin", "--sub-account", "Arb", "--format", "json")
    assert '"net_equity": "70"' in margin.output


@pytest.mark.parametrize("side", BEFORE_AND_BEHIND)
@pytest.mark.parametrize(
    ("plugin", "line"),
    [
        ('"foreign_plugins.next_year"', ""),
        ('"beancount.plugins.check_drained"', "2025-05-03 close Assets:Old\n"),
        ('"beancount.plugins.check_closing"', ""),
    ],
)
def test_the_books_do_not_go_on_to_a_balance_that_a_plugin_makes(
    plugin: str, line: str, side: str, tmp_path: Path
) -> None:
    """The last directives are of 3 May: so the last day is 2 May."""
    ledger = LEDGER.replace('2025-05-03 custom "accrue-through" 2025-05-03\n', line).replace(
        "  Assets:Venue:Main:Wallet      -10 SOL {20 USDC, 2021-01-04}\n",
        "  Assets:Venue:Main:Wallet      -10 SOL {20 USDC, 2021-01-04}\n    closing: TRUE\n",
    )
    ledger += "2025-05-01 open Assets:Old USDC\n"
    folder = books(tmp_path, plugin, side, ledger)
    entries, _ = folder.load()
    dates = {
        str(entry.date)
        for entry in generated(entries)
        if isinstance(entry, data.Transaction) and "transfer" not in entry.tags
    }
    assert dates == {"2025-05-02"}


def test_a_balance_that_stands_in_no_file_is_a_persons() -> None:
    """As of a ledger that is loaded from a string."""
    text = provenance.Text()
    none = Amount(Decimal(0), "USDC")
    for file, line, person in (
        ("<string>", 2, True),
        ("\0", 2, True),
        ("<check_closing>", 0, False),
    ):
        meta = {"filename": file, "lineno": line}
        balance = data.Balance(meta, date(2025, 5, 1), "Assets:Bank", none, None, None)
        assert text.has_balance(balance) == person


@pytest.mark.parametrize(
    "written",
    [
        MARKS.replace("\n", "\r\n").encode(),
        b"; a comment\rgoes on\n" + MARKS.encode(),
        b"\n; \xc2\x85 \xe2\x80\xa8 \x0c no ends of lines\n" + MARKS.encode(),
    ],
    ids=["CRLF", "CR in a comment", "other separators"],
)
def test_lines_are_counted_as_beancount_counts_them(written: bytes, tmp_path: Path) -> None:
    folder = books(tmp_path, '"beancount.plugins.implicit_prices"', "before")
    (folder.path / "marks.beancount").write_bytes(written)
    assert settled(folder) == {"2025-05-02": "-40.000000 USDC", "2025-05-03": "20.000000 USDC"}


def test_a_price_in_an_encrypted_file_is_a_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beancount decrypts `marks.beancount.gpg`; here the file says nothing, and gpg is a table."""
    ledger = LEDGER.replace('"marks.beancount"', '"marks.beancount.gpg"')
    first = "2025-05-01 price SOL-PERP 150 USDC\n2025-05-01 price SOL 150 USDC\n"
    folder = books(tmp_path, '"beancount.plugins.implicit_prices"', "before", ledger + first)
    (folder.path / "marks.beancount.gpg").write_bytes(b"\x85\x01 price \xff")
    monkeypatch.setattr(encryption, "read_encrypted_file", lambda _: MARKS)
    assert settled(folder) == {"2025-05-02": "-40.000000 USDC", "2025-05-03": "20.000000 USDC"}


def test_days_that_were_closed_on_a_plugins_prices_stay_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 May was closed at the plugin's mark of 150, where 148 is a person's: so nothing settled.

    On 3 May the person's mark counts: 20 contracts lose 1 each.
    """
    plugin = '"beancount.plugins.implicit_prices"'
    folder = books(tmp_path, plugin, "before")
    with monkeypatch.context() as release:
        release.setattr(provenance, "follows_others", lambda _: False)
        folder.accrue("--through", "2025-05-02")
    assert folder.load()[1] == []
    assert folder.usance("verify").exit_code == 0
    folder.accrue()
    assert settled(folder) == {"2025-05-03": "-20.000000 USDC"}
    folder.edit("price SOL-PERP 148", "price SOL-PERP 147", "marks.beancount")
    assert "2025-05-02 is closed" in folder.usance("check").output
    folder.accrue("--through", "2025-05-04", "--correct")
    assert folder.load()[1] == []


def test_such_days_are_corrected_once_the_plugin_stands_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 148, 2 May settles -40, not 0: a correction of 3 May. At 149, 3 May settles 20."""
    folder = books(tmp_path, '"beancount.plugins.implicit_prices"', "before")
    with monkeypatch.context() as release:
        release.setattr(provenance, "follows_others", lambda _: False)
        folder.accrue("--through", "2025-05-02")
    plugins = ['plugin "beancount.plugins.implicit_prices"\n', 'plugin "usance.plugins"\n']
    folder.edit("".join(plugins), "".join(plugins[::-1]))
    assert "2025-05-02 is closed" in folder.usance("check").output
    folder.accrue("--correct")
    entries, errors = folder.load()
    assert errors == []
    posted = [
        (next(iter(entry.tags - {"usance"})), str(leg.units))
        for entry in entries
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
        for leg in entry.postings
        if leg.account == "Assets:Venue:Main:Wallet"
    ]
    assert posted == [("correction", "-40.000000 USDC"), ("settlement", "20.000000 USDC")]


# Postings


POOR = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
include "marks.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Venue:Main
  auto-borrow: TRUE
2025-05-01 custom "sub-account" "Arb" Assets:Venue:Arb
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0 0
2025-05-01 custom "collateral" "SOL"
  weight: 0.1
2025-05-01 open Assets:Bank
2025-05-01 open Expenses:Tax
2025-05-01 open Equity:Outside
2025-05-01 open Assets:Venue:Main:Wallet
2025-05-01 open Assets:Venue:Arb:Wallet
2025-05-01 * "Deposit"
  Assets:Venue:Main:Wallet   1000 USDC
  Assets:Bank               -1000 USDC
2025-05-02 * "Buy SOL for more than there is"
  Assets:Venue:Main:Wallet     10 SOL @ 150 USDC
  Assets:Venue:Main:Wallet  -1500 USDC
"""
"""Main owes 500 USDC; its SOL count for 150: a breach, which nobody's gift has caused."""

POOR_END = '2025-05-02 custom "accrue-through" 2025-05-02\n'
PRICE = "2025-05-01 price SOL 150 USDC\n"
BANK_PAYS = "  Assets:Bank  -1 USDC\n  Expenses:Tax  1 USDC\n"
WALLET_PAYS = "  Assets:Venue:Main:Wallet  -1 USDC\n  Expenses:Tax  1 USDC\n"
TO_ARB = """\
2025-05-02 * "To Arb"
  Assets:Venue:Main:Wallet    -50 USDC
  Assets:Venue:Arb:Wallet      50 USDC
"""
POSTERS = ['"beancount.plugins.currency_accounts" "Equity:Coins"', '"foreign_plugins.twice"']


def told(folder: Folder) -> list[str]:
    """Return what `usance check` finds, each by its first words that tell what it is."""
    words = ("is in breach", "moved this out")
    lines = [line for line in folder.usance("check").output.splitlines() if ": doubt: " not in line]
    return [next((word for word in words if word in line), line) for line in lines]


@pytest.mark.parametrize(("plugin", "side"), [*product(POSTERS, BEFORE_AND_BEHIND)])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["is in breach"]),
        (BANK_PAYS, ["is in breach"]),
        (WALLET_PAYS, ["is in breach", "moved this out"]),
        (TO_ARB, ["is in breach", "moved this out"]),
    ],
    ids=["trade", "bank pays", "wallet pays", "transfer"],
)
def test_postings_that_a_plugin_adds_are_no_gift(
    text: str, expected: list[str], plugin: str, side: str, tmp_path: Path
) -> None:
    """A trade within a wallet gives nothing away; a fee out of it, and a transfer, do."""
    folder = books(tmp_path, plugin, side, POOR + text + POOR_END, PRICE)
    assert told(folder) == expected


def test_a_transaction_that_a_plugin_makes_may_be_a_gift(tmp_path: Path) -> None:
    """1600 USDC leave the wallet, of which only 1000 were there."""
    trade = POOR.index('2025-05-02 * "Buy')
    folder = books(tmp_path, '"foreign_plugins.given"', "before", POOR[:trade] + POOR_END, PRICE)
    assert told(folder) == ["is in breach", "moved this out"]


# Strict plugins


STRICT = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
include "marks.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 commodity SOL
2025-05-01 custom "sub-account" "Main" "Assets:Venue:Main"
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.02 0.04
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Venue:Main:Wallet
2025-05-01 * "Deposit"
  Assets:Venue:Main:Wallet   1000 USDC
  Assets:Bank               -1000 USDC
"""
STRICT_END = '2025-05-02 custom "accrue-through" 2025-05-02\n'
LOT = """\
2025-05-01 * "Buy at cost"
  Assets:Venue:Main:Wallet      2 SOL {150 USDC}
  Assets:Venue:Main:Wallet   -300 USDC
"""


@pytest.mark.parametrize("side", BEFORE_AND_BEHIND)
@pytest.mark.parametrize("name", ["leafonly", "pedantic"])
def test_a_sub_account_in_quotes_is_no_use_of_its_account(
    name: str, side: str, tmp_path: Path
) -> None:
    folder = books(tmp_path, f'"beancount.plugins.{name}"', side, STRICT + STRICT_END, PRICE)
    assert folder.load()[1] == []
    folder.accrue()
    assert folder.load()[1] == []
    folder.edit('"Assets:Venue:Main"', "Assets:Venue:Main")
    assert [error.message for error in folder.load()[1]] == [
        "Non-leaf account 'Assets:Venue:Main' has postings on it"
    ]


def test_quotes_around_an_account_change_no_closed_day(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", STRICT.replace('"Assets:V', "Assets:V") + STRICT_END)
    folder.edit('Venue:Main"', "Venue:Main")
    folder.edit('include "marks.beancount"\n', "")
    folder.accrue()
    posted = folder.posted()
    folder.edit("Assets:Venue:Main\n  auto-lend", '"Assets:Venue:Main"\n  auto-lend')
    assert folder.load()[1] == []
    again = Folder.made(tmp_path / "again", folder.ledger.read_text())
    again.accrue()
    assert again.posted() == posted


@pytest.mark.parametrize("side", BEFORE_AND_BEHIND)
def test_a_plugin_that_reports_our_transactions_does_not_stop_accrue(
    side: str, tmp_path: Path
) -> None:
    """Interest in kind has no cost; behind our line, coherent_cost reports it for good."""
    plugin = '"beancount.plugins.coherent_cost"'
    folder = books(tmp_path, plugin, side, STRICT + LOT + STRICT_END, PRICE)
    for day in ("2025-05-01", "2025-05-02"):
        done = folder.accrue("--through", day)
        told = "Currency 'SOL' is used both with and without cost" in done.stderr
        assert told == ("stops nothing" in done.stderr)
        # Posted text is read before any plugin runs.
        assert told == (side == "behind" or day == "2025-05-02")
    assert folder.usance("verify").exit_code == 0
    assert folder.usance("check").exit_code == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LOT + LOT, "Duplicate entry"),
        (LOT.replace("150", "15") + "2025-05-03 balance Assets:Bank 1 USDC\n", "Balance failed"),
        ("2025-05-01 close Assets:Venue:Main:Wallet\n", "Assets:Venue:Main:Wallet"),
    ],
    ids=["a person's duplicate", "a balance", "a closed wallet"],
)
def test_other_errors_stop_accrue(text: str, message: str, tmp_path: Path) -> None:
    """A plugin's about what a person wrote; Beancount's about that, and about our transactions."""
    plugin = '"beancount.plugins.noduplicates"'
    folder = books(tmp_path, plugin, "behind", STRICT + text + STRICT_END, PRICE)
    done = folder.usance("accrue")
    assert done.exit_code == 1
    assert message in done.stderr
    assert "Nothing was written." in done.stderr
    assert folder.posted() == {}


@pytest.mark.parametrize(
    "root", ["Assets:Main", "Assets/Venue/Main", "assets:Venue:Main", "Assets:Venue:main", "", " "]
)
def test_a_text_that_is_no_account_is_refused(root: str, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", STRICT + STRICT_END)
    folder.edit('include "marks.beancount"\n', "")
    folder.edit('"Assets:Venue:Main"', f'"{root}"')
    [error] = folder.load()[1]
    assert error.message.startswith(f'sub-account "Main": {root} cannot hold a wallet. Write an ')
