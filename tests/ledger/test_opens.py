"""An account that Beancount does not let the engine use is one error, at the line that is wrong."""

import json
from pathlib import Path

import pytest
from folders import Folder

HEAD = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Venue:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 open Assets:Bank
"""
WALLET = "2025-05-01 open Assets:Venue:Main:Wallet\n"
DEPOSIT = """\
2025-05-01 * "Deposit"
  Assets:Venue:Main:Wallet   1000 USDC
  Assets:Bank               -1000 USDC
"""
THROUGH = '2025-05-04 custom "accrue-through" 2025-05-04\n'
YIELD = """\
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.0400
"""
SOL = """\
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.05 0.08
2025-05-01 custom "collateral" "SOL"
  weight: 0.9
2025-05-02 price SOL 150 USDC
2025-05-02 * "A coin that is borrowed"
  Assets:Venue:Main:Wallet  -1 SOL
  Assets:Bank                1 SOL
"""


def written(path: Path, *parts: str) -> Folder:
    """Write a ledger, with a folder for closed days."""
    folder = Folder(path / "books")
    (folder.path / "posted").mkdir(parents=True)
    (folder.path / "posted" / "first.beancount").write_text("; Closed days\n")
    folder.ledger.write_text("".join(parts))
    return folder


def told(folder: Folder) -> list[str]:
    """Return the errors and findings that `usance check` tells, without the folder."""
    answer = json.loads(folder.usance("check", "--format", "json").stdout)
    places = [*answer["errors"], *answer["findings"]]
    files = (place["file"].removeprefix(f"{folder.path}/") for place in places)
    return [
        f"{file}:{place['line']}: {place['message']}"
        for file, place in zip(files, places, strict=True)
    ]


def only(folder: Folder, part: str, *words: str) -> None:
    """Check that one error is told, at the line with a text, and that nothing is written."""
    [text] = told(folder)
    assert text.startswith(f"main.beancount:{folder.line(part)}: ")
    for word in words:
        assert word in text
    before = folder.files()
    assert folder.usance("accrue").exit_code == 1
    assert folder.files() == before


def closes(folder: Folder) -> None:
    """Check that nothing is wrong, that all days can be closed, and then loaded again."""
    assert told(folder) == []
    assert folder.usance("accrue").exit_code == 0
    assert told(folder) == []


# Closed accounts


def test_a_wallet_that_is_closed_before_a_payout_is_told_at_its_close(tmp_path: Path) -> None:
    """May's yield is paid on the first of June, and earns interest from then on."""
    gone = """\
2025-05-10 * "All of it leaves the venue"
  Assets:Venue:Main:Wallet  -1000.900403 USDC
  Assets:Bank                1000.900403 USDC
2025-05-11 close Assets:Venue:Main:Wallet
"""
    through = '2025-06-04 custom "accrue-through" 2025-06-04\n'
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, YIELD, gone, through)
    only(
        folder,
        "close Assets:Venue:Main:Wallet",
        "is closed on 2025-05-11, but payout/2025-06-01/Main posts to it later",
        "the last such transaction is of 2025-06-04",
        "If the venue paid the yield earlier, write that payment, with pays:.",
    )
    folder.edit("2025-05-11 close", "2025-06-04 close")
    closes(folder)


def test_days_beyond_the_horizon_are_not_closed_into_a_closed_account(tmp_path: Path) -> None:
    """The books end on the 3rd, and interest goes on for as long as a run asks for it."""
    close = "2025-05-03 close Assets:Venue:Main:Wallet\n"
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, close, THROUGH.replace("05-04", "05-03"))
    assert told(folder) == []
    before = folder.files()
    done = folder.usance("accrue", "--through", "2025-05-05")
    assert done.exit_code == 1
    assert f"main.beancount:{folder.line('close')}: " in done.stderr
    assert "of 2025-05-05. Give the close that date or a later one" in done.stderr
    assert folder.files() == before
    closes(folder)


def test_an_account_of_the_engine_is_closed_too_early(tmp_path: Path) -> None:
    """Nobody opened it but the engine; the close is a person's."""
    close = "2025-05-02 close Income:Venue:Main:Interest\n"
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, close, THROUGH)
    only(folder, "close Income", "lending/2025-05-03/Main posts to it later", "of 2025-05-04.")


def test_a_close_before_days_that_are_closed_is_told_once(tmp_path: Path) -> None:
    """The transactions that Beancount would refuse are posted."""
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, THROUGH)
    closes(folder)
    with folder.ledger.open("a") as ledger:
        ledger.write("2025-05-02 close Assets:Venue:Main:Wallet\n")
    only(folder, "close Assets", "lending/2025-05-03/Main", "of 2025-05-04.")


def test_a_close_by_a_plugin_is_told_at_the_open(tmp_path: Path) -> None:
    tree = """\
2025-05-01 open Income:Venue:Main
2025-05-01 open Income:Venue:Main:Interest
2025-05-02 close Income:Venue:Main
"""
    head = f'plugin "beancount.plugins.close_tree"\n{HEAD}'
    folder = written(tmp_path, head, WALLET, DEPOSIT, tree, THROUGH)
    only(
        folder, "open Income:Venue:Main:Interest", "is closed on 2025-05-02, but lending/2025-05-03"
    )


def test_a_close_on_the_last_day_of_all_is_no_error(tmp_path: Path) -> None:
    close = "2025-05-04 close Assets:Venue:Main:Wallet\n"
    closes(written(tmp_path, HEAD, WALLET, DEPOSIT, close, THROUGH))


# Coins


def test_an_open_for_one_coin_is_told_if_another_is_borrowed(tmp_path: Path) -> None:
    borrowed = "2025-05-01 open Liabilities:Venue:Main:Borrowed USDC\n"
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, borrowed, SOL, THROUGH)
    only(
        folder,
        "open Liabilities",
        "is not open for SOL, but borrowing/2025-05-02/Main posts SOL to it",
        "Write USDC,SOL behind the account",
    )
    folder.edit("Borrowed USDC", "Borrowed USDC,SOL")
    closes(folder)


def test_all_coins_that_an_open_lacks_are_one_error(tmp_path: Path) -> None:
    """EUR alone is open; SOL is borrowed on the 2nd, and USDC on the 3rd."""
    borrowed = "2025-05-01 open Liabilities:Venue:Main:Borrowed EUR\n"
    spent = """\
2025-05-03 * "Two bought, of which one repays and one is worth more than the debt"
  Assets:Venue:Main:Wallet      2 SOL @ 550 USDC
  Assets:Venue:Main:Wallet  -1100 USDC
"""
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, borrowed, SOL, spent, THROUGH)
    only(folder, "open Liabilities", "Write EUR,SOL,USDC behind the account")


# Opens that come late


def test_an_open_after_the_first_posting_is_told_at_the_open(tmp_path: Path) -> None:
    late = "2025-05-03 open Income:Venue:Main:Interest\n"
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, late, THROUGH)
    only(
        folder,
        "open Income",
        "is opened here, but lending/2025-05-01/Main posts to it before",
        "Write 2025-05-01 as the date of this open.",
    )
    folder.edit("2025-05-03 open", "2025-05-01 open")
    closes(folder)


def test_a_result_account_that_opens_after_a_liquidation_is_told_at_the_open(
    tmp_path: Path,
) -> None:
    """50 at 150 on 1000: at 131 the loss is 950, and 50 of equity hold no 6,550."""
    contract = """\
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.10
  maintenance-margin: 0.05
2025-05-01 custom "liquidation" "simulate"
2025-05-01 open Assets:Venue:Main:Perp "FIFO"
2025-05-04 open Income:Venue:Main:PnL
2025-05-01 * "Open"
  Assets:Venue:Main:Perp     50 SOL-PERP {150 USDC}
  Assets:Venue:Main:Perp  -7500 USDC
2025-05-01 price SOL-PERP 150 USDC
2025-05-02 price SOL-PERP 131 USDC
"""
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, contract, THROUGH)
    only(folder, "open Income", "liquidation/2025-05-02/Main posts to it before", "2025-05-02 as")
    folder.edit("2025-05-04 open", "2025-05-02 open")
    closes(folder)


# Accounts that nobody opened, or two did


def test_an_imported_row_to_an_account_of_the_engine_is_told_at_the_row(tmp_path: Path) -> None:
    row = """\
2025-05-03 * "A row of the venue's statement"
  Assets:Venue:Main:Wallet      0.10 USDC
  Income:Venue:Main:Interest   -0.10 USDC
"""
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, row, THROUGH)
    only(
        folder,
        '"A row of',
        "only generated transactions such as lending/2025-05-01/Main post to it elsewhere",
        "generated as well, remove it; if not, write 2025-05-01 open Income:Venue:Main:Interest.",
    )
    with folder.ledger.open("a") as ledger:
        ledger.write("2025-05-01 open Income:Venue:Main:Interest\n")
    closes(folder)


def test_a_row_before_the_first_posting_opens_the_account_on_its_own_date(tmp_path: Path) -> None:
    """The fee of the 1st comes before what a liquidation would post."""
    row = """\
2025-04-29 * "Interest of an older wallet"
  Income:Venue:Main:Interest   -0.10 USDC
  Assets:Bank                   0.10 USDC
"""
    opened = "2025-04-01 open Assets:Bank\n"
    head = HEAD.replace("2025-05-01 open Assets:Bank\n", opened)
    folder = written(tmp_path, head, WALLET, DEPOSIT, row, THROUGH)
    only(folder, '"Interest of an older', "write 2025-04-29 open Income:Venue:Main:Interest.")


def test_a_wallet_that_nobody_opened_is_told_once(tmp_path: Path) -> None:
    folder = written(tmp_path, HEAD, DEPOSIT, THROUGH)
    only(
        folder,
        '"Deposit"',
        "this transaction and lending/2025-05-01/Main post to it",
        "Write 2025-05-01 open Assets:Venue:Main:Wallet.",
    )


def test_an_account_that_a_person_opened_in_time_is_enough(tmp_path: Path) -> None:
    """The engine opens none of them again, neither at a load nor in closed days."""
    opened = "".join(
        f"2025-05-01 open {account}\n"
        for account in (
            "Income:Venue:Main:Interest",
            "Income:Venue:Main:Treasury",
            "Assets:Venue:Main:AccruedYield",
            "Equity:Venue:Main:Uses:Lent",
        )
    )
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, YIELD, opened, THROUGH)
    closes(folder)
    month = (folder.path / "posted" / "2025-05.beancount").read_text()
    assert "open Equity:Venue:Main:Uses:Capital" in month
    assert "open Income" not in month
    assert "open Assets" not in month


def test_an_open_beside_that_of_closed_days_is_told_at_the_persons_line(tmp_path: Path) -> None:
    folder = written(tmp_path, HEAD, WALLET, DEPOSIT, THROUGH)
    closes(folder)
    with folder.ledger.open("a") as ledger:
        ledger.write("2025-05-01 open Income:Venue:Main:Interest\n")
    only(
        folder,
        "open Income",
        "is opened in closed days already, at posted/2025-05.beancount:3. Remove this open.",
    )


# Other plugins that open accounts

PAID = """\
2025-05-03 * "What the venue paid for April, in which it was enrolled elsewhere"
  Assets:Venue:Main:Wallet         3.39 USDC
  Assets:Venue:Main:AccruedYield  -3.39 USDC
2025-05-03 * "A row of the venue's statement"
  Assets:Venue:Main:Wallet      0.10 USDC
  Income:Venue:Main:Interest   -0.10 USDC
"""


@pytest.mark.parametrize("opened", ["", WALLET])
@pytest.mark.parametrize("name", ["auto_accounts", "auto"])
@pytest.mark.parametrize("order", [1, -1], ids=["before", "behind"])
def test_a_plugin_that_opens_accounts_may_stand_on_either_side(
    order: int, name: str, opened: str, tmp_path: Path
) -> None:
    """It dates an open by a person's first use, which may be later than the engine's."""
    pair = [f'plugin "beancount.plugins.{name}"\n', 'plugin "usance.plugins"\n']
    head = HEAD.replace(pair[1], "".join(pair[::order]))
    closes(written(tmp_path, head, opened, DEPOSIT, YIELD, PAID, THROUGH))
