"""What follows from an error of a sub-account is not told; what is missing is told where it is."""

from pathlib import Path

import pytest
from margin_books import LONG, TERMS, Books, books, through

RICH = TERMS.replace("1000 USDC", "20000 USDC")
PRICES = "2025-05-01 price SOL-PERP 150 USDC\n"
CRASH = "2025-05-02 price SOL-PERP 60 USDC\n"


def places(made: Books) -> list[tuple[int, str]]:
    """Return line and beginning of each error and finding."""
    split = (text.split(": ", 2) for text in made.told())
    return [(int(place.split(":")[1]), text) for place, text, *_ in split]


# An error, and what follows from it: a gap of 4,500 USDC leaves a breach without the error.
ERRORS = {
    "a wallet below zero": (
        '2025-05-02 * "Other coin"\n  Assets:Backpack:Main:Wallet  -1 EUR\n  Assets:Bank\n',
        "Sub-account",
        '"Other coin"',
    ),
    "a time that is none": (
        (
            '2025-05-01 * "Fee"\n  time: "9.30"\n  Assets:Backpack:Main:Wallet  -1 USDC\n'
            "  Expenses:Backpack:Main:Fees\n"
        ),
        "transaction",
        '"Fee"',
    ),
    "an account that a sub-account has not": (
        (
            '2025-05-01 * "Move"\n  Assets:Backpack:Main:Walet  1 USDC\n'
            "  Assets:Backpack:Main:Wallet  -1 USDC\n"
        ),
        "Assets:Backpack:Main:Walet is not one of the accounts",
        "Walet  1",
    ),
    "a contract in the wallet": (
        (
            '2025-05-01 * "Move"\n  Assets:Backpack:Main:Wallet  1 SOL-PERP {150 USDC}\n'
            "  Assets:Bank\n"
        ),
        "SOL-PERP is a perpetual contract",
        '"Move"',
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_a_breach_of_a_sub_account_with_an_error_is_not_told(
    case: tuple[str, str, str], tmp_path: Path
) -> None:
    text, beginning, at = case
    parts = (TERMS, LONG, PRICES, CRASH, through("2025-05-02"))
    sound = books(tmp_path / "sound", *parts)
    assert [told for told in sound.told() if "is in breach" in told]
    made = books(tmp_path / "wrong", *parts, text)
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line(at)}: {beginning}")


def test_a_breach_of_another_sub_account_is_told_beside_an_error(tmp_path: Path) -> None:
    arb = """\
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-05-01 * "Too much"
  Assets:Backpack:Arb:Wallet  -1 USDC
  Assets:Bank                  1 USDC
"""
    made = books(tmp_path, TERMS, LONG, PRICES, CRASH, arb, through("2025-05-02"))
    texts = made.told()
    assert len(texts) == 2
    assert any('sub-account "Main" is in breach' in text for text in texts)
    assert any('wallet of sub-account "Arb" lacks' in text for text in texts)


def test_a_gift_is_not_told_of_a_wallet_below_zero(tmp_path: Path) -> None:
    """It may not borrow, so the withdrawal itself is the error."""
    terms = TERMS.replace("  auto-borrow: TRUE\n", "")
    gift = '2025-05-02 * "Gift"\n  Assets:Backpack:Main:Wallet  -1500 USDC\n  Assets:Bank\n'
    made = books(tmp_path, terms, gift, through("2025-05-03"))
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line('Gift')}: The wallet of sub-account")


# Where a missing rate is told

LENT = """\
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2025-05-01 * "Deposit for Arb"
  Assets:Backpack:Arb:Wallet   10 USDC
  Assets:Bank                 -10 USDC
2025-05-02 * "A later one"
  Assets:Backpack:Arb:Wallet   10 USDC
  Assets:Bank                 -10 USDC
"""


def test_a_missing_rate_is_told_once_at_the_pool(tmp_path: Path) -> None:
    """Main owes and Arb lends, and later transactions change nothing."""
    terms = TERMS.replace('2025-05-01 custom "lending-rate" "USDC" 0 0\n', "")
    more = '2025-05-01 * "More"\n  Assets:Backpack:Main:Wallet  -2000 USDC\n  Assets:Bank\n'
    made = books(tmp_path, terms, LENT, more, through("2025-05-03"))
    told = [text for text in made.told() if "has no rate" in text]
    assert len(told) == 1
    assert told[0].startswith(f"main.beancount:{made.line('lending-pool')}: Sub-account")


def test_a_missing_treasury_rate_is_told_once_at_the_product(tmp_path: Path) -> None:
    product = """\
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
"""
    also = LENT.replace("Arb", "Two")
    made = books(tmp_path, TERMS, LENT, also, product, through("2025-05-03"))
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line('yield-product')}: Sub-account")


def test_a_missing_price_is_told_at_what_needs_it_and_not_later(tmp_path: Path) -> None:
    """The contract is traded again after the day that has no mark."""
    later = LONG.replace("05-01", "05-04").replace("Open 50", "Open again")
    made = books(tmp_path, RICH, LONG, later, through("2025-05-04"))
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line('Open 50')}: Sub-account")
