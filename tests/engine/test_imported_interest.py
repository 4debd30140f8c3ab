"""Imported interest: a person books what the venue credits, and the engine generates none.

The figures in the comments are worked by hand from docs/formulas.md. 1,000 USDC at 3.65 % a year
grow by (1 + 0.0365/8760)^24 - 1 = 0.000100004791... a day; at 7.30 % by 0.000200019167...
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.parser import printer
from folders import Folder

HEAD = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 custom "collateral" "SOL"
  weight: 0.9
2025-05-01 price SOL 150 USDC
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Liabilities:Backpack:Main:Borrowed
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet  1000 USDC
  Assets:Bank
"""
SUB_ACCOUNT = """\
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
"""
IMPORTED = f'{SUB_ACCOUNT}  interest: "imported"\n'
WALLET = "Assets:Backpack:Main:Wallet"
OWED = "Liabilities:Backpack:Main:Borrowed"
EARNED = "Income:Backpack:Main:Interest"
PAID = "Expenses:Backpack:Main:Interest"
LENT = "Equity:Backpack:Main:Uses:Lent"


def through(day: int) -> str:
    return f'2025-05-{day:02} custom "accrue-through" 2025-05-{day:02}\n'


def earned(day: int, number: str) -> str:
    """Return a day's row of lending interest, as `usance import` writes it."""
    return (
        f'2025-05-{day:02} * "Interest"\n  time: "23:59:59"\n'
        f"  {WALLET}  {number} USDC\n  {EARNED}  -{number} USDC\n"
    )


def paid(day: int, number: str) -> str:
    return (
        f'2025-05-{day:02} * "Interest"\n  time: "23:59:59"\n'
        f"  {PAID}  {number} USDC\n  {OWED}  -{number} USDC\n"
    )


BUY = f"""\
2025-05-01 * "Buy for more than there is"
  time: "12:00"
  {WALLET}  10 SOL @ 150 USDC
  {WALLET}  -1500 USDC
"""


def made(path: Path, *parts: str) -> Folder:
    """Return the folder of a ledger that has no errors."""
    folder = Folder.made(path / "books", HEAD + "".join(parts))
    entries, errors = folder.load()
    assert [error.message for error in errors] == []
    assert entries
    return folder


def balance(folder: Folder, account: str, day: int = 31) -> Decimal:
    return sum(
        (
            leg.units.number
            for entry in folder.load()[0]
            for leg in getattr(entry, "postings", ())
            if leg.account == account and leg.units.currency == "USDC" and entry.date.day <= day
        ),
        Decimal(0),
    )


def lending(folder: Folder) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(folder.usance("lending", "--format", "json").stdout)
    return answer


def compared(folder: Folder) -> list[tuple[str, ...]]:
    """Return day, side, interest, expected and difference of each row of `usance lending`."""
    keys = ("side", "interest", "expected", "difference")
    return [(row["date"][-2:], *(row[key] for key in keys)) for row in lending(folder)["rows"]]


def ids(folder: Folder) -> list[str]:
    return [entry.meta["usance"] for entry in folder.load()[0] if "usance" in entry.meta]


def test_nothing_is_credited_and_all_is_lent(tmp_path: Path) -> None:
    """The rows of the venue are in the wallet, and lent from the next hour on."""
    rows = (earned(1, "0.10"), earned(2, "0.11"))
    folder = made(tmp_path, IMPORTED, *rows, through(3))
    assert balance(folder, WALLET) == Decimal("1000.21")
    assert balance(folder, EARNED) == Decimal("-0.21")
    assert balance(folder, LENT) == Decimal("1000.21")
    # Only the memorandum is generated: 1000.10 is lent, then 1000.21, and no more on the 3rd.
    assert ids(folder) == ["lending/2025-05-01/Main", "lending/2025-05-02/Main"]
    # 1000 x 0.000100004791 = 0.100004, 1000.1 x it = 0.100014, 1000.21 x it = 0.100025.
    assert compared(folder) == [
        ("01", "lent", "0.100000", "0.100004", "-0.000004"),
        ("02", "lent", "0.110000", "0.100014", "0.009986"),
        ("03", "lent", "0.000000", "0.100025", "-0.100025"),
    ]
    assert lending(folder)["differences"] == [
        {
            "sub_account": "Main",
            "venue": "Backpack",
            "coin": "USDC",
            "side": "lent",
            "days": 3,
            "interest": "0.210000",
            "expected": "0.300043",
            "difference": "-0.090043",
        }
    ]
    table = folder.usance("lending").stdout
    assert "Imported interest, and what the engine expects" in table
    assert "-0.090043" in table


def test_a_debt_grows_by_what_the_venue_charges(tmp_path: Path) -> None:
    """The borrow is generated, its interest and its entry fee are not."""
    text = HEAD.replace('"observed"', '"observed"\n  entry-fee: TRUE')
    buy = BUY.replace("12:00", "12:30")
    row = paid(1, "0.05")
    folder = Folder.made(tmp_path / "books", text + IMPORTED + buy + row + through(2))
    assert [error.message for error in folder.load()[1]] == []
    assert balance(folder, OWED) == Decimal("-500.05")
    assert balance(folder, PAID) == Decimal("0.05")
    assert balance(folder, WALLET) == 0
    # On the 1st 13 hours of 1000 lent, 11 hours of 500 owed; half an hour of 500 is the entry fee:
    # 500 x 0.073 / 8760 / 2 = 0.002083..., up 0.002084.
    # 500 x ((1 + 0.073/8760)^11 - 1) = 0.0458352..., up 0.045836; with the fee 0.047920.
    # 1000 x ((1 + 0.0365/8760)^13 - 1) = 0.054168.
    # 500.05 x 0.000200019167 = 0.100019585, up 0.100020.
    assert compared(folder) == [
        ("01", "lent", "0.000000", "0.054168", "-0.054168"),
        ("01", "borrowed", "0.050000", "0.047920", "0.002080"),
        ("02", "borrowed", "0.000000", "0.100020", "-0.100020"),
    ]
    pools = lending(folder)["pools"]
    assert [row["paid_by_borrowers"] for row in pools] == ["0.050000", "0.000000"]
    assert [row["external"] for row in pools] == ["0.050000", "0.000000"]


def test_a_carry_stands_still_while_interest_is_imported(tmp_path: Path) -> None:
    """The 1st leaves a carry; the 2nd is imported; the 3rd begins with the carry of the 1st."""
    later = IMPORTED.replace("05-01", "05-02"), SUB_ACCOUNT.replace("05-01", "05-03")
    folder = made(tmp_path, SUB_ACCOUNT, *later, earned(2, "0.1"), through(3))
    carries = {
        entry.meta["usance"]: (leg.meta["carry"], leg.meta["carry-after"])
        for entry in folder.load()[0]
        for leg in getattr(entry, "postings", ())
        if "carry" in (leg.meta or {})
    }
    # 1000 x 0.000100004791813082 = 0.100004791813082: 0.100004 and the rest.
    # 1000.200004 x it, and that rest, = 0.100024793171... + 0.000000791813...: 0.100025.
    assert list(carries) == ["lending/2025-05-01/Main", "lending/2025-05-03/Main"]
    assert carries["lending/2025-05-01/Main"] == ("0", "0.000000791813082")
    assert carries["lending/2025-05-03/Main"][0] == "0.000000791813082"
    assert compared(folder)[-1][2] == "0.100025"


def test_an_hour_s_directive_leaves_whose_interest_counts(tmp_path: Path) -> None:
    """With a time the key is refused, so its absence says nothing."""
    noon = SUB_ACCOUNT.replace("05-01", "05-02") + '  time: "12:00"\n'
    folder = made(tmp_path, IMPORTED, noon, through(3))
    assert [row[2] for row in compared(folder)] == ["0.000000"] * 3
    folder = made(tmp_path / "other", SUB_ACCOUNT, noon, through(3))
    assert [row["interest"] for row in lending(folder)["rows"]] == [
        "0.100004",
        "0.100015",
        "0.100025",
    ]


def test_treasury_yield_follows_what_is_lent(tmp_path: Path) -> None:
    product = """\
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.0365
"""
    folder = made(tmp_path, IMPORTED, product, earned(1, "1"), through(2))
    # 24 hours of 1000 x 0.0365 / 8760 = 0.1; then of 1001 = 0.1001.
    assert balance(folder, "Assets:Backpack:Main:AccruedYield", 1) == Decimal("0.100000")
    assert balance(folder, "Assets:Backpack:Main:AccruedYield", 2) == Decimal("0.200100")
    [row] = json.loads(folder.usance("yield", "--format", "json").stdout)["rows"]
    incomes = {source["source"]: source["income"] for source in row["sources"]}
    assert incomes == {"lending": "1.000000", "treasury": "0.200100", "bonus": "0.000000"}


def test_without_a_rate_nothing_is_expected(tmp_path: Path) -> None:
    """No figure of the books rests on it, so it is no error, and no error if it is old."""
    rate = '2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730\n'
    rates = '2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"\n'
    for number, (line, expected) in enumerate([("", None), (rates, "0.100004")]):
        folder = Folder.made(
            tmp_path / str(number),
            HEAD.replace(rate, line) + IMPORTED + earned(1, "0.1") + through(8),
            "time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0.0365,0.0730\n",
        )
        assert [error.message for error in folder.load()[1]] == []
        row, *_ = lending(folder)["rows"]
        assert (row["principal"], row["average_principal"]) == ("1000.100000", "1000")
        assert (row["interest"], row["expected"]) == ("0.100000", expected)
        assert folder.usance("accrue", "--through", "2025-05-08").exit_code == 0


def test_the_engine_opens_accounts_that_nobody_else_does(tmp_path: Path) -> None:
    """Whether the engine or a person posts to them first."""
    generated = SUB_ACCOUNT, IMPORTED.replace("05-01", "05-02"), earned(2, "0.1"), through(2)
    folder = made(tmp_path, *generated)
    opens = [entry for entry in folder.load()[0] if getattr(entry, "account", "") == EARNED]
    assert [str(entry.date) for entry in opens] == ["2025-05-01"]
    folder = made(tmp_path / "other", f"2025-04-01 open {EARNED}\n", *generated)
    opens = [entry for entry in folder.load()[0] if getattr(entry, "account", "") == EARNED]
    assert [str(entry.date) for entry in opens] == ["2025-04-01"]


def test_days_are_closed_and_explained(tmp_path: Path) -> None:
    """The key is sealed with the directive; an explanation has the memorandum and the borrow."""
    folder = made(tmp_path, IMPORTED, BUY, paid(1, "0.05"), earned(1, "0.01"), through(2))
    before = [entry for entry in folder.load()[0] if "usance" in entry.meta]
    assert folder.usance("accrue", "--through", "2025-05-02").exit_code == 0
    after = [entry for entry in folder.load()[0] if "usance" in entry.meta]
    assert [printer.format_entry(entry) for entry in after] == [
        printer.format_entry(entry) for entry in before
    ]
    inputs = (folder.path / "posted" / "2025-05.inputs").read_text()
    assert 'auto-lend: TRUE interest: "imported"' in inputs
    for identity in {entry.meta["usance"] for entry in after}:
        shown = folder.usance("explain", identity)
        assert (shown.exit_code, shown.stderr) == (0, "")
    folder.edit('  interest: "imported"\n', "")
    assert "2025-05-01" in folder.usance("check").stdout


SETTLES = """\
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135
2025-05-01 open Assets:Backpack:Main:Perp
2025-05-01 * "Open 10 at 150"
  time: "09:00"
  Assets:Backpack:Main:Perp     10 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp  -1500 USDC
2025-05-01 * "Withdraw a result that the venue has realised"
  time: "18:00"
  Assets:Backpack:Main:Wallet  -1100 USDC
  Assets:Bank                   1100 USDC
"""


@pytest.mark.parametrize(("mark", "left"), [("165", "50"), ("170", "100"), ("159", None)])
def test_a_settle_coin_below_zero_counts_at_the_end_of_its_day(
    mark: str, left: str | None, tmp_path: Path
) -> None:
    """1000 - 1100 = -100 at 18:00; the settlement brings 10 x (mark - 150)."""
    price = f"2025-05-01 price SOL-PERP {mark} USDC\n"
    folder = Folder.made(tmp_path / "books", HEAD + SETTLES + price + through(1))
    errors = [error.message for error in folder.load()[1]]
    if left is not None:
        assert errors == []
        assert balance(folder, WALLET) == Decimal(left)
    else:
        [error] = errors
        assert 'The wallet of sub-account "Main" lacks 100.000000 USDC' in error
        assert folder.load()[1][0].source["lineno"] == folder.line("Withdraw a result")


def test_another_coin_below_zero_is_an_error_at_once(tmp_path: Path) -> None:
    """Also the settle coin, on a day on which no contract of it is open."""
    withdrawal = f'2025-05-01 * "Out"\n  {WALLET}  -1 SOL\n  Assets:Bank  1 SOL\n'
    back = f'2025-05-01 * "In"\n  time: "20:00"\n  {WALLET}  1 SOL\n  Assets:Bank  -1 SOL\n'
    price = "2025-05-01 price SOL-PERP 160 USDC\n"
    folder = Folder.made(
        tmp_path / "books", HEAD + SETTLES + price + withdrawal + back + through(1)
    )
    [error] = [error.message for error in folder.load()[1]]
    assert 'The wallet of sub-account "Main" lacks 1.00000000 SOL' in error
