"""Beancount's own tools see what Usance adds, virtual or posted, and notice what changes."""

import json
import logging
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import compare, data
from folders import SIX_DAYS, Folder, generated
from golden_ledgers import LEDGERS

from usance.ledger import journal

BIN = Path(sys.executable).parent


@pytest.fixture(params=["virtual", "half posted", "posted"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """Return books of which no day, the first month, or every day is posted."""
    made = Folder.made(tmp_path / "books")
    if request.param != "virtual":
        made.accrue("--through", "2024-12-31" if request.param == "half posted" else "2025-02-02")
    return made


def tool(name: str, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run a tool, with its load cache as it is by default."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BEANCOUNT")}
    return subprocess.run(
        [BIN / name, *map(str, words)], env=kept, capture_output=True, text=True, check=False
    )


def rows(folder: Folder, query: str) -> list[list[str]]:
    """Return the words of each row that a query answers."""
    done = tool("bean-query", folder.ledger, query)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()[2:]]


# bean-check


def test_bean_check_finds_nothing_wrong(folder: Folder) -> None:
    done = tool("bean-check", folder.ledger)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bean_check_reports_our_errors(folder: Folder) -> None:
    folder.edit(
        "\n2025-02-03",
        '\n2025-02-03 custom "lending-rate" "SOL" 101 0.08\n\n2025-02-03',
    )
    done = tool("bean-check", folder.ledger)
    assert done.returncode == 1
    assert f"main.beancount:{folder.line('101 0.08')}:" in done.stderr
    assert 'lending-rate "SOL"' in done.stderr


def test_bean_check_reports_a_changed_closed_day(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.accrue()
    folder.edit("2 SOL\n  Assets:Bank                     -2", "3 SOL\n  Assets:Bank  -3")
    done = tool("bean-check", folder.ledger)
    assert done.returncode == 1
    assert f"main.beancount:{folder.line('another coin')}:" in done.stderr
    assert "2025-02-01 is closed" in done.stderr


def test_balance_assertions_see_the_interest_of_the_day_before(folder: Folder) -> None:
    # 1000 * 0.000100004791813082 = 0.100004...
    folder.edit(
        "\n2025-02-03",
        "\n2024-12-31 balance Assets:Backpack:Main:Wallet  1000.100004 USDC\n\n2025-02-03",
    )
    assert tool("bean-check", folder.ledger).returncode == 0
    folder.edit("1000.100004 USDC", "1000.100005 USDC")
    assert tool("bean-check", folder.ledger).returncode == 1


# bean-query


def test_bean_query_selects_by_tag(folder: Folder) -> None:
    found = rows(
        folder,
        "SELECT date, number, currency WHERE 'usance' IN tags AND account ~ '^Assets'"
        " AND date >= 2025-02-01",
    )
    assert sorted(found) == [
        ["2025-02-01", "0.00027399", "SOL"],
        ["2025-02-01", "0.010001", "USDC"],
        ["2025-02-01", "0.048930", "USDC"],
        ["2025-02-01", "46.651460", "USDC"],
        ["2025-02-02", "0.00027402", "SOL"],
        ["2025-02-02", "0.010003", "USDC"],
    ]
    kinds = rows(
        folder,
        "SELECT count(*) WHERE 'lending' IN tags AND account = 'Assets:Backpack:Main:Wallet'",
    )
    assert kinds == [["34"]]  # 30 December to 1 February: then there is nothing left to lend


def test_bean_query_selects_by_id_and_shows_proofs(folder: Folder) -> None:
    found = rows(
        folder,
        "SELECT ANY_META('usance') AS id, ANY_META('rate') AS rate, number "
        "WHERE ANY_META('usance') ~ '^lending/2024-12-3' AND account ~ ':Wallet$'",
    )
    assert found == [
        ["lending/2024-12-30/Main", "0.0365", "0.100004"],
        ["lending/2024-12-31/Main", "0.0365", "0.100015"],
    ]
    none = rows(folder, "SELECT account WHERE 'usance' IN tags AND ANY_META('usance') IS NULL")
    assert none == []


def test_bean_query_follows_the_link_of_a_day(folder: Folder) -> None:
    found = rows(
        folder,
        "SELECT DISTINCT ANY_META('usance') AS id WHERE 'usance-2025-01-31' IN links",
    )
    assert sorted(found) == [
        ["lending/2025-01-31/Arb"],
        ["lending/2025-01-31/Main"],
        ["transfer/2025-01-31/Arb"],
    ]


def test_bean_query_shows_the_digits_of_generated_numbers(folder: Folder) -> None:
    found = rows(folder, "SELECT position WHERE account = 'Assets:Bank' AND date = 2024-12-30")
    assert found == [["-1000.000000", "USDC"]]


# bean-format


def test_a_month_says_that_it_must_not_be_formatted(tmp_path: Path) -> None:
    """A formatter changes no figure and breaks the seals; the files as they were are sound."""
    folder = Folder.made(tmp_path / "books", SIX_DAYS)
    folder.accrue()
    posted, books = folder.posted(), folder.books()
    assert len(posted) == 2
    month = folder.path / "posted" / "2025-05.beancount"
    first, _, _ = month.read_text().partition("\n")
    assert first.startswith("; ")
    assert first.endswith("Do not format this file.")
    assert tool("bean-format", "-o", month, month).returncode == 0
    assert folder.books() == books
    broken = folder.usance("verify")
    assert broken.exit_code == 1
    assert "Restore the posted files" in broken.output
    for name, content in posted.items():
        (folder.path / name).write_bytes(content)
    assert folder.usance("verify").exit_code == 0


def test_running_daily_names_the_folder_that_is_written(tmp_path: Path) -> None:
    """`exclude` of pre-commit is a pattern that is searched in paths from the top folder."""
    folder = Folder.made(tmp_path / "books", SIX_DAYS)
    folder.accrue()
    page = (Path(__file__).parents[2] / "docs" / "running-daily.md").read_text()
    [excluded] = re.findall(r"^exclude: (.*)$", page, re.MULTILINE)
    assert folder.posted()
    assert all(re.search(excluded, name) for name in folder.posted())
    assert not re.search(excluded, "main.beancount")


# Purchases at cost


MANUAL = (Path(__file__).parents[2] / "docs" / "language.md").read_text()
_, _, SECTION_9 = MANUAL.partition("\n## 9. ")
WITHDRAWAL, SALE = re.findall(r"^```\n(.*?)^```$", SECTION_9, re.MULTILINE | re.DOTALL)[:2]
BUYER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.365 0.5
2025-05-01 custom "collateral" "SOL"
  weight: 1
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Income:Backpack:Main:PnL
2025-05-01 price SOL 100 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
"""
LOTS = """\
2025-05-01 * "Buy"
  Assets:Backpack:Main:Wallet     2 SOL {100 USDC}
  Assets:Backpack:Main:Wallet  -200 USDC
"""
TWICE = SALE + SALE[SALE.index("2025-05-04") :].replace("05-04", "05-05")


def split(text: str) -> tuple[str, str]:
    """Return transactions up to the first that buys at a cost, and the others."""
    cut = text.index("{1")
    cut = text.rindex("\n2025", 0, cut) + 1
    return text[:cut], text[cut:]


@pytest.mark.parametrize(
    ("text", "held", "through"),
    [
        (WITHDRAWAL, "-1 SOL", "2025-05-01"),
        (LOTS + SALE, "-0.004 SOL", "2025-05-03"),
        (LOTS + TWICE, "-0.004 SOL", "2025-05-03"),
    ],
    ids=["borrow", "interest", "twice"],
)
def test_a_purchase_after_interest_or_a_borrow_is_told_its_way_out(
    text: str, held: str, through: str, tmp_path: Path
) -> None:
    """The purchases of the manual fail; without them days are closed, and then they are booked."""
    lots, moves = text[: len(text) - len(text.removeprefix(LOTS))], text.removeprefix(LOTS)
    before, purchases = split(moves)
    folder = Folder.made(tmp_path / "books", f"{BUYER}{lots}{before}{purchases}")
    line = (
        folder.line(purchases.splitlines()[0].split(" ", 1)[1]) if purchases.count("*") == 1 else 0
    )
    done = folder.usance("check")
    assert done.exit_code == 1
    assert done.stdout.count(f"Assets:Backpack:Main:Wallet holds {held} here.") == (
        purchases.count("*")
    )
    assert "No position matches" not in done.stdout
    assert not line or done.stdout.startswith(f"main.beancount:{line}: Beancount cannot book")
    assert f"close the days up to {through}, and write it again." in done.stdout
    text = folder.ledger.read_text()
    folder.edit(purchases, "")
    folder.accrue("--through", through)
    folder.ledger.write_text(text)
    assert folder.load()[1] == []
    folder.accrue()
    assert folder.load()[1] == []


def test_a_purchase_after_closed_days_has_one_way_out(tmp_path: Path) -> None:
    """The day before it is closed: its interest stands in the text, and does not do."""
    folder = Folder.made(tmp_path / "books", BUYER + LOTS)
    folder.accrue("--through", "2025-05-03")
    sale = SALE.replace("05-03", "05-04").replace("-0.004 SOL", "-0.104 SOL")
    folder.ledger.write_text(folder.ledger.read_text() + sale.replace("220.44", "231.44"))
    told = folder.usance("check").stdout
    assert "Write the purchase without a cost." in told
    assert "take it out" not in told
    folder.edit("3 SOL {105 USDC}", "3 SOL @ 105 USDC")
    assert folder.load()[1] == []


def test_a_purchase_that_fails_for_another_cause_keeps_the_text_of_beancount(
    tmp_path: Path,
) -> None:
    """A sale of a lot that is not there; and a bank below zero, which no sub-account is."""
    sale = LOTS + LOTS.replace("   2 SOL {100", "  -2 SOL {99").replace("-200", " 198")
    bank = LOTS.replace("Backpack:Main:Wallet", "Bank")
    short = bank.replace("2 SOL {100 USDC}", "-1 SOL @ 200 USDC").replace("-200", " 200")
    for number, text in enumerate((sale, short + bank)):
        folder = Folder.made(tmp_path / str(number), BUYER + text)
        done = folder.usance("check")
        assert (done.exit_code, done.stdout.count("No position matches")) == (1, 1)


# Equal transactions

TRANSFER = """
2025-05-02 * "Top-up"
  Assets:Backpack:Main:Wallet  -10 USDC
  Assets:Backpack:Arb:Wallet    10 USDC
"""
BACK = """
2025-05-02 * "Back"
  Assets:Backpack:Arb:Wallet  -10 USDC
  Assets:Backpack:Main:Wallet  10 USDC
"""
EVENING = TRANSFER.replace('"Top-up"', '"Evening"\n  time: "18:00"')
BEYOND = "".join(text.replace("05-02", "05-20") for text in (TRANSFER, EVENING))
EQUALS = {
    "twice": TRANSFER + EVENING,
    "three times, and back": TRANSFER + EVENING + TRANSFER.replace("Top-up", "Night") + BACK,
    "beyond the horizon": BEYOND.replace("05-20", "05-06"),
}
STRICT = [
    'plugin "beancount.plugins.noduplicates"\nplugin "usance.plugins"',
    'plugin "usance.plugins"\nplugin "beancount.plugins.noduplicates"',
]


def alike(entries: data.Directives) -> list[str]:
    """Return the directives that Beancount takes for others, but for their metadata."""
    return [error.message for error in compare.hash_entries(entries, exclude_meta=True)[1]]


@pytest.mark.parametrize("name", LEDGERS)
def test_no_two_directives_of_an_example_are_alike(name: str) -> None:
    entries, _, _ = loader.load_file(str(LEDGERS[name]))
    assert alike(entries) == []


@pytest.mark.parametrize("plugins", STRICT, ids=["before", "behind"])
@pytest.mark.parametrize("text", EQUALS.values(), ids=EQUALS)
def test_equal_transfers_of_a_day_are_no_duplicates(
    text: str, plugins: str, tmp_path: Path
) -> None:
    ledger = SIX_DAYS.replace('plugin "usance.plugins"', plugins)
    ledger = ledger.replace('"accrue-through" 2025-05-06', '"accrue-through" 2025-05-05')
    folder = Folder.made(tmp_path / "books", ledger + text)
    entries, errors = folder.load()
    assert (errors, alike(entries)) == ([], [])
    folder.accrue("--through", "2025-05-06")
    entries, errors = folder.load()
    assert (errors, alike(entries)) == ([], [])
    assert tool("bean-doctor", "roundtrip", folder.ledger).returncode == 0


def test_days_that_were_closed_without_numbers_stay_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Usance 0.1.0 closed them: both transfers have the same narration."""
    folder = Folder.made(tmp_path / "books", SIX_DAYS + TRANSFER + EVENING)
    with monkeypatch.context() as release:
        release.setattr(journal, "_behind", lambda _: "")
        folder.accrue("--through", "2025-05-03")
    assert b"(2)" not in folder.files()["posted/2025-05.beancount"]
    assert folder.load()[1] == []
    assert folder.usance("verify").exit_code == 0
    shown = json.loads(
        folder.usance("explain", "transfer/2025-05-02/Arb/2", "--format", "json").stdout
    )
    assert (shown["differs"], shown["posted"].count("(2)")) == (False, 0)
    folder.accrue()
    assert folder.load()[1] == []


# The load cache


def plant(folder: Folder) -> Path:
    """Leave a cache that looks fresh, and holds no directive at all."""
    _, _, options = loader.load_file(str(folder.ledger))
    options["input_hash"] = loader.compute_input_hash(options["include"])
    cache = folder.path / ".main.beancount.picklecache"
    cache.write_bytes(pickle.dumps(([], [], options)))
    return cache


def test_a_planted_cache_is_trusted_by_beancount(tmp_path: Path) -> None:
    """So that the test below says something."""
    folder = Folder.made(tmp_path / "books")
    folder.edit("-1000 USDC", "-1000.01 USDC")
    plant(folder)
    assert tool("bean-check", folder.ledger).returncode == 0


@pytest.mark.parametrize("command", ["check", "accrue", "lending", "accounts"])
def test_a_cache_is_never_trusted_by_usance(command: str, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    arguments = ["--dry-run"] if command == "accrue" else []
    told = folder.usance(command, *arguments)
    assert told.exit_code == 0
    plant(folder)
    again = folder.usance(command, *arguments)
    assert (again.exit_code, again.output) == (0, told.output)

    folder.edit("-1000 USDC", "-1000.01 USDC")
    plant(folder)
    done = folder.usance(command, *arguments)
    line = folder.line('* "Deposit"')
    assert done.exit_code == 1
    assert f"main.beancount:{line}: " in done.output


class Cached:
    """Beancount's loader with its cache, which here keeps even a load that takes no time."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.cache = folder.path / ".main.beancount.picklecache"
        self.load_file = loader.pickle_cache_function(
            lambda _: str(self.cache),
            0.0,
            loader._uncached_load_file,  # noqa: SLF001 -- what initialize() wraps
        )

    def load(self) -> tuple[data.Directives, bool]:
        """Return the directives, and whether they came from the cache."""
        before = self.cache.stat().st_ino if self.cache.exists() else None
        stamp = self.cache.stat().st_mtime_ns if self.cache.exists() else None
        entries, errors, _ = self.load_file(str(self.folder.ledger), None, None, None)
        assert errors == []
        after = self.cache.stat()
        return entries, (after.st_ino, after.st_mtime_ns) == (before, stamp)


@pytest.fixture
def cached(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Cached:
    caplog.set_level(logging.WARNING)
    made = Cached(Folder.made(tmp_path / "books"))
    assert made.load()[1] is False
    assert made.load()[1] is True
    return made


def test_the_cache_holds_what_the_plugins_add(cached: Cached) -> None:
    assert len(generated(cached.load()[0])) == 71


def test_an_edited_rates_file_is_noticed(cached: Cached) -> None:
    before = generated(cached.load()[0])
    cached.folder.edit(
        "2025-02-02T00:00:00Z,0.0365", "2025-02-02T00:00:00Z,0.0366", "rates/usdc.csv"
    )
    entries, trusted = cached.load()
    assert not trusted
    assert generated(entries) != before


def test_a_new_posted_month_is_noticed(cached: Cached) -> None:
    cached.folder.accrue("--through", "2024-12-31")
    entries, trusted = cached.load()
    assert not trusted
    assert min(entry.date for entry in generated(entries)).isoformat() == "2025-01-01"
    assert cached.load()[1] is True
    cached.folder.accrue()
    entries, trusted = cached.load()
    assert not trusted
    assert generated(entries) == []


def test_the_options_name_the_rates_file_and_the_folder(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    _, _, options = loader.load_file(str(folder.ledger))
    names = [name.removeprefix(f"{folder.path}/") for name in options["include"]]
    assert names == ["main.beancount", "posted/first.beancount", "posted", "rates/usdc.csv"]
