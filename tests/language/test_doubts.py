"""Doubts: what is legal and probably not meant is asked at its line, and stops nothing."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.data import Transaction
from folders import LEDGER, SIX_DAYS, Folder, rates

from usance.language.doubts import doubts
from usance.language.spelling import edits
from usance.ledger.load import load
from usance.ledger.plugin_lines import enabled
from usance.model.hours import iso

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
EXAMPLES = [
    *sorted((ROOT / "ledgers").glob("*.beancount")),
    ROOT / "ledgers" / "demo" / "main.beancount",
    ROOT / "ledgers" / "january" / "main.beancount",
]

BOOKS = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 custom "lending-pool" "SOL"
  rates: "curve"
  base-rate: 0.01
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
2025-05-01 custom "collateral" "SOL"
  weight: 0.95
  initial-margin: 0.15
  maintenance-margin: 0.075
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "daily"
2025-05-01 custom "treasury-rate" "USD" 0.0400
2025-05-01 custom "yield-bonus" "USD" "Main" 0.0300
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Income:Backpack:Main:Statement
2025-05-01 price SOL 150 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet    10000 USDC
  Assets:Backpack:Main:Wallet        2 SOL
  Assets:Bank                   -10000 USDC
  Assets:Bank                       -2 SOL
2025-05-02 * "Withdraw a part"
  time: "09:30"
  Assets:Backpack:Main:Wallet     -0.5 SOL
  Assets:Bank                      0.5 SOL
2025-05-02 * "What the venue paid"
  pays: "USD 2025-05-01"
  Assets:Backpack:Main:Wallet         1 USDC
  Assets:Backpack:Main:AccruedYield  -1 USDC
2025-05-04 custom "accrue-through" 2025-05-03
"""
"""Three days in which all is as it may be meant."""


def asked(text: str, path: Path) -> list[tuple[str, str]]:
    """Return the doubts about a ledger: name, and the text of their line."""
    file = path / "main.beancount"
    file.write_text(text)
    return asked_of(file)


def asked_of(file: Path) -> list[tuple[str, str]]:
    ledger = load(str(file))
    told = doubts(ledger.entries, ledger.read(), enabled(ledger.options), ledger.path)
    return [
        (doubt.name, Path(doubt.source.file).read_text().splitlines()[doubt.source.line - 1])
        for doubt in told
    ]


def edited(*edits: tuple[str, str]) -> str:
    text = BOOKS
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_books_without_a_typing_error_cause_no_doubt(tmp_path: Path) -> None:
    assert asked(BOOKS, tmp_path) == []


RATE = '2025-05-01 custom "lending-rate" "USDC" '
MARGIN = "  initial-margin: 0.15\n  maintenance-margin: 0.075\n"
DEPOSIT = '2025-05-01 * "Deposit"'
WITHDRAW = '2025-05-02 * "Withdraw a part"'
PAID = '2025-05-02 * "What the venue paid"'
OF_PRODUCT = "  Assets:Backpack:Main:AccruedYield  -1 USDC\n"
END = '2025-05-04 custom "accrue-through" 2025-05-03'
LOAN = '2025-05-03 * "Interest"\n  Liabilities:Backpack:Main:Borrowed -0.01 USDC\n'

IMPORTED = [
    ("  auto-lend: TRUE\n", '  auto-lend: TRUE\n  interest: "imported"\n'),
    ('  rates: "curve"\n  base-rate: 0.01\n  slope-1: 0.06\n', '  rates: "observed"\n'),
    (
        "  slope-2: 0.75\n  optimal-utilization: 0.80\n",
        '2025-05-01 custom "lending-rate" "SOL" 0.01 0.02\n',
    ),
]
"""Whose interest a person books, with pools that allow it."""

MISTYPED = {
    "supply rate in percent": (
        [("0.0365 0.0730", "3.65 7.30")],
        [("rate-above-one", f"{RATE}3.65 7.30")] * 2,
    ),
    "borrow rate in percent": (
        [("0.0365 0.0730", "0.0365 7.30")],
        [("rate-above-one", f"{RATE}0.0365 7.30")],
    ),
    "base rate in percent": (
        [("base-rate: 0.01", "base-rate: 1.5")],
        [("rate-above-one", '2025-05-01 custom "lending-pool" "SOL"')],
    ),
    "slope in percent": (
        [("slope-1: 0.06", "slope-1: 6")],
        [("rate-above-one", '2025-05-01 custom "lending-pool" "SOL"')],
    ),
    "second slope in percent": (
        [("slope-2: 0.75", "slope-2: 75")],
        [("rate-above-one", '2025-05-01 custom "lending-pool" "SOL"')],
    ),
    "yield in percent": (
        [("0.0400", "4")],
        [("rate-above-one", '2025-05-01 custom "treasury-rate" "USD" 4')],
    ),
    "bonus in percent": (
        [("0.0300", "3.00")],
        [("rate-above-one", '2025-05-01 custom "yield-bonus" "USD" "Main" 3.00')],
    ),
    "rates in the wrong order": (
        [("0.0365 0.0730", "0.0730 0.0365")],
        [("supply-above-borrow", f"{RATE}0.0730 0.0365")],
    ),
    "margins of a coin in the wrong order": (
        [(MARGIN, "  initial-margin: 0.075\n  maintenance-margin: 0.15\n")],
        [("maintenance-above-initial", '2025-05-01 custom "collateral" "SOL"')],
    ),
    "margins of a contract in the wrong order": (
        [("  initial-margin: 0.02\n", "  initial-margin: 0.0035\n")],
        [("maintenance-above-initial", '2025-05-01 custom "perpetual" "SOL-PERP"')],
    ),
    "margin factors in the wrong order": (
        [("factor: 0.000075", "factor: 0.0000075")],
        [("maintenance-above-initial", '2025-05-01 custom "perpetual" "SOL-PERP"')],
    ),
    "quantum of two": (
        [("quantum: 0.000001", "quantum: 0.000002")],
        [("odd-quantum", "2025-05-01 commodity USDC")],
    ),
    "quantum of one": (
        [
            ("quantum: 0.000001", "quantum: 0.000001\n2025-05-01 commodity SOL\n  quantum: 1"),
        ],
        [("coarse-quantum", "2025-05-01 commodity SOL")],
    ),
    "quantum of ten": (
        [
            ("quantum: 0.000001", "quantum: 0.000001\n2025-05-01 commodity SOL\n  quantum: 10"),
        ],
        [("coarse-quantum", "2025-05-01 commodity SOL")],
    ),
    "pool of another coin": (
        [
            (
                "  quantum: 0.000001",
                '  quantum: 0.000001\n2025-05-01 custom "lending-pool" "UDSC"\n  rates: "observed"',
            )
        ],
        [("unused-terms", '2025-05-01 custom "lending-pool" "UDSC"')],
    ),
    "collateral of another coin": (
        [('"collateral" "SOL"', '"collateral" "SLO"')],
        [
            ("unused-terms", '2025-05-01 custom "collateral" "SLO"'),
        ],
    ),
    "product of another coin": (
        [
            ('asset: "USDC"', 'asset: "USDT"'),
            ('  pays: "USD 2025-05-01"\n', ""),
            (OF_PRODUCT, "  Assets:Bank  -1 USDC\n"),
        ],
        [("unused-terms", '2025-05-01 custom "yield-product" "USD"')],
    ),
    "sub-account elsewhere": (
        [
            ('"Main" Assets:Backpack:Main', '"Main" Assets:Backpak:Main'),
            (OF_PRODUCT, ""),
            ('  pays: "USD 2025-05-01"\n', ""),
            ("        1 USDC\n", "        1 USDC\n  Assets:Bank\n"),
        ],
        [("unused-sub-account", '2025-05-01 custom "sub-account" "Main" Assets:Backpak:Main')],
    ),
    "account elsewhere": (
        [("open Assets:Bank\n", "open Assets:Bank\n2025-05-01 open Assets:Bakcpack:Main:Wallet\n")],
        [("near-account", "2025-05-01 open Assets:Bakcpack:Main:Wallet")],
    ),
    "lending-rates": (
        [("open Assets:Bank\n", f"open Assets:Bank\n{RATE.replace('rate', 'rates')}0.04 0.06\n")],
        [("near-kind", '2025-05-01 custom "lending-rates" "USDC" 0.04 0.06')],
    ),
    "accrue-thru": (
        [(END, f'{END}\n2025-05-04 custom "accrue-thru" 2025-05-05')],
        [("near-kind", '2025-05-04 custom "accrue-thru" 2025-05-05')],
    ),
    "tiem": (
        [('time: "09:30"', 'tiem: "09:30"')],
        [("near-key", WITHDRAW)],
    ),
    "times": (
        [('time: "09:30"', 'times: "9:30"')],
        [("near-key", WITHDRAW)],
    ),
    "pay": (
        [("pays:", "pay:")],
        [("near-key", PAID)],
    ),
    "quantom": (
        [("quantum:", "quantom:")],
        [("near-key", "2025-05-01 commodity USDC")],
    ),
    "stale-afer": (
        [("quantum: 0.000001", "quantum: 0.000001\n  stale-afer: 30")],
        [("near-key", "2025-05-01 commodity USDC")],
    ),
    "maturty": (
        [
            (
                "quantum: 0.000001",
                "quantum: 0.000001\n2025-05-01 commodity BILL\n  maturty: 2025-11-28",
            )
        ],
        [("near-key", "2025-05-01 commodity BILL")],
    ),
    "time below a posting": (
        [('  time: "09:30"\n', ""), ("  0.5 SOL\n", '  0.5 SOL\n    time: "09:30"\n')],
        [("key-of-posting", WITHDRAW)],
    ),
    "year 9999": (
        [(END, "9999-05-04 balance Assets:Bank -9999 USDC")],
        [("late-date", "9999-05-04 balance Assets:Bank -9999 USDC")],
    ),
    "year 2205 in a transaction": (
        [(WITHDRAW, WITHDRAW.replace("2025", "2205"))],
        [("late-date", WITHDRAW.replace("2025", "2205"))],
    ),
    "year 2052 to accrue": (
        [(END, END.replace("2025-05-03", "2052-05-03"))],
        [("late-date", END.replace("2025-05-03", "2052-05-03"))],
    ),
    "year 0202 of the first deposit": (
        [(DEPOSIT, DEPOSIT.replace("2025", "0202"))],
        [("late-date", "2025-05-01 price SOL 150 USDC")],
    ),
    "year 2027 in terms": (
        [
            (
                '05-01 custom "treasury-rate" "USD"',
                '05-01 custom "treasury-rate" "USD" 0.04\n2027-05-02 custom "treasury-rate" "USD"',
            )
        ],
        [("late-date", '2027-05-02 custom "treasury-rate" "USD" 0.0400')],
    ),
    "rates that stand": (
        [(END, "2025-08-01 price SOL 150 USDC")],
        [
            ("standing-rate", f"{RATE}0.0365 0.0730"),
            ("standing-rate", '2025-05-01 custom "treasury-rate" "USD" 0.0400'),
        ],
    ),
    "more yield than has accrued": (
        [(OF_PRODUCT, OF_PRODUCT.replace("-1", "-11")), ("        1 USDC\n", "       11 USDC\n")],
        [("accrued-below-zero", PAID)],
    ),
    "coin without a price": (
        [
            (
                "        2 SOL\n",
                "        2 SOL\n  Assets:Backpack:Main:Wallet   7 MEME\n  Assets:Bank   -7 MEME\n",
            )
        ],
        [("held-without-price", DEPOSIT)],
    ),
    "entered twice": (
        [
            (
                END,
                '2025-05-02 * "Again"\n  time: "09:30"\n'
                "  Assets:Bank   0.50 SOL\n  Assets:Backpack:Main:Wallet   -0.5 SOL\n" + END,
            )
        ],
        [("alike", '2025-05-02 * "Again"')],
    ),
    "interest imported": (
        [
            (
                END,
                (
                    '2025-05-02 * "Interest"\n  Assets:Backpack:Main:Wallet   1.000018 USDC\n'
                    f"  Income:Backpack:Main:Statement\n{END}"
                ),
            )
        ],
        [("interest-by-hand", '2025-05-02 * "Interest"')],
    ),
    "interest imported without a word": (
        [
            (
                END,
                "".join(
                    f'2025-05-0{day} * "Credit"\n'
                    f"  Assets:Backpack:Main:Wallet   1.0001 USDC\n"
                    f"  Income:Backpack:Main:Statement\n"
                    for day in (2, 3)
                )
                + END,
            )
        ],
        [("interest-by-hand", '2025-05-02 * "Credit"')],
    ),
    "interest imported, and none there": (
        IMPORTED,
        [("interest-by-nobody", '2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main')],
    ),
    "the contract of a funding": (
        [('  time: "09:30"\n', '  time: "09:30"\n  contrakt: "SOL-PERP"\n')],
        [("near-key", WITHDRAW)],
    ),
    "a symbol of a venue": (
        [("quantum: 0.000001", 'quantum: 0.000001\n  backpak: "USDC"')],
        [("near-key", "2025-05-01 commodity USDC")],
    ),
    "yield as income": (
        [
            (
                END,
                (
                    '2025-05-03 * "Paid"\n  Assets:Backpack:Main:Wallet   1.10 USDC\n'
                    f"  Income:Backpack:Main:Treasury\n{END}"
                ),
            )
        ],
        [("yield-by-hand", '2025-05-03 * "Paid"')],
    ),
    "stage of margin off": (
        [
            (
                '"usance.plugins"',
                '"usance.plugins.auto_lending"\nplugin "usance.plugins.yield_split"',
            )
        ],
        [("stage-off", '2025-05-01 custom "collateral" "SOL"')],
    ),
    "stages of lending and yield off": (
        [
            ('"usance.plugins"', '"usance.plugins.margin_pool"'),
            ("  auto-borrow: TRUE\n", ""),
            (OF_PRODUCT, "  Assets:Bank   -1 USDC\n"),
        ],
        [
            ("stage-off", '2025-05-01 custom "lending-pool" "USDC"'),
            ("stage-off", '2025-05-01 custom "yield-product" "USD"'),
        ],
    ),
}
"""By what is mistyped: the edits of the ledger, and its doubts: name and line."""


@pytest.mark.parametrize("name", MISTYPED)
def test_a_typing_error_is_asked_about_at_its_line(name: str, tmp_path: Path) -> None:
    edits, expected = MISTYPED[name]
    assert asked(edited(*edits), tmp_path) == expected


SHORT = [name for name in MISTYPED if name.startswith("year 2027") or "year" not in name]
"""Without those where a person who is sure waits for days of centuries."""


@pytest.mark.parametrize("name", SHORT)
def test_a_directive_that_is_sure_is_not_asked_about(name: str, tmp_path: Path) -> None:
    """The key is no unknown key, and no other error comes from it."""
    edits, expected = MISTYPED[name]
    text = edited(*edits)
    for _, line in expected:
        text = text.replace(f"{line}\n", f"{line}\n  sure: TRUE\n", 1)
    assert not {*asked(text, tmp_path)} & {*expected}
    assert load(str(tmp_path / "main.beancount")).errors == []


RIGHT = {
    "a rate of 1": [("0.0365 0.0730", "1 1")],
    "a steep slope": [("slope-2: 0.75", "slope-2: 3.00")],
    "a quantum of 1 and whole coins": [
        ("quantum: 0.000001", "quantum: 0.000001\n2025-05-01 commodity YEN\n  quantum: 1"),
    ],
    "another tool's directives": [
        (
            END,
            (
                f'{END}\n2025-05-01 custom "budget" Expenses:Food "daily" 4 USDC\n'
                '2025-05-01 custom "fava-option" "language" "en"\n'
                '2025-05-01 custom "rebate" "USDC" 0.5'
            ),
        ),
    ],
    "other keys": [
        ('  time: "09:30"\n', '  time: "09:30"\n  type: "withdrawal"\n  days: 3\n  pass: "x"\n'),
        ("quantum: 0.000001", 'quantum: 0.000001\n  name: "Dollar"\n  quanta: "none"'),
    ],
    "keys of imported rows": [
        (
            '  time: "09:30"\n',
            (
                '  time: "09:30"\n  backpack: "fill/1"\n  order: "7"\n  rows: 24\n'
                '  contract: "SOL-PERP"\n  system: "LiquidatePositionOnBook"\n'
            ),
        ),
        ("quantum: 0.000001", 'quantum: 0.000001\n  backpack: "USDC"'),
    ],
    "interest imported, as the sub-account says": [
        *IMPORTED,
        (
            END,
            (
                '2025-05-02 * "Interest"\n  Assets:Backpack:Main:Wallet   1.000018 USDC\n'
                f"  Income:Backpack:Main:Interest\n{END}"
            ),
        ),
    ],
    "another account of a bank": [
        ("open Assets:Bank\n", "open Assets:Bank\n2025-05-01 open Assets:Bankpack:Main:Cash\n"),
    ],
    "a date of 400 days later": [
        (END, "2026-06-06 balance Assets:Bank -10000 USDC"),
        ('05-01 custom "lending-rate"', '05-01 custom "lending-rate"'),
    ],
    "two withdrawals that are told apart": [
        ('  time: "09:30"\n', '  time: "09:30"\n  venue-id: "1"\n'),
        (
            END,
            (
                '2025-05-02 * "Again"\n  time: "09:30"\n  venue-id: "2"\n'
                f"  Assets:Bank   0.5 SOL\n  Assets:Backpack:Main:Wallet   -0.5 SOL\n{END}"
            ),
        ),
    ],
    "two withdrawals with links of their own": [
        ('"Withdraw a part"', '"Withdraw a part" ^a'),
        (
            END,
            (
                '2025-05-02 * "Again" ^b\n  time: "09:30:00"\n'
                f"  Assets:Bank   0.5 SOL\n  Assets:Backpack:Main:Wallet   -0.5 SOL\n{END}"
            ),
        ),
    ],
    "rewards, two of which are about a day's interest": [
        (
            END,
            "".join(
                f'2025-05-02 * "Credit"\n  Assets:Backpack:Main:Wallet   {amount} USDC\n'
                "  Income:Backpack:Main:Statement\n"
                for amount in ("1.0001", "7", "8", "1.03")
            )
            + END,
        ),
    ],
    "two withdrawals of one day at two times": [
        (
            END,
            (
                f'2025-05-02 * "Again"\n  time: "09:31"\n'
                f"  Assets:Bank   0.5 SOL\n  Assets:Backpack:Main:Wallet   -0.5 SOL\n{END}"
            ),
        ),
    ],
    "a reward": [
        (
            END,
            (
                f'2025-05-02 * "Referral"\n  Assets:Backpack:Main:Wallet   7 USDC\n'
                f"  Income:Backpack:Main:Statement\n{END}"
            ),
        ),
    ],
    "interest of a bank": [
        (
            END,
            (
                f'2025-05-02 * "Interest"\n  Assets:Bank   7 USDC\n'
                f"  Income:Backpack:Main:Statement\n{END}"
            ),
        ),
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_may_well_be_meant_is_not_asked_about(name: str, tmp_path: Path) -> None:
    late = {"a date of 400 days later"}
    text = edited(*RIGHT[name])
    told = asked(text, tmp_path)
    assert [doubt for doubt in told if name not in late or doubt[0] != "standing-rate"] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_no_example_is_asked_about(path: Path) -> None:
    assert asked_of(path) == []


def test_the_ledgers_of_other_tests_are_not_asked_about(tmp_path: Path) -> None:
    for name, text in (("months", LEDGER), ("days", SIX_DAYS)):
        folder = Folder.made(tmp_path / name, text)
        assert asked_of(folder.ledger) == []


RECORDED = sorted(SHARED.glob("data/lending_rates_hourly/*.csv"))


@pytest.mark.skipif(not RECORDED, reason="needs recorded figures")
def test_recorded_rates_and_funding_are_not_asked_about(tmp_path: Path) -> None:
    """Funding comes every hour into a wallet that is lent, and is no interest."""
    rows = ["time_utc,supply_apr,borrow_apr"]
    for hour in csv.DictReader(RECORDED[0].open()):
        rates_ = (Decimal(hour[f"{side}_apr_pct"]).scaleb(-2) for side in ("supply", "borrow"))
        rows.append(f"{hour['hour_utc'][:13]}:00:00Z,{','.join(f'{rate:f}' for rate in rates_)}")
    (tmp_path / "usdc.csv").write_text("\n".join(rows) + "\n")
    first = rows[1][:10]
    text = BOOKS.replace(" 0.0365 0.0730", ' "usdc.csv"').replace("2025-05-", f"{first[:8]}")
    recorded = min(SHARED.glob("data/backpack_funding/*2025-01*.csv")).read_text()
    funding = [line.split(",") for line in recorded.splitlines()[1:] if line][:90]
    for number, row in enumerate(funding):
        rate = next(Decimal(cell) for cell in row if cell.startswith(("0.0", "-0.0")))
        text += (
            f'{first[:8]}{1 + number % 3:02} * "Funding {number}"\n'
            f'  time: "{number // 3 % 24:02}:00"\n  Assets:Backpack:Main:Wallet '
            f"{10000 * rate:f} USDC\n  Income:Backpack:Main:Statement\n"
        )
    assert asked(text, tmp_path) == []
    assert load(str(tmp_path / "main.beancount")).errors == []


PERCENTS = "time_utc,supply_apr,borrow_apr\n" + "".join(
    f"2025-05-01T{hour:02}:00:00Z,4.12,6.30\n" for hour in range(24)
)
SPIKE = PERCENTS.replace("4.12,6.30", "0.0412,0.0630").replace("0.0412,0.0630", "1.2,1.5", 1)
CROSSED = PERCENTS.replace("4.12,6.30", "0.0630,0.0412")


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (PERCENTS, ["rate-above-one"] * 2),
        (SPIKE, []),
        (CROSSED, ["supply-above-borrow"]),
    ],
)
def test_a_file_is_asked_about_if_most_of_it_is_improbable(
    rows: str, names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "usdc.csv").write_text(rows)
    line = f'{RATE}"usdc.csv"'
    text = BOOKS.replace(f"{RATE}0.0365 0.0730", line)
    assert asked(text, tmp_path) == [(name, line) for name in names]
    sure = text.replace(line, f"{line}\n  sure: TRUE")
    assert asked(sure, tmp_path) == []


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [
        ("", "", 0),
        ("time", "tiem", 1),
        ("pay", "pays", 1),
        ("quantom", "quantum", 1),
        ("accrue-thru", "accrue-through", 3),
        ("abc", "", 3),
        ("ab", "ba", 1),
        ("abcd", "badc", 2),
    ],
)
def test_letters_between_two_names(one: str, other: str, letters: int) -> None:
    assert edits(one, other) == edits(other, one) == letters


# What a doubt does


DOUBTFUL = SIX_DAYS.replace("0.0876 0.1752", "8.76 17.52")
SURE = DOUBTFUL.replace("8.76 17.52", "8.76 17.52\n  sure: TRUE")


def test_check_prints_a_doubt_and_exits_1_only_if_it_is_strict(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path, DOUBTFUL)
    line = folder.line("8.76")
    said = "of the directive."
    done = folder.usance("check")
    first, second, count = done.stdout.splitlines()
    for text, which in (
        (first, "borrow rate 17.52 is 1752 %"),
        (second, "supply rate 8.76 is 876 %"),
    ):
        start = f'main.beancount:{line}: doubt: lending-rate "USDC": the {which} a year.'
        assert text.startswith(start), said
    assert count == "main.beancount: no error in 28 directives, but 2 doubts"
    assert (done.exit_code, done.stderr) == (0, "")
    strict = folder.usance("check", "--strict")
    assert (strict.exit_code, strict.stdout) == (1, done.stdout)
    for words, ok in (((), True), (("--strict",), False)):
        answer = json.loads(folder.usance("check", "--format", "json", *words).stdout)
        assert (answer["ok"], answer["errors"], answer["findings"]) == (ok, [], [])
        assert [place["line"] for place in answer["doubts"]] == [line, line]
    folder.edit("8.76 17.52", "8.76 17.52\n  sure: TRUE")
    assert folder.usance("check", "--strict").exit_code == 0


def test_a_doubt_stops_nothing_and_is_no_part_of_a_seal(tmp_path: Path) -> None:
    """Books that are sure are posted to the byte as books that are not."""
    doubtful, sure = Folder.made(tmp_path / "a", DOUBTFUL), Folder.made(tmp_path / "b", SURE)
    assert doubtful.load()[1] == sure.load()[1] == []
    for folder in (doubtful, sure):
        done = folder.accrue()
        assert "doubt:" not in done.output
        assert folder.usance("verify").exit_code == 0
    assert doubtful.posted() == sure.posted()
    doubtful.edit("8.76 17.52", "8.76 17.52\n  sure: TRUE")
    assert doubtful.load()[1] == []
    assert doubtful.usance("check", "--strict").exit_code == 0


def test_only_true_is_sure(tmp_path: Path) -> None:
    for value in ("FALSE", '"TRUE"', "1"):
        folder = Folder.made(
            tmp_path / value.strip('"'), SURE.replace("sure: TRUE", f"sure: {value}")
        )
        assert folder.load()[1] == []
        assert folder.usance("check", "--strict").exit_code == 1


def test_a_doubt_that_follows_from_an_error_is_not_told(tmp_path: Path) -> None:
    """At a line with an error, and about figures that may be missing; all others may explain it."""
    other = DOUBTFUL.replace('"lending-rate"', '"lending-rates"')
    folder = Folder.made(tmp_path, other)
    folder.edit("  Assets:Bank                  -1000 USDC\n", "  Assets:Bank   -1 USDC\n")
    folder.edit('"Deposit"\n', '"Deposit"\n  tiem: "09:30"\n')
    told = json.loads(folder.usance("check", "--format", "json").stdout)
    assert [place["line"] for place in told["doubts"]] == [folder.line("8.76")]
    assert folder.line('"Deposit"') in [place["line"] for place in told["errors"]]


def test_a_transaction_without_an_amount_stops_no_doubt(tmp_path: Path) -> None:
    """A plugin may leave an amount out, which Beancount lets pass."""
    ledger = load(str(Folder.made(tmp_path, DOUBTFUL).ledger))
    [entry, *_] = [entry for entry in ledger.entries if isinstance(entry, Transaction)]
    bare = entry._replace(postings=[leg._replace(units=None) for leg in entry.postings])
    told = doubts([*ledger.entries, bare], ledger.read(), enabled(ledger.options), ledger.path)
    assert [doubt.name for doubt in told] == ["rate-above-one"] * 2


# A mistyped year


def horizon(text: str, path: Path) -> str:
    file = path / "main.beancount"
    file.write_text(text)
    return iso(load(str(file)).read().horizon)


PLAIN = edited((END, ""))


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ("", "2025-05-01"),
        ("9999-05-04 balance Assets:Bank 1 USDC\n", "2025-05-02"),
        ('9999-05-04 custom "accrue-through" 9999-05-04\n', "2025-05-02"),
        ("2035-05-10 price SOL 150 USDC\n", "2035-05-09"),  # 3,660 days
        ("2035-05-11 price SOL 150 USDC\n", "2025-05-02"),  # one more
        ("2035-05-11 price SOL 150 USDC\n  sure: TRUE\n", "2035-05-10"),
        ("2205-05-10 price SOL 150 USDC\n2205-05-11 price SOL 151 USDC\n", "2025-05-02"),
        ("2025-05-05 price SOL 150 USDC\n2205-05-11 price SOL 151 USDC\n", "2025-05-05"),
    ],
)
def test_days_are_lived_up_to_a_mistyped_year(more: str, last: str, tmp_path: Path) -> None:
    assert horizon(PLAIN + more, tmp_path) == last


def test_terms_long_before_the_first_movement_are_no_leap(tmp_path: Path) -> None:
    early = BOOKS.replace("2025-05-01 custom", "1999-05-01 custom")
    assert asked(early, tmp_path) == []
    assert horizon(early, tmp_path) == "2025-05-03"


def test_rows_of_a_file_and_closed_days_are_dates_too(tmp_path: Path) -> None:
    """A deposit of December, rates of each day for two years, and an end that is asked for."""
    last = "2026-12-01"
    text = LEDGER.replace("2025-02-03 custom", f"{last} custom").replace(
        "2025-02-02\nplu", f"{last}\nplu"
    )
    rows = "time_utc,supply_apr,borrow_apr\n" + "".join(
        f"{year}-{month:02}-01T00:00:00Z,0.0365,0.0730\n"
        for year in (2025, 2026)
        for month in range(1, 13)
    )
    old = text.replace("  quantum: 0.000001", "  quantum: 0.000001\n  stale-after: 40")
    folder = Folder.made(
        tmp_path,
        old,
        rates().splitlines()[0]
        + "\n2024-12-30T00:00:00Z,0.0365,0.0730\n"
        + rows.partition("\n")[2],
    )
    assert [name for name, _ in asked_of(folder.ledger) if name == "late-date"] == []
    folder.edit('"rates/usdc.csv"', "0.0365 0.0730")
    assert [name for name, _ in asked_of(folder.ledger) if name == "late-date"] == ["late-date"]
    folder.accrue("--through", last)
    assert [name for name, _ in asked_of(folder.ledger) if name == "late-date"] == []
