"""Rates files, kind and hostile: what in them is read, and what everything else is told."""

from pathlib import Path

import pytest
from beancount.core.data import Directives, Transaction
from folders import Folder
from test_errors import load, usance

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.05 0.08
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Backpack:Main:Wallet        2 SOL
  Assets:Bank
2025-05-02 custom "accrue-through" 2025-05-01
"""
LINE = 9
"""Where the ledger names the file."""

HEADER = "time_utc,supply_apr,borrow_apr,utilization\n"
ROW = "2025-05-01T00:00:00Z,0.0412,0.0630,0.72\n"
LATER = "2025-05-01T09:00:00Z,0.0413,0.0631,0.73\n"
RATES = HEADER + ROW + LATER

FRACTION = "Write a fraction, such as 0.0412 for 4.12 %."
SHARE = "Write a fraction, such as 0.72 for 72 %."
TIME = "Write it as 2025-05-01T09:00:00Z."


def made(path: Path) -> Folder:
    """Write a ledger with a rates file that is right."""
    return Folder.made(path / "books", LEDGER, RATES)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return made(tmp_path)


def lent(entries: Directives) -> dict[str, str]:
    """Return what each coin earned on the one day on which something is lent."""
    [lending] = [
        entry for entry in entries if isinstance(entry, Transaction) and "lending" in entry.tags
    ]
    return {
        posting.units.currency: str(posting.units.number)
        for posting in lending.postings
        if posting.units is not None and posting.account == "Assets:Backpack:Main:Wallet"
    }


def earned(folder: Folder) -> dict[str, str]:
    """Load a ledger without errors; return what each coin earned."""
    texts, entries = load(folder)
    assert texts == []
    return lent(entries)


# 1000 * ((1 + 0.0412/8760)**9 * (1 + 0.0413/8760)**15 - 1) = 0.1130540690…
# 2 * ((1 + 0.05/8760)**24 - 1) = 0.0002739905…, half-even to the eighth decimal
EARNED = {"USDC": "0.11305406", "SOL": "0.00027399"}


def refused(folder: Folder, text: str) -> None:
    """Assert that a ledger is refused with one text, that SOL is lent all the same, not USDC."""
    texts, entries = load(folder)
    assert texts == [text]
    assert lent(entries) == {"SOL": EARNED["SOL"]}
    assert usance(folder, "check") == (1, f"{text}\n", "")
    assert usance(folder, "accrue") == (1, "", f"{text}\nNothing was written.\n")
    assert [path.name for path in (folder.path / "posted").iterdir()] == ["first.beancount"]
    assert folder.ledger.read_text().startswith("option")


def at_row(number: int, text: str) -> str:
    return f"rates/usdc.csv:{number}: {text}"


def at_directive(text: str, path: str = "rates/usdc.csv") -> str:
    return f"main.beancount:{LINE}: The rates file {path} {text}"


def csv(folder: Folder) -> Path:
    return folder.path / "rates" / "usdc.csv"


KIND = {
    "three columns": (HEADER + ROW + LATER)
    .replace(",utilization", "")
    .replace(",0.72", "")
    .replace(",0.73", ""),
    "utilization where it is known": RATES.replace(",0.72", ","),
    "a byte order mark": "\ufeff" + RATES,
    "lines of Windows": RATES.replace("\n", "\r\n"),
    "lines of an old Mac": RATES.replace("\n", "\r"),
    "no newline at the end": RATES.rstrip("\n"),
    "blank lines": RATES.replace("\n", "\n\n"),
    "quoted cells": RATES.replace("2025-05-01T09:00:00Z,0.0413", '"2025-05-01T09:00:00Z","0.0413"'),
    "exponents": RATES.replace("0.0412", "412e-4").replace("0.0413", "4.13E-02"),
    "signs and zeros": RATES.replace("0.0412", "+00.04120").replace("0.0413", ".0413"),
    "rows long before": HEADER + ROW.replace("2025", "1999") + ROW + LATER,
    "rows long after": RATES + ROW.replace("2025", "2199"),
}


@pytest.mark.parametrize("text", KIND.values(), ids=KIND)
def test_what_csv_writers_do_is_read(text: str, folder: Folder) -> None:
    csv(folder).write_bytes(text.encode())
    assert earned(folder) == EARNED


@pytest.mark.parametrize("rate", ["0", "1e-05", "4.12", "100", "100.000", "0e5", "-0"])
def test_a_rate_is_from_0_to_100(rate: str, folder: Folder) -> None:
    """412 % a year is no percent by mistake: stablecoins have paid it."""
    csv(folder).write_text(RATES.replace("0.0412", rate).replace("0.0630", rate))
    assert earned(folder).keys() == EARNED.keys()


NO_NUMBERS = """\
NaN
sNaN
Infinity
-Infinity
inf
null
TRUE
-
--1
+
.
1e
e5
1e99999
0x10
1_000
4,12
4.12%
0.0412 USDC
 0.0412
٤

""".splitlines()


@pytest.mark.parametrize("cell", NO_NUMBERS)
@pytest.mark.parametrize("column", ["supply_apr", "borrow_apr", "utilization"])
def test_a_cell_is_a_number(column: str, cell: str, folder: Folder) -> None:
    if column == "utilization" and not cell:
        return
    old = {"supply_apr": "0.0413", "borrow_apr": "0.0631", "utilization": "0.73"}[column]
    csv(folder).write_text(RATES.replace(old, f'"{cell}"'))
    remedy = SHARE if column == "utilization" else FRACTION
    refused(folder, at_row(3, f'{column} is "{cell}", which is not a number. {remedy}'))


@pytest.mark.parametrize("cell", ["1e400", "-1", "-0.0001", "-1e-30", "100.0001", "412"])
@pytest.mark.parametrize("column", ["supply_apr", "borrow_apr"])
def test_a_number_is_within_bounds(column: str, cell: str, folder: Folder) -> None:
    old = {"supply_apr": "0.0413", "borrow_apr": "0.0631"}[column]
    csv(folder).write_text(RATES.replace(old, cell))
    refused(folder, at_row(3, f"{column} is {cell}, but must be from 0 to 100. {FRACTION}"))


@pytest.mark.parametrize("cell", ["1.01", "72", "-0.1", "1e400"])
def test_utilization_is_within_bounds(cell: str, folder: Folder) -> None:
    csv(folder).write_text(RATES.replace("0.73", cell))
    refused(folder, at_row(3, f"utilization is {cell}, but must be from 0 to 1. {SHARE}"))


@pytest.mark.parametrize("length", [65, 100_000])
def test_a_number_is_short(length: int, folder: Folder) -> None:
    csv(folder).write_text(RATES.replace("0.0413", "0." + "1" * (length - 2)))
    text = f"supply_apr has {length} characters, but may have at most 64. {FRACTION}"
    refused(folder, at_row(3, text))


NO_TIMES = """\
2025-05-01T24:00:00Z
2025-05-01T23:60:00Z
2025-05-01T23:59:60Z
2025-02-30T00:00:00Z
2025-13-01T00:00:00Z
0000-01-01T00:00:00Z
2025-05-01T09:00:00
2025-05-01T09:00:00z
2025-05-01T09:00:00+00:00
2025-05-01T09:00:00+02:00
2025-05-01T09:00:00.000Z
2025-05-01T09:00Z
2025-05-01 09:00:00Z
 2025-05-01T09:00:00Z
2025-5-1T9:00:00Z
20250501T090000Z
2025-05-01
01.05.2025 09:00
1746090000
٢٠٢٥-05-01T09:00:00Z

""".splitlines()


@pytest.mark.parametrize("cell", NO_TIMES)
def test_a_time_is_in_utc(cell: str, folder: Folder) -> None:
    csv(folder).write_text(RATES.replace("2025-05-01T09:00:00Z", cell))
    refused(folder, at_row(3, f'"{cell}" is not a time in UTC. {TIME}'))


HEADERS = [
    "time,supply,borrow,used",
    "time_utc, supply_apr, borrow_apr, utilization",
    "TIME_UTC,SUPPLY_APR,BORROW_APR,UTILIZATION",
    "time_utc;supply_apr;borrow_apr;utilization",
    "time_utc,borrow_apr,supply_apr,utilization",
    "time_utc,supply_apr",
    "time_utc,supply_apr,borrow_apr,utilization,",
    "# rates of USDC",
    "2025-05-01T00:00:00Z,0.0412,0.0630,0.72",
]
WRITE_HEADER = "Write time_utc,supply_apr,borrow_apr or time_utc,supply_apr,borrow_apr,utilization."

HOSTILE = {
    **{
        f"header {header}": (
            header + "\n" + ROW,
            at_row(1, f'The header is "{header}". {WRITE_HEADER}'),
        )
        for header in HEADERS
    },
    "empty": ("", at_row(1, f"The header is missing. {WRITE_HEADER}")),
    "a blank line first": ("\n" + RATES, at_row(1, f"The header is missing. {WRITE_HEADER}")),
    "a long header": ("x" * 9000, at_row(1, f'The header is "{"x" * 80}". {WRITE_HEADER}')),
    "no rows": (HEADER, at_directive("has no rows. Add one row for each change of the rate.")),
    "no rows but blank ones": (
        HEADER + "\n\r\n\n",
        at_directive("has no rows. Add one row for each change of the rate."),
    ),
    "a column too few": (
        HEADER + ROW + "2025-05-01T09:00:00Z,0.0413,0.0631\n",
        at_row(3, "The row has 3 columns, but the header has 4. Write one value for each column."),
    ),
    "a column too many": (
        HEADER + ROW.replace("0.72", "0.72,"),
        at_row(2, "The row has 5 columns, but the header has 4. Write one value for each column."),
    ),
    "a comma in a number": (
        HEADER + ROW.replace("0.0412", "0,0412"),
        at_row(2, "The row has 5 columns, but the header has 4. Write one value for each column."),
    ),
    "spaces alone": (
        HEADER + ROW + "  \n" + LATER,
        at_row(3, "The row has 1 column, but the header has 4. Write one value for each column."),
    ),
    "a comment": (
        HEADER + "# a comment\n" + ROW,
        at_row(2, "The row has 1 column, but the header has 4. Write one value for each column."),
    ),
    "a quote that stays open": (
        HEADER + ROW + '"' + LATER + LATER,
        at_row(3, "The row has 1 column, but the header has 4. Write one value for each column."),
    ),
    "the same time twice": (
        HEADER + ROW + "\n" + ROW,
        at_row(
            4,
            "2025-05-01T00:00:00Z is the same time as in the row above. "
            "Sort the rows by time, with one row for each time.",
        ),
    ),
    "out of order": (
        HEADER + LATER + ROW,
        at_row(
            3,
            "2025-05-01T00:00:00Z is earlier than in the row above. "
            "Sort the rows by time, with one row for each time.",
        ),
    ),
    "a million columns": (
        HEADER + "," * 999_999,
        at_row(
            2, "The row has 1000000 columns, but the header has 4. Write one value for each column."
        ),
    ),
    "a very long line": (
        HEADER + ROW + "x" * 10_000_000,
        at_row(
            3,
            "This is not a row of CSV: field larger than field limit (131072). "
            "Write one value for each column of the header, with commas between them.",
        ),
    ),
    "a tab": (
        HEADER + ROW + LATER.replace("0.0413", "0.0413\t"),
        at_row(3, f'supply_apr is "0.0413\\x09", which is not a number. {FRACTION}'),
    ),
    "what would steer a terminal": (
        HEADER + ROW + LATER.replace("2025", "\x1b[2J2025"),
        at_row(3, f'"\\x1b[2J2025-05-01T09:00:00Z" is not a time in UTC. {TIME}'),
    ),
    "NUL bytes": (
        RATES.replace("0.0413", "0.04\0"),
        at_directive("contains NUL bytes, so it is not text. Save it as CSV in UTF-8."),
    ),
}


@pytest.mark.parametrize(("text", "told"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_rates_file_is_told_with_its_line(text: str, told: str, folder: Folder) -> None:
    csv(folder).write_bytes(text.encode())
    refused(folder, told)


@pytest.mark.parametrize(
    ("encoding", "why"),
    [
        ("utf-16", "contains NUL bytes, so it is not text. Save it as CSV in UTF-8."),
        ("latin-1", "is not in UTF-8. Save it as CSV in UTF-8."),
    ],
)
def test_another_encoding_is_told(encoding: str, why: str, folder: Folder) -> None:
    csv(folder).write_bytes(RATES.replace("0.72", "0,72 µ").encode(encoding))
    refused(folder, at_directive(why))


def test_a_million_rows_are_read(folder: Folder) -> None:
    minutes = [f"T{hour:02}:{minute:02}:00Z" for hour in range(24) for minute in range(60)]
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in (2025, 2026, 2027)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    rows = [f"{day}{minute},0.0412,0.0630\n" for day in days[:695] for minute in minutes]
    csv(folder).write_text("time_utc,supply_apr,borrow_apr\n" + "".join(rows[:1_000_000]))
    # 1000 * ((1 + 0.0412/8760)**24 - 1) = 0.1128828176…
    assert earned(folder)["USDC"] == "0.11288281"


# The second of a directive

EDGES = LEDGER.replace(
    '2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"\n',
    """\
2025-05-01 custom "lending-rate" "USDC" 0.01 0.02
2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"
  time: "10:00"
2025-05-01 custom "lending-rate" "USDC" 0.02 0.03
  time: "12:00"
""",
)


def row(time: str, rate: str) -> str:
    return f"2025-05-01T{time}Z,{rate},0.09,\n"


@pytest.mark.parametrize(
    ("rows", "mean", "counting"),
    [
        # Ten hours at 0.01, two of the file, twelve at 0.02: 0.34 without those of the file.
        ([("10:00:00", "0.05")], "0.018333333333333333", ["10:00:00"]),
        (
            [("09:59:59", "0.07"), ("10:00:00", "0.05"), ("10:00:01", "0.03")],
            "0.0175",
            ["10:00:00", "10:00:01"],
        ),
        (
            [("09:59:59", "0.07"), ("10:00:01", "0.03")],
            "0.018333333333333333",
            ["09:59:59", "10:00:01"],
        ),
        (
            [("10:00:00", "0.05"), ("11:59:59", "0.99"), ("12:00:00", "0.98")],
            "0.018333333333333333",
            ["10:00:00", "11:59:59"],
        ),
    ],
)
def test_a_row_at_the_second_of_a_directive_counts_for_that_directive(
    rows: list[tuple[str, str]], mean: str, counting: list[str], tmp_path: Path
) -> None:
    text = HEADER + "".join(row(*cells) for cells in rows)
    folder = Folder.made(tmp_path / "books", EDGES, text)
    folder.accrue()
    posted = folder.posted()
    assert f'rate: "{mean}"' in posted["posted/2025-05.beancount"].decode()
    lines = posted["posted/2025-05.inputs"].decode().splitlines()
    times = [line.split()[2] for line in lines if "usdc.csv" in line and "custom" not in line]
    assert sorted(times) == [f"2025-05-01T{time}Z" for time in counting]


DAILY = (
    EDGES.partition('2025-05-01 custom "lending-rate"')[0]
    + """\
2025-05-01 custom "lending-rate" "USDC" 0 0
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.01
2025-05-02 custom "treasury-rate" "USD" "rates/usdc.csv"
2025-05-04 custom "treasury-rate" "USD" 0.02
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Bank
2025-05-01 custom "accrue-through" 2025-05-04
"""
)


def test_a_row_on_the_date_of_a_directive_counts_for_that_directive(tmp_path: Path) -> None:
    text = "date,rate\n2025-05-01,0.07\n2025-05-02,0.05\n2025-05-03,0.03\n2025-05-04,0.99\n"
    folder = Folder.made(tmp_path / "books", DAILY, text)
    folder.accrue()
    posted = folder.posted()
    days = posted["posted/2025-05.beancount"].decode().split(' custom "day-close"')
    rates = [day.partition('principal-hours: "')[2].partition('rate: "')[2][:4] for day in days]
    assert rates == ["0.01", "0.05", "0.03", "0.02", ""]
    lines = posted["posted/2025-05.inputs"].decode().splitlines()
    rows = [line.split()[2] for line in lines if "usdc.csv" in line and "custom" not in line]
    assert sorted(rows) == ["2025-05-02", "2025-05-03"]
